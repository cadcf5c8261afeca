"""The checks of the deliverable, as formulas: each has a value, a tolerance, and fails on an error value too."""

from __future__ import annotations

import numpy as np

from lm_xl.model.axes import SEGMENT
from lm_xl.model.outputs import BASES, OUTPUTS, SHRINKING
from lm_xl.model.quantities import QUANTITIES, Quantity
from lm_xl.workbook.plan.bounds import beyond, bounded_sheets
from lm_xl.workbook.plan.kept_formulas import (
    TYPED_OVER,
    add_kept_formulas,
    none_typed_over,
    row_at_fault,
    rows_by_sheet,
    typed_over,
)
from lm_xl.workbook.plan.layout import (
    CHECKS,
    CONSTANT,
    CONSTANT_LETTER,
    DASHBOARD,
    FIRST_ROW,
    FORMULAS,
    HEADER_ROW,
    INPUTS,
    KEY_COLUMNS,
    LONG,
    LONG_VALUE,
    chosen_cell,
    column_range,
)
from lm_xl.workbook.plan.lines import (
    RESIDUE_SCALE,
    CheckLine,
    Line,
    NumberOf,
    Plan,
    PythonMeasure,
    PythonValues,
)
from lm_xl.workbook.plan.reconciliation import AMOUNT, RECONCILIATION, RUNNING, Table, tables_of
from lm_xl.workbook.plan.report import (
    BY_COMPANY,
    COMPANIES,
    REGIONS,
    SEGMENTS,
    TOTALS,
    shown_groups,
)
from lm_xl.workbook.plan.triangulation import FIRST_FIGURE, PUBLISHED_COLUMN, RATIO_COLUMN, TRIANGULATION
from lm_xl.xlsx.addresses import column_letters

MASTER_ROW, FIRST_CHECK = 6, 8
MASTER = f"{CHECKS}!$B${MASTER_ROW}"
PASSED, FAILED = "All checks pass", "A CHECK FAILS: "
"""What the master check says; after the latter stands where."""
WHAT, VALUE, LIMIT, PASS, ROW_AT_FAULT, WHERE = 2, 3, 4, 5, 8, 9
"""Columns of the sheet: the master check and what a check says, its value, tolerance and pass, the row at fault, and where that is."""

CHECK_TOLERANCE = 1e-6
"""Tolerance of sums and counts: far below a patient, a dollar in a million, a share that anyone would see."""


def add_checks(p: Plan) -> None:
    """Write every check and the master check of a plan."""
    add_kept_formulas(p)
    _formulas(p)
    _order(p)
    _shares(p)
    _sums(p)
    _companies(p)
    _long_data(p)
    _currency(p)
    _totals(p)
    _comparisons(p)
    _reconciliations(p)
    _outputs(p)
    _inputs(p)
    _bounds(p)
    _themselves(p)
    _master(p)


def _master(p: Plan) -> None:
    """Whether all checks pass, or where the first that does not fails."""

    def failing(python: PythonValues) -> int:
        """The place of the first check that fails, 0 where none does."""
        failed = (k for k, check in enumerate(p.checks, 1) if p.measures[_pass_name(check.row)](python) != 1)
        return next(failed, 0)

    def master(python: PythonValues) -> str:
        place = failing(python)
        if not place:
            return PASSED
        check = p.checks[place - 1]
        return FAILED + (check.where or str(p.measures[_where_name(check.row)](python)))

    last = p.checks[-1].row
    passes, wheres = (
        f"${letter}${FIRST_CHECK}:${letter}${last}" for letter in map(column_letters, (PASS, WHERE))
    )
    # where none is 0 but not all are 1, a cell was typed over: the last check counts those
    place = f"IF(MIN({passes})=1,0,IFERROR(MATCH(0,{passes},0),ROWS({passes})))"
    _write(p, MASTER_ROW, "first failing check", VALUE, place, lambda python: float(failing(python)))
    said = f'IF(MIN({passes})=1,"{PASSED}","{FAILED}"&INDEX({wheres},$C${MASTER_ROW}))'
    _write(p, MASTER_ROW, "master", WHAT, said, master)


