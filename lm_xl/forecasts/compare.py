"""Two points of the model beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Assumptions
from lm_xl.assumptions.columns import KEYS
from lm_xl.faults import UnknownLabel
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.points import Point, measure, points
from lm_xl.forecasts.results import Results
from lm_xl.model.axes import Axes, Axis
from lm_xl.model.labels import nearest
from lm_xl.model.ops import ratio
from lm_xl.model.outputs import OUTPUTS

if TYPE_CHECKING:
    import pandas as pd


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
        scope: str | None = None,
    ) -> pd.DataFrame:
        """A tidy frame of every label, leaves and groups: columns `by`..., kind, metric, unit, before, after, difference, change.

        `kind` is leaf, group or total; only leaves add up. `change` is the difference on the value before, NaN where that is 0.
        Revenue is that of a scope, without one of the headline; segments and their groups are those within it.
        Raises UnknownLabel for an unknown metric, stage, basis, scope or dimension, or one the metric does not vary by.
        """
        import pandas as pd

        axes = self.results.axes
        within = measure(axes, metric, stage=stage, basis=basis, scope=scope)
        output, chosen = within.output, [_axis(axes, within.output, name) for name in by]
        whole = {axis.name: axis.total for axis in chosen} | {"segment": within.segment}
        rows = []
        for labels in product(*(_labels_within(axis, whole[axis.name]) for axis in chosen)):
            place = {"segment": within.segment} | dict(zip(by, labels, strict=True))
            before, after = self._values(output, place)
            relative = float(ratio(np.array(after), np.array(before))) - 1
            numbers = before, after, after - before, relative
            rows.append((*labels, kind_of(chosen, labels, whole), output, OUTPUTS[output].unit, *numbers))
        columns = [*by, "kind", "metric", "unit", "before", "after", "difference", "change"]
        return pd.DataFrame(rows, columns=columns)

    def _values(self, output: str, labels: Mapping[str, str | None]) -> tuple[float, float]:
        """An output summed over the leaves of labels (dimension to label), at both points."""
        results = self.results
        before, after = (
            float(results.series(output, **labels, run=p.scenario)[results.axes.year(p.year)])
            for p in (self.before, self.after)
        )
        return before, after


def _axis(axes: Axes, output: str, name: str) -> Axis:
    """The axis of a dimension by which an output varies. Raises UnknownLabel."""
    if name not in KEYS:
        raise UnknownLabel(f"unknown dimension {name!r}: {nearest(name, KEYS)}")
    dim = DIMS[KEYS.index(name)]
    if dim not in OUTPUTS[output].dims:
        raise UnknownLabel(f"{output} does not vary by {name}")
    return axes.axis(dim)


def _labels_within(axis: Axis, whole: str | None) -> Iterator[str]:
    """The leaves and groups of a label, in their order."""
    members = set(axis.members(whole or axis.total))
    return (label for label in axis.labels if set(axis.members(label)) <= members)


def kind_of(axes: Sequence[Axis], labels: Sequence[str], whole: Mapping[str, str | None]) -> str:
    """What a combination of labels is: a leaf or the total on every axis, else a group."""
    kinds = {
        "leaf" if label in axis.leaves else "total" if label == whole[axis.name] else "group"
        for axis, label in zip(axes, labels, strict=True)
    }
    if not kinds:
        return "total"
    return kinds.pop() if len(kinds) == 1 else "group"


def compare(
    assumptions: Assumptions,
    before: str | int,
    after: str | int,
    year: int | None = None,
    scenario: str | None = None,
) -> Comparison:
    """Compare two scenarios in a year, or two years: each point is a scenario, a year, or both ("High 2030").

    A point without a year is in `year` or in the last, one without a scenario in `scenario` or in the default.
    Raises UnknownLabel for a scenario or a year that the workbook does not have, WrongUsage for one that neither point takes.
    """
    found = points(assumptions.axes, (before, after), year, scenario)
    return Comparison(forecast(assumptions, list(dict.fromkeys(p.scenario for p in found))), *found)
