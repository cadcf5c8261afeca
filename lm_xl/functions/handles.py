"""What a workbook hands over -> a handle: of tables, each set read once, and of another handle with a scenario or a what-if."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from lm_xl.assumptions.assumptions import DIMS, Keys, reach_of
from lm_xl.assumptions.read import checked
from lm_xl.faults import CallError, Fault, Refused, UnknownLabel
from lm_xl.functions.arguments import Call
from lm_xl.functions.models import STORE, Model, WhatIf, runnable
from lm_xl.functions.registry import REF, VALUE
from lm_xl.functions.tables import Grid, read_grids
from lm_xl.model.quantities import QUANTITIES

MOST_FAULTS = 20
"""Faults that LM_WHY tells of some tables; the rest are counted."""
MOST_TABLE_SETS = 1_000
"""Sets of tables whose outcome is remembered."""
_OUTCOMES: dict[bytes, str | CallError] = {}
"""What tables that were read before came to, a handle or an error, by their cells."""


def handle_of(grids: Sequence[Grid], scenario: str | None) -> str:
    """The handle of the model that tables and a scenario make, the default scenario where none is named.

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


def scenario_handle(asked: Call) -> str:
    """The handle of a model in another scenario. What-ifs of the model stay. Raises CallError."""
    model = asked.model
    name = asked.word("scenario", model.assumptions.axes.scenarios)
    return _put(asked, Model(model.assumptions, name, model.what_ifs))


def what_if_handle(asked: Call) -> str:
    """The handle of a model with one more what-if. Raises CallError where that leaves a range, breaks a rule or changes nothing."""
    model = asked.model
    axes = model.assumptions.axes
    quantity = asked.word("quantity", tuple(QUANTITIES))
    factor = asked.number("factor")
    keys = Keys(*(_changed_label(asked, quantity, dim) for dim in DIMS))
    if QUANTITIES[quantity].sheet == "Timeline":
        raise asked.fault(f"{quantity} is the same in every scenario: a what-if cannot change it")
    what_if = WhatIf(quantity, keys, factor)
    reach = reach_of(axes, QUANTITIES[quantity], keys)
    if not (reach & (model.assumptions.covers[quantity] >= 0)).any():
        raise asked.fault(f"there is no {quantity} of {keys}: {QUANTITIES[quantity].meaning}", REF)
    if factor == 1:
        return _put(asked, model)
    return _put(asked, Model(model.assumptions, model.scenario, (*model.what_ifs, what_if)))


def _changed_label(asked: Call, quantity: str, dim: int) -> str:
    """The label of an axis for which a quantity is to change, all where none is named; "" where it does not vary by the axis."""
    axis = asked.model.assumptions.axes.axis(dim)
    place = asked.one_place(axis.name)
    if dim not in QUANTITIES[quantity].dims:
        if place is not None:
            raise asked.fault(f"{quantity} does not vary by {axis.name}: leave the {axis.name} out")
        return ""
    return axis.total if place is None else axis.labels[place]


def _put(asked: Call, model: Model) -> str:
    """Keep a model made of another one and return its handle. What-ifs are checked as a scenario of the workbook is."""
    if STORE.get(model.handle) is None:
        try:
            if model.what_ifs:
                checked(runnable(model))
            model.results  # noqa: B018  a forecast that breaks an identity is no model
        except Refused as refused:
            first, *others = (fault.message for fault in refused.faults)
            more = f" (and {len(others)} more faults)" if others else ""
            raise asked.fault(f"{first}{more}") from None
        except ArithmeticError as broken:
            raise CallError(VALUE, str(broken)) from None
    return STORE.put(model)


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
        model = Model(assumptions, axes.scenario(scenario) if scenario else axes.default)
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
