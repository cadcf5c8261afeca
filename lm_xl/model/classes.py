"""Classes: how the leaves of an axis are told as a story, each leaf in one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lm_xl.model.axes import SEGMENT, Axes


class Class(NamedTuple):
    """A group of leaves that stand together, or a leaf that stands alone under its own name."""

    label: str
    members: tuple[int, ...]


def classes(axes: Axes, dim: int) -> tuple[Class, ...]:
    """The classes of regions, segments or subtypes in the order of their first leaves; every leaf is in exactly one.

    They are the largest groups of the sheet Axes that no other group crosses. Choice sets and kinds of product are no
    classes, and a class of segments lies inside a scope or outside of it, so that a scope is a sum of classes.
    """
    axis, kept = axes.axis(dim), dict(axes.axis(dim).groups)
    everything = set(range(len(axis)))
    apart = {*axes.scopes, *axis.sets, *axis.kinds} if dim == SEGMENT else set()
    kept = {g: m for g, m in kept.items() if g not in apart and set(m) != everything}
    if dim == SEGMENT:
        scopes = [set(axes.segment.members(scope)) for scope in axes.scopes]
        kept = {g: m for g, m in kept.items() if not any(_cross(set(m), s) or s < set(m) for s in scopes)}
    while crossing := _crossings(kept):
        del kept[max(crossing, key=lambda g: (crossing[g], list(kept).index(g)))]
    found = []
    for leaf, label in enumerate(axis.leaves):
        around = max(
            ((m, g) for g, m in kept.items() if leaf in m), key=lambda x: len(x[0]), default=((leaf,), label)
        )
        if around[0][0] == leaf:
            found.append(Class(around[1], tuple(around[0])))
    return tuple(found)


def overlapping(axes: Axes, dim: int, among: Sequence[Class]) -> tuple[Class, ...]:
    """The groups of an axis that are neither a class, nor a leaf by another name, nor the total: they overlap classes."""
    axis = axes.axis(dim)
    told = {c.label for c in among} | {axis.total}
    if dim == SEGMENT:
        told |= {*axes.scopes, *axis.sets, *axis.kinds}
    return tuple(Class(g, tuple(m)) for g, m in axis.groups.items() if g not in told and len(m) > 1)


def _crossings(groups: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """How many others each group crosses, where it crosses any."""
    sets = {g: set(m) for g, m in groups.items()}
    counts = {g: sum(_cross(mine, other) for other in sets.values()) for g, mine in sets.items()}
    return {g: n for g, n in counts.items() if n}


def _cross(a: set[int], b: set[int]) -> bool:
    """Whether two groups share leaves, and neither holds the other."""
    return bool(a & b) and not a <= b and not b <= a
