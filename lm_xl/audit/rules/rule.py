"""What a rule is: a function whose docstring is its sentence, with its id beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from lm_xl.audit.book import Book, StoredCell

MOST_STEPS = 10_000_000
"""Cells, areas and references that one rule looks at in search of one thing, again and again where they overlap."""

Found = tuple[str, str, str]
"""Sheet, cell and message of one breach."""


class TooMuch(Exception):
    """More than a rule looks at: the sheet, the cell or "", and what was not looked at."""

    def __init__(self, *found: str) -> None:
        super().__init__(*found)
        self.found: Found = (found[0], found[1], found[2])


class Steps:
    """Counts what a rule looks at, and ends the rule where it is too much. `what` was not looked at further then."""

    def __init__(self, what: str, most: int = 0) -> None:
        self.what, self.most = what, most or MOST_STEPS
        self.taken = 0

    def take(self, count: int, sheet: str, cell: StoredCell | None = None) -> None:
        """Take so many steps on a sheet, perhaps for a cell. Raises TooMuch."""
        self.taken += count
        if self.taken > self.most:
            message = f"more than {self.most:,} {self.what}: the rest was not looked at"
            raise TooMuch(sheet, cell.address if cell else "", message)


@dataclass(frozen=True)
class Rule:
    """A rule: its id, and the function that finds its breaches."""

    name: str
    breaches: Callable[[Book], Iterator[Found]]

    @property
    def sentence(self) -> str:
        return " ".join((self.breaches.__doc__ or "").split())


def rule(name: str) -> Callable[[Callable[[Book], Iterator[Found]]], Rule]:
    """Make a function the rule with an id, such as W01."""
    return partial(Rule, name)
