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
from lm_xl.xlsx.package import opened
from lm_xl.xlsx.stored import write_values

SHEET = "xl/worksheets/sheet1.xml"
BOOK = "xl/workbook.xml"
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
        "XML elements more than 250 deep in xl/worksheets/sheet1.xml",
    ),
    "too long a tag": (
        lambda b: b.replace(b"<sheetData>", b'<sheetView a="' + b"x" * 400_000 + b'"/><sheetData>'),
        "a tag or comment of more than 262,144 bytes in xl/worksheets/sheet1.xml",
    ),
    "too long a comment": (
        lambda b: b.replace(b"<sheetData>", b"<!--" + b"x" * 400_000 + b"--><sheetData>"),
        "a tag or comment of more than 262,144 bytes",
    ),
    "a cell that takes its text again and again": (
        lambda b: b.replace(b"<v>1<", b"<v>" + b"1" * 20_000 + b"</v><f>1</f><v>" + b"1" * 20_000 + b"<"),
        "more than 32,767",
    ),
    "a cell beyond the last column": (
        lambda b: b.replace(b"</row>", b'<c r="XFE1"/></row>', 1),
        "a cell in column 16,385, which no sheet has",
    ),
    "more areas than a sheet has": (
        lambda b: b.replace(b"</sheetData>", b"</sheetData>" + b'<mergeCell ref="A1:B2"/>' * 100_001),
        "more than 100,000 merged areas",
    ),
    "too long a text": (lambda b: b.replace(b"<v>1<", b"<v>" + b"1" * 33_000 + b"<"), "more than 32,767"),
    "too long a formula": (lambda b: b.replace(b"B2+1", b"+1" * 17_000), "more than 32,767"),
    "cell in the wrong row": (
        lambda b: b.replace(b'r="B2"', b'r="B3"', 1),
        "Sheet: has a cell 'B3' in row 2",
    ),
    "cell twice": (lambda b: b.replace(b'r="B2"', b'r="A2"', 1), "Sheet!A2: has the cell twice"),
    "text that is not there": (
        lambda b: re.sub(rb'(<c r="A2" t=")inlineStr("><)is.*?/is>', rb"\1s\2v>9</v>", b),
        "Sheet!A2: refers to the shared text 9",
    ),
    "tags that cross": (
        lambda b: b.replace(b"</row>", b"</raw>", 1),
        "Sheet: holds broken XML in xl/worksheets/sheet1.xml, line 1, column ",
    ),
    "row that is no number": (
        lambda b: b.replace(b'<row r="2"', b'<row r="two"'),
        "Sheet: is damaged in xl/",
    ),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", BROKEN)
def test_every_reader_has_the_same_guards(
    name: str, reader: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, words = BROKEN[name]
    path = changed(sound, tmp_path / "bad.xlsx", change)
    elements = 200_000 if "areas" in name else 2_000
    monkeypatch.setattr(package_limits, "MOST_ELEMENTS", elements)
    with pytest.raises(Refused, match=rf"^bad\.xlsx, .*{re.escape(words)}"):
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


RENAMED: dict[str, Callable[[str], str]] = {
    "slashes of Windows": lambda name: name.replace("/", "\\"),
    "upper case": str.upper,
    "a slash in front": lambda name: f"/{name}",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("way", RENAMED)
def test_parts_are_found_however_their_names_are_written(
    way: str, reader: str, sound: Path, tmp_path: Path
) -> None:
    path = tmp_path / "renamed.xlsx"
    with zipfile.ZipFile(sound) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(RENAMED[way](name), old.read(name))
    if reader == "audit":  # whatever it tells of the file, it tells of the sound one too
        told = [str(b).lower().replace(" /xl", " xl") for b in audit(path)]
        assert told == [str(b).lower().replace(" /xl", " xl") for b in audit(sound)]
    elif reader == "check":
        assert repr(checked(path)) == repr(checked(sound))
    else:
        write_values(path, tmp_path / "stored.xlsx", {("Sheet", 3, 2): 7.5})
        if way != "upper case":  # the engine does not find those
            open_workbook(path)
        with opened(tmp_path / "stored.xlsx") as package:
            assert b"<v>7.5</v>" in package.read(SHEET)


@pytest.mark.parametrize("reader", READERS)
def test_a_part_that_is_there_twice_is_refused(reader: str, sound: Path, tmp_path: Path) -> None:
    path = changed(sound, tmp_path / "twice.xlsx", lambda b: b + b" ")
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl\\Worksheets\\sheet1.xml", "<x/>")
    with pytest.raises(Refused, match=r"^twice\.xlsx: has the part xl/worksheets/sheet1\.xml twice"):
        READERS[reader](path)


@pytest.mark.parametrize("reader", ["check", "audit"])
def test_an_empty_attribute_is_none(reader: str, sound: Path, tmp_path: Path) -> None:
    def emptied(xml: bytes) -> bytes:
        xml = xml.replace(b'<c r="B2"', b'<c r="B2" s=""').replace(b'<row r="3"', b'<row r="" ht=""')
        return xml.replace(b"<sheetData>", b'<cols><col min="1" max="2" width=""/></cols><sheetData>')

    path = changed(sound, tmp_path / "empty.xlsx", emptied)
    read = READERS[reader](path)
    if reader == "check":
        assert repr(read) == repr(checked(sound))


def test_what_a_file_names_often_counts_each_time(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nine_more(xml: bytes) -> bytes:
        (sheet,) = re.findall(rb"<sheet .*?/>", xml)
        return xml.replace(sheet, sheet + b"".join(sheet.replace(b"Sheet", b"S%d" % i) for i in range(9)))

    path = changed(sound, tmp_path / "many.xlsx", nine_more, BOOK)
    assert audit(path)
    monkeypatch.setattr(package_limits, "MOST_TEXT", 40)
    assert audit(sound)
    with pytest.raises(Refused, match=r"^many\.xlsx, S[0-9]![AB][0-9]: has more than 40 characters of text"):
        audit(path)
