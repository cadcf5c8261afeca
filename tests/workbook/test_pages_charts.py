"""What each chart draws: every reference resolved to its cells, and names, categories and values compared with a plain computation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import DRAWS
from plain import YEARS, Market, over

import lm_xl
from lm_xl.xlsx.addresses import area_of
from lm_xl.xlsx.drawings import graphics
from lm_xl.xlsx.package import opened
from lm_xl.xlsx.workbook_file import WorkbookFile

Series = dict[str, tuple[list[Any], list[Any]]]
"""The name of each series to its categories and its values."""
SHOWN = "Base | Therapeutics | Risk-adjusted net | USD"


def charts(path: Path) -> Iterator[tuple[str, str, Series]]:
    """Each chart of a file: its sheet, its title, its series, everything as the cells say it that it refers to."""
    book = openpyxl.load_workbook(path, data_only=True)

    def cells(reference: str | None) -> list[Any]:
        assert reference, "a chart without a reference"
        sheet, _, place = reference.rpartition("!")
        area = area_of(place)
        assert area is not None, reference
        rows = book[sheet.strip("'")].iter_rows(
            area.top, area.bottom, area.left, area.right, values_only=True
        )
        return [x for row in rows for x in row]

    with opened(path) as package:
        for sheet in WorkbookFile(package).sheets:
            drawings = [r.target for r in package.relations(sheet.part).values() if "/drawing" in r.target]
            for drawing in (d for d in drawings if d.endswith(".xml")):
                for graphic in graphics(package, drawing):
                    assert graphic.chart is not None
                    title = graphic.chart.find(".//{*}chart/{*}title")
                    assert title is not None
                    written = "".join(t.text or "" for t in title.iterfind(".//{*}t"))
                    (said,) = [written] if written else cells(title.findtext(".//{*}f"))
                    series: Series = {}
                    for one in graphic.chart.iterfind(".//{*}ser"):
                        (name,) = cells(one.findtext("{*}tx//{*}f"))
                        assert str(name) not in series, f"{said}: two series {name}"
                        series[str(name)] = (
                            cells(one.findtext("{*}cat//{*}f")),
                            cells(one.findtext("{*}val//{*}f")),
                        )
                    yield sheet.title, said, series


@pytest.fixture(scope="module")
def drawn(distinct_built: Path) -> dict[tuple[str, str], Series]:
    found = list(charts(distinct_built))
    by_title = {(sheet, title): series for sheet, title, series in found}
    assert len(by_title) == len(found), "two charts of a sheet have one title"
    return by_title


@pytest.fixture(scope="module")
def market(distinct: lm_xl.Assumptions) -> Market:
    return Market(lm_xl.forecast(distinct, ["Base", "High"]))


def over_years(rows: dict[str, Any], years: Any = YEARS) -> Series:
    return {name: (list(years), list(x)) for name, x in rows.items()}


def stacked(m: Market, rows: dict[str, Any]) -> Series:
    """Bars, and the world's revenue that is written over them."""
    return over_years({**rows, "Global": m.revenue()})


def fan(simulation: Any, stated: Any, scale: float, **label: str) -> Series:
    """A fan: what it stands on, the bands above that, and its lines."""
    p10, p50, p90 = ([simulation.percentile(p, y, **label) / scale for y in YEARS] for p in (0.1, 0.5, 0.9))
    mean = simulation.mean[0, simulation.at(**label)] / scale
    rows = {
        "P10": p10, "P10 to P50": [b - a for a, b in zip(p10, p50, strict=True)],
        "P50 to P90": [b - a for a, b in zip(p50, p90, strict=True)],
        "P50": p50, "mean": mean, "deterministic": stated,
    }  # fmt: skip
    return over_years(rows, [str(year) for year in YEARS])


def front_charts(m: Market) -> dict[tuple[str, str], Series]:
    classes, revenue = m.classes(), m.revenue()
    ranked = {c: classes[c] for c in sorted(classes, key=lambda c: -classes[c][-1])} | {"Other": revenue * 0}
    first, last = ({c: over(x[y], revenue[y]) for c, x in ranked.items()} for y in (0, -1))
    funnel = {"With LM, found or not": "lm_cases", "Diagnosed": "diagnosed", "Treated": "treated"}
    whole = Market(m.results, scope="Total market")
    names = [
        "Patients treated (tests: worked up)", "On the therapy, for each of them", "Months or courses for each of these",
        "List price of a month or course", "After rebates", "Success of the pipeline",
    ]  # fmt: skip
    return {
        ("Dashboard", f"Revenue by class, million: {SHOWN}"): stacked(m, ranked),
        ("Dashboard", f"Shares of revenue, 2025 and 2030: {SHOWN}"): {
            c: (["share 2025", "share 2030"], [first[c], last[c]]) for c in ranked
        },
        ("Dashboard", "Patients, the world: Base"): {
            str(year): (list(funnel), [m.patients(stage)[year - 2025] for stage in funnel.values()])
            for year in (2025, 2030)
        },
        ("Explorer", "Revenue, million: Therapeutics, Global, All cancers"): over_years({"explored_revenue": revenue}),
        ("Explorer", "What explains it: Therapeutics, Global, All cancers"): {"explains": (names, _explained(m))},
        ("Market by therapy", f"Revenue by class: {SHOWN} million"): stacked(m, ranked),
        ("Market by region", f"Revenue by region: {SHOWN} million"): stacked(
            m, {r: m.revenue(region=r) for r in ("West", "France")}
        ),
        ("Market by cancer", f"Revenue by cancer: {SHOWN} million"): stacked(
            m, {c: m.revenue(subtype=c) for c in ("Breast", "Lung", "Melanoma")}
        ),
        ("Diagnostics", "Value of tests: Base | Risk-adjusted net | USD million"): over_years(
            {t: whole.revenue(segment=t) for t in ("Scan", "Puncture")}
        ),
        ("Companies", f"Revenue by company: {SHOWN} million"): stacked(
            m, m.companies() | {"Other": revenue * 0}
        ),
    }  # fmt: skip


