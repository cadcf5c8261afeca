"""The Excel functions: one meaning in every host, true errors with words, and the templates that they fill."""

from __future__ import annotations

import dataclasses
import math
import re
import subprocess
import threading
import zipfile
from collections import Counter
from collections.abc import Callable
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
from openpyxl.worksheet.formula import ArrayFormula
from packages import differing

import lm_xl
from lm_xl import CallError
from lm_xl.cli.app import cli
from lm_xl.faults import Fault, Refused
from lm_xl.functions import answers as calls
from lm_xl.functions import com, handles, headless, lite, reference
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.formulas import LEFT_OUT, STANDING, Surroundings, completed
from lm_xl.functions.models import STORE, Model, Store
from lm_xl.functions.registry import FUNCTIONS
from lm_xl.functions.template.build import template
from lm_xl.functions.template.control import CONTROL, FIGURES_AT, MODEL_ROW, VERSION_ROW
from lm_xl.functions.template.dashboard import CHOICES
from lm_xl.functions.template.examples import SLOW
from lm_xl.functions.template.what_if import BRIDGE_ROW, CHANGED, FACTOR, REVENUE_ROW, WHAT_IF
from lm_xl.workbook.plan.front.markets import THERAPY
from lm_xl.workbook.plan.records import records_of
from lm_xl.workbook.words.prose import text

ROOT = Path(lm_xl.__file__).parent.parent
SHIPPED = {
    "windows": ROOT / "workbooks" / "lm_template.xlsm",
    "lite": ROOT / "workbooks" / "lm_template_lite.xlsx",
}
NA, VALUE, REF = "#N/A", "#VALUE!", "#REF!"


@pytest.fixture(scope="module")
def handle(small_assumptions: lm_xl.Assumptions) -> str:
    return str(call("LM_MODEL", list(grids(small_assumptions).values())))


def code(name: str, *arguments: Any) -> str:
    with pytest.raises(CallError) as raised:
        call(name, arguments)
    assert str(raised.value), "an error without words"
    return raised.value.code


# What they answer


def test_each_function_answers_what_the_forecast_says(
    small_assumptions: lm_xl.Assumptions, handle: str
) -> None:
    results, axes = lm_xl.forecast(small_assumptions), small_assumptions.axes
    region, therapy, year = axes.region.leaves[1], axes.segment.leaves[0], axes.years[3]
    assert call("LM_PATIENTS", ["Global", year, handle]) == pytest.approx(
        results.patients("Global", year), rel=1e-12
    )
    assert call("LM_PATIENTS", [region, year, handle, "lm_cases", "Breast"]) == pytest.approx(
        results.patients(region, year, "lm_cases", "Breast"), rel=1e-12
    )
    revenue = results.revenue(therapy, year, region, "EGFR lung", "net")
    assert call("LM_REVENUE", [therapy, year, handle, region, "EGFR lung", "net"]) == pytest.approx(
        revenue, rel=1e-12
    )
    block = call(
        "LM_TABLE", ["revenue", [[region], ["Breast"], [therapy]], [[float(y) for y in axes.years]], handle]
    )
    assert np.allclose(
        block,
        [
            results.series("risk_adjusted_sales", **of)
            for of in (
                {"region": region, "segment": axes.headline},
                {"subtype": "Breast", "segment": axes.headline},
                {"segment": therapy},
            )
        ],
        rtol=1e-12,
    )
    of_company = call(
        "LM_COMPANY_REVENUE",
        [[["acme"], ["Acme; Zenith"], ["Acne"]], year, handle, region, "Therapeutics", "net"],
    )
    assert [row[0] for row in of_company[:2]] == pytest.approx(
        [
            results.revenue("Therapeutics", year, region, basis="net", company=company)
            for company in ("Acme", "Acme; Zenith")
        ],
        rel=1e-12,
    )
    assert str(of_company[2][0]).startswith("unknown company 'Acne': nearest is 'Acme'")
    companies = call("LM_LIST", ["company", handle])
    assert [x for row in call("LM_COMPANY_REVENUE", [companies, year, handle]) for x in row] == pytest.approx(
        [results.revenue("Therapeutics", year, company=company) for (company,) in companies], rel=1e-12
    )
    share = results.revenue(therapy, year) / results.revenue("Therapeutics", year)
    assert call("LM_SHARE", ["revenue", therapy, year, handle, "Therapeutics"]) == pytest.approx(
        share, rel=1e-12
    )
    assert call("LM_CAGR", ["diagnosed", region, handle]) == pytest.approx(
        results.cagr(results.series("diagnosed", region)), rel=1e-12
    )
    price = results.outputs["gross_price"][0, 1, 0, 0, 3]
    assert call("LM_PRICE", [therapy, region, year, handle, "gross"]) == pytest.approx(price, rel=1e-12)
    assert (
        call("LM_ASSUMPTION", ["treatment_rate", year, handle, region, OMITTED, "Other lung"])
        == small_assumptions.base["treatment_rate"][0, 1, 0, 2, 3]
    )
    assert "TEST: Numbers made up for a test" in call(
        "LM_SOURCE", ["lm_risk", handle, region, OMITTED, "Other lung"]
    )
    assert call("LM_LIST", ["scenario", handle]) == [["Base"], ["High"]]
    assert [y for (y,) in call("LM_LIST", ["year", handle])] == list(axes.years)
    assert call("LM_VERSION", []) == f"lm_xl {lm_xl.__version__}, Python"


def test_the_scenario_is_part_of_the_model(small_assumptions: lm_xl.Assumptions, handle: str) -> None:
    tables = list(grids(small_assumptions).values())
    high = call("LM_MODEL", [*tables, " high "])
    assert high != handle == call("LM_MODEL", [*tables, "Base"])
    expected = lm_xl.forecast(small_assumptions, "High").revenue("Total market", 2027)
    assert call("LM_REVENUE", ["Total market", 2027, high]) == pytest.approx(expected, rel=1e-12)
    assert "scenario 'High': multiply 1.3" in call(
        "LM_SOURCE", ["lm_risk", high, "US", OMITTED, small_assumptions.axes.subtype.leaves[0]]
    )
    assert code("LM_MODEL", *tables, "Hihg") == VALUE


def test_the_order_of_tables_and_rows_makes_no_other_model(
    small_assumptions: lm_xl.Assumptions, handle: str
) -> None:
    tables = [
        [t[0], *reversed(t[1:])] if name == "Epidemiology" else t
        for name, t in grids(small_assumptions).items()
    ]
    assert call("LM_MODEL", tables[::-1]) == handle
    reworded = grids(small_assumptions)
    reworded["Sources"][1][1] = "Another citation"
    assert call("LM_MODEL", list(reworded.values())) != handle


