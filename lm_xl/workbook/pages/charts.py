"""Kinds of native, editable charts over cells: bars over years, a waterfall, a tornado, lines over points, a fan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpyxl.chart import AreaChart, BarChart, LineChart, Reference, Series
from openpyxl.chart.axis import ChartLines
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.legend import Legend, LegendEntry
from openpyxl.chart.series import SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.styles import (
    BLUE,
    CHART_HEIGHT,
    CHART_TEXT,
    CHART_TITLE,
    CHART_WIDTH,
    DASHES,
    EDGE_WEIGHT,
    GRID,
    LEGEND_TEXT,
    LINE_WEIGHT,
    MARKER_SIZE,
    MARKERS,
    PALETTE,
    SKY,
    VERMILION,
    WHITE,
    axis_format,
    number_format,
)
from lm_xl.workbook.plan.layout import HEADER_ROW
from lm_xl.xlsx.addresses import column_letters

NativeChart = Any
"""A chart of openpyxl, whose types leave out what its constructor makes."""
STATISTIC = "F"
"""The column that names the lines of a fan."""


def add_chart(ws: Worksheet, chart: NativeChart, place: str) -> None:
    """Put a chart on a sheet, its upper left corner in a cell."""
    sheet: Any = ws
    sheet.add_chart(chart, place)


def year_bars(
    ws: Worksheet,
    rows: Sequence[int],
    names: str,
    first: int,
    last: int,
    title: str,
    unit: str,
    grouping: str = "stacked",
) -> NativeChart:
    """Bars over the years in the columns `first` to `last`, a series a row, named by the cell in the column `names`."""
    chart: NativeChart = BarChart()
    chart.type, chart.grouping, chart.gapWidth = "col", grouping, 40
    chart.overlap = 0 if grouping == "clustered" else 100
    chart.series = _rows(ws, rows, names, first, last)
    _over_years(chart, ws, first, last, title, unit)
    for i, series in enumerate(chart.series):
        series.graphicalProperties = _area(PALETTE[i % len(PALETTE)], edged=True)
    return chart


def add_total(
    chart: NativeChart, ws: Worksheet, row: int, names: str, first: int, last: int, unit: str
) -> None:
    """Write the sum over each of a chart's stacked bars: the labels of a line that is not seen, and not in the legend."""
    line: NativeChart = LineChart()
    line.series = _rows(ws, [row], names, first, last)
    (series,) = line.series
    series.graphicalProperties, series.marker.symbol = _unseen(), "none"
    series.dLbls = values_shown("t", unit)
    line.set_categories(Reference(ws, min_col=first, max_col=last, min_row=HEADER_ROW))
    chart.legend.legendEntry = [LegendEntry(idx=len(chart.series), delete=True)]
    chart += line


def values_shown(place: str, unit: str) -> DataLabelList:
    """The values beside what is drawn, without other words."""
    return DataLabelList(
        dLblPos=place, numFmt=axis_format(unit), txPr=_sized(LEGEND_TEXT),
        showVal=True, showSerName=False, showCatName=False, showLegendKey=False, showPercent=False,
    )  # fmt: skip


def columns_of(ws: Worksheet, rows: Sequence[int], names: str, first: int, last: int) -> NativeChart:
    """Two or more columns side by side, each the whole of its parts: a series a row, named by the cell in the column `names`."""
    chart: NativeChart = BarChart()
    chart.type, chart.grouping, chart.gapWidth, chart.overlap = "col", "percentStacked", 60, 100
    chart.series = _rows(ws, rows, names, first, last)
    chart.set_categories(Reference(ws, min_col=first, max_col=last, min_row=HEADER_ROW))
    _titles(chart, "", f"Source: sheet {ws.title}", "share")
    chart.y_axis.number_format = axis_format("share")
    for i, series in enumerate(chart.series):
        series.graphicalProperties = _area(PALETTE[i % len(PALETTE)], edged=True)
    return chart


def bars_of(ws: Worksheet, top: int, bottom: int, names: int, column: int) -> NativeChart:
    """Bars lying on their side over rows of names, the first on top; what is below nothing is drawn to the left."""
    return tornado_bars(ws, top, bottom, names, (column,), "", "million")


