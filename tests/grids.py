"""The tables of some assumptions as a sheet hands them over to LM_MODEL."""

from __future__ import annotations

from typing import Any

import lm_xl
from lm_xl.workbook.plan.records import columns_of, records_of


def grids(a: lm_xl.Assumptions) -> dict[str, list[list[Any]]]:
    """The tables of some assumptions as a sheet hands them over."""
    records, _ = records_of(a)
    found = {}
    for sheet, rows in records.items():
        columns = columns_of(sheet, a.axes.years)
        body = [[None if row.get(c) == "" else row.get(c) for c in columns] for row in rows]
        found[sheet] = [[float(c) if c.isdigit() else c for c in columns], *body]
    return found
