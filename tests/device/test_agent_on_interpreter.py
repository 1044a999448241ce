"""The agent on a real MicroPython interpreter against a real Python ssl server on 127.0.0.1."""

from __future__ import annotations

import datetime
import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.boards.agent.protocol import (
    AGENT_FILE,
    FIRST_NUMBERS,
    VERSION,
    VERSION_CODE,
    Answer,
    RunRequest,
    blob_name,
    put_code,
    put_pieces,
    read_answer,
    read_objects,
)
from harness.boards.agent.scripts import agent_pieces, script
from harness.model import Stage

GREETING = b"Hallo, Client!"
RESIDENT_LIMIT_64_BIT = 16 * 1024


def put_codes(data: bytes) -> list[str]:
    """Return the calls that store a blob under its own name."""
    return [
        put_code(blob_name(data), piece, number=1, kind="c", more=index > 0)
        for index, piece in enumerate(put_pieces(data))
    ]


def load_code() -> str:
    """Load the checksums and the agent from its file, as a session does."""
    sizes = tuple(map(len, agent_pieces()))
    return f"{script('line')}{script('load')}th_load({AGENT_FILE!r},{sizes})"


@dataclass(frozen=True)
class Identity:
    """Return a temporary self-signed P-256 certificate, valid now, for tls.test and 127.0.0.1."""

    pem_path: Path
    der: bytes
    key_der: bytes


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Make the certificate once for this file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tls.test")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("tls.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, form, plain)
    path = tmp_path_factory.mktemp("identity") / "both.pem"
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    der_key = key.private_bytes(serialization.Encoding.DER, form, plain)
    return Identity(pem_path=path, der=certificate.public_bytes(serialization.Encoding.DER), key_der=der_key)


class Server:
    """A Python TLS server: one connection at a time, each error recorded, drained before it is closed."""

    def __init__(self, context: ssl.SSLContext, answer: bytes, expect: int) -> None:
        self._received: queue.Queue[bytes] = queue.Queue()
        self._errors: queue.Queue[str | None] = queue.Queue()
        self._context, self._answer, self._expect = context, answer, expect
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(60)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            peer.settimeout(60)
            try:
                with self._context.wrap_socket(peer, server_side=True) as wrapped:
                    data = wrapped.recv(65536)
                    while data and len(data) < self._expect:
                        data += wrapped.recv(65536)
                    self._received.put(data)
                    wrapped.sendall(self._answer)
            except ssl.SSLError as error:
                self._errors.put(error.reason)
                peer.close()
            except OSError as error:
                self._errors.put(type(error).__name__)

    def received(self, count: int) -> list[bytes]:
        """Return what the next connections sent; waits for the server's thread."""
        return [self._received.get(timeout=60) for _ in range(count)]

    def error(self) -> str | None:
        """Return the reason of the next failed connection; waits for the server's thread."""
        return self._errors.get(timeout=60)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(60)


@pytest.fixture
def serve(identity: Identity) -> Iterator[Callable[..., Server]]:
    """Start servers with this file's certificate."""
    started: list[Server] = []

    def start(*, answer: bytes = GREETING, expect: int = 1, **settings: Any) -> Server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        for name, value in settings.items():
            setattr(context, name, value)
        context.load_cert_chain(identity.pem_path)
        if settings.get("verify_mode"):
            context.load_verify_locations(identity.pem_path)
        started.append(Server(context, answer, expect))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def ask(run_on: Callable[[str], bytes]) -> Callable[..., list[Answer]]:
    """Import the agent, store blobs, run requests; return one answer each."""

    def run(*requests: RunRequest, blobs: tuple[bytes, ...] = ()) -> list[Answer]:
        puts = [code for blob in blobs for code in put_codes(blob)]
        printed = run_on("\n".join([load_code(), *puts, *(request.code(number=1, kind="c") for request in requests)]))
        lines = [line + b"\n" for line in printed.split(b"\n") if b'"stored"' not in line and b"#th" in line]
        answers = [read_answer(line) for line in lines]
        assert len(answers) == len(requests)
        return [answer for answer in answers if answer is not None]

    return run


@pytest.fixture
def usual(identity: Identity) -> RunRequest:
    """Return the usual request: verified, text both ways. The port is not set yet."""
    return RunRequest(
        host="127.0.0.1",
        name="tls.test",
        verify=2,
        ca=(blob_name(identity.der),),
        recv=len(GREETING),
        timeout_ms=8000,
    )


