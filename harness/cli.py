"""The command line `tls-harness`: arguments to commands, errors to one line and an exit code. Decides nothing else.

Exit codes: 0 done, 1 a negative answer, 2 wrong usage (as argparse), 3 a fault of a board or of the harness, 130 Ctrl-C,
128 + n another signal.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from harness import __version__
from harness.commands import boards, cases, diagnose, explain, report, virtual
from harness.errors import HarnessError, UsageError

DONE = 0
NEGATIVE = 1
WRONG_USAGE = 2
FAULT = 3
CTRL_C = 128 + 2
PIPE_CLOSED = 128 + 13

EPILOG = """\
The tests themselves are run by pytest:
  pytest                                 the core cases on a virtual board
  pytest --board /dev/ttyUSB0            the same on a real one
  pytest --help                          all options (group tls-harness)

examples:
  tls-harness boards --probe             what is connected, and what it offers
  tls-harness virtual                    a MicroPython board without hardware, for mpremote and others
  tls-harness diagnose --board u0 --cert cert.pem --key key.pem
                                         why my server and my board do not connect, and what was proved to help
  tls-harness explain NO_SHARED_CIPHER   what an error text may mean
  tls-harness cases -v                   what is tested, and why
  tls-harness report diff OLD NEW        what changed between two runs

exit codes: 0 done, 1 negative answer, 2 wrong usage, 3 fault of a board or of the harness, 130 Ctrl-C
"""


class _Parser(argparse.ArgumentParser):
    """argparse with its usage errors on one line, and examples printed as written."""

    def __init__(self, *arguments: object, **settings: object) -> None:
        settings["formatter_class"] = argparse.RawDescriptionHelpFormatter
        settings["allow_abbrev"] = False
        super().__init__(*arguments, **settings)  # type: ignore[arg-type] # passed on as they came

    def error(self, message: str) -> NoReturn:
        """End with exit code 2 and one line; argparse itself would print the whole usage above it."""
        self.exit(WRONG_USAGE, f"{self.prog}: {message} (`{self.prog} --help` explains)\n")


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    result = _Parser(
        prog="tls-harness",
        description="Tools around the TLS harness for MicroPython boards: "
        "find boards, start virtual ones, list the cases, explain errors, compare runs.",
        epilog=EPILOG,
    )
    result.add_argument("--version", action="version", version=f"tls-harness {__version__}")
    commands = result.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (virtual, boards, diagnose, explain, cases, report):
        command.add(commands)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: without the program's name; None takes the process's own.

    Returns:
        The exit code. argparse itself exits for `--help`, `--version` and wrong usage.
    """
    options = parser().parse_args(arguments)
    try:
        with _ending_signals():
            code = int(options.run(options))
            sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        return CTRL_C
    except BrokenPipeError:
        # `tls-harness cases | head`: nobody reads any more. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except HarnessError as error:
        print(f"tls-harness: {_one_line(error)}", file=sys.stderr)
        return WRONG_USAGE if isinstance(error, UsageError) else FAULT


def _one_line(error: HarnessError) -> str:
    return " ".join(str(error).split())


@contextmanager
def _ending_signals() -> Generator[None]:
    """Let SIGTERM and SIGHUP unwind the stack as Ctrl-C does: a virtual board and a port have to be cleaned up after.

    SIGINT is set, too: a shell starts a background job (`tls-harness virtual &`) with it ignored. An ignored SIGHUP stays so: nohup.
    """

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        # One is enough: a second must not break into the cleaning up.
        for name in wanted:
            signal.signal(name, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    wanted = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        wanted.append(hangup)
    before = {name: signal.signal(name, end) for name in wanted}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
