"""The deliverable's tables, key figures and sentences: the same functions of the model's outputs in Python and as formulas.

A sink takes each of them as it is made: the writer of a plan puts it on its sheet, Python's side keeps its numbers and words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from lm_xl.model import stages
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, Axes, Axis
from lm_xl.model.classes import classes
from lm_xl.model.ops import Array, millions, ratio, total, total_of, weighted_total
from lm_xl.model.outputs import BASES, PATIENT_STAGES
from lm_xl.workbook.plan.layout import TOTAL
from lm_xl.workbook.plan.products import Shares

Labels = Sequence[Sequence[str]]
Order = tuple[int, int, int]
BY_REGION, BY_SUBTYPE, BY_SEGMENT, BY_PATIENTS = (0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0)
"""Orders of a block's lines: region, segment, subtype; region, subtype, segment; segment, region, subtype; segment, subtype, region."""

FUNNEL, REGIONS, CANCERS, SEGMENTS, COMPANIES = "Funnel", "By_region", "By_cancer", "By_segment", "By_company"
TESTS = "Diagnostics_tests"
TOTALS, BY_PRODUCT = "Calc_Totals", "Calc_Products"
BY_COMPANY = "revenue_by_company"
"""The block of the chosen scope's revenue by company."""
PAIRS, CANCERS_SOLD = "region_and_segment", "segment_and_subtype"
"""What revenue of all bases is added up by, in the names of blocks."""
MONEY = "million, chosen currency"
"""The unit of revenue in the report: the currency and the basis are chosen on the dashboard."""
SCOPED_MONEY = "million, chosen scope and currency"
"""The unit of revenue that is summed over segments: those of the scope chosen on the dashboard."""


class Sink(Protocol):
    """Takes what the report makes; returns what later parts refer to."""

    def put(
        self,
        title: str,
        name: str,
        x: Array,
        unit: str,
        labels: Labels,
        order: Order = ...,
        style: str = ...,
        *,
        shared: bool = ...,
    ) -> Array:
        """Write a block of lines; in a shared one a line may stand for several elements."""

    def heading(self, title: str, text: str) -> None:
        """Start a table."""

    def fact(self, metric: str, name: str, x: Array, labels: Labels, unit: str) -> None:
        """Add a block to the long data."""

    def at_year(self, x: Array, y: int) -> Array:
        """An array in one year, by position."""


@dataclass(frozen=True)
class _Reported:
    """The forecast that is reported on: its inputs and outputs by name, its axes, what is chosen, and where the report goes."""

    outputs: Mapping[str, Array]
    axes: Axes
    choice: Mapping[str, Array]
    sink: Sink

    def labels(self, *dims: int) -> list[Sequence[str]]:
        """The leaves of these axes, the total's label of the others."""
        axes = [(dim, self.axes.axis(dim)) for dim in (REGION, SEGMENT, SUBTYPE)]
        return [axis.leaves if dim in dims else (axis.total,) for dim, axis in axes]

    def first_and_last(self, x: Array) -> tuple[Array, Array]:
        """An array in the first and in the last year."""
        return self.sink.at_year(x, 0), self.sink.at_year(x, -1)


def report(
    o: Mapping[str, Array],
    axes: Axes,
    choice: Mapping[str, Array],
    shares: Shares,
    sink: Sink,
) -> None:
    """Everything the deliverable shows of a forecast. `choice` holds a 0/1 switch for each basis and for each scope beyond the
    headline, and the currency's `rate`."""
    r = _Reported(o, axes, choice, sink)
    _funnel(r)
    by_region, by_subtype = _revenue(r)
    of_segments = _tables(r, by_region, by_subtype)
    _classes(r, of_segments)
    _companies(r, of_segments, shares)
    _shares(r)
    _tests(r)
    for stage in ("diagnosed", "treated"):
        sink.fact(stage, stage, o[stage], r.labels(REGION, SUBTYPE), "patients")


