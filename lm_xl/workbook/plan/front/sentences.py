"""Sentences that follow the numbers: their pieces on a sheet of their own, joined there, shown on the pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lm_xl.workbook.plan.front.values import Number, Text
from lm_xl.workbook.plan.layout import WORDS, WORDS_VALUE
from lm_xl.workbook.plan.lines import Line, Plan, PythonMeasure, PythonValues
from lm_xl.xlsx.addresses import column_letters

LETTER = column_letters(WORDS_VALUE)
JOINED = 8
"""Pieces that one formula joins, so that none grows long."""


def sentence(p: Plan, name: str, pieces: Sequence[str | Text]) -> Text:
    """Write a sentence's pieces; returns the formula that shows the whole."""
    sheet, cells = p.sheet(WORDS), []
    for i, piece in enumerate(pieces):
        if isinstance(piece, Text) and (row := _known(p, piece.formula)):
            cells.append(f"{LETTER}{row}")
            continue
        row = sheet.take_row()
        cells.append(f"{LETTER}{row}")
        if isinstance(piece, str):
            sheet.headings.append((row, piece))
        else:
            _write(p, row, name, piece.formula, f"{name} {i}", piece.measure)
    joined = []
    for k in range(0, len(pieces), JOINED):
        row = sheet.take_row()
        some = "&".join(cells[k : k + JOINED])
        _write(p, row, name, some, f"{name} joined {k}", _said(pieces[k : k + JOINED]))
        joined.append(f"{WORDS}!${LETTER}${row}")
    return Text("&".join(joined), _said(pieces))


def kept(p: Plan, name: str, number: Number) -> Number:
    """A number in a cell of its own, above the sentence that says it: formulas over it stay short."""
    row = _known(p, number.formula)
    if not row:
        row = p.sheet(WORDS).take_row()
        _write(p, row, name, number.formula, f"{name} number {row}", number.measure, "number")
    return Number(f"{WORDS}!${LETTER}${row}", number.measure)


def whole(p: Plan, name: str, number: Number) -> Text:
    """A number without decimals."""
    cell = kept(p, name, number).formula

    def said(python: PythonValues) -> str:
        x = number.measure(python)
        return "n/a" if x != x else f"{x:,.0f}"

    return Text(f'IF(ISNUMBER({cell}),FIXED({cell},0),"n/a")', said)


def millions_in_words(cell: str) -> str:
    """A formula for millions with four digits at least: one decimal, none from a thousand on."""
    return f"FIXED({cell},1*({cell}<1000))"


def said_in_millions(x: float) -> str:
    """What it says."""
    return f"{x:,.{int(x < 1000)}f}"


def signed(p: Plan, name: str, number: Number) -> Text:
    """A number without decimals and with its sign."""
    cell = kept(p, name, number).formula

    def said(python: PythonValues) -> str:
        x = number.measure(python)
        sign = "" if abs(x) + abs(x) < 1 else "-" if x < 0 else "+"
        return f"{sign}{abs(x):,.0f}"

    return Text(f'IF(ABS({cell})+ABS({cell})<1,"",MID("-+",1+({cell}>0),1))&FIXED(ABS({cell}),0)', said)


def percent(p: Plan, name: str, number: Number) -> Text:
    """A share or a growth a year as per cent."""
    cell = kept(p, name, number).formula

    def said(python: PythonValues) -> str:
        x = number.measure(python)
        return "n/a" if x != x else f"{x * 100:,.1f}%"

    return Text(f'IF(ISNUMBER({cell}),FIXED({cell}*100,1)&"%","n/a")', said)


def _known(p: Plan, formula: str) -> int:
    """The row that holds a formula already, 0 where none does: what is calculated once is referred to."""
    return next((line.row for line in p.sheet(WORDS).lines if line.formula == formula), 0)


def _said(pieces: Sequence[str | Text]) -> Callable[[PythonValues], str]:
    return lambda python: "".join(x if isinstance(x, str) else str(x.measure(python)) for x in pieces)


def _write(
    p: Plan, row: int, name: str, formula: str, array: str, measure: PythonMeasure, unit: str = "text"
) -> None:
    p.measures[array] = measure
    line = Line(row=row, columns=(WORDS_VALUE,), formula=formula, array=array, quantity=name, unit=unit)
    p.sheet(WORDS).lines.append(line)
