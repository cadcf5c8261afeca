"""The stages in order, and `forecast`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from lm_xl.model import stages
from lm_xl.model.axes import RUN, YEAR
from lm_xl.model.ops import Array
from lm_xl.model.outputs import OUTPUTS, Output

STAGES: dict[str, tuple[Callable[..., Array], tuple[str, ...]]] = {
    name: (stage, tuple(inspect.signature(stage).parameters))
    for name in OUTPUTS
    for stage in [getattr(stages, name)]
}
"""Each stage in order with the names of what it takes."""


def evaluate(
    inputs: Mapping[str, Array],
    structure: Mapping[str, Array],
    put: Callable[[str, Array], Array] | None = None,
    clocks: Mapping[str, Array] | None = None,
) -> dict[str, Array]:
    """Run every stage; each output is at canonical rank. `put` may replace an output before later stages see it.

    `clocks` maps a stage to the `year` that it sees, where that is not the structure's.
    Raises AssertionError where an output varies by an axis that its row in `OUTPUTS` does not have.
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
    assert x.ndim == YEAR + 1 and not wide, (
        f"{output.name} has shape {x.shape}: it may not vary by axis {wide}"
    )
    assert YEAR not in output.dims or x.shape[YEAR] in (1, known["year"].size), (
        f"{output.name} has {x.shape[YEAR]} years"
    )
