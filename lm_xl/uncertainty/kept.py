"""What is kept of draws: revenue, and patients at two stages, of every leaf and group of one axis."""

from __future__ import annotations

from dataclasses import dataclass

from lm_xl.assumptions.assumptions import Assumptions

OUTPUT_OF = {"revenue": "risk_adjusted_sales", "diagnosed": "diagnosed", "treated": "treated"}
"""What is kept, revenue being net sales of what succeeded, and the output of the forecast beside it."""
UNIT_OF = {"revenue": "USD", "diagnosed": "patients", "treated": "patients"}


@dataclass(frozen=True)
class KeptResult:
    """Something of which draws are kept: revenue, or patients at a stage, of a leaf or group of one axis."""

    metric: str
    axis: str
    label: str
    members: tuple[int, ...]
    """The kept columns that add up to it."""


def kept_results(a: Assumptions) -> tuple[KeptResult, ...]:
    """Every leaf and group, in the order of the kept columns: groups follow the leaves of their axis."""
    found, first = [], 0
    for metric in OUTPUT_OF:
        for axis in (a.axes.region, a.axes.segment, a.axes.subtype):
            if metric == "revenue" or axis is not a.axes.segment:
                found += [
                    KeptResult(metric, axis.name, x, tuple(first + i for i in axis.members(x)))
                    for x in axis.labels
                ]
                first += len(axis)
    return tuple(found)
