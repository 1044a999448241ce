"""How far a handshake came, by the evidence: the server's own record, both flights, and TLS 1.3 as far as its secrets open it.

Knows one connection. Must not know cases or what was expected: `harness.oracle.earned` compares the two. A board's word alone shows
nothing, except that it gave up in the handshake.
"""

from __future__ import annotations

from harness.model import ClientReport, ServerReport, Side, Stage, Subject
from harness.wire.encrypted_flight import encrypted_messages
from harness.wire.reading import WireReading

# What a server's own failure does not show: that it read the ClientHello and refused it.
_NOT_A_REFUSAL = frozenset({"UNEXPECTED_EOF_WHILE_READING", "ECONNRESET", "EPIPE", "ECONNABORTED", "ETIMEDOUT"})


def reached(server: ServerReport, client: ClientReport | None, wire: WireReading) -> tuple[Subject, ...]:
    """Return the points that a connection reached, in the order of progress.

    * `config`: both sides' settings were tried; every handshake that was made shows it.
    * `hello`: the ClientHello arrived.
    * `negotiation`: the server answered it with a ServerHello or a HelloRetryRequest, or refused it.
    * `server-certificate`: the server sent its Certificate, or the beginning of one, and the client reacted to it.
    * `client-certificate`: the server requested one, and the client sent its Certificate (possibly empty) or gave up.
    * `finished`: the client's Finished arrived.
    * `data`: text of the client arrived.
    * `close`: after a complete handshake the connection was ended.

    Args:
        server: the server's record.
        client: the board's answer; None if it was not asked.
        wire: the reading of `server.wire`.
    """
    messages = _messages(server, wire)
    names = set(messages)
    finished = server.handshake_done or (Side.CLIENT, "Finished") in names or _encrypted_finished(wire)
    gave_up = client is not None and client.failure is not None and client.failure.stage is Stage.HANDSHAKE
    requested = (Side.SERVER, "CertificateRequest") in names
    found = {Subject.CONFIG: True, Subject.HELLO: wire.client_hello is not None}
    found[Subject.NEGOTIATION] = wire.server_hello is not None or wire.retry or _refused_hello(server, wire)
    found[Subject.SERVER_CERTIFICATE] = _sent_certificate(messages) and (finished or gave_up or _answered(messages))
    found[Subject.CLIENT_CERTIFICATE] = requested and ((Side.CLIENT, "Certificate") in names or gave_up)
    found[Subject.FINISHED] = finished
    found[Subject.DATA] = server.exchanged or bool(server.received_bytes)
    found[Subject.CLOSE] = server.handshake_done and bool(server.tcp_ends)
    return tuple(point for point in Subject if found[point])


def _messages(server: ServerReport, wire: WireReading) -> list[tuple[Side, str]]:
    """Return what each side sent by name: in the clear, a message that was only begun, then what the server's secrets open."""
    found = [(message.sender, message.name) for message in wire.messages]
    if wire.server_begun is not None:
        found.insert(_place(wire), (Side.SERVER, wire.server_begun))
    if wire.server_hello is not None:
        found += encrypted_messages(server.wire, key_log=server.key_log, suite=wire.server_hello.suite)
    return found


def _place(wire: WireReading) -> int:
    """Return where a message that was only begun stands: after the server's last complete one."""
    last = [place for place, message in enumerate(wire.messages) if message.sender is Side.SERVER]
    return last[-1] + 1 if last else len(wire.messages)


def _refused_hello(server: ServerReport, wire: WireReading) -> bool:
    """Whether the server read the ClientHello and ended the handshake itself."""
    failure = server.failure
    if wire.client_hello is None or failure is None or failure.stage is not Stage.HANDSHAKE:
        return False
    received_alert = any(alert.sender is Side.CLIENT and alert.is_fatal for alert in wire.alerts)
    return not received_alert and failure.reason not in _NOT_A_REFUSAL


def _sent_certificate(messages: list[tuple[Side, str]]) -> bool:
    return (Side.SERVER, "Certificate") in messages


def _answered(messages: list[tuple[Side, str]]) -> bool:
    """Whether the client sent anything after the server's Certificate began."""
    place = messages.index((Side.SERVER, "Certificate"))
    return any(sender is Side.CLIENT for sender, _name in messages[place:])


def _encrypted_finished(wire: WireReading) -> bool:
    """Whether the client's Finished of TLS 1.2 is on the wire: the first handshake message after its ChangeCipherSpec."""
    names = [message.name for message in wire.messages if message.sender is Side.CLIENT]
    return "ChangeCipherSpec" in names and "EncryptedHandshake" in names[names.index("ChangeCipherSpec") :]
