"""Virtual boards: a MicroPython interpreter behind a pseudo-terminal, and its faulty variants."""
