"""Whether the inputs are still those that the analyses were made with: sums of their numbers, live and as built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from openpyxl.utils import get_column_letter

from lm_xl import schema
from lm_xl.assumptions import Assumptions, Keys
from lm_xl.engines import stored_values
from lm_xl.workbook.inputs import FIRST_ROW, HEADER_ROW, columns_of
from lm_xl.workbook.layout import Line, Plan
from lm_xl.workbook.state import Numbers, State

AS_BUILT = "As_built"
SUMMED = (*schema.SHEETS, "Scenarios", "Correlations")
"""The sheets whose numbers decide the analyses."""
NOW, BUILT, TOLERANCE, SAME = range(2, 6)
"""Columns of the sheet; the first names the summed sheet."""
SMALL = 1e-6
"""Far below any change that a person types, far above what engines differ by in a sum."""
SAY_SAME = "As built: the inputs are those that these analyses were made with"
SAY_CHANGED = "INPUTS CHANGED since these analyses were made: build the workbook again"
BANNER_ROW = FIRST_ROW + len(SUMMED)
BANNER = f"{AS_BUILT}!$B${BANNER_ROW}"


def sums(a: Assumptions, numbers: Numbers) -> dict[str, float]:
    """The sum of the numbers of each summed sheet: values, lows and highs; a scenario's amounts; correlations."""
    found = dict.fromkeys(SUMMED, 0.0)
    for row, inputs in zip(a.rows, numbers.inputs, strict=True):
        found[row.sheet] += sum(inputs) + (row.low or 0) + (row.high or 0)
    found["Scenarios"] = float(sum(numbers.amounts))
    found["Correlations"] = float(sum(c.value for c in a.correlations))
    return found


def add_as_built(p: Plan, built: Mapping[str, float] | None = None) -> None:
    """Write the sums and the banner of a plan; `built` are the sums at the time of building, by default those of now."""
    p.built = dict(built or sums(p.assumptions, Numbers.of(p.assumptions)))
    for row, sheet in enumerate(SUMMED, FIRST_ROW):
        columns = columns_of(sheet, p.years)
        only = {"Scenarios": ("amount", len(p.assumptions.deltas)), "Correlations": ("rank_correlation", len(p.assumptions.correlations))}
        first, last = (only[sheet][0],) * 2 if sheet in only else ("value", "high")
        letters = [get_column_letter(columns.index(name) + 1) for name in (first, last)]
        n = HEADER_ROW + max(1, only[sheet][1] if sheet in only else sum(r.sheet == sheet for r in p.assumptions.rows))
        _line(p, row, NOW, f"sum of {sheet}", f"SUM({sheet}!${letters[0]}${FIRST_ROW}:${letters[1]}${n})")
        _line(p, row, SAME, f"{sheet} is the same", f'IF(ABS($B{row}-$C{row})<=$D{row},"same","differs")')
        p.measures[f"sum of {sheet}"] = lambda state, sheet=sheet: sums(state.plan.assumptions, state.numbers)[sheet]  # type: ignore[misc]
        p.measures[f"{sheet} is the same"] = lambda state, sheet=sheet: "same" if _same(state, sheet) else "differs"  # type: ignore[misc]
    span = f"$E${FIRST_ROW}:$E${BANNER_ROW - 1}"
    _line(p, BANNER_ROW, NOW, "as built", f'IF(COUNTIF({span},"same")=ROWS({span}),{_words()})')
    p.measures["as built"] = lambda state: SAY_SAME if all(_same(state, sheet) for sheet in SUMMED) else SAY_CHANGED


def built_sums(path: Path) -> dict[str, float] | None:
    """The sums that a delivered file was built with, or None where it has none."""
    try:
        rows = stored_values(path, {AS_BUILT: (BANNER_ROW, BUILT)})[AS_BUILT]
    except Exception:  # the engine's own error: there is no such sheet, which verification says in its own words
        return None
    typed = {sheet: rows[row - 1][BUILT - 1] for row, sheet in enumerate(SUMMED, FIRST_ROW)}
    return {sheet: float(x) for sheet, x in typed.items()} if all(isinstance(x, int | float) for x in typed.values()) else None


def _same(state: State, sheet: str) -> bool:
    return abs(sums(state.plan.assumptions, state.numbers)[sheet] - state.plan.built[sheet]) <= SMALL


def _line(p: Plan, row: int, column: int, name: str, formula: str) -> None:
    p.sheet(AS_BUILT).lines.append(Line(row, name, Keys("", "", ""), "", "", formula, (column,), name, (0, 0, 0), scale=1000))


def _words() -> str:
    return f"{AS_BUILT}!$C${BANNER_ROW},{AS_BUILT}!$D${BANNER_ROW}"
