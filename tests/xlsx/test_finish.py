"""A finished package: charts that hold their values, and what other readers need; the cells read as before."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.chart.label import DataLabelList
from openpyxl.comments import Comment
from openpyxl.styles import Font

from lm_xl.xlsx.finish import finish

WORDS = [" a <b> & c ", "a", None, "a", "naïve\n"]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The parts of a finished workbook."""
    path = tmp_path_factory.mktemp("finish") / "a.xlsx"
    book = openpyxl.Workbook()
    ws = book["Sheet"]
    ws.title = "It's here"
    for row, word in enumerate(WORDS, 1):
        ws.cell(row, 1, word).data_type = "s"
        ws.cell(row, 2, f"=A{row}")
        ws.cell(row, 3, 2024 + row)
    ws["D1"].font = Font("Arial", 9, bold=True)
    ws["A1"].font, ws["A1"].comment = Font("Arial", 9, bold=True), Comment("said", "us")
    for names in (1, 3):
        chart = BarChart()
        chart.add_data(Reference(ws, min_col=2, min_row=1, max_row=5))
        chart.dataLabels = DataLabelList(numFmt="0.0", showVal=True)
        chart.set_categories(Reference(ws, min_col=names, min_row=1, max_row=5))
        ws.add_chart(chart)
    book.properties.title = "Sales & more"
    book.save(path)
    finish(path, {"It's here": {"B1": 1 / 3, "B2": 2.0, "B4": "n/a"}}, timeless=True)
    assert [c.value for c in openpyxl.load_workbook(path).worksheets[0]["A"]] == WORDS
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name).decode() for name in package.namelist()}


def test_charts_keep_the_values_of_their_cells(parts: dict[str, str]) -> None:
    words, years = (parts[f"xl/charts/chart{i}.xml"] for i in (1, 2))
    values = '<c:ptCount val="5"/><c:pt idx="0"><c:v>0.3333333333</c:v></c:pt><c:pt idx="1"><c:v>2</c:v></c:pt></c:numCache>'
    assert values in words and values in years
    assert "<c:cat><c:strRef><c:f>'It''s here'!$A$1:$A$5</c:f><c:strCache>" in words.replace("&apos;", "'")
    assert '<c:pt idx="0"><c:v> a &lt;b&gt; &amp; c </c:v></c:pt>' in words and '<c:pt idx="2">' not in words
    assert '<c:numFmt formatCode="0.0" sourceLinked="0"/>' in words
    assert re.search(r"<c:cat><c:numRef><c:f>[^<]*</c:f><c:numCache>.*<c:v>2029</c:v>", years)


def test_a_blank_cell_has_a_look_and_no_type(parts: dict[str, str]) -> None:
    # some readers take one of type n for a 0, and then a blank for a number
    assert re.search(r'<c r="D1" s="\d+"(?:/>|></c>)', parts["xl/worksheets/sheet1.xml"])
    assert 't="n"' not in parts["xl/worksheets/sheet1.xml"]


def test_texts_are_shared_and_none_is_bare(parts: dict[str, str]) -> None:
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert "inlineStr" not in sheet and re.findall(r'r="A(\d)"[^>]*t="s"><v>(\d)', sheet) == [
        ("1", "0"), ("2", "1"), ("4", "1"), ("5", "2"),
    ]  # fmt: skip
    assert 'uniqueCount="3"' in parts["xl/sharedStrings.xml"]


def test_every_target_is_relative_and_there(parts: dict[str, str]) -> None:
    assert "xl/comments1.xml" in parts and "xl/drawings/vmlDrawing1.vml" in parts
    for name in (n for n in parts if n.endswith(".rels")):
        folder = Path(name).parent.parent
        for target in re.findall('Target="([^"]*)"', parts[name]):
            assert not target.startswith("/")
            assert (Path("/") / folder / target).resolve().relative_to("/").as_posix() in parts
    listed = re.findall('PartName="/([^"]*)"', parts["[Content_Types].xml"])
    assert set(listed) <= set(parts) and "xl/sharedStrings.xml" in listed


def test_no_library_signs_and_fonts_are_in_order(parts: dict[str, str]) -> None:
    assert "<Application>Sales &amp; more</Application></Properties>" in parts["docProps/app.xml"]
    assert re.search('<font><b val="1"/><sz val="9"/><name val="Arial"/>', parts["xl/styles.xml"])
    assert parts["docProps/core.xml"].count(">2025-01-01T00:00:00Z<") == 2
