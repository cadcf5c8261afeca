"""The formulas of a deliverable as plain data: lines on sheets, and what Python computes for those that are no array.

The writer and its fellows fill a `Plan` once; pages turn it into a workbook, the verifier asks Python for the value of each cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lm_xl.assumptions.assumptions import Assumptions, Keys
from lm_xl.model.cells import YEAR_COLUMN, Block
from lm_xl.model.ops import Array
from lm_xl.workbook.plan.input_cells import Choice, InputCells, Numbers
from lm_xl.workbook.plan.layout import CALCULATION, CONSTANT, FIRST_ROW, column_range, year_columns
from lm_xl.xlsx.addresses import Area, address_of, column_letters

if TYPE_CHECKING:
    from lm_xl.forecasts.tornado import Tornado

NO_KEYS = Keys("", "", "")
SMALLEST, LEAST_GROWTH = 1e-12, 1e-3
RESIDUE_SCALE = 1000
"""Of sums that nearly cancel: their differences are judged beside thousands, as what is summed, not beside what is left."""


def scale_of(name: str) -> float:
    """From where on the differences of an array are taken relative to its values.

    Growth is a ratio less one and has the ratio's rounding: near 0 its own size says nothing of its error.
    """
    return LEAST_GROWTH if name.endswith("_cagr") else SMALLEST


@dataclass(frozen=True, kw_only=True)
class Line:
    """One formula and the cells of one row that hold it. `array` and `at` name the element whose Python values they must show."""

    row: int
    columns: tuple[int, ...]
    formula: str
    """Without the equals sign; YEAR_COLUMN stands for each cell's own column."""
    array: str
    at: tuple[int, ...] = (0, 0, 0)
    quantity: str = ""
    keys: Keys = NO_KEYS
    unit: str = ""
    origin: str = ""
    style: str = CALCULATION
    year: int | None = None
    """For a line that shows one year, its position."""
    shift: int = 0
    """How many columns to the right of its own the cells of the same year stand that it refers to."""
    scale: float = SMALLEST
    """Differences are taken relative to the value or to this, whichever is larger."""

    def formulas(self) -> Iterator[tuple[int, str]]:
        """Column and formula of each cell."""
        for column in self.columns:
            yield column, self.formula.replace(YEAR_COLUMN, column_letters(column + self.shift))


class Words(NamedTuple):
    """Fixed words in a cell of a page, and their style."""

    row: int
    column: int
    words: str
    style: str


class Chart(NamedTuple):
    """A chart on a page: its upper left corner, what it draws, and the cell with its title."""

    row: int
    column: int
    draws: str
    title: str


@dataclass
class SheetPlan:
    """The lines, the headings and the fixed words of one sheet; `row` is the next free one."""

    title: str
    lines: list[Line] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    maps: list[int] = field(default_factory=list)
    """The rows of names over a heat map."""
    breaks: list[int] = field(default_factory=list)
    """The rows that begin a printed page."""
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
    choice: Choice
    arrays: dict[str, Array]

    def block(self, name: str) -> Array:
        """A block's numbers as its sheet shows them: lines by columns."""

    def values(self, line: Line) -> Sequence[float | str]:
        """The Python values of a line's cells, in order."""


PythonMeasure = Callable[[PythonValues], float | str]
NumberOf = Callable[[PythonValues], float]


class CheckLine(NamedTuple):
    """What a check's row says of it, its formulas apart."""

    row: int
    id: str
    what: str
    tolerance: float
    allowed: tuple[float, float] | None
    """The range that its values must lie in."""
    where: str
    """What the master check says of it when it fails; "" where a formula says so."""


class Rectangle(NamedTuple):
    """A rectangle of formulas, and the row that tells whether they are all there."""

    row: int
    sheet: str
    area: Area

    @property
    def cells(self) -> str:
        """Its address on its own sheet."""
        return f"{address_of(*self.area[:2])}:{address_of(*self.area[2:])}"


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
    typed: Mapping[str, str | float] = field(default_factory=dict)
    """What a reader typed on the cover, by cell: fields that were filled in, the band of comparisons."""
    drawn: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Percentiles as drawn at the time of building, by the key of their line."""
    tornado: Tornado | None = None
    """The tornado that a build made for its pages, for whoever built it."""
    held: str = ""
    """What the analyses are made for: scenario, scope, basis and currency."""
    kept: list[Rectangle] = field(default_factory=list)
    """Every rectangle of formulas, apart from those of the checks themselves."""

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
