"""The sheet Stored_values: what the functions showed at the time of building, should they not run."""

from __future__ import annotations

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.functions.template.state import StoredValues, Template, by_test
from lm_xl.workbook.pages.pen import columns, columns_of_years, page, start
from lm_xl.workbook.pages.styles import number_format
from lm_xl.workbook.plan.layout import CONSTANT, FIRST_ROW, HEADER_ROW
from lm_xl.xlsx.addresses import column_letters

STORED_COLUMNS = (
    ("sheet", 14, "lm header"),
    ("cell", 8, "lm header"),
    ("what", 46, "lm header"),
    ("now", 11, "lm header"),
    ("unit", 14, "lm header"),
    ("scenario", 16, "lm header"),
    ("value", 13, "lm year"),
)
NOW_COLUMN = 4
CHANGE_SHOWN = 1e-9
"""Relative difference from which a number counts as other than at the time of building."""


def stored_values(ws: Worksheet, t: Template) -> None:
    """Each line of functions with Python's values, and whether its first cell now shows another."""
    about = "Values at the time of building, from Python, with the choices as delivered"
    start(ws, "data", f"{about}: what the functions showed, should they not run.")
    columns(ws, t.pen, STORED_COLUMNS)
    columns_of_years(ws, t.pen, t.axes.years, CONSTANT + 1)
    for row, line in enumerate(t.stored, FIRST_ROW):
        _line(ws, t, row, line)
    page(ws, HEADER_ROW, freeze=t.year_columns[0])


def _line(ws: Worksheet, t: Template, row: int, line: StoredValues) -> None:
    """One number stands in the column of a value that does not move, those of years in the columns of the years."""
    words = {1: line.sheet, 2: line.cell, 3: line.what, 5: line.unit, 6: t.axes.default}
    for column, said in words.items():
        t.pen.text(ws, row, column, said, "lm label")
    first = CONSTANT if len(line.values) == 1 else CONSTANT + 1
    for column, value in enumerate(line.values, first):
        t.pen.write(ws, row, column, value, "lm calculation", number_format(line.unit))
    then, now = f"{column_letters(first)}{row}", f"'{line.sheet}'!{line.cell}"
    near = f"ABS({now}-{then})<={CHANGE_SHOWN:.9f}*ABS({then})"
    if isinstance(line.values[0], str):
        near = f"{now}={then}"
    same = by_test(near, '"the same"', '"differs"', '"stored"')
    t.pen.write(ws, row, NOW_COLUMN, same, "lm calculation")
