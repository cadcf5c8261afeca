"""Where each formula stands: blocks of lines on sheets, one line an element, years across.

A `Plan` is made by running the model on symbolic cells. It is plain data: the writer turns it into a workbook, the verifier
asks Python for the value of each of its cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from openpyxl.utils import column_index_from_string, get_column_letter

from lm_xl.assumptions import DIMS, Assumptions, Keys, shifted, straight_line
from lm_xl.axes import PRIMARY, REGION, SEGMENT
from lm_xl.formulas import ROW, Block, Cell, Symbol, Term
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
MOST_FORMULAS = 100_000
"""Formulas on one sheet that the recalculation engine takes; a block that would pass it starts another sheet."""

BY_SET = ("entrant_claim", "entrant_total", "incumbent_claim", "incumbent_total", "share")
"""Blocks ordered region, primary, segment, so that a choice set's members stand together; the others region, segment, primary."""


@dataclass(frozen=True)
class Line:
    """One row of formulas. `value` names the array and the element whose Python values they must show."""

    row: int
    quantity: str
    keys: Keys
    unit: str
    origin: str
    cells: tuple[tuple[int, str], ...]
    """Column and formula, without the equals sign."""
    array: str
    at: tuple[int, int, int]
    style: str = "lm calculation"
    year: int | None = None
    """For a line of the long data, the position of its one year."""


@dataclass
class Sheet:
    """The lines of one sheet, in rows from FIRST_ROW."""

    title: str
    lines: list[Line] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    row: int = FIRST_ROW

    @property
    def formulas(self) -> int:
        return sum(len(line.cells) for line in self.lines)


