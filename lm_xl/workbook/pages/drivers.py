"""The page of drivers: the bridge over the years, and what carries each force on the market."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.pages.analyses import Analyses, held
from lm_xl.workbook.pages.bridge import BRIDGE, BRIDGE_TOP, DRAWN, bars
from lm_xl.workbook.pages.charts import add_chart, waterfall
from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, band, fit_row, other, page, start, titled_table, widths
from lm_xl.workbook.plan.drivers import DRIVER_ROW
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.words.prose import text

WIDTHS = (24, 9, 9, 77, 13, 20, 8, 8)
SAID, UNIT, ROW = 4, 5, 6
"""Columns of what is said of the market with what carries it, of the unit, and of the assumption's cell."""
WATERFALL = (19.5, 8.2)


def drivers(ws: Worksheet, n: Analyses, traced: Plan, pen: Pen) -> None:
    """What drives the first to the last year, as a table and a waterfall; then the parameters of each driver."""
    start(ws, "outputs", title=ws.title)
    widths(ws, WIDTHS)
    _over_time(ws, n, pen)
    band(ws, pen, DRIVER_ROW - 2, text("pages", "carried"), len(WIDTHS))
    header = (
        "driver",
        "",
        "",
        "what is said of the market [what carries it]",
        "unit",
        "cell",
        "first",
        "last",
    )
    for column, name in enumerate(header, 1):
        pen.text(ws, DRIVER_ROW - 1, column, name, "lm year" if column > ROW else "lm header")
    before = ""
    for row, told in traced.drivers:
        carrier = _carrier(told[3])
        said = {SAID: carrier, UNIT: told[5], ROW: told[6]}
        if told[2] != before:
            said |= {1: told[1], SAID: f"{told[2]} {carrier}"}
        before = told[2]
        for column in range(1, len(WIDTHS) + 1):
            pen.text(ws, row, column, said.get(column, ""), "lm wrapped")
        fit_row(ws, row, {SAID: said[SAID]})
    for line in lines_on(ws, traced):
        if line.array != "as built":
            write_line(ws, pen, line)
    page(ws, HEADER_ROW, freeze="B")


def _carrier(quantity: str) -> str:
    """A quantity in words of the trade."""
    meaning = QUANTITIES[quantity].meaning.partition(";")[0].partition(" (")[0]
    return f"[{meaning[:1].upper()}{meaning[1:]}]".replace("_", " ")


def _over_time(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """The bridge from the first to the last year as a table, and beside it a waterfall."""
    found, years = n.over_time, n.results.axes.years
    title = f"What drives {years[0]} to {years[-1]}: {held(n)}"
    named = text("pages", "drives")
    lines = [line[:3] for line in bars(found)]
    last = len(lines) - 1
    columns = [("driver", "text"), ("effect", "change"), ("of change", "share")]
    titled_table(ws, pen, FIRST_ROW, "drivers", named, columns, lines, total=(0, last))
    sheet = other(ws, BRIDGE)
    chart = waterfall(
        sheet, BRIDGE_TOP, BRIDGE_TOP + last, names=1, first=DRAWN, title=title, unit="USD million"
    )
    chart.width, chart.height = WATERFALL
    add_chart(ws, chart, f"D{FIRST_ROW}")
