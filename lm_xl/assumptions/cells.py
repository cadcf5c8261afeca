"""Cells read one by one, each as what is due in it: a text, a word, a number, a label, sources."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lm_xl.assumptions.assumptions import Keys, Row
from lm_xl.assumptions.tables import RawCell, SheetRow
from lm_xl.faults import Fault, UnknownLabel
from lm_xl.model.axes import Axis
from lm_xl.model.labels import folded, nearest, odd_characters
from lm_xl.model.outputs import OUTPUTS
from lm_xl.model.quantities import QUANTITIES

LONGEST_LABEL = 80
OLDEST = 1800
"""The first year that a source may be of."""
ALPHABETS = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}
"""The scripts with letters that look like those of another."""
INVISIBLE = ("Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Zs")
"""The Unicode categories of what cannot be seen; of them a label may hold the plain blank alone."""


@dataclass
class Findings:
    """What one reading of a file finds beside its numbers: its faults, and what later steps have to know of earlier ones."""

    path: Path
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    """What is left aside or doubted, which is told and not refused."""
    cited: list[tuple[RawCell, str]] = field(default_factory=list)
    """The ids of sources, and the cells that cite them."""
    unread: set[str] = field(default_factory=set)
    """Quantities none of whose rows can be known, because their sheet is not there."""
    doubtful: list[tuple[str, Keys]] = field(default_factory=list)
    """Rows that may cover more than is known: their quantity and their labels, "" where any label may be meant."""
    faulty: set[str] = field(default_factory=set)
    """Quantities of which a row has a fault."""
    _seen: set[tuple[object, ...]] = field(default_factory=set)
    _first: dict[tuple[object, ...], str] = field(default_factory=dict)
    """Where what may be there once stands first."""

    def fault(self, cell: RawCell, message: str) -> None:
        self.fault_at(cell.sheet, cell.address, message)

    def row_fault(self, row: Row, message: str) -> None:
        self.fault_at(row.sheet, row.cells[0], message)

    def sheet_fault(self, sheet: str, message: str) -> None:
        self.fault_at(sheet, "", message)

    def fault_at(self, sheet: str, address: str, message: str) -> None:
        self.faults.append(Fault(self.path.name, sheet, address, message))

    @property
    def unsure(self) -> set[str]:
        """Quantities whose rows are not all known as they were meant."""
        return self.unread | self.faulty | {name for name, _ in self.doubtful}

    def is_new(self, *what: object) -> bool:
        """Whether this is asked for the first time: what several scenarios break is one fault."""
        new = what not in self._seen
        self._seen.add(what)
        return new

    def demand_once(self, cell: RawCell, what: str, *key: object) -> None:
        """A fault where what a cell tells of has been told before; texts are one key however they are spelled."""
        plain = (cell.sheet, *(folded(part) if isinstance(part, str) else part for part in key))
        first = self._first.setdefault(plain, cell.address)
        if first != cell.address:
            self.fault(cell, f"{what} is there already, in {first}")


def text(cell: RawCell, what: str, tell: Findings, *, due: bool = True) -> str:
    """The text in a cell, "" with a fault where there is none; where none is due, as in a note, anything will do."""
    if cell.absent:
        return ""
    if cell.unstored:
        tell.fault(cell, cell.unstored)
    elif cell.blank:
        if due:
            tell.fault(cell, f"blank where {what} is due")
    elif not isinstance(cell.value, str):
        if not due:
            return cell.shown.removeprefix("the date ")
        tell.fault(cell, f"{cell.shown} where {what} is due")
    elif due and cell.value.startswith("#") and cell.value.rstrip("!?").isupper():
        repair = "repair the formula behind it"
        tell.fault(cell, f"the error value {cell.value} where {what} is due: {repair}")
    else:
        return cell.value.strip()
    return ""


def note(row: SheetRow, tell: Findings) -> str:
    """A row's note, which may be blank and may hold anything."""
    return text(row["note"], "a note", tell, due=False)


def one_of(cell: RawCell, allowed: Sequence[str], what: str, tell: Findings) -> str:
    """One of the allowed words as they are spelled there, or "" with a fault."""
    typed = text(cell, f"the {what}", tell)
    if not typed:
        return ""
    option = _by_fold(tuple(allowed)).get(folded(typed))
    if option is not None:
        return option
    tell.fault(cell, f"{typed!r} is no {what}: {nearest(typed, tuple(allowed))}{odd_characters(typed)}")
    return ""


@cache
def _by_fold(words: tuple[str, ...]) -> dict[str, str]:
    """Words by the form in which they are compared; of two that are the same in it, the first."""
    return {folded(word): word for word in reversed(words)}


def listed(cell: RawCell, what: str, tell: Findings) -> list[str]:
    """The words between the semicolons of a cell, of which there is one at least."""
    typed = text(cell, what, tell)
    words = [word.strip() for word in typed.split(";") if word.strip()]
    if typed and not words:
        tell.fault(cell, f"{typed!r} where {what} is due")
    return words


def date(cell: RawCell, what: str, tell: Findings) -> str:
    """The date in a cell, a real one or typed as 2025-12-31, in that form; "" with a fault for anything else, and for one to come."""
    found = cell.value if isinstance(cell.value, dt.datetime) and not cell.unstored else None
    typed = "" if found else _text_of_date(cell, what, tell)
    if typed:
        try:
            found = dt.datetime.strptime(typed, "%Y-%m-%d")
        except ValueError:
            tell.fault(cell, f"{cell.shown} is no date: type it as 2025-12-31")
    if found and found.year > latest_year():
        tell.fault(cell, f"{cell.shown} is a date to come: allowed up to {latest_year()}")
    return f"{found:%Y-%m-%d}" if found else ""


