"""Inputs as live cells: a delta is a step on the one before, and elements that share steps share their lines."""

from __future__ import annotations

from pathlib import Path

import formualizer
import small
from openpyxl.utils.cell import coordinate_to_tuple

import lm_xl
from lm_xl.model.cells import YEAR_COLUMN
from lm_xl.workbook.plan.front.launches import LAUNCHES_PAGE
from lm_xl.workbook.plan.input_cells import Choice, Numbers
from lm_xl.workbook.plan.layout import FIRST_ROW, INPUTS
from lm_xl.workbook.plan.lines import Line, Plan
from lm_xl.workbook.plan.live_inputs import live_inputs
from lm_xl.workbook.plan.python_side import PythonSide
from lm_xl.workbook.plan.records import records_of
from lm_xl.workbook.plan.trace import trace
from lm_xl.workbook.words.prose import text


def two_deltas(records: dict[str, list[dict[str, object]]]) -> None:
    """The world's price ratio is doubled, and then replaced in one region."""
    common = {**records["Scenarios"][0], "quantity": "price_ratio", "segment": "Brands", "subtype": ""}
    records["Scenarios"] = [
        {**common, "region": "Global", "operation": "multiply", "amount": 2},
        {**common, "region": "Germany", "operation": "set", "amount": 0.25},
    ]


def lines_of(p: Plan, quantity: str, region: str) -> list[tuple[Line, tuple[int, ...]]]:
    lines = [line for line in p.sheets[INPUTS].lines if line.array == INPUTS]
    return [
        (line, p.steps[line.at[0]][1])
        for line in lines
        if (line.quantity, line.keys.region, line.keys.segment) == (quantity, region, "Brands")
    ]


def test_each_delta_is_a_step_on_the_one_before(tmp_path: Path) -> None:
    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=two_deltas))
    p = Plan(a, records_of(a)[1])
    live_inputs(p)
    base, doubled, replaced = (
        found for found in lines_of(p, "price_ratio", "Germany") if found[1] in ((), (0,), (0, 1))
    )
    assert [deltas for _, deltas in (base, doubled, replaced)] == [(), (0,), (0, 1)]
    switch = {line.at[0]: line.row for line in p.sheets[INPUTS].lines if line.array == "active"}
    before = [f"{INPUTS}!$G{line.row}" for line, _ in (base, doubled)]
    assert doubled[0].formula == f"IF({INPUTS}!$G{switch[0]},{before[0]}*Scenarios!$G$6,{before[0]})"
    assert replaced[0].formula == f"IF({INPUTS}!$G{switch[1]},Scenarios!$G$7,{before[1]})"
    assert len(p.steps) == len(set(p.steps))


def test_python_steps_the_same_way(tmp_path: Path) -> None:
    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=two_deltas))
    p = trace(a, records_of(a)[1])
    (line,) = (line for line, deltas in lines_of(p, "price_ratio", "Germany") if deltas == (0, 1))
    (own,) = (line for line, deltas in lines_of(p, "price_ratio", "Germany") if deltas == ())
    values = {
        s: [PythonSide(p, Numbers.of(a), Choice.of(a.axes, scenario=s)).values(x) for x in (own, line)]
        for s in ("Base", "High")
    }
    assert values["Base"][0] == values["Base"][1]
    assert values["High"][1] == [0.25] != values["High"][0]


def test_fills_run_over_the_years_and_constants_do_not(small_assumptions: lm_xl.Assumptions) -> None:
    p = Plan(small_assumptions, records_of(small_assumptions)[1])
    cells = live_inputs(p)
    assert cells["care_access"][0, -1, 0, 0, 0].column == YEAR_COLUMN  # linear
    assert cells["treatment_rate"][0, -1, 0, 0, 0].column == YEAR_COLUMN  # yearly
    assert cells["index_year"].item().column == "G"


def test_a_launch_past_its_patent_is_told_as_soon_as_it_is_typed(small_built: Path) -> None:
    """The dates are compared in the workbook itself: a patent of 2020, then a launch of 2040, and the price and the sales follow."""
    a = lm_xl.read_assumptions(small_built)
    workbook = formualizer.load_workbook(str(small_built))

    def typed(quantity: str, number: float) -> None:
        for row in a.rows:
            if row.quantity == quantity:
                at = coordinate_to_tuple(row.cells[0])
                workbook.set_value(row.sheet, *at, number)

    def told() -> set[str]:
        workbook.evaluate_all()
        said = {workbook.get_value(LAUNCHES_PAGE, row, 1) for row in range(FIRST_ROW, FIRST_ROW + 20)}
        return said & {text("pages", "exclusive_years_told"), text("pages", "launch_told")}

    assert told() == set()
    typed("patent_expiry", 2020)
    assert told() == set()  # its orphan exclusivity protects it
    typed("orphan_exclusivity", 0)
    assert told() == {text("pages", "exclusive_years_told")}
    typed("planned_launch", 2040)
    assert told() == {text("pages", "exclusive_years_told"), text("pages", "launch_told")}
