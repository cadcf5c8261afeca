"""A formula of a file as the engine takes it: names, rows of tables and `@` resolved where it stands, and calls that say what they leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lm_xl.functions.registry import FUNCTIONS, Function
from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import Area, address_of, area_of, formula_moved, in_formulas
from lm_xl.xlsx.workbook_file import ExcelTable

MODEL = "Model"
"""The name for the cell with the model, which answers calls that name none: a sheet's own before the workbook's."""
LITE_PREFIX = "_xldudf_"
"""What stands before a function's name in the file of a workbook of xlwings Lite."""
LEFT_OUT = "\x1aleft out\x1a"
"""Stands in a completed formula for an argument that was left out, which this engine would hand over as 0."""
STANDING = "\x1amodel\x1a"
"""In a completed call of LM_WHY it stands before the workbook's model, for the call that is asked about."""
FIRST = "LM_XL_FIRST"
"""The engine's name for the first cell of an answer."""
OUR_CALL = re.compile(rf"\b(?:{LITE_PREFIX})?LM_[A-Z_]+\(", re.I)

Location = tuple[str, int, int]
"""Sheet, row and column."""

_NAME = re.compile(r"(?:(?P<sheet>'(?:[^']|'')+'|[^'!]+)!)?(?P<name>[^\W\d][\w.?\\]*|\\[\w.?\\]*)")
_COLUMNS = re.compile(r"\[((?:[^\[\]']|'.)*)\]")
_GIVES_RANGE = {"CHOOSE", "IF", "IFS", "INDEX", "INDIRECT", "LET", "OFFSET", "SWITCH", "XLOOKUP"}
"""Functions whose answer may be a range, of which `@` takes the cell in its own row or column."""


class CannotCompute(Exception):
    """A formula that is not computed as Excel does. The message says why."""


@dataclass
class Surroundings:
    """What the formulas of a file refer to beside cells."""

    names: dict[tuple[str, str], str] = field(default_factory=dict)
    """What a name refers to, by the sheet that it belongs to or "", and the name, both folded."""
    tables: dict[str, tuple[str, ExcelTable]] = field(default_factory=dict)
    """A table and its sheet, by its folded name."""
    spilled: dict[Location, Area] = field(default_factory=dict)
    """The cells that a formula fills, by its own."""

    def refers_to(self, sheet: str, name: str) -> str | None:
        """What a name means on a sheet, None where there is none."""
        own = self.names.get((folded(sheet), folded(name)))
        return self.names.get(("", folded(name))) if own is None else own


def completed(formula: str, place: Location, around: Surroundings, within: tuple[str, ...] = ()) -> str:
    """A formula with what it names put in, and with the model of its sheet where a call of ours leaves it out.

    `within` are the names that it is part of. Raises CannotCompute.
    """
    from openpyxl.formula import Tokenizer
    from openpyxl.formula.tokenizer import Token

    frames: list[tuple[str, list[str], list[str]]] = [("", [], [])]
    for token in Tokenizer(formula).items:
        if token.subtype == Token.OPEN:
            frames[-1][2].append(token.value)
            frames.append((token.value if token.type == Token.FUNC else "", [], []))
        elif token.subtype == Token.CLOSE:
            opened, arguments, text = frames.pop()
            arguments.append("".join(text))
            outer = frames[-1][2]
            outer[-1:] = [_closed(opened or outer[-1], arguments, token.value, place, around)]
        elif token.type == Token.SEP and frames[-1][0]:
            frames[-1][1].append("".join(frames[-1][2]))
            frames[-1][2].clear()
        elif token.type == Token.OPERAND and token.subtype == Token.RANGE:
            frames[-1][2].append(_operand(token.value, place, around, within))
        else:
            frames[-1][2].append(token.value)
    return "=" + "".join(frames[0][2])


def references(formula: str, sheet: str, around: Surroundings) -> Iterator[tuple[str, Area]]:
    """The sheet and the cells of each reference in a completed formula; of a table all cells."""
    from openpyxl.formula import Tokenizer
    from openpyxl.formula.tokenizer import Token

    for token in Tokenizer(formula).items:
        if token.type != Token.OPERAND or token.subtype != Token.RANGE:
            continue
        of, cells = _split(token.value, sheet)
        area = area_of(cells)
        if area:
            yield of, area
        elif found := around.tables.get(folded(token.value.partition("[")[0])):
            title, table = found
            yield title, table.area