def _text_of_date(cell: RawCell, what: str, tell: Findings) -> str:
    """The text in a cell where a date is due; a number is told how a date is typed."""
    if isinstance(cell.value, float) and not cell.unstored:
        tell.fault(cell, f"{cell.shown} is no date: format the cell as a date, or type it as 2025-12-31")
        return ""
    return text(cell, what, tell)


def latest_year() -> int:
    """The last year that something known today may be dated: publications of next year are out before it begins."""
    return dt.datetime.now(dt.UTC).year + 1


def publication_year(cell: RawCell, tell: Findings) -> str:
    """When a source was published, in words; years that no publication has are faults."""
    typed = (
        str(cell.value.year) if isinstance(cell.value, dt.datetime) else text(cell, "a year", tell, due=False)
    )
    wrong = [digits for digits in re.findall("[0-9]+", typed) if not OLDEST <= int(digits) <= latest_year()]
    if wrong:
        tell.fault(cell, f"{wrong[0]} is no year of a publication: allowed {OLDEST} to {latest_year()}")
    return typed


def cites(row: SheetRow, tell: Findings) -> tuple[str, ...]:
    """The ids of a row's sources; whether there are such sources is asked when the sheet Sources has been read."""
    ids = tuple(listed(row["source"], "a source", tell))
    tell.cited.extend((row["source"], identity) for identity in ids)
    return ids


# Labels


def label(cell: RawCell, axis: Axis, tell: Findings) -> str:
    """A label of an axis as the Axes sheet writes it; blanks and unknown labels are faults."""
    typed = text(cell, f"a {axis.name}", tell)
    try:
        return axis.label(typed) if typed else ""
    except UnknownLabel as unknown:
        tell.fault(cell, f"{unknown}{odd_characters(typed)}")
        return ""


def new_label(cell: RawCell, what: str, tell: Findings) -> str:
    """A label that this cell defines, with a fault where it would not do."""
    typed = text(cell, f"the label of a {what}", tell)
    problem = label_problem(typed)
    if problem:
        tell.fault(cell, f"the label {typed!r} {problem}")
    return typed


def label_problem(typed: str) -> str:
    """Why a label would not do, or ""."""
    if not typed:
        return ""
    if len(typed) > LONGEST_LABEL:
        return f"has {len(typed)} characters; at most {LONGEST_LABEL}"
    if typed[0] in "=<>" or any(c in typed for c in ';*?~"'):
        return "may not begin with = < > nor hold ; * ? ~ or a double quote: spreadsheets read them as formulas and wildcards"
    if any(unicodedata.category(c) in INVISIBLE and c != " " for c in typed):
        return f"holds an invisible or odd blank character{odd_characters(typed)}"
    if unicodedata.normalize("NFC", typed) != typed:
        return f"holds an accent apart from its letter: type it again{odd_characters(typed)}"
    if not any(c.isalpha() for c in typed):
        return "has no letter: a spreadsheet would take it for a number"
    scripts = {unicodedata.name(c, "?").split()[0] for c in typed if c.isalpha()} & ALPHABETS
    if len(scripts) > 1:
        return f"mixes {' and '.join(sorted(scripts)).lower()} letters that look alike{odd_characters(typed)}"
    if typed.casefold() in OUTPUTS or typed.casefold() in QUANTITIES:
        return "is the name of a quantity"
    return ""


# Numbers


def number(cell: RawCell, tell: Findings) -> float | None:
    """The number in a cell, or None and one fault that says what stands there instead."""
    value = cell.value
    if cell.absent:
        return None
    if cell.unstored:
        message = cell.unstored
    elif cell.blank:
        message = "blank where a number is due"
    elif isinstance(value, bool):
        message = f"{cell.shown} is not a number"
    elif isinstance(value, dt.datetime):
        advice = "set the cell's format to General and type the number again (a year as 2030)"
        message = f"{cell.shown} where a number is due: {advice}"
    elif isinstance(value, str):
        message = _text_for_number(value.strip())
    elif value is None or not math.isfinite(value):
        message = f"{value} is not a finite number"
    else:
        return value
    tell.fault(cell, message)
    return None


def number_within(cell: RawCell, least: float, most: float, unit: str, tell: Findings) -> float | None:
    """The number in a cell, in `unit` and from `least` to `most`, or None and one fault."""
    value = number(cell, tell)
    if value is None or least <= value <= most:
        return value
    # A share above 1 is taken for a percentage only where it is far out, so that 1.02 keeps the plain message.
    percent = abs(value) >= 2 * most and least <= value / 100 <= most <= 1
    hint = f"; {value:g} % is typed {value / 100:g}" if percent else ""
    tell.fault(cell, f"{value:.10g} ({unit}) is outside {least:g} to {most:g}{hint}")
    return None


def _text_for_number(typed: str) -> str:
    """What is wrong with a text that stands where a number is due."""
    if typed.startswith("#"):
        return f"the error value {typed}: repair the formula behind it"
    if _is_number(typed):
        return f"the text {typed!r} looks like a number: type it again as a number"
    percent = typed[:-1].strip().replace(",", ".")
    if typed.endswith("%") and _is_number(percent):
        return f"the text {typed!r} is not a number: type {float(percent) / 100:g}"
    if "," in typed and _is_number(typed.replace(".", "").replace(",", ".")):
        return f"the text {typed!r} has a decimal comma or thousands separators: type it again as a number"
    return f"the text {typed!r} where a number is due"


def _is_number(typed: str) -> bool:
    try:
        return math.isfinite(float(typed))
    except ValueError:
        return False
