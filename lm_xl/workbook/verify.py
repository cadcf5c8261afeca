"""A delivered workbook against Python: every formula, on the numbers it holds and on others, in an independent engine."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from typing import Any

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.columns import DOLLAR
from lm_xl.assumptions.read import read_assumptions
from lm_xl.faults import Disagreement, Fault, Refused
from lm_xl.model.outputs import BASIS_NAMES
from lm_xl.workbook.plan.front.cover import typed_in
from lm_xl.workbook.plan.front.drawn import PERCENTILES, Drawn, drawn_in
from lm_xl.workbook.plan.input_cells import Choice, InputCells, Numbers
from lm_xl.workbook.plan.layout import COVER, HEADER_ROW
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.python_side import PythonSide
from lm_xl.workbook.plan.staleness import AS_BUILT, built_sums
from lm_xl.workbook.plan.trace import trace
from lm_xl.workbook.written import Written, written
from lm_xl.xlsx.addresses import address_of, place_of
from lm_xl.xlsx.engines import Address, Extent, Grid, recalculated, stored_values
from lm_xl.xlsx.formula_cells import formula_cells

FORMULA_TOLERANCE = 1e-9
"""By how much of itself, or of its line's scale, a formula's value may differ from Python's."""
STORED_TOLERANCE = 1e-8
"""The same of a stored value, which has ten digits."""
WOBBLE = 0.05
"""Each input is moved by up to this share of itself, by up to ten times this many years where it is a year."""

EXPLORED = 4
"""Labels of each axis, beside the total, that the explorer is tried with."""

Cells = Mapping[str, set[tuple[int, int]]]
"""Sheet to row and column of some of its cells."""


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
    """All cases of a file, and what it holds beside formulas; it passes when no cell is wrong."""

    path: Path
    engine: str
    cases: tuple[Case, ...]
    written: Written

    @property
    def wrong(self) -> list[str]:
        """What is wrong with each cell that is, first those that a new workbook holds otherwise."""
        return [*self.written.wrong, *(line for case in self.cases for line in case.wrong)]

    @property
    def passed(self) -> bool:
        return not self.wrong


def verify(
    path: str | Path, engine: str = "formualizer", progress: Callable[[str], None] = lambda _: None
) -> Verification:
    """Recalculate a delivered workbook in an engine and compare every formula with Python, and all else with a new workbook.

    Cases: each scenario on the numbers in the file, with each basis and currency among them, then every number of every
    assumption, delta, exchange rate and published figure moved at once; last the values that the file stores, where it does.
    Raises Refused where the file's assumptions have a fault or its formulas are not those of this model.
    """
    file = Path(path)
    a = read_assumptions(file)
    present = formula_cells(file)
    built = built_sums(file, a.axes.years) if present.get(AS_BUILT) else None
    drawn = drawn_in(file, len(a.axes.years)) if present.get(PERCENTILES) else None
    typed = typed_in(file) if present.get(COVER) else None
    plan = _plan_of(a, built, drawn, typed)
    _refuse_missing_sheets(file, plan, present)
    trials = list(_trials(a))
    progress("stored values")
    grids = iter(recalculated(file, [{}, *(trial.edits for trial in trials)], areas(plan), engine))
    stored = _stored(plan, stored_values(file, areas(plan)), next(grids))
    cases = []
    for trial, grid in zip(trials, grids, strict=True):
        progress(trial.name)
        python = PythonSide(plan, trial.numbers, trial.choice)
        cases.append(compare(trial.name, plan, python, grid, present))
    cases[0].wrong.extend(_not_the_models(plan, present))
    if stored.formulas:
        cases.append(stored)
    return Verification(file, engine, tuple(cases), written(file, a, plan, progress))


def agreed_values(path: Path, plan: Plan) -> dict[str, dict[str, float | str]]:
    """Every formula's value in a new workbook, as an engine computes it and Python confirms. Raises Disagreement."""
    a = plan.assumptions
    python = PythonSide(plan, Numbers.of(a), Choice.of(a.axes))
    (grid,) = recalculated(path, [{}], areas(plan), "formualizer")
    case = compare("new", plan, python, grid)
    if case.wrong:
        raise Disagreement(
            f"{len(case.wrong)} of {case.formulas} formulas differ from Python, so nothing was written; the first: {case.wrong[0]}"
        )
    return {
        title: {
            address_of(line.row, column): grid[title][line.row - 1][column - 1]
            for line in sheet.lines
            for column in line.columns
        }
        for title, sheet in plan.sheets.items()
    }


