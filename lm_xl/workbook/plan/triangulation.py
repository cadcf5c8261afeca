"""The model beside published figures, each at its own scope: regions, segments, subtypes, year."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lm_xl.assumptions.assumptions import Published
from lm_xl.model import stages
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, YEAR
from lm_xl.model.ops import Array, millions, total_of
from lm_xl.workbook.plan.layout import BAND, COVER
from lm_xl.workbook.plan.lines import Line, Plan, PythonValues
from lm_xl.workbook.plan.writer import PlanWriter
from lm_xl.xlsx.addresses import column_letters, split_address

TRIANGULATION, SCOPES = "Triangulation", "Calc_Triangulation"
LOW, HIGH = 0.5, 2
FIRST_FIGURE = 6
PUBLISHED_COLUMN, MODEL_COLUMN, RATIO_COLUMN, STATUS_COLUMN = 5, 6, 7, 8
"""Columns of the published value, the model's, their ratio, and whether it lies in the band."""
WITHIN, OUTSIDE = "within the band", "OUTSIDE the band"


def add_triangulation(writer: PlanWriter) -> None:
    """Write each published figure's comparison."""
    for k, figure in enumerate(writer.plan.assumptions.published):
        _write_comparison(writer, k, figure)
    # the page is there without figures too
    writer.plan.sheet(TRIANGULATION)


def model_year(p: Plan, figure: Published) -> int:
    """The model's year nearest to a figure's."""
    return p.assumptions.axes.nearest_year(figure.year)


@dataclass(frozen=True)
class Scope:
    """The part of a block that a figure is compared with: some regions, and some members of one more axis, in one year."""

    block: str
    regions: Sequence[int]
    dim: int
    members: Sequence[int]

    def of(self, at_year: Callable[[str], Array]) -> Array:
        """What each region of the scope adds to the model's figure, of blocks in one year; of sales at list price what is left after rebates."""
        summed = total_of(np.take(at_year(self.block), self.regions, axis=REGION), self.dim, self.members)
        if self.block != "gross_sales":
            return summed
        return stages.net_sales(millions(summed), np.take(at_year("gross_to_net"), self.regions, axis=REGION))


def _scope_of(p: Plan, figure: Published) -> Scope:
    """Patients by subtype; revenue by segment, or by subtype where the figure is of some subtypes only."""
    axes, keys = p.assumptions.axes, figure.keys
    regions = list(axes.region.members(keys.region))
    segments, subtypes = list(axes.segment.members(keys.segment)), list(axes.subtype.members(keys.subtype))
    if figure.metric == "patients":
        return Scope("diagnosed", regions, SUBTYPE, subtypes)
    if len(subtypes) == len(axes.subtype):
        return Scope("net_sales_by_region_and_segment", regions, SEGMENT, segments)
    return Scope("gross_sales", regions, SUBTYPE, subtypes)


def _write_comparison(writer: PlanWriter, k: int, figure: Published) -> None:
    p, scope, part = writer.plan, _scope_of(writer.plan, figure), f"triangulation_{k}"
    heading = f"{figure.publisher}: {figure.what}, {figure.keys}, compared with {model_year(p, figure)}"
    writer.heading(SCOPES, heading)
    write_parts(writer, part, scope, figure, "patients" if figure.metric == "patients" else "USD million")
    _write_ratio(p, k, figure, part)


def write_parts(writer: PlanWriter, part: str, scope: Scope, figure: Published, unit: str) -> None:
    """Write what each region adds to the scope of a figure in the model's nearest year, as a block of the name `part`."""
    p = writer.plan
    year = p.years.index(model_year(p, figure))
    leaves = p.assumptions.axes.region.leaves
    of_segments = scope.block == "gross_sales"
    segments = p.assumptions.axes.segment.leaves if of_segments else (figure.keys.segment,)
    labels = [leaves[r] for r in scope.regions], segments, (figure.keys.subtype,)
    writer.put(SCOPES, part, scope.of(lambda name: writer.at_year(writer.cells[name], year)), unit, labels)

    def summed(arrays: Mapping[str, Array]) -> Array:
        return scope.of(lambda name: arrays[name][..., [min(year, arrays[name].shape[YEAR] - 1)]])

    p.reducers[part] = summed


def _write_ratio(p: Plan, k: int, figure: Published, part: str) -> None:
    """The published value, the model's, their ratio and what to say of it. Revenue of the model stands in millions."""
    row, sheet = FIRST_FIGURE + k, p.sheet(TRIANGULATION)
    thousand = 1000 if figure.metric == "revenue" else 1

    def published(python: PythonValues) -> float:
        return python.numbers.figures[k]

    def model(python: PythonValues) -> float:
        return float(python.block(part).sum()) * thousand * thousand

    def ratio(python: PythonValues) -> float:
        return model(python) / published(python) if published(python) else float("nan")

    def status(python: PythonValues) -> str:
        low, high = (float(p.typed.get(BAND[side], limit)) for side, limit in (("low", LOW), ("high", HIGH)))
        return WITHIN if low <= ratio(python) <= high else OUTSIDE

    a, b, c = (f"{column_letters(x)}{row}" for x in (PUBLISHED_COLUMN, MODEL_COLUMN, RATIO_COLUMN))
    low, high = (f"{COVER}!{fixed(address)}" for address in BAND.values())
    money = "*1000*1000" if figure.metric == "revenue" else ""
    unit = "patients" if figure.metric == "patients" else "dollars"
    for column, name, formula, shown, measure in (
        (PUBLISHED_COLUMN, "published", f"Published!{p.cells.figures[k]}", unit, published),
        (MODEL_COLUMN, "model", f"SUM({p.range(part)}){money}", unit, model),
        (RATIO_COLUMN, "ratio", f'IF({a}=0,"n/a",{b}/{a})', "ratio", ratio),
        (STATUS_COLUMN, "status", f'IF(AND({c}>={low},{c}<={high}),"{WITHIN}","{OUTSIDE}")', "text", status),
    ):
        p.measures[f"{name} {k}"] = measure
        line = Line(
            row=row,
            columns=(column,),
            formula=formula,
            array=f"{name} {k}",
            quantity=figure.publisher,
            unit=shown,
        )
        sheet.lines.append(line)


def fixed(address: str) -> str:
    """A reference to a cell of the page that stays when it is copied."""
    column, row = split_address(address)
    return f"${column}${row}"
