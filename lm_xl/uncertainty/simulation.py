"""The result of a Monte Carlo: means, percentiles, errors, and what the variance comes from; one file."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from lm_xl.faults import Fault, Refused, UnknownLabel
from lm_xl.files import must_end, replacing
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, Axes, Axis
from lm_xl.model.labels import folded, nearest
from lm_xl.model.ops import Array
from lm_xl.uncertainty.draws import BLOCK
from lm_xl.uncertainty.kept import UNIT_OF, KeptResult

if TYPE_CHECKING:
    import pandas as pd

PERCENTS = np.arange(1, 100)
"""The percentiles that are kept."""
HEADLINE_PERCENTS = (10, 50, 90)
REST = "interactions and the rest"
"""The name of what the inputs leave of the variance."""


@dataclass(frozen=True)
class Simulation:
    """The draws of one or more scenarios, reduced.

    Arrays are (run, label, year): of every leaf and every group its own draws are reduced, never the leaves'
    percentiles summed. `revenue` is net sales in nominal USD of the products that succeed in a draw;
    `diagnosed` and `treated` are patients. `percentiles` and their errors have a last axis of the percents 1
    to 99. Errors are standard errors from the scatter between blocks, NaN for less than LEAST_BLOCKS whole ones.
    `by_success` is the deterministic forecast weighed over what may succeed or fail. `convergence` is (run,
    point, statistic, estimate and error) of the last year's total revenue: mean, P10, P50, P90 of the first
    `points` draws, at the last point of all. `contributions` is (run, stream, label): the share of the last
    year's variance of ranks, NaN for less than one whole block, see `variance`.
    """

    axes: Axes
    runs: tuple[str, ...]
    labels: tuple[KeptResult, ...]
    inputs: tuple[str, ...]
    """The input that each stream of `contributions` belongs to."""
    seed: int
    scope: str
    """What revenue by region and by subtype counts; that of segments and their groups is whole."""
    draws: int
    reached: bool
    """Whether the error asked for was reached; True where none was asked for."""
    mean: Array
    mean_error: Array
    deviation: Array
    percentiles: Array
    percentile_errors: Array
    deterministic: Array
    by_success: Array
    points: Array
    convergence: Array
    contributions: Array
    provenance: dict[str, str]

    def run(self, name: str | None = None) -> int:
        """The position of a run; without a name, the first. Raises UnknownLabel."""
        if name is None:
            return 0
        for i, run in enumerate(self.runs):
            if folded(run) == folded(str(name)):
                return i
        raise UnknownLabel(f"no run {name!r}: {nearest(str(name), self.runs)}")

    def at(
        self,
        metric: str = "revenue",
        region: str | None = None,
        segment: str | None = None,
        subtype: str | None = None,
    ) -> int:
        """The position of a label; at most one of the three may be another than the whole, as draws are kept so.

        Raises UnknownLabel.
        """
        if metric not in UNIT_OF:
            raise UnknownLabel(f"unknown metric {metric!r}: {nearest(metric, tuple(UNIT_OF))}")
        wanted = []
        for dim, label in ((REGION, region), (SEGMENT, segment), (SUBTYPE, subtype)):
            axis = self.axes.axis(dim)
            # Revenue by region and by subtype is that of the scope.
            whole = self.scope if dim == SEGMENT and metric == "revenue" else axis.total
            if label is not None and axis.members(label) != axis.members(whole):
                wanted.append((axis.name, axis.label(label)))
        if len(wanted) > 1:
            told = " and ".join(name for name, _ in wanted)
            raise UnknownLabel(f"draws are kept by region, by segment or by subtype, not by {told} at once")
        name, label = wanted[0] if wanted else ("region", self.axes.region.total)
        for i, kept in enumerate(self.labels):
            if (kept.metric, kept.axis, kept.label) == (metric, name, label):
                return i
        raise UnknownLabel(f"{metric} has no {name}")

    def percentile(
        self,
        p: float,
        year: int,
        *,
        region: str | None = None,
        segment: str | None = None,
        subtype: str | None = None,
        metric: str = "revenue",
        run: str | None = None,
    ) -> float:
        """A percentile, `p` from 0.01 to 0.99 in whole percents: USD or patients. Raises UnknownLabel."""
        i = self.at(metric, region, segment, subtype)
        return float(self.percentiles[self.run(run), i, self.axes.year(year), percent_at(p)])

    def expected(
        self,
        year: int,
        *,
        region: str | None = None,
        segment: str | None = None,
        subtype: str | None = None,
        metric: str = "revenue",
        run: str | None = None,
    ) -> float:
        """The mean over the draws: USD for revenue, else patients. Raises UnknownLabel."""
        i = self.at(metric, region, segment, subtype)
        return float(self.mean[self.run(run), i, self.axes.year(year)])

    def frame(self) -> pd.DataFrame:
        """A tidy frame, a run, metric, label and year a row: the forecast, and statistics with errors."""
        import pandas as pd

        index = [
            (run, kept.metric, UNIT_OF[kept.metric], kept.axis, kept.label, year)
            for run in self.runs
            for kept in self.labels
            for year in self.axes.years
        ]
        frame = pd.DataFrame(index, columns=["scenario", "metric", "unit", "axis", "label", "year"])
        for name in ("deterministic", "by_success", "mean", "mean_error", "deviation"):
            frame[name] = getattr(self, name).reshape(-1)
        for percent in HEADLINE_PERCENTS:
            frame[f"p{percent}"] = self.percentiles[..., percent - 1].reshape(-1)
            frame[f"p{percent}_error"] = self.percentile_errors[..., percent - 1].reshape(-1)
        return frame

    def variance(
        self,
        run: str | None = None,
        *,
        metric: str = "revenue",
        region: str | None = None,
        segment: str | None = None,
        subtype: str | None = None,
    ) -> pd.DataFrame:
        """Share of the last year's variance of ranks by input, largest first, by a regression of ranks.

        For an uncorrelated input it is the squared rank correlation; correlated inputs share what they
        explain together. What all of them leave of 1 stands last: interactions, and what is not monotone.
        Each is less what chance gives, so the least may be below 0 by as much. A Dirichlet set is one input,
        with the shares of its members together. All are NaN where nothing varies and for less than one whole
        block of draws.
        Raises UnknownLabel.
        """
        import pandas as pd

        at, i = self.run(run), self.at(metric, region, segment, subtype)
        x = self.contributions[at, :, i]
        shares = dict.fromkeys(self.inputs, 0.0)
        for name, share in zip(self.inputs, x.tolist(), strict=True):
            shares[name] += share
        ranked = [*sorted(shares.items(), key=lambda item: -item[1]), (REST, 1 - float(x.sum()))]
        found = pd.DataFrame(ranked, columns=["input", "share"])
        return found if self.draws >= BLOCK and self.deviation[at, i, -1] else found.assign(share=np.nan)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write a .npz file of numbers and text that `load_simulation` reads. Raises WrongUsage, Refused."""
        must_end(Path(path), ".npz")
        content = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays: dict[str, Any] = {name: x for name, x in content.items() if isinstance(x, np.ndarray)}
        axes = (self.axes.region, self.axes.segment, self.axes.subtype)
        words = {
            "runs": self.runs,
            "inputs": self.inputs,
            "seed": str(self.seed),
            "scope": self.scope,
            "draws": self.draws,
            "reached": self.reached,
            "provenance": self.provenance,
            "labels": [(x.metric, x.axis, x.label, x.members) for x in self.labels],
            "axes": [
                *((x.name, x.leaves, dict(x.groups), x.sets, x.roles, x.notes, x.kinds) for x in axes),
                self.axes.years,
                self.axes.scenarios,
                self.axes.scopes,
            ],
        }
        with replacing(Path(path), force=force) as draft, draft.open("wb") as file:
            np.savez_compressed(file, words=np.array(json.dumps(words)), **arrays)


