"""The whole deliverable as formulas: the model traced, then the report, the checks and the comparisons over it."""

from __future__ import annotations

from collections.abc import Mapping

from lm_xl.assumptions.assumptions import Assumptions, Keys
from lm_xl.model.evaluate import evaluate
from lm_xl.model.ops import Array
from lm_xl.model.outputs import OUTPUTS
from lm_xl.workbook.plan.checks import MASTER, add_checks
from lm_xl.workbook.plan.drivers import add_drivers
from lm_xl.workbook.plan.plan import BY_SET, Line, Plan, leaf_labels
from lm_xl.workbook.plan.records import INPUT_SHEETS, Written
from lm_xl.workbook.plan.report import report
from lm_xl.workbook.plan.staleness import BANNER, add_as_built
from lm_xl.workbook.plan.triangulation import add_triangulation

PROSE = ("Contents", "Method", "Glossary", "Charts", "Lists")
"""Sheets without formulas of the model, which show the master check in their header all the same."""
ANALYSES = ("Scenarios_and_bridge", "Tornado", "Uncertainty", "Convergence")
"""Sheets of analyses made at the time of building, each with a banner that tells whether the inputs are still the same."""
BANNER_CELL = (3, 1)
HEADER_CELL = (4, 1)
"""Row and column of the master check on every sheet."""


def trace(a: Assumptions, written: Written, built: Mapping[tuple[str, str], float] | None = None) -> Plan:
    """Every formula of the deliverable, and where its Python value is. `written` says where the assumptions' numbers stand.

    `built` are the sums of the inputs at the time of building, where that is past.
    """
    p = Plan(a, written)

    def put(name: str, x: Array) -> Array:
        output = OUTPUTS[name]
        order = (0, 2, 1) if name in BY_SET else (0, 1, 2)
        return p.put(output.sheet, name, x, output.unit, leaf_labels(a, x.shape[1:4]), order)

    inputs = p.inputs()
    outputs = evaluate(inputs, p.structure(), put)
    report({**inputs, **outputs}, a.axes, p.structure()["year"], p.choice(), p)
    add_triangulation(p)
    add_drivers(p)
    add_as_built(p, built)
    for title in ANALYSES:
        line = Line(
            *BANNER_CELL[:1],
            "",
            Keys("", "", ""),
            "",
            "",
            BANNER,
            BANNER_CELL[1:],
            "as built",
            (0, 0, 0),
            "lm check",
        )
        p.sheet(title).lines.append(line)
    add_checks(p)
    for title in dict.fromkeys((*p.sheets, *INPUT_SHEETS, *PROSE)):
        row, column = HEADER_CELL
        line = Line(row, "", Keys("", "", ""), "", "", MASTER, (column,), "master", (0, 0, 0), "lm check")
        p.sheet(title).lines.append(line)
    return p
