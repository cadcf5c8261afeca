"""How far each uncertain input alone moves a number: the tornado."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, Row
from lm_xl.assumptions.distributions import SPREADS
from lm_xl.assumptions.rules import rule_faults
from lm_xl.assumptions.spreads import (
    EXCLUSIVE,
    Uncertain,
    bounds_of,
    carried_path,
    is_uncertain,
    mean_of,
    stream_of,
    uncertain_inputs,
)
from lm_xl.faults import Fault, Refused
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.points import Measure, Point, measure, place
from lm_xl.model.evaluate import evaluate
from lm_xl.model.ops import Array
from lm_xl.model.quantities import QUANTITIES

if TYPE_CHECKING:
    import pandas as pd

SIDES = ("low", "high")
RUNS = 8
"""Inputs evaluated at once, each at its low and its high."""
FRAME_COLUMNS = (
    "input", "rows", "low", "high", "at_low", "centre", "at_high", "low_effect", "high_effect", "swing",
)  # fmt: skip


@dataclass(frozen=True)
class Swing:
    """One input at its low and at its high, all others as they are: what the measure is then, in its unit."""

    input: str
    rows: tuple[int, ...]
    """Positions in `Assumptions.rows`; they move together."""
    at_low: float
    at_high: float
    low_effect: float
    high_effect: float

    @property
    def swing(self) -> float:
        """From the least to the most of low, centre and high."""
        effects = (0.0, self.low_effect, self.high_effect)
        return max(effects) - min(effects)


@dataclass(frozen=True)
class Tornado:
    """The inputs of a workbook, the largest swing first, around the measure's value without any of them."""

    assumptions: Assumptions
    measure: Measure
    at: Point
    centre: float
    swings: tuple[Swing, ...]

    @property
    def idle(self) -> tuple[str, ...]:
        """The inputs with no effect on the measure."""
        return tuple(s.input for s in self.swings if s.swing == 0)

    def frame(self) -> pd.DataFrame:
        """One input a row, the largest swing first, in FRAME_COLUMNS, and the unit.

        `low` and `high` are the input's own, NaN where its rows differ; `rows` are their cells.
        """
        import pandas as pd

        lines = []
        for s in self.swings:
            rows = [self.assumptions.rows[i] for i in s.rows]
            cells = "; ".join(r.place for r in rows)
            bounds = [set(x) for x in zip(*map(bounds_of, rows), strict=True)]
            low, high = (x.pop() if len(x) == 1 else np.nan for x in bounds)
            effects = (s.low_effect, s.high_effect, s.swing)
            lines.append((s.input, cells, low, high, s.at_low, self.centre, s.at_high, *effects))
        return pd.DataFrame(lines, columns=FRAME_COLUMNS).assign(unit=self.measure.unit)


def tornado(
    assumptions: Assumptions,
    scenario: str | None = None,
    year: int | None = None,
    metric: str = "revenue",
    *,
    region: str | None = None,
    segment: str | None = None,
    subtype: str | None = None,
    stage: str = "diagnosed",
    basis: str = "risk_adjusted",
    scope: str | None = None,
) -> Tornado:
    """Each uncertain input at its stated low and high, one at a time; its rows move together in all regions.

    Revenue is in nominal USD, patients are people; without a scenario the first, without a year the last. A
    row that moves carries its low or high of the last year over its years; where a scenario changes a value,
    its low and high move with it. Where shares compete, the other uncertain shares of the set, and what they
    leave, give way in proportion.
    Raises Refused, with every cell, where a low or high breaks a rule; UnknownLabel for a label.
    """
    axes = assumptions.axes
    chosen = measure(
        axes,
        metric,
        region=region,
        segment=segment,
        subtype=subtype,
        stage=stage,
        basis=basis,
        scope=scope,
    )
    at = place(axes, scenario, year)
    position = axes.year(at.year)
    values = assumptions.inputs([at.scenario])
    structure = assumptions.structure()
    base = chosen.of(axes, forecast(assumptions, at.scenario).outputs)[0, position]
    bars = [bar for one in uncertain_inputs(assumptions) for bar in _bars(assumptions, one, values)]
    faults = [
        fault
        for name, rows, sides in bars
        for fault in _faults(assumptions, at.scenario, values, name, rows, sides)
    ]
    if faults:
        raise Refused(faults)
    swings = []
    for quantity in dict.fromkeys(assumptions.rows[rows[0]].quantity for _, rows, _ in bars):
        moved = [bar for bar in bars if assumptions.rows[bar[1][0]].quantity == quantity]
        for first in range(0, len(moved), RUNS):
            batch = moved[first : first + RUNS]
            runs = np.concatenate([x for _, _, sides in batch for x in sides])
            found = chosen.of(axes, evaluate({**values, quantity: runs}, structure))[:, position]
            pairs = np.broadcast_to(found, len(runs)).reshape(-1, len(SIDES))
            swings += [
                Swing(name, rows, float(low), float(high), float(low - base), float(high - base))
                for (name, rows, _), (low, high) in zip(batch, pairs, strict=True)
            ]
    return Tornado(assumptions, chosen, at, float(base), tuple(sorted(swings, key=lambda s: -s.swing)))


