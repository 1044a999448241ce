"""The serial line: ports, raw REPL, transcript, symptoms."""
