"""The commands on forecasts: forecast, products, data, compare, bridge, tornado, diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

import lm_xl
from lm_xl.assumptions.columns import KEYS
from lm_xl.cli import options, show
from lm_xl.cli.terminal import spinner
from lm_xl.faults import EngineMissing
from lm_xl.files import not_over, replacing

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("table", "csv", "json", "parquet")
SUFFIXES = (".csv", ".json", ".parquet", ".xlsx", ".xlsm", ".xls", ".npz")
"""A file with such a name holds nothing else."""
YEAR_OF_A_POINT = click.option(
    "--year", type=int, help="The year of a point without one; without it the last."
)
SCENARIO_OF_A_POINT = click.option(
    "--scenario", help="The scenario of a point without one; without it the default."
)
NO_PARQUET = 'Parquet needs pyarrow: pip install "lm-xl[parquet]"'


@click.command()
@click.argument("file", type=options.FILE, required=False)
@options.together(
    "measured",
    options.Measured,
    options.metric,
    options.dimensions("region", "segment", "subtype", "year", "company", "product", default="year"),
    options.stage,
    options.basis(),
    options.scope,
)
@options.scenarios("One or several scenarios; without it the default.")
@options.form(*FORMATS)
@options.output("Write to a file; parquet needs it.")
def forecast(
    file: Path | None,
    measured: options.Measured,
    by: tuple[str, ...],
    scenarios: tuple[str, ...],
    form: str,
    output: options.Output,
) -> None:
    """Print or write the forecast as a tidy table."""
    refuse_another_format(form, output.path)
    options.refuse_other_metric(measured.metric, by)
    if measured.metric == "patients" and {"company", "product"} & set(by):
        raise click.UsageError("patients do not vary by company or product: leave them out of --by")
    a = lm_xl.read_assumptions(file)
    results = lm_xl.forecast(a, list(scenarios) or None)
    tidy = results.frame(by=by, **measured._asdict())
    print_or_write(tidy, show.forecast(tidy, form, by) if form != "parquet" else "", form, output, a.path)


@click.command()
@click.argument("file", type=options.FILE, required=False)
@options.form(*FORMATS)
@options.output("Write to a file; parquet needs it.")
def products(file: Path | None, form: str, output: options.Output) -> None:
    """Print or write the products: company, segment, mechanism, phase, trials, designations, read-outs, approval, LM data."""
    from lm_xl.forecasts.products import product_table

    refuse_another_format(form, output.path)
    a = lm_xl.read_assumptions(file)
    found = product_table(a)
    print_or_write(found, show.products(found, form) if form != "parquet" else "", form, output, a.path)


def print_or_write(content: pd.DataFrame, shown: str, form: str, output: options.Output, read: Path) -> None:
    """Print a text, or write it to a file that is not the one that was read; Parquet is written from the frame."""
    if output.path is None:
        click.echo(shown, nl=False)
        return
    not_over(read, output.path)
    with replacing(output.path, force=output.force) as draft:
        if form == "parquet":
            write_parquet(content, draft)
        else:
            draft.write_text(shown, encoding="utf-8")
    click.echo(f"{output.path}: {len(content):,} rows")


def refuse_another_format(form: str, path: Path | None) -> None:
    """Refuse a file whose name says another format, and what needs a file where there is none."""
    if path is None:
        if form == "parquet":
            raise click.UsageError("--format parquet needs a file: add -o FILE")
        options.refuse_unused("it needs -o FILE", "force")
        return
    suffix = path.suffix.lower()
    if suffix in SUFFIXES and suffix != f".{form}":
        named = suffix.removeprefix(".")
        hint = f": add --format {named}" if named in FORMATS else ""
        raise click.UsageError(f"-o {path}: the format is {form}{hint}")


def write_parquet(tidy: pd.DataFrame, path: Path) -> None:
    """Write a frame as Parquet. Raises EngineMissing without pyarrow."""
    try:
        tidy.to_parquet(path, index=False)
    except ImportError:
        raise EngineMissing(NO_PARQUET) from None


@click.command()
@click.argument("file", type=options.FILE, required=False)
@click.option(
    "-o",
    "--output",
    type=options.FILE,
    default=Path("lm_data"),
    show_default=True,
    help="The folder to write to; it is made if need be.",
)
@options.scenarios("One or several scenarios; without it all of them.")
@options.force("Replace files that exist.")
def data(file: Path | None, output: Path, scenarios: tuple[str, ...], force: bool) -> None:
    """Write the tidy data as CSV and Parquet, with a data dictionary."""
    from lm_xl.forecasts.export import write_data

    a = lm_xl.read_assumptions(file)
    output.mkdir(exist_ok=True)
    try:
        written = write_data(a, output, scenarios or a.axes.scenarios, force=force)
    except ImportError:
        raise EngineMissing(NO_PARQUET) from None
    for path, rows in written.items():
        click.echo(f"{path}: {rows:,} rows")


@click.command()
@click.argument("before")
@click.argument("after")
@click.argument("file", type=options.FILE, required=False)
@options.together("place", options.Place, YEAR_OF_A_POINT, SCENARIO_OF_A_POINT)
@options.dimensions(*KEYS, default="region")
@options.measured
@options.form("table", "csv", "json")
def compare(
    before: str,
    after: str,
    file: Path | None,
    place: options.Place,
    by: tuple[str, ...],
    measured: options.Measured,
    form: str,
) -> None:
    """Compare two scenarios, or two years: leaves, groups and totals, with the difference.

    BEFORE and AFTER are each a scenario, a year, or both, such as High, 2030 or "High 2030".
    """
    options.refuse_other_metric(measured.metric, by)
    a = lm_xl.read_assumptions(file)
    found = lm_xl.compare(a, before, after, **place._asdict())
    click.echo(show.comparison(found, form, by, **measured._asdict()), nl=False)


class Points(NamedTuple):
    """The two points of a bridge, and what they are in where they do not say so."""

    start: str | None
    end: str | None
    year: int | None
    scenario: str | None


@click.command()
@click.argument("file", type=options.FILE, required=False)
@options.together(
    "points",
    Points,
    click.option(
        "--from", "start", metavar="POINT", help="A scenario, a year, or both; without it the first year."
    ),
    click.option(
        "--to", "end", metavar="POINT", help="A scenario, a year, or both; without it the last year."
    ),
    YEAR_OF_A_POINT,
    SCENARIO_OF_A_POINT,
)
@click.option(
    "--sort",
    type=click.Choice(["driver", "size"]),
    default="driver",
    show_default=True,
    help="The order of the bars.",
)
@options.labels
@options.measured
@options.form("table", "csv", "json")
def bridge(
    file: Path | None,
    points: Points,
    sort: str,
    labels: options.Labels,
    measured: options.Measured,
    form: str,
) -> None:
    """Split the difference between two scenarios or two years into the drivers of the market.

    The bars are Shapley values: each driver's effect averaged over all orders of the drivers. They sum to the difference.
    """
    options.refuse_other_metric(measured.metric)
    with spinner() as tell:
        tell("every combination of the drivers")
        a = lm_xl.read_assumptions(file)
        found = lm_xl.bridge(a, **points._asdict(), **labels._asdict(), **measured._asdict())
    click.echo(show.bridge(found, form, by_size=sort == "size"), nl=False)


@click.command()
@click.argument("file", type=options.FILE, required=False)
@options.together(
    "place",
    options.Place,
    click.option("--scenario", help="A scenario; without it the default."),
    click.option("--year", type=int, help="A year; without it the last."),
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many inputs the table shows; csv and json hold all.",
)
@options.labels
@options.measured
@options.form("table", "csv", "json")
def tornado(
    file: Path | None,
    place: options.Place,
    top: int,
    labels: options.Labels,
    measured: options.Measured,
    form: str,
) -> None:
    """Move each uncertain input to P10 and to P90 of its draws, one at a time, and sort by what that does."""
    options.refuse_other_metric(measured.metric)
    if form != "table":
        options.refuse_unused(f"{form} holds all inputs", "top")
    a = lm_xl.read_assumptions(file, ends=True)
    found = lm_xl.tornado(a, **place._asdict(), **labels._asdict(), **measured._asdict())
    click.echo(show.tornado(found, form, top), nl=False)


@click.command()
@click.argument("before", type=options.FILE)
@click.argument("after", type=options.FILE)
@options.together(
    "place",
    options.Place,
    click.option("--scenario", help="The scenario to measure in; without it the default."),
    click.option("--year", type=int, help="The year to measure in; without it the last."),
)
@options.labels
@options.basis("Of the revenue.")
@options.scope
@options.form("text", "csv", "json")
def diff(
    before: Path,
    after: Path,
    place: options.Place,
    labels: options.Labels,
    basis: str,
    scope: str | None,
    form: str,
) -> None:
    """Tell what differs between two assumptions workbooks, and what each edit alone does to revenue."""
    found = lm_xl.diff(before, after, **place._asdict(), **labels._asdict(), basis=basis, scope=scope)
    click.echo(show.differences(found, form, before, after), nl=False)