def funnel(
    ws: Worksheet, top: int, bottom: int, names: int, columns: Sequence[int], title: str, unit: str
) -> NativeChart:
    """Bars lying on their side over rows of steps, the first step on top: a series for each year, named by its header."""
    chart: NativeChart = BarChart()
    chart.type, chart.gapWidth = "bar", 40
    for i, column in enumerate(columns):
        series = _column(ws, top, bottom, column, HEADER_ROW)
        series.graphicalProperties = _area(PALETTE[i])
        chart.series.append(series)
    chart.set_categories(Reference(ws, min_col=names, min_row=top, max_row=bottom))
    _titles(chart, title, f"step. Source: sheet {ws.title}", unit)
    chart.y_axis.number_format = axis_format(unit)
    chart.x_axis.scaling.orientation = "maxMin"
    chart.dataLabels = values_shown("outEnd", unit)
    return chart


def waterfall(
    ws: Worksheet, top: int, bottom: int, names: int, first: int, title: str, unit: str
) -> NativeChart:
    """A bridge from rows of names, and of three columns from `first`: what a bar stands on, its rise, its fall."""
    chart: NativeChart = BarChart()
    chart.type, chart.grouping, chart.gapWidth, chart.overlap = "col", "stacked", 30, 100
    # What a bar stands on is drawn too, but unseen, so that the rise or fall begins at its level.
    for column, look in zip(range(first, first + 3), (_unseen(), _area(BLUE), _area(VERMILION)), strict=True):
        series = _column(ws, top, bottom, column)
        series.graphicalProperties = look
        chart.series.append(series)
    chart.set_categories(Reference(ws, min_col=names, min_row=top, max_row=bottom))
    _titles(chart, title, f"driver. Source: sheet {ws.title}", unit)
    chart.y_axis.number_format, chart.legend = axis_format(unit), None
    chart.width, chart.height = 2 * CHART_WIDTH, 1.4 * CHART_HEIGHT
    return chart


def tornado_bars(
    ws: Worksheet,
    top: int,
    bottom: int,
    names: int,
    columns: Sequence[int],
    title: str,
    unit: str,
    across: str = "input",
) -> NativeChart:
    """Bars lying on their side from rows of names and one or two columns, the first row on top: a tornado, shares, ratios."""
    chart: NativeChart = BarChart()
    chart.type, chart.grouping, chart.gapWidth, chart.overlap = "bar", "clustered", 25, 100
    for column, colour in zip(columns, (VERMILION, BLUE), strict=False):
        series = _column(ws, top, bottom, column)
        series.graphicalProperties = _area(colour)
        series.invertIfNegative = False
        chart.series.append(series)
    chart.set_categories(Reference(ws, min_col=names, min_row=top, max_row=bottom))
    _titles(chart, title, f"{across}. Source: sheet {ws.title}", unit)
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.tickLblPos, chart.x_axis.tickLblSkip = "low", 1  # every name
    chart.y_axis.number_format = axis_format(unit)
    chart.legend = chart.legend if len(columns) > 1 else None
    chart.width, chart.height = 2 * CHART_WIDTH, 2 * CHART_HEIGHT
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
) -> NativeChart:
    """Lines over rows: a series for each column, the points named in one."""
    chart: NativeChart = LineChart()
    chart.series = [_column(ws, top, bottom, column) for column in columns]
    chart.set_categories(Reference(ws, min_col=points, min_row=top, max_row=bottom))
    _titles(chart, title, f"{across}. Source: sheet {ws.title}", unit)
    chart.y_axis.number_format = chart.x_axis.number_format = axis_format(unit)
    _draw_lines(chart)
    chart.width, chart.height = 2 * CHART_WIDTH, 1.2 * CHART_HEIGHT
    return chart


def fan(ws: Worksheet, top: int, first: int, last: int, title: str, unit: str) -> NativeChart:
    """A fan from six rows: P10, the widths to P50 and to P90, and then the lines P50, mean and deterministic."""
    years = Reference(ws, min_col=first, max_col=last, min_row=top - 1)
    area: NativeChart = AreaChart()
    area.grouping = "stacked"
    area.series = _rows(ws, range(top, top + 3), STATISTIC, first, last)
    area.set_categories(years)
    under, *bands = area.series
    # The area up to P10 is unseen: the bands are stacked on it.
    under.graphicalProperties = _unseen()
    for series in bands:
        series.graphicalProperties = _area(SKY, edged=True)
    lines: NativeChart = LineChart()
    lines.series = _rows(ws, range(top + 3, top + 6), STATISTIC, first, last)
    lines.set_categories(years)
    _draw_lines(lines)
    _titles(area, title, f"year. Source: sheet {ws.title}", unit)
    area.y_axis.number_format = axis_format(unit)
    area += lines
    return area


