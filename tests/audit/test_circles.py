"""Circles of formulas: each once, by its first cell, after those that it depends on."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl.workbook import Workbook

from lm_xl.audit.audit import audit
from lm_xl.audit.rules import circles

CELL = "refers to itself in a circle of this cell"


def circles_in(path: Path, formulas: dict[str, str]) -> list[tuple[str, str]]:
    """The circles of a sheet with some formulas: cell and message."""
    book = Workbook()
    for address, formula in formulas.items():
        book.worksheets[0][address] = formula
    book.save(path)
    return [(b.cell, b.message) for b in audit(path) if b.rule == "W18"]


def test_separate_circles_and_a_self_reference(tmp_path: Path) -> None:
    formulas = {
        "B2": "=B3+1",
        "B3": "=B2",
        "C3": "=B2",
        "D5": "=D5+1",
        "B7": "=C8+C8",
        "C8": "=B7*2+B7",
        "A9": "=B7",
    }
    found = circles_in(tmp_path / "separate.xlsx", formulas)
    assert found == [("B2", f"{CELL} and 1 more cells"), ("D5", CELL), ("B7", f"{CELL} and 1 more cells")]


@pytest.mark.parametrize(("first", "second"), [("A5", "A8"), ("A8", "A5")])
def test_a_circle_comes_after_those_it_depends_on(first: str, second: str, tmp_path: Path) -> None:
    formulas = {"A1": f"=A1+{first}+{second}", "A5": "=A6", "A6": "=A5", "A8": "=SUM(A8:A9)"}
    found = circles_in(tmp_path / "dependent.xlsx", formulas)
    assert [cell for cell, _ in found] == [first, second, "A1"]


def test_circles_in_the_same_rows_are_told_apart(tmp_path: Path) -> None:
    formulas = {"B2": "=B3", "B3": "=B2", "C2": "=SUM(C3:C4)", "C4": "=C2", "E2": "=D3", "D3": "=E3"}
    found = circles_in(tmp_path / "rows.xlsx", formulas)
    assert found == [("B2", f"{CELL} and 1 more cells"), ("C2", f"{CELL} and 1 more cells")]


def test_too_many_references_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circles, "MOST_LINKS", 5)
    sums = {f"A{row}": f"=SUM(A{row + 1}:A{row + 3})" for row in range(1, 8)}
    found = circles_in(tmp_path / "many.xlsx", sums)
    assert found == [("A2", "more than 5 references in search of circles: the rest was not looked at")]
