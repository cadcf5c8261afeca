"""Where a forecast is read and what is read there: a scenario in a year, and one number of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lm_xl.assumptions.assumptions import DIMS
from lm_xl.faults import WrongUsage
from lm_xl.forecasts.results import output_of, summed
from lm_xl.model.axes import YEAR, Axes
from lm_xl.model.labels import folded
from lm_xl.model.ops import Array
from lm_xl.model.outputs import OUTPUTS


@dataclass(frozen=True)
class Point:
    """A scenario in a year."""

    scenario: str
    year: int

    def __str__(self) -> str:
        return f"{self.scenario} {self.year}"


def place(axes: Axes, scenario: str | None = None, year: int | None = None) -> Point:
    """A scenario, without one the default, in a year, without one the last. Raises UnknownLabel."""
    found = axes.default if scenario is None else axes.scenario(scenario)
    return Point(found, axes.years[axes.year(axes.years[-1] if year is None else year)])


def point(axes: Axes, where: str | int, year: int | None = None, scenario: str | None = None) -> Point:
    """A point by its words: a scenario, a year, or both ("High 2030"). Without one, `scenario` or the default, `year` or the last.

    Raises UnknownLabel for a scenario or a year that the workbook does not have.
    """
    own_scenario, own_year = _named(axes, where)
    return place(
        axes,
        scenario if own_scenario is None else own_scenario,
        year if own_year is None else own_year,
    )


def points(
    axes: Axes, wheres: Sequence[str | int], year: int | None = None, scenario: str | None = None
) -> list[Point]:
    """Points by their words. Raises UnknownLabel, and WrongUsage where none of them takes the `year` or the `scenario`."""
    named = [_named(axes, where) for where in wheres]
    for i, (what, given) in enumerate((("scenario", scenario), ("year", year))):
        if given is not None and all(words[i] is not None for words in named):
            each = " and ".join(map(repr, wheres))
            raise WrongUsage(f"{what} {given!r} has no effect: {each} each name a {what}")
    return [point(axes, where, year, scenario) for where in wheres]


def _named(axes: Axes, where: str | int) -> tuple[str | None, int | None]:
    """The scenario and the year that the words of a point name."""
    words = str(where).strip()
    if folded(words) in map(folded, axes.scenarios):  # also one that ends in a number, such as "Plan 2030"
        return words, None
    found = re.fullmatch(r"(?:(.+) )?([0-9]{1,9})", words)
    return (found[1], int(found[2])) if found else (words, None)


@dataclass(frozen=True)
class Measure:
    """One number a year of a forecast: an output summed over the leaves of labels; None stands for all leaves."""

    output: str
    region: str | None = None
    segment: str | None = None
    subtype: str | None = None

    @property
    def unit(self) -> str:
        return OUTPUTS[self.output].unit

    def __str__(self) -> str:
        labels = [x for x in (self.region, self.segment, self.subtype) if x]
        return f"{self.output}{' of ' if labels else ''}{' x '.join(labels)}"

    def of(self, axes: Axes, outputs: Mapping[str, Array]) -> Array:
        """The number in each run and year, (run, year), in the output's unit. Raises UnknownLabel."""
        return summed(axes, self.output, outputs[self.output], self.region, self.segment, self.subtype)


def measure(
    axes: Axes,
    metric: str = "revenue",
    *,
    region: str | None = None,
    segment: str | None = None,
    subtype: str | None = None,
    stage: str = "diagnosed",
    basis: str = "risk_adjusted",
    scope: str | None = None,
) -> Measure:
    """What to measure, its labels as the workbook writes them: revenue in a basis (nominal USD), or patients of a stage.

    Revenue without a segment is that of a scope, without one of the headline. Raises UnknownLabel for a label, metric, stage,
    basis or scope that there is none of, or one the metric does not vary by, WrongUsage for a scope of a segment or of patients.
    """
    output = output_of(metric, stage, basis)
    if metric == "revenue" and segment is None:
        segment = axes.scope(scope)
    elif scope is not None:
        what = "patients have none" if metric == "patients" else f"the segment {segment!r} is named already"
        raise WrongUsage(f"scope {scope!r} has no effect: {what}")
    labels = [
        axes.axis(d).label(x) if x is not None else None
        for d, x in zip(DIMS, (region, segment, subtype), strict=True)
    ]
    found = Measure(output, *labels)
    dims = OUTPUTS[output].dims
    shape = [1, *(n if d in dims else 1 for d, n in zip((*DIMS, YEAR), axes.shape, strict=True))]
    found.of(
        axes, {output: np.zeros(shape)}
    )  # any values will do: raises where a label's axis is none of the output's
    return found


def in_year(axes: Axes, arrays: Mapping[str, Array], year: int) -> dict[str, Array]:
    """Every array in one year: its year axis has size 1."""
    at = axes.year(year)
    return {name: x[..., at : at + 1] if x.shape[YEAR] > 1 else x for name, x in arrays.items()}
