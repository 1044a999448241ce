"""Boards of a labgrid lab: `labgrid:PLACE` is acquired, resolved to a URL, and released at the end of the run, however it ends.

Asks the lab through `client`. A separate process (`keeper`) holds what is acquired: it outlives a run that is killed, and
releases the place.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from harness.boards.labgrid.client import CLIENT_S, LabgridClient
from harness.boards.labgrid.text import (
    Place,
    SerialAddress,
    identity,
    last_words,
    read_export,
    serial_environment,
    who_has,
)
from harness.boards.locks.board_lock import BoardLock
from harness.boards.serial.ports import identity as port_identity
from harness.errors import BoardError, FaultKind
from harness.system.deadline import Deadline

# The keeper's status of a call that did not end.
TIMED_OUT = 124
# The keeper's own steps take as long as the client may; then it waits for its child.
SLACK_S = 15.0
# A run does not wait longer for the end of a keeper, which continues by itself.
RELEASE_S = 20.0
_left_running: list[subprocess.Popen[bytes]] = []


class Keeper:
    """The process that holds the place, until `end()` or the end of this process.

    Args:
        job: as `keeper` expects it.
        environment: of the keeper and the client.
        lock: inherited by the keeper: the board is free only when the place is.

    Raises:
        OSError: no process can be started.
    """

    def __init__(self, job: dict[str, object], *, environment: dict[str, str], lock: BoardLock) -> None:
        program = str(Path(__file__).with_name("keeper.py"))
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", program, json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            pass_fds=(lock.descriptor,) if lock.descriptor >= 0 else (),
            start_new_session=True,
        )
        self._unread = b""

    def line(self, deadline: Deadline) -> dict[str, object] | None:
        """Return what it reports next; None at its end, or when it takes too long."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._unread:
            ready, _, _ = select.select([descriptor], [], [], deadline.remaining_s)
            data = os.read(descriptor, 65536) if ready else b""
            if not data:
                return None
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        found: dict[str, object] = json.loads(line)
        return found

    def end(self, deadline: Deadline) -> dict[str, object] | None:
        """Have it release the place, wait for that, and return its report of the release.

        Raises:
            TimeoutError: it takes too long; it continues by itself.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        released = None
        while (line := self.line(deadline)) is not None:
            released = line if line["step"] == "release" else released
        self._process.stdout.close()
        try:
            self._process.wait(deadline.remaining_s)
        except subprocess.TimeoutExpired:
            _left_running.append(self._process)  # or its destructor would complain
            raise TimeoutError from None
        return released


class KeptPlace:
    """A place that this run holds until `close()`, and the address of its serial port.

    Args:
        target: the part of the spec after `labgrid:`.
        label: the board's name in messages.
        timeout_s: how long one call of the client may take.
        release_s: how long `close()` waits.
        strip_env: environment variables that the client does not get.

    Raises:
        UsageError: no client, no such place.
        BoardError: `busy` with the holder, `missing`, `timeout`.
    """

    def __init__(
        self,
        target: str,
        *,
        label: str,
        timeout_s: float = CLIENT_S,
        release_s: float = RELEASE_S,
        strip_env: Collection[str] = (),
    ) -> None:
        self._release_s = release_s
        self.client = LabgridClient(label, timeout_s=timeout_s, strip_env=strip_env)
        self.notes: list[str] = []
        self._keeper: Keeper | None = None
        self._acquired = False
        self._lock, self.place = self._claim(target)
        self._port_lock: BoardLock | None = None
        try:
            self.address = self._acquire()
        except BaseException:
            self.close()
            raise

    def _claim(self, target: str) -> tuple[BoardLock, Place]:
        """Lock the place against our own other runs, then ask for its state: only other users can change it afterwards."""
        name = self.client.show(target).name if target.startswith("+") else target
        while True:
            lock = BoardLock(identity(name, os.environ), label=self.client.label)
            try:
                place = self.client.show(name)
                if place.name == name:
                    return lock, place
            except BaseException:
                lock.close()
                raise
            lock.close()
            name = place.name  # it was an alias: lock the place itself

    def _acquire(self) -> SerialAddress:
        client, place = self.client, self.place
        refused = client.refusal(place, "")
        if refused is not None:
            raise refused
        held = place.acquired is not None
        if held:
            self.notes.append(
                f"labgrid place {place.name} was already acquired by {who_has(place.acquired or '')}: "
                "it is used, and will not be released at the end"
            )
        if self._lock.note is not None:
            self.notes.append(self._lock.note)
        self._start_keeper(acquire=not held)
        if not held:
            self._step("acquire", self._why_not_acquired)
            self._acquired = True
        address = read_export(self._step("export", self._why_not_exported))
        if address is None:
            raise BoardError(
                f"{client.label}: the exporter of place {place.name} has no host and port for its serial port; "
                "is the board plugged in there?",
                kind=FaultKind.MISSING,
            )
        # The same board may also be used by its URL.
        self._port_lock = BoardLock(port_identity(address.url), label=client.label)
        return address

    def _start_keeper(self, *, acquire: bool) -> None:
        job = {
            "client": self.client.program,
            "place": self.place.name,
            "owner": self.client.own_name,
            "acquire": acquire,
            "environment": serial_environment(self.place.name),
            "timeout_s": self.client.timeout_s,
        }
        try:
            self._keeper = Keeper(job, environment=self.client.environment, lock=self._lock)
        except OSError as error:
            raise BoardError(f"{self.client.label}: cannot start a process ({error.strerror})") from error

    def _step(self, step: str, why_not: Callable[[str], BoardError]) -> str:
        """Wait for the keeper's report of a step, and return the client's output."""
        assert self._keeper is not None
        deadline = Deadline(self.client.timeout_s + SLACK_S)
        line = self._keeper.line(deadline)
        if line is None and not deadline.expired:
            raise BoardError(
                f"{self.client.label}: the process that holds place {self.place.name} was killed",
                kind=FaultKind.LOST,
            )
        if line is None or line["status"] == TIMED_OUT:
            raise self.client.hangs(step)
        output = str(line["output"])
        if line["status"] != 0:
            raise why_not(output)
        return output

    def _why_not_acquired(self, output: str) -> BoardError:
        now = self.client.show(self.place.name)
        return self.client.refusal(now, output) or BoardError(
            f"{self.client.label}: place {now.name} cannot be acquired ({last_words(output)})", kind=FaultKind.MISSING
        )

    def _why_not_exported(self, output: str) -> BoardError:
        now = self.client.show(self.place.name)
        return self.client.refusal(now, "") or BoardError(
            f"{self.client.label}: the serial port of place {now.name} cannot be resolved ({last_words(output)})",
            kind=FaultKind.MISSING,
        )

    def close(self) -> None:
        """Release the place if this run acquired it. Safe to call twice; the keeper does it even if this run does not wait."""
        if self._port_lock is not None:
            self._port_lock.close()
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            self._lock.close()
            return
        try:
            released = keeper.end(Deadline(self._release_s))
        except TimeoutError:
            self._lock.leave()  # to the keeper: the next holder of the lock finds the place free
            self._warn(f"is not released after {self._release_s:g} s; a process in the background will release it")
            return
        self._lock.close()
        if self._acquired and (released is None or released["status"] != 0):
            reason = last_words(str(released["output"])) if released else "the process that held it was killed"
            self._warn(f"could not be released ({reason}); run `labgrid-client -p {self.place.name} release`")

    def _warn(self, what: str) -> None:
        sys.stderr.write(f"tls-harness: {self.client.label}: place {self.place.name} {what}\n")
