"""The forecast: running it and asking it."""
