"""The benchmark of Monte Carlo: us and the alternatives in one run on one machine. Writes docs/benchmark_uncertainty.md; takes ten minutes.

python -m pytest tests/bench/bench_uncertainty.py
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

import formualizer
import numpy as np
import pytest
import small

import lm_xl
from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.spreads import refusal
from lm_xl.forecasts.identities import check_identities
from lm_xl.forecasts.results import Results
from lm_xl.model.evaluate import evaluate
from lm_xl.model.quantities import QUANTITIES
from lm_xl.uncertainty.blocks import block
from lm_xl.uncertainty.draws import BLOCK, scores
from lm_xl.uncertainty.plan import plan_of
from lm_xl.uncertainty.simulate import simulate
from lm_xl.workbook import verify as verification
from lm_xl.workbook.build import new
from lm_xl.workbook.form import axes_of
from lm_xl.workbook.plan.input_cells import Numbers

PAGE = Path(__file__).parents[2] / "docs" / "benchmark_uncertainty.md"
DRAWS = 10_000
MILLION = 1_000_000
WORKERS = 2
FOUND: dict[str, float] = {}
GROWTH: list[str] = []

RUN = """
import resource, sys, time
from concurrent.futures import ProcessPoolExecutor
import lm_xl
if __name__ == "__main__":
    a = lm_xl.read_assumptions()
    start = time.perf_counter()
    lm_xl.simulate(a, int(sys.argv[1]), 1, executor=lambda: ProcessPoolExecutor(2))
    parent, child = (resource.getrusage(w).ru_maxrss / 1024 for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(time.perf_counter() - start, parent, child)
"""


def best(call: Callable[[], object], rounds: int = 3) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def measured(draws: int) -> tuple[float, float, float]:
    """Seconds, and MB at most in the process that asks and in a worker."""
    run = subprocess.run([sys.executable, "-c", RUN, str(draws)], check=True, capture_output=True, text=True)
    seconds, parent, child = (float(x) for x in run.stdout.split())
    return seconds, parent, child


def test_ten_thousand_draws() -> None:
    runs = [measured(DRAWS) for _ in range(3)]
    FOUND["all"], FOUND["parent"], FOUND["worker"] = (
        float(np.median([r[i] for r in runs])) for i in range(3)
    )


def test_the_parts(shipped: Assumptions) -> None:
    FOUND["plan"] = best(lambda: plan_of(shipped, ["Base"], 1))
    plan = plan_of(shipped, ["Base"], 1)
    block(plan, 0)
    FOUND["block"] = best(lambda: block(plan, 1), 7)

    def chance() -> None:
        numbers = plan.quantiles.at(scores(plan.streams, plan.correlated, plan.seed, 1))
        for drawn in plan.scenarios[0].drawn.values():
            drawn.draw(numbers)

    FOUND["chance"] = best(chance, 7)
    regions, _, subtypes, years = plan.shape
    slots = sum(len(group.choices) for group in plan.scenarios[0].groups)
    size = regions * slots * subtypes * years * BLOCK
    here, there = np.ones(size), np.empty(size)
    there[:] = here
    FOUND["pass"] = best(lambda: np.copyto(there, here), 7)
    FOUND["megabytes"] = 8 * size / 1e6


def test_a_plain_loop_over_the_forecast(shipped: Assumptions) -> None:
    plan = plan_of(shipped, ["Base"], 1)
    numbers = plan.quantiles.at(scores(plan.streams, plan.correlated, plan.seed, 0))
    scene, inputs, structure = plan.scenarios[0], shipped.inputs(["Base"]), shipped.structure()

    def loop(n: int = 50) -> None:
        for k in range(n):
            drawn = {q: d.draw(numbers[:, [k]])[..., 0][d.at][np.newaxis] for q, d in scene.drawn.items()}
            check_identities(Results(shipped, ("Base",), evaluate({**inputs, **drawn}, structure)))

    FOUND["loop"] = best(loop) / 50


def test_the_live_workbook(deliverable: Path) -> None:
    """One draw in the loaded workbook: the cells of every input set to other numbers, then recalculated. Told apart, as setting is slow."""
    book = formualizer.load_workbook(str(deliverable))
    book.evaluate_all()
    a = lm_xl.read_assumptions(deliverable)
    turns = [verification.edits(a, verification.moved(a)), verification.edits(a, Numbers.of(a))]

    def change() -> None:
        for (sheet, row, column), value in turns[0].items():
            book.set_value(sheet, row, column, value)
        turns.reverse()

    times = [(best(change, 1), best(book.evaluate_all, 1)) for _ in range(3)]
    FOUND["setting"], FOUND["workbook"] = (float(np.median(x)) for x in zip(*times, strict=True))


def sized(folder: Path, regions: int, therapies: int) -> Assumptions:
    """A made-up model, each of its rows uncertain that can be."""
    half = therapies // 2
    segments = [("Old drug", "Pill set", "rest"), ("Other drug", "Pill set", "incumbent")]
    segments += [(f"Drug {i}", "Pill set", "entrant" if i % 3 == 0 else "incumbent") for i in range(half - 2)]
    segments += [("Ray", "Ray set", "rest")] + [
        (f"Ray {i}", "Ray set", "incumbent") for i in range(therapies - half - 1)
    ]
    segments += [("Scan", "", "test"), ("Puncture", "", "test")]
    axes = axes_of(
        [f"Region {i}" for i in range(regions)],
        segments,
        small.SUBTYPES,
        range(2025, 2036),
        ("Base", "High"),
    )
    records = small.records(axes)
    records["Scenarios"] = [d for d in records["Scenarios"] if d["region"] != "US"]
    for sheet in records.keys() - set(small.NOT_ROWS):
        for row in records[sheet]:
            if row["quantity"] in ("base_share", "peak_share") and row["value"] != "never":
                row["value"] = 0.6 / therapies
            elif row["quantity"] in (
                "lm_risk",
                "list_price",
                "months_on_therapy",
                "compliance",
                "suspected_per_case",
                "sensitivity",
            ):
                kind = (
                    "lognormal"
                    if row["quantity"] == "list_price"
                    else "pert"
                    if row["quantity"] == "suspected_per_case"
                    else "gamma"
                )
                kind = "beta" if QUANTITIES[row["quantity"]].most == 1 else kind
                low, high = row["value"] * 0.95, row["value"] * 1.05
                assert not refusal(QUANTITIES[row["quantity"]], kind, row["value"], low, high)
                row.update(distribution=kind, low=low, high=high)
    path = folder / f"{regions}_{therapies}.xlsx"
    new(path, axes, records)
    return lm_xl.read_assumptions(path)


def test_growth_with_draws(shipped: Assumptions) -> None:
    for draws in (1_000, 10_000, 40_000):
        seconds = best(
            lambda draws=draws: simulate(shipped, draws, 1, executor=lambda: ProcessPoolExecutor(WORKERS)), 1
        )  # type: ignore[misc]
        GROWTH.append(
            f"| {draws:,} draws, {WORKERS} processes | {seconds:.2f} s | {seconds / draws * 1e6:.0f} us |"
        )


@pytest.mark.parametrize(("regions", "therapies"), [(8, 16), (16, 16), (32, 16), (16, 8), (16, 32)])
def test_growth_with_regions_and_therapies(tmp_path: Path, regions: int, therapies: int) -> None:
    plan = plan_of(sized(tmp_path, regions, therapies), ["Base"], 1)
    block(plan, 0)
    seconds = best(lambda: block(plan, 1))
    GROWTH.append(
        f"| made-up model: {regions} regions, {therapies} therapies, 7 subtypes | {seconds:.2f} s a block | {seconds / BLOCK * 1e6:.0f} us |"
    )


def test_a_million_draws() -> None:
    FOUND["million"], FOUND["million parent"], FOUND["million worker"] = measured(MILLION)


def test_page() -> None:
    PAGE.write_text(report(), encoding="utf-8")


def report() -> str:
    f = FOUND
    draw = f["block"] / BLOCK
    lines = [
        "# Benchmark of Monte Carlo",
        "",
        "One run on one machine; medians. Run it again, which rewrites this page:",
        "",
        "    python -m pytest tests/bench/bench_uncertainty.py",
        "",
        f"{dt.date.today().isoformat()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"numpy {version('numpy')}, scipy {version('scipy')}, formualizer {version('formualizer')}.",
        "",
        "| what | measured | aim |",
        "|---|---|---|",
        f"| {DRAWS:,} draws of the whole model, {WORKERS} processes, with start and all statistics | {f['all']:.2f} s | about 1 s |",
        f"| memory at most: the process that asks; each worker | {f['parent']:.0f} MB; {f['worker']:.0f} MB | 500 MB |",
        f"| the same draws on one core, without start and statistics | {f['block'] / BLOCK * DRAWS:.2f} s, {draw * 1e6:.0f} us a draw | |",
        f"| of these for chance: samples, quantiles, values of rows | {f['chance'] / f['block']:.0%} | |",
        f"| plan: reading the spreads, tables of quantile functions | {f['plan']:.2f} s | |",
        f"| one draw in a plain loop: inputs, the stages, identities | {f['loop'] * 1e3:.2f} ms, {f['loop'] / draw:.1f} times ours | |",
        f"| one draw in the live workbook: recalculation by formualizer | {f['workbook']:.2f} s, {f['workbook'] / draw:,.0f} times ours on one core, "
        f"{f['workbook'] / (f['all'] / DRAWS):,.0f} times with {WORKERS} processes and everything | 200 times |",
        f"| setting its input cells before | {f['setting']:.2f} s | |",
        f"| {MILLION:,} draws, {WORKERS} processes | {f['million']:.0f} s | |",
        f"| memory at most: the process that asks; each worker | {f['million parent']:.0f} MB; {f['million worker']:.0f} MB | 1,024 MB |",
        "",
        f"The limit: the numbers that vary by region, slot, subtype and year fill {f['megabytes']:,.0f} MB for a block of {BLOCK} draws. Copying them once takes "
        f"{f['pass'] * 1e3:.0f} ms, a block takes {f['block'] * 1e3:.0f} ms: we are {f['block'] / f['pass']:.1f} passes over memory away from a model that reads "
        "and writes each number once. The stages make about 35 passes, in pieces that stay in the cache.",
        "",
        "How the time grows:",
        "",
        "| what | time | a draw |",
        "|---|---|---|",
        *GROWTH,
        "",
    ]
    return "\n".join(lines)
