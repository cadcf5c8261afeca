"""The whole deliverable as formulas: the model traced, then the report, the checks and the comparisons over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lm_xl.assumptions.assumptions import DIMS, Assumptions
from lm_xl.model.evaluate import evaluate
from lm_xl.model.ops import Array
from lm_xl.model.outputs import OUTPUTS
from lm_xl.workbook.plan.checks import MASTER, add_checks
from lm_xl.workbook.plan.drivers import add_drivers
from lm_xl.workbook.plan.input_cells import InputCells
from lm_xl.workbook.plan.layout import BANNER_CELL, HEADER_CELL
from lm_xl.workbook.plan.lines import Line, Plan
from lm_xl.workbook.plan.live_inputs import live_choice, live_inputs, live_shares, live_structure
from lm_xl.workbook.plan.products import shares_of
from lm_xl.workbook.plan.reconciliation import add_reconciliation
from lm_xl.workbook.plan.records import INPUT_SHEETS
from lm_xl.workbook.plan.report import BY_REGION, BY_SUBTYPE, report
from lm_xl.workbook.plan.staleness import BANNER, add_as_built
from lm_xl.workbook.plan.triangulation import add_triangulation
from lm_xl.workbook.plan.writer import PlanWriter

PROSE = ("Contents", "Pipeline", "Method", "Glossary", "Charts", "Lists")
"""Sheets without formulas of the model, which show the master check in their header all the same."""
ANALYSES = ("Scenarios_and_bridge", "Tornado", "Uncertainty", "Convergence")
"""Sheets of analyses made at the time of building, each with a banner that tells whether the inputs are still the same."""
BY_SET = (
    "entrant_claim",
    "entrant_total",
    "expected_claim",
    "expected_total",
    "incumbent_claim",
    "incumbent_total",
    "share",
    "expected_share",
)
"""Blocks ordered region, subtype, segment, so that a choice set's members stand together; the others region, segment, subtype."""


def trace(a: Assumptions, cells: InputCells, built: Mapping[tuple[str, str], float] | None = None) -> Plan:
    """Every formula of the deliverable, and where its Python value is. `cells` says where the assumptions' numbers stand.

    `built` are the sums of the inputs at the time of building, where that is past.
    """
    p = Plan(a, cells)
    writer = PlanWriter(p)

    def put(name: str, x: Array) -> Array:
        output, order = OUTPUTS[name], BY_SUBTYPE if name in BY_SET else BY_REGION
        return writer.put(output.sheet, name, x, output.unit, _labels(a, x.shape[1:4]), order)

    inputs, structure = live_inputs(p), live_structure(a)
    outputs = evaluate(inputs, structure, put)
    shares = shares_of(a, live_shares(p))
    report({**inputs, **outputs}, a.axes, structure["year"], live_choice(p), shares, writer)
    add_triangulation(writer)
    add_reconciliation(writer)
    add_drivers(p)
    add_as_built(p, built)
    _repeat(p, ANALYSES, BANNER_CELL, BANNER, "as built")
    add_checks(p)
    _repeat(p, tuple(dict.fromkeys((*p.sheets, *INPUT_SHEETS, *PROSE))), HEADER_CELL, MASTER, "master")
    return p


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
