"""The pages of the deliverable: what stands where on each sheet, and how it looks."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.formatting.rule import Rule
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.version import __version__
from lm_xl.workbook.pages.inputs import list_reference
from lm_xl.workbook.pages.pen import LINE, Pen, heading, lines_of, page, table
from lm_xl.workbook.pages.styles import AMBER, TAB, fill, number_format
from lm_xl.workbook.plan.checks import CHECKS, FIRST_CHECK
from lm_xl.workbook.plan.input_cells import Choice
from lm_xl.workbook.plan.layout import (
    BAND,
    CHOICES,
    CONSTANT,
    COVER,
    FIGURES_ROW,
    FIRST_ROW,
    HEADER_ROW,
    LONG,
    SUMMARY,
    WORDS_VALUE,
)
from lm_xl.workbook.plan.lines import Line, Plan, SheetPlan
from lm_xl.workbook.plan.report import (
    CANCERS,
    FUNNEL,
    LAUNCHES,
    PRICES,
    REGION_SEGMENT,
    REGIONS,
    SEGMENTS,
    TESTS,
)
from lm_xl.workbook.plan.triangulation import FIRST_FIGURE, HIGH, LOW, OUTSIDE, TRIANGULATION, model_year
from lm_xl.workbook.words.prose import SHEET_NOTES
from lm_xl.xlsx.addresses import column_letters, split_address

OUTPUTS = (FUNNEL, REGIONS, CANCERS, SEGMENTS, REGION_SEGMENT, PRICES, LAUNCHES, TESTS)
REPORTED = "Live formulas over the calculation sheets. Source: this model and the assumptions it cites; revenue in the basis and currency chosen on the cover."
CALCULATED = (
    "One formula a line, the same in every year. A line refers to Inputs and to the stages before it."
)
LIVE, STATIC = (
    "live: change a cream cell and everything follows",
    "STATIC COPY: values only, nothing follows a change",
)
MASTER_ROW = FIRST_CHECK - 2


def _start(ws: Worksheet, kind: str, *lines: str) -> None:
    ws.sheet_properties.tabColor = TAB[kind]
    heading(ws, ws.title, SHEET_NOTES.get(ws.title, ""), *lines)


def sheet_of_lines(ws: Worksheet, sheet: SheetPlan, years: Sequence[int], kind: str, pen: Pen) -> None:
    """A sheet of lines by years: the report's tables and the calculations."""
    report = kind == "outputs"
    _start(ws, kind, REPORTED if report else CALCULATED)
    span, n = f"{years[0]}-{years[-1]}", CONSTANT + len(years)
    columns = [
        "quantity",
        "region",
        "segment",
        "subtype",
        "unit",
        f"CAGR {span}" if report else "from",
        "value",
    ]
    for i, name in enumerate(columns, 1):
        pen.write(ws, HEADER_ROW, i, name, "lm header" if i < 6 or (i == 6 and not report) else "lm year")
    for i, year in enumerate(years):
        pen.write(ws, HEADER_ROW, CONSTANT + 1 + i, year, "lm year", "0")
    shares = (
        [f"share {years[0]}", f"share {years[-1]}"]
        if any(c > n for line in sheet.lines for c in line.columns)
        else []
    )
    for i, name in enumerate(shares, n + 1):
        pen.write(ws, HEADER_ROW, i, name, "lm year")
    ws.row_dimensions[HEADER_ROW].height = 2 * LINE + 3
    for i, width in enumerate((24, 21, 33, 23, 24, 11 if report else 18, 12), 1):
        ws.column_dimensions[column_letters(i)].width = width
    for i in range(CONSTANT + 1, n + 1 + len(shares)):
        ws.column_dimensions[column_letters(i)].width = 13 if i <= n else 9
    for row, title in sheet.headings:
        pen.text(ws, row, 1, title, "lm band")
        for column in range(2, n + 1 + len(shares)):
            pen.write(ws, row, column, None, "lm band")
    for line in sheet.lines:
        if line.array == "master":
            continue
        if any(line.keys) or line.origin:
            style = "lm label" if line.style == "lm calculation" else line.style
            for column, label in enumerate((line.quantity, *line.keys, line.unit, line.origin), 1):
                if label:
                    pen.text(ws, line.row, column, label, style)
        form = number_format(line.unit, line.quantity)
        for column, formula in line.formulas():
            pen.write(ws, line.row, column, f"={formula}", line.style, form)
    ws.freeze_panes = f"{column_letters(CONSTANT + 1)}{FIRST_ROW}"
    page(ws, HEADER_ROW)


