"""A second reader of assumptions workbooks, written from docs/assumptions.md alone: what the cells say, or why they cannot be read.

It takes the columns from the sound workbook and the vocabulary from the model. It paints rows from the widest to the narrowest, and stops
at the first thing that is wrong.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from cellbooks import DATES, Book, Cell, Place, Sheet
from openpyxl.utils.cell import get_column_letter

from lm_xl.model.quantities import QUANTITIES, Quantity

KEYS = ("region", "segment", "subtype")
ROW_SHEETS = ("Timeline", "Epidemiology", "Diagnosis", "Treatment", "Launches", "Pricing")
MOVING = ("Diagnosis", "Treatment", "Pricing")
STATUSES = ("sourced", "derived", "expert", "placeholder")
SPREADS = ("beta", "dirichlet", "gamma", "lognormal", "normal", "pert")
KINDS = ("Brands", "Generics", "Procedures", "Diagnostic tests")
PHASES = (
    "Marketed",
    "Registration",
    "Phase 3",
    "Phase 2/3",
    "Phase 2",
    "Phase 1/2",
    "Phase 1",
    "Preclinical",
)
RESULTS = ("diagnosed", "diagnosed_share", "suspected_per_diagnosed")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
BLANK = Cell("n", "")

Array = np.ndarray[Any, Any]


class Unreadable(Exception):
    """What cannot be read: the sheet, the one cell that is wrong by itself or "", and why."""

    def __init__(self, sheet: str, cell: str, why: str) -> None:
        self.sheet, self.cell, self.why = sheet, cell, why
        super().__init__(f"{sheet}!{cell}: {why}")


class At(NamedTuple):
    """A cell and where it stands."""

    sheet: str
    address: str
    cell: Cell

    def wrong(self, why: str) -> Unreadable:
        return Unreadable(self.sheet, self.address, f"{self.cell.text[:40]!r}: {why}")

    @property
    def stored(self) -> Cell:
        """The cell, which has a value if it has a formula."""
        if self.cell.formula is not None and not self.cell.text:
            raise self.wrong("a formula without a value")
        if self.cell.formula == self.address:
            raise self.wrong("a circle")
        return self.cell

    @property
    def word(self) -> str:
        """The word that is due here."""
        cell = self.stored
        word = cell.text.strip()
        if cell.kind != "s" or not word or (word[0] == "#" and re.fullmatch("#[A-Z0-9/]+[!?]?", word)):
            raise self.wrong("no word")
        return word

    def one_of(self, words: Sequence[str]) -> str:
        found = _by_sameness(tuple(words)).get(same(self.word))
        if found is None:
            raise self.wrong("no word that is known here")
        return found

    def number(self, least: float = -np.inf, most: float = np.inf) -> float:
        """The number that is due here."""
        cell = self.stored
        if cell.kind != "n" or cell.style in DATES or not NUMBER.fullmatch(cell.text.strip()):
            raise self.wrong("no number")
        value = float(cell.text)
        if not (least <= value <= most and np.isfinite(value)):
            raise self.wrong("out of range")
        return value

    def whole(self, least: float, most: float) -> int:
        value = self.number(least, most)
        if value != int(value):
            raise self.wrong("no whole number")
        return int(value)

    def empty(self) -> None:
        if not self.cell.blank:
            raise self.wrong("should be blank")

    def words(self) -> list[str]:
        found = [w.strip() for w in self.word.split(";") if w.strip()]
        if not found:
            raise self.wrong("no words")
        return found


def same(word: str) -> str:
    """The form in which words are compared."""
    return word.strip().casefold()


@lru_cache(maxsize=4096)
def _by_sameness(words: tuple[str, ...]) -> dict[str, str]:
    return {same(word): word for word in reversed(words)}


Line = Mapping[str, At]


@dataclass(frozen=True, eq=False)
class Axis:
    """The leaves of an axis and its groups as the sheet Axes spells them, with the positions of their leaves."""

    leaves: tuple[str, ...]
    groups: tuple[tuple[str, frozenset[int]], ...]
    sets: tuple[str, ...]
    roles: tuple[str, ...]
    kinds: tuple[str, ...]

    @cached_property
    def known(self) -> dict[str, tuple[str, frozenset[int]]]:
        found = {same(group): (group, members) for group, members in self.groups}
        return found | {same(leaf): (leaf, frozenset({i})) for i, leaf in enumerate(self.leaves)}

    def of(self, at: At) -> tuple[str, frozenset[int]]:
        """A label as the sheet Axes spells it, and the positions of its leaves."""
        found = self.known.get(same(at.word))
        if found is None:
            raise at.wrong("no label of its axis")
        return found


def _name(cell: Cell) -> str:
    if cell.kind == "n" and cell.text and NUMBER.fullmatch(cell.text.strip()) and cell.style not in DATES:
        return f"{float(cell.text):g}"
    return same(cell.text) if cell.kind == "s" else ""


def _is_year(name: str) -> bool:
    return bool(re.fullmatch("[0-9]{4}", name))


@lru_cache(maxsize=64)
def lines(sheet: Sheet, columns: frozenset[str]) -> tuple[dict[str, int], list[Line]]:
    """The columns of a sheet that are meant to be read, and its rows as cells by column."""
    names: dict[int, dict[int, str]] = {}
    for (row, column), cell in sheet.cells.items():
        if row <= 20:
            names.setdefault(row, {})[column] = _name(cell)
    count = {row: sum(n in columns for n in found.values()) for row, found in names.items()}
    top = max(count, key=lambda row: (count[row], -row), default=0)
    if not top or count[top] * 2 <= len(columns):
        raise Unreadable(sheet.title, "", "no header")
    header: dict[str, int] = {}
    for column, name in sorted(names[top].items()):
        if name in columns or _is_year(name):
            if name in header:
                raise Unreadable(sheet.title, f"{get_column_letter(column)}{top}", "a column twice")
            if sheet.cells[top, column].formula is not None and not sheet.cells[top, column].text:
                raise Unreadable(
                    sheet.title, f"{get_column_letter(column)}{top}", "a formula without a value"
                )
            header[name] = column
    for name in columns - header.keys():
        raise Unreadable(sheet.title, "", f"no column {name}")
    rows: dict[int, dict[str, Cell]] = {}
    known = {column: name for name, column in header.items()}
    for (row, column), cell in sorted(sheet.cells.items()):
        if row > top and column in known and not cell.blank:
            rows.setdefault(row, {})[known[column]] = cell
    found = []
    for row, cells in rows.items():
        if row in sheet.hidden_rows:
            raise Unreadable(sheet.title, f"A{row}", "a hidden row")
        end = sheet.table[2] if sheet.table else row
        if row > end + 1 and [cell.kind for cell in cells.values()] == ["s"]:
            continue  # a remark apart below the table
        if row > end:
            raise Unreadable(sheet.title, "", f"row {row} below the table")
        address = {n: f"{get_column_letter(c)}{row}" for n, c in header.items()}
        found.append({n: At(sheet.title, address[n], cells.get(n, BLANK)) for n in header})
    return header, found


class Reading:
    """What a workbook says. `columns` are those of the sound workbook, by sheet."""

    def __init__(self, book: Book, columns: Mapping[str, frozenset[str]]) -> None:
        self.book, self.columns = book, columns
        for sheet in book.sheets if book.calculation else ():
            for (row, column), cell in sheet.cells.items():
                if cell.formula is not None:
                    raise Unreadable(sheet.title, f"{get_column_letter(column)}{row}", "not calculated")
        self.axes()
        self.rows()
        self.deltas()
        self.records()

    def table(self, title: str) -> list[Line]:
        found = [s for s in self.book.sheets if same(s.title) == same(title)]
        if not found and title == "Bands":
            return []
        if len(found) != 1 or found[0].state != "visible":
            raise Unreadable(title, "", "the sheet is not there once, to be seen")
        self.header, rows = lines(found[0], self.columns[title])
        return rows

    # Axes

    def axes(self) -> None:
        by_axis: dict[str, list[Line]] = {name: [] for name in (*KEYS, "scenario", "scope", "schema")}
        for line in self.table("Axes"):
            by_axis[line["axis"].one_of(tuple(by_axis))].append(line)
        schema = by_axis["schema"]
        if len(schema) != 1 or same(schema[0]["label"].word) != "version 2":
            raise Unreadable("Axes", "", "no schema of today")
        for name in ("scenario", "scope", "schema"):
            for line in by_axis[name]:
                for column in ("set", "kind", "groups", *(() if name == "scenario" else ("role",))):
                    line[column].empty()
        self.region, self.segment, self.subtype = (_axis(name, by_axis[name]) for name in KEYS)
        names = [line["label"].word for line in by_axis["scenario"]]
        _once("Axes", names)
        roles = [
            "" if line["role"].cell.blank else line["role"].one_of(("default", "raises", "lowers"))
            for line in by_axis["scenario"]
        ]
        if roles.count("default") != 1:
            raise Unreadable("Axes", "", "not one default scenario")
        default = names[roles.index("default")]
        self.scenarios = (default, *(n for n in names if n != default))
        self.promises = {n: r for n, r in zip(names, roles, strict=True) if r in ("raises", "lowers")}
        scopes: list[tuple[frozenset[int], str]] = []
        for line in by_axis["scope"]:
            group = next(
                ((m, g) for g, m in self.segment.groups if same(g) == same(line["label"].word)), None
            )
            if group is None:
                raise line["label"].wrong("no group of segments")
            scopes.append(group)
        _once("Axes", [name for _, name in scopes])
        scopes.sort(key=lambda scope: len(scope[0]))
        held = [*(members for members, _ in scopes), frozenset(range(len(self.segment.leaves)))]
        if not scopes or held[-2] != held[-1] or any(not a <= b for a, b in pairwise(held)):
            raise Unreadable("Axes", "", "scopes do not hold one another")
        self.scopes = tuple(name for _, name in scopes)
        self.axis = dict(zip(KEYS, (self.region, self.segment, self.subtype), strict=True))
        years = {}
        for line in self.table("Timeline"):
            name = line["quantity"].one_of(tuple(QUANTITIES))
            years[name] = line["value"].whole(1900, 2100)
        if (
            not {"first_year", "last_year"} <= years.keys()
            or not 0 < years["last_year"] - years["first_year"] < 100
        ):
            raise Unreadable("Timeline", "", "no years")
        self.years = range(years["first_year"], years["last_year"] + 1)
        ids = [line["id"].word for line in self.table("Sources")]
        _once("Sources", ids)
        self.sources = set(map(same, ids))

    def sourced(self, line: Line) -> None:
        """The sources of a row are known, and its status is a word."""
        for word in line["source"].words():
            if same(word) not in self.sources:
                raise line["source"].wrong("no source")
        if "status" in line:
            line["status"].one_of(STATUSES)

    # Rows

    def rows(self) -> None:
        self.said: list[tuple[Any, ...]] = []
        by_quantity: dict[str, list[tuple[tuple[frozenset[int], ...], Array | None, str]]]
        by_quantity = {name: [] for name in QUANTITIES}
        for sheet in ROW_SHEETS:
            for line in self.table(sheet):
                name = line["quantity"].one_of(tuple(QUANTITIES))
                if QUANTITIES[name].sheet != sheet:
                    raise line["quantity"].wrong("belongs on another sheet")
                labels, reach = self.keys(line, QUANTITIES[name])
                values = self.values(sheet, line, QUANTITIES[name], labels)
                self.sourced(line)
                by_quantity[name].append((reach, values, line["value"].address))
        self.base: dict[str, Array] = {}
        self.there: dict[str, Array] = {}
        for name, rows in by_quantity.items():
            self.base[name], self.there[name] = self.painted(QUANTITIES[name], rows)
        self.sums(self.base, [])

    def keys(
        self, line: Line, quantity: Quantity, side: str = ""
    ) -> tuple[tuple[str, ...], tuple[frozenset[int], ...]]:
        """The labels of a row, "" where its quantity does not vary, and the positions that they stand for."""
        labels, reach = [], []
        for dim, key in enumerate(KEYS, 1):
            at = line.get(side + key)
            label, members = "", frozenset({0})
            if at is not None and dim in quantity.dims:
                label, members = self.axis[key].of(at)
            elif at is not None:
                at.empty()
            labels.append(label)
            reach.append(members)
        return tuple(labels), tuple(reach)

    def values(self, sheet: str, line: Line, quantity: Quantity, labels: tuple[str, ...]) -> Array | None:
        """A row's value in each year, None for never; what its fill does not take is blank."""
        unit = line["unit"].one_of(quantity.units)
        fill = line["fill"].one_of(("constant", "linear", "yearly") if quantity.moves else ("constant",))
        years = [str(y) for y in self.years] if sheet in MOVING else []
        if missing := [y for y in years if y not in line]:
            raise Unreadable(sheet, "", f"no column {missing[0]}")
        for name in line:
            if _is_year(name) and name not in years:
                line[name].empty()
        cell = line["value"].cell
        never = cell.kind == "s" and same(cell.text) == "never" and quantity.can_be_never
        taken = {"constant": ["value"], "linear": [years[0], years[-1]] if years else [], "yearly": years}[
            fill
        ]
        for name in ("value", *years):
            if name not in (["value"] if never else taken):
                line[name].empty()
        distribution = line["distribution"].one_of(("fixed", *SPREADS))
        low = high = None
        numbers: list[float] = []
        if not never:
            numbers = [line[name].number(quantity.least, quantity.most) for name in taken]
        if never or distribution == "fixed":
            line["low"].empty()
            line["high"].empty()
            if distribution != "fixed":
                raise line["distribution"].wrong("beside never")
        else:
            low, high = (line[end].number(quantity.least, quantity.most) for end in ("low", "high"))
            if not low <= numbers[-1] <= high:
                raise Unreadable(sheet, "", f"{low} to {high} does not hold {numbers[-1]}")
        self.said.append((quantity.name, *labels, unit, fill, tuple(numbers), distribution, low, high))
        if never:
            return None
        if fill == "linear":
            part = np.arange(len(self.years)) / (len(self.years) - 1)
            return numbers[0] + (numbers[1] - numbers[0]) * part
        return np.array(numbers if fill == "yearly" else numbers * len(self.years))

    def painted(
        self, quantity: Quantity, rows: Sequence[tuple[tuple[frozenset[int], ...], Array | None, str]]
    ) -> tuple[Array, Array]:
        """The values of a quantity (region, segment, subtype, year), and where it has any."""
        sizes = tuple(
            len(self.axis[key].leaves) if dim in quantity.dims else 1 for dim, key in enumerate(KEYS, 1)
        )
        due = np.ones(sizes, dtype=bool)
        if 2 in quantity.dims:
            due &= np.array([r in quantity.roles for r in self.segment.roles]).reshape(1, -1, 1)
        top = _topmost(quantity, sizes, tuple(reach for reach, _, _ in rows))
        if (due & (top < 0)).any():
            raise Unreadable(quantity.sheet, "", f"{quantity.name} has a gap")
        top = np.where(due, top, -1)
        for i, (reach, values, _) in enumerate(rows):
            if quantity.is_count and len({place[0] for place in np.argwhere(top == i).tolist()}) > 1:
                raise Unreadable(quantity.sheet, "", f"{reach} would share a count")
            if values is None:
                top[top == i] = -1
        known = np.array([v if v is not None else np.zeros(len(self.years)) for _, v, _ in rows])
        return np.where((top >= 0)[..., np.newaxis], known[top], quantity.absent), top >= 0

    # Rules across rows

    def sums(self, arrays: Mapping[str, Array], deltas: Sequence[str]) -> None:
        """The shares of a set sum to 1 at most, those of subtypes to 1; typed curves too."""
        for name, axis, along in (("subtype_share", self.subtype, 2), ("base_share", self.segment, 1), ("peak_share", self.segment, 1)):  # fmt: skip
            for chosen in {s for s in axis.sets if s}:
                total = (
                    arrays[name].take([i for i, s in enumerate(axis.sets) if s == chosen], along).sum(along)
                )
                if (total > 1 + 1e-9).any() or (along == 2 and (total < 1 - 1e-9).any()):
                    raise Unreadable(
                        QUANTITIES[name].sheet if not deltas else "Scenarios", "", f"{name} of {chosen}"
                    )
        if (sum(arrays[f"uptake_gain_{k}"] for k in range(1, 7)) > 1 + 1e-9).any():
            raise Unreadable("Launches" if not deltas else "Scenarios", "", "the typed curve passes its peak")
        for chosen in {s for s in self.segment.sets if s}:
            use = arrays["set_use"].take([i for i, s in enumerate(self.segment.sets) if s == chosen], 1)
            if (use != use[:, :1]).any():
                raise Unreadable(
                    "Treatment" if not deltas else "Scenarios", "", f"the uses of {chosen} differ"
                )
        lone = self.there["orphan_exclusivity"] & ~self.there["patent_expiry"]
        if (arrays["orphan_exclusivity"][lone] > 0).any():
            raise Unreadable("Launches" if not deltas else "Scenarios", "", "an orphan without a patent")

    def deltas(self) -> None:
        self.changes: list[tuple[Any, ...]] = []
        steps: dict[str, list[tuple[str, str, float, Array]]] = {name: [] for name in self.scenarios}
        seen = set()
        for line in self.table("Scenarios"):
            movable = [n for n, q in QUANTITIES.items() if q.sheet != "Timeline"]
            name = line["quantity"].one_of(movable)
            scenario = line["scenario"].one_of(self.scenarios)
            operation = line["operation"].one_of(("multiply", "add", "set"))
            amount = line["amount"].number(-1e15, 1e15)
            self.sourced(line)
            assert line["reason"].word
            labels, reach = self.keys(line, QUANTITIES[name])
            if (scenario, name, operation, reach) in seen:
                raise Unreadable("Scenarios", "", "a delta twice")
            seen.add((scenario, name, operation, reach))
            active = self.there[name] & _mask(self.there[name].shape, reach)
            if not active.any() or (operation, amount) in (("multiply", 1), ("add", 0)):
                raise Unreadable("Scenarios", "", "a delta of nothing")
            self.changes.append((scenario, name, *labels, operation, amount))
            steps[scenario].append((name, operation, amount, active))
        self.under: dict[str, dict[str, Array]] = {}
        for scenario, taken in steps.items():
            arrays = dict(self.base)
            for name, operation, amount, active in taken:
                x = arrays[name]
                moved = {"multiply": x * amount, "add": x + amount, "set": np.full_like(x, amount)}[operation]
                arrays[name] = np.where(active[..., np.newaxis], moved, x)
            for name, _, _, active in taken:
                inside = arrays[name][active]
                if (inside < QUANTITIES[name].least).any() or (inside > QUANTITIES[name].most).any():
                    raise Unreadable("Scenarios", "", f"{scenario} takes {name} out of range")
            if taken:
                self.sums(arrays, [scenario])
            self.under[scenario] = {name: arrays[name] for name, *_ in taken}

    # What stands beside the rows

    def records(self) -> None:
        self.correlations = []
        for line in self.table("Correlations"):
            sides = []
            for side in ("", "other_"):
                name = line[f"{side}quantity"].one_of(tuple(QUANTITIES))
                sides.append((name, *self.keys(line, QUANTITIES[name], side)[0][1:]))
            self.correlations.append((*sides, line["rank_correlation"].number(-1, 1)))
            self.sourced(line)
        self.products = self.goods()
        self.published = []
        for line in self.table("Published"):
            metric = line["metric"].one_of(("revenue", "patients"))
            labels = tuple(self.axis[key].of(line[key])[0] for key in KEYS)
            words = (
                line["publisher"].word,
                line["what"].word,
                metric,
                line["scope"].one_of(("same", "adjacent")),
            )
            line["unit"].one_of(["USD"] if metric == "revenue" else ["patients"])
            self.published.append(
                (*words, *labels, line["year"].whole(1900, 2100), line["value"].number(0, 1e15))
            )
            self.sourced(line)
        _once("Published", [(*map(same, (p, w)), m, *rest) for p, w, m, _, *rest, _ in self.published])
        self.bands = [self.band(line) for line in self.table("Bands")]
        _once("Bands", [band[:-2] for band in self.bands])
        self.currencies = [self.currency(line) for line in self.table("Currencies")]
        _once("Currencies", [same(code) for code, *_ in self.currencies])
        if "USD" not in (code for code, *_ in self.currencies):
            raise Unreadable("Currencies", "", "no dollar")
        for line in self.table("Sources"):
            assert line["citation"].word
            told = line["year"].cell
            for digits in re.findall("[0-9]+", told.text) if told.kind == "s" else ():
                if not 1800 <= int(digits) <= dt.datetime.now(dt.UTC).year + 1:
                    raise line["year"].wrong("no year of a publication")
        changes = []
        for line in self.table("Changes"):
            words = [same(line[column].word) for column in ("version", "who", "what", "effect")]
            changes.append((*words, _date(line["date"])))
        _once("Changes", changes)

    def goods(self) -> list[tuple[Any, ...]]:
        found = []
        for line in self.table("Products"):
            segment, _ = self.segment.of(line["segment"])
            if segment not in self.segment.leaves:
                raise line["segment"].wrong("a group")
            company = tuple(sorted(map(same, line["company"].words())))
            trials = () if line["trials"].cell.blank else tuple(line["trials"].words())
            phase, share = line["phase"].one_of(PHASES), line["share"].number(0, 1)
            assert line["mechanism"].word
            self.sourced(line)
            found.append((segment, line["product"].word, company, share, phase, trials))
        _once("Products", [(segment, same(product)) for segment, product, *_ in found])
        for leaf in self.segment.leaves:
            if abs(sum(share for segment, _, _, share, *_ in found if segment == leaf) - 1) > 1e-9:
                raise Unreadable("Products", "", f"the shares of {leaf}")
        return found

    def band(self, line: Line) -> tuple[Any, ...]:
        inputs = {n: q for n, q in QUANTITIES.items() if q.sheet != "Timeline"}
        name = line["result"].one_of((*RESULTS, *inputs))
        quantity, year = inputs.get(name), None
        if quantity:
            labels, _ = self.keys(line, quantity)
            line["year"].empty()
            least, most = quantity.least, quantity.most
        else:
            labels = (self.region.of(line["region"])[0], "", self.subtype.of(line["subtype"])[0])
            line["segment"].empty()
            year = line["year"].whole(self.years[0], self.years[-1])
            least, most = 0, 1 if name == "diagnosed_share" else 1e15
        low, high = (line[end].number(least, most) for end in ("low", "high"))
        if low > high:
            raise Unreadable("Bands", "", "low above high")
        self.sourced(line)
        return (name, *labels, year, low, high)

    def currency(self, line: Line) -> tuple[str, float, str]:
        code = line["currency"].word
        code = "USD" if same(code) == "usd" else code
        rate = line["rate"].number(1 if code == "USD" else 1e-6, 1 if code == "USD" else 1e6)
        self.sourced(line)
        return code, rate, _date(line["date"])

    @cached_property
    def labels(self) -> tuple[Any, ...]:
        """The axes as one value to compare."""
        axes = [
            (a.leaves, sorted((same(g), sorted(m)) for g, m in a.groups), a.sets, a.roles, a.kinds)
            for a in self.axis.values()
        ]
        scenarios = (
            tuple(self.years),
            self.scenarios,
            tuple(map(same, self.scopes)),
            sorted(self.promises.items()),
        )
        return (*axes, *scenarios)


