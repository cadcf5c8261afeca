"""A workbook file against the workbook rules W01-W45: ours, a client's edit of it, or anybody's.

The package is read once, part by part, into plain cells; then each rule is one function on them, whose
docstring is the rule's sentence. What a rule looks at is derived from the file: a sheet's class from the
colour of its tab (`lm_xl.workbook.pages.styles.TAB`), its axis from the first row of years, its header from
its Excel table, its axis or its first row of labels, its inputs from the cell style 'lm input' (or Excel's
own 'Input'), and a few sheets from their titles: Cover, Contents, Sources, Checks, Method, Change log. A
sheet without a class is held to the rules for calculations.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from lm_xl.audit.book import Book
from lm_xl.audit.reading import opened
from lm_xl.audit.rules import (
    charts,
    checks,
    circles,
    display,
    documents,
    formulas,
    inputs,
    labels,
    links,
    parts,
    sheets,
    sums,
    years,
)
from lm_xl.audit.rules.rule import Found, Rule, TooMuch

SUBJECTS = (
    sheets, years, formulas, labels, inputs, checks, documents, links, circles, charts, display, parts, sums,
)  # fmt: skip
"""The modules whose rules are applied."""

NOT_CHECKED = {
    "W39": "Two builds from the same inputs differ only in their times. (Not checked: it needs two files.)"
}

_CHECKED = [r for subject in SUBJECTS for r in vars(subject).values() if isinstance(r, Rule)]

CHECKS = dict(sorted((r.name, r.breaches) for r in _CHECKED))
"""The function that applies each rule, in the order in which they are applied."""

RULES = dict(sorted(({r.name: r.sentence for r in _CHECKED} | NOT_CHECKED).items()))
"""Each rule in one sentence."""

MOST_LISTED = 10_000
"""Breaches of a rule that are listed."""
MOST_SHOWN = 50
"""Breaches of a rule that are shown; all that are listed are counted."""


@dataclass(frozen=True)
class Breach:
    """One thing that breaks a rule: where, and what."""

    rule: str
    sheet: str
    cell: str
    message: str

    def __str__(self) -> str:
        place = f"{self.sheet}!{self.cell}" if self.cell else self.sheet
        return f"{self.rule} {place}{': ' if place else ''}{self.message}"


def audit(path: str | Path, progress: Callable[[str], None] = lambda _: None) -> list[Breach]:
    """Every breach of the workbook rules in a file, rule by rule, but for more than MOST_LISTED of one rule.

    Raises Refused where the file cannot be read.
    """
    book = opened(Path(path), progress)
    breaches = []
    for rule in CHECKS:
        progress(f"rule {rule}")
        breaches += [Breach(rule, *found) for found in _found(rule, book)]
    return breaches


def _found(rule: str, book: Book) -> Iterator[Found]:
    """The breaches of a rule; where they, or what they are sought in, are too many, the last one says so."""
    try:
        for count, found in enumerate(CHECKS[rule](book)):
            if count == MOST_LISTED:
                yield "", "", f"more than {MOST_LISTED:,} breaches: no others were looked for"
                return
            yield found
    except TooMuch as rest:
        yield rest.found


def summary(breaches: Sequence[Breach]) -> list[str]:
    """The breaches as lines: each rule that is broken, how often, and its first breaches."""
    counts = Counter(b.rule for b in breaches)
    lines = []
    for rule, text in RULES.items():
        if counts[rule]:
            lines.append(f"{rule} {text} {_times(counts[rule])}")
            broken = [str(b).removeprefix(rule).lstrip() for b in breaches if b.rule == rule]
            lines += [f"  {breach}" for breach in broken[:MOST_SHOWN]]
            if counts[rule] > MOST_SHOWN:
                lines.append(f"  and {counts[rule] - MOST_SHOWN:,} more")
    kept = f"{len(CHECKS) - len(counts)} of the {len(CHECKS)} rules that were checked are kept"
    return [*lines, f"{len(breaches):,} breaches of {len(counts)} rules; {kept}"]


def as_json(breaches: Sequence[Breach]) -> str:
    """The breaches as JSON: for each rule its sentence, the count, and its first breaches."""
    counts = Counter(b.rule for b in breaches)
    rules = [
        {
            "rule": rule,
            "text": text,
            "checked": rule in CHECKS,
            "count": counts[rule],
            "breaches": [asdict(b) for b in breaches if b.rule == rule][:MOST_SHOWN],
        }
        for rule, text in RULES.items()
    ]
    return json.dumps({"count": len(breaches), "rules": rules}, indent=2, ensure_ascii=False)


def _times(count: int) -> str:
    return "(once)" if count == 1 else f"({count:,} times)"
