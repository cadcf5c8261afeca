"""Two points of the model beside each other: a scenario in a year, and what is measured there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Assumptions
from lm_xl.assumptions.columns import KEYS
from lm_xl.faults import UnknownLabel, WrongUsage
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.results import Results, output_of, summed
from lm_xl.model.axes import YEAR, Axes
from lm_xl.model.labels import folded, nearest
from lm_xl.model.ops import Array, change
from lm_xl.model.outputs import OUTPUTS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Point:
    """A scenario in a year."""

    scenario: str
    year: int

    def __str__(self) -> str:
        return f"{self.scenario} {self.year}"


def place(axes: Axes, scenario: str | None = None, year: int | None = None) -> Point:
    """A scenario, without one the first, in a year, without one the last. Raises UnknownLabel."""
    found = axes.scenarios[0] if scenario is None else axes.scenario(scenario)
    return Point(found, axes.years[axes.year(axes.years[-1] if year is None else year)])


def point(axes: Axes, where: str | int, year: int | None = None, scenario: str | None = None) -> Point:
    """A point by its words: a scenario, a year, or both ("High 2030"). Without one, `scenario` or the first, `year` or the last.

    Raises UnknownLabel for a scenario or a year that the workbook does not have.
    """
    its_scenario, its_year = _named(axes, where)
    return place(
        axes, scenario if its_scenario is None else its_scenario, year if its_year is None else its_year
    )


def points(
    axes: Axes, wheres: Sequence[str | int], year: int | None = None, scenario: str | None = None
) -> list[Point]:
    """Points by their words. Raises UnknownLabel, and WrongUsage where none of them takes the `year` or the `scenario`."""
    named = [_named(axes, where) for where in wheres]
    for i, (what, given) in enumerate((("scenario", scenario), ("year", year))):
        if given is not None and all(words[i] is not None for words in named):
            raise WrongUsage(
                f"{what} {given!r} has no effect: {' and '.join(map(repr, wheres))} each name a {what}"
            )
    return [point(axes, where, year, scenario) for where in wheres]


def _named(axes: Axes, where: str | int) -> tuple[str | None, int | None]:
    """The scenario and the year that the words of a point name."""
    words = str(where).strip()
    found = (
        re.fullmatch(r"(?:(.+) )?([0-9]{1,9})", words)
        if folded(words) not in map(folded, axes.scenarios)
        else None
    )
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
) -> Measure:
    """What to measure, its labels as the workbook writes them: revenue in a basis (nominal USD), or patients of a stage.

    Raises UnknownLabel for a label, metric, stage or basis that there is none of, or one the metric does not vary by.
    """
    output = output_of(metric, stage, basis)
    labels = [
        axes.axis(d).label(x) if x is not None else None
        for d, x in zip(DIMS, (region, segment, subtype), strict=True)
    ]
    found = Measure(output, *labels)
    found.of(
        axes,
        {
            output: np.zeros(
                [
                    1,
                    *(
                        n if d in OUTPUTS[output].dims else 1
                        for d, n in zip((*DIMS, YEAR), axes.shape, strict=True)
                    ),
                ]
            )
        },
    )
    return found


def in_year(axes: Axes, arrays: Mapping[str, Array], year: int) -> dict[str, Array]:
    """Every array in one year: its year axis has size 1."""
    at = axes.year(year)
    return {name: x[..., at : at + 1] if x.shape[YEAR] > 1 else x for name, x in arrays.items()}


@dataclass(frozen=True)
class Comparison:
    """Two points of one forecast."""

    results: Results
    before: Point
    after: Point

    def frame(
        self,
        by: Sequence[str] = ("region",),
        metric: str = "revenue",
        stage: str = "diagnosed",
        basis: str = "risk_adjusted",
    ) -> pd.DataFrame:
        """A tidy frame of every label, leaves and groups: columns `by`..., kind, metric, unit, before, after, difference, change.

        `kind` is leaf, group or total; only leaves add up. `change` is the difference on the value before, NaN where that is 0.
        Raises UnknownLabel for an unknown metric, stage, basis or dimension, or one the metric does not vary by.
        """
        import pandas as pd

        output, axes = output_of(metric, stage, basis), self.results.axes
        for name in by:
            if name not in KEYS:
                raise UnknownLabel(f"unknown dimension {name!r}: {nearest(name, KEYS)}")
            if DIMS[KEYS.index(name)] not in OUTPUTS[output].dims:
                raise UnknownLabel(f"{output} does not vary by {name}")
        x = self.results.outputs[output]
        lines = []
        for labels in product(*(axes.axis(DIMS[KEYS.index(name)]).labels for name in by)):
            chosen = [axes.axis(DIMS[KEYS.index(name)]) for name in by]
            kinds = {
                "leaf" if t in a.leaves else "total" if t == a.total else "group"
                for a, t in zip(chosen, labels, strict=True)
            }
            values = summed(axes, output, x, **dict(zip(by, labels, strict=True)))
            before, after = (
                float(values[self.results.run(p.scenario), axes.year(p.year)])
                for p in (self.before, self.after)
            )
            kind = "group" if len(kinds) > 1 else kinds.pop() if kinds else "total"
            relative = float(change(np.array(before), np.array(after)))
            lines.append(
                (*labels, kind, output, OUTPUTS[output].unit, before, after, after - before, relative)
            )
        return pd.DataFrame(
            lines, columns=[*by, "kind", "metric", "unit", "before", "after", "difference", "change"]
        )


def compare(
    assumptions: Assumptions,
    before: str | int,
    after: str | int,
    year: int | None = None,
    scenario: str | None = None,
) -> Comparison:
    """Compare two scenarios in a year, or two years: each point is a scenario, a year, or both ("High 2030").

    A point without a year is in `year` or in the last, one without a scenario in `scenario` or in the first.
    Raises UnknownLabel for a scenario or a year that the workbook does not have, WrongUsage for one that neither point takes.
    """
    found = points(assumptions.axes, (before, after), year, scenario)
    return Comparison(forecast(assumptions, list(dict.fromkeys(p.scenario for p in found))), *found)
