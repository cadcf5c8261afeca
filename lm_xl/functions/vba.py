"""The macro part of the template for Excel on Windows: our VBA made from the registry, and a workbook that carries it."""

from __future__ import annotations

import re
from pathlib import Path

from lm_xl.faults import EngineMissing, Fault, Refused
from lm_xl.functions.answers import call
from lm_xl.functions.doctor import VARIABLE
from lm_xl.functions.registry import CATEGORY, FUNCTIONS, Function
from lm_xl.xlsx.package import opened, repacked

MODULE = "lm_xl.functions.com"
TYPES = "[Content_Types].xml"
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
    for name, declared in FUNCTIONS.items():
        at = _model_at(declared)
        if at >= 0:
            places.setdefault(at, []).append(f'"{name}"')
    return _lines(
        _STUBS.format(
            module=MODULE,
            name=CVERR["#NAME?"],
            value=CVERR["#VALUE!"],
            na=CVERR["#N/A"],
            pause=PAUSE,
            left_out=" & ".join(
                f"Chr$({ord(c)})" if c < " " else f'"{c}"' for c in re.findall(r"[^ -~]|[ -~]+", LEFT_OUT)
            ),
            functions="\n\n".join(_stub(f) for f in FUNCTIONS.values()),
            places="\n".join(
                f"        Case {', '.join(names)}: ModelAt = {at}" for at, names in sorted(places.items())
            ),
            errors="\n".join(
                f'        Case "{text}": CellValue = CVErr({number})' for text, number in CVERR.items()
            ),
        )
    )


def on_open() -> str:
    """The code of ThisWorkbook: what happens when the workbook opens."""
    from lm_xl.functions.com import HOST

    return _lines(
        _ON_OPEN.format(
            version=_quoted(call("LM_VERSION", [], host=HOST)),
            category=_quoted(CATEGORY),
            help="\n".join(_help(declared) for declared in FUNCTIONS.values()),
        )
    )


def add_macros(source: Path, target: Path) -> None:
    """Write a workbook that openpyxl saved as an .xlsm that carries xlwings' standalone VBA and ours; its other parts stay as they are.

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
    with replacing(target, force=True) as draft:
        repacked(source, draft, lambda part, content: types if part == TYPES else content, timeless=True)
        with ExcelFile(draft) as book:
            project = book.add_vba_project()
            project.add_module("xlwings", _lines(standalone["xlwings"]))
            project.add_module("Dictionary", standalone["Dictionary"], kind=VBAModuleKind.other)
            project.add_module("xlwings_udfs", stubs())
            book.set_module("ThisWorkbook", on_open())
            book.save()


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


def _model_at(declared: Function) -> int:
    """The place of the model among a function's arguments, -1 where it takes none."""
    return next((i for i, a in enumerate(declared.arguments) if a.kind == "model"), -1)


def signature(declared: Function) -> str:
    """The first line of a function in VBA, as xlwings would write it."""
    from lm_xl.functions.com import argument_name

    shown = [
        f"ParamArray {argument_name(a)}()"
        if a.rest
        else f"{'' if a.required else 'Optional '}{argument_name(a)}"
        for a in declared.arguments
    ]
    return f"Function {declared.name}({', '.join(shown)})"


def _stub(declared: Function) -> str:
    from lm_xl.functions.com import argument_name

    name, model = declared.name, _model_at(declared)
    names = [argument_name(a) for a in declared.arguments if not a.rest]
    if len(names) == len(declared.arguments):
        given = f"Array({', '.join(names)})"
        volatile = [f"    If IsMissing({names[model]}) Then Application.Volatile"] if model >= 0 else []
        return "\n".join(
            [
                signature(declared),
                *volatile,
                f'    {name} = Answer("{name}", {model}, {given})',
                "End Function",
            ]
        )
    asked = "".join(
        f", {a}" for a in names
    )  # LM_WHY, which is given the arguments of the function that it is asked about
    at = f"ModelAt({names[0]})" if names else str(model)
    body = ["    Dim given As Variant", f"    given = {argument_name(declared.arguments[-1])}"]
    if names:
        body.append(f"    If LeftOut({at}, given) Then Application.Volatile")
    return "\n".join(
        [signature(declared), *body, f'    {name} = Answer("{name}", {at}, given{asked})', "End Function"]
    )


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


