"""Distributions: one record each, of whom it suits, how far it reaches and what a draw makes of a row.

The mean is the row's value, and low and high are P10 and P90; of a pert the value is the mode, and they are
the ends. A new distribution is a new record in SPREADS: no other module knows their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from math import log
from statistics import NormalDist

import numpy as np

from lm_xl.model.ops import Array
from lm_xl.model.quantities import Quantity

P10_TO_P90 = 2 * NormalDist().inv_cdf(0.9)
"""Standard errors between P10 and P90 of a normal."""
TAIL = 1e-9
"""A spread may reach beyond its quantity's allowed range with at most this probability."""
FARTHEST = NormalDist().inv_cdf(1 - TAIL)
"""Standard errors from the mean to that tail."""
PERT_WEIGHT = 4
"""How often the mode counts beside the two ends in the mean of a PERT."""

NamedQuantile = tuple[str, float, float]
"""A quantile function by its key in QUANTILE_FUNCTIONS, and its two parameters."""
Member = tuple[int, NamedQuantile, Array]
"""The position of an uncertain share in its set, its quantile function, and what it takes in each year."""


@dataclass(frozen=True)
class QuantileFunction:
    """A number that a normal score decides, by two parameters."""

    at: Callable[[Array, float, float], Array]
    shape: Callable[[float, float], float]
    """The lower it is, the sharper the function bends; 0 where computing it needs no table."""


@dataclass(frozen=True)
class Sharing:
    """How the uncertain shares of a set are drawn together: their sum never passes what is left for them.

    Means, standard errors and paths are those of the uncertain shares, the narrowest spread first. What is
    left for them is a number of the last year, or one a year.
    """

    crowded_share: Callable[[Array, Array, float], int | None]
    """From means, errors and what is left: the share whose spread cannot hold beside the others."""
    members: Callable[[Array, Array, float, Array, Array], Iterator[Member]]
    """From means, errors and what is left in the base case, then paths and what is left in a scenario."""
    alone: Callable[[Array, Array, float, Array, float], Iterator[tuple[int, NamedQuantile]]]
    """From the same, of the last year: each uncertain share by itself as a part of what is left, apart from the certain."""
    shares: Callable[[Array, Array, Array], Iterable[Array]]
    """From the numbers that scores decide, what is left and what each takes: the shares, (year, draw)."""


@dataclass(frozen=True)
class Distribution:
    """How a row spreads around its mean, between its low and its high."""

    name: str
    refusal: Callable[[str, Quantity, float, float, float], str]
    """Why a quantity with this mean, low and high cannot spread so, or "": from the name and these."""
    reach: Callable[[float, float, float], tuple[float, float]]
    """The least and the most that a mean, low and high reach, apart from tails with the probability TAIL."""
    carry: Callable[[Array, Array, Array, float | None], Array]
    """A path when its end is drawn: from the path, the end, what that is drawn around, and the floor.

    The floor is the least value from which a path may be stretched, None where it can only be shifted.
    """
    quantile: Callable[[float, float, float, float], NamedQuantile]
    """What a normal score decides: from mean, low and high, and the mean that a scenario makes of it."""
    amount: Callable[[Array, Array | float, Array | float, Array | float], Array]
    """What the number that a score decides makes of mean, low and high."""
    around_path: bool = False
    """Whether draws are around the mean that a scenario makes; else around the row's own, then carried."""
    in_range: bool = False
    """Whether a path stays in its range wherever its end is drawn: no year and no scenario need be tried."""
    percentiles: bool = True
    """Whether low and high are meant as P10 and P90 of the row drawn by itself."""
    whole_sets: bool = False
    """Whether a set whose shares sum to 1 is one input, with a stream for each member."""
    sharing: Sharing | None = None
    """How it draws shares that compete; None where it cannot."""


def error_of(low: float, high: float) -> float:
    """The standard error that low and high, as P10 and P90, give."""
    return (high - low) / P10_TO_P90


# NamedQuantile functions


def _normal(z: Array, error: float, less: float) -> Array:
    return error * z - less


