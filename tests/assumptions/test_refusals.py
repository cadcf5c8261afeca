"""Refusals: one bad workbook per fault. Each test asserts every fault that is reported, its cell and its words."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.workbook import Workbook

import lm_xl
from lm_xl.assumptions.columns import WANTED
from lm_xl.model.axes import REGION
from lm_xl.model.quantities import QUANTITIES
from lm_xl.xlsx import package as package_limits

SIZES = (2, 4, 2, 3)
HEADER = 5

Found = tuple[str, str, str]
"""Sheet, cell and words of a fault, split by | where several must be there."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small workbook without a fault."""
    path = small.workbook(tmp_path_factory.mktemp("sound") / "sound.xlsx", SIZES)
    lm_xl.read_assumptions(path)
    return path


@pytest.fixture(scope="module")
def open_book(sound: Path) -> Workbook:
    """The sound workbook in memory: whoever edits it puts back what was there."""
    return openpyxl.load_workbook(sound)


@pytest.fixture
def book(sound: Path) -> Workbook:
    return openpyxl.load_workbook(sound)


def refusal(path: Path) -> tuple[lm_xl.Fault, ...]:
    with pytest.raises(lm_xl.Refused) as refused:
        lm_xl.read_assumptions(path)
    assert refused.value.faults
    for fault in refused.value.faults:
        assert fault.file == path.name
        assert fault.message in str(refused.value)
    return refused.value.faults


def is_refused(path: Path, *expected: Found) -> None:
    """Exactly the expected faults are reported, each in its place and with its words."""
    faults = refusal(path)
    listed = "\n".join(map(str, faults))
    assert sorted((f.sheet, f.cell) for f in faults) == sorted(e[:2] for e in expected), listed
    for sheet, cell, words in expected:
        messages = [f.message for f in faults if (f.sheet, f.cell) == (sheet, cell)]
        assert any(all(w in m for w in words.split("|")) for m in messages), f"{words!r} is not in\n{listed}"


def saved(book: Workbook, folder: Path) -> Path:
    """The workbook as a file, with the rows that were added inside of their tables."""
    path = folder / "bad.xlsx"
    small.extend_tables(book)
    book.save(path)
    return path


def column(book: Workbook, sheet: str, name: str) -> str:
    """The letter of a column."""
    return next(c.column_letter for c in book[sheet][HEADER] if c.value == name)


def row(book: Workbook, sheet: str, *words: str) -> int:
    """The first row that holds all the words."""
    return next(
        r[0].row for r in book[sheet].iter_rows(min_row=HEADER + 1) if set(words) <= {c.value for c in r}
    )


def cell(book: Workbook, sheet: str, words: str, name: str) -> str:
    """The address of a column's cell in the first row that holds all the words, split by |."""
    return f"{column(book, sheet, name)}{row(book, sheet, *words.split('|'))}"


def delete(book: Workbook, sheet: str, *words: str) -> None:
    book[sheet].delete_rows(row(book, sheet, *words))


# Below a table


def below(book: Workbook, *rows: tuple[int, list[Any]], sheet: str = "Epidemiology") -> int:
    """Put rows below the last of a sheet, each so many rows down. Returns the last row that was there."""
    last = int(book[sheet].max_row)
    for down, values in rows:
        for i, value in enumerate(values, 1):
            book[sheet].cell(last + down, i).value = value
    return last


def test_a_row_below_its_table_is_one_fault(book: Workbook, tmp_path: Path) -> None:
    """A formula that takes the table does not see the row; what reads the sheet does."""
    n = row(book, "Epidemiology", "lm_risk", "HR+ breast")
    values = [c.value for c in book["Epidemiology"][n]]
    japan = [*values[:1], "US", *values[2:]]
    last = below(book, (1, japan), (3, [*values[:1], "Germany", *values[2:]]))
    book.save(tmp_path / "bad.xlsx")
    beyond = f"below the range of its table, which ends in row {last}|(in A{last + 1}, A{last + 3})"
    is_refused(tmp_path / "bad.xlsx", ("Epidemiology", f"A{last + 1}", beyond))
    lm_xl.read_assumptions(saved(book, tmp_path))


@pytest.mark.parametrize("ranged", [True, False], ids=["table", "no table"])
def test_notes_below_a_table_do_no_harm(ranged: bool, book: Workbook, sound: Path, tmp_path: Path) -> None:
    if not ranged:
        book["Epidemiology"].tables.clear()
    last = below(book, (2, ["Draft of March"]), (3, [None, None, "to be checked"]), (7, ["End"]))
    book["Epidemiology"].merge_cells(f"A{last + 2}:B{last + 2}")
    book.save(tmp_path / "a.xlsx")
    a = lm_xl.read_assumptions(tmp_path / "a.xlsx")
    assert a.fingerprint == lm_xl.read_assumptions(sound).fingerprint
    below_it = [(n.cell, n.message) for n in a.notes if n.sheet == "Epidemiology"]
    assert below_it == [
        (f"A{last + 2}", "a note below the table is not read: 'Draft of March'"),
        (f"C{last + 3}", "a note below the table is not read: 'to be checked'"),
        (f"A{last + 7}", "a note below the table is not read: 'End'"),
    ]


@pytest.mark.parametrize(
    ("down", "values"), [(1, ["lm_risk"]), (2, ["lm_risk", "US"]), (2, [None] * 6 + [0.5])], ids=str
)
def test_what_may_be_a_row_is_no_note(down: int, values: list[Any], book: Workbook, tmp_path: Path) -> None:
    book["Epidemiology"].tables.clear()
    last = below(book, (down, values))
    book.save(tmp_path / "bad.xlsx")
    assert {f.cell for f in refusal(tmp_path / "bad.xlsx") if f.cell.endswith(str(last + down))}


def test_what_is_not_read_is_said(book: Workbook, tmp_path: Path) -> None:
    book.copy_worksheet(book["Pricing"]).title = "Pricing (2)"
    for title in ("Draft", "launches_old", "Launches and pipeline", "Scenarios_and_bridge", "Cover", "Notes"):
        book.create_sheet(title)
    book["Launches"]["N5"], book["Launches"]["O5"] = "comment", 7.5
    notes = [(n.sheet, n.message) for n in lm_xl.read_assumptions(saved(book, tmp_path)).notes]
    assert notes == [
        ("Launches", "columns that are not read: 'comment' (N5), 7.5 (O5)"),
        ("launches_old", "is not read: the sheet 'Launches' is, beside it"),
        ("Pricing (2)", "is not read: the sheet 'Pricing' is, beside it"),
        (
            "",
            "sheets that are not read: 'Lists', 'Pricing (2)', 'Draft', 'launches_old', 'Launches and pipeline',"
            " 'Scenarios_and_bridge' and 2 more",
        ),
    ]


# One cell


class Edit(NamedTuple):
    """A value typed in one cell, and the words of the one fault it makes, there unless `at` gives another row and column."""

    name: str
    sheet: str
    words: str
    column: str
    value: Any
    message: str
    at: tuple[str, str] = ("", "")


RISK = ("Epidemiology", "lm_risk|HR+ breast", "value")
YEARLY = ("Treatment", "treatment_rate|Germany")
LINEAR = ("Diagnosis", "care_access|Germany")
NEVER = ("Treatment", "base_share|Germany|Other drug")
SCENARIO = ("Scenarios", "care_access|set")

