"""The deliverable's tables, key figures and sentences: the same functions of the model's outputs in Python and as formulas.

A sink takes each of them as it is made: the traced plan writes it to its sheet, the verifier keeps its numbers and words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, Axes, Axis
from lm_xl.model.ops import Array, change, growth, millions, previous, ratio, set_total, total, total_of
from lm_xl.model.outputs import BASES, OUTPUTS, PATIENT_STAGES

Labels = Sequence[Sequence[str]]

FUNNEL, REGIONS, CANCERS, SEGMENTS = "Funnel", "By_region", "By_cancer", "By_segment"
REGION_SEGMENT, PRICES, LAUNCHES, TESTS = (
    "Region_x_segment",
    "Pricing_and_GTN",
    "Launches_and_LOE",
    "Diagnostics_tests",
)
TOTALS = "Calc_Totals"
MONEY = "million, chosen currency"
"""The unit of revenue in the report: the currency and the basis are chosen on the cover and stand in the report's headings."""

CAGR, SHARE_FIRST, SHARE_LAST = "cagr", "share_first", "share_last"


class Sink(Protocol):
    """Takes what the report makes; returns what later parts refer to."""

    def put(
        self,
        title: str,
        name: str,
        x: Array,
        unit: str,
        labels: Labels,
        order: Sequence[int],
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


def report(o: Mapping[str, Array], axes: Axes, year: Array, choice: Mapping[str, Array], sink: Sink) -> None:
    """Everything the deliverable shows of a forecast. `choice` holds a 0/1 switch for each basis, and the currency's `rate`."""
    _Report(o, axes, year, choice, sink).write()


class _Report:
    def __init__(
        self, o: Mapping[str, Array], axes: Axes, year: Array, choice: Mapping[str, Array], sink: Sink
    ) -> None:
        self.o, self.axes, self.year, self.choice, self.sink = o, axes, year, choice, sink
        self.leaves: list[Sequence[str]] = [axes.region.leaves, axes.segment.leaves, axes.subtype.leaves]
        self.totals: list[Sequence[str]] = [
            (axes.region.total,),
            (axes.segment.total,),
            (axes.subtype.total,),
        ]
        self.intervals = sink.at_year(year, -1) - sink.at_year(year, 0)

    def write(self) -> None:
        funnel = self.funnel()
        by_segment, by_subtype = self.revenue()
        regions = self.table(REGION, REGIONS, "diagnosed", total(self.o["diagnosed"], SUBTYPE), "patients")
        self.table(REGION, REGIONS, "treated", total(self.o["treated"], SUBTYPE), "patients")
        revenue = self.table(REGION, REGIONS, "revenue", total(by_segment, SEGMENT), MONEY)
        therapies, tests = (
            self.axes.segment.having("incumbent", "entrant", "rest"),
            self.axes.segment.having("test"),
        )
        self.table(REGION, REGIONS, "therapeutics_revenue", total_of(by_segment, SEGMENT, therapies), MONEY)
        if tests:
            self.table(REGION, REGIONS, "diagnostics_revenue", total_of(by_segment, SEGMENT, tests), MONEY)
        for stage in ("lm_cases", "diagnosed", "treated"):
            self.table(SUBTYPE, CANCERS, stage, total(self.o[stage], REGION), "patients")
        self.table(SUBTYPE, CANCERS, "revenue", total(by_subtype, REGION), MONEY)
        self.table(
            SEGMENT,
            SEGMENTS,
            "patients_on_therapy",
            total(self.o["patients_on_therapy"], REGION, SUBTYPE),
            "patients",
        )
        self.table(SEGMENT, SEGMENTS, "revenue", total(by_segment, REGION), MONEY)
        self.shares()
        self.prices_and_launches()
        self.diagnostics(tests)
        self.data(by_segment)
        self.summary(funnel, revenue, regions)

    def funnel(self) -> dict[str, Array]:
        """The world from new cases to patients treated, and the share that passes each step."""
        self.sink.heading(FUNNEL, f"From new cases to patients treated, {self.axes.region.total}")
        people = {}
        for stage in PATIENT_STAGES:
            people[stage] = self.line(FUNNEL, stage, total(self.o[stage], REGION, SUBTYPE), "patients")
        self.sink.heading(FUNNEL, "Growth on the year before")
        for stage, cells in people.items():
            self.sink.put(
                FUNNEL,
                f"{stage}_by_world_yoy",
                change(previous(cells), cells),
                "per year",
                self.totals,
                (0, 1, 2),
                skip=1,
            )
        self.sink.heading(FUNNEL, "Share that passes each step")
        for part, whole in (
            ("metastatic", "incidence"),
            ("lm_cases", "metastatic"),
            ("diagnosed", "lm_cases"),
            ("treated", "diagnosed"),
        ):
            self.sink.put(
                FUNNEL,
                f"{part}_of_{whole}",
                ratio(people[part], people[whole]),
                "share",
                self.totals,
                (0, 1, 2),
            )
        return people

    def line(self, title: str, name: str, x: Array, unit: str) -> Array:
        """One line of a table with its growth."""
        cells = self.sink.put(title, f"{name}_by_world", x, unit, self.totals, (0, 1, 2))
        start, end = self.sink.at_year(cells, 0), self.sink.at_year(cells, -1)
        self.sink.beside(
            title, CAGR, f"{name}_by_world_cagr", growth(start, end, self.intervals), "per year", cells
        )
        return cells

    def revenue(self) -> tuple[Array, Array]:
        """Revenue in the chosen basis and currency by region and segment, and by region and subtype."""
        by_segment, by_subtype = {}, {}
        for basis, output in BASES.items():
            labels = [self.leaves[0], self.leaves[1], self.totals[2]]
            by_segment[basis] = self.sink.put(
                TOTALS,
                f"{output}_by_region_and_segment",
                millions(total(self.o[output], SUBTYPE)),
                "USD million",
                labels,
                (0, 1, 2),
            )
            self.sink.fact(
                output, f"{output}_by_region_and_segment", by_segment[basis], labels, "USD million"
            )
            labels = [self.leaves[0], self.totals[1], self.leaves[2]]
            by_subtype[basis] = self.sink.put(
                TOTALS,
                f"{output}_by_region_and_subtype",
                millions(total(self.o[output], SEGMENT)),
                "USD million",
                labels,
                (0, 1, 2),
            )
        labels = [self.leaves[0], self.totals[1], self.leaves[2]]
        by_region_and_subtype = self.sink.put(
            TOTALS, "revenue_by_region_and_subtype", self.chosen(by_subtype), MONEY, labels, (0, 1, 2)
        )
        return self.every_pair(self.chosen(by_segment)), by_region_and_subtype

    def every_pair(self, revenue: Array) -> Array:
        """Revenue of each segment in each region, with the same columns and blocks as the other tables."""
        labels = [self.leaves[0], self.leaves[1], self.totals[2]]
        self.sink.heading(REGION_SEGMENT, f"Revenue, {MONEY}")
        pairs = self.sink.put(
            REGION_SEGMENT, "revenue_by_region_and_segment", revenue, MONEY, labels, (0, 1, 2)
        )
        world = self.sink.put(
            REGION_SEGMENT,
            "revenue_by_pairs_group",
            total(pairs, REGION, SEGMENT),
            MONEY,
            self.totals,
            (0, 1, 2),
            "lm total",
        )
        for part, block in (("pairs", pairs), ("pairs_group", world)):
            start, end = self.sink.at_year(block, 0), self.sink.at_year(block, -1)
            self.sink.beside(
                REGION_SEGMENT, CAGR, f"{part}_cagr", growth(start, end, self.intervals), "per year", block
            )
            self.sink.beside(
                REGION_SEGMENT,
                SHARE_FIRST,
                f"{part}_first",
                ratio(start, self.sink.at_year(world, 0)),
                "share",
                block,
            )
            self.sink.beside(
                REGION_SEGMENT,
                SHARE_LAST,
                f"{part}_last",
                ratio(end, self.sink.at_year(world, -1)),
                "share",
                block,
            )
        self.sink.heading(REGION_SEGMENT, "Revenue, growth on the year before")
        self.sink.put(
            REGION_SEGMENT,
            "revenue_by_pairs_yoy",
            change(previous(pairs), pairs),
            "per year",
            labels,
            (0, 1, 2),
            skip=1,
        )
        yearly = change(previous(world), world)
        self.sink.put(
            REGION_SEGMENT,
            "revenue_by_pairs_group_yoy",
            yearly,
            "per year",
            self.totals,
            (0, 1, 2),
            "lm total",
            skip=1,
        )
        return pairs

    def chosen(self, by_basis: Mapping[str, Array]) -> Array:
        """The chosen basis in the chosen currency."""
        gross, net, risk_adjusted = (by_basis[basis] * self.choice[basis] for basis in BASES)
        return (gross + net + risk_adjusted) * self.choice["rate"]

    def table(self, dim: int, title: str, what: str, x: Array, unit: str) -> Array:
        """A table over one axis: leaves, groups with the total last, CAGR, first and last share, and growth year on year. Returns the groups."""
        axis = self.axes.axis(dim)
        shown = shown_groups(axis)
        self.sink.heading(title, f"{words(what)}, {unit}")
        labels = [*self.totals]
        labels[dim - 1] = axis.leaves
        name = f"{what}_by_{axis.name}"
        leaf = self.sink.put(title, name, x, unit, labels, (0, 1, 2))
        labels[dim - 1] = shown
        sums = np.concatenate([total_of(leaf, dim, axis.members(g)) for g in shown], axis=dim)
        group = self.sink.put(title, f"{name}_group", sums, unit, labels, (0, 1, 2), "lm total")
        whole = np.take(group, [len(shown) - 1], axis=dim)
        for part, block in ((name, leaf), (f"{name}_group", group)):
            start, end = self.sink.at_year(block, 0), self.sink.at_year(block, -1)
            self.sink.beside(
                title, CAGR, f"{part}_cagr", growth(start, end, self.intervals), "per year", block
            )
            self.sink.beside(
                title, SHARE_FIRST, f"{part}_first", ratio(start, self.sink.at_year(whole, 0)), "share", block
            )
            self.sink.beside(
                title, SHARE_LAST, f"{part}_last", ratio(end, self.sink.at_year(whole, -1)), "share", block
            )
        self.sink.heading(title, f"{words(what)}, growth on the year before")
        for part, block, style in ((name, leaf, "lm calculation"), (f"{name}_group", group, "lm total")):
            labels[dim - 1] = axis.leaves if block is leaf else shown
            yearly = change(previous(block), block)
            self.sink.put(title, f"{part}_yoy", yearly, "per year", labels, (0, 1, 2), style, skip=1)
        return group

    def shares(self) -> None:
        """What must be 1: shares within each choice set, subtype shares within each cancer."""
        segment, subtype = self.axes.segment, self.axes.subtype
        rest_of = np.array([segment.rest_of(i) if segment.sets[i] else -1 for i in range(len(segment))])
        self.sink.put(
            TOTALS, "set_share", set_total(self.o["share"], rest_of), "share", self.leaves, (0, 1, 2)
        )
        subtypes = self.o["subtype_share"]
        sums = np.zeros(subtypes.shape, dtype=subtypes.dtype)
        for cancer in dict.fromkeys(subtype.sets):
            members = [i for i, s in enumerate(subtype.sets) if s == cancer]
            sums[..., members[:1], :] = total_of(subtypes, SUBTYPE, members)
        self.sink.put(
            TOTALS,
            "subtype_share_total",
            sums,
            "share",
            [self.leaves[0], self.totals[1], self.leaves[2]],
            (0, 1, 2),
        )

    def prices_and_launches(self) -> None:
        for output in ("gross_price", "net_price"):
            self.plain(PRICES, output)
        self.sink.heading(PRICES, "Gross to net: share of the list price given away")
        self.sink.put(
            PRICES,
            "gross_to_net_by_report",
            self.o["gross_to_net"],
            "share",
            [self.leaves[0], self.leaves[1], self.totals[2]],
            (1, 0, 2),
        )
        for output in ("launch", "loss_of_exclusivity", "success", "uptake"):
            self.plain(LAUNCHES, output)

    def plain(self, title: str, output: str) -> Array:
        """An output of the model as it is, line by line."""
        self.sink.heading(title, f"{words(output)}, {OUTPUTS[output].unit}: {OUTPUTS[output].meaning}")
        labels = [
            self.leaves[d - 1] if d in OUTPUTS[output].dims else self.totals[d - 1]
            for d in (REGION, SEGMENT, SUBTYPE)
        ]
        return self.sink.put(
            title, f"{output}_by_report", self.o[output], OUTPUTS[output].unit, labels, (1, 0, 2)
        )

    def diagnostics(self, tests: Sequence[int]) -> None:
        self.plain(TESTS, "detection")
        if tests:
            self.sink.heading(TESTS, f"Tests, {self.axes.region.total}")
            done = total(self.o["tests"], REGION, SUBTYPE)
            cells = self.sink.put(
                TESTS,
                "tests_by_test",
                done,
                "tests",
                [self.totals[0], self.leaves[1], self.totals[2]],
                (0, 1, 2),
            )
            growing = growth(self.sink.at_year(cells, 0), self.sink.at_year(cells, -1), self.intervals)
            self.sink.beside(TESTS, CAGR, "tests_by_test_cagr", growing, "per year", cells)

    def data(self, by_segment: Array) -> None:
        for stage in ("lm_cases", "diagnosed", "treated"):
            self.sink.fact(
                stage, stage, self.o[stage], [self.leaves[0], self.totals[1], self.leaves[2]], "patients"
            )

    def summary(self, funnel: Mapping[str, Array], revenue: Array, diagnosed: Array) -> None:
        """Five key figures and six sentences."""
        first, last = self.axes.years[0], self.axes.years[-1]
        at = self.sink.at_year
        world = np.take(revenue, [revenue.shape[REGION] - 1], axis=REGION)
        start, end = at(world, 0), at(world, -1)
        rate = growth(start, end, self.intervals)
        people = funnel["diagnosed"]
        self.sink.figure("figure_revenue_first", start, MONEY, f"Revenue {first}, {MONEY}")
        self.sink.figure("figure_revenue_last", end, MONEY, f"Revenue {last}, {MONEY}")
        self.sink.figure("figure_cagr", rate, "per year", f"Growth of revenue {first}-{last}, a year (CAGR)")
        self.sink.figure("figure_diagnosed", at(people, 0), "patients", f"Patients diagnosed {first}")
        self.sink.figure("figure_treated", at(funnel["treated"], -1), "patients", f"Patients treated {last}")
        say, money = self.sink.whole, self.sink.chosen("currency")
        self.sink.sentence("market", [
            "In the scenario '", self.sink.chosen("scenario"), "' the market moves from ", money, " ", say(start, MONEY), f" million in {first} to ",
            money, " ", say(end, MONEY), f" million in {last} (", self.sink.chosen("basis"), "), ", say(rate, "share"), " a year.",
        ])  # fmt: skip
        self.sink.sentence("patients", [
            say(at(people, 0), "patients"), f" patients are diagnosed in {first} and ", say(at(people, -1), "patients"), f" in {last}: ",
            say(growth(at(people, 0), at(people, -1), self.intervals), "share"), " a year, as cancers become more frequent and are survived for longer.",
        ])  # fmt: skip
        found = [ratio(at(people, y), at(funnel["lm_cases"], y)) for y in (0, -1)]
        self.sink.sentence("found", [
            "Of all patients with LM ", say(found[0], "share"), f" are diagnosed in {first} and ", say(found[1], "share"), f" in {last}; of the diagnosed ",
            say(ratio(at(funnel["treated"], 0), at(people, 0)), "share"), f" are treated in {first}.",
        ])  # fmt: skip
        for dim, what in ((REGION, "region"), (SEGMENT, "segment"), (SUBTYPE, "subtype")):
            axis = self.axes.axis(dim)
            leaders = [self.sink.leader(f"revenue_by_{axis.name}", dim, axis.leaves, y) for y in (0, -1)]
            pieces: list[str | Array] = [
                f"The largest {what} by revenue is ",
                leaders[0],
                f" in {first} and ",
                leaders[1],
                f" in {last}.",
            ]
            self.sink.sentence(axis.name, pieces)


def shown_groups(axis: Axis) -> list[str]:
    """Groups in the order of tables: as the workbook lists them, the total last."""
    return [*(g for g in axis.groups if g != axis.total), axis.total]


def words(name: str) -> str:
    """A quantity's name as a heading."""
    return name.replace("_", " ").capitalize().replace("Lm ", "LM ").replace("Cns", "CNS")