def _halves(z: Array) -> tuple[tuple[Array, Array], Array]:
    """Scores below and above the median, and the probability of each one's tail, whose digits never fade."""
    from scipy.special import ndtr

    below = z < 0
    return (below, ~below), ndtr(-np.abs(z))


def _log_gamma(z: Array, shape: float, less: float) -> Array:
    from scipy.special import gammainccinv, gammaincinv

    halves, tail = _halves(z)
    out = np.empty(z.shape)
    with np.errstate(divide="ignore"):
        for half, quantile in zip(halves, (gammaincinv, gammainccinv), strict=True):
            out[half] = np.log(quantile(shape, tail[half])) - less
    return out


def _log_odds(z: Array, first: float, second: float) -> Array:
    from scipy.special import betainccinv, betaincinv

    halves, tail = _halves(z)
    out = np.empty(z.shape)
    with np.errstate(divide="ignore"):
        for half, near, far in zip(halves, (betaincinv, betainccinv), (betainccinv, betaincinv), strict=True):
            # The share and its rest each from their own tail: 1 - x would lose the digits of a share near 1.
            share, rest = near(first, second, tail[half]), far(second, first, tail[half])
            out[half] = np.log(share) - np.log(rest)
    return out


QUANTILE_FUNCTIONS = {
    "normal": QuantileFunction(_normal, lambda error, less: 0.0),
    "log of a gamma": QuantileFunction(_log_gamma, lambda shape, less: shape),
    "log odds of a beta": QuantileFunction(_log_odds, min),
}


# What several distributions do alike


def _share_refusal(name: str, quantity: Quantity, mean: float, low: float, high: float) -> str:
    if quantity.least > 0 or quantity.most < 1:
        allowed = f"{quantity.name} between {quantity.least:g} and {quantity.most:g}"
        return f"{name!r} lies between 0 and 1, {allowed}"
    if not 0 < mean < 1:
        return f"{name!r} with the mean {mean:g} cannot spread: low and high must equal it"
    # Nothing between 0 and 1 varies more than a yes or no with the same mean.
    if error_of(low, high) ** 2 >= mean * (1 - mean):
        return f"low {low:g} to high {high:g} is wider than a share with the mean {mean:g} can spread"
    return ""


def _amount_refusal(name: str, _quantity: Quantity, mean: float, low: float, _high: float) -> str:
    if mean <= 0:
        return f"{name!r} needs a mean above 0, not {mean:g}"
    if low <= 0:
        return f"{name!r} needs a low above 0, not {low:g}"
    return ""


def _shifted_odds(path: Array, x: Array, mean: Array) -> Array:
    """A share whose odds change as those of `mean` do to `x`: no year leaves 0 to 1, and a 0 or 1 stays."""
    up, down = path * x * (1 - mean), (1 - path) * mean * (1 - x)
    return np.divide(up, up + down, out=np.broadcast_to(path, up.shape).copy(), where=up + down != 0)


def _stretched(path: Array, x: Array, mean: Array, floor: float | None) -> Array:
    """Distances from the floor in proportion, so that no year falls below it; without a floor a shift."""
    if floor is None:
        return path + (x - mean)
    return floor + (path - floor) * ((x - floor) / (mean - floor))


def _share(log_odds: Array) -> Array:
    from scipy.special import expit

    return expit(log_odds)


# Beta


def _beta_quantile(mean: float, low: float, high: float, moved: float) -> NamedQuantile:
    # A scenario moves the mean and keeps the concentration, and so the relative spread.
    concentration = mean * (1 - mean) / error_of(low, high) ** 2 - 1
    return "log odds of a beta", moved * concentration, (1 - moved) * concentration


def broken_sticks(
    means: Iterable[float], errors: Iterable[float], left: float
) -> Iterator[tuple[float, float]]:
    """For each uncertain share of a set in turn: its mean and its concentration as a share of what is left.

    Each is a beta of what the ones before it leave, so their sum never passes `left`, and the stated mean and
    standard error of every share hold exactly. The concentration is 0 where a spread cannot be held.
    """
    # What is left is random from the second share on: `left` is its mean, `squared` the mean of its square.
    squared = left**2
    for mean, error in zip(means, errors, strict=True):
        part = mean / left if left > 0 else 1.0
        # The parts are independent, so means of squares multiply: E[share^2] = E[left^2] E[part^2].
        second = (mean**2 + error**2) / squared if squared > 0 else 1.0
        variance = second - part**2
        yield part, max(part * (1 - part) / variance - 1, 0.0) if variance > 0 and part < 1 else 0.0
        left -= mean
        squared *= 1 - 2 * part + second


