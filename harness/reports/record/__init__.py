"""The run record: making, reading, comparing and merging it."""
