"""The command `lm-xl`. Exit codes: 0 done; 1 an input was refused; 2 wrong usage; 3 a check failed; 4 something is not installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from lm_xl.schema import BASES, MOST_DRAWS, PATIENT_STAGES
from lm_xl.version import __version__

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd

    from lm_xl.assumptions import Assumptions
    from lm_xl.simulation import Simulation

REFUSED, FAILED, MISSING, INTERRUPTED = 1, 3, 4, 130
FORMATS = ("table", "csv", "json", "parquet")
MOST_FAULTS = 200
MOST_CAUSES = 12

FILE = click.Path(path_type=Path)


class Words(click.ParamType[tuple[str, ...]]):
    """Some words of a list, split by commas."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.name = ",".join(words)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        from lm_xl.axes import nearest

        chosen = tuple(w.strip() for w in value.split(",") if w.strip())
        for word in chosen:
            if word not in self.words:
                self.fail(f"unknown word {word!r}: {nearest(word, self.words)}", param, ctx)
        if not chosen or len(set(chosen)) < len(chosen):
            self.fail("give each word once, and at least one", param, ctx)
        return chosen


class Percent(click.ParamType[float]):
    """A share typed in percent, such as 1%."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            share = value if isinstance(value, float) else float(value.removesuffix("%")) / 100
        except ValueError:
            share = 0.0
        if not 0 < share < 1:
            self.fail(f"{value!r}: give a percentage above 0% and below 100%, such as 1%", param, ctx)
        return share


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lm-xl")
def cli() -> None:
    """A market model for leptomeningeal metastases that lives in Excel and in Python at once.

    Without ASSUMPTIONS, a command takes the shipped base case. Exit codes: 0 done; 1 an input was refused;
    2 wrong usage; 3 a check failed; 4 something is not installed.
    """


@cli.command()
@click.argument("assumptions", type=FILE, required=False)
@click.option("-o", "--output", type=FILE, default=Path("lm_forecast.xlsx"), show_default=True, help="The workbook to write.")
@click.option("--static", is_flag=True, help="Values only: the same pages without formulas, and a cover that says so.")
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
def build(assumptions: Path | None, output: Path, static: bool, force: bool) -> None:
    """Build the live workbook of an assumptions workbook."""
    from lm_xl.workbook.build import build as build_workbook

    with _progress() as tell:
        tell("reading the assumptions")
        a = _read(assumptions)
        traced = build_workbook(a, output, force=force, static=static, progress=tell)
    click.echo(
        f"{output}: {traced.formulas:,} {'values of' if static else 'live'} formulas, recalculated and equal to Python; assumptions {a.path.name} {a.fingerprint}"
    )
    click.echo(_status_line(a))


@cli.command()
@click.argument("file", type=FILE)
@click.option(
    "--engine",
    type=click.Choice(["formualizer", "libreoffice"]),
    default="formualizer",
    show_default=True,
    help="The engine that recalculates it.",
)
def verify(file: Path, engine: str) -> None:
    """Recalculate a built workbook in an independent engine and compare every formula with Python.

    Each scenario is compared on the numbers in the file, then with every input changed.
    """
    from lm_xl.verification import verify as verify_workbook

    with _progress() as tell:
        result = verify_workbook(file, engine, tell)
    for case in result.cases:
        click.echo(
            f"{case.name:<44} {case.formulas:>9,} formulas   worst relative error {case.worst:.1e}{f'  {case.worst_cell}' if case.worst else ''}"
        )
    wrong = [w for case in result.cases for w in case.wrong]
    if wrong:
        for line in wrong[:MOST_FAULTS]:
            click.echo(f"{file.name}, {line}", err=True)
        click.echo(
            f"FAILED in {engine}: {len(wrong):,} cells differ{f', {MOST_FAULTS} of them shown' if len(wrong) > MOST_FAULTS else ''}",
            err=True,
        )
        sys.exit(FAILED)
    click.echo(
        f"verified in {engine}: {sum(c.formulas for c in result.cases):,} comparisons, worst relative error {max(c.worst for c in result.cases):.1e}"
    )


@cli.command()
@click.argument("file", type=FILE, required=False)
def check(file: Path | None) -> None:
    """Read an assumptions workbook and print its faults, or a one-screen summary."""
    from lm_xl.model import forecast as run

    a = _read(file)
    results = run(a, a.axes.scenarios)
    first, last = a.axes.years[0], a.axes.years[-1]
    click.echo(f"{a.path.name}: no faults; fingerprint {a.fingerprint}")
    click.echo(
        f"  {len(a.axes.region)} regions, {len(a.axes.segment)} segments, {len(a.axes.primary)} subtypes, {first}-{last}, scenarios {', '.join(a.axes.scenarios)}"
    )
    click.echo(f"  {_status_line(a)}")
    idle = sorted(set(range(len(a.rows))) - a.used())
    never = [i for i in idle if not a.rows[i].inputs]
    for i in idle[:5]:
        if i not in never:
            click.echo(f"  {a.rows[i].place}: {a.rows[i].quantity} of {a.rows[i].keys} is never used: more specific rows cover all of it")
    cited = {s.casefold() for ids in _citations(a) for s in ids}
    unused = [s for s in a.sources if s.casefold() not in cited]
    click.echo(
        f"  {len(a.sources)} sources{f', not cited: {_some(unused)}' if unused else ', all cited'}; {len(a.published)} published figures; {len(a.deltas)} scenario deltas"
    )
    for scenario in a.axes.scenarios:
        revenue = results.series("risk_adjusted_sales", run=scenario)
        growth = results.cagr(revenue)
        click.echo(
            f"  {scenario + ':':<28} {results.patients(a.axes.region.total, first, run=scenario):>10,.0f} diagnosed {first}   "
            f"risk-adjusted net revenue USD {revenue[0] / 1e6:,.0f} m {first}, {revenue[-1] / 1e6:,.0f} m {last}   CAGR {'n/a' if growth is None else f'{growth:.1%}'}"
        )


@cli.command()
@click.argument("file", type=FILE, required=False)
@click.option("--metric", type=click.Choice(["patients", "revenue"]), default="revenue", show_default=True)
@click.option(
    "--by",
    type=Words("region", "segment", "primary", "year"),
    default="year",
    show_default=True,
    help="Dimensions, split by commas; the rest is summed.",
)
@click.option("--stage", type=click.Choice(PATIENT_STAGES), default="diagnosed", show_default=True, help="Of the funnel, for patients.")
@click.option("--basis", type=click.Choice(list(BASES)), default="risk_adjusted", show_default=True, help="For revenue, in USD.")
@click.option("--scenario", multiple=True, help="One or several scenarios; without it the first.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("-o", "--output", type=FILE, help="Write to a file; parquet needs it.")
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
def forecast(
    file: Path | None,
    metric: str,
    by: tuple[str, ...],
    stage: str,
    basis: str,
    scenario: tuple[str, ...],
    form: str,
    output: Path | None,
    force: bool,
) -> None:
    """Print or write the forecast as a tidy table."""
    from lm_xl.model import forecast as run

    if form == "parquet" and output is None:
        raise click.UsageError("--format parquet needs a file: add -o FILE")
    if metric == "patients" and "segment" in by:
        raise click.UsageError("patients have no segment: leave it out of --by, or use --metric revenue")
    a = _read(file)
    frame = run(a, list(scenario) or None).frame(metric, by, stage, basis)
    if output is None:
        click.echo(_written(frame, form, by), nl=False)
        return
    from lm_xl.workbook.build import replacing

    with replacing(output, force=force) as draft:
        if form == "parquet":
            _parquet(frame, draft)
        else:
            draft.write_text(_written(frame, form, by), encoding="utf-8")
    click.echo(f"{output}: {len(frame):,} rows")


@cli.command()
@click.argument("file", type=FILE, required=False)
@click.option(
    "-o", "--output", type=FILE, default=Path("lm_data"), show_default=True, help="The folder to write to; it is made if need be."
)
@click.option("--scenario", multiple=True, help="One or several scenarios; without it all of them.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
def data(file: Path | None, output: Path, scenario: tuple[str, ...], force: bool) -> None:
    """Write the tidy data as CSV and Parquet, with a data dictionary."""
    from lm_xl.data import write_data

    a = _read(file)
    output.mkdir(exist_ok=True)
    try:
        written = write_data(a, output, scenario or a.axes.scenarios, force=force)
    except ImportError:
        _no_pyarrow()
    for path, rows in written.items():
        click.echo(f"{path}: {rows:,} rows")


@cli.command()
@click.argument("file", type=FILE)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def audit(file: Path, form: str) -> None:
    """Check any workbook against the rules of a good deliverable and print each breach with its cell."""
    from lm_xl.audit import as_json, summary
    from lm_xl.audit import audit as audit_workbook

    breaches = audit_workbook(file)
    click.echo(as_json(breaches) if form == "json" else "\n".join(summary(breaches)))
    if breaches:
        sys.exit(FAILED)


@cli.command()
@click.argument("file", type=FILE)
@click.option("--axes-of", "other", type=FILE, help="Take the axes of this workbook instead of the options below.")
@click.option("--region", "regions", multiple=True, help="A region.")
@click.option(
    "--therapy",
    "therapies",
    multiple=True,
    metavar="LABEL:SET:ROLE",
    help="A therapy, its choice set, and its role: incumbent, entrant or rest.",
)
@click.option("--test", "tests", multiple=True, help="A diagnostic test.")
@click.option("--primary", "primaries", multiple=True, metavar="LABEL:CANCER", help="A subtype and its cancer.")
@click.option("--years", default="2025-2035", show_default=True, help="First and last year.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def new(
    file: Path,
    other: Path | None,
    regions: Sequence[str],
    therapies: Sequence[str],
    tests: Sequence[str],
    primaries: Sequence[str],
    years: str,
    force: bool,
) -> None:
    """Write an empty assumptions workbook for given axes: the rows are there, the numbers are yours."""
    from lm_xl.workbook.build import new as write
    from lm_xl.workbook.form import axes_of, form

    if other is not None:
        axes = _read(other).axes
    else:
        if not (regions and therapies and tests and primaries):
            raise click.UsageError("name at least one --region, --therapy, --test and --primary, or give --axes-of WORKBOOK")
        first, _, last = years.partition("-")
        if not (first.isdigit() and last.isdigit() and 0 < int(last) - int(first) <= 100):
            raise click.UsageError(f"--years {years!r}: type the first and the last year, such as 2025-2035")
        split = [tuple(t.split(":")) for t in therapies]
        if any(len(t) != 3 or t[2] not in ("incumbent", "entrant", "rest") for t in split):
            raise click.UsageError("--therapy takes LABEL:SET:ROLE with the role incumbent, entrant or rest")
        cancers = [tuple(p.split(":")) for p in primaries]
        if any(len(p) != 2 for p in cancers):
            raise click.UsageError("--primary takes LABEL:CANCER")
        segments = [(t[0], t[1], t[2]) for t in split] + [(t, "", "test") for t in tests]
        axes = axes_of(regions, segments, [(p[0], p[1]) for p in cancers], range(int(first), int(last) + 1))
    write(file, axes, form(axes), force=force)
    click.echo(f"{file}: an empty assumptions workbook; fill it in, then run lm-xl check {file}")


@cli.command()
@click.argument("file", type=FILE, required=False)
@click.option("--draws", type=click.IntRange(1, MOST_DRAWS), default=10_000, show_default=True, help="How many draws.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed gives the same draws.")
@click.option("--scenario", multiple=True, help="One or several scenarios, with the same draws; without it the first.")
@click.option(
    "--stop-at",
    type=Percent(),
    metavar="PERCENT",
    help="Stop when mean, P10 and P90 of the last year's total are known to this, such as 1%.",
)
@click.option(
    "-o", "--output", type=FILE, help="Write the result to a .npz file, which lm_xl.load_simulation reads, or its table to a .csv file."
)
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes on this machine.")
@click.option("--scheduler", metavar="ADDRESS", help="Draw on a Dask cluster instead, such as tcp://10.0.0.1:8786; needs lm-xl[dask].")
def simulate(
    file: Path | None,
    draws: int,
    seed: int,
    scenario: tuple[str, ...],
    stop_at: float | None,
    output: Path | None,
    force: bool,
    workers: int,
    scheduler: str | None,
) -> None:
    """Monte Carlo over every uncertain assumption: means, percentiles, and what the variance comes from.

    With -o, an interrupted run keeps its draws in a folder beside the output, and the same command goes on from there.
    """
    from lm_xl.simulation import simulate as run
    from lm_xl.workbook.build import replacing

    if output is not None and output.suffix not in (".npz", ".csv"):
        raise click.UsageError(f"-o {output}: the file ends in .npz or .csv")
    a = _read(file)
    store = None if output is None else output.with_name(output.name + ".draws")
    with _nothing() if output is None else replacing(output, force=force) as draft:
        try:
            with _executor(workers, scheduler) as executor, _bar() as progress:
                result = run(a, draws, seed, scenario or None, executor, stop_at=stop_at, store=store, progress=progress)
        except KeyboardInterrupt:
            kept = f"; {store} keeps the draws, the same command goes on from there" if store is not None and store.exists() else ""
            click.echo(f"interrupted{kept}", err=True)
            sys.exit(INTERRUPTED)
        if draft is not None and draft.suffix == ".npz":
            result.save(draft, force=True)
        elif draft is not None:
            from lm_xl.data import as_csv

            draft.write_text(as_csv(result.frame()), encoding="utf-8")
    for name in result.runs:
        click.echo(_simulated(result, name))
    click.echo(
        f"{result.draws:,} draws, seed {seed}, {result.provenance['engine']}, assumptions {a.path.name} {a.fingerprint}, spreads {a.uncertainty}"
    )
    if not result.reached:
        click.echo(f"the error asked for was not reached: give more than {draws:,} --draws", err=True)
    if output is not None:
        click.echo(f"{output}: written")


def _simulated(result: Simulation, name: str) -> str:
    """The last year's total and what it depends on, as text."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    frame = result.frame()
    total = frame[(frame["scenario"] == name) & (frame["metric"] == "revenue") & (frame["label"] == result.axes.region.total)]
    title = f"{name}: revenue, USD million; P10 to P90 with Monte Carlo errors (+-)"
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in ("year", "deterministic", "weighed by success", "mean", "+-", "P10", "+-", "P50", "+-", "P90", "+-"):
        table.add_column(column, justify="right")
    columns = ["deterministic", "by_success", *(f"{x}{e}" for x in ("mean", "p10", "p50", "p90") for e in ("", "_error"))]
    for year, values in zip(total["year"], total[columns].to_numpy() / 1e6, strict=True):
        table.add_row(str(year), *("n/a" if v != v else f"{v:,.1f}" for v in values))
    causes = result.variance(name)
    words = [f"  {share:6.1%}  {cause}" for cause, share in zip(causes["input"], causes["share"], strict=True)]
    console = Console(width=130)
    with console.capture() as captured:
        console.print(table)
    return f"{captured.get()}Share of the variance of {result.axes.years[-1]}, by regression of ranks:\n" + "\n".join(
        [*words[:MOST_CAUSES], words[-1]]
    )


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


