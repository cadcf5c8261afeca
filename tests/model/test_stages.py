"""The model: a worked example by hand, the identities, axes of different sizes, and what must not change results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

import lm_xl
from lm_xl.forecasts.identities import check_identities
from lm_xl.model.evaluate import STAGES, evaluate
from lm_xl.model.outputs import OUTPUTS
from lm_xl.workbook.build import new
from lm_xl.workbook.form import axes_of, form

WORKED = {
    "index_year": 2025, "incident_cases": 10_000, "incidence_year": 2024, "incidence_growth": 0.1, "subtype_share": 1, "ever_metastatic_share": 0.5,
    "survival_exposure_growth": 0.02, "lm_risk": 0.1, "lm_risk_growth": 0.05, "care_access": 0.8, "test_use": 0.5, "sensitivity": 0.8,
    "suspected_per_case": 3, "tests_per_patient": 2, "treatment_rate": 0.5, "set_use": 0.5, "base_share": 0.25, "peak_share": 0.5,
    "cns_penetration": 0.8, "market_access": 1, "biomarker_gated": 0.5, "biomarker_testing": 0.6, "months_on_therapy": 4, "compliance": 0.9,
    "heterogeneity_penalty": 0.1, "planned_launch": 2025, "trial_delay": 1, "regulatory_acceleration": 0.5, "regional_lag": 0,
    "partnering": 0.5, "partnering_time_saved": 1, "partnering_success_gain": 0.2, "bass_innovation": 0.1, "bass_imitation": 0.4,
    "probability_of_success": 0.3, "patent_expiry": 2025.5, "orphan_exclusivity": 1, "exclusivity_erosion": 0.6, "erosion_years": 4,
    "list_price": 1000, "price_ratio": 0.5, "price_growth": 0.1, "gross_to_net": 0.2, "attribution": 0.5,
}  # fmt: skip


def test_one_region_by_hand(tmp_path: Path) -> None:
    segments = [
        ("Old drug", "Pill set", "rest"),
        ("New drug", "Pill set", "entrant"),
        ("Other drug", "Pill set", "incumbent"),
        ("Scan", "", "test"),
    ]
    axes = axes_of(["US"], segments, [("EGFR lung", "Lung")], [2025, 2026])
    records = form(axes)
    for sheet, rows in records.items():
        if sheet not in small.NOT_ROWS:
            records[sheet] = [
                {"value": WORKED.get(r["quantity"]), **r, "source": "HAND", "status": "placeholder"}
                for r in rows
            ]
    records["Sources"] = [{"id": "HAND", "citation": "Round numbers"}]
    records["Currencies"][0]["source"] = "HAND"
    new(tmp_path / "hand.xlsx", axes, records)
    f = lm_xl.forecast(lm_xl.read_assumptions(tmp_path / "hand.xlsx"))

    # 2025: 10,000 x 1.1 = 11,000 cases; half metastatic; a tenth LM; 0.8 reached x 0.4 found; half treated
    funnel = {
        "incidence": 11_000,
        "metastatic": 5_500,
        "lm_cases": 550,
        "suspected": 1_320,
        "diagnosed": 176,
        "treated": 88,
    }
    for stage, people in funnel.items():
        assert f.patients("US", 2025, stage) == pytest.approx(people, rel=1e-12)
    # 2026: 12,100 cases, exposure 1.02, risk 1.05 times a tenth
    assert f.patients("US", 2026, "lm_cases") == pytest.approx(647.955, rel=1e-12)
    # launch 2025 + 1 - 0.5 - 0.5 x 1 = 2025.0; Bass after one year (e^0.5 - 1) / (e^0.5 + 4)
    assert f.outputs["launch"].max() == 2025.0
    assert f.series("uptake", segment="New drug")[0] == pytest.approx(0.114844, abs=5e-7)
    # the gate leaves 1 - 0.5 x 0.4 = 0.8: the entrant claims 0.5 x 0.8 x 0.114844 x 0.8 = 0.0367501, the incumbent 0.2
    share = {s: f.series("share", segment=s)[0] for s in ("New drug", "Other drug", "Old drug")}
    assert share == pytest.approx(
        {"New drug": 0.0367501, "Other drug": 0.1926500, "Old drug": 0.7706000}, abs=5e-8
    )
    # New drug 2025: 88 x 0.5 x 0.0367501 = 1.617005 patients x 3.24 months x 0.5 attributed x USD 500
    assert f.revenue("New drug", 2025, basis="gross") == pytest.approx(1309.77, abs=0.005)
    assert f.revenue("New drug", 2025, basis="net") == pytest.approx(1047.82, abs=0.005)
    assert f.revenue("New drug", 2025) == pytest.approx(387.69, abs=0.005)  # x 0.3 + 0.7 x 0.5 x 0.2 = 0.37
    # 2026: orphan protection outlived the patent to 2026.0, a quarter of 0.6 is gone, and prices rose by a tenth: 1000 x 0.5 x 1.1 x 0.85
    assert f.series("gross_price", segment="New drug")[1] == pytest.approx(467.5, rel=1e-12)
    # tests: 1,320 suspected x 0.5 x 2 at USD 500 less a fifth
    assert f.revenue("Scan", 2025) == pytest.approx(528_000.00, abs=0.005)
    assert f.revenue("Diagnostics", 2025) + f.revenue("Therapeutics", 2025) == pytest.approx(
        f.revenue("Total market", 2025)
    )


@pytest.mark.parametrize("sizes", [(2, 3, 5, 7), (3, 5, 7, 2), (5, 7, 2, 3), (7, 4, 3, 5)])
def test_axes_of_different_sizes(sizes: tuple[int, int, int, int], tmp_path: Path) -> None:
    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", sizes))
    f = lm_xl.forecast(a, a.axes.scenarios)
    assert a.axes.shape == sizes
    wide = dict(enumerate((len(a.axes.scenarios), *sizes)))
    for name, x in f.outputs.items():
        for dim, size in wide.items():
            assert x.shape[dim] in ((1, size) if dim == 0 or dim in OUTPUTS[name].dims else (1,)), name


def test_identities_are_checked_in_every_forecast(small_assumptions: lm_xl.Assumptions) -> None:
    f = lm_xl.forecast(small_assumptions)
    for name, at, value in (
        ("diagnosed", (0, 1, 0, 2, 3), 1e9),
        ("share", (0, 0, 1, 1, 2), 0.9),
        ("net_sales", (0, 0, 0, 0, 0), np.nan),
        ("uptake", (0, 0, 1, 0, 0), 0.1),
    ):
        outputs = {k: x.copy() for k, x in f.outputs.items()}
        outputs[name][at] = value
        with pytest.raises(lm_xl.IdentityError, match=name if name != "share" else "sum to 1") as refused:
            check_identities(replace(f, outputs=outputs))
        assert small_assumptions.axes.region.leaves[at[1]] in str(refused.value)


def test_a_forecast_that_breaks_an_identity_is_refused(tmp_path: Path) -> None:
    def exposure(records: dict[str, list[dict[str, object]]]) -> None:
        for row in records["Epidemiology"]:
            if row["quantity"] == "survival_exposure_growth":
                row["value"] = 0.3

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=exposure))
    with pytest.raises(lm_xl.IdentityError, match=r"incidence >= metastatic.* fails for Base x US x .* 2029"):
        lm_xl.forecast(a)


def test_totals_agree(small_assumptions: lm_xl.Assumptions) -> None:
    f, axes = lm_xl.forecast(small_assumptions), small_assumptions.axes
    whole = f.series("net_sales")
    for axis in (axes.region, axes.segment, axes.subtype):
        parts = [f.series("net_sales", **{axis.name: leaf}) for leaf in axis.leaves]
        assert np.sum(parts, axis=0) == pytest.approx(whole, rel=1e-12)
        assert f.series("net_sales", **{axis.name: axis.total}) == pytest.approx(whole, rel=1e-12)


def test_before_launch_there_is_exactly_nothing(small_assumptions: lm_xl.Assumptions) -> None:
    f = lm_xl.forecast(small_assumptions)
    launch = small.TYPICAL["planned_launch"] + 1 - 0.5 - 0.25 + 0.75  # 2027.0 in the US
    assert f.outputs["launch"][0, 0, 1, 0, 0] == launch
    sold = f.series("gross_sales", region="US", segment="New drug")
    assert (sold[:2] == 0).all()
    assert (sold[2:] > 0).all()


def test_a_scenario_without_deltas_is_the_base_case_to_the_bit(small_assumptions: lm_xl.Assumptions) -> None:
    both = lm_xl.forecast(small_assumptions, ["High", "Base"])
    base, high = lm_xl.forecast(small_assumptions), lm_xl.forecast(small_assumptions, "High")
    for name in OUTPUTS:
        assert (both.outputs[name][-1:] == base.outputs[name]).all()
    assert high.patients("US", 2025) > base.patients("US", 2025)
    assert (both.series("net_sales", run="High") == high.series("net_sales")).all()
    assert (lm_xl.forecast(small_assumptions).series("net_sales") == base.series("net_sales")).all()


def test_results_refuse_unknown_words(small_assumptions: lm_xl.Assumptions) -> None:
    f = lm_xl.forecast(small_assumptions)
    for call, words in (
        (lambda: f.patients("Germny", 2025), "'Germany'"),
        (lambda: f.patients("US", 2040), "2025 to 2031"),
        (lambda: f.patients("US", 2025, "dead"), "treated"),
        (lambda: f.revenue("New drug", 2025, basis="nett"), "'net'"),
        (lambda: f.revenue("Nw drug", 2025), "'New drug'"),
        (lambda: lm_xl.forecast(small_assumptions, "Hihg"), "'High'"),
        (lambda: f.series("detection", subtype="HR+ breast"), "does not vary by subtype"),
        (lambda: f.frame("sales"), "'patients'"),
    ):
        with pytest.raises(lm_xl.UnknownLabel, match=words):
            call()


def test_frames_hold_the_same_numbers(small_assumptions: lm_xl.Assumptions) -> None:
    f = lm_xl.forecast(small_assumptions, ["Base", "High"])
    frame = f.frame("revenue", ("segment", "region"), basis="net")
    assert list(frame.columns) == ["scenario", "segment", "region", "metric", "unit", "value"]
    row = frame.query("scenario == 'High' and segment == 'Scan' and region == 'Germany'")["value"].item()
    assert row == pytest.approx(f.series("net_sales", "Germany", "Scan", run="High").sum(), rel=1e-12)
    assert f.frame("patients")["value"].sum() == pytest.approx(f.outputs["diagnosed"].sum(), rel=1e-12)
    assert f.cagr([0.0, 5.0]) is None
    assert f.cagr([100.0, 110.0, 121.0]) == pytest.approx(0.1)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_more_of_a_driver_never_means_less(data: st.DataObject, small_assumptions: lm_xl.Assumptions) -> None:
    """Raising one share of the way to the patient, or a price, never lowers revenue; raising a rebate or a delay never raises it."""
    up = [
        "incident_cases",
        "lm_risk",
        "care_access",
        "treatment_rate",
        "list_price",
        "compliance",
        "attribution",
        "sensitivity",
    ]
    down = ["gross_to_net", "heterogeneity_penalty", "exclusivity_erosion"]
    name = data.draw(st.sampled_from(up + down))
    factor = data.draw(st.floats(1.0, 1.1))
    base = dict(small_assumptions.base)
    before = evaluate(base, small_assumptions.structure())["risk_adjusted_sales"].sum()
    base[name] = base[name] * factor
    after = evaluate(base, small_assumptions.structure())["risk_adjusted_sales"].sum()
    assert (after >= before * (1 - 1e-12)) if name in up else (after <= before * (1 + 1e-12))


def test_every_quantity_reaches_a_stage() -> None:
    taken = {t for _, takes in STAGES.values() for t in takes}
    unused = set(small.TYPICAL) - taken
    assert not unused


def test_shipped_base_case_is_sane(shipped: lm_xl.Assumptions) -> None:
    """The bands of the literature, which the base case is not calibrated to."""
    f = lm_xl.forecast(shipped)
    assert 45_000 < f.patients("Global", 2025) < 140_000
    assert 14_000 < f.patients("7MM", 2025) < 47_000
    assert 5_000 < f.patients("US", 2025) < 20_000
    assert 0.6e9 < f.revenue("Therapeutics", 2025, basis="net") < 2.2e9
