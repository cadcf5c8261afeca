"""How results are asked: what is due is given, and a year is typed in one way at every door."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lm_xl
from lm_xl.faults import CallError, WrongUsage
from lm_xl.functions.answers import call
from lm_xl.functions.models import STORE, Model

A = lm_xl.Assumptions

DOORS: dict[str, Callable[[A, Any], float]] = {
    "patients": lambda a, year: lm_xl.forecast(a).patients("Global", year),
    "revenue": lambda a, year: lm_xl.forecast(a).revenue("Total market", year),
    "compare": lambda a, year: lm_xl.compare(a, "Base", "High", year=year).before.year,
    "tornado": lambda a, year: lm_xl.tornado(a, year=year).at.year,
    "LM_PATIENTS": lambda a, year: call("LM_PATIENTS", ["Global", year, STORE.put(Model(a, "Base"))]),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_year_is_typed_in_one_way_at_every_door(door: str, small_assumptions: A) -> None:
    ask = DOORS[door]
    due = ask(small_assumptions, 2026)
    for year in (2026.0, np.int64(2026), "2026", " 2026 "):
        assert ask(small_assumptions, year) == due, repr(year)
    assert ask(small_assumptions, 2025) != due
    strange: tuple[Any, ...] = (dt.date(2026, 1, 1), [2026], b"2026") if door != "LM_PATIENTS" else ()
    for year in (
        "",
        "26",
        "2026.0",
        "MMXXVI",
        True,
        2026.5,
        float("nan"),
        float("inf"),
        46023,
        2050,
        *strange,
    ):
        with pytest.raises((lm_xl.UnknownLabel, CallError), match="year"):
            ask(small_assumptions, year)


@pytest.mark.parametrize("blank", [None, "", "  ", float("nan")], ids=repr)
def test_a_blank_is_no_label(blank: Any, small_assumptions: A) -> None:
    results = lm_xl.forecast(small_assumptions)
    for ask in (results.patients, results.revenue):
        with pytest.raises(lm_xl.UnknownLabel, match=r"region|segment"):
            ask(blank, 2026)


def test_what_is_due_names_the_whole(small_assumptions: A) -> None:
    results = lm_xl.forecast(small_assumptions)
    with pytest.raises(lm_xl.UnknownLabel, match="no region is given: 'Global' is all of them"):
        results.patients(None, 2026)  # type: ignore[arg-type]
    with pytest.raises(lm_xl.UnknownLabel, match="no segment is given: 'Total market' is all of them"):
        results.revenue(None, 2026)  # type: ignore[arg-type]


@pytest.mark.parametrize("nothing", [[], ()], ids=repr)
def test_no_scenario_is_not_the_default(nothing: Any, small_assumptions: A) -> None:
    with pytest.raises(WrongUsage, match="no scenario is given: leave it out for 'Base'"):
        lm_xl.forecast(small_assumptions, nothing)


def test_what_is_no_text_is_no_scenario(small_assumptions: A) -> None:
    with pytest.raises(lm_xl.UnknownLabel, match="unknown scenario 5"):
        lm_xl.forecast(small_assumptions, [5])  # type: ignore[list-item]
