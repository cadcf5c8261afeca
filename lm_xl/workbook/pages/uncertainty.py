"""The page of uncertainty: fans of the totals, then mean and percentiles of every label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.model.ops import Array
from lm_xl.workbook.pages.analyses import MILLION, Analyses, stamp_of_draws, stored
from lm_xl.workbook.pages.charts import fan
from lm_xl.workbook.pages.charts_page import add_to_page
from lm_xl.workbook.pages.pen import Pen, page, start, titled_table, widths
from lm_xl.workbook.plan.layout import CONSTANT, FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import column_letters

if TYPE_CHECKING:
    from lm_xl.uncertainty.simulation import Simulation

UNCERTAINTY = "Uncertainty"
FAN_ROWS = 9
"""Rows of a fan: a band, column names, six lines, a blank."""
FANS = {"revenue": FIRST_ROW + 2, "diagnosed": FIRST_ROW + FAN_ROWS + 2}
"""The totals that are drawn as fans, and the first of the six lines of each."""
SHOWN_PERCENTILES = (10, 50, 90)


def uncertainty(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """Fans of the totals, then mean and percentiles of every label; each label's percentiles are its own, never sums."""
    start(ws, "data", text("sheets", ws.title))
    years = [str(y) for y in n.results.axes.years]
    widths(ws, (14, 21, 33, 23, 14, 16, 14, *(12 for _ in years)))
    keys = ("metric", "region", "segment", "subtype", "unit", "statistic")
    numbers = (f"error {years[-1]}", *years)
    columns = [*((name, "text") for name in keys), *((name, "USD million") for name in numbers)]
    row = FIRST_ROW
    for metric in FANS:
        title = f"{metric.capitalize()} of the world, {n.simulation.runs[0]}. {stamp_of_draws(n)}"
        lines = _fan(n.simulation, metric)
        titled_table(ws, pen, row, f"fan_of_{metric}", title, columns, lines)
        row += FAN_ROWS
    lines = [line for i in range(len(n.simulation.labels)) for line in _percentiles(n.simulation, i)]
    titled_table(ws, pen, row, "percentiles", text("pages", "each_label"), columns, lines)
    page(ws, HEADER_ROW)
    # The columns of keys stay in sight, and so does the header of the first fan.
    ws.freeze_panes = f"{column_letters(CONSTANT + 1)}{FIRST_ROW + 2}"


def fans(workbook: Workbook, years: int) -> None:
    """Draw the fans of the totals on the page of charts, after those that are there."""
    for metric, top in FANS.items():
        title = f"{metric.capitalize()}: P10 to P90, median, mean and the deterministic forecast"
        unit = "USD million" if metric == "revenue" else "patients"
        chart = fan(workbook[UNCERTAINTY], top, CONSTANT + 1, CONSTANT + years, title, unit)
        add_to_page(workbook, chart)


def _fan(simulated: Simulation, metric: str) -> list[tuple[Any, ...]]:
    """The six lines that a fan is drawn from: three that are stacked as areas, three that are drawn as lines."""
    at = simulated.at(metric)
    p10, p50, p90 = (simulated.percentiles[0, at, :, p - 1] for p in SHOWN_PERCENTILES)
    # Percentiles run from P1, so that P10 is at position 9; errors are those of the last year.
    errors = simulated.percentile_errors[0, at, -1]
    return [
        _line(simulated, at, *stated)
        for stated in (
            ("P10", p10, errors[9]),
            ("P10 to P50", p50 - p10, None),
            ("P50 to P90", p90 - p50, None),
            ("P50", p50, errors[49]),
            ("mean", simulated.mean[0, at], simulated.mean_error[0, at, -1]),
            ("deterministic", simulated.deterministic[0, at], 0.0),
        )
    ]


def _percentiles(simulated: Simulation, at: int) -> list[tuple[Any, ...]]:
    """The lines of one label."""
    found, errors = simulated.percentiles[0, at], simulated.percentile_errors[0, at, -1]
    return [
        _line(simulated, at, "deterministic", simulated.deterministic[0, at], 0.0),
        _line(simulated, at, "mean", simulated.mean[0, at], simulated.mean_error[0, at, -1]),
        *(_line(simulated, at, f"P{p}", found[:, p - 1], errors[p - 1]) for p in SHOWN_PERCENTILES),
    ]


def _line(
    simulated: Simulation, at: int, statistic: str, values: Array, error: float | None
) -> tuple[Any, ...]:
    """A statistic of a label over the years, money in USD million; what is between two percentiles has no error."""
    label = simulated.labels[at]
    scale, unit = (MILLION, "USD million") if label.metric == "revenue" else (1.0, "patients")
    keys = (label.label if label.axis == name else "" for name in ("region", "segment", "subtype"))
    stated = error if error is None else stored(error / scale)
    return (label.metric, *keys, unit, statistic, stated, *(stored(x / scale) for x in values))
