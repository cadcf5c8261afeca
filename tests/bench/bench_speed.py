"""The benchmark: us and the alternatives in one run on one machine, as ratios. Writes docs/benchmark.md.

python -m pytest tests/bench/bench_speed.py --benchmark-enable --benchmark-only
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import formualizer
import openpyxl
import pytest
import xlsxwriter
from pytest_benchmark.fixture import BenchmarkFixture

import lm_xl
from lm_xl.uncertainty.limits import DRAWS
from lm_xl.workbook import verify as verification
from lm_xl.workbook.plan.input_cells import Numbers
from lm_xl.xlsx import engines

PAGE = Path(__file__).parents[2] / "docs" / "benchmark.md"
MEDIAN: dict[str, float] = {}
MEMORY: dict[str, float] = {}
SIZE: dict[str, str] = {}


def timed(benchmark: BenchmarkFixture, name: str, call: Any, *, rounds: int, setup: Any = None) -> Any:
    result = benchmark.pedantic(call, setup=setup, rounds=rounds, warmup_rounds=1 if rounds > 2 else 0)
    MEDIAN[name] = benchmark.stats.stats.median
    return result


@pytest.fixture(scope="module", autouse=True)
def page() -> Iterator[None]:
    yield
    PAGE.write_text(report(), encoding="utf-8")


def test_forecast(benchmark: BenchmarkFixture, shipped: lm_xl.Assumptions) -> None:
    timed(benchmark, "forecast", lambda: lm_xl.forecast(shipped), rounds=200)


def test_formualizer(benchmark: BenchmarkFixture, deliverable: Path) -> None:
    """The loaded workbook, every input changed, recalculated: what a forecast does."""
    book = formualizer.load_workbook(str(deliverable))
    book.evaluate_all()
    a = lm_xl.read_assumptions(deliverable)
    there = verification.edits(a, verification.moved(a))
    back = verification.edits(a, Numbers.of(a))
    turn = [there, back]

    def change() -> None:
        for (sheet, row, column), value in turn[0].items():
            book.set_value(sheet, row, column, value)
        turn.reverse()

    timed(benchmark, "formualizer", book.evaluate_all, rounds=5, setup=change)


def test_libreoffice(benchmark: BenchmarkFixture, deliverable: Path) -> None:
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed: its line is left out of the page")
    timed(
        benchmark,
        "libreoffice",
        lambda: list(engines.recalculated(deliverable, [{}], {"Cover": (12, 3)}, "libreoffice")),
        rounds=2,
    )


def test_build(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """As the command does it: 10,000 draws are made in another process meanwhile."""

    def build() -> None:
        with ProcessPoolExecutor(1) as executor:
            lm_xl.build(lm_xl.read_assumptions(), tmp_path / "a.xlsx", force=True, executor=executor)

    timed(benchmark, "build", build, rounds=3)


def test_drawing(benchmark: BenchmarkFixture, shipped: lm_xl.Assumptions) -> None:
    timed(benchmark, "draws", lambda: lm_xl.simulate(shipped, DRAWS), rounds=2)


def test_xlsxwriter(benchmark: BenchmarkFixture, deliverable: Path, tmp_path: Path) -> None:
    """The same cells with their formats and stored values, merely written."""
    formulas, values = (
        openpyxl.load_workbook(deliverable, read_only=True),
        openpyxl.load_workbook(deliverable, read_only=True, data_only=True),
    )
    sheets: dict[str, list[tuple[int, int, Any, Any, str]]] = {}
    for ws in formulas.worksheets:
        pairs = zip(ws.iter_rows(), values[ws.title].iter_rows(), strict=True)
        sheets[ws.title] = [
            (c.row - 1, c.column - 1, c.value, v.value, c.number_format)
            for row, stored in pairs
            for c, v in zip(row, stored, strict=True)
            if c.value is not None
        ]
    SIZE["cells"] = f"{sum(len(s) for s in sheets.values()):,}"
    SIZE["formulas"] = (
        f"{sum(isinstance(c[2], str) and c[2].startswith('=') for s in sheets.values() for c in s):,}"
    )
    SIZE["bytes"] = f"{deliverable.stat().st_size / 1e6:.1f} MB"

    def write() -> None:
        book = xlsxwriter.Workbook(tmp_path / "x.xlsx")
        formats: dict[str, Any] = {}
        for title, cells in sheets.items():
            ws = book.add_worksheet(title)
            for row, column, value, stored, form in cells:
                style = formats.setdefault(form, None) or formats.setdefault(
                    form + "!", book.add_format({"num_format": form})
                )
                if isinstance(value, str) and value.startswith("="):
                    ws.write_formula(row, column, value, style, stored)
                elif isinstance(value, str):
                    ws.write_string(row, column, value, style)
                else:
                    ws.write_number(row, column, value, style)
        book.close()

    timed(benchmark, "xlsxwriter", write, rounds=3)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("python", "pass"),
        ("import", "import lm_xl"),
        ("import forecast", "import lm_xl; lm_xl.forecast"),
        ("import pandas", "import pandas"),
    ],
)
def test_import(benchmark: BenchmarkFixture, name: str, code: str) -> None:
    timed(benchmark, name, lambda: subprocess.run([sys.executable, "-c", code], check=True), rounds=7)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("python", "pass"),
        ("forecast", "import lm_xl; lm_xl.forecast(lm_xl.read_assumptions())"),
        (
            "build",
            "import lm_xl, tempfile; lm_xl.build(lm_xl.read_assumptions(), tempfile.mkdtemp() + '/a.xlsx')",
        ),
    ],
)
def test_memory(benchmark: BenchmarkFixture, name: str, code: str) -> None:
    measure = f"{code}\nprint(next(int(x.split()[1]) / 1024 for x in open('/proc/self/status') if x.startswith('VmHWM')))"
    run = benchmark.pedantic(
        lambda: subprocess.run([sys.executable, "-c", measure], check=True, capture_output=True, text=True),
        rounds=1,
    )
    MEMORY[name] = float(run.stdout)


def report() -> str:
    m = MEDIAN
    faster = min(m[e] for e in ("formualizer", "libreoffice") if e in m)
    lines = [
        "# Benchmark",
        "",
        "One run on one machine; medians. Run it again, which rewrites this page:",
        "",
        "    python -m pytest tests/bench/bench_speed.py --benchmark-enable --benchmark-only",
        "",
        f"{dt.date.today().isoformat()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"numpy {version('numpy')}, formualizer {version('formualizer')}, openpyxl {version('openpyxl')}, XlsxWriter {version('xlsxwriter')}.",
        "",
        f"The deliverable: {SIZE['formulas']} formulas among {SIZE['cells']} cells, {SIZE['bytes']}.",
        "",
        "| what | time | ratio | aim |",
        "|---|---|---|---|",
        f"| one forecast in Python | {m['forecast'] * 1e3:.2f} ms | 1 | |",
        f"| the same by formualizer: loaded workbook, every input changed | {m['formualizer']:.2f} s | {m['formualizer'] / m['forecast']:,.0f} times ours | |",
    ]
    if "libreoffice" in m:
        lines.append(
            f"| the same by LibreOffice: read, recalculate, save | {m['libreoffice']:.2f} s | {m['libreoffice'] / m['forecast']:,.0f} times ours | |"
        )
    net = {name: m[name] - m["python"] for name in ("import", "import forecast", "import pandas")}
    lines += [
        f"| the faster engine against the forecast | | {faster / m['forecast']:,.0f} | at least 50 |",
        f"| `build`: read, draw, trace, write, recalculate, compare, store | {m['build']:.2f} s | {m['build'] / m['xlsxwriter']:.2f} of XlsxWriter | at most 0.8 |",
        f"| of these the {DRAWS:,} draws, in another process meanwhile | {m['draws']:.2f} s | {m['draws'] / m['xlsxwriter']:.2f} of XlsxWriter | |",
        f"| XlsxWriter writing the same cells | {m['xlsxwriter']:.2f} s | 1 | |",
        f"| `import lm_xl`, above bare Python | {net['import'] * 1e3:.0f} ms | {net['import'] / net['import pandas']:.2f} of `import pandas` | no pandas, openpyxl, scipy |",
        f"| `lm_xl.forecast` imported, above bare Python | {net['import forecast'] * 1e3:.0f} ms | {net['import forecast'] / net['import pandas']:.2f} of `import pandas` | the same |",
        f"| peak memory: bare Python, a forecast, a build | {MEMORY['python']:.0f}, {MEMORY['forecast']:.0f}, {MEMORY['build']:.0f} MB | | |",
        "",
    ]
    return "\n".join(lines)
