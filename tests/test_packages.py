"""The comparison of packages sees what a reader could see, and nothing that depends on the processor."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from packages import differing

SHEET = '<c r="A1"><f>SUM(B1:B9)</f><v>1234.5678901234567</v></c><c r="A2" t="str"><v>all pass</v></c><c r="A3"><v>2.5e-13</v></c>'


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        ("1234.5678901234567", "1234.567890123457", False),
        ("2.5e-13", "-1.7e-12", False),
        ("1234.5678901234567", "1234.5689", True),
        ("2.5e-13", "0.0025", True),
        ("all pass", "FAILED", True),
        ("SUM(B1:B9)", "SUM(B1:B8)", True),
        ("1234.5678901234567", "n/a", True),
    ],
)
def test_only_what_a_reader_could_see_differs(old: str, new: str, seen: bool, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.xlsx", "other.xlsx")]
    for path, xml in zip(paths, (SHEET, SHEET.replace(old, new)), strict=True):
        with zipfile.ZipFile(path, "w") as package:
            package.writestr("xl/worksheets/sheet1.xml", xml)
    assert (differing(*paths) == ["xl/worksheets/sheet1.xml"]) == seen
