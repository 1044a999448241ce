"""Many servers: the file, the order, the number at once, and an error in one of them."""

from __future__ import annotations

import threading

import pytest

from harness.diagnose.simulation.hosts import read_hosts, simulate_hosts
from harness.errors import ServerError, UsageError
from harness.model import Simulation

ASKED = object()


def test_file(tmp_path) -> None:
    """Comments and blank lines are ignored, repeated servers are read once."""
    path = tmp_path / "hosts"
    path.write_text("a.example:443\n\n# b\n  c.example:8883  # broker\n[2001:db8::1]:443\na.example:443\n")
    assert read_hosts(path) == (("a.example", 443), ("c.example", 8883), ("2001:db8::1", 443))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a.example\n",
            "--hosts {}, line 1: 'a.example': expected HOST:PORT, e.g. broker.example:8883 or [2001:db8::1]:8883",
        ),
        ("# nothing\n", "--hosts {}: no server; expected one HOST:PORT per line"),
        ("a:1\n" * 10_001, "--hosts {}: 10001 servers; expected at most 10000"),
    ],
)
def test_wrong_file(tmp_path, text: str, message: str) -> None:
    """A file that cannot be used is named with the line."""
    path = tmp_path / "hosts"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_hosts(path)
    assert str(caught.value) == message.format(path)


def test_missing_file(tmp_path) -> None:
    """A file that does not exist is a usage error."""
    with pytest.raises(UsageError, match=r"^--hosts .*none: cannot be read: "):
        read_hosts(tmp_path / "none")


def test_thousand_hosts() -> None:
    """A thousand servers, eight at once: results in their order, each host asked once, progress for every ten."""
    lock, running, most, asked, lines = threading.Lock(), [0], [0], [], []
    together = threading.Barrier(8)

    def one(_asked, *, host, port, progress):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
            asked.append((host, port))
        if port <= 8:
            together.wait(60)
        with lock:
            running[0] -= 1
        return Simulation(server=f"{host}:{port}")

    targets = [(f"h{port}", port) for port in range(1, 1001)]
    found = list(simulate_hosts(ASKED, [*targets, ("h1", 1)], progress=lines.append, one=one, at_once=8))
    assert [item.server for item in found] == [f"h{port}:{port}" for port in range(1, 1001)]
    assert sorted(asked) == sorted(targets)
    assert most[0] == 8
    assert (len(lines), lines[0], lines[-1]) == (100, "10 of 1000 servers", "1000 of 1000 servers")


def test_fault(tmp_path) -> None:
    """A fault of the harness in one server reaches the caller."""

    def one(_asked, *, host, port, progress):
        raise ServerError("no more file descriptors")

    with pytest.raises(ServerError, match=r"^no more file descriptors$"):
        list(simulate_hosts(ASKED, [("h", 1), ("h", 2)], progress=lambda _line: None, one=one))


def test_one_connection_at_a_time_to_a_host() -> None:
    """The ports of one host follow each other, while another host is asked; results keep the order of the file."""
    busy, both = threading.Lock(), threading.Barrier(2)

    def one(_asked, *, host, port, progress):
        if host == "other":
            both.wait(60)
            return Simulation(server="other")
        assert busy.acquire(blocking=False), "two ports of one host at once"
        if port == 1:
            both.wait(60)
        busy.release()
        return Simulation(server=f"{host}:{port}")

    targets = [("h", 1), ("h", 2), ("H", 3), ("other", 1), ("h", 4)]
    found = list(simulate_hosts(ASKED, targets, progress=lambda _line: None, one=one, at_once=4))
    assert [item.server for item in found] == ["h:1", "h:2", "H:3", "other", "h:4"]
