"""What may change in a delivered workbook: the cells of its inputs, the numbers in them, and what is chosen on its cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.columns import DOLLAR
from lm_xl.model.outputs import BASIS_NAMES
from lm_xl.workbook.plan.layout import CHOICES


@dataclass(frozen=True)
class InputCells:
    """Where numbers stand: of an assumption row its addresses, of a delta its sheet row, of a published figure and of a product's share
    its address."""

    rows: Mapping[int, tuple[str, ...]]
    delta_rows: Mapping[int, int]
    figures: tuple[str, ...]
    shares: tuple[str, ...]


@dataclass(frozen=True)
class Numbers:
    """The numbers in a deliverable's input cells: of the rows, the scenarios' deltas, the currencies, the published figures,
    the products' shares."""

    inputs: Sequence[Sequence[float]]
    amounts: Sequence[float]
    rates: Sequence[float]
    figures: Sequence[float]
    shares: Sequence[float]

    @classmethod
    def of(cls, a: Assumptions) -> Numbers:
        """The numbers as they were read."""
        return cls(
            [r.inputs for r in a.rows],
            [d.amount for d in a.deltas],
            [c.rate for c in a.currencies],
            [f.value for f in a.published],
            [p.share for p in a.products],
        )


@dataclass(frozen=True)
class Choice:
    """What is chosen on the cover."""

    scenario: str
    scope: str
    basis: str = next(iter(BASIS_NAMES))
    currency: str = DOLLAR

    def __str__(self) -> str:
        return f"{self.scenario}, {self.scope}, {self.basis}, {self.currency}"

    def cells(self) -> dict[str, str]:
        """Cell of the cover to what stands in it."""
        return {
            CHOICES["scenario"]: self.scenario,
            CHOICES["scope"]: self.scope,
            CHOICES["basis"]: BASIS_NAMES[self.basis],
            CHOICES["currency"]: self.currency,
        }