EDITS = [
    # labels and words
    Edit("unknown region", "Epidemiology", "lm_risk_growth|Germany", "region", "Germny", "unknown region 'Germny'|nearest is 'Germany'"),
    Edit("unknown region, none near", "Epidemiology", "lm_risk_growth|Germany", "region", "Atlantis", "'Atlantis'|allowed: 'US', 'Germany', 'Global'"),
    Edit("unknown segment", "Pricing", "list_price|Old drug", "segment", "Oldd drug", "unknown segment 'Oldd drug'|nearest is 'Old drug'"),
    Edit("unknown subtype", "Epidemiology", "subtype_share|HR+ breast", "subtype", "HR breast", "unknown subtype 'HR breast'|'HR+ breast'"),
    Edit("unknown quantity", "Epidemiology", "incident_cases|Germany", "quantity", "incident_case", "'incident_case' is no quantity|'incident_cases'"),
    Edit("unknown quantity, the only row of it", "Diagnosis", "sensitivity", "quantity", "sensitivty", "'sensitivty'|nearest is 'sensitivity'"),
    Edit("unknown unit", *RISK[:2], "unit", "shares", "'shares' is no unit of lm_risk|nearest is 'share'"),
    Edit("line on a sheet without years", "Timeline", "first_year", "fill", "linear", "first_year does not move over the years"),
    Edit("typed years on a sheet without years", "Launches", "trial_delay", "fill", "yearly", "trial_delay does not move over the years"),
    Edit("never in a line", *LINEAR, "value", "never", "care_access cannot be 'never'"),
    Edit("unit of another quantity", *RISK[:2], "unit", "USD per month", "'USD per month' is no unit of lm_risk|allowed: 'share'"),
    Edit("unknown fill", *RISK[:2], "fill", "flat", "'flat' is no fill|'constant', 'linear', 'yearly'"),
    Edit("unknown status", *RISK[:2], "status", "source", "'source' is no status|nearest is 'sourced'"),
    Edit("unknown distribution", *RISK[:2], "distribution", "betta", "'betta' is no distribution|nearest is 'beta'"),
    Edit("unknown source", *RISK[:2], "source", "TEST; TST", "unknown source 'TST'|nearest is 'TEST'"),
    Edit("unknown axis", "Axes", "scenario|High", "axis", "scenarios", "'scenarios' is no axis|nearest is 'scenario'"),
    Edit("unknown kind", "Axes", "Old drug", "kind", "Brand", "'Brand' is no kind|nearest is 'Brands'"),
    Edit("kind of a test", "Axes", "Scan", "kind", "Procedures", "the kind 'Procedures' of a segment with the role 'test'|'Diagnostic tests'"),
    Edit("kind of a region", "Axes", "US", "kind", "Brands", "'Brands': a region has no kind"),
    Edit("role of a scope", "Axes", "scope|Therapeutics", "role", "rest", "'rest': a scope has no role"),
    Edit("unknown scope", "Axes", "scope|Therapeutics", "label", "Therapies", "the scope 'Therapies' is no group of segments|nearest is 'Therapeutics'"),
    Edit("no scope of everything", "Axes", "scope|Total market", "label", "Pill set", "no scope holds every segment|leaves out 'Scan'"),
    Edit("promise of a scenario", "Axes", "scenario|High", "role", "rises", "'rises' is no role of a scenario|nearest is 'raises'"),
    Edit("schema of no version", "Axes", "schema", "label", "two", "'two' is no schema: this lm_xl reads 'version 2'"),
    Edit("schema of a newer lm_xl", "Axes", "schema", "label", "version 3", "'version 3' is of a newer lm_xl|'version 2'"),
    Edit("blank schema", "Axes", "schema", "label", None, "blank where the schema"),
    Edit("a price of two kinds", "Pricing", "price_ratio|Global|Brands", "segment", "Total market", "price_ratio of 'Total market' stands for Brands and Diagnostic tests", (None, "value")),
    Edit("unknown role", "Axes", "Old drug", "role", "rests", "'rests' is no role|nearest is 'rest'"),
    Edit("number for a label", "Epidemiology", "lm_risk_growth|Germany", "region", 49, "49 where a region is due"),
    Edit("date for a label", "Epidemiology", "lm_risk_growth|Germany", "region", dt.datetime(2025, 5, 1), "the date 2025-05-01 where a region is due"),
    Edit("error value for a label", "Epidemiology", "lm_risk_growth|Germany", "region", "#REF!", "the error value #REF! where a region is due"),
    Edit("formula without a value for a label", *RISK[:2], "subtype", "=Axes!B12", "formula with no stored value"),
    Edit("key of a quantity that does not vary", "Launches", "trial_delay", "region", "US", "'US'|trial_delay does not vary by region"),
    Edit("Cyrillic letter in a label", "Epidemiology", "lm_risk_growth|Germany", "region", "G\u0435rmany", "nearest is 'Germany'|U+0435 cyrillic small letter ie"),
    Edit("zero-width space in a label", "Pricing", "list_price|Old drug", "segment", "Old\u200b drug", "nearest is 'Old drug'|U+200B zero width space"),
    Edit("no-break space in a label", "Pricing", "list_price|Old drug", "segment", "Old\u00a0drug", "nearest is 'Old drug'|U+00A0 no-break space"),
    # blanks
    Edit("blank value", *RISK, None, "blank where a number is due"),
    Edit("value of blanks", *RISK, "  ", "blank where a number is due"),
    Edit("blank unit", *RISK[:2], "unit", None, "blank where the unit of lm_risk is due"),
    Edit("blank source", *RISK[:2], "source", None, "blank where a source is due"),
    Edit("blank status", *RISK[:2], "status", None, "blank where the status is due"),
    Edit("blank fill", *RISK[:2], "fill", None, "blank where the fill is due"),
    Edit("blank region", "Epidemiology", "lm_risk_growth|Germany", "region", None, "blank where a region is due"),
    Edit("blank quantity", "Epidemiology", "lm_risk_growth|Germany", "quantity", None, "blank where the quantity is due"),
    Edit("blank year in a yearly row", *YEARLY, "2026", None, "blank where a number is due"),
    Edit("blank end of a line", *LINEAR, "2027", None, "blank where a number is due"),
    Edit("blank amount of a scenario", *SCENARIO, "amount", None, "blank where a number is due"),
    Edit("blank reason of a scenario", *SCENARIO, "reason", None, "blank where a reason is due"),
    Edit("blank citation", "Sources", "TEST", "citation", None, "blank where a citation is due"),
    Edit("blank groups", "Axes", "Germany", "groups", None, "blank where a group is due"),
    Edit("blank label", "Axes", "Germany", "label", None, "blank where the label of a region is due"),
    # what is no number
    Edit("number as text", *RISK, "0.5", "the text '0.5' looks like a number"),
    Edit("percent as text", *RISK, "5%", "the text '5%' is not a number: type 0.05"),
    Edit("decimal comma", *RISK, "0,5", "'0,5' has a decimal comma"),
    Edit("thousands separators", "Epidemiology", "incident_cases|Germany", "value", "10,000", "'10,000' has a decimal comma or thousands separators"),
    Edit("words for a number", *RISK, "about a tenth", "the text 'about a tenth' where a number is due"),
    Edit("boolean", *RISK, True, "TRUE is not a number"),
    Edit("date", *RISK, dt.datetime(2025, 3, 1), "the date 2025-03-01 where a number is due"),
    Edit("date for a year", "Timeline", "first_year", "value", dt.date(2025, 1, 1), "the date 2025-01-01|a year as 2030"),
    Edit("#N/A", *RISK, "#N/A", "the error value #N/A"),
    Edit("#DIV/0!", *RISK, "#DIV/0!", "the error value #DIV/0!"),
    Edit("formula without a stored value", *RISK, "=0.05*2", "formula with no stored value|open the workbook in Excel"),
    Edit("text for a year", *YEARLY, "2026", "0.5", "the text '0.5' looks like a number"),
    Edit("text for an amount", *SCENARIO, "amount", "0.95", "the text '0.95' looks like a number"),
    Edit("text for a first year", "Timeline", "first_year", "value", "2025", "the text '2025' looks like a number"),
    Edit("text for a published value", "Published", "Nobody", "value", "1.3bn", "the text '1.3bn' where a number is due"),
    # ranges
    Edit("percent for a share", *RISK, 5, "5 (share) is outside 0 to 1|5 % is typed 0.05"),
    Edit("percent for a growth", "Epidemiology", "lm_risk_growth|Germany", "value", -2, "-2 (per year) is outside -0.3 to 0.3|-2 % is typed -0.02"),
    Edit("negative share", *RISK, -0.1, "-0.1 (share) is outside 0 to 1"),
    Edit("share just above 1", *RISK, 1.0000001, "1.0000001 (share) is outside 0 to 1"),
    Edit("negative price", "Pricing", "list_price|Old drug", "value", -1, "-1 (USD per month) is outside 0 to 1e+07"),
    Edit("implausible growth", "Pricing", "price_growth|Germany", "value", 0.5, "0.5 (per year) is outside -0.3 to 0.3"),
    Edit("year out of the calendar", "Timeline", "last_year", "value", 20270, "20270 (year) is outside 1900 to 2100"),
    Edit("percent in a yearly row", *YEARLY, "2026", 51, "51 (share) is outside 0 to 1|typed 0.51"),
    Edit("published value below 0", "Published", "Nobody", "value", -5, "-5 (revenue) is outside 0 to 1e+15"),
    # what a row may hold
    Edit("never where a number must be", *RISK, "never", "lm_risk cannot be 'never'"),
    Edit("never for a sum of shares", "Epidemiology", "subtype_share|HR+ breast", "value", "never", "subtype_share cannot be 'never'"),
    Edit("number beside never", *NEVER, "2026", 0.1, "0.1 beside 'never'"),
    Edit("low beside never", *NEVER, "low", 0.1, "0.1 beside 'never'"),
    Edit("distribution beside never", *NEVER, "distribution", "pert", "'pert' beside 'never'"),
    Edit("year beside a constant", "Diagnosis", "test_use|Germany", "2026", 0.4, "0.4 where the fill 'constant' takes only 'value'"),
    Edit("middle year of a line", *LINEAR, "2026", 0.4, "0.4 where the fill 'linear' takes only 2025 and 2027"),
    Edit("value beside a line", *LINEAR, "value", 0.4, "0.4 where the fill 'linear' takes only 2025 and 2027"),
    Edit("value beside typed years", *YEARLY, "value", 0.4, "0.4 where the fill 'yearly' takes the years and not 'value'"),
    Edit("low beside fixed", *RISK[:2], "low", 0.05, "0.05 beside the distribution 'fixed'"),
    Edit("high beside fixed", *RISK[:2], "high", 0.2, "0.2 beside the distribution 'fixed'"),
    Edit("distribution without low and high", *RISK[:2], "distribution", "beta", "'beta' needs low and high", (RISK[1], "low")),
    # the model's rules
    Edit("subtype shares below 1", "Epidemiology", "subtype_share|HR+ breast", "value", 0.9, "subtype_share of 'Breast' for US sums to 0.9|must sum to 1"),
    Edit("test priced per month", "Pricing", "list_price|Scan", "unit", "USD per month", "list_price of the test Scan is in USD per month|'USD per test'", ("list_price|Scan", "value")),
    Edit("therapy in courses", "Treatment", "months_on_therapy|New drug", "unit", "courses", "New drug is in courses|(Pricing!G7) is in USD per month", ("months_on_therapy|New drug", "value")),
    Edit("orphan exclusivity without a patent", "Launches", "patent_expiry|Germany", "value", "never", "orphan_exclusivity 2 of Germany x New drug, whose patent_expiry is never|one before launch", ("orphan_exclusivity|Germany", "value")),
    Edit("fractional first year", "Timeline", "first_year", "value", 2025.5, "2025.5 is not a whole year"),
    Edit("fractional index year", "Timeline", "index_year", "value", 2025.5, "2025.5 is not a whole year"),
    Edit("last year before the first", "Timeline", "last_year", "value", 2020, "first_year 2025 and last_year 2020"),
    Edit("one year", "Timeline", "last_year", "value", 2025, "2 to 100 years"),
    Edit("horizon too long", "Timeline", "first_year", "value", 1900, "first_year 1900 and last_year 2027|over 2 to 100 years", at=("last_year", "value")),
    # axes
    Edit("leaf twice, in another case", "Axes", "Germany", "label", "us", "'us' is there already, in B6"),
    Edit("set without a rest member", "Axes", "Old drug", "role", "incumbent", "the set 'Pill set' has 0 rest members"),
    Edit("set of a region", "Axes", "US", "set", "Americas", "'Americas': a region has no set"),
    Edit("set of a test", "Axes", "Scan", "set", "Pill set", "'Pill set': a test has no set"),
    Edit("role of a subtype", "Axes", "EGFR lung", "role", "rest", "'rest': a subtype has no role"),
    Edit("group of a scenario", "Axes", "High", "groups", "Global", "'Global': a scenario has no groups"),
    Edit("therapy without a set", "Axes", "Other drug", "set", None, "blank where the label of a set is due"),
    Edit("group with the name of another's set", "Axes", "HR+ breast", "groups", "All cancers; Lung", "'Lung' is a set, to which 'HR+ breast' does not belong"),
    Edit("label that is a wildcard", "Axes", "Germany", "label", "Germ*", "the label 'Germ*' may not begin with"),
    Edit("label that is a formula", "Axes", "Germany", "groups", "Global; =A1", "the group '=A1' may not begin with"),
    Edit("label too long", "Axes", "Germany", "label", "G" * 81, "has 81 characters; at most 80"),
    Edit("label that is a number", "Axes", "Germany", "label", "49", "the label '49' has no letter"),
    Edit("label that is a quantity", "Axes", "Germany", "label", "lm_risk", "is the name of a quantity"),
    Edit("label with a Cyrillic letter", "Axes", "Germany", "label", "G\u0435rmany", "mixes cyrillic and latin letters|U+0435"),
    Edit("label with a zero-width space", "Axes", "Germany", "label", "Ger\u200bmany", "invisible|U+200B"),
    Edit("label with a no-break space", "Axes", "Old drug", "label", "Old\u00a0drug", "odd blank|U+00A0"),
    Edit("label with a line break", "Axes", "Old drug", "label", "Old\ndrug", "invisible"),
    Edit("label with an accent apart", "Axes", "Germany", "label", "Allemagne\u0301", "accent apart from its letter|U+0301"),
    # products
    Edit("product of an unknown segment", "Products", "New drug one", "segment", "Nw drug", "unknown segment 'Nw drug'|nearest is 'New drug'"),
    Edit("product of a group", "Products", "New drug one", "segment", "Pill set", "'Pill set' is a group: a product belongs to one segment"),
    Edit("product twice", "Products", "Younger pill", "product", "OLD DRUG ONE", "'OLD DRUG ONE' of 'Old drug' is there already, in B6"),
    Edit("product without a company", "Products", "Scan one", "company", None, "blank where a company is due"),
    Edit("alliance of semicolons", "Products", "Scan one", "company", ";", "';' where a company is due"),
    Edit("alliance in another order", "Products", "Scan one", "company", "zenith; ACME", "the alliance 'zenith; ACME' is called 'Acme; Zenith' above"),
    Edit("company that is a wildcard", "Products", "Scan one", "company", "Acme; Z*", "the company 'Z*' may not begin with"),
    Edit("shares of products below 1", "Products", "Younger pill", "share", 0.6, "the shares of 'Old drug' sum to 0.9, not to 1", ("Old drug one", "share")),
    Edit("share in per cent", "Products", "Younger pill", "share", 70, "70 (share) is outside 0 to 1; 70 % is typed 0.7"),
    Edit("unknown phase", "Products", "Younger pill", "phase", "Phase II", "'Phase II' is no phase|nearest is 'Phase 3'"),
    Edit("trial without digits", "Products", "Younger pill", "trials", "NCT00000001; BLOOM", "'BLOOM' is no id of a trial, such as NCT06500481"),
    Edit("product of an unknown source", "Products", "Scan one", "source", "TST", "unknown source 'TST'|nearest is 'TEST'"),
    # scenarios, published figures
    Edit("unknown scenario", *SCENARIO, "scenario", "Hihg", "'Hihg' is no scenario|nearest is 'High'"),
    Edit("unknown operation", *SCENARIO, "operation", "times", "'times' is no operation|'multiply', 'add', 'set'"),
    Edit("scenario on the timeline", *SCENARIO, "quantity", "first_year", "first_year is the same in every scenario"),
    Edit("scenario out of range", "Scenarios", "lm_risk", "amount", 20, "takes lm_risk of Global x HR+ breast to 1.5888, outside 0 to 1"),
    Edit("scenario that multiplies by 1", "Scenarios", "lm_risk", "amount", 1, "changes nothing: its amount leaves any value as it is"),
    Edit("scenario that adds 0", "Scenarios", "care_access|add", "amount", 0, "the delta on care_access of Global changes nothing"),
    Edit("scenario beyond any number", *SCENARIO, "amount", 1e308, "1e+308 (amount) is outside -1e+15 to 1e+15"),
    Edit("scenario of an unknown region", *SCENARIO, "region", "USA", "unknown region 'USA'|nearest is 'US'"),
    Edit("unknown metric", "Published", "Nobody", "metric", "revenues", "'revenues' is no metric|nearest is 'revenue'"),
    Edit("unknown result", "Bands", "diagnosed_share", "result", "diagnosed_shares", "'diagnosed_shares' is no result|nearest is 'diagnosed_share'"),
    Edit("band beyond a share", "Bands", "diagnosed_share", "high", 1.5, "1.5 (diagnosed_share) is outside 0 to 1"),
    Edit("band of the timeline", "Bands", "diagnosed_share", "result", "index_year", "'index_year' is no result"),
    Edit("band of a quantity in one year", "Bands", "lm_risk", "year", 2025, "2025: a band of a quantity is of all years, leave it blank"),
    Edit("band of a quantity without a label", "Bands", "lm_risk", "subtype", None, "blank where a subtype is due"),
    Edit("band of a quantity beyond its range", "Bands", "lm_risk", "high", 1.5, "1.5 (lm_risk) is outside 0 to 1"),
    Edit("band of a label that does not vary", "Bands", "sensitivity", "region", "US", "'US': sensitivity does not vary by region"),
    Edit("band of a result by segment", "Bands", "diagnosed_share", "segment", "Scan", "'Scan': no result of a band is of a segment"),
    Edit("band upside down", "Bands", "diagnosed_share", "high", 0.5, "0.5 is below the low 0.99"),
    Edit("band of another year", "Bands", "diagnosed_share", "year", 2020, "2020 is no year of the model: allowed 2025 to 2027"),
    Edit("text for a rate", "Currencies", "EUR", "rate", "0,8", "the text '0,8' has a decimal comma"),
    Edit("rate of nothing", "Currencies", "EUR", "rate", 0, "0 (units per USD) is outside 1e-06 to 1e+06"),
    Edit("a dollar that is not one", "Currencies", "USD", "rate", 2, "2: one USD is 1 USD"),
    Edit("currency twice", "Currencies", "EUR", "currency", "usd", "'usd' is there already"),
    Edit("rate without a date", "Currencies", "EUR", "date", None, "blank where the date of the rate is due"),
    Edit("source of semicolons", *RISK[:2], "source", " ; ; ", "'; ;' where a source is due"),
    Edit("groups of semicolons", "Axes", "Germany", "groups", ";", "';' where a group is due"),
    Edit("rate of some day", "Currencies", "EUR", "date", "soon", "'soon' is no date: type it as 2025-12-31"),
    Edit("rate of a day that is none", "Currencies", "EUR", "date", "2025-02-30", "'2025-02-30' is no date"),
    Edit("rate of a day in another form", "Currencies", "EUR", "date", "31.12.2024", "'31.12.2024' is no date: type it as 2025-12-31"),
    Edit("rate of a number", "Currencies", "EUR", "date", 45657, "45657 is no date: format the cell as a date, or type it as 2025-12-31"),
    Edit("rate of a day to come", "Currencies", "EUR", "date", dt.date(2131, 1, 1), "the date 2131-01-01 is a date to come"),
    Edit("change of some day", "Changes", "1", "date", "yesterday", "'yesterday' is no date"),
    Edit("source of a year to come", "Sources", "TEST", "year", "2131", "2131 is no year of a publication: allowed 1800 to 2"),
    Edit("source of a year with a slip", "Sources", "TEST", "year", 20255, "20255 is no year of a publication"),
    Edit("change without an effect", "Changes", "1", "effect", None, "blank where the effect of a change is due"),
    Edit("published in another unit", "Published", "Nobody", "unit", "EUR", "'EUR' is no unit of revenue|'USD'"),
    Edit("published within a year", "Published", "Nobody", "year", 2025.5, "2025.5 is not a whole year"),
    Edit("published for an unknown segment", "Published", "Nobody", "segment", "Total markets", "'Total markets'|nearest is 'Total market'"),
]  # fmt: skip


