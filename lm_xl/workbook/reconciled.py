"""The words of the steps to published sizes, and the tables of docs/reconciliation.md: python -m lm_xl.workbook.reconciled"""

from __future__ import annotations

import math
from pathlib import Path

from lm_xl.assumptions.assumptions import Assumptions, Published
from lm_xl.assumptions.read import read_assumptions
from lm_xl.forecasts.forecast import forecast
from lm_xl.forecasts.reconciliation import Reconciliation, reconcilable, reconciliation
from lm_xl.workbook.words.prose import text

LINES = ("headline", "scope", "patients", "treated", "cost", "published")
"""The lines of a table of steps."""
UNITS = {"patients": "people", "treated": "share", "cost": "per_patient", "published": "per_patient"}
WORDS = "reconciliation"
START, END = "<!-- tables -->\n", "<!-- end of tables -->\n"


def unit_of(line: str) -> str:
    """What the numbers beside the steps count; "" for those that have none."""
    return text(WORDS, UNITS[line]) if line in UNITS else ""


def beside(line: str, count: Published | None) -> str:
    """What stands in the figure's column where it has no number."""
    if line == "patients" and count is None:
        return text(WORDS, "none")
    if line == "treated":
        return text(WORDS, "as_ours" if count is None else "all")
    return ""


def reason(line: str, figure: Published, count: Published | None, headline: str, year: int) -> str:
    """What a line assumes, in a sentence."""
    filled = {
        "publisher": figure.publisher,
        "region": figure.keys.region,
        "segment": figure.keys.segment,
        "headline": headline,
        "year": year,
        "published_year": figure.year,
        "what": figure.what,
        "note": figure.note,
        "count": "",
    }
    if line in ("headline", "published"):
        return text(WORDS, f"{line}_why", **filled)
    if line == "scope":
        same = figure.keys.segment == headline
        return text(WORDS, "scope_same" if same else "scope_other", **filled)
    if count is None:
        return text(WORDS, f"{line}_none", **filled)
    if line == "patients":
        filled |= {"count": f"{count.what}, {count.year}", "note": count.note}
    return text(WORDS, f"{line}_counted", **filled)


def tables(assumptions: Assumptions) -> str:
    """A table for each publisher's first size of the market, in the first scenario, as a page of text shows it."""
    figures = [assumptions.published[k] for k in reconcilable(assumptions)]
    firsts: dict[str, Published] = {}
    for figure in sorted(figures, key=lambda f: f.year):
        firsts.setdefault(figure.publisher, figure)
    results = forecast(assumptions)
    return "\n".join(
        _table(reconciliation(results, figure), results.axes.headline) for figure in firsts.values()
    )


def _table(r: Reconciliation, headline: str) -> str:
    figure = r.figure
    lines = [
        f"### {figure.publisher}: {figure.what}, {figure.keys.region}, {figure.year}\n",
        "| step | USD million | running total | in the model | in the figure | | what it assumes |",
        "|---|--:|--:|--:|--:|---|---|",
    ]
    amounts = {"headline": math.nan, **{s.name: s.amount for s in r.steps}, "published": math.nan}
    totals = (r.compared.headline, *r.running, r.compared.published)
    numbers = {s.name: (s.ours, s.theirs) for s in r.steps if s.name != "scope"}
    numbers["published"] = math.nan, r.cost_at_ours
    for line, total in zip(LINES, totals, strict=True):
        ours, theirs = numbers.get(line, (math.nan, math.nan))
        cells = [
            text(WORDS, line),
            _shown(amounts[line] / 1000 / 1000, "+,.0f"),
            _shown(total / 1000 / 1000, ",.0f"),
            _shown(ours, ".0%" if line == "treated" else ",.0f"),
            beside(line, r.count) or _shown(theirs, ",.0f"),
            unit_of(line),
            reason(line, figure, r.count, headline, r.year),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _shown(number: float, form: str) -> str:
    return "" if math.isnan(number) else format(number, form)


def page(written: str, assumptions: Assumptions) -> str:
    """A page with its tables made again, all else as it was. Raises ValueError where it has no place for them."""
    before, found, rest = written.partition(START)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"the page has no lines {START.strip()} and {END.strip()}")
    return f"{before}{START}\n{tables(assumptions)}\n{END}{after}"


if __name__ == "__main__":
    place = Path("docs/reconciliation.md")
    place.write_text(page(place.read_text(encoding="utf-8"), read_assumptions()), encoding="utf-8")
