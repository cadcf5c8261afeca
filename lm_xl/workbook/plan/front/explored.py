"""What the explorer adds up: what is chosen on each axis, sums over it in all years, factors, and what each explains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lm_xl.assumptions.assumptions import Keys
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.cells import YEAR_COLUMN, Block, Cell, Symbol, Term, sum_of, text_of
from lm_xl.model.ops import Array
from lm_xl.model.outputs import OUTPUTS
from lm_xl.workbook.plan.front.values import on_axis, switch_cell
from lm_xl.workbook.plan.layout import CONSTANT_LETTER, EXPLORER, FIRST_ROW, KEY_COLUMNS, chosen_cell
from lm_xl.workbook.plan.lines import RESIDUE_SCALE, Line, Plan
from lm_xl.workbook.plan.report import risk_adjusted
from lm_xl.workbook.plan.writer import PlanWriter
from lm_xl.xlsx.addresses import column_letters

CALCULATED = "Calc_Explorer"
FACTORS = {
    "people": ("Patients treated (tests: worked up)", "patients", ("treatment_rate", "suspected_per_case")),
    "uses": ("On the therapy, for each of them", "ratio", ("base_share", "peak_share", "test_use")),
    "months": ("Months or courses for each of these", "months", ("months_on_therapy", "tests_per_patient")),
    "price": ("List price of a month or course", "USD", ("list_price", "price_ratio")),
    "rebates": ("After rebates", "share", ("gross_to_net",)),
    "success": ("Success of the pipeline", "share", ("probability_of_success",)),
}
"""Each factor of the chain: its name, its unit, and the quantities that it comes from."""
ON_THERAPY, MONTHS_CHOSEN = "patients_on_therapy", "sum_months"
EXPLORED, WEIGHTS = "explored_revenue", "weights by "
At = tuple[int, ...]
Arrays = Mapping[str, Array]


def add_sums(writer: PlanWriter) -> None:
    """What is chosen on each axis, then sums over it in all years, then the factors and what each explains."""
    p = writer.plan
    masks = {dim: _mask(p, dim) for dim in KEY_COLUMNS}

    pairs, every = (REGION, SUBTYPE), (REGION, SEGMENT, SUBTYPE)
    heading(p, "Sums over what is chosen, USD and people")
    _weights(p, "gross_sales", every, masks)
    for name, block, dims in (
        ("treated", "treated", pairs),
        ("suspected", "suspected", pairs),
        ("on_therapy", "patients_on_therapy", every),
        ("tests", "tests", every),
        ("gross", "gross_sales", every),
    ):
        _summed(p, f"sum_{name}", block, _weights(p, block, dims, masks))
    sales, patients = (_weights(p, block, every, masks) for block in ("gross_sales", ON_THERAPY))
    heading(
        p, "The same with months of therapy, with what rebates leave, and on average over success and failure"
    )
    cells = writer.cells
    months = Part(ON_THERAPY, cells["treatment_months"], lambda arrays: arrays["treatment_months"])
    _times(p, MONTHS_CHOSEN, "number", patients, [months])
    _times(
        p,
        "sum_net",
        "USD",
        sales,
        [Part("gross_sales", _rebated(p, cells), lambda arrays: _rebated(p, arrays))],
    )
    _times(p, "sum_risk_adjusted", "USD", sales, [
        Part("risk_adjusted_sales", np.ones((1, 1, 1, 1, 1), dtype=int), lambda _: np.ones((1, 1, 1, 1, 1))),
        Part("gross_sales", _kept(p, cells), lambda arrays: _kept(p, arrays)),
    ])  # fmt: skip
    _chain(p, masks)
    _factors(p)


def _rebated(p: Plan, arrays: Arrays) -> Array:
    """What rebates leave of sales, by segment."""
    rebate = arrays["gross_to_net"]
    shape = (*rebate.shape[:2], len(p.assumptions.axes.segment), *rebate.shape[3:])
    return np.broadcast_to(1 - rebate, shape)


def _kept(p: Plan, arrays: Arrays) -> Array:
    """What rebates and failures leave of the sales of entrants and tests; 0 for what entrants displace, which has lines of its own."""
    rebated = _rebated(p, arrays)
    nothing = np.zeros((1, 1, 1, 1, 1), dtype=rebated.dtype)
    return risk_adjusted(p.assumptions.axes.segment, rebated, arrays["success"], nothing)


def _mask(p: Plan, dim: int) -> dict[int, int]:
    """Of each leaf of an axis a line that is 1 where it is chosen; returns the row of each."""
    axis = p.assumptions.axes.axis(dim)
    heading(p, f"What of the {axis.name}s is chosen")
    start = FIRST_ROW + sum(len(p.assumptions.axes.axis(d)) for d in range(REGION, dim))
    rows = {}
    for i, leaf in enumerate(axis.leaves):
        at = start + i
        # the sheet Axes lists with each label its set, its kind and its groups
        own = '&"; "&'.join(f"Axes!${column}${at}" for column in "BCEF")
        find = f'FIND("; "&{chosen_cell(axis.name)}&";","; "&{own}&";")'
        keys = {dim: leaf}
        rows[i] = _line(
            p, f"explored {axis.name}", f"IF(ISNUMBER({find}),1,0)", "0 or 1", on_axis(dim, i), keys
        )
    return rows


def _weights(p: Plan, block: str, dims: Sequence[int], masks: Mapping[int, Mapping[int, int]]) -> str:
    """A line beside each of a block's, in its order: 1 where it is chosen. Returns the name of these lines."""
    # what is weighed on other axes has other weights, at the same positions too
    prefix = f"{WEIGHTS}{' x '.join(p.assumptions.axes.axis(dim).name for dim in dims)} of "
    keys, name = list(p.blocks[block].keys.values()), f"{prefix}{block}"
    known = [b for n, b in p.blocks.items() if n.startswith(prefix)]
    for b in known:
        # lines that follow one another there in the same order are lent
        own = list(b.keys.values())
        first = own.index(keys[0]) if keys and keys[0] in own else len(own)
        if own[first : first + len(keys)] == keys:
            rows = dict(list(b.keys.items())[first : first + len(keys)])
            p.blocks[name], p.moving[name] = Block(CALCULATED, min(rows), max(rows), rows, KEY_COLUMNS), False
            p.reducers[name] = _chosen_on(p, dims)
            return name
    held = {at: row for b in known for row, at in b.keys.items()}
    rows = {}
    heading(p, f"Which lines of {block} are chosen")
    for at in keys:
        chosen_in = "*".join(f"${CONSTANT_LETTER}${masks[dim][at[dim - REGION]]}" for dim in dims)
        formula = f"${CONSTANT_LETTER}{held[at]}" if at in held else chosen_in
        rows[_line(p, name, formula, "0 or 1", at, _labels(p, at, dims))] = at
    top = min(rows, default=p.sheet(CALCULATED).row)
    p.blocks[name] = Block(CALCULATED, top, max(rows, default=top), rows, KEY_COLUMNS)
    p.moving[name] = False
    p.reducers[name] = _chosen_on(p, dims)
    return name