def _crowded_stick(means: Array, errors: Array, left: float) -> int | None:
    held = [concentration for _, concentration in broken_sticks(means, errors, left)]
    return next((k for k, concentration in enumerate(held) if concentration <= 0), None)


def _sticks(means: Array, errors: Array, whole: float, paths: Array, left: Array) -> Iterator[Member]:
    for k, (path, (_, held)) in enumerate(zip(paths, broken_sticks(means, errors, whole), strict=True)):
        part = np.divide(path, left, out=np.zeros_like(left), where=path > 0)
        left = left - path
        # A share that a scenario sets to 0, or to all that is left, is certain there.
        spreads = 0 < part[-1] < 1
        beta = "log odds of a beta", part[-1] * held, (1 - part[-1]) * held
        yield k, beta if spreads else ("normal", 0.0, 0.0), part


def _sticks_alone(
    means: Array, errors: Array, whole: float, last: Array, left: float
) -> Iterator[tuple[int, NamedQuantile]]:
    """Each share by itself as a beta of what is left, with the mean and the standard error that its draws have."""
    remains, squared = (
        1.0,
        1.0,
    )  # means of what the shares before leave, and of its square, as parts of what is left
    for k, (share, (_, held)) in enumerate(zip(last, broken_sticks(means, errors, whole), strict=True)):
        mean = share / left if left > 0 else 0.0
        part = mean / remains if remains > 0 else 0.0
        variance = part * (1 - part) / (held + 1) if 0 < part < 1 else 0.0
        second = squared * (part**2 + variance)
        if 0 < part < 1:
            concentration = mean * (1 - mean) / (second - mean**2) - 1
            yield k, ("log odds of a beta", mean * concentration, (1 - mean) * concentration)
        remains -= mean
        squared *= 1 - 2 * part + part**2 + variance


def _stick_shares(y: Array, left: Array, parts: Array) -> Iterator[Array]:
    left = left[:, np.newaxis]
    for part, x in zip(parts, _share(y), strict=True):
        path = part[:, np.newaxis]
        taken = _shifted_odds(path, x, path[-1:]) if 0 < part[-1] < 1 else path
        yield left * taken
        left = left * (1 - taken)


# Dirichlet


def dirichlet_concentration(means: Array, errors: Array) -> float:
    """The concentration at which a Dirichlet's variances sum to those stated; not above 0 where none does."""
    return float((means * (1 - means)).sum() / (errors**2).sum() - 1)


def _crowded_member(means: Array, errors: Array, left: float) -> int | None:
    fits = len(means) > 1 and dirichlet_concentration(means / left, errors / left) > 0
    return None if fits else len(means) - 1


def _members(means: Array, errors: Array, whole: float, paths: Array, left: Array) -> Iterator[Member]:
    held = dirichlet_concentration(means / whole, errors / whole)
    for k, path in enumerate(paths):
        if path[-1] > 0:  # what a scenario sets to 0 has no gamma
            yield k, ("log of a gamma", held * path[-1] / left[-1], 0.0), path


def _members_alone(
    means: Array, errors: Array, whole: float, last: Array, left: float
) -> Iterator[tuple[int, NamedQuantile]]:
    held = dirichlet_concentration(means / whole, errors / whole)
    for k, share in enumerate(last):
        if 0 < share < left:
            part = share / left
            yield k, ("log odds of a beta", part * held, (1 - part) * held)


def _member_shares(y: Array, left: Array, _parts: Array) -> Array:
    # Independent gammas over their sum are a Dirichlet. The greatest log goes off first: nothing overflows.
    weights = np.exp(y - y.max(axis=0))
    return left[:, np.newaxis] * (weights / weights.sum(axis=0))[:, np.newaxis]


