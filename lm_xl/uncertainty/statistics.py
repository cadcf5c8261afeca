"""Means and percentiles of draws, and their errors from the scatter between blocks."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from lm_xl.model.ops import Array
from lm_xl.uncertainty.draws import BLOCK
from lm_xl.uncertainty.limits import LEAST_BLOCKS
from lm_xl.uncertainty.simulation import HEADLINE_PERCENTS

CONVERGENCE_POINTS = 60
"""How many numbers of draws a convergence shows at most."""


def at_percents(ordered: Array, percents: Sequence[int] | Array) -> Array:
    """Percentiles of sorted numbers along the last axis, in straight lines between them."""
    at = (ordered.shape[-1] - 1) * np.asarray(percents) / 100
    below = np.floor(at).astype(int)
    above = np.minimum(below + 1, ordered.shape[-1] - 1)
    return ordered[..., below] + (ordered[..., above] - ordered[..., below]) * (at - below)


def headline(x: Array) -> Array:
    """Mean and headline percentiles along the last axis."""
    percentiles = at_percents(np.sort(x, axis=-1), HEADLINE_PERCENTS)
    return np.concatenate([x.mean(axis=-1, keepdims=True), percentiles], axis=-1)


def scatter_error(x: Array, axis: int) -> Array:
    """The standard error of a mean from the scatter of independent numbers, one a block; NaN for less than LEAST_BLOCKS."""
    n = x.shape[axis]
    if n < LEAST_BLOCKS:
        return np.full(np.delete(x.shape, axis), np.nan)
    # Less the first of them, so that equal numbers scatter by 0 exactly.
    return (x - np.take(x, [0], axis=axis)).std(axis=axis, ddof=1) / sqrt(n)


def is_settled(statistics: Array, stop_at: float) -> bool:
    """Whether mean, P10 and P90 of every run, (run, block, statistic), are known to a share of themselves."""
    kept = statistics[..., [0, 1, 3]]
    return bool((scatter_error(kept, 1) < stop_at * kept.mean(axis=1)).all())


def convergence(totals: Array, draws: int) -> tuple[Array, Array]:
    """The headline of (run, block, draw) after more and more blocks, and at last after all draws.

    Returns the numbers of draws, and (run, point, statistic, estimate and error).
    """
    runs, blocks, _ = totals.shape
    statistics, drawn = headline(totals), totals.reshape(runs, -1)
    counts = np.unique(np.geomspace(1, blocks, CONVERGENCE_POINTS).round().astype(int))
    points = np.minimum(counts * BLOCK, draws)
    found = [
        np.stack([headline(drawn[:, :n]), scatter_error(statistics[:, : n // BLOCK], 1)], axis=-1)
        for n in points
    ]
    return points, np.stack(found, axis=1)
