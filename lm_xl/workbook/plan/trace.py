"""The whole deliverable as formulas: the model traced, then the report, the checks and the comparisons over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Assumptions
from lm_xl.model.axes import Axis
from lm_xl.model.cells import Cell
from lm_xl.model.evaluate import evaluate
from lm_xl.model.ops import Array
from lm_xl.model.outputs import ADDED_UP, OUTPUTS
from lm_xl.workbook.plan.bounds import add_bounds
from lm_xl.workbook.plan.checks import MASTER, add_checks
from lm_xl.workbook.plan.drivers import add_drivers
from lm_xl.workbook.plan.front.cover import add_cover
from lm_xl.workbook.plan.front.dashboard import add_dashboard
from lm_xl.workbook.plan.front.drawn import Drawn
from lm_xl.workbook.plan.front.explorer import add_explorer
from lm_xl.workbook.plan.front.launches import add_launches
from lm_xl.workbook.plan.front.markets import add_markets
from lm_xl.workbook.plan.input_cells import InputCells
from lm_xl.workbook.plan.layout import BANNER_CELL, CONTENTS, HEADER_CELL
from lm_xl.workbook.plan.lines import Line, Plan
from lm_xl.workbook.plan.live_inputs import live_choice, live_inputs, live_shares, live_structure
from lm_xl.workbook.plan.products import shares_of
from lm_xl.workbook.plan.reconciliation import add_reconciliation
from lm_xl.workbook.plan.records import INPUT_SHEETS
from lm_xl.workbook.plan.report import BY_PATIENTS, BY_REGION, BY_SUBTYPE, report
from lm_xl.workbook.plan.staleness import ANALYSES, BANNER, add_as_built
from lm_xl.workbook.plan.triangulation import add_triangulation
from lm_xl.workbook.plan.writer import PlanWriter

PROSE = (CONTENTS, "Method", "Glossary", "Lists")
"""Sheets without formulas of the model, which show the master check in their header all the same."""
ORDERS = {
    "Calc_Share": BY_SUBTYPE,
    "tests": BY_PATIENTS,
    "Calc_Patients": BY_PATIENTS,
    "Calc_Sales": BY_PATIENTS,
}
"""Orders of the lines of a sheet or of one output, by region, segment, subtype elsewhere: a choice set's members stand together, and
so do the regions that sell the same to the same patients."""


def trace(
    a: Assumptions,
    cells: InputCells,
    built: Mapping[tuple[str, str], float] | None = None,
    drawn: Drawn | None = None,
    typed: Mapping[str, str | float] | None = None,
) -> Plan:
    """Every formula of the deliverable, and where its Python value is. `cells` says where the assumptions' numbers stand.

    `built` are the sums of the inputs at the time of building, where that is past; `drawn` are the percentiles that the file holds,
    `typed` what stands in the cells of its cover that a reader fills in.
    """
    p = Plan(a, cells, drawn=drawn or {}, typed=typed or {})
    writer = PlanWriter(p)

    def put(name: str, x: Array) -> Array:
        output = OUTPUTS[name]
        if not output.sheet:
            return x
        labels = _labels(a, x.shape[1:4])
        order = ORDERS.get(name, ORDERS.get(output.sheet, BY_REGION))
        without = _without(name, x, a.axes.segment)
        lines = np.where(without, 0, x)
        written = writer.put(
            output.sheet, name, lines, output.unit, labels, order, shared=name not in ADDED_UP
        )
        return np.where(without, x, written)

    inputs, structure = live_inputs(p), live_structure(a)
    outputs = evaluate(inputs, structure, put)
    writer.cells |= inputs
    shares = shares_of(a, live_shares(p))
    report({**inputs, **outputs}, a.axes, live_choice(p), shares, writer)
    add_triangulation(writer)
    add_reconciliation(writer)
    add_drivers(p)
    add_dashboard(p)
    add_markets(p)
    add_explorer(writer)
    add_launches(writer)
    add_cover(p)
    add_as_built(p, built)
    add_bounds(p)
    _repeat(p, ANALYSES, BANNER_CELL, BANNER, "as built")
    add_checks(p)
    _repeat(p, tuple(dict.fromkeys((*p.sheets, *INPUT_SHEETS, *PROSE))), HEADER_CELL, MASTER, "master")
    return p


def _without(name: str, x: Array, segment: Axis) -> Array:
    """What of an output has no lines of its own, since it stands elsewhere: an entrant's share is its claim, and so is that of an
    incumbent whom no entrant displaces; what an only entrant takes of a set is its claim; what is not displaced sells net sales,
    times its success where it is an entrant."""
    without = np.zeros(x.shape, dtype=bool)
    if name in ("share", "entrant_total"):
        without |= np.vectorize(lambda term: isinstance(term, Cell), otypes=[bool])(x)
    if name == "share":
        without[:, :, segment.having("entrant", "test")] = True
    elif name == "risk_adjusted_sales":
        without[:, :, np.isin(range(len(segment)), segment.displaced(), invert=True)] = True
    return without


def _repeat(p: Plan, titles: Sequence[str], place: tuple[int, int], cell: str, array: str) -> None:
    """Show a cell in the same place of several sheets."""
    row, column = place
    for title in titles:
        line = Line(row=row, columns=(column,), formula=cell, array=array, style="lm check")
        p.sheet(title).lines.append(line)


def _labels(a: Assumptions, shape: Sequence[int]) -> list[tuple[str, ...]]:
    """Labels by position for an array (region, segment, subtype): the total's label where an axis has size 1."""
    axes = [a.axes.axis(dim) for dim in DIMS]
    return [
        axis.leaves if size > 1 or len(axis) == 1 else (axis.total,)
        for axis, size in zip(axes, shape, strict=True)
    ]
