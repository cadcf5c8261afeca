"""The sums of the inputs as built: their weights, and files that have lost them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import openpyxl
import pytest

import lm_xl
from lm_xl.workbook.plan.staleness import AS_BUILT, BUILT, FIRST_SUM, built_sums, summed, weight
from lm_xl.workbook.verify import verify


def test_no_two_rows_of_a_sheet_weigh_the_same() -> None:
    weights = [weight(row) for row in range(6, 5006)]
    assert len(set(weights)) == len(weights)
    assert min(weights) >= 1 and max(weights) < 2
    # numbers that change places move the sum by far more than rounding does
    assert min(abs(a - b) for a, b in pairwise(weights)) > 0.3


def test_a_file_without_its_sums_is_refused_and_told_so(small_built: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(small_built)
    del book[AS_BUILT]
    book.save(path := tmp_path / "lost.xlsx")
    with pytest.raises(lm_xl.Refused, match=f"{AS_BUILT}.*the sheet is missing or has no formulas"):
        verify(path)


def test_sums_are_read_where_all_are_numbers(
    small_built: Path, small_assumptions: lm_xl.Assumptions, tmp_path: Path
) -> None:
    years = small_assumptions.axes.years
    sums = built_sums(small_built, years)
    assert sums is not None and tuple(sums) == summed(years)
    book = openpyxl.load_workbook(small_built)
    book[AS_BUILT].cell(FIRST_SUM + 1, BUILT).value = "many"
    book.save(path := tmp_path / "text.xlsx")
    assert built_sums(path, years) is None
