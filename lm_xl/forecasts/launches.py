"""Launches that sell less than they seem to: those that come after their patents, and those that come after the horizon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lm_xl.forecasts.results import Results
from lm_xl.model.axes import SEGMENT
from lm_xl.model.labels import first_of_several
from lm_xl.model.ops import Array

UNPROTECTED = "comes after its patent, so its price falls from launch on"
BEYOND = "comes after the horizon, so nothing is sold"


@dataclass(frozen=True)
class LaunchNote:
    """What is odd in an entrant's launches: the regions with such a launch in each scenario that has one, in order."""

    segment: str
    what: str
    regions: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        among: dict[tuple[str, ...], list[str]] = {}
        for scenario, regions in self.regions.items():
            among.setdefault(regions, []).append(scenario)
        told = [f"in {first_of_several(regions)} ({', '.join(runs)})" for regions, runs in among.items()]
        return f"{self.segment} {self.what}: {'; '.join(told)}"


def launch_notes(results: Results) -> tuple[LaunchNote, ...]:
    """Every entrant that in some region of some run comes after its patent without orphan exclusivity, or after the horizon.

    Both are told, never refused: launch and loss of exclusivity are the effective ones, after delays, lags and deltas.
    """
    a, structure = results.assumptions, results.assumptions.structure()
    launch, protected = results.outputs["launch"], structure["is_protected"] == 1
    beyond = launch >= a.axes.years[-1] + 1
    unprotected = (results.outputs["exclusive_years"] == 0) & protected & ~beyond
    return tuple(
        LaunchNote(a.axes.segment.leaves[s], what, dict(_regions(results, odd, s)))
        for s in a.axes.segment.having("entrant")
        for what, odd in ((UNPROTECTED, unprotected), (BEYOND, beyond))
        if odd.take(s, axis=SEGMENT).any()
    )


def _regions(results: Results, odd: Array, segment: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each run with a launch that is odd, and the regions of these."""
    leaves = results.axes.region.leaves
    shape = len(results.runs), len(leaves)
    for run, found in zip(
        results.runs, np.broadcast_to(odd.take(segment, axis=SEGMENT)[..., 0, 0], shape), strict=True
    ):
        if found.any():
            yield run, tuple(leaves[r] for r in np.flatnonzero(found))
