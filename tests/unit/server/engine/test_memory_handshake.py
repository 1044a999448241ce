"""A ClientHello of our own to a context in memory: what is asked, and what is read of the answer."""

from __future__ import annotations

import ssl

import pytest

from harness.certificates import Certificates
from harness.server.engine import memory_handshake
from harness.server.engine.memory_handshake import ask
from harness.wire.handshake import read_client_hello

TLS11, TLS12, TLS13 = 0x0302, 0x0303, 0x0304
P256, P384, X25519 = 0x0017, 0x0018, 0x001D
ECDSA, RSA = 0x0403, 0x0401
AES13, ECDHE_ECDSA = 0x1301, 0xC02B


@pytest.fixture
def context(certificates: Certificates) -> ssl.SSLContext:
    """A server with a P-256 key."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    files = certificates.make("server-p256")
    made.load_cert_chain(files.chain_file, files.key_file)
    return made


def test_group_of_a_server_key_exchange(context: ssl.SSLContext) -> None:
    """In TLS 1.2 the server signs for the group it chose, in its own order; the key's curve must be listed."""
    answer = ask(context, TLS12, suites=(ECDHE_ECDSA,), groups=(P384, P256), signatures=(ECDSA,))
    assert (answer.reason, answer.alert, answer.group) == (None, None, P256)


def test_group_of_a_hello_retry_request(context: ssl.SSLContext) -> None:
    """In TLS 1.3 there is no key share, so the server asks for one."""
    answer = ask(context, TLS13, suites=(AES13,), groups=(P384, X25519), signatures=(ECDSA,))
    assert (answer.reason, answer.alert, answer.group) == (None, None, X25519)


@pytest.mark.parametrize(
    ("version", "suites", "groups", "signatures", "reason", "alert"),
    [
        (TLS13, (AES13,), (0x0015,), (ECDSA,), "NO_SUITABLE_KEY_SHARE", 40),
        (TLS13, (AES13,), (P256,), (0x0403 + 0xF000,), "NO_SHARED_SIGNATURE_ALGORITHMS", 40),
        (TLS12, (0x0000,), (P256,), (ECDSA,), "NO_SHARED_CIPHER", 40),
        (TLS12, (0x0000,), (P256,), (0xF403,), "NO_SHARED_SIGNATURE_ALGORITHMS", 40),
    ],
)
def test_refusals(
    context: ssl.SSLContext, version: int, suites: tuple[int, ...], groups: tuple[int, ...],
    signatures: tuple[int, ...], reason: str, alert: int,
) -> None:  # fmt: skip
    """A refusal has its reason and its alert, and no group."""
    answer = ask(context, version, suites=suites, groups=groups, signatures=signatures)
    assert (answer.reason, answer.alert, answer.group) == (reason, alert, None)


def test_version_that_is_not_spoken(context: ssl.SSLContext) -> None:
    """protocol_version differs from every other refusal by its alert."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    assert ask(context, TLS11, suites=(0,), groups=(P256,), signatures=(ECDSA,)).alert == 70


def test_hello_is_one_that_our_reader_reads() -> None:
    """Versions, suites, groups, signature algorithms and shares are in it as they were given; no name is."""
    data = memory_handshake._client_hello(TLS13, (AES13,), (P256, X25519), (ECDSA, RSA), (X25519,))
    hello = read_client_hello(data)
    assert hello is not None
    assert (hello.versions, hello.suites, hello.groups) == (("0304",), ("1301", "00ff"), ("0017", "001d"))
    assert (hello.signature_algorithms, hello.key_share_groups, hello.sni) == (("0403", "0401"), ("001d",), None)


def test_no_signature_algorithms_before_tls12() -> None:
    """The extension came with TLS 1.2 (RFC 5246 section 7.4.1.4.1)."""
    hello = read_client_hello(memory_handshake._client_hello(TLS11, (0x002F,), (P256,), (ECDSA,), ()))
    assert hello is not None
    assert (hello.versions, hello.signature_algorithms, hello.extensions) == (("0302",), (), (10, 11))
