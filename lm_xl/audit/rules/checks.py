"""Rules for the sheet Checks: what it lists, that all pass, that errors fail, what is compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lm_xl.audit.book import Book, BookSheet, StoredCell
from lm_xl.audit.formulas import meaning_of, references
from lm_xl.audit.rules.rule import Found, rule
from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import Area, address_of

GUARDS = {"IFERROR", "ISERROR", "ISNUMBER"}
CHECK_COLUMNS = {
    "id": ("id", "check", "no", "number"),
    "what": ("what", "description", "check"),
    "value": ("value", "difference", "result"),
    "tolerance": ("tolerance", "limit"),
    "pass": ("pass", "passes", "ok", "status", "passed"),
}
"""What each column is for, and the names it may have."""
COMPARISONS = {
    "the tables with the long data": r"data_long|long data|sumifs",
    "the world with the sum of regions": r"region",
    "shares with 100 %": r"share",
}
"""What has to be compared, and how the text or the formula of a check shows it."""


@rule("W10")
def all_checks_pass(book: Book) -> Iterator[Found]:
    """The sheet Checks lists id, what, value, tolerance and pass; all pass; a master check stands there and
    above every table."""
    checks = book.sheet("Checks")
    if checks is None:
        yield "", "", "there is no sheet Checks"
        return
    columns = _check_columns(checks)
    for name, column in columns.items():
        if not column:
            yield checks.title, f"A{max(1, checks.header_row)}", f"there is no column {name}"
    if not all(columns.values()):
        return
    listed = dict(_check_rows(checks, columns))
    if not listed:
        yield checks.title, "", "no check is listed"
        return
    for row, cells in listed.items():
        yield from _check_faults(checks, columns, row, cells)
    if not any(_is_master(checks, cell, columns["pass"], listed) for cell in checks.formulas):
        yield checks.title, f"A{checks.header_row}", "no master check: a formula over the whole column pass"
    for sheet in book.sheets:
        above = (c for c in sheet.formulas if c.row <= sheet.header_row or not sheet.header_row)
        if sheet is not checks and not any(refers_to(c, checks) for c in above):
            yield sheet.title, "A1", "the master check is not repeated above the table"


def _check_columns(checks: BookSheet) -> dict[str, int]:
    return {name: checks.column(*names) for name, names in CHECK_COLUMNS.items()}


def _check_rows(checks: BookSheet, columns: Mapping[str, int]) -> Iterator[tuple[int, dict[int, StoredCell]]]:
    """The rows that list a check: those with something under pass or tolerance."""
    return (
        (r, cells) for r, cells in checks.body if columns["pass"] in cells or columns["tolerance"] in cells
    )


def _check_faults(
    checks: BookSheet, columns: Mapping[str, int], row: int, cells: Mapping[int, StoredCell]
) -> Iterator[Found]:
    """What a check does not tell, and whether it fails."""
    for name, column in columns.items():
        if column not in cells:
            yield checks.title, address_of(row, column), f"the check has no {name}"
    passed = cells.get(columns["pass"])
    if passed is None:
        return
    # Passing is 1, TRUE or a word of the author's; what fails is known.
    value = folded(passed.value)
    failed = passed.kind == "e" or value in ("0", "0.0", "false", "no", "n/a") or "fail" in value
    if passed.formula is None:
        yield checks.title, passed.address, "whether the check passes is typed, not a formula"
    elif failed:
        yield checks.title, passed.address, f"the check does not pass: {passed.value}"


def _is_master(checks: BookSheet, cell: StoredCell, column: int, rows: Mapping[int, object]) -> bool:
    """Whether a formula, not itself a check, refers to a column in all the rows with checks."""
    if cell.column == column and cell.row in rows:
        return False
    first, last = min(rows), max(rows)
    areas = _areas_on(checks, cell)
    return any(a.left <= column <= a.right and a.top <= first and a.bottom >= last for a in areas)


def _areas_on(sheet: BookSheet, cell: StoredCell) -> list[Area]:
    """The areas of its own sheet that a cell's formula refers to."""
    own = "", folded(sheet.title)
    return [area for title, area in references(cell.formula or "") if folded(title) in own]


def refers_to(cell: StoredCell, sheet: BookSheet) -> bool:
    """Whether a cell's formula names a sheet."""
    return any(folded(title) == folded(sheet.title) for title, _ in references(cell.formula or ""))


@rule("W11")
def errors_fail_checks(book: Book) -> Iterator[Found]:
    """Each check compares with its tolerance and uses IFERROR, so that an error fails it."""
    checks = book.sheet("Checks")
    columns = _check_columns(checks) if checks else {}
    if checks is None or not all(columns.values()):
        message = "there is no sheet Checks with the columns id, what, value, tolerance and pass"
        yield (checks.title if checks else ""), "", message
        return
    for row, cells in _check_rows(checks, columns):
        cell = cells.get(columns["pass"])
        if cell is None or cell.formula is None:
            continue
        if not meaning_of(cell.formula).functions & GUARDS:
            yield checks.title, cell.address, "an error does not fail the check: use IFERROR"
        areas, tolerance = _areas_on(checks, cell), columns["tolerance"]
        if not any(a.left <= tolerance <= a.right and a.top <= row <= a.bottom for a in areas):
            yield checks.title, cell.address, "the check does not compare with its tolerance"


@rule("W28")
def totals_are_compared(book: Book) -> Iterator[Found]:
    """The checks compare tables with the long data, the world with the sum of regions, and shares with 100
    %."""
    checks = book.sheet("Checks")
    if checks is None:
        yield "", "", "there is no sheet Checks"
        return
    rows = [cells.values() for _, cells in checks.body]
    told = [" ".join([*(c.text for c in row), *(c.formula or "" for c in row)]) for row in rows]
    for what, pattern in COMPARISONS.items():
        if not any(re.search(pattern, check, re.I) for check in told):
            yield checks.title, f"A{max(1, checks.header_row)}", f"no check compares {what}"
