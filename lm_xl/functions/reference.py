"""The page that documents the functions, made from their declarations: python -m lm_xl.functions.reference > docs/functions.md"""

from __future__ import annotations

from lm_xl.functions.registry import ERRORS, FUNCTIONS, Argument, Function

INTRODUCTION = """\
# The Excel functions

The same functions, with the same arguments and answers, in every host: [Excel on Windows](excel_windows.md), [xlwings Lite](excel_lite.md)
(Excel on Windows, Mac and the web), [LibreOffice Calc](libreoffice.md), [without Excel](headless.md), and [Python](python.md). [Which host was checked, and how](hosts.md).
This page is made from their declarations (`nox -s docs`).

## Arguments

- A **label** is a leaf or a group as the sheet Axes writes it, or, where any axis will do, a company as the sheet Products writes it. Outer blanks and case do not count; nothing else is forgiven, and the words of
  the error name the nearest label. A blank cell is never "all": leave the argument out for that.
- A **year** is 2030, 2030.0 or "2030". TRUE, 2030.5 and a date are none.
- Where an argument may be a **range**, labels go down and years go across, and the block comes back in one call. A wrong label spoils its own row only.
- **model** is the cell with `=LM_MODEL(...)`. Edit an assumption and its handle changes, and with it whatever takes it, and nothing else.
  Left out, the model is the value of the name `Model` as the sheet reads it that the call stands on, its own before the workbook's (Excel on
  Windows, LibreOffice Calc, and without Excel), and the shipped base case in plain Python.
  xlwings Lite shows a function no name of the workbook: there it must be given.
- **currency** is one of the sheet Currencies, **unit** is one, thousand or million: where they are left out, money is in USD, and everything in ones.
- An error in an argument is passed on.

## A handle from a handle

`=LM_SCENARIO(Model, "High")` is the model in another scenario, `=LM_WHATIF(Model, "lm_risk", 0.9)` the model with one assumption changed. Both are
handles: give them to any function in the place of the model, to each other too. The same arguments always give the same handle, and the sheets of
assumptions stay as they are. `=LM_BRIDGE(Model, B13)` tells what drives the difference, as the sheet What_if of the template shows:

![The sheet What_if of the template](images/what_if.png)

## Tables

`LM_FORECAST`, `LM_COMPARE`, `LM_BRIDGE` and `LM_TORNADO` answer with a table whose first row names its columns; a blank stands where there is no number.
It spills from one cell; in Excel 2016 and 2019 enter it over a range with Ctrl+Shift+Enter. `=INDEX(LM_TORNADO(10, Model), 2, 1)` takes one cell of it. In
Python it is a pandas frame.

## Errors

| shows | because | raised in Python |
|---|---|---|
"""


def reference_page() -> str:
    """The whole page."""
    errors = "".join(
        f"| `{code}` | {why} | `CallError` with code `{code}` |\n" for code, why in ERRORS.items()
    )
    advice = (
        '\nThey are true errors: SUM passes them on and ISERROR sees them. `=LM_WHY("LM_PATIENTS", A6, B5, Model)`, with the name of the function\n'
        "and the arguments of the cell, tells in words what is wrong. Where nothing is, it is blank, or a note of what is odd in the inputs behind the answer, as `lm-xl check` tells it:\n"
        "inputs outside their plausible band in the model's scenario, and a launch after the patent's end or after the horizon, of the therapies that the call names (of `LM_MODEL` and its\n"
        "like all of them). `#NAME?` means that the functions are not running: see the page of the host.\n"
    )
    return INTRODUCTION + errors + advice + "".join(_section(f) for f in FUNCTIONS.values())


def _section(function: Function) -> str:
    lines = [
        f"\n## {function.name}\n",
        f"`{function.signature}`\n",
        f"{function.meaning} Returns {function.returns}.\n",
    ]
    if function.arguments:
        lines += ["| argument | what it is | left out |", "|---|---|---|"]
        lines += [
            f"| {a.name}{'...' if a.rest else ''} | {_words(a)} | {'required' if a.required else a.default or 'none'} |"
            for a in function.arguments
        ]
        lines.append("")
    return "\n".join([*lines, f"    {function.example}", ""])


def _words(argument: Argument) -> str:
    return argument.help + (f" One of {', '.join(argument.choices)}." if argument.choices else "")


if __name__ == "__main__":
    print(reference_page(), end="")
