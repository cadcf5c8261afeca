"""Which fault of a call is told where it has several."""

from __future__ import annotations

from typing import Any

import pytest

from lm_xl.faults import CallError
from lm_xl.functions.answers import call
from lm_xl.functions.registry import FUNCTIONS, MODEL_AT

WRONG = {
    a.name: "nothing"
    for f in FUNCTIONS.values()
    for a in f.arguments
    if a.kind
    in (
        "metric",
        "percentile_metric",
        "stage",
        "basis",
        "percentile",
        "quantity",
        "axis",
        "by",
        "count",
        "scenario",
    )
}


@pytest.mark.parametrize("name", sorted({*MODEL_AT} - {"LM_LIST"}))  # which lists words without a model
@pytest.mark.parametrize(("model", "code"), [(None, "#N/A"), (CallError("#REF!", ""), "#REF!")])
def test_a_call_without_a_model_says_so_before_all_else(name: str, model: Any, code: str) -> None:
    arguments = [model if a.kind == "model" else WRONG.get(a.name) for a in FUNCTIONS[name].arguments]
    assert "nothing" in arguments
    with pytest.raises(CallError, match="model") as raised:
        call(name, arguments)
    assert raised.value.code == code
