"""Excel on Windows without Windows: xlwings' own server and generator over stubbed COM modules, our VBA run by an interpreter."""

from __future__ import annotations

import ctypes
import datetime as dt
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import hosts
import openpyxl
import pytest
from grids import grids
from openpyxl.chart import LineChart, Reference
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from pyopenvba import ExcelFile, VBAModuleKind
from pyopenvba.apps.excel import ExcelApplication
from pyopenvba.exceptions import VBARuntimeError
from pyopenvba.interpreter import EMPTY, MISSING, VBAArray, VBAErrorValue, VBAObject, method
from pyopenvba.interpreter._objects import MemberSpec

import lm_xl
from lm_xl.faults import CallError, Refused, WrongUsage
from lm_xl.functions import answers as calls
from lm_xl.functions import vba
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.com import CVERR
from lm_xl.functions.models import STORE, Model
from lm_xl.functions.registry import FUNCTIONS, PASSED_ON

LEFT_OUT = -2147352572
"""What pywin32 makes of an argument that VBA left out."""
STUBBED = (
    "pywintypes", "win32api", "win32con", "win32gui", "win32process", "win32timezone", "win32event", "pythoncom", "win32com", "win32com.client",
    "win32com.server", "win32com.server.dispatcher", "win32com.server.policy", "win32com.server.util", "matplotlib",
)  # fmt: skip


@pytest.fixture(scope="module")
def windows() -> Iterator[SimpleNamespace]:
    """xlwings as it is on Windows, with our module imported under it; everything is put back afterwards."""
    import _ctypes

    import lm_xl.functions.com as here

    def ours(name: str) -> bool:
        return name.split(".")[0] == "xlwings" or name == "lm_xl.functions.com"

    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in sys.modules if ours(n)]:
            patch.delitem(sys.modules, name)
        for name in STUBBED:
            patch.setitem(sys.modules, name, MagicMock(name=name) if name != "matplotlib" else None)
        sys.modules["pywintypes"].TimeType = type("TimeType", (), {})
        sys.modules["pywintypes"].com_error = type("com_error", (Exception,), {})
        for name in ("CDispatch", "CoClassBaseClass", "DispatchBaseClass", "Dispatch", "DispatchEx"):
            setattr(sys.modules["win32com.client"], name, type(name, (), {}))
        sys.modules["win32com"].server.util.unwrap.side_effect = TypeError
        sys.modules["pythoncom"].__file__ = _ctypes.__file__
        for name in ("windll", "oledll", "PyDLL", "WINFUNCTYPE"):
            patch.setattr(ctypes, name, MagicMock(), raising=False)
        patch.setattr("atexit.register", lambda f, *_, **__: f)
        patch.setattr(sys, "platform", "win32")
        from xlwings import com_server, udfs

        patch.setattr(sys, "platform", "linux")
        import lm_xl.functions.com as com

        assert com is not here and com.HOST == here.HOST
        yield SimpleNamespace(com=com, udfs=udfs, server=com_server.XLPython())
        com_server.loop.close()
        for name in [n for n in sys.modules if ours(n)]:
            del sys.modules[name]
    lm_xl.functions.com = here


def over_com(windows: SimpleNamespace, name: str, *arguments: Any) -> Any:
    """A call as the stub makes it."""
    return windows.server.CallUDF(vba.MODULE, name, arguments)


def test_signatures_and_help_are_those_of_xlwings_own_generator(windows: SimpleNamespace) -> None:
    written = io.StringIO()
    windows.udfs.generate_vba_wrapper(vba.MODULE, windows.com, written, SimpleNamespace(Name="template.xlsm"))
    theirs = sorted(line for line in written.getvalue().splitlines() if line.startswith("Function"))
    assert theirs == sorted(line for line in vba.stubs().splitlines() if line.startswith("Function LM_"))
    assert len(theirs) == len(FUNCTIONS)
    for name in FUNCTIONS:
        known = getattr(windows.com, name).__xlfunc__
        assert known["category"] == "lm_xl" and not known["volatile"]
        for text in (known["ret"]["doc"], *(a["doc"] for a in known["args"])):
            assert 0 < len(text) <= 255, text


