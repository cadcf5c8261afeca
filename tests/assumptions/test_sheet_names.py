"""A sheet is known by its name whatever the case of its letters."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
import small

import lm_xl
from lm_xl.assumptions.columns import WANTED


@pytest.fixture(scope="module")
def capitals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small workbook, and the same with the names of its sheets in capitals."""
    sound = small.workbook(tmp_path_factory.mktemp("names") / "sound.xlsx", (2, 4, 2, 3))
    book = openpyxl.load_workbook(sound)
    for name in WANTED:
        sheet = book[name]
        sheet.title = "renamed"
        sheet.title = name.upper()
    path = sound.with_name("capitals.xlsx")
    book.save(path)
    return sound, path


def test_capitals_in_the_names_of_sheets_change_nothing(capitals: tuple[Path, Path]) -> None:
    plain, loud = map(lm_xl.read_assumptions, capitals)
    assert loud.identity == plain.identity
    assert loud.rows == plain.rows


def test_a_workbook_with_capitals_in_the_names_of_its_sheets_can_be_built(
    capitals: tuple[Path, Path], tmp_path: Path
) -> None:
    built = tmp_path / "built.xlsx"
    lm_xl.build(lm_xl.read_assumptions(capitals[1]), built)
    assert lm_xl.read_assumptions(built).identity == lm_xl.read_assumptions(capitals[0]).identity
