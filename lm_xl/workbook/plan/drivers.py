"""The drivers of the market: each with its parameters as they stand now, their source, and what they move."""

from __future__ import annotations

from collections.abc import Callable

from lm_xl.assumptions.assumptions import Keys
from lm_xl.workbook.plan.plan import Line, Plan
from lm_xl.workbook.plan.python_side import State
from lm_xl.workbook.plan.records import FIRST_ROW
from lm_xl.workbook.words.prose import claims

DRIVERS = "Drivers"
FIRST_VALUE, LAST_VALUE = 6, 7


def add_drivers(p: Plan) -> None:
    """Write a line for each parameter of each driver: the most general row of it, its first and its last value live."""
    a = p.assumptions
    row = FIRST_ROW
    for claim in claims():
        for quantity in claim.quantities:
            found = [i for i in sorted(a.used()) if a.rows[i].quantity == quantity and a.rows[i].inputs]
            if not found:
                continue
            i = max(found, key=lambda i: int((a.covers[a.rows[i].quantity] == i).sum()))
            chosen = a.rows[i]
            place = f"{chosen.sheet}!{p.written.cells[i][0]}"
            texts = {
                1: claim.statement,
                2: quantity,
                3: str(chosen.keys),
                4: chosen.unit,
                5: place,
                8: "; ".join(chosen.sources),
                9: claim.moves,
            }
            p.drivers.append((row, texts))
            for column, k in ((FIRST_VALUE, 0), (LAST_VALUE, -1)):
                name = f"driver {row} {column}"
                p.measures[name] = _number(i, k)
                formula = f"{chosen.sheet}!{p.written.cells[i][k]}"
                p.sheet(DRIVERS).lines.append(
                    Line(
                        row, quantity, Keys("", "", ""), chosen.unit, "", formula, (column,), name, (0, 0, 0)
                    )
                )
            row += 1


def _number(i: int, k: int) -> Callable[[State], float]:
    def number(state: State) -> float:
        return float(state.numbers.inputs[i][k])

    return number
