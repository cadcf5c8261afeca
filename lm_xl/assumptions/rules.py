"""What single rows cannot show: sums of shares, one use per set, the order of dates, matching units, scenarios in range.

A rule reads the values of one scenario, canonical arrays of size 1 on the run axis. What could not be read is NaN, which no rule
finds fault with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Assumptions, Delta, shifted
from lm_xl.assumptions.cells import Findings
from lm_xl.assumptions.coverage import shared_count
from lm_xl.faults import Fault
from lm_xl.model.axes import SEGMENT, SUBTYPE, Axis
from lm_xl.model.ops import Array
from lm_xl.model.quantities import QUANTITIES, UPTAKE_YEARS

SHARE_TOLERANCE = 1e-9
"""Exclusive shares sum to 1 within this."""
EXHAUSTIVE = "subtype_share"
"""The shares that leave nothing over; the others may sum to less than 1."""

UNCHANGED = (("multiply", 1), ("add", 0))
"""What leaves any value as it is: a point of a grid, but no delta."""

Element = tuple[int, ...]
"""The positions (region, segment, subtype) of an element."""


def demand_rules(a: Assumptions, tell: Findings) -> None:
    """Every rule in every scenario; what several scenarios break in the same rows is one fault."""
    for scenario in a.axes.scenarios:
        deltas = _deltas_of(a, scenario)
        arrays = _shifts(a, deltas, tell)
        _demand_in_order(a, deltas, arrays, tell)
    _roles(a, tell)
    _units(a, tell)
    _kinds(a, tell)


def rule_faults(a: Assumptions, scenario: str, arrays: Mapping[str, Array]) -> tuple[Fault, ...]:
    """What other values of the quantities break across rows, with the cells of the rows behind them."""
    tell = Findings(a.path)
    _demand_in_order(a, _deltas_of(a, scenario), arrays, tell)
    return tuple(tell.faults)


def _deltas_of(a: Assumptions, scenario: str) -> list[Delta]:
    return [delta for delta in a.deltas if delta.scenario == scenario]


def _demand_in_order(
    a: Assumptions, deltas: Sequence[Delta], arrays: Mapping[str, Array], tell: Findings
) -> None:
    for rule in (_share_sums, _typed_curves, _set_uses, _lone_orphans):
        rule(a, deltas, arrays, tell)


def _behind(
    a: Assumptions, elements: Sequence[tuple[str, Element]], deltas: Sequence[Delta]
) -> tuple[str, str, str]:
    """The sheet and cell to name for elements (quantity, positions), and its scenario in words.

    Preferred is the first element that a delta changes, and there the last delta on it; else it is the first element's row.
    """
    for name, at in elements:
        at = _clipped(a, name, at)
        last = next((d for d in reversed(deltas) if d.quantity == name and a.reach(d)[at]), None)
        if last is not None:
            return "Scenarios", last.cell, f" in scenario {last.scenario!r}"
    name, at = elements[0]
    row = a.rows[int(a.covers[name][_clipped(a, name, at)])]
    return row.sheet, row.cells[0], ""


def _clipped(a: Assumptions, name: str, at: Element) -> Element:
    """An element's positions, 0 on the axes by which the quantity does not vary."""
    return tuple(min(int(p), n - 1) for p, n in zip(at, a.covers[name].shape, strict=True))


def _sets(axis: Axis) -> Iterator[tuple[str, list[int]]]:
    """The sets of an axis, each with the positions of its members."""
    for chosen in dict.fromkeys(s for s in axis.sets if s):
        yield chosen, [i for i, s in enumerate(axis.sets) if s == chosen]


# Scenarios


def _shifts(a: Assumptions, deltas: Sequence[Delta], tell: Findings) -> dict[str, Array]:
    """Every quantity with a scenario's deltas. Each must be one that can change something, and all together leave it in range."""
    arrays = dict(a.base)
    for delta in deltas:
        reach = a.reach(delta)[np.newaxis, ..., np.newaxis]
        before, amount = arrays[delta.quantity], np.array(delta.amount)
        arrays[delta.quantity] = shifted(before, delta.operation, amount, reach.astype(float))
        what = f"the delta on {delta.quantity} of {delta.keys}"
        is_count = QUANTITIES[delta.quantity].is_count and delta.operation != "multiply"
        if is_count and (why := shared_count(a.axes, a.reach(delta))):
            advice = "multiply, or give each its own row"
            tell.fault_at("Scenarios", delta.cell, f"{what} {why}: {advice}")
        # A value of 0 that is multiplied, or one that is set to itself, is a null case and runs.
        if not reach.any() or (delta.operation, delta.amount) in UNCHANGED:
            why = "its amount leaves any value as it is" if reach.any() else "it never applies there"
            tell.fault_at("Scenarios", delta.cell, f"{what} changes nothing: {why}")
    _demand_in_range(a, deltas, arrays, tell)
    return arrays


