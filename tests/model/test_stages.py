"""The model: a worked example by hand, the identities, axes of different sizes, and what must not change results."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
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
    "years_to_lm": 1, "survival_with_lm": 0.5, "lines_of_therapy": 1.5, "share_as_measured": 0.25, "order_of_entry_loss": 0.1, "typed_uptake": 0.5,
    "uptake_gain_1": 0.2, "uptake_gain_2": 0.3, "uptake_gain_3": 0.1, "uptake_gain_4": 0.1, "uptake_gain_5": 0.1, "uptake_gain_6": 0.1,
    "dose_factor": 1.5, "administration_price": 100, "reservoir_use": 0.1, "reservoir_price": 2000,
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
    records["Currencies"][0] |= {"source": "HAND", "date": "2025-06-30"}
    records["Products"] = small.products(axes)
    for row in records["Products"]:
        row["source"] = "HAND"
    new(tmp_path / "hand.xlsx", axes, records)
    f = lm_xl.forecast(lm_xl.read_assumptions(tmp_path / "hand.xlsx"))

    # 2025: 10,000 x 1.1 = 11,000 cases, 10,000 a year before; half metastatic; a tenth LM; 0.8 reached x 0.4 found; half
    # treated; half a year lived
    funnel = {
        "incidence": 11_000,
        "metastatic": 5_000,
        "lm_cases": 500,
        "suspected": 1_200,
        "diagnosed": 160,
        "treated": 80,
        "prevalence": 80,
    }
    for stage, people in funnel.items():
        assert f.patients("US", 2025, stage) == pytest.approx(people, rel=1e-12)
    # 2026: 11,000 cases a year before, exposure 1.02, risk 1.05 times a tenth
    assert f.patients("US", 2026, "lm_cases") == pytest.approx(589.05, rel=1e-12)
    # launch 2025 + 1 - 0.5 - 0.5 x 1 = 2025.0; Bass at half a year (e^0.25 - 1) / (e^0.25 + 4) = 0.0537517, typed 0.2: half of
    # each; a year on (e^0.75 - 1) / (e^0.75 + 4) = 0.182606, typed 0.2 + 0.3
    assert f.outputs["launch"].max() == 2025.0
    assert f.series("uptake", segment="New drug") == pytest.approx([0.1268759, 0.3413029], abs=5e-7)
    # the gate leaves 0.8, of what was not measured behind it: the entrant claims 0.5 x 0.9 x 0.8 x 0.1268759 x 0.8 = 0.0365402,
    # the incumbent 0.25 x (1 - 0.75 x 0.2) = 0.2125
    drugs = ("New drug", "Other drug", "Old drug")
    share = {s: f.series("share", segment=s)[0] for s in drugs}
    assert share == pytest.approx(
        {"New drug": 0.0365402, "Other drug": 0.2047352, "Old drug": 0.7587246}, abs=5e-8
    )
    # it succeeds with 0.3 + 0.7 x 0.5 x 0.2 = 0.37, and leaves 0.2125 to the other drug where it fails
    factor = f.outputs["expectation"][..., 0].max()
    assert [share[s] * factor for s in drugs[1:]] == pytest.approx([0.2096270, 0.7768531], abs=5e-8)
    # New drug 2025: 80 x 0.5 x 1.5 lines x 0.0365402 = 2.192415 patients, each 3.24 months x (1000 x 1.5 + 100) x 0.5 and a tenth
    # of a reservoir at 2000 x 0.5; half attributed
    assert f.revenue("New drug", 2025, basis="gross") == pytest.approx(2950.99, abs=0.01)
    assert f.revenue("New drug", 2025, basis="net") == pytest.approx(2360.79, abs=0.01)
    assert f.revenue("New drug", 2025) == pytest.approx(873.49, abs=0.01)
    # 2026: orphan protection outlived the patent to 2026.0, from nothing to a quarter of 0.6 is gone of the product alone, an
    # eighth on the year's average, and prices rose by a tenth: (1500 x 0.925 + 100) x 0.5 x 1.1
    assert f.series("gross_price", segment="New drug")[1] == pytest.approx(818.125, rel=1e-12)
    # tests: 1,200 suspected x 0.5 x 2 at USD 500 less a fifth, half of them for LM
    assert f.revenue("Scan", 2025) == pytest.approx(240_000.00, abs=0.005)
    assert f.revenue("Diagnostics", 2025) + f.revenue("Therapeutics", 2025) == pytest.approx(
        f.revenue("Total market", 2025)
    )


def test_risk_adjusted_revenue_is_the_mean_over_every_combination_of_success(tmp_path: Path) -> None:
    segments = [
        ("Old drug", "Pill set", "rest"),
        ("First drug", "Pill set", "entrant"),
        ("Other drug", "Pill set", "incumbent"),
        ("Second drug", "Pill set", "entrant"),
        ("Scan", "", "test"),
    ]
    axes = axes_of(
        ["US", "Japan"], segments, [("EGFR lung", "Lung"), ("Skin", "Melanoma")], range(2025, 2035)
    )
    records = {**small.records(axes), "Scenarios": []}
    chance_of = next(r for r in records["Launches"] if r["quantity"] == "probability_of_success")
    records["Launches"].append({**chance_of, "segment": "Second drug", "value": 0.6})
    new(tmp_path / "a.xlsx", axes, records)
    a = lm_xl.read_assumptions(tmp_path / "a.xlsx")
    inputs, structure = a.inputs(["Base"]), a.structure()
    plain = evaluate(inputs, structure)
    chance = plain["success"].reshape(-1)
    products = [i for i in a.axes.segment.having("entrant") if chance[i] < 1]
    assert len(products) == 2
    mean = np.zeros(())
    for succeeds in itertools.product((0, 1), repeat=len(products)):
        peak = np.ones((1, 1, len(a.axes.segment), 1, 1))
        weight = 1.0
        for i, s in zip(products, succeeds, strict=True):
            peak[:, :, i] = s
            weight *= chance[i] if s else 1 - chance[i]
        mean = (
            mean
            + weight * evaluate(inputs | {"peak_share": inputs["peak_share"] * peak}, structure)["net_sales"]
        )
    assert plain["risk_adjusted_sales"] == pytest.approx(mean, rel=1e-12, abs=1e-6)
    assert (plain["risk_adjusted_sales"] < plain["net_sales"]).any()
    assert (plain["risk_adjusted_sales"] > plain["net_sales"]).any()  # what failures leave goes to the others


def test_each_scenario_moves_the_headline_as_it_promises(shipped: lm_xl.Assumptions) -> None:
    axes = shipped.axes
    f = lm_xl.forecast(shipped, axes.scenarios)
    last = {s: f.revenue(axes.headline, axes.years[-1], run=s) for s in axes.scenarios}
    assert {"Low", "High", "Slow regulators", "Emerging-market access"} <= set(axes.promises)
    for scenario, promise in axes.promises.items():
        assert (last[scenario] > last["Base"]) == (promise == "raises"), scenario


def test_scopes_nest_and_companies_sum_to_the_headline(shipped: lm_xl.Assumptions) -> None:
    f, axes = lm_xl.forecast(shipped), shipped.axes
    sums = [f.revenue(scope, 2035) for scope in axes.scopes]
    assert sums == sorted(sums) and axes.scopes[0] == "Therapeutics"
    assert f.revenue("LM-specific tests", 2035) == pytest.approx(sums[1] - sums[0], rel=1e-9)
    companies = sum(f.revenue(axes.headline, 2035, company=c) for c in f.companies)
    assert companies == pytest.approx(sums[0], rel=1e-9)
    assert f.frame("revenue", "company")["value"].sum() == pytest.approx(
        f.series("risk_adjusted_sales", segment=axes.headline).sum(), rel=1e-9
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
        ("expectation", (0, 0, 0, 1, 2), 0.9),
        ("net_sales", (0, 0, 0, 0, 0), np.nan),
        ("uptake", (0, 0, 1, 0, 0), 0.1),
    ):
        outputs = {k: x.copy() for k, x in f.outputs.items()}
        outputs[name][at] = value
        with pytest.raises(
            lm_xl.IdentityError, match="sums to 1" if name in ("share", "expectation") else name
        ) as refused:
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


def test_entrants_that_take_all_of_a_set_are_refused(tmp_path: Path) -> None:
    def all_of_it(records: dict[str, list[dict[str, object]]]) -> None:
        whole = ("peak_share", "cns_penetration", "market_access", "typed_uptake", "uptake_gain_1")
        none = ("order_of_entry_loss", "biomarker_gated", *(f"uptake_gain_{k}" for k in range(2, 7)))
        for row in (*records["Treatment"], *records["Launches"]):
            if row["quantity"] in (*whole, *none):
                row["value"] = float(row["quantity"] in whole)

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=all_of_it))
    with pytest.raises(lm_xl.IdentityError, match=r"entrants leave some.*: entrant_total = 1$"):
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
    frame = f.frame("revenue", ("segment", "region"), basis="net", scope="Total market")
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


# A year's number is the year's average


def average(of: Callable[[float], float], year: float, kinks: Sequence[float]) -> float:
    """The average over a year of what is straight between kinks, piece by piece."""
    ends = sorted({year, year + 1, *(k for k in kinks if year < k < year + 1)})
    return sum((b - a) * of((a + b) / 2) for a, b in itertools.pairwise(ends))


def staged(name: str, **given: float) -> float:
    """One stage of numbers."""
    stage, takes = STAGES[name]
    return float(stage(*(np.full((1,) * 5, given[take]) for take in takes)).item())


@settings(max_examples=300, deadline=None)
@given(
    lost=st.floats(2020, 2040) | st.sampled_from([2029.0, 2030.0, 2030.5, 2031.0]),
    years=st.floats(0.1, 20) | st.sampled_from([0.25, 1.0, 1.5, 3.0]),
    year=st.integers(2025, 2045),
)
def test_a_fall_in_a_straight_line_is_averaged_exactly(lost: float, years: float, year: int) -> None:
    given: dict[str, float] = {
        "loss_of_exclusivity": lost,
        "erosion_years": years,
        "year": year,
        "is_protected": 1,
    }
    given["exclusivity_erosion"] = 0.8
    for name in ("years_unprotected", "falling", "erosion"):
        given[name] = staged(name, **given)
    due = 0.8 * average(lambda t: min(max(t - lost, 0) / years, 1), year, (lost, lost + years))
    assert given["erosion"] == pytest.approx(due, rel=1e-12, abs=1e-12)
    assert 0 <= given["erosion"] <= 0.8 and 0 <= given["falling"] <= 1
    if lost >= year + 1 or lost + years <= year:
        assert given["erosion"] == (0 if lost >= year + 1 else 0.8)


@settings(max_examples=200, deadline=None)
@given(
    launch=st.floats(2024, 2036),
    year=st.integers(2025, 2036),
    p=st.floats(0.01, 0.3),
    q=st.floats(0, 1.2),
    gains=st.lists(st.floats(0, 1 / 6), min_size=6, max_size=6),
)
def test_uptake_is_the_average_of_a_year(
    launch: float, year: int, p: float, q: float, gains: list[float]
) -> None:
    given: dict[str, float] = {"launch": launch, "year": year, "is_entrant": 1}
    given |= {"bass_innovation": p, "bass_imitation": q}
    given |= {f"uptake_gain_{k}": gain for k, gain in enumerate(gains, 1)}
    for name in (
        "years_on_market", "adoption", "bass_curve", "years_after_third", "typed_early", "typed_middle", "typed_late",
    ):  # fmt: skip
        given[name] = staged(name, **given)

    def bass(t: float) -> float:
        grown = np.exp((p + q) * max(t - launch, 0))
        return float((grown - 1) / (grown + q / p))

    # read in the middle of the time on the market, and for that part of the year
    begun, end = max(launch, year), year + 1
    due = max(end - begun, 0) * bass((begun + end) / 2) if begun < end else 0.0
    assert staged("uptake", **given, typed_uptake=0) == pytest.approx(due, rel=1e-9, abs=1e-12)
    # which misses the average over a fine grid by little
    fine = [bass(year + (i + 0.5) / 500) for i in range(500)]
    assert staged("uptake", **given, typed_uptake=0) == pytest.approx(np.mean(fine), abs=0.012)
    # of typed years each is flat at all that was gained by then, so a calendar year takes its parts of two
    totals = [0.0, *itertools.accumulate(gains)]
    due = average(
        lambda t: totals[min(int(np.floor(t - launch)) + 1, 6)] if t > launch else 0.0,
        year,
        [launch + k for k in range(7)],
    )
    assert staged("uptake", **given, typed_uptake=1) == pytest.approx(due, rel=1e-9, abs=1e-9)
    if launch >= year + 1:
        assert staged("uptake", **given, typed_uptake=0.5) == 0


def test_the_shipped_uptake_is_the_published_curve(shipped: lm_xl.Assumptions) -> None:
    """Sales of years 1 to 6 as the source has them: the typed curve is they, the fitted one misses them by 5 points at most."""
    published = [0.11, 0.31, 0.58, 0.76, 0.89, 1.0]
    segment = shipped.axes.segment.leaves.index("Rhenium-186 obisbemeda")
    own = {name: float(x[0, 0, segment, 0, 0]) for name, x in shipped.base.items() if x.shape[2] > 1}
    for typed, off in ((0.0, 0.05), (1.0, 1e-12)):
        for k, due in enumerate(published):
            given = {**own, "launch": 2030, "year": 2030 + k, "is_entrant": 1, "typed_uptake": typed}
            for name in (
                "years_on_market", "adoption", "bass_curve", "years_after_third", "typed_early", "typed_middle", "typed_late",
            ):  # fmt: skip
                given[name] = staged(name, **given)
            assert staged("uptake", **given) == pytest.approx(due, abs=off)


# What is tiny, and what is 0


def test_no_test_finds_too_little_to_show(small_assumptions: lm_xl.Assumptions) -> None:
    """A use of 1e-20 finds a share of 1e-20 times the sensitivities, where 1 less a product finds none."""
    base = dict(small_assumptions.base)
    base["test_use"] = np.full_like(base["test_use"], 1e-20)
    found = evaluate(base, small_assumptions.structure())
    due = 1e-20 * small_assumptions.base["sensitivity"].sum()
    assert found["detection"] == pytest.approx(due, rel=1e-12)
    assert (found["diagnosed"] > 0).all() and np.isfinite(found["risk_adjusted_sales"]).all()
    plain = evaluate(small_assumptions.base, small_assumptions.structure())
    use, sensitivity = (small_assumptions.base[name] for name in ("test_use", "sensitivity"))
    assert plain["detection"] == pytest.approx(
        1 - (1 - use * sensitivity).prod(axis=2, keepdims=True), rel=1e-12
    )


@pytest.mark.parametrize(
    ("quantity", "sheet"),
    [("lm_risk", "Epidemiology"), ("care_access", "Diagnosis"), ("list_price", "Pricing")],
)
def test_a_null_case_runs_under_every_scenario(tmp_path: Path, quantity: str, sheet: str) -> None:
    """A delta that multiplies what is 0 changes nothing there, and is no fault."""

    def nothing(records: dict[str, list[dict[str, object]]]) -> None:
        for row in records[sheet]:
            if row["quantity"] == quantity:
                row.update(value=0, fill="constant", **{year: None for year in row if str(year).isdigit()})
        keys = {"region": "", "segment": "", "subtype": ""}
        keys |= {"lm_risk": {"region": "Global", "subtype": "All cancers"}, "care_access": {"region": "Global"}}.get(
            quantity, {"segment": "Total market"}
        )  # fmt: skip
        delta = {
            **records["Scenarios"][0],
            **keys,
            "quantity": quantity,
            "operation": "multiply",
            "amount": 2,
        }
        records["Scenarios"] = [delta]

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=nothing))
    assert not lm_xl.forecast(a, a.axes.scenarios).outputs["risk_adjusted_sales"].any() or (
        quantity == "list_price"
    )


def test_a_value_counts_after_all_deltas_of_its_scenario(small_assumptions: lm_xl.Assumptions) -> None:
    """Between two deltas a value may leave its range; after the last it may not, wherever it was."""
    keys = {"quantity": "care_access", "source": "TEST", "status": "placeholder"}
    regions = small_assumptions.axes.region.leaves

    def scenario(amount: float, own: float) -> lm_xl.Assumptions:
        deltas = [
            {**keys, "region": region, "operation": "multiply", "amount": x, "reason": "made up"}
            for region, x in (("Global", amount), *((region, own) for region in regions))
        ]
        return lm_xl.with_scenario(small_assumptions, "There and back", deltas)

    back = lm_xl.forecast(scenario(4, 0.25), "There and back")
    assert back.series("net_sales") == pytest.approx(lm_xl.forecast(small_assumptions).series("net_sales"))
    with pytest.raises(lm_xl.Refused, match=r"multiply 4 .* takes care_access of .* to .*outside 0 to 1"):
        scenario(0.5, 4)
