"""How many draws a simulation makes, if it is not told, and at most."""

from __future__ import annotations

MOST_DRAWS = 10_000_000
"""Draws of a simulation."""
