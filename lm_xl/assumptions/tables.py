"""The sheets of a workbook as tables of raw cells: a header, rows under it, and the faults of both."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

from lm_xl.faults import Fault, Refused
from lm_xl.model.labels import RENAMED, folded, nearest
from lm_xl.xlsx.addresses import address_of, column_number
from lm_xl.xlsx.package import Damaged, inspect_package
from lm_xl.xlsx.sheets import MOST_ROWS, SheetCells, Value, WorkbookFile

HEADER_WITHIN = 20
"""The header of a table stands within this many rows of the top."""


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
    inspect_package(path)
    try:
        with zipfile.ZipFile(path) as package:
            return _tables(WorkbookFile(package), path.name, wanted, faults)
    except Damaged as damage:
        message = str(damage)
    except expat.ExpatError as error:
        message = f"holds broken XML ({error}): save it again from Excel"
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        LookupError,
        ValueError,
    ) as error:
        message = f"is damaged ({error}): save it again from Excel"
    raise Refused([Fault(path.name, "", "", message)])


def _tables(
    book: WorkbookFile, file: str, wanted: Mapping[str, Collection[str]], faults: list[Fault]
) -> dict[str, Table]:
    """The wanted sheets as tables, and the faults of those that are missing, hidden or without a header."""
    tables = {}
    for name, columns in wanted.items():
        found = [s for s in book.sheets if folded(s[0]) == folded(name)]
        if not found:
            others = [s[0] for s in book.sheets if folded(s[0]) not in {folded(w) for w in wanted}]
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
        title, state, part = found[0]
        if state != "visible":
            faults.append(Fault(file, title, "", "the sheet is hidden: unhide it"))
        table = _table(file, title, book.read(part), columns, faults)
        if table is not None:
            tables[name] = table
    return tables


def _close(name: str, others: Collection[str]) -> str:
    """The nearest of some names, or "" where none is near."""
    hint = nearest(name, list(others))
    return f": {hint}" if hint.startswith("nearest") else ""


def _table(
    file: str, title: str, sheet: SheetCells, columns: Collection[str], faults: list[Fault]
) -> Table | None:
    """A sheet's table, or None and a fault where there is none. Columns that nobody asked for do no harm, whatever they hold."""

    def raw(column: int, row: int) -> RawCell:
        value, unstored = sheet.cells.get(row, {}).get(column, (None, False))
        return RawCell(title, address_of(row, column), value, unstored)

    def fault(cell: str, message: str) -> None:
        faults.append(Fault(file, title, cell, message))

    if sheet.below:
        fault(
            f"A{sheet.below}",
            f"data in row {sheet.below:,}; at most {MOST_ROWS:,} rows are read: delete what is not needed",
        )
        return None
    named = {
        row: [(_name(value), column) for column, (value, _) in sorted(cells.items())]
        for row, cells in sorted(sheet.cells.items())
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
        if any(column in span for span in sheet.hidden_columns):
            fault(address_of(top, column), "the column is hidden: show it")
    for area in sheet.merged:
        joined = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d+):\$?([A-Z]{1,3})\$?(\d+)", area)
        if (
            joined
            and int(joined[4]) >= top
            and any(column_number(joined[1]) <= c <= column_number(joined[3]) for c in header.values())
        ):
            fault(area, "merged cells: unmerge them, each row needs its own values")
    rows = []
    for number in sorted(n for n in sheet.cells if n > top):
        row = {name: raw(column, number) for name, column in header.items()}
        if all(c.blank for c in row.values()):
            continue
        if number in sheet.hidden_rows:
            fault(f"A{number}", "the row is hidden, perhaps by a filter: show it or delete it")
        rows.append(row)
    return Table(title, {name: raw(column, top) for name, column in header.items()}, tuple(rows))


def table_of(
    file: str, title: str, grid: Sequence[Sequence[Value]], columns: Collection[str], faults: list[Fault]
) -> Table | None:
    """A range of values as a table; addresses count from the range's own first cell. Adds faults; None where it has no header."""
    sheet = SheetCells()
    for row, values in enumerate(grid, 1):
        sheet.cells[row] = {
            column: (value, False) for column, value in enumerate(values, 1) if value is not None
        }
    return _table(file, title, sheet, columns, faults)


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
