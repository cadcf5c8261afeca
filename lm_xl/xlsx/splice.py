"""Values and blank cells spliced into the bytes of a sheet, whoever wrote it: every other byte stays as it is."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence

from lm_xl.faults import CallError
from lm_xl.xlsx.addresses import address_of, column_letters, place_of
from lm_xl.xlsx.package import parser_of

MOST_DIGITS = 15
"""Significant digits that a spreadsheet keeps."""

StoredValue = float | str | bool | CallError | None
"""What is stored in a cell; None is a cell without a value."""

Rewrite = Callable[[str, bytes], bytes]
"""Makes the XML of a formula of the address of its cell and its XML so far."""

Edit = tuple[int, int, bytes]
"""First byte and end of what is replaced, and by what."""

_TAG = re.compile(rb"""<([^\s/>:]+:)?[^\s/>]+[^>"']*(?:(?:"[^"]*"|'[^']*')[^>"']*)*>""")
"""A tag that starts or is an element; its prefix is the group."""
_TYPE = re.compile(rb"""\s+t\s*=\s*(?:"[^"]*"|'[^']*')""")
"""The attribute of a cell that tells what its value is."""


def full_digits(value: float) -> str:
    """A number with the digits that a spreadsheet keeps; a residue near zero stays what it is."""
    return f"{value:.{MOST_DIGITS}g}"


def with_values(
    sheet: bytes,
    values: Mapping[str, StoredValue],
    rewrite: Rewrite | None = None,
    number: Callable[[float], str] = full_digits,
) -> bytes:
    """A sheet with other stored values, by address; cells that are not there yet are added.

    With `rewrite` every formula is rewritten as well. Raises KeyError for one without a value then.
    """
    sheet = _in_utf8(sheet)
    scan = _ValueEdits(sheet, values, rewrite, number)
    absent = [address for address in values.keys() - scan.found if values[address] is not None]
    if absent:
        return with_values(_with_cells(sheet, absent), values, rewrite, number)
    return _edited(sheet, scan.edits)


class _ValueEdits:
    """One pass over a sheet that notes what has to change for other values to stand in its cells."""

    def __init__(
        self,
        sheet: bytes,
        values: Mapping[str, StoredValue],
        rewrite: Rewrite | None,
        number: Callable[[float], str],
    ) -> None:
        self.sheet, self.values, self.rewrite, self.number = sheet, values, rewrite, number
        self.edits: list[Edit] = []
        self.found: set[str] = set()
        self.cursor = _Cursor()
        self.depth = self.first = 0
        """How deep inside a cell the pass stands, and the cell's first byte."""
        self.children: list[tuple[str, int, int]] = []
        """Name, first byte and end of what is in the cell."""
        self.parser = parser_of("the sheet", self.start, self.end, most=sys.maxsize)
        self.parser.Parse(sheet, True)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth:
            self.depth += 1
            if self.depth == 2:
                self.child = self.parser.CurrentByteIndex
        elif name == "c":
            self.cursor.to_cell(attributes)
            self.depth, self.first, self.children = 1, self.parser.CurrentByteIndex, []
        elif name == "row":
            self.cursor.to_row(attributes)

    def end(self, name: str) -> None:
        if not self.depth:
            return
        self.depth -= 1
        if self.depth == 1:
            end = _end(self.sheet, self.child, self.parser.CurrentByteIndex)
            self.children.append((name, self.child, end))
        elif not self.depth:
            self.end_cell(self.parser.CurrentByteIndex)

    def end_cell(self, inner_end: int) -> None:
        """Note the new bytes of a cell, whose content ends there."""
        address = self.cursor.address
        rewritten = self.rewrite is not None and any(name == "f" for name, *_ in self.children)
        if address not in self.values and not rewritten:
            return
        self.found.add(address)
        kind, text = _as_text(self.values[address], self.number)
        tag, prefix = _tag(self.sheet, self.first)
        at = self.first + len(tag)
        head, rest = b"", b""
        for name, start, end in self.children:
            if name == "f":
                formula = self.sheet[start:end]
                head += self.sheet[at:start] + (self.rewrite(address, formula) if self.rewrite else formula)
                at = end
            elif name in ("v", "is"):
                rest += self.sheet[at:start]
                at = end
        rest += self.sheet[at:inner_end]
        opening = _TYPE.sub(b"", tag.rstrip(b"/>").rstrip()) + (b' t="%s"' % kind if kind else b"")
        value = b"" if text is None else b"<%bv>%b</%bv>" % (prefix, text, prefix)
        end = _end(self.sheet, self.first, inner_end)
        self.edits.append((self.first, end, b"%b>%b%b%b</%bc>" % (opening, head, value, rest, prefix)))


