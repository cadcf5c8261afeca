"""The assumption sheets: written the same way for a new workbook, for the shipped one, and inside a deliverable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from openpyxl.comments import Comment
from openpyxl.workbook import Workbook
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.assumptions.columns import (
    FILLS,
    OPERATIONS,
    PUBLISHED_METRICS,
    SCOPES,
    STATUSES,
)
from lm_xl.assumptions.distributions import DISTRIBUTIONS, is_certain
from lm_xl.model.axes import ROLES, Axes
from lm_xl.model.outputs import BASIS_NAMES
from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.pages.pen import LINE, heading, lines_of, page, table
from lm_xl.workbook.pages.styles import TAB, number_format
from lm_xl.workbook.plan.records import FIRST_ROW, HEADER_ROW, MEANINGS, Record, Records, columns_of
from lm_xl.xlsx.addresses import column_letters

LISTS = "Lists"


WIDTHS = {
    "quantity": 27, "region": 20, "segment": 30, "subtype": 22, "unit": 17, "fill": 9, "value": 15, "low": 11, "high": 11,
    "distribution": 12, "source": 24, "status": 11, "note": 64, "axis": 10, "label": 34, "set": 18, "role": 12, "groups": 52,
    "scenario": 24, "operation": 11, "amount": 10, "reason": 60, "publisher": 24, "what": 42, "metric": 11, "scope": 11, "id": 20, "citation": 70,
    "other_quantity": 27, "other_segment": 30, "other_subtype": 22, "rank_correlation": 17, "currency": 12, "rate": 12, "date": 14, "version": 10, "who": 20, "effect": 40, "year": 9, "address": 50, "read": 16, "grade": 8,
}  # fmt: skip
PLAIN_NUMBERS: dict[str, dict[str, tuple[Literal["decimal", "whole"], float, float]]] = {
    "Scenarios": {"amount": ("decimal", -1_000_000, 1_000_000)},
    "Correlations": {"rank_correlation": ("decimal", -1, 1)},
    "Published": {"year": ("whole", 1900, 2100), "value": ("decimal", 0, 1_000_000_000_000_000)},
    "Currencies": {"rate": ("decimal", 0.000001, 1_000_000)},
}
"""Numbers beside the quantities, with the range that their cells take."""
TYPED = ("value", "low", "high", "amount", "rate", "rank_correlation")
"""Columns of numbers beside the years."""
WRAPPED = ("what", "effect", "note", "citation", "reason", "address", "groups", "source")


HELP = {
    "quantity": "The name of the assumption, the same in code and results.",
    "fill": "constant: 'value' holds in every year. linear: a straight line between the first and the last year's cell. yearly: every year typed.",
    "value": "The number, where the fill is constant; or 'never' where there is none: a therapy that a subtype never gets.",
    "low": "P10, of the last year where the row moves; for pert the lowest possible value, and the value is the mode.",
    "high": "P90, of the last year where the row moves; for pert the highest possible value.",
    "distribution": "How the value is uncertain between low and high; fixed: it is not.",
    "source": "Ids of the Sources sheet, split by semicolons.",
    "status": "sourced: read in the source. derived: computed from cited figures, or carried from a known publication not read again. "
    "expert: judgement anchored on the source. placeholder: to be replaced.",
    "region": "A region or a group of regions; the most specific row wins. Blank where the quantity does not vary by region.",
    "segment": "A therapy, a test or a group of them; the most specific row wins. Blank where the quantity does not vary by segment.",
    "subtype": "A subtype or a group of them; the most specific row wins. Blank where the quantity does not vary by subtype.",
    "set": "For a therapy its choice set, for a subtype its cancer: shares within it sum to 1.",
    "role": "incumbent: in use today. entrant: has a launch and an uptake curve. rest: takes what the others of its set leave. test: a diagnostic.",
    "groups": "Groups of this leaf, split by semicolons.",
    "rank_correlation": "Spearman's, from -1 to 1. An input's correlation with itself does not count.",
    "operation": "multiply the value by the amount, add the amount, or set the value to it.",
}

LEGEND = "Blue on cream: an input, change it. Black: calculated. One table a sheet; rows and columns may be reordered, notes added."


def write_inputs(
    workbook: Workbook,
    records: Records,
    years: Sequence[int],
    axes: Axes | None = None,
    before_lists: Callable[[], None] = lambda: None,
) -> None:
    """Add the assumption sheets, and last the lists. With axes, cells that take labels get lists of them."""
    lists = _Lists(workbook, axes)
    for sheet in MEANINGS:
        _write(workbook.create_sheet(sheet), records.get(sheet, ()), columns_of(sheet, years), lists)
    before_lists()
    lists.write()


def _write(ws: Worksheet, records: Sequence[Record], columns: Sequence[str], lists: _Lists) -> None:
    ws.sheet_properties.tabColor = TAB["inputs"]
    heading(ws, ws.title, MEANINGS[ws.title], LEGEND)
    for i, name in enumerate(columns, 1):
        head = ws.cell(HEADER_ROW, i, name)
        head.style = "lm year" if name.isdigit() or name in TYPED else "lm header"
        if name in HELP:
            head.comment = _comment(HELP[name])
        ws.column_dimensions[column_letters(i)].width = WIDTHS.get(name, 11)
    explained: set[str] = set()
    for r, record in enumerate(records, FIRST_ROW):
        quantity = QUANTITIES.get(str(record.get("quantity", "")))
        for i, name in enumerate(columns, 1):
            value = record.get(name)
            cell = ws.cell(r, i, None if value == "" else value)
            if isinstance(value, str):
                cell.data_type = "s"
            cell.style = _style(ws.title, name, record)
            if cell.style == "lm input" and not isinstance(value, str):
                cell.number_format = (
                    number_format(str(record.get("unit", "")), str(record.get("quantity", "")))
                    if name not in ("amount", "rate", "rank_correlation")
                    else "0.00##"
                )
                if name in ("year",):
                    cell.number_format = "0"
        ws.row_dimensions[r].height = LINE * max(
            lines_of(record.get(name), WIDTHS.get(name, 11)) for name in columns
        )
        if quantity and quantity.name not in explained:
            explained.add(quantity.name)
            ws.cell(r, columns.index("quantity") + 1).comment = _comment(
                f"{quantity.name}: {quantity.meaning}."
            )
    last = max(FIRST_ROW, HEADER_ROW + len(records))
    table(ws, ws.title.replace(" ", "_"), HEADER_ROW, last, len(columns))
    ws.freeze_panes = f"B{FIRST_ROW}"
    page(ws, HEADER_ROW)
    _validate(ws, records, columns, lists)


def _style(sheet: str, name: str, record: Record) -> str:
    typed = name.isdigit() or name in TYPED or (sheet == "Published" and name == "year")
    if typed:
        used = record.get(name) not in (None, "") or (
            name == "value" and record.get("fill", "constant") == "constant"
        )
        return (
            "lm input"
            if used or (name in ("low", "high") and not is_certain(str(record.get("distribution"))))
            else "lm label"
        )
    return "lm wrapped" if name in WRAPPED else "lm label"


def _comment(text: str) -> Comment:
    comment = Comment(text, "lm_xl")
    comment.width, comment.height = 280, 90
    return comment


FIXED_LISTS: dict[str, tuple[str, ...]] = {
    "basis": tuple(BASIS_NAMES.values()),
    "fill": FILLS,
    "distribution": DISTRIBUTIONS,
    "status": STATUSES,
    "operation": OPERATIONS,
    "role": ROLES,
    "axis": ("region", "segment", "subtype", "scenario"),
    "quantity": tuple(QUANTITIES),
    "unit": tuple(dict.fromkeys(u for q in QUANTITIES.values() for u in q.units)),
    "metric": tuple(PUBLISHED_METRICS),
    "scope": SCOPES,
}


def list_reference(name: str, lists: Mapping[str, Sequence[str]] = FIXED_LISTS) -> str:
    """The range of a list on the sheet of lists, for a validation."""
    column = column_letters(list(lists).index(name) + 1)
    return f"{LISTS}!${column}${FIRST_ROW}:${column}${HEADER_ROW + len(lists[name])}"


class _Lists:
    """The sheet of allowed words, which the cells' drop-down lists point to."""

    def __init__(self, workbook: Workbook, axes: Axes | None) -> None:
        self.workbook = workbook
        self.columns = dict(FIXED_LISTS)
        if axes:
            self.columns |= {
                "region": axes.region.labels,
                "segment": axes.segment.labels,
                "subtype": axes.subtype.labels,
                "scenario": axes.scenarios,
            }

    def reference(self, name: str) -> str | None:
        """The range of a list, for a validation."""
        name = name.removeprefix("other_")
        return list_reference(name, self.columns) if name in self.columns else None

    def write(self) -> None:
        ws = self.workbook.create_sheet(LISTS)
        ws.sheet_properties.tabColor = TAB["control"]
        heading(
            ws,
            LISTS,
            "The words that the drop-down lists of the other sheets allow.",
            "Made from the Axes sheet; it is not read.",
        )
        for i, (name, words) in enumerate(self.columns.items(), 1):
            ws.cell(HEADER_ROW, i, name).style = "lm header"
            ws.column_dimensions[column_letters(i)].width = max(12, min(36, max(len(w) for w in words) + 2))
            for r, word in enumerate(words, FIRST_ROW):
                cell = ws.cell(r, i, word)
                cell.data_type = "s"
                cell.style = "lm label"
        ws.freeze_panes = f"A{FIRST_ROW}"
        page(ws, HEADER_ROW)


