"""A template while it is written: its assumptions, the host it is for, and the values that Python has for its functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.functions.formulas import LITE_PREFIX
from lm_xl.functions.models import Model
from lm_xl.model.axes import Axes
from lm_xl.workbook.pages.pen import Pen
from lm_xl.workbook.plan.layout import CONSTANT, CONSTANT_LETTER, FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import address_of, column_letters

RUNNING = "Running"
"""The workbook's name for the cell that tells whether the functions run where the workbook is open."""
STORED = "Stored_values"
"""The sheet with what the functions showed at the time of building."""
Host = Literal["windows", "lite"]
"""What the functions run in: Excel on Windows, or xlwings Lite."""


def by_test(test: str, passes: str, fails: str, asleep: str) -> str:
    """The formula of one of three: a test passes, it fails, or the functions do not run. Only that one is computed."""
    return f"=CHOOSE(1+{RUNNING}+{RUNNING}*({test}),{asleep},{fails},{passes})"


@dataclass(frozen=True)
class StoredValues:
    """What a line of functions showed at the time of building, one number or one a year, n/a where there is none, and the first of its cells."""

    sheet: str
    cell: str
    what: str
    unit: str
    values: Sequence[float | str]


@dataclass
class Template:
    """What its pages are written from."""

    assumptions: Assumptions
    host: Host
    model: Model
    """The model of the assumptions in their first scenario, with which the template is delivered."""
    pen: Pen = field(default_factory=Pen)
    stored: list[StoredValues] = field(default_factory=list)
    """The lines of functions written so far."""

    @property
    def axes(self) -> Axes:
        return self.assumptions.axes

    @property
    def year_columns(self) -> tuple[str, str]:
        """The letters of the columns of the first and the last year, the same on every sheet of tables."""
        return column_letters(CONSTANT + 1), column_letters(CONSTANT + len(self.axes.years))

    @property
    def year_cells(self) -> str:
        """The range of the years above a table."""
        first, last = self.year_columns
        return f"${first}${HEADER_ROW}:${last}${HEADER_ROW}"

    def or_stored(self, formula: str, lines: Iterable[StoredValues]) -> str:
        """A formula of functions that takes the stored values of its lines where functions do not run, and keeps those.

        The functions are not called there, so that a cell shows a number, or an error that the functions themselves mean.
        """
        top = FIRST_ROW + len(self.stored)
        self.stored += lines
        bottom = FIRST_ROW + len(self.stored) - 1
        first, last = self.year_columns
        many = len(self.stored[-1].values) > 1
        area = f"${first}${top}:${last}${bottom}" if many else f"${CONSTANT_LETTER}${top}"
        return f"=IF({RUNNING},{formula.removeprefix('=')},{STORED}!{area})"

    def or_words(self, formula: str) -> str:
        """A formula that calls no function where functions do not run."""
        return f'=IF({RUNNING},{formula.removeprefix("=")},"{text("template", "Not_running")}")'

    def write_fresh(
        self, ws: Worksheet, row: int, column: int, formula: str, style: str, form: str = ""
    ) -> None:
        """Write a formula that every program computes when it opens the file: as an array formula of one cell."""
        self.pen.write(ws, row, column, None, style, form)
        cell = address_of(row, column)
        ws[cell] = ArrayFormula(cell, self.formula(formula))

    def formula(self, said: str) -> str:
        """A formula as this host's file has it."""
        return said if self.host == "windows" else re.sub(r"\b(LM_[A-Z_]+\()", rf"{LITE_PREFIX}\1", said)