# Series


def _rows(ws: Worksheet, rows: Sequence[int], names: str, first: int, last: int) -> list[Any]:
    """A series for each row, named by the cell in the column `names`."""
    found = []
    for row in rows:
        values = Reference(ws, min_col=first, max_col=last, min_row=row)
        series = _named(values, f"'{ws.title}'!${names}${row}")
        series.cat = None
        found.append(series)
    return found


def _column(ws: Worksheet, top: int, bottom: int, column: int, header: int = 0) -> Any:
    """A series of one column, named by the cell in the header's row, which is the one above unless given."""
    values = Reference(ws, min_col=column, min_row=top, max_row=bottom)
    return _named(values, f"'{ws.title}'!${column_letters(column)}${header or top - 1}")


def _named(values: Reference, name: str) -> Any:
    """A series named by a cell."""
    series = Series(values, title=None)
    series.tx = SeriesLabel(strRef=StrRef(name))
    return series


# Looks


def _over_years(chart: NativeChart, ws: Worksheet, first: int, last: int, title: str, unit: str) -> None:
    """Titles, and the sheet's years along the bottom."""
    if chart.series:
        chart.set_categories(Reference(ws, min_col=first, max_col=last, min_row=HEADER_ROW))
    _titles(chart, title, f"year. Source: sheet {ws.title}", unit)
    chart.x_axis.number_format, chart.y_axis.number_format = number_format("year"), axis_format(unit)


def _titles(chart: NativeChart, title: str, across: str, up: str) -> None:
    """Titles, grid, legend and size of a chart."""
    chart.title, chart.x_axis.title, chart.y_axis.title = title, across, up
    for named, size, bold in (
        (chart.title, CHART_TITLE, True),
        (chart.x_axis.title, CHART_TEXT, False),
        (chart.y_axis.title, CHART_TEXT, False),
    ):
        named.overlay = False
        for paragraph in named.tx.rich.p:
            paragraph.pPr = ParagraphProperties(defRPr=CharacterProperties(sz=size, b=bold))
    chart.x_axis.txPr = chart.y_axis.txPr = _sized()
    chart.x_axis.delete = chart.y_axis.delete = False
    grid = ChartLines()
    grid.spPr = GraphicalProperties(ln=LineProperties(solidFill=GRID))
    chart.y_axis.majorGridlines = grid
    chart.legend = Legend(legendPos="r")
    chart.legend.txPr, chart.legend.overlay = _sized(LEGEND_TEXT), False
    chart.roundedCorners = False
    chart.width, chart.height = CHART_WIDTH, CHART_HEIGHT


def titled_by(cell: str) -> Title:
    """A title that repeats a cell, so that it says what is chosen even where the chart was pasted."""
    return Title(tx=Text(strRef=StrRef(cell)), overlay=False, txPr=_sized(CHART_TITLE, bold=True))


def _sized(size: int = CHART_TEXT, *, bold: bool = False) -> RichText:
    """Text of a size."""
    look = ParagraphProperties(defRPr=CharacterProperties(sz=size, b=bold))
    return RichText(p=[Paragraph(pPr=look, endParaRPr=CharacterProperties(sz=size, b=bold))])


def _area(colour: str, *, edged: bool = False) -> GraphicalProperties:
    """An area of one colour, with a thin white edge where it touches others."""
    edge = LineProperties(solidFill=WHITE, w=EDGE_WEIGHT) if edged else None
    return GraphicalProperties(solidFill=colour, ln=edge)


def _unseen() -> GraphicalProperties:
    return GraphicalProperties(noFill=True, ln=LineProperties(noFill=True))


def _draw_lines(chart: NativeChart) -> None:
    """Lines told apart by colour, dash and marker."""
    for i, series in enumerate(chart.series):
        colour = PALETTE[i % len(PALETTE)]
        dash: Any = DASHES[i % len(DASHES)]
        line = LineProperties(solidFill=colour, w=LINE_WEIGHT, prstDash=dash)
        series.graphicalProperties = GraphicalProperties(ln=line)
        series.marker.symbol, series.marker.size = MARKERS[i % len(MARKERS)], MARKER_SIZE
        series.marker.graphicalProperties = GraphicalProperties(
            solidFill=colour, ln=LineProperties(solidFill=colour)
        )
        series.smooth = False
