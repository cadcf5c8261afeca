"""The audit of workbook files: a small sound workbook breaches nothing; each planted breach is reported with its rule, sheet and cell."""

from __future__ import annotations

import json
import re
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from command_line import run
from openpyxl.chart import LineChart, Reference
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

import lm_xl
from lm_xl.audit import audit as auditing
from lm_xl.audit import formulas
from lm_xl.audit.audit import CHECKS, RULES, Breach, as_json, audit, summary
from lm_xl.audit.rules import display
from lm_xl.workbook.pages.styles import TAB, add_styles
from lm_xl.xlsx.addresses import formula_moved
from lm_xl.xlsx.finish import finish

YEARS = (2025, 2026, 2027, 2028)
AXIS = ("quantity", "region", "unit", *YEARS)
MASTER = "=Checks!$B$3"
SHEETS = {
    "Cover": "control",
    "Contents": "control",
    "By_region": "outputs",
    "Assumptions": "inputs",
    "Sources": "inputs",
    "Calc": "calculations",
    "Data_long": "data",
    "Method": "control",
    "Checks": "control",
    "Change_log": "control",
}

Edit = Callable[[Workbook], None]
Plant = tuple[str, str, str, Edit | tuple[str, str, str]]
"""Rule, sheet and cell of the breach, and how it is made: an edit of the workbook, or a part, a pattern and what replaces it."""


def write(
    ws: Worksheet, row: int, values: tuple[object, ...], style: str = "lm label", year_style: str = ""
) -> None:
    for column, value in enumerate(values, 1):
        if value is not None:
            cell = ws.cell(row, column, value)
            cell.style = year_style if year_style and isinstance(value, int) else style
            if isinstance(value, int):
                cell.number_format = "0"


def calculated(ws: Worksheet, row: int, labels: tuple[str, ...], formula: str) -> None:
    """A row of one formula; {c} stands for the column of each year."""
    write(ws, row, labels)
    for i in range(len(YEARS)):
        letter = "DEFG"[i]
        ws[f"{letter}{row}"] = formula.format(c=letter)
        ws[f"{letter}{row}"].style = "lm calculation"


