"""Rules for inputs: their style, their ranges, their sources, what may be typed into them."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence

from lm_xl.audit.book import Book, BookSheet, StoredCell
from lm_xl.audit.rules.checks import refers_to
from lm_xl.audit.rules.rule import Found, Steps, rule
from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import Area, address_of
from lm_xl.xlsx.sheets import DataValidation

ASSUMPTION_COLUMNS = {
    "quantity or id": ("quantity", "id"),
    "label": ("label", "labels", "name", "region", "segment", "subtype", "description"),
    "unit": ("unit", "units"),
    "low": ("low",),
    "value": ("value", "base"),
    "high": ("high",),
    "distribution": ("distribution",),
    "source": ("source", "sources", "source id"),
    "status": ("status", "grade"),
    "note": ("note", "notes", "comment"),
}
SOURCE_COLUMNS = {
    "citation": ("citation",),
    "year": ("year", "date"),
    "read": ("read", "accessed", "date read"),
    "grade": ("grade",),
}
"""What each column is for, and the names it may have."""
LONGEST_LIST = 255
"""Characters of a typed list that Excel takes."""


@rule("W06")
def one_style_marks_inputs(book: Book) -> Iterator[Found]:
    """One style marks inputs: all typed numbers of input sheets and nothing else have it, and the cover
    explains it."""
    if not any(cell.style in book.input_styles for _, cell in book.cells()):
        yield "", "", "no cell has a style for inputs ('lm input' or 'Input')"
    as_built = _told_as_built(book)
    for sheet, cell in book.cells():
        message = _style_fault(book, sheet, cell, as_built)
        if message:
            yield sheet.title, cell.address, message
    cover = book.sheet("Cover")
    if cover is None:
        yield "", "", "there is no Cover, so no legend of the styles"
        return
    marked_rows = {c.row for c in cover.cells if c.style in book.input_styles}
    if not any(c.row in marked_rows and re.search(r"\binputs?\b", c.value, re.I) for c in cover.texts):
        message = "no legend: a cell in the style of inputs with the word input in or beside it"
        yield cover.title, "", message


def _told_as_built(book: Book) -> set[str]:
    """The titles of the pages of outputs that say by a formula that they hold what was computed when the file was built."""
    as_built = book.sheet("As_built")
    outputs = [s for s in book.sheets if s.kind == "outputs"] if as_built else []
    return {s.title for s in outputs if any(as_built and refers_to(c, as_built) for c in s.formulas)}


def _style_fault(book: Book, sheet: BookSheet, cell: StoredCell, as_built: Collection[str]) -> str:
    """What is wrong with a cell that is, or is not, in the style of inputs."""
    if cell.style in book.input_styles:
        if cell.formula is not None:
            return "a formula in the style of inputs"
        if sheet.kind in ("calculations", "outputs", "data"):
            return f"the style of inputs on a sheet of {sheet.kind}"
    elif book.is_input(sheet, cell):
        return f"the input {cell.value} is not in the style of inputs"
    if sheet.title in as_built:
        return ""
    if sheet.calculates and cell.typed_number and not _labels_a_year(sheet, cell):
        return f"the typed number {cell.value} on a sheet of {sheet.kind or 'calculations'}"
    return ""


def _labels_a_year(sheet: BookSheet, cell: StoredCell) -> bool:
    """Whether a number is a year that labels something: on the axis, under a column 'year', or in a row
    without other numbers."""
    if (sheet.axis and cell.row == sheet.axis.row) or (cell.year and cell.column in sheet.year_labels):
        return True
    return cell.year is not None and cell.row in sheet.rows_of_years


@rule("W22")
def assumptions_have_ranges(book: Book) -> Iterator[Found]:
    """Each assumption has quantity, label, unit, low, value, high, distribution, source, status and note,
    with low <= value <= high."""
    sheets = [s for s in book.sheets if s.kind in ("inputs", "") and _lists_assumptions(s)]
    if not sheets:
        yield "", "", "no sheet of assumptions: inputs with the columns quantity, low, value and high"
    for sheet in sheets:
        columns = {name: sheet.column(*names) for name, names in ASSUMPTION_COLUMNS.items()}
        for name, column in columns.items():
            if not column:
                yield sheet.title, f"A{sheet.header_row}", f"there is no column {name}"
        # A quantity that moves has its values under years, of which the last stands for all.
        years = [column for name, column in sheet.header.items() if re.fullmatch("(19|20)[0-9]{2}", name)]
        for row, cells in sheet.body:
            for message in _range_faults(cells, columns, sorted(years, reverse=True)):
                yield sheet.title, address_of(row, columns["value"]), message


def _lists_assumptions(sheet: BookSheet) -> bool:
    return bool(sheet.column("value", "base") and sheet.column("quantity", "low", "high"))


def _range_faults(
    cells: Mapping[int, StoredCell], columns: Mapping[str, int], years: Sequence[int]
) -> Iterator[str]:
    """Where low, value and high of an assumption are out of order, or missing for its distribution."""

    def number_at(column: int) -> float | None:
        return cells[column].number if column in cells else None

    # What is missing bounds nothing.
    low, high = number_at(columns["low"]), number_at(columns["high"])
    least, most = -math.inf if low is None else low, math.inf if high is None else high
    values = (number_at(column) for column in (columns["value"], *years))
    value = next((number for number in values if number is not None), None)
    if least > most:
        yield f"low {least:g} is above high {most:g}"
    elif value is not None and (value < least or value > most):
        bounds = " and ".join("-" if end is None else f"{end:g}" for end in (low, high))
        yield f"{value:g} is not between low and high, {bounds}"
    spread = cells[columns["distribution"]].text if columns["distribution"] in cells else ""
    if folded(spread) not in ("", "fixed") and value is not None and None in (low, high):
        yield f"a {spread} distribution without low or high"


@rule("W23")
def assumptions_have_sources(book: Book) -> Iterator[Found]:
    """Each source that is named is on the sheet Sources with citation, year, reading and grade, and each one
    there is named."""
    sources = book.sheet("Sources")
    if sources is None or not sources.column("id"):
        yield (sources.title if sources else ""), "", "there is no sheet Sources with a column id"
        return
    yield from _source_faults(sources)
    known = {folded(sources.text_at(row, sources.column("id"))): row for row, _ in sources.body}
    named: set[str] = set()
    for sheet in book.sheets:
        column = sheet.column("source", "sources", "source id")
        if not column or sheet is sources or sheet.kind not in ("inputs", ""):
            continue
        for row, _ in sheet.body:
            ids = [i.strip() for i in sheet.text_at(row, column).split(";") if i.strip()]
            named |= {folded(i) for i in ids}
            place = address_of(row, column)
            if not ids:
                yield sheet.title, place, "no source"
            for i in ids:
                if folded(i) not in known:
                    yield sheet.title, place, f"the source {i} is not on the sheet Sources"
    for i, row in known.items():
        if i and i not in named:
            yield sources.title, address_of(row, sources.column("id")), "no assumption names the source"


def _source_faults(sources: BookSheet) -> Iterator[Found]:
    """What the sheet Sources lacks: columns, and what a source has to tell."""
    columns = {name: sources.column(*names) for name, names in SOURCE_COLUMNS.items()}
    for name, column in columns.items():
        if not column:
            yield sources.title, f"A{sources.header_row}", f"there is no column {name}"
    for row, _ in sources.body:
        for name, column in columns.items():
            if column and not sources.text_at(row, column):
                yield sources.title, address_of(row, column), f"the source has no {name}"


@rule("W33")
def inputs_are_validated(book: Book) -> Iterator[Found]:
    """Each input has a data validation with a message; a list comes from cells or has at most 255
    characters."""
    for sheet in book.sheets:
        for validation in sheet.settings.validations:
            typed = validation.kind == "list" and validation.formula.startswith('"')
            length = len(validation.formula) - len('""')
            if typed and length > LONGEST_LIST:
                first = validation.areas[0] if validation.areas else Area(1, 1, 1, 1)
                message = f"a typed list of {length} characters; Excel takes {LONGEST_LIST}: use cells"
                yield sheet.title, address_of(first.top, first.left), message
        validations = [v for v in sheet.settings.validations if v.kind != "none"]
        covered = _stretches(sheet, validations)
        told = _stretches(sheet, [v for v in validations if v.has_message])
        for cell in sheet.cells:
            if book.is_input(sheet, cell):
                if not _covers(covered, cell):
                    yield sheet.title, cell.address, "an input without data validation"
                elif not _covers(told, cell):
                    yield sheet.title, cell.address, "the data validation has no message"


Stretches = dict[int, list[tuple[int, int]]]
"""By column, the stretches of rows that something covers: first row and last, apart and in order."""


def _stretches(sheet: BookSheet, validations: Sequence[DataValidation]) -> Stretches:
    """The rows that some validations cover in each column of a sheet."""
    # A validation of whole rows reaches column 16,384: no further than the sheet's last cell is looked at.
    last = max((c.column for c in sheet.cells), default=0)
    found: Stretches = {}
    steps = Steps("columns of validated areas")
    for area in sorted(area for v in validations for area in v.areas):
        columns = range(area.left, min(area.right, last) + 1)
        steps.take(len(columns), sheet.title)
        for column in columns:
            merged = found.setdefault(column, [])
            # Areas come by their first rows, so only the last stretch can meet the next area.
            if merged and area.top <= merged[-1][1] + 1:
                merged[-1] = merged[-1][0], max(area.bottom, merged[-1][1])
            else:
                merged.append((area.top, area.bottom))
    return found


def _covers(stretches: Stretches, cell: StoredCell) -> bool:
    column = stretches.get(cell.column, [])
    at = bisect_right(column, cell.row, key=lambda stretch: stretch[0]) - 1
    return at >= 0 and cell.row <= column[at][1]
