"""The forecast added up in plain Python, from what `Results` says alone: what the pages must show, whatever is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import lm_xl

GROUPS = {
    "Global": {"US", "Germany", "France"}, "West": {"US", "Germany"}, "Europe": {"Germany", "France"},
    "Total market": {"Old drug", "New drug", "Scan", "Other drug", "Ray", "Puncture"},
    "Therapeutics": {"Old drug", "New drug", "Other drug", "Ray"}, "Oral": {"New drug", "Other drug"},
    "Diagnostics": {"Scan", "Puncture"}, "Diagnostic tests": {"Scan", "Puncture"},
    "Pill set": {"Old drug", "New drug", "Other drug"}, "Ray set": {"Ray"},
    "Brands": {"Old drug", "New drug", "Other drug", "Ray"},
    "All cancers": {"HR+ breast", "EGFR lung", "Other lung", "Skin"}, "Breast": {"HR+ breast"},
    "Lung": {"EGFR lung", "Other lung"}, "Melanoma": {"Skin"},
}  # fmt: skip
"""What is in each group of the distinct workbook, typed again."""
CLASSES = ("Old drug", "Oral", "Diagnostics", "Ray")
TESTS = GROUPS["Diagnostics"]
YEARS = range(2025, 2031)
BASES = {"Risk-adjusted net": "risk_adjusted", "Net": "net", "Gross": "gross"}
RATES = {"USD": 1, "EUR": 0.8}


def members(label: str) -> set[str]:
    return GROUPS.get(label, {label})


def whole(x: float) -> str:
    return f"{x:,.0f}"


def signed(x: float) -> str:
    return whole(abs(x)) if abs(x) < 0.5 else f"{'-' if x < 0 else '+'}{whole(abs(x))}"


def percent(x: float | str) -> str:
    return x if isinstance(x, str) else f"{100 * x:,.1f}%"


def growth(x: Any, intervals: int = 5) -> float | str:
    """A year's growth over so many intervals: one less than there are years."""
    return "n/a" if x[0] == 0 else float((x[-1] / x[0]) ** (1 / intervals) - 1)


def over(a: float, b: float) -> float | str:
    return "n/a" if b == 0 else a / b


@dataclass(frozen=True)
class Market:
    """What is chosen, and the market as it then is: arrays over the years, revenue in millions of the chosen currency."""

    results: lm_xl.Results
    scenario: str = "Base"
    scope: str = "Therapeutics"
    basis: str = "Risk-adjusted net"
    currency: str = "USD"
    region: str = "Global"
    segment: str = "Therapeutics"
    subtype: str = "All cancers"
    year: int = 2030

    @property
    def said(self) -> str:
        return f"{self.scenario} | {self.scope} | {self.basis} | {self.currency}"

    @cached_property
    def sales(self) -> Any:
        frame = self.results.frame("revenue", basis=BASES[self.basis], scope="Total market")
        frame = frame[frame["scenario"] == self.scenario]
        return frame.assign(value=frame["value"] * RATES[self.currency] / 1e6)

    @cached_property
    def people(self) -> dict[str, Any]:
        stages = ("incidence", "metastatic", "lm_cases", "diagnosed", "treated", "suspected", "prevalence")
        frames = {stage: self.results.frame("patients", stage=stage) for stage in stages}
        return {stage: frame[frame["scenario"] == self.scenario] for stage, frame in frames.items()}

    @staticmethod
    def _sum(frame: Any, **labels: str) -> Any:
        for column, label in labels.items():
            frame = frame[frame[column].isin(members(label))]
        return np.array([frame[frame["year"] == year]["value"].sum() for year in YEARS])

    def revenue(self, **labels: str) -> Any:
        """Revenue of the chosen scope, or of a segment whatever the scope."""
        return self._sum(self.sales, **{"segment": self.scope, **labels})

    def patients(self, stage: str, **labels: str) -> Any:
        return self._sum(self.people[stage], **labels)

    def stage(self, output: str, **labels: str) -> Any:
        """An output of the model that is neither patients nor revenue."""
        return np.array(self.results.series(output, run=self.scenario, **labels))

    def classes(self) -> dict[str, Any]:
        """Revenue of each class; one out of the chosen scope has none."""
        inside = members(self.scope)
        return {c: self.revenue(segment=c) * (members(c) <= inside) for c in CLASSES}

    def segments(self) -> dict[str, Any]:
        """Revenue of each therapy and test; one out of the chosen scope has none."""
        order = self.results.axes.segment.leaves
        return {s: self.revenue(segment=s) * (s in members(self.scope)) for s in order}

    def companies(self) -> dict[str, Any]:
        """Revenue of the chosen scope by company, the largest of the last year first."""
        frame = self.results.frame(
            "revenue", by=["company", "year"], basis=BASES[self.basis], scope=self.scope
        )
        frame = frame[frame["scenario"] == self.scenario]
        found = {
            c: self._sum(frame[frame["company"] == c]) * RATES[self.currency] / 1e6
            for c in set(frame["company"])
        }
        return dict(sorted(found.items(), key=lambda x: -x[1][-1]))

    # The explorer

    @property
    def here(self) -> dict[str, str]:
        return {"region": self.region, "segment": self.segment, "subtype": self.subtype}

    def explored(self) -> Any:
        return self.revenue(**self.here)

    def factors(self) -> list[Any]:
        """The chain behind the explored revenue: people, uses of each, months of each, price, rebates, success."""
        place = {"region": self.region, "subtype": self.subtype}
        chosen = members(self.segment)
        people = self.patients("treated", **place) * bool(chosen - TESTS)
        people = people + self.patients("suspected", **place) * bool(chosen & TESTS)
        out, run = self.results.outputs, self.results.run(self.scenario)
        axes = self.results.axes
        regions, subtypes = (
            [i for i, leaf in enumerate(axis.leaves) if leaf in members(label)]
            for axis, label in ((axes.region, self.region), (axes.subtype, self.subtype))
        )
        uses, units = np.zeros(len(YEARS)), np.zeros(len(YEARS))
        for i, leaf in enumerate(axes.segment.leaves):
            if leaf not in chosen:
                continue
            name = "tests" if leaf in TESTS else "patients_on_therapy"
            full = np.broadcast_to(out[name], (len(self.results.runs), *axes.shape))[run, :, i]
            months = np.broadcast_to(out["treatment_months"], (len(out[name]), *axes.shape))[run, :, i]
            for r in regions:
                for p in subtypes:
                    uses += full[r, p]
                    units += full[r, p] * (1 if leaf in TESTS else months[r, p])
        sold = {basis: self._sold(basis) for basis in ("gross", "net", "risk_adjusted")}
        rebated = sold["gross"] if self.basis == "Gross" else sold["net"]
        last = sold["risk_adjusted"] if self.basis == "Risk-adjusted net" else rebated
        parts = [people, uses, units, sold["gross"], rebated, last]
        before = [np.ones(len(YEARS)), *parts[:-1]]
        rates = [1, 1, 1, RATES[self.currency], 1, 1]
        return [
            ["n/a" if b == 0 else a * rate / b for a, b in zip(part, of, strict=True)]
            for part, of, rate in zip(parts, before, rates, strict=True)
        ]

    def _sold(self, basis: str) -> Any:
        frame = self.results.frame("revenue", basis=basis, scope="Total market")
        return self._sum(frame[frame["scenario"] == self.scenario], **self.here)
