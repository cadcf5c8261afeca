"""Products and companies: their sales sum to the segments', an edit is seen, and the table of products tells all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small

import lm_xl
from lm_xl.forecasts.products import product_table
from lm_xl.model.outputs import BASES


@pytest.mark.parametrize("basis", BASES)
def test_companies_and_products_sum_to_what_is_split(shipped: lm_xl.Assumptions, basis: str) -> None:
    results = lm_xl.forecast(shipped, shipped.axes.scenarios)
    for whole in (("year",), ("region", "segment", "subtype", "year"), ()):
        expected = results.frame("revenue", whole, basis=basis)
        for by in (("company",), ("product", "company")):
            split = results.frame("revenue", (*by, *whole), basis=basis)
            summed = split.groupby(["scenario", *whole], sort=False)["value"].sum()
            at = expected.set_index(["scenario", *whole])["value"]
            assert np.allclose(summed.reindex(at.index), at, rtol=1e-9, atol=0)


def test_companies_sum_to_every_group_of_segments(shipped: lm_xl.Assumptions) -> None:
    results = lm_xl.forecast(shipped)
    for group in shipped.axes.segment.labels:
        parts = [results.revenue(group, 2030, company=company) for company in results.companies]
        assert sum(parts) == pytest.approx(results.revenue(group, 2030), rel=1e-9)


def test_a_company_has_its_shares_by_hand(small_assumptions: lm_xl.Assumptions) -> None:
    results = lm_xl.forecast(small_assumptions)
    of = {"year": 2027, "region": "Germany", "subtype": "EGFR lung", "basis": "net"}
    pill, scan, ray = (results.revenue(s, **of) for s in ("Old drug", "Scan", "Ray"))
    assert results.companies == ("Acme", "Acme; Zenith", "Zenith")
    assert results.revenue("Total market", company="acme", **of) == pytest.approx(0.3 * pill + scan + ray)
    assert results.revenue("Old drug", company="Acme; Zenith", **of) == pytest.approx(0.7 * pill)
    assert results.revenue("Scan", company="Zenith", **of) == 0
    assert list(results.frame("revenue", by="company")["company"]) == list(results.companies)


def test_what_has_no_company_says_so(small_assumptions: lm_xl.Assumptions) -> None:
    results = lm_xl.forecast(small_assumptions)
    with pytest.raises(lm_xl.UnknownLabel, match="unknown company 'Acne': nearest is 'Acme'"):
        results.revenue("Scan", 2027, company="Acne")
    with pytest.raises(lm_xl.UnknownLabel, match="patients_on_therapy does not vary by company"):
        results.series("patients_on_therapy", company="Acme")
    with pytest.raises(lm_xl.UnknownLabel, match="patients do not vary by company or product"):
        results.frame("patients", ("company",))


def test_an_edited_share_is_seen(
    small_assumptions: lm_xl.Assumptions, small_path: Path, tmp_path: Path
) -> None:
    def edit(sheets: dict[str, list[dict[str, object]]]) -> None:
        for row, share in zip(sheets["Products"], (0.4, 0.6), strict=False):
            row["share"] = share

    after = small.workbook(tmp_path / "after.xlsx", change=edit)
    assert lm_xl.read_assumptions(after).fingerprint != small_assumptions.fingerprint
    found = lm_xl.diff(small_path, after)
    assert [(e.sheet, e.what, e.columns, e.effect) for e in found.edits] == [
        ("Products", "Old drug, Old drug one", ("share",), 0),
        ("Products", "Old drug, Younger pill", ("share",), 0),
    ]
    words = replace(small_assumptions.products[0], lm_data="more")
    said = replace(small_assumptions, products=(words, *small_assumptions.products[1:]))
    assert said.fingerprint == small_assumptions.fingerprint
    assert said.identity != small_assumptions.identity


def test_no_bucket_without_a_name_is_large(shipped: lm_xl.Assumptions) -> None:
    """What stands for several products without naming them is at most a tenth of therapeutics."""
    table = product_table(shipped)
    assert list(table.columns[:3]) == ["product", "company", "segment"]
    results, members = lm_xl.forecast(shipped), shipped.axes.segment.members("Therapeutics")
    sales = results.frame("revenue", ("product", "segment", "year"))
    therapies = sales[sales["segment"].isin([shipped.axes.segment.leaves[i] for i in members])]
    for year, of_year in therapies.groupby("year"):
        whole = of_year["value"].sum()
        unnamed = of_year[of_year["product"].str.contains(r"\b(?:other|generic)\b", case=False)]
        assert (unnamed["value"] < 0.1 * whole).all(), year
