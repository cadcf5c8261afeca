"""Rules for what a workbook is tied to: other files and defined names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lm_xl.audit.book import Book
from lm_xl.audit.formulas import excerpt, meaning_of, references
from lm_xl.audit.rules.rule import Found, rule

FOREIGN_PARTS = re.compile(
    r"externalLinks/|connections\.xml|queryTables/|vbaProject|macrosheets/|dialogsheets/|activeX/|embeddings/"
    r"|ctrlProps/|/model/|customUI",
    re.I,
)
MOST_NAMES = 20


@rule("W17")
def nothing_comes_from_elsewhere(book: Book) -> Iterator[Found]:
    """No link to another file, no data connection, no macro or embedded part."""
    for part in book.parts:
        if FOREIGN_PARTS.search(part) and not part.endswith(".rels"):
            yield "", "", f"the part {part}"
    for part, target in book.outside:
        yield "", "", f"{part} refers to {target}"
    for name, text, title, _ in book.names:
        if meaning_of(text).outside:
            yield title, "", f"the name {name} refers to another file: {text}"
    for sheet, cell, meaning in book.formulas():
        if meaning.outside:
            yield sheet.title, cell.address, f"refers to another file: ={excerpt(cell.formula)}"


@rule("W21")
def names_stand_for_cells(book: Book) -> Iterator[Found]:
    """At most 20 defined names, each for one cell or constant, of workbook scope, neither broken nor
    hidden."""
    if len(book.names) > MOST_NAMES:
        yield "", "", f"{len(book.names)} defined names; at most {MOST_NAMES}"
    for name, text, title, hidden in book.names:
        if title:
            yield title, "", f"the name {name} is valid on this sheet only"
        if hidden:
            yield title, "", f"the name {name} is hidden"
        if "#REF!" in text:
            yield title, "", f"the name {name} is broken: {text}"
        elif any(a.bottom > a.top or a.right > a.left for _, a in references(text)):
            yield title, "", f"the name {name} stands for more than one cell: {text}"