def _chosen_on(p: Plan, dims: Sequence[int]) -> Callable[[Arrays], Array]:
    """1 where an element is chosen on each of these axes."""

    def weights(arrays: Arrays) -> Array:
        x = np.ones((1, 1, 1, 1, 1))
        for dim in dims:
            x = x * arrays[f"explored {p.assumptions.axes.axis(dim).name}"]
        return x

    return weights


class Part(NamedTuple):
    """A block's lines, each times a factor of its segment: as terms of formulas, and as Python's numbers."""

    block: str
    terms: Array
    numbers: Callable[[Arrays], Array]


def _times(p: Plan, name: str, unit: str, weights: str, parts: Sequence[Part]) -> None:
    """The sum of the chosen lines of some blocks, each times its factor: lines of one factor that stand together are one sum."""
    chosen_at = {at: row for row, at in p.blocks[weights].keys.items()}
    names: list[str] = []
    for part in parts:
        block = p.blocks[part.block]
        row_of = {at: row for row, at in block.keys.items()}
        for factor, ats in _runs(part.terms, row_of, chosen_at):
            chosen_in, own = (
                f"{sheet}{letters}${rows[ats[0]]}:{letters}${rows[ats[-1]]}"
                for sheet, letters, rows in (
                    ("", f"${CONSTANT_LETTER}", chosen_at),
                    (f"{block.sheet}!", YEAR_COLUMN, row_of),
                )
            )
            formula, _ = text_of(Symbol(f"SUMPRODUCT({chosen_in},{own})") * factor)
            # what is calculated once is referred to
            before = (line.row for line in p.sheet(CALCULATED).lines if line.formula == formula)
            formula = next((f"{YEAR_COLUMN}{row}" for row in before), formula)
            names.append(f"{name} {len(names)}")
            _row(p, names[-1], formula, unit, _of_run(part, weights, ats))

    def summed(arrays: Arrays) -> Array:
        found = [arrays[n] for n in names]
        return np.sum(np.broadcast_arrays(*found), axis=0) if found else np.zeros((1, 1, 1, 1, 1))

    first, last = (p.blocks[names[k]].first_row for k in (0, -1)) if names else (0, 0)
    _row(p, name, f"SUM({YEAR_COLUMN}{first}:{YEAR_COLUMN}{last})" if names else "0", unit, summed)


