"""The arguments of one call made plain: cells and ranges, labels and years as places on their axes, words, and errors told in words."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from lm_xl.assumptions.assumptions import DIMS
from lm_xl.assumptions.columns import DOLLAR
from lm_xl.faults import CallError
from lm_xl.functions.models import AMBIGUOUS, STORE, Model
from lm_xl.functions.registry import FUNCTIONS, NA, PASSED_ON, UNITS, VALUE, Argument
from lm_xl.model.labels import folded, nearest, odd_characters
from lm_xl.model.ops import Array
from lm_xl.version import __version__

Place = Any
"""The place of a label or a year on its axis, or an array of places."""
Masked = tuple[Any, Callable[[], CallError]]
"""Where an answer is an error, and which."""


class _Omitted:
    def __repr__(self) -> str:
        return "omitted"


OMITTED = _Omitted()
"""Stands for an optional argument that was left out, which a blank cell is not."""


def error_value(value: Any) -> CallError | None:
    """An error value that arrives as text, as what it is; None for any other value."""
    if isinstance(value, str) and value in PASSED_ON:
        return pass_on("an argument", CallError(value, ""))
    return None


def pass_on(name: str, error: CallError) -> CallError:
    """An error that an argument holds, as the call's own."""
    words = f"{name} is the error value {error.code}: ask LM_WHY about the cell that it comes from"
    return CallError(error.code, words)


class Shown(NamedTuple):
    """How the numbers of an answer are shown: the name of their unit, and what makes them of USD or of counts."""

    unit: str
    rate: float = 1.0
    size: int = 1

    def of(self, x: Any) -> Any:
        """Numbers in USD, or counts, in this unit."""
        return x * self.rate / self.size


