"""The long data: one fact a line, as an Excel table."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, columns, page, start, table
from lm_xl.workbook.pages.styles import number_format
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW, LONG
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.words.prose import text

DATA_COLUMNS = (
    ("metric", 24, "lm header"),
    ("region", 21, "lm header"),
    ("segment", 33, "lm header"),
    ("subtype", 23, "lm header"),
    ("year", 8, "lm year"),
    ("unit", 13, "lm header"),
    ("value", 15, "lm year"),
)


def long_data(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """One fact a line, with its keys."""
    start(ws, "data", text("sheets", ws.title), text("pages", "data_long"))
    columns(ws, pen, DATA_COLUMNS)
    for line in lines_on(ws, traced):
        for column, label in enumerate((line.quantity, *line.keys), 1):
            pen.text(ws, line.row, column, label, "lm label")
        pen.write(ws, line.row, 5, int(line.origin), "lm label", number_format("year"))
        pen.text(ws, line.row, 6, line.unit, "lm label")
        write_line(ws, pen, line, "lm calculation")
    last = max(FIRST_ROW, traced.sheets[ws.title].row - 1)
    table(ws, LONG, HEADER_ROW, last, len(DATA_COLUMNS))
    page(ws, HEADER_ROW, freeze="A")
