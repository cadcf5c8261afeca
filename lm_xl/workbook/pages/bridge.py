"""The sheet of the bridge over the years, which the page of drivers draws."""

from __future__ import annotations

from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.forecasts.bridge import Bridge
from lm_xl.workbook.pages.analyses import MILLION, Analyses, stamp
from lm_xl.workbook.pages.pen import Pen, page, start, titled_table, widths
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text

BRIDGE = "Bridge"
BRIDGE_TOP, DRAWN = FIRST_ROW + 2, 6
"""The first row of the bars, and the first of the three columns that a waterfall is drawn from."""


def bridge_sheet(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """The bridge from the first to the last year as a table."""
    start(ws, "data", text("sheets", ws.title))
    widths(ws, (34, 15, 15, 15, 15, 15, 15, 15, 60))
    found, years = n.over_time, n.results.axes.years
    title = f"What drives {years[0]} to {years[-1]} in {found.start.scenario}, USD million. {stamp(n)}"
    columns = [
        ("driver", "text"), ("effect, USD million", "USD million"), ("share of the difference", "share"), ("alone, USD million", "USD million"),
        ("with the others, USD million", "USD million"), ("drawn from", "USD million"), ("rise", "USD million"), ("fall", "USD million"),
        ("what moved", "text"),
    ]  # fmt: skip
    lines = bars(found)
    top = titled_table(
        ws, pen, FIRST_ROW, "bridge_over_time", title, columns, lines, total=(0, len(lines) - 1)
    )
    pen.text(ws, top + len(lines), 1, text("pages", "shapley"), "lm text")
    page(ws, HEADER_ROW, freeze="B")


def bars(found: Bridge) -> list[tuple[Any, ...]]:
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
