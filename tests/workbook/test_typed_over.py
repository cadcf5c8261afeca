"""What is typed over in a delivered workbook: each change is named by the master check in the file, or by verify."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.cell import coordinate_to_tuple

import lm_xl
from lm_xl.workbook.plan.checks import FAILED, FIRST_CHECK, PASSED
from lm_xl.workbook.plan.staleness import ANALYSES
from lm_xl.workbook.verify import verify
from lm_xl.xlsx.addresses import area_of
from lm_xl.xlsx.engines import recalculated, stored_values
from lm_xl.xlsx.formula_cells import FormulaCells, formula_cells

SEED = 20351
OVER_FORMULAS, TOLERANCES, STORED, SINGLE = 44, 6, 10, 6
"""How many of each are planted at once, and how many one by one."""
HEADER = 4
"""The row of the master check, which cannot count itself: red on the page, and told by verify."""
Place = tuple[str, int, int]
Faults = Mapping[Place, Any]


def numbers_on(path: Path, sheet: str, first: int, columns: range = range(1, 20)) -> dict[Place, float]:
    """The numbers in some rows and columns of a sheet."""
    rows = stored_values(path, {sheet: (500, columns[-1])})[sheet]
    return {
        (sheet, row, column): value
        for row, line in enumerate(rows, 1)
        for column, value in enumerate(line, 1)
        if row >= first and column in columns and isinstance(value, float)
    }


def planted(path: Path, rng: random.Random) -> dict[Place, Any]:
    """Changes at random: over formulas of any sheet, of tolerances, of stored analyses."""
    formulas = formula_cells(path)
    faults: dict[Place, Any] = {}
    while len(faults) < OVER_FORMULAS:
        sheet = rng.choice(sorted(title for title, cells in formulas.items() if cells))
        place = rng.choice(sorted(formulas[sheet]))
        if (sheet, place[0]) == ("Checks", 6):  # the master itself; that of a page's header is among them
            continue
        faults[sheet, *place] = rng.choice((0, 1, rng.uniform(-1e6, 1e6), "n/a", None))
    for place in rng.sample(sorted(numbers_on(path, "Checks", FIRST_CHECK, range(4, 5))), TOLERANCES):
        faults[place] = 1e9
    stored = {k: x for title in ANALYSES for k, x in numbers_on(path, title, 7).items() if abs(x) > 1e-9}
    for place in rng.sample(sorted(stored), STORED):
        faults[place] = stored[place] * rng.choice((0.99, 1.1))
    return faults


def evaluated(path: Path, faults: Faults) -> Any:
    book = FormulaCells(path)
    for place, value in faults.items():
        book.put(*place, value)
    book.evaluate()
    return book.workbook.get_value


def seen_in_the_file(path: Path, faults: Faults, value: Any) -> set[Place]:
    """The faults that a failing check of the file counts: those in each rectangle of formulas, and of the tolerances."""
    ws: Any = openpyxl.load_workbook(path, read_only=True)["Formulas"]
    seen = set()
    for row, (title, cells) in enumerate(ws.iter_rows(min_row=6, max_col=2, values_only=True), 6):
        area = area_of(cells)
        assert area is not None
        inside = {
            at
            for at in faults
            if at[0] == title and area.top <= at[1] <= area.bottom and area.left <= at[2] <= area.right
        }
        counts = not {("Formulas", row, 3), ("Formulas", row, 4)} & set(faults)
        if counts:
            assert value("Formulas", row, 3) == len(inside), (title, cells)
            assert value("Formulas", row, 4) == max((at[1] for at in inside), default=0)
        seen |= inside
    checks = {value("Checks", row, 2): row for row in range(FIRST_CHECK, 500) if value("Checks", row, 2)}
    own = {at for at in faults if at[0] in ("Checks", "Formulas") and at[1] > HEADER and at not in seen}
    for at in own:
        what = {
            ("Formulas", 3): "every formula on Formulas is one",
            ("Formulas", 4): "every formula on Formulas is one",
            ("Checks", 3): "every formula on Checks under value",
            ("Checks", 4): "every check has the tolerance",
            ("Checks", 5): "every formula on Checks under pass",
        }.get((at[0], at[2]))
        row = next((row for said, row in checks.items() if what and said.startswith(what)), None)
        if row and ("Checks", row, 3) not in faults and value("Checks", row, 3) > 0:
            seen.add(at)
    return seen


def named_by_verify(path: Path, faults: Faults, folder: Path) -> set[Place]:
    book = openpyxl.load_workbook(path)
    for (sheet, row, column), value in faults.items():
        book[sheet].cell(row, column).value = value
    book.save(folder / "planted.xlsx")
    told = {line.partition(":")[0] for line in verify(folder / "planted.xlsx").wrong}
    return {at for at in faults if f"{at[0]}!{openpyxl.utils.get_column_letter(at[2])}{at[1]}" in told}


@pytest.mark.slow
def test_each_of_60_changes_at_random_is_seen(spread_built: Path, tmp_path: Path) -> None:
    faults = planted(spread_built, rng := random.Random(SEED))
    assert len(faults) == OVER_FORMULAS + TOLERANCES + STORED == 60
    value = evaluated(spread_built, faults)
    by_master = seen_in_the_file(spread_built, faults, value)
    by_verify = named_by_verify(spread_built, faults, tmp_path)
    print(f"seen by the master check: {len(by_master)}, by verify: {len(by_verify)}, of {len(faults)}")
    assert set(faults) - by_verify == set()
    unseen = {at for at in faults if at not in by_master}
    # what no formula can see: analyses, which have none, the master check's copies, and words beside a check
    assert all(at[0] in ANALYSES or at[1] == HEADER or (at[0] == "Checks" and at[2] > 5) for at in unseen), (
        unseen
    )
    assert len(by_master) >= 35
    over = sorted(at for at in by_master if at[0] not in ("Checks", "Formulas"))
    for at in rng.sample(over, SINGLE):
        said = evaluated(spread_built, {at: faults[at]})("Cover", 4, 1)
        assert said.startswith(f"{FAILED}{at[0]} row {at[1]}: see Checks C"), at


@pytest.mark.slow
def test_the_master_check_of_the_shipped_workbook_sees_each(deliverable: Path) -> None:
    faults = planted(deliverable, random.Random(SEED))
    value = evaluated(deliverable, faults)
    assert value("Cover", 4, 1).startswith(FAILED) or ("Cover", 4, 1) in faults
    unseen = set(faults) - seen_in_the_file(deliverable, faults, value)
    assert all(at[0] in ANALYSES or at[1] == HEADER or (at[0] == "Checks" and at[2] > 5) for at in unseen), (
        unseen
    )


@pytest.mark.slow
@pytest.mark.libreoffice
def test_libreoffice_names_a_right_number_over_a_formula(spread_built: Path) -> None:
    areas = {"By_region": (12, 10), "Checks": (6, 2)}
    (whole,) = recalculated(spread_built, [{}], areas, "libreoffice")
    edit = {("By_region", 12, 10): whole["By_region"][11][9]}
    (edited,) = recalculated(spread_built, [edit], areas, "libreoffice")
    assert whole["Checks"][5][1] == PASSED
    assert edited["Checks"][5][1].startswith(f"{FAILED}By_region row 12: see Checks C")


def test_verify_names_what_no_formula_computes(spread_built: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(spread_built)
    faults = set()
    for sheet, table, column in (("Tornado", "tornado", 9), ("Percentiles", "fan_of_revenue", 10), ("Convergence", "convergence", 2), ("Bridge", "bridge_over_time", 2)):  # fmt: skip
        first = book[sheet].tables[f"tbl_{table}"].ref.partition(":")[0]
        cell = book[sheet].cell(coordinate_to_tuple(first)[0] + 2, column)
        cell.value *= 1.001
        faults.add(f"{sheet}!{cell.coordinate}")
    limits = next(row for row in book["Checks"].iter_rows(min_row=FIRST_CHECK) if row[6].value is not None)
    for cell, value in ((book["Checks"]["D20"], 1e9), (limits[6], 1e9), (book["Checks"]["B15"], "fine")):
        cell.value = value
        faults.add(f"Checks!{cell.coordinate}")
    book.save(path := tmp_path / "planted.xlsx")
    found = verify(path)
    told = {line.partition(":")[0]: line for line in found.written.wrong}
    assert set(told) == faults and not found.written.not_compared
    assert "holds 'fine', a build writes" in told["Checks!B15"]


def test_verify_does_not_count_analyses_that_inputs_left_behind(spread_built: Path, tmp_path: Path) -> None:
    row = next(r for r in lm_xl.read_assumptions(spread_built).rows if r.quantity == "list_price")
    book = openpyxl.load_workbook(spread_built)
    book[row.sheet][row.cells[0]].value *= 1.01
    book["Tornado"]["I8"].value *= 2
    book.save(path := tmp_path / "edited.xlsx")
    found = verify(path)
    assert found.passed
    assert {line.partition(":")[0] for line in found.written.not_compared} == set(ANALYSES)
    assert found.written.cells < verify(spread_built).written.cells
