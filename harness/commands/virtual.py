"""`tls-harness virtual`: a virtual board for other tools, kept until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import re
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.boards.virtual.board import VirtualBoard
    from harness.boards.virtual.faulty import FaultyBoard
    from harness.commands import Commands

EXAMPLE = """\
example, in two terminals:
  $ tls-harness virtual --heap 256K
  /dev/pts/7
  $ mpremote connect /dev/pts/7 exec "import os; print(os.uname())"

Only the port's name goes to standard output, so a script can read it:
  tls-harness virtual > port &
"""
_SIZES = {"": 1, "k": 1024, "m": 1024 * 1024}


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "virtual",
        help="start a virtual board and keep it running until Ctrl-C",
        description="Start a virtual board: a real MicroPython interpreter behind a virtual serial port, for mpremote and other tools. "
        "Print the port and keep the board running until Ctrl-C (exit code 130) or SIGTERM (143).",
        epilog=EXAMPLE,
    )
    parser.add_argument(
        "spec",
        nargs="?",
        default="unix",
        metavar="SPEC",
        help="unix, unix:/path/to/micropython, or faulty:NAME for a board with a simulated fault "
        "(any unknown NAME lists the available ones). Default: unix "
        "($MICROPYTHON, the packaged interpreter or `micropython` on PATH)",
    )
    parser.add_argument(
        "--heap",
        metavar="SIZE",
        type=heap_size,
        default=None,
        help="heap in bytes, e.g. 65536, 64K or 2M (default: 512K)",
    )
    parser.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        default=None,
        help="directory to use as the board's filesystem; created if missing, not deleted at the end "
        "(default: a private one, deleted at the end)",
    )
    parser.set_defaults(run=run)


def heap_size(text: str) -> int:
    """Read `65536`, `64K` or `2M` as bytes.

    Raises:
        ArgumentTypeError: for anything else.
    """
    found = re.fullmatch(r"([1-9]\d*)([kKmM]?)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"invalid size {text!r}: expected bytes, e.g. 65536, 64K or 2M")
    return int(found[1]) * _SIZES[found[2].lower()]


def run(options: argparse.Namespace) -> int:
    """Start the board, print its port, and wait for a signal to end (which `harness.cli` turns into the exit code).

    Raises:
        UsageError: for a spec of another kind, or a directory that cannot be used.
        BoardError: this machine has no pseudo-terminals, or the interpreter does not start.
    """
    from harness.boards.spec import parse_board

    spec = parse_board(options.spec, {}, source="virtual")
    if spec.kind == "faulty":
        return _keep(*_faulty(spec.target, options))
    if spec.kind != "unix":
        raise UsageError(
            f"virtual {options.spec!r}: not a virtual board; expected unix, unix:/path/to/micropython or faulty:NAME"
        )
    return _keep(*_whole(spec.target, options))


def _whole(path: str, options: argparse.Namespace) -> tuple[VirtualBoard, str]:
    from harness.boards.virtual.interpreter import find_interpreter

    interpreter = find_interpreter(path)
    folder = _folder(options.folder)

    from harness.boards.virtual.board import VirtualBoard

    board = VirtualBoard(interpreter, heap_bytes=options.heap, folder=folder)
    return board, f"virtual board: {interpreter.name}, files in {board.folder}"


def _faulty(name: str, options: argparse.Namespace) -> tuple[FaultyBoard, str]:
    from harness.boards.virtual.boot_code import STRIKES_AT
    from harness.boards.virtual.faults import FAULTS, POWER_WORD, RESET_WORD
    from harness.boards.virtual.interpreter import find_interpreter

    fault = FAULTS[name]
    if options.folder is not None:
        raise UsageError(f"--folder {options.folder}: a faulty board has its own files; omit the option")
    interpreter = find_interpreter("")

    from harness.boards.virtual.faulty import FaultyBoard

    board = FaultyBoard(fault, interpreter, heap_bytes=options.heap)
    when = f"from its connection {STRIKES_AT} on" if fault.in_the_middle else "from the start"
    hooks = (
        f"printf '{word.decode().replace(chr(0), chr(92) + '0')}' > {board.port}" for word in (RESET_WORD, POWER_WORD)
    )
    reset, power = hooks
    return (
        board,
        f"faulty board {name}, {when}: {fault.does}\nits reset hook: {reset}\nits power_cycle hook: {power}\n{interpreter.name}",
    )


def _keep(board: VirtualBoard | FaultyBoard, described: str) -> int:
    try:
        print(board.port, flush=True)
        print(
            f"{described}; Ctrl-C ends it\ntry: mpremote connect {board.port} exec \"print('hello')\"",
            file=sys.stderr,
            flush=True,
        )
        wait_for_signal()
    finally:
        board.close()
    return 0


def _folder(path: Path | None) -> Path | None:
    if path is None:
        return None
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"--folder {path}: cannot be used as a directory ({error.strerror})") from error
    return path.resolve()


def wait_for_signal() -> None:
    """Wait until the handler of a signal raises.

    `signal.pause()` goes on sleeping if the signal reaches another thread (the board's bridge); the wake-up descriptor is written
    for every thread, and the handler then runs here.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        while True:
            select.select([reading], [], [])
            os.read(reading, 64)
    finally:
        signal.set_wakeup_fd(before)
        os.close(reading)
        os.close(writing)
