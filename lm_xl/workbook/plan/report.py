"""The deliverable's tables, key figures and sentences: the same functions of the model's outputs in Python and as formulas.

A sink takes each of them as it is made: the writer of a plan puts it on its sheet, Python's side keeps its numbers and words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, Axes, Axis
from lm_xl.model.labels import folded
from lm_xl.model.ops import Array, change, growth, millions, previous, ratio, set_total, total, total_of
from lm_xl.model.outputs import BASES, OUTPUTS, PATIENT_STAGES
from lm_xl.workbook.plan.layout import CAGR, CALCULATION, SHARE_FIRST, SHARE_LAST, TOTAL
from lm_xl.workbook.plan.products import Shares

Labels = Sequence[Sequence[str]]
Order = tuple[int, int, int]
BY_REGION, BY_SUBTYPE, BY_SEGMENT = (0, 1, 2), (0, 2, 1), (1, 0, 2)
"""Orders of a block's lines: region, segment, subtype; region, subtype, segment; segment, region, subtype."""

FUNNEL, REGIONS, CANCERS, SEGMENTS, COMPANIES = "Funnel", "By_region", "By_cancer", "By_segment", "Companies"
REGION_SEGMENT, PRICES, LAUNCHES, TESTS = (
    "Region_x_segment",
    "Pricing_and_GTN",
    "Launches_and_LOE",
    "Diagnostics_tests",
)
TOTALS, BY_PRODUCT = "Calc_Totals", "Calc_Products"
MONEY = "million, chosen currency"
"""The unit of revenue in the report: the currency and the basis are chosen on the cover."""
SCOPED_MONEY = "million, chosen scope and currency"
"""The unit of revenue that is summed over segments: those of the scope chosen on the cover."""


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
        skip: int = ...,
    ) -> Array:
        """Write a block of lines, leaving out the first `skip` years."""

    def beside(self, title: str, place: str, name: str, x: Array, unit: str, block: Array) -> None:
        """Write one more column beside a block's lines."""

    def heading(self, title: str, text: str) -> None:
        """Start a table."""

    def fact(self, metric: str, name: str, x: Array, labels: Labels, unit: str) -> None:
        """Add a block to the long data."""

    def figure(self, name: str, x: Array, unit: str, what: str) -> None:
        """Show one number among the key figures."""

    def sentence(self, name: str, pieces: Sequence[str | Array]) -> None:
        """Write a sentence of fixed words and of pieces that follow the numbers."""

    def at_year(self, x: Array, y: int) -> Array:
        """An array in one year, by position."""

    def whole(self, x: Array, unit: str) -> Array:
        """A number as words: people and money without decimals, shares as per cent with one."""

    def leader(self, name: str, dim: int, labels: Sequence[str], y: int) -> Array:
        """The label of a block's line with the largest number in one year."""

    def chosen(self, what: str) -> Array:
        """The name of the chosen basis, currency or scenario."""


@dataclass(frozen=True)
class _Reported:
    """The forecast that is reported on: its inputs and outputs by name, its axes, what is chosen, and where the report goes."""

    outputs: Mapping[str, Array]
    axes: Axes
    choice: Mapping[str, Array]
    intervals: Array
    """Years from the first to the last."""
    sink: Sink

    def labels(self, *dims: int) -> list[Sequence[str]]:
        """The leaves of these axes, the total's label of the others."""
        axes = [(dim, self.axes.axis(dim)) for dim in (REGION, SEGMENT, SUBTYPE)]
        return [axis.leaves if dim in dims else (axis.total,) for dim, axis in axes]

    def first_and_last(self, x: Array) -> tuple[Array, Array]:
        """An array in the first and in the last year."""
        return self.sink.at_year(x, 0), self.sink.at_year(x, -1)

    def growth(self, x: Array) -> Array:
        """Growth a year from the first year to the last."""
        first, last = self.first_and_last(x)
        return growth(first, last, self.intervals)


