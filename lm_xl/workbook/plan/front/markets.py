"""The pages of the market: by therapy, by region, by cancer, by company, the patients, and the tests beside them."""

from __future__ import annotations

from collections.abc import Sequence

from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.cells import Cell, sum_of, text_of
from lm_xl.model.classes import classes
from lm_xl.model.outputs import PATIENT_STAGES
from lm_xl.workbook.plan.front.dashboard import SUBTITLE, subtitle
from lm_xl.workbook.plan.front.page import (
    FRONT_CLASS,
    FRONT_LABEL,
    FRONT_NOTE,
    FRONT_TOTAL,
    Page,
    Shown,
    group_line,
    leaf_line,
    outline,
    overlaps,
)
from lm_xl.workbook.plan.front.ranking import rank
from lm_xl.workbook.plan.front.sentences import sentence
from lm_xl.workbook.plan.front.values import Number, Text, chosen, in_chosen_year
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW, SHARE_FIRST, column_beside
from lm_xl.workbook.plan.lines import Line, Plan
from lm_xl.workbook.plan.report import BY_COMPANY, PAIRS
from lm_xl.xlsx.addresses import column_letters

THERAPY, REGIONAL, HEAT_MAP, CANCER, COMPANY, PATIENTS, TESTS = (
    "Market by therapy", "Market by region", "Region by class", "Market by cancer", "Companies", "Patients", "Diagnostics",
)  # fmt: skip
MARKET_PAGES = (THERAPY, REGIONAL, HEAT_MAP, CANCER, COMPANY, PATIENTS, TESTS)
ROUNDED = "Figures are rounded, so that sums may differ in the last digit; – is less than 0.05, n/a a growth from nothing."
COMPANIES_SHOWN, COMPANIES_IN_CHART, COMPANIES_DRAWN = 20, 7, "companies_drawn"
TESTS_DRAWN = "tests_drawn"
STEPS = {
    "incidence": "New cases of cancer",
    "metastatic": "Metastatic by now",
    "lm_cases": "With LM, found or not",
    "diagnosed": "Diagnosed",
    "treated": "Treated",
}
"""The funnel in words of the trade; each step counts some of the one before."""
PASSES = {
    "metastatic_of_incidence": "Metastatic, of new cases",
    "lm_cases_of_metastatic": "With LM, of metastatic",
    "diagnosed_of_lm_cases": "Diagnosed, of all with LM",
    "treated_of_diagnosed": "Treated, of diagnosed",
}
"""The share that passes each step."""
BESIDE = {"suspected": "Worked up on suspicion", "prevalence": "Living with diagnosed LM"}
"""Counts of patients that are no steps of the funnel."""


def add_markets(p: Plan) -> None:
    """Write the pages of the market."""
    _therapy(p)
    _regional(p)
    _heat_map(p)
    _cancer(p)
    _company(p)
    _patients(p)
    if p.assumptions.axes.segment.having("test"):
        _tests(p)
    for title in MARKET_PAGES:
        if title in p.sheets:
            page = Page(p, title)
            page.words(page.row, 1, ROUNDED, FRONT_NOTE)
            page.skip()


def _start(p: Plan, title: str, *, shares: bool = True) -> Page:
    """A page with its subtitle and its row of years, and columns of shares where a table of it has any."""
    page = Page(p, title)
    page.formula(2, 1, Text(SUBTITLE, subtitle().measure), style="lm text", name=f"{title} subtitle")
    page.years_header(shares=shares)
    page.sheet.row = FIRST_ROW
    return page


def _chart(page: Page, draws: str, what: str) -> None:
    """A chart over the years of the page's first table, its title with all that it depends on."""
    name = f"{page.title} chart"
    pieces: list[str | Text] = [f"{what}: ", Text(SUBTITLE, subtitle().measure), " million"]
    page.chart(draws, sentence(page.p, name, pieces))


def _money(page: Page, what: str) -> None:
    """The band over a table of money."""
    page.heading(sentence(page.p, f"{page.title} money", [f"{what}, ", chosen("currency"), " million"]))


