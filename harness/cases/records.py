"""Application data of several sizes, in both directions."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, table
from harness.cases.sni import permissive
from harness.expectations.needs import READS_FULL_RECORDS
from harness.model import Tier


@table(tier=Tier.FULL)
def sizes() -> Iterable[Row]:
    """A record holds 16384 bytes, MicroPython's outgoing buffer 4096."""
    full = (READS_FULL_RECORDS,)
    yield Row(
        "recv-16384",
        "The server sends 16384 bytes. The largest record must fit the incoming buffer.",
        permissive(receive_bytes=16384, needs=full),
        Tier.CORE,
    )
    yield Row(
        "recv-65536",
        "The server sends 65536 bytes. Four full records in a row.",
        permissive(receive_bytes=65536, needs=full),
    )
    yield Row(
        "recv-one-byte-records",
        "The server answers in records of one byte. A record need not be a whole message.",
        permissive(behaviour={"name": "records.one-byte-records"}),
    )
    yield Row(
        "send-4097",
        "The board sends 4097 bytes, one more than fits in its output buffer, so two records are needed.",
        permissive(send_bytes=4097),
        Tier.CORE,
    )
    yield Row(
        "send-65536",
        "The board sends 65536 bytes. All sixteen records must arrive.",
        permissive(send_bytes=65536),
    )
