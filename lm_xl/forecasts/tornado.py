"""How far each uncertain input alone moves a number: the tornado."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.distributions import SPREADS
from lm_xl.assumptions.ends import demand_ends, drawn_ends, ends_of
from lm_xl.assumptions.rules import rule_faults
from lm_xl.assumptions.spreads import (
    EXCLUSIVE,
    Uncertain,
    is_uncertain,
    stream_of,
    uncertain_inputs,
)
from lm_xl.faults import Fault, Refused
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.points import Measure, Point, measure, place
from lm_xl.model.evaluate import evaluate
from lm_xl.model.ops import Array

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
    """One input at its P10 and at its P90, all others as they are: what the measure is then, in its unit."""

    input: str
    rows: tuple[int, ...]
    """Positions in `Assumptions.rows`; they move together."""
    low: float
    """P10 of the input's draws in the last year, NaN where its rows differ; `high` is P90."""
    high: float
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

        `low` and `high` are P10 and P90 of the input's draws in the last year, NaN where its rows differ; `rows` are their cells.
        """
        import pandas as pd

        lines = []
        for s in self.swings:
            cells = "; ".join(self.assumptions.rows[i].place for i in s.rows)
            effects = (s.low_effect, s.high_effect, s.swing)
            lines.append((s.input, cells, s.low, s.high, s.at_low, self.centre, s.at_high, *effects))
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
    """Each uncertain input at P10 and at P90 of its draws, one at a time; its rows move together in all regions.

    So a bar and a simulation agree on how far an input reaches: its ends are those of `lm_xl.assumptions.ends`, in the scenario. Low
    and high of the sheet are met as nearly as the distribution can around the value; those of a pert, its ends, lie beyond.
    Revenue is in nominal USD, patients are people; without a scenario the default, without a year the last. A
    row that moves carries its end of the last year over its years. Where shares compete, the other uncertain shares of the set, and
    what they leave, give way in proportion.
    Raises Refused, with every cell, where a low and high are no P10 and P90 that draws can have, or an end breaks a rule;
    UnknownLabel for a label.
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
    demand_ends(assumptions)
    bars = _bars(assumptions, values)
    if faults := [fault for bar in bars for fault in _faults(assumptions, at.scenario, values, bar)]:
        raise Refused(faults)
    swings = []
    for quantity in dict.fromkeys(bar.quantity for bar in bars):
        moved = [bar for bar in bars if bar.quantity == quantity]
        for first in range(0, len(moved), RUNS):
            batch = moved[first : first + RUNS]
            runs = np.concatenate([x for bar in batch for x in bar.sides])
            found = chosen.of(axes, evaluate({**values, quantity: runs}, structure))[:, position]
            pairs = np.broadcast_to(found, len(runs)).reshape(-1, len(SIDES))
            swings += [
                Swing(bar.name, bar.rows, *bar.ends, *map(float, (low, high, low - base, high - base)))
                for bar, (low, high) in zip(batch, pairs, strict=True)
            ]
    return Tornado(assumptions, chosen, at, float(base), tuple(sorted(swings, key=lambda s: -s.swing)))


@dataclass(frozen=True)
class Bar:
    """An input at its ends: its rows, P10 and P90 in the last year, and its quantity with these rows at each of the two."""

    name: str
    quantity: str
    rows: tuple[int, ...]
    ends: tuple[float, float]
    sides: tuple[Array, Array]


def _bars(a: Assumptions, values: dict[str, Array]) -> list[Bar]:
    """Every uncertain input at its ends in a scenario, from the scenario's values."""
    inputs = uncertain_inputs(a)
    ends = {name: ends_of(a, name, values[name]) for name in dict.fromkeys(one.quantity for one in inputs)}
    return [bar for one in inputs for bar in _bars_of(a, one, values[one.quantity], ends[one.quantity])]


def _bars_of(a: Assumptions, one: Uncertain, x: Array, ends: tuple[Array, Array]) -> Iterator[Bar]:
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
        low, high = (_moved(a, one.quantity, x, end, moved) for end in ends)
        covering = tuple(i for i in one.rows if (cover[moved] == i).any())
        last = (_common(end[0][moved][:, -1]) for end in ends)
        # rows that cover nothing make an input without effect
        yield Bar(name, one.quantity, covering or one.rows, (next(last), next(last)), (low, high))


def _common(x: Array) -> float:
    """The one number that all of some are, NaN where there are several or none."""
    return float(x[0]) if x.size and (x == x[0]).all() else float("nan")


def _moved(a: Assumptions, quantity: str, x: Array, end: Array, moved: Array) -> Array:
    """A quantity with some elements at their end, and those that compete with them giving way."""
    y = np.where(moved[..., np.newaxis], end, x)
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


def _faults(a: Assumptions, scenario: str, values: dict[str, Array], bar: Bar) -> Iterator[Fault]:
    """What an input at one of its ends breaks: the sum of competing shares. No end leaves its quantity's range."""
    if bar.quantity not in EXCLUSIVE:
        return
    for side, x in zip(SIDES, bar.sides, strict=True):
        for broken in rule_faults(a, scenario, {**values, bar.quantity: x}):
            row = next(
                (a.rows[i] for i in bar.rows if a.rows[i].cells[0] == broken.cell), a.rows[bar.rows[0]]
            )
            end = f"the {side} end, {drawn_ends(row)[SIDES.index(side)]:.4g}, of {bar.name}"
            yield Fault(a.path.name, row.sheet, row.low_cell, f"{end}: {broken.message}")
