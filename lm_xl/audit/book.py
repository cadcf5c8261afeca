"""A workbook file as plain cells, read once, part by part: what the rules of `rules` look at."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from lm_xl.assumptions.tables import HEADER_WITHIN
from lm_xl.audit.formulas import Meaning, meaning_of, relative
from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import LAST_COLUMN, Area, address_of
from lm_xl.xlsx.drawings import Graphic
from lm_xl.xlsx.sheets import SheetSettings
from lm_xl.xlsx.styles import CellStyle
from lm_xl.xlsx.workbook_file import DefinedName, ExcelTable

INPUT_STYLES = {"lm input", "input"}


class StoredCell(NamedTuple):
    """A cell as stored: `kind` is n (number), s (text), b (truth value), e (error) or str (text of a
    formula)."""

    row: int
    column: int
    style: int
    kind: str
    formula: str | None
    value: str

    @property
    def address(self) -> str:
        return address_of(self.row, self.column)

    @property
    def filled(self) -> bool:
        return self.formula is not None or self.value != ""

    @property
    def text(self) -> str:
        return self.value.strip() if self.kind in ("s", "str") else ""

    @property
    def number(self) -> float | None:
        if self.kind != "n" or not self.value:
            return None
        try:
            return float(self.value)
        except ValueError:
            return None

    @property
    def typed_number(self) -> bool:
        return self.formula is None and self.kind == "n" and self.value != ""

    @property
    def is_number(self) -> bool:
        """Whether a number stands here, typed or calculated."""
        return self.formula is not None or self.typed_number

    @property
    def year(self) -> int | None:
        """The year that stands here, as a number or as the text of a table's header."""
        # Most numbers are no years: their first two digits tell that without parsing them.
        if self.kind == "n" and self.value[:2] in ("19", "20", "21"):
            number = self.number
            return int(number) if number is not None and is_year(number) else None
        return int(self.value) if self.kind == "s" and re.fullmatch("(?:19|20)[0-9]{2}", self.value) else None


def is_year(number: float) -> bool:
    """Whether a number may be a year."""
    return number.is_integer() and 1900 <= number <= 2100


@dataclass(frozen=True)
class YearAxis:
    """The row of years of a sheet: its columns and the years they say."""

    row: int
    columns: tuple[int, ...]
    years: tuple[int, ...]


