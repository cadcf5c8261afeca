"""The sheet Model: what is chosen, the model and its faults, the key figures and their charts."""

from __future__ import annotations

from openpyxl.workbook import Workbook
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.functions.answers import call
from lm_xl.functions.template.state import StoredValues, Template
from lm_xl.functions.template.tables import REVENUE, TABLE_SHEETS, first_line
from lm_xl.model.outputs import BASES, PATIENT_STAGES
from lm_xl.workbook.pages.charts import add_chart, year_bars
from lm_xl.workbook.pages.lists import list_reference, lists_of
from lm_xl.workbook.pages.pen import page, start, widths
from lm_xl.workbook.pages.styles import FIGURE_HEIGHT, number_format
from lm_xl.workbook.pages.validations import NOT_LISTED, list_of, new_label, validate
from lm_xl.workbook.plan.checks import CHECKS
from lm_xl.workbook.plan.layout import CONSTANT, FIRST_ROW, KEY_COLUMNS
from lm_xl.workbook.plan.records import INPUT_SHEETS, Records
from lm_xl.workbook.words.prose import text

CONTROL = "Model"
BANNER_ROW, MODEL_ROW, FAULTS_ROW, FIGURES_AT = 4, 12, 13, 16
CHOICES = {"Scenario": 6, "Region": 7, "Segment": 8, "Subtype": 9, "Stage": 10, "Basis": 11}
"""The workbook's names for what is chosen, and the rows of their cells."""
NAME_COLUMN, VALUE_COLUMN, NOTE_COLUMN = 2, 3, 4
VALUE_LETTER = "C"
"""The letter of the column of values."""


def control(workbook: Workbook, t: Template, records: Records) -> None:
    """The whole sheet, beside whose charts the sheets of tables must stand already."""
    ws, pen, axes = workbook[CONTROL], t.pen, t.axes
    span = f"{axes.years[0]}-{axes.years[-1]}"
    about = "nominal US dollars. Choose in the cream cells, or change an assumption."
    start(ws, "control", f"{axes.region.total}, {span}, {about}")
    widths(ws, (26, 48, 44, 70))
    pen.write(ws, BANNER_ROW, NAME_COLUMN, "Functions", "lm label")
    asleep = "not running: the numbers are those stored in the file. See How_to."
    banner = t.formula(f'=IF(ISERROR(LM_VERSION()),"{asleep}",LM_VERSION())')
    pen.write(ws, BANNER_ROW, VALUE_COLUMN, banner, "lm check")
    _choices(ws, t)
    _model(ws, t, records)
    row = _figures(ws, t) + 1
    pen.text(ws, row, NAME_COLUMN, "All checks", "lm label")
    pen.write(ws, row, VALUE_COLUMN, f"={CHECKS}!$C${FIRST_ROW}", "lm check")
    pen.text(ws, row + 1, NAME_COLUMN, "Assumptions at the time of building", "lm label")
    built_of = f"{t.assumptions.path.name} {t.assumptions.fingerprint}"
    pen.text(ws, row + 1, VALUE_COLUMN, built_of, "lm wrapped")
    _charts(workbook, t, row + 4)
    page(ws, 1, single=True)


def _choices(ws: Worksheet, t: Template) -> None:
    """The cells that are chosen in, as they stand at first: everywhere, everything, with the risk of failure."""
    axes, pen = t.axes, t.pen
    chosen = {
        "Scenario": axes.scenarios[0], "Region": axes.region.total, "Segment": axes.headline, "Subtype": axes.subtype.total,
        "Stage": "diagnosed", "Basis": "risk_adjusted",
    }  # fmt: skip
    words = {"Stage": PATIENT_STAGES, "Basis": tuple(BASES)}
    for name, row in CHOICES.items():
        pen.text(ws, row, NAME_COLUMN, f"{name} (choose from the list)", "lm label")
        pen.text(ws, row, VALUE_COLUMN, chosen[name], "lm choice")
        pen.text(ws, row, NOTE_COLUMN, text("template", name), "lm text")
        # Labels may be added on the sheet Axes; stages and bases are the model's own, so no other word is taken.
        if name in words:
            rule = list_of(f'"{",".join(words[name])}"')
            rule.errorTitle, rule.error = NOT_LISTED, text("pages", "choose", what=name.lower())
        else:
            rule = list_of(list_reference(name.lower(), lists_of(axes)))
            new_label(rule)
        prompt = "Choose from the list; every function follows."
        validate(ws, f"{VALUE_LETTER}{row}", rule, prompt=(name, prompt))


