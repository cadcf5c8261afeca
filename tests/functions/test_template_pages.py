"""The pages of a template of other axes than the shipped ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
import small

import lm_xl
from lm_xl.functions import headless
from lm_xl.functions.template.build import template
from lm_xl.functions.template.examples import FUNCTION_SHEET
from lm_xl.functions.template.tables import MEASURES, TABLE_SHEETS
from lm_xl.functions.template.what_if import FACTOR_ROW, WHAT_IF, WHY_ROW
from lm_xl.workbook.plan.layout import FIRST_ROW
from lm_xl.workbook.plan.report import shown_groups


@pytest.fixture(scope="module")
def of_one_region(tmp_path_factory: pytest.TempPathFactory) -> tuple[lm_xl.Assumptions, Path]:
    """Its table by region has a leaf and the total, and no third line."""
    folder = tmp_path_factory.mktemp("one_region")
    a = lm_xl.read_assumptions(small.workbook(folder / "assumptions.xlsx", (1, 4, 3, 4)))
    template(a, folder / "template.xlsx", host="lite")
    return a, folder / "template.xlsx"


def test_the_example_of_a_table_sums_lines_that_are_there(
    of_one_region: tuple[lm_xl.Assumptions, Path],
) -> None:
    a, path = of_one_region
    shown = openpyxl.load_workbook(path, data_only=True)[FUNCTION_SHEET]
    answers = {row[0]: row[2] for row in shown.iter_rows(values_only=True)}
    revenue = lm_xl.forecast(a).series("risk_adjusted_sales", segment=a.axes.headline)
    assert answers["LM_TABLE"] == pytest.approx(2 * revenue.sum(), rel=1e-9)  # of the leaf and of the total


def test_tables_stand_one_after_the_other_with_a_blank_row_between(
    of_one_region: tuple[lm_xl.Assumptions, Path],
) -> None:
    a, path = of_one_region
    book = openpyxl.load_workbook(path)
    for dim, title in TABLE_SHEETS.items():
        axis, expected = a.axes.axis(dim), []
        for measure in (m for m in MEASURES if dim in m.formulas):
            lines = [(measure.name, label) for label in (*axis.leaves, *shown_groups(axis))]
            expected += [(measure.title, None), *lines, (None, None)]
        rows = book[title].iter_rows(FIRST_ROW, FIRST_ROW + len(expected) - 2, values_only=True)
        assert [(row[0], row[dim]) for row in rows] == expected[:-1]
        assert book[title].max_row == FIRST_ROW + len(expected) - 2


def test_what_if_tells_of_the_choice_that_is_wrong_alone(tmp_path: Path) -> None:
    """The other choice is right, and has a note of its own that is none of what is wrong."""

    def late(sheets: dict[str, list[dict[str, Any]]]) -> None:
        for row in (r for r in sheets["Launches"] if r["quantity"] == "planned_launch"):
            row["value"] = 2040

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "assumptions.xlsx", (1, 4, 3, 4), change=late))
    template(a, tmp_path / "template.xlsx", host="lite")
    book = headless.open_workbook(tmp_path / "template.xlsx")
    for factor, words in ((0.9, "nothing"), ("half", "#VALUE! 'half' where a number is due")):
        book.set_value(WHAT_IF, FACTOR_ROW, 2, factor)
        book.evaluate_all()
        shown = book.get_value(WHAT_IF, WHY_ROW, 2)
        assert shown.startswith(words) and "note:" not in shown
