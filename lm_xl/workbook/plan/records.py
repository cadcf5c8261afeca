"""Assumptions as records of their sheets, and where each number stands once they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lm_xl.assumptions.assumptions import Assumptions, Correlation, Delta, Product
from lm_xl.assumptions.columns import (
    AXES_COLUMNS,
    BAND_COLUMNS,
    CHANGE_COLUMNS,
    COLUMNS,
    CORRELATION_COLUMNS,
    CURRENCY_COLUMNS,
    MOVING_SHEETS,
    NEVER,
    PRODUCT_COLUMNS,
    PUBLISHED_COLUMNS,
    SCENARIO_COLUMNS,
    SCHEMA,
    SHEETS,
    SOURCE_COLUMNS,
)
from lm_xl.model.axes import DEFAULT, Axes
from lm_xl.workbook.plan.input_cells import InputCells
from lm_xl.workbook.plan.layout import FIRST_ROW
from lm_xl.xlsx.addresses import address_of, column_letters

Record = Mapping[str, Any]
Records = Mapping[str, Sequence[Record]]
"""Sheet to records, each mapping a column's name to its value; years are text."""


INPUT_SHEETS = (
    "Axes",
    *SHEETS,
    "Products",
    "Scenarios",
    "Correlations",
    "Published",
    "Bands",
    "Currencies",
    "Changes",
    "Sources",
)
"""The sheets of assumptions in the order in which they are written."""


def columns_of(sheet: str, years: Sequence[int]) -> tuple[str, ...]:
    """A sheet's columns in order."""
    special = {
        "Axes": AXES_COLUMNS, "Products": PRODUCT_COLUMNS, "Scenarios": SCENARIO_COLUMNS, "Correlations": CORRELATION_COLUMNS, "Published": PUBLISHED_COLUMNS, "Bands": BAND_COLUMNS, "Currencies": CURRENCY_COLUMNS,
        "Sources": SOURCE_COLUMNS, "Changes": CHANGE_COLUMNS,
    }  # fmt: skip
    if sheet in special:
        return special[sheet]
    i = COLUMNS.index("years")
    return (*COLUMNS[:i], *(str(y) for y in years if sheet in MOVING_SHEETS), *COLUMNS[i + 1 :])


def records_of(a: Assumptions) -> tuple[dict[str, list[Record]], InputCells]:
    """The assumptions as records of their sheets, and where each number will stand once written."""
    rows, cells = _rows(a)
    records: dict[str, list[Record]] = {sheet: [] for sheet in INPUT_SHEETS}
    records |= rows
    records["Axes"] = labels_of(a.axes)
    records["Products"] = [_product(p) for p in a.products]
    records["Scenarios"] = [_delta(d) for d in a.deltas]
    records["Correlations"] = [_correlation(c) for c in a.correlations]
    records["Published"] = [
        {**figure.__dict__, **figure.keys._asdict(), "source": "; ".join(figure.sources)}
        for figure in a.published
    ]
    records["Bands"] = [{**band.__dict__, "source": "; ".join(band.sources)} for band in a.bands]
    records["Currencies"] = [
        {**c.__dict__, "currency": c.code, "source": "; ".join(c.sources)} for c in a.currencies
    ]
    records["Sources"] = [dict(source.__dict__) for source in a.sources.values()]
    records["Changes"] = [dict(change.__dict__) for change in a.changes]
    value = column_letters(PUBLISHED_COLUMNS.index("value") + 1)
    delta_rows = {k: FIRST_ROW + k for k in range(len(a.deltas))}
    figures = tuple(f"{value}{FIRST_ROW + k}" for k in range(len(a.published)))
    share = column_letters(PRODUCT_COLUMNS.index("share") + 1)
    shares = tuple(f"{share}{FIRST_ROW + k}" for k in range(len(a.products)))
    return records, InputCells(cells, delta_rows, figures, shares)


def labels_of(axes: Axes) -> list[Record]:
    """The records of the sheet Axes: a leaf with its choice set or cancer and its kind, which are groups too and not repeated among the others."""
    records: list[Record] = []
    for axis in (axes.region, axes.segment, axes.subtype):
        for i, leaf in enumerate(axis.leaves):
            kind = axis.kinds[i] if axis.kinds else ""
            groups = [
                g for g, members in axis.groups.items() if i in members and g not in (axis.sets[i], kind)
            ]
            keys = {
                "axis": axis.name,
                "label": leaf,
                "set": axis.sets[i],
                "role": axis.roles[i],
                "kind": kind,
            }
            note = axis.notes[i] if axis.notes else ""
            records.append({**keys, "groups": "; ".join(groups), "note": note})
    records += [{"axis": "scope", "label": scope} for scope in axes.scopes]
    roles = {**axes.promises, axes.default: DEFAULT}
    records += [{"axis": "scenario", "label": s, "role": roles.get(s, "")} for s in axes.scenarios]
    return [*records, {"axis": "schema", "label": f"version {SCHEMA}"}]


def _rows(a: Assumptions) -> tuple[dict[str, list[Record]], dict[int, tuple[str, ...]]]:
    """The rows of each sheet of quantities, and the addresses of each row's numbers, by its position."""
    records: dict[str, list[Record]] = {}
    cells = {}
    for position, row in enumerate(a.rows):
        records.setdefault(row.sheet, [])
        at, columns = FIRST_ROW + len(records[row.sheet]), columns_of(row.sheet, a.axes.years)
        names = {
            "constant": ("value",),
            "linear": (str(a.axes.years[0]), str(a.axes.years[-1])),
            "yearly": tuple(str(y) for y in a.axes.years),
        }[row.fill]
        numbers: dict[str, Any] = {"value": NEVER}
        if row.inputs:
            numbers = dict(zip(names, row.inputs, strict=True))
        cells[position] = tuple(address_of(at, columns.index(name) + 1) for name in numbers)
        records[row.sheet].append({
            "quantity": row.quantity, **row.keys._asdict(), "unit": row.unit, "fill": row.fill, **numbers, "low": row.low, "high": row.high,
            "distribution": row.distribution, "source": "; ".join(row.sources), "status": row.status, "note": row.note,
        })  # fmt: skip
    return records, cells


def _delta(d: Delta) -> Record:
    return {
        "scenario": d.scenario, "quantity": d.quantity, **d.keys._asdict(), "operation": d.operation, "amount": d.amount,
        "source": "; ".join(d.sources), "status": d.status, "reason": d.reason,
    }  # fmt: skip


def _product(p: Product) -> Record:
    return {**p.__dict__, "trials": "; ".join(p.trials), "source": "; ".join(p.sources)}


def _correlation(c: Correlation) -> Record:
    (_, segment, subtype), (_, other_segment, other_subtype) = c.keys
    return {
        "quantity": c.quantities[0], "segment": segment, "subtype": subtype, "other_quantity": c.quantities[1],
        "other_segment": other_segment, "other_subtype": other_subtype, "rank_correlation": c.value,
        "source": "; ".join(c.sources), "status": c.status, "note": c.note,
    }  # fmt: skip
