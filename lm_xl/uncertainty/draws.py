"""Draws: what each uncertain row is worth in a draw, and the model run on a block of draws at once.

Draws come in blocks of BLOCK. In a block every stream of an input is one Latin hypercube sample, seeded by the seed, the stream's
name and the block alone. So an added input leaves the draws of the others as they were, scenarios share draws, and a block
is the same wherever and beside whatever it is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from math import log
from typing import Any

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, Row
from lm_xl.assumptions.spreads import (
    EXCLUSIVE,
    P10_TO_P90,
    PERT_WEIGHT,
    broken_sticks,
    carried,
    correlation_groups,
    dirichlet_concentration,
    drawn_and_fixed,
    input_name,
    mean_of,
    spreads,
    standard_error,
    stream_of,
    uncertain_inputs,
)
from lm_xl.forecasts.identities import IDENTITY_TOLERANCE
from lm_xl.forecasts.results import Results
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.evaluate import STAGES, evaluate
from lm_xl.model.ops import Array, total
from lm_xl.model.outputs import OUTPUTS
from lm_xl.model.quantities import QUANTITIES

BLOCK = 512
"""Draws in a block: enough strata for the sampling to matter, few enough for the scatter between blocks to tell the error."""
PIECE = 128
CACHED = 40_000
"""Draws that the stages take at once, and about how many numbers an array of theirs may hold: few enough to stay in a processor's cache."""
KEPT = ("revenue", "diagnosed", "treated")
"""What is kept of a draw: net sales of products that succeeded, and two stages of the patient funnel."""
SUCCESS = "success"
"""The stage that a yes/no draw decides, and the name of its streams."""

# Chance


def uniforms(seed: int, stream: str, block: int) -> Array:
    """A Latin hypercube sample of one stream in one block: BLOCK numbers between 0 and 1, one in each stratum."""
    from scipy.stats.qmc import LatinHypercube

    words = np.frombuffer(hashlib.sha256(stream.encode()).digest(), dtype="<u4").tolist()
    chance = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words, block])))
    sample: Array = LatinHypercube(d=1, rng=chance).random(BLOCK)[:, 0]
    return sample


@dataclass(frozen=True)
class Together:
    """Streams that are correlated: the Cholesky factor of their normal scores' correlations."""

    streams: tuple[int, ...]
    factor: Array


def scores(streams: Sequence[str], together: Sequence[Together], seed: int, block: int) -> Array:
    """Every stream's normal scores in one block: (streams, BLOCK).

    Correlated streams are put in the order of correlated scores, so each keeps its own sample and the first of them its order.
    """
    from scipy.special import ndtri

    z = ndtri(np.array([uniforms(seed, s, block) for s in streams]).reshape(len(streams), BLOCK))
    for group in together:
        mixed = _sums(group.factor, z[list(group.streams)])
        for k, i in enumerate(group.streams[1:], 1):
            z[i] = np.sort(z[i])[np.argsort(np.argsort(mixed[k]))]
    return z


# Distributions, as functions of normal scores


@dataclass(frozen=True)
class Atom:
    """One number that a score decides: a `normal` of a standard error, or the log of a `gamma`, both less `second`; or the log odds of a `beta`."""

    stream: int
    kind: str
    first: float
    second: float = 0.0


STEP, FAR, DEGREE = 1 / 16, 6.5, 5
"""Step and end of the table of a quantile function, and the degree of the curve through it: right to 1e-9 of odds or amounts."""
LEAST_SHAPE = 0.3
"""Below this shape the quantile function bends too sharply for the table."""


def exact(atom: Atom, z: Array) -> Array:
    """An atom's number at normal scores."""
    from scipy.special import betainccinv, betaincinv, gammainccinv, gammaincinv, ndtr

    if atom.kind == "normal":
        return atom.first * z - atom.second
    tail, lower = ndtr(-np.abs(z)), z < 0
    out = np.empty(z.shape)
    with np.errstate(divide="ignore"):
        for side, near, far, gammas in (
            (lower, betaincinv, betainccinv, gammaincinv),
            (~lower, betainccinv, betaincinv, gammainccinv),
        ):
            if atom.kind == "gamma":
                out[side] = np.log(gammas(atom.first, tail[side])) - atom.second
            else:
                out[side] = np.log(near(atom.first, atom.second, tail[side])) - np.log(
                    far(atom.second, atom.first, tail[side])
                )
    return out


