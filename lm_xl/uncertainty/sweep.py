"""Levers: a scenario for every combination of some amounts, all simulated with the same draws."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import isfinite
from numbers import Real
from typing import Any

from lm_xl.assumptions.assumptions import Assumptions, Delta, Keys
from lm_xl.assumptions.columns import OPERATIONS
from lm_xl.assumptions.read import checked
from lm_xl.assumptions.rules import UNCHANGED
from lm_xl.faults import Fault, Refused, UnknownLabel
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.labels import nearest
from lm_xl.model.quantities import QUANTITIES
from lm_xl.uncertainty.limits import refusal_of
from lm_xl.uncertainty.simulate import scenarios_of, simulate
from lm_xl.uncertainty.simulation import Simulation
from lm_xl.uncertainty.workers import Workers


@dataclass(frozen=True)
class Lever:
    """A delta tried with several amounts: an operation on a quantity, for labels, groups or everything."""

    quantity: str
    operation: str
    amounts: tuple[float, ...]
    region: str = ""
    segment: str = ""
    subtype: str = ""


def sweep(
    a: Assumptions,
    levers: Sequence[Lever],
    draws: int,
    seed: int,
    scenarios: Sequence[str] | str | None = None,
    executor: Workers | None = None,
    **options: Any,
) -> Simulation:
    """Simulate every scenario with every combination of the levers' amounts: a run each, with the same draws.

    A run is named by its scenario and amounts.
    Raises Refused and UnknownLabel as `simulate` does, and for a lever out of range.
    """
    grid, names = with_levers(a, levers, scenarios)
    return simulate(grid, draws, seed, names, executor, **options)


def with_levers(
    a: Assumptions, levers: Sequence[Lever], scenarios: Sequence[str] | str | None = None
) -> tuple[Assumptions, tuple[str, ...]]:
    """Assumptions with a scenario for each point of a grid, and their names. Raises Refused, UnknownLabel."""
    keys = [_keys_of(a, lever) for lever in levers]
    names, deltas = [], list(a.deltas)
    for scenario in scenarios_of(a, scenarios):
        own = [d for d in a.deltas if d.scenario == scenario]
        for amounts in product(*(lever.amounts for lever in levers)):
            point = list(zip(levers, keys, amounts, strict=True))
            told = [f"{lever.quantity} {k} {lever.operation} {_exactly(x)}" for lever, k, x in point]
            name = "; ".join((scenario, *told))
            names.append(name)
            deltas += [replace(d, scenario=name) for d in own if told]
            deltas += [
                _delta(name, lever, k, x) for lever, k, x in point if (lever.operation, x) not in UNCHANGED
            ]
    if len(set(names)) < len(names):
        raise UnknownLabel("a lever is there twice: give each amount once")
    new = [n for n in names if n not in a.axes.scenarios]
    axes = replace(a.axes, scenarios=(*a.axes.scenarios, *new))
    return checked(replace(a, axes=axes, deltas=tuple(deltas))), tuple(names)


def _keys_of(a: Assumptions, lever: Lever) -> Keys:
    """The labels of a lever. Raises UnknownLabel for these or its words, Refused for its amounts."""
    swept = tuple(name for name, quantity in QUANTITIES.items() if quantity.sheet != "Timeline")
    if lever.quantity not in swept:
        fixed = "the Timeline is the same in all scenarios"
        why = fixed if lever.quantity in QUANTITIES else nearest(lever.quantity, swept)
        raise UnknownLabel(f"no quantity {lever.quantity!r} can be swept: {why}")
    if lever.operation not in OPERATIONS:
        raise UnknownLabel(f"unknown operation {lever.operation!r}: {nearest(lever.operation, OPERATIONS)}")
    dims = QUANTITIES[lever.quantity].dims
    labels = ((REGION, lever.region), (SEGMENT, lever.segment), (SUBTYPE, lever.subtype))
    if wrong := [a.axes.axis(d).name for d, x in labels if x and d not in dims]:
        raise UnknownLabel(f"{lever.quantity} does not vary by {wrong[0]}")
    _demand_amounts(lever)
    axes = {d: a.axes.axis(d) for d, _ in labels}
    return Keys(*(axes[d].label(x or axes[d].total) if d in dims else "" for d, x in labels))


def _demand_amounts(lever: Lever) -> None:
    """Raises Refused where a lever's amounts are not one or several numbers."""
    amounts, place = lever.amounts, f"lever on {lever.quantity}"
    if isinstance(amounts, str) or not isinstance(amounts, Collection) or not len(amounts):
        told = f"amounts {amounts!r}: give one or several numbers, such as (0.8, 1.2)"
        raise refusal_of(place, told)
    wrong = [x for x in amounts if not isinstance(x, Real) or isinstance(x, bool) or not isfinite(x)]
    if wrong:
        raise Refused([Fault(place, "", "", f"amount {x!r} is not a finite number") for x in wrong])


def _delta(scenario: str, lever: Lever, keys: Keys, amount: float) -> Delta:
    said = lever.quantity, keys, lever.operation, float(amount)
    return Delta(scenario, *said, "", (), "", "a point of a sweep")


def _exactly(x: float) -> str:
    """A number in the fewest digits that tell it from all others."""
    return repr(float(x)).removesuffix(".0")
