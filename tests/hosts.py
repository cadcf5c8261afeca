"""One call of each function in five ways, which every host has to answer alike, and the page that says how each host was checked.

python tests/hosts.py > docs/hosts.md
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from lm_xl.faults import CallError
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.registry import FUNCTIONS, MODEL_AT

Cell = tuple[str, int, int]
"""Sheet, row and column."""

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


class Host(NamedTuple):
    """How a host is checked, the words for it, the file of the test, the ways that it does not have, and as what a blank cell arrives."""

    how: str
    words: str
    test: str
    lacks: tuple[str, ...] = ()
    blank: Any = None


HOSTS = {
    "Python": Host("real host", "the functions themselves; a call names its model, or the shipped base case answers", "test_hosts.py", ("two",)),
    "Without Excel": Host("its engine", "`lm-xl recalc` on a workbook with every call, its stored values read back", "test_hosts.py"),
    "Excel on Windows": Host(
        "read only",
        "never opened in Excel: our macros run in an interpreter of VBA against xlwings' own server, its parts of Windows replaced",
        "test_com.py",
    ),
    "LibreOffice Calc": Host(
        "real host",
        "the add-in in LibreOffice 7.4 on Linux, without a window, on the same workbook of Excel; a blank cell arrives as 0",
        "test_oxt.py",
        blank=0,
    ),
    "xlwings Lite": Host(
        "its engine",
        "never opened in Excel: the code that the workbook carries, in CPython and in Pyodide under node; a blank cell arrives as 0, and a call that names no model is `#N/A`",
        "test_lite.py",
        ("two",),
        blank=0,
    ),
}  # fmt: skip
"""What is checked, each by a test that goes through `checked`."""
MOST_COLUMNS = 18
"""Of an answer, to the right of which a workbook of calls has their arguments."""


def ways(name: str) -> list[str]:
    """The ways in which a function can be called."""
    varied = CALLS[name][1] >= 0
    leaves_out = name in MODEL_AT and not FUNCTIONS[name].arguments[MODEL_AT[name]].required
    return ["value", *(["error", "blank", "range"] if varied else []), *(["two"] if leaves_out else [])]


def checked(host: str, name: str) -> list[str]:
    """The ways in which a function is called in a host."""
    return [way for way in ways(name) if way not in HOSTS[host].lacks]


def arguments(name: str, way: str, model: str) -> list[Any]:
    """The arguments of a call: OMITTED, a cell, or a list of rows of cells."""
    given, at = CALLS[name]
    values = [model if x == MODEL else x for x in given]
    if way == "two":
        values[MODEL_AT[name]] = OMITTED
    elif way != "value":
        values[at] = {"error": "Atlantis", "blank": None, "range": [[values[at]], [values[at]]]}[way]
    return values


def due(name: str, given: Sequence[Any], model: str, tables: Sequence[Any], blank: Any = None) -> Any:
    """What a host in which a blank cell arrives as `blank` has to answer: a value, rows, or the code of an error."""
    values = [blank if x is None else x for x in given]
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


def workbook(host: str, models: Sequence[str], tables: Sequence[Any], path: Path) -> dict[Cell, Any]:
    """Write a workbook with every call: on the sheets One and Two, each with a name Model of its own, in Base and in High.

    Returns what each of its cells has to show.
    """
    book = Workbook()
    ranges = []
    for i, table in enumerate(tables):
        sheet = book.create_sheet(f"T{i}")
        for row in table:
            sheet.append(row)
        ranges.append(f"T{i}!$A$1:${get_column_letter(len(table[0]))}${len(table)}")
    expected: dict[Cell, Any] = {}
    for title, scenario, model in zip(("One", "Two"), ("Base", "High"), models, strict=True):
        ws = book.create_sheet(title)
        ws.defined_names["Model"] = DefinedName("Model", attr_text=f"{title}!$A$1")
        ws["A1"] = f'=LM_MODEL({",".join(ranges)},"{scenario}")'
        expected[title, 1, 1] = model
        at = 3
        for name in CALLS:
            for way in checked(host, name):
                given = arguments(name, way, model)
                answer = due(name, given, model, tables, HOSTS[host].blank)
                rows = answer if isinstance(answer, list) else [[answer]]
                _enter(ws, at, f"={name}({','.join(_cells(ws, at, given, model, ranges))})", rows)
                expected |= {
                    (title, at + i, 2 + j): x for i, row in enumerate(rows) for j, x in enumerate(row)
                }
                at += max(len(rows), 2) + 1
    book.save(path)
    return expected


def _cells(ws: Any, at: int, given: Sequence[Any], model: str, ranges: Sequence[str]) -> list[str]:
    """The arguments of a call as references to cells to the right of it."""
    words = []
    for j, value in enumerate(given, 2 + MOST_COLUMNS):
        if value is OMITTED:
            words.append("")
        elif isinstance(value, str) and value == TABLES:
            words += ranges
        else:
            cells = value if isinstance(value, list) else [[value]]
            for i, (cell,) in enumerate(cells, at):
                ws.cell(i, j).value = "=$A$1" if cell == model else cell
            addresses = dict.fromkeys(f"{get_column_letter(j)}{i}" for i in (at, at + len(cells) - 1))
            words.append(":".join(addresses))
    return words


def _enter(ws: Any, at: int, formula: str, rows: list[list[Any]]) -> None:
    """Enter a call, over as many cells as its answer has."""
    assert len(rows[0]) <= MOST_COLUMNS
    last = f"{get_column_letter(1 + len(rows[0]))}{at + len(rows) - 1}"
    ws.cell(at, 2).value = formula if last == f"B{at}" else ArrayFormula(f"B{at}:{last}", formula)


def differing(expected: Mapping[Cell, Any], shown: Mapping[Cell, Any], version: str) -> dict[Cell, Any]:
    """The cells that show something else than they have to: what they show, and what is due. `version` is what LM_VERSION shows."""
    own = call("LM_VERSION", [])
    wanted = {cell: version if x == own else "" if x is None else x for cell, x in expected.items()}
    return {
        cell: (shown[cell], x)
        for cell, x in wanted.items()
        if not (
            math.isclose(shown[cell], x, rel_tol=1e-12)
            if isinstance(x, float) and isinstance(shown[cell], float)
            else shown[cell] == x
        )
    }


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
        *(f"| {name} | {host.how} | {host.words} |" for name, host in HOSTS.items()),
        "",
        "[LibreOffice](libreoffice.md) and [xlwings Lite](excel_lite.md) have pages of their own, with what else was checked.",
        "",
        f"| function | {' | '.join(HOSTS)} |",
        f"|---|{'---|' * len(HOSTS)}",
    ]
    lines += [
        f"| {name} | {' | '.join(', '.join(checked(host, name)) for host in HOSTS)} |" for name in FUNCTIONS
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
