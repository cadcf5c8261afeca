"""What formulas rest on, followed from cell to cell: whether that leads into a circle, or to another workbook."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property

from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import Area, area_of
from lm_xl.xlsx.sheets import DATA_TABLE
from lm_xl.xlsx.workbook_file import WorkbookFile

MOST_FOLLOWED = 1_000_000
"""References that are followed; what lies behind more of them is not looked at."""
MOST_IN_BLOCK = 10_000
"""Cells of an array formula that are known to hold it; of a larger one only the first is."""

Place = tuple[str, int, int]
"""A cell: the folded title of its sheet, its row and its column."""


class Precedents:
    """The formulas of an open workbook. Its sheets are read when a reference first leads to them."""

    def __init__(self, book: WorkbookFile) -> None:
        self._book = book
        self._sheets = {folded(sheet.title): sheet for sheet in book.sheets}
        self._formulas: dict[str, dict[int, dict[int, str]]] = {}
        self._rows: dict[str, list[int]] = {}
        self._ends_in_circle: dict[Place, bool] = {}
        self._followed = 0

    @property
    def exhausted(self) -> bool:
        """Whether there were more references than are followed."""
        return self._followed >= MOST_FOLLOWED

    def outside(self, place: Place) -> bool:
        """Whether the formula of a cell itself refers to another workbook."""
        return any(re.match(r"'?[^!]*\[", operand) and "!" in operand for operand in self._operands(place))

    def circular(self, start: Place) -> bool:
        """Whether the formula of a cell stands in a circle, or rests on one."""
        found, open_ = self._ends_in_circle, {start: self._targets(start)}
        while open_ and start not in found:
            place = next(reversed(open_))
            for target in open_[place]:
                if target in open_ or found.get(target):
                    found[place] = True
                elif target not in found:
                    open_[target] = self._targets(target)
                    break
            else:
                ends = found.setdefault(place, False)
                del open_[place]
                if ends and open_:
                    found[next(reversed(open_))] = True
        return found[start]

    def _targets(self, place: Place) -> Iterator[Place]:
        """The cells with formulas that the formula of a cell refers to."""
        for operand in self._operands(place):
            title, area = _meaning(operand)
            title = title or place[0]
            if area is None or title not in self._sheets:
                continue
            formulas, rows = self._formulas_of(title), self._rows[title]
            for row in rows[bisect_left(rows, area.top) : bisect_right(rows, area.bottom)]:
                for column in formulas[row]:
                    if area.left <= column <= area.right and not self.exhausted:
                        self._followed += 1
                        yield title, row, column

    def _operands(self, place: Place) -> Iterator[str]:
        """The references in the formula of a cell; defined names are followed one step."""
        sheet, row, column = place
        formula = self._formulas_of(sheet).get(row, {}).get(column, "")
        for operand in _references(formula):
            named = self._names.get(folded(operand))
            yield from _references(named) if named is not None else (operand,)

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return {folded(name.name): name.refers_to for name in self._book.names}

    def _formulas_of(self, title: str) -> Mapping[int, Mapping[int, str]]:
        if title not in self._formulas:
            rows: dict[int, dict[int, str]] = {}
            settings = self._book.read(self._sheets[title], rows, lambda *cell: cell[4])
            for (top, left, bottom, right), formula in settings.blocks:
                if (bottom - top + 1) * (right - left + 1) <= MOST_IN_BLOCK:
                    for row in range(top, bottom + 1):
                        rows[row] = dict.fromkeys(range(left, right + 1), formula) | rows.get(row, {})
            self._formulas[title], self._rows[title] = rows, sorted(row for row in rows if rows[row])
        return self._formulas[title]


def _references(formula: str) -> Iterator[str]:
    """The references and names in a formula."""
    from openpyxl.formula import Tokenizer
    from openpyxl.formula.tokenizer import Token, TokenizerError

    if formula == DATA_TABLE:
        return
    try:
        items = Tokenizer(f"={formula}").items
    except TokenizerError:
        return
    for token in items:
        if token.type == Token.OPERAND and token.subtype == Token.RANGE:
            yield token.value


def _meaning(operand: str) -> tuple[str, Area | None]:
    """The sheet, folded, and the area of a reference; no area for what is none of this workbook."""
    title, _, cells = operand.rpartition("!")
    if title.startswith("'"):
        title = title[1:-1].replace("''", "'")
    return folded(title), area_of(cells)
