"""Workbook -> Assumptions, or every fault of the workbook at once.

Reading is in four steps, each adding what it finds to one list of faults: axes, rows, which row covers what, and the
checks across rows. Nothing is repaired: a workbook with a fault is refused, with all of its faults. So that one fault neither hides
others nor causes them, what could not be read counts as NaN, which no later check finds fault with.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lm_xl.assumptions.assumptions import (
    DIMS,
    Assumptions,
    Change,
    Correlation,
    Currency,
    Delta,
    Keys,
    Published,
    Row,
    Source,
    reach_of,
    shifted,
)
from lm_xl.assumptions.columns import (
    AXES_COLUMNS,
    CHANGE_COLUMNS,
    CORRELATION_COLUMNS,
    CURRENCY_COLUMNS,
    DOLLAR,
    FILLS,
    KEYS,
    MOVING_SHEETS,
    NEVER,
    OPERATIONS,
    PUBLISHED_COLUMNS,
    PUBLISHED_METRICS,
    ROW_COLUMNS,
    SCENARIO_COLUMNS,
    SCOPES,
    SHEETS,
    SOURCE_COLUMNS,
    STATUSES,
    WANTED,
)
from lm_xl.assumptions.correlations import correlation_faults
from lm_xl.assumptions.distributions import CERTAIN, DISTRIBUTIONS, is_certain
from lm_xl.assumptions.spreads import spread_faults
from lm_xl.assumptions.tables import UNSTORED, RawCell, Table, in_order, is_year, number, read_tables
from lm_xl.faults import Fault, Refused, UnknownLabel
from lm_xl.model.axes import REGION, ROLES, SEGMENT, SUBTYPE, Axes, Axis, folded, nearest, odd_characters
from lm_xl.model.ops import Array
from lm_xl.model.outputs import OUTPUTS
from lm_xl.model.quantities import QUANTITIES, Quantity
from lm_xl.xlsx.sheets import Value

if TYPE_CHECKING:
    import pandas as pd

SHARE_TOLERANCE = 1e-9
"""Exclusive shares sum to 1 within this."""
LONGEST_LABEL = 80
LONGEST_HORIZON = 100


_IN_WHEEL = Path(__file__).parent.parent / "workbooks"
SHIPPED = (
    _IN_WHEEL if _IN_WHEEL.exists() else Path(__file__).parents[2] / "workbooks"
) / "lm_assumptions.xlsx"
"""The base case: inside an installed package, beside it in a checkout."""


def read_assumptions(path: str | Path | None = None) -> Assumptions:
    """Read and validate an assumptions workbook, or any workbook built from one; without a path, the shipped base case.

    Raises Refused with every fault of the file: each names sheet, cell, the value, what is allowed and the nearest valid name.
    """
    return _Reader(Path(path) if path is not None else SHIPPED).read()


def assumptions_of(name: str, tables: Mapping[str, Table], faults: Sequence[Fault] = ()) -> Assumptions:
    """Validate tables that come from no file, with the faults already found in them, as `read_assumptions` does those of a file.

    `name` stands for the file in messages. Raises Refused.
    """
    reader = _Reader(Path(name))
    reader.faults += faults
    return reader.assumptions(tables)


def with_scenario(
    a: Assumptions, name: str, deltas: Iterable[Mapping[str, object]] | pd.DataFrame
) -> Assumptions:
    """The same assumptions with one more scenario. The deltas are rows with the columns of the Scenarios sheet, or a frame of them.

    A column may be left out where the sheet may be blank, and so may `scenario`. Raises Refused with every fault of the name and
    of the deltas, as for a workbook.
    """
    reader = _Reader(a.path)
    cell = RawCell("Scenarios", "name", _as_cell(name))
    name = reader.new_label(cell, "scenario")
    if folded(name) in map(folded, a.axes.scenarios):
        reader.fault(cell, f"{name!r} is there already")
    rows = []
    for i, delta in enumerate(_records(deltas), 1):
        if not isinstance(delta, Mapping):
            reader.fault(
                RawCell("Scenarios", f"delta {i}", None),
                f"{delta!r} where a row is due: give each delta as a dict of its columns",
            )
            continue
        for column in (c for c in delta if c not in SCENARIO_COLUMNS):
            reader.fault(
                RawCell("Scenarios", f"delta {i}", None),
                f"unknown column {column!r}: {nearest(str(column), SCENARIO_COLUMNS)}",
            )
        cells = {c: RawCell("Scenarios", f"delta {i} {c}", _as_cell(delta.get(c))) for c in SCENARIO_COLUMNS}
        rows.append(
            {**cells, "scenario": cells["scenario"]._replace(value=name)}
            if cells["scenario"].blank
            else cells
        )
    cited: list[tuple[RawCell, str]] = []
    table = Table("Scenarios", {c: RawCell("Scenarios", "", c) for c in SCENARIO_COLUMNS}, tuple(rows))
    added = tuple(reader.deltas(table, {d: a.axes.axis(d) for d in DIMS}, (name,) if name else (), cited))
    reader.citations(cited, tuple(a.sources))
    result = replace(a, axes=replace(a.axes, scenarios=(*a.axes.scenarios, name)), deltas=(*a.deltas, *added))
    if reader.faults:
        raise Refused(reader.faults)
    return checked(result)


def _records(table: Any) -> Iterable[Any]:
    """The rows of a table; a frame's without what is missing in them. What is no table comes as one wrong row."""
    if hasattr(table, "to_dict") and hasattr(table, "columns"):
        return table.astype(object).where(table.notna(), None).to_dict("records")
    return [[table]] if isinstance(table, Mapping | str) or not isinstance(table, Iterable) else table


def _as_cell(value: object) -> Value:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Real):
        return None if value != value else float(value)
    return value if value is None or isinstance(value, str) else str(value)


