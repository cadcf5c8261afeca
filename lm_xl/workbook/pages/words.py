"""Pages of words: the method and the glossary."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.pen import Pen, columns, fit_row, page, start
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text, texts


def page_of_words(ws: Worksheet, file: str, names: tuple[str, str], pen: Pen) -> None:
    """The texts of a file as a table: each key and what is said of it, under two column names."""
    start(ws, "control", text("sheets", ws.title))
    columns(ws, pen, [(names[0], 48, "lm header"), (names[1], 120, "lm header")])
    for row, words in enumerate(texts(file).items(), FIRST_ROW):
        for column, said in enumerate(words, 1):
            pen.text(ws, row, column, said, "lm wrapped")
        fit_row(ws, row, dict(enumerate(words, 1)))
    page(ws, HEADER_ROW, freeze="A")
