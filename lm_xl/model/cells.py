"""A symbolic cell: run on these, a stage gives its Excel formulas instead of its numbers.

Evaluation order is kept by brackets, so a spreadsheet adds and multiplies in the same order as numpy does. The literals 0
and 1 are structure: 0 times a cell is no cell at all. Anything a spreadsheet could understand differently raises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

ADD, TIMES, POWER, OPERAND = range(1, 5)
ROW, YEAR_COLUMN = "\x01", "\x02"
"""Stand in a formula's text for the row it is written to and the column of each year: one formula serves all years."""

MOST_RANGES = 4
"""A sum over more separate ranges than this is written as SUMIFS."""


class Symbol:
    """A formula without its equals sign, with the rank of its outermost operator."""

    __slots__ = ("rank", "text")
    __array_ufunc__ = None

    def __init__(self, text: str, rank: int = OPERAND) -> None:
        self.text = text
        self.rank = rank

    def __repr__(self) -> str:
        return f"={self.text}"

    def __bool__(self) -> bool:
        raise TypeError("a cell has no truth value while it is traced: use ops.where")

    def _refuse(self, *_: object) -> Symbol:
        raise TypeError("a cell cannot do this while it is traced: see ops for the vocabulary")

    __neg__ = __abs__ = __lt__ = __le__ = __gt__ = __ge__ = __floordiv__ = __mod__ = _refuse

    def __add__(self, other: Term) -> Term:
        return self if _is(other, 0) else _join(self, "+", other, ADD)

    def __radd__(self, other: Term) -> Term:
        return self if _is(other, 0) else _join(other, "+", self, ADD)

    def __sub__(self, other: Term) -> Term:
        return self if _is(other, 0) else _join(self, "-", other, ADD)

    def __rsub__(self, other: Term) -> Term:
        return _join(other, "-", self, ADD)

    def __mul__(self, other: Term) -> Term:
        if _is(other, 0):
            return 0
        return self if _is(other, 1) else _join(self, "*", other, TIMES)

    __rmul__ = __mul__

    def __truediv__(self, other: Term) -> Term:
        if _is(other, 0):
            raise ZeroDivisionError("a cell divided by a structural zero")
        return self if _is(other, 1) else _join(self, "/", other, TIMES)

    def __rtruediv__(self, other: Term) -> Term:
        return 0 if _is(other, 0) else _join(other, "/", self, TIMES)

    def __pow__(self, other: Term) -> Term:
        return self if _is(other, 1) else _join(self, "^", other, POWER)

    def __rpow__(self, other: Term) -> Term:
        return _join(other, "^", self, POWER)


class Cell(Symbol):
    """A cell of a sheet, its column fixed or YEAR_COLUMN. `block` is the block it belongs to, where it belongs to one."""

    __slots__ = ("block", "column", "row", "sheet")

    def __init__(self, sheet: str, column: str, row: int, block: Block | None = None) -> None:
        super().__init__(f"{sheet}!{column if column == YEAR_COLUMN else f'${column}'}{row}")
        self.sheet = sheet
        self.column = column
        self.row = row
        self.block = block


Term = Symbol | int


@dataclass(frozen=True)
class Block:
    """The rows of one stage's output on a sheet: their labels stand in `key_columns`, by axis."""

    sheet: str
    first_row: int
    last_row: int
    keys: dict[int, tuple[int, ...]]
    """Row to (region, segment, subtype) positions, the first of them where a row stands for several."""
    key_columns: dict[int, str]
    shared: bool = False
    """Whether a row may stand for several positions, so that labels do not find all of them."""
    _counts: dict[tuple[int, ...], Counter[tuple[int, ...]]] = field(default_factory=dict, compare=False)

    def count(self, axes: Sequence[int], cell: Cell) -> int:
        """How many rows share a cell's labels on these axes."""
        on = tuple(axes)
        if on not in self._counts:
            self._counts[on] = Counter(tuple(key[a - 1] for a in on) for key in self.keys.values())
        return self._counts[on][tuple(self.keys[cell.row][a - 1] for a in on)]


def _is(term: Term, literal: int) -> bool:
    return not isinstance(term, Symbol) and term == literal


def text_of(term: Term) -> tuple[str, int]:
    """A term's text and rank. Refuses every number but 0 and 1: values live in the workbook."""
    if isinstance(term, Symbol):
        return term.text, term.rank
    if term not in (0, 1):
        raise TypeError(f"the number {term!r} in a stage: values live in the assumptions workbook")
    return str(int(term)), OPERAND


