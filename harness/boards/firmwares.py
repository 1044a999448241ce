"""The values of `--firmware`: which firmware each board of a run gets, one after the other.

Knows virtual boards, whose firmware is their interpreter, and the `flash` hook of all others. Flashes nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from harness.boards.hooks import HOOK_PLACEHOLDERS, has_placeholder
from harness.boards.kinds import BOARD_KINDS
from harness.boards.spec import parse_spec
from harness.boards.virtual.virtual_kinds import FAULTY, UNIX
from harness.errors import UsageError
from harness.model import BoardSpec, FirmwareChoice

EXPECTED = "VERSION, VERSION=FILE for the board's flash hook, or VERSION=unix:PATH for virtual boards, e.g. 1.28.0"
_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,3})?(-[a-z0-9]+)?")


def parse_firmwares(texts: Iterable[str], *, folder: Path) -> tuple[tuple[FirmwareChoice, BoardSpec | None], ...]:
    """Return the values of `--firmware`, each with the virtual board that it names instead of a file.

    Args:
        texts: the values, in the order in which the boards get them.
        folder: where pytest was started: relative paths start there.

    Raises:
        UsageError: naming the value and what is accepted.
    """
    found: list[tuple[FirmwareChoice, BoardSpec | None]] = []
    for text in texts:
        one = _parsed(text, folder=folder)
        for other, virtual in found:
            same = other.probed == one[0].probed
            if same and (virtual is None) == (one[1] is None):
                raise UsageError(
                    f"--firmware {text!r}: the same version as {other.text!r}; each firmware may be given only once"
                )
        found.append(one)
    return tuple(found)


def _parsed(text: str, *, folder: Path) -> tuple[FirmwareChoice, BoardSpec | None]:
    version, equals, value = text.partition("=")
    if not _VERSION.fullmatch(version) or (equals and not value):
        raise UsageError(f"--firmware {text!r}: expected {EXPECTED}")
    virtual = parse_spec(value, source=f"--firmware {text!r}:") if value else None
    if virtual is not None and BOARD_KINDS[virtual.kind].is_virtual:
        path = virtual.target
        if virtual.kind == UNIX.name and path:
            virtual = replace(virtual, target=str(folder / Path(path).expanduser()))
            _check_program(virtual.target, text=text)
        return FirmwareChoice(text=text, version=version), virtual
    if not value:
        return FirmwareChoice(text=text, version=version), None
    file = folder / Path(value).expanduser()
    if not file.is_file() or not os.access(file, os.R_OK):
        raise UsageError(f"--firmware {text!r}: no readable file {value!r}; expected {EXPECTED}")
    return FirmwareChoice(text=text, version=version, file=str(file)), None


def _check_program(path: str, *, text: str) -> None:
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise UsageError(
            f"--firmware {text!r}: no executable program {path!r}; expected the path of a MicroPython unix-port interpreter"
        )


def with_firmwares(
    boards: Iterable[BoardSpec], firmwares: Sequence[tuple[FirmwareChoice, BoardSpec | None]]
) -> tuple[BoardSpec, ...]:
    """Return each board once with each firmware that it can get; unchanged without `--firmware`.

    A virtual interpreter is for virtual boards, anything else for boards with a `flash` hook.

    Args:
        boards: of the run.
        firmwares: from `parse_firmwares`.

    Raises:
        UsageError: a board can get none of them, or a firmware is for no board.
    """
    boards = tuple(boards)
    if not firmwares:
        return boards
    made = []
    used: set[str] = set()
    for board in boards:
        own = [pair for pair in firmwares if _fits(board, pair[1])]
        if not own:
            raise UsageError(_no_way(board, firmwares[0][0]))
        used |= {choice.text for choice, _ in own}
        made += [_one(board, choice, virtual) for choice, virtual in own]
    for choice, virtual in firmwares:
        if choice.text not in used:
            kind = "virtual board" if virtual is not None else "board with a flash hook in boards.toml"
            raise UsageError(f"--firmware {choice.text!r}: this run has no {kind}; expected {EXPECTED}")
    return tuple(made)


def _fits(board: BoardSpec, virtual: BoardSpec | None) -> bool:
    return BOARD_KINDS[board.kind].is_virtual if virtual is not None else bool(board.settings.flash)


def _no_way(board: BoardSpec, choice: FirmwareChoice) -> str:
    if BOARD_KINDS[board.kind].is_virtual:
        return (
            f"--firmware {choice.text!r}: board {board.label} is a virtual board without a flash hook; "
            f"expected {choice.version}=unix:/path/to/micropython"
        )
    names = ", ".join(f"{{{name}}}" for name in HOOK_PLACEHOLDERS)
    return (
        f"--firmware {choice.text!r}: board {board.label} has no flash hook; expected a line flash = [...] in boards.toml: "
        f"the command that flashes it, with {names}"
    )


def _one(board: BoardSpec, choice: FirmwareChoice, virtual: BoardSpec | None) -> BoardSpec:
    label = f"{board.label}@{choice.version}"
    if virtual is None:
        _check_file(board, choice)
        return replace(board, label=label, firmware=choice)
    settings = replace(board.settings, flash=())
    board = replace(board, label=label, firmware=choice, settings=settings)
    if board.kind == FAULTY.name and virtual.kind == UNIX.name:
        return replace(board, interpreter=virtual.target)
    return replace(board, kind=virtual.kind, target=virtual.target)


def _check_file(board: BoardSpec, choice: FirmwareChoice) -> None:
    """Refuse a file that the hook does not use, and a hook that has no file: it would flash something else."""
    takes_file = has_placeholder(board.settings.flash, "file")
    if takes_file and not choice.file:
        raise UsageError(
            f"--firmware {choice.text!r}: the flash hook of board {board.label} needs a file: expected {choice.version}=FILE"
        )
    if choice.file and not takes_file:
        raise UsageError(
            f"--firmware {choice.text!r}: the flash hook of board {board.label} has no {{file}}: expected {choice.version}"
        )
