"""The sheet that tells whether every formula of the workbook is one still."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, columns, page, start
from lm_xl.workbook.pages.styles import amber_where
from lm_xl.workbook.plan.kept_formulas import CELLS, SHEET, TYPED_OVER
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import column_letters

COLUMNS = (
    ("sheet", 26, "lm header"),
    ("cells", 20, "lm header"),
    ("typed over", 14, "lm year"),
    ("in row", 14, "lm year"),
)


def kept_formulas(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """A line for each rectangle of formulas: how many of its cells were typed over, and a row with one."""
    start(ws, "control", text("sheets", ws.title), text("pages", "formulas_kept"))
    columns(ws, pen, COLUMNS)
    for rectangle in traced.kept:
        pen.text(ws, rectangle.row, SHEET, rectangle.sheet, "lm label")
        pen.text(ws, rectangle.row, CELLS, rectangle.cells, "lm label")
    for line in lines_on(ws, traced):
        write_line(ws, pen, line, "lm calculation", unit="0 or 1")
    letters = column_letters(TYPED_OVER)
    last = traced.kept[-1].row
    ws.conditional_formatting.add(
        f"A{FIRST_ROW}:{column_letters(len(COLUMNS))}{last}", amber_where(f"${letters}{FIRST_ROW}>0")
    )
    page(ws, HEADER_ROW, freeze="A")
