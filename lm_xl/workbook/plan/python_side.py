"""Python's side of a deliverable: what each of its cells must show, for the numbers in its inputs and what is chosen on its cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lm_xl.assumptions.assumptions import shifted
from lm_xl.model.evaluate import evaluate
from lm_xl.model.ops import Array
from lm_xl.model.outputs import BASIS_NAMES
from lm_xl.workbook.plan.input_cells import Choice, Numbers
from lm_xl.workbook.plan.layout import CALCULATION, CHOICES, INPUTS
from lm_xl.workbook.plan.lines import Line, Plan
from lm_xl.workbook.plan.products import shares_of
from lm_xl.workbook.plan.report import BY_REGION, Labels, Order, report
from lm_xl.workbook.plan.terms import one


@dataclass
class ReportNumbers:
    """The sink of numbers: keeps each table, figure and sentence of the report under its name."""

    plan: Plan
    choice: Choice
    arrays: dict[str, Array] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    _numbers_said: int = 0

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
        skip: int = 0,
    ) -> Array:
        """Keep a table's numbers."""
        self.arrays[name] = x
        return x

    def beside(self, title: str, place: str, name: str, x: Array, unit: str, block: Array) -> None:
        """Keep a column's numbers."""
        self.arrays[name] = x

    def heading(self, title: str, text: str) -> None:
        """Nothing to keep."""

    def fact(self, metric: str, name: str, x: Array, labels: Labels, unit: str) -> None:
        """Nothing to keep: the long data repeats numbers kept already."""

    def figure(self, name: str, x: Array, unit: str, what: str) -> None:
        """Keep a key figure."""
        self.arrays[name] = x

    def at_year(self, x: Array, y: int) -> Array:
        """An array's numbers in one year."""
        return x[..., [y]]

    def whole(self, x: Array, unit: str) -> Array:
        """A number as words."""
        self.arrays[f"said {self._numbers_said}"] = x
        self._numbers_said += 1
        number = x.item()
        if unit == "share":
            return one("n/a" if np.isnan(number) else f"{number * 100:,.1f}%")
        return one(f"{number:,.0f}")

    def leader(self, name: str, dim: int, labels: Sequence[str], y: int) -> Array:
        """The label of a block's line with the largest number in one year."""
        x = self.arrays[name]
        shown = set(self.plan.blocks[name].keys.values())
        # structural zeros have no line, and so no place among the lines
        lines = [k for k, at in enumerate(np.ndindex(*x.shape[1:4])) if at in shown]
        place = int(np.argmax(x[0, ..., y].reshape(-1)[lines]))
        self.arrays[f"{name} place {y}"] = np.full((1, 1, 1, 1, 1), float(place + 1))
        return one(labels[lines[place]])

    def chosen(self, what: str) -> Array:
        """The name of the chosen basis, currency, scope or scenario."""
        return one(self.choice.cells()[CHOICES[what]])

    def sentence(self, name: str, pieces: Sequence[str | Array]) -> None:
        """Keep a sentence, its pieces and its halves."""
        texts = [piece if isinstance(piece, str) else str(piece[0]) for piece in pieces]
        middle = len(texts) // 2
        self.texts |= {f"{name} {i}": text for i, text in enumerate(texts)}
        self.texts |= {
            f"{name} half 0": "".join(texts[:middle]),
            f"{name} half 1": "".join(texts[middle:]),
            name: "".join(texts),
        }


class PythonSide:
    """The numbers in a deliverable's cells, what is chosen, and every array and word they lead to."""

    def __init__(self, plan: Plan, numbers: Numbers, choice: Choice) -> None:
        self.plan, self.numbers = plan, numbers
        a = plan.assumptions
        self.filled = a.filled(numbers.inputs)
        self.active = [float(delta.scenario == choice.scenario) for delta in a.deltas]
        structure = a.structure()
        live = a.inputs_from(numbers.inputs, numbers.amounts, choice.scenario)
        switches = {basis: float(basis == choice.basis) for basis in BASIS_NAMES}
        place = a.axes.scopes.index(choice.scope)
        switches |= {f"without scope {k}": float(k > place) for k in range(1, len(a.axes.scopes))}
        switches["rate"] = numbers.rates[[c.code for c in a.currencies].index(choice.currency)]
        chosen = {name: np.full((1, 1, 1, 1, 1), value) for name, value in switches.items()}
        arrays = {**live, **evaluate(live, structure)}
        arrays |= {f"choice {name}": x for name, x in chosen.items()}
        sink = ReportNumbers(plan, choice, arrays)
        # a copy, since the sink adds to `arrays` while the report reads
        report(dict(arrays), a.axes, structure["year"], chosen, shares_of(a, numbers.shares), sink)
        arrays |= {name: reduced(arrays) for name, reduced in plan.reducers.items()}
        self.arrays, self.texts = arrays, sink.texts

    def block(self, name: str) -> Array:
        """A block's numbers as its sheet shows them: lines by years, or by one column where it does not move."""
        x = self.arrays[name][0]
        lines = np.array([x[at] for at in self.plan.blocks[name].keys.values()])
        n = len(self.plan.columns(moving=self.plan.moving[name]))
        return np.broadcast_to(lines, (len(lines), n)) if lines.shape[1] < n else lines[:, :n]

    def values(self, line: Line) -> Sequence[float | str]:
        """The Python values of a line's cells, in order."""
        if line.array in self.texts:
            return [self.texts[line.array]]
        if line.array == "active":
            return [self.active[line.at[0]]]
        if line.array in self.plan.measures:
            return [self.plan.measures[line.array](self)]
        values = self._step(line.at[0]) if line.array == INPUTS else self.arrays[line.array][(0, *line.at)]
        if line.year is not None:
            return [float(values[line.year if len(values) > 1 else 0])]
        values = values[line.skip :]
        n = len(line.columns)
        # what does not move has one number, which stands in the cell of each year
        return np.broadcast_to(values, (n,)).tolist() if len(values) < n else values[:n].tolist()

    def _step(self, step: int) -> Array:
        """An assumption row over the years after some of its deltas."""
        position, deltas = self.plan.steps[step]
        x: Array = self.filled[position]
        for k in deltas:
            amount, active = np.array(self.numbers.amounts[k]), np.array([self.active[k]])
            x = shifted(x, self.plan.assumptions.deltas[k].operation, amount, active)
        return x
