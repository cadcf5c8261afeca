"""What the one reader finds in a sheet, whichever program wrote it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from lm_xl.assumptions.tables import read_tables
from lm_xl.audit.reading import opened as audited
from lm_xl.functions.headless import _content
from lm_xl.xlsx import sheets
from lm_xl.xlsx.addresses import Area, formula_moved
from lm_xl.xlsx.package import opened
from lm_xl.xlsx.workbook_file import Value, WorkbookFile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ROWS = (("what", "value"), ("one", 1), ("a_x0041_&", True), ("three", "=B2*2"))


def changed(path: Path, change: Callable[[str, str], str]) -> Path:
    """A copy of a workbook with other XML in its parts."""
    target = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name).decode()))
    return target


def with_sheet(path: Path, change: Callable[[str], str]) -> Path:
    def sheet(name: str, xml: str) -> str:
        if not name.startswith("xl/worksheets/sheet"):
            return xml
        assert change(xml) != xml
        return change(xml)

    return changed(path, sheet)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    workbook = openpyxl.Workbook()
    for row in ROWS:
        workbook["Sheet"].append(row)
    workbook.save(path)
    return path


def values(path: Path) -> dict[int, dict[int, tuple[Value, bool]]]:
    """The typed cells of the first sheet, as assumptions are read."""
    rows: dict[int, dict[int, tuple[Value, bool]]] = {}
    with opened(path) as package:
        file = WorkbookFile(package)
        file.read(file.sheets[0], rows, file.typed)
    return rows


def prefixed(xml: str) -> str:
    """The same XML with a prefix on every name."""
    return re.sub(r"<(/?)(?=[A-Za-z])", r"<\1x:", xml).replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')


OTHER_PROGRAMS: dict[str, Callable[[str], str]] = {
    "prefixes": prefixed,
    "places left out": lambda xml: re.sub(r'(<(?:c|row)\b[^>]*?) r="[A-Z0-9]+"', r"\1", xml),
    "the strict namespace": lambda xml: xml.replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main"),
    "UTF-16": lambda xml: f'<?xml version="1.0" encoding="UTF-16"?>{xml}',
}


@pytest.mark.parametrize("program", OTHER_PROGRAMS)
def test_other_programs_are_read_alike(program: str, book: Path) -> None:
    other = with_sheet(book, OTHER_PROGRAMS[program])
    if program == "UTF-16":
        with zipfile.ZipFile(book) as old, zipfile.ZipFile(other, "w") as new:
            for name in old.namelist():
                xml = old.read(name)
                is_sheet = name.startswith("xl/worksheets/sheet")
                new.writestr(
                    name, OTHER_PROGRAMS[program](xml.decode()).encode("utf-16") if is_sheet else xml
                )
    assert values(other) == values(book)
    assert values(book)[3] == {1: ("aA&", False), 2: (True, False)} and values(book)[4][2] == (None, True)
    assert audited(other).sheets == audited(book).sheets
    assert _content(other) == _content(book)


@pytest.mark.parametrize("text", ["１", "1_0", "١.٥"])
def test_what_spreadsheets_take_for_no_number_is_none(text: str, book: Path) -> None:
    other = with_sheet(book, lambda xml: xml.replace("<v>1</v></c></row>", f"<v>{text}</v></c></row>", 1))
    assert values(book)[2][2] == (1, False) and values(other)[2][2] == (text, False)


@pytest.mark.parametrize(
    ("formula", "down", "across", "copy"),
    [
        ("A1+$A1+A$1+$A$1", 2, 1, "B3+$A3+B$1+$A$1"),
        ("SUM(A1:B2)+Data!C3+'Q1 A1''s'!C3", 1, 1, "SUM(B2:C3)+Data!D4+'Q1 A1''s'!D4"),
        ("SUM(A:A)+SUM($B:C)+SUM(1:1)+SUM($2:3)", 1, 2, "SUM(C:C)+SUM($B:E)+SUM(2:2)+SUM($2:4)"),
        ('LOG10(A1)&"A1 is ""B2"""&tbl_A1[B2]&Q1_', 1, 1, 'LOG10(B2)&"A1 is ""B2"""&tbl_A1[B2]&Q1_'),
        ("[1]Sheet1!A1+1E5+rate_2030", 1, 0, "[1]Sheet1!A2+1E5+rate_2030"),
        ("A1+XFD1048576", -1, -1, "XFD1048576+XFC1048575"),
    ],
)
def test_a_shared_formula_reads_as_each_cell_shows_it(
    formula: str, down: int, across: int, copy: str
) -> None:
    assert formula_moved(formula, down, across) == copy


def test_shared_formulas_and_blocks(tmp_path: Path) -> None:
    """A shared formula stands in each of its cells; that of a block in its first one, with its area."""
    path = tmp_path / "book.xlsx"
    workbook = openpyxl.Workbook()
    ws = workbook["Sheet"]
    ws["A1"], ws["A2"], ws["B5"] = "=SUM(C:C)+C1", "=0", 7
    ws["A5"] = ArrayFormula("A5:B5", "=C1:D1*2")
    workbook.save(path)
    shared = with_sheet(
        path,
        lambda xml: (
            xml.replace("<f>SUM", '<f t="shared" ref="A1:A2" si="0">SUM')
            .replace("<f>0</f>", '<f t="shared" si="0"/>')
            .replace(
                "</sheetData>",
                '<row r="9"><c r="A9"><f t="dataTable" ref="A9" r1="B1"/></c></row></sheetData>',
            )
        ),
    )
    formulas = _content(shared).formulas
    assert {place[1:]: (f.text, f.size) for place, f in formulas.items()} == {
        (1, 1): ("=SUM(C:C)+C1", (1, 1)), (2, 1): ("=SUM(C:C)+C2", (1, 1)), (5, 1): ("=C1:D1*2", (1, 2)),
    }  # fmt: skip
    (sheet,) = audited(shared).sheets
    assert {c.address: c.formula for c in sheet.cells} == {
        "A1": "SUM(C:C)+C1", "A2": "SUM(C:C)+C2", "A5": "C1:D1*2", "B5": "D1:E1*2", "A9": sheets.DATA_TABLE,
    }  # fmt: skip


def test_a_table_has_its_sheet_area_and_headers(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    workbook = openpyxl.Workbook()
    for row in (("a", "b"), (1, 2)):
        workbook["Sheet"].append(row)
    workbook["Sheet"].add_table(openpyxl.worksheet.table.Table(displayName="tbl", ref="A1:B2"))
    workbook.save(path)
    ((title, table),) = _content(path).around.tables.values()
    assert (title, tuple(table)) == ("Sheet", ("tbl", Area(1, 1, 2, 2), ["a", "b"], False))


def test_a_row_of_no_height_is_hidden_to_every_reader(book: Path) -> None:
    flat = with_sheet(book, lambda xml: xml.replace('<row r="3"', '<row r="3" ht="0" customHeight="1"'))
    assert audited(flat).sheets[0].settings.hidden_rows == [3]
    faults: list[object] = []
    read_tables(flat, {"Sheet": ("what", "value")}, faults)  # type: ignore[arg-type]
    assert ["A3: the row is hidden" in str(fault) for fault in faults] == [True]
