"""Rules for formulas: what they may hold, which functions they may use, what is stored beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from openpyxl.utils import FORMULAE

from lm_xl.audit.book import Book, BookSheet, StoredCell
from lm_xl.audit.formulas import Meaning, excerpt, meaning_of
from lm_xl.audit.rules.rule import Found, rule
from lm_xl.model.labels import folded
from lm_xl.xlsx.sheets import YES

UNIT_CONSTANTS = {0.0, 1.0, 4.0, 12.0, 100.0, 1000.0}
KNOWN_FUNCTIONS = FORMULAE | {"_XLFN.ISFORMULA", "ISFORMULA"}
"""The functions of Excel 2007, and ISFORMULA of 2013, all of which LibreOffice computes: no XLOOKUP, LET,
LAMBDA, FILTER, MAXIFS, IFS. Nothing older sees a number that was typed over a formula."""
VOLATILE = {"OFFSET", "INDIRECT", "NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY"}
ROUNDING = {"ROUND", "ROUNDUP", "ROUNDDOWN", "MROUND", "CEILING", "FLOOR", "EVEN", "ODD"}
DISCOUNTING = {"NPV", "XNPV"}
LONGEST_FORMULA = 120
"""Characters, with the sign of equality."""


@rule("W02")
def numbers_have_cells(book: Book) -> Iterator[Found]:
    """A formula of calculations or outputs holds no number but 0, 1, -1, 4, 12, 100 and 1000."""
    for sheet, cell, meaning in book.formulas():
        for number in meaning.numbers if sheet.calculates else ():
            if float(number) not in UNIT_CONSTANTS:
                message = f"the number {number} in ={excerpt(cell.formula)}: give it a cell of its own"
                yield sheet.title, cell.address, message


@rule("W12")
def no_cell_holds_an_error(book: Book) -> Iterator[Found]:
    """No cell holds an error value."""
    for sheet, cell in book.cells():
        if cell.kind == "e":
            yield sheet.title, cell.address, f"holds the error {cell.value}"


@rule("W13")
def no_function_is_volatile(book: Book) -> Iterator[Found]:
    """No volatile function: OFFSET, INDIRECT, NOW, TODAY, RAND, RANDBETWEEN, RANDARRAY."""
    for sheet, cell, function in _calls(book, VOLATILE):
        yield sheet.title, cell.address, f"{function} is volatile"
    for name, text, title, _ in book.names:
        for function in sorted(meaning_of(text).functions & VOLATILE):
            yield title, "", f"the name {name} uses {function}, which is volatile"


@rule("W14")
def discount_factors_have_a_row(book: Book) -> Iterator[Found]:
    """No NPV or XNPV: discount factors have a row of their own."""
    for sheet, cell, function in _calls(book, DISCOUNTING):
        yield sheet.title, cell.address, f"{function} hides its discount factors: give them a row"


@rule("W15")
def formulas_are_short(book: Book) -> Iterator[Found]:
    """A formula is one line of at most 120 characters without an IF inside an IF; IFERROR stands on Checks
    only."""
    for sheet, cell, meaning in book.formulas():
        formula = cell.formula or ""
        # Stored formulas lack the sign of equality that a reader sees.
        if len(formula) >= LONGEST_FORMULA:
            yield sheet.title, cell.address, f"a formula of {len(formula) + 1} characters: split it"
        if "\n" in formula or "\r" in formula:
            yield sheet.title, cell.address, "a formula of more than one line"
        if meaning.nested_if:
            yield sheet.title, cell.address, f"an IF inside an IF: ={excerpt(formula)}"
        if "IFERROR" in meaning.functions and folded(sheet.title) != "checks":
            yield sheet.title, cell.address, "IFERROR hides an error outside of Checks"


@rule("W16")
def functions_are_known_everywhere(book: Book) -> Iterator[Found]:
    """Formulas use the functions of Excel 2007 only (and ISFORMULA of 2013 and LM_ functions), which every
    Excel in use and LibreOffice compute."""
    for sheet in book.sheets:
        for cell, meaning in sheet.meanings:
            for function in sorted(meaning.functions - KNOWN_FUNCTIONS):
                # Excel stores a newer function with a prefix, LibreOffice one that it does not know.
                if not function.removeprefix("_XLDUDF_").startswith("LM_"):
                    shown = function.removeprefix("_XLFN.").removeprefix("_XLWS.")
                    yield sheet.title, cell.address, f"the function {shown} is not one of Excel 2007"
        for address in sheet.settings.dynamic:
            yield sheet.title, address, "a formula that spills into other cells"


@rule("W19")
def calculations_are_not_rounded(book: Book) -> Iterator[Found]:
    """Calculations are not rounded, nor are all numbers as they are displayed: number formats round."""
    if book.calculation.get("fullPrecision", "1") not in YES:
        yield (
            "",
            "",
            "the workbook calculates with the precision that is displayed, so every number is rounded",
        )
    for sheet, cell, function in _calls(book, ROUNDING):
        if sheet.calculates:
            yield sheet.title, cell.address, f"{function} rounds: let the number format round"


def _calls(book: Book, functions: set[str]) -> Iterator[tuple[BookSheet, StoredCell, str]]:
    """The formulas that call some functions, once for each function."""
    for sheet, cell, meaning in book.formulas():
        for function in sorted(meaning.functions & functions):
            yield sheet, cell, function


@rule("W20")
def nothing_is_calculated_twice(book: Book) -> Iterator[Found]:
    """No two rows of calculations hold the same formula: calculate once, then refer."""
    first: dict[tuple[object, ...], str] = {}
    for sheet in book.sheets:
        if sheet.kind not in ("calculations", ""):
            continue
        rows: dict[int, list[tuple[StoredCell, Meaning]]] = {}
        for cell, meaning in sheet.meanings:
            # Formulas of constants may be alike by chance, and a mere reference is what the rule asks for.
            if meaning.refers and not meaning.only_refers:
                rows.setdefault(cell.row, []).append((cell, meaning))
        for row in rows.values():
            address = row[0][0].address
            # A reference without a sheet's title means another cell on each sheet.
            scope = sheet.title if any(m.local for _, m in row) else ""
            key = (scope, *(cell.formula for cell, _ in row))
            if key in first:
                yield sheet.title, address, f"the same formula as {first[key]}: refer to that"
            else:
                first[key] = f"{sheet.title}!{address}"


@rule("W34")
def formulas_have_values(book: Book) -> Iterator[Found]:
    """Each formula has a stored value."""
    for sheet in book.sheets:
        for cell in sheet.formulas:
            # A formula with an empty text as its value has one.
            if not cell.value and cell.kind != "str":
                yield sheet.title, cell.address, "a formula without a stored value"


@rule("W35")
def add_in_functions_have_values(book: Book) -> Iterator[Found]:
    """A cell with an LM_ function has a stored value, and a text of the workbook tells of the add-in."""
    used: list[tuple[str, str]] = []
    for sheet, cell, meaning in book.formulas():
        if any(f.startswith("LM_") for f in meaning.functions):
            used.append((sheet.title, cell.address))
            if not cell.value or cell.kind == "e":
                yield sheet.title, cell.address, f"={excerpt(cell.formula)} has no stored value"
    if used and not any(re.search(r"add-?in", c.value, re.I) for s in book.sheets for c in s.texts):
        message = "LM_ functions are used, and no text tells what to do where the add-in is absent"
        yield *used[0], message
