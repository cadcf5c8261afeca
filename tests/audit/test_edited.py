"""Deliverables that somebody edited, at random but for the seed: verify and audit say what each edit should cause, and no more."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from lm_xl.audit.audit import audit
from lm_xl.workbook.pages.styles import TAB
from lm_xl.workbook.plan.records import INPUT_SHEETS
from lm_xl.workbook.verify import verify

SEED = 20350
FILES, EDITS = 10, 50
"""Edited files of each kind, and edits of each file: 500 that do harm, and 500 that do none."""
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
    choices = [(value, "W06"), (f"{formula}+OFFSET(A1,0,0)*0+1", "W13"), (f"ROUND({formula[1:]},0)+1", "W19")]
    choices += [(f"({formula[1:]})*1.07+1", "W02"), (f"({formula[1:]})+1", "")]
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