def _runs(terms: Array, *rows: Mapping[At, int]) -> list[tuple[Term, list[At]]]:
    """Elements of one factor that follow one another in all of these rows; what is taken 0 times is left out."""
    runs: list[tuple[Term, list[At]]] = []
    for at in rows[0]:
        r, s, q = (k if size > 1 else 0 for k, size in zip(at, terms.shape[1:4], strict=True))
        term = terms[0, r, s, q, 0]
        before = runs[-1] if runs else None
        if (
            before
            and text_of(before[0]) == text_of(term)
            and all(places[at] == places[before[1][-1]] + 1 for places in rows)
        ):
            before[1].append(at)
        elif isinstance(term, Symbol) or term:
            runs.append((term, [at]))
    return runs


def _of_run(part: Part, weights: str, run: Sequence[At]) -> Callable[[Arrays], Array]:
    """The sum of a run of lines."""

    def summed(arrays: Arrays) -> Array:
        x = arrays[part.block] * arrays[weights] * part.numbers(arrays)
        r, s, q = (list(i) for i in zip(*run, strict=True))
        return np.asarray(x[0, r, s, q].sum(axis=0).reshape(1, 1, 1, 1, -1))

    return summed


def _summed(p: Plan, name: str, block: str, weights: str) -> None:
    """A block's lines times their weights, summed, in every year."""

    def summed(arrays: Mapping[str, Array]) -> Array:
        x = arrays[block] * arrays[weights]
        return x.sum(axis=(REGION, SEGMENT, SUBTYPE), keepdims=True)

    b, w = p.blocks[block], p.blocks[weights]
    if not b.keys:
        formula = "0"
    else:
        formula = (
            f"SUMPRODUCT(${CONSTANT_LETTER}${w.first_row}:${CONSTANT_LETTER}${w.last_row},"
            f"{b.sheet}!{YEAR_COLUMN}${b.first_row}:{YEAR_COLUMN}${b.last_row})"
        )
    _row(p, name, formula, OUTPUTS[block].unit, summed)


