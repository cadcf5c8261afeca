"""A workbook file as plain cells, read once, part by part: what the rules of `rules` look at."""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.utils import column_index_from_string, get_column_letter

from lm_xl.faults import Fault, Refused
from lm_xl.model.axes import folded
from lm_xl.workbook.pages.styles import TAB
from lm_xl.xlsx.sheets import HEADER_WITHIN, read_tables

MOST_CELLS = 2_000_000
"""Cells that are read of one file."""
INPUT_STYLES = {"lm input", "input"}


# A workbook as plain cells


class Cell(NamedTuple):
    """A cell as stored: `kind` is n (number), s (text), b (truth value), e (error) or str (text of a formula)."""

    row: int
    column: int
    style: int
    kind: str
    formula: str | None
    value: str

    @property
    def address(self) -> str:
        return f"{get_column_letter(self.column)}{self.row}"

    @property
    def filled(self) -> bool:
        return self.formula is not None or self.value != ""

    @property
    def text(self) -> str:
        return self.value.strip() if self.kind in ("s", "str") else ""

    @property
    def number(self) -> float | None:
        if self.kind != "n" or not self.value:
            return None
        try:
            return float(self.value)
        except ValueError:
            return None

    @property
    def typed_number(self) -> bool:
        return self.formula is None and self.kind == "n" and self.value != ""

    @property
    def year(self) -> int | None:
        """The year that stands here, as a number or as the text of a table's header."""
        if self.kind == "n" and self.value[:2] in ("19", "20", "21"):
            number = self.number
            return (
                int(number) if number is not None and number.is_integer() and 1900 <= number <= 2100 else None
            )
        return int(self.value) if self.kind == "s" and re.fullmatch("(?:19|20)[0-9]{2}", self.value) else None


@dataclass(frozen=True)
class Style:
    """What the rules ask of a cell's style."""

    name: str = "Normal"
    number_format: str = "General"
    ink: str | None = None
    """Colours as RRGGBB; None where automatic or unknown."""
    paper: str | None = None
    scale: float = 1.0
    """Width of its digits, relative to those of the style Normal."""


