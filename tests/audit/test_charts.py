"""What charts refer to: cells and names that are there, or a breach that names the reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl.chart import LineChart
from openpyxl.chart.data_source import AxDataSource, NumData, NumDataSource, NumRef, NumVal, StrRef
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.text import Text
from openpyxl.chart.title import Title
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName

from lm_xl.audit.audit import audit

SOUND = {
    "values": "By_region!$B$2:$D$2",
    "categories": "'By_region'!$B$1:$D$1",
    "name": "'It''s (not), here'!$A$1",
    "title": "By_region!$A:$A",
}


def charted(path: Path, references: dict[str, str], *, literal: bool = False) -> list[str]:
    """What the rule for charts says of the references of a chart."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "By_region"
    sheet.append(["sales", 2025, 2026, 2027])
    sheet.append(["US", 1, 2, 3])
    book.create_sheet("It's (not), here")
    book.defined_names["sales"] = DefinedName("sales", attr_text="By_region!$B$2:$D$2")
    values = NumDataSource(numRef=NumRef(references["values"]))
    if literal:
        values = NumDataSource(numLit=NumData(ptCount=1, pt=[NumVal(idx=0, v="1")]))
    series = Series(order=0, idx=0, val=values, cat=AxDataSource(strRef=StrRef(references["categories"])))
    series.tx = SeriesLabel(v="Sales") if literal else SeriesLabel(strRef=StrRef(references["name"]))
    chart = LineChart()
    chart.title = Title(tx=Text(strRef=StrRef(references["title"])))
    chart.series = [series]
    sheet.add_chart(chart, "F2")
    book.save(path)
    rules = [(b.rule, b.sheet, b.cell, b.message) for b in audit(path) if "the reference" in b.message]
    assert {r[:3] for r in rules} <= {("W38", "By_region", "F2")}
    return [message for *_, message in rules]


@pytest.mark.parametrize(
    ("place", "reference"),
    [
        *((place, "'By_region'!$[$5") for place in SOUND),
        ("values", "'By_region'!$B$2:$[$2"),
        ("values", "By_region!#REF!"),
        ("values", "#REF!"),
        ("values", "By_region!$A$0"),
        ("values", "By_region!$XFE$2"),
        ("values", "By_region!$A$1048577"),
        ("values", "'By_region!$A$1"),
        ("values", "By_region!unknown"),
        ("values", "(By_region!$B$2,By_region!$[$2)"),
    ],
)
def test_an_unreadable_reference_is_a_breach(place: str, reference: str, tmp_path: Path) -> None:
    (message,) = charted(tmp_path / "chart.xlsx", SOUND | {place: reference})
    assert message == f"Chart 1: the reference {reference} cannot be read"


@pytest.mark.parametrize(
    "reference", ["Gone!$B$2:$D$2", "'By region'!$B$2", "[1]By_region!$B$2", "Gone!sales"]
)
def test_a_reference_to_no_sheet_is_a_breach(reference: str, tmp_path: Path) -> None:
    (message,) = charted(tmp_path / "chart.xlsx", SOUND | {"name": reference})
    assert message == f"Chart 1: the reference {reference} names a sheet that is not there"


@pytest.mark.parametrize(
    "reference",
    [
        "by_region!$B$2:$D$2",
        "(By_region!$B$2,By_region!$C$2:$D$2)",
        "[0]!sales",
        "By_region!SALES",
        "By_region!$2:$2",
    ],
)
def test_a_reference_that_can_be_read_is_none(reference: str, tmp_path: Path) -> None:
    assert charted(tmp_path / "chart.xlsx", SOUND | {"values": reference}) == []


def test_values_without_a_reference_are_none(tmp_path: Path) -> None:
    assert charted(tmp_path / "chart.xlsx", SOUND, literal=True) == []


def test_a_reference_is_reported_once_a_chart(tmp_path: Path) -> None:
    gone = "Gone!$A$1"
    assert len(charted(tmp_path / "chart.xlsx", SOUND | {"name": gone, "title": gone})) == 1
