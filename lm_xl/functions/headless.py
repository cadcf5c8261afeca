"""The functions in formualizer: a function-backed workbook evaluated with no Excel, and its stored values written in place."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lm_xl.assumptions.tables import in_order, rows_beyond
from lm_xl.faults import CallError, Fault, Refused
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.differences import Probe, difference, gives_block, probes
from lm_xl.functions.formulas import (
    FIRST,
    LEFT_OUT,
    LITE_PREFIX,
    OUR_CALL,
    STANDING,
    CannotCompute,
    Location,
    Surroundings,
    completed,
    references,
    surroundings,
    tables_given,
)
from lm_xl.functions.registry import FUNCTIONS, MODEL_AT, NA, REF, VALUE
from lm_xl.functions.tables import table_columns
from lm_xl.xlsx.addresses import Area, address_of
from lm_xl.xlsx.formula_cells import engine
from lm_xl.xlsx.package import opened
from lm_xl.xlsx.sheets import DATA_TABLE
from lm_xl.xlsx.stored import write_values
from lm_xl.xlsx.workbook_file import SheetEntry, WorkbookFile

_KINDS = {
    "Null": "#NULL!", "Div": "#DIV/0!", "Value": VALUE, "Ref": REF, "Name": "#NAME?", "Num": "#NUM!", "Na": NA, "Spill": "#SPILL!", "Calc": "#CALC!",
}  # fmt: skip
_CODES = {code: kind for kind, code in _KINDS.items()}
_UNKNOWN = {
    "#NAME?": "it has a name or a function that the engine does not know",
    "#CALC!": "the engine has no such formula",
    "#SPILL!": "its answer does not fit where it stands",
}
"""What a formula shows that the engine cannot compute, and why that is."""
_BLOCK, _PROBE = "LM_XL_BLOCK", "LM_XL_PROBE"
"""The engine's names for an answer laid over the cells of its formula, and for operands that are looked at."""
_PROBES = "lm_xl probes"
"""A sheet that only the engine sees."""
SUFFIXES = (".xlsx", ".xlsm")
CALC_CALL = "LM_XL.LM"
"""How the name of each of our functions begins in a workbook of Excel that LibreOffice saved."""
NONE_OF_OURS = "holds none of our functions: nothing to recalculate"
SAVED_BY_CALC = (
    "was saved by LibreOffice, whose names for our functions Excel does not know (LM_XL.LMPATIENTS): save it there"
    " as .ods, and recalculate the workbook that it was made from"
)


@dataclass(frozen=True)
class Recalculated:
    """What a recalculation found: how many formulas with our functions and how many others, which show an error, which were left."""

    functions: int
    others: int
    errors: Mapping[str, str]
    """Cell to error value."""
    left: Mapping[str, str] = field(default_factory=dict)
    """Cell that stayed as it was, to the reason."""


@dataclass(frozen=True)
class _Formula:
    """A formula of a file: its text, how many rows and columns it fills, and the value stored beside it."""

    text: str
    size: tuple[int, int]
    stored: str
    as_array: bool = False
    spills: bool = False
    """Whether it takes as many cells as it needs, and not those it was entered over."""

    def cells(self, place: Location) -> Iterator[Location]:
        sheet, row, column = place
        for i, j in np.ndindex(self.size):
            yield sheet, row + i, column + j


@dataclass
class _Content:
    """The formulas of a file, what they refer to beside cells, and the sheets with hidden rows."""

    formulas: dict[Location, _Formula]
    around: Surroundings
    hiding: set[str]
    from_1904: bool


def open_workbook(path: str | Path) -> Any:
    """A workbook of formualizer with the functions registered; call its `evaluate_all`, `set_value`, `get_value`.

    A call that names no model takes the name `Model` of its sheet or else of the workbook; where there is none it is #N/A. Raises Refused for
    what is no workbook, and for formulas of which it is known that the engine does not compute them as Excel does.
    """
    path = Path(path)
    content = _content(path)
    recalculation = _Recalculation(path, content)
    if recalculation.left:
        raise Refused(
            Fault(
                path.name,
                sheet,
                address_of(row, column),
                f"{content.formulas[sheet, row, column].text} is not computed: {why}",
            )
            for (sheet, row, column), why in recalculation.left.items()
        )
    return recalculation.workbook


