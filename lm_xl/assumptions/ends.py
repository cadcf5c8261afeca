"""The ends of what is uncertain: P10 and P90 of its draws, and lows and highs that no draws can have.

A value is the mean that draws keep, so low and high are met as nearly as the distribution can around it. What reads values
alone needs no ends: only a simulation, a tornado and `check` judge them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, Row
from lm_xl.assumptions.distributions import P10_TO_P90, QUANTILE_FUNCTIONS, SPREADS, NamedQuantile
from lm_xl.assumptions.spreads import (
    EXCLUSIVE,
    bounds_of,
    carried_path,
    drawn_and_fixed,
    is_uncertain,
    mean_of,
    refusal,
    sharing_of,
    standard_error,
)
from lm_xl.faults import Fault, Refused
from lm_xl.model.ops import Array
from lm_xl.model.quantities import QUANTITIES

SCORES = np.array([-0.5, 0.5]) * P10_TO_P90
"""The normal scores of P10 and P90."""
MISFIT = 0.15
"""Part of the distance from low to high by which P10 or P90 of the draws may miss them."""


def drawn_ends(row: Row, mean: float | None = None) -> Array:
    """P10 and P90 of a row drawn by itself, in its last year, where a scenario makes `mean` of its value."""
    moved = mean_of(row) if mean is None else mean
    spread, low, high = SPREADS[row.distribution], *bounds_of(row)
    numbers = _at_scores(spread.quantile(mean_of(row), low, high, moved))
    return spread.amount(numbers, mean_of(row), low, high)


def _at_scores(quantile: NamedQuantile) -> Array:
    function, first, second = quantile
    return QUANTILE_FUNCTIONS[function].at(SCORES, first, second)


# Lows and highs that no draws have


def end_faults(a: Assumptions) -> Iterator[Fault]:
    """Every low and high that are no P10 and P90 that the row's distribution can have around its value."""
    for row in a.rows:
        if not (is_uncertain(row) and SPREADS[row.distribution].percentiles):
            continue
        (low, high), mean = bounds_of(row), mean_of(row)
        if refusal(QUANTITIES[row.quantity], row.distribution, mean, low, high):
            continue
        p10, p90 = (float(f"{end:.4g}") for end in drawn_ends(row))
        if max(abs(p10 - low), abs(p90 - high)) > MISFIT * (high - low):
            stated = f"low {low:g} and high {high:g} of {row.quantity} ({row.keys})"
            why = f"are no P10 and P90 that {row.distribution!r} can have around the value {mean:g}"
            drawn = f"draws, which keep the value as the mean, have {p10:g} and {p90:g}"
            allowed = f"allowed {MISFIT:.0%} of the distance from low to high off these"
            yield Fault(a.path.name, row.sheet, row.low_cell, f"{stated} {why}: {drawn}; {allowed}")


def demand_ends(a: Assumptions) -> None:
    """Raise Refused where a low and a high cannot be P10 and P90 of draws."""
    if faults := list(end_faults(a)):
        raise Refused(faults)


# The ends of whole quantities


def ends_of(a: Assumptions, quantity: str, x: Array) -> tuple[Array, Array]:
    """A quantity with each uncertain element at P10 and at P90 of its own draws, from its values `x` in a scenario.

    `x` and both ends are (1, region, segment, subtype, year). The ends are those of the last year, carried over the years as draws
    are. Of shares that compete, a Dirichlet's and the first to be drawn of a set are exact; the later ones are those of a beta with
    the mean and the standard error that their draws have.
    """
    ends = np.stack([x[0], x[0]])
    (_set_ends if quantity in EXCLUSIVE else _row_ends)(a, quantity, x[0], ends)
    return ends[:1], ends[1:]


def _row_ends(a: Assumptions, quantity: str, x: Array, ends: Array) -> None:
    cover = a.covers[quantity]
    for i in np.unique(cover[cover >= 0]).tolist():
        row, here = a.rows[i], cover == i
        if not is_uncertain(row):
            continue
        around_path = SPREADS[row.distribution].around_path
        # A row may have several paths, where a scenario's deltas reach only some of its places.
        paths, at = np.unique(x[here], axis=0, return_inverse=True)
        for k, path in enumerate(paths):
            if around_path and path[-1] in (0, 1):
                continue
            around = np.array(path[-1] if around_path else mean_of(row))
            carried = carried_path(row, path, drawn_ends(row, path[-1])[:, np.newaxis], around)
            places = np.argwhere(here)[at.reshape(-1) == k]
            ends[:, *places.T] = carried[:, np.newaxis]


def _set_ends(a: Assumptions, quantity: str, x: Array, ends: Array) -> None:
    """The ends of shares that compete, set by set, for every combination of rows and values once."""
    dim, cover = EXCLUSIVE[quantity], a.covers[quantity]
    axis, years = a.axes.axis(dim), x.shape[-1]
    for chosen in dict.fromkeys(s for s in axis.sets if s):
        members = [i for i, s in enumerate(axis.sets) if s == chosen]
        rows_of = np.moveaxis(np.take(cover, members, axis=dim - 1), dim - 1, -1)
        paths_of = np.moveaxis(np.take(x, members, axis=dim - 1), dim - 1, -2)
        size = len(members)
        keys = np.column_stack([rows_of.reshape(-1, size), paths_of.reshape(-1, size * years)])
        distinct, at = np.unique(keys, axis=0, return_inverse=True)
        found = np.array(
            [
                _member_ends(a, quantity, key[:size].astype(int).tolist(), key[size:].reshape(size, years))
                for key in distinct
            ]
        )
        there = np.moveaxis(found[at.reshape(-1)], 1, 0).reshape(2, *rows_of.shape, years)
        np.moveaxis(ends, dim, -2)[..., members, :] = there


def _member_ends(a: Assumptions, quantity: str, rows: Sequence[int], paths: Array) -> Array:
    """The members of one set, (member, year), with each uncertain one at its P10 and at its P90."""
    ends = np.stack([paths, paths])
    drawn, fixed = drawn_and_fixed(a, rows)
    if not drawn:
        return ends
    means, errors = (np.array([f(a.rows[rows[k]]) for k in drawn]) for f in (mean_of, standard_error))
    whole = 1 - sum(mean_of(a.rows[rows[k]]) for k in fixed)
    left = 1 - paths[fixed].sum(axis=0)
    for k, quantile in sharing_of(quantity).alone(means, errors, whole, paths[drawn, -1], left[-1]):
        row, path = a.rows[rows[drawn[k]]], paths[drawn[k]]
        part = np.divide(path, left, out=np.zeros_like(left), where=left > 0)
        shares = SPREADS[row.distribution].amount(_at_scores(quantile), *(mean_of(row), *bounds_of(row)))
        ends[:, drawn[k]] = left * carried_path(row, part, shares[:, np.newaxis], part[-1])
    return ends
