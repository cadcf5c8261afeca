"""The assumption sheets: written the same way for a new workbook, for the shipped one, and inside a deliverable."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from openpyxl.comments import Comment
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.columns import BANDED
from lm_xl.assumptions.distributions import is_certain
from lm_xl.model.axes import Axes
from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.pages.lists import FIXED_LISTS, LISTS, list_reference, lists_of, lists_page
from lm_xl.workbook.pages.pen import Pen, columns, fit_row, page, start, table
from lm_xl.workbook.pages.styles import COMMENT_SIZE, number_format
from lm_xl.workbook.pages.validations import NOT_LISTED, OUT_OF_RANGE, between, list_of, new_label, validate
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.plan.records import INPUT_SHEETS, Record, Records, columns_of
from lm_xl.workbook.words.prose import text, texts
from lm_xl.xlsx.addresses import column_letters

WIDTHS = {
    "quantity": 27, "region": 20, "segment": 30, "subtype": 22, "unit": 17, "fill": 9, "value": 15, "low": 11, "high": 11,
    "distribution": 12, "source": 24, "status": 11, "note": 64, "axis": 10, "label": 34, "set": 18, "role": 12, "groups": 52,
    "scenario": 24, "operation": 11, "amount": 10, "reason": 60, "publisher": 24, "what": 42, "metric": 11, "scope": 11, "id": 20, "citation": 70,
    "other_quantity": 27, "other_segment": 30, "other_subtype": 22, "rank_correlation": 17, "currency": 12, "rate": 12, "result": 26, "date": 14, "version": 10, "who": 20, "effect": 40, "product": 34, "company": 30, "share": 9, "mechanism": 40, "phase": 12, "trials": 26, "designations": 34,
    "next_readout": 30, "first_approval": 30, "lm_data": 60, "year": 9, "address": 50, "read": 16, "grade": 8,
}  # fmt: skip
YEAR_COLUMN = 11
"""Width of a column that has none of its own: those of the years."""
PLAIN_NUMBERS: dict[str, dict[str, tuple[Literal["decimal", "whole"], float, float]]] = {
    "Scenarios": {"amount": ("decimal", -1_000_000, 1_000_000)},
    "Products": {"share": ("decimal", 0, 1)},
    "Correlations": {"rank_correlation": ("decimal", -1, 1)},
    "Published": {"year": ("whole", 1900, 2100), "value": ("decimal", 0, 1_000_000_000_000_000)},
    "Bands": {
        "year": ("whole", 1900, 2100),
        "low": ("decimal", -1, 1_000_000_000_000_000),
        "high": ("decimal", -1, 1_000_000_000_000_000),
    },
    "Currencies": {"rate": ("decimal", 0.000001, 1_000_000)},
}
"""Numbers beside the quantities, with the range that their cells take."""
NO_UNIT = ("amount", "rate", "rank_correlation", "share")
TYPED = ("value", "low", "high", *NO_UNIT)
"""Columns of numbers beside the years."""
WRAPPED = (
    "what", "effect", "note", "citation", "reason", "address", "groups", "source", "product", "company", "mechanism", "trials",
    "designations", "next_readout", "first_approval", "lm_data",
)  # fmt: skip
TITLE_LIMIT, PROMPT_LIMIT, ERROR_LIMIT = 32, 255, 225
"""How many characters Excel takes in the messages of a validation."""
MEANING_LIMIT = 180
"""How many of them a quantity's meaning may have, so that its range has room."""


def write_inputs(workbook: Workbook, records: Records, axes: Axes, pen: Pen) -> None:
    """Add the assumption sheets, and last the lists that their cells take labels from."""
    input_sheets(workbook, records, axes, pen)
    lists_page(workbook.create_sheet(LISTS), axes, pen)


def input_sheets(workbook: Workbook, records: Records, axes: Axes, pen: Pen) -> None:
    """Add the assumption sheets without the lists, which must follow."""
    for sheet in INPUT_SHEETS:
        ws, rows = workbook.create_sheet(sheet), records.get(sheet, ())
        named = columns_of(sheet, axes.years)
        _sheet(ws, rows, named, pen)
        _validate_words(ws, rows, named, axes)
        _validate_plain_numbers(ws, rows, named)
        if {"quantity", "value"} <= set(named):
            _validate_quantities(ws, rows, named)


def _sheet(ws: Worksheet, records: Sequence[Record], named: Sequence[str], pen: Pen) -> None:
    """The words and numbers of a sheet, with comments where they help."""
    start(ws, "inputs", text("input_sheets", ws.title), text("pages", "legend"))
    columns(ws, pen, [(name, WIDTHS.get(name, YEAR_COLUMN), _header(name)) for name in named])
    comments = texts("columns")
    for column, name in enumerate(named, 1):
        if name in comments:
            ws.cell(HEADER_ROW, column).comment = _comment(comments[name])
    explained: set[str] = set()
    for row, record in enumerate(records, FIRST_ROW):
        for column, name in enumerate(named, 1):
            _cell(ws, row, column, name, record)
        fit_row(ws, row, {column: record.get(name) for column, name in enumerate(named, 1)})
        quantity = QUANTITIES.get(str(record.get("quantity", "")))
        if quantity and quantity.name not in explained:
            explained.add(quantity.name)
            told = _comment(f"{quantity.name}: {quantity.meaning}.")
            ws.cell(row, named.index("quantity") + 1).comment = told
    table(ws, ws.title.replace(" ", "_"), HEADER_ROW, _last_row(records), len(named))
    page(ws, HEADER_ROW, freeze="B")


