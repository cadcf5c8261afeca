"""What differs between two assumptions workbooks: the rows that changed, and the effect of each on revenue."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Assumptions, Keys, Row, reach_of
from lm_xl.assumptions.columns import KEYS, SHEETS, WANTED
from lm_xl.assumptions.read import read_assumptions
from lm_xl.assumptions.tables import RawCell, is_year, read_tables
from lm_xl.faults import Fault, UnknownLabel
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.points import Measure, Point, in_year, measure, place
from lm_xl.model.axes import YEAR, Axes, Axis
from lm_xl.model.evaluate import evaluate
from lm_xl.model.labels import folded
from lm_xl.model.ops import Array
from lm_xl.model.quantities import QUANTITIES

if TYPE_CHECKING:
    import pandas as pd

ROW = ("quantity", *KEYS)
NAMES = {
    "Axes": ("axis", "label"),
    **dict.fromkeys(SHEETS, ROW),
    "Scenarios": ("scenario", *ROW),
    "Correlations": ("quantity", "segment", "subtype", "other_quantity", "other_segment", "other_subtype"),
    "Published": ("publisher", "what", "metric", *KEYS, "year"),
    "Currencies": ("currency",),
    "Sources": ("id",),
    "Changes": ("version", "date", "who"),
}
"""The columns by which a line of a sheet is known; two lines are the same line if these agree."""
IN_ORDER = ("Axes", "Scenarios", "Changes")
"""The sheets in which the order of the lines means something."""
LISTS = ("groups", "source")
"""The columns that hold several words, in any order."""

Name = tuple[str, ...]
Line = Mapping[str, RawCell]
Lines = Mapping[str, Mapping[Name, Line]]
"""Sheet to the lines on it."""


@dataclass(frozen=True)
class Edit:
    """One line of a workbook that was changed, added or removed, and what that alone does to the measure."""

    sheet: str
    kind: str
    what: str
    cell: str
    """Its first cell that changed: in the second workbook, or in the first where the line was removed."""
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

        lines = [
            (
                e.sheet,
                e.cell,
                e.kind,
                e.what,
                "; ".join(e.columns),
                "; ".join(e.before),
                "; ".join(e.after),
                e.source,
                e.effect,
            )
            for e in self.edits
        ]
        frame = pd.DataFrame(
            lines, columns=["sheet", "cell", "kind", "what", "columns", "before", "after", "source", "effect"]
        )
        return frame.assign(effect=frame["effect"].astype(float), unit=self.measure.unit)


def lines_of(path: str | Path) -> list[str]:
    """A workbook as text, one line a row and without its layout, so that two versions can be compared line by line.

    The numbers are not checked. Raises Refused where the file cannot be read as a workbook.
    """
    lines = []
    for sheet, found in _lines(Path(path)).items():
        text = []
        for line in found.values():
            texts = [
                f"{column} {text}"
                for column, text in _texts(sheet, line).items()
                if column not in NAMES[sheet]
            ]
            text.append(f"{sheet}, {_what(sheet, line)}{': ' if texts else ''}{' | '.join(texts)}")
        lines += text if sheet in IN_ORDER else sorted(text, key=folded)
    return lines


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
) -> Difference:
    """What differs between two assumptions workbooks, with the effect of each edit on revenue in a year, in nominal USD.

    Without a scenario the first, without a year the last. An effect is arithmetic: the first workbook with that edit alone,
    even where rows must change together to be valid, as shares that sum to 1 must. Raises Refused for a workbook with faults,
    UnknownLabel for a label, scenario or year that one of the workbooks does not have.
    """
    a, b = read_assumptions(before), read_assumptions(after)
    places, worth = [], []
    for book in (a, b):
        try:
            there = place(
                book.axes,
                a.axes.scenarios[0] if scenario is None else scenario,
                a.axes.years[-1] if year is None else year,
            )
            chosen = measure(book.axes, region=region, segment=segment, subtype=subtype, basis=basis)
        except UnknownLabel as unknown:
            raise UnknownLabel(f"{book.path.name}: {unknown}") from None
        places.append(there)
        worth.append(
            float(chosen.of(book.axes, forecast(book, there.scenario).outputs)[0, book.axes.year(there.year)])
        )
    at = places[0]
    lines = _lines(a.path), _lines(b.path)
    edited = list(_edited(*lines))
    apart = _apart(a.axes, b.axes)
    effects = {} if apart else _effects(a, b, lines, at, chosen)
    edits = [
        _edit(sheet, old, new, None if apart else effects.get((sheet, name), 0.0))
        for sheet, name, old, new in edited
    ]
    if effects.get(REST):
        edits.insert(
            0,
            Edit(
                "Axes",
                "changed",
                "what rows and deltas cover, and their order",
                "",
                (),
                (),
                (),
                "",
                effects[REST],
            ),
        )
    return Difference((a, b), chosen, at, worth[0], worth[1], tuple(edits), apart)


REST = ("Axes", ("",))
"""Stands for what moves a number although its own row is as it was: groups, the order of deltas, the horizon."""


def _lines(path: Path) -> dict[str, dict[Name, Line]]:
    """The lines of each sheet by their names; lines of the same name are numbered."""
    faults: list[Fault] = []
    tables = read_tables(path, WANTED, faults)
    found: dict[str, dict[Name, Line]] = {sheet: {} for sheet in WANTED}
    for sheet, table in tables.items():
        for line in table.rows:
            name = tuple(folded(_text(line[c])) if c in line else "" for c in NAMES[sheet])
            found[sheet][*name, str(sum(n[:-1] == name for n in found[sheet]))] = line
    return found


def _text(cell: RawCell) -> str:
    """A cell's value on one line; a number with all of its digits."""
    value = cell.value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return "" if value is None else re.sub(r"\s*[\r\n]\s*", " / ", str(value).strip())


