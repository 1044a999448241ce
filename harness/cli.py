"""The command line `tls-harness`: choose a command, print an error as one line, set the exit code. Nothing else.

Exit codes: 0 done, 1 a negative result, 2 a usage error (as argparse), 10 a board or harness fault, 130 Ctrl-C,
128 + n another signal.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import textwrap
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

from harness import __version__
from harness.commands import boards, cases, completion, diagnose, explain, files, report, simulate, virtual
from harness.errors import FAULT_EXIT_CODE, HarnessError, UsageError
from harness.system.near_names import did_you_mean

DONE = 0
NEGATIVE = 1
WRONG_USAGE = 2
CTRL_C = 128 + 2
PIPE_CLOSED = 128 + 13
HELP_WIDTH = 100

EPILOG = """\
pytest runs the tests:
  pytest                                 run the core cases on a virtual board
  pytest --board /dev/ttyUSB0            run them on a real board
  pytest --help                          list all options (group "TLS harness")

where to start:
  My server and my board can't connect:
    tls-harness diagnose --board u0 --cert cert.pem --key key.pem
  All I have is an error message:
    tls-harness explain NO_SHARED_CIPHER
  Which boards are connected, and what TLS features do they support?
    tls-harness boards --probe
  I have no board:
    tls-harness virtual                  starts a MicroPython board in software, for mpremote and other tools
    tls-harness simulate HOST:PORT       reports which MicroPython firmwares connect to a server
  What is tested, and why?
    tls-harness cases -v
  What changed between two runs?
    tls-harness report diff OLD/run.json NEW/run.json
  Does my server meet the TLS recommendations (RFC 9325)?
    tls-harness report check broker.example:8883

exit codes: 0 done, 1 negative result, 2 usage error, 10 board or harness fault, 130 Ctrl-C
"""


class _Parser(argparse.ArgumentParser):
    """argparse with usage errors on one line, and examples printed as written."""

    def __init__(self, *arguments: object, **settings: object) -> None:
        settings["formatter_class"] = argparse.RawDescriptionHelpFormatter
        settings["description"] = textwrap.fill(str(settings.get("description", "")), HELP_WIDTH)
        settings["allow_abbrev"] = False
        super().__init__(*arguments, **settings)  # type: ignore[arg-type] # passed on unchanged

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse as argparse does, but refuse an unknown option here, where the known ones are: the nearest one is named."""
        found, extra = super().parse_known_args(args, namespace)
        unknown = [word for word in extra if word.startswith("-")]
        if unknown:
            known = [word for word in self._option_string_actions if word.startswith("--")]
            self.error(f"unrecognized arguments: {' '.join(extra)}{did_you_mean(unknown[0].partition('=')[0], known)}")
        return found, extra

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Name the nearest of the accepted values."""
        if action.choices is not None and value not in action.choices:
            listed = ", ".join(map(str, action.choices))
            near = did_you_mean(value, map(str, action.choices))
            raise argparse.ArgumentError(action, f"invalid choice: {value!r}{near} (choose from {listed})")

    def error(self, message: str) -> NoReturn:
        """Exit with code 2 and one line; argparse itself would print the whole usage first."""
        self.exit(WRONG_USAGE, f"{self.prog}: {message} (see `{self.prog} --help`)\n")


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    result = _Parser(
        prog="tls-harness",
        description="Find out why a MicroPython board and a Python TLS server do not connect: diagnose your own server, "
        "explain error messages, find boards, list the test cases, compare test runs.",
        epilog=EPILOG,
    )
    result.add_argument("--version", action="version", version=f"tls-harness {__version__}")
    commands = result.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (virtual, boards, diagnose, simulate, explain, cases, files, report, completion):
        command.add(commands)
    result.set_defaults(whole_parser=result)  # what the command `completion` describes
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: without the program's name; None means those of the process.

    Returns:
        The exit code. argparse itself exits for `--help`, `--version` and usage errors.
    """
    options = parser().parse_args(arguments)
    # Roots of a PC's list have such numbers; `cryptography` warns in the middle of the output.
    warnings.filterwarnings("ignore", message="Parsed a serial number which wasn't positive")
    try:
        with _ending_signals():
            code = int(options.run(options))
            sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        return CTRL_C
    except BrokenPipeError:
        # `tls-harness cases | head`: the reader has closed the pipe. Python would report it again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except HarnessError as error:
        print(f"tls-harness: {_one_line(error)}", file=sys.stderr)
        return WRONG_USAGE if isinstance(error, UsageError) else FAULT_EXIT_CODE


def _one_line(error: HarnessError) -> str:
    return " ".join(str(error).split())


@contextmanager
def _ending_signals() -> Generator[None]:
    """Let SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that virtual boards and ports are closed.

    SIGINT is set, too: a shell starts a background job (`tls-harness virtual &`) with SIGINT ignored. An ignored SIGHUP stays
    ignored, for nohup.
    """

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        # A second signal must not interrupt the cleaning up.
        for name in handled:
            signal.signal(name, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    handled = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # not on Windows
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        handled.append(hangup)
    before = {name: signal.signal(name, end) for name in handled}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
