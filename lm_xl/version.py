"""The engine's version, as the package states it."""

__version__ = "0.1.0"