def test_assumptions_take_ranges_and_leave_labels_out(handle: str) -> None:
    care = [call("LM_ASSUMPTION", ["care_access", 2027, handle, r]) for r in ("US", "Germany")]
    assert call("LM_ASSUMPTION", ["care_access", [[2025.0], [2027.0]], handle, "US"]) == [
        [care[0]],
        [care[0]],
    ]
    assert call("LM_ASSUMPTION", ["care_access", 2027, handle, [["US", "Germany", "Utopia"]]])[0][:2] == care
    assert call("LM_SOURCE", ["list_price", handle, OMITTED, [["New drug"], ["Scan"]]]) == [
        [call("LM_SOURCE", ["list_price", handle, OMITTED, s])] for s in ("New drug", "Scan")
    ]


def test_a_wrong_cell_spoils_itself_alone(handle: str) -> None:
    growth = call(
        "LM_CAGR",
        ["revenue", [["Global"], ["Utopia"], ["New drug"]], handle, [[2025.0, 2026.0, 2031.0]], 2030],
    )
    assert [[getattr(x, "code", "number") for x in row] for row in growth] == [
        ["number", "number", VALUE],  # 2031 is after 2030
        [VALUE] * 3,
        [NA, NA, VALUE],  # nothing is sold yet
    ]
    people = call("LM_SHARE", ["patients", [["US"], ["Scan"]], 2027, handle])
    assert isinstance(people[0][0], float) and people[1][0].code == VALUE


def test_a_share_is_of_what_holds_the_label(handle: str) -> None:
    shares = call(
        "LM_SHARE",
        ["revenue", [["New drug"], ["Global"], ["US"], ["Therapeutics"]], 2030, handle, "Therapeutics"],
    )
    assert [getattr(x, "code", "number") for (x,) in shares] == ["number", VALUE, VALUE, "number"]
    assert shares[3] == [1] and 0 < shares[0][0] < 1
    assert (
        0 < call("LM_SHARE", ["revenue", "Breast", 2030, handle, "Total market"]) < 1
    )  # a total of any axis holds all


@pytest.mark.parametrize(
    ("error", "name", "arguments"),
    [
        (VALUE, "LM_PATIENTS", ("Globall", 2027)),
        (VALUE, "LM_PATIENTS", (None, 2027)),
        (VALUE, "LM_PATIENTS", ("", 2027)),
        (VALUE, "LM_PATIENTS", (2027, "Global")),
        (VALUE, "LM_PATIENTS", ("Breast", 2027)),
        (VALUE, "LM_PATIENTS", ("Global", True)),
        (VALUE, "LM_PATIENTS", ("Global", 2027.5)),
        (VALUE, "LM_PATIENTS", ("Global", None)),
        (NA, "LM_PATIENTS", ("Global", 2024)),
        (NA, "LM_PATIENTS", ("Global", 2032)),
        ("#DIV/0!", "LM_PATIENTS", (CallError("#DIV/0!", "x"), 2027)),
        (NA, "LM_PATIENTS", ("Global", "#N/A")),
        (VALUE, "LM_REVENUE", ("Scan", 2027, "MODEL", None)),
        (VALUE, "LM_SHARE", ("patients", "Scan", 2027)),
        (VALUE, "LM_CAGR", ("revenue", "Global", "MODEL", 2028, 2026)),
        (NA, "LM_CAGR", ("revenue", "New drug", "MODEL")),
        (VALUE, "LM_PRICE", ("Therapeutics", "US", 2027)),
        (REF, "LM_ASSUMPTION", ("base_share", 2027, "MODEL", "US", "Other drug", "Other lung")),
        (VALUE, "LM_ASSUMPTION", ("base_share", 2027, "MODEL", "US", "Other drug")),
        (VALUE, "LM_ASSUMPTION", ("care_access", 2027, "MODEL", "Global")),
        (VALUE, "LM_LIST", ("regions",)),
        (VALUE, "LM_PERCENTILE", (0, "Therapeutics", 2027)),
        (VALUE, "LM_PERCENTILE", (0.955, "Therapeutics", 2027)),
        (VALUE, "LM_PERCENTILE", (True, "Therapeutics", 2027)),
        (VALUE, "LM_PERCENTILE", (None, "Therapeutics", 2027)),
        (VALUE, "LM_PERCENTILE", ("P100", "Therapeutics", 2027)),
        (VALUE, "LM_PATIENTS", ("Global",)),
    ],
)
def test_errors_have_one_code_and_words(
    handle: str, error: str, name: str, arguments: tuple[Any, ...]
) -> None:
    at = [a.name for a in FUNCTIONS[name].arguments].index("model")
    given_model = [handle if x == "MODEL" else x for x in arguments]
    if len(given_model) == at:
        given_model.append(handle)
    assert code(name, *given_model) == error
    assert call("LM_WHY", [name, *given_model]).startswith(error)


def test_models_that_are_not_there_are_never_another_model(handle: str) -> None:
    assert code("LM_PATIENTS", "Global", 2027, "LM1:000000000000:" + lm_xl.__version__) == NA
    assert code("LM_PATIENTS", "Global", 2027, handle.rpartition(":")[0] + ":9.9") == NA
    assert code("LM_PATIENTS", "Global", 2027, None) == NA
    assert code("LM_PATIENTS", "Global", 2027, "Model") == VALUE
    assert code("LM_PATIENTS", "Global", 2027) == NA  # no workbook behind the call


def test_the_store_is_bounded_and_forgets_the_least_used(small_assumptions: lm_xl.Assumptions) -> None:
    store = Store(most=2)
    models = [Model(small_assumptions, s) for s in ("Base", "High")]
    first, second = (store.put(m) for m in models)
    assert store.get(first) is models[0]
    others = [dataclasses.replace(small_assumptions, **{x: ()}) for x in ("changes", "bands")]
    third = store.put(Model(others[0], "Base"))
    assert len(store) == 2 and store.get(first) is models[0]
    again = store.get(second)
    assert again is not models[1] and again is not None and again.handle == second  # made of the first
    store.put(Model(others[0], "Base"))
    store.put(Model(others[1], "Base"))
    assert len(store) == 2 and store.get(first) is store.get(second) is None
    assert store.get(third) is not None


