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
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from lm_xl.faults import Fault, Refused
from lm_xl.model.axes import RENAMED, folded, nearest

MOST_BYTES = 50_000_000
MOST_UNPACKED = 500_000_000
MOST_PARTS = 2_000
MOST_ELEMENTS = 5_000_000
"""XML elements of one part; a sheet of 600 rows has about 50,000."""
MOST_ROWS = 20_000
MOST_CHARACTERS = 32_767
"""What a cell of a spreadsheet holds at most."""
HEADER_WITHIN = 20
"""The header of a table stands within this many rows of the top."""

UNSTORED = "a formula with no stored value: open the workbook in Excel, let it calculate, and save it"

Value = float | bool | str | dt.datetime | None


class RawCell(NamedTuple):
    """A cell as read: its address, its value, and whether a formula without a stored value stands in it.

    `absent` marks the cell of a column that is not there, which has its own fault and is no fault again in every row.
    """

    sheet: str
    address: str
    value: Value
    unstored: bool = False
    absent: bool = False

    @property
    def blank(self) -> bool:
        return not self.unstored and (
            self.value is None or (isinstance(self.value, str) and not self.value.strip())
        )

    @property
    def shown(self) -> str:
        """The value as a message quotes it."""
        if isinstance(self.value, bool):
            return str(self.value).upper()
        if isinstance(self.value, float):
            return f"{self.value:.15g}"
        if isinstance(self.value, dt.datetime):
            return (
                f"the date {self.value:%Y-%m-%d}"
                if self.value.time() == dt.time()
                else f"the date {self.value:%Y-%m-%d %H:%M}"
            )
        return repr(self.value)


@dataclass(frozen=True)
class Table:
    """The rows under a sheet's header. Each row maps a column's name (years as text) to its cell."""

    sheet: str
    header: Mapping[str, RawCell]
    """Column name to the cell it stands in."""
    rows: tuple[Mapping[str, RawCell], ...]


@dataclass
class _Sheet:
    """What one pass over a sheet's XML finds: cells by row and column from 1, and what hides or joins them."""

    cells: dict[int, dict[int, tuple[Value, bool]]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[range] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    below: int = 0
    """The first row with data below the last that is read."""


class _Damaged(Exception):
    """What is wrong with a package, in plain words."""


def read_tables(path: Path, wanted: Mapping[str, Collection[str]], faults: list[Fault]) -> dict[str, Table]:
    """Read the wanted sheets; `wanted` maps a sheet's name to the columns it must have. Adds faults; raises Refused where nothing can be read."""
    inspect_package(path)
    try:
        with zipfile.ZipFile(path) as package:
            return _Workbook(package, path.name).tables(wanted, faults)
    except _Damaged as damage:
        message = str(damage)
    except expat.ExpatError as error:
        message = f"holds broken XML ({error}): save it again from Excel"
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        LookupError,
        ValueError,
    ) as error:
        message = f"is damaged ({error}): save it again from Excel"
    raise Refused([Fault(path.name, "", "", message)])