def rule_faults(a: Assumptions, scenario: str, arrays: Mapping[str, Array]) -> tuple[Fault, ...]:
    """What other values of the quantities break across rows, with the cells of the rows behind them."""
    reader, deltas = _Reader(a.path), [d for d in a.deltas if d.scenario == scenario]
    for rule in (reader.share_sums, reader.set_uses, reader.dates):
        rule(a, deltas, arrays, set())
    return tuple(reader.faults)


def checked(a: Assumptions) -> Assumptions:
    """Assumptions changed in memory, such as by deltas that no workbook holds, after the checks that single rows cannot show.

    Raises Refused.
    """
    reading = _Reader(a.path)
    reading.across(a)
    faults = (*reading.faults, *spread_faults(a), *correlation_faults(a))
    if faults:
        raise Refused(faults)
    return a


class _Reader:
    """One reading of one file: the faults found so far and the steps that find them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.name
        self.faults: list[Fault] = []
        self.unread: set[str] = set()
        """Quantities none of whose rows can be known, because their sheet is not there."""
        self.doubtful: list[tuple[str, Keys]] = []
        """Rows that may cover more than is known: their quantity and their labels, "" where any label may be meant."""

    def fault(self, cell: RawCell, message: str) -> None:
        self.faults.append(Fault(self.file, cell.sheet, cell.address, message))

    def sheet_fault(self, sheet: str, message: str) -> None:
        self.faults.append(Fault(self.file, sheet, "", message))

    def read(self) -> Assumptions:
        return self.assumptions(read_tables(self.path, WANTED, self.faults))

    def assumptions(self, tables: Mapping[str, Table]) -> Assumptions:
        """What the tables say, or Refused with every fault of theirs and of the file's."""
        cited: list[tuple[RawCell, str]] = []
        years = self.years(tables.get("Timeline"))
        axis_of, scenarios = self.axes(tables.get("Axes"))
        rows: list[Row] = []
        for name in SHEETS:
            table = tables.get(name)
            if table is None or "quantity" not in table.header:
                self.unread |= {q.name for q in QUANTITIES.values() if q.sheet == name}
            else:
                rows += self.rows(table, axis_of, years, cited)
        deltas = list(self.deltas(tables.get("Scenarios"), axis_of, scenarios, cited))
        correlations = tuple(self.correlations(tables.get("Correlations"), axis_of, cited))
        published = self.published(tables.get("Published"), axis_of, cited)
        currencies = tuple(self.currencies(tables.get("Currencies"), cited))
        sources = self.sources(tables.get("Sources"), cited)
        changes = tuple(self.changes(tables.get("Changes")))
        years = years or next(
            (y for y in (_year_columns(t) for n, t in tables.items() if n in SHEETS) if len(y) > 1), ()
        )
        if len(axis_of) == len(DIMS) and scenarios and years:
            axes = Axes(axis_of[REGION], axis_of[SEGMENT], axis_of[SUBTYPE], years, scenarios)
            covers = self.covers(axes, rows)
            everything = (*rows, HOLE) if self.faults else tuple(rows)
            result = Assumptions(
                self.path,
                axes,
                everything,
                tuple(deltas),
                tuple(published),
                sources,
                currencies,
                changes,
                covers,
                correlations,
            )
            self.across(result)
            self.faults += [*spread_faults(result), *correlation_faults(result)]
            if not self.faults:
                return result
        elif not self.faults:
            self.sheet_fault("Timeline", "no row of first_year and last_year")
        raise Refused(in_order(self.faults, WANTED))

    # Cells

    def text(self, cell: RawCell, what: str, *, due: bool = True) -> str:
        """The text in a cell; a note may hold anything."""
        if cell.absent:
            return ""
        if cell.unstored:
            self.fault(cell, UNSTORED)
        elif cell.blank:
            if due:
                self.fault(cell, f"blank where {what} is due")
        elif not isinstance(cell.value, str):
            if not due:
                return cell.shown
            self.fault(cell, f"{cell.shown} where {what} is due")
        elif due and cell.value.startswith("#") and cell.value.rstrip("!?").isupper():
            self.fault(
                cell, f"the error value {cell.value} where {what} is due: repair the formula behind it"
            )
        else:
            return cell.value.strip()
        return ""

    def one_of(self, cell: RawCell, allowed: Sequence[str], what: str) -> str:
        text = self.text(cell, f"the {what}")
        if not text:
            return ""
        option = _by_fold(tuple(allowed)).get(folded(text))
        if option is not None:
            return option
        self.fault(cell, f"{text!r} is no {what}: {nearest(text, tuple(allowed))}{odd_characters(text)}")
        return ""

    def number(self, cell: RawCell, least: float, most: float, unit: str) -> float | None:
        value = number(cell, self.file, self.faults)
        if value is not None and not least <= value <= most:
            hint = (
                f"; {value:g} % is typed {value / 100:g}"
                if abs(value) >= 2 * most and least <= value / 100 <= most <= 1
                else ""
            )
            self.fault(cell, f"{value:.10g} ({unit}) is outside {least:g} to {most:g}{hint}")
            return None
        return value

    def cites(self, row: Mapping[str, RawCell], cited: list[tuple[RawCell, str]]) -> tuple[str, ...]:
        ids = tuple(s.strip() for s in self.text(row["source"], "a source").split(";") if s.strip())
        cited.extend((row["source"], s) for s in ids)
        return ids

    def label(self, cell: RawCell, axis: Axis) -> str:
        """A label of an axis as the Axes sheet writes it; blanks and unknown labels are faults."""
        text = self.text(cell, f"a {axis.name}")
        try:
            return axis.label(text) if text else ""
        except UnknownLabel as unknown:
            self.fault(cell, f"{unknown}{odd_characters(text)}")
            return ""

    # Axes and timeline

    def years(self, table: Table | None) -> tuple[int, ...]:
        """The years of the forecast; () where they cannot be known. What is no number or out of range is found with the other rows."""
        found: dict[str, int] = {}
        cell = RawCell("Timeline", "", None)
        for row in table.rows if table and {"quantity", "value"} <= set(table.header) else ():
            name, value = folded(str(row["quantity"].value)), row["value"].value
            quantity = QUANTITIES.get(name)
            if quantity is None or quantity.sheet != "Timeline" or not isinstance(value, float):
                continue
            if quantity.least <= value <= quantity.most:
                cell = row["value"] if name == "last_year" else cell
                found[name] = int(value)
                if value != int(value):
                    self.fault(row["value"], f"{value:g} is not a whole year")
        if not {"first_year", "last_year"} <= set(found):
            return ()
        first, last = found["first_year"], found["last_year"]
        if not first < last < first + LONGEST_HORIZON:
            self.fault(
                cell,
                f"first_year {first} and last_year {last}: the horizon runs forward, over 2 to {LONGEST_HORIZON} years",
            )
            return ()
        return tuple(range(first, last + 1))

    def axes(self, table: Table | None) -> tuple[dict[int, Axis], tuple[str, ...]]:
        """The axes that are whole, by dimension, and the names of the scenarios."""
        if table is None or not set(AXES_COLUMNS) <= set(table.header):
            return {}, ()
        by_axis: dict[str, list[Mapping[str, RawCell]]] = {
            "region": [],
            "segment": [],
            "subtype": [],
            "scenario": [],
        }
        before = len(self.faults)
        for row in table.rows:
            axis = self.one_of(row["axis"], tuple(by_axis), "axis")
            if axis:
                by_axis[axis].append(row)
        lost = len(self.faults) > before
        built = {dim: self.axis(key, by_axis[key]) for dim, key in zip(DIMS, KEYS, strict=True)}
        before = len(self.faults)
        scenarios = self.leaf_labels("scenario", by_axis["scenario"])
        for row in by_axis["scenario"]:
            for column in ("set", "role", "groups"):
                if not row[column].blank:
                    self.fault(row[column], f"{row[column].shown}: a scenario has no {column}")
        if lost:  # a row of any axis: whether other sheets' labels are known cannot be told
            return {}, ()
        return {dim: axis for dim, axis in built.items() if axis}, scenarios if len(
            self.faults
        ) == before else ()

    def leaf_labels(self, name: str, rows: Sequence[Mapping[str, RawCell]]) -> tuple[str, ...]:
        if not rows:
            self.sheet_fault("Axes", f"no {name} is listed: add a row with axis {name!r}")
        seen: dict[str, RawCell] = {}
        labels = []
        for row in rows:
            label = self.new_label(row["label"], name)
            if folded(label) in seen and label:
                self.fault(row["label"], f"{label!r} is there already, in {seen[folded(label)].address}")
            seen[folded(label)] = row["label"]
            labels.append(label)
        return tuple(labels)

    def new_label(self, cell: RawCell, what: str) -> str:
        text = self.text(cell, f"the label of a {what}")
        problem = _label_problem(text)
        if problem:
            self.fault(cell, f"the label {text!r} {problem}")
        return text

    def axis(self, name: str, rows: Sequence[Mapping[str, RawCell]]) -> Axis | None:
        before = len(self.faults)
        leaves = self.leaf_labels(name, rows)
        if not leaves:
            return None
        groups: dict[str, list[int]] = {}
        spelled: dict[str, str] = {}
        sets, roles = [], []
        for i, row in enumerate(rows):
            role = self.one_of(row["role"], ROLES, "role") if name == "segment" else ""
            roles.append(role)
            bare = {
                "region": ("set", "role"),
                "subtype": ("role",),
                "segment": ("set",) if role == "test" else (),
            }[name]
            for column in bare:
                if not row[column].blank:
                    self.fault(row[column], f"{row[column].shown}: a {role or name} has no {column}")
            chosen = self.new_label(row["set"], "set") if "set" not in bare else ""
            sets.append(spelled.setdefault(folded(chosen), chosen))
            listed = [g.strip() for g in self.text(row["groups"], "a group").split(";") if g.strip()]
            for group in {folded(g): g for g in (chosen, *listed) if g}.values():
                problem = _label_problem(group) if folded(group) != folded(chosen) else ""
                if problem:
                    self.fault(row["groups"], f"the group {group!r} {problem}")
                groups.setdefault(spelled.setdefault(folded(group), group), []).append(i)
        for chosen in dict.fromkeys(s for s in sets if s):
            for i in groups[chosen]:
                if sets[i] != chosen:
                    self.fault(
                        rows[i]["groups"],
                        f"the group {chosen!r} is a set, to which {leaves[i]!r} does not belong: name one of them otherwise",
                    )
        by_fold = {folded(x): i for i, x in enumerate(leaves)}
        for group in groups:
            if folded(group) in by_fold:
                leaf = rows[by_fold[folded(group)]]["label"]
                self.fault(
                    leaf,
                    f"{group!r} is both a {name} and a group (of {leaves[groups[group][0]]!r}): name one of them otherwise",
                )
        if len(self.faults) == before and not any(len(m) == len(leaves) for m in groups.values()):
            self.fault(
                rows[0]["groups"],
                f"no group holds every {name}: list one such as 'Global' or 'All cancers' on each",
            )
        if name == "segment" and all(roles):
            self.sets(rows, sets, roles)
        if len(self.faults) > before:
            return None
        notes = tuple(self.text(row["note"], "a note", due=False) for row in rows)
        return Axis(name, leaves, {g: tuple(m) for g, m in groups.items()}, tuple(sets), tuple(roles), notes)

    def sets(self, rows: Sequence[Mapping[str, RawCell]], sets: list[str], roles: list[str]) -> None:
        for chosen in dict.fromkeys(s for s in sets if s):
            members = [i for i, s in enumerate(sets) if s == chosen]
            rest = [i for i in members if roles[i] == "rest"]
            if len(rest) != 1:
                self.fault(
                    rows[members[0]]["role"],
                    f"the set {chosen!r} has {len(rest)} rest members: give the role 'rest' to one, which takes what the others leave",
                )

    # Rows

    def keys(
        self, row: Mapping[str, RawCell], quantity: Quantity, axis_of: Mapping[int, Axis]
    ) -> tuple[Keys, bool]:
        """The labels of a row, and whether all of them are known."""
        labels, known = [], True
        for dim, key in zip(DIMS, KEYS, strict=True):
            cell, label = row[key], ""
            if dim not in quantity.dims:
                if not cell.blank:
                    self.fault(cell, f"{cell.shown}: {quantity.name} does not vary by {key}, leave it blank")
            else:
                if dim in axis_of:
                    label = self.label(cell, axis_of[dim])
                elif not cell.absent and cell.blank:
                    self.text(cell, f"a {key}")
                known &= bool(label)
            labels.append(label)
        return Keys(*labels), known

    def rows(
        self,
        table: Table,
        axis_of: Mapping[int, Axis],
        years: tuple[int, ...],
        cited: list[tuple[RawCell, str]],
    ) -> Iterable[Row]:
        columns = [str(y) for y in years or _year_columns(table) if table.sheet in MOVING_SHEETS]
        lacking = [y for y in columns if y not in table.header]
        if lacking:
            cell = RawCell(table.sheet, next(iter(table.header.values())).address, None)
            span = f"{lacking[0]} to {lacking[-1]}" if len(lacking) > 3 else ", ".join(lacking)
            self.fault(
                cell,
                f"columns of years are missing ({span}): the timeline runs {columns[0]} to {columns[-1]}",
            )
        outside = [name for name in table.header if is_year(name) and name not in columns]
        absent = dict.fromkeys((*ROW_COLUMNS, *columns), RawCell(table.sheet, "", None, absent=True))
        for present in table.rows:
            cells = {**absent, **present}
            name = self.one_of(cells["quantity"], tuple(QUANTITIES), "quantity")
            if not name:
                meant = get_close_matches(folded(str(cells["quantity"].value)), QUANTITIES, n=1, cutoff=0.6)
                self.doubtful += [(q, Keys("", "", "")) for q in meant]
                continue
            quantity = QUANTITIES[name]
            if folded(quantity.sheet) != folded(table.sheet):
                self.fault(cells["quantity"], f"{name} belongs on the sheet {quantity.sheet!r}")
            keys, known = self.keys(cells, quantity, axis_of)
            unit = self.one_of(cells["unit"], quantity.units, f"unit of {name}")
            fill = self.one_of(cells["fill"], FILLS, "fill")
            if fill not in ("constant", "") and not quantity.moves:
                self.fault(cells["fill"], f"{name} does not move over the years: its fill is 'constant'")
                fill = "" if cells["value"].blank else "constant"
            inputs, places, never = self.inputs(cells, quantity, fill, unit, columns)
            for year in outside:
                if not cells[year].blank:
                    horizon = (
                        f"outside the timeline {columns[0]} to {columns[-1]}"
                        if columns
                        else "in a year's column, which this sheet does not use"
                    )
                    self.fault(cells[year], f"{cells[year].shown} {horizon}: clear it")
            distribution = self.one_of(cells["distribution"], DISTRIBUTIONS, "distribution")
            low, high = self.bounds(
                cells, quantity, distribution, unit, never, inputs[-1] if inputs else np.nan
            )
            source = self.cites(cells, cited)
            status = self.one_of(cells["status"], STATUSES, "status")
            note = self.text(cells["note"], "a note", due=False)
            if known:
                fill = fill if fill and not np.isnan(inputs).any() else "constant"
                low_cell = cells["low"].address
                yield Row(
                    name,
                    keys,
                    unit,
                    fill,
                    inputs,
                    places,
                    low,
                    high,
                    distribution,
                    source,
                    status,
                    note,
                    table.sheet,
                    low_cell,
                )
            else:
                self.doubtful.append((name, keys))

    def inputs(
        self, cells: Mapping[str, RawCell], quantity: Quantity, fill: str, unit: str, columns: Sequence[str]
    ) -> tuple[tuple[float, ...], tuple[str, ...], bool]:
        """The numbers of a row and their cells, and whether the row says `never`. What cannot be read is NaN."""
        value, years = cells["value"], [cells[y] for y in columns]
        if isinstance(value.value, str) and folded(value.value) == NEVER:
            if not quantity.can_be_never:
                self.fault(value, f"{quantity.name} cannot be {NEVER!r}: give a number")
                return (np.nan,), (value.address,), True
            for cell in years:
                if not cell.blank:
                    self.fault(cell, f"{cell.shown} beside {NEVER!r}: leave it blank")
            return (), (value.address,), True
        due = {"linear": [*years[:1], *years[-1:]], "yearly": years}.get(fill, [value])
        rule = {
            "constant": "only 'value'",
            "linear": f"only {' and '.join([*columns[:1], *columns[-1:]])}",
            "yearly": "the years and not 'value'",
        }
        for cell in (value, *years) if fill and not any(c.absent for c in due) else ():
            if cell not in due and not cell.blank:
                self.fault(
                    cell,
                    f"{cell.shown} where the fill {fill!r} takes {rule[fill]}: clear it or change the fill",
                )
        numbers = [
            self.number(c, quantity.least, quantity.most, unit or quantity.units[0]) for c in due if fill
        ] or [None]
        read = tuple(n for n in numbers if n is not None)
        return (
            read if len(read) == len(numbers) else (np.nan,),
            tuple(c.address for c in due) or (value.address,),
            False,
        )

    def bounds(
        self,
        cells: Mapping[str, RawCell],
        quantity: Quantity,
        distribution: str,
        unit: str,
        never: bool,
        value: float,
    ) -> tuple[float | None, float | None]:
        low, high = cells["low"], cells["high"]
        if is_certain(distribution) or never:
            rule = (
                f"{NEVER!r}: leave it blank"
                if never
                else f"the distribution {CERTAIN!r}: leave it blank or name a distribution"
            )
            for cell in (low, high) if distribution else ():
                if not cell.blank:
                    self.fault(cell, f"{cell.shown} beside {rule}")
            if never and not is_certain(distribution):
                self.fault(cells["distribution"], f"{distribution!r} beside {NEVER!r}: allowed {CERTAIN!r}")
            return None, None
        if low.blank and high.blank:
            if not low.absent and not high.absent:
                self.fault(low, f"blank where the distribution {distribution!r} needs low and high")
            return None, None
        at = [self.number(c, quantity.least, quantity.most, unit or quantity.units[0]) for c in (low, high)]
        if at[0] is not None and at[1] is not None:
            if at[0] > at[1]:
                self.fault(low, f"low {at[0]:g} is above high {at[1]:g}")
            elif value < at[0] or value > at[1]:
                self.fault(low, f"low {at[0]:g} to high {at[1]:g} does not hold the value {value:g}")
        return at[0], at[1]

    def covers(self, axes: Axes, rows: Sequence[Row]) -> dict[str, Array]:
        """Which row stands behind each element: the most specific one. Ties and gaps are faults; HOLE, after the rows, fills gaps."""
        by_quantity: dict[str, list[int]] = {name: [] for name in QUANTITIES}
        for i, row in enumerate(rows):
            by_quantity[row.quantity].append(i)
        return {
            name: self.cover(axes, QUANTITIES[name], rows, positions)
            for name, positions in by_quantity.items()
        }

    def cover(self, axes: Axes, quantity: Quantity, rows: Sequence[Row], positions: list[int]) -> Array:
        domain = np.ones([len(axes.axis(d)) if d in quantity.dims else 1 for d in DIMS], dtype=bool)
        if SEGMENT in quantity.dims:
            domain &= np.isin(np.arange(len(axes.segment)), axes.segment.having(*quantity.roles)).reshape(
                1, -1, 1
            )
        winner = np.full(domain.shape, -1)
        reaches = {i: reach_of(axes, quantity, rows[i].keys) for i in positions}
        told = set()
        for i in sorted(positions, key=lambda i: (int(reaches[i].sum()), i)):
            row, reach = rows[i], reaches[i]
            cell = RawCell(row.sheet, row.cells[0], None)
            if not (reach & domain).any():
                self.fault(
                    cell,
                    f"{quantity.name} of {row.keys}: only {' and '.join(quantity.roles)} segments have it",
                )
            both = reach & (winner >= 0)
            for j in np.unique(winner[both]) if both.any() else ():
                if np.array_equal(reach, reaches[j]):
                    self.fault(cell, f"{quantity.name} of {row.keys} is there already, in {rows[j].place}")
                elif (reaches[j] & ~reach).any() and (j, i) not in told:
                    told.add((j, i))
                    where_both = np.argwhere(reach & (winner == j))[0]
                    keys = Keys(
                        *(
                            axes.axis(d).leaves[p] if d in quantity.dims else ""
                            for d, p in zip(DIMS, where_both, strict=True)
                        )
                    )
                    self.fault(
                        cell,
                        f"{quantity.name} of {row.keys} and of {rows[j].keys} ({rows[j].place}) both cover {keys} and neither is the more specific: add a row for it",
                    )
            winner[reach & (winner < 0)] = i
        hole = np.full(domain.shape, quantity.name in self.unread)
        for name, keys in self.doubtful:
            if name == quantity.name:
                anywhere = (axes.axis(d).total if d in quantity.dims else "" for d in DIMS)
                hole |= reach_of(axes, quantity, Keys(*(k or t for k, t in zip(keys, anywhere, strict=True))))
        gap = domain & (winner < 0)
        self.gaps(axes, quantity, gap & ~hole, domain)
        winner[gap | hole] = len(rows)
        winner[~domain] = -1
        for i in positions:
            if quantity.is_count and (why := _shared_count(axes, winner == i)):
                cell = RawCell(rows[i].sheet, rows[i].cells[0], None)
                self.fault(cell, f"{quantity.name} of {rows[i].keys} {why}: give each its own row")
            if not rows[i].inputs:
                winner[winner == i] = -1
        return winner

    def gaps(self, axes: Axes, quantity: Quantity, gap: Array, domain: Array) -> None:
        """One fault for all labels of the first axis that the same is missing for."""
        if not gap.any():
            return
        if np.array_equal(gap, domain):
            self.sheet_fault(quantity.sheet, f"no row of {quantity.name} ({quantity.meaning})")
            return
        lead, *rest = quantity.dims
        axis, at = axes.axis(lead), DIMS.index(lead)
        alike: dict[bytes, list[int]] = {}
        for leaf in np.unique(np.argwhere(gap)[:, at]).tolist():
            alike.setdefault(np.take(gap, leaf, axis=at).tobytes(), []).append(leaf)
        for leaves in alike.values():
            there = np.argwhere(np.take(gap, leaves[:1], axis=at)) if rest else ()
            others = _few([" x ".join(axes.axis(d).leaves[p[DIMS.index(d)]] for d in rest) for p in there])
            whole = next((label for label in axis.labels if set(axis.members(label)) == set(leaves)), None)
            lacking = repr(whole) if whole else _few([repr(axis.leaves[k]) for k in leaves])
            self.sheet_fault(
                quantity.sheet,
                f"no row of {quantity.name} covers {axis.name} {lacking}{f' with {others}' if others else ''}",
            )

    # Scenarios, published figures, sources

    def deltas(
        self,
        table: Table | None,
        axis_of: Mapping[int, Axis],
        scenarios: Sequence[str],
        cited: list[tuple[RawCell, str]],
    ) -> Iterable[Delta]:
        if table is None or not set(SCENARIO_COLUMNS) <= set(table.header):
            return
        for cells in table.rows:
            name = self.one_of(cells["quantity"], tuple(QUANTITIES), "quantity")
            if name and QUANTITIES[name].sheet == "Timeline":
                self.fault(
                    cells["quantity"], f"{name} is the same in every scenario: a delta cannot change it"
                )
                name = ""
            scenario = self.one_of(cells["scenario"], scenarios, "scenario") if scenarios else ""
            operation = self.one_of(cells["operation"], OPERATIONS, "operation")
            amount = number(cells["amount"], self.file, self.faults)
            source = self.cites(cells, cited)
            status = self.one_of(cells["status"], STATUSES, "status")
            reason = self.text(cells["reason"], "a reason")
            keys, known = self.keys(cells, QUANTITIES[name], axis_of) if name else (Keys("", "", ""), False)
            if known and scenario:
                places = cells["amount"].address, cells["scenario"].address
                amount = amount if amount is not None and operation else np.nan
                yield Delta(scenario, name, keys, operation or "add", amount, *places, source, status, reason)

    def correlations(
        self, table: Table | None, axis_of: Mapping[int, Axis], cited: list[tuple[RawCell, str]]
    ) -> Iterable[Correlation]:
        for cells in (
            table.rows if table is not None and set(CORRELATION_COLUMNS) <= set(table.header) else ()
        ):
            quantities, keys, known = [], [], True
            for side in ("", "other_"):
                name = self.one_of(cells[f"{side}quantity"], tuple(QUANTITIES), "quantity")
                every = QUANTITIES[name].dims if name else ()
                labels = {key: cells[f"{side}{key}"] for key in KEYS[1:]}
                region = RawCell("Correlations", "", None, absent=True)
                here, whole = (
                    self.keys({"region": region, **labels}, QUANTITIES[name], axis_of)
                    if name
                    else (Keys("", "", ""), False)
                )
                known &= whole or (bool(name) and all(here[d - REGION] for d in every if d != REGION))
                quantities.append(name)
                keys.append(here)
            value = self.number(cells["rank_correlation"], -1, 1, "rank correlation")
            source, status = self.cites(cells, cited), self.one_of(cells["status"], STATUSES, "status")
            note = self.text(cells["note"], "a note", due=False)
            if known and value is not None:
                address = cells["rank_correlation"].address
                yield Correlation(
                    (quantities[0], quantities[1]), (keys[0], keys[1]), value, source, status, note, address
                )

    def published(
        self, table: Table | None, axis_of: Mapping[int, Axis], cited: list[tuple[RawCell, str]]
    ) -> Iterable[Published]:
        if table is None or not set(PUBLISHED_COLUMNS) <= set(table.header):
            return []
        found = []
        for cells in table.rows:
            metric = self.one_of(cells["metric"], tuple(PUBLISHED_METRICS), "metric")
            scope = self.one_of(cells["scope"], SCOPES, "scope")
            labels = [
                self.label(cells[key], axis_of[dim]) if dim in axis_of else ""
                for dim, key in zip(DIMS, KEYS, strict=True)
            ]
            self.comparable(cells, metric, labels, axis_of)
            year = self.number(cells["year"], 1900, 2100, "year")
            value = self.number(cells["value"], 0, 1e15, metric or "value")
            publisher, what = (self.text(cells[c], f"a {c}") for c in ("publisher", "what"))
            unit = (
                self.one_of(cells["unit"], (PUBLISHED_METRICS[metric],), f"unit of {metric}")
                if metric
                else ""
            )
            source = self.cites(cells, cited)
            note = self.text(cells["note"], "a note", due=False)
            if year is not None and value is not None:
                keys = Keys(*labels)
                found.append(
                    Published(
                        publisher,
                        what,
                        metric,
                        scope,
                        keys,
                        int(year),
                        value,
                        unit,
                        source,
                        note,
                        cells["value"].address,
                    )
                )
        return found

    def comparable(
        self, cells: Mapping[str, RawCell], metric: str, labels: Sequence[str], axis_of: Mapping[int, Axis]
    ) -> None:
        """A published figure's scope is one that the model has numbers for."""
        _, segment, subtype = (
            bool(label) and dim in axis_of and label != axis_of[dim].total
            for dim, label in zip(DIMS, labels, strict=True)
        )
        if metric == "patients" and segment:
            self.fault(
                cells["segment"],
                f"{cells['segment'].shown}: patients have no segment, give {axis_of[SEGMENT].total!r}",
            )
        elif metric == "revenue" and segment and subtype:
            self.fault(
                cells["subtype"],
                f"{cells['subtype'].shown} beside a segment: revenue is compared by one of the two, give {axis_of[SUBTYPE].total!r}",
            )

    def currencies(self, table: Table | None, cited: list[tuple[RawCell, str]]) -> Iterable[Currency]:
        if table is None or not set(CURRENCY_COLUMNS) <= set(table.header):
            return
        seen: set[str] = set()
        for cells in table.rows:
            code = self.new_label(cells["currency"], "currency")
            if folded(code) in seen and code:
                self.fault(cells["currency"], f"{code!r} is there already")
            seen.add(folded(code))
            rate = self.number(cells["rate"], 1e-6, 1e6, f"units per {DOLLAR}")
            if code == DOLLAR and rate not in (None, 1):
                self.fault(cells["rate"], f"{rate:g}: one {DOLLAR} is 1 {DOLLAR}")
            date, source = self.text(cells["date"], "the date of the rate"), self.cites(cells, cited)
            status = self.one_of(cells["status"], STATUSES, "status")
            note = self.text(cells["note"], "a note", due=False)
            yield Currency(
                code, math.nan if rate is None else rate, date, source, status, note, cells["rate"].address
            )
        if folded(DOLLAR) not in seen:
            self.sheet_fault("Currencies", f"no row of {DOLLAR}: add it with the rate 1")

    def changes(self, table: Table | None) -> Iterable[Change]:
        for cells in table.rows if table is not None and set(CHANGE_COLUMNS) <= set(table.header) else ():
            yield Change(*(self.text(cells[c], f"the {c} of a change") for c in CHANGE_COLUMNS))

    def sources(self, table: Table | None, cited: list[tuple[RawCell, str]]) -> dict[str, Source]:
        known: dict[str, Source] = {}
        if table is None or not set(SOURCE_COLUMNS) <= set(table.header):
            return known
        for cells in table.rows:
            identity = self.text(cells["id"], "a source's id")
            if folded(identity) in known and identity:
                self.fault(cells["id"], f"the source {identity!r} is there twice")
            citation = self.text(cells["citation"], "a citation")
            known[folded(identity)] = Source(
                identity, citation, *(self.text(cells[c], c, due=False) for c in SOURCE_COLUMNS[2:])
            )
        if "" not in known:
            self.citations(cited, tuple(s.id for s in known.values()))
        return {s.id: s for s in known.values()}

    def citations(self, cited: Sequence[tuple[RawCell, str]], ids: tuple[str, ...]) -> None:
        known = set(map(folded, ids))
        for cell, identity in cited:
            if folded(identity) not in known:
                self.fault(cell, f"unknown source {identity!r}: {nearest(identity, ids)}")

    # Across rows

    def across(self, a: Assumptions) -> None:
        """What single rows cannot show: sums of shares, one use per set, matching units, the order of dates, scenarios in range."""
        told: set[tuple[object, ...]] = set()
        for scenario in a.axes.scenarios:
            deltas = [d for d in a.deltas if d.scenario == scenario]
            arrays = self.shifts(a, deltas)
            self.share_sums(a, deltas, arrays, told)
            self.set_uses(a, deltas, arrays, told)
            self.dates(a, deltas, arrays, told)
        self.units(a)

    def behind(
        self, a: Assumptions, name: str, at: Sequence[int], deltas: Sequence[Delta]
    ) -> tuple[RawCell, str]:
        """The cell behind an element of a quantity: its row's, or that of the last delta on it; and the scenario in words."""
        at = tuple(min(int(p), n - 1) for p, n in zip(at, a.covers[name].shape, strict=True))
        last = next((d for d in reversed(deltas) if d.quantity == name and a.reach(d)[at]), None)
        if last is not None:
            return RawCell("Scenarios", last.cell, None), f" in scenario {last.scenario!r}"
        row = a.rows[int(a.covers[name][at])]
        return RawCell(row.sheet, row.cells[0], None), ""

    def shifts(self, a: Assumptions, deltas: Sequence[Delta]) -> dict[str, Array]:
        """Every quantity with a scenario's deltas. Each must change something and leave its quantity in range."""
        arrays = dict(a.base)
        for delta in deltas:
            reach = a.reach(delta)[np.newaxis, ..., np.newaxis]
            before = arrays[delta.quantity]
            arrays[delta.quantity] = shifted(
                before, delta.operation, np.array(delta.amount), reach.astype(float)
            )
            is_count = QUANTITIES[delta.quantity].is_count and delta.operation != "multiply"
            if is_count and (why := _shared_count(a.axes, a.reach(delta))):
                message = (
                    f"the delta on {delta.quantity} of {delta.keys} {why}: multiply, or give each its own row"
                )
                self.fault(RawCell("Scenarios", delta.cell, None), message)
            if not (reach & (arrays[delta.quantity] != before)).any():
                why = "its amount leaves the value as it is" if reach.any() else "it never applies there"
                self.fault(
                    RawCell("Scenarios", delta.cell, None),
                    f"the delta on {delta.quantity} of {delta.keys} changes nothing: {why}",
                )
        seen = {name: np.zeros(cover.shape, dtype=bool) for name, cover in a.covers.items()}
        for delta in reversed(deltas):  # the last delta on an element answers for its value
            quantity, values = QUANTITIES[delta.quantity], arrays[delta.quantity][0]
            answers = a.reach(delta) & ~seen[delta.quantity]
            seen[delta.quantity] |= answers
            bad = values[answers[..., np.newaxis] & ((values < quantity.least) | (values > quantity.most))]
            if bad.size:
                self.fault(
                    RawCell("Scenarios", delta.cell, None),
                    f"{delta.operation} {delta.amount:g} in {delta.scenario!r} takes {delta.quantity} of {delta.keys} to {bad[0]:g}, outside {quantity.least:g} to {quantity.most:g}",
                )
        return arrays

    def share_sums(
        self,
        a: Assumptions,
        deltas: Sequence[Delta],
        arrays: Mapping[str, Array],
        told: set[tuple[object, ...]],
    ) -> None:
        for name, axis, dim in (
            ("subtype_share", a.axes.subtype, SUBTYPE),
            ("base_share", a.axes.segment, SEGMENT),
            ("peak_share", a.axes.segment, SEGMENT),
        ):
            for chosen in dict.fromkeys(s for s in axis.sets if s):
                members = [i for i, s in enumerate(axis.sets) if s == chosen]
                sums = np.take(arrays[name][0], members, axis=dim - 1).sum(axis=dim - 1, keepdims=True)
                wrong = (
                    np.abs(sums - 1) > SHARE_TOLERANCE
                    if name == "subtype_share"
                    else sums > 1 + SHARE_TOLERANCE
                )
                for at in np.argwhere(wrong):
                    places = [
                        tuple(int(m if i == dim - 1 else p) for i, p in enumerate(at[:3])) for m in members
                    ]
                    there = [p for p in places if a.covers[name][p] >= 0] or places[:1]
                    if not _new(told, name, *(a.covers[name][p] for p in there)):
                        continue
                    found = [self.behind(a, name, p, deltas) for p in there]
                    cell, within = next((f for f in found if f[1]), found[0])
                    keys = [
                        a.axes.axis(d).leaves[p]
                        for d, p in zip(DIMS, at, strict=False)
                        if d in QUANTITIES[name].dims and d != dim
                    ]
                    rule = "they must sum to 1" if name == "subtype_share" else "they may not pass 1"
                    self.fault(
                        cell,
                        f"{name} of {chosen!r} for {' x '.join(keys)} sums to {sums[tuple(at)]:.10g}{within}: {rule}",
                    )

    def set_uses(
        self,
        a: Assumptions,
        deltas: Sequence[Delta],
        arrays: Mapping[str, Array],
        told: set[tuple[object, ...]],
    ) -> None:
        use, cover = arrays["set_use"][0], a.covers["set_use"]
        for chosen in dict.fromkeys(s for s in a.axes.segment.sets if s):
            members = [i for i, s in enumerate(a.axes.segment.sets) if s == chosen]
            values = use[:, members]
            for r, p in np.argwhere(
                (values.max(axis=1) != values.min(axis=1)).any(axis=-1) & np.isfinite(values).all(axis=(1, 3))
            ):
                if not _new(told, "set_use", *(cover[r, m, p] for m in members)):
                    continue
                other = next(i for i in members if (use[r, i, p] != use[r, members[0], p]).any())
                found = [self.behind(a, "set_use", (r, i, p), deltas) for i in (other, members[0])]
                cell, within = next((f for f in found if f[1]), found[0])
                labels = f"{a.axes.region.leaves[r]} x {a.axes.subtype.leaves[p]}"
                between = f"{a.axes.segment.leaves[members[0]]!r} and {a.axes.segment.leaves[other]!r}, members of {chosen!r}"
                self.fault(
                    cell,
                    f"set_use for {labels} differs between {between}{within}: give one value for the set",
                )

    def dates(
        self,
        a: Assumptions,
        deltas: Sequence[Delta],
        arrays: Mapping[str, Array],
        told: set[tuple[object, ...]],
    ) -> None:
        launch, expiry = np.broadcast_arrays(arrays["planned_launch"][0], arrays["patent_expiry"][0])
        both = (a.covers["planned_launch"] >= 0) & (a.covers["patent_expiry"] >= 0)
        for r, s, p in np.argwhere((launch >= expiry)[..., 0] & both):
            if not _new(
                told, "patent_expiry", a.covers["patent_expiry"][r, s, p], a.covers["planned_launch"][0, s, 0]
            ):
                continue
            found = [self.behind(a, name, (r, s, p), deltas) for name in ("patent_expiry", "planned_launch")]
            cell, within = next((f for f in found if f[1]), found[0])
            labels = f"{a.axes.region.leaves[r]} x {a.axes.segment.leaves[s]}"
            self.fault(
                cell,
                f"patent_expiry {expiry[r, s, p, 0]:g} of {labels} is not after planned_launch {launch[r, s, p, 0]:g}{within}",
            )

    def units(self, a: Assumptions) -> None:
        months, prices = a.covers["months_on_therapy"], a.covers["list_price"]
        for s, label in enumerate(a.axes.segment.leaves):
            price = a.rows[int(prices[0, s, 0])]
            due = {"USD per month": "months", "USD per course": "courses"}.get(price.unit, "")
            for position in np.unique(months[0, s]) if price.unit else ():
                if position >= 0 and a.rows[position].unit not in (due, ""):
                    self.fault(
                        RawCell(a.rows[position].sheet, a.rows[position].cells[0], None),
                        f"months_on_therapy of {label} is in {a.rows[position].unit} but its list_price ({price.place}) is in {price.unit}",
                    )
            if a.axes.segment.roles[s] == "test" and price.unit not in ("USD per test", ""):
                self.fault(
                    RawCell(price.sheet, price.cells[0], None),
                    f"list_price of the test {label} is in {price.unit}: allowed 'USD per test'",
                )
        index_year = a.base["index_year"].item()
        if index_year % 1 > 0:
            self.fault(self.behind(a, "index_year", (0, 0, 0), ())[0], f"{index_year:g} is not a whole year")


