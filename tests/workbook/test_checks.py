"""Each check of a delivered workbook fails once: what it guards is broken, and it turns, and with it only what hangs on that."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from lm_xl.workbook.plan.checks import FAILED, FIRST_CHECK, PASSED
from lm_xl.xlsx.addresses import area_of, column_letters, place_of
from lm_xl.xlsx.formula_cells import FormulaCells, formula_cells

HEADER_CELL = (4, 1)
Cell = tuple[str, int, int]
RANGE = re.compile(r"(?:'([^']+)'|(\w+))!(\$?[A-Z]+\$?\d+(?::\$?[A-Z]+\$?\d+)?)")
TYPED = re.compile(r"every formula on (.+?)(?: under (\w+))? is one still")


class Book:
    """The workbook in an engine: what is planted is taken back."""

    def __init__(self, path: Path) -> None:
        self.book, self.formulas = FormulaCells(path), formula_cells(path)
        written = openpyxl.load_workbook(path)
        self.written = written
        rows = written["Checks"].iter_rows(min_row=FIRST_CHECK, values_only=True)
        self.checks = {row[1]: FIRST_CHECK + i for i, row in enumerate(rows) if row[1]}
        self.book.evaluate()
        self.failing_at_first = self.failing()

    def value(self, sheet: str, row: int, column: int) -> Any:
        return self.book.workbook.get_value(sheet, row, column)

    def failing(self) -> set[str]:
        """What the checks say that do not pass."""
        return {what for what, row in self.checks.items() if self.value("Checks", row, 5) != 1}

    def ranges(self, what: str) -> list[tuple[str, Any]]:
        """The ranges of other sheets in a check's formula."""
        formula = self.written["Checks"].cell(self.checks[what], 3).value
        return [(quoted or plain, area_of(cells)) for quoted, plain, cells in RANGE.findall(formula)]

    def first(self, what: str, number: int = 0) -> Cell:
        """The first cell of one of the ranges of a check."""
        sheet, area = self.ranges(what)[number]
        return sheet, area.top, area.left

    def last(self, what: str, number: int) -> Cell:
        """The last cell of one of the ranges of a check."""
        sheet, area = self.ranges(what)[number]
        return sheet, area.bottom, area.right

    @contextmanager
    def planted(self, formulas: Mapping[Cell, Any]) -> Iterator[set[str]]:
        """What fails while cells hold other formulas, or values where they held values."""
        before = {at: self.written[at[0]].cell(*at[1:]).value for at in formulas}
        try:
            self._write(formulas)
            self.book.evaluate()
            yield self.failing()
        finally:
            self._write(before)

    def _write(self, content: Mapping[Cell, Any]) -> None:
        for (sheet, row, column), x in content.items():
            if isinstance(x, str) and x.startswith("=") and "ISFORMULA" not in x:
                self.book.workbook.set_formula(sheet, row, column, x)
            else:
                self.book.workbook.set_value(sheet, row, column, x)


@pytest.fixture(scope="module")
def book(distinct_built: Path) -> Book:
    return Book(distinct_built)


def reference(cell: Cell) -> str:
    return f"'{cell[0]}'!{column_letters(cell[2])}{cell[1]}"


def more(book: Book, cell: Cell, amount: float = 1) -> dict[Cell, str]:
    """A formula that gives a little more than the cell's own."""
    return {cell: f"={float(book.value(*cell))!r}+{amount}"}


def before_launch(book: Book, what: str) -> dict[Cell, str]:
    (sheet, area), (_, other) = book.ranges(what)
    down, across = next(
        (r, c)
        for r in range(area.bottom - area.top + 1)
        for c in range(area.right - area.left + 1)
        if not book.value(sheet, area.top + r, area.left + c)
    )
    return {(sheet, other.top + down, other.left + across): "=0.001"}


def claim(book: Book, what: str) -> dict[Cell, str]:
    """Of two stages of which the first is never the lower: a little more of the second than there is of the first."""
    less, most = book.first(what, 0), book.first(what, 1)
    return {less: f"={float(book.value(*most))!r}+0.001"}


def fact(metric: str) -> Callable[[Book, str], dict[Cell, str]]:
    def plant(book: Book, _: str) -> dict[Cell, str]:
        rows = book.written["Data_long"].iter_rows(min_row=6, max_col=1)
        row = next(
            r for (r,) in ((c[0].row,) for c in rows if c[0].value == metric) if book.value("Data_long", r, 7)
        )
        return {("Data_long", row, 7): "=0"}

    return plant