def sound_book() -> Workbook:
    """A workbook that breaches no rule."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.creator = "Sales", ""
    add_styles(book)
    for title, kind in SHEETS.items():
        ws = book.create_sheet(title)
        ws.sheet_properties.tabColor = TAB[kind]
        ws["A1"] = title
        if title != "Checks":
            ws["B3"] = MASTER
        ws.page_setup.orientation, ws.page_setup.paperSize = "landscape", ws.PAPERSIZE_A4
        if kind in ("inputs", "calculations", "data"):
            ws.print_area = "ZZ1"
        ws.page_setup.fitToWidth, ws.page_setup.fitToHeight = 1, 0
        ws.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        ws.print_title_rows = "5:5"
        ws.oddFooter.right.text = "version 1.0, page &P"
        for letter in "ABCDEFGHIJK":
            ws.column_dimensions[letter].width = 14
    for title in ("By_region", "Calc"):
        ws = book[title]
        write(ws, 5, AXIS, "lm header", "lm year")
        ws.freeze_panes = "D6"
    cover, contents, table, given, sources, calc, data, method, checks, log = (book[t] for t in SHEETS)
    cover["B5"], cover["C5"] = "Legend: an input, change it", "Base"
    cover["B6"], cover["C6"] = "Scenario", "Base"
    cover["B7"], cover["C7"] = "Engine", "lm_xl 1.0"
    cover["B8"], cover["C8"] = "Fingerprint", "d22d1f7d3d84"
    cover["B9"], cover["C9"] = "Checks", MASTER
    cover["B10"], cover["C10"] = "CAGR 2025-2028", "=By_region!H6"
    cover["B11"] = "Nominal USD"
    for cell in ("C5", "C6"):
        cover[cell].style = "lm input"
    rule = DataValidation(
        type="list", formula1="Data_long!$B$6:$B$9", showErrorMessage=True, error="Choose a scenario."
    )
    rule.add("C5:C6")
    cover.add_data_validation(rule)
    write(contents, 5, ("sheet", "class", "what"), "lm header")
    for row, (title, kind) in enumerate(SHEETS.items(), 6):
        write(contents, row, (title, kind, "see there"))
    write(
        given,
        5,
        ("quantity", "region", "unit", "value", "low", "high", "distribution", "source", "status", "note"),
        "lm header",
    )
    rule = DataValidation(
        type="decimal",
        operator="between",
        formula1="0",
        formula2="9",
        showInputMessage=True,
        prompt="0 to 9",
        showErrorMessage=True,
    )
    rule.add("D6:F7")
    given.add_data_validation(rule)
    for row, (value, low, high) in enumerate(((2, 1, 3), (0.5, 0.4, 0.6)), 6):
        write(
            given,
            row,
            (f"rate {row}", "US", "USD million", value, low, high, "pert", "A-1; B-2", "sourced", "made up"),
        )
        for letter in "DEF":
            given[f"{letter}{row}"].style = "lm input"
            given[f"{letter}{row}"].number_format = "0.00"
    write(sources, 5, ("id", "citation", "year", "read", "grade"), "lm header")
    write(sources, 6, ("A-1", "Somebody, 2024", "2024", "read", "A"))
    write(sources, 7, ("B-2", "Somebody else, 2023", "2023", "abstract", "B"))
    calculated(calc, 6, ("sales", "US", "USD million"), "=Assumptions!$D$6*Assumptions!$D$7/1000")
    calculated(
        calc, 7, ("sales", "EU", "USD million"), "=Calc!{c}6*2*Assumptions!$D$7".replace("*2", "*(1+1)")
    )
    calculated(table, 6, ("sales", "US", "USD million"), "=Calc!{c}6")
    calculated(table, 7, ("sales", "EU", "USD million"), "=Calc!{c}7")
    calculated(table, 8, ("sales", "Global", "USD million"), "=SUM(By_region!{c}6:{c}7)")
    table["H5"], table["A10"] = "CAGR 2025-2028", "Source: this model"
    table["H5"].style = "lm header"
    for row in (6, 7, 8):
        table[f"H{row}"] = f'=IF(D{row}=0,"n/a",(G{row}/D{row})^(1/(G$5-D$5))-1)'
        table[f"H{row}"].number_format = "0.0%"
    chart = LineChart()
    chart.title, chart.y_axis.title = "Sales", "USD million"
    chart.title.overlay = chart.y_axis.title.overlay = chart.legend.overlay = False
    chart.add_data(Reference(table, min_col=4, max_col=7, min_row=8), from_rows=True, titles_from_data=False)
    table.add_chart(chart, "B12")
    write(data, 5, ("metric", "region", "year", "unit", "value"), "lm header")
    for row, year in enumerate(YEARS, 6):
        write(data, row, ("sales", "US", year, "USD million"))
        data[f"E{row}"] = f"=Calc!{'DEFG'[row - 6]}6"
    data.add_table(Table(displayName="tbl_long", ref="A5:E9"))
    for row, heading in enumerate(
        ("Purpose", "Intended use", "Funder", "Structure", "Data", "Validation", "Limits"), 6
    ):
        method[f"A{row}"], method[f"B{row}"] = heading, "told here"
    write(checks, 5, ("id", "what", "value", "tolerance", "pass"), "lm header")
    checks["A3"], checks["B3"] = "All checks", "=MIN(E6:E8)"
    what = ("the long data add up to the table", "the regions sum to the world", "shares sum to 100 %")
    for row, text in enumerate(what, 6):
        write(
            checks,
            row,
            (
                f"C{row}",
                text,
                "=SUM(Data_long!E6:E9)-SUM(By_region!D6:G6)",
                0.001,
                f"=IFERROR(IF(C{row}<=D{row},1,0),0)",
            ),
        )
        checks[f"D{row}"].number_format = "0.000"
    for cell in (*(f"C{row}" for row in (6, 7, 8)), *(f"E{row}" for row in (6, 7, 8))):
        checks[cell].style = "lm calculation"
    write(log, 5, ("version", "date", "who", "what", "effect on 2028"), "lm header")
    write(log, 6, ("1.0", "2025-01-01", "us", "first", "none"))
    return book


def repacked(path: Path, part: str, pattern: str, replacement: str, *, count: int = 0) -> int:
    """Replace a pattern in the parts whose name matches; returns how often."""
    with zipfile.ZipFile(path) as package:
        parts = [(item.filename, package.read(item)) for item in package.infolist()]
    times = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts:
            if re.fullmatch(part, name):
                text, n = re.subn(pattern, replacement, content.decode(), count=count, flags=re.S)
                content, times = text.encode(), times + n
            package.writestr(name, content)
    return times


def save(book: Workbook, path: Path) -> Path:
    """Save a workbook with a stored value for every formula and an alternative text for every chart."""
    book.save(path)
    repacked(path, r"xl/worksheets/sheet\d+\.xml", r"</f><v ?/?>(?:</v>)?", "</f><v>1</v>")
    finish(path, {})
    return path


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(sound_book(), tmp_path_factory.mktemp("audit") / "sound.xlsx")


def test_a_sound_workbook_breaches_nothing(sound: Path) -> None:
    assert [str(b) for b in audit(sound)] == []
    assert summary([])[-1].startswith("0 breaches of 0 rules; 44 of the 44")


def test_every_cell_of_an_array_formula_has_its_formula(tmp_path: Path) -> None:
    book = sound_book()
    calc = book["Calc"]
    formula = str(calc["D6"].value)
    calc["D6"] = ArrayFormula("D6:G6", formula)
    for letter in "EFG":
        calc[f"{letter}6"] = 1.0  # as a file stores the values of a block
    assert not [b for b in audit(save(book, tmp_path / "block.xlsx")) if b.rule in ("W03", "W06")]


# One breach for each rule, and more where a rule has several sides


def put(sheet: str, cell: str, value: object, style: str = "") -> Edit:
    def edit(book: Workbook) -> None:
        book[sheet][cell] = value
        if style:
            book[sheet][cell].style = style

    return edit


def name(title: str, refers_to: str, sheet: str = "", *, hidden: bool = False) -> Edit:
    def edit(book: Workbook) -> None:
        names = book[sheet].defined_names if sheet else book.defined_names
        names[title] = DefinedName(title, attr_text=refers_to, hidden=hidden)

    return edit


def other(cells: dict[str, object]) -> Edit:
    """A sheet with some cells."""

    def edit(book: Workbook) -> None:
        ws = book.create_sheet("Other")
        for cell, value in cells.items():
            ws[cell] = value

    return edit


def without(sheet: str) -> Edit:
    return lambda book: book.remove(book[sheet])


def setting(sheet: str, path: str, value: object) -> Edit:
    """Set an attribute, by a path of attributes, of a sheet or (with no sheet) of the workbook."""

    def edit(book: Workbook) -> None:
        target: object = book[sheet] if sheet else book
        *way, last = path.split(".")
        for step in way:
            target = getattr(target, step)
        setattr(target, last, value)

    return edit


def styled(sheet: str, cell: str, **parts: object) -> Edit:
    def edit(book: Workbook) -> None:
        for part, value in parts.items():
            setattr(book[sheet][cell], part, value)

    return edit


def all_of(*edits: Edit) -> Edit:
    def edit(book: Workbook) -> None:
        for one in edits:
            one(book)

    return edit


def typed_list(book: Workbook) -> None:
    rule = DataValidation(
        type="list", formula1=f'"{",".join(["longword"] * 40)}"', showErrorMessage=True, error="Choose."
    )
    rule.add("K6")
    book["Assumptions"].add_data_validation(rule)


def unvalidated(book: Workbook) -> None:
    book["Assumptions"].data_validations.dataValidation.clear()


def silent(book: Workbook) -> None:
    for rule in book["Assumptions"].data_validations.dataValidation:
        rule.showInputMessage = rule.showErrorMessage = False


def white(book: Workbook) -> None:
    book["Calc"]["A6"].font = Font(color="FFFFFF")


def blank_row(book: Workbook) -> None:
    calculated(book["Calc"], 9, ("sales", "UK", "USD million"), "=Calc!{c}7+1")


def many_names(book: Workbook) -> None:
    for i in range(21):
        name(f"rate_{i}", "Calc!$D$6")(book)


def chart(**attributes: object) -> Edit:
    def edit(book: Workbook) -> None:
        drawn = book["By_region"]._charts[0]
        for path, value in attributes.items():
            *way, last = path.split("__")
            target = drawn
            for step in way:
                target = getattr(target, step)
            setattr(target, last, value)

    return edit


def short_series(book: Workbook) -> None:
    drawn = book["By_region"]._charts[0]
    drawn.series.clear()
    drawn.add_data(
        Reference(book["By_region"], min_col=4, max_col=6, min_row=8), from_rows=True, titles_from_data=False
    )


def sheet_part(title: str) -> str:
    return rf"xl/worksheets/sheet{list(SHEETS).index(title) + 1}\.xml"


WORKBOOK = r"xl/workbook\.xml"
CHART = r"xl/charts/chart1\.xml"
LONG_SUM = "=" + "+".join(["Calc!$D$6"] * 13)

PLANTS: list[Plant] = [
    ("W01", "Calc", "", setting("Calc", "sheet_properties.tabColor", "FF0000")),
    ("W01", "Calc", "", setting("Calc", "sheet_properties.tabColor", None)),
    ("W01", "Contents", "A11", put("Contents", "B11", "outputs")),
    ("W01", "Contents", "", put("Contents", "A11", "Nothing")),
    ("W01", "", "", without("Contents")),
    ("W02", "Calc", "E6", put("Calc", "E6", "=Assumptions!$D$6*1.07")),
    ("W02", "By_region", "D6", put("By_region", "D6", '=Calc!D6&"2"*3')),
    ("W03", "Calc", "E7", put("Calc", "E7", "=Calc!D6*(1+1)*Assumptions!$D$7")),
    ("W03", "Calc", "F7", put("Calc", "F7", 5)),
    ("W04", "Calc", "A5", put("Calc", "G5", 2029)),
    ("W04", "Calc", "F5", put("Calc", "F5", "later")),
    ("W04", "Calc", "F5", put("Calc", "F5", "2027")),
    ("W04", "Calc", "F5", put("Calc", "F5", None)),
    ("W05", "Calc", "C6", put("Calc", "C6", None)),
    (
        "W05",
        "By_region",
        "A5",
        all_of(put("By_region", "C5", "measure"), *(put("By_region", f"C{row}", "n") for row in (6, 7, 8))),
    ),
    ("W05", "By_region", "C6", put("Cover", "B11", "USD")),
    ("W06", "Assumptions", "D6", styled("Assumptions", "D6", style="lm label")),
    ("W06", "Assumptions", "D6", put("Assumptions", "D6", "=1+1")),
    ("W06", "Calc", "A7", styled("Calc", "A7", style="lm input")),
    ("W06", "Calc", "I6", put("Calc", "I6", 5)),
    ("W06", "Cover", "", all_of(put("Cover", "B5", "Legend"))),
    ("W07", "Calc", "", setting("Calc", "sheet_state", "hidden")),
    ("W07", "Calc", "", setting("Calc", "sheet_state", "veryHidden")),
    ("W07", "Calc", "A7", lambda book: setattr(book["Calc"].row_dimensions[7], "hidden", True)),
    ("W07", "Calc", "B:B", lambda book: setattr(book["Calc"].column_dimensions["B"], "hidden", True)),
    ("W07", "Calc", "A6", white),
    (
        "W07",
        "Calc",
        "A6",
        styled("Calc", "A6", font=Font(color="123456"), fill=PatternFill("solid", start_color="123456")),
    ),
    ("W07", "Calc", "D6", styled("Calc", "D6", number_format=";;;")),
    ("W08", "Calc", "A6:B6", lambda book: book["Calc"].merge_cells("A6:B6")),
    ("W08", "Calc", "A8", blank_row),
    ("W08", "Calc", "B5", put("Calc", "B5", None)),
    ("W09", "Calc", "D6", setting("Calc", "freeze_panes", "B6")),
    ("W09", "Calc", "D6", setting("Calc", "freeze_panes", None)),
    ("W10", "", "", without("Checks")),
    ("W10", "Checks", "A5", put("Checks", "D5", "width")),
    ("W10", "Checks", "A7", put("Checks", "A7", None)),
    ("W10", "Checks", "E7", put("Checks", "E7", 1)),
    ("W10", "Checks", "E7", (sheet_part("Checks"), r'(<c r="E7".*?<v>)1', r"\g<1>0")),
    ("W10", "Checks", "A5", put("Checks", "B3", "=MIN(E6:E7)")),
    ("W10", "Calc", "A1", put("Calc", "B3", None)),
    ("W11", "Checks", "E7", put("Checks", "E7", "=IF(C7<=D7,1,0)")),
    ("W11", "Checks", "E7", put("Checks", "E7", "=IFERROR(IF(C7<=1,1,0),0)")),
    (
        "W12",
        "Calc",
        "D7",
        (
            sheet_part("Calc"),
            r'<c r="D7"([^>]*?)( t="\w+")?>(<f>.*?</f>)<v>1',
            r'<c r="D7"\1 t="e">\3<v>#N/A',
        ),
    ),
    ("W13", "Calc", "D7", put("Calc", "D7", "=OFFSET(Calc!D6,0,0)")),
    ("W13", "", "", name("today", "TODAY()")),
    ("W14", "Calc", "D7", put("Calc", "D7", "=NPV(Calc!D6,Calc!E6:G6)")),
    ("W15", "Calc", "D7", put("Calc", "D7", "=IF(Calc!D6=0,0,IF(Calc!D6=1,1,0))")),
    ("W15", "Calc", "D7", put("Calc", "D7", LONG_SUM)),
    ("W15", "Calc", "D7", put("Calc", "D7", "=Calc!D6\n+1")),
    ("W15", "Calc", "D7", put("Calc", "D7", "=IFERROR(Calc!D6,0)")),
    ("W16", "Calc", "D7", put("Calc", "D7", "=_xlfn.XLOOKUP(Calc!D6,Calc!E6:G6,Calc!E6:G6)")),
    ("W16", "Calc", "D7", put("Calc", "D7", "=MyMacro(Calc!D6)")),
    ("W17", "Calc", "D7", put("Calc", "D7", "=[1]Other!D6")),
    ("W17", "", "", name("elsewhere", "'[old.xlsx]Sheet 1'!$A$1")),
    ("W18", "", "", (WORKBOOK, r"<calcPr", '<calcPr iterate="1"')),
    ("W18", "", "", (WORKBOOK, r"<calcPr", '<calcPr calcMode="manual"')),
    ("W18", "By_region", "D6", put("Calc", "D6", "=By_region!D8")),
    ("W18", "Calc", "D6", put("Calc", "D6", "=Calc!D6+1")),
    ("W19", "", "", (WORKBOOK, r"<calcPr", '<calcPr fullPrecision="0"')),
    ("W19", "Calc", "D7", put("Calc", "D7", "=ROUND(Calc!D6,0)")),
    (
        "W20",
        "Calc",
        "D8",
        lambda book: calculated(book["Calc"], 8, ("sales", "UK", "USD"), "=Calc!{c}6*(1+1)*Assumptions!$D$7"),
    ),
    ("W21", "", "", many_names),
    ("W21", "Calc", "", name("local", "Calc!$D$6", "Calc")),
    ("W21", "", "", name("unseen", "Calc!$D$6", hidden=True)),
    ("W21", "", "", name("broken", "Calc!#REF!")),
    ("W21", "", "", name("wide", "Calc!$D$6:$E$6")),
    ("W22", "Assumptions", "D6", put("Assumptions", "D6", 4)),
    ("W22", "Assumptions", "D7", put("Assumptions", "F7", 0.3)),
    ("W22", "Assumptions", "D7", put("Assumptions", "E7", None)),
    ("W22", "Assumptions", "A5", put("Assumptions", "G5", "spread")),
    ("W22", "", "", without("Assumptions")),
    ("W23", "Assumptions", "H6", put("Assumptions", "H6", "A-1; C-3")),
    ("W23", "Assumptions", "H6", put("Assumptions", "H6", None)),
    ("W23", "Sources", "A8", all_of(put("Sources", "A8", "D-4"), put("Sources", "B8", "Nobody"))),
    ("W23", "Sources", "B6", put("Sources", "B6", None)),
    ("W23", "", "", without("Sources")),
    ("W24", "", "", without("Change_log")),
    ("W24", "Change_log", "C6", put("Change_log", "C6", None)),
    ("W25", "Cover", "", put("Cover", "C8", None)),
    ("W25", "Cover", "", all_of(put("Cover", "B3", None), put("Cover", "C9", "ok"))),
    ("W26", "", "", without("Method")),
    ("W26", "Method", "", put("Method", "A12", None)),
    (
        "W27",
        "Data_long",
        "A10",
        all_of(put("Data_long", "A10", "Total"), put("Data_long", "E10", "=SUM(E6:E9)")),
    ),
    ("W27", "Data_long", "A5", lambda book: book["Data_long"].tables.clear()),
    ("W27", "Data_long", "B5", put("Data_long", "B5", "metric")),
    ("W28", "Checks", "A5", put("Checks", "B8", "they sum to 100 %")),
    ("W29", "By_region", "H5", put("By_region", "H5", "CAGR")),
    ("W29", "By_region", "H5", put("By_region", "H5", "CAGR 2025-2040")),
    ("W29", "By_region", "H6", put("By_region", "H6", "=(G6/D6)^(1/(G$5-D$5))-1")),
    ("W29", "Cover", "B10", put("Cover", "B10", "CAGR")),
    ("W30", "Calc", "E7", put("Calc", "E7", None)),
    ("W30", "Assumptions", "F7", put("Assumptions", "F7", None)),
    ("W30", "Data_long", "E7", put("Data_long", "E7", None)),
    ("W30", "Calc", "D7", (sheet_part("Calc"), r'(<c r="D7".*?<v>)1', r"\g<1>NaN")),
    ("W31", "Calc", "B7", put("Calc", "B7", "=Germany")),
    ("W31", "Calc", "B7", put("Calc", "B7", "=cmd|'/C calc'!A0")),
    ("W31", "Calc", "B7", put("Calc", "B7", "=D7")),
    ("W31", "Calc", "B7", put("Calc", "B7", "E\tU")),
    ("W32", "CALC", "", (WORKBOOK, 'name="Method"', 'name="CALC"')),
    (
        "W32",
        "A title of more than thirty-one characters",
        "",
        (WORKBOOK, 'name="Method"', 'name="A title of more than thirty-one characters"'),
    ),
    ("W33", "Assumptions", "K6", typed_list),
    ("W33", "Assumptions", "D6", unvalidated),
    ("W33", "Assumptions", "D6", silent),
    ("W34", "Calc", "D7", (sheet_part("Calc"), r'(<c r="D7".*?</f>)<v>1</v>', r"\1<v></v>")),
    ("W35", "Calc", "D7", put("Calc", "D7", '=LM_PATIENTS("US")')),
    (
        "W35",
        "Calc",
        "D7",
        (sheet_part("Calc"), r'(<c r="D7"[^>]*>)<f>.*?</f><v>1</v>', r'\1<f>LM_X("US")</f>'),
    ),
    ("W36", "Calc", "E5", styled("Calc", "E5", number_format="yyyy")),
    ("W36", "Calc", "E5", styled("Calc", "E5", number_format="#,##0")),
    ("W37", "Calc", "", setting("Calc", "page_setup.orientation", "portrait")),
    ("W37", "Calc", "", setting("Calc", "page_setup.fitToWidth", 2)),
    ("W37", "Calc", "", setting("Calc", "page_setup.paperSize", 8)),
    ("W37", "Calc", "A1", setting("Calc", "print_area", None)),
    ("W37", "By_region", "A5", lambda book: setattr(book["By_region"].column_dimensions["A"], "width", 120)),
    ("W37", "By_region", "A5", setting("By_region", "print_area", "A1:C9,D1:AZ9")),
    ("W37", "Calc", "", setting("Calc", "oddFooter.right.text", "version 1.0")),
    ("W37", "Calc", "", setting("Calc", "oddFooter.right.text", "page &P")),
    ("W37", "Calc", "A5", (WORKBOOK, r"<definedName [^>]*>'Calc'!\$5:\$5</definedName>", "")),
    ("W38", "", "", lambda book: book["By_region"]._charts.clear()),
    ("W38", "By_region", "B12", chart(title=None)),
    ("W38", "By_region", "B12", chart(y_axis__title=None)),
    ("W38", "By_region", "B12", short_series),
    ("W38", "By_region", "B12", (r"xl/drawings/drawing1\.xml", 'descr="[^"]*"', 'descr=""')),
    ("W38", "By_region", "B12", chart(legend__overlay=None)),
    ("W38", "By_region", "B12", (CHART, r"<c:overlay val=\"0\"/>", "")),
    ("W38", "By_region", "B12", (CHART, r"<c:numCache>.*?</c:numCache>", "")),
    ("W38", "By_region", "B12", (CHART, r"(<c:numCache>.*?<c:v>)1<", r"\g<1>2<")),
    ("W38", "By_region", "B12", (CHART, r"\$D\$8:\$G\$8", "$A$8:$G$8")),
    ("W40", "", "", lambda book: setattr(book, "active", 2)),
    ("W40", "Calc", "", lambda book: book.move_sheet("Calc", -5)),
    ("W40", "Cover", "C7", lambda book: setattr(book["Cover"].sheet_view.selection[0], "activeCell", "C7")),
    (
        "W40",
        "Assumptions",
        "D6",
        all_of(put("Assumptions", "D6", 123_456_789_012), styled("Assumptions", "D6", number_format="#,##0")),
    ),
    ("W41", "", "", (r"xl/_rels/workbook\.xml\.rels", 'Target="worksheets', 'Target="/xl/worksheets')),
    (
        "W41",
        "Calc",
        "A6",
        (sheet_part("Calc"), r'<c r="A6"( s="\d+")? t="s"><v>\d+</v></c>', r'<c r="A6"\1 t="inlineStr"/>'),
    ),
    ("W41", "", "", setting("", "properties.title", None)),
    ("W41", "", "", setting("", "properties.creator", "openpyxl")),
    ("W42", "Other", "B7", other({"B2": 1, "B3": 2, "B4": 3, "B5": 4, "B7": "=SUM(B2:B4)"})),
    ("W43", "Other", "B3", other({"B2": 1, "B3": "2", "B4": 3, "B5": "=SUM(B2:B4)"})),
    ("W44", "Other", "B5", other({"B2": 1, "B3": 2, "B4": "=SUM(B2:B3)", "B5": "=SUM(B2:B4)"})),
    ("W45", "Other", "B4", other({f"B{r}": f"=A{r + (r == 4)}*A$1" for r in range(2, 8)})),
    ("W41", "", "", (r"docProps/app\.xml", "<Application>.*?<", "<Application>Openpyxl 3<")),
]


@pytest.mark.parametrize(
    ("rule", "sheet", "cell", "plant"),
    PLANTS,
    ids=[f"{r}-{s}-{c}-{i}" for i, (r, s, c, _) in enumerate(PLANTS)],
)
def test_a_planted_breach_is_reported(
    rule: str, sheet: str, cell: str, plant: Edit | tuple[str, str, str], sound: Path, tmp_path: Path
) -> None:
    path = tmp_path / "planted.xlsx"
    if callable(plant):
        book = sound_book()
        plant(book)
        save(book, path)
    else:
        shutil.copy(sound, path)
        assert repacked(path, *plant, count=1)
    breaches = audit(path)
    assert (rule, sheet, cell) in {(b.rule, b.sheet, b.cell) for b in breaches}, "\n".join(map(str, breaches))
    assert all(b.message and b.rule in RULES for b in breaches)


def test_each_rule_that_is_checked_has_a_plant() -> None:
    assert {rule for rule, *_ in PLANTS} == set(CHECKS)
    assert set(RULES) - set(CHECKS) == {"W39"}
    assert list(RULES) == [f"W{i:02}" for i in range(1, 46)]


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("xl/vbaProject.bin", "macro"),
        ("xl/externalLinks/externalLink1.xml", "link"),
        ("xl/connections.xml", "connection"),
    ],
)
def test_a_foreign_part_is_reported(part: str, kind: str, sound: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(sound, tmp_path / f"{kind}.xlsx"))
    with zipfile.ZipFile(path, "a") as package:
        package.writestr(part, "<x/>")
    assert [(b.rule, b.message) for b in audit(path)] == [("W17", f"the part {part}")]


# A workbook that lm-xl built


def test_a_breach_in_a_built_workbook_is_reported(small_built: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(small_built)
    ws = next(
        s
        for s in book.worksheets
        if s.sheet_properties.tabColor.rgb[-6:] == TAB["calculations"] and s.title.startswith("Calc_")
    )
    first = next(
        c for row in ws.iter_rows(min_row=6) for c in row if c.data_type == "f" and c.column < ws.max_column
    )
    cell = ws.cell(first.row, first.column + 1).coordinate
    ws[cell] = f"{first.value}*1.07+OFFSET(A1,0,0)"
    book.save(tmp_path / "edited.xlsx")
    planted = {
        ("W02", ws.title, cell),
        ("W03", ws.title, cell),
        ("W13", ws.title, cell),
        ("W34", ws.title, cell),
    }
    assert not planted & {(b.rule, b.sheet, b.cell) for b in audit(small_built)}
    assert planted <= {(b.rule, b.sheet, b.cell) for b in audit(tmp_path / "edited.xlsx")}


# What a formula is made of


@pytest.mark.parametrize(
    ("formula", "numbers", "functions", "nested"),
    [
        ("'2030 plan'!A1+Sheet2!B2*1.5", ["1.5"], set(), False),
        ('"2" & LOG10(A1) & "it\'s 3"', [], {"LOG10"}, False),
        ("SUM(A1:A9,$B:$C,5:7)*1E-3+.5", ["1E-3", ".5"], {"SUM"}, False),
        ("IF(A1=0,1,0)+IF(B1=0,1,0)", ["0", "1", "0", "0", "1", "0"], {"IF"}, False),
        ("IF(AND(A1,IF(B1,1,0)),1,0)", ["1", "0", "1", "0"], {"IF", "AND"}, True),
        ("tbl[[#This Row],[value 2025]]*2%", ["2"], set(), False),
    ],
)
def test_a_formula_is_taken_apart(
    formula: str, numbers: list[str], functions: set[str], nested: bool
) -> None:
    meaning = formulas.meaning_of(formula)
    assert (list(meaning.numbers), set(meaning.functions), meaning.nested_if) == (numbers, functions, nested)


def test_a_copy_of_a_formula_is_the_same_in_relative_terms() -> None:
    assert formulas.relative("A1*$B$2+Calc!C3", 1, 1) == formulas.relative("B2*$B$2+Calc!D4", 2, 2)
    assert formulas.relative("A1*$B$2", 1, 1) != formulas.relative("B2*B2", 2, 2)
    assert formulas.relative('"A1"', 1, 1) == formulas.relative('"A1"', 2, 2)


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (1234.5, "#,##0", "1,234"), (-0.05, "0.0%", "-5.0%"), (2_500_000, "0.0,,", "2.5"), (-7, "0;(0)", "x7x"), (0, '0;-0;"-"', ""),
        (2025, "General", ""), (45000, "yyyy-mm-dd", ""), (3, '[Red]0.00" USD"', "3.00xxxx"), (1e5, "0.00E+00", ""),
    ],
)  # fmt: skip
def test_a_number_is_shown_as_its_format_says(number: float, code: str, text: str) -> None:
    assert display.shown(number, code).replace("(", "x").replace(")", "x") == text


def test_the_value_before_is_no_circle(tmp_path: Path) -> None:
    book = sound_book()
    calculated(book["Calc"], 8, ("growth", "US", "index"), "=Calc!{c}6")
    for last, letter in zip("DEF", "EFG", strict=True):
        book["Calc"][f"{letter}8"] = f"=Calc!{last}8+Calc!{letter}6"
    assert "W18" not in {b.rule for b in audit(save(book, tmp_path / "chain.xlsx"))}
    name("start", "Calc!$G$8")(book)
    book["Calc"]["D8"] = "=start"
    found = [b for b in audit(save(book, tmp_path / "circle.xlsx")) if b.rule == "W18"]
    assert [(b.sheet, b.cell) for b in found] == [("Calc", "D8")]
    assert "3 more cells" in found[0].message


def test_a_second_block_of_years_has_its_own_formula(tmp_path: Path) -> None:
    book = sound_book()
    table = book["By_region"]
    write(table, 5, (*[None] * 8, *YEARS[1:]), "lm header", "lm year")
    for row in (6, 7, 8):
        for last, now, letter in zip("DEF", "EFG", "IJK", strict=True):
            table[f"{letter}{row}"] = f'=IF({last}{row}=0,"n/a",{now}{row}/{last}{row}-1)'
    assert audit(save(book, tmp_path / "growth.xlsx")) == []
    calculated(book["Calc"], 8, ("growth", "US", "share"), "=Calc!{c}6")
    for last, now in zip("DEF", "EFG", strict=True):
        book["Calc"][f"{now}8"] = f"=Calc!{now}6/Calc!{last}6-1"
    book["Calc"]["D8"] = None
    assert audit(save(book, tmp_path / "first.xlsx")) == []
    table["J7"] = '=IF(D7=0,"n/a",F7/D7-1)'
    table["K8"] = None
    found = {(b.rule, b.sheet, b.cell) for b in audit(save(book, tmp_path / "wrong.xlsx"))}
    assert found == {("W03", "By_region", "J7"), ("W30", "By_region", "K8")}


def test_formulas_that_cells_share_are_expanded(sound: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(sound, tmp_path / "shared.xlsx"))
    sheet = sheet_part("By_region")
    assert repacked(path, sheet, r'(<c r="D6"[^>]*>)<f>', r'\1<f t="shared" ref="D6:G6" si="0">') == 1
    assert repacked(path, sheet, r'(<c r="[EFG]6"[^>]*>)<f>[^<]*</f>', r'\1<f t="shared" si="0"/>') == 3
    assert audit(path) == []
    repacked(path, sheet, r"Calc!D6</f>", "Calc!D6*1.5</f>")
    assert {b.cell for b in audit(path) if b.rule == "W02"} == {"D6", "E6", "F6", "G6"}


# Any file


def test_a_foreign_workbook_is_audited(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "foreign.xlsx") as book:
        ws = book.add_worksheet("Data")
        ws.write_row(0, 0, ["what", 2024, 2025, 2026])
        ws.write_row(1, 0, ["sales", 1, 2])
        ws.write_formula("D2", "=B2*1.1", value=1.1)
        drawn = book.add_chart({"type": "pie"})
        drawn.add_series({"values": "=Data!$B$2:$D$2"})
        ws.insert_chart("F2", drawn)
        book.add_chartsheet("Drawn")
    found = audit(tmp_path / "foreign.xlsx")
    assert {"W01", "W02", "W10", "W22", "W23", "W24", "W25", "W26", "W27", "W28", "W38"} <= {
        b.rule for b in found
    }
    assert Breach("W02", "Data", "D2", "the number 1.1 in =B2*1.1: give it a cell of its own") in found


def test_an_empty_workbook_is_audited(tmp_path: Path) -> None:
    Workbook().save(tmp_path / "empty.xlsx")
    assert {"W01", "W04", "W10", "W26"} <= {b.rule for b in audit(tmp_path / "empty.xlsx")}


def test_an_assumptions_workbook_is_audited(small_path: Path) -> None:
    assert "W22" not in {b.rule for b in audit(small_path)}


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        ("</sheetData>", ""),
        ("<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet'),
        ('r="D7"', 'r="7"'),
        ('<c r="D7" s="', '<c r="D7" s="x'),
        ('t="s"><v>', 't="s"><v>9'),
        ('ySplit="5"', 'ySplit="1e999"'),
    ],
)
def test_a_damaged_file_is_refused(pattern: str, replacement: str, sound: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(sound, tmp_path / "damaged.xlsx"))
    assert repacked(path, sheet_part("Calc"), pattern, replacement, count=1)
    with pytest.raises(lm_xl.Refused, match=r"damaged\.xlsx"):
        audit(path)


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.xlsx").write_text("no workbook")
    with pytest.raises(lm_xl.Refused, match=r"is not an \.xlsx workbook"):
        audit(tmp_path / "text.xlsx")
    with pytest.raises(lm_xl.Refused, match="there is no such file"):
        audit(tmp_path / "absent.xlsx")


# What is told


def test_many_breaches_are_counted_and_some_shown() -> None:
    breaches = [Breach("W34", "Calc", f"A{i}", "a formula without a stored value") for i in range(1, 1001)]
    lines = summary(breaches)
    assert lines[0] == "W34 Each formula has a stored value. (1,000 times)"
    assert lines[1] == "  Calc!A1: a formula without a stored value"
    assert lines[-2:] == [
        "  and 950 more",
        "1,000 breaches of 1 rules; 43 of the 44 rules that were checked are kept",
    ]
    told = json.loads(as_json(breaches))
    (rule,) = [r for r in told["rules"] if r["count"]]
    assert (told["count"], rule["rule"], rule["count"], len(rule["breaches"])) == (1000, "W34", 1000, 50)
    assert rule["breaches"][0] == {
        "rule": "W34",
        "sheet": "Calc",
        "cell": "A1",
        "message": "a formula without a stored value",
    }
    assert [r["rule"] for r in told["rules"] if not r["checked"]] == ["W39"]


def test_the_command_fails_where_there_are_breaches(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, capsys, "audit", sound)[0] == 0
    book = sound_book()
    put("Calc", "E6", "=Assumptions!$D$6*1.07")(book)
    path = save(book, tmp_path / "planted.xlsx")
    for form in ("text", "json"):
        code, out, _ = run(monkeypatch, capsys, "audit", "--format", form, path)
        assert code == 3 and "W02" in out


def test_a_rule_with_many_breaches_says_that_it_stopped(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CHECKS, "W02", lambda _: ((f"{n}", "", "wrong") for n in range(10)))
    monkeypatch.setattr(auditing, "MOST_LISTED", 3)
    found = [b for b in audit(sound) if b.rule == "W02"]
    assert [b.sheet for b in found] == ["0", "1", "2", ""]
    assert found[-1].message == "more than 3 breaches: no others were looked for"


def test_the_audit_tells_what_it_is_at(sound: Path) -> None:
    told: list[str] = []
    audit(sound, told.append)
    assert told == [*(f"reading {title}" for title in SHEETS), *(f"rule {rule}" for rule in CHECKS)]


@pytest.mark.parametrize(
    "formula",
    [
        "'" * 20_000,
        '"' * 20_001,
        "[" * 20_000,
        "a" * 20_000 + "(",
        "'a" * 10_000,
        "[[a]" * 5_000,
        "$A" * 10_000,
    ],
)
def test_no_formula_takes_more_than_linear_time(formula: str) -> None:
    """Twice the formula may take three times as long, not four; a rest of a millisecond is noise."""

    def seconds(text: str) -> float:
        taken = []
        for _ in range(3):
            start = time.process_time()
            formulas.meaning_of(text)
            formulas.relative(text, 5, 5)
            list(formulas.references(text))
            formula_moved(text + "&0", 1, 1)
            taken.append(time.process_time() - start)
        return min(taken)

    half = seconds(formula[: len(formula) // 2])
    assert seconds(formula) < 3.5 * half + 0.05