_STUBS = """
Option Explicit

' The Excel functions of lm_xl, made from its registry: each hands its arguments to Python and shows the answer.

Private server As Object
Private failedAt As Date
Private told As Boolean

{functions}

Private Function Answer(wanted As String, at As Long, ByVal given As Variant, Optional asked As Variant) As Variant
    Dim values As Variant, model As Object, i As Long, shift As Long, kept As Boolean
    If LeftOut(at, given) Then
        Set model = ModelCell()
        If Not model Is Nothing Then
            If at > UBound(given) Then ReDim Preserve given(0 To at)
            given(at) = model.Value2
        End If
    End If
    shift = IIf(IsMissing(asked), 0, 1)
    values = Array()
    If UBound(given) + shift >= 0 Then ReDim values(0 To UBound(given) + shift)
    If shift = 1 Then values(0) = Plain(asked)
    For i = 0 To UBound(given)
        If IsMissing(given(i)) Then
            values(i + shift) = {left_out}
        Else
            values(i + shift) = Plain(given(i))
        End If
    Next i
    If shift = 0 And at >= 0 Then
        If IsEmpty(values(at)) Then
            Answer = CVErr({na})
            Exit Function
        End If
    End If
    Answer = CVErr({name})
    If Now < failedAt + TimeSerial(0, 0, {pause}) Then Exit Function
    kept = Not server Is Nothing
    On Error GoTo failed
again:
    If server Is Nothing Then Set server = XLPy
    Answer = Shown(server.CallUDF("{module}", wanted, values))
    If told Then Tell False
    told = False
    Exit Function
failed:
    If server Is Nothing Then failedAt = Now
    Set server = Nothing
    If kept Then
        kept = False
        Resume again
    End If
    told = True
    Tell "lm_xl: no answer from Python, run lm-xl doctor. " & Right$(Replace(Err.Description, vbCrLf, " "), 180)
End Function

Private Sub Tell(words As Variant)
    On Error Resume Next
    Application.StatusBar = words
End Sub

Private Function Plain(given As Variant) As Variant
    If TypeName(given) = "Range" Then
        Plain = Contents(given)
    Else
        Plain = given
    End If
End Function

Private Function Contents(cells As Variant) As Variant
    If cells.Areas.Count > 1 Then
        Contents = CVErr({value})
    Else
        Contents = cells.Value2
    End If
End Function

Private Function LeftOut(at As Long, given As Variant) As Boolean
    If at < 0 Or at > UBound(given) Then
        LeftOut = at >= 0 And at = UBound(given) + 1
    Else
        LeftOut = IsMissing(given(at))
    End If
End Function

Private Function ModelCell() As Object
    On Error Resume Next
    Set ModelCell = Application.Caller.Worksheet.Parent.Names("Model").RefersToRange
End Function

Private Function ModelAt(function_name As Variant) As Long
    Dim asked As Variant
    ModelAt = -1
    asked = Plain(function_name)
    If VarType(asked) <> vbString Then Exit Function
    Select Case UCase$(Trim$(Replace(asked, "=", "")))
{places}
    End Select
End Function

Private Function Shown(ByVal answer As Variant) As Variant
    Dim i As Long, j As Long, across As Long
    If Not IsArray(answer) Then
        Shown = CellValue(answer)
        Exit Function
    End If
    across = -1
    On Error Resume Next
    across = UBound(answer, 2)
    On Error GoTo 0
    For i = LBound(answer) To UBound(answer)
        If across < 0 Then
            answer(i) = CellValue(answer(i))
        Else
            For j = LBound(answer, 2) To across
                answer(i, j) = CellValue(answer(i, j))
            Next j
        End If
    Next i
    Shown = answer
End Function

Private Function CellValue(given As Variant) As Variant
    CellValue = given
    If VarType(given) <> vbString Then Exit Function
    Select Case given
{errors}
    End Select
End Function
"""

_ON_OPEN = """
Option Explicit

Private Sub Workbook_Open()
    Dim found As Variant
    DescribeFunctions
    Application.StatusBar = "lm_xl: asking Python ..."
    found = LM_VERSION()
    If IsError(found) Then
        ' The status bar says why; the stored values stay as they are.
    ElseIf found <> {version} Then
        Application.StatusBar = "lm_xl: made for " & {version} & ", and here is " & found & ". The stored values stay as they are."
    Else
        Application.StatusBar = False
        Application.CalculateFull
    End If
    ThisWorkbook.Saved = True
End Sub

Private Sub DescribeFunctions()
{help}
End Sub

Private Sub Describe(called As String, meaning As String, ParamArray arguments())
    Dim macro As String, help As Variant
    macro = "'" & Replace(ThisWorkbook.Name, "'", "''") & "'!" & called
    help = arguments
    On Error Resume Next
    If UBound(help) < 0 Then
        Application.MacroOptions Macro:=macro, Description:=meaning, Category:={category}
    Else
        Application.MacroOptions Macro:=macro, Description:=meaning, Category:={category}, ArgumentDescriptions:=help
    End If
End Sub
"""
