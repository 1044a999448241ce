"""Place the modules of `--board-path` in the harness's own directory on the board, written only if they differ; and read them back.

Knows the calls of device_scripts/place.py. Which files are the harness's own, the list on the board says: files of the user are neither
overwritten nor removed. Must not know what the modules are for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.console import Console
from harness.boards.agent.deployment import HOST_MOUNT, write_file
from harness.boards.agent.protocol import FOLDER, PUT_CHUNK_BYTES, check_literal, literal, read_check, read_objects
from harness.errors import BoardError, FaultKind
from harness.system.deadline import Deadline

LIBRARY = f"{FOLDER}/lib"
_NAMES = ("th_os", "th_place_list", "th_place_folder", "th_place")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The answer to `th_place`: the error that prevented it, if any; `path` is a file of the user that is in the way."""

    number: int | None
    damaged: bool = False
    error: str = ""
    path: str | None = None


def place_modules(
    console: Console, files: Mapping[str, bytes], *, filesystem: str | None, is_usb_drive: bool
) -> str | None:
    """Place modules on the board.

    Args:
        console: the board, with the agent loaded.
        files: content by path below `tls_harness/lib`.
        filesystem: the writable working directory, None if there is none.
        is_usb_drive: whether a host may have mounted it: then nothing is written.

    Returns:
        None if they are there, else why not.

    Raises:
        BoardError: a file of the user is in the way, or differs each time it is written; the line failed.
    """
    if is_usb_drive:
        return "the board is also a USB drive, which a host may have mounted"
    if filesystem is None:
        return "the board has no writable filesystem (none, read-only or full)"
    if filesystem.startswith(HOST_MOUNT):
        return f"{filesystem} is a directory of the host, mounted by mpremote"
    for name in ("load", "place"):
        console.load(name, "load the script that places modules")
    try:
        prepared = console.ask(
            lambda number: _place_code(tuple(files), number=number, kind=console.check_kind),
            read=read_placed,
            what="place modules",
            deadline=Deadline(30.0),
        )
        if prepared.path is not None:
            raise BoardError(
                f"{console.label}: {LIBRARY}/{prepared.path} on the board was not written by the harness: rename or remove it",
                kind=FaultKind.FILESYSTEM,
            )
        if prepared.error:
            return f"cannot write to the board: {prepared.error}"
        for path, data in files.items():
            why = _write(console, f"{LIBRARY}/{path}", data)
            if why is not None:
                return why
    finally:
        console.run(f"for _n in {_NAMES!r}: globals().pop(_n,None)", timeout_s=10.0)
    return None


def _write(console: Console, path: str, data: bytes) -> str | None:
    """Write one file unless it is there already; return why it cannot be written.

    Raises:
        BoardError: `garbled` if it differs each time.
    """
    for _attempt in range(2):
        if _is_there(console, path, data):
            return None
        try:
            write_file(console, path, data)
        except BoardError as error:
            if error.kind is not FaultKind.FILESYSTEM:
                raise
            return error.message.removeprefix(f"{console.label}: ")
    if _is_there(console, path, data):
        return None
    raise BoardError(
        f"{console.label}: {path} was written twice, and differed both times when the board read it back",
        kind=FaultKind.GARBLED,
    )


def _is_there(console: Console, path: str, data: bytes) -> bool:
    """Whether the file on the board has this content, as far as a checksum shows."""
    kind = console.check_kind
    pieces = [data[start : start + PUT_CHUNK_BYTES] for start in range(0, len(data), PUT_CHUNK_BYTES)]
    right = check_sum("".join(check_sum(piece, kind=kind) for piece in pieces).encode("ascii"), kind=kind)
    sizes = repr(tuple(map(len, pieces))).replace(" ", "")
    output = console.run(f"print('#th ' + (th_check({path!r},{sizes}) or 'a00000000'))", timeout_s=20.0)
    if output.stderr:
        raise console.no_answer(output, f"read {path} back")
    return read_check(output.stdout) == right


def _place_code(paths: tuple[str, ...], *, number: int, kind: str) -> str:
    text = json.dumps({"n": number, "paths": paths}, ensure_ascii=True, separators=(",", ":"))
    return f"th_place({literal(text)},{check_literal(text, kind=kind)})"


def read_placed(console: bytes) -> Placed | None:
    """Read the answer to `th_place`; None if there is none.

    Raises:
        ValueError: the answer is not in the script's format.
    """
    objects = read_objects(console)
    if not objects:
        return None
    value = objects[-1]
    number, args = value.get("n"), value.get("args", [])
    if value.get("kind") == "damaged":
        return Placed(number=None, damaged=True)
    if value.get("kind") not in ("stored", "error") or not isinstance(number, int) or not isinstance(args, list):
        raise ValueError("the board's answer about its modules has an invalid format")
    if value["kind"] == "stored":
        return Placed(number=number)
    kind, first = str(value.get("type"))[:40], str(args[0])[:240] if args else ""
    if kind == "ValueError":
        return Placed(number=number, path=first)
    return Placed(number=number, error=f"{kind}: {first}".rstrip(": "))
