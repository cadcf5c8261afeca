"""The sheet of checks: every check, its tolerance and whether it passes."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.pen import Pen, columns, page, start
from lm_xl.workbook.pages.styles import amber_where, number_format
from lm_xl.workbook.plan.checks import FIRST_CHECK, LIMIT, MASTER_ROW, VALUE, WHAT, WHERE
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.words.prose import text

CHECK_COLUMNS = (
    ("id", 14, "lm header"),
    ("what", 90, "lm header"),
    ("value", 16, "lm year"),
    ("tolerance", 12, "lm year"),
    ("pass", 8, "lm year"),
    ("least", 12, "lm year"),
    ("most", 12, "lm year"),
    ("in row", 8, "lm year"),
    ("where", 40, "lm header"),
)
BOUNDS = 6, 7
"""Columns of the range that some checks compare with."""


def checks(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """The master check, and a line for each check."""
    start(ws, "control", text("sheets", ws.title), text("pages", "checks"))
    pen.text(ws, MASTER_ROW, 1, "Master check", "lm label")
    columns(ws, pen, CHECK_COLUMNS, FIRST_CHECK - 1)
    for row, identity, what, tolerance, bounds, where in traced.checks:
        pen.text(ws, row, 1, identity, "lm label")
        pen.text(ws, row, 2, what, "lm label")
        pen.write(ws, row, LIMIT, tolerance, "lm calculation", number_format("tolerance"))
        for column, bound in zip(BOUNDS, bounds or (), strict=False):
            pen.write(ws, row, column, bound, "lm calculation", number_format("bound"))
        if where:
            pen.text(ws, row, WHERE, where, "lm label")
    for line in traced.sheets[ws.title].lines:
        master = line.row == MASTER_ROW
        # The master check stands here and, as on every sheet, in the header, which is written last.
        if line.array == "master" and not master:
            continue
        for column, formula in line.formulas():
            style = "lm total" if master else "lm label" if column == WHERE else "lm calculation"
            form = (
                ""
                if column in (WHAT, WHERE)
                else number_format("residue" if column == VALUE and not master else "0 or 1")
            )
            pen.write(ws, line.row, column, f"={formula}", style, form)
    passes = f"E{FIRST_CHECK}:E{traced.checks[-1][0]}"
    ws.conditional_formatting.add(passes, amber_where(f"$E{FIRST_CHECK}<>1"))
    page(ws, FIRST_CHECK - 1, freeze="C")
