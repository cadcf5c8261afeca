from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import small
from hypothesis import settings

import lm_xl

settings.register_profile("repeatable", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def small_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.workbook(tmp_path_factory.mktemp("small") / "small.xlsx")


@pytest.fixture(scope="session")
def small_assumptions(small_path: Path) -> lm_xl.Assumptions:
    return lm_xl.read_assumptions(small_path)


@pytest.fixture(scope="session")
def shipped() -> lm_xl.Assumptions:
    return lm_xl.read_assumptions()


@pytest.fixture(scope="session")
def small_built(small_assumptions: lm_xl.Assumptions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "small_forecast.xlsx"
    lm_xl.build(small_assumptions, path)
    return path


@pytest.fixture(scope="session")
def deliverable(shipped: lm_xl.Assumptions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("deliverable") / "lm_forecast.xlsx"
    lm_xl.build(shipped, path)
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without LibreOffice its tests are left out, but never in CI."""
    if shutil.which("soffice") or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("libreoffice"):
            item.add_marker(pytest.mark.skip(reason="LibreOffice is not installed"))
