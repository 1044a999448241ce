"""A board's answer about its free memory, and its text."""

import json

import pytest

from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.memory import FreeMemory, memory_text, read_memory


def line(**words):
    """Return an answer of the agent."""
    text = json.dumps({"kind": "memory"} | words)
    return f"#th {text} {check_sum(text.encode(), kind='c')}\r\n".encode()


def test_read():
    """Heap and ESP-IDF's heap are read; anything but a number is unknown."""
    assert read_memory(line(n=3, free=47_936, largest=15_104, idf=None)) == FreeMemory(
        number=3, free=47_936, largest=15_104
    )
    esp32 = read_memory(line(n=3, free=1, largest=1, idf=[90_000, 31_000, 20_000]))
    assert (esp32.idf_free, esp32.idf_largest) == (90_000, 31_000)
    odd = read_memory(line(n="x", free=-1, largest=True, idf=[1]))
    assert odd == FreeMemory()
    assert read_memory(b"nothing\n") is None
    with pytest.raises(ValueError, match="unexpected response type from the board: 'stored'"):
        read_memory(line(kind="stored"))


NEEDS = "; a TLS session needs 28 to 36 KB, 16.7 KB of it in one piece"


@pytest.mark.parametrize(
    ("memory", "text"),
    [
        (FreeMemory(free=47_936, largest=15_104), "47936 bytes of heap free, 15104 bytes in one piece" + NEEDS),
        (FreeMemory(), "an unknown amount of heap free, an unknown amount in one piece" + NEEDS),
        (
            FreeMemory(free=9, largest=8, idf_free=40_000, idf_largest=12_000),
            "40000 bytes of ESP-IDF's heap free, 12000 bytes in one piece (and 9 bytes of heap free, 8 bytes in one piece)"
            + NEEDS,
        ),
    ],
)
def test_text(memory, text):
    """The text says what is free, in which heap, and what TLS needs."""
    assert memory_text(memory) == text


def test_measured_on_a_real_interpreter(new_session):
    """The largest block is at most the free memory, and close to it on a fresh heap."""
    session = new_session()
    session.start()
    memory = session.memory()
    assert memory.free // 4 < memory.largest <= memory.free
    assert memory.idf_free is None
