"""A recording -> a list of its packets that can be pasted into a question: number, time, sender, length, message. Pure.

One row is one TLS message, or what TCP said of the connection; TCP segments are not shown. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Alert, Packet, Side, TcpEnd, WireChunk
from harness.wire.message_rows import CUT_SHORT, NO_TLS, WRONG, Row, message_rows
from harness.wire.reading import WireReading

# A list longer than this keeps its two ends; the numbers show the gap.
PACKETS_LIMIT = 100
_SPELT = {
    "ClientHello": "Client Hello",
    "ServerHello": "Server Hello",
    "HelloRetryRequest": "Hello Retry Request",
    "ServerKeyExchange": "Server Key Exchange",
    "ServerHelloDone": "Server Hello Done",
    "ClientKeyExchange": "Client Key Exchange",
    "CertificateRequest": "Certificate Request",
    "CertificateVerify": "Certificate Verify",
    "CertificateStatus": "Certificate Status",
    "NewSessionTicket": "New Session Ticket",
    "ChangeCipherSpec": "Change Cipher Spec",
    "EncryptedHandshake": "Encrypted Handshake Message",
    "EncryptedAlert": "Alert (encrypted)",
    "ApplicationData": "Application Data",
    "HelloRequest": "Hello Request",
}
_ODD = {NO_TLS: "not TLS", WRONG: "wrong", CUT_SHORT: "cut short"}


def packet_list(
    chunks: Sequence[WireChunk], wire: WireReading, *, alerts: Sequence[Alert] = (), ends: Sequence[TcpEnd] = ()
) -> tuple[Packet, ...]:
    """List what crossed the wire.

    Args:
        chunks: the recording; empty for a case without a connection.
        wire: the reading of these chunks.
        alerts: of the same connection; those marked `encrypted` name the records that hide them.
        ends: how each side ended its TCP stream, as far as the server's socket saw it.

    Returns:
        At most `PACKETS_LIMIT` rows in the order of time, numbered from 1; rows left out in the middle leave a gap in the numbers.
    """
    if not chunks and not ends:
        return ()
    lines = [(row.sender, row.at_ms, row.length, _info(row)) for row in message_rows(chunks, wire, alerts=alerts)]
    lines += [(end.sender, end.at_ms, 0, f"TCP {end.how}") for end in ends]
    opened = (Side.CLIENT, 0.0, 0, "TCP connection, accepted by the server")
    numbered = tuple(
        Packet(number=number, sender=sender, at_ms=at_ms, length=length, info=info)
        for number, (sender, at_ms, length, info) in enumerate(
            [opened, *sorted(lines, key=lambda line: line[1])], start=1
        )
    )
    return shortened(numbered, limit=PACKETS_LIMIT)


def shortened(packets: tuple[Packet, ...], *, limit: int) -> tuple[Packet, ...]:
    """Keep `limit` rows: two thirds from the beginning, where a handshake is, the rest from the end."""
    if len(packets) <= limit:
        return packets
    first = limit * 2 // 3
    return packets[:first] + packets[first - limit :]


def _info(row: Row) -> str:
    """One row in words, spelt as Wireshark does."""
    if row.name in _ODD:
        return f"{_ODD[row.name]}: {row.detail}"
    if row.name.startswith("Alert("):
        named = ", ".join(part for part in (row.level, row.name.removeprefix("Alert(").removesuffix(")")) if part)
        text = f"Alert ({named})" + (f", {row.detail}" if row.detail else "")
    else:
        text = _SPELT.get(row.name, row.name) + (f" ({row.detail})" if row.detail else "")
    return text if row.repeated == 1 else f"{text}, {row.repeated} records"
