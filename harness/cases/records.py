"""Application data of every size, both ways."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, table
from harness.cases.sni import anybody
from harness.expectations.needs import MBEDTLS
from harness.model import Tier


@table(tier=Tier.FULL)
def sizes() -> Iterable[Row]:
    """A record holds 16384 bytes; MicroPython's outgoing buffer 4096."""
    mbedtls = (MBEDTLS,)
    yield Row(
        "recv-16384",
        "The server answers 16384 bytes. The largest record there is must fit the incoming buffer.",
        anybody(receive_bytes=16384, needs=mbedtls),
        Tier.CORE,
    )
    yield Row(
        "recv-65536",
        "The server answers 65536 bytes. Four full records in a row.",
        anybody(receive_bytes=65536, needs=mbedtls),
    )
    yield Row(
        "recv-one-byte-records",
        "The server answers in records of one byte. Nobody promises that a record is a message.",
        anybody(behaviour={"name": "records.one-byte-records"}, needs=mbedtls),
    )
    yield Row(
        "send-4097",
        "The board sends 4097 bytes. One more than its outgoing buffer, so it takes two records.",
        anybody(send_bytes=4097, needs=mbedtls),
        Tier.CORE,
    )
    yield Row(
        "send-65536",
        "The board sends 65536 bytes. Sixteen records, and every one must arrive.",
        anybody(send_bytes=65536, needs=mbedtls),
    )
