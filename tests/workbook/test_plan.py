"""The live workbook: every formula against Python, what a planted fault does, edits, stored values, atomic writes."""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import formualizer
import openpyxl
import pandas as pd
import pytest
import small
from conftest import DRAWS
from openpyxl.formula.tokenizer import Token, Tokenizer
from openpyxl.formula.translate import Translator
from openpyxl.utils.cell import coordinate_to_tuple

import lm_xl
from lm_xl.faults import Disagreement
from lm_xl.uncertainty.draws import BLOCK
from lm_xl.uncertainty.limits import LEAST_BLOCKS
from lm_xl.workbook import build as builder
from lm_xl.workbook.pages.tornado import said_of
from lm_xl.workbook.plan.layout import FIRST_ROW
from lm_xl.workbook.plan.staleness import SAY_CHANGED, SAY_SAME
from lm_xl.workbook.verify import verify
from lm_xl.xlsx.engines import recalculated

Records = dict[str, list[dict[str, Any]]]


def assert_verified(path: Path, engine: str, least: int) -> None:
    result = verify(path, engine)
    assert [w for case in result.cases for w in case.wrong[:3]] == []
    assert all(case.formulas >= least and case.worst <= 1e-9 for case in result.cases)
    assert {"every input changed"} <= {case.name.split(", ")[-1] for case in result.cases}


@pytest.mark.slow
def test_every_formula_agrees(deliverable: Path) -> None:
    assert_verified(deliverable, "formualizer", 30_000)
    assert deliverable.stat().st_size < 5_000_000


@pytest.mark.slow
@pytest.mark.libreoffice
def test_every_formula_agrees_in_libreoffice(deliverable: Path) -> None:
    assert_verified(deliverable, "libreoffice", 30_000)


@pytest.mark.parametrize("sizes", [(2, 3, 5, 7), (3, 5, 7, 2), (5, 7, 2, 3), (7, 4, 3, 5), (1, 3, 2, 2)])
def test_every_formula_agrees_for_axes_of_any_size(sizes: tuple[int, int, int, int], tmp_path: Path) -> None:
    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", sizes))
    lm_xl.build(a, tmp_path / "b.xlsx", draws=DRAWS)
    assert_verified(tmp_path / "b.xlsx", "formualizer", 100)


