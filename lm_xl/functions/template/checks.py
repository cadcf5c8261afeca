"""The sheet Checks of a template: whether totals agree across the blocks of functions."""

from __future__ import annotations

from collections.abc import Iterator

from openpyxl.worksheet.worksheet import Worksheet

from lm_xl.functions.template.market import gap
from lm_xl.functions.template.state import Template, by_test
from lm_xl.functions.template.tables import REVENUE, TABLE_SHEETS, first_line
from lm_xl.model.axes import REGION, SEGMENT, SUBTYPE
from lm_xl.workbook.pages.pen import columns, page, start
from lm_xl.workbook.pages.styles import number_format
from lm_xl.workbook.plan.layout import CHECKS, FIRST_ROW, HEADER_ROW
from lm_xl.workbook.plan.report import shown_groups
from lm_xl.workbook.words.prose import text

CHECK_COLUMNS = (
    ("id", 8, "lm header"),
    ("what", 76, "lm header"),
    ("passes", 14, "lm year"),
    ("value", 16, "lm year"),
    ("tolerance", 14, "lm year"),
)
PASSED = "all pass"
MASTER = f"{CHECKS}!$C${FIRST_ROW}"
"""The cell that says whether all checks pass."""
LARGEST_RESIDUE = 1e-6
"""In USD million."""


def checks(ws: Worksheet, t: Template) -> None:
    """Each check with its residue, and first the master of them all."""
    pen, residue = t.pen, number_format("residue")
    start(ws, "control", "An error in a check fails it. The master is repeated on the sheet Model.")
    columns(ws, pen, CHECK_COLUMNS)
    found = list(_residues(t))
    master = FIRST_ROW
    span = f"$C${master + 1}:$C${master + len(found)}"
    pen.text(ws, master, 1, "master", "lm total")
    pen.text(ws, master, 2, "All checks below pass", "lm total")
    unchecked = f'"{text("template", "Not_checked")}"'
    passed = by_test(f'COUNTIF({span},"passes")={len(found)}', f'"{PASSED}"', '"FAILED"', unchecked)
    t.write_fresh(ws, master, 3, passed, "lm check")
    for row, (what, formula) in enumerate(found, master + 1):
        pen.text(ws, row, 1, f"T{row - master:02d}", "lm label")
        pen.text(ws, row, 2, what, "lm label")
        pen.write(ws, row, 4, formula, "lm calculation", residue)
        pen.write(ws, row, 5, LARGEST_RESIDUE, "lm calculation", residue)
        # Whatever is an error fails, so that a table which shows none of its numbers cannot pass.
        within = f"IFERROR(ABS(D{row})<=E{row},FALSE)"
        t.write_fresh(ws, row, 3, by_test(within, '"passes"', '"FAILED"', unchecked), "lm check")
    page(ws, HEADER_ROW)


def _residues(t: Template) -> Iterator[tuple[str, str]]:
    """What each check says, and the formula of what must be nought."""
    axes = t.axes
    for dim in TABLE_SHEETS:
        said = f"Revenue by {axes.axis(dim).name} sums to its total"
        yield said, f"={_leaves(t, dim)}-{_total(t, dim)}"
    # A table sums over all of its own axis but only what is chosen of the others.
    all_chosen = (
        f'AND(Region="{axes.region.total}",Segment="{axes.segment.total}",Subtype="{axes.subtype.total}")'
    )
    for dim in (SEGMENT, SUBTYPE):
        names = f"{axes.region.name} and by {axes.axis(dim).name}"
        said = f"Revenue by {names} agree where both show all of the other axes"
        yield said, f"=IF({all_chosen},{_total(t, REGION)}-{_total(t, dim)},0)"
    yield "Revenue of the classes in the chosen scope sums to that of the scope", f"={gap(t)}"
    yield "The assumptions have no fault", "=IF(ISERROR(Model),1,0)"


def _leaves(t: Template, dim: int) -> str:
    """The sum of the leaves in a table of revenue, over all years."""
    axis = t.axes.axis(dim)
    top = first_line(REVENUE, dim, axis)
    return _sum(t, dim, top, top + len(axis) - 1)


def _total(t: Template, dim: int) -> str:
    """The sum of the total in a table of revenue, over all years."""
    axis = t.axes.axis(dim)
    row = first_line(REVENUE, dim, axis) + len(axis) + len(shown_groups(axis)) - 1
    return _sum(t, dim, row, row)


def _sum(t: Template, dim: int, top: int, bottom: int) -> str:
    first, last = t.year_columns
    return f"SUM({TABLE_SHEETS[dim]}!{first}{top}:{last}{bottom})"
