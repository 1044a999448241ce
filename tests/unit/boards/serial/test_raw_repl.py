"""The adapter's errors when a port or the bytes on it are wrong. Its behaviour on a working board: tests/device/test_contract.py."""

from __future__ import annotations

import itertools
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from harness.boards.serial.line_errors import last_line
from harness.boards.serial.raw_paste import RAW_BANNER
from harness.boards.serial.raw_repl import RawRepl
from harness.errors import BoardError, FaultKind
from harness.system.deadline import Deadline

BANNER = b'MicroPython v1.20.0 on 2023-04-26; ESP32 module with ESP32\r\nType "help()" for more information.\r\n>>> '


class Far:
    """The other end of a PTY, and its replies to the bytes that it receives."""

    def __init__(self) -> None:
        import pty
        import tty

        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self.heard = b""
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def say(self, data: bytes) -> None:
        os.write(self.master, data)

    def answer(self, *script: tuple[bytes, bytes]) -> None:
        """Wait for the first of each pair, then send the second, in order, in a thread."""

        def play() -> None:
            for awaited, reply in script:
                while awaited not in self.heard:
                    self.heard += os.read(self.master, 4096)
                self.heard = self.heard.partition(awaited)[2]
                os.write(self.master, reply)

        self._thread = threading.Thread(target=play, daemon=True)
        self._thread.start()

    def run(self, *command: str) -> None:
        """Put a program on the board's end of the line."""
        self._process = subprocess.Popen(
            command, stdin=self.master, stdout=self.master, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._thread is not None:
            self._thread.join(60)
        os.close(self.master)
        os.close(self._slave)


@pytest.fixture
def far() -> Iterator[Far]:
    """The far end of a line."""
    made = Far()
    yield made
    made.close()


@pytest.fixture
def link(far: Far) -> Iterator[RawRepl]:
    """The line."""
    made = RawRepl(far.port)
    yield made
    made.close()


def raw(far: Far, *more: tuple[bytes, bytes]) -> None:
    """A far end that enters the raw REPL and then follows a script."""
    far.answer((b"\r\x01", RAW_BANNER + b">"), (b"print('th-sync-1')\x04", b"OKth-sync-1\r\n\x04\x04>"), *more)


def refusal(link: RawRepl, *, patience_s: float = 0.6) -> BoardError:
    """Return the error of a take-over that cannot succeed."""
    with pytest.raises(BoardError) as raised:
        link.enter_raw_repl(deadline=Deadline(patience_s))
    assert "\n" not in raised.value.message
    assert raised.value.message.startswith("/dev/pts/")
    return raised.value


def test_silence(far: Far, link: RawRepl) -> None:
    """Silence is reported, with possible causes."""
    error = refusal(link)
    assert error.kind == "silent"
    assert "no answer at all: is it a MicroPython board, powered" in error.message


def test_echo(far: Far, link: RawRepl) -> None:
    """An echo is reported: RX and TX connected, or /bin/cat."""
    far.run("/bin/cat")
    error = refusal(link)
    assert error.kind == "not-micropython"
    assert "it only echoes what it is sent" in error.message


def test_shell(far: Far, link: RawRepl) -> None:
    """A shell treats our bytes as commands; it is reported as not MicroPython."""
    far.run("/bin/sh", "-c", "printf '$ '; while read line; do echo \"sh: 1: $line: not found\"; printf '$ '; done")
    error = refusal(link)
    assert error.kind == "not-micropython"
    assert "it is a shell" in error.message


def test_wrong_baud_rate(far: Far, link: RawRepl) -> None:
    """Unreadable bytes suggest a wrong baud rate."""
    far.say(bytes(range(128, 250)) * 3)
    error = refusal(link)
    assert error.kind == "not-micropython"
    assert "is the baud rate right?" in error.message


def test_answers_of_an_earlier_attempt(far: Far, link: RawRepl) -> None:
    """A board that was booting answers all attempts at once; only the answer to the last one counts."""
    late = RAW_BANNER + b">"
    raw_twice = b"\r\nboot log\r\n" + late + late + late
    far.answer((b"\r\x01\r\x03\r\x01", raw_twice), (b"th-sync-1')\x04", b"OKth-sync-1\r\n\x04\x04>"))
    assert b"boot log" in link.enter_raw_repl(deadline=Deadline(60))
    assert link._port.drain() == b">"


@pytest.mark.parametrize("answer", [b"", b"OK", b"OKpartial"])
def test_restart_during_an_exec(far: Far, link: RawRepl, answer: bytes) -> None:
    """A banner instead of the end of an answer is reported at once as a restart."""
    raw(far, (b"\x05A\x01", b"R\x00>"), (b"pass\x04", answer + b"\r\n" + BANNER))
    link.enter_raw_repl(deadline=Deadline(60))
    deadline = Deadline(60)
    with pytest.raises(BoardError) as raised:
        link.exec(b"pass", deadline=deadline)
    assert raised.value.kind == "reset"
    assert not deadline.expired


def test_lost_bytes(far: Far, link: RawRepl) -> None:
    """A wrong byte where the protocol has a fixed one is a line fault."""
    raw(far, (b"\x05A\x01", b"R\x00>"), (b"pass\x04", b"O?"))
    link.enter_raw_repl(deadline=Deadline(60))
    with pytest.raises(BoardError, match="the raw REPL ended unexpectedly: bytes were lost or changed") as raised:
        link.exec(b"pass", deadline=Deadline(60))
    assert raised.value.kind == "garbled"
    assert "> pass" in raised.value.transcript


def test_restart_seen_after_a_wrong_byte(far: Far, link: RawRepl) -> None:
    """If the wrong byte was the first of a boot message, the rest, which arrives later, shows the restart."""
    raw(far, (b"\x05A\x01", b"R\x00>"), (b"pass\x04", b"\r\n"))
    link.enter_raw_repl(deadline=Deadline(60))
    threading.Timer(0.1, far.say, [BANNER]).start()
    with pytest.raises(BoardError) as raised:
        link.exec(b"pass", deadline=Deadline(60))
    assert raised.value.kind == "reset"


@pytest.mark.parametrize("reply", [b"", b"R", b"R\x01", b"R\x01\x80"])
def test_silence_in_raw_paste(far: Far, link: RawRepl, reply: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever the protocol stops, the deadline ends it as a timeout, and mpremote prints nothing."""
    raw(far, (b"\x05A\x01", reply))
    link.enter_raw_repl(deadline=Deadline(60))
    with pytest.raises(BoardError, match=r"did not answer within 0\.2 s") as raised:
        link.exec(b"pass", deadline=Deadline(0.2))
    assert raised.value.kind == "timeout"
    assert capsys.readouterr().out == ""


def test_soft_reset_into_a_loop(far: Far, link: RawRepl) -> None:
    """A watchdog that resets the board after the soft reset is named."""
    wdt = b"rst:0x8 (TG1WDT_SYS_RESET),boot:0x13\r\n"
    raw(far, (b"\x04", b"OK\r\nMPY: soft reboot\r\n" + wdt * 2))
    link.enter_raw_repl(deadline=Deadline(60))
    with pytest.raises(
        BoardError, match=r"no raw REPL within 60 s after a soft reset: .*watchdog keeps resetting it"
    ) as raised:
        link.soft_reset(deadline=Deadline(60))
    assert raised.value.kind == "reset-loop"


def ticking() -> Callable[[], float]:
    """A clock that advances by a quarter of a second at each reading, so that no test waits."""
    ticks = itertools.count(step=0.25)
    return lambda: float(next(ticks))


def test_f18_boot_py_that_blocks(far: Far, link: RawRepl) -> None:
    """It gets a Ctrl-C when half of the time is over; what it printed is kept."""
    raw(
        far,
        (b"\x04", b"OK\r\nMPY: soft reboot\r\njoining lab "),
        (b"\x03", b"KeyboardInterrupt: \r\n" + RAW_BANNER + b">"),
    )
    link.enter_raw_repl(deadline=Deadline(60))
    assert link.soft_reset(deadline=Deadline(60, clock=ticking())) == b"joining lab KeyboardInterrupt: \r\n"
    assert link.boot_interrupted


def test_boot_py_that_ends(far: Far, link: RawRepl) -> None:
    """A boot.py that ends in time is not interrupted."""
    raw(far, (b"\x04", b"OK\r\nMPY: soft reboot\r\njoined\r\n" + RAW_BANNER + b">"))
    link.enter_raw_repl(deadline=Deadline(60))
    assert link.soft_reset(deadline=Deadline(60)) == b"joined\r\n"
    assert not link.boot_interrupted


@pytest.mark.slow
def test_boot_py_that_ignores_ctrl_c(far: Far, link: RawRepl) -> None:
    """After the second half of the time limit the error has the board's output."""
    raw(far, (b"\x04", b"OK\r\nMPY: soft reboot\r\n"), (b"\x03", b"KeyboardInterrupt: not now\r\n"))
    link.enter_raw_repl(deadline=Deadline(60))
    with pytest.raises(BoardError, match="no raw REPL within 60 s after a soft reset: "):
        link.soft_reset(deadline=Deadline(60, clock=ticking()))
    assert not link.boot_interrupted


def test_board_that_does_not_read(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the board does not read our bytes, writing ends in a timeout, not in a hang."""
    for place in ("line_errors", "open_port"):
        monkeypatch.setattr(f"harness.boards.serial.{place}.WRITE_TIMEOUT_S", 0.2)
    link = RawRepl(far.port)

    def write_for_ever() -> None:
        while True:
            try:
                link.interrupt_exec(deadline=Deadline(0))
            except BoardError as error:
                if error.kind != FaultKind.NO_INTERRUPT:
                    raise

    with pytest.raises(
        BoardError, match=r"the port accepted no bytes for 0\.2 s: the board has stopped reading"
    ) as raised:
        write_for_ever()
    link.close()
    assert raised.value.kind == "timeout"


def test_board_that_never_shows_its_prompt(far: Far, link: RawRepl) -> None:
    """Leaving ends in time, and returns that the prompt was not seen."""
    assert not link.leave_raw_repl(deadline=Deadline(0.1))


@pytest.mark.parametrize(("dtr", "rts"), [(None, None), (True, False), (False, True), (False, False)])
def test_modem_lines_at_open(far: Far, monkeypatch: pytest.MonkeyPatch, dtr: bool | None, rts: bool | None) -> None:
    """DTR and RTS are set before the port opens, or a board wired to them would reset; by default both are asserted."""
    seen = []
    real = serial.Serial.open

    def spy(port: serial.Serial) -> None:
        seen.append((port.dtr, port.rts, port.exclusive, port.baudrate))
        real(port)

    monkeypatch.setattr(serial.Serial, "open", spy)
    RawRepl(far.port, baud=9600, dtr=dtr, rts=rts).close()
    assert seen == [(dtr is not False, rts is not False, True, 9600)]


def test_symlink_of_a_pty(far: Far, tmp_path: Path) -> None:
    """A port is opened by its real path: mpremote is 60 times slower on a link to a PTY."""
    (tmp_path / "board").symlink_to(far.port)
    link = RawRepl(str(tmp_path / "board"))
    assert link.device == far.port
    link.close()
    link.close()


def test_last_line() -> None:
    """The last line of a traceback is returned, safe to show."""
    assert (
        last_line(b"Traceback:\r\n  File\r\nOSError: [Errno 2] \x1bENOENT\r\n\r\n") == "OSError: [Errno 2] \\x1bENOENT"
    )
    assert last_line(b"") == ""


def test_port_that_does_not_come_back(link: RawRepl) -> None:
    """The search for the port ends with its time limit; the error has the last reason."""

    def find() -> str:
        raise BoardError("no port has this identity", kind="missing")

    with pytest.raises(
        BoardError, match=r"the port did not come back within 0\.1 s: no port has this identity"
    ) as raised:
        link.reopen(find, deadline=Deadline(0.1))
    assert raised.value.kind == "lost"
    with pytest.raises(BoardError, match="the port disappeared"):
        link.exec(b"1", deadline=Deadline(1))
    assert link.gone
