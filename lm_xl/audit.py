"""A workbook file against the workbook rules W01-W40: ours, a client's edit of it, or anybody's.

The package is read once, part by part, into plain cells; then each rule is one small function on them. What a rule looks at
is derived from the file: a sheet's class from the colour of its tab (`lm_xl.workbook.styles.TAB`), its axis from the first row
of years, its header from its Excel table, its axis or its first row of labels, its inputs from the cell style 'lm input' (or
Excel's own 'Input'), and a few sheets from their titles: Cover, Contents, Sources, Checks, Method, Change log. A sheet
without a class is held to the rules for calculations.
"""

from __future__ import annotations

import json
import math
import posixpath
import re
import zipfile
import zlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.utils import FORMULAE, column_index_from_string, get_column_letter

from lm_xl.axes import folded
from lm_xl.faults import Fault, Refused
from lm_xl.sheets import HEADER_WITHIN, read_tables
from lm_xl.workbook.styles import TAB

RULES = {
    "W01": "Each sheet has one class, shown by its tab colour and by the sheet Contents: control, inputs, calculations, outputs or data.",
    "W02": "A formula of calculations or outputs holds no number but 0, 1, -1, 12, 100 and 1000.",
    "W03": "A row has one formula, the same in relative terms in every year.",
    "W04": "The years are whole numbers without a gap, in the same columns on every sheet that has them.",
    "W05": "Each row of numbers has a unit, and where units are money the workbook says whether it is nominal or real.",
    "W06": "One style marks inputs: all typed numbers of input sheets and nothing else have it, and the cover explains it.",
    "W07": "Nothing is hidden: no sheet, row, column or text in the colour of its background.",
    "W08": "No merged cells, and no blank row or column inside a table.",
    "W09": "A calculated sheet with years is frozen at its first year column, under the row of years; a sheet of inputs is not, its keys are too wide.",
    "W10": "The sheet Checks lists id, what, value, tolerance and pass; all pass; a master check stands there and above every table.",
    "W11": "Each check compares with its tolerance and uses IFERROR, so that an error fails it.",
    "W12": "No cell holds an error value.",
    "W13": "No volatile function: OFFSET, INDIRECT, NOW, TODAY, RAND, RANDBETWEEN, RANDARRAY.",
    "W14": "No NPV or XNPV: discount factors have a row of their own.",
    "W15": "A formula is one line of at most 120 characters without an IF inside an IF; IFERROR stands on Checks only.",
    "W16": "Formulas use the functions of Excel 2007 only (and LM_ functions), which every Excel and LibreOffice compute.",
    "W17": "No link to another file, no data connection, no macro or embedded part.",
    "W18": "Calculation is automatic, without iteration, and no formula refers to itself in a circle (through cells, ranges and names).",
    "W19": "Calculations are not rounded: number formats round.",
    "W20": "No two rows of calculations hold the same formula: calculate once, then refer.",
    "W21": "At most 20 defined names, each for one cell or constant, of workbook scope, neither broken nor hidden.",
    "W22": "Each assumption has quantity, label, unit, low, value, high, distribution, source, status and note, with low <= value <= high.",
    "W23": "Each source that is named is on the sheet Sources with citation, year, reading and grade, and each one there is named.",
    "W24": "A change log tells version, date, who, what and effect.",
    "W25": "The cover tells the engine and version, the scenario, the fingerprint of the inputs and the master check.",
    "W26": "The sheet Method has purpose, intended use, funder, structure, data, validation and limits.",
    "W27": "A sheet of data is one named Excel table with unique headers and without totals.",
    "W28": "The checks compare tables with the long data, the world with the sum of regions, and shares with 100 %.",
    "W29": "A growth rate (CAGR) names its two years, and is n/a where it starts from zero.",
    "W30": "No blank where a number is due: in a year of a calculated row, in an input, in a column of values.",
    "W31": "Labels are text without control characters; none of them became a formula.",
    "W32": "Sheet titles are legal, of at most 31 characters, and unique whatever the case.",
    "W33": "Each input has a data validation with a message; a list comes from cells or has at most 255 characters.",
    "W34": "Each formula has a stored value.",
    "W35": "A cell with an LM_ function has a stored value, and a text of the workbook tells of the add-in.",
    "W36": "Years have the number format 0, and no number from 1900 to 2100 is formatted as a date.",
    "W37": "Each sheet prints in landscape, one page wide, with its header repeated, and version and page in its footer.",
    "W38": "Charts have a title, titles on their value axes, an alternative text, a source, and every year in each series.",
    "W39": "Two builds from the same inputs differ only in their times. (Not checked: it needs two files.)",
    "W40": "The file opens on cell A1 of the first sheet, the cover; it is below 5 MB; no column is too narrow for its numbers.",
}
"""Each rule in one sentence, in the order in which they are applied."""

MOST_SHOWN = 50
"""Breaches of a rule that are shown; all are counted."""
MOST_CELLS = 2_000_000
MOST_LINKS = 4_000_000
"""References that are followed in search of a circle."""
UNIT_CONSTANTS = {0.0, 1.0, 12.0, 100.0, 1000.0}
KNOWN_FUNCTIONS = FORMULAE
"""The functions of Excel 2007, all of which LibreOffice computes: no XLOOKUP, LET, LAMBDA, FILTER, MAXIFS, IFS."""
VOLATILE = {"OFFSET", "INDIRECT", "NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY"}
ROUNDING = {"ROUND", "ROUNDUP", "ROUNDDOWN", "MROUND", "CEILING", "FLOOR", "EVEN", "ODD"}
GUARDS = {"IFERROR", "ISERROR", "ISNUMBER"}
INPUT_STYLES = {"lm input", "input"}
LONGEST = 120
MOST_NAMES = 20
MOST_BYTES = 5_000_000
MOST_ROWS_A_PAGE = 60

Found = tuple[str, str, str]
"""Sheet, cell and message of one breach."""


@dataclass(frozen=True)
class Breach:
    """One thing that breaks a rule: where, and what."""

    rule: str
    sheet: str
    cell: str
    message: str

    def __str__(self) -> str:
        place = f"{self.sheet}!{self.cell}" if self.cell else self.sheet
        return f"{self.rule} {place}{': ' if place else ''}{self.message}"


def audit(path: str | Path) -> list[Breach]:
    """Every breach of the workbook rules in a file, rule by rule. Raises Refused where the file cannot be read."""
    book = _opened(Path(path))
    return [Breach(rule, *found) for rule, check in CHECKS.items() for found in check(book)]


def summary(breaches: Sequence[Breach]) -> list[str]:
    """The breaches as lines: each rule that is broken, how often, and its first breaches."""
    counts = Counter(b.rule for b in breaches)
    lines = []
    for rule, text in RULES.items():
        if counts[rule]:
            lines.append(f"{rule} {text} {_times(counts[rule])}")
            lines += [f"  {str(b).removeprefix(rule).lstrip()}" for b in breaches if b.rule == rule][:MOST_SHOWN]
            if counts[rule] > MOST_SHOWN:
                lines.append(f"  and {counts[rule] - MOST_SHOWN:,} more")
    kept = len(CHECKS) - len(counts)
    lines.append(f"{len(breaches):,} breaches of {len(counts)} rules; {kept} of the {len(CHECKS)} rules that were checked are kept")
    return lines


