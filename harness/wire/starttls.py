"""How a client starts TLS on a connection that begins in plain text (STARTTLS), step by step. Pure.

Knows the dialogue of each protocol up to the ClientHello. Must not know sockets, nor how a program on a board writes the same steps.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.wire.plain_protocols import PlainProtocol

# The last line of an answer: the code alone, or with a blank after it (RFC 5321 section 4.2, RFC 959 section 4.2).
_CODE_LINE = rb"(?m)^\d{3}( [^\n]*|\r?)\n"
_ANY_LINE = rb"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the client sends, and the answer: `ends` finds its last line, and the answer to go on with begins its last line with `good`.

    The first step of a dialogue sends nothing: the server greets.
    """

    sends: bytes
    ends: bytes
    good: bytes

    def is_complete(self, data: bytes) -> bool:
        """Return whether the whole answer has arrived."""
        return re.search(self.ends, data) is not None

    def is_good(self, data: bytes) -> bool:
        """Return whether a complete answer allows the next step."""
        return data.rstrip(b"\r\n").rpartition(b"\n")[2].startswith(self.good)


# RFC 3207 section 4, RFC 9051 section 6.2.1, RFC 2595 section 4, RFC 4217 section 4.
DIALOGUES = {
    PlainProtocol.SMTP: (
        Step(sends=b"", ends=_CODE_LINE, good=b"220"),
        Step(sends=b"EHLO board\r\n", ends=_CODE_LINE, good=b"250"),
        Step(sends=b"STARTTLS\r\n", ends=_CODE_LINE, good=b"220"),
    ),
    PlainProtocol.IMAP: (
        Step(sends=b"", ends=_ANY_LINE, good=b"* "),
        Step(sends=b"a1 STARTTLS\r\n", ends=rb"(?m)^a1 [^\n]*\n", good=b"a1 OK"),
    ),
    PlainProtocol.POP3: (
        Step(sends=b"", ends=_ANY_LINE, good=b"+OK"),
        Step(sends=b"STLS\r\n", ends=_ANY_LINE, good=b"+OK"),
    ),
    PlainProtocol.FTP: (
        Step(sends=b"", ends=_CODE_LINE, good=b"220"),
        Step(sends=b"AUTH TLS\r\n", ends=_CODE_LINE, good=b"234"),
    ),
}
