"""The functions as plain Python functions: the same names and arguments, numbers and arrays back, CallError where Excel shows an error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lm_xl.faults import CallError
from lm_xl.functions.answers import call, shipped_model
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.registry import ERRORS, FUNCTIONS, VALUE, Function
from lm_xl.model.ops import Array

if TYPE_CHECKING:
    import pandas as pd


def as_python_function(function: Function) -> Callable[..., Any]:
    """The Python function of a declared one. A list of labels goes down, a list of years across.

    A block comes back as an array, a table with headers as a pandas frame, in which NaN stands where there is no number.

    Without a model the shipped base case answers. Raises CallError for whatever Excel would show as an error, in any cell.
    """
    signature = function.parameters(OMITTED)
    years = {a.name for a in function.arguments if a.kind == "year"}

    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise CallError(VALUE, f"{error}: {function.signature}") from None
        bound.apply_defaults()
        values = [
            _cells(v, across=a.name in years)
            for a in function.arguments
            for v in (bound.arguments[a.name] if a.rest else [bound.arguments[a.name]])
        ]
        answer = call(function.name, values, default=shipped_model)
        return _frame(answer) if function.headed else _numbers(answer)

    called.__name__ = called.__qualname__ = function.name
    called.__signature__ = signature  # type: ignore[attr-defined]
    called.__doc__ = "\n".join(
        [
            function.meaning,
            "",
            f"Returns {function.returns}. Without a model the shipped base case answers.",
            "",
        ]
        + [f"{a.name}: {a.help}{f' Left out: {a.default}.' if a.default else ''}" for a in function.arguments]
        + [
            "",
            f"Raises CallError, whose code is one of {', '.join(ERRORS)} and whose words say what is wrong.",
        ]
    )
    return called


def _cells(value: Any, *, across: bool) -> Any:
    """A list, array or frame as rows of cells; anything else as it is."""
    if hasattr(value, "columns"):
        rows: list[list[Any]] = [
            [str(c) for c in value.columns],
            *value.astype(object).where(value.notna(), None).to_numpy().tolist(),
        ]
        return rows
    if hasattr(value, "tolist") and not isinstance(value, type):
        value = value.tolist()
    if isinstance(value, range):
        value = list(value)
    if not isinstance(value, list | tuple):
        return value
    if all(isinstance(row, list | tuple) for row in value):
        return [list(row) for row in value]
    return [list(value)] if across else [[x] for x in value]


def _frame(rows: list[list[Any]]) -> pd.DataFrame:
    import pandas as pd

    found = pd.DataFrame(rows[1:], columns=rows[0])
    for name in found:
        # In a column without words a blank cell stands for no number.
        if not any(isinstance(x, str) and x for x in found[name]):
            found[name] = [math.nan if x == "" else x for x in found[name]]
    return found


def _numbers(answer: Any) -> Any:
    """A block as an array, unless one of its cells is an error."""
    if not isinstance(answer, list):
        return answer
    for row in answer:
        for x in row:
            if isinstance(x, CallError):
                raise x
    block: Array = np.array(answer)
    return block


PLAIN = {name: as_python_function(function) for name, function in FUNCTIONS.items()}
"""Each function by its name."""