def on_line(
    sheet: str, column: int, label: str, unit: str = "million"
) -> Callable[[Book, str], dict[Cell, str]]:
    """One more in the first year of the line of a label in money."""

    def plant(book: Book, _: str) -> dict[Cell, str]:
        rows = book.written[sheet].iter_rows(min_row=6, values_only=True)
        row = next(
            i
            for i, r in enumerate(rows, 6)
            if r[0] == "revenue" and r[column - 1] == label and unit in str(r[4])
        )
        return more(book, (sheet, row, 8))

    return plant


def chosen(basis: str) -> Callable[[Book, str], dict[Cell, Any]]:
    def plant(book: Book, what: str) -> dict[Cell, Any]:
        return {("Dashboard", *place_of("G6")): basis, **more(book, book.first(what, 1))}

    return plant


def first_less(part: float, number: int = 0) -> Callable[[Book, str], dict[Cell, str]]:
    return lambda book, what: {book.first(what, number): f"={part}"}


ALL_AFTER = "..."
"""Nothing is left to share out, and all that is sold is no number."""

ONE_BY_ONE: dict[str, tuple[Callable[[Book, str], dict[Cell, Any]], tuple[str, ...]]] = {
    "incidence is never below metastatic": (claim, ()),
    "metastatic is never below lm_cases": (claim, ()),
    "lm_cases is never below diagnosed": (claim, ()),
    "diagnosed is never below treated": (claim, ()),
    "entrants leave some of their set": (first_less(1), (ALL_AFTER,)),
    "uptake is exactly 0 before launch": (before_launch, ()),
    "shares within a choice set sum to 1": (first_less(0.999999 - 2e-6), ()),
    "subtype shares within a cancer sum to 1": (first_less(1 + 2e-6), ()),
    "revenue by region and by subtype agree": (lambda b, w: more(b, b.first(w, 1)), ()),
    "revenue by region is that of the chosen scope": (on_line("By_segment", 3, "Therapeutics"), ()),
    "regions sum to the total on By_region": (
        lambda b, w: more(b, b.first(w, 1)),
        ("revenue by region and by subtype agree", "revenue by region is that of the chosen scope", "companies on By_company"),
    ),
    "companies on By_company": (lambda b, w: more(b, b.first(w, 0)), ()),
    "Data_long holds all of risk_adjusted_sales": (fact("risk_adjusted_sales"), ()),
    "Data_long holds all of diagnosed": (fact("diagnosed"), ()),
    "Data_long holds all of treated": (fact("treated"), ()),
    "the currency on the Dashboard has a rate": (first_less(0), ()),
    "revenue on By_segment is gross_sales": (chosen("Gross"), ()),
    "revenue on By_segment is net_sales": (chosen("Net"), ()),
    "revenue on By_segment is risk_adjusted_sales": (chosen("Risk-adjusted net"), ()),
    "net_sales by segment and by subtype": (lambda b, w: more(b, b.first(w, 1)), ()),
    "risk_adjusted_sales by segment and by subtype": (
        lambda b, w: more(b, b.first(w, 1)), ("revenue by region and by subtype agree",),
    ),
    "every published figure on Triangulation has a ratio": (lambda b, w: {b.first(w): '="n/a"'}, ()),
    "Nobody, Global 2029: headline and steps": (lambda b, w: more(b, b.last(w, 1), 1e-3), ()),
}  # fmt: skip
"""The beginning of what a check says, how what it guards is broken, and which others hang on the same cell."""


def named(book: Book, start: str) -> str:
    (what,) = (w for w in book.checks if w.startswith(start))
    return what


@pytest.mark.parametrize("start", ONE_BY_ONE)
def test_a_check_turns_where_what_it_guards_is_broken(start: str, book: Book) -> None:
    what, (plant, others) = named(book, start), ONE_BY_ONE[start]
    due = {what, *(named(book, other) for other in others if other != ALL_AFTER)}
    with book.planted(plant(book, what)) as failing:
        assert due <= failing if ALL_AFTER in others else failing == due
        first = min(book.checks[w] for w in due)
        assert book.value("Cover", 4, 1) == f"{FAILED}see Checks C{first - FIRST_CHECK + 1:02}"


@pytest.mark.parametrize("side", [0.999, 1.001])
@pytest.mark.parametrize("start", ["shares within a choice set", "subtype shares within a cancer"])
def test_a_share_that_is_off_is_seen_from_both_sides(start: str, side: float, book: Book) -> None:
    what = named(book, start)
    with book.planted({book.first(what): f"={side}"}) as failing:
        assert failing == {what}


