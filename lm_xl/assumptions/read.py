"""Workbook -> Assumptions, or every fault of the workbook at once.

Reading is in four steps, each adding what it finds to one list of faults: axes, rows, which row covers what, and the
rules across rows. Nothing is repaired: a workbook with a fault is refused, with all of its faults. So that one fault neither hides
others nor causes them, what could not be read counts as NaN, which no later step finds fault with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Assumptions, Row
from lm_xl.assumptions.cells import Findings, new_label
from lm_xl.assumptions.columns import SCENARIO_COLUMNS, SHEETS, WANTED
from lm_xl.assumptions.correlations import correlation_faults
from lm_xl.assumptions.coverage import HOLE, covers
from lm_xl.assumptions.ends import end_faults
from lm_xl.assumptions.products import read_products
from lm_xl.assumptions.read_axes import read_axes, read_years
from lm_xl.assumptions.records import (
    demand_cited,
    read_bands,
    read_changes,
    read_correlations,
    read_currencies,
    read_deltas,
    read_published,
    read_sources,
)
from lm_xl.assumptions.rows import read_rows, year_columns
from lm_xl.assumptions.rules import demand_rules
from lm_xl.assumptions.spreads import spread_faults
from lm_xl.assumptions.tables import RawCell, SheetRow, Table, in_order, read_tables
from lm_xl.faults import Fault, Refused
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, Axes, Axis
from lm_xl.model.labels import folded, nearest
from lm_xl.model.quantities import QUANTITIES
from lm_xl.xlsx.workbook_file import Value

if TYPE_CHECKING:
    import pandas as pd

_IN_WHEEL = Path(__file__).parent.parent / "workbooks"
_FOLDER = _IN_WHEEL if _IN_WHEEL.exists() else Path(__file__).parents[2] / "workbooks"
SHIPPED = _FOLDER / "lm_assumptions.xlsx"
"""The base case: inside an installed package, beside it in a checkout."""


def read_assumptions(path: str | Path | None = None, *, ends: bool = False) -> Assumptions:
    """Read and validate an assumptions workbook, or any workbook built from one; without a path, the shipped base case.

    With `ends` a low and high that no draws around the value can have is a fault too, as it is for `tornado`, `simulate` and `build`.
    Raises Refused with every fault of the file: each names sheet, cell, the value, what is allowed and the nearest valid name.
    """
    tell = Findings(Path(path) if path is not None else SHIPPED)
    return _assumptions(read_tables(tell.path, WANTED, tell.faults, tell.notes), tell, ends=ends)


def assumptions_of(name: str, tables: Mapping[str, Table], faults: Sequence[Fault] = ()) -> Assumptions:
    """Validate tables that come from no file, with the faults already found in them, as `read_assumptions` does those of a file.

    `name` stands for the file in messages. Raises Refused.
    """
    return _assumptions(tables, Findings(Path(name), list(faults)))


def checked(a: Assumptions) -> Assumptions:
    """Assumptions changed in memory, such as by deltas that no workbook holds, after the checks that single rows cannot show.

    Raises Refused.
    """
    tell = Findings(a.path)
    demand_rules(a, tell)
    faults = (*tell.faults, *spread_faults(a), *correlation_faults(a))
    if faults:
        raise Refused(faults)
    return a


def with_scenario(
    a: Assumptions, name: str, deltas: Iterable[Mapping[str, object]] | pd.DataFrame
) -> Assumptions:
    """The same assumptions with one more scenario. The deltas are rows with the columns of the Scenarios sheet, or a frame of them.

    A column may be left out where the sheet may be blank, and so may `scenario`. Raises Refused with every fault of the name and
    of the deltas, as for a workbook.
    """
    tell = Findings(a.path)
    cell = RawCell("Scenarios", "name", _value(name))
    name = new_label(cell, "scenario", tell)
    if folded(name) in map(folded, a.axes.scenarios):
        tell.fault(cell, f"{name!r} is there already")
    table = _scenario_table(name, deltas, tell)
    added = read_deltas(table, {d: a.axes.axis(d) for d in DIMS}, (name,) if name else (), tell)
    demand_cited(tuple(a.sources), tell)
    axes = replace(a.axes, scenarios=(*a.axes.scenarios, name))
    result = replace(a, axes=axes, deltas=(*a.deltas, *added))
    if tell.faults:
        raise Refused(tell.faults)
    return checked(result)


# Tables


def _assumptions(tables: Mapping[str, Table], tell: Findings, *, ends: bool = False) -> Assumptions:
    """What the tables say, or Refused with every fault of theirs and of the file's."""
    whole_tables = {name: table for name, table in tables.items() if set(WANTED[name]) <= set(table.header)}
    years = read_years(tables.get("Timeline"), tell)
    axis_of, scenarios, scopes, promises = read_axes(whole_tables.get("Axes"), tell)
    rows = _rows(tables, axis_of, years, tell)
    products = read_products(whole_tables.get("Products"), axis_of.get(SEGMENT), tell)
    deltas = read_deltas(whole_tables.get("Scenarios"), axis_of, scenarios, tell)
    correlations = read_correlations(whole_tables.get("Correlations"), axis_of, tell)
    published = read_published(whole_tables.get("Published"), axis_of, tell)
    bands = read_bands(whole_tables.get("Bands"), axis_of, years, tell)
    currencies = read_currencies(whole_tables.get("Currencies"), tell)
    sources = read_sources(whole_tables.get("Sources"), tell)
    changes = read_changes(whole_tables.get("Changes"), tell)
    years = years or _years_of_columns(tables)
    if len(axis_of) == len(DIMS) and scenarios and scopes and years:
        axes = Axes(axis_of[REGION], axis_of[SEGMENT], axis_of[SUBTYPE], years, scenarios, scopes, promises)
        cover = covers(axes, rows, tell)
        everything = (*rows, HOLE) if tell.faults else tuple(rows)
        result = Assumptions(
            tell.path,
            axes,
            everything,
            deltas,
            published,
            sources,
            currencies,
            changes,
            cover,
            correlations,
            products,
            bands,
            tuple(tell.notes),
        )
        demand_rules(result, tell)
        whole = "Correlations" in whole_tables and len(correlations) == len(whole_tables["Correlations"].rows)
        tell.faults += [*spread_faults(result), *correlation_faults(result, tell.unsure, whole=whole)]
        if ends:
            tell.faults += end_faults(result)
        if not tell.faults:
            return result
    elif not tell.faults:
        tell.sheet_fault("Timeline", "no row of first_year and last_year")
    raise Refused(in_order(tell.faults, WANTED))


