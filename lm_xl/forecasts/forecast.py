"""Run the model on some assumptions."""

from __future__ import annotations

from collections.abc import Sequence

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.faults import WrongUsage
from lm_xl.forecasts.identities import check_identities
from lm_xl.forecasts.results import Results
from lm_xl.model.evaluate import evaluate


def forecast(assumptions: Assumptions, scenario: str | Sequence[str] | None = None) -> Results:
    """The forecast of one scenario, or of several on the run axis; without a name, of the workbook's default.

    Outputs have the axes (run, region, segment, subtype, year); money is in nominal USD, people are counts a year.
    Raises UnknownLabel for a scenario that the workbook does not have, WrongUsage for a list of none, IdentityError where the result breaks an identity.
    """
    axes = assumptions.axes
    if scenario is None:
        scenario = axes.default
    names = [scenario] if isinstance(scenario, str) else list(scenario)
    if not names:
        raise WrongUsage(f"no scenario is given: leave it out for {axes.default!r}")
    runs = tuple(axes.scenario(name) for name in names)
    outputs = evaluate(assumptions.inputs(runs), assumptions.structure())
    results = Results(assumptions, runs, outputs)
    check_identities(results)
    return results
