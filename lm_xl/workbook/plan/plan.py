"""Where each formula stands: blocks of lines on sheets, one line an element, years across.

A `Plan` is made by running the model on symbolic cells. It is plain data: the writer turns it into a workbook, the verifier
asks Python for the value of each of its cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from lm_xl.assumptions.assumptions import DIMS, Assumptions, Keys, shifted, straight_line
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.cells import BEFORE, ROW, YEAR_COLUMN, Block, Cell, Symbol, Term
from lm_xl.model.ops import Array
from lm_xl.model.outputs import BASIS_NAMES
from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.plan.records import FIRST_ROW, HEADER_ROW, Written
from lm_xl.workbook.plan.report import CAGR, SHARE_FIRST, SHARE_LAST
from lm_xl.xlsx.addresses import column_letters, split_address

KEY_COLUMNS = {REGION: "B", SEGMENT: "C", SUBTYPE: "D"}
CONSTANT = 7
"""Column of a value that does not move; the years follow it, in the same columns on every sheet."""
INPUTS = "Inputs"
COVER, SUMMARY, WORDS = "Cover", "Executive_summary", "Calc_Text"
CHOICES = {"scenario": "C6", "basis": "C7", "currency": "C8"}
"""The cells of the cover that hold what is chosen."""
BAND = {"low": "C9", "high": "C10"}
"""The cells of the cover that hold the band outside of which a comparison with a published figure is amber."""
FIGURES_ROW = 12
"""First row of the key figures on the cover."""
SENTENCES_ROW = 14
"""First row of the sentences on the summary."""
WORDS_VALUE = 3
"""The column of the pieces of the sentences."""
LONG, LONG_VALUE = "Data_long", 7
"""The long data and the column of its values."""
AMOUNT = "G"
"""The column of a scenario delta's amount."""

BY_SET = ("entrant_claim", "entrant_total", "incumbent_claim", "incumbent_total", "share")
"""Blocks ordered region, subtype, segment, so that a choice set's members stand together; the others region, segment, subtype."""


SMALLEST, LEAST_GROWTH = 1e-12, 1e-3
"""Below these, differences are taken relative to them. Growth is a ratio less one and has the ratio's rounding."""


def scale_of(name: str) -> float:
    """From where on the differences of an array are taken relative to its values."""
    return LEAST_GROWTH if name.endswith(("_yoy", "_cagr")) else SMALLEST


@dataclass(frozen=True)
class Line:
    """One formula and the cells of one row that hold it. `array` and `at` name the element whose Python values they must show."""

    row: int
    quantity: str
    keys: Keys
    unit: str
    origin: str
    formula: str
    """Without the equals sign; YEAR_COLUMN stands for each cell's own column."""
    columns: tuple[int, ...]
    array: str
    at: tuple[int, int, int]
    style: str = "lm calculation"
    year: int | None = None
    """For a line that shows one year, its position."""
    skip: int = 0
    """Years left out at the start."""
    scale: float = SMALLEST
    """Differences are taken relative to the value or to this, whichever is larger."""

    def formulas(self) -> Iterator[tuple[int, str]]:
        """Column and formula of each cell."""
        for column in self.columns:
            yield (
                column,
                self.formula.replace(YEAR_COLUMN, column_letters(column)).replace(
                    BEFORE, column_letters(column - 1)
                ),
            )


@dataclass
class Sheet:
    """The lines of one sheet, in rows from FIRST_ROW."""

    title: str
    lines: list[Line] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    row: int = FIRST_ROW

    @property
    def formulas(self) -> int:
        return sum(len(line.columns) for line in self.lines)


