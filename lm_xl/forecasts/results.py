"""Results: labelled numbers, tidy frames, growth and shares, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.faults import UnknownLabel
from lm_xl.forecasts.products import BY_PRODUCT, by_products
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

    @property
    def companies(self) -> tuple[str, ...]:
        """Who books the sales, in the order of the sheet Products; an alliance is one."""
        return self.assumptions.companies

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
        company: str | None = None,
    ) -> Array:
        """A stage's output summed over the leaves of the labels, one number a year. Without a label: over all leaves.

        Of sales also those of one company. Raises UnknownLabel for a label, a run or an output that there is none of, or one
        the output does not vary by.
        """
        if output not in OUTPUTS:
            raise UnknownLabel(f"unknown output {output!r}: {nearest(output, tuple(OUTPUTS))}")
        x = self.outputs[output]
        of_run = x[[min(self.run(run), x.shape[RUN] - 1)]]  # one run stands for all where they do not differ
        if company is not None:
            if output not in BASES.values():
                raise UnknownLabel(f"{output} does not vary by company")
            of_run = of_run * self.assumptions.company_shares(company).reshape(1, 1, -1, 1, 1)
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

        Stages: incidence, metastatic, lm_cases, suspected, diagnosed, treated, prevalence. Raises UnknownLabel.
        """
        within = self.axes.region.label(region)
        series = self.series(output_of("patients", stage), within, None, subtype, run)
        return float(series[self.axes.year(year)])

    def revenue(
        self,
        segment: str,
        year: int,
        region: str | None = None,
        subtype: str | None = None,
        basis: str = "risk_adjusted",
        run: str | None = None,
        company: str | None = None,
    ) -> float:
        """Revenue of a segment (leaf or group) in a year, in nominal USD; bases: gross, net, risk_adjusted.

        With a company its part of it. Raises UnknownLabel.
        """
        own = self.axes.segment.label(segment)
        series = self.series(output_of("revenue", basis=basis), region, own, subtype, run, company)
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
        self,
        metric: str,
        by: Sequence[str] = BY,
        stage: str = "diagnosed",
        basis: str = "risk_adjusted",
        scope: str | None = None,
    ) -> pd.DataFrame:
        """A tidy frame of leaves, one number a row, summed over what is not in `by`: columns scenario, `by`..., metric, unit, value.

        Revenue is that of the segments of a scope, without one of the headline. Sales may also be split by company and by product: then segment, company and product are those that there are together.
        `patients` has none of them. Raises UnknownLabel for an unknown metric, stage, basis, scope or dimension.
        """
        import pandas as pd

        output = output_of(metric, stage, basis)
        inside = list(self.axes.segment.members(self.axes.scope(scope)))
        by = (by,) if isinstance(by, str) else by
        for name in by:
            if name not in (*BY, *BY_PRODUCT):
                raise UnknownLabel(f"unknown dimension {name!r}: {nearest(name, (*BY, *BY_PRODUCT))}")
        if metric == "patients":
            if set(by) & set(BY_PRODUCT):
                raise UnknownLabel("patients do not vary by company or product")
            by = [b for b in by if b != "segment"]
        elif set(by) & set(BY_PRODUCT):
            return self._frame_by_products(output, by, inside)
        dims = sorted(BY.index(b) + REGION for b in by)
        others = tuple(d for d in (REGION, SEGMENT, SUBTYPE, YEAR) if d not in dims)
        x = self.outputs[output]
        if metric == "revenue":
            x = np.take(x, inside, axis=SEGMENT)
        x = x.sum(axis=others, keepdims=True)
        x = np.broadcast_to(x, (len(self.runs), *x.shape[1:]))
        labels: list[Sequence[object]] = [
            self.axes.years if d == YEAR else self.axes.axis(d).leaves for d in dims
        ]
        if SEGMENT in dims:
            labels[dims.index(SEGMENT)] = [self.axes.segment.leaves[i] for i in inside]
        names = ["scenario", *(BY[d - REGION] for d in dims)]
        index = pd.MultiIndex.from_product([self.runs, *labels], names=names)
        columns = {"metric": output, "unit": OUTPUTS[output].unit, "value": x.reshape(-1)}
        frame = pd.DataFrame(columns, index=index)
        return frame.reset_index()[["scenario", *by, "metric", "unit", "value"]]

    def _frame_by_products(self, output: str, by: Sequence[str], inside: Sequence[int]) -> pd.DataFrame:
        """A tidy frame of the sales of some segments by company or product, and by what else is in `by`."""
        import pandas as pd

        others = tuple(d for d in (REGION, SUBTYPE, YEAR) if BY[d - REGION] not in by)
        sales = self.outputs[output].sum(axis=others, keepdims=True)
        joined = [name for name in ("segment", *BY_PRODUCT) if name in by]
        x, combinations = by_products(self.assumptions, sales, joined, inside)
        x = np.broadcast_to(x, (len(self.runs), *x.shape[1:]))
        dims = [d for d in (REGION, SEGMENT, SUBTYPE, YEAR) if d not in others]
        labels = [
            combinations if d == SEGMENT else self.axes.years if d == YEAR else self.axes.axis(d).leaves
            for d in dims
        ]
        index = pd.MultiIndex.from_product(
            [self.runs, *labels], names=["scenario", *(BY[d - REGION] for d in dims)]
        )
        frame = pd.DataFrame(
            {"metric": output, "unit": OUTPUTS[output].unit, "value": x.reshape(-1)}, index=index
        )
        frame = frame.reset_index()
        together = list(frame["segment"])
        for i, name in enumerate(joined):
            frame[name] = [combination[i] for combination in together]
        return frame[["scenario", *by, "metric", "unit", "value"]]
