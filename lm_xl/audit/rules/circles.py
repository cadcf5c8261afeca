"""The rule for calculation: automatic, and in no circle.

Rows are few and cells are many, so circles are sought among rows first, then among the cells of those rows
that may be in one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from lm_xl.audit.book import Book, StoredCell
from lm_xl.audit.formulas import references
from lm_xl.audit.rules.rule import Found, Steps, rule
from lm_xl.model.labels import folded
from lm_xl.xlsx.addresses import Area, address_of
from lm_xl.xlsx.sheets import YES

MOST_LINKS = 1_000_000
"""References that are followed in search of a circle."""

MOST_PLAIN = 100
"""References of one formula that are followed without counting."""

Node = tuple[int, ...]
"""A row as sheet and row, a cell as sheet, row and column, or rows that follow one another as sheet, first
and last + 1."""


@rule("W18")
def calculation_runs_in_no_circle(book: Book) -> Iterator[Found]:
    """Calculation is automatic, without iteration, and no formula refers to itself in a circle (through
    cells, ranges and names)."""
    if book.calculation.get("iterate") in YES:
        yield "", "", "iterative calculation is on"
    if book.calculation.get("calcMode", "auto") != "auto":
        yield "", "", f"calculation is {book.calculation['calcMode']}, not automatic"
    found = _References(book)
    for rows in strong_components(_links_of_rows(book, found)):
        for circle in strong_components(_links_of_cells(book, found, rows)):
            at, row, column = min(circle)
            others = f" and {len(circle) - 1} more cells" if len(circle) > 1 else ""
            message = f"refers to itself in a circle of this cell{others}"
            yield book.sheets[at].title, address_of(row, column), message


class _References:
    """The references of a book's formulas by number of sheet, and how many were followed."""

    def __init__(self, book: Book) -> None:
        self.sheets = book.sheets
        self.places = {folded(s.title): i for i, s in enumerate(book.sheets)}
        self.names = {folded(name): text for name, text, title, _ in book.names if not title}
        self.steps = Steps("references in search of circles", MOST_LINKS)

    def of(self, at: int, cell: StoredCell) -> Iterator[tuple[int, Area]]:
        """The areas that a cell of a sheet refers to."""
        for count, (title, area) in enumerate(references(cell.formula or "", self.names)):
            # A name may stand for many areas, and a formula name it often.
            self.follow(count > MOST_PLAIN, at, cell)
            target = self.places.get(folded(title), -1) if title else at
            if target >= 0:
                yield target, area

    def follow(self, count: int, at: int, cell: StoredCell) -> None:
        """Count what a cell refers to. Raises TooMuch."""
        if count:
            self.steps.take(count, self.sheets[at].title, cell)


def _links_of_rows(book: Book, found: _References) -> dict[Node, list[Node]]:
    """Each row with formulas and the rows with formulas that it refers to."""
    rows = [sorted({c.row for c in s.formulas}) for s in book.sheets]
    links: dict[Node, list[Node]] = {}
    for at, sheet in enumerate(book.sheets):
        seen: set[tuple[int, str]] = set()
        for cell in sheet.formulas:
            # A copy along the row refers to the same rows.
            copied = cell.row, sheet.relative_formulas[cell.row, cell.column]
            if copied in seen:
                continue
            seen.add(copied)
            targets = links.setdefault((at, cell.row), [])
            for target, area in found.of(at, cell):
                start, end = bisect_left(rows[target], area.top), bisect_right(rows[target], area.bottom)
                if end - start == 1:
                    targets.append((target, rows[target][start]))
                elif end > start:
                    # Rows that many formulas add up are one node between them: their links are stored once.
                    stretch = (target, start, end)
                    targets.append(stretch)
                    if stretch not in links:
                        found.follow(end - start, at, cell)
                        links[stretch] = [(target, row) for row in rows[target][start:end]]
    return links


def _links_of_cells(book: Book, found: _References, rows: Sequence[Node]) -> dict[Node, list[Node]]:
    """Each formula of some rows and the formulas of these rows that it refers to."""
    by_sheet: dict[int, list[int]] = {}
    # A stretch of rows in the group only stands between them.
    for at, row in sorted(node for node in rows if len(node) == 2):
        by_sheet.setdefault(at, []).append(row)
    inside = {
        (at, row, c.column): c
        for at, numbers in by_sheet.items()
        for row in numbers
        for c in book.sheets[at].rows[row].values()
        if c.formula is not None
    }
    links: dict[Node, list[Node]] = {}
    for node, cell in inside.items():
        targets = links.setdefault(node, [])
        for target, area in found.of(node[0], cell):
            numbers = by_sheet.get(target, [])
            for row in numbers[bisect_left(numbers, area.top) : bisect_right(numbers, area.bottom)]:
                # Of an area and a row the one with fewer cells is gone through: an area may be whole rows.
                cells, columns = book.sheets[target].rows[row], range(area.left, area.right + 1)
                fewer = [c for c in cells if c in columns] if len(cells) < len(columns) else columns
                found.follow(min(len(cells), len(columns)), node[0], cell)
                targets += [(target, row, c) for c in fewer if (target, row, c) in inside]
    return links


def strong_components(links: Mapping[Node, Sequence[Node]]) -> list[list[Node]]:
    """The nodes that lead to one another, or to themselves, in groups. A group comes after those that it
    leads to."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    if not links:
        return []
    numbers = {node: i for i, node in enumerate(links)}
    # scipy follows the links of a node from the last to the first and must see each of them once: given in
    # reverse, groups come in the order of reading. Weights are floats, since casting others sorts the links.
    targets = [[numbers[t] for t in reversed(dict.fromkeys(found))] for found in links.values()]
    ends = list(accumulate(map(len, targets), initial=0))
    flat = [t for found in targets for t in found]
    graph = csr_array(([1.0] * len(flat), flat, ends), shape=(len(links), len(links)))
    count, labels = connected_components(graph, connection="strong")
    groups: list[list[Node]] = [[] for _ in range(count)]
    for node, label in zip(links, labels.tolist(), strict=True):
        groups[label].append(node)
    return [group for group in groups if len(group) > 1 or group[0] in links[group[0]]]
