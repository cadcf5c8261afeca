"""What Excel waits for when Python starts: the functions load what they need to answer, and no more."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"openpyxl", "scipy", "formualizer", "lxml", "http.client", "ssl", "email.message"}


def test_the_functions_for_excel_load_nothing_heavy() -> None:
    code = "import sys, lm_xl.functions.com; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())
