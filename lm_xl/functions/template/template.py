"""The template: a workbook whose numbers come from the Excel functions, for Excel on Windows or for xlwings Lite."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.properties import CalcProperties
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.files import must_end, not_over, replacing
from lm_xl.functions.answers import STORE, call
from lm_xl.functions.headless import LITE_PREFIX, recalculate
from lm_xl.functions.models import Model
from lm_xl.functions.registry import FUNCTIONS
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, Axes
from lm_xl.model.outputs import BASES, PATIENT_STAGES
from lm_xl.version import __version__
from lm_xl.workbook.pages.charts import year_bars
from lm_xl.workbook.pages.inputs import write_inputs
from lm_xl.workbook.pages.lists import LISTS
from lm_xl.workbook.pages.pen import Pen, heading, lines_of, page
from lm_xl.workbook.pages.styles import LINE, TAB, add_styles, number_format
from lm_xl.workbook.pages.validations import new_label
from lm_xl.workbook.plan.layout import CONSTANT, FIRST_ROW, HEADER_ROW, KEY_COLUMNS
from lm_xl.workbook.plan.records import INPUT_SHEETS, Records, records_of
from lm_xl.workbook.plan.report import shown_groups
from lm_xl.workbook.words import prose
from lm_xl.xlsx.addresses import column_letters
from lm_xl.xlsx.stored import described_drawing

HOSTS = ("windows", "lite")
CONTROL, HOW, STORED, CHECKS, FUNCTION_SHEET = "Model", "How_to", "Stored_values", "Checks", "Functions"
CHOICES = {"Scenario": 6, "Region": 7, "Segment": 8, "Subtype": 9, "Stage": 10, "Basis": 11}
"""Names of the workbook and the rows of the control sheet that hold what is chosen."""
MODEL_ROW, FAULTS_ROW, FIGURES_AT = 12, 13, 16
VALUE = "C"
EXCEL_CALCULATION = 191029
"""The calculation engine of Excel 2019 and later: with an older number Excel recalculates on opening, even with no functions there."""
FIRST_ZIP_DAY = (1980, 1, 1, 0, 0, 0)
TEXTS = ("LM_MODEL", "LM_SOURCE", "LM_LIST", "LM_WHY", "LM_VERSION")
"""The functions that answer with words."""
SLOW = "LM_PERCENTILE"
"""The function whose example is not live: it draws anew whenever an assumption changes."""
CHANGE_SHOWN = 1e-9
"""Relative difference from which a number counts as other than at the time of building."""


@dataclass
class Template:
    """What is needed while a template is written: its assumptions, its host, and the cells that hold functions so far."""

    assumptions: Assumptions
    host: str
    model: Model
    pen: Pen = field(default_factory=Pen)
    kept: list[tuple[str, str, str, str, list[float]]] = field(default_factory=list)
    """Sheet, first cell, what it is, unit and values of each line of functions, as Python has them."""

    @property
    def axes(self) -> Axes:
        return self.assumptions.axes

    @property
    def years(self) -> str:
        first = column_letters(CONSTANT + 1)
        return f"${first}${HEADER_ROW}:${column_letters(CONSTANT + len(self.axes.years))}${HEADER_ROW}"

    def formula(self, text: str) -> str:
        """A formula as this host's file has it."""
        return text if self.host == "windows" else re.sub(r"\b(LM_[A-Z]+\()", rf"{LITE_PREFIX}\1", text)

    def over_tables(self, ws: Worksheet, row: int, text: str, style: str) -> None:
        """A formula of whole tables. Where it computes with their cells it must be an array formula, or Excel takes one cell of each."""
        self.pen.write(ws, row, 3, None if self.host == "lite" else text, style)
        if self.host == "lite":
            cell = f"{VALUE}{row}"
            ws[cell] = ArrayFormula(cell, self.formula(text))


