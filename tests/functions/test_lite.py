"""The workbook of xlwings Lite carries its functions, and they answer as in Python: in this Python and in WebAssembly."""

from __future__ import annotations

import ast
import base64
import bz2
import hashlib
import io
import json
import math
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import hosts
import openpyxl
import pyodide_files
import pytest
from grids import grids
from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from packaging.requirements import Requirement

import lm_xl
from lm_xl.faults import CallError
from lm_xl.functions import headless, lite
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.lite_code import NEEDED, PYODIDE, add_code, package_zip
from lm_xl.functions.models import Model
from lm_xl.functions.registry import FUNCTIONS, METRICS
from lm_xl.functions.template.build import template
from lm_xl.functions.template.control import CONTROL, MODEL_ROW

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
SHIPPED = ROOT / "workbooks" / "lm_template_lite.xlsx"
WEBASSEMBLY = os.environ.get("LM_PYODIDE", "")
"""The folder that pyodide_files.py filled."""
MODEL = {"model": True}
HOST = "xlwings Lite"
MOST_BYTES = 1_000_000
"""Of the code in the workbook: a fifth of what Excel on the web takes in one request."""

Question = tuple[str, list[Any]]


def carried(path: Path) -> dict[str, Any]:
    """What a workbook has stored for its add-in."""
    with zipfile.ZipFile(path) as package:
        extension = ElementTree.fromstring(package.read("xl/webextensions/webextension1.xml"))
    found = (p for p in extension.iter() if p.tag.endswith("}property"))
    return {str(p.get("name")): json.loads(str(p.get("value"))) for p in found}


def package_of(main: str) -> bytes:
    """The zip that a `main.py` carries, read without running it."""
    texts = [n.value for n in ast.parse(main).body if isinstance(n, ast.Assign)]
    return bz2.decompress(base64.b64decode(ast.literal_eval(texts[0])))


