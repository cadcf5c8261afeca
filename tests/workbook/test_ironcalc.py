"""The deliverable in IronCalc, an engine that no build uses: its values are the stored ones."""

from __future__ import annotations

from pathlib import Path

import ironcalc
import pytest
from python_calamine import CalamineWorkbook

from lm_xl.workbook.plan.layout import CHECKS, FORMULAS, HEADER_CELL

UNKNOWN = "#VALUE!"
"""What IronCalc makes of ISFORMULA over a range, which the checks of typed-over cells use, and of what rests on it."""


def told_apart(path: Path) -> tuple[int, list[str]]:
    """How many formulas were compared, and which differ."""
    model = ironcalc.load_from_xlsx(str(path), "en", "UTC")
    model.evaluate()
    book = CalamineWorkbook.from_path(path)
    compared, wrong = 0, []
    for sheet, title in enumerate(book.sheet_names):
        if title in (CHECKS, FORMULAS):
            continue
        rows = book.get_sheet_by_name(title).to_python(skip_empty_area=False)
        for row, values in enumerate(rows, 1):
            for column, stored in enumerate(values, 1):
                if stored == "" or not model.get_cell_content(sheet, row, column).startswith("="):
                    continue
                found = model.get_cell_value(sheet, row, column)
                if (row, column) == HEADER_CELL and found == UNKNOWN:
                    continue
                compared += 1
                if isinstance(stored, float) and isinstance(found, int | float):
                    same = found == pytest.approx(stored, rel=1e-9, abs=1e-9)
                else:
                    same = found == stored
                if not same:
                    wrong.append(f"{title}!{row},{column}: {found!r}, stored {stored!r}")
    return compared, wrong


def test_a_small_deliverable_agrees(small_built: Path) -> None:
    compared, wrong = told_apart(small_built)
    assert not wrong and compared > 1000


@pytest.mark.slow
def test_the_deliverable_agrees(deliverable: Path) -> None:
    compared, wrong = told_apart(deliverable)
    assert not wrong and compared > 100_000
