"""Correlations between uncertain inputs: the pairs that the sheet joins, their matrices, what cannot be."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, Correlation, Keys, Row
from lm_xl.assumptions.distributions import SPREADS
from lm_xl.assumptions.spreads import input_name, is_uncertain, stream_of
from lm_xl.faults import Fault
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.ops import Array

NEGATIVE = -1e-9
"""A least eigenvalue below this is no rounding: the correlations cannot hold together."""


def correlated_pairs(a: Assumptions) -> dict[tuple[str, str], list[Correlation]]:
    """The pairs of inputs that the sheet correlates, in the order of mention, and the rows that say so."""
    rows = [row for row in a.rows if is_uncertain(row) and not SPREADS[row.distribution].whole_sets]
    inputs = [(row, input_name(row)) for row in rows]
    pairs: dict[tuple[str, str], list[Correlation]] = {}
    for c in a.correlations:
        within = [
            list(
                dict.fromkeys(name for row, name in inputs if row.quantity == q and _is_inside(a, row, keys))
            )
            for q, keys in zip(c.quantities, c.keys, strict=True)
        ]
        for first, second in dict.fromkeys((x, y) for x in within[0] for y in within[1] if x != y):
            said = pairs.setdefault((second, first) if (second, first) in pairs else (first, second), [])
            if c not in said:
                said.append(c)
    return pairs


def _is_inside(a: Assumptions, row: Row, keys: Keys) -> bool:
    """Whether the therapies and subtypes that a row is keyed to lie within some labels."""
    for dim in (SEGMENT, SUBTYPE):
        axis, label, other = a.axes.axis(dim), row.keys[dim - REGION], keys[dim - REGION]
        if label and other and not set(axis.members(label)) <= set(axis.members(other)):
            return False
    return True


def correlation_groups(a: Assumptions) -> list[tuple[tuple[str, ...], Array]]:
    """The inputs that correlations join, and the correlations of their normal scores."""
    pairs = correlated_pairs(a)
    groups: list[list[str]] = []
    for pair in pairs:
        joined = [g for g in groups if set(g) & set(pair)]
        apart = [g for g in groups if g not in joined]
        groups = [*apart, list(dict.fromkeys(x for g in (*joined, pair) for x in g))]
    found = []
    for names in groups:
        matrix = np.eye(len(names))
        for (first, second), said in pairs.items():
            if first in names:
                i, j = names.index(first), names.index(second)
                # Normal scores with this correlation have the stated one between their ranks.
                matrix[i, j] = matrix[j, i] = 2 * np.sin(np.pi / 6 * said[0].value)
        found.append((tuple(names), matrix))
    return found


def correlation_faults(
    a: Assumptions, unsure: Collection[str] = (), *, whole: bool = True
) -> Iterator[Fault]:
    """Correlations of nothing, said twice, or that no inputs can have together.

    Of quantities that are `unsure`, whose rows could not all be read, it is not said that nothing is there; and unless the correlations
    are `whole`, not that they cannot hold together, since those that could not be read would be taken for 0.
    """

    def fault(c: Correlation, message: str) -> Fault:
        return Fault(a.path.name, "Correlations", c.cell, message)

    pairs = correlated_pairs(a)
    used = {id(c) for said in pairs.values() for c in said}
    for c in a.correlations:
        if id(c) not in used and not set(c.quantities) & set(unsure):
            sides = " and ".join(stream_of(q, *k[1:]) for q, k in zip(c.quantities, c.keys, strict=True))
            why = "no two uncertain inputs lie there (a Dirichlet set is drawn by itself)"
            yield fault(c, f"{c.value:g} between {sides}: {why}")
    for (first, second), said in pairs.items():
        if len(said) > 1:
            yield fault(said[1], f"{first} and {second} are correlated already, in {said[0].cell}")
    for names, matrix in correlation_groups(a) if whole else ():
        least = float(np.linalg.eigvalsh(matrix)[0])
        if least < NEGATIVE:
            said = list(dict.fromkeys(c for pair, told in pairs.items() if pair[0] in names for c in told))
            which = f"the correlations in {', '.join(c.cell for c in said)}"
            why = f"their matrix is not positive semi-definite (least eigenvalue {least:.3g})"
            yield fault(
                said[0],
                f"{which} cannot hold together for {len(names)} inputs: {why}, bring them nearer to 0",
            )
