"""The engine that stands in for Excel: what it answers as Excel documents, and that the rest is never stored over a good value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from grids import grids
from openpyxl.worksheet.formula import ArrayFormula

import lm_xl
from lm_xl.functions import headless
from lm_xl.functions.answers import call
from lm_xl.functions.differences import COMPARED
from lm_xl.xlsx.stored import write_values

DIV, NA, NUM, REF, VALUE = "#DIV/0!", "#N/A", "#NUM!", "#REF!", "#VALUE!"
CELLS = {
    "A1": 1, "A2": "2", "A3": True, "A5": 5, "A6": "x", "B1": 10, "B2": 20, "B3": 30, "B5": 50, "C1": 0, "C2": 0, "D1": "=0.1+0.2", "D2": "=1/3",
    "D3": 1e20, "E1": "=1/0", "E2": "=NA()", "F1": "1,234", "F2": "12%", "F4": " 7 ", "G1": 1, "G2": 2, "G3": 3, "G4": 4,
}  # fmt: skip
"""A sheet with one of each kind of value."""

AS_EXCEL: list[tuple[str, Any]] = [
    ("ABS(-2)", 2), ("AGGREGATE(9,6,E1:E2,B1:B2)", 30), ("AND(A1:A6)", True), ("AND(A6)", VALUE), ("AVERAGE(A1:A6)", 3), ("AVERAGEA(A1:A6)", 1.4),
    ("AVERAGEIF(A1:A5,\">9\")", DIV), ("AVERAGEIFS(G1:G4,G1:G4,\">1\")", 3), ("CEILING(2.1,1)", 3), ("CHAR(65)", "A"), ("CHOOSE(2,\"a\",\"b\")", "b"),
    ("CLEAN(\"a\")", "a"), ("CODE(\"A\")", 65), ("COLUMN(B1)", 2), ("COLUMNS(A1:C1)", 3), ("COMBIN(5,2)", 10), ("CONCAT(A1,A6)", "1x"),
    ("CONCATENATE(A1,A6)", "1x"), ("CORREL(G1:G4,G1:G4)", 1), ("COUNT(A1:A6)", 2), ("COUNTA(A1:A6)", 5), ("COUNTBLANK(A1:A6)", 1), ("COUNTIF(A1:A6,2)", 1),
    ("COUNTIF(A1:A6,TRUE)", 1), ("COUNTIF(A1:A6,\">0\")", 2), ("COUNTIF(A1:A6,\"<>1\")", 5), ("COUNTIF(A1:A6,\"?\")", 2), ("COUNTIF(A1:A6,\"\")", 1),
    ("COUNTIFS(B1:B5,\">10\",G1:G5,\"<4\")", 2), ("DATE(2024,2,30)", 45352), ("DATEDIF(45296,45661,\"m\")", 11), ("DATEVALUE(\"2024-01-05\")", 45296),
    ("DAY(45296)", 5), ("DAYS(45303,45296)", 7), ("EDATE(45322,1)", 45351), ("EOMONTH(45296,0)", 45322), ("EVEN(1.5)", 2), ("EXACT(\"a\",\"A\")", False),
    ("EXP(710)", NUM), ("FACT(5)", 120), ("SUM(FILTER(G1:G4,G1:G4>2))", 7), ("FIND(\"b\",\"abc\")", 2), ("FIXED(1234.567,1)", "1,234.6"),
    ("FLOOR(2.9,1)", 2), ("FORECAST(5,G1:G4,G1:G4)", 5), ("FV(0.05,10,-100)", 1257.7892535548839), ("GCD(4,6)", 2), ("GEOMEAN(G1:G4)", 2.213363839400643),
    ("HLOOKUP(1,A1:B2,2,FALSE)", "2"), ("IF(A6,1,2)", VALUE), ("IF(A4,1,2)", 2), ("IF(TRUE,,1)", 0), ("IFERROR(E1,7)", 7), ("IFNA(E1,7)", DIV),
    ("IFNA(E2,7)", 7), ("IFS(FALSE,1,TRUE,2)", 2), ("INDEX(A1:B2,2,2)", 20), ("INDEX(B1:B5,9)", REF), ("INDIRECT(\"B2\")", 20), ("INT(-1.5)", -2),
    ("INT((0.1+0.7)*10)", 7), ("IRR({-100,60,60})", 0.1306623862918075), ("ISBLANK(A4)", True), ("ISERR(E2)", False), ("ISERROR(E1)", True), ("ISNA(E2)", True),
    ("ISNUMBER(A2)", False), ("ISTEXT(A2)", True), ("LARGE(G1:G4,1)", 4), ("LEFT(\"abc\")", "a"), ("LEN(\"abc\")", 3), ("LN(0)", NUM), ("LOG(100)", 2),
    ("LOG10(0)", NUM), ("LOOKUP(2.5,G1:G4)", 2), ("LOOKUP(0,G1:G4)", NA), ("LOOKUP(3,G1:G4,B1:B4)", 30), ("LOWER(\"Ab\")", "ab"), ("MATCH(\"X*\",A1:A6,0)", 6),
    ("MATCH(2,A1:A6,0)", NA), ("MATCH(2.5,G1:G4)", 2), ("MAX(A3)", 0), ("MAX(TRUE,0)", 1), ("MAX(IF(G1:G4<3,G1:G4))", 2), ("MAXIFS(G1:G4,G1:G4,\"<3\")", 2),
    ("MEDIAN(G1:G4)", 2.5), ("MID(\"abc\",2,5)", "bc"), ("MIN(A6)", 0), ("MINIFS(G1:G4,G1:G4,\">9\")", 0), ("MOD(-3,2)", 1), ("MOD(3,-2)", -1), ("MOD(5,0)", DIV),
    ("MODE(G1:G4)", NA), ("MONTH(45296)", 1), ("MROUND(7,2)", 8), ("MROUND(-7,2)", NUM), ("N(A3)", 1), ("NA()", NA), ("NETWORKDAYS(45296,45303)", 6),
    ("NORM.DIST(0,0,1,TRUE)", 0.5), ("NORM.INV(0.9,0,1)", 1.2815515655446008), ("NOT(0)", True), ("NPV(0.1,B1:B3)", 48.159278737791126),
    ("NUMBERVALUE(\"1.234,5\",\",\",\".\")", 1234.5), ("OFFSET(A1,1,1)", 20), ("SUM(OFFSET(B1,0,0,3,1))", 60), ("OR(A4,FALSE)", False),
    ("PERCENTILE(G1:G4,0.5)", 2.5), ("PERCENTILE.INC(G1:G4,0.5)", 2.5), ("PI()", 3.141592653589793), ("PMT(0.05/12,12,1000)", -85.60748178846745), ("POWER(-8,1/3)", NUM), ("PRODUCT(A1:A6)", 5),
    ("PROPER(\"o'neil mc\")", "O'Neil Mc"), ("QUARTILE(G1:G4,1)", 1.75), ("QUOTIENT(-7,2)", -3), ("RADIANS(180)", 3.141592653589793), ("RANK(2,G1:G4)", 3),
    ("RATE(10,-100,800)", 0.042774978), ("REPLACE(\"abc\",1,1,\"z\")", "zbc"), ("REPT(\"a\",3)", "aaa"), ("RIGHT(\"abc\",2)", "bc"), ("ROUND(2.5,0)", 3),
    ("ROUND(1.005,2)", 1.01), ("ROUND(2.675,2)", 2.68), ("ROUND(1234,-2)", 1200), ("ROUNDDOWN(-1.9,0)", -1), ("ROUNDUP(-1.1,0)", -2), ("ROW(A5)", 5),
    ("ROWS(A1:A6)", 6), ("SEARCH(\"B?\",\"abc\")", 2), ("SUM(SEQUENCE(3))", 6), ("SIGN(-2)", -1), ("SLOPE(G1:G4,G1:G4)", 1), ("SMALL(G1:G4,2)", 2), ("SUM(SORT(G1:G4))", 10),
    ("SQRT(-1)", NUM), ("STDEV(G1:G4)", 1.2909944487358056), ("STDEV.S(G1:G4)", 1.2909944487358056), ("STDEV.P(G1:G4)", 1.118033988749895),
    ("SUBSTITUTE(\"aba\",\"a\",\"\")", "b"), ("SUBTOTAL(9,A1:A6)", 6), ("SUBTOTAL(3,A1:A6)", 5), ("SUM(A1:A6)", 6), ("SUM(\"2\",TRUE)", 3), ("SUM(G:G)", 10),
    ("SUMIF(A1:A6,\">0\",B1:B6)", 60), ("SUMIF(A1:A6,2,B1:B6)", 20), ("SUMIF(A1:A6,\"x\",B1)", 0), ("SUMIFS(B1:B5,A1:A5,\"<>\")", 110),
    ("SUMPRODUCT((A1:A6=\"x\")*1)", 1), ("SUMPRODUCT(--(B1:B5>10))", 3), ("SUMPRODUCT(A5:A6,B1:B2)", 50), ("SUMPRODUCT(G1:G2,B1:B3)", VALUE),
    ("SUMPRODUCT((G1:G4=2)*B1:B4)", 20), ("SUMSQ(G1:G4)", 30), ("SWITCH(2,1,\"a\",2,\"b\")", "b"), ("TEXT(1234.5,\"#,##0\")", "1,235"), ("TEXT(0.5,\"0.0%\")", "50.0%"),
    ("TEXT(1234567,\"#,##0.0,,\")", "1.2"), ("TEXT(-5,\"0;(0)\")", "(5)"), ("TEXT(0,\"0;-0;-\")", "-"), ("TEXT(45296,\"mmm yyyy\")", "Jan 2024"), ("TEXT(45296,\"yyyy-mm-dd\")", "2024-01-05"),
    ("TEXT(1500000000,\"$#,##0.0,,\"\"m\"\"\")", "$1,500.0m"), ("TEXTJOIN(\"-\",TRUE,A1,A6)", "1-x"), ("TIME(12,0,0)", 0.5), ("SUM(TRANSPOSE(G1:G4))", 10),
    ("TREND(G1:G4,G1:G4,5)", 5), ("TRIM(\"  a  b \")", "a b"), ("TRUE()", True), ("FALSE()", False), ("TRUNC(-1.5)", -1), ("SUM(UNIQUE(G1:G4))", 10), ("UPPER(\"a\")", "A"),
    ("VALUE(F2)", 0.12), ("VALUE(F4)", 7), ("VALUE(\"abc\")", VALUE), ("VAR(G1:G4)", 1.6666666666666667), ("VAR.S(G1:G4)", 1.6666666666666667), ("VLOOKUP(2.5,G1:G4,1)", 2),
    ("VLOOKUP(\"2\",G1:G4,1,FALSE)", NA), ("WEEKDAY(45296)", 6), ("WEEKNUM(45296)", 1), ("XLOOKUP(2,G1:G4,B1:B4)", 20), ("XLOOKUP(9,G1:G4,B1:B4,\"none\")", "none"),
    ("XNPV(0.1,{100,100},{45296,45661})", 190.9090909090909), ("XOR(TRUE,TRUE)", False), ("YEAR(45296)", 2024), ("YEARFRAC(45296,45661)", 359 / 360),
    ("YEAR(NOW())>2000", True), ("YEAR(TODAY())>2000", True), ("RAND()<1", True), ("RANDBETWEEN(1,1)", 1),
    ("-2^2", 4), ("2^3^2", 64), ("10^309", NUM), ("(-8)^(1/3)", NUM), ("\"3\"+4", 7), ("A4=0", True), ("A4=\"\"", True), ("\"a\"=\"A\"", True), ("TRUE=1", False),
    ("\"2\"=2", False), ("A3>A6", True), ("A6>A1", True), ("TRUE+1", 2), ("50%", 0.5), ("A3&\"\"", "TRUE"), ("123456789012&\"\"", "123456789012"), ("SUM(G1:G4*2)", 20),
]  # fmt: skip
"""Formulas and what Excel documents for them; those that compute with ranges as they do in a formula of an array."""


def test_the_engine_gives_what_excel_documents() -> None:
    book = headless.engine().Workbook()
    book.add_sheet("S")
    for address, value in CELLS.items():
        place = openpyxl.utils.cell.coordinate_to_tuple(address)
        put = book.set_formula if isinstance(value, str) and value.startswith("=") else book.set_value
        put("S", *place, value)
    for i, (formula, _) in enumerate(AS_EXCEL, 1):
        book.set_formula("S", i, 27, f"={formula}")
    book.evaluate_all()
    wrong = {}
    for i, (formula, expected) in enumerate(AS_EXCEL, 1):
        got = headless._stored_value(book.get_value("S", i, 27))
        got = getattr(got, "code", got)
        if got != expected and got != pytest.approx(expected, rel=1e-8):
            wrong[formula] = got, expected
    assert not wrong
    called = set(re.findall(r"([A-Z][A-Z0-9.]*)\(", " ".join(f for f, _ in AS_EXCEL)))
    assert called == COMPARED


@pytest.fixture(scope="module")
def handle(small_assumptions: lm_xl.Assumptions) -> str:
    return str(call("LM_MODEL", list(grids(small_assumptions).values())))


def book_with(handle: str, path: Path, formulas: dict[str, Any], stored: dict[str, Any]) -> Any:
    """A workbook of the sheet above, with a call of ours, other formulas and what is stored beside them."""
    book = openpyxl.Workbook()
    ws: Any = book.active
    ws.title = "S"
    for address, value in {**CELLS, **formulas}.items():
        if isinstance(value, ArrayFormula):
            value.ref = f"{address}:{address}" if value.ref is None else value.ref
        ws[address] = value
    ws["Z1"], ws["Z2"] = handle, '=LM_PATIENTS("US",2027,Z1)'
    book.save(path)
    write_values(
        path, path, {("S", *openpyxl.utils.cell.coordinate_to_tuple(a)): v for a, v in stored.items()}
    )
    return book


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("=SUMPRODUCT(A1:A3,B1:B3)", "SUMPRODUCT over text"),  # text numbers
        ("=SUMPRODUCT(A3:A4,B1:B2)", "SUMPRODUCT over text"),  # TRUE
        ("=IFERROR(LOOKUP(2,1/(A1:A6=\"x\"),B1:B6),0)", "LOOKUP in what is not in order"),
        ("=LOOKUP(45,B1:B5)", "LOOKUP in what is not in order"),
        ("=MATCH(1E+306,A1:A6)", "MATCH in what is not in order"),
        ("=VLOOKUP(5,A1:B6,2)", "VLOOKUP in what is not in order"),
        ("=SUBTOTAL(109,A1:A6)", "SUBTOTAL over a sheet with hidden rows"),
        ("=SUBTOTAL(9,A1:A6)", "SUBTOTAL over a sheet with hidden rows"),  # a filter hides rows from it
        ("=C1^C2", "0 to the power of 0"),
        ("=POWER(C1,-1)", "0 to the power of 0"),
        ('=VALUE("1,234")', "a text that Excel may read as a number"),
        ("=IFERROR(F1+1,0)", "a text that Excel may read as a number"),
        ("=F1+1", "the engine gives #VALUE! where 42 is stored"),
        ('="about "&D1', "a number becomes text, of which Excel writes 15 digits"),
        ("=D3&A1", "a number becomes text"),
        ("=LEN(D2)", "a number becomes text"),
        ("=IF(D1=0.3,1,2)", "two numbers differ beyond the 15 digits"),
        ("=A1+IF(SUM(D1,D1)>0.6,1,2)", "two numbers differ beyond the 15 digits"),
        ('=TEXT(D2,"General")', "TEXT with a format that was not compared"),
        ('=TEXT(A1,"0.0E+00")', "TEXT with a format that was not compared"),
        ('=COUNTIF(E1:E2,"#N/A")', "an error value as a criterion"),
        ("=CEILING(-A5,-2)", "CEILING of a negative number"),
        ("=SUMPRODUCT(LEN(A1:A6))", "LEN of a range, of which the engine takes one cell"),
        ("=SUMPRODUCT(--ISNUMBER(A1:A6))", "ISNUMBER of a range"),
        ("=SUMPRODUCT(1/COUNTIF(G1:G4,G1:G4))", "COUNTIF of a range"),
        ("=SUM(IF(A1:A6=1,B1:B6,0))", "IF of a range, and it was entered as a formula of one cell"),
        ("=SUM(G1:G4*2)", "it computes with a range, and was entered as a formula of one cell"),
        ("=G1:G4*2", "it gives several cells, and was entered as a formula of one"),
        ("=INDEX(A1:B2,0,2)", "it gives several cells"),
        ("=SUM(G1:G4 G2:G3)", "it cuts or joins ranges"),
        ("=MMULT(G1:G2,B1:B1)", "MMULT is not among the functions"),
        ("=SOMEBODYS.FUNCTION(1)", "SOMEBODYS.FUNCTION is not among the functions"),
        ("=nowhere+1", "it has a name or a function that the engine does not know"),
        ("=[1]Sheet1!A1+1", "it refers to another workbook"),
        ("='[Old.xlsx]My sheet'!A1", "it refers to another workbook"),
        ("=SUM(S:T!C6)", "it refers to several sheets at once"),
        ("=tbl_It[[#This Row],[value]]*2", "there is no table 'tbl_It'"),
        ("=K1+1", "circle"),
    ],
)  # fmt: skip
def test_what_differs_is_told_and_left_with_all_that_depends_on_it(
    formula: str, why: str, handle: str, tmp_path: Path
) -> None:
    path = tmp_path / "book.xlsx"
    good = {"K1": 42.0, "L1": 84.0, "N1": 0.5, "M1": 1.0}
    others = {"K1": formula, "L1": "=IF(ISERROR(K1),0,84)", "N1": '=INDIRECT("A1")', "M1": "=A1+A5"}
    book = book_with(handle, path, others, {})
    book["S"].row_dimensions[9].hidden = True
    book.create_sheet("T")
    book.save(path)
    write_values(path, path, {("S", 1, ord(a[0]) - 64): v for a, v in good.items()})
    done = headless.recalculate(path)
    shown = openpyxl.load_workbook(path, data_only=True)["S"]
    assert why in done.left["S!K1"]
    assert done.left["S!L1"] == "it depends on S!K1" and "may refer" in done.left["S!N1"]
    assert {a: shown[a].value for a in good} == {**good, "M1": 6}
    assert set(done.left) == {"S!K1", "S!L1", "S!N1"}
    assert shown["Z2"].value > 0
