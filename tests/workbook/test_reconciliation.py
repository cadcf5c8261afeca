"""The steps from our headline to published sizes: their sum, what they do without a count or without patients, the page of text."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

import lm_xl
from lm_xl.forecasts.reconciliation import Compared, count_of, reconcilable, reconciliation, steps_of
from lm_xl.workbook.reconciled import page

PAGE = Path(__file__).parents[2] / "docs" / "reconciliation.md"
WITH_COUNT = Compared(headline=100.0, own=120.0, published=500.0, diagnosed=10.0, treated=8.0, counted=50.0)


def test_a_worked_example() -> None:
    scope, patients, treated, cost = steps_of(WITH_COUNT)
    assert scope == ("scope", 20, 100, 120)
    assert patients == ("patients", 480, 10, 50)
    assert treated == ("treated", pytest.approx(150), 0.8, 1)
    assert cost == ("cost", pytest.approx(-250), 15, 10)


@pytest.mark.parametrize(
    "compared",
    [
        WITH_COUNT,
        replace(WITH_COUNT, counted=None),
        replace(WITH_COUNT, counted=0.0),
        replace(WITH_COUNT, treated=0.0),
        replace(WITH_COUNT, diagnosed=0.0, treated=0.0),
        replace(WITH_COUNT, diagnosed=0.0, treated=0.0, counted=None),
    ],
)
def test_the_steps_sum_to_the_published_value(compared: Compared) -> None:
    amounts = [step.amount for step in steps_of(compared) if not math.isnan(step.amount)]
    assert compared.headline + sum(amounts) == pytest.approx(compared.published, rel=1e-12)
    if compared.counted is None:
        assert [step.amount for step in steps_of(compared)][1:3] == [0, 0]
    if not compared.diagnosed and compared.counted is not None:
        assert all(math.isnan(step.amount) for step in steps_of(compared)[1:3])


def test_sizes_of_a_whole_market_have_their_steps_and_no_other_figure_has(shipped: lm_xl.Assumptions) -> None:
    figures = [shipped.published[k] for k in reconcilable(shipped)]
    assert {f.publisher for f in figures} == {"DelveInsight", "Exactitude Consultancy"}
    counted = {f.keys.region for f in figures if count_of(shipped, f) is not None}
    assert counted == {"7MM"}
    results = lm_xl.forecast(shipped)
    for figure in figures:
        found = reconciliation(results, figure)
        assert found.running[-1] == pytest.approx(figure.value, rel=1e-12)
        assert found.compared.headline == results.revenue(
            shipped.axes.headline, found.year, figure.keys.region, basis="net"
        )


def test_the_page_shows_the_base_case(shipped: lm_xl.Assumptions) -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert page(written, shipped) == written, "the base case moved: nox -s docs writes the tables again"


def test_a_page_without_a_place_for_the_tables_is_refused(shipped: lm_xl.Assumptions) -> None:
    with pytest.raises(ValueError, match="has no lines"):
        page("# No tables", shipped)
