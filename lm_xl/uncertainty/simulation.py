"""Monte Carlo: many draws on any executor, reduced to means, percentiles, their errors, and what the variance comes from.

The draws are kept in a folder on disk, block by block, and reduced label by label: memory does not grow with their number.
A run that is interrupted goes on where it stopped. No number depends on workers, on chunks, or on the order in which they end.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zlib
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from itertools import chain, groupby, product
from math import ceil, isfinite, prod, sqrt
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, Delta, Keys
from lm_xl.assumptions.columns import OPERATIONS
from lm_xl.faults import Fault, IdentityError, Refused, UnknownLabel
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.identities import check_identities
from lm_xl.forecasts.results import Results
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, Axes
from lm_xl.model.labels import folded, nearest
from lm_xl.model.ops import Array
from lm_xl.model.quantities import QUANTITIES
from lm_xl.uncertainty.draws import (
    BLOCK,
    BrokenDraw,
    Label,
    OutOfRange,
    Plan,
    block,
    certain,
    full_draw,
    labels_of,
    plan_of,
)
from lm_xl.uncertainty.limits import MOST_DRAWS
from lm_xl.version import __version__

if TYPE_CHECKING:
    import pandas as pd

LEAST_BLOCKS = 8
"""Blocks before the scatter between them may stop a run."""
IN_FLIGHT = 32
"""Chunks given to workers at a time."""
SAME = 1e-9
"""Two ways of summing the same numbers agree within this."""
TRIES = 3
"""How often a chunk is given to workers that die or fail."""
PERCENTS = np.arange(1, 100)
"""The percentiles that are kept."""
HEADLINE_PERCENTS = (10, 50, 90)
CONVERGENCE_POINTS = 60
OUTPUT_OF = {"revenue": "risk_adjusted_sales", "diagnosed": "diagnosed", "treated": "treated"}
"""The output of the deterministic forecast that stands beside each metric."""
UNIT_OF = {"revenue": "USD", "diagnosed": "patients", "treated": "patients"}

Progress = Callable[[int, int], None]
"""Told how many blocks are done, of how many."""
Work = tuple[int, tuple[int, ...]]
"""A scenario's position, and blocks of it."""


