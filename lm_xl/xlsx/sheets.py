"""A workbook's sheets, read in one pass each: the cells, and what is said beside them.

A reader made for editing workbooks has no place for the cell of a NaN, drops rows that are out of order, warns of what it will
not save, and parses all of the package.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, TypeVar

from lm_xl.xlsx.addresses import (
    LAST_COLUMN,
    LAST_ROW,
    Area,
    address_of,
    area_of,
    column_number,
    formula_moved,
)
from lm_xl.xlsx.package import Damaged, Enough, Package

MOST_CHARACTERS = 32_767
"""What a cell of a spreadsheet holds at most."""
MOST_AREAS = 100_000
"""Areas and runs of columns of one sheet (merged, validated, wide) that are read."""

DATA_TABLE = "TABLE()"
"""Stands for the formula of a what-if table, which no cell can be given by hand."""

YES = ("1", "true")

C = TypeVar("C")

CellOf = Callable[[int, int, int, str, str | None, str], C | None]
"""Makes what a reader keeps of a cell from its row, column, number of style, kind, formula or None, and text; None keeps nothing.

The kind is n (number), s (text), b (truth value), e (error), d (date in words) or str (text of a formula). A shared formula
comes as each of its cells would show it, that of a block (an array formula) in its first cell alone.
"""


class ColumnWidth(NamedTuple):
    """How neighbouring columns are shown."""

    first: int
    last: int
    width: float
    hidden: bool


class DataValidation(NamedTuple):
    """Which cells are validated, by what, and whether the user is told."""

    areas: tuple[Area, ...]
    kind: str
    formula: str
    has_message: bool


@dataclass
class SheetSettings:
    """What a sheet says beside the contents of its cells."""

    colour: str | None = None
    """Of its tab, as RRGGBB; "" for one of the theme's."""
    hidden_rows: list[int] = field(default_factory=list)
    rows_hidden: bool = False
    """Whether every row without a height is hidden."""
    columns: list[ColumnWidth] = field(default_factory=list)
    default_width: float = 8.43
    merged: list[str] = field(default_factory=list)
    frozen: tuple[int, int] | None = None
    """Rows and columns that stay when the rest scrolls."""
    active: str = "A1"
    top_left: str = "A1"
    page: dict[str, str] = field(default_factory=dict)
    fits_page: bool = False
    footer: str = ""
    validations: list[DataValidation] = field(default_factory=list)
    blocks: list[tuple[Area, str]] = field(default_factory=list)
    """The area of each array formula, and the formula."""
    dynamic: list[str] = field(default_factory=list)
    """Cells whose formula spills as far as it needs."""
    bare: list[str] = field(default_factory=list)
    """Cells that say they hold a text and have none."""
    below: int = 0
    """The first row with data below the last that is read."""


def read_sheet(
    package: Package,
    part: str,
    texts: list[str],
    rows: dict[int, dict[int, C]],
    cell_of: CellOf[C],
    last_row: int = LAST_ROW,
) -> SheetSettings:
    """Read a sheet in one pass, its cells into `rows`, by row and column from 1. `texts` are the workbook's shared ones."""
    reading = _SheetPass(package, part, texts, rows, cell_of, last_row)
    try:
        package.parse(part, reading.start, reading.end, reading.text)
    except Damaged as damage:
        if damage.part == part and reading.cell is not None:
            damage.cell = reading.address
        raise
    return reading.settings


