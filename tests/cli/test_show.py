"""What commands print of a result: labels as they are, whole lines, and what a summary must not leave out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import small
from command_line import run

import lm_xl
from lm_xl.cli import show, text
from lm_xl.cli.summary import summarise
from lm_xl.cli.terminal import exit_code, verdict_on
from lm_xl.faults import EngineMissing, Fault, Refused, WrongUsage
from lm_xl.model.labels import first_of_several


def relabelled(path: Path, change: Callable[[str], str]) -> Path:
    """A small workbook whose texts are changed."""
    book = openpyxl.load_workbook(small.workbook(path))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str):
                    cell.value = change(cell.value)
    book.save(path)
    return path


def test_brackets_and_colons_of_labels_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"High": "High [low] :cat:", "US": "US [/all]"}
    path = relabelled(tmp_path / "marked.xlsx", lambda word: names.get(word, word))
    code, out, err = run(monkeypatch, capsys, "compare", "Base", names["High"], path)
    assert (code, err) == (0, "") and "High [low] :cat: 2031" in out and "US [/all]" in out
    words = ["bridge", path, "--from", "Base", "--to", names["High"], "--region", names["US"]]
    code, out, err = run(monkeypatch, capsys, *words)
    assert (code, err) == (0, "") and "of US [/all]" in out and "High [low] :cat: 2031" in out


def test_no_line_of_a_table_is_broken() -> None:
    words = ["日本" * 40, "x" * 300]
    shown = text.table("title", ["label", "more"], ["number"], [[*words, "1"]])
    assert any(all(word in line for word in (*words, "1")) for line in shown.splitlines())


def test_a_simulation_shows_each_year_once_and_whole(tmp_path: Path) -> None:
    """Although the totals of all axes have one name, and the numbers many digits."""
    path = relabelled(
        tmp_path / "all.xlsx", lambda word: re.sub("Global|All cancers|Total market", "All", word)
    )
    result = lm_xl.simulate(lm_xl.read_assumptions(path), 10)
    result = replace(result, mean=result.mean * 1e9, percentiles=result.percentiles * 1e9)
    lines = show.simulation(result).splitlines()
    years = [line.split() for line in lines if line.startswith(" 20")]
    assert [year for year, *_ in years] == [str(year) for year in result.axes.years]
    assert {len(cells) for cells in years} == {11}
    assert all(re.fullmatch(r"[\d,]+\.\d|n/a", cell) for _, *cells in years for cell in cells)


def test_check_tells_of_unused_rows_behind_those_that_say_never(tmp_path: Path) -> None:
    def covered(sheets: dict[str, list[dict[str, Any]]]) -> None:
        rows = sheets["Pricing"]
        rows += [{**row, "region": "US"} for row in rows if row["region"] == "Global"]

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "covered.xlsx", (3, 5, 3, 7), covered))
    unused = [row for i, row in enumerate(a.rows) if i not in a.used()]
    assert sum(not row.inputs for row in unused[:5]) > 2
    found = summarise(a)
    assert found.idle == tuple(row for row in unused if row.inputs)
    assert show.summary(found).count("is never used") == min(5, len(found.idle)) > 2


def test_numbers_as_text() -> None:
    money, patients = text.scale_of("USD"), text.scale_of("patients")
    assert (money.amount(1_234_560_000), patients.amount(1234.5)) == ("1,234.6", "1,234")
    assert [patients.signed(x) for x in (0, 0.0004, -0.0004, 1234.5, -2)] == [
        "0", "0.000", "0.000", "+1,234.500", "-2.000",
    ]  # fmt: skip
    assert [text.percent(x) for x in (nan, 0.1234, -1)] == ["n/a", "+12.3%", "-100.0%"]
    assert first_of_several("abcdefg") == "a, b, c, d, e and 2 more"
    assert json.loads(text.as_json({"a": [nan, 1.5, {"b": nan}]})) == {"a": [None, 1.5, {"b": None}]}


@pytest.mark.parametrize(
    ("error", "code", "verdict"),
    [
        (Refused([Fault("f", "", "", "is wrong")]), 1, "refused: 1 fault"),
        (Refused([Fault("f", "", "", str(i)) for i in range(300)]), 1, "refused: 300 faults, 200 of them shown"),
        (lm_xl.UnknownLabel("unknown region"), 1, "unknown region"),
        (WrongUsage("no effect"), 2, "no effect"),
        (lm_xl.IdentityError("does not add up"), 3, "does not add up"),
        (EngineMissing("not installed"), 4, "not installed"),
        (FileNotFoundError(2, "No such file", "f.xlsx"), 1, "f.xlsx: No such file"),
    ],
)  # fmt: skip
def test_every_error_that_a_user_meets_has_its_words_and_its_exit_code(
    error: Exception, code: int, verdict: str
) -> None:
    assert (exit_code(error), verdict_on(error)) == (code, verdict)
