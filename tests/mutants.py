"""Mutants of an assumptions workbook: one change each, of a cell, a row, a column or a sheet."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from cellbooks import Book, Cell, Place, Sheet
from openpyxl.utils.cell import get_column_letter
from plain_reader import KEYS, PHASES, SPREADS, STATUSES, cells_of, same

from lm_xl.model.quantities import QUANTITIES


@dataclass(frozen=True)
class Mutant:
    """A changed book, what was done to it and where; one that is harmless says what it said before."""

    what: str
    book: Book
    sheet: str = ""
    cell: str = ""
    harmless: bool = False


FREE = ("note", "address", "read", "grade", "designations", "next_readout", "first_approval", "lm_data")
"""Columns in which anything may stand."""
TOLD = ("reason", "citation", "mechanism", "effect", "who")
ALSO_TOLD = (("Sources", "year"), ("Changes", "what"))
"""Columns in which any words may stand."""
NUMBERS = ("value", "low", "high", "amount", "share", "rank_correlation", "rate", "year")
EXTREME = (
    "1e308", "-1e308", "1e-320", "5e-324", "-0.0", "1e-15", "1000000000000000.0", "0", "1", "-1", "5", "2030", "2030.5", "99999",
)  # fmt: skip
NO_NUMBERS = (
    "never", "NEVER ", "nan", "NaN", "inf", "-inf", "Infinity", "1e400", "-", "n/a", "TRUE", "None", "#N/A", "０.５", "５０", "１", "٠٫٥", "½", "1 000", "1\u202f000",
    "−1", "0x1F", "1_000", "(5)", "$5", "5 %", "0,5", "1.000,5", "x" * 500, "\u00a0", "2025-01-01",
)  # fmt: skip
RAW = (
    "NaN", "INF", "-INF", "1_000", "0x1F", "０.５", "1e400", "1,5", "--1", "1 2", "١", "5%", "abc", "infinity",
)  # fmt: skip
"""What no spreadsheet writes as the value of a number."""
ERRORS = ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!")
WORDS: Mapping[str, tuple[str, ...]] = {
    "fill": ("constant", "linear", "yearly"), "status": STATUSES, "distribution": ("fixed", *SPREADS), "phase": PHASES,
    "operation": ("multiply", "add", "set"), "role": ("incumbent", "entrant", "rest", "test", "default", "raises", "lowers"),
    "scope": ("same", "adjacent"), "metric": ("revenue", "patients"), "unit": tuple({u: 0 for q in QUANTITIES.values() for u in q.units}),
    "quantity": tuple(QUANTITIES), "kind": ("Brands", "Generics", "Procedures", "Diagnostic tests"),
}  # fmt: skip


def _changed(book: Book, sheet: Sheet, cells: Mapping[Place, Cell]) -> Book:
    return book.having(sheet.title, replace(sheet, cells={**sheet.cells, **cells}))


@lru_cache(maxsize=64)
def _places(sheet: Sheet) -> dict[str, list[tuple[Place, str, Cell]]]:
    """The cells below a header by what is due in them: numbers, words, told words or anything."""
    found: dict[str, list[tuple[Place, str, Cell]]] = {"number": [], "word": [], "free": [], "told": []}
    for place, name, cell in cells_of(sheet):
        if cell.kind == "n" and (name in NUMBERS or name.isdigit()) and sheet.title != "Sources":
            kind = "number"
        elif name in FREE:
            kind = "free"
        else:
            kind = "told" if name in TOLD or (sheet.title, name) in ALSO_TOLD else "word"
        found[kind].append((place, name, cell))
    return found


def _any(rng: random.Random, book: Book, kind: str) -> tuple[Sheet, Place, str, Cell]:
    """A cell of a kind; sheets with more cells are chosen more often."""
    counts = {s.title: len(found) ** 0.7 for s in book.sheets if s.table and (found := _places(s)[kind])}
    sheet = book.sheet(rng.choices(list(counts), list(counts.values()))[0])
    return sheet, *rng.choice(_places(sheet)[kind])


def _address(place: Place) -> str:
    return f"{get_column_letter(place[1])}{place[0]}"


def _in_place(
    said: str, book: Book, sheet: Sheet, place: Place, new: Cell, *, harmless: bool = False
) -> Mutant:
    """A workbook with another cell in a place."""
    return Mutant(said, _changed(book, sheet, {place: new}), sheet.title, _address(place), harmless)


# Cells


def another_number(rng: random.Random, book: Book) -> Mutant:
    sheet, place, name, cell = _any(rng, book, "number")
    x = float(cell.text)
    text = rng.choice(
        [*(repr(x * f) for f in (0.5, 0.9, 0.99, 1.01, 1.1, 2, 100, 0.01, -1)), repr(x + 1), *EXTREME]
    )
    return _in_place(f"{name} {cell.text} to {text}", book, sheet, place, Cell("n", text))


def a_number_near(rng: random.Random, book: Book) -> Mutant:
    """A change that most rules allow."""
    sheet, place, name, cell = _any(rng, book, "number")
    x = float(cell.text)
    text = repr(x + rng.choice([-1, 1])) if name == "year" else repr(x * (1 + rng.uniform(-0.02, 0.02)))
    return _in_place(f"{name} {cell.text} to {text}", book, sheet, place, Cell("n", text))


def no_number(rng: random.Random, book: Book) -> Mutant:
    """What stands where a number is due: a text, a truth value, an error value, a date, or what no spreadsheet writes."""
    sheet, place, name, cell = _any(rng, book, "number")
    wide = cell.text.translate({ord("0") + i: ord("０") + i for i in range(10)})
    texts = (
        cell.text,
        f" {cell.text} ",
        f"{cell.text}%",
        cell.text.replace(".", ","),
        wide,
        f"{cell.text}\u200b",
        f"{cell.text} x",
    )
    new = rng.choice([
        *[Cell("s", rng.choice(texts))] * 3, *[Cell("s", rng.choice(NO_NUMBERS))] * 3, Cell("b", rng.choice("01")), Cell("e", rng.choice(ERRORS)),
        Cell("n", cell.text, style=rng.choice((2, 5, 6))), Cell("d", "2025-01-01T00:00:00"), *[Cell("n", rng.choice(RAW))] * 2, Cell("n", ""),
    ])  # fmt: skip
    return _in_place(f"{name} {cell.text} to {new}", book, sheet, place, new)


def formula(rng: random.Random, book: Book) -> Mutant:
    """A formula in a number's place, with its value or another, with a text, an error or no value, or in a circle."""
    sheet, place, name, cell = _any(rng, book, "number")
    other = repr(float(cell.text) * rng.choice((0.98, 1.01)))
    new = rng.choice([
        Cell("n", cell.text, f"{cell.text}*1"), Cell("n", other, f"{other}*1"), Cell("n", "", "1+1"), Cell("s", cell.text, f'"{cell.text}"'),
        Cell("e", "#REF!", "#REF!"), Cell("n", cell.text, _address(place)), Cell("b", "1", "TRUE()"), Cell("s", "", '""'),
    ])  # fmt: skip
    harmless = new.text == cell.text and new.kind == "n" and new.formula != _address(place)
    calculation = rng.choice([{}, {}, {"fullCalcOnLoad": "1"}, {"calcMode": "manual"}])
    changed = replace(_changed(book, sheet, {place: new}), calculation=calculation)
    return Mutant(
        f"{name} {cell.text} to {new} {calculation}",
        changed,
        sheet.title,
        _address(place),
        harmless and not calculation,
    )


