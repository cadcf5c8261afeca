"""Workbooks of strangers: the classics that need no knowledge of a model, and what is no fault of theirs."""

from __future__ import annotations

import datetime as dt
import random
import re
import zipfile
from collections import Counter
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import xlsxwriter
from openpyxl.chart import LineChart, Reference
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

import lm_xl
from lm_xl.audit.audit import as_json, audit, summary
from lm_xl.xlsx.addresses import column_letters

MONTHS = ("Jan", "Feb", "Mar")


def budget(path: Path, change: dict[str, object] | None = None) -> Path:
    """Sales and costs of three months in two blocks with subtotals, a grand total, and products of two columns."""
    book = Workbook()
    ws = book["Sheet"]
    ws.append(["item", *MONTHS, "year", "price", "value"])
    for row, item in enumerate(
        ("bread", "milk", "salt", "tea", "Food", "rent", "light", "heat", "Costs", "Total"), 2
    ):
        ws[f"A{row}"] = item
        for i, letter in enumerate("BCD"):
            formulas = {6: "=SUM({0}2:{0}5)", 10: "=SUM({0}7:{0}9)", 11: "={0}6+{0}10"}
            ws[f"{letter}{row}"] = (
                formulas.get(row, str(row * 10 + i)).format(letter) if row in formulas else row * 10 + i
            )
        ws[f"E{row}"] = f"=SUM(B{row}:D{row})"
        ws[f"F{row}"] = row / 8
        ws[f"G{row}"] = f"=E{row}*F{row}"
    for cell, value in (change or {}).items():
        ws[cell] = value
    book.save(path)
    return path


def found(path: Path) -> set[tuple[str, str]]:
    return {(b.rule, b.cell) for b in audit(path) if b.rule in ("W42", "W43", "W44", "W45")}


SOUND: dict[str, dict[str, object]] = {
    "as it is": {},
    "two blocks without a subtotal between": {"B6": 60, "B11": "=SUM(B2:B6)", "B12": "=SUM(B7:B10)", "B10": 100},
    "years above the numbers": {"B1": 2025, "C1": 2026, "D1": 2027},
    "half of a sum that counts twice": {"B11": "=SUM(B2:B10)/2"},
    "the average and the largest below": {"B12": "=AVERAGE(B2:B5)", "B13": "=MAX(B2:B5)"},
    "a running total": {f"H{r}": f"=H{r - 1}+B{r}" for r in range(3, 12)} | {"H2": "=B2", "H12": "=SUM(H2:H11)"},
    "a label that is a number": {"A3": "2", "A4": "3"},
    "a text that is no number": {"C3": "n/a"},
    "another price in one row": {"G5": "=E5*F$2"},
    "a subtotal that others add up": {"B12": "=SUM(B6,B10)"},
    "some of a long column": {f"J{r}": r for r in range(2, 40)} | {"J45": "=SUM(J2:J9)", "J46": "=SUM(J20:J25)"},
}  # fmt: skip

FAULTY: dict[str, tuple[dict[str, object], set[tuple[str, str]]]] = {
    "short below in every column": (
        {f"{c}6": f"=SUM({c}2:{c}4)" for c in "BCD"}, {("W42", "B6")},
    ),
    "short above": ({"C10": "=SUM(C8:C9)"}, {("W42", "C10")}),
    "short beside": ({f"E{r}": f"=SUM(B{r}:C{r})" for r in range(2, 12)}, {("W42", f"E{r}") for r in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11)}),
    "short of a total on top": ({"J1": "=SUM(J2:J4)", "J2": 1, "J3": 2, "J4": 3, "J5": 4}, {("W42", "J1")}),
    "a number that is a text": ({"C3": "31"}, {("W43", "C3")}),
    "a number with a blank and a percentage": ({"C3": " 31 % ", "D8": "1,082"}, {("W43", "C3"), ("W43", "D8")}),
    "a sum over its subtotals": ({"B11": "=SUM(B2:B10)"}, {("W44", "B11")}),
    "a sum over a subtotal of pluses": ({"B6": "=B2+B3+B4+B5", "B11": "=SUM(B2:B10)"}, {("W44", "B11")}),
    "a row of subtotals": (
        {"H1": "q", "H2": "=SUM(B2:D2)", "I2": "=SUM(B2:H2)"}, {("W44", "I2")},
    ),
    "one row off": ({"G5": "=E5*F6"}, {("W45", "G5")}),
    "one row off at the end": ({"G11": "=E10*F11"}, {("W45", "G11")}),
    "one row off at the start": ({"G2": "=E2*F3"}, {("W45", "G2")}),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_what_is_no_fault_is_not_reported(name: str, tmp_path: Path) -> None:
    assert found(budget(tmp_path / "sound.xlsx", SOUND[name])) == set()


