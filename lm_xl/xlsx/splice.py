"""Values and blank cells spliced into the bytes of a sheet, whoever wrote it: every other byte stays as it is.

A sheet that was read is well-formed, so that its cells and rows are found in its bytes by their tags.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from lm_xl.faults import CallError
from lm_xl.xlsx.addresses import address_of, place_of

MOST_DIGITS = 15
"""Significant digits that a spreadsheet keeps."""

StoredValue = float | str | bool | CallError | None
"""What is stored in a cell; None is a cell without a value."""

Rewrite = Callable[[str, bytes], bytes]
"""Makes the XML of a formula of the address of its cell and its XML so far."""

Edit = tuple[int, int, bytes]
"""First byte and end of what is replaced, and by what."""

# Possessive quantifiers (++, *+, ?+) never try a byte twice, so that no sheet takes more than linear time.
_COMMENT = rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
_ATTRIBUTES = rb"""(?=[\s/>])(?:[^>"'/]++|"[^"]*+"|'[^']*+'|/(?!>))*+"""
_TEXT = rb"(?:[^<]++|%b)*+" % _COMMENT
_TYPE = re.compile(rb"""\s+t\s*=\s*(?:"[^"]*"|'[^']*')""")
"""The attribute of a cell that tells what its value is."""
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]*[0-9]+)""")
"""The attribute of a row or a cell that tells where it stands."""


@cache
def _cell_or_tag(prefix: bytes) -> re.Pattern[bytes]:
    """A cell, with its formula and the rest of it, or a tag that begins or ends a row or the data of a sheet.

    Comments match as well, without a group, so that nothing is found inside of them.
    """
    p = re.escape(prefix)
    formula = rb"(?:\s|%b)*+<%bf%b(?:/>|>%b</%bf\s*+>)" % (_COMMENT, p, _ATTRIBUTES, _TEXT, p)
    rest = rb"(?:[^<]++|%b|<(?!/%bc[\s>]))*+" % (_COMMENT, p)
    content = rb"(?P<formula>%b)?+(?P<rest>%b)</%bc\s*+>" % (formula, rest, p)
    cell = rb"""<%bc(?P<cell>(?:\sr="(?P<at>[A-Z]+[0-9]+)")?+%b)(?:/>|>%b)""" % (p, _ATTRIBUTES, content)
    begun = rb"<%b(?P<begun>row|sheetData)(?P<said>%b)(?P<empty>/)?+>" % (p, _ATTRIBUTES)
    ended = rb"</%b(?P<ended>row|sheetData)\s*+>" % p
    return re.compile(rb"|".join((_COMMENT, cell, begun, ended)), re.DOTALL)


@cache
def _value(prefix: bytes) -> re.Pattern[bytes]:
    """The value of a cell, or the text that stands in it."""
    p = re.escape(prefix)
    value = rb"<%bv%b(?:/>|>%b</%bv\s*+>)" % (p, _ATTRIBUTES, _TEXT, p)
    inner = rb"(?:[^<]++|%b|<(?!/%bis[\s>]))*+" % (_COMMENT, p)
    text = rb"<%bis%b(?:/>|>%b</%bis\s*+>)" % (p, _ATTRIBUTES, inner, p)
    return re.compile(rb"|".join((value, text)), re.DOTALL)


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
    prefix = _prefix(sheet)
    absent = {address for address, value in values.items() if value is not None}
    pieces: list[bytes] = []
    at = 0
    for _, address, match in _cells_and_tags(sheet, prefix):
        formula = match["formula"] or b""
        if address not in values and not (rewrite and formula):
            continue
        absent.discard(address)
        if rewrite and formula:
            formula = rewrite(address, formula)
        kind, text = _as_text(values[address], number)
        pieces += sheet[at : match.start()], _cell(match, prefix, kind, formula, text)
        at = match.end()
    if not absent:
        return b"".join((*pieces, sheet[at:]))
    extended = _with_cells(sheet, prefix, absent)
    if extended == sheet:
        raise ValueError(f"the sheet has no place for {', '.join(sorted(absent))}")
    return with_values(extended, values, rewrite, number)


def _cell(match: re.Match[bytes], prefix: bytes, kind: bytes, formula: bytes, text: bytes | None) -> bytes:
    """A cell with another value; its attributes, and whatever else is in it, stay."""
    attributes, rest = match["cell"].rstrip(), match["rest"] or b""
    if b"t" in attributes:
        attributes = _TYPE.sub(b"", attributes)
    if kind:
        attributes += b' t="%b"' % kind
    if text is None and match["rest"] is None:
        return b"<%bc%b/>" % (prefix, attributes)
    if rest:
        rest = _value(prefix).sub(b"", rest)
    value = b"" if text is None else b"<%bv>%b</%bv>" % (prefix, text, prefix)
    return b"<%bc%b>%b%b%b</%bc>" % (prefix, attributes, formula, value, rest, prefix)


def _with_cells(sheet: bytes, prefix: bytes, addresses: Iterable[str]) -> bytes:
    """A sheet with blank cells at addresses that have none, and rows for them."""
    columns: dict[int, list[int]] = {}
    for row, column in sorted(map(place_of, addresses)):
        columns.setdefault(row, []).append(column)
    edits: list[Edit] = []
    rows: list[tuple[int, int]] = []
    cells: list[tuple[int, int]] = []
    begun: dict[bytes, re.Match[bytes]] = {}
    for row, address, match in _cells_and_tags(sheet, prefix):
        if address:
            cells.append((place_of(address)[1], match.start()))
            continue
        if match["begun"]:
            begun[match["begun"]] = match
        if match["begun"] == b"row":
            rows.append((row, match.start()))
            cells = []
        name = match["ended"] or (match["begun"] if match["empty"] else b"")
        if name == b"row" and row in columns:
            new = {column: _blank(row, column, prefix) for column in columns.pop(row)}
            edits += _insertions(begun[name], match, cells, new)
        elif name == b"sheetData":
            new = {row: _blank_row(row, found, prefix) for row, found in columns.items()}
            edits += _insertions(begun[name], match, rows, new)
    return _with_edits(sheet, sorted(edits, key=lambda edit: edit[:2]))


def _blank(row: int, column: int, prefix: bytes) -> bytes:
    return b'<%bc r="%b"/>' % (prefix, address_of(row, column).encode())


def _blank_row(row: int, columns: Iterable[int], prefix: bytes) -> bytes:
    cells = b"".join(_blank(row, column, prefix) for column in columns)
    return b'<%brow r="%d">%b</%brow>' % (prefix, row, cells, prefix)


def _insertions(
    begun: re.Match[bytes],
    ended: re.Match[bytes],
    children: Sequence[tuple[int, int]],
    new: Mapping[int, bytes],
) -> Iterator[Edit]:
    """New children of an element between its two tags, each before the first one with a higher number.

    `children` are the numbers of those it has, and where they start; `new` are by number, in order.
    """
    if begun["empty"]:
        tag = begun[0][:-2].rstrip()
        name = re.split(rb"\s", tag[1:], maxsplit=1)[0]
        yield *begun.span(), b"%b>%b</%b>" % (tag, b"".join(new.values()), name)
        return
    for number, xml in new.items():
        at = next((start for other, start in children if other > number), ended.start())
        yield at, at, xml


def _cells_and_tags(sheet: bytes, prefix: bytes) -> Iterator[tuple[int, str, re.Match[bytes]]]:
    """The cells of a sheet, and the tags around them: its row, a cell's address or "", and what was found."""
    row, address = 0, ""
    for match in _cell_or_tag(prefix).finditer(sheet):
        cell, at, name = match.group("cell", "at", "begun")
        if at:
            address = at.decode()
            yield row, address, match
        elif cell is not None:
            # A cell or a row that does not tell where it stands comes after the one before.
            said = _REFERENCE.search(cell)
            counted = 1 + place_of(address)[1] if address else 1
            address = said[1].decode() if said else address_of(row, counted)
            yield row, address, match
        elif name == b"row":
            said = _REFERENCE.search(match["said"])
            row, address = int(said[1]) if said else row + 1, ""
            yield row, "", match
        elif match.lastgroup:
            yield row, "", match


