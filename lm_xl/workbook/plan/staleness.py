"""Whether the inputs are still those that the analyses were made with: weighed sums of their numbers, live and as built.

Each row of a sheet has its own weight, so that two numbers that changed places are seen as well as one that changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from pathlib import Path

from lm_xl.assumptions.assumptions import Keys
from lm_xl.assumptions.columns import SHEETS
from lm_xl.workbook.plan.plan import Line, Plan
from lm_xl.workbook.plan.python_side import Numbers, State
from lm_xl.workbook.plan.records import FIRST_ROW, HEADER_ROW, columns_of
from lm_xl.xlsx.addresses import column_letters, place_of
from lm_xl.xlsx.engines import stored_values

AS_BUILT = "As_built"
SUMMED = (*SHEETS, "Scenarios", "Correlations")
"""The sheets whose numbers decide the analyses."""
NOW, BUILT, TOLERANCE, SAME, WEIGHT = range(2, 7)
"""Columns of the sheet; the first names the summed column."""
SMALL = 1e-6
"""Far below any change that a person types, far above what engines differ by in a sum."""
SAY_SAME = "As built: made with the numbers that the inputs have now"
SAY_CHANGED = "INPUTS CHANGED since these analyses: build again"
SEEN = "Seen: each number that changed, and numbers that changed places. Not seen: changed words, such as labels, distributions and operations."
BANNER_ROW = FIRST_ROW
FIRST_SUM = BANNER_ROW + 1
BANNER = f"{AS_BUILT}!$B${BANNER_ROW}"


def summed(years: Sequence[int]) -> tuple[tuple[str, str], ...]:
    """The summed columns, as (sheet, column), in the order of their lines."""
    found = []
    for sheet in SUMMED:
        columns = columns_of(sheet, years)
        only = {"Scenarios": "amount", "Correlations": "rank_correlation"}.get(sheet, "")
        first, last = (columns.index(name) for name in (only or "value", only or "high"))
        found += [(sheet, name) for name in columns[first : last + 1]]
    return tuple(found)


def weight(row: int) -> float:
    """The weight of a sheet's row, from 1 to 2: far from that of the rows beside it, and the same for no two rows."""
    return 1 + round(row * (sqrt(5) - 1) / 2 % 1, 9)


def rows_of(p: Plan, sheet: str) -> int:
    """How many rows a summed sheet has."""
    a = p.assumptions
    return {"Scenarios": len(a.deltas), "Correlations": len(a.correlations)}.get(
        sheet, sum(r.sheet == sheet for r in a.rows)
    )


def weights(p: Plan) -> dict[int, float]:
    """The row of each weight, which is that of the numbers it weighs, and the weight."""
    return {
        row: weight(row)
        for row in range(FIRST_ROW, FIRST_ROW + max(1, *(rows_of(p, sheet) for sheet in SUMMED)))
    }


def add_as_built(p: Plan, built: Mapping[tuple[str, str], float] | None = None) -> None:
    """Write the sums and the banner of a plan; `built` are the sums at the time of building, by default those of now."""
    typed, now = _typed(p), Numbers.of(p.assumptions)
    p.built = dict(built or {place: _sum(typed[place], now) for place in typed})
    for row, (sheet, name) in enumerate(typed, FIRST_SUM):
        letter, last = (
            column_letters(columns_of(sheet, p.years).index(name) + 1),
            HEADER_ROW + max(1, rows_of(p, sheet)),
        )
        numbers, weighed = (
            f"{x}${FIRST_ROW}:{x}${last}" for x in (f"${letter}", f"${column_letters(WEIGHT)}")
        )
        live, same = (f"{what} of {sheet}, {name}" for what in ("sum", "sameness"))
        _line(p, row, NOW, live, f"SUMPRODUCT({sheet}!{numbers},{weighed})")
        _line(p, row, SAME, same, f'IF(ABS($B{row}-$C{row})<=$D{row},"same","differs")')
        p.measures[live] = lambda state, cells=typed[sheet, name]: _sum(cells, state.numbers)  # type: ignore[misc]
        p.measures[same] = lambda state, place=(sheet, name): (
            "same" if _same(state, typed, place) else "differs"
        )  # type: ignore[misc]
    span = f"$E${FIRST_SUM}:$E${FIRST_SUM + len(typed) - 1}"
    words = ",".join(f"${column_letters(column)}${BANNER_ROW}" for column in (BUILT, TOLERANCE))
    _line(p, BANNER_ROW, NOW, "as built", f'IF(COUNTIF({span},"same")=ROWS({span}),{words})')
    p.measures["as built"] = lambda state: (
        SAY_SAME if all(_same(state, typed, place) for place in typed) else SAY_CHANGED
    )


def built_sums(path: Path, years: Sequence[int]) -> dict[tuple[str, str], float] | None:
    """The sums that a delivered file was built with, or None where it has none."""
    places = summed(years)
    try:
        rows = stored_values(path, {AS_BUILT: (FIRST_SUM + len(places), BUILT)})[AS_BUILT]
    except (
        Exception
    ):  # the engine's own error: there is no such sheet, which verification says in its own words
        return None
    found = {place: rows[row - 1][BUILT - 1] for row, place in enumerate(places, FIRST_SUM)}
    return (
        {place: float(x) for place, x in found.items()}
        if all(isinstance(x, int | float) for x in found.values())
        else None
    )


Cells = list[tuple[float, Callable[[Numbers], float]]]
"""The numbers in a column, each with the weight of its row."""


def _typed(p: Plan) -> dict[tuple[str, str], Cells]:
    """The numbers in each summed column."""
    a = p.assumptions
    found: dict[tuple[str, str], Cells] = {place: [] for place in summed(p.years)}
    for i, row in enumerate(a.rows):
        columns = columns_of(row.sheet, p.years)
        at, _ = place_of(p.written.cells[i][0])
        for k in range(len(row.inputs)):
            _, column = place_of(p.written.cells[i][k])
            found[row.sheet, columns[column - 1]].append((weight(at), lambda n, i=i, k=k: n.inputs[i][k]))  # type: ignore[misc]
        for name, x in (("low", row.low or 0.0), ("high", row.high or 0.0)):
            found[row.sheet, name].append((weight(at), lambda _, x=x: x))  # type: ignore[misc]
    found["Scenarios", "amount"] = [
        (weight(p.written.delta_rows[k]), lambda n, k=k: n.amounts[k])  # type: ignore[misc]
        for k in range(len(a.deltas))
    ]
    found["Correlations", "rank_correlation"] = [
        (weight(FIRST_ROW + k), lambda _, c=c: c.value)  # type: ignore[misc]
        for k, c in enumerate(a.correlations)
    ]
    return found


def _sum(cells: Cells, numbers: Numbers) -> float:
    return float(sum(weighed * number(numbers) for weighed, number in cells))


def _same(state: State, typed: Mapping[tuple[str, str], Cells], place: tuple[str, str]) -> bool:
    return abs(_sum(typed[place], state.numbers) - state.plan.built[place]) <= SMALL


def _line(p: Plan, row: int, column: int, name: str, formula: str) -> None:
    p.sheet(AS_BUILT).lines.append(
        Line(row, name, Keys("", "", ""), "", "", formula, (column,), name, (0, 0, 0), scale=1000)
    )
