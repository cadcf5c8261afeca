"""A number on the front as a formula and, beside it, as what Python computes: the parts that tiles and sentences are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lm_xl.model.axes import REGION, SEGMENT
from lm_xl.workbook.plan.layout import CONSTANT_LETTER, HEADER_ROW, INPUTS, chosen_cell
from lm_xl.workbook.plan.lines import Plan, PythonValues
from lm_xl.xlsx.addresses import column_letters

At = tuple[int, int, int]
"""Positions of a region, a segment and a subtype."""


def on_axis(dim: int, i: int) -> At:
    """A position on one axis, the first on the others."""
    at = [0, 0, 0]
    at[dim - REGION] = i
    return at[0], at[1], at[2]


class Number(NamedTuple):
    """A formula for a number, and its value in Python."""

    formula: str
    measure: Callable[[PythonValues], float]


class Text(NamedTuple):
    """A formula for words, and what Python says."""

    formula: str
    measure: Callable[[PythonValues], str]


def chosen(what: str) -> Text:
    """The name of what is chosen."""
    as_words = '&""' if what == "year" else ""
    return Text(f"{chosen_cell(what)}{as_words}", lambda python: str(python.choice.said()[what]))


def shown(p: Plan, block: str, y: int, i: int = -1) -> Number:
    """A line of a block in one year, both by position."""
    b = p.blocks[block]
    row, at = list(b.keys.items())[i]
    column = column_letters(p.columns(moving=p.moving[block])[y])

    def number(python: PythonValues) -> float:
        x = python.arrays[block][(0, *at)]
        return float(x[y if len(x) > 1 else 0])

    return Number(f"{b.sheet}!${column}${row}", number)


def switch_cell(p: Plan, name: str) -> str:
    """The cell of a switch of what is chosen, or of the rate or the explorer's year."""
    (line,) = (line for line in p.sheet(INPUTS).lines if line.array == f"choice {name}")
    return f"{INPUTS}!${CONSTANT_LETTER}${line.row}"


def in_chosen_year(p: Plan, block: str, at: tuple[int, ...]) -> Number:
    """A line of a block in the year of the explorer."""
    b, columns = p.blocks[block], p.columns(moving=True)
    row = next(r for r, key in b.keys.items() if key == at)
    first, last = (column_letters(c) for c in (columns[0], columns[-1]))

    def number(python: PythonValues) -> float:
        return float(python.arrays[block][(0, *at)][p.years.index(int(python.choice.year))])

    return Number(f"INDEX({b.sheet}!${first}${row}:${last}${row},1,{switch_cell(p, 'year place')})", number)


def ratio(part: Number, whole: Number) -> Number:
    """One number over another, n/a over nothing."""

    def number(python: PythonValues) -> float:
        divisor = whole.measure(python)
        return part.measure(python) / divisor if divisor else float("nan")

    return Number(f'IF({whole.formula}=0,"n/a",{part.formula}/{whole.formula})', number)


def growth(p: Plan, first: Number, last: Number) -> Number:
    """Growth a year from the first year to the last, n/a from nothing and from what is n/a, whose N is 0."""
    columns = p.columns(moving=True)
    start, end = (f"{INPUTS}!${column_letters(columns[y])}${HEADER_ROW}" for y in (0, -1))

    def number(python: PythonValues) -> float:
        a = first.measure(python)
        return (last.measure(python) / a) ** (1 / (p.years[-1] - p.years[0])) - 1 if a else float("nan")

    a = first.formula
    return Number(f'IF(N({a})=0,"n/a",({last.formula}/{a})^(1/({end}-{start}))-1)', number)


def labels(p: Plan, block: str, dim: int = SEGMENT) -> list[str]:
    """The labels of a block's lines on an axis, in order."""
    sheet = p.sheet(p.blocks[block].sheet)
    return [line.keys[dim - REGION] for line in sheet.lines if line.array == block]