def _once(sheet: str, keys: Sequence[Any]) -> None:
    plain = [same(k) if isinstance(k, str) else k for k in keys]
    if twice := [k for k, n in Counter(plain).items() if n > 1]:
        raise Unreadable(sheet, "", f"{twice[0]!r} is there twice")


def _date(at: At) -> str:
    cell = at.stored
    if cell.kind == "d" or (cell.kind == "n" and cell.style in DATES):
        try:
            days = dt.timedelta(float(cell.text)) if cell.kind == "n" else dt.timedelta()
            date = (
                dt.datetime(1899, 12, 30) + days if cell.kind == "n" else dt.datetime.fromisoformat(cell.text)
            )
        except (OverflowError, ValueError):
            raise at.wrong("no date") from None
    else:
        found = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", at.word)
        try:
            date = dt.datetime(*map(int, found.groups())) if found else None  # type: ignore[arg-type]
        except ValueError:
            date = None
        if date is None:
            raise at.wrong("no date")
    if date.year > dt.datetime.now(dt.UTC).year + 1:
        raise at.wrong("to come")
    return f"{date:%Y-%m-%d}"


def _axis(name: str, rows: Sequence[Line]) -> Axis:
    leaves = [line["label"].word for line in rows]
    _once("Axes", leaves)
    roles, kinds, sets = [], [], []
    groups: dict[str, list[int]] = {}
    for i, line in enumerate(rows):
        role = line["role"].one_of(("incumbent", "entrant", "rest", "test")) if name == "segment" else ""
        kind = line["kind"].one_of(KINDS) if name == "segment" else ""
        if name != "segment":
            line["role"].empty()
            line["kind"].empty()
        elif (kind == KINDS[-1]) != (role == "test"):
            raise line["kind"].wrong("a kind that is not its role's")
        has_set = name == "subtype" or role in ("incumbent", "entrant", "rest")
        if not has_set:
            line["set"].empty()
        own = line["set"].word if has_set else ""
        for group in {same(g): g for g in (own, *line["groups"].words(), kind) if g}:
            groups.setdefault(group, []).append(i)
        roles.append(role)
        kinds.append(kind)
        sets.append(own)
    first = {same(s): s for s in reversed(sets)}
    sets = [first[same(s)] for s in sets]
    for own in {s for s in sets if s}:
        if any(sets[i] != own for i in groups[same(own)]):
            raise Unreadable("Axes", "", f"the set {own} holds a stranger")
        if name == "segment" and sum(r == "rest" and s == own for r, s in zip(roles, sets, strict=True)) != 1:
            raise Unreadable("Axes", "", f"the set {own} has not one rest member")
    for kind in {k for k in kinds if k}:
        if any(kinds[i] != kind for i in groups[same(kind)]):
            raise Unreadable("Axes", "", f"the kind {kind} holds a stranger")
    if groups.keys() & set(map(same, leaves)):
        raise Unreadable("Axes", "", "a label is a group too")
    if not any(len(m) == len(leaves) for m in groups.values()):
        raise Unreadable("Axes", "", f"no group of every {name}")
    spelled = tuple((g, frozenset(m)) for g, m in groups.items())
    return Axis(tuple(leaves), spelled, tuple(sets), tuple(roles), tuple(kinds) if name == "segment" else ())


