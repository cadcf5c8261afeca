"""Assumptions -> the template: a workbook whose numbers come from the Excel functions, for Excel on Windows or for xlwings Lite."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.properties import CalcProperties

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.files import must_end, not_over, replacing
from lm_xl.functions.headless import recalculate
from lm_xl.functions.lite import add_code
from lm_xl.functions.models import STORE, Model
from lm_xl.functions.template.checks import checks
from lm_xl.functions.template.control import CHOICES, CONTROL, MODEL_ROW, VALUE_LETTER, control
from lm_xl.functions.template.examples import FUNCTION_SHEET, examples
from lm_xl.functions.template.state import Host, Template
from lm_xl.functions.template.stored_values import STORED, stored_values
from lm_xl.functions.template.tables import TABLE_SHEETS, table_sheet
from lm_xl.functions.template.words import HOW, configuration, how_to
from lm_xl.functions.vba import CONF, add_macros
from lm_xl.version import __version__
from lm_xl.workbook.pages.inputs import write_inputs
from lm_xl.workbook.pages.styles import styled_workbook
from lm_xl.workbook.plan.checks import CHECKS
from lm_xl.workbook.plan.records import records_of
from lm_xl.xlsx.drawings import described_drawings
from lm_xl.xlsx.package import opened, repacked

EXCEL_CALCULATION = 191029
"""The calculation engine of Excel 2019 and later: with an older number Excel recalculates on opening, even with no functions there."""
MADE = rb"\g<1>2025-01-01T00:00:00Z"
"""The time of making that every template states."""


def template(
    assumptions: Assumptions,
    output: str | Path,
    *,
    host: Host = "windows",
    force: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> None:
    """Write the function-backed workbook of some assumptions for a host, all or nothing, with every stored value.

    The values are those of the functions evaluated headlessly. Raises WrongUsage where the file's name does not end as the host needs;
    Refused where it exists and `force` is not given, or is the one that the assumptions were read from; ArithmeticError where a
    function shows an error.
    """
    must_end(Path(output), ".xlsm" if host == "windows" else ".xlsx")
    not_over(assumptions.path, Path(output))
    model = Model(assumptions, assumptions.axes.scenarios[0])
    STORE.put(model)
    finish = add_macros if host == "windows" else add_code
    with replacing(Path(output), force=force) as draft, tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "template.xlsx"
        progress("writing")
        _workbook(Template(assumptions, host, model)).save(plain)
        progress("recalculating")
        errors = recalculate(plain).errors
        if errors:
            shown = ", ".join(f"{cell} shows {error}" for cell, error in errors.items())
            raise ArithmeticError(f"the functions and Python disagree on what can be computed: {shown}")
        _finish(plain)
        finish(plain, draft)


def _workbook(t: Template) -> Workbook:
    """Every sheet in its order. The sheet Model, though the first, is written after what its figures and charts refer to."""
    workbook = styled_workbook()
    workbook.calculation = CalcProperties(calcId=EXCEL_CALCULATION, fullCalcOnLoad=False)
    workbook.properties.title = "Leptomeningeal metastases market model, by functions"
    workbook.properties.creator = f"lm_xl {__version__}"
    add = workbook.create_sheet
    add(CONTROL)
    add(HOW)
    for dim, title in TABLE_SHEETS.items():
        table_sheet(add(title), t, dim)
    examples(add(FUNCTION_SHEET), t)
    add(CHECKS)
    records, _ = records_of(t.assumptions)
    write_inputs(workbook, records, t.axes, t.pen)
    control(workbook, t, records)
    how_to(workbook[HOW], t)
    stored_values(add(STORED), t)
    checks(workbook[CHECKS], t)
    if t.host == "windows":
        configuration(add(CONF), t)
    for name, row in (("Model", MODEL_ROW), *CHOICES.items()):
        workbook.defined_names[name] = DefinedName(name, attr_text=f"{CONTROL}!${VALUE_LETTER}${row}")
    return workbook


def _finish(path: Path) -> None:
    """The same package with its charts described and without the time of its making, so that two builds are one file."""
    with opened(path) as package:
        described = described_drawings(package)

    def finish_part(part: str, content: bytes) -> bytes:
        if part == "docProps/core.xml":
            return re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", MADE, content)
        return described.get(part, content)

    repacked(path, path, finish_part, timeless=True)