def inspect_package(path: Path) -> None:
    """Refuse what is no workbook, is encrypted, or would unpack to more than a workbook does."""

    def refuse(message: str) -> Refused:
        return Refused([Fault(path.name, "", "", message)])

    try:
        if not path.exists():
            raise refuse(f"there is no such file in {path.parent.name or '.'}")
        if not path.is_file():
            raise refuse("is a folder or a device, not a file: give the path of an .xlsx workbook")
        with path.open("rb") as file:
            start = file.read(8)
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise refuse(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    if not start:
        raise refuse("is empty: save it again from Excel")
    if start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise refuse("is encrypted or in the old .xls format: save it as .xlsx without a password")
    if not start.startswith(b"PK"):
        raise refuse("is not an .xlsx workbook: save it as .xlsx")
    if size > MOST_BYTES:
        raise refuse(f"has {size:,} bytes; at most {MOST_BYTES:,} are read")
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise refuse(f"is damaged ({error}): save it again from Excel") from None
    unpacked = sum(p.file_size for p in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
        raise refuse(
            f"unpacks to {len(parts):,} parts and {unpacked:,} bytes; at most {MOST_PARTS:,} and {MOST_UNPACKED:,} are read"
        )
    if any(part.flag_bits & 1 for part in parts):
        raise refuse("is encrypted: save it as .xlsx without a password")


Start = Callable[[str, dict[str, str]], None]
"""Told the name of an element, without its namespace, and its attributes."""


class _Workbook:
    """One package: its sheets, its shared texts and which of its styles are dates."""

    def __init__(self, package: zipfile.ZipFile, file: str) -> None:
        self.package = package
        self.file = file
        self.parts = set(package.namelist())
        main = [part for kind, part in self.relations("").values() if kind == "officeDocument"]
        if not main or not main[0].endswith(".xml"):
            raise _Damaged("is a zip archive but not an .xlsx workbook: save it as .xlsx")
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
                raise _Damaged(f"has more than {MOST_ELEMENTS:,} XML elements in {part}: more than is read")
            start(name.rpartition(" ")[2], attributes)

        def declared(*_: object) -> None:
            raise _Damaged(f"declares XML entities in {part}, which no workbook needs: it is not read")

        parser.StartElementHandler = started
        parser.StartDoctypeDeclHandler = declared
        if end is not None:
            parser.EndElementHandler = lambda name: end(name.rpartition(" ")[2])
        if text is not None:
            parser.CharacterDataHandler = text
        if part not in self.parts:
            raise _Damaged(f"lacks the part {part}: save it again from Excel")
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
            raise _Damaged("is a zip archive but not an .xlsx workbook: save it as .xlsx")
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

    def read(self, part: str) -> _Sheet:
        """One pass over a sheet."""
        sheet = _Sheet()
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
                raise _Damaged(
                    f"has the cell {_address(column, row)} twice in {part}: save it again from Excel"
                )
            sheet.cells[row][column] = None if unstored else self.value(text, kind, style), unstored

        self.parse(part, start, end, pieces.add)
        return sheet

    def value(self, text: str, kind: str, style: int) -> Value:
        """A cell's value from what its XML holds."""
        if kind == "s":
            if not 0 <= int(text) < len(self.texts):
                raise _Damaged(
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

    def tables(self, wanted: Mapping[str, Collection[str]], faults: list[Fault]) -> dict[str, Table]:
        """The wanted sheets as tables, and the faults of those that are missing, hidden or without a header."""
        tables = {}
        for name, columns in wanted.items():
            found = [s for s in self.sheets if folded(s[0]) == folded(name)]
            if not found:
                others = [s[0] for s in self.sheets if folded(s[0]) not in {folded(w) for w in wanted}]
                faults.append(
                    Fault(self.file, name, "", f"the sheet {name!r} is missing{_close(name, others)}")
                )
                continue
            if len(found) > 1:
                faults.append(
                    Fault(
                        self.file,
                        name,
                        "",
                        f"{len(found)} sheets are called {name!r}: delete or rename all but one",
                    )
                )
                continue
            title, state, part = found[0]
            if state != "visible":
                faults.append(Fault(self.file, title, "", "the sheet is hidden: unhide it"))
            table = _table(self.file, title, self.read(part), columns, faults)
            if table is not None:
                tables[name] = table
        return tables


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
                raise _Damaged(
                    f"has a cell of more than {MOST_CHARACTERS:,} characters, which no spreadsheet writes"
                )
            self.pieces.append(text)

    @property
    def text(self) -> str:
        """What was taken; a spreadsheet writes control characters as _x000D_."""
        text = "".join(self.pieces)
        return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text) if "_x" in text else text


def _is_date(number: int, code: str) -> bool:
    """Whether a number format shows a date or a time: one of the built-in ones, or a code with a letter of dates outside quotes."""
    if not code:
        return number in (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))
    bare = re.sub(r'"[^"]*"|\\.|_.|\[(?!(?:hh?|mm?|ss?)\])[^\]]*\]', "", code.split(";")[0])
    return bare.casefold() != "general" and bool(re.search("[dmyhs]", bare.casefold()))


def _place(reference: str, row: int) -> int:
    """The column of a cell's address, which must be in the row it stands in."""
    match = re.fullmatch("([A-Z]{1,3})([0-9]{1,7})", reference)
    if not match or int(match[2]) != row:
        raise _Damaged(f"has a cell {reference!r} in row {row}: save it again from Excel")
    return column_number(match[1])


def column_number(letters: str) -> int:
    """A column's number from its letters: A is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _address(column: int, row: int) -> str:
    return f"{_letters(column)}{row}"


@cache
def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _close(name: str, others: Collection[str]) -> str:
    """The nearest of some names, or "" where none is near."""
    hint = nearest(name, list(others))
    return f": {hint}" if hint.startswith("nearest") else ""


def _table(
    file: str, title: str, sheet: _Sheet, columns: Collection[str], faults: list[Fault]
) -> Table | None:
    """A sheet's table, or None and a fault where there is none. Columns that nobody asked for do no harm, whatever they hold."""

    def raw(column: int, row: int) -> RawCell:
        value, unstored = sheet.cells.get(row, {}).get(column, (None, False))
        return RawCell(title, _address(column, row), value, unstored)

    def fault(cell: str, message: str) -> None:
        faults.append(Fault(file, title, cell, message))

    if sheet.below:
        fault(
            f"A{sheet.below}",
            f"data in row {sheet.below:,}; at most {MOST_ROWS:,} rows are read: delete what is not needed",
        )
        return None
    named = {
        row: [(_name(value), column) for column, (value, _) in sorted(cells.items())]
        for row, cells in sorted(sheet.cells.items())
        if row <= HEADER_WITHIN
    }
    top = next(
        (row for row, names in named.items() if len({n for n, _ in names} & set(columns)) * 2 > len(columns)),
        0,
    )
    if not top:
        fault(
            "",
            f"no header row within the first {HEADER_WITHIN} rows; it needs the columns {', '.join(columns)}",
        )
        return None
    header: dict[str, int] = {}
    for name, column in named[top]:
        used = name in columns or is_year(name)
        if used and name in header:
            fault(_address(column, top), f"the column {name!r} is there twice")
        elif name and used:
            header[name] = column
    others = {name: column for name, column in named[top] if name and name not in header}
    for name in columns:
        if name not in header:
            old = next((o for o in others if RENAMED.get(o) == name), "")
            if old:
                fault(_address(others[old], top), f"the column {old!r} is called {name!r} now: rename it")
            else:
                fault(f"A{top}", f"the column {name!r} is missing{_close(name, others)}")
    for column in sorted(header.values()):
        if any(column in span for span in sheet.hidden_columns):
            fault(_address(column, top), "the column is hidden: show it")
    for area in sheet.merged:
        joined = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d+):\$?([A-Z]{1,3})\$?(\d+)", area)
        if (
            joined
            and int(joined[4]) >= top
            and any(column_number(joined[1]) <= c <= column_number(joined[3]) for c in header.values())
        ):
            fault(area, "merged cells: unmerge them, each row needs its own values")
    rows = []
    for number in sorted(n for n in sheet.cells if n > top):
        row = {name: raw(column, number) for name, column in header.items()}
        if all(c.blank for c in row.values()):
            continue
        if number in sheet.hidden_rows:
            fault(f"A{number}", "the row is hidden, perhaps by a filter: show it or delete it")
        rows.append(row)
    return Table(title, {name: raw(column, top) for name, column in header.items()}, tuple(rows))


