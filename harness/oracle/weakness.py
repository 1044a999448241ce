"""What is weak in a session, from what was negotiated and from the certificates that were used. Pure.

A session is weak without forward secrecy, with a key under 2048 bits (RSA, Diffie-Hellman) or 224 bits (elliptic curves), with a SHA-1
or MD5 signature, or below TLS 1.2. HMAC-SHA1 alone is not weak: no attack on SHA-1 applies to it.
"""

from __future__ import annotations

import re

from harness.certificates.reading import key_facts
from harness.certificates.weakness import EC_BITS, RSA_BITS, weak_links
from harness.model import KeyFacts, Negotiated, ServerFacts
from harness.oracle.prediction.signatures import choose_tls13, keys_by_type
from harness.wire.reading import WireReading
from harness.wire.suites import suite_code, suite_info
from harness.wire.versions import TLS10, TLS11, TLS12, TLS13, version_code, version_name

_CURVE_BITS = re.compile(r"(?:secp|sect)(\d+)")
_VERSION_TEXTS = {TLS10: "TLS 1.0", TLS11: "TLS 1.1"}
_WEAK_HASHES = {"sha1": "SHA-1", "md5": "MD5"}


def weaknesses(negotiated: Negotiated, wire: WireReading, *, facts: ServerFacts | None) -> tuple[str, ...]:
    """Return what is weak in a session, a few words each; empty if nothing known is.

    Args:
        negotiated: version, suite and group.
        wire: the recording. TLS 1.3 encrypts the certificates: there the server's own settings say which one was sent.
        facts: of a server that is ours.
    """
    signed = None if wire.certificates else _key_of_tls13(negotiated, wire, facts=facts)
    chain = signed.weak if signed is not None else weak_links(wire.certificates)
    client = weak_links(wire.client_certificates or ())
    found = (
        *_version(negotiated),
        *_key_exchange(negotiated, wire),
        *_handshake_signature(wire),
        *(f"server's {text}" for text in chain),
        *(f"client's {text}" for text in client),
    )
    return tuple(found)


def _version(negotiated: Negotiated) -> tuple[str, ...]:
    code = version_code(negotiated.version or "")
    return () if code is None or code >= TLS12 else (_VERSION_TEXTS.get(code, "SSL 3.0"),)


def _key_exchange(negotiated: Negotiated, wire: WireReading) -> tuple[str, ...]:
    code = suite_code(negotiated.suite or "")
    suite = suite_info(code) if code is not None else None
    if suite is not None and not suite.forward_secret:
        return ("no forward secrecy",)
    if wire.dh_bits is not None and wire.dh_bits < RSA_BITS:
        return (f"{wire.dh_bits}-bit Diffie-Hellman key",)
    bits = curve_bits(negotiated.group or "")
    return (f"{bits}-bit group",) if bits is not None and bits < EC_BITS else ()


def curve_bits(group: str) -> int | None:
    """Return the size of an elliptic curve whose IANA name has it; None for any other group."""
    found = _CURVE_BITS.match(group)
    return None if found is None else int(found[1])


def _handshake_signature(wire: WireReading) -> tuple[str, ...]:
    hashes = (name for word, name in _WEAK_HASHES.items() if word in (wire.signature_algorithm or "").split("_"))
    return tuple(f"{name} signature in the handshake" for name in hashes)


def used_key(negotiated: Negotiated, wire: WireReading, *, facts: ServerFacts | None) -> KeyFacts | None:
    """Return the server's key that a session used; None if nothing shows it. Args as for `weaknesses`."""
    if not wire.certificates:
        return _key_of_tls13(negotiated, wire, facts=facts)
    try:
        return key_facts(wire.certificates)
    except ValueError:
        return None  # damaged on purpose, or of a type that TLS does not support


def _key_of_tls13(negotiated: Negotiated, wire: WireReading, *, facts: ServerFacts | None) -> KeyFacts | None:
    """The key that signed, by the server's settings."""
    hello = wire.retried_hello or wire.client_hello
    if negotiated.version != version_name(TLS13) or hello is None or facts is None:
        return None
    scheme = choose_tls13(hello, server=facts)
    return keys_by_type(facts).get(scheme.key_type) if scheme is not None else None
