"""What the model starts from on the sheet of inputs: every quantity as live cells, and switches for what is chosen on the dashboard.

A line of this sheet is an assumption row over the years, as its fill says, after some of the deltas that a scenario makes to it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, shifted, straight_line
from lm_xl.model.cells import YEAR_COLUMN, Cell, Symbol
from lm_xl.model.ops import Array
from lm_xl.model.outputs import BASIS_NAMES
from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.plan.layout import (
    AMOUNT,
    CONSTANT,
    CONSTANT_LETTER,
    DASHBOARD,
    FIRST_ROW,
    HEADER_ROW,
    INPUTS,
    chosen_cell,
    letters_of,
)
from lm_xl.workbook.plan.lines import Line, Plan
from lm_xl.workbook.plan.terms import in_column, one
from lm_xl.xlsx.addresses import column_letters, split_address

Step = tuple[int, tuple[int, ...]]
"""An assumption row and the deltas applied to it so far."""


def live_inputs(p: Plan) -> dict[str, Array]:
    """The live value of every quantity as cells of the Inputs sheet: the assumption, its fill, and the scenario's deltas."""
    a = p.assumptions
    switches = _switches(p)
    written: dict[Step, Cell] = {}
    arrays = {}
    for name, cover in a.covers.items():
        reaches = [(k, a.reach(delta)) for k, delta in enumerate(a.deltas) if delta.quantity == name]
        cells = np.full((1, *cover.shape, 1), QUANTITIES[name].absent, dtype=object)
        for at in np.ndindex(*cover.shape):
            if cover[at] >= 0:
                deltas = tuple(k for k, reach in reaches if reach[at])
                cells[(0, *at, 0)] = _live_cell(p, (int(cover[at]), deltas), switches, written)
        arrays[name] = cells
    return arrays


def _live_cell(p: Plan, end: Step, switches: Mapping[int, Cell], written: dict[Step, Cell]) -> Cell:
    """The cell of an assumption row after some deltas.

    Each delta is a line of its own on the one before, so that elements which share the first deltas share their lines too.
    """
    position, deltas = end
    for n in range(len(deltas) + 1):
        step = position, deltas[:n]
        if step not in written:
            before = written[position, deltas[: n - 1]] if n else None
            written[step] = _write_step(p, step, before, switches)
    return written[end]


def _write_step(p: Plan, step: Step, before: Cell | None, switches: Mapping[int, Cell]) -> Cell:
    """Write the line of an assumption row, or of its last delta on the line before."""
    position, deltas = step
    row, sheet = p.assumptions.rows[position], p.sheet(INPUTS)
    if before is None:
        term = _filled(p, position)
        origin = f"{row.sheet}!{p.cells.rows[position][0]}"
    else:
        k = deltas[-1]
        operation, at = p.assumptions.deltas[k].operation, p.cells.delta_rows[k]
        (term,) = shifted(one(before), operation, one(Symbol(f"Scenarios!${AMOUNT}${at}")), one(switches[k]))
        origin = f"Scenarios!{AMOUNT}{at}"
    moving = YEAR_COLUMN in term.text
    line = Line(
        row=sheet.take_row(),
        columns=p.columns(moving=moving),
        formula=term.text,
        array=INPUTS,
        at=(len(p.steps), 0, 0),
        quantity=row.quantity,
        keys=row.keys,
        unit=row.unit,
        origin=origin,
    )
    sheet.lines.append(line)
    p.steps.append(step)
    return Cell(INPUTS, letters_of(moving=moving), line.row)


def _filled(p: Plan, position: int) -> Symbol:
    """A row's own numbers, over the years by its fill."""
    row = p.assumptions.rows[position]
    cells = [split_address(address) for address in p.cells.rows[position]]
    if row.fill == "yearly":
        return Symbol(f"{row.sheet}!{YEAR_COLUMN}{cells[0][1]}")
    numbers = [one(Symbol(f"{row.sheet}!${column}{at}")) for column, at in cells]
    if row.fill == "constant":
        return numbers[0][0]
    # first and last year are cells of the header, so that no number stands in the formula
    (first, last), year = numbers, _year()
    first_year, last_year = (in_column(year, column_letters(p.columns(moving=True)[y])) for y in (0, -1))
    return straight_line(first, last, year, first_year, last_year)[0]


