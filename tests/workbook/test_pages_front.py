"""Every number and sentence of the front pages against a second, plain computation, as built and for other choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from conftest import DRAWS
from openpyxl.utils.cell import coordinate_to_tuple
from plain import CLASSES, GROUPS, TESTS, YEARS, Market, growth, members, over, percent, signed, whole

import lm_xl
from lm_xl.xlsx.formula_cells import FormulaCells

Shown = tuple[Market, Callable[[str, str], Any]]
"""The market that is chosen, and the value of a sheet's cell."""
FIRST, LAST, GROWTH, SHARE = 2, 7, 8, 9
"""Columns of a table: its years, its growth, the first of its two shares."""
CHOICES = {
    "scenario": "Dashboard!A6", "scope": "Dashboard!D6", "basis": "Dashboard!G6", "currency": "Dashboard!J6",
    "region": "Explorer!A6", "segment": "Explorer!B6", "subtype": "Explorer!F6", "year": "Explorer!J6",
}  # fmt: skip
OTHERS: list[dict[str, Any]] = [
    {},
    {
        "scenario": "High", "scope": "Total market", "basis": "Gross", "currency": "EUR",
        "region": "Europe", "segment": "Oral", "subtype": "Lung", "year": 2028,
    },
    {"basis": "Net", "region": "Germany", "segment": "Diagnostics", "subtype": "Skin", "year": 2027},
    {"scope": "Total market", "segment": "Total market", "subtype": "Breast", "year": 2025},
]  # fmt: skip


@pytest.fixture(scope="module", params=range(len(OTHERS)), ids=["as built", "high gross EUR", "net", "total"])
def shown(request: pytest.FixtureRequest, distinct_built: Path, distinct: lm_xl.Assumptions) -> Shown:
    choice = OTHERS[request.param]
    market = Market(lm_xl.forecast(distinct, ["Base", "High"]), **choice)
    if not choice:
        stored = openpyxl.load_workbook(distinct_built, data_only=True)
        return market, lambda sheet, address: stored[sheet][address].value
    book = FormulaCells(distinct_built)
    for what, value in choice.items():
        sheet, _, address = CHOICES[what].partition("!")
        book.put(sheet, *coordinate_to_tuple(address), value)
    book.evaluate()
    return market, lambda sheet, address: book.workbook.get_value(sheet, *coordinate_to_tuple(address))


def same(found: Any, due: Any) -> bool:
    if isinstance(due, str) or isinstance(found, str):
        return bool(found == due)
    return math.isclose(found or 0, due, rel_tol=1e-8, abs_tol=1e-8)


def line(value: Callable[[str, str], Any], sheet: str, row: int) -> list[Any]:
    """A row of a page, its label first."""
    return [value(sheet, f"{chr(64 + column)}{row}") for column in range(1, SHARE + 2)]


def tables(value: Callable[[str, str], Any], sheet: str) -> dict[str, list[list[Any]]]:
    """The tables of a page by the band above each: their lines up to the next band, which has no numbers."""
    found: dict[str, list[list[Any]]] = {}
    for row in range(6, 60):
        label, *numbers = line(value, sheet, row)
        if not label or str(label).startswith("Figures are rounded"):
            continue
        if all(x in (None, "") for x in numbers):
            found[label] = []
        else:
            found[list(found)[-1]].append([label, *numbers])
    return found


def lines_of(rows: dict[str, Any], whole_of: Any = None, without: tuple[str, ...] = ()) -> list[list[Any]]:
    """Lines as they must be: years, growth a year, shares of the whole in the first and in the last year."""
    return [
        [
            label,
            *x,
            growth(x),
            *(
                [None, None]
                if whole_of is None
                else ["n/a" if label in without else over(x[y], whole_of[y]) for y in (0, -1)]
            ),
        ]
        for label, x in rows.items()
    ]


def assert_lines(found: list[list[Any]], due: list[list[Any]]) -> None:
    assert [x[0] for x in found] == [x[0] for x in due]
    for one, other in zip(found, due, strict=True):
        wrong = [k for k, (a, b) in enumerate(zip(one, other, strict=True)) if (b is None) != (a is None) or (b is not None and not same(a, b))]  # fmt: skip
        assert not wrong, (one[0], wrong, one, other)


