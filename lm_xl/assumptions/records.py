"""The sheets beside the assumption rows: scenarios' deltas, correlations, published figures, currencies, sources and changes.

Each table is None where its sheet or one of its columns is missing, which is a fault already.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lm_xl.assumptions.assumptions import (
    DIMS,
    Band,
    Change,
    Correlation,
    Currency,
    Delta,
    Keys,
    Published,
    Source,
)
from lm_xl.assumptions.cells import (
    Findings,
    cites,
    date,
    label,
    new_label,
    note,
    number_within,
    one_of,
    publication_year,
    text,
)
from lm_xl.assumptions.columns import (
    BANDED,
    CHANGE_COLUMNS,
    DOLLAR,
    KEYS,
    OPERATIONS,
    PUBLISHED_METRICS,
    SCOPES,
    SOURCE_COLUMNS,
    STATUSES,
)
from lm_xl.assumptions.rows import keys_of
from lm_xl.assumptions.tables import RawCell, SheetRow, Table
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE, Axis
from lm_xl.model.labels import folded, nearest
from lm_xl.model.quantities import QUANTITIES

LARGEST = 1e15
"""No number of a record is above it: products of a few such are still numbers."""


def read_deltas(
    table: Table | None, axis_of: Mapping[int, Axis], scenarios: Sequence[str], tell: Findings
) -> tuple[Delta, ...]:
    """What the scenarios change, in the order in which they change it."""
    found = (_delta(cells, axis_of, scenarios, tell) for cells in (table.rows if table else ()))
    return tuple(delta for delta in found if delta)


def _delta(
    cells: SheetRow, axis_of: Mapping[int, Axis], scenarios: Sequence[str], tell: Findings
) -> Delta | None:
    """One delta, or None where its scenario, quantity or labels cannot be known."""
    name = one_of(cells["quantity"], tuple(QUANTITIES), "quantity", tell)
    if name and QUANTITIES[name].sheet == "Timeline":
        tell.fault(cells["quantity"], f"{name} is the same in every scenario: a delta cannot change it")
        name = ""
    scenario = one_of(cells["scenario"], scenarios, "scenario", tell) if scenarios else ""
    operation = one_of(cells["operation"], OPERATIONS, "operation", tell)
    amount = number_within(cells["amount"], -LARGEST, LARGEST, "amount", tell)
    sources = cites(cells, tell)
    status = one_of(cells["status"], STATUSES, "status", tell)
    reason = text(cells["reason"], "a reason", tell)
    if not name:
        return None
    keys, known = keys_of(cells, QUANTITIES[name], axis_of, tell)
    if not (known and scenario):
        return None
    if operation:
        reach = (axis_of[d].members(k) if k and d in axis_of else () for d, k in zip(DIMS, keys, strict=True))
        what = f"the {operation} of {name} of {keys} in {scenario!r}"
        tell.demand_once(cells["amount"], what, scenario, name, operation, *reach)
    amount = amount if amount is not None and operation else math.nan
    cell = cells["amount"].address
    return Delta(scenario, name, keys, operation or "add", amount, cell, sources, status, reason)


def read_correlations(
    table: Table | None, axis_of: Mapping[int, Axis], tell: Findings
) -> tuple[Correlation, ...]:
    """The rank correlations between inputs."""
    found = (_correlation(cells, axis_of, tell) for cells in (table.rows if table else ()))
    return tuple(correlation for correlation in found if correlation)


def _correlation(cells: SheetRow, axis_of: Mapping[int, Axis], tell: Findings) -> Correlation | None:
    """One correlation, or None where a side or the value cannot be known."""
    (one, its_keys, known), (other, other_keys, other_known) = (
        _correlated(cells, side, axis_of, tell) for side in ("", "other_")
    )
    cell = cells["rank_correlation"]
    value = number_within(cell, -1, 1, "rank correlation", tell)
    sources, status = cites(cells, tell), one_of(cells["status"], STATUSES, "status", tell)
    said = note(cells, tell)
    if value is None or not (known and other_known):
        return None
    return Correlation((one, other), (its_keys, other_keys), value, sources, status, said, cell.address)


def _correlated(
    cells: SheetRow, side: str, axis_of: Mapping[int, Axis], tell: Findings
) -> tuple[str, Keys, bool]:
    """One side of a correlation: its quantity, its labels, and whether they are known."""
    name = one_of(cells[f"{side}quantity"], tuple(QUANTITIES), "quantity", tell)
    if not name:
        return "", Keys("", "", ""), False
    labels = {key: cells[f"{side}{key}"] for key in KEYS[1:]}
    # The sheet has no regions, since one draw moves an input in all of them.
    labels["region"] = RawCell("Correlations", "", None, absent=True)
    keys, _ = keys_of(labels, QUANTITIES[name], axis_of, tell)
    known = all(keys[d - REGION] for d in QUANTITIES[name].dims if d != REGION)
    return name, keys, known


def read_published(table: Table | None, axis_of: Mapping[int, Axis], tell: Findings) -> tuple[Published, ...]:
    """The published figures that the model is compared with."""
    found = (_figure(cells, axis_of, tell) for cells in (table.rows if table else ()))
    return tuple(figure for figure in found if figure)


def _figure(cells: SheetRow, axis_of: Mapping[int, Axis], tell: Findings) -> Published | None:
    """One published figure, or None where its year or value cannot be known."""
    metric = one_of(cells["metric"], tuple(PUBLISHED_METRICS), "metric", tell)
    scope = one_of(cells["scope"], SCOPES, "scope", tell)
    keys = Keys(
        *(
            label(cells[key], axis_of[dim], tell) if dim in axis_of else ""
            for dim, key in zip(DIMS, KEYS, strict=True)
        )
    )
    _demand_comparable(cells, metric, keys, axis_of, tell)
    year = _whole_year(cells["year"], tell)
    value = number_within(cells["value"], 0, LARGEST, metric or "value", tell)
    publisher, what = (text(cells[c], f"a {c}", tell) for c in ("publisher", "what"))
    units = (PUBLISHED_METRICS[metric],) if metric else ()
    unit = one_of(cells["unit"], units, f"unit of {metric}", tell) if metric else ""
    sources, said = cites(cells, tell), note(cells, tell)
    if year is None or value is None:
        return None
    told = f"{what!r} of {publisher!r} for {keys} in {year:g}"
    tell.demand_once(cells["value"], told, publisher, what, metric, keys, year)
    cell = cells["value"].address
    return Published(publisher, what, metric, scope, keys, int(year), value, unit, sources, said, cell)


def _whole_year(cell: RawCell, tell: Findings) -> float | None:
    """The calendar year in a cell, or None and one fault."""
    year = number_within(cell, 1900, 2100, "year", tell)
    if year is None or year % 1 == 0:
        return year
    tell.fault(cell, f"{year:g} is not a whole year")
    return None


def _demand_comparable(
    cells: SheetRow, metric: str, keys: Keys, axis_of: Mapping[int, Axis], tell: Findings
) -> None:
    """A published figure's scope is one that the model has numbers for."""
    _, segment, subtype = (
        bool(key) and dim in axis_of and key != axis_of[dim].total
        for dim, key in zip(DIMS, keys, strict=True)
    )
    if metric == "patients" and segment:
        cell, whole = cells["segment"], axis_of[SEGMENT].total
        tell.fault(cell, f"{cell.shown}: patients have no segment, give {whole!r}")
    elif metric == "revenue" and segment and subtype:
        cell, whole = cells["subtype"], axis_of[SUBTYPE].total
        rule = f"revenue is compared by one of the two, give {whole!r}"
        tell.fault(cell, f"{cell.shown} beside a segment: {rule}")


