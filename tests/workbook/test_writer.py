"""What the writer of a plan makes of formulas, and what the report may ask of either sink."""

from __future__ import annotations

import inspect

import numpy as np

import lm_xl
from lm_xl.model.cells import ROW, YEAR_COLUMN, Symbol
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.python_side import ReportNumbers
from lm_xl.workbook.plan.records import records_of
from lm_xl.workbook.plan.report import BY_SUBTYPE, Sink
from lm_xl.workbook.plan.writer import PlanWriter

LABELS = ("US", "Germany"), ("Pill",), ("Lung", "Breast")


def writer_of(a: lm_xl.Assumptions) -> PlanWriter:
    return PlanWriter(Plan(a, records_of(a)[1]))


def terms(*texts: str | int) -> np.ndarray:
    """Two regions by two subtypes: formulas, or structural zeros."""
    x = np.empty((1, 2, 1, 2, 1), dtype=object)
    x.reshape(-1)[:] = [Symbol(t) if isinstance(t, str) else t for t in texts]
    return x


def test_what_is_calculated_once_is_referred_to(small_assumptions: lm_xl.Assumptions) -> None:
    w = writer_of(small_assumptions)
    own = f"SUMIFS(Calc!{YEAR_COLUMN}$6:{YEAR_COLUMN}$9,$B{ROW})"
    w.put("Calc", "sales", terms(f"In!{YEAR_COLUMN}6*2", own, f"In!{YEAR_COLUMN}6*2", own), "USD", LABELS)
    first, second, third, fourth = (line.formula for line in w.plan.sheets["Calc"].lines)
    assert (first, third) == (f"In!{YEAR_COLUMN}6*2", f"{YEAR_COLUMN}6")
    # these have one text, but each names its own row
    assert (second, fourth) == tuple(own.replace(ROW, row).replace("Calc!", "") for row in "79")


def test_structural_zeros_get_no_line_and_the_order_is_kept(small_assumptions: lm_xl.Assumptions) -> None:
    w = writer_of(small_assumptions)
    cells = w.put("Calc", "share", terms("A!$G1", 0, "A!$G3", "A!$G4"), "share", LABELS, BY_SUBTYPE)
    lines = w.plan.sheets["Calc"].lines
    assert [line.at for line in lines] == [(0, 0, 0), (1, 0, 0), (1, 0, 1)]
    assert lines[1].keys == ("Germany", "Pill", "Lung")
    assert {line.columns for line in lines} == {(7,)}
    assert cells[0, 0, 0, 1, 0] == 0 and cells[0, 1, 0, 1, 0].text == "Calc!$G8"


def test_a_shared_block_has_one_line_for_what_has_one_formula(small_assumptions: lm_xl.Assumptions) -> None:
    w, axes = writer_of(small_assumptions), small_assumptions.axes
    x = np.full((1, len(axes.region), 1, len(axes.subtype), 1), Symbol("A!$G1"), dtype=object)
    x[0, 0, 0, 1:, 0] = Symbol("A!$G2")
    labels = axes.region.leaves, ("Pill",), axes.subtype.leaves
    cells = w.put("Calc", "price", x, "USD", labels, shared=True)
    first, others = axes.subtype.leaves[0], axes.subtype.group_of(range(1, len(axes.subtype)))
    assert [(line.formula, line.keys) for line in w.plan.sheets["Calc"].lines] == [
        ("A!$G1", (axes.region.total, "Pill", first)),
        ("A!$G2", (axes.region.leaves[0], "Pill", others)),
        ("$G6", (", ".join(axes.region.leaves[1:]), "Pill", others)),
    ]
    assert cells[0, -1, 0, -1, 0].text == "Calc!$G8" and w.plan.blocks["price"].shared


def test_both_sinks_answer_to_the_reports_protocol() -> None:
    asked = {name: f for name, f in vars(Sink).items() if inspect.isfunction(f) and not name.startswith("_")}
    assert len(asked) == 4
    for name, function in asked.items():
        takes = list(inspect.signature(function).parameters)
        for sink in (PlanWriter, ReportNumbers):
            assert list(inspect.signature(getattr(sink, name)).parameters)[: len(takes)] == takes, (
                sink,
                name,
            )
