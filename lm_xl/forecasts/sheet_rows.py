"""The rows of an assumptions workbook as text, each known by a name, so that two workbooks can be laid side by side."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

from lm_xl.assumptions.assumptions import Keys, held
from lm_xl.assumptions.columns import KEYS, SHEETS, WANTED
from lm_xl.assumptions.tables import RawCell, SheetRow, is_year, read_tables
from lm_xl.model.labels import folded

KEYED = ("quantity", *KEYS)
NAMES = {
    "Axes": ("axis", "label"),
    **dict.fromkeys(SHEETS, KEYED),
    "Products": ("segment", "product"),
    "Scenarios": ("scenario", *KEYED),
    "Correlations": ("quantity", "segment", "subtype", "other_quantity", "other_segment", "other_subtype"),
    "Published": ("publisher", "what", "metric", *KEYS, "year"),
    "Bands": ("result", *KEYS, "year"),
    "Currencies": ("currency",),
    "Sources": ("id",),
    "Changes": ("version", "date", "who"),
}
"""The columns by which a row of a sheet is known; two rows are the same row if these agree."""
IN_ORDER = ("Axes", "Products", "Scenarios", "Changes")
"""The sheets in which the order of the rows means something."""
LIST_COLUMNS = ("groups", "source", "trials")
"""The columns that hold several words, in any order."""

Name = tuple[str, ...]
"""What a row's naming columns hold, and which it is of the rows that hold the same."""
SheetRows = Mapping[str, Mapping[Name, SheetRow]]
"""Sheet to the rows on it, by their names."""


def rows_by_name(path: Path) -> dict[str, dict[Name, SheetRow]]:
    """The rows of each sheet by their names; rows of the same name are numbered. Raises Refused."""
    found: dict[str, dict[Name, SheetRow]] = {sheet: {} for sheet in WANTED}
    for sheet, table in read_tables(path, WANTED, []).items():
        for row in table.rows:
            name = tuple(folded(_text(row[c])) if c in row else "" for c in NAMES[sheet])
            number = sum(other[:-1] == name for other in found[sheet])
            found[sheet][*name, str(number)] = row
    return found


def lines_of(path: str | Path) -> list[str]:
    """A workbook as text, one line a row and without its layout, so that two versions can be compared line by line.

    The numbers are not checked. Raises Refused where the file cannot be read as a workbook.
    """
    lines = []
    for sheet, rows in rows_by_name(Path(path)).items():
        of_sheet = [_line(sheet, row) for row in rows.values()]
        lines += of_sheet if sheet in IN_ORDER else sorted(of_sheet, key=folded)
    return lines


def _line(sheet: str, row: SheetRow) -> str:
    """A row on one line: its sheet, its name in words, and what stands in its other columns."""
    others = [f"{column} {text}" for column, text in texts(sheet, row).items() if column not in NAMES[sheet]]
    return f"{sheet}, {in_words(sheet, row)}{': ' if others else ''}{' | '.join(others)}"


def texts(sheet: str, row: SheetRow) -> dict[str, str]:
    """What stands in a row, by column, blanks left out; lists of groups and of sources in one order."""
    columns = [*WANTED[sheet], *(c for c in row if is_year(c))]
    found = {c: _text(row[c]) for c in columns if c in row}
    for column in LIST_COLUMNS:
        if column in found:
            words = filter(None, map(str.strip, found[column].split(";")))
            found[column] = "; ".join(sorted(words, key=folded))
    return {c: text for c, text in found.items() if text}


def in_words(sheet: str, row: SheetRow) -> str:
    """A row's name in words, such as "lm_risk of US x SCLC"."""
    words = [_text(row[c]) if c in row else "" for c in NAMES[sheet]]
    if NAMES[sheet][-len(KEYED) :] != KEYED:
        return ", ".join(word for word in words if word)
    *scenario, quantity, region, segment, subtype = words
    return f"{''.join(f'{name}: ' for name in scenario)}{quantity} of {Keys(region, segment, subtype)}"


def _text(cell: RawCell) -> str:
    """A cell's value on one line; a number in the digits that a spreadsheet holds."""
    value = cell.value
    if isinstance(value, float):
        return held(value)
    if isinstance(value, dt.datetime):
        return value.isoformat().removesuffix("T00:00:00")
    return "" if value is None else re.sub(r"\s*[\r\n]\s*", " / ", str(value).strip())
