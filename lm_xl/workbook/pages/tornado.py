"""The sheet of the tornado: each uncertain input alone at P10 and P90 of its draws, the largest swing first."""

from __future__ import annotations

from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.forecasts.evidence import FIRST_INPUTS, evidence_weights, placeholder_inputs
from lm_xl.forecasts.tornado import Tornado
from lm_xl.workbook.pages.analyses import MILLION, Analyses, stamp
from lm_xl.workbook.pages.pen import Pen, page, start, titled_table, widths
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.plan.report import words
from lm_xl.workbook.words.prose import text

TORNADO = "Tornado"
TORNADO_TOP, LOW_EFFECT, HIGH_EFFECT = FIRST_ROW + 2, 7, 8
"""The first row of the inputs, and the columns of what their low and their high do."""


def tornado_page(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """The inputs that move the last year's revenue, then those without effect."""
    start(ws, "data", text("sheets", ws.title))
    widths(ws, (50, 16, 11, 11, 14, 14, 14, 14, 14))
    found = n.tornado
    columns = [
        ("input", "text"), ("first row", "text"), ("its P10", "number"), ("its P90", "number"), ("revenue at P10, USD million", "USD million"),
        ("revenue at P90, USD million", "USD million"), ("P10 less centre", "USD million"), ("P90 less centre", "USD million"), ("swing", "USD million"),
    ]  # fmt: skip
    centre = f"{found.centre / MILLION:,.1f} USD million at the centre"
    title = f"Revenue of {found.at} risk-adjusted net: {centre}. {evidence_of(found)}{stamp(n)}"
    lines = swings_of(found)
    row = titled_table(ws, pen, FIRST_ROW, "tornado", title, columns, lines) + len(lines) + 1
    idle = [(said_of(name),) for name in found.idle]
    if idle:
        title = f"Inputs without effect on the revenue of {found.at}"
        titled_table(ws, pen, row, "inputs_without_effect", title, [("input", "text")], idle)
    page(ws, HEADER_ROW, freeze="B")


def evidence_of(found: Tornado) -> str:
    """What the swings rest on, in words."""
    weights = evidence_weights(found)
    if not weights:
        return ""
    parts = ", ".join(
        text("pages", "evidence_weight", weight=weight, status=status) for status, weight in weights.items()
    )
    first = min(FIRST_INPUTS, len(found.swings))
    told = text("pages", "evidence", weights=parts, placeholders=placeholder_inputs(found), first=first)
    return f"{told} "


def swings_of(found: Tornado) -> list[tuple[Any, ...]]:
    """The inputs that move the number. Where an input's rows have not the same P10 or P90, it says so."""
    frame: Any = found.frame().set_index("input")

    def own(name: str, side: str) -> float | str:
        value = float(frame.at[name, side])
        return value if value == value else "differs"

    return [
        (
            said_of(s.input),
            str(frame.at[s.input, "rows"]).split("; ")[0],
            own(s.input, "low"),
            own(s.input, "high"),
            s.at_low / MILLION,
            s.at_high / MILLION,
            s.low_effect / MILLION,
            s.high_effect / MILLION,
            s.swing / MILLION,
        )
        for s in found.swings
        if s.swing > 0
    ]


def said_of(name: str) -> str:
    """An input in words: its quantity, then what it is keyed to."""
    quantity, *keys = name.split(" | ")
    return f"{words(quantity)}{': ' if keys else ''}{', '.join(keys)}"
