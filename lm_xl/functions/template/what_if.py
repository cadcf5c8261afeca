"""The sheet What_if: another scenario and one changed assumption beside what the Dashboard chooses, and what drives the differences."""

from __future__ import annotations

from typing import NamedTuple

from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.functions.answers import call
from lm_xl.functions.template.state import StoredValues, Template
from lm_xl.model.drivers import DRIVERS
from lm_xl.workbook.pages.charts import add_chart, titled_by, tornado_bars
from lm_xl.workbook.pages.lists import list_reference, lists_of
from lm_xl.workbook.pages.pen import band, header_height, page, start, widths
from lm_xl.workbook.pages.styles import number_format
from lm_xl.workbook.pages.validations import list_of, new_label, validate
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import column_letters

WHAT_IF = "What_if"
LABEL, WORDS, FIRST_YEAR = 1, 2, 3
"""The columns of names, of choices and handles, and of the first year."""
SCENARIO_ROW, QUANTITY_ROW, FACTOR_ROW = range(FIRST_ROW, FIRST_ROW + 3)
REVENUE_ROW = FACTOR_ROW + 2
"""The title over the three models; one stands on each row below it, then what is wrong with them."""
WHY_ROW = REVENUE_ROW + 4
BRIDGE_ROW = WHY_ROW + 2
"""The title over the bridges; the names of their columns stand below it, then a row for each driver, and the sums."""
CHANGED, FACTOR = "lm_risk", 0.9
"""What the sheet changes when it is delivered."""
EFFECT = 4
"""The column of a bridge that holds the effects."""


class Other(NamedTuple):
    """A model of the sheet: its name and its handle as formulas, the handle in Python, and its column in the bridges."""

    name: str
    formula: str
    handle: str
    column: int


def what_if(ws: Worksheet, t: Template) -> None:
    """Three choices, revenue of three models, the bridges from the first to the others, and these as bars."""
    pen, years = t.pen, t.axes.years
    start(ws, "outputs", text("template", "What_if"), text("template", "What_if_more"))
    widths(ws, (30, 30, *[11] * len(years)))
    for column, name in ((LABEL, "model"), (WORDS, "choice, or handle")):
        pen.text(ws, HEADER_ROW, column, name, "lm header")
    for column, year in enumerate(years, FIRST_YEAR):
        pen.write(ws, HEADER_ROW, column, year, "lm year", number_format("year"))
    scenario = t.axes.scenarios[-1] if len(t.axes.scenarios) < 3 else t.axes.scenarios[2]
    _choices(ws, t, scenario)
    base = t.model.handle
    chosen = [f"$B${row}" for row in (SCENARIO_ROW, QUANTITY_ROW, FACTOR_ROW)]
    others = (
        Other(f"={chosen[0]}", f"=LM_SCENARIO(Model,{chosen[0]})", call("LM_SCENARIO", [base, scenario]), 3),
        Other(
            f'={chosen[1]}&" x "&{chosen[2]}',
            f"=LM_WHATIF(Model,{chosen[1]},{chosen[2]})",
            call("LM_WHATIF", [base, CHANGED, FACTOR]),
            4,
        ),
    )
    last = FIRST_YEAR + len(years) - 1
    band(ws, pen, REVENUE_ROW, "Revenue of what the Dashboard chooses, USD million", last)
    for row, model in enumerate((Other("=Scenario", "=Model", base, 0), *others), REVENUE_ROW + 1):
        _revenue(ws, t, row, model)
    failures = [f"ISERROR($B${REVENUE_ROW + i})" for i in (2, 3)]
    wrong = ",".join(f'IF({failure},LM_WHY("{name}",Model,{given}),"")' for failure, name, given in zip(
        failures, ("LM_SCENARIO", "LM_WHATIF"), (chosen[0], f"{chosen[1]},{chosen[2]}"), strict=True,
    ))  # fmt: skip
    failed = f"OR({','.join(failures)})"
    pen.text(ws, WHY_ROW, LABEL, "What is wrong with the choices", "lm label")
    pen.write(
        ws, WHY_ROW, WORDS, t.formula(t.or_words(f'=IF({failed},CONCATENATE({wrong}),"nothing")')), "lm text"
    )
    _bridges(ws, t, others)
    page(ws, HEADER_ROW, single=True)


