"""From our headline to a published market size by steps: scope, patients, treated share, cost a patient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from lm_xl.assumptions.assumptions import Assumptions, Published
from lm_xl.forecasts.results import Results
from lm_xl.model.axes import Axes

STEPS = ("scope", "patients", "treated", "cost")
"""The steps in their order."""
NOT_AVAILABLE = math.nan


@dataclass(frozen=True)
class Compared:
    """What the steps are computed from, in the figure's region and the model's year nearest to the figure's.

    Money is nominal USD net of rebates, before any adjustment for risk; people are counts a year.
    """

    headline: float
    """Revenue of the headline's segments."""
    own: float
    """Revenue of the segments that the figure counts."""
    published: float
    diagnosed: float
    treated: float
    counted: float | None
    """The publisher's own count of patients; None where there is none."""


class Step(NamedTuple):
    """One step: its amount in USD, and what it moves from (ours) to (theirs). NaN where there is none.

    Both are revenue in USD of scope, people of patients, a share of the treated, USD a treated patient of cost.
    """

    name: str
    amount: float
    ours: float
    theirs: float


@dataclass(frozen=True)
class Reconciliation:
    """A published figure, the model's year it is compared in, and the steps to it: headline and steps sum to the published value."""

    figure: Published
    count: Published | None
    """The publisher's own count of patients, where Published has one."""
    year: int
    compared: Compared
    steps: tuple[Step, ...]

    @property
    def running(self) -> tuple[float, ...]:
        """Where each step ends, in USD; the last is the published value."""
        amounts = (0 if math.isnan(step.amount) else step.amount for step in self.steps)
        return tuple(accumulate(amounts, initial=self.compared.headline))[1:]

    @property
    def cost_at_ours(self) -> float:
        """The published value over the patients that the model treats, in USD; NaN where there are none."""
        return _over(self.compared.published, self.compared.treated)


def reconcilable(assumptions: Assumptions) -> list[int]:
    """The positions in Published of the sizes of a whole market: revenue of the same market that holds all subtypes and our headline."""
    axes = assumptions.axes
    headline = set(axes.segment.members(axes.headline))
    return [
        k
        for k, figure in enumerate(assumptions.published)
        if (figure.metric, figure.scope) == ("revenue", "same")
        and _is_whole(axes, figure)
        and headline <= set(axes.segment.members(figure.keys.segment))
    ]


def count_of(assumptions: Assumptions, figure: Published) -> int | None:
    """The position of the publisher's own count of patients in a figure's region, the one nearest in time; None where there is none."""
    axes = assumptions.axes
    regions = set(axes.region.members(figure.keys.region))
    found = [
        k
        for k, count in enumerate(assumptions.published)
        if (count.metric, count.scope, count.publisher) == ("patients", "same", figure.publisher)
        and set(axes.region.members(count.keys.region)) == regions
        and _is_whole(axes, count)
    ]
    return min(found, key=lambda k: abs(assumptions.published[k].year - figure.year), default=None)


def _is_whole(axes: Axes, figure: Published) -> bool:
    return len(axes.subtype.members(figure.keys.subtype)) == len(axes.subtype)


def reconciliation(results: Results, figure: Published, run: str | None = None) -> Reconciliation:
    """The steps from the headline to a published market size (USD), in the figure's region and the model's nearest year.

    Without a run, of the first. Raises UnknownLabel for a run that there is none of.
    """
    axes, region = results.axes, figure.keys.region
    year = axes.nearest_year(figure.year)
    found = count_of(results.assumptions, figure)
    count = None if found is None else results.assumptions.published[found]
    compared = Compared(
        headline=results.revenue(axes.headline, year, region, basis="net", run=run),
        own=results.revenue(figure.keys.segment, year, region, basis="net", run=run),
        published=figure.value,
        diagnosed=results.patients(region, year, "diagnosed", run=run),
        treated=results.patients(region, year, "treated", run=run),
        counted=None if count is None else count.value,
    )
    return Reconciliation(figure, count, year, compared, steps_of(compared))


def steps_of(c: Compared) -> tuple[Step, ...]:
    """The steps of a comparison; they sum to the published value (USD) less the headline. NaN, shown as n/a, where one cannot be told."""
    share = _over(c.treated, c.diagnosed)
    patients = treated = 0.0
    if c.counted is not None:
        patients = c.own * (_over(c.counted, c.diagnosed) - 1)
        # as if each of their patients were treated
        treated = (c.own + patients) * (_over(1, share) - 1)
    there = [x for x in (c.own, patients, treated) if not math.isnan(x)]
    payers = c.treated if c.counted is None else c.counted
    return (
        Step("scope", c.own - c.headline, c.headline, c.own),
        Step("patients", patients, c.diagnosed, NOT_AVAILABLE if c.counted is None else c.counted),
        Step("treated", treated, share, NOT_AVAILABLE if c.counted is None else 1),
        Step("cost", c.published - sum(there), _over(c.own, c.treated), _over(c.published, payers)),
    )


def _over(part: float, whole: float) -> float:
    """NaN where there is nothing to divide by."""
    return part / whole if whole else NOT_AVAILABLE
