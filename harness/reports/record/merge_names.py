"""The names of boards and servers of several runs in one record: two different ones never share a name. Pure.

Two boards are the same if name, firmware, build and machine are the same: the machine is the chip's unique number, or without one the
name of the host that the board was on (a virtual board is its host). Two servers are the same if name, Python, OpenSSL and default
suites are the same, on any host.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.reports.record.cells import hidden_text
from harness.reports.record.run_types import BoardEntry, ServerEntry

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A board or server of one of the files.

    Args:
        place: the index of the file.
        name: its name there.
        wanted: its intended name: the same, or what `--rename` says.
        traits: what tells it from others of the same name, as texts; the first ones that differ become part of its name.
        known: whether it was probed.
        host: the machine that measured it.
    """

    place: int
    name: str
    wanted: str
    traits: tuple[str, ...] = ()
    known: bool = True
    host: str = ""


Names = dict[tuple[int, str], str]


def board_named(board: BoardEntry, *, place: int, host: str, rename: str | None) -> Named:
    """Return a board by its description in a run record.

    Args:
        board: as described there.
        place: the index of the file.
        host: the name of the machine it was measured on.
        rename: the name that the user gave; boards with one given name are one board, on any host, if the rest is the same.
    """
    facts = board.facts
    where = "" if rename else (facts.unique_id if facts else None) or host
    firmware = None if _names_firmware(rename or board.board, board.firmware) else board.firmware
    traits = (firmware, where, facts.version_text if facts else None, facts.tls_version if facts else None)
    return Named(
        place=place,
        name=board.board,
        wanted=rename or board.board,
        traits=tuple(trait if trait is not None else UNKNOWN for trait in traits),
        known=board.firmware is not None,
        host=host,
    )


def _names_firmware(name: str, firmware: str | None) -> bool:
    """Whether a name has the board's firmware already, as `--firmware` or an earlier merge made it: it gets no second one."""
    at = name.partition("@")[2].partition("@")[0]
    return bool(at) and (firmware is None or firmware in (at, f"{at}.0"))


def server_named(server: ServerEntry, *, place: int, rename: str | None) -> Named:
    """Return a server by its description in a run record."""
    openssl = "-".join(server.openssl.split()[:2]).lower()
    suites = json.dumps([server.default_suites_flag, server.default_suites])
    # Two configurations of one OpenSSL are two servers.
    hidden = hidden_text(server) or "usual settings"
    return Named(
        place=place,
        name=server.server,
        wanted=rename or server.server,
        traits=(f"python{server.python}", openssl, suites, hidden),
    )


def undescribed(name: str, *, place: int, host: str, rename: str | None) -> Named:
    """Return a board or server that has results but no description: its run ended too early."""
    return Named(place=place, name=name, wanted=rename or name, known=False, host=host)


def names_for(things: Iterable[Named]) -> Names:
    """Map (index of the file, name there) to the name in the merged record.

    If different things claim one name, none gets it: each is called `name@what differs`. One that was never probed is taken for the
    one of the same name and host, if there is exactly one.
    """
    claims: dict[str, list[Named]] = {}
    for thing in things:
        claims.setdefault(thing.wanted, []).append(thing)
    final: Names = {}
    taken = set(claims)
    for wanted, claimants in claims.items():
        settled = [_settled(thing, claimants) for thing in claimants]
        identities = list(dict.fromkeys(thing.traits for thing in settled))
        chosen = _suffixes(identities) if len(identities) > 1 else [""]
        called: dict[tuple[str, ...], str] = {}
        for traits, suffix in zip(identities, chosen, strict=True):
            called[traits] = _free(f"{wanted}{suffix}", taken) if suffix else wanted
            taken.add(called[traits])
        final.update({(thing.place, thing.name): called[thing.traits] for thing in settled})
    return final


def _settled(thing: Named, claimants: Sequence[Named]) -> Named:
    """Give one that was never probed the traits of the only one that it can be."""
    if thing.known:
        return thing
    same = {other.traits for other in claimants if other.known and other.host in ("", thing.host)}
    if len(same) == 1:
        return replace(thing, traits=same.pop())
    length = max((len(other.traits) for other in claimants), default=1)
    return replace(thing, traits=(UNKNOWN, thing.host, *[UNKNOWN] * length)[: max(length, 1)])


def _suffixes(identities: Sequence[tuple[str, ...]]) -> list[str]:
    """Return as few of the differing traits as tell all of them apart, or numbers if the texts do not."""
    length = len(identities[0])
    differing = [place for place in range(length) if len({traits[place] for traits in identities}) > 1]
    # A trait that is too long for a name is replaced by a number.
    for number in range(1, len(differing) + 1):
        texts = ["@".join(_word(traits[place]) for place in differing[:number]) for traits in identities]
        if len(set(texts)) == len(texts) and all(len(text) <= 80 for text in texts):
            return [f"@{text}" for text in texts]
    first = differing[0]
    return [f"@{_word(traits[first])[:40]}@{number}" for number, traits in enumerate(identities, start=1)]


def _word(text: str) -> str:
    return "-".join(text.split()) or UNKNOWN


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def read_renames(texts: Iterable[str], *, files: Sequence[str], there: Sequence[Iterable[str]]) -> Names:
    """Parse the values of `--rename FILE:OLD=NEW`.

    Args:
        texts: the values.
        files: the paths of the files.
        there: the names of the boards and servers of each file.

    Raises:
        ValueError: with the value: it names no board or server of a file, or has no new name.
    """
    renames: Names = {}
    for text in texts:
        fitting = [
            (place, name, text.removeprefix(f"{file}:{name}="))
            for place, file in enumerate(files)
            for name in there[place]
            if text.startswith(f"{file}:{name}=") and text != f"{file}:{name}="
        ]
        if not fitting:
            raise ValueError(text)
        place, name, new = fitting[0]
        renames[place, name] = new
    return renames
