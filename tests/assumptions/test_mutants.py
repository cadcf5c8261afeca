"""Thousands of changed workbooks: each is refused with the place of the change, or says what a second reader says."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cellbooks
import numpy as np
import pytest
import small
from cellbooks import Book
from mutants import Mutant, mutant
from openpyxl.utils.cell import get_column_letter, range_boundaries
from plain_reader import Array, Reading, Unreadable, columns_of, same

import lm_xl
from lm_xl.assumptions.read import SHIPPED

SEED = 2035
SHIPPED_MUTANTS, SMALL_MUTANTS, BLOCK = 500, 4_500, 125
"""Mutants of the shipped workbook, which takes a fifth of a second to read, of a small one with all that it has, and of each test."""
ANY_SHEET = ("Axes", "Timeline", "Sources")
"""What stands here is told where the other sheets rest on it."""
BEYOND = {"Scenarios", "Correlations"}
"""Sheets that answer for rows that they move or join."""
OTHER_RULES = re.compile(
    "are correlated already|no two uncertain inputs lie there|cannot hold together|its list_price .* is in USD|cannot be '|reaches"
    "|needs a (low|mean) above 0|is wider than a share|cannot hold beside|cannot spread|invisible or odd|letters that look alike|gives? .*'Total market'|segments have it"
    "|revenue is compared by one|may not begin with"
)
"""What the rules say that the second reader does not have: of spreads, units, kinds, labels and correlations."""


def plain(value: Any) -> Any:
    """A value with its words in the form in which they are compared, and numbers as floats."""
    if isinstance(value, str):
        return same(value)
    if isinstance(value, tuple | list):
        return tuple(map(plain, value))
    return value if value is None else float(value)


def in_any_order(rows: Sequence[Any]) -> list[Any]:
    return sorted(map(plain, rows), key=repr)


def said_by(a: lm_xl.Assumptions) -> dict[str, Any]:
    """What some assumptions say beside their arrays, in the form of the second reader."""
    axes = [
        (
            axis.leaves,
            sorted((same(g), sorted(m)) for g, m in axis.groups.items()),
            axis.sets,
            axis.roles,
            axis.kinds,
        )
        for axis in (a.axes.region, a.axes.segment, a.axes.subtype)
    ]
    return {
        "axes": plain((*axes, a.axes.years, a.axes.scenarios, a.axes.scopes, sorted(a.axes.promises.items()))),
        "deltas": plain([(d.scenario, d.quantity, *d.keys, d.operation, d.amount) for d in a.deltas]),
        "rows": in_any_order([(r.quantity, *r.keys, r.unit, r.fill, r.inputs, r.distribution, r.low, r.high) for r in a.rows]),
        "correlations": in_any_order(
            [(*((q, *k[1:]) for q, k in zip(c.quantities, c.keys, strict=True)), c.value) for c in a.correlations]
        ),
        "products": in_any_order(
            [(p.segment, p.product, sorted(map(same, p.company.split(";"))), p.share, p.phase, p.trials) for p in a.products]
        ),
        "published": in_any_order([(f.publisher, f.what, f.metric, f.scope, *f.keys, f.year, f.value) for f in a.published]),
        "bands": in_any_order([(b.result, *b.keys, b.year, b.low, b.high) for b in a.bands]),
        "currencies": in_any_order([(c.code, c.rate, c.date) for c in a.currencies]),
    }  # fmt: skip


def said_by_reader(r: Reading) -> dict[str, Any]:
    unordered = {
        "rows": r.said, "correlations": r.correlations, "products": r.products, "published": r.published, "bands": r.bands, "currencies": r.currencies,
    }  # fmt: skip
    return {
        "axes": plain(r.labels),
        "deltas": plain(r.changes),
        **{name: in_any_order(rows) for name, rows in unordered.items()},
    }


def differences(a: lm_xl.Assumptions, r: Reading) -> Iterator[str]:
    """What the product and the second reader do not read alike."""
    ours, theirs = said_by(a), said_by_reader(r)
    yield from (name for name in ours if ours[name] != theirs[name])
    for name, array in r.base.items():
        if not np.array_equal(a.covers[name] >= 0, r.there[name]) or apart(a.base[name][0], array):
            yield name
    for scenario, arrays in r.under.items():
        moved = a.inputs([scenario])
        yield from (f"{name} in {scenario}" for name, array in arrays.items() if apart(moved[name][0], array))


def apart(ours: Array, theirs: Array) -> bool:
    return not np.allclose(np.broadcast_to(ours, theirs.shape), theirs, rtol=1e-12, atol=0)


def cells_named(fault: lm_xl.Fault) -> set[str]:
    """The cells that a fault names: its own and, where it is the fault of several, those of its message."""
    areas = [fault.cell] if fault.cell else []
    if several := re.search(r" \(in ([A-Z0-9:, ]+?)( and \d+ more)?\)$", fault.message):
        areas += several[1].split(", ")
    found = set()
    for area in areas:
        left, top, right, bottom = range_boundaries(area)
        found |= {
            f"{get_column_letter(c)}{r}" for c in range(left, right + 1) for r in range(top, bottom + 1)
        }
    return found


class Judge:
    """Judges mutants of a book: `problem` says what is wrong with how the product takes one, or ""."""

    def __init__(self, book: Book, folder: Path) -> None:
        self.book, self.path, self.columns = book, folder / "mutant.xlsx", columns_of(book)
        self.sound = said_by_reader(Reading(book, self.columns))
        self.outcomes: Counter[str] = Counter()

    def problem(self, m: Mutant) -> str:
        why, reading = None, None
        try:
            reading = Reading(m.book, self.columns)
        except Unreadable as unreadable:
            why = unreadable
        try:
            a = lm_xl.read_assumptions(cellbooks.write(m.book, self.path))
        except lm_xl.Refused as refused:
            self.outcomes["refused"] += 1
            return self.refused(m, why, refused.faults)
        self.outcomes["read"] += 1
        if reading is None:
            return f"is read, but {why}"
        if apart := list(differences(a, reading)):
            return f"is read otherwise: {', '.join(apart)}"
        return "is said to be harmless" if m.harmless and said_by_reader(reading) != self.sound else ""

    @staticmethod
    def refused(m: Mutant, why: Unreadable | None, faults: Sequence[lm_xl.Fault]) -> str:
        told = "; ".join(map(str, faults[:3]))
        here = [f for f in faults if same(f.sheet) == same(m.sheet)]
        if m.harmless or not faults:
            return f"is refused: {told}"
        if why and m.cell and (same(why.sheet), why.cell) == (same(m.sheet), m.cell):
            named = any(m.cell in cells_named(f) for f in here)
            return "" if named else f"is refused without the cell: {told}"
        if not here and m.sheet not in ANY_SHEET and not any(f.sheet in BEYOND for f in faults):
            return f"is refused without the sheet: {told}"
        if why is None and not any(OTHER_RULES.search(f.message) for f in faults):
            return f"is refused, but the second reader reads it: {told}"
        return ""


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judge]:
    folder = tmp_path_factory.mktemp("mutants")
    whole = small.workbook(folder / "small.xlsx", small.DISTINCT, with_correlations)
    return {
        "shipped": Judge(cellbooks.book_of(SHIPPED), folder),
        "small": Judge(cellbooks.book_of(whole), folder),
    }


def with_correlations(content: dict[str, list[dict[str, Any]]]) -> None:
    small.distinct(content)
    row = {
        "quantity": "lm_risk",
        "subtype": "All cancers",
        "source": "TEST",
        "status": "placeholder",
        "note": "made up",
    }
    content["Correlations"] = [
        {**row, "other_quantity": "lm_risk", "other_subtype": "All cancers", "rank_correlation": 0.4},
        {**row, "other_quantity": "list_price", "other_segment": "Old drug", "rank_correlation": -0.2},
    ]


def test_the_second_reader_reads_the_sound_workbooks_alike(books: dict[str, Judge]) -> None:
    for judge in books.values():
        a = lm_xl.read_assumptions(cellbooks.write(judge.book, judge.path))
        assert list(differences(a, Reading(judge.book, judge.columns))) == []
        assert min(map(len, said_by(a).values())) > 1
    assert (
        lm_xl.read_assumptions().identity
        == lm_xl.read_assumptions(cellbooks.write(books["shipped"].book, books["shipped"].path)).identity
    )


BLOCKS = [("shipped", i) for i in range(SHIPPED_MUTANTS // BLOCK)] + [
    ("small", i) for i in range(SMALL_MUTANTS // BLOCK)
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "block"), BLOCKS)
def test_every_mutant_is_refused_with_its_place_or_read_as_it_stands(
    name: str, block: int, books: dict[str, Judge]
) -> None:
    judge, rng = books[name], random.Random(f"{SEED} {name} {block}")
    problems = []
    for number in range(BLOCK):
        m = mutant(rng, judge.book)
        if problem := judge.problem(m):
            problems.append(f"{number}. {m.sheet}!{m.cell} {m.what} {problem}")
    assert not problems, "\n".join([f"{len(problems)} of {BLOCK}", *problems[:40]])
    assert min(judge.outcomes["read"], judge.outcomes["refused"]) > BLOCK // 5
