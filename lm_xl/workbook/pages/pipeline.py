"""The page of the pipeline: the products on their way, and those on the market that have data in LM."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions, Product
from lm_xl.assumptions.columns import MARKETED, PHASES
from lm_xl.workbook.pages.pen import Pen, page, start, titled_table, widths
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text

PIPELINE = "Pipeline"
COLUMNS = (
    ("product", 40), ("company", 26), ("segment", 30), ("mechanism", 34), ("phase", 11), ("trials", 26), ("designations", 34),
    ("next read-out", 34), ("first approval", 20), ("data in LM", 48),
)  # fmt: skip


def pipeline(ws: Worksheet, a: Assumptions, pen: Pen) -> None:
    """Two tables, products not yet on the market by how far they have come."""
    start(ws, "outputs", text("sheets", ws.title), text("pages", "pipeline"))
    widths(ws, [width for _, width in COLUMNS])
    coming = [p for p in a.products if p.phase != MARKETED]
    coming.sort(key=lambda p: PHASES.index(p.phase))
    known = [p for p in a.products if p.phase == MARKETED and p.lm_data]
    row = FIRST_ROW
    for name, title, products in (
        ("not_marketed", text("pages", "not_marketed"), coming),
        ("marketed", text("pages", "marketed"), known),
    ):
        lines = [_line(p) for p in products] or [("none", *[""] * (len(COLUMNS) - 1))]
        named = [(column, "text") for column, _ in COLUMNS]
        row = titled_table(ws, pen, row, name, title, named, lines) + len(lines) + 1
    page(ws, HEADER_ROW, freeze="B")


def _line(p: Product) -> tuple[str, ...]:
    return (
        p.product, p.company, p.segment, p.mechanism, p.phase, "; ".join(p.trials), p.designations, p.next_readout, p.first_approval,
        p.lm_data,
    )  # fmt: skip
