"""The largest lines of a block by the last year, live: whatever is chosen or changed, they stand in the order of their size."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from lm_xl.model.axes import REGION, SEGMENT
from lm_xl.model.cells import YEAR_COLUMN, Block
from lm_xl.model.ops import Array
from lm_xl.workbook.plan.front.sentences import kept
from lm_xl.workbook.plan.front.values import Number, Text, labels, on_axis, ratio, shown
from lm_xl.workbook.plan.layout import (
    CONSTANT,
    CONSTANT_LETTER,
    KEY_COLUMNS,
    SHARE_FIRST,
    SHARE_LAST,
    column_beside,
    column_range,
)
from lm_xl.workbook.plan.lines import RESIDUE_SCALE, Line, Plan, PythonValues
from lm_xl.xlsx.addresses import column_letters, column_number

OTHER = "Other"


def rank(p: Plan, source: str, name: str, most: int, dim: int) -> list[Text]:
    """Write the largest lines of a block below it, and all others as one line, with their shares of the sum. Returns their names."""
    block = p.blocks[source]
    sheet, n = p.sheet(block.sheet), min(most, len(block.keys))
    sheet.row += 1
    sheet.headings.append(
        (sheet.take_row(), f"The largest of {source.replace('_', ' ')} in the last year, and the others")
    )
    rows: dict[int, tuple[int, ...]] = {sheet.take_row(): on_axis(dim, k) for k in range(n + 1)}
    p.blocks[name], p.moving[name] = Block(block.sheet, min(rows), max(rows), rows, KEY_COLUMNS), True

    def largest(arrays: Mapping[str, Array]) -> Array:
        x = arrays[source]
        lines = list(block.keys.values())
        last = np.array([x[(0, *at)][-1] for at in lines])
        places = by_size(_keyed(last))
        named, others = (
            np.take(x, [lines[i][dim - REGION] for i in some], axis=dim) for some in (places[:n], places[n:])
        )
        return np.concatenate([named, others.sum(axis=dim, keepdims=True)], axis=dim)

    p.reducers[name] = largest
    for k, row in enumerate(rows):
        formula = _named(p, source, name, row, k, dim) if k < n else _others(p, source, name, row, dim)
        line = Line(
            row=row,
            columns=p.columns(moving=True),
            formula=formula,
            array=name,
            at=rows[row],
            quantity=name,
            unit="million",
            origin="rank",
            scale=RESIDUE_SCALE,
        )
        sheet.lines.append(line)
    for k, row in enumerate(rows):
        for place, y in ((SHARE_FIRST, 0), (SHARE_LAST, -1)):
            share = ratio(shown(p, name, y, k), _sum(p, source, y))
            _beside(p, name, row, column_beside(place, len(p.years)), f"{place} of {k}", share, "share")
    letter, measures = KEY_COLUMNS[dim], [p.measures[f"{name}: name of {k}"] for k in range(n + 1)]
    return [
        Text(f"{block.sheet}!${letter}${row}", measure)  # type: ignore[arg-type]
        for row, measure in zip(rows, measures, strict=True)
    ]


def rank_keys(p: Plan, source: str) -> str:
    """Write beside each line of a block the key of its rank: its last number, less a little for each place, so that equal ones keep
    their order whatever a rounding does. Returns the range of the keys."""
    block, column = p.blocks[source], column_beside(SHARE_LAST, len(p.years)) + 1
    if f"{source}: key 0" not in p.measures:
        own = column_letters(p.columns(moving=p.moving[source])[-1])
        for i, row in enumerate(block.keys):
            below = f"ROWS($A${block.first_row}:$A{row})/1000/1000/1000"
            _beside(
                p, source, row, column, f"key {i}", Number(f"${own}{row}-{below}", _key(source, i)), "number"
            )
    return column_range(block.sheet, column, column, block.first_row, block.last_row)


def _key(source: str, i: int) -> Callable[[PythonValues], float]:
    return lambda python: float(keys_of(python, source)[i])


def keys_of(python: PythonValues, source: str) -> Array:
    """The keys of a block's lines."""
    return _keyed(python.block(source)[:, -1])