def another_format(rng: random.Random, book: Book) -> Mutant:
    sheet, place, name, cell = _any(rng, book, "number")
    new = cell._replace(style=rng.choice((1, 3, 4)))
    return _in_place(f"{name} in format {new.style}", book, sheet, place, new, harmless=True)


def a_number_where_none_is(rng: random.Random, book: Book) -> Mutant:
    """A number in a cell that its row leaves blank."""
    sheet = book.sheet(rng.choice([s.title for s in book.sheets if s.table]))
    assert sheet.table
    top, left, bottom, right = sheet.table
    blanks = [
        (row, column)
        for row in range(top + 1, bottom + 1)
        for column in range(left, right + 1)
        if (row, column) not in sheet.cells and same(sheet.cells[top, column].text) not in FREE
    ]
    if not blanks:
        return a_note(rng, book)
    place = rng.choice(blanks)
    new = Cell("n", rng.choice(("0", "0.5", "1", "2030")))
    return _in_place(f"{new} in a blank cell", book, sheet, place, new)


def another_case(rng: random.Random, book: Book) -> Mutant:
    """A word in other letters or with blanks around it, which is the same word."""
    sheet, place, name, cell = _any(rng, book, "word")
    text = rng.choice(
        [
            cell.text.upper(),
            cell.text.lower(),
            f" {cell.text}",
            f"{cell.text}\t",
            f"{cell.text}\u00a0",
            f"\n {cell.text} ",
        ]
    )
    is_free = (sheet.title, name) not in (
        ("Axes", "label"),
        ("Currencies", "currency"),
        ("Changes", "version"),
        ("Changes", "date"),
        ("Changes", "what"),
    )
    said = f"{name} {cell.text!r} to {text!r}"
    return _in_place(said, book, sheet, place, Cell("s", text), harmless=is_free)