@pytest.mark.parametrize(
    ("sheet", "column", "plant"),
    [
        ("Calc_Share", "J", lambda cell, value: value),  # a constant that is right in the base case
        ("Calc_Sales", "H", lambda cell, value: cell.value.replace("*", "+", 1)),
        ("By_region", "K", lambda cell, value: value),
        ("Inputs", "G", lambda cell, value: value),
        ("Calc_Prices", "I", lambda cell, value: cell.value.replace("1", "0", 1) + "+0"),
    ],
)
def test_a_planted_fault_is_found_and_named(
    sheet: str, column: str, plant: Callable[[Any, Any], Any], small_built: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(small_built)
    stored = openpyxl.load_workbook(small_built, data_only=True)
    cell = next(
        c
        for c in book[sheet][column]
        if c.data_type == "f" and c.row > 8 and stored[sheet][c.coordinate].value
    )
    cell.value = plant(cell, stored[sheet][cell.coordinate].value)
    book.save(tmp_path / "planted.xlsx")
    result = verify(tmp_path / "planted.xlsx")
    assert not result.passed
    assert any(w.startswith(f"{sheet}!{cell.coordinate}:") for case in result.cases for w in case.wrong)


def test_a_formula_that_is_not_the_models_is_named(small_built: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(small_built)
    book["By_region"]["A2"] = "=1+1"
    book.save(tmp_path / "extra.xlsx")
    assert any(w.startswith("By_region!A2: ") for w in verify(tmp_path / "extra.xlsx").cases[0].wrong)


def test_what_is_filled_in_on_the_cover_is_no_fault(small_built: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(small_built)
    book["Cover"]["B8"], book["Cover"]["B9"], book["Cover"]["B24"] = "A client", "An author", 0.9
    book.save(tmp_path / "filled.xlsx")
    assert verify(tmp_path / "filled.xlsx").wrong == []


def test_verify_refuses_what_was_not_built(small_path: Path) -> None:
    with pytest.raises(lm_xl.Refused, match="lm-xl build"):
        verify(small_path)


# Edits of the workbook alone


def share_cases(records: Records, region: str, **parts: float) -> None:
    """Give parts of a region's cases to others; a count is each region's own."""
    rows = [r for r in records["Epidemiology"] if (r["quantity"], r["region"]) == ("incident_cases", region)]
    for row in rows:
        records["Epidemiology"].remove(row)
        records["Epidemiology"] += [
            {**row, "region": r.replace("_", " "), "value": row["value"] * part} for r, part in parts.items()
        ]


def add_region(records: Records) -> None:
    records["Axes"].insert(2, {"axis": "region", "label": "Utopia", "groups": "Global"})
    share_cases(records, "Germany", Germany=1, Utopia=0.1)


def split_region(records: Records) -> None:
    records["Axes"].insert(2, {"axis": "region", "label": "West Germany", "groups": "Germany; Global"})
    records["Axes"].insert(2, {"axis": "region", "label": "East Germany", "groups": "Germany; Global"})
    records["Axes"] = [r for r in records["Axes"] if r["label"] != "Germany"]
    share_cases(records, "Germany", West_Germany=0.8, East_Germany=0.2)


def rename_subtype(records: Records) -> None:
    for rows in records.values():
        for row in rows:
            for key in ("label", "subtype"):
                if row.get(key) == "EGFR lung":
                    row[key] = "EGFR-mutant lung (all lines)"


def add_therapy(records: Records) -> None:
    records["Axes"].insert(
        4,
        {
            "axis": "segment",
            "label": "Newest drug",
            "set": "Pill set",
            "role": "entrant",
            "kind": "Brands",
            "groups": "Therapeutics; Total market",
        },
    )
    for sheet, quantity in (
        ("Pricing", "list_price"),
        ("Pricing", "administration_price"),
        ("Treatment", "months_on_therapy"),
    ):
        row = next(r for r in records[sheet] if r["quantity"] == quantity and r["segment"] == "New drug")
        records[sheet].append({**row, "segment": "Newest drug"})
    product = next(r for r in records["Products"] if r["segment"] == "New drug")
    records["Products"].append({**product, "segment": "Newest drug"})
    for row in records["Treatment"]:
        if row["quantity"] == "peak_share":
            row["value"] = 0.3


@pytest.mark.parametrize("edit", [add_region, split_region, rename_subtype, add_therapy])
def test_an_edit_of_the_workbook_is_enough(
    edit: Callable[[Records], None], tmp_path: Path, small_assumptions: lm_xl.Assumptions
) -> None:
    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=edit))
    lm_xl.build(a, tmp_path / "b.xlsx", draws=DRAWS)
    assert_verified(tmp_path / "b.xlsx", "formualizer", 1000)
    assert a.fingerprint != small_assumptions.fingerprint


# The file


def test_stored_values_are_pythons(small_built: Path, small_assumptions: lm_xl.Assumptions) -> None:
    facts = pd.read_excel(small_built, sheet_name="Data_long", header=4, engine="openpyxl")
    assert list(facts.columns) == ["metric", "region", "segment", "subtype", "year", "unit", "value"]
    assert facts["value"].notna().all()
    f = lm_xl.forecast(small_assumptions)
    sold = facts.query(
        "metric == 'risk_adjusted_sales' and region == 'Germany' and segment == 'New drug' and year == 2030"
    )["value"].item()
    assert sold * 1e6 == pytest.approx(f.revenue("New drug", 2030, "Germany"), rel=1e-9)
    found = facts.query("metric == 'diagnosed' and region == 'US' and year == 2026")["value"].sum()
    assert found == pytest.approx(f.patients("US", 2026), rel=1e-9)


def test_every_stored_value_is_what_its_formula_gives(small_built: Path) -> None:
    formulas, stored = (openpyxl.load_workbook(small_built, data_only=values) for values in (False, True))
    whole = {ws.title: (ws.max_row, ws.max_column) for ws in formulas.worksheets}
    (computed,) = recalculated(small_built, [{}], whole, "formualizer")
    wrong, numbers = [], 0
    for ws in formulas.worksheets:
        for cell in (c for row in ws.iter_rows() for c in row if c.data_type == "f"):
            found, due = (
                stored[ws.title][cell.coordinate].value,
                computed[ws.title][cell.row - 1][cell.column - 1],
            )
            if isinstance(due, int | float) and isinstance(found, int | float):
                numbers += 1
                wrong += (
                    [] if found == pytest.approx(due, rel=1e-9, abs=1e-9) else [(ws.title, cell.coordinate)]
                )
            elif (found or "") != (due or ""):
                wrong.append((ws.title, cell.coordinate))
    assert not wrong and numbers > 5_000


def test_a_built_workbook_is_an_assumptions_workbook(
    small_built: Path, small_assumptions: lm_xl.Assumptions
) -> None:
    again = lm_xl.read_assumptions(small_built)
    assert again.fingerprint == small_assumptions.fingerprint
    assert [r.note for r in again.rows] == [r.note for r in small_assumptions.rows]


@pytest.mark.slow
def test_formulas_are_one_a_row_short_and_without_numbers(deliverable: Path) -> None:
    book = openpyxl.load_workbook(deliverable, read_only=True)
    for title in (t for t in book.sheetnames if t.startswith(("Calc_", "Inputs", "By_"))):
        for row in book[title].iter_rows(min_row=6, min_col=7, max_col=18, values_only=True):
            years = [f for f in row[1:] if isinstance(f, str) and f.startswith("=")]
            for formula in (f for f in (row[0], *years[:1]) if isinstance(f, str) and f.startswith("=")):
                assert len(formula) <= 120
                numbers = [
                    t.value
                    for t in Tokenizer(formula).items
                    if t.type == Token.OPERAND and t.subtype == Token.NUMBER
                ]
                assert set(numbers) <= {"0", "1", "100", "1000"}, formula
            for i, formula in enumerate(years[1:], 1):
                assert formula == Translator(years[0], origin="H9").translate_formula(f"{'HIJKLMNOPQR'[i]}9")


def test_same_input_same_bytes(
    small_assumptions: lm_xl.Assumptions, small_built: Path, tmp_path: Path
) -> None:
    lm_xl.build(small_assumptions, tmp_path / "again.xlsx", draws=DRAWS)
    with zipfile.ZipFile(small_built) as one, zipfile.ZipFile(tmp_path / "again.xlsx") as two:
        assert one.namelist() == two.namelist()
        differing = [name for name in one.namelist() if one.read(name) != two.read(name)]
    assert set(differing) <= {"docProps/core.xml"}


class Dies(ThreadPoolExecutor):
    """A process that dies while it draws."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(BrokenExecutor("killed"))
        return future


@pytest.mark.parametrize("executor", [ThreadPoolExecutor(1), Dies(1)], ids=["elsewhere", "dies"])
def test_draws_made_beside_are_those_made_here(
    executor: Executor, spread_built: Path, tmp_path: Path
) -> None:
    a = lm_xl.read_assumptions(spread_built)
    lm_xl.build(a, tmp_path / "b.xlsx", draws=DRAWS, executor=executor)
    here, there = (
        openpyxl.load_workbook(path, data_only=True) for path in (spread_built, tmp_path / "b.xlsx")
    )
    for title in ("Percentiles", "Convergence"):
        rows = [[*ws.iter_rows(FIRST_ROW + 1, values_only=True)] for ws in (here[title], there[title])]
        numbers = [[x for row in found for x in row if isinstance(x, float)] for found in rows]
        assert numbers[0] == numbers[1] and len(numbers[0]) > 10


def test_nothing_is_left_when_a_build_fails(
    small_assumptions: lm_xl.Assumptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "old.xlsx"
    target.write_text("an older file")
    with pytest.raises(lm_xl.Refused, match="--force"):
        lm_xl.build(small_assumptions, target)
    with pytest.raises(lm_xl.Refused, match="no folder"):
        lm_xl.build(small_assumptions, tmp_path / "none" / "a.xlsx")
    with monkeypatch.context() as patch:
        patch.setattr(
            builder,
            "store_values",
            lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")),
        )
        with pytest.raises(lm_xl.Refused, match=r"old\.xlsx: cannot be written: No space left"):
            lm_xl.build(small_assumptions, target, force=True, draws=DRAWS)
    wrong = builder.trace

    def planted(*args: Any, **more: Any) -> Any:
        traced = wrong(*args, **more)
        line = traced.sheets["Calc_Share"].lines[0]
        object.__setattr__(line, "formula", f"{line.formula}+1")
        return traced

    with monkeypatch.context() as patch:
        patch.setattr(builder, "trace", planted)
        with pytest.raises(Disagreement, match=r"Calc_Share!H6"):
            lm_xl.build(small_assumptions, target, force=True, draws=DRAWS)
    assert [p.name for p in tmp_path.iterdir()] == ["old.xlsx"]
    assert target.read_text() == "an older file"


def test_labels_are_text_whatever_they_hold(tmp_path: Path) -> None:
    def odd(records: Records) -> None:
        for rows in records.values():
            for row in rows:
                for key in ("label", "region"):
                    if row.get(key) == "Germany":
                        row[key] = "@Länder & +Städte 'x'"

    lm_xl.build(
        lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=odd)),
        tmp_path / "b.xlsx",
        draws=DRAWS,
    )
    assert_verified(tmp_path / "b.xlsx", "formualizer", 1000)
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert {c.data_type for c in book["By_region"]["B"] if c.value == "@Länder & +Städte 'x'"} == {"s"}


@pytest.mark.slow
def test_every_sheet_opens_tidily(deliverable: Path) -> None:
    book = openpyxl.load_workbook(deliverable, read_only=True)
    assert book.sheetnames[0] == "Cover"
    assert all(len(t) <= 31 and re.fullmatch(r"[\w ]+", t) for t in book.sheetnames)
    assert all(ws.sheet_state == "visible" for ws in book.worksheets)


def test_the_analyses_are_those_of_python(spread_built: Path) -> None:
    a = lm_xl.read_assumptions(spread_built)
    pages = openpyxl.load_workbook(spread_built, data_only=True)
    rows = list(pages["Bridge"].iter_rows(values_only=True))
    start = next(i for i, row in enumerate(rows) if row[0] == "driver") + 1
    bars = list(itertools.takewhile(lambda row: row[8] != "where it ends", rows[start + 1 :]))
    end = rows[start + 1 + len(bars)]
    results = lm_xl.forecast(a)
    total = results.series("risk_adjusted_sales", segment=a.axes.headline) / 1e6
    assert (rows[start][1], end[1]) == pytest.approx((total[0], total[-1]), rel=1e-12)
    assert rows[start][1] + sum(bar[1] for bar in bars) == pytest.approx(end[1], rel=1e-9)
    simulated = lm_xl.simulate(a, DRAWS, 1)
    shown = {
        (r[0], r[1], r[2], r[3], r[5]): r[7:]
        for r in pages["Percentiles"].iter_rows(min_row=26, values_only=True)
    }
    for year, value in zip(a.axes.years, shown["revenue", None, "Therapeutics", None, "P90"], strict=False):
        assert value == pytest.approx(simulated.percentile(0.9, year, segment="Therapeutics") / 1e6, rel=1e-9)
    found = lm_xl.tornado(a)
    largest = found.swings[0]
    assert "lm_risk | All cancers" in found.idle  # covered by the rows of single subtypes
    assert [pages["Tornado"].cell(8, c).value for c in (1, 9)] == [
        said_of(largest.input),
        pytest.approx(largest.swing / 1e6, rel=1e-9),
    ]
    for title in ("Uncertainty", "Percentiles"):
        assert f"{DRAWS:,} draws of seed 1" in pages[title]["A6"].value
        assert a.fingerprint in pages[title]["A6"].value
    shown_on_page = [pages["Uncertainty"].cell(row, 1 + len(a.axes.years)).value for row in (7, 10, 11)]
    assert shown_on_page[2] == pytest.approx(total[-1], rel=1e-9)
    ends = [simulated.percentile(p, a.axes.years[-1], segment="Therapeutics") / 1e6 for p in (0.1, 0.9)]
    assert shown_on_page[:2] == pytest.approx(ends, rel=1e-9)
    assert pages["Dashboard"]["K9"].value == f"{ends[0]:,.0f} to {ends[1]:,.0f}"
    assert pages["Explorer"]["N9"].value == " to ".join(
        f"{x:,.1f}" if x < 1000 else f"{x:,.0f}" for x in ends
    )


def test_the_analyses_tell_when_an_input_has_changed(spread_built: Path) -> None:
    workbook = formualizer.load_workbook(str(spread_built))
    workbook.evaluate_all()
    assert workbook.get_value("Tornado", 3, 1) == SAY_SAME
    spread = next(r for r in lm_xl.read_assumptions(spread_built).rows if r.low_cell and r.low is not None)
    row, column = coordinate_to_tuple(spread.low_cell)
    for value, words in ((spread.low * 0.999, SAY_CHANGED), (spread.low, SAY_SAME)):
        workbook.set_value(spread.sheet, row, column, value)
        workbook.evaluate_all()
        assert workbook.get_value("Uncertainty", 3, 1) == words


def lines_of(path: Path, sheet: str, table: str) -> list[tuple[Any, ...]]:
    """The lines of a table of the analyses, without its header."""
    ws: Any = openpyxl.load_workbook(path, data_only=True)[sheet]
    return [tuple(c.value for c in row) for row in ws[ws.tables[f"tbl_{table}"].ref]][1:]


def header_of(path: Path, sheet: str, table: str) -> list[str]:
    """The names of a table's columns."""
    ws: Any = openpyxl.load_workbook(path)[sheet]
    return [str(c.value) for c in ws[ws.tables[f"tbl_{table}"].ref][0]]


def test_every_table_of_the_analyses_is_pythons(tmp_path: Path) -> None:
    def spread(records: Records) -> None:
        for row in records["Pricing"]:
            if row["quantity"] == "list_price":
                row.update(distribution="lognormal", low=row["value"] * 0.8, high=row["value"] * 1.25)
        records["Axes"].append({"axis": "scenario", "label": "Low"})
        records["Scenarios"].append({**records["Scenarios"][0], "scenario": "Low", "amount": 0.7})

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=spread))
    lm_xl.build(a, path := tmp_path / "b.xlsx", draws=LEAST_BLOCKS * BLOCK)
    near = {"rel": 1e-9, "abs": 1e-9}
    results = lm_xl.forecast(a, a.axes.scenarios)
    for line in lines_of(path, "Scenarios compared", "scenario_headlines"):
        revenue, base = (
            results.series("risk_adjusted_sales", segment=a.axes.headline, run=run) / 1e6
            for run in (line[0], "Base")
        )
        people = results.series("diagnosed", run=line[0])
        due = (
            people[0],
            people[-1],
            revenue[0],
            revenue[-1],
            results.cagr(revenue),
            revenue[-1] - base[-1],
            revenue[-1] / base[-1] - 1,
        )
        assert line[1:8] == pytest.approx(due, **near)
    bars = {s: {b.driver: b.effect / 1e6 for b in lm_xl.bridge(a, "Base", s).bars} for s in ("High", "Low")}
    drivers = header_of(path, "Scenarios compared", "bridges_to_scenarios")[2:]
    for scenario, whole, *effects in lines_of(path, "Scenarios compared", "bridges_to_scenarios"):
        assert (
            whole
            == pytest.approx(sum(bars[scenario].values()), **near)
            == pytest.approx(sum(effects), **near)
        )
        assert [x for d, x in zip(drivers, effects, strict=True) if d != "others"] == pytest.approx(
            [bars[scenario][d] for d in drivers if d != "others"], **near
        )
    level = 0.0
    for line in lines_of(path, "Bridge", "bridge_over_time")[:-1]:
        drawn_from, rise, fall = line[5:8]
        assert (drawn_from + rise + fall, rise - fall) == pytest.approx(
            (max(level, level + line[1]), line[1]), **near
        )
        level += line[1]
    found = lm_xl.tornado(a)
    for line, s in zip(lines_of(path, "Tornado", "tornado"), found.swings, strict=False):
        assert line[4:] == pytest.approx(
            [x / 1e6 for x in (s.at_low, s.at_high, s.low_effect, s.high_effect, s.swing)], **near
        )
    drawn = lm_xl.simulate(a, LEAST_BLOCKS * BLOCK, 1)
    for metric, scale in (("revenue", 1e6), ("diagnosed", 1)):
        i = drawn.at(metric)
        p10, p50, p90 = (drawn.percentiles[0, i, :, p - 1] / scale for p in (10, 50, 90))
        mean, stated = drawn.mean[0, i] / scale, drawn.deterministic[0, i] / scale
        fan = lines_of(path, "Percentiles", f"fan_of_{metric}")
        for line, due in zip(fan, (p10, p50 - p10, p90 - p50, p50, mean, stated), strict=True):
            assert line[7:] == pytest.approx(due, **near), line[:6]
        p10_error, p50_error = drawn.percentile_errors[0, i, -1, [9, 49]] / scale
        due = (p10_error, None, None, p50_error, drawn.mean_error[0, i, -1] / scale, 0)
        assert [line[6] for line in fan] == [x if x is None else pytest.approx(x, rel=1e-6) for x in due]
    errors = {line[5]: line[6] for line in lines_of(path, "Percentiles", "percentiles")[:5]}
    due = [drawn.mean_error[0, 0, -1], *drawn.percentile_errors[0, 0, -1, [9, 49, 89]]]
    assert [errors[k] for k in ("mean", "P10", "P50", "P90")] == pytest.approx(
        [x / 1e6 for x in due], rel=1e-6
    )
    i = drawn.at()
    four = [x[0, i, -1] / 1e6 for x in (drawn.deterministic, drawn.by_success, drawn.mean, drawn.mean_error)]
    assert [line[1] for line in lines_of(path, "Convergence", "mean_and_forecast")] == pytest.approx(
        four, rel=1e-6
    )
    settled = lines_of(path, "Convergence", "convergence")
    for line, k, x in zip(settled, drawn.points, drawn.convergence[0], strict=True):
        assert [v for v in line if v != "n/a"] == pytest.approx(
            [k, *(v / 1e6 for v in x.ravel() if v == v)], rel=1e-6
        )
    assert settled[-1][:3] == pytest.approx((drawn.draws, *four[2:]), rel=1e-9)
    causes = lines_of(path, "Convergence", "causes_of_variance")
    assert causes[-1][0] == "interactions and the rest" and sum(c[1] for c in causes) == pytest.approx(
        1, rel=1e-6
    )


