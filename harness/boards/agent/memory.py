"""How much memory a board has left: measured if TLS seems to lack memory, because finding the largest block takes time. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.boards.agent.protocol import read_objects

# docs/facts/micropython.md, "Memory": a session with an EC key, with RSA-4096, and the record buffer, in one piece.
NEEDED_BYTES = (28_000, 36_000)
NEEDED_PIECE_BYTES = 16_700


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeMemory:
    """Free memory in bytes, each with its largest piece: the heap, and ESP-IDF's heap, where TLS lives on an ESP32."""

    number: int | None = None
    free: int | None = None
    largest: int | None = None
    idf_free: int | None = None
    idf_largest: int | None = None
    damaged: bool = False


def read_memory(console: bytes) -> FreeMemory | None:
    """Read the answer to `th_memory`; None if there is none.

    Raises:
        ValueError: the answer is not in the agent's format.
    """
    objects = read_objects(console)
    if not objects:
        return None
    value = objects[-1]
    if value.get("kind") != "memory":
        raise ValueError(f"unexpected response type from the board: {str(value.get('kind'))[:40]!r}")
    idf = value.get("idf")
    idf_free, idf_largest = idf[:2] if isinstance(idf, list) and len(idf) == 3 else (None, None)
    return FreeMemory(
        number=_number(value.get("n")),
        free=_number(value.get("free")),
        largest=_number(value.get("largest")),
        idf_free=_number(idf_free),
        idf_largest=_number(idf_largest),
    )


def memory_text(memory: FreeMemory) -> str:
    """Return a text about free memory and what TLS needs."""
    heap = f"{_bytes(memory.free)} of heap free, {_bytes(memory.largest)} in one piece"
    if memory.idf_free is not None:
        heap = (
            f"{_bytes(memory.idf_free)} of ESP-IDF's heap free, {_bytes(memory.idf_largest)} in one piece (and {heap})"
        )
    low, high = NEEDED_BYTES
    return f"{heap}; a TLS session needs {low // 1000} to {high // 1000} KB, {NEEDED_PIECE_BYTES / 1000:.1f} KB of it in one piece"


def _bytes(count: int | None) -> str:
    return "an unknown amount" if count is None else f"{count} bytes"


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else None
