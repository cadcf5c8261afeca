"""Stored values beside formulas: what previews, phones and pandas read. All other parts of the package stay byte for byte."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from lm_xl.xlsx.addresses import column_letters, column_number

CellValues = Mapping[str, Mapping[str, float | str]]
"""Sheet to address to value."""

_FORMULA = re.compile(r'<c r="([A-Z]+)([0-9]+)"([^>]*)>(<f>[^<]*</f>)<v ?/?>(?:</v>)?</c>')
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


Spans = Mapping[str, Mapping[int, tuple[str, str]]]
"""Sheet to row to the first and the last column of the cells that share one formula."""

DIGITS = 10
"""Significant digits of a stored value beside its formula, which a spreadsheet computes in full when it opens the file."""


def store_values(
    path: Path, values: CellValues, spans: Spans, static: Mapping[str, str] | None = None
) -> None:
    """Write the values of formula cells into a workbook that openpyxl saved, in place; store a row's one formula once; describe the charts.

    With `static` the values replace their formulas, and words of the cover are replaced as it says. Raises KeyError for a
    formula without a value.
    """
    with zipfile.ZipFile(path) as package:
        parts = [(item, package.read(item)) for item in package.infolist()]
        sheets = sheet_parts(package)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
        for item, content in parts:
            title = sheets.get(item.filename, "")
            if values.get(title):
                content = _with_values(
                    content.decode(), values[title], spans.get(title, {}), keep=static is None
                ).encode()
            for old, new in (static or {}).items():
                content = content.replace(escape(old).encode(), escape(new).encode())
            if re.fullmatch(r"xl/drawings/drawing\d+\.xml", item.filename):
                content = described_drawing(
                    content.decode(), {i.filename: c for i, c in parts}, item.filename
                ).encode()
            package.writestr(item, content)


def described_drawing(xml: str, parts: Mapping[str, bytes], drawing: str) -> str:
    """A drawing with a description of each chart for readers who do not see it: its title and its axes."""
    relations = parts[drawing.replace("drawings/", "drawings/_rels/") + ".rels"].decode()
    targets = dict(re.findall(r'Target="/?([^"]+)"[^>]*Id="([^"]+)"', relations)) | {
        t: i for i, t in re.findall(r'Id="([^"]+)"[^>]*Target="/?([^"]+)"', relations)
    }
    by_id = {i: t for t, i in targets.items()}

    def described(match: re.Match[str]) -> str:
        chart = parts[by_id[match.group(3)]].decode()
        words = [w for w in re.findall(r"<(?:a:)?t>([^<]+)</", chart) if w.strip()]
        return f'{match.group(1)} descr="{". ".join(words)}"{match.group(2)}'

    return re.sub(
        r'(<(?:xdr:)?cNvPr id="\d+" name="Chart \d+")(\s*/?>.*?r:id="([^"]+)")',
        described,
        xml,
        flags=re.DOTALL,
    )


def _with_values(
    xml: str, values: Mapping[str, float | str], spans: Mapping[int, tuple[str, str]], *, keep: bool
) -> str:
    numbers: dict[int, int] = {}

    def stored(match: re.Match[str]) -> str:
        column, row, attributes, formula = match.groups()
        value = values[column + row]
        if not keep:
            formula = ""
        elif column in columns.get(int(row), ()):
            first, last = spans[int(row)]
            if column == first:
                numbers[int(row)] = len(numbers)
                formula = formula.replace(
                    "<f>", f'<f t="shared" ref="{first}{row}:{last}{row}" si="{numbers[int(row)]}">'
                )
            else:
                formula = f'<f t="shared" si="{numbers[int(row)]}"/>'
        if isinstance(value, str):
            return f'<c r="{column}{row}"{attributes} t="str">{formula}<v>{escape(value)}</v></c>'
        return f'<c r="{column}{row}"{attributes}>{formula}<v>{f"{value:.{DIGITS}g}" if keep else repr(value)}</v></c>'

    columns = {row: _columns(first, last) for row, (first, last) in spans.items()}
    return _FORMULA.sub(stored, xml)


@cache
def _columns(first: str, last: str) -> frozenset[str]:
    return frozenset(column_letters(c) for c in range(column_number(first), column_number(last) + 1))


def sheet_parts(package: zipfile.ZipFile) -> dict[str, str]:
    """The name of each sheet's part in a package, and its title."""
    relations = ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
    targets = {r.get("Id"): f"xl/{r.get('Target', '').removeprefix('/xl/')}" for r in relations}
    sheets = ElementTree.fromstring(package.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
    return {targets[s.get(_REL)]: s.get("name", "") for s in sheets}
