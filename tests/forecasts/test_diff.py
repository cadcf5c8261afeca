"""Two assumptions workbooks: what was edited, and what each edit does."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import small
from command_line import run

import lm_xl
from lm_xl.assumptions.columns import WANTED
from lm_xl.forecasts.sheet_rows import NAMES, lines_of

NEAR = 1e-9
Sheets = dict[str, list[dict[str, Any]]]


def one(rows: list[dict[str, Any]], **where: str) -> dict[str, Any]:
    return next(r for r in rows if all(r.get(k) == v for k, v in where.items()))


def changed_number(sheets: Sheets) -> None:
    one(sheets["Pricing"], quantity="list_price", segment="Other drug")["value"] *= 1.1


def changed_fill(sheets: Sheets) -> None:
    one(sheets["Diagnosis"], quantity="care_access", region="Germany").update(
        {"fill": "constant", "value": 0.6, "2025": None, "2031": None}
    )


def added_row(sheets: Sheets) -> None:
    row = one(sheets["Epidemiology"], quantity="lm_risk", subtype="EGFR lung")
    sheets["Epidemiology"].append({**row, "region": "Germany", "value": 0.2})


def removed_row(sheets: Sheets) -> None:
    sheets["Pricing"].remove(one(sheets["Pricing"], quantity="price_ratio", region="Germany"))


def never_to_number(sheets: Sheets) -> None:
    rows = [
        r
        for r in sheets["Treatment"]
        if r["quantity"] == "base_share" and r["value"] == "never" and r["region"] == "Germany"
    ]
    rows[0]["value"] = 0.4


def no_patent(sheets: Sheets) -> None:
    sheets["Launches"].append(
        {
            **one(sheets["Launches"], quantity="patent_expiry"),
            "region": "US",
            "segment": "Other drug",
            "value": "never",
        }
    )


def changed_delta(sheets: Sheets) -> None:
    sheets["Scenarios"][0]["amount"] = 1.5


def added_delta(sheets: Sheets) -> None:
    last = sheets["Scenarios"][-1]  # adds to the same value, so that the place of the new one counts
    sheets["Scenarios"].insert(2, {**last, "region": "Germany", "operation": "multiply", "amount": 0.9})


def removed_delta(sheets: Sheets) -> None:
    del sheets["Scenarios"][1]


def only_words(sheets: Sheets) -> None:
    one(sheets["Pricing"], quantity="list_price", segment="Other drug").update(note="better", status="expert")


EDITS = {
    changed_number: ("changed", "list_price of Other drug"),
    changed_fill: ("changed", "care_access of Germany"),
    added_row: ("added", "lm_risk of Germany x EGFR lung"),
    removed_row: ("removed", "price_ratio of Germany x Brands"),
    never_to_number: ("changed", "base_share of Germany x Other drug x Other lung"),
    no_patent: ("added", "patent_expiry of US x Other drug"),
    changed_delta: ("changed", "High: lm_risk of Global x HR+ breast"),
    added_delta: ("added", "High: care_access of Germany"),
    removed_delta: ("removed", "High: care_access of US"),
    only_words: ("changed", "list_price of Other drug"),
}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_the_effect_of_one_edit_is_the_difference_of_the_forecasts(
    small_path: Path, tmp_path: Path, edit: Callable[[Sheets], None]
) -> None:
    found = lm_xl.diff(
        small_path, small.workbook(tmp_path / "edited.xlsx", change=edit), "High", 2030, segment="Other drug"
    )
    assert [(e.kind, e.what) for e in found.edits] == [EDITS[edit]]
    assert found.edits[0].effect == pytest.approx(found.total, rel=NEAR)
    assert (found.total == 0) == (edit is only_words)
    forecasts = [lm_xl.forecast(a, "High").revenue("Other drug", 2030) for a in found.assumptions]
    assert [found.before, found.after] == forecasts


def test_effects_and_interaction_sum_to_the_total(small_path: Path, tmp_path: Path) -> None:
    def all_of_them(sheets: Sheets) -> None:
        for edit in EDITS:
            edit(sheets)
        sheets["Pricing"].reverse()
        sheets["Sources"][0]["grade"] = "B"

    found = lm_xl.diff(
        small_path,
        small.workbook(tmp_path / "edited.xlsx", change=all_of_them),
        "High",
        region="US",
        basis="net",
    )
    assert len(found.edits) == len(EDITS)  # two of them edit one row, and a source is one more
    effects = [e.effect for e in found.edits]
    assert found.interaction is not None and found.interaction != 0
    assert sum(x for x in effects if x is not None) + found.interaction == pytest.approx(
        found.total, rel=1e-12
    )
    base = lm_xl.diff(small_path, found.assumptions[1].path, "Base")
    assert all(e.effect == 0 for e in base.edits if e.sheet in ("Scenarios", "Sources"))
    price = found.frame().set_index("what").loc["list_price of Other drug"]
    assert (price["columns"], price["before"], price["after"]) == (
        "value; status; note",
        "9000; placeholder; made up",
        "9900; expert; better",
    )


def test_order_makes_no_difference(small_path: Path, tmp_path: Path) -> None:
    def turned(sheets: Sheets) -> None:
        sheets["Axes"][:] = [*sheets["Axes"][:7][::-1], *sheets["Axes"][7:]]
        for row in sheets["Axes"]:
            row["groups"] = "; ".join(reversed((row.get("groups") or "").split("; ")))
        for name in ("Epidemiology", "Treatment", "Launches"):
            sheets[name].reverse()

    other = small.workbook(tmp_path / "turned.xlsx", change=turned)
    found = lm_xl.diff(small_path, other)
    assert (found.edits, found.total) == ((), pytest.approx(0, abs=NEAR * found.before))
    assert sorted(lines_of(small_path)) == sorted(lines_of(other))
    assert lines_of(small_path)[20:] == lines_of(other)[20:]


def test_groups_that_move_have_an_effect_of_their_own(tmp_path: Path) -> None:
    """A row keyed to a group covers what the group holds: here a subtype leaves it, and an added row makes up for part of it."""

    def keyed_to(labels: tuple[str, ...]) -> Callable[[Sheets], None]:
        def change(sheets: Sheets) -> None:
            for row in sheets["Axes"]:
                if row.get("label") in labels:
                    row["groups"] += "; Young"
            row = one(sheets["Treatment"], quantity="heterogeneity_penalty")
            sheets["Treatment"].append({**row, "subtype": "Young", "value": 0.5})

        return change

    paths = [
        small.workbook(tmp_path / f"{len(labels)}.xlsx", change=keyed_to(labels))
        for labels in (("EGFR lung", "Other lung"), ("EGFR lung",))
    ]
    found = lm_xl.diff(*paths)
    assert [(e.sheet, e.effect) for e in found.edits] == [
        ("Axes", pytest.approx(found.total, rel=NEAR)),
        ("Axes", 0),
    ]
    assert found.total > 0


def test_another_horizon_is_compared_in_a_year_of_both(small_path: Path, tmp_path: Path) -> None:
    found = lm_xl.diff(small_path, small.workbook(tmp_path / "shorter.xlsx", (2, 5, 3, 5)), year=2028)
    effects = {e.what: e.effect for e in found.edits}
    assert effects["last_year of all"] == 0
    assert effects["care_access of Germany"] == pytest.approx(found.total, rel=NEAR) != 0
    assert found.interaction == pytest.approx(0, abs=NEAR * found.before)


def test_other_leaves_leave_the_total_alone(small_path: Path, tmp_path: Path) -> None:
    found = lm_xl.diff(small_path, small.workbook(tmp_path / "three.xlsx", (3, 5, 3, 7)))
    assert found.apart == "the region axis differs in 'France'"
    assert found.interaction is None
    assert found.total != 0
    assert {e.effect for e in found.edits} == {None}
    assert "France" in {e.what.split(", ")[-1] for e in found.edits}


def test_diff_on_the_command_line(
    small_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = small.workbook(tmp_path / "other.xlsx", change=changed_number)
    code, out, _ = run(monkeypatch, capsys, "diff", small_path, other)
    assert code == 0
    assert "list_price of Other drug: value 9000 -> 9900 [TEST]" in out
    assert "interaction" in out
    found = json.loads(
        run(monkeypatch, capsys, "diff", small_path, other, "--format", "json", "--region", "US")[1]
    )
    assert found["edits"][0]["effect"] + found["interaction"] == pytest.approx(found["total"])
    assert len(run(monkeypatch, capsys, "diff", small_path, other, "--format", "csv")[1].splitlines()) == 2
    assert "no difference" in run(monkeypatch, capsys, "diff", small_path, small_path)[1]
    assert (
        "not known"
        in run(
            monkeypatch, capsys, "diff", small_path, small.workbook(tmp_path / "three.xlsx", (3, 5, 3, 7))
        )[1]
    )
    faulty = small.workbook(tmp_path / "faulty.xlsx", change=lambda s: s["Pricing"][0].update(value=-1))
    shorter = small.workbook(tmp_path / "shorter.xlsx", (2, 5, 3, 5))
    for words, hint in (
        (["diff", small_path, faulty], "faulty.xlsx, Pricing!"),
        (["diff", small_path, shorter], "shorter.xlsx: year 2031 is outside the horizon 2025 to 2029"),
        (
            ["diff", small_path, other, "--scenario", "Hihg"],
            f"{small_path.name}: unknown scenario 'Hihg': nearest is 'High'",
        ),
        (
            ["diff", shorter, small_path, "--year", 2031],
            "shorter.xlsx: year 2031 is outside the horizon 2025 to 2029",
        ),
        (["diff", small_path, other, "--scenario", "High 2030"], "unknown scenario 'High 2030'"),
        (["textconv", tmp_path], "not a file"),
    ):
        code, _, err = run(monkeypatch, capsys, *words)
        assert code == 1
        assert hint in err
    assert "value -1" in run(monkeypatch, capsys, "textconv", faulty)[1]
    faulty.write_bytes(b"no workbook")
    assert run(monkeypatch, capsys, "textconv", faulty) == (
        0,
        "is not an .xlsx workbook: save it as .xlsx\n",
        "",
    )
    sourced = small.workbook(tmp_path / "sourced.xlsx", change=only_words)
    lines = run(monkeypatch, capsys, "diff", small_path, sourced)[1].splitlines()
    assert lines[-2:] == ["           0  interaction of the edits", "           0  total"]


def test_git_shows_the_lines_that_changed(small_path: Path, tmp_path: Path) -> None:
    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(tmp_path), *words], capture_output=True, text=True, check=True
        ).stdout

    command = f"{shlex.quote(sys.executable)} -c {shlex.quote('from lm_xl.cli import main; main()')} textconv"
    git("init", "-q")
    git("config", "diff.lm-xl.textconv", command)
    (tmp_path / ".gitattributes").write_text("*.xlsx diff=lm-xl\n")
    book = tmp_path / "book.xlsx"
    book.write_bytes(small_path.read_bytes())
    (tmp_path / "a_junk.xlsx").write_bytes(b"no workbook")
    git("add", ".")
    (tmp_path / "a_junk.xlsx").write_bytes(b"none either")
    small.workbook(book, change=changed_number)
    lines = [
        line
        for line in git("diff", "--unified=0").splitlines()
        if line[0] in "+-" and line[:3] not in ("+++", "---")
    ]
    name = "Pricing, list_price of Other drug: unit USD per month | fill constant | value"
    assert [line.split(" | distribution")[0] for line in lines] == [f"-{name} 9000", f"+{name} 9900"]


def test_every_sheet_has_the_name_of_its_lines() -> None:
    assert set(NAMES) == set(WANTED)


def test_an_edit_names_its_cell_and_its_new_source(small_path: Path, tmp_path: Path) -> None:
    def resourced(sheets: Sheets) -> None:
        changed_number(sheets)
        sheets["Sources"].append({**sheets["Sources"][0], "id": "NEW"})
        one(sheets["Pricing"], quantity="list_price", segment="Other drug")["source"] = "NEW"

    path = small.workbook(tmp_path / "edited.xlsx", change=resourced)
    edit = next(e for e in lm_xl.diff(small_path, path).edits if e.sheet == "Pricing")
    assert openpyxl.load_workbook(path)["Pricing"][edit.cell].value == pytest.approx(9900)
    assert (edit.source, edit.columns) == ("NEW", ("value", "source"))


def test_what_a_spreadsheet_does_not_hold_is_no_difference(small_path: Path, tmp_path: Path) -> None:
    """LibreOffice saves 15 digits of a number where Excel saves 17: neither the fingerprint nor any row is another."""
    book, changed = openpyxl.load_workbook(small_path), 0
    for sheet in book:
        for cell in (c for r in sheet.iter_rows(min_row=6) for c in r if isinstance(c.value, float)):
            digits = float(f"{cell.value:.15g}")
            changed += digits != cell.value
            cell.value = digits
    assert changed > 5
    book.save(tmp_path / "saved.xlsx")
    found = lm_xl.diff(small_path, tmp_path / "saved.xlsx")
    assert found.edits == ()
    assert (
        len({a.fingerprint for a in found.assumptions})
        == len({a.uncertainty for a in found.assumptions})
        == 1
    )
    assert lines_of(small_path) == lines_of(tmp_path / "saved.xlsx")


def test_the_last_digit_that_a_spreadsheet_holds_is_a_difference(small_path: Path, tmp_path: Path) -> None:
    def nudged(sheets: Sheets) -> None:
        row = one(sheets["Pricing"], quantity="list_price", segment="Other drug")
        row["value"] = float(f"{row['value']:.14e}") * (1 + 1e-13)

    found = lm_xl.diff(small_path, small.workbook(tmp_path / "nudged.xlsx", change=nudged))
    assert [edit.columns for edit in found.edits] == [("value",)]
    assert found.assumptions[0].fingerprint != found.assumptions[1].fingerprint
