"""Servers that the harness does not run."""
