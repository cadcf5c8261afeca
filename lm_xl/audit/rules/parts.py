"""The rule for the file as a package: what its readers find in it, and who signed it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lm_xl.audit.book import Book
from lm_xl.audit.rules.rule import Found, rule

LIBRARIES = re.compile(r"openpyxl|xlsxwriter|exceljs|sheetjs|epplus|closedxml|apache poi|python", re.I)


@rule("W41")
def readers_find_every_part(book: Book) -> Iterator[Found]:
    """Targets are told from the part that names them, cells of texts have one, the file has a title, and no
    library has signed it."""
    for part, target in book.rooted:
        yield "", "", f"{part} tells {target} from the root, which some readers do not follow"
    for sheet in book.sheets:
        for cell in sheet.settings.bare:
            yield sheet.title, cell, "the cell says that it holds a text and has none"
    if not book.properties.get("title"):
        yield "", "", "the file's properties have no title"
    for name in ("Application", "creator", "lastModifiedBy"):
        signed = book.properties.get(name, "")
        if LIBRARIES.search(signed):
            yield "", "", f"the file's property {name} names a library: {signed}"
