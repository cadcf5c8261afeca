"""What drives the difference between two scenarios or two years: one bar for each driver, and the bars sum to the difference.

A point of the model is a scenario in a year. For each driver its quantities, and the passing of time in its stages, are
those of one point or of the other; the model is evaluated for every combination. A driver's bar is its Shapley value: its
effect averaged over all orders in which the drivers can move. It is exact, and no order of the drivers is preferred.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.points import Measure, Point, in_year, measure, points
from lm_xl.model.axes import YEAR
from lm_xl.model.drivers import DRIVERS, Driver
from lm_xl.model.evaluate import STAGES, evaluate
from lm_xl.model.ops import Array

if TYPE_CHECKING:
    import pandas as pd

BATCH = 16
"""Combinations evaluated at once: their arrays stay in the processor's cache."""


@dataclass(frozen=True)
class Bar:
    """A driver's part of a difference, in the measure's unit."""

    driver: str
    changed: tuple[str, ...]
    """The quantities that differ between the points, and the stages in which years have passed."""
    effect: float
    """Its Shapley value: what it adds, averaged over all orders of the drivers."""
    alone: float
    """What it adds when it alone moves from the first point."""

    @property
    def interaction(self) -> float:
        """What it adds together with the others beyond what it adds alone."""
        return self.effect - self.alone


@dataclass(frozen=True)
class Bridge:
    """The difference between two points as bars in the order of the drivers; their effects sum to it."""

    measure: Measure
    start: Point
    end: Point
    before: float
    after: float
    bars: tuple[Bar, ...]

    @property
    def difference(self) -> float:
        return self.after - self.before

    def frame(self, *, by_size: bool = False) -> pd.DataFrame:
        """One bar a row in the order of the drivers, or the largest first: driver, changed, before, effect, after, share, alone, interaction, unit.

        `before` and `after` are where a waterfall stands; `share` is the effect on the whole difference, NaN where that is 0.
        """
        import pandas as pd

        bars = sorted(self.bars, key=lambda bar: -abs(bar.effect)) if by_size else self.bars
        effects = np.array([bar.effect for bar in bars])
        upto = self.before + np.concatenate([[0.0], np.cumsum(effects)])
        whole = self.difference or math.nan
        return pd.DataFrame(
            {
                "driver": [bar.driver for bar in bars],
                "changed": ["; ".join(bar.changed) for bar in bars],
                "before": upto[:-1],
                "effect": effects,
                "after": upto[1:],
                "share": effects / whole,
                "alone": [bar.alone for bar in bars],
                "interaction": [bar.interaction for bar in bars],
                "unit": self.measure.unit,
            }
        )


def bridge(
    assumptions: Assumptions,
    start: str | int | None = None,
    end: str | int | None = None,
    metric: str = "revenue",
    *,
    year: int | None = None,
    scenario: str | None = None,
    region: str | None = None,
    segment: str | None = None,
    subtype: str | None = None,
    stage: str = "diagnosed",
    basis: str = "risk_adjusted",
    scope: str | None = None,
) -> Bridge:
    """What drives the difference between two points, each a scenario, a year, or both; without them, the first and the last year.

    Revenue is in nominal USD, patients are people. A point without a year is in `year` or the last, one
    without a scenario in `scenario` or the default.
    Raises UnknownLabel for labels that the workbook does not have, WrongUsage for a year or scenario that neither point takes,
    IdentityError where a point breaks an identity.
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
    words = (axes.years[0] if start is None else start, axes.years[-1] if end is None else end)
    ends = first, last = points(axes, words, year, scenario)
    forecast(assumptions, [p.scenario for p in ends])  # each point must hold the identities
    sides = [in_year(axes, assumptions.inputs([p.scenario]), p.year) for p in ends]
    years = [np.full((1,) * (YEAR + 1), float(p.year)) for p in ends]
    changed = {driver: _changed(driver, sides, first.year != last.year) for driver in DRIVERS}
    # The last stages' drivers alternate fastest, so that the first stages are computed once for many combinations.
    moving = {driver: changed[driver] for driver in reversed(DRIVERS) if changed[driver]}
    values = _combinations(assumptions, chosen, moving, sides, years)
    effects = dict(zip(moving, shapley(values), strict=True))
    alone = {driver: float(values[1 << i] - values[0]) for i, driver in enumerate(moving)}
    bars = tuple(Bar(d.name, changed[d], effects.get(d, 0.0), alone.get(d, 0.0)) for d in DRIVERS)
    return Bridge(chosen, first, last, float(values[0]), float(values[-1]), bars)


def shapley(values: Array) -> list[float]:
    """Each player's marginal contribution averaged over all orders, in the values' unit.

    `values` has the worth of every coalition: bit i of its position says whether player i is in it.
    """
    n = len(values).bit_length() - 1
    # A player joins a given coalition of k others in k! (n - 1 - k)! of the n! orders, which is 1 in n * C(n - 1, k).
    weights = np.array([1 / (n * math.comb(n - 1, k)) for k in range(n)])
    sizes = np.bitwise_count(np.arange(len(values) // 2)) if n else np.zeros(0, dtype=int)
    weight = weights[sizes]
    # On an axis of size 2 player i is out and in; the coalitions of the others stand along the rest, their bits in order.
    pairs = (values.reshape(-1, 2, 1 << i) for i in range(n))
    return [math.fsum(weight * (x[:, 1] - x[:, 0]).reshape(-1)) for x in pairs]


def _changed(driver: Driver, sides: Sequence[dict[str, Array]], years_pass: bool) -> tuple[str, ...]:
    """A driver's quantities that differ between the points, and its stages in which years have passed."""
    before, after = sides
    quantities = tuple(q for q in driver.quantities if not np.array_equal(before[q], after[q]))
    return quantities + (driver.clocks if years_pass else ())


def _combinations(
    assumptions: Assumptions,
    chosen: Measure,
    moving: dict[Driver, tuple[str, ...]],
    sides: Sequence[dict[str, Array]],
    years: Sequence[Array],
) -> Array:
    """The measure where each moving driver stands at the first point or, if its bit is 1, at the second."""
    axes, structure = assumptions.axes, assumptions.structure()
    before, after = sides
    clocked = [name for name, (_, takes) in STAGES.items() if "year" in takes]
    values = np.empty(1 << len(moving))
    for first in range(0, len(values), BATCH):
        runs = np.arange(first, min(first + BATCH, len(values)))
        inputs, clocks = dict(before), dict.fromkeys(clocked, years[0])
        for i, (driver, changed) in enumerate(moving.items()):
            moved = (runs >> i & 1 == 1).reshape(-1, 1, 1, 1, 1)
            inputs |= {q: _either(moved, before[q], after[q]) for q in driver.quantities if q in changed}
            clocks |= {name: _either(moved, *years) for name in driver.clocks}
        outputs = evaluate(inputs, structure, clocks=clocks)
        values[runs] = chosen.of(axes, outputs)[:, 0]
    return values


def _either(moved: Array, before: Array, after: Array) -> Array:
    """One side in each run; without the run axis where all runs are on one side."""
    if moved.all() or not moved.any():
        return after if moved.all() else before
    return np.where(moved, after, before)
