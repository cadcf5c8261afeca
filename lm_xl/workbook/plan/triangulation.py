"""The model beside published figures, each at its own scope: regions, segments, subtypes, year."""

from __future__ import annotations

import numpy as np

from lm_xl.assumptions.assumptions import Keys, Published
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.model.ops import total_of
from lm_xl.workbook.plan.plan import BAND, COVER, Line, Plan
from lm_xl.workbook.plan.python_side import State
from lm_xl.xlsx.addresses import column_letters, split_address

TRIANGULATION, SCOPES = "Triangulation", "Calc_Triangulation"
LOW, HIGH = 0.5, 2
FIRST_FIGURE = 6
YEAR, PUBLISHED, MODEL, RATIO, STATUS = 7, 9, 10, 11, 12
"""Columns: the model's year, the published value, the model's, their ratio, and whether it lies in the band."""
WITHIN, OUTSIDE = "within the band", "OUTSIDE the band"


def add_triangulation(p: Plan) -> None:
    """Write each published figure's comparison."""
    for k, figure in enumerate(p.assumptions.published):
        _compare(p, k, figure)


def model_year(p: Plan, figure: Published) -> int:
    """The model's year nearest to a figure's."""
    return min(max(figure.year, p.years[0]), p.years[-1])


def _source(p: Plan, figure: Published) -> tuple[str, list[tuple[int, list[int]]]]:
    """The block a figure is compared with, and its scope on the axes that the block has."""
    axes = p.assumptions.axes
    members = {
        REGION: axes.region.members(figure.keys.region),
        SEGMENT: axes.segment.members(figure.keys.segment),
        SUBTYPE: axes.subtype.members(figure.keys.subtype),
    }
    if figure.metric == "patients":
        return "diagnosed", [(REGION, list(members[REGION])), (SUBTYPE, list(members[SUBTYPE]))]
    if len(members[SUBTYPE]) == len(axes.subtype):
        return "net_sales_by_region_and_segment", [
            (REGION, list(members[REGION])),
            (SEGMENT, list(members[SEGMENT])),
        ]
    return "net_sales_by_region_and_subtype", [
        (REGION, list(members[REGION])),
        (SUBTYPE, list(members[SUBTYPE])),
    ]


def _compare(p: Plan, k: int, figure: Published) -> None:
    name, scope = _source(p, figure)
    (_, regions), (dim, members) = scope
    year = p.years.index(model_year(p, figure))
    block = p.at_year(p.kept[name], year)
    parts = total_of(np.take(block, regions, axis=REGION), dim, members)
    axes = p.assumptions.axes
    labels = [[axes.region.leaves[r] for r in regions], (figure.keys.segment,), (figure.keys.subtype,)]
    part = f"triangulation_{k}"
    p.sheet(SCOPES)
    p.heading(SCOPES, f"{figure.publisher}: {figure.what}, {figure.keys}, compared with {p.years[year]}")
    p.put(
        SCOPES, part, parts, "patients" if figure.metric == "patients" else "USD million", labels, (0, 1, 2)
    )
    p.reducers[part] = lambda arrays: total_of(
        np.take(arrays[name][..., [year]], regions, axis=REGION), dim, members
    )
    row, sheet = FIRST_FIGURE + k, p.sheet(TRIANGULATION)
    letters = {c: column_letters(c) for c in (PUBLISHED, MODEL, RATIO)}
    money = "*1000*1000" if figure.metric == "revenue" else ""

    def value(state: State) -> float:
        total = float(state.block(part).sum())
        return total * 1000 * 1000 if money else total

    def ratio(state: State) -> float:
        published = state.numbers.figures[k]
        return value(state) / published if published else float("nan")

    p.measures |= {
        f"published {k}": lambda state: state.numbers.figures[k],
        f"model {k}": value,
        f"ratio {k}": ratio,
        f"status {k}": lambda state: WITHIN if LOW <= ratio(state) <= HIGH else OUTSIDE,
    }
    place = p.written.figures[k]
    low, high = ("{}!${}${}".format(COVER, *split_address(cell)) for cell in BAND.values())
    formulas = {
        PUBLISHED: (f"published {k}", f"Published!{place}"),
        MODEL: (f"model {k}", f"SUM({p.range(part)}){money}"),
        RATIO: (
            f"ratio {k}",
            f'IF({letters[PUBLISHED]}{row}=0,"n/a",{letters[MODEL]}{row}/{letters[PUBLISHED]}{row})',
        ),
        STATUS: (
            f"status {k}",
            f'IF(AND({letters[RATIO]}{row}>={low},{letters[RATIO]}{row}<={high}),"{WITHIN}","{OUTSIDE}")',
        ),
    }
    for column, (measure, formula) in formulas.items():
        unit = {RATIO: "ratio", STATUS: "text"}.get(
            column, "patients" if figure.metric == "patients" else "USD"
        )
        sheet.lines.append(
            Line(row, figure.publisher, Keys("", "", ""), unit, "", formula, (column,), measure, (0, 0, 0))
        )
