"""The pages that a client reads: words, numbers, lists to choose from, and charts whose titles say what they show."""

from __future__ import annotations

import re
from collections.abc import Sequence

from openpyxl.formatting.rule import ColorScale, FormatObject, Rule
from openpyxl.styles.colors import Color
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.classes import classes
from lm_xl.workbook.pages.analyses import MILLION, Analyses
from lm_xl.workbook.pages.charts import (
    NativeChart,
    add_chart,
    add_total,
    bars_of,
    columns_of,
    fan,
    funnel,
    titled_by,
    values_shown,
    year_bars,
)
from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.lists import list_reference, lists_of
from lm_xl.workbook.pages.pen import Pen, header_height, other, page, parted, start, widths
from lm_xl.workbook.pages.styles import FIGURE_HEIGHT, HEAT, LINE, WHITE, amber_where, number_format
from lm_xl.workbook.pages.uncertainty import FANS
from lm_xl.workbook.pages.validations import NOT_LISTED, list_of, validate
from lm_xl.workbook.plan.front.dashboard import DRAWN, SENTENCE_ROW, TILE_ROW, TILES
from lm_xl.workbook.plan.front.drawn import PERCENTILES
from lm_xl.workbook.plan.front.explored import CALCULATED, EXPLORED, FACTORS
from lm_xl.workbook.plan.front.explorer import (
    EXPLAINS,
    WHY_ROW,
    YEARS_ROW,
)
from lm_xl.workbook.plan.front.explorer import TILES as EXPLORER_TILES
from lm_xl.workbook.plan.front.markets import CANCER, COMPANIES_DRAWN, PATIENTS, REGIONAL, TESTS_DRAWN
from lm_xl.workbook.plan.front.page import FIRST_YEAR
from lm_xl.workbook.plan.input_cells import Choice
from lm_xl.workbook.plan.layout import (
    CHOICES,
    CONSTANT,
    DASHBOARD,
    EXPLORER,
    FIRST_ROW,
    HEADER_ROW,
    INPUTS,
    KEY_COLUMNS,
    SHARE_FIRST,
    column_beside,
)
from lm_xl.workbook.plan.lines import Chart, Plan
from lm_xl.workbook.plan.report import TOTALS
from lm_xl.workbook.plan.staleness import BANNER, SAY_SAME
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import address_of, column_letters, split_address

LABEL_WIDTH, NUMBER_WIDTH, BESIDE_WIDTH = 40, 8.5, 9.5
"""Widths of a page of tables, in characters: labels, years, growth and shares."""
LINE_HEIGHT = 11.8
"""Of a row of a table, in points: so that a table of regions and its chart fit a page."""
TILE_WIDTH = 15.0
TABLE_WIDE = 28.2
WIDE, NARROW, LOW, TALL = 18.2, 12.9, 5.8, 4.7
"""Widths and heights of the charts of the front, in centimetres."""


def front_page(ws: Worksheet, p: Plan, pen: Pen) -> None:
    """A page of tables over the years, with its growth and its shares."""
    start(ws, "outputs", title=ws.title)
    years = len(p.years)
    widths(ws, (LABEL_WIDTH, *[NUMBER_WIDTH] * years, *[BESIDE_WIDTH] * 3))
    last = FIRST_YEAR + years + 2
    if not p.sheets[ws.title].maps:
        _years(ws, p, pen, HEADER_ROW)
    header_height(ws, HEADER_ROW)
    _cells(ws, p, pen, last)
    for row in range(HEADER_ROW + 1, ws.max_row + 1):
        ws.row_dimensions[row].height = LINE_HEIGHT
    for chart in p.sheets[ws.title].charts:
        _place(ws, _over_years(ws, p, chart.draws), chart, TABLE_WIDE, TALL)
    for row in p.sheets[ws.title].maps:
        _heat_map(ws, p, row)
    page(ws, HEADER_ROW, freeze="B", labels=1, bands=parted(p.sheets[ws.title].breaks, ws.max_row, last))


def _heat_map(ws: Worksheet, p: Plan, row: int) -> None:
    """The darker the more, under a row of names."""
    axes = p.assumptions.axes
    last = address_of(row + len(axes.region), 1 + len(classes(axes, SEGMENT)))
    ws.row_dimensions[row].height = 3 * LINE
    longest = [max(map(len, re.split("[ -]", c.label))) for c in classes(axes, SEGMENT)]
    widths(ws, [max(NUMBER_WIDTH, letters + 1) for letters in longest], 2)
    darker = Rule(
        type="colorScale",
        colorScale=ColorScale(
            cfvo=[FormatObject("min"), FormatObject("max")], color=[Color(WHITE), Color(HEAT)]
        ),
    )
    ws.conditional_formatting.add(f"{address_of(row + 1, 2)}:{last}", darker)


