"""The macro part of the template for Excel on Windows: our VBA made from the registry, and a workbook that carries it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from lm_xl.faults import EngineMissing, Fault, Refused
from lm_xl.functions.answers import call
from lm_xl.functions.registry import CATEGORY, FUNCTIONS, MODEL_AT, Function
from lm_xl.functions.windows import VARIABLE
from lm_xl.xlsx.package import opened, repacked

MODULE = "lm_xl.functions.com"
TYPES = "[Content_Types].xml"
PROJECT = "xl/vbaProject.bin"
NO_CACHE = bytes.fromhex("CC61 FFFF 00 0100")
"""What a VBA project says of its performance cache where it has none."""
CONF = "xlwings.conf"
"""The sheet that xlwings' own VBA reads its settings from."""
PAUSE = 30
"""Seconds for which no cell asks again after Python could not be started: each attempt takes long, and a workbook has many cells."""


def conf_rows() -> list[tuple[str, str]]:
    """What the sheet xlwings.conf must hold, key and value, from A1 on and without a gap. No path is absolute."""
    return [
        ("Interpreter_Win", f"%{VARIABLE}%"),
        ("UDF Modules", MODULE),
        ("ADD_WORKBOOK_TO_PYTHONPATH", "False"),
    ]


def stubs() -> str:
    """The VBA module with a function for each entry of the registry."""
    from lm_xl.functions.com import CVERR, LEFT_OUT

    places: dict[int, list[str]] = {}
    for name, at in MODEL_AT.items():
        places.setdefault(at, []).append(_quoted(name))
    cases = [f"        Case {', '.join(names)}: ModelAt = {at}" for at, names in sorted(places.items())]
    errors = [f"        Case {_quoted(text)}: CellValue = CVErr({number})" for text, number in CVERR.items()]
    # A literal of VBA cannot hold a control character: it is joined from texts and codes.
    pieces = re.findall(r"[^ -~]|[ -~]+", LEFT_OUT)
    left_out = " & ".join(f"Chr$({ord(p)})" if p < " " else _quoted(p) for p in pieces)
    return _module(
        "xlwings_udfs",
        {
            "PYTHON_MODULE": _quoted(MODULE),
            "LEFT_OUT": left_out,
            "PAUSE": str(PAUSE),
            "xlErrName": str(CVERR["#NAME?"]),
            "xlErrValue": str(CVERR["#VALUE!"]),
            "xlErrNA": str(CVERR["#N/A"]),
        },
        {
            "functions": "\n\n".join(_stub(f) for f in FUNCTIONS.values()),
            "places of the model": "\n".join(cases),
            "error values": "\n".join(errors),
        },
    )


def on_open() -> str:
    """The code of ThisWorkbook: what happens when the workbook opens."""
    from lm_xl.functions.com import HOST

    version = call("LM_VERSION", [], host=HOST)
    return _module(
        "this_workbook",
        {"BUILT_VERSION": _quoted(version), "FUNCTION_CATEGORY": _quoted(CATEGORY)},
        {"help of the functions": "\n".join(_help(declared) for declared in FUNCTIONS.values())},
    )


def _module(name: str, words: Mapping[str, str], parts: Mapping[str, str]) -> str:
    """A module of VBA as its file in macros has it: its names in capitals become words, and its lines ' <part> become parts.

    Raises LookupError for a name or a part that the file does not have.
    """
    file = f"{name}.bas"
    text = files("lm_xl.functions").joinpath("macros", file).read_text(encoding="utf-8")
    for mark, word in words.items():
        text = _fill_in(file, rf"\b{mark}\b", word, text)
    for mark, lines in parts.items():
        text = _fill_in(file, rf"(?m)^ *' <{mark}>$", lines, text)
    return _lines(text)


def _fill_in(file: str, mark: str, new: str, text: str) -> str:
    made, found = re.subn(mark, lambda _: new, text)
    if not found:
        raise LookupError(f"{file} has no {mark}")
    return made


