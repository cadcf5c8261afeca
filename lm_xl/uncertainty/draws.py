"""Chance: streams of normal scores in blocks of draws, and the quantile functions that make numbers of them.

Draws are not a longer run axis of the forecast: blocks of them have an evaluator of their own, with a draw
axis behind the years, because it is 3.2 to 4 times as fast. It runs the same stages on them, and
`blocks.full_draw` shows any draw in the forecast.

In a block every stream of an input is one Latin hypercube sample, seeded by the seed, the stream's name and
the block alone. So an added input leaves the draws of the others as they were, scenarios share draws, and a
block is the same wherever and beside whatever it is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lm_xl.assumptions.distributions import QUANTILE_FUNCTIONS
from lm_xl.model.ops import Array

BLOCK = 512
"""Draws in a block: enough strata to matter, few enough for the scatter between blocks to tell the error."""

# Scores


def uniforms(seed: int, stream: str, block: int) -> Array:
    """A Latin hypercube sample of a stream in a block: BLOCK numbers from 0 to 1, one in each stratum."""
    words = np.frombuffer(hashlib.sha256(stream.encode()).digest(), dtype="<u4").tolist()
    # the sample that scipy's LatinHypercube gives, in less than half of its time
    (own,) = np.random.SeedSequence([seed, *words, block]).spawn(1)
    chance = np.random.Generator(np.random.PCG64(own))
    within, strata = chance.uniform(size=BLOCK), np.arange(1, BLOCK + 1)
    chance.shuffle(strata)
    return np.asarray((strata - within) / BLOCK)


@dataclass(frozen=True)
class CorrelatedStreams:
    """Streams whose normal scores are correlated, and the Cholesky factor of their correlations."""

    streams: tuple[int, ...]
    factor: Array


def correlated_streams(streams: Sequence[int], matrix: Array) -> CorrelatedStreams:
    """Streams joined by a matrix of correlations, which may be singular."""
    # Cholesky refuses a singular matrix: so a root of it, turned into the lower triangle that Cholesky would
    # give.
    weights, vectors = np.linalg.eigh(matrix)
    triangle = np.linalg.qr((vectors * np.sqrt(np.maximum(weights, 0))).T)[1].T
    return CorrelatedStreams(tuple(streams), triangle * np.where(np.diag(triangle) < 0, -1, 1))


def scores(streams: Sequence[str], correlated: Sequence[CorrelatedStreams], seed: int, block: int) -> Array:
    """Every stream's normal scores in one block: (streams, BLOCK).

    Correlated streams are put in the order of correlated scores, so each keeps its own sample and the first
    of them its order.
    """
    from scipy.special import ndtri

    z = ndtri(np.array([uniforms(seed, s, block) for s in streams]).reshape(len(streams), BLOCK))
    for group in correlated:
        mixed = matrix_product(group.factor, z[list(group.streams)])
        for k, i in enumerate(group.streams[1:], 1):
            # The mixed scores lend only their order, so the stratified sample stays what it is.
            z[i] = np.sort(z[i])[np.argsort(np.argsort(mixed[k]))]
    return z


def matrix_product(x: Array, y: Array) -> Array:
    """The matrix product without BLAS, whose threads take other workers' processors and show in the bits."""
    return np.einsum("ij,jk->ik", x, y)


# Quantile functions


@dataclass(frozen=True)
class Quantile:
    """One number that the scores of a stream decide, by a quantile function and its two parameters."""

    stream: int
    function: str
    first: float
    second: float = 0.0

    def at(self, z: Array) -> Array:
        """The number at normal scores, exactly."""
        return QUANTILE_FUNCTIONS[self.function].at(z, self.first, self.second)


STEP, FAR, DEGREE = 1 / 16, 6.5, 5
"""Step and end of a quantile function's table, and its curve's degree: right to 1e-9 of odds or amounts."""
LEAST_SHAPE = 0.3
"""Below this shape the quantile function bends too sharply for the table."""


@dataclass(frozen=True)
class Quantiles:
    """All the numbers that scores decide, with the tables of their quantile functions."""

    quantiles: tuple[Quantile, ...]
    tables: Mapping[int, tuple[Array, Any]] = field(repr=False)
    """Stream to the positions of the quantiles that it decides by a table, and the table."""

    def at(self, z: Array) -> Array:
        """Every number at every draw's scores: (streams, draws) -> (quantiles, draws)."""
        out = np.empty((len(self.quantiles), z.shape[1]))
        done = set()
        for stream, (which, table) in self.tables.items():
            out[which] = table(z[stream]).T
            beyond = np.abs(z[stream]) > FAR
            if beyond.any():
                for i in which:
                    out[i, beyond] = self.quantiles[i].at(z[stream][beyond])
            done |= set(which.tolist())
        for i, quantile in enumerate(self.quantiles):
            if i not in done:
                out[i] = quantile.at(z[quantile.stream])
        return out


def with_tables(quantiles: Sequence[Quantile]) -> Quantiles:
    """Quantiles with their tables; one that bends too sharply has none and is computed exactly."""
    from scipy.interpolate import PPoly, make_interp_spline

    knots = np.linspace(-FAR, FAR, round(2 * FAR / STEP) + 1)
    heights = {
        i: q.at(knots)
        for i, q in enumerate(quantiles)
        if QUANTILE_FUNCTIONS[q.function].shape(q.first, q.second) >= LEAST_SHAPE
    }
    if not heights:
        return Quantiles(tuple(quantiles), {})
    # One spline through all of them, then a table for each stream: its scores are looked up once for all that
    # they decide.
    curves = make_interp_spline(knots, np.array(list(heights.values())).T, k=DEGREE)
    pieces = {i: PPoly.from_spline((curves.t, curves.c[:, k], DEGREE)) for k, i in enumerate(heights)}
    streams: dict[int, list[int]] = {}
    for i in heights:
        streams.setdefault(quantiles[i].stream, []).append(i)
    inner = slice(DEGREE, -DEGREE)  # the curve's ends repeat
    tables = {}
    for stream, which in streams.items():
        coefficients = np.stack([pieces[i].c[:, inner] for i in which], axis=-1)
        tables[stream] = np.array(which), PPoly(coefficients, pieces[which[0]].x[inner])
    return Quantiles(tuple(quantiles), tables)