@dataclass(frozen=True)
class Atoms:
    """All the numbers that scores decide, with the tables of their quantile functions."""

    atoms: tuple[Atom, ...]
    tables: Mapping[int, tuple[Array, Any]] = field(repr=False)
    """Stream to the atoms that it decides by a table, and the table."""

    def at(self, z: Array) -> Array:
        """Every atom's number at every draw's scores: (streams, draws) -> (atoms, draws)."""
        out = np.empty((len(self.atoms), z.shape[1]))
        tabled = set()
        for stream, (which, table) in self.tables.items():
            out[which] = table(z[stream]).T
            beyond = np.abs(z[stream]) > FAR
            if beyond.any():
                for i in which:
                    out[i, beyond] = exact(self.atoms[i], z[stream][beyond])
            tabled |= set(which.tolist())
        for i, atom in enumerate(self.atoms):
            if i not in tabled:
                out[i] = exact(atom, z[atom.stream])
        return out


def tabled(atoms: Sequence[Atom]) -> Atoms:
    """Atoms with their tables; one that is too sharp for a table has none and is computed exactly."""
    from scipy.interpolate import PPoly, make_interp_spline

    knots = np.linspace(-FAR, FAR, round(2 * FAR / STEP) + 1)
    shapes = [(a.first, a.second if a.kind == "beta" else a.first) for a in atoms]
    heights = {
        i: exact(a, knots)
        for i, a in enumerate(atoms)
        if a.kind != "normal" and min(shapes[i]) >= LEAST_SHAPE
    }
    if not heights:
        return Atoms(tuple(atoms), {})
    curves = make_interp_spline(knots, np.array(list(heights.values())).T, k=DEGREE)
    pieces = {i: PPoly.from_spline((curves.t, curves.c[:, k], DEGREE)) for k, i in enumerate(heights)}
    streams: dict[int, list[int]] = {}
    for i in heights:
        streams.setdefault(atoms[i].stream, []).append(i)
    inner = slice(DEGREE, -DEGREE)  # the curve's ends repeat
    return Atoms(
        tuple(atoms),
        {
            s: (
                np.array(which),
                PPoly(np.stack([pieces[i].c[:, inner] for i in which], axis=-1), pieces[which[0]].x[inner]),
            )
            for s, which in streams.items()
        },
    )


# A quantity's values in a draw


@dataclass(frozen=True)
class Alone:
    """Values that single rows decide, all by the same rule: where they stand, their atoms, and the base case's means."""

    row: Row
    places: Array
    atoms: Array
    means: Array
    ends: Array


@dataclass(frozen=True)
class Joint:
    """The uncertain shares of one set: where they stand, their atoms, what is left for them, and their parts of it, by year."""

    row: Row
    places: Array
    atoms: Array
    left: Array
    parts: Array


@dataclass(frozen=True)
class Drawn:
    """A quantity that draws move: its distinct values over the years, which of them stands where, and what moves them."""

    quantity: str
    values: Array
    at: Array
    alone: tuple[Alone, ...]
    joint: tuple[Joint, ...]

    @property
    def moved(self) -> Array:
        """Which of the distinct values draws move."""
        return np.concatenate([group.places for group in self.alone] + [one.places for one in self.joint])

    def draw(self, numbers: Array) -> Array:
        """The distinct values in every draw: (values, years, draws). Raises OutOfRange."""
        from scipy.special import expit

        out = np.repeat(self.values[:, :, np.newaxis], numbers.shape[1], axis=2)
        for group in self.alone:
            path, y = self.values[group.places][:, :, np.newaxis], numbers[group.atoms][:, np.newaxis]
            means, low, high = (x[:, np.newaxis, np.newaxis] for x in (group.means, *group.ends.T))
            x = _amount(group.row.distribution, y, means, low, high)
            if group.row.distribution != "beta":
                out[group.places] = carried(group.row, path, x, means)
            else:
                out[group.places] = carried(group.row, path, x, path[:, -1:]) if path.shape[1] > 1 else x
        for one in self.joint:
            left, y = one.left[:, np.newaxis], numbers[one.atoms]
            if one.row.distribution == "dirichlet":
                weights = np.exp(y - y.max(axis=0))
                out[one.places] = left * (weights / weights.sum(axis=0))[:, np.newaxis]
                continue
            for place, part, x in zip(one.places, one.parts, expit(y), strict=True):
                path = part[:, np.newaxis]
                taken = carried(one.row, path, x, path[-1:]) if 0 < part[-1] < 1 else path
                out[place] = left * taken
                left = left * (1 - taken)
        quantity = QUANTITIES[self.quantity]
        for places in (*(group.places for group in self.alone), *(one.places for one in self.joint)):
            inside = ((out[places] >= quantity.least) & (out[places] <= quantity.most)).all(axis=(0, 1))
            if not inside.all():
                raise OutOfRange(self.quantity, int(np.argmin(inside)))
        return out


def _amount(
    distribution: str, y: Array, mean: Array | float, low: Array | float, high: Array | float
) -> Array:
    """What the number that a score decides makes of a row in its last year."""
    from scipy.special import expit

    if distribution == "beta":
        return np.asarray(expit(y))
    if distribution in ("gamma", "lognormal"):
        return mean * np.exp(y)
    if distribution == "normal":
        return mean + y
    return low + (high - low) * expit(y)


