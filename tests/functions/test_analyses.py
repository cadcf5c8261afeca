"""Handles made of handles, tables with headers, and how numbers are shown: what Python's own analyses say, in every host."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import fractions
import math
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
import small
from grids import grids
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lm_xl
from lm_xl import CallError
from lm_xl.functions import com, headless, lite
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.models import MOST_MODELS, STORE, Model, Store
from lm_xl.functions.registry import FUNCTIONS
from lm_xl.model.quantities import QUANTITIES

NA, VALUE, REF = "#N/A", "#VALUE!", "#REF!"
SHARE = 1e-9


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> lm_xl.Assumptions:
    """Assumptions with uncertain inputs."""

    def change(records: dict[str, list[dict[str, Any]]]) -> None:
        for sheet, kinds in (("Pricing", {"list_price": "lognormal"}), ("Epidemiology", {"lm_risk": "beta"})):
            for row in (r for r in records[sheet] if r["quantity"] in kinds):
                row.update(
                    distribution=kinds[row["quantity"]], low=row["value"] * 0.9, high=row["value"] * 1.1
                )

    return lm_xl.read_assumptions(
        small.workbook(tmp_path_factory.mktemp("spread") / "spread.xlsx", change=change)
    )


@pytest.fixture(scope="module")
def handle(spread: lm_xl.Assumptions) -> str:
    return STORE.put(Model(spread, "Base"))


def code(name: str, *arguments: Any) -> str:
    with pytest.raises(CallError) as raised:
        call(name, arguments)
    assert str(raised.value), "an error without words"
    return raised.value.code


def frame(name: str, *arguments: Any) -> pd.DataFrame:
    """A table of a function as a frame."""
    found: pd.DataFrame = getattr(lm_xl, name)(*arguments)
    return found


def same(mine: pd.DataFrame, due: pd.DataFrame) -> None:
    due = due[list(mine.columns)].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, due, rtol=SHARE, check_dtype=False)


def what_if(a: lm_xl.Assumptions, scenario: str, quantity: str, factor: float, **keys: str) -> lm_xl.Results:
    """The forecast with a what-if, as Python's own function for scenarios makes it."""
    own = [
        {**d.keys._asdict(), "quantity": d.quantity, "operation": d.operation, "amount": d.amount}
        for d in a.deltas
        if d.scenario == scenario
    ]
    new = {**keys, "quantity": quantity, "operation": "multiply", "amount": factor}
    axes = {
        f: a.axes.axis(d).total for f, d in zip(("region", "segment", "subtype"), (1, 2, 3), strict=True)
        if d in QUANTITIES[quantity].dims and f not in keys
    }  # fmt: skip
    more = {"status": "placeholder", "reason": "a test", "source": "TEST"}
    changed = {**axes, **new}

    # what the scenario multiplies itself is multiplied once more, in one row
    def reach(d: dict[str, Any]) -> list[tuple[int, ...]]:
        every = (a.axes.region, a.axes.segment, a.axes.subtype)
        return [tuple(axis.members(d.get(axis.name) or axis.total)) for axis in every]

    same = [
        d for d in own if (d["quantity"], d["operation"]) == (quantity, "multiply") and reach(d) == reach(changed)
    ]  # fmt: skip
    changed["amount"] *= np.prod([d["amount"] for d in same])
    rows = [d for d in own if d not in same] + [changed]
    a = lm_xl.with_scenario(a, "Changed", [{**d, **more} for d in rows])
    return lm_xl.forecast(a, "Changed")


# Handles


def test_a_scenario_of_a_handle_is_the_handle_of_that_scenario(
    small_assumptions: lm_xl.Assumptions,
) -> None:
    tables = list(grids(small_assumptions).values())
    base, high = (call("LM_MODEL", [*tables, s]) for s in ("Base", "High"))
    assert call("LM_SCENARIO", [base, " high "]) == high
    assert call("LM_SCENARIO", [high, "Base"]) == base == call("LM_SCENARIO", [base, "Base"])
    assert call("LM_LIST", ["scenario", call("LM_WHATIF", [high, "lm_risk", 0.5])]) == [["Base"], ["High"]]


