"""The process that keeps a place: the order of its steps, and that it releases the place however it ends.

The client is a script that records its calls; tests/plugin/test_labgrid_board.py has the real one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.boards.labgrid import board as labgrid
from harness.system.deadline import Deadline

KEEPER = Path(labgrid.__file__).with_name("keeper.py")
EXPORTED = '{"LG__SERIALDRIVER_PORT": "1"}'
CLIENT = """#!/bin/sh
folder="$(dirname "$0")"
echo "$@" >>"$folder/calls"
case "$2" in
acquire|release-from) . "$folder/$2" ;;
*) cat >"$folder/environment"; . "$folder/export" ;;
esac
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="labgrid is for Linux")


class Kept:
    """A keeper and the scripts of its client; the default script does nothing and succeeds."""

    def __init__(self, folder: Path, *, timeout_s: float, ours: bool, **scripts: str) -> None:
        self.folder = folder
        for name in ("acquire", "export", "release-from"):
            (folder / name).write_text(scripts.get(name.partition("-")[0], "true"), encoding="ascii")
        client = folder / "client"
        client.write_text(CLIENT, encoding="ascii")
        client.chmod(0o755)
        job = {
            "client": str(client),
            "place": "board0",
            "owner": "desk/bob",
            "acquire": not ours,
            "environment": "targets",
            "timeout_s": timeout_s,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER), json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def step(self) -> dict[str, Any]:
        """The next report."""
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def end(self) -> tuple[int, list[tuple[str, int]]]:
        """Close its input and wait; return its exit code and the remaining reports."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        # Not communicate(): `step` has read ahead into the buffer of this file.
        steps = [json.loads(line) for line in self.process.stdout]
        return self.process.wait(60), [(step["step"], step["status"]) for step in steps]

    def calls(self) -> list[str]:
        """The calls of the client."""
        return (self.folder / "calls").read_text(encoding="ascii").splitlines()


ACQUIRE = "--place=board0 acquire"
EXPORT = "--place=board0 -c /dev/stdin export --format json -"
RELEASE = "--place=board0 release-from desk/bob"
STAYS = f"echo '{EXPORTED}'; exec sleep 600"


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Callable[..., Kept]]:
    """Start keepers, and kill them at the end."""
    made: list[Kept] = []

    def start(*, timeout_s: float = 60.0, ours: bool = False, **scripts: str) -> Kept:
        made.append(Kept(tmp_path, timeout_s=timeout_s, ours=ours, **scripts))
        return made[-1]

    yield start
    for kept in made:
        with kept.process as process, contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_the_whole_life_of_a_place(keep: Callable[..., Kept]) -> None:
    """Acquire, export, wait for the end of the input; then end the export and release by our name."""
    kept = keep(acquire="echo acquired", export=STAYS)
    assert kept.step() == {"step": "acquire", "status": 0, "output": "acquired\n"}
    exported = kept.step()
    assert (exported["step"], exported["status"], exported["output"].strip()) == ("export", 0, EXPORTED)
    assert kept.end() == (0, [("release", 0)])
    assert kept.calls() == [ACQUIRE, EXPORT, RELEASE]
    assert (kept.folder / "environment").read_text(encoding="ascii") == "targets"


def test_a_place_that_was_ours_before(keep: Callable[..., Kept]) -> None:
    """A place that was acquired before is neither acquired nor released."""
    kept = keep(ours=True, export=STAYS)
    assert kept.step()["step"] == "export"
    assert kept.end() == (0, [])
    assert kept.calls() == [EXPORT]


def test_a_place_that_cannot_be_acquired(keep: Callable[..., Kept]) -> None:
    """A place that was not acquired is not released: another user may have it."""
    kept = keep(acquire="echo no >&2; exit 1")
    assert kept.step() == {"step": "acquire", "status": 1, "output": "no\n"}
    assert kept.end() == (1, [])
    assert kept.calls() == [ACQUIRE]


def test_an_acquire_that_hangs(keep: Callable[..., Kept]) -> None:
    """It is unknown whether the place was acquired, so it is released by our name, which affects no other user."""
    kept = keep(timeout_s=0.2, acquire="exec sleep 600")
    assert kept.step() == {"step": "acquire", "status": 124, "output": ""}
    assert kept.end()[1] == [("release", 0)]
    assert kept.calls()[-1] == RELEASE


def test_an_export_that_fails(keep: Callable[..., Kept]) -> None:
    """The place is released at once, without waiting for the end of the input."""
    kept = keep(export="echo orphaned >&2; exit 1")
    assert kept.step()["status"] == 0
    assert kept.step() == {"step": "export", "status": 1, "output": "orphaned\n"}
    assert kept.step() == {"step": "release", "status": 0, "output": ""}
    assert kept.process.wait(60) == 1


def test_an_export_that_hangs(keep: Callable[..., Kept]) -> None:
    """A client that prints nothing for too long is ended."""
    kept = keep(timeout_s=0.2, ours=True, export="exec sleep 600")
    assert kept.step() == {"step": "export", "status": 124, "output": ""}
    assert kept.process.wait(60) == 1


def test_a_release_that_fails(keep: Callable[..., Kept]) -> None:
    """The failure is reported, and is the exit code."""
    kept = keep(export=STAYS, release="exit 1")
    assert [kept.step()["step"], kept.step()["step"]] == ["acquire", "export"]
    assert kept.end() == (1, [("release", 1)])


def test_no_client(keep: Callable[..., Kept]) -> None:
    """A program that is gone makes the step fail."""
    kept = keep(acquire='rm "$0"')
    assert kept.step()["status"] == 0
    assert kept.step() == {"step": "export", "status": 127, "output": "No such file or directory"}
    assert kept.step() == {"step": "release", "status": 127, "output": "No such file or directory"}
    assert kept.process.wait(60) == 1


def test_the_end_while_it_acquires(keep: Callable[..., Kept]) -> None:
    """After Ctrl-C on the run the client is not waited for, and what it may have acquired is released."""
    kept = keep(acquire='touch "$folder/acquiring"; exec sleep 600')
    deadline, pause = Deadline(60), threading.Event()
    while not (kept.folder / "acquiring").exists():
        assert not deadline.expired
        pause.wait(0.02)
    assert kept.end() == (1, [("acquire", 124), ("release", 0)])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals(keep: Callable[..., Kept], number: signal.Signals) -> None:
    """At SIGTERM and SIGHUP it releases the place; it ignores Ctrl-C, which is for the run."""
    kept = keep(export=STAYS)
    assert [kept.step()["step"], kept.step()["step"]] == ["acquire", "export"]
    kept.process.send_signal(signal.SIGINT)
    kept.process.send_signal(number)
    assert kept.process.wait(60) == 0
    assert kept.calls()[-1] == RELEASE


def test_it_outlives_its_parent(keep: Callable[..., Kept]) -> None:
    """The place is released even if nothing reads the reports any more."""
    kept = keep(export=STAYS)
    assert [kept.step()["step"], kept.step()["step"]] == ["acquire", "export"]
    assert kept.process.stdin is not None
    assert kept.process.stdout is not None
    kept.process.stdout.close()
    kept.process.stdin.close()
    assert kept.process.wait(60) == 0
    assert kept.calls()[-1] == RELEASE
    with pytest.raises(ProcessLookupError):
        os.killpg(kept.process.pid, 0)
