"""The other end of the add-in: calls come in as lines of JSON, answers go out as lines of JSON."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from lm_xl.faults import CallError
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED
from lm_xl.functions.models import STORE
from lm_xl.functions.registry import NA, VALUE
from lm_xl.version import __version__

WHY = "LM_WHY"


def serve(host: str) -> None:
    """Answer until the other end closes. What anything prints goes to standard error, lest it be taken for an answer."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _send(answers, {"lm_xl": __version__})
    for line in sys.stdin.buffer:
        name, arguments = json.loads(line)
        _send(answers, answered(name, arguments, host))


def answered(name: str, arguments: Sequence[Any], host: str) -> dict[str, Any]:
    """The answer of a call as `rows`, an error among them as {"error": code}; `lost` names a model that is not in memory."""
    given = [_argument(a) for a in arguments]
    try:
        answer = call(name, given, host=host)
    except CallError as error:
        lost = [a for a in given if isinstance(a, str) and a.startswith("LM1:") and STORE.get(a) is None]
        told = {"lost": lost[0]} if lost and error.code == NA else {}
        return {"rows": [[_cell(error)]], **told}
    except Exception as fault:
        words = f"{VALUE} a fault of lm_xl itself: {type(fault).__name__} {fault}"
        return {"rows": [[words if name == WHY else _cell(CallError(VALUE, words))]]}
    rows = answer if isinstance(answer, list) else [[answer]]
    return {"rows": [[_cell(x) for x in row] for row in rows]}


def _argument(value: Any) -> Any:
    """An argument as `call` takes it. Calc hands over a blank cell as empty text, and alone as 0."""
    if isinstance(value, dict):
        return OMITTED
    if isinstance(value, list):
        return [[_argument(x) for x in row] for row in value]
    return None if value == "" else value


def _cell(value: Any) -> Any:
    """A cell of an answer as JSON has it."""
    if isinstance(value, CallError):
        return {"error": value.code}
    return value if isinstance(value, str) or value is None else float(value)


def _send(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()