@pytest.fixture(scope="module")
def workbook(small_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lite") / "lite.xlsx"
    add_code(small_path, path)
    return path


def test_the_workbook_carries_its_code(workbook: Path, small_path: Path) -> None:
    with zipfile.ZipFile(workbook) as package, zipfile.ZipFile(small_path) as plain:
        assert "xl/webextensions/taskpanes.xml" in package.read("_rels/.rels").decode()
        assert "webextension1.xml" in package.read("xl/webextensions/_rels/taskpanes.xml.rels").decode()
        assert package.read("[Content_Types].xml").decode().count("/xl/webextensions/") == 2
        changed = {p for p in plain.namelist() if plain.read(p) != package.read(p)}
        assert changed == {"_rels/.rels", "[Content_Types].xml"}
        assert package.getinfo("xl/webextensions/webextension1.xml").file_size < MOST_BYTES
        assert b'visibility="1"' in package.read("xl/webextensions/taskpanes.xml")
    found = carried(workbook)
    assert set(found) == {
        "main.py",
        "requirements.txt",
        "pyodideVersion",
        "Office.AutoShowTaskpaneWithDocument",
    }
    assert (found["pyodideVersion"], found["Office.AutoShowTaskpaneWithDocument"]) == (PYODIDE, True)
    main = found["main.py"]
    assert max(map(len, main.splitlines())) <= 120 and main.isascii()
    assert main.rstrip().endswith("from lm_xl.functions.lite import *")


def test_nothing_asks_an_index_for_a_name_of_ours(workbook: Path) -> None:
    lines = carried(workbook)["requirements.txt"].splitlines()
    named = [Requirement(line) for line in lines if not line.startswith("#")]
    assert not [r for r in named if "lm" in re.split(r"[-_.]", r.name)]
    assert not [r for r in named if r.name in NEEDED and r.specifier]


def test_webassembly_is_asked_for_four_packages_of_any_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [Requirement(text) for text in project["dependencies"]]
    there = {"sys_platform": "emscripten"}
    due = {r.name: str(r.specifier) for r in named if r.marker is None or r.marker.evaluate(there)}
    assert due == {"numpy": "", "scipy": "", "pandas": "", "openpyxl": ""}


def test_the_shipped_workbook_carries_this_package() -> None:
    main = carried(SHIPPED)["main.py"]
    assert "PACKAGE" in main, "nox -s templates"
    shipped = package_of(main)
    with zipfile.ZipFile(io.BytesIO(shipped)) as old, zipfile.ZipFile(io.BytesIO(package_zip())) as new:
        names = sorted({*old.namelist(), *new.namelist()})
        differ = [n for n in names if n not in old.namelist() or n not in new.namelist() or old.read(n) != new.read(n)]  # fmt: skip
    assert not differ, "nox -s templates"


def handed_over(a: lm_xl.Assumptions) -> list[Any]:
    """The tables of some assumptions as the formula of the cell Model hands them over."""
    return [[["" if x is None else x for x in row] for row in grid] for grid in grids(a).values()]


def questions(a: lm_xl.Assumptions) -> list[Question]:
    """Calls whose answers cover every function, every label and every year, right and wrong."""
    tables = handed_over(a)
    labels = [label for axis in (a.axes.region, a.axes.segment, a.axes.subtype) for label in axis.labels]
    years = [[float(y) for y in a.axes.years]]
    region, therapy = a.axes.region.leaves[0], a.axes.segment.leaves[0]
    made: list[Question] = [("LM_MODEL", [*tables, a.axes.default])]
    made += [("LM_TABLE", [metric, [[x] for x in labels], years, MODEL]) for metric in METRICS]
    made += [
        ("LM_PATIENTS", [region, 2030, MODEL]),
        ("LM_PATIENTS", [region, 2030]),
        ("LM_PATIENTS", ["Nowhere", 2030, MODEL]),
        ("LM_PATIENTS", [region, 1999, MODEL]),
        ("LM_REVENUE", [[[x] for x in a.axes.segment.labels], years, MODEL, region]),
        ("LM_COMPANY_REVENUE", [[[x] for x in a.companies], years, MODEL]),
        ("LM_PERCENTILE", [0.9, a.axes.headline, 2035, MODEL]),
        ("LM_WHY", ["LM_PATIENTS", region, 2030]),
        ("LM_SHARE", ["revenue", therapy, years, MODEL]),
        ("LM_COMPARE", [MODEL, None, "segment"]),
        ("LM_BRIDGE", [MODEL]),
    ]
    return made + [q for q in map(example, FUNCTIONS) if q]


def every_way(a: lm_xl.Assumptions) -> list[tuple[Question, Any]]:
    """The calls of tests/hosts.py after one that makes their model, and what is due for each."""
    tables, model = handed_over(a), Model(a, a.axes.default).handle
    made: list[tuple[Question, Any]] = [(("LM_MODEL", [*tables, a.axes.default]), model)]
    for name in hosts.CALLS:
        for way in hosts.ways(name):
            given = hosts.arguments(name, way, model)
            due = hosts.due(name, given, model, tables, hosts.HOSTS[HOST].blank)
            if way not in hosts.checked(HOST, name):
                due = "#N/A"
            values = [x for v in given for x in (tables if isinstance(v, str) and v == hosts.TABLES else [v])]
            made.append(((name, [_in_json(x) for x in values]), due))
    return made


def _in_json(value: Any) -> Any:
    """An argument of tests/hosts.py as the question has it: None for one that is left out, a blank cell as it arrives."""
    return None if value is OMITTED else hosts.HOSTS[HOST].blank if value is None else value


def example(name: str) -> Question | None:
    """The example of a function's declaration as a question, unless it refers to cells."""
    given: list[Any] = [None]
    depth = 0
    for token in Tokenizer(FUNCTIONS[name].example).items:
        depth += {Token.OPEN: 1, Token.CLOSE: -1}.get(token.subtype, 0)
        if depth > 1 or (
            token.type == Token.OPERAND and token.subtype == Token.RANGE and token.value != "Model"
        ):
            return None
        if token.type == Token.SEP:
            given.append(None)
        elif token.type == Token.OPERAND:
            value = token.value
            words = {"Model": MODEL, "TRUE": True, "FALSE": False}
            given[-1] = words[value] if value in words else json.loads(value)
    return name, [] if given == [None] else given


def in_python(asked: list[Question]) -> list[Any]:
    """What Python answers to the same questions."""
    found: list[Any] = []
    for name, given in asked:
        arguments = [OMITTED if x is None else found[0] if x == MODEL else x for x in given]
        try:
            answer = call(name, arguments, host=lite.HOST, default=lite._no_model)
        except CallError as error:
            answer = error.code
        found.append([[getattr(x, "code", x) for x in row] for row in answer] if isinstance(answer, list) else answer)  # fmt: skip
    return found


@pytest.fixture(scope="module")
def asked(shipped: lm_xl.Assumptions, small_assumptions: lm_xl.Assumptions) -> list[Question]:
    return [*questions(shipped), *(question for question, _ in every_way(small_assumptions))]


@pytest.fixture(scope="module")
def told(
    workbook: Path, asked: list[Question], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    """What a command prints that is given the workbook's main.py and the questions."""
    folder = tmp_path_factory.mktemp("told")
    main, written = folder / "main.py", folder / "questions.json"
    main.write_text(carried(workbook)["main.py"])
    written.write_text(json.dumps(asked))

    def run(*command: str, more: tuple[str, ...] = ()) -> Any:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment["TMPDIR"] = str(folder)
        done = subprocess.run([*command, str(main), str(written), *more], cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)  # fmt: skip
        return json.loads(done.stdout)

    return run


def values(answer: Any) -> list[Any]:
    return [x for row in answer for x in row] if isinstance(answer, list) else [answer]


def compare(answers: list[Any], asked: list[Question], near: float) -> tuple[int, float]:
    """How many values were compared, and by how much the worst number differs; every other value is the same."""
    count, worst = 0, 0.0
    for question, got, due in zip(asked, answers, in_python(asked), strict=True):
        assert len(values(got)) == len(values(due)), question[0]
        for x, y in zip(values(got), values(due), strict=True):
            count += 1
            if isinstance(y, float) and y:
                assert math.isclose(x, y, rel_tol=near), question
                worst = max(worst, abs(x / y - 1))
            else:
                assert x == y, question
    return count, worst


@pytest.fixture(scope="module")
def here(told: Callable[..., Any]) -> Any:
    """The answers of the carried functions in this Python, with nothing there but numpy and scipy, and no other lm_xl."""
    return told(sys.executable, "-I", str(TESTS / "lite_host.py"))


def test_the_carried_functions_answer_as_in_python(here: Any, asked: list[Question]) -> None:
    assert {name for name, _ in asked} == set(FUNCTIONS), "give a question for each function"
    assert here["functions"] == sorted(FUNCTIONS)
    count, worst = compare(here["answers"], asked, near=1e-15)
    assert count > 5_000 and worst < 1e-15


def test_each_function_in_every_way(here: Any, small_assumptions: lm_xl.Assumptions) -> None:
    """The calls of tests/hosts.py; a call that names no model, which this host does not have, is #N/A."""
    calls = every_way(small_assumptions)
    for (question, due), got in zip(calls, here["answers"][-len(calls) :], strict=True):
        if question[0] != "LM_VERSION":
            assert got == due, question


def test_a_call_that_names_no_model_says_what_to_give(here: Any, asked: list[Question]) -> None:
    bare, why = (
        here["answers"][next(i for i, (name, given) in enumerate(asked) if name == at and len(given) == n)]
        for at, n in (("LM_PATIENTS", 2), ("LM_WHY", 3))
    )
    assert bare == "#N/A"
    assert "give the cell Model" in why and "no name of the workbook" in why
    assert "(LM_PATIENTS(region, year, [model]," in why


def test_on_a_copy_of_its_sheet_the_model_is_the_copys(
    small_assumptions: lm_xl.Assumptions, tmp_path: Path
) -> None:
    """Two scenarios side by side: the name that every call is given leads each sheet to its own model."""
    path, scenarios = tmp_path / "lite.xlsx", small_assumptions.axes.scenarios[:2]
    template(small_assumptions, path, host="lite")
    book = openpyxl.load_workbook(path)
    copy = book.copy_worksheet(book[CONTROL])
    model = copy.cell(MODEL_ROW, 3)
    chosen = model.value.text.replace(",Scenario)", f',"{scenarios[1]}")')
    model.value = ArrayFormula(model.value.ref, chosen)
    copy.defined_names["Model"] = DefinedName("Model", attr_text=f"'{copy.title}'!$C${MODEL_ROW}")
    region, year = small_assumptions.axes.region.total, small_assumptions.axes.years[-1]
    for sheet in (CONTROL, copy.title, "Checks"):
        book[sheet]["Z1"] = (
            f'=_xldudf_LM_REVENUE("{small_assumptions.axes.headline}",{year},Model,"{region}")'
        )
    book.save(path)
    engine = headless.open_workbook(path)
    engine.evaluate_all()
    got = [engine.get_value(sheet, 1, 26) for sheet in (CONTROL, copy.title, "Checks")]
    first, other = (
        lm_xl.forecast(small_assumptions, s).revenue(small_assumptions.axes.headline, year) for s in scenarios
    )
    assert first != pytest.approx(other)
    assert got == pytest.approx([first, other, first])


def test_help_and_lists_are_handed_to_the_add_in() -> None:
    patients = lite.as_lite_function(FUNCTIONS["LM_PATIENTS"])
    assert patients.__annotations__["stage"].__args__[0] == "incidence"
    assert str(patients.__doc__).startswith("Patients of a region in a year")
    assert patients([["Europe"]], [[2030]], [[None]]) == "#N/A"


def test_what_is_fetched_for_webassembly_is_what_its_lock_names() -> None:
    lock = {
        "packages": {
            "numpy": {"file_name": "n.whl", "sha256": "1", "depends": []},
            "scipy": {"file_name": "s.whl", "sha256": "2", "depends": ["numpy", "openblas"]},
            "openblas": {"file_name": "b.zip", "sha256": "3", "depends": []},
            "pandas": {"file_name": "p.whl", "sha256": "4", "depends": ["numpy"]},
        }
    }
    assert pyodide_files.needed(lock) == {"n.whl": "1", "s.whl": "2", "b.zip": "3"}  # type: ignore[arg-type]
    assert pyodide_files.PACKAGES == NEEDED


@pytest.mark.slow
@pytest.mark.skipif(not WEBASSEMBLY, reason="python tests/pyodide_files.py FOLDER, and LM_PYODIDE names it")
def test_the_workbook_answers_in_webassembly(
    told: Callable[..., Any], asked: list[Question], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(WEBASSEMBLY).resolve()
    for file, sha256 in pyodide_files.needed(json.loads((folder / "pyodide-lock.json").read_text())).items():
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == sha256, file
    host = [str(TESTS / "lite_host.mjs"), str(folder), str(TESTS / "lite_host.py")]
    got = told("node", *host, more=NEEDED)
    count, worst = compare(got["answers"], asked, near=1e-9)
    with capsys.disabled():
        print(f"\n{report(got, count, worst)}")
    assert count > 5_000
    assert got["pyodide"] == pyodide_files.PYODIDE
    assert int(got["versions"]["scipy"].split(".")[1]) < 15  # older than what other Pythons ask for


def report(got: dict[str, Any], count: int, worst: float) -> str:
    """The cold start by step, as docs/excel_lite.md has it."""
    steps = got["steps"]
    timed = ("LM_MODEL", "LM_PATIENTS", "LM_PERCENTILE")
    first = {name: next(s for s in steps if re.fullmatch(rf"\d+ {name}", s)) for name in timed}
    rows = [
        ("start Pyodide", steps["Pyodide"]),
        *((f"load {p}", steps[f"load {p}"]) for p in NEEDED),
        *((f"import {p}", steps[f"import {p}"]) for p in NEEDED),
        ("`main.py`, which unpacks and imports lm_xl", steps["main.py"]),
        ("`main.py` once more", steps["main.py again"]),
        *(row for name, s in first.items() for row in ((f"{name}, first call", steps[s]), (f"{name}, same call again", steps[f"{s} again"]))),
    ]  # fmt: skip
    lines = [f"| {what} | {seconds:.4f} s |" for what, seconds in rows]
    said = ", ".join(f"{n} {v}" for n, v in got["versions"].items())
    return "\n".join(
        [
            f"Pyodide {got['pyodide']}, Python {got['python']}, {said}: {count:,} values, worst {worst:.1e}, heap {got['heap'] / 2**20:.0f} MiB",
            *lines,
        ]
    )
