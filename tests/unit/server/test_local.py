"""The server in this process against real clients: what each side sees, and cleanup."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import Certificates
from harness.errors import ServerError
from harness.model import ServerFailure, ServerProfile, ServerReport, Side, Stage, Verify
from harness.server import Serving
from harness.server.local import LocalServer
from harness.system.deadline import Deadline
from harness.wire.pcapng import pcapng

P256 = ServerProfile(certificates=("server-p256",))
TALK = Serving(expect_bytes=14)
Run = Callable[..., tuple[Any, ServerReport]]


def plain_alerts(report: ServerReport) -> list[tuple[str, int, int]]:
    """List the alerts on the wire that are not encrypted."""
    found = []
    for side in Side:
        data = b"".join(chunk.data for chunk in report.wire if chunk.sender is side)
        while len(data) >= 5:
            length = int.from_bytes(data[3:5], "big")
            if data[0] == 21 and length == 2:
                found.append((side.value, data[5], data[6]))
            data = data[5 + length :]
    return found


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_text_goes_both_ways_and_is_recorded(run: Run, version: str) -> None:
    """A good session is exchanged, has no failure, and names version and suite by IANA."""
    profile = ServerProfile(certificates=("server-p256",), maximum_version=version)
    answer, report = run(profile)
    assert answer == b"Hallo, Client!"
    assert (report.failure, report.exchanged, report.received_text) == (None, True, "Hallo, Server!")
    assert report.negotiated_version == version
    assert report.negotiated_suite is not None
    assert report.negotiated_suite.startswith("TLS_")
    assert report.wire[0].sender is Side.CLIENT
    assert report.wire[0].data[:2] == b"\x16\x03"
    assert "CLIENT_" in report.key_log
    assert (report.peer, report.local, report.strangers) == ("127.0.0.1", "127.0.0.1", 0)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_the_record_opens_decrypted(run: Run, tmp_path: Path, version: str) -> None:
    """tshark, without any setting, shows the text of both sides and the record's times, addresses and ports, without errors."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed; apt-get install tshark")
    _answer, report = run(ServerProfile(certificates=("server-p256",), maximum_version=version))
    client, server = (report.peer or "", report.peer_port or 0), (report.local or "", report.local_port or 0)
    assert {(end.sender, end.how) for end in report.tcp_ends} == {(Side.CLIENT, "FIN"), (Side.SERVER, "FIN")}
    path = tmp_path / "case.pcapng"
    path.write_bytes(
        pcapng(
            report.wire,
            client=client,
            server=server,
            started_unix_s=report.started_unix_s,
            key_log=report.key_log,
            ends=report.tcp_ends,
        )
    )

    def shark(*arguments: str) -> list[str]:
        done = subprocess.run([tshark, "-r", str(path), *arguments], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    fields = [word for name in ("frame.time_epoch", "ip.src", "tcp.srcport", "tcp.len") for word in ("-e", name)]
    packets = [line.split("\t") for line in shark("-T", "fields", *fields)]
    senders = {Side.CLIENT: (client[0], str(client[1])), Side.SERVER: (server[0], str(server[1]))}
    assert {(source, port) for _at, source, port, _length in packets} == set(senders.values())
    seen = [(float(at), source, port, int(length)) for at, source, port, length in packets if length != "0"]
    assert seen == [
        (pytest.approx(report.started_unix_s + chunk.at_ms / 1000, abs=2e-6), *senders[chunk.sender], len(chunk.data))
        for chunk in report.wire
    ]
    texts = [bytes.fromhex(line) for line in shark("-Y", "data", "-T", "fields", "-e", "data.data")]
    assert texts == [b"Hallo, Server!", b"Hallo, Client!"]
    expert = "\n".join(shark("-q", "-z", "expert"))
    assert "Errors" not in expert
    assert "Warns" not in expert


def test_key_log_holds_only_this_connection(run: Run) -> None:
    """Each report carries the secrets of its own connection only."""
    profile = ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2")
    logs = [run(profile)[1].key_log for _ in range(2)]
    assert [len(log.splitlines()) for log in logs] == [1, 1]
    assert logs[0] != logs[1]


def test_end_of_file_after_the_exchange_is_success(run: Run, python_client: Callable[..., bytes]) -> None:
    """A client that closes without close_notify, as MicroPython does, leaves neither a failure nor an alert."""
    answer, report = run(P256, client=lambda port: python_client(port, notify=False))
    assert answer == b"Hallo, Client!"
    assert (report.failure, report.exchanged, report.timed_out) == (None, True, False)
    assert report.message_alerts == ()


def test_end_of_file_before_the_text_is_a_failure(run: Run, end_of_stream: tuple[str, str]) -> None:
    """A client that closes before its text is complete is reported with stage read."""
    serving = Serving(expect_bytes=100)

    def leave(port: int) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port)) as raw, context.wrap_socket(raw) as conn:
            conn.sendall(b"half")

    # TLS 1.2: a TLS 1.3 client closes with unread session tickets, and its kernel then resets the connection.
    _seen, report = run(ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2"), serving, client=leave)
    assert report.failure is not None
    assert (report.failure.type, report.failure.reason) == end_of_stream
    assert report.failure.stage is Stage.READ
    assert (report.exchanged, report.received_text) == (False, "half")


def test_client_closes_in_the_handshake(run: Run, end_of_stream: tuple[str, str]) -> None:
    """A connection without a ClientHello is the server's own end-of-file error."""

    def leave(port: int) -> None:
        socket.create_connection(("127.0.0.1", port)).close()

    _seen, report = run(P256, client=leave)
    assert report.failure is not None
    assert (report.failure.type, report.failure.reason) == end_of_stream
    assert (report.accepted, report.failure.stage) == (True, Stage.HANDSHAKE)


def test_received_alert_is_the_reason(run: Run, python_client: Callable[..., bytes]) -> None:
    """A client that does not trust the server sends alert 48, and the server names it."""
    profile = ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2")
    seen, report = run(profile, client=lambda port: python_client(port, ca="ca-other"))
    assert isinstance(seen, ssl.SSLCertVerificationError)
    assert report.failure is not None
    assert (report.failure.type, report.failure.reason) == ("SSLError", "TLSV1_ALERT_UNKNOWN_CA")
    assert plain_alerts(report) == [("client", 2, 48)]


def test_encrypted_alert_of_tls13_is_taken_from_the_message_callback(run: Run) -> None:
    """If this CPython has the private callback, TLS 1.3 alerts are known without decryption."""
    profile = ServerProfile(
        certificates=("server-p256",), minimum_version="TLSv1.3", verify=Verify.REQUIRED, client_ca=("ca-p256",)
    )
    seen, report = run(profile)
    assert isinstance(seen, ssl.SSLError)
    assert report.failure is not None
    assert report.failure.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    assert [(a.sender, a.code, a.name, a.encrypted) for a in report.message_alerts] == [
        (Side.SERVER, 116, "certificate_required", True)
    ]


def test_verify_code(run: Run, certificates: Certificates, python_client: Callable[..., bytes]) -> None:
    """A refused client certificate is reported with OpenSSL's verify code."""
    profile = ServerProfile(
        certificates=("server-p256",), maximum_version="TLSv1.2", verify=Verify.REQUIRED, client_ca=("ca-p256",)
    )
    expired = certificates.make("client-expired")
    seen, report = run(
        profile,
        client=lambda port: python_client(
            port, change=lambda context: context.load_cert_chain(expired.chain_file, expired.key_file)
        ),
    )
    assert isinstance(seen, ssl.SSLError)
    assert seen.reason == "SSLV3_ALERT_CERTIFICATE_EXPIRED"
    assert report.failure is not None
    assert (report.failure.type, report.failure.reason) == ("SSLCertVerificationError", "CERTIFICATE_VERIFY_FAILED")
    assert report.failure.verify_code == 10


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (
            ServerProfile(certificates=("server-rsa1024",), ciphers="DEFAULT:@SECLEVEL=2"),
            ("SSLError", "EE_KEY_TOO_SMALL"),
        ),
        (ServerProfile(certificates=("server-p256",), swap_key_and_certificate=True), ("SSLError", None)),
        (ServerProfile(certificates=("server-p256",), ciphers="NONSENSE"), ("SSLError", None)),
        (ServerProfile(certificates=("server-p256",), curve="nonsense"), ("ValueError", None)),
        (ServerProfile(certificates=("server-p256-foreign-key",)), ("SSLError", "KEY_VALUES_MISMATCH")),
    ],
)
def test_settings_python_refuses(server: LocalServer, profile: ServerProfile, expected: tuple[str, str | None]) -> None:
    """Settings that `ssl` refuses before any connection are a failure of stage config, with the facts read so far."""
    start = server.open(profile, TALK)
    assert start.port is None
    assert start.failure is not None
    assert (start.failure.type, start.failure.reason, start.failure.stage) == (*expected, Stage.CONFIG)
    assert start.facts is not None
    assert start.facts.suites
    report = server.finish(Deadline(1))
    assert (report.failure, report.accepted) == (start.failure, False)


