"""Real wire material for the wire tests: recorded ClientHellos, and sessions generated with CPython's ssl."""

from __future__ import annotations

import datetime
import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from harness.model import Side, WireChunk

with warnings.catch_warnings():
    # tlslite-ng imports asyncore if Python still has it; warnings are errors in this project's tests.
    warnings.simplefilter("ignore", DeprecationWarning)
    import tlslite.api  # noqa: F401 - imported here once, so that the test files find it loaded

TEXT = b"Hallo, Server! application text"


@dataclass(frozen=True)
class Identity:
    """A key and a self-signed certificate as files, and the certificate's DER."""

    certificate: Path
    key: Path
    der: bytes


@dataclass(frozen=True)
class Session:
    """The bytes between two real ssl ends, the error of each, and the secrets."""

    chunks: tuple[WireChunk, ...]
    client_error: ssl.SSLError | None
    server_error: ssl.SSLError | None
    key_log: str
    cipher: tuple[str, str, int] | None


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Identity]:
    """Make (once) an identity for the key type `EC` or `RSA`; the key never leaves the temporary directory."""
    folder = tmp_path_factory.mktemp("identity")
    made: dict[str, Identity] = {}

    def make(key_type: str) -> Identity:
        if key_type not in made:
            made[key_type] = _make_identity(folder, key_type=key_type)
        return made[key_type]

    return make


@pytest.fixture
def tls_session(tmp_path: Path, identity: Callable[[str], Identity]) -> Callable[..., Session]:
    """Run a handshake, one text each way and a close between two ssl ends in memory, and record every byte."""

    def run(
        version: ssl.TLSVersion,
        *,
        key_type: str = "EC",
        server_setup: Callable[[ssl.SSLContext], None] | None = None,
        client_setup: Callable[[ssl.SSLContext], None] | None = None,
        text: bytes = TEXT,
    ) -> Session:
        files = identity(key_type)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(files.certificate, files.key)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
        for context in (server, client):
            context.minimum_version = version
            context.maximum_version = version
        log = tmp_path / f"keys-{version.name}-{key_type}.log"
        server.keylog_filename = str(log)
        if server_setup is not None:
            server_setup(server)
        if client_setup is not None:
            client_setup(client)
        talk = _Talk(client, server)
        talk.handshake()
        if talk.client_error is None and talk.server_error is None:
            talk.exchange(text)
        return Session(
            chunks=tuple(talk.chunks),
            client_error=talk.client_error,
            server_error=talk.server_error,
            key_log=log.read_text(encoding="ascii"),
            cipher=talk.server.cipher(),
        )

    return run


class _Talk:
    """Two ssl ends connected through memory; all bytes are recorded, one millisecond apart."""

    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext) -> None:
        self._to_client, self._to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._from_client, self._from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self._to_client, self._from_client, server_hostname="tls.test")
        self.server = server.wrap_bio(self._to_server, self._from_server, server_side=True)
        self.client_error: ssl.SSLError | None = None
        self.server_error: ssl.SSLError | None = None
        self.chunks: list[WireChunk] = []

    def handshake(self) -> None:
        """Take turns until both are done, or one failed and the other has read its alert."""
        client_done = server_done = False
        while not (client_done and server_done):
            client_done = client_done or self._step(self.client, side=Side.CLIENT)
            moved = self._move(Side.CLIENT)
            server_done = server_done or self._step(self.server, side=Side.SERVER)
            moved = self._move(Side.SERVER) or moved
            if not moved:
                break

    def exchange(self, text: bytes) -> None:
        """Send the text both ways and close both."""
        self.client.write(text)
        self._move(Side.CLIENT)
        assert text == self.server.read(len(text))
        self.server.write(text)
        self._move(Side.SERVER)
        assert text == self.client.read(len(text))
        for end, side in ((self.client, Side.CLIENT), (self.server, Side.SERVER)):
            try:
                end.unwrap()
            except ssl.SSLWantReadError:
                pass
            self._move(side)

    def _step(self, end: ssl.SSLObject, *, side: Side) -> bool:
        """Advance one end's handshake; True once it has nothing more to do."""
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            if side is Side.CLIENT:
                self.client_error = self.client_error or error
            else:
                self.server_error = self.server_error or error
        return True

    def _move(self, sender: Side) -> bool:
        """Transfer the output of one end; return whether there was any."""
        source, target = (
            (self._from_client, self._to_server) if sender is Side.CLIENT else (self._from_server, self._to_client)
        )
        data = source.read()
        if data:
            self.chunks.append(WireChunk(sender=sender, at_ms=float(len(self.chunks)), data=data))
            target.write(data)
        return bool(data)


def _make_identity(folder: Path, *, key_type: str) -> Identity:
    """Make a key and a self-signed certificate for `tls.test`."""
    key = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if key_type == "RSA"
        else ec.generate_private_key(ec.SECP256R1())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tls.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / f"{key_type}.pem", folder / f"{key_type}.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return Identity(
        certificate=certificate_file, key=key_file, der=certificate.public_bytes(serialization.Encoding.DER)
    )
