"""What small hostile files cost: each in a process of its own, whose CPU time and memory the system counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile import HOSTILE, READERS, cost

SECONDS, MEGABYTES = 20, 500
"""What a reader may take of a file below LARGEST. The aim is 5 seconds, which a busy machine may triple."""
LARGEST = 5_000_000


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="this system does not count what a process used"
)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_little(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.xlsx"
    HOSTILE[name](path)
    assert path.stat().st_size < LARGEST
    for reader in READERS:
        seconds, megabytes, code, told = cost(reader, path)
        assert code in (1, 3) and "Traceback" not in told, told
        assert seconds < SECONDS and megabytes < MEGABYTES, (reader, seconds, megabytes, told)