def shown_groups(axis: Axis) -> list[str]:
    """Groups in the order of tables: as the workbook lists them, the total last."""
    return [*(g for g in axis.groups if g != axis.total), axis.total]


def words(name: str) -> str:
    """A quantity's name as a heading."""
    return name.replace("_", " ").capitalize().replace("Lm ", "LM ").replace("Cns", "CNS")


# Tables


def _funnel(r: _Reported) -> None:
    """The world from new cases to patients treated, and the share that passes each step."""
    r.sink.heading(FUNNEL, f"From new cases to patients treated, {r.axes.region.total}")
    people = {}
    for stage in PATIENT_STAGES:
        name = f"{stage}_by_world"
        x = _living(r) if stage == "prevalence" else total(r.outputs[stage], REGION, SUBTYPE)
        people[stage] = r.sink.put(FUNNEL, name, x, "patients", r.labels())
    r.sink.heading(FUNNEL, "Share that passes each step")
    for part, whole in (
        ("metastatic", "incidence"),
        ("lm_cases", "metastatic"),
        ("diagnosed", "lm_cases"),
        ("treated", "diagnosed"),
    ):
        passed = ratio(people[part], people[whole])
        r.sink.put(FUNNEL, f"{part}_of_{whole}", passed, "share", r.labels())


def _living(r: _Reported) -> Array:
    """The world's patients living with diagnosed LM, added up by subtype, since how long they live varies by nothing else."""
    diagnosed = total(r.outputs["diagnosed"], REGION)
    living = stages.prevalence(diagnosed, r.outputs["survival_with_lm"])
    cells = r.sink.put(TOTALS, "prevalence_by_subtype", living, "patients", r.labels(SUBTYPE))
    return total(cells, SUBTYPE)


def _revenue(r: _Reported) -> tuple[Array, Array]:
    """Revenue in the chosen basis and currency by region and segment, and the world's by segment and subtype."""
    gross, success = r.outputs["gross_sales"], r.outputs["success"]
    displaced = np.take(r.outputs["risk_adjusted_sales"], r.axes.segment.displaced(), axis=SEGMENT)
    rebate = r.outputs["gross_to_net"]
    one_dollar = stages.net_sales(np.ones((1, 1, 1, 1, 1), dtype=int), rebate)
    pairs, cancers = r.labels(REGION, SEGMENT), r.labels(SEGMENT, SUBTYPE)

    def put(output: str, by: str, x: Array) -> Array:
        labels, order = (pairs, BY_REGION) if by == PAIRS else (cancers, BY_SUBTYPE)
        return r.sink.put(TOTALS, f"{output}_by_{by}", x, "USD million", labels, order)

    by_region = {"gross": put("gross_sales", PAIRS, millions(total(gross, SUBTYPE)))}
    by_region["net"] = put("net_sales", PAIRS, stages.net_sales(by_region["gross"], rebate))
    adjusted = risk_adjusted(r.axes.segment, by_region["net"], success, millions(total(displaced, SUBTYPE)))
    by_region["risk_adjusted"] = put("risk_adjusted_sales", PAIRS, adjusted)
    r.sink.fact(
        "risk_adjusted_sales",
        f"risk_adjusted_sales_by_{PAIRS}",
        by_region["risk_adjusted"],
        pairs,
        "USD million",
    )
    by_subtype = {
        "gross": millions(total(gross, REGION)),
        "net": put("net_sales", CANCERS_SOLD, millions(weighted_total(gross, one_dollar, REGION))),
    }
    adjusted = risk_adjusted(r.axes.segment, by_subtype["net"], success, millions(total(displaced, REGION)))
    by_subtype["risk_adjusted"] = put("risk_adjusted_sales", CANCERS_SOLD, adjusted)
    return (
        r.sink.put(TOTALS, f"revenue_by_{PAIRS}", _as_chosen(r, by_region), MONEY, pairs),
        r.sink.put(
            TOTALS, f"revenue_by_{CANCERS_SOLD}", _as_chosen(r, by_subtype), MONEY, cancers, BY_SUBTYPE
        ),
    )


