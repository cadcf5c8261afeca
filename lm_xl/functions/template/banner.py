"""The banner of every page: whether the functions run and all checks pass, or that stored values are shown."""

from __future__ import annotations

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.workbook import Workbook

from lm_xl.functions.template.checks import MASTER, PASSED
from lm_xl.functions.template.control import (
    CHECKED_ROW,
    CONTROL,
    RUNNING_ROW,
    SAID,
    SAID_AT,
    VALUE_COLUMN,
    said_cell,
)
from lm_xl.functions.template.state import Template, by_test
from lm_xl.functions.vba import CONF
from lm_xl.workbook.pages.alarms import columns_over
from lm_xl.workbook.pages.styles import CALM, RED, WHITE, fill
from lm_xl.workbook.plan.layout import CHECKS, DASHBOARD, FIRST_ROW, HEADER_CELL
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import address_of
from lm_xl.xlsx.splice import StoredValue

BANNER = address_of(*HEADER_CELL)
"""The cell of the banner on every page."""
WIDE = 145
"""Characters that its words take, over which its colour runs."""


def banners(workbook: Workbook, t: Template) -> None:
    """The banner on every page, red where the functions do not run or a check fails."""
    asleep, failed, passed = map(said_cell, SAID)
    # Asked again where a check fails: the functions may have stopped since they were last asked.
    fails = f"IF(ISERROR(LM_VERSION()),{asleep},{failed})"
    said = by_test(f'{MASTER}="{PASSED}"', passed, fails, asleep)
    alarm = DifferentialStyle(font=Font(bold=True, color=WHITE), fill=fill(RED))
    calm = DifferentialStyle(font=Font(bold=True, color=CALM))
    passes = f'ISNUMBER(SEARCH("{PASSED}",$A${HEADER_CELL[0]}))'
    for ws in workbook.worksheets:
        assert ws[BANNER].value is None, ws.title
        here = said if ws.title == DASHBOARD else f"={DASHBOARD}!$A${HEADER_CELL[0]}"
        t.write_fresh(ws, *HEADER_CELL, here, "lm check")
        last = columns_over(ws, HEADER_CELL[1], WIDE)
        cells = f"{BANNER}:{address_of(HEADER_CELL[0], last)}"
        for rule, look in ((f"NOT({passes})", alarm), (passes, calm)):
            ws.conditional_formatting.add(cells, Rule(type="expression", formula=[rule], dxf=look))


def asleep(workbook: Workbook) -> dict[tuple[str, int, int], StoredValue]:
    """The stored values of the cells that tell whether the functions run: they do not."""
    unchecked, said = (
        text("template", "Not_checked"),
        str(workbook[CONTROL].cell(SAID_AT, VALUE_COLUMN).value),
    )
    return {
        **{(ws.title, *HEADER_CELL): said for ws in workbook.worksheets if ws.title != CONF},
        (CONTROL, RUNNING_ROW, VALUE_COLUMN): 0.0,
        (CONTROL, CHECKED_ROW, VALUE_COLUMN): unchecked,
        (CHECKS, FIRST_ROW, 3): unchecked,
    }
