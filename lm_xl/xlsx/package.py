"""A package, the zip archive that a workbook file is: opened with guards against whatever a stranger may send, and copied part by part."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from lm_xl.faults import Fault, Refused

try:
    from lzma import LZMAError
except ImportError:  # Pyodide leaves it out, and zipfile then reads no such archive
    LZMAError = zlib.error  # type: ignore[assignment, misc]

MOST_BYTES = 50_000_000
MOST_UNPACKED = 500_000_000
"""Bytes that a file unpacks to, and that are parsed of it, however often a part is named."""
MOST_PARTS = 2_000

MOST_ELEMENTS = 2_000_000
"""XML elements of all parts that are passed to handlers; the deliverable has about 900,000."""
TREES = 10
"""A tree takes ten times the memory, so all of them have a tenth of the elements and bytes."""
MOST_MARKUP = 1 << 18
"""Bytes of a single tag, comment or instruction: the parser looks at one again with every chunk until it ends."""
MOST_DEPTH = 250
"""Elements inside of one another; a chart has about 20."""
MOST_TEXT = 50_000_000
MOST_FORMULAS = 30_000_000
"""Characters of the texts and of the formulas that are kept of a file, counted in every cell that shows them."""

CHUNK = 1 << 16

STRICT, TRANSITIONAL = "http://purl.oclc.org/ooxml/", "http://schemas.openxmlformats.org/"
"""How namespaces begin in workbooks saved as Strict Open XML, and in all others."""

FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The first time that an archive can hold: of every part where the time of making may not show."""

Start = Callable[[str, dict[str, str]], object]
"""Told the name of an element, without its namespace, and its attributes."""
Told = Callable[[str], object]
"""Told the name of an element that ends, or a text."""


class Damaged(Exception):
    """What is wrong with a package, in plain words; its readers add the part, and the sheet and the cell that stand there."""

    part = sheet = cell = ""


class Enough(Exception):
    """Raised by a handler that wants no more of its part."""


class Relation(NamedTuple):
    """What one part says of another: by which id, the last word of the kind, and the part's name, or an address outside."""

    id: str
    kind: str
    target: str
    outside: bool


_BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, RuntimeError)
_BROKEN_CONTENT = (LookupError, ValueError, ArithmeticError)
"""What reading raises where an archive, or what stands in a part, is not as its format says."""


@contextmanager
def opened(path: Path) -> Iterator[Package]:
    """A workbook file for reading.

    Raises Refused for what is no workbook, is encrypted, or would unpack to more than a workbook does, and for whatever proves
    damaged while the package is open: nothing but reading belongs inside.
    """
    try:
        _inspect_file(path)
        with zipfile.ZipFile(path) as archive:
            _inspect_parts(archive.infolist())
            yield Package(archive)
        return
    except Damaged as damage:
        raise Refused([Fault(path.name, damage.sheet, damage.cell, str(damage))]) from None
    except (*_BROKEN_ARCHIVE, *_BROKEN_CONTENT):
        raise Refused([Fault(path.name, "", "", "is damaged: save it again from Excel")]) from None


