"""The functions in xlwings Lite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from lm_xl.faults import CallError
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED, cell_or_rows
from lm_xl.functions.models import Model
from lm_xl.functions.registry import CATEGORY, FUNCTIONS, NA, Function

HOST = "xlwings Lite"
"""How LM_VERSION names this host."""
NO_MODEL = (
    "no model is named: give the cell Model, which on a sheet with a model of its own is that one; xlwings Lite"
    " lets a function see no name of the workbook, and Excel would not compute it again when the model changes"
)


def as_lite_function(function: Function) -> Callable[..., Any]:
    """A declared function as xlwings Lite takes it: help, drop-down lists, error values as text, which it turns into errors."""

    def called(*arguments: Any) -> Any:
        try:
            # Only what was left out is None: a cell comes in brackets, even a blank one.
            given = [OMITTED if a is None else cell_or_rows(a) for a in arguments]
            answer = call(function.name, given, host=HOST, default=_no_model)
        except CallError as error:
            return error.code
        if not isinstance(answer, list):
            return answer
        return [[x.code if isinstance(x, CallError) else x for x in row] for row in answer]

    called.__name__ = called.__qualname__ = function.name
    called.__doc__ = f"{function.meaning} Returns {function.returns}."
    signature = function.parameters(OMITTED)
    hints = {a.name: Literal[a.choices] for a in function.arguments if a.choices}
    called.__annotations__ = hints
    called.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[p.replace(annotation=hints.get(p.name, p.empty)) for p in signature.parameters.values()]
    )
    return called


def _no_model() -> Model:
    """Never an answer from a model that may have changed since: only what a cell is given makes Excel compute it again."""
    raise CallError(NA, NO_MODEL)


def _xlwings_functions() -> dict[str, Callable[..., Any]]:
    import xlwings

    found = {}
    for function in FUNCTIONS.values():
        made = as_lite_function(function)
        for argument in function.arguments:
            made = xlwings.arg(
                f"*{argument.name}" if argument.rest else argument.name, ndim=2, doc=argument.help
            )(made)
        found[function.name] = xlwings.func(category=CATEGORY)(made)
    return found


def __getattr__(name: str) -> Any:
    if name in FUNCTIONS:
        globals().update(_xlwings_functions())
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = list(FUNCTIONS)
