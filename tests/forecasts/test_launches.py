"""Launch against patent: one rule on the effective dates, wherever they come from, and what is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import small
from click.testing import CliRunner

import lm_xl
from lm_xl.cli.app import cli
from lm_xl.forecasts.launches import BEYOND, UNPROTECTED, launch_notes
from lm_xl.functions.answers import call
from lm_xl.functions.models import STORE, Model

Sheets = dict[str, list[dict[str, Any]]]
NEW = "New drug"


def typed(**numbers: float | str) -> Any:
    """A change of the small workbook: a number in every row of a quantity."""

    def change(sheets: Sheets) -> None:
        for row in sheets["Launches"]:
            if row["quantity"] in numbers:
                row["value"] = numbers[row["quantity"]]
        sheets["Scenarios"] = [d for d in sheets["Scenarios"] if d["quantity"] != "planned_launch"]

    return change


def read(path: Path, **numbers: float | str) -> lm_xl.Assumptions:
    return lm_xl.read_assumptions(small.workbook(path, change=typed(**numbers)))


PLAIN = {
    "trial_delay": 0,
    "regulatory_acceleration": 0,
    "regional_lag": 0,
    "partnering": 0,
    "orphan_exclusivity": 0,
}
"""Nothing between the planned launch and the launch, and no exclusivity but the patent."""


@pytest.mark.parametrize(
    "dates",
    [
        {"planned_launch": 2029.5},
        {"planned_launch": 2026.5, "trial_delay": 3},
        {"planned_launch": 2026.5, "regional_lag": 3},
        {"planned_launch": 2031.5, "regulatory_acceleration": 2},
    ],
    ids=["planned", "delayed", "lagging", "accelerated"],
)
def test_what_a_launch_past_its_patent_earns_depends_on_its_day_alone(
    tmp_path: Path, dates: dict[str, float]
) -> None:
    f = lm_xl.forecast(read(tmp_path / "a.xlsx", **{**PLAIN, "patent_expiry": 2028, **dates}))
    new = f.axes.segment.leaves.index(NEW)
    assert (f.outputs["launch"][0, :, new] == 2029.5).all()
    assert (f.outputs["loss_of_exclusivity"][0, :, new] == 2029.5).all()
    assert (f.outputs["exclusive_years"][0, :, new] == 0).all()
    # 0.6 of the price goes in three years from the middle of 2029: nothing, then the first sixth, in the half year on the
    # market; in 2030 a sixth to a half, in 2031 a half to five sixths
    assert f.outputs["erosion"][0, 0, new, 0] == pytest.approx(
        [0, 0, 0, 0, 0.6 * 0.5 * 1 / 12, 0.6 * 1 / 3, 0.6 * 2 / 3], abs=1e-12
    )
    assert (f.series("net_sales", segment=NEW) > 0).tolist() == [False] * 4 + [True] * 3


def test_a_scenario_moves_a_launch_past_its_patent_and_back(tmp_path: Path) -> None:
    a = read(tmp_path / "a.xlsx", **{**PLAIN, "patent_expiry": 2028, "planned_launch": 2026.5})
    late = read(tmp_path / "b.xlsx", **{**PLAIN, "patent_expiry": 2028, "planned_launch": 2029.5})
    keys = {"segment": NEW, "source": "TEST", "status": "placeholder", "reason": "made up"}
    slow = lm_xl.with_scenario(
        a, "Slow", [{**keys, "quantity": "trial_delay", "operation": "add", "amount": 3}]
    )
    back = lm_xl.with_scenario(
        late, "Quick", [{**keys, "quantity": "regulatory_acceleration", "operation": "add", "amount": 3}]
    )
    for scenario, one, other in (("Slow", slow, late), ("Quick", back, a)):
        found, due = (lm_xl.forecast(x, s) for x, s in ((one, scenario), (other, "Base")))
        for name in ("launch", "uptake", "erosion", "risk_adjusted_sales"):
            assert found.outputs[name] == pytest.approx(due.outputs[name], rel=1e-12), name


def test_orphan_exclusivity_protects_what_comes_after_its_patent(tmp_path: Path) -> None:
    f = lm_xl.forecast(
        read(
            tmp_path / "a.xlsx",
            **{**PLAIN, "patent_expiry": 2020, "planned_launch": 2027, "orphan_exclusivity": 2},
        )
    )
    new = f.axes.segment.leaves.index(NEW)
    assert (f.outputs["exclusive_years"][0, :, new] == 2).all()
    assert (f.outputs["erosion"][0, :, new, 0, :4] == 0).all()
    assert not launch_notes(f)


def test_never_means_the_same_for_an_entrant_as_for_an_incumbent(tmp_path: Path) -> None:
    f = lm_xl.forecast(read(tmp_path / "a.xlsx", **{**PLAIN, "patent_expiry": "never"}))
    assert not f.outputs["erosion"].any() and not f.outputs["loss_of_exclusivity"].any()
    assert f.revenue(NEW, 2031) > 0 and not launch_notes(f)


def test_late_launches_are_told_and_not_refused(tmp_path: Path) -> None:
    def change(sheets: Sheets) -> None:
        typed(**{**PLAIN, "patent_expiry": 2028, "planned_launch": 2027})(sheets)
        delta = {**sheets["Scenarios"][0], "region": "Germany", "segment": NEW, "subtype": ""}
        lag = {**delta, "quantity": "regional_lag", "operation": "add"}
        sheets["Scenarios"] += [
            {**lag, "amount": 1.5},
            {**lag, "region": "", "quantity": "trial_delay", "amount": 0.5},
        ]

    path = small.workbook(tmp_path / "a.xlsx", change=change)
    a = lm_xl.read_assumptions(path)
    (note,) = launch_notes(lm_xl.forecast(a, a.axes.scenarios))
    assert (note.segment, note.what, note.regions) == (NEW, UNPROTECTED, {"High": ("Germany",)})
    told = CliRunner().invoke(cli, ["check", str(path)])
    assert told.exit_code == 0
    assert f"  {NEW} {UNPROTECTED}: in Germany (High)\n" in told.output
    assert str(note) == f"{NEW} {UNPROTECTED}: in Germany (High)"
    base, high = (STORE.put(Model(a, scenario)) for scenario in ("Base", "High"))
    assert call("LM_WHY", ["LM_SCENARIO", base, "High"]) == f"note: {note}"
    assert call("LM_WHY", ["LM_SCENARIO", high, "Base"]) == ""
    for rows in (" new drug", [["Old drug"], [NEW]]):  # of a therapy that is named, alone or among others
        assert call("LM_WHY", ["LM_REVENUE", rows, 2030, high]) == f"note: {note}"
        assert call("LM_WHY", ["LM_REVENUE", rows, 2030, base]) == ""
    assert call("LM_WHY", ["LM_PATIENTS", "Germany", 2030, high]) == ""


def test_a_launch_after_the_horizon_is_told(tmp_path: Path) -> None:
    f = lm_xl.forecast(read(tmp_path / "a.xlsx", **{**PLAIN, "planned_launch": 2032, "patent_expiry": 2028}))
    (note,) = launch_notes(f)
    assert (note.what, note.regions) == (BEYOND, {"Base": f.axes.region.leaves})
    assert not f.series("net_sales", segment=NEW).any()
    handle = STORE.put(Model(f.assumptions, "Base"))
    assert call("LM_REVENUE", [NEW, 2031, handle]) == 0
    assert call("LM_WHY", ["LM_REVENUE", NEW, 2031, handle]) == f"note: {note}"
    last_day = lm_xl.forecast(read(tmp_path / "b.xlsx", **{**PLAIN, "planned_launch": 2031.99}))
    assert not [n for n in launch_notes(last_day) if n.what == BEYOND]
    assert last_day.revenue(NEW, 2031) > 0