EndsOfInput = tuple[str, tuple[int, ...], tuple[Array, Array]]
"""An input's name, its rows, and its quantity with these rows at their low and at their high."""


def _bars(a: Assumptions, one: Uncertain, values: dict[str, Array]) -> Iterator[EndsOfInput]:
    """An input as bars: one, or one for each member of a set whose shares sum to 1."""
    cover = a.covers[one.quantity]
    inside = np.isin(cover, one.rows)
    members = [(one.name, inside)]
    if SPREADS[one.distribution].whole_sets:
        axis = a.axes.subtype
        members = [
            (stream_of(one.quantity, leaf), inside & (np.arange(len(axis)) == p))
            for p, (leaf, chosen) in enumerate(zip(axis.leaves, axis.sets, strict=True))
            if stream_of(one.quantity, chosen) == one.name
        ]
    for name, moved in members:
        low, high = (_at_bound(a, one.quantity, values[one.quantity], moved, side) for side in range(2))
        covering = tuple(i for i in one.rows if (cover[moved] == i).any())
        yield name, covering or one.rows, (low, high)  # rows that cover nothing make an input without effect


def _at_bound(a: Assumptions, quantity: str, x: Array, moved: Array, side: int) -> Array:
    """A quantity with some elements at the low or high of their rows, carried over years and scenario."""
    y, cover = x.copy(), a.covers[quantity]
    for i in np.unique(cover[moved]):
        row, here = a.rows[i], moved & (cover == i)
        bound, mean = bounds_of(row)[side], mean_of(row)
        # The bound is stated around the row's own mean; carried from there, it moves with what a scenario
        # makes of the row.
        if bound != mean:
            y[0][here] = carried_path(row, x[0][here], np.array([[bound]]), np.array([[mean]]))
    if quantity in EXCLUSIVE:
        _give_way(a, quantity, x, y, moved)
    return y


def _give_way(a: Assumptions, quantity: str, x: Array, y: Array, moved: Array) -> None:
    """Scale the other uncertain shares of each set, to make room for those that moved from `x` to `y`."""
    dim = EXCLUSIVE[quantity]
    axis, cover = a.axes.axis(dim), a.covers[quantity]
    uncertain = np.isin(cover, [i for i, row in enumerate(a.rows) if is_uncertain(row)])
    for chosen in dict.fromkeys(s for s in axis.sets if s):
        at: list[slice | list[int]] = [slice(None)] * x.ndim
        at[dim] = [i for i, s in enumerate(axis.sets) if s == chosen]
        before, after = x[*at], y[*at]
        mine, certain = (mask[np.newaxis, ..., np.newaxis][*at] for mask in (moved, ~uncertain))
        # Certain shares stay. Of the rest of the set, the moved shares take theirs and the others share what
        # that leaves, as do the members without a row: so all of these change by one factor.
        left = 1 - before.sum(axis=dim, keepdims=True, where=certain)
        old, new = (left - z.sum(axis=dim, keepdims=True, where=mine) for z in (before, after))
        scale = np.divide(new, old, out=np.ones_like(old), where=(old > 0) & (new != old))
        y[*at] = np.where(mine | certain, after, after * scale)


def _faults(
    a: Assumptions,
    scenario: str,
    values: dict[str, Array],
    name: str,
    rows: tuple[int, ...],
    sides: tuple[Array, Array],
) -> Iterator[Fault]:
    """What an input at its low or high breaks: its quantity's range, or the sum of competing shares."""
    quantity = QUANTITIES[a.rows[rows[0]].quantity]

    def fault(row: Row, side: int, message: str) -> Fault:
        end = f"the {SIDES[side]} {bounds_of(row)[side]:g} of {name}"
        return Fault(a.path.name, row.sheet, row.low_cell, f"{end}{message}")

    for side, x in enumerate(sides):
        for i in rows:
            reached = x[0][a.covers[quantity.name] == i]
            outside = reached[~((reached >= quantity.least) & (reached <= quantity.most))]
            if outside.size:
                allowed = f"{quantity.least:g} to {quantity.most:g}"
                yield fault(a.rows[i], side, f" takes it to {outside[0]:g} in {scenario}, outside {allowed}")
        # The rules on dates and on set_use were checked of lows and highs when the assumptions were.
        if quantity.name in EXCLUSIVE:
            for broken in rule_faults(a, scenario, {**values, quantity.name: x}):
                row = next((a.rows[i] for i in rows if a.rows[i].cells[0] == broken.cell), a.rows[rows[0]])
                yield fault(row, side, f": {broken.message}")