def _inspect_file(path: Path) -> None:
    try:
        if not path.exists():
            raise Damaged(f"there is no such file in {path.parent.name or '.'}")
        if not path.is_file():
            raise Damaged("is a folder or a device, not a file: give the path of an .xlsx workbook")
        with path.open("rb") as file:
            start = file.read(8)
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise Damaged(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    if not start:
        raise Damaged("is empty: save it again from Excel")
    if start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Damaged("is encrypted or in the old .xls format: save it as .xlsx without a password")
    if not start.startswith(b"PK"):
        raise Damaged("is not an .xlsx workbook: save it as .xlsx")
    if size > MOST_BYTES:
        raise Damaged(f"has {size:,} bytes; at most {MOST_BYTES:,} are read")


def _inspect_parts(parts: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
        raise Damaged(
            f"unpacks to {len(parts):,} parts and {unpacked:,} bytes; at most {MOST_PARTS:,} and {MOST_UNPACKED:,} are read"
        )
    if any(part.flag_bits & 1 for part in parts):
        raise Damaged("is encrypted: save it as .xlsx without a password")
    counts = Counter(_name_of(part).casefold() for part in parts)
    if twice := [_name_of(part) for part in parts if counts[_name_of(part).casefold()] > 1]:
        raise Damaged(f"has the part {twice[0]} twice: save it again from Excel")


def _name_of(part: zipfile.ZipInfo) -> str:
    """A part's name with the slashes that it should have: some programs write those of Windows, and Excel reads them."""
    return part.filename.replace("\\", "/").lstrip("/")


def _local_name(name: str) -> str:
    return name.rpartition("}")[2]


def _braced_name(name: str) -> str:
    """A name with its namespace in braces, that of Strict Open XML as all others write it."""
    if name.startswith(STRICT):
        subject, _, rest = name.removeprefix(STRICT).partition("/")
        return f"{{{TRANSITIONAL}{subject}/2006/{rest}"
    return f"{{{name}" if "}" in name else name


class Package:
    """An open package: its parts, as bytes, passed to handlers, or as trees. Their names have no case.

    All that is read of it counts together, so that no part costs anything for being named often.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts = [_name_of(part) for part in archive.infolist()]
        self._parts = {_name_of(part).casefold(): part for part in archive.infolist()}
        self._text = self._formulas = 0
        self._streams, self._trees = _Read(1), _Read(TREES)

    def has(self, part: str) -> bool:
        return part.casefold() in self._parts

    def read(self, part: str) -> bytes:
        """A part's bytes."""
        return self._archive.read(self._entry(part))

    def entries(self) -> list[tuple[zipfile.ZipInfo, bytes]]:
        """Every part's entry in the archive, and its bytes."""
        return [(item, self._archive.read(item)) for item in self._archive.infolist()]

    def parse(self, part: str, start: Start, end: Told | None = None, text: Told | None = None) -> None:
        """Pass a part to handlers. No tree is built, so that length takes no memory; a handler may raise Enough."""
        with suppress(Enough):
            self._feed(part, self._streams, _parser(part, self._streams, start, end, text))

    def tree(self, part: str) -> Element:
        """A small part as a whole: its root; names carry their namespaces in braces."""
        builder = TreeBuilder()

        def start(name: str, attributes: dict[str, str]) -> None:
            builder.start(name, {_braced_name(key): value for key, value in attributes.items()})

        parser = _parser(part, self._trees, start, builder.end, builder.data, named=_braced_name)
        self._feed(part, self._trees, parser)
        return builder.close()

    def take(self, text: int, formula: int = 0) -> None:
        """Count characters that a reader keeps. Raises Damaged where they are too many."""
        self._text += text
        self._formulas += formula
        if self._text > MOST_TEXT:
            raise Damaged(f"has more than {MOST_TEXT:,} characters of text in its cells: more than is read")
        if self._formulas > MOST_FORMULAS:
            raise Damaged(f"has more than {MOST_FORMULAS:,} characters of formulas: more than is read")

    def relations(self, part: str) -> dict[str, Relation]:
        """What a part, or with "" the package, refers to, by id."""
        folder, name = posixpath.split(part)
        listed = posixpath.join(folder, "_rels", f"{name}.rels")
        return {r.id: r for r in self._relations_in(listed)} if self.has(listed) else {}

    def outside(self) -> list[tuple[str, str]]:
        """Where the package refers out of itself, but for hyperlinks: the part that says so, and the address."""
        return [
            (part, relation.target)
            for part in self._lists()
            for relation in self._relations_in(part)
            if relation.outside and relation.kind != "hyperlink"
        ]

    def rooted(self) -> list[tuple[str, str]]:
        """Where a target is told from the root of the package, as some readers do not follow: the part that says so, and the target."""
        return [
            (part, entry.get("Target", ""))
            for part in self._lists()
            for entry in self.tree(part)
            if entry.get("TargetMode") != "External" and entry.get("Target", "").startswith("/")
        ]

    def _lists(self) -> list[str]:
        """The parts that list relations."""
        return [part for part in self.parts if part.casefold().endswith(".rels")]

    def _relations_in(self, listed: str) -> Iterator[Relation]:
        folder = posixpath.dirname(posixpath.dirname(listed))
        for entry in self.tree(listed):
            target, outside = entry.get("Target", ""), entry.get("TargetMode") == "External"
            if not outside:
                inside = target.replace("\\", "/")
                target = posixpath.normpath(posixpath.join("/", folder, inside)).lstrip("/")
                # A part is called as the archive calls it, whatever the case in which others name it.
                target = _name_of(self._parts[target.casefold()]) if self.has(target) else target
            kind = entry.get("Type", "").rpartition("/")[2]
            yield Relation(entry.get("Id", ""), kind, target, outside)

    def _entry(self, part: str) -> zipfile.ZipInfo:
        if not self.has(part):
            raise Damaged(f"lacks the part {part}: save it again from Excel")
        return self._parts[part.casefold()]

    def _feed(self, part: str, read: _Read, parser: expat.XMLParserType) -> None:
        try:
            self._feed_all(part, read, parser)
        except Damaged as damage:
            damage.part = damage.part or part
            raise

    def _feed_all(self, part: str, read: _Read, parser: expat.XMLParserType) -> None:
        fed = 0
        try:
            with self._archive.open(self._entry(part)) as stream:
                while chunk := stream.read(CHUNK):
                    parser.Parse(chunk, False)
                    read.count_bytes(part, len(chunk))
                    fed += len(chunk)
                    if fed - parser.CurrentByteIndex > MOST_MARKUP:
                        most = f"{MOST_MARKUP:,} bytes"
                        raise Damaged(
                            f"has a tag or comment of more than {most} in {part}: more than is read"
                        )
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            place = f"line {error.lineno:,}, column {error.offset + 1:,}"
            raise Damaged(f"holds broken XML in {part}, {place}: save it again from Excel") from None
        except _BROKEN_ARCHIVE:
            raise Damaged(f"is damaged in {part}: save it again from Excel") from None
        except _BROKEN_CONTENT:
            place = f"line {parser.CurrentLineNumber:,}, column {parser.CurrentColumnNumber + 1:,}"
            raise Damaged(f"is damaged in {part}, {place}: save it again from Excel") from None


class _Read:
    """How much was read of a package, as streams or as trees, of what may be: all of it or a share."""

    def __init__(self, share: int) -> None:
        self.share = share
        self.elements = self.bytes = 0

    def count_bytes(self, part: str, count: int) -> None:
        self.bytes += count
        most = MOST_UNPACKED // self.share
        if self.bytes > most:
            raise Damaged(f"has more than {most:,} bytes of XML up to {part}: more than is read")


def _parser(
    part: str,
    read: _Read,
    start: Start,
    end: Told | None = None,
    text: Told | None = None,
    *,
    named: Callable[[str], str] = _local_name,
) -> expat.XMLParserType:
    """The parser of every part: it refuses entities in any encoding, and more or deeper elements than a workbook has."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    depth, most = 0, MOST_ELEMENTS // read.share

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        read.elements += 1
        if read.elements > most:
            raise Damaged(f"has more than {most:,} XML elements up to {part}: more than is read")
        if depth > MOST_DEPTH:
            raise Damaged(f"has XML elements more than {MOST_DEPTH} deep in {part}: more than is read")
        start(named(name), attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(named(name))

    def declared(*_: object) -> None:
        raise Damaged(f"declares XML entities in {part}, which no workbook needs: it is not read")

    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.StartDoctypeDeclHandler = declared
    if text is not None:
        parser.CharacterDataHandler = text
    return parser


def repacked(
    source: Path,
    target: Path,
    change: Callable[[str, bytes], bytes],
    more: Mapping[str, str] | None = None,
    *,
    timeless: bool = False,
    named: Callable[[str], str] = str,
) -> None:
    """Copy a package part by part, perhaps onto itself, each part as `change` makes it of its name and bytes.

    `named` makes a part's new name of its old one; `more` are parts that are added at the end, without a time; where `timeless`, no part has one. Raises Refused.
    """
    with opened(source) as package:
        parts = package.entries()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for item, content in parts:
            entry = zipfile.ZipInfo(item.filename, FIRST_DAY) if timeless else item
            kind = zipfile.ZIP_DEFLATED if timeless else item.compress_type
            name = _name_of(item)
            content = change(name, content)
            entry.filename = named(name)
            archive.writestr(entry, content, kind)
        for name, text in (more or {}).items():
            archive.writestr(zipfile.ZipInfo(name, FIRST_DAY), text, zipfile.ZIP_DEFLATED)


def packed(target: Path, parts: Mapping[str, str]) -> None:
    """Write a package of texts by their names, without times, so that the same texts give the same bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, FIRST_DAY), text, zipfile.ZIP_DEFLATED)