def nested(groups: dict[str, tuple[str, ...]], make: Callable[[str], Any]) -> dict[str, Any]:
    """Classes with their leaves under them."""
    found = {}
    for group, leaves in groups.items():
        found[group] = make(group)
        found |= {f"   {leaf}": make(leaf) for leaf in leaves}
    return found


REGIONS: dict[str, tuple[str, ...]] = {"West": ("US", "Germany"), "France": (), "Global": (), "Europe": ()}
CANCERS: dict[str, tuple[str, ...]] = {"Breast": (), "Lung": ("EGFR lung", "Other lung"), "Melanoma": (), "All cancers": ()}  # fmt: skip
THERAPIES: dict[str, tuple[str, ...]] = {"Old drug": (), "Oral": ("New drug", "Other drug"), "Ray": ()}


def test_every_page_says_what_is_chosen(shown: Shown) -> None:
    market, value = shown
    for sheet in ("Dashboard", "Explorer", "Market by therapy", "Market by region", "Region by class", "Market by cancer", "Companies", "Patients", "Diagnostics", "Launches and pipeline"):  # fmt: skip
        assert value(sheet, "A2") == market.said, sheet
        assert value(sheet, "A4") == "All checks pass", sheet
    assert value("Cover", "B5") == market.said


def test_tiles(shown: Shown, distinct: lm_xl.Assumptions) -> None:
    market, value = shown
    revenue, treated, diagnosed = market.revenue(), market.patients("treated"), market.patients("diagnosed")
    classes = market.classes()
    gains = {c: x[-1] - x[0] for c, x in classes.items()}
    largest = max(classes, key=lambda c: classes[c][-1])
    most = max(gains, key=lambda c: gains[c])
    first, last = (over(classes[largest][y], revenue[y]) for y in (0, -1))
    due = {
        "A8": f"Market, {market.currency} million",
        "A9": f"{whole(revenue[0])} to {whole(revenue[-1])}",
        "A10": "2025 to 2030",
        "C9": percent(growth(revenue)),
        "C10": "CAGR 2025-2030",
        "E9": f"{whole(treated[0])} to {whole(treated[-1])}",
        "E10": f"of {whole(diagnosed[0])} diagnosed in 2025",
        "G8": "Largest class in 2030",
        "G9": largest,
        "G10": f"{percent(first)} to {percent(last)} of revenue",
        "I9": most,
        "I10": f"{signed(gains[most])} million, 2025 to 2030",
        "K8": "P10 to P90 in 2030, USD million",
    }
    assert {at: value("Dashboard", at) for at in due} == due
    drawn = lm_xl.simulate(distinct, DRAWS, 1)
    ends = [drawn.percentile(p, 2030, segment="Therapeutics") / 1e6 for p in (0.1, 0.9)]
    assert value("Dashboard", "K9") == f"{whole(ends[0])} to {whole(ends[1])}"


def test_sentences(shown: Shown) -> None:
    market, value = shown
    revenue, treated = market.revenue(), market.patients("treated")
    gains = {c: x[-1] - x[0] for c, x in market.classes().items()}
    first, second, *_, least = sorted(gains, key=lambda c: -gains[c])
    assert value("Dashboard", "B12") == (
        f"Most growth: {first} {signed(gains[first])}, then {second} {signed(gains[second])}; least: {least} "
        f"{signed(gains[least])} ({market.currency} million, 2025 to 2030)."
    )
    each = revenue / treated * 1e6
    assert value("Dashboard", "B13") == (
        f"Patients treated move by {percent(growth(treated))} a year, revenue for each by {percent(growth(each))} a year "
        f"({market.currency} {whole(each[0])} to {whole(each[-1])})."
    )
    lost = {s: x[-1] - x[0] for s, x in market.segments().items()}
    weakest = min(lost, key=lambda s: lost[s])
    assert weakest == "Old drug"
    ending = int(market.results.outputs["loss_of_exclusivity"][0, 0, 0, 0, 0])
    assert value("Dashboard", "B14") == (
        f"Weakest product by change: {weakest} {signed(lost[weakest])}; its exclusivity in US ends: {ending}."
    )


