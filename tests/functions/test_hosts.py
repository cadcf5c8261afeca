"""Each function in five ways, in plain Python and without Excel; the other hosts have files of their own. The page says what ran."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hosts
import openpyxl
import pytest
from grids import grids

import lm_xl
from lm_xl.faults import CallError
from lm_xl.functions import headless
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
    here = Path(__file__).parent
    for name, host in hosts.HOSTS.items():
        assert f'"{name}"' in here.joinpath(host.test).read_text(encoding="utf-8"), name


@pytest.mark.parametrize("name", list(hosts.CALLS))
def test_python(name: str, models: list[str], tables: list[Any]) -> None:
    for way in hosts.checked("Python", name):
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
    path = tmp_path / "hosts.xlsx"
    expected = hosts.workbook("Without Excel", models, tables, path)
    assert not headless.recalculate(path).left
    book = openpyxl.load_workbook(path, data_only=True)
    stored = {cell: book[cell[0]].cell(*cell[1:]).value for cell in expected}
    shown = {cell: "" if x is None else x for cell, x in stored.items()}
    assert not hosts.differing(expected, shown, f"lm_xl {lm_xl.__version__}, stored values")
    assert len(expected) > 150