def drawn_bounds(row: Row) -> Array:
    """P10 and P90 of an uncertain row drawn by itself, in its last year: near low and high where these fit the mean."""
    assert row.low is not None and row.high is not None
    y = exact(_atom(row, 0, mean_of(row)), np.array([-0.5, 0.5]) * P10_TO_P90)
    return _amount(row.distribution, y, mean_of(row), row.low, row.high)


MISFIT = 0.15
"""Part of the distance from low to high by which P10 or P90 may miss them, before `check` tells."""


def misfits(a: Assumptions) -> list[tuple[Row, Array]]:
    """The rows whose low and high cannot be P10 and P90 around their mean, the farthest first, and what draws make of them."""
    found = []
    for row in a.rows:
        if spreads(row) and row.distribution not in ("pert", "dirichlet"):
            assert row.low is not None and row.high is not None
            bounds = drawn_bounds(row)
            missed = float(np.abs(bounds - [row.low, row.high]).max()) / (row.high - row.low)
            if missed > MISFIT:
                found.append((missed, row, bounds))
    return [(row, bounds) for _, row, bounds in sorted(found, key=lambda x: -x[0])]


class OutOfRange(ArithmeticError):
    """A draw in which a value leaves its quantity's allowed range, by its position among those drawn."""

    def __init__(self, quantity: str, draw: int) -> None:
        super().__init__(quantity, draw)
        self.quantity, self.draw = quantity, draw

    def __str__(self) -> str:
        allowed = QUANTITIES[self.quantity]
        return f"{self.quantity} leaves its allowed range, {allowed.least:g} to {allowed.most:g}"


class Registry:
    """The streams and numbers that a plan needs, each once."""

    def __init__(self) -> None:
        self.streams: dict[str, int] = {}
        self.atoms: dict[Atom, int] = {}

    def stream(self, name: str) -> int:
        return self.streams.setdefault(name, len(self.streams))

    def __call__(self, atom: Atom) -> int:
        return self.atoms.setdefault(atom, len(self.atoms))


def drawn_quantity(a: Assumptions, moved: Array, name: str, atom: Registry) -> Drawn | None:
    """How draws move a quantity whose values, in a scenario, are `moved` (region, segment, subtype, year); None where nothing does."""
    return _shares(a, moved, name, atom) if name in EXCLUSIVE else _single(a, moved, name, atom)


def _distinct(*columns: Array) -> tuple[Array, Array]:
    """The distinct rows of some tables side by side, and which of them stands where."""
    keys, at = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    return keys, at.reshape(-1)


def _single(a: Assumptions, moved: Array, name: str, atom: Registry) -> Drawn | None:
    cover = a.covers[name]
    keys, at = _distinct(cover.reshape(-1), moved.reshape(cover.size, -1))
    groups: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    for place, i in enumerate(keys[:, 0].astype(int)):
        if (
            i >= 0
            and spreads(a.rows[i])
            and not (a.rows[i].distribution == "beta" and keys[place, -1] in (0, 1))
        ):
            row = a.rows[i]
            groups.setdefault(
                (row.distribution, row.unit == "year", mean_of(row) == QUANTITIES[name].least), []
            ).append((place, i))
    if not groups:
        return None
    alone = []
    for members in groups.values():
        rows = [a.rows[i] for _, i in members]
        atoms = [
            atom(_atom(row, atom.stream(input_name(row)), keys[place, -1]))
            for (place, _), row in zip(members, rows, strict=True)
        ]
        ends = np.array([(row.low, row.high) for row in rows], dtype=float)
        alone.append(
            Alone(
                rows[0],
                np.array([p for p, _ in members]),
                np.array(atoms),
                np.array([mean_of(r) for r in rows]),
                ends,
            )
        )
    return Drawn(name, keys[:, 1:], at.reshape(cover.shape), tuple(alone), ())


def _atom(row: Row, stream: int, mean: float) -> Atom:
    """The number that a score decides for a row: of a gamma and a lognormal, the log of the value as a multiple of its mean."""
    assert row.low is not None and row.high is not None
    error, base = standard_error(row), mean_of(row)
    if row.distribution == "beta":
        concentration = base * (1 - base) / error**2 - 1
        return Atom(stream, "beta", mean * concentration, (1 - mean) * concentration)
    if row.distribution == "gamma":
        return Atom(stream, "gamma", (base / error) ** 2, log((base / error) ** 2))
    if row.distribution == "lognormal":
        sigma = log(row.high / row.low) / P10_TO_P90
        return Atom(stream, "normal", sigma, sigma**2 / 2)
    if row.distribution == "normal":
        return Atom(stream, "normal", error)
    mode = (base - row.low) / (row.high - row.low)
    return Atom(stream, "beta", 1 + PERT_WEIGHT * mode, 1 + PERT_WEIGHT * (1 - mode))


