"""Peers that are not TLS servers, and incorrect ways to end a session: one function per behaviour, two tables.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later. A raw peer gets the plain link and reports
no failure of its own: what the client did is in the recorded bytes.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.server.engine.tls_link import Link
    from harness.server.engine.tls_session import Session

if TYPE_CHECKING or __package__:
    from harness.server.engine.exchanged_text import reply_of
    from harness.server.engine.tls_link import CHUNK_BYTES
else:  # found beside this file; engine.py has put the folder on sys.path
    from exchanged_text import reply_of
    from tls_link import CHUNK_BYTES

HTTP_400 = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
SSH_BANNER = b"SSH-2.0-OpenSSH_9.2p1\r\n"

#: name -> (wait for the ClientHello first, bytes to send, FIN after them). `None`: see `raw_bytes`.
RAW_BYTES: dict[str, tuple[bool, bytes | None, bool]] = {
    "not-tls.http-400": (True, HTTP_400, True),
    "not-tls.ssh-banner": (False, SSH_BANNER, False),
    "not-tls.ff": (True, b"\xff" * 64, False),
    "not-tls.half-record": (True, b"\x16\x03\x03\x00\x50\x02\x00", True),
    "not-tls.record-too-long": (True, b"\x16\x03\x03\x50\x00" + bytes(64), False),
    "not-tls.record-len-0-then-fin": (True, b"\x16\x03\x03\x00\x00", True),
    "not-tls.record-ver-0304": (True, b"\x16\x03\x04\x00\x04\x0e\x00\x00\x00", False),
    "not-tls.reflect-clienthello": (True, None, False),
    "not-tls.serverhellodone-first": (True, b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00", False),
    "not-tls.ccs-first": (True, b"\x14\x03\x03\x00\x01\x01", False),
    "not-tls.alert": (True, None, False),
    "not-tls.alert-truncated": (True, b"\x15\x03\x03\x00\x01\x02", True),
    "not-tls.bytes": (True, None, False),
    "not-tls.silent": (False, b"", False),
    "first-contact": (False, None, False),
    "not-tls.close-at-accept": (False, b"", True),
    "not-tls.close-after-ch": (True, b"", True),
    "not-tls.reset-after-ch": (True, b"", False),
}


def serve_raw(link: Link, settings: dict[str, Any]) -> dict[str, Any]:
    """Act as a peer of `RAW_BYTES` and record until the client closes.

    Behaviour keys: `level`, `code` (not-tls.alert), `data` as hex (not-tls.bytes), `fin` to override the table.
    """
    behaviour = settings["behaviour"]
    wait_first, data, fin = RAW_BYTES[behaviour["name"]]
    end = link.started + settings["handshake_timeout_s"]
    report: dict[str, Any] = {"failure": None, "handshake_done": False, "exchanged": False, "timed_out": False}
    hello = b""
    try:
        if wait_first:
            hello = first_record(link, end=end)
        if data is None:
            data = raw_bytes(behaviour, hello)
        link.send(data, end=end)
        if behaviour["name"] == "not-tls.reset-after-ch":
            link.reset()
            return report
        if behaviour.get("fin", fin):
            link.half_close()
        report["timed_out"] = not link.drain(timeout_s=max(0.0, end - time.monotonic()))
    except TimeoutError:
        report["timed_out"] = True
    except OSError:
        # The client gave up first and left bytes unread; its own error says why.
        return report
    return report


def what_is_missing(behaviour: dict[str, Any]) -> str:
    """Return which of its own keys a behaviour of `RAW_BYTES` lacks or has wrong, in a sentence; empty if none."""
    name = f"{behaviour.get('name', '')}"
    if name == "not-tls.alert" and not (isinstance(behaviour.get("code"), int) and 0 <= behaviour["code"] <= 255):
        return f"server behaviour {name!r}: expected 'code', an alert's number from 0 to 255"
    if name in ("not-tls.bytes", "first-contact"):
        try:
            bytes.fromhex(behaviour["data"])
        except (KeyError, TypeError, ValueError):
            return f"server behaviour {name!r}: expected 'data', bytes in hex"
    return ""


def raw_bytes(behaviour: dict[str, Any], hello: bytes) -> bytes:
    """Return the bytes that depend on the behaviour's own keys or on the ClientHello."""
    if behaviour["name"] == "not-tls.reflect-clienthello":
        return hello
    if behaviour["name"] == "not-tls.alert":
        return b"\x15\x03\x03\x00\x02" + bytes([behaviour.get("level", 2), behaviour["code"]])
    return bytes.fromhex(behaviour["data"])  # not-tls.bytes and first-contact