def _mask(shape: tuple[int, ...], reach: Sequence[frozenset[int]]) -> Array:
    mask = np.zeros(shape, dtype=bool)
    mask[np.ix_(*map(sorted, reach))] = True
    return mask


@lru_cache(maxsize=4096)
def _topmost(
    quantity: Quantity, sizes: tuple[int, ...], reaches: tuple[tuple[frozenset[int], ...], ...]
) -> Array:
    """The narrowest row over each element, -1 where there is none; it must lie inside of every other row there."""
    top = np.full(sizes, -1)
    by_size = sorted(range(len(reaches)), key=lambda i: -np.prod([len(part) for part in reaches[i]]))
    for i in by_size:
        top[_mask(sizes, reaches[i])] = i
    if len(set(reaches)) < len(reaches):
        raise Unreadable(quantity.sheet, "", f"{quantity.name} has two rows for the same labels")
    for i, reach in enumerate(reaches):
        for j in set(top[_mask(sizes, reach)].tolist()) - {i}:
            if not all(inner <= outer for inner, outer in zip(reaches[j], reach, strict=True)):
                raise Unreadable(quantity.sheet, "", f"two rows of {quantity.name} cross")
    return top


def columns_of(book: Book) -> dict[str, frozenset[str]]:
    """The columns of each table of a sound workbook, but for its years."""
    found = {}
    for sheet in book.sheets:
        if sheet.table:
            top, left, _, right = sheet.table
            names = (_name(sheet.cells[top, column]) for column in range(left, right + 1))
            found[sheet.title] = frozenset(n for n in names if not _is_year(n))
    return found


def cells_of(sheet: Sheet) -> Iterator[tuple[Place, str, Cell]]:
    """The cells below a sheet's header that hold something, each with its column's name."""
    assert sheet.table
    names = {c: _name(cell) for (r, c), cell in sheet.cells.items() if r == sheet.top}
    for (row, column), cell in sheet.cells.items():
        if row > sheet.top and column in names:
            yield (row, column), names[column], cell
