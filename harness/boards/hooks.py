"""The lab's own commands that reset a board, switch its power or flash it, run without a shell and bounded in time and output.

Knows processes. Must not know ports or recovery.
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

#: The placeholders that an argument of a hook may contain, in braces; the last two are those of the flash hook only.
HOOK_PLACEHOLDERS = ("port", "board", "firmware", "file")
GUARD = Path(__file__).with_name("hook_guard.py")
KEPT_BYTES = 4096
SHOWN_CHARACTERS = 600
# The output of a hook that ended may stay open: programs that it left running can keep it open forever.
LAST_WORDS_S = 0.5
# Windows has no name for it, and there no process ends this way.
BY_SIGKILL = -9


def hook_arguments(hook: Iterable[str], **values: str) -> list[str]:
    """Replace `{port}`, `{board}` and the like in the arguments of a hook; everything else is unchanged.

    Args:
        hook: the arguments as boards.toml has them.
        values: by the name of the placeholder.
    """
    pattern = re.compile(rf"\{{({'|'.join(values)})\}}")
    return [pattern.sub(lambda found: values[found[1]], word) for word in hook]


def has_placeholder(hook: Iterable[str], name: str) -> bool:
    """Whether a hook has this placeholder."""
    return any(f"{{{name}}}" in word for word in hook)


def run_hook(
    words: Sequence[str], *, name: str, board: str, deadline: Deadline, strip_env: Collection[str] = ()
) -> None:
    """Run one hook to its end.

    Args:
        words: the program and its arguments, complete.
        name: of the hook in boards.toml, for messages.
        board: the board's short name, for messages.
        deadline: when it expires the hook is killed, with its whole process group.
        strip_env: environment variables that the hook does not get, such as passwords: its output is shown.

    If the harness is killed, so is the hook (`hook_guard.py`; not on Windows).

    Raises:
        BoardError: `hook`, with its output: it cannot be started, ended with a status other than 0, or did not end.
    """
    said = f"{board}: the {name} hook {words[0]!r}"
    try:
        process, start_error = _start(words, strip_env=strip_env)
    except OSError as error:
        raise BoardError(f"{said} cannot be started ({error.strerror})", kind=FaultKind.HOOK) from error
    kept = bytearray()
    try:
        with _last_words(process, kept, name=f"output of {words[0]}"):
            status = process.wait(deadline.remaining_s)
        failed = os.read(start_error, 16) if start_error >= 0 else b""
    except subprocess.TimeoutExpired as error:
        raise BoardError(
            f"{said} did not end within {deadline.timeout_s:.3g} s and was killed{_output(kept)}", kind=FaultKind.HOOK
        ) from error
    finally:
        if process.stdin is not None:
            process.stdin.close()
        if start_error >= 0:
            os.close(start_error)
    if failed.isdigit():
        raise BoardError(f"{said} cannot be started ({os.strerror(int(failed))})", kind=FaultKind.HOOK)
    if status != 0:
        raise BoardError(f"{said} ended with status {status}{_output(kept)}", kind=FaultKind.HOOK)


def _start(words: Sequence[str], *, strip_env: Collection[str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start the guard with the hook.

    Returns:
        The process, and the descriptor to which the guard writes errno if the hook cannot be started (-1: there is none).
    """
    environment = {key: value for key, value in os.environ.items() if key not in strip_env}
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
    """Keep the end of the hook's output. On leaving, kill the hook if it still runs (Ctrl-C) and stop reading."""
    over, end = os.pipe()
    reader = threading.Thread(target=_keep_last, args=(process, kept, over), name=name, daemon=True)
    reader.start()
    try:
        yield
    finally:
        # A guard that was killed leaves its hook running; after any other end of the guard the hook has ended, too.
        if process.poll() in (None, BY_SIGKILL):
            _kill(process)
            process.wait()
        reader.join(LAST_WORDS_S)
        os.close(end)
        if os.name != "nt":  # on Windows the reader waits for the last program that holds the output
            reader.join()
            os.close(over)


def _keep_last(process: subprocess.Popen[bytes], kept: bytearray, over: int) -> None:
    """Read the output to its end, or until the other end of `over` is closed; keep the last bytes."""
    if process.stdout is None:
        return
    with process.stdout as stream:
        while _is_readable(stream.fileno(), over) and (data := os.read(stream.fileno(), KEPT_BYTES)):
            kept += data
            del kept[:-KEPT_BYTES]


def _is_readable(output: int, over: int) -> bool:
    return os.name == "nt" or over not in select.select([output, over], [], [])[0]


def _kill(process: subprocess.Popen[bytes]) -> None:
    if os.name == "nt":
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it has ended meanwhile


def _output(kept: bytearray) -> str:
    text = " | ".join(
        line.strip() for line in printable(bytes(kept), limit=SHOWN_CHARACTERS).splitlines() if line.strip()
    )
    return f"; it printed: {text}" if text else "; it printed nothing"
