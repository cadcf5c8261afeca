"""A workbook file as plain cells, read once, part by part: what the rules of `rules` look at."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from lm_xl.assumptions.tables import HEADER_WITHIN
from lm_xl.audit.formulas import Meaning, meaning_of, relative
from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import Area, column_letters

INPUT_STYLES = {"lm input", "input"}


class Cell(NamedTuple):
    """A cell as stored: `kind` is n (number), s (text), b (truth value), e (error) or str (text of a formula)."""

    row: int
    column: int
    style: int
    kind: str
    formula: str | None
    value: str

    @property
    def address(self) -> str:
        return f"{column_letters(self.column)}{self.row}"

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
    def year(self) -> int | None:
        """The year that stands here, as a number or as the text of a table's header."""
        if self.kind == "n" and self.value[:2] in ("19", "20", "21"):
            number = self.number
            return (
                int(number) if number is not None and number.is_integer() and 1900 <= number <= 2100 else None
            )
        return int(self.value) if self.kind == "s" and re.fullmatch("(?:19|20)[0-9]{2}", self.value) else None


@dataclass(frozen=True)
class Style:
    """What the rules ask of a cell's style."""

    name: str = "Normal"
    number_format: str = "General"
    ink: str | None = None
    """Colours as RRGGBB; None where automatic or unknown."""
    paper: str | None = None
    scale: float = 1.0
    """Width of its digits, relative to those of the style Normal."""


@dataclass(frozen=True)
class Validation:
    """A data validation: where, what, and whether it says something."""

    areas: tuple[Area, ...]
    kind: str
    formula: str
    has_message: bool


@dataclass(frozen=True)
class Axis:
    """The row of years of a sheet: its columns and the years they say."""

    row: int
    columns: tuple[int, ...]
    years: tuple[int, ...]


@dataclass(frozen=True)
class Chart:
    """A chart or picture: where it stands, its alternative text, and what its XML holds."""

    cell: str
    name: str
    description: str
    xml: ElementTree.Element | None


@dataclass
class Sheet:
    """A worksheet: its cells, and the few settings that the rules ask for."""

    title: str
    state: str
    kind: str = ""
    colour: str | None = None
    rows: dict[int, dict[int, Cell]] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[str] = field(default_factory=list)
    widths: dict[int, float] = field(default_factory=dict)
    default_width: float = 8.43
    merged: list[str] = field(default_factory=list)
    frozen: tuple[int, int] | None = None
    """Rows and columns that stay when the rest scrolls."""
    active: str = "A1"
    top_left: str = "A1"
    page: dict[str, str] = field(default_factory=dict)
    fits_page: bool = False
    footer: str = ""
    repeated: bool = False
    validations: list[Validation] = field(default_factory=list)
    tables: list[tuple[str, Area, bool]] = field(default_factory=list)
    """Name, area and whether there is a totals row."""
    charts: list[Chart] = field(default_factory=list)
    dynamic: list[str] = field(default_factory=list)
    blocks: list[tuple[Area, str]] = field(default_factory=list)
    """The area of each array formula that fills several cells, and the formula."""

    @cached_property
    def cells(self) -> list[Cell]:
        return [cell for row in self.rows.values() for cell in row.values()]

    def cell(self, row: int, column: int) -> Cell | None:
        return self.rows.get(row, {}).get(column)

    def filled(self, row: int) -> dict[int, Cell]:
        """The cells of a row that hold something, from left to right."""
        return {c: cell for c, cell in sorted(self.rows.get(row, {}).items()) if cell.filled}

    @cached_property
    def row_numbers(self) -> list[int]:
        return sorted(self.rows)

    @cached_property
    def formulas(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.formula is not None]

    @cached_property
    def texts(self) -> list[Cell]:
        return [
            cell for cell in self.cells if cell.formula is None and cell.kind == "s" and cell.value.strip()
        ]

    @cached_property
    def calculates(self) -> bool:
        """Whether the rules for calculations hold here."""
        return self.kind in ("calculations", "outputs", "")

    @cached_property
    def year_blocks(self) -> list[Axis]:
        """The stretches of years in the first row near the top that has one: the axis, and blocks to its right such as growth by year.

        A stretch has at least three years, most of which follow one another; it ends where years fall back or three cells have none.
        """
        for row in sorted(r for r in self.rows if r <= HEADER_WITHIN):
            stretches: list[dict[int, int]] = []
            for column, cell in self.filled(row).items():
                year = cell.year
                if year is None:
                    continue
                last = max(stretches[-1], default=0) if stretches else 0
                if not last or column > last + 3 or year < stretches[-1][last]:
                    stretches.append({})
                stretches[-1][column] = year
            blocks = [
                Axis(row, tuple(range(min(found), max(found) + 1)), tuple(found.values()))
                for found in stretches
                if len(found) >= 3
                and 2 * sum(b - a == 1 for a, b in pairwise(found.values())) >= len(found) - 1
            ]
            if blocks and not self.is_assumptions_at(row):
                return blocks
        return []

    @cached_property
    def axis(self) -> Axis | None:
        return self.year_blocks[0] if self.year_blocks else None

    def is_assumptions_at(self, row: int) -> bool:
        """Whether a row lies below a header with low, value and high, and so holds an assumption in years."""
        above = [{folded(c.text) for c in self.filled(r).values()} for r in self.rows if r < row]
        return any({"low", "high"} <= names for names in above)

    @cached_property
    def header_row(self) -> int:
        """The row of column names: of the Excel table, of the years, or the first with three labels; 0 where there is none."""
        if self.tables:
            return self.tables[0][1].top
        if self.axis:
            return self.axis.row
        for row in sorted(r for r in self.rows if r <= HEADER_WITHIN):
            cells = self.filled(row).values()
            if (
                len(cells) >= 3
                and all(c.kind == "s" and c.formula is None for c in cells)
                and any(r > row for r in self.rows)
            ):
                return row
        return 0

    @cached_property
    def header(self) -> dict[str, int]:
        """Column names, folded, to columns."""
        named = {
            folded(c.text): column for column, c in reversed(self.filled(self.header_row).items()) if c.text
        }
        return named if self.header_row else {}

    @cached_property
    def year_labels(self) -> set[int]:
        """The columns whose header ends in the word year."""
        return {column for name, column in self.header.items() if name.split()[-1:] == ["year"]}

    def column(self, *names: str) -> int:
        """The column of the first of some names that the header has, or 0."""
        return next((self.header[n] for n in names if n in self.header), 0)

    @cached_property
    def body(self) -> list[tuple[int, dict[int, Cell]]]:
        """The rows below the header that hold something, in order."""
        rows = ((row, self.filled(row)) for row in sorted(self.rows) if row > self.header_row > 0)
        return [(row, cells) for row, cells in rows if cells]

    def text_at(self, row: int, column: int) -> str:
        cell = self.cell(row, column)
        return cell.value.strip() if cell else ""


