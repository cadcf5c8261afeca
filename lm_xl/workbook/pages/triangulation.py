"""The sheet that shows the model beside published figures."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, columns, fit_row, page, start
from lm_xl.workbook.pages.styles import amber_where, number_format
from lm_xl.workbook.plan.layout import HEADER_ROW
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.triangulation import FIRST_FIGURE, OUTSIDE, model_year
from lm_xl.workbook.words.prose import text

FIGURE_COLUMNS = (
    ("publisher", 24, "lm header"),
    ("what", 40, "lm header"),
    ("scope", 10, "lm header"),
    ("region", 12, "lm header"),
    ("segment", 18, "lm header"),
    ("subtype", 14, "lm header"),
    ("year", 8, "lm year"),
    ("model year", 8, "lm year"),
    ("published", 16, "lm year"),
    ("model", 16, "lm year"),
    ("ratio", 9, "lm year"),
    ("status", 17, "lm header"),
    ("why", 70, "lm header"),
)
WHAT_COLUMN, WHY_COLUMN = 2, 13


def triangulation(ws: Worksheet, a: Assumptions, traced: Plan, pen: Pen) -> None:
    """A line for each published figure."""
    start(ws, "outputs", text("sheets", ws.title), text("pages", "triangulation"))
    columns(ws, pen, FIGURE_COLUMNS, lines=2)
    for row, figure in enumerate(a.published, FIRST_FIGURE):
        for column, label in enumerate((figure.publisher, figure.what, figure.scope, *figure.keys), 1):
            pen.text(ws, row, column, label, "lm wrapped")
        pen.text(ws, row, WHY_COLUMN, figure.note, "lm wrapped")
        for column, year in ((7, figure.year), (8, model_year(traced, figure))):
            pen.write(ws, row, column, year, "lm calculation", number_format("year"))
        fit_row(ws, row, {WHAT_COLUMN: figure.what, WHY_COLUMN: figure.note})
    for line in lines_on(ws, traced):
        write_line(ws, pen, line)
    # Without any figure the rule lies on the one blank line.
    last = FIRST_FIGURE + max(len(a.published), 1) - 1
    compared = f"K{FIRST_FIGURE}:L{last}"
    ws.conditional_formatting.add(compared, amber_where(f'$L{FIRST_FIGURE}="{OUTSIDE}"'))
    page(ws, HEADER_ROW, freeze="C")
