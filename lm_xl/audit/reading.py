"""A workbook file -> a Book: what the rules look at, from the one reader of packages."""

from __future__ import annotations

import re
from pathlib import Path

from lm_xl.audit.book import Book, Cell, Chart, Sheet, Style, Validation
from lm_xl.workbook.pages.styles import TAB
from lm_xl.xlsx import package
from lm_xl.xlsx.addresses import Area, column_letters, formula_moved
from lm_xl.xlsx.package import Damaged
from lm_xl.xlsx.sheets import SheetSettings
from lm_xl.xlsx.workbook_file import SheetEntry, WorkbookFile

MOST_CELLS = 2_000_000
"""Cells that are read of one file."""


def opened(path: Path) -> Book:
    """Read a workbook file. Raises Refused."""
    with package.opened(path) as parts:
        file = WorkbookFile(parts)
        sheets: list[Sheet] = []
        for entry in file.sheets:
            sheets.append(_sheet(file, entry, MOST_CELLS - sum(len(s.cells) for s in sheets)))
        return Book(
            path,
            sheets,
            [Style(*style) for style in file.styles],
            [name for name in file.names if not name.name.startswith("_xlnm.")],
            parts.parts,
            parts.outside(),
            file.calculation,
            file.first_shown,
        )


def _sheet(file: WorkbookFile, entry: SheetEntry, most_cells: int) -> Sheet:
    """A sheet of at most so many cells."""
    rows: dict[int, dict[int, Cell]] = {}
    count = 0

    def cell_of(row: int, column: int, style: int, kind: str, formula: str | None, text: str) -> Cell:
        nonlocal count
        count += 1
        if count > most_cells:
            raise Damaged(f"has more than {MOST_CELLS:,} cells: more than is read")
        return Cell(row, column, style, kind, formula, text)

    settings = file.read(entry, rows, cell_of)
    for area, formula in settings.blocks:
        _fill(rows, area, formula)
    colour = settings.colour if settings.colour != "" else "of a theme"
    return Sheet(
        entry.title,
        entry.state,
        kind=next((name for name, tab in TAB.items() if tab == colour), ""),
        colour=colour,
        rows=rows,
        hidden_rows=settings.hidden_rows,
        hidden_columns=_hidden_columns(settings),
        widths={c: run.width for run in settings.columns for c in range(run.first, run.last + 1)},
        default_width=settings.default_width,
        merged=settings.merged,
        frozen=settings.frozen,
        active=settings.active,
        top_left=settings.top_left,
        page=settings.page,
        fits_page=settings.fits_page,
        footer=settings.footer,
        repeated=any(
            name.name == "_xlnm.Print_Titles"
            and name.sheet == entry.title
            and re.search(r"\$?\d+:\$?\d+", name.refers_to)
            for name in file.names
        ),
        validations=[Validation(*validation) for validation in settings.validations],
        tables=[(table.name, table.area, table.has_totals) for table in file.tables(entry)],
        charts=[Chart(*graphic) for graphic in file.graphics(entry)],
        dynamic=settings.dynamic,
    )


def _fill(rows: dict[int, dict[int, Cell]], area: Area, formula: str) -> None:
    """Give every cell of a block its formula, which the file holds in the first of them."""
    spanned = range(area.top, area.bottom + 1)
    for row in spanned if len(spanned) < len(rows) else list(rows):
        for column, cell in rows.get(row, {}).items() if row in spanned else ():
            if area.left <= column <= area.right and cell.formula is None:
                own = formula_moved(formula, row - area.top, column - area.left)
                rows[row][column] = cell._replace(formula=own, kind="str" if cell.kind == "s" else cell.kind)


def _hidden_columns(settings: SheetSettings) -> list[str]:
    hidden = [
        f"{column_letters(run.first)}:{column_letters(run.last)}" for run in settings.columns if run.hidden
    ]
    return ["every row without a height", *hidden] if settings.rows_hidden else hidden