def dashboard(ws: Worksheet, a: Assumptions, p: Plan, n: Analyses, pen: Pen) -> None:
    """What is shown, six tiles, three sentences and four charts on one page."""
    start(ws, "outputs", title=text("pages", "cover_title"))
    widths(ws, [TILE_WIDTH] * 12)
    _choices(ws, a, pen, DASHBOARD)
    _cells(ws, p, pen, 12)
    drawn_tile(ws, n, pen)
    for row, height in ((TILE_ROW + 1, FIGURE_HEIGHT), *((SENTENCE_ROW + i, 16) for i in range(3))):
        ws.row_dimensions[row].height = height
    for chart in p.sheets[ws.title].charts:
        wide = WIDE if chart.column == 1 else NARROW
        _place(ws, _dashboard_chart(ws, p, chart.draws), chart, wide, LOW)
    page(ws, HEADER_ROW, single=True)


def drawn_tile(ws: Worksheet, n: Analyses, pen: Pen) -> None:
    """The tile of the draws: the range of the last year's revenue as it was drawn, and of what."""
    simulated = n.simulation
    p10, p90 = (simulated.percentiles[0, simulated.at(), -1, k - 1] / MILLION for k in (10, 90))
    column = TILES[-1]
    for down, (words, style) in enumerate((
        (text("pages", "drawn_tile", year=n.last_year), "lm tile name"),
        (f"{p10:,.0f} to {p90:,.0f}", "lm tile"),
        (text("pages", "drawn_note"), "lm tile note"),
    )):  # fmt: skip
        pen.text(ws, TILE_ROW + down, column, words, style)
    _amber_where_stale(ws, address_of(TILE_ROW + 1, column))


def _amber_where_stale(ws: Worksheet, address: str) -> None:
    """Amber where the draws are not of what is shown, or of inputs that changed."""
    ws.conditional_formatting.add(address, amber_where(f'{BANNER}<>"{SAY_SAME}"'))


def explorer(ws: Worksheet, a: Assumptions, p: Plan, pen: Pen) -> None:
    """Lists to choose from, the answer, the chain behind it, and all years."""
    start(ws, "outputs", title=text("pages", "explorer_title"))
    years = len(p.years)
    widths(ws, (LABEL_WIDTH, *[NUMBER_WIDTH] * years, *[BESIDE_WIDTH] * 3))
    _choices(ws, a, pen, EXPLORER)
    _years(ws, p, pen, YEARS_ROW + 1)
    header_height(ws, YEARS_ROW + 1)
    header_height(ws, WHY_ROW + 1)
    _cells(ws, p, pen, FIRST_YEAR + years + 2)
    ws.row_dimensions[TILE_ROW + 1].height = FIGURE_HEIGHT
    _amber_where_stale(ws, address_of(TILE_ROW + 1, EXPLORER_TILES[-1]))
    sums = other(ws, CALCULATED)
    row = p.blocks[EXPLORED].first_row
    columns = p.columns(moving=True)
    over_years = year_bars(sums, [row], "A", columns[0], columns[-1], "", "million", "clustered")
    over_years.legend, over_years.dataLabels = None, values_shown("outEnd", "million")
    explained = bars_of(ws, WHY_ROW + 2, WHY_ROW + 1 + len(FACTORS), 1, EXPLAINS)
    drawn = {"choice": (over_years, 16.0), "explained": (explained, 13.0)}  # centimetres
    for chart in p.sheets[ws.title].charts:
        _place(ws, drawn[chart.draws][0], chart, drawn[chart.draws][1], LOW)
    page(ws, HEADER_ROW, single=True, labels=1)


def _years(ws: Worksheet, p: Plan, pen: Pen, row: int) -> None:
    """The years over a table."""
    for column, year in enumerate(p.years, FIRST_YEAR):
        pen.write(ws, row, column, year, "lm year", number_format("year"))


def _cells(ws: Worksheet, p: Plan, pen: Pen, last: int) -> None:
    """The words and the formulas of a page; bands run to its last column."""
    for row, column, words, style in p.sheets[ws.title].words:
        pen.text(ws, row, column, words, style)
        if style in ("lm band", "lm head"):
            _band(ws, pen, row, column, last, style)
    for line in lines_on(ws, p):
        write_line(ws, pen, line)
        if line.style == "lm band":
            _band(ws, pen, line.row, line.columns[0], last, "lm band")


def _band(ws: Worksheet, pen: Pen, row: int, column: int, last: int, style: str) -> None:
    for further in range(column + 1, last + 1):
        if ws.cell(row, further).value is None:
            pen.write(ws, row, further, None, style)


def _choices(ws: Worksheet, a: Assumptions, pen: Pen, sheet: str) -> None:
    """The cells of a page that are chosen in, as they stand at first, under their names."""
    said = Choice.of(a.axes).said()
    for what, (on, address) in CHOICES.items():
        if on != sheet:
            continue
        row, column = int(split_address(address)[1]), ws[address].column
        pen.text(ws, row - 1, column, text("choices", what), "lm tile name")
        if what == "year":
            pen.write(ws, row, column, said[what], "lm choice", number_format("year"))
        else:
            pen.text(ws, row, column, str(said[what]), "lm choice")
        for further in range(column + 1, column + WIDTH_OF_CHOICE[what]):
            pen.write(ws, row, further, None, "lm choice")
        validate(
            ws,
            address,
            list_of(_source(a, what)),
            error=(NOT_LISTED, text("pages", "choose", what=what)),
            prompt=(what.capitalize(), text("pages", "choose_prompt")),
        )