# Comparing


def areas(plan: Plan) -> dict[str, Extent]:
    """The part of each sheet that holds formulas."""
    return {
        title: (max(line.row for line in sheet.lines), max(line.columns[-1] for line in sheet.lines))
        for title, sheet in plan.sheets.items()
        if sheet.lines
    }


def compare(name: str, plan: Plan, python: PythonSide, grid: Grid, present: Cells | None = None) -> Case:
    """Compare every formula cell of a plan with Python's value of it. `present` are the file's cells with formulas, if known."""
    case = Case(name)
    # the master check stands on every sheet: what makes it wrong is told first
    repeated: list[str] = []
    for title, sheet in plan.sheets.items():
        for line in sheet.lines:
            wrong = repeated if line.array == "master" else case.wrong
            row = grid[title][line.row - 1]
            for column, value in zip(line.columns, python.values(line), strict=True):
                case.formulas += 1
                found = row[column - 1]
                if present is None and found == value:
                    continue
                cell = f"{title}!{address_of(line.row, column)}"
                if present is not None and (line.row, column) not in present.get(title, ()):
                    wrong.append(f"{cell}: holds {found!r}, no formula; Python computes {_shown(value)}")
                    continue
                error = _error(found, value, line.scale)
                if error > case.worst:
                    case.worst, case.worst_cell = error, cell
                if error > FORMULA_TOLERANCE:
                    wrong.append(f"{cell}: the workbook gives {found!r}, Python {_shown(value)}")
    case.wrong += repeated
    return case


def _stored(plan: Plan, stored: Grid, computed: Grid) -> Case:
    """Compare the values that a file stores, which a preview shows, with those that its own formulas and choices give."""
    case = Case("as it is, stored values")
    for title, sheet in plan.sheets.items():
        for line in sheet.lines:
            for column in line.columns:
                shown, found = (grid[title][line.row - 1][column - 1] for grid in (stored, computed))
                if shown in (None, ""):
                    continue  # whoever wrote the file left it to the spreadsheet
                case.formulas += 1
                known = isinstance(found, str | int | float)
                error = _error(shown, found, line.scale) if known else float("inf")
                cell = f"{title}!{address_of(line.row, column)}"
                if error > case.worst:
                    case.worst, case.worst_cell = error, cell
                if error > STORED_TOLERANCE:
                    case.wrong.append(f"{cell}: stores {shown!r}, its formula gives {found!r}")
    return case


def _error(found: Any, value: float | str, scale: float) -> float:
    """How far a cell is from Python's value, relative to it or to the line's scale; infinite where it is of another kind."""
    if isinstance(value, str) or isnan(value):
        return 0.0 if found == (value if isinstance(value, str) else "n/a") else float("inf")
    if isinstance(found, bool) or not isinstance(found, int | float):
        return float("inf")
    return abs(found - value) / max(abs(value), scale) if found != value else 0.0


def _shown(value: float | str) -> str:
    return repr(value) if isinstance(value, str) or not isnan(value) else "n/a"


def _not_the_models(plan: Plan, present: Cells) -> list[str]:
    """What to say of each formula of a file that its plan does not have."""
    expected = {(t, line.row, c) for t, s in plan.sheets.items() for line in s.lines for c in line.columns}
    found = {(title, row, column) for title, cells in present.items() for row, column in cells}
    return [
        f"{title}!{address_of(row, column)}: a formula that is not the model's"
        for title, row, column in sorted(found - expected)
    ]


# What is tried


@dataclass(frozen=True)
class _Trial:
    """What is chosen and typed before a file is recalculated, and the numbers that Python then computes with."""

    name: str
    choice: Choice
    numbers: Numbers
    edits: Mapping[Address, Any]


