"""A package that openpyxl saved, made what readers of workbooks expect: charts that hold their values, and the customs of Excel.

openpyxl points at parts from the root, gives comments names of its own and leaves out the prefixes of drawings, which some readers
do not follow; writes each text into its cell, and cells of texts that have none; calls blank cells numbers; leaves labels of charts the formats of cells;
lists what a font is made of in an order of its
own; and signs with its name.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path

from lm_xl.xlsx.caches import Values, cached_charts
from lm_xl.xlsx.drawings import described_drawings
from lm_xl.xlsx.package import opened, repacked
from lm_xl.xlsx.workbook_file import WorkbookFile

TEXTS, TYPES, RELATIONS, APPLICATION, CORE = (
    "xl/sharedStrings.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels", "docProps/app.xml", "docProps/core.xml",
)  # fmt: skip
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
"""Of the part with the texts."""
FONT = (
    "b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign", "sz", "color", "name", "family", "charset", "scheme",
)  # fmt: skip
"""What a font is made of, in the order of the standard."""
MADE = rb"\g<1>2025-01-01T00:00:00Z"
"""The time of making that a file without one states."""
_INLINE = re.compile(rb' t="inlineStr"(?:/>|></c>|><is><t((?: xml:space="preserve")?>[^<]*)</t></is></c>)')

_NUMBER = re.compile(rb'(<c r="[A-Z]+[0-9]+"(?: s="[0-9]+")?) t="n"')
"""A cell that is said to be a number, which it is where nothing is said, if it holds one."""

Change = Callable[[str, bytes], bytes]
"""Makes a sheet's bytes of its title and its bytes so far."""


def finish(
    path: Path, values: Values, change: Change = lambda _, content: content, *, timeless: bool = False
) -> None:
    """Finish a workbook that openpyxl saved, in place. Raises Refused.

    `values` are those of the formulas, by sheet and address, where the file does not hold them yet. Where `timeless`, nothing
    tells when the file was made.
    """
    with opened(path) as package:
        made = described_drawings(package) | cached_charts(package, values)
        titles = {sheet.part: sheet.title for sheet in WorkbookFile(package).sheets}
        sheets = {part: package.read(part) for part in titles}
        title = re.search(rb"<dc:title[^>]*>[^<]*<", package.read(CORE))
    numbers: dict[bytes, int] = {}

    def numbered(match: re.Match[bytes]) -> bytes:
        text = match[1]
        if text is None:
            return b"/>"
        return b' t="s"><v>%d</v></c>' % numbers.setdefault(text, len(numbers))

    made = {part: _prefixed(part, content) for part, content in made.items()}
    for part, content in sheets.items():
        made[part] = _NUMBER.sub(rb"\1", _INLINE.sub(numbered, change(titles[part], content)))
    name = re.sub(rb"^<[^>]*>|<$", b"", title[0]) if title else b""

    def finished(part: str, content: bytes) -> bytes:
        content = made.get(part, content)
        if part.endswith(".rels"):
            content = _relative(part, _renamed(content.decode()).encode())
        if part == RELATIONS:
            texts = f'<Relationship Type="{OFFICE}/relationships/sharedStrings" Target="{posixpath.basename(TEXTS)}" Id="texts"/>'
            content = content.replace(b"</Relationships>", f"{texts}</Relationships>".encode())
        elif part == TYPES:
            texts = f'<Override PartName="/{TEXTS}" ContentType="{KIND}"/>'
            content = _renamed(content.decode().replace("</Types>", f"{texts}</Types>")).encode()
        elif part == "xl/styles.xml":
            content = re.sub(rb"(?<=<font>).*?(?=</font>)", _ordered_font, content, flags=re.DOTALL)
        elif part == APPLICATION:
            told = b"<Application>%b</Application>" % name if name else b""
            content = b'<Properties xmlns="%b/extended-properties">%b</Properties>' % (OFFICE.encode(), told)
        elif part == CORE and timeless:
            content = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", MADE, content)
        return content

    repacked(path, path, finished, {TEXTS: _texts(numbers)}, timeless=timeless, named=_renamed)


def _texts(numbers: dict[bytes, int]) -> str:
    """The part with the texts that cells share, by number."""
    listed = b"".join(b"<si><t%b</t></si>" % text for text in numbers)
    return f'<sst xmlns="{MAIN}" uniqueCount="{len(numbers)}">{listed.decode()}</sst>'


def _renamed(names: str) -> str:
    """Names of parts with those that Excel gives to comments."""
    names = re.sub(r"\bxl/comments/comment(\d+)\.xml", r"xl/comments\1.xml", names)
    return re.sub(r"\bxl/drawings/commentsDrawing(\d+)\.vml", r"xl/drawings/vmlDrawing\1.vml", names)


def _prefixed(part: str, content: bytes) -> bytes:
    """A drawing or a chart whose elements carry the prefix that Excel gives them, and whose labels have the format that they state."""
    content = re.sub(rb'(<numFmt formatCode="[^"]*")(?=\s*/>)', rb'\1 sourceLinked="0"', content)
    prefix = b"xdr" if part.startswith("xl/drawings/") else b"c"
    named = re.sub(rb"<(/?)(\w+)(?=[\s/>])", rb"<\1%b:\2" % prefix, content)
    return named.replace(b" xmlns=", b" xmlns:%b=" % prefix, 1)


def _relative(part: str, content: bytes) -> bytes:
    """Relations whose targets are told from the folder of the part that they belong to."""
    folder = "/" + posixpath.dirname(posixpath.dirname(part))
    return re.sub(
        rb'(?<= Target=")/[^"]*',
        lambda target: posixpath.relpath(target[0].decode(), folder).encode(),
        content,
    )


def _ordered_font(font: re.Match[bytes]) -> bytes:
    told = re.findall(rb"<(\w+)[^>]*/>", font[0])
    elements = re.findall(rb"<\w+[^>]*/>", font[0])
    pairs = sorted(zip(told, elements, strict=True), key=lambda pair: FONT.index(pair[0].decode()))
    return b"".join(element for _, element in pairs)
