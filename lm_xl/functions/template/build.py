"""Assumptions -> the template: a workbook whose numbers come from the Excel functions, for Excel on Windows or for xlwings Lite."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from openpyxl.workbook import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.properties import CalcProperties

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.files import must_end, not_over, replacing
from lm_xl.functions.headless import recalculate
from lm_xl.functions.lite_code import add_code
from lm_xl.functions.models import STORE, Model
from lm_xl.functions.template.banner import asleep, banners
from lm_xl.functions.template.checks import checks
from lm_xl.functions.template.control import CONTROL, MODEL_ROW, RUNNING_ROW, VALUE_LETTER, control
from lm_xl.functions.template.dashboard import CHOICES, dashboard
from lm_xl.functions.template.examples import FUNCTION_SHEET, examples
from lm_xl.functions.template.market import market
from lm_xl.functions.template.state import RUNNING, STORED, Host, Template
from lm_xl.functions.template.stored_values import stored_values
from lm_xl.functions.template.tables import TABLE_SHEETS, table_sheet
from lm_xl.functions.template.what_if import WHAT_IF, what_if
from lm_xl.functions.template.words import HOW, configuration, how_to
from lm_xl.functions.vba import CONF, add_macros
from lm_xl.workbook.pages.inputs import write_inputs
from lm_xl.workbook.pages.styles import styled_workbook
from lm_xl.workbook.plan.front.markets import THERAPY
from lm_xl.workbook.plan.layout import CHECKS, DASHBOARD
from lm_xl.workbook.plan.records import records_of
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import split_address
from lm_xl.xlsx.finish import finish as finish_package
from lm_xl.xlsx.stored import write_values

EXCEL_CALCULATION = 191029
"""The calculation engine of Excel 2019 and later: with an older number Excel recalculates on opening, even with no functions there."""


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
    model = Model(assumptions, assumptions.axes.default)
    STORE.put(model)
    finish = add_macros if host == "windows" else add_code
    with replacing(Path(output), force=force) as draft, tempfile.TemporaryDirectory() as folder:
        plain, stored = Path(folder) / "template.xlsx", Path(folder) / "stored.xlsx"
        progress("writing")
        workbook = _workbook(Template(assumptions, host, model))
        workbook.save(plain)
        progress("recalculating")
        done = recalculate(plain)
        if done.errors or done.left:
            shown = [f"{cell} shows {error}" for cell, error in done.errors.items()]
            shown += [f"{cell} is not computed: {why}" for cell, why in done.left.items()]
            raise ArithmeticError(
                f"the functions and Python disagree on what can be computed: {', '.join(shown)}"
            )
        # Until the functions run where it is opened, the file says that they do not.
        write_values(plain, stored, asleep(workbook))
        finish_package(stored, {}, timeless=True)
        finish(stored, draft)


def _workbook(t: Template) -> Workbook:
    """Every sheet in its order. The first ones are written after what their tiles and charts refer to."""
    workbook = styled_workbook(f"{text('pages', 'cover_title')}, by functions")
    workbook.calculation = CalcProperties(calcId=EXCEL_CALCULATION, fullCalcOnLoad=False)
    add = workbook.create_sheet
    for title in (DASHBOARD, THERAPY, CONTROL, HOW):
        add(title)
    market(workbook[THERAPY], t)
    for dim, title in TABLE_SHEETS.items():
        table_sheet(add(title), t, dim)
    what_if(add(WHAT_IF), t)
    examples(add(FUNCTION_SHEET), t)
    add(CHECKS)
    records, _ = records_of(t.assumptions)
    write_inputs(workbook, records, t.axes, t.pen)
    control(workbook[CONTROL], t, records)
    dashboard(workbook, t)
    how_to(workbook[HOW], t)
    stored_values(add(STORED), t)
    checks(workbook[CHECKS], t)
    banners(workbook, t)
    if t.host == "windows":
        configuration(add(CONF), t)
    for name, row in (("Model", MODEL_ROW), (RUNNING, RUNNING_ROW)):
        workbook.defined_names[name] = DefinedName(name, attr_text=f"{CONTROL}!${VALUE_LETTER}${row}")
    for name, address in CHOICES.items():
        letters, line = split_address(address)
        workbook.defined_names[name] = DefinedName(name, attr_text=f"{DASHBOARD}!${letters}${line}")
    return workbook
