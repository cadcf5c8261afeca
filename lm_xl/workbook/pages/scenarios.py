"""The page of scenarios side by side, and of what sets each apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.analyses import MILLION, Analyses, held
from lm_xl.workbook.pages.pen import Pen, page, parted, start, titled_table, widths
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import in_words

SCENARIOS_PAGE = "Scenarios compared"
WIDTHS = (26, 11, 11, 11, 11, 10, 11, 11, 64)


def scenarios_page(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """Every scenario's headline, then a bridge to each from the first."""
    start(ws, "outputs", title=ws.title)
    widths(ws, WIDTHS)
    row = _headlines(ws, n, pen, FIRST_ROW)
    if n.between:
        _between(ws, n, pen, row)
    page(ws, HEADER_ROW, freeze="B", bands=parted([row] if n.between else [], ws.max_row, len(WIDTHS)))


def _headlines(ws: Worksheet, n: Analyses, pen: Pen, row: int) -> int:
    """A line for each scenario, the first in bold. Returns the next free row."""
    axes = n.results.axes
    base, first, last = axes.default, axes.years[0], axes.years[-1]
    columns = [
        ("scenario", "text"), (f"diagnosed {first}", "patients"), (f"diagnosed {last}", "patients"), (f"revenue {first}", "USD million"),
        (f"revenue {last}", "USD million"), (f"CAGR {first}-{last}", "per year"), (f"{last} less {base}", "USD million"),
        ("the same, relative", "share"), ("what it changes, and why", "text"),
    ]  # fmt: skip
    lines = [_headline(n, scenario) for scenario in axes.scenarios]
    title = f"Scenarios side by side: {held(n, scenario=False)}"
    top = titled_table(ws, pen, row, "scenario_headlines", title, columns, lines, total=(0,))
    return top + len(lines) + 1


def _headline(n: Analyses, scenario: str) -> tuple[Any, ...]:
    results = n.results
    people = results.series("diagnosed", run=scenario)
    revenue, base = (
        results.series("risk_adjusted_sales", segment=results.axes.headline, run=run) / MILLION
        for run in (scenario, results.axes.default)
    )
    growth, relative = results.cagr(revenue), results.share(revenue, base)[-1] - 1
    return (
        scenario,
        people[0],
        people[-1],
        revenue[0],
        revenue[-1],
        "n/a" if growth is None else growth,
        revenue[-1] - base[-1],
        "n/a" if np.isnan(relative) else relative,
        _reason(n, scenario),
    )


def _reason(n: Analyses, scenario: str) -> str:
    """The reason of a scenario's first delta, and how many more there are."""
    reasons = list(
        dict.fromkeys(in_words(d.reason) for d in n.results.assumptions.deltas if d.scenario == scenario)
    )
    if not reasons:
        return "as the rows say"
    return f"{reasons[0]} (and {len(reasons) - 1} more)" if len(reasons) > 1 else reasons[0]


def _between(ws: Worksheet, n: Analyses, pen: Pen, row: int) -> None:
    """What sets each scenario apart from the first: its drivers, the largest effect first, in words."""
    columns = [("scenario", "text"), (f"{n.last_year} less {n.results.axes.default}", "USD million")]
    drivers = [
        b.driver
        for b in n.between[0].bars
        if any(bar.effect for one in n.between for bar in one.bars if bar.driver == b.driver)
    ]
    most = len(WIDTHS) - len(columns) - 1  # the last column is for words
    shown, rest = drivers[: most - 1], drivers[most - 1 :]
    columns += [(d, "USD million") for d in shown] + ([("others", "USD million")] if rest else [])
    lines: list[tuple[Any, ...]] = []
    for one in n.between:
        effects = {bar.driver: bar.effect / MILLION for bar in one.bars}
        own = [effects[d] for d in shown] + ([sum(effects[d] for d in rest)] if rest else [])
        lines.append((one.end.scenario, one.difference / MILLION, *own))
    title = f"What sets each scenario apart in {n.last_year}: {held(n, scenario=False)}"
    titled_table(ws, pen, row, "bridges_to_scenarios", title, columns, lines)
