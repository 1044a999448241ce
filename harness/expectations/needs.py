"""What a board or a server must have for a case to say anything about TLS.

Pure predicates over probed facts, never over version numbers, because vendors change the configuration. The reason names
what is missing; reports show it for `unsupported`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model import BoardInfo, Need, TlsLibrary
from harness.wire.suites import mbedtls_suite_name, suite_code, suite_info


def _offers(key_exchange: str, authentication: str, info: BoardInfo) -> bool:
    hello = info.hello
    if hello is None:
        return True  # nothing is known, so run the case
    for code in hello.suites:
        suite = suite_info(int(code, 16))
        if suite is None:
            continue
        if suite.tls13 or (suite.key_exchange, suite.authentication) == (key_exchange, authentication):
            return True
    return False


OFFERS_ECDHE_ECDSA = Need(
    name="ecdhe-ecdsa",
    reason="this firmware offers no ECDHE_ECDSA cipher suite",
    met=lambda info, server: _offers("ECDHE", "ECDSA", info),
)
OFFERS_ECDHE_RSA = Need(
    name="ecdhe-rsa",
    reason="this firmware offers no ECDHE_RSA cipher suite",
    met=lambda info, server: _offers("ECDHE", "RSA", info),
)
OFFERS_TLS_RSA = Need(
    name="tls-rsa",
    reason="this firmware offers no TLS_RSA (plain RSA key exchange) cipher suite",
    met=lambda info, server: (
        info.hello is None
        or any(
            (suite := suite_info(int(code, 16))) is not None and suite.key_exchange == "RSA"
            for code in info.hello.suites
        )
    ),
)
OFFERS_RSA = Need(
    name="rsa",
    reason="this firmware offers no cipher suite for RSA keys",
    met=lambda info, server: OFFERS_ECDHE_RSA.met(info, server) or OFFERS_TLS_RSA.met(info, server),
)
CHECKS_CERTIFICATES = Need(
    name="verification",
    reason="this firmware's TLS module cannot verify the server's certificate (no CERT_REQUIRED with cadata)",
    met=lambda info, server: info.can_verify,
)
LOADS_CLIENT_CERTIFICATE = Need(
    name="client-certificate",
    reason="this firmware's TLS module cannot load a client certificate and key",
    met=lambda info, server: info.can_load_certificate,
)
READS_DER_ONLY = Need(
    name="der-only",
    reason="this firmware reads PEM, so it has nothing to refuse",
    met=lambda info, server: info.reads_pem is False,
)


def can_offer_exactly(suites: tuple[str, ...]) -> Need:
    """Need a client that can be restricted to `suites` (IANA names), or that offers no others anyway."""
    wanted = {f"{code:04x}" for name in suites if (code := suite_code(name)) is not None}

    def met(info: BoardInfo, server: Mapping[str, Any]) -> bool:
        if info.can_set_ciphers or info.hello is None:
            return info.can_set_ciphers
        offered = set(info.hello.suites) - {"00ff"}
        return bool(offered) and offered <= wanted

    return Need(
        name="restrict-suites",
        reason="this firmware offers other cipher suites, too, and its TLS module has no set_ciphers to exclude them",
        met=met,
    )


def has_one_of(suites: tuple[str, ...]) -> Need:
    """Need firmware that was built with at least one of `suites` (IANA names): set_ciphers refuses an empty list.

    `get_ciphers()` decides; without it, the ClientHello that the firmware sends unrestricted.
    """
    names = {mbedtls_suite_name(name) for name in suites}
    codes = [suite_code(name) for name in suites]

    def met(info: BoardInfo, server: Mapping[str, Any]) -> bool:
        if None in codes:
            return True  # a misspelled name, which the request refuses
        if info.suites:
            return not names.isdisjoint(info.suites)
        return info.hello is None or not {int(code, 16) for code in info.hello.suites}.isdisjoint(codes)

    more = f" and {len(suites) - 3} more" if len(suites) > 3 else ""
    return Need(
        name="has-suite",
        reason=f"this firmware was built with none of the cipher suites {', '.join(suites[:3])}{more}",
        met=met,
    )


READS_PEM = Need(
    name="reads-pem",
    reason="this firmware's TLS library reads only DER",
    met=lambda info, server: info.reads_pem is not False,
)
READS_PKCS8 = Need(
    name="reads-pkcs8",
    reason="this firmware's TLS library cannot read PKCS#8 keys (micropython #15674)",
    met=lambda info, server: info.reads_pkcs8 is not False,
)
READS_EC_KEYS = Need(
    name="ec-keys",
    reason="this firmware's TLS library reads no EC keys",
    met=lambda info, server: info.reads_ec_keys is not False,
)
SETS_CIPHERS = Need(
    name="set-ciphers",
    reason="this firmware's TLS module has no set_ciphers",
    met=lambda info, server: info.can_set_ciphers,
)
MBEDTLS = Need(
    name="mbedtls",
    reason="the behaviour of axTLS in this case was never measured, so nothing can be expected of it",
    met=lambda info, server: info.tls_library != TlsLibrary.AXTLS,
)
READS_FULL_RECORDS = Need(
    name="full-records",
    reason="the largest record that axTLS accepts depends on its build (ESP8266: about 5 kB, micropython #3279)",
    met=MBEDTLS.met,
)
REPORTS_LOST_CONNECTION = Need(
    name="lost-connection",
    reason="axTLS reports a time-out and a reset as the end of the stream (extmod/modtls_axtls.c)",
    met=MBEDTLS.met,
)
OFFERS_TLS13 = Need(
    name="tls1.3",
    reason="this firmware does not offer TLS 1.3",
    met=lambda info, server: info.hello is None or "0304" in info.hello.versions,
)
CLIENT_PSK = Need(
    name="psk",
    reason="this firmware's TLS module does not support pre-shared keys (SSLContext.psk_key)",
    met=lambda info, server: any(name.endswith("SSLContext.psk_key") for name in info.api),
)
SERVER_PSK = Need(
    name="server-psk",
    reason="this server's Python does not support pre-shared keys (set_psk_server_callback is new in Python 3.13)",
    met=lambda info, server: bool(server.get("has_psk")),
)


SETS_CLOCK = Need(
    name="settable-clock",
    reason="the clock of this board cannot be set (no machine.RTC)",
    met=lambda info, server: info.sets_clock is not False,
)
LIMITS_HEAP = Need(
    name="heap-limit",
    reason="TLS on this board takes its memory from elsewhere (malloc, or ESP-IDF's heap on an ESP32), not from MicroPython's heap",
    met=lambda info, server: info.limits_tls_by_heap,
)


def server_has_suite(name: str) -> Need:
    """Need a server whose OpenSSL was built with a suite (OpenSSL's name)."""
    return Need(
        name="server-suite",
        reason=f"this server's OpenSSL has no {name}",
        met=lambda info, server: name in server.get("known_suites", (name,)),
    )


def server_takes_curve(name: str) -> Need:
    """Need a server whose `set_ecdh_curve` accepts a group (OpenSSL's name)."""
    return Need(
        name="server-curve",
        reason=f"this server's Python cannot use {name} (set_ecdh_curve refuses it)",
        met=lambda info, server: name in server.get("curves", (name,)),
    )


LEGACY_WRAP_SOCKET = Need(
    name="ssl.wrap_socket",
    reason="this server's Python no longer has ssl.wrap_socket (removed in Python 3.12)",
    met=lambda info, server: bool(server.get("has_wrap_socket")),
)


def named_needs() -> dict[str, Need]:
    """Return the needs that a word names, for `@pytest.mark.needs(...)`; those of certain suites or curves have no word."""
    return {found.name: found for found in globals().values() if isinstance(found, Need)}


def unmet(needs: tuple[Need, ...], info: BoardInfo, server: Mapping[str, Any]) -> Need | None:
    """Return the first need that is not met, or None."""
    return next((need for need in needs if not need.met(info, server)), None)
