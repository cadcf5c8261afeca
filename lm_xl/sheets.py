"""A workbook file -> tables of raw cells. Reads anything a stranger may send, in bounded memory and time."""

from __future__ import annotations

import datetime as dt
import math
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from lm_xl.axes import folded, nearest
from lm_xl.faults import Fault, Refused

MOST_BYTES = 100_000_000
MOST_UNPACKED = 1_000_000_000
MOST_PARTS = 2_000
MOST_ROWS = 20_000
MOST_COLUMNS = 200
HEADER_WITHIN = 20
"""The header of a table stands within this many rows of the top."""


@dataclass(frozen=True)
class RawCell:
    """A cell as read: its address, its value, and whether a formula without a stored value stands in it."""

    sheet: str
    address: str
    value: Any
    unstored: bool = False

    @property
    def blank(self) -> bool:
        return not self.unstored and (self.value is None or (isinstance(self.value, str) and not self.value.strip()))


@dataclass(frozen=True)
class Table:
    """The rows under a sheet's header. Each row maps a column's name (years as text) to its cell."""

    sheet: str
    header: dict[str, str]
    """Column name to column letter."""
    rows: tuple[dict[str, RawCell], ...]


def read_tables(path: Path, wanted: dict[str, tuple[str, ...]], faults: list[Fault]) -> dict[str, Table]:
    """Read the wanted sheets; `wanted` maps a sheet's name to the columns it must have. Adds faults; raises Refused where nothing can be read."""
    import openpyxl

    _inspect(path)
    try:
        formulas = openpyxl.load_workbook(path, read_only=True, keep_links=False)
        stored = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        raise Refused(
            [Fault(path.name, "", "", f"cannot be read as an .xlsx workbook ({type(error).__name__}): save it again from Excel")]
        ) from None
    try:
        tables = {}
        by_fold = {folded(ws.title): ws for ws in formulas.worksheets}
        for name, columns in wanted.items():
            sheet = by_fold.get(folded(name))
            if sheet is None:
                faults.append(Fault(path.name, name, "", f"the sheet is missing: {nearest(name, formulas.sheetnames)}"))
                continue
            if sheet.sheet_state != "visible":
                faults.append(Fault(path.name, sheet.title, "", "the sheet is hidden: unhide it"))
            table = _table(path, formulas, stored, sheet.title, columns, faults)
            if table is not None:
                tables[name] = table
        return tables
    except ElementTree.ParseError:
        raise Refused([Fault(path.name, "", "", "holds broken XML: save it again from Excel")]) from None
    finally:
        formulas.close()
        stored.close()


def _inspect(path: Path) -> None:
    """Refuse what is no workbook, is encrypted, or would unpack to more than a workbook does."""

    def refuse(message: str) -> Refused:
        return Refused([Fault(path.name, "", "", message)])

    try:
        with path.open("rb") as file:
            start = file.read(8)
        size = path.stat().st_size
    except FileNotFoundError:
        raise refuse(f"there is no such file in {path.parent.name or '.'}") from None
    except OSError as error:
        raise refuse(f"cannot be opened: {error.strerror}") from None
    if start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise refuse("is encrypted or in the old .xls format: save it as .xlsx without a password")
    if not start.startswith(b"PK"):
        raise refuse("is not an .xlsx workbook: save it as .xlsx")
    if size > MOST_BYTES:
        raise refuse(f"has {size:,} bytes; at most {MOST_BYTES:,} are read")
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            unpacked = sum(p.file_size for p in parts)
            if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED:
                raise refuse(
                    f"unpacks to {len(parts):,} parts and {unpacked:,} bytes; at most {MOST_PARTS:,} and {MOST_UNPACKED:,} are read"
                )
            if not {"[Content_Types].xml", "xl/workbook.xml"} <= set(package.namelist()):
                raise refuse("is a zip archive but not an .xlsx workbook")
            for part in parts:
                if part.flag_bits & 1:
                    raise refuse("is encrypted: save it as .xlsx without a password")
                if part.filename.endswith((".xml", ".rels")):
                    with package.open(part) as opened:
                        if b"<!DOCTYPE" in opened.read(4096).upper():
                            raise refuse(f"declares XML entities in {part.filename}, which no workbook needs: it is not read")
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise refuse(f"is damaged ({error}): save it again from Excel") from None


