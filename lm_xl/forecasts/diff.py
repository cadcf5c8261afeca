"""What differs between two assumptions workbooks: the rows that changed, and the effect of each on revenue."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lm_xl.assumptions.assumptions import DIMS, Assumptions
from lm_xl.assumptions.columns import WANTED
from lm_xl.assumptions.read import read_assumptions
from lm_xl.assumptions.tables import SheetRow
from lm_xl.faults import UnknownLabel
from lm_xl.forecasts.effects import NO_ROW, effects
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.points import Measure, Point, measure, place
from lm_xl.forecasts.sheet_rows import Name, SheetRows, in_words, rows_by_name, texts
from lm_xl.model.axes import Axes, Axis
from lm_xl.model.labels import folded

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Edit:
    """One row of a workbook that was changed, added or removed, and what that alone does to the measure."""

    sheet: str
    kind: str
    what: str
    cell: str
    """Its first cell that changed: in the second workbook, or in the first where the row was removed."""
    columns: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    source: str
    effect: float | None
    """The first workbook with this edit alone, less the first workbook; None where the edit cannot be made alone."""


@dataclass(frozen=True)
class Difference:
    """Two workbooks: their edits, and the measure in each. Effects and interaction sum to the total."""

    assumptions: tuple[Assumptions, Assumptions]
    measure: Measure
    at: Point
    before: float
    after: float
    edits: tuple[Edit, ...]
    apart: str
    """Why the effects of single edits are not known, or ""."""

    @property
    def total(self) -> float:
        return self.after - self.before

    @property
    def interaction(self) -> float | None:
        """What the edits do together beyond the sum of what each does alone; None where that is not known."""
        return None if self.apart else self.total - math.fsum(edit.effect or 0.0 for edit in self.edits)

    def frame(self) -> pd.DataFrame:
        """One edit a row: sheet, cell, kind, what, columns, before, after, source, effect (NaN where it is not known), unit."""
        import pandas as pd

        rows = [
            (
                e.sheet,
                e.cell,
                e.kind,
                e.what,
                *map("; ".join, (e.columns, e.before, e.after)),
                e.source,
                e.effect,
            )
            for e in self.edits
        ]
        columns = ["sheet", "cell", "kind", "what", "columns", "before", "after", "source", "effect"]
        frame = pd.DataFrame(rows, columns=columns)
        return frame.assign(effect=frame["effect"].astype(float), unit=self.measure.unit)


def diff(
    before: str | Path,
    after: str | Path,
    scenario: str | None = None,
    year: int | None = None,
    *,
    region: str | None = None,
    segment: str | None = None,
    subtype: str | None = None,
    basis: str = "risk_adjusted",
    scope: str | None = None,
) -> Difference:
    """What differs between two assumptions workbooks, with the effect of each edit on revenue in a year, in nominal USD.

    Without a scenario the default, without a year the last. An effect is arithmetic: the first workbook with that edit alone,
    even where rows must change together to be valid, as shares that sum to 1 must. Raises Refused for a workbook with faults,
    UnknownLabel for a label, scenario or year that one of the workbooks does not have.
    """
    a, b = read_assumptions(before), read_assumptions(after)
    scenario = a.axes.default if scenario is None else scenario
    year = a.axes.years[-1] if year is None else year
    labels = region, segment, subtype
    (at, chosen, old), (_, _, new) = (
        _measured(book, scenario, year, labels, basis, scope) for book in (a, b)
    )
    rows = rows_by_name(a.path), rows_by_name(b.path)
    apart = _axes_apart(a.axes, b.axes)
    single = {} if apart else effects(a, b, rows, at, chosen)
    edits = [
        _edit(sheet, was, now, None if apart else single.get((sheet, name), 0.0))
        for sheet, name, was, now in _edited(*rows)
    ]
    if single.get(NO_ROW):
        what = "what rows and deltas cover, and their order"
        edits.insert(0, Edit("Axes", "changed", what, "", (), (), (), "", single[NO_ROW]))
    return Difference((a, b), chosen, at, old, new, tuple(edits), apart)


def _measured(
    book: Assumptions,
    scenario: str,
    year: int,
    labels: tuple[str | None, str | None, str | None],
    basis: str,
    scope: str | None,
) -> tuple[Point, Measure, float]:
    """Where and what to measure in a workbook, and its revenue there. Raises UnknownLabel, which names the workbook."""
    region, segment, subtype = labels
    try:
        at = place(book.axes, scenario, year)
        chosen = measure(book.axes, region=region, segment=segment, subtype=subtype, basis=basis, scope=scope)
    except UnknownLabel as unknown:
        raise UnknownLabel(f"{book.path.name}: {unknown}") from None
    outputs = forecast(book, at.scenario).outputs
    return at, chosen, float(chosen.of(book.axes, outputs)[0, book.axes.year(at.year)])


def _edited(
    before: SheetRows, after: SheetRows
) -> Iterator[tuple[str, Name, SheetRow | None, SheetRow | None]]:
    """The rows that differ, in the order of the workbook, those that were removed last in their sheet."""
    for sheet in WANTED:
        for name, row in after[sheet].items():
            old = before[sheet].get(name)
            if old is None or texts(sheet, old) != texts(sheet, row):
                yield sheet, name, old, row
        for name, row in before[sheet].items():
            if name not in after[sheet]:
                yield sheet, name, row, None


def _edit(sheet: str, before: SheetRow | None, after: SheetRow | None, effect: float | None) -> Edit:
    """An edit of a row: the columns that changed, with their texts."""
    kind = "added" if before is None else "removed" if after is None else "changed"
    shown = after or before or {}
    old, new = (texts(sheet, row or {}) for row in (before, after))
    # In the order of the sheet's columns; one that has been cleared comes last.
    filled = texts(sheet, {**(before or {}), **shown}) | old
    columns = tuple(c for c in filled if old.get(c) != new.get(c))
    was, now = (tuple(row.get(c, "") for c in columns) for row in (old, new))
    cell = next(shown[c].address for c in (*columns, *shown) if c in shown)
    source = (new or old).get("source", "")
    return Edit(sheet, kind, in_words(sheet, shown), cell, columns, was, now, source, effect)


def _axes_apart(before: Axes, after: Axes) -> str:
    """Why single rows of one workbook cannot be put into the other, or ""."""
    for old, new in ((before.axis(d), after.axis(d)) for d in DIMS):
        had, has = _kinds(old), _kinds(new)
        leaves = dict.fromkeys((*old.leaves, *new.leaves))
        other = [leaf for leaf in leaves if had.get(folded(leaf)) != has.get(folded(leaf))]
        if other:
            return f"the {old.name} axis differs in {', '.join(map(repr, other))}"
    return ""


def _kinds(axis: Axis) -> dict[str, tuple[str, str]]:
    """The set and the role of each leaf."""
    return {
        folded(leaf): (folded(own), role)
        for leaf, own, role in zip(axis.leaves, axis.sets, axis.roles, strict=True)
    }
