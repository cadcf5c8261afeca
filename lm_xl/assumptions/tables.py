"""The sheets of a workbook as tables of raw cells: a header, rows under it, and the faults of both."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from lm_xl.assumptions.columns import OPTIONAL
from lm_xl.faults import Fault
from lm_xl.model.labels import RENAMED, folded, nearest
from lm_xl.xlsx.addresses import address_of, area_of, column_number
from lm_xl.xlsx.package import opened
from lm_xl.xlsx.sheets import SheetSettings
from lm_xl.xlsx.workbook_file import Value, WorkbookFile

HEADER_WITHIN = 20
"""The header of a table stands within this many rows of the top."""
MOST_ROWS = 20_000
"""Rows of a sheet that are read."""


Cells = dict[int, dict[int, tuple[Value, bool]]]
"""By row and column from 1: a value, and whether a formula without a stored value stands there."""


class RawCell(NamedTuple):
    """A cell as read: its address, its value, and whether a formula without a stored value stands in it.

    `absent` marks the cell of a column that is not there, which has its own fault and is no fault again in every row.
    """

    sheet: str
    address: str
    value: Value
    unstored: bool = False
    absent: bool = False

    @property
    def blank(self) -> bool:
        return not self.unstored and (
            self.value is None or (isinstance(self.value, str) and not self.value.strip())
        )

    @property
    def shown(self) -> str:
        """The value as a message quotes it."""
        if isinstance(self.value, bool):
            return str(self.value).upper()
        if isinstance(self.value, float):
            return f"{self.value:.15g}"
        if isinstance(self.value, dt.datetime):
            return (
                f"the date {self.value:%Y-%m-%d}"
                if self.value.time() == dt.time()
                else f"the date {self.value:%Y-%m-%d %H:%M}"
            )
        return repr(self.value)


SheetRow = Mapping[str, RawCell]
"""A row of a sheet: a column's name (years as text) to its cell."""


@dataclass(frozen=True)
class Table:
    """The rows under a sheet's header."""

    sheet: str
    header: Mapping[str, RawCell]
    """Column name to the cell it stands in."""
    rows: tuple[SheetRow, ...]


def read_tables(path: Path, wanted: Mapping[str, Collection[str]], faults: list[Fault]) -> dict[str, Table]:
    """Read the wanted sheets; `wanted` maps a sheet's name to the columns it must have. Adds faults; raises Refused where nothing can be read."""
    with opened(path) as package:
        return _tables(WorkbookFile(package), path.name, wanted, faults)


def _tables(
    book: WorkbookFile, file: str, wanted: Mapping[str, Collection[str]], faults: list[Fault]
) -> dict[str, Table]:
    """The wanted sheets as tables, and the faults of those that are missing, hidden or without a header."""
    tables = {}
    for name, columns in wanted.items():
        found = [s for s in book.sheets if folded(s.title) == folded(name)]
        if not found and name in OPTIONAL:
            continue
        if not found:
            others = [s.title for s in book.sheets if folded(s.title) not in {folded(w) for w in wanted}]
            faults.append(Fault(file, name, "", f"the sheet {name!r} is missing{_close(name, others)}"))
            continue
        if len(found) > 1:
            faults.append(
                Fault(
                    file,
                    name,
                    "",
                    f"{len(found)} sheets are called {name!r}: delete or rename all but one",
                )
            )
            continue
        entry = found[0]
        cells: Cells = {}
        if entry.state != "visible":
            faults.append(Fault(file, entry.title, "", "the sheet is hidden: unhide it"))
        settings = book.read(entry, cells, book.typed, MOST_ROWS)
        table = _table(file, entry.title, cells, settings, columns, faults)
        if table is not None:
            tables[name] = table
    return tables


def _close(name: str, others: Collection[str]) -> str:
    """The nearest of some names, or "" where none is near."""
    hint = nearest(name, list(others))
    return f": {hint}" if hint.startswith("nearest") else ""


