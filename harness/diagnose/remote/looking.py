"""Probe with ClientHellos what a foreign server accepts from this machine: versions, suites, groups and keys.

Completes only one handshake in TLS 1.3, the only way to get the certificate there, and sends no data; the server's log shows clients
that disconnected. The result is a `ServerFacts`, so that the same prediction and the same rules apply as for our own servers; `python` is
empty in them.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable

from harness.diagnose.remote.dialling import Dialler, shake_hands
from harness.diagnose.remote.learning import full_hello, learn
from harness.diagnose.remote.varying import insistence
from harness.model import HelloFacts, ServerFacts, Side, WireChunk
from harness.wire.insistence import Insistence
from harness.wire.reading import WireReader, WireReading

# The time limit of all requests together; `harness.diagnose.remote.dialling` limits each.
LOOK_S = 30.0
# A server's whole first flight has seven messages at most (RFC 5246 section 7.3).
_FLIGHT_MESSAGES = 50
_CLOSE_NOTIFY = bytes((21, 3, 3, 0, 2, 1, 0))


class Looking:
    """Probe one server. `speaks_tls` says whether it has answered a hello with TLS, be it an alert.

    Args:
        dialler: connects to it, and counts the connections.
        name: for SNI, None for none.
        progress: gets a line when the probe begins.
    """

    def __init__(self, dialler: Dialler, *, name: str | None, progress: Callable[[str], None]) -> None:
        self.dialler = dialler
        self._name = name
        self._progress = progress
        self._deadline = dialler.deadline(LOOK_S)
        self.speaks_tls = False

    def facts(self, hello: HelloFacts | None = None) -> ServerFacts | None:
        """Probe versions, then suites until none is left, then groups.

        Args:
            hello: the board's; its offer is asked first.

        Returns:
            What the server accepts; None if it accepts nothing from this machine either.
        """
        host, port = self.dialler.target
        self._progress(f"probing from this machine which versions, suites and keys {host}:{port} accepts")
        self._deadline = self.dialler.deadline(LOOK_S)
        offered = [int(code, 16) for code in hello.suites] if hello is not None else []
        learned = learn(self.ask, name=self._name, first=offered)
        if learned is None:
            return None
        if not learned.keys:
            learned.take_chain(self._handshake(self._name))
        return learned.facts()

    def insistence(self, hello: HelloFacts, *, name: str | None) -> Insistence | None:
        """Return what must be added to the board's hello; see `harness.diagnose.remote.varying`."""
        self._deadline = self.dialler.deadline(LOOK_S)
        return insistence(self.ask, hello, name=name)

    def certificates(self) -> tuple[bytes, ...]:
        """Return the server's own certificate, DER, as served with the name and without one; at most four connections."""
        self._deadline = self.dialler.deadline(LOOK_S)
        found: list[bytes] = []
        for name in dict.fromkeys((self._name, None)):
            answer = self.ask(full_hello(name=name))
            shown = answer.certificates if answer is not None else ()
            found += shown[:1] or self._handshake(name)
        return tuple(dict.fromkeys(found))

    def ask(self, hello: bytes) -> WireReading | None:
        """Send one hello and return the answer, up to where the server waits for the client; None without a connection."""
        line = self.dialler.dial(self._deadline)
        if line is None:
            return None
        reader = WireReader()
        reader.take(WireChunk(sender=Side.CLIENT, at_ms=0.0, data=hello))
        with line:
            line.send(hello)
            known = reader.message_count
            while data := line.receive():
                reader.take(WireChunk(sender=Side.SERVER, at_ms=0.0, data=data))
                if reader.has_left_tls(Side.SERVER) or reader.message_count > _FLIGHT_MESSAGES:
                    break
                if reader.message_count > known and _answered(reader.result()):
                    break
                known = reader.message_count
            line.send(_CLOSE_NOTIFY)
        answer = reader.result()
        self.speaks_tls |= answer.server_hello is not None or answer.retry or bool(answer.alerts)
        return answer

    def _handshake(self, name: str | None) -> tuple[bytes, ...]:
        """Complete one TLS 1.3 handshake, and return the certificate; a server that requires one of the client reports that later."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        line = self.dialler.dial(self._deadline)
        if line is None:
            return ()
        with line:
            certificate = shake_hands(line, context, name=name)
        return (certificate,) if certificate else ()


def _answered(reading: WireReading) -> bool:
    """Whether the server has sent everything before the client's next message."""
    finished = any(message.name == "ServerHelloDone" for message in reading.messages)
    refused = bool(reading.alerts) or reading.server_plain is not None or reading.server_wrong is not None
    return reading.retry or reading.negotiated.version == "TLSv1.3" or finished or refused
