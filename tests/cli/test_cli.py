"""The command line: what it prints, its exit codes, and that no refusal is a traceback."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from math import exp, log
from pathlib import Path
from statistics import NormalDist
from typing import Any

import openpyxl
import pandas as pd
import pytest
import small
from command_line import run

import lm_xl


def test_check_tells_what_is_odd(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(monkeypatch, capsys, "check")
    assert code == 0
    assert re.search(
        r"rests on rows that are [\d.]+% sourced, [\d.]+% derived, [\d.]+% expert, 0.0% placeholder; 0 of the first 25 inputs",
        out,
    )
    assert "235 sources, all cited; 14 published figures" in out
    assert "Slow regulators" in out and "lowers it" in out and "PROMISES" not in out


def test_ends_that_no_draws_have_are_refused_where_ends_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lognormal with the mean 9,000: sigma from the ratio of 30,000 to 8,000."""

    def far(sheets: dict[str, list[dict[str, Any]]]) -> None:
        for row in sheets["Pricing"]:
            if row["quantity"] == "list_price":
                row.update(distribution="lognormal", low=8000, high=30_000)

    def and_another(sheets: dict[str, list[dict[str, Any]]]) -> None:
        far(sheets)
        sheets["Diagnosis"][0]["status"] = "guessed"

    path = small.workbook(tmp_path / "far.xlsx", change=far)
    sigma = log(30 / 8) / (2 * NormalDist().inv_cdf(0.9))
    p10, p90 = (9000 * exp(side * NormalDist().inv_cdf(0.9) * sigma - sigma**2 / 2) for side in (-1, 1))
    told = (
        "far.xlsx, Pricing!O6: low 8000 and high 30000 of list_price (Old drug) are no P10 and P90 that 'lognormal' can have around the value"
        f" 9000: draws, which keep the value as the mean, have {p10:.0f} and {p90 / 10:.0f}0"
    )
    monkeypatch.chdir(tmp_path)
    for command in ("check", "simulate", "tornado", "build"):
        code, _, err = run(monkeypatch, capsys, command, path)
        assert (code, err.count(told), err.count("are no P10 and P90")) == (1, 1, 5), (command, err)
    a = lm_xl.read_assumptions(path)
    asks: list[Callable[[lm_xl.Assumptions], object]]
    asks = [lm_xl.tornado, lm_xl.simulate, lambda a: lm_xl.build(a, "out.xlsx")]
    for ask in asks:
        with pytest.raises(lm_xl.Refused) as refused:
            ask(a)
        assert [f.cell for f in refused.value.faults] == [f"O{row}" for row in range(6, 11)]
    for words in (["forecast", path], ["compare", "Base", "High", path], ["bridge", path, "--from", 2025]):
        assert run(monkeypatch, capsys, *words)[0] == 0, words
    both = small.workbook(tmp_path / "both.xlsx", change=and_another)
    code, _, err = run(monkeypatch, capsys, "check", both)
    assert code == 1 and "'guessed'" in err and told.replace("far", "both") in err


def test_check_tells_which_results_lie_outside_their_bands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run(monkeypatch, capsys, "check")
    assert re.search(r"diagnosed of Global x All cancers 2025: 72,831, band 45,000 to 140,000: inside\n", out)
    assert re.search(r"diagnosed_share of US x Breast 2025: 36\.7%, band 38\.0% to 46\.0%: OUTSIDE\n", out)
    assert re.search(r"suspected_per_diagnosed .* in 16 regions, band 2\.20 to 3\.40: inside\n", out)

    def planted(sheets: dict[str, list[dict[str, Any]]]) -> None:
        suspects, share, *_ = sheets["Bands"]
        share.update(subtype="Skin")
        low, high = sorted(
            plain.patients(region, 2025, "suspected") / plain.patients(region, 2025)
            for region in ("US", "Germany")
        )
        suspects.update(low=low - 1, high=(low + high) / 2)

    plain = lm_xl.forecast(lm_xl.read_assumptions(small.workbook(tmp_path / "plain.xlsx", (2, 5, 4, 7))))
    code, out, _ = run(
        monkeypatch, capsys, "check", small.workbook(tmp_path / "planted.xlsx", (2, 5, 4, 7), change=planted)
    )
    assert code == 0
    assert re.search(
        r"diagnosed_share of Global x Skin 2025: [\d.]+%, band 99\.0% to 100\.0%: OUTSIDE\n", out
    )
    assert re.search(r"suspected_per_diagnosed .* in 2 regions, .*: OUTSIDE in (US|Germany) [\d.]+\n", out)