@dataclass
class Book:
    """A workbook file."""

    path: Path
    sheets: list[Sheet]
    styles: list[Style]
    names: list[tuple[str, str, str, bool]]
    """Defined names: name, what it refers to, the title of its sheet or "", whether hidden; without print titles and areas."""
    parts: list[str]
    outside: list[tuple[str, str]]
    """Parts that refer outside of the package, and where to."""
    calculation: dict[str, str]
    first_shown: int
    _meanings: dict[str, Meaning] = field(default_factory=dict)
    _relative: dict[str, dict[tuple[int, int], str]] = field(default_factory=dict)
    _formulas: dict[str, list[tuple[Cell, Meaning]]] = field(default_factory=dict)

    def sheet(self, title: str) -> Sheet | None:
        """A sheet by its title, whatever the case, with spaces or underscores."""
        wanted = folded(title.replace("_", " "))
        return next((s for s in self.sheets if folded(s.title.replace("_", " ")) == wanted), None)

    def style(self, cell: Cell) -> Style:
        return self.styles[cell.style] if 0 <= cell.style < len(self.styles) else Style()

    def relative(self, sheet: Sheet) -> dict[tuple[int, int], str]:
        """The formulas of a sheet in relative terms, by row and column."""
        if sheet.title not in self._relative:
            self._relative[sheet.title] = {
                (c.row, c.column): relative(c.formula or "", c.row, c.column) for c in sheet.formulas
            }
        return self._relative[sheet.title]

    def meanings(self, sheet: Sheet) -> list[tuple[Cell, Meaning]]:
        """Each formula of a sheet and what it is made of; formulas that are copies of one another are taken apart once."""
        if sheet.title not in self._formulas:
            terms = self.relative(sheet)
            self._formulas[sheet.title] = [
                (c, self._meaning(terms[c.row, c.column], c.formula or "")) for c in sheet.formulas
            ]
        return self._formulas[sheet.title]

    def _meaning(self, term: str, formula: str) -> Meaning:
        meaning = self._meanings.get(term)
        if meaning is None:
            meaning = self._meanings[term] = meaning_of(formula)
        return meaning

    @cached_property
    def input_styles(self) -> frozenset[int]:
        return frozenset(i for i, style in enumerate(self.styles) if style.name.casefold() in INPUT_STYLES)

    @cached_property
    def known_names(self) -> set[str]:
        tables = {folded(name) for s in self.sheets for name, *_ in s.tables}
        return {folded(n) for n, *_ in self.names} | tables | {"true", "false"}

    def is_input(self, sheet: Sheet, cell: Cell) -> bool:
        """Whether a cell takes what a user types: it looks like an input, or is a typed number of an input sheet."""
        if cell.formula is not None:
            return False
        return cell.style in self.input_styles or (
            sheet.kind == "inputs" and cell.typed_number and cell.row > sheet.header_row > 0
        )


CHART_TAG = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
TEXT_TAG = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
YES = ("1", "true")