def _switches(p: Plan) -> dict[int, Cell]:
    """One line a delta on Inputs: 1 where its scenario is the selected one."""
    selected = chosen_cell("scenario")
    switches = {}
    for k, delta in enumerate(p.assumptions.deltas):
        at = p.cells.delta_rows[k]
        switches[k] = _switch(
            p,
            Line(
                row=p.sheet(INPUTS).take_row(),
                columns=(CONSTANT,),
                formula=f"IF(Scenarios!$A${at}={selected},1,0)",
                array="active",
                at=(k, 0, 0),
                quantity="active",
                keys=delta.keys,
                unit="0 or 1",
                origin=f"Scenarios!A{at}",
            ),
        )
    return switches


def live_choice(p: Plan) -> dict[str, Array]:
    """A switch for each basis, 1 for the chosen one, one for each scope but the first, 1 where the chosen one leaves it out, and the
    chosen currency's units for a dollar as `rate`, and which year the explorer shows as `year place`, from 1.
    """
    basis, currency = (chosen_cell(what) for what in ("basis", "currency"))
    rows = f"${FIRST_ROW}", f"${FIRST_ROW + len(p.assumptions.currencies) - 1}"
    codes, rates = (f"Currencies!${column}{rows[0]}:${column}{rows[1]}" for column in "AB")
    formulas = {b: f'IF({basis}="{name}",1,0)' for b, name in BASIS_NAMES.items()}
    axes, chosen = p.assumptions.axes, chosen_cell("scope")
    for k in range(1, len(axes.scopes)):
        among = ",".join(f'{chosen}="{scope}"' for scope in axes.scopes[k:])
        formulas[f"without scope {k}"] = f"IF(OR({among}),0,1)"
    formulas["rate"] = f"SUMIFS({rates},{codes},{currency})"
    first, *_, last = (column_letters(c) for c in p.columns(moving=True))
    years = f"${first}${HEADER_ROW}:${last}${HEADER_ROW}"
    formulas["year place"] = f"MATCH({chosen_cell('year')},{years},0)"
    cells = {}
    for name, formula in formulas.items():
        line = Line(
            row=p.sheet(INPUTS).take_row(),
            columns=(CONSTANT,),
            formula=formula,
            array=f"choice {name}",
            quantity=name,
            unit={"rate": "units per USD", "year place": "number"}.get(name, "0 or 1"),
            origin=DASHBOARD,
        )
        cells[name] = one(_switch(p, line)).reshape(1, 1, 1, 1, 1)
    return cells


def _switch(p: Plan, line: Line) -> Cell:
    p.sheet(INPUTS).lines.append(line)
    return Cell(INPUTS, CONSTANT_LETTER, line.row)


def live_shares(p: Plan) -> list[Symbol]:
    """Each product's share of its segment's sales, a cell of the sheet Products."""
    cells = (split_address(address) for address in p.cells.shares)
    return [Symbol(f"Products!${column}${row}") for column, row in cells]


def live_structure(a: Assumptions) -> dict[str, Array]:
    """The structure, its year a cell of the row of years, its masks whole numbers."""
    numbers = a.structure()
    whole = np.vectorize(int, otypes=[object])
    masks = {name: whole(x) for name, x in numbers.items() if name.startswith("is_")}
    return {**masks, "year": _year().reshape(1, 1, 1, 1, 1), "rest_of": numbers["rest_of"]}


def _year() -> Array:
    return one(Symbol(f"{INPUTS}!{YEAR_COLUMN}${HEADER_ROW}"))