def _pass_name(row: int) -> str:
    return f"{_check_name(row)} passes"


def _where_name(row: int) -> str:
    return f"where {_check_name(row)} fails"


def _check_name(row: int) -> str:
    return f"check {row - FIRST_CHECK + 1}"


def _check(
    p: Plan,
    what: str,
    formula: str,
    value: NumberOf,
    allowed: tuple[float, float] | None = None,
    where: str | None = None,
) -> int:
    """One check: `{row}` in its formula stands for its row, which is returned. `where` is what the master check says of it."""
    row = FIRST_CHECK + len(p.checks)
    identity = f"C{len(p.checks) + 1:02}"

    def passes(python: PythonValues) -> float:
        return float(value(python) <= CHECK_TOLERANCE)

    where = f"see {CHECKS} {identity}" if where is None else where
    p.checks.append(CheckLine(row, identity, what, CHECK_TOLERANCE, allowed, where))
    _write(p, row, _check_name(row), VALUE, formula.format(row=row), value)
    # without IFERROR an error value would make the master check an error too, where it has to say that a check fails
    _write(p, row, _pass_name(row), PASS, f"IFERROR(IF($C{row}<=$D{row},1,0),0)", passes)
    return row


def _write(p: Plan, row: int, name: str, column: int, formula: str, measure: PythonMeasure) -> None:
    p.measures[name] = measure
    quantity = name.removesuffix(" passes").removesuffix(" fails").removeprefix("where ")
    line = Line(
        row=row,
        columns=(column,),
        formula=formula,
        array=name,
        quantity=quantity,
        style="lm check",
        scale=RESIDUE_SCALE,
    )
    p.sheet(CHECKS).lines.append(line)


# Formulas


def _formulas(p: Plan) -> None:
    """No formula was typed over or cleared."""
    rows = FIRST_ROW, FIRST_ROW + len(p.kept) - 1
    own = column_range(FORMULAS, TYPED_OVER, TYPED_OVER + 1, *rows)
    _kept(p, FORMULAS, typed_over(own), row_at_fault(own))
    for title, rows in rows_by_sheet(p).items():
        counts, places = (column_range(FORMULAS, c, c, *rows) for c in (TYPED_OVER, TYPED_OVER + 1))
        _kept(p, title, f"SUM({counts})", f"MAX({places})")


def _themselves(p: Plan) -> None:
    """Nor one of the checks, nor was a tolerance changed. The last two are seen by no check, but on the page and by Python."""
    for column, what in ((LIMIT, ""), (VALUE, "value"), (PASS, "pass")):
        rows = FIRST_CHECK, FIRST_CHECK + len(p.checks) - 1
        cells = f"${column_letters(column)}${rows[0]}:${column_letters(column)}${rows[1]}"
        if what:
            _kept(p, CHECKS, typed_over(cells), row_at_fault(cells), f" under {what}")
        else:
            bounds = CHECK_TOLERANCE, CHECK_TOLERANCE
            said = "every check has the tolerance that it was built with: how many have not"
            _check(p, said, f'COUNTIF({cells},"<>"&$F{{row}})', none_typed_over, bounds)


def _kept(p: Plan, title: str, typed: str, place: str, under: str = "") -> None:
    """The check that a sheet has its formulas, with the row at fault beside it."""
    what = f"every formula on {title}{under} is one still: how many cells were typed over"
    row = _check(p, what, typed, none_typed_over, where="")
    identity = p.checks[-1].id
    _write(p, row, f"{_check_name(row)} at row", ROW_AT_FAULT, place, none_typed_over)
    said = f'IF($C{row}=0,"","{title} row "&$H{row}&": ")&"see {CHECKS} {identity}"'
    _write(p, row, _where_name(row), WHERE, said, lambda _: f"see {CHECKS} {identity}")


# The model's chain


