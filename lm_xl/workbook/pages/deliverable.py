"""The deliverable as a workbook without values: its sheets in their order, each written by its page."""

from __future__ import annotations

from openpyxl.workbook import Workbook
from openpyxl.workbook.properties import CalcProperties

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.version import __version__
from lm_xl.workbook.pages.analyses import Analyses
from lm_xl.workbook.pages.charts_page import CHARTS, add_charts, charts_page
from lm_xl.workbook.pages.checks import checks
from lm_xl.workbook.pages.contents import CONTENTS, contents
from lm_xl.workbook.pages.convergence import convergence
from lm_xl.workbook.pages.cover import cover
from lm_xl.workbook.pages.data import long_data
from lm_xl.workbook.pages.drivers import drivers
from lm_xl.workbook.pages.inputs import input_sheets
from lm_xl.workbook.pages.lists import LISTS, lists_page
from lm_xl.workbook.pages.pen import Pen
from lm_xl.workbook.pages.pipeline import PIPELINE, pipeline
from lm_xl.workbook.pages.reconciliation import reconciliation
from lm_xl.workbook.pages.scenarios import scenarios_and_bridge
from lm_xl.workbook.pages.staleness import as_built
from lm_xl.workbook.pages.styles import styled_workbook
from lm_xl.workbook.pages.summary import pieces, summary
from lm_xl.workbook.pages.tables import calculation_sheet, results_sheet
from lm_xl.workbook.pages.tornado import tornado_page
from lm_xl.workbook.pages.triangulation import triangulation
from lm_xl.workbook.pages.uncertainty import UNCERTAINTY, fans, uncertainty
from lm_xl.workbook.pages.words import page_of_words
from lm_xl.workbook.plan.checks import CHECKS
from lm_xl.workbook.plan.drivers import DRIVER_SHEET
from lm_xl.workbook.plan.layout import BANNER_CELL, COVER, HEADER_CELL, LONG, SUMMARY, WORDS
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.reconciliation import RECONCILIATION
from lm_xl.workbook.plan.records import Records
from lm_xl.workbook.plan.report import (
    CANCERS,
    COMPANIES,
    FUNNEL,
    LAUNCHES,
    PRICES,
    REGION_SEGMENT,
    REGIONS,
    SEGMENTS,
    TESTS,
)
from lm_xl.workbook.plan.staleness import AS_BUILT
from lm_xl.workbook.plan.triangulation import TRIANGULATION

RESULTS = (FUNNEL, REGIONS, CANCERS, SEGMENTS, REGION_SEGMENT, COMPANIES, PRICES, LAUNCHES, TESTS)
"""The sheets of results by years, in order."""
ANALYSIS_PAGES = {
    "Scenarios_and_bridge": scenarios_and_bridge,
    "Tornado": tornado_page,
    UNCERTAINTY: uncertainty,
    "Convergence": convergence,
}
"""The sheets of analyses in order, and what writes each."""


def deliverable(a: Assumptions, records: Records, traced: Plan, found: Analyses) -> Workbook:
    """Every sheet of the deliverable, with formulas but without the values that they show."""
    workbook = styled_workbook()
    workbook.calculation = CalcProperties(fullCalcOnLoad=True)
    workbook.properties.title = "Leptomeningeal metastases market model"
    workbook.properties.creator = f"lm_xl {__version__}"
    add, pen = workbook.create_sheet, Pen()
    simulated = found.simulation
    cover(add(COVER), a, traced, simulated.draws, simulated.seed, pen)
    add(CONTENTS)
    summary(add(SUMMARY), traced, pen)
    charts_page(add(CHARTS))
    for title in RESULTS:
        results_sheet(add(title), traced, pen)
    pipeline(add(PIPELINE), a, pen)
    for title, write in ANALYSIS_PAGES.items():
        write(add(title), found, pen)
    drivers(add(DRIVER_SHEET), traced, pen)
    triangulation(add(TRIANGULATION), a, traced, pen)
    reconciliation(add(RECONCILIATION), a, traced, pen)
    input_sheets(workbook, records, a.axes, pen)
    page_of_words(add("Method"), "method", ("subject", "what to know"), pen)
    page_of_words(add("Glossary"), "glossary", ("term", "meaning"), pen)
    checks(add(CHECKS), traced, pen)
    as_built(add(AS_BUILT), traced, pen)
    long_data(add(LONG), traced, pen)
    lists_page(add(LISTS), a.axes, pen)
    _calculations(workbook, traced, pen)
    add_charts(workbook, traced)
    fans(workbook, len(a.axes.years))
    contents(workbook, pen)
    _headers(workbook, traced, pen)
    return workbook


def _calculations(workbook: Workbook, traced: Plan, pen: Pen) -> None:
    """The sheets of the plan that have no page of their own."""
    for title in traced.sheets:
        if title == WORDS:
            pieces(workbook.create_sheet(title), traced, pen)
        elif title not in workbook.sheetnames:
            calculation_sheet(workbook.create_sheet(title), traced, pen)


def _headers(workbook: Workbook, traced: Plan, pen: Pen) -> None:
    """The master check on every sheet, and the banner on those of analyses."""
    for title, sheet in traced.sheets.items():
        for line in sheet.lines:
            if (line.row, line.columns[0]) in (HEADER_CELL, BANNER_CELL):
                pen.write(workbook[title], line.row, line.columns[0], f"={line.formula}", "lm check")
