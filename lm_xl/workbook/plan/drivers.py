"""The drivers of the market: each with its parameters as they stand now, their source, and what they move."""

from __future__ import annotations

from lm_xl.model.drivers import DRIVER_OF
from lm_xl.workbook.plan.lines import Line, Plan, PythonMeasure, PythonValues
from lm_xl.workbook.words.prose import claims

DRIVER_SHEET = "Drivers"
FIRST_VALUE, LAST_VALUE = 7, 8
DRIVER_ROW = 27
"""First row of the parameters, below the bridge."""


def add_drivers(p: Plan) -> None:
    """Write a line for each parameter that a claim names, with its driver: the most general row of it, its first and its last value live."""
    at = DRIVER_ROW
    for claim in claims():
        for quantity in claim.quantities:
            position = _most_general(p, quantity)
            if position is None:
                continue
            row, addresses = p.assumptions.rows[position], p.cells.rows[position]
            texts = {
                1: DRIVER_OF[quantity],
                2: claim.statement,
                3: quantity,
                4: str(row.keys),
                5: row.unit,
                6: f"{row.sheet}!{addresses[0]}",
                9: "; ".join(row.sources),
                10: claim.moves,
            }
            p.drivers.append((at, texts))
            for column, k in ((FIRST_VALUE, 0), (LAST_VALUE, -1)):
                line = Line(
                    row=at,
                    columns=(column,),
                    formula=f"{row.sheet}!{addresses[k]}",
                    array=f"driver {at} {column}",
                    quantity=quantity,
                    unit=row.unit,
                )
                p.measures[line.array] = _number(position, k)
                p.sheet(DRIVER_SHEET).lines.append(line)
            at += 1


def _most_general(p: Plan, quantity: str) -> int | None:
    """The assumption row with a number that most elements of a quantity rest on, or None where there is none."""
    a = p.assumptions
    found = [i for i in sorted(a.used()) if a.rows[i].quantity == quantity and a.rows[i].inputs]
    return max(found, key=lambda i: int((a.covers[quantity] == i).sum()), default=None)


def _number(position: int, k: int) -> PythonMeasure:
    def number(python: PythonValues) -> float:
        return float(python.numbers.inputs[position][k])

    return number