def _therapy(p: Plan) -> None:
    """Class rows first, products under each; then the scopes; then patients on therapy."""
    page, axes = _start(p, THERAPY), p.assumptions.axes
    _money(page, "Revenue")
    lines: list[Shown] = []
    inside: set[int] = set()
    for k, scope in enumerate(axes.scopes):
        members = set(axes.segment.members(scope))
        without = (f"without scope {k}",) if k else ()
        ring = [c for c in classes(axes, SEGMENT) if set(c.members) <= members - inside]
        told = {c.label for c in ring} | {axes.segment.leaves[i] for c in ring for i in c.members}
        lines += [
            x._replace(inside=without) for x in outline(p, SEGMENT, "revenue") if str(x.label).strip() in told
        ]
        lines.append(group_line(p, SEGMENT, "revenue", scope, FRONT_TOTAL)._replace(inside=without))
        inside |= members
    page.table(lines, "million", scope_line(p))
    page.skip()
    page.new_page()
    page.skip()  # a frame on the edge of two pages is printed on both
    _chart(page, "drawn_by_class", "Revenue by class")
    page.words(
        page.row,
        1,
        "Patients on therapy; sets of therapies overlap, so a patient may count in several",
        "lm band",
    )
    page.skip()
    therapies = set(axes.segment.having("incumbent", "entrant", "rest"))
    told = {c.label for c in classes(axes, SEGMENT) if set(c.members) <= therapies}
    told |= {axes.segment.leaves[i] for i in therapies}
    people = [x for x in outline(p, SEGMENT, "patients_on_therapy") if str(x.label).strip() in told]
    page.table(people, "patients", None)


def scope_line(p: Plan) -> Shown:
    """The world's revenue of the chosen scope."""
    return group_line(p, REGION, "revenue", p.assumptions.axes.region.total, FRONT_TOTAL)


def _over_axis(page: Page, dim: int, what: str, unit: str) -> None:
    """A table of classes with their leaves, the total, and the groups that overlap them."""
    axis = page.p.assumptions.axes.axis(dim)
    whole = group_line(page.p, dim, what, axis.total, FRONT_TOTAL)
    lines = [*outline(page.p, dim, what), whole, *overlaps(page.p, dim, what)]
    page.table(lines, unit, whole)
    page.skip()


def _regional(p: Plan) -> None:
    page = _start(p, REGIONAL)
    _money(page, "Revenue")
    _over_axis(page, REGION, "revenue", "million")
    _chart(page, "classes of region", "Revenue by region")
    page.new_page()
    page.words(page.row, 1, "Patients treated", "lm band")
    page.skip()
    _over_axis(page, REGION, "treated", "patients")


def _heat_map(p: Plan) -> None:
    """Revenue of each region by class in the year that the explorer shows."""
    page = Page(p, HEAT_MAP)
    page.formula(2, 1, Text(SUBTITLE, subtitle().measure), style="lm text", name=f"{HEAT_MAP} subtitle")
    axes, found = p.assumptions.axes, classes(p.assumptions.axes, SEGMENT)
    said: list[str | Text] = [
        "Revenue by region and class in ",
        chosen("year"),
        ", ",
        chosen("currency"),
        " million",
    ]
    page.formula(3, 1, sentence(p, "heat map", said), style="lm text", name="heat map")
    row = HEADER_ROW
    p.sheet(page.title).maps.append(row)
    for column, one in enumerate(found, 2):
        page.words(row, column, one.label, "lm year")
    page.words(row, 1, "region", "lm header")
    in_year = _in_chosen_year(p)
    for i, region in enumerate(axes.region.leaves):
        at_row = page.row
        page.words(at_row, 1, region, FRONT_LABEL)
        for column, one in enumerate(found, 2):
            sold = [in_year[i, s] for s in one.members if (i, s) in in_year]
            if sold:
                page.formula(at_row, column, _added(sold), unit="million", style="lm figures")
        page.skip()


def _added(sold: Sequence[tuple[Cell, Number]]) -> Number:
    """The sum of numbers that stand in cells."""
    summed = sum_of([cell for cell, _ in sold])
    return Number(text_of(summed)[0], lambda python: sum(number.measure(python) for _, number in sold))


def _in_chosen_year(p: Plan) -> dict[tuple[int, int], tuple[Cell, Number]]:
    """Beside the revenue of each region and segment that of the year of the explorer; returns its cells by both."""
    name = f"revenue_by_{PAIRS}"
    block, column = p.blocks[name], column_beside(SHARE_FIRST, len(p.years))
    cells = {}
    for row, at in block.keys.items():
        found, array = in_chosen_year(p, name, at), f"{name} in the chosen year {row}"
        p.measures[array] = found.measure
        formula = found.formula.replace(f"{block.sheet}!", "")
        line = Line(row=row, columns=(column,), formula=formula, array=array, unit="million")
        p.sheet(block.sheet).lines.append(line)
        cells[at[0], at[1]] = Cell(block.sheet, column_letters(column), row), found
    return cells


