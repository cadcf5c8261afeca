"""What verify does: it moves every input, tells a millionth, and takes no words for formulas."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
import small

import lm_xl
from lm_xl.workbook.plan.input_cells import Numbers
from lm_xl.workbook.verify import edits, moved, verify
from lm_xl.xlsx.addresses import address_of
from lm_xl.xlsx.stored import write_values


def test_every_number_is_moved_and_by_what_can_be_seen(distinct: lm_xl.Assumptions) -> None:
    own, other = Numbers.of(distinct), moved(distinct)
    fixed = {"first_year", "last_year"}
    inputs = [
        (x, y)
        for row, xs, ys in zip(distinct.rows, own.inputs, other.inputs, strict=True)
        for x, y in zip(xs, ys, strict=True)
        if row.quantity not in fixed
    ]
    rest = [
        pair
        for name in ("amounts", "figures", "shares")
        for pair in zip(getattr(own, name), getattr(other, name), strict=True)
    ]
    assert len(inputs) > 100 and len(rest) > 10
    assert all(abs(x - y) > 1e-5 * max(abs(x), 1e-3) for x, y in inputs + rest)
    ways = [y / x for x, y in inputs + rest if x]
    assert len(set(ways)) > 0.9 * len(ways), "each by another amount"
    cells = edits(distinct, other)
    typed = {(row.sheet, cell) for row in distinct.rows if row.inputs for cell in row.cells}
    assert len(cells) >= len(typed) + len(own.amounts) + len(own.figures) + len(own.shares)


@pytest.fixture(scope="module")
def verified(small_built: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, list[str]]]:
    """A formula that gives the right number in the base case alone, and one that is a millionth off."""
    book = openpyxl.load_workbook(small_built)
    stored = openpyxl.load_workbook(small_built, data_only=True)
    book["Calc_Epidemiology"]["H6"] = f"={stored['Calc_Epidemiology']['H6'].value!r}"
    book["Funnel"]["N12"] = (
        f"={str(book['Funnel']['N12'].value)[1:]}+{stored['Funnel']['N12'].value!r}/1000/1000"
    )
    book.save(path := tmp_path_factory.mktemp("planted") / "planted.xlsx")
    return [(case.name, case.wrong) for case in verify(path).cases]


def test_a_number_in_place_of_a_formula_is_told_where_inputs_move(
    verified: list[tuple[str, list[str]]],
) -> None:
    told = {name: any(w.startswith("Calc_Epidemiology!H6:") for w in wrong) for name, wrong in verified}
    assert told and all(found == name.endswith("every input changed") for name, found in told.items())


def test_a_millionth_is_told(verified: list[tuple[str, list[str]]]) -> None:
    assert all(any(w.startswith("Funnel!N12:") for w in wrong) for _, wrong in verified)


def test_a_stored_value_that_its_formula_does_not_give_is_told(small_built: Path, tmp_path: Path) -> None:
    cells = [("Region by class", 6, 2), ("Dashboard", 9, 1)]
    book = openpyxl.load_workbook(small_built, data_only=True)
    shown = [book[sheet].cell(row, column).value for sheet, row, column in cells]
    off = dict(zip(cells, (round(shown[0] * 1.01, 9), "1 to 2"), strict=True))
    write_values(small_built, path := tmp_path / "off.xlsx", off)
    told = {line.partition(",")[0] for line in verify(path).wrong}
    assert told == {
        f"{sheet}!{address_of(row, column)}: stores {off[sheet, row, column]!r}"
        for sheet, row, column in cells
    }
    *_, last = verify(small_built).cases
    assert last.name == "as it is, stored values" and last.formulas > 1000 and not last.wrong


def test_words_that_begin_as_formulas_are_words(distinct_built: Path) -> None:
    book = openpyxl.load_workbook(distinct_built)
    found = [
        (ws.title, cell.value.removeprefix(small.LIKE_A_FORMULA).partition(" (")[0], cell.data_type)
        for ws in book
        for row in ws.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value.startswith(small.LIKE_A_FORMULA)
    ]
    assert {words for _, words, _ in found} == {
        "citation",
        "reason",
        "note",
        "effect",
        "mechanism",
        "note of a row",
    }
    assert {kind for *_, kind in found} == {"s"}
    assert {"Sources", "Scenarios", "Published", "Changes", "Products", "Pricing", "Triangulation"} <= {
        sheet for sheet, *_ in found
    }