def tables_given(formula: str, function: str, around: Surroundings) -> Iterator[tuple[str, ExcelTable]]:
    """The sheet and the table of each reference to a table within calls of a function, in a completed formula."""
    from openpyxl.formula import Tokenizer
    from openpyxl.formula.tokenizer import Token

    if f"{function}(" not in formula.upper():
        return
    calls: list[bool] = []
    for token in Tokenizer(formula).items:
        if token.subtype == Token.OPEN:
            calls.append(plain_name(token.value) == function)
        elif token.subtype == Token.CLOSE:
            calls.pop()
        elif any(calls) and (found := around.tables.get(folded(token.value.partition("[")[0]))):
            yield found


def on_sheet(formula: str, sheet: str) -> str:
    """A formula that says for each of its cells which sheet it is on, without the sign of equality."""
    from openpyxl.formula import Tokenizer
    from openpyxl.formula.tokenizer import Token

    return "".join(
        f"{in_formulas(sheet)}!{token.value}"
        if token.type == Token.OPERAND and token.subtype == Token.RANGE and area_of(token.value)
        else token.value
        for token in Tokenizer(formula).items
    )


def plain_name(function: str) -> str:
    """The name of a function as a formula shows it."""
    return re.sub(r"^(?:_xlfn\.|_xlws\.|_xludf\.|_xldudf_)+", "", function.rstrip("("), flags=re.I).upper()


def _split(reference: str, sheet: str) -> tuple[str, str]:
    """The sheet of a reference, by default the one it stands on, and its cells."""
    of, _, cells = reference.rpartition("!")
    return (of[1:-1].replace("''", "'") if of.startswith("'") else of) or sheet, cells


def _operand(value: str, place: Location, around: Surroundings, within: tuple[str, ...]) -> str:
    """A reference as it is understood where it stands."""
    of = value.rpartition("!")[0]
    if re.match(r"'?[^!]*\[[^\]]+\]", of):
        raise CannotCompute("it refers to another workbook: paste its value")
    if ":" in of:
        raise CannotCompute("it refers to several sheets at once")
    if re.search(r"\[#This Row\]|\[@", value, re.I):
        return _own_row(value, place, around)
    match = _NAME.fullmatch(value)
    if not match or area_of(value) or value.upper() in ("TRUE", "FALSE"):
        return value
    body = around.refers_to(_split(value, place[0])[0], match["name"])
    if body is None:
        return value
    if folded(match["name"]) in within:
        raise CannotCompute(f"its name {match['name']} refers to itself")
    moved = formula_moved(body, place[1] - 1, place[2] - 1)
    text = completed(f"={moved}", place, around, (*within, folded(match["name"])))[1:]
    return text if area_of(_split(text, "")[1]) else f"({text})"


def _own_row(value: str, place: Location, around: Surroundings) -> str:
    """The cells of a table in the row of the formula; #VALUE! beside its rows, as in Excel."""
    name, _, spec = value.partition("[")
    title, table = _table(name, place, around)
    rest = re.sub(r"^(?:\[?#This Row\]?,?|@)", "", spec.removesuffix("]"), flags=re.I)
    left, right = _columns(rest, table)
    first, last = _data_rows(table)
    if not first <= place[1] <= last:
        return "#VALUE!"
    cells = dict.fromkeys((address_of(place[1], left), address_of(place[1], right)))
    return f"{in_formulas(title)}!{':'.join(cells)}"


def _table(name: str, place: Location, around: Surroundings) -> tuple[str, ExcelTable]:
    """A table and its sheet; without a name the one that a cell stands in."""
    if name:
        found = around.tables.get(folded(name.rpartition("!")[2]))
    else:
        inside = (
            (sheet, t)
            for sheet, t in around.tables.values()
            if sheet == place[0] and t.area.holds(*place[1:])
        )
        found = next(inside, None)
    if found is None:
        raise CannotCompute(f"there is no table {name!r}")
    return found


