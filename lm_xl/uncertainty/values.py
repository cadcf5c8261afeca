"""What draws make of a quantity: which of its values they move, and what the scores make of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, Row
from lm_xl.assumptions.distributions import SPREADS
from lm_xl.assumptions.spreads import (
    ALLOWED,
    EXCLUSIVE,
    bounds_of,
    carried_path,
    drawn_and_fixed,
    floor_of,
    input_name,
    is_uncertain,
    mean_of,
    sharing_of,
    standard_error,
    stream_of,
)
from lm_xl.model.ops import Array
from lm_xl.model.quantities import QUANTITIES
from lm_xl.uncertainty.draws import Quantile


class OutOfRange(ArithmeticError):
    """A draw in which a value leaves its quantity's allowed range, by its position among those drawn."""

    def __init__(self, quantity: str, draw: int) -> None:
        super().__init__(quantity, draw)
        self.quantity, self.draw = quantity, draw

    def __str__(self) -> str:
        allowed = QUANTITIES[self.quantity]
        return f"{self.quantity} leaves its allowed range, {allowed.least:g} to {allowed.most:g}"


# Drawing


@dataclass(frozen=True)
class SingleRows:
    """Values that single rows decide by the same rule: where they stand, quantiles, and the rows' numbers."""

    row: Row
    """One of the rows, for the rule."""
    places: Array
    quantiles: Array
    means: Array
    ends: Array

    def draw(self, paths: Array, numbers: Array) -> Array:
        """The values over the years in every draw: (value, year, draw)."""
        spread = SPREADS[self.row.distribution]
        path, y = paths[:, :, np.newaxis], numbers[self.quantiles][:, np.newaxis]
        means, low, high = (x[:, np.newaxis, np.newaxis] for x in (self.means, *self.ends.T))
        x = spread.amount(y, means, low, high)
        # One year that is drawn around its own mean needs no carrying.
        if not spread.around_path:
            return carried_path(self.row, path, x, means)
        return carried_path(self.row, path, x, path[:, -1:]) if path.shape[1] > 1 else x


@dataclass(frozen=True)
class ShareSet:
    """The uncertain shares of one set: where they stand, their quantiles, what is left, their parts of it.

    What is left is one number a year, and so is each part.
    """

    quantity: str
    places: Array
    quantiles: Array
    left: Array
    parts: Array

    def draw(self, numbers: Array) -> Iterable[Array]:
        """The shares, one after the other, over the years in every draw: (year, draw)."""
        return sharing_of(self.quantity).shares(numbers[self.quantiles], self.left, self.parts)


@dataclass(frozen=True)
class DrawnQuantity:
    """A quantity that draws move: its distinct values, which of them stands where, and what moves them."""

    name: str
    values: Array
    at: Array
    single: tuple[SingleRows, ...]
    sets: tuple[ShareSet, ...]

    @property
    def _places(self) -> list[Array]:
        return [group.places for group in self.single] + [shares.places for shares in self.sets]

    @property
    def moved(self) -> Array:
        """Which of the distinct values draws move."""
        return np.concatenate(self._places)

    def draw(self, numbers: Array) -> Array:
        """The distinct values in every draw: (value, year, draw). Raises OutOfRange."""
        out = np.repeat(self.values[:, :, np.newaxis], numbers.shape[1], axis=2)
        for group in self.single:
            out[group.places] = group.draw(self.values[group.places], numbers)
        for shares in self.sets:
            for place, share in zip(shares.places, shares.draw(numbers), strict=True):
                out[place] = share
        allowed = QUANTITIES[self.name]
        for places in self._places:
            inside = ((out[places] >= allowed.least) & (out[places] <= allowed.most)).all(axis=(0, 1))
            if not inside.all():
                raise OutOfRange(self.name, int(np.argmin(inside)))
        return out


# What is to be drawn


