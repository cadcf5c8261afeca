"""Rules for what a reader sees: printed pages, the cell on which a file opens, widths that numbers need."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import accumulate

from lm_xl.audit.book import Book, BookSheet, StoredCell
from lm_xl.audit.rules.rule import Found, Steps, rule
from lm_xl.model.labels import folded
from lm_xl.workbook.pages.styles import PAGE_WIDTH, READABLE
from lm_xl.xlsx.addresses import LAST_COLUMN, Area
from lm_xl.xlsx.styles import shows_date

LARGEST_FILE = 5_000_000
MOST_ROWS_A_PAGE = 60
A4 = "9"
"""How a file calls its paper."""
MARGIN = 0.7
"""Width that Excel keeps free in each column: five pixels."""


@rule("W37")
def sheets_print_well(book: Book) -> Iterator[Found]:
    """Each sheet prints on A4 in landscape, one page wide, with its header repeated, and version and page in its
    footer; the text of results has 8 points or more on paper; inputs, calculations and data are not printed."""
    steps = Steps("cells in printed areas")
    for sheet in book.sheets:
        if sheet.settings.page.get("orientation") != "landscape":
            yield sheet.title, "", "it does not print in landscape"
        if sheet.settings.page.get("paperSize") != A4:
            yield sheet.title, "", "it does not print on A4"
        if not sheet.settings.fits_page or sheet.settings.page.get("fitToWidth", "1") != "1":
            yield sheet.title, "", "it is not fitted to one page wide"
        elif sheet.settings.page.get("fitToHeight", "1") == "1" and len(sheet.rows) > MOST_ROWS_A_PAGE:
            squeezed = f"its {len(sheet.rows):,} rows are squeezed onto one page"
            yield sheet.title, "", f"{squeezed}: fit it to as many pages high as it needs"
        if sheet.header_row and not sheet.repeated:
            yield sheet.title, f"A{sheet.header_row}", "the header is not repeated on each page"
        if "&P" not in sheet.settings.footer:
            yield sheet.title, "", "the footer has no page number"
        if not re.search(r"\d+\.\d+", sheet.settings.footer):
            yield sheet.title, "", "the footer has no version"
        steps.take(len(sheet.cells) * len(sheet.printed), sheet.title)
        printed = [c for c in sheet.cells if c.filled and _is_printed(sheet, c)]
        if sheet.kind in ("inputs", "calculations", "data"):
            if printed:
                yield (
                    sheet.title,
                    printed[0].address,
                    "it is printed with the workbook: give it a blank print area",
                )
        elif sheet.kind == "outputs" and printed:
            smallest = min(printed, key=lambda c: book.style(c).points)
            points = book.style(smallest).points * _scale(sheet)
            if points < READABLE:
                yield sheet.title, smallest.address, f"its text has {points:.1f} points on paper"


def _is_printed(sheet: BookSheet, cell: StoredCell) -> bool:
    areas = sheet.printed
    return not areas or any(a.top <= cell.row <= a.bottom and a.left <= cell.column <= a.right for a in areas)


def _scale(sheet: BookSheet) -> float:
    """By how much a sheet is made smaller so that its widest part, and the columns repeated beside it, fit on a page."""
    last = max((cell.column for cell in sheet.cells if cell.filled), default=1)
    columns = range(1, LAST_COLUMN + 1)
    wide = (sheet.widths.get(c, sheet.settings.default_width) for c in columns)
    up_to = list(accumulate(wide, initial=0.0))
    repeated = sheet.repeated_columns

    def width(left: int, right: int) -> float:
        return up_to[min(right, LAST_COLUMN)] - up_to[min(left, LAST_COLUMN) - 1]

    widest = 1.0
    for area in sheet.printed or [Area(1, 1, 1, last)]:
        beside = width(repeated.left, repeated.right) if repeated and area.left > repeated.right else 0.0
        widest = max(widest, beside + width(area.left, area.right))
    return min(1.0, PAGE_WIDTH / widest)


@rule("W40")
def file_opens_on_the_cover(book: Book) -> Iterator[Found]:
    """The file opens on cell A1 of the first sheet, the cover; it is below 5 MB; no column is too narrow for
    its numbers."""
    size = book.path.stat().st_size
    if size >= LARGEST_FILE:
        yield "", "", f"the file has {size:,} bytes"
    if book.first_shown:
        yield "", "", f"the file opens on sheet {book.first_shown + 1}, not on the first"
    for first in book.sheets[:1]:
        if folded(first.title) != "cover":
            yield first.title, "", "the first sheet is not the Cover"
        if first.settings.active != "A1" or first.settings.top_left != "A1":
            now = (
                f"the sheet opens on {first.settings.active}, with {first.settings.top_left} at the top left"
            )
            yield first.title, first.settings.active, f"{now}, not on A1"
    for sheet in book.sheets:
        yield from _narrow_columns(book, sheet)


def _narrow_columns(book: Book, sheet: BookSheet) -> Iterator[Found]:
    """The columns that show #### for a number."""
    for cell in _longest_numbers(sheet):
        style = book.style(cell)
        text = shown(cell.number or 0.0, style.number_format)
        # Widths count digits; points, commas and colons are about half as wide.
        need = sum(0.5 if c in ".,:" else 1.0 for c in text) * style.scale
        room = sheet.widths.get(cell.column, sheet.settings.default_width) - MARGIN
        if need > room:
            has = f"the column has {room + MARGIN:.1f}"
            yield sheet.title, cell.address, f"{text} needs a width of {need + MARGIN:.1f}; {has}"


def _longest_numbers(sheet: BookSheet) -> list[StoredCell]:
    """The largest number of each column and style, and the lowest below zero: the others need no more
    room."""
    longest: dict[tuple[int, int, bool], tuple[float, StoredCell]] = {}
    for cell in sheet.cells:
        number = cell.number
        if number is not None and math.isfinite(number):
            # The sign takes room or has a section of the format of its own: each side is looked at by itself.
            key = cell.column, cell.style, number < 0
            if key not in longest or abs(number) > longest[key][0]:
                longest[key] = abs(number), cell
    return [cell for _, (_, cell) in sorted(longest.items())]


def shown(number: float, code: str) -> str:
    """A number as its format shows it; "" where that is not known or always fits: General, text, dates."""
    sections = code.split(";")
    # Sections are for positive numbers, negative ones, zero and texts; those that are missing are the first.
    at = 1 if number < 0 and len(sections) > 1 else 2 if number == 0 and len(sections) > 2 else 0
    bare = re.sub(r"\[[^\]]*\]|\*.", "", sections[at])  # without colours, conditions and fillings
    literal = re.sub(r'"([^"]*)"|\\(.)|_.', lambda m: "x" * len(m[1] or m[2] or " "), bare)
    digits = re.search(r"[0#?][0#?,]*(?:\.([0#?]*))?(,*)", literal)
    if shows_date(code) or digits is None or re.search(r"[Ee][+-]|General|/|@", literal, re.I):
        return ""
    value = abs(number) if at else number  # a section of its own shows the sign as it likes
    # A comma behind the last digit divides by a thousand; one between digits parts the thousands.
    scaled = value * (100 if "%" in literal else 1) / 1000 ** len(digits[2] or "")
    thousands = "," if re.search(r"[0#?],[0#?]", digits[0]) else ""
    written = f"{scaled:{thousands}.{len(digits[1] or '')}f}"
    return f"{literal[: digits.start()]}{written}{literal[digits.end() :]}"
