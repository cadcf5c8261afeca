"""What stands in a delivered workbook beside formulas and inputs: words, tolerances, bounds, and analyses of the time of building.

A new workbook is written from the file's own assumptions, with the draws and the seed that its cover names, and compared cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from openpyxl.cell.cell import Cell as BookCell
from openpyxl.workbook import Workbook

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.uncertainty.limits import SEED
from lm_xl.workbook.pages.analyses import analyse
from lm_xl.workbook.pages.cover import ASSUMPTIONS, FINGERPRINT, SAMPLE
from lm_xl.workbook.pages.deliverable import deliverable
from lm_xl.workbook.plan.front.cover import LABEL, VALUE
from lm_xl.workbook.plan.front.dashboard import TILE_ROW, TILES
from lm_xl.workbook.plan.input_cells import Choice, Numbers
from lm_xl.workbook.plan.layout import COVER, DASHBOARD
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.python_side import PythonSide
from lm_xl.workbook.plan.records import INPUT_SHEETS, records_of
from lm_xl.workbook.plan.staleness import ANALYSES, SAY_SAME
from lm_xl.xlsx.addresses import address_of
from lm_xl.xlsx.engines import Grid, stored_values

NUMBER_TOLERANCE, ANALYSIS_TOLERANCE = 1e-12, 1e-6
"""By how much of itself a typed number may differ, and one of an analysis, which another processor adds up in another order."""
TO_CHOOSE = ("lm choice", "lm fill", "lm input")
"""Styles of cells that a reader types into."""
_SAMPLE = re.compile(r"seed (\d+), ([\d,]+) draws")


@dataclass
class Written:
    """The cells of a file that were compared with a new workbook: how many, which of them are wrong, what could not be compared."""

    cells: int = 0
    wrong: list[str] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)


def written(path: Path, a: Assumptions, plan: Plan, progress: Callable[[str], None]) -> Written:
    """Compare what a file holds beside formulas and inputs with what a build writes. `plan` is that of the file."""
    from lm_xl.uncertainty.draws import BLOCK

    facts = _facts(path)
    sample = _SAMPLE.search(facts.get(SAMPLE, ""))
    seed, draws = (int(x.replace(",", "")) for x in sample.groups()) if sample else (SEED, BLOCK)
    changed = facts.get(FINGERPRINT) != a.fingerprint or not _says_same(plan)
    found = Written()
    left_out: set[str] = set()
    if changed or sample is None:
        # their pages are written all the same, since the rest of the workbook refers to them, with no more draws than it takes
        seed, draws, left_out = SEED, BLOCK, set(ANALYSES)
        why = "the inputs changed since it was made" if changed else f"the {COVER} names no seed and draws"
        found.not_compared += [f"{title}: {why}, so its values are not compared" for title in ANALYSES]
    named = replace(a, path=Path(facts.get(ASSUMPTIONS, a.path.name)))
    analyses = analyse(named, draws, seed, progress)
    progress("what was written")
    new = deliverable(named, records_of(named)[0], plan, analyses)
    compared = [t for t in new.sheetnames if t not in INPUT_SHEETS and t not in left_out]
    held = _held(path, new, compared)
    for title in compared:
        tolerance = ANALYSIS_TOLERANCE if title in ANALYSES else NUMBER_TOLERANCE
        for cell in _typed_cells(new, title):
            row, column = cell.row, cell.column
            value = held[title][row - 1][column - 1] if title in held else None
            found.cells += 1
            if _same(value, cell.value, tolerance) or cell.style in TO_CHOOSE:
                continue
            if left_out and _of_analyses(new, title, row, column):
                continue
            where = f"{title}!{address_of(row, column)}"
            found.wrong.append(f"{where}: holds {value!r}, a build writes {cell.value!r}")
    return found


def _of_analyses(new: Workbook, title: str, row: int, column: int) -> bool:
    """Whether a cell of another page tells of the analyses: of the draws on the cover, or their tile on the dashboard."""
    if title == COVER:
        return new[COVER].cell(row, LABEL).value in (FINGERPRINT, SAMPLE)
    return title == DASHBOARD and (row, column) == (TILE_ROW + 1, TILES[-1])


def _says_same(plan: Plan) -> bool:
    """Whether the file's numbers are those that its analyses were made with."""
    a = plan.assumptions
    return plan.measures["as built"](PythonSide(plan, Numbers.of(a), Choice.of(a.axes))) == SAY_SAME


def _facts(path: Path) -> dict[str, str]:
    """What the cover tells, by the name of each line."""
    rows = stored_values(path, {COVER: (100, VALUE)})[COVER]
    return {str(row[LABEL - 1]): str(row[VALUE - 1]) for row in rows}


def _held(path: Path, new: Workbook, titles: list[str]) -> Grid:
    """The values in a file of the cells that a new workbook has."""
    return stored_values(path, {title: (new[title].max_row, new[title].max_column) for title in titles})


def _typed_cells(new: Workbook, title: str) -> Iterator[BookCell]:
    """The cells of a new sheet that hold something beside formulas."""
    for row in new[title].iter_rows():
        for cell in row:
            if isinstance(cell, BookCell) and cell.data_type != "f" and cell.value not in (None, ""):
                yield cell


def _same(held: Any, due: Any, tolerance: float) -> bool:
    if isinstance(due, str) or isinstance(held, bool) or not isinstance(held, int | float):
        return bool(held == due)
    return bool(abs(held - due) <= tolerance * max(abs(due), abs(held)))
