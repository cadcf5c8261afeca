"""A workbook file as its package tells of it: sheets, tables, names, shared texts, styles, and the values of cells."""

from __future__ import annotations

import datetime as dt
import math
from functools import cached_property
from typing import NamedTuple

from lm_xl.xlsx.addresses import LAST_ROW, Area, area_of
from lm_xl.xlsx.drawings import Graphic, graphics, relation_id
from lm_xl.xlsx.package import MOST_PARTS, Damaged, Package
from lm_xl.xlsx.sheets import MOST_CHARACTERS, YES, C, CellOf, SheetSettings, TakenText, read_sheet
from lm_xl.xlsx.styles import CellStyle, cell_styles, date_styles

Value = float | bool | str | dt.datetime | None


class SheetEntry(NamedTuple):
    """A worksheet: its title, whether it is visible, hidden or veryHidden, and its part of the package."""

    title: str
    state: str
    part: str


class DefinedName(NamedTuple):
    """A name, what it refers to, the title of the sheet that it belongs to or "", and whether it is hidden."""

    name: str
    refers_to: str
    sheet: str
    hidden: bool


class ExcelTable(NamedTuple):
    """A range that was made a table: its name, area and headers, and whether it has a row of totals."""

    name: str
    area: Area
    headers: list[str]
    has_totals: bool