def risk_adjusted(segment: Axis, net: Array, success: Array, displaced: Array) -> Array:
    """Net sales on average over success and failure: of entrants times their success, of what they displace as it was added up,
    which differs from subtype to subtype."""
    adjusted, entrants = net.copy(), segment.having("entrant")
    adjusted[:, :, entrants] = net[:, :, entrants] * success[:, :, entrants]
    adjusted[:, :, segment.displaced()] = displaced
    return adjusted


def _beyond_headline(r: _Reported) -> list[tuple[Array, list[int]]]:
    """Of each scope but the first: the switch that is 1 where it is left out, and its segments that no smaller scope holds."""
    inside = [set(r.axes.segment.members(scope)) for scope in r.axes.scopes]
    rings = [sorted(larger - smaller) for smaller, larger in pairwise(inside)]
    return [(r.choice[f"without scope {k}"], ring) for k, ring in enumerate(rings, 1)]


def _in_scope(r: _Reported, by_segment: Array, *others: int) -> Array:
    """Revenue by segment summed over the segments of the chosen scope, and over other axes."""
    summed = total(by_segment, SEGMENT, *others)
    for switch, members in _beyond_headline(r):
        summed = summed - total(np.take(by_segment, members, axis=SEGMENT), SEGMENT, *others) * switch
    return summed


def _as_chosen(r: _Reported, by_basis: Mapping[str, Array]) -> Array:
    """Revenue in the chosen basis and currency: all bases but one have a switch of 0."""
    gross, net, risk_adjusted = (by_basis[basis] * r.choice[basis] for basis in BASES)
    return (gross + net + risk_adjusted) * r.choice["rate"]


def _tables(r: _Reported, by_region: Array, by_subtype: Array) -> Array:
    """Patients and revenue by region, by cancer and by segment. Returns the revenue of the world's segments."""
    for stage in ("diagnosed", "treated"):
        _table(r, REGION, REGIONS, stage, total(r.outputs[stage], SUBTYPE), "patients")
    _table(r, REGION, REGIONS, "revenue", _in_scope(r, by_region), SCOPED_MONEY)
    for stage in ("lm_cases", "diagnosed", "treated"):
        _table(r, SUBTYPE, CANCERS, stage, total(r.outputs[stage], REGION), "patients")
    _table(r, SUBTYPE, CANCERS, "revenue", _in_scope(r, by_subtype), SCOPED_MONEY)
    people = total(r.outputs["patients_on_therapy"], REGION, SUBTYPE)
    _table(r, SEGMENT, SEGMENTS, "patients_on_therapy", people, "patients")
    return _table(r, SEGMENT, SEGMENTS, "revenue", total(by_region, REGION), MONEY)


def _classes(r: _Reported, of_segments: Array) -> None:
    """Revenue of the chosen scope by class, and what it gains from the first year to the last by class and by segment."""
    found = classes(r.axes, SEGMENT)
    labels = [(r.axes.region.total,), [c.label for c in found], (r.axes.subtype.total,)]
    scoped = of_segments.copy()
    for switch, members in _beyond_headline(r):
        scoped[:, :, members] = scoped[:, :, members] * (1 - switch)
    inside = np.concatenate([_inside(r, c.members[0]) for c in found], axis=SEGMENT)
    of_classes = np.concatenate([total_of(of_segments, SEGMENT, c.members) for c in found], axis=SEGMENT)
    own = r.sink.put(TOTALS, "revenue_by_class", of_classes * inside, SCOPED_MONEY, labels)
    for name, x, named in (("class", own, labels), ("segment", scoped, r.labels(SEGMENT))):
        first, last = r.first_and_last(x)
        r.sink.put(TOTALS, f"gain_by_{name}", last - first, SCOPED_MONEY, named)
    expiry = r.outputs["loss_of_exclusivity"][:, :1]
    r.sink.put(TOTALS, "expiry_by_segment", expiry, "year", r.labels(SEGMENT))