def _texts(sheet: str, line: Line) -> dict[str, str]:
    """What stands in a line, by column, blanks left out; lists of groups and of sources in one order."""
    columns = [*WANTED[sheet], *(c for c in line if is_year(c))]
    texts = {c: _text(line[c]) for c in columns if c in line}
    lists = {
        c: "; ".join(sorted(filter(None, map(str.strip, texts[c].split(";"))), key=folded))
        for c in LISTS
        if c in texts
    }
    return {c: text for c, text in (texts | lists).items() if text}


def _what(sheet: str, line: Line) -> str:
    """A line in words, such as "lm_risk of US x SCLC"."""
    texts = [_text(line[c]) if c in line else "" for c in NAMES[sheet]]
    if NAMES[sheet][-len(ROW) :] != ROW:
        return ", ".join(x for x in texts if x)
    *scenario, quantity, region, segment, subtype = texts
    return f"{''.join(f'{x}: ' for x in scenario)}{quantity} of {Keys(region, segment, subtype)}"


def _edited(before: Lines, after: Lines) -> Iterable[tuple[str, Name, Line | None, Line | None]]:
    """The lines that differ, in the order of the workbook, those that were removed last in their sheet."""
    for sheet in WANTED:
        for name, line in after[sheet].items():
            old = before[sheet].get(name)
            if old is None or _texts(sheet, old) != _texts(sheet, line):
                yield sheet, name, old, line
        for name, line in before[sheet].items():
            if name not in after[sheet]:
                yield sheet, name, line, None


def _edit(sheet: str, before: Line | None, after: Line | None, effect: float | None) -> Edit:
    shown = after or before or {}
    old, new = (_texts(sheet, line or {}) for line in (before, after))
    columns = tuple(c for c in _texts(sheet, {**(before or {}), **shown}) | old if old.get(c) != new.get(c))
    kind = "added" if before is None else "removed" if after is None else "changed"
    was, now = (tuple(x.get(c, "") for c in columns) for x in (old, new))
    cell = next(shown[c].address for c in (*columns, *shown) if c in shown)
    return Edit(
        sheet, kind, _what(sheet, shown), cell, columns, was, now, (new or old).get("source", ""), effect
    )


def _apart(before: Axes, after: Axes) -> str:
    """Why single rows of one workbook cannot be put into the other, or ""."""
    for old, new in ((before.axis(d), after.axis(d)) for d in DIMS):
        kinds = [
            {folded(x): (folded(s), r) for x, s, r in zip(axis.leaves, axis.sets, axis.roles, strict=True)}
            for axis in (old, new)
        ]
        other = [x for x in (*old.leaves, *new.leaves) if kinds[0].get(folded(x)) != kinds[1].get(folded(x))]
        if other:
            return f"the {old.name} axis differs in {', '.join(map(repr, dict.fromkeys(other)))}"
    return ""