def _order(p: Plan) -> None:
    """What can only shrink along the chain does."""
    for more, less in SHRINKING:
        # without entrants nothing is claimed
        if less not in p.blocks or not p.blocks[less].keys:
            continue
        a, b = p.range(more), p.range(less)
        what = f"{more} is never below {less}: how often it is"
        _check(p, what, f"SUMPRODUCT(({b}-{a}>$D{{row}})*1)", _times_above(less, more))
    # where one entrant stands alone, what all take is its claim
    claimed = [name for name in ("entrant_claim", "entrant_total") if p.blocks[name].keys]
    if p.blocks["uptake"].keys:
        _check(
            p,
            "entrants leave some of their set to the others: how often they do not",
            "+".join(f'COUNTIF({p.range(name)},">=1")' for name in claimed),
            lambda python: sum(float((python.block(name) >= 1).sum()) for name in claimed),
        )
        a, b = p.range("years_on_market"), p.range("uptake")
        what = "uptake is exactly 0 before launch: how often it is not"
        _check(p, what, f"SUMPRODUCT(({a}=0)*({b}<>0))", _uptake_before_launch)


def _times_above(less: str, more: str) -> NumberOf:
    def count(python: PythonValues) -> float:
        return float((python.block(less) - python.block(more) > CHECK_TOLERANCE).sum())

    return count


def _uptake_before_launch(python: PythonValues) -> float:
    return float(((python.block("years_on_market") == 0) & (python.block("uptake") != 0)).sum())


def _shares(p: Plan) -> None:
    """Exclusive shares sum to 1."""
    for name, what in (
        ("set_share", "shares within a choice set"),
        ("subtype_share_total", "subtype shares within a cancer"),
    ):
        # one member of every set has all of it, whatever the inputs
        if not p.blocks[name].keys:
            continue
        cells = p.range(name)
        # from both sides, so that no share that is too high hides one that is too low
        formula = f"MAX(MAX({cells})-1,1-MIN({cells}))"
        _check(p, f"{what} sum to 1: largest difference", formula, _off_one(name))


def _off_one(name: str) -> NumberOf:
    def difference(python: PythonValues) -> float:
        return float(max(python.block(name).max() - 1, 1 - python.block(name).min()))

    return difference


# Sums


def _sums(p: Plan) -> None:
    """The same total of revenue, whichever way it is added up."""
    world = _world(p, "region")
    what = "revenue by region and by subtype agree: difference of the totals over the years"
    formula = f"ABS(SUM({world})-SUM({_world(p, 'subtype')}))"
    _check(p, what, formula, _difference(_world_revenue("region"), _world_revenue("subtype")))
    block, (first, *_, last) = p.blocks["revenue_by_segment_group"], p.columns(moving=True)
    rows, letter = (block.first_row, block.last_row), KEY_COLUMNS[SEGMENT]
    labels = f"{block.sheet}!${letter}${rows[0]}:${letter}${rows[1]}"
    cells = column_range(block.sheet, first, last, *rows)
    what = "revenue by region is that of the chosen scope by segment: difference of the totals over the years"
    formula = f"ABS(SUM({world})-SUMPRODUCT(({labels}={chosen_cell('scope')})*{cells}))"
    _check(p, what, formula, _difference(_world_revenue("region"), _chosen_scope(p)))
    what = f"regions sum to the total on {REGIONS}: difference over the years"
    formula = f"ABS(SUM({p.range('revenue_by_region')})-SUM({world}))"
    _check(p, what, formula, _difference(_sum_of("revenue_by_region"), _world_revenue("region")))


def _companies(p: Plan) -> None:
    """Companies sum to the revenue of the chosen scope."""
    what = f"companies on {COMPANIES} sum to the revenue of the chosen scope by region: difference over the years"
    formula = f"ABS(SUM({p.range(BY_COMPANY)})-SUM({_world(p, 'region')}))"
    _check(p, what, formula, _difference(_sum_of(BY_COMPANY), _world_revenue("region")))


