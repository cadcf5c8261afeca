"""The sheets of a workbook as tables of raw cells: a header, rows under it, and the faults of both."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from lm_xl.assumptions.columns import OPTIONAL
from lm_xl.faults import Fault
from lm_xl.model.labels import RENAMED, folded, nearest
from lm_xl.xlsx.addresses import Area, address_of, area_of, column_number, place_of
from lm_xl.xlsx.package import opened
from lm_xl.xlsx.precedents import MOST_FOLLOWED, Precedents
from lm_xl.xlsx.sheets import YES, SheetSettings
from lm_xl.xlsx.workbook_file import ExcelTable, SheetEntry, Value, WorkbookFile

HEADER_WITHIN = 20
"""The header of a table stands within this many rows of the top."""
COPY = r"[\s_-]*(\(.*\)|\d+|copy|kopie|copie|copia|old|alt|new|neu|backup|draft|v\d+)\s*"
"""What stands behind the name of a sheet in that of its copy."""
MOST_NAMES = 6
"""Sheets that are not read and are told by name."""
MOST_ROWS = 20_000
"""Rows of a sheet that are read."""


Cells = dict[int, dict[int, tuple[Value, bool]]]
"""By row and column from 1: a value, None where none is stored, and whether a formula stands there."""
UNSTORED = "a formula with no stored value: open the workbook in Excel, let it calculate, and save it"


class RawCell(NamedTuple):
    """A cell as read: its address, its value, whether a formula stands in it, and why its value cannot be taken, or "".

    `absent` marks the cell of a column that is not there, which has its own fault and is no fault again in every row.
    """

    sheet: str
    address: str
    value: Value
    formula: bool = False
    unstored: str = ""
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
    unread: tuple[RawCell, ...] = ()
    """What else stands in the header's row."""


def read_tables(
    path: Path,
    wanted: Mapping[str, Collection[str]],
    faults: list[Fault],
    notes: list[Fault] | None = None,
) -> dict[str, Table]:
    """Read the wanted sheets; `wanted` maps a sheet's name to the columns it must have.

    Adds faults, and notes of what is left aside; raises Refused where nothing can be read.
    """
    notes = [] if notes is None else notes
    with opened(path) as package:
        book = WorkbookFile(package)
        tables = _tables(book, path.name, wanted, faults, notes)
        follow_formulas(book, path.name, tables.values(), faults, notes)
        return tables


def _tables(
    book: WorkbookFile,
    file: str,
    wanted: Mapping[str, Collection[str]],
    faults: list[Fault],
    notes: list[Fault],
) -> dict[str, Table]:
    """The wanted sheets as tables, and the faults of those that are missing, hidden or without a header."""
    tables = {}
    others = [s.title for s in book.sheets if folded(s.title) not in set(map(folded, wanted))]
    for name, columns in wanted.items():
        found = [s for s in book.sheets if folded(s.title) == folded(name)]
        if not found and name in OPTIONAL:
            continue
        if len(found) != 1:
            why = f"{len(found)} sheets are called {name!r}: delete or rename all but one"
            if not found:
                why = f"the sheet {name!r} is missing{_close(name, others)}"
            faults.append(Fault(file, name, "", why))
            continue
        entry = found[0]
        if entry.state != "visible":
            faults.append(Fault(file, entry.title, "", "the sheet is hidden: unhide it"))
        cells: Cells = {}
        settings = book.read(entry, cells, book.typed, MOST_ROWS)
        sheet = _Sheet(file, entry.title, cells, settings, book.tables(entry), book.uncalculated)
        table = sheet.table(columns)
        faults += sheet.faults
        notes += sheet.notes
        if table is not None:
            tables[name] = table
        copies = [title for title in others if re.fullmatch(rf"\s*{name}{COPY}", title, re.I)]
        notes += [Fault(file, c, "", f"is not read: the sheet {name!r} is, beside it") for c in copies]
    if others:
        named = ", ".join(map(repr, others[:MOST_NAMES]))
        more = f" and {len(others) - MOST_NAMES} more" if len(others) > MOST_NAMES else ""
        notes.append(Fault(file, "", "", f"sheets that are not read: {named}{more}"))
    return tables


