"""Uncertain inputs: the rows that one draw moves, how a row follows it, and which spreads are impossible.

Assumptions that were read, and those that `checked` and `with_scenario` return, have none that is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, Row
from lm_xl.assumptions.distributions import CERTAIN, SPREADS, Sharing, error_of, is_certain
from lm_xl.faults import Fault
from lm_xl.model.axes import SEGMENT, SUBTYPE, Axis
from lm_xl.model.ops import Array
from lm_xl.model.quantities import QUANTITIES, Quantity

EXCLUSIVE = {"subtype_share": SUBTYPE, "base_share": SEGMENT, "peak_share": SEGMENT}
"""Shares of which several compete, and the axis of their sets: they are drawn together, so none passes 1."""
ALLOWED = {"subtype_share": "dirichlet", "base_share": "beta", "peak_share": "beta"}
"""The one distribution that each of these may have."""


@dataclass(frozen=True)
class Uncertain:
    """One uncertain input: the rows that one draw moves, in all regions at once.

    An input that is a whole set has a stream of draws for each member, any other input has one.
    """

    name: str
    quantity: str
    distribution: str
    rows: tuple[int, ...]
    streams: tuple[str, ...]


def is_uncertain(row: Row) -> bool:
    """Whether a row spreads: it names a distribution, and low and high differ."""
    if is_certain(row.distribution) or row.low is None or row.high is None or not row.inputs:
        return False
    return row.low < row.high and row.low <= row.inputs[-1] <= row.high


def mean_of(row: Row) -> float:
    """What low and high stand around: the value, of the last year where the row moves."""
    return row.inputs[-1]


def bounds_of(row: Row) -> tuple[float, float]:
    """The low and high of an uncertain row."""
    assert row.low is not None and row.high is not None
    return row.low, row.high


def standard_error(row: Row) -> float:
    """The standard error that low and high, as P10 and P90, give a row."""
    return error_of(*bounds_of(row))


def uncertain_inputs(a: Assumptions) -> tuple[Uncertain, ...]:
    """The uncertain inputs of a workbook in the order of its rows."""
    rows: dict[tuple[str, str], list[int]] = {}
    streams: dict[tuple[str, str], list[str]] = {}
    for i, row in enumerate(a.rows):
        if is_uncertain(row):
            for name, stream in _names(a.axes.subtype, row):
                rows.setdefault((row.quantity, name), []).append(i)
                streams.setdefault((row.quantity, name), []).append(stream)
    return tuple(
        Uncertain(
            name,
            quantity,
            a.rows[found[0]].distribution,
            tuple(dict.fromkeys(found)),
            tuple(dict.fromkeys(streams[quantity, name])),
        )
        for (quantity, name), found in rows.items()
    )


def _names(subtype: Axis, row: Row) -> list[tuple[str, str]]:
    """The inputs that a row belongs to, each with a stream that moves it."""
    if SPREADS[row.distribution].whole_sets:
        members = subtype.members(row.keys.subtype)
        return [
            (f"{row.quantity} | {subtype.sets[p]}", stream_of(row.quantity, subtype.leaves[p]))
            for p in members
        ]
    return [(input_name(row), input_name(row))]


def input_name(row: Row) -> str:
    """The input that a row belongs to: its quantity, therapy or test, and subtype; never its region."""
    return stream_of(row.quantity, row.keys.segment, row.keys.subtype)


def stream_of(quantity: str, *labels: str) -> str:
    """The name of a stream of draws; it seeds the stream."""
    return " | ".join((quantity, *(x for x in labels if x)))


def floor_of(row: Row) -> float | None:
    """The least value from which a row's path may be stretched; None for a year, or a row at that value."""
    least = QUANTITIES[row.quantity].least
    return None if row.unit == "year" or mean_of(row) == least else least


def carried_path(row: Row, path: Array, x: Array, mean: Array) -> Array:
    """A row's values over the years when the last year's is `x`, drawn around `mean`.

    A share shifts its odds, an amount is multiplied, a growth is added to; a pert is shifted where it is a
    year, and else stretched from the least value that its quantity allows. So all stay in range if `x` is.
    """
    return SPREADS[row.distribution].carry(path, x, mean, floor_of(row))


# Shares that compete


def sharing_of(quantity: str) -> Sharing:
    """How the uncertain shares of a set are drawn together."""
    sharing = SPREADS[ALLOWED[quantity]].sharing
    assert sharing is not None
    return sharing


def exclusive_sets(a: Assumptions, name: str) -> Iterator[tuple[int, ...]]:
    """The rows that compete for a share in the order of their axis, -1 for none; each combination once."""
    dim = EXCLUSIVE[name]
    axis, cover = a.axes.axis(dim), a.covers[name]
    for chosen in dict.fromkeys(s for s in axis.sets if s):
        within = np.take(cover, [i for i, s in enumerate(axis.sets) if s == chosen], axis=dim - 1)
        yield from _combinations(within, dim - 1)


def _combinations(cover: Array, axis: int) -> dict[tuple[int, ...], None]:
    """The distinct lines of a cover along an axis, in the order of first mention."""
    lines = np.moveaxis(cover, axis, -1).reshape(-1, cover.shape[axis])
    return dict.fromkeys(map(tuple, lines.tolist()))


def drawn_and_fixed(a: Assumptions, rows: Sequence[int]) -> tuple[list[int], list[int]]:
    """The positions in `rows` that are uncertain, the narrowest spread first, and those that are certain."""
    there = [k for k, i in enumerate(rows) if i >= 0 and a.rows[i].inputs]
    drawn = sorted(
        (k for k in there if is_uncertain(a.rows[rows[k]])),
        key=lambda k: (standard_error(a.rows[rows[k]]), k),
    )
    return drawn, [k for k in there if k not in drawn]


