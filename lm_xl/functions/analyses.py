"""The functions that answer with a table: a row of headers, then rows of text and numbers; a blank where there is no number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

import numpy as np

from lm_xl.assumptions.assumptions import DIMS
from lm_xl.assumptions.columns import DOLLAR
from lm_xl.faults import CallError, Refused
from lm_xl.forecasts.compare import kind_of
from lm_xl.forecasts.products import BY_PRODUCT, by_products
from lm_xl.functions.arguments import OMITTED, Call
from lm_xl.functions.handles import fault_words
from lm_xl.functions.models import Model, runnable
from lm_xl.functions.registry import COMPARE_BY, FORECAST_BY, METRICS, VALUE
from lm_xl.functions.tables import low_in_table
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, YEAR, Axis
from lm_xl.model.outputs import BASES, OUTPUTS

Rows = list[list[Any]]


@contextmanager
def refusals() -> Iterator[None]:
    """What refuses to analyse a model, as the error of a call."""
    try:
        yield
    except Refused as refused:
        raise CallError(VALUE, fault_words([low_in_table(fault) for fault in refused.faults])) from None
    except ArithmeticError as broken:
        raise CallError(VALUE, str(broken)) from None


def output_of(asked: Call) -> str:
    """The output of the metric that is asked for, revenue where none is."""
    return METRICS[asked.word("metric", tuple(METRICS), "revenue")]


def unit_of(output: str) -> str:
    """The unit of an output that may be asked for: USD or patients."""
    return DOLLAR if output in BASES.values() else "patients"


# Forecast


def forecast_table(asked: Call) -> Rows:
    """The leaves within the labels given, a number a row, in the order of `Results.frame`."""
    model = asked.model
    output, by = output_of(asked), asked.words("by", FORECAST_BY)
    shown = asked.shown(unit_of(output))
    if output not in BASES.values() and (wrong := [b for b in by if b in ("segment", *BY_PRODUCT)]):
        raise asked.fault(f"patients do not vary by {wrong[0]}")
    inside = _inside(asked, output)
    x = model.results.outputs[output]
    others = tuple(d for d in (REGION, SUBTYPE, YEAR) if FORECAST_BY[d - REGION] not in by)
    for dim in (REGION, SUBTYPE, YEAR):
        x = np.take(x, inside[dim], axis=dim)
    x = x.sum(axis=others, keepdims=True)
    axes = model.assumptions.axes
    labels: list[Sequence[tuple[Any, ...]]] = [[(axes.region.leaves[i],) for i in inside[REGION]]]
    joined = [b for b in ("segment", *BY_PRODUCT) if b in by]
    if set(joined) & set(BY_PRODUCT):
        x, combinations = by_products(model.assumptions, x, joined, inside[SEGMENT])
        labels.append(combinations)
    else:
        x = np.take(x, inside[SEGMENT], axis=SEGMENT)
        x = x if joined else x.sum(axis=SEGMENT, keepdims=True)
        labels.append([(axes.segment.leaves[i],) for i in inside[SEGMENT]] if joined else [()])
    labels.append([(axes.subtype.leaves[i],) for i in inside[SUBTYPE]])
    labels.append([(float(axes.years[i]),) for i in inside[YEAR]])
    for dim in others:
        labels[dim - REGION] = [()]
    names = [*(["region"] if "region" in by else []), *joined, *(b for b in ("subtype", "year") if b in by)]
    order = [names.index(b) for b in by]
    rows: Rows = [["scenario", *by, "metric", "unit", "value"]]
    for parts, value in zip(product(*labels), shown.of(x).reshape(-1).tolist(), strict=True):
        of = [label for part in parts for label in part]
        rows.append([model.run, *(of[i] for i in order), output, shown.unit, value])
    return rows


def _inside(asked: Call, output: str) -> dict[int, list[int]]:
    """The positions on each axis that a forecast is asked of; patients have one place on the axis of segments."""
    axes, found = asked.model.assumptions.axes, {}
    for dim, total in zip(DIMS, asked.model.totals, strict=True):
        axis = axes.axis(dim)
        place = asked.one_place(axis.name)
        if dim not in OUTPUTS[output].dims:
            _demand_no_segment(asked, place)
            found[dim] = [0]
        else:
            found[dim] = list(axis.members(axis.labels[total if place is None else place]))
    years = asked.value("year")
    cells = [x for row in years for x in row] if isinstance(years, list) else [years]
    chosen = range(len(axes.years)) if years is OMITTED else {asked.year_place("year", x) for x in cells}
    found[YEAR] = sorted(chosen)
    return found


def _demand_no_segment(asked: Call, place: int | None) -> None:
    if place is not None:
        raise asked.fault("patients have no segment: leave the segment out")


# Two models


def _pair(asked: Call) -> tuple[Model, Model, int, int]:
    """Two models, or one twice, and the place of the year in which each is read."""
    one = asked.model
    other = asked.other_model("other")
    first, last = asked.one_place("first"), asked.one_place("last")
    last = len(one.assumptions.axes.years) - 1 if last is None else last
    if first is None:
        first = 0 if other is None else last
    if other is not None and other.assumptions.identity != one.assumptions.identity:
        how = "take two scenarios or what-ifs of the same tables; lm-xl diff tells how two workbooks differ"
        raise asked.fault(f"the two models are of different assumptions: {how}")
    return one, other or one, first, last


def comparison_table(asked: Call) -> Rows:
    """Every leaf and group within the labels given, as `Comparison.frame` has them."""
    one, other, first, last = _pair(asked)
    axes, output = one.assumptions.axes, output_of(asked)
    by, shown = asked.words("by", COMPARE_BY, "region"), asked.shown(unit_of(output))
    wholes, places = [], []
    for dim, total in zip(DIMS, one.totals, strict=True):
        axis = axes.axis(dim)
        place = asked.one_place(axis.name)
        if dim not in OUTPUTS[output].dims:
            _demand_no_segment(asked, place)
            if axis.name in by:
                raise asked.fault(f"patients do not vary by {axis.name}")
            place = 0
        place = total if place is None else place
        wholes.append(place)
        places.append(_places_within(axis, place) if axis.name in by else [place])
    before, after = (
        shown.of(model.cube(output)[np.ix_(*places, [year])][..., 0])
        for model, year in ((one, first), (other, last))
    )
    chosen = [axes.axis(DIMS[COMPARE_BY.index(b)]) for b in by]
    whole = {axes.axis(d).name: axes.axis(d).labels[w] for d, w in zip(DIMS, wholes, strict=True)}
    rows: Rows = [[*by, "kind", "metric", "unit", "before", "after", "difference", "change"]]
    # The first of `by` moves slowest, whatever the order of the axes.
    turned = [COMPARE_BY.index(b) for b in by]
    turned += [i for i in range(len(DIMS)) if i not in turned]
    numbers = zip(*(x.transpose(turned).reshape(-1).tolist() for x in (before, after)), strict=True)
    labels = product(*([axis.labels[i] for i in places[COMPARE_BY.index(axis.name)]] for axis in chosen))
    for of, (was, now) in zip(labels, numbers, strict=True):
        change = now / was - 1 if was else ""
        rows.append([*of, kind_of(chosen, of, whole), output, shown.unit, was, now, now - was, change])
    return rows


def _places_within(axis: Axis, place: int) -> list[int]:
    """The places of the leaves and groups of a label, in their order."""
    members = set(axis.members(axis.labels[place]))
    return [i for i, label in enumerate(axis.labels) if set(axis.members(label)) <= members]


def bridge_table(asked: Call) -> Rows:
    """A row for each driver, in the order of the drivers."""
    from lm_xl.forecasts.bridge import bridge

    one, other, first, last = _pair(asked)
    years, measured = one.assumptions.axes.years, _measured(asked)
    ends = (one.run, years[first]), (other.run, years[last])
    shown = asked.shown(unit_of(output_of(asked)))

    def made() -> Any:
        a = runnable(one, other)
        if first == last:
            return bridge(a, one.run, other.run, year=years[last], **measured)
        return bridge(a, *(f"{run} {year}" for run, year in ends), **measured)

    with refusals():
        found = one.analysis(("bridge", ends, tuple(measured.items())), made)
    whole, upto = found.difference, found.before
    rows: Rows = [["driver", "changed", "before", "effect", "after", "share", "alone", "interaction", "unit"]]
    for bar in found.bars:
        numbers = (upto, bar.effect, upto + bar.effect)
        share = bar.effect / whole if whole else ""
        rest = shown.of(bar.alone), shown.of(bar.interaction), shown.unit
        rows.append([bar.driver, "; ".join(bar.changed), *map(shown.of, numbers), share, *rest])
        upto += bar.effect
    return rows


def tornado_table(asked: Call) -> Rows:
    """The inputs that move the number most, the largest swing first."""
    from lm_xl.forecasts.tornado import tornado

    model, count = asked.model, asked.count("n")
    measured, place = _measured(asked), asked.one_place("year")
    years = model.assumptions.axes.years
    year = years[-1 if place is None else place]
    shown = asked.shown(unit_of(output_of(asked)))
    with refusals():
        found = model.analysis(
            ("tornado", year, tuple(measured.items())),
            lambda: tornado(model.runnable, model.run, year, **measured),
        )
    rows: Rows = [
        [
            "input", "low", "high", "at_low", "centre", "at_high", "low_effect", "high_effect", "swing", "unit",
        ]
    ]  # fmt: skip
    for s in found.swings[:count]:
        ends = ["" if np.isnan(x) else x for x in (s.low, s.high)]
        numbers = s.at_low, found.centre, s.at_high, s.low_effect, s.high_effect, s.swing
        rows.append([s.input, *ends, *map(shown.of, numbers), shown.unit])
    return rows


def _measured(asked: Call) -> dict[str, Any]:
    """What `bridge` and `tornado` are to measure, by the names of their arguments."""
    axes, output = asked.model.assumptions.axes, output_of(asked)
    labels = {}
    for dim in DIMS:
        axis = axes.axis(dim)
        place = asked.one_place(axis.name)
        if dim not in OUTPUTS[output].dims:
            _demand_no_segment(asked, place)
        elif place is not None:
            labels[axis.name] = axis.labels[place]
    if output in BASES.values():
        basis = next(b for b, found in BASES.items() if found == output)
        return {"metric": "revenue", "basis": basis, **labels}
    return {"metric": "patients", "stage": output, **labels}
