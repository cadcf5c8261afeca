"""The charts of the results, on the summary and on a page of their own: each series is a line of a table of the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.workbook.pages.charts import NativeChart, add_chart, funnel, year_bars, year_lines
from lm_xl.workbook.pages.pen import page, start
from lm_xl.workbook.plan.layout import KEY_COLUMNS, SENTENCES_ROW, SUMMARY
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.report import MONEY
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import column_number

CHARTS = "Charts"
FIRST_CHART, CHART_ROWS = 6, 20
"""Row of the first chart on its page, and the rows that each takes."""
CHART_COLUMNS = ("A", "K")
"""Columns of the left and of the right charts."""
STEPS = ("lm_cases", "suspected", "diagnosed", "treated")
"""Steps of the funnel, from the top."""


def charts_page(ws: Worksheet) -> None:
    """A page for charts, still without them."""
    start(ws, "outputs", text("sheets", ws.title))
    page(ws, 1, single=True)


def add_to_page(workbook: Workbook, chart: NativeChart) -> None:
    """Put a chart in the next free place of the page: left, right, then further down."""
    ws: Any = workbook[CHARTS]
    down, side = divmod(len(ws._charts), len(CHART_COLUMNS))
    add_chart(ws, chart, f"{CHART_COLUMNS[side]}{FIRST_CHART + CHART_ROWS * down}")


def add_charts(workbook: Workbook, p: Plan) -> None:
    """Four charts on the summary, below its sentences, the others on their page."""
    span, below = f"{p.years[0]}-{p.years[-1]}", SENTENCES_ROW + 7
    for place, name, title, unit in (
        (f"A{below}", "revenue_by_region", "Revenue by region", MONEY),
        (f"C{below}", "revenue_by_segment", "Revenue by segment", MONEY),
        (f"A{below + CHART_ROWS}", "revenue_by_subtype", "Revenue by cancer", MONEY),
        (f"C{below + CHART_ROWS}", "diagnosed_by_region", "Patients diagnosed by region", "patients"),
    ):
        add_chart(workbook[SUMMARY], _bars(workbook, p, name, f"{title}, {span}", unit), place)
    for chart in _on_page(workbook, p, span):
        if chart.series:
            add_to_page(workbook, chart)


def _on_page(workbook: Workbook, p: Plan, span: str) -> Iterator[NativeChart]:
    yield _funnel(workbook, p)
    title = f"Patients diagnosed by cancer, {span}"
    yield _bars(workbook, p, "diagnosed_by_subtype", title, "patients")
    title = f"Share of revenue by segment, {span}"
    yield _bars(workbook, p, "revenue_by_segment", title, "share of revenue", "percentStacked")
    yield _launch_curves(workbook, p, span)
    if "tests_by_test" in p.blocks:
        yield _bars(workbook, p, "tests_by_test", f"Tests done, {span}", "tests", "clustered")
    title = f"Therapeutics revenue by region, {span}"
    yield _bars(workbook, p, "therapeutics_revenue_by_region", title, MONEY)


def _years(p: Plan) -> tuple[int, int]:
    """The columns of the first and the last year."""
    columns = p.columns(moving=True)
    return columns[0], columns[-1]


def _bars(
    workbook: Workbook, p: Plan, name: str, title: str, unit: str, grouping: str = "stacked"
) -> NativeChart:
    """Bars of a block over the years, its lines named by the labels of its axis."""
    axis = {"region": REGION, "subtype": SUBTYPE}.get(name.rpartition("_by_")[2], SEGMENT)
    block = p.blocks[name]
    names = KEY_COLUMNS[axis]
    return year_bars(workbook[block.sheet], list(block.keys), names, *_years(p), title, unit, grouping)


def _launch_curves(workbook: Workbook, p: Plan, span: str) -> NativeChart:
    """The uptake of every entrant in the first region."""
    block, region = p.blocks["uptake_by_report"], p.assumptions.axes.region.leaves[0]
    ws, regions = workbook[block.sheet], column_number(KEY_COLUMNS[REGION])
    rows = [row for row in block.keys if ws.cell(row, regions).value == region]
    title = f"Launch curves: uptake in {region}, {span}"
    return year_lines(ws, rows, KEY_COLUMNS[SEGMENT], *_years(p), title, "share of peak")


def _funnel(workbook: Workbook, p: Plan) -> NativeChart:
    """The patients at each step in the first and the last year."""
    rows = [next(iter(p.blocks[f"{step}_by_world"].keys)) for step in STEPS]
    ws = workbook[p.blocks[f"{STEPS[0]}_by_world"].sheet]
    title = f"From {STEPS[0]} to {STEPS[-1]}, {p.years[0]} and {p.years[-1]}"
    return funnel(ws, rows[0], rows[-1], 1, _years(p), title, "patients")