def follow_formulas(
    book: WorkbookFile, file: str, tables: Iterable[Table], faults: list[Fault], notes: list[Fault]
) -> None:
    """Where the value of a cell that is read comes from a formula: circles are faults, other workbooks and iteration are noted."""
    cells = [
        c for t in tables for row in (t.header, *t.rows) for c in row.values() if c.formula and not c.unstored
    ]
    if not cells:
        return
    if book.calculation.get("iterate") in YES:
        notes.append(
            Fault(file, "", "", "iterative calculation is on: circular formulas are not told by Excel")
        )
    precedents = Precedents(book)
    for cell in cells:
        place = folded(cell.sheet), *place_of(cell.address)
        if precedents.outside(place):
            told = f"{cell.shown} comes from another workbook, as it was when the two were last open together"
            notes.append(Fault(file, cell.sheet, cell.address, told))
        if precedents.circular(place):
            circle = "the formula leads into a circle of formulas, which have no value: break the circle or type the number"
            faults.append(Fault(file, cell.sheet, cell.address, circle))
    if precedents.exhausted:
        notes.append(
            Fault(file, "", "", f"more than {MOST_FOLLOWED:,} references: not all circles were looked for")
        )


def _close(name: str, others: Collection[str]) -> str:
    """The nearest of some names, or "" where none is near."""
    hint = nearest(name, list(others))
    return f": {hint}" if hint.startswith("nearest") else ""


class _Sheet:
    """A sheet on its way to a table: its cells, what is said beside them, and the faults and notes so far."""

    def __init__(
        self,
        file: str,
        title: str,
        cells: Cells,
        settings: SheetSettings,
        ranges: Sequence[ExcelTable] = (),
        uncalculated: str = "",
    ) -> None:
        self.file, self.title, self.cells, self.settings = file, title, cells, settings
        self.ranges, self.uncalculated = ranges, uncalculated
        self.faults: list[Fault] = []
        self.notes: list[Fault] = []

    def table(self, columns: Collection[str]) -> Table | None:
        """The table, or None and a fault where there is none. Columns that nobody asked for do no harm, whatever they hold."""
        if below := self.settings.below:
            most = f"at most {MOST_ROWS:,} rows are read: delete what is not needed"
            self.fault(f"A{below}", f"data in row {below:,}; {most}")
            return None
        top = self.top(columns)
        if not top:
            due = f"it needs the columns {', '.join(columns)}"
            self.fault("", f"no header row within the first {HEADER_WITHIN} rows; {due}")
            return None
        header = self.header(top, columns)
        self.demand_columns(top, header, columns)
        rows = self.rows(top, header)
        self.demand_shown(top, max(rows, default=top), header)
        read = {name: self.raw(top, column) for name, column in header.items()}
        others = (self.raw(top, column) for column in sorted(set(self.cells[top]) - set(header.values())))
        unread = tuple(cell for cell in others if not cell.blank)
        if unread:
            shown = ", ".join(f"{cell.shown} ({cell.address})" for cell in unread)
            self.note("", f"columns that are not read: {shown}")
        return Table(self.title, read, tuple(rows.values()), unread)

    def raw(self, row: int, column: int) -> RawCell:
        value, formula = self.cells.get(row, {}).get(column, (None, False))
        unstored = ""
        if formula and value is None:
            unstored = UNSTORED
        elif formula and self.uncalculated:
            unstored = f"a formula whose stored value may not be its own: {self.uncalculated}, and save it"
        return RawCell(self.title, address_of(row, column), value, formula, unstored)

    def fault(self, cell: str, message: str) -> None:
        self.faults.append(Fault(self.file, self.title, cell, message))

    def note(self, cell: str, message: str) -> None:
        self.notes.append(Fault(self.file, self.title, cell, message))

    def top(self, columns: Collection[str]) -> int:
        """The row of the header, which has more than half of the columns; 0 where there is none."""
        for row in sorted(n for n in self.cells if n <= HEADER_WITHIN):
            names = {_name(value) for value, _ in self.cells[row].values()}
            if len(names & set(columns)) * 2 > len(columns):
                return row
        return 0

    def header(self, top: int, columns: Collection[str]) -> dict[str, int]:
        """The columns that are read, by name."""
        header: dict[str, int] = {}
        for column, (value, _) in sorted(self.cells[top].items()):
            name = _name(value)
            if name not in columns and not is_year(name):
                continue
            if name in header:
                self.fault(address_of(top, column), f"the column {name!r} is there twice")
            else:
                header[name] = column
                cell = self.raw(top, column)
                if cell.unstored:
                    self.fault(cell.address, cell.unstored)
        return header

    def demand_columns(self, top: int, header: Mapping[str, int], columns: Collection[str]) -> None:
        """Every column is there."""
        others = {_name(v): c for c, (v, _) in sorted(self.cells[top].items()) if _name(v) not in header}
        for name in columns:
            if name not in header:
                old = next((o for o in others if RENAMED.get(o) == name), "")
                if old:
                    renamed = f"the column {old!r} is called {name!r} now: rename it"
                    self.fault(address_of(top, others[old]), renamed)
                else:
                    near = _close(name, [other for other in others if other])
                    self.fault(f"A{top}", f"the column {name!r} is missing{near}")

    def demand_shown(self, top: int, bottom: int, header: Mapping[str, int]) -> None:
        """No column of the table is hidden, and none of its cells are merged."""
        for column in sorted(header.values()):
            if any(run.hidden and run.first <= column <= run.last for run in self.settings.columns):
                self.fault(address_of(top, column), "the column is hidden: show it")
        for area in self.settings.merged:
            joined = area_of(area)
            if joined is None or joined.bottom < top or joined.top > bottom:
                continue
            if any(joined.left <= column <= joined.right for column in header.values()):
                self.fault(area, "merged cells: unmerge them, each row needs its own values")

    def rows(self, top: int, header: Mapping[str, int]) -> dict[int, SheetRow]:
        """The rows of the table by number, none of them hidden or below its range."""
        ends = [area for _, area, _, _ in self.ranges if area.top == top and _spans(area, header)]
        found = self.filled_rows(top, header, ends)
        for number in sorted(self.hidden_rows & found.keys()):
            self.fault(f"A{number}", "the row is hidden, perhaps by a filter: show it or delete it")
        self.demand_within(ends, found)
        return found

    def filled_rows(self, top: int, header: Mapping[str, int], ends: Sequence[Area]) -> dict[int, SheetRow]:
        """What stands below the header, by row. What stands apart below the last of them, in one cell a row, is a note."""
        found: dict[int, SheetRow] = {}
        for number in sorted(n for n in self.cells if n > top):
            row = {name: self.raw(number, column) for name, column in header.items()}
            if not all(cell.blank for cell in row.values()):
                found[number] = row
        last = max((n for n, row in found.items() if _filled(row) > 1), default=top)
        last = max(last, *(area.bottom for area in ends)) if ends else last
        for number in [n for n in found if n > last + 1]:
            words = [cell for cell in found[number].values() if not cell.blank]
            if len(words) == 1 and isinstance(words[0].value, str):
                self.note(words[0].address, f"a note below the table is not read: {words[0].shown}")
                del found[number]
        return found

    def demand_within(self, ends: Sequence[Area], found: Mapping[int, SheetRow]) -> None:
        """No row stands below the range of its Excel table."""
        for area in ends:
            for number in [n for n in found if n > area.bottom]:
                first = next(cell for cell in found[number].values() if not cell.blank)
                self.fault(first.address, beyond_table(area))

    @cached_property
    def hidden_rows(self) -> set[int]:
        return set(self.settings.hidden_rows)


