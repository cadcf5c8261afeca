"""The command `lm-xl`. Exit codes: 0 done; 1 an input was refused; 2 wrong usage; 3 a check failed; 4 something is not installed;
130 interrupted; 143 terminated."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from lm_xl.assumptions.columns import KEYS
from lm_xl.model.outputs import BASES, PATIENT_STAGES
from lm_xl.uncertainty.limits import MOST_DRAWS
from lm_xl.version import __version__

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd

    from lm_xl.assumptions.assumptions import Assumptions, Correlation, Currency, Delta, Published, Row
    from lm_xl.uncertainty.simulation import Simulation

REFUSED, MISUSED, FAILED, MISSING, INTERRUPTED, TERMINATED = 1, 2, 3, 4, 130, 143
FORMATS = ("table", "csv", "json", "parquet")
SUFFIXES = (".csv", ".json", ".parquet", ".xlsx", ".xlsm", ".xls", ".npz")
"""A file with such a name holds nothing else."""
MOST_FAULTS = 200
MOST_CAUSES = 12

FILE = click.Path(path_type=Path)


class Words(click.ParamType[tuple[str, ...]]):
    """Some words of a list, split by commas."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.name = ",".join(words)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        from lm_xl.model.labels import nearest

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


def _needless(why: str, *names: str) -> None:
    """Refuse options that were typed and have no effect."""
    ctx = click.get_current_context()
    typed = [
        p.opts[-1]
        for p in ctx.command.params
        if p.name in names and ctx.get_parameter_source(p.name) is ParameterSource.COMMANDLINE
    ]
    if typed:
        raise click.UsageError(f"{' and '.join(typed)}: {why}")


def _of_metric(metric: str, by: Sequence[str] = ()) -> None:
    """Refuse what belongs to the other metric."""
    if metric == "patients":
        _needless("patients have no basis: leave it out, or use --metric revenue", "basis")
    else:
        _needless("revenue has no stage: leave it out, or use --metric patients", "stage")
    if metric == "patients" and "segment" in by:
        raise click.UsageError("patients have no segment: leave it out of --by, or use --metric revenue")


