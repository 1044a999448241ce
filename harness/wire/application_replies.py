"""What a server's application answers after the handshake: its first line, and whether it refuses the client. Pure.

Knows HTTP's status line and MQTT's CONNACK. A server may complete a handshake without the client certificate that it asked for, and refuse
the client only here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.wire.plain_protocols import MQTT_CONNECT, first_line, http_request

# Bad request and forbidden are what nginx and Apache answer without a good certificate; 495 and 496 are nginx's own codes for it.
_REFUSING_STATUS = frozenset({400, 401, 403, 495, 496})
# A CONNACK (MQTT 3.1.1 section 3.2); any HTTP answer has more than this, and a board's answer carries this much.
_CONNACK_BYTES, LINE_BYTES = 4, 64
_MQTT_PORTS = frozenset({1883, 1884, 8883, 8884, 8885, 8886})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationReply:
    """What came after the board had sent something; `line` is None if the server ended the session without an answer.

    `asked` says what the board sent. `line` is ASCII, the rest escaped.
    """

    asked: str
    line: str | None

    @property
    def refuses(self) -> bool:
        """Whether the server refuses the client: an error status, a CONNACK with a code, or no answer at all."""
        if self.line is None:
            return True
        status = re.match(r"HTTP/\d(?:\.\d)? (\d{3})\b", self.line)
        if status is not None:
            return int(status[1]) in _REFUSING_STATUS
        code = re.match(r"CONNACK, return code (\d+) ", self.line)
        return code is not None and code[1] != "0"


def bytes_to_read(text: str) -> int:
    """Return how many bytes of the answer to this text surely arrive: reading more could wait for ever."""
    if text.encode().startswith(MQTT_CONNECT[:1]) and "MQTT" in text[:12]:
        return _CONNACK_BYTES
    return LINE_BYTES if re.match(r"[A-Z]+ \S+ HTTP/1\.\d\r\n", text) else 1


def reply_line(received: str) -> str:
    """Return the first line of what the board received."""
    return first_line(received.encode())


def likely_requests(host: str, port: int) -> tuple[tuple[str, str], ...]:
    """Return requests to which a server at this port probably answers, each with its name; the more likely one first."""
    mqtt, http = ("an MQTT CONNECT", MQTT_CONNECT.decode()), ("GET / HTTP/1.0", http_request(host).decode())
    return (mqtt, http) if port in _MQTT_PORTS else (http, mqtt)
