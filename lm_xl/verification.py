"""A delivered workbook against Python: every formula, on the numbers it holds and on others, in an independent engine."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lm_xl.assumptions import Assumptions
from lm_xl.engines import Address, Area, Grid, recalculated
from lm_xl.reader import read_assumptions
from lm_xl.schema import QUANTITIES
from lm_xl.workbook.layout import SELECTED, Plan, State, plan, split

TOLERANCE = 1e-9
WOBBLE = 0.05
"""Each input is moved by up to this share of itself, by up to this many years where it is a year."""


class Disagreement(ArithmeticError):
    """An engine and Python give different values. The message names the cells."""


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


def areas(traced: Plan) -> dict[str, Area]:
    """The part of each sheet that holds formulas."""
    found: dict[str, Area] = {}
    for title, sheet in traced.sheets.items():
        if sheet.lines:
            found[title] = (max(line.row for line in sheet.lines), max(line.columns[-1] for line in sheet.lines))
    return found


def compare(case: Case, traced: Plan, state: State, grid: Grid, formulas: Mapping[str, set[tuple[int, int]]] | None = None) -> Case:
    """Compare every formula cell of a plan with Python's value of it."""
    for title, sheet in traced.sheets.items():
        rows = grid[title]
        for line in sheet.lines:
            expected = state.values(line)
            row = rows[line.row - 1]
            for column, value in zip(line.columns, expected, strict=True):
                case.formulas += 1
                found = row[column - 1]
                if formulas is not None and (line.row, column) not in formulas.get(title, ()):
                    case.wrong.append(f"{title}!{_address(line.row, column)}: holds {found!r}, no formula; Python computes {_shown(value)}")
                    continue
                error = _error(found, value)
                if error > case.worst:
                    case.worst, case.worst_cell = error, f"{title}!{_address(line.row, column)}"
                if error > TOLERANCE:
                    case.wrong.append(f"{title}!{_address(line.row, column)}: the workbook gives {found!r}, Python {_shown(value)}")
    return case


def _error(found: Any, value: float) -> float:
    if value != value:
        return 0.0 if found == "n/a" else float("inf")
    if isinstance(found, bool) or not isinstance(found, int | float):
        return float("inf")
    return abs(found - value) / max(abs(value), 1e-12) if found != value else 0.0


def _shown(value: float) -> str:
    return "n/a" if value != value else repr(value)


def _address(row: int, column: int) -> str:
    return f"{_letter(column)}{row}"


def _letter(column: int) -> str:
    from openpyxl.utils import get_column_letter

    return get_column_letter(column) if column else ""


def agreed_values(path: Path, traced: Plan) -> dict[str, dict[str, float | str]]:
    """Every formula's value in a new workbook, as an engine computes it and Python confirms. Raises Disagreement."""
    a = traced.assumptions
    state = State(traced, [r.inputs for r in a.rows], [d.amount for d in a.deltas], a.axes.scenarios[0])
    (grid,) = recalculated(path, [{}], areas(traced), "formualizer")
    case = compare(Case("new"), traced, state, grid)
    if case.wrong:
        raise Disagreement(
            f"{len(case.wrong)} of {case.formulas} formulas differ from Python, so nothing was written; the first: {case.wrong[0]}"
        )
    values: dict[str, dict[str, float | str]] = {}
    for title, sheet in traced.sheets.items():
        rows = grid[title]
        letters = [_letter(c) for c in range(areas(traced)[title][1] + 1)] if sheet.lines else []
        values[title] = {f"{letters[c]}{line.row}": rows[line.row - 1][c - 1] for line in sheet.lines for c in line.columns}
    return values