def _shares(a: Assumptions, moved: Array, name: str, atom: Registry) -> Drawn | None:
    """Shares that compete: each set's are drawn together, for every combination of rows and means that there is."""
    dim, cover = EXCLUSIVE[name], a.covers[name]
    axis, years = a.axes.axis(dim), moved.shape[-1]
    values, joint = [np.full(years, float(QUANTITIES[name].absent))], []
    at = np.zeros(cover.shape, dtype=int)
    for chosen in dict.fromkeys(s for s in axis.sets if s):
        members = [i for i, s in enumerate(axis.sets) if s == chosen]
        rows_of = np.moveaxis(np.take(cover, members, axis=dim - 1), dim - 1, -1)
        paths_of = np.moveaxis(np.take(moved, members, axis=dim - 1), dim - 1, -2)
        keys, which = _distinct(rows_of.reshape(-1, len(members)), paths_of.reshape(-1, len(members) * years))
        first = len(values)
        for key in keys:
            rows, paths = (
                key[: len(members)].astype(int).tolist(),
                key[len(members) :].reshape(len(members), years),
            )
            start = len(values)
            values += list(paths)
            found = _joint(a, axis.leaves, members, rows, paths, start, atom)
            joint += [found] if found else []
        places = first + which[:, np.newaxis] * len(members) + np.arange(len(members))
        np.moveaxis(at, dim - 1, -1)[..., members] = places.reshape(rows_of.shape)
    return Drawn(name, np.array(values), at, (), tuple(joint)) if joint else None


def _joint(
    a: Assumptions,
    leaves: Sequence[str],
    members: Sequence[int],
    rows: Sequence[int],
    paths: Array,
    start: int,
    atom: Registry,
) -> Joint | None:
    drawn, fixed = drawn_and_fixed(a, rows)
    if not drawn:
        return None
    row = a.rows[rows[drawn[0]]]
    means, errors = (np.array([f(a.rows[rows[k]]) for k in drawn]) for f in (mean_of, standard_error))
    whole = 1 - sum(mean_of(a.rows[rows[k]]) for k in fixed)
    left = 1 - paths[fixed].sum(axis=0)
    if row.distribution == "dirichlet":
        held = dirichlet_concentration(means / whole, errors / whole)
        drawn = [k for k in drawn if paths[k, -1] > 0]
        streams = [atom.stream(stream_of(row.quantity, leaves[members[k]])) for k in drawn]
        atoms = [
            atom(Atom(s, "gamma", held * paths[k, -1] / left[-1]))
            for s, k in zip(streams, drawn, strict=True)
        ]
        return Joint(row, start + np.array(drawn), np.array(atoms), left, paths[drawn]) if drawn else None
    parts, atoms, remains = [], [], left
    for k, (_, held) in zip(drawn, broken_sticks(means, errors, whole), strict=True):
        part = np.divide(paths[k], remains, out=np.zeros_like(remains), where=paths[k] > 0)
        remains = remains - paths[k]
        parts.append(part)
        certain = not 0 < part[-1] < 1
        stream = atom.stream(input_name(a.rows[rows[k]]))
        atoms.append(
            atom(
                Atom(stream, "normal", 0.0)
                if certain
                else Atom(stream, "beta", part[-1] * held, (1 - part[-1]) * held)
            )
        )
    return Joint(row, start + np.array(drawn), np.array(atoms), left, np.array(parts))


# The model on a piece of draws


@dataclass(frozen=True)
class Part:
    """A quantity or mask on a strip: its values, (1, region, segment, subtype, year, 1), or which of a drawn quantity's stands where."""

    values: Array | None
    at: Array | None = None
    still: bool = False
    """Whether none of the drawn values moves over the years."""

    @property
    def everywhere(self) -> bool:
        """Whether it is the same in all regions."""
        return (
            self.values.shape[REGION]
            if self.values is not None
            else self.at.shape[0]
            if self.at is not None
            else 1
        ) == 1

    def of(self, values: Array | None, region: slice) -> Array:
        """Its values in some regions, given those of its quantity: (1, region, segment, subtype, year, draw)."""
        if self.values is not None:
            return self.values[:, region]
        assert values is not None and self.at is not None
        return (values[:, :1] if self.still else values)[self.at[region]][np.newaxis]


@dataclass(frozen=True)
class Strip:
    """Some segments that the stages take by themselves: the tests, or the therapies of one choice set.

    Stages that vary by segment and subtype run on slots: slot 0 of a set is its rest member, the others hold, for each subtype, a
    member that it uses; so what no patient gets takes no time. `cells` is the position in `segments` at (slot, subtype).
    """

    segments: Array
    cells: Array
    used: Array
    rest_of: Array
    stages: tuple[str, ...]
    parts: Mapping[tuple[str, bool], Part]