def rows_beyond(
    book: WorkbookFile, file: str, entry: SheetEntry, table: ExcelTable, columns: Collection[str]
) -> list[Fault]:
    """The rows below the range of an Excel table for which the reader of its sheet refuses it. Other tables of the sheet are none of it."""
    cells: Cells = {}
    settings = book.read(entry, cells, book.typed, MOST_ROWS)
    others = [other.area for other in book.tables(entry) if other != table]
    own = {
        row: {column: cell for column, cell in found.items() if not any(a.holds(row, column) for a in others)}
        for row, found in cells.items()
    }
    sheet = _Sheet(file, entry.title, own, settings, [table], book.uncalculated)
    top, ends = table.area.top, [table.area]
    header = sheet.header(top, columns) if top in own else {}
    found = sheet.filled_rows(top, header, ends)
    sheet.faults.clear()  # of its header, which those who take the table tell
    sheet.demand_within(ends, found)
    return sheet.faults


def beyond_table(area: Area) -> str:
    """What is wrong with a row below the range of an Excel table, which formulas that take the table do not see."""
    own = f"the range of its table, which ends in row {area.bottom}"
    return f"the row stands below {own}: insert it inside of the table, or drag the table's corner over it"


def _spans(area: Area, header: Mapping[str, int]) -> bool:
    return any(area.left <= column <= area.right for column in header.values())


def _filled(row: SheetRow) -> int:
    return sum(not cell.blank for cell in row.values())


def table_of(
    file: str, title: str, grid: Sequence[Sequence[Value]], columns: Collection[str], faults: list[Fault]
) -> Table | None:
    """A range of values as a table; addresses count from the range's own first cell. Adds faults; None where it has no header."""
    cells: Cells = {
        row: {column: (value, False) for column, value in enumerate(values, 1) if value is not None}
        for row, values in enumerate(grid, 1)
    }
    sheet = _Sheet(file, title, cells, SheetSettings())
    table = sheet.table(columns)
    faults += sheet.faults
    return table


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