@dataclass(frozen=True)
class Simulation:
    """The draws of one or more scenarios, reduced.

    Arrays are (run, label, year): of every leaf and every group its own draws are reduced, never the leaves' percentiles summed.
    `revenue` is net sales in nominal USD of the products that succeed in a draw; `diagnosed` and `treated` are patients.
    `percentiles` and their errors have a last axis of the percents 1 to 99. Errors are standard errors from the scatter between
    blocks, NaN for less than two whole blocks. `by_success` is the deterministic forecast weighed over what may succeed or fail.
    `convergence` is (run, point, statistic, estimate and error) of the last year's total revenue: mean, P10, P50, P90 of the first
    `points` draws, at the last point of all. `contributions` is (run, stream, label): the share of the last year's variance of ranks,
    NaN for less than one whole block, see `variance`.
    """

    axes: Axes
    runs: tuple[str, ...]
    labels: tuple[Label, ...]
    inputs: tuple[str, ...]
    """The input that each stream of `contributions` belongs to."""
    seed: int
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
        """The position of a label. Draws are kept by region, by segment and by subtype: at most one may be less than the total.

        Raises UnknownLabel.
        """
        if metric not in UNIT_OF:
            raise UnknownLabel(f"unknown metric {metric!r}: {nearest(metric, tuple(UNIT_OF))}")
        wanted = []
        for dim, label in ((REGION, region), (SEGMENT, segment), (SUBTYPE, subtype)):
            axis = self.axes.axis(dim)
            if label is not None and len(axis.members(label)) < len(axis):
                wanted.append((axis.name, axis.label(label)))
        if len(wanted) > 1:
            raise UnknownLabel(
                f"draws are kept by region, by segment or by subtype, not by {' and '.join(name for name, _ in wanted)} at once"
            )
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
        """A percentile, `p` from 0.01 to 0.99 in whole percents: USD for revenue, patients for diagnosed and treated. Raises UnknownLabel."""
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
        """The mean over the draws: USD for revenue, patients for diagnosed and treated. Raises UnknownLabel."""
        return float(
            self.mean[self.run(run), self.at(metric, region, segment, subtype), self.axes.year(year)]
        )

    def frame(self) -> pd.DataFrame:
        """A tidy frame: a run, metric, label and year a row; deterministic value, mean, P10, P50, P90, each with its Monte Carlo error."""
        import pandas as pd

        index = [
            (run, kept.metric, UNIT_OF[kept.metric], kept.axis, kept.label, year)
            for run in self.runs
            for kept in self.labels
            for year in self.axes.years
        ]
        frame = pd.DataFrame(index, columns=["scenario", "metric", "unit", "axis", "label", "year"])
        for name, x in (
            ("deterministic", self.deterministic),
            ("by_success", self.by_success),
            ("mean", self.mean),
            ("mean_error", self.mean_error),
        ):
            frame[name] = x.reshape(-1)
        frame["deviation"] = self.deviation.reshape(-1)
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
        """Share of the last year's variance of ranks by input, largest first, by a linear regression of ranks on all inputs.

        For an uncorrelated input it is the squared rank correlation; correlated inputs share what they explain together. What all
        of them leave of 1 stands last: interactions, and what is not monotone. Each is less what chance gives, so the least may be
        below 0 by as much. A Dirichlet set is one input, with the shares of its members together. All are NaN where nothing varies
        and for less than one whole block of draws. Raises UnknownLabel.
        """
        import pandas as pd

        at, i = self.run(run), self.at(metric, region, segment, subtype)
        x = self.contributions[at, :, i]
        shares = dict.fromkeys(self.inputs, 0.0)
        for name, share in zip(self.inputs, x.tolist(), strict=True):
            shares[name] += share
        ranked = [
            *sorted(shares.items(), key=lambda item: -item[1]),
            ("interactions and the rest", 1 - float(x.sum())),
        ]
        found = pd.DataFrame(ranked, columns=["input", "share"])
        return found if self.draws >= BLOCK and self.deviation[at, i, -1] else found.assign(share=np.nan)

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write everything to one file that `load_simulation` reads: numpy's .npz, of numbers and text alone. Raises WrongUsage for another name, Refused."""
        from lm_xl.files import must_end, replacing

        must_end(Path(path), ".npz")
        arrays = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if isinstance(getattr(self, f.name), np.ndarray)
        }
        words = {
            "runs": self.runs, "inputs": self.inputs, "seed": str(self.seed), "draws": self.draws, "reached": self.reached, "provenance": self.provenance,
            "labels": [(x.metric, x.axis, x.label, x.members) for x in self.labels],
            "axes": [
                *((a.name, a.leaves, dict(a.groups), a.sets, a.roles, a.notes) for a in (self.axes.region, self.axes.segment, self.axes.subtype)),
                self.axes.years, self.axes.scenarios,
            ],
        }  # fmt: skip
        with replacing(Path(path), force=force) as draft, draft.open("wb") as file:
            np.savez_compressed(file, words=np.array(json.dumps(words)), **arrays)


def load_simulation(path: str | Path) -> Simulation:
    """Read what `Simulation.save` wrote. Raises Refused where a file is something else."""
    from lm_xl.model.axes import Axis

    path = Path(path)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            words = json.loads(str(file["words"]))
            *sides, years, scenarios = words.pop("axes")
            region, segment, subtype = (
                Axis(n, tuple(x), {g: tuple(m) for g, m in groups.items()}, *(tuple(t) for t in more))
                for n, x, groups, *more in sides
            )
            return Simulation(
                axes=Axes(region, segment, subtype, tuple(years), tuple(scenarios)),
                labels=tuple(Label(m, a, x, tuple(i)) for m, a, x, i in words.pop("labels")),
                runs=tuple(words.pop("runs")),
                inputs=tuple(words.pop("inputs")),
                seed=int(words.pop("seed")),
                **words,
                **{name: file[name] for name in file.files if name != "words"},
            )
    except OSError as error:
        raise Refused([Fault(path.name, "", "", f"cannot be read: {error.strerror or error}")]) from None
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error):
        raise Refused(
            [Fault(path.name, "", "", "is no simulation that lm-xl simulate wrote, or is damaged")]
        ) from None