@dataclass
class Plan:
    """Every formula of a deliverable. `steps` holds, for each line of Inputs, the row and the deltas applied to it so far."""

    assumptions: Assumptions
    written: Written
    sheets: dict[str, Sheet] = field(default_factory=dict)
    steps: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    texts: dict[str, dict[tuple[str, bool], str]] = field(default_factory=dict)
    """For each sheet, a formula and the cell that already holds it: what is calculated once is referred to."""
    blocks: dict[str, Block] = field(default_factory=dict)
    moving: dict[str, bool] = field(default_factory=dict)
    measures: dict[str, Callable[[Any], float | str]] = field(default_factory=dict)
    """What Python computes for formulas that are no array: checks, comparisons."""
    built: dict[tuple[str, str], float] = field(default_factory=dict)
    """Weighed sums of the inputs at the time of building, by sheet and column."""
    said: int = 0
    """How many numbers the sentences have said so far."""
    kept: dict[str, Array] = field(default_factory=dict)
    """Each block's cells, for what is computed over it later."""
    reducers: dict[str, Callable[[Mapping[str, Array]], Array]] = field(default_factory=dict)
    """Arrays that Python computes from others once the report is made."""
    drivers: list[tuple[int, dict[int, str]]] = field(default_factory=list)
    """Row and words of each line on the sheet of drivers."""
    checks: list[tuple[int, str, str, float, tuple[float, float] | None]] = field(default_factory=list)
    """Row, id, what, tolerance and allowed range of each check."""
    _live: dict[tuple[int, tuple[int, ...]], Cell] = field(default_factory=dict)

    @property
    def years(self) -> tuple[int, ...]:
        return self.assumptions.axes.years

    @property
    def formulas(self) -> int:
        return sum(sheet.formulas for sheet in self.sheets.values())

    def sheet(self, title: str) -> Sheet:
        return self.sheets.setdefault(title, Sheet(title))

    def columns(self, *, moving: bool) -> tuple[int, ...]:
        """The columns of a line: one a year, or the one of constants."""
        return tuple(CONSTANT + 1 + y for y in range(len(self.years))) if moving else (CONSTANT,)

    def spans(self) -> dict[str, dict[int, tuple[str, str]]]:
        """Sheet to row to the first and the last column of a line that runs over the years."""
        return {
            title: {
                line.row: (column_letters(line.columns[0]), column_letters(line.columns[-1]))
                for line in sheet.lines
                if len(line.columns) > 1
            }
            for title, sheet in self.sheets.items()
        }

    # What the report asks of a sink

    def put(
        self,
        title: str,
        name: str,
        x: Array,
        unit: str,
        labels: Sequence[Sequence[str]],
        order: Sequence[int],
        style: str = "lm calculation",
        *,
        skip: int = 0,
    ) -> Array:
        """Write an array of formulas as a block; returns the cells that hold it. Structural zeros get no line."""
        out = x.copy()
        elements = [at for at in _in_order(x.shape[1:4], order) if isinstance(x[(0, *at, 0)], Symbol)]
        moving = any(YEAR_COLUMN in x[(0, *at, 0)].text for at in elements)
        sheet = self.sheet(title)
        rows = range(sheet.row, sheet.row + len(elements))
        block = Block(
            title,
            sheet.row,
            rows[-1] if elements else sheet.row,
            dict(zip(rows, elements, strict=True)),
            KEY_COLUMNS,
        )
        self.blocks[name], self.moving[name] = block, moving
        written = self.texts.setdefault(title, {})
        for row, at in zip(rows, elements, strict=True):
            text = x[(0, *at, 0)].text
            formula = text.replace(ROW, str(row)) if ROW in text else written.get((text, moving), text)
            written.setdefault(
                (text, moving), f"{title}!{YEAR_COLUMN if moving else '$' + column_letters(CONSTANT)}{row}"
            )
            keys = Keys(*(labels[i][p] for i, p in enumerate(at)))
            quantity, columns = name.partition("_by_")[0], self.columns(moving=moving)[skip:]
            sheet.lines.append(
                Line(
                    row,
                    quantity,
                    keys,
                    unit,
                    "",
                    formula,
                    columns,
                    name,
                    at,
                    style,
                    skip=skip,
                    scale=scale_of(name),
                )
            )
            out[(0, *at, 0)] = Cell(title, YEAR_COLUMN if moving else column_letters(CONSTANT), row, block)
        sheet.row += len(elements)
        self.kept[name] = out
        return out

    def beside(self, title: str, place: str, name: str, x: Array, unit: str, block: Array) -> None:
        """Write one more column beside a block's lines."""
        columns = (self.place(place),)
        for at in np.ndindex(*block.shape[1:4]):
            cell, term = block[(0, *at, 0)], x[(0, *at, 0)]
            if isinstance(cell, Cell) and isinstance(term, Symbol):
                style = "lm total" if name.rpartition("_")[0].endswith("_group") else "lm calculation"
                nothing = Keys("", "", "")
                line = Line(
                    cell.row,
                    name,
                    nothing,
                    unit,
                    "",
                    term.text,
                    columns,
                    name,
                    at,
                    style,
                    scale=scale_of(name),
                )
                self.sheet(title).lines.append(line)

    def place(self, place: str) -> int:
        """The column of a growth or a share."""
        return {
            CAGR: CONSTANT - 1,
            SHARE_FIRST: CONSTANT + len(self.years) + 1,
            SHARE_LAST: CONSTANT + len(self.years) + 2,
        }[place]

    def heading(self, title: str, text: str) -> None:
        """Start a table: one free row, then its title."""
        sheet = self.sheet(title)
        sheet.row += sheet.row > FIRST_ROW
        sheet.headings.append((sheet.row, text))
        sheet.row += 1

    def fact(self, metric: str, name: str, x: Array, labels: Sequence[Sequence[str]], unit: str) -> None:
        """Add a block's cells to the long data, one line each."""
        sheet = self.sheet(LONG)
        for at in np.ndindex(*x.shape[1:4]):
            cell = x[(0, *at, 0)]
            if not isinstance(cell, Cell):
                continue
            keys = Keys(*(labels[i][p] for i, p in enumerate(at)))
            for y, column in enumerate(self.columns(moving=True)):
                formula = cell.text.replace(YEAR_COLUMN, column_letters(column))
                sheet.lines.append(
                    Line(
                        sheet.row,
                        metric,
                        keys,
                        unit,
                        str(self.years[y]),
                        formula,
                        (LONG_VALUE,),
                        name,
                        at,
                        year=y,
                    )
                )
                sheet.row += 1

    def figure(self, name: str, x: Array, unit: str, what: str) -> None:
        """Show one number on the cover, and again on the summary."""
        cover, summary = self.sheet(COVER), self.sheet(SUMMARY)
        row = FIGURES_ROW + len(cover.lines)
        for sheet, at, formula in (
            (cover, row, x[0, 0, 0, 0, 0].text),
            (summary, FIRST_ROW + len(summary.lines), f"{COVER}!$C${row}"),
        ):
            nothing = Keys("", "", "")
            line = Line(
                at, what, nothing, unit, "", formula, (3,), name, (0, 0, 0), "lm figure", scale=scale_of(name)
            )
            sheet.lines.append(line)

    def sentence(self, name: str, pieces: Sequence[str | Array]) -> None:
        """Write a sentence: its pieces on a sheet of their own, joined on the summary."""
        sheet = self.sheet(WORDS)
        first = sheet.row
        for i, piece in enumerate(pieces):
            if isinstance(piece, str):
                sheet.headings.append((sheet.row, piece))
            else:
                text = piece.reshape(-1)[0].text
                sheet.lines.append(
                    Line(
                        sheet.row,
                        name,
                        Keys("", "", ""),
                        "text",
                        "",
                        text,
                        (WORDS_VALUE,),
                        f"{name} {i}",
                        (0, 0, 0),
                    )
                )
            sheet.row += 1
        column = column_letters(WORDS_VALUE)
        halves = [range(first, first + len(pieces) // 2), range(first + len(pieces) // 2, sheet.row)]
        for k, half in enumerate(halves):
            joined = "&".join(f"{column}{row}" for row in half)
            sheet.lines.append(
                Line(
                    sheet.row + k,
                    name,
                    Keys("", "", ""),
                    "text",
                    "",
                    joined,
                    (WORDS_VALUE,),
                    f"{name} half {k}",
                    (0, 0, 0),
                )
            )
        summary = self.sheet(SUMMARY)
        row = SENTENCES_ROW + sum(line.style == "lm sentence" for line in summary.lines)
        both = f"{WORDS}!${column}${sheet.row}&{WORDS}!${column}${sheet.row + 1}"
        summary.lines.append(
            Line(row, name, Keys("", "", ""), "text", "", both, (2,), name, (0, 0, 0), "lm sentence")
        )
        sheet.row += 2

    def whole(self, x: Array, unit: str) -> Array:
        """A number as words, in the reader's own number signs; the number stands above its sentence."""
        cell = self._said(x.reshape(-1)[0], f"said {self.said}", unit)
        self.said += 1
        return one(
            Symbol(
                f'IF(ISNUMBER({cell}),FIXED({cell}*100,1)&"%","n/a")'
                if unit == "share"
                else f"FIXED({cell},0)"
            )
        )

    def _said(self, term: Symbol, name: str, unit: str) -> str:
        sheet = self.sheet(WORDS)
        sheet.lines.append(
            Line(sheet.row, "number", Keys("", "", ""), unit, "", term.text, (WORDS_VALUE,), name, (0, 0, 0))
        )
        sheet.row += 1
        return f"{column_letters(WORDS_VALUE)}{sheet.row - 1}"

    def leader(self, name: str, dim: int, labels: Sequence[str], y: int) -> Array:
        """The label of a block's line with the largest number in one year."""
        block = self.blocks[name]
        numbers = self.range(name, self.columns(moving=True)[y])
        names = f"{block.sheet}!${KEY_COLUMNS[dim]}${block.first_row}:${KEY_COLUMNS[dim]}${block.last_row}"
        place = self._said(Symbol(f"MATCH(MAX({numbers}),{numbers},0)"), f"{name} place {y}", "position")
        return one(Symbol(f"INDEX({names},{place})"))

    def range(self, name: str, column: int | None = None) -> str:
        """The cells of a block: all its years, or one column."""
        block = self.blocks[name]
        columns = self.columns(moving=self.moving[name]) if column is None else (column,)
        first, last = column_letters(columns[0]), column_letters(columns[-1])
        return f"{block.sheet}!${first}${block.first_row}:${last}${block.last_row}"

    def chosen(self, what: str) -> Array:
        """The name of the chosen basis, currency or scenario."""
        return one(Symbol("{}!${}${}".format(COVER, *split_address(CHOICES[what]))))

    def at_year(self, x: Array, y: int) -> Array:
        """An array's cells in one year."""
        column = column_letters(self.columns(moving=True)[y])

        def fixed(term: Term) -> Term:
            if isinstance(term, Cell) and term.column == YEAR_COLUMN:
                return Cell(term.sheet, column, term.row, term.block)
            return (
                Symbol(term.text.replace(YEAR_COLUMN, f"${column}"), term.rank)
                if isinstance(term, Symbol)
                else term
            )

        return cast(Array, np.frompyfunc(fixed, 1, 1)(x))

    # What the model starts from

    def inputs(self) -> dict[str, Array]:
        """The live value of every quantity as cells of the Inputs sheet: the assumption, its fill, and the scenario's deltas."""
        a = self.assumptions
        active = self._switches()
        arrays = {}
        for name, cover in a.covers.items():
            reaches = [(k, a.reach(d)) for k, d in enumerate(a.deltas) if d.quantity == name]
            out = np.full((1, *cover.shape, 1), QUANTITIES[name].absent, dtype=object)
            for at in np.ndindex(*cover.shape):
                if cover[at] >= 0:
                    out[(0, *at, 0)] = self._input(
                        int(cover[at]), tuple(k for k, reach in reaches if reach[at]), active
                    )
            arrays[name] = out
        return arrays

    def _input(self, position: int, deltas: tuple[int, ...], active: Mapping[int, Cell]) -> Cell:
        """The cell of an assumption row after some deltas, written on first use."""
        step = (position, deltas)
        if step not in self._live:
            row = self.assumptions.rows[position]
            if deltas:
                delta_row = self.written.delta_rows[deltas[-1]]
                before = self._input(position, deltas[:-1], active)
                amount = Symbol(f"Scenarios!${AMOUNT}${delta_row}")
                (term,) = shifted(
                    one(before),
                    self.assumptions.deltas[deltas[-1]].operation,
                    one(amount),
                    one(active[deltas[-1]]),
                )
                origin = f"Scenarios!{AMOUNT}{delta_row}"
            else:
                term = self._filled(position)
                origin = f"{row.sheet}!{self.written.cells[position][0]}"
            sheet = self.sheet(INPUTS)
            moving = YEAR_COLUMN in term.text
            line = Line(
                sheet.row,
                row.quantity,
                row.keys,
                row.unit,
                origin,
                term.text,
                self.columns(moving=moving),
                INPUTS,
                (len(self.steps), 0, 0),
            )
            sheet.lines.append(line)
            self._live[step] = Cell(INPUTS, YEAR_COLUMN if moving else column_letters(CONSTANT), sheet.row)
            self.steps.append(step)
            sheet.row += 1
        return self._live[step]

    def _filled(self, position: int) -> Symbol:
        """A row's own numbers, over the years by its fill."""
        row = self.assumptions.rows[position]
        cells = [split_address(address) for address in self.written.cells[position]]
        if row.fill == "yearly":
            return Symbol(f"{row.sheet}!{YEAR_COLUMN}{cells[0][1]}")
        numbers = [one(Symbol(f"{row.sheet}!${column}{at}")) for column, at in cells]
        if row.fill == "constant":
            return numbers[0][0]
        year = self.structure()["year"].reshape(1)
        return straight_line(numbers[0], numbers[1], year, self.at_year(year, 0), self.at_year(year, -1))[0]

    def _switches(self) -> dict[int, Cell]:
        """One line a delta on Inputs: 1 where its scenario is the selected one."""
        sheet, selected = self.sheet(INPUTS), self.chosen("scenario")[0].text
        active = {}
        for k, delta in enumerate(self.assumptions.deltas):
            origin = f"Scenarios!A{self.written.delta_rows[k]}"
            formula = f"IF(Scenarios!$A${self.written.delta_rows[k]}={selected},1,0)"
            sheet.lines.append(
                Line(
                    sheet.row,
                    "active",
                    delta.keys,
                    "0 or 1",
                    origin,
                    formula,
                    (CONSTANT,),
                    "active",
                    (k, 0, 0),
                )
            )
            active[k] = Cell(INPUTS, column_letters(CONSTANT), sheet.row)
            sheet.row += 1
        return active

    def choice(self) -> dict[str, Array]:
        """A switch for each basis, 1 for the chosen one, and the chosen currency's units for a dollar."""
        sheet, basis, currency = (
            self.sheet(INPUTS),
            self.chosen("basis")[0].text,
            self.chosen("currency")[0].text,
        )
        last = FIRST_ROW + len(self.assumptions.currencies) - 1
        formulas = {b: f'IF({basis}="{name}",1,0)' for b, name in BASIS_NAMES.items()}
        formulas["rate"] = (
            f"SUMIFS(Currencies!$B${FIRST_ROW}:$B${last},Currencies!$A${FIRST_ROW}:$A${last},{currency})"
        )
        cells = {}
        for name, formula in formulas.items():
            unit = "units per USD" if name == "rate" else "0 or 1"
            sheet.lines.append(
                Line(
                    sheet.row,
                    name,
                    Keys("", "", ""),
                    unit,
                    "Cover",
                    formula,
                    (CONSTANT,),
                    f"choice {name}",
                    (0, 0, 0),
                )
            )
            cells[name] = one(Cell(INPUTS, column_letters(CONSTANT), sheet.row)).reshape(1, 1, 1, 1, 1)
            sheet.row += 1
        return cells

    def structure(self) -> dict[str, Array]:
        """The structure, its year a cell of the axis row, its masks whole numbers."""
        numbers = self.assumptions.structure()
        masks = {
            name: np.vectorize(int, otypes=[object])(x)
            for name, x in numbers.items()
            if name.startswith("is_")
        }
        year = one(Symbol(f"{INPUTS}!{YEAR_COLUMN}${HEADER_ROW}")).reshape(1, 1, 1, 1, 1)
        return {**masks, "year": year, "rest_of": numbers["rest_of"]}


def one(term: Term | str) -> Array:
    """An array of one cell or word."""
    x = np.empty(1, dtype=object)
    x[0] = term
    return x


def _in_order(shape: Sequence[int], order: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Every element (region, segment, subtype), the axes varying in the given order, last fastest."""
    where = [list(order).index(i) for i in range(3)]
    for at in np.ndindex(*(shape[i] for i in order)):
        yield at[where[0]], at[where[1]], at[where[2]]


def leaf_labels(a: Assumptions, shape: Sequence[int]) -> list[tuple[str, ...]]:
    """Labels by position for an array (region, segment, subtype): the total's label where an axis has size 1."""
    return [
        a.axes.axis(d).leaves if shape[i] > 1 or len(a.axes.axis(d)) == 1 else (a.axes.axis(d).total,)
        for i, d in enumerate(DIMS)
    ]