def _chosen_scope(p: Plan) -> NumberOf:
    """Revenue of the chosen scope in the table by segment."""
    axes = p.assumptions.axes
    groups = shown_groups(axes.segment)

    def revenue(python: PythonValues) -> float:
        without = (python.arrays[f"choice without scope {k}"].item() for k in range(1, len(axes.scopes)))
        place = sum(int(switch == 0) for switch in without)
        return _group_revenue(groups.index(axes.scopes[place]))(python)

    return revenue


def _group_revenue(position: int) -> NumberOf:
    return lambda python: float(python.arrays["revenue_by_segment_group"][0, 0, position].sum())


def _world(p: Plan, axis: str) -> str:
    """The cells of a revenue table's total over the years."""
    block, (first, *_, last) = p.blocks[f"revenue_by_{axis}_group"], p.columns(moving=True)
    return column_range(block.sheet, first, last, block.last_row, block.last_row)


def _world_revenue(axis: str) -> NumberOf:
    return lambda python: float(python.block(f"revenue_by_{axis}_group")[-1].sum())


def _sum_of(name: str) -> NumberOf:
    return lambda python: float(python.block(name).sum())


def _difference(one: NumberOf, other: NumberOf) -> NumberOf:
    return lambda python: abs(one(python) - other(python))


def _long_data(p: Plan) -> None:
    """The long data holds what the model computed."""
    rows = FIRST_ROW, p.sheet(LONG).row - 1
    metrics, values = (column_range(LONG, column, column, *rows) for column in (1, LONG_VALUE))
    for output in ("risk_adjusted_sales", "diagnosed", "treated"):
        name = f"{output}_by_region_and_segment" if output in BASES.values() else output
        formula = f'ABS(SUMIFS({values},{metrics},"{output}")-SUM({p.range(name)}))'
        _check(p, f"{LONG} holds all of {output}: difference", formula, _nothing)


def _nothing(_: PythonValues) -> float:
    """What Python finds where only the workbook can be at fault: a fact left out, a cell that is no number."""
    return 0.0


def _switch(p: Plan, name: str) -> str:
    """The cell of a basis's switch, or of the rate."""
    (line,) = (line for line in p.sheet(INPUTS).lines if line.array == f"choice {name}")
    return f"{INPUTS}!${CONSTANT_LETTER}${line.row}"


def _currency(p: Plan) -> None:
    """Revenue in the report is what the model sold, in the chosen basis and currency."""
    rate = _switch(p, "rate")
    what = f"the currency on the {DASHBOARD} has a rate: 1 where it has none"
    _check(p, what, f"IF({rate}>0,0,1)", _without_rate)
    for basis, output in BASES.items():
        sold = p.range(f"{output}_by_region_and_segment")
        what = f"revenue on {SEGMENTS} is {output} of {TOTALS} in the chosen currency, where that is the chosen basis: difference"
        formula = f"{_switch(p, basis)}*ABS(SUM({_world(p, 'segment')})-SUM({sold})*{rate})"
        _check(p, what, formula, _off_chosen(basis, output))


def _without_rate(python: PythonValues) -> float:
    return float(python.arrays["choice rate"].item() <= 0)


def _off_chosen(basis: str, output: str) -> NumberOf:
    def difference(python: PythonValues) -> float:
        sold = _sum_of(f"{output}_by_region_and_segment")(python) * python.arrays["choice rate"].item()
        # a basis that is not chosen passes, whatever it sold
        chosen: float = python.arrays[f"choice {basis}"].item()
        return chosen * abs(_world_revenue("segment")(python) - sold)

    return difference


def _totals(p: Plan) -> None:
    """Each basis is the same by segment and by subtype."""
    for output in BASES.values():
        names = f"{output}_by_region_and_segment", f"{output}_by_segment_and_subtype"
        if names[1] not in p.blocks:
            continue  # it stands within other formulas
        a, b = (p.range(name) for name in names)
        what = f"{output} by segment and by subtype on {TOTALS} agree: difference"
        _check(p, what, f"ABS(SUM({a})-SUM({b}))", _difference(*(_sum_of(name) for name in names)))


