"""Rules for the sheets that document a workbook: cover, method, change log, and the data one fact a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from lm_xl.audit.book import Book, BookSheet
from lm_xl.audit.rules.checks import refers_to
from lm_xl.audit.rules.rule import Found, Steps, rule
from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import Area, address_of

CHANGE_COLUMNS = ("version", "date", "who", "what", "effect")
COVER = {
    "engine and version": r"engine|version",
    "scenario": r"scenario",
    "fingerprint of the inputs": r"fingerprint|hash",
}
METHOD = {
    "purpose": r"purpose|aim",
    "intended use": r"intended use|use",
    "funder": r"fund|sponsor",
    "structure": r"structure",
    "data": r"data",
    "validation": r"validation|verification",
    "limits": r"limit",
}
"""What each page tells, and the words by which it is found."""
LONGEST_HEADING = 60
"""Characters."""


@rule("W24")
def changes_are_logged(book: Book) -> Iterator[Found]:
    """A change log tells version, date, who, what and effect."""
    log = book.sheet("Change log") or book.sheet("Changelog") or book.sheet("Changes")
    if log is None:
        yield "", "", "there is no sheet Change_log"
        return
    columns = {
        name: next((c for n, c in log.header.items() if name in n.split()), 0) for name in CHANGE_COLUMNS
    }
    for name, column in columns.items():
        if not column:
            yield log.title, f"A{max(1, log.header_row)}", f"there is no column {name}"
    if not log.body:
        yield log.title, "", "no change is listed"
    for row, cells in log.body:
        for name, column in columns.items():
            if column and column not in cells:
                yield log.title, address_of(row, column), f"the change has no {name}"


@rule("W25")
def cover_tells_the_run(book: Book) -> Iterator[Found]:
    """The cover tells the engine and version, the scenario, the fingerprint of the inputs and the master
    check."""
    cover = book.sheet("Cover")
    if cover is None:
        yield "", "", "there is no sheet Cover"
        return
    labels = [c.value for c in cover.texts if any(column > c.column for column in cover.filled(c.row))]
    for what, pattern in COVER.items():
        if not any(re.search(pattern, label, re.I) for label in labels):
            yield cover.title, "", f"it does not tell the {what}: a label and a value beside it"
    checks = book.sheet("Checks")
    if checks is None or not any(refers_to(c, checks) for c in cover.formulas):
        yield cover.title, "", "it does not tell the master check: a formula that refers to the sheet Checks"


@rule("W26")
def method_is_told(book: Book) -> Iterator[Found]:
    """The sheet Method has purpose, intended use, funder, structure, data, validation and limits."""
    method = book.sheet("Method") or book.sheet("Methods")
    if method is None:
        yield "", "", "there is no sheet Method"
        return
    headings = [c.value for c in method.texts if len(c.value) <= LONGEST_HEADING]
    for what, pattern in METHOD.items():
        if not any(re.search(rf"\b(?:{pattern})", heading, re.I) for heading in headings):
            yield method.title, "", f"no heading for {what}"


@rule("W27")
def data_are_tables(book: Book) -> Iterator[Found]:
    """A sheet of data is made of named Excel tables with unique headers and without totals."""
    sheets = [s for s in book.sheets if s.kind == "data"]
    if not sheets:
        yield "", "", "there is no sheet of data, one fact a row"
    for sheet in sheets:
        if not sheet.tables:
            yield sheet.title, f"A{max(1, sheet.header_row)}", "the data are no Excel table"
        for table in sheet.tables:
            yield from _header_faults(sheet, table.area)
            if table.has_totals:
                yield sheet.title, f"A{table.area.bottom}", "the table has a row of totals"
        yield from _row_faults(sheet)


def _header_faults(sheet: BookSheet, area: Area) -> Iterator[Found]:
    """The headers of a table that are there more than once."""
    cells = sheet.filled(area.top).items()
    header = {c: folded(cell.value) for c, cell in cells if area.left <= c <= area.right}
    counts = Counter(header.values())
    for column, name in header.items():
        if counts[name] > 1:
            message = f"the header {name!r} is there {counts[name]} times"
            yield sheet.title, address_of(area.top, column), message


def _row_faults(sheet: BookSheet) -> Iterator[Found]:
    """The rows of data that stand outside of the tables, and rows of totals within."""
    areas = list(dict.fromkeys(table.area for table in sheet.tables))
    Steps("rows of tables").take(len(areas) * len(sheet.body), sheet.title)
    for row, cells in sheet.body:
        if any(area.top <= row <= area.bottom for area in areas):
            label = next(iter(cells.values())).text
            if re.match(r"(?:grand |sub)?totals?\b|sum\b", label, re.I):
                yield sheet.title, f"A{row}", f"a row of totals: {label!r}"
        # Notes may stand below a table, numbers may not.
        elif areas and any(c.is_number for c in cells.values()):
            message = (
                f"data outside of the tables, the last of which ends in row {max(a.bottom for a in areas)}"
            )
            yield sheet.title, f"A{row}", message
