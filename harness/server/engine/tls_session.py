"""One TLS server session over a recorded link: the TLS pump, the exchange, and how it ends.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later. Works on a given link; knows nothing of
sockets, listeners, threads or JSON.
"""

from __future__ import annotations

import errno
import functools
import ssl
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

if TYPE_CHECKING or __package__:
    from harness.server.engine.exchanged_text import TEXT_BYTES, reply_of, shown
    from harness.server.engine.tls_contexts import end_of_stream_error, failure_of
    from harness.server.engine.tls_link import CHUNK_BYTES, DRAIN_BYTES, DRAIN_S, Link, Stopped
else:  # engine.py was started by its path
    from exchanged_text import TEXT_BYTES, reply_of, shown
    from tls_contexts import end_of_stream_error, failure_of
    from tls_link import CHUNK_BYTES, DRAIN_BYTES, DRAIN_S, Link, Stopped


class Session:
    """TLS over a `Link`: handshake, read the client's text, answer, see the end.

    Args:
        link: the connection.
        tls: `ssl.SSLObject`, or a non-blocking `ssl.SSLSocket` on a pair that `incoming` and `outgoing` reach.
        incoming: takes bytes of the client (`write`, `write_eof`).
        outgoing: provides bytes for the client (`read`).
        settings: the engine's settings of this connection.
        flight: changes bytes before they are sent: (data, index) -> (data, "" | "fin" | "close"), or None.
        reading: reads the client's text: called with the session, or None for as many bytes as the client is expected to send.
        closing: replaces answer and end after the client's text: called with the session, or None.
    """

    def __init__(
        self,
        link: Link,
        *,
        tls: Any,
        incoming: Any,
        outgoing: Any,
        settings: dict[str, Any],
        flight: Callable[[bytes, int], tuple[bytes, str]] | None = None,
        reading: Callable[[Session], None] | None = None,
        closing: Callable[[Session], None] | None = None,
    ) -> None:
        self.link = link
        self.tls = tls
        self.incoming = incoming
        self.outgoing = outgoing
        self.settings = settings
        self.flight = flight
        self.reading = reading
        self.closing = closing
        self.stage = "handshake"
        self.end = link.started + settings["handshake_timeout_s"]
        self.received = b""
        self.received_bytes = 0
        self.prefix = b""
        self.flights = 0
        self.report: dict[str, Any] = {"failure": None, "handshake_done": False, "exchanged": False}

    def run(self) -> dict[str, Any]:
        """Serve the connection to its end and return what happened; never raises for what the client does."""
        try:
            self._handshake()
            self.stage = "read"
            if self.reading is not None:
                self.reading(self)
            else:
                self._read_text()
            if self.closing is not None:
                self.closing(self)
            else:
                self.answer()
                self.await_close()
        except Stopped:
            self._stopped()
        except OSError as exc:
            self._failed(exc)
        self.report["received_text"] = shown(self.received) if self.received_bytes else None
        self.report["received_bytes"] = self.received_bytes
        return self.report

    def _handshake(self) -> None:
        """Complete the handshake within `handshake_timeout_s` of accept."""
        self.pump(self.tls.do_handshake)
        suite = self.tls.cipher()
        self.report.update(
            handshake_done=True,
            handshake_ms=self.link.now_ms,
            negotiated_version=self.tls.version(),
            negotiated_suite=suite[0] if suite else None,
            group=self.tls.group() if hasattr(self.tls, "group") else None,  # 3.15 and later
        )

    def _read_text(self) -> None:
        """Read as many bytes as the client is expected to send."""
        while self.received_bytes < self.settings["expect_bytes"]:
            self.keep_text(self.read_some())

    def read_some(self, *, limit: int = CHUNK_BYTES) -> bytes:
        """Return what the client sent next: at least one byte, at most `limit`.

        Raises:
            OSError: it sends no more, or the limit is reached.
        """
        if limit <= 0:
            raise OSError(errno.EMSGSIZE, "the client's request is too long")
        self._more_time()
        data: bytes = self.pump(lambda: self.tls.read(limit))
        if not data:
            # Some Pythons hide the plain end of the stream (SSL_OP_IGNORE_UNEXPECTED_EOF); here it must not count as an answer.
            closed = ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "closed")
            raise end_of_stream_error() if self.link.ended else closed
        return data

    def keep_text(self, data: bytes) -> None:
        """Record text of the client."""
        self.received_bytes += len(data)
        self.received = (self.received + data)[:TEXT_BYTES]

    def send(self, data: bytes) -> None:
        """Write bytes to the client."""
        self._more_time()
        while data:
            data = data[self.pump(functools.partial(self.tls.write, data)) :]

    def answer(self) -> None:
        """Write the reply, which completes the exchange."""
        self.stage = "write"
        self.send(self.prefix + reply_of(self.settings))
        self.report["exchanged"] = True

    def await_close(self) -> None:
        """Read until the client closes; after a complete exchange every way to close is accepted.

        MicroPython's close() sends no close_notify (extmod/modtls_mbedtls.c, MP_STREAM_CLOSE). The end of the stream is
        therefore not passed to OpenSSL 3, which would answer it with a decode_error alert and an SSLEOFError.
        A fatal alert of the client still counts: it refused something.
        """
        self.stage = "close"
        self._more_time()
        count = 0
        while count < DRAIN_BYTES:
            try:
                data = self.link.receive(end=self.end)
            except OSError:
                return
            if not data:
                return
            count += len(data)
            self.incoming.write(data)
            if self._close_notify_seen():
                self._send_close_notify()
                return

    def _close_notify_seen(self) -> bool:
        """Let OpenSSL read what arrived, and discard everything except the end."""
        try:
            while self.tls.read(CHUNK_BYTES):
                pass
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLZeroReturnError:
            pass
        return True

    def _send_close_notify(self) -> None:
        """Answer a close_notify with ours; ignore a client that has already closed."""
        try:
            self.tls.unwrap()
        except (OSError, ValueError):
            pass
        try:
            self.flush()
        except OSError:
            return
        self.link.half_close()
        self.link.drain()

    def pump(self, operation: Callable[[], Any]) -> Any:
        """Complete one TLS operation, moving bytes in both directions."""
        fed_eof = False
        while True:
            try:
                result = operation()
            except ssl.SSLWantReadError:
                if fed_eof:
                    raise end_of_stream_error() from None
                self._flush_or_last_words(operation)
                data = self.link.receive(end=self.end)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()
                    fed_eof = True
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError):
                if not fed_eof:
                    raise
                # One event, which a memory BIO names differently in handshake and read: named as for a socket.
                raise end_of_stream_error() from None
            except ssl.SSLWantWriteError:
                self.flush()
            else:
                self._flush_or_last_words(operation)
                return result

    def flush(self) -> None:
        """Send what OpenSSL wrote, changed by the behaviour of this case."""
        data = self.outgoing.read()
        if not data:
            return
        how = ""
        if self.flight is not None:
            data, how = self.flight(data, self.flights)
            delay_ms = (self.settings.get("behaviour") or {}).get("delay_ms")
            if delay_ms:
                self.link.waiter.wait(None, end=time.monotonic() + delay_ms / 1000)
        self.flights += 1
        self.link.send(data, end=self.end)
        if how == "fin":
            self.link.half_close()
        elif how == "close":
            self.link.close()
            raise ConnectionAbortedError(errno.ECONNABORTED, "closed on purpose")

    def _flush_or_last_words(self, operation: Callable[[], Any]) -> None:
        """Send; if the client has closed, check first for its alert, which is the reason, not the broken pipe."""
        try:
            self.flush()
        except (BrokenPipeError, ConnectionResetError):
            try:
                data = self.link.receive(end=self.link.started)
            except OSError:
                data = b""
            if data:
                self.incoming.write(data)
                try:
                    operation()
                except ssl.SSLWantReadError:
                    pass
            raise

    def _more_time(self) -> None:
        """Restart the idle time."""
        self.end = time.monotonic() + self.settings["idle_timeout_s"]

    def _stopped(self) -> None:
        """Record that the owner ended the session; not a failure after a complete exchange."""
        if not self.report["exchanged"]:
            self.report["failure"] = failure_of(
                ConnectionAbortedError(errno.ECONNABORTED, "the harness ended the session"), stage=self.stage
            )

    def _failed(self, exc: OSError) -> None:
        """Record the failure, then let the client read the reason: flush the alert, half-close, drain."""
        self.report["failure"] = failure_of(exc, stage=self.stage)
        self.report["timed_out"] = isinstance(exc, TimeoutError)
        if self.report["timed_out"] or self.link.sock.fileno() < 0:
            return
        try:
            self.end = time.monotonic() + DRAIN_S
            self.flush()
            if not self.link.ended:
                self.link.half_close()
                self.link.drain()
        except (OSError, Stopped):
            return