def _table(path: Path, formulas: Any, stored: Any, title: str, columns: Collection[str], faults: list[Fault]) -> Table | None:
    merged, hidden_rows, hidden_columns = _hidden_and_merged(formulas[title])
    rows: list[dict[str, RawCell]] = []
    header: dict[str, str] = {}
    header_row = 0
    for number, (formula_row, stored_row) in enumerate(zip(_rows(formulas[title]), _rows(stored[title]), strict=True), 1):
        if number > MOST_ROWS:
            faults.append(Fault(path.name, title, "", f"has more than {MOST_ROWS:,} rows: nothing below is read"))
            break
        if not header_row:
            names = {_name(v): i for i, v in enumerate(stored_row) if v is not None}
            if len(set(names) & set(columns)) * 2 > len(columns):
                header_row = number
                header = _header(path.name, title, number, stored_row, columns, faults)
            elif number >= HEADER_WITHIN:
                break
            continue
        row = {}
        for name, letter in header.items():
            i = _index(letter)
            formula = formula_row[i] if i < len(formula_row) else None
            value = stored_row[i] if i < len(stored_row) else None
            unstored = (isinstance(formula, str) and formula.startswith("=") and value is None) or _array_formula(formula, value)
            row[name] = RawCell(title, f"{letter}{number}", value, unstored)
        if all(c.blank for c in row.values()):
            continue
        if number in hidden_rows:
            faults.append(Fault(path.name, title, f"A{number}", "the row is hidden, perhaps by a filter: show it or delete it"))
        rows.append(row)
    if not header_row:
        faults.append(
            Fault(path.name, title, "", f"no header row within the first {HEADER_WITHIN} rows; it needs the columns {', '.join(columns)}")
        )
        return None
    for area, first, last in merged:
        if last >= header_row:
            faults.append(
                Fault(path.name, title, area, f"merged cells over rows {first} to {last}: unmerge them, each row needs its own values")
            )
    concealed = sorted(set(header.values()) & hidden_columns)
    faults += [Fault(path.name, title, f"{letter}{header_row}", "the column is hidden: show it") for letter in concealed]
    return Table(title, header, tuple(rows))


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()
    yield from sheet.iter_rows(values_only=True, max_row=MOST_ROWS + 1, max_col=MOST_COLUMNS)


def _array_formula(formula: Any, value: Any) -> bool:
    return value is None and type(formula).__name__ in ("ArrayFormula", "DataTableFormula")


def _header(file: str, title: str, number: int, row: tuple[Any, ...], columns: Collection[str], faults: list[Fault]) -> dict[str, str]:
    header: dict[str, str] = {}
    for i, value in enumerate(row):
        name = _name(value)
        if name in header:
            faults.append(Fault(file, title, f"{_letter(i)}{number}", f"the column {name!r} is there twice"))
        elif name:
            header[name] = _letter(i)
    for name in columns:
        if name not in header:
            others = [h for h in header if h not in columns] or list(header)
            faults.append(Fault(file, title, f"A{number}", f"the column {name!r} is missing: {nearest(name, others)}"))
    return header


def _name(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else folded(str(value))


def _letter(i: int) -> str:
    from openpyxl.utils import get_column_letter

    return get_column_letter(i + 1)


def _index(letter: str) -> int:
    from openpyxl.utils import column_index_from_string

    return column_index_from_string(letter) - 1


def _hidden_and_merged(sheet: Any) -> tuple[list[tuple[str, int, int]], set[int], set[str]]:
    """Merged areas with their rows, hidden rows and hidden columns; openpyxl's reading mode passes over them."""
    from openpyxl.utils import range_boundaries

    merged: list[tuple[str, int, int]] = []
    rows: set[int] = set()
    columns: set[str] = set()
    with sheet.parent._archive.open(sheet._worksheet_path) as part:
        for _, element in ElementTree.iterparse(part):
            tag = element.tag.rpartition("}")[2]
            if tag == "mergeCell":
                area = element.get("ref", "")
                _, first, _, last = range_boundaries(area)
                merged.append((area, int(first or 0), int(last or MOST_ROWS)))
            elif element.get("hidden") in ("1", "true"):
                if tag == "row":
                    rows.add(int(element.get("r", "0")))
                elif tag == "col":
                    first, last = int(element.get("min", "1")), int(element.get("max", "1"))
                    columns.update(_letter(i - 1) for i in range(first, min(last, MOST_COLUMNS) + 1))
            if tag == "row":
                element.clear()
    return merged, rows, columns


def number(cell: RawCell, file: str, faults: list[Fault]) -> float | None:
    """The number in a cell, or None and one fault that says what stands there instead."""
    value = cell.value
    if cell.unstored:
        message = "a formula with no stored value: open the workbook in Excel, let it calculate, and save it"
    elif cell.blank:
        message = "blank where a number is due"
    elif isinstance(value, bool):
        message = f"{str(value).upper()} is not a number"
    elif isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
        message = (
            f"a date or time ({value}) where a number is due: set the cell's format to General and type the number again (a year as 2030)"
        )
    elif isinstance(value, str):
        message = _text_as_number(value.strip())
    elif not math.isfinite(value):
        message = f"{value} is not a finite number"
    else:
        return float(value)
    faults.append(Fault(file, cell.sheet, cell.address, message))
    return None


def _text_as_number(text: str) -> str:
    if text.startswith("#"):
        return f"the error value {text}: repair the formula behind it"

    def is_number(candidate: str) -> bool:
        try:
            return math.isfinite(float(candidate))
        except ValueError:
            return False

    if is_number(text):
        return f"the text {text!r} looks like a number: type it again as a number"
    if text.endswith("%") and is_number(text[:-1].strip().replace(",", ".")):
        return f"the text {text!r} is not a number: type {float(text[:-1].strip().replace(',', '.')) / 100:g}"
    if "," in text and is_number(text.replace(".", "").replace(",", ".")):
        return f"the text {text!r} has a decimal comma or thousands separators: type it again as a number"
    return f"the text {text!r} where a number is due"