# What cannot be


def refusal(quantity: Quantity, distribution: str, mean: float, low: float | None, high: float | None) -> str:
    """Why a spread cannot be, or ""."""
    if is_certain(distribution) or low is None or high is None or not low <= mean <= high:
        return ""
    spread, allowed = SPREADS[distribution], ALLOWED.get(quantity.name)
    if quantity.sheet == "Timeline":
        return f"{quantity.name} cannot be uncertain: its distribution is {CERTAIN!r}"
    if allowed and distribution != allowed:
        why = f"its sums could pass 1: allowed {allowed!r} and {CERTAIN!r}"
        return f"{quantity.name} cannot be {distribution!r}, {why}"
    if spread.whole_sets and not allowed:
        return f"{quantity.name} cannot be {distribution!r}: no set of it sums to 1"
    if low == high:
        return ""
    if why := spread.refusal(distribution, quantity, mean, low, high):
        return why
    for far in spread.reach(mean, low, high):
        if not quantity.least <= far <= quantity.most:
            stated = f"the mean {mean:g}, low {low:g} and high {high:g}"
            return f"{distribution!r} with {stated} reaches {far:.4g}, {_outside(quantity)}"
    return ""


def _outside(quantity: Quantity) -> str:
    return f"outside {quantity.least:g} to {quantity.most:g}"


def _within(scenario: str) -> str:
    return f" in scenario {scenario!r}" if scenario else ""


Told = Iterator[tuple[int, str]]
"""Positions of rows whose spread cannot be, and why."""


def spread_faults(a: Assumptions) -> Iterator[Fault]:
    """Every spread that cannot be, of single rows and of rows that must hold together."""
    single = {
        i: why
        for i, row in enumerate(a.rows)
        if row.inputs
        and row.low is not None
        and (why := refusal(QUANTITIES[row.quantity], row.distribution, row.inputs[-1], row.low, row.high))
    }
    joint = [told for name in EXCLUSIVE for told in _crowded_shares(a, name, single)] + list(_split_uses(a))
    moved = [told for scenario in ("", *a.axes.scenarios) for told in _spreads_beyond(a, scenario, single)]
    # Of each row the first thing told: the reversed order lets it overwrite the later ones.
    for i, why in (*single.items(), *joint, *dict(reversed(moved)).items()):
        row = a.rows[i]
        yield Fault(a.path.name, row.sheet, row.low_cell or row.cells[0], why)


def _crowded_shares(a: Assumptions, name: str, wrong: Collection[int]) -> Told:
    """Shares whose spread cannot hold beside the others of their set."""
    told = set()
    for rows in exclusive_sets(a, name):
        drawn, fixed = drawn_and_fixed(a, rows)
        if not drawn or any(i in wrong or (i >= 0 and np.isnan(a.rows[i].inputs).any()) for i in rows):
            continue
        means, errors = (np.array([f(a.rows[rows[k]]) for k in drawn]) for f in (mean_of, standard_error))
        left = 1 - sum(mean_of(a.rows[rows[k]]) for k in fixed)
        at = sharing_of(name).crowded_share(means, errors, left)
        if at is None or rows[drawn[at]] in told:
            continue
        bad = rows[drawn[at]]
        told.add(bad)
        row = a.rows[bad]
        others = ", ".join(a.rows[rows[k]].place for k in (*drawn, *fixed) if rows[k] != bad)
        beside = f"the other shares of its set{f' ({others})' if others else ''}"
        yield bad, f"low {row.low:g} to high {row.high:g} of {name} cannot hold beside {beside}"


def _split_uses(a: Assumptions) -> Told:
    """One set has one use, so one draw."""
    cover, axis = a.covers["set_use"], a.axes.segment
    for chosen in dict.fromkeys(s for s in axis.sets if s):
        within = cover[:, [i for i, s in enumerate(axis.sets) if s == chosen]]
        for rows in _combinations(within, 1):
            there = [a.rows[i] for i in rows if i >= 0]
            moving = [i for i in rows if i >= 0 and is_uncertain(a.rows[i])]
            if moving and len({(input_name(row), row.low, row.high) for row in there}) > 1:
                why = "is uncertain and stands in several rows: key one row to the set"
                yield moving[0], f"set_use of the set {chosen!r} {why}"


def _spreads_beyond(a: Assumptions, scenario: str, wrong: Collection[int]) -> Told:
    """Spreads that a scenario, or without one another year, carries out of the allowed range."""
    arrays = a.inputs([scenario])
    # What no delta of the scenario touches was seen without one.
    touched = {d.quantity for d in a.deltas if d.scenario == scenario} if scenario else QUANTITIES.keys()
    for i, row in enumerate(a.rows):
        if i in wrong or row.quantity not in touched or not is_uncertain(row):
            continue
        if SPREADS[row.distribution].in_range:
            continue
        if not scenario and row.fill == "constant":  # one year, which the row's own check has seen
            continue
        quantity, values = QUANTITIES[row.quantity], arrays[row.quantity][0]
        paths = np.unique(values[a.covers[row.quantity] == i], axis=0)
        for end in SPREADS[row.distribution].reach(mean_of(row), *bounds_of(row)):
            far = carried_path(row, paths, np.array(end), np.array(mean_of(row)))
            outside = far[(far < quantity.least) | (far > quantity.most)]
            if outside.size:
                stated = f"{row.distribution!r} with low {row.low:g} and high {row.high:g}"
                there = f"{_within(scenario)}, {_outside(quantity)}"
                yield i, f"{stated} reaches {outside[0]:.4g}{there}"