def report(
    o: Mapping[str, Array],
    axes: Axes,
    year: Array,
    choice: Mapping[str, Array],
    shares: Shares,
    sink: Sink,
) -> None:
    """Everything the deliverable shows of a forecast. `choice` holds a 0/1 switch for each basis and for each scope beyond the
    headline, and the currency's `rate`."""
    r = _Reported(o, axes, choice, sink.at_year(year, -1) - sink.at_year(year, 0), sink)
    people = _funnel(r)
    by_segment, by_subtype = _revenue(r)
    revenue, of_segments = _tables(r, by_segment, by_subtype)
    _companies(r, of_segments, shares)
    _shares(r)
    for output in ("gross_price", "net_price"):
        _as_computed(r, PRICES, output)
    _gross_to_net(r)
    for output in ("launch", "loss_of_exclusivity", "success", "uptake"):
        _as_computed(r, LAUNCHES, output)
    _as_computed(r, TESTS, "detection")
    _tests(r)
    for stage in ("lm_cases", "diagnosed", "treated"):
        sink.fact(stage, stage, o[stage], r.labels(REGION, SUBTYPE), "patients")
    _figures(r, people, revenue)
    _sentences(r, people, revenue)


def shown_groups(axis: Axis) -> list[str]:
    """Groups in the order of tables: as the workbook lists them, the total last."""
    return [*(g for g in axis.groups if g != axis.total), axis.total]


def words(name: str) -> str:
    """A quantity's name as a heading."""
    return name.replace("_", " ").capitalize().replace("Lm ", "LM ").replace("Cns", "CNS")


# Tables


def _funnel(r: _Reported) -> dict[str, Array]:
    """The world from new cases to patients treated, and the share that passes each step."""
    r.sink.heading(FUNNEL, f"From new cases to patients treated, {r.axes.region.total}")
    people = {}
    for stage in PATIENT_STAGES:
        name, x = f"{stage}_by_world", total(r.outputs[stage], REGION, SUBTYPE)
        people[stage] = r.sink.put(FUNNEL, name, x, "patients", r.labels())
        r.sink.beside(FUNNEL, CAGR, f"{name}_cagr", r.growth(people[stage]), "per year", people[stage])
    r.sink.heading(FUNNEL, "Growth on the year before")
    for stage, x in people.items():
        _yearly_growth(r, FUNNEL, f"{stage}_by_world", x, r.labels())
    r.sink.heading(FUNNEL, "Share that passes each step")
    for part, whole in (
        ("metastatic", "incidence"),
        ("lm_cases", "metastatic"),
        ("diagnosed", "lm_cases"),
        ("treated", "diagnosed"),
    ):
        passed = ratio(people[part], people[whole])
        r.sink.put(FUNNEL, f"{part}_of_{whole}", passed, "share", r.labels())
    return people


def _revenue(r: _Reported) -> tuple[Array, Array]:
    """Revenue in the chosen basis and currency by region and segment, and by region and subtype."""
    pairs, subtypes = r.labels(REGION, SEGMENT), r.labels(REGION, SUBTYPE)
    by_segment, by_subtype = {}, {}
    for basis, output in BASES.items():
        name, x = f"{output}_by_region_and_segment", millions(total(r.outputs[output], SUBTYPE))
        by_segment[basis] = r.sink.put(TOTALS, name, x, "USD million", pairs)
        r.sink.fact(output, name, by_segment[basis], pairs, "USD million")
        name, x = f"{output}_by_region_and_subtype", millions(total(r.outputs[output], SEGMENT))
        by_subtype[basis] = r.sink.put(TOTALS, name, x, "USD million", subtypes)
    chosen = _as_chosen(r, by_subtype)
    of_subtypes = r.sink.put(TOTALS, "revenue_by_region_and_subtype", chosen, MONEY, subtypes)
    return _region_by_segment(r, _as_chosen(r, by_segment)), of_subtypes


def _beyond_headline(r: _Reported) -> list[tuple[Array, list[int]]]:
    """Of each scope but the first: the switch that is 1 where it is left out, and its segments that no smaller scope holds."""
    inside = [set(r.axes.segment.members(scope)) for scope in r.axes.scopes]
    rings = [sorted(larger - smaller) for smaller, larger in pairwise(inside)]
    return [(r.choice[f"without scope {k}"], ring) for k, ring in enumerate(rings, 1)]


def _in_scope(r: _Reported, by_segment: Array) -> Array:
    """Revenue by segment summed over the segments of the chosen scope."""
    summed = total(by_segment, SEGMENT)
    for switch, members in _beyond_headline(r):
        summed = summed - total_of(by_segment, SEGMENT, members) * switch
    return summed


