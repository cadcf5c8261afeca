"""A handle names what was typed: no processor changes it, or every stored cell Model would be unknown elsewhere."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import lm_xl
from lm_xl.functions.models import Model

CODE = """
import lm_xl
from lm_xl.functions.models import Model
a = lm_xl.read_assumptions()
print(*(Model(a, s).handle for s in a.axes.scenarios), a.fingerprint, a.uncertainty)
"""
FEATURES = "from numpy._core._multiarray_umath import __cpu_dispatch__ as d, __cpu_features__ as f; print(*(n for n in d if f[n]))"


def printed(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_handle_does_not_depend_on_the_processor(shipped: lm_xl.Assumptions) -> None:
    core = "ARMV8" if platform.machine() in ("aarch64", "arm64") else "Nehalem"
    plain = printed(CODE, NPY_DISABLE_CPU_FEATURES=printed(FEATURES), OPENBLAS_CORETYPE=core)
    handles = [Model(shipped, scenario).handle for scenario in shipped.axes.scenarios]
    assert plain.split() == [*handles, shipped.fingerprint, shipped.uncertainty]
    assert len(set(handles)) == len(handles)
