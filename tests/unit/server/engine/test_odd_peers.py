"""Peers that do not speak TLS, and incorrect endings, against a real MicroPython: each gives the client a specific error."""

from __future__ import annotations

import re
import socket
import ssl
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from harness.certificates import Certificates
from harness.errors import ServerError
from harness.model import ServerProfile, ServerReport, Side
from harness.server import Serving
from harness.server.engine.odd_peers import RAW_BYTES, serve_raw
from harness.server.local import LocalServer
from harness.system.deadline import Deadline
from harness.wire.hello_bytes import client_hello
from harness.wire.reading import read_wire

INVALID_RECORD, CONN_EOF, FATAL_ALERT, RESET = -29184, -29312, -30592, 104
SERVING = Serving(expect_bytes=14, handshake_timeout_s=10, idle_timeout_s=10)


def attempt(server: LocalServer, client: Any, **behaviour: Any) -> tuple[dict[str, Any], ServerReport]:
    """Run one case with the MicroPython client."""
    start = server.open(ServerProfile(certificates=("server-p256",), behaviour=behaviour), SERVING)
    assert start.failure is None
    seen = client.attempt(start.port)
    return seen, server.finish(Deadline(60))


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("not-tls.http-400", INVALID_RECORD),
        ("not-tls.ssh-banner", INVALID_RECORD),
        ("not-tls.ff", INVALID_RECORD),
        ("not-tls.half-record", CONN_EOF),
        ("not-tls.record-too-long", -28928),
        ("not-tls.record-len-0-then-fin", INVALID_RECORD),
        ("not-tls.alert-truncated", INVALID_RECORD),
        ("not-tls.close-at-accept", CONN_EOF),
        ("not-tls.close-after-ch", CONN_EOF),
        ("not-tls.reset-after-ch", RESET),
    ],
)
def test_raw_peers(server: LocalServer, micropython: Any, name: str, number: int) -> None:
    """A raw peer makes the client fail in the handshake; the server side reports only the bytes."""
    seen, report = attempt(server, micropython, name=name)
    assert (seen["args"][0], seen["stage"]) == (number, "handshake")
    assert (report.failure, report.accepted, report.handshake_done, report.exchanged) == (None, True, False, False)
    sent = b"".join(chunk.data for chunk in report.wire if chunk.sender is Side.SERVER)
    assert sent == RAW_BYTES[name][1]


@pytest.mark.parametrize(("level", "code", "number"), [(2, 40, FATAL_ALERT), (2, 255, FATAL_ALERT), (1, 0, -30848)])
def test_raw_alerts(server: LocalServer, micropython: Any, level: int, code: int, number: int) -> None:
    """Any alert can be sent instead of a ServerHello."""
    seen, report = attempt(server, micropython, name="not-tls.alert", level=level, code=code)
    assert seen["args"][0] == number
    sent = b"".join(chunk.data for chunk in report.wire if chunk.sender is Side.SERVER)
    assert sent == bytes([21, 3, 3, 0, 2, level, code])


@pytest.mark.parametrize(
    ("name", "expected"),
    [("first-contact", ["send a5", "drain"]), ("not-tls.close-at-accept", ["send ", "half_close", "drain"])],
)
def test_f1_rb02_the_first_server_never_ends_before_the_client(name: str, expected: list[str]) -> None:
    """The server of the first contact sends its byte and reads until the client's FIN: lwIP takes an early FIN for a failed connect()."""
    done: list[str] = []
    link = SimpleNamespace(
        started=0.0,
        send=lambda data, *, end: done.append(f"send {data.hex()}"),
        half_close=lambda: done.append("half_close"),
        drain=lambda *, timeout_s: bool(done.append("drain")),
    )
    serve_raw(link, {"behaviour": {"name": name, "data": "a5"}, "handshake_timeout_s": 10})  # type: ignore[arg-type]  # no socket
    assert done == expected


def test_raw_peer_that_the_client_waits_for(server: LocalServer, micropython: Any) -> None:
    """`fin` overrides the table, so that a client that would wait forever gets the end of the stream."""
    seen, _report = attempt(server, micropython, name="not-tls.bytes", data="1503030002", fin=True)
    assert seen["args"][0] == CONN_EOF


def test_reflected_client_hello(server: LocalServer, micropython: Any) -> None:
    """The client gets its own bytes back."""
    _seen, report = attempt(server, micropython, name="not-tls.reflect-clienthello")
    assert report.wire[0].data == report.wire[1].data


@pytest.mark.parametrize(
    "name", ["close.tcp-fin-no-notify", "close.notify-first", "close.truncated-record", "close.rst"]
)
def test_ends_after_the_answer(server: LocalServer, micropython: Any, name: str) -> None:
    """However the server ends the session after its answer, the texts were exchanged."""
    seen, report = attempt(server, micropython, name=name)
    assert seen["done"]
    assert (report.failure, report.exchanged) == (None, True)


def test_plaintext_after_the_handshake(server: LocalServer, micropython: Any) -> None:
    """Plain HTTP instead of the answer is an error of the client's read, and no complete exchange."""
    seen, report = attempt(server, micropython, name="close.plaintext-after-handshake")
    assert (seen["args"][0], seen["stage"]) == (INVALID_RECORD, "read")
    assert (report.failure, report.handshake_done, report.exchanged) == (None, True, False)


def test_unwrap_after_the_client_closed(server: LocalServer, micropython: Any, end_of_stream: tuple[str, str]) -> None:
    """A server that insists on close_notify gets an end-of-file error at close, after a good exchange.

    A Python that hides the plain end of the stream treats it as a close_notify.
    """
    _seen, report = attempt(server, micropython, name="close.client-closes-then-server-unwrap")
    assert report.exchanged
    if end_of_stream[0] == "SSLZeroReturnError":
        assert report.failure is None
    else:
        assert report.failure is not None
        assert (report.failure.type, report.failure.reason) == end_of_stream
        assert report.failure.stage.value == "close"