def test_security_level_in_the_suites_comes_before_the_key(run: Run, python_client: Callable[..., bytes]) -> None:
    """`@SECLEVEL=0` in the suite string lets a small key load, so it must be applied first."""
    profile = ServerProfile(certificates=("server-rsa1024",), ciphers="ALL:@SECLEVEL=0")
    answer, report = run(
        profile,
        client=lambda port: python_client(
            port, ca="ca-rsa", change=lambda context: context.set_ciphers("ALL:@SECLEVEL=0")
        ),
    )
    assert answer == b"Hallo, Client!"
    assert report.facts is not None
    assert (report.facts.security_level, report.facts.keys[0].bits) == (0, 1024)


def test_facts_follow_the_live_context(server: LocalServer) -> None:
    """The facts are read from the context, not from the profile."""
    profile = ServerProfile(
        certificates=("server-p256", "server-rsa2048"),
        ciphers="ECDHE-ECDSA-AES128-GCM-SHA256",
        minimum_version="TLSv1.2",
        maximum_version="TLSv1.2",
        curve="prime256v1",
        verify=Verify.OPTIONAL,
    )
    facts = server.open(profile, TALK).facts
    assert facts is not None
    assert (0xC02B, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256") in facts.suites
    assert (facts.minimum_version, facts.maximum_version) == ("TLSv1.2", "TLSv1.2")
    assert facts.groups == ("secp256r1",)
    assert facts.verify is Verify.OPTIONAL
    assert [key.type for key in facts.keys] == ["EC", "RSA"]
    assert facts.openssl_number == ssl.OPENSSL_VERSION_NUMBER


def test_strangers_are_dropped_and_counted(run: Run, python_client: Callable[..., bytes]) -> None:
    """Only the board's address is served; the others are closed without a byte and counted."""
    serving = Serving(expect_bytes=14, peers=("127.0.0.1",))

    def client(port: int) -> bytes:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0)) as stranger:
                assert stranger.recv(1) == b""
        return python_client(port)

    answer, report = run(P256, serving, client=client)
    assert answer == b"Hallo, Client!"
    assert (report.strangers, report.stranger_addresses, report.peer) == (2, ("127.0.0.2",), "127.0.0.1")


