"""The sheets of words: how a template works, and what xlwings reads its settings from."""

from __future__ import annotations

from collections.abc import Iterable

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.functions.template.state import Template
from lm_xl.functions.vba import conf_rows
from lm_xl.workbook.pages.pen import Pen, columns, fit_row, page, start, widths
from lm_xl.workbook.pages.styles import TAB
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import texts

HOW = "How_to"
HOW_COLUMNS = (("subject", 30, "lm header"), ("what to do", 120, "lm header"))


def how_to(ws: Worksheet, t: Template) -> None:
    """What holds for every host, then what is this host's own."""
    start(ws, "control", "How this workbook works, and what to do when a cell shows an error.")
    columns(ws, t.pen, HOW_COLUMNS)
    fit_row(ws, HEADER_ROW, {i: name for i, (name, _, _) in enumerate(HOW_COLUMNS, 1)})
    own = "how_to_windows" if t.host == "windows" else "how_to_lite"
    _rows(ws, t.pen, FIRST_ROW, [*texts("how_to").items(), *texts(own).items()])
    page(ws, HEADER_ROW)


def configuration(ws: Worksheet, t: Template) -> None:
    """Keys and values from A1 on and without a title, as xlwings' own code reads them."""
    ws.sheet_properties.tabColor = TAB["control"]
    widths(ws, (30, 60))
    _rows(ws, t.pen, 1, [("key", "value"), *conf_rows()])
    page(ws, 1)


def _rows(ws: Worksheet, pen: Pen, first: int, rows: Iterable[tuple[str, str]]) -> None:
    """A name and its text a row, each row as high as they need."""
    for row, words in enumerate(rows, first):
        for column, said in enumerate(words, 1):
            pen.text(ws, row, column, said, "lm wrapped")
        fit_row(ws, row, dict(enumerate(words, 1)))
