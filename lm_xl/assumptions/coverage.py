"""Which row stands behind each element of a quantity: the most specific one. Ties and gaps are faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Keys, Row, reach_of
from lm_xl.assumptions.cells import Findings
from lm_xl.model.axes import SEGMENT, Axes
from lm_xl.model.ops import Array
from lm_xl.model.quantities import QUANTITIES, Quantity

HOLE = Row("", Keys("", "", ""), "", "constant", (np.nan,), ("",), None, None, "fixed", (), "", "", "")
"""The row behind what could not be read, while the other faults of a refused workbook are looked for."""


def covers(axes: Axes, rows: Sequence[Row], tell: Findings) -> dict[str, Array]:
    """Quantity to the position in `rows` of the row behind each element, -1 where there is none; HOLE, after the rows, fills gaps."""
    by_quantity: dict[str, list[int]] = {name: [] for name in QUANTITIES}
    for i, row in enumerate(rows):
        by_quantity[row.quantity].append(i)
    return {
        name: _cover(axes, QUANTITIES[name], rows, positions, tell) for name, positions in by_quantity.items()
    }


def _cover(
    axes: Axes, quantity: Quantity, rows: Sequence[Row], positions: Sequence[int], tell: Findings
) -> Array:
    """The row behind each element (region, segment, subtype) of one quantity."""
    domain = _domain(axes, quantity)
    reaches = {i: reach_of(axes, quantity, rows[i].keys) for i in positions}
    cover = _most_specific(axes, quantity, rows, reaches, domain, tell)
    hole = _doubtful(axes, quantity, domain.shape, tell)
    gap = domain & (cover < 0)
    _demand_no_gaps(axes, quantity, gap & ~hole, domain, tell)
    cover[gap | hole] = len(rows)  # where HOLE stands
    cover[~domain] = -1
    # What is `never` has won its elements from less specific rows, and leaves them without a value.
    for i in positions:
        if quantity.is_count and (why := shared_count(axes, cover == i)):
            tell.row_fault(rows[i], f"{quantity.name} of {rows[i].keys} {why}: give each its own row")
        if not rows[i].inputs:
            cover[cover == i] = -1
    return cover


def _domain(axes: Axes, quantity: Quantity) -> Array:
    """The elements that a quantity has: of segments only those with one of its roles."""
    domain = np.ones([len(axes.axis(d)) if d in quantity.dims else 1 for d in DIMS], dtype=bool)
    if SEGMENT in quantity.dims:
        having = np.isin(np.arange(len(axes.segment)), axes.segment.having(*quantity.roles))
        domain &= having.reshape(1, -1, 1)
    return domain


def _most_specific(
    axes: Axes,
    quantity: Quantity,
    rows: Sequence[Row],
    reaches: Mapping[int, Array],
    domain: Array,
    tell: Findings,
) -> Array:
    """The row of least reach at each element, -1 where none reaches."""
    cover = np.full(domain.shape, -1)
    first: dict[bytes, int] = {}
    # From the least reach to the largest, so that a row takes what no more specific one has taken.
    for i in sorted(reaches, key=lambda i: (int(reaches[i].sum()), i)):
        row, reach = rows[i], reaches[i]
        if not (reach & domain).any():
            roles = " and ".join(quantity.roles)
            tell.row_fault(row, f"{quantity.name} of {row.keys}: only {roles} segments have it")
        # Also where more specific rows leave neither of the two anything.
        if (same := first.setdefault(reach.tobytes(), i)) != i:
            tell.row_fault(row, f"{quantity.name} of {row.keys} is there already, in {rows[same].place}")
        both = reach & (cover >= 0)
        for j in np.unique(cover[both]) if both.any() else ():
            if (reaches[j] & ~reach).any():  # neither holds the other
                common = _labels(axes, quantity, np.argwhere(reach & (cover == j))[0])
                other = f"{rows[j].keys} ({rows[j].place})"
                why = f"both cover {common} and neither is the more specific: add a row for it"
                tell.row_fault(row, f"{quantity.name} of {row.keys} and of {other} {why}")
        cover[reach & (cover < 0)] = i
    return cover


def _labels(axes: Axes, quantity: Quantity, at: Array) -> Keys:
    """The labels of an element."""
    return Keys(
        *(axes.axis(d).leaves[p] if d in quantity.dims else "" for d, p in zip(DIMS, at, strict=True))
    )


def _doubtful(axes: Axes, quantity: Quantity, shape: tuple[int, ...], tell: Findings) -> Array:
    """The elements that a row may cover which could not be read, so that nothing is said to be missing there."""
    hole = np.full(shape, quantity.name in tell.unread)
    anywhere = [axes.axis(d).total if d in quantity.dims else "" for d in DIMS]
    for name, keys in tell.doubtful:
        if name == quantity.name:
            meant = Keys(*(key or total for key, total in zip(keys, anywhere, strict=True)))
            hole |= reach_of(axes, quantity, meant)
    return hole


def _demand_no_gaps(axes: Axes, quantity: Quantity, gap: Array, domain: Array, tell: Findings) -> None:
    """Every element has a row; one fault for all labels of the first axis that lack the same."""
    if not gap.any():
        return
    if np.array_equal(gap, domain):
        tell.sheet_fault(quantity.sheet, f"no row of {quantity.name} ({quantity.meaning})")
        return
    lead, *rest = quantity.dims
    axis, at = axes.axis(lead), DIMS.index(lead)
    # Leaves of the first axis that lack the same have the same bytes along the other axes.
    alike: dict[bytes, list[int]] = {}
    for leaf in np.unique(np.argwhere(gap)[:, at]).tolist():
        alike.setdefault(np.take(gap, leaf, axis=at).tobytes(), []).append(leaf)
    for leaves in alike.values():
        there = np.argwhere(np.take(gap, leaves[:1], axis=at)) if rest else ()
        others = _excerpt([" x ".join(axes.axis(d).leaves[p[DIMS.index(d)]] for d in rest) for p in there])
        group = next((label for label in axis.labels if set(axis.members(label)) == set(leaves)), None)
        lacking = repr(group) if group else _excerpt([repr(axis.leaves[leaf]) for leaf in leaves])
        beside = f" with {others}" if others else ""
        tell.sheet_fault(quantity.sheet, f"no row of {quantity.name} covers {axis.name} {lacking}{beside}")


def shared_count(axes: Axes, reach: Array) -> str:
    """Why one count may not stand for a reach (region, segment, subtype), or ""."""
    regions = [axes.region.leaves[r] for r in np.flatnonzero(reach.any(axis=(1, 2)))]
    if len(regions) < 2:
        return ""
    named = _excerpt([repr(region) for region in regions])
    return f"is a count, and each of {len(regions)} regions ({named}) would get all of it"


def _excerpt(names: Sequence[str]) -> str:
    """The first three of some names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
