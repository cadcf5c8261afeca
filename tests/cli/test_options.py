"""Options: how they reach a command, what is refused, and what is said where a package is missing."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner
from command_line import run

from lm_xl.cli import cli, options

MOST_PARAMETERS = 7


class Pair(NamedTuple):
    """Two options."""

    left: str
    right: int


def test_options_that_travel_together_reach_a_command_as_one_record() -> None:
    seen = []

    @click.command()
    @click.argument("file")
    @options.together(
        "pair",
        Pair,
        click.option("--left"),
        click.option("--between", is_flag=True),
        click.option("--right", type=int),
    )
    @options.force()
    def command(file: str, pair: Pair, between: bool, force: bool) -> None:
        seen.append((file, pair, between, force))

    assert [p.name for p in command.params] == ["file", "left", "between", "right", "force"]
    got = CliRunner().invoke(command, ["f", "--right", "2", "--left", "1", "--force"])
    assert (got.exit_code, seen) == (0, [("f", Pair("1", 2), False, True)])


def test_no_command_takes_many_parameters() -> None:
    commands = dict(cli.commands)
    commands |= {f"addin {name}": c for name, c in commands["addin"].commands.items()}  # type: ignore[attr-defined]
    assert len(commands) > 15
    for name, command in commands.items():
        assert command.callback is not None
        taken = inspect.signature(inspect.unwrap(command.callback)).parameters
        assert len(taken) <= MOST_PARAMETERS, name


@pytest.mark.parametrize("years", ["²-2030", "2030-²", "2025", "2035-2025", "a-b"])
def test_years_are_numbers(
    years: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    axes = ["--region", "US", "--therapy", "Pill:Pills:rest", "--test", "Scan", "--subtype", "EGFR:Lung"]
    code, _, err = run(monkeypatch, capsys, "new", tmp_path / "n.xlsx", *axes, "--years", years)
    assert code == 2 and f"--years {years!r}: type the first and the last year" in err


@pytest.mark.parametrize(
    ("package", "words", "hint"),
    [
        ("pyarrow", ["forecast", "--format", "parquet", "-o", "f.parquet"], "lm-xl[parquet]"),
        ("pyarrow", ["data"], "lm-xl[parquet]"),
        ("distributed", ["simulate", "--scheduler", "tcp://127.0.0.1:1"], "lm-xl[dask]"),
    ],
)
def test_a_package_that_is_missing_is_named(
    package: str, words: list[str], hint: str, tmp_path: Path
) -> None:
    """In a process of its own: pandas, once it has found pyarrow, does not do without."""
    code = f"import sys; sys.modules[{package!r}] = None; from lm_xl.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.endswith(f'pip install "{hint}"\n')
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