def as_json(breaches: Sequence[Breach]) -> str:
    """The breaches as JSON: for each rule its sentence, the count, and its first breaches."""
    counts = Counter(b.rule for b in breaches)
    rules = [
        {
            "rule": rule,
            "text": text,
            "checked": rule in CHECKS,
            "count": counts[rule],
            "breaches": [asdict(b) for b in breaches if b.rule == rule][:MOST_SHOWN],
        }
        for rule, text in RULES.items()
    ]
    return json.dumps({"count": len(breaches), "rules": rules}, indent=2, ensure_ascii=False)


def _times(count: int) -> str:
    return "(once)" if count == 1 else f"({count:,} times)"


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
            return int(number) if number is not None and number.is_integer() and 1900 <= number <= 2100 else None
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
        return [cell for cell in self.cells if cell.formula is None and cell.kind == "s" and cell.value.strip()]

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
                if len(found) >= 3 and 2 * sum(b - a == 1 for a, b in pairwise(found.values())) >= len(found) - 1
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
            if len(cells) >= 3 and all(c.kind == "s" and c.formula is None for c in cells) and any(r > row for r in self.rows):
                return row
        return 0

    @cached_property
    def header(self) -> dict[str, int]:
        """Column names, folded, to columns."""
        named = {folded(c.text): column for column, c in reversed(self.filled(self.header_row).items()) if c.text}
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
            self._relative[sheet.title] = {(c.row, c.column): relative(c.formula or "", c.row, c.column) for c in sheet.formulas}
        return self._relative[sheet.title]

    def meanings(self, sheet: Sheet) -> list[tuple[Cell, Meaning]]:
        """Each formula of a sheet and what it is made of; formulas that are copies of one another are taken apart once."""
        if sheet.title not in self._formulas:
            terms = self.relative(sheet)
            self._formulas[sheet.title] = [(c, self._meaning(terms[c.row, c.column], c.formula or "")) for c in sheet.formulas]
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
        return cell.style in self.input_styles or (sheet.kind == "inputs" and cell.typed_number and cell.row > sheet.header_row > 0)


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
            local |= before not in ("sheet", "quoted") and not (before == "other" and formula[match.start() - 1] == ":")
        elif kind == "bracket":
            outside |= bool(re.fullmatch(r"\[\d+\]|\[[^\]]*\.xl\w+\]", token))
        elif kind == "quoted":
            outside |= "[" in token
        elif kind == "other":
            odd |= token in "|@=" and (token != "=" or len(kinds) == 1)
        before = kind
    refers = any(k in ("cell", "columns", "lines", "bracket", "name") for k in kinds)
    only = refers and all(k in ("cell", "sheet", "quoted", "name") for k in kinds)
    return Meaning(frozenset(functions), tuple(numbers), tuple(names), nested, outside, refers, only, local, odd)


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
        column = letters if fixed_column else get_column_letter(min(max(_column(letters) + across, 1), 18_278))
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
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_TEXT = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_YES = ("1", "true")


class _Unreadable(Exception):
    """What is wrong with a package, in plain words."""


def _opened(path: Path) -> Book:
    """Read a workbook file. Raises Refused."""
    read_tables(path, {}, [])  # refuses what is no workbook, is encrypted, damaged or too large
    try:
        with zipfile.ZipFile(path) as package:
            return _Package(package).book(path)
    except _Unreadable as reason:
        message = str(reason)
    except ElementTree.ParseError as error:
        message = f"holds broken XML ({error}): save it again from Excel"
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, LookupError, ValueError, ArithmeticError) as error:
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
                names.append((name, text, title, entry.get("hidden") in _YES))
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
        codes = dict(BUILTIN_FORMATS) | {int(e.get("numFmtId", "0")): e.get("formatCode", "") for e in root.iter(f"{_MAIN}numFmt")}
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
                if e.get("hidden") in _YES or e.get("ht") == "0":
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
                sheet.fits_page = e.get("fitToPage") in _YES
            elif tag == "sheetView":
                sheet.top_left = e.get("topLeftCell", "A1")
            elif tag == "pane" and e.get("state") in ("frozen", "frozenSplit"):
                sheet.frozen = int(float(e.get("ySplit", "0"))), int(float(e.get("xSplit", "0")))
            elif tag == "selection":
                sheet.active = e.get("activeCell", "A1")
            elif tag == "sheetFormatPr":
                sheet.default_width = float(e.get("defaultColWidth", float(e.get("baseColWidth", "8")) + 0.43))
                if e.get("zeroHeight") in _YES:
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
                    sheet.tables.append((root.get("displayName", ""), area, root.get("totalsRowCount", "0") not in ("0", "")))
            elif kind == "drawing":
                sheet.charts += self.charts(target)
        return sheet

    def cell(self, c: ElementTree.Element, row: int, column: int, shared: dict[str, tuple[str, int, int]], sheet: Sheet) -> Cell:
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
                if c.get("cm"):
                    sheet.dynamic.append(reference or f"{get_column_letter(column)}{row}")
            elif tag == f"{_MAIN}is":
                value = _joined(child)
        if kind == "s":
            at = int(value) if value else -1
            if not 0 <= at < len(self.texts):
                raise _Unreadable(f"refers to the shared text {value}, which is not there: save it again from Excel")
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
            place = [int(corner.findtext(f"{_DRAWING}{k}", "0")) for k in ("row", "col")] if corner is not None else [0, 0]
            cell = f"{get_column_letter(place[1] + 1)}{place[0] + 1}"
            for shape in (*anchor.iter(f"{_DRAWING}graphicFrame"), *anchor.iter(f"{_DRAWING}pic")):
                about = next(shape.iter(f"{_DRAWING}cNvPr"), None)
                chart = next(shape.iter(f"{_CHART}chart"), None)
                target = related.get(chart.get(_ID, ""), ("", ""))[1] if chart is not None else ""
                xml = self.tree(target) if target else None
                name, text = (about.get("name", ""), about.get("descr", "")) if about is not None else ("", "")
                charts.append(Chart(cell, name, text.strip(), xml))
        return charts


def _joined(item: ElementTree.Element) -> str:
    """A text of one or several runs, without phonetic hints; control characters stand as _x000D_."""
    hints = {id(t) for hint in item.iter(f"{_MAIN}rPh") for t in hint}
    text = "".join(t.text or "" for t in item.iter(f"{_MAIN}t") if id(t) not in hints)
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text) if "_x" in text else text


def _expanded(f: ElementTree.Element, formula: str, row: int, column: int, shared: dict[str, tuple[str, int, int]]) -> str:
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
        bold is not None and bold.get("val", "1") in _YES,
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
    if col.get("hidden") in _YES or width == 0:
        sheet.hidden_columns.append(f"{get_column_letter(first)}:{get_column_letter(max(first, last))}")
    for column in range(first, last + 1):
        sheet.widths[column] = width


def _validation(rule: ElementTree.Element) -> Validation:
    """A data validation, as Excel 2007 or as its successors write it."""
    texts = {e.tag.rpartition("}")[2]: "".join(e.itertext()) for e in rule}
    areas = tuple(a for a in map(_area, (rule.get("sqref") or texts.get("sqref", "")).split()) if a)
    says = (rule.get("showErrorMessage") in _YES and bool(rule.get("error"))) or (
        rule.get("showInputMessage") in _YES and bool(rule.get("prompt"))
    )
    return Validation(areas, rule.get("type", "none"), texts.get("formula1", "").strip(), says)


# The rules