def percent_at(p: float) -> int:
    """The position of a percentile, given from 0.01 to 0.99. Raises UnknownLabel."""
    percent = round(p * 100) if isinstance(p, int | float) and 0 < p < 1 else 0
    if percent not in PERCENTS or abs(percent - p * 100) > 1e-9:
        raise UnknownLabel(f"percentile {p!r}: give 0.01 to 0.99 in whole percents")
    return percent - 1


# Sweeps


@dataclass(frozen=True)
class Lever:
    """A delta tried with several amounts: an operation on a quantity, for labels or groups; without a label, for all of them."""

    quantity: str
    operation: str
    amounts: tuple[float, ...]
    region: str = ""
    segment: str = ""
    subtype: str = ""


def sweep(
    a: Assumptions,
    levers: Sequence[Lever],
    draws: int,
    seed: int,
    scenarios: Sequence[str] | str | None = None,
    executor: Executor | Callable[[], Executor] | None = None,
    **options: Any,
) -> Simulation:
    """Simulate every scenario with every combination of the levers' amounts, all with the same draws: a run for each.

    A run is named by its scenario and amounts. Raises Refused and UnknownLabel as `simulate` does, and for a lever out of range.
    """
    grid, names = with_levers(a, levers, scenarios)
    return simulate(grid, draws, seed, names, executor, **options)


def with_levers(
    a: Assumptions, levers: Sequence[Lever], scenarios: Sequence[str] | str | None = None
) -> tuple[Assumptions, tuple[str, ...]]:
    """Assumptions with a scenario for each point of a grid, and the names of these. Raises Refused and UnknownLabel."""
    keys = []
    for lever in levers:
        if lever.quantity not in QUANTITIES or QUANTITIES[lever.quantity].sheet == "Timeline":
            raise UnknownLabel(
                f"no quantity {lever.quantity!r} can be swept: {nearest(lever.quantity, tuple(QUANTITIES))}"
            )
        if lever.operation not in OPERATIONS:
            raise UnknownLabel(
                f"unknown operation {lever.operation!r}: {nearest(lever.operation, OPERATIONS)}"
            )
        dims = QUANTITIES[lever.quantity].dims
        labels = ((REGION, lever.region), (SEGMENT, lever.segment), (SUBTYPE, lever.subtype))
        if wrong := [a.axes.axis(d).name for d, x in labels if x and d not in dims]:
            raise UnknownLabel(f"{lever.quantity} does not vary by {wrong[0]}")
        _demand_amounts(lever)
        keys.append(
            Keys(*(a.axes.axis(d).label(x or a.axes.axis(d).total) if d in dims else "" for d, x in labels))
        )
    names, deltas = [], list(a.deltas)
    for scenario in scenarios_of(a, scenarios):
        for amounts in product(*(lever.amounts for lever in levers)):
            point = "; ".join(
                f"{lever.quantity} {k} {lever.operation} {_exactly(x)}"
                for lever, k, x in zip(levers, keys, amounts, strict=True)
            )
            name = f"{scenario}; {point}" if point else scenario
            names.append(name)
            deltas += [replace(d, scenario=name) for d in a.deltas if d.scenario == scenario and point]
            deltas += [
                Delta(name, lever.quantity, k, lever.operation, float(x), "", (), "", "a point of a sweep")
                for lever, k, x in zip(levers, keys, amounts, strict=True)
                if (lever.operation, x) not in (("multiply", 1), ("add", 0))
            ]
    from lm_xl.assumptions.read import checked

    new = [n for n in names if n not in a.axes.scenarios]
    if len(set(names)) < len(names):
        raise UnknownLabel("a lever is there twice: give each amount once")
    axes = replace(a.axes, scenarios=(*a.axes.scenarios, *new))
    return checked(replace(a, axes=axes, deltas=tuple(deltas))), tuple(names)


def _demand_amounts(lever: Lever) -> None:
    """Raises Refused where a lever's amounts are not one or several numbers."""
    amounts, place = lever.amounts, f"lever on {lever.quantity}"
    if isinstance(amounts, str) or not isinstance(amounts, Collection) or not len(amounts):
        raise Refused(
            [Fault(place, "", "", f"amounts {amounts!r}: give one or several numbers, such as (0.8, 1.2)")]
        )
    wrong = [x for x in amounts if not isinstance(x, Real) or isinstance(x, bool) or not isfinite(x)]
    if wrong:
        raise Refused([Fault(place, "", "", f"amount {x!r} is not a finite number") for x in wrong])


