"""The deliverable as a workbook without values: its sheets in their order, each written by its page."""

from __future__ import annotations

from collections.abc import Callable

from openpyxl.workbook import Workbook
from openpyxl.workbook.properties import CalcProperties

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.workbook.pages.alarms import bands_alarm, banner_alarm, bounds_alarm, master_alarm
from lm_xl.workbook.pages.analyses import Analyses
from lm_xl.workbook.pages.bridge import BRIDGE, bridge_sheet
from lm_xl.workbook.pages.checks import checks
from lm_xl.workbook.pages.contents import contents
from lm_xl.workbook.pages.convergence import CONVERGENCE, convergence
from lm_xl.workbook.pages.cover import contents_of_front, cover
from lm_xl.workbook.pages.data import long_data
from lm_xl.workbook.pages.drivers import drivers
from lm_xl.workbook.pages.front import dashboard, explorer, front_page
from lm_xl.workbook.pages.inputs import input_sheets
from lm_xl.workbook.pages.kept_formulas import kept_formulas
from lm_xl.workbook.pages.lists import LISTS, lists_page
from lm_xl.workbook.pages.pen import Pen, kind_of, unprinted
from lm_xl.workbook.pages.pieces import pieces
from lm_xl.workbook.pages.pipeline import launches_page
from lm_xl.workbook.pages.reconciliation import reconciliation
from lm_xl.workbook.pages.scenarios import SCENARIOS_PAGE, scenarios_page
from lm_xl.workbook.pages.staleness import as_built
from lm_xl.workbook.pages.styles import styled_workbook
from lm_xl.workbook.pages.tables import calculation_sheet, results_sheet
from lm_xl.workbook.pages.tornado import TORNADO, tornado_page
from lm_xl.workbook.pages.triangulation import triangulation
from lm_xl.workbook.pages.uncertainty import UNCERTAINTY, percentiles, uncertainty
from lm_xl.workbook.pages.words import page_of_words
from lm_xl.workbook.plan.bounds import bounded_sheets
from lm_xl.workbook.plan.drivers import DRIVER_SHEET
from lm_xl.workbook.plan.front.drawn import PERCENTILES
from lm_xl.workbook.plan.front.launches import LAUNCHES_PAGE
from lm_xl.workbook.plan.front.markets import MARKET_PAGES
from lm_xl.workbook.plan.layout import (
    BANNER_CELL,
    CHECKS,
    CONTENTS,
    COVER,
    DASHBOARD,
    EXPLORER,
    FORMULAS,
    HEADER_CELL,
    LONG,
    WORDS,
)
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.reconciliation import RECONCILIATION
from lm_xl.workbook.plan.records import Records
from lm_xl.workbook.plan.report import (
    CANCERS,
    COMPANIES,
    FUNNEL,
    REGIONS,
    SEGMENTS,
    TESTS,
)
from lm_xl.workbook.plan.staleness import AS_BUILT
from lm_xl.workbook.plan.triangulation import TRIANGULATION
from lm_xl.workbook.words.prose import text

RESULTS = (FUNNEL, REGIONS, CANCERS, SEGMENTS, COMPANIES, TESTS)
"""The sheets that hold results by years as the front shows them."""
MOST_SHEETS_OF_PAPER = 2
"""What a page of the front takes in print."""
PRINTED = (COVER, "Method", "Glossary")
"""The sheets of words that are printed beside the pages of results."""


