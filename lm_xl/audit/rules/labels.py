"""Rules for labels: units beside numbers, and texts that are texts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lm_xl.audit.book import Book
from lm_xl.audit.formulas import excerpt
from lm_xl.audit.rules.rule import Found, rule
from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import address_of

LABEL_STYLES = {"lm label", "lm header", "lm wrapped"}


UNIT_WORDS = re.compile(r"\b(?:million|thousand|patients|tests|shares?|USD|EUR|per cent)\b|%", re.I)


@rule("W05")
def numbers_have_units(book: Book) -> Iterator[Found]:
    """Each row of numbers has a unit, on a page of outputs or data also in the title of its table, and where
    units are money the workbook says whether it is nominal or real."""
    money: list[tuple[str, str]] = []
    for sheet in book.sheets:
        unit = sheet.column("unit", "units")
        numbers = {*(sheet.axis.columns if sheet.axis else ()), sheet.column("value")} - {0}
        if not numbers or not (sheet.axis or unit):
            continue
        if not unit and sheet.kind in ("outputs", "data"):
            if not any(re.search(UNIT_WORDS, c.text) for row in sheet.rows.values() for c in row.values()):
                yield sheet.title, f"A{sheet.header_row}", "neither a column unit nor a title with a unit"
            continue
        if not unit:
            yield sheet.title, f"A{sheet.header_row}", "there is no column unit"
            continue
        for row, cells in sheet.body:
            text = cells[unit].text if unit in cells else ""
            if not text and any(c in cells and cells[c].is_number for c in numbers):
                yield sheet.title, address_of(row, unit), "no unit"
            elif re.search(r"\b(?:USD|EUR|GBP|JPY|CNY|CHF)\b|[$€£¥]", text):
                money.append((sheet.title, address_of(row, unit)))
    told = r"\b(?:nominal|real|constant)\b"
    if money and not any(re.search(told, c.value, re.I) for s in book.sheets for c in s.texts):
        yield *money[0], "a unit of money, and no text says whether it is nominal or real"


@rule("W31")
def labels_are_text(book: Book) -> Iterator[Found]:
    """Labels are text without control characters; none of them became a formula."""
    for sheet in book.sheets:
        for cell in sheet.texts:
            found = re.search(r"[\x00-\x09\x0b-\x1f\x7f]", cell.value)
            if found:
                yield sheet.title, cell.address, f"the control character {found[0]!r} in a text"
        for cell, meaning in sheet.meanings:
            unknown = any(folded(name) not in book.known_names for name in meaning.names)
            if unknown or meaning.odd:
                message = f"={excerpt(cell.formula)} reads like a label that became a formula"
                yield sheet.title, cell.address, message
            elif cell.kind != "str" and book.style(cell).name in LABEL_STYLES:
                message = f"={excerpt(cell.formula)}, a number in the style of labels"
                yield sheet.title, cell.address, message
