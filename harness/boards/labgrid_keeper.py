"""Keep one labgrid place while the harness lives: run by path as `python -I -S labgrid_keeper.py JOB`, never imported by it.

The child of `harness.boards.labgrid`, in a session of its own, so that neither Ctrl-C nor a killed run takes it along. Acquires
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
MAX_TEXT = 4000
EXPORTED = re.compile(r'\{"LG__[^{}]*\}')


class Ended(BaseException):
    """Somebody ends this process: what it has, it gives back first."""


def main(arguments: list[str]) -> int:
    """Do the job; returns 0, or 1 where the place was not had or could not be given back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    keeper = Keeper(json.loads(arguments[0]))
    try:
        had = keeper.acquire() and keeper.export()
        if had:
            while os.read(0, 4096):
                pass
    except Ended:
        had = True
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        released = keeper.give_back()
    return 0 if had and released else 1


def _end(_number: int, _frame: object) -> None:
    raise Ended


class Keeper:
    """One place, from acquiring to releasing.

    Args:
        job: as above.
    """

    def __init__(self, job: dict) -> None:  # type: ignore[type-arg] # JSON
        self._job = job
        self._exporting: subprocess.Popen[bytes] | None = None
        self._acquired = False

    def acquire(self) -> bool:
        """Acquire the place, unless it was ours before. Returns whether it can be used."""
        if not self._job["acquire"]:
            return True
        # Until the client has said so, the place may be ours or not: a call that did not end is undone all the same.
        self._acquired = True
        status, said = self._call("acquire", timeout_s=self._job["timeout_s"])
        self._acquired = status in (0, TIMED_OUT)
        _tell("acquire", status, said)
        return status == 0

    def export(self) -> bool:
        """Have the client say where the serial port is, and keep the way there open. Returns whether it does."""
        command = [self._job["client"], "-c", "/dev/stdin", *self._place(), "export", "--format", "json", "-"]
        self._exporting = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self._exporting.stdin is not None
        assert self._exporting.stdout is not None
        try:
            self._exporting.stdin.write(self._job["environment"].encode())
            self._exporting.stdin.close()
        except OSError:
            pass  # it ended before it read that, and says why
        said, end = "", time.monotonic() + self._job["timeout_s"]
        output = self._exporting.stdout.fileno()
        while not EXPORTED.search(said) and len(said) < MAX_TEXT:
            ready, _, _ = select.select([output, 0], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                _tell("export", TIMED_OUT, said)
                return False
            if 0 in ready:
                return False  # nobody waits for it any more
            data = os.read(output, MAX_TEXT)
            if not data:
                break
            said += data.decode("utf-8", "replace")
        exported = EXPORTED.search(said) is not None
        _tell("export", 0 if exported else 1, said)
        return exported

    def give_back(self) -> bool:
        """End the export and release what this process acquired, and only that. Returns whether nothing is held any more."""
        if self._exporting is not None:
            self._stop(self._exporting)
        if not self._acquired:
            return True
        # By its owner's name: a place that was taken away meanwhile, and is another's now, stays his.
        timeout_s = self._job["timeout_s"] + GRACE_S
        status, said = self._call("release-from", self._job["owner"], timeout_s=timeout_s)
        _tell("release", status, said)
        return status == 0

    def _place(self) -> list[str]:
        return [f"--place={self._job['place']}"]

    def _call(self, *words: str, timeout_s: float) -> tuple[int, str]:
        command = [self._job["client"], *self._place(), *words]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            return TIMED_OUT, (error.output or b"").decode("utf-8", "replace")
        except OSError as error:
            return 127, error.strerror or ""
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def _stop(self, process: "subprocess.Popen[bytes]") -> None:
        process.terminate()
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tell(step: str, status: int, said: str) -> None:
    line = json.dumps({"step": step, "status": status, "said": said[-MAX_TEXT:]}) + "\n"
    try:
        os.write(1, line.encode("ascii"))
    except OSError:
        pass  # nobody listens any more


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
