"""Stored values beside formulas: what previews, phones and pandas read. All other parts of the package stay byte for byte."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

CellValues = Mapping[str, Mapping[str, float | str]]
"""Sheet to address to value."""

_FORMULA = re.compile(r'<c r="([A-Z]+[0-9]+)"([^>]*)>(<f>[^<]*</f>)<v ?/?>(?:</v>)?</c>')
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def store_values(path: Path, values: CellValues) -> None:
    """Write the values of formula cells into a workbook that openpyxl saved, in place. Raises KeyError for a formula without one."""
    with zipfile.ZipFile(path) as package:
        parts = [(item, package.read(item)) for item in package.infolist()]
        sheets = _sheet_parts(package)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for item, content in parts:
            stored = values.get(sheets.get(item.filename, ""))
            package.writestr(item, _with_values(content.decode(), stored).encode() if stored else content)


def _with_values(xml: str, values: Mapping[str, float | str]) -> str:
    def stored(match: re.Match[str]) -> str:
        address, attributes, formula = match.groups()
        value = values[address]
        if isinstance(value, str):
            return f'<c r="{address}"{attributes} t="str">{formula}<v>{escape(value)}</v></c>'
        return f'<c r="{address}"{attributes}>{formula}<v>{value!r}</v></c>'

    return _FORMULA.sub(stored, xml)


def _sheet_parts(package: zipfile.ZipFile) -> dict[str, str]:
    """Part name to sheet title."""
    relations = ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
    targets = {r.get("Id"): f"xl/{r.get('Target', '').removeprefix('/xl/')}" for r in relations}
    sheets = ElementTree.fromstring(package.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
    return {targets[s.get(_REL)]: s.get("name", "") for s in sheets}
