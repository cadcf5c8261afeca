"""The stages in order, and `forecast`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lm_xl import stages
from lm_xl.assumptions import Assumptions
from lm_xl.axes import RUN, SEGMENT, YEAR
from lm_xl.ops import Array
from lm_xl.results import Results
from lm_xl.schema import OUTPUTS, Output

STAGES: dict[str, tuple[Callable[..., Array], tuple[str, ...]]] = {
    name: (stage, tuple(inspect.signature(stage).parameters)) for name in OUTPUTS for stage in [getattr(stages, name)]
}
"""Each stage in order with the names of what it takes."""


class IdentityError(ArithmeticError):
    """The forecast breaks an identity of the model. The message names which, where, and the numbers."""


def evaluate(
    inputs: Mapping[str, Array],
    structure: Mapping[str, Array],
    put: Callable[[str, Array], Array] | None = None,
    clocks: Mapping[str, Array] | None = None,
) -> dict[str, Array]:
    """Run every stage; each output is at canonical rank. `put` may replace an output before later stages see it.

    `clocks` maps a stage to the `year` that it sees, where that is not the structure's.
    Raises AssertionError where an output varies by an axis that its row in `schema.OUTPUTS` does not have.
    """
    known: dict[str, Array] = {**structure, **inputs}
    outputs: dict[str, Array] = {}
    for name, (stage, takes) in STAGES.items():
        seen = known if clocks is None or name not in clocks else {**known, "year": clocks[name]}
        output = stage(*(seen[t] for t in takes))
        _assert_shape(OUTPUTS[name], output, known)
        outputs[name] = known[name] = put(name, output) if put else output
    return outputs


def _assert_shape(output: Output, x: Array, known: Mapping[str, Array]) -> None:
    wide = [axis for axis in range(RUN + 1, YEAR + 1) if axis not in output.dims and x.shape[axis] != 1]
    assert x.ndim == YEAR + 1 and not wide, f"{output.name} has shape {x.shape}: it may not vary by axis {wide}"
    assert YEAR not in output.dims or x.shape[YEAR] in (1, known["year"].size), f"{output.name} has {x.shape[YEAR]} years"


def forecast(assumptions: Assumptions, scenario: str | Sequence[str] | None = None) -> Results:
    """The forecast of one scenario, or of several on the run axis; without a name, of the workbook's first (Base).

    Outputs have the axes (run, region, segment, primary, year); money is in nominal USD, people are counts a year.
    Raises UnknownLabel for a scenario that the workbook does not have, IdentityError where the result breaks an identity.
    """
    axes = assumptions.axes
    names = [scenario] if isinstance(scenario, str) else list(scenario or axes.scenarios[:1])
    runs = tuple(axes.scenario(name) for name in names)
    outputs = evaluate(assumptions.inputs(runs), assumptions.structure())
    results = Results(assumptions, runs, outputs)
    check_identities(results)
    return results


TOLERANCE = 1e-9
"""Relative tolerance of the identities."""


def check_identities(results: Results) -> None:
    """Raise IdentityError for the first identity that does not hold in every run, region, segment, primary and year."""
    o = results.outputs
    for name, x in o.items():
        _demand(results, f"{name} is finite and not negative", np.isfinite(x) & (x >= 0), {name: x})
    for more, less in (
        ("incidence", "metastatic"), ("metastatic", "lm_cases"), ("lm_cases", "diagnosed"), ("diagnosed", "treated"),
        ("gross_price", "net_price"), ("gross_sales", "net_sales"), ("net_sales", "risk_adjusted_sales"),
    ):  # fmt: skip
        _demand(results, f"{more} >= {less}", o[more] * (1 + TOLERANCE) >= o[less], {more: o[more], less: o[less]})
    rest_of = results.assumptions.structure()["rest_of"]
    for rest in sorted(set(rest_of.tolist()) - {-1}):
        total = o["share"][:, :, rest_of == rest].sum(axis=SEGMENT, keepdims=True)
        label = results.axes.segment.sets[rest]
        _demand(results, f"shares within {label!r} sum to 1", np.abs(total - 1) <= TOLERANCE, {"share": total})
    _demand(results, "uptake is 0 before launch", (o["years_on_market"] > 0) | (o["uptake"] == 0), {"uptake": o["uptake"]})
    for basis in ("gross_sales", "net_sales", "risk_adjusted_sales"):
        x = o[basis]
        ways = [x.sum(axis=a, keepdims=True).sum(axis=(1, 2, 3)) for a in (1, 2, 3)]
        agree = np.ptp(ways, axis=0) <= TOLERANCE * np.abs(ways[0])
        _demand(results, f"{basis} over regions, segments and primaries agree", agree.reshape(agree.shape[0], 1, 1, 1, -1), {})


def _demand(results: Results, identity: str, holds: Array, numbers: Mapping[str, Array]) -> None:
    if holds.all():
        return
    at = np.argwhere(~holds)[0]
    axes: Any = results.axes
    labels = [results.runs[at[0]] if holds.shape[0] > 1 else results.runs[0]]
    labels += [axes.axis(d).leaves[at[d]] for d in (1, 2, 3) if holds.shape[d] > 1]
    labels += [str(axes.years[at[4]])] if holds.shape[4] > 1 else []
    shown = ", ".join(f"{name} = {x[tuple(min(p, n - 1) for p, n in zip(at, x.shape, strict=True))]:.10g}" for name, x in numbers.items())
    raise IdentityError(
        f"{results.assumptions.path.name}: the identity '{identity}' fails for {' x '.join(labels)}{': ' if shown else ''}{shown}"
    )
