"""Results: labelled numbers, tidy frames, growth and shares, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.faults import UnknownLabel
from lm_xl.model.axes import REGION, RUN, SEGMENT, SUBTYPE, YEAR, Axes
from lm_xl.model.labels import nearest
from lm_xl.model.ops import Array
from lm_xl.model.outputs import BASES, OUTPUTS, PATIENT_STAGES
from lm_xl.version import __version__

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("patients", "revenue")
BY = ("region", "segment", "subtype", "year")


def output_of(metric: str, stage: str = "diagnosed", basis: str = "risk_adjusted") -> str:
    """The output behind a metric: a stage of the funnel for patients, a basis for revenue. Raises UnknownLabel."""
    for what, word, known in (
        ("metric", metric, METRICS),
        ("stage", stage, PATIENT_STAGES),
        ("basis", basis, tuple(BASES)),
    ):
        if word not in known:
            raise UnknownLabel(f"unknown {what} {word!r}: {nearest(word, known)}")
    return stage if metric == "patients" else BASES[basis]


def summed(
    axes: Axes,
    output: str,
    x: Array,
    region: str | None = None,
    segment: str | None = None,
    subtype: str | None = None,
) -> Array:
    """An output summed over the leaves of the labels, (run, year). Without a label: over all leaves.

    Raises UnknownLabel for a label that there is none of, or one the output does not vary by.
    """
    for dim, label in ((REGION, region), (SEGMENT, segment), (SUBTYPE, subtype)):
        if label is None:
            continue
        axis = axes.axis(dim)
        members = list(axis.members(label))
        if dim in OUTPUTS[output].dims:
            x = np.take(x, members, axis=dim)
        elif len(members) < len(axis):
            raise UnknownLabel(f"{output} does not vary by {axis.name}: {label!r} cannot be told apart")
    return x.sum(axis=(REGION, SEGMENT, SUBTYPE))


@dataclass(frozen=True)
class Results:
    """A forecast of one or more runs. `outputs` maps a stage's name to its array (run, region, segment, subtype, year)."""

    assumptions: Assumptions
    runs: tuple[str, ...]
    outputs: Mapping[str, Array]

    @property
    def axes(self) -> Axes:
        return self.assumptions.axes

    @cached_property
    def provenance(self) -> dict[str, str]:
        """Fingerprint of the assumptions, engine version, file and runs."""
        return {
            "assumptions": self.assumptions.path.name,
            "fingerprint": self.assumptions.fingerprint,
            "engine": f"lm_xl {__version__}",
            "runs": ", ".join(self.runs),
        }

    def run(self, name: str | None = None) -> int:
        """The position of a run; without a name, the first. Raises UnknownLabel."""
        if name is None:
            return 0
        scenario = self.axes.scenario(name)
        if scenario not in self.runs:
            raise UnknownLabel(f"no run {name!r}: {nearest(name, self.runs)}")
        return self.runs.index(scenario)

    def series(
        self,
        output: str,
        region: str | None = None,
        segment: str | None = None,
        subtype: str | None = None,
        run: str | None = None,
    ) -> Array:
        """A stage's output summed over the leaves of the labels, one number a year. Without a label: over all leaves.

        Raises UnknownLabel for a label, a run or an output that there is none of, or one the output does not vary by.
        """
        if output not in OUTPUTS:
            raise UnknownLabel(f"unknown output {output!r}: {nearest(output, tuple(OUTPUTS))}")
        x = self.outputs[output]
        of_run = x[[min(self.run(run), x.shape[RUN] - 1)]]  # one run stands for all where they do not differ
        x = summed(self.axes, output, of_run, region, segment, subtype)
        if YEAR not in OUTPUTS[output].dims:
            raise UnknownLabel(f"{output} does not vary by year")
        return np.broadcast_to(x[0], (len(self.axes.years),))

    def patients(
        self,
        region: str,
        year: int,
        stage: str = "diagnosed",
        subtype: str | None = None,
        run: str | None = None,
    ) -> float:
        """Patients of a region (leaf or group) in a year: a stage of the funnel, in people.

        Stages: incidence, metastatic, lm_cases, suspected, diagnosed, treated. Raises UnknownLabel.
        """
        series = self.series(output_of("patients", stage), region, None, subtype, run)
        return float(series[self.axes.year(year)])

    def revenue(
        self,
        segment: str,
        year: int,
        region: str | None = None,
        subtype: str | None = None,
        basis: str = "risk_adjusted",
        run: str | None = None,
    ) -> float:
        """Revenue of a segment (leaf or group) in a year, in nominal USD; bases: gross, net, risk_adjusted. Raises UnknownLabel."""
        series = self.series(output_of("revenue", basis=basis), region, segment, subtype, run)
        return float(series[self.axes.year(year)])

    def cagr(self, series: Sequence[float] | Array) -> float | None:
        """Compound annual growth from the first year to the last of a yearly series; None for a zero base."""
        first, last, intervals = float(series[0]), float(series[-1]), len(series) - 1
        return None if first == 0 else float((last / first) ** (1 / intervals) - 1)

    def share(self, series: Sequence[float] | Array, of: Sequence[float] | Array) -> Array:
        """A yearly series as a share of another; NaN where that is 0."""
        whole = np.asarray(of, dtype=float)
        return np.divide(series, whole, out=np.full(whole.shape, np.nan), where=whole != 0)

    def frame(
        self, metric: str, by: Sequence[str] = BY, stage: str = "diagnosed", basis: str = "risk_adjusted"
    ) -> pd.DataFrame:
        """A tidy frame of leaves, one number a row, summed over what is not in `by`: columns scenario, `by`..., metric, unit, value.

        `patients` has no segment. Raises UnknownLabel for an unknown metric, stage, basis or dimension.
        """
        import pandas as pd

        output = output_of(metric, stage, basis)
        for name in by:
            if name not in BY:
                raise UnknownLabel(f"unknown dimension {name!r}: {nearest(name, BY)}")
        if metric == "patients":
            by = [b for b in by if b != "segment"]
        dims = sorted(BY.index(b) + REGION for b in by)
        others = tuple(d for d in (REGION, SEGMENT, SUBTYPE, YEAR) if d not in dims)
        x = self.outputs[output].sum(axis=others, keepdims=True)
        x = np.broadcast_to(x, (len(self.runs), *x.shape[1:]))
        labels = [self.axes.years if d == YEAR else self.axes.axis(d).leaves for d in dims]
        names = ["scenario", *(BY[d - REGION] for d in dims)]
        index = pd.MultiIndex.from_product([self.runs, *labels], names=names)
        columns = {"metric": output, "unit": OUTPUTS[output].unit, "value": x.reshape(-1)}
        frame = pd.DataFrame(columns, index=index)
        return frame.reset_index()[["scenario", *by, "metric", "unit", "value"]]
