"""What every page is written with: styled cells, the start of a sheet, headers, bands, tables, print set-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from openpyxl.styles import Alignment
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.version import __version__
from lm_xl.workbook.pages.styles import (
    FOOTER_MARGIN,
    LETTERS,
    LINE,
    PAGE_WIDTH,
    READABLE,
    SIDE_MARGIN,
    TAB,
    TABLE_STYLE,
    TEXT_SIZE,
    TITLE_HEIGHT,
    TOP_MARGIN,
    YEAR_WIDTH,
    ZOOM,
    number_format,
)
from lm_xl.workbook.plan.layout import HEADER_ROW
from lm_xl.xlsx.addresses import Area, address_of, column_letters

NOTHING = "ZZ1"
"""A cell beyond every table and chart."""


class Pen:
    """Writes styled cells quickly: the style of each name and format is looked up once."""

    def __init__(self) -> None:
        self.styles: dict[tuple[str, str], Any] = {}

    def write(
        self, ws: Worksheet, row: int, column: int, value: str | float | None, style: str, form: str = ""
    ) -> None:
        """A number, a formula or nothing. What has a number format stands right, even where it says n/a."""
        cell = ws.cell(row, column)
        if value is not None:
            cell.value = value
        self._dress(cell, style, form)

    def text(self, ws: Worksheet, row: int, column: int, value: str, style: str, form: str = "") -> None:
        """Words, whatever they begin with; with a number format they stand in for a number."""
        cell = ws.cell(row, column)
        cell.value = value
        cell.data_type = "s"
        self._dress(cell, style, form)

    def _dress(self, cell: Any, style: str, form: str) -> None:
        key = (style, form)
        if key not in self.styles:
            cell.style = style
            if form:
                cell.number_format = form
                if cell.alignment.horizontal is None:
                    cell.alignment = Alignment(horizontal="right", vertical=cell.alignment.vertical)
            self.styles[key] = cell._style
        else:
            cell._style = self.styles[key]


def start(ws: Worksheet, kind: str, *lines: str, title: str = "") -> None:
    """The start of a sheet of a class: the colour of its tab, its title, and up to two lines under it."""
    ws.sheet_properties.tabColor = TAB[kind]
    heading(ws, title or ws.title, *lines)


def kind_of(ws: Worksheet) -> str:
    """The class of a sheet, by the colour of its tab."""
    colour = ws.sheet_properties.tabColor
    # A colour has six digits after those of its opacity.
    return next((kind for kind, tab in TAB.items() if colour is not None and colour.rgb[-6:] == tab), "")


def heading(ws: Worksheet, title: str, *lines: str) -> None:
    """A sheet's title and up to two lines under it."""
    ws["A1"] = title.replace("_", " ")
    ws["A1"].style = "lm title"
    ws.row_dimensions[1].height = TITLE_HEIGHT
    for i, line in enumerate(lines, 2):
        ws.cell(i, 1, line).style = "lm text"
    ws.sheet_view.showGridLines = False
    ws.sheet_view.zoomScale = ZOOM


def other(ws: Worksheet, title: str) -> Worksheet:
    """Another sheet of the same workbook."""
    workbook: Any = ws.parent
    found: Worksheet = workbook[title]
    return found


def widths(ws: Worksheet, wide: Sequence[float], first: int = 1) -> None:
    """The widths of columns from the first on, in characters."""
    for i, width in enumerate(wide, first):
        ws.column_dimensions[column_letters(i)].width = width


def columns(
    ws: Worksheet,
    pen: Pen,
    named: Sequence[tuple[str, float, str]],
    row: int = HEADER_ROW,
    *,
    lines: int = 0,
) -> None:
    """A row of column names, each with its width and its style; as high as so many lines of text, where that is given."""
    for i, (name, _, style) in enumerate(named, 1):
        pen.text(ws, row, i, name, style)
    widths(ws, [width for _, width, _ in named])
    if lines:
        header_height(ws, row, lines)


def columns_of_years(
    ws: Worksheet, pen: Pen, years: Sequence[int], first: int, width: float = YEAR_WIDTH
) -> None:
    """Years as column names, from the column `first` on."""
    for i, year in enumerate(years, first):
        pen.write(ws, HEADER_ROW, i, year, "lm year", number_format("year"))
    widths(ws, [width] * len(years), first)


def header_height(ws: Worksheet, row: int, lines: int = 2) -> None:
    """Make a row of column names as high as so many lines of text."""
    ws.row_dimensions[row].height = lines * LINE + 3


def band(ws: Worksheet, pen: Pen, row: int, title: str, last: int) -> None:
    """A title on a band that runs to the column `last`."""
    pen.text(ws, row, 1, title, "lm band")
    for column in range(2, last + 1):
        pen.write(ws, row, column, None, "lm band")


def fit_row(ws: Worksheet, row: int, texts: Mapping[int, Any]) -> None:
    """Make a row as high as the longest of its texts, given by column, needs in the width of its column."""
    wide = {column: ws.column_dimensions[column_letters(column)].width for column in texts}
    lines = [lines_of(value, wide[column]) for column, value in texts.items()]
    ws.row_dimensions[row].height = LINE * max([1, *lines])


def lines_of(value: Any, width: float) -> int:
    """How many lines a text takes in a column, words kept whole. Widths count digits, and letters are narrower on average."""
    letters = max(1, int(width * LETTERS))
    return max(1, len(wrap(value, letters)) if isinstance(value, str) else 1)