def test_two_workbooks_and_many_threads_get_their_own_numbers(small_assumptions: lm_xl.Assumptions) -> None:
    tables = list(grids(small_assumptions).values())
    expected = {s: lm_xl.forecast(small_assumptions, s) for s in ("Base", "High")}
    wrong: list[Any] = []

    def work(scenario: str) -> None:
        for year in (2025, 2027, 2031) * 20:
            mine = call("LM_MODEL", [*tables, scenario])
            number = call("LM_PATIENTS", ["Global", year, mine])
            if not math.isclose(number, expected[scenario].patients("Global", year), rel_tol=1e-12):
                wrong.append((scenario, year, number))

    threads = [threading.Thread(target=work, args=(s,)) for s in ("Base", "High") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Tables with faults


def test_tables_from_a_sheet_go_through_the_checks_of_a_file(small_assumptions: lm_xl.Assumptions) -> None:
    tables = grids(small_assumptions)
    at = tables["Epidemiology"][0].index("value")
    row = next(i for i, r in enumerate(tables["Epidemiology"]) if r[0] == "lm_risk")
    tables["Epidemiology"][row][at] = 1.5
    tables["Diagnosis"][2][0] = "test_usee"
    del tables["Pricing"]
    with pytest.raises(CallError) as raised:
        call("LM_MODEL", list(tables.values()))
    words = str(raised.value).splitlines()
    assert f"Epidemiology, row {row + 1}, value: 1.5 (share) is outside 0 to 1" in words
    assert "Diagnosis, row 3, quantity: 'test_usee' is no quantity: nearest is 'test_use'" in words
    assert "Pricing: the table 'Pricing' is not among the arguments" in words
    assert call("LM_WHY", ["LM_MODEL", *tables.values()]) == f"{VALUE} {raised.value}"
    assert code("LM_MODEL", *tables.values(), *list(tables.values())[:1]) == VALUE
    assert (
        code("LM_MODEL", [["nothing"], ["here"]])
        == code("LM_MODEL")
        == code("LM_MODEL", 5.0, "Base")
        == VALUE
    )
    error = grids(small_assumptions)
    error["Treatment"][3][error["Treatment"][0].index("value")] = CallError("#DIV/0!", "")
    assert "row 4, value: the error value #DIV/0!" in call("LM_WHY", ["LM_MODEL", *error.values()])


# One meaning in every host

YEARS = st.sampled_from(
    [2025, 2028.0, "2028", " 2031 ", 2024, 2032, 45000, 0, 2028.5, True, None, "", "28", "year", -1, 1e300]
)
REGIONS = st.sampled_from(
    [
        "US",
        " us ",
        "GERMANY",
        "Global",
        "Glo bal",
        "Globаl",
        "US\u00a0",
        "",
        None,
        0,
        True,
        2028,
        "Breast",
        "=US",
        "US;Germany",
        "x" * 300,
    ]
)
ERROR = st.sampled_from(["#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#REF!", "#NULL!", "#NUM!"])


@pytest.fixture(scope="module")
def due(small_assumptions: lm_xl.Assumptions) -> Callable[[Any, Any], float | str]:
    """What LM_PATIENTS of a region and a year must give, said a second time and simply."""
    results = lm_xl.forecast(small_assumptions)
    labels = {x.casefold(): x for x in results.axes.region.labels}

    def expected(region: Any, year: Any) -> float | str:
        if isinstance(region, str) and region.startswith("#"):
            return region
        if not isinstance(region, str) or region.strip().casefold() not in labels:
            return VALUE
        if isinstance(year, str) and year.startswith("#"):
            return year
        if isinstance(year, str):
            year = int(year) if re.fullmatch(r"\s*\d{4}\s*", year) else None
        if isinstance(year, bool) or year is None or not 1000 <= year <= 9999 or year != int(year):
            return VALUE
        return results.patients(labels[region.strip().casefold()], int(year)) if 2025 <= year <= 2031 else NA

    return expected


@pytest.fixture(scope="module")
def hosts(handle: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[[Any, Any], Any]]:
    """LM_PATIENTS of one region and year in each host, as a number or an error's code."""
    path = tmp_path_factory.mktemp("hosts") / "book.xlsx"
    book = openpyxl.Workbook()
    ws: Any = book.active
    ws.title = "S"
    ws["D1"], ws["E1"] = "=LM_PATIENTS(A1,B1,C1)", '=LM_WHY("LM_PATIENTS",A1,B1,C1)'
    ws["C1"] = handle
    book.save(path)
    workbook = headless.open_workbook(path)

    def in_formualizer(region: Any, year: Any) -> Any:
        for column, value in ((1, region), (2, year)):
            if isinstance(value, str) and value.startswith("#"):
                workbook.set_formula(
                    "S", 1, column, {"#N/A": "=NA()", "#DIV/0!": "=1/0"}.get(value, f"={value}")
                )
            elif isinstance(value, str) and value.startswith("="):
                workbook.set_value("S", 1, column, "'" + value)
            else:
                workbook.set_value("S", 1, column, value)
        workbook.evaluate_all()
        got, why = workbook.get_value("S", 1, 4), workbook.get_value("S", 1, 5)
        got = headless._stored_value(got)
        assert bool(why) == isinstance(got, CallError), (region, year, why)
        return got.code if isinstance(got, CallError) else got

    def in_python(region: Any, year: Any) -> Any:
        try:
            return lm_xl.LM_PATIENTS(region, year, handle)
        except CallError as error:
            return error.code

    patients = lite.as_lite_function(FUNCTIONS["LM_PATIENTS"])
    codes = {text: number for number, text in com._TEXTS.items()}

    def in_excel(region: Any, year: Any) -> Any:
        cells = [codes.get(x, x) if isinstance(x, str) else x for x in (region, year)]
        return com.LM_PATIENTS([[cells[0]]], [[cells[1]]], [[handle]])  # type: ignore[attr-defined]

    return {
        "Excel on Windows": in_excel,
        "Python": in_python,
        "formualizer": in_formualizer,
        "xlwings Lite": lambda r, y: patients([[r]], [[y]], [[handle]]),
    }


@given(region=REGIONS | ERROR, year=YEARS | ERROR)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_host_gives_the_same_answer(due: Any, hosts: dict[str, Any], region: Any, year: Any) -> None:
    expected = due(region, year)
    for name, host in hosts.items():
        got = host(region, year)
        assert got == expected or got == pytest.approx(expected, rel=1e-12), (name, region, year)


@given(st.lists(REGIONS | ERROR, min_size=1, max_size=4), st.lists(YEARS | ERROR, min_size=1, max_size=4))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_block_is_its_cells(due: Any, handle: str, regions: list[Any], years: list[Any]) -> None:
    if len(regions) == len(years) == 1:
        return
    try:
        block = call("LM_PATIENTS", [[[r] for r in regions], [years], handle])
    except CallError as error:  # a single wrong argument spoils the whole block
        block = [[error for _ in years] for _ in regions]
    for region, row in zip(regions, block, strict=True):
        for year, got in zip(years, row, strict=True):
            got = got.code if isinstance(got, CallError) else pytest.approx(got, rel=1e-12)
            assert got == due(region, year) or {got, due(region, year)} <= {VALUE, NA, region, year}, (
                region,
                year,
            )
            assert isinstance(got, str) == isinstance(due(region, year), str), (region, year)


def test_ranges_that_do_not_fit_are_refused(handle: str) -> None:
    assert code("LM_PATIENTS", [["US"], ["Germany"]], [[2025.0], [2026.0], [2027.0]], handle) == VALUE
    both = call("LM_PATIENTS", [[["US"], ["Germany"]], [[2025.0], [2026.0]], handle])
    assert len(both) == 2 and len(both[0]) == 1
    assert call("LM_PATIENTS", [[["US"]], [[2025.0]], [[handle]]]) == call(
        "LM_PATIENTS", ["US", 2025, handle]
    )


# Python


def test_plain_functions_take_lists_frames_and_names(
    small_path: Path, small_assumptions: lm_xl.Assumptions
) -> None:
    sheets = pd.read_excel(small_path, sheet_name=None, header=4, engine="openpyxl", dtype=object)
    mine = lm_xl.LM_MODEL(*(sheets[name] for name in records_of(small_assumptions)[0]), "High")
    results = lm_xl.forecast(small_assumptions, "High")
    block = lm_xl.LM_PATIENTS(["US", "Germany"], [2025, 2027, 2029], model=mine, stage="treated")
    assert block.shape == (2, 3)
    assert block[1, 2] == pytest.approx(results.patients("Germany", 2029, "treated"), rel=1e-12)
    with pytest.raises(CallError, match="unknown region 'Germanyy': nearest is 'Germany'"):
        lm_xl.LM_PATIENTS(["US", "Germanyy"], 2025, mine)
    with pytest.raises(CallError, match="missing a required argument: 'year'"):
        lm_xl.LM_PATIENTS("US")
    assert "Raises CallError" in str(lm_xl.LM_PATIENTS.__doc__)


@pytest.mark.parametrize("page", ["python.md", "headless.md"])
def test_the_code_of_the_docs_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_template.xlsm").write_bytes(SHIPPED["windows"].read_bytes())
    (tmp_path / "my_assumptions.xlsx").write_bytes((ROOT / "workbooks" / "lm_assumptions.xlsx").read_bytes())
    blocks = re.findall(
        r"^```python\n(.*?)^```$",
        (ROOT / "docs" / page).read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert blocks
    space: dict[str, Any] = {}
    for block in blocks:
        exec(block, space)


def test_two_arguments_answer_from_the_shipped_base_case(shipped: lm_xl.Assumptions) -> None:
    assert lm_xl.LM_PATIENTS("Europe", 2030) == pytest.approx(
        lm_xl.forecast(shipped).patients("Europe", 2030), rel=1e-12
    )
    assert lm_xl.LM_REVENUE("Therapeutics", 2030) == pytest.approx(
        lm_xl.forecast(shipped).revenue("Therapeutics", 2030), rel=1e-12
    )


def test_the_reference_is_made_from_the_declarations() -> None:
    assert (ROOT / "docs" / "functions.md").read_text(encoding="utf-8") == reference.reference_page()
    for function in FUNCTIONS.values():
        assert len(function.meaning) <= 255 and all(len(a.help) <= 255 for a in function.arguments)


# Without Excel


@pytest.fixture(scope="module")
def small_template(small_assumptions: lm_xl.Assumptions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "small.xlsx"
    template(small_assumptions, path, host="lite")
    return path


def test_recalculation_changes_values_and_nothing_else(small_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "copy.xlsx"
    path.write_bytes(small_template.read_bytes())
    headless.recalculate(path)
    again = path.read_bytes()
    with zipfile.ZipFile(small_template) as before, zipfile.ZipFile(path) as after:
        assert before.namelist() == after.namelist()
        for part in before.namelist():
            if not part.startswith("xl/worksheets/sheet"):
                assert before.read(part) == after.read(part), part
            else:
                formulas = [re.findall(rb"<f[ >].*?</f>", p.read(part)) for p in (before, after)]
                assert formulas[0] == formulas[1], part
    headless.recalculate(path)
    assert path.read_bytes() == again


def test_calls_may_leave_arguments_out(
    small_assumptions: lm_xl.Assumptions, handle: str, tmp_path: Path
) -> None:
    def filled_in(formula: str, *names: str) -> str:
        around = Surroundings({("", name): "Sheet!$A$1" for name in names})
        return completed(formula, ("Sheet", 1, 1), around)

    assert filled_in('=LM_REVENUE("A",2030)+SUM(1,2)', "model") == '=LM_REVENUE("A",2030,Sheet!$A$1)+SUM(1,2)'
    assert filled_in("=LM_PATIENTS(A1,IF(B1=1,2,3))") == "=LM_PATIENTS(A1,IF(B1=1,2,3))"
    standing = f'"{STANDING}",Sheet!$A$1'
    assert filled_in('=LM_WHY(A1,"region",,2)', "model") == f'=LM_WHY(A1,"region","{LEFT_OUT}",2,{standing})'
    # The year is missing, not the model.
    assert filled_in('=LM_PATIENTS("US")', "model") == '=LM_PATIENTS("US")'
    path = tmp_path / "two.xlsx"
    book = openpyxl.Workbook()
    ws: Any = book.active
    ws["A1"], ws["A2"], ws["A3"] = handle, '=LM_PATIENTS("US",2027)', '=LM_PATIENTS("US",2027,,,"Breast")'
    ws["A4"], ws["A5"] = '=LM_PATIENTS("US",2027,,B9)', "=SUM(A2:A4)"
    book.defined_names["Model"] = openpyxl.workbook.defined_name.DefinedName("Model", attr_text="Sheet!$A$1")
    book.save(path)
    done = headless.recalculate(path)
    results, ws = lm_xl.forecast(small_assumptions), openpyxl.load_workbook(path, data_only=True).active
    assert ws["A2"].value == pytest.approx(results.patients("US", 2027), rel=1e-12)
    assert ws["A3"].value == pytest.approx(results.patients("US", 2027, subtype="Breast"), rel=1e-12)
    assert (
        ws["A4"].value == ws["A5"].value == VALUE
    )  # a blank cell is not an argument left out, and SUM sees the error
    assert dict(done.errors) == {"Sheet!A4": VALUE, "Sheet!A5": VALUE}


def test_a_block_that_fails_or_is_small_shows_it_in_every_cell(handle: str, tmp_path: Path) -> None:
    path = tmp_path / "blocks.xlsx"
    book = openpyxl.Workbook()
    ws: Any = book.active
    ws["A1"], ws["A2"], ws["A3"], ws["B1"], ws["C1"] = handle, "US", "Utopia", 2027, 2028
    for area, formula in {
        "B5:C6": "=LM_PATIENTS(A2:A3,B1:C1,A1)",  # one label is wrong
        "B8:C9": '=LM_PATIENTS("US",2027,"no model")',
        "B11:C12": '=LM_PATIENTS("US",2027,A1)',
        "B14:D15": "=LM_PATIENTS(A2,B1:C1,A1)",
        "B17:C18": "=SUM(B8:C9)",
    }.items():
        ws[area.split(":")[0]] = ArrayFormula(area, formula)
    book.save(path)
    errors = headless.recalculate(path).errors
    shown = openpyxl.load_workbook(path, data_only=True).active
    us = shown["B11"].value
    assert us > 0 and [[c.value for c in row] for row in shown["B11:C12"]] == [[us, us]] * 2
    assert [c.value for c in shown["B5:C6"][1]] == [VALUE] * 2 and shown["B5"].value == us
    for area in ("B8:C9", "B17:C18"):
        assert {c.value for row in shown[area] for c in row} == {VALUE}
    assert [[c.value for c in row][2] for row in shown["B14:D15"]] == [NA] * 2 and shown["B15"].value == us
    assert len(errors) == 2 + 4 + 4 + 2


def test_what_is_no_workbook_of_ours_is_refused_and_stays(tmp_path: Path, handle: str) -> None:
    path = tmp_path / "book.xlsx"
    book = openpyxl.Workbook()
    book["Sheet"]["A1"], book["Sheet"]["A2"] = handle, '=LM_PATIENTS("US",2027,A1)'
    book.save(path)
    with zipfile.ZipFile(path) as package, zipfile.ZipFile(tmp_path / "damaged.xlsx", "w") as damaged:
        for name in package.namelist():
            damaged.writestr(name, package.read(name)[: -20 if name.endswith("sheet1.xml") else None])
    for name in ("book.xls", "book"):
        (tmp_path / name).write_bytes(path.read_bytes())
    book["Sheet"]["A2"] = "=1+1"
    book.save(tmp_path / "plain.xlsx")
    for name, why in {
        "missing.xlsx": "there is no such file", "book.xls": "is no workbook by its name: allowed .xlsx and .xlsm", "book": "is no workbook by its name",
        "damaged.xlsx, Sheet": "holds broken XML", "plain.xlsx": "holds none of our functions",
    }.items():  # fmt: skip
        with pytest.raises(Refused, match=re.escape(f"{name}: {why}")):
            headless.recalculate(tmp_path / name.split(",")[0])
    path.chmod(0o440)
    with pytest.raises(Refused, match=r"book\.xlsx: is read-only"):
        headless.recalculate(path)
    path.chmod(0o640)
    owner = tmp_path / "~$book.xlsx"
    owner.touch()
    with pytest.raises(Refused, match=r"book\.xlsx: is open in another program"):
        headless.recalculate(path)
    owner.unlink()
    link = tmp_path / "link.xlsx"
    link.symlink_to(path)
    headless.recalculate(link)
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    assert openpyxl.load_workbook(path, data_only=True)["Sheet"]["A2"].value > 0


def test_the_command_tells_of_cells_with_errors(small_template: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    path = tmp_path / "edited.xlsx"
    book = openpyxl.load_workbook(small_template)
    book["Functions"].cell(6 + len(FUNCTIONS) + 2, 3).value = "Globall"
    book.save(path)
    run = CliRunner().invoke(cli, ["recalc", str(path)])
    assert run.exit_code == 3
    assert "#VALUE!" in run.output and "LM_WHY tells why" in run.output
    why = (
        openpyxl.load_workbook(path, data_only=True)["Functions"]
        .cell(6 + list(FUNCTIONS).index("LM_WHY"), 3)
        .value
    )
    assert str(why).startswith("#VALUE! unknown region 'Globall': nearest is 'Global'")


# The templates that ship


def function_blocks(path: Path) -> list[tuple[str, int, int, int, int]]:
    """Sheet, first row and column, rows and columns of each array formula with our functions."""
    found = []
    for ws in openpyxl.load_workbook(path).worksheets:
        for row in ws.iter_rows():
            for cell in row:
                if isinstance(cell.value, ArrayFormula) and "LM_" in cell.value.text:
                    left, top, right, bottom = openpyxl.utils.range_boundaries(cell.value.ref)
                    if (left, top) != (right, bottom):
                        found.append((ws.title, top, left, bottom - top + 1, right - left + 1))
    return found


def choose(workbook: Any, name: str, value: str) -> None:
    workbook.set_value("Dashboard", *openpyxl.utils.cell.coordinate_to_tuple(CHOICES[name]), value)


def unit_of(ws: Any, row: int) -> str:
    return "USD million" if ws.title == THERAPY else ws.cell(row, 5).value


def keys_of(ws: Any, row: int) -> dict[str, str]:
    """What a line of a template is of, by axis."""
    if ws.title == THERAPY:
        label = ws.cell(row, 1).value
        return {} if label == "=Segment" else {"segment": label.strip()}
    named = ((2, "region"), (3, "segment"), (4, "subtype"))
    return {name: ws.cell(row, i).value for i, name in named if ws.cell(row, i).value}


def beside(results: lm_xl.Results) -> list[lm_xl.Results]:
    """The forecasts that the sheet What_if shows beside each other when it is delivered."""
    a = results.assumptions
    delta = {"quantity": CHANGED, "subtype": a.axes.subtype.total, "region": a.axes.region.total}
    delta |= {"operation": "multiply", "amount": FACTOR, "status": "expert", "source": "LM-XL-EXPERT"}
    changed = lm_xl.with_scenario(a, "Changed", [{**delta, "reason": "a test"}])
    return [results, lm_xl.forecast(a, "High"), lm_xl.forecast(changed, "Changed")]


def expected_block(ws: Any, row: int, results: lm_xl.Results) -> Any:
    """What the lines of a template's block must show, from its own labels."""
    if ws.title == WHAT_IF:
        return (
            beside(results)[row - REVENUE_ROW - 1].series(
                "risk_adjusted_sales", segment=results.axes.headline
            )
            / 1e6
        )
    what, unit, of = ws.cell(row, 1).value, unit_of(ws, row), keys_of(ws, row)
    if what == "patients":
        return results.series("diagnosed", **of)
    headline = results.series("risk_adjusted_sales", segment=results.axes.headline)
    if ws.title == THERAPY and ws.cell(row, 17).value not in (None, "yes", "no"):
        members = results.axes.segment.members
        return (
            results.series("risk_adjusted_sales", **of)
            / 1e6
            * (set(members(of["segment"])) <= set(members(results.axes.headline)))
        )
    series = results.series("risk_adjusted_sales", **{"segment": results.axes.headline, **of})
    return series / 1e6 if unit == "USD million" else series / headline


@pytest.mark.parametrize("host", list(SHIPPED))
def test_stored_values_of_the_shipped_template_are_those_of_python(
    shipped: lm_xl.Assumptions, host: str
) -> None:
    path, results = SHIPPED[host], lm_xl.forecast(shipped)
    stored = openpyxl.load_workbook(path, data_only=True)
    blocks = function_blocks(path)
    assert len(blocks) == 18
    for sheet, top, left, rows, columns in blocks:
        for row in range(top, top + rows):
            values = [stored[sheet].cell(row, left + j).value for j in range(columns)]
            assert values == pytest.approx(
                expected_block(stored[sheet], row, results), rel=1e-9, abs=1e-12
            ), (sheet, row)
    assert stored["Model"].cell(VERSION_ROW, 3).value == f"lm_xl {lm_xl.__version__}, stored values"
    assert stored["Checks"]["C6"].value == text("template", "Not_checked")
    banners = {ws["A4"].value for ws in stored if ws.title != "xlwings.conf"}
    (banner,) = banners
    assert banner.startswith("The LM functions are not running here") and shipped.fingerprint in banner
    for ws in openpyxl.load_workbook(path).worksheets:
        for line in ws.iter_rows():
            for cell in line:
                if cell.data_type == "f":
                    value = stored[ws.title][cell.coordinate].value
                    assert value is not None and not str(value).startswith("#"), (ws.title, cell.coordinate)


@pytest.mark.parametrize("host", list(SHIPPED))
def test_the_shipped_template_follows_its_assumptions(
    shipped: lm_xl.Assumptions, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: Counter[str] = Counter()

    def counting(name: str, *args: Any, **kwargs: Any) -> Any:
        counted[name] += 1
        return call(name, *args, **kwargs)

    monkeypatch.setattr(headless, "call", counting)
    path = SHIPPED[host]
    workbook, blocks = headless.open_workbook(path), function_blocks(path)
    labels = openpyxl.load_workbook(path, data_only=True)

    def shows(assumptions: lm_xl.Assumptions) -> None:
        workbook.evaluate_all()
        results = lm_xl.forecast(assumptions)
        for sheet, top, left, rows, columns in blocks:
            for row in range(top, top + rows):
                values = [workbook.get_value(sheet, row, left + j) for j in range(columns)]
                assert values == pytest.approx(
                    expected_block(labels[sheet], row, results), rel=1e-9, abs=1e-12
                ), (sheet, row)

    shows(shipped)
    position, row = next(
        (i, r) for i, r in enumerate(shipped.rows) if r.quantity == "lm_risk" and r.fill == "constant"
    )
    sheet_row, column = openpyxl.utils.cell.coordinate_to_tuple(row.cells[0])
    changed = dataclasses.replace(row, inputs=(row.inputs[0] * 1.25,))
    edited = dataclasses.replace(
        shipped, rows=(*shipped.rows[:position], changed, *shipped.rows[position + 1 :])
    )
    counted.clear()
    workbook.set_value(row.sheet, sheet_row, column, changed.inputs[0])
    shows(edited)
    assert counted["LM_MODEL"] == 1 and counted["LM_VERSION"] == 0 and counted["LM_REVENUE"] > 0
    workbook.set_value(row.sheet, sheet_row, column, row.inputs[0])
    shows(shipped)
    counted.clear()
    choose(workbook, "Stage", "treated")
    workbook.evaluate_all()
    assert set(counted) == {"LM_PATIENTS"}
    counted.clear()
    choose(workbook, "Stage", "diagnosed")
    choose(workbook, "Region", "Europ")
    workbook.evaluate_all()
    assert headless._stored_value(workbook.get_value("Model", FIGURES_AT, 3)).code == VALUE
    assert workbook.get_value("Checks", 6, 3) == "FAILED"  # SUM sees the error
    choose(workbook, "Region", "Global")
    workbook.set_value(row.sheet, sheet_row, column, 7.0)
    workbook.evaluate_all()
    assert headless._stored_value(workbook.get_value("Model", MODEL_ROW, 3)).code == VALUE
    assert f"Epidemiology, row {sheet_row - 4}, value: 7 (share) is outside 0 to 1" in workbook.get_value(
        "Model", MODEL_ROW + 1, 3
    )


@pytest.mark.parametrize("host", list(SHIPPED))
def test_the_page_of_what_ifs_shows_what_drives_them(shipped: lm_xl.Assumptions, host: str) -> None:
    stored = openpyxl.load_workbook(SHIPPED[host], data_only=True)[WHAT_IF]
    year, columns = shipped.axes.years[-1], (3, 4)
    base, *others = (r.revenue(shipped.axes.headline, year) / 1e6 for r in beside(lm_xl.forecast(shipped)))
    bars = lm_xl.bridge(shipped, "Base", "High").bars
    for column, other in zip(columns, others, strict=True):
        effects = [stored.cell(BRIDGE_ROW + 2 + i, column).value for i in range(len(bars) + 1)]
        assert sum(effects[:-1]) == pytest.approx(other - base, rel=1e-9)
        assert effects[-1] == pytest.approx(other - base, rel=1e-9)
    shown = [stored.cell(BRIDGE_ROW + 2 + i, 3).value for i in range(len(bars))]
    assert shown == pytest.approx([bar.effect / 1e6 for bar in bars], rel=1e-9, abs=1e-9)
    workbook = headless.open_workbook(SHIPPED[host])
    workbook.set_value(WHAT_IF, REVENUE_ROW - 3, 2, "lm_risc")
    workbook.evaluate_all()
    assert workbook.get_value(WHAT_IF, REVENUE_ROW + 4, 2).startswith(
        "#VALUE! unknown quantity 'lm_risc': nearest is 'lm_risk'"
    )


@pytest.mark.parametrize("host", list(SHIPPED))
def test_the_shipped_template_is_what_the_builder_makes(
    shipped: lm_xl.Assumptions, host: str, tmp_path: Path
) -> None:
    made = [tmp_path / f"{i}{SHIPPED[host].suffix}" for i in (1, 2)]
    for path in made:
        template(shipped, path, host=host)
    assert made[0].read_bytes() == made[1].read_bytes()
    differ = differing(SHIPPED[host], made[0])
    assert not differ, (
        f"build the shipped one again: lm-xl template{' --lite' if host == 'lite' else ''} -o workbooks/{SHIPPED[host].name} --force"
    )


@pytest.mark.parametrize("host", list(SHIPPED))
def test_excel_takes_whole_tables_and_new_labels(host: str) -> None:
    book = openpyxl.load_workbook(SHIPPED[host])
    cells = [
        cell.value
        for ws in book.worksheets
        for row in ws.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]
    plain = [text for text in cells if isinstance(text, str)]
    assert len(plain) > 100 and not [
        text for text in plain if "IF(tbl_" in text
    ]  # Excel would take one cell of each table
    assert isinstance(book["Model"].cell(MODEL_ROW, 3).value, ArrayFormula) == (host == "lite")
    for sheet, column, style in (
        ("Dashboard", "A", "warning"),
        ("Scenarios", "A", "warning"),
        ("Scenarios", "B", None),
        ("Pricing", "B", "warning"),
    ):
        rules = [
            r
            for r in book[sheet].data_validations.dataValidation
            if r.type == "list" and f"{column}6" in r.sqref
        ]
        assert [r.errorStyle for r in rules] == [style]


def test_words_of_calls_are_kept_for_each_model_and_bounded(
    handle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = STORE.get(handle)
    assert model is not None
    monkeypatch.setattr(calls, "MOST_ANSWERS", 3)
    for year in (2025, 2026, 2027, 2028, 2029):
        call("LM_PATIENTS", ["US", year, handle])
    assert len(model.answers) <= 4
    assert code("LM_PATIENTS", "US", True, handle) == VALUE


def test_percentiles_are_those_of_the_models_own_simulation(
    small_assumptions: lm_xl.Assumptions, handle: str
) -> None:
    high = STORE.put(Model(small_assumptions, "High"))
    simulated = lm_xl.simulate(small_assumptions, scenarios="High")
    low, most = (simulated.percentile(p, 2030, segment="New drug") for p in (0.1, 0.9))
    assert low < most
    for p, due in (
        (0.1, low),
        ("P10", low),
        ("p8", low),
        ("P90", most),
        (0.9, most),
    ):  # no spread: the drug fails or succeeds
        assert call("LM_PERCENTILE", [p, "New drug", 2030, high]) == due
    assert call("LM_PERCENTILE", [0.9, "New drug", 2030, handle]) != most


def test_ends_that_no_draws_have_are_an_error_of_what_simulates_alone(
    small_path: Path, small_assumptions: lm_xl.Assumptions
) -> None:
    sheets = pd.read_excel(small_path, sheet_name=None, header=4, engine="openpyxl", dtype=object)
    prices = sheets["Pricing"]
    ray = (prices["quantity"] == "list_price") & (prices["segment"] == "Ray")
    prices.loc[ray, ["low", "high", "distribution"]] = [8000, 30_000, "lognormal"]
    mine = lm_xl.LM_MODEL(*(sheets[name] for name in records_of(small_assumptions)[0]), "Base")
    results = lm_xl.forecast(small_assumptions, "Base")
    assert lm_xl.LM_REVENUE("Therapeutics", 2030, mine) == pytest.approx(
        results.revenue("Therapeutics", 2030)
    )
    row = 2 + int(np.flatnonzero(ray)[0])
    words = f"Pricing, row {row}, low: low 8000 and high 30000 of list_price (Ray) are no P10 and P90"
    with pytest.raises(lm_xl.CallError, match=re.escape(words)):
        lm_xl.LM_PERCENTILE("P90", "Therapeutics", 2030, mine)


def test_answers_of_a_scenario_and_of_years_that_are_named(
    small_assumptions: lm_xl.Assumptions, handle: str
) -> None:
    at = ("US", OMITTED, "HR+ breast")
    high = STORE.put(Model(small_assumptions, "High"))
    assert call("LM_ASSUMPTION", ["lm_risk", 2027, high, *at]) == pytest.approx(
        1.3 * call("LM_ASSUMPTION", ["lm_risk", 2027, handle, *at]), rel=1e-12
    )
    assert "scenario" not in call("LM_SOURCE", ["lm_risk", handle, *at])
    found = lm_xl.forecast(small_assumptions).series("diagnosed", "US")
    assert call("LM_CAGR", ["patients", "US", handle, 2026, 2029]) == pytest.approx(
        (found[4] / found[1]) ** (1 / 3) - 1, rel=1e-12
    )
    assert code("LM_SHARE", "revenue", "New drug", 2025, handle, "New drug") == NA  # nothing is sold yet


def test_words_tell_how_much_more_is_wrong(
    small_assumptions: lm_xl.Assumptions, handle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handles, "MOST_FAULTS", 5)
    assert call("LM_WHY", ["LM_PATIENTS", [["Utopia"], ["US"]], [[2025.0, 2026.0, 2027.0]], handle]).endswith(
        "(and 2 more cells)"
    )
    assert "was made by lm_xl 9.9" in call(
        "LM_WHY", ["LM_PATIENTS", "US", 2027, handle.rpartition(":")[0] + ":9.9"]
    )
    tables = grids(small_assumptions)
    for row in tables["Treatment"][1:]:
        row[0] = "quantities"
    words = call("LM_WHY", ["LM_MODEL", *tables.values()]).splitlines()
    assert len(words) == handles.MOST_FAULTS + 1 and re.fullmatch(r"and \d+ more", words[-1])
    whole = list(grids(small_assumptions).values())
    assert "the table 'Axes' is given twice" in call("LM_WHY", ["LM_MODEL", *whole, whole[0]])


def test_a_label_of_two_axes_is_told_and_not_guessed(tmp_path: Path) -> None:
    def both(sheets: dict[str, list[dict[str, Any]]]) -> None:
        for row in (r for rows in sheets.values() for r in rows):
            row.update({k: "Lung" for k in ("label", "segment") if row.get(k) == "Scan"})

    handle = STORE.put(
        Model(lm_xl.read_assumptions(small.workbook(tmp_path / "both.xlsx", change=both)), "Base")
    )
    assert call("LM_WHY", ["LM_SHARE", "revenue", "Lung", 2027, handle]).startswith(
        "#VALUE! 'Lung' is both a segment and a subtype"
    )
    assert call("LM_REVENUE", ["Lung", 2027, handle]) > 0


def test_a_draw_that_cannot_be_made_is_an_error_with_words(
    small_assumptions: lm_xl.Assumptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = STORE.put(Model(dataclasses.replace(small_assumptions, changes=()), "High"))
    for broken in (Refused([Fault("draws", "", "", "need 9 GB")]), lm_xl.IdentityError("need 9 GB")):
        monkeypatch.setattr(
            "lm_xl.uncertainty.simulate.simulate",
            lambda *_, fault=broken, **__: (_ for _ in ()).throw(fault),
        )
        assert code("LM_PERCENTILE", 0.5, "New drug", 2027, handle) == VALUE
        assert "need 9 GB" in call("LM_WHY", ["LM_PERCENTILE", 0.5, "New drug", 2027, handle])


def test_another_error_in_a_table_has_its_own_words(small_assumptions: lm_xl.Assumptions) -> None:
    tables = grids(small_assumptions)
    for kind, told in (("Div", "#DIV/0!"), ("Na", "#N/A")):
        tables["Treatment"][3][tables["Treatment"][0].index("value")] = headless._argument({"kind": kind})
        assert f"the error value {told}" in call("LM_WHY", ["LM_MODEL", *tables.values()])


@pytest.mark.parametrize("host", list(SHIPPED))
def test_the_template_checks_itself_and_follows_its_choices(shipped: lm_xl.Assumptions, host: str) -> None:
    path, results = SHIPPED[host], lm_xl.forecast(shipped)
    workbook, labels = headless.open_workbook(path), openpyxl.load_workbook(path)
    workbook.evaluate_all()
    rows = range(6, labels["Stored_values"].max_row + 1)

    def twins() -> set[Any]:
        return {workbook.get_value("Stored_values", r, 4) for r in rows}

    assert twins() == {"the same"}
    growth = results.cagr(results.series("risk_adjusted_sales", segment=shipped.axes.headline))
    assert workbook.get_value("Model", FIGURES_AT + 2, 3) == pytest.approx(growth, rel=1e-9)
    for name, value in (("Segment", "Diagnostics"), ("Basis", "gross")):
        choose(workbook, name, value)
    workbook.evaluate_all()
    assert "differs" in twins()
    for sheet, top, left, count, columns in function_blocks(path):
        ws = labels[sheet]
        for row in range(top, top + count):
            of = keys_of(ws, row)
            if ws.title == WHAT_IF or ws.cell(row, 1).value == "patients":
                continue
            due = results.series("gross_sales", **{"segment": "Diagnostics", **of})
            whole = results.series("gross_sales", segment=shipped.axes.headline)
            scale = 1e6 if unit_of(ws, row) == "USD million" else whole
            got = [workbook.get_value(sheet, row, left + j) for j in range(columns)]
            assert got == pytest.approx(due / scale, rel=1e-9, abs=1e-12), (sheet, row)
    for rule in labels["Dashboard"].data_validations.dataValidation:
        if "!" in rule.formula1:
            sheet, area = rule.formula1.split("!")
            name = {v: k for k, v in CHOICES.items()}[str(rule.sqref)]
            held = tuple(c.value for (c,) in labels[sheet][area.replace("$", "")])
            assert held == (
                shipped.axes.scenarios if name == "Scenario" else getattr(shipped.axes, name.lower()).labels
            )


def test_the_examples_of_the_reference_answer_in_the_template() -> None:
    workbook = headless.open_workbook(SHIPPED["windows"])
    examples = {
        f.name: f.example
        for f in FUNCTIONS.values()
        if "..." not in f.example and "A6" not in f.example and f.name not in SLOW
    }
    assert len(examples) == len(FUNCTIONS) - 4
    around = Surroundings({("", "model"): f"{CONTROL}!$C${MODEL_ROW}"})
    apart = range(20, 20 + 20 * len(examples), 20)  # tables spill beside and below
    for column, example in zip(apart, examples.values(), strict=True):
        at = "Functions", 200, column
        workbook.set_formula(*at, completed(example, at, around))
    workbook.evaluate_all()
    answers = {
        name: headless._stored_value(workbook.get_value("Functions", 200, column))
        for column, name in zip(apart, examples, strict=True)
    }
    assert not [name for name, x in answers.items() if isinstance(x, CallError) or not x]


@pytest.mark.parametrize("check", range(1, 7))
def test_each_check_of_the_template_turns_its_master(check: int) -> None:
    path = SHIPPED["lite"]
    sheet = ("By_region", "By_segment", "By_cancer", "By_segment", "By_cancer", THERAPY)[check - 1]
    workbook, ws = headless.open_workbook(path), openpyxl.load_workbook(path)[sheet]
    tops = [
        b
        for b in function_blocks(path)
        if b[0] == sheet and (check == 6 or ws.cell(b[1], 1).value == "revenue")
    ]
    # the leaves, the groups with their total, or the classes that are drawn
    _, top, left, rows, columns = tops[(0, 0, 0, 1, 1, 2)[check - 1]]
    # two tables agree where both show all of the other axes
    choose(workbook, "Segment", "Total market")
    for i in range(rows):
        for j in range(columns):
            workbook.set_value(sheet, top + i, left + j, 1.0)
    workbook.evaluate_all()
    assert workbook.get_value("Checks", 6 + check, 3) == workbook.get_value("Checks", 6, 3) == "FAILED"


def silent(*_: Any, **__: Any) -> Any:
    """What a function answers where it does not run."""
    raise CallError(VALUE, "not running")


def cells_with_errors(book: Any) -> list[str]:
    return [
        f"{ws.title}!{cell.coordinate}"
        for ws in book
        for row in ws.iter_rows()
        for cell in row
        if cell.data_type == "e" or str(cell.value).startswith("#")
    ]


@pytest.mark.parametrize("host", list(SHIPPED))
def test_where_functions_run_the_banner_says_so(host: str, tmp_path: Path) -> None:
    path = tmp_path / SHIPPED[host].name
    path.write_bytes(SHIPPED[host].read_bytes())
    headless.recalculate(path)
    book = openpyxl.load_workbook(path, data_only=True)
    banners = {ws["A4"].value for ws in book if ws.title != "xlwings.conf"}
    assert banners == {f"The LM functions answer (lm_xl {lm_xl.__version__}, stored values): all pass"}


def test_without_functions_the_template_shows_what_is_stored_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever was chosen before: an error never stands under checks that pass."""

    monkeypatch.setattr(headless, "call", silent)
    path = tmp_path / "silent.xlsm"
    path.write_bytes(SHIPPED["windows"].read_bytes())
    assert not headless.recalculate(path).errors
    shown, stored = (openpyxl.load_workbook(p, data_only=True) for p in (path, SHIPPED["windows"]))
    for sheet, top, left, rows, columns in function_blocks(path):
        for row in range(top, top + rows):
            for column in range(left, left + columns):
                was = stored[sheet].cell(row, column).value
                assert shown[sheet].cell(row, column).value == pytest.approx(was, rel=1e-9)
    assert {ws["A4"].value for ws in shown if ws.title != "xlwings.conf"} == {stored["Dashboard"]["A4"].value}
    assert {shown["Checks"].cell(row, 3).value for row in range(6, 14)} == {text("template", "Not_checked")}


def test_where_functions_stop_later_the_banner_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    workbook = headless.open_workbook(SHIPPED["lite"])
    workbook.evaluate_all()

    monkeypatch.setattr(headless, "call", silent)
    choose(workbook, "Region", "Europe")
    workbook.evaluate_all()
    assert workbook.get_value("Checks", 6, 3) == "FAILED"
    assert workbook.get_value("By_region", 4, 1).startswith("The LM functions are not running here")


@pytest.mark.libreoffice
@pytest.mark.parametrize("host", list(SHIPPED))
def test_in_libreoffice_no_page_shows_an_error(host: str, tmp_path: Path) -> None:
    office = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"]
    done = [*office, "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", tmp_path, SHIPPED[host]]
    subprocess.run(done, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
    book = openpyxl.load_workbook(tmp_path / f"{SHIPPED[host].stem}.xlsx", data_only=True)
    assert not cells_with_errors(book)
    (banner,) = {ws["A4"].value for ws in book if ws.title != "xlwings.conf"}
    assert banner.startswith("The LM functions are not running here")
    assert book["Checks"]["C6"].value == text("template", "Not_checked")
