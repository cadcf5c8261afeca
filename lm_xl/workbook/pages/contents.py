"""The contents: every sheet with its class, what it answers, and a link."""

from __future__ import annotations

from openpyxl.workbook import Workbook
from openpyxl.worksheet.hyperlink import Hyperlink

from lm_xl.workbook.pages.pen import Pen, columns, page, start
from lm_xl.workbook.pages.styles import TAB
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text

CONTENTS = "Contents"


def contents(workbook: Workbook, pen: Pen) -> None:
    """Fill the sheet of contents, once all the others are there."""
    ws = workbook[CONTENTS]
    start(ws, "control", text("sheets", ws.title))
    named = (("sheet", 26), ("class", 16), ("what it answers", 110))
    columns(ws, pen, [(name, width, "lm header") for name, width in named])
    kinds = {colour: kind for kind, colour in TAB.items()}
    for row, sheet in enumerate(workbook.worksheets, FIRST_ROW):
        colour = sheet.sheet_properties.tabColor
        pen.text(ws, row, 1, sheet.title, "lm link")
        ws.cell(row, 1).hyperlink = Hyperlink(
            ref=f"A{row}", location=f"'{sheet.title}'!A1", tooltip=f"Go to {sheet.title}"
        )
        # A colour has six digits after those of its opacity.
        pen.text(ws, row, 2, kinds[colour.rgb[-6:]] if colour is not None else "", "lm label")
        pen.text(ws, row, 3, text("sheets", sheet.title), "lm label")
    page(ws, HEADER_ROW, freeze="A")