def _row(p: Plan, name: str, formula: str, unit: str, reduced: Callable[[Arrays], Array]) -> None:
    """A line over the years of what is chosen."""
    row = _line(p, name, formula, unit, (0, 0, 0), {}, moving=True)
    p.blocks[name] = Block(CALCULATED, row, row, {row: (0, 0, 0)}, KEY_COLUMNS)
    p.moving[name] = True
    p.reducers[name] = reduced


def _cell(p: Plan, name: str) -> str:
    """A line's cell of each year."""
    return f"{YEAR_COLUMN}{p.blocks[name].first_row}"


def _chain(p: Plan, masks: Mapping[int, Mapping[int, int]]) -> None:
    """Each link from people to revenue of what is chosen, of therapies and of tests."""
    segment = p.assumptions.axes.segment
    therapies, tests = segment.having("incumbent", "entrant", "rest"), segment.having("test")
    gross, risk, rate = (switch_cell(p, name) for name in ("gross", "risk_adjusted", "rate"))

    def c(name: str) -> str:
        return _cell(p, name)

    def any_of(positions: Sequence[int]) -> str:
        if not positions:
            return "0"
        cells = [Cell(CALCULATED, CONSTANT_LETTER, masks[SEGMENT][i]) for i in positions]
        text = sum_of(cells)
        return f"MIN({getattr(text, 'text', text)},1)"

    def picked(arrays: Arrays, positions: Sequence[int]) -> float:
        return min(float(arrays["explored segment"][0, 0, list(positions)].sum()), 1.0)

    heading(p, "Factors of the revenue of what is chosen")
    _row(
        p,
        "of_therapies",
        any_of(therapies),
        "0 or 1",
        lambda x: np.full((1, 1, 1, 1, 1), picked(x, therapies)),
    )
    _row(p, "of_tests", any_of(tests), "0 or 1", lambda x: np.full((1, 1, 1, 1, 1), picked(x, tests)))
    _row(
        p, "chain_people", f"{c('sum_treated')}*{c('of_therapies')}+{c('sum_suspected')}*{c('of_tests')}", "patients",
        lambda x: x["sum_treated"] * x["of_therapies"] + x["sum_suspected"] * x["of_tests"],
    )  # fmt: skip
    _row(
        p,
        "chain_uses",
        f"{c('sum_on_therapy')}+{c('sum_tests')}",
        "patients",
        lambda x: x["sum_on_therapy"] + x["sum_tests"],
    )
    _row(
        p,
        "chain_units",
        f"{c('sum_months')}+{c('sum_tests')}",
        "number",
        lambda x: x["sum_months"] + x["sum_tests"],
    )
    _row(
        p, "chain_rebated", f"{c('sum_gross')}*{gross}+{c('sum_net')}*(1-{gross})", "USD",
        lambda x: x["sum_gross"] * x["choice gross"] + x["sum_net"] * (1 - x["choice gross"]),
    )  # fmt: skip
    _row(
        p, "chain_sold", f"{c('chain_rebated')}*(1-{risk})+{c('sum_risk_adjusted')}*{risk}", "USD",
        lambda x: x["chain_rebated"] * (1 - x["choice risk_adjusted"]) + x["sum_risk_adjusted"] * x["choice risk_adjusted"],
    )  # fmt: skip
    _row(
        p,
        EXPLORED,
        f"{c('chain_sold')}*{rate}/1000/1000",
        "million",
        lambda x: x["chain_sold"] * x["choice rate"] / 1000 / 1000,
    )


