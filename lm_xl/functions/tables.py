"""Tables as a sheet hands them over -> assumptions, through the same checks as a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.columns import OPTIONAL, ROW_COLUMNS, SHEETS, WANTED
from lm_xl.assumptions.read import assumptions_of
from lm_xl.assumptions.tables import Table, table_of
from lm_xl.faults import Fault, Refused
from lm_xl.model.labels import folded
from lm_xl.model.quantities import QUANTITIES
from lm_xl.xlsx.addresses import column_number

NAME = "LM_MODEL"
"""Stands for the file in messages."""
UNTOLD = "rows"
"""Stands for the name of a table of rows that names no quantity."""

Grid = Sequence[Sequence[Any]]


def read_grids(grids: Sequence[Grid]) -> Assumptions:
    """Validate tables given as rows of values, headers first, in any order.

    Raises Refused with every fault: each names the table, the row counted from the header as row 1, the column and the value.
    """
    faults: list[Fault] = []
    tables: dict[str, Table] = {}
    headers: dict[str, Grid] = {}
    names = [_table_name(grid) for grid in grids]
    missing = [sheet for sheet in SHEETS if sheet not in names]
    for i, (grid, known) in enumerate(zip(grids, names, strict=True), 1):
        name = missing[0] if known == UNTOLD and len(missing) == 1 else known
        if name == UNTOLD:
            faults.append(
                Fault(
                    NAME,
                    f"table {i}",
                    "",
                    f"names no quantity, so it could be any of {', '.join(missing)}: correct its column 'quantity'",
                )
            )
        elif not name:
            shown = ", ".join(repr(v) for v in grid[0][:5]) if grid and grid[0] else "nothing"
            faults.append(
                Fault(
                    NAME,
                    f"table {i}",
                    "",
                    f"no header of an assumptions table: its first row holds {shown}; give the whole table with its header",
                )
            )
        elif name in headers:
            faults.append(Fault(NAME, name, "", f"the table {name!r} is given twice"))
        else:
            headers[name] = grid
            table = table_of(NAME, name, grid, WANTED[name], faults)
            if table is not None:
                tables[name] = table
    faults += [
        Fault(NAME, name, "", f"the table {name!r} is not among the arguments")
        for name in WANTED
        if name not in headers and name not in OPTIONAL
    ]
    try:
        return assumptions_of(NAME, tables, faults)
    except Refused as refused:
        raise Refused(_fault_in_table(fault, headers) for fault in refused.faults) from None


def low_in_table(fault: Fault) -> Fault:
    """A fault of a low and a high, found after its table was read, with the row and the column of the table."""
    row = re.fullmatch("[A-Z]{1,3}([0-9]+)", fault.cell)
    return replace(fault, cell=f"row {row[1]}, low") if fault.file == NAME and row else fault


def table_columns(headers: Sequence[str]) -> tuple[str, ...]:
    """The columns of the table of assumptions that has such headers; none where it is no such table."""
    name = _table_name([headers])
    return ROW_COLUMNS if name == UNTOLD else tuple(WANTED.get(name, ()))


def _table_name(grid: Grid) -> str:
    """Which table it is, by its header, and for a table of rows by the quantities in it; "" where it is none."""
    columns = {folded(v) for v in grid[0] if isinstance(v, str)} if grid else set()
    overlap = {name: len(columns & set(wanted)) / len(wanted) for name, wanted in WANTED.items()}
    best = max(overlap, key=lambda name: (overlap[name], len(WANTED[name])))
    if overlap[best] <= 0.5:
        return ""
    if WANTED[best] != ROW_COLUMNS:
        return best
    at = [i for i, v in enumerate(grid[0]) if isinstance(v, str) and folded(v) == "quantity"]
    named = [
        QUANTITIES[folded(str(row[at[0]]))].sheet
        for row in grid[1:]
        if at and folded(str(row[at[0]])) in QUANTITIES
    ]
    return max(set(named), key=named.count) if named else UNTOLD


def _fault_in_table(fault: Fault, headers: dict[str, Grid]) -> Fault:
    """A fault whose cells are rows and columns of a table, since nobody knows where on its sheet the table stands."""

    def words(cell: str, table: str) -> str:
        match = re.fullmatch("([A-Z]{1,3})([0-9]+)", cell)
        grid = headers.get(table)
        if not match or not grid:
            return cell
        column = column_number(match[1])
        name = grid[0][column - 1] if column <= len(grid[0]) else match[1]
        return f"row {match[2]}, {str(int(name)) if isinstance(name, float) and name.is_integer() else name}"

    message = re.sub(
        r"\b([A-Z][a-z]+)!([A-Z]{1,3}[0-9]+)\b",
        lambda m: f"{m[1]} {words(m[2], m[1])}" if m[1] in headers else m[0],
        fault.message,
    )
    cells = re.search(r" \(in ([A-Z0-9:, ]+?)( and \d+ more)?\)$", message)
    if cells:
        places = [
            " to ".join(words(c, fault.sheet) for c in area.split(":")) for area in cells[1].split(", ")
        ]
        message = f"{message[: cells.start()]} (in {'; '.join(places)}{cells[2] or ''})"
    return Fault(fault.file, fault.sheet, words(fault.cell, fault.sheet), message)