@dataclass(frozen=True)
class Scene:
    """One scenario ready to be drawn: its uncertain quantities, its strips, and what succeeds by chance."""

    name: str
    drawn: Mapping[str, Drawn]
    strips: tuple[Strip, ...]
    """The tests, then the choice sets."""
    success: tuple[Part, ...]
    chances: Array
    """Stream of the yes/no draw of each segment, -1 where none is needed."""


@dataclass(frozen=True)
class Plan:
    """Everything that a block of draws needs, as plain arrays that travel to any worker."""

    seed: int
    streams: tuple[str, ...]
    inputs: tuple[str, ...]
    """The uncertain input that each stream belongs to; a yes/no draw is one by itself."""
    together: tuple[Together, ...]
    atoms: Atoms
    scenes: tuple[Scene, ...]
    shape: tuple[int, int, int, int]
    years: Array
    labels: tuple[tuple[int, ...], ...]
    """The kept columns that add up to each label, leaf or group."""


class BrokenDraw(ArithmeticError):
    """A draw that breaks an identity or leaves an allowed range: the scenario's position and the number of the draw."""

    def __init__(self, scene: int, draw: int) -> None:
        super().__init__(scene, draw)
        self.scene, self.draw = scene, draw


def _stages(outputs: Sequence[str], given: Collection[str]) -> tuple[str, ...]:
    """The stages that lead to some outputs, in order, beside those that are given."""
    due = set(outputs)
    for name in reversed(STAGES):
        due |= set(STAGES[name][1]) if name in due and name not in given else set()
    return tuple(name for name in STAGES if name in due and name not in given)


SLOTTED = {name for name, output in OUTPUTS.items() if {SEGMENT, SUBTYPE} <= set(output.dims)}
SUCCESS_TAKES = STAGES[SUCCESS][1]


def _narrowed(x: Array, axes: Sequence[int]) -> Array:
    """An array with size 1 along each of the axes on which it does not vary."""
    for axis in axes:
        first = np.take(x, [0], axis=axis)
        if x.shape[axis] > 1 and (x == first).all():
            x = first
    return x


NOT_OF_TESTS = ("patients_on_therapy", "treatment_months")
NOT_OF_THERAPIES = ("tests",)
OF_ALL = tuple(name for name, output in OUTPUTS.items() if SEGMENT not in output.dims)
"""Stages that are the same for all segments: they run with the tests, whose detection they need."""


def _slots(a: Assumptions, rest: int) -> tuple[Array, Array]:
    """Of one choice set: its segments at (slot, subtype), and which of the slots are used."""
    axis, subtypes = a.axes.segment, len(a.axes.subtype)
    has = (a.covers["base_share"] >= 0).any(axis=0) | (a.covers["peak_share"] >= 0).any(axis=0)
    has = np.broadcast_to(has, (len(axis), subtypes))
    others = [
        [i for i in range(len(axis)) if axis.sets[i] == axis.sets[rest] and i != rest and has[i, p]]
        for p in range(subtypes)
    ]
    slots = range(1 + max(map(len, others)))
    cells = [[rest if k == 0 or k > len(o) else o[k - 1] for o in others] for k in slots]
    return np.array(cells), np.array([[k <= len(o) for o in others] for k in slots])


def _strip(
    a: Assumptions, arrays: Mapping[str, Array], drawn: Mapping[str, Drawn], rest: int | None
) -> Strip:
    """The tests, or the choice set of a rest member."""
    axis, subtypes = a.axes.segment, len(a.axes.subtype)
    if rest is None:
        segments = np.array(axis.having("test"), dtype=int)
        cells, used = (
            np.repeat(x[:, np.newaxis], subtypes, axis=1)
            for x in (segments, np.ones(len(segments), dtype=bool))
        )
        stages = _stages(("treated", "net_sales"), NOT_OF_TESTS)
    else:
        segments = np.array([i for i, chosen in enumerate(axis.sets) if chosen == axis.sets[rest]])
        cells, used = _slots(a, rest)
        stages = _stages(("net_sales",), (*OF_ALL, *NOT_OF_THERAPIES))
    cells = np.searchsorted(segments, cells)
    parts = {}
    for slotted, take in {
        (stage in SLOTTED, take) for stage in stages for take in STAGES[stage][1] if take in arrays
    }:
        spots = drawn[take].at[..., np.newaxis] if take in drawn else arrays[take][0]
        if spots.shape[1] > 1:
            spots = spots[:, segments]
            if slotted:
                spots = spots[:, cells, np.arange(subtypes) if spots.shape[2] > 1 else 0]
        if take == "is_rest":
            spots = (np.arange(len(cells)) == 0).astype(float).reshape(1, -1, 1, 1) * (rest is not None)
        spots = _narrowed(spots, range(3))
        values = drawn[take].values[spots[..., 0]] if take in drawn else spots
        if take in drawn and np.isin(spots, drawn[take].moved).any():
            parts[take, slotted] = Part(None, spots[..., 0], bool((values == values[..., :1]).all()))
        else:
            parts[take, slotted] = Part(_narrowed(values, range(4))[np.newaxis, ..., np.newaxis])
    return Strip(segments, cells, used, np.full(len(cells), -1 if rest is None else 0), stages, parts)