def _exactly(x: float) -> str:
    """A number in the fewest digits that tell it from all others."""
    return repr(float(x)).removesuffix(".0")


# Running


def scenarios_of(a: Assumptions, scenarios: Sequence[str] | str | None) -> tuple[str, ...]:
    """Scenarios as the workbook writes them: one, several, or without any the first. Raises UnknownLabel, Refused for one given twice."""
    wanted = (
        a.axes.scenarios[:1]
        if scenarios is None
        else [scenarios]
        if isinstance(scenarios, str)
        else list(scenarios)
    )
    names = [a.axes.scenario(str(name)) for name in wanted]
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice or not names:
        raise Refused(
            [
                Fault(
                    "scenarios",
                    "",
                    "",
                    f"{twice[0]!r} is there twice"
                    if twice
                    else "none is given: leave them out for the first",
                )
            ]
        )
    return tuple(names)


def simulate(
    a: Assumptions,
    draws: int = 10_000,
    seed: int = 1,
    scenarios: Sequence[str] | str | None = None,
    executor: Executor | Callable[[], Executor] | None = None,
    *,
    stop_at: float | None = None,
    store: str | Path | None = None,
    chunk: int = 1,
    progress: Progress = lambda done, of: None,
) -> Simulation:
    """Monte Carlo over every uncertain input, for one or several scenarios with the same draws.

    `executor` is any concurrent.futures.Executor, or a function that makes one, which then replaces one whose workers died; without
    it the draws are made here. `stop_at` ends the run at the first number of blocks at which the errors of the mean, P10 and P90 of
    the last year's total revenue are below this share of them, in every scenario. `store` is a folder that keeps the draws of an
    interrupted run and is removed at the end. `chunk` is the number of blocks that a worker takes at once.
    Raises Refused for impossible spreads, arguments or stores, UnknownLabel for a scenario, IdentityError naming a draw that breaks an identity.
    """
    draws, seed, chunk = (
        whole("draws", draws, 1, MOST_DRAWS),
        whole("seed", seed, 0, 2**128 - 1),
        whole("chunk", chunk, 1, MOST_DRAWS),
    )
    if stop_at is not None and not (isinstance(stop_at, Real) and 0 < stop_at < 1):
        raise Refused([Fault("stop_at", "", "", f"{stop_at!r} is not a share between 0 and 1, such as 0.01")])
    if executor is not None and not isinstance(executor, Executor) and not callable(executor):
        raise Refused(
            [
                Fault(
                    "executor",
                    "",
                    "",
                    f"{executor!r} is no concurrent.futures.Executor and no function that makes one",
                )
            ]
        )
    plan = plan_of(a, scenarios_of(a, scenarios), seed)
    runs = tuple(scene.name for scene in plan.scenes)
    blocks = ceil(draws / BLOCK)
    stamp = {
        "assumptions": a.path.name, "fingerprint": a.fingerprint, "uncertainty": a.uncertainty, "engine": f"lm_xl {__version__}", "seed": str(seed),
        "sampling": f"Latin hypercube in blocks of {BLOCK}, Gaussian rank correlations", "numpy": np.__version__, "scipy": version("scipy"),
    }  # fmt: skip
    with _store(store, plan, runs, blocks, stamp) as kept:
        headline = np.full((len(runs), blocks, BLOCK), np.nan)
        try:
            done, reached = _fill(plan, kept, headline, draws // BLOCK, executor, chunk, stop_at, progress)
        except BrokenDraw as broken:
            raise _explained(a, plan, broken) from None
        return _reduced(
            a, plan, kept, headline[:, :done], forecast(a, runs), min(draws, done * BLOCK), reached, stamp
        )


def whole(name: str, value: object, least: int, most: int) -> int:
    """A whole number in a range. Raises Refused."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not least <= int(value) <= most:
        raise Refused([Fault(name, "", "", f"{value!r} is not a whole number from {least:,} to {most:,}")])
    return int(value)


class _Kept:
    """The draws on disk: what is kept, (run, block, year, column, draw), the causes, (run, block, stream, label), and what is done."""

    def __init__(self, folder: Path, plan: Plan, runs: int, blocks: int) -> None:
        columns = 1 + max(i for members in plan.labels for i in members)
        self.draws = (runs, blocks, plan.shape[-1], columns, BLOCK)
        self.causes = (runs, blocks, len(plan.streams), len(plan.labels))
        self.paths = tuple(folder / name for name in ("draws", "causes", "done"))

    @property
    def bytes(self) -> int:
        return 8 * (prod(self.draws) + prod(self.causes))

    @property
    def sizes(self) -> tuple[int, int, int]:
        return 8 * prod(self.draws), 8 * prod(self.causes), prod(self.draws[:2])

    def complete(self) -> bool:
        """Whether all files are there in full."""
        return all(
            path.is_file() and path.stat().st_size == size
            for path, size in zip(self.paths, self.sizes, strict=True)
        )

    def create(self) -> None:
        for path, size in zip(self.paths, self.sizes, strict=True):
            with path.open("wb") as file:
                file.truncate(size)

    def done(self) -> Array:
        """Which blocks of which run are there: (run, block)."""
        return np.fromfile(self.paths[2], dtype=bool).reshape(self.draws[:2])

    def write(self, run: int, number: int, kept: Array, causes: Array) -> None:
        at = run * self.draws[1] + number
        for path, content in zip(
            self.paths, (kept, causes, np.array([True])), strict=True
        ):  # done comes last
            with path.open("r+b", buffering=0) as file:
                file.seek(at * content.nbytes)
                file.write(np.ascontiguousarray(content).data)

    def columns(self, run: int, first: int, count: int, year: int, blocks: int) -> Array:
        """The draws of some columns in one year: (column, draw)."""
        _, _, years, columns, _ = self.draws
        out = np.empty((count, blocks, BLOCK))
        with self.paths[0].open("rb", buffering=0) as file:
            for number in range(blocks):
                file.seek(8 * BLOCK * (((run * self.draws[1] + number) * years + year) * columns + first))
                out[:, number] = np.fromfile(file, dtype=float, count=count * BLOCK).reshape(count, BLOCK)
        return out.reshape(count, -1)

    def block(self, run: int, number: int) -> Array:
        """The draws of one block: (year, column, draw)."""
        size = prod(self.draws[2:])
        at = run * self.draws[1] + number
        return np.fromfile(self.paths[0], dtype=float, count=size, offset=8 * size * at).reshape(
            self.draws[2:]
        )

    def causes_of(self, run: int, number: int) -> Array:
        """The rank correlations of one block: (stream, label)."""
        size = prod(self.causes[2:])
        at = run * self.causes[1] + number
        return np.fromfile(self.paths[1], dtype=float, count=size, offset=8 * size * at).reshape(
            self.causes[2:]
        )


@contextmanager
def _store(
    store: str | Path | None, plan: Plan, runs: tuple[str, ...], blocks: int, stamp: dict[str, str]
) -> Iterator[_Kept]:
    """The folder of draws: a passing one, or one that stays when the run is interrupted. Raises Refused where it cannot be used.

    The manifest comes first, and whole: a folder that has one but not all of its files starts anew.
    """
    if store is None:
        with tempfile.TemporaryDirectory(prefix="lm_xl-") as passing:
            kept = _Kept(Path(passing), plan, len(runs), blocks)
            _demand_space(Path(passing), kept.bytes)
            kept.create()
            yield kept
        return
    folder = Path(store)
    manifest, draft = folder / "manifest.json", folder / "manifest.new"
    wanted = {**stamp, "scenarios": "; ".join(runs), "blocks": str(blocks)}
    kept = _Kept(folder, plan, len(runs), blocks)
    if manifest.exists():
        try:
            found = dict(json.loads(manifest.read_text(encoding="utf-8")).items())
        except (ValueError, AttributeError):
            raise Refused(
                [
                    Fault(
                        folder.name,
                        "",
                        "",
                        f"its {manifest.name} is damaged: remove the folder, or give another name",
                    )
                ]
            ) from None
        for name in sorted({*wanted, *found}):
            if found.get(name) != wanted.get(name):
                told = f"its {name} is {found.get(name)!r}, not {wanted.get(name)!r}"
                raise Refused(
                    [
                        Fault(
                            folder.name,
                            "",
                            "",
                            f"holds the draws of another run: {told}; remove the folder, or run that one to its end",
                        )
                    ]
                )
    else:
        if folder.exists() and (not folder.is_dir() or any(path != draft for path in folder.iterdir())):
            raise Refused([Fault(folder.name, "", "", "is no folder of draws: give another name")])
        if not folder.absolute().parent.is_dir():
            raise Refused([Fault(folder.name, "", "", f"cannot be made: there is no folder {folder.parent}")])
        _demand_space(folder.absolute().parent, kept.bytes)
        folder.mkdir(exist_ok=True)
        draft.write_text(json.dumps(wanted, indent=1), encoding="utf-8")
        draft.replace(manifest)
    try:
        if not kept.complete():
            kept.create()
        yield kept
    except FileNotFoundError as gone:
        if Path(gone.filename or "") not in kept.paths:
            raise
        told = "was removed while draws were made: another run with the same output has ended, or somebody removed it; run again"
        raise Refused([Fault(folder.name, "", "", told)]) from None
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _demand_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise Refused(
            [
                Fault(
                    str(folder),
                    "",
                    "",
                    f"the draws need {size / 1e9:,.1f} GB, {free / 1e9:,.1f} GB are free: ask for fewer draws",
                )
            ]
        )


def blocks_of_draws(plan: Plan, run: int, blocks: Sequence[int]) -> list[tuple[Array, Array]]:
    """What a worker does: some blocks of one scenario."""
    return [block(plan, number, run) for number in blocks]


def _fill(
    plan: Plan,
    kept: _Kept,
    headline: Array,
    whole_blocks: int,
    executor: Executor | Callable[[], Executor] | None,
    chunk: int,
    stop_at: float | None,
    progress: Progress,
) -> tuple[int, bool]:
    """Draw until all blocks are there or, in their order, enough whole ones for the error: how many, and whether the error is reached."""
    runs, blocks = headline.shape[:2]
    regions = plan.shape[0]
    there = kept.done()
    for run, number in np.argwhere(there):
        headline[run, number] = kept.block(int(run), int(number))[-1, :regions].sum(axis=0)
    chunks = [range(start, min(start + chunk, blocks)) for start in range(0, blocks, chunk)]
    todo = [
        (run, tuple(n for n in numbers if not there[run, n])) for numbers in chunks for run in range(runs)
    ]
    statistics = np.full((runs, blocks, 1 + len(HEADLINE_PERCENTS)), np.nan)
    ordered = 0
    nothing: tuple[Work, list[tuple[Array, Array]]] = ((0, ()), [])
    with closing(_worked(plan, [work for work in todo if work[1]], executor)) as worked:
        for (run, numbers), found in chain([nothing], worked):
            for number, (columns, causes) in zip(numbers, found, strict=True):
                kept.write(run, number, columns, causes)
                headline[run, number] = columns[-1, :regions].sum(axis=0)
                there[run, number] = True
            progress(int(there.sum()), there.size)
            while ordered < blocks and there[:, ordered].all():
                statistics[:, ordered] = _statistics(headline[:, ordered])
                ordered += 1
                if (
                    stop_at is not None
                    and LEAST_BLOCKS <= ordered <= whole_blocks
                    and _settled(statistics[:, :ordered], stop_at)
                ):
                    return ordered, True
    return blocks, stop_at is None


def _statistics(x: Array) -> Array:
    """Mean and headline percentiles along the last axis."""
    return np.concatenate(
        [x.mean(axis=-1, keepdims=True), at_percents(np.sort(x, axis=-1), HEADLINE_PERCENTS)], axis=-1
    )


def at_percents(ordered: Array, percents: Sequence[int] | Array) -> Array:
    """Percentiles of sorted numbers along the last axis, in straight lines between them."""
    at = (ordered.shape[-1] - 1) * np.asarray(percents) / 100
    below = np.floor(at).astype(int)
    above = np.minimum(below + 1, ordered.shape[-1] - 1)
    return ordered[..., below] + (ordered[..., above] - ordered[..., below]) * (at - below)


def scatter_error(x: Array, axis: int) -> Array:
    """The standard error of a mean from the scatter of independent numbers; NaN for less than two."""
    n = x.shape[axis]
    if n < 2:
        return np.full(np.delete(x.shape, axis), np.nan)
    return (x - np.take(x, [0], axis=axis)).std(axis=axis, ddof=1) / sqrt(n)


def _settled(statistics: Array, stop_at: float) -> bool:
    """Whether mean, P10 and P90 of every run are known well enough."""
    kept = statistics[..., [0, 1, 3]]
    return bool((scatter_error(kept, 1) < stop_at * kept.mean(axis=1)).all())


def _worked(
    plan: Plan, todo: Sequence[Work], executor: Executor | Callable[[], Executor] | None
) -> Generator[tuple[Work, list[tuple[Array, Array]]], None, None]:
    """Chunks as they end. A chunk whose worker dies or fails is given out again, at most TRIES times in all.

    Where the executor itself breaks, the function that makes it makes another; without one the rest is drawn here.
    """
    if executor is None:
        for work in todo:
            yield work, blocks_of_draws(plan, *work)
        return
    pool = executor if isinstance(executor, Executor) else executor()
    queue = deque((work, 1) for work in todo)
    pending: dict[Future[list[tuple[Array, Array]]], tuple[Work, int]] = {}
    try:
        while queue or pending:
            broken = False
            while queue and len(pending) < IN_FLIGHT and not broken:
                work, tries = queue.popleft()
                try:
                    pending[pool.submit(blocks_of_draws, plan, *work)] = work, tries
                except BrokenExecutor:
                    queue.appendleft((work, tries))
                    broken = True
            for future in wait(pending, return_when=FIRST_COMPLETED).done if pending else ():
                work, tries = pending.pop(future)
                try:
                    found = future.result()
                except BrokenDraw:
                    raise
                except Exception as failure:
                    if tries == TRIES:
                        raise
                    queue.appendleft((work, tries + 1))
                    broken |= isinstance(failure, BrokenExecutor)
                else:
                    yield work, found
            if broken:
                queue.extendleft((work, tries + 1) for work, tries in pending.values())
                pending.clear()
                if isinstance(executor, Executor):
                    for work, _ in queue:
                        yield work, blocks_of_draws(plan, *work)
                    return
                pool.shutdown(wait=False)
                pool = executor()
    finally:
        for future in pending:
            future.cancel()
        if not isinstance(executor, Executor):
            pool.shutdown(wait=True, cancel_futures=True)


def _explained(a: Assumptions, plan: Plan, broken: BrokenDraw) -> IdentityError:
    """What is wrong with a draw, found by running it through the whole model."""
    place = f"draw {broken.draw} of seed {plan.seed}, scenario {plan.scenes[broken.scene].name!r}"
    try:
        check_identities(full_draw(a, plan, broken.scene, broken.draw))
    except IdentityError as identity:
        return IdentityError(f"{place}: {identity}")
    except OutOfRange as outside:
        return IdentityError(f"{place}: {a.path.name}: {outside}")
    return IdentityError(f"{place}: its results are not numbers, or its shares do not sum to 1")


# Reducing


def _reduced(
    a: Assumptions,
    plan: Plan,
    kept: _Kept,
    headline: Array,
    deterministic: Results,
    draws: int,
    reached: bool,
    stamp: dict[str, str],
) -> Simulation:
    labels, years = labels_of(a), range(plan.shape[-1])
    runs = tuple(scene.name for scene in plan.scenes)
    blocks, whole_blocks = headline.shape[1], draws // BLOCK
    shape = (len(runs), len(labels), len(years))
    stated, by_success, mean, mean_error, deviation = (np.empty(shape) for _ in range(5))
    percentiles, percentile_errors = (np.empty((*shape, len(PERCENTS))) for _ in range(2))
    for run, name in enumerate(runs):
        surely, weighed = certain(plan, run)
        for i, kept_label in enumerate(labels):
            stated[run, i] = deterministic.series(
                OUTPUT_OF[kept_label.metric], **{kept_label.axis: kept_label.label}, run=name
            )
            by_success[run, i] = weighed[list(kept_label.members)].sum(axis=0)
        for _, group in groupby(range(len(labels)), lambda i: (labels[i].metric, labels[i].axis)):
            some = list(group)
            first = min(labels[i].members[0] for i in some)
            count = 1 + max(m for i in some for m in labels[i].members) - first
            for year in years:
                columns = np.empty((count, draws + 1))
                columns[:, :-1] = kept.columns(run, first, count, year, blocks)[:, :draws]
                columns[:, -1] = surely[
                    first : first + count, year
                ]  # summed as the draws are, so that it equals one without spread
                for i in some:
                    members = [m - first for m in labels[i].members]
                    x = columns[members].sum(axis=0) if len(members) > 1 else columns[members[0]]
                    x, base, value = x[:-1], x[-1], stated[run, i, year]
                    if abs(base - value) <= SAME * abs(value):
                        x = np.where(x == base, value, x)
                    mean[run, i, year] = value + (x - value).mean()
                    deviation[run, i, year] = (x - x[0]).std()
                    percentiles[run, i, year] = at_percents(np.sort(x), PERCENTS)
                    scattered = x[: whole_blocks * BLOCK].reshape(whole_blocks, BLOCK)
                    mean_error[run, i, year] = scatter_error(scattered.mean(axis=1), 0)
                    percentile_errors[run, i, year] = scatter_error(
                        at_percents(np.sort(scattered, axis=1), PERCENTS), 0
                    )
    points, convergence = _converged(headline, draws)
    return Simulation(
        axes=a.axes,
        runs=runs,
        labels=labels,
        inputs=plan.inputs,
        seed=plan.seed,
        draws=draws,
        reached=reached,
        mean=mean,
        mean_error=mean_error,
        deviation=deviation,
        percentiles=percentiles,
        percentile_errors=percentile_errors,
        deterministic=stated,
        by_success=by_success,
        points=points,
        convergence=convergence,
        contributions=_contributions(plan, kept, whole_blocks),
        provenance={**stamp, "draws": str(draws), "runs": "; ".join(runs)},
    )


def _converged(headline: Array, draws: int) -> tuple[Array, Array]:
    """The headline's statistics after more and more blocks, at last after all draws, and their errors from the whole ones among them.

    Returns the numbers of draws, and (run, point, statistic, estimate and error).
    """
    runs, blocks, _ = headline.shape
    statistics, drawn = _statistics(headline), headline.reshape(runs, -1)
    counts = np.unique(np.geomspace(1, blocks, CONVERGENCE_POINTS).round().astype(int))
    points = np.minimum(counts * BLOCK, draws)
    found = [
        np.stack([_statistics(drawn[:, :n]), scatter_error(statistics[:, : n // BLOCK], 1)], axis=-1)
        for n in points
    ]
    return points, np.stack(found, axis=1)


def _contributions(plan: Plan, kept: _Kept, blocks: int) -> Array:
    """The part of each stream in the variance of ranks, less what chance gives: (run, stream, label), NaN without a whole block.

    The part is its correlation times its weight in a linear regression of ranks, which for an uncorrelated input is the square of
    its correlation. The parts of all inputs add up to what the regression explains.
    """
    total, squares = (np.zeros((kept.causes[0], *kept.causes[2:])) for _ in range(2))
    if not blocks:
        return np.full_like(total, np.nan)
    for run, number in np.ndindex(len(total), blocks):
        found = kept.causes_of(run, number)
        total[run] += found
        squares[run] += found**2
    mean = total / blocks
    weight = (
        mean.copy()
    )  # of each input in a regression on all: its own correlation, unless inputs are correlated
    for group in plan.together:
        at = list(group.streams)
        ranked = 6 / np.pi * np.arcsin((group.factor @ group.factor.T).clip(-1, 1) / 2)
        weight[:, at] = np.linalg.pinv(ranked, hermitian=True) @ mean[:, at]
    return weight * mean - (
        (squares / blocks - mean**2) / (blocks - 1) if blocks > 1 else (1 - mean**2) / (BLOCK - 1)
    )
