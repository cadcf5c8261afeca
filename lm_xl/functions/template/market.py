"""The sheet Market by therapy: class rows first, therapies under each, the total; and the classes as the dashboard draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.functions.template.state import StoredValues, Template
from lm_xl.functions.template.tables import REVENUE
from lm_xl.model.axes import SEGMENT, Axes
from lm_xl.model.classes import classes
from lm_xl.workbook.pages.front import BESIDE_WIDTH, LABEL_WIDTH, LINE_HEIGHT, NUMBER_WIDTH
from lm_xl.workbook.pages.pen import band, header_height, page, start, widths
from lm_xl.workbook.pages.styles import number_format
from lm_xl.workbook.plan.front.markets import THERAPY
from lm_xl.workbook.plan.front.page import FIRST_YEAR
from lm_xl.workbook.plan.layout import FIRST_ROW, HEADER_ROW
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.addresses import Area, address_of, column_letters, column_number

SCOPE_WIDTH = 13
YES, NO = "yes", "no"
LABEL = "A"
"""The column of labels."""
TOP = FIRST_ROW + 1
"""The first line, under its title."""


class Shown(NamedTuple):
    """A line: its label, as the functions take it, and the styles of its label and of its numbers."""

    label: str
    style: str
    numbers: str


class Beside(NamedTuple):
    """The letters of the columns after the years."""

    growth: str
    first_share: str
    last_share: str
    change: str


def beside(axes: Axes) -> Beside:
    """The columns after the years."""
    after = FIRST_YEAR + len(axes.years)
    return Beside(*(column_letters(after + i) for i in range(len(Beside._fields))))


def drawn_rows(axes: Axes) -> range:
    """The rows of the classes as the dashboard draws them: those outside the chosen scope are 0."""
    # The total, a blank row and a title stand between.
    top = TOP + len(_lines(axes)) + 3
    return range(top, top + len(classes(axes, SEGMENT)))


def told_rows(axes: Axes) -> tuple[int, int]:
    """The rows of the class that is largest in the last year and of the one that adds most."""
    # A blank row and a title stand between.
    top = drawn_rows(axes)[-1] + 3
    return top, top + 1


def market(ws: Worksheet, t: Template) -> None:
    """The whole sheet: one function a block, then the classes that are drawn."""
    axes, pen, years = t.axes, t.pen, t.axes.years
    start(ws, "outputs", text("template", "Market"), title=THERAPY)
    last = FIRST_YEAR + len(years) - 1
    scope_columns = range(last + 5, last + 5 + len(axes.scopes))
    widths(
        ws,
        (
            LABEL_WIDTH - 4,
            *[NUMBER_WIDTH] * len(years),
            *[BESIDE_WIDTH] * 4,
            *[SCOPE_WIDTH] * len(axes.scopes),
        ),
    )
    _names(ws, t)
    lines = _lines(axes)
    band(ws, pen, TOP - 1, REVENUE.title, last + 4)
    for row, line in enumerate(lines, TOP):
        pen.text(ws, row, 1, line.label, line.style)
    _block(ws, t, TOP, lines)
    total = TOP + len(lines)
    pen.write(ws, total, 1, "=Segment", "lm total")
    _block(ws, t, total, [Shown(axes.headline, "lm total", "lm total")])
    rows = _drawn(ws, t, {line.label: row for row, line in enumerate(lines, TOP)}, scope_columns)
    for row in range(TOP - 1, ws.max_row + 1):
        ws.row_dimensions[row].height = LINE_HEIGHT
    # The columns of the scopes are not printed: beside them the text would be too small.
    page(
        ws,
        HEADER_ROW,
        freeze="B",
        bands=[Area(1, 1, total, last + 4), Area(rows[0] - 1, 1, ws.max_row, last + 4)],
    )


def _names(ws: Worksheet, t: Template) -> None:
    """The names of the columns."""
    pen, years = t.pen, t.axes.years
    pen.text(ws, HEADER_ROW, 1, "class, therapy or test", "lm header")
    for column, year in enumerate(years, FIRST_YEAR):
        pen.write(ws, HEADER_ROW, column, year, "lm year", number_format("year"))
    named = (
        f"CAGR {years[0]}-{years[-1]}",
        f"share {years[0]}",
        f"share {years[-1]}",
        "change",
        *t.axes.scopes,
    )
    for column, name in enumerate(named, FIRST_YEAR + len(years)):
        pen.text(ws, HEADER_ROW, column, name, "lm year")
    header_height(ws, HEADER_ROW, 3)


def _drawn(ws: Worksheet, t: Template, own: Mapping[str, int], scope_columns: Sequence[int]) -> Sequence[int]:
    """The classes that are drawn, 0 where the chosen scope leaves one out; `own` are their rows above. Returns their rows."""
    axes, pen, rows = t.axes, t.pen, drawn_rows(t.axes)
    last = FIRST_YEAR + len(axes.years) - 1
    band(ws, pen, rows[0] - 1, text("template", "Drawn"), last + 4)
    names, letter = _scope_names(axes), column_letters(scope_columns[0])
    for row, found in zip(rows, classes(axes, SEGMENT), strict=True):
        source = own[found.label]
        for column, scope in zip(scope_columns, axes.scopes, strict=True):
            held = found.members[0] in axes.segment.members(scope)
            pen.text(ws, source, column, YES if held else NO, "lm row")
        flags = f"${letter}{source}:${column_letters(scope_columns[-1])}{source}"
        # What is chosen may be no scope but a therapy: then every class is drawn.
        drawn = f'=IF(COUNTIF({names},Segment)=0,1,COUNTIFS({names},Segment,{flags},"{YES}"))'
        pen.write(ws, row, scope_columns[0], drawn, "lm figures", number_format("0 or 1"))
        pen.text(ws, row, 1, found.label, "lm row")
    drawn_lines = [Shown(c.label, "lm row", "lm figures") for c in classes(axes, SEGMENT)]
    _block(ws, t, rows[0], drawn_lines, f"${letter}{rows[0]}:${letter}{rows[-1]}")
    change, first, end = beside(axes).change, column_letters(FIRST_YEAR), column_letters(last)
    area = f"{change}{rows[0]}:{change}{rows[-1]}"
    less = f"={end}{rows[0]}:{end}{rows[-1]}-{first}{rows[0]}:{first}{rows[-1]}"
    ws[f"{change}{rows[0]}"] = ArrayFormula(area, less)
    for row in rows[1:]:
        ws[f"{change}{row}"].value = None
    _told(ws, t, rows)
    return rows


def gap(t: Template) -> str:
    """The expression of what the drawn classes lack of the chosen scope's revenue; nought where no scope is chosen."""
    axes, rows = t.axes, drawn_rows(t.axes)
    first, last = column_letters(FIRST_YEAR), column_letters(FIRST_YEAR + len(axes.years) - 1)
    total = TOP + len(_lines(axes))
    drawn, sheet = f"{first}{rows[0]}:{last}{rows[-1]}", f"'{THERAPY}'!"
    residue = f"SUM({sheet}{drawn})-SUM({sheet}{first}{total}:{last}{total})"
    scopes = _scope_names(axes).replace("$", "")
    return f"IF(COUNTIF({sheet}{scopes},Segment)=0,0,{residue})"


