"""One call of a function, whatever the host: arguments made plain, the model found, the answer or the error and its words."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from lm_xl.assumptions.assumptions import DIMS
from lm_xl.faults import CallError, Fault, Refused, UnknownLabel
from lm_xl.functions.models import AMBIGUOUS, MOST_ANSWERS, Model, Store
from lm_xl.functions.registry import (
    ERRORS,
    FUNCTIONS,
    LISTS,
    METRICS,
    NA,
    PASSED_ON,
    PRICE_BASES,
    REF,
    VALUE,
    Argument,
)
from lm_xl.functions.tables import read_grids
from lm_xl.model.axes import YEAR
from lm_xl.model.labels import folded, nearest, odd_characters
from lm_xl.model.ops import Array
from lm_xl.model.outputs import BASES, PATIENT_STAGES
from lm_xl.model.quantities import QUANTITIES
from lm_xl.version import __version__

MOST_FAULTS = 20
"""Faults that LM_WHY tells of some tables; the rest are counted."""
STORE = Store()

Place = Any
"""The place of a label or a year on its axis, or an array of places."""


class _Omitted:
    def __repr__(self) -> str:
        return "omitted"


OMITTED = _Omitted()
"""Stands for an optional argument that was left out, which a blank cell is not."""


def call(
    name: str, arguments: Sequence[Any], *, host: str = "Python", default: Callable[[], Model] | None = None
) -> Any:
    """The answer of a function: a number, a text, or a block as a list of rows, in which a CallError may stand for a cell.

    An argument is a number, a text, None for a blank cell, a CallError for an error, OMITTED, or a list of rows of those.
    `default` gives the model of a call that names none. Raises CallError.
    """
    at = MODEL_AT.get(name)
    if at is not None and at < len(arguments) and type(arguments[at]) is str:
        model = STORE.get(arguments[at])
        if model is not None:
            try:
                return model.answers[name, *arguments]
            except KeyError:
                keep = all(type(a) is not bool for a in arguments)  # TRUE and 1 would be one key
            except TypeError:
                keep = False  # a range is no key
            answer = _ANSWERS[name](_Call(name, arguments, host, default, model))
            if keep:
                if len(model.answers) >= MOST_ANSWERS:
                    model.answers.clear()
                model.answers[name, *arguments] = answer
            return answer
    if name not in _ANSWERS:
        raise CallError(VALUE, f"there is no function {name!r}: {nearest(name, tuple(FUNCTIONS))}")
    return _ANSWERS[name](_Call(name, arguments, host, default, None))


def error_value(value: Any) -> CallError | None:
    """An error value that arrives as text, as what it is."""
    return (
        passed_on("an argument", CallError(value, ""))
        if isinstance(value, str) and value in PASSED_ON
        else None
    )


def passed_on(name: str, error: CallError) -> CallError:
    """An error that an argument holds, as the call's own."""
    return CallError(
        error.code, f"{name} is the error value {error.code}: ask LM_WHY about the cell that it comes from"
    )


