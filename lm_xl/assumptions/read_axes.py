"""The sheets Timeline and Axes: the years of the forecast, its regions, segments and subtypes, and its scenarios."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from lm_xl.assumptions.assumptions import DIMS
from lm_xl.assumptions.cells import Findings, label_problem, listed, new_label, note, one_of, text
from lm_xl.assumptions.columns import KEYS, SCHEMA, UPGRADES
from lm_xl.assumptions.tables import RawCell, SheetRow, Table
from lm_xl.model.axes import DEFAULT, KINDS, PROMISES, ROLES, SEGMENT, Axis
from lm_xl.model.labels import folded, nearest
from lm_xl.model.quantities import QUANTITIES

LONGEST_HORIZON = 100


def read_years(table: Table | None, tell: Findings) -> tuple[int, ...]:
    """The years of the forecast; () where they cannot be known. What is no number or out of range is found with the other rows."""
    found: dict[str, tuple[int, RawCell]] = {}
    for row in table.rows if table and {"quantity", "value"} <= set(table.header) else ():
        name, cell = folded(str(row["quantity"].value)), row["value"]
        quantity, value = QUANTITIES.get(name), cell.value
        if quantity is None or quantity.sheet != "Timeline" or not isinstance(value, float):
            continue
        if quantity.least <= value <= quantity.most:
            found[name] = int(value), cell
            if value != int(value):
                tell.fault(cell, f"{value:g} is not a whole year")
    if not {"first_year", "last_year"} <= set(found):
        return ()
    (first, _), (last, cell) = found["first_year"], found["last_year"]
    if first < last < first + LONGEST_HORIZON:
        return tuple(range(first, last + 1))
    rule = f"the horizon runs forward, over 2 to {LONGEST_HORIZON} years"
    tell.fault(cell, f"first_year {first} and last_year {last}: {rule}")
    return ()


class ReadAxes(NamedTuple):
    """What the sheet Axes says, as far as it is whole."""

    axis_of: dict[int, Axis] = {}  # noqa: RUF012 -- a default that nobody changes
    """The axes by dimension."""
    scenarios: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    promises: Mapping[str, str] = {}


def read_axes(table: Table | None, tell: Findings) -> ReadAxes:
    """The axes that are whole, the names of the scenarios with their promises, and the scopes; nothing where the sheet is not whole."""
    if table is None:
        return ReadAxes()
    rows: dict[str, list[SheetRow]] = {name: [] for name in (*KEYS, "scenario", "scope", "schema")}
    before = len(tell.faults)
    for row in table.rows:
        name = one_of(row["axis"], tuple(rows), "axis", tell)
        if name:
            rows[name].append(row)
    lost = len(tell.faults) > before
    of_today = lost or _demand_schema(rows.pop("schema"), tell)
    for name in (name for name, found in rows.items() if not found and not lost):
        tell.sheet_fault("Axes", f"no {name} is listed: add a row with axis {name!r}")
    axes = {dim: _axis(key, rows[key], tell) for dim, key in zip(DIMS, KEYS, strict=True)}
    scenarios, promises = _scenarios(rows["scenario"], tell, of_today=of_today)
    scopes = _scopes(rows["scope"], axes.get(SEGMENT), tell)
    if lost:  # a row of any axis: whether other sheets' labels are known cannot be told
        return ReadAxes()
    return ReadAxes({dim: axis for dim, axis in axes.items() if axis}, scenarios, scopes, promises)


def _demand_schema(rows: Sequence[SheetRow], tell: Findings) -> bool:
    """Whether the workbook has the form that is read today; where it has an older one, a fault tells the way up."""
    version = f"version {SCHEMA}"
    for row in rows:
        _demand_blank(row, "schema", ("set", "role", "kind", "groups"), tell)
        tell.demand_once(row["label"], "the schema", "schema")
    told = text(rows[0]["label"], f"the schema, such as {version!r},", tell) if rows else ""
    if rows and not told:
        return False
    found = re.fullmatch(r"version ([0-9]{1,4})", folded(told))
    have = int(found[1]) if found else 1
    if have == SCHEMA:
        return True
    if told and not found:
        tell.fault(rows[0]["label"], f"{told!r} is no schema: this lm_xl reads {version!r}")
    elif have > SCHEMA:
        tell.fault(
            rows[0]["label"], f"{told!r} is of a newer lm_xl: this one reads {version!r}, so install that"
        )
    else:
        way = "; ".join(UPGRADES[to] for to in range(have + 1, SCHEMA + 1))
        how = "give that row" if rows else "add a row with the axis 'schema' and"
        older = f"the workbook has the form of an older lm_xl ({told or 'no schema is told'})"
        message = f"{older}: {way}; then {how} the label {version!r}"
        tell.fault_at("Axes", rows[0]["label"].address if rows else "", message)
    return False


def _scenarios(
    rows: Sequence[SheetRow], tell: Findings, *, of_today: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names of the scenarios, the default first, and what the others promise; nothing where one of their rows has a fault."""
    before = len(tell.faults)
    names, roles = _leaves("scenario", rows, tell), []
    for row in rows:
        _demand_blank(row, "scenario", ("set", "kind", "groups"), tell)
        words = (DEFAULT, *PROMISES)
        roles.append("" if row["role"].blank else one_of(row["role"], words, "role of a scenario", tell))
        if roles[-1] == DEFAULT:
            tell.demand_once(row["role"], "the default scenario", DEFAULT)
    if rows and DEFAULT not in roles and of_today and len(tell.faults) == before:
        tell.fault(
            rows[0]["role"],
            f"no scenario has the role {DEFAULT!r}: give it to the one that is meant where none is named",
        )
    if not rows or len(tell.faults) > before:
        return (), {}
    default = roles.index(DEFAULT) if DEFAULT in roles else 0  # of an older form, which has its fault
    promises = {name: role for name, role in zip(names, roles, strict=True) if role in PROMISES}
    return (names[default], *names[:default], *names[default + 1 :]), promises