def _once(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    from lm_xl.model.labels import folded

    if len(set(map(folded, names))) < len(names):
        raise click.BadParameter("give each scenario once", ctx, param)
    return names


class Terminated(KeyboardInterrupt):
    """The process was asked to end."""


def _terminate(*_: object) -> NoReturn:
    raise Terminated


class Interruptible(click.Group):
    """Commands that clean up and say so when they are stopped."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            click.echo("".join(["interrupted", *stop.args]), err=True)
            sys.exit(TERMINATED if isinstance(stop, Terminated) else INTERRUPTED)


@click.group(cls=Interruptible, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lm-xl")
def cli() -> None:
    """A market model for leptomeningeal metastases that lives in Excel and in Python at once.

    Without ASSUMPTIONS, a command takes the shipped base case. Exit codes: 0 done; 1 an input was refused;
    2 wrong usage; 3 a check failed; 4 something is not installed; 130 interrupted; 143 terminated.
    """


@cli.command()
@click.argument("assumptions", type=FILE, required=False)
@click.option(
    "-o",
    "--output",
    type=FILE,
    default=Path("lm_forecast.xlsx"),
    show_default=True,
    help="The workbook to write.",
)
@click.option(
    "--static", is_flag=True, help="Values only: the same pages without formulas, and a cover that says so."
)
@click.option(
    "--draws",
    type=click.IntRange(1, MOST_DRAWS),
    default=10_000,
    show_default=True,
    help="Of the simulation that it shows.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the simulation that it shows."
)
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
def build(assumptions: Path | None, output: Path, static: bool, draws: int, seed: int, force: bool) -> None:
    """Build the live workbook of an assumptions workbook."""
    from lm_xl.workbook.build import build as build_workbook

    with _progress() as tell:
        tell("reading the assumptions")
        a = _read(assumptions)
        traced = build_workbook(a, output, force=force, static=static, draws=draws, seed=seed, progress=tell)
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
    from lm_xl.workbook.verify import verify as verify_workbook

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
    from lm_xl.forecasts.forecast import forecast as run
    from lm_xl.uncertainty.values import misfits

    a = _read(file)
    results = run(a, a.axes.scenarios)
    first, last = a.axes.years[0], a.axes.years[-1]
    click.echo(f"{a.path.name}: no faults; fingerprint {a.fingerprint}")
    click.echo(
        f"  {len(a.axes.region)} regions, {len(a.axes.segment)} segments, {len(a.axes.subtype)} subtypes, {first}-{last}, scenarios {', '.join(a.axes.scenarios)}"
    )
    click.echo(f"  {_status_line(a)}")
    idle = sorted(set(range(len(a.rows))) - a.used())
    never = [i for i in idle if not a.rows[i].inputs]
    for i in idle[:5]:
        if i not in never:
            click.echo(
                f"  {a.rows[i].place}: {a.rows[i].quantity} of {a.rows[i].keys} is never used: more specific rows cover all of it"
            )
    if far := misfits(a):
        click.echo(
            f"  {len(far)} rows: low and high are not P10 and P90 around the value, which draws keep as the mean; the farthest:"
        )
        for row, (p10, p90) in far[:3]:
            click.echo(
                f"    {row.sheet}!{row.low_cell}: {row.quantity} of {row.keys}: {row.low:g} to {row.high:g} stated, {p10:.4g} to {p90:.4g} drawn"
            )
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
    type=Words("region", "segment", "subtype", "year"),
    default="year",
    show_default=True,
    help="Dimensions, split by commas; the rest is summed.",
)
@click.option(
    "--stage",
    type=click.Choice(PATIENT_STAGES),
    default="diagnosed",
    show_default=True,
    help="Of the funnel, for patients.",
)
@click.option(
    "--basis",
    type=click.Choice(list(BASES)),
    default="risk_adjusted",
    show_default=True,
    help="For revenue, in USD.",
)
@click.option(
    "--scenario", multiple=True, callback=_once, help="One or several scenarios; without it the first."
)
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
    from lm_xl.forecasts.forecast import forecast as run

    if output is None:
        if form == "parquet":
            raise click.UsageError("--format parquet needs a file: add -o FILE")
        _needless("it needs -o FILE", "force")
    elif output.suffix.lower() in SUFFIXES and output.suffix.lower() != f".{form}":
        hint = f": add --format {output.suffix[1:].lower()}" if output.suffix.lower()[1:] in FORMATS else ""
        raise click.UsageError(f"-o {output}: the format is {form}{hint}")
    _of_metric(metric, by)
    a = _read(file)
    frame = run(a, list(scenario) or None).frame(metric, by, stage, basis)
    if output is None:
        click.echo(_written(frame, form, by), nl=False)
        return
    from lm_xl.files import not_over, replacing

    not_over(a.path, output)
    with replacing(output, force=force) as draft:
        if form == "parquet":
            _parquet(frame, draft)
        else:
            draft.write_text(_written(frame, form, by), encoding="utf-8")
    click.echo(f"{output}: {len(frame):,} rows")


def _measured(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say what is measured, and how it is printed."""
    for option in (
        click.option(
            "--format",
            "form",
            type=click.Choice(["table", "csv", "json"]),
            default="table",
            show_default=True,
        ),
        click.option(
            "--basis",
            type=click.Choice(list(BASES)),
            default="risk_adjusted",
            show_default=True,
            help="For revenue, in USD.",
        ),
        click.option(
            "--stage",
            type=click.Choice(PATIENT_STAGES),
            default="diagnosed",
            show_default=True,
            help="Of the funnel, for patients.",
        ),
        click.option(
            "--metric", type=click.Choice(["patients", "revenue"]), default="revenue", show_default=True
        ),
    ):
        command = option(command)
    return command


def _labelled(command: Callable[..., None]) -> Callable[..., None]:
    """The options that measure a part of the market."""
    for key in reversed(KEYS):
        command = click.option(f"--{key}", metavar="LABEL", help=f"A {key} or a group; without it all.")(
            command
        )
    return command


@cli.command()
@click.argument("before")
@click.argument("after")
@click.argument("file", type=FILE, required=False)
@click.option("--year", type=int, help="The year of a point without one; without it the last.")
@click.option("--scenario", help="The scenario of a point without one; without it the first.")
@click.option(
    "--by",
    type=Words(*KEYS),
    default="region",
    show_default=True,
    help="Dimensions, split by commas; the rest is summed.",
)
@_measured
def compare(
    before: str,
    after: str,
    file: Path | None,
    year: int | None,
    scenario: str | None,
    by: tuple[str, ...],
    metric: str,
    stage: str,
    basis: str,
    form: str,
) -> None:
    """Compare two scenarios, or two years: leaves, groups and totals, with the difference.

    BEFORE and AFTER are each a scenario, a year, or both, such as High, 2030 or "High 2030".
    """
    from lm_xl.forecasts.compare import compare as compare_points

    _of_metric(metric, by)
    found = compare_points(_read(file), before, after, year, scenario)
    frame = found.frame(by, metric, stage, basis)
    if form != "table":
        click.echo(_written(frame, form, by), nl=False)
        return
    unit, scale = _scale(frame["unit"].iloc[0])
    rows = [
        [*map(str, labels), *(_amount(v, scale) for v in values[:-1]), _percent(values[-1])]
        for labels, values in zip(
            frame[list(by)].to_numpy(),
            frame[["before", "after", "difference", "change"]].to_numpy(float),
            strict=True,
        )
    ]
    title = f"{frame['metric'].iloc[0]}, {unit}"
    click.echo(
        _table(title, by, [str(found.before), str(found.after), "difference", "change"], rows), nl=False
    )


@cli.command()
@click.argument("file", type=FILE, required=False)
@click.option(
    "--from", "start", metavar="POINT", help="A scenario, a year, or both; without it the first year."
)
@click.option("--to", "end", metavar="POINT", help="A scenario, a year, or both; without it the last year.")
@click.option("--year", type=int, help="The year of a point without one; without it the last.")
@click.option("--scenario", help="The scenario of a point without one; without it the first.")
@click.option(
    "--sort",
    type=click.Choice(["driver", "size"]),
    default="driver",
    show_default=True,
    help="The order of the bars.",
)
@_labelled
@_measured
def bridge(
    file: Path | None,
    start: str | None,
    end: str | None,
    year: int | None,
    scenario: str | None,
    sort: str,
    region: str | None,
    segment: str | None,
    subtype: str | None,
    metric: str,
    stage: str,
    basis: str,
    form: str,
) -> None:
    """Split the difference between two scenarios or two years into the drivers of the market.

    The bars are Shapley values: each driver's effect averaged over all orders of the drivers. They sum to the difference.
    """
    from lm_xl.forecasts.bridge import bridge as bridge_points

    _of_metric(metric)
    with _progress() as tell:
        tell("every combination of the drivers")
        labels = {"region": region, "segment": segment, "subtype": subtype}
        found = bridge_points(
            _read(file), start, end, metric, year=year, scenario=scenario, **labels, stage=stage, basis=basis
        )
    frame = found.frame(by_size=sort == "size")
    if form == "csv":
        click.echo(_written(frame, form, ()), nl=False)
        return
    if form == "json":
        about = {
            "measure": str(found.measure),
            "unit": found.measure.unit,
            "from": str(found.start),
            "to": str(found.end),
        }
        numbers = {"before": found.before, "after": found.after, "difference": found.difference}
        click.echo(
            _as_json({**about, **numbers, "bars": frame.drop(columns="unit").to_dict("records")}), nl=False
        )
        return
    unit, scale = _scale(found.measure.unit)
    bars = [bar for bar in frame.to_dict("records") if bar["changed"]]
    rows = [
        [
            bar["driver"],
            *(_amount(bar[c], scale) for c in ("effect", "alone", "interaction")),
            _percent(bar["share"]),
            bar["changed"],
        ]
        for bar in bars
    ]
    sums = [_amount(sum(bar[c] for bar in bars), scale) for c in ("effect", "alone", "interaction")]
    ends = [
        [str(where), _amount(value, scale)]
        for where, value in ((found.start, found.before), (found.end, found.after))
    ]
    rows = [ends[0], *rows, ["difference", *sums], ends[1]]
    title = f"{found.measure}, {unit}: {found.start} to {found.end}"
    click.echo(
        _table(title, ["driver"], ["effect", "alone", "interaction", "share"], rows, after=["through"]),
        nl=False,
    )
    idle = [name for name, changed in zip(frame["driver"], frame["changed"], strict=True) if not changed]
    if idle:
        click.echo(f"No change in: {', '.join(idle)}")


@cli.command()
@click.argument("file", type=FILE, required=False)
@click.option("--scenario", help="A scenario; without it the first.")
@click.option("--year", type=int, help="A year; without it the last.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many inputs the table shows; csv and json hold all.",
)
@_labelled
@_measured
def tornado(
    file: Path | None,
    scenario: str | None,
    year: int | None,
    top: int,
    region: str | None,
    segment: str | None,
    subtype: str | None,
    metric: str,
    stage: str,
    basis: str,
    form: str,
) -> None:
    """Move each uncertain input to its low and its high, one at a time, and sort by what that does."""
    from lm_xl.forecasts.tornado import tornado as swings_of

    _of_metric(metric)
    if form != "table":
        _needless(f"{form} holds all inputs", "top")
    found = swings_of(
        _read(file),
        scenario,
        year,
        metric,
        region=region,
        segment=segment,
        subtype=subtype,
        stage=stage,
        basis=basis,
    )
    frame = found.frame()
    if form == "csv":
        click.echo(_written(frame, form, ()), nl=False)
        return
    if form == "json":
        about = {
            "measure": str(found.measure),
            "unit": found.measure.unit,
            "at": str(found.at),
            "centre": found.centre,
        }
        click.echo(
            _as_json({**about, "inputs": frame.drop(columns=["unit", "centre"]).to_dict("records")}), nl=False
        )
        return
    if not found.swings:
        click.echo("Nothing is uncertain: no row has a distribution with a low and a high apart.")
        return
    unit, scale = _scale(found.measure.unit)
    rows = [
        [swing["input"], *(f"{swing[c]:g}" if swing[c] == swing[c] else "by row" for c in ("low", "high"))]
        + [_amount(swing[c], scale) for c in ("low_effect", "high_effect", "swing")]
        for swing in frame.head(top).to_dict("records")
    ]
    title = f"{found.measure}, {found.at}, {unit}: {_amount(found.centre, scale)}"
    click.echo(
        _table(title, ["input"], ["low", "high", "low effect", "high effect", "swing"], rows), nl=False
    )
    moving = len(found.swings) - len(found.idle)
    if moving > top:
        click.echo(f"{moving - top} more inputs have a smaller swing: --top {moving} shows them.")
    if found.idle:
        click.echo(f"No effect on this output: {'; '.join(found.idle)}")


@cli.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--scenario", help="The scenario to measure in; without it the first.")
@click.option("--year", type=int, help="The year to measure in; without it the last.")
@_labelled
@click.option(
    "--basis",
    type=click.Choice(list(BASES)),
    default="risk_adjusted",
    show_default=True,
    help="Of the revenue.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "csv", "json"]), default="text", show_default=True
)
def diff(
    before: Path,
    after: Path,
    scenario: str | None,
    year: int | None,
    region: str | None,
    segment: str | None,
    subtype: str | None,
    basis: str,
    form: str,
) -> None:
    """Tell what differs between two assumptions workbooks, and what each edit alone does to revenue."""
    from lm_xl.forecasts.diff import diff as diff_books

    found = diff_books(
        before, after, scenario, year, region=region, segment=segment, subtype=subtype, basis=basis
    )
    frame = found.frame()
    if form == "csv":
        click.echo(_written(frame, form, ()), nl=False)
        return
    if form == "json":
        about = {
            "measure": str(found.measure),
            "unit": found.measure.unit,
            "at": str(found.at),
            "apart": found.apart,
        }
        numbers = {
            "before": found.before,
            "after": found.after,
            "total": found.total,
            "interaction": found.interaction,
        }
        click.echo(
            _as_json({**about, **numbers, "edits": frame.drop(columns="unit").to_dict("records")}), nl=False
        )
        return
    unit, scale = _scale(found.measure.unit)
    old, new = found.assumptions
    click.echo(f"{before} {old.fingerprint} -> {after} {new.fingerprint}")
    click.echo(
        f"{found.measure}, {found.at}, {unit}: {found.before / scale:,.3f} -> {found.after / scale:,.3f}"
    )
    for edit in found.edits:
        effect = "" if edit.effect is None else _signed(edit.effect / scale)
        place = f"{edit.sheet}{f'!{edit.cell}' if edit.cell else ''}"
        pairs = zip(edit.columns, edit.before, edit.after, strict=True)
        moves = "; ".join(
            f"{c} {b or '(blank)'} -> {a or '(blank)'}" if edit.kind == "changed" else f"{c} {b or a}"
            for c, b, a in pairs
        )
        source = f" [{edit.source}]" if edit.source else ""
        click.echo(
            f"{effect:>12}  {edit.kind:<7}  {place}, {edit.what}{f': {moves}' if moves else ''}{source}"
        )
    if found.apart:
        click.echo(
            f"{_signed(found.total / scale):>12}  total; the effect of single edits is not known, since {found.apart}"
        )
    elif found.edits:
        click.echo(f"{_signed((found.interaction or 0) / scale):>12}  interaction of the edits")
        click.echo(f"{_signed(found.total / scale):>12}  total")
    else:
        click.echo("no difference")


@cli.command()
@click.argument("file", type=FILE)
def textconv(file: Path) -> None:
    """Print an assumptions workbook as text, one line a row, for git diff. Numbers are not checked.

    A file that is no workbook is one line that says so: git stops at a failure, and shows no other file.
    """
    from lm_xl.faults import Refused
    from lm_xl.forecasts.sheet_rows import lines_of

    try:
        lines = lines_of(file)
    except Refused as refused:
        if not file.is_file():
            raise
        lines = [fault.message for fault in refused.faults]
    click.echo("\n".join(lines))


@cli.command()
@click.argument("file", type=FILE, required=False)
@click.option(
    "-o",
    "--output",
    type=FILE,
    default=Path("lm_data"),
    show_default=True,
    help="The folder to write to; it is made if need be.",
)
@click.option(
    "--scenario", multiple=True, callback=_once, help="One or several scenarios; without it all of them."
)
@click.option("--force", is_flag=True, help="Replace files that exist.")
def data(file: Path | None, output: Path, scenario: tuple[str, ...], force: bool) -> None:
    """Write the tidy data as CSV and Parquet, with a data dictionary."""
    from lm_xl.forecasts.export import write_data

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
    from lm_xl.audit.audit import as_json, summary
    from lm_xl.audit.audit import audit as audit_workbook

    breaches = audit_workbook(file)
    click.echo(as_json(breaches) if form == "json" else "\n".join(summary(breaches)))
    if breaches:
        sys.exit(FAILED)


@cli.command()
@click.argument("file", type=FILE)
@click.option(
    "--axes-of", "other", type=FILE, help="Take the axes of this workbook instead of the options below."
)
@click.option("--region", "regions", multiple=True, help="A region.")
@click.option(
    "--therapy",
    "therapies",
    multiple=True,
    metavar="LABEL:SET:ROLE",
    help="A therapy, its choice set, and its role: incumbent, entrant or rest.",
)
@click.option("--test", "tests", multiple=True, help="A diagnostic test.")
@click.option(
    "--subtype", "subtypes", multiple=True, metavar="LABEL:CANCER", help="A subtype and its cancer."
)
@click.option("--years", default="2025-2035", show_default=True, help="First and last year.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def new(
    file: Path,
    other: Path | None,
    regions: Sequence[str],
    therapies: Sequence[str],
    tests: Sequence[str],
    subtypes: Sequence[str],
    years: str,
    force: bool,
) -> None:
    """Write an empty assumptions workbook for given axes: the rows are there, the numbers are yours."""
    from lm_xl.files import not_over
    from lm_xl.workbook.build import new as write
    from lm_xl.workbook.form import axes_of, form

    if other is not None:
        _needless("--axes-of has all of the axes", "regions", "therapies", "tests", "subtypes", "years")
        not_over(other, file)
        axes = _read(other).axes
    else:
        if not (regions and therapies and tests and subtypes):
            raise click.UsageError(
                "name at least one --region, --therapy, --test and --subtype, or give --axes-of WORKBOOK"
            )
        first, _, last = years.partition("-")
        if not (first.isdigit() and last.isdigit() and 0 < int(last) - int(first) <= 100):
            raise click.UsageError(f"--years {years!r}: type the first and the last year, such as 2025-2035")
        split = [tuple(t.split(":")) for t in therapies]
        if any(len(t) != 3 or t[2] not in ("incumbent", "entrant", "rest") for t in split):
            raise click.UsageError("--therapy takes LABEL:SET:ROLE with the role incumbent, entrant or rest")
        cancers = [tuple(p.split(":")) for p in subtypes]
        if any(len(p) != 2 for p in cancers):
            raise click.UsageError("--subtype takes LABEL:CANCER")
        segments = [(t[0], t[1], t[2]) for t in split] + [(t, "", "test") for t in tests]
        axes = axes_of(regions, segments, [(p[0], p[1]) for p in cancers], range(int(first), int(last) + 1))
    write(file, axes, form(axes), force=force)
    click.echo(f"{file}: an empty assumptions workbook; fill it in, then run lm-xl check {file}")


@cli.command()
@click.argument("assumptions", type=FILE, required=False)
@click.option("--lite", is_flag=True, help="For xlwings Lite instead of Excel on Windows.")
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="The workbook to write; lm_template.xlsm, or lm_template_lite.xlsx with --lite.",
)
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
def template(assumptions: Path | None, lite: bool, output: Path | None, force: bool) -> None:
    """Build the workbook whose numbers come from the Excel functions."""
    from lm_xl.functions.template.template import template as build_template

    output = output or Path("lm_template_lite.xlsx" if lite else "lm_template.xlsm")
    with _progress() as tell:
        tell("reading the assumptions")
        a = _read(assumptions)
        build_template(a, output, host="lite" if lite else "windows", force=force, progress=tell)
    click.echo(
        f"{output}: functions evaluated without Excel and their values stored; assumptions {a.path.name} {a.fingerprint}"
    )