@dataclass
class BookSheet:
    """A worksheet: its cells, the few settings that the rules ask for, and where its years and its header
    stand."""

    title: str
    state: str
    kind: str = ""
    """Its class, by the colour of its tab; "" where that is none of the five."""
    rows: dict[int, dict[int, StoredCell]] = field(default_factory=dict)
    settings: SheetSettings = field(default_factory=SheetSettings)
    tables: list[ExcelTable] = field(default_factory=list)
    graphics: list[Graphic] = field(default_factory=list)
    repeated: bool = False
    """Whether rows are printed again on each page."""
    repeated_columns: Area | None = None
    """The columns that are printed again on each page."""
    printed: list[Area] = field(default_factory=list)
    """The areas that are printed; all of the sheet where there is none."""

    def cell(self, row: int, column: int) -> StoredCell | None:
        return self.rows.get(row, {}).get(column)

    def text_at(self, row: int, column: int) -> str:
        cell = self.cell(row, column)
        return cell.value.strip() if cell else ""

    def filled(self, row: int) -> dict[int, StoredCell]:
        """The cells of a row that hold something, from left to right."""
        return {c: cell for c, cell in sorted(self.rows.get(row, {}).items()) if cell.filled}

    @cached_property
    def cells(self) -> list[StoredCell]:
        return [cell for row in self.rows.values() for cell in row.values()]

    @cached_property
    def formulas(self) -> list[StoredCell]:
        return [cell for cell in self.cells if cell.formula is not None]

    @cached_property
    def relative_formulas(self) -> dict[tuple[int, int], str]:
        """The formulas in relative terms, by row and column."""
        return {(c.row, c.column): relative(c.formula or "", c.row, c.column) for c in self.formulas}

    @cached_property
    def meanings(self) -> list[tuple[StoredCell, Meaning]]:
        """Each formula and what it is made of; copies of one another are taken apart once."""
        # A deliverable has some 200,000 formulas of which one in seven is no copy.
        terms = self.relative_formulas.values()
        copies = {term: cell.formula or "" for term, cell in zip(terms, self.formulas, strict=True)}
        known = {term: meaning_of(formula) for term, formula in copies.items()}
        return [(cell, known[term]) for term, cell in zip(terms, self.formulas, strict=True)]

    @cached_property
    def texts(self) -> list[StoredCell]:
        return [c for c in self.cells if c.formula is None and c.kind == "s" and c.value.strip()]

    @cached_property
    def row_numbers(self) -> list[int]:
        return sorted(self.rows)

    @cached_property
    def widths(self) -> dict[int, float]:
        """The widths of the columns that say theirs; of two that a column has, the last one."""
        widths: dict[int, float] = {}
        unsaid = list(range(1, LAST_COLUMN + 1)) if self.settings.columns else []
        for run in reversed(self.settings.columns):
            start, end = bisect_left(unsaid, run.first), bisect_right(unsaid, run.last)
            widths |= dict.fromkeys(unsaid[start:end], run.width)
            del unsaid[start:end]
        return widths

    @cached_property
    def rows_of_years(self) -> set[int]:
        """The rows whose numbers all may be years."""
        rows = ((row, [c for c in cells.values() if c.filled]) for row, cells in self.rows.items())
        return {row for row, cells in rows if all(c.year or not c.is_number for c in cells)}

    @cached_property
    def calculates(self) -> bool:
        """Whether the rules for calculations hold here."""
        return self.kind in ("calculations", "outputs", "")

    @cached_property
    def year_blocks(self) -> list[YearAxis]:
        """The blocks of years in the first row near the top that has one: the axis, and others to its right
        such as growth by year."""
        return year_blocks(self)

    @cached_property
    def axis(self) -> YearAxis | None:
        return self.year_blocks[0] if self.year_blocks else None

    @cached_property
    def header_row(self) -> int:
        return header_row(self)

    @cached_property
    def header(self) -> dict[str, int]:
        """Column names, folded, to columns; of a name that is there twice, the first."""
        cells = self.filled(self.header_row) if self.header_row else {}
        return {folded(c.text): column for column, c in reversed(cells.items()) if c.text}

    @cached_property
    def year_labels(self) -> set[int]:
        """The columns whose header ends in the word year."""
        return {column for name, column in self.header.items() if name.split()[-1:] == ["year"]}

    def column(self, *names: str) -> int:
        """The column of the first of some names that the header has, or 0."""
        return next((self.header[n] for n in names if n in self.header), 0)

    @cached_property
    def body(self) -> list[tuple[int, dict[int, StoredCell]]]:
        """The rows below the header that hold something, in order."""
        rows = ((row, self.filled(row)) for row in self.row_numbers if row > self.header_row > 0)
        return [(row, cells) for row, cells in rows if cells]


def year_blocks(sheet: BookSheet) -> list[YearAxis]:
    """The blocks of years in the first row near the top that has one and is no assumption."""
    for row in _rows_near_top(sheet):
        found = [years for years in _runs_of_years(sheet.filled(row)) if _is_axis(list(years.values()))]
        if found and not _holds_an_assumption(sheet, row):
            # A column between the first year and the last belongs to the axis even where its year is missing.
            return [YearAxis(row, tuple(range(min(r), max(r) + 1)), tuple(r.values())) for r in found]
    return []


