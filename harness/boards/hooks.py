"""The lab's own commands that reset a board or switch its power: started without a shell, bounded in time and output.

Knows processes; nothing of boards.toml's other keys, of ports or of recovery.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Collection, Sequence

from harness.boards.line_log import printable
from harness.deadline import Deadline
from harness.errors import BoardError

KEPT_BYTES = 4096
SHOWN_CHARACTERS = 600
# A hook that has ended said all it had to say; what it left running may hold its output open for ever.
LAST_WORDS_S = 0.5


def run_hook(words: Sequence[str], *, name: str, board: str, deadline: Deadline, without: Collection[str] = ()) -> None:
    """Run one hook to its end.

    Args:
        words: the program and its arguments, complete.
        name: of the hook in boards.toml, for messages.
        board: the board's short name, for messages.
        without: variables of the environment that it does not get: what it prints is shown, and a password must not be.
        deadline: when it is over the hook is killed, with all that it started in its process group.

    Raises:
        BoardError: kind `hook`: it cannot be started, ended with another status than 0, or did not end; with its output.
    """
    said = f"{board}: the {name} hook {words[0]!r}"
    try:
        process = subprocess.Popen(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={key: value for key, value in os.environ.items() if key not in without},
        )
    except OSError as error:
        raise BoardError(f"{said} cannot be started ({error.strerror})", kind="hook") from error
    kept = bytearray()
    reader = threading.Thread(target=_keep_last, args=(process, kept), name=f"output of {words[0]}", daemon=True)
    reader.start()
    try:
        status = process.wait(deadline.remaining_s)
    except subprocess.TimeoutExpired as error:
        raise BoardError(
            f"{said} did not end within {deadline.timeout_s:.3g} s and was killed{_output(kept)}", kind="hook"
        ) from error
    finally:  # also when somebody presses Ctrl-C meanwhile
        if process.poll() is None:
            _kill(process)
            process.wait()
        reader.join(LAST_WORDS_S)
    if status != 0:
        raise BoardError(f"{said} ended with status {status}{_output(kept)}", kind="hook")


def _keep_last(process: subprocess.Popen[bytes], kept: bytearray) -> None:
    """Read what it prints to the end, keep the last of it."""
    if process.stdout is None:
        return
    with process.stdout as stream:
        while data := os.read(stream.fileno(), KEPT_BYTES):
            kept += data
            del kept[:-KEPT_BYTES]


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
