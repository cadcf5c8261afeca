"""LibreOffice Calc: the add-in made from the registry, its Python, and both in a real Calc."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hosts
import openpyxl
import pytest
from grids import grids
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

import lm_xl
from lm_xl.cli.app import cli
from lm_xl.faults import CallError, Refused
from lm_xl.functions import headless
from lm_xl.functions.answers import call
from lm_xl.functions.com import argument_help
from lm_xl.functions.models import STORE, Model
from lm_xl.functions.oxt import build, worker
from lm_xl.functions.oxt.office import engine as office_engine
from lm_xl.functions.oxt.office.engine import Engine, NotRunning
from lm_xl.functions.oxt.office.formulas import entered, holds_functions
from lm_xl.functions.registry import ERRORS, FUNCTIONS, MODEL_AT

ROOT = Path(lm_xl.__file__).parent.parent
PLACES = {name: MODEL_AT.get(name) for name in FUNCTIONS}
OFFICE = ROOT / "lm_xl" / "functions" / "oxt" / "office"


# What is built


def test_what_libreoffice_runs_is_of_its_oldest_python() -> None:
    for path in OFFICE.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
        taken = {
            module.partition(".")[0]
            for node in ast.walk(tree)
            for module in (
                [node.module or ""] if isinstance(node, ast.ImportFrom)
                else [n.name for n in node.names] if isinstance(node, ast.Import)
                else []
            )
        }  # fmt: skip
        assert taken <= {*sys.stdlib_module_names, "uno", "unohelper", "com", "lm_xl_office"}, path.name
        assert "removeprefix" not in path.read_text(encoding="utf-8")


def test_every_function_has_its_method_and_its_arguments() -> None:
    methods = {
        name: taken.count("[in] any")
        for name, taken in re.findall(r"sequence< sequence<any> > ([A-Za-z]+)\((.*?)\);", build.types())
    }
    assert methods == {build.method(f): len(list(build.arguments(f))) for f in FUNCTIONS.values()}
    assert len(methods) == len(FUNCTIONS)
    assert len(lm_xl.assumptions.columns.WANTED) + 1 < build.MOST  # the tables and the scenario
    assert set(ERRORS) <= set(re.findall(r'"(#[^"]+)"', (OFFICE / "component.py").read_text()))


def test_the_command_writes_one_file_and_replaces_none(tmp_path: Path) -> None:
    from click.testing import CliRunner

    run: Callable[..., Any] = CliRunner().invoke
    path = tmp_path / "functions.oxt"
    assert run(cli, ["addin", "build-oxt", "-o", str(path)]).exit_code == 0
    first = path.read_bytes()
    assert run(cli, ["addin", "build-oxt", "-o", str(path)]).exit_code != 0
    assert run(cli, ["addin", "build-oxt", "-o", str(path), "--force"]).exit_code == 0
    assert path.read_bytes() == first
    assert run(cli, ["addin", "build-oxt", "-o", str(tmp_path / "functions.zip")]).exit_code != 0
    assert [p.name for p in tmp_path.iterdir()] == ["functions.oxt"]


# What is entered


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ('=lm_patients("US";2030;$Model.C12)', '=LM_PATIENTS("US";2030;$Model.C12)'),
        ("=_xldudf_lm_model(IF(tbl_Axes[#all]=\"\";\"\";tbl_Axes[#all]))", '=LM_MODEL(IF(tbl_Axes[[#All]]="";"";tbl_Axes[[#All]]))'),
        ('=LM_XL.LMPATIENTS("US";2030)', '=LM_PATIENTS("US";2030;Model)'),
        ('=1+LM_XL.LMPATIENTS("U;(S";SUM(A1;2);;"treated")*2', '=1+LM_PATIENTS("U;(S";SUM(A1;2);Model;"treated")*2'),
        ("=LM_XL.LMPATIENTS({\"US\";\"Japan\"};'a;b'.A1)", "=LM_PATIENTS({\"US\";\"Japan\"};'a;b'.A1;Model)"),
        ('=LM_XL.LMWHY("LM_LIST";"region")', '=LM_WHY("LM_LIST";"region";Model)'),
        ('=LM_XL.LMWHY("LM_VERSION")', None), ('=LM_XL.LMPATIENTS("US")', None), ('=LM_XL.LMPATIENTS("US";2030;A1)', None), ("=LM_XL.LMVERSION()", None), ("=SUM(A1;2)", None),
    ],
)  # fmt: skip
def test_a_formula_is_entered_as_calc_spells_it(formula: str, expected: str | None) -> None:
    assert entered(formula, PLACES, named=True) == expected
    assert holds_functions(formula) is not formula.startswith("=SUM")
    if expected and "Model" in expected.replace("$Model", "") and "LM_XL" in formula:
        assert entered(formula, PLACES, named=False) is None


# The Python that answers


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Engine]]:
    made: list[Engine] = []
    monkeypatch.delenv(office_engine.VARIABLE, raising=False)

    def engine(
        version: str = lm_xl.__version__, python: str = sys.executable, path: str = str(ROOT)
    ) -> Engine:
        made.append(Engine(version, python, path, "a test"))
        return made[-1]

    yield engine
    for e in made:
        e.stop()


def test_python_answers_and_is_started_again(asked: Callable[..., Engine]) -> None:
    engine = asked()
    assert engine.ask("LM_VERSION", []) == {"rows": [[f"lm_xl {lm_xl.__version__}, a test"]]}
    engine._process.kill()
    engine._process.wait()
    assert engine.ask("LM_LIST", ["basis"])["rows"] == [["gross"], ["net"], ["risk_adjusted"]]
    assert engine.starts == 2


def test_without_python_the_words_say_what_to_do(
    asked: Callable[..., Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def words(engine: Engine) -> str:
        with pytest.raises(NotRunning) as raised:
            engine.ask("LM_VERSION", [])
        assert str(raised.value).endswith("build the add-in again with lm-xl addin build-oxt")
        return str(raised.value)

    assert "there is no Python /nowhere/python, which the add-in" in words(asked(python="/nowhere/python"))
    assert "was built by 0.0.0" in words(asked(version="0.0.0"))
    (tmp_path / "lm_xl").mkdir()
    (tmp_path / "lm_xl" / "__init__.py").write_text("raise ImportError('no numpy here')")
    broken = asked(path=str(tmp_path))
    assert "does not run lm_xl (ImportError: no numpy here)" in words(broken)
    assert words(broken) and broken.starts == 1  # not at once again
    assert "it said nothing" in words(asked(python=shutil.which("true") or ""))
    monkeypatch.setenv(office_engine.VARIABLE, "/elsewhere/python")
    assert "/elsewhere/python, which the variable LM_XL_PYTHON names" in words(asked())


def test_a_fault_of_lm_xl_itself_is_an_error_with_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("region")

    monkeypatch.setattr(worker, "call", broken)
    assert worker.answered("LM_LIST", ["basis"], "a test") == {"rows": [[{"error": "#VALUE!"}]]}
    ((said,),) = worker.answered("LM_WHY", ["LM_LIST", "basis"], "a test")["rows"]
    assert "a fault of lm_xl itself: KeyError 'region'" in said


def test_a_model_that_left_memory_is_named() -> None:
    lost = f"LM1:0123456789ab:{lm_xl.__version__}"
    asked = worker.answered("LM_PATIENTS", ["US", 2030.0, lost], "a test")
    assert asked == {"rows": [[{"error": "#N/A"}]], "lost": lost}


# In a real Calc


def environment(**more: str) -> dict[str, str]:
    """As in a terminal where no environment is active: LibreOffice's own Python would take the libraries of another one."""
    office = Path(shutil.which("soffice") or "/usr/bin/soffice").parent
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "LM_XL"))}
    return {**ours, "PATH": f"{office}:/usr/bin:/bin", **more}


