"""Rules for what formulas add up and take from beside them, which hold without knowing what a workbook is about."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lm_xl.audit.book import Book, BookSheet, StoredCell
from lm_xl.audit.formulas import excerpt, references
from lm_xl.audit.rules.rule import Found, Steps, rule
from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import Area, address_of

SKIPS_TEXTS = "SUM|AVERAGE|MIN|MAX|PRODUCT|COUNT|SUMPRODUCT|MEDIAN|STDEV|VAR|SUBTOTAL"
"""Functions that take a text in a range for nothing."""
_CALL = re.compile(rf"(?<![\w.])(?:{SKIPS_TEXTS})\(([^()]*)\)", re.I)
_SUM = re.compile(r"(?<![\w.])SUM\(([^()]*)\)", re.I)
_PLAIN_SUM = re.compile(r"\+?SUM\([^()]*\)|\+?[$A-Z0-9]+(?:\+[$A-Z0-9]+)+", re.I)
"""A formula that only adds up: a SUM, or cells with a plus between them."""
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:[, ]\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?\s?%?")
_TERM = re.compile(r"(\[-?\d+\]|\$[A-Z]{1,3})(~-?\d+|\$\d+)", re.I)
"""A reference in relative terms: its column and its row."""
MOST_BETWEEN = 5
"""Cells between a range and the total that it is the block of."""
MOST_WITNESSES = 5
"""Neighbours that show what a formula should read."""

Line = list[tuple[int, int]]
"""Stretches of a column or of a row: first and last, apart and in order."""


class _Total(NamedTuple):
    """A formula that adds up cells of its own sheet, and their areas."""

    cell: StoredCell
    areas: tuple[Area, ...]


def _own_areas(sheet: BookSheet, text: str) -> tuple[Area, ...]:
    """The areas on its own sheet that a piece of a formula refers to."""
    own = "", folded(sheet.title)
    return tuple(area for title, area in references(text) if folded(title) in own)


def _totals(sheet: BookSheet) -> list[_Total]:
    """The formulas of a sheet that call SUM for cells of the sheet."""
    called = ((cell, _SUM.findall(cell.formula or "")) for cell in sheet.formulas)
    return [_Total(cell, _own_areas(sheet, ",".join(calls))) for cell, calls in called if calls]


# A range that stops short


@rule("W42")
def ranges_reach_to_the_end_of_their_block(book: Book) -> Iterator[Found]:
    """A total takes in the whole column or row of numbers that it stands below, above or beside."""
    for sheet in book.sheets:
        totals = _totals(sheet)
        summed = {across: _summed(totals, across=across) for across in (False, True)}
        told: set[tuple[int, str]] = set()
        for cell, areas in totals:
            for area in areas:
                across = area.top == area.bottom == cell.row
                left_out = _left_out(sheet, cell, area, summed[across], across=across)
                # Copies along a row say the same: the first of them is told.
                key = cell.row, sheet.relative_formulas[cell.row, cell.column]
                if left_out and key not in told:
                    told.add(key)
                    message = f"={excerpt(cell.formula)} leaves out {left_out.address}, which belongs to its numbers"
                    yield sheet.title, cell.address, message


def _summed(totals: list[_Total], *, across: bool) -> Mapping[int, Line]:
    """What is added up of each column, or of each row, by any formula."""
    areas = sorted({area for total in totals for area in total.areas if _is_line(area, across=across)})
    found: dict[int, Line] = {}
    for area in areas:
        first, last = (area.left, area.right) if across else (area.top, area.bottom)
        line = found.setdefault(area.top if across else area.left, [])
        if line and first <= line[-1][1] + 1:
            line[-1] = line[-1][0], max(last, line[-1][1])
        else:
            line.append((first, last))
    return found


def _is_line(area: Area, *, across: bool) -> bool:
    return area.top == area.bottom if across else area.left == area.right


def _left_out(
    sheet: BookSheet, total: StoredCell, area: Area, summed: Mapping[int, Line], *, across: bool
) -> StoredCell | None:
    """The cell just before or after a range that a total stands in line with, if it is one of the range's numbers."""
    if across:
        first, last, place, line = area.left, area.right, total.column, area.top
    else:
        first, last, place, line = area.top, area.bottom, total.row, area.left
        if not area.left == area.right == total.column:
            return None
    if first == last or first <= place <= last:
        return None

    def at(number: int) -> StoredCell | None:
        return sheet.cell(line, number) if across else sheet.cell(number, line)

    near = last if place > last else first
    step = 1 if place > last else -1
    between = [at(number) for number in range(near + step, place, step)[: MOST_BETWEEN + 1]]
    blank = next((i for i, cell in enumerate(between) if cell is None or not cell.filled), len(between))
    # A total further away adds up a part of its column on purpose.
    if len(between) > MOST_BETWEEN or any(cell and cell.filled for cell in between[blank:]):
        return None
    for outside, inside in ((first - 1, first), (last + 1, last)):
        beside, edge = at(outside), at(inside)
        if beside is None or edge is None or outside == place or not _alike(sheet, beside, edge):
            continue
        stretches = summed.get(line, [])
        near = bisect_right(stretches, outside, key=lambda stretch: stretch[0]) - 1
        if near < 0 or outside > stretches[near][1]:
            return beside
    return None


