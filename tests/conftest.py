from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small
from filelock import FileLock
from hypothesis import settings

import lm_xl

DRAWS = 1_024
"""Of the simulation that a built workbook shows: as few as its pages can do with."""

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def shared_file(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[..., Path]:
    """A file made by the first process that asks for it and used by all: shared_file(name, make)."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder if worker_id == "master" else folder.parent

    def made(name: str, make: Callable[[Path], object]) -> Path:
        path = folder / "shared" / name
        path.parent.mkdir(exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not path.exists():
                make(path)
        return path

    return made


@pytest.fixture(scope="session")
def small_path(shared_file: Callable[..., Path]) -> Path:
    return shared_file("small.xlsx", small.workbook)


@pytest.fixture(scope="session")
def small_assumptions(small_path: Path) -> lm_xl.Assumptions:
    return lm_xl.read_assumptions(small_path)


@pytest.fixture(scope="session")
def shipped() -> lm_xl.Assumptions:
    return lm_xl.read_assumptions()


@pytest.fixture(scope="session")
def small_built(small_assumptions: lm_xl.Assumptions, shared_file: Callable[..., Path]) -> Path:
    return shared_file("small_forecast.xlsx", lambda path: lm_xl.build(small_assumptions, path, draws=DRAWS))


@pytest.fixture(scope="session")
def distinct(shared_file: Callable[..., Path]) -> lm_xl.Assumptions:
    """Assumptions in which no two numbers of a page are alike."""
    return lm_xl.read_assumptions(
        shared_file("distinct.xlsx", lambda path: small.workbook(path, small.DISTINCT, small.distinct))
    )


@pytest.fixture(scope="session")
def distinct_built(distinct: lm_xl.Assumptions, shared_file: Callable[..., Path]) -> Path:
    return shared_file("distinct_forecast.xlsx", lambda path: lm_xl.build(distinct, path, draws=DRAWS))


@pytest.fixture(scope="session")
def spread_built(shared_file: Callable[..., Path]) -> Path:
    """A small deliverable with uncertain inputs."""

    def spread(records: dict[str, list[dict[str, Any]]]) -> None:
        for sheet, kinds in (
            ("Pricing", {"list_price": "lognormal"}),
            ("Epidemiology", {"lm_risk": "beta"}),
            ("Diagnosis", {"care_access": "beta"}),
        ):
            for row in (r for r in records[sheet] if r["quantity"] in kinds):
                value = row["value"] or row["2031"]
                row.update(distribution=kinds[row["quantity"]], low=value * 0.9, high=value * 1.1)

    def make(path: Path) -> None:
        a = lm_xl.read_assumptions(small.workbook(path.with_name("spread.xlsx"), change=spread))
        lm_xl.build(a, path, draws=DRAWS)

    return shared_file("spread_forecast.xlsx", make)


@pytest.fixture(scope="session")
def deliverable(shipped: lm_xl.Assumptions, shared_file: Callable[..., Path]) -> Path:
    return shared_file("lm_forecast.xlsx", lambda path: lm_xl.build(shipped, path, draws=DRAWS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without LibreOffice its tests are left out, but never in CI."""
    for item in items:
        if item.get_closest_marker("libreoffice") and not (shutil.which("soffice") or os.environ.get("CI")):
            item.add_marker(pytest.mark.skip(reason="LibreOffice is not installed"))


LEFT = pytest.StashKey[list[str]]()


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow"):
            item.config.stash.setdefault(LEFT, []).append(item.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells the process that started it what it left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left"] = session.config.stash.get(LEFT, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The process that started a worker hears what it left out; each leaves out the same."""
    node.config.stash[LEFT] = getattr(node, "workeroutput", {}).get("left", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left = config.stash.get(LEFT, [])
    if left:
        terminalreporter.write_line(
            f"{len(left)} tests that take minutes were left to: python -m pytest -m slow"
        )
        for name in left:
            terminalreporter.write_line(f"  {name}")