def verify(path: str | Path, engine: str = "formualizer", progress: Callable[[str], None] = lambda _: None) -> Verification:
    """Recalculate a delivered workbook in an engine and compare every formula with Python.

    Cases: each scenario on the numbers in the file, then every number of every assumption and delta moved at once.
    Raises Refused where the file's assumptions have a fault or its formulas are not those of this model.
    """
    file = Path(path)
    a = read_assumptions(file)
    traced = _plan_of(a)
    present = _formula_cells(file)
    areas_ = _known_areas(file, traced, present)
    cases: list[tuple[Case, State, dict[Address, Any]]] = []
    for scenario in a.axes.scenarios:
        state = State(traced, [r.inputs for r in a.rows], [d.amount for d in a.deltas], scenario)
        cases.append((Case(f"{scenario}, as it is"), state, {_selector(): scenario}))
    inputs, amounts = moved(a)
    changed = {**edits(a, inputs, amounts), _selector(): a.axes.scenarios[-1]}
    cases.append((Case(f"{a.axes.scenarios[-1]}, every input changed"), State(traced, inputs, amounts, a.axes.scenarios[-1]), changed))
    cases.append(
        (
            Case(f"{a.axes.scenarios[0]}, every input changed"),
            State(traced, inputs, amounts, a.axes.scenarios[0]),
            {_selector(): a.axes.scenarios[0]},
        )
    )
    expected = {(t, line.row, c) for t, s in traced.sheets.items() for line in s.lines for c in line.columns}
    extra = sorted((t, r, c) for t, cells in present.items() for r, c in cells if (t, r, c) not in expected)
    unknown = [f"{t}!{_address(r, c)}: a formula that is not the model's" for t, r, c in extra]
    done = []
    grids = recalculated(file, [edit for *_, edit in cases], areas_, engine)
    for (case, state, _), grid in zip(cases, _told(grids, [c.name for c, *_ in cases], progress), strict=True):
        done.append(compare(case, traced, state, grid, present))
    done[0].wrong.extend(unknown)
    return Verification(file, engine, tuple(done))


def _told(grids: Any, names: Sequence[str], progress: Callable[[str], None]) -> Iterator[Grid]:
    for i, grid in enumerate(grids):
        progress(names[i])
        yield grid


def _plan_of(a: Assumptions) -> Plan:
    """The plan of a delivered file: its numbers stand where its rows were read."""
    return plan(a, {i: row.cells for i, row in enumerate(a.rows)}, {k: int(split(d.cell)[1]) for k, d in enumerate(a.deltas)})


def _selector() -> Address:
    from openpyxl.utils.cell import coordinate_to_tuple

    return SELECTED[0], *coordinate_to_tuple(SELECTED[1])


def moved(a: Assumptions) -> tuple[list[tuple[float, ...]], list[float]]:
    """Every number moved by a different amount: shares down, years and others either way."""
    rng = random.Random(20250)  # any fixed seed: the same file is always tested with the same numbers
    moved = []
    for row in a.rows:
        quantity = QUANTITIES[row.quantity]
        if quantity.sheet == "Timeline" and row.quantity != "index_year":
            moved.append(row.inputs)
        elif row.unit == "year":
            moved.append(tuple(x + rng.uniform(-1, 1) * WOBBLE * 10 for x in row.inputs))
        else:
            moved.append(tuple(x * (1 - rng.uniform(0.1, 1) * WOBBLE) + (rng.uniform(0.1, 1) * 1e-3 if x == 0 else 0) for x in row.inputs))
    return moved, [d.amount * (1 - rng.uniform(0.1, 1) * WOBBLE) for d in a.deltas]


def edits(a: Assumptions, inputs: Sequence[Sequence[float]], amounts: Sequence[float]) -> dict[Address, Any]:
    """The cells that hold the numbers of rows and deltas, with other numbers."""
    from openpyxl.utils.cell import coordinate_to_tuple

    cells: dict[Address, Any] = {}
    for row, numbers in zip(a.rows, inputs, strict=True):
        if numbers:
            cells |= {(row.sheet, *coordinate_to_tuple(address)): value for address, value in zip(row.cells, numbers, strict=True)}
    cells |= {("Scenarios", *coordinate_to_tuple(d.cell)): amount for d, amount in zip(a.deltas, amounts, strict=True)}
    return cells


def _formula_cells(path: Path) -> dict[str, set[tuple[int, int]]]:
    """Every cell of the file that holds a formula."""
    import openpyxl

    workbook = openpyxl.load_workbook(path, read_only=True, keep_links=False)
    found: dict[str, set[tuple[int, int]]] = {}
    for ws in workbook.worksheets:
        ws.reset_dimensions()
        cells = {(cell.row, cell.column) for row in ws.iter_rows() for cell in row if cell.value is not None and cell.data_type == "f"}
        if cells:
            found[ws.title] = cells
    workbook.close()
    return found


def _known_areas(path: Path, traced: Plan, present: Mapping[str, set[tuple[int, int]]]) -> dict[str, Area]:
    from lm_xl.faults import Fault, Refused

    missing = [t for t in traced.sheets if traced.sheets[t].lines and t not in present]
    if missing:
        raise Refused(
            [
                Fault(path.name, t, "", "the sheet is missing or has no formulas: verify takes a workbook made by lm-xl build")
                for t in missing
            ]
        )
    return areas(traced)


__all__ = ["Case", "Disagreement", "Verification", "agreed_values", "verify"]
