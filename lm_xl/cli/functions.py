"""The commands on the Excel functions: template, recalc, doctor, addin."""

from __future__ import annotations

import sys
from pathlib import Path

import click

import lm_xl
from lm_xl.cli import options
from lm_xl.cli.terminal import MISSING, fail, spinner


@click.command()
@click.argument("assumptions", type=options.FILE, required=False)
@click.option("--lite", is_flag=True, help="For xlwings Lite instead of Excel on Windows.")
@click.option(
    "-o",
    "--output",
    type=options.FILE,
    help="The workbook to write; lm_template.xlsm, or lm_template_lite.xlsx with --lite.",
)
@options.force()
def template(assumptions: Path | None, lite: bool, output: Path | None, force: bool) -> None:
    """Build the workbook whose numbers come from the Excel functions."""
    from lm_xl.functions.template.build import template as build_template

    output = output or Path("lm_template_lite.xlsx" if lite else "lm_template.xlsm")
    with spinner() as tell:
        tell("reading the assumptions")
        a = lm_xl.read_assumptions(assumptions)
        build_template(a, output, host="lite" if lite else "windows", force=force, progress=tell)
    stored = "functions evaluated without Excel and their values stored"
    click.echo(f"{output}: {stored}; assumptions {a.path.name} {a.fingerprint}")


@click.command()
@click.argument("file", type=options.FILE)
@click.option("-o", "--output", type=options.FILE, help="A new workbook instead of storing in place.")
@options.force()
def recalc(file: Path, output: Path | None, force: bool) -> None:
    """Evaluate a workbook with the functions, without Excel, and store its values in place.

    What is not computed as Excel does is left as it was. Ends with exit code 3 where a cell was left or shows an error, and names the cells.
    """
    from lm_xl.functions.headless import recalculate

    if output is None and force:
        raise click.UsageError("--force needs -o FILE")
    with spinner() as tell:
        tell("recalculating")
        done = recalculate(file, output, force=force)
    formulas = f"{done.functions:,} formulas with our functions and {done.others:,} others"
    click.echo(f"{output or file}: {formulas} evaluated and stored")
    told = [f"{file.name}, {cell}: left as it was: {why}" for cell, why in done.left.items()]
    told += [f"{file.name}, {cell}: {error}" for cell, error in done.errors.items()]
    if told:
        left = [f"{len(done.left):,} formulas were left as they were"] if done.left else []
        errors = [f"{len(done.errors):,} cells show an error; LM_WHY tells why"] if done.errors else []
        fail(told, "; ".join([*left, *errors]))


@click.command()
def doctor() -> None:
    """Say in words what Excel on Windows needs to run the functions and what is missing.

    Ends with exit code 4 where something is missing.
    """
    from lm_xl.functions.doctor import facts, findings

    found = findings(facts())
    click.echo("\n".join(map(str, found)))
    if any(finding.there is False for finding in found):
        sys.exit(MISSING)


@click.group()
def addin() -> None:
    """Set Excel on Windows up for the functions, or take that back; build the add-in for LibreOffice Calc."""


@addin.command()
@click.option(
    "--to", "folder", type=options.FILE, help="Copy the template here instead of to lm_xl in your local data."
)
@click.option(
    "--trust",
    is_flag=True,
    help="Have Excel trust the folder: macros of any workbook in it run without asking.",
)
@options.force("Replace the template if it is in the folder already.")
def install(folder: Path | None, trust: bool, force: bool) -> None:
    """Let Excel find this Python, for you alone, and copy the template: the environment variable LM_XL_PYTHON is set."""
    from lm_xl.assumptions.read import SHIPPED
    from lm_xl.functions.addin import TEMPLATE
    from lm_xl.functions.addin import install as set_up
    from lm_xl.functions.windows import windows_registry

    template = SHIPPED.with_name(TEMPLATE)
    done = set_up(windows_registry(), sys.executable, template, folder, trust=trust, force=force)
    click.echo("\n".join(done))


@addin.command()
def remove() -> None:
    """Take back what install set; copies of the template stay."""
    from lm_xl.functions.addin import remove as take_back
    from lm_xl.functions.windows import windows_registry

    click.echo("\n".join(take_back(windows_registry())))


@addin.command()
@click.option(
    "-o", "--output", type=options.FILE, default=Path("lm_xl.oxt"), help="The extension to write; lm_xl.oxt."
)
@options.force()
def build_oxt(output: Path, force: bool) -> None:
    """Build the add-in for LibreOffice Calc, which answers by this Python."""
    from lm_xl.functions.oxt.build import build_oxt as build

    build(output, force=force)
    click.echo(f"{output}: the functions for LibreOffice Calc, answered by {sys.executable}")
    click.echo(
        f"install it: unopkg add --force {output}, or open it in LibreOffice; then start LibreOffice again"
    )
