"""What every page is written with: styled cells, a heading, a row of column names, tables, print set-up."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from openpyxl.styles import Alignment
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.version import __version__
from lm_xl.workbook.plan.layout import HEADER_ROW
from lm_xl.xlsx.addresses import column_letters

LINE = 12.5
"""Height of a line of text; neither engine fits rows to wrapped text by itself."""


class Pen:
    """Writes styled cells quickly: the style of each name and format is looked up once."""

    def __init__(self) -> None:
        self.styles: dict[tuple[str, str], Any] = {}

    def write(
        self, ws: Worksheet, row: int, column: int, value: str | float | None, style: str, form: str = ""
    ) -> None:
        """A number, a formula or nothing. What has a number format stands right, even where it says n/a."""
        cell = ws.cell(row, column, value)
        key = (style, form)
        if key not in self.styles:
            cell.style = style
            if form:
                cell.number_format = form
                if cell.alignment.horizontal is None:
                    cell.alignment = Alignment(horizontal="right", vertical=cell.alignment.vertical)
            self.styles[key] = cell._style  # type: ignore[attr-defined]
        else:
            cell._style = self.styles[key]  # type: ignore[attr-defined]

    def text(self, ws: Worksheet, row: int, column: int, value: str, style: str, form: str = "") -> None:
        """Words, whatever they begin with; with a number format they stand in for a number."""
        self.write(ws, row, column, None, style, form)
        cell = ws.cell(row, column)
        cell.value = value
        cell.data_type = "s"


def columns(ws: Worksheet, pen: Pen, named: Sequence[tuple[str, float, str]], row: int = HEADER_ROW) -> None:
    """A row of column names, each with its width and its style."""
    for i, (name, width, style) in enumerate(named, 1):
        pen.text(ws, row, i, name, style)
        ws.column_dimensions[column_letters(i)].width = width


def heading(ws: Worksheet, title: str, *lines: str) -> None:
    """A sheet's title and up to two lines under it."""
    ws["A1"] = title.replace("_", " ")
    ws["A1"].style = "lm title"
    ws.row_dimensions[1].height = 24
    for i, line in enumerate(lines, 2):
        ws.cell(i, 1, line).style = "lm text"
    ws.sheet_view.showGridLines = False
    ws.sheet_view.zoomScale = 90


def table(ws: Worksheet, name: str, header: int, last: int, width: int) -> None:
    """Make an area an Excel table."""
    area = Table(displayName=f"tbl_{name}", ref=f"A{header}:{column_letters(width)}{last}")
    area.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    ws.add_table(area)


def page(ws: Worksheet, header: int, *, single: bool = False) -> None:
    """Print set-up: landscape, one page wide (or a single page), the header repeated, a footer with version and page."""
    ws.page_setup.orientation = "landscape"
    ws.page_setup.paperSize = int(ws.PAPERSIZE_A3)
    ws.page_setup.fitToWidth, ws.page_setup.fitToHeight = 1, int(single)
    ws.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    ws.print_title_rows = f"{header}:{header}"
    footer = ws.oddFooter
    assert footer is not None
    footer.left.text, footer.center.text, footer.right.text = "&A", f"lm_xl {__version__}", "Page &P of &N"
    ws.page_margins.left = ws.page_margins.right = 0.4
    ws.page_margins.top = ws.page_margins.bottom = 0.6


def lines_of(value: Any, width: float) -> int:
    """How many lines a text takes in a column, words kept whole."""
    return max(1, len(wrap(value, max(1, int(width)))) if isinstance(value, str) else 1)
