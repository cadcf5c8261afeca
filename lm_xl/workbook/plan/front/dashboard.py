"""The dashboard: what is shown, six tiles, three sentences, and the classes that its charts draw."""

from __future__ import annotations

from lm_xl.model.axes import SEGMENT
from lm_xl.workbook.plan.front.page import Page
from lm_xl.workbook.plan.front.ranking import rank, ranked
from lm_xl.workbook.plan.front.sentences import kept, percent, sentence, signed, whole
from lm_xl.workbook.plan.front.values import (
    Number,
    Text,
    chosen,
    growth,
    ratio,
    shown,
)
from lm_xl.workbook.plan.layout import CONSTANT_LETTER, DASHBOARD, KEY_COLUMNS
from lm_xl.workbook.plan.lines import Plan, PythonValues
from lm_xl.workbook.plan.staleness import held_by
from lm_xl.xlsx.addresses import column_letters, place_of

SUBTITLE = f"{DASHBOARD}!$A$2"
"""What every page of the front repeats: scenario, scope, basis and currency."""
TILES = (1, 3, 5, 7, 9, 11)
"""Columns of the tiles; each has a name, a value and a note, one below the other. The last one's range is that of the draws."""
TILE_ROW, SENTENCE_ROW = 8, 12
CHARTS = {"A16": "hero", "H16": "shares", "A28": "funnel", "H28": "fan"}
"""Where each chart stands."""
CLASSES, DRAWN, DRAWN_BY_NAME = "revenue_by_class", "drawn_by_class", 7
"""Revenue of the chosen scope by class, and as charts draw it: the largest classes of the last year by name, the others as one."""
REVENUE, TREATED, DIAGNOSED = "revenue_by_region_group", "treated_by_world", "diagnosed_by_world"
GAINS, PRODUCT_GAINS, EXPIRY = "gain_by_class", "gain_by_segment", "expiry_by_segment"
LABELS = KEY_COLUMNS[SEGMENT]


def add_dashboard(p: Plan) -> None:
    """Write the dashboard. The tables that it speaks of must be there."""
    page = Page(p, DASHBOARD)
    page.formula(2, 1, subtitle(), style="lm text", name="subtitle")
    largest, *_ = rank(p, CLASSES, DRAWN, DRAWN_BY_NAME, SEGMENT)
    _tiles(p, page, largest)
    for row, (lead, said) in enumerate(
        (
            ("What grew", _what_grew(p)),
            ("Driven by", _what_drives(p)),
            ("Ended by", _what_ends(p)),
        ),
        SENTENCE_ROW,
    ):
        page.words(row, 1, lead, "lm lead")
        page.formula(row, 2, said, style="lm sentence", name=lead)

    first, last, shown_now = p.years[0], p.years[-1], Text(SUBTITLE, subtitle().measure)
    titles: dict[str, list[str | Text]] = {
        "hero": ["Revenue by class, million: ", shown_now],
        "shares": [f"Shares of revenue, {first} and {last}: ", shown_now],
        "funnel": ["Patients, the world: ", chosen("scenario")],
        "fan": [f"How sure, as drawn for {held_by(p.assumptions.axes)} million"],
    }
    for place, draws in CHARTS.items():
        row, column = place_of(place)
        page.chart(draws, sentence(p, f"chart {draws}", titles[draws]), row, column)


def subtitle() -> Text:
    """Scenario, scope, basis and currency in words."""
    told = [chosen(what) for what in ("scenario", "scope", "basis", "currency")]
    formula = '&" | "&'.join(t.formula for t in told)
    return Text(formula, lambda python: " | ".join(t.measure(python) for t in told))


# Tiles


