"""Assumptions: validated and frozen, each number knowing its cell and its source. `read` makes them from a workbook."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lm_xl.faults import Fault, UnknownLabel
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, Axes
from lm_xl.model.labels import folded, nearest
from lm_xl.model.ops import Array, where
from lm_xl.model.quantities import QUANTITIES, Quantity

DIMS = (REGION, SEGMENT, SUBTYPE)


class Keys(NamedTuple):
    """The labels that a row is keyed to; "" where the quantity does not vary by the axis."""

    region: str
    segment: str
    subtype: str

    def __str__(self) -> str:
        return " x ".join(k for k in self if k) or "all"


@dataclass(frozen=True)
class Row:
    """One assumption: its number or numbers, the cells they stand in, and where they come from.

    `inputs` are the numbers as typed, one for a constant, two for a line, one a year otherwise; none for `never`.
    """

    quantity: str
    keys: Keys
    unit: str
    fill: str
    inputs: tuple[float, ...]
    cells: tuple[str, ...]
    low: float | None
    high: float | None
    distribution: str
    sources: tuple[str, ...]
    status: str
    note: str
    sheet: str
    low_cell: str = ""

    @property
    def place(self) -> str:
        """Sheet and cell of the first number."""
        return f"{self.sheet}!{self.cells[0]}"


@dataclass(frozen=True)
class Delta:
    """What a scenario does to a quantity: multiply, add or set, with the reason."""

    scenario: str
    quantity: str
    keys: Keys
    operation: str
    amount: float
    cell: str
    sources: tuple[str, ...]
    status: str
    reason: str


@dataclass(frozen=True)
class Product:
    """A product or a service, its share of its segment's sales, and the company that books them. An alliance is one company."""

    segment: str
    product: str
    company: str
    share: float
    mechanism: str
    phase: str
    trials: tuple[str, ...]
    designations: str
    next_readout: str
    first_approval: str
    lm_data: str
    sources: tuple[str, ...]
    status: str
    note: str
    cell: str


@dataclass(frozen=True)
class Published:
    """A published revenue (USD) or count of patients, compared at its own scope: the same market, or one beside it."""

    publisher: str
    what: str
    metric: str
    scope: str
    keys: Keys
    year: int
    value: float
    unit: str
    sources: tuple[str, ...]
    note: str
    cell: str


@dataclass(frozen=True)
class Band:
    """A range in which evidence puts a result of one year (people, a share of the diagnosed, or suspects a diagnosed patient) or a
    quantity in all years; `year` is None for a quantity."""

    result: str
    region: str
    segment: str
    subtype: str
    year: int | None
    low: float
    high: float
    sources: tuple[str, ...]
    status: str
    note: str
    cell: str

    @property
    def keys(self) -> Keys:
        """The labels that it is of."""
        return Keys(self.region, self.segment, self.subtype)


@dataclass(frozen=True)
class Currency:
    """A currency of the report: its units for one US dollar, at one date for all years."""

    code: str
    rate: float
    date: str
    sources: tuple[str, ...]
    status: str
    note: str
    cell: str


@dataclass(frozen=True)
class Change:
    """A line of the workbook's change log."""

    version: str
    date: str
    who: str
    what: str
    effect: str


@dataclass(frozen=True)
class Source:
    """A publication that rows cite."""

    id: str
    citation: str
    year: str
    address: str
    read: str
    grade: str
    note: str


@dataclass(frozen=True)
class Correlation:
    """The rank correlation between uncertain inputs: of all that lie within the first labels with all within the second."""

    quantities: tuple[str, str]
    keys: tuple[Keys, Keys]
    value: float
    sources: tuple[str, ...]
    status: str
    note: str
    cell: str


def held(number: float | None) -> str:
    """A number as every spreadsheet holds it, in 15 digits; some keep the rest and some do not."""
    return "" if number is None else f"{number + 0.0:.15g}"


def straight_line(first: Array, last: Array, year: Array, first_year: Array, last_year: Array) -> Array:
    """The `linear` fill: from the first year's value to the last's."""
    return first + (last - first) * (year - first_year) / (last_year - first_year)


def shifted(x: Array, operation: str, amount: Array, active: Array) -> Array:
    """A scenario's delta on a value: applied where `active` is 1, untouched to the bit where it is 0."""
    if operation == "multiply":
        return where(active, x * amount, x)
    return where(active, x + amount if operation == "add" else amount, x)