def deliverable(
    a: Assumptions,
    records: Records,
    traced: Plan,
    found: Analyses,
    before_draws: Callable[[], None] = lambda: None,
) -> Workbook:
    """Every sheet of the deliverable, with formulas but without the values that they show: the front, a divider, what lies behind.

    What shows draws is written last, since these may still be made elsewhere; `before_draws` is called then.
    """
    workbook = styled_workbook(text("pages", "cover_title"))
    workbook.calculation = CalcProperties(fullCalcOnLoad=True)
    add, pen = workbook.create_sheet, Pen()
    _front(workbook, a, traced, found, pen)
    front = workbook.sheetnames[1:]
    add(CONTENTS)
    _analyses(workbook, traced, found, pen)
    input_sheets(workbook, records, a.axes, pen)
    for title in RESULTS:
        if title in traced.sheets:
            results_sheet(add(title), traced, pen)
    _calculations(workbook, traced, pen)
    long_data(add(LONG), traced, pen)
    checks(add(CHECKS), traced, pen)
    kept_formulas(add(FORMULAS), traced, pen)
    as_built(add(AS_BUILT), traced, pen)
    lists_page(add(LISTS), a.axes, pen)
    explorer(workbook[EXPLORER], a, traced, pen)
    for title in MARKET_PAGES:
        if title in traced.sheets:
            front_page(workbook[title], traced, pen)
    before_draws()
    _draws(workbook, a, traced, found, pen)
    contents_of_front(workbook, front, pen)
    contents(workbook, pen)
    _headers(workbook, traced, pen)
    for ws in workbook.worksheets:
        if ws.title in (COVER, *front) and not ws.print_area:
            # one that is not parted already is shrunk to two sheets of paper, whatever font prints it
            ws.page_setup.fitToHeight = ws.page_setup.fitToHeight or MOST_SHEETS_OF_PAPER
        if ws.title not in PRINTED and kind_of(ws) != "outputs":
            unprinted(ws)
    return workbook


def _front(workbook: Workbook, a: Assumptions, traced: Plan, found: Analyses, pen: Pen) -> None:
    """The pages that a client reads, in order; those that draw what stands on other sheets are filled once these are there."""
    add = workbook.create_sheet
    cover(add(COVER), a, traced, found.draws, found.seed, pen)
    for title in (DASHBOARD, EXPLORER, *MARKET_PAGES):
        if title in traced.sheets:
            add(title)
    launches_page(add(LAUNCHES_PAGE), a, traced, pen)
    add(DRIVER_SHEET)
    scenarios_page(add(SCENARIOS_PAGE), found, pen)
    add(UNCERTAINTY)
    triangulation(add(TRIANGULATION), a, traced, pen)
    reconciliation(add(RECONCILIATION), a, traced, pen)
    page_of_words(add("Method"), "method", ("subject", "what to know"), pen)
    page_of_words(add("Glossary"), "glossary", ("term", "meaning"), pen)


def _analyses(workbook: Workbook, traced: Plan, found: Analyses, pen: Pen) -> None:
    """The sheets of analyses behind the front, and the page of drivers."""
    bridge_sheet(workbook.create_sheet(BRIDGE), found, pen)
    tornado_page(workbook.create_sheet(TORNADO), found, pen)
    for title in (PERCENTILES, CONVERGENCE):
        workbook.create_sheet(title)
    drivers(workbook[DRIVER_SHEET], found, traced, pen)


def _draws(workbook: Workbook, a: Assumptions, traced: Plan, found: Analyses, pen: Pen) -> None:
    """The sheets and pages that show draws."""
    percentiles(workbook[PERCENTILES], found, pen)
    convergence(workbook[CONVERGENCE], found, pen)
    uncertainty(workbook[UNCERTAINTY], found, pen)
    dashboard(workbook[DASHBOARD], a, traced, found, pen)


def _calculations(workbook: Workbook, traced: Plan, pen: Pen) -> None:
    """The sheets of the plan that have no page of their own."""
    for title in traced.sheets:
        if title == WORDS:
            pieces(workbook.create_sheet(title), traced, pen)
        elif title not in workbook.sheetnames and title not in WRITTEN_LATER:
            calculation_sheet(workbook.create_sheet(title), traced, pen)


WRITTEN_LATER = (LONG, CHECKS, FORMULAS, AS_BUILT, LISTS)


def _headers(workbook: Workbook, traced: Plan, pen: Pen) -> None:
    """The master check on every sheet, the banner on those of analyses, and what is beyond its bounds on those of assumptions."""
    for title, sheet in traced.sheets.items():
        for line in sheet.lines:
            if (line.row, line.columns[0]) in (HEADER_CELL, BANNER_CELL) and line.array in (
                "master",
                "as built",
            ):
                pen.write(workbook[title], line.row, line.columns[0], f"={line.formula}", "lm check")
                if line.array == "master" and (line.row, line.columns[0]) == HEADER_CELL:
                    master_alarm(workbook[title])
                elif line.array == "as built":
                    banner_alarm(workbook[title])
    for title, last, sides in bounded_sheets(traced.assumptions):
        bounds_alarm(workbook[title], traced, last, sides, pen)
    bands_alarm(workbook, traced, pen)
