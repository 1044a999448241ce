"""How the agent connects, on stand-ins for the sockets of three kinds of firmware: lwIP, an ESP32 up to 1.21, and one without poll()."""

from __future__ import annotations

import errno
import select
import socket
import types
from collections.abc import Callable
from typing import Any

import pytest

from harness.boards.agent.protocol import read_objects, tcp_code
from harness.boards.agent.scripts import script

ADDRESS = ("192.0.2.1", 8443)


@pytest.fixture
def agent(agent_source: str) -> dict[str, Any]:
    """The agent's names, under CPython."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(agent_source, names)
    return names


@pytest.mark.parametrize("kind", ["LwipSocket", "LwipSocketSince124"])
def test_f1_d1_rb01_a_server_that_ends_at_once(agent: dict[str, Any], kind: str) -> None:
    """lwIP's connect() fails if the peer has ended before it looks: the agent does not block in connect(), and gets the end as an end."""
    lwip: dict[str, Any] = {}
    exec(script("lwip_stand_in"), lwip)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def end() -> None:
            listener.accept()[0].close()

        class Early(lwip[kind]):  # type: ignore[misc]  # made at run time
            """The peer ends as soon as the connection is made, however connect() waits for it."""

            def connect(self, address: Any) -> None:
                try:
                    super().connect(address)
                except OSError as error:
                    if error.args[0] == errno.EINPROGRESS:
                        end()
                    raise

        lwip["time"] = types.SimpleNamespace(sleep=lambda seconds: end())
        sock = Early(socket.AF_INET)
        try:
            agent["th_connect"](sock, listener.getsockname(), 8000)
            assert sock.recv(1) == b""
        finally:
            sock.close()


class Esp32Socket:
    """ports/esp32/modsocket.c up to 1.21: connect() ignores the time-out, here forever. A dropped SYN is never answered."""

    def __init__(self, *_kind: int) -> None:
        self.blocking = True

    def setblocking(self, flag: bool) -> None:
        self.blocking = flag

    def settimeout(self, seconds: float) -> None:
        pass

    def connect(self, address: Any) -> None:
        if self.blocking:
            pytest.fail("connect() blocks for as long as lwIP repeats its SYN")
        raise OSError(119)  # ESP-IDF's EINPROGRESS

    def close(self) -> None:
        pass


class Poll:
    """A poll() that finds nothing until its time is over; `waited_ms` notes the time."""

    waited_ms: list[int]

    def __init__(self) -> None:
        self.waited_ms = []

    def register(self, sock: Any, events: int) -> None:
        pass

    def unregister(self, sock: Any) -> None:
        pass

    def poll(self, timeout_ms: int) -> list[Any]:
        self.waited_ms.append(timeout_ms)
        return []


def test_f8_rb06_a_connection_that_is_never_answered(agent: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """An ESP32 up to 1.21 ignores the time-out of connect(): the agent waits with poll(), so the TCP check ends within its own time."""
    poll = Poll()
    agent["th_socket"] = types.SimpleNamespace(
        socket=Esp32Socket, getaddrinfo=lambda host, port: [(2, 1, 0, "", (host, port))]
    )
    agent["th_select"] = types.SimpleNamespace(poll=lambda: poll, POLLOUT=4, POLLERR=8, POLLHUP=16)
    exec(script("tcp_try") + tcp_code("192.0.2.1", port=9, timeout_ms=8000), agent)
    (answer,) = read_objects(capsys.readouterr().out.encode())
    assert (answer["kind"], answer["stage"], answer["args"]) == ("exception", "connect", [errno.ETIMEDOUT])
    assert poll.waited_ms == [8000]


@pytest.mark.parametrize("events", [select.POLLERR, select.POLLHUP, select.POLLERR | select.POLLOUT])
def test_f1_a_connection_that_fails_while_it_is_waited_for(agent: dict[str, Any], events: int) -> None:
    """What poll() reports as an error is raised with the number that reading gives."""
    sock = types.SimpleNamespace(recv=lambda size: (_ for _ in ()).throw(OSError(errno.ECONNREFUSED)))
    poll = Poll()
    poll.poll = lambda timeout_ms: [(sock, events)]  # type: ignore[method-assign]
    agent["th_select"] = types.SimpleNamespace(poll=lambda: poll, POLLOUT=4, POLLERR=8, POLLHUP=16)
    with pytest.raises(OSError, match=f"^{errno.ECONNREFUSED}$"):
        agent["th_wait_connected"](sock, 8000)


@pytest.mark.parametrize("words", [("setblocking", "settimeout"), ("settimeout",), ()])
def test_f1_firmware_without_poll(agent: dict[str, Any], words: tuple[str, ...]) -> None:
    """Where nothing can be waited for, connect() blocks, with a time-out if the firmware has one."""
    calls: list[tuple[Any, ...]] = []

    def noted(name: str) -> Callable[..., None]:
        return lambda *values: calls.append((name, *values))

    agent["th_select"] = None
    agent["th_connect"](types.SimpleNamespace(**{name: noted(name) for name in (*words, "connect")}), ADDRESS, 8000)
    assert calls == [*([("settimeout", 8.0)] if "settimeout" in words else []), ("connect", ADDRESS)]
