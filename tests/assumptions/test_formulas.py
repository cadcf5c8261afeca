"""Formulas in cells that are read: a value that none of them calculated is a fault, never a number."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
import small

import lm_xl

SIZES = (2, 4, 2, 3)
OWN = "a formula whose stored value may not be its own"
AUTOMATIC = ""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.workbook(tmp_path_factory.mktemp("sound") / "sound.xlsx", SIZES)


def with_formulas(source: Path, target: Path, calculation: str, cells: dict[tuple[str, str], str]) -> Path:
    """A workbook with other XML for some cells, by sheet and address, that says of its calculation what is given."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        titles = re.findall(r'<sheet [^>]*name="([^"]+)"', old.read("xl/workbook.xml").decode())
        parts = {f"xl/worksheets/sheet{i}.xml": title for i, title in enumerate(titles, 1)}
        for item in old.infolist():
            content = old.read(item).decode() if item.filename.endswith(".xml") else old.read(item)
            if item.filename == "xl/workbook.xml":
                content, found = re.subn("<calcPr[^>]*/>", f"<calcPr {calculation}/>", content)
                assert found == 1
            for (sheet, address), xml in cells.items():
                if parts.get(item.filename) == sheet:
                    one = f'<c r="{address}"' + r"[^>]*?(/>|>.*?</c>)"
                    content, found = re.subn(one, f'<c r="{address}">{xml}</c>', content, count=1)
                    assert found == 1
            new.writestr(item.filename, content)
    return target


def places(path: Path) -> dict[str, tuple[str, str]]:
    """Cells of the small workbook by what stands in them."""
    book = openpyxl.load_workbook(path)

    def at(sheet: str, column: str, *words: str) -> tuple[str, str]:
        letters = next(c.column_letter for c in book[sheet][5] if c.value == column)
        rows = (r for r in book[sheet].iter_rows(min_row=6) if set(words) <= {c.value for c in r})
        return sheet, f"{letters}{next(rows)[0].row}"

    return {
        "amount": at("Scenarios", "amount", "lm_risk"),
        "fixed row": at("Epidemiology", "value", "lm_risk", "HR+ breast"),
        "year": at("Treatment", "2026", "treatment_rate", "Germany"),
        "low": at("Epidemiology", "low", "lm_risk", "HR+ breast"),
        "label": at("Epidemiology", "region", "lm_risk_growth", "Germany"),
        "header": ("Treatment", "I5"),
        "first year": at("Timeline", "value", "first_year"),
    }


def told(path: Path) -> set[tuple[str, str, str]]:
    with pytest.raises(lm_xl.Refused) as refused:
        lm_xl.read_assumptions(path)
    return {(f.sheet, f.cell, f.message) for f in refused.value.faults}


@pytest.mark.parametrize(
    ("calculation", "advice"),
    [
        ('fullCalcOnLoad="1"', "open it in Excel, let it calculate"),
        ('calcMode="manual"', "set it to calculate automatically"),
        ('calcMode="autoNoTable"', "set it to calculate automatically"),
        ('calcCompleted="0"', "open it in Excel"),
    ],
)
@pytest.mark.parametrize("where", ["amount", "fixed row", "year", "label", "header", "first year"])
def test_a_value_that_its_formula_never_had_is_a_fault(
    where: str, calculation: str, advice: str, sound: Path, tmp_path: Path
) -> None:
    """XlsxWriter stores 0 beside every formula; a workbook that calculates by hand keeps what it had."""
    place = places(sound)[where]
    stored = {"label": "<v>Germany</v>", "header": "<v>2026</v>", "first year": "<v>2025</v>"}
    xml = f"<f>1.2*0.5</f>{stored.get(where, '<v>0</v>')}"
    path = with_formulas(sound, tmp_path / "bad.xlsx", calculation, {place: xml})
    ((sheet, cell, message),) = told(path)
    assert (sheet, cell) == place
    assert OWN in message and advice in message


def test_a_stored_value_is_taken_where_nothing_speaks_against_it(sound: Path, tmp_path: Path) -> None:
    place = places(sound)["amount"]
    path = with_formulas(sound, tmp_path / "a.xlsx", "", {place: "<f>1.2*0.5</f><v>0.6</v>"})
    assert lm_xl.read_assumptions(path).deltas[0].amount == 0.6


def test_a_formula_in_a_cell_that_is_not_read_does_no_harm(sound: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(sound)
    book["Epidemiology"]["Z9"], book["Epidemiology"]["A2"] = "=1+1", "=1+1"
    book.save(tmp_path / "a.xlsx")
    assert (
        lm_xl.read_assumptions(tmp_path / "a.xlsx").fingerprint == lm_xl.read_assumptions(sound).fingerprint
    )


CIRCLES = {
    "itself": {"C1": "", "value": "{value}+0.1"},
    "two cells": {"value": "Z1", "Z1": "Z2*1", "Z2": "Z1"},
    "through a range on another sheet": {
        "value": "SUM(Timeline!$A:$Z)",
        "Timeline!G7": "Epidemiology!{value}",
    },
    "below a circle": {"value": "Z1", "Z1": "1+Z2", "Z2": "Z3", "Z3": "SUM(Z2:Z4)"},
    "through a name": {"value": "Circle", "Z1": "{value}"},
}


@pytest.mark.parametrize("name", CIRCLES)
def test_a_circle_behind_a_number_is_a_fault(name: str, sound: Path, tmp_path: Path) -> None:
    sheet, cell = places(sound)["fixed row"]
    book = openpyxl.load_workbook(sound)
    for at, formula in CIRCLES[name].items():
        of, _, address = at.rpartition("!")
        if formula and at != "value":
            book[of or sheet][address] = f"={formula.format(value=cell)}"
    book.defined_names["Circle"] = openpyxl.workbook.defined_name.DefinedName(
        "Circle", attr_text=f"{sheet}!$Z$1"
    )
    book.save(tmp_path / "book.xlsx")
    xml = {(sheet, cell): f"<f>{CIRCLES[name]['value'].format(value=cell)}</f><v>0</v>"}
    found = told(with_formulas(tmp_path / "book.xlsx", tmp_path / "bad.xlsx", "", xml))
    assert {f[:2] for f in found if "circle of formulas" in f[2]} == {(sheet, cell)}


def test_no_circle_is_none(sound: Path, tmp_path: Path) -> None:
    """A formula that rests on others, and one elsewhere that is in a circle, are no fault; a name that is a function neither."""
    sheet, cell = places(sound)["fixed row"]
    book = openpyxl.load_workbook(sound)
    book[sheet]["Z1"], book[sheet]["Z2"], book[sheet]["Y1"], book[sheet]["Y2"] = (
        "=Z2*2",
        "=0.01",
        "=Y2",
        "=Y1",
    )
    book.save(tmp_path / "book.xlsx")
    xml = {(sheet, cell): "<f>SUM(Z1:Z2)+Z1</f><v>0.05</v>"}
    a = lm_xl.read_assumptions(with_formulas(tmp_path / "book.xlsx", tmp_path / "a.xlsx", "", xml))
    assert 0.05 in {x for row in a.rows if row.quantity == "lm_risk" for x in row.inputs}
    assert not [n for n in a.notes if n.cell]


def test_iteration_and_other_workbooks_are_noted(sound: Path, tmp_path: Path) -> None:
    sheet, cell = places(sound)["fixed row"]
    xml = {(sheet, cell): "<f>[1]Sheet1!$A$1*2</f><v>0.05</v>"}
    path = with_formulas(sound, tmp_path / "a.xlsx", 'iterate="1"', xml)
    notes = [(n.sheet, n.cell, n.message) for n in lm_xl.read_assumptions(path).notes]
    assert ("", "", "iterative calculation is on: circular formulas are not told by Excel") in notes
    assert any(n[:2] == (sheet, cell) and "comes from another workbook" in n[2] for n in notes)
