"""The commands on workbooks: build, verify, check, audit, new, textconv."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

import lm_xl
from lm_xl.cli import options, show
from lm_xl.cli.terminal import FAILED, fail, if_not_all, spinner

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from lm_xl.model.axes import Axes

ROLES = ("incumbent", "entrant", "rest")
KINDS = ("Brands", "Generics", "Procedures")
"""Of therapies; a test is a kind of its own."""
WORTH_A_PROCESS = 1024
"""Draws from which a second process saves more time than it needs to start."""


@click.command()
@click.argument("assumptions", type=options.FILE, required=False)
@click.option(
    "-o",
    "--output",
    type=options.FILE,
    default=Path("lm_forecast.xlsx"),
    show_default=True,
    help="The workbook to write.",
)
@click.option(
    "--static", is_flag=True, help="Values only: the same pages without formulas, and a cover that says so."
)
@options.sample("Of the simulation that it shows.", "Of the simulation that it shows.")
@options.force()
def build(assumptions: Path | None, output: Path, static: bool, sample: options.Sample, force: bool) -> None:
    """Build the live workbook of an assumptions workbook."""
    from lm_xl.cli.summary import status_counts

    with spinner() as tell:
        tell("reading the assumptions")
        a = lm_xl.read_assumptions(assumptions, ends=True)
        with _beside(sample.draws) as executor:
            built = lm_xl.build(
                a, output, force=force, static=static, **sample._asdict(), progress=tell, executor=executor
            )
    kind = "values of" if static else "live"
    equal = f"{built.formulas:,} {kind} formulas, recalculated and equal to Python"
    click.echo(f"{output}: {equal}; assumptions {a.path.name} {a.fingerprint}")
    click.echo(show.evidence(built.tornado or lm_xl.tornado(a), status_counts(a)))


@contextmanager
def _beside(draws: int) -> Iterator[Executor | None]:
    """A process that draws while this one writes, where there is enough to draw."""
    if draws < WORTH_A_PROCESS:
        yield None
    else:
        from concurrent.futures import ProcessPoolExecutor

        with ProcessPoolExecutor(1) as executor:
            yield executor


@click.command()
@click.argument("file", type=options.FILE)
@click.option(
    "--engine",
    type=click.Choice(["formualizer", "libreoffice"]),
    default="formualizer",
    show_default=True,
    help="The engine that recalculates it.",
)
def verify(file: Path, engine: str) -> None:
    """Recalculate a built workbook in an independent engine and compare every formula with Python.

    Each scenario is compared on the numbers in the file, then with every input changed; so are the values that the file stores. Words,
    tolerances and the values of analyses are compared with those of a new workbook; analyses that inputs have left behind are told and
    not compared.
    """
    with spinner() as tell:
        result = lm_xl.verify(file, engine, tell)
    click.echo(show.verification(result), nl=False)
    if not result.passed:
        wrong = [f"{file.name}, {line}" for line in result.wrong]
        fail(wrong, f"FAILED in {engine}: {len(wrong):,} cells differ{if_not_all(len(wrong))}")
    comparisons = sum(case.formulas for case in result.cases)
    worst = max(case.worst for case in result.cases)
    click.echo(f"verified in {engine}: {comparisons:,} comparisons, worst relative error {worst:.1e}")


@click.command()
@click.argument("file", type=options.FILE, required=False)
def check(file: Path | None) -> None:
    """Read an assumptions workbook and print its faults, or a one-screen summary."""
    from lm_xl.cli.summary import summarise

    click.echo(show.summary(summarise(lm_xl.read_assumptions(file, ends=True))), nl=False)


@click.command()
@click.argument("file", type=options.FILE)
@options.form("text", "json")
def audit(file: Path, form: str) -> None:
    """Check any workbook against the rules of a good deliverable and print each breach with its cell."""
    from lm_xl.audit.audit import as_json, summary
    from lm_xl.audit.audit import audit as audit_workbook

    with spinner() as tell:
        breaches = audit_workbook(file, tell)
    click.echo(as_json(breaches) if form == "json" else "\n".join(summary(breaches)))
    if breaches:
        sys.exit(FAILED)


class TypedAxes(NamedTuple):
    """The axes of a new workbook as they were typed."""

    regions: tuple[str, ...]
    therapies: tuple[str, ...]
    tests: tuple[str, ...]
    subtypes: tuple[str, ...]
    years: str


@click.command()
@click.argument("file", type=options.FILE)
@click.option(
    "--axes-of",
    "other",
    type=options.FILE,
    help="Take the axes of this workbook instead of the options below.",
)
@options.together(
    "typed",
    TypedAxes,
    click.option("--region", "regions", multiple=True, help="A region."),
    click.option(
        "--therapy",
        "therapies",
        multiple=True,
        metavar="LABEL:SET:ROLE[:KIND]",
        help="A therapy, its choice set, its role (incumbent, entrant or rest) and its kind (Brands, Generics or Procedures).",
    ),
    click.option("--test", "tests", multiple=True, help="A diagnostic test."),
    click.option(
        "--subtype", "subtypes", multiple=True, metavar="LABEL:CANCER", help="A subtype and its cancer."
    ),
    click.option("--years", default="2025-2035", show_default=True, help="First and last year."),
)
@options.force("Replace the file if it exists.")
def new(file: Path, other: Path | None, typed: TypedAxes, force: bool) -> None:
    """Write an empty assumptions workbook for given axes: the rows are there, the numbers are yours."""
    from lm_xl.files import not_over
    from lm_xl.workbook.build import new as write
    from lm_xl.workbook.form import as_read, form

    if other is not None:
        options.refuse_unused("--axes-of has all of the axes", *TypedAxes._fields)
        not_over(other, file)
        axes = lm_xl.read_assumptions(other).axes
    else:
        axes = as_read(file.name, axes_as_typed(typed))
    write(file, axes, form(axes), force=force)
    click.echo(f"{file}: an empty assumptions workbook; fill it in, then run lm-xl check {file}")


def axes_as_typed(typed: TypedAxes) -> Axes:
    """The axes that the options of `new` spell. Raises click.UsageError."""
    from lm_xl.assumptions.read_axes import LONGEST_HORIZON
    from lm_xl.model.quantities import QUANTITIES
    from lm_xl.workbook.form import axes_of

    if not (typed.regions and typed.therapies and typed.tests and typed.subtypes):
        raise click.UsageError(
            "name at least one --region, --therapy, --test and --subtype, or give --axes-of WORKBOOK"
        )
    calendar = QUANTITIES["first_year"]
    years = re.fullmatch("([0-9]{4})-([0-9]{4})", typed.years)
    first, last = (int(years[1]), int(years[2])) if years else (0, 0)
    if not (calendar.least <= first < last <= calendar.most and last < first + LONGEST_HORIZON):
        how = f"such as 2025-2035; {calendar.least:g} to {calendar.most:g}, over 2 to {LONGEST_HORIZON} years"
        raise click.UsageError(f"--years {typed.years!r}: type the first and the last year, {how}")
    segments = []
    for therapy in typed.therapies:
        parts = therapy.split(":")
        if len(parts) not in (3, 4) or parts[2] not in ROLES or not set(parts[3:]) <= set(KINDS):
            raise click.UsageError(
                "--therapy takes LABEL:SET:ROLE or LABEL:SET:ROLE:KIND with the role incumbent, entrant or rest"
                " and the kind Brands, Generics or Procedures"
            )
        segments.append(tuple(parts))
    segments += [(test, "", "test") for test in typed.tests]
    subtypes = []
    for subtype in typed.subtypes:
        parts = subtype.split(":")
        if len(parts) != 2:
            raise click.UsageError("--subtype takes LABEL:CANCER")
        subtypes.append((parts[0], parts[1]))
    return axes_of(typed.regions, segments, subtypes, range(first, last + 1))


@click.command()
@click.argument("file", type=options.FILE)
def textconv(file: Path) -> None:
    """Print an assumptions workbook as text, one line a row, for git diff. Numbers are not checked.

    A file that is no workbook is one line that says so: git stops at a failure, and shows no other file.
    """
    from lm_xl.forecasts.sheet_rows import lines_of

    try:
        texts = lines_of(file)
    except lm_xl.Refused as refused:
        if not file.is_file():
            raise
        texts = [fault.message for fault in refused.faults]
    click.echo("\n".join(texts))
