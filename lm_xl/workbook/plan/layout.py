"""Places in a deliverable: the names of its sheets, and the rows, columns and cells that several modules refer to."""

from __future__ import annotations

from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.cells import YEAR_COLUMN
from lm_xl.xlsx.addresses import column_letters, split_address

HEADER_ROW = 5
FIRST_ROW = HEADER_ROW + 1
"""The row of column names on every sheet, and the one under it."""
HEADER_CELL = (4, 1)
"""Row and column of the master check on every sheet."""
BANNER_CELL = (3, 1)
"""Row and column of the banner on a sheet of analyses."""

INPUTS, COVER, WORDS, LONG = "Inputs", "Cover", "Calc_Text", "Data_long"
DASHBOARD, EXPLORER, CONTENTS = "Dashboard", "Explorer", "Contents"
CHECKS, FORMULAS = "Checks", "Formulas"

# Sheets of lines

KEY_COLUMNS = {REGION: "B", SEGMENT: "C", SUBTYPE: "D"}
CONSTANT = 7
"""Column of a value that does not move; the years follow it, in the same columns on every sheet."""
CONSTANT_LETTER = column_letters(CONSTANT)
CALCULATION, TOTAL = "lm calculation", "lm total"
"""The styles of a line of numbers, and of a sum of lines."""
SHARE_FIRST, SHARE_LAST = "share_first", "share_last"
"""What stands beside a line of a ranking: its share of the total in the first and the last year."""

# Single sheets

CHOICES = {
    "scenario": (DASHBOARD, "A6"),
    "scope": (DASHBOARD, "D6"),
    "basis": (DASHBOARD, "G6"),
    "currency": (DASHBOARD, "J6"),
    "region": (EXPLORER, "A6"),
    "segment": (EXPLORER, "B6"),
    "subtype": (EXPLORER, "F6"),
    "year": (EXPLORER, "J6"),
}
"""The sheet and the cell of each choice: what is shown on all pages, and what the explorer explains."""
BAND = {"low": "B24", "high": "B25"}
"""The cells of the cover that hold the band outside of which a comparison with a published figure is amber."""
WORDS_VALUE = 3
"""The column of the pieces of the sentences."""
LONG_VALUE = 7
"""The column of the values of the long data."""
AMOUNT = "G"
"""The column of a scenario delta's amount."""


def year_columns(years: int) -> tuple[int, ...]:
    """The columns of so many years."""
    return tuple(range(CONSTANT + 1, CONSTANT + 1 + years))


def letters_of(*, moving: bool) -> str:
    """The column of a line's cells in a formula: that of each year, or the one of constants."""
    return YEAR_COLUMN if moving else CONSTANT_LETTER


def column_beside(place: str, years: int) -> int:
    """The column of what stands beside a line, after the last year."""
    return CONSTANT + years + (SHARE_FIRST, SHARE_LAST).index(place) + 1


def chosen_cell(what: str) -> str:
    """A reference to the cell of a choice."""
    sheet, address = CHOICES[what]
    column, row = split_address(address)
    return f"{sheet}!${column}${row}"


def column_range(sheet: str, first: int, last: int, first_row: int, last_row: int) -> str:
    """A reference to some columns and rows of a sheet, all fixed."""
    return f"{sheet}!${column_letters(first)}${first_row}:${column_letters(last)}${last_row}"