def _alike(sheet: BookSheet, beside: StoredCell, edge: StoredCell) -> bool:
    """Whether two neighbours are numbers of one kind: both typed or the one a copy of the other, in one style, no years."""
    if not (beside.is_number and edge.is_number) or beside.style != edge.style or beside.year:
        return False
    terms = (sheet.relative_formulas.get((cell.row, cell.column)) for cell in (beside, edge))
    return len(set(terms)) == 1


# A number that is a text


@rule("W43")
def sums_have_no_texts(book: Book) -> Iterator[Found]:
    """No range that is added up, averaged or compared holds a number that is stored as text, which counts for
    nothing there."""
    texts = {folded(sheet.title): _number_texts(sheet) for sheet in book.sheets}
    titles = {folded(sheet.title): sheet.title for sheet in book.sheets}
    steps = Steps("columns of ranges")
    for sheet in book.sheets if any(texts.values()) else ():
        for cell in sheet.formulas:
            for call in _CALL.findall(cell.formula or ""):
                for title, area in references(call):
                    place = folded(title or sheet.title)
                    columns = texts.get(place, {})
                    across = [c for c in columns if area.left <= c <= area.right]
                    steps.take(len(columns), sheet.title, cell)
                    for column in across:
                        rows = columns[column]
                        start, end = (
                            bisect_left(rows, (area.top, "")),
                            bisect_left(rows, (area.bottom + 1, "")),
                        )
                        for row, text in rows[start:end]:
                            message = f"the number {text!r} is a text: {sheet.title}!{cell.address} takes it for nothing"
                            yield titles[place], address_of(row, column), message
                        del rows[start:end]


def _number_texts(sheet: BookSheet) -> dict[int, list[tuple[int, str]]]:
    """The texts of a sheet that read like numbers, by column: row and text. Years may be names of columns."""
    found: dict[int, list[tuple[int, str]]] = {}
    for cell in sheet.texts:
        text = cell.value.strip()
        if (
            cell.row > sheet.header_row
            and any(map(str.isdigit, text))
            and _NUMBER.fullmatch(text)
            and not cell.year
        ):
            found.setdefault(cell.column, []).append((cell.row, text))
    return {column: sorted(rows) for column, rows in found.items()}


# A total that counts twice


