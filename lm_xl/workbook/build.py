"""Assumptions -> the live workbook: assumption sheets, traced calculations, summary tables, stored values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lm_xl.assumptions.assumptions import Assumptions
from lm_xl.assumptions.ends import demand_ends
from lm_xl.files import must_end, not_over, replacing
from lm_xl.forecasts.forecast import forecast
from lm_xl.model.axes import Axes
from lm_xl.uncertainty.limits import DRAWS, SEED
from lm_xl.workbook.pages.analyses import analyse
from lm_xl.workbook.pages.deliverable import deliverable
from lm_xl.workbook.pages.inputs import write_inputs
from lm_xl.workbook.pages.pen import Pen
from lm_xl.workbook.pages.styles import styled_workbook
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.records import Records, records_of
from lm_xl.workbook.plan.trace import trace
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.stored import store_values

Progress = Callable[[str], None]


def build(
    assumptions: Assumptions,
    output: str | Path,
    *,
    force: bool = False,
    static: bool = False,
    draws: int = DRAWS,
    seed: int = SEED,
    progress: Progress = lambda _: None,
) -> Plan:
    """Write the live workbook of some assumptions to `output`, all or nothing.

    Every formula is recalculated by an independent engine, which also fills the stored values, and is compared with Python.
    With `static` the file then holds the values alone, and says so on its cover.
    Raises WrongUsage where the file has no .xlsx name; Refused where it exists and `force` is not given, is the one that the
    assumptions were read from, or cannot be written, and where lows and highs are such as no draws have; IdentityError where the
    forecast breaks an identity, Disagreement where the engine and Python differ.
    """
    from lm_xl.workbook.verify import agreed_values

    path = Path(output)
    must_end(path, ".xlsx")
    not_over(assumptions.path, path)
    demand_ends(assumptions)
    with replacing(path, force=force) as draft:
        progress("forecast")
        forecast(assumptions, assumptions.axes.scenarios)
        progress("formulas")
        records, written = records_of(assumptions)
        traced = trace(assumptions, written)
        found = analyse(assumptions, draws, seed, progress)
        progress("writing")
        deliverable(assumptions, records, traced, found).save(draft)
        progress("recalculating")
        store_values(
            draft,
            agreed_values(draft, traced),
            traced.spans(),
            static={text("pages", "live"): text("pages", "static")} if static else None,
        )
    return traced


def new(path: str | Path, axes: Axes, records: Records, *, force: bool = False) -> None:
    """Write an assumptions workbook of these records: the form with its lists, validations and comments.

    Raises WrongUsage where the file has no .xlsx name, Refused where it may not be written.
    """
    must_end(Path(path), ".xlsx")
    workbook = styled_workbook()
    write_inputs(workbook, records, axes, Pen())
    with replacing(Path(path), force=force) as draft:
        workbook.save(draft)


__all__ = ["build", "new"]
