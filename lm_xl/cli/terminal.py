"""What a command says beside its result: what goes on, what failed, and the exit code that it ends with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import click

from lm_xl.faults import EngineMissing, Refused, UnknownLabel, WrongUsage

REFUSED, MISUSED, FAILED, MISSING, INTERRUPTED, TERMINATED = 1, 2, 3, 4, 130, 143
MOST_FAULTS = 200
"""Lines of faults that are printed."""


EXIT_CODES: dict[type[Exception], int] = {
    Refused: REFUSED,
    UnknownLabel: REFUSED,
    WrongUsage: MISUSED,
    ArithmeticError: FAILED,
    OSError: REFUSED,
    EngineMissing: MISSING,
}
"""The errors that a user can meet, and the exit code of each; any other is a fault of the program itself."""


def exit_code(error: Exception) -> int:
    """The exit code of an error that a user can meet."""
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


def verdict_on(error: Exception) -> str:
    """The last line of what is said of an error that a user can meet."""
    if isinstance(error, Refused):
        count = len(error.faults)
        return f"refused: {count} fault{'s' if count > 1 else ''}{if_not_all(count)}"
    if isinstance(error, OSError):
        return f"{error.filename or ''}: {error.strerror or error}"
    return str(error)


def if_not_all(count: int) -> str:
    """What a verdict adds where the faults are too many to be printed."""
    return f", {MOST_FAULTS} of them shown" if count > MOST_FAULTS else ""


def fail(faults: Sequence[object], verdict: str, code: int = FAILED) -> NoReturn:
    """Print faults, a line each, and a verdict beside the result, and end with an exit code."""
    for line in (*faults[:MOST_FAULTS], verdict):
        click.echo(str(line), err=True)
    sys.exit(code)


@contextmanager
def spinner() -> Iterator[Callable[[str], None]]:
    """Tell what is going on, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda text: status.update(f"{text} ...")


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Tell how much is done, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title)
        yield lambda done, of: bar.update(task, completed=done, total=of)
