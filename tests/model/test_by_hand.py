"""Parts of the model by hand, typed in: what the worked example leaves at a value that makes it nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small

import lm_xl
from lm_xl.assumptions.distributions import SPREADS
from lm_xl.forecasts.results import Results
from lm_xl.model import stages

YEARS = np.array([2025.0, 2026.0]).reshape(1, 1, 1, 1, 2)


def full(*numbers: float) -> Any:
    return np.array(numbers, dtype=float).reshape(1, 1, 1, 1, -1)


def test_a_product_launched_before_the_index_year_is_on_its_way() -> None:
    """Half of 2023 and all of 2024 and 2025 are behind it at the end of 2025; what it reaches is no year's increment."""
    on_market = stages.years_on_market(full(2023.5), YEARS, full(1))
    assert on_market.ravel() == pytest.approx([2.5, 3.5])
    adoption = stages.adoption(on_market, full(0.1), full(0.4))
    # in the middle of each year, (e^1 - 1) / (e^1 + 4) and (e^1.5 - 1) / (e^1.5 + 4)
    reached = stages.bass_curve(adoption, on_market, full(0.1), full(0.4)).ravel()
    assert reached == pytest.approx([1.718282 / 6.718282, 3.481689 / 8.481689], rel=1e-6)
    late = stages.years_on_market(full(2027.25), YEARS, full(1))
    assert late.ravel() == pytest.approx([0, 0])


def test_a_launch_before_the_first_year_in_a_forecast(tmp_path: Path) -> None:
    def early(records: dict[str, list[dict[str, Any]]]) -> None:
        for row in records["Launches"]:
            typed = {
                "planned_launch": 2022.0,
                "trial_delay": 0.5,
                "regulatory_acceleration": 0,
                "regional_lag": 1,
            }
            row["value"] = typed.get(row["quantity"], row["value"])
            if row["quantity"] in ("partnering_time_saved", "typed_uptake"):
                row["value"] = 0

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=early))
    f = lm_xl.forecast(a)
    assert set(f.outputs["launch"][0, :, a.axes.segment.leaves.index("New drug")].flat) == {2023.5}
    # p 0.08, q 0.6, in the middle of the year: e^(0.68 x 2) = 3.896193, less 1, over that and 7.5
    reached = f.outputs["uptake"][0, 0, a.axes.segment.leaves.index("New drug"), 0]
    assert reached[0] == pytest.approx(2.896193 / 11.396193, rel=1e-6)
    assert f.revenue("New drug", 2025) > 0


def test_access_to_the_market_limits_who_is_reached() -> None:
    # 0.5 x 0.9 x 0.8 x 0.25 x 0.6 x (1 - 0.5 x 0.4)
    claim = stages.entrant_claim(*map(full, (0.5, 0.1, 0.8, 0.25, 0.6, 0.5, 0.6)))
    assert claim.item() == pytest.approx(0.0432, rel=1e-12)
    # reach 0.6 x 0.8 = 0.48; measured to a quarter: 0.25 x (1 - 0.75 x 0.52)
    assert stages.incumbent_claim(*map(full, (0.25, 0.25, 0.6, 0.5, 0.6))).item() == pytest.approx(
        0.1525, rel=1e-12
    )


def test_rebates_are_taken_once(small_assumptions: lm_xl.Assumptions) -> None:
    assert stages.net_price(full(100), full(0.2)).item() == pytest.approx(80)
    assert stages.net_sales(full(500), full(0.2)).item() == pytest.approx(400)
    f = lm_xl.forecast(small_assumptions)
    us = {basis: f.series(f"{basis}_sales", "US", "Old drug") for basis in ("gross", "net")}
    assert us["net"] / us["gross"] == pytest.approx([0.8] * 7, rel=1e-12)
    price = {basis: f.series(f"{basis}_price", "US", "Old drug") for basis in ("gross", "net")}
    assert price["net"] / price["gross"] == pytest.approx([0.8] * 7, rel=1e-12)


