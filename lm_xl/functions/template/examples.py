"""The sheet Functions: each function with a live example, and a place to try one and to ask why."""

from __future__ import annotations

from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.functions.registry import FUNCTIONS, Function
from lm_xl.functions.template.state import Template
from lm_xl.functions.template.what_if import CHANGED, FACTOR
from lm_xl.workbook.pages.pen import band, columns, lines_of, page, start
from lm_xl.workbook.pages.styles import LINE, number_format
from lm_xl.workbook.pages.validations import validate
from lm_xl.workbook.plan.layout import CONSTANT, FIRST_ROW, HEADER_ROW
from lm_xl.workbook.plan.report import REGIONS, shown_groups
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import column_letters

FUNCTION_SHEET = "Functions"
FUNCTION_COLUMNS = (
    ("function", 16, "lm header"),
    ("example", 74, "lm header"),
    ("answer", 30, "lm header"),
    ("returns", 40, "lm header"),
    ("meaning", 62, "lm header"),
)
TRY_ROW = FIRST_ROW + len(FUNCTIONS) + 1
"""The title of the place to try a function; a region, a year and the answer stand below."""
SLOW = ("LM_PERCENTILE", "LM_TORNADO")
"""The functions whose examples are not live: they take seconds whenever an assumption changes."""
TEXTS = ("LM_MODEL", "LM_SCENARIO", "LM_WHATIF", "LM_SOURCE", "LM_LIST", "LM_WHY", "LM_VERSION")
"""The functions that answer with words."""
OF_SOMETHING = ("LM_SHARE", "LM_CAGR", "LM_GROWTH")
"""The functions that have no answer where there is no revenue at all: their examples say n/a then."""
UNITS = {
    "LM_SHARE": "share",
    "LM_CAGR": "per year",
    "LM_GROWTH": "per year",
    "LM_ASSUMPTION": "ratio",
    "LM_FORECAST": "USD million",
    "LM_BRIDGE": "USD million",
}
"""Units of the answers that are no counts."""
ANSWER_LINES = {"LM_SOURCE": 7, **dict.fromkeys(SLOW, 3)}
"""How many lines a long answer takes."""


def examples(ws: Worksheet, t: Template) -> None:
    """Each function's example, answer and meaning, then the place to try one."""
    start(
        ws,
        "outputs",
        "Each function with an example that answers from this workbook. Change a cream cell to try it.",
        "docs: the function reference of lm_xl has every argument.",
    )
    columns(ws, t.pen, FUNCTION_COLUMNS)
    formulas = _formulas(t)
    for row, function in enumerate(FUNCTIONS.values(), FIRST_ROW):
        _example(ws, t, row, function, formulas[function.name])
    _try_one(ws, t)
    page(ws, HEADER_ROW, freeze="A")


