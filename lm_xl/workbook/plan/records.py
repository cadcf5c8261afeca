"""Assumptions as records of their sheets, and where each number stands once they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.columns import (
    AXES_COLUMNS,
    CHANGE_COLUMNS,
    COLUMNS,
    CORRELATION_COLUMNS,
    CURRENCY_COLUMNS,
    MOVING_SHEETS,
    NEVER,
    PUBLISHED_COLUMNS,
    SCENARIO_COLUMNS,
    SHEETS,
    SOURCE_COLUMNS,
)
from lm_xl.xlsx.addresses import column_letters

HEADER_ROW = 5

FIRST_ROW = HEADER_ROW + 1
"""The row of column names on every sheet, and the one under it."""

Record = Mapping[str, Any]


Records = Mapping[str, Sequence[Record]]
"""Sheet to records, each mapping a column's name to its value; years are text."""


INPUT_SHEETS = (
    "Axes",
    *SHEETS,
    "Scenarios",
    "Correlations",
    "Published",
    "Currencies",
    "Changes",
    "Sources",
)
"""The sheets of assumptions in the order in which they are written."""


@dataclass(frozen=True)
class Written:
    """Where numbers stand: of an assumption row its addresses, of a delta its sheet row, of a published figure its address."""

    cells: Mapping[int, tuple[str, ...]]
    delta_rows: Mapping[int, int]
    figures: tuple[str, ...]


def columns_of(sheet: str, years: Sequence[int]) -> tuple[str, ...]:
    """A sheet's columns in order."""
    special = {
        "Axes": AXES_COLUMNS, "Scenarios": SCENARIO_COLUMNS, "Correlations": CORRELATION_COLUMNS, "Published": PUBLISHED_COLUMNS, "Currencies": CURRENCY_COLUMNS,
        "Sources": SOURCE_COLUMNS, "Changes": CHANGE_COLUMNS,
    }  # fmt: skip
    if sheet in special:
        return special[sheet]
    i = COLUMNS.index("years")
    return (*COLUMNS[:i], *(str(y) for y in years if sheet in MOVING_SHEETS), *COLUMNS[i + 1 :])


def records_of(a: Assumptions) -> tuple[dict[str, list[Record]], Written]:
    """The assumptions as records of their sheets, and where each number will stand once written."""
    records: dict[str, list[Record]] = {sheet: [] for sheet in INPUT_SHEETS}
    for axis in (a.axes.region, a.axes.segment, a.axes.subtype):
        for i, leaf in enumerate(axis.leaves):
            groups = [g for g, m in axis.groups.items() if i in m and g != axis.sets[i]]
            keys = {"axis": axis.name, "label": leaf, "set": axis.sets[i], "role": axis.roles[i]}
            records["Axes"].append(
                {**keys, "groups": "; ".join(groups), "note": axis.notes[i] if axis.notes else ""}
            )
    records["Axes"] += [{"axis": "scenario", "label": s} for s in a.axes.scenarios]
    cells, delta_rows = {}, {}
    for position, row in enumerate(a.rows):
        at = FIRST_ROW + len(records[row.sheet])
        names = {
            "constant": ("value",),
            "linear": (str(a.axes.years[0]), str(a.axes.years[-1])),
            "yearly": tuple(str(y) for y in a.axes.years),
        }[row.fill]
        numbers: dict[str, Any] = (
            dict(zip(names, row.inputs, strict=True)) if row.inputs else {"value": NEVER}
        )
        columns = columns_of(row.sheet, a.axes.years)
        cells[position] = tuple(f"{column_letters(columns.index(n) + 1)}{at}" for n in numbers)
        records[row.sheet].append({
            "quantity": row.quantity, **row.keys._asdict(), "unit": row.unit, "fill": row.fill, **numbers, "low": row.low, "high": row.high,
            "distribution": row.distribution, "source": "; ".join(row.sources), "status": row.status, "note": row.note,
        })  # fmt: skip
    for k, delta in enumerate(a.deltas):
        delta_rows[k] = FIRST_ROW + k
        records["Scenarios"].append({
            "scenario": delta.scenario, "quantity": delta.quantity, **delta.keys._asdict(), "operation": delta.operation, "amount": delta.amount,
            "source": "; ".join(delta.sources), "status": delta.status, "reason": delta.reason,
        })  # fmt: skip
    for c in a.correlations:
        (_, segment, subtype), (_, other_segment, other_subtype) = c.keys
        records["Correlations"].append({
            "quantity": c.quantities[0], "segment": segment, "subtype": subtype, "other_quantity": c.quantities[1], "other_segment": other_segment,
            "other_subtype": other_subtype, "rank_correlation": c.value, "source": "; ".join(c.sources), "status": c.status, "note": c.note,
        })  # fmt: skip
    for figure in a.published:
        records["Published"].append(
            {**figure.__dict__, **figure.keys._asdict(), "source": "; ".join(figure.sources)}
        )
    records["Currencies"] += [
        {**c.__dict__, "currency": c.code, "source": "; ".join(c.sources)} for c in a.currencies
    ]
    records["Sources"] += [dict(source.__dict__) for source in a.sources.values()]
    records["Changes"] += [dict(change.__dict__) for change in a.changes]
    value = column_letters(PUBLISHED_COLUMNS.index("value") + 1)
    return records, Written(
        cells, delta_rows, tuple(f"{value}{FIRST_ROW + k}" for k in range(len(a.published)))
    )
