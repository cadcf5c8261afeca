"""What each function answers, whatever the host: a number, a text, a block, or the error and its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from lm_xl.assumptions.assumptions import DIMS
from lm_xl.assumptions.columns import DOLLAR
from lm_xl.faults import CallError, UnknownLabel
from lm_xl.functions.analyses import (
    bridge_table,
    comparison_table,
    forecast_table,
    output_of,
    refusals,
    tornado_table,
    unit_of,
)
from lm_xl.functions.arguments import OMITTED, Call, Masked, pass_on, words_for
from lm_xl.functions.handles import handle_of, scenario_handle, what_if_handle
from lm_xl.functions.models import MOST_ANSWERS, STORE, Model
from lm_xl.functions.registry import (
    FUNCTIONS,
    LISTABLE,
    METRICS,
    MODEL_AT,
    NA,
    PERCENTILE_METRICS,
    PRICE_BASES,
    REF,
    UNITS,
    VALUE,
)
from lm_xl.model.axes import YEAR, Axis
from lm_xl.model.labels import folded, nearest
from lm_xl.model.ops import Array
from lm_xl.model.outputs import BASES, PATIENT_STAGES
from lm_xl.model.quantities import QUANTITIES
from lm_xl.version import __version__

MOST_NOTES = 5
"""Launches and inputs that LM_WHY tells of as odd."""

# A kept answer takes half a microsecond: what it needs is looked up once.
_model_at, _stored_model = MODEL_AT.get, STORE.get


def call(
    name: str, arguments: Sequence[Any], *, host: str = "Python", default: Callable[[], Model] | None = None
) -> Any:
    """The answer of a function: a number, a text, or a block as a list of rows, in which a CallError may stand for a cell.

    An argument is a number, a text, None for a blank cell, a CallError for an error, OMITTED, or a list of rows of those.
    `default` gives the model of a call that names none. Raises CallError.
    """
    at = _model_at(name)
    if at is not None and at < len(arguments) and type(arguments[at]) is str:
        model = _stored_model(arguments[at])
        if model is not None:
            try:  # here and not in a function of its own, which would cost a fifth of a kept answer
                return model.answers[name, *arguments]
            except KeyError:
                keep = all(map(_is_key, arguments))
            except TypeError:
                keep = False  # a range is no key
            answer = _computed(name, Call(name, arguments, host, default, model))
            if keep:
                _keep(model, (name, *arguments), answer)
            return answer
    if name not in _ANSWERS:
        raise CallError(VALUE, f"there is no function {name!r}: {nearest(name, tuple(FUNCTIONS))}")
    return _computed(name, Call(name, arguments, host, default, None))


def _computed(name: str, asked: Call) -> Any:
    """An answer. What fails in it unforeseen is an error with words in every host, not a broken call."""
    try:
        return _ANSWERS[name](asked)
    except CallError:
        raise
    except Exception as error:
        words = f"{name} failed in lm_xl itself: {type(error).__name__}: {error}"
        raise CallError(VALUE, f"{words}; tell those who gave you lm_xl") from error


def _is_key(argument: Any) -> bool:
    """Whether an argument may be part of a key: 1 and 0 may not, since they would be one key with TRUE and FALSE."""
    kind = type(argument)
    return kind is str or argument is OMITTED or (kind in (int, float) and argument not in (0, 1))


def _keep(model: Model, key: tuple[Any, ...], answer: Any) -> None:
    if len(model.answers) >= MOST_ANSWERS:
        model.answers.clear()
    model.answers[key] = answer


def _model(asked: Call) -> str:
    values = list(asked.values)
    scenario = values.pop() if values and not isinstance(values[-1], list) else OMITTED
    for value in (*values, scenario):
        if isinstance(value, CallError):
            raise pass_on("an argument", value)
    if scenario is not OMITTED and (not isinstance(scenario, str) or not scenario.strip()):
        raise asked.fault(f"{words_for(scenario)} where a scenario is due")
    loose = [v for v in values if not isinstance(v, list)]
    if loose:
        how = "give whole tables with their headers, and the scenario last"
        raise asked.fault(f"{words_for(loose[0])} where a table is due: {how}")
    return handle_of(values, scenario if isinstance(scenario, str) else None)


def _patients(asked: Call) -> Any:
    cube = asked.model.cube(asked.word("stage", PATIENT_STAGES, "diagnosed"))
    at = asked.places(region=0, year=0, subtype=asked.model.totals[2])
    return at.answer(cube[at["region"], 0, at["subtype"], at["year"]])


def _revenue(asked: Call) -> Any:
    cube = asked.model.cube(BASES[asked.word("basis", tuple(BASES), "risk_adjusted")])
    at = asked.places(segment=0, year=0, region=asked.model.totals[0], subtype=asked.model.totals[2])
    return at.answer(asked.shown(DOLLAR).of(cube[at["region"], at["segment"], at["subtype"], at["year"]]))


def _company_revenue(asked: Call) -> Any:
    model = asked.model
    cube = model.company_cube(BASES[asked.word("basis", tuple(BASES), "risk_adjusted")])
    at = asked.places(company=0, year=0, region=model.totals[0], segment=model.totals[1])
    return at.answer(asked.shown(DOLLAR).of(cube[at["company"], at["region"], at["segment"], at["year"]]))


def _lines(asked: Call) -> Array:
    return asked.model.lines(output_of(asked))


def _by_segment(asked: Call, *numbers: Array) -> Masked:
    """Where patients are asked of a segment, and the error that this is."""
    words = "patients have no segment and no company: give a region or a subtype, or the metric 'revenue'"
    return np.isnan(sum(numbers)), lambda: asked.fault(words)


def _table(asked: Call) -> Any:
    lines = _lines(asked)
    for name, column in (("rows", True), ("years", False)):
        i = [a.name for a in asked.function.arguments].index(name)
        if isinstance(asked.values[i], list):
            flat = [x for row in asked.values[i] for x in row]
            asked.values[i] = [[x] for x in flat] if column else [flat]
    at = asked.places(rows=0, years=0)
    numbers = lines[at["rows"], at["years"]]
    return at.answer(asked.shown(unit_of(output_of(asked))).of(numbers), _by_segment(asked, numbers))


def _share(asked: Call) -> Any:
    lines = _lines(asked)
    at = asked.places(label=0, year=0, of=asked.model.totals[0])
    part, whole = (lines[at[name], at["year"]] for name in ("label", "of"))
    outside = ~asked.model.within[at["label"], at["of"]]
    not_within = "the label is not within the one whose total is 1 ('of'): there is no share of it"
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = part / whole
    return at.answer(
        shares,
        _by_segment(asked, part, whole),
        (outside, lambda: asked.fault(not_within)),
        (whole == 0, lambda: asked.fault("the whole is 0 in that year: there is no share of it", NA)),
    )


def _cagr(asked: Call) -> Any:
    lines = _lines(asked)
    at = asked.places(label=0, first=0, last=lines.shape[1] - 1)
    start, end = (lines[at["label"], at[name]] for name in ("first", "last"))
    intervals = np.asarray(at["last"] - at["first"])
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = (end / start) ** (1 / intervals) - 1
    return at.answer(
        growth,
        _by_segment(asked, start, end),
        (intervals <= 0, lambda: asked.fault("the first year of growth must be before the last")),
        (start == 0, lambda: asked.fault("the base of the growth is 0: growth from it is not defined", NA)),
    )


def _growth(asked: Call) -> Any:
    lines = _lines(asked)
    at = asked.places(label=0, year=0)
    first = np.asarray(at["year"]) == 0
    before, now = lines[at["label"], np.maximum(at["year"] - 1, 0)], lines[at["label"], at["year"]]
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = now / before - 1
    return at.answer(
        growth,
        _by_segment(asked, before, now),
        (first, lambda: asked.fault("the first year of the forecast has none before it to grow from", NA)),
        (before == 0, lambda: asked.fault("the year before is 0: growth from it is not defined", NA)),
    )


def _price(asked: Call) -> Any:
    outputs = asked.model.results.outputs
    prices = outputs[PRICE_BASES[asked.word("basis", tuple(PRICE_BASES), "net")]][0]
    axes = asked.model.assumptions.axes
    at = asked.places(segment=0, region=0, year=0)
    shown = asked.shown(DOLLAR)

    def price(segment: int, region: int, year: int) -> float:
        for axis, place in ((axes.segment, segment), (axes.region, region)):
            if place >= len(axis):
                raise asked.fault(f"{axis.labels[place]!r} is a group: a price is that of one {axis.name}")
        return float(shown.of(prices[region, segment, 0, _year_in(prices, year)]))

    return at.answer_each(price)


def _year_in(x: Array, year: int) -> int:
    """The place of a year in numbers of one run; what does not vary by year has one place for all."""
    return min(year, int(x.shape[YEAR - 1]) - 1)


def _percentile(asked: Call) -> Any:
    from lm_xl.uncertainty.kept import UNIT_OF
    from lm_xl.uncertainty.simulation import percent_at

    model = asked.model
    p = asked.value("p")
    if isinstance(p, str) and re.fullmatch(r"[Pp]\d{1,2}", p.strip()):
        p = int(p.strip()[1:]) / 100
    try:
        percent = percent_at(p if type(p) is not bool else 0)
    except UnknownLabel:
        due = "where a percentile is due: 0.01 to 0.99 in whole percents, or as P10"
        raise asked.fault(f"{words_for(p)} {due}") from None
    metric = PERCENTILE_METRICS[asked.word("metric", tuple(PERCENTILE_METRICS), "revenue")]
    at = asked.places(label=0, year=0)
    shown = asked.shown(UNIT_OF[metric])
    with refusals():
        simulated = model.simulation
    axes = [model.assumptions.axes.axis(dim) for dim in DIMS]
    kept = {(x.metric, x.axis, x.label): i for i, x in enumerate(simulated.labels)}
    rows = [kept.get((metric, axis.name, label), -1) for axis in axes for label in axis.labels]
    rows += [-1] * len(model.assumptions.companies)
    row = np.array(rows)[at["label"]]
    what = "a company" if metric == "revenue" else "a company or a segment"
    words = f"no draws are kept of {metric} of {what}: give a label of another kind"
    numbers = simulated.percentiles[0, row, at["year"], percent]
    return at.answer(shown.of(numbers), (row < 0, lambda: asked.fault(words)))


def _element(asked: Call, quantity: str, at: dict[str, int | None]) -> tuple[int, int, int]:
    """The element of a quantity that labels name. Raises CallError where they name none or several."""
    axes, dims = asked.model.assumptions.axes, QUANTITIES[quantity].dims
    region, segment, subtype = (
        _place_on(asked, quantity, axes.axis(dim), at[axes.axis(dim).name], varies=dim in dims)
        for dim in DIMS
    )
    element = region, segment, subtype
    if asked.model.assumptions.covers[quantity][element] < 0:
        labels = [axes.axis(d).leaves[p] for d, p in zip(DIMS, element, strict=True) if d in dims]
        absent = f"there is no {quantity} of {' x '.join(labels)}"
        raise asked.fault(f"{absent}: {QUANTITIES[quantity].meaning}", REF)
    return element


def _place_on(asked: Call, quantity: str, axis: Axis, place: int | None, *, varies: bool) -> int:
    """The place of a quantity on an axis, 0 where it does not vary by it."""
    if not varies and place is not None:
        raise asked.fault(f"{quantity} does not vary by {axis.name}: leave the {axis.name} out")
    if not varies:
        return 0
    if place is None:
        raise asked.fault(f"{quantity} varies by {axis.name}: give one")
    if place >= len(axis):
        raise asked.fault(f"{axis.labels[place]!r} is a group: an assumption is that of one {axis.name}")
    return place


def _assumption(asked: Call) -> Any:
    inputs = asked.model.inputs
    quantity = asked.word("quantity", tuple(QUANTITIES))
    values = inputs[quantity][0]

    def value(year: int, **at: int | None) -> float:
        return float(values[(*_element(asked, quantity, at), _year_in(values, year))])

    return asked.places(year=0, region=None, segment=None, subtype=None).answer_each(value)


def _source(asked: Call) -> Any:
    a = asked.model.assumptions
    quantity = asked.word("quantity", tuple(QUANTITIES))
    deltas = [d for d in asked.model.deltas if d.quantity == quantity]

    def source(**at: int | None) -> str:
        element = _element(asked, quantity, at)
        row = a.rows[int(a.covers[quantity][element])]
        cited = [f"{s}: {a.sources[_source_id(a.sources, s)].citation}" for s in row.sources]
        parts = [
            f"{row.sheet}, {quantity} of {row.keys} ({row.unit}), {row.status}",
            "; ".join(cited) or "no source",
            *([row.note] if row.note else []),
            *(
                f"scenario {asked.model.scenario!r}: {d.operation} {d.amount:g}, {d.reason}"
                if d.cell
                else f"{d.reason}: {d.operation} {d.amount:g}"
                for d in deltas
                if a.reach(d)[element]
            ),
        ]
        return " | ".join(parts)

    return asked.places(region=None, segment=None, subtype=None).answer_each(source)


def _source_id(sources: Any, cited: str) -> str:
    return next(str(s) for s in sources if folded(s) == folded(cited))


def _list(asked: Call) -> list[list[Any]]:
    what = asked.word("axis", LISTABLE)
    fixed = {
        "stage": PATIENT_STAGES,
        "basis": tuple(BASES),
        "metric": tuple(METRICS),
        "quantity": tuple(QUANTITIES),
        "unit": tuple(UNITS),
    }
    if what in fixed:
        return [[x] for x in fixed[what]]
    axes = asked.model.assumptions.axes
    if what == "year":
        return [[float(y)] for y in axes.years]
    if what == "currency":
        return [[c.code] for c in asked.model.assumptions.currencies]
    if what in ("scenario", "company"):
        return [[x] for x in (axes.scenarios if what == "scenario" else asked.model.assumptions.companies)]
    return [[label] for label in getattr(axes, what).labels]


def _why(asked: Call) -> str:
    name = asked.value("function")
    if not isinstance(name, str):
        return f"{VALUE} {asked.fault(f'{words_for(name)} where the name of a function is due, as text')}"
    upper = name.strip().removeprefix("=").upper()
    if upper not in FUNCTIONS:
        return f"{VALUE} {asked.fault(f'unknown function {name!r}: {nearest(upper, tuple(FUNCTIONS))}')}"
    try:
        answer = call(upper, asked.values[1:], host=asked.host, default=asked.default)
    except CallError as error:
        return f"{error.code} {error}"
    wrong = [x for row in answer for x in row if isinstance(x, CallError)] if isinstance(answer, list) else []
    if not wrong:
        return _notes(asked, upper, answer)
    more = f" (and {len(wrong) - 1} more cells)" if len(wrong) > 1 else ""
    return f"{wrong[0].code} {wrong[0]}{more}"


def _notes(asked: Call, name: str, answer: Any) -> str:
    """What is odd in the inputs behind an answer, as a note; "" where nothing is.

    Launches are told of the therapies that the call names, and of every one where it makes a model.
    """
    from lm_xl.forecasts.launches import launch_notes
    from lm_xl.forecasts.plausibility import implausible

    made = STORE.get(answer) if isinstance(answer, str) else None
    if made is None and name not in MODEL_AT:
        return ""
    model = made or Call(name, asked.values[1:], asked.host, asked.default, None).model
    cells = [x for v in asked.values[1:] for row in (v if isinstance(v, list) else [[v]]) for x in row]
    named = {folded(x) for x in cells if isinstance(x, str)}
    launches = [n for n in launch_notes(model.results) if made or folded(n.segment) in named]
    found = [str(x) for x in (*launches, *implausible(model.runnable, [model.run]))]
    more = f"; and {len(found) - MOST_NOTES} more" if len(found) > MOST_NOTES else ""
    return f"note: {'; '.join(found[:MOST_NOTES])}{more}" if found else ""


def _version(asked: Call) -> str:
    return f"lm_xl {__version__}, {asked.host}"


_ANSWERS: dict[str, Callable[[Call], Any]] = {
    "LM_MODEL": _model, "LM_SCENARIO": scenario_handle, "LM_WHATIF": what_if_handle, "LM_PATIENTS": _patients, "LM_REVENUE": _revenue, "LM_COMPANY_REVENUE": _company_revenue, "LM_TABLE": _table, "LM_SHARE": _share, "LM_CAGR": _cagr, "LM_GROWTH": _growth,
    "LM_FORECAST": forecast_table, "LM_COMPARE": comparison_table, "LM_BRIDGE": bridge_table, "LM_TORNADO": tornado_table, "LM_PRICE": _price, "LM_PERCENTILE": _percentile, "LM_ASSUMPTION": _assumption, "LM_SOURCE": _source, "LM_LIST": _list, "LM_WHY": _why, "LM_VERSION": _version,
}  # fmt: skip


@cache
def shipped_model() -> Model:
    """The base case, for calls behind which no workbook stands; read once."""
    from lm_xl.assumptions.read import read_assumptions

    assumptions = read_assumptions()
    return Model(assumptions, assumptions.axes.default)