HOLE = Row("", Keys("", "", ""), "", "constant", (np.nan,), ("",), None, None, CERTAIN, (), "", "", "")
"""The row behind what could not be read, while the other faults of a refused workbook are looked for."""


@cache
def _by_fold(words: tuple[str, ...]) -> dict[str, str]:
    """Words by the form in which they are compared; of two that are the same in it, the first."""
    return {folded(word): word for word in reversed(words)}


def _year_columns(table: Table) -> tuple[int, ...]:
    """The years in a sheet's header, in order."""
    return tuple(sorted(int(name) for name in table.header if is_year(name)))


def _new(told: set[tuple[object, ...]], *what: object) -> bool:
    """Whether something has not been told yet; it has been from now on."""
    new = what not in told
    told.add(what)
    return new


def _few(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _shared_count(axes: Axes, reach: Array) -> str:
    """Why one count may not stand for a reach (region, segment, subtype), or ""."""
    regions = [axes.region.leaves[r] for r in np.flatnonzero(reach.any(axis=(1, 2)))]
    if len(regions) < 2:
        return ""
    return f"is a count, and each of {len(regions)} regions ({_few([repr(r) for r in regions])}) would get all of it"


def _label_problem(text: str) -> str:
    """Why a label would not do, or ""."""
    if not text:
        return ""
    if len(text) > LONGEST_LABEL:
        return f"has {len(text)} characters; at most {LONGEST_LABEL}"
    if text[0] in "=<>" or any(c in text for c in ';*?~"'):
        return "may not begin with = < > nor hold ; * ? ~ or a double quote: spreadsheets read them as formulas and wildcards"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Zs") and c != " " for c in text):
        return f"holds an invisible or odd blank character{odd_characters(text)}"
    if unicodedata.normalize("NFC", text) != text:
        return f"holds an accent apart from its letter: type it again{odd_characters(text)}"
    if not any(c.isalpha() for c in text):
        return "has no letter: a spreadsheet would take it for a number"
    scripts = {unicodedata.name(c, "?").split()[0] for c in text if c.isalpha()} & {
        "LATIN",
        "CYRILLIC",
        "GREEK",
        "ARMENIAN",
        "CHEROKEE",
    }
    if len(scripts) > 1:
        return f"mixes {' and '.join(sorted(scripts)).lower()} letters that look alike{odd_characters(text)}"
    if text.casefold() in OUTPUTS or text.casefold() in QUANTITIES:
        return "is the name of a quantity"
    return ""