def _table(
    file: str,
    title: str,
    cells: Cells,
    settings: SheetSettings,
    columns: Collection[str],
    faults: list[Fault],
) -> Table | None:
    """A sheet's table, or None and a fault where there is none. Columns that nobody asked for do no harm, whatever they hold."""

    def raw(column: int, row: int) -> RawCell:
        value, unstored = cells.get(row, {}).get(column, (None, False))
        return RawCell(title, address_of(row, column), value, unstored)

    def fault(cell: str, message: str) -> None:
        faults.append(Fault(file, title, cell, message))

    if settings.below:
        fault(
            f"A{settings.below}",
            f"data in row {settings.below:,}; at most {MOST_ROWS:,} rows are read: delete what is not needed",
        )
        return None
    named = {
        row: [(_name(value), column) for column, (value, _) in sorted(found.items())]
        for row, found in sorted(cells.items())
        if row <= HEADER_WITHIN
    }
    top = next(
        (row for row, names in named.items() if len({n for n, _ in names} & set(columns)) * 2 > len(columns)),
        0,
    )
    if not top:
        fault(
            "",
            f"no header row within the first {HEADER_WITHIN} rows; it needs the columns {', '.join(columns)}",
        )
        return None
    header: dict[str, int] = {}
    for name, column in named[top]:
        used = name in columns or is_year(name)
        if used and name in header:
            fault(address_of(top, column), f"the column {name!r} is there twice")
        elif name and used:
            header[name] = column
    others = {name: column for name, column in named[top] if name and name not in header}
    for name in columns:
        if name not in header:
            old = next((o for o in others if RENAMED.get(o) == name), "")
            if old:
                fault(address_of(top, others[old]), f"the column {old!r} is called {name!r} now: rename it")
            else:
                fault(f"A{top}", f"the column {name!r} is missing{_close(name, others)}")
    for column in sorted(header.values()):
        if any(run.hidden and run.first <= column <= run.last for run in settings.columns):
            fault(address_of(top, column), "the column is hidden: show it")
    for area in settings.merged:
        joined = area_of(area)
        if (
            joined
            and joined.bottom >= top
            and any(joined.left <= column <= joined.right for column in header.values())
        ):
            fault(area, "merged cells: unmerge them, each row needs its own values")
    rows, hidden_rows = [], set(settings.hidden_rows)
    for number in sorted(n for n in cells if n > top):
        row = {name: raw(column, number) for name, column in header.items()}
        if all(c.blank for c in row.values()):
            continue
        if number in hidden_rows:
            fault(f"A{number}", "the row is hidden, perhaps by a filter: show it or delete it")
        rows.append(row)
    return Table(title, {name: raw(column, top) for name, column in header.items()}, tuple(rows))


def table_of(
    file: str, title: str, grid: Sequence[Sequence[Value]], columns: Collection[str], faults: list[Fault]
) -> Table | None:
    """A range of values as a table; addresses count from the range's own first cell. Adds faults; None where it has no header."""
    cells: Cells = {
        row: {column: (value, False) for column, value in enumerate(values, 1) if value is not None}
        for row, values in enumerate(grid, 1)
    }
    return _table(file, title, cells, SheetSettings(), columns, faults)


def is_year(name: str) -> bool:
    """Whether a column's name is a year."""
    return len(name) == 4 and name.isascii() and name.isdigit()


def _name(value: Value) -> str:
    if isinstance(value, float) and value.is_integer():
        value = str(int(value))
    return folded(value) if isinstance(value, str) else ""


def in_order(faults: list[Fault], sheets: Collection[str]) -> list[Fault]:
    """Faults in the order of the workbook; what is wrong in the same way in several cells of a sheet is one fault that lists them."""
    order = {folded(s): i for i, s in enumerate(("", *sheets))}
    cells: dict[tuple[str, str, str], list[str]] = {}
    for fault in dict.fromkeys(faults):
        cells.setdefault((fault.file, fault.sheet, fault.message), []).append(fault.cell)
    found = []
    for (file, sheet, message), places in cells.items():
        areas = _areas(places)
        if len(places) > 1:
            message += (
                f" (in {', '.join(areas[:8])}{f' and {len(areas) - 8} more' if len(areas) > 8 else ''})"
            )
        found.append(Fault(file, sheet, min(places, key=_position), message))
    return sorted(found, key=lambda f: (order.get(folded(f.sheet), len(order)), _position(f.cell), f.message))


def _position(cell: str) -> tuple[int, int]:
    match = re.match(r"([A-Z]{1,3})(\d+)", cell)
    return (int(match[2]), column_number(match[1])) if match else (0, 0)


def _areas(cells: list[str]) -> list[str]:
    """Cells with those below one another joined: A6, A7, A8 is A6:A8."""
    ordered = sorted(cells, key=lambda c: (_position(c)[1], _position(c)[0]))
    breaks = [
        i
        for i, (a, b) in enumerate(pairwise(ordered), 1)
        if _position(b) != (_position(a)[0] + 1, _position(a)[1]) or ":" in a + b
    ]
    runs = [ordered[i:j] for i, j in pairwise([0, *breaks, len(ordered)])]
    return [run[0] if len(run) == 1 else f"{run[0]}:{run[-1]}" for run in runs]
