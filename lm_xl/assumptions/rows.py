"""The sheets of assumption rows: what each row is keyed to, its numbers over the years, and how far they may be off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Keys, Row
from lm_xl.assumptions.cells import Findings, cites, label, note, number_within, one_of, text
from lm_xl.assumptions.columns import FILLS, KEYS, MOVING_SHEETS, NEVER, ROW_COLUMNS, STATUSES
from lm_xl.assumptions.distributions import CERTAIN, DISTRIBUTIONS, is_certain
from lm_xl.assumptions.tables import RawCell, SheetRow, Table, is_year
from lm_xl.model.axes import Axis
from lm_xl.model.labels import folded
from lm_xl.model.quantities import QUANTITIES, Quantity
from lm_xl.xlsx.addresses import place_of


def read_rows(
    sheet: str, table: Table, axis_of: Mapping[int, Axis], years: tuple[int, ...], tell: Findings
) -> list[Row]:
    """The rows of a sheet that can be known; the others are noted as doubtful. `sheet` is its name in `SHEETS`."""
    columns = tuple(str(year) for year in years or year_columns(table) if sheet in MOVING_SHEETS)
    _demand_columns(table, columns, tell)
    beyond = tuple(name for name in table.header if is_year(name) and name not in columns)
    # A column that is not there has its fault already, so its cells are absent rather than blank.
    absent = dict.fromkeys((*ROW_COLUMNS, *columns), RawCell(table.sheet, "", None, absent=True))
    rows = (_row(sheet, {**absent, **cells}, axis_of, columns, beyond, tell) for cells in table.rows)
    return [row for row in rows if row]


def year_columns(table: Table) -> tuple[int, ...]:
    """The years in a sheet's header, in order."""
    return tuple(sorted(int(name) for name in table.header if is_year(name)))


def _demand_columns(table: Table, columns: Sequence[str], tell: Findings) -> None:
    """Every year of the timeline has its column."""
    lacking = [year for year in columns if year not in table.header]
    if lacking:
        span = f"{lacking[0]} to {lacking[-1]}" if len(lacking) > 3 else ", ".join(lacking)
        missing = f"columns of years are missing ({span}): the timeline runs {columns[0]} to {columns[-1]}"
        others = [
            cell for cell in table.unread if any(map(str.isdigit, cell.shown)) or _is_between(table, cell)
        ]
        if others:
            shown = ", ".join(f"{cell.shown} ({cell.address})" for cell in others)
            missing += f"; {shown} {'is no year' if len(others) == 1 else 'are no years'}, as 2030 is"
        tell.fault(others[0] if others else next(iter(table.header.values())), missing)


def _is_between(table: Table, cell: RawCell) -> bool:
    """Whether a cell of the header stands among the columns of years."""
    columns = [place_of(table.header[str(year)].address)[1] for year in year_columns(table)]
    return bool(columns) and min(columns) <= place_of(cell.address)[1] <= max(columns)


def _row(
    sheet: str,
    cells: SheetRow,
    axis_of: Mapping[int, Axis],
    columns: Sequence[str],
    beyond: Sequence[str],
    tell: Findings,
) -> Row | None:
    """One row, or None where its quantity or a label cannot be known. `columns` are the timeline's, `beyond` are other years'."""
    before = len(tell.faults)
    name = one_of(cells["quantity"], tuple(QUANTITIES), "quantity", tell)
    if not name:
        # The row of a misspelled quantity is no gap of the quantity that was meant.
        meant = get_close_matches(folded(str(cells["quantity"].value)), QUANTITIES, n=1, cutoff=0.6)
        tell.doubtful += [(quantity, Keys("", "", "")) for quantity in meant]
        return None
    quantity = QUANTITIES[name]
    if quantity.sheet != sheet:
        tell.fault(cells["quantity"], f"{name} belongs on the sheet {quantity.sheet!r}")
    keys, known = keys_of(cells, quantity, axis_of, tell)
    unit = one_of(cells["unit"], quantity.units, f"unit of {name}", tell)
    fill = _fill(cells, quantity, tell)
    inputs, places = _inputs(cells, quantity, fill, unit, columns, tell)
    _demand_blank_beyond([cells[name] for name in beyond], columns, tell)
    distribution = one_of(cells["distribution"], DISTRIBUTIONS, "distribution", tell)
    low, high = _bounds(cells, quantity, distribution, unit, inputs, tell)
    sources = cites(cells, tell)
    status = one_of(cells["status"], STATUSES, "status", tell)
    said = note(cells, tell)
    if len(tell.faults) > before:
        tell.faulty.add(name)
    if not known:
        tell.doubtful.append((name, keys))
        return None
    fill = fill if fill and not np.isnan(inputs).any() else "constant"
    low_cell = cells["low"].address
    return Row(
        name,
        keys,
        unit,
        fill,
        inputs,
        places,
        low,
        high,
        distribution,
        sources,
        status,
        said,
        sheet,
        low_cell,
    )


