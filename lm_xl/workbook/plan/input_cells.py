"""What may change in a delivered workbook: the cells of its inputs, the numbers in them, and what is chosen on its cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.columns import DOLLAR
from lm_xl.model.axes import Axes
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
    """What is chosen on the dashboard, and what the explorer explains."""

    scenario: str
    scope: str
    basis: str
    currency: str
    region: str
    segment: str
    subtype: str
    year: int

    @classmethod
    def of(cls, axes: Axes, **chosen: Any) -> Choice:
        """What is given, and of the rest what a new deliverable shows: the first scenario, the headline of the world in the last year."""
        first: dict[str, Any] = {
            "scenario": axes.default,
            "scope": axes.headline,
            "basis": next(iter(BASIS_NAMES)),
            "currency": DOLLAR,
            "region": axes.region.total,
            "segment": axes.headline,
            "subtype": axes.subtype.total,
            "year": axes.years[-1],
        }
        return cls(**(first | chosen))

    def __str__(self) -> str:
        shown = f"{self.scenario}, {self.scope}, {self.basis}, {self.currency}"
        return f"{shown}; {self.region}, {self.segment}, {self.subtype}, {self.year}"

    def said(self) -> dict[str, str | int]:
        """What stands in the cell of each choice."""
        return {**self.__dict__, "basis": BASIS_NAMES[self.basis]}

    def cells(self) -> dict[tuple[str, str], str | int]:
        """Sheet and cell of each choice to what stands in it."""
        said = self.said()
        return {place: said[what] for what, place in CHOICES.items()}
