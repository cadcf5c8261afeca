"""What `check` tells of an assumptions workbook without faults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import lm_xl
from lm_xl.assumptions.columns import STATUSES

if TYPE_CHECKING:
    from lm_xl.assumptions.assumptions import (
        Assumptions,
        Band,
        Correlation,
        Currency,
        Delta,
        Product,
        Published,
        Row,
    )
    from lm_xl.forecasts.launches import LaunchNote
    from lm_xl.forecasts.plausibility import Implausible, Judged
    from lm_xl.forecasts.tornado import Tornado


@dataclass(frozen=True)
class ScenarioSummary:
    """A scenario: patients diagnosed in the first year, and risk-adjusted net revenue of the headline in the first and in the last, USD."""

    name: str
    diagnosed: float
    first_revenue: float
    last_revenue: float
    growth: float | None
    """Compound annual growth of the revenue, None from a zero base."""


@dataclass(frozen=True)
class Summary:
    """What is odd in a valid workbook, and what its scenarios come to."""

    assumptions: Assumptions
    statuses: dict[str, int]
    tornado: Tornado
    """Of the headline in the last year of the default scenario."""
    idle: tuple[Row, ...]
    """Rows with numbers that more specific rows cover everywhere."""
    uncited: tuple[str, ...]
    """Sources that nothing cites."""
    judged: tuple[Judged, ...]
    """Results of the default scenario beside their bands."""
    launches: tuple[LaunchNote, ...]
    """Launches after their patents or after the horizon, in any scenario."""
    doubtful: tuple[Implausible, ...]
    """Inputs that leave a band of their quantity."""
    scenarios: tuple[ScenarioSummary, ...]


def summarise(a: Assumptions) -> Summary:
    """Look for what is odd, and run every scenario. Raises IdentityError where one breaks an identity."""
    from lm_xl.forecasts.launches import launch_notes
    from lm_xl.forecasts.plausibility import implausible, judged

    unused = sorted(set(range(len(a.rows))) - a.used())
    cited = {source.casefold() for source in _citations(a)}
    return Summary(
        assumptions=a,
        statuses=status_counts(a),
        tornado=lm_xl.tornado(a),
        idle=tuple(a.rows[i] for i in unused if a.rows[i].inputs),
        uncited=tuple(source for source in a.sources if source.casefold() not in cited),
        judged=judged(lm_xl.forecast(a)),
        launches=launch_notes(lm_xl.forecast(a, a.axes.scenarios)),
        doubtful=implausible(a),
        scenarios=tuple(_scenarios(a)),
    )


def status_counts(a: Assumptions) -> dict[str, int]:
    """How many rows are sourced, derived, expert and placeholder."""
    return {status: sum(row.status == status for row in a.rows) for status in STATUSES}


def _citations(a: Assumptions) -> Iterable[str]:
    citing: list[Row | Delta | Correlation | Product | Published | Band | Currency]
    citing = [*a.rows, *a.deltas, *a.correlations, *a.products, *a.published, *a.bands, *a.currencies]
    return chain.from_iterable(x.sources for x in citing)


def _scenarios(a: Assumptions) -> Iterable[ScenarioSummary]:
    results = lm_xl.forecast(a, a.axes.scenarios)
    for name in a.axes.scenarios:
        revenue = results.series("risk_adjusted_sales", segment=a.axes.headline, run=name)
        diagnosed = results.patients(a.axes.region.total, a.axes.years[0], run=name)
        yield ScenarioSummary(name, diagnosed, float(revenue[0]), float(revenue[-1]), results.cagr(revenue))
