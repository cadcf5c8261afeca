"""Whether the inputs are still those that the analyses were made with: weighed sums of their numbers, live and as built.

Each row of a sheet has its own weight, so that two numbers that changed places are seen as well as one that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from pathlib import Path

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.columns import SHEETS
from lm_xl.model.axes import Axes
from lm_xl.workbook.plan.input_cells import Choice, Numbers
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW, chosen_cell
from lm_xl.workbook.plan.lines import RESIDUE_SCALE, Line, Plan, PythonMeasure, PythonValues
from lm_xl.workbook.plan.records import columns_of
from lm_xl.xlsx.addresses import column_letters, place_of
from lm_xl.xlsx.engines import stored_values

AS_BUILT = "As_built"
ANALYSES = ("Drivers", "Scenarios compared", "Uncertainty", "Bridge", "Tornado", "Percentiles", "Convergence")
"""The sheets of analyses made at the time of building, each with a banner that tells whether they hold what is shown."""
SUMMED = (*SHEETS, "Scenarios", "Correlations")
"""The sheets whose numbers decide the analyses."""
NOW, BUILT, ALLOWED, SAME, WEIGHT = range(2, 7)
"""Columns of the sheet: the sum now and as built, how far apart they may be, whether they are; the first names the summed column."""
SUM_TOLERANCE = 1e-6
"""Far below any change that a person types, far above what engines differ by in a sum."""
SAY_SAME = "As built: made with the numbers that the inputs have now"
SAY_CHANGED = "INPUTS CHANGED since these analyses: build again"
SAY_OTHER = "NOT WHAT THE DASHBOARD SHOWS: made for "
SEEN = "Seen: each number that changed, and numbers that changed places. Not seen: changed words, such as labels, distributions and operations."
BANNER_ROW, HELD_ROW = FIRST_ROW, FIRST_ROW + 1
FIRST_SUM = HELD_ROW + 1
BANNER = f"{AS_BUILT}!$B${BANNER_ROW}"
CHOSEN = ("scenario", "scope", "basis", "currency")
"""What analyses are made for, as the dashboard chooses it."""

SummedColumn = tuple[str, str]
"""A summed column: its sheet and its name."""
WeighedNumbers = list[tuple[float, Callable[[Numbers], float]]]
"""The numbers in a column, each with the weight of its row."""


def summed(years: Sequence[int]) -> tuple[SummedColumn, ...]:
    """The summed columns in the order of their lines."""
    found = []
    for sheet in SUMMED:
        columns = columns_of(sheet, years)
        only = {"Scenarios": "amount", "Correlations": "rank_correlation"}.get(sheet)
        first, last = (columns.index(name) for name in (only or "value", only or "high"))
        found += [(sheet, name) for name in columns[first : last + 1]]
    return tuple(found)


def weight(row: int) -> float:
    """The weight of a sheet's row, from 1 to 2: far from that of the rows beside it, and the same for no two rows.

    The multiples of the golden section are the most evenly spread of all; nine digits are what the sheet shows.
    """
    return 1 + round(row * (sqrt(5) - 1) / 2 % 1, 9)


def rows_of(a: Assumptions, sheet: str) -> int:
    """How many rows a summed sheet has."""
    of_lists = {"Scenarios": len(a.deltas), "Correlations": len(a.correlations)}
    return of_lists.get(sheet, sum(row.sheet == sheet for row in a.rows))


def weights(p: Plan) -> dict[int, float]:
    """The row of each weight, which is that of the numbers it weighs, and the weight."""
    most = max(1, *(rows_of(p.assumptions, sheet) for sheet in SUMMED))
    return {row: weight(row) for row in range(FIRST_ROW, FIRST_ROW + most)}


def add_as_built(p: Plan, built: Mapping[SummedColumn, float] | None = None) -> None:
    """Write the sums and the banner of a plan; `built` are the sums at the time of building, by default those of now."""
    weighed, now = _weighed_numbers(p), Numbers.of(p.assumptions)
    p.built = dict(built or {column: _sum(numbers, now) for column, numbers in weighed.items()})
    sames = []
    for row, (column, numbers) in enumerate(weighed.items(), FIRST_SUM):
        sum_now, same = _sum_measures(numbers, p.built[column])
        sames.append(same)
        name = ", ".join(column)
        _write(p, row, NOW, f"sum of {name}", _sum_formula(p, column), sum_now)
        formula = f'IF(ABS($B{row}-$C{row})<=$D{row},"same","differs")'
        _write(p, row, SAME, f"sameness of {name}", formula, same)

    first = Choice.of(p.assumptions.axes).said()
    p.held = held_by(p.assumptions.axes)

    def banner(python: PythonValues) -> str:
        if any(same(python) != "same" for same in sames):
            return SAY_CHANGED
        shown = python.choice.said()
        return SAY_SAME if all(shown[what] == first[what] for what in CHOSEN) else SAY_OTHER + p.held

    def changed(python: PythonValues) -> str:
        return SAY_CHANGED if any(same(python) != "same" for same in sames) else SAY_SAME

    span = f"$E${FIRST_SUM}:$E${FIRST_SUM + len(weighed) - 1}"
    same_words, changed_words = (f"${column_letters(column)}${BANNER_ROW}" for column in (BUILT, ALLOWED))
    own, held = (f"${column_letters(column)}${HELD_ROW}" for column in (NOW, BUILT))
    formula = f'IF(COUNTIF({span},"same")=ROWS({span}),{same_words},{changed_words})'
    _write(p, HELD_ROW, NOW, "inputs as built", formula, changed)
    shown = '&" | "&'.join(chosen_cell(what) for what in CHOSEN)
    _write(
        p,
        HELD_ROW,
        SAME,
        "shown",
        shown,
        lambda python: " | ".join(str(python.choice.said()[w]) for w in CHOSEN),
    )
    formula = f'IF(OR({own}<>{same_words},$E${HELD_ROW}={held}),{own},"{SAY_OTHER}"&{held})'
    _write(p, BANNER_ROW, NOW, "as built", formula, banner)


def held_by(axes: Axes) -> str:
    """What analyses are made for: scenario, scope, basis and currency of a new deliverable."""
    first = Choice.of(axes).said()
    return " | ".join(str(first[what]) for what in CHOSEN)


def built_sums(path: Path, years: Sequence[int]) -> dict[SummedColumn, float] | None:
    """The sums that a delivered file was built with, of its sheet AS_BUILT; None where one of them is no number."""
    columns = summed(years)
    rows = stored_values(path, {AS_BUILT: (FIRST_SUM + len(columns), BUILT)})[AS_BUILT]
    found = {column: rows[row - 1][BUILT - 1] for row, column in enumerate(columns, FIRST_SUM)}
    numbers = {column: float(x) for column, x in found.items() if isinstance(x, int | float)}
    return numbers if len(numbers) == len(found) else None


def _weighed_numbers(p: Plan) -> dict[SummedColumn, WeighedNumbers]:
    """The numbers in each summed column."""
    a = p.assumptions
    found: dict[SummedColumn, WeighedNumbers] = {column: [] for column in summed(p.years)}
    for i, row in enumerate(a.rows):
        columns = columns_of(row.sheet, p.years)
        at, _ = place_of(p.cells.rows[i][0])
        for k in range(len(row.inputs)):
            _, column = place_of(p.cells.rows[i][k])
            found[row.sheet, columns[column - 1]].append((weight(at), _input(i, k)))
        # bounds decide the simulation alone, so `Numbers` has none and Python knows those that were read
        for name, bound in (("low", row.low or 0.0), ("high", row.high or 0.0)):
            found[row.sheet, name].append((weight(at), _constant(bound)))
    found["Scenarios", "amount"] = [(weight(p.cells.delta_rows[k]), _amount(k)) for k in range(len(a.deltas))]
    found["Correlations", "rank_correlation"] = [
        (weight(FIRST_ROW + k), _constant(correlation.value)) for k, correlation in enumerate(a.correlations)
    ]
    return found


def _input(i: int, k: int) -> Callable[[Numbers], float]:
    return lambda numbers: numbers.inputs[i][k]


def _amount(k: int) -> Callable[[Numbers], float]:
    return lambda numbers: numbers.amounts[k]


def _constant(value: float) -> Callable[[Numbers], float]:
    return lambda _: value


def _sum(weighed: WeighedNumbers, numbers: Numbers) -> float:
    return float(sum(factor * number(numbers) for factor, number in weighed))


def _sum_formula(p: Plan, column: SummedColumn) -> str:
    """A column's numbers times the weights that stand in the same rows."""
    sheet, name = column
    last = HEADER_ROW + max(1, rows_of(p.assumptions, sheet))
    letters = (column_letters(at) for at in (columns_of(sheet, p.years).index(name) + 1, WEIGHT))
    numbers, weights = (f"${letter}${FIRST_ROW}:${letter}${last}" for letter in letters)
    return f"SUMPRODUCT({sheet}!{numbers},{weights})"


def _sum_measures(
    weighed: WeighedNumbers, built: float
) -> tuple[PythonMeasure, Callable[[PythonValues], str]]:
    """What Python computes for a column: its sum now, and whether that is the one it was built with."""

    def sum_now(python: PythonValues) -> float:
        return _sum(weighed, python.numbers)

    def same(python: PythonValues) -> str:
        return "same" if abs(sum_now(python) - built) <= SUM_TOLERANCE else "differs"

    return sum_now, same


def _write(p: Plan, row: int, column: int, name: str, formula: str, measure: PythonMeasure) -> None:
    p.measures[name] = measure
    line = Line(row=row, columns=(column,), formula=formula, array=name, quantity=name, scale=RESIDUE_SCALE)
    p.sheet(AS_BUILT).lines.append(line)
