"""The encrypted part of a TLS 1.3 handshake, read with the secrets that the server logged: which messages each side sent.

Knows records and NSS key-log lines. Keeps no
secret and returns names only. A record that does not decrypt ends the reading of its side: nothing after it can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Side, WireChunk
from harness.wire.handshake import MessageJoiner
from harness.wire.records import APPLICATION_DATA, HANDSHAKE, NotTlsError, Record, RecordSplitter
from harness.wire.tls13_keys import TLS13_SUITES, RecordOpener

_LABELS = {
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": Side.SERVER,
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": Side.CLIENT,
}
FINISHED = "Finished"


def encrypted_messages(chunks: Sequence[WireChunk], *, key_log: str, suite: int) -> tuple[tuple[Side, str], ...]:
    """Return the handshake messages that were encrypted, in order: the sender and the RFC's name.

    A message that was cut off counts as sent once its header has arrived. Post-handshake messages are not read.

    Args:
        chunks: the recording of one connection.
        key_log: its NSS key-log lines; without them nothing is returned.
        suite: the code that the ServerHello chose.
    """
    secrets = _secrets(key_log)
    if suite not in TLS13_SUITES or not secrets:
        return ()
    sides = {side: _Reader(secret, suite=suite) for side, secret in secrets.items()}
    found: list[tuple[Side, str]] = []
    for chunk in chunks:
        if chunk.sender in sides:
            found += [(chunk.sender, name) for name in sides[chunk.sender].take(chunk.data)]
    return tuple(found)


def _secrets(key_log: str) -> dict[Side, bytes]:
    """Return the handshake secret of each side; the last line counts if a connection has several."""
    found: dict[Side, bytes] = {}
    for line in key_log.splitlines():
        label, _, rest = line.partition(" ")
        side, secret = _LABELS.get(label), rest.partition(" ")[2]
        if side is not None:
            try:
                found[side] = bytes.fromhex(secret)
            except ValueError:
                continue
    return found


class _Reader:
    """One direction, read until its Finished."""

    def __init__(self, secret: bytes, *, suite: int) -> None:
        self._opener = RecordOpener(secret, suite=suite)
        self._splitter = RecordSplitter()
        self._joiner = MessageJoiner()
        self._over = False
        self._begun = False

    def take(self, data: bytes) -> list[str]:
        """Return the names of the messages that begin in these bytes."""
        self._splitter.feed(data)
        found: list[str] = []
        try:
            while not self._over and (record := self._splitter.next_record()) is not None:
                if record.content_type == APPLICATION_DATA:
                    found += self._messages(record)
        except (NotTlsError, ValueError):
            self._over = True
        return found

    def _messages(self, record: Record) -> list[str]:
        payload = self._opener.open(record)
        if payload is None or payload[-1] != HANDSHAKE:
            self._over = payload is None
            return []
        self._joiner.feed(payload[:-1])
        found = []
        while (message := self._joiner.next_message()) is not None:
            if not self._begun:
                found.append(message.name)
            self._begun = False
            self._over = message.name == FINISHED
        pending = self._joiner.begun()
        if pending is not None and not self._begun:
            found.append(pending)
            self._begun = True
        return found