@pytest.mark.parametrize("scenario", ["Base", "High"])
@pytest.mark.parametrize(
    ("quantity", "factor", "keys"),
    [
        ("lm_risk", 1.2, {}),
        ("lm_risk", 0.8, {"region": "Germany", "subtype": "Breast"}),
        ("list_price", 3, {"segment": "Therapeutics"}),
        ("care_access", 0.5, {"region": "US"}),
        ("incident_cases", 1.25, {}),
        ("gross_to_net", 0, {}),
    ],
)
def test_a_what_if_is_a_scenario_with_one_more_delta(
    spread: lm_xl.Assumptions,
    handle: str,
    scenario: str,
    quantity: str,
    factor: float,
    keys: dict[str, str],
) -> None:
    of = [keys.get(axis, OMITTED) for axis in ("region", "segment", "subtype")]
    mine = call("LM_WHATIF", [call("LM_SCENARIO", [handle, scenario]), quantity, factor, *of])
    due = what_if(spread, scenario, quantity, factor, **keys)
    years = [[float(y) for y in spread.axes.years]]
    assert call("LM_REVENUE", ["Total market", years, mine])[0] == pytest.approx(
        due.series("risk_adjusted_sales"), rel=SHARE
    )
    for region in ("US", "Germany"):
        assert call("LM_PATIENTS", [region, years, mine, "treated"])[0] == pytest.approx(
            due.series("treated", region), rel=SHARE
        )
    # The order of a scenario and a what-if makes no difference, and the same arguments make the same handle.
    assert call("LM_SCENARIO", [call("LM_WHATIF", [handle, quantity, factor, *of]), scenario]) == mine
    assert mine not in (handle, call("LM_SCENARIO", [handle, scenario]))


def test_what_ifs_follow_one_another(handle: str) -> None:
    once = call("LM_WHATIF", [handle, "list_price", 2.0])
    twice = call("LM_WHATIF", [once, "list_price", 2, OMITTED, "Total market"])
    revenue = [call("LM_REVENUE", ["Total market", 2028, m]) for m in (handle, once, twice)]
    prices = [call("LM_PRICE", ["Scan", "US", 2028, m]) for m in (handle, once, twice)]
    assert prices[1:] == pytest.approx([2 * prices[0], 4 * prices[0]], rel=SHARE)
    assert revenue[0] < revenue[1] < revenue[2]
    assert call("LM_WHATIF", [handle, "list_price", 1]) == handle  # nothing is changed
    assert code("LM_WHATIF", handle, "list_price", True) == VALUE  # also after that
    assert "LM_WHATIF: multiply 2" in call("LM_SOURCE", ["list_price", twice, OMITTED, "Old drug"])


def test_a_sheet_may_have_more_what_ifs_than_are_in_memory(handle: str) -> None:
    factors = [0.5 + i / 1000 for i in range(2 * MOST_MODELS)]
    base = call("LM_REVENUE", ["Total market", 2028, handle])
    made = [call("LM_WHATIF", [handle, "attribution", x]) for x in factors]
    assert len(STORE) <= MOST_MODELS < len(set(made))
    found = [call("LM_REVENUE", ["Total market", 2028, m]) for m in made]
    assert found == pytest.approx([x * base for x in factors], rel=SHARE)
    alone = Store()
    assert alone.get(made[0]) is None  # a process that does not have the assumptions cannot