def _demand_in_range(
    a: Assumptions, deltas: Sequence[Delta], arrays: Mapping[str, Array], tell: Findings
) -> None:
    """No value is out of its quantity's range after all deltas, wherever it was between two; the last one on it answers for it."""
    seen = {name: np.zeros(cover.shape, dtype=bool) for name, cover in a.covers.items()}
    for delta in reversed(deltas):
        quantity, values = QUANTITIES[delta.quantity], arrays[delta.quantity][0]
        answers = a.reach(delta) & ~seen[delta.quantity]
        seen[delta.quantity] |= answers
        outside = (values < quantity.least) | (values > quantity.most)
        bad = values[answers[..., np.newaxis] & outside]
        if bad.size:
            does = f"{delta.operation} {delta.amount:g} in {delta.scenario!r}"
            taken = f"takes {delta.quantity} of {delta.keys} to {bad[0]:g}"
            allowed = f"outside {quantity.least:g} to {quantity.most:g}"
            tell.fault_at("Scenarios", delta.cell, f"{does} {taken}, {allowed}")


# Shares


def _share_sums(a: Assumptions, deltas: Sequence[Delta], arrays: Mapping[str, Array], tell: Findings) -> None:
    """The shares of a set sum to 1, or leave something over."""
    for name, dim in ((EXHAUSTIVE, SUBTYPE), ("base_share", SEGMENT), ("peak_share", SEGMENT)):
        along = dim - 1  # the arrays of one run have no run axis
        for chosen, members in _sets(a.axes.axis(dim)):
            sums = np.take(arrays[name][0], members, axis=along).sum(axis=along, keepdims=True)
            wrong = sums > 1 + SHARE_TOLERANCE
            if name == EXHAUSTIVE:
                wrong = np.abs(sums - 1) > SHARE_TOLERANCE
            for at in map(tuple, np.argwhere(wrong).tolist()):
                # The members' own elements: those of the sum, each at its position on the axis of the set.
                places = [(*at[:along], member, *at[along + 1 : 3]) for member in members]
                there = [p for p in places if a.covers[name][p] >= 0] or places[:1]
                # Other years, and other labels that the same rows cover, show the same fault.
                if not tell.is_new(name, *(a.covers[name][p] for p in there)):
                    continue
                sheet, cell, within = _behind(a, [(name, p) for p in there], deltas)
                keys = [
                    a.axes.axis(d).leaves[p]
                    for d, p in zip(DIMS, at, strict=False)
                    if d in QUANTITIES[name].dims and d != dim
                ]
                found = f"{name} of {chosen!r} for {' x '.join(keys)} sums to {sums[at]:.10g}{within}"
                rule = "they must sum to 1" if name == EXHAUSTIVE else "they may not pass 1"
                tell.fault_at(sheet, cell, f"{found}: {rule}")


def _typed_curves(
    a: Assumptions, deltas: Sequence[Delta], arrays: Mapping[str, Array], tell: Findings
) -> None:
    """What a typed curve gains in all its years is at most the peak."""
    names = [f"uptake_gain_{k}" for k in UPTAKE_YEARS]
    sums = sum((arrays[name][0, 0, :, 0, 0] for name in names), np.zeros(1))
    for s in np.flatnonzero(sums > 1 + SHARE_TOLERANCE).tolist():
        if tell.is_new("uptake_gain", *(a.covers[name][0, s, 0] for name in names)):
            sheet, cell, within = _behind(a, [(name, (0, s, 0)) for name in names], deltas)
            found = f"{names[0]} to {UPTAKE_YEARS[-1]} of {a.axes.segment.leaves[s]!r} sum to {sums[s]:.10g}{within}"
            tell.fault_at(sheet, cell, f"{found}: they may not pass 1, the peak")


