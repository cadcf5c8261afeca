"""The deliverable that goes to a client: audited, live in every choice, checked by itself, complete in its charts."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import small
from conftest import DRAWS

import lm_xl
from lm_xl.audit.audit import audit
from lm_xl.forecasts.export import write_data
from lm_xl.model.axes import Axes
from lm_xl.workbook import verify as verification
from lm_xl.workbook.build import new
from lm_xl.workbook.plan.checks import FAILED, PASSED
from lm_xl.workbook.plan.records import records_of
from lm_xl.workbook.verify import verify
from lm_xl.xlsx.formula_cells import FormulaCells

FIRST, LAST = 2024, 2046
"""A horizon whose last columns have two letters."""
SIDES = "Northern", "Southern"
KEPT = ("US", "Germany", "Rest of Europe")


def changed(a: lm_xl.Assumptions, path: Path) -> lm_xl.Assumptions:
    """The shipped base case with other regions, one therapy fewer and another horizon, by edits of its rows alone."""
    records = {sheet: [dict(r) for r in rows] for sheet, rows in records_of(a)[0].items()}
    regions = [r for r in records["Axes"] if r["axis"] == "region"]
    known = {*KEPT, *(g.strip() for r in regions if r["label"] in KEPT for g in r["groups"].split(";")), ""}
    gone = {label for r in regions for label in (r["label"], *map(str.strip, r["groups"].split(";")))} - known
    for sheet, rows in records.items():
        lost = {"Tarlatamab", *gone}
        records[sheet] = [r for r in rows if not lost & {r.get("segment"), r.get("region"), r.get("label")}]
    at = next(i for i, r in enumerate(records["Axes"]) if r["label"] == KEPT[-1])
    old = records["Axes"].pop(at)
    halves = [
        {**old, "label": f"{side} {KEPT[-1]}", "groups": f"{KEPT[-1]}; {old['groups']}"} for side in SIDES
    ]
    records["Axes"][at:at] = halves
    counts = records["Epidemiology"]
    for row in [r for r in counts if r["quantity"] == "incident_cases" and r["region"] == KEPT[-1]]:
        at = counts.index(row)
        half = {c: row[c] / 2 for c in ("value", "low", "high") if row.get(c) not in (None, "")}
        counts[at : at + 1] = [{**row, **half, "region": f"{side} {KEPT[-1]}"} for side in SIDES]
    for rows in records.values():
        for row in rows:
            if row.get("fill") == "yearly":
                row["fill"] = "linear"
                for year in map(str, range(2026, 2035)):
                    del row[year]
            for there, then in (("2025", FIRST), ("2035", LAST)):
                if row.get("fill") == "linear":
                    row[str(then)] = row.pop(there)
            if row.get("quantity") in ("first_year", "last_year"):
                row["value"] = FIRST if row["quantity"] == "first_year" else LAST
    cited = {s.strip() for rows in records.values() for r in rows for s in r.get("source", "").split(";")}
    records["Sources"] = [r for r in records["Sources"] if r["id"] in cited]
    years = tuple(range(FIRST, LAST + 1))
    new(
        path,
        Axes(a.axes.region, a.axes.segment, a.axes.subtype, years, a.axes.scenarios, a.axes.scopes),
        records,
    )
    return lm_xl.read_assumptions(path)


@pytest.fixture(scope="session")
def other(shipped: lm_xl.Assumptions, shared_file: Callable[..., Path]) -> Path:
    def make(path: Path) -> None:
        a = changed(shipped, path.with_name("changed.xlsx"))
        assert a.axes.shape == (4, 22, 9, 23)
        lm_xl.build(a, path, draws=DRAWS)

    return shared_file("other.xlsx", make)


def wrong(path: Path, engine: str) -> list[str]:
    return [w for case in verify(path, engine).cases for w in case.wrong[:3]]


@pytest.mark.slow
def test_our_deliverable_breaks_no_rule(deliverable: Path) -> None:
    assert audit(deliverable) == []


@pytest.mark.slow
def test_so_does_one_with_other_axes_and_years(other: Path) -> None:
    assert audit(other) == []


@pytest.mark.slow
def test_python_agrees_with_the_changed_deliverable(other: Path) -> None:
    assert wrong(other, "formualizer") == []


@pytest.mark.slow
@pytest.mark.libreoffice
def test_libreoffice_agrees_with_the_changed_deliverable(
    other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # each trial takes LibreOffice half a minute; what the others choose, the shipped deliverable tries there
    every = verification._trials
    monkeypatch.setattr(verification, "_trials", lambda a: list(every(a))[-2:])
    assert wrong(other, "libreoffice") == []


def recalculated(path: Path, edits: Mapping[tuple[str, str], Any]) -> Any:
    book = FormulaCells(path)
    for (sheet, address), value in edits.items():
        place = openpyxl.utils.cell.coordinate_to_tuple(address)
        if isinstance(value, str) and value.startswith("="):
            book.workbook.set_formula(sheet, *place, value)
        else:
            book.put(sheet, *place, value)
    book.evaluate()

    def value(sheet: str, address: str) -> Any:
        return book.workbook.get_value(sheet, *openpyxl.utils.cell.coordinate_to_tuple(address))

    return value


def test_what_is_chosen_moves_numbers_and_sentences(
    small_built: Path, small_assumptions: lm_xl.Assumptions
) -> None:
    both = lm_xl.forecast(small_assumptions, ["Base", "High"])
    value = recalculated(
        small_built,
        {
            ("Dashboard", "A6"): "High",
            ("Dashboard", "D6"): "Total market",
            ("Dashboard", "G6"): "Gross",
            ("Dashboard", "J6"): "EUR",
        },
    )
    due = both.series("gross_sales", run="High")[0] / 1e6 * 0.8
    world = line_of(small_built, "By_region", "revenue", 2, "Global")
    assert value("By_region", f"H{world}") == pytest.approx(due, rel=1e-12)
    shown = "High | Total market | Gross | EUR"
    assert value("Dashboard", "A2") == value("Market by therapy", "A2") == value("Explorer", "A2") == shown
    assert value("Dashboard", "A8") == "Market, EUR million"
    assert value("Dashboard", "A9").startswith(f"{due:,.0f} to ")
    assert value("Checks", "B6") == value("By_segment", "A4") == PASSED
    assert value("Tornado", "A3").startswith("NOT WHAT THE DASHBOARD SHOWS: made for Base | Therapeutics")


@pytest.mark.parametrize(
    ("region", "segment", "subtype", "year"),
    [("Germany", "New drug", 0, 2030), ("US", "Therapeutics", 1, 2027), ("Global", "Old drug", 0, 2025)],
)  # fmt: skip
def test_the_explorer_answers_for_any_region_therapy_cancer_and_year(
    region: str,
    segment: str,
    subtype: int,
    year: int,
    small_built: Path,
    small_assumptions: lm_xl.Assumptions,
) -> None:
    results = lm_xl.forecast(small_assumptions)
    axis = small_assumptions.axes.subtype
    cancer = axis.leaves[subtype] if subtype else axis.total
    choice = {"A6": region, "B6": segment, "F6": cancer, "J6": year}
    value = recalculated(small_built, {("Explorer", at): x for at, x in choice.items()})
    series = results.series("risk_adjusted_sales", region=region, segment=segment, subtype=cancer) / 1e6
    due, start = series[year - 2025], series[0]
    assert value("Explorer", "C20") == pytest.approx(due, rel=1e-9)
    factors = [value("Explorer", f"C{row}") for row in range(14, 20)]
    if due:
        assert pd.Series(factors).prod() / 1e6 == pytest.approx(due, rel=1e-9)
    if due and start:
        parts = [value("Explorer", f"D{row}") for row in range(14, 20)]
        assert sum(parts) == pytest.approx(due - start, rel=1e-9, abs=1e-12)
        assert value("Explorer", "D20") == pytest.approx(due - start, rel=1e-9, abs=1e-12)


def test_an_edited_input_moves_its_outputs(small_built: Path) -> None:
    a = lm_xl.read_assumptions(small_built)
    edits = {
        (row.sheet, row.cells[0]): row.inputs[0] * 1.1
        for row in a.rows
        if row.quantity in ("list_price", "administration_price", "reservoir_price")
        and row.keys.segment in ("New drug", "Total market")
    }
    before, after = recalculated(small_built, {}), recalculated(small_built, edits)
    cell = f"N{line_of(small_built, 'By_segment', 'revenue', 3, 'New drug')}"
    assert after("By_segment", cell) / before("By_segment", cell) == pytest.approx(1.1, rel=1e-9)


def line_of(path: Path, sheet: str, quantity: str, column: int, label: str) -> int:
    """The row of a quantity and a label on a sheet of the report."""
    rows = openpyxl.load_workbook(path)[sheet].iter_rows(min_row=6)
    return next(
        r[0].row
        for r in rows
        if r[0].value == quantity and r[column - 1].value == label and "million" in r[4].value
    )


@pytest.mark.parametrize(
    ("sheet", "address", "plant"),
    [
        ("By_region", "total", 1),  # a number over a total
        ("Calc_Totals", "H8", 1e9),
        ("Calc_Sales", "J10", "=NA()"),  # an error value
        ("Data_long", "G9", 0),
        ("Epidemiology", "G8", 7),  # an input far out of its range
        ("Checks", "D20", 1e9),  # a tolerance that all passes
    ],
)
def test_the_master_check_turns(sheet: str, address: str, plant: Any, small_built: Path) -> None:
    if address == "total":
        address = f"J{line_of(small_built, sheet, 'revenue', 2, 'Global')}"
    value = recalculated(small_built, {(sheet, address): plant})
    assert value("Checks", "B6").startswith(FAILED)
    assert value("Cover", "A4") == value("By_cancer", "A4") == value("Checks", "B6")


@pytest.mark.slow
def test_charts_say_what_they_show_and_show_every_year(deliverable: Path) -> None:
    series = {}
    with zipfile.ZipFile(deliverable) as package:
        for name in (n for n in package.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", n)):
            xml = package.read(name).decode()
            head = re.split(r"<(?:c:)?plotArea>", xml)[0]
            title = " ".join(re.findall(r"<(?:a:t|c:v|v)>([^<]+)</", head))
            values = re.findall(r"<(?:c:)?val>.*?<(?:c:)?f>([^<]+)</", xml, re.DOTALL)
            # a total is written over the bars, neither drawn nor in the legend
            series[title] = len(values) - len(re.findall(r"<(?:c:)?legendEntry>", xml))
            if ">year. Source: sheet" in xml:  # the others have no years along the bottom
                assert all(re.search(r"\$H\$\d+:\$R\$\d+$|\$B\$\d+:\$L\$\d+$", v) for v in values), title
        drawings = [
            package.read(n).decode()
            for n in package.namelist()
            if re.fullmatch(r"xl/drawings/drawing\d+\.xml", n)
        ]
    charts = sum(d.count("<c:chart") for d in drawings)
    assert charts == sum(len(re.findall(r'descr="[^"]{30,}"', d)) for d in drawings) == 18
    assert max(series.values()) <= 8
    shown = "Base | Therapeutics | Risk-adjusted net | USD"
    assert series[f"Revenue by class, million: {shown}"] == 8
    assert series[f"Revenue by region: {shown} million"] == 4
    assert series[f"What drives 2025 to 2035: {shown} million"] == 3
    assert series["Revenue, million: Therapeutics, Global, All cancers"] == 1


def test_points_in_time_are_told_as_quarters(small_built: Path) -> None:
    ws = openpyxl.load_workbook(small_built)["Launches and pipeline"]
    at = next(row[0].row for row in ws.iter_rows(min_row=6) if row[3].data_type == "f")
    found = re.search(r"(Calc_\w+)!\$(G\d+)", ws.cell(at, 4).value)
    assert found is not None
    sheet, cell = found.groups()
    for number, said in (
        (2030.5, "Q3 2030"),
        (2028.3 + 0.7, "Q1 2029"),
        (2030.0, "Q1 2030"),
        (2030.99, "Q4 2030"),
    ):
        value = recalculated(small_built, {(sheet, cell): number})
        assert value("Launches and pipeline", f"D{at}") == said


def test_a_static_copy_says_so(
    small_assumptions: lm_xl.Assumptions, small_built: Path, tmp_path: Path
) -> None:
    lm_xl.build(small_assumptions, tmp_path / "static.xlsx", static=True, draws=DRAWS)
    book, live = (
        openpyxl.load_workbook(tmp_path / "static.xlsx"),
        openpyxl.load_workbook(small_built, data_only=True),
    )
    assert not [c for ws in book for row in ws.iter_rows() for c in row if c.data_type == "f"]
    assert any("STATIC COPY" in str(c.value) for c in book["Cover"]["B"])
    for title in ("By_region", "Calc_Sales", "Dashboard", "Market by therapy"):
        for row in live[title].iter_rows(min_row=5):
            for cell in row:
                value = book[title][cell.coordinate].value
                assert value == (
                    pytest.approx(cell.value, rel=1e-9) if isinstance(cell.value, int | float) else cell.value
                )


def test_tidy_data_with_a_dictionary(small_assumptions: lm_xl.Assumptions, tmp_path: Path) -> None:
    written = write_data(small_assumptions, tmp_path, small_assumptions.axes.scenarios)
    assert {p.name for p in written} == {
        "patients.csv",
        "patients.parquet",
        "revenue.csv",
        "revenue.parquet",
        "data_dictionary.csv",
    }
    revenue = pd.read_parquet(tmp_path / "revenue.parquet")
    f = lm_xl.forecast(small_assumptions, "High")
    assert revenue.query("scenario == 'High' and metric == 'net_sales'")["value"].sum() == pytest.approx(
        f.outputs["net_sales"].sum(), rel=1e-12
    )
    assert len(pd.read_csv(tmp_path / "revenue.csv")) == len(revenue)
    named = set(pd.read_csv(tmp_path / "data_dictionary.csv")["name"])
    assert set(revenue.columns) | set(revenue["metric"]) <= named
    with pytest.raises(lm_xl.Refused, match="--force"):
        write_data(small_assumptions, tmp_path, ["Base"])


def test_labels_in_csv_are_safe(tmp_path: Path) -> None:
    def risky(records: dict[str, list[dict[str, Any]]]) -> None:
        for rows in records.values():
            for row in rows:
                for key in ("label", "region"):
                    if row.get(key) == "Germany":
                        row[key] = "@SUM(A1)+cmd"

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=risky))
    write_data(a, tmp_path, ["Base"])
    assert ",'@SUM(A1)+cmd," in (tmp_path / "revenue.csv").read_text()


def test_companies_follow_the_shares_and_sum_to_their_scope(
    small_assumptions: lm_xl.Assumptions, small_built: Path
) -> None:
    results = lm_xl.forecast(small_assumptions)
    book = openpyxl.load_workbook(small_built, data_only=True)
    rows = {row[1].value: row[1].row for row in book["By_company"].iter_rows(min_row=7) if row[1].value}
    for scope in ("Therapeutics", "Total market"):
        shown = recalculated(small_built, {("Dashboard", "D6"): scope})
        expected = {c: results.revenue(scope, 2025, company=c) / 1e6 for c in results.companies}
        expected["All companies"] = results.revenue(scope, 2025) / 1e6
        assert {c: shown("By_company", f"H{rows[c]}") for c in expected} == pytest.approx(expected, rel=1e-9)
        assert shown("Checks", "B6") == PASSED
    front = {row[0]: row[1] for row in book["Companies"].iter_rows(min_row=7, values_only=True) if row[0]}
    expected = {c: results.revenue("Therapeutics", 2025, company=c) / 1e6 for c in results.companies}
    assert {c: front[c] for c, x in expected.items() if x} == pytest.approx(
        {c: x for c, x in expected.items() if x}, rel=1e-9
    )
    assert "Younger pill" in {row[0] for row in book["Launches and pipeline"].iter_rows(values_only=True)}


def test_a_share_that_is_too_low_fails_the_check_of_companies(small_built: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(small_built)
    book["Products"]["D6"] = 0.2
    book.save(tmp_path / "edited.xlsx")
    assert recalculated(tmp_path / "edited.xlsx", {})("Checks", "B6").startswith(FAILED)


@pytest.mark.parametrize(
    ("sheet", "address"),
    [("By_region", "J12"), ("By_segment", "K8"), ("Calc_Share", "K6"), ("Inputs", "G9"), ("Calc_Text", "C9"), ("Cover", "B5"), ("Data_long", "G30"), ("Dashboard", "A9"), ("Market by region", "D9"), ("Explorer", "D15"), ("Triangulation", "F6"), ("As_built", "E9"), ("Tornado", "A3"), ("Formulas", "C7")],
)  # fmt: skip
def test_what_is_typed_over_a_formula_is_named_even_where_it_is_right(
    sheet: str, address: str, small_built: Path
) -> None:
    shown = recalculated(small_built, {})(sheet, address)
    value = recalculated(small_built, {(sheet, address): shown})
    row = openpyxl.utils.cell.coordinate_to_tuple(address)[0]
    assert value("Companies", "A4").startswith(f"{FAILED}{sheet} row {row}: see Checks C")


@pytest.mark.parametrize("column", ["C", "E"])
def test_checks_that_are_typed_over_are_named(column: str, small_built: Path) -> None:
    value = recalculated(small_built, {("Checks", f"{column}30"): {"C": 0, "E": 1}[column]})
    assert value("Cover", "A4").startswith(f"{FAILED}Checks row 30: see Checks C")


def row_with(path: Path, fill: str) -> lm_xl.Row:
    """The first uncertain row of a workbook with a fill."""
    rows = lm_xl.read_assumptions(path).rows
    return next(r for r in rows if r.fill == fill and r.low is not None and r.high is not None)


@pytest.mark.parametrize("fill", ["constant", "linear"])
@pytest.mark.parametrize("side", ["low", "high"])
def test_a_value_outside_its_low_and_high_fails_a_check_and_is_amber(
    fill: str, side: str, spread_built: Path
) -> None:
    row = row_with(spread_built, fill)
    assert row.low is not None and row.high is not None
    value = row.low * 0.99 if side == "low" else row.high * 1.01
    edited = recalculated(spread_built, {(row.sheet, row.cells[-1]): value})
    assert edited("Cover", "A4").startswith(f"{FAILED}see Checks C")
    ws = openpyxl.load_workbook(spread_built)[row.sheet]
    assert [edited(row.sheet, f"{c.column_letter}4") for c in ws[5] if c.value in ("low", "high")] == (
        [1, 0] if side == "low" else [0, 1]
    )
    failing = next(r for r in range(8, 300) if edited("Checks", f"E{r}") == 0)
    assert edited("Checks", f"B{failing}").startswith(f"every value on {row.sheet} lies between")
    rules = [rule.formula[0] for found in ws.conditional_formatting for rule in found.rules]
    assert sum(rule.startswith("AND($") for rule in rules) == 2


def test_the_master_check_is_red_where_it_fails_on_every_page(small_built: Path) -> None:
    for ws in openpyxl.load_workbook(small_built):
        found = [f for f in ws.conditional_formatting if "A4" in f.cells]
        (rules,) = [f.rules for f in found]
        assert "ISFORMULA($A$4)" in rules[0].formula[0] and rules[0].dxf.fill.bgColor.rgb.endswith("B3261E")
        assert rules[1].formula == ['$A$4="All checks pass"']
