"""The lock: every requirement of every extra is pinned, to a version that its range allows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKED = {
    str(canonicalize_name(name)): version
    for line in (ROOT / ".ci" / "constraints.txt").read_text().splitlines()
    if (found := re.fullmatch(r"([\w.-]+)==(\S+)", line))
    for name, version in [found.groups()]
}


def test_the_lock_holds_every_requirement() -> None:
    named = [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]
    named += [r for extra in PROJECT["project"]["optional-dependencies"].values() for r in extra]
    required = [Requirement(r) for r in named if not r.startswith("lm-xl[")]
    assert len(required) > 20
    wrong = {
        str(r): LOCKED.get(canonicalize_name(r.name), "not pinned")
        for r in required
        if not r.specifier.contains(LOCKED.get(canonicalize_name(r.name), "0.dev0"))
    }
    assert not wrong
