"""The sheet Model: what is chosen, the model and its faults, whether the functions run, and the key figures."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.functions.answers import call
from lm_xl.functions.template.checks import MASTER
from lm_xl.functions.template.state import RUNNING, StoredValues, Template, by_test
from lm_xl.workbook.pages.pen import page, start, widths
from lm_xl.workbook.pages.styles import FIGURE_HEIGHT, number_format
from lm_xl.workbook.plan.records import INPUT_SHEETS, Records
from lm_xl.workbook.words.prose import text

CONTROL = "Model"
VERSION_ROW, MODEL_ROW, FAULTS_ROW, RUNNING_ROW, FIGURES_AT = 5, 12, 13, 14, 16
CHOICE_ROWS = {"Scenario": 6, "Region": 7, "Segment": 8, "Subtype": 9, "Stage": 10, "Basis": 11}
"""The workbook's names for what is chosen on the dashboard, and the rows that repeat it."""
TITLES = {
    "classes": ("Revenue by class, USD million", ("Scenario", "Segment", "Basis", "Region", "Subtype")),
    "shares": ("Shares of revenue", ("Scenario", "Segment", "Basis", "Region", "Subtype")),
    "regions": ("Revenue by region, USD million", ("Scenario", "Segment", "Basis", "Subtype")),
    "cancers": ("Patients by cancer", ("Scenario", "Stage", "Region")),
}
"""What the charts of the dashboard show, and the choices that each follows: its title names them."""
YES_OR_NO = '"yes";;"no"'
"""The number format of 1 and 0."""
NAME_COLUMN, VALUE_COLUMN, NOTE_COLUMN = 2, 3, 4
VALUE_LETTER = "C"
"""The letter of the column of values."""
FIGURES = (
    "first revenue", "last revenue", "growth", "first at stage", "last at stage", "first treated", "last treated",
    "first diagnosed", "last diagnosed", "first for each", "last for each",
)  # fmt: skip
"""The key figures in the order of their rows."""
CHECKED_ROW = FIGURES_AT + len(FIGURES) + 1
"""The row that repeats whether all checks pass."""
TITLES_AT = CHECKED_ROW + 3
"""The row of the first chart's title."""
SAID = ("asleep", "failed", "pass")
SAID_AT = TITLES_AT + len(TITLES) + 1
"""What the banner may say, and the row of the first."""


def figure(what: str) -> str:
    """The cell of a key figure."""
    return f"{CONTROL}!${VALUE_LETTER}${FIGURES_AT + FIGURES.index(what)}"


def control(ws: Worksheet, t: Template, records: Records) -> None:
    """The whole sheet."""
    pen, axes = t.pen, t.axes
    span = f"{axes.years[0]}-{axes.years[-1]}"
    about = "nominal US dollars. Choose on the Dashboard, or change an assumption."
    start(ws, "control", f"{axes.region.total}, {span}, {about}")
    widths(ws, (26, 48, 44, 70))
    version = f'=IF(ISERROR(LM_VERSION()),"{text("template", "Not_running")}",LM_VERSION())'
    running = f'=IF(ISNUMBER(FIND("lm_xl",{VALUE_LETTER}{VERSION_ROW})),1,0)'
    for row, what, formula, form in (
        (VERSION_ROW, "Functions", version, ""),
        (RUNNING_ROW, "Functions run here", running, YES_OR_NO),
    ):
        pen.text(ws, row, NAME_COLUMN, what, "lm label")
        t.write_fresh(ws, row, VALUE_COLUMN, formula, "lm check", form)
    pen.text(ws, RUNNING_ROW, NOTE_COLUMN, text("template", "Running"), "lm text")
    for name, row in CHOICE_ROWS.items():
        pen.text(ws, row, NAME_COLUMN, name, "lm label")
        pen.write(ws, row, VALUE_COLUMN, f"={name}", "lm calculation")
        pen.text(ws, row, NOTE_COLUMN, text("template", name), "lm text")
    _model(ws, t, records)
    _figures(ws, t)
    row = CHECKED_ROW
    pen.text(ws, row, NAME_COLUMN, "All checks", "lm label")
    t.write_fresh(ws, row, VALUE_COLUMN, f"={MASTER}", "lm check")
    pen.text(ws, row + 1, NAME_COLUMN, "Assumptions at the time of building", "lm label")
    built_of = f"{t.assumptions.path.name} {t.assumptions.fingerprint}"
    pen.text(ws, row + 1, VALUE_COLUMN, built_of, "lm wrapped")
    for row, (draws, (title, follows)) in enumerate(TITLES.items(), TITLES_AT):
        pen.text(ws, row, NAME_COLUMN, f"Title of the chart of {draws}", "lm label")
        pen.write(ws, row, VALUE_COLUMN, f'="{title}: "&{joined(follows)}', "lm text")
    for row, (what, said) in enumerate(
        (
            (
                "Banner where the functions do not run",
                text("template", "Banner", built_of=built_of, scenario=axes.default),
            ),
            ("Banner where a check fails", text("template", "Failed")),
            (
                "Banner where all checks pass",
                f'="{text("template", "Run")}"&" ("&{VALUE_LETTER}{VERSION_ROW}&"): "&{MASTER}',
            ),
        ),
        SAID_AT,
    ):
        pen.text(ws, row, NAME_COLUMN, what, "lm label")
        write = pen.write if said.startswith("=") else pen.text
        write(ws, row, VALUE_COLUMN, said, "lm text")
    page(ws, 1, single=True)


