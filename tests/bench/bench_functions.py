"""The benchmark of the Excel functions: what a call costs, and what each host adds to it. Writes docs/benchmark_functions.md.

python -m pytest tests/bench/bench_functions.py --benchmark-enable --benchmark-only
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import formualizer
import pytest
from grids import grids
from pytest_benchmark.fixture import BenchmarkFixture

import lm_xl
from lm_xl.functions import handles, headless, lite, plain
from lm_xl.functions.answers import call
from lm_xl.functions.models import STORE
from lm_xl.functions.registry import FUNCTIONS

PAGE = Path(__file__).parents[2] / "docs" / "benchmark_functions.md"
MEDIAN: dict[str, float] = {}
CELLS = 2000


def timed(
    benchmark: BenchmarkFixture,
    name: str,
    work: Callable[[], Any],
    *,
    times: int = 1,
    rounds: int = 30,
    setup: Any = None,
) -> None:
    """The median time of one of `times` runs of some work."""
    every = work if times == 1 else lambda: [work() for _ in range(times)]
    benchmark.pedantic(every, setup=setup, rounds=rounds, warmup_rounds=2 if setup is None else 0)
    MEDIAN[name] = benchmark.stats.stats.median / times


@pytest.fixture(scope="module", autouse=True)
def page() -> Iterator[None]:
    yield
    PAGE.write_text(report(), encoding="utf-8")


@pytest.fixture(scope="module")
def tables(shipped: lm_xl.Assumptions) -> list[Any]:
    return list(grids(shipped).values())


@pytest.fixture(scope="module")
def handle(tables: list[Any]) -> str:
    return str(call("LM_MODEL", tables))


def test_scalar(benchmark: BenchmarkFixture, handle: str) -> None:
    arguments = ["Europe", 2030, handle]
    timed(benchmark, "cached scalar", lambda: call("LM_PATIENTS", arguments), times=1000)


def test_first_scalar(benchmark: BenchmarkFixture, handle: str) -> None:
    model = STORE.get(handle)
    assert model is not None

    def first() -> None:
        model.answers.clear()
        call("LM_PATIENTS", ["Europe", 2030, handle])

    timed(benchmark, "first scalar", first, times=200)


def test_block(benchmark: BenchmarkFixture, shipped: lm_xl.Assumptions, handle: str) -> None:
    arguments = [[[r] for r in shipped.axes.region.leaves], [[float(y) for y in shipped.axes.years]], handle]
    timed(benchmark, "block", lambda: call("LM_PATIENTS", arguments), times=200)


def test_model(benchmark: BenchmarkFixture, tables: list[Any]) -> None:
    def forget() -> None:
        handles._OUTCOMES.clear()

    timed(benchmark, "model", lambda: call("LM_MODEL", tables), rounds=15, setup=forget)


def test_known_model(benchmark: BenchmarkFixture, tables: list[Any]) -> None:
    timed(benchmark, "known model", lambda: call("LM_MODEL", tables))


def sheet(name: str, callback: Callable[..., Any], handle: str, shipped: lm_xl.Assumptions) -> Any:
    """A sheet of 2,000 calls whose model is one cell."""
    workbook = formualizer.Workbook()
    workbook.add_sheet("S")
    workbook.register_function(name, callback)
    workbook.set_value("S", 1, 1, handle)
    labels, years = shipped.axes.region.labels, shipped.axes.years
    for i in range(CELLS):
        workbook.set_formula(
            "S", 2 + i // 50, 2 + i % 50, f'={name}("{labels[i % len(labels)]}",{years[i % len(years)]},$A$1)'
        )
    workbook.evaluate_all()
    return workbook


@pytest.mark.parametrize("ours", [True, False])
def test_headless_sheet(
    benchmark: BenchmarkFixture, tables: list[Any], shipped: lm_xl.Assumptions, handle: str, ours: bool
) -> None:
    """Every cell recalculated because the model's cell changed: with our function, and with one that does nothing."""
    other = str(call("LM_MODEL", [*tables, shipped.axes.scenarios[1]]))
    callback = headless._callback("LM_PATIENTS") if ours else lambda *_: 1.0
    workbook = sheet("LM_PATIENTS", callback, handle, shipped)
    turn = [other, handle]

    def change() -> None:
        for known in turn:
            model = STORE.get(known)
            assert model is not None
            model.answers.clear()
        workbook.set_value("S", 1, 1, turn[0])
        turn.reverse()

    timed(benchmark, "sheet" if ours else "empty sheet", workbook.evaluate_all, rounds=20, setup=change)


