"""The sheet Dashboard: what is chosen, six tiles and four charts on one page, in the look of a deliverable's."""

from __future__ import annotations

from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.functions.template.control import figure, joined, title_cell
from lm_xl.functions.template.market import LABEL, beside, drawn_rows, told_rows
from lm_xl.functions.template.state import Template
from lm_xl.functions.template.tables import PATIENTS, REVENUE, TABLE_SHEETS, TableMeasure, first_line
from lm_xl.model.axes import REGION, SUBTYPE
from lm_xl.model.outputs import BASES, PATIENT_STAGES
from lm_xl.workbook.pages.charts import NativeChart, add_chart, columns_of, titled_by, year_bars
from lm_xl.workbook.pages.front import LOW, NARROW, TILE_WIDTH, WIDE
from lm_xl.workbook.pages.lists import list_reference, lists_of
from lm_xl.workbook.pages.pen import page, start, widths
from lm_xl.workbook.pages.styles import FIGURE_HEIGHT
from lm_xl.workbook.pages.validations import NOT_LISTED, list_of, new_label, validate
from lm_xl.workbook.plan.front.dashboard import TILE_ROW, TILES
from lm_xl.workbook.plan.front.markets import THERAPY
from lm_xl.workbook.plan.front.page import FIRST_YEAR
from lm_xl.workbook.plan.layout import CONSTANT, DASHBOARD, HEADER_ROW, KEY_COLUMNS
from lm_xl.workbook.words.prose import text

CHOICES = {"Scenario": "A6", "Segment": "C6", "Basis": "E6", "Region": "G6", "Subtype": "I6", "Stage": "K6"}
"""The workbook's names for what is chosen, and their cells; the words of each take two columns."""
CHART_ROWS = (12, 25)
HERO = WIDE - 1.1
"""So wide that the chart beside it, seven columns on, covers none of it."""


def dashboard(workbook: Workbook, t: Template) -> None:
    """The whole sheet, beside whose charts the sheets of tables must stand already."""
    ws, pen = workbook[DASHBOARD], t.pen
    start(ws, "outputs", title=text("pages", "cover_title"))
    widths(ws, [TILE_WIDTH] * 12)
    told = joined(("Scenario", "Segment", "Basis", "Region", "Subtype", "Stage"))
    pen.write(ws, 2, 1, f"={told}", "lm text")
    _choices(ws, t)
    _tiles(ws, t)
    _charts(workbook, t)
    page(ws, HEADER_ROW, single=True)


def _choices(ws: Worksheet, t: Template) -> None:
    """The cells that are chosen in, as they stand at first: everywhere, everything, with the risk of failure."""
    axes, pen = t.axes, t.pen
    chosen = {
        "Scenario": axes.default, "Region": axes.region.total, "Segment": axes.headline, "Subtype": axes.subtype.total,
        "Stage": "diagnosed", "Basis": "risk_adjusted",
    }  # fmt: skip
    words = {"Stage": PATIENT_STAGES, "Basis": tuple(BASES)}
    for name, address in CHOICES.items():
        row, column = ws[address].row, ws[address].column
        pen.text(ws, row - 1, column, name, "lm tile name")
        pen.text(ws, row, column, chosen[name], "lm choice")
        pen.write(ws, row, column + 1, None, "lm choice")
        # Labels may be added on the sheet Axes; stages and bases are the model's own, so no other word is taken.
        if name in words:
            rule = list_of(f'"{",".join(words[name])}"')
            rule.errorTitle, rule.error = NOT_LISTED, text("pages", "choose", what=name.lower())
        else:
            rule = list_of(list_reference(name.lower(), lists_of(axes)))
            new_label(rule)
        validate(ws, address, rule, prompt=(name, text("template", name)))


def _tiles(ws: Worksheet, t: Template) -> None:
    """Name, value and note of each tile, from the key figures and the classes that are drawn."""
    first, last = t.axes.years[0], t.axes.years[-1]
    columns, (largest, adds) = beside(t.axes), told_rows(t.axes)
    growth, change = figure("growth"), f"'{THERAPY}'!${columns.change}${adds}"

    def ends(what: str) -> str:
        return f'=FIXED({figure(f"first {what}")},0)&" to "&FIXED({figure(f"last {what}")},0)'

    def share(letter: str) -> str:
        cell = f"'{THERAPY}'!${letter}${largest}"
        return f'IF(ISNUMBER({cell}),FIXED({cell}*100,1)&"%","n/a")'

    tiles = (
        ("Market, USD million", ends("revenue"), f"{first} to {last}"),
        ("Growth a year", f'=IF(ISNUMBER({growth}),FIXED({growth}*100,1)&"%",{growth})', f"CAGR {first}-{last}"),
        ("Patients treated", ends("treated"), f'="of "&FIXED({figure("first diagnosed")},0)&" diagnosed in {first}"'),
        (f"Largest class in {last}", f"='{THERAPY}'!${LABEL}${largest}", f'={share(columns.first_share)}&" to "&{share(columns.last_share)}&" of revenue"'),
        ("Adds most", f"='{THERAPY}'!${LABEL}${adds}", f'=IF({change}<0,"","+")&FIXED({change},0)&" million, {first} to {last}"'),
        ("Revenue for each treated, USD", ends("for each"), f"{first} to {last}"),
    )  # fmt: skip
    for at, (name, value, note) in zip(TILES, tiles, strict=True):
        look = "lm tile words" if THERAPY in value else "lm tile"
        for down, (said, style) in enumerate(((name, "lm tile name"), (value, look), (note, "lm tile note"))):
            write = t.pen.write if said.startswith("=") else t.pen.text
            write(ws, TILE_ROW + down, at, said, style)
    ws.row_dimensions[TILE_ROW + 1].height = FIGURE_HEIGHT


def _charts(workbook: Workbook, t: Template) -> None:
    """Revenue by class, and its shares; revenue and patients by the leaves in their tables."""
    ws, years, therapy = workbook[DASHBOARD], t.axes.years, workbook[THERAPY]
    rows, end = drawn_rows(t.axes), FIRST_YEAR + len(years) - 1
    upper, lower = CHART_ROWS
    for draws, chart, place, width in (
        ("classes", year_bars(therapy, rows, LABEL, FIRST_YEAR, end, "", REVENUE.unit), f"A{upper}", HERO),
        ("shares", columns_of(therapy, rows, LABEL, end + 2, end + 3), f"H{upper}", NARROW),
        ("regions", _by_leaf(workbook, t, REGION, REVENUE), f"A{lower}", HERO),
        ("cancers", _by_leaf(workbook, t, SUBTYPE, PATIENTS), f"H{lower}", NARROW),
    ):
        chart.title, chart.width, chart.height = titled_by(title_cell(draws)), width, LOW
        add_chart(ws, chart, place)


def _by_leaf(workbook: Workbook, t: Template, dim: int, measure: TableMeasure) -> NativeChart:
    axis = t.axes.axis(dim)
    top = first_line(measure, dim, axis)
    return year_bars(
        workbook[TABLE_SHEETS[dim]],
        range(top, top + len(axis)),
        KEY_COLUMNS[dim],
        CONSTANT + 1,
        CONSTANT + len(t.axes.years),
        "",
        measure.unit,
    )