def _choices(ws: Worksheet, t: Template, scenario: str) -> None:
    """The cells that are changed here: another scenario, an assumption, and what it is multiplied by."""
    lists = lists_of(t.axes)
    for row, name, note, value, rule in (
        (
            SCENARIO_ROW,
            "Scenario beside",
            "Scenario_beside",
            scenario,
            list_of(list_reference("scenario", lists)),
        ),
        (
            QUANTITY_ROW,
            "Assumption to change",
            "Changed",
            CHANGED,
            list_of(list_reference("quantity", lists)),
        ),
        (
            FACTOR_ROW,
            "Times",
            "Times",
            FACTOR,
            DataValidation(type="decimal", operator="greaterThan", formula1="0"),
        ),
    ):
        t.pen.text(ws, row, LABEL, name, "lm label")
        if isinstance(value, str):
            t.pen.text(ws, row, WORDS, value, "lm input")
        else:
            t.pen.write(ws, row, WORDS, value, "lm input", number_format("ratio"))
        if row == SCENARIO_ROW:
            new_label(rule)
        validate(ws, f"B{row}", rule, prompt=(name, text("template", note)))


def _revenue(ws: Worksheet, t: Template, row: int, model: Other) -> None:
    """A model's name, its handle, and what it sells each year."""
    pen, axes = t.pen, t.axes
    pen.write(ws, row, LABEL, model.name, "lm label")
    pen.write(ws, row, WORDS, t.formula(t.or_words(model.formula)), "lm calculation")
    first, last = (column_letters(FIRST_YEAR + i) for i in (0, len(axes.years) - 1))
    for column in range(FIRST_YEAR, FIRST_YEAR + len(axes.years)):
        pen.write(ws, row, column, None, "lm calculation", number_format("USD million"))
    values = [float(call("LM_REVENUE", [axes.headline, y, model.handle])) / 1e6 for y in axes.years]
    line = StoredValues(
        WHAT_IF, f"{first}{row}", f"revenue, model {row - REVENUE_ROW}", "USD million", values
    )
    years = f"${first}${HEADER_ROW}:${last}${HEADER_ROW}"
    formula = f'=LM_REVENUE(Segment,{years},$B${row},Region,Subtype,Basis,,"million")'
    ws[f"{first}{row}"] = ArrayFormula(f"{first}{row}:{last}{row}", t.formula(t.or_stored(formula, [line])))


def _bridges(ws: Worksheet, t: Template, others: tuple[Other, ...]) -> None:
    """What each driver adds from the first model to each other one in the last year, the sums, and both as bars."""
    pen, year = t.pen, t.axes.years[-1]
    names, top = BRIDGE_ROW + 1, BRIDGE_ROW + 2
    bottom = top + len(DRIVERS) - 1
    band(ws, pen, BRIDGE_ROW, "", FIRST_YEAR + len(t.axes.years) - 1)
    title = f'="What drives the difference from "&Scenario&" in {year}, USD million"'
    pen.write(ws, BRIDGE_ROW, LABEL, title, "lm band")
    pen.text(ws, names, LABEL, "driver", "lm header")
    pen.write(ws, names, WORDS, None, "lm header")
    header_height(ws, names)
    for row, driver in enumerate(DRIVERS, top):
        pen.text(ws, row, LABEL, driver.name, "lm label")
        pen.write(ws, row, WORDS, None, "lm label")
    pen.text(ws, bottom + 1, LABEL, "difference", "lm total")
    pen.write(ws, bottom + 1, WORDS, None, "lm total")
    form = number_format("USD million")
    for i, model in enumerate(others, 2):
        letter, handle = column_letters(model.column), f"$B${REVENUE_ROW + i}"
        pen.write(ws, names, model.column, f"=$A${REVENUE_ROW + i}", "lm year")
        rows = call("LM_BRIDGE", [t.model.handle, model.handle])[1:]
        for at, (row, bar) in enumerate(zip(range(top, bottom + 1), rows, strict=True), 2):
            what = f"bridge to model {i}: {bar[0]}"
            line = StoredValues(WHAT_IF, f"{letter}{row}", what, "USD million", [bar[EFFECT - 1] / 1e6])
            asked = f'LM_BRIDGE(Model,{handle},Basis,,,Region,Segment,Subtype,,"million")'
            formula = t.or_stored(f"=INDEX({asked},{at},{EFFECT})", [line])
            pen.write(ws, row, model.column, t.formula(formula), "lm calculation", form)
        pen.write(ws, bottom + 1, model.column, f"=SUM({letter}{top}:{letter}{bottom})", "lm total", form)
    chart = tornado_bars(ws, top, bottom, LABEL, [o.column for o in others], "", "USD million")
    chart.title = titled_by(f"'{WHAT_IF}'!$A${BRIDGE_ROW}")
    chart.x_axis.title.tx.rich.p[0].r[0].t = f"driver. Source: sheet {WHAT_IF}"
    chart.width, chart.height, chart.overlap = 17.5, 10.5, 0
    add_chart(ws, chart, f"F{names}")
