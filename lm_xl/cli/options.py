"""The options that commands share, the types of their values, and the records in which they travel together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from lm_xl.assumptions.columns import KEYS
from lm_xl.model.outputs import BASES, PATIENT_STAGES
from lm_xl.uncertainty.limits import DRAWS, MOST_DRAWS, SEED

FILE = click.Path(path_type=Path)

Command = Callable[..., None]
Decorator = Callable[[Command], Command]


class CommaList(click.ParamType[tuple[str, ...]]):
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


class Measured(NamedTuple):
    """What is measured: revenue in a basis, or patients of a stage."""

    metric: str
    stage: str
    basis: str
    scope: str | None


class Labels(NamedTuple):
    """The part of the market that is measured; None stands for all of it."""

    region: str | None
    segment: str | None
    subtype: str | None


class Place(NamedTuple):
    """Where it is measured, as far as that was said."""

    scenario: str | None
    year: int | None


class Output(NamedTuple):
    """The file to write, where there is one, and whether it may replace what is there."""

    path: Path | None
    force: bool


class Sample(NamedTuple):
    """The draws of a simulation."""

    draws: int
    seed: int


def together(name: str, record: Callable[..., object], *shown: Decorator) -> Decorator:
    """Options in the order of the help, of which those that the record names reach the command as one parameter."""
    fields = list(signature(record).parameters)

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_record(**given: Any) -> None:
            command(**{name: record(**{field: given.pop(field) for field in fields})}, **given)

        decorated: Command = with_record
        for option in reversed(shown):
            decorated = option(decorated)
        return decorated

    return decorate


metric = click.option(
    "--metric", type=click.Choice(["patients", "revenue"]), default="revenue", show_default=True
)
stage = click.option(
    "--stage",
    type=click.Choice(PATIENT_STAGES),
    default="diagnosed",
    show_default=True,
    help="Of the funnel, for patients.",
)


def basis(text: str = "For revenue, in USD.") -> Decorator:
    """The basis of revenue."""
    bases = click.Choice(list(BASES))
    return click.option("--basis", type=bases, default="risk_adjusted", show_default=True, help=text)


scope = click.option(
    "--scope",
    metavar="GROUP",
    help="A scope of Axes, for revenue; without it the headline, Therapeutics in the base case.",
)
"""What the market is taken to be."""


def dimensions(*names: str, default: str) -> Decorator:
    """The dimensions of a table."""
    text = "Dimensions, split by commas; the rest is summed."
    return click.option("--by", type=CommaList(*names), default=default, show_default=True, help=text)


def form(*forms: str) -> Decorator:
    """How the result is printed, by default in the first of the forms."""
    return click.option("--format", "form", type=click.Choice(forms), default=forms[0], show_default=True)


def force(text: str = "Replace the output if it exists.") -> Decorator:
    """Whether a file may be replaced."""
    return click.option("--force", is_flag=True, help=text)


def sample(draws: str, seed: str) -> Decorator:
    """How many draws, and which."""
    number = click.IntRange(1, MOST_DRAWS)
    return together(
        "sample",
        Sample,
        click.option("--draws", type=number, default=DRAWS, show_default=True, help=draws),
        click.option("--seed", type=click.IntRange(0), default=SEED, show_default=True, help=seed),
    )


def output(text: str) -> Decorator:
    """A file to write, without a default."""
    return together("output", Output, click.option("-o", "--output", "path", type=FILE, help=text), force())


def scenarios(text: str) -> Decorator:
    """One or several scenarios."""
    return click.option("--scenario", "scenarios", multiple=True, callback=each_scenario_once, help=text)


measured = together("measured", Measured, metric, stage, basis(), scope)
"""What is measured."""

labels = together(
    "labels",
    Labels,
    *(click.option(f"--{key}", metavar="LABEL", help=f"A {key} or a group; without it all.") for key in KEYS),
)
"""The part of the market that is measured."""


def each_scenario_once(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a scenario that is named twice."""
    from lm_xl.model.labels import folded

    if len(set(map(folded, names))) < len(names):
        raise click.BadParameter("give each scenario once", ctx, param)
    return names


def refuse_unused(why: str, *names: str) -> None:
    """Refuse options that were typed and have no effect."""
    ctx = click.get_current_context()
    typed = [
        p.opts[-1]
        for p in ctx.command.params
        if p.name in names and ctx.get_parameter_source(p.name) is ParameterSource.COMMANDLINE
    ]
    if typed:
        raise click.UsageError(f"{' and '.join(typed)}: {why}")


def refuse_other_metric(metric: str, by: Sequence[str] = ()) -> None:
    """Refuse a basis of patients, a stage of revenue, and patients by segment."""
    if metric == "patients":
        refuse_unused("patients have no basis: leave it out, or use --metric revenue", "basis")
        refuse_unused("patients have no scope: leave it out, or use --metric revenue", "scope")
    else:
        refuse_unused("revenue has no stage: leave it out, or use --metric patients", "stage")
    if metric == "patients" and "segment" in by:
        raise click.UsageError("patients have no segment: leave it out of --by, or use --metric revenue")
