"""A recording -> the list of its packets as a person would paste it into a question: number, time, sender, length, message. Pure.

One row is one TLS message, or what TCP said of the connection; how TCP cut the bytes is not shown. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.model import Alert, HelloFacts, Packet, Side, TcpEnd, WireChunk
from harness.wire.groups import group_name
from harness.wire.last_word import TLS13_ALERT_BYTES
from harness.wire.reading import WireMessage, WireReading
from harness.wire.records import describe_plain
from harness.wire.suites import is_signal
from harness.wire.versions import version_name

# A list longer than this keeps its two ends; the numbers show the gap.
PACKETS_LIMIT = 100
_PLAIN_SHOWN_BYTES = 32
_SPELT = {
    "ClientHello": "Client Hello",
    "ServerHello": "Server Hello",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A row before it is numbered; `repeated` counts like rows that became one."""

    sender: Side
    at_ms: float
    length: int
    info: str
    name: str = ""
    repeated: int = 1


def packet_list(
    chunks: Sequence[WireChunk], wire: WireReading, *, alerts: Sequence[Alert] = (), ends: Sequence[TcpEnd] = ()
) -> tuple[Packet, ...]:
    """List what crossed the wire.

    Args:
        chunks: the recording; empty for a case in which nobody connected.
        wire: the reading of these chunks.
        alerts: of the same connection; those marked `encrypted` name the records that hide them.
        ends: how each side ended its TCP stream, as far as the server's socket saw it.

    Returns:
        At most `PACKETS_LIMIT` rows in the order of time, numbered from 1; rows left out in the middle leave a gap in the numbers.
    """
    if not chunks and not ends:
        return ()
    opened = _Row(sender=Side.CLIENT, at_ms=0.0, length=0, info="TCP connection, accepted by the server")
    messages = _with_hidden_alerts(_messages(wire), [alert for alert in alerts if alert.encrypted])
    rows = [*_joined(messages), *_odd_rows(chunks, wire)]
    rows += [_Row(sender=end.sender, at_ms=end.at_ms, length=0, info=f"TCP {end.how}") for end in ends]
    rows = [opened, *sorted(rows, key=lambda row: row.at_ms)]
    numbered = tuple(
        Packet(number=number, sender=row.sender, at_ms=row.at_ms, length=row.length, info=_info(row))
        for number, row in enumerate(rows, start=1)
    )
    return shortened(numbered, limit=PACKETS_LIMIT)


def shortened(packets: tuple[Packet, ...], *, limit: int) -> tuple[Packet, ...]:
    """Keep `limit` rows: two thirds from the beginning, where a handshake is, the rest from the end."""
    if len(packets) <= limit:
        return packets
    first = limit * 2 // 3
    return packets[:first] + packets[first - limit :]


def _info(row: _Row) -> str:
    return row.info if row.repeated == 1 else f"{row.info}, {row.repeated} records"


# ----------------------------------------------------------------------------------------------- messages


def _messages(wire: WireReading) -> list[_Row]:
    """A row for each message, with what counts in it."""
    rows: list[_Row] = []
    client_encrypts = False
    seen: dict[str, int] = {}
    for message in wire.messages:
        key = f"{message.sender} {message.name}"
        seen[key] = seen.get(key, 0) + 1
        encrypted = message.name in ("ApplicationData", "EncryptedHandshake")
        client_encrypts = client_encrypts or (encrypted and message.sender is Side.CLIENT)
        info = _message_info(message, wire, which=seen[key])
        if message.name == "ApplicationData" and not client_encrypts:
            # The client has not finished the handshake yet: only TLS 1.3 encrypts that early.
            info += " (rest of the server's handshake, encrypted)"
        rows.append(
            _Row(
                sender=message.sender,
                at_ms=message.at_ms,
                length=message.length,
                info=info,
                name=message.name,
            )
        )
    return rows


def _message_info(message: WireMessage, wire: WireReading, *, which: int) -> str:
    """One message in words; `which` counts messages of this kind from this side, from 1."""
    if message.name == "ClientHello" and message.sender is Side.CLIENT:
        return _client_hello(wire.client_hello if which == 1 else wire.retried_hello)
    if message.name == "HelloRetryRequest":
        return f"Hello Retry Request ({f'asks for {wire.retry_group}' if wire.retry_group else 'no group'})"
    if message.name == "ServerHello" and message.sender is Side.SERVER:
        return _server_hello(wire)
    if message.name == "Certificate" and which == 1:
        sent = wire.certificates if message.sender is Side.SERVER else wire.client_certificates or ()
        return f"Certificate ({_certificates(sent)})"
    if message.name == "ServerKeyExchange":
        key = f"DH {wire.dh_bits} bits" if wire.dh_bits else wire.negotiated.group
        parts = [part for part in (key, wire.signature_algorithm) if part]
        return "Server Key Exchange" + (f" ({', '.join(parts)})" if parts else "")
    if message.name.startswith("Alert("):
        return _clear_alert(message, wire)
    return _SPELT.get(message.name, message.name)


