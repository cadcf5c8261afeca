"""A package, the zip archive that a workbook file is: opened with guards against whatever a stranger may send, and copied part by part."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from lm_xl.faults import Fault, Refused

MOST_BYTES = 50_000_000
MOST_UNPACKED = 500_000_000
MOST_PARTS = 2_000

MOST_ELEMENTS = 5_000_000
"""XML elements of one part that is passed to handlers; a sheet of 600 rows has about 50,000. A tree takes ten times the memory, so it has a tenth."""

FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The first time that an archive can hold: of every part where the time of making may not show."""

Start = Callable[[str, dict[str, str]], object]
"""Told the name of an element, without its namespace, and its attributes."""
Told = Callable[[str], object]
"""Told the name of an element that ends, or a text."""


class Damaged(Exception):
    """What is wrong with a package, in plain words."""


class Relation(NamedTuple):
    """What one part says of another: by which id, the last word of the kind, and the part's name, or an address outside."""

    id: str
    kind: str
    target: str
    outside: bool


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
        message = str(damage)
    except expat.ExpatError as error:
        message = f"is damaged and holds broken XML ({error}): save it again from Excel"
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        LookupError,
        ValueError,
        ArithmeticError,
    ) as error:
        message = f"is damaged ({error}): save it again from Excel"
    raise Refused([Fault(path.name, "", "", message)]) from None


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


class Package:
    """An open package: its parts, as bytes, passed to handlers, or as trees."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.parts = archive.namelist()
        self._known = set(self.parts)

    def has(self, part: str) -> bool:
        return part in self._known

    def read(self, part: str) -> bytes:
        """A part's bytes."""
        if part not in self._known:
            raise Damaged(f"lacks the part {part}: save it again from Excel")
        return self._archive.read(part)

    def entries(self) -> list[tuple[zipfile.ZipInfo, bytes]]:
        """Every part's entry in the archive, and its bytes."""
        return [(item, self._archive.read(item)) for item in self._archive.infolist()]

    def parse(self, part: str, start: Start, end: Told | None = None, text: Told | None = None) -> None:
        """Pass a part to handlers. No tree is built, so that neither depth nor length takes memory."""
        self._feed(part, _parser(part, start, end, text))

    def tree(self, part: str) -> Element:
        """A small part as a whole: its root; names carry their namespaces in braces."""
        builder = TreeBuilder()

        def start(name: str, attributes: dict[str, str]) -> None:
            builder.start(name, {_braced_name(key): value for key, value in attributes.items()})

        self._feed(part, _parser(part, start, builder.end, builder.data, named=_braced_name, share=10))
        return builder.close()

    def relations(self, part: str) -> dict[str, Relation]:
        """What a part, or with "" the package, refers to, by id."""
        folder, name = posixpath.split(part)
        listed = posixpath.join(folder, "_rels", f"{name}.rels")
        return {r.id: r for r in self._relations_in(listed)} if self.has(listed) else {}

    def outside(self) -> list[tuple[str, str]]:
        """Where the package refers out of itself, but for hyperlinks: the part that says so, and the address."""
        listed = [part for part in self.parts if part.endswith(".rels")]
        return [
            (part, relation.target)
            for part in listed
            for relation in self._relations_in(part)
            if relation.outside and relation.kind != "hyperlink"
        ]

    def rooted(self) -> list[tuple[str, str]]:
        """Where a target is told from the root of the package, as some readers do not follow: the part that says so, and the target."""
        return [
            (part, entry.get("Target", ""))
            for part in self.parts
            if part.endswith(".rels")
            for entry in self.tree(part)
            if entry.get("TargetMode") != "External" and entry.get("Target", "").startswith("/")
        ]

    def _relations_in(self, listed: str) -> Iterator[Relation]:
        folder = posixpath.dirname(posixpath.dirname(listed))
        for entry in self.tree(listed):
            target, outside = entry.get("Target", ""), entry.get("TargetMode") == "External"
            if not outside:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = entry.get("Type", "").rpartition("/")[2]
            yield Relation(entry.get("Id", ""), kind, target, outside)

    def _feed(self, part: str, parser: expat.XMLParserType) -> None:
        if part not in self._known:
            raise Damaged(f"lacks the part {part}: save it again from Excel")
        with self._archive.open(part) as stream:
            while chunk := stream.read(1 << 16):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)


def _local_name(name: str) -> str:
    return name.rpartition("}")[2]


def _braced_name(name: str) -> str:
    return f"{{{name}" if "}" in name else name


def _parser(
    part: str,
    start: Start,
    end: Told | None = None,
    text: Told | None = None,
    *,
    named: Callable[[str], str] = _local_name,
    share: int = 1,
) -> expat.XMLParserType:
    """The parser of every part: it refuses entities in any encoding, and more elements than a workbook has, or a share of them."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    elements, most = 0, MOST_ELEMENTS // share

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements
        elements += 1
        if elements > most:
            raise Damaged(f"has more than {most:,} XML elements in {part}: more than is read")
        start(named(name), attributes)

    def declared(*_: object) -> None:
        raise Damaged(f"declares XML entities in {part}, which no workbook needs: it is not read")

    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = declared
    if end is not None:
        parser.EndElementHandler = lambda name: end(named(name))
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
            content = change(item.filename, content)
            entry.filename = named(item.filename)
            archive.writestr(entry, content, kind)
        for name, text in (more or {}).items():
            archive.writestr(zipfile.ZipInfo(name, FIRST_DAY), text, zipfile.ZIP_DEFLATED)
