"""The lab's own commands that reset a board or switch its power: started without a shell, bounded in time and output.

Knows processes; nothing of boards.toml's other keys, of ports or of recovery.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.boards.serial.transcript import printable
from harness.errors import BoardError, FaultKind
from harness.system.deadline import Deadline

#: What may be filled into a word of a hook, in braces.
HOOK_PLACEHOLDERS = ("port", "board")
GUARD = Path(__file__).with_name("hook_guard.py")
KEPT_BYTES = 4096
SHOWN_CHARACTERS = 600
# A hook that has ended said all it had to say; what it left running may hold its output open for ever.
LAST_WORDS_S = 0.5
# Windows has no word for it, and no process ends so there.
BY_SIGKILL = -9


def hook_arguments(hook: Iterable[str], *, port: str, board: str) -> list[str]:
    """Fill `{port}` and `{board}` into the words of a hook; everything else stays."""
    values = {"port": port, "board": board}
    return [re.sub(r"\{(port|board)\}", lambda found: values[found[1]], word) for word in hook]


def run_hook(words: Sequence[str], *, name: str, board: str, deadline: Deadline, without: Collection[str] = ()) -> None:
    """Run one hook to its end.

    Args:
        words: the program and its arguments, complete.
        name: of the hook in boards.toml, for messages.
        board: the board's short name, for messages.
        without: variables of the environment that it does not get: what it prints is shown, and a password must not be.
        deadline: when it is over the hook is killed, with all that it started in its process group.

    Where the harness itself is killed the hook is, too (`hook_guard.py`; not on Windows).

    Raises:
        BoardError: kind `hook`: it cannot be started, ended with another status than 0, or did not end; with its output.
    """
    said = f"{board}: the {name} hook {words[0]!r}"
    try:
        process, told = _start(words, without=without)
    except OSError as error:
        raise BoardError(f"{said} cannot be started ({error.strerror})", kind=FaultKind.HOOK) from error
    kept = bytearray()
    try:
        with _last_words(process, kept, name=f"output of {words[0]}"):
            status = process.wait(deadline.remaining_s)
        failed = os.read(told, 16) if told >= 0 else b""
    except subprocess.TimeoutExpired as error:
        raise BoardError(
            f"{said} did not end within {deadline.timeout_s:.3g} s and was killed{_output(kept)}", kind=FaultKind.HOOK
        ) from error
    finally:
        if process.stdin is not None:
            process.stdin.close()
        if told >= 0:
            os.close(told)
    if failed.isdigit():
        raise BoardError(f"{said} cannot be started ({os.strerror(int(failed))})", kind=FaultKind.HOOK)
    if status != 0:
        raise BoardError(f"{said} ended with status {status}{_output(kept)}", kind=FaultKind.HOOK)


def _start(words: Sequence[str], *, without: Collection[str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start the guard with the hook: the process, and where the guard says why the hook could not be started (-1: nowhere)."""
    environment = {key: value for key, value in os.environ.items() if key not in without}
    if os.name == "nt":
        process = subprocess.Popen(
            list(words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
        )
        return process, -1
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD), str(writing), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[writing],
            env=environment,
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    return process, reading


@contextmanager
def _last_words(process: subprocess.Popen[bytes], kept: bytearray, *, name: str) -> Generator[None]:
    """Keep the last of what the hook prints meanwhile. At the end it is killed if it still runs (Ctrl-C), and nothing read any more."""
    over, end = os.pipe()
    reader = threading.Thread(target=_keep_last, args=(process, kept, over), name=name, daemon=True)
    reader.start()
    try:
        yield
    finally:
        # A guard that was killed leaves its hook behind; after any other end the hook has ended, too.
        if process.poll() in (None, BY_SIGKILL):
            _kill(process)
            process.wait()
        reader.join(LAST_WORDS_S)
        os.close(end)
        if os.name != "nt":  # there a reader waits until the last program that holds the output has ended
            reader.join()
            os.close(over)


def _keep_last(process: subprocess.Popen[bytes], kept: bytearray, over: int) -> None:
    """Read what it prints to the end, or until the other end of `over` is closed; keep the last of it."""
    if process.stdout is None:
        return
    with process.stdout as stream:
        while _goes_on(stream.fileno(), over) and (data := os.read(stream.fileno(), KEPT_BYTES)):
            kept += data
            del kept[:-KEPT_BYTES]


def _goes_on(output: int, over: int) -> bool:
    return os.name == "nt" or over not in select.select([output, over], [], [])[0]


def _kill(process: subprocess.Popen[bytes]) -> None:
    if os.name == "nt":
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it ended since we looked


def _output(kept: bytearray) -> str:
    text = " | ".join(
        line.strip() for line in printable(bytes(kept), limit=SHOWN_CHARACTERS).splitlines() if line.strip()
    )
    return f"; it printed: {text}" if text else "; it printed nothing"