def test_market_by_therapy(shown: Shown) -> None:
    market, value = shown
    found = tables(value, "Market by therapy")
    rows = nested(
        {**THERAPIES, "Therapeutics": (), "Diagnostics": ("Scan", "Puncture"), "Total market": ()},
        lambda label: market.revenue(segment=label),
    )
    out = ("Diagnostics", "   Scan", "   Puncture", "Total market") if market.scope == "Therapeutics" else ()
    (band, revenue), (_, people) = found.items()
    assert band == f"Revenue, {market.currency} million"
    assert_lines(revenue, lines_of(rows, market.revenue(), out))
    on = nested(THERAPIES, lambda label: market.stage("patients_on_therapy", segment=label))
    assert_lines(people, lines_of(on))


@pytest.mark.parametrize("dim", ["region", "subtype"])
def test_markets_by_region_and_by_cancer(shown: Shown, dim: str) -> None:
    market, value = shown
    sheet, groups = {"region": ("Market by region", REGIONS), "subtype": ("Market by cancer", CANCERS)}[dim]
    found = tables(value, sheet)
    money = f"Revenue, {market.currency} million"
    counted = {"region": ["treated"], "subtype": ["diagnosed", "treated"]}[dim]
    assert list(found) == [money, *(f"Patients {stage}" for stage in counted)]
    assert_lines(
        found[money], lines_of(nested(groups, lambda label: market.revenue(**{dim: label})), market.revenue())
    )
    for stage in counted:
        rows = nested(groups, lambda label, stage=stage: market.patients(stage, **{dim: label}))
        assert_lines(found[f"Patients {stage}"], lines_of(rows, market.patients(stage)))


def test_regions_by_class_in_the_year_of_the_explorer(shown: Shown) -> None:
    market, value = shown
    sheet = "Region by class"
    assert value(sheet, "A3") == f"Revenue by region and class in {market.year}, {market.currency} million"
    assert [value(sheet, f"{c}5") for c in "BCDE"] == list(CLASSES)
    for row, region in enumerate(("US", "Germany", "France"), 6):
        assert value(sheet, f"A{row}") == region
        due = [market.revenue(region=region, segment=c)[market.year - 2025] for c in CLASSES]
        assert [value(sheet, f"{c}{row}") for c in "BCDE"] == pytest.approx(due, rel=1e-8)


def test_companies(shown: Shown) -> None:
    market, value = shown
    (found,) = tables(value, "Companies").items()
    assert found[0] == f"Revenue by who books it, {market.currency} million"
    rows = market.companies() | {"Other": np.zeros(6), "All companies": market.revenue()}
    assert_lines(found[1], lines_of(rows, market.revenue()))


def test_patients(shown: Shown) -> None:
    market, value = shown
    found = tables(value, "Patients")
    steps = {
        "New cases of cancer": "incidence", "Metastatic by now": "metastatic", "With LM, found or not": "lm_cases",
        "Diagnosed": "diagnosed", "Treated": "treated",
    }  # fmt: skip
    beside = {"Worked up on suspicion": "suspected", "Living with diagnosed LM": "prevalence"}
    passes = {
        "Metastatic, of new cases": ("metastatic", "incidence"), "With LM, of metastatic": ("lm_cases", "metastatic"),
        "Diagnosed, of all with LM": ("diagnosed", "lm_cases"), "Treated, of diagnosed": ("treated", "diagnosed"),
    }  # fmt: skip
    funnel, others, shares, regions, cancers = found.values()
    assert_lines(funnel, lines_of({said: market.patients(stage) for said, stage in steps.items()}))
    assert_lines(others, lines_of({said: market.patients(stage) for said, stage in beside.items()}))
    ratios = {said: market.patients(a) / market.patients(b) for said, (a, b) in passes.items()}
    assert_lines(shares, lines_of(ratios))
    whole_of = market.patients("diagnosed")
    for lines, dim, labels in (
        (regions, "region", ("West", "France", "Global")),
        (cancers, "subtype", tuple(CANCERS)),
    ):
        rows = {label: market.patients("diagnosed", **{dim: label}) for label in labels}
        assert_lines(lines, lines_of(rows, whole_of))


