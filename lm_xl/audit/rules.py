"""The workbook rules, one small function each: a book in, what breaks the rule out."""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from xml.etree import ElementTree

from openpyxl.utils import FORMULAE

from lm_xl.audit.book import CHART_TAG, TEXT_TAG, YES, Book, Cell, Sheet, Validation
from lm_xl.audit.formulas import Meaning, meaning_of, references
from lm_xl.model.labels import folded
from lm_xl.workbook.pages.styles import TAB
from lm_xl.xlsx.addresses import Area, column_letters

MOST_LINKS = 4_000_000
"""References that are followed in search of a circle."""
UNIT_CONSTANTS = {0.0, 1.0, 12.0, 100.0, 1000.0}
KNOWN_FUNCTIONS = FORMULAE
"""The functions of Excel 2007, all of which LibreOffice computes: no XLOOKUP, LET, LAMBDA, FILTER, MAXIFS, IFS."""
VOLATILE = {"OFFSET", "INDIRECT", "NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY"}
ROUNDING = {"ROUND", "ROUNDUP", "ROUNDDOWN", "MROUND", "CEILING", "FLOOR", "EVEN", "ODD"}
GUARDS = {"IFERROR", "ISERROR", "ISNUMBER"}
LONGEST = 120
MOST_NAMES = 20
MOST_BYTES = 5_000_000
MOST_ROWS_A_PAGE = 60

Found = tuple[str, str, str]
"""Sheet, cell and message of one breach."""


# The rules


def _w01(book: Book) -> Iterator[Found]:
    contents = book.sheet("Contents")
    if contents is None:
        yield "", "", "there is no sheet Contents that says each sheet's class"
    listed = {folded(c.text): c.row for c in contents.cells if c.text} if contents else {}
    for sheet in book.sheets:
        if not sheet.kind:
            colour = (
                f"the tab colour {sheet.colour} is none of the five"
                if sheet.colour
                else "the tab has no colour"
            )
            yield sheet.title, "", f"{colour}: {', '.join(f'{kind} {c}' for kind, c in TAB.items())}"
        elif contents and sheet is not contents:
            row = listed.get(folded(sheet.title)) or listed.get(folded(sheet.title.replace("_", " ")))
            words = {folded(c.text) for c in contents.rows[row].values()} if row else set()
            if row is None:
                yield contents.title, "", f"the sheet {sheet.title} is not listed"
            elif sheet.kind not in words:
                yield (
                    contents.title,
                    f"A{row}",
                    f"the class of {sheet.title} is not given as {sheet.kind}, the class of its tab colour",
                )


