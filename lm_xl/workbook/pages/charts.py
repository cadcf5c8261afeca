"""Native, editable charts over the report's tables: each series is a line of a table, so members that are added are drawn too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpyxl.chart import AreaChart, BarChart, LineChart, Reference, Series
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.legend import Legend
from openpyxl.chart.series import SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.workbook.plan.layout import HEADER_ROW, KEY_COLUMNS, SENTENCES_ROW, SUMMARY
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.report import MONEY
from lm_xl.xlsx.addresses import column_letters

CHARTS = "Charts"
WIDTH, HEIGHT = 14.4, 9.4
"""Centimetres."""
TITLE_SIZE, TEXT_SIZE = 1100, 700
"""Hundredths of a point."""

PALETTE = (
    "0072B2", "E69F00", "009E73", "F0E442", "CC79A7", "56B4E9", "D55E00", "999999",
    "004B76", "FFC95C", "00664A", "FFF7A3", "8C3F6E", "A9DBF7", "8A3D00", "CFCFCF",
    "332288", "DDCC77", "117733", "EEDDBB", "882255", "88CCEE", "661100", "E8E8E8",
)  # fmt: skip
"""Okabe and Ito's colours, told apart by colour-blind readers, in darker and lighter turns that differ in grey too."""

Chart = Any
"""A chart of openpyxl, whose types leave out what its constructor makes."""


def add_charts(workbook: Workbook, p: Plan) -> None:
    """Four charts on the summary, the others on their own sheet."""
    first, last = p.years[0], p.years[-1]
    summary: Any = workbook[SUMMARY]
    charts: Any = workbook[CHARTS]
    below = SENTENCES_ROW + 7
    on_summary = (
        (_bars(workbook, p, "revenue_by_region", f"Revenue by region, {first}-{last}", MONEY), f"A{below}"),
        (_bars(workbook, p, "revenue_by_segment", f"Revenue by segment, {first}-{last}", MONEY), f"C{below}"),
        (
            _bars(workbook, p, "revenue_by_subtype", f"Revenue by cancer, {first}-{last}", MONEY),
            f"A{below + 20}",
        ),
        (
            _bars(
                workbook,
                p,
                "diagnosed_by_region",
                f"Patients diagnosed by region, {first}-{last}",
                "patients",
            ),
            f"C{below + 20}",
        ),
    )
    for chart, place in on_summary:
        summary.add_chart(chart, place)
    drawn = [
        _funnel(workbook, p, f"From lm_cases to treated, {first} and {last}"),
        _bars(
            workbook, p, "diagnosed_by_subtype", f"Patients diagnosed by cancer, {first}-{last}", "patients"
        ),
        _bars(
            workbook,
            p,
            "revenue_by_segment",
            f"Share of revenue by segment, {first}-{last}",
            "share of revenue",
            grouping="percentStacked",
        ),
        _lines(
            workbook,
            p,
            "uptake_by_report",
            f"Launch curves: uptake in {p.assumptions.axes.region.leaves[0]}, {first}-{last}",
            "share of peak",
            p.assumptions.axes.region.leaves[0],
        ),
    ]
    if "tests_by_test" in p.blocks:
        drawn.append(
            _bars(workbook, p, "tests_by_test", f"Tests done, {first}-{last}", "tests", grouping="clustered")
        )
    drawn.append(
        _bars(
            workbook,
            p,
            "therapeutics_revenue_by_region",
            f"Therapeutics revenue by region, {first}-{last}",
            MONEY,
        )
    )
    for i, chart in enumerate(c for c in drawn if c.series):
        charts.add_chart(chart, f"{'AK'[i % 2]}{6 + 20 * (i // 2)}")


def _span(p: Plan) -> tuple[int, int]:
    """The columns of the first and the last year."""
    columns = p.columns(moving=True)
    return columns[0], columns[-1]


def _series_of(ws: Worksheet, rows: Sequence[int], names: str, first: int, last: int) -> list[Any]:
    """A series for each row, named by the cell in the column `names`."""
    found = []
    for row in rows:
        series = Series(Reference(ws, min_col=first, max_col=last, min_row=row), title=None)
        series.tx = SeriesLabel(strRef=StrRef(f"'{ws.title}'!${names}${row}"))
        series.cat = None
        found.append(series)
    return found


def _sized(size: int, *, bold: bool = False) -> RichText:
    """Text of one size."""
    look = ParagraphProperties(defRPr=CharacterProperties(sz=size, b=bold))
    return RichText(p=[Paragraph(pPr=look, endParaRPr=CharacterProperties(sz=size, b=bold))])


