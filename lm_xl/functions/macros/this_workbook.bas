Option Explicit

Private Sub Workbook_Open()
    Dim found As Variant
    DescribeFunctions
    Application.StatusBar = "lm_xl: asking Python ..."
    found = LM_VERSION()
    If IsError(found) Then
        ' The status bar says why; the stored values stay as they are.
    ElseIf found <> BUILT_VERSION Then
        Application.StatusBar = "lm_xl: made for " & BUILT_VERSION & ", and here is " & found & ". The stored values stay as they are."
    Else
        Application.StatusBar = False
        CalculateThis
    End If
    ThisWorkbook.Saved = True
End Sub

' Every cell of this workbook, and of other open ones only what has to be calculated anyway.
Private Sub CalculateThis()
    Dim sheet As Worksheet
    For Each sheet In ThisWorkbook.Worksheets
        sheet.EnableCalculation = False
    Next sheet
    For Each sheet In ThisWorkbook.Worksheets
        sheet.EnableCalculation = True
    Next sheet
    Application.Calculate
End Sub

Private Sub DescribeFunctions()
    ' <help of the functions>
End Sub

Private Sub Describe(called As String, meaning As String, ParamArray arguments())
    Dim macro As String, help As Variant
    macro = "'" & Replace(ThisWorkbook.Name, "'", "''") & "'!" & called
    help = arguments
    On Error Resume Next
    If UBound(help) < 0 Then
        Application.MacroOptions Macro:=macro, Description:=meaning, Category:=FUNCTION_CATEGORY
    Else
        Application.MacroOptions Macro:=macro, Description:=meaning, Category:=FUNCTION_CATEGORY, ArgumentDescriptions:=help
    End If
End Sub