class Area(NamedTuple):
    """A rectangle of cells."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Validation:
    """A data validation: where, what, and whether it says something."""

    areas: tuple[Area, ...]
    kind: str
    formula: str
    has_message: bool


@dataclass(frozen=True)
class Axis:
    """The row of years of a sheet: its columns and the years they say."""

    row: int
    columns: tuple[int, ...]
    years: tuple[int, ...]


@dataclass(frozen=True)
class Chart:
    """A chart or picture: where it stands, its alternative text, and what its XML holds."""

    cell: str
    name: str
    description: str
    xml: ElementTree.Element | None


@dataclass
class Sheet:
    """A worksheet: its cells, and the few settings that the rules ask for."""

    title: str
    state: str
    kind: str = ""
    colour: str | None = None
    rows: dict[int, dict[int, Cell]] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[str] = field(default_factory=list)
    widths: dict[int, float] = field(default_factory=dict)
    default_width: float = 8.43
    merged: list[str] = field(default_factory=list)
    frozen: tuple[int, int] | None = None
    """Rows and columns that stay when the rest scrolls."""
    active: str = "A1"
    top_left: str = "A1"
    page: dict[str, str] = field(default_factory=dict)
    fits_page: bool = False
    footer: str = ""
    repeated: bool = False
    validations: list[Validation] = field(default_factory=list)
    tables: list[tuple[str, Area, bool]] = field(default_factory=list)
    """Name, area and whether there is a totals row."""
    charts: list[Chart] = field(default_factory=list)
    dynamic: list[str] = field(default_factory=list)
    blocks: list[tuple[Area, str]] = field(default_factory=list)
    """The area of each array formula that fills several cells, and the formula."""

    @cached_property
    def cells(self) -> list[Cell]:
        return [cell for row in self.rows.values() for cell in row.values()]

    def cell(self, row: int, column: int) -> Cell | None:
        return self.rows.get(row, {}).get(column)

    def filled(self, row: int) -> dict[int, Cell]:
        """The cells of a row that hold something, from left to right."""
        return {c: cell for c, cell in sorted(self.rows.get(row, {}).items()) if cell.filled}

    @cached_property
    def row_numbers(self) -> list[int]:
        return sorted(self.rows)

    @cached_property
    def formulas(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.formula is not None]

    @cached_property
    def texts(self) -> list[Cell]:
        return [
            cell for cell in self.cells if cell.formula is None and cell.kind == "s" and cell.value.strip()
        ]

    @cached_property
    def calculates(self) -> bool:
        """Whether the rules for calculations hold here."""
        return self.kind in ("calculations", "outputs", "")

    @cached_property
    def year_blocks(self) -> list[Axis]:
        """The stretches of years in the first row near the top that has one: the axis, and blocks to its right such as growth by year.

        A stretch has at least three years, most of which follow one another; it ends where years fall back or three cells have none.
        """
        for row in sorted(r for r in self.rows if r <= HEADER_WITHIN):
            stretches: list[dict[int, int]] = []
            for column, cell in self.filled(row).items():
                year = cell.year
                if year is None:
                    continue
                last = max(stretches[-1], default=0) if stretches else 0
                if not last or column > last + 3 or year < stretches[-1][last]:
                    stretches.append({})
                stretches[-1][column] = year
            blocks = [
                Axis(row, tuple(range(min(found), max(found) + 1)), tuple(found.values()))
                for found in stretches
                if len(found) >= 3
                and 2 * sum(b - a == 1 for a, b in pairwise(found.values())) >= len(found) - 1
            ]
            if blocks and not self.is_assumptions_at(row):
                return blocks
        return []

    @cached_property
    def axis(self) -> Axis | None:
        return self.year_blocks[0] if self.year_blocks else None

    def is_assumptions_at(self, row: int) -> bool:
        """Whether a row lies below a header with low, value and high, and so holds an assumption in years."""
        above = [{folded(c.text) for c in self.filled(r).values()} for r in self.rows if r < row]
        return any({"low", "high"} <= names for names in above)

    @cached_property
    def header_row(self) -> int:
        """The row of column names: of the Excel table, of the years, or the first with three labels; 0 where there is none."""
        if self.tables:
            return self.tables[0][1].top
        if self.axis:
            return self.axis.row
        for row in sorted(r for r in self.rows if r <= HEADER_WITHIN):
            cells = self.filled(row).values()
            if (
                len(cells) >= 3
                and all(c.kind == "s" and c.formula is None for c in cells)
                and any(r > row for r in self.rows)
            ):
                return row
        return 0

    @cached_property
    def header(self) -> dict[str, int]:
        """Column names, folded, to columns."""
        named = {
            folded(c.text): column for column, c in reversed(self.filled(self.header_row).items()) if c.text
        }
        return named if self.header_row else {}

    @cached_property
    def year_labels(self) -> set[int]:
        """The columns whose header ends in the word year."""
        return {column for name, column in self.header.items() if name.split()[-1:] == ["year"]}

    def column(self, *names: str) -> int:
        """The column of the first of some names that the header has, or 0."""
        return next((self.header[n] for n in names if n in self.header), 0)

    @cached_property
    def body(self) -> list[tuple[int, dict[int, Cell]]]:
        """The rows below the header that hold something, in order."""
        rows = ((row, self.filled(row)) for row in sorted(self.rows) if row > self.header_row > 0)
        return [(row, cells) for row, cells in rows if cells]

    def text_at(self, row: int, column: int) -> str:
        cell = self.cell(row, column)
        return cell.value.strip() if cell else ""


@dataclass
class Book:
    """A workbook file."""

    path: Path
    sheets: list[Sheet]
    styles: list[Style]
    names: list[tuple[str, str, str, bool]]
    """Defined names: name, what it refers to, the title of its sheet or "", whether hidden; without print titles and areas."""
    parts: list[str]
    outside: list[tuple[str, str]]
    """Parts that refer outside of the package, and where to."""
    calculation: dict[str, str]
    first_shown: int
    _meanings: dict[str, Meaning] = field(default_factory=dict)
    _relative: dict[str, dict[tuple[int, int], str]] = field(default_factory=dict)
    _formulas: dict[str, list[tuple[Cell, Meaning]]] = field(default_factory=dict)

    def sheet(self, title: str) -> Sheet | None:
        """A sheet by its title, whatever the case, with spaces or underscores."""
        wanted = folded(title.replace("_", " "))
        return next((s for s in self.sheets if folded(s.title.replace("_", " ")) == wanted), None)

    def style(self, cell: Cell) -> Style:
        return self.styles[cell.style] if 0 <= cell.style < len(self.styles) else Style()

    def relative(self, sheet: Sheet) -> dict[tuple[int, int], str]:
        """The formulas of a sheet in relative terms, by row and column."""
        if sheet.title not in self._relative:
            self._relative[sheet.title] = {
                (c.row, c.column): relative(c.formula or "", c.row, c.column) for c in sheet.formulas
            }
        return self._relative[sheet.title]

    def meanings(self, sheet: Sheet) -> list[tuple[Cell, Meaning]]:
        """Each formula of a sheet and what it is made of; formulas that are copies of one another are taken apart once."""
        if sheet.title not in self._formulas:
            terms = self.relative(sheet)
            self._formulas[sheet.title] = [
                (c, self._meaning(terms[c.row, c.column], c.formula or "")) for c in sheet.formulas
            ]
        return self._formulas[sheet.title]

    def _meaning(self, term: str, formula: str) -> Meaning:
        meaning = self._meanings.get(term)
        if meaning is None:
            meaning = self._meanings[term] = meaning_of(formula)
        return meaning

    @cached_property
    def input_styles(self) -> frozenset[int]:
        return frozenset(i for i, style in enumerate(self.styles) if style.name.casefold() in INPUT_STYLES)

    @cached_property
    def known_names(self) -> set[str]:
        tables = {folded(name) for s in self.sheets for name, *_ in s.tables}
        return {folded(n) for n, *_ in self.names} | tables | {"true", "false"}

    def is_input(self, sheet: Sheet, cell: Cell) -> bool:
        """Whether a cell takes what a user types: it looks like an input, or is a typed number of an input sheet."""
        if cell.formula is not None:
            return False
        return cell.style in self.input_styles or (
            sheet.kind == "inputs" and cell.typed_number and cell.row > sheet.header_row > 0
        )


# Formulas

_REFERENCE = re.compile(
    r"""("(?:[^"]|"")*"|'(?:[^']|'')*'!)|(?<![\w.$\\])(\$?)([A-Za-z]{1,3})(\$?)([0-9]{1,7})(?![\w.(!])""",
)
_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"]|"")*")|(?P<quoted>'(?:[^']|'')*'!)|(?P<bracket>\[(?:[^\[\]]|\[[^\[\]]*\])*\])
    |(?P<error>\#[A-Z/0]+[!?]?)|(?P<function>[^\W\d][\w.]*(?=\())|(?P<sheet>[^\W\d][\w.]*(?::[^\W\d][\w.]*)?!)
    |(?P<cell>\$?[A-Za-z]{1,3}\$?\d{1,7}(?![\w.(]))|(?P<columns>\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}(?![\w(]))|(?P<lines>\$?\d+:\$?\d+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d][\w.\\?]*)|(?P<open>\()|(?P<close>\))|(?P<space>\s+)|(?P<other>.)""",
    re.X | re.S,
)


@dataclass(frozen=True)
class Meaning:
    """What a formula is made of."""

    functions: frozenset[str]
    numbers: tuple[str, ...]
    names: tuple[str, ...]
    nested_if: bool
    outside: bool
    """Refers to another file."""
    refers: bool
    only_refers: bool
    """Is nothing but one reference."""
    local: bool
    """Has a reference without a sheet's title."""
    odd: bool
    """Has a sign that no formula has: it was a label or a command."""


def meaning_of(formula: str) -> Meaning:
    """Take a formula apart."""
    functions, numbers, names = set(), [], []
    calls: list[str] = []
    nested = outside = local = odd = False
    kinds: list[str] = []
    called = before = ""
    for match in _TOKEN.finditer(formula):
        kind, token = match.lastgroup or "", match.group()
        if kind == "space":
            continue
        kinds.append(kind)
        if kind == "function":
            called = token.upper()
            functions.add(called)
            nested |= called == "IF" and "IF" in calls
        elif kind == "open":
            calls.append(called if before == "function" else "")
        elif kind == "close" and calls:
            calls.pop()
        elif kind == "number":
            numbers.append(token)
        elif kind == "name":
            names.append(token)
        elif kind in ("cell", "columns", "lines"):
            local |= before not in ("sheet", "quoted") and not (
                before == "other" and formula[match.start() - 1] == ":"
            )
        elif kind == "bracket":
            outside |= bool(re.fullmatch(r"\[\d+\]|\[[^\]]*\.xl\w+\]", token))
        elif kind == "quoted":
            outside |= "[" in token
        elif kind == "other":
            odd |= token in "|@=" and (token != "=" or len(kinds) == 1)
        before = kind
    refers = any(k in ("cell", "columns", "lines", "bracket", "name") for k in kinds)
    only = refers and all(k in ("cell", "sheet", "quoted", "name") for k in kinds)
    return Meaning(
        frozenset(functions), tuple(numbers), tuple(names), nested, outside, refers, only, local, odd
    )


def relative(formula: str, row: int, column: int) -> str:
    """A formula in relative terms: the same for two cells where one is a copy of the other."""

    def term(match: re.Match[str]) -> str:
        kept, fixed_column, letters, fixed_row, number = match.groups()
        if kept:
            return str(kept)
        across = f"${letters}" if fixed_column else f"[{_column(letters) - column}]"
        return f"{across}{fixed_row or '~'}{number if fixed_row else int(number) - row}"

    return _REFERENCE.sub(term, formula)


def _moved(formula: str, down: int, across: int) -> str:
    """A formula as a copy further down and to the right would read."""

    def term(match: re.Match[str]) -> str:
        kept, fixed_column, letters, fixed_row, number = match.groups()
        if kept:
            return str(kept)
        column = (
            letters if fixed_column else get_column_letter(min(max(_column(letters) + across, 1), 18_278))
        )
        return f"{fixed_column}{column}{fixed_row}{number if fixed_row else int(number) + down}"

    return _REFERENCE.sub(term, formula)


_COLUMNS: dict[str, int] = {}


def _column(letters: str) -> int:
    if letters not in _COLUMNS:
        _COLUMNS[letters] = column_index_from_string(letters)
    return _COLUMNS[letters]


def _area(reference: str) -> Area | None:
    """The rectangle of a reference such as A1, $A$1:B2, A:C or 1:5, or None."""
    match = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})(?::\$?([A-Za-z]{1,3})\$?(\d{1,7}))?", reference)
    if match:
        left, top = _column(match[1]), int(match[2])
        right, bottom = (_column(match[3]), int(match[4])) if match[3] else (left, top)
        return Area(min(top, bottom), min(left, right), max(top, bottom), max(left, right))
    match = re.fullmatch(r"\$?([A-Za-z]{1,3}):\$?([A-Za-z]{1,3})", reference)
    if match:
        return Area(1, _column(match[1]), 1_048_576, _column(match[2]))
    match = re.fullmatch(r"\$?(\d{1,7}):\$?(\d{1,7})", reference)
    return Area(int(match[1]), 1, int(match[2]), 16_384) if match else None