def table_of(
    file: str, title: str, grid: Sequence[Sequence[Value]], columns: Collection[str], faults: list[Fault]
) -> Table | None:
    """A range of values as a table; addresses count from the range's own first cell. Adds faults; None where it has no header."""
    sheet = _Sheet()
    for row, values in enumerate(grid, 1):
        sheet.cells[row] = {
            column: (value, False) for column, value in enumerate(values, 1) if value is not None
        }
    return _table(file, title, sheet, columns, faults)


def is_year(name: str) -> bool:
    """Whether a column's name is a year."""
    return len(name) == 4 and name.isascii() and name.isdigit()


def _name(value: Value) -> str:
    if isinstance(value, float) and value.is_integer():
        value = str(int(value))
    return folded(value) if isinstance(value, str) else ""


def in_order(faults: list[Fault], sheets: Collection[str]) -> list[Fault]:
    """Faults in the order of the workbook; what is wrong in the same way in several cells of a sheet is one fault that lists them."""
    order = {folded(s): i for i, s in enumerate(("", *sheets))}
    cells: dict[tuple[str, str, str], list[str]] = {}
    for fault in dict.fromkeys(faults):
        cells.setdefault((fault.file, fault.sheet, fault.message), []).append(fault.cell)
    found = []
    for (file, sheet, message), places in cells.items():
        areas = _areas(places)
        if len(places) > 1:
            message += (
                f" (in {', '.join(areas[:8])}{f' and {len(areas) - 8} more' if len(areas) > 8 else ''})"
            )
        found.append(Fault(file, sheet, min(places, key=_position), message))
    return sorted(found, key=lambda f: (order.get(folded(f.sheet), len(order)), _position(f.cell), f.message))


