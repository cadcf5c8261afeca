"""The command `lm-xl`. Exit codes: 0 done; 1 an input was refused; 2 wrong usage; 3 a check failed; 4 something is not installed;
130 interrupted; 143 terminated."""

from __future__ import annotations

import signal
import sys
from typing import Any, NoReturn

import click

from lm_xl.cli import forecasts, functions, uncertainty, workbooks
from lm_xl.cli.terminal import EXIT_CODES, INTERRUPTED, TERMINATED, exit_code, fail, verdict_on
from lm_xl.faults import Refused
from lm_xl.version import __version__

COMMANDS = (
    workbooks.build, workbooks.verify, workbooks.check, workbooks.audit, workbooks.new, workbooks.textconv,
    forecasts.forecast, forecasts.products, forecasts.data, forecasts.compare, forecasts.bridge, forecasts.tornado, forecasts.diff,
    uncertainty.simulate,
    functions.template, functions.recalc, functions.doctor, functions.addin,
)  # fmt: skip


class Terminated(KeyboardInterrupt):
    """The process was asked to end."""


class Interruptible(click.Group):
    """Commands that clean up and say so when they are stopped."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            click.echo("".join(["interrupted", *stop.args]), err=True)
            sys.exit(TERMINATED if isinstance(stop, Terminated) else INTERRUPTED)


@click.group(cls=Interruptible, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lm-xl")
def cli() -> None:
    """A market model for leptomeningeal metastases that lives in Excel and in Python at once.

    Without ASSUMPTIONS, a command takes the shipped base case. Exit codes: 0 done; 1 an input was refused;
    2 wrong usage; 3 a check failed; 4 something is not installed; 130 interrupted; 143 terminated.
    """


def main() -> None:
    """Run the command; every refusal ends in one line a fault and an exit code, never in a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        cli()
    except tuple(EXIT_CODES) as error:
        faults = error.faults if isinstance(error, Refused) else ()
        fail(faults, verdict_on(error), exit_code(error))


def _terminate(*_: object) -> NoReturn:
    raise Terminated
