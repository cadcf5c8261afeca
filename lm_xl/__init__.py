"""lm_xl: a market model for leptomeningeal metastases that lives in Excel and in Python at once.

    >>> import lm_xl
    >>> results = lm_xl.forecast(lm_xl.read_assumptions())
    >>> results.patients("Europe", 2030)  # doctest: +SKIP
    >>> lm_xl.LM_PATIENTS("Europe", 2030)  # doctest: +SKIP

The Excel functions are here under their own names, LM_PATIENTS and all the others.

Importing this package imports nothing heavier than itself; numpy and openpyxl come with the first call that needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lm_xl.version import __version__

if TYPE_CHECKING:
    from lm_xl.assumptions import Assumptions
    from lm_xl.axes import UnknownLabel
    from lm_xl.comparison import Comparison, compare
    from lm_xl.difference import Difference, diff
    from lm_xl.drivers import Bridge, bridge
    from lm_xl.faults import Fault, Refused
    from lm_xl.functions.calls import CallError
    from lm_xl.model import IdentityError, forecast
    from lm_xl.reader import read_assumptions, with_scenario
    from lm_xl.results import Results
    from lm_xl.simulation import Lever, Simulation, load_simulation, simulate, sweep
    from lm_xl.swings import Tornado, tornado
    from lm_xl.verification import verify
    from lm_xl.workbook.build import build

_HOMES = {
    "CallError": "functions.calls",
    "Assumptions": "assumptions",
    "read_assumptions": "reader",
    "with_scenario": "reader",
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
    "Comparison": "comparison",
    "compare": "comparison",
    "Bridge": "drivers",
    "bridge": "drivers",
    "Tornado": "swings",
    "tornado": "swings",
    "Difference": "difference",
    "diff": "difference",
}

__all__ = [
    "Assumptions", "Bridge", "CallError", "Comparison", "Difference", "Fault", "IdentityError", "Lever", "Refused", "Results", "Simulation", "Tornado", "UnknownLabel", "__version__",
    "bridge", "build", "compare", "diff", "forecast", "load_simulation", "read_assumptions", "simulate", "sweep", "tornado", "verify", "with_scenario",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name.startswith("LM_"):
        from lm_xl.functions.plain import PLAIN

        if name in PLAIN:
            return PLAIN[name]
    if name in _HOMES:
        return getattr(import_module(f"lm_xl.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'lm_xl' has no attribute {name!r}")