@cli.command()
@click.argument("file", type=FILE)
def recalc(file: Path) -> None:
    """Evaluate a workbook with the functions, without Excel, and store its values in place.

    Ends with exit code 3 where a cell shows an error, and names the cells.
    """
    from lm_xl.functions.headless import recalculate

    with _progress() as tell:
        tell("recalculating")
        done = recalculate(file)
    click.echo(
        f"{file}: {done.functions:,} formulas with our functions and {done.others:,} others evaluated and stored"
    )
    for cell, error in list(done.errors.items())[:MOST_FAULTS]:
        click.echo(f"{file.name}, {cell}: {error}", err=True)
    if done.errors:
        click.echo(f"{len(done.errors):,} cells show an error; LM_WHY tells why", err=True)
        sys.exit(FAILED)


@cli.command()
def doctor() -> None:
    """Say in words what Excel on Windows needs to run the functions and what is missing.

    Ends with exit code 4 where something is missing.
    """
    from lm_xl.functions.doctor import facts, findings

    found = findings(facts())
    click.echo("\n".join(map(str, found)))
    if any(f.there is False for f in found):
        sys.exit(MISSING)


@cli.group()
def addin() -> None:
    """Set Excel on Windows up for the functions, or take that back."""


@addin.command()
@click.option("--to", "folder", type=FILE, help="Copy the template to this folder.")
@click.option(
    "--trust",
    is_flag=True,
    help="Have Excel trust that folder: macros of any workbook in it run without asking.",
)
@click.option("--force", is_flag=True, help="Replace the template if it is in the folder already.")
def install(folder: Path | None, trust: bool, force: bool) -> None:
    """Let Excel find this Python, for you alone: the environment variable LM_XL_PYTHON is set."""
    from lm_xl.assumptions.read import SHIPPED
    from lm_xl.functions import doctor

    if folder is None and (trust or force):
        raise click.UsageError("--trust and --force need --to FOLDER")
    template = SHIPPED.with_name(doctor.TEMPLATE)
    click.echo(
        "\n".join(
            doctor.install(doctor.registry(), sys.executable, template, folder, trust=trust, force=force)
        )
    )


