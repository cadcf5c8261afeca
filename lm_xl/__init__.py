"""lm_xl: a market model for leptomeningeal metastases that lives in Excel and in Python at once.

    >>> import lm_xl
    >>> results = lm_xl.forecast(lm_xl.read_assumptions())
    >>> results.patients("Europe", 2030)  # doctest: +SKIP

Importing this package imports nothing heavier than itself; numpy and openpyxl come with the first call that needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lm_xl.version import __version__

if TYPE_CHECKING:
    from lm_xl.assumptions import Assumptions
    from lm_xl.axes import UnknownLabel
    from lm_xl.faults import Fault, Refused
    from lm_xl.model import IdentityError, forecast
    from lm_xl.reader import read_assumptions
    from lm_xl.results import Results
    from lm_xl.simulation import Lever, Simulation, load_simulation, simulate, sweep
    from lm_xl.verification import verify
    from lm_xl.workbook.build import build

_HOMES = {
    "Assumptions": "assumptions",
    "read_assumptions": "reader",
    "UnknownLabel": "axes",
    "Fault": "faults",
    "Refused": "faults",
    "IdentityError": "model",
    "forecast": "model",
    "Results": "results",
    "simulate": "simulation",
    "sweep": "simulation",
    "Lever": "simulation",
    "Simulation": "simulation",
    "load_simulation": "simulation",
    "verify": "verification",
    "build": "workbook.build",
}

__all__ = [
    "Assumptions", "Fault", "IdentityError", "Lever", "Refused", "Results", "Simulation", "UnknownLabel", "__version__",
    "build", "forecast", "load_simulation", "read_assumptions", "simulate", "sweep", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"lm_xl.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'lm_xl' has no attribute {name!r}")