def test_growth_counts_intervals(small_assumptions: lm_xl.Assumptions) -> None:
    results: Results = lm_xl.forecast(small_assumptions)
    assert results.cagr([100, 500, 121]) == pytest.approx(0.1, rel=1e-12)
    assert results.cagr([0, 5]) is None


def test_a_line_runs_from_the_first_year_to_the_last(tmp_path: Path) -> None:
    def line(records: dict[str, list[dict[str, Any]]]) -> None:
        row = next(
            r for r in records["Diagnosis"] if r["quantity"] == "care_access" and r["region"] == "Germany"
        )
        row.update({"2025": 0.2, "2031": 0.8})

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=line))
    germany = a.base["care_access"][0, a.axes.region.leaves.index("Germany"), 0, 0]
    assert germany == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], rel=1e-12)


def test_deltas_apply_one_after_the_other(tmp_path: Path) -> None:
    def steps(*order: int) -> Any:
        def change(records: dict[str, list[dict[str, Any]]]) -> None:
            common = {
                **records["Scenarios"][0],
                "quantity": "treatment_rate",
                "region": "US",
                "subtype": "All cancers",
            }
            told = (("set", 0.5), ("multiply", 0.8), ("add", 0.1))
            records["Scenarios"] = [{**common, "operation": told[i][0], "amount": told[i][1]} for i in order]

        return change

    # set to 0.5, times 0.8, and 0.1 more; times 0.8 and 0.1 more, and set; set, 0.1 more, and times 0.8
    for order, due in (((0, 1, 2), 0.5), ((1, 2, 0), 0.5), ((0, 2, 1), 0.48), ((1, 0, 2), 0.6)):
        a = lm_xl.read_assumptions(small.workbook(tmp_path / f"{order}.xlsx", change=steps(*order)))
        assert a.inputs(["High"])["treatment_rate"][0, 0, 0, 0] == pytest.approx([due] * 7, rel=1e-12), order


# Spreads: the numbers of scipy's own distributions


@pytest.mark.parametrize(("mean", "low", "high"), [(0.5, 0.2, 0.8), (0.3, 0.1, 0.55), (0.08, 0.05, 0.12)])
def test_a_beta_has_the_mean_and_the_spread_that_its_row_states(mean: float, low: float, high: float) -> None:
    """P10 to P90 of a normal are 2.563 standard errors."""
    from scipy.stats import beta

    name, a, b = SPREADS["beta"].quantile(mean, low, high, mean)
    assert name == "log odds of a beta"
    assert beta(a, b).mean() == pytest.approx(mean, rel=1e-12)
    assert beta(a, b).std() == pytest.approx((high - low) / 2.5631031310892007, rel=1e-9)


def test_a_dirichlet_has_the_means_and_the_spread_that_its_rows_state() -> None:
    from scipy.stats import dirichlet

    means, errors = np.array([0.2, 0.3, 0.5]), np.array([0.06, 0.05, 0.08])
    paths, left = means[:, np.newaxis], np.array([1.0])
    sharing = SPREADS["dirichlet"].sharing
    assert sharing is not None
    found = [quantile for _, quantile, _ in sharing.members(means, errors, 1.0, paths, left)]
    assert {name for name, _, _ in found} == {"log of a gamma"}
    drawn = dirichlet([shape for _, shape, _ in found])
    assert drawn.mean() == pytest.approx(means, rel=1e-12)
    assert drawn.var().sum() == pytest.approx((errors**2).sum(), rel=1e-9)


@pytest.mark.parametrize("miss", [0.01, 1e-6])
def test_shares_of_a_cancer_that_miss_1_are_refused(miss: float, tmp_path: Path) -> None:
    def short(records: dict[str, list[dict[str, Any]]]) -> None:
        row = next(r for r in records["Epidemiology"] if r["quantity"] == "subtype_share" and r["value"] < 1)
        row["value"] -= miss

    with pytest.raises(lm_xl.Refused, match="must sum to 1"):
        lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=short))
