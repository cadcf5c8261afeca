"""The summary tables: the same functions of the model's outputs in Python and as formulas.

A sink takes each table as it is made: the traced plan writes it to its sheet, the verifier keeps its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from lm_xl.axes import PRIMARY, REGION, SEGMENT, Axes, Axis
from lm_xl.ops import Array, growth, millions, ratio, total, total_of
from lm_xl.schema import BASES, PATIENT_STAGES

Labels = Sequence[Sequence[str]]

REGION_SEGMENT = "Region_x_segment"
TABLES = {REGION: "By_region", SEGMENT: "By_segment", PRIMARY: "By_cancer"}
FUNNEL = PATIENT_STAGES


class Sink(Protocol):
    """Takes tables; returns what later tables refer to."""

    def put(self, title: str, name: str, x: Array, unit: str, labels: Labels, order: Sequence[int], style: str = ...) -> Array:
        """Write a block of lines."""

    def beside(self, title: str, name: str, x: Array, column: str, unit: str, block: Array) -> None:
        """Write one more column beside a block's lines."""

    def heading(self, title: str, text: str) -> None:
        """Start a table."""

    def fact(self, metric: str, name: str, x: Array, labels: Labels, unit: str) -> None:
        """Add a block to the long data."""

    def figure(self, place: int, name: str, x: Array, unit: str, what: str) -> None:
        """Put one number on the cover."""

    def at_year(self, x: Array, y: int) -> Array:
        """An array in one year, by position."""


def report(o: dict[str, Array], axes: Axes, year: Array, sink: Sink) -> None:
    """Every summary table of the deliverable."""
    leaves: list[Sequence[str]] = [axes.region.leaves, axes.segment.leaves, axes.primary.leaves]
    totals = [(axes.region.total,), (axes.segment.total,), (axes.primary.total,)]
    tables = _Tables(axes, year, sink)

    for stage in FUNNEL:
        people = o[stage]
        labels = [leaves[0], totals[1], leaves[2]]
        sink.fact(stage, stage, people, labels, "patients")
        tables.table(REGION, stage, total(people, PRIMARY), "patients")
        tables.table(PRIMARY, stage, total(people, REGION), "patients")
    tables.table(SEGMENT, "patients_on_therapy", total(o["patients_on_therapy"], REGION, PRIMARY), "patients")
    for basis, output in reversed(BASES.items()):
        sink.heading(REGION_SEGMENT, f"{_title(output)}, USD million")
        both = sink.put(
            REGION_SEGMENT, f"{output}_by_region_and_segment", millions(total(o[output], PRIMARY)), "USD million",
            [leaves[0], leaves[1], totals[2]], (0, 1, 2),
        )  # fmt: skip
        sink.fact(output, f"{output}_by_region_and_segment", both, [leaves[0], leaves[1], totals[2]], "USD million")
        regions = tables.table(REGION, output, total(both, SEGMENT), "USD million")
        tables.table(SEGMENT, output, total(both, REGION), "USD million")
        tables.table(PRIMARY, output, millions(total(o[output], REGION, SEGMENT)), "USD million")
        if basis == "risk_adjusted":
            world = regions[:, [shown_groups(axes.region).index(axes.region.total)]]
            first, last = axes.years[0], axes.years[-1]
            start, end = sink.at_year(world, 0), sink.at_year(world, -1)
            sink.figure(0, "cover_revenue_first", start, "USD million", f"Risk-adjusted net revenue {first}, USD million")
            sink.figure(1, "cover_revenue_last", end, "USD million", f"Risk-adjusted net revenue {last}, USD million")
            sink.figure(
                2, "cover_cagr", growth(start, end, sink.at_year(year, -1) - sink.at_year(year, 0)), "per year", f"CAGR {first}-{last}"
            )


class _Tables:
    """Tables over one axis: its leaves, then its groups, each line with its CAGR and its last year's share of the total."""

    def __init__(self, axes: Axes, year: Array, sink: Sink) -> None:
        self.axes, self.year, self.sink = axes, year, sink

    def table(self, dim: int, name: str, x: Array, unit: str) -> Array:
        """Write one table; returns its group lines."""
        axis, title = self.axes.axis(dim), TABLES[dim]
        order = shown_groups(axis)
        self.sink.heading(title, f"{_title(name)}, {unit}")
        name = f"{name}_by_{axis.name}"
        labels: list[Sequence[str]] = [(self.axes.axis(d).total,) for d in (REGION, SEGMENT, PRIMARY)]
        labels[dim - 1] = axis.leaves
        leaf = self.sink.put(title, name, x, unit, labels, (0, 1, 2))
        labels[dim - 1] = order
        groups = np.concatenate([total_of(leaf, dim, axis.members(g)) for g in order], axis=dim)
        group = self.sink.put(title, f"{name}_group", groups, unit, labels, (0, 1, 2), "lm total")
        whole = self.sink.at_year(np.take(group, [order.index(axis.total)], axis=dim), -1)
        intervals = self.sink.at_year(self.year, -1) - self.sink.at_year(self.year, 0)
        for part, block in ((name, leaf), (f"{name}_group", group)):
            start, end = self.sink.at_year(block, 0), self.sink.at_year(block, -1)
            self.sink.beside(title, f"{part}_cagr", growth(start, end, intervals), "F", "per year", block)
            self.sink.beside(title, f"{part}_share", ratio(end, whole), "G", "share", block)
        return group


def shown_groups(axis: Axis) -> list[str]:
    """Groups in the order of tables: as the workbook lists them, the total last."""
    return [*(g for g in axis.groups if g != axis.total), axis.total]


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize().replace("Lm ", "LM ")