class WorkbookFile:
    """An open package as a workbook. Sheets are read when they are asked for, texts and styles once."""

    def __init__(self, package: Package) -> None:
        self.package = package
        main = next((r.target for r in package.relations("").values() if r.kind == "officeDocument"), "")
        related = package.relations(main)
        if not main.casefold().endswith(".xml") or (package.has(main) and not related):
            raise Damaged("is a zip archive but not an .xlsx workbook: save it as .xlsx")
        root = package.tree(main)
        self._parts = {relation.kind: relation.target for relation in related.values()}
        self.sheets: list[SheetEntry] = []
        titles = []
        for entry in root.iterfind("{*}sheets/{*}sheet"):
            relation, title = related[relation_id(entry)], entry.get("name", "")
            titles.append(title)
            if relation.kind == "worksheet":
                self.sheets.append(SheetEntry(title, entry.get("state", "visible"), relation.target))
        if len(titles) > MOST_PARTS:
            raise Damaged(f"has {len(titles):,} sheets; at most {MOST_PARTS:,} are read")
        self.names = []
        for entry in root.iterfind("{*}definedNames/{*}definedName"):
            at = int(entry.get("localSheetId", "-1"))
            sheet = titles[at] if 0 <= at < len(titles) else ""
            hidden, refers_to = entry.get("hidden") in YES, entry.text or ""
            if len(refers_to) > MOST_CHARACTERS:
                raise Damaged(f"has a defined name of more than {MOST_CHARACTERS:,} characters")
            self.names.append(DefinedName(entry.get("name", ""), refers_to, sheet, hidden))
        view = root.find("{*}bookViews/{*}workbookView")
        self.first_shown = int(view.get("activeTab", "0")) if view is not None else 0
        calculation = root.find("{*}calcPr")
        self.calculation = dict(calculation.items()) if calculation is not None else {}
        settings = root.find("{*}workbookPr")
        self.counts_from_1904 = settings is not None and settings.get("date1904") in YES
        self._epoch = dt.datetime(1904, 1, 1) if self.counts_from_1904 else dt.datetime(1899, 12, 30)

    @property
    def uncalculated(self) -> str:
        """Why the values stored beside formulas may be none of theirs, or "".

        Libraries that write formulas without calculating them store 0 and ask for a calculation on opening; a workbook that calculates
        by hand keeps what it had.
        """
        if self.calculation.get("calcMode", "auto") != "auto":
            return "the workbook calculates by hand: set it to calculate automatically"
        if (
            self.calculation.get("fullCalcOnLoad") in YES
            or self.calculation.get("calcCompleted", "1") not in YES
        ):
            return "the workbook asks to be calculated: open it in Excel, let it calculate"
        return ""

    @cached_property
    def properties(self) -> dict[str, str]:
        """What the file tells of itself, such as title, creator and Application."""
        related = self.package.relations("").values()
        parts = [r.target for r in related if r.kind.casefold().endswith("properties")]
        told = (element for part in parts if self.package.has(part) for element in self.package.tree(part))
        return {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in told}

    @cached_property
    def texts(self) -> list[str]:
        """The texts that cells share."""
        part = self._parts.get("sharedStrings")
        return _shared_texts(self.package, part) if part else []

    @cached_property
    def styles(self) -> list[CellStyle]:
        """The cell styles, by number."""
        part = self._parts.get("styles")
        return cell_styles(self.package.tree(part)) if part else [CellStyle()]

    @cached_property
    def _dates(self) -> set[int]:
        part = self._parts.get("styles")
        return date_styles(self.package.tree(part)) if part else set()

    def read(
        self, sheet: SheetEntry, rows: dict[int, dict[int, C]], cell_of: CellOf[C], last_row: int = LAST_ROW
    ) -> SheetSettings:
        """Read a sheet's cells into `rows`, as `cell_of` makes them; returns what is said beside them."""
        try:
            return read_sheet(self.package, sheet.part, self.texts, rows, cell_of, last_row)
        except Damaged as damage:
            damage.sheet = sheet.title if damage.part == sheet.part else ""
            raise

    def tables(self, sheet: SheetEntry) -> list[ExcelTable]:
        """The tables of a sheet."""
        found = []
        for part in self._related(sheet, "table"):
            root = self.package.tree(part)
            area = area_of(root.get("ref", ""))
            if area:
                headers = [
                    column.get("name", "") for column in root.iterfind("{*}tableColumns/{*}tableColumn")
                ]
                totals = root.get("totalsRowCount", "0") not in ("0", "")
                found.append(ExcelTable(root.get("displayName", ""), area, headers, totals))
        return found

    def graphics(self, sheet: SheetEntry) -> list[Graphic]:
        """The charts and pictures of a sheet."""
        return [g for part in self._related(sheet, "drawing") for g in graphics(self.package, part)]

    def _related(self, sheet: SheetEntry, kind: str) -> list[str]:
        return [r.target for r in self.package.relations(sheet.part).values() if r.kind == kind]

    def typed(
        self, row: int, column: int, style: int, kind: str, formula: str | None, text: str
    ) -> tuple[Value, bool] | None:
        """A cell's value, None where none is stored, and whether a formula stands there; None for a blank cell."""
        if text or (formula is not None and kind == "str"):
            return self._value(text, kind, style), formula is not None
        return None if formula is None else (None, True)

    def _value(self, text: str, kind: str, style: int) -> Value:
        if kind == "b":
            return text in YES
        # Python takes digits of any script, and 1_000, for numbers; spreadsheets do not.
        if kind not in ("n", "d") or not text.isascii() or "_" in text:
            return text
        try:
            if kind == "d":
                return dt.datetime.fromisoformat(text).replace(tzinfo=None)
            number = float(text)
        except ValueError:
            return text
        if style in self._dates and math.isfinite(number):
            try:
                return self._epoch + dt.timedelta(days=number)
            except OverflowError:
                return f"{text} as a date"
        return number


def _shared_texts(package: Package, part: str) -> list[str]:
    """The workbook's table of texts."""
    texts: list[str] = []
    taken = TakenText()

    def start(name: str, _: dict[str, str]) -> None:
        if name == "si":
            taken.begin()
        taken.start(name)

    def end(name: str) -> None:
        taken.end(name)
        if name == "si":
            texts.append(taken.value)
            package.take(len(texts[-1]))

    package.parse(part, start, end, taken.add)
    return texts
