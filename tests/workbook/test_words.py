"""The text files of a workbook's words: each is read, each key is used, and none is missing where it is asked for."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import openpyxl
import pytest

import lm_xl
from lm_xl.model.drivers import DRIVERS
from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.plan.records import INPUT_SHEETS, columns_of
from lm_xl.workbook.words import prose

PACKAGE = Path(lm_xl.__file__).parent
FILES = {
    p.name.removesuffix(".toml") for p in files("lm_xl.workbook.words").iterdir() if p.name.endswith(".toml")
}
SOURCE = "".join(p.read_text() for p in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", sorted(FILES - {"claims"}))
def test_every_file_is_asked_for_and_holds_texts_on_one_line(file: str) -> None:
    assert f'"{file}"' in SOURCE
    found = prose.texts(file)
    assert found and all(text == " ".join(text.split()) for text in found.values())


def test_each_sheet_of_the_deliverable_has_its_note_and_each_note_its_sheet(small_built: Path) -> None:
    sheets = openpyxl.load_workbook(small_built, read_only=True).sheetnames
    assert set(sheets) == set(prose.texts("sheets"))
    assert set(INPUT_SHEETS) == set(prose.texts("input_sheets")) < set(sheets)


def test_each_comment_has_its_column() -> None:
    columns = {name for sheet in INPUT_SHEETS for name in columns_of(sheet, ())}
    assert set(prose.texts("columns")) <= columns


def test_the_pages_ask_for_each_text_that_there_is_and_for_no_other() -> None:
    asked = re.findall(r'\btext\(\s*"pages",\s*"(\w+)"', SOURCE)
    assert set(asked) == set(prose.texts("pages"))


def test_the_template_asks_for_each_of_its_notes() -> None:
    assert [key for key in prose.texts("template") if f'"{key}"' not in SOURCE] == []


def test_claims_name_quantities_and_have_no_other_field() -> None:
    assert len(prose.claims()) == len(prose._content("claims")["claims"]) > 0
    for entry, claim in zip(prose._content("claims")["claims"], prose.claims(), strict=True):
        assert set(entry) == {"statement", "quantities", "moves"}
        assert claim.quantities and set(claim.quantities) <= set(QUANTITIES), claim.statement


def test_no_name_in_braces_reaches_the_reader(small_built: Path) -> None:
    with zipfile.ZipFile(small_built) as package:
        parts = [package.read(n).decode() for n in package.namelist() if n.startswith("xl/worksheets/sheet")]
    assert parts and re.findall(r"\{[a-z]\w*\}", "".join(parts)) == []


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookupError, match=r"sheets\.toml: there is no 'Nowhere'"):
        prose.text("sheets", "Nowhere")
    with pytest.raises(LookupError, match=r"pages\.toml: in 'choose' nothing fills in 'what'"):
        prose.text("pages", "choose", which="basis")
    prose.texts.cache_clear()
    monkeypatch.setattr(prose, "_content", lambda _: {"Cover": "", "claims": [{"statement": "It grows."}]})
    with pytest.raises(ValueError, match=r"sheets\.toml: 'Cover' is no text"):
        prose.texts("sheets")
    with pytest.raises(LookupError, match=r"claims\.toml: there is no 'moves'"):
        prose.claims.__wrapped__()


def test_they_are_read_from_a_zip(tmp_path: Path) -> None:
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as package:
        for path in PACKAGE.rglob("*"):
            if path.suffix in (".py", ".toml"):
                package.write(path, path.relative_to(PACKAGE.parent))
    code = (
        f"import sys; sys.path[:0] = [{str(packed)!r}]; from lm_xl.workbook.words import prose; "
        "print(prose.__file__, len(prose.texts('method')), len(prose.claims()))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert answer.startswith(str(packed)) and answer.split()[1:] == [
        str(len(prose.texts("method"))),
        str(len(prose.claims())),
    ]


def test_the_drivers_of_the_bridge_are_those_of_the_page(small_built: Path) -> None:
    rows = openpyxl.load_workbook(small_built, data_only=True)["Drivers"].iter_rows(
        min_row=6, values_only=True
    )
    bars, parameters = set(), set()
    for row in rows:
        (parameters if row[6] is not None else bars).add(row[0])
    known = {driver.name for driver in DRIVERS}
    assert len(parameters & known) > 8 and parameters <= {*known, None, "driver"}
    assert len(bars & known) > 4