BEHIND = ("By_region", "By_cancer", "By_segment", "By_company", "Funnel", "Diagnostics_tests")
"""The sheets behind the pages."""


def behind(market: Market, quantity: str, region: str, segment: str, subtype: str) -> Any:
    """What a line of such a sheet must hold, by its keys."""
    place = {"region": region, "subtype": subtype}
    if quantity == "revenue" and segment == "The chosen scope":
        return market.revenue() if region == "All companies" else market.companies()[region]
    if quantity == "revenue" and segment == "Total market" and "Global" not in (region, subtype):
        return market.revenue(**place)
    if quantity == "revenue":
        return market.revenue(**place, segment=segment)
    if quantity in ("patients_on_therapy", "tests"):
        return market.stage(quantity, segment=segment)
    part, _, whole_of = quantity.partition("_of_")
    return market.patients(part, **place) / (market.patients(whole_of, **place) if whole_of else 1)


@pytest.mark.parametrize("sheet", BEHIND)
def test_the_sheets_behind_the_pages(shown: Shown, sheet: str) -> None:
    market, value = shown
    rows = [
        row
        for row in range(6, 60)
        if isinstance(value(sheet, f"H{row}"), int | float)
        and not value(sheet, f"A{row}").startswith("companies_")  # rankings, which the page shows
    ]
    assert len(rows) > 1
    for row in rows:
        quantity, *keys = (value(sheet, f"{c}{row}") for c in "ABCD")
        years = [value(sheet, f"{c}{row}") for c in "HIJKLM"]
        scoped = sheet in ("By_region", "By_cancer") and quantity == "revenue"
        due = market.revenue(region=keys[0], subtype=keys[2]) if scoped else behind(market, quantity, *keys)
        assert years == pytest.approx(list(due), rel=1e-8, abs=1e-9), (sheet, row)


def test_diagnostics(shown: Shown) -> None:
    market, value = shown
    done, worth = tables(value, "Diagnostics").values()
    assert_lines(done, lines_of({t: market.stage("tests", segment=t) for t in ("Scan", "Puncture")}))
    assert_lines(worth, lines_of({t: market.revenue(segment=t) for t in ("Scan", "Puncture")}))


def quarter(time: float) -> str:
    return f"Q{1 + int(4 * (time % 1 + 1e-6))} {int(time + 1e-6)}"


def test_launches(shown: Shown) -> None:
    market, value = shown
    sheet, leaves = "Launches and pipeline", market.results.axes.segment.leaves
    run = market.results.run(market.scenario)

    def there(output: str, segment: str) -> float:
        x = np.broadcast_to(
            market.results.outputs[output], (2, 3, 6, *market.results.outputs[output].shape[3:])
        )
        return float(x[run, 0, leaves.index(segment)].flat[0])

    rows = {str(value(sheet, f"A{row}")).strip(): row for row in range(6, 11)}
    assert list(rows) == ["Old drug", "Oral", "New drug", "Other drug", "Ray"]
    for segment, row in rows.items():
        if segment == "Oral":
            continue
        launch, expiry = value(sheet, f"D{row}"), value(sheet, f"F{row}")
        assert expiry == quarter(there("loss_of_exclusivity", segment)), segment
        if segment == "New drug":
            assert launch == quarter(there("launch", segment))
            assert value(sheet, f"E{row}") == pytest.approx(there("success", segment), rel=1e-9)
        else:
            assert launch in (None, "") and value(sheet, f"E{row}") in (None, "")
    expiries = [value(sheet, f"F{row}") for segment, row in rows.items() if segment != "Oral"]
    assert len(set(expiries)) == 4