def _last_row(records: Sequence[Record]) -> int:
    """The last row of a table: one without records has a blank line."""
    return max(FIRST_ROW, HEADER_ROW + len(records))


def _header(name: str) -> str:
    return "lm year" if name.isdigit() or name in TYPED else "lm header"


def _cell(ws: Worksheet, row: int, column: int, name: str, record: Record) -> None:
    value = record.get(name)
    # Without the pen, which would put words such as never to the right where a number is due.
    cell = ws.cell(row, column, None if value == "" else value)
    if isinstance(value, str):
        cell.data_type = "s"
    style = _style(ws.title, name, record)
    cell.style = style
    if style == "lm input" and not isinstance(value, str):
        cell.number_format = _format(name, record)


def _format(name: str, record: Record) -> str:
    if name in NO_UNIT:
        return number_format("typed number")
    if name in ("low", "high") and "result" in record:
        of = str(record["result"])
        return number_format(QUANTITIES[of].units[0] if of in QUANTITIES else BANDED.get(of, ""), of)
    if name == "year":
        return number_format("year")
    return number_format(str(record.get("unit", "")), str(record.get("quantity", "")))


def _style(sheet: str, name: str, record: Record) -> str:
    """Cream where a number is typed or may be: not in a year that the fill leaves out, nor in the range of a fixed value."""
    typed = name.isdigit() or name in TYPED or (sheet in ("Published", "Bands") and name == "year")
    if not typed:
        return "lm wrapped" if name in WRAPPED else "lm label"
    filled = record.get(name) not in (None, "")
    constant = name == "value" and record.get("fill", "constant") == "constant"
    uncertain = name in ("low", "high") and not is_certain(str(record.get("distribution")))
    return "lm input" if filled or constant or uncertain else "lm label"


def _comment(words: str) -> Comment:
    comment = Comment(words, "lm_xl")
    comment.width, comment.height = COMMENT_SIZE
    return comment


def _cells(named: Sequence[str], name: str, records: Sequence[Record]) -> str:
    """The cells of a column."""
    letters = column_letters(named.index(name) + 1)
    return f"{letters}{FIRST_ROW}:{letters}{_last_row(records)}"


def _validate_words(ws: Worksheet, records: Sequence[Record], named: Sequence[str], axes: Axes) -> None:
    """A list on every column of words or labels. The sets of Axes are free: there they come to be."""
    lists = lists_of(axes)
    for name in named:
        listed = name.removeprefix("other_")
        if listed not in lists or (ws.title == "Axes" and name == "set"):
            continue
        rule = list_of(list_reference(listed, lists), blank=True)
        error = None
        if name in FIXED_LISTS:
            error = (NOT_LISTED, text("pages", "choose_word", name=name))
        else:
            new_label(rule)
        validate(ws, _cells(named, name, records), rule, error=error)


def _validate_plain_numbers(ws: Worksheet, records: Sequence[Record], named: Sequence[str]) -> None:
    """A range on the numbers that are no quantity's."""
    for name, (kind, least, most) in PLAIN_NUMBERS.get(ws.title, {}).items():
        told = text("pages", "number_range", least=f"{least:,}", most=f"{most:,}")
        rule = between(least, most, kind)
        validate(ws, _cells(named, name, records), rule, error=(OUT_OF_RANGE, told), prompt=(name, told))


def _validate_quantities(ws: Worksheet, records: Sequence[Record], named: Sequence[str]) -> None:
    """The range of each quantity on its rows, from the value to the high."""
    by_quantity: dict[str, list[int]] = {}
    for row, record in enumerate(records, FIRST_ROW):
        by_quantity.setdefault(str(record["quantity"]), []).append(row)
    first, last = (column_letters(named.index(name) + 1) for name in ("value", "high"))
    for name, rows in by_quantity.items():
        quantity = QUANTITIES.get(name)
        if quantity is None:
            continue
        allowed = f"{quantity.least:g} to {quantity.most:g}"
        prompt = f"{quantity.meaning[:MEANING_LIMIT]}. Allowed: {allowed} ({', '.join(quantity.units)})."
        error = text("pages", "quantity_range", quantity=name, allowed=allowed)
        validate(
            ws,
            " ".join(f"{first}{top}:{last}{bottom}" for top, bottom in _runs(rows)),
            between(quantity.least, quantity.most),
            error=(OUT_OF_RANGE, error[:ERROR_LIMIT]),
            prompt=(name[:TITLE_LIMIT], prompt[:PROMPT_LIMIT]),
        )


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """The first and the last of each run of rows without a gap: within one, row and position differ by the same."""
    runs = []
    for _, run in groupby(enumerate(rows), lambda at: at[1] - at[0]):
        found = [row for _, row in run]
        runs.append((found[0], found[-1]))
    return runs
