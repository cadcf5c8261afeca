"""The values that charts keep of the cells they show: what previews, mail and phones draw them from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, unescape

from lm_xl.xlsx.addresses import Area, address_of, area_of, column_letters
from lm_xl.xlsx.package import Package
from lm_xl.xlsx.workbook_file import WorkbookFile

Values = Mapping[str, Mapping[str, float | str]]
"""Values by sheet and address."""

CHART_PART = r"xl/charts/chart\d+\.xml"
_REFERENCE = re.compile(r"(<cat>)?<(numRef|strRef)><f>('(?:[^']|'')+'|[^'!]+)!([^<]+)</f></\2>")
"""Where a chart that openpyxl wrote refers to cells; categories refer to numbers whatever their cells hold."""
_CELL = re.compile(
    rb'<c r="([A-Z]+)\d+"[^>]*?(?:/>|>(?:<f[^>]*(?:/>|>[^<]*</f>))?(?:<v>([^<]*)</v>|<is><t[^>]*>([^<]*)</t></is>)?[^<]*</c>)'
)
"""A cell that openpyxl wrote: its column, and its stored value or its text."""


def cached_charts(package: Package, values: Values) -> dict[str, bytes]:
    """The charts of a workbook that openpyxl wrote, with the value of every cell that they refer to.

    `values` are those that the file does not hold yet. Categories with words become references to texts.
    """
    cells = _Cells(package, values)

    def cached(match: re.Match[str]) -> str:
        category, kind, sheet, place = match.groups()
        title = unescape(sheet, {"&apos;": "'"})
        area = area_of(place)
        if area is None:
            return match[0]
        points = cells.of(title.removeprefix("'").removesuffix("'").replace("''", "'"), area)
        if category and any(isinstance(p, str) for p in points):
            kind = "strRef"
        return f"{category or ''}<{kind}><f>{sheet}!{place}</f>{_cache(kind, points)}</{kind}>"

    charts = [part for part in package.parts if re.fullmatch(CHART_PART, part)]
    return {part: _REFERENCE.sub(cached, package.read(part).decode()).encode() for part in charts}


def _cache(kind: str, points: Sequence[float | str | None]) -> str:
    """The values as a chart keeps them; what is no number is left out where numbers are due."""
    words = kind == "strRef"
    kept = "".join(
        f'<pt idx="{i}"><v>{escape(p) if isinstance(p, str) else f"{p:.10g}"}</v></pt>'
        for i, p in enumerate(points)
        if p is not None and (words or not isinstance(p, str))
    )
    name, code = ("strCache", "") if words else ("numCache", "<formatCode>General</formatCode>")
    return f'<{name}>{code}<ptCount val="{len(points)}"/>{kept}</{name}>'


class _Cells:
    """The values of cells, row by row as charts ask for them."""

    def __init__(self, package: Package, values: Values) -> None:
        self.values = values
        self.sheets = {sheet.title: package.read(sheet.part) for sheet in WorkbookFile(package).sheets}
        self.rows: dict[tuple[str, int], dict[str, float | str]] = {}

    def of(self, title: str, area: Area) -> list[float | str | None]:
        """The values of an area, row by row."""
        return [
            self.at(title, row, column)
            for row in range(area.top, area.bottom + 1)
            for column in range(area.left, area.right + 1)
        ]

    def at(self, title: str, row: int, column: int) -> float | str | None:
        given = self.values.get(title, {}).get(address_of(row, column))
        if given is not None:
            return given
        if (title, row) not in self.rows:
            self.rows[title, row] = _stored_row(self.sheets.get(title, b""), row)
        return self.rows[title, row].get(column_letters(column))


def _stored_row(sheet: bytes, row: int) -> dict[str, float | str]:
    """What a row of a sheet holds, by column."""
    first = sheet.find(b'<row r="%d"' % row)
    end = sheet.find(b"</row>", first)
    found: dict[str, float | str] = {}
    for column, value, text in _CELL.findall(sheet, first, end) if 0 <= first < end else ():
        said = unescape((text or value).decode())
        if said:
            found[column.decode()] = said if text else _number_or_text(said)
    return found


def _number_or_text(said: str) -> float | str:
    try:
        return float(said)
    except ValueError:
        return said