def test_the_explorer(shown: Shown) -> None:
    market, value = shown
    revenue, factors, at = market.explored(), market.factors(), market.year - 2025
    people, uses = (
        factors[0],
        [a if isinstance(a, str) else a * b for a, b in zip(factors[1], factors[0], strict=True)],
    )
    now, start = revenue[at], revenue[0]
    since = growth(revenue[: at + 1], at) if at else "n/a"
    due = {
        "A8": f"{market.currency} million in {market.year}",
        "A9": f"{now:,.1f}" if now < 1000 else f"{now:,.0f}",
        "C9": percent(over(now, market.revenue()[at])),
        "F9": percent(since),
        "I9": whole(people[at]),
        "L9": whole(uses[at]),
    }
    assert {a: value("Explorer", a) for a in due} == due
    known = now > 0 and start > 0
    mean = (now - start) / math.log(now / start) if known and now != start else now
    for row, factor in enumerate(factors, 14):
        then, is_now, explains, part = (value("Explorer", f"{c}{row}") for c in "BCDE")
        assert same(then, factor[0]) and same(is_now, factor[at]), row
        effect = mean * math.log(factor[at] / factor[0]) if known else "n/a"
        assert same(explains, effect), row
        assert same(part, effect / (now - start) if known and now != start else "n/a"), row
    assert value("Explorer", "C13") == market.year
    assert [value("Explorer", f"{c}20") for c in "BCD"] == pytest.approx(
        [start, now, now - start], rel=1e-8, abs=1e-8
    )
    for row, series in ((24, revenue), (25, np.array(people)), (26, np.array(uses))):
        found = line(value, "Explorer", row)[1:8]
        assert found[:6] == pytest.approx(list(series), rel=1e-8, abs=1e-9)
        assert same(found[6], growth(series)), row


def test_the_range_of_the_explorer_is_of_what_is_chosen(
    distinct_built: Path, distinct: lm_xl.Assumptions
) -> None:
    drawn, book = lm_xl.simulate(distinct, DRAWS, 1), FormulaCells(distinct_built)
    for choice, label in (
        ({"A6": "Germany", "J6": 2027}, {"region": "Germany"}),
        ({"A6": "Global", "F6": "Other lung", "J6": 2029}, {"subtype": "Other lung"}),
        ({"F6": "All cancers", "B6": "Ray", "J6": 2026}, {"segment": "Ray"}),
        ({"A6": "Germany"}, None),
    ):
        for address, value in choice.items():
            book.put("Explorer", *coordinate_to_tuple(address), value)
        book.evaluate()
        said = book.workbook.get_value("Explorer", 9, 14)
        if label is None:
            assert said == "not drawn"
        else:
            ends = [drawn.percentile(p, choice["J6"], **label) / 1e6 for p in (0.1, 0.9)]
            assert said == " to ".join(f"{x:,.1f}" if x < 1000 else f"{x:,.0f}" for x in ends)


def test_what_is_published_beside_the_model(shown: Shown) -> None:
    market, value = shown
    net = Market(market.results, scenario=market.scenario, scope="Total market", basis="Net")
    due = [
        (7.1e9, net.revenue()[4] * 1e6),
        (31_000, net.patients("diagnosed", region="Germany")[2]),
        (1.3e9, net.revenue(region="Europe", segment="Oral")[5] * 1e6),
        (4.4e9, net.revenue(subtype="Lung")[1] * 1e6),
    ]
    for row, (published, model) in enumerate(due, 6):
        found = [value("Triangulation", f"{c}{row}") for c in "EFGH"]
        assert found[:3] == pytest.approx([published, model, model / published], rel=1e-8)
        assert found[3] == ("within the band" if 0.5 <= model / published <= 2 else "OUTSIDE the band")
    assert len({value("Triangulation", f"H{row}") for row in range(6, 10)}) == 2, "both are seen"


def analyses(path: Path) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """The lines of the pages of analyses."""
    book = openpyxl.load_workbook(path, data_only=True)
    for sheet in ("Scenarios compared", "Drivers", "Uncertainty"):
        yield sheet, list(book[sheet].iter_rows(min_row=6, values_only=True))


