"""Every derived number of the shipped assumptions is computed again from the arithmetic at the head of its note."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

import lm_xl

OPERATIONS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow,
}  # fmt: skip
STATED = re.compile(r"([-\d.( ][-\d.()+/x^ ]*) = (-?[\d.]+)")
"""Arithmetic and the number that it gives; a row with several numbers has several, with semicolons between and a colon after the last."""


def value_of(arithmetic: str) -> float:
    """Numbers, + - x / ^ and parentheses, and nothing else."""

    def value(node: ast.expr) -> float:
        match node:
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATIONS:
                return float(OPERATIONS[type(op)](value(left), value(right)))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -value(operand)
        raise ValueError(f"not arithmetic: {ast.unparse(node)}")

    return value(ast.parse(arithmetic.strip().replace("x", "*").replace("^", "**"), mode="eval").body)


def half_a_unit(shown: str) -> float:
    """Half a unit of the last digit shown; the zeros that end a whole number are none, unless it would have less than four digits."""
    number = Decimal(shown)
    last = number.as_tuple().exponent
    if last == 0 and number:
        last = min(number.normalize().as_tuple().exponent, max(number.adjusted() - 3, 0))
    return 0.5 * 10.0 ** float(last)


def agree(number: float, shown: str) -> bool:
    return abs(number - float(shown)) <= half_a_unit(shown) * (1 + 1e-9)


def stated(note: str) -> list[tuple[str, str]]:
    """Arithmetic and result, of each number that the head of a note derives."""
    heads = [STATED.fullmatch(part) for part in note.split(":")[0].split("; ")]
    return [(head[1], head[2]) for head in heads if head] if all(heads) else []


def wrong(numbers: tuple[float, ...], note: str) -> str:
    """What is wrong with the arithmetic of a note, or nothing."""
    found = stated(note)
    if len(found) != len(numbers):
        return f"{len(numbers)} numbers and arithmetic for {len(found)}: {note[:60]}"
    for number, (arithmetic, shown) in zip(numbers, found, strict=True):
        if not agree(value_of(arithmetic), shown):
            return f"{arithmetic} is {value_of(arithmetic):.8g}, not {shown}"
        if not agree(number, shown):
            return f"{shown} in the note, {number:.8g} in the cell"
    return ""


def noted(a: lm_xl.Assumptions) -> Iterator[tuple[str, str, tuple[float, ...], str]]:
    """Place, status, numbers and note of whatever has a status."""
    for row in a.rows:
        yield row.place, row.status, row.inputs, row.note
    for delta in a.deltas:
        yield delta.cell, delta.status, (delta.amount,), delta.reason
    for product in a.products:
        yield product.cell, product.status, (product.share,), product.note
    for band in a.bands:
        yield band.cell, band.status, (band.low, band.high), band.note
    for currency in a.currencies:
        yield currency.cell, currency.status, (currency.rate,), currency.note
    for correlation in a.correlations:
        yield correlation.cell, correlation.status, (correlation.value,), correlation.note


def test_every_derived_number_follows_from_its_note(shipped: lm_xl.Assumptions) -> None:
    rows = list(noted(shipped))
    derived = [(place, wrong(numbers, note)) for place, status, numbers, note in rows if status == "derived"]
    # a judged number may have arithmetic too, of the first of its years at least
    others = [
        (place, wrong(numbers[: len(stated(note))], note))
        for place, status, numbers, note in rows
        if status != "derived" and stated(note)
    ]
    print(f"{len(derived)} derived rows recomputed, and {len(others)} others with arithmetic")
    faults = [f"{place}: {fault}" for place, fault in derived + others if fault]
    assert not faults, f"{len(faults)} of {len(derived)} derived and {len(others)} other rows:\n" + "\n".join(
        faults
    )
    assert len(derived) > sum(row.status == "derived" for row in shipped.rows) > 100 and len(others) > 50


@pytest.mark.parametrize(
    ("number", "note", "fault"),
    [
        (0.7425, "0.695 / 0.936 = 0.7425: as it should be", ""),
        (
            0.7426,
            "0.695 / 0.936 = 0.7425: another number in the cell",
            "0.7425 in the note, 0.7426 in the cell",
        ),
        (
            0.7425,
            "0.694 / 0.936 = 0.7425: another number in the sum",
            "0.694 / 0.936 is 0.74145299, not 0.7425",
        ),
        (
            0.7425,
            "0.7425 of 0.936: no arithmetic",
            "1 numbers and arithmetic for 0: 0.7425 of 0.936: no arithmetic",
        ),
        (10510, "7200 x 1.46 = 10510: to four digits", ""),
        (10500, "7200 x 1.46 = 10500: to three", "7200 x 1.46 is 10512, not 10500"),
        (0.0168, "(1.3 / 1.1)^0.1 - 1 = 0.0168: a power", ""),
    ],
)
def test_a_note_is_read_to_the_precision_shown(number: float, note: str, fault: str) -> None:
    assert wrong((number,), note) == fault
