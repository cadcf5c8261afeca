"""Sheets of lines by years: the report's tables and the calculations."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, band, columns, columns_of_years, kind_of, page, start, widths
from lm_xl.workbook.pages.styles import RESULT_WIDTH, YEAR_WIDTH
from lm_xl.workbook.plan.layout import CONSTANT, HEADER_ROW
from lm_xl.workbook.plan.lines import Line, Plan
from lm_xl.workbook.plan.report import BY_PRODUCT, COMPANIES
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import column_letters

SHARE_WIDTH, NARROWEST = 9, 11
KEYS = (("region", 21), ("segment", 33), ("subtype", 23))
KEYS_OF_PRODUCTS = (("company", 30), ("segment", 33), ("product", 36))
"""Names and widths of the columns of a line's keys, which on the sheets of companies and products are others."""


def results_sheet(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """A sheet of results, in the basis and the currency chosen on the dashboard."""
    start(ws, "calculations", text("sheets", ws.title), text("pages", "reported"))
    _lines(ws, traced, pen)


def calculation_sheet(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """A sheet of stages of the model."""
    start(ws, "calculations", text("sheets", ws.title), text("pages", "calculated"))
    _lines(ws, traced, pen)


def _lines(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """The lines of a sheet."""
    years, lines = traced.years, lines_on(ws, traced)
    keys = KEYS_OF_PRODUCTS if ws.title in (COMPANIES, BY_PRODUCT) else KEYS
    labels = (("quantity", 24), *keys, ("unit", 24))
    named = [
        (
            name,
            _label_width([(line.quantity, *line.keys, line.unit)[i] for line in lines], width),
            "lm header",
        )
        for i, (name, width) in enumerate(labels)
    ]
    # constants are few and small in results, and may have as many digits as the years in calculations
    results = kind_of(ws) == "outputs"
    source = ("from", 18, "lm header")
    columns(ws, pen, [*named, source, ("value", 9 if results else 12, "lm year")], lines=2)
    columns_of_years(ws, pen, years, CONSTANT + 1, RESULT_WIDTH if results else YEAR_WIDTH)
    last = CONSTANT + len(years)
    # Shares of the total in the first and the last year stand after the years, where any line has them.
    if any(column > last for line in lines for column in line.columns):
        for year in (years[0], years[-1]):
            last += 1
            pen.write(ws, HEADER_ROW, last, f"share {year}", "lm year")
            widths(ws, [SHARE_WIDTH], last)
    for row, title in traced.sheets[ws.title].headings:
        band(ws, pen, row, title, last)
    for row, column, words, style in traced.sheets[ws.title].words:
        pen.text(ws, row, column, words, style)
    for line in lines:
        _labels(ws, line, pen)
        write_line(ws, pen, line)
    page(ws, HEADER_ROW, freeze=column_letters(CONSTANT + 1), labels=len(KEYS) + 1)


def _label_width(labels: Sequence[str], most: float) -> float:
    """The width of a column of labels: as much as the longest needs with its indent, within limits."""
    return min(most, max((NARROWEST, *(len(label) + 2 for label in labels))))


def _labels(ws: Worksheet, line: Line, pen: Pen) -> None:
    """What a line is; one that is neither keyed nor drawn from anywhere stands in a row that is labelled already."""
    if not any(line.keys) and not line.origin:
        return
    style = "lm label" if line.style == "lm calculation" else line.style
    for column, label in enumerate((line.quantity, *line.keys, line.unit, line.origin), 1):
        if label:
            pen.text(ws, line.row, column, label, style)