def _position(cell: str) -> tuple[int, int]:
    match = re.match(r"([A-Z]{1,3})(\d+)", cell)
    return (int(match[2]), column_number(match[1])) if match else (0, 0)


def _areas(cells: list[str]) -> list[str]:
    """Cells with those below one another joined: A6, A7, A8 is A6:A8."""
    ordered = sorted(cells, key=lambda c: (_position(c)[1], _position(c)[0]))
    breaks = [
        i
        for i, (a, b) in enumerate(pairwise(ordered), 1)
        if _position(b) != (_position(a)[0] + 1, _position(a)[1]) or ":" in a + b
    ]
    runs = [ordered[i:j] for i, j in pairwise([0, *breaks, len(ordered)])]
    return [run[0] if len(run) == 1 else f"{run[0]}:{run[-1]}" for run in runs]


def number(cell: RawCell, file: str, faults: list[Fault]) -> float | None:
    """The number in a cell, or None and one fault that says what stands there instead."""
    value = cell.value
    if cell.absent:
        return None
    if cell.unstored:
        message = UNSTORED
    elif cell.blank:
        message = "blank where a number is due"
    elif isinstance(value, bool):
        message = f"{cell.shown} is not a number"
    elif isinstance(value, dt.datetime):
        message = f"{cell.shown} where a number is due: set the cell's format to General and type the number again (a year as 2030)"
    elif isinstance(value, str):
        message = _text_as_number(value.strip())
    elif value is None or not math.isfinite(value):
        message = f"{value} is not a finite number"
    else:
        return value
    faults.append(Fault(file, cell.sheet, cell.address, message))
    return None


def _text_as_number(text: str) -> str:
    if text.startswith("#"):
        return f"the error value {text}: repair the formula behind it"

    def is_number(candidate: str) -> bool:
        try:
            return math.isfinite(float(candidate))
        except ValueError:
            return False

    if is_number(text):
        return f"the text {text!r} looks like a number: type it again as a number"
    if text.endswith("%") and is_number(text[:-1].strip().replace(",", ".")):
        return f"the text {text!r} is not a number: type {float(text[:-1].strip().replace(',', '.')) / 100:g}"
    if "," in text and is_number(text.replace(".", "").replace(",", ".")):
        return f"the text {text!r} has a decimal comma or thousands separators: type it again as a number"
    return f"the text {text!r} where a number is due"
