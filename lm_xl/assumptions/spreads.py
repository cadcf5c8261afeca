"""Uncertain inputs: which rows one draw moves together, how they spread, and which spreads are impossible.

`low` and `high` of a row are P10 and P90, of the last year where the row moves; for pert they are the ends. The row's value is
the mean, for pert the mode.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log
from statistics import NormalDist

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, Correlation, Keys, Row
from lm_xl.faults import Fault, Refused
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.ops import Array
from lm_xl.model.quantities import QUANTITIES, Quantity

P10_TO_P90 = 2 * NormalDist().inv_cdf(0.9)
"""Standard errors between P10 and P90 of a normal."""
TAIL = 1e-9
"""A spread may reach beyond its quantity's allowed range with at most this probability."""
FARTHEST = NormalDist().inv_cdf(1 - TAIL)
"""Standard errors from the mean to that tail."""
PERT_WEIGHT = 4
"""How often the mode counts beside the two ends in the mean of a PERT."""

EXCLUSIVE = {"subtype_share": SUBTYPE, "base_share": SEGMENT, "peak_share": SEGMENT}
"""Shares of which several compete, and the axis whose sets they share: their draws are joint, so that no sum passes 1."""


@dataclass(frozen=True)
class Uncertain:
    """One uncertain input: the rows that one draw moves, in all regions at once.

    A Dirichlet input is a whole exclusive set; it has a stream of draws for each member, any other input has one.
    """

    name: str
    quantity: str
    distribution: str
    rows: tuple[int, ...]
    streams: tuple[str, ...]


def spreads(row: Row) -> bool:
    """Whether a row is uncertain: it names a distribution, and low and high differ."""
    if row.distribution == "fixed" or row.low is None or row.high is None or not row.inputs:
        return False
    return row.low < row.high and row.low <= row.inputs[-1] <= row.high


def mean_of(row: Row) -> float:
    """What low and high stand around: the value, of the last year where the row moves."""
    return row.inputs[-1]


def uncertain_inputs(a: Assumptions) -> tuple[Uncertain, ...]:
    """The uncertain inputs of a workbook in the order of its rows. Raises Refused, with every impossible spread."""
    faults = (*spread_faults(a), *correlation_faults(a))
    if faults:
        raise Refused(faults)
    rows: dict[tuple[str, str], list[int]] = {}
    streams: dict[tuple[str, str], list[str]] = {}
    for i, row in enumerate(a.rows):
        if not spreads(row):
            continue
        if row.distribution == "dirichlet":
            for p in a.axes.subtype.members(row.keys.subtype):
                at = row.quantity, f"{row.quantity} | {a.axes.subtype.sets[p]}"
                rows.setdefault(at, []).append(i)
                streams.setdefault(at, []).append(stream_of(row.quantity, a.axes.subtype.leaves[p]))
        else:
            at = row.quantity, input_name(row)
            rows.setdefault(at, []).append(i)
            streams.setdefault(at, []).append(at[1])
    return tuple(
        Uncertain(
            name,
            quantity,
            a.rows[rows[at][0]].distribution,
            tuple(dict.fromkeys(rows[at])),
            tuple(dict.fromkeys(streams[at])),
        )
        for at in rows
        for quantity, name in [at]
    )


def input_name(row: Row) -> str:
    """The name of the input that a row belongs to: its quantity, therapy or test, and subtype; never its region."""
    return stream_of(row.quantity, row.keys.segment, row.keys.subtype)


def stream_of(quantity: str, *labels: str) -> str:
    """The name of a stream of draws; it seeds the stream."""
    return " | ".join((quantity, *(x for x in labels if x)))


def standard_error(row: Row) -> float:
    """The standard error that low and high, as P10 and P90, give a row."""
    assert row.low is not None and row.high is not None
    return (row.high - row.low) / P10_TO_P90


