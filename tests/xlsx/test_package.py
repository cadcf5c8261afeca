"""The guards of the one reader: what `check` refuses, `audit` and `recalc` refuse with the same words."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from lm_xl.assumptions.tables import read_tables
from lm_xl.audit.audit import audit
from lm_xl.faults import Refused
from lm_xl.functions.headless import open_workbook
from lm_xl.xlsx import package as package_limits

SHEET = "xl/worksheets/sheet1.xml"
ENTITIES = b"<!DOCTYPE b [<!ENTITY a 'aaaaaaaaaa'><!ENTITY c '&a;&a;'>]>"


def checked(path: Path) -> object:
    return read_tables(path, {"Sheet": ("what", "value")}, [])


READERS: dict[str, Callable[[Path], object]] = {"check": checked, "audit": audit, "recalc": open_workbook}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "sound.xlsx"
    book = openpyxl.Workbook()
    ws = book["Sheet"]
    for row in (("what", "value"), ("one", 1), ("two", "=B2+1")):
        ws.append(row)
    book.save(path)
    return path


def changed(source: Path, target: Path, change: Callable[[bytes], bytes], part: str = SHEET) -> Path:
    """A copy with one part changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            assert name != part or change(content) != content
            new.writestr(name, change(content) if name == part else content)
    return target


BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "entities": (lambda b: ENTITIES + b, "declares XML entities"),
    "entities after a long comment": (
        lambda b: b"<!--" + b"x" * 5_000 + b"-->" + ENTITIES + b,
        "declares XML entities",
    ),
    "entities in UTF-16": (lambda b: (ENTITIES + b).decode().encode("utf-16"), "declares XML entities"),
    "too many elements": (
        lambda b: b.replace(b"</row>", b"<c/>" * 2_001 + b"</row>", 1),
        "more than 2,000 XML",
    ),
    "elements too deep": (
        lambda b: b.replace(b"</sheetData>", b"</sheetData>" + b"<x>" * 2_001 + b"</x>" * 2_001),
        "more than 2,000 XML",
    ),
    "too long a text": (lambda b: b.replace(b"<v>1<", b"<v>" + b"1" * 33_000 + b"<"), "more than 32,767"),
    "too long a formula": (lambda b: b.replace(b"B2+1", b"+1" * 17_000), "more than 32,767"),
    "cell in the wrong row": (lambda b: b.replace(b'r="B2"', b'r="B3"', 1), "has a cell 'B3' in row 2"),
    "cell twice": (lambda b: b.replace(b'r="B2"', b'r="A2"', 1), "has the cell A2 twice"),
    "text that is not there": (
        lambda b: re.sub(rb'(<c r="A2" t=")inlineStr("><)is.*?/is>', rb"\1s\2v>9</v>", b),
        "refers to the shared text 9",
    ),
    "tags that cross": (lambda b: b.replace(b"</row>", b"</raw>", 1), "holds broken XML (mismatched tag"),
    "row that is no number": (lambda b: b.replace(b'<row r="2"', b'<row r="two"'), "is damaged"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", BROKEN)
def test_every_reader_has_the_same_guards(
    name: str, reader: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, words = BROKEN[name]
    path = changed(sound, tmp_path / "bad.xlsx", change)
    monkeypatch.setattr(package_limits, "MOST_ELEMENTS", 2_000)
    with pytest.raises(Refused, match=rf"^bad\.xlsx: .*{re.escape(words)}"):
        READERS[reader](path)


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_reads_what_is_sound(reader: str, sound: Path) -> None:
    assert READERS[reader](sound) is not None


LIMITS = {
    "MOST_BYTES": "has [0-9,]+ bytes; at most 5 are read",
    "MOST_PARTS": "parts and [0-9,]+ bytes; at most 5 and",
    "MOST_UNPACKED": "at most 2,000 and 5 are read",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("limit", LIMITS)
def test_every_reader_bounds_the_file(
    limit: str, reader: str, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_limits, limit, 5)
    with pytest.raises(Refused, match=LIMITS[limit]):
        READERS[reader](sound)
