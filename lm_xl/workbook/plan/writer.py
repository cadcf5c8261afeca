"""The sink of formulas: what the report makes of symbolic cells becomes lines of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from lm_xl.assumptions.assumptions import Keys
from lm_xl.model.cells import ROW, YEAR_COLUMN, Block, Cell, Symbol
from lm_xl.model.ops import Array
from lm_xl.workbook.plan.layout import (
    CALCULATION,
    CHOICES,
    CONSTANT_LETTER,
    COVER,
    FIGURES_ROW,
    FIRST_ROW,
    KEY_COLUMNS,
    LONG,
    LONG_VALUE,
    SENTENCES_ROW,
    SUMMARY,
    TOTAL,
    WORDS,
    WORDS_VALUE,
    column_beside,
    cover_cell,
    letters_of,
)
from lm_xl.workbook.plan.lines import Line, Plan, SheetPlan, scale_of
from lm_xl.workbook.plan.report import BY_REGION, Labels, Order
from lm_xl.workbook.plan.terms import in_column, one
from lm_xl.xlsx.addresses import column_letters

WORDS_LETTER = column_letters(WORDS_VALUE)


@dataclass
class PlanWriter:
    """Writes the report's formulas to the sheets of a plan, and returns the cells that hold them."""

    plan: Plan
    cells: dict[str, Array] = field(default_factory=dict)
    """Each block's cells, for what is computed over them later."""
    _written: dict[tuple[str, str, bool], str] = field(default_factory=dict)
    """A sheet's formula, and the cell that already holds it: what is calculated once is referred to."""
    _numbers_said: int = 0

    def put(
        self,
        title: str,
        name: str,
        x: Array,
        unit: str,
        labels: Labels,
        order: Order = BY_REGION,
        style: str = CALCULATION,
        *,
        skip: int = 0,
    ) -> Array:
        """Write an array of formulas as a block; returns the cells that hold it. Structural zeros get no line."""
        p, sheet, out = self.plan, self.plan.sheet(title), x.copy()
        elements = [at for at in _in_order(x.shape[1:4], order) if isinstance(x[(0, *at, 0)], Symbol)]
        # a block runs over the years where any of its lines does, so that one range holds it
        moving = any(YEAR_COLUMN in x[(0, *at, 0)].text for at in elements)
        rows: dict[int, tuple[int, ...]] = dict(
            zip(range(sheet.row, sheet.row + len(elements)), elements, strict=True)
        )
        block = Block(title, sheet.row, max(rows, default=sheet.row), rows, KEY_COLUMNS)
        p.blocks[name], p.moving[name] = block, moving
        for at in elements:
            row = sheet.take_row()
            line = Line(
                row=row,
                columns=p.columns(moving=moving)[skip:],
                formula=self._formula(title, x[(0, *at, 0)].text, row, moving=moving),
                array=name,
                at=at,
                quantity=name.partition("_by_")[0],
                keys=_keys(labels, at),
                unit=unit,
                style=style,
                skip=skip,
                scale=scale_of(name),
            )
            sheet.lines.append(line)
            out[(0, *at, 0)] = Cell(title, letters_of(moving=moving), row, block)
        self.cells[name] = out
        return out

    def _formula(self, title: str, text: str, row: int, *, moving: bool) -> str:
        """A formula, or a reference to the cell of its sheet that holds the same one."""
        if ROW in text:
            # one that names its own row computes something else in each
            return text.replace(ROW, str(row))
        key = title, text, moving
        if key in self._written:
            return self._written[key]
        self._written[key] = f"{title}!{YEAR_COLUMN if moving else f'${CONSTANT_LETTER}'}{row}"
        return text

    def beside(self, title: str, place: str, name: str, x: Array, unit: str, block: Array) -> None:
        """Write one more column beside a block's lines."""
        columns = (column_beside(place, len(self.plan.years)),)
        total = name.rpartition("_")[0].endswith("_group")
        for at in np.ndindex(*block.shape[1:4]):
            cell, term = block[(0, *at, 0)], x[(0, *at, 0)]
            if isinstance(cell, Cell) and isinstance(term, Symbol):
                line = Line(
                    row=cell.row,
                    columns=columns,
                    formula=term.text,
                    array=name,
                    at=at,
                    quantity=name,
                    unit=unit,
                    style=TOTAL if total else CALCULATION,
                    scale=scale_of(name),
                )
                self.plan.sheet(title).lines.append(line)

    def heading(self, title: str, text: str) -> None:
        """Start a table: one free row, then its title."""
        sheet = self.plan.sheet(title)
        sheet.row += sheet.row > FIRST_ROW
        sheet.headings.append((sheet.take_row(), text))

    def fact(self, metric: str, name: str, x: Array, labels: Labels, unit: str) -> None:
        """Add a block's cells to the long data, one line each."""
        sheet, columns = self.plan.sheet(LONG), self.plan.columns(moving=True)
        for at in np.ndindex(*x.shape[1:4]):
            cell = x[(0, *at, 0)]
            if not isinstance(cell, Cell):
                continue
            for y, year in enumerate(self.plan.years):
                line = Line(
                    row=sheet.take_row(),
                    columns=(LONG_VALUE,),
                    formula=cell.text.replace(YEAR_COLUMN, column_letters(columns[y])),
                    array=name,
                    at=at,
                    quantity=metric,
                    keys=_keys(labels, at),
                    unit=unit,
                    origin=str(year),
                    year=y,
                )
                sheet.lines.append(line)

    def figure(self, name: str, x: Array, unit: str, what: str) -> None:
        """Show one number on the cover, and again on the summary."""
        cover, summary = self.plan.sheet(COVER), self.plan.sheet(SUMMARY)
        row = FIGURES_ROW + len(cover.lines)
        for sheet, at, formula in (
            (cover, row, x.item().text),
            (summary, FIRST_ROW + len(summary.lines), f"{COVER}!$C${row}"),
        ):
            line = Line(
                row=at,
                columns=(3,),
                formula=formula,
                array=name,
                quantity=what,
                unit=unit,
                style="lm figure",
                scale=scale_of(name),
            )
            sheet.lines.append(line)

    def sentence(self, name: str, pieces: Sequence[str | Array]) -> None:
        """Write a sentence: its pieces on a sheet of their own, joined on the summary.

        It is joined in two halves, so that no formula grows long.
        """
        sheet, first = self.plan.sheet(WORDS), self.plan.sheet(WORDS).row
        for i, piece in enumerate(pieces):
            row = sheet.take_row()
            if isinstance(piece, str):
                sheet.headings.append((row, piece))
            else:
                _words(sheet, row, name, piece.item().text, f"{name} {i}")
        middle = first + len(pieces) // 2
        halves = [range(first, middle), range(middle, sheet.row)]
        joined = []
        for k, half in enumerate(halves):
            row = sheet.take_row()
            _words(sheet, row, name, "&".join(f"{WORDS_LETTER}{r}" for r in half), f"{name} half {k}")
            joined.append(f"{WORDS}!${WORDS_LETTER}${row}")
        summary = self.plan.sheet(SUMMARY)
        row = SENTENCES_ROW + sum(line.style == "lm sentence" for line in summary.lines)
        _words(summary, row, name, "&".join(joined), name, column=2, style="lm sentence")

    def whole(self, x: Array, unit: str) -> Array:
        """A number as words, in the reader's own number signs; the number stands above its sentence."""
        cell = self._number(x.item().text, f"said {self._numbers_said}", unit)
        self._numbers_said += 1
        if unit == "share":
            return one(Symbol(f'IF(ISNUMBER({cell}),FIXED({cell}*100,1)&"%","n/a")'))
        return one(Symbol(f"FIXED({cell},0)"))

    def leader(self, name: str, dim: int, labels: Sequence[str], y: int) -> Array:
        """The label of a block's line with the largest number in one year."""
        p, block, letter = self.plan, self.plan.blocks[name], KEY_COLUMNS[dim]
        numbers = p.range(name, p.columns(moving=True)[y])
        names = f"{block.sheet}!${letter}${block.first_row}:${letter}${block.last_row}"
        place = self._number(f"MATCH(MAX({numbers}),{numbers},0)", f"{name} place {y}", "position")
        return one(Symbol(f"INDEX({names},{place})"))

    def _number(self, formula: str, array: str, unit: str) -> str:
        """The cell of a number that a sentence is about to say."""
        sheet = self.plan.sheet(WORDS)
        row = sheet.take_row()
        line = Line(
            row=row, columns=(WORDS_VALUE,), formula=formula, array=array, quantity="number", unit=unit
        )
        sheet.lines.append(line)
        return f"{WORDS_LETTER}{row}"

    def chosen(self, what: str) -> Array:
        """The name of the chosen basis, currency or scenario."""
        return one(Symbol(cover_cell(CHOICES[what])))

    def at_year(self, x: Array, y: int) -> Array:
        """An array's cells in one year."""
        return in_column(x, column_letters(self.plan.columns(moving=True)[y]))


def _words(
    sheet: SheetPlan,
    row: int,
    sentence: str,
    formula: str,
    array: str,
    column: int = WORDS_VALUE,
    style: str = CALCULATION,
) -> None:
    line = Line(
        row=row, columns=(column,), formula=formula, array=array, quantity=sentence, unit="text", style=style
    )
    sheet.lines.append(line)


def _keys(labels: Labels, at: Sequence[int]) -> Keys:
    return Keys(*(labels[i][position] for i, position in enumerate(at)))


def _in_order(shape: Sequence[int], order: Order) -> Iterator[tuple[int, int, int]]:
    """Every element (region, segment, subtype), the axes varying in the given order, last fastest."""
    where = [order.index(i) for i in range(3)]
    for at in np.ndindex(*(shape[i] for i in order)):
        yield at[where[0]], at[where[1]], at[where[2]]
