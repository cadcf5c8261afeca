"""Charts point at what they name, however many years there are."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
import small

import lm_xl
from lm_xl.xlsx.addresses import area_of

SIZES = (2, 7, 3, 25)
"""Regions, segments, subtypes, years: the last columns have two letters."""


def references(path: Path) -> list[tuple[str, str]]:
    """Every reference in every chart part of a package."""
    with zipfile.ZipFile(path) as package:
        return [
            (part, reference.replace("&apos;", "'"))
            for part in package.namelist()
            if re.fullmatch(r"xl/charts/chart\d+\.xml", part)
            for reference in re.findall(r"<(?:c:)?f>([^<]*)</", package.read(part).decode())
        ]


@pytest.fixture(scope="module")
def long_built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    a = lm_xl.read_assumptions(small.workbook(folder / "long.xlsx", SIZES))
    lm_xl.build(a, folder / "built.xlsx", draws=512)
    return folder / "built.xlsx"


def test_every_reference_of_a_chart_lies_within_the_used_cells_of_its_sheet(long_built: Path) -> None:
    book = openpyxl.load_workbook(long_built)
    found = references(long_built)
    assert len({part for part, _ in found}) == 16, (
        "all charts but those of uncertain inputs, which there are none of"
    )
    for part, reference in found:
        sheet, _, cells = reference.rpartition("!")
        ws, area = book[sheet.strip("'")], area_of(cells)
        assert area is not None, f"{part}: {reference} is not readable"
        assert area.bottom <= ws.max_row and area.right <= ws.max_column, f"{part}: {reference}"
        assert ws.cell(area.top, area.left).value is not None, f"{part}: {reference} begins at a blank cell"


def test_the_funnel_shows_the_first_and_the_last_year(long_built: Path) -> None:
    names = [r for _, r in references(long_built) if re.fullmatch(r"'Patients'!.*\$5", r)]
    assert names == ["'Patients'!$B$5", "'Patients'!$Z$5"]
