"""The functions in xlwings Lite, and the parts of a workbook that carry their code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

from lm_xl.faults import CallError
from lm_xl.functions.answers import call
from lm_xl.functions.arguments import OMITTED, cell_or_rows
from lm_xl.functions.registry import CATEGORY, FUNCTIONS, Function
from lm_xl.version import __version__
from lm_xl.xlsx.package import repacked

MAIN = "from lm_xl.functions.lite import *\n"
"""The workbook's `main.py`: the functions come with the package."""
REQUIREMENTS = f"lm-xl=={__version__}\n"
"""The workbook's `requirements.txt`."""
ADD_IN = "wa200008175"
"""xlwings Lite in the store of add-ins."""


def as_lite_function(function: Function) -> Callable[..., Any]:
    """A declared function as xlwings Lite takes it: help, drop-down lists, error values as text, which it turns into errors."""

    def called(*arguments: Any) -> Any:
        try:
            # Only what was left out is None: a cell comes in brackets, even a blank one.
            given = [OMITTED if a is None else cell_or_rows(a) for a in arguments]
            answer = call(function.name, given, host="xlwings Lite")
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


def add_code(source: Path, target: Path) -> None:
    """A workbook with the code of its functions inside, as xlwings Lite stores it; every other part stays as it is."""
    properties = {"main.py": MAIN, "requirements.txt": REQUIREMENTS}
    shown = "".join(
        f"<we:property name={quoteattr(k)} value={quoteattr(json.dumps(v))}/>" for k, v in properties.items()
    )
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    relations, office = (
        "http://schemas.openxmlformats.org/package/2006/relationships",
        "http://schemas.microsoft.com/office",
    )
    parts = {
        "xl/webextensions/webextension1.xml": f'{head}<we:webextension xmlns:we="{office}/webextensions/webextension/2010/11" id="{{0B2A6D5E-6C5F-4A1E-9D57-1E5A0F6C2D35}}">'
        f'<we:reference id="{ADD_IN}" version="1.0.0.0" store="en-US" storeType="OMEX"/><we:alternateReferences/><we:properties>{shown}</we:properties><we:bindings/>'
        '<we:snapshot xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"/></we:webextension>',
        "xl/webextensions/taskpanes.xml": f'{head}<wetp:taskpanes xmlns:wetp="{office}/webextensions/taskpanes/2010/11"><wetp:taskpane dockstate="right" visibility="0" width="350" row="1">'
        '<wetp:webextensionref xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId1"/></wetp:taskpane></wetp:taskpanes>',
        "xl/webextensions/_rels/taskpanes.xml.rels": f'{head}<Relationships xmlns="{relations}"><Relationship Id="rId1" Type="{office}/2011/relationships/webextension" Target="webextension1.xml"/></Relationships>',
    }  # fmt: skip

    def changed(part: str, content: bytes) -> bytes:
        if part == "_rels/.rels":
            pane = f'<Relationship Id="rIdPanes" Type="{office}/2011/relationships/webextensiontaskpanes" Target="xl/webextensions/taskpanes.xml"/></Relationships>'
            return re.sub(rb"</Relationships>\s*$", pane.encode(), content)
        if part == "[Content_Types].xml":
            types = "".join(
                f'<Override PartName="/xl/webextensions/{name}" ContentType="application/vnd.ms-office.{kind}+xml"/>'
                for name, kind in (
                    ("webextension1.xml", "webextension"),
                    ("taskpanes.xml", "webextensiontaskpanes"),
                )
            )
            return re.sub(rb"</Types>\s*$", f"{types}</Types>".encode(), content)
        return content

    repacked(source, target, changed, parts)