def _factors(p: Plan) -> None:
    """The factors that a year's revenue is the product of, and what each explains of its change."""
    for name, part, whole_of, more in (
        ("people", "chain_people", "", ""),
        ("uses", "chain_uses", "chain_people", ""),
        ("months", "chain_units", "chain_uses", ""),
        ("price", "sum_gross", "chain_units", "rate"),
        ("rebates", "chain_rebated", "sum_gross", ""),
        ("success", "chain_sold", "chain_rebated", ""),
    ):
        _factor(p, f"factor_{name}", part, whole_of, more, FACTORS[name][1])
    first = column_letters(p.columns(moving=True)[0])
    start, now = f"${first}{p.blocks[EXPLORED].first_row}", _cell(p, EXPLORED)
    _row(p, "log_ratio", f'IF({start}*{now}=0,"n/a",LN({now}/{start}))', "number", _log_ratio)
    ratio = _cell(p, "log_ratio")
    mean = f"IF(OR(NOT(ISNUMBER({ratio})),{ratio}=0),{now},({now}-{start})/{ratio})"
    _row(p, "log_mean", mean, "million", _log_mean)
    for name in FACTORS:
        _effect(p, name, first)


def _factor(p: Plan, name: str, part: str, whole_of: str, more: str, unit: str) -> None:
    """A ratio of sums, n/a over nothing."""
    times = f"*{switch_cell(p, more)}" if more else ""
    own = _cell(p, part)
    formula = f'IF({_cell(p, whole_of)}=0,"n/a",{own}/{_cell(p, whole_of)}{times})' if whole_of else own

    def ratio(x: Arrays) -> Array:
        if not whole_of:
            return x[part]
        over_nothing = x[whole_of] == 0
        found = np.divide(x[part], np.where(over_nothing, 1, x[whole_of])) * (
            x[f"choice {more}"] if more else 1
        )
        return np.where(over_nothing, np.nan, found)

    _row(p, name, formula, unit, ratio)


def _log_ratio(x: Arrays) -> Array:
    """The logarithm of the revenue of each year over that of the first; n/a where one of them is nothing."""
    now, start = x[EXPLORED], x[EXPLORED][..., :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((now > 0) & (start > 0), np.log(now / start), np.nan)


def _log_mean(x: Arrays) -> Array:
    """The logarithmic mean of the revenue of each year and of the first."""
    now, start, ratio = x[EXPLORED], x[EXPLORED][..., :1], x["log_ratio"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isnan(ratio) | (ratio == 0), now, (now - start) / ratio)


def _effect(p: Plan, name: str, first: str) -> None:
    """What a factor explains of the change since the first year."""
    row = p.blocks[f"factor_{name}"].first_row
    start, now, mean = f"${first}{row}", _cell(p, f"factor_{name}"), _cell(p, "log_mean")
    known = f"ISNUMBER({_cell(p, 'log_ratio')}),ISNUMBER({start}),ISNUMBER({now})"
    formula = f'IF(AND({known}),{mean}*LN({now}/{start}),"n/a")'

    def effect(x: Arrays) -> Array:
        factor = x[f"factor_{name}"]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = x["log_mean"] * np.log(factor / factor[..., :1])
        return np.where(np.isnan(x["log_ratio"]), np.nan, found)

    _row(p, f"effect_{name}", formula, "million", effect)


def heading(p: Plan, words: str) -> None:
    """A band over lines of the sheet of sums."""
    sheet = p.sheet(CALCULATED)
    sheet.row += sheet.row > FIRST_ROW
    sheet.headings.append((sheet.take_row(), words))


def _line(
    p: Plan, array: str, formula: str, unit: str, at: At, keys: Mapping[int, str], *, moving: bool = False
) -> int:
    """One line of the sheet of sums; returns its row."""
    sheet = p.sheet(CALCULATED)
    row = sheet.take_row()
    sheet.lines.append(
        Line(
            row=row,
            columns=p.columns(moving=moving),
            formula=formula,
            array=array,
            at=at,
            quantity=array,
            keys=Keys(*(keys.get(dim, "") for dim in KEY_COLUMNS)),
            unit=unit,
            origin=EXPLORER,
            scale=1 if unit != "million" else RESIDUE_SCALE,
        )
    )
    return row


def _labels(p: Plan, at: At, dims: Sequence[int]) -> dict[int, str]:
    return {dim: p.assumptions.axes.axis(dim).leaves[at[dim - REGION]] for dim in dims}
