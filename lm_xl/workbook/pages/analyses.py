"""What is computed at the time of building, because no formula can: bridges, the tornado, the simulation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.forecasts.bridge import Bridge, bridge
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.results import Results
from lm_xl.forecasts.tornado import Tornado, tornado
from lm_xl.uncertainty.limits import MOST_DRAWS, whole_number
from lm_xl.workbook.plan.staleness import held_by
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.stored import DIGITS

if TYPE_CHECKING:
    from lm_xl.uncertainty.simulation import Simulation

MILLION = 1e6
SHOWN_INPUTS = 20
"""Inputs that a chart draws; its table may have more."""
CHART_COLUMN = "K"
"""Where charts stand beside the tables."""


@dataclass(frozen=True)
class Analyses:
    """The analyses of some assumptions, of the first scenario unless they compare: money in nominal USD, risk-adjusted."""

    results: Results
    over_time: Bridge
    between: tuple[Bridge, ...]
    """From the first scenario to each of the others, in the last year."""
    tornado: Tornado
    draws: int
    seed: int
    drawn: Callable[[], Simulation]
    """Waits for the draws, or makes them."""

    @cached_property
    def simulation(self) -> Simulation:
        return self.drawn()

    @property
    def last_year(self) -> int:
        return self.results.axes.years[-1]


def analyse(
    a: Assumptions,
    draws: int,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
    executor: Executor | None = None,
) -> Analyses:
    """Compute every analysis; the draws begin first in `executor`, or are made here by the first who asks for them.

    Raises what the analyses raise, and Refused for fewer draws than a block, which the pages need.
    """
    from lm_xl.uncertainty.draws import BLOCK
    from lm_xl.uncertainty.simulate import simulate

    draws = whole_number("draws", draws, BLOCK, MOST_DRAWS)
    begun = executor.submit(simulate, a, draws, seed) if executor is not None else None

    def drawn() -> Simulation:
        try:
            if begun is not None:
                return begun.result()
        except BrokenExecutor:
            pass  # the other process died, and this one is left
        return simulate(a, draws, seed)

    first, *others = a.axes.scenarios
    progress("bridges")
    over_time = bridge(a)
    between = tuple(bridge(a, first, other) for other in others)
    progress("tornado")
    one_at_a_time = tornado(a)
    results = forecast(a, a.axes.scenarios)
    return Analyses(results, over_time, between, one_at_a_time, draws, seed, drawn)


def held(n: Analyses, *, scenario: bool = True) -> str:
    """What the values of an analysis are of, as the dashboard says it."""
    told = f"{held_by(n.results.axes)} million"
    return told if scenario else told.partition(" | ")[2]


def stamp(n: Analyses) -> str:
    """What the values of an analysis come from."""
    told = n.results.provenance
    return text(
        "pages",
        "computed",
        engine=told["engine"],
        assumptions=told["assumptions"],
        fingerprint=told["fingerprint"],
    )


def stamp_of_draws(n: Analyses) -> str:
    """What the values of the simulation come from."""
    return f"{n.simulation.draws:,} draws of seed {n.simulation.seed}. {stamp(n)}"


def stored(x: float) -> float | str:
    """A number with as many digits as a stored value has, or n/a."""
    return float(f"{x:.{DIGITS}g}") if x == x else "n/a"