def _with_cells(sheet: bytes, addresses: Iterable[str]) -> bytes:
    """A sheet with blank cells at addresses that have none, and rows for them."""
    columns: dict[int, list[int]] = {}
    for row, column in sorted(map(place_of, addresses)):
        columns.setdefault(row, []).append(column)
    edits: list[Edit] = []
    rows: list[tuple[int, int]] = []
    cells: list[tuple[int, int]] = []
    cursor = _Cursor()
    data, prefix = 0, b""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal data, prefix, cells
        if name == "sheetData":
            data = parser.CurrentByteIndex
            _, prefix = _tag(sheet, data)
        elif name == "row":
            cursor.to_row(attributes)
            rows.append((cursor.row, parser.CurrentByteIndex))
            cells = []
        elif name == "c":
            cursor.to_cell(attributes)
            cells.append((place_of(cursor.address)[1], parser.CurrentByteIndex))

    def end(name: str) -> None:
        inner_end = parser.CurrentByteIndex
        if name == "row" and cursor.row in columns:
            new = _blank_cells(cursor.row, columns.pop(cursor.row), prefix)
            edits.extend(_insertions(sheet, rows[-1][1], inner_end, cells, new))
        elif name == "sheetData":
            new = {
                row: b'<%brow r="%d">%b</%brow>'
                % (prefix, row, b"".join(_blank_cells(row, found, prefix).values()), prefix)
                for row, found in columns.items()
            }
            edits.extend(_insertions(sheet, data, inner_end, rows, new))

    parser = parser_of("the sheet", start, end, most=sys.maxsize)
    parser.Parse(sheet, True)
    return _edited(sheet, sorted(edits, key=lambda edit: edit[:2]))


def _blank_cells(row: int, columns: Iterable[int], prefix: bytes) -> dict[int, bytes]:
    """Cells by column."""
    return {column: b'<%bc r="%b"/>' % (prefix, address_of(row, column).encode()) for column in columns}


def _insertions(
    sheet: bytes,
    first: int,
    inner_end: int,
    children: Sequence[tuple[int, int]],
    new: Mapping[int, bytes],
) -> Iterable[Edit]:
    """New children of an element that starts there, each before the first one with a higher number.

    `children` are the numbers of those it has, and where they start; `new` are by number, in order.
    """
    tag, _ = _tag(sheet, first)
    if tag.endswith(b"/>"):
        name = re.split(rb"[\s/]", tag[1:], maxsplit=1)[0]
        filled = b"%b>%b</%b>" % (tag[:-2].rstrip(), b"".join(new.values()), name)
        yield first, first + len(tag), filled
        return
    for number, xml in new.items():
        at = next((start for other, start in children if other > number), inner_end)
        yield at, at, xml


class _Cursor:
    """The row and the cell at which a pass stands, which a sheet may leave to be counted."""

    def __init__(self) -> None:
        self.row, self.address = 0, ""

    def to_row(self, attributes: Mapping[str, str]) -> None:
        self.row, self.address = int(attributes.get("r", self.row + 1)), ""

    def to_cell(self, attributes: Mapping[str, str]) -> None:
        before = self.address
        self.address = attributes.get("r", "")
        if not self.address:
            self.address = f"{column_letters(place_of(before)[1] + 1 if before else 1)}{self.row}"


def _tag(sheet: bytes, first: int) -> tuple[bytes, bytes]:
    """The tag that starts there, and its prefix."""
    match = _TAG.match(sheet, first)
    assert match, "the parser says that an element starts here"
    return match[0], match[1] or b""


def _end(sheet: bytes, first: int, inner_end: int) -> int:
    """Where an element ends that starts there, and whose content ends there."""
    tag, _ = _tag(sheet, first)
    return first + len(tag) if tag.endswith(b"/>") else sheet.index(b">", inner_end) + 1


def _edited(sheet: bytes, edits: Iterable[Edit]) -> bytes:
    pieces: list[bytes] = []
    at = 0
    for first, end, new in edits:
        pieces += sheet[at:first], new
        at = end
    return b"".join((*pieces, sheet[at:]))


def _in_utf8(sheet: bytes) -> bytes:
    """A sheet in UTF-8, which all but all of them are."""
    declared = re.match(rb"""<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)""", sheet)
    encoding = "utf-16" if sheet.startswith((b"\xff\xfe", b"\xfe\xff")) else ""
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        encoding = declared[1].decode()
    if not encoding:
        return sheet
    return re.sub(
        r"""(<\?xml[^>]*?)\s+encoding\s*=\s*["'][\w.-]+["']""", r"\1", sheet.decode(encoding)
    ).encode()


def _as_text(value: StoredValue, number: Callable[[float], str]) -> tuple[bytes, bytes | None]:
    """The type and the text with which a file stores a value."""
    if value is None:
        return b"", None
    if isinstance(value, bool):
        return b"b", b"%d" % value
    if isinstance(value, CallError):
        return b"e", value.code.encode()
    if isinstance(value, str):
        return b"str", _escaped(value).encode()
    return b"", number(value).encode()


def _escaped(text: str) -> str:
    """A text in XML; control characters, and what looks like one of theirs, stand as a spreadsheet writes them."""
    text = re.sub(r"[\x00-\x08\x0b-\x1f]|_(?=x[0-9A-Fa-f]{4}_)", lambda m: f"_x{ord(m[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