@pytest.mark.parametrize(
    ("error", "words", "name", "arguments"),
    [
        (VALUE, "unknown scenario 'Hihg': nearest is 'High'", "LM_SCENARIO", ("MODEL", "Hihg")),
        (VALUE, "a blank where a scenario is due", "LM_SCENARIO", ("MODEL", None)),
        (NA, "the model's cell is blank", "LM_SCENARIO", (None, "High")),
        (VALUE, "model is left out", "LM_SCENARIO", (OMITTED, "High")),
        (NA, "is not in memory", "LM_SCENARIO", ("LM1:000000000000:" + lm_xl.__version__, "High")),
        (VALUE, "unknown quantity 'lm_risc': nearest is 'lm_risk'", "LM_WHATIF", ("MODEL", "lm_risc", 2)),
        (VALUE, "outside 0 to 1", "LM_WHATIF", ("MODEL", "care_access", 9)),
        (VALUE, "they must sum to 1", "LM_WHATIF", ("MODEL", "subtype_share", 0.5)),
        (VALUE, "outside 0 to", "LM_WHATIF", ("MODEL", "list_price", -1)),
        (VALUE, "TRUE where a number is due: the factor", "LM_WHATIF", ("MODEL", "lm_risk", True)),
        (VALUE, "'2' where a number is due: the factor", "LM_WHATIF", ("MODEL", "lm_risk", "2")),
        (VALUE, "a blank where a number is due", "LM_WHATIF", ("MODEL", "lm_risk", None)),
        (VALUE, "the number inf where a number", "LM_WHATIF", ("MODEL", "lm_risk", math.inf)),
        (VALUE, "lm_risk does not vary by segment", "LM_WHATIF", ("MODEL", "lm_risk", 2, OMITTED, "Scan")),
        (VALUE, "a range where one region is due", "LM_WHATIF", ("MODEL", "lm_risk", 2, [["US", "Germany"]])),
        (VALUE, "is the same in every scenario", "LM_WHATIF", ("MODEL", "index_year", 1.1)),
        (REF, "there is no planned_launch of", "LM_WHATIF", ("MODEL", "planned_launch", 1.001, OMITTED, "Scan")),
        ("#DIV/0!", "model is the error value", "LM_WHATIF", (CallError("#DIV/0!", ""), "lm_risk", 2)),
        (VALUE, "cannot split by 'regions': nearest is 'region'", "LM_FORECAST", ("revenue", "regions", "MODEL")),
        (VALUE, "'year' is there twice", "LM_FORECAST", ("revenue", "year, YEAR", "MODEL")),
        (VALUE, "a blank where what to split by is due", "LM_FORECAST", ("revenue", [["year", None]], "MODEL")),
        (VALUE, "patients do not vary by company", "LM_FORECAST", ("treated", "company", "MODEL")),
        (VALUE, "patients have no segment", "LM_FORECAST", ("treated", "year", "MODEL", OMITTED, "Scan")),
        (NA, "outside the horizon", "LM_FORECAST", ("revenue", "year", "MODEL", *[OMITTED] * 3, [[2027, 2050]])),
        (VALUE, "patients are no money", "LM_FORECAST", ("treated", "year", "MODEL", *[OMITTED] * 4, "EUR")),
        (VALUE, "unknown currency 'EURO': nearest is 'EUR'", "LM_REVENUE",
         ("Scan", 2027, "MODEL", *[OMITTED] * 3, "EURO")),
        (VALUE, "unknown unit 'millions': nearest is 'million'", "LM_REVENUE",
         ("Scan", 2027, "MODEL", *[OMITTED] * 4, "millions")),
        (VALUE, "patients do not vary by segment", "LM_COMPARE", ("MODEL", OMITTED, "segment", "treated")),
        (VALUE, "is no model", "LM_COMPARE", ("MODEL", "High")),
        (NA, "the model's cell is blank", "LM_BRIDGE", ("MODEL", None)),
        (VALUE, "of different assumptions", "LM_BRIDGE", ("MODEL", "OTHER")),
        (VALUE, "whole number from 1 on is due: n", "LM_TORNADO", (0, "MODEL")),
        (VALUE, "whole number from 1 on is due: n", "LM_TORNADO", (2.5, "MODEL")),
        (VALUE, "TRUE where a number is due: the n", "LM_TORNADO", (True, "MODEL")),
        (NA, "has none before it", "LM_GROWTH", ("revenue", "Global", 2025, "MODEL")),
        (NA, "the year before is 0", "LM_GROWTH", ("revenue", "New drug", 2026, "MODEL")),
        (VALUE, "patients have no segment and no company", "LM_GROWTH", ("treated", "Acme", 2026, "MODEL")),
        (VALUE, "'Acme' is a company where a region is due", "LM_PATIENTS", ("Acme", 2026, "MODEL")),
        (VALUE, "unknown label 'Acne': nearest is 'Acme'", "LM_SHARE", ("revenue", "Acne", 2026, "MODEL")),
        (VALUE, "not within", "LM_SHARE", ("revenue", "Acme", 2026, "MODEL", "Pill set")),
        (VALUE, "no draws are kept of revenue of a company", "LM_PERCENTILE", ("P50", "Acme", 2027, "MODEL")),
        (VALUE, "no draws are kept of treated of a company or a segment", "LM_PERCENTILE",
         ("P50", "Scan", 2027, "MODEL", "treated")),
    ],
)  # fmt: skip
def test_errors_have_one_code_and_words(
    spread: lm_xl.Assumptions, handle: str, error: str, words: str, name: str, arguments: tuple[Any, ...]
) -> None:
    other = STORE.put(Model(dataclasses.replace(spread, changes=()), "Base"))
    named = {"MODEL": handle, "OTHER": other}
    given = [named.get(x, x) if isinstance(x, str) else x for x in arguments]
    assert code(name, *given) == error
    if OMITTED not in given[: sum(a.required for a in FUNCTIONS[name].arguments)]:
        assert words in call("LM_WHY", [name, *given])


