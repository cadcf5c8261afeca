"""What turns red, green or amber on any page: the master check in its header, and rows that a rebuild would refuse."""

from __future__ import annotations

from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.pages.lines import lines_on, write_line
from lm_xl.workbook.pages.pen import Pen
from lm_xl.workbook.pages.styles import CALM, RED, WHITE, amber_where, fill
from lm_xl.workbook.plan.bounds import BAND_COUNT, BANDS, COUNT_ROW, Side, banded
from lm_xl.workbook.plan.checks import MASTER_ROW, PASSED, WHAT
from lm_xl.workbook.plan.layout import BANNER_CELL, CHECKS, FIRST_ROW, HEADER_CELL
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.staleness import SAY_SAME
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import address_of, column_letters
from lm_xl.xlsx.formula_cells import ISFORMULA

SAID_WIDTH = 60
"""Characters that the longest words of the master check take; they run over the columns beside their own."""
NORMAL_WIDTH = 13
"""Of a column that has no width of its own."""


def master_alarm(ws: Worksheet) -> None:
    """The master check in red where it fails or was typed over, in calm green where it passes."""
    _alarm(ws, *HEADER_CELL)
    if ws.title == CHECKS:
        _alarm(ws, MASTER_ROW, WHAT)


def banner_alarm(ws: Worksheet) -> None:
    """The banner of analyses in amber where they are not of what is shown, or of inputs that changed."""
    row, column = BANNER_CELL
    said = f"${column_letters(column)}${row}"
    cells = f"{address_of(row, column)}:{address_of(row, column + 4)}"
    ws.conditional_formatting.add(cells, amber_where(f'{said}<>"{SAY_SAME}"'))


def bounds_alarm(ws: Worksheet, traced: Plan, last: int, sides: tuple[Side, Side], pen: Pen) -> None:
    """The counts of values beyond their low and their high, above these columns, and such rows in amber."""
    for line in traced.sheets[ws.title].lines:
        if line.row == COUNT_ROW and line.array != "master":
            write_line(ws, pen, line, "lm calculation", unit="0 or 1")
    rows = f"A{FIRST_ROW}:{column_letters(max(side.column for side in sides))}{last}"
    named = text("pages", "beyond_low"), text("pages", "beyond_high")
    for side, words in zip(sides, named, strict=True):
        pen.text(ws, COUNT_ROW - 1, side.column, words, "lm check")
        ws.conditional_formatting.add(rows, amber_where(side.test(FIRST_ROW)))


def bands_alarm(workbook: Workbook, traced: Plan, pen: Pen) -> None:
    """The counts of numbers outside of their band, beside the bands, and such bands and numbers in amber."""
    ws, lines = workbook[BANDS], lines_on(workbook[BANDS], traced)
    for line in lines:
        write_line(ws, pen, line, "lm calculation", unit="0 or 1")
    if lines:
        pen.text(ws, COUNT_ROW, BAND_COUNT, text("pages", "outside_band"), "lm check")
        last = max(line.row for line in lines)
        rows = f"A{FIRST_ROW}:{column_letters(max(line.columns[0] for line in lines))}{last}"
        ws.conditional_formatting.add(
            rows, amber_where(f"SUM(${column_letters(BAND_COUNT)}{FIRST_ROW}:$XFD{FIRST_ROW})>0")
        )
    for found in banded(traced.assumptions, traced.cells):
        cells = found.cells(traced.assumptions).replace("$", "")
        first, (low, high) = cells.partition(":")[0], found.ends()
        outside = f"AND(ISNUMBER({first}),OR({first}<{low},{first}>{high}))"
        workbook[found.sheet].conditional_formatting.add(cells, amber_where(outside))


def _alarm(ws: Worksheet, row: int, column: int) -> None:
    last = columns_over(ws, column, SAID_WIDTH)
    said = f"${column_letters(column)}${row}"
    cells = f"{address_of(row, column)}:{address_of(row, last)}"
    # an error value is no text that passes, but would make the whole formula an error
    fails = f'IF(ISERROR({said}),TRUE,OR({said}<>"{PASSED}",NOT({ISFORMULA}({said}))))'
    alarm = DifferentialStyle(font=Font(bold=True, color=WHITE), fill=fill(RED))
    ws.conditional_formatting.add(cells, Rule(type="expression", formula=[fails], dxf=alarm, stopIfTrue=True))
    calm = DifferentialStyle(font=Font(bold=True, color=CALM))
    ws.conditional_formatting.add(cells, Rule(type="expression", formula=[f'{said}="{PASSED}"'], dxf=calm))


def columns_over(ws: Worksheet, column: int, characters: float) -> int:
    """The last of the columns from one on that so many characters run over."""
    last, wide = column, 0.0
    while (wide := wide + _width(ws, last)) < characters:
        last += 1
    return last


def _width(ws: Worksheet, column: int) -> float:
    letters = column_letters(column)
    # asking for the width of a column that has none would give it one
    return ws.column_dimensions[letters].width if letters in ws.column_dimensions else NORMAL_WIDTH
