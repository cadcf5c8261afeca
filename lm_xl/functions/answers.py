"""What each function answers, whatever the host: a number, a text, a block, or the error and its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from lm_xl.assumptions.assumptions import DIMS
from lm_xl.faults import CallError, Refused, UnknownLabel
from lm_xl.functions.arguments import OMITTED, Call, Masked, pass_on, words_for
from lm_xl.functions.handles import fault_words, handle_of
from lm_xl.functions.models import MOST_ANSWERS, STORE, Model
from lm_xl.functions.registry import FUNCTIONS, LISTABLE, METRICS, MODEL_AT, NA, PRICE_BASES, REF, VALUE
from lm_xl.functions.tables import low_in_table
from lm_xl.model.axes import YEAR, Axis
from lm_xl.model.labels import folded, nearest
from lm_xl.model.ops import Array
from lm_xl.model.outputs import BASES, PATIENT_STAGES
from lm_xl.model.quantities import QUANTITIES
from lm_xl.version import __version__

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
                keep = all(type(a) is not bool for a in arguments)  # TRUE and 1 would be one key
            except TypeError:
                keep = False  # a range is no key
            answer = _ANSWERS[name](Call(name, arguments, host, default, model))
            if keep:
                _keep(model, (name, *arguments), answer)
            return answer
    if name not in _ANSWERS:
        raise CallError(VALUE, f"there is no function {name!r}: {nearest(name, tuple(FUNCTIONS))}")
    return _ANSWERS[name](Call(name, arguments, host, default, None))


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
    return at.answer(cube[at["region"], at["segment"], at["subtype"], at["year"]])


def _company_revenue(asked: Call) -> Any:
    model = asked.model
    cube = model.company_cube(BASES[asked.word("basis", tuple(BASES), "risk_adjusted")])
    at = asked.places(company=0, year=0, region=model.totals[0], segment=model.totals[1])
    return at.answer(cube[at["company"], at["region"], at["segment"], at["year"]])


def _lines(asked: Call) -> Array:
    return asked.model.lines(METRICS[asked.word("metric", tuple(METRICS))])


def _by_segment(asked: Call, *numbers: Array) -> Masked:
    """Where patients are asked of a segment, and the error that this is."""
    words = "patients have no segment: give a region or a subtype, or the metric 'revenue'"
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
    return at.answer(numbers, _by_segment(asked, numbers))


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


def _price(asked: Call) -> Any:
    outputs = asked.model.results.outputs
    prices = outputs[PRICE_BASES[asked.word("basis", tuple(PRICE_BASES), "net")]][0]
    axes = asked.model.assumptions.axes
    at = asked.places(segment=0, region=0, year=0)

    def price(segment: int, region: int, year: int) -> float:
        for axis, place in ((axes.segment, segment), (axes.region, region)):
            if place >= len(axis):
                raise asked.fault(f"{axis.labels[place]!r} is a group: a price is that of one {axis.name}")
        return float(prices[region, segment, 0, _year_in(prices, year)])

    return at.answer_each(price)


def _year_in(x: Array, year: int) -> int:
    """The place of a year in numbers of one run; what does not vary by year has one place for all."""
    return min(year, int(x.shape[YEAR - 1]) - 1)


def _percentile(asked: Call) -> Any:
    from lm_xl.uncertainty.simulation import percent_at

    p = asked.value("p")
    if isinstance(p, str) and re.fullmatch(r"[Pp]\d{1,2}", p.strip()):
        p = int(p.strip()[1:]) / 100
    try:
        percent = percent_at(p if type(p) is not bool else 0)
    except UnknownLabel:
        due = "where a percentile is due: 0.01 to 0.99 in whole percents, or as P10"
        raise asked.fault(f"{words_for(p)} {due}") from None
    at = asked.places(segment=0, year=0)
    try:
        simulated = asked.model.simulation
    except Refused as refused:
        raise CallError(VALUE, fault_words([low_in_table(fault) for fault in refused.faults])) from None
    except ArithmeticError as broken:
        raise CallError(VALUE, str(broken)) from None
    rows = [simulated.at(segment=label) for label in asked.model.assumptions.axes.segment.labels]
    lines = np.array([simulated.percentiles[0, row, :, percent] for row in rows])
    return at.answer(lines[at["segment"], at["year"]])


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
    quantity = asked.word("quantity", tuple(QUANTITIES))
    values = asked.model.inputs[quantity][0]

    def value(year: int, **at: int | None) -> float:
        return float(values[(*_element(asked, quantity, at), _year_in(values, year))])

    return asked.places(year=0, region=None, segment=None, subtype=None).answer_each(value)


def _source(asked: Call) -> Any:
    quantity = asked.word("quantity", tuple(QUANTITIES))
    a = asked.model.assumptions
    deltas = [d for d in a.deltas if d.scenario == asked.model.scenario and d.quantity == quantity]

    def source(**at: int | None) -> str:
        element = _element(asked, quantity, at)
        row = a.rows[int(a.covers[quantity][element])]
        cited = [f"{s}: {a.sources[_source_id(a.sources, s)].citation}" for s in row.sources]
        parts = [
            f"{row.sheet}, {quantity} of {row.keys} ({row.unit}), {row.status}",
            "; ".join(cited) or "no source",
            *([row.note] if row.note else []),
            *(
                f"scenario {d.scenario!r}: {d.operation} {d.amount:g}, {d.reason}"
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
    }
    if what in fixed:
        return [[x] for x in fixed[what]]
    axes = asked.model.assumptions.axes
    if what == "year":
        return [[float(y)] for y in axes.years]
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
        return ""
    more = f" (and {len(wrong) - 1} more cells)" if len(wrong) > 1 else ""
    return f"{wrong[0].code} {wrong[0]}{more}"


def _version(asked: Call) -> str:
    return f"lm_xl {__version__}, {asked.host}"


_ANSWERS: dict[str, Callable[[Call], Any]] = {
    "LM_MODEL": _model, "LM_PATIENTS": _patients, "LM_REVENUE": _revenue, "LM_COMPANY_REVENUE": _company_revenue, "LM_TABLE": _table, "LM_SHARE": _share, "LM_CAGR": _cagr,
    "LM_PRICE": _price, "LM_PERCENTILE": _percentile, "LM_ASSUMPTION": _assumption, "LM_SOURCE": _source, "LM_LIST": _list, "LM_WHY": _why, "LM_VERSION": _version,
}  # fmt: skip


@cache
def shipped_model() -> Model:
    """The base case, for calls behind which no workbook stands; read once."""
    from lm_xl.assumptions.read import read_assumptions

    assumptions = read_assumptions()
    return Model(assumptions, assumptions.axes.scenarios[0])
