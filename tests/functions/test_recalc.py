"""What `recalc` understands of a user's own formulas: rows of tables, `@`, names with formulas, blocks, and a model for each sheet."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner
from grids import grids
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table

import lm_xl
from lm_xl.cli.app import cli, main
from lm_xl.faults import Refused, WrongUsage
from lm_xl.functions import com, headless
from lm_xl.functions.answers import call
from lm_xl.functions.models import STORE, Model
from lm_xl.xlsx.package import repacked

NA, VALUE = "#N/A", "#VALUE!"


@pytest.fixture(scope="module")
def handle(small_assumptions: lm_xl.Assumptions) -> str:
    return str(call("LM_MODEL", list(grids(small_assumptions).values())))


@pytest.fixture
def book(handle: str) -> Any:
    """A workbook with a model in A1, regions in A2:A4 and years in B1:D1 of its sheet S."""
    made = openpyxl.Workbook()
    ws: Any = made.active
    ws.title = "S"
    for address, value in {"A1": handle, "A2": "US", "A3": "Germany", "A4": "Global"}.items():
        ws[address] = value
    for j in range(3):
        ws.cell(1, 2 + j).value = 2027 + j
    made.defined_names["Model"] = DefinedName("Model", attr_text="S!$A$1")
    return made


def recalculated(book: Any, path: Path) -> tuple[Any, headless.Recalculated]:
    book.save(path)
    done = headless.recalculate(path)
    return openpyxl.load_workbook(path, data_only=True), done


def test_a_row_of_a_table_means_its_own(book: Any, handle: str, tmp_path: Path) -> None:
    ws = book["S"]
    header = ["region", "year", "patients, [all]", "half"]
    for j, name in enumerate(header):
        ws.cell(10, 1 + j).value = name
    for i, region in enumerate(("US", "Germany"), 11):
        ws.cell(i, 1).value, ws.cell(i, 2).value = region, 2027
        ws.cell(i, 3).value = "=LM_PATIENTS(tbl[[#This Row],[region]],tbl[[#This Row],[year]])"
        ws.cell(
            i, 4
        ).value = "=tbl[[#This Row],[patients, '[all']]]/2+SUM(tbl[[#This Row],[year]:[patients, '[all']]])"
    ws["F12"], ws["F30"] = "=tbl[@region]", "=IFERROR(tbl[@region],7)"
    ws["G1"], ws["G2"] = "=tbl[@nothing]", "=G1"
    ws.add_table(Table(displayName="tbl", ref="A10:D12"))
    shown, done = recalculated(book, tmp_path / "book.xlsx")
    us, germany = (call("LM_PATIENTS", [r, 2027, handle]) for r in ("US", "Germany"))
    assert [shown["S"].cell(i, 3).value for i in (11, 12)] == pytest.approx([us, germany])
    assert [shown["S"].cell(i, 4).value for i in (11, 12)] == pytest.approx(
        [us * 1.5 + 2027, germany * 1.5 + 2027]
    )
    assert (shown["S"]["F12"].value, shown["S"]["F30"].value) == ("Germany", 7)
    assert "no column 'nothing'" in done.left["S!G1"] and done.left["S!G2"] == "it depends on S!G1"


def test_at_takes_the_cell_of_the_own_row_or_column_or_the_first_of_an_answer(
    book: Any, handle: str, tmp_path: Path
) -> None:
    ws = book["S"]
    ws["F2"] = "=LM_PATIENTS(_xlfn.SINGLE($A$2:$A$4),_xlfn.SINGLE(B1))"
    ws["F3"] = "=LM_PATIENTS(_xlfn.SINGLE($A:$A),2027)"
    ws["C4"] = "=_xlfn.SINGLE(B1:D1)+1"
    ws["F9"] = "=_xlfn.SINGLE($A$2:$A$4)"
    ws["F5"] = '=_xlfn.SINGLE(LM_LIST("region"))'
    ws["F6"] = '=LM_LIST("region")'  # a formula of one cell shows the first
    ws["F7"] = "=_xlfn.SINGLE(INDEX(A1:A4,2))"
    shown, done = recalculated(book, tmp_path / "book.xlsx")
    s = shown["S"]
    assert s["F2"].value == pytest.approx(call("LM_PATIENTS", ["US", 2027, handle]))
    assert s["F3"].value == pytest.approx(call("LM_PATIENTS", ["Germany", 2027, handle]))
    assert s["C4"].value == 2029 and s["F9"].value == VALUE
    first = call("LM_LIST", ["region", handle])[0][0]
    assert s["F5"].value == s["F6"].value == first and s["F8"].value is None
    assert list(done.left) == ["S!F7"] and "@ stands before INDEX" in done.left["S!F7"]


def test_names_with_formulas_are_followed_from_where_they_are_used(
    book: Any, handle: str, tmp_path: Path
) -> None:
    ws = book["S"]
    for name, formula in {
        "Home": 'LM_PATIENTS("US",Start)', "Start": "S!$B$1", "Double": "2*Home", "Left_one": "S!XFD1", "Around": "Around2", "Around2": "Around",
    }.items():  # fmt: skip
        book.defined_names[name] = DefinedName(name, attr_text=formula)
    ws["F1"], ws["F2"], ws["B3"], ws["F4"] = "=Home", "=Double+1", "=Left_one", "=Around"
    shown, done = recalculated(book, tmp_path / "book.xlsx")
    us = call("LM_PATIENTS", ["US", 2027, handle])
    assert shown["S"]["F1"].value == pytest.approx(us) and shown["S"]["F2"].value == pytest.approx(2 * us + 1)
    assert shown["S"]["B3"].value == "Germany"
    assert done.functions == 2 and "refers to itself" in done.left["S!F4"]


def test_a_block_shows_as_much_of_its_answer_as_it_has_cells(book: Any, handle: str, tmp_path: Path) -> None:
    ws = book["S"]
    ws["F1"] = ArrayFormula("F1:G2", '=LM_TABLE("patients",A2:A4,B1:D1)')
    ws["H1"], ws["H2"], ws["F4"] = "=H2", 5, "=SUM(F1:G2)"
    ws["F6"] = ArrayFormula("F6:I9", "=LM_PATIENTS(A2:A4,B1:D1)")
    ws["K1"] = "=COUNT(F6:I9)"
    shown, done = recalculated(book, tmp_path / "book.xlsx")
    table = call("LM_TABLE", ["patients", [["US"], ["Germany"], ["Global"]], [[2027, 2028, 2029]], handle])
    assert [[c.value for c in row] for row in shown["S"]["F1:G2"]] == [
        pytest.approx(r[:2]) for r in table[:2]
    ]
    assert shown["S"]["F4"].value == pytest.approx(sum(map(sum, [r[:2] for r in table[:2]])))
    assert (shown["S"]["H1"].value, shown["S"]["H2"].value) == (5, 5)
    assert shown["S"]["I6"].value == shown["S"]["F9"].value == NA
    assert shown["S"]["K1"].value == 9 and not done.left  # other cells see what Excel shows in the block


def test_a_spill_of_another_size_is_left_and_its_cells_can_be_named(
    book: Any, handle: str, tmp_path: Path
) -> None:
    ws = book["S"]
    regions = len(call("LM_LIST", ["region", handle]))
    ws["F1"] = ArrayFormula(f"F1:F{regions}", '=LM_LIST("region")')
    ws["G1"] = ArrayFormula("G1:G2", '=LM_LIST("region")')
    ws["H1"], ws["H2"] = "=COUNTA(_xlfn.ANCHORARRAY(F1))", "=COUNTA(_xlfn.ANCHORARRAY(G1))"
    book.save(tmp_path / "plain.xlsx")
    spilling = tmp_path / "spilling.xlsx"

    def dynamic(_: str, content: bytes) -> bytes:
        return re.sub(rb'<c r="([FG]1)"', rb'<c r="\1" cm="1"', content)

    repacked(tmp_path / "plain.xlsx", spilling, dynamic)
    done = headless.recalculate(spilling)
    shown = openpyxl.load_workbook(spilling, data_only=True)["S"]
    assert shown["H1"].value == regions and shown["G1"].value is None
    assert done.left == {
        "S!G1": "it spills over another number of cells than before",
        "S!H2": "it depends on S!G1",
    }


def test_dates_of_a_workbook_that_counts_from_1904_are_left(book: Any, tmp_path: Path) -> None:
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book.epoch = CALENDAR_MAC_1904
    book["S"]["F1"], book["S"]["F2"] = "=DATE(2024,1,5)", '=LM_PATIENTS("US",2027)'
    shown, done = recalculated(book, tmp_path / "book.xlsx")
    assert list(done.left) == ["S!F1"] and "count from 1904" in done.left["S!F1"]
    assert shown["S"]["F2"].value > 0


def test_a_new_file_beside_the_old_one(book: Any, tmp_path: Path) -> None:
    book["S"]["F1"], book["S"]["F2"] = '=LM_PATIENTS("US",2027)', "=SOMEBODYS(1)"
    path, new = tmp_path / "book.xlsx", tmp_path / "new.xlsx"
    book.save(path)
    before = path.read_bytes()
    run = CliRunner().invoke(cli, ["recalc", str(path), "-o", str(new)])
    assert run.exit_code == 3
    assert "book.xlsx, S!F2: left as it was: SOMEBODYS is not among" in run.output
    assert path.read_bytes() == before
    assert openpyxl.load_workbook(new, data_only=True)["S"]["F1"].value > 0
    for output, words in ((new, "--force"), (path, "is what is read")):
        with pytest.raises(Refused, match=words):
            headless.recalculate(path, output)
    with pytest.raises(WrongUsage, match=r"ends in \.xlsx"):
        headless.recalculate(path, tmp_path / "new.xlsm")
    headless.recalculate(path, new, force=True)
    path.chmod(0o440)  # the message of a file that is read-only names -o
    headless.recalculate(path, new, force=True)


def test_what_cannot_be_computed_is_not_opened(book: Any, tmp_path: Path) -> None:
    book["S"]["F1"] = "=[1]Sheet1!A1"
    book.save(tmp_path / "book.xlsx")
    with pytest.raises(
        Refused, match=r"S!F1: =\[1\]Sheet1!A1 is not computed: it refers to another workbook"
    ):
        headless.open_workbook(tmp_path / "book.xlsx")


@pytest.mark.parametrize("given", ["{0}[#All]", 'IF({0}[#All]="","",{0}[#All])', "name"])
def test_a_row_below_a_table_is_refused_as_the_reader_refuses_it(
    given: str, small_path: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(small_path)
    tables = [table.displayName for ws in book for table in ws.tables.values()]
    if given == "name":
        given = "given_{0}"
        for table in tables:
            book.defined_names[f"given_{table}"] = DefinedName(f"given_{table}", attr_text=f"{table}[#All]")
    ws = book.create_sheet("Start")
    ws["A1"] = ArrayFormula("A1", f"=LM_MODEL({','.join(map(given.format, tables))})")
    path = tmp_path / "book.xlsx"
    sheet = book["Epidemiology"]
    (table,) = sheet.tables.values()
    last = int(re.sub(".*[A-Z]", "", table.ref))
    sheet.cell(last + 3, 1).value = "a note apart"
    shown, done = recalculated(book, path)
    assert shown["Start"]["A1"].value.startswith("LM1:") and not done.left and not done.errors
    for column in range(1, sheet.max_column + 1):
        sheet.cell(last + 1, column).value = sheet.cell(last, column).value
    book.save(path)
    before = path.read_bytes()
    refusals = []
    for door in (lm_xl.read_assumptions, headless.recalculate, headless.open_workbook):
        with pytest.raises(Refused) as refused:
            door(path)
        refusals.append([f for f in refused.value.faults if "below the range" in f.message])
    assert refusals[0] == refusals[1] == refusals[2]
    assert [(f.sheet, f.cell) for f in refusals[0]] == [("Epidemiology", f"A{last + 1}")]
    assert path.read_bytes() == before


def test_tables_of_a_model_may_stand_below_one_another(
    small_assumptions: lm_xl.Assumptions, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    ws: Any = book.active
    names = []
    for i, grid in enumerate(grids(small_assumptions).values()):
        at = ws.max_row + 3
        for j, row in enumerate(grid):
            for k, value in enumerate(row):
                ws.cell(at + j, 2 + k).value = (
                    f"{value:.0f}" if j == 0 and isinstance(value, float) else value
                )
        names.append(f"t{i}")
        area = f"B{at}:{get_column_letter(len(grid[0]) + 1)}{at + max(len(grid) - 1, 1)}"
        ws.add_table(Table(displayName=names[-1], ref=area))
    ws["A1"] = ArrayFormula("A1", f"=LM_MODEL({','.join(f'{name}[#All]' for name in names)})")
    shown, done = recalculated(book, tmp_path / "book.xlsx")
    assert shown.active["A1"].value == call("LM_MODEL", list(grids(small_assumptions).values()))
    assert not done.left


def test_what_stands_below_a_table_that_is_no_models_is_nobodys_fault(book: Any, tmp_path: Path) -> None:
    ws = book["S"]
    for row in (("region", "patients"), ("US", '=LM_PATIENTS("US",2027)'), ("in all", "=SUM(own[patients])")):
        ws.append(row)
    ws.add_table(Table(displayName="own", ref="A5:B6"))
    shown, done = recalculated(book, tmp_path / "book.xlsx")
    assert shown["S"]["B7"].value == shown["S"]["B6"].value > 0 and not done.left


def test_a_call_without_a_model_takes_that_of_its_own_sheet(
    book: Any, handle: str, small_assumptions: lm_xl.Assumptions, tmp_path: Path
) -> None:
    """As a sheet Model that was copied has it: the copy's name belongs to the copy."""
    high = STORE.put(Model(small_assumptions, "High"))
    copy, bare = book.create_sheet("S (2)"), book.create_sheet("T")
    copy["A1"] = high
    copy.defined_names["Model"] = DefinedName("Model", attr_text="'S (2)'!$A$1")
    book.defined_names["Sales"] = DefinedName("Sales", attr_text='LM_REVENUE("New drug",2030)')
    for sheet in (book["S"], copy, bare):
        sheet["F1"], sheet["F2"] = '=LM_REVENUE("New drug",2030)', "=Sales"
        sheet["F3"] = '=LM_WHY("LM_REVENUE","Atlantis",2030)'
    shown, _ = recalculated(book, tmp_path / "book.xlsx")
    base, other = (call("LM_REVENUE", ["New drug", 2030, model]) for model in (handle, high))
    assert base != other
    for sheet, due in (("S", base), ("S (2)", other), ("T", base)):
        assert [shown[sheet][a].value for a in ("F1", "F2")] == pytest.approx([due, due])
        assert "Atlantis" in shown[sheet]["F3"].value


def test_without_the_engine_it_is_said_and_the_functions_answer(
    book: Any,
    handle: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    book["S"]["F1"] = '=LM_PATIENTS("US",2027)'
    book.save(tmp_path / "book.xlsx")
    monkeypatch.setitem(sys.modules, "formualizer", None)
    assert com.LM_PATIENTS([["US"]], [[2027]], [[handle]]) > 0  # type: ignore[attr-defined]
    monkeypatch.setattr("sys.argv", ["lm-xl", "recalc", str(tmp_path / "book.xlsx")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 4 and "this needs formualizer" in capsys.readouterr().err
