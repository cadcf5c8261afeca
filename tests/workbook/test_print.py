"""What comes out of a printer: results in readable text, the sheets behind them not at all."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest

from lm_xl.workbook.pages.pen import parts_of


@pytest.mark.parametrize(
    ("wide", "parts"),
    [
        ([10, 10, 5, 5], [(1, 4)]),
        ([10, 10, 5, 5, 5, 5], [(1, 4), (5, 6)]),
        ([10, 10, 15, 5, 5, 5], [(1, 2), (3, 4), (5, 6)]),
        ([10, 40, 40], [(1, 2), (3, 3)]),
    ],
)
def test_a_wide_sheet_is_cut_between_columns(wide: list[float], parts: list[tuple[int, int]]) -> None:
    assert parts_of(wide, 1, 30) == parts


def test_the_front_is_printed_whole_and_what_is_behind_the_divider_not_at_all(small_built: Path) -> None:
    sheets = openpyxl.load_workbook(small_built).worksheets
    divider = [ws.title for ws in sheets].index("Contents")
    for ws in sheets[:divider]:
        numbers = [
            re.findall(r"\$(\d+)", area)
            for area in re.findall(r"\$A\$\d+:\$[A-Z]+\$\d+", ws.print_area or "")
        ]
        ends = [(int(top), int(end)) for top, end in numbers]
        assert [top for top, _ in ends] == [1, *(end + 1 for _, end in ends[:-1])][: len(ends)], ws.title
        # a chart may stand below the last cell
        assert not ends or ends[-1][1] >= ws.max_row
    behind = {ws.print_area.rpartition("!")[2] for ws in sheets[divider:]}
    assert len(behind) == 1 and re.fullmatch(r"\$([A-Z]+)\$(\d+):?(\$\1\$\2)?", behind.pop())


@pytest.mark.slow
@pytest.mark.libreoffice
def test_libreoffice_prints_the_front_alone_on_a4(deliverable: Path, tmp_path: Path) -> None:
    office = shutil.which("soffice") or "soffice"
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [
        office,
        "--headless",
        profile,
        "--convert-to",
        "pdf",
        "--outdir",
        str(tmp_path),
        str(deliverable),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=900)
    pdf = (tmp_path / deliverable.with_suffix(".pdf").name).read_bytes()
    boxes = {
        tuple(round(float(x)) for x in box.split()) for box in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", pdf)
    }
    assert boxes == {(0, 0, 842, 595)}, "A4 in landscape, in points"
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pages <= 30, "a page or two for each tab of the front, and nothing from behind it"