def read_bands(
    table: Table | None, axis_of: Mapping[int, Axis], years: Sequence[int], tell: Findings
) -> tuple[Band, ...]:
    """The ranges in which evidence puts results."""
    found = (_band(cells, axis_of, years, tell) for cells in (table.rows if table else ()))
    return tuple(band for band in found if band)


def _band(cells: SheetRow, axis_of: Mapping[int, Axis], years: Sequence[int], tell: Findings) -> Band | None:
    """One band, or None where what it is of, its year or its ends cannot be known."""
    inputs = {name: quantity for name, quantity in QUANTITIES.items() if quantity.sheet != "Timeline"}
    name = one_of(cells["result"], (*BANDED, *inputs), "result", tell)
    quantity = inputs.get(name)
    year = None
    if quantity:
        keys, known = keys_of(cells, quantity, axis_of, tell)
        _demand_no(cells["year"], "a band of a quantity is of all years", tell)
        least, most = quantity.least, quantity.most
    else:
        region, subtype = (
            label(cells[key], axis_of[dim], tell) if dim in axis_of else ""
            for key, dim in (("region", REGION), ("subtype", SUBTYPE))
        )
        keys = Keys(region, "", subtype)
        _demand_no(cells["segment"], "no result of a band is of a segment", tell)
        year = _whole_year(cells["year"], tell)
        known = year is not None
        if year is not None and years and year not in years:
            tell.fault(cells["year"], f"{year:g} is no year of the model: allowed {years[0]} to {years[-1]}")
        least, most = 0, 1 if BANDED.get(name) == "share" else LARGEST
    low, high = (number_within(cells[end], least, most, name, tell) for end in ("low", "high"))
    if low is not None and high is not None and low > high:
        tell.fault(cells["high"], f"{high:g} is below the low {low:g}")
    sources, status = cites(cells, tell), one_of(cells["status"], STATUSES, "status", tell)
    said = note(cells, tell)
    if not name or not known or low is None or high is None:
        return None
    of_year = f" in {year:g}" if year else ""
    tell.demand_once(cells["low"], f"the band of {name} of {keys}{of_year}", name, *keys, year)
    cell = cells["low"].address
    return Band(name, *keys, int(year) if year else None, low, high, sources, status, said, cell)


