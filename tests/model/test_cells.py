"""Symbolic cells: what they refuse, and that a spreadsheet computes their formulas as numpy computes the numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import formualizer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lm_xl.model import ops
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.cells import YEAR_COLUMN, Block, Cell, Symbol

CELLS = {"A1": 2.5, "B1": 0.3, "C1": 7.0}
KEYS = {REGION: "B", SEGMENT: "C", SUBTYPE: "D"}


def cell(name: str) -> Symbol:
    return Symbol(f"S!{name}")


def spreadsheet(formula: str) -> float:
    book = formualizer.Workbook()
    book.add_sheet("S")
    for name, value in CELLS.items():
        book.set_value("S", 1, ord(name[0]) - 64, value)
    book.set_formula("S", 2, 1, f"={formula}")
    return float(book.evaluate_cell("S", 2, 1))


@pytest.mark.parametrize(
    "refused",
    [
        lambda x: bool(x), lambda x: x < 1, lambda x: -x, lambda x: abs(x), lambda x: x // 1, lambda x: x * 2, lambda x: 0.5 + x,
        lambda x: ops.total(np.array([x + x, x], dtype=object).reshape(1, 2, 1, 1, 1), REGION), lambda x: x / 0,
    ],
)  # fmt: skip
def test_what_a_spreadsheet_could_understand_differently_is_refused(refused: Callable[[Symbol], Any]) -> None:
    with pytest.raises((TypeError, ZeroDivisionError)):
        refused(cell("A1"))


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (lambda a, b, c: (a**b) ** c, "S!A1^S!B1^S!C1"),  # a spreadsheet reads a^b^c from the left
        (lambda a, b, c: a ** (b**c), "S!A1^(S!B1^S!C1)"),
        (lambda a, b, c: a - (b - c), "S!A1-(S!B1-S!C1)"),
        (lambda a, b, c: a / (b * c), "S!A1/(S!B1*S!C1)"),
        (lambda a, b, c: (a + b) * (1 - c), "(S!A1+S!B1)*(1-S!C1)"),
        (lambda a, b, c: a * 0 + b * 1 + c * 0, "S!B1"),  # structure leaves no trace
    ],
)
def test_brackets(formula: Callable[..., Symbol], text: str) -> None:
    assert formula(cell("A1"), cell("B1"), cell("C1")).text == text
    assert spreadsheet(text) == pytest.approx(formula(*CELLS.values()), rel=1e-14)


LEAF = st.sampled_from([*CELLS, 1])
TREE = st.recursive(
    LEAF,
    lambda t: st.tuples(st.sampled_from("+-*/^"), t, t) | st.tuples(st.sampled_from(["min", "max"]), t, t),
    max_leaves=8,
)
APPLY: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}


def run(tree: Any, of: Callable[[str], Any]) -> Any:
    if not isinstance(tree, tuple):
        return of(tree) if isinstance(tree, str) else tree
    left, right = run(tree[1], of), run(tree[2], of)
    if tree[0] in APPLY:
        return APPLY[tree[0]](left, right)
    dtype = object if any(isinstance(x, Symbol) for x in (left, right)) else float
    out = np.asarray(
        (ops.minimum if tree[0] == "min" else ops.maximum)(
            np.array([left], dtype=dtype), np.array([right], dtype=dtype)
        )
    )
    return out[0]


@settings(max_examples=150, deadline=None)
@given(TREE)
def test_any_formula_agrees_with_numpy(tree: Any) -> None:
    try:
        number = run(tree, lambda name: np.float64(CELLS[name]))
        with np.errstate(all="raise"):
            number = float(run(tree, lambda name: CELLS[name]))
        formula = run(tree, cell)
    except (ArithmeticError, TypeError, ValueError, RuntimeWarning):
        return
    if isinstance(formula, Symbol) and abs(number) < 1e12:
        assert spreadsheet(formula.text) == pytest.approx(number, rel=1e-12, abs=1e-12)


def test_sums_are_ranges_where_cells_adjoin_and_sumifs_where_they_scatter() -> None:
    rows = {10 + i: (i // 6, i % 6, 0) for i in range(36)}
    block = Block("Calc", 10, 45, rows, KEYS)
    x = np.empty((1, 6, 6, 1, 1), dtype=object)
    for row, at in rows.items():
        x[(0, *at, 0)] = Cell("Calc", YEAR_COLUMN, row, block)
    assert ops.total(x, SEGMENT)[0, 1, 0, 0, 0].text == f"SUM(Calc!{YEAR_COLUMN}16:{YEAR_COLUMN}21)"
    assert (
        ops.total(x, REGION)[0, 0, 2, 0, 0].text
        == f"SUMIFS(Calc!{YEAR_COLUMN}$10:{YEAR_COLUMN}$45,Calc!$C$10:$C$45,$C\x01)"
    )
    few = ops.total_of(x, REGION, [0, 2])[0, 0, 2, 0, 0].text
    assert few == f"SUM(Calc!{YEAR_COLUMN}12,Calc!{YEAR_COLUMN}24)"
    x[0, 5, 2, 0, 0] = 0  # one structural zero: SUMIFS would still be right, as the row is not there
    assert "SUMIFS" in Symbol(ops.total(x, REGION)[0, 0, 1, 0, 0].text).text


def test_weighted_sums_run_together_where_cells_and_weights_do() -> None:
    cells = [Cell("S", YEAR_COLUMN, row) for row in (6, 7, 8, 11)]
    weights = [Cell("W", "G", row) for row in (1, 2, 3, 4)]
    y = YEAR_COLUMN

    def text(x: list[Any], w: list[Any]) -> str:
        along = [np.array(of, dtype=object).reshape(1, 1, -1, 1, 1) for of in (x, w)]
        return str(getattr(ops.weighted_total(along[0], along[1], SEGMENT).item(), "text", 0))

    assert text(cells, weights) == f"SUMPRODUCT(S!{y}6:{y}8,W!$G1:$G3)+S!{y}11*W!$G4"
    assert text(cells[:3], [weights[0]] * 3) == f"SUM(S!{y}6:{y}8)*W!$G1"
    assert text(cells[:3], [0, weights[0], 0]) == f"S!{y}7*W!$G1"
    assert text([0, 0], weights[:2]) == "0"


def test_a_switch_is_an_if() -> None:
    one, zero, x = (np.array([v], dtype=object) for v in (cell("A1"), cell("B1"), cell("C1")))
    assert ops.where(one, x, zero)[0].text == "IF(S!A1,S!C1,S!B1)"
    assert ops.ratio(x, one)[0].text == 'IF(S!A1=0,"n/a",S!C1/S!A1)'
    assert spreadsheet(ops.ratio(x, one)[0].text) == pytest.approx(7 / 2.5, rel=1e-14)