@dataclass
class Plan:
    """Every formula of a deliverable. `steps` holds, for each line of Inputs, the row and the deltas applied to it so far."""

    assumptions: Assumptions
    cells: Mapping[int, tuple[str, ...]]
    """Position of an assumption row to the addresses of its numbers in the deliverable."""
    delta_rows: Mapping[int, int]
    sheets: dict[str, Sheet] = field(default_factory=dict)
    steps: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    _symbols: dict[tuple[int, tuple[int, ...]], list[Cell]] = field(default_factory=dict)

    @property
    def years(self) -> tuple[int, ...]:
        return self.assumptions.axes.years

    def year_column(self, i: int) -> int:
        return CONSTANT + 1 + i

    def sheet(self, title: str) -> Sheet:
        return self.sheets.setdefault(title, Sheet(title))

    def with_room(self, title: str, formulas: int) -> Sheet:
        """The sheet of that title, or its successor where the block would not fit."""
        name, n = title, 1
        while self.sheet(name).formulas + formulas > MOST_FORMULAS and self.sheet(name).lines:
            n += 1
            name = f"{title}_{n}"
        return self.sheet(name)

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
        x = x[0]
        moving = x.shape[-1] > 1
        elements = [at for at in _in_order(x.shape[:3], order) if any(isinstance(t, Symbol) for t in x[at])]
        sheet = self.with_room(title, len(elements) * x.shape[-1])
        rows = range(sheet.row, sheet.row + len(elements))
        block = Block(sheet.title, sheet.row, sheet.row + max(len(elements), 1) - 1, dict(zip(rows, elements, strict=True)), KEY_COLUMNS)
        for row, at in zip(rows, elements, strict=True):
            cells = []
            for y, term in enumerate(x[at]):
                if not isinstance(term, Symbol):
                    raise TypeError(f"{name} at {at} is {term} in one year and a formula in another")
                column = self.year_column(y) if moving else CONSTANT
                cells.append((column, term.text.replace(ROW, str(row))))
                out[(0, *at, y)] = Cell(sheet.title, get_column_letter(column), row, fixed=not moving, block=block)
            keys = Keys(*(labels[i][p] for i, p in enumerate(at)))
            sheet.lines.append(Line(row, name, keys, unit, "", tuple(cells), name, at, style))
        sheet.row += len(elements)
        return out

    def beside(self, title: str, name: str, x: Array, column: str, unit: str, block: Array) -> None:
        """Write one more column beside a block's lines."""
        for at in np.ndindex(*block.shape[1:4]):
            cell, term = block[(0, *at, 0)], x[(0, *at, 0)]
            if isinstance(cell, Cell) and isinstance(term, Symbol):
                line = Line(cell.row, name, Keys("", "", ""), unit, "", ((column_index_from_string(column), term.text),), name, at)
                self.sheet(cell.sheet).lines.append(line)

    def heading(self, title: str, text: str) -> None:
        """Start a table: one free row, then its title."""
        sheet = self.sheet(title)
        sheet.row += sheet.row > FIRST_ROW
        sheet.headings.append((sheet.row, text))
        sheet.row += 1

    def fact(self, metric: str, name: str, x: Array, labels: Sequence[Sequence[str]], unit: str) -> None:
        """Add a block's cells to the long data, one line each."""
        sheet = self.sheet(LONG)
        for *element, y in np.ndindex(*x.shape[1:]):
            cell = x[(0, *element, y)]
            if isinstance(cell, Cell):
                at = (element[0], element[1], element[2])
                keys = Keys(*(labels[i][p] for i, p in enumerate(at)))
                sheet.lines.append(Line(sheet.row, metric, keys, unit, str(self.years[y]), ((LONG_VALUE, cell.text),), name, at, year=y))
                sheet.row += 1

    def figure(self, place: int, name: str, x: Array, unit: str, what: str) -> None:
        """Put one number on the cover."""
        line = Line(FIGURES_ROW + place, what, Keys("", "", ""), unit, "", ((3, x[0, 0, 0, 0, 0].text),), name, (0, 0, 0), "lm figure")
        self.sheet(SELECTED[0]).lines.append(line)

    def inputs(self) -> dict[str, Array]:
        """The live value of every quantity as cells of the Inputs sheet: the assumption, its fill, and the scenario's deltas."""
        a = self.assumptions
        active = self._switches()
        reaches = [(k, d, a.reach(d)) for k, d in enumerate(a.deltas)]
        arrays = {}
        for name, cover in a.covers.items():
            moving = a.moves(name)
            out = np.full((1, *cover.shape, len(self.years) if moving else 1), QUANTITIES[name].absent, dtype=object)
            for at in np.ndindex(*cover.shape):
                if cover[at] >= 0:
                    deltas = tuple(k for k, d, reach in reaches if d.quantity == name and reach[at])
                    out[(0, *at)] = self._live(int(cover[at]), deltas, moving, active)
            arrays[name] = out
        return arrays

    def _live(self, position: int, deltas: tuple[int, ...], moving: bool, active: Mapping[int, Cell]) -> list[Cell]:
        """The cells of an assumption row after some deltas, written on first use."""
        step = (position, deltas)
        if step in self._symbols:
            return self._symbols[step]
        a = self.assumptions
        row = a.rows[position]
        terms: list[Term]
        if deltas:
            before = self._live(position, deltas[:-1], moving, active)
            delta = a.deltas[deltas[-1]]
            amount = Cell("Scenarios", "$G", self.delta_rows[deltas[-1]])
            amount.text = f"Scenarios!$G${self.delta_rows[deltas[-1]]}"
            one = np.empty(1, dtype=object)
            one[0] = amount
            switch = np.empty(1, dtype=object)
            switch[0] = active[deltas[-1]]
            terms = list(shifted(np.array(before, dtype=object), delta.operation, one, switch))
            origin = f"Scenarios row {self.delta_rows[deltas[-1]]}"
        else:
            terms = self._filled(position, moving)
            origin = f"{row.sheet}!{self.cells[position][0]}"
        sheet = self.sheet(INPUTS)
        cells = [
            Cell(INPUTS, get_column_letter(self.year_column(y) if moving else CONSTANT), sheet.row, fixed=not moving)
            for y in range(len(terms))
        ]
        texts = tuple((self.year_column(y) if moving else CONSTANT, t.text) for y, t in enumerate(terms) if isinstance(t, Symbol))
        sheet.lines.append(Line(sheet.row, row.quantity, row.keys, row.unit, origin, texts, INPUTS, (len(self.steps), 0, 0)))
        self.steps.append(step)
        sheet.row += 1
        self._symbols[step] = cells
        return cells

    def _filled(self, position: int, moving: bool) -> list[Term]:
        row = self.assumptions.rows[position]
        cells = [Symbol(f"{row.sheet}!{_anchored(address, row.fill)}") for address in self.cells[position]]
        if row.fill == "linear":
            first, last = (np.array([c], dtype=object) for c in cells)
            year = np.array([self._year(y) for y in range(len(self.years))], dtype=object)
            ends = [np.array([self._year(y, fixed=True)], dtype=object) for y in (0, len(self.years) - 1)]
            return list(straight_line(first, last, year, *ends))
        terms: list[Term] = [*cells]
        return terms if row.fill == "yearly" else terms * (len(self.years) if moving else 1)

    def _year(self, y: int, *, fixed: bool = False) -> Symbol:
        column = get_column_letter(self.year_column(y))
        return Symbol(f"{INPUTS}!{'$' if fixed else ''}{column}${HEADER_ROW}")

    def _switches(self) -> dict[int, Cell]:
        """One line a delta on Inputs: 1 where its scenario is the selected one."""
        sheet, column = self.sheet(INPUTS), get_column_letter(CONSTANT)
        active = {}
        for k, delta in enumerate(self.assumptions.deltas):
            row = self.delta_rows[k]
            formula = f"IF(Scenarios!$A${row}={SELECTED[0]}!${SELECTED[1][0]}${SELECTED[1][1:]},1,0)"
            sheet.lines.append(
                Line(sheet.row, "active", delta.keys, "0 or 1", f"Scenarios row {row}", ((CONSTANT, formula),), "active", (k, 0, 0))
            )
            active[k] = Cell(INPUTS, f"${column}", sheet.row)
            active[k].text = f"{INPUTS}!${column}${sheet.row}"
            sheet.row += 1
        return active

    def structure(self) -> dict[str, Array]:
        """The structure with symbolic years and integer masks."""
        numbers = self.assumptions.structure()
        year = np.empty((1, 1, 1, 1, len(self.years)), dtype=object)
        year[0, 0, 0, 0] = [self._year(y) for y in range(len(self.years))]
        masks = {name: np.vectorize(int, otypes=[object])(x) for name, x in numbers.items() if name.startswith("is_")}
        return {**masks, "year": year, "rest_of": numbers["rest_of"]}


