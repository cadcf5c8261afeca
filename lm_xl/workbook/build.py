"""Assumptions -> the live workbook: assumption sheets, traced calculations, summary tables, stored values."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from itertools import count
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
from lm_xl.workbook.pages.uncertainty import drawn_of
from lm_xl.workbook.plan.lines import Plan
from lm_xl.workbook.plan.records import Records, records_of
from lm_xl.workbook.plan.staleness import AS_BUILT
from lm_xl.workbook.plan.trace import trace
from lm_xl.workbook.words.prose import text
from lm_xl.xlsx.finish import finish
from lm_xl.xlsx.stored import store_values

Progress = Callable[[str], None]
STAGES = 7
"""Told of by `progress`: forecast, bridges, tornado, formulas, writing, draws, recalculating."""


def build(
    assumptions: Assumptions,
    output: str | Path,
    *,
    force: bool = False,
    static: bool = False,
    draws: int = DRAWS,
    seed: int = SEED,
    progress: Progress = lambda _: None,
    executor: Executor | None = None,
) -> Plan:
    """Write the live workbook of some assumptions to `output`, all or nothing.

    Every formula is recalculated by an independent engine, which also fills the stored values, and is compared with Python.
    With `static` the file then holds the values alone, and says so on its cover. `executor` makes the draws while the rest is
    written.
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
        stages = count(1)

        def begin(what: str) -> None:
            progress(f"{next(stages)} of {STAGES}: {what}")

        begin("forecast")
        forecast(assumptions, assumptions.axes.scenarios)
        records, written = records_of(assumptions)
        found = analyse(assumptions, draws, seed, begin, executor)
        begin("formulas")
        traced = trace(assumptions, written)
        begin(f"writing {traced.formulas:,} formulas")
        with _uncollected():
            workbook = deliverable(assumptions, records, traced, found, lambda: begin(f"{draws:,} draws"))
            workbook.save(draft)
        traced.drawn = drawn_of(found)
        begin("recalculating and comparing with Python")
        store_values(
            draft,
            agreed_values(draft, traced),
            traced.spans(),
            static={text("pages", "live"): text("pages", "static")} if static else None,
            exact=(AS_BUILT,),
        )
    traced.tornado = found.tornado
    return traced


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage: among the many cells of a workbook it finds none and takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def new(path: str | Path, axes: Axes, records: Records, *, force: bool = False) -> None:
    """Write an assumptions workbook of these records: the form with its lists, validations and comments.

    Raises WrongUsage where the file has no .xlsx name, Refused where it may not be written.
    """
    must_end(Path(path), ".xlsx")
    workbook = styled_workbook(f"{text('pages', 'cover_title')}, assumptions")
    write_inputs(workbook, records, axes, Pen())
    with replacing(Path(path), force=force) as draft:
        workbook.save(draft)
        finish(draft, {})


__all__ = ["build", "new"]