def words(ws: Worksheet, sheet: SheetPlan, pen: Pen) -> None:
    """The pieces of the sentences."""
    _start(ws, "calculations", "Each piece follows the numbers; the sentences of the summary join them.")
    for i, (name, width) in enumerate((("sentence", 24), ("unit", 24), ("value", 110)), 1):
        pen.write(ws, HEADER_ROW, i, name, "lm header")
        ws.column_dimensions[column_letters(i)].width = width
    for row, text in sheet.headings:
        pen.text(ws, row, 1, "fixed words", "lm label")
        pen.text(ws, row, 2, "text", "lm label")
        pen.text(ws, row, WORDS_VALUE, text, "lm label")
    for line in sheet.lines:
        if line.array == "master":
            continue
        for column, label in ((1, line.quantity), (2, line.unit)):
            pen.text(ws, line.row, column, label, "lm label")
        for column, formula in line.formulas():
            pen.write(ws, line.row, column, f"={formula}", "lm calculation", number_format(line.unit))
    ws.freeze_panes = f"A{FIRST_ROW}"
    page(ws, HEADER_ROW)


def long_data(ws: Worksheet, sheet: SheetPlan, pen: Pen) -> None:
    """The long data as an Excel table."""
    _start(
        ws,
        "data",
        "One fact a line, no totals: patients by region and subtype, revenue in USD million by region and segment.",
    )
    names = ("metric", "region", "segment", "subtype", "year", "unit", "value")
    for i, (name, width) in enumerate(zip(names, (24, 21, 33, 23, 8, 13, 15), strict=True), 1):
        pen.write(ws, HEADER_ROW, i, name, "lm header" if name not in ("year", "value") else "lm year")
        ws.column_dimensions[column_letters(i)].width = width
    for line in sheet.lines:
        if line.array == "master":
            continue
        for column, label in enumerate((line.quantity, *line.keys), 1):
            pen.text(ws, line.row, column, label, "lm label")
        pen.write(ws, line.row, 5, int(line.origin), "lm label", "0")
        pen.text(ws, line.row, 6, line.unit, "lm label")
        ((column, formula),) = line.formulas()
        pen.write(ws, line.row, column, f"={formula}", "lm calculation", number_format(line.unit))
    table(ws, LONG, HEADER_ROW, max(FIRST_ROW, sheet.row - 1), len(names))
    ws.freeze_panes = f"A{FIRST_ROW}"
    page(ws, HEADER_ROW)


