"""The functions in formualizer: a function-backed workbook evaluated with no Excel, and its stored values written in place."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lm_xl.faults import CallError, Fault, Refused
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.registry import FUNCTIONS, MODEL_AT, NA, REF, VALUE, Function
from lm_xl.xlsx.addresses import address_of
from lm_xl.xlsx.package import opened
from lm_xl.xlsx.sheets import DATA_TABLE
from lm_xl.xlsx.stored import write_values
from lm_xl.xlsx.workbook_file import ExcelTable, SheetEntry, WorkbookFile

MODEL = "Model"
"""The workbook's name for the cell with its model, which answers calls that name none."""
LITE_PREFIX = "_xldudf_"
"""What stands before a function's name in the file of a workbook of xlwings Lite."""
LEFT_OUT = "\x1aleft out\x1a"
"""Stands in a completed formula for an argument that was left out, which this engine would hand over as 0."""

_KINDS = {
    "Null": "#NULL!", "Div": "#DIV/0!", "Value": VALUE, "Ref": REF, "Name": "#NAME?", "Num": "#NUM!", "Na": NA, "Spill": "#SPILL!", "Calc": "#CALC!",
}  # fmt: skip
_CODES = {code: kind for kind, code in _KINDS.items()}

UNKNOWN = {
    "#NAME?": "no function of that name",
    "#CALC!": "the engine has no such formula",
    "#SPILL!": "its answer is larger than the range it was entered over",
}
"""What a formula shows that the engine cannot compute, and why that is."""
STANDING = "\x1amodel\x1a"
"""In a completed call of LM_WHY it stands before the workbook's model, for the call that is asked about."""
SUFFIXES = (".xlsx", ".xlsm")

Location = tuple[str, int, int]


@dataclass(frozen=True)
class Recalculated:
    """What a recalculation found: how many cells hold our functions, how many other formulas, and the cells that show an error."""

    functions: int
    others: int
    errors: Mapping[str, str]
    """Cell to error value."""


def open_workbook(path: str | Path) -> Any:
    """A workbook of formualizer with the functions registered; call its `evaluate_all`, `set_value`, `get_value`. Raises Refused.

    A call that names no model takes the workbook's name `Model`; where there is none it is #N/A.
    """
    return _load(Path(path), *_content(Path(path)))


def recalculate(path: str | Path) -> Recalculated:
    """Evaluate a workbook and write the stored value of each formula, all or nothing; other parts of the file stay byte for byte.

    Raises Refused for what is no workbook, and where a formula cannot be computed here, so that a good value is not lost.
    """
    from lm_xl.files import replacing

    path = Path(path)
    formulas, tables = _content(path)
    workbook = _load(path, formulas, tables)
    workbook.evaluate_all()
    values = {
        cell: value
        for place, found in formulas.items()
        for cell, value in found.answers(place, workbook.get_value)
    }
    unknown = {
        place: UNKNOWN[values[place].code]
        for place, found in formulas.items()
        if getattr(values[place], "code", "") in UNKNOWN and found.stored not in UNKNOWN
    }
    if unknown:
        raise _refusal(path, formulas, unknown)
    ours = sum(bool(_OUR_CALL.search(f.text)) for f in formulas.values())
    if not ours:
        raise Refused([Fault(path.name, "", "", "holds none of our functions: nothing to recalculate")])
    with replacing(path, force=True) as draft:
        write_values(path, draft, values)
    errors = {
        f"{s}!{address_of(r, c)}": v.code for (s, r, c), v in values.items() if isinstance(v, CallError)
    }
    return Recalculated(ours, len(formulas) - ours, errors)


@dataclass(frozen=True)
class _Formula:
    """A formula of a file: its text, how many rows and columns it fills, and the value stored beside it."""

    text: str
    size: tuple[int, int]
    stored: str

    def cells(self, place: Location) -> Iterator[Location]:
        sheet, row, column = place
        for i, j in np.ndindex(self.size):
            yield sheet, row + i, column + j

    def answers(self, place: Location, value: Callable[..., Any]) -> Iterator[tuple[Location, Any]]:
        """Each cell and what Excel shows there: an answer of one row, column or cell is repeated, beyond any other one is #N/A."""
        sheet, row, column = place
        rows, columns = self.size
        height = next((i for i in range(1, rows) if value(sheet, row + i, column) is None), rows)
        width = next((j for j in range(1, columns) if value(sheet, row, column + j) is None), columns)
        for i, j in np.ndindex(self.size):
            at = i if height > 1 else 0, j if width > 1 else 0
            inside = at[0] < height and at[1] < width
            yield (
                (sheet, row + i, column + j),
                _stored_value(value(sheet, row + at[0], column + at[1])) if inside else CallError(NA, ""),
            )


