"""A template while it is written: its assumptions, the host it is for, and the values that Python has for its functions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.functions.headless import LITE_PREFIX
from lm_xl.functions.models import Model
from lm_xl.model.axes import Axes
from lm_xl.workbook.pages.pen import Pen
from lm_xl.workbook.plan.layout import CONSTANT, HEADER_ROW
from lm_xl.xlsx.addresses import column_letters

Host = Literal["windows", "lite"]
"""What the functions run in: Excel on Windows, or xlwings Lite."""


@dataclass(frozen=True)
class StoredValues:
    """What a line of functions showed at the time of building, one number or one a year, and the first of its cells."""

    sheet: str
    cell: str
    what: str
    unit: str
    values: list[float]


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

    def formula(self, text: str) -> str:
        """A formula as this host's file has it."""
        return text if self.host == "windows" else re.sub(r"\b(LM_[A-Z_]+\()", rf"{LITE_PREFIX}\1", text)