def _by_subtype_in_scope(r: _Reported, by_subtype: Array) -> Array:
    """The world's revenue by subtype in the chosen scope: what lies outside of it goes off the whole market."""
    subtypes = r.labels(SUBTYPE)
    summed = r.sink.put(TOTALS, "revenue_by_subtype_of_all", total(by_subtype, REGION), MONEY, subtypes)
    for k, (switch, members) in enumerate(_beyond_headline(r), 1):
        labels = r.labels(SEGMENT, SUBTYPE)
        labels[SEGMENT - REGION] = [r.axes.segment.leaves[i] for i in members]
        by_basis = {}
        for basis, output in BASES.items():
            name = f"{output}_beyond_scope_{k}"
            x = np.take(millions(total(r.outputs[output], REGION)), members, axis=SEGMENT)
            by_basis[basis] = r.sink.put(TOTALS, name, x, "USD million", labels)
        name = f"revenue_beyond_scope_{k}"
        beyond = r.sink.put(TOTALS, name, _as_chosen(r, by_basis), MONEY, labels)
        left_out = r.sink.put(TOTALS, f"{name}_by_subtype", total(beyond, SEGMENT), MONEY, subtypes)
        summed = summed - left_out * switch
    return summed


def _as_chosen(r: _Reported, by_basis: Mapping[str, Array]) -> Array:
    """Revenue in the chosen basis and currency: all bases but one have a switch of 0."""
    gross, net, risk_adjusted = (by_basis[basis] * r.choice[basis] for basis in BASES)
    return (gross + net + risk_adjusted) * r.choice["rate"]


def _region_by_segment(r: _Reported, revenue: Array) -> Array:
    """Revenue of each segment in each region, with the same columns and blocks as the other tables."""
    labels = r.labels(REGION, SEGMENT)
    r.sink.heading(REGION_SEGMENT, f"Revenue, {MONEY}")
    pairs = r.sink.put(REGION_SEGMENT, "revenue_by_region_and_segment", revenue, MONEY, labels)
    summed = total(pairs, REGION, SEGMENT)
    world = r.sink.put(REGION_SEGMENT, "revenue_by_pairs_group", summed, MONEY, r.labels(), style=TOTAL)
    _growth_and_shares(r, REGION_SEGMENT, {"pairs": pairs, "pairs_group": world}, world)
    r.sink.heading(REGION_SEGMENT, "Revenue, growth on the year before")
    _yearly_growth(r, REGION_SEGMENT, "revenue_by_pairs", pairs, labels)
    _yearly_growth(r, REGION_SEGMENT, "revenue_by_pairs_group", world, r.labels(), TOTAL)
    return pairs


def _tables(r: _Reported, by_segment: Array, by_subtype: Array) -> tuple[Array, Array]:
    """Patients and revenue by region, by cancer and by segment. Returns the world's revenue, and that of its segments."""
    for stage in ("diagnosed", "treated"):
        _table(r, REGION, REGIONS, stage, total(r.outputs[stage], SUBTYPE), "patients")
    _, revenue = _table(r, REGION, REGIONS, "revenue", _in_scope(r, by_segment), SCOPED_MONEY)
    therapies, tests = r.axes.segment.having("incumbent", "entrant", "rest"), r.axes.segment.having("test")
    of_therapies = total_of(by_segment, SEGMENT, therapies)
    _table(r, REGION, REGIONS, "therapeutics_revenue", of_therapies, MONEY)
    if tests:
        _table(r, REGION, REGIONS, "diagnostics_revenue", total_of(by_segment, SEGMENT, tests), MONEY)
    for stage in ("lm_cases", "diagnosed", "treated"):
        _table(r, SUBTYPE, CANCERS, stage, total(r.outputs[stage], REGION), "patients")
    _table(r, SUBTYPE, CANCERS, "revenue", _by_subtype_in_scope(r, by_subtype), SCOPED_MONEY)
    people = total(r.outputs["patients_on_therapy"], REGION, SUBTYPE)
    _table(r, SEGMENT, SEGMENTS, "patients_on_therapy", people, "patients")
    of_segments, _ = _table(r, SEGMENT, SEGMENTS, "revenue", total(by_segment, REGION), MONEY)
    return revenue, of_segments