def _tiles(p: Plan, page: Page, largest: Text) -> None:
    """Name, value and note of each tile but the last."""
    first, last = p.years[0], p.years[-1]
    start, end = shown(p, REVENUE, 0), shown(p, REVENUE, -1)
    treated = [shown(p, TREATED, y) for y in (0, -1)]
    (adds, gain), tile = ranked(p, GAINS, 1), "tile"
    shares = [percent(p, tile, ratio(shown(p, DRAWN, y, 0), shown(p, REVENUE, y))) for y in (0, -1)]
    tiles: tuple[tuple[list[str | Text], ...], ...] = (
        (
            ["Market, ", chosen("currency"), " million"],
            [whole(p, tile, start), " to ", whole(p, tile, end)],
            [f"{first} to {last}"],
        ),
        (["Growth a year"], [percent(p, tile, growth(p, start, end))], [f"CAGR {first}-{last}"]),
        (
            ["Patients treated"],
            [whole(p, tile, treated[0]), " to ", whole(p, tile, treated[1])],
            ["of ", whole(p, tile, shown(p, DIAGNOSED, 0)), f" diagnosed in {first}"],
        ),
        ([f"Largest class in {last}"], [largest], [shares[0], " to ", shares[1], " of revenue"]),
        (["Adds most"], [adds], [signed(p, tile, gain), f" million, {first} to {last}"]),
    )
    for column, (name, said, note) in zip(TILES, tiles, strict=False):
        value = "lm tile words" if len(said) == 1 and said[0] in (largest, adds) else "lm tile"
        for down, (pieces, style) in enumerate(
            ((name, "lm tile name"), (said, value), (note, "lm tile note"))
        ):
            _say(p, page, TILE_ROW + down, column, pieces, style)


def _say(p: Plan, page: Page, row: int, column: int, pieces: list[str | Text], style: str) -> None:
    """Fixed words, or a sentence that follows the numbers."""
    if all(isinstance(x, str) for x in pieces):
        page.words(row, column, "".join(map(str, pieces)), style)
    else:
        name = f"tile {column_letters(column)}{row}"
        page.formula(row, column, sentence(p, name, pieces), style=style, name=name)


# Sentences


def _what_grew(p: Plan) -> Text:
    """The classes that gain most, and the one that gains least."""
    name, said = "what grew", list[str | Text]()
    for lead, place in (("Most growth: ", 1), (", then ", 2), ("; least: ", -1)):
        label, gain = ranked(p, GAINS, place)
        said += [lead, label, " ", signed(p, name, gain)]
    return sentence(p, name, [*said, " (", chosen("currency"), f" million, {p.years[0]} to {p.years[-1]})."])


def _what_drives(p: Plan) -> Text:
    """Patients, and revenue for each of them."""
    name = "what drives"
    treated, revenue = ([shown(p, block, y) for y in (0, -1)] for block in (TREATED, REVENUE))
    each = [kept(p, name, ratio(_units(r), t)) for r, t in zip(revenue, treated, strict=True)]
    return sentence(
        p,
        name,
        [
            "Patients treated move by ",
            percent(p, name, growth(p, *treated)),
            " a year, revenue for each by ",
            percent(p, name, growth(p, *each)),
            " a year (",
            chosen("currency"),
            " ",
            whole(p, name, each[0]),
            " to ",
            whole(p, name, each[1]),
            ").",
        ],
    )


def _units(millions: Number) -> Number:
    """Millions as units."""
    return Number(f"{millions.formula}*1000*1000", lambda python: millions.measure(python) * 1000 * 1000)


def _what_ends(p: Plan) -> Text:
    """The product that loses most, and when its exclusivity ends in the first region."""
    name, region = "what ends", p.assumptions.axes.region
    product, gain = ranked(p, PRODUCT_GAINS, -1)
    block = p.blocks[EXPIRY]
    rows = list(block.keys)
    said: list[str | Text] = ["Weakest product by change: ", product, " ", signed(p, name, gain)]
    if rows:
        names = f"{block.sheet}!${LABELS}${rows[0]}:${LABELS}${rows[-1]}"
        years = f"{block.sheet}!${CONSTANT_LETTER}${rows[0]}:${CONSTANT_LETTER}${rows[-1]}"
        positions = {p.assumptions.axes.segment.leaves[block.keys[row][1]]: block.keys[row] for row in rows}

        def year(python: PythonValues) -> float:
            at = positions.get(product.measure(python))
            return float(python.arrays[EXPIRY][(0, *at)][0]) if at else 0.0

        cell = kept(p, name, Number(product.formula, product.measure))  # type: ignore[arg-type]
        found = kept(p, name, Number(f"SUMIFS({years},{names},{cell.formula})", year)).formula
        ending = Text(
            f'IF({found}=0,"no date",INT({found})&"")',
            lambda python: str(int(year(python))) if year(python) else "no date",
        )
        said += [f"; its exclusivity in {region.leaves[0]} ends: ", ending]
    return sentence(p, name, [*said, "."])