def _validate(ws: Worksheet, records: Sequence[Record], columns: Sequence[str], lists: _Lists) -> None:
    """A list or a range, with a message, on every cell that a user types in."""
    last = max(FIRST_ROW, HEADER_ROW + len(records))
    for i, name in enumerate(columns, 1):
        reference = lists.reference(name)
        if reference and not (ws.title == "Axes" and name == "set"):
            rule = DataValidation(type="list", formula1=reference, allow_blank=True, showErrorMessage=True)
            if name in FIXED_LISTS:
                rule.error, rule.errorTitle = (
                    f"Choose one of the words listed for '{name}'.",
                    "Not in the list",
                )
            else:
                new_label(rule)
            rule.add(f"{column_letters(i)}{FIRST_ROW}:{column_letters(i)}{last}")
            ws.add_data_validation(rule)
    for name, (kind, least, most) in PLAIN_NUMBERS.get(ws.title, {}).items():
        rule = DataValidation(
            type=kind, operator="between", formula1=f"{least!r}", formula2=f"{most!r}", allow_blank=True
        )
        rule.showErrorMessage = rule.showInputMessage = True
        rule.promptTitle, rule.prompt = name, f"A number from {least:,} to {most:,}."
        rule.errorTitle, rule.error = "Out of range", rule.prompt
        column = column_letters(columns.index(name) + 1)
        rule.add(f"{column}{FIRST_ROW}:{column}{last}")
        ws.add_data_validation(rule)
    if not {"quantity", "value"} <= set(columns):
        return
    by_quantity: dict[str, list[int]] = {}
    for r, record in enumerate(records, FIRST_ROW):
        by_quantity.setdefault(str(record["quantity"]), []).append(r)
    first, final = column_letters(columns.index("value") + 1), column_letters(columns.index("high") + 1)
    for name, rows in by_quantity.items():
        quantity = QUANTITIES.get(name)
        if quantity is None:
            continue
        allowed = f"{quantity.least:g} to {quantity.most:g}"
        rule = DataValidation(
            type="decimal",
            operator="between",
            formula1=f"{quantity.least!r}",
            formula2=f"{quantity.most!r}",
            allow_blank=True,
        )
        rule.showErrorMessage = rule.showInputMessage = True
        rule.promptTitle, rule.prompt = (
            name[:32],
            f"{quantity.meaning[:180]}. Allowed: {allowed} ({', '.join(quantity.units)})."[:255],
        )
        rule.errorTitle, rule.error = "Out of range", f"{name} must be a number from {allowed}."[:225]
        for start, end in _runs(rows):
            rule.add(f"{first}{start}:{final}{end}")
        ws.add_data_validation(rule)


def new_label(rule: DataValidation) -> None:
    """Let a list of labels take one that was added since the list was made, after a question."""
    rule.errorStyle, rule.errorTitle = "warning", "Not in the list"
    rule.error = "No such label when this file was made. Continue if you have added it on the sheet Axes."


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for r in rows:
        if runs and runs[-1][1] == r - 1:
            runs[-1] = (runs[-1][0], r)
        else:
            runs.append((r, r))
    return runs
