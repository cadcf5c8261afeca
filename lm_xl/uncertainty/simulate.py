"""Monte Carlo: many draws of one or several scenarios on any executor, until there are enough.

No number depends on workers, on chunks, or on the order in which they end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from importlib.metadata import version
from itertools import chain
from math import ceil
from numbers import Real
from pathlib import Path

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.ends import demand_ends
from lm_xl.faults import IdentityError
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.identities import check_identities
from lm_xl.model.ops import Array
from lm_xl.uncertainty.blocks import BrokenDraw, full_draw
from lm_xl.uncertainty.draws import BLOCK
from lm_xl.uncertainty.limits import DRAWS, LEAST_BLOCKS, MOST_DRAWS, SEED, refusal_of, whole_number
from lm_xl.uncertainty.plan import DrawPlan, plan_of
from lm_xl.uncertainty.reduction import reduced_draws
from lm_xl.uncertainty.simulation import HEADLINE_PERCENTS, Simulation
from lm_xl.uncertainty.statistics import headline, is_settled
from lm_xl.uncertainty.store import DrawStore, opened_store
from lm_xl.uncertainty.values import OutOfRange
from lm_xl.uncertainty.workers import Blocks, Chunk, Workers, finished_chunks
from lm_xl.version import __version__

Progress = Callable[[int, int], None]
"""Told how many blocks are done, of how many."""


def simulate(
    a: Assumptions,
    draws: int = DRAWS,
    seed: int = SEED,
    scenarios: Sequence[str] | str | None = None,
    executor: Workers | None = None,
    *,
    scope: str | None = None,
    stop_at: float | None = None,
    store: str | Path | None = None,
    chunk: int = 1,
    progress: Progress = lambda done, of: None,
) -> Simulation:
    """Monte Carlo over every uncertain input, for one or several scenarios with the same draws.

    `executor` is any concurrent.futures.Executor, or a function that makes one, which then replaces one whose
    workers died; without it the draws are made here. `stop_at` ends the run at the first number of blocks at
    which the errors of the mean, P10 and P90 of the last year's total revenue are below this share of them,
    in every scenario. `store` is a folder that keeps the draws of an interrupted run and is removed at the
    end. `chunk` is the number of blocks that a worker takes at once.
    Revenue by region and by subtype is that of `scope`, without one of the headline.
    Raises Refused for arguments or stores, and for lows and highs that no draws can have; UnknownLabel for a scenario or scope,
    IdentityError naming a draw.
    """
    draws = whole_number("draws", draws, 1, MOST_DRAWS)
    seed = whole_number("seed", seed, 0, 2**128 - 1)
    chunk = whole_number("chunk", chunk, 1, MOST_DRAWS)
    if stop_at is not None and not (isinstance(stop_at, Real) and 0 < stop_at < 1):
        raise refusal_of("stop_at", f"{stop_at!r} is not a share between 0 and 1, such as 0.01")
    if executor is not None and not isinstance(executor, Executor) and not callable(executor):
        told = f"{executor!r} is no concurrent.futures.Executor and no function that makes one"
        raise refusal_of("executor", told)
    demand_ends(a)
    plan = plan_of(a, scenarios_of(a, scenarios), seed, scope)
    runs = tuple(scenario.name for scenario in plan.scenarios)
    blocks = ceil(draws / BLOCK)
    stamp = {
        "assumptions": a.path.name,
        "fingerprint": a.fingerprint,
        "uncertainty": a.uncertainty,
        "engine": f"lm_xl {__version__}",
        "scope": plan.scope,
        "seed": str(seed),
        "sampling": f"Latin hypercube in blocks of {BLOCK}, Gaussian rank correlations",
        "numpy": np.__version__,
        "scipy": version("scipy"),
    }
    # rows of Axes may change places, and what is kept of a draw stands in their order
    order = " | ".join("; ".join(axis.leaves) for axis in (a.axes.region, a.axes.segment, a.axes.subtype))
    with opened_store(store, plan, blocks, {**stamp, "order of labels": order}) as kept:
        totals = np.full((len(runs), blocks, BLOCK), np.nan)
        try:
            done, reached = _fill(plan, kept, totals, draws // BLOCK, executor, chunk, stop_at, progress)
        except BrokenDraw as broken:
            raise _explained(a, plan, broken) from None
        draws = min(draws, done * BLOCK)
        return reduced_draws(a, plan, kept, totals[:, :done], forecast(a, runs), draws, reached, stamp)


def scenarios_of(a: Assumptions, scenarios: Sequence[str] | str | None) -> tuple[str, ...]:
    """Scenarios as the workbook writes them; without any the default. Raises UnknownLabel, Refused."""
    if scenarios is None:
        return a.axes.scenarios[:1]
    wanted = [scenarios] if isinstance(scenarios, str) else list(scenarios)
    names = [a.axes.scenario(str(name)) for name in wanted]
    if not names:
        raise refusal_of("scenarios", "none is given: leave them out for the default")
    if twice := [name for i, name in enumerate(names) if name in names[:i]]:
        raise refusal_of("scenarios", f"{twice[0]!r} is there twice")
    return tuple(names)


def _fill(
    plan: DrawPlan,
    kept: DrawStore,
    totals: Array,
    whole_blocks: int,
    workers: Workers | None,
    chunk: int,
    stop_at: float | None,
    progress: Progress,
) -> tuple[int, bool]:
    """Draw until all blocks are there, or enough whole ones for the error: how many, and if it is reached."""
    runs, blocks = totals.shape[:2]
    there = kept.done()
    for run, number in np.argwhere(there):
        totals[run, number] = _totals_of(plan, kept.block(int(run), int(number)))
    statistics = np.full((runs, blocks, 1 + len(HEADLINE_PERCENTS)), np.nan)
    ordered = 0
    # The first turn has no chunk: an interrupted run may have left enough.
    nothing: tuple[Chunk, Blocks] = (0, ()), []
    with closing(finished_chunks(plan, _chunks_left(there, chunk), workers)) as finished:
        for (run, numbers), found in chain([nothing], finished):
            for number, (columns, causes) in zip(numbers, found, strict=True):
                kept.write(run, number, columns, causes)
                totals[run, number] = _totals_of(plan, columns)
                there[run, number] = True
            progress(int(there.sum()), there.size)
            # Only blocks without a gap before them may stop the run: else the stop would depend on which
            # worker is quick.
            while ordered < blocks and there[:, ordered].all():
                statistics[:, ordered] = headline(totals[:, ordered])
                ordered += 1
                may_stop = LEAST_BLOCKS <= ordered <= whole_blocks
                if may_stop and stop_at is not None and is_settled(statistics[:, :ordered], stop_at):
                    return ordered, True
    return blocks, stop_at is None


def _totals_of(plan: DrawPlan, columns: Array) -> Array:
    """The last year's total revenue in each draw of a block."""
    return columns[-1, : plan.shape[0]].sum(axis=0)


def _chunks_left(there: Array, size: int) -> list[Chunk]:
    """What is still to be drawn of (run, block), in chunks."""
    runs, blocks = there.shape
    starts = range(0, blocks, size)
    chunks = [(run, range(start, min(start + size, blocks))) for start in starts for run in range(runs)]
    left = [(run, tuple(n for n in numbers if not there[run, n])) for run, numbers in chunks]
    return [(run, numbers) for run, numbers in left if numbers]


def _explained(a: Assumptions, plan: DrawPlan, broken: BrokenDraw) -> IdentityError:
    """What is wrong with a draw, found by running it through the forecast."""
    scenario = plan.scenarios[broken.scenario].name
    place = f"draw {broken.draw} of seed {plan.seed}, scenario {scenario!r}"
    try:
        check_identities(full_draw(a, plan, broken.scenario, broken.draw))
    except IdentityError as identity:
        return IdentityError(f"{place}: {identity}")
    except OutOfRange as outside:
        return IdentityError(f"{place}: {a.path.name}: {outside}")
    return IdentityError(f"{place}: its results are not numbers, or its shares do not sum to 1")
