"""The sheet Products: what each segment's sales are of, who books them, and how far each product has come."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from lm_xl.assumptions.assumptions import Product
from lm_xl.assumptions.cells import (
    Findings,
    cites,
    label,
    label_problem,
    listed,
    new_label,
    note,
    number_within,
    one_of,
    text,
)
from lm_xl.assumptions.columns import PHASES, STATUSES
from lm_xl.assumptions.rules import SHARE_TOLERANCE
from lm_xl.assumptions.tables import RawCell, SheetRow, Table
from lm_xl.model.axes import Axis
from lm_xl.model.labels import folded

SHEET = "Products"
TRIAL = re.compile(r"[A-Za-z]{3,8}\d{8,10}|\d{4}-\d{6}-\d{2}(-\d{2})?")
"""The id of a trial in a registry, such as NCT06500481 or an EU number."""


def read_products(table: Table | None, axis: Axis | None, tell: Findings) -> tuple[Product, ...]:
    """The products, each segment's shares summing to 1. Without a segment axis no segment can be known, and none is missed."""
    if table is None:
        return ()
    companies: dict[frozenset[str], str] = {}
    found: list[Product] = []
    seen: dict[tuple[str, str], str] = {}
    for cells in table.rows:
        product = _product(cells, axis, companies, tell)
        key = folded(product.segment), folded(product.product)
        if all(key) and key in seen:
            words = f"{product.product!r} of {product.segment!r} is there already, in {seen[key]}"
            tell.fault(cells["product"], words)
        seen.setdefault(key, cells["product"].address)
        found.append(product)
    # A row of no known segment may be any segment's, so none is known to lack it.
    if axis is not None and all(p.segment for p in found):
        _demand_shares(axis, found, tell)
    return tuple(found)


def _product(
    cells: SheetRow, axis: Axis | None, companies: dict[frozenset[str], str], tell: Findings
) -> Product:
    segment = _segment(cells["segment"], axis, tell)
    product = new_label(cells["product"], "product", tell)
    company = _company(cells["company"], companies, tell)
    share = number_within(cells["share"], 0, 1, "share", tell)
    mechanism = text(cells["mechanism"], "a mechanism", tell)
    phase = one_of(cells["phase"], PHASES, "phase", tell)
    trials = _trials(cells["trials"], tell)
    designations, next_readout, first_approval, lm_data = (
        text(cells[column], column, tell, due=False)
        for column in ("designations", "next_readout", "first_approval", "lm_data")
    )
    return Product(
        segment,
        product,
        company,
        math.nan if share is None else share,
        mechanism,
        phase,
        trials,
        designations,
        next_readout,
        first_approval,
        lm_data,
        cites(cells, tell),
        one_of(cells["status"], STATUSES, "status", tell),
        note(cells, tell),
        cells["share"].address,
    )


def _segment(cell: RawCell, axis: Axis | None, tell: Findings) -> str:
    """The leaf that a product belongs to."""
    found = label(cell, axis, tell) if axis is not None else ""
    if axis is not None and found in axis.groups:
        tell.fault(cell, f"{found!r} is a group: a product belongs to one {axis.name}")
        return ""
    return found


def _company(cell: RawCell, companies: dict[frozenset[str], str], tell: Findings) -> str:
    """A company, or the partners of an alliance between semicolons: spelled, and in the order, as where they first stand."""
    typed = text(cell, "a company", tell)
    partners = [partner for partner in map(str.strip, typed.split(";")) if partner]
    if typed and not partners:
        tell.fault(cell, f"{typed!r} where a company is due")
    for partner in partners:
        problem = label_problem(partner)
        if problem:
            tell.fault(cell, f"the company {partner!r} {problem}")
    joined = "; ".join(partners)
    known = companies.setdefault(frozenset(map(folded, partners)), joined)
    if folded(known) != folded(joined):
        tell.fault(cell, f"the alliance {joined!r} is called {known!r} above: write it in that order")
    return known


def _trials(cell: RawCell, tell: Findings) -> tuple[str, ...]:
    if cell.blank:
        return ()
    trials = listed(cell, "a trial", tell)
    for trial in trials:
        if not TRIAL.fullmatch(trial):
            tell.fault(cell, f"{trial!r} is no id of a trial, such as NCT06500481")
    return tuple(trials)


def _demand_shares(axis: Axis, products: Sequence[Product], tell: Findings) -> None:
    """Every segment has a product, and the shares of its products sum to 1."""
    for segment in axis.leaves:
        own = [p for p in products if p.segment == segment]
        total = sum(p.share for p in own)
        if not own:
            advice = "add a row, with the share 1 if there is only one"
            tell.sheet_fault(SHEET, f"no product of {segment!r}: {advice}")
        elif abs(total - 1) > SHARE_TOLERANCE:
            tell.fault_at(SHEET, own[0].cell, f"the shares of {segment!r} sum to {total:.10g}, not to 1")