def test_every_error_that_is_passed_on_has_its_number(windows: SimpleNamespace) -> None:
    assert set(windows.com.CVERR) == set(PASSED_ON)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("US", "US"), (2030.0, 2030.0), (True, True), (None, None), ("", None), (LEFT_OUT, OMITTED), ("\x1aleft out\x1a", OMITTED), ((("US",),), "US"), (((None,),), None),
        ((("US",), ("France",)), [["US"], ["France"]]), (("US", "France"), [["US", "France"]]), (((1.0, None), (False, "x")), [[1.0, None], [False, "x"]]),
    ],
)  # fmt: skip
def test_an_argument_arrives_as_what_the_sheet_holds(
    windows: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, given: Any, taken: Any
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(windows.com, "call", lambda _, arguments, **__: seen.extend(arguments) or "done")
    for name, before in (
        ("LM_LIST", ("region",)),
        ("LM_WHY", ("LM_LIST",)),
    ):  # an optional argument, one of a ParamArray
        seen.clear()
        assert over_com(windows, name, *before, given) == "done"
        assert repr(seen[1]) == repr(taken)


@pytest.mark.parametrize(
    ("number", "code"),
    [(2042, "#N/A"), (2015, "#VALUE!"), (2023, "#REF!"), (2045, "#SPILL!"), (2047, "#VALUE!")],
)
def test_an_error_value_arrives_as_an_error(
    windows: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(windows.com, "call", lambda _, arguments, **__: seen.extend(arguments) or 1.0)
    error = -2146828288 + number
    over_com(windows, "LM_LIST", error, ((error, 2030.0),))
    assert isinstance(seen[0], CallError) and isinstance(seen[1][0][0], CallError)
    assert (seen[0].code, seen[1][0][0].code, seen[1][0][1]) == (code, code, 2030.0)


def test_answers_leave_as_texts_and_rows(windows: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows.com, "call", lambda *_, **__: [[1.0, CallError("#REF!", "")], ["a", 2.0]])
    assert over_com(windows, "LM_VERSION") == [[1.0, "#REF!"], ["a", 2.0]]
    monkeypatch.undo()
    assert over_com(windows, "LM_LIST", "basis", LEFT_OUT) == [["gross"], ["net"], ["risk_adjusted"]]
    assert over_com(windows, "LM_LIST", "Basiss", LEFT_OUT) == "#VALUE!"


# Our VBA, run by pyOpenVBA's interpreter, before xlwings' own server


class Server(VBAObject):
    """What XLPy gives: values go over as COM takes them."""

    def __init__(self, windows: SimpleNamespace) -> None:
        self.windows, self.calls, self.failures = windows, list[str](), 0

    @method
    def CallUDF(self, module: str, name: str, arguments: VBAArray) -> object:  # noqa: N802
        if self.failures:
            self.failures -= 1
            raise VBARuntimeError(462, "The remote server machine does not exist or is unavailable")
        self.calls.append(name)
        return in_vba(self.windows.server.CallUDF(module, name, over(arguments)))


def over(value: Any) -> Any:
    """A value of VBA as pywin32 hands it to Python."""
    if isinstance(value, VBAArray):
        (low, high), *inner = value.bounds
        if not inner:
            return tuple(over(value.get([i])) for i in range(low, high + 1))
        return tuple(
            tuple(over(value.get([i, j])) for j in range(inner[0][0], inner[0][1] + 1))
            for i in range(low, high + 1)
        )
    if isinstance(value, VBAErrorValue):
        return -2146828288 + value.number
    return LEFT_OUT if value is MISSING else None if value is EMPTY else value


def in_vba(answer: Any) -> Any:
    """An answer of Python as pywin32 hands it to VBA."""
    if not isinstance(answer, list):
        return answer
    nested = isinstance(answer[0], list)
    array = VBAArray([(0, len(answer) - 1)] + ([(0, len(answer[0]) - 1)] if nested else []))
    for i, row in enumerate(answer):
        for j, x in enumerate(row if nested else [row]):
            array.set([i, j] if nested else [i], x)
    return array


def shown(value: Any) -> Any:
    """A value that a function gave, errors by their numbers."""
    if isinstance(value, list):
        return [shown(x) for x in value]
    return value.number if isinstance(value, VBAErrorValue) else value


@pytest.fixture
def excel(windows: SimpleNamespace, small_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The small workbook open in an interpreter with our functions, its cell Start!A1 named Model."""
    app = ExcelApplication.open(small_path, with_vba=False)
    app.application.caller = app.workbook.vba_get("Worksheets", [1]).vba_get("Range", ["A1"])
    it = SimpleNamespace(app=app, server=Server(windows), starts=0, volatile=0, helped=[], full=0, works=True)

    def start(_: str) -> Server:
        it.starts += 1
        if not it.works:
            raise VBARuntimeError(1, "Could not load xlwings64.dll from either of the following folders")
        return it.server

    def count(name: str) -> Callable[..., object]:
        return lambda *_: setattr(it, name, getattr(it, name) + 1)

    members = type(app.application)._vba_members
    for name, getter in {
        "Caller": lambda application: application.caller,
        "Volatile": count("volatile"),
        "Calculate": count("full"),
    }.items():
        monkeypatch.setitem(members, name.lower(), MemberSpec(name, "method", getter))
    words = ("Macro", "Description", "Category", "ArgumentDescriptions")
    helped = MemberSpec("MacroOptions", "method", lambda _, *said: it.helped.append(said), parameters=words)
    monkeypatch.setitem(members, "macrooptions", helped)
    app.interpreter.host.create = start
    app.add_module('Function XLPy()\n    Set XLPy = CreateObject("xlwings")\nEnd Function\n', name="xlwings")
    app.add_module(vba.stubs().replace("\r\n", "\n"), name="xlwings_udfs")
    it.ask = lambda formula: shown(app.evaluate(formula))
    return it


def tables(path: Path) -> str:
    """The tables of a workbook as arguments."""
    book = openpyxl.load_workbook(path)
    ranges = [(ws.title, table.ref) for ws in book for table in ws.tables.values()]
    return ", ".join(f'Worksheets("{sheet}").Range("{ref}")' for sheet, ref in ranges)


@pytest.fixture
def handle(excel: SimpleNamespace, small_path: Path, small_assumptions: lm_xl.Assumptions) -> str:
    """The model of the small workbook, made by LM_MODEL from its ranges."""
    found = excel.ask(f"LM_MODEL({tables(small_path)})")
    assert found == Model(small_assumptions, "Base").handle
    return str(found)


def test_the_stubs_answer_as_python_does(excel: SimpleNamespace, handle: str) -> None:
    sheet = excel.app.sheet("Lists")
    for at, value in {"Z1": "US", "Z2": "Atlantis", "Z3": "Global", "AA1": 2030, "AB1": 2031}.items():
        sheet.set_value(at, value)
    where = 'Worksheets("Lists").Range("{}")'.format
    assert excel.ask(f'LM_PATIENTS("US", 2030, "{handle}")') == call("LM_PATIENTS", ["US", 2030, handle])
    assert excel.ask(f'LM_PATIENTS({where("Z1")}, {where("AA1")}, "{handle}", , "Lung")') == call(
        "LM_PATIENTS", ["US", 2030, handle, "diagnosed", "Lung"]
    )
    block = excel.ask(f'LM_TABLE("revenue", {where("Z1:Z3")}, {where("AA1:AB1")}, "{handle}")')
    python = call("LM_TABLE", ["revenue", [["US"], ["Atlantis"], ["Global"]], [[2030, 2031]], handle])
    assert block == [[2015 if isinstance(x, CallError) else x for x in row] for row in python]
    assert block[1] == [2015, 2015]
    assert (
        excel.ask(f'LM_PATIENTS("US", {where("AA1:AB1")}, "{handle}")')
        == call("LM_PATIENTS", ["US", [[2030, 2031]], handle])[0]
    )
    assert excel.ask(f'LM_PATIENTS("US", 2060, "{handle}")') == 2042
    assert "outside the horizon" in excel.ask(f'LM_WHY("LM_PATIENTS", "US", 2060, "{handle}")')
    assert excel.volatile == 0
    assert excel.starts == 1


def test_without_a_model_the_stub_takes_that_of_the_workbook_and_is_volatile(
    excel: SimpleNamespace, handle: str
) -> None:
    assert excel.ask('LM_PATIENTS("US", 2030)') == 2042
    assert "no workbook with one" in excel.ask('LM_WHY("LM_PATIENTS", "US", 2030)')
    excel.app.add_named_range("Model", "=Lists!$Z$9")
    excel.server.calls.clear()
    assert excel.ask('LM_PATIENTS("US", 2030)') == 2042  # the cell is blank, and nobody is asked
    assert excel.server.calls == []
    excel.app.sheet("Lists").set_value("Z9", handle)
    excel.volatile = 0
    assert excel.ask('LM_PATIENTS("US", 2030)') == call("LM_PATIENTS", ["US", 2030, handle])
    assert excel.ask('LM_PATIENTS("US", 2030, , "treated")') == call(
        "LM_PATIENTS", ["US", 2030, handle, "treated"]
    )
    assert excel.volatile == 2
    assert excel.ask('LM_WHY("lm_patients", "US", 2030)') == ""
    assert "Atlantis" in excel.ask('LM_WHY("LM_PATIENTS", "Atlantis", 2030)')
    assert excel.volatile == 4
    assert "blank" in excel.ask('LM_WHY("LM_PATIENTS", "US", 2030, Worksheets("Lists").Range("Z10"))')
    assert excel.ask('LM_PATIENTS("US", 2030, Worksheets("Lists").Range("Z10"))') == 2042
    assert excel.volatile == 4


def test_a_call_without_a_model_takes_that_of_its_own_sheet(
    excel: SimpleNamespace, handle: str, small_assumptions: lm_xl.Assumptions
) -> None:
    """As a sheet Model that was copied has it: the copy's name belongs to the copy."""
    high = STORE.put(Model(small_assumptions, "High"))
    one, other = excel.app.sheet("Lists"), excel.app.sheet("Axes")
    one.set_value("Z9", handle)
    other.set_value("Z9", high)
    excel.app.add_named_range("Model", "=Lists!$Z$9")
    excel.app.workbook.vba_get("Worksheets", ["Axes"]).vba_get("Names").vba_get(
        "Add", ["Model", "=Axes!$Z$9"]
    )
    for sheet, model in (("Lists", handle), ("Axes", high), ("Timeline", handle)):
        cell = excel.app.workbook.vba_get("Worksheets", [sheet]).vba_get("Range", ["A1"])
        excel.app.application.caller = cell
        assert excel.ask('LM_REVENUE("New drug", 2030)') == call("LM_REVENUE", ["New drug", 2030, model])
        assert "Atlantis" in excel.ask('LM_WHY("LM_REVENUE", "Atlantis", 2030)')
    assert len({call("LM_REVENUE", ["New drug", 2030, model]) for model in (handle, high)}) == 2


@pytest.mark.parametrize("name", list(hosts.CALLS))
def test_each_function_in_every_way(
    excel: SimpleNamespace, small_path: Path, small_assumptions: lm_xl.Assumptions, name: str
) -> None:
    """The calls of tests/hosts.py, on two sheets with a model each."""
    models = [STORE.put(Model(small_assumptions, scenario)) for scenario in ("Base", "High")]
    whole = list(grids(small_assumptions).values())
    for sheet, model in zip(("Lists", "Axes"), models, strict=True):
        excel.app.sheet(sheet).set_value("Z99", model)
        book = excel.app.workbook.vba_get("Worksheets", [sheet])
        book.vba_get("Names").vba_get("Add", ["Model", f"={sheet}!$Z$99"])
        excel.app.application.caller = book.vba_get("Range", ["A1"])
        for way in hosts.checked("Excel on Windows", name):
            given = hosts.arguments(name, way, model)
            words = ["" if x is OMITTED else tables(small_path) if x == hosts.TABLES else "" for x in given]
            for j, value in enumerate(given):
                if value is OMITTED or value == hosts.TABLES:
                    continue
                cells = value if isinstance(value, list) else [[value]]
                for i, (cell,) in enumerate(cells, 1):
                    excel.app.sheet(sheet).set_value(f"A{chr(65 + j)}{i}", cell)
                words[j] = f'Worksheets("{sheet}").Range("A{chr(65 + j)}1:A{chr(65 + j)}{len(cells)}")'
            due = in_numbers(hosts.due(name, given, model, whole))
            got = excel.ask(f"{name}({', '.join(words)})")
            if name == "LM_VERSION":
                due = due.replace("Python", got.partition(", ")[2])
            assert got == due, (sheet, way)


def in_numbers(answer: Any) -> Any:
    """An answer with the numbers of its errors, a single row or cell without its brackets."""
    if isinstance(answer, list):
        rows = [in_numbers(x) for x in answer]
        return rows[0] if len(rows) == 1 and isinstance(rows[0], list) else rows
    return CVERR.get(answer, answer) if isinstance(answer, str) else answer


def test_several_areas_and_error_cells_are_errors(excel: SimpleNamespace, handle: str) -> None:
    excel.app.sheet("Lists").set_value("Z1", "US")
    excel.app.sheet("Lists").set_value("Z3", "US")
    assert excel.ask(f'LM_PATIENTS(Worksheets("Lists").Range("Z1,Z3"), 2030, "{handle}")') == 2015
    assert excel.ask(f'LM_PATIENTS("US", CVErr(2023), "{handle}")') == 2023


def test_without_python_cells_say_so_and_do_not_ask_again_at_once(excel: SimpleNamespace) -> None:
    excel.works = False
    assert excel.ask("LM_VERSION()") == 2029
    assert (
        "run lm-xl doctor" in excel.app.application.status_bar
        and "xlwings64.dll" in excel.app.application.status_bar
    )
    assert excel.ask("LM_VERSION()") == 2029
    assert excel.starts == 1
    excel.works = True
    excel.app.freeze_clock(dt.datetime.now() + dt.timedelta(seconds=vba.PAUSE + 1))
    assert "lm_xl" in excel.ask("LM_VERSION()")
    assert excel.app.application.status_bar is False


def test_a_python_that_was_stopped_is_started_again(excel: SimpleNamespace) -> None:
    excel.ask("LM_VERSION()")
    excel.server.failures = 1
    assert "lm_xl" in excel.ask("LM_VERSION()")
    assert excel.starts == 2
    excel.server.failures = (
        2  # Python answers, with an exception each time: that is no reason to silence other cells
    )
    assert excel.ask("LM_VERSION()") == 2015
    assert "Python could not answer LM_VERSION. " in excel.app.application.status_bar
    assert "lm_xl" in excel.ask("LM_VERSION()") and excel.app.application.status_bar is False


def test_what_fails_in_python_is_an_error_with_words(
    excel: SimpleNamespace, handle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(calls._ANSWERS, "LM_PATIENTS", lambda _: {}["absent"])
    assert excel.ask(f'LM_PATIENTS("US", 2026, "{handle}")') == 2015
    why = excel.ask(f'LM_WHY("LM_PATIENTS", "US", 2026, "{handle}")')
    assert why.startswith("#VALUE! LM_PATIENTS failed in lm_xl itself: KeyError: 'absent'")


def test_opening_describes_checks_and_only_then_recalculates(
    excel: SimpleNamespace, small_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = type(excel.app.workbook)._vba_members
    monkeypatch.setitem(members, "saved", MemberSpec("Saved", "property", lambda _: True, lambda _, __: None))
    excel.app.add_module(
        vba.on_open().replace("\r\n", "\n").replace("Private Sub", "Public Sub"), name="Opening"
    )
    marked: list[tuple[str, bool]] = []
    sheets = type(excel.app.workbook.vba_get("Worksheets", [1]))._vba_members
    toggle = MemberSpec(
        "EnableCalculation", "property", lambda _: True, lambda sheet, on: marked.append((sheet.name, on))
    )
    monkeypatch.setitem(sheets, "enablecalculation", toggle)
    excel.app.run("Workbook_Open")
    assert excel.full == 1 and excel.app.application.status_bar is False
    names = openpyxl.load_workbook(small_path).sheetnames
    assert marked == [(name, False) for name in names] + [(name, True) for name in names]
    assert {said[0].split("!")[1] for said in excel.helped} == set(FUNCTIONS)
    assert all(
        len(text) <= 255
        for said in excel.helped
        for text in (said[1], *(over(said[3]) if isinstance(said[3], VBAArray) else ()))
    )
    monkeypatch.setattr(
        excel.server,
        "windows",
        SimpleNamespace(server=SimpleNamespace(CallUDF=lambda *_: "lm_xl 0.0.1, elsewhere")),
    )
    excel.app.run("Workbook_Open")
    assert excel.full == 1 and "lm_xl 0.0.1, elsewhere" in excel.app.application.status_bar
    excel.server.failures, excel.works = 1, False
    excel.app.run("Workbook_Open")
    assert excel.full == 1 and "Could not load xlwings64.dll" in excel.app.application.status_bar


# The file


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A workbook with one of each thing that must survive."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "Start"
    sheet.append(["what", "value"])
    sheet.append(["first", 1])
    sheet["A5"] = '=LM_PATIENTS("US",2030,Model)'
    sheet["B5"].comment = Comment("a note", "lm_xl")
    book.defined_names["Model"] = DefinedName("Model", attr_text="Start!$A$4")
    chart = LineChart()
    chart.add_data(Reference(sheet, 2, 1, 2, 2), titles_from_data=True)
    sheet.add_chart(chart, "D2")
    book.create_chartsheet("Picture").add_chart(LineChart())
    conf = book.create_sheet("xlwings.conf")
    for row in vba.conf_rows():
        conf.append(row)
    book.save(tmp_path / "plain.xlsx")
    return tmp_path / "plain.xlsx"


@pytest.mark.filterwarnings("ignore")  # of oletools as it is imported
def test_the_file_holds_xlwings_and_our_macros_and_what_it_held_before(plain: Path, tmp_path: Path) -> None:
    import olefile
    from oletools.olevba import VBA_Parser

    made = tmp_path / "made.xlsm"
    vba.add_macros(plain, made)
    parser = VBA_Parser(str(made))
    sources = {name.rpartition(".")[0]: code for _, _, name, code in parser.extract_macros()}
    parser.close()
    assert list(sources) == [
        "ThisWorkbook",
        "Sheet1",
        "Chart2",
        "Sheet3",
        "xlwings",
        "Dictionary",
        "xlwings_udfs",
    ]

    def body(name: str) -> list[str]:
        return [line for line in sources[name].splitlines() if not line.startswith("Attribute VB_")]

    assert body("xlwings_udfs") == vba.stubs().splitlines()
    assert body("ThisWorkbook") == vba.on_open().splitlines()
    assert not any(body(name) for name in ("Sheet1", "Chart2", "Sheet3"))
    assert (
        body("xlwings")[0] == "Option Private Module" and "Public Const XLWINGS_VERSION" in sources["xlwings"]
    )
    assert not any("Private Module" in line for line in body("xlwings_udfs"))
    assert (
        max(len(line) for name in ("xlwings_udfs", "ThisWorkbook") for line in sources[name].splitlines())
        < 1023
    )
    with zipfile.ZipFile(plain) as before, zipfile.ZipFile(made) as after:
        named = {
            n: re.search(rb'<sheetPr[^>]* codeName="(\w+)"', after.read(n))
            for n in after.namelist()
            if re.search(r"sheets/sheet\d", n)
        }
        assert {n: m and m[1].decode() for n, m in named.items()} == {
            "xl/worksheets/sheet1.xml": "Sheet1", "xl/chartsheets/sheet1.xml": "Chart2", "xl/worksheets/sheet2.xml": "Sheet3",
        }  # fmt: skip
        edited = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", *named}
        assert set(after.namelist()) - set(before.namelist()) == {"xl/vbaProject.bin"}
        assert [n for n in before.namelist() if after.read(n) != before.read(n) and n not in edited] == []
        assert b"sheet.macroEnabled.main+xml" in after.read("[Content_Types].xml")
        ole = olefile.OleFileIO(io.BytesIO(after.read("xl/vbaProject.bin")))
        assert ole.openstream("VBA/_VBA_PROJECT").read() == bytes.fromhex("CC61FFFF000100")
        assert not [
            n
            for n in after.namelist()
            if re.search(rb"[A-Z]:\\|/home/|/tmp/|absPath", after.read(n)) and n != "xl/vbaProject.bin"
        ]
    with ExcelFile(made) as book:
        assert book.validate() == []
        project = book.vba_project()
        assert not any(
            re.search(r"[A-Z]:\\", project.get_module(n).source) for n in ("xlwings_udfs", "ThisWorkbook")
        )
    book = openpyxl.load_workbook(made, keep_vba=True)
    with book.vba_archive:
        assert book.sheetnames == ["Start", "Picture", "xlwings.conf"]


def test_one_version_of_xlwings_is_named_locked_installed_and_in_the_template() -> None:
    """Its macros load the DLL of their own version: a new pin needs the lock, the installation and the templates to follow."""
    import xlwings

    root = Path(__file__).parents[2]
    lock = (root / ".ci" / "constraints.txt").read_text()
    with ExcelFile(root / "workbooks" / "lm_template.xlsm") as shipped:
        macros = shipped.get_module("xlwings")
    named = {
        "pyproject.toml": re.search(r'"xlwings==([0-9.]+)', (root / "pyproject.toml").read_text()),
        "the lock": re.search(r"(?m)^xlwings==([0-9.]+)$", lock),
        "the shipped template": re.search(r'XLWINGS_VERSION As String = "([0-9.]+)"', macros),
    }
    assert {place: found and found[1] for place, found in named.items()} == dict.fromkeys(
        named, xlwings.__version__
    )


def test_two_builds_are_one_file(plain: Path, tmp_path: Path) -> None:
    vba.add_macros(plain, tmp_path / "one.xlsm")
    with zipfile.ZipFile(plain) as package, zipfile.ZipFile(tmp_path / "later.xlsx", "w") as later:
        for name in package.namelist():
            later.writestr(zipfile.ZipInfo(name, (2001, 1, 1, 0, 0, 0)), package.read(name))
    vba.add_macros(tmp_path / "later.xlsx", tmp_path / "two.xlsm")
    assert (tmp_path / "one.xlsm").read_bytes() == (tmp_path / "two.xlsm").read_bytes()


def test_what_cannot_carry_macros_is_refused(plain: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(plain)
    del book["xlwings.conf"]
    book.save(tmp_path / "bare.xlsx")
    (tmp_path / "text.xlsx").write_text("none")
    vba.add_macros(plain, tmp_path / "made.xlsm")
    for source, target, words in (
        ("bare.xlsx", "x.xlsm", "has no sheet 'xlwings.conf'"),
        ("text.xlsx", "x.xlsm", "is no workbook"),
        ("made.xlsm", "x.xlsm", "is no .xlsx"),
        ("plain.xlsx", "x.xlsx", "ends in .xlsm"),
    ):
        with pytest.raises((Refused, WrongUsage), match=re.escape(words)):
            vba.add_macros(tmp_path / source, tmp_path / target)
        assert not (tmp_path / target).exists()


def test_the_settings_are_those_that_xlwings_reads() -> None:
    import xlwings

    code = (Path(xlwings.__file__).parent / "xlwings.bas").read_text()
    asked = set(re.findall(r'GetConfig\("([^"]+)"', code))
    assert {key.upper() for key, _ in vba.conf_rows()} <= asked
    assert "WScript.ExpandEnvironmentStrings(s)" in code
    assert not any(re.search(r"[:/\\]", value) for _, value in vba.conf_rows())


SHIM = """
Private held As Object
Sub Hold(given As Object)
    Set held = given
End Sub
Function Kept() As Object
    Set Kept = held
End Function
Function XLPy() As Object
    Set XLPy = New Server
End Function
"""
SERVER = """
Public Function CallUDF(script, called, given)
    Dim rows As Variant, block() As Variant, i As Long, j As Long
    rows = Kept().callFunction(called, given)
    CallUDF = rows
    If Not IsArray(rows) Then Exit Function
    If Not IsArray(rows(0)) Then Exit Function
    ReDim block(0 To UBound(rows), 0 To UBound(rows(0)))
    For i = 0 To UBound(rows)
        For j = 0 To UBound(rows(0))
            block(i, j) = rows(i)(j)
        Next j
    Next i
    CallUDF = block
End Function
"""


@pytest.mark.libreoffice
def test_libreoffice_runs_the_stubs_against_python(
    windows: SimpleNamespace, small_path: Path, small_assumptions: lm_xl.Assumptions, tmp_path: Path
) -> None:
    """Its Basic runs our module as written but for Value2, which it lacks; xlwings' own modules it cannot compile."""
    python = "/usr/bin/python3"
    if (
        not os.environ.get("CI")
        and subprocess.run([python, "-c", "import uno"], stderr=subprocess.DEVNULL, check=False).returncode
    ):
        pytest.skip("python3-uno is not installed")
    handle = Model(small_assumptions, "Base").handle
    book = openpyxl.load_workbook(small_path)
    ranges = ",".join(f"{ws.title}!{table.ref}" for ws in book for table in ws.tables.values())
    sheet = book.create_sheet("Start", 0)
    formulas = {
        "A1": f"=LM_MODEL({ranges})",
        "A2": '=LM_PATIENTS("US",2030,A1)',
        "A3": '=LM_REVENUE(A7,B6,A1,"US")',
        "A4": '=LM_WHY("LM_PATIENTS","Atlantis",2030,A1)',
        "A5": '=LM_PATIENTS("Atlantis",2030,A1)',
        "D1": '=LM_PATIENTS("US",2030,Z99)',
    }
    for place, value in {**formulas, "B6": 2030, "C6": 2031, "A7": "New drug", "A8": "Global"}.items():
        sheet[place] = value
    sheet["B7"] = ArrayFormula("B7:C8", '=LM_TABLE("revenue",A7:A8,B6:C6,A1)')
    book.create_sheet("xlwings.conf")
    book.save(tmp_path / "plain.xlsx")
    vba.add_macros(tmp_path / "plain.xlsx", tmp_path / "made.xlsm")
    with ExcelFile(tmp_path / "made.xlsm") as made:
        project = made.vba_project()
        project.delete_module("Dictionary")
        made.set_module("xlwings", SHIM.replace("\n", "\r\n"))
        project.add_module("Server", SERVER.replace("\n", "\r\n"), kind=VBAModuleKind.other)
        made.set_module("xlwings_udfs", made.get_module("xlwings_udfs").replace("Value2", "Value"))
        made.save()
    script = Path(__file__).parents[1] / "libreoffice.py"
    cells = [*formulas, "B7", "C7", "B8", "C8"]
    running = subprocess.Popen(
        [python, script, tmp_path / "made.xlsm", tmp_path / "profile", *cells],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with running as office:
        assert office.stdin and office.stdout
        for line in office.stdout:
            name, given = json.loads(line)
            if not name:
                break
            answer = over_com(windows, name, *tupled(given))
            office.stdin.write(json.dumps(answer) + "\n")
            office.stdin.flush()
        else:
            pytest.fail("LibreOffice ended early")
    assert given["A1"][0] == handle
    assert given["A2"][1] == call("LM_PATIENTS", ["US", 2030, handle])
    assert given["A3"][1] == call("LM_REVENUE", ["New drug", 2030, handle, "US"])
    assert given["A4"][0] == call("LM_WHY", ["LM_PATIENTS", "Atlantis", 2030, handle])
    assert (given["A5"][0], given["D1"][0]) == ("Error 2015", "Error 2042")
    block = call("LM_TABLE", ["revenue", [["New drug"], ["Global"]], [[2030, 2031]], handle])
    assert [[given[column + row][1] for column in "BC"] for row in "78"] == block


def tupled(value: Any) -> Any:
    """Lists as the tuples that pywin32 makes."""
    return tuple(map(tupled, value)) if isinstance(value, list) else value
