"""The sheet of drivers: each with its parameters, what they are now, where they stand, what they move."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, columns, fit_row, page, start
from lm_xl.workbook.plan.layout import HEADER_ROW
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.words.prose import text

DRIVER_COLUMNS = (
    ("driver", 26, "lm header"),
    ("what is said of the market", 48, "lm header"),
    ("parameter", 25, "lm header"),
    ("keys", 44, "lm header"),
    ("unit", 17, "lm header"),
    ("row", 16, "lm header"),
    ("first value", 12, "lm year"),
    ("last value", 12, "lm year"),
    ("source", 30, "lm header"),
    ("moves", 60, "lm header"),
)


def drivers(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """The parameters of each driver, a line each."""
    start(ws, "outputs", text("sheets", ws.title), text("pages", "drivers"))
    columns(ws, pen, DRIVER_COLUMNS)
    for row, words in traced.drivers:
        for column, said in words.items():
            pen.text(ws, row, column, said, "lm wrapped")
        fit_row(ws, row, words)
    for line in lines_on(ws, traced):
        write_line(ws, pen, line)
    page(ws, HEADER_ROW, freeze="A")
