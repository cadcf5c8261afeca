"""What a rule is: a function whose docstring is its sentence, with its id beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from lm_xl.audit.book import Book

Found = tuple[str, str, str]
"""Sheet, cell and message of one breach."""


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
