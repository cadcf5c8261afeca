"""Arrays of terms: of one cell or word, and of the cells of one year."""

from __future__ import annotations

from typing import cast

import numpy as np

from lm_xl.model.cells import YEAR_COLUMN, Cell, Symbol, Term
from lm_xl.model.ops import Array


def one(term: Term | str) -> Array:
    """An array of one cell or word."""
    x = np.empty(1, dtype=object)
    x[0] = term
    return x


def in_column(x: Array, letters: str) -> Array:
    """Formulas over the years as they are in one column, which stays fixed."""

    def fixed(term: Term) -> Term:
        if isinstance(term, Cell) and term.column == YEAR_COLUMN:
            return Cell(term.sheet, letters, term.row, term.block)
        if isinstance(term, Symbol):
            return Symbol(term.text.replace(YEAR_COLUMN, f"${letters}"), term.rank)
        return term

    return cast(Array, np.frompyfunc(fixed, 1, 1)(x))