def _formulas(t: Template) -> dict[str, str]:
    """The example of each function, of the first region, the first therapy and a year in the middle."""
    axes = t.axes
    therapy = axes.segment.leaves[axes.segment.having("incumbent", "entrant", "rest")[0]]
    region, company = axes.region.leaves[0], t.assumptions.companies[0]
    year = f"{REGIONS}!${column_letters(CONSTANT + 1 + len(axes.years) // 2)}${HEADER_ROW}"
    # The first lines of the sheet, of which one region has but two: its own and the total.
    last = FIRST_ROW + min(3, len(axes.region) + len(shown_groups(axes.region)))
    regions, years = f"{REGIONS}!$B${FIRST_ROW + 1}:$B${last}", f"{REGIONS}!{t.year_cells}"
    tried = f'LM_WHY("LM_PATIENTS",$C${TRY_ROW + 1},$C${TRY_ROW + 2},Model)'
    changed = f'LM_WHATIF(Model,"{CHANGED}",{FACTOR})'
    return {
        "LM_MODEL": "=Model",
        "LM_SCENARIO": f'=LM_SCENARIO(Model,"{axes.scenarios[-1]}")',
        "LM_WHATIF": f"={changed}",
        "LM_PATIENTS": f'=LM_PATIENTS("{region}",{year},Model)',
        "LM_REVENUE": f'=LM_REVENUE("{therapy}",{year},Model,"{region}")',
        "LM_COMPANY_REVENUE": f'=LM_COMPANY_REVENUE("{company}",{year},Model)',
        "LM_TABLE": f'=SUM(LM_TABLE("revenue",{regions},{years},Model))',
        "LM_SHARE": f'=LM_SHARE("revenue","{region}",{year},Model)',
        "LM_CAGR": f'=LM_CAGR("revenue","{axes.headline}",Model)',
        "LM_GROWTH": f'=LM_GROWTH("revenue","{company}",{year},Model)',
        "LM_PRICE": f'=LM_PRICE("{therapy}","{region}",{year},Model)',
        "LM_PERCENTILE": f'=LM_PERCENTILE("P90","{axes.headline}",{year},Model)',
        "LM_FORECAST": f'=SUM(INDEX(LM_FORECAST("revenue","segment",Model,"{region}",,,{year},"USD","million"),0,5))',
        "LM_COMPARE": f'=INDEX(LM_COMPARE(Model,{changed},"region","patients"),2,6)',
        "LM_BRIDGE": f'=SUM(INDEX(LM_BRIDGE(Model,{changed},,,,,,,,"million"),0,4))',
        "LM_TORNADO": "=INDEX(LM_TORNADO(10,Model),2,1)",
        "LM_ASSUMPTION": f'=LM_ASSUMPTION("care_access",{year},Model,"{region}")',
        "LM_SOURCE": f'=LM_SOURCE("care_access",Model,"{region}")',
        "LM_LIST": '=INDEX(LM_LIST("region",Model),1)',
        "LM_WHY": f'=IF(ISERROR($C${TRY_ROW + 3}),{tried},"nothing is wrong below")',
        "LM_VERSION": "=LM_VERSION()",
    }


def _example(ws: Worksheet, t: Template, row: int, function: Function, formula: str) -> None:
    """A line of the table: the example as words and alive."""
    pen, name = t.pen, function.name
    pen.text(ws, row, 1, name, "lm label")
    pen.text(ws, row, 2, formula, "lm wrapped")
    if name in SLOW:
        pen.text(ws, row, 3, text("template", "Slow"), "lm wrapped")
    elif name in TEXTS:
        # What is asked why is no error where functions do not run.
        alive = formula if name == "LM_WHY" else t.or_words(formula)
        pen.write(ws, row, 3, t.formula(alive), "lm wrapped")
    else:
        form = number_format(UNITS.get(name, "patients"))
        alive = f'=IFERROR({formula.removeprefix("=")},"n/a")' if name in OF_SOMETHING else formula
        pen.write(ws, row, 3, t.formula(t.or_words(alive)), "lm calculation", form)
    pen.text(ws, row, 4, function.returns, "lm wrapped")
    pen.text(ws, row, 5, function.meaning, "lm wrapped")
    # Some characters less than the columns hold: formulas and names of functions break late.
    lines = (lines_of(formula, 70), lines_of(function.meaning, 60), lines_of(function.returns, 38))
    ws.row_dimensions[row].height = LINE * max(*lines, ANSWER_LINES.get(name, 1))


def _try_one(ws: Worksheet, t: Template) -> None:
    """Two cells that take anything, right or wrong, and what a function answers to them."""
    pen, axes = t.pen, t.axes
    band(ws, pen, TRY_ROW, "Try one", len(FUNCTION_COLUMNS))
    for row, what in ((TRY_ROW + 1, "a region"), (TRY_ROW + 2, "a year")):
        pen.text(ws, row, 2, f"Type {what}, right or wrong", "lm label")
        # The rule is always true: it is there for its prompt.
        rule = DataValidation(type="custom", formula1="TRUE")
        prompt = f"Type {what}; the error and its words stand below."
        validate(ws, f"C{row}", rule, prompt=("Try", prompt))
    pen.text(ws, TRY_ROW + 1, 3, axes.region.leaves[0], "lm input")
    year = axes.years[len(axes.years) // 2]
    pen.write(ws, TRY_ROW + 2, 3, year, "lm input", number_format("year"))
    pen.text(ws, TRY_ROW + 3, 2, "Patients diagnosed there", "lm label")
    answer = t.formula(t.or_words(f"=LM_PATIENTS($C${TRY_ROW + 1},$C${TRY_ROW + 2},Model)"))
    pen.write(ws, TRY_ROW + 3, 3, answer, "lm calculation", number_format("patients"))
