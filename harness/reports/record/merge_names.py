"""What boards and servers of several runs are called in one record: two different ones never by one name. Pure.

A board is itself where its name, firmware and build are the same and it is the same machine: by the unique number that the chip gives, or,
where there is none, by the name of the host that it was on (a virtual board is its host). A server is itself where its name, Python,
OpenSSL and default suites are the same, on whatever host.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A board or server of one of the files.

    Args:
        place: which file.
        name: what it is called there.
        wanted: what it is to be called: the same, or what `--rename` says.
        traits: what makes it another one than its namesakes, each a text to show; the first that differ become part of its name.
        known: whether it was ever asked what it is.
        host: the machine that measured it.
    """

    place: int
    name: str
    wanted: str
    traits: tuple[str, ...] = ()
    known: bool = True
    host: str = ""


Names = dict[tuple[int, str], str]


def board_named(board: Mapping[str, Any], *, place: int, host: str, rename: str | None) -> Named:
    """A board by its description in a run record.

    Args:
        board: an item of `boards`.
        place: of the file.
        host: the name of the machine it was measured on.
        rename: the name that the user gave; boards that are given one name are one board, wherever they were, if the rest is the same.
    """
    facts = board["facts"] or {}
    where = "" if rename else facts.get("unique_id") or host
    traits = (board["firmware"], where, facts.get("version_text"), facts.get("tls_version"))
    return Named(
        place=place,
        name=board["board"],
        wanted=rename or board["board"],
        traits=tuple(str(trait) if trait is not None else UNKNOWN for trait in traits),
        known=board["firmware"] is not None,
        host=host,
    )


def server_named(server: Mapping[str, Any], *, place: int, rename: str | None) -> Named:
    """A server by its description in a run record."""
    openssl = "-".join(str(server["openssl"]).split()[:2]).lower()
    suites = json.dumps([server.get("default_suites_flag"), server["default_suites"]])
    return Named(
        place=place,
        name=server["server"],
        wanted=rename or server["server"],
        traits=(f"python{server['python']}", openssl, suites),
    )


def undescribed(name: str, *, place: int, host: str, rename: str | None) -> Named:
    """A board or server that has results and no description: it never got so far."""
    return Named(place=place, name=name, wanted=rename or name, known=False, host=host)


def names_for(things: Iterable[Named]) -> Names:
    """(file, name there) -> name in the merged record.

    A name that different ones claim is given to none of them: each gets `name@what differs`. One that was never asked what it is
    belongs to its namesake of the same host where there is just one.
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
    """One that nobody asked, with the traits of the only namesake it can be."""
    if thing.known:
        return thing
    same = {other.traits for other in claimants if other.known and other.host in ("", thing.host)}
    if len(same) == 1:
        return replace(thing, traits=same.pop())
    length = max((len(other.traits) for other in claimants), default=1)
    return replace(thing, traits=(UNKNOWN, thing.host, *[UNKNOWN] * length)[: max(length, 1)])


def _suffixes(identities: Sequence[tuple[str, ...]]) -> list[str]:
    """As few of the differing traits as tell all of them apart, numbers where the texts do not."""
    length = len(identities[0])
    differing = [place for place in range(length) if len({traits[place] for traits in identities}) > 1]
    # What is too long to be part of a name tells apart by a number.
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
    """The values of `--rename FILE:OLD=NEW`.

    Args:
        texts: as they were told.
        files: the paths of the files.
        there: of each file the names of its boards and servers.

    Raises:
        ValueError: with the value: it names no board or server of a file, or gives no new name.
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
