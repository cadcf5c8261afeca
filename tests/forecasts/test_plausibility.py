"""Numbers beside the ranges in which evidence puts them: told by check, by the workbook and by LM_WHY, refused by none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
import small
from command_line import run

import lm_xl
from lm_xl.forecasts.plausibility import implausible
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.models import STORE, Model
from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.plan.bounds import BAND_COUNT
from lm_xl.xlsx.addresses import place_of
from lm_xl.xlsx.engines import recalculated

Sheets = dict[str, list[dict[str, Any]]]


def risky(sheets: Sheets) -> None:
    """A risk of 0.055 typed as 0.5, and a year of a typed row."""
    of = ("lm_risk", "HR+ breast")
    next(r for r in sheets["Epidemiology"] if (r["quantity"], r["subtype"]) == of)["value"] = 0.5
    next(r for r in sheets["Treatment"] if r["fill"] == "yearly")["2026"] = 0.95


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.workbook(tmp_path_factory.mktemp("doubtful") / "doubtful.xlsx", change=risky)


def test_what_lies_outside_is_told_and_read(doubtful: Path, small_assumptions: lm_xl.Assumptions) -> None:
    assert implausible(small_assumptions) == ()
    first, second = implausible(lm_xl.read_assumptions(doubtful))
    assert (first.row.quantity, first.value, first.scenario) == ("lm_risk", 0.5, "Base")
    assert str(first).endswith("lm_risk of Global x HR+ breast is 0.5, plausible 0.01 to 0.2 (Bands!F8)")
    assert (second.row.quantity, second.value) == ("treatment_rate", 0.95)


def test_what_only_a_scenario_takes_outside_is_told_with_it(tmp_path: Path) -> None:
    def scaled(sheets: Sheets) -> None:
        sheets["Scenarios"][0]["amount"] = 3

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=scaled))
    (found,) = implausible(a)
    assert (found.scenario, found.value) == ("High", pytest.approx(3 * found.row.inputs[0]))
    assert implausible(a, ["Base"]) == ()


def test_check_tells_it(
    doubtful: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(monkeypatch, capsys, "check", doubtful)
    assert code == 0
    assert "OUTSIDE what evidence makes plausible, 2 (told, not refused):" in out
    assert "lm_risk of Global x HR+ breast is 0.5, plausible 0.01 to 0.2 (Bands!F8)" in out


def test_lm_why_tells_it(doubtful: Path, small_assumptions: lm_xl.Assumptions) -> None:
    def why(a: lm_xl.Assumptions) -> str:
        return str(call("LM_WHY", ["LM_PATIENTS", "Global", 2026.0, STORE.put(Model(a, "Base"))]))

    assert why(small_assumptions) == ""
    told = why(lm_xl.read_assumptions(doubtful))
    assert told.startswith("note: Epidemiology!") and "is 0.5, plausible 0.01 to 0.2" in told


def test_lm_why_tells_what_a_what_if_takes_outside(small_assumptions: lm_xl.Assumptions) -> None:
    handle = STORE.put(Model(small_assumptions, "Base"))
    assert call("LM_WHY", ["LM_WHATIF", handle, "lm_risk", 1.01]) == ""
    changed = ["lm_risk", 5, OMITTED, OMITTED, "HR+ breast"]
    told = call("LM_WHY", ["LM_WHATIF", handle, *changed])
    assert told.startswith("note: Epidemiology!") and "plausible 0.01 to 0.2 (Bands!F8)" in told
    assert call("LM_WHY", ["LM_PATIENTS", "US", 2030, call("LM_WHATIF", [handle, *changed])]) == told


def test_the_workbook_counts_it(small_built: Path) -> None:
    """The numbers outside stand beside their band, of the cells as they are; the master check is none of it."""
    book = openpyxl.load_workbook(small_built)
    band = next(r[0].row for r in book["Bands"].iter_rows(min_row=6) if r[0].value == "lm_risk")
    risk = next(
        r
        for r in book["Epidemiology"].iter_rows(min_row=6)
        if (r[0].value, r[3].value) == ("lm_risk", "HR+ breast")
    )
    row, column = place_of(risk[6].coordinate)
    areas = {"Bands": (band, BAND_COUNT), "Checks": (4, 1)}
    edits: list[Any] = [{}, {("Epidemiology", row, column): 0.5}]
    before, after = recalculated(small_built, edits, areas, "formualizer")
    assert [grid["Bands"][-1][-1] for grid in (before, after)] == [0, 1]
    assert before["Checks"] == after["Checks"]


def test_every_quantity_of_the_base_case_has_a_band_and_lies_within(shipped: lm_xl.Assumptions) -> None:
    banded = {band.result for band in shipped.bands if band.year is None}
    assert banded == {name for name, quantity in QUANTITIES.items() if quantity.sheet != "Timeline"}
    assert [str(found) for found in implausible(shipped)] == []
    for band in shipped.bands:
        assert band.sources and band.note, band
