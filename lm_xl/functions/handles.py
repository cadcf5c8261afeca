"""Tables that a workbook hands over -> the handle of their model, each set of tables read once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from lm_xl.faults import CallError, Fault, Refused, UnknownLabel
from lm_xl.functions.models import STORE, Model
from lm_xl.functions.registry import VALUE
from lm_xl.functions.tables import Grid, read_grids

MOST_FAULTS = 20
"""Faults that LM_WHY tells of some tables; the rest are counted."""
MOST_TABLE_SETS = 1_000
"""Sets of tables whose outcome is remembered."""
_OUTCOMES: dict[bytes, str | CallError] = {}
"""What tables that were read before came to, a handle or an error, by their cells."""


def handle_of(grids: Sequence[Grid], scenario: str | None) -> str:
    """The handle of the model that tables and a scenario make, the first scenario where none is named.

    Raises CallError with every fault of the tables. What was read before is not read again, unless its model has left memory.
    """
    key = _key(grids, scenario)
    known = _OUTCOMES.get(key)
    if isinstance(known, CallError):
        raise known
    if known is not None and STORE.get(known) is not None:
        return known
    outcome = _read(grids, scenario)
    if len(_OUTCOMES) >= MOST_TABLE_SETS:
        _OUTCOMES.clear()
    _OUTCOMES[key] = outcome
    if isinstance(outcome, CallError):
        raise outcome
    return outcome


def fault_words(faults: Sequence[Fault]) -> str:
    """Faults as the lines of one message, the first of them in full."""
    lines = [f"{f.sheet}{', ' if f.cell else ''}{f.cell}: {f.message}" for f in faults[:MOST_FAULTS]]
    more = len(faults) - len(lines)
    return "\n".join(lines) + (f"\nand {more} more" if more else "")


def _key(grids: Sequence[Grid], scenario: str | None) -> bytes:
    """Stands for all cells of some tables; two errors are told apart by code and words, which their repr leaves out."""
    cells = [
        [[(x.code, str(x)) if isinstance(x, CallError) else x for x in row] for row in grid] for grid in grids
    ]
    return hashlib.sha256(repr((cells, scenario)).encode()).digest()


def _read(grids: Sequence[Grid], scenario: str | None) -> str | CallError:
    try:
        assumptions = read_grids([[[_cell(x) for x in row] for row in grid] for grid in grids])
    except Refused as refused:
        return CallError(VALUE, fault_words(refused.faults))
    axes = assumptions.axes
    try:
        model = Model(assumptions, axes.scenario(scenario) if scenario else axes.scenarios[0])
        model.results  # noqa: B018  a forecast that breaks an identity is no model
    except (UnknownLabel, ArithmeticError) as error:
        return CallError(VALUE, str(error))
    return STORE.put(model)


def _cell(value: Any) -> Any:
    """A cell of a table as the reader of files would have it."""
    if isinstance(value, CallError):
        return value.code
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
