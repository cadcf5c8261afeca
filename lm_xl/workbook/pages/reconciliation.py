"""The sheet that leads from our headline to published sizes by steps."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, band, columns, fit_row, page, start
from lm_xl.workbook.pages.styles import number_format
from lm_xl.workbook.plan.layout import HEADER_ROW
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.reconciliation import (
    OURS,
    THEIRS,
    Table,
    tables_of,
    title_of,
)
from lm_xl.workbook.plan.triangulation import model_year
from lm_xl.workbook.reconciled import LINES, beside, reason, unit_of
from lm_xl.workbook.words.prose import text

STEP_COLUMNS = (
    ("step", 16, "lm header"),
    ("USD million", 13, "lm year"),
    ("running total", 13, "lm year"),
    ("in the model", 13, "lm year"),
    ("in the figure", 13, "lm year"),
    ("unit of these two", 20, "lm header"),
    ("what it assumes", 70, "lm header"),
)
UNIT_COLUMN, WHY_COLUMN = 6, 7


def reconciliation(ws: Worksheet, a: Assumptions, traced: Plan, pen: Pen) -> None:
    """A table for each published size of a whole market."""
    start(ws, "outputs", text("pages", "reconciliation"), title=ws.title)
    columns(ws, pen, STEP_COLUMNS)
    tables = tables_of(traced)
    for table in tables:
        band(ws, pen, table.row, title_of(traced, a.published[table.figure]), WHY_COLUMN)
        for line in LINES:
            _words(ws, a, traced, pen, table, line)
    for written in lines_on(ws, traced):
        write_line(ws, pen, written)
    page(ws, HEADER_ROW, freeze="B")


def _words(ws: Worksheet, a: Assumptions, traced: Plan, pen: Pen, table: Table, line: str) -> None:
    """What stands in a line beside its formulas."""
    row, figure = table.row_of(line), a.published[table.figure]
    count = None if table.count is None else a.published[table.count]
    style, said = (
        ("lm total", "lm total words")
        if line in ("headline", "published")
        else ("lm calculation", "lm wrapped")
    )
    for column in range(1, WHY_COLUMN):
        pen.write(ws, row, column, None, style)
    pen.text(ws, row, 1, text("reconciliation", line), said)
    pen.write(ws, row, UNIT_COLUMN, unit_of(line) or None, said)
    found = {THEIRS: beside(line, count)}
    if line == "scope":
        found = {OURS: a.axes.headline, THEIRS: figure.keys.segment}
    for column, words in found.items():
        if words:
            # words in a column of numbers stand where these do
            pen.text(ws, row, column, words, style, number_format("patients"))
    why = reason(line, figure, count, a.axes.headline, model_year(traced, figure))
    pen.text(ws, row, WHY_COLUMN, why, "lm wrapped")
    fit_row(ws, row, {WHY_COLUMN: why})
