"""Python's side of a deliverable: what each of its cells must show, for the numbers in its inputs and what is chosen in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lm_xl.assumptions.assumptions import shifted
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, YEAR, Axes, Axis
from lm_xl.model.evaluate import evaluate
from lm_xl.model.ops import Array
from lm_xl.model.outputs import BASIS_NAMES
from lm_xl.workbook.plan.input_cells import Choice, Numbers
from lm_xl.workbook.plan.layout import CALCULATION, INPUTS
from lm_xl.workbook.plan.lines import Line, Plan
from lm_xl.workbook.plan.products import shares_of
from lm_xl.workbook.plan.report import BY_REGION, Labels, Order, report


@dataclass
class ReportNumbers:
    """The sink of numbers: keeps each table of the report under its name."""

    arrays: dict[str, Array]

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
        """Keep a table's numbers."""
        self.arrays[name] = x
        return x

    def heading(self, title: str, text: str) -> None:
        """Nothing to keep."""

    def fact(self, metric: str, name: str, x: Array, labels: Labels, unit: str) -> None:
        """Nothing to keep: the long data repeats numbers kept already."""

    def at_year(self, x: Array, y: int) -> Array:
        """An array's numbers in one year."""
        return x[..., [y]]


class PythonSide:
    """The numbers in a deliverable's cells, what is chosen, and every array they lead to."""

    def __init__(self, plan: Plan, numbers: Numbers, choice: Choice) -> None:
        self.plan, self.numbers, self.choice = plan, numbers, choice
        self.measured: dict[str, float | str] = {}
        a = plan.assumptions
        self.filled = a.filled(numbers.inputs)
        self.active = [float(delta.scenario == choice.scenario) for delta in a.deltas]
        structure = a.structure()
        live = a.inputs_from(numbers.inputs, numbers.amounts, choice.scenario)
        switches = {basis: float(basis == choice.basis) for basis in BASIS_NAMES}
        place = a.axes.scopes.index(choice.scope)
        switches |= {f"without scope {k}": float(k > place) for k in range(1, len(a.axes.scopes))}
        switches["rate"] = numbers.rates[[c.code for c in a.currencies].index(choice.currency)]
        switches["year place"] = float(a.axes.year(choice.year) + 1)
        chosen = {name: np.full((1, 1, 1, 1, 1), value) for name, value in switches.items()}
        arrays = {**live, **evaluate(live, structure)}
        arrays |= {f"choice {name}": x for name, x in chosen.items()}
        arrays |= {f"explored {axis.name}": x for axis, x in _explored(a.axes, choice)}
        sink = ReportNumbers(arrays)
        # a copy, since the sink adds to `arrays` while the report reads
        report(dict(arrays), a.axes, chosen, shares_of(a, numbers.shares), sink)
        for name, reduced in plan.reducers.items():
            arrays[name] = reduced(arrays)
        self.arrays = arrays

    def block(self, name: str) -> Array:
        """A block's numbers as its sheet shows them: lines by years, or by one column where it does not move."""
        x = self.arrays[name][0]
        lines = np.array([x[at] for at in self.plan.blocks[name].keys.values()])
        n = len(self.plan.columns(moving=self.plan.moving[name]))
        return np.broadcast_to(lines, (len(lines), n)) if lines.shape[1] < n else lines[:, :n]

    def values(self, line: Line) -> Sequence[float | str]:
        """The Python values of a line's cells, in order."""
        if line.array == "active":
            return [self.active[line.at[0]]]
        if line.array in self.plan.measures:
            # the master check stands on every sheet
            if line.array not in self.measured:
                self.measured[line.array] = self.plan.measures[line.array](self)
            return [self.measured[line.array]]
        values = self._step(line.at[0]) if line.array == INPUTS else self.arrays[line.array][(0, *line.at)]
        if line.year is not None:
            return [float(values[line.year if len(values) > 1 else 0])]
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


def _explored(axes: Axes, choice: Choice) -> Iterator[tuple[Axis, Array]]:
    """Of each axis, 1 where a leaf is part of what the explorer explains."""
    for dim, label in ((REGION, choice.region), (SEGMENT, choice.segment), (SUBTYPE, choice.subtype)):
        axis = axes.axis(dim)
        mask = np.isin(np.arange(len(axis)), axis.members(label)).astype(float)
        yield axis, np.expand_dims(mask, [d for d in range(YEAR + 1) if d != dim])
