"""An empty assumptions workbook for given axes: every quantity has its rows, the numbers are still to be typed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lm_xl.assumptions.cells import Findings
from lm_xl.assumptions.columns import AXES_COLUMNS, DOLLAR, KEYS
from lm_xl.assumptions.read_axes import read_axes
from lm_xl.assumptions.tables import table_of
from lm_xl.faults import Refused
from lm_xl.model.axes import KINDS, REGION, SEGMENT, SUBTYPE, Axes, Axis
from lm_xl.model.quantities import QUANTITIES, Quantity
from lm_xl.workbook.plan.layout import HEADER_ROW
from lm_xl.workbook.plan.records import Record, labels_of

TOTALS = {"region": "Global", "segment": "Total market", "subtype": "All cancers"}


def axes_of(
    regions: Sequence[str],
    segments: Sequence[tuple[str, ...]],
    subtypes: Sequence[tuple[str, str]],
    years: Sequence[int],
    scenarios: Sequence[str] = ("Base",),
) -> Axes:
    """Axes from labels: segments are (label, set, role) or (label, set, role, kind), subtypes are (label, cancer).

    Without a kind a test is one of Diagnostic tests, a therapy one of Brands. The headline is Therapeutics where there are tests too.
    """
    sides = {
        role: tuple(i for i, s in enumerate(segments) if (s[2] == "test") == (role == "Diagnostics"))
        for role in ("Therapeutics", "Diagnostics")
    }
    segment_groups = {g: m for g, m in sides.items() if m}
    kinds = [s[3] if len(s) > 3 else KINDS[-1] if s[2] == "test" else KINDS[0] for s in segments]
    of_kinds = {k: tuple(i for i, kind in enumerate(kinds) if kind == k) for k in dict.fromkeys(kinds)}
    total = TOTALS["segment"]
    return Axes(
        _axis("region", regions, [""] * len(regions), [""] * len(regions), {}),
        _axis(
            "segment",
            [s[0] for s in segments],
            [s[1] for s in segments],
            [s[2] for s in segments],
            segment_groups | of_kinds,
            kinds,
        ),
        _axis("subtype", [p[0] for p in subtypes], [p[1] for p in subtypes], [""] * len(subtypes), {}),
        tuple(years),
        tuple(scenarios),
        ("Therapeutics", total) if len(segment_groups) > 1 else (total,),
    )


def _axis(
    name: str,
    leaves: Sequence[str],
    sets: Sequence[str],
    roles: Sequence[str],
    groups: dict[str, tuple[int, ...]],
    kinds: Sequence[str] = (),
) -> Axis:
    by_set = {s: tuple(i for i, x in enumerate(sets) if x == s) for s in dict.fromkeys(sets) if s}
    return Axis(
        name,
        tuple(leaves),
        {**by_set, **groups, TOTALS[name]: tuple(range(len(leaves)))},
        tuple(sets),
        tuple(roles),
        kinds=tuple(kinds),
    )


def as_read(name: str, axes: Axes) -> Axes:
    """Axes as they are read from a workbook called `name` that has them. Raises Refused, as reading does, with each fault in its cell."""
    rows = [[record.get(column) or None for column in AXES_COLUMNS] for record in labels_of(axes)]
    above = [[None]] * (HEADER_ROW - 1)
    tell = Findings(Path(name))
    table = table_of(name, "Axes", [*above, list(AXES_COLUMNS), *rows], AXES_COLUMNS, tell.faults)
    read = read_axes(table, tell)
    if tell.faults:
        raise Refused(tell.faults)
    region, segment, subtype = (read.axis_of[dim] for dim in (REGION, SEGMENT, SUBTYPE))
    return Axes(region, segment, subtype, axes.years, read.scenarios, read.scopes, read.promises)


def form(axes: Axes) -> dict[str, list[Record]]:
    """The records of an empty workbook: the axes, and rows without numbers keyed to the totals, or to leaves where each has its own."""
    sheets = ("Axes", "Products", "Scenarios", "Correlations", "Published", "Bands", "Sources", "Changes")
    records: dict[str, list[Record]] = {sheet: [] for sheet in sheets}
    records["Currencies"] = [{"currency": DOLLAR, "rate": 1, "status": "derived"}]
    records["Axes"] = labels_of(axes)
    records["Products"] = [{"segment": s, "product": s, "share": 1} for s in axes.segment.leaves]
    for quantity in QUANTITIES.values():
        records.setdefault(quantity.sheet, []).extend(_rows(axes, quantity))
    return records


def _rows(axes: Axes, quantity: Quantity) -> list[Record]:
    """The rows of a quantity: one, unless its leaves differ in unit or kind or are counts, which no row for a group can give."""
    by_segment = SEGMENT in quantity.dims
    segments = axes.segment.having(*quantity.roles) if by_segment else ()
    if by_segment and not segments:
        return []
    keys = {
        name: axes.axis(d).total if d in quantity.dims else ""
        for name, d in zip(KEYS, (REGION, SEGMENT, SUBTYPE), strict=True)
    }
    row = {
        "quantity": quantity.name,
        **keys,
        "unit": quantity.units[0],
        "fill": "constant",
        "distribution": "fixed",
    }
    if quantity.name in ("first_year", "last_year"):
        return [{**row, "value": axes.years[0] if quantity.name == "first_year" else axes.years[-1]}]
    if len(quantity.units) > 1:
        return [
            {
                **row,
                "segment": axes.segment.leaves[i],
                "unit": "USD per test" if axes.segment.roles[i] == "test" else quantity.units[0],
            }
            for i in segments
        ]
    if quantity.by_kind:
        kinds = dict.fromkeys(axes.segment.kinds[i] for i in segments)
        return [{**row, "segment": kind} for kind in kinds]
    if quantity.is_count:
        return [{**row, "region": leaf} for leaf in axes.region.leaves]
    return [row]
