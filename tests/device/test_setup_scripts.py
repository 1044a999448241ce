"""Test set_clock.py and tcp_try.py under CPython with a stand-in machine module, and on a real interpreter."""

from __future__ import annotations

import queue
import socket
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator

import pytest

from harness.boards.agent.protocol import clock_code, read_objects, tcp_code
from harness.boards.agent.scripts import script


def test_clock_is_set_in_utc(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, agent_source: str
) -> None:
    """The RTC gets the fields with 0 as the port-dependent last one; the previous time is reported (stand-in machine)."""
    given: list[tuple[int, ...]] = []
    machine = types.ModuleType("machine")
    vars(machine).update(RTC=lambda: types.SimpleNamespace(datetime=given.append))
    monkeypatch.setitem(sys.modules, "machine", machine)
    exec(agent_source + script("set_clock") + clock_code((2026, 8, 9, 7, 10, 11, 12)), {})
    (answer,) = read_objects(capsys.readouterr().out.encode())
    assert given == [(2026, 8, 9, 7, 10, 11, 12, 0)]
    assert (answer["kind"], answer["set"]) == ("result", True)
    assert abs(time.time() - time.mktime((*answer["before"], 0, 0, 0)) + time.timezone) < 60


def test_unix_has_no_clock_to_set(run_on: Callable[[str], bytes], agent_source: str) -> None:
    """The unix port uses its host's clock; this is reported and is not an error."""
    (answer,) = read_objects(run_on(agent_source + script("set_clock") + clock_code((2026, 8, 9, 7, 10, 11, 12))))
    assert (answer["kind"], answer["set"]) == ("result", False)


@pytest.fixture
def contact_server() -> Iterator[tuple[int, queue.Queue[bytes]]]:
    """A server of the first contact: sends one byte, then receives until the client's FIN; gives its port and what it received."""
    heard: queue.Queue[bytes] = queue.Queue()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(60)
                peer.sendall(b"\xa5")
                while data := peer.recv(16):
                    heard.put(data)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], heard
        thread.join(60)


def test_f1_f19_first_contact(
    run_on: Callable[[str], bytes], contact_server: tuple[int, queue.Queue[bytes]], closed_port: int, agent_source: str
) -> None:
    """The board returns the server's byte, then closes first; a closed port gives its errno and the stage."""
    port, heard = contact_server
    calls = [tcp_code("127.0.0.1", port=number, timeout_ms=2000) for number in (port, closed_port)]
    reached, refused = read_objects(run_on("\n".join([agent_source, script("tcp_try"), *calls])))
    assert (reached["kind"], heard.get(timeout=60)) == ("result", b"\xa5")
    assert (refused["kind"], refused["stage"], refused["type"], refused["args"]) == (
        "exception",
        "connect",
        "OSError",
        [111],
    )
    assert refused["ms"] >= 0


def test_f19_a_server_that_closes_at_once_is_no_first_contact(
    run_on: Callable[[str], bytes], agent_source: str
) -> None:
    """A peer that closes without sending anything is not our server: an error at `read`, not a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True)
        thread.start()
        call = tcp_code("127.0.0.1", port=listener.getsockname()[1], timeout_ms=2000)
        (answer,) = read_objects(run_on("\n".join([agent_source, script("tcp_try"), call])))
        thread.join(60)
    assert (answer["kind"], answer["stage"], answer["args"]) == ("exception", "read", [104])