def _join(left: Term, sign: str, right: Term, rank: int) -> Symbol:
    a, a_rank = text_of(left)
    b, b_rank = text_of(right)
    # On the right also at the same rank: a-(b-c), a/(b*c) and a^(b^c) are other numbers without brackets.
    if a_rank < rank:
        a = f"({a})"
    if b_rank <= rank:
        b = f"({b})"
    return Symbol(f"{a}{sign}{b}", rank)


def call(function: str, *terms: Term) -> Symbol:
    """A spreadsheet function of some terms."""
    return Symbol(f"{function}({','.join(text_of(t)[0] for t in terms)})")


def sum_of(terms: Sequence[Term], kept: Sequence[int] = ()) -> Term:
    """SUM over cells: as ranges, or over scattered rows of a block as SUMIFS on the `kept` axes."""
    cells = [t for t in terms if not _is(t, 0)]
    if len(cells) <= 1:
        return cells[0] if cells else 0
    if not all(isinstance(c, Cell) for c in cells):
        raise TypeError("SUM takes cells that have been written, not formulas")
    ranges = _ranges([c for c in cells if isinstance(c, Cell)])
    if len(ranges) > MOST_RANGES:
        scattered = _sumifs(ranges, len(cells), kept)
        if scattered is not None:
            return scattered
    texts = (f"{r[0].text}:{r[-1].text.rpartition('!')[2]}" if len(r) > 1 else r[0].text for r in ranges)
    return Symbol(f"SUM({','.join(texts)})")


def weighted(terms: Sequence[Term], weights: Sequence[Term]) -> Term:
    """A sum of cells, each times its weight: cells of one weight added up first, cells and weights that run together as SUMPRODUCT."""
    of_weight: dict[str, list[tuple[Term, Term]]] = {}
    for term, weight in zip(terms, weights, strict=True):
        if not _is(term, 0) and not _is(weight, 0):
            of_weight.setdefault(text_of(weight)[0], []).append((term, weight))
    runs: list[list[tuple[Term, Term]]] = []
    summed: Term = 0
    for among in of_weight.values():
        if len(among) > 1:
            summed = summed + sum_of([term for term, _ in among]) * among[0][1]
        elif runs and all(map(_follows, among[0], runs[-1][-1])):
            runs[-1] += among
        else:
            runs.append(among)
    for run in runs:
        if len(run) == 1:
            summed = summed + run[0][0] * run[0][1]
        else:
            ends = ((text_of(a)[0], text_of(b)[0]) for a, b in zip(run[0], run[-1], strict=True))
            ranges = (f"{first}:{last.rpartition('!')[2]}" for first, last in ends)
            summed = summed + Symbol(f"SUMPRODUCT({','.join(ranges)})")
    return summed


def _follows(cell: Term, before: Term) -> bool:
    """Whether a cell stands right below another."""
    return (
        isinstance(cell, Cell)
        and isinstance(before, Cell)
        and (cell.sheet, cell.column, cell.row) == (before.sheet, before.column, before.row + 1)
    )


def _ranges(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Cells in order, those that stand one below the other together."""
    ranges: list[list[Cell]] = []
    end = ("", "", 0)
    for cell in sorted(cells, key=lambda c: (c.sheet, c.column, c.row)):
        if end == (cell.sheet, cell.column, cell.row - 1):
            ranges[-1].append(cell)
        else:
            ranges.append([cell])
        end = cell.sheet, cell.column, cell.row
    return ranges


def _sumifs(ranges: Sequence[list[Cell]], size: int, kept: Sequence[int]) -> Symbol | None:
    """The sum over the rows of a block with the labels of its own row, or None where that would take in other cells."""
    cell = ranges[0][0]
    block = cell.block
    if (
        block is None
        or block.shared
        or any(r[0].block is not block or r[0].column != cell.column for r in ranges)
    ):
        return None
    # SUMIFS takes every row with these labels, so the cells must be all of them.
    if block.count(kept, cell) != size:
        return None

    def column(letter: str) -> str:
        return f"{block.sheet}!{letter}${block.first_row}:{letter}${block.last_row}"

    keys = "".join(f",{column('$' + block.key_columns[a])},${block.key_columns[a]}{ROW}" for a in kept)
    values = column(YEAR_COLUMN if cell.column == YEAR_COLUMN else f"${cell.column}")
    return Symbol(f"SUMIFS({values}{keys})" if kept else f"SUM({values})")