def template(
    assumptions: Assumptions,
    output: str | Path,
    *,
    host: str = "windows",
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Write the function-backed workbook of some assumptions for a host, all or nothing, with every stored value.

    The values are those of the functions evaluated headlessly. Raises WrongUsage where the file's name does not end as the host needs;
    Refused where it exists and `force` is not given, or is the one that the assumptions were read from; ArithmeticError where a
    function shows an error.
    """
    must_end(Path(output), ".xlsm" if host == "windows" else ".xlsx")
    not_over(assumptions.path, Path(output))
    model = Model(assumptions, assumptions.axes.scenarios[0])
    STORE.put(model)
    t = Template(assumptions, host, model)
    with replacing(Path(output), force=force) as draft, tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "template.xlsx"
        progress("writing")
        _workbook(t).save(plain)
        progress("recalculating")
        errors = recalculate(plain).errors
        if errors:
            raise ArithmeticError(
                f"the functions and Python disagree on what can be computed: {', '.join(f'{c} shows {e}' for c, e in errors.items())}"
            )
        _finished(plain)
        if host == "windows":
            from lm_xl.functions.vba import add_macros

            add_macros(plain, draft)
        else:
            from lm_xl.functions.lite import add_code

            add_code(plain, draft)


def _workbook(t: Template) -> Workbook:
    a = t.assumptions
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    add_styles(workbook)
    workbook.calculation = CalcProperties(calcId=EXCEL_CALCULATION, fullCalcOnLoad=False)
    workbook.properties.title = "Leptomeningeal metastases market model, by functions"
    workbook.properties.creator = f"lm_xl {__version__}"
    for title in (CONTROL, HOW):
        workbook.create_sheet(title)
    for dim, title in ((REGION, "By_region"), (SEGMENT, "By_segment"), (SUBTYPE, "By_cancer")):
        _tables(workbook.create_sheet(title), t, dim)
    _functions(workbook.create_sheet(FUNCTION_SHEET), t)
    workbook.create_sheet(CHECKS)
    records, _ = records_of(a)
    write_inputs(workbook, records, a.axes, t.pen)
    _control(workbook, t, records)
    _how_to(workbook[HOW], t)
    _stored(workbook.create_sheet(STORED), t)
    _checks(workbook[CHECKS], t)
    if t.host == "windows":
        from lm_xl.functions.vba import CONF, conf_rows

        _words(workbook.create_sheet(CONF), [("key", "value"), *conf_rows()], "", (30, 60), t.pen)
    for name, row in (("Model", MODEL_ROW), *CHOICES.items()):
        workbook.defined_names[name] = DefinedName(name, attr_text=f"{CONTROL}!${VALUE}${row}")
    return workbook


def _tables_argument(t: Template, records: Records) -> str:
    """The tables as LM_MODEL's arguments. xlwings Lite hands over blank cells as 0, so there they become empty text first."""
    named = [f"tbl_{sheet}[#All]" for sheet in INPUT_SHEETS if sheet in records]
    return ",".join(n if t.host == "windows" else f'IF({n}="","",{n})' for n in named)


def _start(ws: Worksheet, kind: str, *lines: str) -> None:
    ws.sheet_properties.tabColor = TAB[kind]
    heading(ws, ws.title, *lines)


def _control(workbook: Workbook, t: Template, records: Records) -> None:
    """What is chosen, the model, its faults, the key figures."""
    ws, pen, axes = workbook[CONTROL], t.pen, t.axes
    _start(
        ws,
        "control",
        f"{axes.region.total}, {axes.years[0]}-{axes.years[-1]}, nominal US dollars. Choose in the cream cells, or change an assumption.",
    )
    for column, width in zip("ABCD", (26, 48, 44, 70), strict=True):
        ws.column_dimensions[column].width = width
    pen.write(ws, 4, 2, "Functions", "lm label")
    banner = t.formula(
        '=IF(ISERROR(LM_VERSION()),"not running: the numbers are those stored in the file. See How_to.",LM_VERSION())'
    )
    pen.write(ws, 4, 3, banner, "lm check")
    start = {
        "Scenario": axes.scenarios[0], "Region": axes.region.total, "Segment": axes.segment.total, "Subtype": axes.subtype.total,
        "Stage": "diagnosed", "Basis": "risk_adjusted",
    }  # fmt: skip
    allowed = {
        "Scenario": axes.scenarios, "Region": axes.region.labels, "Segment": axes.segment.labels, "Subtype": axes.subtype.labels,
        "Stage": PATIENT_STAGES, "Basis": tuple(BASES),
    }  # fmt: skip
    lists = {
        str(name): column_letters(i)
        for i, name in enumerate(next(workbook[LISTS].iter_rows(HEADER_ROW, HEADER_ROW, values_only=True)), 1)
    }
    for name, row in CHOICES.items():
        pen.text(ws, row, 2, f"{name} (choose from the list)", "lm label")
        pen.text(ws, row, 3, start[name], "lm choice")
        pen.text(ws, row, 4, prose.text("template", name), "lm text")
        column = lists.get(name.lower(), "")
        source = (
            f"{LISTS}!${column}${FIRST_ROW}:${column}${HEADER_ROW + len(allowed[name])}"
            if name in ("Scenario", "Region", "Segment", "Subtype")
            else f'"{",".join(allowed[name])}"'
        )
        rule = DataValidation(
            type="list", formula1=source, allow_blank=False, showErrorMessage=True, showInputMessage=True
        )
        rule.errorTitle, rule.error = "Not in the list", f"Choose a {name.lower()} from the list."
        if column and name not in ("Stage", "Basis"):
            new_label(rule)
        rule.promptTitle, rule.prompt = name, "Choose from the list; every function follows."
        rule.add(f"{VALUE}{row}")
        ws.add_data_validation(rule)
    tables = _tables_argument(t, records)
    pen.text(ws, MODEL_ROW, 2, "Model (all functions take this cell)", "lm label")
    t.over_tables(ws, MODEL_ROW, f"=LM_MODEL({tables},Scenario)", "lm calculation")
    pen.text(ws, MODEL_ROW, 4, prose.text("template", "Model"), "lm text")
    pen.text(ws, FAULTS_ROW, 2, "Faults of the assumptions", "lm label")
    t.over_tables(
        ws, FAULTS_ROW, f'=IF(ISERROR(Model),LM_WHY("LM_MODEL",{tables},Scenario),"none")', "lm wrapped"
    )
    pen.text(ws, FAULTS_ROW, 4, prose.text("template", "Faults"), "lm text")
    first, last = axes.years[0], axes.years[-1]
    figures = (
        (
            f"Revenue {first}, USD million",
            f"=LM_REVENUE(Segment,{first},Model,Region,Subtype,Basis)/1000/1000",
            "USD million",
        ),
        (
            f"Revenue {last}, USD million",
            f"=LM_REVENUE(Segment,{last},Model,Region,Subtype,Basis)/1000/1000",
            "USD million",
        ),
        (
            f"Growth of revenue {first}-{last}, a year (CAGR)",
            f'=IF({VALUE}{FIGURES_AT}=0,"n/a",({VALUE}{FIGURES_AT + 1}/{VALUE}{FIGURES_AT})^(1/({last}-{first}))-1)',
            "per year",
        ),
        (f"Patients at the stage {first}", f"=LM_PATIENTS(Region,{first},Model,Stage,Subtype)", "patients"),
        (f"Patients at the stage {last}", f"=LM_PATIENTS(Region,{last},Model,Stage,Subtype)", "patients"),
    )
    for i, (what, formula, unit) in enumerate(figures, FIGURES_AT):
        pen.text(ws, i, 2, what, "lm label")
        pen.write(ws, i, 3, t.formula(formula), "lm figure", number_format(unit))
        ws.row_dimensions[i].height = 26
    revenue = [
        float(call("LM_REVENUE", [axes.segment.total, y, t.model.handle])) / 1e6 for y in (first, last)
    ]
    people = [float(call("LM_PATIENTS", [axes.region.total, y, t.model.handle])) for y in (first, last)]
    for i, value in ((0, revenue[0]), (1, revenue[1]), (3, people[0]), (4, people[1])):
        t.kept.append((CONTROL, f"{VALUE}{FIGURES_AT + i}", figures[i][0], figures[i][2], [value]))
    row = FIGURES_AT + len(figures) + 1
    pen.text(ws, row, 2, "All checks", "lm label")
    pen.write(ws, row, 3, f"={CHECKS}!$C${FIRST_ROW}", "lm check")
    pen.text(ws, row + 1, 2, "Assumptions at the time of building", "lm label")
    pen.text(ws, row + 1, 3, f"{t.assumptions.path.name} {t.assumptions.fingerprint}", "lm wrapped")
    charts: Any = ws
    for (title, dim), place in zip(
        (("By_region", REGION), ("By_segment", SEGMENT), ("By_cancer", SUBTYPE)),
        (f"A{row + 4}", f"C{row + 4}", f"A{row + 25}"),
        strict=True,
    ):
        axis = axes.axis(dim)
        top = _revenue_rows(dim, axes)
        chart = year_bars(
            workbook[title],
            range(top, top + len(axis)),
            KEY_COLUMNS[dim],
            CONSTANT + 1,
            CONSTANT + len(axes.years),
            f"Revenue by {axis.name}, {first}-{last}",
            "USD million",
        )
        charts.add_chart(chart, place)
    page(ws, 1, single=True)


def _lines(dim: int, axes: Axes) -> tuple[list[str], list[str]]:
    axis = axes.axis(dim)
    return list(axis.leaves), shown_groups(axis)


def _revenue_rows(dim: int, axes: Axes) -> int:
    """The first row of the table of revenue, which stands after that of patients where there is one."""
    leaves, groups = _lines(dim, axes)
    return FIRST_ROW + 1 if dim == SEGMENT else FIRST_ROW + len(leaves) + len(groups) + 3


def _tables(ws: Worksheet, t: Template, dim: int) -> None:
    """Patients and revenue by the labels of one axis: one array formula for the leaves and one for the groups of each table."""
    axes, pen, years = t.axes, t.pen, t.axes.years
    _start(
        ws,
        "outputs",
        "One function a block: the labels down, the years across, the model and the choices from the sheet Model.",
        prose.text("template", "Tables"),
    )
    for i, (name, width) in enumerate(
        (
            ("quantity", 24),
            ("region", 21),
            ("segment", 33),
            ("subtype", 23),
            ("unit", 24),
            (f"CAGR {years[0]}-{years[-1]}", 11),
            ("value", 9),
        ),
        1,
    ):
        pen.write(ws, HEADER_ROW, i, name, "lm header" if i < 6 else "lm year")
        ws.column_dimensions[column_letters(i)].width = width
    ws.row_dimensions[HEADER_ROW].height = 2 * LINE + 3
    for i, year in enumerate(years, CONSTANT + 1):
        pen.write(ws, HEADER_ROW, i, year, "lm year", "0")
        ws.column_dimensions[column_letters(i)].width = 13
    leaves, groups = _lines(dim, axes)
    row = FIRST_ROW
    if dim != SEGMENT:
        args = (
            "{labels},{years},Model,Stage,Subtype" if dim == REGION else "Region,{years},Model,Stage,{labels}"
        )
        row = (
            _table(
                ws,
                t,
                dim,
                row,
                "patients",
                "patients",
                f"=LM_PATIENTS({args})",
                "Patients at the chosen stage",
            )
            + 1
        )
    args = {
        REGION: "Segment,{years},Model,{labels},Subtype,Basis",
        SEGMENT: "{labels},{years},Model,Region,Subtype,Basis",
        SUBTYPE: "Segment,{years},Model,Region,{labels},Basis",
    }[dim]
    end = _table(
        ws,
        t,
        dim,
        row,
        "revenue",
        "USD million",
        f"=LM_REVENUE({args})/1000/1000",
        "Revenue in the chosen basis, USD million",
    )
    if dim == SEGMENT:
        _table(
            ws,
            t,
            dim,
            end + 1,
            "revenue share",
            "share",
            "=LM_SHARE(Basis,{labels},{years},Model)",
            "Share of all revenue, all regions and cancers",
        )
    ws.freeze_panes = f"{column_letters(CONSTANT + 1)}{FIRST_ROW}"
    page(ws, HEADER_ROW)
    assert row == FIRST_ROW or row + 1 == _revenue_rows(dim, axes), (leaves, groups)


def _table(
    ws: Worksheet, t: Template, dim: int, row: int, what: str, unit: str, formula: str, title: str
) -> int:
    """A title, a line for each leaf and each group. Returns the row after it."""
    pen, years = t.pen, t.axes.years
    first, last = column_letters(CONSTANT + 1), column_letters(CONSTANT + len(years))
    pen.text(ws, row, 1, title, "lm band")
    for column in range(2, CONSTANT + len(years) + 1):
        pen.write(ws, row, column, None, "lm band")
    row += 1
    for labels, style in zip(_lines(dim, t.axes), ("lm calculation", "lm total"), strict=True):
        end = row + len(labels) - 1
        area = f"{first}{row}:{last}{end}"
        for i, label in enumerate(labels, row):
            look = "lm label" if style == "lm calculation" else style
            for column in range(1, CONSTANT + 1):
                pen.write(ws, i, column, None, look)
            for column, text in ((1, what), (dim + 1, label), (5, unit)):
                pen.text(ws, i, column, text, look)
            pen.write(
                ws,
                i,
                CONSTANT - 1,
                f'=IF({first}{i}=0,"n/a",({last}{i}/{first}{i})^(1/(${last}${HEADER_ROW}-${first}${HEADER_ROW}))-1)',
                style,
                number_format("per year"),
            )
            for column in range(CONSTANT + 1, CONSTANT + len(years) + 1):
                pen.write(ws, i, column, None, style, number_format(unit))
            t.kept.append((ws.title, f"{first}{i}", f"{what}: {label}", unit, _values(t, dim, what, label)))
        text = formula.format(labels=f"${KEY_COLUMNS[dim]}{row}:${KEY_COLUMNS[dim]}{end}", years=t.years)
        ws[f"{first}{row}"] = ArrayFormula(area, t.formula(text))
        row = end + 1
    return row


def _values(t: Template, dim: int, what: str, label: str) -> list[float]:
    """Python's values of a line, for the choices with which the template is delivered."""
    results, of = t.model.results, {t.axes.axis(dim).name: label}
    if what == "patients":
        return [float(x) for x in results.series("diagnosed", **of)]
    series = results.series("risk_adjusted_sales", **of)
    return [
        float(x)
        for x in (
            series / 1e6
            if what == "revenue"
            else results.share(series, results.series("risk_adjusted_sales"))
        )
    ]


def _functions(ws: Worksheet, t: Template) -> None:
    """Each function with a live example, and a place to try one and to ask why."""
    pen, axes = t.pen, t.axes
    _start(
        ws,
        "outputs",
        "Each function with an example that answers from this workbook. Change a cream cell to try it.",
        "docs: the function reference of lm_xl has every argument.",
    )
    names, widths = ("function", "example", "answer", "returns", "meaning"), (16, 74, 30, 40, 62)
    for i, (name, width) in enumerate(zip(names, widths, strict=True), 1):
        pen.write(ws, HEADER_ROW, i, name, "lm header")
        ws.column_dimensions[column_letters(i)].width = width
    therapy = axes.segment.leaves[axes.segment.having("incumbent", "entrant", "rest")[0]]
    region, year = (
        axes.region.leaves[0],
        f"By_region!${column_letters(CONSTANT + 1 + len(axes.years) // 2)}${HEADER_ROW}",
    )
    examples = {
        "LM_MODEL": "=Model",
        "LM_PATIENTS": f'=LM_PATIENTS("{region}",{year},Model)',
        "LM_REVENUE": f'=LM_REVENUE("{therapy}",{year},Model,"{region}")',
        "LM_TABLE": f'=SUM(LM_TABLE("revenue",By_region!$B${FIRST_ROW + 1}:$B${FIRST_ROW + 3},By_region!{t.years},Model))',
        "LM_SHARE": f'=LM_SHARE("revenue","{region}",{year},Model)',
        "LM_CAGR": f'=LM_CAGR("revenue","{axes.segment.total}",Model)',
        "LM_PRICE": f'=LM_PRICE("{therapy}","{region}",{year},Model)',
        "LM_PERCENTILE": f'=LM_PERCENTILE("P90","{axes.segment.total}",{year},Model)',
        "LM_ASSUMPTION": f'=LM_ASSUMPTION("care_access",{year},Model,"{region}")',
        "LM_SOURCE": f'=LM_SOURCE("care_access",Model,"{region}")',
        "LM_LIST": '=INDEX(LM_LIST("region",Model),1)',
        "LM_WHY": f'=IF(ISERROR($C${FIRST_ROW + len(FUNCTIONS) + 4}),LM_WHY("LM_PATIENTS",$C${FIRST_ROW + len(FUNCTIONS) + 2},$C${FIRST_ROW + len(FUNCTIONS) + 3},Model),"nothing is wrong below")',
        "LM_VERSION": "=LM_VERSION()",
    }
    forms = {"LM_SHARE": "share", "LM_CAGR": "per year", "LM_ASSUMPTION": "ratio"}
    for row, function in enumerate(FUNCTIONS.values(), FIRST_ROW):
        pen.text(ws, row, 1, function.name, "lm label")
        pen.text(ws, row, 2, examples[function.name], "lm wrapped")
        if function.name == SLOW:
            pen.text(ws, row, 3, prose.text("template", "Slow"), "lm wrapped")
        else:
            style, unit = (
                ("lm wrapped", "text")
                if function.name in TEXTS
                else ("lm calculation", forms.get(function.name, "patients"))
            )
            pen.write(ws, row, 3, t.formula(examples[function.name]), style, number_format(unit))
        for column, text in ((4, function.returns), (5, function.meaning)):
            pen.text(ws, row, column, text, "lm wrapped")
        ws.row_dimensions[row].height = LINE * max(
            lines_of(examples[function.name], 70),
            lines_of(function.meaning, 60),
            lines_of(function.returns, 38),
            7 if function.name == "LM_SOURCE" else 3 if function.name == SLOW else 1,
        )
    row = FIRST_ROW + len(FUNCTIONS) + 1
    pen.text(ws, row, 1, "Try one", "lm band")
    for column in range(2, 6):
        pen.write(ws, row, column, None, "lm band")
    for i, (what, value, form) in enumerate(
        (("a region", region, ""), ("a year", float(axes.years[len(axes.years) // 2]), "0")), row + 1
    ):
        pen.text(ws, i, 2, f"Type {what}, right or wrong", "lm label")
        if form:
            pen.write(ws, i, 3, value if isinstance(value, float) else None, "lm input", form)
        else:
            pen.text(ws, i, 3, str(value), "lm input")
        rule = DataValidation(type="custom", formula1="TRUE", showInputMessage=True, showErrorMessage=True)
        rule.promptTitle, rule.prompt = "Try", f"Type {what}; the error and its words stand below."
        rule.add(f"C{i}")
        ws.add_data_validation(rule)
    pen.text(ws, row + 3, 2, "Patients diagnosed there", "lm label")
    pen.write(
        ws, row + 3, 3, t.formula(f"=LM_PATIENTS($C${row + 1},$C${row + 2},Model)"), "lm calculation", "#,##0"
    )
    ws.freeze_panes = f"A{FIRST_ROW}"
    page(ws, HEADER_ROW)


def _how_to(ws: Worksheet, t: Template) -> None:
    rows = [("subject", "what to do")]
    for file in ("how_to", "how_to_windows" if t.host == "windows" else "how_to_lite"):
        rows += prose.texts(file).items()
    _words(ws, rows, "How this workbook works, and what to do when a cell shows an error.", (30, 120), t.pen)


def _words(
    ws: Worksheet, rows: Sequence[tuple[str, str]], about: str, widths: tuple[int, int], pen: Pen
) -> None:
    """Two columns of words. The configuration of xlwings starts in A1, as its add-in reads it."""
    ws.sheet_properties.tabColor = TAB["control"]
    start = 1
    if about:
        heading(ws, ws.title, about)
        start = HEADER_ROW
    for i, (name, text) in enumerate(rows, start):
        for column, value in ((1, name), (2, text)):
            pen.text(ws, i, column, value, "lm header" if i == start and about else "lm wrapped")
        ws.row_dimensions[i].height = LINE * max(lines_of(name, widths[0]), lines_of(text, widths[1]))
    ws.column_dimensions["A"].width, ws.column_dimensions["B"].width = widths
    page(ws, start)


def _stored(ws: Worksheet, t: Template) -> None:
    """The twin of every function cell: its value at the time of building, and whether the live one differs."""
    pen, years = t.pen, t.axes.years
    _start(
        ws,
        "data",
        "Values at the time of building, from Python, with the choices as delivered: what the functions showed, should they not run.",
    )
    names = ("sheet", "cell", "what", "now", "unit", "scenario", "value")
    for i, (name, width) in enumerate(zip(names, (14, 8, 46, 11, 14, 16, 13), strict=True), 1):
        pen.write(ws, HEADER_ROW, i, name, "lm header" if i < 7 else "lm year")
        ws.column_dimensions[column_letters(i)].width = width
    for i, year in enumerate(years, CONSTANT + 1):
        pen.write(ws, HEADER_ROW, i, year, "lm year", "0")
        ws.column_dimensions[column_letters(i)].width = 13
    for row, (sheet, cell, what, unit, values) in enumerate(t.kept, FIRST_ROW):
        for column, text in ((1, sheet), (2, cell), (3, what), (5, unit), (6, t.axes.scenarios[0])):
            pen.text(ws, row, column, text, "lm label")
        first = CONSTANT if len(values) == 1 else CONSTANT + 1
        for i, value in enumerate(values, first):
            pen.write(ws, row, i, value, "lm calculation", number_format(unit))
        letter = column_letters(first)
        pen.write(
            ws,
            row,
            4,
            f'=IF(ABS({sheet}!{cell}-{letter}{row})<={CHANGE_SHOWN:.9f}*ABS({letter}{row}),"the same","differs")',
            "lm calculation",
        )
    ws.freeze_panes = f"{column_letters(CONSTANT + 1)}{FIRST_ROW}"
    page(ws, HEADER_ROW)


def _checks(ws: Worksheet, t: Template) -> None:
    """Whether totals agree across the function blocks, and the master of these checks."""
    pen, axes = t.pen, t.axes
    _start(ws, "control", "An error in a check fails it. The master is repeated on the sheet Model.")
    for i, (name, width) in enumerate(
        (("id", 8), ("what", 76), ("passes", 14), ("value", 16), ("tolerance", 14)), 1
    ):
        pen.write(ws, HEADER_ROW, i, name, "lm header" if i < 3 else "lm year")
        ws.column_dimensions[column_letters(i)].width = width
    first, last = column_letters(CONSTANT + 1), column_letters(CONSTANT + len(axes.years))

    def total(dim: int, *, leaves: bool) -> str:
        top = _revenue_rows(dim, axes)
        n, groups = len(axes.axis(dim)), len(shown_groups(axes.axis(dim)))
        rows = (top, top + n - 1) if leaves else (top + n + groups - 1, top + n + groups - 1)
        return (
            f"SUM({('By_region', 'By_segment', 'By_cancer')[dim - REGION]}!{first}{rows[0]}:{last}{rows[1]})"
        )

    checks = [
        (
            f"Revenue by {axes.axis(d).name} sums to its total",
            f"={total(d, leaves=True)}-{total(d, leaves=False)}",
        )
        for d in (REGION, SEGMENT, SUBTYPE)
    ]
    named = {"Region": axes.region.total, "Segment": axes.segment.total, "Subtype": axes.subtype.total}
    checks += [
        (f"Revenue by {axes.axis(a).name} and by {axes.axis(b).name} agree where both show all of the other axes",
         f'=IF(AND(Region="{named["Region"]}",Segment="{named["Segment"]}",Subtype="{named["Subtype"]}"),{total(a, leaves=False)}-{total(b, leaves=False)},0)')
        for a, b in ((REGION, SEGMENT), (REGION, SUBTYPE))
    ]  # fmt: skip
    checks.append(("The assumptions have no fault", "=IF(ISERROR(Model),1,0)"))
    master = FIRST_ROW
    pen.text(ws, master, 1, "master", "lm total")
    pen.text(ws, master, 2, "All checks below pass", "lm total")
    span = f"$C${master + 1}:$C${master + len(checks)}"
    pen.write(ws, master, 3, f'=IF(COUNTIF({span},"passes")={len(checks)},"all pass","FAILED")', "lm check")
    for i, (what, formula) in enumerate(checks, master + 1):
        pen.text(ws, i, 1, f"T{i - master:02d}", "lm label")
        pen.text(ws, i, 2, what, "lm label")
        pen.write(ws, i, 4, formula, "lm calculation", "0.0E+00")
        pen.write(ws, i, 5, 1e-6, "lm calculation", "0.0E+00")
        pen.write(ws, i, 3, f'=IF(IFERROR(ABS(D{i})<=E{i},FALSE),"passes","FAILED")', "lm check")
    page(ws, HEADER_ROW)


def _finished(path: Path) -> None:
    """The same package with its charts described and without the time of its making, so that two builds are one file."""
    with zipfile.ZipFile(path) as package:
        parts = [(item, package.read(item)) for item in package.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for item, content in parts:
            if item.filename == "docProps/core.xml":
                content = re.sub(
                    rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>2025-01-01T00:00:00Z", content
                )
            if re.fullmatch(r"xl/drawings/drawing\d+\.xml", item.filename):
                content = described_drawing(
                    content.decode(), {i.filename: c for i, c in parts}, item.filename
                ).encode()
            kept = zipfile.ZipInfo(item.filename, FIRST_ZIP_DAY)
            kept.compress_type, kept.external_attr = zipfile.ZIP_DEFLATED, item.external_attr
            package.writestr(kept, content)
