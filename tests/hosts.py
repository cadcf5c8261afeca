"""One call of each function in five ways, which every host has to answer alike, and the page that says how each host was checked.

python tests/hosts.py > docs/hosts.md
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_xl.faults import CallError
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.registry import FUNCTIONS, MODEL_AT

MODEL, TABLES = "<the model>", "<the tables>"
CALLS: dict[str, tuple[tuple[Any, ...], int]] = {
    "LM_MODEL": ((TABLES, "High"), 1),
    "LM_SCENARIO": ((MODEL, "High"), 1),
    "LM_WHATIF": ((MODEL, "lm_risk", 1.2), 1),
    "LM_PATIENTS": (("US", 2027, MODEL, "treated"), 0),
    "LM_REVENUE": (("New drug", 2029, MODEL, "US"), 0),
    "LM_COMPANY_REVENUE": (("Acme", 2029, MODEL), 0),
    "LM_TABLE": (("patients", "US", 2027, MODEL), 1),
    "LM_SHARE": (("patients", "US", 2027, MODEL), 1),
    "LM_CAGR": (("patients", "US", MODEL), 1),
    "LM_GROWTH": (("patients", "US", 2027, MODEL), 1),
    "LM_PRICE": (("New drug", "US", 2029, MODEL), 0),
    "LM_PERCENTILE": ((0.5, "New drug", 2029, MODEL), 1),
    "LM_FORECAST": (("patients", "region", MODEL, "US"), 3),
    "LM_COMPARE": ((MODEL, OMITTED, "region", "diagnosed"), 2),
    "LM_BRIDGE": ((MODEL, OMITTED, "revenue", OMITTED, OMITTED, "US"), 5),
    "LM_TORNADO": ((3, MODEL, "revenue", OMITTED, "US"), 4),
    "LM_ASSUMPTION": (("treatment_rate", 2027, MODEL, "US", OMITTED, "Breast"), 3),
    "LM_SOURCE": (("lm_risk", MODEL, "US", OMITTED, "Breast"), 2),
    "LM_LIST": (("region", MODEL), 0),
    "LM_WHY": (("LM_PATIENTS", "Atlantis", 2027, MODEL), 1),
    "LM_VERSION": ((), -1),
}
"""The arguments of a call of each function, and the place of the one that the ways below change."""
WAYS = {
    "value": "a value",
    "error": "a label that is not there",
    "blank": "a blank cell in its place",
    "range": "a range of two cells in its place",
    "two": "no model named, on two sheets with a model each",
}
HOSTS = {
    "Python": ("run", "the functions themselves; a call names its model, or the shipped base case answers", {"two"}),
    "Without Excel": ("its engine", "`lm-xl recalc` on a workbook with every call, its stored values read back", set[str]()),
    "Excel on Windows": (
        "read only",
        "never opened in Excel: our macros run in an interpreter of VBA against xlwings' own server, its parts of Windows replaced",
        set[str](),
    ),
}  # fmt: skip
"""How the tests run each host, the words for it, and the ways that it does not have."""


def ways(name: str) -> list[str]:
    """The ways in which a function can be called."""
    varied = CALLS[name][1] >= 0
    leaves_out = name in MODEL_AT and not FUNCTIONS[name].arguments[MODEL_AT[name]].required
    return ["value", *(["error", "blank", "range"] if varied else []), *(["two"] if leaves_out else [])]


def arguments(name: str, way: str, model: str) -> list[Any]:
    """The arguments of a call: OMITTED, a cell, or a list of rows of cells."""
    given, at = CALLS[name]
    values = [model if x == MODEL else x for x in given]
    if way == "two":
        values[MODEL_AT[name]] = OMITTED
    elif way != "value":
        values[at] = {"error": "Atlantis", "blank": None, "range": [[values[at]], [values[at]]]}[way]
    return values


def due(name: str, given: Sequence[Any], model: str, tables: Sequence[Any]) -> Any:
    """What a host has to answer: a value, rows, or the code of an error."""
    values = list(given)
    if name in MODEL_AT and values[MODEL_AT[name]] is OMITTED:
        values[MODEL_AT[name]] = model
    values = [
        x for value in values for x in (tables if isinstance(value, str) and value == TABLES else [value])
    ]
    try:
        return codes(call(name, values))
    except CallError as error:
        return error.code


def codes(answer: Any) -> Any:
    """An answer with the code of an error in its place."""
    if isinstance(answer, list):
        return [codes(x) for x in answer]
    return answer.code if isinstance(answer, CallError) else answer


def page() -> str:
    """docs/hosts.md."""
    lines = [
        "# Which host was checked, and how",
        "",
        "Each function is called in five ways, and every host has to give what Python gives:",
        "; ".join(f"**{letter}** {words}" for letter, words in zip(WAYS, WAYS.values(), strict=True)) + ".",
        "What is listed is what the tests run (`tests/hosts.py`, from which this page is made: `nox -s docs`).",
        "",
        "| host | how | what that is |",
        "|---|---|---|",
        *(f"| {host} | {how} | {words} |" for host, (how, words, _) in HOSTS.items()),
        "",
        "xlwings Lite: [its own page](excel_lite.md) says how it was checked.",
        "",
        f"| function | {' | '.join(HOSTS)} |",
        f"|---|{'---|' * len(HOSTS)}",
    ]
    for name in FUNCTIONS:
        cells = [", ".join(w for w in ways(name) if w not in lacks) for _, _, lacks in HOSTS.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
