"""Where each formula stands: blocks of lines on sheets, one line an element, years across.

A `Plan` is made by running the model on symbolic cells. It is plain data: the writer turns it into a workbook, the verifier
asks Python for the value of each of its cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from openpyxl.utils import column_index_from_string, get_column_letter

from lm_xl.assumptions import DIMS, Assumptions, Keys, shifted, straight_line
from lm_xl.axes import PRIMARY, REGION, SEGMENT
from lm_xl.formulas import ROW, YEAR, Block, Cell, Symbol, Term
from lm_xl.model import evaluate
from lm_xl.ops import Array
from lm_xl.schema import OUTPUTS, QUANTITIES
from lm_xl.workbook.report import report

HEADER_ROW = 5
FIRST_ROW = HEADER_ROW + 1
KEY_COLUMNS = {REGION: "B", SEGMENT: "C", PRIMARY: "D"}
CONSTANT = 7
"""Column of a value that does not move; the years follow it, in the same columns on every sheet."""
INPUTS = "Inputs"
SELECTED = ("Cover", "C6")
"""The cell that holds the scenario's name."""
FIGURES_ROW = 9
"""First row of the key figures on the cover."""
LONG, LONG_VALUE = "Data_long", 7
"""The long data and the column of its values."""
AMOUNT = "G"
"""The column of a scenario delta's amount."""

BY_SET = ("entrant_claim", "entrant_total", "incumbent_claim", "incumbent_total", "share")
"""Blocks ordered region, primary, segment, so that a choice set's members stand together; the others region, segment, primary."""


@dataclass(frozen=True)
class Line:
    """One formula and the cells of one row that hold it. `array` and `at` name the element whose Python values they must show."""

    row: int
    quantity: str
    keys: Keys
    unit: str
    origin: str
    formula: str
    """Without the equals sign; YEAR stands for each cell's own column."""
    columns: tuple[int, ...]
    array: str
    at: tuple[int, int, int]
    style: str = "lm calculation"
    year: int | None = None
    """For a line that shows one year, its position."""

    def formulas(self) -> Iterator[tuple[int, str]]:
        """Column and formula of each cell."""
        for column in self.columns:
            yield column, self.formula.replace(YEAR, get_column_letter(column))


@dataclass
class Sheet:
    """The lines of one sheet, in rows from FIRST_ROW."""

    title: str
    lines: list[Line] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    row: int = FIRST_ROW

    @property
    def formulas(self) -> int:
        return sum(len(line.columns) for line in self.lines)


