"""What each edited row of a workbook does to a number by itself.

The second workbook's values are laid over the first's, one edited row at a time and only where that row answers for them; the
model is evaluated in one year and one scenario. Both workbooks have the same leaves, perhaps in another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Assumptions, Delta, Row, reach_of
from lm_xl.forecasts.points import Measure, Point, in_year
from lm_xl.forecasts.sheet_rows import Name, SheetRows, texts
from lm_xl.model.axes import YEAR, Axes, Axis
from lm_xl.model.evaluate import evaluate
from lm_xl.model.labels import folded
from lm_xl.model.ops import Array
from lm_xl.model.quantities import QUANTITIES

NO_ROW = ("Axes", ("",))
"""Stands for what moves a number although its own row is as it was: groups, the order of deltas, the horizon."""
SAME = 1e-13
"""Numbers that differ by less come from the same 15 digits, which is what spreadsheets hold."""
PROTECTED = "is_protected"
"""The one mask of the structure that rows decide: whether anything protects a price."""

RowKey = tuple[str, Name]
"""The sheet and the name of a row."""


def effects(
    a: Assumptions, b: Assumptions, rows: tuple[SheetRows, SheetRows], at: Point, chosen: Measure
) -> dict[RowKey, float]:
    """What each row that may move a number does alone: the first workbook with that edit, less the first workbook."""
    structure = {**a.structure(), "year": np.full((1,) * (YEAR + 1), float(at.year))}
    old, new = (_values(book, a.axes, at.year) for book in (a, b))

    def worth(values: Mapping[str, Array], book: Assumptions) -> float:
        inputs = book.under({q: values[q] for q in a.base}, [at.scenario])
        outputs = evaluate(inputs, {**structure, PROTECTED: values[PROTECTED]})
        return float(chosen.of(book.axes, outputs)[0, 0])

    deltas, other_deltas = (
        dict(zip(there["Scenarios"], book.deltas, strict=True))
        for there, book in zip(rows, (a, b), strict=True)
    )
    # What no row tells of: the second workbook's groups, and the order of its deltas.
    in_order = _in_order_of(other_deltas, deltas)
    rearranged = replace(a, axes=_regrouped(a.axes, b.axes), deltas=in_order)
    base = worth(old, a)
    found = {}
    for row, masks in _answers(a, b, rows, old, new).items():
        book = rearranged if row == NO_ROW else a
        found[row] = worth(_overlaid(old, new, masks), book) - base
    for name, edited in _edited_deltas(deltas, other_deltas):
        found["Scenarios", name] = worth(old, replace(a, deltas=edited)) - base
    return found


# Values


def _values(book: Assumptions, axes: Axes, year: int) -> dict[str, Array]:
    """Every quantity of a workbook in one year and PROTECTED, in the order of other axes with the same leaves."""
    arrays = {**book.base, PROTECTED: book.structure()[PROTECTED]}
    return {q: _aligned(x, axes, book.axes) for q, x in in_year(book.axes, arrays, year).items()}


def _overlaid(
    old: Mapping[str, Array], new: Mapping[str, Array], masks: Mapping[str, Array]
) -> dict[str, Array]:
    """The old values, and the new ones where a quantity's mask says so."""
    values = dict(old)
    for quantity, mask in masks.items():
        # A row of patent_expiry, or its `never`, also decides whether the price is protected at all.
        for name in (quantity, PROTECTED) if quantity == "patent_expiry" else (quantity,):
            values[name] = np.where(mask, new[name], old[name])
    return values


def _answers(
    a: Assumptions,
    b: Assumptions,
    rows: tuple[SheetRows, SheetRows],
    old: Mapping[str, Array],
    new: Mapping[str, Array],
) -> dict[RowKey, dict[str, Array]]:
    """For each row that answers for numbers that differ, and for NO_ROW, masks of these numbers by quantity."""
    masks: dict[RowKey, dict[str, Array]] = {NO_ROW: {}}
    for quantity in QUANTITIES:
        differs = ~np.isclose(old[quantity], new[quantity], rtol=SAME, atol=0)
        if not differs.any():
            continue
        before, after = _rows_behind(a, quantity), _aligned(_rows_behind(b, quantity), a.axes, b.axes)
        for at in map(tuple, np.argwhere(differs)):
            was, now = _name(a.rows[before[at]]), _name(b.rows[after[at]])
            row = _responsible(QUANTITIES[quantity].sheet, was, now, rows)
            mask = masks.setdefault(row, {}).setdefault(quantity, np.zeros(differs.shape, dtype=bool))
            mask[at] = True
    return masks