@contextmanager
def calc_running(profile: Path, *extension: Path, **more: str) -> Iterator[Callable[..., Any]]:
    """A Calc that does what it is told: calc("read", "Start", "A1")."""
    python = "/usr/bin/python3"
    no_uno = subprocess.run([python, "-c", "import uno"], stderr=subprocess.DEVNULL, check=False).returncode
    if no_uno and not os.environ.get("CI"):
        pytest.skip("python3-uno is not installed")
    told = [python, ROOT / "tests" / "calc.py", profile, *extension]
    running = subprocess.Popen(
        told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(**more), text=True
    )
    with running as process:
        assert process.stdin and process.stdout

        def calc(*command: Any) -> Any:
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps([str(c) if isinstance(c, Path) else c for c in command]) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            assert line, f"LibreOffice ended at {command}"
            answer = json.loads(line)
            assert not isinstance(answer, dict), answer["fault"]
            return answer

        try:
            yield calc
        finally:
            process.stdin.close()


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("office") / "profile"


@pytest.fixture(scope="module")
def calc(profile: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    extension = tmp_path_factory.mktemp("oxt") / "lm_xl.oxt"
    build.build_oxt(extension)
    with calc_running(profile, extension) as told:
        yield told


@pytest.fixture(scope="module")
def workbook(small_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small assumptions, and a sheet Start with their model in Base and with labels, as Excel would save it."""
    path = tmp_path_factory.mktemp("calc") / "small.xlsx"
    book = openpyxl.load_workbook(small_path)
    tables = ",".join(f"{table.displayName}[#All]" for ws in book for table in ws.tables.values())
    sheet = book.create_sheet("Start", 0)
    held = {
        "A1": f"=LM_MODEL({tables},A2)", "A2": "Base", "A3": '=LM_PATIENTS("US",2030,Model)', "A4": '=LM_REVENUE("New drug",2030)', "B6": 2030, "C6": 2031,
        "A7": "New drug", "A8": "Utopia", "A9": "Global", "E1": "=1/0",
    }  # fmt: skip
    for place, value in held.items():
        sheet[place] = value
    sheet["B7"] = ArrayFormula("B7:C9", '=LM_TABLE("revenue",A7:A9,B6:C6,Model)')
    book.defined_names["Model"] = DefinedName("Model", attr_text="Start!$A$1")
    book.save(path)
    return path


@pytest.fixture
def handle(small_assumptions: lm_xl.Assumptions) -> str:
    return STORE.put(Model(small_assumptions, "Base"))


@pytest.mark.libreoffice
def test_calc_answers_as_python_does(calc: Callable[..., Any], workbook: Path, handle: str) -> None:
    calc("open", workbook)
    number = call("LM_PATIENTS", ["US", 2030, handle])
    assert calc("read", "Start", "A1")[1] == handle
    assert calc("read", "Start", "A3")[2] == pytest.approx(number, rel=1e-12)
    assert calc("read", "Start", "A4")[2] == call("LM_REVENUE", ["New drug", 2030, handle])
    rows = call("LM_TABLE", ["revenue", [["New drug"], ["Utopia"], ["Global"]], [[2030, 2031]], handle])
    for i, row in enumerate(rows, 7):
        for column, x in zip("BC", row, strict=True):
            _, shown, value = calc("read", "Start", f"{column}{i}")
            assert shown == x.code if isinstance(x, CallError) else value == pytest.approx(x, rel=1e-12)
    for formula, shown in {
        '=LM_PATIENTS("Utopia";2030;Model)': "#VALUE!",
        "=LM_PATIENTS(Z1;2030;Model)": "#VALUE!",
        '=LM_PATIENTS("US";Z1;Model)': "#VALUE!",
        '=LM_PATIENTS("US";2060;Model)': "#N/A",
        '=LM_PATIENTS("US";2030;Z1)': "#N/A",
        '=LM_PATIENTS("US";2030;"none")': "#VALUE!",
        '=LM_PATIENTS("US")': "#VALUE!",
        '=LM_ASSUMPTION("base_share";2027;Model;"US";"Other drug";"Other lung")': "#REF!",
        '=LM_PATIENTS("US";E1;Model)': "#DIV/0!",
        '=LM_MODEL(A1:E1;"Base")': "Err:504",  # Calc gives no range with an error to a function
        "=SUM(B7:C9)": "#VALUE!",
        '=SUM(LM_TABLE("revenue";A7:A9;B6:C6;Model))': "#VALUE!",
        '=IFERROR(LM_PATIENTS(A8;2030;Model);"caught")': "caught",
        '=INDEX(LM_LIST("basis");3)': "risk_adjusted",
        "=LM_VERSION()": f"lm_xl {lm_xl.__version__}, LibreOffice Calc",
    }.items():
        calc("enter", "Start", "H1", formula)
        assert calc("read", "Start", "H1")[1].startswith(shown), formula


@pytest.mark.libreoffice
def test_each_function_in_every_way(
    calc: Callable[..., Any], small_assumptions: lm_xl.Assumptions, tmp_path: Path
) -> None:
    """The calls of tests/hosts.py, on two sheets with a model each."""
    models = [STORE.put(Model(small_assumptions, scenario)) for scenario in ("Base", "High")]
    path = tmp_path / "hosts.xlsx"
    expected = hosts.workbook("LibreOffice Calc", models, list(grids(small_assumptions).values()), path)
    calc("open", path)
    shown = {
        (sheet, row, column): text if number is None else number
        for sheet, row, column, text, number in calc("formulas")
    }
    own = f"lm_xl {lm_xl.__version__}, LibreOffice Calc"
    version = next(x for x in shown.values() if isinstance(x, str) and x.startswith(own))
    assert not hosts.differing(expected, shown, version)
    assert len(expected) > 150


@pytest.mark.libreoffice
def test_the_wizard_helps(calc: Callable[..., Any]) -> None:
    for f in FUNCTIONS.values():
        told, arguments = calc("help", f.name)
        assert told == f"{f.meaning} Returns {f.returns}."
        assert arguments == [[a.name, argument_help(a)] for a in build.arguments(f)]


@pytest.mark.libreoffice
def test_a_call_that_names_no_model_takes_that_of_its_sheet(
    calc: Callable[..., Any], workbook: Path, small_assumptions: lm_xl.Assumptions, handle: str
) -> None:
    high = STORE.put(Model(small_assumptions, "High"))
    calc("open", workbook)
    calc("copy", "Start", "Start_2")
    calc("enter", "Start_2", "A2", "High")
    at = ["New drug", 2030]
    numbers = {"Start": call("LM_REVENUE", [*at, handle]), "Start_2": call("LM_REVENUE", [*at, high])}
    numbers["Third"] = numbers["Start"]  # which has no model of its own
    assert numbers["Start"] != numbers["Start_2"]
    for sheet in numbers:
        calc("enter", sheet, "H1", '=LM_REVENUE("New drug";2030)')
        calc("enter", sheet, "H2", '=LM_WHY("LM_REVENUE";"New drug";2060)')
        calc("enter", sheet, "H3:I3", '=LM_REVENUE("New drug";{2030;2031};;"US")')
        for cell in ("H1", "H2", "H3"):
            calc("read", sheet, cell)
    for sheet, number in numbers.items():
        formula, _, shown = calc("completed", sheet, "H1")
        assert formula == '=LM_XL.LMREVENUE("New drug";2030;Model)'
        assert shown == pytest.approx(number, rel=1e-12)
        assert "outside the horizon" in calc("completed", sheet, "H2")[1]
        model = high if sheet == "Start_2" else handle
        us = call("LM_REVENUE", ["New drug", 2030, model, "US"])
        assert calc("completed", sheet, "H3")[2] == pytest.approx(us, rel=1e-12)
    calc("enter", "Start_2", "A2", "Base")
    assert calc("read", "Start_2", "H1")[2] == pytest.approx(numbers["Start"], rel=1e-12)
    calc("enter", "Third", "H5", '=LM_REVENUE("New drug";2030)')
    assert calc("read", "Third", "H5") and "Model" in calc("completed", "Third", "H5")[0]
    calc("undo")
    assert calc("read", "Third", "H5")[0] == ""  # one step for what was typed and what was added


@pytest.mark.libreoffice
@pytest.mark.parametrize("suffix", ["ods", "xlsx"])
def test_what_calc_saved_recomputes(
    suffix: str,
    calc: Callable[..., Any],
    workbook: Path,
    small_assumptions: lm_xl.Assumptions,
    tmp_path: Path,
) -> None:
    calc("open", workbook)
    calc("save", tmp_path / f"saved.{suffix}")
    calc("stop_python")  # so that no model of the first time is left
    calc("open", tmp_path / f"saved.{suffix}")
    for scenario in ("Base", "High"):
        calc("enter", "Start", "A2", scenario)
        results = lm_xl.forecast(small_assumptions, scenario)
        sold = results.revenue("New drug", 2030)
        assert calc("read", "Start", "A3")[2] == pytest.approx(results.patients("US", 2030), rel=1e-9)
        assert calc("read", "Start", "A4")[2] == pytest.approx(sold, rel=1e-9)
        assert calc("read", "Start", "B7")[2] == pytest.approx(sold, rel=1e-9)
    if suffix == "xlsx":  # in Excel's own kind of file it has names that Excel does not know
        start = openpyxl.load_workbook(tmp_path / "saved.xlsx")["Start"]
        assert start["A3"].value.startswith("=LM_XL.LMPATIENTS(")
        with pytest.raises(Refused, match="save it there as"):
            headless.recalculate(tmp_path / "saved.xlsx")


@pytest.mark.libreoffice
def test_models_come_back_where_python_was_stopped(
    calc: Callable[..., Any], workbook: Path, handle: str
) -> None:
    calc("open", workbook)
    calc("stop_python")
    calc("enter", "Start", "H9", '=LM_PATIENTS("Germany";2030;Model)')
    calc("read", "Start", "H9")
    number = call("LM_PATIENTS", ["Germany", 2030, handle])
    assert calc("computed", "Start", "H9")[2] == pytest.approx(number, rel=1e-12)


@pytest.mark.libreoffice
def test_without_python_each_cell_says_so_and_the_words_say_why(
    calc: Callable[..., Any], profile: Path, workbook: Path, tmp_path: Path
) -> None:
    calc("open", workbook)  # the add-in is installed in the profile
    shutil.copytree(profile, tmp_path / "profile")
    (tmp_path / "profile" / ".lock").unlink(missing_ok=True)
    shutil.copyfile(workbook, tmp_path / "small.xlsx")
    with calc_running(tmp_path / "profile", LM_XL_PYTHON="/nowhere/python") as alone:
        alone("open", tmp_path / "small.xlsx")
        assert [alone("read", "Start", cell)[1] for cell in ("A1", "A3", "B7")] == ["#NAME?"] * 3
        alone("enter", "Start", "H1", '=LM_WHY("LM_VERSION")')
        assert alone("read", "Start", "H1")[1].startswith("#NAME? there is no Python /nowhere/python")


@pytest.mark.slow
@pytest.mark.libreoffice
@pytest.mark.parametrize("name", ["lm_template.xlsm", "lm_template_lite.xlsx"])
def test_every_cell_of_a_template_is_that_of_python(
    name: str, calc: Callable[..., Any], shipped: lm_xl.Assumptions, tmp_path: Path
) -> None:
    for copy in (tmp_path / name, tmp_path / f"python_{name}"):
        shutil.copyfile(ROOT / "workbooks" / name, copy)
    calc("open", tmp_path / name)
    cells = calc("formulas")
    headless.recalculate(copy)
    book = openpyxl.load_workbook(copy, data_only=True)
    numbers = 0
    for sheet, row, column, shown, number in cells:
        python = book[sheet].cell(row, column).value
        if isinstance(python, int | float):
            numbers += 1
            assert number == pytest.approx(python, rel=1e-9, abs=1e-6), (sheet, row, column)
        else:
            own = re.sub(r"LibreOffice Calc [\d.]+", "stored values", shown)
            assert own == (python or ""), (sheet, row, column)
    assert numbers > 2_000
    calc("enter", "Dashboard", "A6", "High")
    results = lm_xl.forecast(shipped, "High")
    last = shipped.axes.years[-1]
    assert calc("read", "Model", "C17")[2] == pytest.approx(
        results.revenue(shipped.axes.headline, last) / 1e6, rel=1e-9
    )
    assert calc("read", "Dashboard", "A4")[1].endswith("all pass")
