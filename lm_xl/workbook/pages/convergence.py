"""The page of convergence: whether there are enough draws, and which inputs cause the spread."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.analyses import (
    CHART_COLUMN,
    MILLION,
    SHOWN_INPUTS,
    Analyses,
    stamp_of_draws,
    stored,
)
from lm_xl.workbook.pages.charts import add_chart, point_lines, tornado_bars
from lm_xl.workbook.pages.pen import Pen, page, start, titled_table, widths
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text

CONVERGENCE = "Convergence"
ROWS_BESIDE = 22
"""Rows that the chart beside the first tables takes."""


def convergence(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """The mean against the deterministic forecast, how the headline settles with more draws, and what causes the spread."""
    start(ws, "data", text("sheets", ws.title))
    widths(ws, (50, *[16] * 8))
    row = _mean_and_forecast(ws, n, pen, FIRST_ROW)
    row = _settling(ws, n, pen, row)
    if n.simulation.deviation[0, n.simulation.at(), -1]:
        _causes(ws, n, pen, row)
    else:
        pen.text(ws, row, 1, text("pages", "nothing_varies", year=n.last_year), "lm text")
    page(ws, HEADER_ROW, freeze="B")


def _mean_and_forecast(ws: Worksheet, n: Analyses, pen: Pen, row: int) -> int:
    """The last year's revenue by the draws and by the forecast, with a note. Returns the next free row."""
    simulated = n.simulation
    at = simulated.at()
    lines = [
        (what, stored(numbers[0, at, -1] / MILLION))
        for what, numbers in (
            ("deterministic, net sales times the probability of success", simulated.deterministic),
            ("deterministic, weighed over what may succeed or fail", simulated.by_success),
            ("mean of the draws", simulated.mean),
            ("Monte Carlo error of that mean", simulated.mean_error),
        )
    ]
    columns = [("what", "text"), ("revenue, USD million", "USD million")]
    title = f"Revenue {n.last_year}, USD million. {stamp_of_draws(n)}"
    note = titled_table(ws, pen, row, "mean_and_forecast", title, columns, lines) + len(lines)
    pen.text(ws, note, 1, text("pages", "mean_and_forecast"), "lm text")
    return note + 2


def _settling(ws: Worksheet, n: Analyses, pen: Pen, row: int) -> int:
    """Mean and percentiles by the number of draws, each with its error, as a table and a chart. Returns the next free row."""
    simulated = n.simulation
    columns = [("draws", "patients")]
    for statistic in ("mean", "P10", "P50", "P90"):
        columns += [(statistic, "USD million"), (f"error of {statistic}", "USD million")]
    lines = [
        (float(draws), *(stored(x / MILLION) for x in found.reshape(-1)))
        for draws, found in zip(simulated.points, simulated.convergence[0], strict=True)
    ]
    title = f"Revenue {n.last_year} by the number of draws"
    top = titled_table(ws, pen, row, "convergence", f"{title}, USD million", columns, lines)
    bottom = top + len(lines) - 1
    # After the draws every other column is a statistic; its error stands beside it.
    statistics = range(2, len(columns) + 1, 2)
    chart = point_lines(ws, top, bottom, 1, statistics, title, "USD million", across="draws")
    add_chart(ws, chart, f"{CHART_COLUMN}{FIRST_ROW}")
    return bottom + 2


def _causes(ws: Worksheet, n: Analyses, pen: Pen, row: int) -> None:
    """What causes the spread of the last year's revenue, as a table and a chart: the largest shares, and last the rest."""
    last = n.last_year
    causes = [(str(name), stored(share)) for name, share in n.simulation.variance().itertuples(index=False)]
    lines = [*causes[:SHOWN_INPUTS], *causes[-1:]] if len(causes) > SHOWN_INPUTS else causes
    title = f"Share of the variance of ranks of revenue {last}, by a regression of ranks on all inputs: the {SHOWN_INPUTS} largest and the rest"
    columns = [("input", "text"), ("share of variance", "share")]
    top = titled_table(ws, pen, row, "causes_of_variance", title, columns, lines)
    drawn = f"What causes the spread of revenue {last}"
    chart = tornado_bars(ws, top, top + len(lines) - 1, 1, (2,), drawn, "share of variance")
    add_chart(ws, chart, f"{CHART_COLUMN}{FIRST_ROW + ROWS_BESIDE}")
