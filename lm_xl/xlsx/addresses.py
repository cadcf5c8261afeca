"""How cells are addressed: letters and numbers of columns, cells, areas. Rows and columns count from 1."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
"""Of a sheet."""


class Area(NamedTuple):
    """A rectangle of cells."""

    top: int
    left: int
    bottom: int
    right: int

    def holds(self, row: int, column: int) -> bool:
        """Whether a cell is one of its own."""
        return self.top <= row <= self.bottom and self.left <= column <= self.right


@cache
def in_formulas(title: str) -> str:
    """A sheet's title as formulas write it: in quotes where it has more than letters, digits and underscores."""
    return title if title.replace("_", "a").isalnum() else "'" + title.replace("'", "''") + "'"


@cache
def column_letters(number: int) -> str:
    """A column's letters from its number: 1 is A, 28 is AB; 0 has none."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@cache
def column_number(letters: str) -> int:
    """A column's number from its letters, whatever their case."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def address_of(row: int, column: int) -> str:
    """The address of a cell."""
    return f"{column_letters(column)}{row}"


def split_address(address: str) -> tuple[str, str]:
    """Column letters and row of an address, as text."""
    column = address.rstrip("0123456789")
    return column, address[len(column) :]


def place_of(address: str) -> tuple[int, int]:
    """Row and column of an address, which may have dollar signs. Raises ValueError where it is none."""
    match = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})", address)
    if not match:
        raise ValueError(f"{address!r} is no address of a cell")
    return int(match[2]), column_number(match[1])


def area_of(reference: str) -> Area | None:
    """The rectangle of a reference such as A1, $A$1:B2, A:C or 1:5, or None."""
    match = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})(?::\$?([A-Za-z]{1,3})\$?(\d{1,7}))?", reference)
    if match:
        left, top = column_number(match[1]), int(match[2])
        right, bottom = (column_number(match[3]), int(match[4])) if match[3] else (left, top)
        return Area(min(top, bottom), min(left, right), max(top, bottom), max(left, right))
    match = re.fullmatch(r"\$?([A-Za-z]{1,3}):\$?([A-Za-z]{1,3})", reference)
    if match:
        return Area(1, column_number(match[1]), LAST_ROW, column_number(match[2]))
    match = re.fullmatch(r"\$?(\d{1,7}):\$?(\d{1,7})", reference)
    return Area(int(match[1]), 1, int(match[2]), LAST_COLUMN) if match else None


_MOVING = re.compile(
    r"""(?P<kept>"(?:[^"]|"")*+"?|'(?:[^']|'')*+'?|\[(?:[^\[\]]++|\[[^\[\]]*+\])*+\])
    |(?<![\w.$\\])(?:(?P<column>\$?[A-Za-z]{1,3})(?P<row>\$?[0-9]{1,7})
        |(?P<left>\$?[A-Za-z]{1,3}):(?P<right>\$?[A-Za-z]{1,3})
        |(?P<top>\$?[0-9]{1,7}):(?P<bottom>\$?[0-9]{1,7}))(?![\w.(!])""",
    re.X,
)
"""What stands in a formula: texts, quoted titles and columns of tables, which stay; and cells, columns and rows, which move."""


def formula_moved(formula: str, down: int, across: int) -> str:
    """A formula as a copy further down and to the right would read; beyond the last row or column it goes on from the first."""
    return "".join(
        piece
        if isinstance(piece, str)
        else str((piece.row + down) % LAST_ROW + 1)
        if isinstance(piece, _Row)
        else column_letters((piece.column + across) % LAST_COLUMN + 1)
        for piece in _pieces(formula)
    )


class _Row(NamedTuple):
    """The row of a reference that moves, from 0."""

    row: int


class _Column(NamedTuple):
    """The column of a reference that moves, from 0."""

    column: int


@lru_cache(maxsize=256)
def _pieces(formula: str) -> tuple[str | _Row | _Column, ...]:
    """A formula in pieces: what stays as text, and the columns and rows that move."""

    def column(letters: str) -> str | _Column:
        number = column_number(letters.lstrip("$"))
        return letters if letters.startswith("$") or number > LAST_COLUMN else _Column(number - 1)

    def row(number: str) -> str | _Row:
        return number if number.startswith("$") else _Row(int(number) - 1)

    pieces: list[str | _Row | _Column] = []
    at = 0
    for match in _MOVING.finditer(formula):
        pieces.append(formula[at : match.start()])
        at = match.end()
        if match["kept"]:
            pieces.append(match["kept"])
        elif match["column"]:
            pieces += column(match["column"]), row(match["row"])
        elif match["left"]:
            pieces += column(match["left"]), ":", column(match["right"])
        else:
            pieces += row(match["top"]), ":", row(match["bottom"])
    return (*pieces, formula[at:])