def _data_rows(table: ExcelTable) -> tuple[int, int]:
    return table.area.top + 1, table.area.bottom - table.has_totals


def _columns(spec: str, table: ExcelTable) -> tuple[int, int]:
    """The first and the last column that a reference to a table names: `[a]`, `[a]:[b]`, `a`, or nothing for all."""
    named = _COLUMNS.findall(spec) if "[" in spec else [spec] if spec else []
    headers = [folded(header) for header in table.headers]
    wanted = [folded(re.sub("'(.)", r"\1", name)) for name in named]
    for name in wanted:
        if name not in headers:
            raise CannotCompute(f"the table {table.name!r} has no column {name!r}")
    if not wanted:
        return table.area.left, table.area.right
    return table.area.left + headers.index(wanted[0]), table.area.left + headers.index(wanted[-1])


def _closed(opened: str, arguments: list[str], close: str, place: Location, around: Surroundings) -> str:
    """A call, a bracket or an array when it closes."""
    name = plain_name(opened)
    if name == "SINGLE" and len(arguments) == 1:
        return _single(arguments[0], place, around)
    if name == "ANCHORARRAY" and len(arguments) == 1:
        return _spilled(arguments[0], place, around)
    if name in FUNCTIONS:
        model = around.refers_to(place[0], MODEL)
        if model is not None:
            model = _operand(MODEL, place, around, ())
        arguments = _complete_arguments(FUNCTIONS[name], arguments, model)
    return opened + ",".join(arguments) + close


def _single(text: str, place: Location, around: Surroundings) -> str:
    """What `@` takes: of a range the cell in the own row or column, of an answer the first cell."""
    sheet, cells = _split(text, place[0])
    area = area_of(cells)
    if area is None and text.endswith("]") and "(" not in text.partition("[")[0]:
        sheet, table = _table(text.partition("[")[0], place, around)
        left, right = _columns(text.partition("[")[2].removesuffix("]"), table)
        area = Area(_data_rows(table)[0], left, _data_rows(table)[1], right)
    if area is None:
        called = re.match(r"[\w.]+(?=\()", text)
        if called and plain_name(called[0]) in _GIVES_RANGE:
            raise CannotCompute(f"@ stands before {plain_name(called[0])}, which may give a range")
        return f"{FIRST}({text})"
    _, row, column = place
    if area.top == area.bottom:
        row = area.top
    elif area.left != area.right:
        return "#VALUE!"
    if area.left == area.right:
        column = area.left
    return f"{in_formulas(sheet)}!{address_of(row, column)}" if area.holds(row, column) else "#VALUE!"


def _spilled(text: str, place: Location, around: Surroundings) -> str:
    """The cells that the formula of a cell fills."""
    sheet, cells = _split(text, place[0])
    at = area_of(cells)
    area = around.spilled.get((sheet, at.top, at.left)) if at else None
    if area is None:
        raise CannotCompute(f"no formula spills from {text}")
    return f"{in_formulas(sheet)}!{address_of(area.top, area.left)}:{address_of(area.bottom, area.right)}"


def _complete_arguments(function: Function, arguments: list[str], model: str | None) -> list[str]:
    filled = [] if arguments == [""] else list(arguments)
    if function.name == "LM_WHY":
        named = [f'"{STANDING}"', model] if model is not None and filled else []
        return [x if x.strip() else f'"{LEFT_OUT}"' for x in filled] + named
    for i, declared in enumerate(function.arguments[: len(filled) + 1]):
        if declared.rest or declared.required:
            continue
        missing = i >= len(filled) or not filled[i].strip()
        if missing and declared.kind == "model" and model is not None:
            filled[i : i + 1] = [model]
        elif missing and i < len(filled):
            filled[i] = f'"{LEFT_OUT}"'
    return filled


def surroundings(
    names: Mapping[tuple[str, str], str], tables: list[tuple[str, ExcelTable]], spilled: dict[Location, Area]
) -> Surroundings:
    """What the formulas of a file refer to, found by folded names."""
    return Surroundings(
        {(folded(sheet), folded(name)): text for (sheet, name), text in names.items()},
        {folded(table.name): (sheet, table) for sheet, table in tables},
        spilled,
    )