_OUR_CALL = re.compile(rf"\b(?:{LITE_PREFIX})?LM_[A-Z_]+\(")


def _content(path: Path) -> tuple[dict[Location, _Formula], list[tuple[str, ExcelTable]]]:
    """The formulas of a file, and its tables with their sheets. Raises Refused for what is no workbook, and for formulas that cannot be computed here."""
    if path.suffix.lower() not in SUFFIXES:
        message = f"is no workbook by its name: allowed {' and '.join(SUFFIXES)}"
        raise Refused([Fault(path.name or str(path), "", "", message)])
    formulas: dict[Location, _Formula] = {}
    with opened(path) as package:
        file = WorkbookFile(package)
        for sheet in file.sheets:
            formulas |= _formulas(file, sheet)
        tables = [(sheet.title, table) for sheet in file.sheets for table in file.tables(sheet)]
    obstacles = {place: why for place, found in formulas.items() if (why := _obstacle(found.text))}
    if obstacles:
        raise _refusal(path, formulas, obstacles)
    return formulas, tables


def _formulas(file: WorkbookFile, sheet: SheetEntry) -> dict[Location, _Formula]:
    rows: dict[int, dict[int, tuple[str | None, str]]] = {}

    def cell_of(
        _row: int, _column: int, _style: int, _kind: str, formula: str | None, text: str
    ) -> tuple[str | None, str]:
        return formula, text

    blocks = file.read(sheet, rows, cell_of).blocks
    sizes = {(a.top, a.left): (a.bottom - a.top + 1, a.right - a.left + 1) for a, _ in blocks}
    return {
        (sheet.title, row, column): _Formula(f"={formula}", sizes.get((row, column), (1, 1)), stored)
        for row, cells in rows.items()
        for column, (formula, stored) in cells.items()
        if formula is not None and formula != DATA_TABLE
    }


def _obstacle(formula: str) -> str:
    """Why the engine cannot compute a formula, which it would show as an error, or ""."""
    from openpyxl.formula import Tokenizer
    from openpyxl.formula.tokenizer import Token

    if "[" not in formula and "!" not in formula:
        return ""
    for token in Tokenizer(formula).items:
        if token.type != Token.OPERAND or token.subtype != Token.RANGE:
            continue
        sheet = token.value.rpartition("!")[0]
        if re.match(r"'?[^!]*\[[^\]]+\]", sheet):
            return "it refers to another workbook: paste its value"
        if ":" in sheet:
            return "it refers to several sheets at once"
        if "[#This Row]" in token.value or "[@" in token.value:
            return "it refers to its own row of a table: name the cell"
    return ""


def _refusal(path: Path, formulas: Mapping[Location, _Formula], why: Mapping[Location, str]) -> Refused:
    return Refused(
        Fault(
            path.name,
            sheet,
            address_of(row, column),
            f"{formulas[sheet, row, column].text} cannot be computed here: {words}",
        )
        for (sheet, row, column), words in why.items()
    )


def _load(path: Path, formulas: Mapping[Location, _Formula], tables: Sequence[tuple[str, ExcelTable]]) -> Any:
    import formualizer

    spilled = {
        cell: None for place, found in formulas.items() for cell in found.cells(place) if cell != place
    }
    with tempfile.TemporaryDirectory() as folder:
        cleared = Path(folder) / "cleared.xlsx"
        write_values(path, cleared, spilled)  # the stored values of a block would stand in its own way
        try:
            workbook = formualizer.load_workbook(str(cleared))
        except (formualizer.ExcelEvaluationError, OSError, ValueError, RuntimeError) as error:
            raise Refused(
                [
                    Fault(
                        path.name,
                        "",
                        "",
                        f"cannot be opened by the engine that stands in for Excel ({error})",
                    )
                ]
            ) from None
    for function in FUNCTIONS.values():
        for name in (function.name, LITE_PREFIX + function.name):
            workbook.register_function(name, _callback(function.name))
    for sheet, table in tables:
        workbook.add_table(table.name, sheet, (*table.area,), table.headers)
    named = any(n["name"] == MODEL for n in workbook.get_named_ranges())
    for (sheet, row, column), formula in formulas.items():
        text = complete_formula(formula.text, named=named) if _OUR_CALL.search(formula.text) else formula.text
        if text != formula.text or "[" in text:  # the engine's reader knows no tables
            workbook.set_formula(sheet, row, column, text)
    return workbook


