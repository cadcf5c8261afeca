"""The explorer: any region, therapy, cancer and year by lists; its revenue, and the chain of factors behind it.

The factors are ratios of sums, so that for any choice they multiply to the revenue. What each contributes to the change since
the first year is a logarithmic mean split (LMDI, Ang 2005), which leaves no rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lm_xl.workbook.plan.front.dashboard import REVENUE, SUBTITLE, subtitle
from lm_xl.workbook.plan.front.drawn import range_of
from lm_xl.workbook.plan.front.explored import CALCULATED, EXPLORED, FACTORS, add_sums, heading
from lm_xl.workbook.plan.front.page import FRONT_LABEL, FRONT_TOTAL, Page, Shown
from lm_xl.workbook.plan.front.sentences import (
    kept,
    millions_in_words,
    percent,
    said_in_millions,
    sentence,
    whole,
)
from lm_xl.workbook.plan.front.values import Number, Text, chosen, in_chosen_year, ratio, shown, switch_cell
from lm_xl.workbook.plan.layout import CONSTANT, EXPLORER, chosen_cell
from lm_xl.workbook.plan.lines import RESIDUE_SCALE, Plan, PythonValues
from lm_xl.workbook.plan.writer import PlanWriter
from lm_xl.xlsx.addresses import column_letters

TILE_ROW, WHY_ROW, YEARS_ROW, CHART_ROW = 8, 12, 22, 29
TILES = (1, 3, 6, 9, 12, 14)
CHART_TITLES = {1: "Revenue, million: ", 8: "What explains it: "}
"""The column of each chart, and how its title begins."""
CHARTS = {1: "choice", 8: "explained"}
MOST_TOLD = 2
"""Quantities whose row is told for a factor."""
FACTOR, THEN, NOW, EXPLAINS, PART, FROM = range(1, 7)
"""Columns of the chain: its factor in the first and in the chosen year, what it explains, the part of the change, where it comes from."""


def add_explorer(writer: PlanWriter) -> None:
    """Write the explorer and the sums behind it."""
    add_sums(writer)
    _page(writer.plan)


def _page(p: Plan) -> None:
    """The answer, why it is so, and all years."""
    page, first, one = Page(p, EXPLORER), p.years[0], (0, 0, 0)
    page.formula(2, 1, Text(SUBTITLE, subtitle().measure), style="lm text", name=f"{EXPLORER} subtitle")
    now = in_chosen_year(p, EXPLORED, one)
    market = in_chosen_year(p, REVENUE, list(p.blocks[REVENUE].keys.values())[-1])
    tiles: tuple[tuple[list[str | Text], list[str | Text]], ...] = (
        ([chosen("currency"), " million in ", chosen("year")], [_millions(p, now)]),
        (
            ["of the market shown"],
            [percent(p, "explored", ratio(*(kept(p, "explored", x) for x in (now, market))))],
        ),
        ([f"growth a year since {first}"], [percent(p, "explored", _growth_since(p, now))]),
        (["patients treated"], [whole(p, "explored", in_chosen_year(p, "chain_people", one))]),
        (["on it, or tests done"], [whole(p, "explored", in_chosen_year(p, "chain_uses", one))]),
        (["P10 to P90, as drawn"], [range_of(p)]),
    )
    for column, (name, said) in zip(TILES, tiles, strict=True):
        for row, pieces, style in ((TILE_ROW, name, "lm tile name"), (TILE_ROW + 1, said, "lm tile words")):
            label = f"explorer {column_letters(column)}{row}"
            if all(isinstance(x, str) for x in pieces):
                page.words(row, column, "".join(map(str, pieces)), style)
            else:
                page.formula(row, column, sentence(p, label, pieces), style=style, name=label)
    _why(p, page, now)
    _all_years(page)
    _charts(p, page)


def _millions(p: Plan, number: Number) -> Text:
    """Millions as words."""
    cell = kept(p, "explored", number).formula
    return Text(millions_in_words(cell), lambda python: said_in_millions(number.measure(python)))


def _growth_since(p: Plan, now: Number) -> Number:
    """Growth a year from the first year to the chosen one; n/a in the first year and from nothing."""
    start = shown(p, EXPLORED, 0)
    a, z = kept(p, "explored", start).formula, kept(p, "explored", now).formula
    years = f"({switch_cell(p, 'year place')}-1)"

    def growth(python: PythonValues) -> float:
        since, before = p.years.index(int(python.choice.year)), start.measure(python)
        return (now.measure(python) / before) ** (1 / since) - 1 if since and before else float("nan")

    return Number(f'IF(OR({a}=0,{years}=0),"n/a",({z}/{a})^(1/{years})-1)', growth)


def _why(p: Plan, page: Page, now: Number) -> None:
    """The chain of factors: then, now, what each explains, and where it comes from."""
    one, first = (0, 0, 0), p.years[0]
    page.words(WHY_ROW, 1, f"Why: what the change since {first} comes from", "lm band")
    for column, name in (
        (FACTOR, "factor"),
        (THEN, str(first)),
        (EXPLAINS, "explains"),
        (PART, "of change"),
        (FROM, "comes from"),
    ):
        page.words(
            WHY_ROW + 1,
            column,
            name,
            "lm year" if column in (THEN, EXPLAINS, PART) else "lm head" if column == FACTOR else "lm header",
        )
    page.formula(
        WHY_ROW + 1,
        NOW,
        Number(chosen_cell("year"), lambda python: float(python.choice.year)),
        unit="year",
        style="lm year",
    )
    origins = _origins(p)
    start = shown(p, EXPLORED, 0)
    for i, (name, (said, unit, _)) in enumerate(FACTORS.items()):
        row = WHY_ROW + 2 + i
        page.words(row, FACTOR, said, FRONT_LABEL)
        page.formula(row, THEN, shown(p, f"factor_{name}", 0), unit=unit, style="lm figures")
        page.formula(row, NOW, in_chosen_year(p, f"factor_{name}", one), unit=unit, style="lm figures")
        effect = in_chosen_year(p, f"effect_{name}", one)
        page.formula(row, EXPLAINS, effect, unit="change", style="lm figures", scale=RESIDUE_SCALE)
        page.formula(
            row, PART, _part(row, effect, start, now), unit="share", style="lm figures", scale=RESIDUE_SCALE
        )
        page.formula(row, FROM, origins(i), style="lm beside")
    row = WHY_ROW + 2 + len(FACTORS)
    page.words(row, FACTOR, "= revenue, million", FRONT_TOTAL)
    page.formula(row, THEN, start, unit="million", style=FRONT_TOTAL)
    page.formula(row, NOW, now, unit="million", style=FRONT_TOTAL)
    change = Number(
        f"${column_letters(NOW)}{row}-${column_letters(THEN)}{row}",
        lambda python: now.measure(python) - start.measure(python),
    )
    page.formula(row, EXPLAINS, change, unit="change", style=FRONT_TOTAL, scale=RESIDUE_SCALE)


def _part(row: int, effect: Number, start: Number, now: Number) -> Number:
    """The part of the change that a factor explains; n/a where nothing changed."""
    own, change = (
        f"${column_letters(EXPLAINS)}{row}",
        f"${column_letters(EXPLAINS)}${WHY_ROW + 2 + len(FACTORS)}",
    )

    def part(python: PythonValues) -> float:
        whole_change = now.measure(python) - start.measure(python)
        return effect.measure(python) / whole_change if whole_change else float("nan")

    return Number(f'IF(AND(ISNUMBER({own}),{change}<>0),{own}/{change},"n/a")', part)


def _origins(p: Plan) -> Callable[[int], Text]:
    """Where the factors of each therapy or class come from: a table of words, and the formula that finds a choice in it."""
    segment, sheet = p.assumptions.axes.segment, p.sheet(CALCULATED)
    heading(p, "Where each factor comes from: sheet, cell and source")
    rows = {label: sheet.take_row() for label in segment.labels}
    said: dict[tuple[str, int], str] = {}
    for label, row in rows.items():
        page = Page(p, CALCULATED)
        page.words(row, 1, "origin", "lm label")
        page.words(row, 3, label, "lm label")
        for i, (_, _, quantities) in enumerate(FACTORS.values()):
            said[label, i] = _origin(p, quantities, segment.members(label))
            page.words(row, CONSTANT + 1 + i, said[label, i], "lm label")
    first, last = min(rows.values()), max(rows.values())
    cell = chosen_cell("segment")

    def found(i: int) -> Text:
        letters = column_letters(CONSTANT + 1 + i)
        at = f"MATCH({cell},{CALCULATED}!$C${first}:$C${last},0)"
        formula = f"INDEX({CALCULATED}!${letters}${first}:${letters}${last},{at})"
        return Text(formula, lambda python: said[str(python.choice.segment), i])

    return found


def _origin(p: Plan, quantities: Sequence[str], members: Sequence[int]) -> str:
    """The rows that some segments' quantities rest on: the one that covers most, its source, and how many more there are."""
    a = p.assumptions
    told = []
    for quantity in quantities:
        cover = a.covers.get(quantity)
        if cover is None:
            continue
        own = cover if cover.shape[1] == 1 else cover[:, list(members)]
        found, counts = np.unique(own[own >= 0], return_counts=True)
        rows = [i for i in found[np.argsort(-counts, kind="stable")].tolist() if a.rows[i].inputs]
        if rows:
            row = a.rows[rows[0]]
            more = f" +{len(rows) - 1}" if len(rows) > 1 else ""
            source = row.sources[0] if row.sources else row.status
            told.append(f"{row.sheet}!{p.cells.rows[rows[0]][0]} ({source}){more}")
    return ", ".join(told[:MOST_TOLD]) or "none: it does not apply"


def _charts(p: Plan, page: Page) -> None:
    """Revenue of the choice over the years, and what explains its change."""
    told = [chosen(what) for what in ("segment", "region", "subtype")]
    for column, what in CHART_TITLES.items():
        pieces: list[str | Text] = [what]
        for one in told:
            pieces += [one, ", "]
        title = sentence(p, f"explorer {what}", pieces[:-1])
        page.chart(CHARTS[column], title, CHART_ROW, column)


def _all_years(page: Page) -> None:
    """Revenue and people in every year."""
    page.words(YEARS_ROW, 1, "In all years", "lm band")
    page.years_header(YEARS_ROW + 1, shares=False)
    page.sheet.row = YEARS_ROW + 2
    for label, block, unit in (
        ("Revenue, million", EXPLORED, "million"),
        ("Patients treated (tests: worked up)", "chain_people", "patients"),
        ("On the therapy, or tests done", "chain_uses", "patients"),
    ):
        page.table([Shown(label, FRONT_LABEL, block, (0, 0, 0))], unit, None)