_RANGE = re.compile(
    r"""(?P<text>"(?:[^"]|"")*")|(?:(?P<title>'(?:[^']|'')*'|[^\W\d][\w.]*)!)?
    (?P<area>(?<![\w.\\])(?:\$?[A-Za-z]{1,3}\$?\d{1,7}(?::\$?[A-Za-z]{1,3}\$?\d{1,7})?|\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}|\$?\d+:\$?\d+)(?![\w.(!]))
    |(?P<name>(?<![\w.$])[^\W\d][\w.]*(?![\w.(!]))""",
    re.X,
)


def references(formula: str, names: Mapping[str, str] | None = None) -> Iterator[tuple[str, Area]]:
    """The areas that a formula refers to, each with the title of its sheet, "" for its own; defined names are followed one step."""
    for match in _RANGE.finditer(formula):
        if match["area"]:
            area = _area(match["area"])
            if area:
                yield _unquoted(match["title"] or ""), area
        elif match["name"] and names and folded(match["name"]) in names:
            yield from references(names[folded(match["name"])])


def _unquoted(title: str) -> str:
    return title[1:-1].replace("''", "'") if title.startswith("'") else title


# Reading the package

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
CHART_TAG = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
TEXT_TAG = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
YES = ("1", "true")


class _Unreadable(Exception):
    """What is wrong with a package, in plain words."""


