"""The sheet with the pieces that sentences, tiles and titles are joined from."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, columns, page, start
from lm_xl.workbook.plan.layout import HEADER_ROW, WORDS_VALUE
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.words.prose import text


def pieces(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """The pieces of the sentences: those that stay and those that follow the numbers."""
    start(ws, "calculations", text("sheets", ws.title), text("pages", "pieces"))
    columns(
        ws,
        pen,
        [(name, wide, "lm header") for name, wide in (("sentence", 24), ("unit", 24), ("value", 110))],
    )
    for row, words in traced.sheets[ws.title].headings:
        pen.text(ws, row, 1, "fixed words", "lm label")
        pen.text(ws, row, 2, "text", "lm label")
        pen.text(ws, row, WORDS_VALUE, words, "lm label")
    for line in lines_on(ws, traced):
        for column, label in ((1, line.quantity), (2, line.unit)):
            pen.text(ws, line.row, column, label, "lm label")
        write_line(ws, pen, line, "lm calculation")
    page(ws, HEADER_ROW, freeze="A")