def recalculate(path: str | Path, output: str | Path | None = None, *, force: bool = False) -> Recalculated:
    """Evaluate a workbook and write the stored value of each formula, all or nothing; other parts of the file stay byte for byte.

    What the engine is not known to compute as Excel does is left as it was, with all that depends on it, and told. Raises Refused for what is
    no workbook, and where `output` exists and `force` is not given; WrongUsage where it ends in another way than the workbook.
    """
    from lm_xl.files import must_end, not_over, replacing

    path, target = Path(path), Path(path if output is None else output)
    content = _content(path)
    if output is not None:
        must_end(target, path.suffix.lower())
        not_over(path, target)
    recalculation = _Recalculation(path, content)
    ours = sum(bool(OUR_CALL.search(text)) for text in recalculation.texts.values())
    if not ours:
        by_calc = any(CALC_CALL in text for text in recalculation.texts.values())
        raise Refused([Fault(path.name, "", "", SAVED_BY_CALC if by_calc else NONE_OF_OURS)])
    recalculation.evaluate()
    values, left = recalculation.values, recalculation.left
    with replacing(target, force=output is None or force) as draft:
        write_values(path, draft, values)
    errors = {_cell(place): value.code for place, value in values.items() if isinstance(value, CallError)}
    told = {_cell(place): why for place, why in sorted(left.items())}
    return Recalculated(ours, len(content.formulas) - ours, errors, told)


def _cell(place: Location) -> str:
    sheet, row, column = place
    return f"{sheet}!{address_of(row, column)}"


def _content(path: Path) -> _Content:
    """What is in a file. Raises Refused for what is no workbook."""
    if path.suffix.lower() not in SUFFIXES:
        message = f"is no workbook by its name: allowed {' and '.join(SUFFIXES)}"
        raise Refused([Fault(path.name or str(path), "", "", message)])
    formulas: dict[Location, _Formula] = {}
    hiding = set()
    with opened(path) as package:
        file = WorkbookFile(package)
        for sheet in file.sheets:
            hides, found = _formulas(file, sheet)
            formulas |= found
            hiding |= {sheet.title} if hides else set()
        tables = [(sheet.title, table) for sheet in file.sheets for table in file.tables(sheet)]
        names = {(name.sheet, name.name): name.refers_to for name in file.names}
        from_1904 = file.counts_from_1904
    spilled = {
        place: Area(place[1], place[2], place[1] + f.size[0] - 1, place[2] + f.size[1] - 1)
        for place, f in formulas.items()
        if f.spills
    }
    return _Content(formulas, surroundings(names, tables, spilled), hiding, from_1904)


def _formulas(file: WorkbookFile, sheet: SheetEntry) -> tuple[bool, dict[Location, _Formula]]:
    """Whether a sheet has hidden rows, and its formulas."""
    rows: dict[int, dict[int, tuple[str | None, str]]] = {}

    def cell_of(
        _row: int, _column: int, _style: int, _kind: str, formula: str | None, text: str
    ) -> tuple[str | None, str]:
        return formula, text

    settings = file.read(sheet, rows, cell_of)
    sizes = {(a.top, a.left): (a.bottom - a.top + 1, a.right - a.left + 1) for a, _ in settings.blocks}
    spilling = set(settings.dynamic)
    return bool(settings.hidden_rows or settings.rows_hidden), {
        (sheet.title, row, column): _Formula(
            f"={formula}",
            sizes.get((row, column), (1, 1)),
            stored,
            (row, column) in sizes,
            address_of(row, column) in spilling,
        )
        for row, cells in rows.items()
        for column, (formula, stored) in cells.items()
        if formula is not None and formula != DATA_TABLE
    }