def _keyed(last: Array) -> Array:
    return last - np.arange(1, len(last) + 1) / 1000 / 1000 / 1000


def by_size(keys: Array) -> list[int]:
    """Positions, the largest first."""
    return [int(i) for i in np.argsort(-keys, kind="stable")]


def _named(p: Plan, source: str, name: str, row: int, k: int, dim: int) -> str:
    """Write the place and the name of a rank; returns the formula of its numbers."""
    block, letter = p.blocks[source], KEY_COLUMNS[dim]
    keys, names = rank_keys(p, source).replace(f"{block.sheet}!", ""), labels(p, source, dim)
    first = p.blocks[name].first_row

    def place(python: PythonValues) -> float:
        return float(by_size(keys_of(python, source))[k] + 1)

    size = f"LARGE({keys},ROWS($A${first}:$A{row}))"
    _beside(p, name, row, CONSTANT, f"place of {k}", Number(f"MATCH({size},{keys},0)", place))
    column = f"${letter}${block.first_row}:${letter}${block.last_row}"
    said = Text(f"INDEX({column},${CONSTANT_LETTER}{row})", lambda python: names[int(place(python)) - 1])
    _beside(p, name, row, column_number(letter), f"name of {k}", said)
    return f"INDEX({YEAR_COLUMN}${block.first_row}:{YEAR_COLUMN}${block.last_row},${CONSTANT_LETTER}{row})"


def _others(p: Plan, source: str, name: str, row: int, dim: int) -> str:
    """Write the name of the others; returns the formula of their numbers."""
    block, first = p.blocks[source], p.blocks[name].first_row
    k = row - first
    _beside(
        p, name, row, column_number(KEY_COLUMNS[dim]), f"name of {k}", Text(f'"{OTHER}"', lambda _: OTHER)
    )
    # summed as they are: what all have less what the first have would leave a rounding where there are no others
    keys = rank_keys(p, source).replace(f"{block.sheet}!", "")
    values = f"{YEAR_COLUMN}${block.first_row}:{YEAR_COLUMN}${block.last_row}"
    return f"SUMPRODUCT(({keys}<LARGE({keys},ROWS($A${first}:$A{row - 1})))*{values})"


def _sum(p: Plan, source: str, y: int) -> Number:
    cells = p.range(source, p.columns(moving=True)[y])
    return Number(f"SUM({cells})", lambda python: float(python.block(source)[:, y].sum()))


def _beside(
    p: Plan, name: str, row: int, column: int, what: str, value: Number | Text, unit: str = "text"
) -> None:
    array = f"{name}: {what}"
    p.measures[array] = value.measure
    line = Line(
        row=row,
        columns=(column,),
        formula=value.formula,
        array=array,
        unit=unit,
        scale=RESIDUE_SCALE if "key" in what else 1,
    )
    p.sheet(p.blocks[name].sheet).lines.append(line)


def ranked(p: Plan, source: str, place: int) -> tuple[Text, Number]:
    """The name and the number of a line by its size: the largest is 1, the next 2, the smallest -1."""
    block, numbers, keys = p.blocks[source], p.range(source), rank_keys(p, source)
    letter, names = KEY_COLUMNS[SEGMENT], labels(p, source)
    # places are sums of 1: a number in a formula would be a value without a source
    size = f"MIN({keys})" if place < 0 else f"LARGE({keys},{'+'.join('1' * place)})"

    def at(python: PythonValues) -> int:
        return by_size(keys_of(python, source))[place - 1 if place > 0 else -1]

    row = kept(p, source, Number(f"MATCH({size},{keys},0)", lambda python: float(at(python) + 1))).formula
    column = f"{block.sheet}!${letter}${block.first_row}:${letter}${block.last_row}"
    return (
        Text(f"INDEX({column},{row})", lambda python: names[at(python)]),
        Number(f"INDEX({numbers},{row})", lambda python: float(python.block(source)[at(python), 0])),
    )
