"""Labels as people type them: how two are compared, which valid one is nearest, and what is odd in one."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches

RENAMED = {"primary": "subtype", "other_primary": "other_subtype"}
"""Names that workbooks may still have, and what they are called now."""


def folded(label: str) -> str:
    """The form in which labels are compared: outer blanks and case do not matter, nothing else is forgiven."""
    return label.strip().casefold()


def nearest(wrong: str, valid: list[str] | tuple[str, ...]) -> str:
    """A half-sentence naming the valid label nearest to a wrong one, or the first few there are."""
    renamed = RENAMED.get(folded(wrong), "")
    if renamed in valid:
        return f"it is called {renamed!r} now"
    by_fold = {folded(v): v for v in valid}
    close = get_close_matches(folded(wrong), list(by_fold), n=1, cutoff=0.6)
    if close:
        return f"nearest is {by_fold[close[0]]!r}"
    shown = ", ".join(repr(v) for v in list(valid)[:6])
    return f"allowed: {shown}{', ...' if len(valid) > 6 else ''}" if valid else "none is defined"


def first_of_several(words: Sequence[str], most: int = 5) -> str:
    """The first words of a list, and how many more there are."""
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def odd_characters(text: str) -> str:
    """Half a sentence naming the characters of a text that are not plain ASCII, or ""."""
    odd = [
        f"U+{ord(c):04X} {unicodedata.name(c, 'control character').lower()}"
        for c in dict.fromkeys(text)
        if ord(c) > 126 or ord(c) < 32
    ]
    return f" (it holds {', '.join(odd[:3])})" if odd else ""