def _effects(
    a: Assumptions, b: Assumptions, lines: tuple[Lines, Lines], at: Point, chosen: Measure
) -> dict[tuple[str, Name], float]:
    """What each line that may move a number does alone, by sheet and name."""
    old, new = (
        {
            q: _aligned(x, a.axes, book.axes)
            for q, x in in_year(
                book.axes, {**book.base, PROTECTED: book.structure()[PROTECTED]}, at.year
            ).items()
        }
        for book in (a, b)
    )
    structure = {**a.structure(), "year": np.full((1,) * (YEAR + 1), float(at.year))}

    def worth(values: Mapping[str, Array], book: Assumptions) -> float:
        inputs = book.under({q: values[q] for q in a.base}, [at.scenario])
        outputs = evaluate(inputs, {**structure, PROTECTED: values[PROTECTED]})
        return float(chosen.of(book.axes, outputs)[0, 0])

    moved: dict[tuple[str, Name], dict[str, Array]] = {REST: {}}
    for quantity in QUANTITIES:
        differs = old[quantity] != new[quantity]
        behind = (
            (_behind(a, quantity), _aligned(_behind(b, quantity), a.axes, b.axes)) if differs.any() else ()
        )
        for where in map(tuple, np.argwhere(differs)):
            was, now = (_name(book.rows[rows[where]]) for book, rows in zip((a, b), behind, strict=True))
            line = _responsible(QUANTITIES[quantity].sheet, was, now, lines)
            moved.setdefault(line, {}).setdefault(quantity, np.zeros(differs.shape, dtype=bool))[where] = True
    deltas = [
        dict(zip(x["Scenarios"], book.deltas, strict=True)) for x, book in zip(lines, (a, b), strict=True)
    ]
    kept = iter([name for name in deltas[1] if name in deltas[0]])
    in_order = tuple(
        deltas[0][next(kept)] if name in deltas[1] else delta for name, delta in deltas[0].items()
    )
    rearranged = replace(a, axes=_regrouped(a.axes, b.axes), deltas=in_order)
    base = worth(old, a)
    effects = {}
    for line, masks in moved.items():
        values = dict(old)
        for quantity, mask in masks.items():
            for name in (quantity, PROTECTED) if quantity == "patent_expiry" else (quantity,):
                values[name] = np.where(mask, new[name], old[name])
        effects[line] = worth(values, rearranged if line == REST else a) - base
    for key in deltas[0] | deltas[1]:
        if deltas[0].get(key) != deltas[1].get(key):
            keys = list(deltas[0])
            if key not in keys:
                earlier = [k for k in list(deltas[1])[: list(deltas[1]).index(key)] if k in keys]
                keys.insert(keys.index(earlier[-1]) + 1 if earlier else 0, key)
            edited = [deltas[1].get(k) if k == key else deltas[0][k] for k in keys]
            effects["Scenarios", key] = (
                worth(old, replace(a, deltas=tuple(d for d in edited if d is not None))) - base
            )
    return effects


PROTECTED = "is_protected"
"""The one mask of the structure that rows decide: whether anything protects a price."""


def _name(row: Row) -> Name:
    return (*map(folded, (row.quantity, *row.keys)), "0")


def _responsible(sheet: str, was: Name, now: Name, lines: tuple[Lines, Lines]) -> tuple[str, Name]:
    """The line that answers for a number that differs: the row behind it before, or the one behind it now."""
    before, after = lines[0][sheet], lines[1][sheet]
    if now not in before:
        return sheet, now
    if was not in after:
        return sheet, was
    return (sheet, now) if was == now and _texts(sheet, before[now]) != _texts(sheet, after[now]) else REST


def _behind(book: Assumptions, quantity: str) -> Array:
    """The position of the row behind each element at canonical rank, also where that row says never."""
    reaches = [
        (i, reach_of(book.axes, QUANTITIES[quantity], row.keys))
        for i, row in enumerate(book.rows)
        if row.quantity == quantity
    ]
    rows = np.full(reaches[0][1].shape, -1)
    for i, reach in sorted(reaches, key=lambda x: -int(x[1].sum())):
        rows[reach] = i
    return rows[np.newaxis, ..., np.newaxis]


def _places(old: Axis, new: Axis) -> list[int]:
    """Where each leaf of one axis stands on another of the same leaves."""
    return [list(map(folded, new.leaves)).index(folded(leaf)) for leaf in old.leaves]


def _aligned(x: Array, old: Axes, new: Axes) -> Array:
    """An array over some axes in the order of others of the same leaves."""
    for dim in DIMS:
        if x.shape[dim] > 1:
            x = np.take(x, _places(old.axis(dim), new.axis(dim)), axis=dim)
    return x


def _regrouped(old: Axes, new: Axes) -> Axes:
    """Axes with the groups of others of the same leaves, beside their own."""
    region, segment, subtype = (
        replace(
            axis,
            groups={**axis.groups, **{g: tuple(sorted(back[i] for i in m)) for g, m in other.groups.items()}},
        )
        for axis, other in ((old.axis(d), new.axis(d)) for d in DIMS)
        for back in [_places(other, axis)]
    )
    return replace(old, region=region, segment=segment, subtype=subtype)
