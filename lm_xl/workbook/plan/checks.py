"""The checks of the deliverable, as formulas: each has a value, a tolerance, and fails on an error value too."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lm_xl.assumptions.assumptions import Keys
from lm_xl.model.outputs import BASES, OUTPUTS
from lm_xl.model.quantities import QUANTITIES
from lm_xl.workbook.plan.plan import COVER, INPUTS, LONG, Line, Plan
from lm_xl.workbook.plan.python_side import State
from lm_xl.workbook.plan.report import REGIONS, TOTALS
from lm_xl.workbook.plan.triangulation import FIRST_FIGURE, RATIO, TRIANGULATION
from lm_xl.xlsx.addresses import column_letters

CHECKS = "Checks"
FIRST_CHECK = 8
MASTER_CELL = "$B$6"
MASTER = f"{CHECKS}!{MASTER_CELL}"
PASSED, FAILED = "All checks pass", "A CHECK FAILS: see the sheet Checks"
ID, WHAT, VALUE, TOLERANCE, PASS, LEAST, MOST = range(1, 8)
"""Columns of the sheet."""

SMALL = 1e-6
"""Tolerance of sums and counts: far below a patient, a dollar in a million, a share that anyone would see."""

Measure = Callable[[State], float]


def add_checks(p: Plan) -> None:
    """Write every check and the master check of a plan."""
    _Checks(p).write()


class _Checks:
    def __init__(self, p: Plan) -> None:
        self.p = p
        self.row = FIRST_CHECK
        self.passes: list[str] = []

    def write(self) -> None:
        self.order()
        self.shares()
        self.sums()
        self.data()
        self.comparisons()
        self.numbers()
        self.inputs()
        n = self.row - 1
        formula = f'IF(MIN($E${FIRST_CHECK}:$E${n})=1,"{PASSED}","{FAILED}")'
        self.p.measures["master"] = lambda state: (
            PASSED if all(self.p.measures[name](state) == 1 for name in self.passes) else FAILED
        )
        self.line(6, "master", formula, WHAT, "master")

    def line(self, row: int, name: str, formula: str, column: int, array: str) -> None:
        self.p.sheet(CHECKS).lines.append(
            Line(
                row,
                name,
                Keys("", "", ""),
                "",
                "",
                formula,
                (column,),
                array,
                (0, 0, 0),
                "lm check",
                scale=1000,
            )
        )

    def check(
        self, what: str, formula: str, measure: Measure, bounds: tuple[float, float] | None = None
    ) -> None:
        """One check: `{row}` in its formula stands for its row."""
        row, name = self.row, f"check {self.row - FIRST_CHECK + 1}"
        self.p.checks.append((row, f"C{row - FIRST_CHECK + 1:02}", what, SMALL, bounds))
        self.p.measures[name] = measure
        self.line(row, name, formula.format(row=row), VALUE, name)
        self.p.measures[f"{name} passes"] = lambda state: float(measure(state) <= SMALL)
        self.line(row, name, f"IFERROR(IF($C{row}<=$D{row},1,0),0)", PASS, f"{name} passes")
        self.passes.append(f"{name} passes")
        self.row += 1

    def order(self) -> None:
        """What can only shrink along the chain does."""
        for more, less in (
            ("incidence", "metastatic"), ("metastatic", "lm_cases"), ("lm_cases", "diagnosed"), ("diagnosed", "treated"),
            ("gross_price", "net_price"), ("gross_sales", "net_sales"), ("net_sales", "risk_adjusted_sales"),
        ):  # fmt: skip
            a, b = self.p.range(more), self.p.range(less)
            self.check(
                f"{more} is never below {less}: how often it is",
                f"SUMPRODUCT(({b}-{a}>$D{{row}})*1)",
                lambda s, more=more, less=less: float((s.block(less) - s.block(more) > SMALL).sum()),  # type: ignore[misc]
            )
        if "uptake" in self.p.moving and self.p.blocks["uptake"].keys:
            a, b = self.p.range("years_on_market"), self.p.range("uptake")
            self.check(
                "uptake is exactly 0 before launch: how often it is not",
                f"SUMPRODUCT(({a}=0)*({b}<>0))",
                lambda s: float(((s.block("years_on_market") == 0) & (s.block("uptake") != 0)).sum()),
            )

    def shares(self) -> None:
        """Exclusive shares sum to 1."""
        for name, what in (
            ("set_share", "shares within a choice set"),
            ("subtype_share_total", "subtype shares within a cancer"),
        ):
            cells = self.p.range(name)
            self.check(
                f"{what} sum to 1: largest difference",
                f"MAX(MAX({cells})-1,1-MIN({cells}))",
                lambda s, name=name: float(max(s.block(name).max() - 1, 1 - s.block(name).min())),  # type: ignore[misc]
            )

    def sums(self) -> None:
        """The same total, whichever way it is added up."""
        region, *others = ("region", "segment", "subtype")
        for axis in others:
            self.check(
                f"revenue by {region} and by {axis} agree: difference of the totals over the years",
                f"ABS(SUM({self.world(region)})-SUM({self.world(axis)}))",
                _apart(region, axis),
            )
        self.check(
            f"regions sum to the total on {REGIONS}: difference over the years",
            f"ABS(SUM({self.p.range('revenue_by_region')})-SUM({self.world(region)}))",
            lambda s: float(
                abs(s.block("revenue_by_region").sum() - s.block("revenue_by_region_group")[-1].sum())
            ),
        )

    def world(self, axis: str) -> str:
        """The cells of a revenue table's total over the years."""
        block, (first, *_, last) = self.p.blocks[f"revenue_by_{axis}_group"], self.years
        row = block.last_row
        return f"{block.sheet}!${column_letters(first)}${row}:${column_letters(last)}${row}"

    @property
    def years(self) -> tuple[int, ...]:
        return self.p.columns(moving=True)

    def data(self) -> None:
        """The long data holds what the model computed."""
        last = self.p.sheet(LONG).row - 1
        for output in (*BASES.values(), "diagnosed", "treated"):
            name = f"{output}_by_region_and_segment" if output in BASES.values() else output
            formula = f'ABS(SUMIFS({LONG}!$G$6:$G${last},{LONG}!$A$6:$A${last},"{output}")-SUM({self.p.range(name)}))'
            self.check(f"{LONG} holds all of {output}: difference", formula, lambda s, name=name: 0.0)  # type: ignore[misc]
        choices = {
            line.array: f"{INPUTS}!$G${line.row}"
            for line in self.p.sheet(INPUTS).lines
            if line.array.startswith("choice ")
        }
        self.check(
            f"the currency on the {COVER} has a rate: 1 where it has none",
            f"IF({choices['choice rate']}>0,0,1)",
            lambda s: float(s.arrays["choice rate"].item() <= 0),
        )
        for name, output in BASES.items():
            cells = self.p.range(f"{output}_by_region_and_segment")
            self.check(
                f"revenue on {REGIONS} is {output} of {TOTALS} in the chosen currency, where that is the chosen basis: difference",
                f"{choices[f'choice {name}']}*ABS(SUM({self.world('region')})-SUM({cells})*{choices['choice rate']})",
                _off(name, output),
            )
        for basis in BASES.values():
            a, b = (
                self.p.range(f"{basis}_by_region_and_segment"),
                self.p.range(f"{basis}_by_region_and_subtype"),
            )
            self.check(
                f"{basis} by segment and by subtype on {TOTALS} agree: difference",
                f"ABS(SUM({a})-SUM({b}))",
                lambda s, basis=basis: float(  # type: ignore[misc]
                    abs(
                        s.block(f"{basis}_by_region_and_segment").sum()
                        - s.block(f"{basis}_by_region_and_subtype").sum()
                    )
                ),
            )

    def comparisons(self) -> None:
        """Every published figure has its comparison; whether it lies in the band is for a reader to judge."""
        n = len(self.p.assumptions.published)
        if n:
            letter = column_letters(RATIO)
            cells = f"{TRIANGULATION}!${letter}${FIRST_FIGURE}:${letter}${FIRST_FIGURE + n - 1}"
            self.check(
                f"every published figure on {TRIANGULATION} has a ratio: how many have none",
                f"ROWS({cells})-COUNT({cells})",
                lambda s: float(sum(np.isnan(float(self.p.measures[f"ratio {k}"](s))) for k in range(n))),
            )

    def numbers(self) -> None:
        """Every cell of the model is a number, and none is negative."""
        for name in OUTPUTS:
            if not self.p.blocks[name].keys:
                continue
            cells = self.p.range(name)
            self.check(
                f"every cell of {name} is a number: how many are not",
                f"ROWS({cells})*COLUMNS({cells})-COUNT({cells})",
                lambda _: 0.0,
            )
            self.check(
                f"no cell of {name} is negative: the lowest, reversed", f"-MIN({cells})", _lowest(name)
            )

    def inputs(self) -> None:
        """Every live input is inside its range."""
        lines = self.p.sheet(INPUTS).lines
        last = column_letters(self.years[-1])
        for quantity in QUANTITIES.values():
            rows = [line.row for line in lines if line.array == INPUTS and line.quantity == quantity.name]
            if not rows:
                continue
            cells = f"{INPUTS}!$G${rows[0]}:${last}${rows[-1]}"
            self.check(
                f"{quantity.name} is inside its range: how many values are not",
                f'COUNTIF({cells},"<"&$F{{row}})+COUNTIF({cells},">"&$G{{row}})',
                self.outside(quantity.name),
                (quantity.least, quantity.most),
            )

    def outside(self, name: str) -> Measure:
        lines = [
            line for line in self.p.sheet(INPUTS).lines if line.array == INPUTS and line.quantity == name
        ]
        quantity = QUANTITIES[name]

        def count(state: State) -> float:
            values = np.concatenate([np.asarray(state.values(line), dtype=float) for line in lines])
            return float(((values < quantity.least) | (values > quantity.most)).sum())

        return count


def _lowest(name: str) -> Measure:
    return lambda state: float(-state.block(name).min())


def _off(basis: str, output: str) -> Measure:
    def difference(s: State) -> float:
        sold = s.block(f"{output}_by_region_and_segment").sum() * s.arrays["choice rate"].item()
        return float(
            s.arrays[f"choice {basis}"].item() * abs(s.block("revenue_by_region_group")[-1].sum() - sold)
        )

    return difference


def _apart(one: str, other: str) -> Measure:
    return lambda s: float(
        abs(s.block(f"revenue_by_{one}_group")[-1].sum() - s.block(f"revenue_by_{other}_group")[-1].sum())
    )
