"""The page of uncertainty, and behind it the sheet with mean and percentiles of every label."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.model.ops import Array
from lm_xl.workbook.pages.analyses import (
    MILLION,
    SHOWN_INPUTS,
    Analyses,
    held,
    stamp_of_draws,
    stored,
)
from lm_xl.workbook.pages.charts import add_chart, fan, tornado_bars
from lm_xl.workbook.pages.pen import Pen, band, other, page, parted, start, titled_table, widths
from lm_xl.workbook.pages.styles import number_format
from lm_xl.workbook.pages.tornado import HIGH_EFFECT, LOW_EFFECT, TORNADO, TORNADO_TOP, evidence_of, swings_of
from lm_xl.workbook.plan.front.drawn import FAN_ROWS, PERCENTILES, Drawn, key_of
from lm_xl.workbook.plan.front.page import FIRST_YEAR
from lm_xl.workbook.plan.layout import CONSTANT, FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import column_letters

if TYPE_CHECKING:
    from lm_xl.uncertainty.simulation import Simulation

UNCERTAINTY = "Uncertainty"
FANS = {"revenue": FIRST_ROW + 2, "diagnosed": FIRST_ROW + FAN_ROWS + 2}
"""The totals that are drawn as fans, and the first of the six lines of each on the sheet of percentiles."""
SHOWN_PERCENTILES = (10, 50, 90)
SHOWN = ("P10", "P50", "mean", "P90", "deterministic")
"""What the page shows of a total; the deterministic forecast stands last."""
LABEL_WIDTH, NUMBER_WIDTH, CHART_ROWS = 54, 9.8, 17
FAN_CHART, TORNADO_CHART = (13.5, 6.6), (9.8, 12.8)
"""Width and height in centimetres."""
TORNADO_ROWS = 30
LINE_OF_NOTE = 100
"""Letters of a line of the note below, which is as wide as the table."""


def uncertainty(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """How sure the totals are over the years, as a table and two fans; then the inputs that move the last year most."""
    start(ws, "outputs", title=ws.title)
    years = n.results.axes.years
    widths(ws, (LABEL_WIDTH, *[NUMBER_WIDTH] * len(years)))
    pen.text(ws, HEADER_ROW, 1, "", "lm header")
    for column, year in enumerate(years, FIRST_YEAR):
        pen.write(ws, HEADER_ROW, column, year, "lm year", number_format("year"))
    row = FIRST_ROW
    for metric, said in (("revenue", f"Revenue: {held(n)}"), ("diagnosed", "Patients diagnosed, the world")):
        row = _quantiles(ws, n, pen, row, metric, said)
    for metric, letter in (("revenue", "A"), ("diagnosed", "E")):
        title = f"P10 to P90: {held(n) if metric == 'revenue' else 'patients diagnosed'}"
        unit = "USD million" if metric == "revenue" else "patients"
        sheet = other(ws, PERCENTILES)
        chart = fan(sheet, FANS[metric], CONSTANT + 1, CONSTANT + len(years), title, unit)
        chart.width, chart.height = FAN_CHART
        add_chart(ws, chart, f"{letter}{row}")
    _first_inputs(ws, n, pen, row + CHART_ROWS)
    end = max(ws.max_row, row + CHART_ROWS + TORNADO_ROWS)
    bands = parted([row + CHART_ROWS], end, FIRST_YEAR + len(years) - 1)
    page(ws, HEADER_ROW, freeze="B", labels=1, bands=bands, repeats=1)  # its title: the second has no years


def _quantiles(ws: Worksheet, n: Analyses, pen: Pen, row: int, metric: str, said: str) -> int:
    """The percentiles of a total. Returns the next free row."""
    last = FIRST_YEAR + len(n.results.axes.years) - 1
    band(ws, pen, row, f"{said}; {stamp_of_draws(n)}", last)
    lines = {str(line[5]): line[7:] for line in _fan(n.simulation, metric)}
    at = n.simulation.at(metric)
    scale, unit = (MILLION, "million") if metric == "revenue" else (1.0, "patients")
    lines["P90"] = tuple(stored(x / scale) for x in n.simulation.percentiles[0, at, :, 89])
    for name in SHOWN:
        row += 1
        pen.text(ws, row, 1, SAID[name], "lm row")
        for column, x in enumerate(lines[name], FIRST_YEAR):
            pen.write(ws, row, column, x, "lm figures", number_format(unit))
    return row + 2


SAID = {
    "P10": "P10: one draw in ten is lower",
    "P50": "P50: half of the draws are lower",
    "mean": "Mean of the draws",
    "P90": "P90: one draw in ten is higher",
    "deterministic": "The forecast on the other pages",
}


def _first_inputs(ws: Worksheet, n: Analyses, pen: Pen, row: int) -> None:
    """The inputs that move the last year's revenue most, as a chart and a table."""
    lines = swings_of(n.tornado)[:SHOWN_INPUTS]
    columns = [
        ("input", "text"), ("P10 of it", "number"), ("P90 of it", "number"), (f"{n.last_year} at low", "million"), (f"{n.last_year} at high", "million"),
        ("swing", "million"),
    ]  # fmt: skip
    shown = [(line[0], line[2], line[3], line[4], line[5], line[8]) for line in lines]
    title = f"What moves {n.last_year} most, one input at a time: {held(n)}; {n.tornado.centre / MILLION:,.0f} at the centre"
    top = titled_table(ws, pen, row + 1, "first_inputs", title, columns, shown)
    if lines:
        chart = tornado_bars(
            other(ws, TORNADO), TORNADO_TOP, TORNADO_TOP + len(lines) - 1, 1, (LOW_EFFECT, HIGH_EFFECT), title, "USD million"
        )  # fmt: skip
        chart.width, chart.height = TORNADO_CHART
        chart.legend.position = "b"
        add_chart(ws, chart, f"{column_letters(len(columns) + 1)}{row + 1}")
    for line, said in enumerate(wrap(evidence_of(n.tornado), LINE_OF_NOTE), top + len(shown)):
        pen.text(ws, line, 1, said, "lm note")


