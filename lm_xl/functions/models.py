"""Models in memory, each found by the content of its assumptions: the handle that one cell hands to all others."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Assumptions, Delta, Keys
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.results import Results
from lm_xl.model.axes import YEAR
from lm_xl.model.labels import folded
from lm_xl.model.ops import Array
from lm_xl.model.outputs import BASES, OUTPUTS
from lm_xl.version import __version__

if TYPE_CHECKING:
    from lm_xl.uncertainty.simulation import Simulation

MOST_MODELS = 64
"""Models whose assumptions are kept; the least recently asked goes first."""
MOST_ANSWERS = 100_000
"""Answers kept for each model."""
MOST_ANALYSES = 64
"""Bridges and tornados kept for each model."""
MOST_RECIPES = 10_000
"""Models of which it is known how they are made, beyond those in memory."""
AMBIGUOUS = -1
"""The place of a label that stands on two axes."""


class WhatIf(NamedTuple):
    """An assumption times a factor, for the labels of its keys."""

    quantity: str
    keys: Keys
    factor: float

    def __str__(self) -> str:
        return f"{self.quantity} {self.keys} multiply {self.factor!r}"


@dataclass
class Model:
    """One scenario of some assumptions, perhaps with what-ifs after it, and what has been computed of it so far."""

    assumptions: Assumptions
    scenario: str
    what_ifs: tuple[WhatIf, ...] = ()
    answers: dict[Hashable, Any] = field(default_factory=dict)
    _cubes: dict[str, Array] = field(default_factory=dict)
    _analyses: dict[Hashable, Any] = field(default_factory=dict)

    @cached_property
    def run(self) -> str:
        """The scenario's name, with the what-ifs."""
        return "; ".join((self.scenario, *map(str, self.what_ifs)))

    @cached_property
    def handle(self) -> str:
        """Names the content of the assumptions, the scenario, the what-ifs and the version of the model."""
        content = hashlib.sha256(f"{self.assumptions.identity} {self.run}".encode()).hexdigest()
        return f"LM1:{content[:12]}:{__version__}"

    @cached_property
    def runnable(self) -> Assumptions:
        """The assumptions with this run among their scenarios."""
        return runnable(self) if self.what_ifs else self.assumptions

    @cached_property
    def deltas(self) -> tuple[Delta, ...]:
        """What the scenario changes, and after it the what-ifs, under the name of the run."""
        own = [replace(d, scenario=self.run) for d in self.assumptions.deltas if d.scenario == self.scenario]
        what_ifs = (
            Delta(self.run, w.quantity, w.keys, "multiply", w.factor, "", (), "", "LM_WHATIF")
            for w in self.what_ifs
        )
        return (*own, *what_ifs)

    @cached_property
    def results(self) -> Results:
        return forecast(self.runnable, self.run)

    @cached_property
    def simulation(self) -> Simulation:
        """Draws over every uncertain input, as many as `simulate` makes if it is not told."""
        from lm_xl.uncertainty.simulate import simulate

        return simulate(self.runnable, scenarios=self.run)

    def analysis(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What takes long, such as a tornado: made once, under its key."""
        if key not in self._analyses:
            if len(self._analyses) >= MOST_ANALYSES:
                self._analyses.clear()
            self._analyses[key] = make()
        return self._analyses[key]

    @cached_property
    def inputs(self) -> Mapping[str, Array]:
        """Every quantity in this run, (1, region, segment, subtype, year)."""
        return self.runnable.inputs([self.run])

    @cached_property
    def places(self) -> dict[str, dict[str, int]]:
        """For each axis its labels, folded, and their places: leaves, then groups. Under "company" those of the companies.

        Under "label" those of all axes and of the companies, one after the other.
        """
        axes = [self.assumptions.axes.axis(dim) for dim in DIMS]
        named = {axis.name: axis.labels for axis in axes} | {"company": self.assumptions.companies}
        found: dict[str, dict[str, int]] = {"label": {}}
        start = 0
        for name, labels in named.items():
            found[name] = {folded(label): i for i, label in enumerate(labels)}
            for label, i in found[name].items():
                found["label"][label] = AMBIGUOUS if label in found["label"] else start + i
            start += len(labels)
        return found

    @cached_property
    def totals(self) -> tuple[int, int, int]:
        """The places of the labels that are meant where none is named: all regions, the headline's segments, all subtypes."""
        axes = self.assumptions.axes
        labels = axes.region.total, axes.headline, axes.subtype.total
        region, segment, subtype = (
            self.places[axis.name][folded(label)]
            for axis, label in zip(map(axes.axis, DIMS), labels, strict=True)
        )
        return region, segment, subtype

    def cube(self, output: str) -> Array:
        """An output summed over the leaves of every label: (regions, segments, subtypes, years), size 1 where it does not vary."""
        if output not in self._cubes:
            x = self.results.outputs[output][0]
            for dim in DIMS:
                if dim in OUTPUTS[output].dims:
                    axis = self.assumptions.axes.axis(dim)
                    holds = np.zeros((len(axis.labels), len(axis)))
                    for i, label in enumerate(axis.labels):
                        holds[i, list(axis.members(label))] = 1
                    x = np.moveaxis(np.tensordot(holds, x, axes=(1, dim - 1)), 0, dim - 1)
            self._cubes[output] = np.ascontiguousarray(
                np.broadcast_to(x, (*x.shape[:3], len(self.assumptions.axes.years)))
            )
        return self._cubes[output]

    def company_cube(self, output: str) -> Array:
        """Sales by company and by every label, all subtypes together: (companies, regions, segments, years)."""
        name = f"companies of {output}"
        if name not in self._cubes:
            a = self.assumptions
            axis = a.axes.segment
            holds = np.zeros((len(axis.labels), len(axis)))
            for i, label in enumerate(axis.labels):
                holds[i, list(axis.members(label))] = 1
            leaves = self.cube(output)[:, : len(axis), self.totals[2]]
            shares = np.array([a.company_shares(company) for company in a.companies])
            self._cubes[name] = np.einsum("cs,ls,rsy->crly", shares, holds, leaves, optimize=True)
        return self._cubes[name]

    def lines(self, output: str) -> Array:
        """An output by every label of every axis and every company, the rest summed: (labels, years). NaN for what it does not vary by."""
        name = f"lines of {output}"
        if name not in self._cubes:
            cube, parts = self.cube(output), []
            for dim in DIMS:
                at: list[Any] = [min(t, n - 1) for t, n in zip(self.totals, cube.shape, strict=False)]
                at[dim - 1] = slice(None)
                varies = dim in OUTPUTS[output].dims
                parts.append(
                    cube[tuple(at)]
                    if varies
                    else np.full((len(self.assumptions.axes.axis(dim).labels), cube.shape[YEAR - 1]), np.nan)
                )
            sold = output in BASES.values()
            region, segment, _ = self.totals
            parts.append(
                self.company_cube(output)[:, region, segment]
                if sold
                else np.full((len(self.assumptions.companies), cube.shape[YEAR - 1]), np.nan)
            )
            self._cubes[name] = np.concatenate(parts)
        return self._cubes[name]

    @cached_property
    def within(self) -> Array:
        """Whether a label is a part of another one, (labels, labels): of a total everything is, of the rest what its leaves hold.

        A company is a part of itself and, since its line counts what it sells of the headline, of what holds that.
        """
        axes = [self.assumptions.axes.axis(dim) for dim in DIMS]
        segment = self.assumptions.axes.segment
        headline = set(segment.members(self.assumptions.axes.headline))
        held = [(axis, set(axis.members(label))) for axis in axes for label in axis.labels]
        totals = [len(axis) == len(whole) for axis, whole in held]
        rows = [
            [total or (axis is of and part <= whole) for total, (of, whole) in zip(totals, held, strict=True)]
            for axis, part in held
        ]
        companies = [
            total or (of is segment and headline <= whole)
            for total, (of, whole) in zip(totals, held, strict=True)
        ]
        n = len(self.assumptions.companies)
        return np.block(
            [
                [np.array(rows), np.zeros((len(held), n), dtype=bool)],
                [np.tile(np.array(companies), (n, 1)), np.eye(n, dtype=bool)],
            ]
        )


def runnable(*models: Model) -> Assumptions:
    """The assumptions that models share, with the models' runs as the only scenarios."""
    runs = {model.run: model for model in models}
    a = models[0].assumptions
    axes = replace(a.axes, scenarios=tuple(runs), promises={})
    return replace(a, axes=axes, deltas=tuple(d for model in runs.values() for d in model.deltas))


class Store:
    """The models in memory by their handles, bounded, for several workbooks and threads at once.

    A sheet may have more scenarios and what-ifs than that: one that has gone is made again from any other one of its assumptions.
    """

    def __init__(self, most: int = MOST_MODELS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._models: OrderedDict[str, Model] = OrderedDict()
        self._recipes: OrderedDict[str, tuple[str, str, tuple[WhatIf, ...]]] = OrderedDict()
        """By handle the identity of the assumptions, the scenario and the what-ifs."""

    def get(self, handle: str) -> Model | None:
        """The model behind a handle, or None: never another one."""
        with self._lock:
            model = self._models.get(handle)
            if model is not None:
                self._models.move_to_end(handle)
            elif handle in self._recipes:
                model = self._made_again(*self._recipes[handle])
                if model is not None:
                    self._keep(handle, model)
            return model

    def put(self, model: Model) -> str:
        """Keep a model and return its handle; what is there already stays, with what has been computed of it."""
        handle = model.handle
        with self._lock:
            self._recipes[handle] = model.assumptions.identity, model.scenario, model.what_ifs
            if len(self._recipes) > MOST_RECIPES:
                self._recipes.popitem(last=False)
            self._keep(handle, self._models.get(handle, model))
        return handle

    def _made_again(self, identity: str, scenario: str, what_ifs: tuple[WhatIf, ...]) -> Model | None:
        for other in self._models.values():
            if other.assumptions.identity == identity:
                return Model(other.assumptions, scenario, what_ifs)
        return None

    def _keep(self, handle: str, model: Model) -> None:
        self._models[handle] = model
        self._models.move_to_end(handle)
        while len(self._models) > self._most:
            self._models.popitem(last=False)

    def __len__(self) -> int:
        return len(self._models)


STORE = Store()
"""The models of this process."""
