"""Predicts which protocol version OpenSSL's server selects, or why none.

Follows `tls_setup_handshake` and `ssl_choose_server_version` of OpenSSL's ssl/statem/statem_lib.c.
"""

from __future__ import annotations

from harness.model import Behaviour, HelloFacts, KeyFacts, ServerFacts
from harness.oracle.prediction.openssl import OPENSSL_3_0, OPENSSL_3_2, release, version_allowed
from harness.oracle.prediction.refusal import Refusal
from harness.wire.alerts import AlertCode
from harness.wire.extensions import Extension
from harness.wire.versions import TLS10, TLS11, TLS12, TLS13, version_code, version_name

_VERSIONS = (TLS13, TLS12, TLS11, TLS10)
_TLS13_CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_BRAINPOOL = frozenset({"brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"})


def own_settings_refusal(server: ServerFacts) -> Refusal | None:
    """Return the refusal if the server's own settings leave it nothing, which it notices only when a client connects.

    Checked before the ClientHello is read (tls_setup_handshake): no version at all, or no suite for the newest one.
    """
    enabled = _enabled(server)
    if not enabled:
        if release(server) < OPENSSL_3_0:
            return Refusal(reason=None, alert=AlertCode.INTERNAL_ERROR)
        return Refusal(reason="NO_PROTOCOLS_AVAILABLE", alert=AlertCode.PROTOCOL_VERSION)
    newest = enabled[0]
    if not any(suite_fits(protocol, version=newest) for _code, protocol, _name in server.suites):
        return Refusal(reason="NO_CIPHERS_AVAILABLE", alert=AlertCode.HANDSHAKE_FAILURE)
    return None


def choose_version(hello: HelloFacts, *, server: ServerFacts) -> int | Refusal:
    """Return the newest version that both sides have.

    With supported_versions only that list counts (RFC 8446 section 4.2.1), and TLS 1.3 counts only for a server whose
    certificates can sign in it; without the list the hello's version is the client's highest, never above TLS 1.2.
    """
    enabled = _enabled(server)
    offered = [int(version, 16) for version in hello.versions]
    if Extension.SUPPORTED_VERSIONS in hello.extensions:
        for version in enabled:
            if version in offered and (version != TLS13 or _can_speak_tls13(server)):
                return version
        return Refusal(reason="UNSUPPORTED_PROTOCOL", alert=AlertCode.PROTOCOL_VERSION)
    highest = min(max(offered), TLS12)
    if highest < TLS10:
        return Refusal(reason="VERSION_TOO_LOW", alert=AlertCode.PROTOCOL_VERSION)
    below = [version for version in enabled if version <= highest]
    return below[0] if below else Refusal(reason="UNSUPPORTED_PROTOCOL", alert=AlertCode.PROTOCOL_VERSION)


def suite_fits(protocol: str, *, version: int) -> bool:
    """Return whether a suite that OpenSSL lists under `protocol` works in a version; TLS 1.3 has suites of its own."""
    if version == TLS13:
        return protocol == "TLSv1.3"
    # OpenSSL writes TLSv1.0 for the version Python calls TLSv1, and SSLv3 for the oldest suites.
    oldest = version_code(protocol.replace("TLSv1.0", "TLSv1"))
    return oldest is not None and version >= oldest


def _enabled(server: ServerFacts) -> list[int]:
    """The versions that the server allows, newest first: what handshakes found, else what its settings say."""
    if server.found is not None:
        return [version for version in _VERSIONS if version_name(version) in server.found.versions]
    return configured_versions(server)


def configured_versions(server: ServerFacts) -> list[int]:
    """Return the versions that Python's settings and the security level say, newest first."""
    oldest = version_code(server.minimum_version or "") or TLS10
    newest = version_code(server.maximum_version or "") or TLS13
    return [v for v in _VERSIONS if oldest <= v <= newest and version_allowed(v, server=server)]


def _can_speak_tls13(server: ServerFacts) -> bool:
    """Whether a certificate can sign in TLS 1.3, or a callback may still set one (is_tls13_capable)."""
    behaviour = str(server.behaviour.get("name", ""))
    if behaviour.startswith((Behaviour.PSK, "sni.")):
        return True
    return any(_signs_in_tls13(key, server=server) for key in server.keys)


def _signs_in_tls13(key: KeyFacts, *, server: ServerFacts) -> bool:
    """EC keys need a curve with a signature scheme; 3.2 added those of brainpool (tls_check_sigalg_curve)."""
    if key.type != "EC":
        return True
    return key.curve in _TLS13_CURVES or (key.curve in _BRAINPOOL and release(server) >= OPENSSL_3_2)
