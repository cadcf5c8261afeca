"""Whether each value lies between its low and its high, as a rebuild demands: counts above the columns of each assumption sheet; and
whether it lies where evidence puts it, which nothing demands: counts beside the bands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from lm_xl.assumptions.assumptions import Assumptions, Band, Row
from lm_xl.assumptions.columns import BAND_COLUMNS, SHEETS
from lm_xl.forecasts.plausibility import banded_rows
from lm_xl.workbook.plan.input_cells import InputCells
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_CELL, HEADER_ROW, column_range
from lm_xl.workbook.plan.lines import Line, NumberOf, Plan, PythonValues
from lm_xl.workbook.plan.records import columns_of
from lm_xl.workbook.plan.staleness import rows_of
from lm_xl.xlsx.addresses import column_letters, place_of

BANDS = "Bands"
BAND_COUNT = len(BAND_COLUMNS) + 2
"""The first column of the counts beside the bands."""
COUNT_ROW = HEADER_CELL[0]
"""The counts stand beside the master check, above the names of their columns."""


class Side(NamedTuple):
    """One bound of a sheet's rows: the column that holds it, those that may hold a row's value, and how they must not compare."""

    name: str
    column: int
    values: tuple[int, ...]
    wrong: str

    def test(self, row: int) -> str:
        """The formula of whether a row's value is beyond this bound. A row has one of the values; blank cells have none."""
        bound = f"${column_letters(self.column)}{row}"
        cells = [f"${column_letters(column)}{row}" for column in self.values]
        beyond = ",".join(f'AND({cell}<>"",{cell}{self.wrong}{bound})' for cell in cells)
        return f'AND({bound}<>"",OR({beyond}))'


def bounded_sheets(a: Assumptions) -> Iterator[tuple[str, int, tuple[Side, Side]]]:
    """Each sheet of rows with its last row and its two bounds."""
    for sheet in SHEETS:
        if rows_of(a, sheet):
            yield sheet, HEADER_ROW + rows_of(a, sheet), _sides(a, columns_of(sheet, a.axes.years))


def _sides(a: Assumptions, named: Sequence[str]) -> tuple[Side, Side]:
    # a bound holds the value, of the last year where the row moves over the years
    last = str(a.axes.years[-1])
    values = tuple(named.index(name) + 1 for name in ("value", last) if name in named)
    return (
        Side("low", named.index("low") + 1, values, "<"),
        Side("high", named.index("high") + 1, values, ">"),
    )


def add_bounds(p: Plan) -> None:
    """Write the counts of each sheet."""
    for sheet, last, sides in bounded_sheets(p.assumptions):
        for side in sides:
            name = f"values of {sheet} beyond {side.name}"
            p.measures[name] = _count(p.assumptions, sheet, side)
            line = Line(
                row=COUNT_ROW, columns=(side.column,), formula=_formula(last, side), array=name, quantity=name
            )
            p.sheet(sheet).lines.append(line)
    _add_bands(p)


def beyond(a: Assumptions, sheet: str, sides: tuple[Side, Side]) -> tuple[str, NumberOf]:
    """The formula and the number of a sheet's values that are beyond their low or high."""
    low, high = sides
    counts = _count(a, sheet, low), _count(a, sheet, high)
    cells = column_range(sheet, low.column, high.column, COUNT_ROW, COUNT_ROW)
    return f"SUM({cells})", lambda python: sum(count(python) for count in counts)


# Bands of quantities


class BandedRows(NamedTuple):
    """Rows of a sheet that follow one another, and the band that their numbers are beside: its place on Bands, and its ends there."""

    band: Band
    row: int
    sheet: str
    top: int
    bottom: int
    positions: tuple[int, ...]

    def ends(self) -> tuple[str, str]:
        """The cells of low and high."""
        low, high = (column_letters(BAND_COLUMNS.index(name) + 1) for name in ("low", "high"))
        return f"{BANDS}!${low}${self.row}", f"{BANDS}!${high}${self.row}"

    def cells(self, a: Assumptions) -> str:
        """The cells of their numbers: the value and, where there are any, the years."""
        named = columns_of(self.sheet, a.axes.years)
        first = named.index("value") + 1
        years = sum(name.isdigit() for name in named)
        return f"${column_letters(first)}${self.top}:${column_letters(first + years)}${self.bottom}"


def banded(a: Assumptions, cells: InputCells) -> Iterator[BandedRows]:
    """Every band of a quantity with the rows that it is of."""
    for row, band in enumerate(a.bands, FIRST_ROW):
        at = {place_of(cells.rows[i][0])[0]: i for i in banded_rows(a, band)} if band.year is None else {}
        for _, run in groupby(enumerate(sorted(at)), lambda x: x[1] - x[0]):
            rows = [number for _, number in run]
            sheet = a.rows[at[rows[0]]].sheet
            yield BandedRows(band, row, sheet, rows[0], rows[-1], tuple(at[number] for number in rows))


def _add_bands(p: Plan) -> None:
    """Beside each band of a quantity the count of numbers outside of it; rows that do not follow one another are counted apart."""
    taken: dict[int, int] = {}
    for rows in banded(p.assumptions, p.cells):
        column = taken[rows.row] = taken.get(rows.row, BAND_COUNT - 1) + 1
        low, high = rows.ends()
        cells = f"{rows.sheet}!{rows.cells(p.assumptions)}"
        name = f"numbers outside band {rows.row}.{column}"
        p.measures[name] = _times_outside(rows)
        formula = (
            f'COUNTIF({cells},"<"&{low.partition("!")[2]})+COUNTIF({cells},">"&{high.partition("!")[2]})'
        )
        line = Line(row=rows.row, columns=(column,), formula=formula, array=name, quantity=name)
        p.sheet(BANDS).lines.append(line)


def _times_outside(rows: BandedRows) -> NumberOf:
    def count(python: PythonValues) -> float:
        low, high = rows.band.low, rows.band.high
        return float(sum(not low <= x <= high for i in rows.positions for x in python.numbers.inputs[i]))

    return count


def _formula(last: int, side: Side) -> str:
    def cells(column: int) -> str:
        letters = column_letters(column)
        return f"{letters}{FIRST_ROW}:{letters}{last}"

    bounds = cells(side.column)
    each = "+".join(f'({cells(c)}<>"")*({cells(c)}{side.wrong}{bounds})' for c in side.values)
    return f'SUMPRODUCT(({bounds}<>"")*({each}))'


def _count(a: Assumptions, sheet: str, side: Side) -> NumberOf:
    def count(python: PythonValues) -> float:
        values = zip(a.rows, python.numbers.inputs, strict=True)
        return float(sum(row.sheet == sheet and _beyond(row, inputs, side) for row, inputs in values))

    return count


def _beyond(row: Row, inputs: Sequence[float], side: Side) -> bool:
    bound = row.low if side.name == "low" else row.high
    if bound is None or not inputs:
        return False
    return inputs[-1] < bound if side.name == "low" else inputs[-1] > bound
