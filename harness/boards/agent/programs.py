"""Run programs on the board: one of the user's as it is printed, or one that people use (requests) instead of the agent's session.

Knows the call of device_scripts/play.py and its answer, and which scripts a `BoardProgram` needs. Must not know what a program does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from harness.boards.agent.blobs import BlobStore
from harness.boards.agent.console import Console
from harness.boards.agent.modules import LIBRARY, place_modules
from harness.boards.agent.protocol import blob_name, check_literal, literal, read_objects
from harness.model import PROGRAMS, BoardInfo
from harness.system.deadline import Deadline

_TEXT_LIMIT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a program printed, and the exception that ended it: empty `type` if it ran to its end."""

    number: int | None
    damaged: bool = False
    said: str = ""
    type: str = ""
    args: tuple[int | str | None, ...] = ()

    @property
    def error(self) -> str:
        """The exception in one line; empty if there was none."""
        return f"{self.type}: {', '.join(map(str, self.args))}".rstrip(": ") if self.type else ""


def play(
    console: Console,
    blobs: BlobStore,
    text: str,
    *,
    files: Mapping[str, bytes],
    heap_free_bytes: int | None,
    deadline: Deadline,
) -> Played:
    """Run a program and return what it printed.

    Args:
        console: the board, with the agent loaded.
        blobs: what it holds.
        text: the program.
        files: what its open() finds, by the names that it uses.
        heap_free_bytes: of the board after its start; None if not known.
        deadline: for all of it.

    Raises:
        BoardError: the line failed, or the agent did.
    """
    console.load("play", "load the script that runs a program")
    program = text.encode()
    names = {name: blob_name(data) for name, data in files.items()}
    held = {blob_name(data): data for data in (*files.values(), program)}
    blobs.provide(held, heap_free_bytes=heap_free_bytes, deadline=deadline)
    return console.ask(
        lambda number: play_code(blob_name(program), names, number=number, kind=console.check_kind),
        read=read_played,
        what="run a program",
        deadline=deadline,
    )


class ProgramLoader:
    """Loads what runs `PROGRAMS` on one board, after it has placed the user's modules there.

    `modules` is what the programs may need: content by path.

    Args:
        console: the board.
    """

    def __init__(self, console: Console) -> None:
        self.modules: Mapping[str, bytes] = {}
        self._console = console
        self._missing: str | None = None
        self._tried = False

    def load(self, name: str, info: BoardInfo) -> str | None:
        """Load what runs a program; it removes itself after its run, so that the next case has the memory.

        Args:
            name: a key of `PROGRAMS`.
            info: what was probed of the board.

        Returns:
            Why the modules are not on the board; None if they are, or if there are none.

        Raises:
            BoardError: it cannot be loaded, a file of the user is in the way, or the line failed.
        """
        if self.modules and not self._tried:
            self._missing = place_modules(
                self._console, self.modules, filesystem=info.filesystem, is_usb_drive=info.is_usb_drive
            )
            self._tried = True
        self._console.load("app", "load the script that runs a program")
        self._console.load(PROGRAMS[name].script, f"load the script that uses {PROGRAMS[name].module}")
        if self.modules and self._missing is None:
            self._console.must(f"th_app_path={LIBRARY!r}", "choose where modules are")
        return None if self._missing is None else f"the modules of --board-path are not on the board: {self._missing}"


def play_code(program: str, files: Mapping[str, str], *, number: int, kind: str) -> str:
    """Return the call that runs a stored program.

    Args:
        program: the name of its blob.
        files: file name -> name of the blob.
        number: of this exec within the session.
        kind: of checksums, as the board chose it.
    """
    words = {"n": number, "program": program, "files": dict(files)}
    text = json.dumps(words, ensure_ascii=True, separators=(",", ":"))
    return f"th_play({literal(text)},{check_literal(text, kind=kind)})"


def read_played(console: bytes) -> Played | None:
    """Read the answer to `play_code`; None if there is none.

    Raises:
        ValueError: the answer is not in the script's format.
    """
    objects = read_objects(console)
    if not objects:
        return None
    value = objects[-1]
    said, kind, args = value.get("said", ""), value.get("type", ""), value.get("args", [])
    number = value.get("n")
    if value.get("kind") == "damaged":
        return Played(number=None, damaged=True)
    if value.get("kind") != "played" or not isinstance(number, int) or not isinstance(args, list) or len(args) > 3:
        raise ValueError("the board's answer about a program has an invalid format")
    if not all(isinstance(text, str) and len(text) <= _TEXT_LIMIT for text in (said, kind)):
        raise ValueError("the board's answer about a program is too long")
    return Played(
        number=number,
        said=said,
        type=kind,
        args=tuple(item if item is None or isinstance(item, int) else str(item)[:_TEXT_LIMIT] for item in args),
    )
