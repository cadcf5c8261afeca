"""The model on a block of draws: the same stages, on arrays with a draw axis behind the years.

Arrays are (1, region, segment or choice, subtype, year, draw).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.forecasts.identities import IDENTITY_TOLERANCE
from lm_xl.forecasts.results import Results
from lm_xl.model.axes import REGION, SEGMENT
from lm_xl.model.evaluate import STAGES, evaluate
from lm_xl.model.ops import Array, total
from lm_xl.model.outputs import SHRINKING_PATIENTS
from lm_xl.uncertainty.draws import BLOCK, matrix_product, scores
from lm_xl.uncertainty.plan import (
    BY_CHOICE,
    NOT_OF_TESTS,
    NOT_OF_THERAPIES,
    SUCCESS,
    SUCCESS_TAKES,
    DrawnScenario,
    DrawPlan,
    SegmentGroup,
)
from lm_xl.uncertainty.values import OutOfRange

BATCH = 128
CACHED = 40_000
"""Draws that the stages take at once, and numbers in their arrays: few enough for a processor's cache."""
MOST_OUTCOMES = 4096
"""Outcomes of yes/no draws that are weighed one by one."""
PATIENTS = ("diagnosed", "treated")
"""What the therapies, or those who read the results, need of the stages that run with the tests."""

Known = dict[tuple[str, bool], Array]
"""The arrays of a group of segments by name, and whether they stand at choices."""


class BrokenDraw(ArithmeticError):
    """A draw that breaks an identity or leaves a range: the scenario's position and the draw's number."""

    def __init__(self, scenario: int, draw: int) -> None:
        super().__init__(scenario, draw)
        self.scenario, self.draw = scenario, draw


def block(plan: DrawPlan, number: int, scenario: int = 0) -> tuple[Array, Array]:
    """The draws of a block in a scenario: what is kept, (year, column, draw), and which stream it goes with.

    The second is the rank correlation of each stream with each kept result in the last year, (streams,
    results); of a yes/no draw, with the outcome. Raises BrokenDraw.
    """
    from scipy.stats import rankdata

    z = scores(plan.streams, plan.correlated, plan.seed, number)
    kept, succeeds = outcomes(plan, scenario, z, number * BLOCK)
    last = [kept[list(members), -1].sum(axis=0) for members in plan.kept]
    # Sorting the order gives the ranks; scores have no ties.
    causes = z.argsort(axis=1).argsort(axis=1).astype(float)
    for i, stream in enumerate(plan.scenarios[scenario].chances):
        if stream >= 0 and succeeds is not None:
            causes[stream] = succeeds[i]
    effects = _standardised(rankdata(last, axis=1))
    return np.ascontiguousarray(kept.swapaxes(0, 1)), matrix_product(_standardised(causes), effects.T)


def _standardised(x: Array) -> Array:
    """Rows with mean 0 and length 1; a row that does not vary is 0."""
    x = x - x.mean(axis=1, keepdims=True)
    length = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return np.divide(x, length, out=np.zeros_like(x), where=length > 0)


def outcomes(plan: DrawPlan, scenario: int, z: Array, first: int = 0) -> tuple[Array, Array | None]:
    """What is kept of draws with given scores, (column, year, draw), and what succeeds in them.

    Raises BrokenDraw, counting from `first`.
    """
    here = plan.scenarios[scenario]
    numbers = plan.quantiles.at(z)
    batches, successes = [], []
    for start in range(0, z.shape[1], BATCH):
        batch = slice(start, start + BATCH)
        try:
            values = {name: d.draw(numbers[:, batch]) for name, d in here.drawn.items()}
        except OutOfRange as far:
            raise BrokenDraw(scenario, first + start + far.draw) from far
        succeeds = _successes(here, plan, values, z[:, batch])
        kept, sound = _kept_of_batch(plan, here, values, succeeds, min(BATCH, z.shape[1] - start))
        if not sound.all():
            raise BrokenDraw(scenario, first + start + int(np.argmin(sound)))
        batches.append(kept)
        successes += [] if succeeds is None else [succeeds]
    return np.concatenate(batches, axis=-1), np.concatenate(successes, axis=-1) if successes else None


