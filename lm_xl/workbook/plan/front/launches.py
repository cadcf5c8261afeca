"""The page of launches: when each therapy comes, how likely, and when its exclusivity ends, live in the first region."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lm_xl.assumptions.columns import MARKETED
from lm_xl.model.axes import SEGMENT
from lm_xl.model.cells import Symbol
from lm_xl.model.classes import classes
from lm_xl.model.ops import Array
from lm_xl.workbook.plan.front.dashboard import SUBTITLE, subtitle
from lm_xl.workbook.plan.front.page import FRONT_CLASS, FRONT_LABEL, FRONT_NOTE, Page
from lm_xl.workbook.plan.front.values import Number, Text
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW, INPUTS
from lm_xl.workbook.plan.lines import Plan, PythonValues
from lm_xl.workbook.plan.writer import PlanWriter
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import column_letters

LAUNCHES_PAGE = "Launches and pipeline"
THERAPY, COMPANY, PHASE, LAUNCH, SUCCESS, EXPIRY, PRODUCTS = range(1, 8)
MOST_NAMED = 3
"""Companies or products that a line names."""


def add_launches(writer: PlanWriter) -> int:
    """Write the therapies by class; what is on its way to the market stands below, as words. Returns the next free row."""
    p = writer.plan
    page, axes = Page(p, LAUNCHES_PAGE), p.assumptions.axes
    page.formula(2, 1, Text(SUBTITLE, subtitle().measure), style="lm text", name=f"{LAUNCHES_PAGE} subtitle")
    region = axes.region.leaves[0]
    for column, name in enumerate(
        (
            "therapy",
            "booked by",
            "phase",
            f"launch, {region}",
            "success",
            f"exclusive to, {region}",
            "products",
        ),
        1,
    ):
        page.words(
            HEADER_ROW, column, name, "lm year" if column in (LAUNCH, SUCCESS, EXPIRY) else "lm header"
        )
    page.sheet.row = FIRST_ROW
    headline = set(axes.segment.members(axes.headline))
    for one in classes(axes, SEGMENT):
        if not set(one.members) <= headline:
            continue
        if len(one.members) > 1:
            page.words(page.row, THERAPY, one.label, FRONT_CLASS)
            page.skip()
        for i in one.members:
            _therapy(writer, page, i, indent="   " if len(one.members) > 1 else "")
            page.skip()
    for said in _told(p):
        page.formula(page.row, THERAPY, said, style=FRONT_NOTE)
        page.skip()
    return page.row


def _told(p: Plan) -> Iterator[Text]:
    """Whether a launch, in any region, comes after its patent or after the horizon."""
    last = f"{INPUTS}!${column_letters(p.columns(moving=True)[-1])}${HEADER_ROW}"
    late, beyond = text("pages", "exclusive_years_told"), text("pages", "launch_told")
    for block, said, test, odd in (
        ("exclusive_years", late, "MIN({cells})=0", lambda x: x.min() == 0),
        ("launch", beyond, f"MAX({{cells}})>={last}+1", lambda x: x.max() >= p.years[-1] + 1),
    ):
        if p.blocks[block].keys:
            formula = f'IF({test.format(cells=p.range(block))},"{said}","")'
            yield Text(formula, _where(block, odd, said))


def _where(block: str, odd: Callable[[Array], bool], said: str) -> Callable[[PythonValues], str]:
    return lambda python: said if odd(python.block(block)) else ""


def _therapy(writer: PlanWriter, page: Page, i: int, indent: str) -> None:
    """A line of a therapy."""
    a, row = writer.plan.assumptions, page.row
    sold = [x for x, segment in zip(a.products, a.segment_of, strict=True) if segment == i]
    sold.sort(key=lambda x: -x.share)
    phases = (
        [x.phase for x in sold if x.phase != MARKETED]
        if all(x.phase != MARKETED for x in sold)
        else [MARKETED]
    )
    for column, said in (
        (THERAPY, f"{indent}{a.axes.segment.leaves[i]}"),
        (COMPANY, _some([x.company for x in sold])),
        (PHASE, phases[0] if sold else ""),
        (PRODUCTS, _some([x.product for x in sold])),
    ):
        page.words(row, column, said, FRONT_LABEL)
    for column, block in ((LAUNCH, "launch"), (EXPIRY, "loss_of_exclusivity")):
        at = _constant(writer, block, (0, i, 0))
        if at is not None:
            page.formula(row, column, quarter(at), style="lm when")
    at = _constant(writer, "success", (0, i, 0))
    if at is not None and a.axes.segment.roles[i] == "entrant":
        page.formula(row, SUCCESS, at, unit="share", style="lm figures")


def _constant(writer: PlanWriter, block: str, at: tuple[int, int, int]) -> Number | None:
    """The cell of one element of a block, which may share its line with others; None where it has none."""
    cells = writer.cells[block]
    cell = cells[(0, *(k if size > 1 else 0 for k, size in zip(at, cells.shape[1:4], strict=True)), 0)]
    if not isinstance(cell, Symbol):
        return None

    def number(python: PythonValues) -> float:
        x = python.arrays[block]
        return float(x[(0, *(k if size > 1 else 0 for k, size in zip(at, x.shape[1:4], strict=True)), 0)])

    return Number(cell.text, number)


def quarter(time: Number) -> Text:
    """A point in time as its quarter."""
    # what a rounding leaves below a quarter belongs to it
    x = f"{time.formula}+1/1000/1000"

    def said(python: PythonValues) -> str:
        year, of_year = divmod(time.measure(python) + 1 / 1000 / 1000, 1)
        return f"Q{1 + int(of_year * 4)} {year:.0f}"

    return Text(f'"Q"&1+INT(MOD({x},1)*4)&" "&INT({x})', said)


def _some(names: list[str]) -> str:
    told = list(dict.fromkeys(names))
    more = f" +{len(told) - MOST_NAMED}" if len(told) > MOST_NAMED else ""
    return ", ".join(told[:MOST_NAMED]) + more