def _cancer(p: Plan) -> None:
    page = _start(p, CANCER)
    _money(page, "Revenue")
    _over_axis(page, SUBTYPE, "revenue", "million")
    _chart(page, "classes of subtype", "Revenue by cancer")
    page.new_page()
    for what in ("diagnosed", "treated"):
        page.words(page.row, 1, f"Patients {what}", "lm band")
        page.skip()
        _over_axis(page, SUBTYPE, what, "patients")


def _company(p: Plan) -> None:
    """The companies that sell most in the chosen scope, then the others."""
    page = _start(p, COMPANY)
    names = rank(p, BY_COMPANY, "companies_ranked", COMPANIES_SHOWN, REGION)
    _money(page, "Revenue by who books it")
    ranked = p.blocks["companies_ranked"]
    lines = [
        Shown(name, FRONT_LABEL, "companies_ranked", at)
        for name, at in zip(names, ranked.keys.values(), strict=True)
    ]
    whole = scope_line(p)._replace(label="All companies")
    page.table([*lines, whole], "million", whole)
    page.skip()
    rank(p, BY_COMPANY, COMPANIES_DRAWN, COMPANIES_IN_CHART, REGION)
    _chart(page, COMPANIES_DRAWN, "Revenue by company")


def _patients(p: Plan) -> None:
    page = _start(p, PATIENTS)
    page.words(
        page.row, 1, f"From new cancers to treated patients, {p.assumptions.axes.region.total}", "lm band"
    )
    page.skip()
    page.table([_count(step, said) for step, said in STEPS.items()], "patients", None)
    page.skip()
    page.words(page.row, 1, "Beside the funnel", "lm band")
    page.skip()
    page.table([_count(step, said) for step, said in BESIDE.items()], "patients", None)
    page.skip()
    page.words(page.row, 1, "Share that passes each step", "lm band")
    page.skip()
    shares = [Shown(said, FRONT_LABEL, block, (0, 0, 0)) for block, said in PASSES.items()]
    page.table(shares, "share", None)
    page.skip()
    for dim, name in ((REGION, "region"), (SUBTYPE, "cancer")):
        page.words(page.row, 1, f"Patients diagnosed by {name}", "lm band")
        page.skip()
        axis = p.assumptions.axes.axis(dim)
        whole = group_line(p, dim, "diagnosed", axis.total, FRONT_TOTAL)
        page.table([*_only_classes(p, dim, "diagnosed"), whole], "patients", whole)
        page.skip()


def _count(stage: str, said: str) -> Shown:
    assert stage in PATIENT_STAGES
    return Shown(said, FRONT_LABEL, f"{stage}_by_world", (0, 0, 0))


def _only_classes(p: Plan, dim: int, what: str) -> list[Shown]:
    return [line._replace(style=FRONT_LABEL) for line in outline(p, dim, what) if line.style == FRONT_CLASS]


def _tests(p: Plan) -> None:
    """The tests and what they are worth, which lies beside the therapies."""
    page, axes = _start(p, TESTS, shares=False), p.assumptions.axes
    tests = axes.segment.having("test")
    page.words(page.row, 1, f"Tests done, {axes.region.total}: follow suspected patients", "lm band")
    page.skip()
    page.table(
        [Shown(axes.segment.leaves[i], FRONT_LABEL, "tests_by_test", (0, i, 0)) for i in tests], "tests", None
    )
    page.skip()
    _money(page, "Their value, beside the market of therapies")
    page.table(
        [
            leaf_line(p, SEGMENT, "revenue", axes.segment.leaves[i], i)._replace(label=axes.segment.leaves[i])
            for i in tests
        ],
        "million",
        None,
    )
    page.skip()
    # tests are worth the same in every scope
    named: list[str | Text] = [x for what in ("scenario", "basis", "currency") for x in (" | ", chosen(what))]
    title = sentence(p, f"{TESTS} chart", ["Value of tests: ", *named[1:], " million"])
    page.chart(TESTS_DRAWN, title)