def _responsible(sheet: str, was: Name, now: Name, rows: tuple[SheetRows, SheetRows]) -> RowKey:
    """The row that answers for a number that differs: the one behind it now if it is new, or the one behind it before if it is gone."""
    before, after = rows[0][sheet], rows[1][sheet]
    if now not in before:
        return sheet, now
    if was not in after:
        return sheet, was
    edited = was == now and texts(sheet, before[now]) != texts(sheet, after[now])
    return (sheet, now) if edited else NO_ROW


def _name(row: Row) -> Name:
    return (*map(folded, (row.quantity, *row.keys)), "0")


def _rows_behind(book: Assumptions, quantity: str) -> Array:
    """The position of the row behind each element at canonical rank, also where that row says never."""
    reaches = [
        (i, reach_of(book.axes, QUANTITIES[quantity], row.keys))
        for i, row in enumerate(book.rows)
        if row.quantity == quantity
    ]
    behind = np.full(reaches[0][1].shape, -1)
    for i, reach in sorted(
        reaches, key=lambda x: -int(x[1].sum())
    ):  # the most specific row comes last and stays
        behind[reach] = i
    return behind[np.newaxis, ..., np.newaxis]


# Deltas


def _in_order_of(other: Mapping[Name, Delta], deltas: Mapping[Name, Delta]) -> tuple[Delta, ...]:
    """Deltas with those that another workbook has too in that one's order; the rest keep their places."""
    kept = iter([name for name in other if name in deltas])
    return tuple(deltas[next(kept)] if name in other else delta for name, delta in deltas.items())


def _edited_deltas(
    old: Mapping[Name, Delta], new: Mapping[Name, Delta]
) -> Iterator[tuple[Name, tuple[Delta, ...]]]:
    """For each delta that differs, its name and the old deltas with this one as it is in the new ones."""
    for name in {**old, **new}:
        if old.get(name) == new.get(name):
            continue
        names = list(old)
        if name not in old:
            # A new delta follows the last of those before it that the first workbook has too, since order matters.
            before = list(new)[: list(new).index(name)]
            earlier = [n for n in before if n in old]
            names.insert(names.index(earlier[-1]) + 1 if earlier else 0, name)
        edited = (new.get(n) if n == name else old[n] for n in names)
        yield name, tuple(delta for delta in edited if delta is not None)


# Axes


def _places(old: Axis, new: Axis) -> list[int]:
    """Where each leaf of one axis stands on another of the same leaves."""
    leaves = list(map(folded, new.leaves))
    return [leaves.index(folded(leaf)) for leaf in old.leaves]


def _aligned(x: Array, old: Axes, new: Axes) -> Array:
    """An array over the `new` axes in the order of the `old` ones, which have the same leaves."""
    for dim in DIMS:
        if x.shape[dim] > 1:
            x = np.take(x, _places(old.axis(dim), new.axis(dim)), axis=dim)
    return x


def _regrouped(old: Axes, new: Axes) -> Axes:
    """Axes with the groups of others of the same leaves, beside their own."""
    region, segment, subtype = (_with_groups(old.axis(d), new.axis(d)) for d in DIMS)
    return replace(old, region=region, segment=segment, subtype=subtype)


def _with_groups(axis: Axis, other: Axis) -> Axis:
    """An axis with the groups of another of the same leaves, beside its own."""
    place = _places(other, axis)
    groups = {group: tuple(sorted(place[i] for i in members)) for group, members in other.groups.items()}
    return replace(axis, groups={**axis.groups, **groups})
