"""The page that documents the functions, made from their declarations: python -m lm_xl.functions.reference > docs/functions.md"""

from __future__ import annotations

from lm_xl.functions.registry import ERRORS, FUNCTIONS, Argument, Function

INTRODUCTION = """\
# The Excel functions

The same functions, with the same arguments and answers, in every host: [Excel on Windows](excel_windows.md), [xlwings Lite](excel_lite.md)
(Excel on Windows, Mac and the web), [without Excel](headless.md), and [Python](python.md). This page is made from their declarations
(`python -m lm_xl.functions.reference > docs/functions.md`).

## Arguments

- A **label** is a leaf or a group as the sheet Axes writes it. Outer blanks and case do not count; nothing else is forgiven, and the words of
  the error name the nearest label. A blank cell is never "all": leave the argument out for that.
- A **year** is 2030, 2030.0 or "2030". TRUE, 2030.5 and a date are none.
- Where an argument may be a **range**, labels go down and years go across, and the block comes back in one call. A wrong label spoils its own row only.
- **model** is the cell with `=LM_MODEL(...)`. Edit an assumption and its handle changes, and with it whatever takes it, and nothing else.
  Left out, the model is the value of the name `Model` of the workbook the call stands in (Excel on Windows, and without Excel), and the shipped base case in plain Python.
  xlwings Lite shows a function no name of the workbook: there it must be given.
- An error in an argument is passed on.

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
        "and the arguments of the cell, tells in words what is wrong. `#NAME?` means that the functions are not running: see the page of the host.\n"
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