def _set_uses(a: Assumptions, deltas: Sequence[Delta], arrays: Mapping[str, Array], tell: Findings) -> None:
    """All members of a set have the same use."""
    use, cover, leaves = arrays["set_use"][0], a.covers["set_use"], a.axes.segment.leaves
    for chosen, members in _sets(a.axes.segment):
        first, values = members[0], use[:, members]
        differ = (values.max(axis=1) != values.min(axis=1)).any(axis=-1)
        for r, p in np.argwhere(differ & np.isfinite(values).all(axis=(1, 3))).tolist():
            if not tell.is_new("set_use", *(cover[r, m, p] for m in members)):
                continue
            other = next(m for m in members if (use[r, m, p] != use[r, first, p]).any())
            sheet, cell, within = _behind(a, [("set_use", (r, m, p)) for m in (other, first)], deltas)
            labels = f"{a.axes.region.leaves[r]} x {a.axes.subtype.leaves[p]}"
            between = f"{leaves[first]!r} and {leaves[other]!r}, members of {chosen!r}{within}"
            advice = "give one value for the set"
            tell.fault_at(sheet, cell, f"set_use for {labels} differs between {between}: {advice}")


# Exclusivity, kinds and units


def _lone_orphans(
    a: Assumptions, deltas: Sequence[Delta], arrays: Mapping[str, Array], tell: Findings
) -> None:
    """What has no exclusivity to lose has no orphan exclusivity either: `never` means the same for all products."""
    years = arrays["orphan_exclusivity"][0, ..., 0]
    unprotected = (a.covers["patent_expiry"] < 0) & (a.covers["orphan_exclusivity"] >= 0)
    for r, s, p in np.argwhere(unprotected & (years > 0)).tolist():
        if tell.is_new("orphan_exclusivity", a.covers["orphan_exclusivity"][r, s, p]):
            sheet, cell, within = _behind(a, [("orphan_exclusivity", (r, s, p))], deltas)
            place = f"{a.axes.region.leaves[r]} x {a.axes.segment.leaves[s]}"
            found = f"orphan_exclusivity {years[r, s, p]:g} of {place}, whose patent_expiry is never{within}"
            advice = "type the year in which its patent ends, one before launch where there is none"
            tell.fault_at(sheet, cell, f"{found}: {advice}")


def _roles(a: Assumptions, tell: Findings) -> None:
    """There is a test, without which nobody is diagnosed, and a therapy, without which nobody is treated."""
    for what, roles in (("test", ("test",)), ("therapy", ("incumbent", "entrant", "rest"))):
        if not a.axes.segment.having(*roles):
            allowed = " or ".join(map(repr, roles))
            tell.sheet_fault("Axes", f"no segment is a {what}: add one with the role {allowed}")


def _kinds(a: Assumptions, tell: Findings) -> None:
    """No row prices products of different kinds alike."""
    axis = a.axes.segment
    for row in a.rows:
        if row.quantity and QUANTITIES[row.quantity].by_kind:
            kinds = dict.fromkeys(axis.kinds[i] for i in axis.members(row.keys.segment) if axis.kinds)
            if len(kinds) > 1:
                mixed = f"{row.quantity} of {row.keys.segment!r} stands for {' and '.join(kinds)}"
                tell.row_fault(row, f"{mixed}: give each kind, or each segment, its own row")


def _units(a: Assumptions, tell: Findings) -> None:
    """Therapies are priced for what they are taken by, tests by the test; prices are of a whole year."""
    months, prices = a.covers["months_on_therapy"], a.covers["list_price"]
    for s, (segment, role) in enumerate(zip(a.axes.segment.leaves, a.axes.segment.roles, strict=True)):
        price = a.rows[int(prices[0, s, 0])]
        if not price.unit:
            continue
        due = {"USD per month": "months", "USD per course": "courses"}.get(price.unit, "")
        for row in (a.rows[i] for i in np.unique(months[0, s]) if i >= 0):
            if row.unit not in (due, ""):
                priced = f"its list_price ({price.place}) is in {price.unit}"
                tell.row_fault(row, f"months_on_therapy of {segment} is in {row.unit} but {priced}")
        given = int(a.covers["administration_price"][0, s, 0])
        if given >= 0 and a.rows[given].unit not in (price.unit, ""):
            row, priced = a.rows[given], f"its list_price ({price.place}) is in {price.unit}"
            tell.row_fault(row, f"administration_price of {segment} is in {row.unit} but {priced}")
        if role == "test" and price.unit != "USD per test":
            unit = f"is in {price.unit}: allowed 'USD per test'"
            tell.row_fault(price, f"list_price of the test {segment} {unit}")
    index_year = a.base["index_year"].item()
    if index_year % 1 > 0:
        row = a.rows[int(a.covers["index_year"].item())]
        tell.row_fault(row, f"{index_year:g} is not a whole year")