@pytest.mark.parametrize("edit", EDITS, ids=[e.name for e in EDITS])
def test_one_bad_cell_is_one_fault(edit: Edit, open_book: Workbook, tmp_path: Path) -> None:
    place = cell(open_book, edit.sheet, edit.words, edit.column)
    typed = open_book[edit.sheet][place]
    expected = edit.sheet, cell(open_book, edit.sheet, edit.at[0] or edit.words, edit.at[1] or edit.column)
    before, kind, style = typed.value, typed.data_type, copy(typed._style)
    try:
        typed.value = edit.value
        path = saved(open_book, tmp_path)
    finally:
        typed.value, typed.data_type, typed._style = before, kind, style
    is_refused(path, (*expected, edit.message))


def test_a_dollar_is_one_however_it_is_spelled(book: Workbook, tmp_path: Path) -> None:
    rate = cell(book, "Currencies", "USD", "rate")
    book["Currencies"][rate] = 2
    book["Currencies"][cell(book, "Currencies", "USD", "currency")] = "usd"
    is_refused(saved(book, tmp_path), ("Currencies", rate, "2: one USD is 1 USD"))


# Several cells, rows, columns, sheets


def label_removed(book: Workbook) -> list[Found]:
    """What other sheets key to a removed region: one fault a sheet, with all its cells."""
    delete(book, "Axes", "region", "Germany")
    faults = []
    for sheet in ("Epidemiology", "Diagnosis", "Treatment", "Launches", "Pricing"):
        rows = [r[1].row for r in book[sheet].iter_rows(min_row=HEADER + 1) if r[1].value == "Germany"]
        faults.append(
            (sheet, f"B{rows[0]}", f"unknown region 'Germany': allowed: 'US', 'Global'|(in B|{rows[-1]}")
        )
    return faults


def label_misspelt_on_axes(book: Workbook) -> list[Found]:
    """A label that only the Axes sheet misspells is told once a sheet, with the label it should be."""
    book["Axes"][cell(book, "Axes", "HR+ breast", "label")] = "HR+ brest"
    return [
        ("Epidemiology", "D18", "unknown subtype 'HR+ breast': nearest is 'HR+ brest' (in D18, D20, D23)"),
        ("Scenarios", "E6", "unknown subtype 'HR+ breast': nearest is 'HR+ brest'"),
    ]


def region_without_rows(book: Workbook) -> list[Found]:
    """A region that stands in no group that Epidemiology's rows are keyed to: one fault for each quantity."""
    book["Axes"].append(["region", "France", None, None, None, "Everywhere"])
    for region in ("US", "Germany"):
        book["Axes"][cell(book, "Axes", region, "groups")] = "Global; Everywhere"
    by_region = [q for q in QUANTITIES.values() if REGION in q.dims]
    return [(q.sheet, "", f"no row of {q.name} covers region 'France'") for q in by_region]


def row_missing(book: Workbook) -> list[Found]:
    delete(book, "Diagnosis", "sensitivity")
    return [("Diagnosis", "", "no row of sensitivity (share of LM patients whom the test finds")]


def segment_without_products(book: Workbook) -> list[Found]:
    delete(book, "Products", "Scan one")
    return [("Products", "", "no product of 'Scan': add a row, with the share 1 if there is only one")]


def row_missing_for_a_subtype(book: Workbook) -> list[Found]:
    """What one row covered is one fault."""
    delete(book, "Epidemiology", "subtype_share", "EGFR lung")
    return [("Epidemiology", "", "no row of subtype_share covers region 'Global' with EGFR lung")]


def row_twice(book: Workbook) -> list[Found]:
    n = row(book, "Epidemiology", "lm_risk", "EGFR lung")
    book["Epidemiology"].append([c.value for c in book["Epidemiology"][n]])
    return [
        (
            "Epidemiology",
            f"G{book['Epidemiology'].max_row}",
            f"lm_risk of Global x EGFR lung is there already, in Epidemiology!G{n}",
        )
    ]


