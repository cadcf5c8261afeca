"""The cells of a file that hold formulas, and what formualizer lacks of them: ISFORMULA, and ROW over more than one row.

It answers the former with FALSE everywhere. In formulas that ask for it both are answered here, from the file's own cells.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

from lm_xl.faults import EngineMissing
from lm_xl.xlsx.addresses import Area, area_of, column_number, place_of
from lm_xl.xlsx.package import opened
from lm_xl.xlsx.workbook_file import WorkbookFile

ISFORMULA = "_xlfn.ISFORMULA"
"""As files name it: it came with Excel 2013; LibreOffice has it too."""
_FORMULA_CELL = re.compile(rb'<c r="([A-Z]+)([0-9]+)"[^>]*><f[ />]')
_ASKING = re.compile(rb'<c r="([A-Z]+[0-9]+)"[^>]*><f[^>]*>([^<]*\bISFORMULA\([^<]*)</f>')
_CALL = re.compile(r"(?:_xlfn\.)?\b(ISFORMULA|ROW)\(([^()\"]+)\)", re.I)
_ANSWERED = {"ISFORMULA": "HOLDS_FORMULA", "ROW": "ROW_NUMBERS"}
"""The functions that stand in for these; each takes its reference as text."""

Places = dict[str, set[tuple[int, int]]]
"""Sheet to row and column of some of its cells."""


def engine() -> Any:
    """formualizer, which computes in process. Raises EngineMissing where it is not installed: it has no build for Windows on ARM."""
    try:
        import formualizer
    except ImportError:
        raise EngineMissing(
            "this needs formualizer, which computes formulas without Excel: python -m pip install formualizer "
            "(on Windows on ARM in a Python for x64); the functions in Excel work without it"
        ) from None
    return formualizer


def formula_cells(path: Path) -> Places:
    """Every cell of a file that holds a formula, by the title of each sheet."""
    with opened(path) as package:
        return {
            sheet.title: {
                (int(match[2]), column_number(match[1].decode()))
                for match in _FORMULA_CELL.finditer(package.read(sheet.part))
            }
            for sheet in WorkbookFile(package).sheets
        }


class FormulaCells:
    """A workbook of formualizer whose ISFORMULA is answered: put values into its cells, `evaluate` it, read `workbook`."""

    def __init__(self, path: Path) -> None:
        self.workbook = engine().load_workbook(str(path))
        self._cells = formula_cells(path)
        for name, answer in (("HOLDS_FORMULA", self._holds), ("ROW_NUMBERS", _row_numbers)):
            self.workbook.register_function(name, answer, min_args=1, max_args=1, volatile=True)
        for sheet, address, formula in _asking(path):
            self.workbook.set_formula(sheet, *place_of(address), f"={_answered(sheet, formula)}")

    def put(self, sheet: str, row: int, column: int, value: Any) -> None:
        """Type a value into a cell, over its formula where it holds one."""
        self.workbook.set_value(sheet, row, column, value)
        self._cells.get(sheet, set()).discard((row, column))

    def evaluate(self) -> None:
        """Compute every formula."""
        self.workbook.evaluate_all()

    def _holds(self, reference: str) -> list[list[bool]]:
        """Whether each cell of a range holds a formula."""
        sheet, area = _place(reference)
        cells = self._cells.get(sheet, set())
        across = range(area.left, area.right + 1)
        return [[(row, column) in cells for column in across] for row in range(area.top, area.bottom + 1)]


def _row_numbers(reference: str) -> list[list[int]]:
    _, area = _place(reference)
    return [[row] for row in range(area.top, area.bottom + 1)]


def _place(reference: str) -> tuple[str, Area]:
    sheet, _, cells = reference.rpartition("!")
    area = area_of(cells)
    if area is None:
        raise ValueError(f"{reference!r} is no range of cells")
    return sheet.removeprefix("'").removesuffix("'").replace("''", "'"), area


def _answered(sheet: str, formula: str) -> str:
    """A formula of a sheet that names ranges as text where the engine would not answer."""

    def call(found: re.Match[str]) -> str:
        reference = found[2] if "!" in found[2] else f"'{sheet}'!{found[2]}"
        return f'{_ANSWERED[found[1].upper()]}("{reference}")'

    return _CALL.sub(call, formula)


def _asking(path: Path) -> list[tuple[str, str, str]]:
    """Sheet, address and text of each formula of a file that asks whether cells hold formulas."""
    with opened(path) as package:
        return [
            (sheet.title, match[1].decode(), unescape(match[2].decode()))
            for sheet in WorkbookFile(package).sheets
            for match in _ASKING.finditer(package.read(sheet.part))
        ]