def _client_hello(hello: HelloFacts | None) -> str:
    if hello is None:
        return "Client Hello (malformed)"
    suites = [code for code in hello.suites if not is_signal(int(code, 16))]
    newest = max((int(code, 16) for code in hello.versions), default=None)
    parts = [
        f"SNI={hello.sni}" if hello.sni else "no SNI",
        f"up to {version_name(newest)}" if newest is not None else "",
        f"{len(suites)} suite{'' if len(suites) == 1 else 's'}",
        f"{len(hello.groups)} group{'' if len(hello.groups) == 1 else 's'}",
    ]
    return f"Client Hello ({', '.join(part for part in parts if part)})"


def _server_hello(wire: WireReading) -> str:
    hello, chosen = wire.server_hello, wire.negotiated
    if hello is None:
        return "Server Hello (malformed)"
    group = group_name(hello.group) if hello.group is not None else None
    return f"Server Hello ({', '.join(part for part in (chosen.version, chosen.suite, group, wire.alpn) if part)})"


def _certificates(sent: tuple[bytes, ...]) -> str:
    if not sent:
        return "none"
    count = f"{len(sent)} certificate{'' if len(sent) == 1 else 's'}"
    return f"{_key_text(sent[0])}, {count}, {sum(map(len, sent))} bytes"


def _key_text(der: bytes) -> str:
    """The key in a certificate: `RSA 2048`, `EC secp256r1`, `Ed25519`."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "key unreadable"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey")


# ----------------------------------------------------------------------------------------------- alerts


def _clear_alert(message: WireMessage, wire: WireReading) -> str:
    name = message.name.removeprefix("Alert(").removesuffix(")")
    level = next((a.level for a in wire.alerts if a.name == name and a.sender is message.sender), "")
    return f"Alert ({', '.join(part for part in (level, name) if part)})"


def _with_hidden_alerts(rows: list[_Row], alerts: list[Alert]) -> list[_Row]:
    """Name the encrypted records that hold alerts: of each side's candidates the last ones, for an alert ends what there was."""
    rows = list(rows)
    for side in Side:
        hidden = [alert for alert in alerts if alert.sender is side]
        places = [place for place, row in enumerate(rows) if row.sender is side and _may_hide_alert(row)]
        found = places[len(places) - len(hidden) :] if len(hidden) <= len(places) else places
        for place, alert in zip(found, hidden, strict=False):
            rows[place] = replace(rows[place], info=f"Alert ({alert.level}, {alert.name}), encrypted", name="Alert")
        for alert in hidden[len(found) :]:
            at_ms = alert.at_ms if alert.at_ms is not None else max((row.at_ms for row in rows), default=0.0)
            text = f"Alert ({alert.level}, {alert.name}), inside an encrypted record"
            rows.append(_Row(sender=side, at_ms=at_ms, length=0, info=text, name="Alert"))
    return rows


def _may_hide_alert(row: _Row) -> bool:
    return row.name == "EncryptedAlert" or (row.name == "ApplicationData" and row.length in TLS13_ALERT_BYTES)


# ----------------------------------------------------------------------------------------------- the rest


def _joined(rows: list[_Row]) -> list[_Row]:
    """Make runs of equal rows from one side one row with their sum."""
    joined: list[_Row] = []
    for row in rows:
        last = joined[-1] if joined else None
        if last is not None and (last.sender, last.info) == (row.sender, row.info):
            joined[-1] = replace(last, length=last.length + row.length, repeated=last.repeated + 1)
        else:
            joined.append(row)
    return joined


def _odd_rows(chunks: Sequence[WireChunk], wire: WireReading) -> list[_Row]:
    """What is no TLS message: plain text, bytes that leave the protocol, and what was cut off in the middle."""
    rows = []
    for side, plain, wrong, pending in (
        (Side.CLIENT, wire.client_plain, wire.client_wrong, wire.client_pending_bytes),
        (Side.SERVER, wire.server_plain, wire.server_wrong, wire.server_pending_bytes),
    ):
        own = [chunk for chunk in chunks if chunk.sender is side]
        if not own:
            continue
        total = sum(len(chunk.data) for chunk in own)
        if plain is not None:
            text = f"not TLS: {describe_plain(plain)} {plain[:_PLAIN_SHOWN_BYTES]!r}"
            rows.append(_Row(sender=side, at_ms=own[0].at_ms, length=total, info=text))
        elif wrong is not None:
            rows.append(_Row(sender=side, at_ms=own[-1].at_ms, length=0, info=f"wrong: {wrong}"))
        if plain is None and pending:
            text = "cut short: the rest of this record or message did not come"
            rows.append(_Row(sender=side, at_ms=own[-1].at_ms, length=pending, info=text))
    return rows
