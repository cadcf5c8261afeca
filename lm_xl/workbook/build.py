"""Assumptions -> the live workbook: assumption sheets, traced calculations, summary tables, stored values."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.workbook.properties import CalcProperties
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions import Assumptions
from lm_xl.axes import PRIMARY, REGION, SEGMENT, Axes
from lm_xl.faults import Fault, Refused
from lm_xl.model import forecast
from lm_xl.version import __version__
from lm_xl.workbook.inputs import FIRST_ROW, HEADER_ROW, Records, heading, page, records_of, table, write_inputs
from lm_xl.workbook.layout import CONSTANT, FIGURES_ROW, LONG, SELECTED, Line, Plan, Sheet, plan
from lm_xl.workbook.report import REGION_SEGMENT, TABLES
from lm_xl.workbook.stored import store_values
from lm_xl.workbook.styles import TAB, add_styles, number_format

OUTPUT_SHEETS = {
    TABLES[REGION]: "Patients and revenue by region. Group lines are sums of the lines above them; a region may stand in several groups.",
    TABLES[SEGMENT]: "Patients on therapy and revenue by therapy and test.",
    TABLES[PRIMARY]: "Patients and revenue by cancer subtype.",
    REGION_SEGMENT: "Revenue of each segment in each region: where the summary tables add up from.",
}
CALCULATIONS = "One formula a line, the same in every year. A line refers to Inputs and to the stages before it."

Progress = Callable[[str], None]


def build(assumptions: Assumptions, output: str | Path, *, force: bool = False, progress: Progress = lambda _: None) -> Plan:
    """Write the live workbook of some assumptions to `output`, all or nothing.

    Every formula is recalculated by an independent engine, which also fills the stored values, and is compared with Python.
    Raises Refused where the file exists and `force` is not given or cannot be written, IdentityError where the forecast
    breaks an identity, Disagreement where the engine and Python differ.
    """
    from lm_xl.verification import agreed_values

    path = Path(output)
    with replacing(path, force=force) as draft:
        progress("forecast")
        forecast(assumptions, assumptions.axes.scenarios)
        progress("formulas")
        records, written = records_of(assumptions)
        traced = plan(assumptions, written.cells, written.delta_rows)
        progress("writing")
        _workbook(assumptions, records, traced).save(draft)
        progress("recalculating")
        store_values(draft, agreed_values(draft, traced))
    return traced


def new(path: str | Path, axes: Axes, records: Records, *, force: bool = False) -> None:
    """Write an assumptions workbook of these records: the form with its lists, validations and comments."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    add_styles(workbook)
    write_inputs(workbook, records, axes.years, axes)
    with replacing(Path(path), force=force) as draft:
        workbook.save(draft)


@contextmanager
def replacing(path: Path, *, force: bool) -> Iterator[Path]:
    """A draft beside a file, which takes its place only when all went well. Raises Refused where it may not."""
    if path.exists() and not force:
        raise Refused([Fault(path.name, "", "", "exists already: give --force to replace it, or another name with -o")])
    if not path.parent.is_dir() or path.is_dir():
        raise Refused(
            [Fault(path.name, "", "", f"cannot be written: {'it is a folder' if path.is_dir() else f'there is no folder {path.parent}'}")]
        )
    try:
        handle, name = tempfile.mkstemp(suffix=path.suffix or ".xlsx", prefix=".lm_xl-", dir=path.parent)
    except OSError as error:
        raise Refused([Fault(path.name, "", "", f"cannot be written: {error.strerror}")]) from None
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(0o666 & ~mask)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _workbook(a: Assumptions, records: Records, traced: Plan) -> Workbook:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    add_styles(workbook)
    workbook.calculation = CalcProperties(fullCalcOnLoad=True)
    workbook.properties.title = "Leptomeningeal metastases market model"
    workbook.properties.creator = f"lm_xl {__version__}"
    pen = _Pen()
    _cover(workbook.create_sheet(SELECTED[0]), a, traced, pen)
    for title, text in OUTPUT_SHEETS.items():
        _sheet(workbook.create_sheet(title), traced.sheets[title], a.axes.years, "outputs", text, pen)
    _long(workbook.create_sheet(LONG), traced.sheets[LONG], pen)
    write_inputs(workbook, records, a.axes.years, a.axes)
    for title, sheet in traced.sheets.items():
        if title not in workbook.sheetnames:
            _sheet(workbook.create_sheet(title), sheet, a.axes.years, "calculations", CALCULATIONS, pen)
    return workbook


class _Pen:
    """Writes styled cells quickly: the style of each name and format is looked up once."""

    def __init__(self) -> None:
        self.styles: dict[tuple[str, str], Any] = {}

    def write(self, ws: Worksheet, row: int, column: int, value: str | int | None, style: str, form: str = "") -> None:
        cell = ws.cell(row, column, value)
        key = (style, form)
        if key not in self.styles:
            cell.style = style
            if form:
                cell.number_format = form
            self.styles[key] = cell._style  # type: ignore[attr-defined]
        else:
            cell._style = self.styles[key]  # type: ignore[attr-defined]

    def text(self, ws: Worksheet, row: int, column: int, value: str, style: str) -> None:
        self.write(ws, row, column, None, style)
        cell = ws.cell(row, column)
        cell.value = value
        cell.data_type = "s"


