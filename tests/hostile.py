"""Small files that cost much to read: each is below 5 MB, and holds what no spreadsheet writes.

What they cost, as a table: python tests/hostile.py
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
CHART = "http://schemas.openxmlformats.org/drawingml/2006/chart"
PLACED = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"

Texts = Iterable[str]
"""A part, piece by piece: none is held as a whole."""
MEGABYTE = 1_000_000


def relations(*kinds: tuple[str, str]) -> list[str]:
    """The relations of a part: the last word of the kind, and the target."""
    entries = (
        f'<Relationship Id="r{i}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for i, (kind, target) in enumerate(kinds, 1)
    )
    return [f'<Relationships xmlns="{PACKAGE}">', *entries, "</Relationships>"]


def book(
    path: Path,
    sheet: Texts,
    more: dict[str, Texts] | None = None,
    *,
    sheets: int = 1,
    names: Texts = (),
) -> None:
    """Write a workbook whose sheets, the first of which is Axes, all are one part; `more` are other parts."""
    others = {"sharedStrings": "sharedStrings.xml", "styles": "styles.xml"}
    related = [("worksheet", "worksheets/sheet1.xml")]
    related += [(kind, part) for kind, part in others.items() if f"xl/{part}" in (more or {})]
    listed = (f'<sheet name="Axes{i or ""}" sheetId="{i + 1}" r:id="r1"/>' for i in range(sheets))
    parts: dict[str, Texts] = {
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/_rels/workbook.xml.rels": relations(*related),
        "xl/workbook.xml": itertools.chain(
            [f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'],
            listed,
            ["</sheets><definedNames>"],
            names,
            ["</definedNames></workbook>"],
        ),
        "xl/worksheets/sheet1.xml": itertools.chain(
            [f'<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}">'], sheet, ["</worksheet>"]
        ),
        **(more or {}),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, texts in parts.items():
            with package.open(name, "w") as stream:
                for text in texts:
                    stream.write(text.encode())


def around(before: str, texts: Texts, after: str) -> Iterator[str]:
    yield before
    yield from texts
    yield after


def times(text: str, count: int) -> Iterator[str]:
    """A text so many times, in pieces of about 64 KB."""
    at_once = max(1, min(count, 65_536 // len(text)))
    yield from itertools.repeat(text * at_once, count // at_once)
    yield text * (count % at_once)


def data(*rows: str) -> Texts:
    return ["<sheetData>", *rows, "</sheetData>"]


def rows_of(cell: str, last: int, first: int = 1) -> Texts:
    """A row for each number from the first to the last, with the cell that a pattern makes of it."""
    rows = (f'<row r="{r}">{cell.replace("?", str(r))}</row>' for r in range(first, last + 1))
    return around("<sheetData>", rows, "</sheetData>")


def shared_texts(*texts: Texts) -> dict[str, Texts]:
    entries = (around("<si><t>", text, "</t></si>") for text in texts)
    return {"xl/sharedStrings.xml": around(f'<sst xmlns="{MAIN}">', itertools.chain(*entries), "</sst>")}


def styles(*inner: Texts) -> dict[str, Texts]:
    return {"xl/styles.xml": around(f'<styleSheet xmlns="{MAIN}">', itertools.chain(*inner), "</styleSheet>")}


def charts(count: int, reference: str) -> dict[str, Texts]:
    """A drawing with so many times one chart that shows a range."""
    anchor = (
        f'<x:twoCellAnchor><x:graphicFrame><c:chart xmlns:c="{CHART}" r:id="r1"/></x:graphicFrame>'
        "</x:twoCellAnchor>"
    )
    series = f"<c:ser><c:val><c:numRef><c:f>{reference}</c:f></c:numRef></c:val></c:ser>"
    return {
        "xl/worksheets/_rels/sheet1.xml.rels": relations(("drawing", "../drawings/drawing1.xml")),
        "xl/drawings/_rels/drawing1.xml.rels": relations(("chart", "../charts/chart1.xml")),
        "xl/drawings/drawing1.xml": around(
            f'<x:wsDr xmlns:x="{PLACED}" xmlns:r="{OFFICE}">', times(anchor, count), "</x:wsDr>"
        ),
        "xl/charts/chart1.xml": [f'<c:chartSpace xmlns:c="{CHART}">', series, "</c:chartSpace>"],
    }


def areas(count: int) -> str:
    """Ranges of all columns but the last, one below another and overlapping."""
    return " ".join(f"A{r}:XFC{r + 900_000}" for r in range(1, count + 1))


WIDE = "\U0001f600" + "a" * 32_000
"""A text of which each character takes four bytes in memory."""
LONG_FORMULA = "+".join(f"A{i}" for i in range(1, 1_500))
QUOTES = "'" * 8_000
SHARED = '<c t="s"><v>0</v></c>'
ONE = '<c r="A?"><v>1</v></c>'

HOSTILE: dict[str, Callable[[Path], None]] = {
    # what a stream may hold
    "attribute": lambda p: book(p, around('<sheetView x="', times("a", 40 * MEGABYTE), '"/>')),
    "attributes": lambda p: book(
        p, around("<sheetView ", (f'a{i}="" ' for i in range(MEGABYTE)), "/>")
    ),
    "name of an element": lambda p: book(p, around("<", times("a", 40 * MEGABYTE), "/>")),
    "comment": lambda p: book(p, around("<!--", times("a", 40 * MEGABYTE), "-->")),
    "comments": lambda p: book(p, times(f"<!--{'a' * 200_000}-->", 2_000)),
    "instruction": lambda p: book(p, around("<?a ", times("a", 40 * MEGABYTE), "?>")),
    "depth": lambda p: book(p, itertools.chain(times("<a>", 4 * MEGABYTE), times("</a>", 4 * MEGABYTE))),
    "elements": lambda p: book(p, around("<sheetData>", times("<a/>", 20 * MEGABYTE), "</sheetData>")),
    "text of nothing": lambda p: book(p, times("a", 480 * MEGABYTE)),
    "text of a cell": lambda p: book(
        p, around('<sheetData><row><c t="str"><v>', times("a", 480 * MEGABYTE), "</v></c></row></sheetData>")
    ),
    "texts of cells": lambda p: book(
        p,
        around(
            "<sheetData><row>",
            times(f'<c t="str"><v>\U0001f600{"a" * 32_000}</v></c>', 14_000),
            "</row></sheetData>",
        ),
    ),
    "shared texts": lambda p: book(
        p,
        data('<row><c t="s"><v>0</v></c></row>'),
        shared_texts(*itertools.repeat([WIDE], 14_000)),
    ),
    "text of a name": lambda p: book(
        p, data(), names=around('<definedName name="a">', times("a", 400 * MEGABYTE), "</definedName>")
    ),
    # what a sheet may hold
    "rows below": lambda p: book(p, rows_of(ONE, 1_000_000)),
    "rows of nothing": lambda p: book(p, around("<sheetData>", times("<row/>", 1_000_000), "</sheetData>")),
    "cells of nothing": lambda p: book(
        p, around("<sheetData>", times(f"<row>{'<c/>' * 16_000}</row>", 1_000), "</sheetData>")
    ),
    "cells": lambda p: book(
        p, around("<sheetData>", times(f"<row>{'<c><v>1</v></c>' * 16_000}</row>", 1_000), "</sheetData>")
    ),
    "hidden rows": lambda p: book(
        p, around("<sheetData>", times('<row hidden="1"/>', 1_000_000), "</sheetData>")
    ),
    "sheets of one part": lambda p: book(p, rows_of(ONE, 19_000), sheets=20_000),
    "one text in many cells": lambda p: book(
        p,
        around(
            "<sheetData>", times(f"<row>{SHARED * 10_000}</row>", 100), "</sheetData>"
        ),
        shared_texts(["US " * 10_000]),
    ),
    "one formula in many cells": lambda p: book(
        p,
        around(
            f'<sheetData><row r="1"><c r="A1"><f t="shared" si="0" ref="A1:A900000">{LONG_FORMULA}</f></c></row>',
            times('<row><c><f t="shared" si="0"/><v>1</v></c></row>', 900_000),
            "</sheetData>",
        ),
    ),
    "array formulas": lambda p: book(
        p, rows_of('<c r="A?"><f t="array" ref="A?">SUM(B?:C?)</f><v>1</v></c>', 20_000)
    ),
    "array formulas over all": lambda p: book(
        p, rows_of('<c r="A?"><f t="array" ref="A1:XFD1048576">B?+1</f><v>1</v></c><c r="B?"/>', 20_000)
    ),
    "array formulas of one row": lambda p: book(
        p,
        around(
            '<sheetData><row r="1">',
            times('<c><f t="array" ref="A1:A2">SUM(B1:C1)</f><v>1</v></c>', 16_000),
            "</row></sheetData>",
        ),
    ),
    "runs of columns": lambda p: book(
        p, around("<cols>", times('<col min="1" max="16384"/>', 500_000), "</cols>")
    ),
    "validations": lambda p: book(
        p,
        itertools.chain(
            data('<row r="1"><c r="XFD1"><v>1</v></c></row>'),
            around(
                "<dataValidations>",
                times(f'<dataValidation type="whole" sqref="{areas(2_000)}"/>', 100),
                "</dataValidations>",
            ),
        ),
    ),
    "merged cells": lambda p: book(
        p, itertools.chain(data(), times('<mergeCell ref="A1:B2"/>', 1_500_000))
    ),
    # what the rules of an audit follow
    "charts": lambda p: book(
        p,
        itertools.chain(rows_of(ONE, 100_000), ['<drawing r:id="r1"/>']),
        charts(20_000, "Axes!$A$1:$XFD$1048576"),
    ),
    "quotes": lambda p: book(p, rows_of(f'<c r="A?"><f>{QUOTES}</f><v>1</v></c>', 2_000)),
    "names": lambda p: book(
        p,
        rows_of(f'<c r="A?"><f>{"+".join(["a"] * 2_000)}</f><v>1</v></c>', 2_000),
        names=[f'<definedName name="a">{LONG_FORMULA}</definedName>'],
    ),
    "printed areas": lambda p: book(
        p,
        rows_of(ONE, 200_000),
        names=[
            '<definedName name="_xlnm.Print_Area" localSheetId="0">',
            ",".join(f"Axes!$ZZ${i}" for i in range(1, 20_000)),
            "</definedName>",
        ],
    ),
    "number formats": lambda p: book(
        p,
        around(
            '<sheetData><row r="1">', (f'<c s="{i}"><v>1</v></c>' for i in range(16_000)), "</row></sheetData>"
        ),
        styles(
            around('<numFmts><numFmt numFmtId="200" formatCode="0.', times("0[", 100_000), '"/></numFmts>'),
            around("<cellXfs>", times('<xf numFmtId="200"/>', 16_000), "</cellXfs>"),
        ),
    ),
    "circles": lambda p: book(
        p, rows_of('<c r="A?"><f>SUM(A1:A1048576)</f><v>1</v></c><c r="B?"><f>B1+SUM(A:A)</f><v>1</v></c>', 50_000)
    ),
    "lines": lambda p: book(
        p, rows_of('<c r="A?"><f>SUM(A1:A?)</f><v>1</v></c>', 60_000)
    ),
    "texts among numbers": lambda p: book(
        p, rows_of('<c r="A?" t="str"><v>1</v></c><c r="B?"><f>SUM(A1:A?)</f><v>1</v></c>', 40_000)
    ),
}  # fmt: skip


READERS = ("check", "audit")


_RUN = """
import atexit, re, sys
from pathlib import Path
from lm_xl.cli import main

peak = lambda: re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]
atexit.register(lambda: print(peak(), file=sys.stderr))
main()
"""
"""A command that tells its peak of memory at the end: what the system counts for a process begins with its parent's."""


def cost(reader: str, path: Path) -> tuple[float, float, int, str]:
    """What a command takes for a file, as Linux counts it: seconds of CPU, megabytes, the exit code, what was printed."""
    words = [sys.executable, "-c", _RUN, reader, str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        told, _, peak = process.stdout.read().decode().strip().rpartition("\n")
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime, int(peak) / 1e3, process.returncode, told


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name, make in HOSTILE.items():
            path = Path(folder) / "hostile.xlsx"
            make(path)
            costs = [cost(reader, path) for reader in READERS]
            told = "  ".join(
                f"{r} {s:5.1f} s {m:4.0f} MB" for r, (s, m, *_) in zip(READERS, costs, strict=True)
            )
            print(f"{name:28} {path.stat().st_size / 1e3:6.0f} KB  {told}", flush=True)
