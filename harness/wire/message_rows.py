"""The messages of a recording, each with its important contents: the only source of their names. Pure.

A row is one TLS message, a run of equal ones from one side, or what is no TLS. Encrypted records that hold alerts are named where the
session's secrets told which they are. `packet_list` makes a list for people of them, `harness.diagnose.wire_steps` the wire in brief.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.model import Alert, HelloFacts, Side, WireChunk
from harness.wire.groups import group_name
from harness.wire.last_word import TLS13_ALERT_BYTES
from harness.wire.reading import WireMessage, WireReading
from harness.wire.records import describe_plain
from harness.wire.suites import is_signal
from harness.wire.versions import version_name

NO_TLS, WRONG, CUT_SHORT = "no TLS", "wrong", "cut short"
_PLAIN_SHOWN_BYTES = 40
_SHOWN_GROUPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One message: `name` as in `WireMessage`, or `no TLS`, `wrong`, `cut short`; `level` is an alert's; `repeated` counts a run."""

    sender: Side
    at_ms: float
    length: int
    name: str
    detail: str = ""
    level: str = ""
    repeated: int = 1


def message_rows(chunks: Sequence[WireChunk], wire: WireReading, *, alerts: Sequence[Alert] = ()) -> list[Row]:
    """Name every message, in the order of time.

    Args:
        chunks: the recording.
        wire: the reading of these chunks.
        alerts: of the same connection; those marked `encrypted` name the records that hide them.
    """
    messages = _with_hidden_alerts(_messages(wire), [alert for alert in alerts if alert.encrypted])
    return sorted([*_joined(messages), *_odd_rows(chunks, wire)], key=lambda row: row.at_ms)


# ----------------------------------------------------------------------------------------------- messages


def _messages(wire: WireReading) -> list[Row]:
    """A row for each message."""
    rows: list[Row] = []
    client_encrypts = False
    seen: dict[str, int] = {}
    levels = {(alert.sender, f"Alert({alert.name})"): alert.level for alert in reversed(wire.alerts)}
    for message in wire.messages:
        key = f"{message.sender} {message.name}"
        seen[key] = seen.get(key, 0) + 1
        encrypted = message.name in ("ApplicationData", "EncryptedHandshake")
        client_encrypts = client_encrypts or (encrypted and message.sender is Side.CLIENT)
        detail = _detail(message, wire, which=seen[key])
        if message.name == "ApplicationData" and not client_encrypts:
            # The client has not finished the handshake yet: only TLS 1.3 encrypts that early.
            detail = "rest of the server's handshake, encrypted"
        rows.append(
            Row(
                sender=message.sender,
                at_ms=message.at_ms,
                length=message.length,
                name=message.name,
                detail=detail,
                level=levels.get((message.sender, message.name), ""),
            )
        )
    return rows


def _detail(message: WireMessage, wire: WireReading, *, which: int) -> str:
    """Return the important contents of one message; `which` counts messages of this kind from this side, from 1."""
    if message.name == "ClientHello" and message.sender is Side.CLIENT:
        hello = wire.client_hello if which == 1 else wire.retried_hello
        return hello_text(hello) if hello is not None else "malformed"
    if message.name == "HelloRetryRequest":
        return f"asks for {wire.retry_group}" if wire.retry_group else "no group"
    if message.name == "ServerHello" and message.sender is Side.SERVER:
        return _server_hello(wire)
    if message.name == "Certificate" and which == 1:
        return _certificates(wire.certificates if message.sender is Side.SERVER else wire.client_certificates or ())
    if message.name == "ServerKeyExchange":
        key = f"DH {wire.dh_bits} bits" if wire.dh_bits else wire.negotiated.group
        return ", ".join(part for part in (key, wire.signature_algorithm) if part)
    if message.name == "ApplicationData" and message.length in TLS13_ALERT_BYTES:
        return "the length of an encrypted alert"
    return ""


def hello_text(hello: HelloFacts) -> str:
    """What a client offers, in one line."""
    suites = [code for code in hello.suites if not is_signal(int(code, 16))]
    groups = [group_name(int(code, 16)) for code in hello.groups]
    shown = ", ".join(groups[:_SHOWN_GROUPS]) + (
        f" and {len(groups) - _SHOWN_GROUPS} more" if len(groups) > _SHOWN_GROUPS else ""
    )
    versions = "/".join(version_name(int(code, 16)) for code in hello.versions)
    return (
        f"{versions}, {len(suites)} suite{'' if len(suites) == 1 else 's'}, groups {shown or 'none'}, "
        f"{f'SNI {hello.sni}' if hello.sni else 'no SNI'}"
    )


def _server_hello(wire: WireReading) -> str:
    hello, chosen = wire.server_hello, wire.negotiated
    if hello is None:
        return "malformed"
    group = group_name(hello.group) if hello.group is not None else None
    return " ".join(part for part in (chosen.version, chosen.suite, group, wire.alpn) if part)


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
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        return "key unreadable"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey")


# ----------------------------------------------------------------------------------------------- alerts


def _with_hidden_alerts(rows: list[Row], alerts: list[Alert]) -> list[Row]:
    """Mark the encrypted records that hold alerts: the last candidates of each side, because an alert ends the connection."""
    rows = list(rows)
    for side in Side:
        hidden = [alert for alert in alerts if alert.sender is side]
        places = [place for place, row in enumerate(rows) if row.sender is side and _may_hide_alert(row)]
        found = places[len(places) - len(hidden) :] if len(hidden) <= len(places) else places
        for place, alert in zip(found, hidden, strict=False):
            rows[place] = replace(rows[place], name=f"Alert({alert.name})", level=alert.level, detail="encrypted")
        for alert in hidden[len(found) :]:
            at_ms = alert.at_ms if alert.at_ms is not None else max((row.at_ms for row in rows), default=0.0)
            text = "inside an encrypted record"
            name = f"Alert({alert.name})"
            rows.append(Row(sender=side, at_ms=at_ms, length=0, name=name, level=alert.level, detail=text))
    return rows


def _may_hide_alert(row: Row) -> bool:
    return row.name == "EncryptedAlert" or (row.name == "ApplicationData" and row.length in TLS13_ALERT_BYTES)


# ----------------------------------------------------------------------------------------------- the rest


def _joined(rows: list[Row]) -> list[Row]:
    """Combine consecutive equal rows of one side into one row with their sum."""
    joined: list[Row] = []
    for row in rows:
        last = joined[-1] if joined else None
        if last is not None and _words(last) == _words(row):
            joined[-1] = replace(last, length=last.length + row.length, repeated=last.repeated + 1)
        else:
            joined.append(row)
    return joined


def _words(row: Row) -> tuple[str, ...]:
    return row.sender, row.name, row.detail, row.level


def _odd_rows(chunks: Sequence[WireChunk], wire: WireReading) -> list[Row]:
    """Return rows for bytes that are not TLS messages: plain text, invalid bytes, and incomplete records."""
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
            text = f"{describe_plain(plain)} {plain[:_PLAIN_SHOWN_BYTES]!r}"
            rows.append(Row(sender=side, at_ms=own[0].at_ms, length=total, name=NO_TLS, detail=text))
        elif wrong is not None:
            rows.append(Row(sender=side, at_ms=own[-1].at_ms, length=0, name=WRONG, detail=wrong))
        if plain is None and pending:
            text = "the rest of this record or message did not arrive"
            rows.append(Row(sender=side, at_ms=own[-1].at_ms, length=pending, name=CUT_SHORT, detail=text))
    return rows