def test_the_analyses_tell_when_a_scenario_has_changed(spread_built: Path) -> None:
    workbook = formualizer.load_workbook(str(spread_built))
    delta = lm_xl.read_assumptions(spread_built).deltas[0]
    row, column = coordinate_to_tuple(delta.cell)
    workbook.set_value("Scenarios", row, column, delta.amount * 1.001)
    workbook.evaluate_all()
    assert workbook.get_value("Tornado", 3, 1) == SAY_CHANGED


def test_the_analyses_tell_when_two_inputs_have_changed_places(spread_built: Path) -> None:
    workbook = formualizer.load_workbook(str(spread_built))
    one, other = [
        r for r in lm_xl.read_assumptions(spread_built).rows if r.quantity == "lm_risk" and r.keys.subtype
    ][1:3]
    assert one.inputs != other.inputs
    for row, value in ((one, other.inputs[0]), (other, one.inputs[0])):
        workbook.set_value(row.sheet, *coordinate_to_tuple(row.cells[0]), value)
    workbook.evaluate_all()
    assert workbook.get_value("Tornado", 3, 1) == SAY_CHANGED


def test_the_analyses_need_a_block_of_draws_and_say_where_nothing_varies(
    small_assumptions: lm_xl.Assumptions, tmp_path: Path
) -> None:
    with pytest.raises(lm_xl.Refused, match="draws: 511 is not a whole number from 512 to 10,000,000"):
        lm_xl.build(small_assumptions, tmp_path / "few.xlsx", draws=511)
    rows = tuple(
        replace(r, inputs=(1.0,)) if r.quantity == "probability_of_success" else r
        for r in small_assumptions.rows
    )
    lm_xl.build(replace(small_assumptions, rows=rows), path := tmp_path / "sure.xlsx", draws=512)
    ws = openpyxl.load_workbook(path)["Convergence"]
    assert "tbl_causes_of_variance" not in ws.tables
    assert any(str(row[0]).startswith("Nothing varies") for row in ws.iter_rows(values_only=True))