def test_version_answers(run_on: Callable[[str], bytes]) -> None:
    """The names are globals after the import, and the agent says which protocol it speaks."""
    assert read_objects(run_on(f"{load_code()}\n{VERSION_CODE}")) == [{"kind": "version", "version": VERSION}]


def test_connects_with_verification(ask: Any, serve: Any, usual: RunRequest, identity: Identity) -> None:
    """Texts, times and heap are reported; also with a reused context. Sent is the number of the exec."""
    server = serve()
    answers = ask(*[replace(usual, port=server.port)] * 3, blobs=(identity.der,))
    for answer in answers:
        assert (answer.kind, answer.text) == ("result", GREETING.decode())
        assert min(answer.connect_ms, answer.handshake_ms, answer.exchange_ms) >= 0
        assert min(answer.free_before, answer.free_after) > 0
    assert server.received(3) == [b"Hallo, Server! 000000001"] * 3


def test_what_an_open_session_holds(run_on: Any, serve: Any, usual: RunRequest, identity: Identity) -> None:
    """`held` is how much less heap is free while the session is open. It is not measured in a process, where TLS uses malloc.

    If this interpreter is treated as a board, it counts the few objects of a session that are in its heap.
    """
    port = serve().port
    code = replace(usual, port=port).code(number=1, kind="c")
    stored = put_codes(identity.der)
    board = "th_inside = True"
    for prelude, expected in (((), False), ((board,), True)):
        printed = run_on("\n".join([load_code(), *prelude, *stored, code]))
        answer = read_answer(printed.splitlines()[-1] + b"\n")
        assert answer is not None
        assert answer.kind == "result"
        assert (answer.held is not None) is expected
    assert 0 < answer.held < 20_000
    assert answer.free_before - answer.free_after < answer.held


def test_one_case_stays_below_512_bytes(run_on: Any, serve: Any, usual: RunRequest, identity: Identity) -> None:
    """Request, answer and raw-paste marks of the usual case, in both directions together."""
    code = replace(usual, port=serve().port).code(number=FIRST_NUMBERS.start, kind="c")
    printed = run_on("\n".join([load_code(), *put_codes(identity.der), code]))
    answer = printed.splitlines()[-1]
    assert answer.startswith(b"#th ")
    raw_paste = len(b"\x05A\x01R\x01\x80\x00\x01\x01\x01\x04\x04\x04\x04>")
    assert len(code) + len(answer) + raw_paste < 460


def test_wrong_authority(ask: Any, serve: Any, usual: RunRequest) -> None:
    """With an unrelated CA the client refuses in the handshake, and the server gets the reason."""
    other = _other_certificate()
    server = serve()
    (answer,) = ask(replace(usual, port=server.port, ca=(blob_name(other),)), blobs=(other,))
    assert (answer.kind, answer.stage, answer.type) == ("exception", Stage.HANDSHAKE, "ValueError")
    assert "not correctly signed by the trusted CA" in answer.args[0]
    assert server.error() == "TLSV1_ALERT_UNKNOWN_CA"


def test_no_shared_cipher(ask: Any, serve: Any, usual: RunRequest) -> None:
    """With a suite that does not match the server's key, both sides report their exact errors."""
    suites = b"TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256,TLS-RSA-WITH-AES-128-CBC-SHA"
    server = serve()
    (answer,) = ask(replace(usual, port=server.port, verify=0, ca=(), suites=blob_name(suites)), blobs=(suites,))
    assert (answer.stage, answer.type, answer.args[0]) == (Stage.HANDSHAKE, "OSError", -30592)
    assert server.error() == "NO_SHARED_CIPHER"


def test_the_boards_own_certificate(ask: Any, serve: Any, usual: RunRequest, identity: Identity) -> None:
    """Mutual TLS with DER (SEC1) blobs."""
    server = serve(verify_mode=ssl.CERT_REQUIRED)
    request = replace(usual, port=server.port, cert=blob_name(identity.der), key=blob_name(identity.key_der))
    (answer,) = ask(request, blobs=(identity.der, identity.key_der))
    assert (answer.kind, answer.text) == ("result", GREETING.decode())