@contextmanager
def _executor(workers: int, scheduler: str | None) -> Iterator[Executor | Callable[[], Executor] | None]:
    """Where draws are made: here, in processes that are replaced when they die, or on a Dask cluster."""
    if scheduler is None:
        if workers == 1:
            yield None
            return
        from concurrent.futures import ProcessPoolExecutor

        yield lambda: ProcessPoolExecutor(workers, initializer=_uninterrupted)
        return
    try:
        from distributed import Client
    except ImportError:
        click.echo('a Dask cluster needs Dask: pip install "lm-xl[dask]"', err=True)
        sys.exit(MISSING)
    from lm_xl.faults import Fault, Refused

    try:
        client = Client(scheduler)
    except (OSError, ValueError) as error:
        raise Refused([Fault(scheduler, "", "", f"no Dask scheduler answers there ({error})")]) from None
    with client:
        yield client.get_executor()


def _uninterrupted() -> None:
    """A worker leaves an interrupt to the process that started it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """Tell how much is done, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("drawing")
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _read(path: Path | None) -> Assumptions:
    from lm_xl.reader import read_assumptions

    return read_assumptions(path)


def _citations(a: Assumptions) -> list[tuple[str, ...]]:
    return [*(r.sources for r in a.rows), *(d.sources for d in a.deltas), *(p.sources for p in a.published)]


