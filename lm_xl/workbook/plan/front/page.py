"""A page of the front: words, single formulas with what Python computes for them, and tables that show lines of other sheets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lm_xl.model.cells import YEAR_COLUMN
from lm_xl.model.classes import classes, overlapping
from lm_xl.workbook.plan.front.values import Number, Text, growth, on_axis, ratio, switch_cell
from lm_xl.workbook.plan.layout import CONSTANT, HEADER_ROW
from lm_xl.workbook.plan.lines import RESIDUE_SCALE, Chart, Line, Plan, PythonValues, Words, scale_of
from lm_xl.workbook.plan.report import shown_groups
from lm_xl.xlsx.addresses import column_letters

FIRST_YEAR = 2
"""Column of the first year on a page of the front; labels stand before it, growth and two shares after the last year."""
FRONT_LABEL, FRONT_CLASS, FRONT_TOTAL, FRONT_NOTE = "lm row", "lm class", "lm total", "lm note"


CHART_ROWS = 12
"""Rows that a chart takes."""


class Shown(NamedTuple):
    """A line of a table on the front: its label, its style, and the block and place of the numbers that it shows."""

    label: str | Text
    style: str
    block: str
    at: tuple[int, ...]
    inside: tuple[str, ...] = ()
    """Names of switches that are 1 where the line is no part of what is chosen: then it has no share."""


class Page:
    """Writes a page of the front to a plan."""

    def __init__(self, p: Plan, title: str) -> None:
        self.p, self.sheet = p, p.sheet(title)
        self.title = title
        years = len(p.years)
        self.years = tuple(range(FIRST_YEAR, FIRST_YEAR + years))
        self.growth, self.first_share, self.last_share = (FIRST_YEAR + years + i for i in range(3))

    @property
    def row(self) -> int:
        """The next free row."""
        return self.sheet.row

    def skip(self, rows: int = 1) -> None:
        """Leave rows free."""
        self.sheet.row += rows

    def words(self, row: int, column: int, said: str, style: str = FRONT_LABEL) -> None:
        """Fixed words in a cell."""
        self.sheet.words.append(Words(row, column, said, style))

    def formula(
        self,
        row: int,
        column: int,
        shown: Number | Text,
        *,
        unit: str = "text",
        style: str = FRONT_LABEL,
        name: str = "",
        scale: float = 0,
    ) -> str:
        """One number or text; returns the reference to its cell."""
        array = name or f"{self.title} {column_letters(column)}{row}"
        self.p.measures[array] = shown.measure
        line = Line(
            row=row,
            columns=(column,),
            formula=shown.formula,
            array=array,
            unit=unit,
            style=style,
            scale=scale or scale_of(array),
        )
        self.sheet.lines.append(line)
        return f"'{self.title}'!${column_letters(column)}${row}"

    def heading(self, words: Text) -> int:
        """A band over a table; returns its row."""
        row = self.sheet.take_row()
        self.formula(row, 1, words, style="lm band")
        return row

    def new_page(self) -> None:
        """Print what follows on a new page."""
        self.sheet.breaks.append(self.sheet.row)

    def chart(self, draws: str, title: Text, row: int = 0, column: int = 1) -> None:
        """A chart with a title that says what it shows, at a place or in the next free rows. The title is one cell's text."""
        self.sheet.charts.append(Chart(row or self.row, column, draws, title.formula))
        if not row:
            self.skip(CHART_ROWS)

    def years_header(self, row: int = HEADER_ROW, *, shares: bool = True) -> None:
        """The names of what stands beside the years, which the page itself writes."""
        first, last = self.p.years[0], self.p.years[-1]
        self.words(row, 1, "", "lm header")
        for column, name in (
            (self.growth, f"CAGR {first}-{last}"),
            (self.first_share, f"share {first}"),
            (self.last_share, f"share {last}"),
        ):
            if shares or column == self.growth:
                self.words(row, column, name, "lm year")

    def table(self, lines: Sequence[Shown], unit: str, whole: Shown | None) -> None:
        """Lines of a table, each with its growth and, where there is a whole, its shares of it."""
        for line in lines:
            row = self.sheet.take_row()
            if isinstance(line.label, Text):
                self.formula(row, 1, line.label, style=line.style)
            else:
                self.words(row, 1, line.label, line.style)
            if self._view(row, line, unit):
                self._beside(row, line, whole)

    def _beside(self, row: int, line: Shown, whole: Shown | None) -> None:
        """Growth, and shares of the whole; what is left out of the choice has none."""
        first, last = (self._own(row, line, y) for y in (0, -1))
        style, name = _numbers(line.style), f"{self.title} {row}"
        rate = growth(self.p, first, last)
        self.formula(row, self.growth, rate, unit="per year", style=style, name=f"{name}_cagr")
        for column, part, y in ((self.first_share, first, 0), (self.last_share, last, -1)):
            if whole:
                share = _share(self.p, part, self._there(whole, y), line.inside)
                self.formula(row, column, share, unit="share", style=style)

    def _own(self, row: int, line: Shown, y: int) -> Number:
        """A line's number in one year, on this page."""
        return Number(f"${column_letters(self.years[y])}{row}", lambda python: value(python, line, y))

    def _there(self, line: Shown, y: int) -> Number:
        """A line's number in one year, where it is computed."""
        block, columns = self.p.blocks[line.block], self.p.columns(moving=True)
        row = next(r for r, at in block.keys.items() if at == line.at)
        cell = f"{block.sheet}!${column_letters(columns[y])}${row}"
        return Number(cell, lambda python: value(python, line, y))

    def _view(self, row: int, line: Shown, unit: str) -> bool:
        """Show a line's years; says whether there are any: a structural zero has no line anywhere."""
        block = self.p.blocks[line.block]
        there = next((r for r, at in block.keys.items() if at == line.at), None)
        if there is None:
            return False
        view = Line(
            row=row,
            columns=self.years,
            formula=f"{block.sheet}!{YEAR_COLUMN}{there}",
            array=line.block,
            at=line.at,
            unit=unit,
            style=_numbers(line.style),
            shift=CONSTANT + 1 - FIRST_YEAR,
            scale=RESIDUE_SCALE,
        )
        self.sheet.lines.append(view)
        return True


