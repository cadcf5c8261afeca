"""Each function in five ways, in plain Python and without Excel; for Excel on Windows see test_com.py. The page says what ran."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hosts
import openpyxl
import pytest
from grids import grids
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

import lm_xl
from lm_xl.faults import CallError
from lm_xl.functions import headless
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.models import STORE, Model
from lm_xl.functions.plain import PLAIN
from lm_xl.functions.registry import FUNCTIONS


@pytest.fixture(scope="module")
def tables(small_assumptions: lm_xl.Assumptions) -> list[Any]:
    return list(grids(small_assumptions).values())


@pytest.fixture(scope="module")
def models(small_assumptions: lm_xl.Assumptions) -> list[str]:
    return [STORE.put(Model(small_assumptions, scenario)) for scenario in ("Base", "High")]


def test_the_page_names_what_runs_and_nothing_else() -> None:
    assert set(hosts.CALLS) == set(FUNCTIONS), "give the arguments of a call in tests/hosts.py"
    page = Path(__file__).parents[2] / "docs" / "hosts.md"
    assert page.read_text(encoding="utf-8") == hosts.page()


@pytest.mark.parametrize("name", list(hosts.CALLS))
def test_python(name: str, models: list[str], tables: list[Any]) -> None:
    for way in hosts.ways(name):
        if way in hosts.HOSTS["Python"][2]:
            continue
        given = hosts.arguments(name, way, models[0])
        values = [x for v in given for x in (tables if isinstance(v, str) and v == hosts.TABLES else [v])]
        try:
            answer = PLAIN[name](*values)
            if FUNCTIONS[name].headed:  # a frame in Python
                rows = answer.astype(object).where(answer.notna(), "").to_numpy().tolist()
                answer = [list(answer.columns), *rows]
            answer = answer.tolist() if hasattr(answer, "tolist") and answer.shape else answer
        except CallError as error:
            answer = error.code
        expected = hosts.due(name, given, models[0], tables)
        flat = [x for row in expected for x in row] if isinstance(expected, list) else []
        if any(
            isinstance(x, str) and x.startswith("#") for x in flat
        ):  # in Python one wrong cell is an error of the whole
            expected = next(x for x in flat if str(x).startswith("#"))
        assert answer == expected, way


def test_without_excel(models: list[str], tables: list[Any], tmp_path: Path) -> None:
    """Two sheets of calls, each with a name Model of its own; what is stored is compared cell by cell."""
    book = openpyxl.Workbook()
    ranges = []
    for i, table in enumerate(tables):
        sheet = book.create_sheet(f"T{i}")
        for row in table:
            sheet.append(row)
        ranges.append(f"T{i}!$A$1:${get_column_letter(len(table[0]))}${len(table)}")
    expected: dict[tuple[str, int, int], Any] = {}
    for title, model in zip(("One", "Two"), models, strict=True):
        ws: Any = book.create_sheet(title)
        ws["A1"] = model
        ws.defined_names["Model"] = DefinedName("Model", attr_text=f"{title}!$A$1")
        at = 3
        for name in hosts.CALLS:
            for way in hosts.ways(name):
                at = _enter(ws, at, name, hosts.arguments(name, way, model), model, tables, ranges, expected)
    path = tmp_path / "hosts.xlsx"
    book.save(path)
    done = headless.recalculate(path)
    assert not done.left
    shown = openpyxl.load_workbook(path, data_only=True)
    wrong = {
        place: (got, due)
        for place, due in expected.items()
        if (got := shown[place[0]].cell(*place[1:]).value) != due
        and not (isinstance(due, float) and got == pytest.approx(due, rel=1e-12))
        and not (due == "" and got is None)
    }
    assert not wrong and len(expected) > 150


def _enter(
    ws: Any,
    at: int,
    name: str,
    given: list[Any],
    model: str,
    tables: list[Any],
    ranges: list[str],
    expected: dict[tuple[str, int, int], Any],
) -> int:
    """Enter one call with its arguments in cells to its right; returns the next free row."""
    words = []
    for j, value in enumerate(given):
        column = get_column_letter(20 + j)
        if value is OMITTED:
            words.append("")
        elif isinstance(value, str) and value == hosts.TABLES:
            words += ranges
        elif isinstance(value, list):
            for i, (cell,) in enumerate(value):
                ws[f"{column}{at + i}"] = cell
            words.append(f"{column}{at}:{column}{at + len(value) - 1}")
        else:
            ws[f"{column}{at}"] = value
            words.append(f"{column}{at}")
    formula = f"={name}({','.join(words)})"
    due = hosts.due(name, given, model, tables)
    if name == "LM_VERSION":
        due = due.replace("Python", "stored values")
    if not isinstance(due, list):
        due = [[due]]
    else:
        area = f"B{at}:{get_column_letter(1 + len(due[0]))}{at + len(due) - 1}"
        formula = ArrayFormula(area, formula)  # type: ignore[assignment]
    ws.cell(at, 2).value = formula
    for i, row in enumerate(due):
        for j, x in enumerate(row):
            expected[ws.title, at + i, 2 + j] = x
    return at + max(len(due), 2) + 1