def _w01(book: Book) -> Iterator[Found]:
    contents = book.sheet("Contents")
    if contents is None:
        yield "", "", "there is no sheet Contents that says each sheet's class"
    listed = {folded(c.text): c.row for c in contents.cells if c.text} if contents else {}
    for sheet in book.sheets:
        if not sheet.kind:
            colour = f"the tab colour {sheet.colour} is none of the five" if sheet.colour else "the tab has no colour"
            yield sheet.title, "", f"{colour}: {', '.join(f'{kind} {c}' for kind, c in TAB.items())}"
        elif contents and sheet is not contents:
            row = listed.get(folded(sheet.title)) or listed.get(folded(sheet.title.replace("_", " ")))
            words = {folded(c.text) for c in contents.rows[row].values()} if row else set()
            if row is None:
                yield contents.title, "", f"the sheet {sheet.title} is not listed"
            elif sheet.kind not in words:
                yield contents.title, f"A{row}", f"the class of {sheet.title} is not given as {sheet.kind}, the class of its tab colour"


def _w02(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        if sheet.calculates:
            for cell, meaning in book.meanings(sheet):
                for number in meaning.numbers:
                    if float(number) not in UNIT_CONSTANTS:
                        yield sheet.title, cell.address, f"the number {number} in ={_short(cell.formula)}: give it a cell of its own"


def _w03(book: Book) -> Iterator[Found]:
    for sheet, row, cells in _year_rows(book):
        terms = book.relative(sheet)
        found = {c: terms.get((row, c), "") for c, cell in cells.items() if cell.filled}
        common = Counter(t for t in found.values() if t).most_common(1)
        if not common:
            continue
        for column, term in found.items():
            if not term:
                yield sheet.title, cells[column].address, "a typed value among the formulas of its row"
            elif term != common[0][0]:
                yield sheet.title, cells[column].address, f"={_short(cells[column].formula)} differs from the formula of its row"


def _w04(book: Book) -> Iterator[Found]:
    axes = [(s, s.axis) for s in book.sheets if s.axis]
    if not axes:
        yield "", "", "no sheet has a row of years"
        return
    (columns, years), _ = Counter((a.columns, a.years) for _, a in axes).most_common(1)[0]
    for sheet, axis in axes:
        for column in axis.columns:
            cell = sheet.cell(axis.row, column)
            in_table = any(t.top == axis.row and t.left <= column <= t.right for _, t, _ in sheet.tables)
            if cell is None or not cell.filled:
                yield sheet.title, f"{get_column_letter(column)}{axis.row}", "a gap in the row of years"
            elif cell.year is None:
                yield sheet.title, cell.address, f"{cell.value!r} among the years is not a whole year"
            elif cell.kind != "n" and not in_table:
                yield sheet.title, cell.address, f"the year {cell.value} is text"
        if any(b - a != 1 for a, b in pairwise(axis.years)):
            yield sheet.title, f"A{axis.row}", f"the years {_listed(axis.years)} do not follow one another"
        elif (axis.columns, axis.years) != (columns, years):
            most = f"{years[0]}-{years[-1]} in {_span(columns)}"
            yield sheet.title, f"A{axis.row}", f"{axis.years[0]}-{axis.years[-1]} in {_span(axis.columns)}; most sheets have {most}"


def _w05(book: Book) -> Iterator[Found]:
    money = ("", "")
    for sheet in book.sheets:
        values = {*(sheet.axis.columns if sheet.axis else ()), sheet.column("value")} - {0}
        if not values or not (sheet.axis or sheet.column("unit", "units")):
            continue
        unit = sheet.column("unit", "units")
        if not unit:
            yield sheet.title, f"A{sheet.header_row}", "there is no column unit"
            continue
        for row, cells in sheet.body:
            text = cells[unit].text if unit in cells else ""
            if not text and any(_is_number(cells[c]) for c in values if c in cells):
                yield sheet.title, f"{get_column_letter(unit)}{row}", "no unit"
            elif not money[0] and re.search(r"\b(?:USD|EUR|GBP|JPY|CNY|CHF)\b|[$€£¥]", text):
                money = sheet.title, f"{get_column_letter(unit)}{row}"
    if money[0] and not any(re.search(r"\b(?:nominal|real|constant)\b", c.value, re.I) for s in book.sheets for c in s.texts):
        yield *money, "a unit of money, and no text says whether it is nominal or real"


def _w06(book: Book) -> Iterator[Found]:
    if not any(c.style in book.input_styles for s in book.sheets for c in s.cells):
        yield "", "", "no cell has a style for inputs ('lm input' or 'Input')"
    for sheet in book.sheets:
        for cell in sheet.cells:
            marked = cell.style in book.input_styles
            if marked and cell.formula is not None:
                yield sheet.title, cell.address, "a formula in the style of inputs"
            elif marked and sheet.kind in ("calculations", "outputs", "data"):
                yield sheet.title, cell.address, f"the style of inputs on a sheet of {sheet.kind}"
            elif not marked and sheet.kind == "inputs" and cell.typed_number and cell.row > sheet.header_row > 0:
                yield sheet.title, cell.address, f"the input {cell.value} is not in the style of inputs"
            elif sheet.calculates and cell.typed_number and not _of_years(sheet, cell):
                yield sheet.title, cell.address, f"the typed number {cell.value} on a sheet of {sheet.kind or 'calculations'}"
    cover = book.sheet("Cover")
    if cover is None:
        yield "", "", "there is no Cover, so no legend of the styles"
    else:
        marked_rows = {c.row for c in cover.cells if c.style in book.input_styles}
        if not any(c.row in marked_rows and re.search(r"\binputs?\b", c.value, re.I) for c in cover.texts):
            yield cover.title, "", "no legend: a cell in the style of inputs with the word input in or beside it"


def _w07(book: Book) -> Iterator[Found]:
    unseen = {
        i: f"text in the colour of its background, {style.ink}"
        for i, style in enumerate(book.styles)
        if style.ink == style.paper is not None
    }
    unseen |= {i: "the number format hides the cell" for i, style in enumerate(book.styles) if re.fullmatch(";{2,3}", style.number_format)}
    for sheet in book.sheets:
        if sheet.state != "visible":
            yield sheet.title, "", "the sheet is hidden" + (", and Excel's menu does not show it" if sheet.state == "veryHidden" else "")
        for row in sheet.hidden_rows:
            yield sheet.title, f"A{row}", "the row is hidden"
        for columns in sheet.hidden_columns:
            yield sheet.title, columns, "hidden"
        for cell in sheet.cells:
            if cell.style in unseen and cell.filled:
                yield sheet.title, cell.address, unseen[cell.style]


def _w08(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        for area in sheet.merged:
            yield sheet.title, area, "merged cells"
        named = sheet.filled(sheet.header_row) if sheet.header_row else {}
        body = list(sheet.body)
        if not named or not body:
            continue
        for column in range(min(named), max(named)):
            if column not in named:
                yield sheet.title, f"{get_column_letter(column)}{sheet.header_row}", "a column without a name inside the table"
        rows = [sheet.header_row, *(row for row, _ in body)]
        for (before, after), (_, cells) in zip(pairwise(rows), body, strict=True):
            if after - before > 1 and any(_is_number(c) for c in cells.values()):
                yield sheet.title, f"A{before + 1}", "a blank row inside the table"


def _w09(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        if sheet.axis and sheet.kind != "inputs":
            due = sheet.axis.row, sheet.axis.columns[0] - 1
            if sheet.frozen != due:
                cell = f"{get_column_letter(due[1] + 1)}{due[0] + 1}"
                now = f"frozen at {get_column_letter(sheet.frozen[1] + 1)}{sheet.frozen[0] + 1}" if sheet.frozen else "not frozen"
                yield sheet.title, cell, f"{now}; the first year column under the row of years is {cell}"


_CHECK_COLUMNS = {
    "id": ("id", "check", "no", "number"),
    "what": ("what", "description", "check"),
    "value": ("value", "difference", "result"),
    "tolerance": ("tolerance", "limit"),
    "pass": ("pass", "passes", "ok", "status", "passed"),
}


def _w10(book: Book) -> Iterator[Found]:
    checks = book.sheet("Checks")
    if checks is None:
        yield "", "", "there is no sheet Checks"
        return
    columns = _check_columns(checks)
    for name, column in columns.items():
        if not column:
            yield checks.title, f"A{max(1, checks.header_row)}", f"there is no column {name}"
    if not all(columns.values()):
        return
    listed = list(_check_rows(checks))
    if not listed:
        yield checks.title, "", "no check is listed"
        return
    for row, cells in listed:
        for name, column in columns.items():
            if column not in cells:
                yield checks.title, f"{get_column_letter(column)}{row}", f"the check has no {name}"
        passed = cells.get(columns["pass"])
        if passed and passed.formula is None:
            yield checks.title, passed.address, "whether the check passes is typed, not a formula"
        elif passed and _fails(passed):
            yield checks.title, passed.address, f"the check does not pass: {passed.value}"
    rows = {row for row, _ in listed}
    if not any(_covers(checks, cell, columns["pass"], rows) for cell in checks.formulas):
        yield checks.title, f"A{checks.header_row}", "no master check: a formula over the whole column pass"
    for sheet in book.sheets:
        above = (c for c in sheet.formulas if c.row <= sheet.header_row or not sheet.header_row)
        if sheet is not checks and not any(_names_sheet(c, checks) for c in above):
            yield sheet.title, "A1", "the master check is not repeated above the table"


def _w11(book: Book) -> Iterator[Found]:
    checks = book.sheet("Checks")
    columns = _check_columns(checks) if checks else {}
    if checks is None or not all(columns.values()):
        yield (checks.title if checks else ""), "", "there is no sheet Checks with the columns id, what, value, tolerance and pass"
        return
    for row, cells in _check_rows(checks):
        cell = cells.get(columns["pass"])
        if cell is None or cell.formula is None:
            continue
        meaning = meaning_of(cell.formula)
        if not meaning.functions & GUARDS:
            yield checks.title, cell.address, "an error does not fail the check: use IFERROR"
        used = _areas_on(checks, cell.formula)
        if not any(a.left <= columns["tolerance"] <= a.right and a.top <= row <= a.bottom for a in used):
            yield checks.title, cell.address, "the check does not compare with its tolerance"


def _w12(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        for cell in sheet.cells:
            if cell.kind == "e":
                yield sheet.title, cell.address, f"holds the error {cell.value}"


def _w13(book: Book) -> Iterator[Found]:
    yield from _using(book, VOLATILE, "is volatile")
    for name, text, title, _ in book.names:
        for function in sorted(meaning_of(text).functions & VOLATILE):
            yield title, "", f"the name {name} uses {function}, which is volatile"


def _w14(book: Book) -> Iterator[Found]:
    yield from _using(book, {"NPV", "XNPV"}, "hides its discount factors: give them a row")


def _w15(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        on_checks = folded(sheet.title) == "checks"
        for cell, meaning in book.meanings(sheet):
            formula = cell.formula or ""
            if len(formula) >= LONGEST:
                yield sheet.title, cell.address, f"a formula of {len(formula) + 1} characters: split it"
            if "\n" in formula or "\r" in formula:
                yield sheet.title, cell.address, "a formula of more than one line"
            if meaning.nested_if:
                yield sheet.title, cell.address, f"an IF inside an IF: ={_short(formula)}"
            if "IFERROR" in meaning.functions and not on_checks:
                yield sheet.title, cell.address, "IFERROR hides an error outside of Checks"


def _w16(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        for cell, meaning in book.meanings(sheet):
            for function in sorted(meaning.functions - KNOWN_FUNCTIONS):
                if not function.startswith("LM_"):
                    shown = function.removeprefix("_XLFN.").removeprefix("_XLWS.")
                    yield sheet.title, cell.address, f"the function {shown} is not one of Excel 2007"
        for address in sheet.dynamic:
            yield sheet.title, address, "a formula that spills into other cells"


_FOREIGN_PARTS = re.compile(
    r"externalLinks/|connections\.xml|queryTables/|vbaProject|macrosheets/|dialogsheets/|activeX/|embeddings/|ctrlProps/|/model/|customUI",
    re.I,
)


def _w17(book: Book) -> Iterator[Found]:
    for part in book.parts:
        if _FOREIGN_PARTS.search(part) and not part.endswith(".rels"):
            yield "", "", f"the part {part}"
    for part, target in book.outside:
        yield "", "", f"{part} refers to {target}"
    for name, text, title, _ in book.names:
        if meaning_of(text).outside:
            yield title, "", f"the name {name} refers to another file: {text}"
    for sheet in book.sheets:
        for cell, meaning in book.meanings(sheet):
            if meaning.outside:
                yield sheet.title, cell.address, f"refers to another file: ={_short(cell.formula)}"


def _w18(book: Book) -> Iterator[Found]:
    if book.calculation.get("iterate") in _YES:
        yield "", "", "iterative calculation is on"
    if book.calculation.get("calcMode", "auto") != "auto":
        yield "", "", f"calculation is {book.calculation['calcMode']}, not automatic"
    yield from _circles(book)


def _w19(book: Book) -> Iterator[Found]:
    yield from _using(book, ROUNDING, "rounds: let the number format round", calculating=True)


def _w20(book: Book) -> Iterator[Found]:
    first: dict[tuple[object, ...], str] = {}
    for sheet in book.sheets:
        if sheet.kind not in ("calculations", ""):
            continue
        rows: dict[int, list[tuple[Cell, Meaning]]] = {}
        for cell, meaning in book.meanings(sheet):
            if meaning.refers and not meaning.only_refers:
                rows.setdefault(cell.row, []).append((cell, meaning))
        for found in rows.values():
            at = f"{sheet.title}!{found[0][0].address}"
            key = (sheet.title if any(m.local for _, m in found) else "", *(c.formula for c, _ in found))
            if key in first:
                yield sheet.title, found[0][0].address, f"the same formula as {first[key]}: refer to that"
            else:
                first[key] = at


def _w21(book: Book) -> Iterator[Found]:
    if len(book.names) > MOST_NAMES:
        yield "", "", f"{len(book.names)} defined names; at most {MOST_NAMES}"
    for name, text, title, hidden in book.names:
        if title:
            yield title, "", f"the name {name} is valid on this sheet only"
        if hidden:
            yield title, "", f"the name {name} is hidden"
        if "#REF!" in text:
            yield title, "", f"the name {name} is broken: {text}"
        elif any(a.bottom > a.top or a.right > a.left for _, a in references(text)):
            yield title, "", f"the name {name} stands for more than one cell: {text}"


_ASSUMPTION_COLUMNS = {
    "quantity or id": ("quantity", "id"),
    "label": ("label", "labels", "name", "region", "segment", "primary", "description"),
    "unit": ("unit", "units"),
    "low": ("low",),
    "value": ("value", "base"),
    "high": ("high",),
    "distribution": ("distribution",),
    "source": ("source", "sources", "source id"),
    "status": ("status", "grade"),
    "note": ("note", "notes", "comment"),
}


def _w22(book: Book) -> Iterator[Found]:
    sheets = [s for s in book.sheets if s.column("value", "base") and s.kind in ("inputs", "") and s.column("quantity", "low", "high")]
    if not sheets:
        yield "", "", "no sheet of assumptions: inputs with the columns quantity, low, value and high"
    for sheet in sheets:
        columns = {name: sheet.column(*names) for name, names in _ASSUMPTION_COLUMNS.items()}
        for name, column in columns.items():
            if not column:
                yield sheet.title, f"A{sheet.header_row}", f"there is no column {name}"
        moving = sorted((column for name, column in sheet.header.items() if re.fullmatch("(19|20)[0-9]{2}", name)), reverse=True)
        for row, cells in sheet.body:
            low, high = (_number_at(cells, columns[name]) for name in ("low", "high"))
            value = next((n for c in (columns["value"], *moving) if (n := _number_at(cells, c)) is not None), None)
            place = f"{get_column_letter(columns['value'])}{row}"
            if low is not None and high is not None and low > high:
                yield sheet.title, place, f"low {low:g} is above high {high:g}"
            elif value is not None and ((low is not None and value < low) or (high is not None and value > high)):
                yield sheet.title, place, f"{value:g} is not between low and high, {_bounds(low, high)}"
            spread = cells.get(columns["distribution"])
            if spread and folded(spread.text) not in ("", "fixed") and value is not None and None in (low, high):
                yield sheet.title, place, f"a {spread.text} distribution without low or high"


def _w23(book: Book) -> Iterator[Found]:
    sources = book.sheet("Sources")
    if sources is None or not sources.column("id"):
        yield (sources.title if sources else ""), "", "there is no sheet Sources with a column id"
        return
    known: dict[str, int] = {}
    columns = {"citation": ("citation",), "year": ("year", "date"), "read": ("read", "accessed", "date read"), "grade": ("grade",)}
    for name, names in columns.items():
        if not sources.column(*names):
            yield sources.title, f"A{sources.header_row}", f"there is no column {name}"
    for row, _ in sources.body:
        known[folded(sources.text_at(row, sources.column("id")))] = row
        for name, names in columns.items():
            if sources.column(*names) and not sources.text_at(row, sources.column(*names)):
                yield sources.title, f"{get_column_letter(sources.column(*names))}{row}", f"the source has no {name}"
    named: set[str] = set()
    for sheet in book.sheets:
        column = sheet.column("source", "sources", "source id")
        if not column or sheet is sources or sheet.kind not in ("inputs", ""):
            continue
        for row, _ in sheet.body:
            ids = [i.strip() for i in sheet.text_at(row, column).split(";") if i.strip()]
            named |= {folded(i) for i in ids}
            place = f"{get_column_letter(column)}{row}"
            if not ids:
                yield sheet.title, place, "no source"
            for i in ids:
                if folded(i) not in known:
                    yield sheet.title, place, f"the source {i} is not on the sheet Sources"
    for i, row in known.items():
        if i and i not in named:
            yield sources.title, f"{get_column_letter(sources.column('id'))}{row}", "no assumption names the source"


def _w24(book: Book) -> Iterator[Found]:
    log = book.sheet("Change log") or book.sheet("Changelog") or book.sheet("Changes")
    if log is None:
        yield "", "", "there is no sheet Change_log"
        return
    columns = ("version", "date", "who", "what", "effect")
    found = {name: next((c for n, c in log.header.items() if name in n.split()), 0) for name in columns}
    for name, column in found.items():
        if not column:
            yield log.title, f"A{max(1, log.header_row)}", f"there is no column {name}"
    rows = list(log.body)
    if not rows:
        yield log.title, "", "no change is listed"
    for row, cells in rows:
        for name, column in found.items():
            if column and column not in cells:
                yield log.title, f"{get_column_letter(column)}{row}", f"the change has no {name}"


_COVER = {
    "engine and version": r"engine|version",
    "scenario": r"scenario",
    "fingerprint of the inputs": r"fingerprint|hash",
}


def _w25(book: Book) -> Iterator[Found]:
    cover = book.sheet("Cover")
    if cover is None:
        yield "", "", "there is no sheet Cover"
        return
    for what, pattern in _COVER.items():
        told = False
        for label in cover.texts:
            beside = any(column > label.column for column in cover.filled(label.row))
            told |= beside and bool(re.search(pattern, label.value, re.I))
        if not told:
            yield cover.title, "", f"it does not tell the {what}: a label and a value beside it"
    checks = book.sheet("Checks")
    if checks is None or not any(_names_sheet(c, checks) for c in cover.formulas):
        yield cover.title, "", "it does not tell the master check: a formula that refers to the sheet Checks"


_METHOD = {
    "purpose": r"purpose|aim",
    "intended use": r"intended use|use",
    "funder": r"fund|sponsor",
    "structure": r"structure",
    "data": r"data",
    "validation": r"validation|verification",
    "limits": r"limit",
}


def _w26(book: Book) -> Iterator[Found]:
    method = book.sheet("Method") or book.sheet("Methods")
    if method is None:
        yield "", "", "there is no sheet Method"
        return
    headings = [c.value for c in method.texts if len(c.value) <= 60]
    for what, pattern in _METHOD.items():
        if not any(re.search(rf"\b(?:{pattern})", heading, re.I) for heading in headings):
            yield method.title, "", f"no heading for {what}"


def _w27(book: Book) -> Iterator[Found]:
    sheets = [s for s in book.sheets if s.kind == "data"]
    if not sheets:
        yield "", "", "there is no sheet of data, one fact a row"
    for sheet in sheets:
        header = [(c, folded(cell.value)) for c, cell in sheet.filled(sheet.header_row).items()]
        counts = Counter(name for _, name in header)
        for column, name in header:
            if counts[name] > 1:
                yield sheet.title, f"{get_column_letter(column)}{sheet.header_row}", f"the header {name!r} is there {counts[name]} times"
        last = max((row for row, _ in sheet.body), default=0)
        if not sheet.tables:
            yield sheet.title, f"A{max(1, sheet.header_row)}", "the data are no Excel table"
        elif sheet.tables[0][1].bottom != max(last, sheet.tables[0][1].top + 1):
            yield sheet.title, f"A{last}", f"the table ends in row {sheet.tables[0][1].bottom}, the data in row {last}"
        if any(totals for *_, totals in sheet.tables):
            yield sheet.title, f"A{last}", "the table has a row of totals"
        for row, cells in sheet.body:
            label = next(iter(cells.values())).text
            if re.match(r"(?:grand |sub)?totals?\b|sum\b", label, re.I):
                yield sheet.title, f"A{row}", f"a row of totals: {label!r}"


_COMPARISONS = {
    "the tables with the long data": r"data_long|long data|sumifs",
    "the world with the sum of regions": r"region",
    "shares with 100 %": r"share",
}


def _w28(book: Book) -> Iterator[Found]:
    checks = book.sheet("Checks")
    if checks is None:
        yield "", "", "there is no sheet Checks"
        return
    told = [" ".join([*(c.text for c in cells.values()), *(c.formula or "" for c in cells.values())]) for _, cells in checks.body]
    for what, pattern in _COMPARISONS.items():
        if not any(re.search(pattern, line, re.I) for line in told):
            yield checks.title, f"A{max(1, checks.header_row)}", f"no check compares {what}"


def _w29(book: Book) -> Iterator[Found]:
    known = {year for s in book.sheets if s.axis for year in s.axis.years}
    for sheet in book.sheets:
        for label in sheet.texts:
            if len(label.value) > 60 or not re.search(r"\bCAGR\b", label.value):
                continue
            rates = _rates(sheet, label)
            if not rates:
                continue
            years = [int(y) for y in re.findall(r"\b(?:19|20)\d\d\b", label.value)]
            if len(years) != 2:
                yield sheet.title, label.address, f"{label.value!r} does not name its two years"
            elif known and not set(years) <= known:
                yield sheet.title, label.address, f"{label.value!r} names a year that no sheet has"
            for rate in rates:
                formula = rate.formula or ""
                if ("^" in formula or "POWER(" in formula.upper()) and '"n/a"' not in formula:
                    yield sheet.title, rate.address, f"no n/a where growth starts from zero: ={_short(formula)}"


def _w30(book: Book) -> Iterator[Found]:
    for sheet, row, cells in _year_rows(book):
        first = next(c for c in cells.values() if c.formula is not None)
        before = "[-1]" in book.relative(sheet)[first.row, first.column]  # such as growth, which the first year cannot have
        for column, cell in cells.items():
            if not cell.filled and not (before and column == min(cells)):
                yield sheet.title, f"{get_column_letter(column)}{row}", "blank in a row of formulas"
    for sheet in book.sheets:
        value = sheet.column("value") if sheet.kind == "data" else 0
        for row, cells in sheet.body if value else []:
            if value not in cells:
                yield sheet.title, f"{get_column_letter(value)}{row}", "no value"
        for cell in sheet.cells:
            if not cell.filled and cell.style in book.input_styles:
                yield sheet.title, cell.address, "an input without a value"
            elif cell.kind == "n" and cell.value and (cell.number is None or not math.isfinite(cell.number)):
                yield sheet.title, cell.address, f"{cell.value} is not a number"


_LABEL_STYLES = {"lm label", "lm header", "lm wrapped"}


def _w31(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        for cell in sheet.texts:
            found = re.search(r"[\x00-\x09\x0b-\x1f\x7f]", cell.value)
            if found:
                yield sheet.title, cell.address, f"the control character {found[0]!r} in a text"
        for cell, meaning in book.meanings(sheet):
            unknown = [n for n in meaning.names if folded(n) not in book.known_names]
            if unknown or meaning.odd:
                yield sheet.title, cell.address, f"={_short(cell.formula)} reads like a label that became a formula"
            elif cell.kind != "str" and book.style(cell).name in _LABEL_STYLES:
                yield sheet.title, cell.address, f"={_short(cell.formula)}, a number in the style of labels"


def _w32(book: Book) -> Iterator[Found]:
    counts = Counter(s.title.casefold() for s in book.sheets)
    for sheet in book.sheets:
        if len(sheet.title) > 31:
            yield sheet.title, "", f"a title of {len(sheet.title)} characters"
        if not sheet.title or re.search(r"[\[\]:*?/\\]|^'|'$", sheet.title):
            yield sheet.title, "", "the title is empty or has one of [ ] : * ? / \\ or an outer '"
        if counts[sheet.title.casefold()] > 1:
            yield sheet.title, "", "another sheet has the same title, but for the case"


def _w33(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        covered = _Covered(sheet, [v for v in sheet.validations if v.kind != "none"])
        told = _Covered(sheet, [v for v in sheet.validations if v.kind != "none" and v.has_message])
        for validation in sheet.validations:
            if validation.kind == "list" and validation.formula.startswith('"') and len(validation.formula) > 257:
                first = validation.areas[0] if validation.areas else Area(1, 1, 1, 1)
                place = f"{get_column_letter(first.left)}{first.top}"
                yield sheet.title, place, f"a typed list of {len(validation.formula) - 2} characters; Excel takes 255: use cells"
        for cell in sheet.cells:
            if book.is_input(sheet, cell):
                if not covered.has(cell):
                    yield sheet.title, cell.address, "an input without data validation"
                elif not told.has(cell):
                    yield sheet.title, cell.address, "the data validation has no message"


def _w34(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        for cell in sheet.formulas:
            if not cell.value and cell.kind != "str":
                yield sheet.title, cell.address, "a formula without a stored value"


def _w35(book: Book) -> Iterator[Found]:
    used = ("", "")
    for sheet in book.sheets:
        for cell, meaning in book.meanings(sheet):
            if any(f.startswith("LM_") for f in meaning.functions):
                used = used if used[0] else (sheet.title, cell.address)
                if not cell.value or cell.kind == "e":
                    yield sheet.title, cell.address, f"={_short(cell.formula)} has no stored value"
    if used[0] and not any(re.search(r"add-?in", c.value, re.I) for s in book.sheets for c in s.texts):
        yield *used, "LM_ functions are used, and no text tells what to do where the add-in is absent"


def _w36(book: Book) -> Iterator[Found]:
    dates = {i for i, style in enumerate(book.styles) if _shows_date(style.number_format)}
    for sheet in book.sheets:
        for cell in sheet.cells:
            if cell.style in dates and cell.kind == "n" and cell.value:
                number = cell.number
                if number is not None and number.is_integer() and 1900 <= number <= 2100:
                    yield sheet.title, cell.address, f"{number:g} is formatted as a date: {book.style(cell).number_format}"
            elif sheet.axis and cell.row == sheet.axis.row and cell.kind == "n" and cell.year and book.style(cell).number_format != "0":
                yield sheet.title, cell.address, f"the year has the number format {book.style(cell).number_format}, not 0"


def _w37(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        if sheet.page.get("orientation") != "landscape":
            yield sheet.title, "", "it does not print in landscape"
        if not sheet.fits_page or sheet.page.get("fitToWidth", "1") != "1":
            yield sheet.title, "", "it is not fitted to one page wide"
        elif sheet.page.get("fitToHeight", "1") == "1" and len(sheet.rows) > MOST_ROWS_A_PAGE:
            yield sheet.title, "", f"its {len(sheet.rows):,} rows are squeezed onto one page: fit it to as many pages high as it needs"
        if sheet.header_row and not sheet.repeated:
            yield sheet.title, f"A{sheet.header_row}", "the header is not repeated on each page"
        if "&P" not in sheet.footer:
            yield sheet.title, "", "the footer has no page number"
        if not re.search(r"\d+\.\d+", sheet.footer):
            yield sheet.title, "", "the footer has no version"


def _w38(book: Book) -> Iterator[Found]:
    if not any(chart.xml is not None for s in book.sheets for chart in s.charts):
        yield "", "", "there is no chart"
    for sheet in book.sheets:
        sourced = any(re.search(r"\bsources?\b", c.value, re.I) for c in sheet.texts)
        for chart in sheet.charts:
            if not chart.description:
                yield sheet.title, chart.cell, f"{chart.name or 'a picture'} has no alternative text"
            if chart.xml is None:
                continue
            if not sourced and not re.search(r"\bsource", chart.description, re.I):
                yield sheet.title, chart.cell, f"{chart.name or 'a chart'}: neither its alternative text nor the sheet tells the source"
            for message in _chart_faults(book, sheet, chart.xml):
                yield sheet.title, chart.cell, f"{chart.name or 'a chart'}: {message}"


def _w40(book: Book) -> Iterator[Found]:
    size = book.path.stat().st_size
    if size >= MOST_BYTES:
        yield "", "", f"the file has {size:,} bytes"
    if book.first_shown:
        yield "", "", f"the file opens on sheet {book.first_shown + 1}, not on the first"
    if book.sheets:
        first = book.sheets[0]
        if folded(first.title) != "cover":
            yield first.title, "", "the first sheet is not the Cover"
        if first.active != "A1" or first.top_left != "A1":
            yield first.title, first.active, f"the sheet opens on {first.active}, with {first.top_left} at the top left, not on A1"
    for sheet in book.sheets:
        yield from _narrow(book, sheet)


CHECKS: dict[str, Callable[[Book], Iterator[Found]]] = {
    "W01": _w01, "W02": _w02, "W03": _w03, "W04": _w04, "W05": _w05, "W06": _w06, "W07": _w07, "W08": _w08, "W09": _w09, "W10": _w10,
    "W11": _w11, "W12": _w12, "W13": _w13, "W14": _w14, "W15": _w15, "W16": _w16, "W17": _w17, "W18": _w18, "W19": _w19, "W20": _w20,
    "W21": _w21, "W22": _w22, "W23": _w23, "W24": _w24, "W25": _w25, "W26": _w26, "W27": _w27, "W28": _w28, "W29": _w29, "W30": _w30,
    "W31": _w31, "W32": _w32, "W33": _w33, "W34": _w34, "W35": _w35, "W36": _w36, "W37": _w37, "W38": _w38, "W40": _w40,
}  # fmt: skip
"""The function that applies each rule."""


# What several rules ask


def _short(formula: str | None) -> str:
    return formula if formula and len(formula) <= 80 else f"{(formula or '')[:77]}..."


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _span(columns: Sequence[int]) -> str:
    return f"{get_column_letter(columns[0])}:{get_column_letter(columns[-1])}"


def _bounds(low: float | None, high: float | None) -> str:
    return f"{'-' if low is None else f'{low:g}'} and {'-' if high is None else f'{high:g}'}"


def _is_number(cell: Cell) -> bool:
    return cell.formula is not None or (cell.kind == "n" and cell.value != "")


def _number_at(cells: Mapping[int, Cell], column: int) -> float | None:
    return cells[column].number if column in cells else None


def _of_years(sheet: Sheet, cell: Cell) -> bool:
    """Whether a number is a year that labels something: under a column 'year', or in a row that holds no other numbers."""
    if (sheet.axis and cell.row == sheet.axis.row) or (cell.year and cell.column in sheet.year_labels):
        return True
    return cell.year is not None and all(c.year or not _is_number(c) for c in sheet.rows[cell.row].values() if c.filled)


def _using(book: Book, functions: set[str], why: str, *, calculating: bool = False) -> Iterator[Found]:
    for sheet in book.sheets:
        if sheet.calculates or not calculating:
            for cell, meaning in book.meanings(sheet):
                for function in sorted(meaning.functions & functions):
                    yield sheet.title, cell.address, f"{function} {why}"


def _year_rows(book: Book) -> Iterator[tuple[Sheet, int, dict[int, Cell]]]:
    """The rows with a formula in a block of years: a cell for each year, an empty one where nothing stands."""
    for sheet in book.sheets:
        for block in sheet.year_blocks:
            for row, cells in sheet.rows.items():
                if row > block.row and any(c in cells and cells[c].formula is not None for c in block.columns):
                    yield sheet, row, {c: cells.get(c) or Cell(row, c, 0, "n", None, "") for c in block.columns}


def _check_columns(checks: Sheet) -> dict[str, int]:
    return {name: checks.column(*names) for name, names in _CHECK_COLUMNS.items()}


def _check_rows(checks: Sheet) -> Iterator[tuple[int, dict[int, Cell]]]:
    """The rows that list a check: those with something under pass or tolerance."""
    columns = _check_columns(checks)
    for row, cells in checks.body:
        if columns["pass"] in cells or columns["tolerance"] in cells:
            yield row, cells


def _fails(passed: Cell) -> bool:
    value = folded(passed.value)
    return passed.kind == "e" or value in ("0", "0.0", "false", "no", "n/a") or "fail" in value


def _areas_on(sheet: Sheet, formula: str | None) -> list[Area]:
    """The areas of its own sheet that a formula refers to."""
    return [area for title, area in references(formula or "") if folded(title) in ("", folded(sheet.title))]


def _covers(sheet: Sheet, cell: Cell, column: int, rows: set[int]) -> bool:
    """Whether a formula outside of some rows of a column refers to all of them."""
    if cell.column == column and cell.row in rows:
        return False
    areas = _areas_on(sheet, cell.formula)
    return any(a.left <= column <= a.right and a.top <= min(rows) and a.bottom >= max(rows) for a in areas)


def _names_sheet(cell: Cell, sheet: Sheet) -> bool:
    return any(folded(title) == folded(sheet.title) for title, _ in references(cell.formula or ""))


def _rates(sheet: Sheet, label: Cell) -> list[Cell]:
    """The formulas that a label stands beside, or that a heading stands over, down to the next text."""
    beside = next((c for column, c in sheet.filled(label.row).items() if column > label.column), None)
    if beside and beside.formula is not None:
        return [beside]
    found: list[Cell] = []
    for row in sheet.row_numbers[bisect_right(sheet.row_numbers, label.row) :]:
        cell = sheet.cell(row, label.column)
        if (cell and cell.filled and cell.formula is None) or (not found and row > label.row + 3):
            break
        if cell and cell.formula is not None:
            found.append(cell)
    return found


class _Covered:
    """Which cells some validations cover: for each column its stretches of rows."""

    def __init__(self, sheet: Sheet, validations: Sequence[Validation]) -> None:
        last = max((c.column for c in sheet.cells), default=0)
        stretches: dict[int, list[tuple[int, int]]] = {}
        for area in (a for v in validations for a in v.areas):
            for column in range(area.left, min(area.right, last) + 1):
                stretches.setdefault(column, []).append((area.top, area.bottom))
        self.starts: dict[int, list[int]] = {}
        self.ends: dict[int, list[int]] = {}
        for column, found in stretches.items():
            found.sort()
            self.starts[column] = [start for start, _ in found]
            ends: list[int] = []
            for _, end in found:
                ends.append(max(end, ends[-1]) if ends else end)
            self.ends[column] = ends

    def has(self, cell: Cell) -> bool:
        at = bisect_right(self.starts.get(cell.column, ()), cell.row) - 1
        return at >= 0 and self.ends[cell.column][at] >= cell.row


def _shows_date(code: str) -> bool:
    bare = re.sub(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:hh?|mm?|ss?)\])[^\]]*\]', "", code.split(";")[0])
    return bare.casefold() != "general" and bool(re.search("[dmyhs]", bare.casefold()))


# Circles: first between rows, which are few, then between the cells of the rows that may be in one

Node = tuple[int, ...]
"""Sheet and row, or sheet, row and column; an area has two more."""


def _circles(book: Book) -> Iterator[Found]:
    places = {folded(s.title): i for i, s in enumerate(book.sheets)}
    names = {folded(name): text for name, text, title, _ in book.names if not title}
    links = 0

    def targets(i: int, cell: Cell) -> Iterator[tuple[int, Area]]:
        for title, area in references(cell.formula or "", names):
            target = places.get(folded(title), -1) if title else i
            if target >= 0:
                yield target, area

    rows = [sorted({c.row for c in s.formulas}) for s in book.sheets]
    between_rows: dict[Node, list[Node]] = {}
    for i, sheet in enumerate(book.sheets):
        terms = book.relative(sheet)
        seen: set[tuple[int, str]] = set()
        for cell in sheet.formulas:
            mark = cell.row, terms[cell.row, cell.column]
            if mark in seen:
                continue
            seen.add(mark)
            next_rows = between_rows.setdefault((i, cell.row), [])
            for target, area in targets(i, cell):
                start, end = bisect_left(rows[target], area.top), bisect_right(rows[target], area.bottom)
                if end - start == 1:
                    next_rows.append((target, rows[target][start]))
                elif end > start:
                    stretch = (target, start, end)
                    next_rows.append(stretch)
                    if stretch not in between_rows:
                        links += end - start
                        if links > MOST_LINKS:
                            yield sheet.title, cell.address, f"more than {MOST_LINKS:,} references: circles were not looked for"
                            return
                        between_rows[stretch] = [(target, row) for row in rows[target][start:end]]
    for group in _groups(between_rows):
        suspects = {(n[0], n[1]) for n in group if len(n) == 2}
        inside = {(i, c.row, c.column): c for i, row in suspects for c in book.sheets[i].rows[row].values() if c.formula is not None}
        by_sheet: dict[int, list[int]] = {}
        for i, row in sorted(suspects):
            by_sheet.setdefault(i, []).append(row)
        between_cells: dict[Node, list[Node]] = {node: [] for node in inside}
        for node, cell in inside.items():
            for target, area in targets(node[0], cell):
                found = by_sheet.get(target, [])
                for row in found[bisect_left(found, area.top) : bisect_right(found, area.bottom)]:
                    met = [(target, row, c) for c in book.sheets[target].rows[row] if area.left <= c <= area.right]
                    between_cells[node] += [m for m in met if m in inside]
                    links += len(met)
            if links > MOST_LINKS:
                yield book.sheets[node[0]].title, cell.address, f"more than {MOST_LINKS:,} references: circles were not looked for"
                return
        for circle in _groups(between_cells):
            i, row, column = min(circle)
            others = f" and {len(circle) - 1} more cells" if len(circle) > 1 else ""
            yield book.sheets[i].title, f"{get_column_letter(column)}{row}", f"refers to itself in a circle of this cell{others}"


def _groups(links: Mapping[Node, Sequence[Node]]) -> Iterator[list[Node]]:
    """The strongly connected groups with a circle in them (Tarjan's algorithm, without recursion)."""
    order: dict[Node, int] = {}
    least: dict[Node, int] = {}
    open_nodes: list[Node] = []
    is_open: set[Node] = set()
    for root in links:
        if root in order:
            continue
        order[root] = least[root] = len(order)
        open_nodes.append(root)
        is_open.add(root)
        walk = [(root, iter(links[root]))]
        while walk:
            node, rest = walk[-1]
            for target in rest:
                if target not in order:
                    order[target] = least[target] = len(order)
                    open_nodes.append(target)
                    is_open.add(target)
                    walk.append((target, iter(links.get(target, ()))))
                    break
                if target in is_open:
                    least[node] = min(least[node], order[target])
            else:
                walk.pop()
                if walk:
                    least[walk[-1][0]] = min(least[walk[-1][0]], least[node])
                if least[node] == order[node]:
                    group = [open_nodes.pop()]
                    while group[-1] != node:
                        group.append(open_nodes.pop())
                    is_open.difference_update(group)
                    if len(group) > 1 or node in links.get(node, ()):
                        yield group


# Charts


def _chart_faults(book: Book, sheet: Sheet, chart: ElementTree.Element) -> Iterator[str]:
    inner = chart.find(f"{_CHART}chart")
    title = inner.find(f"{_CHART}title") if inner is not None else None
    if not _said(title):
        yield "it has no title"
    for axis in chart.iter(f"{_CHART}valAx"):
        deleted = axis.find(f"{_CHART}delete")
        shown = deleted is None or deleted.get("val", "1") not in _YES
        if shown and not _said(axis.find(f"{_CHART}title")):
            yield "a value axis has no title, so no unit"
    for i, series in enumerate(chart.iter(f"{_CHART}ser"), 1):
        for values in (*series.iter(f"{_CHART}val"), *series.iter(f"{_CHART}yVal")):
            for formula in values.iter(f"{_CHART}f"):
                for title_, area in references(formula.text or ""):
                    missing = _missing_years(book.sheet(title_) or sheet, area)
                    if missing:
                        yield f"series {i} lacks the years {_listed(missing)}"


def _said(title: ElementTree.Element | None) -> bool:
    """Whether a title has a text, or takes it from a cell."""
    if title is None:
        return False
    return any((t.text or "").strip() for t in (*title.iter(f"{_TEXT}t"), *title.iter(f"{_CHART}f")))


def _missing_years(sheet: Sheet, area: Area) -> list[int]:
    """The years that a row of chart values leaves out, where it runs over years at all."""
    axis = sheet.axis
    if axis is None or area.top != area.bottom or area.left == area.right:
        return []
    if not any(area.left <= c <= area.right for c in axis.columns):
        return []
    return [y for c in axis.columns if not area.left <= c <= area.right and (cell := sheet.cell(axis.row, c)) and (y := cell.year)]


# Widths of numbers


def _narrow(book: Book, sheet: Sheet) -> Iterator[Found]:
    """The columns that show #### for a number: its longest in each style is written out as its format does."""
    extremes: dict[tuple[int, int, bool], Cell] = {}
    for cell in sheet.cells:
        if cell.kind == "n" and cell.value:
            number = cell.number
            if number is not None and math.isfinite(number):
                key = cell.column, cell.style, number < 0
                known = extremes.get(key)
                if known is None or abs(number) > abs(known.number or 0):
                    extremes[key] = cell
    for (column, _, _), cell in sorted(extremes.items()):
        style = book.style(cell)
        text = shown(cell.number or 0.0, style.number_format)
        room = sheet.widths.get(column, sheet.default_width) - 0.7  # Excel keeps five pixels free
        need = sum(0.5 if c in ".,:" else 1.0 for c in text) * style.scale
        if need > room:
            yield sheet.title, cell.address, f"{text} needs a width of {need + 0.7:.1f}; the column has {room + 0.7:.1f}"


def shown(number: float, code: str) -> str:
    """A number as its format shows it; "" where that is not known or always fits: General, text, dates."""
    sections = code.split(";")
    at = 1 if number < 0 and len(sections) > 1 else 2 if number == 0 and len(sections) > 2 else 0
    bare = re.sub(r"\[[^\]]*\]|\*.", "", sections[at])
    literal = re.sub(r'"([^"]*)"|\\(.)|_.', lambda m: "x" * len(m[1] or m[2] or " "), bare)
    digits = re.search(r"[0#?][0#?,]*(?:\.([0#?]*))?(,*)", literal)
    if _shows_date(code) or digits is None or re.search(r"[Ee][+-]|General|/|@", literal, re.I):
        return ""
    value = abs(number) if at else number
    scaled = value * (100 if "%" in literal else 1) / 1000 ** len(digits[2] or "")
    thousands = "," if re.search(r"[0#?],[0#?]", digits[0]) else ""
    return f"{literal[: digits.start()]}{scaled:{thousands}.{len(digits[1] or '')}f}{literal[digits.end() :]}"


__all__ = ["RULES", "Breach", "as_json", "audit", "summary"]