def _scopes(rows: Sequence[SheetRow], segment: Axis | None, tell: Findings) -> tuple[str, ...]:
    """The scopes from the smallest to the largest, each a group of segments that holds the one before it, the last all of them."""
    before = len(tell.faults)
    names = _leaves("scope", rows, tell)
    for row in rows:
        _demand_blank(row, "scope", ("set", "role", "kind", "groups"), tell)
    if segment is None or len(tell.faults) > before:
        return names
    spelled = {folded(group): group for group in segment.groups}
    found = []
    for row, name in zip(rows, names, strict=True):
        if folded(name) in spelled:
            found.append((set(segment.members(name)), spelled[folded(name)], row["label"]))
        else:
            hint = nearest(name, tuple(segment.groups))
            tell.fault(row["label"], f"the scope {name!r} is no group of segments: {hint}")
    found.sort(key=lambda scope: len(scope[0]))
    for (inner, name, cell), (outer, larger, _) in pairwise(found):
        if left := inner - outer:
            out = f"leaves out {segment.leaves[min(left)]!r}, which the scope {name!r} holds"
            tell.fault(cell, f"the scope {larger!r} {out}: of two scopes one holds the other")
    if found and (left := set(range(len(segment))) - found[-1][0]):
        _, name, cell = found[-1]
        tell.fault(cell, f"no scope holds every segment: {name!r} leaves out {segment.leaves[min(left)]!r}")
    return tuple(name for _, name, _ in found)


def _demand_blank(row: SheetRow, what: str, columns: Sequence[str], tell: Findings) -> None:
    for column in columns:
        if not row[column].blank:
            tell.fault(row[column], f"{row[column].shown}: a {what} has no {column}")


def _leaves(name: str, rows: Sequence[SheetRow], tell: Findings) -> tuple[str, ...]:
    """The labels of an axis in their order."""
    leaves = []
    for row in rows:
        leaf = new_label(row["label"], name, tell)
        if leaf:
            tell.demand_once(row["label"], repr(leaf), name, leaf)
        leaves.append(leaf)
    return tuple(leaves)


def _axis(name: str, rows: Sequence[SheetRow], tell: Findings) -> Axis | None:
    """An axis with its groups, sets and roles; None where one of its rows has a fault."""
    before = len(tell.faults)
    leaves = _leaves(name, rows, tell)
    if not leaves:
        return None
    roles = [one_of(row["role"], ROLES, "role", tell) if name == "segment" else "" for row in rows]
    kinds = _kinds(rows, roles, tell) if name == "segment" else ()
    sets, groups = _members(name, rows, roles, kinds, tell)
    _demand_own_names(name, rows, leaves, sets, groups, tell)
    _demand_pure_kinds(rows, kinds, groups, tell)
    if len(tell.faults) == before and not any(len(m) == len(leaves) for m in groups.values()):
        advice = "list one such as 'Global' or 'All cancers' on each"
        tell.fault(rows[0]["groups"], f"no group holds every {name}: {advice}")
    if name == "segment" and all(roles):
        _demand_rest_members(rows, sets, roles, tell)
    if len(tell.faults) > before:
        return None
    notes = tuple(note(row, tell) for row in rows)
    return Axis(
        name, leaves, {g: tuple(m) for g, m in groups.items()}, tuple(sets), tuple(roles), notes, kinds
    )


