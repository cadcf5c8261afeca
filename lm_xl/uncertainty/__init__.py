"""Uncertain inputs, draws and what they come to."""
