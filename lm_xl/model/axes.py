"""The five axes of every array, and the labels on them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real

from lm_xl.faults import UnknownLabel
from lm_xl.model.labels import folded, nearest

RUN, REGION, SEGMENT, SUBTYPE, YEAR = range(5)

ROLES = ("incumbent", "entrant", "rest", "test")
"""What a segment is: a therapy of its set in use today, a therapy still entering it, the set's rest member, or a test."""


KINDS = ("Brands", "Generics", "Procedures", "Diagnostic tests")
"""What kind of product a segment is: prices abroad, their growth and access differ between these more than within."""

DEFAULT = "default"
"""The role of the scenario that is meant where none is named."""
PROMISES = ("raises", "lowers")
"""What a scenario may promise: how it moves the headline of the last year against the default."""


@dataclass(frozen=True)
class Axis:
    """The leaves of one axis in their order, its groups, and the exclusive sets its leaves belong to.

    `groups` maps a group's label to the positions of its leaves; `sets` is, for each leaf, the label of the choice set
    (segments) or of the cancer (subtypes), and "" where there is none; `kinds` are those of segments. A set and a kind are groups too.
    """

    name: str
    leaves: tuple[str, ...]
    groups: Mapping[str, tuple[int, ...]]
    sets: tuple[str, ...]
    roles: tuple[str, ...]
    notes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    _members: dict[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    _labels: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        members = {folded(g): m for g, m in self.groups.items()}
        members.update({folded(leaf): (i,) for i, leaf in enumerate(self.leaves)})
        object.__setattr__(self, "_members", members)
        object.__setattr__(self, "_labels", {folded(x): x for x in self.labels})

    def __len__(self) -> int:
        return len(self.leaves)

    @property
    def labels(self) -> tuple[str, ...]:
        """Leaves, then groups."""
        return (*self.leaves, *self.groups)

    @property
    def total(self) -> str:
        """The group that holds every leaf: of several, as where there is one leaf, the last that is no set and no kind."""
        whole = [g for g, m in self.groups.items() if len(m) == len(self.leaves)]
        return next((g for g in reversed(whole) if g not in self.sets and g not in self.kinds), whole[-1])

    def members(self, label: str) -> tuple[int, ...]:
        """The positions of a leaf or of a group's leaves. Raises UnknownLabel, also where a label is due and none is given."""
        if label is None:
            raise UnknownLabel(f"no {self.name} is given: {self.total!r} is all of them")
        found = self._members.get(folded(label)) if isinstance(label, str) else None
        if found is None:
            raise UnknownLabel(f"unknown {self.name} {label!r}: {nearest(str(label), self.labels)}")
        return found

    def group_of(self, members: Sequence[int]) -> str | None:
        """The group of just these leaves, the total if they are all; None where there is none."""
        if len(members) == len(self):
            return self.total
        return next((g for g, found in self.groups.items() if found == tuple(members)), None)

    def label(self, label: str) -> str:
        """A label as the workbook writes it. Raises UnknownLabel."""
        self.members(label)
        return self._labels[folded(label)]

    def having(self, *roles: str) -> tuple[int, ...]:
        """The positions of the leaves with one of the roles."""
        return tuple(i for i, role in enumerate(self.roles) if role in roles)

    def displaced(self) -> tuple[int, ...]:
        """The positions of the therapies that entrants take shares of: the others of each choice set that has an entrant."""
        entered = {self.sets[i] for i in self.having("entrant")}
        return tuple(i for i in self.having("incumbent", "rest") if self.sets[i] in entered)

    def rest_of(self, i: int) -> int:
        """The position of the rest member of a therapy's choice set."""
        return next(j for j in self.having("rest") if self.sets[j] == self.sets[i])


@dataclass(frozen=True)
class Axes:
    """Regions, segments, subtypes and years of one workbook, with the names of its scenarios and of its scopes."""

    region: Axis
    segment: Axis
    subtype: Axis
    years: tuple[int, ...]
    scenarios: tuple[str, ...]
    """The default first, wherever it stands in the workbook; the others as they stand there."""
    scopes: tuple[str, ...]
    """Groups of segments, each holding the one before: what the market is taken to be. The first is the headline, the last holds every segment."""
    promises: Mapping[str, str] = field(default_factory=dict)
    """Scenario to what it promises, where it does."""

    @property
    def default(self) -> str:
        """The scenario that is meant where none is named."""
        return self.scenarios[0]

    @property
    def headline(self) -> str:
        """The scope that is meant where none is named."""
        return self.scopes[0]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Sizes of region, segment, subtype, year."""
        return len(self.region), len(self.segment), len(self.subtype), len(self.years)

    def axis(self, dim: int) -> Axis:
        """The labelled axis of dimension REGION, SEGMENT or SUBTYPE."""
        return (self.region, self.segment, self.subtype)[dim - REGION]

    def year(self, year: int | str) -> int:
        """The position of a year: a whole number, or its four digits as text. Raises UnknownLabel for anything else, and beyond the horizon."""
        typed = year.strip() if isinstance(year, str) else year
        if isinstance(typed, str) and re.fullmatch("[0-9]{4}", typed):
            typed = int(typed)
        if isinstance(typed, bool) or not isinstance(typed, Real) or typed != typed // 1:
            raise UnknownLabel(f"{year!r} is no year: give a whole number, as {self.years[0]}")
        if typed not in self.years:
            raise UnknownLabel(f"year {year!r} is outside the horizon {self.years[0]} to {self.years[-1]}")
        return self.years.index(int(typed))

    def nearest_year(self, year: int) -> int:
        """The year of the horizon that is nearest to one that may lie beyond it."""
        return min(max(year, self.years[0]), self.years[-1])

    def scenario(self, name: str) -> str:
        """A scenario's name as the workbook writes it. Raises UnknownLabel."""
        for known in self.scenarios:
            if folded(known) == folded(str(name)):
                return known
        raise UnknownLabel(f"unknown scenario {name!r}: {nearest(str(name), self.scenarios)}")

    def scope(self, name: str | None = None) -> str:
        """A scope's name as the workbook writes it; without a name, the headline. Raises UnknownLabel."""
        for known in self.scopes:
            if name is None or folded(known) == folded(name):
                return known
        raise UnknownLabel(f"unknown scope {name!r}: {nearest(str(name), self.scopes)}")
