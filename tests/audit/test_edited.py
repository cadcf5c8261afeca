"""Deliverables that somebody edited, at random but for the seed: verify and audit say what each edit should cause, and no more."""

from __future__ import annotations

import os
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
import small
from conftest import DRAWS
from openpyxl.utils.cell import range_boundaries
from openpyxl.workbook import Workbook

import lm_xl
from lm_xl.audit.audit import audit
from lm_xl.workbook.pages.styles import TAB
from lm_xl.workbook.plan.records import INPUT_SHEETS
from lm_xl.workbook.verify import verify

SEED = 20350
FILES, EDITS = 10, 50
"""Edited files of each kind, and edits of each file: 500 that do harm, and 500 that do none."""
BLOCKS, OF_BLOCK = int(os.environ.get("LM_EDITED_BLOCKS", "5")), 30
"""Files with one to three edits, a third of them without harm: a file takes a second and a half, most of it in `verify`, which
recalculates it for each choice and writes it anew. LM_EDITED_BLOCKS asks for more: 17 blocks are 510 files."""
CALCULATED = {TAB["calculations"], TAB["outputs"]}
READERS_TYPE = ("lm choice", "lm fill", "lm input")
"""Styles of cells that readers type into, which is no fault."""


class Edit(NamedTuple):
    """An edit of a cell: its new content, whether verify names the cell, and a rule of the audit that does, or ""."""

    sheet: str
    cell: str
    content: object
    verified: bool
    rule: str


class Held(NamedTuple):
    """A workbook twice: with its formulas, and with their values."""

    book: Workbook
    values: Workbook


def calculates(ws: Any) -> bool:
    # a page that says what it was built with holds analyses, which are typed: of its numbers verify tells alone
    is_as_built = "As_built!" in str(ws["A3"].value)
    coloured = bool(ws.sheet_properties.tabColor) and ws.sheet_properties.tabColor.rgb[-6:] in CALCULATED
    return coloured and not is_as_built


def places(held: Held, kind: str) -> list[tuple[str, str]]:
    """The cells of pages that hold a formula with a number (n), one with a text (t), or a typed word (w)."""
    found = []
    for ws in held.book.worksheets:
        if ws.title in INPUT_SHEETS:
            continue
        for row in ws.iter_rows():
            for cell in row:
                value = held.values[ws.title][cell.coordinate].value
                if cell.data_type == "f":
                    of = "t" if isinstance(value, str) else "n"
                else:
                    of = "w" if isinstance(value, str) and cell.style not in READERS_TYPE else ""
                if of == kind:
                    found.append((ws.title, cell.coordinate))
    return found


def harmful(held: Held, rng: random.Random, sheet: str, cell: str, kind: str) -> Edit:
    """An edit that makes a workbook wrong."""
    formula, value = held.book[sheet][cell].value, held.values[sheet][cell].value
    calculated = calculates(held.book[sheet])
    if kind == "w":
        return Edit(sheet, cell, f"{value} or so", True, "")
    if kind == "t":
        return Edit(sheet, cell, rng.choice([f'{formula}&"x"', value]), True, "")
    # by 2: a check that another edit fails is 0, and 1 more would be right again
    choices = [(value, "W06"), (f"{formula}+OFFSET(A1,0,0)*0+2", "W13"), (f"ROUND({formula[1:]},0)+2", "W19")]
    choices += [(f"({formula[1:]})*1.07+2", "W02"), (f"({formula[1:]})+2", "")]
    content, rule = rng.choice(choices)
    content = f"={content}" if isinstance(content, str) and not content.startswith("=") else content
    return Edit(sheet, cell, content, True, rule if calculated or rule == "W13" else "")


def edited(held: Held, path: Path, edits: list[Edit]) -> None:
    """Save the workbook with edits, and take them back."""
    before = [(e.sheet, e.cell, held.book[e.sheet][e.cell].value) for e in edits]
    for edit in edits:
        held.book[edit.sheet][edit.cell] = edit.content
    held.book.save(path)
    for sheet, cell, content in before:
        held.book[sheet][cell] = content


@pytest.fixture(scope="module")
def held(small_built: Path) -> Held:
    return Held(openpyxl.load_workbook(small_built), openpyxl.load_workbook(small_built, data_only=True))


def named(wrong: list[str]) -> set[tuple[str, str]]:
    """The cells that verify says are wrong."""
    cells = (line.split(": ")[0].rpartition("!") for line in wrong)
    return {(sheet, cell) for sheet, _, cell in cells}