# Gamma, lognormal, normal and pert


def _gamma_shape(mean: float, low: float, high: float) -> float:
    return (mean / error_of(low, high)) ** 2


def _gamma_reach(mean: float, low: float, high: float) -> tuple[float, float]:
    from scipy.special import gammainccinv, gammaincinv

    shape = _gamma_shape(mean, low, high)
    return float(gammaincinv(shape, TAIL)) * mean / shape, float(gammainccinv(shape, TAIL)) * mean / shape


def _gamma_quantile(mean: float, low: float, high: float, _moved: float) -> NamedQuantile:
    shape = _gamma_shape(mean, low, high)
    # A gamma's mean is its shape: less the log of that, it is the log of a multiple of the row's mean.
    return "log of a gamma", shape, log(shape)


def _lognormal_reach(mean: float, low: float, high: float) -> tuple[float, float]:
    sigma = log(high / low) / P10_TO_P90
    least, most = (mean * float(np.exp(side * FARTHEST * sigma - sigma**2 / 2)) for side in (-1, 1))
    return least, most


def _lognormal_quantile(_mean: float, low: float, high: float, _moved: float) -> NamedQuantile:
    # Half the variance of the log goes, so that the row's value is the mean, not the median.
    sigma = log(high / low) / P10_TO_P90
    return "normal", sigma, sigma**2 / 2


def _normal_reach(mean: float, low: float, high: float) -> tuple[float, float]:
    error = error_of(low, high)
    return mean - FARTHEST * error, mean + FARTHEST * error


def _pert_quantile(mode: float, low: float, high: float, _moved: float) -> NamedQuantile:
    # A beta stretched from 0 and 1 to low and high, with the mode where the row's value lies between them.
    at = (mode - low) / (high - low)
    return "log odds of a beta", 1 + PERT_WEIGHT * at, 1 + PERT_WEIGHT * (1 - at)


# The table

_BETA = Distribution(
    "beta",
    refusal=_share_refusal,
    reach=lambda mean, low, high: (0.0, 1.0),
    carry=lambda path, x, mean, floor: _shifted_odds(path, x, mean),
    quantile=_beta_quantile,
    amount=lambda y, mean, low, high: _share(y),
    around_path=True,
    in_range=True,
    sharing=Sharing(_crowded_stick, _sticks, _sticks_alone, _stick_shares),
)
_DIRICHLET = replace(  # each member by itself is a beta
    _BETA,
    name="dirichlet",
    percentiles=False,
    whole_sets=True,
    sharing=Sharing(_crowded_member, _members, _members_alone, _member_shares),
)
_GAMMA = Distribution(
    "gamma",
    refusal=_amount_refusal,
    reach=_gamma_reach,
    carry=lambda path, x, mean, floor: path * (x / mean),
    quantile=_gamma_quantile,
    amount=lambda y, mean, low, high: mean * np.exp(y),
)
_LOGNORMAL = replace(_GAMMA, name="lognormal", reach=_lognormal_reach, quantile=_lognormal_quantile)
_NORMAL = Distribution(
    "normal",
    refusal=lambda *_: "",
    reach=_normal_reach,
    carry=lambda path, x, mean, floor: path + (x - mean),
    quantile=lambda mean, low, high, moved: ("normal", error_of(low, high), 0.0),
    amount=lambda y, mean, low, high: mean + y,
)
_PERT = Distribution(
    "pert",
    refusal=lambda *_: "",
    reach=lambda mode, low, high: (low, high),
    carry=_stretched,
    quantile=_pert_quantile,
    amount=lambda y, mode, low, high: low + (high - low) * _share(y),
    percentiles=False,
)
SPREADS = {d.name: d for d in (_BETA, _DIRICHLET, _GAMMA, _LOGNORMAL, _NORMAL, _PERT)}
"""Every distribution that spreads, by its name."""

CERTAIN = "fixed"
"""The word of a row that does not spread."""
DISTRIBUTIONS = (CERTAIN, *SPREADS)
"""What a cell may say."""


def is_certain(word: str) -> bool:
    """Whether a cell's word names no distribution that spreads."""
    return word not in SPREADS
