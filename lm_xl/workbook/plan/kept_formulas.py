"""Whether every cell that was built as a formula still holds one: each rectangle of formulas on each sheet, with its count."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from lm_xl.workbook.plan.layout import CHECKS, FIRST_ROW, FORMULAS
from lm_xl.workbook.plan.lines import Line, Plan, PythonValues, Rectangle, SheetPlan
from lm_xl.xlsx.addresses import Area, in_formulas
from lm_xl.xlsx.formula_cells import ISFORMULA

SHEET, CELLS, TYPED_OVER, ROW_AT_FAULT = range(1, 5)
"""Columns of the sheet; the last two hold formulas."""


def add_kept_formulas(p: Plan) -> None:
    """Write a line for each rectangle of formulas that the plan has by now."""
    found = [(title, area) for title, sheet in p.sheets.items() for area in rectangles(sheet)]
    for row, (title, area) in enumerate(found, FIRST_ROW):
        rectangle = Rectangle(row, title, area)
        p.kept.append(rectangle)
        reference = f"{in_formulas(title)}!{rectangle.cells}"
        name = f"{reference} typed over"
        _write(p, row, TYPED_OVER, name, typed_over(reference))
        _write(p, row, ROW_AT_FAULT, f"{name} in row", row_at_fault(reference))


def typed_over(reference: str) -> str:
    """The formula of how many cells of a range hold no formula."""
    return f"SUMPRODUCT(1-{ISFORMULA}({reference}))"


def row_at_fault(reference: str) -> str:
    """The formula of the last row of a range in which a cell holds no formula, 0 where all do."""
    return f"SUMPRODUCT(MAX((1-{ISFORMULA}({reference}))*ROW({reference})))"


def rows_by_sheet(p: Plan) -> dict[str, tuple[int, int]]:
    """The first and the last row that tell of each sheet's rectangles."""
    grouped = groupby(p.kept, lambda rectangle: rectangle.sheet)
    rows = {title: [rectangle.row for rectangle in found] for title, found in grouped}
    return {title: (found[0], found[-1]) for title, found in rows.items()}


def rectangles(sheet: SheetPlan) -> Iterator[Area]:
    """The rectangles of a sheet's formulas: columns side by side in rows that follow one another.

    What shows the checks is left out: counted by them, it would run in a circle.
    """
    columns: dict[int, set[int]] = {}
    for line in sheet.lines:
        if f"{CHECKS}!" not in line.formula:
            columns.setdefault(line.row, set()).update(line.columns)
    runs = {row: set(_runs(found)) for row, found in columns.items()}
    for row in sorted(runs):
        for left, right in sorted(runs[row] - runs.get(row - 1, set())):
            bottom = row
            while (left, right) in runs.get(bottom + 1, ()):
                bottom += 1
            yield Area(row, left, bottom, right)


def _runs(columns: set[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of each run of columns without a gap."""
    for _, run in groupby(enumerate(sorted(columns)), lambda at: at[1] - at[0]):
        found = [column for _, column in run]
        yield found[0], found[-1]


def none_typed_over(_: PythonValues) -> float:
    """What Python finds, which knows no cell that was typed over."""
    return 0.0


def _write(p: Plan, row: int, column: int, name: str, formula: str) -> None:
    p.measures[name] = none_typed_over
    p.sheet(FORMULAS).lines.append(
        Line(row=row, columns=(column,), formula=formula, array=name, quantity=name)
    )