def test_the_pages_of_analyses(distinct_built: Path, distinct: lm_xl.Assumptions) -> None:
    pages = dict(analyses(distinct_built))
    base = Market(results := lm_xl.forecast(distinct, ["Base", "High"]))
    high = Market(results, scenario="High")
    rows = {row[0]: row for row in reversed(pages["Scenarios compared"])}
    for market in (base, high):
        people, revenue = market.patients("diagnosed"), market.revenue()
        gain = revenue[-1] - base.revenue()[-1]
        due = [
            people[0],
            people[-1],
            revenue[0],
            revenue[-1],
            growth(revenue),
            gain,
            gain / base.revenue()[-1],
        ]
        assert rows[market.scenario][1:8] == pytest.approx(due, rel=1e-8)
    apart = pages["Scenarios compared"][-1]
    assert apart[:2] == ("High", pytest.approx(high.revenue()[-1] - base.revenue()[-1], rel=1e-8))
    assert sum(x for x in apart[2:] if isinstance(x, float)) == pytest.approx(apart[1], rel=1e-8)

    drivers = {row[0]: row for row in reversed(pages["Drivers"][:15]) if row[0]}
    first, last = drivers["Base 2025"][1], drivers["Base 2030"][1]
    assert [first, last] == pytest.approx([base.revenue()[0], base.revenue()[-1]], rel=1e-8)
    bars = lm_xl.bridge(distinct).bars
    for bar in (b for b in bars if b.changed):
        effect = bar.effect / 1e6
        assert drivers[bar.driver][1:3] == pytest.approx(
            (effect, effect / (last - first)), rel=1e-8, abs=1e-9
        )

    drawn, told = lm_xl.simulate(distinct, DRAWS, 1), pages["Uncertainty"]
    for top, metric, scale, stated in (
        (1, {"segment": "Therapeutics"}, 1e6, base.revenue()),
        (8, {"metric": "diagnosed"}, 1, base.patients("diagnosed")),
    ):
        for k, p in ((0, 0.1), (1, 0.5), (3, 0.9)):
            due = [drawn.percentile(p, year, **metric) / scale for year in YEARS]
            assert told[top + k][1:7] == pytest.approx(due, rel=1e-8), told[top + k][0]
        assert told[top + 4][1:7] == pytest.approx(list(stated), rel=1e-8)
    found = lm_xl.tornado(distinct)
    swings = [s for s in found.swings if s.swing > 0]
    lines = told[next(i for i, row in enumerate(told) if row[0] == "input") + 1 :]
    for row, swing in zip(lines, swings, strict=False):
        assert row[3:6] == pytest.approx(
            (swing.at_low / 1e6, swing.at_high / 1e6, swing.swing / 1e6), rel=1e-8
        )
    assert swings[0].at_low != pytest.approx(swings[0].at_high, rel=0.01)


def test_the_steps_to_a_published_size(shown: Shown) -> None:
    market, value = shown
    net = Market(market.results, scenario=market.scenario, basis="Net")
    headline, own = net.revenue()[4], net.revenue(segment="Total market")[4]
    diagnosed, treated = net.patients("diagnosed")[4], net.patients("treated")[4]
    rows = {value("Reconciliation", f"A{row}"): row for row in range(12, 5, -1)}
    assert value("Reconciliation", f"C{rows['Our headline']}") == pytest.approx(headline, rel=1e-8)
    scope, cost = rows["Scope"], rows["Cost a patient"]
    assert [value("Reconciliation", f"{c}{scope}") for c in "BC"] == pytest.approx(
        [own - headline, own], rel=1e-8
    )
    assert value("Reconciliation", f"D{rows['Patients']}") == pytest.approx(diagnosed, rel=1e-8)
    assert value("Reconciliation", f"D{rows['Treated share']}") == pytest.approx(
        treated / diagnosed, rel=1e-8
    )
    assert [value("Reconciliation", f"{c}{cost}") for c in "BCDE"] == pytest.approx(
        [7100 - own, 7100, own / treated * 1e6, 7100 / treated * 1e6], rel=1e-8
    )


def test_the_groups_typed_here_are_those_of_the_axes(distinct: lm_xl.Assumptions) -> None:
    for axis in (distinct.axes.region, distinct.axes.segment, distinct.axes.subtype):
        for label in set(axis.labels) & set(GROUPS):
            assert {axis.leaves[i] for i in axis.members(label)} == members(label)
    assert {s for s, role in zip(distinct.axes.segment.leaves, distinct.axes.segment.roles, strict=True) if role == "test"} == TESTS  # fmt: skip