def row_twice_that_covers_nothing(book: Workbook) -> list[Found]:
    """More specific rows leave neither of the two anything."""
    n = row(book, "Epidemiology", "lm_risk", "All cancers")
    book["Epidemiology"].append([c.value for c in book["Epidemiology"][n]])
    return [("Epidemiology", f"G{book['Epidemiology'].max_row}", f"is there already, in Epidemiology!G{n}")]


def row_twice_in_another_case(book: Workbook) -> list[Found]:
    n = row(book, "Epidemiology", "lm_risk", "EGFR lung")
    book["Epidemiology"].append(
        [c.value.upper() if c.column == 4 else c.value for c in book["Epidemiology"][n]]
    )
    return [("Epidemiology", f"G{book['Epidemiology'].max_row}", f"is there already, in Epidemiology!G{n}")]


def crossing_rows(book: Workbook) -> list[Found]:
    delete(book, *NEVER[:1], *NEVER[1].split("|"))
    n = row(book, "Treatment", "base_share", "Germany", "Total market")
    tie = "of Germany x Total market x All cancers and of Global x Other drug x EGFR lung|both cover Germany x Other drug x EGFR lung|neither is the more specific"
    return [("Treatment", f"G{n}", tie)]


def count_of_a_group(book: Workbook) -> list[Found]:
    """Spain and Portugal have the cases of Iberia: each would have all of them."""
    for region in ("Spain", "Portugal"):
        book["Axes"].append(["region", region, None, None, None, "Global; Iberia"])
    n = row(book, "Epidemiology", "incident_cases", "Germany")
    book["Epidemiology"].append([c.value for c in book["Epidemiology"][n]])
    last = book["Epidemiology"].max_row
    book["Epidemiology"][f"B{last}"] = "Iberia"
    return [
        (
            "Epidemiology",
            f"G{last}",
            "incident_cases of Iberia x All cancers is a count, and each of 2 regions ('Spain', 'Portugal')|own row",
        )
    ]


def row_of_no_segment_that_has_it(book: Workbook) -> list[Found]:
    n = row(book, "Launches", "trial_delay")
    book["Launches"].append([c.value for c in book["Launches"][n]])
    last = book["Launches"].max_row
    book["Launches"][f"C{last}"] = "Scan"
    return [("Launches", f"G{last}", "trial_delay of Scan: only entrant segments have it")]


def row_on_the_wrong_sheet(book: Workbook) -> list[Found]:
    n = row(book, "Epidemiology", "lm_risk", "EGFR lung")
    book["Launches"].append([c.value for c in book["Epidemiology"][n]])
    book["Epidemiology"].delete_rows(n)
    return [("Launches", f"A{book['Launches'].max_row}", "lm_risk belongs on the sheet 'Epidemiology'")]


def line_where_nothing_moves(book: Workbook) -> list[Found]:
    n = row(book, "Treatment", "peak_share", "Germany")
    book["Treatment"][f"F{n}"], book["Treatment"][f"G{n}"] = "linear", None
    book["Treatment"][f"H{n}"], book["Treatment"][f"J{n}"] = 0.1, 0.2
    return [("Treatment", f"F{n}", "peak_share does not move over the years: its fill is 'constant'")]


def bounds(
    low: float | None, high: float | None, words: str, name: str = "low"
) -> Callable[[Workbook], list[Found]]:
    def change(book: Workbook) -> list[Found]:
        for column_name, value in (("distribution", "beta"), ("low", low), ("high", high)):
            book["Epidemiology"][cell(book, *RISK[:2], column_name)] = value
        return [("Epidemiology", cell(book, *RISK[:2], name), words)]

    return change


def set_use_differs(book: Workbook) -> list[Found]:
    n = row(book, "Treatment", "set_use")
    book["Treatment"].append([c.value for c in book["Treatment"][n]])
    last = book["Treatment"].max_row
    book["Treatment"][f"C{last}"], book["Treatment"][f"G{last}"] = "New drug", 0.6
    return [
        (
            "Treatment",
            f"G{last}",
            "set_use for US x HR+ breast differs between 'Old drug' and 'New drug', members of 'Pill set'",
        )
    ]


def shares_above_one(name: str, role: str) -> Callable[[Workbook], list[Found]]:
    """Two therapies of one role in one set, which a row gives 0.6 each."""

    def change(book: Workbook) -> list[Found]:
        book["Axes"].append(
            ["segment", "Third drug", "Pill set", role, "Brands", "Therapeutics; Total market"]
        )
        kept = (
            ("Treatment", "months_on_therapy|Old drug"),
            ("Pricing", "list_price|Old drug"),
            ("Pricing", "administration_price|Old drug"),
            ("Products", "New drug one"),
        )
        for sheet, words in kept:
            n = row(book, sheet, *words.split("|"))
            book[sheet].append(
                ["Third drug" if c.value in ("Old drug", "New drug") else c.value for c in book[sheet][n]]
            )
        place = cell(book, "Treatment", f"{name}|Global", "value")
        book["Treatment"][place] = 0.6
        return [
            ("Treatment", place, f"{name} of 'Pill set' for US x HR+ breast sums to 1.2: they may not pass 1")
        ]

    return change


def every_wrong_sum_is_told(book: Workbook) -> list[Found]:
    for subtype in ("HR+ breast", "EGFR lung"):
        book["Epidemiology"][cell(book, "Epidemiology", f"subtype_share|{subtype}", "value")] = 0.9
    return [
        (
            "Epidemiology",
            cell(book, "Epidemiology", "subtype_share|HR+ breast", "value"),
            "of 'Breast' for US sums to 0.9",
        ),
        (
            "Epidemiology",
            cell(book, "Epidemiology", "subtype_share|EGFR lung", "value"),
            "of 'Lung' for US sums to 0.9",
        ),
    ]


def scenario(
    quantity: str,
    region: str,
    subtype: str,
    operation: str,
    amount: float,
    words: str,
    segment: str | None = None,
) -> Callable[[Workbook], list[Found]]:
    def change(book: Workbook) -> list[Found]:
        book["Scenarios"].append(
            ["High", quantity, region, segment, subtype, operation, amount, "TEST", "placeholder", "a test"]
        )
        return [("Scenarios", f"G{book['Scenarios'].max_row}", words)]

    return change


def price_per_course(book: Workbook) -> list[Found]:
    book["Pricing"][cell(book, "Pricing", "list_price|New drug", "unit")] = "USD per course"
    at = cell(book, "Treatment", "months_on_therapy|New drug", "value")
    return [
        (
            "Treatment",
            at,
            "months_on_therapy of New drug is in months but its list_price (Pricing!G7) is in USD per course",
        ),
        (
            "Pricing",
            cell(book, "Pricing", "administration_price|New drug", "value"),
            "administration_price of New drug is in USD per month but its list_price (Pricing!G7) is in USD per course",
        ),
    ]


def group_named_like_a_leaf(book: Workbook) -> list[Found]:
    book["Axes"][cell(book, "Axes", "US", "groups")] = "Global; germany"
    return [
        ("Axes", cell(book, "Axes", "Germany", "label"), "'germany' is both a region and a group (of 'US')")
    ]


def no_group_of_all(book: Workbook) -> list[Found]:
    book["Axes"][cell(book, "Axes", "Germany", "groups")] = "Europe"
    return [("Axes", cell(book, "Axes", "US", "groups"), "no group holds every region")]


def two_rest_members(book: Workbook) -> list[Found]:
    book["Axes"][cell(book, "Axes", "Other drug", "role")] = "rest"
    return [("Axes", cell(book, "Axes", "Old drug", "role"), "the set 'Pill set' has 2 rest members")]


def no_scenario(book: Workbook) -> list[Found]:
    book["Axes"].delete_rows(row(book, "Axes", "Base"), 2)
    return [("Axes", "", "no scenario is listed")]


def no_first_year(book: Workbook) -> list[Found]:
    delete(book, "Timeline", "first_year")
    return [("Timeline", "", "no row of first_year")]


def no_years_at_all(book: Workbook) -> list[Found]:
    delete(book, "Timeline", "first_year")
    delete(book, "Timeline", "last_year")
    for sheet in ("Diagnosis", "Treatment", "Pricing"):
        book[sheet].delete_cols(8, 3)
    return [("Timeline", "", "no row of first_year and last_year")]


def source_twice(book: Workbook) -> list[Found]:
    book["Sources"].append(["test", "The same again"])
    return [("Sources", "A7", "the source 'test' is there already, in A6")]


def pasted(sheet: str, words: str, told: str, name: str, **other: Any) -> Callable[[Workbook], list[Found]]:
    """A row of a sheet once more below its last, perhaps with other values in some columns."""

    def change(book: Workbook) -> list[Found]:
        n = row(book, sheet, *words.split("|"))
        book[sheet].append([c.value for c in book[sheet][n]])
        last = book[sheet].max_row
        for of, value in other.items():
            book[sheet][f"{column(book, sheet, of)}{last}"] = value
        at = column(book, sheet, name)
        return [(sheet, f"{at}{last}", f"{told} is there already, in {at}{n}")]

    return change


def delta_for_the_same_labels(book: Workbook) -> list[Found]:
    """Global and Everywhere hold the same regions: the second delta is the first once more, whatever its amount."""
    for region in ("US", "Germany"):
        book["Axes"][cell(book, "Axes", region, "groups")] = "Global; Everywhere"
    told = "the multiply of lm_risk of Everywhere x HR+ breast in 'High'"
    return pasted("Scenarios", "lm_risk", told, "amount", region="Everywhere", amount=1.1)(book)


def sheet_misspelt(book: Workbook) -> list[Found]:
    book["Pricing"].title = "Pricng"
    return [("Pricing", "", "the sheet 'Pricing' is missing: nearest is 'Pricng'")]


def sheet_missing(book: Workbook) -> list[Found]:
    del book["Axes"]
    return [("Axes", "", "the sheet 'Axes' is missing")]


def sheet_twice(book: Workbook) -> list[Found]:
    book.copy_worksheet(book["Pricing"]).title = "Pricing "
    return [("Pricing", "", "2 sheets are called 'Pricing'")]


def sheet_hidden(book: Workbook) -> list[Found]:
    book["Launches"].sheet_state = "hidden"
    return [("Launches", "", "the sheet is hidden")]


def sheet_very_hidden(book: Workbook) -> list[Found]:
    book["Launches"].sheet_state = "veryHidden"
    return [("Launches", "", "the sheet is hidden")]


def row_hidden(book: Workbook) -> list[Found]:
    book["Launches"].row_dimensions[8].hidden = True
    return [("Launches", "A8", "the row is hidden, perhaps by a filter")]


def column_hidden(book: Workbook) -> list[Found]:
    book["Epidemiology"].column_dimensions["E"].hidden = True
    return [("Epidemiology", "E5", "the column is hidden")]


