"""Python's side of a deliverable: what each of its cells must show, for the numbers in its inputs and what is chosen on its cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lm_xl.assumptions.assumptions import Assumptions, shifted
from lm_xl.assumptions.columns import DOLLAR
from lm_xl.model.evaluate import evaluate
from lm_xl.model.ops import Array
from lm_xl.model.outputs import BASIS_NAMES
from lm_xl.workbook.plan.plan import CHOICES, INPUTS, Line, Plan, one
from lm_xl.workbook.plan.report import report


@dataclass(frozen=True)
class Choice:
    """What is chosen on the cover."""

    scenario: str
    basis: str = next(iter(BASIS_NAMES))
    currency: str = DOLLAR

    def cells(self) -> dict[str, str]:
        """Cell of the cover to what stands in it."""
        return {
            CHOICES["scenario"]: self.scenario,
            CHOICES["basis"]: BASIS_NAMES[self.basis],
            CHOICES["currency"]: self.currency,
        }


@dataclass(frozen=True)
class Numbers:
    """The numbers in a deliverable's input cells: of the rows, the scenarios' deltas, the currencies, the published figures."""

    inputs: Sequence[Sequence[float]]
    amounts: Sequence[float]
    rates: Sequence[float]
    figures: Sequence[float]

    @classmethod
    def of(cls, a: Assumptions) -> Numbers:
        """The numbers as they were read."""
        return cls(
            [r.inputs for r in a.rows],
            [d.amount for d in a.deltas],
            [c.rate for c in a.currencies],
            [f.value for f in a.published],
        )


@dataclass
class State:
    """Python's side of a deliverable: the numbers in its cells, what is chosen, and every array and word they lead to."""

    plan: Plan
    numbers: Numbers
    choice: Choice
    arrays: dict[str, Array] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    said: int = 0

    def __post_init__(self) -> None:
        a = self.plan.assumptions
        structure = a.structure()
        self.filled = a.filled(self.numbers.inputs)
        self.active = [float(delta.scenario == self.choice.scenario) for delta in a.deltas]
        live = a.inputs_from(self.numbers.inputs, self.numbers.amounts, self.choice.scenario)
        self.arrays = {**live, **evaluate(live, structure)}
        choice = {basis: float(basis == self.choice.basis) for basis in BASIS_NAMES}
        choice["rate"] = self.numbers.rates[[c.code for c in a.currencies].index(self.choice.currency)]
        chosen = {name: np.full((1, 1, 1, 1, 1), value) for name, value in choice.items()}
        self.arrays |= {f"choice {name}": x for name, x in chosen.items()}
        report(dict(self.arrays), a.axes, structure["year"], chosen, self)
        self.arrays |= {name: reduced(self.arrays) for name, reduced in self.plan.reducers.items()}

    def put(
        self,
        title: str,
        name: str,
        x: Array,
        unit: str,
        labels: Sequence[Sequence[str]],
        order: Sequence[int],
        style: str = "",
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

    def fact(self, metric: str, name: str, x: Array, labels: Sequence[Sequence[str]], unit: str) -> None:
        """Nothing to keep: the long data repeats numbers kept already."""

    def figure(self, name: str, x: Array, unit: str, what: str) -> None:
        """Keep a key figure."""
        self.arrays[name] = x

    def at_year(self, x: Array, y: int) -> Array:
        """An array's numbers in one year."""
        return x[..., [y]]

    def whole(self, x: Array, unit: str) -> Array:
        """A number as words."""
        self.arrays[f"said {self.said}"] = x
        self.said += 1
        number = x.item()
        if unit == "share":
            return one("n/a" if number != number else f"{number * 100:,.1f}%")
        return one(f"{number:,.0f}")

    def leader(self, name: str, dim: int, labels: Sequence[str], y: int) -> Array:
        """The label of a block's line with the largest number in one year."""
        numbers = self.arrays[name][0, ..., y].reshape(-1)
        lines = [
            k
            for k, at in enumerate(np.ndindex(*self.arrays[name].shape[1:4]))
            if at in self.plan.blocks[name].keys.values()
        ]
        place = int(np.argmax(numbers[lines]))
        self.arrays[f"{name} place {y}"] = np.full((1, 1, 1, 1, 1), float(place + 1))
        return one(labels[lines[place]])

    def chosen(self, what: str) -> Array:
        """The name of the chosen basis, currency or scenario."""
        return one(self.choice.cells()[CHOICES[what]])

    def sentence(self, name: str, pieces: Sequence[str | Array]) -> None:
        """Keep a sentence, its pieces and its halves."""
        said = [piece if isinstance(piece, str) else str(piece[0]) for piece in pieces]
        self.texts |= {f"{name} {i}": text for i, text in enumerate(said)}
        self.texts |= {
            f"{name} half 0": "".join(said[: len(said) // 2]),
            f"{name} half 1": "".join(said[len(said) // 2 :]),
            name: "".join(said),
        }

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
        return np.broadcast_to(values, (n,)).tolist() if len(values) < n else values[:n].tolist()

    def _step(self, step: int) -> Array:
        position, deltas = self.plan.steps[step]
        x: Array = self.filled[position]
        for k in deltas:
            x = shifted(
                x,
                self.plan.assumptions.deltas[k].operation,
                np.array(self.numbers.amounts[k]),
                np.array([self.active[k]]),
            )
        return x
