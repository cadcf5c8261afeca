"""The lines of a plan on a sheet: what Python traced, as formulas with their labels and number formats."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.pen import Pen
from lm_xl.workbook.pages.styles import number_format
from lm_xl.workbook.plan.lines import Line, Plan


def lines_on(ws: Worksheet, traced: Plan) -> list[Line]:
    """A sheet's own lines: without the master check, which every sheet repeats in its header."""
    return [line for line in traced.sheets[ws.title].lines if line.array != "master"]


def write_line(ws: Worksheet, pen: Pen, line: Line, style: str = "", unit: str = "") -> None:
    """The formulas of a line, in its own style and unit or in those given."""
    form = number_format(unit) if unit else number_format(line.unit, line.quantity)
    for column, formula in line.formulas():
        pen.write(ws, line.row, column, f"={formula}", style or line.style, form)
