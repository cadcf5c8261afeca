"""The Excel functions: one registry, and a thin adapter for each host that calls it."""