def _anchored(address: str, fill: str) -> str:
    column, row = address.rstrip("0123456789"), address.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f"{column}{row}" if fill == "yearly" else f"${column}{row}"


def _in_order(shape: tuple[int, ...], order: Sequence[int]) -> Iterable[tuple[int, int, int]]:
    """Every element (region, segment, primary), the axes varying in the given order, last fastest."""
    for at in np.ndindex(*(shape[i] for i in order)):
        yield tuple(at[list(order).index(i)] for i in range(3))


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
        self.arrays = evaluate(a.inputs_from(self.inputs, self.amounts, self.scenario), structure)
        report(dict(self.arrays), a.axes, structure["year"], self)
        self.filled = a._filled(self.inputs)

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

    def values(self, line: Line) -> Array:
        """The Python values of a line's cells, in order."""
        if line.array == INPUTS:
            return self._step(line)
        if line.array == "active":
            return np.array([float(self.plan.assumptions.deltas[line.at[0]].scenario == self.scenario)])
        values = np.asarray(self.arrays[line.array][(0, *line.at)])
        return values if line.year is None else values[[line.year]]

    def _step(self, line: Line) -> Array:
        position, deltas = self.plan.steps[line.at[0]]
        x: Array = self.filled[position][: len(line.cells)]
        for k in deltas:
            delta = self.plan.assumptions.deltas[k]
            active = np.array([float(delta.scenario == self.scenario)])
            x = shifted(x, delta.operation, np.array(self.amounts[k]), active)
        return x