class _Call:
    """The arguments of one call, each checked when it is asked for."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[Any],
        host: str,
        default: Callable[[], Model] | None,
        model: Model | None,
    ) -> None:
        self.function = FUNCTIONS[name]
        self.host, self.default = host, default
        declared = self.function.arguments
        most = math.inf if declared and declared[-1].rest else len(declared)
        least = sum(a.required for a in declared)
        if not least <= len(arguments) <= most or any(a is OMITTED for a in arguments[:least]):
            raise CallError(
                VALUE,
                f"{least} to {most:g} arguments are due, {len(arguments)} came: {self.function.signature}",
            )
        self.values = [single(a) for a in arguments]
        self._model = model

    @property
    def model(self) -> Model:
        if self._model is None:
            self._model = self._found(self.value("model"))
        return self._model

    def _found(self, handle: Any) -> Model:
        if handle is OMITTED:
            if self.default is None:
                raise CallError(
                    NA,
                    f"no model is named, and no workbook with one stands behind the call: {self.function.signature}",
                )
            return self.default()
        if _is_blank(handle):
            raise CallError(NA, "the model's cell is blank: it should hold =LM_MODEL(...)")
        match = re.fullmatch(r"LM1:[0-9a-f]{12}:(.+)", handle) if isinstance(handle, str) else None
        if not match:
            raise CallError(VALUE, f"{shown(handle)} is no model: give the cell with =LM_MODEL(...)")
        if match[1] != __version__:
            raise CallError(
                NA,
                f"the model {handle} was made by lm_xl {match[1]} and this is {__version__}: recalculate its cell",
            )
        model = STORE.get(handle)
        if model is None:
            raise CallError(
                NA, f"the model {handle} is not in memory: recalculate its cell (in Excel Ctrl+Alt+F9)"
            )
        return model

    def value(self, name: str) -> Any:
        """An argument as it came, a single cell without its brackets, OMITTED where left out. Raises the error that it holds."""
        i = next(i for i, a in enumerate(self.function.arguments) if a.name == name)
        value = self.values[i] if i < len(self.values) else OMITTED
        if isinstance(value, CallError):
            raise passed_on(name, value)
        return value

    def argument(self, name: str) -> Argument:
        return next(a for a in self.function.arguments if a.name == name)

    def fault(self, words: str, code: str = VALUE) -> CallError:
        return CallError(code, f"{words} ({self.function.signature})")

    def word(self, name: str, choices: Sequence[str], default: str = "") -> str:
        """One of some words."""
        value = self.value(name)
        if value is OMITTED:
            return default
        if isinstance(value, list):
            raise self.fault(f"a range where one {name} is due")
        if not isinstance(value, str) or not value.strip():
            raise self.fault(f"{shown(value)} where a {name} is due: {nearest('', tuple(choices))}")
        for choice in choices:
            if folded(choice) == folded(value):
                return choice
        raise self.fault(f"unknown {name} {value!r}: {nearest(value, tuple(choices))}{odd_characters(value)}")

    def places(self, **omitted: Place) -> _Places:
        """The places of some arguments, each with what stands for it where it is left out, spread over one another."""
        return _Places(self, omitted)

    def place(self, argument: Argument, value: Any) -> int:
        """The place of one label or year."""
        if argument.kind == "year":
            return self.year(argument.name, value)
        labels = self.model.places[argument.kind]
        try:
            place = labels.get(value.strip().casefold(), None)
        except AttributeError:
            raise self.unlabelled(argument, value) from None
        if place is None or place == AMBIGUOUS:
            raise self.unknown(argument, value)
        return place

    def unlabelled(self, argument: Argument, value: Any) -> CallError:
        if isinstance(value, CallError):
            return passed_on(argument.name, value)
        return self.fault(f"{shown(value)} where a {argument.name} is due")

    def unknown(self, argument: Argument, value: str) -> CallError:
        """Why a text is no label of an axis, and which is nearest."""
        if not value.strip():
            return self.fault(f"{shown(value)} where a {argument.name} is due")
        if value in PASSED_ON:
            return passed_on(argument.name, CallError(value, ""))
        axes = [self.model.assumptions.axes.axis(dim) for dim in DIMS]
        homes = [axis.name for axis in axes if folded(value) in self.model.places[axis.name]]
        if len(homes) > 1:
            return self.fault(
                f"{value!r} is both a {' and a '.join(homes)}: use a function that takes the one you mean"
            )
        if homes:
            return self.fault(f"{value!r} is a {homes[0]} where a {argument.name} is due")
        valid = [label for axis in axes if argument.kind in (axis.name, "label") for label in axis.labels]
        return self.fault(
            f"unknown {argument.name} {value!r}: {nearest(value, valid)}{odd_characters(value)}"
        )

    def year(self, name: str, value: Any) -> int:
        years = self.model.assumptions.axes.years
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}", value.strip()):
            value = int(value)
        error = value if isinstance(value, CallError) else error_value(value)
        if error is not None:
            raise passed_on(name, error)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float | np.number)
            or not float(value).is_integer()
        ):
            raise self.fault(f"{shown(value)} where a {name} is due, as 2030")
        if not 1000 <= value <= 9999:
            raise self.fault(f"{shown(value)} where a {name} is due, as 2030; of a date take YEAR()")
        if not years[0] <= value <= years[-1]:
            raise self.fault(f"{name} {value:g} is outside the horizon {years[0]} to {years[-1]}", NA)
        return int(value) - years[0]


class _Places:
    """The places of several arguments, and what an array of answers becomes once it is shown."""

    def __init__(self, asked: _Call, omitted: dict[str, Place]) -> None:
        self.found: dict[str, Place] = {}
        self.errors: list[Array] = []
        self.single = True
        for name, default in omitted.items():
            value, argument = asked.value(name), asked.argument(name)
            if value is OMITTED:
                self.found[name] = default
            elif isinstance(value, list):
                self.found[name] = self._many(asked, argument, value)
            else:
                self.found[name] = asked.place(argument, value)
        try:
            self.shape = np.broadcast_shapes(
                (1, 1), *(p.shape for p in self.found.values() if isinstance(p, np.ndarray))
            )
        except ValueError:
            sizes = ", ".join(
                f"{n} {p.shape[0]} x {p.shape[1]}" for n, p in self.found.items() if isinstance(p, np.ndarray)
            )
            raise asked.fault(
                f"ranges that do not fit one another ({sizes}): give labels down and years across"
            ) from None

    def _many(self, asked: _Call, argument: Argument, rows: list[list[Any]]) -> Array:
        self.single = False
        if len({len(row) for row in rows}) != 1 or not rows[0]:
            raise asked.fault(f"{argument.name} is no rectangular range")
        places, errors = np.zeros((len(rows), len(rows[0])), dtype=int), None
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                try:
                    places[i, j] = asked.place(argument, value)
                except CallError as error:
                    errors = np.full(places.shape, None, dtype=object) if errors is None else errors
                    errors[i, j] = error
        if errors is not None:
            self.errors.append(errors)
        return places

    def __getitem__(self, name: str) -> Place:
        return self.found[name]

    def shown(self, numbers: Any, *faults: tuple[Any, Callable[[], CallError]]) -> Any:
        """Numbers as an answer; where a mask of `faults` holds, its error. The first fault of a cell counts."""
        if self.single:
            for mask, fault in faults:
                if np.all(mask):
                    raise fault()
            return float(numbers)
        errors = list(self.errors)
        for mask, fault in faults:
            if np.any(mask):
                errors.append(np.full(np.shape(mask), None, dtype=object))
                errors[-1][np.asarray(mask)] = fault()
        rows: list[list[Any]] = np.broadcast_to(numbers, self.shape).tolist()
        for wrong in reversed(errors):
            spread = np.broadcast_to(wrong, self.shape)
            rows = [
                [x if e is None else e for x, e in zip(row, found, strict=True)]
                for row, found in zip(rows, spread, strict=True)
            ]
        return rows

    def each(self, answer: Callable[..., Any]) -> Any:
        """An answer for each cell by itself, from the places of its arguments."""
        if self.single:
            return answer(**self.found)
        spread = {n: None if p is None else np.broadcast_to(p, self.shape) for n, p in self.found.items()}
        wrong = [np.broadcast_to(e, self.shape) for e in self.errors]

        def one(at: tuple[int, int]) -> Any:
            error = next((e[at] for e in wrong if e[at] is not None), None)
            if error is not None:
                return error
            try:
                return answer(**{n: None if p is None else int(p[at]) for n, p in spread.items()})
            except CallError as found:
                return found

        return [[one((i, j)) for j in range(self.shape[1])] for i in range(self.shape[0])]


def single(value: Any) -> Any:
    """A range of one cell is its cell."""
    if isinstance(value, list | tuple):
        if len(value) == 1 and isinstance(value[0], list | tuple) and len(value[0]) == 1:
            return single(value[0][0])
        return [list(row) for row in value]
    return error_value(value) or value


def _is_blank(value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (value == 0 and not isinstance(value, bool | list))
    )


def shown(value: Any) -> str:
    """A value as a message quotes it."""
    if value is None or value == "":
        return "a blank"
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).upper()
    if isinstance(value, dt.date):
        return f"the date {value:%Y-%m-%d}"
    if isinstance(value, int | float | np.number):
        return f"the number {float(value):.15g}"
    return "a range" if isinstance(value, list) else repr(value)


# The functions


def _model(asked: _Call) -> str:
    values = list(asked.values)
    scenario = values.pop() if values and not isinstance(values[-1], list) else OMITTED
    for value in (*values, scenario):
        if isinstance(value, CallError):
            raise passed_on("an argument", value)
    if scenario is not OMITTED and (not isinstance(scenario, str) or not scenario.strip()):
        raise asked.fault(f"{shown(scenario)} where a scenario is due")
    loose = [v for v in values if not isinstance(v, list)]
    if loose:
        raise asked.fault(
            f"{shown(loose[0])} where a table is due: give whole tables with their headers, and the scenario last"
        )
    key = hashlib.sha256(
        repr(
            [
                [[(x.code, str(x)) if isinstance(x, CallError) else x for x in row] for row in v]
                for v in (*values, [[scenario]])
            ]
        ).encode()
    ).digest()
    known = _READ.get(key)
    if isinstance(known, CallError):
        raise known
    if known is not None and STORE.get(known) is not None:
        return known
    try:
        handle = _read(values, scenario if isinstance(scenario, str) else None)
    except CallError as error:
        _keep(key, error)
        raise
    _keep(key, handle)
    return handle


_READ: dict[bytes, str | CallError] = {}
"""What tables that were read before came to, by their cells."""


def _keep(key: bytes, outcome: str | CallError) -> None:
    if len(_READ) >= MOST_ANSWERS // 100:
        _READ.clear()
    _READ[key] = outcome


def _read(grids: list[list[list[Any]]], scenario: str | None) -> str:
    try:
        assumptions = read_grids([[[_cell(x) for x in row] for row in grid] for grid in grids])
    except Refused as refused:
        raise CallError(VALUE, _words(refused.faults)) from None
    try:
        model = Model(
            assumptions, assumptions.axes.scenario(scenario) if scenario else assumptions.axes.scenarios[0]
        )
        model.results  # noqa: B018  a forecast that breaks an identity is no model
    except UnknownLabel as unknown:
        raise CallError(VALUE, str(unknown)) from None
    except ArithmeticError as broken:
        raise CallError(VALUE, str(broken)) from None
    return STORE.put(model)


def _cell(value: Any) -> Any:
    """A cell of a table as the reader of files would have it."""
    if isinstance(value, CallError):
        return value.code
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _words(faults: Sequence[Fault]) -> str:
    lines = [f"{f.sheet}{', ' if f.cell else ''}{f.cell}: {f.message}" for f in faults[:MOST_FAULTS]]
    more = len(faults) - len(lines)
    return "\n".join(lines) + (f"\nand {more} more" if more else "")


def _patients(asked: _Call) -> Any:
    cube = asked.model.cube(asked.word("stage", PATIENT_STAGES, "diagnosed"))
    at = asked.places(region=0, year=0, subtype=asked.model.totals[2])
    return at.shown(cube[at["region"], 0, at["subtype"], at["year"]])


def _revenue(asked: _Call) -> Any:
    cube = asked.model.cube(BASES[asked.word("basis", tuple(BASES), "risk_adjusted")])
    at = asked.places(segment=0, year=0, region=asked.model.totals[0], subtype=asked.model.totals[2])
    return at.shown(cube[at["region"], at["segment"], at["subtype"], at["year"]])


def _lines(asked: _Call) -> Array:
    return asked.model.lines(METRICS[asked.word("metric", tuple(METRICS))])


def _by_segment(asked: _Call, *numbers: Array) -> tuple[Any, Callable[[], CallError]]:
    """Where patients are asked of a segment, and the error that this is."""
    words = "patients have no segment: give a region or a subtype, or the metric 'revenue'"
    return np.isnan(sum(numbers)), lambda: asked.fault(words)


def _table(asked: _Call) -> Any:
    lines = _lines(asked)
    for name, column in (("rows", True), ("years", False)):
        i = [a.name for a in asked.function.arguments].index(name)
        if isinstance(asked.values[i], list):
            flat = [x for row in asked.values[i] for x in row]
            asked.values[i] = [[x] for x in flat] if column else [flat]
    at = asked.places(rows=0, years=0)
    numbers = lines[at["rows"], at["years"]]
    return at.shown(numbers, _by_segment(asked, numbers))


def _share(asked: _Call) -> Any:
    lines = _lines(asked)
    at = asked.places(label=0, year=0, of=asked.model.totals[0])
    part, whole = (lines[at[name], at["year"]] for name in ("label", "of"))
    outside = ~asked.model.within[at["label"], at["of"]]
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = part / whole
    return at.shown(
        shares,
        _by_segment(asked, part, whole),
        (
            outside,
            lambda: asked.fault(
                "the label is not within the one whose total is 1 ('of'): there is no share of it"
            ),
        ),
        (whole == 0, lambda: asked.fault("the whole is 0 in that year: there is no share of it", NA)),
    )


def _cagr(asked: _Call) -> Any:
    lines = _lines(asked)
    at = asked.places(label=0, first=0, last=lines.shape[1] - 1)
    start, end, intervals = (
        lines[at["label"], at["first"]],
        lines[at["label"], at["last"]],
        np.asarray(at["last"] - at["first"]),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = (end / start) ** (1 / intervals) - 1
    return at.shown(
        growth,
        _by_segment(asked, start, end),
        (intervals <= 0, lambda: asked.fault("the first year of growth must be before the last")),
        (start == 0, lambda: asked.fault("the base of the growth is 0: growth from it is not defined", NA)),
    )


def _price(asked: _Call) -> Any:
    x = asked.model.results.outputs[PRICE_BASES[asked.word("basis", tuple(PRICE_BASES), "net")]][0]
    axes = asked.model.assumptions.axes
    at = asked.places(segment=0, region=0, year=0)

    def price(segment: int, region: int, year: int) -> float:
        for axis, place in ((axes.segment, segment), (axes.region, region)):
            if place >= len(axis):
                raise asked.fault(f"{axis.labels[place]!r} is a group: a price is that of one {axis.name}")
        return float(x[region, segment, 0, min(year, x.shape[YEAR - 1] - 1)])

    return at.each(price)


def _percentile(asked: _Call) -> Any:
    from lm_xl.uncertainty.simulation import percent_at

    p = asked.value("p")
    if isinstance(p, str) and re.fullmatch(r"[Pp]\d{1,2}", p.strip()):
        p = int(p.strip()[1:]) / 100
    try:
        percent = percent_at(p if type(p) is not bool else 0)
    except UnknownLabel:
        raise asked.fault(
            f"{shown(p)} where a percentile is due: 0.01 to 0.99 in whole percents, or as P10"
        ) from None
    at = asked.places(segment=0, year=0)
    try:
        simulated = asked.model.simulation
    except Refused as refused:
        raise CallError(VALUE, _words(refused.faults)) from None
    except ArithmeticError as broken:
        raise CallError(VALUE, str(broken)) from None
    lines = np.array(
        [
            simulated.percentiles[0, simulated.at(segment=s), :, percent]
            for s in asked.model.assumptions.axes.segment.labels
        ]
    )
    return at.shown(lines[at["segment"], at["year"]])


def _element(asked: _Call, quantity: str, at: dict[str, int | None]) -> tuple[int, int, int]:
    """The element of a quantity that labels name. Raises CallError where they name none or several."""
    axes = asked.model.assumptions.axes
    found = []
    for dim in DIMS:
        axis, place = axes.axis(dim), at[axes.axis(dim).name]
        if dim not in QUANTITIES[quantity].dims:
            if place is not None:
                raise asked.fault(f"{quantity} does not vary by {axis.name}: leave the {axis.name} out")
            place = 0
        elif place is None:
            raise asked.fault(f"{quantity} varies by {axis.name}: give one")
        elif place >= len(axis):
            raise asked.fault(f"{axis.labels[place]!r} is a group: an assumption is that of one {axis.name}")
        found.append(place)
    element = found[0], found[1], found[2]
    if asked.model.assumptions.covers[quantity][element] < 0:
        of = " x ".join(
            axes.axis(d).leaves[p]
            for d, p in zip(DIMS, element, strict=True)
            if d in QUANTITIES[quantity].dims
        )
        raise asked.fault(f"there is no {quantity} of {of}: {QUANTITIES[quantity].meaning}", REF)
    return element


def _assumption(asked: _Call) -> Any:
    quantity = asked.word("quantity", tuple(QUANTITIES))
    x = asked.model.inputs[quantity][0]

    def value(year: int, **at: int | None) -> float:
        element = _element(asked, quantity, at)
        return float(x[(*element, min(year, x.shape[YEAR - 1] - 1))])

    return asked.places(year=0, region=None, segment=None, subtype=None).each(value)


def _source(asked: _Call) -> Any:
    quantity = asked.word("quantity", tuple(QUANTITIES))
    a = asked.model.assumptions

    def source(**at: int | None) -> str:
        element = _element(asked, quantity, at)
        row = a.rows[int(a.covers[quantity][element])]
        cited = (
            "; ".join(f"{s}: {a.sources[_source_id(a.sources, s)].citation}" for s in row.sources)
            or "no source"
        )
        deltas = [
            d
            for d in a.deltas
            if d.scenario == asked.model.scenario and d.quantity == quantity and a.reach(d)[element]
        ]
        changed = "".join(
            f" | scenario {d.scenario!r}: {d.operation} {d.amount:g}, {d.reason}" for d in deltas
        )
        return f"{row.sheet}, {quantity} of {row.keys} ({row.unit}), {row.status} | {cited}{f' | {row.note}' if row.note else ''}{changed}"

    return asked.places(region=None, segment=None, subtype=None).each(source)


def _source_id(sources: Any, cited: str) -> str:
    return next(str(s) for s in sources if folded(s) == folded(cited))


def _list(asked: _Call) -> list[list[Any]]:
    what = asked.word("axis", LISTS)
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
    return [[x] for x in (axes.scenarios if what == "scenario" else getattr(axes, what).labels)]


def _why(asked: _Call) -> str:
    name = asked.value("function")
    if not isinstance(name, str):
        return f"{VALUE} {asked.fault(f'{shown(name)} where the name of a function is due, as text')}"
    upper = name.strip().removeprefix("=").upper()
    if upper not in FUNCTIONS:
        return f"{VALUE} {asked.fault(f'unknown function {name!r}: {nearest(upper, tuple(FUNCTIONS))}')}"
    try:
        answer = call(upper, asked.values[1:], host=asked.host, default=asked.default)
    except CallError as error:
        return f"{error.code} {error}"
    wrong = [x for row in answer for x in row if isinstance(x, CallError)] if isinstance(answer, list) else []
    return (
        ""
        if not wrong
        else f"{wrong[0].code} {wrong[0]}{f' (and {len(wrong) - 1} more cells)' if len(wrong) > 1 else ''}"
    )


def _version(asked: _Call) -> str:
    return f"lm_xl {__version__}, {asked.host}"


_ANSWERS: dict[str, Callable[[_Call], Any]] = {
    "LM_MODEL": _model, "LM_PATIENTS": _patients, "LM_REVENUE": _revenue, "LM_TABLE": _table, "LM_SHARE": _share, "LM_CAGR": _cagr,
    "LM_PRICE": _price, "LM_PERCENTILE": _percentile, "LM_ASSUMPTION": _assumption, "LM_SOURCE": _source, "LM_LIST": _list, "LM_WHY": _why, "LM_VERSION": _version,
}  # fmt: skip
MODEL_AT = {f.name: i for f in FUNCTIONS.values() for i, a in enumerate(f.arguments) if a.kind == "model"}
"""The place of the model among the arguments of each function that takes one."""


@cache
def shipped() -> Model:
    """The base case, for calls behind which no workbook stands; read once."""
    from lm_xl.assumptions.read import read_assumptions

    assumptions = read_assumptions()
    return Model(assumptions, assumptions.axes.scenarios[0])


__all__ = [
    "ERRORS",
    "MODEL_AT",
    "OMITTED",
    "STORE",
    "CallError",
    "call",
    "error_value",
    "shipped",
    "shown",
    "single",
]
