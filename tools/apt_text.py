"""Parse apt's source lists and the output of `apt-cache depends`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Name prefixes of the packages with shared libraries.
LIBRARIES = ("lib", "zlib")


class FetchError(Exception):
    """The program could not be fetched; the message is one line."""


class CannotError(FetchError):
    """This machine has no apt or no Debian archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An archive of this machine's apt: its address, suite and components, and the key that signs it (a file or the key itself)."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str | None = None


def read_deb822(text: str) -> Iterator[Source]:
    """Read the stanzas of a `.sources` file (man sources.list, DEB822-STYLE FORMAT); skip disabled ones."""
    for stanza in re.split(r"\n[ \t]*(?:\n[ \t]*)+", re.sub(r"(?m)^#.*\n?", "", text)):
        fields: dict[str, str] = {}
        key = ""
        for line in stanza.splitlines():
            if line[:1] in (" ", "\t"):
                fields[key] = f"{fields.get(key, '')}\n{line.strip()}"
            else:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        signed_by = fields.get("signed-by") or None
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                components = tuple(fields.get("components", "").split())
                yield Source(uri=uri, suite=suite, components=components, signed_by=signed_by)


def read_one_line(text: str) -> Iterator[Source]:
    """Read the lines of a `.list` file (man sources.list, ONE-LINE-STYLE FORMAT)."""
    for line in text.splitlines():
        found = re.fullmatch(r"\s*deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)(?:#.*)?", line)
        if found is None:
            continue
        options = dict(word.partition("=")[::2] for word in (found[1] or "").split())
        yield Source(
            uri=found[2], suite=found[3], components=tuple(found[4].split()), signed_by=options.get("signed-by") or None
        )


def own_archive(sources: Sequence[Source], *, codename: str) -> Source:
    """Return the archive of this machine's own system: the one with `main` whose suite is the code name.

    Raises:
        CannotError: if there is no such archive.
    """
    # By code name first: third parties also call their suites `stable`.
    for suite in (codename, "stable", "testing", "sid", "unstable"):
        for source in sources:
            if source.suite == suite and "main" in source.components:
                return source
    raise CannotError(f"apt on this machine has no archive of its own system ({codename or 'unknown'} main)")


def dependencies(text: str) -> dict[str, list[str]]:
    """Read `apt-cache depends --recurse`: package -> its dependencies, including both sides of an alternative."""
    edges: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line and not line[0].isspace():
            current = edges.setdefault(line.strip(), [])
            continue
        found = re.fullmatch(r"[ |](?:Pre)?Depends: (\S+)", line[1:])
        if found is not None and not found[1].startswith("<"):
            current.append(found[1])
    return edges


def closure(package: str, edges: dict[str, list[str]]) -> list[str]:
    """Return the package and its dependencies, following only shared libraries and the package's own parts."""
    wanted = [package]
    for name in wanted:
        for other in edges.get(name, ()):
            if other not in wanted and other.startswith((*LIBRARIES, package)):
                wanted.append(other)
    return wanted
