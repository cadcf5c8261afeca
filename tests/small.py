"""Small workbooks for tests: an empty form, filled with numbers that differ from cell to cell."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openpyxl.workbook import Workbook

from lm_xl.model.axes import Axes
from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.build import new
from lm_xl.workbook.form import axes_of, form
from lm_xl.xlsx.addresses import split_address

SEGMENTS = [
    ("Old drug", "Pill set", "rest"),
    ("New drug", "Pill set", "entrant"),
    ("Scan", "", "test"),
    ("Other drug", "Pill set", "incumbent"),
    ("Ray", "Ray set", "rest"),
    ("Puncture", "", "test"),
    ("Proton", "Ray set", "incumbent"),
]
SUBTYPES = [
    ("HR+ breast", "Breast"),
    ("EGFR lung", "Lung"),
    ("Other lung", "Lung"),
    ("Skin", "Melanoma"),
    ("Rest", "Other"),
    ("HER2+ breast", "Breast"),
    ("SCLC", "Lung"),
]
CANCERS = dict(SUBTYPES)
REGIONS = ["US", "Germany", "France", "Japan", "China", "India", "Brazil"]

NOT_ROWS = (
    "Axes",
    "Products",
    "Scenarios",
    "Correlations",
    "Published",
    "Bands",
    "Currencies",
    "Sources",
    "Changes",
)
TYPICAL = {
    "index_year": 2025, "incident_cases": 10_000, "incidence_year": 2022, "incidence_growth": 0.02, "ever_metastatic_share": 0.4,
    "survival_exposure_growth": 0.005, "lm_risk": 0.08, "lm_risk_growth": 0.01, "care_access": 0.8, "test_use": 0.5, "sensitivity": 0.6,
    "suspected_per_case": 3, "tests_per_patient": 1.5, "treatment_rate": 0.7, "set_use": 0.5, "base_share": 0.3, "peak_share": 0.4,
    "cns_penetration": 0.6, "market_access": 0.9, "biomarker_gated": 0.5, "biomarker_testing": 0.7, "months_on_therapy": 4, "compliance": 0.9,
    "heterogeneity_penalty": 0.1, "planned_launch": 2026, "trial_delay": 1, "regulatory_acceleration": 0.5, "regional_lag": 0.75,
    "partnering": 0.5, "partnering_time_saved": 0.5, "partnering_success_gain": 0.2, "bass_innovation": 0.08, "bass_imitation": 0.6,
    "probability_of_success": 0.3, "patent_expiry": 2029, "orphan_exclusivity": 2, "exclusivity_erosion": 0.6, "erosion_years": 3,
    "years_to_lm": 2, "survival_with_lm": 0.5, "lines_of_therapy": 1.2, "share_as_measured": 0.1, "order_of_entry_loss": 0.1,
    "typed_uptake": 0.25, "uptake_gain_1": 0.1, "uptake_gain_2": 0.2, "uptake_gain_3": 0.3, "uptake_gain_4": 0.2, "uptake_gain_5": 0.1,
    "uptake_gain_6": 0.05, "dose_factor": 1.1, "administration_price": 500, "reservoir_use": 0.2, "reservoir_price": 8000,
    "list_price": 9000, "price_ratio": 0.7, "price_growth": 0.02, "gross_to_net": 0.2, "attribution": 0.9,
}  # fmt: skip


def axes(regions: int, segments: int, subtypes: int, years: int) -> Axes:
    """Axes of given sizes, each with what it needs: every set has its rest member."""
    return axes_of(
        REGIONS[:regions],
        SEGMENTS[:segments],
        SUBTYPES[:subtypes],
        range(2025, 2025 + years),
        ("Base", "High"),
    )


def records(a: Axes) -> dict[str, list[dict[str, Any]]]:
    """A filled form: totals plus rows for single regions and subtypes, a line, typed years, `never`, and a scenario."""
    sheets: dict[str, list[dict[str, Any]]] = {k: [dict(r) for r in rows] for k, rows in form(a).items()}
    jitter = itertools.cycle((0, 0.011, -0.007, 0.019, -0.013))
    for sheet, rows in sheets.items():
        if sheet in NOT_ROWS:
            continue
        for row in list(rows):
            typical = TYPICAL.get(row["quantity"])
            if typical is not None:
                row["value"] = typical
                quantity = QUANTITIES[row["quantity"]]
                if quantity.is_count and row["region"] != a.region.leaves[0]:
                    rows.remove(row)
                elif quantity.dims and quantity.dims[0] == 1 and row["quantity"] != "set_use":
                    for region in a.region.leaves[1:]:
                        wobble = 1 + next(jitter) if row["unit"] != "year" else 1
                        rows.append({**row, "region": region, "value": typical * wobble})
                if row["quantity"] in ("lm_risk", "ever_metastatic_share") and len(a.subtype) > 1:
                    rows += [
                        {**row, "subtype": p, "value": typical * (1 + next(jitter))} for p in a.subtype.leaves
                    ]
                    rows[:] = [
                        r
                        for r in rows
                        if not (r["quantity"] == row["quantity"] and r["region"] in a.region.leaves)
                    ]
            elif row["quantity"] == "subtype_share":
                rows.remove(row)
                for chosen in dict.fromkeys(a.subtype.sets):
                    members = [
                        p for p, s in zip(a.subtype.leaves, a.subtype.sets, strict=True) if s == chosen
                    ]
                    weights = [i + 1 for i in range(len(members))]
                    rows += [
                        {**row, "subtype": p, "value": w / sum(weights)}
                        for p, w in zip(members, weights, strict=True)
                    ]
    years = [str(y) for y in a.years]
    for row in sheets["Diagnosis"]:
        if row["quantity"] == "care_access" and row["region"] != "Global":
            row.update(
                fill="linear", value=None, **{years[0]: row["value"], years[-1]: min(1, row["value"] * 1.1)}
            )
    for row in sheets["Treatment"]:
        if row["quantity"] == "treatment_rate" and row["region"] != "Global":
            row.update(fill="yearly", value=None, **{y: 0.5 + 0.01 * i for i, y in enumerate(years)})
    if len(a.subtype) > 1 and a.segment.having("incumbent"):
        base = next(r for r in sheets["Treatment"] if r["quantity"] == "base_share")
        sheets["Treatment"].append(
            {**base, "segment": "Other drug", "subtype": a.subtype.leaves[-1], "value": "never"}
        )
        for region in a.region.leaves[1:]:
            sheets["Treatment"].append(
                {
                    **base,
                    "region": region,
                    "segment": "Other drug",
                    "subtype": a.subtype.leaves[-1],
                    "value": "never",
                }
            )
    for sheet, rows in sheets.items():
        if sheet not in NOT_ROWS:
            for row in rows:
                row.update(source="TEST", status="placeholder", note="made up")
    delta = {
        "scenario": "High",
        "segment": "",
        "source": "TEST",
        "status": "placeholder",
        "reason": "to see it move",
    }
    sheets["Scenarios"] = [
        {
            **delta,
            "quantity": "lm_risk",
            "region": "Global",
            "subtype": a.subtype.leaves[0],
            "operation": "multiply",
            "amount": 1.3,
        },
        {
            **delta,
            "quantity": "care_access",
            "region": "US",
            "subtype": "",
            "operation": "set",
            "amount": 0.95,
        },
        {
            **delta,
            "quantity": "care_access",
            "region": "Global",
            "subtype": "",
            "operation": "add",
            "amount": -0.05,
        },
    ]
    sheets["Products"] = products(a)
    sheets["Currencies"] = [
        {"currency": code, "rate": rate, "date": "2025-01-01", "source": "TEST", "status": "placeholder"}
        for code, rate in (("USD", 1), ("EUR", 0.8))
    ]
    sheets["Changes"] = [
        {"version": "1", "date": "2025-01-01", "who": "Nobody", "what": "First", "effect": "none"}
    ]
    sheets["Published"] = [
        {
            "publisher": "Nobody",
            "what": "Market size",
            "metric": "revenue",
            "scope": "same",
            "subtype": "All cancers",
            "region": "Global",
            "segment": "Total market",
            "year": 2025,
            "value": 1,
            "unit": "USD",
            "source": "TEST",
        }
    ]
    band = {
        "region": "Global",
        "subtype": "All cancers",
        "year": 2025,
        "source": "TEST",
        "status": "placeholder",
    }
    plain = {"source": "TEST", "status": "placeholder", "note": "made up"}
    sheets["Bands"] = [
        {**band, "result": "suspected_per_diagnosed", "low": 0, "high": 1000, "note": "made up"},
        {**band, "result": "diagnosed_share", "low": 0.99, "high": 1, "note": "made up"},
        {**band, "result": "lm_risk", "year": "", "low": 0.01, "high": 0.2, "note": "made up"},
        {**band, "result": "treatment_rate", "year": "", "low": 0.4, "high": 0.9, "note": "made up"},
        {**plain, "result": "sensitivity", "segment": "Total market", "low": 0.5, "high": 0.9},
    ]
    sheets["Sources"] = [
        {"id": "TEST", "citation": "Numbers made up for a test", "year": "2025", "grade": "C"}
    ]
    return sheets


def extend_tables(book: Workbook) -> None:
    """Let the tables of an open workbook hold the rows that were added below them, as Excel does where they are typed."""
    for sheet in book.worksheets:
        for table in sheet.tables.values():
            first, _, last = table.ref.partition(":")
            column, row = split_address(last)
            table.ref = f"{first}:{column}{max(int(row), sheet.max_row)}"


def products(a: Axes) -> list[dict[str, Any]]:
    """The first segment of two products, of which an alliance has one; the others by turns of two companies."""
    rows = [
        {
            "segment": s,
            "product": f"{s} one",
            "company": ("Acme", "Zenith")[i % 2],
            "share": 1,
            "phase": "Marketed",
        }
        for i, s in enumerate(a.segment.leaves)
    ]
    rows[0]["share"] = 0.3
    rows.insert(
        1, {**rows[0], "product": "Younger pill", "company": "Acme; Zenith", "share": 0.7, "phase": "Phase 2"}
    )
    rows[1]["trials"] = "NCT00000001; NCT00000002"
    shared = {"mechanism": "unknown", "source": "TEST", "status": "placeholder", "note": "made up"}
    return [{**row, **shared} for row in rows]


def workbook(
    path: Path,
    sizes: tuple[int, int, int, int] = (2, 5, 3, 7),
    change: Callable[[dict[str, list[dict[str, Any]]]], None] | None = None,
) -> Path:
    """Write a small workbook, after a change to its records."""
    a = axes(*sizes)
    content = records(a)
    if change:
        change(content)
    new(path, a, content, force=True)
    return path


LIKE_A_FORMULA = "=1+1+"
DISTINCT = (3, 6, 4, 6)
"""Regions, segments, subtypes and years of a workbook in which no two numbers are alike."""


def distinct(content: dict[str, list[dict[str, Any]]]) -> None:
    """Make of a filled form of those sizes one where luck cannot pass: regions, cancers, therapies and years differ in size and in
    growth, a product launches and patents end within the years, groups cross, and some inputs are uncertain."""
    groups = {
        "US": "West",
        "Germany": "Europe; West",
        "France": "Europe",
        "New drug": "Oral",
        "Other drug": "Oral",
    }
    for row in content["Axes"]:
        row["groups"] = "; ".join(x for x in (row.get("groups"), groups.get(row["label"])) if x)
    sizes = {"US": 3.1, "Germany": 1.7, "France": 0.6, "Breast": 1.3, "Lung": 2.9, "Melanoma": 0.4}
    prices = {
        "Old drug": 0.83,
        "New drug": 6.1,
        "Other drug": 2.3,
        "Ray": 0.31,
        "Scan": 0.2,
        "Puncture": 0.07,
    }
    own = {
        "incident_cases": ("subtype", {cancer: sizes[cancer] * 90 for cancer in ("Breast", "Lung", "Melanoma")}),
        "incidence_growth": ("subtype", {"Lung": 2.3, "Melanoma": -0.4}),
        "set_use": ("segment", {"Ray set": 1.3}),
        "patent_expiry": ("segment", {"Old drug": 1 - 0.6 / 2029, "Ray": 1 + 1.3 / 2029, "Other drug": 1 + 0.6 / 2029}),
        "price_growth": ("region", {"Germany": 1.9, "France": -0.7}),
        "list_price": ("segment", prices),
    }  # fmt: skip
    for rows in (rows for sheet, rows in content.items() if sheet not in NOT_ROWS):
        for row in [r for r in rows if r.get("quantity") in own]:
            key, factors = own[row["quantity"]]
            size = sizes.get(row["region"], 1) if row["quantity"] == "incident_cases" else 1
            apart = [{**row, key: label, "value": row["value"] * x * size} for label, x in factors.items()]
            if row["quantity"] == "incident_cases":
                rows.remove(row)
                rows += apart
            elif key == "region" or row["quantity"] == "list_price":
                row["value"] *= factors.get(row[key], 1)
            else:
                rows += apart
        for i, row in enumerate(
            r for r in rows if r.get("quantity") in ("gross_to_net", "months_on_therapy")
        ):
            row["value"] *= 1 + 0.07 * i
        for row in rows:
            if row.get("quantity") in ("list_price", "lm_risk"):
                kind = "lognormal" if row["quantity"] == "list_price" else "beta"
                row.update(distribution=kind, low=row["value"] * 0.8, high=row["value"] * 1.15)
    figure = content["Published"][0]
    content["Published"] = [
        {**figure, "what": what, "metric": metric, "unit": unit, "year": year, "value": value, **keys}
        for what, metric, unit, year, value, keys in (
            ("Market size", "revenue", "USD", 2029, 7.1e9, {}),
            ("Patients in Germany", "patients", "patients", 2027, 31_000, {"region": "Germany"}),
            ("Pills in Europe", "revenue", "USD", 2040, 1.3e9, {"region": "Europe", "segment": "Oral"}),
            ("Lung", "revenue", "USD", 2026, 4.4e9, {"subtype": "Lung"}),
        )
    ]
    # words that a spreadsheet would take for formulas, had they not been written as words
    content["Sources"][0]["citation"] = f"{LIKE_A_FORMULA}citation"
    content["Scenarios"][0]["reason"] = f"{LIKE_A_FORMULA}reason"
    content["Published"][0]["note"] = f"{LIKE_A_FORMULA}note"
    content["Changes"][0]["effect"] = f"{LIKE_A_FORMULA}effect"
    content["Products"][0]["mechanism"] = f"{LIKE_A_FORMULA}mechanism"
    content["Pricing"][0]["note"] = f"{LIKE_A_FORMULA}note of a row"