def table(ws: Worksheet, name: str, header: int, last: int, width: int) -> None:
    """Make an area an Excel table."""
    area = Table(displayName=f"tbl_{name}", ref=f"A{header}:{column_letters(width)}{last}")
    area.tableStyleInfo = TableStyleInfo(name=TABLE_STYLE, showRowStripes=False)
    ws.add_table(area)


def titled_table(
    ws: Worksheet,
    pen: Pen,
    row: int,
    name: str,
    title: str,
    named: Sequence[tuple[str, str]],
    lines: Sequence[Sequence[Any]],
    total: Sequence[int] = (),
) -> int:
    """An Excel table of columns (name, unit) under a band with its title. Returns the first row of its lines.

    The columns must have their widths already. Lines whose position is in `total` are bold.
    """
    band(ws, pen, row, title, len(named))
    header, first = row + 1, row + 2
    for column, (column_name, unit) in enumerate(named, 1):
        pen.text(ws, header, column, column_name, "lm header" if unit == "text" else "lm year")
    header_height(ws, header)
    units = [unit for _, unit in named]
    for i, line in enumerate(lines):
        _table_line(ws, pen, first + i, units, line, strong=i in total)
    table(ws, name, header, header + len(lines), len(named))
    return first


def _table_line(
    ws: Worksheet, pen: Pen, row: int, units: Sequence[str], line: Sequence[Any], *, strong: bool
) -> None:
    """A line of a table, its row as high as its words need."""
    # A table may mix money and people: a line that names patients as its unit has their format in every column.
    own = "patients" if "patients" in line else ""
    for column, (unit, value) in enumerate(zip(units, line, strict=True), 1):
        words = unit == "text"
        style = (
            ("lm total words" if words else "lm total")
            if strong
            else "lm wrapped"
            if words
            else "lm calculation"
        )
        form = "" if words else number_format(own or unit)
        write = pen.text if isinstance(value, str) else pen.write
        write(ws, row, column, value, style, form)
    fit_row(ws, row, {c: value for c, value in enumerate(line, 1) if isinstance(value, str)})


def page(
    ws: Worksheet,
    header: int,
    *,
    single: bool = False,
    freeze: str = "",
    labels: int = 0,
    bands: Sequence[Area] = (),
    repeats: int = 0,
) -> None:
    """Print set-up: A4 landscape, one page wide (or a single page), the header repeated, a footer with version and page.

    With `freeze` the rows down to the header and the columns before that one stay in sight. Where a sheet is so wide that its
    text would be too small to read, and its first `labels` columns are given, it is printed part by part with these repeated.
    With `bands` these areas alone are printed, each from a new page on; `repeats` is a row that is repeated in the header's place.
    """
    if freeze:
        ws.freeze_panes = f"{freeze}{header + 1}"
    ws.page_setup.orientation = "landscape"
    ws.page_setup.paperSize = int(ws.PAPERSIZE_A4)
    ws.page_setup.fitToWidth, ws.page_setup.fitToHeight = 1, int(single)
    ws.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    repeated = repeats or header
    ws.print_title_rows = f"{repeated}:{repeated}"
    footer = ws.oddFooter
    assert footer is not None
    footer.left.text, footer.center.text, footer.right.text = "&A", f"lm_xl {__version__}", "Page &P of &N"
    ws.page_margins.left = ws.page_margins.right = SIDE_MARGIN
    ws.page_margins.top = ws.page_margins.bottom = TOP_MARGIN
    ws.page_margins.header = ws.page_margins.footer = FOOTER_MARGIN
    if labels:
        last = ws.max_row
        wide = [ws.column_dimensions[column_letters(c)].width for c in range(1, ws.max_column + 1)]
        parts = parts_of(wide, labels, PAGE_WIDTH * TEXT_SIZE / READABLE)
        if len(parts) > 1:
            ws.print_title_cols = f"A:{column_letters(labels)}"
            bands = [Area(1, first, last, end) for first, end in parts]
    if bands:
        ws.print_area = [f"{address_of(b.top, b.left)}:{address_of(b.bottom, b.right)}" for b in bands]


def parted(breaks: Sequence[int], rows: int, columns: int) -> list[Area]:
    """The areas of a sheet that begin at its first row and at these, each for a page of its own; none where there is no break.

    A manual page break would be ignored where a sheet is fitted to a page's width.
    """
    tops = [1, *breaks]
    ends = [*(row - 1 for row in breaks), rows]
    return [Area(top, 1, end, columns) for top, end in zip(tops, ends, strict=True)] if breaks else []


def parts_of(wide: Sequence[float], labels: int, room: float) -> list[tuple[int, int]]:
    """The first and the last column of each part of a sheet that has room on a page, the first columns repeated on every one."""
    repeated = sum(wide[:labels])
    parts, first, taken = [], 1, 0.0
    for column, width in enumerate(wide, 1):
        if column > max(first, labels + 1) and taken + width > room:
            parts.append((first, column - 1))
            first, taken = column, repeated
        taken += width
    return [*parts, (first, len(wide))]


def unprinted(ws: Worksheet) -> None:
    """Leave a sheet out of a print of the whole workbook: what is printed of it is a blank cell, and a blank page is left out."""
    ws.print_area, ws.print_title_cols = NOTHING, None  # a column that is repeated would be printed
