"""Keep one labgrid place while the harness lives: run by path as `python -I -S labgrid_keeper.py JOB`, never imported by it.

The child of `harness.boards.labgrid.board`, in a session of its own, so that neither Ctrl-C nor a killed run takes it along. Acquires
the place, has `labgrid-client export` hold the way to its serial port (through SSH where the lab asks for it), then waits for
the end of its standard input: the pipe closes when the run closes it or dies, however it dies. Then it releases the place.
It inherits the lock of the board, which is thus free only when the place is.

JOB is JSON: `client` (the program), `place`, `owner` (host/user as labgrid calls us), `acquire` (false: somebody else did, who
also releases it), `environment` (the text of the file for `export`), `timeout_s` (of each call of the client).
Prints one JSON line a step: `{"step": "acquire"|"export"|"release", "status": number, "said": text}`. The status is that of the
client, 0 for an export that stays in the foreground as it should, 124 (as of timeout(1)) where it did not come to an end in time.
"""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time

# What giving back may take longer than the other calls: it matters more.
GRACE_S = 5.0
TIMED_OUT = 124
NO_PROGRAM = 127
MAX_TEXT = 4000
EXPORTED = re.compile(r'\{"LG__[^{}]*\}')


def main(arguments: list[str]) -> int:
    """Do the job; returns 0, or 1 where the place was not had or could not be given back."""
    keeper = Keeper(json.loads(arguments[0]), ends=(0, _signals()))
    had = False
    try:
        had = keeper.acquire() and keeper.export()
        if had:
            keeper.wait()
    finally:
        released = keeper.give_back()
    return 0 if had and released else 1


def _signals() -> int:
    """A descriptor that is readable once somebody ends this process: no signal interrupts what gives the place back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    readable, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _noted)
    return readable


def _noted(_number: int, _frame: object) -> None:
    """The wake-up descriptor has it already."""


class Keeper:
    """One place, from acquiring to releasing.

    Args:
        job: as above.
        ends: descriptors of which one becomes readable, or is closed at its far end, when the place is to be given back.
    """

    def __init__(self, job: dict, *, ends: tuple[int, ...]) -> None:  # type: ignore[type-arg] # JSON
        self._job = job
        self._ends = ends
        self._exporting: subprocess.Popen[bytes] | None = None
        self._acquired = False

    def acquire(self) -> bool:
        """Acquire the place, unless it was ours before. Returns whether it can be used."""
        if not self._job["acquire"]:
            return True
        # Until the client has said so, the place may be ours or not: a call that did not end is undone all the same.
        self._acquired = True
        status, said = TIMED_OUT, ""
        try:
            client = self._start("acquire")
            status, said = self._listen(client)
            self._stop(client)
        except OSError as error:
            status, said = NO_PROGRAM, error.strerror or ""
        self._acquired = status in (0, TIMED_OUT)
        _tell("acquire", status, said)
        return status == 0

    def export(self) -> bool:
        """Have the client say where the serial port is, and keep the way there open. Returns whether it does."""
        try:
            self._exporting = self._start("-c", "/dev/stdin", "export", "--format", "json", "-")
        except OSError as error:
            _tell("export", NO_PROGRAM, error.strerror or "")
            return False
        status, said = self._listen(self._exporting, until=EXPORTED)
        exported = EXPORTED.search(said) is not None
        _tell("export", 0 if exported else status or 1, said)
        return exported

    def wait(self) -> None:
        """Wait until the place is to be given back."""
        select.select(self._ends, [], [])

    def give_back(self) -> bool:
        """End the export and release what this process acquired, and only that. Returns whether nothing is held any more."""
        if self._exporting is not None:
            self._stop(self._exporting)
        if not self._acquired:
            return True
        # By its owner's name: a place that was taken away meanwhile, and is another's now, stays his.
        command = [self._job["client"], f"--place={self._job['place']}", "release-from", self._job["owner"]]
        status, said = TIMED_OUT, b""
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self._job["timeout_s"] + GRACE_S,
                check=False,
            )
            status, said = done.returncode, done.stdout
        except subprocess.TimeoutExpired as error:
            said = error.output or b""
        except OSError as error:
            status, said = NO_PROGRAM, (error.strerror or "").encode()
        _tell("release", status, said.decode("utf-8", "replace"))
        return status == 0

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start the client; the environment file is its standard input, for the word that reads it."""
        client = subprocess.Popen(
            [self._job["client"], f"--place={self._job['place']}", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert client.stdin is not None
        try:
            client.stdin.write(self._job["environment"].encode())
            client.stdin.close()
        except OSError:
            pass  # it ended before it read that, and says why
        return client

    def _listen(self, client: "subprocess.Popen[bytes]", *, until: "re.Pattern[str] | None" = None) -> tuple[int, str]:
        """What the client says, to its end or until it said enough, and its status; it has no more time once we are to end."""
        assert client.stdout is not None
        output, said, end = client.stdout.fileno(), "", time.monotonic() + self._job["timeout_s"]
        while until is None or not until.search(said):
            ready, _, _ = select.select([output, *self._ends], [], [], max(0.0, end - time.monotonic()))
            if output not in ready:
                return TIMED_OUT, said
            data = os.read(output, MAX_TEXT)
            if not data:
                break
            said = (said + data.decode("utf-8", "replace"))[-MAX_TEXT:]
        else:
            return 0, said
        try:
            return client.wait(max(0.0, end - time.monotonic())), said
        except subprocess.TimeoutExpired:
            return TIMED_OUT, said

    def _stop(self, client: "subprocess.Popen[bytes]") -> None:
        client.terminate()
        try:
            client.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            client.kill()
            client.wait()


def _tell(step: str, status: int, said: str) -> None:
    line = json.dumps({"step": step, "status": status, "said": said}) + "\n"
    try:
        os.write(1, line.encode("ascii"))
    except OSError:
        pass  # nobody listens any more


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
