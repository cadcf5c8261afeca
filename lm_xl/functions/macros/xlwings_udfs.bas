Option Explicit

' The Excel functions of lm_xl, made from its registry: each hands its arguments to Python and shows the answer.

Private server As Object
Private failedAt As Date
Private told As Boolean

' <functions>

Private Function Answer(wanted As String, at As Long, ByVal given As Variant, Optional asked As Variant) As Variant
    Dim values As Variant, model As Variant, i As Long, shift As Long, kept As Boolean
    If LeftOut(at, given) Then
        model = ModelOfSheet()
        If Not IsMissing(model) Then
            If at > UBound(given) Then ReDim Preserve given(0 To at)
            given(at) = model
        End If
    End If
    shift = IIf(IsMissing(asked), 0, 1)
    values = Array()
    If UBound(given) + shift >= 0 Then ReDim values(0 To UBound(given) + shift)
    If shift = 1 Then values(0) = Plain(asked)
    For i = 0 To UBound(given)
        If IsMissing(given(i)) Then
            values(i + shift) = LEFT_OUT
        Else
            values(i + shift) = Plain(given(i))
        End If
    Next i
    If shift = 0 And at >= 0 Then
        If IsEmpty(values(at)) Then
            Answer = CVErr(xlErrNA)
            Exit Function
        End If
    End If
    Answer = CVErr(xlErrName)
    If Now < failedAt + TimeSerial(0, 0, PAUSE) Then Exit Function
    kept = Not server Is Nothing
    On Error GoTo failed
again:
    If server Is Nothing Then Set server = XLPy
    Answer = Shown(server.CallUDF(PYTHON_MODULE, wanted, values))
    If told Then Tell False
    told = False
    Exit Function
failed:
    told = True
    If kept Then
        Set server = Nothing
        kept = False
        Resume again
    ElseIf server Is Nothing Then
        failedAt = Now
        Tell "lm_xl: no answer from Python, run lm-xl doctor. " & Right$(Replace(Err.Description, vbCrLf, " "), 180)
    Else
        Answer = CVErr(xlErrValue)
        Tell "lm_xl: Python could not answer " & wanted & ". " & Right$(Replace(Err.Description, vbCrLf, " "), 180)
        Set server = Nothing
    End If
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
        Contents = CVErr(xlErrValue)
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

' The value of the name Model as a formula of the calling sheet reads it: the sheet's own before the workbook's. Missing where there is none.
Private Function ModelOfSheet(Optional none As Variant) As Variant
    Dim found As Variant
    ModelOfSheet = none
    On Error GoTo absent
    found = Plain(Application.Caller.Worksheet.Evaluate("Model"))
    If IsError(found) Then
        If found = CVErr(xlErrName) Then Exit Function
    End If
    ModelOfSheet = found
absent:
End Function

Private Function ModelAt(function_name As Variant) As Long
    Dim asked As Variant
    ModelAt = -1
    asked = Plain(function_name)
    If VarType(asked) <> vbString Then Exit Function
    Select Case UCase$(Trim$(Replace(asked, "=", "")))
    ' <places of the model>
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
    ' <error values>
    End Select
End Function