class _SheetPass:
    """The handlers of one pass over a sheet, and where the pass stands."""

    def __init__(
        self,
        package: Package,
        part: str,
        texts: list[str],
        rows: dict[int, dict[int, Any]],
        cell_of: CellOf[Any],
        last_row: int,
    ) -> None:
        self.take = package.take
        self.part, self.texts, self.rows, self.cell_of, self.last_row = part, texts, rows, cell_of, last_row
        self.settings = SheetSettings()
        self.taken = TakenText()
        self.text = self.taken.add
        self.row = self.column = self.areas = 0
        self.cells: dict[int, Any] = {}
        self.cell: dict[str, str] | None = None
        self.formula: dict[str, str] | None = None
        """The attributes of the cell, and of the formula in it, that is being read."""
        self.has_text = False
        """Whether a text stands in the cell itself."""
        self.shared: dict[str, tuple[str, int, int]] = {}
        """Formulas that several cells share, each with its first cell."""
        self.validation: tuple[dict[str, str], dict[str, str]] = {}, {}
        """The attributes of the validation that is being read, and the texts in it."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.cell is not None:
            if name == "f":
                self.formula = attributes
            elif name == "is":
                self.has_text = True
            self.taken.start(name)
        elif name == "c":
            reference = attributes.get("r")
            if not self.row:
                raise Damaged("has a cell outside of its rows: save it again from Excel")
            self.column = self.column_of(reference) if reference else self.column + 1
            self.cell, self.formula, self.has_text = attributes, None, False
            self.taken.begin()
        elif name == "row":
            self.start_row(attributes)
        elif name == "dataValidation":
            self.validation = attributes, {}
        elif name in _WORDS:
            self.taken.begin(taking=True)
        else:
            _note_setting(self.settings, name, attributes)
            if name in ("col", "mergeCell"):
                self.note_areas(1)

    def end(self, name: str) -> None:
        if self.cell is None:
            if name in _WORDS:
                self.end_words(name)
            elif name == "dataValidation":
                self.settings.validations.append(_validation(*self.validation))
                self.note_areas(len(self.settings.validations[-1].areas))
        elif name == "c":
            self.end_cell(self.cell)
            self.cell = None
        else:
            self.taken.end(name)

    def note_areas(self, count: int) -> None:
        self.areas += count
        if self.areas > MOST_AREAS:
            what = "merged areas, validated areas and widths of columns"
            raise Damaged(f"has more than {MOST_AREAS:,} {what}: more than is read")

    def start_row(self, attributes: dict[str, str]) -> None:
        self.row, self.column = int(attributes.get("r") or self.row + 1), 0
        if not 1 <= self.row <= LAST_ROW:
            raise Damaged(f"has a row {self.row:,} in {self.part}: save it again from Excel")
        if attributes.get("hidden") in YES or attributes.get("ht") == "0":
            self.settings.hidden_rows.append(self.row)
        if self.row <= self.last_row:
            self.cells = self.rows.setdefault(self.row, {})

    def column_of(self, reference: str) -> int:
        """The column of a cell's address, which must be in the row it stands in."""
        letters = reference.rstrip("0123456789")
        row = reference[len(letters) :]
        column = _column(letters)
        if not column or not row or int(row) != self.row:
            raise Damaged(f"has a cell {reference!r} in row {self.row}: save it again from Excel")
        return column

    @property
    def address(self) -> str:
        return address_of(self.row, self.column)

    def end_cell(self, attributes: dict[str, str]) -> None:
        kind, text = attributes.get("t") or "n", self.taken.value
        if self.row > self.last_row:
            if self.formula is not None or text:
                self.settings.below = self.row
                raise Enough
            return
        if self.column > LAST_COLUMN:
            raise Damaged(
                f"has a cell in column {self.column:,}, which no sheet has: save it again from Excel"
            )
        formula = None if self.formula is None else self.end_formula(self.formula, attributes)
        if kind == "inlineStr" and not self.has_text:
            self.settings.bare.append(self.address)
        if kind == "s" and text:
            text = self.shared_text(int(text))
        elif kind == "inlineStr" or (kind == "str" and formula is None):
            kind = "s"
        self.take(len(text), len(formula or ""))
        kept = self.cell_of(self.row, self.column, int(attributes.get("s") or "0"), kind, formula, text)
        if kept is None:
            return
        if self.column in self.cells:
            raise Damaged("has the cell twice: save it again from Excel")
        self.cells[self.column] = kept

    def shared_text(self, at: int) -> str:
        if not 0 <= at < len(self.texts):
            raise Damaged(f"refers to the shared text {at}, which is not there: save it again from Excel")
        return self.texts[at]

    def end_formula(self, attributes: dict[str, str], cell: dict[str, str]) -> str:
        """The formula of the cell, however it is stored."""
        formula, kind = self.taken.formula, attributes.get("t")
        if cell.get("cm"):
            self.settings.dynamic.append(self.address)
        if kind == "dataTable":
            return DATA_TABLE
        if kind == "array":
            area = area_of(attributes.get("ref", ""))
            if area:
                self.settings.blocks.append((area, formula))
        elif kind == "shared":
            key = attributes.get("si", "")
            if formula:
                self.shared[key] = formula, self.row, self.column
            else:
                first, top, left = self.shared.get(key, ("", self.row, self.column))
                return formula_moved(first, self.row - top, self.column - left)
        return formula

    def end_words(self, name: str) -> None:
        words = self.taken.value
        self.take(len(words))
        if name.endswith("Footer"):
            self.settings.footer += words
        else:
            self.validation[1][name] = words


