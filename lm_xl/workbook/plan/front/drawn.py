"""Percentiles of the draws for what the explorer shows: looked up on the sheet that holds them, where a label was drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lm_xl.workbook.plan.front.explored import CALCULATED, heading
from lm_xl.workbook.plan.front.sentences import kept, millions_in_words, said_in_millions, sentence
from lm_xl.workbook.plan.front.values import Number, Text, switch_cell
from lm_xl.workbook.plan.layout import CONSTANT, CONSTANT_LETTER, EXPLORER, FIRST_ROW, chosen_cell
from lm_xl.workbook.plan.lines import Line, Plan, PythonMeasure, PythonValues
from lm_xl.xlsx.addresses import column_letters
from lm_xl.xlsx.engines import stored_values

PERCENTILES = "Percentiles"
FAN_ROWS = 9
"""Rows of a fan on that sheet: a band, column names, six lines, a blank."""
FIRST_DRAWN = FIRST_ROW + 2 * FAN_ROWS + 2
"""Its first row of a label, below two fans."""
MOST_LINES = 2000
NOT_DRAWN = "not drawn"

Drawn = Mapping[str, tuple[float, ...]]
"""The key of a line to its values over the years."""


def key_of(metric: str, region: str, segment: str, subtype: str, statistic: str) -> str:
    """What a line is found by; labels of axes that it does not have are empty."""
    return "|".join((metric, region, segment, subtype, statistic))


def drawn_in(path: Path, years: int) -> Drawn:
    """The percentiles that a delivered file holds."""
    last = CONSTANT + years + 1
    rows = stored_values(path, {PERCENTILES: (MOST_LINES, last)})[PERCENTILES]
    found = {}
    for row in rows[FIRST_DRAWN - 1 :]:
        key, values = row[last - 1], row[CONSTANT : CONSTANT + years]
        if isinstance(key, str) and all(isinstance(x, int | float) for x in values):
            found[key] = tuple(float(x) for x in values)
    return found


def range_of(p: Plan) -> Text:
    """P10 to P90 of the choice in its year, or that there is none."""
    region, segment, subtype = (chosen_cell(what) for what in ("region", "segment", "subtype"))
    axes = p.assumptions.axes
    heading(p, "Percentiles of what is chosen, as drawn when the workbook was built")
    r = _text(
        p,
        "drawn region",
        f'IF({region}="{axes.region.total}","",{region})',
        lambda python: _keys(p, python)[0],
    )
    q = _text(
        p,
        "drawn subtype",
        f'IF({subtype}="{axes.subtype.total}","",{subtype})',
        lambda python: _keys(p, python)[2],
    )
    # the headline of a region or of a cancer is drawn under its own label alone
    own = f'IF(AND({segment}="{axes.headline}",{r}&{q}<>""),"",{segment})'
    s = _text(p, "drawn segment", own, lambda python: _keys(p, python)[1])
    ends = [
        _end(p, statistic, f'"revenue|"&{r}&"|"&{s}&"|"&{q}&"|{statistic}"') for statistic in ("P10", "P90")
    ]
    low = ends[0].formula

    def said(python: PythonValues) -> str:
        found = [end.measure(python) for end in ends]
        return NOT_DRAWN if found[0] != found[0] else " to ".join(map(said_in_millions, found))

    words = [
        f"{CALCULATED}!{_text(p, f'drawn words of {end}', _words(number), _said(number))}"
        for end, number in zip(("low", "high"), ends, strict=True)
    ]
    shown = Text(f'IF(ISNUMBER({low}),{words[0]}&" to "&{words[1]},"{NOT_DRAWN}")', said)
    return sentence(p, "drawn", [shown])


def _words(number: Number) -> str:
    return f'IF(ISNUMBER({number.formula}),{millions_in_words(number.formula)},"n/a")'


def _said(number: Number) -> PythonMeasure:
    def said(python: PythonValues) -> str:
        x = number.measure(python)
        return "n/a" if x != x else said_in_millions(x)

    return said


def _end(p: Plan, statistic: str, key: str) -> Number:
    """One end of the range."""
    years = len(p.years)
    keys, last = column_letters(CONSTANT + years + 1), FIRST_DRAWN + MOST_LINES
    cell = _text(
        p, f"drawn key of {statistic}", key, lambda python: key_of("revenue", *_keys(p, python), statistic)
    )
    column = f"{PERCENTILES}!${keys}${FIRST_DRAWN}:${keys}${last}"
    found = f'IF(COUNTIF({column},{cell})=0,"n/a",MATCH({cell},{column},0))'
    place = _text(
        p, f"drawn place of {statistic}", found,
        lambda python: _place(p, python, statistic),
    )  # fmt: skip
    first, end = (column_letters(c) for c in (CONSTANT + 1, CONSTANT + years))
    table = f"{PERCENTILES}!${first}${FIRST_DRAWN}:${end}${last}"
    found = f'IF(ISNUMBER({CALCULATED}!{place}),INDEX({table},{CALCULATED}!{place},{switch_cell(p, "year place")}),"n/a")'

    def number(python: PythonValues) -> float:
        values = p.drawn.get(key_of("revenue", *_keys(p, python), statistic))
        return values[p.years.index(python.choice.year)] if values else float("nan")

    return kept(p, f"drawn {statistic}", Number(found, number))


def _keys(p: Plan, python: PythonValues) -> tuple[str, str, str]:
    """The labels that the choice is drawn under."""
    axes, choice = p.assumptions.axes, python.choice
    region = "" if choice.region == axes.region.total else choice.region
    subtype = "" if choice.subtype == axes.subtype.total else choice.subtype
    segment = "" if choice.segment == axes.headline and region + subtype else choice.segment
    return region, segment, subtype


def _place(p: Plan, python: PythonValues, statistic: str) -> float:
    key = key_of("revenue", *_keys(p, python), statistic)
    return float(list(p.drawn).index(key) + 1) if key in p.drawn else float("nan")


def _text(p: Plan, name: str, formula: str, measure: PythonMeasure) -> str:
    """A cell of the sheet of sums with words or a place; returns its reference."""
    sheet = p.sheet(CALCULATED)
    row = sheet.take_row()
    p.measures[name] = measure
    sheet.lines.append(
        Line(
            row=row,
            columns=(CONSTANT,),
            formula=formula,
            array=name,
            quantity=name,
            unit="text",
            origin=EXPLORER,
        )
    )
    return f"${CONSTANT_LETTER}${row}"
