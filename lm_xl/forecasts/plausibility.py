"""Results and inputs beside the ranges in which evidence puts them: told, never refused, and none is set to lie within."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, Band, Row, reach_of
from lm_xl.forecasts.results import Results
from lm_xl.model.quantities import QUANTITIES


@dataclass(frozen=True)
class Judged:
    """A band, and the result that it is of in each of its regions: people, a share, or suspects a diagnosed patient."""

    band: Band
    values: dict[str, float]

    @property
    def outside(self) -> dict[str, float]:
        """The regions whose result does not lie in the band; what cannot be told, NaN, does not."""
        low, high = self.band.low, self.band.high
        return {region: x for region, x in self.values.items() if not low <= x <= high}


def judged(results: Results, run: str | None = None) -> tuple[Judged, ...]:
    """Every band beside its result in a run, without one in the first. Suspects are told of every region by itself."""
    bands = (band for band in results.assumptions.bands if band.year is not None)
    return tuple(Judged(band, _values(results, band, run)) for band in bands)


def _values(results: Results, band: Band, run: str | None) -> dict[str, float]:
    region, subtype = band.region, band.subtype

    def patients(of: str, stage: str, subtype: str | None) -> float:
        return results.patients(of, band.year or 0, stage, subtype, run)

    if band.result == "suspected_per_diagnosed":
        axis = results.axes.region
        return {
            leaf: _over(patients(leaf, "suspected", subtype), patients(leaf, "diagnosed", subtype))
            for leaf in (axis.leaves[i] for i in axis.members(region))
        }
    diagnosed = patients(region, "diagnosed", subtype)
    if band.result == "diagnosed_share":
        return {region: _over(diagnosed, patients(region, "diagnosed", None))}
    return {region: diagnosed}


def _over(x: float, y: float) -> float:
    return x / y if y else float("nan")


# Inputs


@dataclass(frozen=True)
class Implausible:
    """A row, a band that it leaves, the scenario in which it leaves it first, and the number there that is furthest out."""

    row: Row
    band: Band
    scenario: str
    value: float

    def __str__(self) -> str:
        plausible = f"plausible {self.band.low:g} to {self.band.high:g} (Bands!{self.band.cell})"
        return f"{self.row.place}: {self.row.quantity} of {self.row.keys} is {self.value:g}, {plausible}"


def implausible(a: Assumptions, scenarios: Sequence[str] | None = None) -> tuple[Implausible, ...]:
    """The rows whose numbers leave a band of their quantity, each told once, in the first of the scenarios, without any of all."""
    found: dict[tuple[int, str], Implausible] = {}
    for scenario in scenarios or a.axes.scenarios:
        inputs = a.inputs([scenario])
        for band, position, values in _beside(a):
            within = inputs[band.result][0][values]
            outside = within[(within < band.low) | (within > band.high)]
            if outside.size:
                worst = max(outside.tolist(), key=lambda x: max(band.low - x, x - band.high))
                found.setdefault((position, band.cell), Implausible(a.rows[position], band, scenario, worst))
    return tuple(found.values())


def banded_rows(a: Assumptions, band: Band) -> list[int]:
    """The positions of the rows whose numbers a band of a quantity is of."""
    return sorted({position for other, position, _ in _beside(a) if other is band})


def _beside(a: Assumptions) -> Iterator[tuple[Band, int, np.ndarray]]:
    """Each band of a quantity with the position of each row behind it, and where that row's numbers are: (region, segment, subtype)."""
    for band in a.bands:
        if band.year is None:
            cover = a.covers[band.result]
            reach = reach_of(a.axes, QUANTITIES[band.result], band.keys)
            for position in np.unique(cover[reach & (cover >= 0)]).tolist():
                yield band, position, reach & (cover == position)
