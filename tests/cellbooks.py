"""Workbooks as plain cells: taken from a file by openpyxl, changed a cell at a time, and written again with little more than them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

import openpyxl
from openpyxl.utils.cell import get_column_letter, range_boundaries

FORMATS = ("General", "0.0%", "yyyy\\-mm\\-dd", '0.0" days"', "[Red]0.00", "hh:mm", "[h]:mm")
"""The number formats of cells, by style."""
DATES = (2, 5, 6)
"""The styles that show a date or a time."""


class Cell(NamedTuple):
    """A cell as its XML has it: n number, s text, b truth value, e error, d date; the text of its value; a formula or None; its style."""

    kind: str
    text: str
    formula: str | None = None
    style: int = 0

    @property
    def blank(self) -> bool:
        return self.formula is None and not self.text.strip()


Place = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Sheet:
    """The cells of a sheet by row and column, the area of its table, and what is hidden of it."""

    title: str
    cells: Mapping[Place, Cell]
    table: tuple[int, int, int, int] | None = None
    hidden_rows: tuple[int, ...] = ()
    state: str = "visible"

    @property
    def top(self) -> int:
        """The row of the header."""
        return self.table[0] if self.table else 1

    @cached_property
    def xml(self) -> bytes:
        rows: dict[int, list[tuple[int, Cell]]] = {row: [] for row in self.hidden_rows}
        for (row, column), cell in self.cells.items():
            rows.setdefault(row, []).append((column, cell))
        parts = ['<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
                 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheetData>']  # fmt: skip
        for row in sorted(rows):
            hidden = ' hidden="1"' if row in self.hidden_rows else ""
            parts.append(f'<row r="{row}"{hidden}>')
            parts += [_cell_xml(f"{get_column_letter(c)}{row}", cell) for c, cell in sorted(rows[row])]
            parts.append("</row>")
        parts.append("</sheetData>")
        if self.table:
            parts.append('<tableParts count="1"><tablePart r:id="rId1"/></tableParts>')
        return "".join([*parts, "</worksheet>"]).encode()


def _cell_xml(address: str, cell: Cell) -> str:
    style = f' s="{cell.style}"' if cell.style else ""
    formula = "" if cell.formula is None else f"<f>{escape(cell.formula)}</f>"
    if cell.kind == "s" and cell.formula is None:
        return f'<c r="{address}"{style} t="inlineStr"><is><t xml:space="preserve">{escape(cell.text)}</t></is></c>'
    kind = {"n": "", "s": ' t="str"'}.get(cell.kind, f' t="{cell.kind}"')
    value = f"<v>{escape(cell.text)}</v>" if cell.text else ""
    return f'<c r="{address}"{style}{kind}>{formula}{value}</c>'


@dataclass(frozen=True, eq=False)
class Book:
    """Sheets in their order, and what the workbook says of its calculation."""

    sheets: tuple[Sheet, ...]
    calculation: Mapping[str, str] = field(default_factory=dict)

    def sheet(self, title: str) -> Sheet:
        return next(s for s in self.sheets if s.title == title)

    def having(self, title: str, sheet: Sheet) -> Book:
        """The same book with another sheet in a sheet's place."""
        return replace(self, sheets=tuple(sheet if s.title == title else s for s in self.sheets))


def book_of(path: Path) -> Book:
    """The cells of a workbook that holds no formulas, as openpyxl reads them."""
    sheets = []
    for ws in openpyxl.load_workbook(path).worksheets:
        cells = {}
        for row in ws.iter_rows():
            for cell in row:
                if cell.value is not None:
                    assert cell.data_type in "ns", cell
                    text = cell.value if cell.data_type == "s" else repr(cell.value)
                    cells[cell.row, cell.column] = Cell(cell.data_type, text)
        areas = [range_boundaries(table.ref) for table in ws.tables.values()]
        table = next(((top, left, bottom, right) for left, top, right, bottom in areas), None)
        sheets.append(Sheet(ws.title, cells, table))
    return Book(tuple(sheets))


_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _relations(*targets: tuple[str, str]) -> str:
    rows = (
        f'<Relationship Id="rId{i}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(targets, 1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{"".join(rows)}</Relationships>'


def _styles() -> str:
    formats = "".join(
        f'<numFmt numFmtId="{200 + i}" formatCode={quoteattr(code)}/>' for i, code in enumerate(FORMATS)
    )
    shown = "".join(
        f'<xf numFmtId="{200 + i if i else 0}" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"/>'
        for i in range(len(FORMATS))
    )
    return (
        f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="{len(FORMATS)}">{formats}</numFmts><fonts count="1"><font/></fonts>'
        f'<fills count="1"><fill/></fills><borders count="1"><border/></borders><cellXfs count="{len(FORMATS)}">{shown}</cellXfs></styleSheet>'
    )


def _table_xml(sheet: Sheet, number: int) -> str:
    assert sheet.table
    top, left, bottom, right = sheet.table
    area = f"{get_column_letter(left)}{top}:{get_column_letter(right)}{bottom}"
    names = [sheet.cells.get((top, c), Cell("s", f"Column{c}")).text for c in range(left, right + 1)]
    columns = "".join(
        f"<tableColumn id={quoteattr(str(i))} name={quoteattr(n)}/>" for i, n in enumerate(names, 1)
    )
    return (
        f'{_HEAD}<table xmlns="{_MAIN}" id="{number}" name="T{number}" displayName="T{number}" ref="{area}">'
        f'<tableColumns count="{len(names)}">{columns}</tableColumns></table>'
    )


def write(book: Book, path: Path) -> Path:
    """Write a book as an .xlsx file, uncompressed."""
    numbered = list(enumerate(book.sheets, 1))
    entries = "".join(
        f'<sheet name={quoteattr(s.title)} sheetId="{i}" state="{s.state}" r:id="rId{i}"/>'
        for i, s in numbered
    )
    settings = "".join(f' {key}="{value}"' for key, value in book.calculation.items())
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        + (
            f'<Override PartName="/xl/tables/table{i}.xml" ContentType="{_TYPE}.table+xml"/>'
            if s.table
            else ""
        )
        for i, s in numbered
    )
    sheets = [("worksheet", f"worksheets/sheet{i}.xml") for i, _ in numbered]
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_TYPE}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{types}</Types>',
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{entries}</sheets><calcPr{settings}/></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(*sheets, ("styles", "styles.xml")),
        "xl/styles.xml": _styles(),
    }
    for i, sheet in numbered:
        parts[f"xl/worksheets/sheet{i}.xml"] = sheet.xml
        if sheet.table:
            parts[f"xl/worksheets/_rels/sheet{i}.xml.rels"] = _relations(("table", f"../tables/table{i}.xml"))
            parts[f"xl/tables/table{i}.xml"] = _table_xml(sheet, i)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path
