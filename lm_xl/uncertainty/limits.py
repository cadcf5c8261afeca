"""How many draws a simulation makes, if it is not told, and at most."""

from __future__ import annotations

DRAWS = 10_000
"""Draws of a simulation that is not told how many."""
SEED = 1
"""The seed of one that is not told which."""
MOST_DRAWS = 10_000_000
"""Draws of a simulation at most."""
