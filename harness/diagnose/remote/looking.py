"""Probe with ClientHellos what a foreign server accepts from this machine: versions, suites, groups and keys.

Opens short-lived sockets. Completes only one handshake in TLS 1.3, the only way to get the certificate there, and sends no data; the
server's log shows clients that disconnected. The result is a `ServerFacts`, so that the same prediction and the same rules apply
as for our own servers; `python` is empty in them.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable

from harness.diagnose.remote.learning import Learned, learn
from harness.model import HelloFacts, ServerFacts, Side, WireChunk
from harness.system.deadline import Deadline
from harness.wire.reading import WireReading, read_wire

# The time limits of all requests together and of one answer: a server on another continent takes a second for each.
LOOK_S, ANSWER_S = 30.0, 5.0
# More than any answer to a hello: it is not a TLS server.
_ANSWER_BYTES = 1 << 18
_CLOSE_NOTIFY = bytes((21, 3, 3, 0, 2, 1, 0))


class Looking:
    """Probe one server; `count` is the number of connections so far.

    Args:
        host: name or address.
        port: TCP port.
        name: for SNI, None for none.
        progress: gets a line when the probe begins.
    """

    def __init__(self, host: str, port: int, *, name: str | None, progress: Callable[[str], None]) -> None:
        self._target = (host, port)
        self._name = name
        self._progress = progress
        self._deadline = Deadline(LOOK_S)
        self._gone = False
        self.count = 0

    def facts(self, hello: HelloFacts | None = None) -> ServerFacts | None:
        """Probe versions, then suites until none is left, then groups.

        Args:
            hello: the board's; its offer is asked first.

        Returns:
            What the server accepts; None if it accepts nothing from this machine either.
        """
        self._progress(
            f"probing from this machine which versions, suites and keys {self._target[0]}:{self._target[1]} accepts"
        )
        self._deadline = Deadline(LOOK_S)
        offered = [int(code, 16) for code in hello.suites] if hello is not None else []
        learned = learn(self._ask, name=self._name, first=offered)
        if learned is None:
            return None
        if not learned.keys and not self._gone:
            self._handshake(learned)
        return learned.facts()

    def _ask(self, hello: bytes) -> WireReading | None:
        """Send one hello and return the answer, up to where the server waits for the client."""
        end = Deadline(min(ANSWER_S, self._deadline.remaining_s))
        if self._deadline.expired or self._gone:
            return None
        chunks = [WireChunk(sender=Side.CLIENT, at_ms=0.0, data=hello)]
        reading = read_wire(chunks)
        try:
            sock = socket.create_connection(self._target, timeout=ANSWER_S)
        except OSError:
            self._gone = True
            return None
        self.count += 1
        with sock, contextlib.suppress(OSError):  # a reset or silence is an answer, too
            sock.sendall(hello)
            while not _answered(reading) and not end.expired and reading.server_bytes < _ANSWER_BYTES:
                sock.settimeout(max(0.001, end.remaining_s))
                data = sock.recv(65536)
                if not data:
                    break
                chunks.append(WireChunk(sender=Side.SERVER, at_ms=0.0, data=data))
                reading = read_wire(chunks)
            sock.sendall(_CLOSE_NOTIFY)
        return reading

    def _handshake(self, learned: Learned) -> None:
        """Complete one TLS 1.3 handshake; a server that requires a client certificate reports it after that."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        with contextlib.suppress(OSError), socket.create_connection(self._target, timeout=ANSWER_S) as sock:
            self.count += 1
            with context.wrap_socket(sock, server_hostname=self._name) as tls:
                learned.take_chain((tls.getpeercert(binary_form=True) or b"",))


def _answered(reading: WireReading) -> bool:
    """Whether the server has sent everything before the client's next message."""
    finished = any(message.name == "ServerHelloDone" for message in reading.messages)
    refused = bool(reading.alerts) or reading.server_plain is not None or reading.server_wrong is not None
    return reading.retry or reading.negotiated.version == "TLSv1.3" or finished or refused
