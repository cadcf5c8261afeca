"""The steps from our headline to each published size of a whole market, as formulas that follow the cover's scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lm_xl.assumptions.assumptions import Published
from lm_xl.forecasts.reconciliation import Compared, Reconciliation, count_of, reconcilable, steps_of
from lm_xl.model.axes import SEGMENT, SUBTYPE
from lm_xl.workbook.plan.layout import CALCULATION, FIRST_ROW, TOTAL
from lm_xl.workbook.plan.lines import RESIDUE_SCALE, Line, Plan, PythonValues
from lm_xl.workbook.plan.triangulation import SCOPES, Scope, model_year, write_parts
from lm_xl.workbook.plan.writer import PlanWriter
from lm_xl.workbook.reconciled import LINES
from lm_xl.xlsx.addresses import column_letters

RECONCILIATION = "Reconciliation"
ROWS = len(LINES) + 2
"""Of a table: its title, its lines, and a free one."""
AMOUNT, RUNNING, OURS, THEIRS = range(2, 6)
"""Columns of a step's amount, of the total so far, and of what the step moves from and to."""
PARTS = {"headline": "USD million", "own": "USD million", "diagnosed": "patients", "treated": "patients"}
"""What the model says in the region and the year of a figure, and its unit: revenue of the headline and of the figure's own segments, people."""
MILLION = "1000*1000"


@dataclass(frozen=True)
class Table:
    """The steps to one figure: it and the count of patients behind it by their positions in Published, and the row of the title."""

    figure: int
    count: int | None
    row: int

    def row_of(self, line: str) -> int:
        """The row of a line."""
        return self.row + 1 + LINES.index(line)

    def cell(self, line: str, column: int) -> str:
        """The address of a cell of a line."""
        return f"{column_letters(column)}{self.row_of(line)}"

    def part(self, part: str) -> str:
        """The name of the block of a part."""
        return f"reconciliation_{self.figure}_{part}"

    def measure(self, line: str, column: int) -> str:
        """The name of what Python computes for a cell."""
        return f"{self.part(line)} {column_letters(column)}"


def tables_of(p: Plan) -> list[Table]:
    """The tables in the order of Published."""
    a = p.assumptions
    rows = range(FIRST_ROW, FIRST_ROW + ROWS * len(a.published), ROWS)
    return [Table(k, count_of(a, a.published[k]), row) for k, row in zip(reconcilable(a), rows, strict=False)]


def title_of(p: Plan, figure: Published) -> str:
    """What a table is about."""
    year = model_year(p, figure)
    compared = "" if year == figure.year else f", compared with {year}"
    return f"To {figure.publisher}: {figure.what}, {figure.keys.region}, {figure.year}{compared}"


def add_reconciliation(writer: PlanWriter) -> None:
    """Write the steps to each published size."""
    for table in tables_of(writer.plan):
        _write_model(writer, table)
        for line in LINES:
            _write_line(writer.plan, table, line)
    # the page is there without figures too
    writer.plan.sheet(RECONCILIATION)


def _write_model(writer: PlanWriter, table: Table) -> None:
    """What the model says, region by region."""
    a = writer.plan.assumptions
    figure = a.published[table.figure]
    regions = list(a.axes.region.members(figure.keys.region))
    writer.heading(SCOPES, title_of(writer.plan, figure))
    for part, unit in PARTS.items():
        segment = a.axes.headline if part == "headline" else figure.keys.segment
        if unit == "patients":
            scope = Scope(part, regions, SUBTYPE, range(len(a.axes.subtype)))
        else:
            block = "net_sales_by_region_and_segment"
            scope = Scope(block, regions, SEGMENT, a.axes.segment.members(segment))
        labelled = replace(figure, keys=figure.keys._replace(segment=segment))
        write_parts(writer, table.part(part), scope, labelled, unit)


def _write_line(p: Plan, table: Table, line: str) -> None:
    """A line's formulas, each with what Python computes for it."""
    for column, (formula, unit, measure) in _cells(p, table, line).items():
        name = table.measure(line, column)
        p.measures[name] = _of(p, table, measure)
        written = Line(
            row=table.row_of(line),
            columns=(column,),
            formula=formula,
            array=name,
            quantity=p.assumptions.published[table.figure].publisher,
            unit=unit,
            style=TOTAL if line in ("headline", "published") else CALCULATION,
            scale=RESIDUE_SCALE,
        )
        p.sheet(RECONCILIATION).lines.append(written)


