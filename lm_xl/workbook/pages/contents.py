"""The contents, which part the pages that a client reads from the sheets behind them: each with its class, what it answers, a link."""

from __future__ import annotations

from openpyxl.workbook import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.pen import Pen, columns, kind_of, page, start
from lm_xl.workbook.plan.layout import CONTENTS, FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text


def contents(workbook: Workbook, pen: Pen) -> None:
    """Fill the divider, once all the sheets are there."""
    ws = workbook[CONTENTS]
    start(ws, "control", text("sheets", CONTENTS), text("pages", "behind"))
    named = (("sheet", 26), ("class", 16), ("what it answers", 110))
    columns(ws, pen, [(name, width, "lm header") for name, width in named])
    for row, title in enumerate(workbook.sheetnames, FIRST_ROW):
        listed(ws, row, 1, title, pen)
        pen.text(ws, row, 2, kind_of(workbook[title]), "lm label")
        pen.text(ws, row, 3, text("sheets", title), "lm label")
    page(ws, HEADER_ROW, freeze="A")


def listed(ws: Worksheet, row: int, column: int, title: str, pen: Pen, words: str = "") -> None:
    """A sheet's title, or words for it, as a link."""
    pen.text(ws, row, column, words or title, "lm link")
    cell = ws.cell(row, column)
    cell.hyperlink = Hyperlink(ref=cell.coordinate, location=f"'{title}'!A1", tooltip=f"Go to {title}")
