"""The cover: what is to fill in before the workbook is sent, and what it shows."""

from __future__ import annotations

from pathlib import Path

from lm_xl.workbook.plan.front.dashboard import SUBTITLE, subtitle
from lm_xl.workbook.plan.front.page import Page
from lm_xl.workbook.plan.front.values import Text
from lm_xl.workbook.plan.layout import BAND, COVER
from lm_xl.workbook.plan.lines import Plan
from lm_xl.xlsx.addresses import column_letters, place_of
from lm_xl.xlsx.engines import stored_values

LABEL, VALUE = 1, 2
"""Columns of what a line is, and of what it says."""
TO_FILL_ROW, SHOWN_ROW, FIRST_FIELD = 3, 5, 8
FIELDS = {
    "Client": "",
    "Author": "",
    "Date": "",
    "Funded by": "",
    "Status": "Draft",
    "Version": "{version}",
    "Disclaimer": "A forecast from published evidence and stated judgement; not medical, legal or investment advice.",
}
"""What a consultant fills in, and what stands there at first."""
EMPTY = tuple(name for name, first in FIELDS.items() if not first)


def add_cover(p: Plan) -> None:
    """Write what the cover shows and what of it is still to fill in."""
    page = Page(p, COVER)
    page.words(SHOWN_ROW, LABEL, "Scenario, scope, basis, currency", "lm text")
    said = Text(SUBTITLE, subtitle().measure)
    page.formula(SHOWN_ROW, VALUE, said, style="lm text", name="shown on the cover")
    rows = {name: FIRST_FIELD + i for i, name in enumerate(FIELDS)}
    cells = {name: f"${column_letters(VALUE)}${row}" for name, row in rows.items()}
    missing = "&".join(f'IF({cells[name]}=""," {name.lower()}","")' for name in EMPTY)
    told = "To fill in:"
    unfilled = [name.lower() for name in EMPTY if not p.typed.get(cells[name].replace("$", ""))]
    said_now = " ".join([told, *unfilled])
    page.formula(
        TO_FILL_ROW,
        LABEL,
        Text(f'"{told}"&{missing}', lambda _: said_now),
        style="lm text",
        name="to fill in",
    )


def typed_in(path: Path) -> dict[str, str | float]:
    """What a file's cover holds in the cells that a reader fills in or sets."""
    places = [f"{column_letters(VALUE)}{FIRST_FIELD + i}" for i in range(len(FIELDS))] + list(BAND.values())
    rows = stored_values(path, {COVER: (max(place_of(at)[0] for at in places), VALUE)})[COVER]
    found = {at: rows[place_of(at)[0] - 1][VALUE - 1] for at in places}
    return {at: x if isinstance(x, int | float) else str(x) for at, x in found.items() if x not in (None, "")}