def _status_line(a: Assumptions) -> str:
    count = {status: sum(r.status == status for r in a.rows) for status in ("sourced", "derived", "expert", "placeholder")}
    parts = ", ".join(f"{n} {status}" for status, n in count.items())
    return f"{len(a.rows)} assumption rows: {parts} ({count['placeholder'] / len(a.rows):.1%} placeholder)"


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")


def _written(frame: pd.DataFrame, form: str, by: Sequence[str]) -> str:
    if form == "csv":
        from lm_xl.data import as_csv

        return as_csv(frame)
    if form == "json":
        import json

        return json.dumps(frame.to_dict("records"), indent=1) + "\n"
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    across = "year" in by and len(by) > 1
    unit, scale = ("USD million", 1e6) if frame["unit"].iloc[0] == "USD" else (frame["unit"].iloc[0], 1)
    over = "" if "year" in by else ", all years together"
    lead = [c for c in ("scenario", *by) if not (across and c == "year")]
    table = Table(title=f"{frame['metric'].iloc[0]}, {unit}{over}", box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    wide = frame.pivot_table("value", lead, "year", sort=False) if across else frame.set_index(lead)[["value"]]
    for name in lead:
        table.add_column(name)
    for name in wide.columns:
        table.add_column(str(name), justify="right")
    for labels, values in zip(wide.index, wide.to_numpy(), strict=True):
        labels = labels if isinstance(labels, tuple) else (labels,)
        table.add_row(*(Text(str(x)) for x in labels), *(f"{v / scale:,.{1 if scale > 1 else 0}f}" for v in values))
    console = Console(width=max(100, 24 * len(lead) + 11 * len(wide.columns)))
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def _parquet(frame: pd.DataFrame, path: Path) -> None:
    try:
        frame.to_parquet(path, index=False)
    except ImportError:
        _no_pyarrow()


def _no_pyarrow() -> NoReturn:
    click.echo('Parquet needs pyarrow: pip install "lm-xl[parquet]"', err=True)
    sys.exit(MISSING)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Tell what is going on, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda text: status.update(f"{text} ...")


def main() -> None:
    """Run the command; every refusal ends in one line a fault and an exit code, never in a traceback."""
    from lm_xl.axes import UnknownLabel
    from lm_xl.faults import Refused

    try:
        cli()
    except Refused as refused:
        for fault in refused.faults[:MOST_FAULTS]:
            click.echo(str(fault), err=True)
        n = len(refused.faults)
        click.echo(f"refused: {n} fault{'s' if n > 1 else ''}{f', {MOST_FAULTS} of them shown' if n > MOST_FAULTS else ''}", err=True)
        sys.exit(REFUSED)
    except UnknownLabel as unknown:
        click.echo(str(unknown), err=True)
        sys.exit(REFUSED)
    except ArithmeticError as broken:
        click.echo(str(broken), err=True)
        sys.exit(FAILED)
    except OSError as error:
        click.echo(f"{error.filename or ''}: {error.strerror or error}", err=True)
        sys.exit(REFUSED)
    except RuntimeError as error:
        from lm_xl.engines import EngineMissing

        if not isinstance(error, EngineMissing):
            raise
        click.echo(str(error), err=True)
        sys.exit(MISSING)