class Streams:
    """The streams and quantiles that a simulation needs, each once, and their positions."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: dict[str, int] = {}
        self.quantiles: dict[Quantile, int] = {}
        for name in names:
            self.stream(name)

    def stream(self, name: str) -> int:
        """The position of a stream."""
        return self.names.setdefault(name, len(self.names))

    def quantile(self, stream: str, function: str, first: float, second: float) -> int:
        """The position of a number that a stream decides."""
        quantile = Quantile(self.stream(stream), function, first, second)
        return self.quantiles.setdefault(quantile, len(self.quantiles))


def drawn_quantity(a: Assumptions, moved: Array, name: str, streams: Streams) -> DrawnQuantity | None:
    """How draws move a quantity with the values `moved` in a scenario; None where nothing does.

    `moved` is (region, segment, subtype, year).
    """
    draw = _drawn_in_sets if name in EXCLUSIVE else _drawn_by_rows
    return draw(a, moved, name, streams)


def _distinct_rows(*columns: Array) -> tuple[Array, Array]:
    """The distinct rows of some tables side by side, and which of them stands where."""
    keys, at = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    return keys, at.reshape(-1)


def _drawn_by_rows(a: Assumptions, moved: Array, name: str, streams: Streams) -> DrawnQuantity | None:
    cover = a.covers[name]
    # A row may have several values, where a scenario's deltas reach only some of its places.
    keys, at = _distinct_rows(cover.reshape(-1), moved.reshape(cover.size, -1))
    groups: dict[tuple[str, float | None], list[tuple[int, Row]]] = {}
    for place, i in enumerate(keys[:, 0].astype(int)):
        row = a.rows[i]
        if i >= 0 and is_uncertain(row) and not _is_set_certain(row, keys[place, -1]):
            groups.setdefault((row.distribution, floor_of(row)), []).append((place, row))
    if not groups:
        return None
    single = []
    for members in groups.values():
        rows = [row for _, row in members]
        quantiles = [
            streams.quantile(input_name(row), *_quantile_of(row, keys[place, -1])) for place, row in members
        ]
        single.append(
            SingleRows(
                rows[0],
                np.array([place for place, _ in members]),
                np.array(quantiles),
                np.array([mean_of(row) for row in rows]),
                np.array([bounds_of(row) for row in rows], dtype=float),
            )
        )
    return DrawnQuantity(name, keys[:, 1:], at.reshape(cover.shape), tuple(single), ())


def _is_set_certain(row: Row, mean: float) -> bool:
    """Whether a scenario sets a share to 0 or 1, around which nothing can spread."""
    return SPREADS[row.distribution].around_path and mean in (0, 1)


def _quantile_of(row: Row, mean: float) -> tuple[str, float, float]:
    """A row's quantile function and its parameters, where a scenario makes `mean` of its own."""
    return SPREADS[row.distribution].quantile(mean_of(row), *bounds_of(row), mean)


def _drawn_in_sets(a: Assumptions, moved: Array, name: str, streams: Streams) -> DrawnQuantity | None:
    """Shares that compete: each set's are drawn together, for every combination of rows and means."""
    dim, cover = EXCLUSIVE[name], a.covers[name]
    axis, years = a.axes.axis(dim), moved.shape[-1]
    values, sets = [np.full(years, float(QUANTITIES[name].absent))], []
    at = np.zeros(cover.shape, dtype=int)
    for chosen in dict.fromkeys(s for s in axis.sets if s):
        members = [i for i, s in enumerate(axis.sets) if s == chosen]
        leaves, size = [axis.leaves[i] for i in members], len(members)
        rows_of = np.moveaxis(np.take(cover, members, axis=dim - 1), dim - 1, -1)
        paths_of = np.moveaxis(np.take(moved, members, axis=dim - 1), dim - 1, -2)
        keys, which = _distinct_rows(rows_of.reshape(-1, size), paths_of.reshape(-1, size * years))
        # The members of each combination stand one after the other, in the order of the axis.
        places = len(values) + which[:, np.newaxis] * size + np.arange(size)
        for key in keys:
            rows, paths = key[:size].astype(int).tolist(), key[size:].reshape(size, years)
            sets += _share_sets(a, name, leaves, rows, paths, len(values), streams)
            values += list(paths)
        np.moveaxis(at, dim - 1, -1)[..., members] = places.reshape(rows_of.shape)
    return DrawnQuantity(name, np.array(values), at, (), tuple(sets)) if sets else None


def _share_sets(
    a: Assumptions,
    name: str,
    leaves: Sequence[str],
    rows: Sequence[int],
    paths: Array,
    first: int,
    streams: Streams,
) -> list[ShareSet]:
    """The uncertain shares of a set whose members' values stand from `first` on; [] if all are certain."""
    drawn, fixed = drawn_and_fixed(a, rows)
    if not drawn:
        return []
    means, errors = (np.array([f(a.rows[rows[k]]) for k in drawn]) for f in (mean_of, standard_error))
    # The parts keep their concentration of the base case; a scenario moves what is left and the paths.
    whole = 1 - sum(mean_of(a.rows[rows[k]]) for k in fixed)
    left = 1 - paths[fixed].sum(axis=0)
    places, quantiles, parts = [], [], []
    for k, quantile, part in sharing_of(name).members(means, errors, whole, paths[drawn], left):
        row, leaf = a.rows[rows[drawn[k]]], leaves[drawn[k]]
        stream = stream_of(name, leaf) if SPREADS[ALLOWED[name]].whole_sets else input_name(row)
        places.append(first + drawn[k])
        quantiles.append(streams.quantile(stream, *quantile))
        parts.append(part)
    return [ShareSet(name, np.array(places), np.array(quantiles), left, np.array(parts))] if places else []