def _demand_no(cell: RawCell, why: str, tell: Findings) -> None:
    if not cell.blank:
        tell.fault(cell, f"{cell.shown}: {why}, leave it blank")


def read_currencies(table: Table | None, tell: Findings) -> tuple[Currency, ...]:
    """The currencies of the report, of which the dollar is one."""
    if table is None:
        return ()
    currencies: list[Currency] = []
    for cells in table.rows:
        code = new_label(cells["currency"], "currency", tell)
        if code:
            tell.demand_once(cells["currency"], repr(code), code)
        is_dollar = folded(code) == folded(DOLLAR) and all(c.code != DOLLAR for c in currencies)
        code = DOLLAR if is_dollar else code
        rate = number_within(cells["rate"], 1e-6, 1e6, f"units per {DOLLAR}", tell)
        if is_dollar and rate is not None and rate != 1:
            tell.fault(cells["rate"], f"{rate:g}: one {DOLLAR} is 1 {DOLLAR}")
        of, sources = date(cells["date"], "the date of the rate", tell), cites(cells, tell)
        status = one_of(cells["status"], STATUSES, "status", tell)
        rate = math.nan if rate is None else rate
        address = cells["rate"].address
        currencies.append(Currency(code, rate, of, sources, status, note(cells, tell), address))
    if folded(DOLLAR) not in (folded(currency.code) for currency in currencies):
        tell.sheet_fault("Currencies", f"no row of {DOLLAR}: add it with the rate 1")
    return tuple(currencies)


def read_changes(table: Table | None, tell: Findings) -> tuple[Change, ...]:
    """The workbook's change log."""
    return tuple(_change(cells, tell) for cells in (table.rows if table else ()))


def _change(cells: SheetRow, tell: Findings) -> Change:
    read = {column: date if column == "date" else text for column in CHANGE_COLUMNS}
    change = Change(
        *(read[column](cells[column], f"the {column} of a change", tell) for column in CHANGE_COLUMNS)
    )
    tell.demand_once(cells["version"], "the change", *vars(change).values())
    return change


def read_sources(table: Table | None, tell: Findings) -> dict[str, Source]:
    """The sources by their ids. To be read when all that cites them has been."""
    if table is None:
        return {}
    sources: dict[str, Source] = {}
    for cells in table.rows:
        identity = text(cells["id"], "a source's id", tell)
        if identity:
            tell.demand_once(cells["id"], f"the source {identity!r}", identity)
        citation = text(cells["citation"], "a citation", tell)
        year = publication_year(cells["year"], tell)
        others = (text(cells[column], column, tell, due=False) for column in SOURCE_COLUMNS[3:])
        sources[folded(identity)] = Source(identity, citation, year, *others)
    if "" not in sources:  # without an id that could be any
        demand_cited(tuple(s.id for s in sources.values()), tell)
    return {s.id: s for s in sources.values()}


def demand_cited(ids: Sequence[str], tell: Findings) -> None:
    """Every source that a row cites is listed."""
    known = set(map(folded, ids))
    for cell, identity in tell.cited:
        if folded(identity) not in known:
            tell.fault(cell, f"unknown source {identity!r}: {nearest(identity, tuple(ids))}")
