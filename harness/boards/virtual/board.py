"""A virtual board: a real MicroPython unix-port interpreter behind a pseudo-terminal, with the bytes of a serial board.

Knows the differences between a board and the unix port: a soft reset restarts it with the banner of a board, Ctrl-C interrupts
running code, boot.py and main.py run at power-up, it has its own files. All other bytes are passed on unchanged. Must not
know the agent, TLS, or pytest. POSIX only: termios and fcntl are imported where used.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import threading
import time
from pathlib import Path

from harness.boards.serial.transcript import printable
from harness.boards.virtual.interpreter import Interpreter
from harness.boards.virtual.launch import LINE
from harness.errors import BoardError, FaultKind
from harness.system.data_files import data_dir
from harness.system.deadline import Deadline
from harness.system.private_folder import PrivateFolder

RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
FRIENDLY_PROMPT = b"\r\n>>> "
CTRL_C = b"\x03"
START_S = 10.0
# An interpreter that repeatedly ends this soon after its start is a board in a reset loop: slow it down.
LOOP_AGE_S = 1.0
LOOP_PAUSE_S = 0.2
EXIT_WORD = b"\x00virtual board: exit\x00"
PENDING_LIMIT = 64 * 1024
# More than any banner: this much is held back until it is clear whether a banner follows the output of boot.py.
BANNER_LIMIT = 4096
# Similar to a board's; with the interpreter's own 2 MB `gc.mem_free()` takes 0.4 ms, twice in a case.
HEAP_BYTES = 512 * 1024


class VirtualBoard:
    """Run the interpreter and serve `port` until `close()`.

    Args:
        interpreter: what to run.
        heap_bytes: size of its garbage-collected heap; None takes `HEAP_BYTES`.
        folder: its filesystem; None makes a private one that `close()` removes.
        script_repl: use the raw REPL of device_scripts/ even if the interpreter has its own.
        start_s: how long the interpreter may take to show its prompt.

    Raises:
        BoardError: the interpreter does not start.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        *,
        heap_bytes: int | None = None,
        folder: Path | None = None,
        script_repl: bool = False,
        start_s: float = START_S,
    ) -> None:
        import tty

        self.interpreter = interpreter
        self._heap_bytes = heap_bytes or HEAP_BYTES
        self._own_folder = PrivateFolder("tls-harness-board-") if folder is None else None
        self.folder = folder or self._own_folder.path  # type: ignore[union-attr]  # one of the two is there
        # The outer pair is the port that tools open. Its slave stays open here, or the master would get EIO between two tools.
        self._outer, self._outer_slave = os.openpty()
        tty.setraw(self._outer_slave)
        os.set_blocking(self._outer, False)
        self.port = os.ttyname(self._outer_slave)
        self._wake_read, self._wake_write = os.pipe()
        self._inner = -1
        self.terminal = ""  # the interpreter's
        self._process: subprocess.Popen[bytes] | None = None
        self._raw = False
        self._returning: bytearray | None = None
        self._held = bytearray()
        self._tail = b""
        self._to_tool = bytearray()
        self._to_board = bytearray()
        self._started_at = 0.0
        self._quick_ends = 0
        self._closing = False
        self._has_raw_repl = not script_repl
        try:
            self._power_up(Deadline(start_s))
        except BaseException:
            self._release()
            raise
        self._thread = threading.Thread(target=self._serve, name=f"virtual board {self.port}", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------ the interpreter

    def _arguments(self, wanted: tuple[str, ...]) -> list[str]:
        heap = ["-X", f"heapsize={self._heap_bytes}"]
        scripts = [name for name in wanted if (self.folder / name).exists()]
        if not self._has_raw_repl:
            return [*heap, str(data_dir("device_scripts") / "raw_repl.py"), str(LINE), *scripts]
        if not scripts:
            return heap
        # The same namespace and order as a board (ports/*/main.c): boot.py, then main.py, then the prompt.
        # -i would swallow a SystemExit, which is a soft reset on a board: it is reported by a word that no program prints.
        lines = [f" exec(open({name!r}).read())" for name in scripts]
        return [*heap, "-i", "-c", "\n".join(["try:", *lines, "except SystemExit:", f" print({EXIT_WORD.decode()!r})"])]

    def _spawn(self, *, run_main: bool, run_boot: bool = True) -> None:
        import tty

        self._inner, slave = os.openpty()
        self.terminal = os.ttyname(slave)
        tty.setraw(slave)
        os.set_blocking(self._inner, False)
        # Until launch.py ignores SIGINT, a Ctrl-C in the first milliseconds would end launch.py itself.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = subprocess.Popen(
                self.interpreter.command(*self._arguments(("boot.py",) * run_boot + ("main.py",) * run_main)),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd=self.folder,
                start_new_session=True,
                # Without HOME it writes no .micropython.history: a board has none, and the folder may be a user's.
                env={
                    "MICROPYPATH": ".frozen",
                    "TZ": "UTC",
                    "PATH": os.defpath,
                    "TERM": "dumb",
                },
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            os.close(slave)
        self._raw = False
        self._tail = b""
        self._started_at = time.monotonic()

    def _power_up(self, deadline: Deadline) -> None:
        """Start the interpreter, and test whether it has a raw REPL (the unix port does since 1.27).

        Raises:
            BoardError: it shows no MicroPython prompt.
        """
        scripts = any((self.folder / name).exists() for name in ("boot.py", "main.py"))
        self._spawn(run_main=False, run_boot=False)
        banner = self._read_until(b">>> ", deadline)
        if b"MicroPython" not in banner:
            raise self._no_prompt("is another program", banner)
        if self._has_raw_repl:
            # An interpreter without a raw REPL takes Ctrl-A for "start of line" and answers the empty line that follows.
            os.write(self._inner, b"\x01\r")
            self._has_raw_repl = RAW_BANNER in self._read_until((RAW_BANNER, FRIENDLY_PROMPT), deadline)
            if self._has_raw_repl and not scripts:
                os.write(self._inner, b"\x02")
                self._read_until(b">>> ", deadline)
                self._to_tool += banner
                return
        elif not scripts:
            self._to_tool += banner
            return
        self._stop_interpreter()
        self._spawn(run_main=True)

    def _read_until(self, endings: bytes | tuple[bytes, ...], deadline: Deadline) -> bytes:
        wanted = (endings,) if isinstance(endings, bytes) else endings
        seen = b""
        while not any(ending in seen for ending in wanted):
            ready, _, _ = select.select([self._inner], [], [], deadline.remaining_s)
            data = self._read(self._inner) if ready else b""
            if not data:
                raise self._no_prompt("ended" if ready else f"did not show one within {deadline.timeout_s:g} s", seen)
            seen += data
        return seen

    def _no_prompt(self, what: str, seen: bytes) -> BoardError:
        lines = [line for line in printable(seen[-400:]).splitlines() if line.strip()]
        said = f"; its last line is {lines[-1].strip()[:100]!r}" if lines else " and printed nothing"
        return BoardError(
            f"{self.interpreter.name}: no MicroPython prompt: it {what}{said}. "
            "Is this an interpreter of MicroPython's unix port, for this machine?",
            kind=FaultKind.NOT_MICROPYTHON,
            transcript=printable(seen),
        )

    @staticmethod
    def _read(descriptor: int) -> bytes:
        """Read without waiting; b"" means that the other end is gone (EIO on Linux, an empty read on macOS)."""
        try:
            return os.read(descriptor, 65536)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno == errno.EIO:
                return b""
            raise

    def _stop_interpreter(self) -> None:
        process, self._process = self._process, None
        if self._inner >= 0:
            os.close(self._inner)
            self._inner = -1
        if process is not None:
            process.kill()
            process.wait()

    def _interpreter_id(self) -> int | None:
        """The process to signal: the started one, or its child if it is a script that does not `exec`."""
        if self._process is None:
            return None
        number = self._process.pid
        try:
            while children := Path(f"/proc/{number}/task/{number}/children").read_text(encoding="ascii").split():
                number = int(children[-1])
        except OSError:
            pass  # no /proc (macOS), or it has just ended
        return number

    @staticmethod
    def _code_runs(number: int) -> bool:
        """Whether the interpreter catches SIGINT now, which it does exactly while code runs (unix_mphal.c, set_interrupt_char).

        SIGINT is blocked until launch.py becomes the interpreter.
        """
        try:
            status = Path(f"/proc/{number}/status").read_text(encoding="ascii", errors="replace")
            masks = dict(line.split()[:2] for line in status.splitlines() if line.startswith("Sig"))
            caught, blocked = masks["SigCgt:"], masks["SigBlk:"]
        except (OSError, KeyError):
            # No /proc (macOS): ps has the same masks.
            answer = subprocess.run(
                ["ps", "-o", "caught=", "-o", "blocked=", "-p", str(number)],
                env={"PATH": os.defpath},
                capture_output=True,
                text=True,
                check=False,
            )
            caught, blocked = answer.stdout.split() or ("0", "0")
        return bool((int(caught, 16) & ~int(blocked, 16)) >> (signal.SIGINT - 1) & 1)

    @staticmethod
    def _interrupt(number: int) -> None:
        try:
            os.kill(number, signal.SIGINT)
        except ProcessLookupError:
            pass  # it has just ended

    # ------------------------------------------------------------------ the bridge

    def _serve(self) -> None:
        while not self._closing:
            reading = [self._wake_read]
            if len(self._to_board) < PENDING_LIMIT:
                reading.append(self._outer)
            if len(self._to_tool) < PENDING_LIMIT:
                reading.append(self._inner)
            writing = [self._outer] if self._to_tool else []
            if self._to_board:
                writing.append(self._inner)
            ready, _, _ = select.select(reading, writing, [])
            if self._wake_read in ready:
                break
            if self._outer in ready:
                self._from_tool(self._read(self._outer))
            if self._inner in ready:
                self._from_board()
            if self._to_tool:
                self._flush(self._outer, self._to_tool)
            if self._to_board:
                self._flush(self._inner, self._to_board)

    @staticmethod
    def _flush(descriptor: int, pending: bytearray) -> None:
        try:
            written = os.write(descriptor, pending)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            written = len(pending)  # the interpreter has just ended; its input is lost, as on a board
        del pending[:written]

    def _from_tool(self, data: bytes) -> None:
        # Between a soft reset and the banner of the raw REPL a board does not read; only Ctrl-C reaches boot.py.
        waiting = self._to_board if self._returning is None else self._held
        while data:
            before, found, data = data.partition(CTRL_C)
            waiting += before
            if found:
                if self._to_board:
                    self._flush(self._inner, self._to_board)
                number = self._interpreter_id()
                if number is not None and self._code_runs(number):
                    self._interrupt(number)
                else:
                    waiting += CTRL_C

    def _from_board(self) -> None:
        data = self._read(self._inner)
        if not data:
            self._restart()
            return
        if EXIT_WORD in data:
            (self._to_tool if self._returning is None else self._returning).extend(data.partition(EXIT_WORD)[0])
            self._restart(exited=True)
            return
        if self._returning is not None:
            self._returning += data
            self._pass_boot_output()
            return
        self._tail = (self._tail + data)[-64:]
        raw_at, friendly_at = self._tail.rfind(RAW_BANNER), self._tail.rfind(FRIENDLY_PROMPT)
        if max(raw_at, friendly_at) >= 0:
            self._raw = raw_at > friendly_at
        self._to_tool += data

    def _restart(self, *, exited: bool = False) -> None:
        """Print what a board prints at a restart and start the interpreter again, in the raw REPL if it was there.

        Args:
            exited: its program raised SystemExit, and the process still runs.
        """
        process, was_raw, age_s = self._process, self._raw, time.monotonic() - self._started_at
        status = 0 if exited or process is None else process.wait()
        self._stop_interpreter()
        self._to_board.clear()
        self._held.clear()
        if self._returning is not None:
            self._to_tool += self._returning
            self._returning = None
        self._quick_ends = self._quick_ends + 1 if age_s < LOOP_AGE_S else 0
        if self._quick_ends > 2:
            select.select([self._wake_read], [], [], LOOP_PAUSE_S)
        if status != 0:
            how = signal.Signals(-status).name if status < 0 else f"exit code {status}"
            self._to_tool += b"\r\nvirtual board: interpreter ended (%s), restarting\r\n" % how.encode()
        if status < 0:
            was_raw = False
        else:  # sys.exit() with any code is a soft reset on a board
            self._to_tool += b"MPY: soft reboot\r\n"
        self._spawn(run_main=not was_raw)
        if was_raw:
            self._raw = True
            self._returning = bytearray()

    def _pass_boot_output(self) -> None:
        """Pass on the output of boot.py and the raw banner after a soft reset in the raw REPL, but not the friendly banner."""
        seen = self._returning
        if seen is None:
            return
        banner_at = seen.rfind(RAW_BANNER + b">")
        if banner_at >= 0:
            self._to_tool += seen[banner_at:]
            self._returning = None
            self._to_board += self._held
            self._held.clear()
        elif seen.endswith(b">>> "):
            self._to_tool += seen.rpartition(b"MicroPython ")[0]
            seen.clear()
            self._to_board += b"\x01"
        elif len(seen) > 2 * BANNER_LIMIT:
            self._to_tool += seen[:-BANNER_LIMIT]
            del seen[:-BANNER_LIMIT]

    # ------------------------------------------------------------------ the end

    def reset(self) -> None:
        """Restart the board as its reset pin does: the running program ends, boot.py and main.py run again."""
        number = self._interpreter_id()
        if number is not None:
            os.kill(number, signal.SIGKILL)

    def close(self) -> None:
        """Stop the interpreter, release the port and remove the private folder. Safe to call twice."""
        if self._closing:
            return
        self._closing = True
        os.write(self._wake_write, b"x")
        self._thread.join()
        self._release()

    def _release(self) -> None:
        self._stop_interpreter()
        for descriptor in (self._outer, self._outer_slave, self._wake_read, self._wake_write):
            os.close(descriptor)
        if self._own_folder is not None:
            self._own_folder.close()
