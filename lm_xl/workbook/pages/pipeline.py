"""The page of launches, and below them the products on their way and what those on the market have to show in LM."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions, Product
from lm_xl.assumptions.columns import MARKETED, PHASES
from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen, fit_row, header_height, page, start, titled_table, widths
from lm_xl.workbook.plan.front.launches import COMPANY, PRODUCTS
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.words.prose import text

WIDTHS = (31, 27, 11, 14, 14, 25, 46)
NAMES = ("product", "company", "phase", "trial", "", "next read-out", "designations; data in LM")


def launches_page(ws: Worksheet, a: Assumptions, traced: Plan, pen: Pen) -> None:
    """The therapies, then two tables of products, those not yet on the market by how far they have come."""
    start(ws, "outputs", title=ws.title)
    widths(ws, WIDTHS)
    header_height(ws, HEADER_ROW)
    plan = traced.sheets[ws.title]
    for row, column, words, style in plan.words:
        lists = row > HEADER_ROW and column in (COMPANY, PRODUCTS)
        pen.text(ws, row, column, words, "lm wrapped" if lists else style)
    for row in range(FIRST_ROW, plan.row):
        fit_row(ws, row, {column: ws.cell(row, column).value for column in (COMPANY, PRODUCTS)})
    for line in lines_on(ws, traced):
        write_line(ws, pen, line)
    coming = sorted((p for p in a.products if p.phase != MARKETED), key=lambda p: PHASES.index(p.phase))
    known = [p for p in a.products if p.phase == MARKETED and p.lm_data]
    row = plan.row + 1
    for name, title, products in (
        ("not_marketed", text("pages", "not_marketed"), coming),
        ("marketed", text("pages", "marketed"), known),
    ):
        lines = [_line(p) for p in products] or [("none", *[""] * (PRODUCTS - 1))]
        named = [(n or "since", "text") for n in NAMES]
        row = titled_table(ws, pen, row, name, title, named, lines) + len(lines) + 1
    page(ws, HEADER_ROW, freeze="B")


def _line(p: Product) -> tuple[str, ...]:
    shown = "; ".join(x for x in (p.designations, p.lm_data) if x)
    trials = p.trials[0] + (f" +{len(p.trials) - 1}" if len(p.trials) > 1 else "") if p.trials else ""
    return p.product, p.company, p.phase, trials, p.first_approval, p.next_readout, shown
