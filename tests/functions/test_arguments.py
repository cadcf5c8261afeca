"""Which fault of a call is told where it has several."""

from __future__ import annotations

from typing import Any

import pytest

from lm_xl.faults import CallError
from lm_xl.functions.answers import call
from lm_xl.functions.registry import FUNCTIONS

WRONG = {"metric": "nothing", "stage": "nothing", "basis": "nothing"}


@pytest.mark.parametrize("name", ["LM_PATIENTS", "LM_REVENUE", "LM_TABLE", "LM_SHARE", "LM_CAGR", "LM_PRICE"])
@pytest.mark.parametrize(("model", "code"), [(None, "#N/A"), (CallError("#REF!", ""), "#REF!")])
def test_a_call_without_a_model_says_so_before_all_else(name: str, model: Any, code: str) -> None:
    arguments = [model if a.kind == "model" else WRONG.get(a.name) for a in FUNCTIONS[name].arguments]
    assert "nothing" in arguments
    with pytest.raises(CallError, match="model") as raised:
        call(name, arguments)
    assert raised.value.code == code