class _Recalculation:
    """A workbook in the engine: its completed formulas, what is looked at while it computes, and what comes of it."""

    def __init__(self, path: Path, content: _Content) -> None:
        self.formulas, self.around = content.formulas, content.around
        self.from_1904 = content.from_1904
        self.left: dict[Location, str] = {}
        self.values: dict[Location, Any] = {}
        self.probes: list[tuple[Location, Probe]] = []
        self.texts = {place: self._completed(place, found) for place, found in self.formulas.items()}
        _demand_whole_tables(path, self.texts.values(), self.around)
        for place, found in self.formulas.items():
            if place not in self.left:
                self._examine(place, found, content.hiding)
        self.workbook = _loaded(path, self.formulas)
        for name in FUNCTIONS:
            for known in (name, LITE_PREFIX + name):
                self.workbook.register_function(known, _callback(name))
        self.workbook.register_function(FIRST, _first)
        self.workbook.register_function(_BLOCK, self._laid_over)
        self.workbook.register_function(_PROBE, self._looked_at)
        for sheet, table in self.around.tables.values():
            self.workbook.add_table(
                table.name, sheet, (*table.area,), table.headers, totals_row=table.has_totals
            )
        self._numbers = {place: float(i) for i, place in enumerate(self.formulas)}
        self._places = list(self.formulas)
        for place, found in self.formulas.items():
            self._enter(place, found)

    def _completed(self, place: Location, found: _Formula) -> str:
        try:
            return completed(found.text, place, self.around)
        except CannotCompute as why:
            self.left[place] = str(why)
            return found.text

    def _examine(self, place: Location, found: _Formula, hiding: set[str]) -> None:
        """Note a formula that the engine computes otherwise, and what has to be looked at."""
        text = self.texts[place]
        why = difference(text, place[0], self.around, as_array=found.as_array, hiding=hiding)
        if why:
            self.left[place] = why
        else:
            self.probes += [(place, probe) for probe in probes(text, place[0])]

    def _enter(self, place: Location, found: _Formula) -> None:
        """Give the engine a formula as it has to compute it, where its reader of files took another one."""
        text = self.texts[place]
        if place in self.left:
            text = "=NA()"
        elif found.size != (1, 1) or found.spills or gives_block(text):
            rows, columns = found.size
            text = f"={_BLOCK}({self._numbers[place]:.0f},{rows},{columns},{text[1:]})"
        if text != found.text or "[" in text:  # the engine's reader knows no tables
            try:
                self.workbook.set_formula(*place, text)
            except RuntimeError as error:
                self.left[place] = f"the engine refuses it ({error})"

    def evaluate(self) -> None:
        """Compute every formula: `values` by cell, and `left` with the reason for each formula that keeps what is stored."""
        if self.probes:
            self.workbook.add_sheet(_PROBES)
            for i, (_, probe) in enumerate(self.probes):
                formula = f"={_PROBE}({i},{','.join(probe.operands)})"
                self.workbook.set_formula(_PROBES, i + 1, 1, formula)
        self.workbook.evaluate_all()
        for place, found in self.formulas.items():
            if place not in self.left:
                self._take(place, found)
        self._leave_new_errors()
        self._leave_dependents()
        kept = [place for place in self.formulas if place not in self.left]
        self.values = {cell: self.values[cell] for p in kept for cell in self.formulas[p].cells(p)}

    def _take(self, place: Location, found: _Formula) -> None:
        """The values of a formula's cells, or why they are left."""
        if not found.as_array and not OUR_CALL.search(self.texts[place]):
            role = self.workbook.inspect_cell(f"'{place[0]}'!{address_of(*place[1:])}", include_values=False)
            if role.cell.spill is not None:
                self.left[place] = "it gives several cells, and was entered as a formula of one"
                return
        for cell in found.cells(place):
            value = self.workbook.get_value(*cell)
            if self.from_1904 and isinstance(value, dt.date):
                self.left[place] = "it gives a date, and the days of this workbook count from 1904"
            if isinstance(value, dict) and value.get("kind") not in _KINDS:
                circle = value.get("kind") == "Circ"
                self.left[place] = "it refers to itself in a circle" if circle else "the engine has no answer"
            self.values[cell] = _stored_value(value)
        shown = getattr(self.values[place], "code", "")
        if shown in _UNKNOWN and found.stored != shown:
            self.left.setdefault(place, _UNKNOWN[shown])

    def _leave_new_errors(self) -> None:
        """Leave what shows a value and would show an error that none of its precedents has: the engine may not know how to compute it."""
        wrong = {cell for cell, value in self.values.items() if isinstance(value, CallError)}
        for place in [p for p in wrong if p in self.formulas and p not in self.left]:
            stored = self.formulas[place].stored
            if not stored or stored.startswith("#") or OUR_CALL.search(self.texts[place]):
                continue
            areas = references(self.texts[place], place[0], self.around)
            if not any(cell[0] == sheet and area.holds(*cell[1:]) for sheet, area in areas for cell in wrong):
                self.left[place] = f"the engine gives {self.values[place].code} where {stored} is stored"

    def _leave_dependents(self) -> None:
        """Leave all that depends on what is left; what finds its cells while it computes may depend on anything."""
        if not self.left:
            return
        for place, text in self.texts.items():
            if "OFFSET(" in text or "INDIRECT(" in text:
                self.left.setdefault(place, "it may refer to a cell that is left as it was")
        owners, areas = [], []
        numbers: dict[str, int] = {}
        for place, text in self.texts.items():
            for sheet, area in references(text, place[0], self.around):
                owners.append(place)
                areas.append((numbers.setdefault(sheet, len(numbers)), *area))
        table = np.array(areas, dtype=int).reshape(-1, 5).T
        waiting = list(self.left)
        while waiting:
            source = waiting.pop()
            for sheet, row, column in self.formulas[source].cells(source):
                within = (table[0] == numbers.get(sheet, -1)) & (table[1] <= row) & (row <= table[3])
                for i in np.flatnonzero(within & (table[2] <= column) & (column <= table[4])):
                    if owners[i] not in self.left:
                        self.left[owners[i]] = f"it depends on {_cell(source)}"
                        waiting.append(owners[i])

    def _laid_over(self, number: float, rows: float, columns: float, answer: Any) -> Any:
        """An answer over the cells of its formula: of one row, column or cell it is repeated, beyond any other one is #N/A."""
        block = answer if isinstance(answer, list) else [[answer]]
        height, width = len(block), len(block[0])
        place = self._places[int(number)]
        if self.formulas[place].spills and (height, width) != (rows, columns):
            self.left[place] = "it spills over another number of cells than before"
        if rows == columns == 1:
            return block[0][0]

        def at(i: int, j: int) -> Any:
            i, j = i if height > 1 else 0, j if width > 1 else 0
            return block[i][j] if i < height and j < width else _engine_value(CallError(NA, ""))

        return [[at(i, j) for j in range(int(columns))] for i in range(int(rows))]

    def _looked_at(self, number: float, *operands: Any) -> float:
        place, probe = self.probes[int(number)]
        if probe.differs(operands):
            self.left[place] = probe.why
        return 0.0


