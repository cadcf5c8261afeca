"""The page of scenarios side by side, of what drives the market over the years, and of what sets each scenario apart."""

from __future__ import annotations

from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.forecasts.bridge import Bridge
from lm_xl.workbook.pages.analyses import CHART_COLUMN, MILLION, Analyses, stamp
from lm_xl.workbook.pages.charts import add_chart, waterfall
from lm_xl.workbook.pages.pen import Pen, page, start, titled_table, widths
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text


def scenarios_and_bridge(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """Every scenario's headline, the bridge over the years, and a bridge to each of the other scenarios."""
    start(ws, "data", text("sheets", ws.title))
    widths(ws, (34, 15, 15, 15, 15, 15, 15, 15, 60))
    row = _headlines(ws, n, pen, FIRST_ROW)
    row = _over_time(ws, n, pen, row)
    if n.between:
        _between(ws, n, pen, row)
    page(ws, HEADER_ROW, freeze="B")


def _headlines(ws: Worksheet, n: Analyses, pen: Pen, row: int) -> int:
    """A line for each scenario, the first in bold. Returns the next free row."""
    axes = n.results.axes
    base, first, last = axes.scenarios[0], axes.years[0], axes.years[-1]
    columns = [
        ("scenario", "text"), (f"diagnosed {first}", "patients"), (f"diagnosed {last}", "patients"), (f"revenue {first}, USD million", "USD million"),
        (f"revenue {last}, USD million", "USD million"), (f"CAGR {first}-{last}", "per year"), (f"{last} less {base}, USD million", "USD million"),
        ("the same, relative", "share"), ("first reason", "text"),
    ]  # fmt: skip
    lines = [_headline(n, scenario) for scenario in axes.scenarios]
    title = f"Scenarios side by side, risk-adjusted net. {stamp(n)}"
    top = titled_table(ws, pen, row, "scenario_headlines", title, columns, lines, total=(0,))
    # A blank row follows each table.
    return top + len(lines) + 1


def _headline(n: Analyses, scenario: str) -> tuple[Any, ...]:
    results = n.results
    people = results.series("diagnosed", run=scenario)
    revenue, base = (
        results.series("risk_adjusted_sales", run=run) / MILLION
        for run in (scenario, results.axes.scenarios[0])
    )
    growth = results.cagr(revenue)
    return (
        scenario,
        people[0],
        people[-1],
        revenue[0],
        revenue[-1],
        "n/a" if growth is None else growth,
        revenue[-1] - base[-1],
        results.share(revenue, base)[-1] - 1,
        _reason(n, scenario),
    )


def _reason(n: Analyses, scenario: str) -> str:
    """The reason of a scenario's first delta, and how many more there are."""
    reasons = [d.reason for d in n.results.assumptions.deltas if d.scenario == scenario]
    if not reasons:
        return "as the rows say"
    return f"{reasons[0]} (and {len(reasons) - 1} more deltas)" if len(reasons) > 1 else reasons[0]


def _over_time(ws: Worksheet, n: Analyses, pen: Pen, row: int) -> int:
    """The bridge from the first to the last year as a table and a chart. Returns the next free row."""
    found, years = n.over_time, n.results.axes.years
    title = f"What drives {years[0]} to {years[-1]} in {found.start.scenario}, USD million"
    columns = [
        ("driver", "text"), ("effect, USD million", "USD million"), ("share of the difference", "share"), ("alone, USD million", "USD million"),
        ("with the others, USD million", "USD million"), ("drawn from", "USD million"), ("rise", "USD million"), ("fall", "USD million"),
        ("what moved", "text"),
    ]  # fmt: skip
    lines = _bars(found)
    last = len(lines) - 1
    top = titled_table(ws, pen, row, "bridge_over_time", title, columns, lines, total=(0, last))
    chart = waterfall(ws, top, top + last, names=1, first=6, title=title, unit="USD million")
    add_chart(ws, chart, f"{CHART_COLUMN}{row}")
    note = top + len(lines)
    pen.text(ws, note, 1, text("pages", "shapley"), "lm text")
    return note + 2


def _bars(found: Bridge) -> list[tuple[Any, ...]]:
    """Where the bridge starts, each driver that changed, and where it ends.

    The chart stacks three columns: what a bar stands on, which is the lower of the levels before and after it, its rise, its fall.
    """
    before, after = found.before / MILLION, found.after / MILLION
    lines: list[tuple[Any, ...]] = [
        (str(found.start), before, "", "", "", 0.0, before, 0.0, "where it starts")
    ]
    level = before
    for bar in found.bars:
        if not bar.changed:
            continue
        effect = bar.effect / MILLION
        lines.append(
            (
                bar.driver,
                effect,
                bar.effect / found.difference if found.difference else "n/a",
                bar.alone / MILLION,
                bar.interaction / MILLION,
                min(level, level + effect),
                max(effect, 0.0),
                max(-effect, 0.0),
                ", ".join(bar.changed),
            )
        )
        level += effect
    lines.append((str(found.end), after, "", "", "", 0.0, after, 0.0, "where it ends"))
    return lines


def _between(ws: Worksheet, n: Analyses, pen: Pen, row: int) -> None:
    """What sets each scenario apart from the first, a line for each driver that does anywhere."""
    columns = [("driver", "text"), *((b.end.scenario, "USD million") for b in n.between)]
    lines: list[tuple[Any, ...]] = [
        (bars[0].driver, *(bar.effect / MILLION for bar in bars))
        for bars in zip(*(b.bars for b in n.between), strict=True)
        if any(bar.effect for bar in bars)
    ]
    title = f"What sets each scenario apart from {n.results.axes.scenarios[0]} in {n.last_year}, USD million"
    titled_table(ws, pen, row, "bridges_to_scenarios", title, columns, lines)
