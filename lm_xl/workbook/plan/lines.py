"""The formulas of a deliverable as plain data: lines on sheets, and what Python computes for those that are no array.

The writer and its fellows fill a `Plan` once; pages turn it into a workbook, the verifier asks Python for the value of each cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from lm_xl.assumptions.assumptions import Assumptions, Keys
from lm_xl.model.cells import BEFORE, YEAR_COLUMN, Block
from lm_xl.model.ops import Array
from lm_xl.workbook.plan.input_cells import InputCells, Numbers
from lm_xl.workbook.plan.layout import CALCULATION, CONSTANT, FIRST_ROW, column_range, year_columns
from lm_xl.xlsx.addresses import column_letters

NO_KEYS = Keys("", "", "")
SMALLEST, LEAST_GROWTH = 1e-12, 1e-3
RESIDUE_SCALE = 1000
"""Of sums that nearly cancel: their differences are judged beside thousands, as what is summed, not beside what is left."""


def scale_of(name: str) -> float:
    """From where on the differences of an array are taken relative to its values.

    Growth is a ratio less one and has the ratio's rounding: near 0 its own size says nothing of its error.
    """
    return LEAST_GROWTH if name.endswith(("_yoy", "_cagr")) else SMALLEST


@dataclass(frozen=True, kw_only=True)
class Line:
    """One formula and the cells of one row that hold it. `array` and `at` name the element whose Python values they must show."""

    row: int
    columns: tuple[int, ...]
    formula: str
    """Without the equals sign; YEAR_COLUMN stands for each cell's own column."""
    array: str
    at: tuple[int, int, int] = (0, 0, 0)
    quantity: str = ""
    keys: Keys = NO_KEYS
    unit: str = ""
    origin: str = ""
    style: str = CALCULATION
    year: int | None = None
    """For a line that shows one year, its position."""
    skip: int = 0
    """Years left out at the start."""
    scale: float = SMALLEST
    """Differences are taken relative to the value or to this, whichever is larger."""

    def formulas(self) -> Iterator[tuple[int, str]]:
        """Column and formula of each cell."""
        for column in self.columns:
            letters, before = column_letters(column), column_letters(column - 1)
            yield column, self.formula.replace(YEAR_COLUMN, letters).replace(BEFORE, before)


@dataclass
class SheetPlan:
    """The lines and the headings of one sheet; `row` is the next free one."""

    title: str
    lines: list[Line] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    row: int = FIRST_ROW

    @property
    def formulas(self) -> int:
        return sum(len(line.columns) for line in self.lines)

    def take_row(self) -> int:
        """The next free row, which is free no longer."""
        self.row += 1
        return self.row - 1


class PythonValues(Protocol):
    """What a measure may ask of Python's side of a deliverable."""

    numbers: Numbers
    arrays: dict[str, Array]

    def block(self, name: str) -> Array:
        """A block's numbers as its sheet shows them: lines by columns."""

    def values(self, line: Line) -> Sequence[float | str]:
        """The Python values of a line's cells, in order."""


PythonMeasure = Callable[[PythonValues], float | str]


class CheckLine(NamedTuple):
    """What a check's row says of it, its formulas apart."""

    row: int
    id: str
    what: str
    tolerance: float
    allowed: tuple[float, float] | None
    """The range that its values must lie in."""


@dataclass
class Plan:
    """Every formula of a deliverable."""

    assumptions: Assumptions
    cells: InputCells
    sheets: dict[str, SheetPlan] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    moving: dict[str, bool] = field(default_factory=dict)
    """Whether a block runs over the years."""
    steps: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    """For each line of Inputs, its assumption row and the deltas applied to it so far."""
    measures: dict[str, PythonMeasure] = field(default_factory=dict)
    """What Python computes for formulas that are no array: checks, comparisons."""
    reducers: dict[str, Callable[[Mapping[str, Array]], Array]] = field(default_factory=dict)
    """Arrays that Python computes from others once the report is made."""
    built: dict[tuple[str, str], float] = field(default_factory=dict)
    """Weighed sums of the inputs at the time of building, by sheet and column."""
    drivers: list[tuple[int, dict[int, str]]] = field(default_factory=list)
    """Row and words of each line on the sheet of drivers."""
    checks: list[CheckLine] = field(default_factory=list)

    @property
    def years(self) -> tuple[int, ...]:
        return self.assumptions.axes.years

    @property
    def formulas(self) -> int:
        return sum(sheet.formulas for sheet in self.sheets.values())

    def sheet(self, title: str) -> SheetPlan:
        """A sheet by its name; sheets stand in the order in which they are first asked for."""
        return self.sheets.setdefault(title, SheetPlan(title))

    def columns(self, *, moving: bool) -> tuple[int, ...]:
        """The columns of a line: one a year, or the one of constants."""
        return year_columns(len(self.years)) if moving else (CONSTANT,)

    def range(self, name: str, column: int | None = None) -> str:
        """The cells of a block: all its years, or one column."""
        block = self.blocks[name]
        columns = self.columns(moving=self.moving[name]) if column is None else (column,)
        return column_range(block.sheet, columns[0], columns[-1], block.first_row, block.last_row)

    def spans(self) -> dict[str, dict[int, tuple[str, str]]]:
        """Sheet to row to the first and the last column of a line that runs over the years."""
        return {
            title: {
                line.row: (column_letters(line.columns[0]), column_letters(line.columns[-1]))
                for line in sheet.lines
                if len(line.columns) > 1
            }
            for title, sheet in self.sheets.items()
        }