def percentiles(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """Fans of the totals, then mean and percentiles of every label; each label's percentiles are its own, never sums."""
    start(ws, "data", text("sheets", ws.title))
    years = [str(y) for y in n.results.axes.years]
    widths(ws, (14, 21, 33, 23, 14, 16, 14, *(12 for _ in years)))
    row = FIRST_ROW
    for metric in FANS:
        title = f"{metric.capitalize()} of the world, {n.simulation.runs[0]}. {stamp_of_draws(n)}"
        titled_table(ws, pen, row, f"fan_of_{metric}", title, _columns(years), _fan(n.simulation, metric))
        row += FAN_ROWS
    lines = [(*line, _key(line)) for line in _labelled(n)]
    widths(ws, [40], CONSTANT + len(years) + 1)
    columns = [*_columns(years), ("key", "text")]
    titled_table(ws, pen, row, "percentiles", text("pages", "each_label"), columns, lines)
    page(ws, HEADER_ROW)
    # The columns of keys stay in sight, and so does the header of the first fan.
    ws.freeze_panes = f"{column_letters(CONSTANT + 1)}{FIRST_ROW + 2}"


def drawn_of(n: Analyses) -> Drawn:
    """The percentiles of every label by the key of their line."""
    return {_key(line): tuple(line[CONSTANT:]) for line in _labelled(n)}


def _labelled(n: Analyses) -> list[tuple[Any, ...]]:
    return [line for i in range(len(n.simulation.labels)) for line in _percentiles(n.simulation, i)]


def _key(line: tuple[Any, ...]) -> str:
    metric, region, segment, subtype, _, statistic = line[:6]
    return key_of(metric, region, segment, subtype, statistic)


def _columns(years: Sequence[str]) -> list[tuple[str, str]]:
    keys = ("metric", "region", "segment", "subtype", "unit", "statistic")
    numbers = (f"error {years[-1]}", *years)
    return [*((name, "text") for name in keys), *((name, "USD million") for name in numbers)]


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
