"""Board specs as on the command line: text to `BoardSpec`, one clear `UsageError` for each mistake.

Knows the forms that every board has, a name and a tag of boards.toml; the others are in `harness.boards.kinds`.
Looks up which port a spec names, and opens none.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from harness.boards.kinds import BOARD_KINDS, spec_forms
from harness.boards.serial.serial_kind import SERIAL
from harness.errors import HarnessError, UsageError
from harness.model import BoardSpec

TAG = "tag:"


def choose_boards(texts: Iterable[str], lab: Mapping[str, BoardSpec], *, source: str = "--board") -> list[BoardSpec]:
    """List the boards that these specs name, each once, with short names that differ.

    Args:
        texts: the specs; `tag:TAG` is every board of the lab with this tag, `tag:A,B` every board with both.
        lab: the boards of boards.toml by name.
        source: where the specs were found, for messages.

    Raises:
        UsageError: for a spec of no known kind, a tag that no board has, and a board that is named twice.
    """
    texts = list(texts)
    named = {parse_board(text, lab, source=source).text for text in texts if not text.startswith(TAG)}
    chosen: list[BoardSpec] = []
    for text in texts:
        if text.startswith(TAG):
            # Two tags may share boards, and a board may be named as well: each is still one board of the run.
            taken = {spec.text for spec in chosen} | named
            chosen += [spec for spec in _tagged(text, lab, source=source) if spec.text not in taken]
        else:
            chosen.append(parse_board(text, lab, source=source))
    return unique_labels(chosen)


def _tagged(text: str, lab: Mapping[str, BoardSpec], *, source: str) -> list[BoardSpec]:
    tags = {tag for tag in text.removeprefix(TAG).split(",") if tag}
    known = sorted({tag for spec in lab.values() for tag in spec.settings.tags})
    for tag in sorted(tags - set(known)) or ([] if tags else [""]):
        raise UsageError(
            f"{source} {text!r}: no board in boards.toml has the tag {tag!r}{suggestion(tag, known)}; "
            f"known tags: {', '.join(known) or 'none'}"
        )
    found = [spec for spec in lab.values() if tags <= set(spec.settings.tags)]
    if not found:
        raise UsageError(f"{source} {text!r}: no board in boards.toml has all of these tags")
    return found


def parse_board(text: str, lab: Mapping[str, BoardSpec], *, source: str = "--board") -> BoardSpec:
    """Parse the spec of one board.

    Args:
        text: the spec.
        lab: the boards of boards.toml by name. The port of one of them names this board, with its settings.
        source: where the spec was found, for messages.

    Raises:
        UsageError: for a spec of no known kind, and a port that two boards of boards.toml have.
    """
    if text in lab:
        return lab[text]
    if text.startswith(TAG):
        raise UsageError(f"{source} {text!r}: a tag may name several boards, but exactly one is accepted here")
    spec = parse_spec(text, source=source)
    if spec is None:
        names = ", ".join(sorted(lab)) or "none"
        raise UsageError(
            f"{source} {text!r}: not a board{suggestion(text, lab)}; expected {spec_forms()} (boards.toml has: {names})"
        )
    found = [entry for entry in lab.values() if _is_same_port(spec, entry)]
    if len(found) > 1:
        names = ", ".join(entry.text for entry in found)
        raise UsageError(f"{source} {text!r}: boards.toml has several boards with this port: name one of {names}")
    return found[0] if found else spec


def _is_same_port(one: BoardSpec, other: BoardSpec) -> bool:
    """Whether both name one serial port of this machine, or are the same URL."""
    if not one.kind == other.kind == SERIAL.name:
        return False
    if one.target == other.target:
        return True
    if "://" in one.target or "://" in other.target:
        return False
    try:
        return SERIAL.identity(one) == SERIAL.identity(other)
    except HarnessError:
        return False  # `auto` or `id:` that names no port: opening it reports that


def parse_spec(text: str, *, source: str) -> BoardSpec | None:
    """Parse a spec that is neither a name nor a tag; None if no kind of board is written like this.

    Raises:
        UsageError: a known kind, written wrongly.
    """
    for kind in BOARD_KINDS.values():
        target = kind.parse(text, source=source)
        if target is not None:
            return BoardSpec(text=text, kind=kind.name, target=target, label=_label(text))
    return None


def is_spec(text: str) -> bool:
    """Whether this text names a board by itself, so that it cannot be a name in boards.toml."""
    try:
        return parse_spec(text, source="") is not None
    except UsageError:
        return True


def _label(text: str) -> str:
    """A short name for test ids: the part of the spec that people recognise, ASCII, without `::`, `[`, `@` and spaces."""
    last = text.rstrip("/")
    if last.startswith("/dev/pts/"):
        last = "pts" + last.removeprefix("/dev/pts/")
    elif last.startswith("unix:"):
        last = "unix:" + last.rpartition("/")[2].removeprefix("unix:")
    elif "://" in last:
        last = last.partition("?")[0].replace("://", ":")
    elif last.startswith("/"):
        last = last.rpartition("/")[2]
    return re.sub(r"(?:[^A-Za-z0-9_.:-]|::)+", "_", last)


def unique_labels(specs: Iterable[BoardSpec]) -> list[BoardSpec]:
    """Give boards with the same short name longer ones, and refuse the same board twice.

    Raises:
        UsageError: two specs name the same target.
    """
    result: list[BoardSpec] = []
    seen: dict[tuple[str, str], BoardSpec] = {}
    for spec in specs:
        key = (spec.kind, spec.text if BOARD_KINDS[spec.kind].is_virtual else spec.target)
        if key in seen:
            way = f'; for two such boards name them in boards.toml: [board.one] spec = "{spec.text}"'
            raise UsageError(
                f"--board {spec.text!r}: the same board as {seen[key].text!r}; each board may be given only once"
                + (way if BOARD_KINDS[spec.kind].is_virtual else "")
            )
        seen[key] = spec
        taken = {other.label for other in result}
        label, folders = spec.label, spec.target.rstrip("/").split("/")[:-1]
        while label in taken and folders:
            # unix:micropython from two folders becomes unix:micropython and unix:1.20.0/micropython.
            name = label.partition(":")
            label = f"{name[0]}:{folders.pop()}/{name[2]}" if name[1] else f"{folders.pop()}/{label}"
        number = 2
        while label in taken:
            label, number = f"{spec.label}.{number}", number + 1
        result.append(replace(spec, label=label))
    return result


def suggestion(word: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, as the middle of a message."""
    near = difflib.get_close_matches(word, sorted(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
