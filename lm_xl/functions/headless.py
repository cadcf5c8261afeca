"""The functions in formualizer: a function-backed workbook evaluated with no Excel, and its stored values written in place."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lm_xl.faults import CallError, Fault, Refused
from lm_xl.functions.answers import MODEL_AT, OMITTED, call
from lm_xl.functions.registry import FUNCTIONS, NA, REF, VALUE, Function
from lm_xl.xlsx.addresses import address_of
from lm_xl.xlsx.package import inspect_package

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

Cell = tuple[str, int, int]


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
    return _loaded(Path(path), *_content(Path(path)))


def recalculate(path: str | Path) -> Recalculated:
    """Evaluate a workbook and write the stored value of each formula, all or nothing; other parts of the file stay byte for byte.

    Raises Refused for what is no workbook, and where a formula cannot be computed here, so that a good value is not lost.
    """
    from lm_xl.files import replacing

    path = Path(path)
    formulas, tables = _content(path)
    workbook = _loaded(path, formulas, tables)
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
        raise _not_here(path, formulas, unknown)
    ours = sum(bool(_OURS.search(f.text)) for f in formulas.values())
    if not ours:
        raise Refused([Fault(path.name, "", "", "holds none of our functions: nothing to recalculate")])
    with replacing(path, force=True) as draft:
        _write(path, draft, values)
    errors = {
        f"{s}!{address_of(r, c)}": v.code for (s, r, c), v in values.items() if isinstance(v, CallError)
    }
    return Recalculated(ours, len(formulas) - ours, errors)


@dataclass(frozen=True)
class _Formula:
    """A formula of a file: its text, how many rows and columns it fills, and the value stored beside it."""

    text: str
    size: tuple[int, int]
    stored: Any

    def cells(self, place: Cell) -> Iterator[Cell]:
        sheet, row, column = place
        for i, j in np.ndindex(self.size):
            yield sheet, row + i, column + j

    def answers(self, place: Cell, value: Callable[..., Any]) -> Iterator[tuple[Cell, Any]]:
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
                _stored(value(sheet, row + at[0], column + at[1])) if inside else CallError(NA, ""),
            )


_OURS = re.compile(rf"\b(?:{LITE_PREFIX})?LM_[A-Z]+\(")


@dataclass(frozen=True)
class _Table:
    """A table of a file: its name, sheet, area (first row and column, last row and column) and headers."""

    name: str
    sheet: str
    area: tuple[int, int, int, int]
    headers: list[str]


def _content(path: Path) -> tuple[dict[Cell, _Formula], list[_Table]]:
    """The formulas and the tables of a file. Raises Refused for what is no workbook, and for formulas that cannot be computed here."""
    from xml.etree.ElementTree import ParseError

    if path.suffix.lower() not in SUFFIXES:
        raise Refused(
            [
                Fault(
                    path.name or str(path),
                    "",
                    "",
                    f"is no workbook by its name: allowed {' and '.join(SUFFIXES)}",
                )
            ]
        )
    inspect_package(path)
    try:
        formulas, tables = _read(path)
    except (
        ParseError,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
    ) as error:
        raise Refused([Fault(path.name, "", "", f"is damaged ({error}): save it again from Excel")]) from None
    beyond = {place: why for place, found in formulas.items() if (why := _beyond(found.text))}
    if beyond:
        raise _not_here(path, formulas, beyond)
    return formulas, tables


def _read(path: Path) -> tuple[dict[Cell, _Formula], list[_Table]]:
    import openpyxl
    from openpyxl.utils import range_boundaries
    from openpyxl.worksheet.formula import ArrayFormula

    found: dict[Cell, _Formula] = {}
    tables = []
    stored = openpyxl.load_workbook(path, data_only=True)
    for ws in openpyxl.load_workbook(path).worksheets:
        for table in ws.tables.values():
            left, top, right, bottom = (int(x or 0) for x in range_boundaries(table.ref))
            tables.append(
                _Table(
                    table.displayName,
                    ws.title,
                    (top, left, bottom, right),
                    [c.name for c in table.tableColumns],
                )
            )
        for row in ws.iter_rows():
            for entry in row:
                cell: Any = entry
                value = cell.value
                size = (1, 1)
                if isinstance(value, ArrayFormula):
                    left, top, right, bottom = (int(x or 0) for x in range_boundaries(value.ref))
                    value, size = value.text, (bottom - top + 1, right - left + 1)
                if cell.data_type == "f" and isinstance(value, str):
                    found[ws.title, cell.row, cell.column] = _Formula(
                        value, size, stored[ws.title].cell(cell.row, cell.column).value
                    )
    return found, tables


def _beyond(formula: str) -> str:
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


def _not_here(path: Path, formulas: Mapping[Cell, _Formula], why: Mapping[Cell, str]) -> Refused:
    return Refused(
        Fault(
            path.name,
            sheet,
            address_of(row, column),
            f"{formulas[sheet, row, column].text} cannot be computed here: {words}",
        )
        for (sheet, row, column), words in why.items()
    )


def _loaded(path: Path, formulas: Mapping[Cell, _Formula], tables: Sequence[_Table]) -> Any:
    import formualizer

    spilled = {
        cell: None for place, found in formulas.items() for cell in found.cells(place) if cell != place
    }
    with tempfile.TemporaryDirectory() as folder:
        cleared = Path(folder) / "cleared.xlsx"
        _write(path, cleared, spilled)  # the stored values of a block would stand in its own way
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
    for table in tables:
        workbook.add_table(table.name, table.sheet, table.area, table.headers)
    named = any(n["name"] == MODEL for n in workbook.get_named_ranges())
    for (sheet, row, column), formula in formulas.items():
        text = completed(formula.text, named=named) if _OURS.search(formula.text) else formula.text
        if text != formula.text or "[" in text:  # the engine's reader knows no tables
            workbook.set_formula(sheet, row, column, text)
    return workbook


def completed(formula: str, *, named: bool) -> str:
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
                ",".join(_filled(function, arguments, named) if function else arguments) + token.value
            )
        elif token.type == Token.SEP and frames[-1][0] is not None:
            frames[-1][1].append("".join(frames[-1][2]))
            frames[-1][2].clear()
        else:
            frames[-1][2].append(token.value)
    return "=" + "".join(frames[0][2])


def _filled(function: Function, arguments: list[str], named: bool) -> list[str]:
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
    def answer(*arguments: Any) -> Any:
        given = [_in(a) for a in arguments]
        if len(given) > 2 and given[-2] == STANDING:
            *given, _, model = given
            at = MODEL_AT.get(str(given[0]).strip().removeprefix("=").upper(), len(given)) + 1
            if at == len(given) or (at < len(given) and given[at] is OMITTED):
                given[at : at + 1] = [model]
        try:
            return _out(call(name, given, host="stored values"))
        except CallError as error:
            return _out(error)

    return answer


def _in(value: Any) -> Any:
    if type(value) is list:
        return [[_in(x) for x in row] for row in value]
    if type(value) is dict:
        return CallError(_KINDS.get(value.get("kind", ""), VALUE), "")
    return OMITTED if value == LEFT_OUT else value


def _out(answer: Any) -> Any:
    if isinstance(answer, list):
        return [[_out(x) for x in row] for row in answer]
    return (
        {"type": "Error", "kind": _CODES.get(answer.code, "Value")}
        if isinstance(answer, CallError)
        else answer
    )


def _stored(value: Any) -> Any:
    """A value of the engine as a file stores it; a formula that refers to a blank shows 0."""
    if value is None:
        return 0.0
    if isinstance(value, dict):
        return CallError(_KINDS.get(value.get("kind", ""), VALUE), "")
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        from openpyxl.utils.datetime import to_excel

        return to_excel(value)  # type: ignore[no-untyped-call]
    return value


def _write(path: Path, draft: Path, values: Mapping[Cell, Any]) -> None:
    from lm_xl.xlsx.stored import sheet_parts

    by_sheet: dict[str, dict[tuple[int, int], Any]] = {}
    for (sheet, row, column), value in values.items():
        by_sheet.setdefault(sheet, {})[row, column] = value
    with zipfile.ZipFile(path) as package, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as target:
        titles = sheet_parts(package)
        for item in package.infolist():
            content = package.read(item)
            found = by_sheet.get(titles.get(item.filename, ""))
            target.writestr(item, _with_values(content, found) if found else content)


def _with_values(xml: bytes, values: Mapping[tuple[int, int], Any]) -> bytes:
    """A sheet with other stored values, None for none; cells of a block that are not there yet are added."""
    from lxml import etree

    from lm_xl.xlsx.addresses import place_of

    sheet: Any = etree.fromstring(xml)
    space = f"{{{sheet.nsmap[None]}}}"
    rows = {int(row.get("r")): row for row in sheet.iter(f"{space}row")}
    for (at_row, at_column), value in sorted(values.items()):
        if value is None and at_row not in rows:
            continue
        if at_row not in rows:
            data = sheet.find(f"{space}sheetData")
            rows[at_row] = etree.Element(f"{space}row", r=str(at_row))
            data.insert(sum(n < at_row for n in rows if n != at_row), rows[at_row])
        row = rows[at_row]
        columns = [place_of(c.get("r"))[1] for c in row]
        if value is None and at_column not in columns:
            continue
        if at_column not in columns:
            row.insert(
                sum(c < at_column for c in columns),
                etree.Element(f"{space}c", r=address_of(at_row, at_column)),
            )
        cell = next(c for c in row if c.get("r") == address_of(at_row, at_column))
        for old in (*cell.findall(f"{space}v"), *cell.findall(f"{space}is")):
            cell.remove(old)
        cell.attrib.pop("t", None)
        if value is None:
            continue
        kind, shown = _as_text(value)
        if kind:
            cell.set("t", kind)
        etree.SubElement(cell, f"{space}v").text = shown
    done: bytes = etree.tostring(sheet, xml_declaration=True, encoding="UTF-8", standalone=True)
    return done


def _as_text(value: Any) -> tuple[str, str]:
    """The type and the text with which a file stores a value."""
    if isinstance(value, bool):
        return "b", str(int(value))
    if isinstance(value, CallError):
        return "e", value.code
    return ("str", value) if isinstance(value, str) else ("", repr(float(value)))