def test_a_workbook_without_bands_is_read(
    tmp_path: Path, small_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    book = openpyxl.load_workbook(small_path)
    del book["Bands"]
    book.save(tmp_path / "without.xlsx")
    code, out, _ = run(monkeypatch, capsys, "check", tmp_path / "without.xlsx")
    assert (code, "plausible" in out) == (0, False)


def test_new_check_build_verify(
    tmp_path: Path, small_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(monkeypatch, capsys, "check", small_path)
    assert code == 0
    assert "no faults" in out
    assert "nothing moves the headline" in out and " 0 expert, " in out
    code, out, _ = run(monkeypatch, capsys, "build", small_path, "--draws", 512)
    assert code == 0
    assert "lm_forecast.xlsx" in out
    code, _, err = run(monkeypatch, capsys, "build", small_path)
    assert code == 1
    assert "--force" in err
    assert run(monkeypatch, capsys, "build", small_path, "--force", "--draws", 512)[0] == 0
    code, out, _ = run(monkeypatch, capsys, "verify", "lm_forecast.xlsx")
    assert code == 0
    assert "every input changed" in out
    book = openpyxl.load_workbook("lm_forecast.xlsx")
    book["Calc_Sales"]["H7"] = 1
    book.save("planted.xlsx")
    code, _, err = run(monkeypatch, capsys, "verify", "planted.xlsx")
    assert code == 3
    assert "planted.xlsx, Calc_Sales!H7: holds 1.0, no formula" in err


ODD_YEARS = (
    "",
    "2025",
    "2025-2025",
    "0-50",
    "99999-100000",
    "1899-1950",
    "2050-2101",
    "1950-2050",
    "2025-2035 ",
)


@pytest.mark.parametrize(
    ("option", "typed", "words"),
    [
        ("--region", "U\x01S", "Axes!B7: the label 'U\\x01S' holds an invisible or odd blank character"),
        ("--region", "us", "Axes!B7: 'us' is there already, in B6"),
        ("--region", "Global", "Axes!B7: 'Global' is both a region and a group"),
        ("--region", "", "Axes!B7: blank where the label of a region is due"),
        ("--therapy", "Pill\x7f:Pills:entrant", "the label 'Pill\\x7f' holds an invisible"),
        ("--therapy", "Pill:Pi\x00lls:rest", "the label 'Pi\\x00lls' holds an invisible"),
        ("--therapy", "Other:Pills:rest", "the set 'Pills' has 2 rest members"),
        ("--test", "lm_risk", "the label 'lm_risk' is the name of a quantity"),
        ("--subtype", "=A1:Lung", "the label '=A1' may not begin with"),
    ],
)
def test_labels_of_a_new_workbook_are_refused_as_those_of_any(
    option: str,
    typed: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    axes = ["--region", "US", "--therapy", "Drug:Pills:rest", "--test", "Scan", "--subtype", "EGFR:Lung"]
    code, _, err = run(monkeypatch, capsys, "new", tmp_path / "form.xlsx", *axes, option, typed)
    assert code == 1, err
    assert f"form.xlsx, {words}" in err or words in err
    assert not list(tmp_path.iterdir())


def test_blanks_around_a_label_are_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also those that no spreadsheet can hold."""
    axes = ["--therapy", " Drug\x1f:Pills :rest", "--test", "Scan", "--subtype", "EGFR: Lung"]
    assert run(monkeypatch, capsys, "new", tmp_path / "form.xlsx", "--region", "\x1cUS\t", *axes)[0] == 0
    labels = [
        r[1]
        for r in openpyxl.load_workbook(tmp_path / "form.xlsx")["Axes"].iter_rows(min_row=6, values_only=True)
    ]
    assert labels[:4] == ["US", "Drug", "Scan", "EGFR"]


def test_a_new_workbook_is_a_form(
    tmp_path: Path, small_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    form = tmp_path / "form.xlsx"
    axes = [
        "--region",
        "US",
        "--therapy",
        "Pill:Pills:rest",
        "--test",
        "Scan",
        "--subtype",
        "EGFR:Lung",
        "--years",
        "2024-2040",
    ]
    assert run(monkeypatch, capsys, "new", form, *axes)[0] == 0
    code, _, err = run(monkeypatch, capsys, "check", form)
    assert code == 1
    assert "blank where a number is due" in err
    assert "Traceback" not in err
    assert run(monkeypatch, capsys, "new", tmp_path / "same.xlsx", "--axes-of", small_path)[0] == 0
    for words, hint in (
        (["new", form], "--region"),
        (["new", form, *axes[:-1], "2040-2024"], "2025-2035"),
        (["new", form, *axes[:3], "Pill:rest", *axes[4:]], "LABEL:SET:ROLE"),
        *((["new", form, *axes[:-1], years], "1900 to 2100, over 2 to 100 years") for years in ODD_YEARS),
    ):
        code, _, err = run(monkeypatch, capsys, *words)
        assert code == 2
        assert hint in err


def test_forecast_in_every_format(
    tmp_path: Path, small_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    f = lm_xl.forecast(lm_xl.read_assumptions(small_path))
    words = ["forecast", small_path, "--metric", "patients", "--by", "region,year", "--stage", "treated"]
    _, out, _ = run(monkeypatch, capsys, *words, "--format", "json")
    rows = json.loads(out)
    assert len(rows) == 14
    assert rows[0] == {
        "scenario": "Base",
        "region": "US",
        "year": 2025,
        "metric": "treated",
        "unit": "patients",
        "value": f.patients("US", 2025, "treated"),
    }
    _, out, _ = run(monkeypatch, capsys, *words, "--format", "csv")
    assert out.splitlines()[0] == "scenario,region,year,metric,unit,value"
    assert float(out.splitlines()[1].split(",")[-1]) == f.patients("US", 2025, "treated")
    _, out, _ = run(monkeypatch, capsys, "forecast", small_path, "--by", "segment,year", "--scenario", "High")
    assert "USD million" in out
    assert "New drug" in out
    assert "High" in out
    parquet = tmp_path / "f.parquet"
    assert (
        run(
            monkeypatch,
            capsys,
            "forecast",
            small_path,
            "--by",
            "region,segment,subtype,year",
            "--format",
            "parquet",
            "-o",
            parquet,
        )[0]
        == 0
    )
    assert pd.read_parquet(parquet)["value"].sum() == pytest.approx(
        f.series("risk_adjusted_sales", segment="Therapeutics").sum(), rel=1e-12
    )


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["forecast", "--by", "regin"], 2, "'region'"),
        (["forecast", "--by", "year,year"], 2, "once"),
        (["forecast", "--metric", "patients", "--by", "segment"], 2, "no segment"),
        (["forecast", "--format", "parquet"], 2, "-o FILE"),
        (["forecast", "--scenario", "Hihg"], 1, "'High'"),
        (["check", "nowhere.xlsx"], 1, "no such file"),
        (["verify", "nowhere.xlsx"], 1, "no such file"),
        (["build", "-o", "none/a.xlsx"], 1, "no folder"),
        (["buidl"], 2, "No such command"),
        (["compare", "Base", "High", "--scenario", "Hihg"], 2, "scenario 'Hihg' has no effect"),
        (["compare", "Base", "\u00b2"], 1, "unknown scenario '\u00b2'"),
        (
            ["bridge", "--scenario", "Hihg", "--from", "Base", "--to", "High"],
            2,
            "scenario 'Hihg' has no effect",
        ),
        (["bridge", "--year", "1999"], 2, "year 1999 has no effect: 2025 and 2035 each name a year"),
        (["bridge", "--stage", "treated"], 2, "--metric patients"),
        (
            ["compare", "Base", "High", "--metric", "patients", "--basis", "risk_adjusted"],
            2,
            "--metric revenue",
        ),
        (["forecast", "--stage", "diagnosed"], 2, "--metric patients"),
        (["forecast", "--force"], 2, "-o FILE"),
        (["forecast", "-o", "f.csv"], 2, "--format csv"),
        (["forecast", "-o", "f.XLSX", "--format", "json"], 2, "f.XLSX"),
        (["tornado", "--stage", "treated"], 2, "--metric patients"),
        (["tornado", "--scenario", "High 2030", "--year", "2035"], 1, "unknown scenario 'High 2030'"),
        (["tornado", "--scenario", "2030"], 1, "unknown scenario '2030'"),
        (["tornado", "--scenario", ""], 1, "unknown scenario ''"),
        (["tornado", "--top", "3", "--format", "csv"], 2, "--top"),
        (["simulate", "--scenario", ""], 1, "unknown scenario ''"),
        (["simulate", "--force"], 2, "-o FILE"),
        (["simulate", "--workers", "2", "--scheduler", "tcp://nowhere:1"], 2, "--workers"),
        (["forecast", "--scenario", "Base", "--scenario", "base"], 2, "give each scenario once"),
        (["new", "f.xlsx", "--axes-of", "g.xlsx", "--years", "2025-2030"], 2, "--years"),
    ],
)
def test_mistakes_are_told_in_a_line(
    words: list[str],
    code: int,
    hint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    got, _, err = run(monkeypatch, capsys, *words)
    assert got == code
    assert hint in err
    assert "Traceback" not in err


def test_no_command_writes_over_what_it_reads(
    tmp_path: Path, small_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, link = tmp_path / "mine.xlsx", tmp_path / "link.xlsx"
    source.write_bytes(small_path.read_bytes())
    link.symlink_to(source)
    plain = source.rename(tmp_path / "mine.csv")
    source.symlink_to(plain)
    for words in (
        ("build", source, "-o", link),
        ("template", source, "--lite", "-o", link),
        ("forecast", plain, "--format", "csv", "-o", plain),
        ("simulate", plain, "--draws", 10, "-o", plain),
        ("new", source, "--axes-of", source),
    ):
        code, _, err = run(monkeypatch, capsys, *words, "--force")
        assert (code, "is what is read: give another name" in err) == (1, True), (words, err)
    (tmp_path / "revenue.csv").symlink_to(plain)
    assert run(monkeypatch, capsys, "data", plain, "-o", tmp_path, "--force")[0] == 1
    assert plain.read_bytes() == small_path.read_bytes()


def test_a_name_that_says_another_format_is_refused(
    tmp_path: Path, small_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("out.xls", "out.npz", "out"):
        code, _, err = run(monkeypatch, capsys, "build", small_path, "-o", name)
        assert (code, f"{name}: the file ends in .xlsx" in err) == (2, True)
        code, _, err = run(monkeypatch, capsys, "new", name, "--axes-of", small_path)
        assert (code, f"{name}: the file ends in .xlsx" in err) == (2, True)
        code, _, err = run(monkeypatch, capsys, "template", small_path, "-o", name)
        assert (code, f"{name}: the file ends in .xlsm" in err) == (2, True)
    code, _, err = run(monkeypatch, capsys, "simulate", small_path, "-o", "s.txt")
    assert (code, err) == (2, "s.txt: the file ends in .npz or .csv\n")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"ends in \.npz"):
        lm_xl.simulate(lm_xl.read_assumptions(small_path), 10).save("out.xlsx")


def test_a_workbook_under_another_name_is_read(
    tmp_path: Path, small_built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my.xls"
    path.write_bytes(small_built.read_bytes())
    for command in ("check", "verify", "audit", "textconv"):
        assert (
            run(monkeypatch, capsys, command, path)[0] == run(monkeypatch, capsys, command, small_built)[0]
        ), command
    assert run(monkeypatch, capsys, "recalc", path)[0] == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize(
    ("command", "step"),
    [("build", "lm_xl.workbook.build.forecast"), ("simulate", "lm_xl.uncertainty.simulate.simulate")],
)
def test_a_command_that_is_stopped_leaves_nothing_behind(
    command: str,
    step: str,
    number: signal.Signals,
    code: int,
    tmp_path: Path,
    small_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[Path] = []

    def stop(*_: object, **__: object) -> None:
        seen.extend(tmp_path.iterdir())
        os.kill(os.getpid(), number)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(step, stop)
    try:
        out = tmp_path / ("f.xlsx" if command == "build" else "f.npz")
        assert run(monkeypatch, capsys, command, small_path, "-o", out) == (code, "", "interrupted\n")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert len(seen) == 1  # its draft
    assert not list(tmp_path.iterdir())


def test_companies_and_products(
    small_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ask = ["forecast", small_path, "--by", "company,segment", "--format", "csv"]
    code, out, _ = run(monkeypatch, capsys, *ask)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "scenario,company,segment,metric,unit,value"
    assert lines[1].startswith("Base,Acme,Old drug,risk_adjusted_sales,USD,")
    assert lines[2].startswith("Base,Acme; Zenith,Old drug,")
    code, out, _ = run(monkeypatch, capsys, "products", small_path)
    assert code == 0
    assert re.search(
        r"Younger pill +Acme; Zenith +Old drug +unknown +Phase 2 +NCT00000001; NCT00000002 .* 70%", out
    )
    file = tmp_path / "products.json"
    assert run(monkeypatch, capsys, "products", small_path, "--format", "json", "-o", file)[0] == 0
    assert json.loads(file.read_text())[1]["source"] == "TEST"
    code, _, err = run(monkeypatch, capsys, "forecast", small_path, "--by", "company", "--metric", "patients")
    assert (code, "patients do not vary by company or product" in err) == (2, True)
