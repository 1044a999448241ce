"""The firmware family of a board, from the ClientHello it sends when no option restricts it.

The families are described in docs/facts/micropython.md, "ClientHello families".

Knows suite lists, extension sets and groups of the builds that were measured; a hello that was restricted
(`set_ciphers`, PSK) or comes from another build is None, never the nearest guess. A family is a prior for reading a
report: what the board can do is probed, not concluded from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from harness.model import HelloFacts, TlsLibrary
from harness.wire.extensions import Extension
from harness.wire.suites import suite_code, suite_info

FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "A": "MicroPython up to 1.19.1 on stm32, mimxrt, rp2: mbedTLS 2.16, static RSA only",
        "X": "axTLS: every ESP8266, and the unix port up to 1.19.1; static RSA only",
        "B": "MicroPython 1.20 to 1.22 on stm32, mimxrt, renesas-ra, unix: mbedTLS 2.x, no ECDHE-RSA, no GCM",
        "B3": "MicroPython 1.23 on stm32, mimxrt, renesas-ra, unix: mbedTLS 3.5, no ECDHE-RSA, no GCM",
        "C": "MicroPython 1.20 to 1.22 on rp2: mbedTLS 2.x, ECDHE-RSA and GCM",
        "C3": "MicroPython 1.23 on rp2, and 1.24 or newer on every port with the common configuration: mbedTLS 3.x",
        "E1": "MicroPython up to 1.20 on esp32 (IDF 4): mbedTLS 2.x, DHE, CCM, static ECDH",
        "E2": "MicroPython 1.21 on esp32 (IDF 5.0): mbedTLS 3.3, X25519, no DHE",
        "E3": "MicroPython 1.22 or newer on esp32 (IDF 5): mbedTLS 3.x, NIST curves only, no DHE",
        "D": "a distribution's build (Debian 1.25 and 1.26): the system's mbedTLS 3.6 with TLS 1.3",
    }
)

_COMMON_EXTENSIONS: frozenset[int] = frozenset(
    {Extension.SUPPORTED_GROUPS, Extension.EC_POINT_FORMATS, Extension.SIGNATURE_ALGORITHMS}
)
_SIGNAL = "00ff"
_TLS13 = "0304"

_RSA_CBC = ("003d", "0035", "003c", "002f", _SIGNAL)
_AXTLS = ("002f", "003c", "0035", "003d")
_ECDHE_ECDSA_CBC = ("c024", "c00a", "c023", "c009")
_COMMON = (
    *("c02c", "c030", "c024", "c028", "c00a", "c014", "c02b", "c02f", "c023", "c027", "c009", "c013"),
    *("009d", "003d", "0035", "009c", "003c", "002f", _SIGNAL),
)
# secp521r1, 384r1, 256r1, 256k1, 224r1, 224k1, 192r1, 192k1
_CURVES_2 = ("0019", "0018", "0017", "0016", "0015", "0014", "0013", "0012")
_CURVES_3 = ("0017", "0018", "0019")
_X25519 = "001d"

# suites, record version, extensions without the server name, groups -> family. mbedTLS 3 writes 0303 into the first
# record's header, 2.x the lowest version it speaks; 3.x also leaves the curves below 256 bits out of these builds.
_EXACT: dict[tuple[tuple[str, ...], str, frozenset[int], tuple[str, ...]], str] = {
    (_RSA_CBC, "0301", frozenset({Extension.SIGNATURE_ALGORITHMS}), ()): "A",
    (_AXTLS, "0303", frozenset({Extension.SIGNATURE_ALGORITHMS}), ()): "X",
    ((*_ECDHE_ECDSA_CBC, *_RSA_CBC), "0301", _COMMON_EXTENSIONS, _CURVES_2): "B",
    ((*_ECDHE_ECDSA_CBC, *_RSA_CBC), "0303", _COMMON_EXTENSIONS, _CURVES_3): "B3",
    (_COMMON, "0301", _COMMON_EXTENSIONS, _CURVES_2): "C",
    (_COMMON, "0303", _COMMON_EXTENSIONS, _CURVES_3): "C3",
}


def with_fingerprint(hello: HelloFacts) -> HelloFacts:
    """Return the hello with its firmware family filled in; the caller knows that nothing restricted it."""
    return replace(hello, fingerprint=fingerprint(hello))


def library_of(family: str) -> TlsLibrary:
    """Return the TLS library behind a family."""
    return TlsLibrary.AXTLS if family == "X" else TlsLibrary.MBEDTLS


def fingerprint(hello: HelloFacts) -> str | None:
    """Recognise the firmware family of a ClientHello that the case did not restrict.

    Args:
        hello: the facts of the first ClientHello. Whether it was restricted is not visible here: the caller knows.

    Returns:
        A key of `FAMILIES`, or None for a hello of no known family. The server name is ignored.
    """
    extensions = frozenset(hello.extensions) - {Extension.SERVER_NAME}
    exact = _EXACT.get((hello.suites, hello.record_version, extensions, hello.groups))
    if exact is not None:
        return exact
    for family, matches in _SHAPES:
        if matches(hello):
            return family
    return None


def _is_esp32_idf4(hello: HelloFacts) -> bool:
    """mbedTLS 2.x with IDF's suites: AES with six key exchanges, CCM where mbedTLS has it; the curves vary by chip."""
    return _looks_like_idf(hello, record_version="0301") and _suite_set(hello) == _IDF4_SUITES