Measured = Callable[[Reconciliation], float]


def _of(p: Plan, table: Table, measure: Measured) -> Callable[[PythonValues], float]:
    return lambda python: measure(_python(p, table, python))


def _python(p: Plan, table: Table, python: PythonValues) -> Reconciliation:
    """The steps by Python, for the numbers that are in the inputs and what is chosen."""
    a, figures = p.assumptions, python.numbers.figures
    figure = a.published[table.figure]
    headline, own, diagnosed, treated = (float(python.block(table.part(part)).sum()) for part in PARTS)
    compared = Compared(
        headline=headline * 1000 * 1000,
        own=own * 1000 * 1000,
        published=figures[table.figure],
        diagnosed=diagnosed,
        treated=treated,
        counted=None if table.count is None else figures[table.count],
    )
    count = None if table.count is None else a.published[table.count]
    return Reconciliation(figure, count, model_year(p, figure), compared, steps_of(compared))


def _cells(p: Plan, table: Table, line: str) -> dict[int, tuple[str, str, Measured]]:
    """Column to formula, unit and measure of the cells of a line."""
    at, money = table.cell, "USD million"
    own, counted, share = at("scope", RUNNING), at("patients", THEIRS), at("treated", OURS)
    people = f"SUM({p.range(table.part('treated'))})"
    value = at("published", RUNNING)
    published = f"Published!{p.cells.figures[table.figure]}"
    headline = f"SUM({p.range(table.part('headline'))})"
    if line == "headline":
        return {RUNNING: (headline, money, lambda r: r.compared.headline / 1000 / 1000)}
    if line == "published":
        return {
            RUNNING: (f"{published}/1000/1000", money, lambda r: r.compared.published / 1000 / 1000),
            THEIRS: (_over(f"{value}*{MILLION}", people), "USD", lambda r: r.cost_at_ours),
        }
    place = LINES.index(line) - 1
    first, last = at("scope", AMOUNT), at(line, AMOUNT)
    before = at(LINES[place], RUNNING)
    # words instead of a count leave the step at 0; a share that is no number sums to 0
    nothing = f"{at('patients', OURS)}=0" if line == "patients" else f"SUM({share})=0"
    counted_step = {
        "patients": f"{own}*({counted}/{at('patients', OURS)}-1)",
        "treated": f"{before}*(1/{share}-1)",
    }
    amount = {
        "scope": f"SUM({p.range(table.part('own'))})-{before}",
        "cost": f"{value}-{before}",
    }.get(line) or (
        f"IF(ISNUMBER({counted}),{counted_step[line]},0)"
        if table.count is None
        else f'IF({nothing},"n/a",{counted_step[line]})'
    )
    ours = {
        "patients": f"SUM({p.range(table.part('diagnosed'))})",
        "treated": _over(people, at("patients", OURS)),
        "cost": _over(f"{own}*{MILLION}", people),
    }.get(line)
    cells: dict[int, tuple[str, str, Measured]] = {
        AMOUNT: (amount, money, lambda r: r.steps[place].amount / 1000 / 1000),
        RUNNING: (
            f"{at('headline', RUNNING)}+SUM({first}:{last})",
            money,
            lambda r: r.running[place] / 1000 / 1000,
        ),
    }
    if ours:
        unit = {"patients": "patients", "treated": "share", "cost": "USD"}[line]
        cells[OURS] = (ours, unit, lambda r: r.steps[place].ours)
    if line == "patients" and table.count is not None:
        figure = f"Published!{p.cells.figures[table.count]}"
        cells[THEIRS] = (figure, "patients", lambda r: r.steps[place].theirs)
    if line == "cost":
        payers = people if table.count is None else counted
        cells[THEIRS] = (_over(f"{value}*{MILLION}", payers), "USD", lambda r: r.steps[place].theirs)
    return cells


def _over(part: str, whole: str) -> str:
    """A ratio, or n/a where there is nothing to divide by."""
    return f'IF({whole}=0,"n/a",{part}/{whole})'