def _rows(
    tables: Mapping[str, Table], axis_of: Mapping[int, Axis], years: tuple[int, ...], tell: Findings
) -> list[Row]:
    """The rows of all sheets; the quantities of a sheet that is not there are noted as unread."""
    rows: list[Row] = []
    for sheet in SHEETS:
        table = tables.get(sheet)
        if table is None or "quantity" not in table.header:
            tell.unread |= {q.name for q in QUANTITIES.values() if q.sheet == sheet}
        else:
            rows += read_rows(sheet, table, axis_of, years, tell)
    return rows


def _years_of_columns(tables: Mapping[str, Table]) -> tuple[int, ...]:
    """The years that the first sheet with several has columns for: those of a workbook whose timeline cannot be known."""
    spans = (year_columns(table) for name, table in tables.items() if name in SHEETS)
    return next((span for span in spans if len(span) > 1), ())


# Scenarios given in Python


def _scenario_table(name: str, deltas: object, tell: Findings) -> Table:
    """Deltas as the rows of a Scenarios sheet; a place is the number of the delta and the column."""
    rows: list[SheetRow] = []
    for i, delta in enumerate(_records(deltas), 1):
        place = RawCell("Scenarios", f"delta {i}", None)
        if not isinstance(delta, Mapping):
            advice = "give each delta as a dict of its columns"
            tell.fault(place, f"{delta!r} where a row is due: {advice}")
            continue
        for column in (c for c in delta if c not in SCENARIO_COLUMNS):
            tell.fault(place, f"unknown column {column!r}: {nearest(str(column), SCENARIO_COLUMNS)}")
        cells = {
            column: RawCell("Scenarios", f"delta {i} {column}", _value(delta.get(column)))
            for column in SCENARIO_COLUMNS
        }
        if cells["scenario"].blank:
            cells["scenario"] = cells["scenario"]._replace(value=name)
        rows.append(cells)
    header = {column: RawCell("Scenarios", "", column) for column in SCENARIO_COLUMNS}
    return Table("Scenarios", header, tuple(rows))


def _records(table: Any) -> Iterable[Any]:
    """The rows of a table; a frame's without what is missing in them. What is no table comes as one wrong row."""
    if hasattr(table, "to_dict") and hasattr(table, "columns"):
        return table.astype(object).where(table.notna(), None).to_dict("records")
    return [[table]] if isinstance(table, Mapping | str) or not isinstance(table, Iterable) else table


def _value(value: object) -> Value:
    """A value given in Python as a cell would hold it."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Real):
        return None if value != value else float(value)
    return value if value is None or isinstance(value, str) else str(value)
