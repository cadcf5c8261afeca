"""A workbook file -> a Book: what the rules look at, from the one reader of packages."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from pathlib import Path

from lm_xl.audit.book import Book, BookSheet, StoredCell
from lm_xl.audit.formulas import references
from lm_xl.workbook.pages.styles import TAB
from lm_xl.xlsx import package
from lm_xl.xlsx.addresses import LAST_COLUMN, LAST_ROW, Area, formula_moved
from lm_xl.xlsx.package import Damaged
from lm_xl.xlsx.workbook_file import SheetEntry, WorkbookFile

MOST_CELLS = 1_000_000
"""Cells that are read of one file."""


def opened(path: Path, progress: Callable[[str], None] = lambda _: None) -> Book:
    """Read a workbook file. Raises Refused."""
    with package.opened(path) as parts:
        file = WorkbookFile(parts)
        sheets: list[BookSheet] = []
        for entry in file.sheets:
            progress(f"reading {entry.title}")
            sheets.append(_sheet(file, entry, MOST_CELLS - sum(len(s.cells) for s in sheets)))
        return Book(
            path,
            sheets,
            file.styles,
            [name for name in file.names if not name.name.startswith("_xlnm.")],
            parts.parts,
            parts.outside(),
            parts.rooted(),
            file.properties,
            file.calculation,
            file.first_shown,
        )


def _sheet(file: WorkbookFile, entry: SheetEntry, most_cells: int) -> BookSheet:
    """A sheet of at most so many cells."""
    rows: dict[int, dict[int, StoredCell]] = {}
    count = 0

    def cell_of(row: int, column: int, style: int, kind: str, formula: str | None, text: str) -> StoredCell:
        nonlocal count
        count += 1
        if count > most_cells:
            raise Damaged(f"has more than {MOST_CELLS:,} cells: more than is read")
        return StoredCell(row, column, style, kind, formula, text)

    settings = file.read(entry, rows, cell_of)
    _fill_blocks(rows, settings.blocks, file.package.take)
    own = {n.name: n.refers_to for n in file.names if n.sheet == entry.title}
    titles = [area for _, area in references(own.get("_xlnm.Print_Titles", ""))]
    return BookSheet(
        entry.title,
        entry.state,
        next((kind for kind, colour in TAB.items() if colour == settings.colour), ""),
        rows,
        settings,
        file.tables(entry),
        file.graphics(entry),
        any(area.right == LAST_COLUMN for area in titles),
        next((area for area in titles if area.bottom == LAST_ROW), None),
        [area for _, area in references(own.get("_xlnm.Print_Area", ""))],
    )


def _fill_blocks(
    rows: dict[int, dict[int, StoredCell]],
    blocks: Sequence[tuple[Area, str]],
    take: Callable[[int, int], None],
) -> None:
    """Give every cell of a block its formula, which the file holds in the first of them."""
    waiting = sorted(blocks, key=lambda block: block[0], reverse=True)
    active: list[tuple[int, Area, str]] = []
    ending: list[tuple[int, tuple[int, Area, str]]] = []
    for row in sorted(rows) if waiting else ():
        # Blocks do not overlap: of those that reach this row, one at most has a column.
        while ending and ending[0][0] < row:
            del active[bisect_left(active, heappop(ending)[1])]
        while waiting and waiting[-1][0].top <= row:
            area, formula = waiting.pop()
            if area.bottom >= row:
                insort(active, (area.left, area, formula))
                heappush(ending, (area.bottom, (area.left, area, formula)))
        for column, cell in rows[row].items() if active else ():
            at = bisect_right(active, column, key=lambda block: block[0]) - 1
            if cell.formula is None and at >= 0 and column <= active[at][1].right:
                _, area, formula = active[at]
                take(0, len(formula))
                own = formula_moved(formula, row - area.top, column - area.left)
                rows[row][column] = cell._replace(formula=own, kind="str" if cell.kind == "s" else cell.kind)