def _scene(a: Assumptions, name: str, registry: Registry) -> Scene:
    inputs, structure = a.inputs([name]), a.structure()
    drawn = {q: found for q in inputs if (found := drawn_quantity(a, inputs[q][0], q, registry))}
    arrays = {**inputs, **{mask: structure[mask] for mask in ("is_entrant", "is_rest", "is_protected")}}
    strips = tuple(_strip(a, arrays, drawn, rest) for rest in (None, *a.axes.segment.having("rest")))
    takes = tuple(
        Part(None, drawn[q].at) if q in drawn else Part(inputs[q][0][np.newaxis, ..., np.newaxis])
        for q in SUCCESS_TAKES
    )
    sure = STAGES[SUCCESS][0](*(inputs[q] for q in SUCCESS_TAKES)).reshape(-1)
    chances = np.full(len(sure), -1)
    for i in a.axes.segment.having("entrant"):
        if sure[i] < 1:
            chances[i] = registry.stream(stream_of(SUCCESS, a.axes.segment.leaves[i]))
    return Scene(name, drawn, strips, takes, chances)


def _together(registry: Registry, names: Sequence[str], matrix: Array) -> Together:
    """Streams joined by a matrix, which may be singular: a root of it, turned into a lower triangle."""
    weights, vectors = np.linalg.eigh(matrix)
    triangle = np.linalg.qr((vectors * np.sqrt(np.maximum(weights, 0))).T)[1].T
    return Together(
        tuple(registry.stream(n) for n in names), triangle * np.where(np.diag(triangle) < 0, -1, 1)
    )


def plan_of(a: Assumptions, scenarios: Sequence[str], seed: int) -> Plan:
    """The plan of a simulation. Raises Refused with every impossible spread or correlation, UnknownLabel for a scenario."""
    registry = Registry()
    input_of = {stream: one.name for one in uncertain_inputs(a) for stream in one.streams}
    for stream in input_of:
        registry.stream(stream)
    scenes = tuple(_scene(a, a.axes.scenario(s), registry) for s in scenarios)
    streams = tuple(registry.streams)
    return Plan(
        seed=seed,
        streams=streams,
        inputs=tuple(input_of.get(s, s) for s in streams),
        together=tuple(_together(registry, names, matrix) for names, matrix in correlation_groups(a)),
        atoms=tabled(tuple(registry.atoms)),
        scenes=scenes,
        shape=a.axes.shape,
        years=np.array(a.axes.years, dtype=float).reshape(1, 1, 1, 1, -1, 1),
        labels=tuple(c.members for c in labels_of(a)),
    )


Known = dict[tuple[str, bool], Array]
"""A strip's arrays by name, and whether they stand at slots."""


def _run(strip: Strip, known: Known) -> None:
    """Run every stage of a strip that is not known yet and whose arguments are."""
    for name in strip.stages:
        stage, takes = STAGES[name]
        slotted = name in SLOTTED
        if (name, slotted) in known:
            continue
        arguments = []
        for take in takes:
            x = strip.rest_of if take == "rest_of" else known.get((take, slotted))
            if x is None and slotted and (take, False) in known:
                x = known[take, False]
                if x.shape[SEGMENT] > 1:
                    x = known[take, True] = x[:, :, strip.cells, 0]
            if x is None:
                break
            arguments.append(x)
        else:
            known[name, slotted] = stage(*arguments)


CHAIN = ("incidence", "metastatic", "lm_cases", "diagnosed", "treated")
"""Each counts some of the patients of the one before."""


def _chained(known: Known) -> Array:
    """Whether each stage of the funnel counts some of the patients of the one before, in each draw of a region."""
    chain = [known[name, False] for name in CHAIN]
    return _all(*(more * (1 + IDENTITY_TOLERANCE) >= less for more, less in pairwise(chain)))


def _shared(known: Known) -> Array:
    """Whether a set's shares sum to 1 and none is below 0, in each draw of some regions: what claims leave is not below 0."""
    claims = (
        total(known[name, True], SEGMENT) <= 1 + IDENTITY_TOLERANCE
        for name in ("entrant_total", "incumbent_total")
    )
    return _all(*claims, np.abs(total(known["share", True], SEGMENT) - 1) <= IDENTITY_TOLERANCE)


def _all(*holds: Array) -> Array:
    return np.asarray(reduce(np.logical_and, holds).all(axis=(0, 1, 2, 3, 4)))


NOTHING = np.zeros((1,) * 6)
FUNNEL = ("diagnosed", "treated")
"""What the therapies, or those who read the results, need of the stages that run with the tests."""


