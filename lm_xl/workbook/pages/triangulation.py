"""The sheet that shows the model beside published figures."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.workbook.pages.charts import add_chart, tornado_bars
from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, columns, fit_row, page, parted, start
from lm_xl.workbook.pages.styles import amber_where, number_format
from lm_xl.workbook.plan.layout import HEADER_ROW
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.triangulation import FIRST_FIGURE, OUTSIDE, RATIO_COLUMN, model_year
from lm_xl.workbook.words.prose import in_words, text

FIGURE_COLUMNS = (
    ("publisher", 18, "lm header"),
    ("what", 28, "lm header"),
    ("where and of what", 24, "lm header"),
    ("year", 7, "lm year"),
    ("published", 11, "lm year"),
    ("model", 11, "lm year"),
    ("ratio", 8, "lm year"),
    ("status", 17, "lm header"),
    ("why", 44, "lm header"),
)
WHAT_COLUMN, WHERE_COLUMN, YEAR_COLUMN, WHY_COLUMN = 2, 3, 4, 9
RATIOS, RATIO_ROWS = (25.5, 8.5), 18
"""Width and height of the chart in centimetres, and the rows that it covers."""


def triangulation(ws: Worksheet, a: Assumptions, traced: Plan, pen: Pen) -> None:
    """A line for each published figure."""
    start(ws, "outputs", text("pages", "triangulation"), title=ws.title)
    columns(ws, pen, FIGURE_COLUMNS, lines=2)
    totals = (a.axes.subtype.total,)
    for row, figure in enumerate(a.published, FIRST_FIGURE):
        unit = "USD million" if figure.metric == "revenue" else "patients"
        where = f"{', '.join(k for k in figure.keys if k not in totals)} ({unit})"
        compared = model_year(traced, figure)
        note = in_words(figure.note)
        why = note if compared == figure.year else f"Beside {compared}. {note}"
        said = {1: figure.publisher, WHAT_COLUMN: figure.what, WHERE_COLUMN: where, WHY_COLUMN: why}
        for at, label in said.items():
            pen.text(ws, row, at, label, "lm wrapped")
        pen.write(ws, row, YEAR_COLUMN, figure.year, "lm calculation", number_format("year"))
        fit_row(ws, row, said)
    for line in lines_on(ws, traced):
        write_line(ws, pen, line)
    # Without any figure the rule lies on the one blank line.
    last = FIRST_FIGURE + max(len(a.published), 1) - 1
    judged = f"G{FIRST_FIGURE}:H{last}"
    ws.conditional_formatting.add(judged, amber_where(f'$H{FIRST_FIGURE}="{OUTSIDE}"'))
    bands = []
    if a.published:
        chart = tornado_bars(
            ws, FIRST_FIGURE, last, WHAT_COLUMN, (RATIO_COLUMN,), text("pages", "ratios"), "ratio", "figure"
        )
        chart.width, chart.height = RATIOS
        add_chart(ws, chart, f"A{last + 2}")
        bands = parted([last + 2], last + 2 + RATIO_ROWS, WHY_COLUMN)
    page(ws, HEADER_ROW, freeze="C", bands=bands)
