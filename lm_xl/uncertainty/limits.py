"""The arguments of a simulation: how many draws, if it is not told, and at most."""

from __future__ import annotations

from numbers import Integral

from lm_xl.faults import Fault, Refused

DRAWS = 10_000
"""Draws of a simulation that is not told how many."""
SEED = 1
"""The seed of one that is not told which."""
MOST_DRAWS = 10_000_000
"""Draws of a simulation at most."""


LEAST_BLOCKS = 8
"""Whole blocks below which no error is told and no run stops: the scatter of fewer says little of it."""


def refusal_of(name: str, message: str) -> Refused:
    """An argument that is refused, or a folder that one names."""
    return Refused([Fault(name, "", "", message)])


def whole_number(name: str, value: object, least: int, most: int) -> int:
    """A whole number in a range. Raises Refused."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not least <= int(value) <= most:
        raise refusal_of(name, f"{value!r} is not a whole number from {least:,} to {most:,}")
    return int(value)
