"""The cover: whose workbook it is, where its numbers come from, and the way to its pages."""

from __future__ import annotations

from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.version import __version__
from lm_xl.workbook.pages.contents import listed
from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, band, page, start, widths
from lm_xl.workbook.pages.styles import LINE, amber_where, number_format
from lm_xl.workbook.pages.validations import list_of, validate
from lm_xl.workbook.plan.front.cover import FIELDS, FIRST_FIELD, LABEL, VALUE
from lm_xl.workbook.plan.layout import BAND
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.triangulation import HIGH, LOW
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import column_letters, place_of

WIDTHS = (30, 62, 78)
ASSUMPTIONS, FINGERPRINT, SAMPLE = "Assumptions", "Fingerprint of the assumptions", "Seed and draws"
"""The names of the facts that tell how to build the same workbook again."""


def cover(ws: Worksheet, a: Assumptions, traced: Plan, draws: int, seed: int, pen: Pen) -> None:
    """What is to fill in, and where the workbook comes from; the contents come once all sheets are there."""
    first, last = a.axes.years[0], a.axes.years[-1]
    start(ws, "control", text("pages", "cover", first=first, last=last), title=text("pages", "cover_title"))
    widths(ws, WIDTHS)
    for row, (name, filled) in enumerate(FIELDS.items(), FIRST_FIELD):
        pen.text(ws, row, LABEL, name, "lm label")
        pen.write(ws, row, VALUE, None, "lm fill")
        if filled:
            pen.text(ws, row, VALUE, filled.format(version=__version__), "lm fill")
        address = f"{column_letters(VALUE)}{row}"
        ws.conditional_formatting.add(address, amber_where(f'${column_letters(VALUE)}${row}=""'))
    for row, column, words, style in traced.sheets[ws.title].words:
        pen.text(ws, row, column, words, style)
    for line in lines_on(ws, traced):
        write_line(ws, pen, line, unit="text")
    row = _facts(ws, FIRST_FIELD + len(FIELDS) + 1, a, traced, draws, seed, pen)
    _legend(ws, row, pen)
    for place, limit, label in (
        (BAND["low"], LOW, text("pages", "band_low")),
        (BAND["high"], HIGH, text("pages", "band_high")),
    ):
        at, column = place_of(place)
        pen.text(ws, at, LABEL, label, "lm label")
        pen.write(ws, at, column, limit, "lm choice", number_format("band of ratios"))
        ws.row_dimensions[at].height = LINE
    page(ws, 1, single=True)


def contents_of_front(workbook: Workbook, titles: list[str], pen: Pen) -> None:
    """The pages that a client reads, beside the facts."""
    ws = workbook["Cover"]
    row = FIRST_FIELD - 1
    band(ws, pen, row, "", 3)
    pen.text(ws, row, LABEL, text("pages", "about"), "lm band")
    pen.text(ws, row, 3, text("pages", "contents"), "lm band")
    for at, title in enumerate(titles, row + 1):
        listed(ws, at, 3, title, pen, f"{title}: {text('sheets', title)}")


def _facts(ws: Worksheet, row: int, a: Assumptions, traced: Plan, draws: int, seed: int, pen: Pen) -> int:
    """Where the workbook comes from, a fact a line. Returns the row after them."""
    facts = (
        (ASSUMPTIONS, a.path.name),
        (FINGERPRINT, a.fingerprint),
        ("Engine", f"lm_xl {__version__}"),
        ("Kind", text("pages", "live")),
        ("Formulas", text("pages", "formulas", count=f"{traced.formulas:,}")),
        (SAMPLE, text("pages", "draws", seed=seed, draws=f"{draws:,}")),
    )
    for i, (name, value) in enumerate(facts, row):
        pen.text(ws, i, LABEL, name, "lm label")
        pen.text(ws, i, VALUE, value, "lm wrapped")
        # Counted by characters, since a file's name or a fingerprint cannot break between words.
        ws.row_dimensions[i].height = LINE * (1 + len(value) // WIDTHS[VALUE - 1])
    return row + len(facts)


def _legend(ws: Worksheet, row: int, pen: Pen) -> None:
    """A cell that looks like an input, and one that looks calculated. The former takes no other word."""
    for i, label, value, style in (
        (row, text("pages", "legend_input"), "input", "lm input"),
        (row + 1, text("pages", "legend_calculated"), "calculated", "lm wrapped"),
    ):
        pen.text(ws, i, LABEL, label, "lm label")
        pen.text(ws, i, VALUE, value, style)
        ws.row_dimensions[i].height = LINE
    rule = list_of('"input"')
    rule.error = text("pages", "legend_error")
    validate(ws, f"{column_letters(VALUE)}{row}", rule, prompt=("Legend", text("pages", "legend_prompt")))