@cache
def _column(letters: str) -> int:
    return column_number(letters) if re.fullmatch("[A-Z]{1,3}", letters) else 0


_WORDS = {"formula1", "sqref", "oddFooter", "evenFooter", "firstFooter"}
"""Elements outside of cells whose text is wanted."""


def _note_setting(settings: SheetSettings, name: str, found: dict[str, str]) -> None:
    """Take over the attributes of an element that stands beside the cells."""
    match name:
        case "tabColor":
            settings.colour = found.get("rgb", "")[-6:].upper()
        case "pageSetUpPr":
            settings.fits_page = found.get("fitToPage") in YES
        case "sheetView":
            settings.top_left = found.get("topLeftCell", "A1")
        case "pane" if found.get("state") in ("frozen", "frozenSplit"):
            settings.frozen = int(float(found.get("ySplit") or "0")), int(float(found.get("xSplit") or "0"))
        case "selection":
            settings.active = found.get("activeCell", "A1")
        case "sheetFormatPr":
            wide = float(found.get("baseColWidth") or "8") + 0.43  # so many digits, and five pixels
            settings.default_width = float(found.get("defaultColWidth") or wide)
            settings.rows_hidden = found.get("zeroHeight") in YES
        case "col":
            first, last = int(found["min"]), min(int(found["max"]), LAST_COLUMN)
            width = float(found.get("width") or settings.default_width)
            hidden = found.get("hidden") in YES or width == 0
            settings.columns.append(ColumnWidth(first, max(first, last), width, hidden))
        case "mergeCell":
            settings.merged.append(found["ref"])
        case "pageSetup":
            settings.page = found


def _validation(attributes: dict[str, str], words: dict[str, str]) -> DataValidation:
    """A data validation, as Excel 2007 or as its successors write it."""
    places = (attributes.get("sqref") or words.get("sqref", "")).split()
    told = (attributes.get("showErrorMessage") in YES and bool(attributes.get("error"))) or (
        attributes.get("showInputMessage") in YES and bool(attributes.get("prompt"))
    )
    areas = tuple(area for area in map(area_of, places) if area)
    return DataValidation(areas, attributes.get("type", "none"), words.get("formula1", "").strip(), told)


class TakenText:
    """The texts of one cell: its formula, and its value or the runs of a rich text without phonetic hints."""

    def __init__(self) -> None:
        self.taking = self.phonetic = False
        self.begin()

    def begin(self, *, taking: bool = False) -> None:
        self.pieces: list[str] = []
        self.length = 0
        self.formula = ""
        self.taking = taking

    def start(self, name: str) -> None:
        self.phonetic |= name == "rPh"
        self.taking = name in ("v", "t", "f") and not self.phonetic
        if name == "f":
            self.before = len(self.pieces), self.length

    def end(self, name: str) -> None:
        self.phonetic &= name != "rPh"
        self.taking = False
        if name == "f":
            pieces, self.length = self.before
            self.formula = "".join(self.pieces[pieces:])
            del self.pieces[pieces:]

    def add(self, text: str) -> None:
        """Told each text of the part."""
        if self.taking:
            self.length += len(text)
            if self.length > MOST_CHARACTERS:
                raise Damaged(
                    f"has a cell of more than {MOST_CHARACTERS:,} characters, which no spreadsheet writes"
                )
            self.pieces.append(text)

    @property
    def value(self) -> str:
        """What was taken but for the formula; a spreadsheet writes control characters as _x000D_."""
        self.taking = False
        text = "".join(self.pieces)
        return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text) if "_x" in text else text