def _titled(chart: Chart, title: str, across: str, up: str) -> None:
    """Titles and sizes of a chart and its axes."""
    chart.title, chart.x_axis.title, chart.y_axis.title = title, across, up
    for named, size, bold in (
        (chart.title, TITLE_SIZE, True),
        (chart.x_axis.title, TEXT_SIZE, False),
        (chart.y_axis.title, TEXT_SIZE, False),
    ):
        for paragraph in named.tx.rich.p:
            paragraph.pPr = ParagraphProperties(defRPr=CharacterProperties(sz=size, b=bold))
    chart.x_axis.txPr = chart.y_axis.txPr = _sized(TEXT_SIZE)
    chart.x_axis.delete = chart.y_axis.delete = False
    grid = ChartLines()
    grid.spPr = GraphicalProperties(ln=LineProperties(solidFill="DDDDDD"))
    chart.y_axis.majorGridlines = grid
    chart.legend = Legend(legendPos="r")
    chart.legend.txPr = _sized(TEXT_SIZE)
    chart.width, chart.height = WIDTH, HEIGHT


def _dress(chart: Chart, ws: Worksheet, first: int, last: int, title: str, unit: str) -> Chart:
    """Title, axes with units, years along the bottom, legend, size and colours."""
    if chart.series:
        chart.set_categories(Reference(ws, min_col=first, max_col=last, min_row=HEADER_ROW))
    _titled(chart, title, f"year. Source: sheet {ws.title}", unit)
    chart.x_axis.number_format, chart.y_axis.number_format = (
        "0",
        "0%" if unit.startswith("share") else "#,##0",
    )
    if isinstance(chart, LineChart):
        _draw_lines(chart)
        return chart
    for i, series in enumerate(chart.series):
        series.graphicalProperties = GraphicalProperties(
            solidFill=PALETTE[i % len(PALETTE)], ln=LineProperties(solidFill="FFFFFF", w=3000)
        )
    return chart


def _draw_lines(chart: Chart) -> None:
    """Lines told apart by colour, dash and marker."""
    for i, series in enumerate(chart.series):
        colour = PALETTE[i % len(PALETTE)]
        series.graphicalProperties = GraphicalProperties(
            ln=LineProperties(
                solidFill=colour, w=22000, prstDash=("solid", "dash", "sysDot", "dashDot")[i % 4]
            )
        )
        series.marker.symbol = ("circle", "square", "triangle", "diamond", "x")[i % 5]
        series.marker.size = 5
        series.marker.graphicalProperties = GraphicalProperties(
            solidFill=colour, ln=LineProperties(solidFill=colour)
        )
        series.smooth = False


def year_bars(
    ws: Worksheet,
    rows: Sequence[int],
    names: str,
    first: int,
    last: int,
    title: str,
    unit: str,
    grouping: str = "stacked",
) -> Chart:
    """Bars over the years in the columns `first` to `last`, a series a row, named by the cell in the column `names`."""
    chart: Any = BarChart()
    chart.type, chart.grouping, chart.gapWidth = "col", grouping, 40
    chart.overlap = 0 if grouping == "clustered" else 100
    chart.series = _series_of(ws, rows, names, first, last)
    return _dress(chart, ws, first, last, title, unit)


def _bars(workbook: Workbook, p: Plan, name: str, title: str, unit: str, grouping: str = "stacked") -> Chart:
    axis = {"region": REGION, "subtype": SUBTYPE}.get(name.rpartition("_by_")[2], SEGMENT)
    block = p.blocks[name]
    return year_bars(
        workbook[block.sheet], list(block.keys), KEY_COLUMNS[axis], *_span(p), title, unit, grouping
    )


def _lines(workbook: Workbook, p: Plan, name: str, title: str, unit: str, region: str) -> Chart:
    chart: Any = LineChart()
    ws = workbook[p.blocks[name].sheet]
    rows = [row for row in p.blocks[name].keys if ws.cell(row, 2).value == region]
    chart.series = _series_of(ws, rows, KEY_COLUMNS[SEGMENT], *_span(p))
    return _dress(chart, ws, *_span(p), title, unit)


def _funnel(workbook: Workbook, p: Plan, title: str) -> Chart:
    """The patients at each step in the first and the last year."""
    steps = ("lm_cases", "suspected", "diagnosed", "treated")
    rows = [next(iter(p.blocks[f"{step}_by_world"].keys)) for step in steps]
    ws = workbook[p.blocks["lm_cases_by_world"].sheet]
    chart: Any = BarChart()
    chart.type, chart.gapWidth = "bar", 40
    for column in (p.columns(moving=True)[0], p.columns(moving=True)[-1]):
        series = Series(Reference(ws, min_col=column, min_row=rows[0], max_row=rows[-1]), title=None)
        series.tx = SeriesLabel(strRef=StrRef(f"'{ws.title}'!${chr(64 + column)}${HEADER_ROW}"))
        chart.series.append(series)
    chart.set_categories(Reference(ws, min_col=1, min_row=rows[0], max_row=rows[-1]))
    _titled(chart, title, f"step. Source: sheet {ws.title}", "patients")
    chart.y_axis.number_format = "#,##0"
    chart.x_axis.scaling.orientation = "maxMin"
    chart.dataLabels = DataLabelList(showVal=True, showSerName=False, showCatName=False, showLegendKey=False)
    for i, series in enumerate(chart.series):
        series.graphicalProperties = GraphicalProperties(solidFill=PALETTE[i])
    return chart