@pytest.mark.parametrize("name", FAULTY)
def test_the_classics_are_reported(name: str, tmp_path: Path) -> None:
    change, wanted = FAULTY[name]
    assert found(budget(tmp_path / "faulty.xlsx", change)) == wanted


# Saved as Strict Open XML

STRICT = {
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships/extended-properties": "http://purl.oclc.org/ooxml/officeDocument/relationships/extendedProperties",
    "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties": "http://purl.oclc.org/ooxml/officeDocument/extendedProperties",
    "http://schemas.openxmlformats.org/officeDocument/2006/": "http://purl.oclc.org/ooxml/officeDocument/",
    "http://schemas.openxmlformats.org/spreadsheetml/2006/": "http://purl.oclc.org/ooxml/spreadsheetml/",
    "http://schemas.openxmlformats.org/drawingml/2006/": "http://purl.oclc.org/ooxml/drawingml/",
}  # fmt: skip
"""The namespaces of the transitional form, and those of the strict one."""


def strict(source: Path, target: Path) -> Path:
    """A workbook as Excel saves it as Strict Open XML."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            for one, other in STRICT.items():
                content = content.replace(one.encode(), other.encode())
            new.writestr(name, content)
    return target


def test_a_strict_workbook_is_audited_alike(small_built: Path, tmp_path: Path) -> None:
    """With its charts and their faults, and the properties of the file."""
    saved = strict(small_built, tmp_path / "strict.xlsx")
    assert audit(saved) == audit(small_built)
    with zipfile.ZipFile(small_built) as old, zipfile.ZipFile(tmp_path / "faulty.xlsx", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith(("xl/charts/chart", "docProps/app")):
                content = content.replace(b"<c:overlay ", b"<c:over ").replace(
                    b"<Application>", b"<Application>openpyxl "
                )
            new.writestr(name, content)
    told = audit(tmp_path / "faulty.xlsx")
    assert {"W38", "W41"} <= {b.rule for b in told}
    assert audit(strict(tmp_path / "faulty.xlsx", tmp_path / "both.xlsx")) == told


# Whatever they hold


def with_xlsxwriter(path: Path) -> None:
    """What XlsxWriter writes: dynamic and plain blocks, rich texts, notes, links, sparklines, a chart sheet, a locked sheet."""
    with xlsxwriter.Workbook(path, {"use_future_functions": True}) as book:
        ws = book.add_worksheet("Q1 'A' x")
        ws.write_row(0, 0, ["what", 2024, 2025, 2026, "CAGR"])
        for row in range(1, 9):
            ws.write_row(row, 0, [f"item {row}", row, row * 2.5, -row])
        ws.write_formula("E2", "=(D2/B2)^(1/2)-1", value="n/a")
        ws.write_dynamic_array_formula("G2:G9", "=SORT(B2:B9)")
        ws.write_array_formula("H2:H9", "{=B2:B9*C2:C9}")
        ws.write_array_formula("J2:K9", "{=B2:C9*2}")
        ws.write_rich_string("A12", "plain ", book.add_format({"bold": True}), "bold")
        ws.write_comment("A1", "a note")
        ws.write_url("A13", "https://example.com")
        ws.write_datetime("A14", dt.datetime(2025, 1, 1), book.add_format({"num_format": "yyyy-mm-dd"}))
        ws.add_sparkline("L2", {"range": "'Q1 ''A'' x'!B2:D2"})
        ws.conditional_format("B2:D9", {"type": "3_color_scale"})
        ws.data_validation("B2:B9", {"validate": "list", "source": ["a", "b"]})
        ws.add_table("N1:P4", {"total_row": True, "columns": [{"header": h} for h in "abc"]})
        ws.merge_range("A16:C17", "merged")
        ws.set_column("M:M", None, None, {"hidden": True})
        ws.freeze_panes(1, 1)
        ws.protect("secret")
        drawn = book.add_chart({"type": "line"})
        drawn.add_series({"values": "='Q1 ''A'' x'!$B$2:$D$2", "categories": "='Q1 ''A'' x'!$B$1:$D$1"})
        ws.insert_chart("R2", drawn)
        pie = book.add_chart({"type": "pie"})
        pie.add_series({"values": "='Q1 ''A'' x'!$B$2:$B$9"})
        book.add_chartsheet("Drawn").set_chart(pie)
        book.add_worksheet("Hidden").very_hidden()
        book.define_name("rate", "='Q1 ''A'' x'!$B$2")
        book.define_name("Hidden!own", "=#REF!$A$1")


def with_openpyxl(path: Path) -> None:
    """What openpyxl writes: blocks, circles, errors, names of ranges, grouped rows, dates from 1904, odd titles."""
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    ws = book["Sheet"]
    for row in range(1, 30):
        ws.append([f"a{row}", row, f"=B{row}*1.07", f"=C{row}+D{row % 29 + 1}", dt.datetime(2025, 1, 1)])
    ws["G1"] = ArrayFormula("G1:H9", "=B1:C9*2")
    ws["I1"], ws["I2"], ws["I3"] = "=1/0", "#N/A", "=SUM('[old.xlsx]A'!A1,rate,'x y'!B:B,5:7)"
    ws["J1"] = '=IF(AND(A1,IF(B1,INDIRECT("A1"),0)),{1,2;3,4},tbl[[#This Row],[x]])'
    ws.row_dimensions.group(3, 9, hidden=True)
    book.create_sheet("x y")["B2"] = "=Sheet!C2"
    book.create_sheet("Checks").append(["id", "what", "value", "tolerance", "pass"])
    book["Checks"].append([1, "regions", "=1", 0.1, "=IF(C2<D2,1,0)"])
    book.create_sheet("Sources").append(["id", "citation", "year", "read", "grade"])
    book.create_sheet("Cover")["A1"] = "CAGR"
    book.defined_names["rate"] = DefinedName("rate", attr_text="Sheet!$B$1:$B$9")
    book.defined_names["odd"] = DefinedName("odd", attr_text="OFFSET(Sheet!$A$1,0,0)")
    chart = LineChart()
    chart.add_data(Reference(ws, min_col=2, min_row=1, max_row=9))
    ws.add_chart(chart, "L2")
    book.save(path)


def with_years(path: Path) -> None:
    """A model of another author: inputs, calculations with years, a total, a list of checks."""
    book = Workbook()
    ws = book["Sheet"]
    ws.title = "Inputs"
    ws.append(["quantity", "unit", "low", "value", "high", "distribution", "source"])
    ws.append(["price", "USD", 1, 2, 3, "pert", "A"])
    calc = book.create_sheet("Model")
    calc.append(["line", "unit", *range(2024, 2034)])
    for row in range(2, 20):
        calc.append(
            [f"line {row}", "USD", *(f"={column_letters(c)}{row - 1}*Inputs!$D$2" for c in range(3, 13))]
        )
    calc.append(
        ["Total", "USD", *(f"=SUM({column_letters(c)}2:{column_letters(c)}19)" for c in range(3, 13))]
    )
    book.save(path)


STRANGERS = {
    "budget": budget, "xlsxwriter": with_xlsxwriter, "openpyxl": with_openpyxl, "years": with_years,
}  # fmt: skip
ODD = ("", "0", "-1", "1e999", "99999999999", "x", "A1:XFD1048576", "#REF!", "true", "NaN", "é\u2028", "1 2")


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory, small_path: Path) -> list[Path]:
    """Workbooks of strangers, and the same as strict ones; one of ours is among them."""
    folder = tmp_path_factory.mktemp("strangers")
    made = [small_path]
    for name, make in STRANGERS.items():
        make(folder / f"{name}.xlsx")
        made.append(folder / f"{name}.xlsx")
    return [*made, *(strict(path, folder / f"strict_{path.name}") for path in made)]


def mutated(content: str, rng: random.Random) -> str:
    """A part of a workbook with one thing changed: an attribute, a text, a tag, or its end cut off."""
    pattern = rng.choice(
        (r'="[^"]*"', r">[^<]+<", r"<[^!?/][^>]*/>", r"<([\w:]+)\b[^>]*>[^<]*</\1>", r" [\w:]+=")
    )
    found = list(re.finditer(pattern, content))
    if not found or rng.random() < 0.05:
        return content[: rng.randrange(len(content) + 1)]
    match = rng.choice(found)
    odd = escape(rng.choice(ODD))
    new = {"=": f'="{odd}"', ">": f">{odd}<", "<": rng.choice(("", match[0] * 2)), " ": " odd="}[match[0][0]]
    return content[: match.start()] + new + content[match.end() :]


def mutant(source: Path, target: Path, rng: random.Random) -> Path:
    """A workbook of which one part or two are changed, are gone, are there in another's place, or are named otherwise."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        parts = [n for n in old.namelist() if n.endswith((".xml", ".rels"))]
        chosen = rng.sample(parts, min(len(parts), rng.choice((1, 1, 2))))
        how = rng.choices(("change", "drop", "other", "name"), (20, 1, 1, 1))[0]
        for name in old.namelist():
            content = old.read(name)
            if name in chosen and how == "drop":
                continue
            if name in chosen and how == "other":
                content = old.read(rng.choice(parts))
            elif name in chosen and how == "change":
                content = mutated(content.decode("utf-8-sig"), rng).encode("utf-8", "replace")
            new.writestr(
                rng.choice((name.upper(), name.replace("/", "\\")))
                if name in chosen and how == "name"
                else name,
                content,
            )
    return target


