"""What a developer runs, in the environment that is active: nox -l lists it, nox -s check test runs some of it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import nox

NUMERIC = ("tests/model", "tests/forecasts", "tests/uncertainty", "tests/workbook/test_plan.py")
"""The tests whose numbers another processor may compute in another order."""

nox.options.default_venv_backend = "none"
nox.options.sessions = ["check", "test"]


@nox.session
def check(session: nox.Session) -> None:
    """Style, format, types, and whether the lock holds every requirement."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("python", "-m", "pytest", "-n", "0", "tests/test_lock.py")


@nox.session
def test(session: nox.Session) -> None:
    """The tests that answer in a few minutes; arguments after -- go to pytest."""
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """The tests that take minutes."""
    session.run("python", "-m", "pytest", "-m", "slow", *session.posargs)


@nox.session
def plain(session: nox.Session) -> None:
    """The tests of what numpy computes, with the plainest code that numpy and OpenBLAS have, as on another processor."""
    found = session.run(
        "python",
        "-c",
        "from numpy._core._multiarray_umath import __cpu_dispatch__ as d, __cpu_features__ as f\n"
        "print(*(name for name in d if f[name]))",
        silent=True,
    )
    cores = {"x86_64": "Nehalem", "AMD64": "Nehalem", "aarch64": "ARMV8", "arm64": "ARMV8"}
    environment = {
        "NPY_DISABLE_CPU_FEATURES": str(found).strip(),
        "OPENBLAS_CORETYPE": cores[platform.machine()],
    }
    session.log(f"without {environment['NPY_DISABLE_CPU_FEATURES']}, {environment['OPENBLAS_CORETYPE']}")
    session.run("python", "-m", "pytest", *NUMERIC, *session.posargs, env=environment)


@nox.session
def docs(session: nox.Session) -> None:
    """Write the pages of the functions and of the hosts, and the tables of the reconciliation again."""
    for command, page in ((("-m", "lm_xl.functions.reference"), "functions"), (("tests/hosts.py",), "hosts")):
        text = session.run("python", *command, silent=True)
        Path(f"docs/{page}.md").write_text(str(text), encoding="utf-8")
    session.run("python", "-m", "lm_xl.workbook.reconciled")


@nox.session
def templates(session: nox.Session) -> None:
    """Build the shipped templates again."""
    for name, host in (("lm_template.xlsm", ()), ("lm_template_lite.xlsx", ("--lite",))):
        session.run("lm-xl", "template", "--force", "-o", os.path.join("workbooks", name), *host)  # noqa: PTH118


@nox.session
def equal(session: nox.Session) -> None:
    """Whether numbers and workbooks are those of another revision, to the bit: nox -s equal -- REVISION."""
    session.run("python", "tests/bit_equality.py", *session.posargs)