def cells_merged(book: Workbook) -> list[Found]:
    book["Launches"].merge_cells("M8:M9")
    book["Launches"].merge_cells("N8:N9")  # beside the table
    book["Launches"].merge_cells("A1:C1")  # above it
    return [("Launches", "M8:M9", "merged cells: unmerge them")]


def column_missing(book: Workbook) -> list[Found]:
    book["Launches"]["L5"] = "stauts"
    return [("Launches", "A5", "the column 'status' is missing: nearest is 'stauts'")]


def column_missing_that_keys(book: Workbook) -> list[Found]:
    book["Launches"]["B5"] = "country"
    return [("Launches", "A5", "the column 'region' is missing")]


def column_of_quantities_missing(book: Workbook) -> list[Found]:
    book["Launches"]["A5"] = "assumption"
    return [("Launches", "A5", "the column 'quantity' is missing")]


def column_twice(book: Workbook) -> list[Found]:
    book["Launches"]["N5"] = " Value"
    return [("Launches", "N5", "the column 'value' is there twice")]


def column_of_a_year_missing(book: Workbook) -> list[Found]:
    book["Treatment"]["I5"] = "year two"
    words = "columns of years are missing (2026): the timeline runs 2025 to 2027; 'year two' (I5) is no year"
    return [("Treatment", "I5", words)]


def year_headers_misspelt(book: Workbook) -> list[Found]:
    book["Treatment"]["H5"], book["Treatment"]["I5"] = "FY2025", dt.datetime(2026, 1, 1)
    words = "columns of years are missing (2025, 2026)|'FY2025' (H5), the date 2026-01-01 (I5) are no years"
    return [("Treatment", "H5", words)]


def value_beyond_the_timeline(book: Workbook) -> list[Found]:
    book["Treatment"]["Q5"], book["Treatment"]["Q19"] = 2028, 0.53
    return [("Treatment", "Q19", "0.53 outside the timeline 2025 to 2027")]


def no_header(book: Workbook) -> list[Found]:
    book["Launches"].delete_rows(HEADER)
    return [("Launches", "", "no header row within the first 20 rows; it needs the columns quantity, region")]


def sheet_empty(book: Workbook) -> list[Found]:
    book["Launches"].delete_rows(1, 100)
    return [("Launches", "", "no header row")]


def data_far_below(book: Workbook) -> list[Found]:
    book["Launches"]["A1048576"] = "trial_delay"
    return [("Launches", "A1048576", "data in row 1,048,576; at most 20,000 rows are read")]


def many_rows(book: Workbook) -> list[Found]:
    for _ in range(30_000):
        book["Sources"].append(["TEST"])
    return [("Sources", "A20001", "at most 20,000 rows are read")]


TOGETHER = (
    "unknown unit", "subtype shares below 1", "unknown region", "orphan exclusivity without a patent", "unknown operation", "blank citation",
    "test priced per month", "decimal comma", "fractional first year", "blank year in a yearly row", "distribution beside never", "unknown source",
)  # fmt: skip


def several_at_once(book: Workbook) -> list[Found]:
    """Faults of many kinds in one file are told together: none hides another, and none causes another."""
    edits = [e for e in EDITS if e.name in TOGETHER]
    assert len(edits) == len(TOGETHER)
    places = [
        (cell(book, e.sheet, e.words, e.column), cell(book, e.sheet, e.at[0] or e.words, e.at[1] or e.column))
        for e in edits
    ]
    for edit, (typed, _) in zip(edits, places, strict=True):
        book[edit.sheet][typed] = edit.value
    return [(edit.sheet, told, edit.message) for edit, (_, told) in zip(edits, places, strict=True)]


def correlated(change: Callable[[Workbook], list[Found]]) -> Callable[[Workbook], list[Found]]:
    """Three inputs that go together as they can only do all three, before another change."""

    def changed(book: Workbook) -> list[Found]:
        for sheet, quantity in (
            ("Epidemiology", "lm_risk"),
            ("Pricing", "list_price"),
            ("Diagnosis", "sensitivity"),
        ):
            for n in [r[0].row for r in book[sheet].iter_rows(min_row=6) if r[0].value == quantity]:
                value = book[sheet][f"{column(book, sheet, 'value')}{n}"].value
                for name, typed in (("distribution", "pert"), ("low", value * 0.9), ("high", value * 1.1)):
                    book[sheet][f"{column(book, sheet, name)}{n}"] = typed
        subtype, segment = "All cancers", "Total market"
        for n, (one, other, r) in enumerate(
            (
                (("lm_risk", None, subtype), ("list_price", segment, None), 0.9),
                (("lm_risk", None, subtype), ("sensitivity", segment, None), 0.9),
                (("list_price", segment, None), ("sensitivity", segment, None), 0.9),
                (("lm_risk", None, subtype), ("lm_risk", None, subtype), 0.9),
                (("list_price", segment, None), ("list_price", segment, None), 0.9),
            ),
            HEADER + 1,
        ):
            for i, typed in enumerate((*one, *other, r, "TEST", "placeholder"), 1):
                book["Correlations"].cell(n, i).value = typed
        return change(book)

    return changed


def sheet_of_correlated_missing(book: Workbook) -> list[Found]:
    del book["Diagnosis"]
    return [("Diagnosis", "", "the sheet 'Diagnosis' is missing")]


def correlated_misspelt(book: Workbook) -> list[Found]:
    place = cell(book, "Diagnosis", "sensitivity", "quantity")
    book["Diagnosis"][place] = "sensitivty"
    return [("Diagnosis", place, "'sensitivty'|nearest is 'sensitivity'")]


def correlated_without_spread(book: Workbook) -> list[Found]:
    place = cell(book, "Diagnosis", "sensitivity", "distribution")
    book["Diagnosis"][place] = "prt"
    return [("Diagnosis", place, "'prt' is no distribution")]


def correlation_misspelt(book: Workbook) -> list[Found]:
    book["Correlations"]["A7"] = "lm_rsk"
    return [("Correlations", "A7", "'lm_rsk' is no quantity|nearest is 'lm_risk'")]


def correlation_that_is_lost(book: Workbook) -> list[Found]:
    """Without it the others could not hold together, which nobody said."""
    book["Correlations"]["G8"] = "high"
    return [("Correlations", "G8", "the text 'high' where a number is due")]


def broken_axis_hides_nothing_else(book: Workbook) -> list[Found]:
    """Where an axis cannot be trusted, labels of that axis are not looked up; those of other axes and all numbers still are."""
    book["Axes"][cell(book, "Axes", "Germany", "label")] = "G\u0435rmany"
    book["Pricing"][cell(book, "Pricing", "list_price|Old drug", "segment")] = "Oldd drug"
    place = cell(book, *RISK)
    book["Epidemiology"][place] = 5
    return [
        ("Axes", "B7", "mixes cyrillic and latin letters"),
        ("Pricing", "C6", "nearest is 'Old drug'"),
        ("Epidemiology", place, "5 %"),
    ]


def the_same_in_many_rows(book: Workbook) -> list[Found]:
    """One fault that stands in many rows is one fault, with all its cells."""
    for r in range(HEADER + 1, book["Epidemiology"].max_row + 1):
        book["Epidemiology"][f"K{r}"] = "TEST" if r == 9 else "SEER"
    return [("Epidemiology", "K6", "unknown source 'SEER': allowed: 'TEST' (in K6:K8, K10:K25)")]