@rule("W44")
def totals_count_once(book: Book) -> Iterator[Found]:
    """A total does not add up cells together with their subtotal."""
    steps = Steps("subtotals in the ranges of totals")
    for sheet in book.sheets:
        sums = [
            _Total(cell, _own_areas(sheet, cell.formula or ""))
            for cell in sheet.formulas
            if "+" in (cell.formula or "") or "(" in (cell.formula or "")
            if _PLAIN_SUM.fullmatch(cell.formula or "")
        ]
        by_column: dict[int, list[tuple[int, _Total]]] = {}
        for total in sorted(sums, key=lambda t: t.cell.row):
            by_column.setdefault(total.cell.column, []).append((total.cell.row, total))
        for total in sums:
            if twice := next(_counted_twice(total, by_column, steps, sheet.title), None):
                again = f"{twice.address} (={excerpt(twice.formula)})"
                message = f"={excerpt(total.cell.formula)} counts cells and, in {again}, their sum"
                yield sheet.title, total.cell.address, message


def _counted_twice(
    total: _Total, by_column: Mapping[int, list[tuple[int, _Total]]], steps: Steps, title: str
) -> Iterator[StoredCell]:
    """The subtotals that a total adds up together with all that they add up."""
    for area in total.areas:
        columns = [c for c in by_column if area.left <= c <= area.right]
        steps.take(len(by_column), title, total.cell)
        for column in columns:
            rows = by_column[column]
            start = bisect_left(rows, area.top, key=lambda found: found[0])
            for row, inner in rows[start:]:
                if row > area.bottom:
                    break
                steps.take(1 + len(inner.areas), title, total.cell)
                if inner is not total and inner.areas and all(_inside(a, total.areas) for a in inner.areas):
                    yield inner.cell


def _inside(inner: Area, areas: tuple[Area, ...]) -> bool:
    return any(
        a.top <= inner.top and inner.bottom <= a.bottom and a.left <= inner.left and inner.right <= a.right
        for a in areas
    )


# A reference one row off


@rule("W45")
def neighbours_refer_alike(book: Book) -> Iterator[Found]:
    """No formula refers to cells one row or one column off those that the formulas on both sides of it refer
    to."""
    for sheet in book.sheets:
        terms = sheet.relative_formulas
        for (row, column), term in terms.items():
            for down, across in ((1, 0), (0, 1)):
                witness = _witness(terms, row, column, down, across)
                if witness and witness != term and _one_off(term, witness, down=bool(down)):
                    cell = sheet.rows[row][column]
                    what = "above and below" if down else "beside it"
                    message = f"={excerpt(cell.formula)} refers one cell off the formulas {what}"
                    yield sheet.title, cell.address, message
                    break


def _witness(terms: Mapping[tuple[int, int], str], row: int, column: int, down: int, across: int) -> str:
    """The formula, in relative terms, that the neighbours of a cell in one direction agree on, or ""."""

    def at(step: int) -> str:
        return terms.get((row + step * down, column + step * across), "")

    # One that reads like its neighbours in the other direction was copied there, so it takes more of them to doubt it.
    beside = (row + across, column + down), (row - across, column - down)
    copied = terms[row, column] in [terms.get(place) for place in beside]
    if at(-1) and at(1):
        steps = [step for i in range(1, (MOST_WITNESSES if copied else 2) + 1) for step in (-i, i)]
    else:
        steps = [i if at(1) else -i for i in range(1, MOST_WITNESSES + 1)]
    found = {at(step) for step in steps}
    return found.pop() if len(found) == 1 else ""


def _one_off(term: str, witness: str, *, down: bool) -> bool:
    """Whether two formulas in relative terms differ in nothing but references that are one row, or one column, off."""
    if _TERM.sub("", term) != _TERM.sub("", witness):
        return False
    pairs = zip(_TERM.findall(term), _TERM.findall(witness), strict=True)
    apart = [(a, b) for one, other in pairs for a, b in zip(one, other, strict=True) if a != b]
    return all(_distance(a, b) == 1 and a.startswith("~") == down for a, b in apart)


def _distance(one: str, other: str) -> int:
    """By how many rows or columns two relative places differ; 0 for places that are fixed."""
    if "$" in one + other:
        return 0
    return abs(int(one.strip("[]~")) - int(other.strip("[]~")))