def opened(path: Path) -> Book:
    """Read a workbook file. Raises Refused."""
    read_tables(path, {}, [])  # refuses what is no workbook, is encrypted, damaged or too large
    try:
        with zipfile.ZipFile(path) as package:
            return _Package(package).book(path)
    except _Unreadable as reason:
        message = str(reason)
    except ElementTree.ParseError as error:
        message = f"holds broken XML ({error}): save it again from Excel"
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,
        LookupError,
        ValueError,
        ArithmeticError,
    ) as error:
        message = f"is damaged ({error}): save it again from Excel"
    raise Refused([Fault(path.name, "", "", message)])


class _Package:
    """The parts of a workbook file, read one after another."""

    def __init__(self, package: zipfile.ZipFile) -> None:
        self.package = package
        self.names = package.namelist()
        self.known = set(self.names)
        self.cells = 0
        self.texts: list[str] = []

    def events(self, part: str) -> Iterator[ElementTree.Element]:
        """Each element of a part as it ends; whoever takes rows clears them."""
        if part not in self.known:
            raise _Unreadable(f"lacks the part {part}: save it again from Excel")
        with self.package.open(part) as opened:
            if b"<!DOCTYPE" in opened.read(4096):
                raise _Unreadable(f"declares XML entities in {part}, which no workbook needs: it is not read")
        with self.package.open(part) as opened:
            for _, element in ElementTree.iterparse(opened):
                yield element

    def tree(self, part: str) -> ElementTree.Element:
        """A part as a whole: its root."""
        root = None
        for root in self.events(part):  # noqa: B007
            pass
        if root is None:
            raise _Unreadable(f"has nothing in the part {part}: save it again from Excel")
        return root

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to inside the package: id to the last word of the kind, and the part's name."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels not in self.known:
            return {}
        return {
            r.get("Id", ""): (
                r.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, r.get("Target", ""))).lstrip("/"),
            )
            for r in self.tree(rels)
            if r.get("TargetMode") != "External"
        }

    def book(self, path: Path) -> Book:
        main = next(part for kind, part in self.relations("").values() if kind == "officeDocument")
        related = self.relations(main)
        kinds = dict(related.values())
        root = self.tree(main)
        styles = self.styles(kinds["styles"]) if "styles" in kinds else [Style()]
        if "sharedStrings" in kinds:
            self.texts = [_joined(item) for item in self.tree(kinds["sharedStrings"]).iter(f"{_MAIN}si")]
        sheets = []
        for entry in root.iter(f"{_MAIN}sheet"):
            kind, part = related.get(entry.get(_ID, ""), ("", ""))
            if kind == "worksheet":
                sheets.append(self.sheet(part, entry.get("name", ""), entry.get("state", "visible")))
        titles = [e.get("name", "") for e in root.iter(f"{_MAIN}sheet")]
        names = []
        for entry in root.iter(f"{_MAIN}definedName"):
            name, at, text = entry.get("name", ""), entry.get("localSheetId"), entry.text or ""
            title = titles[int(at)] if at is not None and int(at) < len(titles) else ""
            if not name.startswith("_xlnm."):
                names.append((name, text, title, entry.get("hidden") in YES))
            elif name == "_xlnm.Print_Titles":
                for sheet in sheets:
                    sheet.repeated |= sheet.title == title and bool(re.search(r"\$?\d+:\$?\d+", text))
        view = next(root.iter(f"{_MAIN}workbookView"), None)
        calculation = next((dict(e.attrib) for e in root.iter(f"{_MAIN}calcPr")), {})
        shown = int(view.get("activeTab", "0")) if view is not None else 0
        return Book(path, sheets, styles, names, self.names, self.outside(), calculation, shown)

    def outside(self) -> list[tuple[str, str]]:
        """Where the package refers out of itself, but for hyperlinks."""
        return [
            (part, r.get("Target", ""))
            for part in self.names
            if part.endswith(".rels")
            for r in self.tree(part)
            if r.get("TargetMode") == "External" and not r.get("Type", "").endswith("/hyperlink")
        ]

    def styles(self, part: str) -> list[Style]:
        """The cell styles by number."""
        root = self.tree(part)
        codes = dict(BUILTIN_FORMATS) | {
            int(e.get("numFmtId", "0")): e.get("formatCode", "") for e in root.iter(f"{_MAIN}numFmt")
        }
        fonts = [_font(e) for e in root.findall(f"{_MAIN}fonts/{_MAIN}font")] or [(None, 11.0, False)]
        fills = [_paper(e) for e in root.findall(f"{_MAIN}fills/{_MAIN}fill")]
        named = {int(e.get("xfId", "0")): e.get("name", "") for e in root.iter(f"{_MAIN}cellStyle")}
        bases = root.findall(f"{_MAIN}cellStyleXfs/{_MAIN}xf")
        normal = int(bases[0].get("fontId", "0")) if bases else 0
        size = fonts[normal][1] if normal < len(fonts) else 11.0
        styles = []
        for xf in root.findall(f"{_MAIN}cellXfs/{_MAIN}xf"):
            font, fill = int(xf.get("fontId", "0")), int(xf.get("fillId", "0"))
            ink, points, bold = fonts[font] if font < len(fonts) else (None, size, False)
            styles.append(
                Style(
                    named.get(int(xf.get("xfId", "0")), ""),
                    codes.get(int(xf.get("numFmtId", "0")), "General"),
                    ink,
                    fills[fill] if fill < len(fills) else "FFFFFF",
                    points / size * (1.08 if bold else 1.0),
                )
            )
        return styles or [Style()]

    def sheet(self, part: str, title: str, state: str) -> Sheet:
        sheet = Sheet(title, state)
        shared: dict[str, tuple[str, int, int]] = {}
        colours = {colour: kind for kind, colour in TAB.items()}
        row = 0
        for e in self.events(part):
            tag = e.tag.rpartition("}")[2]
            if tag == "row":
                row = int(e.get("r", row + 1))
                if e.get("hidden") in YES or e.get("ht") == "0":
                    sheet.hidden_rows.append(row)
                self.cells += len(e)
                if self.cells > MOST_CELLS:
                    raise _Unreadable(f"has more than {MOST_CELLS:,} cells: more than is read")
                cells = sheet.rows.setdefault(row, {})
                column = 0
                for c in e:
                    cell = self.cell(c, row, column + 1, shared, sheet)
                    column = cell.column
                    cells[column] = cell
                e.clear()
            elif tag == "tabColor":
                sheet.colour = (e.get("rgb") or "")[-6:].upper() or "of a theme"
                sheet.kind = colours.get(sheet.colour, "")
            elif tag == "pageSetUpPr":
                sheet.fits_page = e.get("fitToPage") in YES
            elif tag == "sheetView":
                sheet.top_left = e.get("topLeftCell", "A1")
            elif tag == "pane" and e.get("state") in ("frozen", "frozenSplit"):
                sheet.frozen = int(float(e.get("ySplit", "0"))), int(float(e.get("xSplit", "0")))
            elif tag == "selection":
                sheet.active = e.get("activeCell", "A1")
            elif tag == "sheetFormatPr":
                sheet.default_width = float(
                    e.get("defaultColWidth", float(e.get("baseColWidth", "8")) + 0.43)
                )
                if e.get("zeroHeight") in YES:
                    sheet.hidden_columns.append("every row without a height")
            elif tag == "col":
                _set_width(sheet, e)
            elif tag == "mergeCell":
                sheet.merged.append(e.get("ref", ""))
            elif tag == "dataValidation":
                sheet.validations.append(_validation(e))
            elif tag == "pageSetup":
                sheet.page = dict(e.attrib)
            elif tag in ("oddFooter", "evenFooter", "firstFooter"):
                sheet.footer += e.text or ""
        for kind, target in self.relations(part).values():
            if kind == "table":
                root = self.tree(target)
                area = _area(root.get("ref", ""))
                if area:
                    sheet.tables.append(
                        (root.get("displayName", ""), area, root.get("totalsRowCount", "0") not in ("0", ""))
                    )
            elif kind == "drawing":
                sheet.charts += self.charts(target)
        return sheet

    def cell(
        self,
        c: ElementTree.Element,
        row: int,
        column: int,
        shared: dict[str, tuple[str, int, int]],
        sheet: Sheet,
    ) -> Cell:
        reference = c.get("r")
        if reference:
            letters = reference.rstrip("0123456789")
            column = _COLUMNS.get(letters) or _column(letters)
        kind, value, formula = c.get("t", "n"), "", None
        for child in c:
            tag = child.tag
            if tag == f"{_MAIN}v":
                value = child.text or ""
            elif tag == f"{_MAIN}f":
                formula = child.text or ""
                if len(child.attrib):
                    formula = _expanded(child, formula, row, column, shared)
                    area = _area(child.get("ref", "")) if child.get("t") == "array" else None
                    if area:
                        sheet.blocks.append((area, formula))
                if c.get("cm"):
                    sheet.dynamic.append(reference or f"{get_column_letter(column)}{row}")
            elif tag == f"{_MAIN}is":
                value = _joined(child)
        for area, whole in sheet.blocks if formula is None else ():
            if area.top <= row <= area.bottom and area.left <= column <= area.right:
                formula = _moved(
                    whole, row - area.top, column - area.left
                )  # every cell of a block has its formula
        if kind == "s":
            at = int(value) if value else -1
            if not 0 <= at < len(self.texts):
                raise _Unreadable(
                    f"refers to the shared text {value}, which is not there: save it again from Excel"
                )
            value = self.texts[at]
        elif kind == "inlineStr" or (kind == "str" and formula is None):
            kind = "s"
        return Cell(row, column, int(c.get("s", "0")), kind, formula, value)

    def charts(self, part: str) -> list[Chart]:
        """The charts and pictures of a drawing."""
        related = self.relations(part)
        charts = []
        for anchor in self.tree(part):
            corner = anchor.find(f"{_DRAWING}from")
            place = (
                [int(corner.findtext(f"{_DRAWING}{k}", "0")) for k in ("row", "col")]
                if corner is not None
                else [0, 0]
            )
            cell = f"{get_column_letter(place[1] + 1)}{place[0] + 1}"
            for shape in (*anchor.iter(f"{_DRAWING}graphicFrame"), *anchor.iter(f"{_DRAWING}pic")):
                about = next(shape.iter(f"{_DRAWING}cNvPr"), None)
                chart = next(shape.iter(f"{CHART_TAG}chart"), None)
                target = related.get(chart.get(_ID, ""), ("", ""))[1] if chart is not None else ""
                xml = self.tree(target) if target else None
                name, text = (
                    (about.get("name", ""), about.get("descr", "")) if about is not None else ("", "")
                )
                charts.append(Chart(cell, name, text.strip(), xml))
        return charts


