"""Draws on disk into a result, a label and a year at a time: memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.forecasts.results import Results
from lm_xl.model.ops import Array
from lm_xl.uncertainty.blocks import certain_outcomes
from lm_xl.uncertainty.draws import BLOCK
from lm_xl.uncertainty.kept import OUTPUT_OF, KeptResult, kept_results
from lm_xl.uncertainty.plan import DrawPlan
from lm_xl.uncertainty.simulation import PERCENTS, Simulation
from lm_xl.uncertainty.statistics import at_percents, convergence, scatter_error
from lm_xl.uncertainty.store import DrawStore

SAME = 1e-9
"""Two ways of summing the same numbers agree within this."""


def reduced_draws(
    a: Assumptions,
    plan: DrawPlan,
    store: DrawStore,
    totals: Array,
    deterministic: Results,
    draws: int,
    reached: bool,
    stamp: dict[str, str],
) -> Simulation:
    """The result of the first draws of a store; `totals` are the last year's revenue, (run, block, draw)."""
    results, runs = kept_results(a), tuple(scenario.name for scenario in plan.scenarios)
    shape = len(runs), len(results), plan.shape[-1]
    stated, by_success = np.empty(shape), np.empty(shape)
    found = {name: np.empty(shape) for name in ("mean", "mean_error", "deviation")}
    found |= {name: np.empty((*shape, len(PERCENTS))) for name in ("percentiles", "percentile_errors")}
    for run, name in enumerate(runs):
        surely, weighed = certain_outcomes(plan, run)
        for i, result in enumerate(results):
            label = {result.axis: result.label}
            if result.metric == "revenue":
                label = {"segment": plan.scope} | label
            stated[run, i] = deterministic.series(OUTPUT_OF[result.metric], **label, run=name)
            by_success[run, i] = weighed[list(result.members)].sum(axis=0)
        for (i, year), x in _draws_by_label(store, results, run, totals.shape[1], draws, surely):
            for statistic, number in _statistics_of(x, stated[run, i, year], draws // BLOCK).items():
                found[statistic][run, i, year] = number
    points, converged = convergence(totals, draws)
    return Simulation(
        axes=a.axes,
        runs=runs,
        labels=results,
        inputs=plan.inputs,
        seed=plan.seed,
        scope=plan.scope,
        draws=draws,
        reached=reached,
        deterministic=stated,
        by_success=by_success,
        points=points,
        convergence=converged,
        contributions=_contributions(plan, store, draws // BLOCK),
        provenance={**stamp, "draws": str(draws), "runs": "; ".join(runs)},
        **found,
    )


def _draws_by_label(
    store: DrawStore, results: tuple[KeptResult, ...], run: int, blocks: int, draws: int, surely: Array
) -> Iterator[tuple[tuple[int, int], Array]]:
    """The draws of every result and year of a run, and behind them what is kept without any spread."""
    for _, group in groupby(range(len(results)), lambda i: (results[i].metric, results[i].axis)):
        of_axis = list(group)
        members = [m for i in of_axis for m in results[i].members]
        first, count = min(members), 1 + max(members) - min(members)
        for year in range(surely.shape[1]):
            columns = np.empty((count, draws + 1))
            columns[:, :-1] = store.columns(run, first, count, year, blocks)[:, :draws]
            # Summed as the draws are, so that it equals a draw without spread to the bit.
            columns[:, -1] = surely[first : first + count, year]
            for i in of_axis:
                at = [m - first for m in results[i].members]
                yield (i, year), columns[at].sum(axis=0) if len(at) > 1 else columns[at[0]]


def _statistics_of(x: Array, stated: float, whole_blocks: int) -> dict[str, Array]:
    """Mean, spread, percentiles and errors of draws, the last of which is without any spread."""
    x, base = x[:-1], x[-1]
    # The forecast sums in another order: a draw that equals the one without spread is the forecast, to the
    # bit.
    if abs(base - stated) <= SAME * abs(stated):
        x = np.where(x == base, stated, x)
    blocks = x[: whole_blocks * BLOCK].reshape(whole_blocks, BLOCK)
    return {
        # From the first of them, so that equal draws have their own mean: that of a product that always fails is 0.
        "mean": x[0] + (x - x[0]).mean(),
        "mean_error": scatter_error(blocks.mean(axis=1), 0),
        "deviation": (x - x[0]).std(),
        "percentiles": at_percents(np.sort(x), PERCENTS),
        "percentile_errors": scatter_error(at_percents(np.sort(blocks, axis=1), PERCENTS), 0),
    }


def _contributions(plan: DrawPlan, store: DrawStore, blocks: int) -> Array:
    """The part of each stream in the variance of ranks, less what chance gives: (run, stream, result).

    The part is its correlation times its weight in a linear regression of ranks, which for an uncorrelated
    input is the square of its correlation. The parts of all inputs add up to what the regression explains.
    All are NaN without a whole block.
    """
    total, squares = (np.zeros((store.causes[0], *store.causes[2:])) for _ in range(2))
    if not blocks:
        return np.full_like(total, np.nan)
    for run, number in np.ndindex(len(total), blocks):
        found = store.causes_of(run, number)
        total[run] += found
        squares[run] += found**2
    mean = total / blocks
    # Each weight is the input's own correlation, unless inputs are correlated.
    weight = mean.copy()
    for group in plan.correlated:
        at = list(group.streams)
        # Back from the correlations of normal scores to those of ranks.
        ranked = 6 / np.pi * np.arcsin((group.factor @ group.factor.T).clip(-1, 1) / 2)
        weight[:, at] = np.linalg.pinv(ranked, hermitian=True) @ mean[:, at]
    # The squared error of the mean correlation is what chance alone adds: from the scatter of the blocks, or
    # of one by its size.
    chance = (squares / blocks - mean**2) / (blocks - 1) if blocks > 1 else (1 - mean**2) / (BLOCK - 1)
    return weight * mean - chance