def _piece(
    plan: Plan, scene: Scene, values: Mapping[str, Array], succeeds: Array | None, size: int
) -> tuple[Array, Array]:
    """What is kept of some draws, (columns, years, draws), and in which of them the identities hold."""
    regions, segments, subtypes, years = plan.shape
    revenue, by_segment, by_subtype = (np.zeros((n, years, size)) for n in (regions, segments, subtypes))
    of_all: dict[str, Array] = {}
    sound = np.ones(size, dtype=bool)
    for strip in scene.strips:
        common: Known = {
            key: part.of(values.get(key[0]), slice(None))
            for key, part in strip.parts.items()
            if part.everywhere
        }
        common["year", False] = common["year", True] = plan.years
        common |= {(name, True): NOTHING for name in (NOT_OF_THERAPIES if of_all else NOT_OF_TESTS)}
        peak = _peak(strip, succeeds)
        _fail(common, peak)
        _run(strip, common)
        sold = np.zeros((*strip.cells.shape, years, size))
        people: dict[str, list[Array]] = {name: [] for name in FUNNEL}
        step = max(1, CACHED // sold.size)
        for r in range(0, regions, step):
            here = slice(r, min(r + step, regions))
            known = {
                key: part.of(values.get(key[0]), here)
                for key, part in strip.parts.items()
                if not part.everywhere
            }
            _fail(known, peak)
            known |= common | {(name, False): x[:, here] for name, x in of_all.items()}
            _run(strip, known)
            sales = known["net_sales", True][0]
            revenue[here] += sales.sum(axis=(1, 2))
            sold += sales.sum(axis=0)
            sound &= _shared(known) if of_all else _chained(known)
            if not of_all:
                for name, found in people.items():
                    x = known[name, False]
                    found.append(np.broadcast_to(x, (1, here.stop - r, *x.shape[2:])))
        if not of_all:
            of_all = {name: np.concatenate(x, axis=REGION) for name, x in people.items()}
        by_subtype += sold.sum(axis=0)
        for slot, subtype in np.argwhere(strip.used):
            by_segment[strip.segments[strip.cells[slot, subtype]]] += sold[slot, subtype]
    kept = [revenue, by_segment, by_subtype]
    for name in KEPT[1:]:
        x = np.broadcast_to(of_all[name][0, :, 0], (regions, subtypes, years, size))
        kept += [x.sum(axis=1), x.sum(axis=0)]
    sound &= np.isfinite(revenue).all(axis=(0, 1))
    return np.concatenate(kept), sound


def _peak(strip: Strip, succeeds: Array | None) -> Array | None:
    """1 at the slots of what succeeds, 0 at those of what fails: (slot, subtype, 1, draw); None where nothing is by chance."""
    if succeeds is None or not (succeeds[strip.segments] < 1).any():
        return None
    return succeeds[strip.segments[strip.cells]][:, :, np.newaxis]


def _fail(known: Known, peak: Array | None) -> None:
    """A product that fails has no peak: its set stays with the others."""
    if peak is not None and ("peak_share", True) in known:
        known["peak_share", True] = known["peak_share", True] * peak


def chances_of(scene: Scene, values: Mapping[str, Array]) -> Array:
    """Each segment's probability of success in each draw: (segment, draw)."""
    takes = [
        part.of(values.get(q), slice(None)) for q, part in zip(SUCCESS_TAKES, scene.success, strict=True)
    ]
    return STAGES[SUCCESS][0](*takes)[0, 0, :, 0, 0]


def _success(scene: Scene, plan: Plan, values: Mapping[str, Array], z: Array) -> Array | None:
    """Whether each segment succeeds in each draw, 1 or 0: (segment, draw); None where nothing is left to chance."""
    from scipy.special import ndtr

    risky = np.flatnonzero(scene.chances >= 0)
    if not risky.size:
        return None
    out = np.ones((plan.shape[SEGMENT - 1], z.shape[1]))
    out[risky] = ndtr(z[scene.chances[risky]]) < chances_of(scene, values)[risky]
    return out


@dataclass(frozen=True)
class Label:
    """Something of which draws are kept: revenue, or patients at a stage, of a leaf or group of one axis."""

    metric: str
    axis: str
    label: str
    members: tuple[int, ...]
    """The kept columns that add up to it."""


def labels_of(a: Assumptions) -> tuple[Label, ...]:
    """Every leaf and group, in the order of the kept columns: groups follow the leaves of their axis."""
    found, first = [], 0
    for metric in KEPT:
        for axis in (a.axes.region, a.axes.segment, a.axes.subtype):
            if metric == "revenue" or axis is not a.axes.segment:
                found += [
                    Label(metric, axis.name, x, tuple(first + i for i in axis.members(x)))
                    for x in axis.labels
                ]
                first += len(axis)
    return tuple(found)


def block(plan: Plan, number: int, scene: int = 0) -> tuple[Array, Array]:
    """The draws of one block in one scenario: what is kept, (years, columns, BLOCK), and what of it goes with which stream.

    The second is the rank correlation of each stream with each label in the last year, (streams, labels); of a yes/no draw, with
    the outcome. Raises BrokenDraw.
    """
    from scipy.stats import rankdata

    z = scores(plan.streams, plan.together, plan.seed, number)
    kept, succeeds = outcomes(plan, scene, z, number * BLOCK)
    last = [kept[list(members), -1].sum(axis=0) for members in plan.labels]
    causes = z.argsort(axis=1).argsort(axis=1).astype(float)
    for i, stream in enumerate(plan.scenes[scene].chances):
        if stream >= 0 and succeeds is not None:
            causes[stream] = succeeds[i]
    effects = _standard(rankdata(last, axis=1))
    return np.ascontiguousarray(kept.swapaxes(0, 1)), _sums(_standard(causes), effects.T)


def _sums(x: Array, y: Array) -> Array:
    """The matrix product, without BLAS: its threads keep other workers' processors busy, and their number may show in the bits."""
    return np.einsum("ij,jk->ik", x, y)


def _standard(x: Array) -> Array:
    """Rows with mean 0 and length 1; a row that does not vary is 0."""
    x = x - x.mean(axis=1, keepdims=True)
    length = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return np.divide(x, length, out=np.zeros_like(x), where=length > 0)


def outcomes(plan: Plan, scene: int, z: Array, first: int = 0) -> tuple[Array, Array | None]:
    """What is kept of draws with given scores, (columns, years, draws), and what succeeds in them. Raises BrokenDraw, counting from `first`."""
    here = plan.scenes[scene]
    numbers = plan.atoms.at(z)
    pieces, successes = [], []
    for start in range(0, z.shape[1], PIECE):
        part = slice(start, start + PIECE)
        try:
            values = {name: d.draw(numbers[:, part]) for name, d in here.drawn.items()}
        except OutOfRange as far:
            raise BrokenDraw(scene, first + start + far.draw) from far
        succeeds = _success(here, plan, values, z[:, part])
        kept, sound = _piece(plan, here, values, succeeds, min(PIECE, z.shape[1] - start))
        if not sound.all():
            raise BrokenDraw(scene, first + start + int(np.argmin(sound)))
        pieces.append(kept)
        successes += [] if succeeds is None else [succeeds]
    return np.concatenate(pieces, axis=-1), np.concatenate(successes, axis=-1) if successes else None


MOST_OUTCOMES = 4096
"""Outcomes of yes/no draws that are weighed one by one."""


def certain(plan: Plan, scene: int) -> tuple[Array, Array]:
    """What is kept without any spread, (columns, years): where all products succeed, and weighed over what may fail.

    The second is NaN where there are more than MOST_OUTCOMES outcomes.
    """
    here = plan.scenes[scene]
    values = {name: d.values[:, :, np.newaxis] for name, d in here.drawn.items()}
    surely, _ = _piece(plan, here, values, None, 1)
    risky = np.flatnonzero(here.chances >= 0)
    if not risky.size:
        return surely[..., 0], surely[..., 0]
    if 2**risky.size > MOST_OUTCOMES:
        return surely[..., 0], np.full(surely.shape[:2], np.nan)
    yes = (np.arange(2**risky.size) >> np.arange(risky.size)[:, np.newaxis]) & 1
    chance = chances_of(here, values)[risky]
    weights = np.where(yes, chance, 1 - chance).prod(axis=0)
    succeeds = np.ones((plan.shape[SEGMENT - 1], yes.shape[1]))
    succeeds[risky] = yes
    kept = [
        _piece(plan, here, values, succeeds[:, [k]], 1)[0][..., 0] * weights[k] for k in range(yes.shape[1])
    ]
    return surely[..., 0], np.sum(kept, axis=0)


def full_draw(a: Assumptions, plan: Plan, scene: int, number: int) -> Results:
    """One draw through the whole model, every output of it. Its identities are not checked."""
    z = scores(plan.streams, plan.together, plan.seed, number // BLOCK)[:, [number % BLOCK]]
    here = plan.scenes[scene]
    numbers = plan.atoms.at(z)
    values = {name: d.draw(numbers) for name, d in here.drawn.items()}
    inputs = {
        **a.inputs([here.name]),
        **{name: x[..., 0][here.drawn[name].at][np.newaxis] for name, x in values.items()},
    }
    succeeds = _success(here, plan, values, z)
    if succeeds is None:
        return Results(a, (here.name,), evaluate(inputs, a.structure()))
    yes = succeeds.reshape(1, 1, -1, 1, 1)
    inputs["peak_share"] = inputs["peak_share"] * yes
    return Results(
        a, (here.name,), evaluate(inputs, a.structure(), lambda name, x: yes if name == SUCCESS else x)
    )