def _comparisons(p: Plan) -> None:
    """Every published figure has its comparison; whether it lies in the band is for a reader to judge."""
    n = len(p.assumptions.published)
    if not n:
        return

    def without_ratio(python: PythonValues) -> float:
        return float(sum(np.isnan(float(p.measures[f"ratio {k}"](python))) for k in range(n)))

    rows = FIRST_FIGURE, FIRST_FIGURE + n - 1
    cells = column_range(TRIANGULATION, RATIO_COLUMN, RATIO_COLUMN, *rows)
    what = f"every published figure on {TRIANGULATION} has a ratio: how many have none"
    _check(p, what, f"ROWS({cells})-COUNT({cells})", without_ratio)


def _reconciliations(p: Plan) -> None:
    """The headline and the steps after it sum to the published value."""
    for table in tables_of(p):
        figure, row = p.assumptions.published[table.figure], FIRST_FIGURE + table.figure
        steps = table.row_of("scope"), table.row_of("cost")
        start = table.row_of("headline")
        headline = column_range(RECONCILIATION, RUNNING, RUNNING, start, start)
        amounts = column_range(RECONCILIATION, AMOUNT, AMOUNT, *steps)
        value = column_range(TRIANGULATION, PUBLISHED_COLUMN, PUBLISHED_COLUMN, row, row)
        what = (
            f"{figure.publisher}, {figure.keys.region} {figure.year}: headline and steps on {RECONCILIATION} "
            "sum to the published value: difference"
        )
        formula = f"ABS(SUM({headline},{amounts})-SUM({value})/1000/1000)"
        _check(p, what, formula, _off_published(p, table))


def _off_published(p: Plan, table: Table) -> NumberOf:
    ends = [p.measures[table.measure(line, RUNNING)] for line in ("cost", "published")]
    return _difference(*((lambda python, end=end: float(end(python))) for end in ends))


# Numbers


def _outputs(p: Plan) -> None:
    """Every cell of the model is a number, and none is negative."""
    first, *_, last = p.columns(moving=True)
    years = column_range(INPUTS, first, last, HEADER_ROW, HEADER_ROW)
    for name in OUTPUTS:
        if name not in p.blocks or not p.blocks[name].keys:
            continue
        cells = p.range(name)
        # lines times years: the cells themselves, named three times, would make a formula too long to read
        lines = f"ROWS({p.range(name, first)})*COLUMNS({years})" if p.moving[name] else f"ROWS({cells})"
        what = f"every cell of {name} is a number: how many are not"
        _check(p, what, f"{lines}-COUNT({cells})", _nothing)
        what = f"no cell of {name} is negative: the lowest, reversed"
        _check(p, what, f"-MIN({cells})", _lowest_reversed(name))


def _lowest_reversed(name: str) -> NumberOf:
    return lambda python: float(-python.block(name).min())


def _inputs(p: Plan) -> None:
    """Every live input is inside its range."""
    last = p.columns(moving=True)[-1]
    for quantity in QUANTITIES.values():
        lines = [
            line for line in p.sheet(INPUTS).lines if line.array == INPUTS and line.quantity == quantity.name
        ]
        if not lines:
            continue
        # all lines of a quantity stand together; columns of years are empty where it does not move
        cells = column_range(INPUTS, CONSTANT, last, lines[0].row, lines[-1].row)
        what = f"{quantity.name} is inside its range: how many values are not"
        formula = f'COUNTIF({cells},"<"&$F{{row}})+COUNTIF({cells},">"&$G{{row}})'
        _check(p, what, formula, _times_outside(quantity, lines), (quantity.least, quantity.most))


def _bounds(p: Plan) -> None:
    """Every value lies between its low and its high."""
    a = p.assumptions
    for sheet, _, sides in bounded_sheets(a):
        formula, count = beyond(a, sheet, sides)
        what = f"every value on {sheet} lies between its low and its high: how many do not"
        _check(p, what, formula, count)


def _times_outside(quantity: Quantity, lines: list[Line]) -> NumberOf:
    def count(python: PythonValues) -> float:
        values = np.concatenate([np.asarray(python.values(line), dtype=float) for line in lines])
        return float(((values < quantity.least) | (values > quantity.most)).sum())

    return count
