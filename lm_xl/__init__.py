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
    from lm_xl.assumptions.assumptions import Assumptions
    from lm_xl.assumptions.read import read_assumptions, with_scenario
    from lm_xl.faults import CallError, Fault, IdentityError, Refused, UnknownLabel
    from lm_xl.forecasts.bridge import Bridge, bridge
    from lm_xl.forecasts.compare import Comparison, compare
    from lm_xl.forecasts.diff import Difference, diff
    from lm_xl.forecasts.forecast import forecast
    from lm_xl.forecasts.results import Results
    from lm_xl.forecasts.tornado import Tornado, tornado
    from lm_xl.uncertainty.simulate import simulate
    from lm_xl.uncertainty.simulation import Simulation, load_simulation
    from lm_xl.uncertainty.sweep import Lever, sweep
    from lm_xl.workbook.build import build
    from lm_xl.workbook.verify import verify

_HOMES = {
    "CallError": "faults",
    "Fault": "faults",
    "IdentityError": "faults",
    "Refused": "faults",
    "UnknownLabel": "faults",
    "Assumptions": "assumptions.assumptions",
    "read_assumptions": "assumptions.read",
    "with_scenario": "assumptions.read",
    "forecast": "forecasts.forecast",
    "Results": "forecasts.results",
    "Comparison": "forecasts.compare",
    "compare": "forecasts.compare",
    "Bridge": "forecasts.bridge",
    "bridge": "forecasts.bridge",
    "Tornado": "forecasts.tornado",
    "tornado": "forecasts.tornado",
    "Difference": "forecasts.diff",
    "diff": "forecasts.diff",
    "Lever": "uncertainty.sweep",
    "Simulation": "uncertainty.simulation",
    "load_simulation": "uncertainty.simulation",
    "simulate": "uncertainty.simulate",
    "sweep": "uncertainty.sweep",
    "build": "workbook.build",
    "verify": "workbook.verify",
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
