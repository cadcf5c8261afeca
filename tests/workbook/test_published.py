"""The page of published figures where a market has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import small
from conftest import DRAWS

import lm_xl
from lm_xl.audit.audit import audit
from lm_xl.workbook.verify import verify


def test_a_market_without_published_figures_is_built(tmp_path: Path) -> None:
    def without(records: dict[str, list[dict[str, Any]]]) -> None:
        records["Published"] = []

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=without))
    lm_xl.build(a, path := tmp_path / "b.xlsx", draws=DRAWS)
    assert verify(path).passed
    assert [b for b in audit(path) if b.sheet.startswith(("Triangulation", "Calc_Triangulation"))] == []
    book = openpyxl.load_workbook(path)
    assert book["Triangulation"]["A4"].value == "=Checks!$B$6"
    assert "Calc_Triangulation" not in book.sheetnames