def carried(row: Row, path: Array, x: Array, mean: Array | None = None) -> Array:
    """A row's values over the years when the last year's is `x`, in range wherever the path and `x` are.

    A share shifts its odds, an amount is multiplied, a growth is added to; a pert is shifted where it is a year, and else
    stretched from the least value that its quantity allows. `mean` is what `x` is drawn around, by default the end of the path.
    """
    mean = path[..., -1:] if mean is None else mean
    if row.distribution in ("beta", "dirichlet"):
        up, down = path * x * (1 - mean), (1 - path) * mean * (1 - x)
        return np.divide(up, up + down, out=np.broadcast_to(path, up.shape).copy(), where=up + down != 0)
    if row.distribution in ("gamma", "lognormal"):
        return path * (x / mean)
    least = QUANTITIES[row.quantity].least
    if row.distribution == "normal" or row.unit == "year" or mean_of(row) == least:
        return path + (x - mean)
    return least + (path - least) * ((x - least) / (mean - least))


def impossible(
    quantity: Quantity, distribution: str, mean: float, low: float | None, high: float | None
) -> str:
    """Why a spread cannot be, or ""."""
    if distribution == "fixed" or low is None or high is None or not low <= mean <= high:
        return ""
    if quantity.sheet == "Timeline":
        return f"{quantity.name} cannot be uncertain: its distribution is 'fixed'"
    allowed = {"subtype_share": "dirichlet", "base_share": "beta", "peak_share": "beta"}.get(
        quantity.name, ""
    )
    if allowed and distribution != allowed:
        return f"{quantity.name} cannot be {distribution!r}, its sums could pass 1: allowed {allowed!r} and 'fixed'"
    if distribution == "dirichlet" and not allowed:
        return f"{quantity.name} cannot be 'dirichlet': no set of it sums to 1"
    if low == high:
        return ""
    error = (high - low) / P10_TO_P90
    if distribution in ("beta", "dirichlet"):
        if quantity.least > 0 or quantity.most < 1:
            return f"{distribution!r} lies between 0 and 1, {quantity.name} between {quantity.least:g} and {quantity.most:g}"
        if not 0 < mean < 1:
            return f"{distribution!r} with the mean {mean:g} cannot spread: low and high must equal it"
        if error**2 >= mean * (1 - mean):
            return f"low {low:g} to high {high:g} is wider than a share with the mean {mean:g} can spread"
    if distribution in ("gamma", "lognormal"):
        if mean <= 0:
            return f"{distribution!r} needs a mean above 0, not {mean:g}"
        if low <= 0:
            return f"{distribution!r} needs a low above 0, not {low:g}"
    least, most = reach(distribution, mean, low, high)
    for far, outside in ((least, least < quantity.least), (most, most > quantity.most)):
        if outside:
            return f"{distribution!r} with the mean {mean:g}, low {low:g} and high {high:g} reaches {far:.4g}, outside {quantity.least:g} to {quantity.most:g}"
    return ""


def reach(distribution: str, mean: float, low: float, high: float) -> tuple[float, float]:
    """The least and the most that a spread reaches, apart from tails with the probability TAIL."""
    error = (high - low) / P10_TO_P90
    if distribution in ("beta", "dirichlet"):
        return 0.0, 1.0
    if distribution == "pert":
        return low, high
    if distribution == "normal":
        return mean - FARTHEST * error, mean + FARTHEST * error
    if distribution == "lognormal":
        sigma = log(high / low) / P10_TO_P90
        return tuple(mean * float(np.exp(side * FARTHEST * sigma - sigma**2 / 2)) for side in (-1, 1))  # type: ignore[return-value]
    from scipy.special import gammainccinv, gammaincinv

    shape = (mean / error) ** 2
    return float(gammaincinv(shape, TAIL)) * mean / shape, float(gammainccinv(shape, TAIL)) * mean / shape


