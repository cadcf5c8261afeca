"""A workbook file -> tables of raw cells. Reads anything a stranger may send, in bounded memory and time.

The XML is read here, in one pass over each wanted sheet and over nothing else: a reader made for editing workbooks has no
place for the cell of a NaN, drops rows that are out of order, warns of what it will not save, and parses all of the package.
"""

from __future__ import annotations

import datetime as dt
import math
import posixpath
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from lm_xl.xlsx.addresses import address_of, column_number
from lm_xl.xlsx.number_formats import shows_date
from lm_xl.xlsx.package import MOST_ELEMENTS, Damaged, Start

MOST_ROWS = 20_000
MOST_CHARACTERS = 32_767
"""What a cell of a spreadsheet holds at most."""


Value = float | bool | str | dt.datetime | None


@dataclass
class SheetCells:
    """What one pass over a sheet's XML finds: cells by row and column from 1, and what hides or joins them."""

    cells: dict[int, dict[int, tuple[Value, bool]]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[range] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    below: int = 0
    """The first row with data below the last that is read."""


class WorkbookFile:
    """One package: its sheets, its shared texts and which of its styles are dates."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self.package = package
        self.parts = set(package.namelist())
        main = [part for kind, part in self.relations("").values() if kind == "officeDocument"]
        if not main or not main[0].endswith(".xml"):
            raise Damaged("is a zip archive but not an .xlsx workbook: save it as .xlsx")
        related = self.relations(main[0])
        self.sheets: list[tuple[str, str, str]] = []
        """Name, state and part of each worksheet."""
        self.epoch = dt.datetime(1899, 12, 30)

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "sheet":
                kind, part = related[next((v for k, v in attributes.items() if k.endswith(" id")), "")]
                if kind == "worksheet":
                    self.sheets.append((attributes["name"], attributes.get("state", "visible"), part))
            elif name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
                self.epoch = dt.datetime(1904, 1, 1)

        self.parse(main[0], start)
        parts = {kind: part for kind, part in related.values() if kind in ("styles", "sharedStrings")}
        self.dates = self.date_styles(parts["styles"]) if "styles" in parts else set()
        self.texts = self.shared_texts(parts["sharedStrings"]) if "sharedStrings" in parts else []

    def parse(
        self,
        part: str,
        start: Start,
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Pass one part of the package to handlers. No tree is built, so that neither depth nor length takes memory."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        elements = 0

        def started(name: str, attributes: dict[str, str]) -> None:
            nonlocal elements
            elements += 1
            if elements > MOST_ELEMENTS:
                raise Damaged(f"has more than {MOST_ELEMENTS:,} XML elements in {part}: more than is read")
            start(name.rpartition(" ")[2], attributes)

        def declared(*_: object) -> None:
            raise Damaged(f"declares XML entities in {part}, which no workbook needs: it is not read")

        parser.StartElementHandler = started
        parser.StartDoctypeDeclHandler = declared
        if end is not None:
            parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
        if text is not None:
            parser.CharacterDataHandler = text
        if part not in self.parts:
            raise Damaged(f"lacks the part {part}: save it again from Excel")
        with self.package.open(part) as opened:
            while chunk := opened.read(1 << 16):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)

    def relations(self, of: str) -> dict[str, tuple[str, str]]:
        """The parts that a part refers to: id to the last word of the kind, and the part's name."""
        folder, name = posixpath.split(of)
        found: dict[str, tuple[str, str]] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"])).lstrip("/")
                found[attributes["Id"]] = attributes["Type"].rpartition("/")[2], target

        part = posixpath.join(folder, "_rels", f"{name}.rels")
        if part not in self.parts:
            raise Damaged("is a zip archive but not an .xlsx workbook: save it as .xlsx")
        self.parse(part, start)
        return found

    def shared_texts(self, part: str) -> list[str]:
        """The workbook's table of texts, without the phonetic hints of East Asian scripts."""
        texts: list[str] = []
        pieces = _Pieces()

        def start(name: str, _: dict[str, str]) -> None:
            if name == "si":
                pieces.begin()
            pieces.start(name)

        def end(name: str) -> None:
            pieces.end(name)
            if name == "si":
                texts.append(pieces.text)

        self.parse(part, start, end, pieces.add)
        return texts

    def date_styles(self, part: str) -> set[int]:
        """The cell styles whose number format shows a date or a time."""
        codes: dict[int, str] = {}
        formats: list[int] = []
        inside = False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal inside
            if name == "numFmt":
                codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
            elif name == "cellXfs":
                inside = True
            elif name == "xf" and inside:
                formats.append(int(attributes.get("numFmtId", "0")))

        def end(name: str) -> None:
            nonlocal inside
            inside &= name != "cellXfs"

        self.parse(part, start, end)
        return {i for i, number in enumerate(formats) if _is_date(number, codes.get(number, ""))}

    def read(self, part: str) -> SheetCells:
        """One pass over a sheet."""
        sheet = SheetCells()
        pieces = _Pieces()
        row = column = 0
        kind, style, formula, in_cell = "n", 0, False, False

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal row, column, kind, style, formula, in_cell
            if in_cell:
                formula |= name == "f"
                pieces.start(name)
            elif name == "c":
                reference = attributes.get("r", "")
                column = _place(reference, row) if reference else column + 1
                kind, style, formula, in_cell = (
                    attributes.get("t", "n"),
                    int(attributes.get("s", "0")),
                    False,
                    True,
                )
                pieces.begin()
            elif name == "row":
                row, column = int(attributes.get("r", row + 1)), 0
                if attributes.get("hidden") in ("1", "true"):
                    sheet.hidden_rows.add(row)
            elif name == "col" and (
                attributes.get("hidden") in ("1", "true") or attributes.get("width") == "0"
            ):
                sheet.hidden_columns.append(range(int(attributes["min"]), int(attributes["max"]) + 1))
            elif name == "mergeCell":
                sheet.merged.append(attributes["ref"])

        def end(name: str) -> None:
            nonlocal in_cell
            if not in_cell:
                return
            pieces.end(name)
            if name != "c":
                return
            in_cell = False
            text = pieces.text
            if not formula and not text:
                return
            if row > MOST_ROWS:
                sheet.below = sheet.below or row
                return
            unstored = formula and not text and kind != "str"
            if column in sheet.cells.setdefault(row, {}):
                raise Damaged(
                    f"has the cell {address_of(row, column)} twice in {part}: save it again from Excel"
                )
            sheet.cells[row][column] = None if unstored else self.value(text, kind, style), unstored

        self.parse(part, start, end, pieces.add)
        return sheet

    def value(self, text: str, kind: str, style: int) -> Value:
        """A cell's value from what its XML holds."""
        if kind == "s":
            if not 0 <= int(text) < len(self.texts):
                raise Damaged(
                    f"refers to the shared text {text}, which is not there: save it again from Excel"
                )
            return self.texts[int(text)]
        if kind == "b":
            return text in ("1", "true")
        if kind not in ("n", "d"):
            return text
        try:
            if kind == "d":
                return dt.datetime.fromisoformat(text).replace(tzinfo=None)
            number = float(text)
        except ValueError:
            return text
        if style in self.dates and math.isfinite(number):
            try:
                return self.epoch + dt.timedelta(days=number)
            except OverflowError:
                return f"{text} as a date"
        return number


class _Pieces:
    """The text of one cell: its value, or the runs of a rich text without phonetic hints."""

    def __init__(self) -> None:
        self.begin()
        self.taking = self.phonetic = False

    def begin(self) -> None:
        self.pieces: list[str] = []
        self.length = 0

    def start(self, name: str) -> None:
        self.phonetic |= name == "rPh"
        self.taking = name in ("v", "t") and not self.phonetic

    def end(self, name: str) -> None:
        self.phonetic &= name != "rPh"
        self.taking = False

    def add(self, text: str) -> None:
        if self.taking:
            self.length += len(text)
            if self.length > MOST_CHARACTERS:
                raise Damaged(
                    f"has a cell of more than {MOST_CHARACTERS:,} characters, which no spreadsheet writes"
                )
            self.pieces.append(text)

    @property
    def text(self) -> str:
        """What was taken; a spreadsheet writes control characters as _x000D_."""
        text = "".join(self.pieces)
        return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text) if "_x" in text else text


def _is_date(number: int, code: str) -> bool:
    """Whether a number format shows a date or a time: one of the built-in ones, or by its code."""
    if not code:
        return number in (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))
    return shows_date(code)


def _place(reference: str, row: int) -> int:
    """The column of a cell's address, which must be in the row it stands in."""
    match = re.fullmatch("([A-Z]{1,3})([0-9]{1,7})", reference)
    if not match or int(match[2]) != row:
        raise Damaged(f"has a cell {reference!r} in row {row}: save it again from Excel")
    return column_number(match[1])
