"""The command on uncertainty: simulate."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

import lm_xl
from lm_xl.cli import options, show
from lm_xl.cli.terminal import progress_bar
from lm_xl.faults import EngineMissing, Fault
from lm_xl.files import must_end, not_over, replacing

if TYPE_CHECKING:
    from concurrent.futures import Executor


class Machines(NamedTuple):
    """Where draws are made."""

    workers: int
    scheduler: str | None


@click.command()
@click.argument("file", type=options.FILE, required=False)
@options.sample("How many draws.", "The same seed gives the same draws.")
@options.scenarios("One or several scenarios, with the same draws; without it the default.")
@options.scope
@click.option(
    "--stop-at",
    type=options.Percent(),
    metavar="PERCENT",
    help="Stop when mean, P10 and P90 of the last year's total are known to this, such as 1%.",
)
@options.output(
    "Write the result to a .npz file, which lm_xl.load_simulation reads, or its table to a .csv file."
)
@options.together(
    "machines",
    Machines,
    click.option(
        "--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes on this machine."
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Draw on a Dask cluster instead, such as tcp://10.0.0.1:8786; needs lm-xl[dask].",
    ),
)
def simulate(
    file: Path | None,
    sample: options.Sample,
    scenarios: tuple[str, ...],
    scope: str | None,
    stop_at: float | None,
    output: options.Output,
    machines: Machines,
) -> None:
    """Monte Carlo over every uncertain assumption: means, percentiles, and what the variance comes from.

    With -o, an interrupted run keeps its draws in a folder beside the output, and the same command goes on from there.
    """
    if output.path is None:
        options.refuse_unused("it needs -o FILE", "force")
    else:
        must_end(output.path, ".npz", ".csv")
    if machines.scheduler is not None:
        options.refuse_unused("the cluster of --scheduler has its own", "workers")
    a = lm_xl.read_assumptions(file, ends=True)
    result = simulation_into(output, a, sample, scenarios, scope, stop_at, machines)
    click.echo(show.simulation(result), nl=False)
    if not result.reached:
        more = f"give more than {sample.draws:,} --draws"
        click.echo(f"the error asked for was not reached: {more}", err=True)
    if output.path is not None:
        click.echo(f"{output.path}: written")


def simulation_into(
    output: options.Output,
    a: lm_xl.Assumptions,
    sample: options.Sample,
    scenarios: tuple[str, ...],
    scope: str | None,
    stop_at: float | None,
    machines: Machines,
) -> lm_xl.Simulation:
    """Simulate, and write the result where a file is given. Draws of an interrupted run stay in a folder beside it."""
    draft_of_output: AbstractContextManager[Path | None] = nullcontext()
    store = None
    if output.path is not None:
        not_over(a.path, output.path)
        draft_of_output = replacing(output.path, force=output.force)
        store = output.path.with_name(output.path.name + ".draws")
    with draft_of_output as draft, telling_of_kept_draws(store):
        with executor_on(machines) as executor, progress_bar("drawing") as progress:
            result = lm_xl.simulate(
                a,
                **sample._asdict(),
                scenarios=scenarios or None,
                scope=scope,
                executor=executor,
                stop_at=stop_at,
                store=store,
                progress=progress,
            )
        if draft is not None:
            write_simulation(result, draft)
    return result


def write_simulation(result: lm_xl.Simulation, path: Path) -> None:
    """Write all of a simulation to a .npz file, or its table to a .csv file."""
    if path.suffix.lower() == ".npz":
        result.save(path, force=True)
    else:
        path.write_text(show.frame(result.frame(), "csv"), encoding="utf-8")


@contextmanager
def telling_of_kept_draws(store: Path | None) -> Iterator[None]:
    """Have an interruption say where the draws are that were made."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if store is not None and store.exists():
            stop.args = (f"; {store} keeps the draws, the same command goes on from there",)
        raise


@contextmanager
def executor_on(machines: Machines) -> Iterator[Executor | Callable[[], Executor] | None]:
    """What makes the draws: this process, processes that are replaced when they die, or a Dask cluster.

    Raises EngineMissing without Dask, Refused where no scheduler answers.
    """
    if machines.scheduler is not None:
        with _dask_executor(machines.scheduler) as executor:
            yield executor
    elif machines.workers == 1:
        yield None
    else:
        from concurrent.futures import ProcessPoolExecutor

        yield lambda: ProcessPoolExecutor(machines.workers, initializer=leave_interrupts_to_the_parent)


@contextmanager
def _dask_executor(scheduler: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError:
        raise EngineMissing('a Dask cluster needs Dask: pip install "lm-xl[dask]"') from None
    try:
        client = Client(scheduler)
    except (OSError, ValueError) as error:
        fault = Fault(scheduler, "", "", f"no Dask scheduler answers there ({error})")
        raise lm_xl.Refused([fault]) from None
    with client:
        yield client.get_executor()


def leave_interrupts_to_the_parent() -> None:
    """A worker leaves an interrupt to the process that started it, and ends when it is asked to."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
