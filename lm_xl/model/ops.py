"""The closed vocabulary of the stages beside + - * / **: each works on numbers and on symbolic cells alike.

Arrays have the five axes (run, region, segment, subtype, year), size 1 where they do not vary; reductions keep the axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.cells import ADD, Symbol, Term, call, sum_of, text_of, weighted

Array = NDArray[Any]
TWO = Symbol("1+1", ADD)


def _symbolic(*arrays: Array) -> bool:
    return any(a.dtype == object for a in arrays)


def _each(function: Callable[..., Term], *arrays: Array) -> Array:
    return cast(Array, np.frompyfunc(function, len(arrays), 1)(*arrays))


def _summed(x: Array, axes: Sequence[int]) -> Array:
    kept = [a for a in (REGION, SEGMENT, SUBTYPE) if a not in axes and x.shape[a] > 1]
    # The reduced axes go last and become one, along which each sum is a formula of cells.
    moved = np.moveaxis(x, axes, range(-len(axes), 0))
    kept_shape, reduced = moved.shape[: -len(axes)], moved.shape[-len(axes) :]
    flat = moved.reshape(*kept_shape, math.prod(reduced))
    out = np.empty(flat.shape[:-1], dtype=object)
    for i in np.ndindex(*out.shape):
        out[i] = sum_of(list(flat[i]), kept)
    return np.expand_dims(out, tuple(axes))


def total(x: Array, *axes: int) -> Array:
    """Sum over axes."""
    return _summed(x, axes) if _symbolic(x) else x.sum(axis=axes, keepdims=True)


def any_of(x: Array, axis: int) -> Array:
    """Chance that at least one of independent events along an axis happens, each having a chance of `x`.

    What the first leaves is handed to the next, and only what is above 0 is added up: so no chance is too small to show, as it
    is in 1 less the product of what each leaves.
    """
    out = np.zeros_like(np.take(x, [0], axis=axis))
    for i in reversed(range(x.shape[axis])):
        one = np.take(x, [i], axis=axis)
        out = one + (1 - one) * out
    return out


def total_of(x: Array, axis: int, members: Sequence[int]) -> Array:
    """Sum over some positions of one axis."""
    return total(np.take(x, members, axis=axis), axis)


def weighted_total(x: Array, weight: Array, axis: int) -> Array:
    """Sum over one axis, each times its weight."""
    if not _symbolic(x, weight):
        return total(x * weight, axis)
    first, *_ = terms = np.moveaxis(x, axis, 0)
    weights = np.moveaxis(np.broadcast_to(weight, np.broadcast_shapes(x.shape, weight.shape)), axis, 0)
    out = np.zeros(first.shape, dtype=object)
    for i in np.ndindex(*first.shape):
        at = (slice(None), *i)
        out[i] = weighted(list(terms[at]), list(weights[at]))
    return np.expand_dims(out, axis)


def set_total(x: Array, rest_of: Array, weight: Array | None = None) -> Array:
    """Sum over each choice set of segments, each times its weight, standing at the set's rest member; 0 elsewhere.

    `rest_of` maps a segment to it, tests to -1. Where all segments are of one set its sum has size 1.
    """
    if not _symbolic(x) and weight is not None:
        x, weight = x * weight, None
    if _one_set(rest_of) and not _symbolic(x):
        return total(x, SEGMENT)
    out = np.zeros(x.shape, dtype=x.dtype)
    for rest in sorted(set(rest_of.tolist()) - {-1}):
        members = np.flatnonzero(rest_of == rest).tolist()
        if weight is None:
            out[:, :, [rest]] = total_of(x, SEGMENT, members)
        else:
            of_members = np.take(x, members, axis=SEGMENT), np.take(weight, members, axis=SEGMENT)
            out[:, :, [rest]] = weighted_total(*of_members, SEGMENT)
    return out


def spread(x: Array, rest_of: Array, beyond: int = 0) -> Array:
    """A set's value, from its rest member to every member; `beyond` for tests. It keeps size 1 where all segments are of one set."""
    if _one_set(rest_of) and x.shape[SEGMENT] == 1:
        return x
    out = np.take(x, np.maximum(rest_of, 0), axis=SEGMENT)  # tests, with -1, take any and are set after it
    out[:, :, rest_of < 0] = beyond
    return out


def _one_set(rest_of: Array) -> bool:
    return bool((rest_of == rest_of[0]).all() and rest_of[0] >= 0)


def minimum(a: Array, b: Array | int) -> Array:
    """The smaller of two."""
    return _pick("MIN", min, np.minimum, a, b)


def maximum(a: Array, b: Array | int) -> Array:
    """The larger of two."""
    return _pick("MAX", max, np.maximum, a, b)


def _pick(
    name: str, plain: Callable[..., int], numeric: Callable[..., Array], a: Array, b: Array | int
) -> Array:
    if not _symbolic(a, np.asarray(b)):
        return numeric(a, b)
    return _each(
        lambda x, y: call(name, x, y) if isinstance(x, Symbol) or isinstance(y, Symbol) else plain(x, y),
        a,
        np.asarray(b, dtype=object),
    )


def half(x: Array) -> Array:
    """Half of it, which a formula writes without a number but 1."""
    if not _symbolic(x):
        return x / 2
    return _each(lambda v: v / TWO if isinstance(v, Symbol) else {0: 0}[v], x)


def exp(x: Array) -> Array:
    """e to the power of x."""
    if not _symbolic(x):
        return np.exp(x)
    return _each(lambda v: call("EXP", v) if isinstance(v, Symbol) else {0: 1}[v], x)


def where(switch: Array, yes: Array, no: Array) -> Array:
    """`yes` where the switch is 1, `no` where it is 0."""
    if not _symbolic(switch, yes, no):
        return np.where(switch == 1, yes, no)
    return _each(
        lambda s, y, n: call("IF", s, y, n) if isinstance(s, Symbol) else (y if s == 1 else n),
        switch,
        yes,
        no,
    )


def ratio(part: Array, whole: Array) -> Array:
    """`part` / `whole`; NaN, shown as n/a, where the whole is 0."""
    if not _symbolic(part, whole):
        return np.divide(
            part, whole, out=np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan), where=whole != 0
        )
    return _each(lambda p, w: _unless_zero(w, lambda: p / w), part, whole)


def millions(x: Array) -> Array:
    """A number in units as millions."""
    if not _symbolic(x):
        return x / 1000 / 1000
    thousand = Symbol("1000")
    return _each(lambda v: v / thousand / thousand if isinstance(v, Symbol) else v, x)


def _unless_zero(base: Term, value: Callable[[], Term]) -> Term:
    """The value, or n/a where its base is 0 in the sheet; a structural zero has neither."""
    if isinstance(base, Symbol):
        return Symbol(f'IF({base.text}=0,"n/a",{text_of(value())[0]})')
    return value() if base else 0
