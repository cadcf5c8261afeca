"""The command line."""

from lm_xl.cli.app import cli, main

__all__ = ["cli", "main"]
