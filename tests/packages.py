"""What differs between two packages, numbers apart from their last digits, which depend on the processor."""

from __future__ import annotations

import math
import re
import zipfile
from pathlib import Path

SAME, RESIDUE = 1e-9, 1e-6
"""Two stored values are one if they differ by less than this share of them, or are both less than a residue."""

STORED = re.compile(rb"<v>([^<]*)</v>")


def differing(one: Path, other: Path) -> list[str]:
    """The parts that only one of two packages has, or that differ in more than the last digits of stored values."""
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        names = first.namelist()
        assert names == second.namelist()
        return [name for name in names if not _alike(first.read(name), second.read(name))]


def _alike(one: bytes, other: bytes) -> bool:
    if one == other:
        return True
    first, second = STORED.split(one), STORED.split(other)
    if len(first) != len(second) or first[::2] != second[::2]:
        return False
    return all(_near(a, b) for a, b in zip(first[1::2], second[1::2], strict=True))


def _near(one: bytes, other: bytes) -> bool:
    if one == other:
        return True
    try:
        x, y = float(one), float(other)
    except ValueError:
        return False
    return math.isclose(x, y, rel_tol=SAME) or max(abs(x), abs(y)) < RESIDUE