def _sheet(ws: Worksheet, sheet: Sheet, years: Sequence[int], kind: str, text: str, pen: _Pen) -> None:
    report = kind == "outputs"
    ws.sheet_properties.tabColor = TAB[kind]
    heading(ws, sheet.title, text)
    span = f"{years[0]}-{years[-1]}"
    columns = [
        "quantity",
        "region",
        "segment",
        "primary",
        "unit",
        f"CAGR {span}" if report else "from",
        f"share {years[-1]}" if report else "constant",
    ]
    for i, name in enumerate(columns, 1):
        pen.write(ws, HEADER_ROW, i, name, "lm header" if i < 6 or (i == 6 and not report) else "lm year")
    for i, year in enumerate(years):
        pen.write(ws, HEADER_ROW, CONSTANT + 1 + i, year, "lm year", "0")
    for i, width in enumerate((26, 20, 32, 23, 15, 16 if not report else 11, 12), 1):
        ws.column_dimensions[get_column_letter(i)].width = width
    for i in range(len(years)):
        ws.column_dimensions[get_column_letter(CONSTANT + 1 + i)].width = 13
    for row, title in sheet.headings:
        pen.text(ws, row, 1, title, "lm band")
        for column in range(2, CONSTANT + len(years) + 1):
            pen.write(ws, row, column, None, "lm band")
    for line in sheet.lines:
        if any(line.keys) or not report:
            style = "lm label" if line.style == "lm calculation" else line.style
            for column, label in enumerate((line.quantity, *line.keys, line.unit, line.origin), 1):
                if label:
                    pen.text(ws, line.row, column, label, style)
        form = number_format(line.unit, line.quantity)
        for column, formula in line.formulas():
            pen.write(ws, line.row, column, f"={formula}", line.style, form)
    ws.freeze_panes = f"{get_column_letter(CONSTANT + 1)}{FIRST_ROW}"
    page(ws, HEADER_ROW)


def _long(ws: Worksheet, sheet: Sheet, pen: _Pen) -> None:
    ws.sheet_properties.tabColor = TAB["data"]
    heading(ws, sheet.title, "One fact a line, no totals: the funnel by region and subtype, revenue by region and segment.")
    names = ("metric", "region", "segment", "primary", "year", "unit", "value")
    for i, (name, width) in enumerate(zip(names, (24, 20, 32, 23, 8, 13, 15), strict=True), 1):
        pen.write(ws, HEADER_ROW, i, name, "lm header" if name != "value" else "lm year")
        ws.column_dimensions[get_column_letter(i)].width = width
    for line in sheet.lines:
        for column, label in enumerate((line.quantity, *line.keys), 1):
            pen.text(ws, line.row, column, label, "lm label")
        pen.write(ws, line.row, 5, int(line.origin), "lm label", "0")
        pen.text(ws, line.row, 6, line.unit, "lm label")
        ((column, formula),) = line.formulas()
        pen.write(ws, line.row, column, f"={formula}", "lm calculation", number_format(line.unit))
    table(ws, LONG, HEADER_ROW, max(FIRST_ROW, sheet.row - 1), len(names))
    ws.freeze_panes = f"A{FIRST_ROW}"
    page(ws, HEADER_ROW)


def _cover(ws: Worksheet, a: Assumptions, traced: Plan, pen: _Pen) -> None:
    ws.sheet_properties.tabColor = TAB["control"]
    heading(
        ws,
        "Leptomeningeal metastases: market model",
        f"Forecast {a.axes.years[0]}-{a.axes.years[-1]}, nominal USD. Change a cream cell or the scenario: every number follows.",
    )
    ws.column_dimensions["A"].width, ws.column_dimensions["B"].width, ws.column_dimensions["C"].width = 3, 52, 40
    row = int(SELECTED[1][1:])
    pen.write(ws, row, 2, "Scenario (choose from the list)", "lm label")
    pen.text(ws, row, 3, a.axes.scenarios[0], "lm input")
    rule = DataValidation(type="list", formula1=_scenario_list(a), allow_blank=False, showErrorMessage=True)
    rule.errorTitle, rule.error = "Not a scenario", "Choose one of the scenarios of the Axes sheet."
    rule.add(SELECTED[1])
    ws.add_data_validation(rule)
    for line in traced.sheets[SELECTED[0]].lines:
        _figure(ws, line, pen)
    facts = (
        ("Assumptions", a.path.name),
        ("Fingerprint of the assumptions", a.fingerprint),
        ("Engine", f"lm_xl {__version__}"),
        ("Formulas", f"{traced.formulas:,}"),
        ("Regions, segments, subtypes, years", " x ".join(str(n) for n in a.axes.shape)),
    )
    for i, (name, value) in enumerate(facts, FIGURES_ROW + 5):
        pen.text(ws, i, 2, name, "lm label")
        pen.text(ws, i, 3, value, "lm label")
    page(ws, 1)


def _figure(ws: Worksheet, line: Line, pen: _Pen) -> None:
    ((column, formula),) = line.formulas()
    pen.text(ws, line.row, 2, line.quantity, "lm label")
    pen.write(ws, line.row, column, f"={formula}", line.style, number_format(line.unit))
    ws.row_dimensions[line.row].height = 26


def _scenario_list(a: Assumptions) -> str:
    rows = [FIRST_ROW + len(a.axes.region) + len(a.axes.segment) + len(a.axes.primary) + i for i in (0, len(a.axes.scenarios) - 1)]
    return f"Axes!$B${rows[0]}:$B${rows[1]}"


__all__ = ["build", "new", "replacing"]