def audited(path: Path) -> int:
    """How many breaches a workbook has, or -1 where it is refused; whatever else is raised is a fault of ours."""
    try:
        breaches = audit(path)
    except lm_xl.Refused:
        return -1
    assert summary(breaches)[-1] and as_json(breaches)
    return len(breaches)


def fuzzed(strangers: list[Path], folder: Path, count: int, seed: int) -> Counter[bool]:
    """Audit so many mutants; how many were refused and how many not."""
    rng = random.Random(seed)
    outcomes: Counter[bool] = Counter()
    for number in range(count):
        path = mutant(rng.choice(strangers), folder / "mutant.xlsx", rng)
        try:
            outcomes[audited(path) < 0] += 1
        except Exception as error:
            kept = path.rename(folder / f"mutant_{number}.xlsx")
            raise AssertionError(f"{kept}: {error!r}") from error
    return outcomes


def test_workbooks_of_strangers_are_audited(strangers: list[Path], tmp_path: Path) -> None:
    counts = [audited(path) for path in strangers]
    assert min(counts) >= 0
    half = len(counts) // 2
    assert counts[:half] == counts[half:]
    assert fuzzed(strangers[1:5], tmp_path, 60, 1).total() == 60


@pytest.mark.slow
def test_mutants_of_strangers_are_audited_or_refused(strangers: list[Path], tmp_path: Path) -> None:
    outcomes = fuzzed(strangers, tmp_path, 2_000, 2)
    assert min(outcomes[True], outcomes[False]) > 200
