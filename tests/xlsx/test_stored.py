"""Stored values: other values, and every other byte of the workbook as it was, whichever program wrote it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.chart import BarChart, Reference

from lm_xl.faults import CallError, Refused
from lm_xl.xlsx.package import FIRST_DAY, opened, repacked
from lm_xl.xlsx.splice import StoredValue, with_values
from lm_xl.xlsx.stored import store_values, write_values
from lm_xl.xlsx.workbook_file import WorkbookFile

SPLICED: dict[str, tuple[str, dict[str, StoredValue], str]] = {
    "number": ('<row r="1"><c r="A1" s="2"><f>1/3</f><v></v></c></row>', {"A1": 1 / 3},
               '<row r="1"><c r="A1" s="2"><f>1/3</f><v>0.333333333333333</v></c></row>'),
    "residue": ('<row r="1"><c r="A1"><v>0</v></c></row>', {"A1": -1.5e-17}, '<row r="1"><c r="A1"><v>-1.5e-17</v></c></row>'),
    "text": ('<row r="1"><c r="A1" t="n"><f>B1</f><v>2</v></c></row>', {"A1": "a<b>&c\r_x0041_"},
             '<row r="1"><c r="A1" t="str"><f>B1</f><v>a&lt;b&gt;&amp;c_x000D__x005F_x0041_</v></c></row>'),
    "truth value": ("<row r='1'><c t='str' r='A1'><f>B1</f><v>x</v></c></row>", {"A1": True},
                    "<row r='1'><c r='A1' t=\"b\"><f>B1</f><v>1</v></c></row>"),
    "error": ('<row r="1"><c r="A1"><f>B1</f></c></row>', {"A1": CallError("#N/A", "")},
              '<row r="1"><c r="A1" t="e"><f>B1</f><v>#N/A</v></c></row>'),
    "no value": ('<row r="1"><c r="A1" t="str"><f>B1</f><v>x</v></c><c r="D1" t="s"/></row>', {"A1": None, "B1": None, "D1": None, "A7": None},
                 '<row r="1"><c r="A1"><f>B1</f></c><c r="D1"/></row>'),
    "text in place": ('<row r="1"><c r="A1" t="inlineStr"><is><r><t>a</t></r></is></c></row>', {"A1": 5},
                      '<row r="1"><c r="A1"><v>5</v></c></row>'),
    "prefixes": ('<x:row r="1"><x:c r="A1"><x:f>B1</x:f><x:v/></x:c></x:row>', {"A1": 1, "B1": 2, "A3": 3},
                 '<x:row r="1"><x:c r="A1"><x:f>B1</x:f><x:v>1</x:v></x:c><x:c r="B1"><x:v>2</x:v></x:c></x:row>'
                 '<x:row r="3"><x:c r="A3"><x:v>3</x:v></x:c></x:row>'),
    "places left out": ('<row><c/><c/></row><row r="4"><c r="B4"/><c><v>8</v></c></row>', {"B1": 2, "C4": 9},
                        '<row><c/><c><v>2</v></c></row><row r="4"><c r="B4"/><c><v>9</v></c></row>'),
    "rows and cells not there": ('<row r="2" spans="1:3"/><row r="5"><c r="B5"/></row>', {"A1": 1, "B2": 2, "D3": 3, "A5": 4, "C5": 5, "A9": 6},
                                 '<row r="1"><c r="A1"><v>1</v></c></row><row r="2" spans="1:3"><c r="B2"><v>2</v></c></row><row r="3"><c r="D3"><v>3</v></c></row>'
                                 '<row r="5"><c r="A5"><v>4</v></c><c r="B5"/><c r="C5"><v>5</v></c></row><row r="9"><c r="A9"><v>6</v></c></row>'),
    "out of order": ('<row r="3"><c r="C3"/><c r="A3"/></row><row r="1"/>', {"A3": 1, "B3": 2, "A1": 3},
                     '<row r="3"><c r="B3"><v>2</v></c><c r="C3"/><c r="A3"><v>1</v></c></row><row r="1"><c r="A1"><v>3</v></c></row>'),
    "comments": ('<!-- <c r="A1"><v>0</v></c> --><row r="1"><c r="A1"><!-- </c> --><f><![CDATA["</c>"&A2]]></f><v><![CDATA[</v>]]></v></c></row>', {"A1": 1},
                 '<!-- <c r="A1"><v>0</v></c> --><row r="1"><c r="A1"><!-- </c> --><f><![CDATA["</c>"&A2]]></f><v>1</v></c></row>'),
    "what else is there": ('<row r="1" x="/>"><c\n r = "A1" vm="1" t = "s" ><f t="shared" si="0"/><v>3</v><extLst><ext uri="v"/></extLst></c ></row >', {"A1": 4},
                           '<row r="1" x="/>"><c\n r = "A1" vm="1"><f t="shared" si="0"/><v>4</v><extLst><ext uri="v"/></extLst></c></row >'),
}  # fmt: skip
"""The rows of a sheet, the values to store, and the rows after that."""


def sheet_of(rows: str) -> bytes:
    x = "x:" if "<x:" in rows else ""
    around = f"<{x}worksheet><{x}cols><{x}col/></{x}cols><{x}sheetData>", f"</{x}sheetData></{x}worksheet>"
    return rows.join(around).encode()


@pytest.mark.parametrize("name", SPLICED)
def test_values_are_spliced_in(name: str) -> None:
    before, values, after = SPLICED[name]
    assert with_values(sheet_of(before), values).decode() == sheet_of(after).decode()


def test_a_sheet_without_rows_gets_them() -> None:
    made = with_values(b"<worksheet><sheetData /><a/></worksheet>", {"B2": 1})
    row = b'<row r="2"><c r="B2"><v>1</v></c></row>'
    assert made == b"<worksheet><sheetData>" + row + b"</sheetData><a/></worksheet>"
    with pytest.raises(ValueError, match="no place for B2"):
        with_values(b"<worksheet/>", {"B2": 1})


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1"])
def test_other_encodings_become_utf8(encoding: str) -> None:
    head = f"<?xml version='1.0' encoding='{encoding}' standalone='yes'?>"
    sheet = head + "<worksheet><sheetData><row r='1'><c r='A1'><f>\"é\"</f></c></row></sheetData></worksheet>"
    made = with_values(sheet.encode(encoding), {"A1": "é"}).decode()
    assert made.startswith("<?xml version='1.0' standalone='yes'?><worksheet>")
    assert '<c r=\'A1\' t="str"><f>"é"</f><v>é</v></c>' in made


def test_where_formulas_are_rewritten_each_needs_a_value() -> None:
    sheet = sheet_of('<row r="1"><c r="A1"><f>1</f></c><c r="B1"><f>2</f></c><c r="C1"><v>3</v></c></row>')
    made = with_values(sheet, {"A1": 1, "B1": 2}, lambda address, _: f"<f>{address}</f>".encode())
    assert re.findall(rb"<f>(\w+)</f><v>(\d)", made) == [(b"A1", b"1"), (b"B1", b"2")]
    with pytest.raises(KeyError, match="B1"):
        with_values(sheet, {"A1": 1}, lambda _, formula: formula)


def workbook(path: Path) -> Path:
    book = openpyxl.Workbook()
    book["Sheet"]["A1"], book["Sheet"]["C1"] = "=1/3", "=2/3"
    book.create_sheet("Other")["A1"] = "stays"
    book.save(path)
    return path


@settings(deadline=None)
@given(st.dictionaries(
    st.tuples(st.just("Sheet"), st.integers(1, 9), st.integers(1, 30)),
    st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\ufffe\uffff"), min_size=1)
    | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
))  # fmt: skip
def test_what_is_stored_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: dict[tuple[str, int, int], StoredValue]
) -> None:
    folder = tmp_path_factory.mktemp("stored")
    write_values(workbook(folder / "a.xlsx"), folder / "b.xlsx", values)
    rows: dict[int, dict[int, tuple[str, str | None, str]]] = {}
    with opened(folder / "b.xlsx") as package, opened(folder / "a.xlsx") as before:
        file = WorkbookFile(package)
        file.read(file.sheets[0], rows, lambda _r, _c, _s, kind, formula, text: (kind, formula, text))
        assert package.parts == before.parts
        assert [p for p in package.parts if package.read(p) != before.read(p)] == [
            "xl/worksheets/sheet1.xml"
        ] * bool(values)
    for (_, row, column), value in values.items():
        kind, _, text = rows[row][column]
        if isinstance(value, bool):
            assert (kind, text) == ("b", str(int(value)))
        elif isinstance(value, str):
            assert kind in ("s", "str") and text == value
        else:
            assert kind == "n" and isinstance(value, float) and float(text) == float(f"{value:.15g}")
    assert {rows[1][1][1], rows[1][3][1]} == {"1/3", "2/3"}


def test_a_deliverable_shares_formulas_and_keeps_ten_digits(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx")
    store_values(path, {"Sheet": {"A1": 1 / 3, "C1": 2 / 3}}, {"Sheet": {1: ("A", "C")}})
    with opened(path) as package:
        xml = package.read("xl/worksheets/sheet1.xml")
    assert b'<c r="A1"><f t="shared" ref="A1:C1" si="0">1/3</f><v>0.3333333333</v></c>' in xml
    assert b'<c r="C1"><f t="shared" si="0"/><v>0.6666666667</v></c>' in xml
    path = workbook(tmp_path / "b.xlsx")
    store_values(path, {"Sheet": {"A1": 1 / 3, "C1": 2 / 3}}, {}, static={"stays": "<gone>"})
    with opened(path) as package:
        assert b'<c r="A1"><v>0.3333333333333333</v></c>' in package.read("xl/worksheets/sheet1.xml")
        assert b"<t>&lt;gone&gt;</t>" in package.read("xl/sharedStrings.xml")


def test_a_chart_is_described_whatever_its_title_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    chart = BarChart()
    chart.title, chart.y_axis.title = 'Sales of "A" & <B>', "USD"
    chart.add_data(Reference(book["Sheet"], min_col=1, min_row=1))
    book["Sheet"].add_chart(chart)
    book.save(path)
    store_values(path, {}, {})
    with opened(path) as package:
        file = WorkbookFile(package)
        (graphic,) = file.graphics(file.sheets[0])
    assert graphic.description == 'Sales of "A" & <B>. USD'


def test_a_copy_without_times_is_one_file(tmp_path: Path) -> None:
    source = workbook(tmp_path / "a.xlsx")
    repacked(source, source, lambda _, content: content)
    repacked(source, tmp_path / "b.xlsx", lambda _, content: content + b" ", {"x": "y"}, timeless=True)
    with zipfile.ZipFile(tmp_path / "b.xlsx") as made, zipfile.ZipFile(source) as kept:
        assert {part.date_time for part in made.infolist()} == {FIRST_DAY}
        assert FIRST_DAY not in {part.date_time for part in kept.infolist()}
        assert made.namelist() == [*kept.namelist(), "x"]
        assert made.read("xl/workbook.xml") == kept.read("xl/workbook.xml") + b" "
    (tmp_path / "c.xlsx").write_bytes(source.read_bytes()[:2_000])
    with pytest.raises(Refused, match="is damaged"):
        repacked(tmp_path / "c.xlsx", tmp_path / "d.xlsx", lambda _, content: content)
    assert not (tmp_path / "d.xlsx").exists()