def test_settings_refused_before_any_connection(ask: Any, serve: Any, usual: RunRequest) -> None:
    """An invalid CA or key, unknown suites, and CERT_REQUIRED without a name fail at stage config."""
    server = serve()
    junk, suite = b"junk", b"TLS-NOPE"
    plain = replace(usual, port=server.port, ca=(), verify=0)
    answers = ask(
        replace(plain, ca=(blob_name(junk),), verify=2),
        replace(plain, cert=blob_name(junk), key=blob_name(junk)),
        replace(plain, suites=blob_name(suite)),
        replace(plain, name=None, verify=2),
        blobs=(junk, suite),
    )
    assert [answer.stage for answer in answers] == [Stage.CONFIG] * 4
    assert [answer.type for answer in answers] == ["ValueError", "ValueError", "OSError", "ValueError"]
    assert answers[2].args[0] == -24192


def test_much_data_both_ways(ask: Any, serve: Any, usual: RunRequest, identity: Identity) -> None:
    """`send` pads the text, `recv` counts bytes; the answer's text stays short."""
    server = serve(answer=b"y" * 40000, expect=4000)
    (answer,) = ask(replace(usual, port=server.port, send=4000, recv=40000), blobs=(identity.der,))
    assert (answer.kind, answer.text, answer.size) == ("result", "y" * 64, 40000)
    assert server.received(1) == [b"Hallo, Server! 000000001" + b"x" * 3976]


def test_read_to_the_end(ask: Any, serve: Any, usual: RunRequest, identity: Identity) -> None:
    """The end of the stream is no error."""
    server = serve(answer=b"abc")
    (answer,) = ask(replace(usual, port=server.port, recv=None, read_to_end=True), blobs=(identity.der,))
    assert (answer.kind, answer.text) == ("result", "abc")


def test_close_right_after_the_handshake(ask: Any, serve: Any, usual: RunRequest, identity: Identity) -> None:
    """`close_first` writes and reads nothing."""
    server = serve()
    (answer,) = ask(replace(usual, port=server.port, close_first=True), blobs=(identity.der,))
    assert (answer.kind, answer.text, answer.stage) == ("result", None, None)


def test_a_silent_server_times_out(ask: Any, usual: RunRequest, identity: Identity) -> None:
    """The timeout holds in the handshake too: ETIMEDOUT, not a hang."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        request = replace(usual, port=listener.getsockname()[1], timeout_ms=200)
        (answer,) = ask(request, blobs=(identity.der,))
    assert (answer.stage, answer.type, answer.args[0]) == (Stage.HANDSHAKE, "OSError", 110)


def test_no_listener(ask: Any, usual: RunRequest, identity: Identity, closed_port: int) -> None:
    """The stage is connect, with the port's own errno."""
    (answer,) = ask(replace(usual, port=closed_port), blobs=(identity.der,))
    assert (answer.stage, answer.type, answer.args[0], answer.handshake_ms) == (Stage.CONNECT, "OSError", 111, None)


def test_a_missing_blob(ask: Any, usual: RunRequest, closed_port: int) -> None:
    """The answer contains the name of the blob."""
    (answer,) = ask(replace(usual, port=closed_port))
    assert (answer.kind, answer.blob) == ("error", usual.ca[0])


@pytest.mark.parametrize("mode", ["file", "ram"])
def test_heap_that_stays_taken(
    run_on: Any, mode: str, serve: Any, usual: RunRequest, tmp_path: Path, agent_source: str
) -> None:
    """The idle agent takes at most 16 KB of a 64-bit interpreter's heap, before and after a connection."""
    (tmp_path / "agent_in_ram").write_text(agent_source, encoding="ascii")
    load = load_code() if mode == "file" else "exec(open('agent_in_ram').read(), globals())"
    run = replace(usual, port=serve().port, verify=0, ca=()).code(number=1, kind="c")
    measure = "gc.collect()\nprint(gc.mem_alloc() - before)"
    printed = run_on(f"import gc\ngc.collect()\nbefore = gc.mem_alloc()\n{load}\n{measure}\n{run}\n{measure}")
    numbers = [int(line) for line in printed.split(b"\n") if line.strip().isdigit()]
    assert len(numbers) == 2
    assert max(numbers) <= RESIDENT_LIMIT_64_BIT


def _other_certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "someone else")])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