def misspelled(rng: random.Random, book: Book) -> Mutant:
    sheet, place, name, cell = _any(rng, book, "word")
    text, at = cell.text, rng.randrange(len(cell.text))
    new = rng.choice([
        Cell("s", text[:at] + text[at + 1 :]), Cell("s", text[:at] + text[at] * 2 + text[at + 1 :]), Cell("s", text[:at] + "\u200b" + text[at:]),
        Cell("s", text.replace("a", "а").replace("e", "е")), Cell("s", f"{text[:at]}  {text[at:]}"), Cell("n", ""), Cell("s", "   "), Cell("n", "7"),
        Cell("b", "1"), Cell("e", "#N/A"), Cell("s", "#N/A"), Cell("s", f"{text};"), Cell("s", ";"), Cell("s", f"{text}; {text}"), Cell("s", "", '""'), Cell("s", text, f'"{text}"'),
    ])  # fmt: skip
    return _in_place(f"{name} {text!r} to {new}", book, sheet, place, new)


def another_word(rng: random.Random, book: Book) -> Mutant:
    """A word that is allowed in its column: another row's, or another of its list."""
    sheet, place, name, cell = _any(rng, book, "word")
    plain = name.removeprefix("other_")
    if plain in KEYS or plain == "label":
        axes = book.sheet("Axes")
        of = axes.cells[place[0], 1].text if plain == "label" else plain
        rows = [r for (r, c), x in axes.cells.items() if c == 1 and same(x.text) == of]
        columns = {same(axes.cells[axes.top, c].text): c for c in range(1, 8)}
        labels = [axes.cells[r, columns["label"]].text for r in rows]
        grouped = [
            axes.cells[r, columns["groups"]].text for r in rows if (r, columns["groups"]) in axes.cells
        ]
        choices = [*labels, *(group.strip() for groups in grouped for group in groups.split(";"))]
    else:
        choices = [*WORDS.get(plain, ()), *(c.text for _, n, c in _places(sheet)["word"] if n == name)]
    text = rng.choice([x for x in choices if same(x) != same(cell.text)] or [""])
    return _in_place(f"{name} {cell.text!r} to {text!r}", book, sheet, place, Cell("s", text))


def a_note(rng: random.Random, book: Book) -> Mutant:
    """Other words, or anything at all, where it moves nothing."""
    kind = rng.choice(("free", "told"))
    sheet, place, name, _ = _any(rng, book, kind)
    news = [
        Cell("s", "=1+1"),
        Cell("s", "+cmd|' /C calc'!A0"),
        Cell("s", "0.5"),
        Cell("s", "y" * 3000),
        Cell("s", "never"),
    ]
    if name == "year":
        news = [Cell("s", "1999"), Cell("s", "about 2001")]
    elif kind == "free":
        news += [
            Cell("n", "0.5"),
            Cell("n", ""),
            Cell("b", "1"),
            Cell("e", "#N/A"),
            Cell("n", "45000", style=2),
            Cell("n", "NaN"),
        ]
    new = rng.choice(news)
    return _in_place(f"{name} to {new}", book, sheet, place, new, harmless=True)


