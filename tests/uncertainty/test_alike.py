"""Draws of a market whose members are alike: what is the same for several of them counts once for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import small

import lm_xl
from lm_xl.uncertainty.blocks import certain_outcomes
from lm_xl.uncertainty.plan import plan_of


@pytest.mark.parametrize("drawn", ["list_price", "sensitivity", "care_access"])
def test_two_tests_alike_find_patients_each(drawn: str, tmp_path: Path) -> None:
    def spread(records: dict[str, list[dict[str, Any]]]) -> None:
        for row in (r for sheet, rows in records.items() if sheet not in small.NOT_ROWS for r in rows):
            if row["quantity"] == drawn and row["value"]:
                kind = "lognormal" if drawn == "list_price" else "beta"
                row.update(distribution=kind, low=row["value"] * 0.95, high=row["value"] * 1.05)
            elif row["quantity"] == "probability_of_success":
                row["value"] = 1

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", (2, 6, 3, 3), spread))
    assert len(a.axes.segment.having("test")) == 2
    certain, _ = certain_outcomes(plan_of(a, ["Base"], 1), 0)
    assert certain[: len(a.axes.region)].sum(axis=0) == pytest.approx(
        lm_xl.forecast(a).series("net_sales", segment="Therapeutics"), rel=1e-12
    )
