"""Rules for sheets as a whole: class, visibility, tables, panes, titles."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise

from lm_xl.audit.book import Book, BookSheet
from lm_xl.audit.rules.rule import Found, rule
from lm_xl.model.labels import folded
from lm_xl.workbook.pages.styles import TAB
from lm_xl.xlsx.addresses import address_of, column_letters

LONGEST_TITLE = 31
"""Characters that Excel takes."""


@rule("W01")
def sheets_have_a_class(book: Book) -> Iterator[Found]:
    """Each sheet has one class, shown by its tab colour and by the sheet Contents: control, inputs,
    calculations, outputs or data."""
    contents = book.sheet("Contents")
    listed = {folded(c.text): c.row for c in contents.cells if c.text} if contents else {}
    if contents is None:
        yield "", "", "there is no sheet Contents that says each sheet's class"
    classes = ", ".join(f"{kind} {colour}" for kind, colour in TAB.items())
    for sheet in book.sheets:
        if not sheet.kind:
            yield sheet.title, "", f"{_colour_fault(sheet.settings.colour)}: {classes}"
        elif contents and sheet is not contents:
            yield from _contents_faults(contents, listed, sheet)


def _colour_fault(colour: str | None) -> str:
    return (
        f"the tab colour {colour or 'of a theme'} is none of the five"
        if colour is not None
        else "the tab has no colour"
    )


def _contents_faults(contents: BookSheet, listed: Mapping[str, int], sheet: BookSheet) -> Iterator[Found]:
    """What the sheet Contents does not say of a sheet."""
    row = listed.get(folded(sheet.title)) or listed.get(folded(sheet.title.replace("_", " ")))
    if row is None:
        yield contents.title, "", f"the sheet {sheet.title} is not listed"
    elif sheet.kind not in {folded(c.text) for c in contents.rows[row].values()}:
        due = f"{sheet.kind}, the class of its tab colour"
        yield contents.title, f"A{row}", f"the class of {sheet.title} is not given as {due}"


@rule("W07")
def nothing_is_hidden(book: Book) -> Iterator[Found]:
    """Nothing is hidden: no sheet, row, column or text in the colour of its background."""
    unseen = {}
    for number, style in enumerate(book.styles):
        # Colours that depend on the theme are None: nothing can be said of them.
        if style.ink == style.paper is not None:
            unseen[number] = f"text in the colour of its background, {style.ink}"
        if re.fullmatch(";{2,3}", style.number_format):
            unseen[number] = "the number format hides the cell"
    for sheet in book.sheets:
        if sheet.state != "visible":
            deeply = ", and Excel's menu does not show it" if sheet.state == "veryHidden" else ""
            yield sheet.title, "", f"the sheet is hidden{deeply}"
        for row in sheet.settings.hidden_rows:
            yield sheet.title, f"A{row}", "the row is hidden"
        if sheet.settings.rows_hidden:
            yield sheet.title, "every row without a height", "hidden"
        for columns in sheet.settings.columns:
            if columns.hidden:
                span = f"{column_letters(columns.first)}:{column_letters(columns.last)}"
                yield sheet.title, span, "hidden"
        for cell in sheet.cells:
            if cell.style in unseen and cell.filled:
                yield sheet.title, cell.address, unseen[cell.style]


@rule("W08")
def tables_have_no_holes(book: Book) -> Iterator[Found]:
    """No merged cells, and no blank row or column inside a table."""
    for sheet in book.sheets:
        for area in sheet.settings.merged:
            yield sheet.title, area, "merged cells"
        named = sheet.filled(sheet.header_row) if sheet.header_row else {}
        laid_out = sheet.kind == "outputs" and not (sheet.axis or sheet.tables)
        if not named or not sheet.body or laid_out:  # a page of tiles and charts is no table
            continue
        for column in range(min(named), max(named)):
            if column not in named:
                place = address_of(sheet.header_row, column)
                yield sheet.title, place, "a column without a name inside the table"
        rows = [sheet.header_row, *(row for row, _ in sheet.body)]
        for (before, after), (_, cells) in zip(pairwise(rows), sheet.body, strict=True):
            # A text further down is a note below the table, a single cell the title of the next; only rows of
            # numbers belong to it.
            if after - before > 1 and len(cells) > 1 and any(c.is_number for c in cells.values()):
                yield sheet.title, f"A{before + 1}", "a blank row inside the table"


@rule("W09")
def years_are_frozen(book: Book) -> Iterator[Found]:
    """A calculated sheet with years is frozen at its first year column, under the row of years; a sheet of
    inputs is not, its keys are too wide."""
    for sheet in book.sheets:
        if not sheet.axis or sheet.kind == "inputs":
            continue
        due = sheet.axis.row, sheet.axis.columns[0] - 1
        if sheet.settings.frozen != due:
            cell = _first_that_scrolls(due)
            now = (
                f"frozen at {_first_that_scrolls(sheet.settings.frozen)}"
                if sheet.settings.frozen
                else "not frozen"
            )
            yield sheet.title, cell, f"{now}; the first year column under the row of years is {cell}"


def _first_that_scrolls(frozen: tuple[int, int]) -> str:
    return address_of(frozen[0] + 1, frozen[1] + 1)


@rule("W32")
def titles_are_legal(book: Book) -> Iterator[Found]:
    """Sheet titles are legal, of at most 31 characters, and unique whatever the case."""
    counts = Counter(s.title.casefold() for s in book.sheets)
    for sheet in book.sheets:
        if len(sheet.title) > LONGEST_TITLE:
            yield sheet.title, "", f"a title of {len(sheet.title)} characters"
        if not sheet.title or re.search(r"[\[\]:*?/\\]|^'|'$", sheet.title):
            yield sheet.title, "", "the title is empty or has one of [ ] : * ? / \\ or an outer '"
        if counts[sheet.title.casefold()] > 1:
            yield sheet.title, "", "another sheet has the same title, but for the case"