WIDTH_OF_CHOICE = {
    "scenario": 2,
    "scope": 2,
    "basis": 2,
    "currency": 1,
    "region": 1,
    "segment": 3,
    "subtype": 3,
    "year": 1,
}
"""Columns that a choice's words take."""


def _source(a: Assumptions, what: str) -> str:
    """The cells that list what may be chosen."""
    axes = a.axes
    # On the sheet Axes the scopes and then the scenarios stand below the labels of the other axes.
    scopes = FIRST_ROW + len(axes.region) + len(axes.segment) + len(axes.subtype)
    scenarios = scopes + len(axes.scopes)
    return {
        "scenario": f"Axes!$B${scenarios}:$B${scenarios + len(axes.scenarios) - 1}",
        "scope": f"Axes!$B${scopes}:$B${scenarios - 1}",
        "basis": list_reference("basis"),
        "year": f"{INPUTS}!${column_letters(CONSTANT + 1)}${HEADER_ROW}:${column_letters(CONSTANT + len(axes.years))}${HEADER_ROW}",
        "currency": f"Currencies!$A${FIRST_ROW}:$A${HEADER_ROW + len(a.currencies)}",
    }.get(what) or list_reference(what, lists_of(axes))


# Charts


def _place(ws: Worksheet, drawn: NativeChart, chart: Chart, width: float, height: float) -> None:
    """Put a chart in its place, its title a cell's."""
    drawn.title = titled_by(chart.title)
    drawn.width, drawn.height = width, height
    add_chart(ws, drawn, address_of(chart.row, chart.column))


def _dashboard_chart(ws: Worksheet, p: Plan, draws: str) -> NativeChart:
    years = len(p.years)
    if draws == "hero":
        return _over_years(ws, p, DRAWN)
    if draws == "shares":
        rows, first = list(p.blocks[DRAWN].keys), column_beside(SHARE_FIRST, years)
        return columns_of(other(ws, TOTALS), rows, KEY_COLUMNS[SEGMENT], first, first + 1)
    if draws == "funnel":
        return _funnel(ws, p)
    return fan(other(ws, PERCENTILES), FANS["revenue"], CONSTANT + 1, CONSTANT + years, "", "USD million")


def _funnel(page_of: Worksheet, p: Plan) -> NativeChart:
    """Patients with LM, diagnosed and treated, in the first and the last year."""
    ws = other(page_of, PATIENTS)
    lines = [line for line in p.sheets[PATIENTS].lines if line.array in FUNNEL_STEPS]
    rows = [line.row for line in lines]
    return funnel(ws, min(rows), max(rows), 1, (FIRST_YEAR, FIRST_YEAR + len(p.years) - 1), "", "patients")


FUNNEL_STEPS = ("lm_cases_by_world", "diagnosed_by_world", "treated_by_world")


def _over_years(ws: Worksheet, p: Plan, draws: str) -> NativeChart:
    """Stacked bars of a ranking's lines, of the classes of an axis with the market's total over each, or of the tests."""
    columns = p.columns(moving=True)
    if draws in (DRAWN, COMPANIES_DRAWN):
        block = p.blocks[draws]
        sheet, letter = block.sheet, KEY_COLUMNS[SEGMENT if draws == DRAWN else REGION]
        rows: Sequence[int] = list(block.keys)
        first, last = columns[0], columns[-1]
    else:
        first, last, letter = FIRST_YEAR, FIRST_YEAR + len(p.years) - 1, "A"
        if draws == TESTS_DRAWN:
            sheet, rows = ws.title, _test_rows(p, ws.title)
        else:
            dim = REGION if draws.endswith("region") else SUBTYPE
            sheet = {REGION: REGIONAL, SUBTYPE: CANCER}[dim]
            rows = _class_rows(p, sheet, dim)
    chart = year_bars(other(ws, sheet), rows, letter, first, last, "", "million")
    if draws != TESTS_DRAWN:
        whole = p.blocks["revenue_by_region_group"]
        add_total(
            chart,
            other(ws, whole.sheet),
            whole.last_row,
            KEY_COLUMNS[REGION],
            columns[0],
            columns[-1],
            "million",
        )
    return chart


def _test_rows(p: Plan, sheet: str) -> Sequence[int]:
    """The rows of the last table of a page that hold tests."""
    axis = p.assumptions.axes.segment
    tests = [axis.leaves[i] for i in axis.having("test")]
    return list(
        {
            words: row for row, column, words, _ in p.sheets[sheet].words if column == 1 and words in tests
        }.values()
    )


def _class_rows(p: Plan, sheet: str, dim: int) -> Sequence[int]:
    """The rows of the first table of a page that hold classes."""
    told: list[str] = [c.label for c in classes(p.assumptions.axes, dim)]
    found: dict[str, int] = {}
    for row, column, words, _ in p.sheets[sheet].words:
        if column == 1 and words in told:
            found.setdefault(words, row)
    return list(found.values())
