"""Keep one labgrid place while the harness runs: started by path as `python -I -S keeper.py JOB`, never imported.

The child of `harness.boards.labgrid.board`, in its own session, so that neither Ctrl-C nor the end of a killed run reaches it.
Acquires the place, has `labgrid-client export` keep its serial port reachable (through SSH if the lab needs that), then waits for
the end of its standard input: the pipe closes when the run closes it or ends, however it ends. Then it releases the place.
It inherits the lock of the board, which is therefore free only when the place is.

JOB is JSON: `client` (the program), `place`, `owner` (host/user as labgrid names us), `acquire` (false if the place was acquired
before: then it is not released either), `environment` (the text of the file for `export`), `timeout_s` (of each call of the client).
Prints a JSON line per step: `{"step": "acquire"|"export"|"release", "status": number, "output": text}`. The status is that of the
client, 0 for an export that stays in the foreground as it should, 124 (as of timeout(1)) for a call that did not end in time.
"""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time

# The release may take this much longer than the other calls: it is more important.
GRACE_S = 5.0
TIMED_OUT = 124
NO_PROGRAM = 127
MAX_TEXT = 4000
EXPORTED = re.compile(r'\{"LG__[^{}]*\}')


def main(arguments: list[str]) -> int:
    """Do the job; return 0, or 1 if the place could not be used or not be released."""
    keeper = Keeper(json.loads(arguments[0]), ends=(0, _signals()))
    usable = False
    try:
        usable = keeper.acquire() and keeper.export()
        if usable:
            keeper.wait()
    finally:
        released = keeper.release()
    return 0 if usable and released else 1


def _signals() -> int:
    """Return a descriptor that becomes readable at a signal to end: no signal may interrupt the release."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    readable, written = os.pipe()
    os.set_blocking(written, False)
    signal.set_wakeup_fd(written)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _noted)
    return readable


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: the signal is on the wake-up descriptor."""


class Keeper:
    """One place, from acquiring to releasing.

    Args:
        job: as above.
        ends: descriptors, one of which becomes readable or is closed at its far end when the place must be released.
    """

    def __init__(self, job: dict, *, ends: tuple[int, ...]) -> None:  # type: ignore[type-arg] # JSON
        self._job = job
        self._ends = ends
        self._exporting: subprocess.Popen[bytes] | None = None
        self._acquired = False

    def acquire(self) -> bool:
        """Acquire the place, unless it was ours before. Return whether it can be used."""
        if not self._job["acquire"]:
            return True
        # While the client runs the place may be ours or not: a call that did not end is undone, too.
        self._acquired = True
        status, output = TIMED_OUT, ""
        try:
            client = self._start("acquire")
            status, output = self._listen(client)
            self._stop(client)
        except OSError as error:
            status, output = NO_PROGRAM, error.strerror or ""
        self._acquired = status in (0, TIMED_OUT)
        _report("acquire", status, output)
        return status == 0

    def export(self) -> bool:
        """Have the client print the address of the serial port and keep it reachable. Return whether it does."""
        try:
            self._exporting = self._start("-c", "/dev/stdin", "export", "--format", "json", "-")
        except OSError as error:
            _report("export", NO_PROGRAM, error.strerror or "")
            return False
        status, output = self._listen(self._exporting, until=EXPORTED)
        exported = EXPORTED.search(output) is not None
        _report("export", 0 if exported else status or 1, output)
        return exported

    def wait(self) -> None:
        """Wait until the place must be released."""
        select.select(self._ends, [], [])

    def release(self) -> bool:
        """End the export and release the place if this process acquired it. Return whether nothing is held any more."""
        if self._exporting is not None:
            self._stop(self._exporting)
        if not self._acquired:
            return True
        # By the owner's name: a place that another user acquired meanwhile is not released.
        command = [self._job["client"], f"--place={self._job['place']}", "release-from", self._job["owner"]]
        status, output = TIMED_OUT, b""
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self._job["timeout_s"] + GRACE_S,
                check=False,
            )
            status, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as error:
            output = error.output or b""
        except OSError as error:
            status, output = NO_PROGRAM, (error.strerror or "").encode()
        _report("release", status, output.decode("utf-8", "replace"))
        return status == 0

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        """Start the client with the environment file as its standard input, which `export` reads."""
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
            pass  # it ended before reading that; its output says why
        return client

    def _listen(self, client: "subprocess.Popen[bytes]", *, until: "re.Pattern[str] | None" = None) -> tuple[int, str]:
        """Read the client's output to its end or until a match; return its status and output. A signal to end stops this."""
        assert client.stdout is not None
        descriptor, output, end = client.stdout.fileno(), "", time.monotonic() + self._job["timeout_s"]
        while until is None or not until.search(output):
            ready, _, _ = select.select([descriptor, *self._ends], [], [], max(0.0, end - time.monotonic()))
            if descriptor not in ready:
                return TIMED_OUT, output
            data = os.read(descriptor, MAX_TEXT)
            if not data:
                break
            output = (output + data.decode("utf-8", "replace"))[-MAX_TEXT:]
        else:
            return 0, output
        try:
            return client.wait(max(0.0, end - time.monotonic())), output
        except subprocess.TimeoutExpired:
            return TIMED_OUT, output

    def _stop(self, client: "subprocess.Popen[bytes]") -> None:
        client.terminate()
        try:
            client.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            client.kill()
            client.wait()


def _report(step: str, status: int, output: str) -> None:
    line = json.dumps({"step": step, "status": status, "output": output}) + "\n"
    try:
        os.write(1, line.encode("ascii"))
    except OSError:
        pass  # the run is gone


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