def test_silent_client_times_out(run: Run) -> None:
    """A client that sends nothing costs the handshake timeout, and the report names it."""

    def silent(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port)) as conn:
            return conn.recv(1)

    seen, report = run(P256, Serving(handshake_timeout_s=0.1), client=silent)
    assert seen == b""
    assert report.timed_out
    assert report.failure == ServerFailure(type="TimeoutError", reason="ETIMEDOUT", errno=report.failure.errno)  # type: ignore[union-attr]


def test_finish_ends_a_session_at_its_deadline(server: LocalServer) -> None:
    """`finish` never waits longer than its deadline; without a client nothing is accepted."""
    server.open(P256, TALK)
    report = server.finish(Deadline(0.05))
    assert (report.accepted, report.timed_out, report.failure) == (False, True, None)


def test_cancel_closes_the_listener(server: LocalServer) -> None:
    """After `cancel` nothing listens on the port; without an open server it returns None."""
    port = server.open(P256, TALK).port
    report = server.cancel()
    assert report is not None
    assert (report.accepted, report.timed_out) == (False, False)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port or 0))
    assert server.cancel() is None
    with pytest.raises(ServerError, match="no TLS server is open"):
        server.finish(Deadline(0))


def test_a_new_server_ends_the_one_before(server: LocalServer) -> None:
    """Opening again closes the previous listener."""
    first = server.open(P256, TALK).port
    second = server.open(P256, TALK).port
    assert first != second
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", first or 0))