def spread_faults(a: Assumptions) -> Iterator[Fault]:
    """Every spread that cannot be, of single rows and of rows that must hold together."""
    single = {
        i: why
        for i, row in enumerate(a.rows)
        if row.inputs
        and row.low is not None
        and (why := impossible(QUANTITIES[row.quantity], row.distribution, row.inputs[-1], row.low, row.high))
    }
    joint = [x for name in EXCLUSIVE for x in _crowded(a, name, single.keys())] + list(_set_uses(a))
    moved = [
        x
        for scenario in ("", *a.axes.scenarios)
        for rule in (_beyond, _unprotected)
        for x in rule(a, scenario, single.keys())
    ]
    for i, why in (*single.items(), *joint, *dict(reversed(moved)).items()):
        row = a.rows[i]
        yield Fault(a.path.name, row.sheet, row.low_cell or row.cells[0], why)


def exclusive_sets(a: Assumptions, name: str) -> Iterator[tuple[int, ...]]:
    """The rows that compete for a share, in the order of their axis, -1 where there is none; each combination of rows once."""
    dim = EXCLUSIVE[name]
    axis, cover = a.axes.axis(dim), a.covers[name]
    for chosen in dict.fromkeys(s for s in axis.sets if s):
        within = np.take(cover, [i for i, s in enumerate(axis.sets) if s == chosen], axis=dim - 1)
        yield from dict.fromkeys(
            map(tuple, np.moveaxis(within, dim - 1, -1).reshape(-1, within.shape[dim - 1]).tolist())
        )


def drawn_and_fixed(a: Assumptions, rows: Sequence[int]) -> tuple[list[int], list[int]]:
    """The positions in `rows` that are uncertain, the narrowest spread first, and those that are certain."""
    there = [k for k, i in enumerate(rows) if i >= 0 and a.rows[i].inputs]
    drawn = sorted(
        (k for k in there if spreads(a.rows[rows[k]])), key=lambda k: (standard_error(a.rows[rows[k]]), k)
    )
    return drawn, [k for k in there if k not in drawn]


def broken_sticks(
    means: Iterable[float], errors: Iterable[float], left: float
) -> Iterator[tuple[float, float]]:
    """For each uncertain share of a set in turn: its mean and its concentration as a share of what is left.

    Each is a beta of what the ones before it leave, so their sum never passes `left`, and the stated mean and standard error of
    every share hold exactly. The concentration is 0 where a spread cannot be held.
    """
    squared = left**2
    for mean, error in zip(means, errors, strict=True):
        part = mean / left if left > 0 else 1.0
        second = (mean**2 + error**2) / squared if squared > 0 else 1.0
        variance = second - part**2
        yield part, max(part * (1 - part) / variance - 1, 0.0) if variance > 0 and part < 1 else 0.0
        left -= mean
        squared *= 1 - 2 * part + second


def dirichlet_concentration(means: Array, errors: Array) -> float:
    """The concentration at which the variances of a Dirichlet's members sum to those stated; not above 0 where none does."""
    return float((means * (1 - means)).sum() / (errors**2).sum() - 1)


def _crowded(a: Assumptions, name: str, wrong: Collection[int]) -> Iterator[tuple[int, str]]:
    told = set()
    for rows in exclusive_sets(a, name):
        drawn, fixed = drawn_and_fixed(a, rows)
        if not drawn or any(i in wrong or (i >= 0 and np.isnan(a.rows[i].inputs).any()) for i in rows):
            continue
        means, errors = ([f(a.rows[rows[k]]) for k in drawn] for f in (mean_of, standard_error))
        left = 1 - sum(mean_of(a.rows[rows[k]]) for k in fixed)
        last = rows[drawn[-1]]
        if a.rows[last].distribution == "dirichlet":
            bad = (
                None
                if len(drawn) > 1
                and dirichlet_concentration(np.array(means) / left, np.array(errors) / left) > 0
                else last
            )
        else:
            bad = next(
                (
                    rows[k]
                    for k, (_, held) in zip(drawn, broken_sticks(means, errors, left), strict=True)
                    if held <= 0
                ),
                None,
            )
        if bad is not None and bad not in told:
            told.add(bad)
            row, others = (
                a.rows[bad],
                ", ".join(a.rows[rows[k]].place for k in (*drawn, *fixed) if rows[k] != bad),
            )
            yield (
                bad,
                f"low {row.low:g} to high {row.high:g} of {name} cannot hold beside the other shares of its set{f' ({others})' if others else ''}",
            )