def cover(ws: Worksheet, a: Assumptions, traced: Plan, drawn: str, pen: Pen) -> None:
    """What is chosen, the key figures, and where the workbook comes from."""
    ws.sheet_properties.tabColor = TAB["control"]
    heading(
        ws,
        "Leptomeningeal metastases: market model",
        f"Forecast {a.axes.years[0]}-{a.axes.years[-1]}, nominal prices. Choose in the three cream cells: every number, chart and sentence follows.",
    )
    ws.column_dimensions["A"].width, ws.column_dimensions["B"].width, ws.column_dimensions["C"].width = (
        26,
        58,
        44,
    )
    start = Choice(a.axes.scenarios[0]).cells()
    for (what, place), source in zip(
        CHOICES.items(),
        (
            _scenarios(a),
            list_reference("basis"),
            f"Currencies!$A${FIRST_ROW}:$A${HEADER_ROW + len(a.currencies)}",
        ),
        strict=True,
    ):
        row = int(split_address(place)[1])
        pen.text(ws, row, 2, f"{what.capitalize()} (choose from the list)", "lm label")
        pen.text(ws, row, 3, start[place], "lm choice")
        rule = DataValidation(
            type="list", formula1=source, allow_blank=False, showErrorMessage=True, showInputMessage=True
        )
        rule.errorTitle, rule.error = "Not in the list", f"Choose a {what} from the list."
        rule.promptTitle, rule.prompt = what.capitalize(), "Choose from the list; the whole workbook follows."
        rule.add(place)
        ws.add_data_validation(rule)
    for (what, place), limit in zip(BAND.items(), (LOW, HIGH), strict=True):
        row = int(split_address(place)[1])
        pen.text(
            ws,
            row,
            2,
            f"A ratio to a published figure is amber {'below' if what == 'low' else 'above'}",
            "lm label",
        )
        pen.write(ws, row, 3, limit, "lm calculation", "0.0")
    figures = [line for line in traced.sheets[COVER].lines if line.array != "master"]
    for line in figures:
        _figure(ws, line, pen)
    row = FIGURES_ROW + len(figures) + 1
    facts = (
        ("Assumptions", a.path.name),
        ("Fingerprint of the assumptions", a.fingerprint),
        ("Engine", f"lm_xl {__version__}"),
        ("Kind", LIVE),
        ("Formulas", f"{traced.formulas:,}, each recalculated by an independent engine and equal to Python"),
        ("Regions, segments, subtypes, years", " x ".join(str(n) for n in a.axes.shape)),
        ("Seed and draws", f"{drawn}, for the sheets Uncertainty and Convergence; all else is deterministic"),
        ("Legend: an input, change it", "input"),
        ("Legend: calculated; bold on pale blue for a total", "calculated"),
    )
    for i, (name, value) in enumerate(facts, row):
        pen.text(ws, i, 2, name, "lm label")
        pen.text(ws, i, 3, value, "lm input" if value == "input" else "lm wrapped")
        ws.row_dimensions[i].height = LINE * (1 + len(value) // 44)
        if value == "input":
            legend = DataValidation(
                type="list", formula1='"input"', showErrorMessage=True, showInputMessage=True
            )
            legend.promptTitle, legend.prompt, legend.error = (
                "Legend",
                "Every input looks like this cell.",
                "This cell is the legend.",
            )
            legend.add(f"C{i}")
            ws.add_data_validation(legend)
    page(ws, 1, single=True)


def _amber(formula: str) -> Rule:
    """Amber where a formula holds; the word in the cell says so too."""
    return Rule(type="expression", formula=[formula], dxf=DifferentialStyle(fill=fill(AMBER)))


def _figure(ws: Worksheet, line: Line, pen: Pen) -> None:
    ((column, formula),) = line.formulas()
    pen.text(ws, line.row, 2, line.quantity, "lm label")
    pen.write(ws, line.row, column, f"={formula}", line.style, number_format(line.unit))
    ws.row_dimensions[line.row].height = 26


def summary(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """The key figures and the sentences; the charts come later."""
    _start(ws, "outputs", "The sentences are formulas: they stay true whatever is chosen or changed.")
    ws.column_dimensions["A"].width, ws.column_dimensions["B"].width, ws.column_dimensions["C"].width = (
        26,
        58,
        40,
    )
    for line in traced.sheets[SUMMARY].lines:
        if line.style == "lm figure":
            _figure(ws, line, pen)
        elif line.style == "lm sentence":
            ((column, formula),) = line.formulas()
            pen.write(ws, line.row, column, f"={formula}", "lm sentence")
    page(ws, 1, single=True)


def drivers(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """Each driver of the market with its parameters: what they are now, where they stand, what they move."""
    _start(ws, "outputs", "The most general row of each parameter is shown; its sheet has the others.")
    names = ("driver", "parameter", "keys", "unit", "row", "first value", "last value", "source", "moves")
    widths = (48, 25, 44, 17, 16, 12, 12, 30, 60)
    for i, (name, width) in enumerate(zip(names, widths, strict=True), 1):
        pen.write(ws, HEADER_ROW, i, name, "lm year" if name.endswith("value") else "lm header")
        ws.column_dimensions[column_letters(i)].width = width
    for row, texts in traced.drivers:
        for column, text in texts.items():
            pen.text(ws, row, column, text, "lm wrapped")
        ws.row_dimensions[row].height = LINE * max(
            lines_of(text, widths[column - 1]) for column, text in texts.items()
        )
    for line in traced.sheets[ws.title].lines:
        if line.array != "master":
            for column, formula in line.formulas():
                pen.write(
                    ws, line.row, column, f"={formula}", line.style, number_format(line.unit, line.quantity)
                )
    ws.freeze_panes = f"A{FIRST_ROW}"
    page(ws, HEADER_ROW)


def triangulation(ws: Worksheet, a: Assumptions, traced: Plan, pen: Pen) -> None:
    """The model beside published figures."""
    _start(
        ws,
        "outputs",
        "Published figures are compared at their own scope, in US dollars net, with the model's nearest year; the model is never calibrated to them.",
    )
    names = (
        "publisher",
        "what",
        "scope",
        "region",
        "segment",
        "subtype",
        "year",
        "model year",
        "published",
        "model",
        "ratio",
        "status",
        "why",
    )
    for i, (name, width) in enumerate(
        zip(names, (24, 40, 10, 12, 18, 14, 8, 8, 16, 16, 9, 17, 70), strict=True), 1
    ):
        pen.write(ws, HEADER_ROW, i, name, "lm year" if i in (7, 8, 9, 10, 11) else "lm header")
        ws.column_dimensions[column_letters(i)].width = width
    ws.row_dimensions[HEADER_ROW].height = 2 * LINE + 3
    for k, figure in enumerate(a.published):
        row = FIRST_FIGURE + k
        for column, label in (
            (1, figure.publisher),
            (2, figure.what),
            (3, figure.scope),
            (4, figure.keys.region),
            (5, figure.keys.segment),
            (6, figure.keys.subtype),
            (13, figure.note),
        ):
            pen.text(ws, row, column, label, "lm wrapped")
        for column, year in ((7, figure.year), (8, model_year(traced, figure))):
            pen.write(ws, row, column, year, "lm calculation", "0")
        ws.row_dimensions[row].height = LINE * max(lines_of(figure.note, 70), lines_of(figure.what, 40))
    for line in traced.sheets[TRIANGULATION].lines:
        if line.array != "master":
            for column, formula in line.formulas():
                pen.write(ws, line.row, column, f"={formula}", line.style, number_format(line.unit))
    last = FIRST_FIGURE + max(len(a.published), 1) - 1
    ws.conditional_formatting.add(f"K{FIRST_FIGURE}:L{last}", _amber(f'$L{FIRST_FIGURE}="{OUTSIDE}"'))
    ws.freeze_panes = f"C{FIRST_FIGURE}"
    page(ws, HEADER_ROW)


def checks(ws: Worksheet, traced: Plan, pen: Pen) -> None:
    """Every check, its tolerance and whether it passes."""
    _start(
        ws,
        "control",
        "A check passes when its value is at most its tolerance; an error value fails it. Column A of row 4 on every sheet repeats the master check.",
    )
    pen.text(ws, MASTER_ROW, 1, "Master check", "lm label")
    names = ("id", "what", "value", "tolerance", "pass", "least", "most")
    for i, (name, width) in enumerate(zip(names, (14, 90, 16, 12, 8, 12, 12), strict=True), 1):
        pen.write(ws, MASTER_ROW + 1, i, name, "lm header" if i < 3 else "lm year")
        ws.column_dimensions[column_letters(i)].width = width
    for row, identity, what, tolerance, bounds in traced.checks:
        pen.text(ws, row, 1, identity, "lm label")
        pen.text(ws, row, 2, what, "lm label")
        pen.write(ws, row, 4, tolerance, "lm calculation", "0E+00")
        for column, bound in zip((6, 7), bounds or (), strict=False):
            pen.write(ws, row, column, bound, "lm calculation", "General")
    for line in traced.sheets[CHECKS].lines:
        if line.array != "master" or line.row == MASTER_ROW:
            for column, formula in line.formulas():
                pen.write(
                    ws,
                    line.row,
                    column,
                    f"={formula}",
                    "lm total" if line.row == MASTER_ROW else "lm calculation",
                    "0.0E+00" if column == 3 else "0",
                )
    last = traced.checks[-1][0]
    ws.conditional_formatting.add(f"E{FIRST_CHECK}:E{last}", _amber(f"$E{FIRST_CHECK}<>1"))
    ws.freeze_panes = f"C{FIRST_CHECK}"
    page(ws, MASTER_ROW + 1)


def page_of_words(ws: Worksheet, names: tuple[str, str], rows: Sequence[tuple[str, str]], pen: Pen) -> None:
    """A table of terms and their meaning."""
    _start(ws, "control")
    for i, (name, width) in enumerate(zip(names, (34, 130), strict=True), 1):
        pen.write(ws, HEADER_ROW, i, name, "lm header")
        ws.column_dimensions[column_letters(i)].width = width
    for row, (term, meaning) in enumerate(rows, FIRST_ROW):
        pen.text(ws, row, 1, term, "lm wrapped")
        pen.text(ws, row, 2, meaning, "lm wrapped")
        ws.row_dimensions[row].height = LINE * max(lines_of(meaning, 130), lines_of(term, 34))
    ws.freeze_panes = f"A{FIRST_ROW}"
    page(ws, HEADER_ROW)


def charts(ws: Worksheet) -> None:
    """A page for charts."""
    _start(ws, "outputs")
    page(ws, 1, single=True)


def contents(workbook: Workbook, pen: Pen) -> None:
    """Every sheet with its class, what it answers, and a link."""
    ws = workbook["Contents"]
    _start(ws, "control")
    kinds = {colour: kind for kind, colour in TAB.items()}
    for i, (name, width) in enumerate((("sheet", 26), ("class", 16), ("what it answers", 110)), 1):
        pen.write(ws, HEADER_ROW, i, name, "lm header")
        ws.column_dimensions[column_letters(i)].width = width
    for row, sheet in enumerate(workbook.worksheets, FIRST_ROW):
        colour = sheet.sheet_properties.tabColor
        pen.text(ws, row, 1, sheet.title, "lm link")
        ws.cell(row, 1).hyperlink = Hyperlink(
            ref=f"A{row}", location=f"'{sheet.title}'!A1", tooltip=f"Go to {sheet.title}"
        )
        pen.text(ws, row, 2, kinds.get(colour.rgb[-6:] if colour is not None else "", ""), "lm label")
        pen.text(ws, row, 3, SHEET_NOTES.get(sheet.title, ""), "lm label")
    ws.freeze_panes = f"A{FIRST_ROW}"
    page(ws, HEADER_ROW)


def _scenarios(a: Assumptions) -> str:
    first = FIRST_ROW + len(a.axes.region) + len(a.axes.segment) + len(a.axes.subtype)
    return f"Axes!$B${first}:$B${first + len(a.axes.scenarios) - 1}"
