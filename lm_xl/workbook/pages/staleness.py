"""The sheet that tells whether the inputs are still those that the analyses were made with."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, columns, page, start
from lm_xl.workbook.pages.styles import number_format
from lm_xl.workbook.plan.layout import HEADER_ROW
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.staleness import (
    ALLOWED,
    BANNER_ROW,
    BUILT,
    FIRST_SUM,
    HELD_ROW,
    SAY_CHANGED,
    SAY_SAME,
    SEEN,
    SUM_TOLERANCE,
    WEIGHT,
    weights,
)
from lm_xl.workbook.words.prose import text

SUM_COLUMNS = (
    ("column", 30, "lm header"),
    ("weighed sum now", 54, "lm year"),
    ("weighed sum as built", 54, "lm year"),
    ("tolerance", 54, "lm year"),
    ("same", 12, "lm year"),
    ("weight of row", 14, "lm year"),
)


def as_built(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """The banner, and under it the weighed sums of the inputs' columns now and at the time of building."""
    start(ws, "control", text("sheets", ws.title), SEEN)
    columns(ws, pen, SUM_COLUMNS)
    for row, (place, built) in enumerate(traced.built.items(), FIRST_SUM):
        pen.text(ws, row, 1, ", ".join(place), "lm label")
        pen.write(ws, row, BUILT, built, "lm calculation", number_format("weighed sum"))
        pen.write(ws, row, ALLOWED, SUM_TOLERANCE, "lm calculation", number_format("tolerance"))
    # Weights stand in the rows of the numbers that they weigh on the other sheets, not in those of the sums.
    for row, weight in weights(traced).items():
        pen.write(ws, row, WEIGHT, weight, "lm calculation", number_format("weight"))
    for column, said in ((1, "What the analyses say"), (BUILT, SAY_SAME), (ALLOWED, SAY_CHANGED)):
        pen.text(ws, BANNER_ROW, column, said, "lm label")
    pen.text(ws, HELD_ROW, 1, "What they are made for; what is shown", "lm label")
    pen.text(ws, HELD_ROW, BUILT, traced.held, "lm label")
    for line in lines_on(ws, traced):
        if line.row in (BANNER_ROW, HELD_ROW):
            write_line(ws, pen, line, "lm label", unit="text")
        else:
            write_line(ws, pen, line, "lm calculation", unit="weighed sum")
    page(ws, HEADER_ROW)