def first_record(link: Link, *, end: float) -> bytes:
    """Read the client's first record, or what it sent before it closed."""
    data = b""
    while len(data) < 5 or len(data) < 5 + int.from_bytes(data[3:5], "big"):
        more = link.receive(end=end)
        if not more:
            break
        data += more
    return data


# ------------------------------------------------------------------------------------------- ends of a session


def close_fin_no_notify(session: Session) -> None:
    """Answer, then FIN without close_notify."""
    session.answer()
    session.link.half_close()
    session.link.drain()


def close_notify_first(session: Session) -> None:
    """Answer, then close_notify and FIN, as a well-behaved server that ends the session itself."""
    session.answer()
    _send_close_notify(session)
    session.link.half_close()
    session.link.drain()


def close_without_answer(session: Session) -> None:
    """Send close_notify and FIN instead of the answer, as a server that is restarted."""
    session.stage = "write"
    _send_close_notify(session)
    session.link.half_close()
    session.link.drain()


def close_truncated_record(session: Session) -> None:
    """Answer, then half an application record and FIN."""
    session.answer()
    session.tls.write(b"never complete")
    data = session.outgoing.read()
    session.link.send(data[: len(data) // 2], end=session.end)
    session.link.half_close()
    session.link.drain()


def close_rst(session: Session) -> None:
    """Answer, then reset the connection."""
    session.answer()
    session.link.reset()


def close_plaintext(session: Session) -> None:
    """Send plain HTTP instead of the answer, as a proxy that loses its backend may."""
    session.stage = "write"
    session.link.send(HTTP_400, end=session.end)
    session.link.half_close()
    session.link.drain()


def close_unwrap_after_client_left(session: Session) -> None:
    """Answer, wait until the client has closed, then require close_notify as `SSLSocket.unwrap` does."""
    session.answer()
    session.await_close()
    session.incoming.write_eof()
    session.pump(session.tls.unwrap)


def close_read_to_end(session: Session) -> None:
    """Answer, then read until the client has closed, as an `SSLSocket` with `suppress_ragged_eofs=False`.

    Where Python sets SSL_OP_IGNORE_UNEXPECTED_EOF, the end without close_notify is no error there, and none here.
    """
    session.answer()
    session.stage = "close"
    while session.pump(functools.partial(session.tls.read, CHUNK_BYTES)):
        pass
    if not session.link.ended:
        _send_close_notify(session)
        session.link.half_close()
        session.link.drain()


def close_no_answer(session: Session) -> None:
    """Never answer: read until the client gives up."""
    session.stage = "write"
    while session.link.receive(end=session.end):
        pass


def close_text_after_handshake(session: Session) -> None:
    """Answer in one-byte records, then end as usual."""
    session.stage = "write"
    for byte in reply_of(session.settings):
        session.pump(functools.partial(session.tls.write, bytes([byte])))
    session.report["exchanged"] = True
    session.await_close()


def _send_close_notify(session: Session) -> None:
    """Write close_notify without waiting for the client's."""
    try:
        session.tls.unwrap()
    except OSError:
        pass
    session.flush()


CLOSINGS: dict[str, Callable[[Session], None]] = {
    "close.tcp-fin-no-notify": close_fin_no_notify,
    "close.notify-first": close_notify_first,
    "close.truncated-record": close_truncated_record,
    "close.rst": close_rst,
    "close.plaintext-after-handshake": close_plaintext,
    "close.client-closes-then-server-unwrap": close_unwrap_after_client_left,
    "close.no-answer": close_no_answer,
    "close.without-answer": close_without_answer,
    "close.read-to-end": close_read_to_end,
    "records.one-byte-records": close_text_after_handshake,
}
