"""Boards whose boot.py replaces a part of the firmware with a stand-in. Disks, clocks and false claims: test_faulty.py."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator

import pytest

from harness.boards.serial.raw_repl import RawRepl
from harness.boards.virtual.boot_code import JITTER_BYTES, LEAK_BYTES, SLOW_BOOT_S
from harness.boards.virtual.faults import FAULTS
from harness.boards.virtual.faulty import FaultyBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.system.deadline import Deadline


@pytest.fixture
def run_on() -> Iterator[Callable[[str, bytes], bytes]]:
    """Run code on a new board; return its output. The first Ctrl-C may interrupt boot.py: a soft reset runs all of it."""
    made: list[FaultyBoard] = []

    def run(name: str, code: bytes) -> bytes:
        made.append(FaultyBoard(FAULTS[name], find_interpreter("")))
        link = RawRepl(made[-1].port)
        try:
            link.enter_raw_repl(deadline=Deadline(60))
            link.soft_reset(deadline=Deadline(60))
            output = link.exec(code, deadline=Deadline(60))
        finally:
            link.close()
        assert output.stderr == b""
        return output.stdout

    yield run
    for board in made:
        board.close()


def test_rb08_free_heap_varies(run_on: Callable[[str, bytes], bytes]) -> None:
    """It varies by up to 6 KB between two calls, and the rest of gc is unchanged."""
    code = b"import gc\nseen = [None] * 200\nfor n in range(200): gc.collect(); seen[n] = gc.mem_free()\nprint(max(seen) - min(seen))"
    assert JITTER_BYTES - 300 <= int(run_on("jitter", code)) <= JITTER_BYTES + 300


def test_sockets_that_keep_memory(run_on: Callable[[str, bytes], bytes]) -> None:
    """Each connection costs its bytes for ever, under either name of the module; nothing else of `socket` changes."""
    code = b"""\
import gc, socket, usocket
gc.collect()
free = gc.mem_free()
for n in range(50): socket.socket().close(); usocket.socket().close()
gc.collect()
print((free - gc.mem_free()) // 100, socket.getaddrinfo is usocket.getaddrinfo)
"""
    kept, same = run_on("leak", code).split()
    assert LEAK_BYTES <= int(kept) <= LEAK_BYTES + 80
    assert same == b"True"


def test_rb09_no_memory_for_tls(run_on: Callable[[str, bytes], bytes]) -> None:
    """A context can be made and configured; wrapping a socket ends in ENOMEM, under every module name."""
    code = b"""\
for name in ('tls', 'ssl'):
    module = __import__(name)
    context = module.SSLContext(module.PROTOCOL_TLS_CLIENT)
    context.verify_mode = module.CERT_NONE
    try: context.wrap_socket(None, server_hostname='tls.test')
    except OSError as e: print(name, e.args[0])
"""
    assert run_on("small-heap", code).split() == [b"tls", b"12", b"ssl", b"12"]


@pytest.mark.parametrize(("name", "step_ms"), [("lwip-1.23", 100), ("lwip-1.24", 1)])
def test_sockets_of_lwip(run_on: Callable[[str, bytes], bytes], name: str, step_ms: int) -> None:
    """Both names of the module refer to the stand-in; other attributes are the firmware's."""
    code = b"import socket, usocket\nprint(socket.socket().step_ms, usocket.socket().step_ms, bool(socket.getaddrinfo('127.0.0.1', 1)))"
    assert run_on(name, code).split() == [b"%d" % step_ms, b"%d" % step_ms, b"True"]


def test_slow_boot() -> None:
    """Its prompt comes only after boot.py has slept."""
    slept: list[float] = []
    names = {"__import__": lambda name, *words: types.SimpleNamespace(sleep=slept.append)}
    exec(FAULTS["slow-boot"].boot, {"__builtins__": names})
    assert slept == [SLOW_BOOT_S]


def test_a_bare_board(run_on: Callable[[str, bytes], bytes]) -> None:
    """It has a radio that is off and has no address; nothing was called."""
    code = b"import network\nn = network.WLAN(network.STA_IF)\nprint(n.active(), n.isconnected(), n.ifconfig()[0], n.calls)"
    assert run_on("bare", code) == b"False False 0.0.0.0 []\n"


def test_radios() -> None:
    """Each board has the stand-in of its family."""
    found = {
        name: made[1] for name, fault in FAULTS.items() if (made := re.search(r"th_station = (\w+)\(", fault.boot))
    }
    assert found == {
        "bare": "Esp32",
        "wlan-esp32-1.21": "Esp32Before122",
        "wlan-esp32": "Esp32",
        "wlan-cyw43": "Cyw43",
    }
