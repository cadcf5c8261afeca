"""The files of macros: whatever they leave open is filled in, the rest stands in the workbook as it stands in the file."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from lm_xl.functions import vba

MADE = {"xlwings_udfs": vba.stubs, "this_workbook": vba.on_open}
OPEN = re.compile(r"' <[\w ]+>|\b(?!LM_)[A-Z]+_[A-Z]+\b|\bPAUSE\b|\bxlErr\w+")
"""What a file leaves open: comments in angle brackets, names in capitals, Excel's names of error values."""


@pytest.mark.parametrize("name", list(MADE))
def test_whatever_a_file_of_macros_leaves_open_is_filled_in(name: str) -> None:
    source = files("lm_xl.functions").joinpath("macros", f"{name}.bas").read_text(encoding="utf-8")
    places, made = set(OPEN.findall(source)), MADE[name]()
    assert len(places) >= 3 and not places & set(OPEN.findall(made))
    fixed = {line for line in source.splitlines() if line and not OPEN.search(line)}
    assert len(fixed) > 20 and fixed <= set(made.splitlines())


def test_a_file_that_lacks_a_place_is_an_error() -> None:
    for words, parts in (({"NOWHERE": "1"}, {}), ({}, {"nowhere": "x"})):
        with pytest.raises(LookupError, match=r"this_workbook\.bas has no .*(NOWHERE|nowhere)"):
            vba._module("this_workbook", words, parts)


def test_what_is_filled_in_stands_as_it_is() -> None:
    made = vba._module(
        "this_workbook", {"BUILT_VERSION": r'"C:\new\1"'}, {"help of the functions": r"' \g<0>"}
    )
    assert r'found <> "C:\new\1" Then' in made and "\r\n' \\g<0>\r\nEnd Sub" in made