class Call:
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
        if not least <= len(arguments) <= most:
            due = f"{least} to {most:g} arguments are due, {len(arguments)} came"
            raise CallError(VALUE, f"{due}: {self.function.signature}")
        for argument, value in zip(declared[:least], arguments, strict=False):
            if value is OMITTED:
                raise CallError(VALUE, f"{argument.name} is left out: {self.function.signature}")
        self.values = [cell_or_rows(a) for a in arguments]
        self._model = model

    @property
    def model(self) -> Model:
        """The model that the call names, or the default one. Raises CallError where there is none."""
        if self._model is None:
            self._model = self._named_model(self.value("model"))
        return self._model

    def other_model(self, name: str) -> Model | None:
        """A second model that the call names, None where it is left out. Raises CallError where there is none."""
        handle = self.value(name)
        return None if handle is OMITTED else self._named_model(handle)

    def _named_model(self, handle: Any) -> Model:
        if handle is OMITTED and self.default is not None:
            try:
                return self.default()
            except CallError as without:
                raise self.fault(str(without), without.code) from None
        if handle is OMITTED:
            none = "no model is named, and no workbook with one stands behind the call"
            raise CallError(NA, f"{none}: {self.function.signature}")
        if _is_blank(handle):
            raise CallError(NA, "the model's cell is blank: it should hold =LM_MODEL(...)")
        match = re.fullmatch(r"LM1:[0-9a-f]{12}:(.+)", handle) if isinstance(handle, str) else None
        if not match:
            raise CallError(VALUE, f"{words_for(handle)} is no model: give the cell with =LM_MODEL(...)")
        if match[1] != __version__:
            made = f"was made by lm_xl {match[1]} and this is {__version__}: recalculate its cell"
            raise CallError(NA, f"the model {handle} {made}")
        model = STORE.get(handle)
        if model is None:
            absent = "is not in memory: recalculate its cell (in Excel Ctrl+Alt+F9)"
            raise CallError(NA, f"the model {handle} {absent}")
        return model

    def value(self, name: str) -> Any:
        """An argument as it came, a single cell without its brackets, OMITTED where left out. Raises the error that it holds."""
        i = next(i for i, a in enumerate(self.function.arguments) if a.name == name)
        value = self.values[i] if i < len(self.values) else OMITTED
        if isinstance(value, CallError):
            raise pass_on(name, value)
        return value

    def argument(self, name: str) -> Argument:
        """An argument as it is declared."""
        return next(a for a in self.function.arguments if a.name == name)

    def fault(self, words: str, code: str = VALUE) -> CallError:
        """An error of this call, which ends with what the function takes."""
        return CallError(code, f"{words} ({self.function.signature})")

    def word(self, name: str, choices: Sequence[str], default: str = "") -> str:
        """One of some words."""
        value = self.value(name)
        if value is OMITTED:
            return default
        if isinstance(value, list):
            raise self.fault(f"a range where one {name} is due")
        if not isinstance(value, str) or not value.strip():
            raise self.fault(f"{words_for(value)} where a {name} is due: {nearest('', tuple(choices))}")
        for choice in choices:
            if folded(choice) == folded(value):
                return choice
        raise self.fault(f"unknown {name} {value!r}: {nearest(value, tuple(choices))}{odd_characters(value)}")

    def words(self, name: str, choices: Sequence[str], default: str = "") -> tuple[str, ...]:
        """Several of some words, each once: the parts of a text with commas, or the cells of a range."""
        value = self.value(name)
        if value is OMITTED:
            return (default,)
        cells = [x for row in value for x in row] if isinstance(value, list) else [value]
        found: list[str] = []
        for cell in cells:
            if error := cell if isinstance(cell, CallError) else error_value(cell):
                raise pass_on(name, error)
            if not isinstance(cell, str) or not cell.strip():
                due = f"where what to split {name} is due: {nearest('', tuple(choices))}"
                raise self.fault(f"{words_for(cell)} {due}")
            for part in cell.split(","):
                word = next((c for c in choices if folded(c) == folded(part)), "")
                if not word:
                    raise self.fault(
                        f"cannot split {name} {part.strip()!r}: {nearest(part, tuple(choices))}{odd_characters(part)}"
                    )
                if word in found:
                    raise self.fault(f"{word!r} is there twice in what to split {name}")
                found.append(word)
        return tuple(found)

    def number(self, name: str) -> float:
        """One number, which TRUE and a text are not."""
        value = self.value(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise self.fault(f"{words_for(value)} where a number is due: the {name}")
        return float(value)

    def count(self, name: str) -> int:
        """One whole number from 1 on."""
        number = self.number(name)
        if number < 1 or not number.is_integer():
            raise self.fault(f"{words_for(number)} where a whole number from 1 on is due: {name}")
        return int(number)

    def one_place(self, name: str) -> int | None:
        """The place of one label or year; None where it is left out."""
        value = self.value(name)
        if value is OMITTED:
            return None
        if isinstance(value, list):
            raise self.fault(f"a range where one {name} is due")
        return self.place(self.argument(name), value)

    def shown(self, unit: str) -> Shown:
        """How numbers of a unit, USD or another one, are to be shown: in a currency of the workbook, in ones, thousands or millions."""
        if self.value("currency") is self.value("unit") is OMITTED:
            return Shown(unit)
        rates = {c.code: c.rate for c in self.model.assumptions.currencies}
        code = self.word("currency", tuple(rates), unit)
        if unit != DOLLAR and self.value("currency") is not OMITTED:
            raise self.fault(f"{unit} are no money: leave the currency out")
        size = self.word("unit", tuple(UNITS), "one")
        return Shown(code if UNITS[size] == 1 else f"{code} {size}", rates.get(code, 1.0), UNITS[size])

    def places(self, **omitted: Place) -> Places:
        """The places of some arguments, each with what stands for it where it is left out, spread over one another."""
        return Places(self, omitted)

    def place(self, argument: Argument, value: Any) -> int:
        """The place of one label or year."""
        if argument.kind == "year":
            return self.year_place(argument.name, value)
        labels = self.model.places[argument.kind]
        try:
            place = labels.get(value.strip().casefold(), None)
        except AttributeError:
            raise self.label_fault(argument, value) from None
        if place is None or place == AMBIGUOUS:
            raise self.unknown_label(argument, value)
        return place

    def label_fault(self, argument: Argument, value: Any) -> CallError:
        """Why a value that is no text is no label."""
        if isinstance(value, CallError):
            return pass_on(argument.name, value)
        return self.fault(f"{words_for(value)} where a {argument.name} is due")

    def unknown_label(self, argument: Argument, value: str) -> CallError:
        """Why a text is no label of an axis, and which is nearest."""
        if not value.strip():
            return self.fault(f"{words_for(value)} where a {argument.name} is due")
        if value in PASSED_ON:
            return pass_on(argument.name, CallError(value, ""))
        axes = [self.model.assumptions.axes.axis(dim) for dim in DIMS]
        companies = list(self.model.assumptions.companies)
        names = [*(axis.name for axis in axes), "company"]
        homes = [name for name in names if folded(value) in self.model.places[name]]
        if len(homes) > 1:
            both = f"{value!r} is both a {' and a '.join(homes)}"
            return self.fault(f"{both}: use a function that takes the one you mean")
        if homes:
            return self.fault(f"{value!r} is a {homes[0]} where a {argument.name} is due")
        valid = [label for axis in axes if argument.kind in (axis.name, "label") for label in axis.labels]
        if argument.kind in ("company", "label"):
            valid += companies
        said = f"{nearest(value, valid)}{odd_characters(value)}"
        return self.fault(f"unknown {argument.name} {value!r}: {said}")

    def year_place(self, name: str, value: Any) -> int:
        """The place of a year; a date is a number beyond four digits, and TRUE is no number."""
        years = self.model.assumptions.axes.years
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}", value.strip()):
            value = int(value)
        error = value if isinstance(value, CallError) else error_value(value)
        if error is not None:
            raise pass_on(name, error)
        is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not is_number or not float(value).is_integer():
            raise self.fault(f"{words_for(value)} where a {name} is due, as 2030")
        if not 1000 <= value <= 9999:
            raise self.fault(f"{words_for(value)} where a {name} is due, as 2030; of a date take YEAR()")
        if not years[0] <= value <= years[-1]:
            raise self.fault(f"{name} {value:g} is outside the horizon {years[0]} to {years[-1]}", NA)
        return int(value) - years[0]


