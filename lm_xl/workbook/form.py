"""An empty assumptions workbook for given axes: every quantity has its rows, the numbers are still to be typed."""

from __future__ import annotations

from collections.abc import Sequence

from lm_xl.assumptions.columns import DOLLAR, KEYS
from lm_xl.model.axes import SEGMENT, Axes, Axis
from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.plan.records import Record

TOTALS = {"region": "Global", "segment": "Total market", "subtype": "All cancers"}


def axes_of(
    regions: Sequence[str],
    segments: Sequence[tuple[str, str, str]],
    subtypes: Sequence[tuple[str, str]],
    years: Sequence[int],
    scenarios: Sequence[str] = ("Base",),
) -> Axes:
    """Axes from labels: segments are (label, set, role), subtypes are (label, cancer)."""
    sides = {
        role: tuple(i for i, s in enumerate(segments) if (s[2] == "test") == (role == "Diagnostics"))
        for role in ("Therapeutics", "Diagnostics")
    }
    segment_groups = {g: m for g, m in sides.items() if m}
    return Axes(
        _axis("region", regions, [""] * len(regions), [""] * len(regions), {}),
        _axis(
            "segment",
            [s[0] for s in segments],
            [s[1] for s in segments],
            [s[2] for s in segments],
            segment_groups,
        ),
        _axis("subtype", [p[0] for p in subtypes], [p[1] for p in subtypes], [""] * len(subtypes), {}),
        tuple(years),
        tuple(scenarios),
    )


def _axis(
    name: str,
    leaves: Sequence[str],
    sets: Sequence[str],
    roles: Sequence[str],
    groups: dict[str, tuple[int, ...]],
) -> Axis:
    by_set = {s: tuple(i for i, x in enumerate(sets) if x == s) for s in dict.fromkeys(sets) if s}
    return Axis(
        name,
        tuple(leaves),
        {**by_set, **groups, TOTALS[name]: tuple(range(len(leaves)))},
        tuple(sets),
        tuple(roles),
    )


def form(axes: Axes) -> dict[str, list[Record]]:
    """The records of an empty workbook: the axes, and rows without numbers keyed to the totals, or to leaves where each has its own."""
    records: dict[str, list[Record]] = {
        "Axes": [],
        "Scenarios": [],
        "Correlations": [],
        "Published": [],
        "Sources": [],
        "Changes": [],
    }
    records["Currencies"] = [{"currency": DOLLAR, "rate": 1, "date": "always", "status": "derived"}]
    for axis in (axes.region, axes.segment, axes.subtype):
        for i, leaf in enumerate(axis.leaves):
            groups = [g for g, members in axis.groups.items() if i in members and g != axis.sets[i]]
            records["Axes"].append(
                {
                    "axis": axis.name,
                    "label": leaf,
                    "set": axis.sets[i],
                    "role": axis.roles[i],
                    "groups": "; ".join(groups),
                }
            )
    records["Axes"] += [{"axis": "scenario", "label": s} for s in axes.scenarios]
    for quantity in QUANTITIES.values():
        labels = dict(
            zip(KEYS, [axes.axis(d).total if d in quantity.dims else "" for d in (1, 2, 3)], strict=True)
        )
        rows = records.setdefault(quantity.sheet, [])
        domain = axes.segment.having(*quantity.roles) if SEGMENT in quantity.dims else ()
        if SEGMENT in quantity.dims and not domain:
            continue
        row = {
            "quantity": quantity.name,
            **labels,
            "unit": quantity.units[0],
            "fill": "constant",
            "distribution": "fixed",
        }
        if quantity.name in ("first_year", "last_year"):
            rows.append({**row, "value": axes.years[0] if quantity.name == "first_year" else axes.years[-1]})
        elif len(quantity.units) > 1:
            rows += [
                {
                    **row,
                    "segment": axes.segment.leaves[i],
                    "unit": "USD per test" if axes.segment.roles[i] == "test" else quantity.units[0],
                }
                for i in domain
            ]
        else:
            rows += [{**row, "region": leaf} for leaf in axes.region.leaves] if quantity.is_count else [row]
    return records
