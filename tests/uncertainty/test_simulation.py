"""Monte Carlo: distributions, draws that depend on nothing but seed and name, identities in each of them, and their reduction."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from math import sqrt
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit
from scipy.stats import spearmanr

import lm_xl
from lm_xl.assumptions.assumptions import Assumptions, Correlation, Keys, Row
from lm_xl.assumptions.correlations import correlation_groups
from lm_xl.assumptions.distributions import broken_sticks, dirichlet_concentration
from lm_xl.assumptions.read import checked
from lm_xl.assumptions.spreads import spread_faults, uncertain_inputs
from lm_xl.cli.app import cli
from lm_xl.forecasts.identities import check_identities
from lm_xl.model.quantities import QUANTITIES
from lm_xl.uncertainty import blocks, draws, workers
from lm_xl.uncertainty.blocks import full_draw, outcomes
from lm_xl.uncertainty.draws import BLOCK, Quantile, scores, with_tables
from lm_xl.uncertainty.limits import LEAST_BLOCKS
from lm_xl.uncertainty.plan import plan_of
from lm_xl.uncertainty.simulate import simulate
from lm_xl.uncertainty.simulation import load_simulation
from lm_xl.uncertainty.statistics import is_settled
from lm_xl.uncertainty.sweep import Lever, sweep, with_levers

DRAWS = 2 * BLOCK + 100
"""Two whole blocks and a part of one."""
ENOUGH = LEAST_BLOCKS * BLOCK + 100
"""As many whole blocks as tell an error, and a part of one."""
NUMBERS = (
    "mean",
    "mean_error",
    "deviation",
    "percentiles",
    "percentile_errors",
    "by_success",
    "convergence",
    "contributions",
)


def changed(a: Assumptions, change: Callable[[Row], Row]) -> Assumptions:
    return replace(a, rows=tuple(map(change, a.rows)))


def certain(row: Row) -> Row:
    return replace(row, distribution="fixed", low=None, high=None)


def same(one: lm_xl.Simulation, other: lm_xl.Simulation) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in NUMBERS)


@pytest.fixture(scope="module")
def base(shipped: Assumptions) -> lm_xl.Simulation:
    return simulate(shipped, DRAWS, 1)


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Assumptions:
    """A small workbook of which prices, the risk and access are uncertain, and a success."""

    def change(records: dict[str, list[dict[str, Any]]]) -> None:
        kinds = {"list_price": "lognormal", "lm_risk": "beta", "care_access": "beta", "trial_delay": "gamma"}
        for row in (row for rows in records.values() for row in rows if row.get("quantity") in kinds):
            value = row.get("value") or row.get("2031")
            if row.get("distribution") == "fixed":
                row.update(distribution=kinds[row["quantity"]], low=value * 0.9, high=value * 1.1)

    return lm_xl.read_assumptions(
        small.workbook(tmp_path_factory.mktemp("spread") / "spread.xlsx", change=change)
    )


@pytest.fixture(scope="module")
def enough(spread: Assumptions) -> lm_xl.Simulation:
    return simulate(spread, ENOUGH, 1)


def drawn(a: Assumptions, n: int) -> np.ndarray[Any, Any]:
    """The kept columns of the first draws, (column, year, draw)."""
    plan, blocks = plan_of(a, ["Base"], 1), range(-(-n // BLOCK))
    z = np.concatenate([scores(plan.streams, plan.correlated, plan.seed, b) for b in blocks], axis=1)
    return outcomes(plan, 0, z[:, :n])[0]


# Distributions


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["log odds of a beta", "log of a gamma"]),
    st.floats(0.1, 500),
    st.floats(0.1, 500),
    st.integers(0, 2**32),
)
def test_a_table_gives_the_quantile_function(kind: str, first: float, second: float, seed: int) -> None:
    quantile = Quantile(0, kind, first, second)
    z = np.append(np.random.default_rng(seed).normal(size=200), [-6.6, 6.6, 7.5])
    assert with_tables([quantile]).at(z[np.newaxis])[0] == pytest.approx(quantile.at(z), rel=1e-9, abs=1e-9)


def test_sampled_means_are_the_stated_means(shipped: Assumptions) -> None:
    plan = plan_of(shipped, ["Base"], 3)
    n = 8 * BLOCK
    numbers = plan.quantiles.at(
        np.concatenate([scores(plan.streams, plan.correlated, plan.seed, b) for b in range(8)], axis=1)
    )
    seen = set()
    for name, drawn in plan.scenarios[0].drawn.items():
        values = drawn.draw(numbers)[:, -1]
        error = values.std(axis=1) / sqrt(n)
        stated = drawn.values[:, -1].copy()
        for group in drawn.single:
            seen.add(group.row.distribution)
            if group.row.distribution == "pert":
                stated[group.places] = (group.ends.sum(axis=1) + 4 * stated[group.places]) / 6
        assert np.all(np.abs(values.mean(axis=1) - stated) <= 2 * error + 1e-12), name
    assert seen == {"beta", "gamma", "lognormal", "normal", "pert"}


def test_low_and_high_set_the_spread(shipped: Assumptions) -> None:
    plan = plan_of(shipped, ["Base"], 3)
    numbers = plan.quantiles.at(scores(plan.streams, plan.correlated, plan.seed, 0))
    for quantity, label, ratio in (
        ("list_price", "MRI", 2280 / 867),
        ("incident_cases", "Lung", 233450 / 219850),
    ):
        drawn = plan.scenarios[0].drawn[quantity]
        row = (
            shipped.axes.segment.leaves.index(label)
            if quantity == "list_price"
            else shipped.axes.subtype.leaves.index("SCLC")
        )
        x = drawn.draw(numbers)[
            drawn.at[0, row if quantity == "list_price" else 0, 0 if quantity == "list_price" else row], 0
        ]
        p10, p90 = np.percentile(x, [10, 90])
        assert p90 / p10 == pytest.approx(ratio, rel=0.01)


def test_exclusive_shares_hold_together_in_every_draw(shipped: Assumptions) -> None:
    plan = plan_of(shipped, shipped.axes.scenarios, 5)
    numbers = plan.quantiles.at(scores(plan.streams, plan.correlated, plan.seed, 0))
    for scene in plan.scenarios:
        for name, axis in (("subtype_share", 2), ("base_share", 1), ("peak_share", 1)):
            drawn = scene.drawn[name]
            sets = (shipped.axes.subtype if axis == 2 else shipped.axes.segment).sets
            shares = drawn.draw(numbers)[drawn.at]
            for chosen in set(sets) - {""}:
                total = shares.take([i for i, s in enumerate(sets) if s == chosen], axis=axis).sum(axis=axis)
                assert np.all(np.abs(total - 1) <= 1e-12 if name == "subtype_share" else total <= 1 + 1e-12)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.02, 0.25), min_size=2, max_size=3), st.floats(0.05, 0.3), st.integers(0, 2**32))
def test_broken_sticks_keep_means_and_errors(means: list[float], relative: float, seed: int) -> None:
    means.sort()
    errors = [m * relative for m in means]
    chance, left, n = np.random.default_rng(seed), np.ones(200_000), 200_000
    for mean, error, (part, held) in zip(means, errors, broken_sticks(means, errors, 1.0), strict=True):
        assert held > 0
        share = left * chance.beta(part * held, (1 - part) * held, n)
        left = left - share
        assert share.mean() == pytest.approx(mean, abs=6 * error / sqrt(n))
        assert share.std() == pytest.approx(error, rel=0.03)
    assert (left >= 0).all()


# What draws depend on


def test_an_added_input_leaves_the_others(shipped: Assumptions) -> None:
    fixed = next(r for r in shipped.rows if r.quantity == "attribution")
    more = changed(
        shipped,
        lambda r: replace(r, inputs=(0.8,), distribution="beta", low=0.6, high=0.9) if r is fixed else r,
    )
    few, many = (plan_of(a, ["Base"], 7) for a in (shipped, more))
    assert set(many.streams) - set(few.streams) == {"attribution | Therapeutics | All cancers"}
    z, zz = (scores(p.streams, p.correlated, p.seed, 2) for p in (few, many))
    assert np.array_equal(z, zz[[many.streams.index(s) for s in few.streams]])


def test_every_block_is_a_latin_hypercube() -> None:
    u = draws.uniforms(1, "lm_risk", 4)
    assert np.array_equal(np.sort(np.floor(u * BLOCK)), np.arange(BLOCK))
    assert not np.array_equal(u, draws.uniforms(1, "lm_risk", 5)) and not np.array_equal(
        u, draws.uniforms(2, "lm_risk", 4)
    )


def test_a_draw_alone_is_its_slice_of_the_batch(shipped: Assumptions) -> None:
    plan = plan_of(shipped, ["Accelerated pipeline"], 11)
    z = scores(plan.streams, plan.correlated, plan.seed, 1)
    batch, _ = outcomes(plan, 0, z)
    for k in (0, 130, BLOCK - 1):
        assert np.array_equal(outcomes(plan, 0, z[:, [k]])[0][..., 0], batch[..., k])


def test_a_draw_is_the_whole_model_on_its_inputs(shipped: Assumptions) -> None:
    plan = plan_of(shipped, shipped.axes.scenarios, 2)
    for scene in range(len(plan.scenarios)):
        batch, _ = outcomes(plan, scene, scores(plan.streams, plan.correlated, plan.seed, 0)[:, :40])
        for k in (3, 39):
            whole = full_draw(shipped, plan, scene, k)
            check_identities(whole)
            sales, *people = (
                whole.outputs[name][0] for name in ("risk_adjusted_sales", "diagnosed", "treated")
            )
            therapies = sales[:, list(shipped.axes.segment.members("Therapeutics"))]
            ways = [therapies.sum(axis=(1, 2)), sales.sum(axis=(0, 2)), therapies.sum(axis=(0, 1))]
            ways += [x.sum(axis=axes) for x in people for axes in ((1, 2), (0, 1))]
            assert batch[..., k] == pytest.approx(np.concatenate(ways), rel=1e-12, abs=0)


def spawned() -> Executor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


@pytest.mark.slow
def test_workers_processes_and_chunks_change_nothing(shipped: Assumptions, base: lm_xl.Simulation) -> None:
    assert same(base, simulate(shipped, DRAWS, 1, executor=spawned, chunk=2))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert same(base, simulate(shipped, DRAWS, 1, executor=executor, chunk=3))
    assert not same(base, simulate(shipped, DRAWS, 2))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_changes_nothing(shipped: Assumptions, base: lm_xl.Simulation) -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert same(base, simulate(shipped, DRAWS, 1, executor=client.get_executor()))


MARK = "LM_XL_TEST_MARK"


def deadly(plan: Any, run: int, numbers: tuple[int, ...]) -> Any:
    """The first worker that comes here dies."""
    mark = Path(os.environ[MARK])
    if not mark.exists():
        mark.touch()
        os._exit(1)
    return [blocks.block(plan, number, run) for number in numbers]


def failing(plan: Any, run: int, numbers: tuple[int, ...]) -> Any:
    if 0 in numbers:
        raise MemoryError("no room")
    return [blocks.block(plan, number, run) for number in numbers]


@pytest.mark.slow
@pytest.mark.parametrize("own", [True, False])
def test_a_worker_that_dies_costs_its_chunk(
    shipped: Assumptions, base: lm_xl.Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    monkeypatch.setenv(MARK, str(tmp_path / "mark"))
    monkeypatch.setattr(workers, "blocks_of_draws", deadly)
    if own:
        assert same(base, simulate(shipped, DRAWS, 1, executor=spawned))
    else:
        with spawned() as executor:
            assert same(base, simulate(shipped, DRAWS, 1, executor=executor))
    assert (tmp_path / "mark").exists()


@pytest.mark.slow
def test_a_chunk_that_always_fails_stops_the_run(
    shipped: Assumptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "blocks_of_draws", failing)
    with pytest.raises(MemoryError, match="no room"):
        simulate(shipped, DRAWS, 1, executor=spawned)


# Correlations


def test_ranks_are_correlated_as_stated(shipped: Assumptions) -> None:
    plan = plan_of(shipped, ["Base"], 4)
    z = np.concatenate([scores(plan.streams, plan.correlated, plan.seed, b) for b in range(40)], axis=1)
    alone = np.concatenate([scores(plan.streams, (), plan.seed, b) for b in range(40)], axis=1)
    at = {name: plan.streams.index(name) for name in plan.streams}
    risks = [at[s] for s in plan.streams if s.startswith("lm_risk |")]
    for first, second, stated in (
        (risks[0], risks[5], 0.4),
        (risks[3], at["sensitivity | MRI"], -0.3),
        (risks[0], at["suspected_per_case"], 0),
    ):
        assert spearmanr(z[first], z[second])[0] == pytest.approx(stated, abs=0.03)
    assert np.array_equal(np.sort(z.reshape(len(z), -1, BLOCK)), np.sort(alone.reshape(len(z), -1, BLOCK)))
    assert np.array_equal(z[risks[0]], alone[risks[0]])


def correlation(
    first: tuple[str, str, str], second: tuple[str, str, str], value: float, cell: str
) -> Correlation:
    return Correlation(
        (first[0], second[0]), (Keys("", *first[1:]), Keys("", *second[1:])), value, (), "expert", "", cell
    )


RISK = ("lm_risk", "", "All cancers")


@pytest.mark.parametrize(
    ("correlations", "cell", "words"),
    [
        ([correlation(RISK, RISK, -0.5, "G6")], "G6", "9 inputs|not positive semi-definite|-3"),
        (
            [
                correlation(RISK, RISK, 0.9, "G6"),
                correlation(("lm_risk", "", "SCLC"), ("sensitivity", "MRI", ""), 0.9, "G7"),
                correlation(("lm_risk", "", "Melanoma"), ("sensitivity", "MRI", ""), -0.9, "G8"),
            ],
            "G6",
            "G6, G7, G8 cannot hold together",
        ),
        (
            [correlation(RISK, ("attribution", "Therapeutics", "All cancers"), 0.5, "G6")],
            "G6",
            "no two uncertain inputs lie there",
        ),
        (
            [correlation(RISK, ("subtype_share", "", "Lung"), 0.5, "G6")],
            "G6",
            "a Dirichlet set is drawn by itself",
        ),
        (
            [correlation(RISK, RISK, 0.5, "G6"), correlation(("lm_risk", "", "Lung"), RISK, 0.5, "G7")],
            "G7",
            "correlated already, in G6",
        ),
    ],
)
def test_impossible_correlations_are_refused(
    shipped: Assumptions, correlations: list[Correlation], cell: str, words: str
) -> None:
    with pytest.raises(lm_xl.Refused) as refused:
        checked(replace(shipped, correlations=tuple(correlations)))
    fault = refused.value.faults[0]
    assert (fault.sheet, fault.cell) == ("Correlations", cell)
    assert all(w in fault.message for w in words.split("|")), fault.message


def test_a_wrong_row_of_correlations_is_refused_in_full(tmp_path: Path) -> None:
    def add(sheets: dict[str, list[dict[str, Any]]]) -> None:
        sheets["Timeline"][0]["source"] = "TEST"
        row = {
            "quantity": "lm_risk",
            "subtype": "HR breast",
            "other_quantity": "sensitivty",
            "rank_correlation": 1.5,
            "source": "NONE",
            "status": "expert",
        }
        sheets["Correlations"] = [
            row,
            {**row, "subtype": "", "segment": "Scan", "other_quantity": "compliance"},
        ]

    with pytest.raises(lm_xl.Refused) as refused:
        lm_xl.read_assumptions(small.workbook(tmp_path / "c.xlsx", change=add))
    found = {f.cell: f.message for f in refused.value.faults}
    for cell, words in {
        "C6": "nearest is 'HR+ breast'", "D6": "nearest is 'sensitivity'", "G6": "outside -1 to 1", "H6": "unknown source 'NONE'", "B7": "does not vary by segment",
        "C7": "a subtype is due", "E7": "a segment is due",
    }.items():  # fmt: skip
        assert words in found.get(cell, ""), (cell, found)


def test_inputs_can_go_together_entirely(shipped: Assumptions) -> None:
    one = correlation(("sensitivity", "MRI", ""), ("sensitivity", "CSF cytology", ""), 1, "G6")
    plan = plan_of(replace(shipped, correlations=(one,)), ["Base"], 4)
    z = scores(plan.streams, plan.correlated, plan.seed, 0)
    first, second = (plan.streams.index(f"sensitivity | {x}") for x in ("MRI", "CSF cytology"))
    assert np.array_equal(np.argsort(z[first]), np.argsort(z[second]))


# Refusals


@pytest.mark.parametrize(
    ("quantity", "cells", "words"),
    [
        (
            "lm_risk",
            {"distribution": "beta", "value": 0.08, "low": 0, "high": 1},
            "wider than a share with the mean 0.08 can spread",
        ),
        (
            "compliance",
            {"distribution": "beta", "value": 1, "low": 0.8, "high": 1},
            "with the mean 1 cannot spread",
        ),
        (
            "suspected_per_case",
            {"distribution": "beta", "value": 3, "low": 2, "high": 4},
            "lies between 0 and 1",
        ),
        (
            "list_price",
            {"distribution": "lognormal", "value": 9000, "low": 0, "high": 20000},
            "needs a low above 0",
        ),
        (
            "months_on_therapy",
            {"distribution": "gamma", "value": 0, "low": 0, "high": 1},
            "needs a mean above 0",
        ),
        (
            "incidence_growth",
            {"distribution": "normal", "value": 0.02, "low": -0.1, "high": 0.14},
            "outside -0.3 to 0.3",
        ),
        (
            "months_on_therapy",
            {"distribution": "gamma", "value": 4, "low": 0.5, "high": 30},
            "outside 0 to 60",
        ),
        (
            "compliance",
            {"distribution": "lognormal", "value": 0.9, "low": 0.8, "high": 0.95},
            "outside 0 to 1",
        ),
        (
            "index_year",
            {"distribution": "pert", "value": 2025, "low": 2024, "high": 2026},
            "cannot be uncertain",
        ),
        (
            "lm_risk",
            {"distribution": "dirichlet", "value": 0.08, "low": 0.05, "high": 0.1},
            "no set of it sums to 1",
        ),
        (
            "peak_share",
            {"distribution": "pert", "value": 0.4, "low": 0.3, "high": 0.5},
            "its sums could pass 1",
        ),
    ],
)
def test_impossible_spreads_are_refused_with_their_cell(
    tmp_path: Path, quantity: str, cells: dict[str, Any], words: str
) -> None:
    found: dict[str, Any] = {}

    def spread(sheets: dict[str, list[dict[str, Any]]]) -> None:
        sheet = QUANTITIES[quantity].sheet
        row = next(i for i, r in enumerate(sheets[sheet]) if r["quantity"] == quantity)
        sheets[sheet][row].update(cells)
        column = "J" if sheet not in ("Diagnosis", "Treatment", "Pricing") else "Q"
        found.update(sheet=sheet, cell=row + 6, column=column)

    path = small.workbook(tmp_path / "spread.xlsx", change=spread)
    with pytest.raises(lm_xl.Refused) as refused:
        lm_xl.read_assumptions(path)
    assert len(refused.value.faults) == 1, refused.value
    fault = refused.value.faults[0]
    assert (
        words in fault.message and fault.sheet == found["sheet"] and fault.cell.endswith(str(found["cell"]))
    ), str(fault)


def test_shares_that_cannot_hold_together_are_refused(shipped: Assumptions) -> None:
    def wide(row: Row) -> Row:
        at = (
            row.quantity == "base_share"
            and row.keys.segment == "Osimertinib"
            and row.keys.region == "South Korea"
        )
        return replace(row, low=0.0, high=1.0) if at else row

    faults = list(spread_faults(changed(shipped, wide)))
    assert (
        len(faults) == 1 and "cannot hold beside the other shares of its set (Treatment!" in faults[0].message
    )


def test_a_spread_that_a_scenario_carries_away_is_refused(shipped: Assumptions) -> None:
    delta = next(d for d in shipped.deltas if d.quantity == "trial_delay" and d.operation == "add")
    far = replace(shipped, deltas=(replace(delta, amount=9.0),))
    with pytest.raises(lm_xl.Refused, match=f"reaches .* in scenario '{delta.scenario}', outside 0 to 50"):
        checked(far)


@pytest.mark.parametrize("n", [0, -5, "ten", 1e12, 10**12, True, None, 2.0])
def test_a_senseless_number_of_draws_is_refused_at_once(n: Any) -> None:
    """Before anything is looked at: there are no assumptions here."""
    with pytest.raises(lm_xl.Refused, match=r"draws: .* is not a whole number from 1 to 10,000,000"):
        simulate(None, n)  # type: ignore[arg-type]


def test_draws_that_do_not_fit_on_the_disk_are_refused(
    shipped: Assumptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(lm_xl.Refused, match="GB are free"):
        simulate(shipped, 100_000)


def test_a_broken_identity_names_its_draw(shipped: Assumptions, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, takes = blocks.STAGES["treated"]
    monkeypatch.setitem(
        blocks.STAGES,
        "treated",
        (lambda diagnosed, treatment_rate: stage(diagnosed, treatment_rate * 1.2), takes),
    )
    with pytest.raises(
        lm_xl.IdentityError,
        match=r"draw \d+ of seed 1, scenario 'Base': .*'diagnosed >= treated' fails for Base x",
    ):
        simulate(shipped, 100)


# Results


def interrupted(*_: int) -> None:
    raise KeyboardInterrupt


def test_without_spread_every_percentile_is_the_forecast(shipped: Assumptions) -> None:
    sure = changed(
        shipped, lambda r: certain(replace(r, inputs=(1.0,)) if r.quantity == "probability_of_success" else r)
    )
    result = simulate(replace(sure, correlations=()), DRAWS)
    forecast = lm_xl.forecast(sure)
    assert np.array_equal(
        result.deterministic[0, result.at(segment="Antibody-drug conjugates")],
        forecast.series("risk_adjusted_sales", segment="Antibody-drug conjugates"),
    )
    assert (result.percentiles == result.deterministic[..., np.newaxis]).all()
    assert (result.mean == result.deterministic).all()
    assert result.by_success == pytest.approx(result.deterministic, rel=1e-12)


def test_statistics_are_those_of_the_draws(spread: Assumptions, enough: lm_xl.Simulation) -> None:
    kept = drawn(spread, ENOUGH)
    for label in (
        {"region": "Germany"},
        {"segment": "Scan"},
        {"segment": "Therapeutics"},
        {"subtype": "Lung"},
        {},
    ):
        i = enough.at(**label)
        x = kept[list(enough.labels[i].members)].sum(axis=0)
        assert enough.mean[0, i] == pytest.approx(x.mean(axis=1), rel=1e-12)
        assert enough.percentiles[0, i] == pytest.approx(np.percentile(x, range(1, 100), axis=1).T, rel=1e-12)
        assert enough.deviation[0, i] == pytest.approx(x.std(axis=1), rel=1e-9)
        blocks = x[:, : LEAST_BLOCKS * BLOCK].reshape(-1, LEAST_BLOCKS, BLOCK)
        assert enough.mean_error[0, i] == pytest.approx(
            blocks.mean(axis=2).std(axis=1, ddof=1) / sqrt(LEAST_BLOCKS), rel=1e-6
        )
        ways = np.percentile(blocks, range(1, 100), axis=2)
        assert enough.percentile_errors[0, i] == pytest.approx(
            ways.std(axis=2, ddof=1).T / sqrt(LEAST_BLOCKS), rel=1e-6
        )
    scan = enough.at(segment="Scan")
    assert enough.percentile(0.9, 2031, segment="Scan") == enough.percentiles[0, scan, -1, 89]
    assert enough.percentile(0.1, 2031, region="US") + enough.percentile(
        0.1, 2031, region="Germany"
    ) != enough.percentile(0.1, 2031)
    frame, i = enough.frame(), enough.at("treated", region="Germany")
    row = frame.query("label == 'Germany' and metric == 'treated' and year == 2031").iloc[0]
    for p in (10, 50, 90):
        assert (
            row[f"p{p}"]
            == enough.percentiles[0, i, -1, p - 1]
            == enough.percentile(p / 100, 2031, region="Germany", metric="treated")
        )
        assert row[f"p{p}_error"] == enough.percentile_errors[0, i, -1, p - 1]
    expected = enough.expected(2031, region="Germany", metric="treated")
    assert expected == enough.mean[0, i, -1] == row["mean"] != row["deterministic"]


def test_too_few_blocks_have_no_error(spread: Assumptions, enough: lm_xl.Simulation) -> None:
    """The scatter of few blocks says little of the error of their mean."""
    few = simulate(spread, LEAST_BLOCKS * BLOCK - 1, 1)
    assert np.isnan(few.mean_error).all() and np.isnan(few.percentile_errors).all()
    assert np.isnan(few.convergence[..., 1]).all()
    assert np.isfinite(enough.mean_error).all() and np.isfinite(enough.convergence[:, -1, :, 1]).all()


def test_what_fails_in_every_draw_has_a_mean_of_0(spread: Assumptions) -> None:
    never = changed(
        spread,
        lambda r: replace(r, inputs=(1e-12,)) if r.quantity == "probability_of_success" else r,
    )
    never = changed(never, lambda r: replace(r, inputs=(0.0,)) if r.quantity == "partnering" else r)
    result = simulate(never, 100, 1)
    at = result.at(segment="New drug")
    assert (result.mean[0, at] == 0).all() and (result.percentiles[0, at] == 0).all()
    assert result.deterministic[0, at, -1] > 0


def test_what_fails_leaves_its_set_to_the_others(shipped: Assumptions) -> None:
    a = replace(changed(shipped, certain), correlations=())
    result = simulate(a, DRAWS)
    i = result.at(segment="Rhenium-186 obisbemeda")
    chance = lm_xl.forecast(a).outputs["success"][
        0, 0, a.axes.segment.leaves.index("Rhenium-186 obisbemeda"), 0, 0
    ]
    x = result.percentiles[0, i, -1]
    assert np.mean(x == 0) == pytest.approx(1 - chance, abs=0.02)
    assert x.max() * chance == pytest.approx(result.deterministic[0, i, -1], rel=1e-9)
    total, cytarabine = result.at(), result.at(segment="Intrathecal cytarabine")
    assert result.mean[0, total] == pytest.approx(result.by_success[0, total], rel=1e-3)
    for at in (i, cytarabine):
        assert result.by_success[0, at] == pytest.approx(result.deterministic[0, at], rel=1e-9)


def test_scenarios_and_sweeps_share_their_draws(shipped: Assumptions, base: lm_xl.Simulation) -> None:
    lever = Lever("list_price", "multiply", (1.0, 1.2), segment="MRI")
    result = sweep(shipped, [lever], DRAWS, 1)
    assert len(result.runs) == 2
    assert np.array_equal(result.percentiles[0], base.percentiles[0]) and np.array_equal(
        result.mean[0], base.mean[0]
    )
    i = result.at(segment="MRI")
    assert result.percentiles[1, i] == pytest.approx(1.2 * base.percentiles[0, i], rel=1e-12)
    untouched = result.at(segment="Therapeutics")
    assert np.array_equal(result.percentiles[1, untouched], base.percentiles[0, untouched])
    with pytest.raises(lm_xl.Refused, match="outside 0 to 1e"):
        sweep(shipped, [replace(lever, amounts=(1e6,))], DRAWS, 1)
    with pytest.raises(lm_xl.UnknownLabel, match="nearest is 'MRI'"):
        sweep(shipped, [replace(lever, segment="MRIs")], DRAWS, 1)


def test_the_variance_is_shared_out(shipped: Assumptions, base: lm_xl.Simulation) -> None:
    causes = base.variance()
    assert causes["share"].sum() == pytest.approx(1)
    assert set(causes["input"]) == {
        *(u.name for u in uncertain_inputs(shipped)),
        *(s for s in base.inputs if s.startswith("success")),
        "interactions and the rest",
    }
    only = replace(
        changed(
            shipped, lambda r: r if r.quantity == "list_price" and r.keys.segment == "MRI" else certain(r)
        ),
        correlations=(),
    )
    alone = simulate(only, DRAWS).variance(segment="MRI")
    assert alone["input"][0] == "list_price | MRI" and alone["share"][0] == pytest.approx(1, abs=0.01)


@pytest.mark.slow
def test_a_run_stops_when_it_knows_enough(shipped: Assumptions) -> None:
    one = simulate(shipped, 12 * BLOCK, 1, stop_at=0.05)
    assert one.reached and one.draws == 8 * BLOCK
    assert same(one, simulate(shipped, 12 * BLOCK, 1, stop_at=0.05, executor=spawned, chunk=3))
    assert not simulate(shipped, BLOCK, 1, stop_at=0.05).reached
    with pytest.raises(lm_xl.Refused, match="stop_at"):
        simulate(shipped, 100, stop_at=1)


def test_an_interrupted_run_goes_on(shipped: Assumptions, base: lm_xl.Simulation, tmp_path: Path) -> None:
    told = []

    def interrupt(done: int, of: int) -> None:
        told.append(done)
        if done == 2 < of:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(shipped, DRAWS, 1, store=tmp_path / "draws", progress=interrupt)
    with pytest.raises(lm_xl.Refused, match="its seed is '1', not '2'"):
        simulate(shipped, DRAWS, 2, store=tmp_path / "draws")
    other = changed(shipped, lambda r: replace(r, high=r.high + 0.001) if r.quantity == "compliance" else r)
    with pytest.raises(lm_xl.Refused, match="its uncertainty is"):
        simulate(other, DRAWS, 1, store=tmp_path / "draws")
    told.clear()
    assert same(
        base,
        simulate(shipped, DRAWS, 1, store=tmp_path / "draws", progress=lambda done, of: told.append(done)),
    )
    assert told == [2, 3] and not (tmp_path / "draws").exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").touch()
    with pytest.raises(lm_xl.Refused, match="is no folder of draws"):
        simulate(shipped, DRAWS, 1, store=tmp_path / "other")


def test_a_saved_simulation_is_read_again(base: lm_xl.Simulation, tmp_path: Path) -> None:
    base.save(tmp_path / "s.npz")
    again = load_simulation(tmp_path / "s.npz")
    assert (
        same(base, again) and base.frame().equals(again.frame()) and base.variance().equals(again.variance())
    )
    assert (base.provenance, base.runs, base.seed, base.draws) == (
        again.provenance,
        again.runs,
        again.seed,
        again.draws,
    )
    with pytest.raises(lm_xl.Refused, match="exists already"):
        base.save(tmp_path / "s.npz")
    whole = (tmp_path / "s.npz").read_bytes()
    np.save(tmp_path / "array.npy", np.zeros(3))
    array = (tmp_path / "array.npy").read_bytes()
    for content in (
        b"no archive",
        b"",
        whole[:10_000],
        whole[: len(whole) // 2] + bytes(200) + whole[len(whole) // 2 + 200 :],
        array,
    ):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(
            lm_xl.Refused, match=r"is no simulation that lm-xl simulate wrote, or is damaged$"
        ):
            load_simulation(tmp_path / "bad.npz")
    with pytest.raises(lm_xl.Refused, match=r"none.npz: cannot be read: No such file"):
        load_simulation(tmp_path / "none.npz")


@pytest.mark.parametrize("amounts", [(), ("1.2",), 1.2, "1.2", (1.2, float("nan")), (True,), None])
def test_senseless_amounts_of_a_lever_are_refused(shipped: Assumptions, amounts: Any) -> None:
    with pytest.raises(
        lm_xl.Refused,
        match=r"lever on list_price: amounts? .*(give one or several numbers|is not a finite number)",
    ):
        sweep(shipped, [Lever("list_price", "multiply", amounts)], 100, 1)


def test_points_of_a_sweep_have_names_of_their_own(shipped: Assumptions) -> None:
    lever = Lever("list_price", "multiply", (1.0000001, 1.0000002, 1), segment="MRI")
    _, names = with_levers(shipped, [lever], "High")
    assert [name.split()[-1] for name in names] == ["1.0000001", "1.0000002", "1"] and all(
        name.startswith("High; ") for name in names
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"scenarios": [5]}, "unknown scenario '5'"),
        ({"scenarios": ["Base", "base"]}, "scenarios: 'Base' is there twice"),
        ({"scenarios": []}, "scenarios: none is given"),
        ({"stop_at": "1%"}, "stop_at: '1%' is not a share between 0 and 1"),
        ({"executor": 4}, "executor: 4 is no concurrent.futures.Executor"),
    ],
)
def test_senseless_arguments_are_refused(shipped: Assumptions, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises((lm_xl.Refused, lm_xl.UnknownLabel), match=words):
        simulate(shipped, 100, 1, **wrong)


def test_a_run_is_found_whatever_its_case(base: lm_xl.Simulation) -> None:
    assert base.percentile(0.5, 2035, run="base") == base.percentile(0.5, 2035, run="Base")
    with pytest.raises(TypeError, match="regoin"):
        base.variance(regoin="US")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda s: s.percentile(0.125, 2035), "whole percents"),
        (lambda s: s.percentile(10, 2035), "whole percents"),
        (lambda s: s.percentile(0.1, 2036), "outside the horizon"),
        (lambda s: s.percentile(0.1, 2035, region="US", segment="MRI"), "not by region and segment at once"),
        (lambda s: s.percentile(0.1, 2035, segment="MRI", metric="treated"), "treated has no segment"),
        (lambda s: s.percentile(0.1, 2035, region="Utopia"), "unknown region"),
        (lambda s: s.expected(2035, metric="income"), "unknown metric"),
        (lambda s: s.expected(2035, run="High"), "no run"),
    ],
)
def test_what_was_not_kept_is_refused(
    base: lm_xl.Simulation, ask: Callable[[lm_xl.Simulation], float], words: str
) -> None:
    with pytest.raises(lm_xl.UnknownLabel, match=words):
        ask(base)


def test_the_command_line_simulates(tmp_path: Path) -> None:
    run = CliRunner().invoke(
        cli, ["simulate", "--draws", "600", "--workers", "1", "-o", str(tmp_path / "s.npz")]
    )
    assert run.exit_code == 0, run.output
    assert "600 draws, seed 1" in run.output and "interactions and the rest" in run.output
    assert [p.name for p in tmp_path.iterdir()] == ["s.npz"]
    for wrong in (["--draws", "0"], ["--draws", "ten"], ["--draws", "1e12"], ["--stop-at", "nothing"]):
        assert CliRunner().invoke(cli, ["simulate", *wrong]).exit_code == 2


def test_the_command_line_tells_each_cause_once(tmp_path: Path) -> None:
    def sure(sheets: dict[str, list[dict[str, Any]]]) -> None:
        for row in (r for r in sheets["Launches"] if r["quantity"] == "probability_of_success"):
            row["value"] = 1

    def spread(sheets: dict[str, list[dict[str, Any]]]) -> None:
        row = next(r for r in sheets["Epidemiology"] if r["quantity"] == "incident_cases")
        row.update(distribution="gamma", low=row["value"] * 0.9, high=row["value"] * 1.1)

    one, nothing = (
        small.workbook(tmp_path / "one.xlsx", change=spread),
        small.workbook(tmp_path / "nothing.xlsx", change=sure),
    )
    for path, n, words in (
        (one, BLOCK, "regression of ranks"),
        (one, 1, "needs at least 512 draws"),
        (nothing, BLOCK, "nothing varies"),
    ):
        run = CliRunner().invoke(cli, ["simulate", str(path), "--draws", str(n), "--workers", "1"])
        assert run.exit_code == 0 and words in run.output, run.output
        assert run.output.count("interactions and the rest") == (words == "regression of ranks")


def test_scores_are_correlated_so_that_ranks_are_as_stated(shipped: Assumptions) -> None:
    matrices = [(names, 6 / np.pi * np.arcsin(m / 2)) for names, m in correlation_groups(shipped)]
    stated = {v for _, m in matrices for v in m[np.triu_indices(len(m), 1)].round(12) if v}
    assert stated == {c.value for c in shipped.correlations}


def test_a_run_stops_only_when_all_three_statistics_of_every_run_are_known() -> None:
    known = np.ones((2, 8, 4))
    assert is_settled(known, 0.01)
    for statistic in (0, 1, 3):
        unknown = known.copy()
        unknown[1, ::2, statistic] = 1.5
        assert not is_settled(unknown, 0.01)


def test_a_store_of_anything_else_is_refused(shipped: Assumptions, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        simulate(shipped, 100, 1, store=tmp_path / "draws", progress=interrupted)
    manifest = tmp_path / "draws" / "manifest.json"
    kept = json.loads(manifest.read_text())
    assert {"fingerprint", "uncertainty", "engine", "seed", "scenarios", "blocks"} <= set(kept)
    for name in kept:
        manifest.write_text(json.dumps({**kept, name: "other"}))
        with pytest.raises(lm_xl.Refused, match=f"its {name} is 'other'"):
            simulate(shipped, 100, 1, store=tmp_path / "draws")
    for damaged in ("{bad", "[]"):
        manifest.write_text(damaged)
        with pytest.raises(lm_xl.Refused, match=r"its manifest.json is damaged: remove the folder"):
            simulate(shipped, 100, 1, store=tmp_path / "draws")


@pytest.mark.parametrize(
    "lost", [("done",), ("draws",), ("draws", "causes", "done"), ("draws", "causes", "done", "manifest.json")]
)
def test_a_store_without_all_of_its_files_starts_anew(
    shipped: Assumptions, base: lm_xl.Simulation, tmp_path: Path, lost: tuple[str, ...]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        simulate(shipped, DRAWS, 1, store=tmp_path / "draws", progress=interrupted)
    for name in lost:
        (tmp_path / "draws" / name).unlink()
    (tmp_path / "draws" / "manifest.new").write_text("{")
    assert same(base, simulate(shipped, DRAWS, 1, store=tmp_path / "draws"))
    assert not (tmp_path / "draws").exists()


def test_a_store_that_another_run_removes_is_told(shipped: Assumptions, tmp_path: Path) -> None:
    def remove(done: int, _: int) -> None:
        if done == 1:
            shutil.rmtree(tmp_path / "draws")

    with pytest.raises(
        lm_xl.Refused, match="was removed while draws were made: another run with the same output has ended"
    ):
        simulate(shipped, DRAWS, 1, store=tmp_path / "draws", progress=remove)


def test_what_only_goes_along_explains_nothing(shipped: Assumptions) -> None:
    """A correlated input without effect has no share, and a yes/no draw alone has all of it."""
    prices = ("MRI", "CSF cytology")
    two = changed(
        shipped, lambda r: r if r.quantity == "list_price" and r.keys.segment in prices else certain(r)
    )
    along = correlation(("list_price", "MRI", ""), ("list_price", "CSF cytology", ""), 0.7, "G6")
    shares = (
        simulate(replace(two, correlations=(along,)), DRAWS)
        .variance(segment="MRI")
        .set_index("input")["share"]
    )
    assert shares["list_price | MRI"] == pytest.approx(1, abs=0.05) and shares[
        "list_price | CSF cytology"
    ] == pytest.approx(0, abs=0.05)
    chance = simulate(replace(changed(shipped, certain), correlations=()), DRAWS).variance(
        segment="Rhenium-186 obisbemeda"
    )
    assert chance["input"][0].startswith("success | Rhenium") and chance["share"][0] == pytest.approx(
        1, abs=0.01
    )


def test_convergence_ends_at_the_result(spread: Assumptions, enough: lm_xl.Simulation) -> None:
    at, last = enough.at(), [9, 49, 89]
    assert enough.points.tolist() == [*range(BLOCK, ENOUGH - 100, BLOCK), ENOUGH - 100, ENOUGH]
    assert enough.convergence[0, -1, :, 0] == pytest.approx(
        [enough.mean[0, at, -1], *enough.percentiles[0, at, -1, last]], rel=1e-12
    )
    assert enough.convergence[0, -1, :, 1] == pytest.approx(
        [enough.mean_error[0, at, -1], *enough.percentile_errors[0, at, -1, last]], rel=1e-9
    )
    assert np.isnan(enough.convergence[0, : LEAST_BLOCKS - 1, :, 1]).all()
    whole = simulate(spread, LEAST_BLOCKS * BLOCK, 1)
    assert np.array_equal(enough.convergence[0, LEAST_BLOCKS - 1], whole.convergence[0, -1])


def test_less_than_a_block_has_no_shares_of_variance(shipped: Assumptions) -> None:
    one = simulate(shipped, 1)
    assert one.points.tolist() == [1] and one.convergence[0, 0, :, 0] == pytest.approx(
        [one.mean[0, one.at(), -1]] * 4, rel=1e-12
    )
    assert one.variance()["share"].isna().all() and np.isnan(one.convergence[0, 0, :, 1]).all()


@pytest.mark.slow
def test_a_run_stops_at_whole_blocks(shipped: Assumptions) -> None:
    n = 8 * BLOCK - 1
    result = simulate(shipped, n, stop_at=0.5)
    assert result.draws == n and not result.reached


def test_a_sweep_of_a_scenario_keeps_its_deltas_and_runs_their_names(shipped: Assumptions) -> None:
    swept = sweep(shipped, [Lever("list_price", "multiply", (1.2,), segment="MRI")], 300, 1, ["Base", "High"])
    plain = simulate(shipped, 300, 1, ["Base", "High"])
    for run, name in zip(swept.runs, plain.runs, strict=True):
        for label in ({"segment": "MRI"}, {"segment": "Therapeutics"}):
            ratio = 1.2 if label["segment"] == "MRI" else 1
            assert swept.percentile(0.9, 2035, run=run, **label) == pytest.approx(
                ratio * plain.percentile(0.9, 2035, run=name, **label), rel=1e-9
            )
    assert plain.percentile(0.9, 2035, run="High") > plain.percentile(0.9, 2035, run="Base")


@pytest.mark.parametrize(
    ("distribution", "quantity"),
    [
        ("beta", "lm_risk"),
        ("gamma", "list_price"),
        ("normal", "incidence_growth"),
        ("lognormal", "list_price"),
    ],
)
def test_single_rows_spread_as_stated(tmp_path: Path, distribution: str, quantity: str) -> None:
    def spread(sheets: dict[str, list[dict[str, Any]]]) -> None:
        for row in (
            r for rows in sheets.values() for r in rows if r.get("quantity") == quantity and "value" in r
        ):
            low, high = (
                (row["value"] - 0.02, row["value"] + 0.02)
                if quantity != "list_price"
                else (row["value"] * 0.9, row["value"] * 1.12)
            )
            row.update(distribution=distribution, low=low, high=high)

    a = lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=spread))
    plan = plan_of(a, ["Base"], 3)
    drawn = plan.scenarios[0].drawn[quantity]
    x = drawn.draw(
        plan.quantiles.at(
            np.concatenate([scores(plan.streams, plan.correlated, 3, b) for b in range(8)], axis=1)
        )
    )[:, -1]
    (group,) = drawn.single
    error = (group.ends[:, 1] - group.ends[:, 0]) / 2.5631031
    if distribution == "lognormal":
        assert np.percentile(x[group.places], 90, axis=1) / np.percentile(
            x[group.places], 10, axis=1
        ) == pytest.approx(1.12 / 0.9, rel=0.01)
    else:
        assert x[group.places].std(axis=1) == pytest.approx(error, rel=0.03)


def test_the_members_of_a_set_spread_together_as_stated() -> None:
    means, errors = np.array([0.5, 0.3, 0.2]), np.array([0.04, 0.03, 0.05])
    shares = np.random.default_rng(1).dirichlet(dirichlet_concentration(means, errors) * means, 200_000)
    assert shares.var(axis=0).sum() == pytest.approx((errors**2).sum(), rel=0.02)


@pytest.mark.parametrize(
    ("distribution", "kept"), [("beta", logit), ("normal", np.array), ("lognormal", np.log)]
)
def test_a_moving_row_keeps_its_path_in_a_draw(
    tmp_path: Path, distribution: str, kept: Callable[[Any], Any]
) -> None:
    def spread(sheets: dict[str, list[dict[str, Any]]]) -> None:
        for row in (
            r
            for rows in sheets.values()
            for r in rows
            if r.get("quantity") == "care_access" and r.get("2031")
        ):
            row.update(distribution=distribution, low=row["2031"] - 0.005, high=row["2031"] + 0.004)

    plan = plan_of(lm_xl.read_assumptions(small.workbook(tmp_path / "a.xlsx", change=spread)), ["Base"], 3)
    drawn = plan.scenarios[0].drawn["care_access"]
    (group,) = drawn.single
    x, path = (
        kept(v)
        for v in (
            drawn.draw(plan.quantiles.at(scores(plan.streams, plan.correlated, 3, 0)))[group.places],
            drawn.values[group.places],
        )
    )
    assert np.ptp(path) > 0.01 and np.ptp(x[:, -1]) > 0.005
    assert x - x[:, -1:] == pytest.approx(
        np.broadcast_to((path - path[:, -1:])[..., None], x.shape), abs=1e-9
    )