def _demand_whole_tables(path: Path, texts: Iterable[str], around: Surroundings) -> None:
    """Raises Refused for rows below the tables of a model, which it would not see, as the reader of assumptions does."""
    given = {
        table.name: (sheet, table)
        for text in texts
        for sheet, table in tables_given(text, "LM_MODEL", around)
    }
    if not given:
        return
    with opened(path) as package:
        file = WorkbookFile(package)
        entries = {entry.title: entry for entry in file.sheets}
        faults = [
            fault
            for sheet, table in given.values()
            for fault in rows_beyond(file, path.name, entries[sheet], table, table_columns(table.headers))
        ]
    if faults:
        raise Refused(in_order(faults, entries))


def _first(answer: Any) -> Any:
    return answer[0][0] if isinstance(answer, list) else answer


def _loaded(path: Path, formulas: Mapping[Location, _Formula]) -> Any:
    """A file in the engine. The stored values of a block would stand in its own way."""
    formualizer = engine()
    spilled = {
        cell: None for place, found in formulas.items() for cell in found.cells(place) if cell != place
    }
    with tempfile.TemporaryDirectory() as folder:
        cleared = Path(folder) / "cleared.xlsx"
        write_values(path, cleared, spilled)
        try:
            return formualizer.load_workbook(str(cleared))
        except (formualizer.ExcelEvaluationError, OSError, ValueError, RuntimeError) as error:
            words = f"cannot be opened by the engine that stands in for Excel ({error})"
            raise Refused([Fault(path.name, "", "", words)]) from None


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
