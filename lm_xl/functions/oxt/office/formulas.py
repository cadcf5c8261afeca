"""Formulas as Calc writes them: our functions by names that it knows, tables as it spells them, the model where none is named."""

from __future__ import annotations

import re

MODEL = "Model"
WHY = "LM_WHY"
SERVICE = "LM_XL"
"""The first word of our functions in Calc's own spelling: LM_XL.LMPATIENTS."""
_TOKENS = re.compile(
    r"""
    "(?:[^"]|"")*"                      # text
    | '(?:[^']|'')*'                    # the name of a sheet
    | \{[^{}]*\}                        # an array of constants
    | [A-Za-z_][\w.]*\(                 # a function
    | \w+\[\#\w+\]                      # a part of a table
    | \[(?:[^\[\]]|\[[^\[\]]*\])*\]     # columns of a table, another file
    | [();]
    | \w+ | \s+ | .
    """,
    re.VERBOSE | re.DOTALL,
)
_OURS = re.compile(r"\b(?:_XLDUDF_)?LM_[A-Z_]+\(|\bLM_XL\.LM", re.IGNORECASE)
_PART = re.compile(r"(\w+)\[#(\w+)\]")


def holds_functions(formula: str) -> bool:
    """Whether a formula calls one of our functions, in whatever spelling."""
    return _OURS.search(formula) is not None


def entered(formula: str, places: dict[str, int | None], *, named: bool) -> str | None:
    """A formula to enter instead of one that Calc did not understand, or that names no model; None where it is right as it stands.

    A file of Excel arrives with the names of our functions in lower case and `[#all]` of a table, neither of which Calc 7.4 knows.
    `named` tells whether the name Model is there for the formula to take.
    """
    spelled = {_key(name): name for name in places}
    changed = False
    frames: list[tuple[str | None, list[str], list[str]]] = [(None, [], [])]
    for token in _TOKENS.findall(formula):
        if token.endswith("(") and len(token) > 1:
            name = spelled.get(_key(token[:-1]))
            changed |= name is not None and not token.upper().startswith(SERVICE)
            frames[-1][2].append(f"{name}(" if name else token)
            frames.append((name, [], []))
        elif token == "(":
            frames[-1][2].append(token)
            frames.append((None, [], []))
        elif token == ")" and len(frames) > 1:
            name, arguments, text = frames.pop()
            arguments.append("".join(text))
            full = _completed(name, arguments, places) if name and named else arguments
            changed |= full != arguments
            frames[-1][2].append(";".join(full) + token)
        elif token == ";" and len(frames) > 1:
            frames[-1][1].append("".join(frames[-1][2]))
            frames[-1][2].clear()
        else:
            part = _PART.fullmatch(token)
            frames[-1][2].append(f"{part[1]}[[#{part[2].capitalize()}]]" if part else token)
    return "".join(frames[0][2]) if changed and len(frames) == 1 else None


def _key(name: str) -> str:
    """What all spellings of a function's name share."""
    name = name.upper()
    for start in ("_XLDUDF_", SERVICE + "."):
        name = name[len(start) :] if name.startswith(start) else name
    return name.replace("_", "")


def _completed(name: str, arguments: list[str], places: dict[str, int | None]) -> list[str]:
    """The arguments of a call, with the model at its place where it was left out."""
    at = places[name]
    if name == WHY:
        # Behind the name of the function stand its own arguments, so its model is one place further on.
        asked = _key(arguments[0].strip().strip('"').lstrip("="))
        at = next((i + 1 for n, i in places.items() if i is not None and _key(n) == asked), None)
    if at is None or len(arguments) < at or (len(arguments) > at and arguments[at].strip()):
        return arguments
    return [*arguments[:at], MODEL, *arguments[at + 1 :]]