def reach_of(axes: Axes, quantity: Quantity, keys: Keys) -> Array:
    """A mask over (region, segment, subtype), size 1 where the quantity does not vary."""
    region, segment, subtype = (
        _within(len(axes.axis(d)), axes.axis(d).members(key), d) if d in quantity.dims else ANYWHERE
        for d, key in zip(DIMS, keys, strict=True)
    )
    return region & segment & subtype


ANYWHERE = np.ones((1, 1, 1), dtype=bool)


@lru_cache(1000)
def _within(size: int, members: tuple[int, ...], dim: int) -> Array:
    """A mask of some positions on one axis, size 1 on the others."""
    mask = np.zeros(size, dtype=bool)
    mask[list(members)] = True
    return mask.reshape([-1 if d == dim else 1 for d in DIMS])


@dataclass(frozen=True)
class Assumptions:
    """Everything a forecast needs: axes, rows, scenarios, published figures and sources of one workbook."""

    path: Path
    axes: Axes
    rows: tuple[Row, ...]
    deltas: tuple[Delta, ...]
    published: tuple[Published, ...]
    sources: Mapping[str, Source]
    currencies: tuple[Currency, ...]
    changes: tuple[Change, ...]
    covers: Mapping[str, Array]
    """Quantity to the position in `rows` of the row behind each element (region, segment, subtype); -1 where there is none."""
    correlations: tuple[Correlation, ...] = ()
    products: tuple[Product, ...] = ()
    bands: tuple[Band, ...] = ()
    notes: tuple[Fault, ...] = ()
    """What the reading of the file left aside or doubts, which is told and not refused."""

    @cached_property
    def companies(self) -> tuple[str, ...]:
        """Who books the sales, in the order of the sheet Products."""
        return tuple(dict.fromkeys(p.company for p in self.products))

    def company(self, name: str) -> str:
        """A company as the workbook writes it. Raises UnknownLabel."""
        for known in self.companies:
            if folded(known) == folded(name):
                return known
        raise UnknownLabel(f"unknown company {name!r}: {nearest(name, self.companies)}")

    @cached_property
    def segment_of(self) -> tuple[int, ...]:
        """The position of each product's segment."""
        return tuple(self.axes.segment.members(p.segment)[0] for p in self.products)

    def company_shares(self, company: str) -> Array:
        """A company's share of the sales of each segment, (segment). Raises UnknownLabel."""
        name, shares = self.company(company), np.zeros(len(self.axes.segment))
        for product, segment in zip(self.products, self.segment_of, strict=True):
            shares[segment] += product.share if product.company == name else 0
        return shares

    @cached_property
    def uncertainty(self) -> str:
        """12 hex digits over all that decides the spreads of draws: low, high, distribution and correlations."""
        content = [
            sorted((r.quantity, *r.keys, r.distribution, held(r.low), held(r.high)) for r in self.rows),
            [(c.quantities, c.keys, held(c.value)) for c in self.correlations],
        ]
        return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()[:12]

    @cached_property
    def fingerprint(self) -> str:
        """12 hex digits over all that decides the numbers, in the digits that a spreadsheet holds; the order of rows and notes does not count."""
        axes = [self.axes.axis(d) for d in DIMS]
        content = [
            sorted((a.name, x, a.sets[i], a.roles[i]) for a in axes for i, x in enumerate(a.leaves)),
            sorted((a.name, g, sorted(a.leaves[i] for i in m)) for a in axes for g, m in a.groups.items()),
            list(self.axes.years),
            list(self.axes.scopes),
            [self.axes.default, *sorted(self.axes.scenarios[1:])],
            sorted((r.quantity, *r.keys, r.unit, r.fill, [held(v) for v in r.inputs]) for r in self.rows),
            [(d.scenario, d.quantity, *d.keys, d.operation, held(d.amount)) for d in self.deltas],
            sorted((c.code, held(c.rate)) for c in self.currencies),
            sorted((p.segment, *map(folded, (p.product, p.company)), held(p.share)) for p in self.products),
        ]
        return hashlib.sha256(json.dumps(content, ensure_ascii=True).encode()).hexdigest()[:12]

    @cached_property
    def identity(self) -> str:
        """64 hex digits over all that the assumptions say, words and sources too; the order of rows and their cells do not count."""

        def said(items: Iterable[Any]) -> list[str]:
            places = ("cell", "cells", "low_cell")
            return sorted(repr([v for k, v in vars(item).items() if k not in places]) for item in items)

        axes = [
            (axis.name, axis.leaves, dict(axis.groups), axis.sets, axis.roles, axis.kinds, axis.notes)
            for axis in (self.axes.axis(d) for d in DIMS)
        ]
        unordered = (
            self.rows,
            self.published,
            self.bands,
            self.currencies,
            self.sources.values(),
            self.correlations,
        )
        content = [
            repr((axes, self.axes.years, self.axes.scenarios, self.axes.scopes, dict(self.axes.promises))),
            *(said(part) for part in unordered),
            [said([product]) for product in self.products],
            [said([delta]) for delta in self.deltas],
            [repr(change) for change in self.changes],
        ]
        return hashlib.sha256(repr(content).encode()).hexdigest()

    @cached_property
    def values(self) -> Array:
        """Every row's value in every year: (rows + 1, years), the last row standing for none."""
        return self.filled([r.inputs for r in self.rows])

    def filled(self, inputs: Sequence[Sequence[float]]) -> Array:
        years = np.array(self.axes.years, dtype=float)
        values = np.zeros((len(self.rows) + 1, len(years)))
        for i, (row, numbers) in enumerate(zip(self.rows, inputs, strict=True)):
            if row.fill == "linear":
                first, last = (np.array(x) for x in numbers)
                values[i] = straight_line(first, last, years, years[0], years[-1])
            elif numbers:
                values[i] = numbers
        return values

    def moves(self, quantity: str) -> bool:
        """Whether any row of a quantity differs between years."""
        positions = np.unique(self.covers[quantity])
        return any(self.rows[i].fill != "constant" for i in positions if i >= 0)

    @cached_property
    def base(self) -> dict[str, Array]:
        """Every quantity before any scenario, at canonical rank."""
        return self._arrays(self.values)

    def _arrays(self, values: Array) -> dict[str, Array]:
        arrays = {}
        for name, cover in self.covers.items():
            array = values[cover] if self.moves(name) else values[cover][..., :1]
            array[cover < 0] = QUANTITIES[name].absent
            array = array[np.newaxis]
            array.flags.writeable = False  # the base case is shared by all who read these assumptions
            arrays[name] = array
        return arrays

    def structure(self) -> dict[str, Array]:
        """What the stages ask for beside quantities: the years, each therapy's rest member, and 0/1 masks."""
        segment = self.axes.segment

        def mask(role: str) -> Array:
            return np.array([float(r == role) for r in segment.roles]).reshape(1, 1, -1, 1, 1)

        return {
            "year": np.array(self.axes.years, dtype=float).reshape(1, 1, 1, 1, -1),
            "rest_of": np.array([segment.rest_of(i) if segment.sets[i] else -1 for i in range(len(segment))]),
            "is_entrant": mask("entrant"),
            "is_rest": mask("rest"),
            "is_protected": (self.covers["patent_expiry"] >= 0)[np.newaxis, ..., np.newaxis].astype(float),
        }

    def reach(self, delta: Delta) -> Array:
        """The elements (region, segment, subtype) of its quantity that a delta changes."""
        there = self.covers[delta.quantity] >= 0
        return reach_of(self.axes, QUANTITIES[delta.quantity], delta.keys) & there

    def inputs(self, scenarios: Sequence[str]) -> dict[str, Array]:
        """Every quantity with the scenarios on the run axis."""
        return self.under(self.base, scenarios)

    def inputs_from(
        self, inputs: Sequence[Sequence[float]], amounts: Sequence[float], scenario: str
    ) -> dict[str, Array]:
        """Every quantity with other numbers in the rows' and deltas' cells, unchecked: what a spreadsheet makes of edited cells."""
        return self.under(self._arrays(self.filled(inputs)), [scenario], amounts)

    def under(
        self, base: Mapping[str, Array], scenarios: Sequence[str], amounts: Sequence[float] | None = None
    ) -> dict[str, Array]:
        """Other values of every quantity, with the scenarios on the run axis and, if given, other amounts of the deltas."""
        arrays = dict(base)
        amounts = [d.amount for d in self.deltas] if amounts is None else amounts
        for delta, amount in zip(self.deltas, amounts, strict=True):
            # A 1 on the run axis where the scenario runs, and of the elements where the delta reaches.
            runs = np.array([float(s == delta.scenario) for s in scenarios]).reshape(-1, 1, 1, 1, 1)
            if runs.any():
                active = runs * self.reach(delta)[np.newaxis, ..., np.newaxis]
                before = arrays[delta.quantity]
                arrays[delta.quantity] = shifted(before, delta.operation, np.array(amount), active)
        return arrays

    def used(self) -> set[int]:
        """Positions of the rows that cover something."""
        return {int(i) for cover in self.covers.values() for i in np.unique(cover) if i >= 0}