def _joined(item: ElementTree.Element) -> str:
    """A text of one or several runs, without phonetic hints; control characters stand as _x000D_."""
    hints = {id(t) for hint in item.iter(f"{_MAIN}rPh") for t in hint}
    text = "".join(t.text or "" for t in item.iter(f"{_MAIN}t") if id(t) not in hints)
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text) if "_x" in text else text


def _expanded(
    f: ElementTree.Element, formula: str, row: int, column: int, shared: dict[str, tuple[str, int, int]]
) -> str:
    """The formula of a cell that shares it with others, or a table's."""
    if f.get("t") == "dataTable":
        return "TABLE()"
    if f.get("t") != "shared":
        return formula
    key = f.get("si", "")
    if formula:
        shared[key] = formula, row, column
        return formula
    first, top, left = shared.get(key, ("", row, column))
    return _moved(first, row - top, column - left)


def _font(font: ElementTree.Element) -> tuple[str | None, float, bool]:
    size, bold = font.find(f"{_MAIN}sz"), font.find(f"{_MAIN}b")
    colour = font.find(f"{_MAIN}color")
    return (
        _colour(colour),
        float(size.get("val", "11")) if size is not None else 11.0,
        bold is not None and bold.get("val", "1") in YES,
    )


def _paper(fill: ElementTree.Element) -> str | None:
    pattern = fill.find(f"{_MAIN}patternFill")
    if pattern is None:
        return None  # a gradient
    if pattern.get("patternType", "none") == "none":
        return "FFFFFF"
    return _colour(pattern.find(f"{_MAIN}fgColor"))