# Tables


@pytest.mark.parametrize("metric", ["revenue", "net", "treated", "patients"])
@pytest.mark.parametrize(
    "by", ["year", "region,year", "subtype", "year, Region", "company,year,region", "product,segment"]
)
@pytest.mark.parametrize(
    "of",
    [{}, {"region": "US"}, {"segment": "Total market", "subtype": "Breast"}, {"year": [[2027.0], [2030.0]]}],
)
def test_a_forecast_is_the_frame_of_the_results(
    spread: lm_xl.Assumptions, metric: str, by: str, of: dict[str, Any]
) -> None:
    names = [b.strip().lower() for b in by.split(",")]
    money = metric in ("revenue", "net")
    high = STORE.put(Model(spread, "High"))
    asked = [metric, by, high, *(of.get(x, OMITTED) for x in ("region", "segment", "subtype", "year"))]
    if not money and ("segment" in of or {*names} & {"segment", "company", "product"}):
        assert code("LM_FORECAST", *asked) == VALUE
        return
    results = lm_xl.forecast(spread, "High")
    every = [*names, *(x for x in ("region", "subtype", "year") if x not in names)]
    due = results.frame(
        "revenue" if money else "patients",
        by=every,
        stage="diagnosed" if metric == "patients" or money else metric,
        basis="net" if metric == "net" else "risk_adjusted",
        scope=of.get("segment"),
    )
    for axis in ("region", "subtype"):
        if axis in of:
            found = getattr(spread.axes, axis)
            due = due[due[axis].isin([found.leaves[i] for i in found.members(of[axis])])]
    if "year" in of:
        due = due[due["year"].isin([2027, 2030])]
    keys = ["scenario", *names, "metric", "unit"]
    due = due.groupby(keys, sort=False, as_index=False)["value"].sum()
    mine = frame("LM_FORECAST", *asked)
    assert list(mine.columns) == [*keys, "value"]
    same(mine.sort_values(keys).reset_index(drop=True), due.sort_values(keys))
    if not of:
        whole = results.frame(
            "revenue" if money else "patients",
            by=names,
            stage="diagnosed" if money or metric == "patients" else metric,
            basis="net" if metric == "net" else "risk_adjusted",
        )
        if not money:
            whole["unit"] = "patients"
        same(mine, whole)  # in the same order too


