"""Protocols without TLS, by the first bytes of a server: a greeting, or an answer to a plain request. Pure.

Knows what a server says first, which request makes a silent one speak, and how a protocol switches to TLS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from harness.wire.host_names import is_ip_address

_LINE_CHARACTERS = 200


class PlainProtocol(StrEnum):
    """A protocol that can be spoken without TLS."""

    MQTT = "MQTT"
    HTTP = "HTTP"
    SMTP = "SMTP"
    IMAP = "IMAP"
    POP3 = "POP3"
    FTP = "FTP"
    SSH = "SSH"


# The port of the same protocol with TLS from the first byte (IANA, Service Name and Transport Protocol Port Number Registry).
TLS_PORTS = {
    PlainProtocol.MQTT: 8883,
    PlainProtocol.HTTP: 443,
    PlainProtocol.SMTP: 465,
    PlainProtocol.IMAP: 993,
    PlainProtocol.POP3: 995,
    PlainProtocol.FTP: 990,
}

# MQTT 3.1.1 section 3.1: clean session, keep alive 60 s, client identifier `tls-harness`; then DISCONNECT (3.14).
MQTT_CONNECT = b"\x10\x17\x00\x04MQTT\x04\x02\x00\x3c\x00\x0btls-harness"
MQTT_DISCONNECT = b"\xe0\x00"
_CONNACK = b"\x20\x02"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainPeer:
    """A server that answered without TLS.

    `protocol` is None where the answer is not of a known one. `said` is the first line of its answer, and `asked` what this machine
    had sent, None for a greeting. `offers_tls` says whether it offers to switch to TLS (STARTTLS); it is None where that was not asked.
    """

    protocol: PlainProtocol | None
    said: str
    asked: str | None = None
    offers_tls: bool | None = None


# The request that lists what the server can do, and what to find in its answer: RFC 3207, RFC 9051 section 6.2.1, RFC 2595 section 4,
# RFC 4217 section 4.
CAPABILITIES = {
    PlainProtocol.SMTP: (b"EHLO tls-harness.invalid\r\n", rb"(?im)^250[- ]STARTTLS\b"),
    PlainProtocol.IMAP: (b"a1 CAPABILITY\r\n", rb"(?i)\bSTARTTLS\b"),
    PlainProtocol.POP3: (b"CAPA\r\n", rb"(?im)^STLS\b"),
    PlainProtocol.FTP: (b"FEAT\r\n", rb"(?im)^ *AUTH\b.*\bTLS\b"),
}
_ENDS = {
    PlainProtocol.SMTP: rb"(?m)^\d{3} [^\n]*\n",
    PlainProtocol.IMAP: rb"(?m)^a1 [^\n]*\n",
    PlainProtocol.POP3: rb"(?m)^(\.|-ERR[^\n]*)\r?\n",
    PlainProtocol.FTP: rb"(?m)^\d{3} [^\n]*\n",
}


def greeting_of(data: bytes) -> PlainProtocol | None:
    """Return the protocol in which a server speaks first, by its greeting; None for an unknown one.

    A greeting with 220 that names neither mail nor FTP is taken for SMTP's: `CAPABILITIES` then shows whether it is.
    """
    if data.startswith(b"SSH-"):
        return PlainProtocol.SSH
    if data.startswith((b"* OK", b"* PREAUTH", b"* BYE")):
        return PlainProtocol.IMAP
    if data.startswith(b"+OK"):
        return PlainProtocol.POP3
    if re.match(rb"(220|421|554)[- ]", data):
        return PlainProtocol.FTP if re.search(rb"(?i)ftp", data) else PlainProtocol.SMTP
    return answer_of(data)


def answer_of(data: bytes) -> PlainProtocol | None:
    """Return the protocol of an answer to `MQTT_CONNECT` or an HTTP request; None for an unknown one."""
    if data.startswith(_CONNACK):
        return PlainProtocol.MQTT
    if re.match(rb"(?i)HTTP/\d|\s*<(!doctype html|html)\b", data):
        return PlainProtocol.HTTP
    return None


def http_request(host: str) -> bytes:
    """Return a plain HTTP request; HTTP/1.0, so that the server closes after its answer."""
    named = f"[{host}]" if ":" in host and is_ip_address(host) else host
    return f"GET / HTTP/1.0\r\nHost: {named}\r\n\r\n".encode("ascii", "replace")


def capabilities_complete(protocol: PlainProtocol, data: bytes) -> bool:
    """Return whether the answer to a request of `CAPABILITIES` has ended."""
    return re.search(_ENDS[protocol], data) is not None


def offers_tls(protocol: PlainProtocol, data: bytes) -> bool:
    """Return whether a server's capabilities contain the switch to TLS."""
    return re.search(CAPABILITIES[protocol][1], data) is not None


def first_line(data: bytes) -> str:
    """Return the first line of an answer in ASCII, the rest escaped; of MQTT's CONNACK, what its code says."""
    if data.startswith(_CONNACK) and len(data) >= len(_CONNACK) + 2:
        return f"CONNACK, return code {data[3]} ({CONNACK_CODES.get(data[3], 'unknown')})"
    line = data.strip().split(b"\n", 1)[0].rstrip(b"\r")[:_LINE_CHARACTERS]
    return line.decode("latin-1").encode("unicode_escape").decode("ascii")[:_LINE_CHARACTERS]


# MQTT 3.1.1 section 3.2.2.3; the reason codes of MQTT 5 that concern who may connect (section 3.2.2.2).
CONNACK_CODES = {
    0: "accepted",
    1: "unacceptable protocol version",
    2: "client identifier rejected",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorized",
    0x84: "unsupported protocol version",
    0x85: "client identifier not valid",
    0x86: "bad user name or password",
    0x87: "not authorized",
    0x8C: "bad authentication method",
}