def _beyond(a: Assumptions, scenario: str, wrong: Collection[int]) -> Iterator[tuple[int, str]]:
    """Spreads that a scenario, or without one another year, carries out of the allowed range."""
    arrays = a.inputs([scenario])
    touched = {d.quantity for d in a.deltas if d.scenario == scenario} if scenario else QUANTITIES.keys()
    within = f" in scenario {scenario!r}" if scenario else ""
    for i, row in enumerate(a.rows):
        if (
            i in wrong
            or row.quantity not in touched
            or not spreads(row)
            or row.distribution in ("beta", "dirichlet")
        ):
            continue
        if not scenario and row.fill == "constant":  # one year, which the row's own check has seen
            continue
        quantity, values = QUANTITIES[row.quantity], arrays[row.quantity][0]
        paths = np.unique(values[a.covers[row.quantity] == i], axis=0)
        assert row.low is not None and row.high is not None
        for end in reach(row.distribution, mean_of(row), row.low, row.high):
            far = carried(row, paths, np.array(end), np.array(mean_of(row)))
            outside = far[(far < quantity.least) | (far > quantity.most)]
            if outside.size:
                yield (
                    i,
                    f"{row.distribution!r} with low {row.low:g} and high {row.high:g} reaches {outside[0]:.4g}{within}, outside {quantity.least:g} to {quantity.most:g}",
                )


def _unprotected(a: Assumptions, scenario: str, wrong: Collection[int]) -> Iterator[tuple[int, str]]:
    """Lows and highs that alone bring a launch to its patent's expiry or beyond, where the values do not."""
    names = ("planned_launch", "patent_expiry")
    if scenario and not any(d.scenario == scenario and d.quantity in names for d in a.deltas):
        return
    uncertain = [
        (i, row) for i, row in enumerate(a.rows) if row.quantity in names and i not in wrong and spreads(row)
    ]
    if not uncertain:
        return
    arrays = a.inputs([scenario])
    values = dict(zip(names, np.broadcast_arrays(*(arrays[name][0, ..., 0] for name in names)), strict=True))
    sound = (values[names[0]] < values[names[1]]) & (a.covers[names[0]] >= 0) & (a.covers[names[1]] >= 0)
    for i, row in uncertain:
        here = sound & (a.covers[row.quantity] == i)
        for side, bound in (("low", row.low), ("high", row.high)):
            assert bound is not None
            both = {name: x[here] for name, x in values.items()}
            moved = carried(
                row, both[row.quantity][:, np.newaxis], np.array([bound]), np.array([mean_of(row)])
            )[:, 0]
            launch, expiry = ({**both, row.quantity: moved}[name] for name in names)
            for k in np.flatnonzero(launch >= expiry)[:1]:
                r, s, _ = np.argwhere(here)[k]
                place = f"{a.axes.region.leaves[r]} x {a.axes.segment.leaves[s]}"
                within = f" in scenario {scenario!r}" if scenario else ""
                end = f"the {side} {bound:g} of {input_name(row)}"
                yield (
                    i,
                    f"{end}: patent_expiry {expiry[k]:g} of {place} is not after planned_launch {launch[k]:g}{within}",
                )


def _set_uses(a: Assumptions) -> Iterator[tuple[int, str]]:
    """One set has one use, so one draw."""
    cover, axis = a.covers["set_use"], a.axes.segment
    for chosen in dict.fromkeys(s for s in axis.sets if s):
        within = cover[:, [i for i, s in enumerate(axis.sets) if s == chosen]]
        for rows in dict.fromkeys(
            map(tuple, np.moveaxis(within, 1, -1).reshape(-1, within.shape[1]).tolist())
        ):
            moving = [i for i in rows if i >= 0 and spreads(a.rows[i])]
            if (
                moving
                and len({(input_name(a.rows[i]), a.rows[i].low, a.rows[i].high) for i in rows if i >= 0}) > 1
            ):
                yield (
                    moving[0],
                    f"set_use of the set {chosen!r} is uncertain and stands in several rows: key one row to the set",
                )