@dataclass
class Plan:
    """Every formula of a deliverable. `steps` holds, for each line of Inputs, the row and the deltas applied to it so far."""

    assumptions: Assumptions
    cells: Mapping[int, tuple[str, ...]]
    """Position of an assumption row to the addresses of its numbers in the deliverable."""
    delta_rows: Mapping[int, int]
    sheets: dict[str, Sheet] = field(default_factory=dict)
    steps: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    _live: dict[tuple[int, tuple[int, ...]], Cell] = field(default_factory=dict)

    @property
    def years(self) -> tuple[int, ...]:
        return self.assumptions.axes.years

    @property
    def formulas(self) -> int:
        return sum(sheet.formulas for sheet in self.sheets.values())

    def sheet(self, title: str) -> Sheet:
        return self.sheets.setdefault(title, Sheet(title))

    def columns(self, *, moving: bool) -> tuple[int, ...]:
        """The columns of a line: one a year, or the one of constants."""
        return tuple(CONSTANT + 1 + y for y in range(len(self.years))) if moving else (CONSTANT,)

    # What the report asks of a sink

    def put(
        self,
        title: str,
        name: str,
        x: Array,
        unit: str,
        labels: Sequence[Sequence[str]],
        order: Sequence[int],
        style: str = "lm calculation",
    ) -> Array:
        """Write an array of formulas as a block; returns the cells that hold it. Structural zeros get no line."""
        out = x.copy()
        elements = [at for at in _in_order(x.shape[1:4], order) if isinstance(x[(0, *at, 0)], Symbol)]
        moving = any(YEAR in x[(0, *at, 0)].text for at in elements)
        sheet = self.sheet(title)
        rows = range(sheet.row, sheet.row + len(elements))
        block = Block(title, sheet.row, rows[-1] if elements else sheet.row, dict(zip(rows, elements, strict=True)), KEY_COLUMNS)
        for row, at in zip(rows, elements, strict=True):
            formula = x[(0, *at, 0)].text.replace(ROW, str(row))
            keys = Keys(*(labels[i][p] for i, p in enumerate(at)))
            sheet.lines.append(Line(row, name.partition("_by_")[0], keys, unit, "", formula, self.columns(moving=moving), name, at, style))
            out[(0, *at, 0)] = Cell(title, YEAR if moving else get_column_letter(CONSTANT), row, block)
        sheet.row += len(elements)
        return out

    def beside(self, title: str, name: str, x: Array, column: str, unit: str, block: Array) -> None:
        """Write one more column beside a block's lines."""
        for at in np.ndindex(*block.shape[1:4]):
            cell, term = block[(0, *at, 0)], x[(0, *at, 0)]
            if isinstance(cell, Cell) and isinstance(term, Symbol):
                columns = (column_index_from_string(column),)
                self.sheet(title).lines.append(Line(cell.row, name, Keys("", "", ""), unit, "", term.text, columns, name, at))

    def heading(self, title: str, text: str) -> None:
        """Start a table: one free row, then its title."""
        sheet = self.sheet(title)
        sheet.row += sheet.row > FIRST_ROW
        sheet.headings.append((sheet.row, text))
        sheet.row += 1

    def fact(self, metric: str, name: str, x: Array, labels: Sequence[Sequence[str]], unit: str) -> None:
        """Add a block's cells to the long data, one line each."""
        sheet = self.sheet(LONG)
        for at in np.ndindex(*x.shape[1:4]):
            cell = x[(0, *at, 0)]
            if not isinstance(cell, Cell):
                continue
            keys = Keys(*(labels[i][p] for i, p in enumerate(at)))
            for y, column in enumerate(self.columns(moving=True)):
                formula = cell.text.replace(YEAR, get_column_letter(column))
                sheet.lines.append(Line(sheet.row, metric, keys, unit, str(self.years[y]), formula, (LONG_VALUE,), name, at, year=y))
                sheet.row += 1

    def figure(self, place: int, name: str, x: Array, unit: str, what: str) -> None:
        """Put one number on the cover."""
        line = Line(FIGURES_ROW + place, what, Keys("", "", ""), unit, "", x[0, 0, 0, 0, 0].text, (3,), name, (0, 0, 0), "lm figure")
        self.sheet(SELECTED[0]).lines.append(line)

    def at_year(self, x: Array, y: int) -> Array:
        """An array's cells in one year."""
        column = get_column_letter(self.columns(moving=True)[y])

        def fixed(term: Term) -> Term:
            return Symbol(term.text.replace(YEAR, f"${column}"), term.rank) if isinstance(term, Symbol) else term

        return cast(Array, np.frompyfunc(fixed, 1, 1)(x))

    # What the model starts from

    def inputs(self) -> dict[str, Array]:
        """The live value of every quantity as cells of the Inputs sheet: the assumption, its fill, and the scenario's deltas."""
        a = self.assumptions
        active = self._switches()
        arrays = {}
        for name, cover in a.covers.items():
            reaches = [(k, a.reach(d)) for k, d in enumerate(a.deltas) if d.quantity == name]
            out = np.full((1, *cover.shape, 1), QUANTITIES[name].absent, dtype=object)
            for at in np.ndindex(*cover.shape):
                if cover[at] >= 0:
                    out[(0, *at, 0)] = self._input(int(cover[at]), tuple(k for k, reach in reaches if reach[at]), active)
            arrays[name] = out
        return arrays

    def _input(self, position: int, deltas: tuple[int, ...], active: Mapping[int, Cell]) -> Cell:
        """The cell of an assumption row after some deltas, written on first use."""
        step = (position, deltas)
        if step not in self._live:
            row = self.assumptions.rows[position]
            if deltas:
                delta_row = self.delta_rows[deltas[-1]]
                before = self._input(position, deltas[:-1], active)
                amount = Symbol(f"Scenarios!${AMOUNT}${delta_row}")
                (term,) = shifted(_one(before), self.assumptions.deltas[deltas[-1]].operation, _one(amount), _one(active[deltas[-1]]))
                origin = f"Scenarios!{AMOUNT}{delta_row}"
            else:
                term = self._filled(position)
                origin = f"{row.sheet}!{self.cells[position][0]}"
            sheet = self.sheet(INPUTS)
            moving = YEAR in term.text
            line = Line(
                sheet.row, row.quantity, row.keys, row.unit, origin, term.text, self.columns(moving=moving), INPUTS, (len(self.steps), 0, 0)
            )
            sheet.lines.append(line)
            self._live[step] = Cell(INPUTS, YEAR if moving else get_column_letter(CONSTANT), sheet.row)
            self.steps.append(step)
            sheet.row += 1
        return self._live[step]

    def _filled(self, position: int) -> Symbol:
        """A row's own numbers, over the years by its fill."""
        row = self.assumptions.rows[position]
        cells = [split(address) for address in self.cells[position]]
        if row.fill == "yearly":
            return Symbol(f"{row.sheet}!{YEAR}{cells[0][1]}")
        numbers = [_one(Symbol(f"{row.sheet}!${column}{at}")) for column, at in cells]
        if row.fill == "constant":
            return numbers[0][0]
        year = self.structure()["year"].reshape(1)
        return straight_line(numbers[0], numbers[1], year, self.at_year(year, 0), self.at_year(year, -1))[0]

    def _switches(self) -> dict[int, Cell]:
        """One line a delta on Inputs: 1 where its scenario is the selected one."""
        sheet, selected = self.sheet(INPUTS), "${}${}".format(*split(SELECTED[1]))
        active = {}
        for k, delta in enumerate(self.assumptions.deltas):
            origin = f"Scenarios!A{self.delta_rows[k]}"
            formula = f"IF(Scenarios!$A${self.delta_rows[k]}={SELECTED[0]}!{selected},1,0)"
            sheet.lines.append(Line(sheet.row, "active", delta.keys, "0 or 1", origin, formula, (CONSTANT,), "active", (k, 0, 0)))
            active[k] = Cell(INPUTS, get_column_letter(CONSTANT), sheet.row)
            sheet.row += 1
        return active

    def structure(self) -> dict[str, Array]:
        """The structure, its year a cell of the axis row, its masks whole numbers."""
        numbers = self.assumptions.structure()
        masks = {name: np.vectorize(int, otypes=[object])(x) for name, x in numbers.items() if name.startswith("is_")}
        year = _one(Symbol(f"{INPUTS}!{YEAR}${HEADER_ROW}")).reshape(1, 1, 1, 1, 1)
        return {**masks, "year": year, "rest_of": numbers["rest_of"]}


