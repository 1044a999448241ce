"""A ClientHello that we write is read by our own reader and answered by OpenSSL."""

import ssl

import pytest
from tlslite.messages import ClientHello
from tlslite.utils.codec import Parser

from harness.wire.handshake import parse_client_hello, read_client_hello
from harness.wire.hello_bytes import client_hello, composed_hello

WORDS = {"suites": [0xC02B, 0x003D], "groups": [0x17, 0x18], "signature_algorithms": [0x0403]}
HEADERS = 9


def test_tls12_as_our_reader_reads_it():
    """Our reader finds everything that was requested, and the signalling value."""
    data = client_hello(version=0x0303, name="broker.example", **WORDS)
    hello = parse_client_hello(data[HEADERS:], record_version=int.from_bytes(data[1:3], "big"))
    assert (hello.versions, hello.suites) == (("0303",), ("c02b", "003d", "00ff"))
    assert (hello.groups, hello.signature_algorithms) == (("0017", "0018"), ("0403",))
    assert (hello.sni, hello.extensions) == ("broker.example", (0, 10, 11, 13))


def test_tls13_as_another_reader_reads_it():
    """tlslite-ng finds only TLS 1.3, and a key share without a key."""
    data = client_hello(version=0x0304, **WORDS)
    other = ClientHello().parse(Parser(bytearray(data[HEADERS - 3 :])))
    versions, share = other.getExtension(43), other.getExtension(51)
    assert ([tuple(item) for item in versions.versions], share.client_shares) == ([(3, 4)], [])
    assert other.cipher_suites == [0xC02B, 0x003D, 0xFF]


def test_old_versions_have_no_signatures():
    """A TLS 1.1 hello has neither that extension nor, without groups, the other two."""
    data = client_hello(version=0x0302, suites=[0x2F], groups=[], signature_algorithms=[0x0403])
    hello = parse_client_hello(data[HEADERS:], record_version=0x0301)
    assert (hello.versions, hello.extensions) == (("0302",), ())


def test_extensions_that_no_board_sends():
    """Our reader finds the application protocols in their order, and the extended master secret, only if they were requested."""
    data = client_hello(version=0x0303, alpn=("h2", "http/1.1"), extended_master_secret=True, **WORDS)
    hello = parse_client_hello(data[HEADERS:], record_version=0x0301)
    assert (hello.alpn, hello.extensions) == (("h2", "http/1.1"), (10, 11, 13, 16, 23))


def test_openssl_accepts_the_hello():
    """A server without a certificate finds no suite, so it has read the whole hello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(client_hello(version=0x0303, **WORDS))
    with pytest.raises(ssl.SSLError) as caught:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    assert caught.value.reason == "NO_SHARED_CIPHER"


def test_a_list_that_is_too_long():
    """A list that is too long for its field is an error."""
    with pytest.raises(ValueError, match=r"^70002 bytes do not fit a field with 2 bytes of length$"):
        client_hello(version=0x0303, suites=[1] * 35000, groups=[], signature_algorithms=[])


def test_composed_hello():
    """A composed hello has its suites, extensions and record version as given, an empty session id and no time in its random."""
    data = composed_hello(
        record_version=0x0301,
        suites=[0xC02B, 0xFF],
        groups=[0x17],
        signature_algorithms=[0x0403],
        extensions=(0, 13, 10, 11, 22, 35),
        name="tls.test",
    )
    hello = read_client_hello(data)
    assert (hello.record_version, hello.versions, hello.suites) == ("0301", ("0303",), ("c02b", "00ff"))
    assert (hello.groups, hello.signature_algorithms, hello.sni) == (("0017",), ("0403",), "tls.test")
    assert hello.extensions == (0, 13, 10, 11, 22, 35)
    assert data[HEADERS + 34] == 0