def _runs_of_years(cells: Mapping[int, StoredCell]) -> Iterator[dict[int, int]]:
    """The years of a row by column, parted where they fall back or where three cells have none."""
    run: dict[int, int] = {}
    last = 0
    for column, cell in cells.items():
        year = cell.year
        if year is None:
            continue
        # A block beside the axis starts again at an early year, or stands apart from it.
        if run and (column > last + 3 or year < run[last]):
            yield run
            run = {}
        run[column] = year
        last = column
    if run:
        yield run


def _is_axis(years: Sequence[int]) -> bool:
    """Whether these are years, not amounts near 2,000: at least three, of which most follow one another."""
    following = sum(b - a == 1 for a, b in pairwise(years))
    return len(years) >= 3 and 2 * following >= len(years) - 1


def _holds_an_assumption(sheet: BookSheet, row: int) -> bool:
    """Whether a row stands below a header with low and high, so that its years are values, not an axis."""
    above = ({folded(c.text) for c in sheet.filled(r).values()} for r in _rows_near_top(sheet) if r < row)
    return any({"low", "high"} <= names for names in above)


def header_row(sheet: BookSheet) -> int:
    """The row of column names: of the Excel table, of the years, or the first with three labels; 0 where
    there is none."""
    if sheet.tables:
        return sheet.tables[0].area.top
    if sheet.axis:
        return sheet.axis.row
    for row in _rows_near_top(sheet):
        # A line of several texts with something below it; a title or a note is one or two cells.
        cells = sheet.filled(row).values()
        labels = all(c.kind == "s" and c.formula is None for c in cells)
        if len(cells) >= 3 and labels and row < sheet.row_numbers[-1]:
            return row
    return 0


def _rows_near_top(sheet: BookSheet) -> list[int]:
    return [row for row in sheet.row_numbers if row <= HEADER_WITHIN]


@dataclass
class Book:
    """A workbook file: its sheets, styles and names, and the parts of its package."""

    path: Path
    sheets: list[BookSheet]
    styles: list[CellStyle]
    names: list[DefinedName]
    """Without print titles and areas."""
    parts: list[str]
    outside: list[tuple[str, str]]
    """Parts that refer outside of the package, and where to."""
    rooted: list[tuple[str, str]]
    """Parts that tell a target from the root of the package, and the target."""
    properties: dict[str, str]
    """What the file tells of itself."""
    calculation: dict[str, str]
    first_shown: int

    def sheet(self, title: str) -> BookSheet | None:
        """A sheet by its title, whatever the case, with spaces or underscores."""
        wanted = folded(title.replace("_", " "))
        return next((s for s in self.sheets if folded(s.title.replace("_", " ")) == wanted), None)

    def cells(self) -> Iterator[tuple[BookSheet, StoredCell]]:
        """Every cell, sheet by sheet."""
        return ((sheet, cell) for sheet in self.sheets for cell in sheet.cells)

    def formulas(self) -> Iterator[tuple[BookSheet, StoredCell, Meaning]]:
        """Every formula and what it is made of, sheet by sheet."""
        return ((sheet, *formula) for sheet in self.sheets for formula in sheet.meanings)

    def style(self, cell: StoredCell) -> CellStyle:
        return self.styles[cell.style] if 0 <= cell.style < len(self.styles) else CellStyle()

    @cached_property
    def input_styles(self) -> frozenset[int]:
        return frozenset(i for i, style in enumerate(self.styles) if style.name.casefold() in INPUT_STYLES)

    @cached_property
    def known_names(self) -> set[str]:
        tables = {folded(table.name) for s in self.sheets for table in s.tables}
        return {folded(n.name) for n in self.names} | tables | {"true", "false"}

    def is_input(self, sheet: BookSheet, cell: StoredCell) -> bool:
        """Whether a cell takes what a user types: it looks like an input, or is a typed number of an input
        sheet."""
        if cell.formula is not None:
            return False
        return cell.style in self.input_styles or (
            sheet.kind == "inputs" and cell.typed_number and cell.row > sheet.header_row > 0
        )
