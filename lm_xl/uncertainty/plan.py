"""What a simulation prepares once: its streams, what they move in each scenario, what the stages take.

The stages run on the tests, then on one choice set after the other. On a choice set, what varies by segment
and subtype has an axis of choices instead of segments: choice 0 is the rest member, the others are, for each
subtype, the alternatives that it uses. So what no patient gets takes no time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.correlations import correlation_groups
from lm_xl.assumptions.spreads import stream_of, uncertain_inputs
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.evaluate import STAGES
from lm_xl.model.ops import Array
from lm_xl.model.outputs import OUTPUTS
from lm_xl.uncertainty.draws import CorrelatedStreams, Quantiles, correlated_streams, with_tables
from lm_xl.uncertainty.kept import kept_results
from lm_xl.uncertainty.values import DrawnQuantity, Streams, drawn_quantity

SUCCESS = "success"
"""The stage that a yes/no draw decides, and the name of its streams."""
SUCCESS_TAKES = STAGES[SUCCESS][1]
BY_CHOICE = {name for name, output in OUTPUTS.items() if {SEGMENT, SUBTYPE} <= set(output.dims)}
"""Stages that run on choices."""
WITHOUT_SEGMENT = tuple(name for name, output in OUTPUTS.items() if SEGMENT not in output.dims)
"""Stages that are the same for all segments: they run with the tests, whose detection they need."""
NOT_OF_TESTS = ("patients_on_therapy", "treatment_months")
NOT_OF_THERAPIES = ("tests",)


@dataclass(frozen=True)
class StageInput:
    """A quantity or mask as the stages take it: its values, or which of a drawn quantity's stands where.

    Values are (1, region, segment or choice, subtype, year, 1).
    """

    values: Array | None
    at: Array | None = None
    is_constant: bool = False
    """Whether none of the drawn values moves over the years."""

    @property
    def is_everywhere(self) -> bool:
        """Whether it is the same in all regions."""
        if self.values is not None:
            return self.values.shape[REGION] == 1
        return self.at is None or self.at.shape[0] == 1

    def of(self, values: Array | None, region: slice) -> Array:
        """Its values in some regions, with draws as the last axis, given the values of its quantity."""
        if self.values is not None:
            return self.values[:, region]
        assert values is not None and self.at is not None
        return (values[:, :1] if self.is_constant else values)[self.at[region]][np.newaxis]


@dataclass(frozen=True)
class SegmentGroup:
    """The segments that the stages take together: the tests, or the therapies of one choice set."""

    segments: Array
    choices: Array
    """The position in `segments` of each choice of each subtype."""
    used: Array
    """Which choices a subtype has; those that it lacks repeat the rest member."""
    rest_of: Array
    stages: tuple[str, ...]
    inputs: Mapping[tuple[str, bool], StageInput]
    """By name, and whether they stand at choices."""


@dataclass(frozen=True)
class DrawnScenario:
    """One scenario ready to be drawn: its uncertain quantities, its segments, and what succeeds by chance."""

    name: str
    drawn: Mapping[str, DrawnQuantity]
    groups: tuple[SegmentGroup, ...]
    """The tests, then the choice sets."""
    success: tuple[StageInput, ...]
    chances: Array
    """Stream of the yes/no draw of each segment, -1 where none is needed."""


@dataclass(frozen=True)
class DrawPlan:
    """Everything that a block of draws needs, as plain arrays that travel to any worker."""

    seed: int
    streams: tuple[str, ...]
    inputs: tuple[str, ...]
    """The uncertain input that each stream belongs to; a yes/no draw is one by itself."""
    correlated: tuple[CorrelatedStreams, ...]
    quantiles: Quantiles
    scenarios: tuple[DrawnScenario, ...]
    shape: tuple[int, int, int, int]
    years: Array
    kept: tuple[tuple[int, ...], ...]
    """The kept columns that add up to each kept result."""
    scope: str
    counted: Array
    """Which segments revenue by region and by subtype counts: those of the scope."""


def plan_of(a: Assumptions, scenarios: Sequence[str], seed: int, scope: str | None = None) -> DrawPlan:
    """The plan of a simulation of valid assumptions, without a scope of the headline. Raises UnknownLabel for a scenario or a scope."""
    scope = a.axes.scope(scope)
    input_of = {stream: one.name for one in uncertain_inputs(a) for stream in one.streams}
    streams = Streams(input_of)
    drawn = tuple(_drawn_scenario(a, a.axes.scenario(s), streams) for s in scenarios)
    names = tuple(streams.names)
    groups = correlation_groups(a)
    return DrawPlan(
        seed=seed,
        streams=names,
        inputs=tuple(input_of.get(s, s) for s in names),
        correlated=tuple(correlated_streams([names.index(s) for s in of], matrix) for of, matrix in groups),
        quantiles=with_tables(tuple(streams.quantiles)),
        scenarios=drawn,
        shape=a.axes.shape,
        years=np.array(a.axes.years, dtype=float).reshape(1, 1, 1, 1, -1, 1),
        kept=tuple(result.members for result in kept_results(a)),
        scope=scope,
        counted=np.isin(np.arange(len(a.axes.segment)), a.axes.segment.members(scope)),
    )


def _drawn_scenario(a: Assumptions, name: str, streams: Streams) -> DrawnScenario:
    inputs, structure = a.inputs([name]), a.structure()
    drawn = {q: found for q in inputs if (found := drawn_quantity(a, inputs[q][0], q, streams))}
    arrays = {**inputs, **{mask: structure[mask] for mask in ("is_entrant", "is_rest", "is_protected")}}
    groups = tuple(_segment_group(a, arrays, drawn, rest) for rest in (None, *a.axes.segment.having("rest")))
    success = tuple(
        StageInput(None, drawn[q].at) if q in drawn else StageInput(inputs[q][0][np.newaxis, ..., np.newaxis])
        for q in SUCCESS_TAKES
    )
    # No stream is spent on a product whose success is sure before any spread.
    sure = STAGES[SUCCESS][0](*(inputs[q] for q in SUCCESS_TAKES)).reshape(-1)
    chances = np.full(len(sure), -1)
    for i in a.axes.segment.having("entrant"):
        if sure[i] < 1:
            chances[i] = streams.stream(stream_of(SUCCESS, a.axes.segment.leaves[i]))
    return DrawnScenario(name, drawn, groups, success, chances)


def _segment_group(
    a: Assumptions, arrays: Mapping[str, Array], drawn: Mapping[str, DrawnQuantity], rest: int | None
) -> SegmentGroup:
    """The tests, or the choice set of a rest member."""
    axis, subtypes = a.axes.segment, len(a.axes.subtype)
    if rest is None:
        segments = np.array(axis.having("test"), dtype=int)
        choices = np.repeat(segments[:, np.newaxis], subtypes, axis=1)
        used = np.ones(choices.shape, dtype=bool)
        stages = _stages_to(("treated", "net_sales"), NOT_OF_TESTS)
    else:
        segments = np.array([i for i, chosen in enumerate(axis.sets) if chosen == axis.sets[rest]])
        choices, used = _choices(a, rest)
        stages = _stages_to(("net_sales",), (*WITHOUT_SEGMENT, *NOT_OF_THERAPIES))
    choices = np.searchsorted(segments, choices)
    taken = {(take, stage in BY_CHOICE) for stage in stages for take in STAGES[stage][1] if take in arrays}
    inputs = {}
    for take, by_choice in taken:
        # Of a drawn quantity the positions among its values are taken apart, of any other the values.
        at = drawn[take].at[..., np.newaxis] if take in drawn else arrays[take][0]
        if at.shape[1] > 1:
            at = at[:, segments]
            if by_choice:
                at = at[:, choices, np.arange(subtypes) if at.shape[2] > 1 else 0]
        # A choice that a subtype lacks repeats the rest member, but only choice 0 is the rest.
        if take == "is_rest":
            at = (np.arange(len(choices)) == 0).astype(float).reshape(1, -1, 1, 1) * (rest is not None)
        # Tests find cases each: detection is over all of them, so that those that are alike stand apart.
        apart = (1,) if rest is None and take in STAGES["test_yield"][1] else ()
        inputs[take, by_choice] = _stage_input(at, drawn.get(take), [k for k in range(4) if k not in apart])
    return SegmentGroup(
        segments, choices, used, np.full(len(choices), -1 if rest is None else 0), stages, inputs
    )


def _stages_to(outputs: Sequence[str], given: Collection[str]) -> tuple[str, ...]:
    """The stages that lead to some outputs, in order, beside those that are given."""
    due = set(outputs)
    for name in reversed(STAGES):
        due |= set(STAGES[name][1]) if name in due and name not in given else set()
    return tuple(name for name in STAGES if name in due and name not in given)


def _choices(a: Assumptions, rest: int) -> tuple[Array, Array]:
    """Of one choice set: its segments at (choice, subtype), and which of these the subtype has."""
    axis, subtypes = a.axes.segment, len(a.axes.subtype)
    has = (a.covers["base_share"] >= 0).any(axis=0) | (a.covers["peak_share"] >= 0).any(axis=0)
    has = np.broadcast_to(has, (len(axis), subtypes))
    others = [
        [i for i in range(len(axis)) if axis.sets[i] == axis.sets[rest] and i != rest and has[i, p]]
        for p in range(subtypes)
    ]
    # The subtype with the most alternatives says how many; others fill up with the rest member.
    choices = range(1 + max(map(len, others)))
    segments = [[rest if k == 0 or k > len(o) else o[k - 1] for o in others] for k in choices]
    return np.array(segments), np.array([[k <= len(o) for o in others] for k in choices])


def _stage_input(at: Array, drawn: DrawnQuantity | None, axes: Sequence[int]) -> StageInput:
    """What the stages take, of values or of positions among the values of a drawn quantity; of some axes the repeats are left out."""
    if drawn is None:
        return StageInput(_without_repeats(at, axes)[np.newaxis, ..., np.newaxis])
    at = _without_repeats(at, [axis for axis in axes if axis < at.ndim - 1])
    values = drawn.values[at[..., 0]]
    # On these segments draws may move none of it, and then it is as any other.
    if np.isin(at, drawn.moved).any():
        return StageInput(None, at[..., 0], bool((values == values[..., :1]).all()))
    return StageInput(_without_repeats(values, axes)[np.newaxis, ..., np.newaxis])


def _without_repeats(x: Array, axes: Sequence[int]) -> Array:
    """An array with size 1 along each of the axes on which it does not vary."""
    for axis in axes:
        first = np.take(x, [0], axis=axis)
        if x.shape[axis] > 1 and (x == first).all():
            x = first
    return x
