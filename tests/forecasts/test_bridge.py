"""Two points beside each other, and the bridge between them."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import run
from hypothesis import given
from hypothesis import strategies as st

import lm_xl
from lm_xl.faults import UnknownLabel, WrongUsage
from lm_xl.forecasts.bridge import shapley
from lm_xl.forecasts.points import Point, point, points
from lm_xl.model.drivers import DRIVERS
from lm_xl.model.evaluate import STAGES
from lm_xl.model.quantities import QUANTITIES

NEAR = 1e-9


def test_every_quantity_and_every_clock_has_one_driver() -> None:
    assert sorted(q for d in DRIVERS for q in d.quantities) == sorted(
        q for q in QUANTITIES if QUANTITIES[q].sheet != "Timeline"
    )
    assert sorted(c for d in DRIVERS for c in d.clocks) == sorted(
        name for name, (_, takes) in STAGES.items() if "year" in takes
    )


@given(st.integers(0, 4).flatmap(lambda n: st.lists(st.floats(-1e9, 1e9), min_size=1 << n, max_size=1 << n)))
def test_shapley_is_the_mean_over_all_orders(worth: list[float]) -> None:
    n = len(worth).bit_length() - 1
    orders = list(permutations(range(n)))
    mean = [0.0] * n
    for order in orders:
        coalition = 0
        for player in order:
            mean[player] += (worth[coalition | 1 << player] - worth[coalition]) / len(orders)
            coalition |= 1 << player
    assert shapley(np.array(worth)) == pytest.approx(mean, rel=NEAR, abs=1e-4)


@pytest.mark.parametrize(
    ("book", "start", "end"),
    [
        ("shipped", 2025, 2035),
        ("shipped", "Base", "High"),
        ("shipped", "Slow regulators 2030", "Low 2030"),
        ("small_assumptions", "High 2025", "Base"),
    ],
)
def test_bars_sum_to_the_difference(
    request: pytest.FixtureRequest, book: str, start: str | int, end: str | int
) -> None:
    assumptions = request.getfixturevalue(book)
    there = lm_xl.bridge(assumptions, start, end, region="US")
    back = lm_xl.bridge(assumptions, end, start, region="US")
    for found, where in ((there.before, there.start), (there.after, there.end)):
        results = lm_xl.forecast(assumptions, where.scenario)
        assert found == pytest.approx(results.revenue(assumptions.axes.headline, where.year, "US"), rel=1e-12)
    assert sum(b.effect for b in there.bars) == pytest.approx(there.difference, rel=NEAR)
    assert sum(b.effect for b in back.bars) == pytest.approx(-there.difference, rel=NEAR)
    assert [b.effect for b in back.bars] == pytest.approx(
        [-b.effect for b in there.bars], rel=NEAR, abs=NEAR * there.before
    )
    assert all(b.effect == b.alone == 0 for b in there.bars if not b.changed)
    assert any(abs(b.interaction) > 1e-3 * abs(there.difference) for b in there.bars)
    frame = there.frame(by_size=True)
    assert frame["effect"].abs().is_monotonic_decreasing
    assert frame["before"].iloc[0] == there.before
    assert (frame["before"] + frame["effect"]).to_numpy() == pytest.approx(
        frame["after"].to_numpy(), rel=NEAR
    )
    assert frame["after"].iloc[-1] == pytest.approx(there.after, rel=NEAR)
    assert frame["share"].sum() == pytest.approx(1, rel=NEAR)


def test_only_what_a_scenario_names_has_a_bar(shipped: lm_xl.Assumptions) -> None:
    deltas = {d.quantity for d in shipped.deltas if d.scenario == "Slow regulators"}
    bars = lm_xl.bridge(shipped, "Base", "Slow regulators").bars
    assert {q for b in bars for q in b.changed} == deltas
    only = lm_xl.bridge(shipped, "Base", "Started or switched only")
    assert [(b.driver, b.effect, b.interaction) for b in only.bars if b.effect] == [
        ("Attribution", only.difference, 0)
    ]
    same = lm_xl.bridge(shipped, "High", "High")
    assert {b.effect for b in same.bars} == {same.difference} == {0}


def test_time_passes_for_one_driver_at_a_time(shipped: lm_xl.Assumptions) -> None:
    """Incidence alone from 2025 to 2035: each region's and subtype's revenue of 2025, grown as its incidence."""
    sales = lm_xl.forecast(shipped).outputs["risk_adjusted_sales"][..., :1]
    therapies = list(shipped.axes.segment.members("Therapeutics"))
    sales = sales[:, :, therapies].sum(axis=2, keepdims=True)
    grown = sales * (1 + shipped.base["incidence_growth"]) ** 10
    years = {b.driver: b for b in lm_xl.bridge(shipped).bars}
    assert years["Cancer incidence"].alone == pytest.approx((grown - sales).sum(), rel=NEAR)
    patients = lm_xl.bridge(shipped, 2025, 2035, "patients", stage="incidence", subtype="SCLC")
    assert [b.driver for b in patients.bars if b.effect] == ["Cancer incidence"]


def test_points_by_their_words(small_assumptions: lm_xl.Assumptions) -> None:
    axes = small_assumptions.axes
    assert point(axes, "high") == Point("High", 2031)
    assert point(axes, 2027) == point(axes, " base 2027") == point(axes, "Base", 2027) == Point("Base", 2027)
    assert point(axes, 2027, 2029, "High") == Point("High", 2027)
    assert point(axes, "Base", 2029, "High") == Point("Base", 2029)
    for wrong, hint in (
        ("Hihg", "'High'"),
        ("High 2040", "2025 to 2031"),
        (2040, "2025 to 2031"),
        ("\u00b2", "unknown scenario"),
        ("9" * 5000, "unknown scenario"),
    ):
        with pytest.raises(UnknownLabel, match=hint):
            point(axes, wrong)


def test_what_no_point_takes_is_refused(small_assumptions: lm_xl.Assumptions) -> None:
    assert points(small_assumptions.axes, ["Base 2025", "High"], 2030) == [
        Point("Base", 2025),
        Point("High", 2030),
    ]
    for ends, year, scenario, why in (
        (
            ("Base", "High"),
            None,
            "Low",
            "scenario 'Low' has no effect: 'Base' and 'High' each name a scenario",
        ),
        ((2025, "High 2031"), 2030, None, "year 2030 has no effect: 2025 and 'High 2031' each name a year"),
        ((None, None), 1999, None, "year 1999 has no effect: 2025 and 2031 each name a year"),
    ):
        with pytest.raises(WrongUsage, match=why):
            lm_xl.bridge(small_assumptions, *ends, year=year, scenario=scenario)
    with pytest.raises(WrongUsage, match="scenario ''"):
        lm_xl.compare(small_assumptions, "Base", "High", scenario="")
    for wrong in ({"stage": "treatd"}, {"metric": "patients", "basis": "nett"}):
        with pytest.raises(UnknownLabel, match="nearest"):
            lm_xl.bridge(small_assumptions, 2025, 2031, **wrong)  # type: ignore[arg-type]


def test_a_comparison_holds_leaves_groups_and_totals(shipped: lm_xl.Assumptions) -> None:
    results = lm_xl.forecast(shipped, ["Base", "High"])
    frame = (
        lm_xl.compare(shipped, "Base 2025", "High 2030")
        .frame(("region", "subtype"), basis="net")
        .set_index(["region", "subtype"])
    )
    line = frame.loc[("7MM", "Lung")]
    assert line["before"] == results.revenue("Therapeutics", 2025, "7MM", "Lung", "net", run="Base")
    assert line["after"] == results.revenue("Therapeutics", 2030, "7MM", "Lung", "net", run="High")
    assert line["difference"] == line["after"] - line["before"]
    assert line["change"] == pytest.approx(line["after"] / line["before"] - 1)
    assert frame[frame["kind"] == "leaf"]["difference"].sum() == pytest.approx(
        frame.loc[("Global", "All cancers"), "difference"], rel=NEAR
    )
    entrant = (
        lm_xl.compare(shipped, 2025, 2035)
        .frame(("segment",))
        .set_index("segment")
        .loc["Rhenium-186 obisbemeda"]
    )
    assert (entrant["before"], np.isnan(entrant["change"])) == (0, True)
    assert lm_xl.compare(shipped, 2025, 2035).frame(()).iloc[0][["kind", "before"]].tolist() == [
        "total",
        results.revenue("Therapeutics", 2025),
    ]
    with pytest.raises(UnknownLabel, match="does not vary by segment"):
        lm_xl.compare(shipped, "Base", "High").frame(("segment",), "patients")


def test_bars_of_parts_add_up(shipped: lm_xl.Assumptions) -> None:
    whole, *parts = (
        lm_xl.bridge(shipped, segment=s) for s in ("Total market", "Therapeutics", "Diagnostics")
    )
    for bars in zip(whole.bars, *(p.bars for p in parts), strict=True):
        assert bars[0].effect == pytest.approx(
            bars[1].effect + bars[2].effect, rel=NEAR, abs=NEAR * whole.before
        )


def test_the_page_shows_the_bridge_of_the_base_case(shipped: lm_xl.Assumptions) -> None:
    page = (Path(__file__).parents[2] / "docs" / "what_moves_the_market.md").read_text()
    found = lm_xl.bridge(shipped)
    for bar in (b for b in found.bars if b.changed):
        assert (
            f"| {bar.driver} | {bar.effect / 1e6:.1f} | {bar.alone / 1e6:.1f} | {bar.interaction / 1e6:.1f} |"
            in page
        )


def test_a_scenario_of_ones_own(shipped: lm_xl.Assumptions) -> None:
    before = lm_xl.forecast(shipped).outputs["risk_adjusted_sales"].copy()
    own = [
        {
            "quantity": d.quantity,
            **d.keys._asdict(),
            "operation": d.operation,
            "amount": d.amount,
            "source": d.sources[0],
            "status": d.status,
            "reason": d.reason,
        }
        for d in shipped.deltas
        if d.scenario == "High"
    ]
    with_own = lm_xl.with_scenario(lm_xl.with_scenario(shipped, "Mine", own), "Nothing", [])
    sales = lm_xl.forecast(with_own, ["Base", "High", "Mine", "Nothing"]).outputs["risk_adjusted_sales"]
    assert (sales[[1]] == sales[[2]]).all()
    assert (sales[[0]] == sales[[3]]).all() and (sales[[0]] == before).all()
    assert (lm_xl.forecast(shipped).outputs["risk_adjusted_sales"] == before).all()
    assert "Mine" not in shipped.axes.scenarios
    assert {b.effect for b in lm_xl.bridge(with_own, "High", "Mine").bars} == {0}


@pytest.mark.parametrize("amount", [1.1, np.float64(1.1), np.float32(1.5), np.int64(2), 2])
def test_a_scenario_may_come_as_a_frame_or_with_its_name(
    small_assumptions: lm_xl.Assumptions, amount: float
) -> None:
    row = {
        "quantity": "lm_risk",
        "region": "Global",
        "subtype": "All cancers",
        "operation": "multiply",
        "amount": amount,
    }
    row |= {"source": "TEST", "status": "expert", "reason": "to see"}
    price = {
        **row,
        "quantity": "list_price",
        "region": None,
        "segment": "Ray",
        "subtype": float("nan"),
        "scenario": "mine",
    }
    rows = [row, price]
    mine = lm_xl.with_scenario(small_assumptions, " Mine", rows)
    assert (mine.axes.scenarios[-1], [d.amount for d in mine.deltas[-2:]]) == ("Mine", [float(amount)] * 2)
    assert lm_xl.with_scenario(small_assumptions, "Mine", pd.DataFrame(rows)).deltas == mine.deltas
    assert (
        lm_xl.with_scenario(small_assumptions, "Mine", pd.DataFrame(rows).convert_dtypes()).deltas
        == mine.deltas
    )


@pytest.mark.parametrize(
    "deltas", [{"quantity": "lm_risk"}, "lm_risk", 5, ["lm_risk"], [None], pd.Series(["lm_risk"])]
)
def test_what_is_no_table_of_deltas_is_refused(small_assumptions: lm_xl.Assumptions, deltas: Any) -> None:
    with pytest.raises(lm_xl.Refused, match=r"delta 1: .* where a row is due") as refused:
        lm_xl.with_scenario(small_assumptions, "Mine", deltas)
    assert len(refused.value.faults) == 1


@pytest.mark.parametrize("name", [None, "", 5, float("nan"), pd.NA])
def test_what_is_no_name_of_a_scenario_is_refused(small_assumptions: lm_xl.Assumptions, name: Any) -> None:
    with pytest.raises(lm_xl.Refused, match="Scenarios!name: ") as refused:
        lm_xl.with_scenario(small_assumptions, name, [])
    assert len(refused.value.faults) == 1


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"scenario": "High"}, "delta 1 scenario: 'High' is no scenario: allowed: 'Mine'"),
        ({"amount": np.True_}, "delta 1 amount: TRUE is not a number"),
        ({"amount": float("nan")}, "delta 1 amount: blank where a number is due"),
        ({7: "x"}, "unknown column 7"),
        ({"quantity": "lm_risc"}, "delta 1 quantity: 'lm_risc' is no quantity: nearest is 'lm_risk'"),
        ({"region": "Globl"}, "nearest is 'Global'"),
        ({"region": None}, "delta 1 region: blank where a region is due"),
        ({"amount": "1.2"}, "delta 1 amount: the text '1.2' looks like a number"),
        ({"amount": 1000}, "outside 0 to 1"),
        ({"amount": 1}, "changes nothing"),
        ({"reason": ""}, "delta 1 reason: blank where a reason is due"),
        ({"source": "NOBODY"}, "unknown source 'NOBODY'"),
        ({"because": "x"}, "unknown column 'because'"),
        ({"name": "base"}, "'base' is there already"),
        ({"name": "=1"}, "may not begin with"),
    ],
)
def test_a_scenario_with_a_fault_is_refused(
    small_assumptions: lm_xl.Assumptions, change: dict[str, object], hint: str
) -> None:
    delta: dict[str, object] = {
        "quantity": "lm_risk",
        "region": "Global",
        "subtype": "All cancers",
        "operation": "multiply",
        "amount": 1.1,
    }
    delta |= {"source": "TEST", "status": "expert", "reason": "to see"} | change
    name = str(delta.pop("name", "Mine"))
    with pytest.raises(lm_xl.Refused) as refused:
        lm_xl.with_scenario(small_assumptions, name, [delta])
    assert hint in str(refused.value)
    assert len(refused.value.faults) == 1


def test_compare_and_bridge_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], small_path: Path
) -> None:
    small = lm_xl.read_assumptions(small_path)
    code, out, _ = run(
        monkeypatch, capsys, "bridge", small_path, "--from", "Base", "--to", "High", "--format", "json"
    )
    assert code == 0
    found, expected = json.loads(out), lm_xl.bridge(small, "Base", "High")
    assert (found["before"], found["after"]) == (expected.before, expected.after)
    assert [b["effect"] for b in found["bars"]] == [b.effect for b in expected.bars]
    _, out, _ = run(monkeypatch, capsys, "bridge", small_path, "--to", 2027, "--scenario", "High")
    assert "High 2025 to High 2027" in out
    _, out, _ = run(monkeypatch, capsys, "bridge", small_path, "--region", "US", "--sort", "size")
    assert "Base 2025 to Base 2031" in out
    assert "years_on_market" in out
    assert "No change in: " in out
    _, out, _ = run(
        monkeypatch,
        capsys,
        "compare",
        "Base",
        "High",
        small_path,
        "--by",
        "subtype",
        "--metric",
        "patients",
        "--format",
        "csv",
    )
    assert len(out.splitlines()) == 1 + len(small.axes.subtype.labels)
    _, out, _ = run(
        monkeypatch, capsys, "compare", 2025, 2031, small_path, "--by", "segment", "--format", "json"
    )
    assert [line["segment"] for line in json.loads(out) if line["change"] is None] == ["New drug"]
    _, out, _ = run(monkeypatch, capsys, "compare", "Base", "High", small_path)
    assert "Global" in out
    assert "%" in out
    for words, hint in (
        (["bridge", small_path, "--to", "Hihg"], "'High'"),
        (["bridge", small_path, "--metric", "patients", "--segment", "Ray"], "does not vary by segment"),
        (["compare", "Base", "2040", small_path], "2025 to 2031"),
    ):
        code, out, err = run(monkeypatch, capsys, *words)
        assert (code, out) == (1, "")
        assert hint in err
    assert (
        run(monkeypatch, capsys, "compare", "Base", "High", "--metric", "patients", "--by", "segment")[0] == 2
    )