def complete_formula(formula: str, *, named: bool) -> str:
    """A formula whose calls of our functions say what they leave out: the workbook's model where it has one, else a mark."""
    from openpyxl.formula import Tokenizer
    from openpyxl.formula.tokenizer import Token

    frames: list[tuple[Function | None, list[str], list[str]]] = [(None, [], [])]
    for token in Tokenizer(formula).items:
        if token.subtype == Token.OPEN:
            name = token.value.rstrip("(").removeprefix(LITE_PREFIX)
            frames.append((FUNCTIONS.get(name) if token.type == Token.FUNC else None, [], []))
            frames[-2][2].append(token.value)
        elif token.subtype == Token.CLOSE:
            function, arguments, text = frames.pop()
            arguments.append("".join(text))
            frames[-1][2].append(
                ",".join(_complete_arguments(function, arguments, named) if function else arguments)
                + token.value
            )
        elif token.type == Token.SEP and frames[-1][0] is not None:
            frames[-1][1].append("".join(frames[-1][2]))
            frames[-1][2].clear()
        else:
            frames[-1][2].append(token.value)
    return "=" + "".join(frames[0][2])


def _complete_arguments(function: Function, arguments: list[str], named: bool) -> list[str]:
    filled = [] if arguments == [""] else list(arguments)
    if function.name == "LM_WHY":
        return [x if x.strip() else f'"{LEFT_OUT}"' for x in filled] + (
            [f'"{STANDING}"', MODEL] if named and filled else []
        )
    for i, declared in enumerate(function.arguments[: len(filled) + 1]):
        if declared.rest or declared.required:
            continue
        missing = i >= len(filled) or not filled[i].strip()
        if missing and declared.kind == "model" and named:
            filled[i : i + 1] = [MODEL]
        elif missing and i < len(filled):
            filled[i] = f'"{LEFT_OUT}"'
    return filled


def _callback(name: str) -> Callable[..., Any]:
    """A function as the engine calls it."""

    def answer(*arguments: Any) -> Any:
        given = [_argument(a) for a in arguments]
        if len(given) > 2 and given[-2] == STANDING:
            *given, _, model = given
            # Behind the name of the function stand its own arguments, so its model is one place further on.
            at = MODEL_AT.get(str(given[0]).strip().removeprefix("=").upper(), len(given)) + 1
            if at == len(given) or (at < len(given) and given[at] is OMITTED):
                given[at : at + 1] = [model]
        try:
            return _engine_value(call(name, given, host="stored values"))
        except CallError as error:
            return _engine_value(error)

    return answer


def _argument(value: Any) -> Any:
    """A value of the engine as `call` takes it."""
    if type(value) is list:
        return [[_argument(x) for x in row] for row in value]
    if type(value) is dict:
        return CallError(_KINDS.get(value.get("kind", ""), VALUE), "")
    return OMITTED if value == LEFT_OUT else value


def _engine_value(answer: Any) -> Any:
    """An answer as the engine takes it."""
    if isinstance(answer, list):
        return [[_engine_value(x) for x in row] for row in answer]
    if isinstance(answer, CallError):
        return {"type": "Error", "kind": _CODES.get(answer.code, "Value")}
    return answer


def _stored_value(value: Any) -> Any:
    """A value of the engine as a file stores it; a formula that refers to a blank shows 0."""
    if value is None:
        return 0.0
    if isinstance(value, dict):
        return CallError(_KINDS.get(value.get("kind", ""), VALUE), "")
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        from openpyxl.utils.datetime import to_excel

        return to_excel(value)  # type: ignore[no-untyped-call]
    return value
