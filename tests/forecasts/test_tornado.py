"""Each uncertain input alone at its low and at its high."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small
from command_line import run
from scipy.stats import beta

import lm_xl
from lm_xl.assumptions.distributions import SPREADS
from lm_xl.assumptions.ends import ends_of
from lm_xl.assumptions.spreads import EXCLUSIVE, uncertain_inputs
from lm_xl.forecasts.evidence import evidence_weights, placeholder_inputs
from lm_xl.forecasts.tornado import Swing, _bars
from lm_xl.uncertainty.draws import scores
from lm_xl.uncertainty.plan import plan_of

NEAR = 1e-9
PRICE_P90 = 9000 + 5000 * float(beta(1, 5).ppf(0.9))
"""Of a pert with the mode 9,000, its low, and the high 14,000."""
Sheets = dict[str, list[dict[str, Any]]]


def rows_of(sheets: Sheets, **where: str) -> Iterator[dict[str, Any]]:
    return (r for rows in sheets.values() for r in rows if all(r.get(k) == v for k, v in where.items()))


def uncertain(sheets: Sheets) -> None:
    """A price with room on one side only, a moving share, competing shares, a growth, and an input without any room."""
    for row in rows_of(sheets, quantity="list_price", segment="Ray"):
        row.update(low=row["value"], high=14_000, distribution="pert")
    for row in rows_of(sheets, quantity="care_access", region="Germany"):
        row.update(low=row["2031"] - 0.1, high=row["2031"] + 0.05, distribution="beta")
    for row in rows_of(sheets, quantity="subtype_share"):
        if row["value"] < 1:
            row.update(distribution="dirichlet", low=row["value"] - 0.02, high=row["value"] + 0.03)
    for row in rows_of(sheets, quantity="base_share"):
        if row["value"] != "never":
            row.update(low=0.1, high=0.5, distribution="beta")
    for row in rows_of(sheets, quantity="price_growth"):
        row.update(low=row["value"] - 0.01, high=row["value"] + 0.01, distribution="normal")
    for row in rows_of(sheets, quantity="compliance"):
        row.update(low=row["value"], high=row["value"], distribution="beta")
    for row in rows_of(sheets, quantity="trial_delay"):
        row.update(value=0, low=0, high=2, distribution="pert")
    for row in rows_of(sheets, quantity="probability_of_success"):
        row.update(low=0.2, high=0.4, distribution="beta")
    # at the price of the others a product's success would move no revenue
    for row in rows_of(sheets, quantity="list_price", segment="New drug"):
        row["value"] *= 2


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> lm_xl.Assumptions:
    return lm_xl.read_assumptions(
        small.workbook(tmp_path_factory.mktemp("spread") / "spread.xlsx", (2, 5, 4, 7), change=uncertain)
    )


def test_an_input_at_its_p90_is_the_forecast_of_the_workbook_with_it(
    spread: lm_xl.Assumptions, tmp_path: Path
) -> None:
    def at_high(sheets: Sheets) -> None:
        uncertain(sheets)
        for row in rows_of(sheets, quantity="list_price", segment="Ray"):
            row["value"] = PRICE_P90

    def grown(sheets: Sheets) -> None:
        uncertain(sheets)
        for row in rows_of(sheets, quantity="price_growth"):
            row["value"] = row["low"]

    found = {s.input: s for s in lm_xl.tornado(spread).swings}
    assert found["list_price | Ray"].high == pytest.approx(PRICE_P90, rel=1e-6)
    for change, name, side in (
        (at_high, "list_price | Ray", "at_high"),
        (grown, "price_growth | Brands", "at_low"),
    ):
        other = lm_xl.forecast(
            lm_xl.read_assumptions(small.workbook(tmp_path / "other.xlsx", (2, 5, 4, 7), change=change))
        )
        assert getattr(found[name], side) == pytest.approx(other.revenue("Therapeutics", 2031), rel=NEAR)
    assert len(found["price_growth | Brands"].rows) == 2


def test_nothing_moves_where_nothing_spreads(
    spread: lm_xl.Assumptions, small_assumptions: lm_xl.Assumptions
) -> None:
    assert lm_xl.tornado(small_assumptions).swings == ()
    found = {s.input: s for s in lm_xl.tornado(spread).swings}
    assert not any("compliance" in name for name in found)
    price = found["list_price | Ray"]
    assert 0 < price.low_effect < price.high_effect == price.swing
    chance = "probability_of_success | Total market"
    assert found[chance].swing > 0
    assert chance in lm_xl.tornado(spread, basis="net").idle


@pytest.mark.parametrize("scenario", ["Base", "High"])
def test_the_shipped_tornado(shipped: lm_xl.Assumptions, scenario: str) -> None:
    found = lm_xl.tornado(shipped, scenario, 2030, region="Europe")
    assert found.centre == lm_xl.forecast(shipped, scenario).revenue("Therapeutics", 2030, "Europe")
    swings = [s.swing for s in found.swings]
    assert swings == sorted(swings, reverse=True)
    assert {i for s in found.swings for i in s.rows} == {
        i for one in uncertain_inputs(shipped) for i in one.rows
    }
    assert found.idle
    assert all(
        (s.at_low, s.at_high) == (found.centre, found.centre) for s in found.swings if s.input in found.idle
    )
    assert found.frame()["swing"].max() > 0.1 * found.centre


def test_the_ends_are_quantiles_of_the_draws(shipped: lm_xl.Assumptions) -> None:
    plan, values = plan_of(shipped, ["High"], 3), shipped.inputs(["High"])
    blocks = [scores(plan.streams, plan.correlated, plan.seed, block) for block in range(8)]
    numbers = plan.quantiles.at(np.concatenate(blocks, axis=1))
    distributions = set()
    for name, drawn in plan.scenarios[0].drawn.items():
        ends = [x[0] for x in ends_of(shipped, name, values[name])]
        at = np.broadcast_to(drawn.at, ends[0].shape[:3]).reshape(-1)
        draws = drawn.draw(numbers)
        p10, p90 = np.percentile(draws, [10, 90], axis=2)
        for value in np.unique(at[np.isin(at, drawn.moved)]):
            place = np.unravel_index(int(np.argmax(at == value)), ends[0].shape[:3])
            distributions.add(shipped.rows[shipped.covers[name][place]].distribution)
            off = np.abs([ends[0][place] - p10[value], ends[1][place] - p90[value]]).max(axis=0)
            assert (off <= 0.05 * (p90 - p10)[value]).all(), (name, place)
    assert distributions == set(SPREADS)


def test_competing_shares_give_way(spread: lm_xl.Assumptions, shipped: lm_xl.Assumptions) -> None:
    for bar in _bars(shipped, shipped.inputs(["Base"])):
        if bar.quantity not in EXCLUSIVE:
            continue
        dim = EXCLUSIVE[bar.quantity]
        axis = shipped.axes.axis(dim)
        for x in bar.sides:
            for chosen in set(axis.sets) - {""}:
                members = [k for k, s in enumerate(axis.sets) if s == chosen]
                total = np.take(x, members, axis=dim).sum(axis=dim)
                exhaustive = bar.quantity == "subtype_share"
                assert (np.abs(total - 1) < NEAR if exhaustive else total <= 1 + NEAR).all(), bar.name
    share = next(
        s
        for s in lm_xl.tornado(spread, metric="patients", stage="incidence", subtype="EGFR lung").swings
        if "Other lung" in s.input
    )
    assert share.high_effect < 0 < share.low_effect


def test_a_launch_may_be_drawn_past_its_patent(tmp_path: Path) -> None:
    """One rule for values, ends and draws: past its patent a launch sells at a price that falls at once."""

    def wide(sheets: Sheets) -> None:
        for row in rows_of(sheets, quantity="planned_launch"):
            row.update(low=2025, high=2032, distribution="pert")
        for row in rows_of(sheets, quantity="orphan_exclusivity"):
            row["value"] = 0

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "wide.xlsx", (1, 5, 3, 7), change=wide))
    (swing,) = (s for s in lm_xl.tornado(a, year=2031).swings if s.input.startswith("planned_launch"))
    late = lm_xl.with_scenario(a, "Late", [launch_set(swing.high)])
    later = lm_xl.forecast(late, "Late")
    assert later.outputs["launch"].max() > 2029 == later.assumptions.base["patent_expiry"].max()
    assert swing.at_high == pytest.approx(later.revenue("Therapeutics", 2031), rel=NEAR)
    assert lm_xl.simulate(a, 300, 1).draws == 300


def launch_set(year: float) -> dict[str, object]:
    keys = {"quantity": "planned_launch", "segment": "New drug", "operation": "set", "amount": year}
    return {**keys, "source": "TEST", "status": "placeholder", "reason": "made up"}


def test_tornado_on_the_command_line(
    spread: lm_xl.Assumptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run(monkeypatch, capsys, "tornado", spread.path, "--top", 2, "--basis", "net")
    assert code == 0
    assert "more inputs" in out
    assert "No effect on this output: " in out and "probability_of_success" in out
    found = json.loads(run(monkeypatch, capsys, "tornado", spread.path, "--format", "json")[1])
    assert found["centre"] == lm_xl.tornado(spread).centre
    assert len(found["inputs"]) == len(lm_xl.tornado(spread).swings)
    assert run(monkeypatch, capsys, "tornado", spread.path, "--format", "csv")[1].startswith(
        "input,rows,low,high,at_low"
    )
    assert run(monkeypatch, capsys, "tornado", spread.path, "--top", 0)[0] == 2
    certain = small.workbook(tmp_path / "certain.xlsx")
    assert "Nothing is uncertain" in run(monkeypatch, capsys, "tornado", certain)[1]
    assert run(monkeypatch, capsys, "tornado", spread.path, "--scenario", "Hihg")[0] == 1


def test_a_bound_moves_with_the_scenario_and_bounds_that_differ_are_not_shown(tmp_path: Path) -> None:
    def dearer(sheets: Sheets) -> None:
        uncertain(sheets)
        (ray,) = rows_of(sheets, quantity="list_price", segment="Ray")
        delta = {**sheets["Scenarios"][0], "quantity": "list_price", "operation": "multiply", "amount": 1.5}
        sheets["Scenarios"].append(
            {**delta, "region": ray["region"], "segment": "Ray", "subtype": ray["subtype"]}
        )

    def at_high(sheets: Sheets) -> None:
        dearer(sheets)
        ray = next(r for r in rows_of(sheets, quantity="list_price", segment="Ray") if "high" in r)
        ray["value"] = PRICE_P90

    a, other = (
        lm_xl.read_assumptions(small.workbook(tmp_path / f"{f.__name__}.xlsx", (2, 5, 4, 7), change=f))
        for f in (dearer, at_high)
    )
    found = lm_xl.tornado(a, "High")
    price = next(s for s in found.swings if s.input == "list_price | Ray")
    assert price.at_high == pytest.approx(
        lm_xl.forecast(other, "High").revenue("Therapeutics", 2031), rel=NEAR
    )
    frame = found.frame().set_index("input")
    assert frame.at["list_price | Ray", "high"] == pytest.approx(1.5 * PRICE_P90)
    assert np.isnan(
        frame.loc[frame.index.str.startswith("price_growth"), "low"]
    ).any()  # its two rows state different ones


def test_a_swing_reaches_to_the_centre() -> None:
    assert Swing("both above", (0,), 0.1, 0.2, 101.0, 102.0, 1.0, 2.0).swing == 2


def test_evidence_weights_follow_the_rows_that_move_the_headline(shipped: lm_xl.Assumptions) -> None:
    found = lm_xl.tornado(shipped)
    weights = evidence_weights(found)
    assert sum(weights.values()) == pytest.approx(1, rel=1e-12)
    assert (weights["placeholder"], placeholder_inputs(found)) == (0, 0)
    first = next(s for s in found.swings if len(s.rows) > 1)
    rows = list(shipped.rows)
    was = rows[first.rows[0]].status
    rows[first.rows[0]] = replace(rows[first.rows[0]], status="placeholder")
    changed = replace(found, assumptions=replace(shipped, rows=tuple(rows)))
    part = first.swing / len(first.rows) / sum(s.swing for s in found.swings)
    assert evidence_weights(changed) == pytest.approx(
        {**weights, was: weights[was] - part, "placeholder": part}, abs=1e-12
    )
    assert placeholder_inputs(changed) == 1
    assert evidence_weights(replace(found, swings=())) == {}
