"""Impossible spreads and correlations are refused where assumptions come in, and not looked for again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small

import lm_xl
from lm_xl.assumptions import spreads
from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.read import checked
from lm_xl.assumptions.spreads import EXCLUSIVE, uncertain_inputs
from lm_xl.forecasts import tornado
from lm_xl.uncertainty.sweep import with_levers

DELAY = {
    "quantity": "trial_delay",
    "segment": "New drug",
    "operation": "add",
    "amount": 46,
    "source": "TEST",
    "status": "expert",
    "reason": "late",
}
"""A launch so late that the spread of its delay leaves 0 to 50, where the delay itself does not."""
WORDS = r"'pert' with low 0 and high 6 reaches 282 in scenario '.*', outside 0 to 50"


def workbook(folder: Path, *deltas: dict[str, Any]) -> Path:
    def change(sheets: dict[str, list[dict[str, Any]]]) -> None:
        for row in (r for r in sheets["Launches"] if r["quantity"] == "trial_delay"):
            row.update(value=1, low=0, high=6, distribution="pert")
        sheets["Scenarios"] += [{"scenario": "High", "region": "", "subtype": "", **d} for d in deltas]

    return small.workbook(folder / "spread.xlsx", change=change)


@pytest.fixture
def spread(tmp_path: Path) -> Assumptions:
    return lm_xl.read_assumptions(workbook(tmp_path))


LEVER = lm_xl.Lever("trial_delay", "add", (1, 46), segment="New drug")


def changed(a: Assumptions) -> Assumptions:
    late = lm_xl.with_scenario(a, "Late", [{**DELAY, "amount": 2}])
    return checked(replace(late, deltas=(*late.deltas[:-1], replace(late.deltas[-1], amount=46.0))))


DOORS: dict[str, Callable[[Assumptions, Path], object]] = {
    "read": lambda _, folder: lm_xl.read_assumptions(workbook(folder, DELAY)),
    "scenario": lambda a, _: lm_xl.with_scenario(a, "Late", [DELAY]),
    "levers": lambda a, _: with_levers(a, [LEVER]),
    "sweep": lambda a, _: lm_xl.sweep(a, [LEVER], 10, 1),
    "changed": lambda a, _: changed(a),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_spread_that_a_scenario_carries_away_is_refused_at_every_door(
    spread: Assumptions, tmp_path: Path, door: str
) -> None:
    with pytest.raises(lm_xl.Refused, match=WORDS) as refused:
        DOORS[door](spread, tmp_path)
    assert [f.sheet for f in refused.value.faults] == ["Launches"]


def test_what_was_validated_is_not_validated_again(
    shipped: Assumptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: Counter[str] = Counter()

    def counted(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def count(*given: Any, **named: Any) -> Any:
            calls[name] += 1
            return original(*given, **named)

        monkeypatch.setattr(owner, name, count)

    for owner, name in ((spreads, "refusal"), (np.linalg, "eigvalsh"), (tornado, "rule_faults")):
        counted(owner, name)
    lm_xl.forecast(shipped)
    lm_xl.simulate(shipped, 10, scenarios=shipped.axes.scenarios[:2])
    assert not calls
    found = lm_xl.tornado(shipped)
    competing = [s for s in found.swings if shipped.rows[s.rows[0]].quantity in EXCLUSIVE]
    assert calls == {"rule_faults": 2 * len(competing)} and len(competing) < len(uncertain_inputs(shipped))
    checked(shipped)
    assert calls["refusal"] > 100 and calls["eigvalsh"] > 0