# Correlations


def correlated(a: Assumptions) -> dict[tuple[str, str], list[Correlation]]:
    """The pairs of inputs that the sheet correlates, by their names in the order of first mention, and the rows that say so."""
    inputs = [(row, input_name(row)) for row in a.rows if spreads(row) and row.distribution != "dirichlet"]
    pairs: dict[tuple[str, str], list[Correlation]] = {}
    for c in a.correlations:
        within = [
            list(dict.fromkeys(name for row, name in inputs if row.quantity == q and _inside(a, row, keys)))
            for q, keys in zip(c.quantities, c.keys, strict=True)
        ]
        for first, second in dict.fromkeys((x, y) for x in within[0] for y in within[1] if x != y):
            said = pairs.setdefault((second, first) if (second, first) in pairs else (first, second), [])
            if c not in said:
                said.append(c)
    return pairs


def _inside(a: Assumptions, row: Row, keys: Keys) -> bool:
    """Whether the therapies and subtypes that a row is keyed to lie within some labels."""
    for dim in (SEGMENT, SUBTYPE):
        label, other = row.keys[dim - REGION], keys[dim - REGION]
        if (
            label
            and other
            and not set(a.axes.axis(dim).members(label)) <= set(a.axes.axis(dim).members(other))
        ):
            return False
    return True


def correlation_groups(a: Assumptions) -> list[tuple[tuple[str, ...], Array]]:
    """The inputs that correlations join, in the order of first mention, with the correlations of their normal scores."""
    pairs = correlated(a)
    groups: list[list[str]] = []
    for pair in pairs:
        joined = [g for g in groups if set(g) & set(pair)]
        groups = [g for g in groups if g not in joined] + [
            list(dict.fromkeys(x for g in (*joined, pair) for x in g))
        ]
    found = []
    for names in groups:
        matrix = np.eye(len(names))
        for (first, second), said in pairs.items():
            if first in names:
                i, j = names.index(first), names.index(second)
                matrix[i, j] = matrix[j, i] = 2 * np.sin(
                    np.pi / 6 * said[0].value
                )  # the normal scores' correlation behind a rank correlation
        found.append((tuple(names), matrix))
    return found


def correlation_faults(a: Assumptions) -> Iterator[Fault]:
    """Correlations of nothing, said twice, or that no inputs can have together."""

    def fault(c: Correlation, message: str) -> Fault:
        return Fault(a.path.name, "Correlations", c.cell, message)

    pairs = correlated(a)
    used = {id(c) for said in pairs.values() for c in said}
    for c in a.correlations:
        if id(c) not in used:
            sides = " and ".join(stream_of(q, *k[1:]) for q, k in zip(c.quantities, c.keys, strict=True))
            yield fault(
                c,
                f"{c.value:g} between {sides}: no two uncertain inputs lie there (a Dirichlet set is drawn by itself)",
            )
    for (first, second), said in pairs.items():
        if len(said) > 1:
            yield fault(said[1], f"{first} and {second} are correlated already, in {said[0].cell}")
    for names, matrix in correlation_groups(a):
        least = float(np.linalg.eigvalsh(matrix)[0])
        if least < -TAIL:
            said = list(dict.fromkeys(c for pair, told in pairs.items() if pair[0] in names for c in told))
            yield fault(
                said[0],
                f"the correlations in {', '.join(c.cell for c in said)} cannot hold together for {len(names)} inputs: their matrix is not positive "
                f"semi-definite (least eigenvalue {least:.3g}), bring them nearer to 0",
            )
