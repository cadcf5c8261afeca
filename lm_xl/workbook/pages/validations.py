"""What a cell may hold: lists and ranges, each with the messages that a user sees."""

from __future__ import annotations

from typing import Literal

from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.workbook.words.prose import text

NOT_LISTED, OUT_OF_RANGE = "Not in the list", "Out of range"


def list_of(source: str, *, blank: bool = False) -> DataValidation:
    """One of the words in a range, or in quotes and split by commas."""
    return DataValidation(type="list", formula1=source, allow_blank=blank)


def between(least: float, most: float, kind: Literal["decimal", "whole"] = "decimal") -> DataValidation:
    """A number from a range, or nothing."""
    return DataValidation(
        type=kind, operator="between", formula1=f"{least!r}", formula2=f"{most!r}", allow_blank=True
    )


def validate(
    ws: Worksheet,
    cells: str,
    rule: DataValidation,
    *,
    error: tuple[str, str] | None = None,
    prompt: tuple[str, str] | None = None,
) -> None:
    """Put a rule on cells, given as references split by spaces. Error and prompt are each a title and a message."""
    rule.showErrorMessage = True
    if error:
        rule.errorTitle, rule.error = error
    if prompt:
        rule.showInputMessage = True
        rule.promptTitle, rule.prompt = prompt
    for area in cells.split():
        rule.add(area)
    ws.add_data_validation(rule)


def new_label(rule: DataValidation) -> None:
    """Let a list of labels take one that was added since the list was made, after a question."""
    rule.errorStyle, rule.errorTitle = "warning", NOT_LISTED
    rule.error = text("pages", "new_label")