def _one(term: Term) -> Array:
    x = np.empty(1, dtype=object)
    x[0] = term
    return x


def split(address: str) -> tuple[str, str]:
    """Column letters and row of an address."""
    column = address.rstrip("0123456789")
    return column, address[len(column) :]


def _in_order(shape: Sequence[int], order: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Every element (region, segment, primary), the axes varying in the given order, last fastest."""
    where = [list(order).index(i) for i in range(3)]
    for at in np.ndindex(*(shape[i] for i in order)):
        yield at[where[0]], at[where[1]], at[where[2]]


def leaf_labels(a: Assumptions, shape: Sequence[int]) -> list[tuple[str, ...]]:
    """Labels by position for an array (region, segment, primary): the total's label where an axis has size 1."""
    return [a.axes.axis(d).leaves if shape[i] > 1 or len(a.axes.axis(d)) == 1 else (a.axes.axis(d).total,) for i, d in enumerate(DIMS)]


def plan(a: Assumptions, cells: Mapping[int, tuple[str, ...]], delta_rows: Mapping[int, int]) -> Plan:
    """Trace the model: every formula of the deliverable, and where its Python value is."""
    p = Plan(a, cells, delta_rows)

    def put(name: str, x: Array) -> Array:
        output = OUTPUTS[name]
        order = (0, 2, 1) if name in BY_SET else (0, 1, 2)
        return p.put(output.sheet, name, x, output.unit, leaf_labels(a, x.shape[1:4]), order)

    outputs = evaluate(p.inputs(), p.structure(), put)
    report(outputs, a.axes, p.structure()["year"], p)
    return p


@dataclass
class State:
    """Python's side of a deliverable: the numbers in its cells, a scenario, and every array they lead to."""

    plan: Plan
    inputs: Sequence[Sequence[float]]
    amounts: Sequence[float]
    scenario: str
    arrays: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        a = self.plan.assumptions
        structure = a.structure()
        self.filled = a.filled(self.inputs)
        self.active = [float(delta.scenario == self.scenario) for delta in a.deltas]
        self.arrays = evaluate(a.inputs_from(self.inputs, self.amounts, self.scenario), structure)
        report(dict(self.arrays), a.axes, structure["year"], self)

    def put(
        self, title: str, name: str, x: Array, unit: str, labels: Sequence[Sequence[str]], order: Sequence[int], style: str = ""
    ) -> Array:
        """Keep a table's numbers."""
        self.arrays[name] = x
        return x

    def beside(self, title: str, name: str, x: Array, column: str, unit: str, block: Array) -> None:
        """Keep a column's numbers."""
        self.arrays[name] = x

    def heading(self, title: str, text: str) -> None:
        """Nothing to keep."""

    def fact(self, metric: str, name: str, x: Array, labels: Sequence[Sequence[str]], unit: str) -> None:
        """Nothing to keep: the long data repeats numbers kept already."""

    def figure(self, place: int, name: str, x: Array, unit: str, what: str) -> None:
        """Keep a key figure."""
        self.arrays[name] = x

    def at_year(self, x: Array, y: int) -> Array:
        """An array's numbers in one year."""
        return x[..., [y]]

    def values(self, line: Line) -> list[float]:
        """The Python values of a line's cells, in order."""
        if line.array == "active":
            return [self.active[line.at[0]]]
        values = self._step(line.at[0]) if line.array == INPUTS else self.arrays[line.array][(0, *line.at)]
        if line.year is not None:
            return [float(values[line.year if len(values) > 1 else 0])]
        n = len(line.columns)
        return np.broadcast_to(values, (n,)).tolist() if len(values) < n else values[:n].tolist()

    def _step(self, step: int) -> Array:
        position, deltas = self.plan.steps[step]
        x: Array = self.filled[position]
        for k in deltas:
            x = shifted(x, self.plan.assumptions.deltas[k].operation, np.array(self.amounts[k]), np.array([self.active[k]]))
        return x