@pytest.mark.parametrize("host", ["Python", "xlwings Lite", "formualizer"])
def test_host(benchmark: BenchmarkFixture, handle: str, host: str) -> None:
    """A cached scalar call through the host's adapter."""
    adapter: Callable[..., Any] = {
        "Python": plain.PLAIN["LM_PATIENTS"],
        "xlwings Lite": lite.as_lite_function(FUNCTIONS["LM_PATIENTS"]),
        "formualizer": headless._callback("LM_PATIENTS"),
    }[host]
    arguments = (
        ([["Europe"]], [[2030.0]], [[handle]]) if host == "xlwings Lite" else ("Europe", 2030.0, handle)
    )
    timed(benchmark, host, lambda: adapter(*arguments), times=1000)


@pytest.mark.parametrize(
    ("name", "code"),
    [("python", "pass"), ("import", "from lm_xl import LM_PATIENTS"), ("pandas", "import pandas")],
)
def test_import(benchmark: BenchmarkFixture, name: str, code: str) -> None:
    timed(benchmark, name, lambda: subprocess.run([sys.executable, "-c", code], check=True), rounds=9)


def report() -> str:
    m = MEDIAN
    engine = m["empty sheet"] / CELLS
    lines = [
        "# Benchmark of the functions",
        "",
        "One run on one machine; medians. Run it again, which rewrites this page:",
        "",
        "    python -m pytest tests/bench/bench_functions.py --benchmark-enable --benchmark-only",
        "",
        f"{dt.date.today().isoformat()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, formualizer {version('formualizer')}.",
        "",
        "| what | time | aim |",
        "|---|---|---|",
        f"| a scalar call asked before | {m['cached scalar'] * 1e6:.2f} microseconds | 5 |",
        f"| a scalar call asked for the first time | {m['first scalar'] * 1e6:.1f} microseconds | |",
        f"| a block of 16 regions x 11 years, never kept | {m['block'] * 1e6:.0f} microseconds | 50 |",
        f"| `LM_MODEL` on the full tables: check, forecast, keep | {m['model'] * 1e3:.0f} milliseconds | 50 |",
        f"| `LM_MODEL` on tables that were read before | {m['known model'] * 1e3:.1f} milliseconds | |",
        f"| a sheet of 2,000 calls recalculated without Excel, none asked before | {m['sheet'] * 1e3:.0f} milliseconds | 200 |",
        f"| the same sheet with a function that does nothing | {m['empty sheet'] * 1e3:.0f} milliseconds | |",
        f"| `from lm_xl import LM_PATIENTS` in a new process, above bare Python | {(m['import'] - m['python']) * 1e3:.0f} milliseconds, {(m['import'] - m['python']) / (m['pandas'] - m['python']):.2f} of `import pandas` | 300 |",
        "",
        "What a host adds to a scalar call that was asked before:",
        "",
        "| host | our adapter | the host itself |",
        "|---|---|---|",
        f"| Python | {(m['Python'] - m['cached scalar']) * 1e6:.1f} microseconds | |",
        f"| formualizer | {(m['formualizer'] - m['cached scalar']) * 1e6:.1f} microseconds | {engine * 1e6:.1f} microseconds |",
        f"| xlwings Lite | {(m['xlwings Lite'] - m['cached scalar']) * 1e6:.1f} microseconds | not measured: needs Excel |",
        "| Excel on Windows | the same as xlwings Lite | not measured: needs Excel |",
        "",
    ]
    return "\n".join(lines)