def _explained(m: Market) -> list[float]:
    import math

    now, start = m.explored()[-1], m.explored()[0]
    mean = (now - start) / math.log(now / start)
    return [mean * math.log(factor[-1] / factor[0]) for factor in m.factors()]


def other_charts(m: Market) -> dict[tuple[str, str], Series]:
    a = m.results.assumptions
    simulation, bars, net = (
        lm_xl.simulate(a, DRAWS, 1),
        lm_xl.bridge(a).bars,
        Market(m.results, basis="Net", scope="Total market"),
    )
    of_revenue = fan(simulation, m.revenue(), 1e6, segment="Therapeutics")
    level, steps = float(m.revenue()[0]), [("Base 2025", 0.0, float(m.revenue()[0]), 0.0)]
    for bar in (b for b in bars if b.changed):
        effect = bar.effect / 1e6
        steps.append((bar.driver, min(level, level + effect), max(effect, 0), max(-effect, 0)))
        level += effect
    steps.append(("Base 2030", 0.0, float(m.revenue()[-1]), 0.0))
    told = [s[0] for s in steps]
    found = lm_xl.tornado(a)
    swings = [s for s in found.swings if s.swing > 0]
    inputs = [said(s.input) for s in swings]
    models = [
        net.revenue()[4] / 7100, net.patients("diagnosed", region="Germany")[2] / 31_000,
        net.revenue(region="Europe", segment="Oral")[5] / 1300, net.revenue(subtype="Lung")[1] / 4400,
    ]  # fmt: skip
    figures = ["Market size", "Patients in Germany", "Pills in Europe", "Lung"]
    return {
        ("Dashboard", f"How sure, as drawn for {SHOWN} million"): of_revenue,
        ("Uncertainty", f"P10 to P90: {SHOWN} million"): of_revenue,
        ("Uncertainty", "P10 to P90: patients diagnosed"): fan(
            simulation, m.patients("diagnosed"), 1, metric="diagnosed"
        ),
        ("Drivers", f"What drives 2025 to 2030: {SHOWN} million"): {
            name: (told, [s[k] for s in steps]) for k, name in ((1, "drawn from"), (2, "rise"), (3, "fall"))
        },
        (
            "Uncertainty",
            f"What moves 2030 most, one input at a time: {SHOWN} million; {m.revenue()[-1]:,.0f} at the centre",
        ): {
            "P10 less centre": (inputs, [(s.at_low - found.centre) / 1e6 for s in swings]),
            "P90 less centre": (inputs, [(s.at_high - found.centre) / 1e6 for s in swings]),
        },
        (
            "Triangulation",
            "Model over published figure, each at its own scope and in its nearest year: net, USD, scenario of the dashboard",
        ): {"ratio": (figures, models)},
    }


def said(name: str) -> str:
    quantity, label = name.split(" | ")
    return f"{ {'lm_risk': 'LM risk', 'list_price': 'List price'}[quantity] }: {label}"


def assert_drawn(found: dict[tuple[str, str], Series], due: dict[tuple[str, str], Series]) -> None:
    for place, series in due.items():
        assert place in found, (place, [p for p in found if p[0] == place[0]])
        assert list(found[place]) == list(series), place
        for name, (categories, values) in series.items():
            assert found[place][name][0] == categories, (place, name)
            assert found[place][name][1] == pytest.approx(values, rel=1e-8, abs=1e-8), (place, name)


def test_the_charts_of_the_front_draw_what_they_say(
    drawn: dict[tuple[str, str], Series], market: Market
) -> None:
    assert_drawn(drawn, front_charts(market))


def test_the_charts_of_the_analyses_draw_what_they_say(
    drawn: dict[tuple[str, str], Series], market: Market
) -> None:
    due = other_charts(market)
    assert_drawn(drawn, due)
    known = due.keys() | front_charts(market).keys()
    assert {sheet for sheet, _ in drawn.keys() - known} == {"Convergence"}, "a chart that no test draws again"


def test_the_charts_of_convergence(drawn: dict[tuple[str, str], Series], distinct: lm_xl.Assumptions) -> None:
    simulation = lm_xl.simulate(distinct, DRAWS, 1)
    by_draws = drawn["Convergence", "Revenue 2030 by the number of draws"]
    assert list(by_draws) == ["mean", "P10", "P50", "P90"]
    end = {f"P{p}": simulation.percentile(p / 100, 2030) / 1e6 for p in (10, 50, 90)}
    end["mean"] = simulation.mean[0, simulation.at(), -1] / 1e6
    for name, (draws, values) in by_draws.items():
        assert draws == [512, 1024]
        assert values[-1] == pytest.approx(end[name], rel=1e-8), name
    ((told, parts),) = drawn["Convergence", "What causes the spread of revenue 2030"].values()
    assert len(told) == len(set(told)) and told[0] == "success | New drug"
    assert parts == sorted(parts, reverse=True) or parts[0] == max(parts)


def test_the_bands_of_a_fan_and_the_bars_of_a_waterfall_are_not_alike(
    drawn: dict[tuple[str, str], Series],
) -> None:
    """What would be drawn wrong is told apart by the numbers themselves."""
    for series in drawn.values():
        rows = [tuple(values) for _, values in series.values() if any(values)]
        assert len(set(rows)) == len(rows)