def _kinds(rows: Sequence[SheetRow], roles: Sequence[str], tell: Findings) -> tuple[str, ...]:
    """What kind of product each segment is: tests are diagnostic tests, and nothing else is."""
    kinds = []
    for row, role in zip(rows, roles, strict=True):
        kind = one_of(row["kind"], KINDS, "kind", tell)
        if kind and role and (kind == KINDS[-1]) != (role == "test"):
            allowed = [k for k in KINDS if (k == KINDS[-1]) == (role == "test")]
            tell.fault(
                row["kind"],
                f"the kind {kind!r} of a segment with the role {role!r}: allowed {', '.join(map(repr, allowed))}",
            )
        kinds.append(kind)
    return tuple(kinds)


def _demand_pure_kinds(
    rows: Sequence[SheetRow], kinds: Sequence[str], groups: Mapping[str, Sequence[int]], tell: Findings
) -> None:
    """A group that is called as a kind holds the segments of that kind."""
    for kind in dict.fromkeys(k for k in kinds if k):
        for i in groups.get(kind, ()):
            if kinds[i] not in (kind, ""):
                tell.fault(
                    rows[i]["groups"],
                    f"the group {kind!r} is a kind, which this segment's is not: leave it out",
                )


def _members(
    name: str, rows: Sequence[SheetRow], roles: Sequence[str], kinds: Sequence[str], tell: Findings
) -> tuple[list[str], dict[str, list[int]]]:
    """Each leaf's set, and the positions of each group's leaves. A label is spelled as where it first stands."""
    spelled: dict[str, str] = {folded(kind): kind for kind in KINDS if name == "segment"}
    sets: list[str] = []
    groups: dict[str, list[int]] = {}
    for i, (row, role) in enumerate(zip(rows, roles, strict=True)):
        unused = _unused_columns(name, role)
        for column in unused:
            if not row[column].blank:
                tell.fault(row[column], f"{row[column].shown}: a {role or name} has no {column}")
        own = new_label(row["set"], "set", tell) if "set" not in unused else ""
        sets.append(spelled.setdefault(folded(own), own))
        kind = kinds[i] if kinds else ""
        for group in _groups(row["groups"], own, kind, tell):
            groups.setdefault(spelled.setdefault(folded(group), group), []).append(i)
    return sets, groups


def _unused_columns(name: str, role: str) -> tuple[str, ...]:
    """The columns that a leaf of an axis leaves blank."""
    if name == "segment":
        return ("set",) if role == "test" else ()
    return ("set", "role", "kind") if name == "region" else ("role", "kind")


def _groups(cell: RawCell, own: str, kind: str, tell: Findings) -> list[str]:
    """The groups of a leaf, its set and its kind being two of them, each once however it is spelled."""
    groups = {folded(group): group for group in (own, *listed(cell, "a group", tell), kind) if group}
    for group in groups.values():
        problem = label_problem(group) if folded(group) != folded(own) else ""
        if problem:
            tell.fault(cell, f"the group {group!r} {problem}")
    return list(groups.values())


def _demand_own_names(
    name: str,
    rows: Sequence[SheetRow],
    leaves: Sequence[str],
    sets: Sequence[str],
    groups: Mapping[str, Sequence[int]],
    tell: Findings,
) -> None:
    """A set holds none but its members, and no group is called as a leaf is."""
    for own in dict.fromkeys(s for s in sets if s):
        for i in groups[own]:
            if sets[i] != own:
                stranger = f"a set, to which {leaves[i]!r} does not belong: name one of them otherwise"
                tell.fault(rows[i]["groups"], f"the group {own!r} is {stranger}")
    position = {folded(leaf): i for i, leaf in enumerate(leaves)}
    for group, members in groups.items():
        if folded(group) in position:
            cell = rows[position[folded(group)]]["label"]
            both = f"both a {name} and a group (of {leaves[members[0]]!r}): name one of them otherwise"
            tell.fault(cell, f"{group!r} is {both}")


def _demand_rest_members(
    rows: Sequence[SheetRow], sets: Sequence[str], roles: Sequence[str], tell: Findings
) -> None:
    """Every choice set has one rest member."""
    for own in dict.fromkeys(s for s in sets if s):
        members = [i for i, s in enumerate(sets) if s == own]
        found = sum(roles[i] == "rest" for i in members)
        if found != 1:
            advice = "give the role 'rest' to one, which takes what the others leave"
            tell.fault(rows[members[0]]["role"], f"the set {own!r} has {found} rest members: {advice}")
