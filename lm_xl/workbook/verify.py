"""A delivered workbook against Python: every formula, on the numbers it holds and on others, in an independent engine."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.columns import DOLLAR
from lm_xl.assumptions.read import read_assumptions
from lm_xl.faults import Disagreement
from lm_xl.model.outputs import BASIS_NAMES
from lm_xl.workbook.plan.plan import COVER, Plan
from lm_xl.workbook.plan.python_side import Choice, Numbers, State
from lm_xl.workbook.plan.records import Written
from lm_xl.workbook.plan.staleness import built_sums
from lm_xl.workbook.plan.trace import trace
from lm_xl.xlsx.addresses import address_of, column_letters, split_address
from lm_xl.xlsx.engines import Address, Extent, Grid, recalculated

TOLERANCE = 1e-9
WOBBLE = 0.05
"""Each input is moved by up to this share of itself, by up to this many years where it is a year."""


@dataclass
class Case:
    """One comparison: what was changed, how many formulas agree, and the worst of them."""

    name: str
    formulas: int = 0
    worst: float = 0.0
    worst_cell: str = ""
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verification:
    """All cases of a file; it passes when no cell is wrong."""

    path: Path
    engine: str
    cases: tuple[Case, ...]

    @property
    def passed(self) -> bool:
        return all(not case.wrong for case in self.cases)


def areas(traced: Plan) -> dict[str, Extent]:
    """The part of each sheet that holds formulas."""
    found: dict[str, Extent] = {}
    for title, sheet in traced.sheets.items():
        if sheet.lines:
            found[title] = (
                max(line.row for line in sheet.lines),
                max(line.columns[-1] for line in sheet.lines),
            )
    return found


def compare(
    case: Case,
    traced: Plan,
    state: State,
    grid: Grid,
    formulas: Mapping[str, set[tuple[int, int]]] | None = None,
) -> Case:
    """Compare every formula cell of a plan with Python's value of it."""
    repeated: list[str] = []
    for title, sheet in traced.sheets.items():
        rows = grid[title]
        for line in sheet.lines:
            wrong = repeated if line.array == "master" else case.wrong
            expected = state.values(line)
            row = rows[line.row - 1]
            for column, value in zip(line.columns, expected, strict=True):
                case.formulas += 1
                found = row[column - 1]
                if formulas is not None and (line.row, column) not in formulas.get(title, ()):
                    wrong.append(
                        f"{title}!{address_of(line.row, column)}: holds {found!r}, no formula; Python computes {_shown(value)}"
                    )
                    continue
                error = _error(found, value, line.scale)
                if error > case.worst:
                    case.worst, case.worst_cell = error, f"{title}!{address_of(line.row, column)}"
                if error > TOLERANCE:
                    wrong.append(
                        f"{title}!{address_of(line.row, column)}: the workbook gives {found!r}, Python {_shown(value)}"
                    )
    case.wrong += repeated
    return case


def _error(found: Any, value: float | str, scale: float) -> float:
    if isinstance(value, str):
        return 0.0 if found == value else float("inf")
    if value != value:
        return 0.0 if found == "n/a" else float("inf")
    if isinstance(found, bool) or not isinstance(found, int | float):
        return float("inf")
    return abs(found - value) / max(abs(value), scale) if found != value else 0.0


def _shown(value: float | str) -> str:
    return "n/a" if value != value else repr(value)


def agreed_values(path: Path, traced: Plan) -> dict[str, dict[str, float | str]]:
    """Every formula's value in a new workbook, as an engine computes it and Python confirms. Raises Disagreement."""
    a = traced.assumptions
    state = State(traced, Numbers.of(a), Choice(a.axes.scenarios[0]))
    (grid,) = recalculated(path, [{}], areas(traced), "formualizer")
    case = compare(Case("new"), traced, state, grid)
    if case.wrong:
        raise Disagreement(
            f"{len(case.wrong)} of {case.formulas} formulas differ from Python, so nothing was written; the first: {case.wrong[0]}"
        )
    values: dict[str, dict[str, float | str]] = {}
    for title, sheet in traced.sheets.items():
        rows = grid[title]
        letters = [column_letters(c) for c in range(areas(traced)[title][1] + 1)] if sheet.lines else []
        values[title] = {
            f"{letters[c]}{line.row}": rows[line.row - 1][c - 1] for line in sheet.lines for c in line.columns
        }
    return values


def verify(
    path: str | Path, engine: str = "formualizer", progress: Callable[[str], None] = lambda _: None
) -> Verification:
    """Recalculate a delivered workbook in an engine and compare every formula with Python.

    Cases: each scenario on the numbers in the file, with each basis and currency among them, then every number of every
    assumption, delta, exchange rate and published figure moved at once.
    Raises Refused where the file's assumptions have a fault or its formulas are not those of this model.
    """
    file = Path(path)
    a = read_assumptions(file)
    traced = _plan_of(a, built_sums(file, a.axes.years))
    present = _formula_cells(file)
    read_areas = _known_areas(file, traced, present)
    cases: list[tuple[Case, State, dict[Address, Any]]] = []
    choices = list(_choices(a))
    cases += [
        (Case(f"{_named(choice)}, as it is"), State(traced, Numbers.of(a), choice), _chosen(choice))
        for choice in choices
    ]
    other = moved(a)
    for choice, changed in ((choices[-1], edits(a, other)), (choices[0], {})):
        cases.append(
            (
                Case(f"{_named(choice)}, every input changed"),
                State(traced, other, choice),
                {**changed, **_chosen(choice)},
            )
        )
    expected = {(t, line.row, c) for t, s in traced.sheets.items() for line in s.lines for c in line.columns}
    extra = sorted((t, r, c) for t, cells in present.items() for r, c in cells if (t, r, c) not in expected)
    unknown = [f"{t}!{address_of(r, c)}: a formula that is not the model's" for t, r, c in extra]
    done = []
    grids = recalculated(file, [edit for *_, edit in cases], read_areas, engine)
    for (case, state, _), grid in zip(
        cases, _told(grids, [c.name for c, *_ in cases], progress), strict=True
    ):
        done.append(compare(case, traced, state, grid, present))
    done[0].wrong.extend(unknown)
    return Verification(file, engine, tuple(done))


