"""The smallest market there may be, one without any revenue, and sheets without a row: each is built, live, static and by functions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small
from click.testing import CliRunner

import lm_xl
from lm_xl.cli.app import cli
from lm_xl.model.axes import Axes
from lm_xl.workbook.build import new
from lm_xl.workbook.form import axes_of

Sheets = dict[str, list[dict[str, Any]]]
ONE = [("Old drug", "Pill set", "rest"), ("Scan", "", "test")]
ENTRANT = [ONE[0], ("New drug", "Pill set", "entrant"), ONE[1]]
MAY_BE_EMPTY = ("Published", "Bands", "Scenarios", "Correlations")


def axes(segments: list[tuple[str, str, str]]) -> Axes:
    """One region, one subtype, two years."""
    return axes_of(["US"], segments, [("Skin", "Melanoma")], [2025, 2026], ("Base", "High"))


def sheets_of(a: Axes) -> Sheets:
    sheets = small.records(a)
    sheets["Published"][0].update(value=1e8, segment=a.headline)
    sheets["Sources"][0]["read"] = "yes"
    return sheets


def one_of_each(path: Path) -> None:
    new(path, a := axes(ONE), sheets_of(a))


def one_entrant_and_empty_sheets(path: Path) -> None:
    new(path, a := axes(ENTRANT), {**sheets_of(a), **{sheet: [] for sheet in MAY_BE_EMPTY}})


def no_revenue(path: Path) -> None:
    def nothing(sheets: Sheets) -> None:
        for row in sheets["Diagnosis"]:
            row["value"] = 0 if row["quantity"] == "test_use" else row["value"]
        sheets["Sources"][0]["read"] = "yes"

    small.workbook(path, (2, 5, 3, 3), nothing)


COMMANDS = (
    "check {a}", "forecast {a}", "forecast {a} --by company", "compare Base High {a}", "compare 2025 2026 {a}", "bridge {a}",
    "bridge {a} --from Base --to High", "tornado {a}", "diff {a} {a}", "simulate {a} --draws 600 --workers 1", "products {a}",
    "data {a} -o {d}/data", "textconv {a}", "build {a} -o {d}/live.xlsx --draws 600", "build {a} -o {d}/static.xlsx --static --draws 600",
    "template {a} -o {d}/t.xlsm", "template {a} --lite -o {d}/t.xlsx", "verify {d}/live.xlsx",
)  # fmt: skip


@pytest.mark.parametrize("make", [one_of_each, one_entrant_and_empty_sheets, no_revenue])
def test_every_command_takes_it(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(path := tmp_path / "small.xlsx")
    for command in COMMANDS:
        words = command.format(a=path, d=tmp_path).split()
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, (command, done.output[-2000:], repr(done.exception))


@pytest.mark.parametrize(
    ("segments", "words"),
    [(ONE[:1], "no segment is a test: add one with the role 'test'"), (ONE[1:], "no segment is a therapy")],
)
def test_a_market_needs_a_test_and_a_therapy(
    tmp_path: Path, segments: list[tuple[str, str, str]], words: str
) -> None:
    new(tmp_path / "a.xlsx", a := axes(segments), sheets_of(a))
    with pytest.raises(lm_xl.Refused, match=words):
        lm_xl.read_assumptions(tmp_path / "a.xlsx")


def test_the_total_of_a_single_leaf_is_no_set() -> None:
    a = axes(ONE[:1])
    assert [x.total for x in (a.region, a.segment, a.subtype)] == ["Global", "Total market", "All cancers"]