def _companies(r: _Reported, of_segments: Array, shares: Shares) -> None:
    """Revenue by product, then in each scope by company. Company, segment and product stand where other tables have their keys."""
    labels = [shares.companies, shares.segments, shares.products]
    sales = r.sink.put(BY_PRODUCT, "revenue_by_product", of_segments * shares.share, MONEY, labels)
    for scope in r.axes.scopes:
        name, of_scope = company_block(scope), ((scope,), ("All products",))
        r.sink.heading(COMPANIES, f"Revenue by company, {scope}, {MONEY}")
        within = np.take(sales, r.axes.segment.members(scope), axis=SEGMENT)
        own_labels, all_labels = (shares.companies, *of_scope), (("All companies",), *of_scope)
        own = r.sink.put(COMPANIES, name, total(within, SEGMENT, SUBTYPE), MONEY, own_labels)
        whole = r.sink.put(COMPANIES, f"{name}_group", total(own, REGION), MONEY, all_labels, style=TOTAL)
        _growth_and_shares(r, COMPANIES, {name: own, f"{name}_group": whole}, whole)
        r.sink.heading(COMPANIES, f"Revenue by company, {scope}, growth on the year before")
        _yearly_growth(r, COMPANIES, name, own, own_labels)
        _yearly_growth(r, COMPANIES, f"{name}_group", whole, all_labels, TOTAL)


def company_block(scope: str) -> str:
    """The name of the block of a scope's revenue by company."""
    return f"revenue_by_company_in_{folded(scope).replace(' ', '_')}"


def _table(r: _Reported, dim: int, title: str, what: str, x: Array, unit: str) -> tuple[Array, Array]:
    """A table over one axis: leaves, groups with the total last, growth, shares of the total. Returns leaves and total."""
    axis = r.axes.axis(dim)
    groups = shown_groups(axis)
    leaf_labels, group_labels, name = r.labels(dim), r.labels(dim), f"{what}_by_{axis.name}"
    group_labels[dim - REGION] = groups
    r.sink.heading(title, f"{words(what)}, {unit}")
    leaves = r.sink.put(title, name, x, unit, leaf_labels)
    # groups add up the lines above them, not the model's cells: a reader can follow the sum
    summed = np.concatenate([total_of(leaves, dim, axis.members(group)) for group in groups], axis=dim)
    sums = r.sink.put(title, f"{name}_group", summed, unit, group_labels, style=TOTAL)
    whole = np.take(sums, [len(groups) - 1], axis=dim)
    _growth_and_shares(r, title, {name: leaves, f"{name}_group": sums}, whole)
    r.sink.heading(title, f"{words(what)}, growth on the year before")
    _yearly_growth(r, title, name, leaves, leaf_labels)
    _yearly_growth(r, title, f"{name}_group", sums, group_labels, TOTAL)
    return leaves, whole


def _growth_and_shares(r: _Reported, title: str, blocks: Mapping[str, Array], whole: Array) -> None:
    """Beside each line its growth a year and its share of the whole in the first and in the last year."""
    wholes = r.first_and_last(whole)
    for name, block in blocks.items():
        r.sink.beside(title, CAGR, f"{name}_cagr", r.growth(block), "per year", block)
        first, last = map(ratio, r.first_and_last(block), wholes)
        r.sink.beside(title, SHARE_FIRST, f"{name}_first", first, "share", block)
        r.sink.beside(title, SHARE_LAST, f"{name}_last", last, "share", block)


def _yearly_growth(
    r: _Reported, title: str, name: str, block: Array, labels: Labels, style: str = CALCULATION
) -> None:
    """A block's growth on the year before, from the second year on."""
    yearly = change(previous(block), block)
    r.sink.put(title, f"{name}_yoy", yearly, "per year", labels, style=style, skip=1)


def _shares(r: _Reported) -> None:
    """What must be 1: shares within each choice set, subtype shares within each cancer."""
    segment, subtype = r.axes.segment, r.axes.subtype
    rest_of = np.array([segment.rest_of(i) if segment.sets[i] else -1 for i in range(len(segment))])
    within_sets = set_total(r.outputs["share"], rest_of)
    r.sink.put(TOTALS, "set_share", within_sets, "share", r.labels(REGION, SEGMENT, SUBTYPE))
    shares = r.outputs["subtype_share"]
    sums = np.zeros(shares.shape, dtype=shares.dtype)
    for cancer in dict.fromkeys(subtype.sets):
        members = [i for i, s in enumerate(subtype.sets) if s == cancer]
        # a cancer's sum stands at its first subtype, where it has one line
        sums[..., members[:1], :] = total_of(shares, SUBTYPE, members)
    r.sink.put(TOTALS, "subtype_share_total", sums, "share", r.labels(REGION, SUBTYPE))