def test_ports_of_a_range(server: LocalServer) -> None:
    """The server uses the first free port of the range; if there is none, the error is one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=rf"cannot listen on 127.0.0.1, ports {port}-{port}: EADDRINUSE"):
            server.open(P256, Serving(ports=(port, port)))
        if port < 65535:
            with pytest.raises(ServerError, match="EADDRNOTAVAIL"):
                server.open(P256, Serving(bind="203.0.113.1"))
    assert server.open(P256, Serving(ports=(port, port))).port == port


def test_wrap_socket_without_a_certificate(server: LocalServer) -> None:
    """`ssl.wrap_socket` cannot serve without a certificate: the harness's own fault, named."""
    with pytest.raises(ServerError, match=r"ssl\.wrap_socket needs a certificate"):
        server.open(ServerProfile(legacy_wrap_socket=True), TALK)


@pytest.mark.skipif(not hasattr(ssl, "wrap_socket"), reason="this Python has no ssl.wrap_socket")
def test_ssl_wrap_socket_is_the_real_one_and_recorded(run: Run) -> None:
    """The original server line runs on a real socket, and its bytes are still recorded."""
    profile = ServerProfile(certificates=("server-p256",), legacy_wrap_socket=True)
    answer, report = run(profile)
    assert answer == b"Hallo, Client!"
    assert (report.failure, report.exchanged) == (None, True)
    assert report.negotiated_suite is not None
    assert {chunk.sender for chunk in report.wire} == {Side.CLIENT, Side.SERVER}


@pytest.mark.skipif(hasattr(ssl, "wrap_socket"), reason="this Python still has ssl.wrap_socket")
def test_ssl_wrap_socket_was_removed(server: LocalServer) -> None:
    """Python 3.12 and later refuse it with AttributeError, stage config."""
    start = server.open(ServerProfile(certificates=("server-p256",), legacy_wrap_socket=True), TALK)
    assert start.failure == ServerFailure(type="AttributeError", reason=None, stage=Stage.CONFIG)


def test_large_texts_both_ways(run: Run) -> None:
    """The server reads the announced size and answers with the requested size; the shown text is bounded."""
    serving = Serving(expect_bytes=65536, send_bytes=65536)

    def client(port: int) -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port)) as raw, context.wrap_socket(raw) as conn:
            conn.sendall(b"a" * 65536)
            answer = b""
            while len(answer) < 65536:
                answer += conn.recv(65536)
            return answer

    answer, report = run(P256, serving, client=client)
    assert answer == b"0123456789abcdef" * 4096
    assert report.exchanged
    assert report.received_text == "a" * 256


def test_control_characters_of_the_client_are_escaped(run: Run, python_client: Callable[..., bytes]) -> None:
    """A client's text is untrusted: it is shown without control characters."""
    _answer, report = run(P256, client=lambda port: python_client(port, text="\x1b[31mred\r\n\x00\u20ac.".ljust(12)))
    assert report.received_text is not None
    assert report.received_text.startswith("\\x1b[31mred\\r\\n\\x00\u20ac.")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts descriptors in /proc")
def test_nothing_is_left_after_close(certificates: Certificates, python_client: Callable[..., bytes]) -> None:
    """After `close` no thread, descriptor or file of the server remains, whatever its state was."""
    certificates.make("server-p256")
    gc.collect()  # objects of other tests that await collection must not count
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    host = LocalServer(materials=certificates.make)
    for profile in (P256, ServerProfile(certificates=("server-p256",), legacy_wrap_socket=hasattr(ssl, "wrap_socket"))):
        start = host.open(profile, TALK)
        assert python_client(start.port) == b"Hallo, Client!"
        host.finish(Deadline(60))
    host.open(P256, TALK)
    host.close()
    host.close()
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, descriptors)