def add_macros(source: Path, target: Path) -> None:
    """Write a workbook that openpyxl saved as an .xlsm that carries xlwings' standalone VBA and ours; its other parts stay as they are.

    xlwings' module is private to the project, so that Excel lists none of its functions.
    The times of its parts are fixed, so that the same source gives the same bytes. Raises Refused where the source has no sheet xlwings.conf or is
    no .xlsx, WrongUsage where the target is no .xlsm; EngineMissing where pyOpenVBA is not installed.
    """
    try:
        from pyopenvba import ExcelFile, VBAModuleKind
    except ImportError:
        raise EngineMissing('a template with macros needs pyOpenVBA: pip install "lm-xl[template]"') from None
    import xlwings

    from lm_xl.files import must_end, replacing

    must_end(target, ".xlsm")
    types = _types_with_macros(source)
    with ExcelFile(Path(xlwings.__file__).parent / "quickstart_standalone.xlsm") as quickstart:
        standalone = {name: quickstart.get_module(name) for name in ("xlwings", "Dictionary")}
    with replacing(target, force=True) as draft, tempfile.TemporaryDirectory() as folder:
        repacked(source, draft, lambda part, content: types if part == TYPES else content, timeless=True)
        with ExcelFile(draft) as book:
            project = book.add_vba_project()
            project.add_module("xlwings", "Option Private Module\r\n" + _lines(standalone["xlwings"]))
            project.add_module("Dictionary", standalone["Dictionary"], kind=VBAModuleKind.other)
            project.add_module("xlwings_udfs", stubs())
            book.set_module("ThisWorkbook", on_open())
            book.save()
        compiled = Path(folder) / draft.name
        repacked(
            draft,
            compiled,
            lambda part, content: _without_cache(content) if part == PROJECT else content,
            timeless=True,
        )
        compiled.replace(draft)


def _without_cache(project: bytes) -> bytes:
    """A VBA project whose performance cache is as [MS-OVBA] 2.3.4.1 wants it written: of no version, and absent."""
    from pyopenvba.cfb import CFB

    parts = CFB.from_bytes(project)
    parts.write_stream_in_storage("VBA", "_VBA_PROJECT", NO_CACHE)
    made: bytes = parts.to_bytes()
    return made


def _types_with_macros(source: Path) -> bytes:
    """The list of content types of a workbook, as of one with macros."""
    try:
        with opened(source) as package:
            book, types = (package.read(part).decode() for part in ("xl/workbook.xml", TYPES))
    except Refused as refused:
        message = f"is no workbook that openpyxl saved ({refused.faults[0].message})"
        raise Refused([Fault(source.name, "", "", message)]) from None
    plain = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    if plain not in types or f'name="{CONF}"' not in book:
        what = f"has no sheet {CONF!r}" if plain in types else "is no .xlsx: its main part is of another type"
        raise Refused([Fault(source.name, "", "", what)])
    return types.replace(plain, "application/vnd.ms-excel.sheet.macroEnabled.main+xml").encode()


def signature(declared: Function) -> str:
    """The first line of a function in VBA, as xlwings would write it."""
    from lm_xl.functions.com import argument_name

    arguments = []
    for a in declared.arguments:
        optional = "" if a.required else "Optional "
        arguments.append(f"ParamArray {argument_name(a)}()" if a.rest else f"{optional}{argument_name(a)}")
    return f"Function {declared.name}({', '.join(arguments)})"


def _stub(declared: Function) -> str:
    """A function of VBA; volatile where the model is left out, since Excel does not see that it takes the workbook's."""
    from lm_xl.functions.com import argument_name

    name, model = declared.name, MODEL_AT.get(declared.name, -1)
    names = [argument_name(a) for a in declared.arguments if not a.rest]
    if len(names) == len(declared.arguments):
        body = [f"    If IsMissing({names[model]}) Then Application.Volatile"] if model >= 0 else []
        asked = f"{model}, Array({', '.join(names)})"
    else:
        body = ["    Dim given As Variant", f"    given = {argument_name(declared.arguments[-1])}"]
        asked = f"{model}, given"
        if names:  # LM_WHY, which is given the arguments of the function that it is asked about
            at = f"ModelAt({names[0]})"
            body.append(f"    If LeftOut({at}, given) Then Application.Volatile")
            asked = ", ".join([at, "given", *names])
    return "\n".join([signature(declared), *body, f'    {name} = Answer("{name}", {asked})', "End Function"])


def _help(declared: Function) -> str:
    from lm_xl.functions.com import argument_help

    texts = [
        declared.name,
        f"{declared.meaning} Returns {declared.returns}.",
        *(argument_help(a) for a in declared.arguments),
    ]
    return "    Describe " + ", _\n        ".join(_quoted(text) for text in texts)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _lines(source: str) -> str:
    return "\r\n".join(source.strip().splitlines()) + "\r\n"
