"""What is weak in a session: derived from version, suite, group, signatures and certificates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from harness.model import HelloFacts, KeyFacts, Negotiated, ServerFacts
from harness.oracle.weakness import used_key, weaknesses
from harness.wire.reading import WireReading

MakeServer = Callable[..., ServerFacts]
MakeHello = Callable[..., HelloFacts]
GOOD = Negotiated(version="TLSv1.2", suite="TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", group="secp256r1")
WEAK_KEY = KeyFacts(type="RSA", bits=1024, weak=("1024-bit RSA key",))
EC_KEY = KeyFacts(type="EC", bits=256, curve="secp256r1")


@pytest.fixture(scope="module")
def weak_chain() -> bytes:
    """A certificate of a short RSA key."""
    key = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "short")])
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    )
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    made = builder.not_valid_before(moment).not_valid_after(moment.replace(year=2035)).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        # HMAC-SHA1 alone is not weak.
        ({"suite": "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"}, ()),
        ({"suite": "TLS_RSA_WITH_AES_256_GCM_SHA384", "group": None}, ("no forward secrecy",)),
        ({"suite": "TLS_PSK_WITH_AES_128_GCM_SHA256", "group": None}, ("no forward secrecy",)),
        ({"suite": "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA"}, ("no forward secrecy",)),
        ({"suite": "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"}, ()),
        ({"version": "TLSv1.1"}, ("TLS 1.1",)),
        ({"version": "TLSv1"}, ("TLS 1.0",)),
        ({"version": "SSLv3"}, ("SSL 3.0",)),
        ({"version": "TLSv1.3", "suite": "TLS_AES_128_GCM_SHA256"}, ()),
        ({"version": "TLSv1", "suite": "TLS_RSA_WITH_AES_128_CBC_SHA"}, ("TLS 1.0", "no forward secrecy")),
        ({"group": "secp192r1"}, ("192-bit group",)),
        ({"group": "secp224r1"}, ()),
        ({"group": "x25519"}, ()),
        ({"suite": None, "version": None, "group": None}, ()),
        ({"suite": "TLS_SOMETHING_NEW"}, ()),
    ],
)
def test_what_was_negotiated(changes: dict[str, str | None], expected: tuple[str, ...]) -> None:
    """Version, suite and group; nothing is said of what is not known."""
    assert weaknesses(replace(GOOD, **changes), WireReading(), facts=None) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bits", "expected"),
    [(1024, ("1024-bit Diffie-Hellman key",)), (2047, ("2047-bit Diffie-Hellman key",)), (2048, ())],
)
def test_diffie_hellman(bits: int, expected: tuple[str, ...]) -> None:
    """Ephemeral keys over a short prime."""
    dhe = Negotiated(version="TLSv1.2", suite="TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")
    assert weaknesses(dhe, WireReading(dh_bits=bits), facts=None) == expected


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ("rsa_pkcs1_sha1", ("SHA-1 signature in the handshake",)),
        ("ecdsa_sha1", ("SHA-1 signature in the handshake",)),
        ("rsa_pkcs1_md5", ("MD5 signature in the handshake",)),
        ("rsa_pkcs1_sha256", ()),
        ("ed25519", ()),
        (None, ()),
    ],
)
def test_signature_of_the_handshake(scheme: str | None, expected: tuple[str, ...]) -> None:
    """The signature of ServerKeyExchange counts as well as those under certificates."""
    assert weaknesses(GOOD, WireReading(signature_algorithm=scheme), facts=None) == expected


def test_chains_of_both_sides(weak_chain: bytes) -> None:
    """What crossed the wire counts, whatever the settings say; the side is named."""
    wire = WireReading(certificates=(weak_chain,), client_certificates=(weak_chain,))
    assert weaknesses(GOOD, wire, facts=None) == ("server's 1024-bit RSA key", "client's 1024-bit RSA key")


def test_hidden_certificates_of_tls13(build_hello: MakeHello, build_server: MakeServer) -> None:
    """TLS 1.3 encrypts them: the key that the settings choose for this hello is the one that was used."""
    hello = build_hello(versions="0304", shares=("0017",), suites="1301", signatures="04030804")
    session = Negotiated(version="TLSv1.3", suite="TLS_AES_128_GCM_SHA256", group="secp256r1")
    wire = WireReading(client_hello=hello)
    assert weaknesses(session, wire, facts=build_server(WEAK_KEY)) == ("server's 1024-bit RSA key",)
    assert weaknesses(session, wire, facts=build_server(WEAK_KEY, EC_KEY)) == ()
    # After a HelloRetryRequest the second hello counts.
    first = WireReading(client_hello=replace(hello, signature_algorithms=("0804",)), retried_hello=hello)
    assert weaknesses(session, first, facts=build_server(WEAK_KEY, EC_KEY)) == ()
    assert weaknesses(session, wire, facts=None) == ()
    assert weaknesses(GOOD, wire, facts=build_server(WEAK_KEY)) == ()


def test_the_key_that_a_session_used(weak_chain: bytes, build_hello: MakeHello, build_server: MakeServer) -> None:
    """The certificate that was sent; in TLS 1.3 the key that the settings choose; nothing where a certificate cannot be read."""
    both = build_server(WEAK_KEY, EC_KEY)
    sent = used_key(GOOD, WireReading(certificates=(weak_chain,)), facts=both)
    assert sent is not None
    assert (sent.type, sent.bits) == ("RSA", 1024)
    hello = build_hello(versions="0304", shares=("0017",), suites="1301", signatures="04030804")
    session = Negotiated(version="TLSv1.3", suite="TLS_AES_128_GCM_SHA256", group="secp256r1")
    assert used_key(session, WireReading(client_hello=hello), facts=both) == EC_KEY
    assert used_key(session, WireReading(client_hello=hello), facts=None) is None
    assert used_key(GOOD, WireReading(certificates=(b"broken",)), facts=both) is None