def _colour(colour: ElementTree.Element | None) -> str | None:
    """A colour as RRGGBB, where it can be known without the theme; the first theme colour is white."""
    if colour is None or float(colour.get("tint", "0")):
        return None
    if colour.get("rgb"):
        return colour.get("rgb", "")[-6:].upper()
    white = colour.get("theme") == "0" or colour.get("indexed") in ("1", "9")
    return "FFFFFF" if white else None


def _set_width(sheet: Sheet, col: ElementTree.Element) -> None:
    first, last = int(col.get("min", "1")), min(int(col.get("max", "1")), 16_384)
    width = float(col.get("width", sheet.default_width))
    if col.get("hidden") in YES or width == 0:
        sheet.hidden_columns.append(f"{get_column_letter(first)}:{get_column_letter(max(first, last))}")
    for column in range(first, last + 1):
        sheet.widths[column] = width


def _validation(rule: ElementTree.Element) -> Validation:
    """A data validation, as Excel 2007 or as its successors write it."""
    texts = {e.tag.rpartition("}")[2]: "".join(e.itertext()) for e in rule}
    areas = tuple(a for a in map(_area, (rule.get("sqref") or texts.get("sqref", "")).split()) if a)
    says = (rule.get("showErrorMessage") in YES and bool(rule.get("error"))) or (
        rule.get("showInputMessage") in YES and bool(rule.get("prompt"))
    )
    return Validation(areas, rule.get("type", "none"), texts.get("formula1", "").strip(), says)
