"""Workbook -> Assumptions, or every fault of the workbook at once.

Reading is in four steps, each adding what it finds to one list of faults: axes, rows, which row covers what, and the
checks across rows. Nothing is repaired: a workbook with a fault is refused, with all of its faults.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from lm_xl import schema
from lm_xl.assumptions import DIMS, Assumptions, Delta, Keys, Published, Row, Source, reach_of
from lm_xl.axes import PRIMARY, ROLES, SEGMENT, Axes, Axis, UnknownLabel, folded, nearest
from lm_xl.faults import Fault, Refused
from lm_xl.ops import Array
from lm_xl.schema import NEVER, OUTPUTS, QUANTITIES, Quantity
from lm_xl.sheets import RawCell, Table, number, read_tables

SHARE_TOLERANCE = 1e-9
"""Exclusive shares sum to 1 within this."""
LONGEST_LABEL = 80
LONGEST_HORIZON = 100

AXES_COLUMNS = ("axis", "label", "set", "role", "groups", "note")
SCENARIO_COLUMNS = ("scenario", "quantity", "region", "segment", "primary", "operation", "amount", "source", "status", "reason")
PUBLISHED_COLUMNS = ("publisher", "what", "metric", "scope", "region", "segment", "primary", "year", "value", "unit", "source", "note")
SOURCE_COLUMNS = ("id", "citation", "year", "address", "read", "grade", "note")
ROW_COLUMNS = tuple(c for c in schema.COLUMNS if c != "years")

WANTED = {
    "Axes": AXES_COLUMNS,
    **dict.fromkeys(schema.SHEETS, ROW_COLUMNS),
    "Scenarios": SCENARIO_COLUMNS,
    "Published": PUBLISHED_COLUMNS,
    "Sources": SOURCE_COLUMNS,
}
"""Every sheet of an assumptions workbook and its columns, beside one column a year on the sheets of rows."""

_IN_WHEEL = Path(__file__).parent / "workbooks"
SHIPPED = (_IN_WHEEL if _IN_WHEEL.exists() else Path(__file__).parent.parent / "workbooks") / "lm_assumptions.xlsx"
"""The base case: inside an installed package, beside it in a checkout."""


def read_assumptions(path: str | Path | None = None) -> Assumptions:
    """Read and validate an assumptions workbook, or any workbook built from one; without a path, the shipped base case.

    Raises Refused with every fault of the file: each names sheet, cell, the value, what is allowed and the nearest valid name.
    """
    return _Reader(Path(path) if path is not None else SHIPPED).read()


class _Reader:
    """One reading of one file: the faults found so far and the steps that find them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.name
        self.faults: list[Fault] = []

    def fault(self, cell: RawCell, message: str) -> None:
        self.faults.append(Fault(self.file, cell.sheet, cell.address, message))

    def read(self) -> Assumptions:
        tables = read_tables(self.path, WANTED, self.faults)
        cited: list[tuple[RawCell, str]] = []
        years = self.years(tables.get("Timeline"))
        axes = self.axes(tables.get("Axes"), years)
        rows = [row for name in schema.SHEETS if name in tables for row in self.rows(tables[name], axes, years, cited)]
        deltas = self.deltas(tables.get("Scenarios"), axes, cited)
        published = self.published(tables.get("Published"), axes, cited)
        sources = self.sources(tables.get("Sources"), cited)
        covers = self.covers(axes, rows) if axes else {}
        if axes is None or self.faults:
            raise Refused(sorted(self.faults) if self.faults else [Fault(self.file, "Axes", "", "no axes were found")])
        result = Assumptions(self.path, axes, tuple(rows), tuple(deltas), tuple(published), sources, covers)
        self.across(result)
        if self.faults:
            raise Refused(sorted(self.faults))
        return result

    # Cells

    def text(self, cell: RawCell, what: str, *, due: bool = True) -> str:
        if cell.unstored:
            self.fault(cell, "a formula with no stored value: open the workbook in Excel, let it calculate, and save it")
        elif cell.blank:
            if due:
                self.fault(cell, f"blank where {what} is due")
        elif not isinstance(cell.value, str):
            if not due and isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
                return f"{cell.value:g}"
            self.fault(cell, f"{cell.value!r} where {what} is due")
        elif cell.value.startswith("#") and cell.value.rstrip("!?").isupper() and due:
            self.fault(cell, f"the error value {cell.value} where {what} is due")
        else:
            return cell.value.strip()
        return ""

    def one_of(self, cell: RawCell, allowed: Sequence[str], what: str) -> str:
        text = self.text(cell, what)
        if not text:
            return ""
        for option in allowed:
            if folded(option) == folded(text):
                return option
        self.fault(cell, f"{text!r} is no {what}: {nearest(text, tuple(allowed))}{_odd_characters(text)}")
        return ""

    def number(self, cell: RawCell, least: float, most: float, unit: str) -> float | None:
        value = number(cell, self.file, self.faults)
        if value is not None and not least <= value <= most:
            hint = f"; {value:g} % is typed {value / 100:g}" if most <= 1 < value <= 100 else ""
            self.fault(cell, f"{value:g} ({unit}) is outside {least:g} to {most:g}{hint}")
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
            self.fault(cell, f"{unknown}{_odd_characters(text)}")
            return ""

    # Axes and timeline

    def years(self, table: Table | None) -> tuple[int, ...]:
        found: dict[str, int] = {}
        for row in table.rows if table and {"quantity", "value"} <= set(table.header) else ():
            name = folded(str(row["quantity"].value))
            value = row["value"].value
            if name in ("first_year", "last_year") and isinstance(value, int | float) and not isinstance(value, bool):
                if value != int(value):
                    self.fault(row["value"], f"{value} is not a whole year")
                found[name] = int(value)
        if len(found) < 2:
            return ()
        first, last = found["first_year"], found["last_year"]
        if not first < last <= first + LONGEST_HORIZON:
            self.faults.append(
                Fault(
                    self.file,
                    "Timeline",
                    "",
                    f"first_year {first} and last_year {last}: the horizon runs forward, over 2 to {LONGEST_HORIZON} years",
                )
            )
            return ()
        return tuple(range(first, last + 1))

    def axes(self, table: Table | None, years: tuple[int, ...]) -> Axes | None:
        if table is None or not set(AXES_COLUMNS) <= set(table.header):
            return None
        by_axis: dict[str, list[dict[str, RawCell]]] = {"region": [], "segment": [], "primary": [], "scenario": []}
        for row in table.rows:
            axis = self.one_of(row["axis"], tuple(by_axis), "axis")
            if axis:
                by_axis[axis].append(row)
        built = {name: self.axis(name, by_axis[name]) for name in ("region", "segment", "primary")}
        scenarios = self.leaf_labels("scenario", by_axis["scenario"])
        if not years or any(a is None for a in built.values()) or not scenarios:
            return None
        region, segment, primary = built["region"], built["segment"], built["primary"]
        assert region and segment and primary
        return Axes(region, segment, primary, years, scenarios)

    def leaf_labels(self, name: str, rows: list[dict[str, RawCell]]) -> tuple[str, ...]:
        if not rows:
            self.faults.append(Fault(self.file, "Axes", "", f"no {name} is listed: add a row with axis {name!r}"))
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

    def axis(self, name: str, rows: list[dict[str, RawCell]]) -> Axis | None:
        before = len(self.faults)
        leaves = self.leaf_labels(name, rows)
        if not leaves:
            return None
        groups: dict[str, list[int]] = {}
        spelled: dict[str, str] = {}
        sets, roles = [], []
        for i, row in enumerate(rows):
            role = self.one_of(row["role"], ROLES, "role") if name == "segment" else ""
            chosen = "" if name == "region" or role == "test" else self.new_label(row["set"], "set")
            sets.append(chosen)
            roles.append(role)
            for field in ("set", "role"):
                if not row[field].blank and (
                    name == "region" or (role == "test" and field == "set") or (name == "primary" and field == "role")
                ):
                    self.fault(row[field], f"{row[field].value!r}: a {role or name} has no {field}")
            listed = [g.strip() for g in self.text(row["groups"], "the groups of a leaf").split(";") if g.strip()]
            for group in dict.fromkeys([*([chosen] if chosen else []), *listed]):
                problem = _label_problem(group)
                if problem:
                    self.fault(row["groups"], f"the group {group!r} {problem}")
                group = spelled.setdefault(folded(group), group)
                if i not in groups.setdefault(group, []):
                    groups[group].append(i)
        by_fold = {folded(x): i for i, x in enumerate(leaves)}
        for group in groups:
            if folded(group) in by_fold:
                self.fault(rows[by_fold[folded(group)]]["label"], f"{group!r} is both a {name} and a group: name one of them otherwise")
        if not any(len(m) == len(leaves) for m in groups.values()):
            self.faults.append(
                Fault(
                    self.file,
                    "Axes",
                    rows[0]["groups"].address,
                    f"no group holds every {name}: list one such as 'Global' or 'All cancers' on each",
                )
            )
        if name == "segment":
            self.sets(rows, sets, roles)
        if len(self.faults) > before:
            return None
        return Axis(name, leaves, {g: tuple(m) for g, m in groups.items()}, tuple(sets), tuple(roles))

    def sets(self, rows: list[dict[str, RawCell]], sets: list[str], roles: list[str]) -> None:
        for chosen in dict.fromkeys(s for s in sets if s):
            members = [i for i, s in enumerate(sets) if s == chosen]
            rest = [i for i in members if roles[i] == "rest"]
            if len(rest) != 1:
                self.fault(
                    rows[members[0]]["role"],
                    f"the set {chosen!r} has {len(rest)} rest members: give the role 'rest' to one, which takes what the others leave",
                )

    # Rows

    def keys(self, row: Mapping[str, RawCell], quantity: Quantity, axes: Axes | None) -> Keys | None:
        labels, good = [], True
        for dim, key in zip(DIMS, schema.KEYS, strict=True):
            cell = row[key]
            if dim not in quantity.dims:
                if not cell.blank:
                    self.fault(cell, f"{cell.value!r}: {quantity.name} does not vary by {key}, leave it blank")
                labels.append("")
            elif axes is None:
                good = False
            else:
                label = self.label(cell, axes.axis(dim))
                good &= bool(label)
                labels.append(label)
        return Keys(*labels) if good else None

    def rows(self, table: Table, axes: Axes | None, years: tuple[int, ...], cited: list[tuple[RawCell, str]]) -> Iterable[Row]:
        missing = set(ROW_COLUMNS) - set(table.header)
        columns = [str(y) for y in years if table.sheet in schema.MOVING_SHEETS]
        absent = [y for y in columns if y not in table.header]
        if absent:
            self.faults.append(
                Fault(
                    self.file,
                    table.sheet,
                    "",
                    f"no column for the years {', '.join(absent)}: the timeline runs {columns[0]} to {columns[-1]}",
                )
            )
        if missing or absent:
            return
        for cells in table.rows:
            name = self.one_of(cells["quantity"], tuple(QUANTITIES), "quantity")
            if not name:
                continue
            quantity = QUANTITIES[name]
            if folded(quantity.sheet) != folded(table.sheet):
                self.fault(cells["quantity"], f"{name} belongs on the sheet {quantity.sheet!r}")
            keys = self.keys(cells, quantity, axes)
            unit = self.one_of(cells["unit"], quantity.units, f"unit of {name}")
            fill = self.one_of(cells["fill"], schema.FILLS, "fill")
            inputs, places, never = self.inputs(cells, quantity, fill, unit, columns)
            distribution = self.one_of(cells["distribution"], schema.DISTRIBUTIONS, "distribution")
            low, high = self.bounds(cells, quantity, distribution, unit, None if never or not inputs else inputs[-1])
            source = self.cites(cells, cited)
            status = self.one_of(cells["status"], schema.STATUSES, "status")
            note = self.text(cells["note"], "a note", due=False)
            if keys is not None and inputs is not None:
                yield Row(name, keys, unit, fill, inputs, places, low, high, distribution, source, status, note, table.sheet)

    def inputs(
        self, cells: Mapping[str, RawCell], quantity: Quantity, fill: str, unit: str, columns: list[str]
    ) -> tuple[tuple[float, ...] | None, tuple[str, ...], bool]:
        """The numbers of a row and their cells, and whether the row says `never`."""
        value, by_year = cells["value"], [cells[y] for y in columns]
        if isinstance(value.value, str) and folded(value.value) == NEVER:
            if not quantity.can_be_never:
                self.fault(value, f"{quantity.name} cannot be {NEVER!r}: give a number")
            for cell in by_year:
                if not cell.blank:
                    self.fault(cell, f"{cell.value!r} beside {NEVER!r}: leave it blank")
            return (), (value.address,), True
        due = {"constant": [value], "linear": [*by_year[:1], *by_year[-1:]], "yearly": by_year}.get(fill, [])
        if fill and fill != "constant" and not quantity.moves:
            self.fault(cells["fill"], f"{quantity.name} does not move over the years: its fill is 'constant'")
        rules = {
            "constant": "only 'value'",
            "linear": f"only {' and '.join([*columns[:1], *columns[-1:]])}",
            "yearly": "the years and not 'value'",
        }
        for cell in [value, *by_year] if fill else []:
            if cell not in due and not cell.blank:
                rule = rules[fill]
                self.fault(cell, f"{cell.value!r} where the fill {fill!r} takes {rule}")
        numbers = [self.number(c, quantity.least, quantity.most, unit or quantity.units[0]) for c in due]
        if not due or any(n is None for n in numbers):
            return None, (), False
        return tuple(n for n in numbers if n is not None), tuple(c.address for c in due), False

    def bounds(
        self, cells: Mapping[str, RawCell], quantity: Quantity, distribution: str, unit: str, value: float | None
    ) -> tuple[float | None, float | None]:
        low, high = cells["low"], cells["high"]
        if distribution == "fixed" or (low.blank and high.blank):
            for cell in (low, high):
                if not cell.blank:
                    self.fault(cell, f"{cell.value!r} beside the distribution 'fixed': leave it blank or name a distribution")
            if distribution and distribution != "fixed":
                self.fault(low, f"blank where the distribution {distribution!r} needs low and high")
            return None, None
        at = [self.number(c, quantity.least, quantity.most, unit or quantity.units[0]) for c in (low, high)]
        if at[0] is not None and at[1] is not None:
            if at[0] > at[1]:
                self.fault(low, f"low {at[0]:g} is above high {at[1]:g}")
            elif value is not None and not at[0] <= value <= at[1]:
                self.fault(low, f"low {at[0]:g} to high {at[1]:g} does not hold the value {value:g}")
        return at[0], at[1]

    def covers(self, axes: Axes, rows: Sequence[Row]) -> dict[str, Array]:
        """Which row stands behind each element: the most specific one. Ties and gaps are faults."""
        by_quantity: dict[str, list[int]] = {name: [] for name in QUANTITIES}
        for i, row in enumerate(rows):
            by_quantity[row.quantity].append(i)
        return {name: self.cover(axes, QUANTITIES[name], rows, positions) for name, positions in by_quantity.items()}

    def cover(self, axes: Axes, quantity: Quantity, rows: Sequence[Row], positions: list[int]) -> Array:
        domain = np.ones([len(axes.axis(d)) if d in quantity.dims else 1 for d in DIMS], dtype=bool)
        if SEGMENT in quantity.dims:
            domain &= np.isin(np.arange(len(axes.segment)), axes.segment.having(*quantity.roles)).reshape(1, -1, 1)
        winner = np.full(domain.shape, -1)
        reaches = {i: reach_of(axes, quantity, rows[i].keys) for i in positions}
        told = set()
        for i in sorted(positions, key=lambda i: (int(reaches[i].sum()), i)):
            row, reach = rows[i], reaches[i]
            cell = RawCell(row.sheet, row.cells[0], None)
            if not (reach & domain).any():
                self.fault(cell, f"{quantity.name} of {row.keys}: only {' and '.join(quantity.roles)} segments have it")
            for j in np.unique(winner[reach & (winner >= 0)]):
                if np.array_equal(reach, reaches[j]):
                    self.fault(cell, f"{quantity.name} of {row.keys} is there already, in {rows[j].place}")
                elif (reaches[j] & ~reach).any() and (j, i) not in told:
                    told.add((j, i))
                    where_both = np.argwhere(reach & (winner == j))[0]
                    keys = Keys(*(axes.axis(d).leaves[p] if d in quantity.dims else "" for d, p in zip(DIMS, where_both, strict=True)))
                    self.fault(
                        cell,
                        f"{quantity.name} of {row.keys} and of {rows[j].keys} ({rows[j].place}) both cover {keys} and neither is the more specific: add a row for it",
                    )
            winner[reach & (winner < 0)] = i
        winner[~domain] = -1
        self.gaps(axes, quantity, rows, domain & (winner < 0))
        for i in positions:
            if not rows[i].inputs:
                winner[winner == i] = -1
        return winner

    def gaps(self, axes: Axes, quantity: Quantity, rows: Sequence[Row], gap: Array) -> None:
        """One fault for each label of the first axis that something is missing for."""
        if not gap.any():
            return
        if not quantity.dims or gap.all():
            self.faults.append(Fault(self.file, quantity.sheet, "", f"no row of {quantity.name} ({quantity.meaning})"))
            return
        lead = DIMS.index(quantity.dims[0])
        for at in np.unique(np.argwhere(gap)[:, lead]):
            there = np.argwhere(np.take(gap, [at], axis=lead))
            rest = [d for d in quantity.dims if d != quantity.dims[0]]
            others = [" x ".join(axes.axis(d).leaves[p[DIMS.index(d)]] for d in rest) for p in there] if rest else []
            scope = f" with {', '.join(others[:3])}{f' and {len(others) - 3} more' if len(others) > 3 else ''}" if others else ""
            self.faults.append(
                Fault(
                    self.file,
                    quantity.sheet,
                    "",
                    f"no row of {quantity.name} covers {axes.axis(quantity.dims[0]).name} {axes.axis(quantity.dims[0]).leaves[at]!r}{scope}",
                )
            )

    # Scenarios, published figures, sources

    def deltas(self, table: Table | None, axes: Axes | None, cited: list[tuple[RawCell, str]]) -> Iterable[Delta]:
        if table is None or not set(SCENARIO_COLUMNS) <= set(table.header):
            return []
        deltas = []
        for cells in table.rows:
            name = self.one_of(cells["quantity"], tuple(q for q in QUANTITIES if QUANTITIES[q].sheet != "Timeline"), "quantity")
            scenario = self.one_of(cells["scenario"], axes.scenarios, "scenario") if axes else ""
            operation = self.one_of(cells["operation"], schema.OPERATIONS, "operation")
            amount = number(cells["amount"], self.file, self.faults)
            source = self.cites(cells, cited)
            status = self.one_of(cells["status"], schema.STATUSES, "status")
            reason = self.text(cells["reason"], "a reason")
            keys = self.keys(cells, QUANTITIES[name], axes) if name else None
            if keys is not None and scenario and operation and amount is not None:
                deltas.append(
                    Delta(
                        scenario, name, keys, operation, amount, cells["amount"].address, cells["scenario"].address, source, status, reason
                    )
                )
        return deltas

    def published(self, table: Table | None, axes: Axes | None, cited: list[tuple[RawCell, str]]) -> Iterable[Published]:
        if table is None or axes is None or not set(PUBLISHED_COLUMNS) <= set(table.header):
            return []
        found = []
        for cells in table.rows:
            metric = self.one_of(cells["metric"], tuple(schema.PUBLISHED_METRICS), "metric")
            scope = self.one_of(cells["scope"], schema.SCOPES, "scope")
            labels = [self.label(cells[key], axes.axis(dim)) for dim, key in zip(DIMS, schema.KEYS, strict=True)]
            year = self.number(cells["year"], 1900, 2100, "year")
            value = self.number(cells["value"], 0, 1e15, metric or "value")
            publisher, what = (self.text(cells[c], f"a {c}") for c in ("publisher", "what"))
            unit = self.one_of(cells["unit"], (schema.PUBLISHED_METRICS[metric],), f"unit of {metric}") if metric else ""
            source = self.cites(cells, cited)
            note = self.text(cells["note"], "a note", due=False)
            if year is not None and value is not None:
                keys = Keys(*labels)
                found.append(Published(publisher, what, metric, scope, keys, int(year), value, unit, source, note, cells["value"].address))
        return found

    def sources(self, table: Table | None, cited: list[tuple[RawCell, str]]) -> dict[str, Source]:
        known: dict[str, Source] = {}
        if table is None or not set(SOURCE_COLUMNS) <= set(table.header):
            return known
        for cells in table.rows:
            identity = self.text(cells["id"], "a source's id")
            if folded(identity) in known and identity:
                self.fault(cells["id"], f"the source {identity!r} is there twice")
            citation = self.text(cells["citation"], "a citation")
            known[folded(identity)] = Source(identity, citation, *(self.text(cells[c], c, due=False) for c in SOURCE_COLUMNS[2:]))
        ids = tuple(s.id for s in known.values())
        for cell, identity in cited:
            if folded(identity) not in known:
                self.fault(cell, f"unknown source {identity!r}: {nearest(identity, ids)}")
        return {s.id: s for s in known.values()}

    # Across rows

    def across(self, a: Assumptions) -> None:
        """What single rows cannot show: sums of shares, one use per set, matching units, the order of dates, scenarios in range."""
        for scenario in a.axes.scenarios:
            arrays = a.inputs([scenario])
            self.in_range(a, scenario, arrays)
            self.share_sums(a, scenario, arrays)
            self.dates(a, scenario, arrays)
        self.units(a)

    def element(self, a: Assumptions, name: str, at: Sequence[int]) -> tuple[RawCell, Keys]:
        """The cell behind an element of a quantity, and its labels."""
        cover = a.covers[name]
        position = int(cover[tuple(min(p, n - 1) for p, n in zip(at, cover.shape, strict=True))])
        row = a.rows[position] if position >= 0 else None
        keys = Keys(*(a.axes.axis(d).leaves[p] if d in QUANTITIES[name].dims else "" for d, p in zip(DIMS, at, strict=True)))
        return RawCell(row.sheet if row else QUANTITIES[name].sheet, row.cells[0] if row else "", None), keys

    def in_range(self, a: Assumptions, scenario: str, arrays: Mapping[str, Array]) -> None:
        for delta in a.deltas:
            if delta.scenario != scenario:
                continue
            quantity = QUANTITIES[delta.quantity]
            reached = arrays[delta.quantity][0][a.reach(delta)]
            bad = reached[(reached < quantity.least) | (reached > quantity.most)]
            if bad.size:
                self.fault(
                    RawCell("Scenarios", delta.cell, None),
                    f"{delta.operation} {delta.amount:g} in {scenario!r} takes {delta.quantity} of {delta.keys} to {bad[0]:g}, outside {quantity.least:g} to {quantity.most:g}",
                )
            if not a.reach(delta).any():
                self.fault(
                    RawCell("Scenarios", delta.cell, None),
                    f"the delta on {delta.quantity} of {delta.keys} changes nothing: it never applies there",
                )

    def share_sums(self, a: Assumptions, scenario: str, arrays: Mapping[str, Array]) -> None:
        within = f" in scenario {scenario!r}" if scenario != a.axes.scenarios[0] else ""
        for name, axis, dim in (
            ("subtype_share", a.axes.primary, PRIMARY),
            ("base_share", a.axes.segment, SEGMENT),
            ("peak_share", a.axes.segment, SEGMENT),
        ):
            x = arrays[name][0]
            for chosen in dict.fromkeys(s for s in axis.sets if s):
                members = [i for i, s in enumerate(axis.sets) if s == chosen]
                sums = np.take(x, members, axis=dim - 1).sum(axis=dim - 1, keepdims=True)
                wrong = np.abs(sums - 1) > SHARE_TOLERANCE if name == "subtype_share" else sums > 1 + SHARE_TOLERANCE
                if wrong.any():
                    at = np.argwhere(wrong)[0]
                    at[dim - 1] = next((m for m in members if a.covers[name].take(m, axis=dim - 1).max() >= 0), members[0])
                    cell, keys = self.element(a, name, at[:3])
                    rule = "they must sum to 1" if name == "subtype_share" else "they may not pass 1"
                    self.fault(
                        cell,
                        f"{name} of {chosen!r} for {' x '.join(k for i, k in enumerate(keys) if k and i != dim - 1)} sums to {sums[wrong][0]:.10g}{within}: {rule}",
                    )
        use = arrays["set_use"][0]
        for chosen in dict.fromkeys(s for s in a.axes.segment.sets if s):
            members = [i for i, s in enumerate(a.axes.segment.sets) if s == chosen]
            spread = np.ptp(use[:, members], axis=1, keepdims=True)
            if (spread > 0).any():
                at = np.argwhere(spread > 0)[0]
                at[1] = members[0]
                cell, keys = self.element(a, "set_use", at[:3])
                self.fault(
                    cell,
                    f"set_use for {keys.region} x {keys.primary} differs between the members of {chosen!r}{within}: give one value for the set",
                )

    def dates(self, a: Assumptions, scenario: str, arrays: Mapping[str, Array]) -> None:
        launch, expiry = np.broadcast_arrays(arrays["planned_launch"][0], arrays["patent_expiry"][0])
        both = (a.covers["planned_launch"] >= 0) & (a.covers["patent_expiry"] >= 0)
        for at in np.argwhere((launch >= expiry)[..., 0] & both)[:1]:
            cell, keys = self.element(a, "patent_expiry", at)
            self.fault(
                cell,
                f"patent_expiry {expiry[tuple(at)][0]:g} of {keys} is not after planned_launch {launch[tuple(at)][0]:g}{f' in scenario {scenario!r}' if scenario != a.axes.scenarios[0] else ''}",
            )

    def units(self, a: Assumptions) -> None:
        months, prices = a.covers["months_on_therapy"], a.covers["list_price"]
        for s, label in enumerate(a.axes.segment.leaves):
            price = a.rows[int(prices[0, s, 0])]
            due = {"USD per month": "months", "USD per course": "courses"}.get(price.unit, "")
            for position in np.unique(months[0, s]):
                if position >= 0 and a.rows[position].unit != due:
                    self.fault(
                        RawCell(a.rows[position].sheet, a.rows[position].cells[0], None),
                        f"months_on_therapy of {label} is in {a.rows[position].unit} but its list_price ({price.place}) is in {price.unit}",
                    )
            if a.axes.segment.roles[s] == "test" and price.unit != "USD per test":
                self.fault(
                    RawCell(price.sheet, price.cells[0], None), f"list_price of the test {label} is in {price.unit}: allowed 'USD per test'"
                )
        index_year = a.base["index_year"].item()
        if index_year != int(index_year):
            cell, _ = self.element(a, "index_year", (0, 0, 0))
            self.fault(cell, f"{index_year} is not a whole year")