def waterfall(ws: Worksheet, top: int, bottom: int, names: int, first: int, title: str, unit: str) -> Chart:
    """A bridge from rows of names, and of three columns from `first`: what a bar stands on, its rise, its fall."""
    chart: Any = BarChart()
    chart.type, chart.grouping, chart.gapWidth, chart.overlap = "col", "stacked", 30, 100
    for column in range(first, first + 3):
        chart.series.append(_column(ws, top, bottom, column))
    chart.set_categories(Reference(ws, min_col=names, min_row=top, max_row=bottom))
    _titled(chart, title, f"driver. Source: sheet {ws.title}", unit)
    chart.y_axis.number_format, chart.legend = "#,##0", None
    stand, rise, fall = chart.series
    stand.graphicalProperties = GraphicalProperties(noFill=True, ln=LineProperties(noFill=True))
    rise.graphicalProperties = GraphicalProperties(solidFill=PALETTE[0])
    fall.graphicalProperties = GraphicalProperties(solidFill=PALETTE[6])
    chart.width, chart.height = 2 * WIDTH, 1.4 * HEIGHT
    return chart


def swing_bars(
    ws: Worksheet, top: int, bottom: int, names: int, columns: Sequence[int], title: str, unit: str
) -> Chart:
    """Bars lying on their side from rows of names and some columns, the first row on top: a tornado, or shares."""
    chart: Any = BarChart()
    chart.type, chart.grouping, chart.gapWidth, chart.overlap = "bar", "clustered", 25, 100
    for i, column in enumerate(columns):
        series = _column(ws, top, bottom, column)
        series.graphicalProperties = GraphicalProperties(solidFill=PALETTE[(6, 0)[i]])
        series.invertIfNegative = False
        chart.series.append(series)
    chart.set_categories(Reference(ws, min_col=names, min_row=top, max_row=bottom))
    _titled(chart, title, f"input. Source: sheet {ws.title}", unit)
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.tickLblPos = "low"
    chart.y_axis.number_format = "0%" if unit.startswith("share") else "#,##0"
    chart.legend = chart.legend if len(columns) > 1 else None
    chart.width, chart.height = 2 * WIDTH, 2 * HEIGHT
    return chart


def point_lines(
    ws: Worksheet,
    top: int,
    bottom: int,
    points: int,
    columns: Sequence[int],
    title: str,
    unit: str,
    across: str,
) -> Chart:
    """Lines over rows: a series for each column, the points named in one."""
    chart: Any = LineChart()
    chart.series = [_column(ws, top, bottom, column) for column in columns]
    chart.set_categories(Reference(ws, min_col=points, min_row=top, max_row=bottom))
    _titled(chart, title, f"{across}. Source: sheet {ws.title}", unit)
    chart.y_axis.number_format = chart.x_axis.number_format = "#,##0"
    _draw_lines(chart)
    chart.width, chart.height = 2 * WIDTH, 1.2 * HEIGHT
    return chart


def fan(ws: Worksheet, top: int, first: int, last: int, title: str, unit: str) -> Chart:
    """A fan from six rows: P10, the widths to P50 and to P90, and then the lines P50, mean and deterministic."""
    area: Any = AreaChart()
    area.grouping = "stacked"
    area.series = _series_of(ws, range(top, top + 3), "F", first, last)
    area.set_categories(Reference(ws, min_col=first, max_col=last, min_row=top - 1))
    under, *bands = area.series
    under.graphicalProperties = GraphicalProperties(noFill=True, ln=LineProperties(noFill=True))
    for series in bands:
        series.graphicalProperties = GraphicalProperties(
            solidFill=PALETTE[5], ln=LineProperties(solidFill="FFFFFF", w=3000)
        )
    lines: Any = LineChart()
    lines.series = _series_of(ws, range(top + 3, top + 6), "F", first, last)
    lines.set_categories(Reference(ws, min_col=first, max_col=last, min_row=top - 1))
    _draw_lines(lines)
    _titled(area, title, f"year. Source: sheet {ws.title}", unit)
    area.y_axis.number_format = "#,##0"
    area += lines
    return area


def _column(ws: Worksheet, top: int, bottom: int, column: int) -> Any:
    """A series of one column, named by its header."""
    series = Series(Reference(ws, min_col=column, min_row=top, max_row=bottom), title=None)
    series.tx = SeriesLabel(strRef=StrRef(f"'{ws.title}'!${column_letters(column)}${top - 1}"))
    return series