CHANGES = {
    "label removed from Axes": label_removed,
    "label misspelt on Axes": label_misspelt_on_axes,
    "region without rows": region_without_rows,
    "row missing": row_missing,
    "segment without products": segment_without_products,
    "row missing for a subtype": row_missing_for_a_subtype,
    "row twice": row_twice,
    "row twice that covers nothing": row_twice_that_covers_nothing,
    "row twice in another case": row_twice_in_another_case,
    "crossing rows": crossing_rows,
    "count of a group": count_of_a_group,
    "row of no segment that has it": row_of_no_segment_that_has_it,
    "row on the wrong sheet": row_on_the_wrong_sheet,
    "line where nothing moves": line_where_nothing_moves,
    "low above high": bounds(0.3, 0.2, "low 0.3 is above high 0.2"),
    "value below low": bounds(0.3, 0.4, "low 0.3 to high 0.4 does not hold the value 0.07944"),
    "value above high": bounds(0.01, 0.02, "low 0.01 to high 0.02 does not hold the value 0.07944"),
    "low without high": bounds(0.01, None, "blank where a number is due", "high"),
    "high out of range": bounds(0.01, 1.5, "1.5 (share) is outside 0 to 1", "high"),
    "set_use differs": set_use_differs,
    "base shares above 1": shares_above_one("base_share", "incumbent"),
    "peak shares above 1": shares_above_one("peak_share", "entrant"),
    "every wrong sum is told": every_wrong_sum_is_told,
    "scenario breaks a sum": scenario(
        "subtype_share", "US", "EGFR lung", "multiply", 0.5, "of 'Lung' for US sums to 0.5 in scenario 'High'"
    ),
    "scenario breaks a set": scenario(
        "set_use",
        "US",
        "EGFR lung",
        "set",
        0.9,
        "set_use for US x EGFR lung differs|in scenario 'High'",
        "New drug",
    ),
    "scenario sets a count of a group": scenario(
        "incident_cases",
        "Global",
        "EGFR lung",
        "set",
        5000,
        "is a count, and each of 2 regions ('US', 'Germany')",
    ),
    "scenario never applies": scenario(
        "base_share",
        "Global",
        "EGFR lung",
        "multiply",
        0.5,
        "changes nothing: it never applies there",
        "Other drug",
    ),
    "scenario for a segment without it": scenario(
        "peak_share", "US", "EGFR lung", "set", 0.5, "it never applies there", "Scan"
    ),
    "price per course": price_per_course,
    "group named like a leaf": group_named_like_a_leaf,
    "no group of all": no_group_of_all,
    "two rest members": two_rest_members,
    "no scenario": no_scenario,
    "no first year": no_first_year,
    "no years at all": no_years_at_all,
    "source twice": source_twice,
    "delta twice": pasted(
        "Scenarios", "care_access|add", "the add of care_access of Global in 'High'", "amount"
    ),
    "delta twice, in another case and with another amount": pasted(
        "Scenarios",
        "care_access|add",
        "the add of care_access of Global in 'High'",
        "amount",
        region="GLOBAL",
        amount=-0.01,
    ),
    "delta twice, for the same labels": delta_for_the_same_labels,
    "published figure twice": pasted(
        "Published",
        "Nobody",
        "'Market size' of 'NOBODY' for Global x Total market x All cancers in 2025",
        "value",
        publisher="NOBODY",
        value=2,
    ),
    "band twice": pasted(
        "Bands",
        "diagnosed_share",
        "the band of diagnosed_share of Global x All cancers in 2025",
        "low",
        low=0.98,
    ),
    "change twice": pasted("Changes", "Nobody", "the change", "version"),
    "currency pasted twice": pasted("Currencies", "EUR", "'EUR'", "currency"),
    "sheet misspelt": sheet_misspelt,
    "sheet missing": sheet_missing,
    "sheet twice": sheet_twice,
    "sheet hidden": sheet_hidden,
    "sheet very hidden": sheet_very_hidden,
    "row hidden": row_hidden,
    "column hidden": column_hidden,
    "cells merged": cells_merged,
    "column missing": column_missing,
    "column missing that keys": column_missing_that_keys,
    "column of quantities missing": column_of_quantities_missing,
    "column twice": column_twice,
    "column of a year missing": column_of_a_year_missing,
    "year headers misspelt": year_headers_misspelt,
    "value beyond the timeline": value_beyond_the_timeline,
    "no header": no_header,
    "sheet empty": sheet_empty,
    "data far below": data_far_below,
    "many rows": many_rows,
    "several at once": several_at_once,
    "sheet of what is correlated missing": correlated(sheet_of_correlated_missing),
    "quantity that is correlated misspelt": correlated(correlated_misspelt),
    "quantity that is correlated, its spreads misspelt": correlated(correlated_without_spread),
    "correlation that is lost": correlated(correlation_that_is_lost),
    "quantity of a correlation misspelt": correlated(correlation_misspelt),
    "broken axis hides nothing else": broken_axis_hides_nothing_else,
    "the same in many rows": the_same_in_many_rows,
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_bad_workbook_is_refused(name: str, book: Workbook, tmp_path: Path) -> None:
    expected = CHANGES[name](book)
    is_refused(saved(book, tmp_path), *expected)


def test_a_count_of_a_group_with_one_region_left_is_read(book: Workbook, tmp_path: Path) -> None:
    count_of_a_group(book)
    book["Epidemiology"].append([c.value for c in book["Epidemiology"][book["Epidemiology"].max_row]])
    book["Epidemiology"][f"B{book['Epidemiology'].max_row}"] = "Spain"
    lm_xl.read_assumptions(saved(book, tmp_path))


# The XML under a cell


def repacked(source: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A package with some parts changed, or left out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            content = change(item.filename, old.read(item))
            if content is not None:
                new.writestr(item.filename, content)
    return target


def part_of(path: Path, sheet: str) -> str:
    """The part of a sheet, as openpyxl numbers them."""
    with zipfile.ZipFile(path) as package:
        names = re.findall(r'<sheet [^>]*name="([^"]+)"', package.read("xl/workbook.xml").decode())
    return f"xl/worksheets/sheet{names.index(sheet) + 1}.xml"


def with_cell(sound: Path, folder: Path, sheet: str, address: str, xml: str) -> Path:
    """The sound workbook with another XML for one cell, calculated as Excel leaves it."""
    part = part_of(sound, sheet)

    def change(name: str, content: bytes) -> bytes:
        if name == "xl/workbook.xml":
            return content.replace(b' fullCalcOnLoad="1"', b"")
        if name != part:
            return content
        text, n = re.subn(rf'<c r="{address}"[^>]*?(/>|>.*?</c>)', lambda _: xml, content.decode(), count=1)
        assert n == 1
        return text.encode()

    return repacked(sound, folder / "bad.xlsx", change)


@pytest.fixture(scope="module")
def shared(sound: Path) -> Path:
    """The sound workbook as an editor may leave it: its texts in runs, with phonetic hints."""

    def in_runs(found: re.Match[str]) -> str:
        runs = f"<r><t>{found[1][:2]}</t></r><r><rPr><b/></rPr><t xml:space='preserve'>{found[1][2:]}</t></r>"
        return f"<si>{runs}<rPh sb='0' eb='1'><t>not read</t></rPh></si>"

    def change(name: str, content: bytes) -> bytes:
        if name != "xl/sharedStrings.xml":
            return content
        return re.sub(r"<si><t[^>]*>([^<]*)</t></si>", in_runs, content.decode()).encode()

    return repacked(sound, sound.with_name("shared.xlsx"), change)


def test_shared_texts_are_read(shared: Path, sound: Path) -> None:
    texts, plain = lm_xl.read_assumptions(shared), lm_xl.read_assumptions(sound)
    assert texts.fingerprint == plain.fingerprint
    assert texts.sources == plain.sources
    assert [r.note for r in texts.rows] == [r.note for r in plain.rows]


CELLS = {
    "NaN": ("<c r='G23'><v>NaN</v></c>", "nan is not a finite number"),
    "infinity": ("<c r='G23'><v>INF</v></c>", "inf is not a finite number"),
    "minus infinity": ("<c r='G23'><v>-INF</v></c>", "-inf is not a finite number"),
    "overflow": ("<c r='G23'><v>1e999</v></c>", "inf is not a finite number"),
    "no number": ("<c r='G23'><v>half</v></c>", "the text 'half' where a number is due"),
    "ISO date": ("<c r='G23' t='d'><v>2025-03-01T00:00:00</v></c>", "the date 2025-03-01"),
    "error of a formula": ("<c r='G23' t='e'><f>1/0</f><v>#DIV/0!</v></c>", "the error value #DIV/0!"),
    "empty text of a formula": ("<c r='G23' t='str'><f>\"\"</f><v></v></c>", "blank where a number is due"),
    "array formula without a value": (
        "<c r='G23'><f t='array' ref='G23'>SUM(A1:A2)</f></c>",
        "a formula with no stored value",
    ),
    "shared formula without a value": (
        "<c r='G23'><f t='shared' si='0'/></c>",
        "a formula with no stored value",
    ),
    "rich text": (
        "<c r='G23' t='inlineStr'><is><r><t>0</t></r><r><t>.5</t></r></is></c>",
        "the text '0.5' looks like a number",
    ),
    "boolean of a formula": ("<c r='G23' t='b'><f>1=1</f><v>1</v></c>", "TRUE is not a number"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_bad_cell_in_the_xml_is_one_fault(name: str, sound: Path, tmp_path: Path) -> None:
    xml, words = CELLS[name]
    assert cell(openpyxl.load_workbook(sound), *RISK) == "G23"
    is_refused(with_cell(sound, tmp_path, "Epidemiology", "G23", xml), ("Epidemiology", "G23", words))


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("yyyy", "1905-07-17"),
        ("d mmm yy", "1905-07-17"),
        ('"year "dd/mm', "1905-07-17"),
        ("[h]:mm", "1905-07-17"),
    ],
)
def test_a_number_with_a_date_format_is_a_date(code: str, shown: str, book: Workbook, tmp_path: Path) -> None:
    place = cell(book, "Timeline", "index_year", "value")
    book["Timeline"][place].number_format = code
    is_refused(
        saved(book, tmp_path),
        ("Timeline", place, f"the date {shown} where a number is due|format to General"),
    )


@pytest.mark.parametrize(
    "code",
    [
        '0.0" days"',
        "[Red]0.00",
        "[$USD-409] 0",
        "0.00E+00",
        '_-* #,##0.00_-;"sold"',
        "General",
        "@",
        "0 %",
        "\\d0",
    ],
)
def test_a_number_with_another_format_is_a_number(
    code: str, book: Workbook, sound: Path, tmp_path: Path
) -> None:
    book["Timeline"][cell(book, "Timeline", "index_year", "value")].number_format = code
    assert (
        lm_xl.read_assumptions(saved(book, tmp_path)).fingerprint == lm_xl.read_assumptions(sound).fingerprint
    )


def test_a_date_no_calendar_has_is_refused(book: Workbook, tmp_path: Path) -> None:
    place = cell(book, "Timeline", "index_year", "value")
    book["Timeline"][place], book["Timeline"][place].number_format = 1e15, "yyyy"
    book["Timeline"][place].number_format = "yyyy"
    is_refused(saved(book, tmp_path), ("Timeline", place, "as a date"))


@pytest.mark.parametrize(
    "xml",
    [
        "<c r='G23'><f>0.04*2</f><v>0.07944</v></c>",
        "<c r='G23'><v>7.944E-2</v></c>",
        "<c><v>0.07944</v></c>",
        "<c r='G23' t='n' xml:space='preserve'><f t='array' ref='G23'>A1</f><v> 0.07944 </v><extLst><ext uri='x'/></extLst></c>",
    ],
)
def test_a_formula_with_a_stored_value_is_read(xml: str, sound: Path, tmp_path: Path) -> None:
    read = lm_xl.read_assumptions(with_cell(sound, tmp_path, "Epidemiology", "G23", xml))
    (risk,) = (r for r in read.rows if r.quantity == "lm_risk" and r.keys.subtype == "HR+ breast")
    assert (risk.inputs, risk.place) == ((0.07944,), "Epidemiology!G23")


# Files that are no workbook


def test_no_file(tmp_path: Path) -> None:
    is_refused(tmp_path / "nowhere.xlsx", ("", "", "there is no such file"))


def test_folder(tmp_path: Path) -> None:
    is_refused(tmp_path, ("", "", "is a folder or a device, not a file"))


def test_name_that_no_file_can_have(tmp_path: Path) -> None:
    is_refused(tmp_path / "a\0b.xlsx", ("", "", ""))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xlsx")
    is_refused(tmp_path / "pipe.xlsx", ("", "", "is a folder or a device"))


FILES = {
    "empty": (b"", "is empty"),
    "text": (b"region,value\nUS,0.5\n", "is not an .xlsx workbook: save it as .xlsx"),
    "web page": (b"<html><table></table></html>", "is not an .xlsx workbook"),
    "encrypted or .xls": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
        "is encrypted or in the old .xls format",
    ),
    "only the start of a zip": (b"PK\x03\x04", "is damaged"),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_workbook_is_refused(name: str, tmp_path: Path) -> None:
    content, words = FILES[name]
    (tmp_path / "bad.xlsx").write_bytes(content)
    is_refused(tmp_path / "bad.xlsx", ("", "", words))


@pytest.mark.parametrize("kept", [0.05, 0.5, 0.99])
def test_truncated(kept: float, sound: Path, tmp_path: Path) -> None:
    content = sound.read_bytes()
    (tmp_path / "bad.xlsx").write_bytes(content[: int(len(content) * kept)])
    is_refused(tmp_path / "bad.xlsx", ("", "", "is damaged"))


def test_damaged_inside(sound: Path, tmp_path: Path) -> None:
    """A bit turned over in a compressed sheet: the checksum tells."""
    part = part_of(sound, "Pricing")
    with zipfile.ZipFile(sound) as package:
        item = package.getinfo(part)
    content = bytearray(sound.read_bytes())
    content[item.header_offset + 30 + len(part) + item.compress_size // 2] ^= 0x10
    (tmp_path / "bad.xlsx").write_bytes(content)
    (fault,) = refusal(tmp_path / "bad.xlsx")
    assert fault.sheet == "Pricing"
    assert "save it again from Excel" in fault.message


def test_zip_that_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as package:
        package.writestr("report.txt", "nothing here")
    is_refused(tmp_path / "bad.xlsx", ("", "", "is a zip archive but not an .xlsx workbook"))


def test_encrypted_zip(sound: Path, tmp_path: Path) -> None:
    content = bytearray(sound.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    (tmp_path / "bad.xlsx").write_bytes(content)
    is_refused(tmp_path / "bad.xlsx", ("", "", "is encrypted"))


PARTS: dict[str, tuple[str, Callable[[bytes], bytes | None], str]] = {
    "sheet lost": ("Pricing", lambda _: None, "lacks the part xl/worksheets/sheet"),
    "workbook lost": ("xl/workbook.xml", lambda _: None, "lacks the part xl/workbook.xml"),
    "relations lost": ("_rels/.rels", lambda _: None, "is a zip archive but not an .xlsx workbook"),
    "binary workbook": (
        "_rels/.rels",
        lambda b: b.replace(b"workbook.xml", b"workbook.bin"),
        "not an .xlsx workbook: save it as .xlsx",
    ),
    "sheet without end": ("Pricing", lambda b: b[: len(b) // 2], "holds broken XML in xl/worksheets/|line 1"),
    "tags that cross": (
        "Pricing",
        lambda b: b.replace(b"</row>", b"</raw>", 1),
        "holds broken XML in xl/worksheets/sheet|line 1, column",
    ),
    "no XML": ("Pricing", lambda _: b"\x00\xff\x00", "holds broken XML"),
    "no content": ("Pricing", lambda _: b"", "holds broken XML"),
    "styles broken": ("xl/styles.xml", lambda b: b[:-9], "holds broken XML"),
    "control character": ("Pricing", lambda b: b.replace(b"<v>", b"<v>\x01", 1), "holds broken XML"),
    "row that is no number": (
        "Pricing",
        lambda b: b.replace(b'<row r="6"', b'<row r="six"'),
        "is damaged in xl/worksheets/|save it again",
    ),
    "cell in the wrong row": (
        "Pricing",
        lambda b: b.replace(b'r="G6"', b'r="G7"', 1),
        "has a cell 'G7' in row 6",
    ),
    "cell nowhere": ("Pricing", lambda b: b.replace(b'r="G6"', b'r="6G"', 1), "has a cell '6G' in row 6"),
    "cell twice": (
        "Pricing",
        lambda b: b.replace(b'r="H6"', b'r="G6"', 1).replace(b'r="F6"', b'r="G6"', 1),
        "has the cell twice",
    ),
    "row twice": (
        "Pricing",
        lambda b: re.sub(rb"(<row r=.6.*?</row>)", rb"\1\1", b, count=1),
        "has the cell twice",
    ),
    "text that is not there": (
        "Pricing",
        lambda b: re.sub(rb't="s"><v>\d+', b't="s"><v>99999', b, count=1),
        "refers to the shared text 99999",
    ),
    "text before the first": (
        "Pricing",
        lambda b: re.sub(rb't="s"><v>\d+', b't="s"><v>-1', b, count=1),
        "refers to the shared text -1",
    ),
    "too long a text": (
        "xl/sharedStrings.xml",
        lambda b: b.replace(b"<t>", b"<t>" + b"x" * 33_000, 1),
        "more than 32,767 characters",
    ),
    "DOCTYPE": ("Pricing", lambda b: BOMB + b[b.index(b"<worksheet") :], "declares XML entities"),
    "DOCTYPE far down": (
        "Pricing",
        lambda b: b"<!--" + b"x" * 9999 + b"-->" + BOMB + b[b.index(b"<worksheet") :],
        "declares XML entities",
    ),
    "DOCTYPE in UTF-16": (
        "Pricing",
        lambda b: (BOMB + b[b.index(b"<worksheet") :]).decode().encode("utf-16"),
        "declares XML entities",
    ),
    "DOCTYPE in texts": (
        "xl/sharedStrings.xml",
        lambda b: BOMB + b[b.index(b"<sst") :],
        "declares XML entities",
    ),
    "unknown encoding": (
        "Pricing",
        lambda b: b'<?xml version="1.0" encoding="klingon"?>' + b[b.index(b"<worksheet") :],
        "is damaged in xl/worksheets/sheet|line 1, column 31",
    ),
}
DAMAGED_CELLS = {
    "control character": "A1", "cell twice": "G6", "row twice": "A6", "text that is not there": "A1",
    "text before the first": "A1",
}  # fmt: skip
"""The cell that is named, where one is."""
BOMB = (
    b"<!DOCTYPE b [<!ENTITY a 'aaaaaaaaaa'>"
    + b"".join(b"<!ENTITY a%d '&a%d;&a%d;'>" % (i, i - 1, i - 1) for i in range(1, 30))
    + b"]>"
)


@pytest.mark.parametrize("name", PARTS)
def test_a_broken_part_is_refused(name: str, shared: Path, tmp_path: Path) -> None:
    sheet, change, words = PARTS[name]
    part = sheet if "/" in sheet else part_of(shared, sheet)
    with zipfile.ZipFile(shared) as package:
        before = package.read(part)
    assert change(before) != before
    path = repacked(shared, tmp_path / "bad.xlsx", lambda n, b: change(b) if n == part else b)
    is_refused(path, ("" if "/" in sheet else sheet, DAMAGED_CELLS.get(name, ""), words))


# Bombs: bounded time and memory


@pytest.fixture
def bounded() -> Any:
    """A few dozen megabytes, whatever the file claims."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


@pytest.mark.usefixtures("bounded")
def test_too_many_bytes(sound: Path, tmp_path: Path) -> None:
    shutil.copy(sound, tmp_path / "bad.xlsx")
    os.truncate(tmp_path / "bad.xlsx", package_limits.MOST_BYTES + 1)
    is_refused(tmp_path / "bad.xlsx", ("", "", "has 50,000,001 bytes; at most 50,000,000 are read"))


@pytest.mark.usefixtures("bounded")
def test_too_many_parts(sound: Path, tmp_path: Path) -> None:
    shutil.copy(sound, tmp_path / "bad.xlsx")
    with zipfile.ZipFile(tmp_path / "bad.xlsx", "a") as package:
        for i in range(package_limits.MOST_PARTS):
            package.writestr(f"xl/media/{i}", b"")
    is_refused(tmp_path / "bad.xlsx", ("", "", "parts and|at most 2,000"))


@pytest.mark.usefixtures("bounded")
def test_too_much_when_unpacked(sound: Path, tmp_path: Path) -> None:
    """A part that claims 4 GB in the directory of the archive."""
    content = bytearray(sound.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = b"\xff\xff\xff\xfe"[::-1]
    (tmp_path / "bad.xlsx").write_bytes(content)
    is_refused(tmp_path / "bad.xlsx", ("", "", "unpacks to|at most 2,000 and 500,000,000 are read"))


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (b"<row/>" * 1_000_000, "has more than 100,000 XML elements"),
        (b"<b>" * 1_000_000, "has XML elements more than 250 deep"),
        (b"<mergeCell ref='A1:B2'/>" * 1_000_000, "has more than 100,000"),
    ],
    ids=["rows", "depth", "areas"],
)
def test_too_many_elements(
    xml: bytes, words: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_limits, "MOST_ELEMENTS", 100_000)
    part = part_of(sound, "Pricing")
    path = repacked(
        sound,
        tmp_path / "bad.xlsx",
        lambda n, b: b.replace(b"<sheetData>", b"<sheetData>" + xml) if n == part else b,
    )
    is_refused(path, ("Pricing", "", words))


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("address", ["A1048576", "XFD7", "XFD1048576"])
def test_data_at_the_end_of_a_sheet(address: str, sound: Path, tmp_path: Path) -> None:
    """Below the last row that is read it is refused; in a far column it is a note."""
    part, last = part_of(sound, "Sources"), address.endswith("1048576")
    xml = f"<row r='{1048576 if last else 7}'><c r='{address}' t='str'><v>note</v></c></row></sheetData>".encode()
    path = repacked(
        sound, tmp_path / "bad.xlsx", lambda n, b: b.replace(b"</sheetData>", xml) if n == part else b
    )
    if last:
        is_refused(path, ("Sources", "A1048576", "data in row 1,048,576; at most 20,000 rows are read"))
    else:
        assert lm_xl.read_assumptions(path).fingerprint == lm_xl.read_assumptions(sound).fingerprint


# What does no harm


def extra_column(book: Workbook) -> None:
    for sheet in WANTED:
        if sheet in book.sheetnames:
            ws = book[sheet]
            ws.insert_cols(3)
            ws["C5"], ws["C6"], ws["C7"] = "my notes", "=1/0", "#N/A"
            ws.column_dimensions["C"].hidden = True


def extra_sheet(book: Workbook) -> None:
    ws = book.create_sheet("Draft", 0)
    ws["A1"], ws["B2"] = "=NOSUCH()", "#REF!"
    ws.merge_cells("C3:D4")
    ws.sheet_state = "hidden"


def chart_sheet(book: Workbook) -> None:
    book.create_chartsheet("Picture", 0)


def notes(book: Workbook) -> None:
    for sheet in ("Epidemiology", "Launches"):
        for r in range(HEADER + 1, book[sheet].max_row + 1):
            book[sheet][f"M{r}"] = dt.datetime(2025, 1, 1) if r % 3 else (True if r % 2 else 12)
    book["Sources"]["E6"] = 12345678


def blank_rows(book: Workbook) -> None:
    for sheet in WANTED:
        book[sheet].tables.clear()
        for r in (12, 8, 7):
            book[sheet].insert_rows(r)
    book["Launches"]["A9"] = "   "
    book["Launches"].row_dimensions[9].hidden = True


def rows_reordered(book: Workbook) -> None:
    for sheet in ("Axes", "Epidemiology", "Diagnosis", "Treatment", "Launches", "Pricing", "Timeline"):
        ws = book[sheet]
        values = [[c.value for c in r] for r in ws.iter_rows(min_row=HEADER + 1)]
        moved = values[1::2] + values[::2]
        if sheet == "Axes":  # the order of labels is the order of results
            moved = [
                r
                for axis in ("scenario", "subtype", "schema", "scope", "region", "segment")
                for r in values
                if r[0] == axis
            ]
        for r, row_values in enumerate(moved, HEADER + 1):
            for c, value in enumerate(row_values, 1):
                ws.cell(r, c).value = value


def columns_reordered(book: Workbook) -> None:
    for sheet in WANTED:
        ws = book[sheet]
        ws.tables.clear()
        for r in ws.iter_rows(min_row=HEADER):
            values = [(c.value, c.number_format) for c in r]
            for c, (value, form) in zip(r, reversed(values), strict=True):
                c.value, c.number_format = value, form


def sheets_reordered(book: Workbook) -> None:
    book._sheets.reverse()  # type: ignore[attr-defined]


def other_cases_and_blanks(book: Workbook) -> None:
    for sheet in WANTED:
        for r in book[sheet].iter_rows(min_row=HEADER):
            for c in r:
                if (
                    isinstance(c.value, str)
                    and sheet != "Axes"
                    and book[sheet].cell(HEADER, c.column).value not in ("reason", "citation")
                ):
                    c.value = f" {c.value.upper() if c.column % 2 else c.value.lower()}\u00a0"
    book["Axes"]["B7"] = "  Germany "
    book["Axes"]["C9"], book["Axes"]["F9"] = "PILL SET", "therapeutics;  total market ;"
    book["Pricing"].title = " PRICING"


def sheets_in_lower_case(book: Workbook) -> None:
    for ws in list(book):
        title = ws.title
        ws.title = "in between"
        ws.title = title.lower()


def numbers_for_years(book: Workbook) -> None:
    for sheet in ("Diagnosis", "Treatment", "Pricing"):
        book[sheet]["H5"], book[sheet]["I5"] = 2025, 2026.0


def header_lower(book: Workbook) -> None:
    for sheet in WANTED:
        book[sheet].tables.clear()
        book[sheet].insert_rows(1, 9)


def real_dates(book: Workbook) -> None:
    for sheet, words in (("Currencies", "EUR"), ("Changes", "Nobody")):
        book[sheet][cell(book, sheet, words, "date")] = dt.datetime(2025, 1, 1)
    book["Sources"][cell(book, "Sources", "TEST", "year")] = dt.datetime(2025, 7, 1)


HARMLESS = (
    real_dates, extra_column, extra_sheet, chart_sheet, notes, blank_rows, rows_reordered, columns_reordered, sheets_reordered, other_cases_and_blanks,
    numbers_for_years, header_lower, sheets_in_lower_case,
)  # fmt: skip


@pytest.mark.parametrize("change", HARMLESS, ids=lambda f: f.__name__)
def test_harmless_changes_do_no_harm(
    change: Callable[[Workbook], None], book: Workbook, sound: Path, tmp_path: Path
) -> None:
    change(book)
    changed, plain = lm_xl.read_assumptions(saved(book, tmp_path)), lm_xl.read_assumptions(sound)
    assert changed.fingerprint == plain.fingerprint
    scenarios = plain.axes.scenarios
    before, after = lm_xl.forecast(plain, scenarios), lm_xl.forecast(changed, scenarios)
    for name, x in before.outputs.items():
        assert (after.outputs[name] == x).all(), name


def test_what_excel_adds_does_no_harm(sound: Path, tmp_path: Path) -> None:
    """Extensions, strict namespaces, rows out of order, cells without addresses: all read, and without a warning."""
    part = part_of(sound, "Pricing")

    def change(name: str, content: bytes) -> bytes:
        if name != part:
            return content
        text = content.decode().replace(
            "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
            "http://purl.oclc.org/ooxml/spreadsheetml/main",
        )
        rows = re.findall(r"<row .*?</row>", text, re.DOTALL)
        text = text.replace("".join(rows), "".join(reversed(rows)))
        extension = "<extLst><ext uri='{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}'><f>A1</f><row hidden='0'/></ext></extLst>"
        return text.replace("</worksheet>", f"{extension}</worksheet>").encode()

    changed = lm_xl.read_assumptions(repacked(sound, tmp_path / "a.xlsx", change))
    assert changed.fingerprint == lm_xl.read_assumptions(sound).fingerprint


def test_a_deliverable_reads_like_its_assumptions(
    small_built: Path, small_assumptions: lm_xl.Assumptions
) -> None:
    assert lm_xl.read_assumptions(small_built).fingerprint == small_assumptions.fingerprint


# Anything at all

NASTY = [
    None, "", " ", "never", "NEVER ", 0, -1, 1, 5, 0.5, 1e308, -1e308, 1e-320, 2025, 2025.5, 99999, True, False, "0.5", "0,5", "5%", "%", ",", ";", ";;",
    "US", "Global", "us ", "Germany; US", "Total market", "TEST", "test;TEST", "rest", "entrant", "set", "linear", "yearly", "beta", "lm_risk", "value",
    "first_year", "scenario", "region", "=1/0", "=A1", "#N/A", "#REF!", "#", "x" * 5000, "\u202eevil", "\u0435", "\u00a0", "\ud7ff", "\U0001f4a9", "_x000D_",
    "_xD800_", "<b>", "&amp;", "'", '"', "=", "-", "+1", "@SUM(1)", "2025-01-01", "1e5", "nan", "inf", "None", "*", "?", "~", dt.datetime(1900, 1, 1),
    dt.datetime(9999, 12, 31), dt.date(2025, 2, 28), dt.time(1, 2), dt.timedelta(days=400), 10**300,
]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_random_corruption_is_read_or_refused_with_its_place(
    data: st.DataObject, open_book: Workbook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ws = open_book[data.draw(st.sampled_from(list(WANTED)))]
    place = ws.cell(data.draw(st.integers(HEADER, ws.max_row)), data.draw(st.integers(1, ws.max_column)))
    before, kind, style = place.value, place.data_type, copy(place._style)
    try:
        place.value = data.draw(st.sampled_from(NASTY))
        path = saved(open_book, tmp_path_factory.mktemp("random"))
    finally:
        place.value, place.data_type, place._style = before, kind, style
    try:
        lm_xl.read_assumptions(path)
        faults: tuple[lm_xl.Fault, ...] = ()
    except lm_xl.Refused as refused:
        faults = refused.faults
        assert faults
    for fault in faults:
        assert fault.sheet in WANTED
        assert fault.cell or fault.message.startswith(("no row of", "no header", "no scenario is listed")), (
            fault
        )
        assert str(fault).encode()
    assert len(faults) < 40


def test_a_name_of_before_is_refused_with_its_name_of_now(book: Workbook, tmp_path: Path) -> None:
    """The column and the axis that are called subtype were called primary."""
    expected = []
    for sheet in WANTED:
        for entry in book[sheet][HEADER]:
            if entry.value in ("subtype", "other_subtype"):
                old = entry.value.replace("subtype", "primary")
                expected.append(
                    (sheet, entry.coordinate, f"the column {old!r} is called {entry.value!r} now")
                )
                entry.value = old
    axis = [r[0] for r in book["Axes"].iter_rows(min_row=HEADER + 1) if r[0].value == "subtype"]
    for entry in axis:
        entry.value = "primary"
    expected.append(("Axes", axis[0].coordinate, "'primary' is no axis: it is called 'subtype' now"))
    assert len(expected) == 12 and len(axis) > 1
    is_refused(saved(book, tmp_path), *expected)


# The form of a workbook, and the scenario that is meant where none is named

SCHEMA_OF_OLD = [
    ("no schema is told", None),
    ("version 1", "version 1"),
]


@pytest.mark.parametrize(("shown", "label"), SCHEMA_OF_OLD, ids=["none", "1"])
def test_a_workbook_of_an_older_form_is_told_the_way_up(
    shown: str, label: str | None, book: Workbook, tmp_path: Path
) -> None:
    """One fault has the steps; what they mend is no fault beside it."""
    book["Axes"][cell(book, "Axes", "Base", "role")] = None
    place = cell(book, "Axes", "schema", "label")
    if label:
        book["Axes"][place] = label
    else:
        delete(book, "Axes", "schema")
    words = f"the form of an older lm_xl ({shown})|the role 'default'|the label 'version 2'"
    is_refused(saved(book, tmp_path), ("Axes", place if label else "", words))


def test_no_and_two_default_scenarios(book: Workbook, tmp_path: Path) -> None:
    base, high = (cell(book, "Axes", f"scenario|{name}", "role") for name in ("Base", "High"))
    book["Axes"][high] = "default"
    is_refused(saved(book, tmp_path), ("Axes", high, f"the default scenario is there already, in {base}"))
    book["Axes"][base] = book["Axes"][high] = None
    is_refused(saved(book, tmp_path), ("Axes", base, "no scenario has the role 'default'"))


def test_the_default_scenario_is_declared_and_no_position(
    book: Workbook, sound: Path, tmp_path: Path
) -> None:
    """Exchanged rows forecast the same under the same fingerprint; another default does neither."""
    plain = lm_xl.read_assumptions(sound)
    base, high = (row(book, "Axes", "scenario", name) for name in ("Base", "High"))
    for column_number in range(1, 8):
        one, other = book["Axes"].cell(base, column_number), book["Axes"].cell(high, column_number)
        one.value, other.value = other.value, one.value
    moved = lm_xl.read_assumptions(saved(book, tmp_path))
    assert (moved.axes.scenarios, moved.fingerprint) == (("Base", "High"), plain.fingerprint)
    assert lm_xl.forecast(moved).runs == ("Base",)
    book["Axes"][cell(book, "Axes", "scenario|Base", "role")] = None
    book["Axes"][cell(book, "Axes", "scenario|High", "role")] = "default"
    other = lm_xl.read_assumptions(saved(book, tmp_path))
    assert other.axes.scenarios == ("High", "Base")
    assert other.fingerprint != plain.fingerprint
    total = {a.axes.default: lm_xl.forecast(a).patients("Global", 2025) for a in (plain, other)}
    assert total["High"] != total["Base"]


def test_a_real_date_is_the_date_that_it_is(book: Workbook, sound: Path, tmp_path: Path) -> None:
    real_dates(book)
    dated, plain = lm_xl.read_assumptions(saved(book, tmp_path)), lm_xl.read_assumptions(sound)
    assert (dated.currencies, dated.changes, dated.sources) == (
        plain.currencies,
        plain.changes,
        plain.sources,
    )
    assert {edit.sheet for edit in lm_xl.diff(sound, tmp_path / "bad.xlsx").edits} == {
        "Sources"
    }  # a year is in words


@pytest.mark.parametrize("year", [None, "", "in press", "2019-2023", 2025, "2024 (online 2023)"], ids=repr)
def test_a_source_may_be_of_several_years_or_of_none(year: Any, book: Workbook, tmp_path: Path) -> None:
    book["Sources"][cell(book, "Sources", "TEST", "year")] = year
    lm_xl.read_assumptions(saved(book, tmp_path))


def test_years_of_a_sheet_in_lower_case_are_due_as_elsewhere(book: Workbook, tmp_path: Path) -> None:
    """No advice to clear what is right, and no blank that is read as a number."""
    sheets_in_lower_case(book)
    place = next(r[0].row for r in book["treatment"].iter_rows(min_row=6) if r[5].value == "yearly")
    book["treatment"][f"I{place}"] = None
    is_refused(saved(book, tmp_path), ("treatment", f"I{place}", "blank where a number is due"))


def test_the_correlations_of_these_tests_hold(book: Workbook, tmp_path: Path) -> None:
    assert correlated(lambda _: [])(book) == []
    lm_xl.read_assumptions(saved(book, tmp_path))
