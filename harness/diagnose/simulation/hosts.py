"""Simulate against many running servers: a few hosts at a time, with one connection at a time to each host."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from harness.diagnose.request import Progress, host_and_port
from harness.diagnose.simulation.servers import Simulating, simulate_running
from harness.errors import UsageError
from harness.model import Simulation
from harness.system.user_files import FileRefused, read_file

Target = tuple[str, int]
# So many hosts at once; the wait is for the network, not for the processor.
AT_ONCE = 16
_LARGEST_BYTES, _MOST_HOSTS = 1 << 20, 10_000
# A line of progress for so many servers.
_STEP = 10


def read_hosts(path: Path) -> tuple[Target, ...]:
    """Return the servers of a file, each once: HOST:PORT per line, blank lines and comments after # ignored.

    Raises:
        UsageError: the file cannot be read or names no server, or a line is not HOST:PORT.
    """
    try:
        text = read_file(path, limit_bytes=_LARGEST_BYTES).decode("utf-8", "replace")
    except FileRefused as error:
        raise UsageError(f"--hosts {path}: cannot be read: {error.reason}") from error
    found: list[Target] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].strip()
        if words:
            found.append(host_and_port(words, option=f"--hosts {path}, line {number}:"))
    if not found:
        raise UsageError(f"--hosts {path}: no server; expected one HOST:PORT per line")
    if len(found) > _MOST_HOSTS:
        raise UsageError(f"--hosts {path}: {len(found)} servers; expected at most {_MOST_HOSTS}")
    return tuple(dict.fromkeys(found))


def simulate_hosts(
    asked: Simulating,
    targets: Sequence[Target],
    *,
    progress: Progress,
    one: Callable[..., Simulation] = simulate_running,
    at_once: int = AT_ONCE,
) -> Iterator[Simulation]:
    """Simulate against each server and yield the results in the order of the targets.

    Args:
        asked: the same for all.
        targets: each host and port once.
        progress: gets a line for every ten servers that are done.
        one: simulates against one server.
        at_once: how many hosts at the same time; the ports of one host follow each other.
    """
    targets = tuple(dict.fromkeys(targets))
    hosts: dict[str, list[int]] = {}
    for place, (host, _port) in enumerate(targets):
        hosts.setdefault(host.lower(), []).append(place)
    waiting: queue.SimpleQueue[list[int]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Simulation | BaseException]] = queue.SimpleQueue()
    for places in hosts.values():
        waiting.put(places)

    def work() -> None:
        while True:
            try:
                places = waiting.get_nowait()
            except queue.Empty:
                return
            for place in places:
                host, port = targets[place]
                try:
                    done.put((place, one(asked, host=host, port=port, progress=_silent)))
                except BaseException as error:  # handed to the caller, who raises it
                    done.put((place, error))

    for _ in range(min(at_once, len(hosts))):
        # A daemon: Ctrl-C must not wait for servers that do not answer.
        threading.Thread(target=work, name="tls-simulate", daemon=True).start()
    yield from _in_order(done, len(targets), progress=progress)


def _in_order(
    done: queue.SimpleQueue[tuple[int, Simulation | BaseException]], count: int, *, progress: Progress
) -> Iterator[Simulation]:
    found: dict[int, Simulation] = {}
    following = 0
    for finished in range(1, count + 1):
        place, result = done.get()
        if isinstance(result, BaseException):
            raise result
        found[place] = result
        if finished % _STEP == 0 or finished == count:
            progress(f"{finished} of {count} servers")
        while following in found:
            yield found.pop(following)
            following += 1


def _silent(_line: str) -> None:
    """Print nothing: the lines of servers at the same time would mix."""
