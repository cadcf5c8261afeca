"""Results beside the ranges in which evidence puts them: told, never refused, and no result is set to lie within."""

from __future__ import annotations

from dataclasses import dataclass

from lm_xl.assumptions.assumptions import Band
from lm_xl.forecasts.results import Results


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
    return tuple(Judged(band, _values(results, band, run)) for band in results.assumptions.bands)


def _values(results: Results, band: Band, run: str | None) -> dict[str, float]:
    region, subtype = band.region, band.subtype

    def patients(of: str, stage: str, subtype: str | None) -> float:
        return results.patients(of, band.year, stage, subtype, run)

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