@pytest.mark.parametrize("by", ["region", "segment", "subtype, region"])
def test_a_comparison_is_that_of_python(spread: lm_xl.Assumptions, handle: str, by: str) -> None:
    high, names = STORE.put(Model(spread, "High")), [b.strip() for b in by.split(",")]
    for words, python in (
        ((high, by), lm_xl.compare(spread, "Base", "High").frame(names)),
        ((OMITTED, by), lm_xl.compare(spread, 2025, 2031).frame(names)),
        ((high, by, "net", 2026, 2030, OMITTED, "Total market"),
         lm_xl.compare(spread, "Base 2026", "High 2030").frame(names, basis="net", scope="Total market")),
    ):  # fmt: skip
        same(frame("LM_COMPARE", handle, *words), python)
    us = frame("LM_COMPARE", handle, high, "subtype", "lm_cases", OMITTED, 2028, "US")
    assert us["after"][0] == pytest.approx(
        lm_xl.forecast(spread, "High").patients("US", 2028, "lm_cases", us["subtype"][0]), rel=SHARE
    )


def test_a_bridge_is_that_of_python_and_sums_to_the_difference(
    spread: lm_xl.Assumptions, handle: str
) -> None:
    high = STORE.put(Model(spread, "High"))
    same(frame("LM_BRIDGE", handle, high), lm_xl.bridge(spread, "Base", "High").frame())
    same(
        frame("LM_BRIDGE", handle, OMITTED, "treated", 2026, 2030, "US"),
        lm_xl.bridge(spread, 2026, 2030, "patients", stage="treated", region="US")
        .frame()
        .assign(unit="patients"),
    )
    one = call("LM_WHATIF", [handle, "lm_risk", 0.9])
    two = call("LM_WHATIF", [call("LM_SCENARIO", [one, "High"]), "list_price", 1.3])
    for start, end, years in (
        (handle, one, ()),
        (one, two, ()),
        (one, two, (2026, 2031)),
        (handle, handle, ()),
    ):
        found = frame(
            "LM_BRIDGE", start, end, "gross", *years, *[OMITTED] * (5 - len(years)), "EUR", "million"
        )
        first, last = years or (2031, 2031)
        ends = [
            call("LM_REVENUE", ["Therapeutics", y, m, OMITTED, OMITTED, "gross"]) * 0.8 / 1e6
            for m, y in ((start, first), (end, last))
        ]
        assert found["effect"].sum() == pytest.approx(ends[1] - ends[0], rel=SHARE, abs=1e-6)
        assert found["before"].iloc[0] == pytest.approx(ends[0], rel=SHARE)
        assert set(found["unit"]) == {"EUR million"}
    assert set(found["share"].isna()) == {True}  # of a difference of 0 there is no share