def low_and_high(rng: random.Random, book: Book) -> Mutant:
    """Low and high of a row in one another's place, or one of them without the other."""
    spread = [
        (s, place) for s in book.sheets if s.table for place, name, _ in _places(s)["number"] if name == "low"
    ]
    sheet, place = rng.choice(spread)
    header = {same(c.text): column for (row, column), c in sheet.cells.items() if row == sheet.top}
    ends = (place[0], header["low"]), (place[0], header["high"])
    low, high = (sheet.cells[p] for p in ends)
    new = rng.choice([{ends[0]: high, ends[1]: low}, {ends[0]: Cell("n", "")}, {ends[1]: Cell("n", "")}])
    return Mutant(f"low {low.text} and high {high.text}: {new}", _changed(book, sheet, new), sheet.title)


# Rows


def _rows(sheet: Sheet) -> list[int]:
    assert sheet.table
    return list(range(sheet.table[0] + 1, sheet.table[2] + 1))


def _row(sheet: Sheet, row: int) -> dict[int, Cell]:
    return {c: cell for (r, c), cell in sheet.cells.items() if r == row}


def _tabled(rng: random.Random, book: Book) -> Sheet:
    return rng.choice([s for s in book.sheets if s.table])


def rows_swapped(rng: random.Random, book: Book) -> Mutant:
    sheet = rng.choice([s for s in book.sheets if s.table and len(_rows(s)) > 1])
    first, second = rng.sample(_rows(sheet), 2)
    of = {first: second, second: first}
    cells = {(of.get(r, r), c): cell for (r, c), cell in sheet.cells.items()}
    free = sheet.title not in ("Axes", "Scenarios")
    return Mutant(
        f"rows {first} and {second} swapped",
        book.having(sheet.title, replace(sheet, cells=cells)),
        sheet.title,
        "",
        free,
    )


def _shifted(sheet: Sheet, after: int, by: int) -> Sheet:
    """A sheet whose rows below one have moved, as when rows are inserted in Excel or deleted."""
    assert sheet.table
    top, left, bottom, right = sheet.table
    cells = {
        (r + by if r > after else r, c): x
        for (r, c), x in sheet.cells.items()
        if by > 0 or not after + by < r <= after
    }
    return replace(sheet, cells=cells, table=(top, left, bottom + by, right))


def row_deleted(rng: random.Random, book: Book) -> Mutant:
    sheet = _tabled(rng, book)
    row = rng.choice(_rows(sheet))
    return Mutant(f"row {row} deleted", book.having(sheet.title, _shifted(sheet, row, -1)), sheet.title)


def row_duplicated(rng: random.Random, book: Book) -> Mutant:
    """A row there twice, or a second time with another label or amount; inside of the table or below it."""
    sheet = _tabled(rng, book)
    rows = _rows(sheet)
    row, after = rng.choice(rows), rng.choice([rows[0], rows[-1]])
    wide = _shifted(sheet, after, 1)
    content = {(after + 1, c): cell for c, cell in _row(sheet, row).items()}
    wide = replace(wide, cells={**wide.cells, **content})
    if rng.random() < 0.3:
        wide = replace(wide, table=sheet.table)
    return Mutant(f"row {row} again below {after}", book.having(sheet.title, wide), sheet.title)


def row_inserted(rng: random.Random, book: Book) -> Mutant:
    sheet = _tabled(rng, book)
    after = rng.choice(_rows(sheet))
    return Mutant(
        f"a blank row below {after}",
        book.having(sheet.title, _shifted(sheet, after, 1)),
        sheet.title,
        "",
        True,
    )


def row_hidden(rng: random.Random, book: Book) -> Mutant:
    sheet = _tabled(rng, book)
    row = rng.choice(_rows(sheet))
    return Mutant(
        f"row {row} hidden",
        book.having(sheet.title, replace(sheet, hidden_rows=(row,))),
        sheet.title,
        f"A{row}",
    )


def words_below(rng: random.Random, book: Book) -> Mutant:
    """A remark apart below the table."""
    sheet = _tabled(rng, book)
    below = {(_rows(sheet)[-1] + rng.randint(2, 4), 1): Cell("s", "Europe")}
    return Mutant("words below", _changed(book, sheet, below), sheet.title, "", True)


# Columns and headers


