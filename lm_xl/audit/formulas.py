"""What formulas are made of: functions, numbers, names and references, and whether one is a copy of
another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import Area, area_of, column_number

# In the patterns below, texts and quoted titles come first: nothing inside of them is a reference. Their possessive
# quantifiers, and ends that may be missing, let no formula take more than linear time.
_REFERENCE = re.compile(
    r"""("(?:[^"]|"")*+"?|'(?:[^']|'')*+'?!?)|(?<![\w.$\\])(\$?)([A-Za-z]{1,3})(\$?)([0-9]{1,7})(?![\w.(!])""",
)
_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"]|"")*+"?)|(?P<quoted>'(?:[^']|'')*+'?!?)|(?P<bracket>\[(?:[^\[\]]++|\[[^\[\]]*+\])*+\])
    |(?P<error>\#[A-Z/0]+[!?]?)|(?P<function>[^\W\d][\w.]*(?=\())|(?P<sheet>[^\W\d][\w.]*(?::[^\W\d][\w.]*)?!)
    |(?P<cell>\$?[A-Za-z]{1,3}\$?\d{1,7}(?![\w.(]))|(?P<columns>\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}(?![\w(]))
    |(?P<lines>\$?\d+:\$?\d+)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d][\w.\\?]*)
    |(?P<open>\()|(?P<close>\))|(?P<space>\s+)|(?P<other>.)""",
    re.X | re.S,
)


@dataclass(frozen=True)
class Meaning:
    """What a formula is made of."""

    functions: frozenset[str]
    numbers: tuple[str, ...]
    names: tuple[str, ...]
    nested_if: bool
    outside: bool
    """Refers to another file."""
    refers: bool
    only_refers: bool
    """Is nothing but one reference."""
    local: bool
    """Has a reference without a sheet's title."""
    odd: bool
    """Has a sign that no formula has: it was a label or a command."""


def meaning_of(formula: str) -> Meaning:
    """Take a formula apart."""
    functions, numbers, names = set(), [], []
    calls: list[str] = []
    nested = outside = local = odd = False
    kinds: list[str] = []
    called = before = ""
    for match in _TOKEN.finditer(formula):
        kind, token = match.lastgroup or "", match.group()
        if kind == "space":
            continue
        kinds.append(kind)
        # `calls` are the open brackets, each with its function or "": an IF inside of an IF finds one there.
        if kind == "function":
            called = token.upper()
            functions.add(called)
            nested |= called == "IF" and "IF" in calls
        elif kind == "open":
            calls.append(called if before == "function" else "")
        elif kind == "close" and calls:
            calls.pop()
        elif kind == "number":
            numbers.append(token)
        elif kind == "name":
            names.append(token)
        elif kind in ("cell", "columns", "lines"):
            # The second end of a range has the sheet of the first.
            local |= before not in ("sheet", "quoted") and not (
                before == "other" and formula[match.start() - 1] == ":"
            )
        elif kind == "bracket":
            # Other brackets name the columns of a table.
            outside |= bool(re.fullmatch(r"\[\d+\]|\[[^\]]*\.xl\w+\]", token))
        elif kind == "quoted":
            outside |= "[" in token
        elif kind == "other":
            # Such as =Label, 'cmd|/C' or @name; a comparison has its = further on.
            odd |= token in "|@=" and (token != "=" or len(kinds) == 1)
        before = kind
    refers = any(k in ("cell", "columns", "lines", "bracket", "name") for k in kinds)
    only = refers and all(k in ("cell", "sheet", "quoted", "name") for k in kinds)
    return Meaning(
        frozenset(functions),
        tuple(numbers),
        tuple(dict.fromkeys(names)),
        nested,
        outside,
        refers,
        only,
        local,
        odd,
    )


def excerpt(formula: str | None) -> str:
    """A formula as a message quotes it: its first 80 characters."""
    return formula if formula and len(formula) <= 80 else f"{(formula or '')[:77]}..."


def relative(formula: str, row: int, column: int) -> str:
    """A formula in relative terms: the same for two cells where one is a copy of the other."""

    def term(match: re.Match[str]) -> str:
        kept, fixed_column, letters, fixed_row, number = match.groups()
        if kept:
            return str(kept)
        # Fixed letters and numbers stay; the others become distances from the cell.
        across = f"${letters}" if fixed_column else f"[{column_number(letters) - column}]"
        return f"{across}{fixed_row or '~'}{number if fixed_row else int(number) - row}"

    return _REFERENCE.sub(term, formula)


_RANGE = re.compile(
    r"""(?P<text>"(?:[^"]|"")*+"?|'(?:[^']|'')*+(?:'(?!!)|$))
    |(?:(?P<title>'(?:[^']|'')*+'|(?<![\w.])[^\W\d][\w.]*+)!)?
    (?P<area>(?<![\w.\\])(?:\$?[A-Za-z]{1,3}\$?\d{1,7}(?::\$?[A-Za-z]{1,3}\$?\d{1,7})?
        |\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}|\$?\d+:\$?\d+)(?![\w.(!]))
    |(?P<name>(?<![\w.$])[^\W\d][\w.]*+(?![(!]))""",
    re.X,
)


def references(formula: str, names: Mapping[str, str] | None = None) -> Iterator[tuple[str, Area]]:
    """The areas that a formula refers to, each with the title of its sheet, "" for its own; defined names are
    followed one step."""
    for match in _RANGE.finditer(formula):
        if match["area"]:
            area = area_of(match["area"])
            if area:
                yield unquoted(match["title"] or ""), area
        elif match["name"] and names and folded(match["name"]) in names:
            yield from _named(names[folded(match["name"])])


@lru_cache(maxsize=1024)
def _named(text: str) -> tuple[tuple[str, Area], ...]:
    """The areas of a defined name."""
    return tuple(references(text))


def unquoted(title: str) -> str:
    """A sheet's title without the quotes that formulas need where it is no plain word."""
    return title[1:-1].replace("''", "'") if title.startswith("'") else title