def _is_esp32_idf5(hello: HelloFacts) -> bool:
    """mbedTLS 3.x with IDF's suites: no DHE, with ARIA or (measured on one configuration) without."""
    if not _looks_like_idf(hello, record_version="0303"):
        return False
    return _suite_set(hello) in (_IDF5_SUITES, _IDF5_SUITES - _ARIA_SUITES)


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


def _suite_set(hello: HelloFacts) -> frozenset[str]:
    """The names of the real suites on offer; the order is left out where no full list was recorded."""
    infos = (suite_info(int(code, 16)) for code in hello.suites)
    return frozenset(info.name for info in infos if info is not None)


def _names(exchanges: tuple[str, ...], *, ciphers: tuple[str, ...]) -> frozenset[str]:
    """Every suite name of these key exchanges and ciphers; each must exist."""
    found = frozenset(f"TLS_{exchange}_WITH_{cipher}" for exchange in exchanges for cipher in ciphers)
    missing = sorted(name for name in found if suite_code(name) is None)
    if missing:
        raise LookupError(f"no such suites: {missing}")
    return found


_IDF5_EXCHANGES = ("ECDHE_ECDSA", "ECDHE_RSA", "RSA", "ECDH_RSA", "ECDH_ECDSA")
_AES_CBC = ("AES_128_CBC_SHA", "AES_256_CBC_SHA", "AES_128_CBC_SHA256")
_AES_GCM = ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384")
_AES_CCM = ("AES_128_CCM", "AES_256_CCM", "AES_128_CCM_8", "AES_256_CCM_8")
# The biggest CBC suite is SHA-384 with elliptic curves and SHA-256 without (RFC 5289 against RFC 5246).
_AES_SUITES = (
    _names(_IDF5_EXCHANGES, ciphers=(*_AES_CBC, *_AES_GCM))
    | _names(("ECDHE_ECDSA", "ECDHE_RSA", "ECDH_RSA", "ECDH_ECDSA"), ciphers=("AES_256_CBC_SHA384",))
    | _names(("RSA",), ciphers=("AES_256_CBC_SHA256",))
    | _names(("ECDHE_ECDSA", "RSA"), ciphers=_AES_CCM)
)
_ARIA_SUITES = _names(
    _IDF5_EXCHANGES,
    ciphers=("ARIA_128_GCM_SHA256", "ARIA_256_GCM_SHA384", "ARIA_128_CBC_SHA256", "ARIA_256_CBC_SHA384"),
)
_IDF4_SUITES = _AES_SUITES | _names(("DHE_RSA",), ciphers=(*_AES_CBC, *_AES_GCM, "AES_256_CBC_SHA256", *_AES_CCM))
_IDF5_SUITES = _AES_SUITES | _ARIA_SUITES