def _w02(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        if sheet.calculates:
            for cell, meaning in book.meanings(sheet):
                for number in meaning.numbers:
                    if float(number) not in UNIT_CONSTANTS:
                        yield (
                            sheet.title,
                            cell.address,
                            f"the number {number} in ={_short(cell.formula)}: give it a cell of its own",
                        )


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
                yield (
                    sheet.title,
                    cells[column].address,
                    f"={_short(cells[column].formula)} differs from the formula of its row",
                )


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
                yield sheet.title, f"{column_letters(column)}{axis.row}", "a gap in the row of years"
            elif cell.year is None:
                yield sheet.title, cell.address, f"{cell.value!r} among the years is not a whole year"
            elif cell.kind != "n" and not in_table:
                yield sheet.title, cell.address, f"the year {cell.value} is text"
        if any(b - a != 1 for a, b in pairwise(axis.years)):
            yield sheet.title, f"A{axis.row}", f"the years {_listed(axis.years)} do not follow one another"
        elif (axis.columns, axis.years) != (columns, years):
            most = f"{years[0]}-{years[-1]} in {_span(columns)}"
            yield (
                sheet.title,
                f"A{axis.row}",
                f"{axis.years[0]}-{axis.years[-1]} in {_span(axis.columns)}; most sheets have {most}",
            )


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
                yield sheet.title, f"{column_letters(unit)}{row}", "no unit"
            elif not money[0] and re.search(r"\b(?:USD|EUR|GBP|JPY|CNY|CHF)\b|[$€£¥]", text):
                money = sheet.title, f"{column_letters(unit)}{row}"
    if money[0] and not any(
        re.search(r"\b(?:nominal|real|constant)\b", c.value, re.I) for s in book.sheets for c in s.texts
    ):
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
            elif (
                not marked
                and sheet.kind == "inputs"
                and cell.typed_number
                and cell.row > sheet.header_row > 0
            ):
                yield sheet.title, cell.address, f"the input {cell.value} is not in the style of inputs"
            elif sheet.calculates and cell.typed_number and not _of_years(sheet, cell):
                yield (
                    sheet.title,
                    cell.address,
                    f"the typed number {cell.value} on a sheet of {sheet.kind or 'calculations'}",
                )
    cover = book.sheet("Cover")
    if cover is None:
        yield "", "", "there is no Cover, so no legend of the styles"
    else:
        marked_rows = {c.row for c in cover.cells if c.style in book.input_styles}
        if not any(c.row in marked_rows and re.search(r"\binputs?\b", c.value, re.I) for c in cover.texts):
            yield (
                cover.title,
                "",
                "no legend: a cell in the style of inputs with the word input in or beside it",
            )


def _w07(book: Book) -> Iterator[Found]:
    unseen = {
        i: f"text in the colour of its background, {style.ink}"
        for i, style in enumerate(book.styles)
        if style.ink == style.paper is not None
    }
    unseen |= {
        i: "the number format hides the cell"
        for i, style in enumerate(book.styles)
        if re.fullmatch(";{2,3}", style.number_format)
    }
    for sheet in book.sheets:
        if sheet.state != "visible":
            yield (
                sheet.title,
                "",
                "the sheet is hidden"
                + (", and Excel's menu does not show it" if sheet.state == "veryHidden" else ""),
            )
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
                yield (
                    sheet.title,
                    f"{column_letters(column)}{sheet.header_row}",
                    "a column without a name inside the table",
                )
        rows = [sheet.header_row, *(row for row, _ in body)]
        for (before, after), (_, cells) in zip(pairwise(rows), body, strict=True):
            if after - before > 1 and any(_is_number(c) for c in cells.values()):
                yield sheet.title, f"A{before + 1}", "a blank row inside the table"


def _w09(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        if sheet.axis and sheet.kind != "inputs":
            due = sheet.axis.row, sheet.axis.columns[0] - 1
            if sheet.frozen != due:
                cell = f"{column_letters(due[1] + 1)}{due[0] + 1}"
                now = (
                    f"frozen at {column_letters(sheet.frozen[1] + 1)}{sheet.frozen[0] + 1}"
                    if sheet.frozen
                    else "not frozen"
                )
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
                yield checks.title, f"{column_letters(column)}{row}", f"the check has no {name}"
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
        yield (
            (checks.title if checks else ""),
            "",
            "there is no sheet Checks with the columns id, what, value, tolerance and pass",
        )
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
                if not function.removeprefix("_XLDUDF_").startswith("LM_"):
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
    if book.calculation.get("iterate") in YES:
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
    "label": ("label", "labels", "name", "region", "segment", "subtype", "description"),
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
    sheets = [
        s
        for s in book.sheets
        if s.column("value", "base") and s.kind in ("inputs", "") and s.column("quantity", "low", "high")
    ]
    if not sheets:
        yield "", "", "no sheet of assumptions: inputs with the columns quantity, low, value and high"
    for sheet in sheets:
        columns = {name: sheet.column(*names) for name, names in _ASSUMPTION_COLUMNS.items()}
        for name, column in columns.items():
            if not column:
                yield sheet.title, f"A{sheet.header_row}", f"there is no column {name}"
        moving = sorted(
            (column for name, column in sheet.header.items() if re.fullmatch("(19|20)[0-9]{2}", name)),
            reverse=True,
        )
        for row, cells in sheet.body:
            low, high = (_number_at(cells, columns[name]) for name in ("low", "high"))
            value = next(
                (n for c in (columns["value"], *moving) if (n := _number_at(cells, c)) is not None), None
            )
            place = f"{column_letters(columns['value'])}{row}"
            if low is not None and high is not None and low > high:
                yield sheet.title, place, f"low {low:g} is above high {high:g}"
            elif value is not None and (
                (low is not None and value < low) or (high is not None and value > high)
            ):
                yield sheet.title, place, f"{value:g} is not between low and high, {_bounds(low, high)}"
            spread = cells.get(columns["distribution"])
            if (
                spread
                and folded(spread.text) not in ("", "fixed")
                and value is not None
                and None in (low, high)
            ):
                yield sheet.title, place, f"a {spread.text} distribution without low or high"


def _w23(book: Book) -> Iterator[Found]:
    sources = book.sheet("Sources")
    if sources is None or not sources.column("id"):
        yield (sources.title if sources else ""), "", "there is no sheet Sources with a column id"
        return
    known: dict[str, int] = {}
    columns = {
        "citation": ("citation",),
        "year": ("year", "date"),
        "read": ("read", "accessed", "date read"),
        "grade": ("grade",),
    }
    for name, names in columns.items():
        if not sources.column(*names):
            yield sources.title, f"A{sources.header_row}", f"there is no column {name}"
    for row, _ in sources.body:
        known[folded(sources.text_at(row, sources.column("id")))] = row
        for name, names in columns.items():
            if sources.column(*names) and not sources.text_at(row, sources.column(*names)):
                yield (
                    sources.title,
                    f"{column_letters(sources.column(*names))}{row}",
                    f"the source has no {name}",
                )
    named: set[str] = set()
    for sheet in book.sheets:
        column = sheet.column("source", "sources", "source id")
        if not column or sheet is sources or sheet.kind not in ("inputs", ""):
            continue
        for row, _ in sheet.body:
            ids = [i.strip() for i in sheet.text_at(row, column).split(";") if i.strip()]
            named |= {folded(i) for i in ids}
            place = f"{column_letters(column)}{row}"
            if not ids:
                yield sheet.title, place, "no source"
            for i in ids:
                if folded(i) not in known:
                    yield sheet.title, place, f"the source {i} is not on the sheet Sources"
    for i, row in known.items():
        if i and i not in named:
            yield (
                sources.title,
                f"{column_letters(sources.column('id'))}{row}",
                "no assumption names the source",
            )


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
                yield log.title, f"{column_letters(column)}{row}", f"the change has no {name}"


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
        if not sheet.tables:
            yield sheet.title, f"A{max(1, sheet.header_row)}", "the data are no Excel table"
        for _, area, totals in sheet.tables:
            header = [
                (c, folded(cell.value))
                for c, cell in sheet.filled(area.top).items()
                if area.left <= c <= area.right
            ]
            counts = Counter(name for _, name in header)
            for column, name in header:
                if counts[name] > 1:
                    yield (
                        sheet.title,
                        f"{column_letters(column)}{area.top}",
                        f"the header {name!r} is there {counts[name]} times",
                    )
            if totals:
                yield sheet.title, f"A{area.bottom}", "the table has a row of totals"
        bottom = max((area.bottom for _, area, _ in sheet.tables), default=0)
        for row, cells in sheet.body:
            if not any(area.top <= row <= area.bottom for _, area, _ in sheet.tables):
                if sheet.tables and any(
                    cell.typed_number or cell.formula is not None for cell in cells.values()
                ):
                    yield (
                        sheet.title,
                        f"A{row}",
                        f"data outside of the tables, the last of which ends in row {bottom}",
                    )
                continue
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
    told = [
        " ".join([*(c.text for c in cells.values()), *(c.formula or "" for c in cells.values())])
        for _, cells in checks.body
    ]
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
                    yield (
                        sheet.title,
                        rate.address,
                        f"no n/a where growth starts from zero: ={_short(formula)}",
                    )


def _w30(book: Book) -> Iterator[Found]:
    for sheet, row, cells in _year_rows(book):
        first = next(c for c in cells.values() if c.formula is not None)
        before = (
            "[-1]" in book.relative(sheet)[first.row, first.column]
        )  # such as growth, which the first year cannot have
        for column, cell in cells.items():
            if not cell.filled and not (before and column == min(cells)):
                yield sheet.title, f"{column_letters(column)}{row}", "blank in a row of formulas"
    for sheet in book.sheets:
        value = sheet.column("value") if sheet.kind == "data" else 0
        for row, cells in sheet.body if value else []:
            if value not in cells:
                yield sheet.title, f"{column_letters(value)}{row}", "no value"
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
                yield (
                    sheet.title,
                    cell.address,
                    f"={_short(cell.formula)} reads like a label that became a formula",
                )
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
            if (
                validation.kind == "list"
                and validation.formula.startswith('"')
                and len(validation.formula) > 257
            ):
                first = validation.areas[0] if validation.areas else Area(1, 1, 1, 1)
                place = f"{column_letters(first.left)}{first.top}"
                yield (
                    sheet.title,
                    place,
                    f"a typed list of {len(validation.formula) - 2} characters; Excel takes 255: use cells",
                )
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
                    yield (
                        sheet.title,
                        cell.address,
                        f"{number:g} is formatted as a date: {book.style(cell).number_format}",
                    )
            elif (
                sheet.axis
                and cell.row == sheet.axis.row
                and cell.kind == "n"
                and cell.year
                and book.style(cell).number_format != "0"
            ):
                yield (
                    sheet.title,
                    cell.address,
                    f"the year has the number format {book.style(cell).number_format}, not 0",
                )


def _w37(book: Book) -> Iterator[Found]:
    for sheet in book.sheets:
        if sheet.page.get("orientation") != "landscape":
            yield sheet.title, "", "it does not print in landscape"
        if not sheet.fits_page or sheet.page.get("fitToWidth", "1") != "1":
            yield sheet.title, "", "it is not fitted to one page wide"
        elif sheet.page.get("fitToHeight", "1") == "1" and len(sheet.rows) > MOST_ROWS_A_PAGE:
            yield (
                sheet.title,
                "",
                f"its {len(sheet.rows):,} rows are squeezed onto one page: fit it to as many pages high as it needs",
            )
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
                yield (
                    sheet.title,
                    chart.cell,
                    f"{chart.name or 'a chart'}: neither its alternative text nor the sheet tells the source",
                )
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
            yield (
                first.title,
                first.active,
                f"the sheet opens on {first.active}, with {first.top_left} at the top left, not on A1",
            )
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
    return f"{column_letters(columns[0])}:{column_letters(columns[-1])}"


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
    return cell.year is not None and all(
        c.year or not _is_number(c) for c in sheet.rows[cell.row].values() if c.filled
    )


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
                if row > block.row and any(
                    c in cells and cells[c].formula is not None for c in block.columns
                ):
                    yield (
                        sheet,
                        row,
                        {c: cells.get(c) or Cell(row, c, 0, "n", None, "") for c in block.columns},
                    )


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
                            yield (
                                sheet.title,
                                cell.address,
                                f"more than {MOST_LINKS:,} references: circles were not looked for",
                            )
                            return
                        between_rows[stretch] = [(target, row) for row in rows[target][start:end]]
    for group in _groups(between_rows):
        suspects = {(n[0], n[1]) for n in group if len(n) == 2}
        inside = {
            (i, c.row, c.column): c
            for i, row in suspects
            for c in book.sheets[i].rows[row].values()
            if c.formula is not None
        }
        by_sheet: dict[int, list[int]] = {}
        for i, row in sorted(suspects):
            by_sheet.setdefault(i, []).append(row)
        between_cells: dict[Node, list[Node]] = {node: [] for node in inside}
        for node, cell in inside.items():
            for target, area in targets(node[0], cell):
                found = by_sheet.get(target, [])
                for row in found[bisect_left(found, area.top) : bisect_right(found, area.bottom)]:
                    met = [
                        (target, row, c)
                        for c in book.sheets[target].rows[row]
                        if area.left <= c <= area.right
                    ]
                    between_cells[node] += [m for m in met if m in inside]
                    links += len(met)
            if links > MOST_LINKS:
                yield (
                    book.sheets[node[0]].title,
                    cell.address,
                    f"more than {MOST_LINKS:,} references: circles were not looked for",
                )
                return
        for circle in _groups(between_cells):
            i, row, column = min(circle)
            others = f" and {len(circle) - 1} more cells" if len(circle) > 1 else ""
            yield (
                book.sheets[i].title,
                f"{column_letters(column)}{row}",
                f"refers to itself in a circle of this cell{others}",
            )


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
    inner = chart.find(f"{CHART_TAG}chart")
    title = inner.find(f"{CHART_TAG}title") if inner is not None else None
    if not _said(title):
        yield "it has no title"
    for axis in chart.iter(f"{CHART_TAG}valAx"):
        deleted = axis.find(f"{CHART_TAG}delete")
        shown = deleted is None or deleted.get("val", "1") not in YES
        if shown and not _said(axis.find(f"{CHART_TAG}title")):
            yield "a value axis has no title, so no unit"
    for i, series in enumerate(chart.iter(f"{CHART_TAG}ser"), 1):
        for values in (*series.iter(f"{CHART_TAG}val"), *series.iter(f"{CHART_TAG}yVal")):
            for formula in values.iter(f"{CHART_TAG}f"):
                for title_, area in references(formula.text or ""):
                    missing = _missing_years(book.sheet(title_) or sheet, area)
                    if missing:
                        yield f"series {i} lacks the years {_listed(missing)}"


def _said(title: ElementTree.Element | None) -> bool:
    """Whether a title has a text, or takes it from a cell."""
    if title is None:
        return False
    return any((t.text or "").strip() for t in (*title.iter(f"{TEXT_TAG}t"), *title.iter(f"{CHART_TAG}f")))


def _missing_years(sheet: Sheet, area: Area) -> list[int]:
    """The years that a row of chart values leaves out, where it runs over years at all."""
    axis = sheet.axis
    if axis is None or area.top != area.bottom or area.left == area.right:
        return []
    if not any(area.left <= c <= area.right for c in axis.columns):
        return []
    return [
        y
        for c in axis.columns
        if not area.left <= c <= area.right and (cell := sheet.cell(axis.row, c)) and (y := cell.year)
    ]


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
            yield (
                sheet.title,
                cell.address,
                f"{text} needs a width of {need + 0.7:.1f}; the column has {room + 0.7:.1f}",
            )


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
