"""A handle names what was typed: no processor changes it, or every stored cell Model would be unknown elsewhere."""

from __future__ import annotations

import dataclasses
import os
import platform
import subprocess
import sys
from pathlib import Path

import lm_xl
from lm_xl.functions.answers import call
from lm_xl.functions.models import STORE, Model

CODE = """
import sys
import lm_xl
from lm_xl.functions.answers import call
from lm_xl.functions.models import STORE, Model
for a in (lm_xl.read_assumptions(), lm_xl.read_assumptions(sys.argv[1])):
    handles = [Model(a, s).handle for s in a.axes.scenarios]
    what_if = call("LM_WHATIF", [STORE.put(Model(a, "High")), "list_price", 1.1])
    print(*handles, what_if, a.fingerprint, a.uncertainty)
"""
FEATURES = "from numpy._core._multiarray_umath import __cpu_dispatch__ as d, __cpu_features__ as f; print(*(n for n in d if f[n]))"


def printed(code: str, *arguments: str, **environment: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_handle_does_not_depend_on_the_processor(
    shipped: lm_xl.Assumptions, small_assumptions: lm_xl.Assumptions, small_path: Path
) -> None:
    core = "ARMV8" if platform.machine() in ("aarch64", "arm64") else "Nehalem"
    features = printed(FEATURES)
    plain = printed(CODE, str(small_path), NPY_DISABLE_CPU_FEATURES=features, OPENBLAS_CORETYPE=core)
    for a, line in zip((shipped, small_assumptions), plain.splitlines(), strict=True):
        handles = [Model(a, scenario).handle for scenario in a.axes.scenarios]
        handles.append(call("LM_WHATIF", [STORE.put(Model(a, "High")), "list_price", 1.1]))
        assert line.split() == [*handles, a.fingerprint, a.uncertainty]
        assert len(set(handles)) == len(handles)


def test_a_handle_needs_no_computed_number(shipped: lm_xl.Assumptions) -> None:
    unplaced = dataclasses.replace(shipped, covers={})  # without it no quantity has a value
    handle = Model(shipped, "Base").handle
    assert Model(unplaced, "Base").handle == handle
    row = shipped.rows[0]
    edited = dataclasses.replace(row, inputs=tuple(x + 1 for x in row.inputs))
    assert Model(dataclasses.replace(unplaced, rows=(edited, *shipped.rows[1:])), "Base").handle != handle