def _as_computed(r: _Reported, title: str, output: str) -> None:
    """An output of the model as it is, line by line."""
    o = OUTPUTS[output]
    r.sink.heading(title, f"{words(output)}, {o.unit}: {o.meaning}")
    r.sink.put(title, f"{output}_by_report", r.outputs[output], o.unit, r.labels(*o.dims), BY_SEGMENT)


def _gross_to_net(r: _Reported) -> None:
    r.sink.heading(PRICES, "Gross to net: share of the list price given away")
    labels, given = r.labels(REGION, SEGMENT), r.outputs["gross_to_net"]
    r.sink.put(PRICES, "gross_to_net_by_report", given, "share", labels, BY_SEGMENT)


def _tests(r: _Reported) -> None:
    """The tests that are done in the world, where the market has tests."""
    if r.axes.segment.having("test"):
        r.sink.heading(TESTS, f"Tests, {r.axes.region.total}")
        done = total(r.outputs["tests"], REGION, SUBTYPE)
        cells = r.sink.put(TESTS, "tests_by_test", done, "tests", r.labels(SEGMENT))
        r.sink.beside(TESTS, CAGR, "tests_by_test_cagr", r.growth(cells), "per year", cells)


# Key figures and sentences


def _figures(r: _Reported, people: Mapping[str, Array], revenue: Array) -> None:
    first, last = r.axes.years[0], r.axes.years[-1]
    start, end = r.first_and_last(revenue)
    diagnosed, treated = r.sink.at_year(people["diagnosed"], 0), r.sink.at_year(people["treated"], -1)
    figure = r.sink.figure
    figure("figure_revenue_first", start, SCOPED_MONEY, f"Revenue {first}, {SCOPED_MONEY}")
    figure("figure_revenue_last", end, SCOPED_MONEY, f"Revenue {last}, {SCOPED_MONEY}")
    figure("figure_cagr", r.growth(revenue), "per year", f"Growth of revenue {first}-{last}, a year (CAGR)")
    figure("figure_diagnosed", diagnosed, "patients", f"Patients diagnosed {first}")
    figure("figure_treated", treated, "patients", f"Patients treated {last}")


def _sentences(r: _Reported, people: Mapping[str, Array], revenue: Array) -> None:
    """Six sentences: the market, its patients, how many are found, and the largest of each axis."""
    first, last = r.axes.years[0], r.axes.years[-1]
    say, chosen = r.sink.whole, r.sink.chosen
    start, end = r.first_and_last(revenue)
    money = chosen("currency")
    r.sink.sentence("market", [
        "In the scenario '", chosen("scenario"), "' the market (", chosen("scope"), ") moves from ", money, " ", say(start, MONEY), f" million in {first} to ",
        money, " ", say(end, MONEY), f" million in {last} (", chosen("basis"), "), ", say(r.growth(revenue), "share"), " a year.",
    ])  # fmt: skip
    diagnosed, later = r.first_and_last(people["diagnosed"])
    r.sink.sentence("patients", [
        say(diagnosed, "patients"), f" patients are diagnosed in {first} and ", say(later, "patients"), f" in {last}: ",
        say(r.growth(people["diagnosed"]), "share"), " a year, as cancers become more frequent and are survived for longer.",
    ])  # fmt: skip
    found, found_later = map(ratio, (diagnosed, later), r.first_and_last(people["lm_cases"]))
    treated = ratio(r.sink.at_year(people["treated"], 0), diagnosed)
    r.sink.sentence("found", [
        "Of all patients with LM ", say(found, "share"), f" are diagnosed in {first} and ", say(found_later, "share"), f" in {last}; of the diagnosed ",
        say(treated, "share"), f" are treated in {first}.",
    ])  # fmt: skip
    for dim in (REGION, SEGMENT, SUBTYPE):
        _largest(r, r.axes.axis(dim), dim)


def _largest(r: _Reported, axis: Axis, dim: int) -> None:
    """Which line of an axis sells most in the first and in the last year."""
    first, last = (r.sink.leader(f"revenue_by_{axis.name}", dim, axis.leaves, y) for y in (0, -1))
    among = ", tests included," if dim == SEGMENT else ""
    pieces: list[str | Array] = [f"The largest {axis.name} by revenue{among} is ", first]
    pieces += [f" in {r.axes.years[0]} and ", last, f" in {r.axes.years[-1]}."]
    r.sink.sentence(axis.name, pieces)