def _scope_names(axes: Axes) -> str:
    """The cells that name the scopes, after the columns beside the years."""
    first = FIRST_YEAR + len(axes.years) + len(Beside._fields)
    last = first + len(axes.scopes) - 1
    return f"${column_letters(first)}${HEADER_ROW}:${column_letters(last)}${HEADER_ROW}"


def _told(ws: Worksheet, t: Template, rows: range) -> None:
    """The class that is largest in the last year, and the one that adds most, each as a line."""
    last = FIRST_YEAR + len(t.axes.years) - 1
    largest, adds = told_rows(t.axes)
    band(ws, t.pen, largest - 1, text("template", "Told"), last + 4)

    def of_classes(letter: str) -> str:
        return f"{letter}${rows[0]}:{letter}${rows[-1]}"

    for row, letter in ((largest, column_letters(last)), (adds, beside(t.axes).change)):
        most = of_classes(f"${letter}")
        named = f"=INDEX({of_classes('$A')},MATCH(MAX({most}),{most},0))"
        t.pen.write(ws, row, 1, named, "lm row")
        for column in range(FIRST_YEAR, last + 1):
            number = f"=INDEX({of_classes(column_letters(column))},MATCH($A{row},{of_classes('$A')},0))"
            t.pen.write(ws, row, column, number, "lm figures", number_format("million"))
        _beside(ws, t, row, "lm figures")