def _label_problem(text: str) -> str:
    """Why a label would not do, or ""."""
    if not text:
        return ""
    if len(text) > LONGEST_LABEL:
        return f"has {len(text)} characters; at most {LONGEST_LABEL}"
    if text[0] in "=<>" or any(c in text for c in ';*?~"'):
        return "may not begin with = < > nor hold ; * ? ~ or a double quote: spreadsheets read them as formulas and wildcards"
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs") for c in text):
        return f"holds an invisible character{_odd_characters(text)}"
    if not any(c.isalpha() for c in text):
        return "has no letter: a spreadsheet would take it for a number"
    scripts = {unicodedata.name(c, "?").split()[0] for c in text if c.isalpha()} & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}
    if len(scripts) > 1:
        return f"mixes {' and '.join(sorted(scripts)).lower()} letters that look alike{_odd_characters(text)}"
    if text.casefold() in OUTPUTS or text.casefold() in QUANTITIES:
        return "is the name of a quantity"
    return ""


def _odd_characters(text: str) -> str:
    odd = [f"U+{ord(c):04X} {unicodedata.name(c, 'control character').lower()}" for c in dict.fromkeys(text) if ord(c) > 126 or ord(c) < 32]
    return f" (it holds {', '.join(odd[:3])})" if odd else ""