class Places:
    """The places of several arguments, spread over one another, and the block of answers that they lead to.

    `is_cell` where no argument is a range: then the answer is one value, and an error is raised.
    """

    def __init__(self, asked: Call, omitted: dict[str, Place]) -> None:
        self.found: dict[str, Place] = {}
        self.errors: list[Array] = []
        self.is_cell = True
        for name, default in omitted.items():
            value, argument = asked.value(name), asked.argument(name)
            if value is OMITTED:
                self.found[name] = default
            elif isinstance(value, list):
                self.found[name] = self._block(asked, argument, value)
            else:
                self.found[name] = asked.place(argument, value)
        shapes = {n: p.shape for n, p in self.found.items() if isinstance(p, np.ndarray)}
        try:
            self.shape = np.broadcast_shapes((1, 1), *shapes.values())
        except ValueError:
            sizes = ", ".join(f"{n} {rows} x {columns}" for n, (rows, columns) in shapes.items())
            words = f"ranges that do not fit one another ({sizes}): give labels down and years across"
            raise asked.fault(words) from None

    def _block(self, asked: Call, argument: Argument, rows: list[list[Any]]) -> Array:
        """The places of a range; a cell with a fault keeps the place 0, and its error is noted beside it."""
        self.is_cell = False
        if len({len(row) for row in rows}) != 1 or not rows[0]:
            raise asked.fault(f"{argument.name} is no rectangular range")
        places = np.zeros((len(rows), len(rows[0])), dtype=int)
        errors: dict[tuple[int, int], CallError] = {}
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                try:
                    places[i, j] = asked.place(argument, value)
                except CallError as error:
                    errors[i, j] = error
        if errors:
            self.errors.append(np.full(places.shape, None, dtype=object))
            for at, found in errors.items():
                self.errors[-1][at] = found
        return places

    def __getitem__(self, name: str) -> Place:
        return self.found[name]

    def answer(self, numbers: Any, *faults: Masked) -> Any:
        """Numbers as an answer; where a mask of `faults` holds, its error. The first fault of a cell counts."""
        if self.is_cell:
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
        # The last fault is laid down first, so that the first one covers it.
        for layer in reversed(errors):
            spread = np.broadcast_to(layer, self.shape)
            for i, j in np.ndindex(self.shape):
                if spread[i, j] is not None:
                    rows[i][j] = spread[i, j]
        return rows

    def answer_each(self, answer: Callable[..., Any]) -> Any:
        """An answer for each cell by itself, from the places of its arguments."""
        if self.is_cell:
            return answer(**self.found)
        spread = {n: None if p is None else np.broadcast_to(p, self.shape) for n, p in self.found.items()}
        errors = [np.broadcast_to(e, self.shape) for e in self.errors]

        def answer_at(at: tuple[int, int]) -> Any:
            error = next((e[at] for e in errors if e[at] is not None), None)
            if error is not None:
                return error
            try:
                return answer(**{n: None if p is None else int(p[at]) for n, p in spread.items()})
            except CallError as found:
                return found

        rows, columns = self.shape
        return [[answer_at((i, j)) for j in range(columns)] for i in range(rows)]


def cell_or_rows(value: Any) -> Any:
    """An argument as its cell or, where it is a range of several, as a list of rows; the text of an error value is that error."""
    if not isinstance(value, list | tuple):
        return error_value(value) or _cell(value)
    if len(value) == 1 and isinstance(value[0], list | tuple) and len(value[0]) == 1:
        return cell_or_rows(value[0][0])
    return [[_cell(x) for x in row] if isinstance(row, list | tuple) else [_cell(row)] for row in value]


def _cell(value: Any) -> Any:
    """A value as a cell could hold it: a number as one that fits, infinite where none does, and what is no value as the text of it."""
    if type(value) in _PLAIN or isinstance(value, list | str | dt.date | CallError | _Omitted):
        return None if type(value).__name__ == "NaTType" else value
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if not isinstance(value, Real):
        return None if type(value).__name__ == "NAType" else repr(value)
    try:
        return value if isinstance(value, float | int) and math.isfinite(value) else float(value)
    except (OverflowError, ValueError):
        return math.inf


_PLAIN = {float, str, bool, type(None)}
"""Types whose values are taken as they are."""


def _is_blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    # A formula that refers to a blank cell shows 0.
    return value is None or (value == 0 and not isinstance(value, bool | list))


def words_for(value: Any) -> str:
    """A value as a message quotes it."""
    if value is None or value == "":
        return "a blank"
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).upper()
    if isinstance(value, dt.date):
        return f"the date {value:%Y-%m-%d}"
    if isinstance(value, int | float | np.number):
        blank = "" if value else ", or a blank cell,"  # which some hosts hand over as 0
        return f"the number {float(value):.15g}{blank}"
    return "a range" if isinstance(value, list) else repr(value)