def _trials(a: Assumptions) -> Iterator[_Trial]:
    """Every choice on the file's numbers, then the last one on other numbers.

    The engine keeps what was typed, so the last trial, the first choice again, needs no more edits than that choice.
    """
    choices = list(_choices(a))
    for choice in choices:
        yield _Trial(f"{choice}, as it is", choice, Numbers.of(a), _chosen(choice))
    other = moved(a)
    for choice, changed in ((choices[-1], edits(a, other)), (choices[0], {})):
        yield _Trial(f"{choice}, every input changed", choice, other, {**changed, **_chosen(choice)})


def _choices(a: Assumptions) -> Iterator[Choice]:
    """Choices that between them have every scenario, every scope, every basis and every currency."""
    axes = a.axes
    every: dict[str, Sequence[Any]] = {
        "scenario": axes.scenarios,
        "scope": axes.scopes,
        "basis": list(BASIS_NAMES),
        "currency": [c.code for c in a.currencies],
        # the totals first, then groups and leaves: three of each axis, so that few trials have many kinds of them
        "region": _spread(axes.region.total, axes.region.labels),
        "segment": _spread(axes.headline, axes.segment.labels),
        "subtype": _spread(axes.subtype.total, axes.subtype.labels),
        "year": (axes.years[-1], axes.years[0], axes.years[len(axes.years) // 2]),
    }
    for i in range(max(len(of) for of in every.values())):
        yield Choice.of(axes, **{what: of[i % len(of)] for what, of in every.items()})


def _spread(first: str, labels: Sequence[str]) -> tuple[str, ...]:
    """A label, and others from over the whole of a list."""
    others = [x for x in labels if x != first]
    step = max(1, len(others) // EXPLORED)
    return (first, *others[::step][:EXPLORED])


def _chosen(choice: Choice) -> dict[Address, Any]:
    return {(sheet, *place_of(address)): value for (sheet, address), value in choice.cells().items()}


def moved(a: Assumptions) -> Numbers:
    """Every number moved by a different amount: years either way, all others down, so that shares stay shares."""
    rng = random.Random(20250)  # any fixed seed: the same file is always tested with the same numbers

    def down(x: float) -> float:
        # a number of 0 moves too, by a little: no share of it would
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
    amounts, figures = [down(d.amount) for d in a.deltas], [down(f.value) for f in a.published]
    return Numbers(inputs, amounts, rates, figures, [down(p.share) for p in a.products])


def edits(a: Assumptions, numbers: Numbers) -> dict[Address, Any]:
    """The input cells of a deliverable, with other numbers."""
    cells: dict[Address, Any] = {}
    for row, values in zip(a.rows, numbers.inputs, strict=True):
        # a row of `never` has a cell, but no number
        for address, value in zip(row.cells if values else (), values, strict=True):
            cells[row.sheet, *place_of(address)] = value
    for sheet, addresses, values in (
        ("Scenarios", [d.cell for d in a.deltas], numbers.amounts),
        ("Currencies", [c.cell for c in a.currencies], numbers.rates),
        ("Published", [f.cell for f in a.published], numbers.figures),
        ("Products", [p.cell for p in a.products], numbers.shares),
    ):
        cells |= {(sheet, *place_of(at)): value for at, value in zip(addresses, values, strict=True)}
    return cells


# The file


def _plan_of(
    a: Assumptions,
    built: Mapping[tuple[str, str], float] | None,
    drawn: Drawn | None,
    typed: Mapping[str, str | float] | None,
) -> Plan:
    """The plan of a delivered file: its numbers stand where they were read, and it was built with these sums of them."""
    rows = {i: row.cells for i, row in enumerate(a.rows)}
    delta_rows = {k: place_of(delta.cell)[0] for k, delta in enumerate(a.deltas)}
    figures, shares = (tuple(x.cell for x in found) for found in (a.published, a.products))
    return trace(a, InputCells(rows, delta_rows, figures, shares), built, drawn, typed)


def _refuse_missing_sheets(path: Path, plan: Plan, present: Cells) -> None:
    what = "the sheet is missing or has no formulas: verify takes a workbook made by lm-xl build"
    missing = [
        title
        for title, sheet in plan.sheets.items()
        # one that has nothing but a header may have lost that alone, which is told of its cell
        if title not in present or (not present[title] and any(line.row > HEADER_ROW for line in sheet.lines))
    ]
    if missing:
        raise Refused([Fault(path.name, title, "", what) for title in missing])


__all__ = ["Case", "Disagreement", "Verification", "agreed_values", "verify"]
