"""Faults: what is wrong with an input, where, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong: the file, the sheet and cell where they are known, and a sentence with the value and what is allowed."""

    file: str
    sheet: str
    cell: str
    message: str

    def __str__(self) -> str:
        place = f"{self.sheet}!{self.cell}" if self.cell else self.sheet
        return f"{self.file}{', ' if place else ''}{place}: {self.message}"


class WrongUsage(ValueError):
    """An argument that has no effect beside the others, or contradicts them. The message says why."""


class Refused(Exception):
    """An input that is refused, with every fault found in it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(dict.fromkeys(faults))
        super().__init__("\n".join(str(f) for f in self.faults))


class UnknownLabel(KeyError):
    """A label that an axis does not have. The message names the nearest one that it does."""

    def __str__(self) -> str:
        return str(self.args[0])


class IdentityError(ArithmeticError):
    """The forecast breaks an identity of the model. The message names which, where, and the numbers."""


class EngineMissing(RuntimeError):
    """An engine that is not installed here. The message says how to get it."""


class Disagreement(ArithmeticError):
    """An engine and Python give different values. The message names the cells."""


class CallError(ValueError):
    """A call without an answer: the error value that a cell shows, and why, in words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code

    def __reduce__(self) -> tuple[type[CallError], tuple[str, str]]:
        return CallError, (self.code, str(self))