def _inside(r: _Reported, segment: int) -> Array:
    """1 where a segment is in the chosen scope, as a term over one element."""
    inside = np.ones((1, 1, 1, 1, 1), dtype=r.choice["rate"].dtype)
    if inside.dtype == object:
        inside[...] = 1
    for switch, members in _beyond_headline(r):
        if segment in members:
            inside = 1 - switch
    return inside


def _companies(r: _Reported, of_segments: Array, shares: Shares) -> None:
    """Revenue by product, then that of the chosen scope by company. Company, segment and product stand where other tables have
    their keys."""
    labels = [shares.companies, shares.segments, shares.products]
    sales = r.sink.put(BY_PRODUCT, "revenue_by_product", of_segments * shares.share, MONEY, labels)
    r.sink.heading(COMPANIES, f"Revenue by company, {SCOPED_MONEY}")
    labels = [shares.companies, ("The chosen scope",), ("All products",)]
    own = r.sink.put(COMPANIES, BY_COMPANY, _in_scope(r, sales, SUBTYPE), SCOPED_MONEY, labels)
    labels[0] = ("All companies",)
    r.sink.put(COMPANIES, f"{BY_COMPANY}_group", total(own, REGION), SCOPED_MONEY, labels, style=TOTAL)


def _table(r: _Reported, dim: int, title: str, what: str, x: Array, unit: str) -> Array:
    """A table over one axis: leaves, then groups with the total last. Returns the leaves."""
    axis = r.axes.axis(dim)
    groups = shown_groups(axis)
    leaf_labels, group_labels, name = r.labels(dim), r.labels(dim), f"{what}_by_{axis.name}"
    group_labels[dim - REGION] = groups
    r.sink.heading(title, f"{words(what)}, {unit}")
    leaves = r.sink.put(title, name, x, unit, leaf_labels)
    # groups add up the lines above them, not the model's cells: a reader can follow the sum
    summed = np.concatenate([total_of(leaves, dim, axis.members(group)) for group in groups], axis=dim)
    r.sink.put(title, f"{name}_group", summed, unit, group_labels, style=TOTAL)
    return leaves


def _shares(r: _Reported) -> None:
    """What must be 1: shares within each choice set, subtype shares within each cancer."""
    segment, subtype = r.axes.segment, r.axes.subtype
    x = r.outputs["share"]
    within_sets = np.zeros((*x.shape[:2], len(segment), *x.shape[3:]), dtype=x.dtype)
    for rest in segment.having("rest"):
        # a set's sum stands at its rest member
        members = [i for i, one in enumerate(segment.sets) if one == segment.sets[rest]]
        within_sets[:, :, [rest]] = total_of(x, SEGMENT, members)
    labels = r.labels(REGION, SEGMENT, SUBTYPE)
    r.sink.put(TOTALS, "set_share", within_sets, "share", labels, shared=True)
    shares = r.outputs["subtype_share"]
    sums = np.zeros(shares.shape, dtype=shares.dtype)
    for cancer in dict.fromkeys(subtype.sets):
        members = [i for i, s in enumerate(subtype.sets) if s == cancer]
        # a cancer's sum stands at its first subtype, where it has one line
        sums[..., members[:1], :] = total_of(shares, SUBTYPE, members)
    r.sink.put(TOTALS, "subtype_share_total", sums, "share", r.labels(REGION, SUBTYPE))


def _tests(r: _Reported) -> None:
    """The tests that are done in the world, where the market has tests."""
    if r.axes.segment.having("test"):
        r.sink.heading(TESTS, f"Tests, {r.axes.region.total}")
        done = total(r.outputs["tests"], REGION, SUBTYPE)
        r.sink.put(TESTS, "tests_by_test", done, "tests", r.labels(SEGMENT))
