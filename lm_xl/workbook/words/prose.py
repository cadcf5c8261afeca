"""The words that a reader of a workbook sees, from the text files beside this module. No values: those live in the workbook.

Each file maps keys to texts; in a text a line break counts as a space, and a name in braces is filled in when it is written.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Claim:
    """What is claimed of the market: the quantities that carry it, and what they move."""

    statement: str
    quantities: tuple[str, ...]
    """Names of `QUANTITIES`."""
    moves: str


@cache
def texts(file: str) -> dict[str, str]:
    """Every text of a file by its key, in the file's order."""
    return {key: _joined(file, key, found) for key, found in _content(file).items()}


def text(file: str, key: str, **filled: object) -> str:
    """One text of a file, its names in braces filled in. Raises LookupError where the file has no such key, or the text a name too many."""
    found: str = _of(file, texts(file), key)
    try:
        return found.format(**filled) if filled else found
    except KeyError as name:
        raise LookupError(f"{file}.toml: in {key!r} nothing fills in {name}") from None


def in_words(note: str) -> str:
    """A note that begins with arithmetic without it: what it comes to, then the words."""
    said = re.sub(r"^[-\d\s.,()x/*^+]+= ?([-\d.,]+): ", r"\1: ", note)
    return said[:1].upper() + said[1:]


@cache
def claims() -> tuple[Claim, ...]:
    """The claims in their order, as the sheet of drivers shows them."""
    file = "claims"
    found = []
    for i, entry in enumerate(_of(file, _content(file), "claims"), 1):
        statement, moves = (
            _joined(file, f"{key} of claim {i}", _of(file, entry, key)) for key in ("statement", "moves")
        )
        found.append(Claim(statement, tuple(_of(file, entry, "quantities")), moves))
    return tuple(found)


def _content(file: str) -> dict[str, Any]:
    """A file as its format has it. It may stand in a zip, so it is no path."""
    content = files(__package__).joinpath(f"{file}.toml").read_text(encoding="utf-8")
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}.toml: {error}") from error


def _of(file: str, content: dict[str, Any], key: str) -> Any:
    if key not in content:
        raise LookupError(f"{file}.toml: there is no {key!r}")
    return content[key]


def _joined(file: str, key: str, found: object) -> str:
    """A text on one line."""
    if not isinstance(found, str) or not found.strip():
        raise ValueError(f"{file}.toml: {key!r} is no text")
    return " ".join(found.split())
