"""The Python with lm_xl that answers an add-in: a process of its own, asked and answering in lines of JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from typing import Any

VARIABLE = "LM_XL_PYTHON"
"""The environment variable that names another Python than the one which built the add-in."""
PAUSE = 30
"""Seconds for which no cell asks again after Python could not be started: each attempt takes long, and a workbook has many cells."""
PATIENCE = 120
"""Seconds that Python may take to start."""
SERVE = """
import sys
path, host = sys.argv[1:]
sys.path[:0] = [path] if path else []
import lm_xl
sys.path.extend([sys.path.pop(0)] if path else [])
from lm_xl.functions.oxt.worker import serve
serve(host)
"""
"""What Python runs. The folder of the lm_xl that built the add-in goes first for that import alone: nothing else in it hides a module."""
AGAIN = "build the add-in again with lm-xl addin build-oxt"
_NO_WINDOW = 0x08000000


class NotRunning(Exception):
    """Python does not answer. The message says why, and what to do."""


class Engine:
    """Starts Python when it is first asked, and once more where it has ended since."""

    def __init__(self, version: str, python: str, path: str, host: str) -> None:
        self._version, self._python, self._path, self._host = version, python, path, host
        self._process: Any = None
        self._fault, self._tried = "", float("-inf")
        self.starts = 0
        """How often it was started: a new process knows no model of the one before."""

    def ask(self, name: str, arguments: list[Any]) -> dict[str, Any]:
        """What `answered` of the worker says of a call. Raises NotRunning."""
        if self._process is not None:
            try:
                return self._exchange(name, arguments)
            except (OSError, ValueError):
                self.stop()
        self._start()
        try:
            return self._exchange(name, arguments)
        except (OSError, ValueError):
            raise self._failed("ended while it answered") from None

    def stop(self) -> str:
        """End the process, if there is one. Returns the last line that it left behind."""
        if self._process is None:
            return ""
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with suppress(OSError):  # what was not sent can no longer be
                stream.close()
        self._process = None
        return lines[-1] if lines else "it said nothing"

    def _exchange(self, name: str, arguments: list[Any]) -> dict[str, Any]:
        self._process.stdin.write(json.dumps([name, arguments]).encode() + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def _start(self) -> None:
        if self._fault and time.monotonic() - self._tried < PAUSE:
            raise NotRunning(self._fault)
        self._fault, self._tried = "", time.monotonic()
        named = os.environ.get(VARIABLE, "")
        python = shutil.which(named or self._python)
        if python is None:
            whose = f"the variable {VARIABLE} names" if named else "the add-in was built with"
            raise self._refused(f"there is no Python {named or self._python}, which {whose}: {AGAIN}")
        # What LibreOffice sets for its own Python would mislead another one.
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
        try:
            self._process = subprocess.Popen(
                [python, "-c", SERVE, "" if named else self._path, self._host],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={**environment, "PYTHONSAFEPATH": "1"},
                creationflags=_NO_WINDOW if os.name == "nt" else 0,
            )
        except OSError as error:
            self._errors.close()
            raise self._refused(f"{python} cannot be started ({error.strerror}): {AGAIN}") from None
        self.starts += 1
        self._greet(python)

    def _greet(self, python: str) -> None:
        """Wait for the process to name its version, which must be that of the add-in."""
        late = threading.Timer(PATIENCE, self._process.kill)
        late.start()
        try:
            version = json.loads(self._process.stdout.readline())["lm_xl"]
        except (ValueError, KeyError, TypeError):
            raise self._failed(f"{python} does not run lm_xl") from None
        finally:
            late.cancel()
        if version != self._version:
            self.stop()
            had = f"{python} has lm_xl {version}, and the add-in was built by {self._version}"
            raise self._refused(f"{had}: {AGAIN}")

    def _failed(self, words: str) -> NotRunning:
        return self._refused(f"{words} ({self.stop()}): {AGAIN}")

    def _refused(self, words: str) -> NotRunning:
        self._fault = words
        return NotRunning(words)