def _share(p: Plan, part: Number, whole: Number, without: tuple[str, ...]) -> Number:
    """A share, n/a over nothing and where a switch says that the part is no part of what is chosen."""
    if not without:
        return ratio(part, whole)
    left_out = ",".join(f"{switch_cell(p, switch)}=1" for switch in without)

    def share(python: PythonValues) -> float:
        outside = any(python.arrays[f"choice {switch}"].item() for switch in without)
        return float("nan") if outside else ratio(part, whole).measure(python)

    return Number(f'IF(OR({left_out},{whole.formula}=0),"n/a",{part.formula}/{whole.formula})', share)


def value(python: PythonValues, line: Shown, y: int) -> float:
    """What Python computes for a line in one year."""
    x = python.arrays[line.block][(0, *line.at)]
    return float(x[y if len(x) > 1 else 0])


def _numbers(style: str) -> str:
    """The style of the numbers of a line with such a label."""
    return {FRONT_LABEL: "lm figures", FRONT_CLASS: "lm sum", FRONT_TOTAL: "lm total"}[style]


def outline(p: Plan, dim: int, what: str) -> list[Shown]:
    """The lines of a table over an axis: each class with its leaves under it."""
    axes = p.assumptions.axes
    axis, found = axes.axis(dim), []
    for one in classes(axes, dim):
        if len(one.members) > 1:
            found.append(group_line(p, dim, what, one.label, FRONT_CLASS))
            found += [leaf_line(p, dim, what, axis.leaves[i], i) for i in one.members]
        else:
            label = one.label
            found.append(leaf_line(p, dim, what, label, one.members[0], FRONT_CLASS))
    return found


def overlaps(p: Plan, dim: int, what: str) -> list[Shown]:
    """The groups that overlap the classes of an axis."""
    axes = p.assumptions.axes
    return [
        group_line(p, dim, what, g.label, FRONT_LABEL) for g in overlapping(axes, dim, classes(axes, dim))
    ]


def leaf_line(p: Plan, dim: int, what: str, label: str, i: int, style: str = FRONT_LABEL) -> Shown:
    """A line of a leaf."""
    axis = p.assumptions.axes.axis(dim)
    shown = label if style != FRONT_LABEL else f"   {label}"
    return Shown(shown, style, f"{what}_by_{axis.name}", on_axis(dim, i))


def group_line(p: Plan, dim: int, what: str, group: str, style: str) -> Shown:
    """A line of a group."""
    axis = p.assumptions.axes.axis(dim)
    return Shown(group, style, f"{what}_by_{axis.name}_group", on_axis(dim, shown_groups(axis).index(group)))