def certain_outcomes(plan: DrawPlan, scenario: int) -> tuple[Array, Array]:
    """What is kept without any spread, (column, year): if all products succeed, and weighed over failures.

    The second is NaN where there are more than MOST_OUTCOMES outcomes.
    """
    here = plan.scenarios[scenario]
    values = {name: d.values[:, :, np.newaxis] for name, d in here.drawn.items()}
    surely, _ = _kept_of_batch(plan, here, values, None, 1)
    risky = np.flatnonzero(here.chances >= 0)
    if not risky.size:
        return surely[..., 0], surely[..., 0]
    if 2**risky.size > MOST_OUTCOMES:
        return surely[..., 0], np.full(surely.shape[:2], np.nan)
    # The binary digits of 0, 1, 2 and so on are all the ways in which what is risky may succeed or fail.
    yes = (np.arange(2**risky.size) >> np.arange(risky.size)[:, np.newaxis]) & 1
    chance = _chances(here, values)[risky]
    weights = np.where(yes, chance, 1 - chance).prod(axis=0)
    succeeds = np.ones((plan.shape[SEGMENT - 1], yes.shape[1]))
    succeeds[risky] = yes
    kept = [
        _kept_of_batch(plan, here, values, succeeds[:, [k]], 1)[0][..., 0] * weights[k]
        for k in range(yes.shape[1])
    ]
    return surely[..., 0], np.sum(kept, axis=0)