@addin.command()
def remove() -> None:
    """Take back what install set; copies of the template stay."""
    from lm_xl.functions import doctor

    click.echo("\n".join(doctor.remove(doctor.registry())))


@cli.command()
@click.argument("file", type=FILE, required=False)
@click.option(
    "--draws", type=click.IntRange(1, MOST_DRAWS), default=10_000, show_default=True, help="How many draws."
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed gives the same draws."
)
@click.option(
    "--scenario",
    multiple=True,
    callback=_once,
    help="One or several scenarios, with the same draws; without it the first.",
)
@click.option(
    "--stop-at",
    type=Percent(),
    metavar="PERCENT",
    help="Stop when mean, P10 and P90 of the last year's total are known to this, such as 1%.",
)
@click.option(
    "-o",
    "--output",
    type=FILE,
    help="Write the result to a .npz file, which lm_xl.load_simulation reads, or its table to a .csv file.",
)
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@click.option(
    "--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes on this machine."
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Draw on a Dask cluster instead, such as tcp://10.0.0.1:8786; needs lm-xl[dask].",
)
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
    from lm_xl.files import must_end, not_over, replacing
    from lm_xl.uncertainty.simulate import simulate as run

    if output is not None:
        must_end(output, ".npz", ".csv")
    else:
        _needless("it needs -o FILE", "force")
    if scheduler is not None:
        _needless("the cluster of --scheduler has its own", "workers")
    a = _read(file)
    if output is not None:
        not_over(a.path, output)
    store = None if output is None else output.with_name(output.name + ".draws")
    with _nothing() if output is None else replacing(output, force=force) as draft:
        try:
            with _executor(workers, scheduler) as executor, _bar() as progress:
                result = run(
                    a,
                    draws,
                    seed,
                    scenario or None,
                    executor,
                    stop_at=stop_at,
                    store=store,
                    progress=progress,
                )
        except KeyboardInterrupt as stop:
            if store is not None and store.exists():
                stop.args = (f"; {store} keeps the draws, the same command goes on from there",)
            raise
        if draft is not None and draft.suffix.lower() == ".npz":
            result.save(draft, force=True)
        elif draft is not None:
            from lm_xl.forecasts.export import as_csv

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

    from lm_xl.uncertainty.draws import BLOCK

    frame = result.frame()
    total = frame[
        (frame["scenario"] == name)
        & (frame["metric"] == "revenue")
        & (frame["label"] == result.axes.region.total)
    ]
    title = f"{name}: revenue, USD million; P10 to P90 with Monte Carlo errors (+-)"
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in (
        "year",
        "deterministic",
        "weighed by success",
        "mean",
        "+-",
        "P10",
        "+-",
        "P50",
        "+-",
        "P90",
        "+-",
    ):
        table.add_column(column, justify="right")
    columns = [
        "deterministic",
        "by_success",
        *(f"{x}{e}" for x in ("mean", "p10", "p50", "p90") for e in ("", "_error")),
    ]
    for year, values in zip(total["year"], total[columns].to_numpy() / 1e6, strict=True):
        table.add_row(str(year), *("n/a" if v != v else f"{v:,.1f}" for v in values))
    console = Console(width=130)
    with console.capture() as captured:
        console.print(table)
    causes = result.variance(name)
    about = f"Share of the variance of {result.axes.years[-1]}"
    if causes["share"].isna().any():
        return f"{captured.get()}{about}: {'nothing varies' if result.draws >= BLOCK else f'needs at least {BLOCK} draws'}"
    words = [
        f"  {share:6.1%}  {cause}" for cause, share in zip(causes["input"], causes["share"], strict=True)
    ]
    return "\n".join(
        [f"{captured.get()}{about}, by regression of ranks:", *words[:-1][:MOST_CAUSES], words[-1]]
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
    """A worker leaves an interrupt to the process that started it, and ends when it is asked to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


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
    from lm_xl.assumptions.read import read_assumptions

    return read_assumptions(path)


def _citations(a: Assumptions) -> list[tuple[str, ...]]:
    everything: tuple[Sequence[Row | Delta | Correlation | Published | Currency], ...] = (
        a.rows,
        a.deltas,
        a.correlations,
        a.published,
        a.currencies,
    )
    return [x.sources for some in everything for x in some]


def _status_line(a: Assumptions) -> str:
    count = {
        status: sum(r.status == status for r in a.rows)
        for status in ("sourced", "derived", "expert", "placeholder")
    }
    parts = ", ".join(f"{n} {status}" for status, n in count.items())
    return f"{len(a.rows)} assumption rows: {parts} ({count['placeholder'] / len(a.rows):.1%} placeholder)"


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")


def _written(frame: pd.DataFrame, form: str, by: Sequence[str]) -> str:
    if form == "csv":
        from lm_xl.forecasts.export import as_csv

        return as_csv(frame)
    if form == "json":
        return _as_json(frame.to_dict("records"))
    across = "year" in by and len(by) > 1
    unit, scale = _scale(frame["unit"].iloc[0])
    over = "" if "year" in by else ", all years together"
    lead = [c for c in ("scenario", *by) if not (across and c == "year")]
    wide = (
        frame.pivot_table("value", lead, "year", sort=False) if across else frame.set_index(lead)[["value"]]
    )
    rows = [
        [*map(str, labels if isinstance(labels, tuple) else (labels,)), *(_amount(v, scale) for v in values)]
        for labels, values in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    return _table(
        f"{frame['metric'].iloc[0]}, {unit}{over}", lead, [str(name) for name in wide.columns], rows
    )


def _as_json(content: object) -> str:
    """JSON, in which a number that there is none of is null."""
    import json

    def known(x: object) -> object:
        if isinstance(x, dict):
            return {k: known(v) for k, v in x.items()}
        if isinstance(x, list):
            return [known(v) for v in x]
        return None if isinstance(x, float) and x != x else x

    return json.dumps(known(content), indent=1, ensure_ascii=False) + "\n"


def _scale(unit: str) -> tuple[str, float]:
    """The unit in which a table shows numbers, and how many of the model's it holds."""
    return ("USD million", 1e6) if unit == "USD" else (unit, 1)


def _amount(value: float, scale: float) -> str:
    return f"{value / scale:,.{1 if scale > 1 else 0}f}"


def _signed(value: float) -> str:
    """With its sign; 0 where nothing happens, and 0.000 where next to nothing does."""
    return "0" if value == 0 else "0.000" if abs(value) < 0.0005 else f"{value:+,.3f}"


def _percent(value: float) -> str:
    return "n/a" if value != value else f"{value:+.1%}"


def _table(
    title: str,
    words: Sequence[str],
    numbers: Sequence[str],
    rows: Sequence[Sequence[str]],
    after: Sequence[str] = (),
) -> str:
    """A table for the terminal: columns of words, of numbers, and of words after them."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right")
    for name in after:
        table.add_column(name)
    for row in rows:
        table.add_row(*map(Text, row))
    heads = [*words, *numbers, *after]
    width = sum(max(len(row[i]) for row in (heads, *rows) if i < len(row)) + 3 for i in range(len(heads)))
    console = Console(width=max(100, width))
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
    from lm_xl.faults import Refused, UnknownLabel, WrongUsage

    signal.signal(signal.SIGTERM, _terminate)
    try:
        cli()
    except Refused as refused:
        for fault in refused.faults[:MOST_FAULTS]:
            click.echo(str(fault), err=True)
        n = len(refused.faults)
        click.echo(
            f"refused: {n} fault{'s' if n > 1 else ''}{f', {MOST_FAULTS} of them shown' if n > MOST_FAULTS else ''}",
            err=True,
        )
        sys.exit(REFUSED)
    except UnknownLabel as unknown:
        click.echo(str(unknown), err=True)
        sys.exit(REFUSED)
    except WrongUsage as idle:
        click.echo(str(idle), err=True)
        sys.exit(MISUSED)
    except ArithmeticError as broken:
        click.echo(str(broken), err=True)
        sys.exit(FAILED)
    except OSError as error:
        click.echo(f"{error.filename or ''}: {error.strerror or error}", err=True)
        sys.exit(REFUSED)
    except RuntimeError as error:
        from lm_xl.faults import EngineMissing

        if not isinstance(error, EngineMissing):
            raise
        click.echo(str(error), err=True)
        sys.exit(MISSING)
