"""Rules for years: one axis, one formula a row, no gaps, growth between two years."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from lm_xl.audit.book import Book, BookSheet, StoredCell, YearAxis, is_year
from lm_xl.audit.formulas import excerpt
from lm_xl.audit.rules.rule import Found, Steps, rule
from lm_xl.xlsx.addresses import address_of, column_letters
from lm_xl.xlsx.styles import shows_date

LONGEST_HEADING = 60
"""Characters; a longer text is a sentence, not a heading."""


@rule("W03")
def rows_have_one_formula(book: Book) -> Iterator[Found]:
    """A row has one formula, the same in relative terms in every year."""
    for sheet, row, cells in _year_rows(book):
        filled = {column: cell for column, cell in cells.items() if cell.filled}
        terms = {column: sheet.relative_formulas.get((row, column), "") for column in filled}
        # The formula of most years is the row's; the first one where there are as many of another.
        ranked = Counter(term for term in terms.values() if term).most_common(1)
        for column, cell in filled.items() if ranked else ():
            if not terms[column]:
                yield sheet.title, cell.address, "a typed value among the formulas of its row"
            elif terms[column] != ranked[0][0]:
                message = f"={excerpt(cell.formula)} differs from the formula of its row"
                yield sheet.title, cell.address, message


def _year_rows(book: Book) -> Iterator[tuple[BookSheet, int, dict[int, StoredCell]]]:
    """The rows with a formula in a block of years: a cell for each year, an empty one where nothing
    stands."""
    steps = Steps("cells of rows under years")
    for sheet in book.sheets:
        for block in sheet.year_blocks:
            steps.take(len(sheet.rows) * len(block.columns), sheet.title)
            for row, cells in sheet.rows.items():
                calculated = any(c in cells and cells[c].formula is not None for c in block.columns)
                if row > block.row and calculated:
                    empty = StoredCell(row, 0, 0, "n", None, "")
                    yield sheet, row, {c: cells.get(c) or empty for c in block.columns}


@rule("W04")
def years_follow_one_another(book: Book) -> Iterator[Found]:
    """The years are whole numbers without a gap, in the same columns on every sheet of a class that has them,
    and the same years on all."""
    axes = [(sheet, sheet.axis) for sheet in book.sheets if sheet.axis]
    if not axes:
        yield "", "", "no sheet has a row of years"
        return
    # The axis of most sheets of a class is the class's: pages for readers begin with their first year, sheets
    # of calculations leave room for keys. The years of most sheets are the workbook's.
    (years, _), *_ = Counter(a.years for _, a in axes).most_common(1)
    spans = {
        kind: Counter(a.columns for s, a in axes if s.kind == kind and a.years == years).most_common(1)
        for kind in {sheet.kind for sheet, _ in axes}
    }
    for sheet, axis in axes:
        # Tables of data have columns of their own before their years.
        free = sheet.kind == "data" or not spans[sheet.kind]
        columns = axis.columns if free else spans[sheet.kind][0][0]
        yield from _year_cell_faults(sheet, axis)
        if any(b - a != 1 for a, b in pairwise(axis.years)):
            message = f"the years {', '.join(map(str, axis.years))} do not follow one another"
            yield sheet.title, f"A{axis.row}", message
        elif (axis.columns, axis.years) != (columns, years):
            here, most = _span(axis.columns, axis.years), _span(columns, years)
            yield sheet.title, f"A{axis.row}", f"{here}; most sheets have {most}"


def _year_cell_faults(sheet: BookSheet, axis: YearAxis) -> Iterator[Found]:
    """The cells of an axis that hold no year as a number; the header of an Excel table holds texts."""
    for column in axis.columns:
        cell = sheet.cell(axis.row, column)
        areas = [t.area for t in sheet.tables if t.area.top == axis.row]
        if cell is None or not cell.filled:
            yield sheet.title, address_of(axis.row, column), "a gap in the row of years"
        elif cell.year is None:
            yield sheet.title, cell.address, f"{cell.value!r} among the years is not a whole year"
        elif cell.kind != "n" and not any(a.left <= column <= a.right for a in areas):
            yield sheet.title, cell.address, f"the year {cell.value} is text"


def _span(columns: Sequence[int], years: Sequence[int]) -> str:
    return f"{years[0]}-{years[-1]} in {column_letters(columns[0])}:{column_letters(columns[-1])}"


@rule("W29")
def growth_names_its_years(book: Book) -> Iterator[Found]:
    """A growth rate (CAGR) names its two years, and is n/a where it starts from zero."""
    known = {year for s in book.sheets if s.axis for year in s.axis.years}
    steps = Steps("cells below headings of growth")
    for sheet in book.sheets:
        for label in sheet.texts:
            heading = len(label.value) <= LONGEST_HEADING and re.search(r"\bCAGR\b", label.value)
            rates = _rates(sheet, label, steps) if heading else []
            if not rates:
                continue
            years = [int(y) for y in re.findall(r"\b(?:19|20)\d\d\b", label.value)]
            if len(years) != 2:
                yield sheet.title, label.address, f"{label.value!r} does not name its two years"
            elif known and not set(years) <= known:
                yield sheet.title, label.address, f"{label.value!r} names a year that no sheet has"
            for rate in rates:
                formula = rate.formula or ""
                if ("^" in formula or "POWER(" in formula.upper()) and '"n/a"' not in formula:
                    message = f"no n/a where growth starts from zero: ={excerpt(formula)}"
                    yield sheet.title, rate.address, message


def _rates(sheet: BookSheet, label: StoredCell, steps: Steps) -> list[StoredCell]:
    """The formulas that a label stands beside, or that a heading stands over, down to the next text."""
    steps.take(len(sheet.rows[label.row]), sheet.title, label)
    beside = next((c for column, c in sheet.filled(label.row).items() if column > label.column), None)
    if beside and beside.formula is not None:
        return [beside]
    found: list[StoredCell] = []
    start = bisect_right(sheet.row_numbers, label.row)
    for row in islice(sheet.row_numbers, start, None):
        steps.take(1, sheet.title, label)
        cell = sheet.cell(row, label.column)
        # A heading of two or three lines may stand over its first formula, but no more.
        if (cell and cell.filled and cell.formula is None) or (not found and row > label.row + 3):
            break
        if cell and cell.formula is not None:
            found.append(cell)
    return found


@rule("W30")
def no_number_is_missing(book: Book) -> Iterator[Found]:
    """No blank where a number is due: in a year of a calculated row, in an input, in a column of values."""
    for sheet, row, cells in _year_rows(book):
        first = next(c for c in cells.values() if c.formula is not None)
        # A formula that looks one column back, such as growth, has no first year.
        looks_back = "[-1]" in sheet.relative_formulas[first.row, first.column]
        for column, cell in cells.items():
            if not cell.filled and not (looks_back and column == min(cells)):
                yield sheet.title, address_of(row, column), "blank in a row of formulas"
    for sheet in book.sheets:
        value = sheet.column("value") if sheet.kind == "data" else 0
        for row, cells in sheet.body if value else []:
            if value not in cells:
                yield sheet.title, address_of(row, value), "no value"
        for cell in sheet.cells:
            if not cell.filled and cell.style in book.input_styles:
                yield sheet.title, cell.address, "an input without a value"
            elif cell.kind == "n" and cell.value and not _is_finite(cell.number):
                yield sheet.title, cell.address, f"{cell.value} is not a number"


def _is_finite(number: float | None) -> bool:
    return number is not None and math.isfinite(number)


@rule("W36")
def years_look_like_years(book: Book) -> Iterator[Found]:
    """Years have the number format 0, and no number from 1900 to 2100 is formatted as a date."""
    dates = {i for i, style in enumerate(book.styles) if shows_date(style.number_format)}
    for sheet, cell in book.cells():
        on_axis = sheet.axis is not None and cell.row == sheet.axis.row
        if cell.kind != "n" or not (on_axis or cell.style in dates):
            continue
        code, number = book.style(cell).number_format, cell.number
        if cell.style in dates and number is not None and is_year(number):
            yield sheet.title, cell.address, f"{number:g} is formatted as a date: {code}"
        elif cell.style not in dates and cell.year and code != "0":
            yield sheet.title, cell.address, f"the year has the number format {code}, not 0"
