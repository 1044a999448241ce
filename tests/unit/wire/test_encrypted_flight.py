"""The encrypted handshake of TLS 1.3, against sessions of a real OpenSSL."""

import ssl

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from harness.model import Side, WireChunk
from harness.wire.encrypted_flight import encrypted_messages
from harness.wire.reading import read_wire

SERVER_FLIGHT = [
    ("server", "EncryptedExtensions"),
    ("server", "Certificate"),
    ("server", "CertificateVerify"),
    ("server", "Finished"),
]
# RFC 8448 section 3, "{server} derive write traffic keys for handshake data".
RFC_8448_SECRET = bytes.fromhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38")
RFC_8448_KEY = bytes.fromhex("3fce516009c21727d0f2e4e86ee403bc")
RFC_8448_IV = bytes.fromhex("5d313eb2671276ee13000b30")


def expanded(label, length):
    """HKDF-Expand-Label with an empty context (RFC 8446 section 7.1)."""
    full = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0"
    return HKDFExpand(algorithm=hashes.SHA256(), length=length, info=info).derive(RFC_8448_SECRET)


def names(session, chunks=None, *, key_log=None):
    """What was encrypted, as words."""
    suite = read_wire(session.chunks).server_hello.suite
    log = session.key_log if key_log is None else key_log
    return [(str(side), name) for side, name in encrypted_messages(chunks or session.chunks, key_log=log, suite=suite)]


@pytest.fixture
def session(tls_session):
    """A TLS 1.3 session."""
    return tls_session(ssl.TLSVersion.TLSv1_3)


def test_both_flights(session):
    """The server's flight in its order, and the client's Finished; tickets and data after it are not read."""
    assert names(session) == [*SERVER_FLIGHT, ("client", "Finished")]


def test_requested_certificate(tls_session):
    """The request and the client's empty Certificate are messages of their own; the server then refuses."""

    def requires(context):
        context.verify_mode = ssl.CERT_REQUIRED

    found = names(tls_session(ssl.TLSVersion.TLSv1_3, server_setup=requires))
    assert found[1] == ("server", "CertificateRequest")
    assert found[-2:] == [("client", "Certificate"), ("client", "Finished")]


@pytest.mark.parametrize("suite", [0x1301, 0x1303])
def test_suites(suite):
    """The suites that OpenSSL does not choose by itself: the key is derived as in the traces of RFC 8448 section 3."""
    if suite == 0x1301:
        cipher, iv = AESGCM(RFC_8448_KEY), RFC_8448_IV
    else:
        cipher, iv = ChaCha20Poly1305(expanded(b"key", 32)), expanded(b"iv", 12)
    inner = bytes([8, 0, 0, 2, 0, 0]) + bytes([11, 0, 1, 0]) + b"\x16" + b"\0" * 5
    header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
    chunk = WireChunk(sender=Side.SERVER, at_ms=0.0, data=header + cipher.encrypt(iv, inner, header))
    log = f"SERVER_HANDSHAKE_TRAFFIC_SECRET 00 {RFC_8448_SECRET.hex()}\n"
    found = encrypted_messages((chunk,), key_log=log, suite=suite)
    assert found == ((Side.SERVER, "EncryptedExtensions"), (Side.SERVER, "Certificate"))


def test_pieces_of_any_size(session):
    """The cuts between pieces do not matter."""
    bytewise = [
        WireChunk(sender=chunk.sender, at_ms=chunk.at_ms, data=bytes([byte]))
        for chunk in session.chunks
        for byte in chunk.data
    ]
    assert names(session, bytewise) == names(session)


def test_without_secrets(session):
    """Nothing can be read without the secrets, with broken ones, or for a suite of TLS 1.2."""
    assert names(session, key_log="") == []
    assert names(session, key_log="SERVER_HANDSHAKE_TRAFFIC_SECRET 00 zz\n") == []
    assert encrypted_messages(session.chunks, key_log=session.key_log, suite=0xC02B) == ()


def test_foreign_secrets(session, tls_session):
    """Secrets of another connection open nothing: a record that does not decrypt is no evidence."""
    assert names(session, key_log=tls_session(ssl.TLSVersion.TLSv1_3, key_type="RSA").key_log) == []


def test_a_changed_record_ends_its_side(session):
    """A bit changed in the server's flight leaves nothing of it, and the other side as it was."""
    server = next(place for place, chunk in enumerate(session.chunks) if chunk.sender is Side.SERVER)
    chunks = list(session.chunks)
    data = bytearray(chunks[server].data)
    data[-1] ^= 1
    chunks[server] = WireChunk(sender=Side.SERVER, at_ms=0.0, data=bytes(data))
    found = names(session, chunks)
    assert ("server", "Finished") not in found
    assert found[-1] == ("client", "Finished")