def keys_of(
    row: SheetRow, quantity: Quantity, axis_of: Mapping[int, Axis], tell: Findings
) -> tuple[Keys, bool]:
    """The labels of a row, and whether all of them are known."""
    labels, known = [], True
    for dim, key in zip(DIMS, KEYS, strict=True):
        cell, found = row[key], ""
        if dim not in quantity.dims:
            if not cell.blank:
                tell.fault(cell, f"{cell.shown}: {quantity.name} does not vary by {key}, leave it blank")
        else:
            if dim in axis_of:
                found = label(cell, axis_of[dim], tell)
            elif not cell.absent and cell.blank:
                text(cell, f"a {key}", tell)
            known &= bool(found)
        labels.append(found)
    return Keys(*labels), known


# Numbers


def _fill(cells: SheetRow, quantity: Quantity, tell: Findings) -> str:
    """How a row covers the years, "" where that cannot be known."""
    fill = one_of(cells["fill"], FILLS, "fill", tell)
    if fill in ("constant", "") or quantity.moves:
        return fill
    tell.fault(cells["fill"], f"{quantity.name} does not move over the years: its fill is 'constant'")
    return "" if cells["value"].blank else "constant"


def _is_never(value: RawCell) -> bool:
    return isinstance(value.value, str) and folded(value.value) == NEVER


def _inputs(
    cells: SheetRow, quantity: Quantity, fill: str, unit: str, columns: Sequence[str], tell: Findings
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """The numbers of a row and their cells. What cannot be read is NaN; `never` has no numbers."""
    value, years = cells["value"], [cells[year] for year in columns]
    if _is_never(value):
        return _no_inputs(value, years, quantity, tell), (value.address,)
    due = {"linear": [*years[:1], *years[-1:]], "yearly": years}.get(fill, [value])
    if fill and not any(cell.absent for cell in due):
        _demand_blank_beside([cell for cell in (value, *years) if cell not in due], fill, columns, tell)
    places = tuple(cell.address for cell in due) or (value.address,)
    range_and_unit = quantity.least, quantity.most, unit or quantity.units[0]
    numbers = [number_within(cell, *range_and_unit, tell) for cell in due] if fill else []
    read = tuple(x for x in numbers if x is not None)
    return (read if read and len(read) == len(numbers) else (np.nan,)), places


def _no_inputs(
    value: RawCell, years: Sequence[RawCell], quantity: Quantity, tell: Findings
) -> tuple[float, ...]:
    """What `never` stands for: no numbers, or NaN where the quantity cannot be so."""
    if not quantity.can_be_never:
        tell.fault(value, f"{quantity.name} cannot be {NEVER!r}: give a number")
        return (np.nan,)
    for cell in years:
        if not cell.blank:
            tell.fault(cell, f"{cell.shown} beside {NEVER!r}: leave it blank")
    return ()


def _demand_blank_beside(
    unused: Sequence[RawCell], fill: str, columns: Sequence[str], tell: Findings
) -> None:
    """What a row's fill does not take is blank."""
    takes = {
        "constant": "only 'value'",
        "linear": f"only {' and '.join([*columns[:1], *columns[-1:]])}",
        "yearly": "the years and not 'value'",
    }[fill]
    for cell in unused:
        if not cell.blank:
            advice = "clear it or change the fill"
            tell.fault(cell, f"{cell.shown} where the fill {fill!r} takes {takes}: {advice}")


def _demand_blank_beyond(unused: Sequence[RawCell], columns: Sequence[str], tell: Findings) -> None:
    """Nothing stands in a year that is not of the timeline."""
    where = "in a year's column, which this sheet does not use"
    if columns:
        where = f"outside the timeline {columns[0]} to {columns[-1]}"
    for cell in unused:
        if not cell.blank:
            tell.fault(cell, f"{cell.shown} {where}: clear it")


# Spreads


def _demand_no_spread(cells: SheetRow, distribution: str, tell: Findings) -> None:
    """What is `never` has neither low nor high."""
    for cell in (cells["low"], cells["high"]) if distribution else ():
        if not cell.blank:
            tell.fault(cell, f"{cell.shown} beside {NEVER!r}: leave it blank")
    if not is_certain(distribution):
        tell.fault(cells["distribution"], f"{distribution!r} beside {NEVER!r}: allowed {CERTAIN!r}")


def _bounds(
    cells: SheetRow,
    quantity: Quantity,
    distribution: str,
    unit: str,
    inputs: Sequence[float],
    tell: Findings,
) -> tuple[float | None, float | None]:
    """Low and high of a row, which hold its last number; None where there is none."""
    both = cells["low"], cells["high"]
    if _is_never(cells["value"]):
        _demand_no_spread(cells, distribution, tell)
        return None, None
    if is_certain(distribution):
        for cell in both if distribution else ():
            if not cell.blank:
                rule = "leave it blank or name a distribution"
                tell.fault(cell, f"{cell.shown} beside the distribution {CERTAIN!r}: {rule}")
        return None, None
    if all(cell.blank for cell in both):
        if not any(cell.absent for cell in both):
            tell.fault(both[0], f"blank where the distribution {distribution!r} needs low and high")
        return None, None
    range_and_unit = quantity.least, quantity.most, unit or quantity.units[0]
    low, high = (number_within(cell, *range_and_unit, tell) for cell in both)
    if low is not None and high is not None:
        if low > high:
            tell.fault(both[0], f"low {low:g} is above high {high:g}")
        elif inputs[-1] < low or inputs[-1] > high:  # neither for NaN, which has its own fault
            tell.fault(both[0], f"low {low:g} to high {high:g} does not hold the value {inputs[-1]:g}")
    return low, high
