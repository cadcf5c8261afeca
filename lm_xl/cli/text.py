"""Numbers, lines, tables and JSON as text for the terminal. Each text ends with the end of its last line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

UNLIMITED = 100_000
"""Characters that a line of a table may take: none is broken to fit the terminal."""


class Scale(NamedTuple):
    """The unit in which a table shows numbers, and how many of the model's it holds."""

    unit: str
    factor: float

    def amount(self, value: float) -> str:
        """A number of the model: millions with one decimal, others without."""
        return f"{value / self.factor:,.{1 if self.factor > 1 else 0}f}"

    def signed(self, value: float) -> str:
        """With its sign; 0 where nothing happens, and 0.000 where next to nothing does."""
        shown = value / self.factor
        return "0" if shown == 0 else "0.000" if abs(shown) < 0.0005 else f"{shown:+,.3f}"


def scale_of(unit: str) -> Scale:
    """Money in millions, anything else as it is."""
    return Scale("USD million", 1e6) if unit == "USD" else Scale(unit, 1)


def percent(value: float) -> str:
    """A relative change with its sign, n/a where there is none."""
    return "n/a" if value != value else f"{value:+.1%}"


def lines(texts: Iterable[str]) -> str:
    """Texts, each on a line of its own."""
    return "".join(f"{text}\n" for text in texts)


def as_json(content: object) -> str:
    """JSON, in which a number that there is none of is null."""
    return json.dumps(_with_null(content), indent=1, ensure_ascii=False) + "\n"


def _with_null(content: object) -> object:
    if isinstance(content, dict):
        return {key: _with_null(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_with_null(value) for value in content]
    return None if isinstance(content, float) and content != content else content


def table(
    title: str,
    words: Sequence[str],
    numbers: Sequence[str],
    rows: Sequence[Sequence[str]],
    after: Sequence[str] = (),
) -> str:
    """A table: columns of words, of numbers, and of words after them. It is as wide as its content."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for name in words:
        shown.add_column(name)
    for name in numbers:
        shown.add_column(name, justify="right")
    for name in after:
        shown.add_column(name)
    for row in rows:
        shown.add_row(*row)
    # Labels may hold brackets and colons, which are no markup here.
    console = Console(width=UNLIMITED, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(shown)
    return captured.get()
