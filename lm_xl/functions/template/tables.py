"""The sheets of tables: patients and revenue by region, by segment and by cancer, one function a block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.functions.template.state import StoredValues, Template
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, Axis
from lm_xl.workbook.pages.pen import band, columns, columns_of_years, page, start
from lm_xl.workbook.pages.styles import number_format
from lm_xl.workbook.plan.layout import CONSTANT, FIRST_ROW, HEADER_ROW, KEY_COLUMNS
from lm_xl.workbook.plan.report import CANCERS, REGIONS, SEGMENTS, shown_groups
from lm_xl.workbook.words.prose import text

TABLE_SHEETS = {REGION: REGIONS, SEGMENT: SEGMENTS, SUBTYPE: CANCERS}
"""The sheet of each axis."""
QUANTITY_COLUMN, UNIT_COLUMN, GROWTH_COLUMN = 1, 5, 6


@dataclass(frozen=True)
class TableMeasure:
    """What a table shows: its name, its unit, its title, and the formula of a block by the axis of its labels."""

    name: str
    unit: str
    title: str
    formulas: Mapping[int, str]


PATIENTS = TableMeasure(
    "patients",
    "patients",
    "Patients at the chosen stage",
    {
        REGION: "=LM_PATIENTS({labels},{years},Model,Stage,Subtype)",
        SUBTYPE: "=LM_PATIENTS(Region,{years},Model,Stage,{labels})",
    },
)
REVENUE = TableMeasure(
    "revenue",
    "USD million",
    "Revenue in the chosen basis, USD million",
    {
        REGION: "=LM_REVENUE(Segment,{years},Model,{labels},Subtype,Basis)/1000/1000",
        SEGMENT: "=LM_REVENUE({labels},{years},Model,Region,Subtype,Basis)/1000/1000",
        SUBTYPE: "=LM_REVENUE(Segment,{years},Model,Region,{labels},Basis)/1000/1000",
    },
)
REVENUE_SHARE = TableMeasure(
    "revenue share",
    "share",
    "Share of all revenue, all regions and cancers",
    # a share of no revenue at all is no error of the table's
    {SEGMENT: '=IFERROR(LM_SHARE(Basis,{labels},{years},Model),"n/a")'},
)
MEASURES = (PATIENTS, REVENUE, REVENUE_SHARE)
"""In the order of their tables on a sheet, which has those that vary by its axis."""


def first_line(measure: TableMeasure, dim: int, axis: Axis) -> int:
    """The row of the first label of a table: the leaves stand there, then the groups, the total last."""
    before = [m for m in MEASURES if dim in m.formulas].index(measure)
    # A table has a title above its lines, and a blank row parts it from the next.
    height = 1 + len(axis) + len(shown_groups(axis)) + 1
    return FIRST_ROW + before * height + 1


def table_sheet(ws: Worksheet, t: Template, dim: int) -> None:
    """Every measure by the labels of one axis."""
    pen, years = t.pen, t.axes.years
    about = "One function a block: the labels down, the years across, the model from the sheet Model, the choices from the Dashboard."
    start(ws, "outputs", about, text("template", "Tables"))
    labels = (("quantity", 24), ("region", 21), ("segment", 33), ("subtype", 23), ("unit", 24))
    numbers = ((f"CAGR {years[0]}-{years[-1]}", 11), ("value", 9))
    named = [
        *((name, width, "lm header") for name, width in labels),
        *((name, width, "lm year") for name, width in numbers),
    ]
    columns(ws, pen, named, lines=2)
    columns_of_years(ws, pen, years, CONSTANT + 1)
    for measure in MEASURES:
        if dim in measure.formulas:
            _table(ws, t, dim, measure)
    page(ws, HEADER_ROW, freeze=t.year_columns[0], labels=4)


def _table(ws: Worksheet, t: Template, dim: int, measure: TableMeasure) -> None:
    """A title, then a block of lines for the leaves and one for the groups."""
    axis = t.axes.axis(dim)
    row = first_line(measure, dim, axis)
    band(ws, t.pen, row - 1, measure.title, CONSTANT + len(t.axes.years))
    row = _block(ws, t, dim, measure, axis.leaves, row, "lm calculation")
    _block(ws, t, dim, measure, shown_groups(axis), row, "lm total")


def _block(
    ws: Worksheet, t: Template, dim: int, measure: TableMeasure, labels: Sequence[str], row: int, style: str
) -> int:
    """Lines of labels, whose numbers are one array formula. Returns the row after them."""
    stored = [_line(ws, t, dim, measure, label, i, style) for i, label in enumerate(labels, row)]
    (first, last), key, end = t.year_columns, KEY_COLUMNS[dim], row + len(labels) - 1
    formula = measure.formulas[dim].format(labels=f"${key}{row}:${key}{end}", years=t.year_cells)
    ws[f"{first}{row}"] = ArrayFormula(f"{first}{row}:{last}{end}", t.formula(t.or_stored(formula, stored)))
    return end + 1


def _line(
    ws: Worksheet, t: Template, dim: int, measure: TableMeasure, label: str, row: int, style: str
) -> StoredValues:
    """The labels of a line, its growth, and cells for its numbers. Returns what Python has for them."""
    pen, (first, last) = t.pen, t.year_columns
    look = "lm label" if style == "lm calculation" else style
    for column in range(1, CONSTANT + 1):
        pen.write(ws, row, column, None, look)
    words = ((QUANTITY_COLUMN, measure.name), (dim + 1, label), (UNIT_COLUMN, measure.unit))
    for column, said in words:
        pen.text(ws, row, column, said, look)
    span = f"${last}${HEADER_ROW}-${first}${HEADER_ROW}"
    growth = f'=IF(N({first}{row})=0,"n/a",({last}{row}/{first}{row})^(1/({span}))-1)'
    pen.write(ws, row, GROWTH_COLUMN, growth, style, number_format("per year"))
    for column in range(CONSTANT + 1, CONSTANT + len(t.axes.years) + 1):
        pen.write(ws, row, column, None, style, number_format(measure.unit))
    what, values = f"{measure.name}: {label}", _values(t, dim, measure, label)
    return StoredValues(ws.title, f"{first}{row}", what, measure.unit, values)


def _values(t: Template, dim: int, measure: TableMeasure, label: str) -> list[float | str]:
    """Python's values of a line, for the choices with which the template is delivered."""
    results, of = t.model.results, {t.axes.axis(dim).name: label}
    if measure is PATIENTS:
        return [float(x) for x in results.series("diagnosed", **of)]
    headline = {"segment": results.axes.headline}
    revenue = results.series("risk_adjusted_sales", **{**headline, **of})
    if measure is REVENUE_SHARE:
        shares = results.share(revenue, results.series("risk_adjusted_sales", **headline))
        return ["n/a" if x != x else float(x) for x in shares]
    return [float(x) for x in revenue / 1e6]