def family(book: Book, pattern: str) -> dict[str, re.Match[str]]:
    return {what: found for what in book.checks if (found := re.match(pattern, what))}


def test_every_output_that_is_no_number_is_seen(book: Book) -> None:
    """All at once: what follows from a cell that is no number is none either."""
    checks = family(book, r"every cell of (\w+) is a number")
    assert len(checks) > 30
    with book.planted({book.first(what): '="n/a"' for what in checks}) as failing:
        assert checks.keys() <= failing
    for start in ("every cell of incidence", "every cell of risk_adjusted_sales"):
        what = named(book, start)
        with book.planted({book.first(what): "=1/0"}) as failing:
            assert what in failing and book.value("Dashboard", 4, 1).startswith(FAILED)
            # a check whose own value is an error fails too
            assert named(book, what.replace("every cell of", "no cell of").partition(" is ")[0]) in failing


def test_every_output_that_is_negative_is_seen(book: Book) -> None:
    checks = family(book, r"no cell of (\w+) is negative")
    with book.planted({book.first(what): "=-2/1000/1000" for what in checks}) as failing:
        assert checks.keys() <= failing
    what = named(book, "no cell of tests is negative")
    with book.planted({book.first(what): "=-2/1000/1000"}) as failing:
        assert what in failing and not failing - {what, *family(book, "no cell of")}


@pytest.mark.parametrize(("bound", "beyond"), [(6, -1e-9), (7, 1e-9)])
def test_every_input_outside_its_range_is_seen(bound: int, beyond: float, book: Book) -> None:
    checks = family(book, r"(\w+) is inside its range")
    plants = {}
    for what in checks:
        limit = book.value("Checks", book.checks[what], bound)
        assert isinstance(limit, int | float), f"{what}: no bound"
        plants[book.first(what)] = f"={limit + beyond * max(1.0, abs(limit))!r}"
    with book.planted(plants) as failing:
        assert checks.keys() <= failing
    one = named(book, "attribution is inside its range")
    with book.planted({book.first(one): plants[book.first(one)]}) as failing:
        assert one in failing and not failing - {
            one,
            *family(book, "no cell of"),
            named(book, "diagnosed is never"),
        }


def test_every_value_beyond_its_low_or_high_is_seen(book: Book) -> None:
    checks = family(book, r"every value on (\w+) lies between")
    plants: dict[Cell, Any] = {}
    for found in checks.values():
        ws = book.written[found[1]]
        columns = {str(c.value): c.column for c in ws[5]}
        row = next(r for r in range(6, 60) if isinstance(ws.cell(r, columns["value"]).value, int | float))
        plants[found[1], row, columns["low"]] = ws.cell(row, columns["value"]).value * 1.5 + 1
    with book.planted(plants) as failing:
        assert failing == checks.keys()


def test_what_is_typed_over_a_formula_is_seen_on_every_sheet(book: Book) -> None:
    """All at once, each with what the formula gave: no number moves, and every sheet's own check turns and no other."""
    checks = {w: f for w, f in family(book, TYPED.pattern).items() if f[1] != "Formulas" and f[1] != "Checks"}
    # the copies of the master check itself are told by verify
    own = {title for title, cells in book.formulas.items() if cells - {HEADER_CELL}}
    assert {f[1] for f in checks.values()} == own - {"Formulas", "Checks"}
    taken = {f[1]: max(book.formulas[f[1]] - {HEADER_CELL}) for f in checks.values()}
    kept = {title: set(cells) for title, cells in book.book._cells.items()}
    try:
        for sheet, at in taken.items():
            value = book.value(sheet, *at)
            book.book.put(sheet, *at, "" if value is None else value)
        book.book.evaluate()
        assert book.failing() == checks.keys()
    finally:
        book.book._cells = kept
        book._write({(sheet, *at): book.written[sheet].cell(*at).value for sheet, at in taken.items()})


def test_a_changed_tolerance_is_seen(book: Book) -> None:
    what = named(book, "every check has the tolerance")
    with book.planted({("Checks", book.checks[named(book, "companies on")], 4): 1e9}) as failing:
        assert failing == {what}


def test_there_is_no_check_that_is_not_planted(book: Book) -> None:
    assert book.failing_at_first == set()
    families = ("every cell of ", "no cell of ", "every value on ", "every formula on ", "every check has")
    known = {named(book, start) for start in ONE_BY_ONE}
    left = {
        w
        for w in book.checks
        if w not in known and not w.startswith(families) and "inside its range" not in w
    }
    assert left == set()
    book.book.evaluate()
    assert book.failing() == set() and book.value("Cover", 4, 1) == PASSED, "what was planted is taken back"
