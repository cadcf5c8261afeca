"""What the engine computes otherwise than Excel: told by the formula itself, or by what its operands hold when it is computed.

The rule: a cell is stored only where the engine is known to answer as Excel does. Functions whose answers were compared with those that
Excel documents are listed here, and what was found to differ is looked for. Such a cell stays as it was, with all that depends on it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from lm_xl.functions.formulas import FIRST, Surroundings, on_sheet, plain_name, references
from lm_xl.functions.registry import FUNCTIONS
from lm_xl.xlsx.formula_cells import engine


def _names(text: str) -> list[str]:
    return text.split()


COMPARED = frozenset(
    _names("""ABS AGGREGATE AND AVERAGE AVERAGEA AVERAGEIF AVERAGEIFS CEILING CHAR CHOOSE CLEAN CODE COLUMN COLUMNS COMBIN CONCAT CONCATENATE
    CORREL COUNT COUNTA COUNTBLANK COUNTIF COUNTIFS DATE DATEDIF DATEVALUE DAY DAYS EDATE EOMONTH EVEN EXACT EXP FACT FALSE FILTER FIND
    FIXED FLOOR FORECAST FV GCD GEOMEAN HLOOKUP IF IFERROR IFNA IFS INDEX INDIRECT INT IRR ISBLANK ISERR ISERROR ISNA ISNUMBER ISTEXT LARGE
    LEFT LEN LN LOG LOG10 LOOKUP LOWER MATCH MAX MAXIFS MEDIAN MID MIN MINIFS MOD MODE MONTH MROUND N NA NETWORKDAYS NORM.DIST NORM.INV NOT NOW
    NPV NUMBERVALUE OFFSET OR PERCENTILE PERCENTILE.INC PI PMT POWER PRODUCT PROPER QUARTILE QUOTIENT RADIANS RAND RANDBETWEEN RANK RATE REPLACE REPT RIGHT
    ROUND ROUNDDOWN ROUNDUP ROW ROWS SEARCH SEQUENCE SIGN SLOPE SMALL SORT SQRT STDEV STDEV.P STDEV.S SUBSTITUTE SUBTOTAL SUM SUMIF SUMIFS
    SUMPRODUCT SUMSQ SWITCH TEXT TEXTJOIN TIME TODAY TRANSPOSE TREND TRIM TRUE TRUNC UNIQUE UPPER VALUE VAR VAR.S VLOOKUP WEEKDAY WEEKNUM
    XLOOKUP XNPV XOR YEAR YEARFRAC""")
)  # fmt: skip
"""Functions of which the engine gives what Excel documents, but for what is looked for below; tests/functions/test_engine.py compares."""

_EACH = range(255)
_TAKES_RANGES: dict[str, Collection[int]] = {
    **dict.fromkeys(
        _names("""AND AVERAGE AVERAGEA CONCAT CORREL COUNT COUNTA COUNTBLANK FILTER GCD GEOMEAN IRR MAX MEDIAN MIN MODE OR PRODUCT ROWS COLUMNS SLOPE
        SORT STDEV STDEV.P STDEV.S SUM SUMPRODUCT SUMSQ TRANSPOSE UNIQUE VAR VAR.S XOR"""),
        _EACH,
    ),
    **dict.fromkeys(_names("AVERAGEIF SUMIF"), (0, 2)), **dict.fromkeys(_names("SUMIFS AVERAGEIFS MAXIFS MINIFS"), (0, *range(1, 255, 2))),
    **dict.fromkeys(_names("COUNTIF"), (0,)), "COUNTIFS": range(0, 255, 2), **dict.fromkeys(_names("MATCH VLOOKUP HLOOKUP"), (1,)),
    **dict.fromkeys(_names("LOOKUP XLOOKUP"), (1, 2)), **dict.fromkeys(_names("INDEX OFFSET"), (0,)),
    **dict.fromkeys(_names("LARGE SMALL PERCENTILE PERCENTILE.INC QUARTILE"), (0,)), "RANK": (1,), "NPV": range(1, 255), "XNPV": (1, 2),
    "SUBTOTAL": range(1, 255), "AGGREGATE": range(2, 255), "TEXTJOIN": range(2, 255), "FORECAST": (1, 2), "TREND": (0, 1),
    "NETWORKDAYS": (2,), **dict.fromkeys([*FUNCTIONS, FIRST], _EACH),
}  # fmt: skip
"""Where functions take a whole range; elsewhere they take one cell."""
_LIFTED = {"IF": (0, 1, 2), "IFERROR": (0, 1), "IFNA": (0, 1)}
"""Functions that the engine computes for each cell of a range, where Excel does so as well."""
_GIVES_ONE = {"LM_MODEL", "LM_VERSION", "LM_WHY"}
"""Functions of ours that give one cell, whatever ranges they are given."""
_GIVES_BLOCK = {
    *("FILTER", "SORT", "UNIQUE", "SEQUENCE", "TRANSPOSE"),
    *(f.name for f in FUNCTIONS.values() if f.returns.startswith(("a block", "a column"))),
}
_TAKES_ARRAYS = {"SUMPRODUCT", "LOOKUP", "INDEX"}
"""Functions that compute with ranges in a plain formula too."""
_OPERATORS = {"+", "-", "*", "/", "^", "&", "=", "<>", "<", ">", "<=", ">=", "%"}
_COMPARISONS = {"=", "<>", "<", ">", "<=", ">="}
_TEXTS = set(
    _names(
        "CONCAT CONCATENATE EXACT FIND LEFT LEN LOWER MID PROPER REPLACE REPT RIGHT SEARCH SUBSTITUTE TEXTJOIN TRIM UPPER"
    )
)
"""Functions that make text of numbers."""
_CRITERIA = set(_names("AVERAGEIF AVERAGEIFS COUNTIF COUNTIFS MAXIFS MINIFS SUMIF SUMIFS"))
_HIDES_ERRORS = set(_names("AGGREGATE COUNT IFERROR IFNA ISERR ISERROR ISNUMBER"))
_FORMAT = re.compile(r'[#0,.% $€£"()a-zA-Z-]*')
"""Number formats that the engine writes as Excel does, each section for itself."""


@dataclass(frozen=True)
class Probe:
    """Operands of a formula that are looked at when it is computed, and what would make the engine's answer another one than Excel's."""

    operands: tuple[str, ...]
    differs: Callable[[Sequence[Any]], bool]
    why: str


def difference(
    formula: str, sheet: str, around: Surroundings, *, as_array: bool, hiding: Collection[str]
) -> str:
    """Why the engine computes a completed formula otherwise than Excel, whatever its operands hold, or "".

    `hiding` are the sheets with hidden rows.
    """
    formualizer = engine()
    try:
        tree = formualizer.parse(formula)
    except formualizer.ParserError:
        return "the engine cannot read it"
    for node in _nodes(tree):
        name = _function(node)
        if name == "SUBTOTAL" or name == "AGGREGATE":
            if any(of in hiding for of, _ in references(node.to_formula(), sheet, around)):
                return f"{name} over a sheet with hidden rows"
        elif name and name not in COMPARED and name not in FUNCTIONS and name != FIRST:
            return f"{name} is not among the functions whose answers were compared with Excel's"
    # Of an answer of ours a formula of one cell shows the first.
    if not as_array and _function(tree) not in FUNCTIONS and _is_block(tree):
        return "it gives several cells, and was entered as a formula of one"
    return _misread_block(tree, as_array)


def gives_block(formula: str) -> bool:
    """Whether a completed formula may give more than one cell."""
    return _is_block(engine().parse(formula))


def probes(formula: str, sheet: str) -> Iterator[Probe]:
    """What has to be looked at when a completed formula is computed."""
    tree = engine().parse(formula)
    hides = any(_function(node) in _HIDES_ERRORS for node in _nodes(tree))
    for node in _nodes(tree):
        operands, name, sign = node.children(), _function(node), node.get_operator()
        for looked_at, differs, why in _looks(name, sign, operands, hides=hides):
            texts = tuple(on_sheet(x.to_formula(), sheet) for x in looked_at if x.node_type() != "Omitted")
            if texts:
                yield Probe(texts, differs, why)


def _looks(
    name: str, sign: str | None, operands: list[Any], *, hides: bool
) -> Iterator[tuple[list[Any], Callable[[Sequence[Any]], bool], str]]:
    """The operands of one operator or function that are looked at, for what, and the words for it."""
    if name == "SUMPRODUCT":
        yield (
            operands,
            _holds_counted_text,
            "SUMPRODUCT over text that is a number, or TRUE: Excel takes it for 0",
        )
    if (sign == "^" or name == "POWER") and len(operands) == 2:
        yield operands, _raises_zero, "0 to the power of 0 or less"
    if sign in _COMPARISONS and not any(isinstance(_literal(x), str | bool) for x in operands):
        yield operands, _nearly_equal, "two numbers differ beyond the 15 digits that Excel compares"
    if sign == "&" or name in _TEXTS:
        yield operands, _is_written_otherwise, "a number becomes text, of which Excel writes 15 digits"
    if name == "TEXT" and len(operands) == 2:
        yield operands[1:], _is_unusual_format, "TEXT with a format that was not compared with Excel's"
    if name == "VALUE" or (hides and sign in _OPERATORS - _COMPARISONS - {"&"}):
        yield operands, _is_read_otherwise, "a text that Excel may read as a number"
    if name in _CRITERIA:
        yield operands, _is_error_text, "an error value as a criterion"
    if name in ("CEILING", "FLOOR"):
        yield operands, _is_negative, f"{name} of a negative number"
    if _searches_in_order(name, operands):
        differs = _is_out_of_order_across if name == "HLOOKUP" else _is_out_of_order
        yield operands[1:2], differs, f"{name} in what is not in order, or has gaps or errors"


def _searches_in_order(name: str, operands: list[Any]) -> bool:
    if name == "LOOKUP":
        return len(operands) > 1
    at = {"MATCH": 2, "VLOOKUP": 3, "HLOOKUP": 3}.get(name)
    return at is not None and (len(operands) <= at or _literal(operands[at]) not in (0, False))


def _nodes(tree: Any) -> Iterator[Any]:
    yield tree
    for child in tree.children():
        yield from _nodes(child)


def _function(node: Any) -> str:
    return plain_name(node.get_function_name() or "")


def _literal(node: Any) -> Any:
    return node.get_literal_value() if node.node_type() == "Literal" else None


def _is_block(node: Any) -> bool:
    """Whether a part of a formula may give more than one cell."""
    kind, name = node.node_type(), _function(node)
    if kind == "Reference":
        return ":" in node.to_formula().rpartition("!")[2] or node.to_formula().endswith("]")
    if kind == "Array":
        return len(node.children()) > 1
    children = node.children()
    if name in _GIVES_BLOCK:
        return True
    if name == "INDEX":
        return any(_literal(x) == 0 or x.node_type() == "Omitted" for x in children[1:])
    if name == "OFFSET":
        return len(children) > 3 or _is_block(children[0])
    if name in FUNCTIONS:
        return name not in _GIVES_ONE and any(map(_is_block, children))
    if name in _LIFTED:
        return any(_is_block(children[i]) for i in _LIFTED[name] if i < len(children))
    return node.get_operator() in _OPERATORS and any(map(_is_block, children))


def _misread_block(node: Any, as_array: bool) -> str:
    """Why a range in a formula is not taken as Excel takes it, or ""."""
    name, children = _function(node), node.children()
    if node.get_operator() in _OPERATORS and not as_array and any(map(_is_block, children)):
        return "it computes with a range, and was entered as a formula of one cell"
    if node.get_operator() in (" ", ","):
        return "it cuts or joins ranges"
    if name:
        takes = _TAKES_RANGES.get(name, ())
        for i, child in enumerate(children):
            if i in takes or not _is_block(child):
                continue
            if name not in _LIFTED:
                return f"{name} of a range, of which the engine takes one cell"
            if not as_array and (i == 0 or name != "IF"):
                return f"{name} of a range, and it was entered as a formula of one cell"
    inner = as_array or name in _TAKES_ARRAYS
    return next((why for child in children if (why := _misread_block(child, inner))), "")


def _cells(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _cells(value)
        else:
            yield value


def _numbers(values: Sequence[Any]) -> Iterator[float]:
    return (x for x in _cells(values) if isinstance(x, int | float) and not isinstance(x, bool))


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*%?\s*", text, re.I))


def _holds_counted_text(values: Sequence[Any]) -> bool:
    blocks = [v for v in values if isinstance(v, list)]
    return any(isinstance(x, bool) or (isinstance(x, str) and _is_number(x)) for x in _cells(blocks))


def _pairs(values: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Two operands cell by cell, a cell, row or column beside each of the other's."""
    one, other = (np.array(v if isinstance(v, list) else [[v]], dtype=object) for v in values)
    try:
        yield from zip(*(x.ravel() for x in np.broadcast_arrays(one, other)), strict=True)
    except ValueError:  # they do not fit one another, which is an error in Excel too
        return