def _model(ws: Worksheet, t: Template, records: Records) -> None:
    """The cell that holds the model of the tables, which every function takes, and the faults of the tables."""
    names = [f"tbl_{sheet}[#All]" for sheet in INPUT_SHEETS if sheet in records]
    if t.host == "lite":
        # xlwings Lite hands over blank cells as 0, so they become empty text first.
        names = [f'IF({name}="","",{name})' for name in names]
    tables = ",".join(names)
    why = f'=IF(ISERROR(Model),LM_WHY("LM_MODEL",{tables},Scenario),"none")'
    for row, label, formula, style, note in (
        (MODEL_ROW, "Model (all functions take this cell)", f"=LM_MODEL({tables},Scenario)", "lm calculation", "Model"),
        (FAULTS_ROW, "Faults of the assumptions", why, "lm wrapped", "Faults"),
    ):  # fmt: skip
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


def _figures(ws: Worksheet, t: Template) -> int:
    """Revenue, its growth, and patients, in the first and the last year. Returns the row after them."""
    axes, handle = t.axes, t.model.handle
    first, last = axes.years[0], axes.years[-1]
    revenue = "=LM_REVENUE(Segment,{year},Model,Region,Subtype,Basis)/1000/1000"
    people = "=LM_PATIENTS(Region,{year},Model,Stage,Subtype)"
    start_cell, end_cell = f"{VALUE_LETTER}{FIGURES_AT}", f"{VALUE_LETTER}{FIGURES_AT + 1}"
    growth = f'=IF({start_cell}=0,"n/a",({end_cell}/{start_cell})^(1/({last}-{first}))-1)'
    figures = (
        *((f"Revenue {y}, USD million", revenue.format(year=y), "USD million") for y in (first, last)),
        (f"Growth of revenue {first}-{last}, a year (CAGR)", growth, "per year"),
        *((f"Patients at the stage {y}", people.format(year=y), "patients") for y in (first, last)),
    )
    sold = [float(call("LM_REVENUE", [axes.headline, y, handle])) / 1e6 for y in (first, last)]
    diagnosed = [float(call("LM_PATIENTS", [axes.region.total, y, handle])) for y in (first, last)]
    # Growth follows from the two cells above it, so Python has no value of its own for it.
    in_python = (*sold, None, *diagnosed)
    for row, ((what, formula, unit), value) in enumerate(zip(figures, in_python, strict=True), FIGURES_AT):
        t.pen.text(ws, row, NAME_COLUMN, what, "lm label")
        t.pen.write(ws, row, VALUE_COLUMN, t.formula(formula), "lm figure", number_format(unit))
        ws.row_dimensions[row].height = FIGURE_HEIGHT
        if value is not None:
            t.stored.append(StoredValues(CONTROL, f"{VALUE_LETTER}{row}", what, unit, [value]))
    return FIGURES_AT + len(figures)


def _charts(workbook: Workbook, t: Template, row: int) -> None:
    """Revenue by each axis, over the leaves in its table."""
    years = t.axes.years
    places = (f"A{row}", f"C{row}", f"A{row + 21}")
    for (dim, title), place in zip(TABLE_SHEETS.items(), places, strict=True):
        axis = t.axes.axis(dim)
        top = first_line(REVENUE, dim, axis)
        chart = year_bars(
            workbook[title],
            range(top, top + len(axis)),
            KEY_COLUMNS[dim],
            CONSTANT + 1,
            CONSTANT + len(years),
            f"Revenue by {axis.name}, {years[0]}-{years[-1]}",
            REVENUE.unit,
        )
        add_chart(workbook[CONTROL], chart, place)