def test_a_tornado_is_that_of_python_and_is_made_once(
    spread: lm_xl.Assumptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    module = lm_xl.forecasts.tornado  # type: ignore[attr-defined]
    real = module.tornado

    def counted(*args: Any, **kwargs: Any) -> Any:
        made.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr(module, "tornado", counted)
    due = lm_xl.tornado(spread, "High", 2029, region="US").frame()
    high = STORE.put(Model(spread, "High"))
    made.clear()
    asked = [high, "revenue", 2029, "US"]
    same(frame("LM_TORNADO", 1000, *asked), due)
    same(frame("LM_TORNADO", 2, *asked), due.head(2))
    euros = frame("LM_TORNADO", 1, *asked, OMITTED, OMITTED, "EUR", "million")
    assert euros["swing"][0] == pytest.approx(due["swing"][0] * 0.8 / 1e6, rel=SHARE)
    assert len(made) == 1 and len(due) > 3


def test_numbers_are_shown_in_a_currency_and_a_unit(handle: str) -> None:
    shown = ["EUR", "thousand"]
    for name, asked in (
        ("LM_REVENUE", ["Ray", 2027, handle, OMITTED, OMITTED, OMITTED]),
        ("LM_COMPANY_REVENUE", ["Acme", 2027, handle, OMITTED, OMITTED, OMITTED]),
        ("LM_TABLE", ["revenue", "US", 2027, handle]),
        ("LM_PRICE", ["Ray", "US", 2027, handle, OMITTED]),
        ("LM_PERCENTILE", ["P50", "Ray", 2027, handle, OMITTED]),
    ):
        plain = np.array(call(name, asked))
        assert plain.all() and np.array(call(name, [*asked, *shown])) == pytest.approx(plain * 0.8 / 1000)
        assert np.array(call(name, [*asked, OMITTED, "one"])) == pytest.approx(plain, rel=0)
    people = call("LM_TABLE", ["treated", "US", 2027, handle, OMITTED, "thousand"])
    assert people == [[pytest.approx(call("LM_PATIENTS", ["US", 2027, handle, "treated"]) / 1000)]] or (
        people == pytest.approx(call("LM_PATIENTS", ["US", 2027, handle, "treated"]) / 1000)
    )
    assert call("LM_LIST", ["currency", handle]) == [["USD"], ["EUR"]]


def test_companies_are_labels(spread: lm_xl.Assumptions, handle: str) -> None:
    results = lm_xl.forecast(spread)
    series = {
        c: results.series("risk_adjusted_sales", None, "Therapeutics", company=c) for c in results.companies
    }
    acme, years = series["Acme"], [[float(y) for y in spread.axes.years[1:]]]
    assert call("LM_TABLE", ["revenue", [["ACME"]], years, handle])[0] == pytest.approx(acme[1:], rel=SHARE)
    assert call("LM_GROWTH", ["revenue", "Acme", years, handle])[0] == pytest.approx(
        acme[1:] / acme[:-1] - 1, rel=SHARE
    )
    assert call("LM_CAGR", ["revenue", "Acme", handle]) == pytest.approx(results.cagr(acme), rel=SHARE)
    shares = [call("LM_SHARE", ["revenue", c, 2030, handle, "Therapeutics"]) for c in series]
    assert sum(shares) == pytest.approx(1, rel=SHARE) and all(x > 0 for x in shares)
    assert call("LM_SHARE", ["revenue", "Acme", 2030, handle, "Acme"]) == 1


def test_percentiles_of_patients_and_of_regions(spread: lm_xl.Assumptions, handle: str) -> None:
    simulated = lm_xl.simulate(spread, scenarios="Base")
    for label, words, of in (
        ("US", [], {"region": "US"}),
        ("US", ["patients"], {"region": "US", "metric": "diagnosed"}),
        ("Breast", ["treated"], {"subtype": "Breast", "metric": "treated"}),
        ("Total market", ["revenue"], {"segment": "Total market"}),
    ):
        for p in (0.1, 0.9):
            due = simulated.percentile(p, 2029, **of)
            assert call("LM_PERCENTILE", [p, label, 2029, handle, *words]) == pytest.approx(due, rel=SHARE)


# Hosts


def test_every_new_function_answers_in_a_workbook(
    spread: lm_xl.Assumptions, handle: str, tmp_path: Path
) -> None:
    path = tmp_path / "book.xlsx"
    book = openpyxl.Workbook()
    ws: Any = book.active
    ws["A1"], ws["A2"], ws["A3"] = handle, '=LM_SCENARIO(A1,"High")', '=LM_WHATIF(A2,"lm_risk",B2,,,"Breast")'
    ws["B2"] = 0.5
    for row, formula in enumerate((
        '=LM_REVENUE("Total market",2030,A3,,,,,"million")',
        '=LM_GROWTH("revenue","Acme",2030,A3)',
        '=SUM(INDEX(LM_BRIDGE(A1,A3),0,4))',
        '=SUM(INDEX(LM_FORECAST("revenue","region",A3,,,,2030),0,5))',
        '=INDEX(LM_COMPARE(A1,A3),4,6)',
        '=INDEX(LM_TORNADO(1,A3),2,9)',
        '=LM_WHY("LM_WHATIF",A1,"lm_risc",2)',
        '=LM_REVENUE("Total market",2030,LM_WHATIF(LM_SCENARIO(A1,"High"),"lm_risk",B2,,,"Breast"),,,,,"million")',
    ), 4):  # fmt: skip
        ws.cell(row, 1).value = formula
    book.save(path)
    headless.recalculate(path)
    shown = [c.value for (c,) in openpyxl.load_workbook(path, data_only=True).active["A1:A11"]]
    high = call("LM_SCENARIO", [handle, "High"])
    changed = call("LM_WHATIF", [high, "lm_risk", 0.5, OMITTED, OMITTED, "Breast"])
    due = what_if(spread, "High", "lm_risk", 0.5, subtype="Breast")
    assert shown[1:3] == [high, changed]
    revenue = due.revenue("Total market", 2030) / 1e6
    assert [shown[3], shown[10]] == pytest.approx([revenue] * 2, rel=SHARE)
    assert shown[4] == pytest.approx(call("LM_GROWTH", ["revenue", "Acme", 2030, changed]), rel=SHARE)
    ends = [r.revenue("Therapeutics", 2031) for r in (lm_xl.forecast(spread), due)]
    assert shown[5] == pytest.approx(ends[1] - ends[0], rel=SHARE)
    assert shown[6] == pytest.approx(due.revenue("Therapeutics", 2030), rel=SHARE)
    assert shown[7] == pytest.approx(ends[1], rel=SHARE)
    assert 0 < shown[8] == pytest.approx(call("LM_TORNADO", [1, changed])[1][8], rel=SHARE)
    assert shown[9].startswith("#VALUE! unknown quantity 'lm_risc'")


def test_vba_can_spell_every_argument() -> None:
    """The reserved identifiers of [MS-VBAL] 3.3.5.2, beside the names of the functions of the module itself."""
    words = (
        "call case close const declare defbool defbyte defcur defdate defdbl defint deflng defobj defsng defstr defvar dim do else elseif end "
        "endif enum erase event exit for friend function get global gosub goto if implements input let lock loop lset next on open option print "
        "private public put raiseevent redim resume return rset seek select set static stop sub type unlock wend while with write rem any as "
        "byref byval each in new shared until withevents optional paramarray preserve spc tab to and eqv imp is like mod not or xor typeof abs "
        "cbool cbyte ccur cdate cdbl cdec cint clng csng cstr cvar cverr date debug doevents fix int len lenb me pset scale sgn string array "
        "circle inputb lbound ubound boolean byte currency double integer long longlong longptr object single variant true false nothing empty "
        "null attribute linput vb_name"
    )
    reserved = set(words.split())
    for function in FUNCTIONS.values():
        names = [com.argument_name(a).casefold() for a in function.arguments]
        assert not reserved & set(names) and len(names) == len(set(names)), function.name


ODD = st.sampled_from(
    [
        None, "", " ", 0, 1, True, False, -1, 2030, 2030.0, "2030", 2027.5, 45000, 1e300, -1e300, math.nan, math.inf, 10**400, "P50", 0.5, "x" * 300,
        "US", " germany ", "Global", "Breast", "Scan", "Ray", "Therapeutics", "Acme", "High", "Base", "revenue", "treated", "net", "lm_risk", "EUR",
        "million", "region,year", "company", "region", ",", "#N/A", "#DIV/0!", "LM1:000000000000:0.1.0", "=1", "\x1a", "Glo\u00a0bal", OMITTED,
        dt.date(2030, 1, 1), dt.datetime(2030, 1, 1, 12), dt.time(1), decimal.Decimal(2030), fractions.Fraction(1, 2), 1 + 2j, b"US", object(),
        np.int64(2030), np.float32(0.5), np.bool_(True), np.str_("US"), np.datetime64("2030-01-01"), np.array([2027, 2028]), np.zeros((0, 0)),
        pd.NA, pd.NaT, pd.Timestamp(2030, 1, 1), pd.DataFrame({"quantity": ["x"]}), pd.Series([2027]), {}, set(), {"US": 1}, (), [], [[]], [[], [1]],
        [["US"], ["Utopia"]], [[2027.0, "x", None]], [[CallError("#REF!", "")]], CallError("#NUM!", ""), [["US", 2030], [True]], range(2026, 2028),
        lambda: 1, int, [[["US"]]], [None], [np.array([1, 2])],
    ]
)  # fmt: skip
RIGHT = {
    "year": [2027, 2031.0, [[2026.0, 2028.0]]],
    "region": ["US", "Global"],
    "segment": ["Ray", "Therapeutics"],
    "subtype": ["Breast", "Lung"],
    "label": ["US", "Acme", "Ray", [["US"], ["Breast"]]],
    "company": ["Acme"],
    "metric": ["revenue", "treated", "gross"],
    "percentile_metric": ["revenue", "patients"],
    "stage": ["treated"],
    "basis": ["net"],
    "price_basis": ["gross"],
    "quantity": ["lm_risk", "care_access", "list_price", "planned_launch"],
    "axis": ["region", "currency"],
    "scenario": ["High"],
    "number": [0.9, 1, 1.1],
    "count": [1, 3],
    "by": ["region", "segment,region", [["year", "region"]]],
    "percentile": ["P10", 0.5],
    "currency": ["EUR", "USD"],
    "unit": ["million"],
    "function": ["LM_PATIENTS", "LM_BRIDGE", "LM_WHY"],
    "any": ["US", 2030],
    "tables": [[["quantity"], ["lm_risk"]]],
}


@pytest.fixture(scope="module")
def adapters() -> dict[str, dict[str, Callable[..., Any]]]:
    return {
        "Python": {name: getattr(lm_xl, name) for name in FUNCTIONS},
        "Excel on Windows": {name: getattr(com, name) for name in FUNCTIONS},
        "xlwings Lite": {name: lite.as_lite_function(f) for name, f in FUNCTIONS.items()},
        "formualizer": {name: headless._callback(name) for name in FUNCTIONS},
    }


def plain(value: Any) -> Any:
    """An answer of a host as a cell shows it."""
    if isinstance(value, dict):
        return headless._KINDS[value["kind"]]
    if isinstance(value, list):
        return [[plain(x) for x in row] for row in value]
    return value.code if isinstance(value, CallError) else value


def from_sheet(value: Any) -> bool:
    """Whether a sheet could hand an argument over: a cell, or a rectangle of them."""
    cells = (str, float, int, bool, type(None))
    if not isinstance(value, list):
        return type(value) in cells[:-1] and not (type(value) in (int, float) and abs(value) > 1e308)
    return bool(value) and all(
        isinstance(row, list) and len(row) == len(value[0]) > 0 and all(type(x) in cells for x in row)
        for row in value
    )


@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
def test_no_arguments_raise_anything_but_an_error_of_the_functions(
    name: str, adapters: Any, handle: str, data: st.DataObject
) -> None:
    function, given = FUNCTIONS[name], []
    for a in function.arguments:
        model = st.sampled_from([handle, handle, call("LM_SCENARIO", [handle, "High"])])
        right = model if a.kind in ("model", "handle") else st.sampled_from(RIGHT[a.kind])
        given.append(data.draw(st.one_of(right, right, right, ODD), label=a.name))
    given = (
        given[: data.draw(st.integers(0, len(given)), label="arguments")]
        if data.draw(st.booleans())
        else given
    )
    answers = []
    for host, functions in adapters.items():
        if host == "Python":
            # Whatever else is raised fails the test.
            with suppress(CallError):
                functions[name](*given)
        elif all(map(from_sheet, given)):
            rows = [x if isinstance(x, list) else [[x]] for x in given]
            answers.append(plain(functions[name](*(given if host == "formualizer" else rows))))
    if name != "LM_VERSION":  # which names the host
        assert len(answers) < 2 or all(repr(x) == repr(answers[0]) for x in answers[1:]), answers