def joined(names: Sequence[str]) -> str:
    """A formula of what is chosen, one after the other."""
    return '&" | "&'.join(names)


def said_cell(what: str) -> str:
    """The cell with what the banner may say."""
    return f"{CONTROL}!{VALUE_LETTER}{SAID_AT + SAID.index(what)}"


def title_cell(draws: str) -> str:
    """The cell with the title of a chart."""
    return f"{CONTROL}!${VALUE_LETTER}${TITLES_AT + list(TITLES).index(draws)}"


def _model(ws: Worksheet, t: Template, records: Records) -> None:
    """The cell that holds the model of the tables, which every function takes, and the faults of the tables."""
    names = [f"tbl_{sheet}[#All]" for sheet in INPUT_SHEETS if sheet in records]
    if t.host == "lite":
        # xlwings Lite hands over blank cells as 0, so they become empty text first.
        names = [f'IF({name}="","",{name})' for name in names]
    tables, asleep = ",".join(names), text("template", "Not_running")
    model = f'=IF({RUNNING},LM_MODEL({tables},Scenario),"{asleep}")'
    asked = f'LM_WHY("LM_MODEL",{tables},Scenario)'
    why = by_test("ISERROR(Model)", asked, '"none"', f'"{asleep}"')
    for row, label, formula, style, note in (
        (MODEL_ROW, "Model (all functions take this cell)", model, "lm calculation", "Model"),
        (FAULTS_ROW, "Faults of the assumptions", why, "lm wrapped", "Faults"),
    ):
        t.pen.text(ws, row, NAME_COLUMN, label, "lm label")
        _of_tables(ws, t, row, formula, style)
        t.pen.text(ws, row, NOTE_COLUMN, text("template", note), "lm text")


def _of_tables(ws: Worksheet, t: Template, row: int, formula: str, style: str) -> None:
    """A formula of whole tables. Where it computes with their cells it must be an array formula, or Excel takes one cell of each."""
    if t.host == "windows":
        t.pen.write(ws, row, VALUE_COLUMN, formula, style)
    else:
        cell = f"{VALUE_LETTER}{row}"
        t.pen.write(ws, row, VALUE_COLUMN, None, style)
        ws[cell] = ArrayFormula(cell, t.formula(formula))


def _figures(ws: Worksheet, t: Template) -> None:
    """Revenue, its growth, and patients, in the first and the last year."""
    axes, handle = t.axes, t.model.handle
    first, last = ends = axes.years[0], axes.years[-1]
    revenue = "=LM_REVENUE(Segment,{year},Model,Region,Subtype,Basis)/1000/1000"
    people = "=LM_PATIENTS(Region,{year},Model,{stage},Subtype)"
    start_cell, end_cell = f"{VALUE_LETTER}{FIGURES_AT}", f"{VALUE_LETTER}{FIGURES_AT + 1}"
    growth = f'=IF({start_cell}=0,"n/a",({end_cell}/{start_cell})^(1/({last}-{first}))-1)'
    figures: list[tuple[str, str, str, float | None]] = []
    for y in ends:
        sold = float(call("LM_REVENUE", [axes.headline, y, handle])) / 1e6
        figures.append((f"Revenue {y}, USD million", revenue.format(year=y), "USD million", sold))
    # What follows from other figures has no stored value of its own.
    figures.append((f"Growth of revenue {first}-{last}, a year (CAGR)", growth, "per year", None))
    for stage, asked, at_first in (
        ("at the stage", "Stage", "diagnosed"),
        ("treated", '"treated"', "treated"),
        ("diagnosed", '"diagnosed"', "diagnosed"),
    ):
        for y in ends:
            count = float(call("LM_PATIENTS", [axes.region.total, y, handle, at_first]))
            figures.append((f"Patients {stage} {y}", people.format(year=y, stage=asked), "patients", count))
    for y, end in zip(ends, ("first", "last"), strict=True):
        sold_cell, treated = (figure(f"{end} {what}") for what in ("revenue", "treated"))
        each = f"=IF({treated}=0,0,{sold_cell}*1000*1000/{treated})"
        figures.append((f"Revenue for each treated {y}, USD", each, "USD", None))
    for row, (what, formula, unit, value) in enumerate(figures, FIGURES_AT):
        t.pen.text(ws, row, NAME_COLUMN, what, "lm label")
        if value is not None:
            line = StoredValues(CONTROL, f"{VALUE_LETTER}{row}", what, unit, [value])
            formula = t.or_stored(formula, [line])
        t.pen.write(ws, row, VALUE_COLUMN, t.formula(formula), "lm figure", number_format(unit))
        ws.row_dimensions[row].height = FIGURE_HEIGHT
