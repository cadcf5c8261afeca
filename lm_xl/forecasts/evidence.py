"""What a number rests on: how much of its swing comes from rows of each status."""

from __future__ import annotations

import math

from lm_xl.assumptions.columns import STATUSES
from lm_xl.forecasts.tornado import Tornado

FIRST_INPUTS = 25
"""Inputs among which placeholders are counted: those that move the number most."""
PLACEHOLDER = STATUSES[-1]


def evidence_weights(found: Tornado) -> dict[str, float]:
    """The share of a tornado's whole swing that rests on sourced, derived, expert and placeholder rows; they sum to 1.

    An input's swing is split evenly over its rows, since they move together and the tornado does not tell them apart: a region's row
    counts as much as that of all the others. Without any swing there are no weights, {}.
    """
    rows = found.assumptions.rows
    parts = [(rows[i].status, s.swing / len(s.rows)) for s in found.swings for i in s.rows]
    whole = math.fsum(part for _, part in parts)
    if whole == 0:
        return {}
    return {status: math.fsum(part for of, part in parts if of == status) / whole for status in STATUSES}


def placeholder_inputs(found: Tornado) -> int:
    """How many of the first FIRST_INPUTS inputs have a row that is a placeholder."""
    rows = found.assumptions.rows
    return sum(any(rows[i].status == PLACEHOLDER for i in s.rows) for s in found.swings[:FIRST_INPUTS])
