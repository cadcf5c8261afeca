"""Assumptions -> the live workbook: assumption sheets, traced calculations, summary tables, stored values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from openpyxl.workbook import Workbook
from openpyxl.workbook.properties import CalcProperties

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.files import must_end, not_over, replacing
from lm_xl.forecasts.forecast import forecast
from lm_xl.model.axes import Axes
from lm_xl.version import __version__
from lm_xl.workbook.pages import analyses, pages
from lm_xl.workbook.pages.charts import CHARTS, add_charts
from lm_xl.workbook.pages.inputs import write_inputs
from lm_xl.workbook.pages.pen import Pen
from lm_xl.workbook.pages.styles import add_styles
from lm_xl.workbook.plan.checks import CHECKS
from lm_xl.workbook.plan.drivers import DRIVERS
from lm_xl.workbook.plan.layout import BANNER_CELL, COVER, HEADER_CELL, LONG, SUMMARY, WORDS
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.records import Records, records_of
from lm_xl.workbook.plan.staleness import AS_BUILT
from lm_xl.workbook.plan.trace import trace
from lm_xl.workbook.plan.triangulation import TRIANGULATION
from lm_xl.workbook.verify import agreed_values
from lm_xl.workbook.words.prose import GLOSSARY, METHOD
from lm_xl.xlsx.stored import store_values

Progress = Callable[[str], None]
DRAWS, SEED = 10_000, 1
"""Of the simulation that a deliverable shows, unless others are asked for."""


def build(
    assumptions: Assumptions,
    output: str | Path,
    *,
    force: bool = False,
    static: bool = False,
    draws: int = DRAWS,
    seed: int = SEED,
    progress: Progress = lambda _: None,
) -> Plan:
    """Write the live workbook of some assumptions to `output`, all or nothing.

    Every formula is recalculated by an independent engine, which also fills the stored values, and is compared with Python.
    With `static` the file then holds the values alone, and says so on its cover.
    Raises WrongUsage where the file has no .xlsx name; Refused where it exists and `force` is not given, is the one that the
    assumptions were read from, or cannot be written; IdentityError where the forecast breaks an identity, Disagreement where the
    engine and Python differ.
    """
    path = Path(output)
    must_end(path, ".xlsx")
    not_over(assumptions.path, path)
    with replacing(path, force=force) as draft:
        progress("forecast")
        forecast(assumptions, assumptions.axes.scenarios)
        progress("formulas")
        records, cells = records_of(assumptions)
        plan = trace(assumptions, cells)
        found = analyses.analyse(assumptions, draws, seed, progress)
        progress("writing")
        _workbook(assumptions, records, plan, found).save(draft)
        progress("recalculating")
        values = agreed_values(draft, plan)
        store_values(draft, values, plan.spans(), static={pages.LIVE: pages.STATIC} if static else None)
    return plan


def new(path: str | Path, axes: Axes, records: Records, *, force: bool = False) -> None:
    """Write an assumptions workbook of these records: the form with its lists, validations and comments.

    Raises WrongUsage where the file has no .xlsx name, Refused where it may not be written.
    """
    must_end(Path(path), ".xlsx")
    workbook = _styled_workbook()
    write_inputs(workbook, records, axes.years, axes)
    with replacing(Path(path), force=force) as draft:
        workbook.save(draft)


def _styled_workbook() -> Workbook:
    """A workbook without sheets that knows the styles of every page."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    add_styles(workbook)
    return workbook


def _workbook(a: Assumptions, records: Records, plan: Plan, found: analyses.Analyses) -> Workbook:
    """Every sheet of a deliverable, in the order of its tabs."""
    workbook, pen, years = _styled_workbook(), Pen(), a.axes.years
    workbook.calculation = CalcProperties(fullCalcOnLoad=True)
    workbook.properties.title = "Leptomeningeal metastases market model"
    workbook.properties.creator = f"lm_xl {__version__}"
    drawn = f"seed {found.simulation.seed}, {found.simulation.draws:,} draws"
    pages.cover(workbook.create_sheet(COVER), a, plan, drawn, pen)
    workbook.create_sheet("Contents")
    pages.summary(workbook.create_sheet(SUMMARY), plan, pen)
    pages.charts(workbook.create_sheet(CHARTS))
    for title in pages.OUTPUTS:
        pages.sheet_of_lines(workbook.create_sheet(title), plan.sheets[title], years, "outputs", pen)
    for title, write in analyses.PAGES.items():
        write(workbook.create_sheet(title), found, pen)
    pages.drivers(workbook.create_sheet(DRIVERS), plan, pen)
    pages.triangulation(workbook.create_sheet(TRIANGULATION), a, plan, pen)
    write_inputs(
        workbook, records, years, a.axes, before_lists=lambda: _words_and_checks(workbook, plan, pen)
    )
    _calculations(workbook, plan, pen)
    add_charts(workbook, plan)
    analyses.fans(workbook["Uncertainty"], workbook[CHARTS], len(years))
    # what every page shows of the whole comes last, when all of them are there
    pages.contents(workbook, pen)
    for title, sheet in plan.sheets.items():
        for line in sheet.lines:
            if (line.row, line.columns[0]) in (HEADER_CELL, BANNER_CELL):
                pen.write(workbook[title], line.row, line.columns[0], f"={line.formula}", "lm check")
    return workbook


def _words_and_checks(workbook: Workbook, plan: Plan, pen: Pen) -> None:
    """The sheets of words and the checks, between the assumptions and the data."""
    for title, names, rows in (
        ("Method", ("subject", "what to know"), METHOD),
        ("Glossary", ("term", "meaning"), GLOSSARY),
    ):
        pages.page_of_words(workbook.create_sheet(title), names, rows, pen)
    pages.checks(workbook.create_sheet(CHECKS), plan, pen)
    analyses.as_built(workbook.create_sheet(AS_BUILT), plan, pen)
    pages.long_data(workbook.create_sheet(LONG), plan.sheets[LONG], pen)


def _calculations(workbook: Workbook, plan: Plan, pen: Pen) -> None:
    """The sheets of the plan that no page has written yet."""
    for title, sheet in plan.sheets.items():
        if title == WORDS:
            pages.words(workbook.create_sheet(title), sheet, pen)
        elif title not in workbook.sheetnames:
            ws = workbook.create_sheet(title)
            pages.sheet_of_lines(ws, sheet, plan.years, "calculations", pen)


__all__ = ["build", "new"]
