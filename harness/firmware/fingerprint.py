"""The firmware family of a board, from the ClientHello it sends when no option restricts it.

The families and the hellos of each are in the table of firmware (`harness.firmware.table`); docs/facts/micropython.md, "ClientHello
families", describes them. A hello that was restricted (`set_ciphers`, PSK) or comes from another build is None, never the nearest guess. A
family is a prior for reading a report: what the board can do is probed, not concluded from here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

from harness.model import HelloFacts, TlsLibrary
from harness.wire.extensions import Extension
from harness.wire.suites import suite_info

_SIGNAL = "00ff"
_TLS13 = "0304"
_X25519 = "001d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family: what builds it comes from, their TLS library, and the releases that send it.

    `first` and `last` are release series; None where the table goes no further back, or no further on.
    """

    text: str
    library: TlsLibrary
    first: tuple[int, int] | None
    last: tuple[int, int] | None
    alpn: bool


@functools.cache
def families() -> dict[str, Family]:
    """Return the families of the table, in its order."""
    from harness.firmware.table import OLDEST_RECORDED, family_texts, firmwares, release_series

    found = {}
    rows = firmwares()
    newest = max(release_series(row.version) for row in rows)
    for name, text in family_texts().items():
        mine = [row for row in rows if row.hello.family == name]
        series = sorted(release_series(row.version) for row in mine)
        found[name] = Family(
            text=text,
            library=mine[0].build.library,
            first=None if series[0] <= OLDEST_RECORDED else series[0],
            last=None if series[-1] == newest or _is_newest_of_its_ports(name) else series[-1],
            alpn=any(row.build.alpn for row in mine),
        )
    return found


def _is_newest_of_its_ports(family: str) -> bool:
    """Whether every port that sends a family sends it in its newest release."""
    from harness.firmware.table import firmwares

    newest = {row.port: row.hello.family for row in firmwares()}
    return all(newest[row.port] == family for row in firmwares() if row.hello.family == family)


def with_fingerprint(hello: HelloFacts) -> HelloFacts:
    """Return the hello with its firmware family filled in; the caller knows that nothing restricted it."""
    return replace(hello, fingerprint=fingerprint(hello))


def library_of(family: str) -> TlsLibrary:
    """Return the TLS library behind a family."""
    return families()[family].library


def fingerprint(hello: HelloFacts) -> str | None:
    """Recognise the firmware family of a ClientHello that the case did not restrict.

    Args:
        hello: the facts of the first ClientHello. Whether it was restricted is not visible here: the caller knows.

    Returns:
        A key of `families()`, or None for a hello of no known family. The server name is ignored.
    """
    exact = _known_hellos().get(_features(hello))
    if exact is not None:
        return exact
    return next((family for family, matches in _SHAPES if matches(hello)), None)


@functools.cache
def _known_hellos() -> dict[tuple[object, ...], str]:
    """Return the family of each ClientHello of the table, by what distinguishes families."""
    from harness.firmware.table import stored_hellos

    return {_features(hello.facts): hello.family for hello in stored_hellos().values()}


def _features(hello: HelloFacts) -> tuple[object, ...]:
    """Suites, record version, extensions without the server name, and groups.

    mbedTLS 3 writes 0303 into the first record's header, 2.x the lowest version it speaks; 3.x also leaves the curves below 256 bits
    out of these builds.
    """
    extensions = frozenset(hello.extensions) - {Extension.SERVER_NAME}
    return hello.suites, hello.record_version, extensions, hello.groups


# ----------------------------------------------------------------------------------------------- other builds of a family


def _is_esp32_idf4(hello: HelloFacts) -> bool:
    """mbedTLS 2.x with IDF's suites: AES with six key exchanges, CCM where mbedTLS has it; the curves vary by chip."""
    return _looks_like_idf(hello, record_version="0301") and _suite_set(hello) == _suites_of("E1")


def _is_esp32_idf5(hello: HelloFacts) -> bool:
    """mbedTLS 3.x with IDF's suites: no DHE, with ARIA or (measured on one configuration) without."""
    if not _looks_like_idf(hello, record_version="0303"):
        return False
    suites = _suites_of("E3")
    return _suite_set(hello) in (suites, frozenset(name for name in suites if "_ARIA_" not in name))


def _is_distribution(hello: HelloFacts) -> bool:
    """A full mbedTLS 3.6: TLS 1.3 offered first, then every cipher it has; Debian's has 108 suites."""
    found = _suite_set(hello)
    return (
        hello.record_version == "0303"
        and hello.versions == (_TLS13, "0303")
        and hello.suites[:5] == ("1303", "1302", "1301", "1304", "1305")
        and {
            Extension.KEY_SHARE,
            Extension.EXTENDED_MASTER_SECRET,
            Extension.ENCRYPT_THEN_MAC,
            Extension.SESSION_TICKET,
        }
        <= set(hello.extensions)
        and all(any(word in name for name in found) for word in ("CHACHA20", "CAMELLIA", "ARIA", "DHE_RSA", "CCM_8"))
    )


# Asked in this order; E2 and E3 differ only in X25519, which MicroPython's sdkconfig switched off in 1.22.
_SHAPES: tuple[tuple[str, Callable[[HelloFacts], bool]], ...] = (
    ("E1", _is_esp32_idf4),
    ("E2", lambda hello: _is_esp32_idf5(hello) and _X25519 in hello.groups),
    ("E3", _is_esp32_idf5),
    ("D", _is_distribution),
)


def _looks_like_idf(hello: HelloFacts, *, record_version: str) -> bool:
    """Check what all esp32 builds share: TLS 1.2, the renegotiation signal, EtM, EMS and tickets."""
    return (
        hello.record_version == record_version
        and _TLS13 not in hello.versions
        and _SIGNAL in hello.suites
        and {Extension.ENCRYPT_THEN_MAC, Extension.EXTENDED_MASTER_SECRET, Extension.SESSION_TICKET}
        <= set(hello.extensions)
    )


@functools.cache
def _suites_of(family: str) -> frozenset[str]:
    """Return the suites of a family's first ClientHello in the table."""
    from harness.firmware.table import stored_hellos

    return _suite_set(next(hello.facts for hello in stored_hellos().values() if hello.family == family))


def _suite_set(hello: HelloFacts) -> frozenset[str]:
    """The names of the real suites on offer; the order is left out, because it differs between builds."""
    infos = (suite_info(int(code, 16)) for code in hello.suites)
    return frozenset(info.name for info in infos if info is not None)
