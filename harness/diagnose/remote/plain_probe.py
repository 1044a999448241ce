"""Find out what a server speaks that did not answer a ClientHello with TLS.

First its greeting is read, then a plain MQTT CONNECT is sent, then a plain GET: at most three connections, each within the limits of
`dialling`. No password and no message is sent.
"""

from __future__ import annotations

from harness.diagnose.remote.dialling import Dialler, Line
from harness.wire.plain_protocols import (
    CAPABILITIES,
    MQTT_CONNECT,
    MQTT_DISCONNECT,
    PlainPeer,
    PlainProtocol,
    answer_of,
    capabilities_complete,
    first_line,
    greeting_of,
    http_request,
    offers_tls,
)

# All connections together; and how long a server may take to greet: one that speaks first does so at once.
PROBE_S, GREETING_S = 12.0, 2.0
_MQTT, _HTTP = "an MQTT CONNECT", "GET / HTTP/1.0"


def plain_peer(dialler: Dialler) -> PlainPeer | None:
    """Return what a server speaks without TLS.

    Args:
        dialler: connects to it.

    Returns:
        None if it says nothing to any of the three.
    """
    deadline = dialler.deadline(PROBE_S)
    line = dialler.dial(deadline)
    if line is not None:
        with line:
            found = _greeting(line, dialler)
        if found is not None:
            return found
    for name, request in ((_MQTT, MQTT_CONNECT), (_HTTP, http_request(dialler.target[0]))):
        line = dialler.dial(deadline)
        if line is None:
            return None
        with line:
            line.send(request)
            data = line.receive_until(_has_line)
            protocol = answer_of(data)
            if protocol is PlainProtocol.MQTT:
                line.send(MQTT_DISCONNECT)
        if data and (protocol is not None or name == _HTTP) and not _is_record(data):
            return PlainPeer(protocol=protocol, said=first_line(data), asked=name)
    return None


def _greeting(line: Line, dialler: Dialler) -> PlainPeer | None:
    """Wait for a greeting; if it is of a protocol that can switch to TLS, ask whether this server can."""
    data = line.receive_until(_has_line, deadline=dialler.deadline(GREETING_S))
    if not data or _is_record(data):
        return None
    protocol = greeting_of(data)
    if protocol not in CAPABILITIES:
        return PlainPeer(protocol=protocol, said=first_line(data))
    line.send(CAPABILITIES[protocol][0])
    listed = line.receive_until(lambda seen: capabilities_complete(protocol, seen))
    return PlainPeer(protocol=protocol, said=first_line(data), offers_tls=offers_tls(protocol, listed))


def _has_line(data: bytes) -> bool:
    """Whether the first line has arrived; a CONNACK has four bytes."""
    return b"\n" in data or (answer_of(data) is PlainProtocol.MQTT and len(data) >= 4)


def _is_record(data: bytes) -> bool:
    """Whether this is a TLS record, such as the alert of a TLS server that was sent plain text (RFC 8446 section 5.1)."""
    return data[:1] in (b"\x15", b"\x16") and data[1:2] == b"\x03"
