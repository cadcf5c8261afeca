"""The pages of a template of other axes than the shipped ones."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
import small

import lm_xl
from lm_xl.functions.template.build import template
from lm_xl.functions.template.examples import FUNCTION_SHEET
from lm_xl.functions.template.tables import MEASURES, TABLE_SHEETS, first_line
from lm_xl.model.axes import REGION


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
    revenue = lm_xl.forecast(a).series("risk_adjusted_sales")
    assert answers["LM_TABLE"] == pytest.approx(2 * revenue.sum(), rel=1e-9)  # of the leaf and of the total


def test_a_table_stands_where_charts_and_checks_look_for_it(
    of_one_region: tuple[lm_xl.Assumptions, Path],
) -> None:
    a, path = of_one_region
    book = openpyxl.load_workbook(path)
    for dim, title in TABLE_SHEETS.items():
        axis = a.axes.axis(dim)
        for measure in (m for m in MEASURES if dim in m.formulas):
            row = first_line(measure, dim, axis)
            lines = range(row, row + len(axis))
            assert book[title].cell(row - 1, 1).value == measure.title
            assert [book[title].cell(i, dim - REGION + 2).value for i in lines] == list(axis.leaves)
            assert {book[title].cell(i, 1).value for i in lines} == {measure.name}