def load_simulation(path: str | Path) -> Simulation:
    """Read what `Simulation.save` wrote. Raises Refused where a file is something else."""
    path = Path(path)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            words = json.loads(str(file["words"]))
            region, segment, subtype, years, scenarios, *scopes = words.pop("axes")
            region, segment, subtype = (
                Axis(n, tuple(x), {g: tuple(m) for g, m in groups.items()}, *(tuple(t) for t in more))
                for n, x, groups, *more in (region, segment, subtype)
            )
            # Files of before there were scopes hold revenue of the whole market.
            scopes = tuple(scopes[0]) if scopes else (segment.total,)
            return Simulation(
                axes=Axes(region, segment, subtype, tuple(years), tuple(scenarios), scopes),
                labels=tuple(KeptResult(m, a, x, tuple(i)) for m, a, x, i in words.pop("labels")),
                runs=tuple(words.pop("runs")),
                inputs=tuple(words.pop("inputs")),
                seed=int(words.pop("seed")),
                scope=words.pop("scope", scopes[-1]),
                **words,
                **{name: file[name] for name in file.files if name != "words"},
            )
    except OSError as error:
        raise Refused([Fault(path.name, "", "", f"cannot be read: {error.strerror or error}")]) from None
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error):
        told = "is no simulation that lm-xl simulate wrote, or is damaged"
        raise Refused([Fault(path.name, "", "", told)]) from None


def percent_at(p: float) -> int:
    """The position of a percentile, given from 0.01 to 0.99. Raises UnknownLabel."""
    percent = round(p * 100) if isinstance(p, int | float) and 0 < p < 1 else 0
    if percent not in PERCENTS or abs(percent - p * 100) > 1e-9:
        raise UnknownLabel(f"percentile {p!r}: give 0.01 to 0.99 in whole percents")
    return percent - 1