def _lines(axes: Axes) -> list[Shown]:
    """Each class and, where it has several members, these under it."""
    found = []
    for one in classes(axes, SEGMENT):
        found.append(Shown(one.label, "lm class", "lm sum"))
        if len(one.members) > 1:
            found += [Shown(f"   {axes.segment.leaves[i]}", "lm row", "lm figures") for i in one.members]
    return found


def _block(ws: Worksheet, t: Template, top: int, lines: list[Shown], inside: str = "") -> None:
    """The numbers of some lines as one array formula, and what stands beside each.

    `inside` are cells, one a line, with 1 where the chosen scope holds the line and 0 where its numbers are 0.
    """
    years, results = t.axes.years, t.model.results
    first, last = column_letters(FIRST_YEAR), column_letters(FIRST_YEAR + len(years) - 1)
    stored = []
    for row, line in enumerate(lines, top):
        for column in range(FIRST_YEAR, FIRST_YEAR + len(years)):
            t.pen.write(ws, row, column, None, line.numbers, number_format("million"))
        _beside(ws, t, row, line.numbers)
        label = line.label.strip()
        values = [float(x) / 1e6 for x in results.series("risk_adjusted_sales", segment=label)]
        if inside and not set(t.axes.segment.members(label)) <= set(t.axes.segment.members(t.axes.headline)):
            values = [0.0] * len(years)
        stored.append(
            StoredValues(
                ws.title, f"{first}{row}", f"{'drawn' if inside else 'market'}: {label}", REVENUE.unit, values
            )
        )
    labels, across = f"$A{top}:$A{top + len(lines) - 1}", f"${first}${HEADER_ROW}:${last}${HEADER_ROW}"
    revenue = REVENUE.formulas[SEGMENT].format(labels=labels, years=across)
    formula = t.or_stored(f"{revenue}*{inside}" if inside else revenue, stored)
    area = f"{first}{top}:{last}{top + len(lines) - 1}"
    ws[address_of(top, FIRST_YEAR)] = ArrayFormula(area, t.formula(formula))


def _beside(ws: Worksheet, t: Template, row: int, style: str) -> None:
    """Growth a year, shares of the chosen segment's revenue, and the change from the first year to the last."""
    columns, total = beside(t.axes), TOP + len(_lines(t.axes))
    first, last = column_letters(FIRST_YEAR), column_letters(FIRST_YEAR + len(t.axes.years) - 1)
    intervals = f"${last}${HEADER_ROW}-${first}${HEADER_ROW}"

    def share(letter: str) -> str:
        return f'=IF({letter}${total}=0,"n/a",{letter}{row}/{letter}${total})'

    for letter, formula, unit in (
        (columns.growth, f'=IF({first}{row}=0,"n/a",({last}{row}/{first}{row})^(1/({intervals}))-1)', "per year"),
        (columns.first_share, share(first), "share"),
        (columns.last_share, share(last), "share"),
        (columns.change, f"={last}{row}-{first}{row}", "change"),
    ):  # fmt: skip
        t.pen.write(ws, row, column_number(letter), formula, style, number_format(unit))
