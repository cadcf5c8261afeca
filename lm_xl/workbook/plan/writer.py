"""The sink of formulas: what the report makes of symbolic cells becomes lines of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Keys
from lm_xl.model.cells import ROW, YEAR_COLUMN, Block, Cell, Symbol
from lm_xl.model.ops import Array
from lm_xl.workbook.plan.layout import (
    CALCULATION,
    CONSTANT_LETTER,
    FIRST_ROW,
    KEY_COLUMNS,
    LONG,
    LONG_VALUE,
    letters_of,
)
from lm_xl.workbook.plan.lines import Line, Plan, scale_of
from lm_xl.workbook.plan.report import BY_REGION, Labels, Order
from lm_xl.workbook.plan.terms import in_column
from lm_xl.xlsx.addresses import column_letters

Places = tuple[int, ...]
"""The positions on an axis that a line stands for."""
Stands = tuple[Places, Places, Places]
"""The regions, segments and subtypes whose pairings a line stands for."""


@dataclass
class PlanWriter:
    """Writes the report's formulas to the sheets of a plan, and returns the cells that hold them."""

    plan: Plan
    cells: dict[str, Array] = field(default_factory=dict)
    """Each block's cells, for what is computed over them later."""
    _written: dict[tuple[str, str, bool], str] = field(default_factory=dict)
    """A sheet's formula, and the cell that already holds it: what is calculated once is referred to."""

    def put(
        self,
        title: str,
        name: str,
        x: Array,
        unit: str,
        labels: Labels,
        order: Order = BY_REGION,
        style: str = CALCULATION,
        *,
        shared: bool = False,
    ) -> Array:
        """Write an array of formulas as a block; returns the cells that hold it. Structural zeros get no line.

        In a shared block a formula has one line, whatever it stands for, and the labels of all that it does.
        """
        p, sheet, out = self.plan, self.plan.sheet(title), x.copy()
        elements = [at for at in _in_order(x.shape[1:4], order) if isinstance(x[(0, *at, 0)], Symbol)]
        # a block runs over the years where any of its lines does, so that one range holds it
        moving = any(YEAR_COLUMN in x[(0, *at, 0)].text for at in elements)
        lines: list[tuple[str, Stands]] = [
            (x[(0, *at, 0)].text, ((at[0],), (at[1],), (at[2],))) for at in elements
        ]
        # one that names its own row computes something else in each
        if shared and not any(ROW in text for text, _ in lines):
            lines = _shared(lines)
        rows: dict[int, tuple[int, ...]] = {
            row: tuple(on[0] for on in stands) for row, (_, stands) in enumerate(lines, sheet.row)
        }
        block = Block(
            title, sheet.row, max(rows, default=sheet.row), rows, KEY_COLUMNS, len(lines) < len(elements)
        )
        p.blocks[name], p.moving[name] = block, moving
        for text, stands in lines:
            row = sheet.take_row()
            line = Line(
                row=row,
                columns=p.columns(moving=moving),
                formula=self._formula(title, text, row, moving=moving),
                array=name,
                at=(stands[0][0], stands[1][0], stands[2][0]),
                quantity=name.partition("_by_")[0],
                keys=self._keys(labels, stands),
                unit=unit,
                style=style,
                scale=scale_of(name),
            )
            sheet.lines.append(line)
            for at in product(*stands):
                out[(0, *at, 0)] = Cell(title, letters_of(moving=moving), row, block)
        self.cells[name] = out
        return out

    def _keys(self, labels: Labels, stands: Sequence[Places]) -> Keys:
        """The labels of a line: a leaf, a group of just those that it stands for, or all of them one after the other."""
        axes = self.plan.assumptions.axes
        return Keys(
            *(
                known[on[0]]
                if len(on) == 1
                else axes.axis(dim).group_of(on) or ", ".join(known[i] for i in on)
                for dim, known, on in zip(DIMS, labels, stands, strict=True)
            )
        )

    def _formula(self, title: str, text: str, row: int, *, moving: bool) -> str:
        """A formula, or a reference to the cell of its sheet that holds the same one. Cells of its own sheet stand without its name."""
        text = text.replace(f"{title}!", "")
        if ROW in text:
            return text.replace(ROW, str(row))
        key = title, text, moving
        if key in self._written:
            return self._written[key]
        self._written[key] = f"{YEAR_COLUMN if moving else f'${CONSTANT_LETTER}'}{row}"
        return text

    def heading(self, title: str, text: str) -> None:
        """Start a table: one free row, then its title."""
        sheet = self.plan.sheet(title)
        sheet.row += sheet.row > FIRST_ROW
        sheet.headings.append((sheet.take_row(), text))

    def fact(self, metric: str, name: str, x: Array, labels: Labels, unit: str) -> None:
        """Add a block's cells to the long data, one line each."""
        sheet, columns = self.plan.sheet(LONG), self.plan.columns(moving=True)
        for at in np.ndindex(*x.shape[1:4]):
            cell = x[(0, *at, 0)]
            if not isinstance(cell, Cell):
                continue
            for y, year in enumerate(self.plan.years):
                line = Line(
                    row=sheet.take_row(),
                    columns=(LONG_VALUE,),
                    formula=cell.text.replace(YEAR_COLUMN, column_letters(columns[y])),
                    array=name,
                    at=at,
                    quantity=metric,
                    keys=self._keys(labels, [(place,) for place in at]),
                    unit=unit,
                    origin=str(year),
                    year=y,
                )
                sheet.lines.append(line)

    def at_year(self, x: Array, y: int) -> Array:
        """An array's cells in one year."""
        return in_column(x, column_letters(self.plan.columns(moving=True)[y]))


def _shared(lines: list[tuple[str, Stands]]) -> list[tuple[str, Stands]]:
    """Lines of the same formula as one, where together they stand for all pairings of some positions on the axes."""
    for dim in range(len(DIMS)):
        found: dict[tuple[str, Stands], Places] = {}
        for text, stands in lines:
            others = _with(stands, dim, ())
            found[text, others] = found.get((text, others), ()) + stands[dim]
        lines = [(text, _with(others, dim, places)) for (text, others), places in found.items()]
    return lines


def _with(stands: Stands, dim: int, places: Places) -> Stands:
    """The same with other positions on one axis."""
    r, s, p = (places if k == dim else on for k, on in enumerate(stands))
    return r, s, p


def _in_order(shape: Sequence[int], order: Order) -> Iterator[tuple[int, int, int]]:
    """Every element (region, segment, subtype), the axes varying in the given order, last fastest."""
    where = [order.index(i) for i in range(3)]
    for at in np.ndindex(*(shape[i] for i in order)):
        yield at[where[0]], at[where[1]], at[where[2]]
