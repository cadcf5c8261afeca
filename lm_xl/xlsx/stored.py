"""Stored values beside formulas: what previews, phones and pandas read. All other bytes of a sheet stay, whoever wrote it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from lm_xl.xlsx.addresses import address_of, column_letters, column_number, split_address
from lm_xl.xlsx.finish import finish
from lm_xl.xlsx.package import opened, repacked
from lm_xl.xlsx.splice import Rewrite, StoredValue, with_values
from lm_xl.xlsx.workbook_file import WorkbookFile

DIGITS = 10
"""Significant digits of a stored value in the deliverable, whose formulas a spreadsheet computes in full when it opens the file."""

Spans = Mapping[str, Mapping[int, tuple[str, str]]]
"""Sheet to row to the first and the last column of the cells that share one formula."""


def write_values(source: Path, target: Path, values: Mapping[tuple[str, int, int], StoredValue]) -> None:
    """Copy a workbook with other stored values, by sheet, row and column; cells that are not there yet are added. Raises Refused."""
    by_sheet: dict[str, dict[str, StoredValue]] = {}
    for (sheet, row, column), value in values.items():
        by_sheet.setdefault(sheet, {})[address_of(row, column)] = value
    titles = _titles(source)

    def change(part: str, content: bytes) -> bytes:
        found = by_sheet.get(titles.get(part, ""))
        return with_values(content, found) if found else content

    repacked(source, target, change)


def store_values(
    path: Path,
    values: Mapping[str, Mapping[str, float | str]],
    spans: Spans,
    static: Mapping[str, str] | None = None,
    exact: Collection[str] = (),
) -> None:
    """Write the values of formula cells into a workbook that openpyxl saved, in place; store a row's one formula once; finish it.

    `values` are by sheet and address. With `static` they replace their formulas, and words of the cover are replaced as it
    says. Sheets in `exact` keep all digits, for a spreadsheet that computes only some of their cells again. Raises KeyError for
    a formula without a value.
    """

    def change(title: str, content: bytes) -> bytes:
        if values.get(title) and static is None:
            shared = _sharing(spans.get(title, {}))
            number = repr if title in exact else _rounded
            content = with_values(content, values[title], shared, number)
        elif values.get(title):
            content = with_values(content, values[title], lambda *_: b"", repr)
        for old, new in (static or {}).items():
            content = content.replace(escape(old).encode(), escape(new).encode())
        return content

    finish(path, values, change)


def _rounded(x: float) -> str:
    return f"{x:.{DIGITS}g}"


def _titles(path: Path) -> dict[str, str]:
    """The title of each sheet, by its part of the package."""
    with opened(path) as package:
        return {sheet.part: sheet.title for sheet in WorkbookFile(package).sheets}


def _sharing(spans: Mapping[int, tuple[str, str]]) -> Rewrite:
    """Has the cells of a span share the formula of its first cell."""
    numbers: dict[int, int] = {}

    def shared(address: str, formula: bytes) -> bytes:
        letters, digits = split_address(address)
        row = int(digits)
        if row not in spans or letters not in _columns(*spans[row]):
            return formula
        first, last = spans[row]
        if letters != first:
            return b'<f t="shared" si="%d"/>' % numbers[row]
        numbers[row] = len(numbers)
        start = f'<f t="shared" ref="{first}{row}:{last}{row}" si="{numbers[row]}">'
        return formula.replace(b"<f>", start.encode())

    return shared


@cache
def _columns(first: str, last: str) -> frozenset[str]:
    return frozenset(column_letters(c) for c in range(column_number(first), column_number(last) + 1))
