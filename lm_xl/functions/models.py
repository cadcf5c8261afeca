"""Models in memory, each found by the content of its assumptions: the handle that one cell hands to all others."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Assumptions
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.results import Results
from lm_xl.model.axes import YEAR
from lm_xl.model.labels import folded
from lm_xl.model.ops import Array
from lm_xl.model.outputs import OUTPUTS
from lm_xl.version import __version__

if TYPE_CHECKING:
    from lm_xl.uncertainty.simulation import Simulation

MOST_MODELS = 64
"""Models whose assumptions are kept; the least recently asked goes first."""
MOST_ANSWERS = 100_000
"""Answers kept for each model."""
AMBIGUOUS = -1
"""The place of a label that stands on two axes."""


@dataclass
class Model:
    """One scenario of some assumptions, with what has been computed of it so far."""

    assumptions: Assumptions
    scenario: str
    answers: dict[Hashable, Any] = field(default_factory=dict)
    _cubes: dict[str, Array] = field(default_factory=dict)

    @cached_property
    def handle(self) -> str:
        """Names the content of the assumptions, the scenario and the version of the model."""
        content = hashlib.sha256(f"{self.assumptions.identity} {self.scenario}".encode()).hexdigest()
        return f"LM1:{content[:12]}:{__version__}"

    @cached_property
    def results(self) -> Results:
        return forecast(self.assumptions, self.scenario)

    @cached_property
    def simulation(self) -> Simulation:
        """Draws over every uncertain input, as many as `simulate` makes if it is not told."""
        from lm_xl.uncertainty.simulate import simulate

        return simulate(self.assumptions, scenarios=self.scenario)

    @cached_property
    def inputs(self) -> Mapping[str, Array]:
        """Every quantity in this scenario, (1, region, segment, subtype, year)."""
        return self.assumptions.inputs([self.scenario])

    @cached_property
    def places(self) -> dict[str, dict[str, int]]:
        """For each axis its labels, folded, and their places: leaves, then groups. Under "label" those of all axes one after the other.

        Under "company" those of the companies.
        """
        found: dict[str, dict[str, int]] = {"label": {}}
        start = 0
        for dim in DIMS:
            axis = self.assumptions.axes.axis(dim)
            found[axis.name] = {folded(label): i for i, label in enumerate(axis.labels)}
            for label, i in found[axis.name].items():
                found["label"][label] = AMBIGUOUS if label in found["label"] else start + i
            start += len(axis.labels)
        found["company"] = {folded(company): i for i, company in enumerate(self.assumptions.companies)}
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
        """An output by every label of every axis, the other axes summed: (labels, years). NaN for an axis that it does not vary by."""
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
            self._cubes[name] = np.concatenate(parts)
        return self._cubes[name]

    @cached_property
    def within(self) -> Array:
        """Whether a label is a part of another one, (labels, labels): of a total everything is, of the rest what its leaves hold."""
        axes = [self.assumptions.axes.axis(dim) for dim in DIMS]
        held = [(axis, set(axis.members(label))) for axis in axes for label in axis.labels]
        return np.array(
            [
                [len(whole) == len(of) or (axis is of and part <= whole) for of, whole in held]
                for axis, part in held
            ]
        )


class Store:
    """The models in memory by their handles, bounded, for several workbooks and threads at once."""

    def __init__(self, most: int = MOST_MODELS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._models: OrderedDict[str, Model] = OrderedDict()

    def get(self, handle: str) -> Model | None:
        """The model behind a handle, or None: never another one."""
        with self._lock:
            model = self._models.get(handle)
            if model is not None:
                self._models.move_to_end(handle)
            return model

    def put(self, model: Model) -> str:
        """Keep a model and return its handle; what is there already stays, with what has been computed of it."""
        handle = model.handle
        with self._lock:
            self._models.setdefault(handle, model)
            self._models.move_to_end(handle)
            while len(self._models) > self._most:
                self._models.popitem(last=False)
        return handle

    def __len__(self) -> int:
        return len(self._models)


STORE = Store()
"""The models of this process."""