def _told(grids: Any, names: Sequence[str], progress: Callable[[str], None]) -> Iterator[Grid]:
    for i, grid in enumerate(grids):
        progress(names[i])
        yield grid


def _plan_of(a: Assumptions, built: Mapping[tuple[str, str], float] | None) -> Plan:
    """The plan of a delivered file: its numbers stand where they were read, and it was built with these sums of them."""
    rows = {i: row.cells for i, row in enumerate(a.rows)}
    deltas = {k: int(split_address(d.cell)[1]) for k, d in enumerate(a.deltas)}
    return trace(a, Written(rows, deltas, tuple(f.cell for f in a.published)), built)


def _choices(a: Assumptions) -> Iterator[Choice]:
    """Choices that between them have every scenario, every basis and every currency."""
    bases, currencies = list(BASIS_NAMES), [c.code for c in a.currencies]
    for i in range(max(len(a.axes.scenarios), len(bases), len(currencies))):
        yield Choice(
            a.axes.scenarios[i % len(a.axes.scenarios)],
            bases[i % len(bases)],
            currencies[i % len(currencies)],
        )


def _named(choice: Choice) -> str:
    return f"{choice.scenario}, {choice.basis}, {choice.currency}"


def _chosen(choice: Choice) -> dict[Address, Any]:
    from lm_xl.xlsx.addresses import place_of

    return {(COVER, *place_of(address)): value for address, value in choice.cells().items()}


def moved(a: Assumptions) -> Numbers:
    """Every number moved by a different amount: shares down, years and others either way."""
    rng = random.Random(20250)  # any fixed seed: the same file is always tested with the same numbers

    def down(x: float) -> float:
        return x * (1 - rng.uniform(0.1, 1) * WOBBLE) + (rng.uniform(0.1, 1) * 1e-3 if x == 0 else 0)

    inputs = []
    for row in a.rows:
        if row.quantity in ("first_year", "last_year"):
            inputs.append(row.inputs)
        elif row.unit == "year":
            inputs.append(tuple(x + rng.uniform(-1, 1) * WOBBLE * 10 for x in row.inputs))
        else:
            inputs.append(tuple(down(x) for x in row.inputs))
    rates = [c.rate if c.code == DOLLAR else down(c.rate) for c in a.currencies]
    return Numbers(inputs, [down(d.amount) for d in a.deltas], rates, [down(f.value) for f in a.published])


def edits(a: Assumptions, numbers: Numbers) -> dict[Address, Any]:
    """The input cells of a deliverable, with other numbers."""
    from lm_xl.xlsx.addresses import place_of

    cells: dict[Address, Any] = {}
    for row, values in zip(a.rows, numbers.inputs, strict=True):
        if values:
            cells |= {
                (row.sheet, *place_of(address)): value
                for address, value in zip(row.cells, values, strict=True)
            }
    for sheet, places, values in (
        ("Scenarios", [d.cell for d in a.deltas], numbers.amounts),
        ("Currencies", [c.cell for c in a.currencies], numbers.rates),
        ("Published", [f.cell for f in a.published], numbers.figures),
    ):
        cells |= {(sheet, *place_of(address)): value for address, value in zip(places, values, strict=True)}
    return cells


def _formula_cells(path: Path) -> dict[str, set[tuple[int, int]]]:
    """Every cell of the file that holds a formula."""
    import openpyxl

    found: dict[str, set[tuple[int, int]]] = {}
    with path.open("rb") as file:
        for ws in openpyxl.load_workbook(file, read_only=True, keep_links=False).worksheets:
            ws.reset_dimensions()
            cells = {
                (cell.row, cell.column)
                for row in ws.iter_rows()
                for cell in row
                if cell.value is not None and cell.data_type == "f"
            }
            if cells:
                found[ws.title] = cells
    return found


def _known_areas(path: Path, traced: Plan, present: Mapping[str, set[tuple[int, int]]]) -> dict[str, Extent]:
    from lm_xl.faults import Fault, Refused

    missing = [t for t in traced.sheets if traced.sheets[t].lines and t not in present]
    if missing:
        raise Refused(
            [
                Fault(
                    path.name,
                    t,
                    "",
                    "the sheet is missing or has no formulas: verify takes a workbook made by lm-xl build",
                )
                for t in missing
            ]
        )
    return areas(traced)


__all__ = ["Case", "Disagreement", "Verification", "agreed_values", "verify"]