def _raises_zero(values: Sequence[Any]) -> bool:
    def number(x: Any) -> float:
        return 0.0 if x is None else float(x) if isinstance(x, int | float) else np.nan

    return any(number(base) == 0 and number(power) <= 0 for base, power in _pairs(values))


def _nearly_equal(values: Sequence[Any]) -> bool:
    def number(x: Any) -> bool:
        return isinstance(x, int | float) and not isinstance(x, bool)

    return any(number(a) and number(b) and a != b and f"{a:.15g}" == f"{b:.15g}" for a, b in _pairs(values))


def _is_written_otherwise(values: Sequence[Any]) -> bool:
    if any(isinstance(x, dt.date | dt.time | dt.timedelta) for x in _cells(values)):
        return True
    return any(x != 0 and (not 1e-4 <= abs(x) < 1e15 or float(f"{x:.15g}") != x) for x in _numbers(values))


def _is_unusual_format(values: Sequence[Any]) -> bool:
    formats = [x for x in _cells(values) if isinstance(x, str)]
    unusual = re.compile(r"general|e\+|e-|\?|@|\*|_|\[|\\|/", re.I)
    return any(unusual.search(x) or not all(map(_FORMAT.fullmatch, x.split(";"))) for x in formats)


def _is_read_otherwise(values: Sequence[Any]) -> bool:
    return any(isinstance(x, str) and re.search(r"\d", x) and not _is_number(x) for x in _cells(values))


def _is_error_text(values: Sequence[Any]) -> bool:
    return any(isinstance(x, str) and x.lstrip("=<>").startswith("#") for x in values)


def _is_negative(values: Sequence[Any]) -> bool:
    return any(x < 0 for x in _numbers(values))


def _is_out_of_order_across(values: Sequence[Any]) -> bool:
    return _is_out_of_order([values[0][:1] if isinstance(values[0], list) else values[0]])


def _is_out_of_order(values: Sequence[Any]) -> bool:
    """Whether what is searched, a row or the first column of rows, does not ascend or is of several kinds."""
    rows = values[0] if isinstance(values[0], list) else [[values[0]]]
    cells = [row[0] for row in rows] if len(rows) > 1 else list(rows[0])
    while cells and cells[-1] is None:
        cells.pop()
    if all(isinstance(x, int | float) and not isinstance(x, bool) for x in cells):
        return any(b < a for a, b in pairwise(cells))
    if all(isinstance(x, str) for x in cells):
        return any(b.casefold() < a.casefold() for a, b in pairwise(cells))
    return True