def columns_swapped(rng: random.Random, book: Book) -> Mutant:
    """Two columns in one another's place, with their headers; or the headers alone."""
    sheet = _tabled(rng, book)
    assert sheet.table
    top, left, _, right = sheet.table
    one, other = rng.sample(range(left, right + 1), 2)
    alone = rng.random() < 0.4
    of = {one: other, other: one}
    cells = {
        (r, of.get(c, c) if r == top or (r > top and not alone) else c): x
        for (r, c), x in sheet.cells.items()
    }
    what = f"{'headers' if alone else 'columns'} {one} and {other} swapped"
    return Mutant(what, book.having(sheet.title, replace(sheet, cells=cells)), sheet.title, "", not alone)


def header_changed(rng: random.Random, book: Book) -> Mutant:
    sheet = _tabled(rng, book)
    assert sheet.table
    top, left, _, right = sheet.table
    place = top, rng.randint(left, right)
    text = sheet.cells[place].text
    same_words = [Cell("s", text.upper()), Cell("s", f" {text} ")]
    if text.isdigit():
        same_words += [Cell("n", text), Cell("n", f"{text}.0"), Cell("n", text, f"{text}+0")]
    others = [Cell("s", f"{text}x"), Cell("n", ""), Cell("n", "2040"), Cell("n", "2026"), Cell("s", "note"), Cell("s", "value"), Cell("n", "", "1+1"), Cell("n", "2030.5")]  # fmt: skip
    new = rng.choice(same_words + others)
    return Mutant(
        f"header {text} to {new}", _changed(book, sheet, {place: new}), sheet.title, "", new in same_words
    )


def column_added(rng: random.Random, book: Book) -> Mutant:
    """A column that nobody asked for, or one of a year beyond the horizon."""
    sheet = _tabled(rng, book)
    assert sheet.table
    top, _, bottom, right = sheet.table
    name = rng.choice((Cell("s", "my remarks"), Cell("s", "value 2"), Cell("n", "7"), Cell("n", "2099")))
    cells = {(top, right + 2): name} | {(r, right + 2): Cell("n", "0.5") for r in range(top + 1, bottom + 1)}
    return Mutant(f"a column {name.text}", _changed(book, sheet, cells), sheet.title, "", name.text != "2099")


# Sheets


def sheet_changed(rng: random.Random, book: Book) -> Mutant:
    """Sheets in another order, renamed, hidden, deleted, copied or added."""
    sheet = _tabled(rng, book)
    title, what = (
        sheet.title,
        rng.choice(("order", "case", "name", "hidden", "deleted", "copy", "twice", "added", "counted")),
    )
    others = tuple(s for s in book.sheets if s is not sheet)
    copy = {"copy": f"{title} (2)", "twice": title.upper(), "added": "My notes"}.get(what)
    if copy:
        changed = replace(book, sheets=(*book.sheets, replace(sheet, title=copy)))
    elif what == "order":
        changed = replace(book, sheets=tuple(rng.sample(book.sheets, len(book.sheets))))
    elif what == "counted":
        changed = replace(book, calculation={"fullCalcOnLoad": "1"})
    elif what == "deleted":
        changed = replace(book, sheets=others)
    else:
        new = {"case": title.upper(), "name": rng.choice((f"{title} old", f"{title}1", title[:-1]))}.get(
            what, title
        )
        changed = replace(
            book,
            sheets=(replace(sheet, title=new, state="hidden" if what == "hidden" else "visible"), *others),
        )
    return Mutant(f"sheet {what}", changed, title, "", what in ("order", "case", "copy", "added", "counted"))


KINDS: Mapping[Callable[[random.Random, Book], Mutant], int] = {
    another_number: 14, a_number_near: 14, no_number: 14, formula: 6, another_format: 3, a_number_where_none_is: 4, another_case: 5, misspelled: 9,
    another_word: 12, a_note: 4, low_and_high: 4, rows_swapped: 3, row_deleted: 4, row_duplicated: 4, row_inserted: 2, row_hidden: 1, words_below: 1,
    columns_swapped: 4, header_changed: 4, column_added: 2, sheet_changed: 4,
}  # fmt: skip
"""The kinds of mutants, and how often each is made."""


def mutant(rng: random.Random, book: Book) -> Mutant:
    return rng.choices(list(KINDS), list(KINDS.values()))[0](rng, book)
