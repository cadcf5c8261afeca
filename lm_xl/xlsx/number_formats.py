"""What a number format shows."""

from __future__ import annotations

import re


def shows_date(code: str) -> bool:
    """Whether a format shows a date or a time: a letter of dates outside of quotes and brackets."""
    bare = re.sub(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:hh?|mm?|ss?)\])[^\]]*\]', "", code.split(";")[0]).casefold()
    return bare != "general" and bool(re.search("[dmyhs]", bare))