def _prefix(sheet: bytes) -> bytes:
    """What stands before the name of every element of the sheet."""
    found = re.search(rb"<([^\s/>!?:]+:)?sheetData[\s/>]", sheet)
    return (found[1] if found else None) or b""


def _with_edits(sheet: bytes, edits: Iterable[Edit]) -> bytes:
    pieces: list[bytes] = []
    at = 0
    for first, end, new in edits:
        pieces += sheet[at:first], new
        at = end
    return b"".join((*pieces, sheet[at:]))


def _in_utf8(sheet: bytes) -> bytes:
    """A sheet in UTF-8, which all but all of them are."""
    declared = re.match(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)""", sheet)
    encoding = declared[1].decode() if declared else "utf-8"
    if sheet.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    if encoding.lower() in ("utf-8", "us-ascii"):
        return sheet
    named = r"""(<\?xml[^>]*?)\s+encoding\s*=\s*["'][\w.-]+["']"""
    return re.sub(named, r"\1", sheet.decode(encoding), count=1).encode()


def _as_text(value: StoredValue, number: Callable[[float], str]) -> tuple[bytes, bytes | None]:
    """The type and the text with which a file stores a value."""
    if isinstance(value, str):
        return b"str", _escaped(value).encode()
    if isinstance(value, bool):
        return b"b", b"%d" % value
    if isinstance(value, CallError):
        return b"e", value.code.encode()
    return b"", None if value is None else number(value).encode()


def _escaped(text: str) -> str:
    """A text in XML; control characters, and what looks like one of theirs, stand as a spreadsheet writes them."""
    text = re.sub(r"[\x00-\x08\x0b-\x1f]|_(?=x[0-9A-Fa-f]{4}_)", lambda m: f"_x{ord(m[0]):04X}_", text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