def full_draw(a: Assumptions, plan: DrawPlan, scenario: int, number: int) -> Results:
    """One draw through the forecast, every output of it. Its identities are not checked."""
    z = scores(plan.streams, plan.correlated, plan.seed, number // BLOCK)[:, [number % BLOCK]]
    here = plan.scenarios[scenario]
    numbers = plan.quantiles.at(z)
    values = {name: d.draw(numbers) for name, d in here.drawn.items()}
    inputs = {
        **a.inputs([here.name]),
        **{name: x[..., 0][here.drawn[name].at][np.newaxis] for name, x in values.items()},
    }
    succeeds = _successes(here, plan, values, z)
    if succeeds is None:
        return Results(a, (here.name,), evaluate(inputs, a.structure()))
    yes = succeeds.reshape(1, 1, -1, 1, 1)
    inputs["peak_share"] = inputs["peak_share"] * yes
    return Results(
        a, (here.name,), evaluate(inputs, a.structure(), lambda name, x: yes if name == SUCCESS else x)
    )


# Success


def _chances(scenario: DrawnScenario, values: Mapping[str, Array]) -> Array:
    """Each segment's probability of success in each draw: (segment, draw)."""
    takes = [
        taken.of(values.get(name), slice(None))
        for name, taken in zip(SUCCESS_TAKES, scenario.success, strict=True)
    ]
    return STAGES[SUCCESS][0](*takes)[0, 0, :, 0, 0]


def _successes(
    scenario: DrawnScenario, plan: DrawPlan, values: Mapping[str, Array], z: Array
) -> Array | None:
    """Whether each segment succeeds in each draw, 1 or 0: (segment, draw); None if nothing is by chance."""
    from scipy.special import ndtr

    risky = np.flatnonzero(scenario.chances >= 0)
    if not risky.size:
        return None
    out = np.ones((plan.shape[SEGMENT - 1], z.shape[1]))
    out[risky] = ndtr(z[scenario.chances[risky]]) < _chances(scenario, values)[risky]
    return out


def _peak(group: SegmentGroup, succeeds: Array | None) -> Array | None:
    """1 at choices that succeed, 0 at those that fail: (choice, subtype, 1, draw); None if none may fail."""
    if succeeds is None or not (succeeds[group.segments] < 1).any():
        return None
    return succeeds[group.segments[group.choices]][:, :, np.newaxis]


# The stages


def _kept_of_batch(
    plan: DrawPlan, scenario: DrawnScenario, values: Mapping[str, Array], succeeds: Array | None, size: int
) -> tuple[Array, Array]:
    """What is kept of some draws, (column, year, draw), and in which of them the identities hold."""
    regions, segments, subtypes, years = plan.shape
    revenue, by_segment, by_subtype = (np.zeros((n, years, size)) for n in (regions, segments, subtypes))
    patients: Known = {}
    sound = np.ones(size, dtype=bool)
    for group in scenario.groups:
        of_tests = not patients
        peak = _peak(group, succeeds)
        common = _taken(group, values, slice(None), peak, everywhere=True)
        common["year", False] = common["year", True] = plan.years
        # What a group has none of adds nothing to its sales.
        common |= {(name, True): NOTHING for name in (NOT_OF_TESTS if of_tests else NOT_OF_THERAPIES)}
        _run_stages(group, common)
        sold = np.zeros((*group.choices.shape, years, size))
        counted = plan.counted[group.segments[group.choices]][:, :, np.newaxis, np.newaxis]
        found: dict[str, list[Array]] = {name: [] for name in PATIENTS}
        # As many regions at once as fit into the cache.
        step = max(1, CACHED // max(1, sold.size))
        for r in range(0, regions, step):
            here = slice(r, min(r + step, regions))
            known = _taken(group, values, here, peak, everywhere=False)
            known |= common | {key: x[:, here] for key, x in patients.items()}
            _run_stages(group, known)
            sales = known["net_sales", True][0]
            # A set is in the scope or not; of the tests some may be.
            if counted.any():
                revenue[here] += (sales if counted.all() else sales * counted).sum(axis=(1, 2))
            sold += sales.sum(axis=0)
            sound &= _funnel_holds(known) if of_tests else _shares_hold(known)
            for name in PATIENTS if of_tests else ():
                x = known[name, False]
                found[name].append(np.broadcast_to(x, (1, here.stop - r, *x.shape[2:])))
        if of_tests:
            patients = {(name, False): np.concatenate(x, axis=REGION) for name, x in found.items()}
        by_subtype += (sold * counted).sum(axis=0)
        # One segment may be another choice of each subtype, so they are added one by one.
        for choice, subtype in np.argwhere(group.used):
            by_segment[group.segments[group.choices[choice, subtype]]] += sold[choice, subtype]
    kept = [revenue, by_segment, by_subtype]
    for x in patients.values():
        x = np.broadcast_to(x[0, :, 0], (regions, subtypes, years, size))
        kept += [x.sum(axis=1), x.sum(axis=0)]
    sound &= np.isfinite(revenue).all(axis=(0, 1))
    return np.concatenate(kept), sound


NOTHING = np.zeros((1,) * 6)


def _taken(
    group: SegmentGroup, values: Mapping[str, Array], regions: slice, peak: Array | None, *, everywhere: bool
) -> Known:
    """What the stages take in some regions: what is the same in all of them, or what is not."""
    known = {
        key: taken.of(values.get(key[0]), regions)
        for key, taken in group.inputs.items()
        if taken.is_everywhere == everywhere
    }
    # A product that fails has no peak: its set stays with the others.
    if peak is not None and ("peak_share", True) in known:
        known["peak_share", True] = known["peak_share", True] * peak
    return known


def _run_stages(group: SegmentGroup, known: Known) -> None:
    """Run every stage of a group that is not known yet and whose arguments are."""
    for name in group.stages:
        stage, takes = STAGES[name]
        by_choice = name in BY_CHOICE
        if (name, by_choice) in known:
            continue
        arguments = []
        for take in takes:
            x = group.rest_of if take == "rest_of" else known.get((take, by_choice))
            if x is None and by_choice and (take, False) in known:
                x = known[take, False]
                # What varies by segment alone stands at its segments until a stage takes it at choices.
                if x.shape[SEGMENT] > 1:
                    x = known[take, True] = x[:, :, group.choices, 0]
            if x is None:
                break
            arguments.append(x)
        else:
            known[name, by_choice] = stage(*arguments)


# Identities, in each draw of some regions


def _funnel_holds(known: Known) -> Array:
    """Whether each stage of the funnel counts some of the patients of the one before."""
    pairs = ((known[more, False], known[less, False]) for more, less in SHRINKING_PATIENTS)
    return _in_each_draw(*(more * (1 + IDENTITY_TOLERANCE) >= less for more, less in pairs))


def _shares_hold(known: Known) -> Array:
    """Whether a set's shares sum to 1 and none is below 0: what claims leave is not below 0."""
    claims = [total(known[name, True], SEGMENT) for name in ("entrant_total", "incumbent_total")]
    share = total(known["share", True], SEGMENT)
    most = 1 + IDENTITY_TOLERANCE
    return _in_each_draw(*(claim <= most for claim in claims), np.abs(share - 1) <= IDENTITY_TOLERANCE)


def _in_each_draw(*holds: Array) -> Array:
    return np.asarray(reduce(np.logical_and, holds).all(axis=(0, 1, 2, 3, 4)))
