"""The Excel functions in Excel on Windows: one xlwings function for each entry of the registry, which our VBA calls over COM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import xlwings

from lm_xl.faults import CallError
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED, error_value
from lm_xl.functions.registry import CATEGORY, FUNCTIONS, VALUE, Argument, Function

HOST = f"Excel on Windows, xlwings {xlwings.__version__}"
"""How LM_VERSION names this host."""
CVERR = {
    "#NULL!": 2000, "#DIV/0!": 2007, "#VALUE!": 2015, "#REF!": 2023, "#NAME?": 2029, "#NUM!": 2036, "#N/A": 2042, "#GETTING_DATA": 2043,
    "#SPILL!": 2045, "#CALC!": 2050,
}  # fmt: skip
"""The number that VBA's CVErr takes for each error value."""
_SCODE = -0x7FF60000
"""Over COM an error value is this number plus that of CVErr."""
_TEXTS = {_SCODE + number: text for text, number in CVERR.items()}
_SPELLED = {"function": "function_name", "currency": "currency_code"}
"""VBA reserves these words."""
LEFT_OUT = "\x1aleft out\x1a"
"""Our VBA puts this in the place of an argument that was left out."""
LONGEST_HELP = 255
"""Characters of help that Excel takes for a function and for an argument."""


def argument_name(argument: Argument) -> str:
    """An argument's name as VBA can spell it."""
    return _SPELLED.get(argument.name, argument.name)


def argument_help(argument: Argument) -> str:
    """What Excel's function wizard says of an argument: what it takes and, where there is room, its words and its default."""
    said = argument.help
    for more in (
        f" One of {', '.join(argument.choices)}." if argument.choices else "",
        f" Left out: {argument.default}." if argument.default else "",
    ):
        said += more if len(said + more) <= LONGEST_HELP else ""
    return said


def _excel_function(declared: Function) -> Callable[..., Any]:
    def function(*arguments: Any) -> Any:
        try:
            answer = call(declared.name, [_argument_of(a) for a in arguments], host=HOST)
        except CallError as error:
            return error.code
        return [[_code_or_value(x) for x in row] for row in answer] if isinstance(answer, list) else answer

    function.__name__ = function.__qualname__ = declared.name
    function.__doc__ = f"{declared.meaning} Returns {declared.returns}."
    function.__annotations__ = {}
    function.__signature__ = declared.parameters(OMITTED, argument_name)  # type: ignore[attr-defined]
    for a in declared.arguments:
        function = xlwings.arg(argument_name(a), ndim=2, err_to_str=True, doc=argument_help(a))(function)
    return xlwings.func(category=CATEGORY)(function)  # last: arg re-enters it and would reset the category


def _argument_of(argument: Any) -> Any:
    """An argument as `call` takes it. xlwings hands over rows of cells, and what it knows to be left out as it is, or as None."""
    if not isinstance(argument, list):
        return OMITTED if argument is None else argument
    if len(argument) == 1 and len(argument[0]) == 1:
        return OMITTED if argument[0][0] == LEFT_OUT else _cell(argument[0][0])
    return [[_cell(x) for x in row] for row in argument]


def _cell(value: Any) -> Any:
    if type(value) is int and _SCODE <= value <= _SCODE + 0xFFFF:
        value = _TEXTS.get(value) or CallError(
            VALUE, f"an argument is the error value {value - _SCODE}, which has no name here"
        )
    return error_value(value) or value


def _code_or_value(value: Any) -> Any:
    return value.code if isinstance(value, CallError) else value


globals().update({name: _excel_function(declared) for name, declared in FUNCTIONS.items()})
