"""The sheet of allowed words, which the drop-down lists of the other sheets point to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.columns import BANDED, FILLS, OPERATIONS, PHASES, PUBLISHED_METRICS, SCOPES, STATUSES
from lm_xl.assumptions.distributions import DISTRIBUTIONS
from lm_xl.model.axes import DEFAULT, KINDS, PROMISES, ROLES, Axes
from lm_xl.model.outputs import BASIS_NAMES
from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.pages.pen import Pen, columns, page, start
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import column_letters

LISTS = "Lists"
NARROWEST, WIDEST = 12, 36
"""Widths of the columns, in characters."""
FIXED_LISTS: dict[str, tuple[str, ...]] = {
    "basis": tuple(BASIS_NAMES.values()),
    "fill": FILLS,
    "distribution": DISTRIBUTIONS,
    "status": STATUSES,
    "operation": OPERATIONS,
    "role": (*ROLES, DEFAULT, *PROMISES),
    "kind": KINDS,
    "axis": ("region", "segment", "subtype", "scope", "scenario", "schema"),
    "quantity": tuple(QUANTITIES),
    "unit": tuple(dict.fromkeys(u for q in QUANTITIES.values() for u in q.units)),
    "metric": tuple(PUBLISHED_METRICS),
    "scope": SCOPES,
    "result": (*BANDED, *(q.name for q in QUANTITIES.values() if q.sheet != "Timeline")),
    "phase": PHASES,
}
"""The words that do not depend on the axes; they come first on the sheet."""


def lists_of(axes: Axes) -> dict[str, Sequence[str]]:
    """Every list by its name, in the order of its columns."""
    labels = {axis.name: axis.labels for axis in (axes.region, axes.segment, axes.subtype)}
    return {**FIXED_LISTS, **labels, "scenario": axes.scenarios}


def list_reference(name: str, lists: Mapping[str, Sequence[str]] = FIXED_LISTS) -> str:
    """The range of a list on the sheet of lists, for a validation."""
    column = column_letters(list(lists).index(name) + 1)
    return f"{LISTS}!${column}${FIRST_ROW}:${column}${HEADER_ROW + len(lists[name])}"


def lists_page(ws: Worksheet, axes: Axes, pen: Pen) -> None:
    """A column for each list."""
    start(ws, "control", text("pages", "lists"), text("pages", "lists_made"))
    lists = lists_of(axes)
    named = []
    for name, words in lists.items():
        # Two characters more than the longest word, for the indent.
        width = max(NARROWEST, min(WIDEST, max(len(w) for w in words) + 2))
        named.append((name, width, "lm header"))
    columns(ws, pen, named)
    for column, words in enumerate(lists.values(), 1):
        for row, word in enumerate(words, FIRST_ROW):
            pen.text(ws, row, column, word, "lm label")
    page(ws, HEADER_ROW, freeze="A")
