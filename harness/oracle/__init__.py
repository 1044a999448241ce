"""Judging: what was observed against what had to happen; pure functions only."""