def test_read_to_the_end(server: LocalServer, micropython: Any, end_of_stream: tuple[str, str]) -> None:
    """A server that does not suppress ragged ends reports MicroPython's close; a Python that hides the plain end reads the end."""
    seen, report = attempt(server, micropython, name="close.read-to-end")
    assert (seen["done"], report.exchanged) == (True, True)
    if end_of_stream[0] == "SSLZeroReturnError":
        assert report.failure is None
    else:
        assert report.failure is not None
        assert (report.failure.type, report.failure.reason) == end_of_stream
        assert report.failure.stage.value == "close"


def test_read_to_a_close_notify(server: LocalServer) -> None:
    """A client that says that it closes is no error, nor is more data before that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    profile = ServerProfile(certificates=("server-p256",), behaviour={"name": "close.read-to-end"})
    start = server.open(profile, Serving(expect_bytes=2))
    with socket.create_connection(("127.0.0.1", start.port), timeout=30) as plain, context.wrap_socket(plain) as client:
        client.sendall(b"hi")
        assert client.recv(100) == b"Hallo, Client!"
        client.sendall(b"more")
        client.unwrap().close()
    report = server.finish(Deadline(30))
    assert (report.failure, report.exchanged) == (None, True)


def test_answer_in_small_records(server: LocalServer, micropython: Any) -> None:
    """The answer is the same in one-byte records."""
    seen, _report = attempt(server, micropython, name="records.one-byte-records")
    assert seen == {"done": True, "answer": "Hallo, Client!"}


def test_a_long_answer_in_small_records(server: LocalServer, micropython: Any) -> None:
    """As many bytes as the client is to read, one record each."""
    profile = ServerProfile(certificates=("server-p256",), behaviour={"name": "records.one-byte-records"})
    start = server.open(profile, Serving(expect_bytes=14, send_bytes=500))
    assert micropython.attempt(start.port, answer=500) == {"done": True, "answer": ("0123456789abcdef" * 32)[:500]}
    report = server.finish(Deadline(30))
    assert report.exchanged
    assert sum(item.sender is Side.SERVER for item in read_wire(report.wire).messages) > 500


@pytest.mark.parametrize(
    ("behaviour", "text"),
    [
        ({"name": "not-tls.bytes"}, "server behaviour 'not-tls.bytes': expected 'data', bytes in hex"),
        ({"name": "not-tls.bytes", "data": "xy"}, "server behaviour 'not-tls.bytes': expected 'data', bytes in hex"),
        ({"name": "not-tls.bytes", "data": 5}, "server behaviour 'not-tls.bytes': expected 'data', bytes in hex"),
        (
            {"name": "not-tls.alert"},
            "server behaviour 'not-tls.alert': expected 'code', an alert's number from 0 to 255",
        ),
        (
            {"name": "not-tls.alert", "code": 256},
            "server behaviour 'not-tls.alert': expected 'code', an alert's number from 0 to 255",
        ),
    ],
)
def test_a_behaviour_without_its_own_keys(server: LocalServer, behaviour: dict[str, Any], text: str) -> None:
    """What a raw peer needs is missing or wrong: one sentence, before it listens."""
    with pytest.raises(ServerError, match=f"^{re.escape(text)}$"):
        server.open(ServerProfile(behaviour=behaviour), Serving())


@pytest.mark.parametrize("name", ["sni.record", "sni.alert"])
def test_a_server_name_that_is_not_ascii(server: LocalServer, name: str) -> None:
    """Python refuses the bytes before it calls the callback; nothing of that is printed, or raised in another test."""
    hook = sys.unraisablehook
    profile = ServerProfile(certificates=("server-p256",), behaviour={"name": name})
    start = server.open(profile, Serving())
    hello = client_hello(
        version=0x0303, suites=(0xC02B,), groups=(0x17,), signature_algorithms=(0x0403,), name="aaa.test"
    )
    with socket.create_connection(("127.0.0.1", start.port or 0), timeout=10) as client:
        client.sendall(hello.replace(b"aaa.test", b"\xc3\xa9a.test"))
        assert client.recv(100)[:1] == b"\x15"
    failure = server.finish(Deadline(30)).failure
    assert failure is not None
    assert failure.reason == "CALLBACK_FAILED"
    assert sys.unraisablehook is hook


@pytest.mark.parametrize(("name", "code"), [("sni.alert", 112), ("sni.raise", 40)])
def test_sni_callback_refuses(server: LocalServer, micropython: Any, name: str, code: int) -> None:
    """A callback that returns an alert or raises ends the handshake; nothing is printed about the deliberate error."""
    seen, report = attempt(server, micropython, name=name)
    assert seen["args"][0] == FATAL_ALERT
    assert report.failure is not None
    assert report.failure.reason == "CALLBACK_FAILED"
    assert report.wire[-1].data == bytes([21, 3, 3, 0, 2, 2, code])


def test_sni_changes_the_certificate(server: LocalServer, micropython: Any, certificates: Certificates) -> None:
    """The callback selects another certificate, which the client verifies."""
    behaviour = {"name": "sni.swap", "certificate": "server-p256"}
    profile = ServerProfile(certificates=("server-wrong-host",), behaviour=behaviour)
    start = server.open(profile, SERVING)
    seen = micropython.attempt(start.port, ca=certificates.make("ca-p256").certificate_der)
    assert seen["done"]
    assert server.finish(Deadline(60)).exchanged