@pytest.mark.slow
def test_edits_that_do_harm_are_each_named(held: Held, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    by_kind = {kind: places(held, kind) for kind in "ntw"}
    unseen = []
    for number in range(FILES):
        kinds = rng.choices("ntw", (7, 1, 2), k=EDITS)
        chosen = dict.fromkeys((kind, rng.choice(by_kind[kind])) for kind in kinds)
        edits = [harmful(held, rng, *place, kind) for kind, place in chosen]
        path = tmp_path / f"{number}.xlsx"
        edited(held, path, edits)
        wrong, breaches = named(verify(path).wrong), {(b.rule, b.sheet, b.cell) for b in audit(path)}
        unseen += [e for e in edits if e.verified and (e.sheet, e.cell) not in wrong]
        unseen += [e for e in edits if e.rule and (e.rule, e.sheet, e.cell) not in breaches]
    assert not unseen


@pytest.mark.slow
def test_edits_that_do_none_are_not_accused(held: Held, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    formulas = places(held, "n")
    held.book.save(tmp_path / "as_it_is.xlsx")
    before = {str(b) for b in audit(tmp_path / "as_it_is.xlsx")}
    for number in range(FILES):
        chosen = rng.sample(formulas, EDITS)
        edits = [Edit(s, c, f"=({str(held.book[s][c].value)[1:]})", False, "") for s, c in chosen]
        path = tmp_path / f"{number}.xlsx"
        edited(held, path, edits)
        assert verify(path).wrong == []
        more = {(b.rule, b.sheet, b.cell) for b in audit(path) if str(b) not in before}
        cells = {(e.sheet, e.cell) for e in edits}
        # Another formula than its neighbours' is a breach where it stands in a row of them, and of nothing else.
        assert {(s, c) for _, s, c in more} <= cells and {rule for rule, *_ in more} <= {
            "W03",
            "W15",
            "W02",
        }, more


# A few edits in a file

REFERENCE = re.compile(
    r"(?:(?:'(?P<quoted>[^']+)'|(?P<plain>[A-Za-z_][\w.]*))!)?(?P<area>\$?[A-Z]{1,3}\$?[0-9]+(?::\$?[A-Z]{1,3}\$?[0-9]+)?)(?![\w(])"
)
Place = tuple[str, str]


def precedents(sheet: str, formula: str) -> Iterable[Place]:
    """The cells that a formula takes."""
    for found in REFERENCE.finditer(re.sub('"[^"]*"', "", formula)):
        left, top, right, bottom = range_boundaries(found["area"])
        for column in range(left, right + 1):
            letters = openpyxl.utils.get_column_letter(column)
            yield from (
                (found["quoted"] or found["plain"] or sheet, f"{letters}{row}")
                for row in range(top, bottom + 1)
            )


def dependents(book: Workbook) -> dict[Place, set[Place]]:
    """Each cell of a workbook that a formula takes, with the cells of those formulas."""
    found: dict[Place, set[Place]] = defaultdict(set)
    for ws in book.worksheets:
        for cell in (c for row in ws.iter_rows() for c in row if c.data_type == "f"):
            for place in precedents(ws.title, str(cell.value)):
                found[place].add((ws.title, cell.coordinate))
    return found


def reached(start: Iterable[Place], takes: dict[Place, set[Place]]) -> set[Place]:
    """Some cells, and all whose value rests on them."""
    found: set[Place] = set()
    ahead = list(start)
    while ahead:
        place = ahead.pop()
        if place not in found:
            found.add(place)
            ahead += takes.get(place, ())
    return found


@pytest.fixture(scope="module")
def smaller(shared_file: Callable[..., Path]) -> Held:
    def make(path: Path) -> None:
        a = lm_xl.read_assumptions(small.workbook(path.with_name("smaller.xlsx"), (2, 4, 2, 3)))
        lm_xl.build(a, path, draws=DRAWS)

    path = shared_file("smaller_forecast.xlsx", make)
    return Held(openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(BLOCKS))
def test_of_a_few_edits_each_that_does_harm_is_named_and_nothing_that_does_not_rest_on_them(
    block: int, smaller: Held, tmp_path: Path
) -> None:
    rng, path = random.Random(f"{SEED} {block}"), tmp_path / "edited.xlsx"
    by_kind, takes = {kind: places(smaller, kind) for kind in "ntw"}, dependents(smaller.book)
    smaller.book.save(path)
    before = {(b.rule, b.sheet, b.cell) for b in audit(path)}
    problems: list[Any] = []
    for number in range(OF_BLOCK):
        kinds = rng.choices("ntw", (6, 2, 2), k=rng.randint(1, 3))
        chosen = dict.fromkeys((kind, rng.choice(by_kind[kind])) for kind in kinds)
        if number % 3:
            edits = [harmful(smaller, rng, *place, kind) for kind, place in chosen]
        else:
            formulas = rng.sample(by_kind["n"], len(chosen))
            edits = [Edit(s, c, f"=({str(smaller.book[s][c].value)[1:]})", False, "") for s, c in formulas]
        edited(smaller, path, edits)
        wrong, breaches = named(verify(path).wrong), {(b.rule, b.sheet, b.cell) for b in audit(path)}
        cells = {(e.sheet, e.cell) for e in edits}
        problems += [
            (number, "not verified", e) for e in edits if e.verified and (e.sheet, e.cell) not in wrong
        ]
        problems += [
            (number, "not audited", e) for e in edits if e.rule and (e.rule, e.sheet, e.cell) not in breaches
        ]
        by_harm = reached({(e.sheet, e.cell) for e in edits if e.verified}, takes)
        problems += [(number, "verified", place, edits) for place in wrong - by_harm]
        # a rule of a whole sheet, such as that it shows the checks, names another cell of it
        touched = {sheet for sheet, _ in reached(cells, takes)}
        more = {b for b in breaches - before if b[1] not in touched}
        problems += [(number, "audited", b, edits) for b in more]
    assert not problems
