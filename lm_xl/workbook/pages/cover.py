"""The cover: what is chosen, the key figures, and where the workbook comes from."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.version import __version__
from lm_xl.workbook.pages.lines import lines_on, write_figure
from lm_xl.workbook.pages.lists import list_reference
from lm_xl.workbook.pages.pen import Pen, page, start, widths
from lm_xl.workbook.pages.styles import LINE, number_format
from lm_xl.workbook.pages.validations import NOT_LISTED, list_of, validate
from lm_xl.workbook.plan.input_cells import Choice
from lm_xl.workbook.plan.layout import BAND, CHOICES, FIGURES_ROW, FIRST_ROW, HEADER_ROW
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.triangulation import HIGH, LOW
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import split_address

NAME_COLUMN, VALUE_COLUMN = 2, 3
"""Columns of what a line is, and of what it says."""
VALUE_WIDTH = 44


def cover(ws: Worksheet, a: Assumptions, traced: Plan, draws: int, seed: int, pen: Pen) -> None:
    """What is chosen, the key figures, and where the workbook comes from."""
    first, last = a.axes.years[0], a.axes.years[-1]
    start(ws, "control", text("pages", "cover", first=first, last=last), title=text("pages", "cover_title"))
    widths(ws, (26, 58, VALUE_WIDTH))
    _choices(ws, a, pen)
    for place, limit, label in (
        (BAND["low"], LOW, text("pages", "band_low")),
        (BAND["high"], HIGH, text("pages", "band_high")),
    ):
        row = int(split_address(place)[1])
        pen.text(ws, row, NAME_COLUMN, label, "lm label")
        pen.write(ws, row, VALUE_COLUMN, limit, "lm calculation", number_format("band of ratios"))
    figures = lines_on(ws, traced)
    for line in figures:
        write_figure(ws, pen, line)
    # A blank row parts the figures from the facts.
    facts = FIGURES_ROW + len(figures) + 1
    legend = _facts(ws, facts, a, traced, draws, seed, pen)
    _legend(ws, legend, pen)
    page(ws, 1, single=True)


def _choices(ws: Worksheet, a: Assumptions, pen: Pen) -> None:
    """The cells that are chosen in, as they stand at first."""
    axes = a.axes
    # On the sheet Axes the scopes and then the scenarios stand below the labels of the other axes.
    scopes = FIRST_ROW + len(axes.region) + len(axes.segment) + len(axes.subtype)
    scenarios = scopes + len(axes.scopes)
    sources = {
        "scenario": f"Axes!$B${scenarios}:$B${scenarios + len(axes.scenarios) - 1}",
        "scope": f"Axes!$B${scopes}:$B${scenarios - 1}",
        "basis": list_reference("basis"),
        "currency": f"Currencies!$A${FIRST_ROW}:$A${HEADER_ROW + len(a.currencies)}",
    }
    chosen = Choice(axes.scenarios[0], axes.headline).cells()
    for what, place in CHOICES.items():
        row = int(split_address(place)[1])
        pen.text(ws, row, NAME_COLUMN, f"{what.capitalize()} (choose from the list)", "lm label")
        pen.text(ws, row, VALUE_COLUMN, chosen[place], "lm choice")
        validate(
            ws,
            place,
            list_of(sources[what]),
            error=(NOT_LISTED, text("pages", "choose", what=what)),
            prompt=(what.capitalize(), text("pages", "choose_prompt")),
        )


def _facts(ws: Worksheet, row: int, a: Assumptions, traced: Plan, draws: int, seed: int, pen: Pen) -> int:
    """Where the workbook comes from, a fact a line. Returns the row after them."""
    facts = (
        ("Assumptions", a.path.name),
        ("Fingerprint of the assumptions", a.fingerprint),
        ("Engine", f"lm_xl {__version__}"),
        ("Kind", text("pages", "live")),
        ("Formulas", text("pages", "formulas", count=f"{traced.formulas:,}")),
        ("Regions, segments, subtypes, years", " x ".join(str(n) for n in a.axes.shape)),
        ("Seed and draws", text("pages", "draws", seed=seed, draws=f"{draws:,}")),
    )
    for i, (name, value) in enumerate(facts, row):
        pen.text(ws, i, NAME_COLUMN, name, "lm label")
        pen.text(ws, i, VALUE_COLUMN, value, "lm wrapped")
        # Counted by characters, since a file's name or a fingerprint cannot break between words.
        ws.row_dimensions[i].height = LINE * (1 + len(value) // VALUE_WIDTH)
    return row + len(facts)


def _legend(ws: Worksheet, row: int, pen: Pen) -> None:
    """A cell that looks like an input, and one that looks calculated. The former takes no other word."""
    for i, label, value, style in (
        (row, text("pages", "legend_input"), "input", "lm input"),
        (row + 1, text("pages", "legend_calculated"), "calculated", "lm wrapped"),
    ):
        pen.text(ws, i, NAME_COLUMN, label, "lm label")
        pen.text(ws, i, VALUE_COLUMN, value, style)
        ws.row_dimensions[i].height = LINE
    rule = list_of('"input"')
    rule.error = text("pages", "legend_error")
    validate(ws, f"C{row}", rule, prompt=("Legend", text("pages", "legend_prompt")))
