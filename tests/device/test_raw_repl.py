"""Test raw_repl.py on real interpreters behind a PTY: the protocol byte by byte, and mpremote."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.system.data_files import data_dir
from harness.system.deadline import Deadline

RAW = b"raw REPL; CTRL-B to exit\r\n>"
FRIENDLY = b"\r\n>>> "
PASTE = b"R\x01\x80\x00\x01"


class Prompt:
    """The script under an interpreter, from the other end of its PTY."""

    def __init__(self, command: list[str], *, cwd: Path, scripts: tuple[str, ...] = ()) -> None:
        import pty
        import tty

        self.master, slave = pty.openpty()
        tty.setraw(slave)
        path = str(data_dir("device_scripts") / "raw_repl.py")
        self.process = subprocess.Popen(
            [*command, path, *scripts], stdin=slave, stdout=slave, stderr=slave, cwd=cwd, start_new_session=True
        )
        self._slave = slave
        self.port = os.ttyname(slave)
        self.seen = b""

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    def until(self, ending: bytes) -> bytes:
        """Return everything up to the ending, within ten seconds."""
        deadline = Deadline(60)
        while ending not in self.seen:
            ready, _, _ = select.select([self.master], [], [], deadline.remaining_s)
            assert ready, f"waiting for {ending!r}, got {self.seen!r}"
            self.seen += os.read(self.master, 65536)
        before, found, self.seen = self.seen.partition(ending)
        return before + found

    def interrupt(self) -> None:
        """Send Ctrl-C as the virtual board delivers it."""
        self.process.send_signal(signal.SIGINT)

    def raw(self) -> None:
        self.until(FRIENDLY)
        self.send(b"\x01")
        self.until(RAW)

    def execute(self, code: bytes) -> tuple[bytes, bytes]:
        """Run one raw exec; return (output, traceback)."""
        self.send(code + b"\x04")
        return self.result(b"OK")

    def result(self, start: bytes) -> tuple[bytes, bytes]:
        """Return what follows a submitted source: (output, traceback)."""
        if start:
            self.until(start)
        printed, error = self.until(b"\x04"), self.until(b"\x04")
        self.until(b">")
        return printed[:-1], error[:-1]

    def end(self) -> int:
        return self.process.wait(timeout=60)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self._slave)


@pytest.fixture
def prompt(interpreter: list[str], tmp_path: Path) -> Iterator[Prompt]:
    """A fresh prompt."""
    made = Prompt(interpreter, cwd=tmp_path)
    yield made
    made.close()


def test_banners(prompt: Prompt) -> None:
    """Ctrl-A and Ctrl-B switch, each with the banner of pyexec.c."""
    assert prompt.until(FRIENDLY).startswith(b"MicroPython ")
    prompt.send(b"\x01")
    assert prompt.until(b">") == b"\r\n" + RAW
    prompt.send(b"\x01")
    assert prompt.until(b">") == RAW
    prompt.send(b"\x02")
    assert re.fullmatch(rb"\r\nMicroPython .*\r\n>>> ", prompt.until(FRIENDLY), re.DOTALL)


def test_raw_execution(prompt: Prompt) -> None:
    """Output and traceback are separate and in order, however they were written; globals are those of __main__ and are kept."""
    prompt.raw()
    assert prompt.execute(b"x = 6") == (b"", b"")
    printed, error = prompt.execute(b"import sys\nprint(x, __name__)\nsys.stdout.write('a')\nprint('b')\n1/0")
    assert printed == b"6 __main__\nab\n"
    assert error == (
        b'Traceback (most recent call last):\r\n  File "<stdin>", line 5, in <module>\r\n'
        b"ZeroDivisionError: divide by zero\r\n"
    )
    assert prompt.execute(b"def f(")[1].splitlines()[-1] == b"SyntaxError: invalid syntax"
    printed, _ = prompt.execute(b"print([n for n in dir() if not n.startswith('__')])")
    assert printed == b"['sys', 'x']\n"


def test_raw_paste(prompt: Prompt) -> None:
    """The window of 128 bytes is announced and extended every 128 bytes, and the end is acknowledged."""
    prompt.raw()
    prompt.send(b"\x05A\x01")
    assert prompt.until(PASTE) == PASTE
    code = b"#" + b"x" * 126 + b"\nprint(7)\n"
    prompt.send(code[:127])
    assert not select.select([prompt.master], [], [], 0.05)[0]
    prompt.send(code[127:128])
    assert prompt.until(b"\x01") == b"\x01"
    prompt.send(code[128:] + b"\x04")
    assert prompt.until(b"\x04") == b"\x04"
    assert prompt.result(b"") == (b"7\n", b"")
    prompt.send(b"\x05B\x01")
    assert prompt.until(b">") == b"R\x00>"


@pytest.mark.parametrize("how", ["byte", "signal"])
def test_interrupted_paste(prompt: Prompt, how: str) -> None:
    """Ctrl-C during raw paste gives the abrupt end \\x04, a KeyboardInterrupt, and the prompt again."""
    prompt.raw()
    prompt.send(b"\x05A\x01")
    prompt.until(PASTE)
    if how == "byte":
        prompt.send(b"abc\x03")
    else:
        prompt.interrupt()
    # The announcement may come twice: the signal can hit after its write as well as before.
    assert prompt.until(b"\x04").replace(PASTE, b"") == b"\x04"
    assert b"KeyboardInterrupt" in prompt.result(b"")[1]
    assert prompt.execute(b"print(1)") == (b"1\n", b"")


def test_interrupted_code(prompt: Prompt) -> None:
    """SIGINT ends running code with a KeyboardInterrupt in the traceback part."""
    prompt.raw()
    prompt.send(b"print('on')\nwhile True: pass\n\x04")
    prompt.until(b"on\n")
    prompt.interrupt()
    assert prompt.result(b"")[1].splitlines()[-1].startswith(b"KeyboardInterrupt")
    assert prompt.execute(b"print(1)") == (b"1\n", b"")


def test_interrupt_at_the_prompt_clears_the_line(prompt: Prompt) -> None:
    """SIGINT at either prompt does not end the process; an incomplete line is discarded."""
    prompt.until(FRIENDLY)
    prompt.send(b"hal")
    prompt.until(b"hal")
    prompt.interrupt()
    prompt.until(FRIENDLY)
    prompt.send(b"\x01")
    prompt.until(RAW)
    prompt.send(b"rubbish(\x03")
    assert prompt.execute(b"print(2)") == (b"2\n", b"")


def test_soft_reset_ends_the_process(prompt: Prompt) -> None:
    """After Ctrl-D at the empty raw prompt comes OK, then the process ends with status 0."""
    prompt.raw()
    prompt.send(b"\x04")
    assert prompt.until(b"OK\r\n") == b"OK\r\n"
    assert prompt.end() == 0


@pytest.mark.parametrize(("code", "status"), [(b"raise SystemExit", 0), (b"raise SystemExit(3)", 3)])
def test_system_exit(prompt: Prompt, code: bytes, status: int) -> None:
    """After SystemExit in raw mode come both end marks, then the process ends, as a board would reset."""
    prompt.raw()
    prompt.send(code + b"\x04")
    assert prompt.until(b"\x04\x04") == b"OK\x04\x04"
    assert prompt.end() == status


def test_friendly_prompt(prompt: Prompt) -> None:
    """The prompt supports typing: echo, the value of an expression, a block, and Ctrl-D at an empty line to exit."""
    prompt.until(FRIENDLY)
    prompt.send(b"1+2\r")
    assert prompt.until(b">>> ") == b"1+2\r\n3\n>>> "
    prompt.send(b"for i in range(2):\r print(i)\r\r")
    assert prompt.until(b">>> ").endswith(b"0\n1\n>>> ")
    prompt.send(b"\x05a = 5\rprint(a)\r\x04")
    assert prompt.until(b"5\n>>> ")
    prompt.send(b"\x04")
    assert prompt.end() == 0


def test_scripts_run_first(interpreter: list[str], tmp_path: Path) -> None:
    """boot.py and main.py run in __main__ before the prompt; a failure in one does not stop the next, and their globals are kept."""
    (tmp_path / "boot.py").write_text("a = 1\nprint('boot')\n1/0\n")
    (tmp_path / "main.py").write_text("import here\nprint('main', a)\n")
    (tmp_path / "here.py").write_text("")
    made = Prompt(interpreter, cwd=tmp_path, scripts=("boot.py", "main.py"))
    try:
        printed = made.until(FRIENDLY)
        assert printed.startswith(b"boot\n")
        assert b"ZeroDivisionError" in printed
        assert b"main 1\n" in printed
        made.send(b"a\r")
        assert made.until(b">>> ") == b"a\r\n1\n>>> "
    finally:
        made.close()


def test_main_that_never_ends_is_interrupted(interpreter: list[str], tmp_path: Path) -> None:
    """The user's main.py is interrupted, not removed."""
    (tmp_path / "main.py").write_text("print('busy')\nwhile True: pass\n")
    made = Prompt(interpreter, cwd=tmp_path, scripts=("main.py",))
    try:
        made.until(b"busy\n")
        made.interrupt()
        assert b"KeyboardInterrupt" in made.until(FRIENDLY)
    finally:
        made.close()


def test_mpremote(prompt: Prompt) -> None:
    """mpremote connects, executes, reports errors, writes and reads a file."""
    from mpremote.transport_serial import SerialTransport

    prompt.until(FRIENDLY)
    relay = Relay(prompt)
    transport = SerialTransport(relay.port, timeout=0.5)
    try:
        transport.enter_raw_repl(soft_reset=False)
        assert transport.exec("print(6 * 7)").strip() == b"42"
        _, error = transport.exec_raw("1/0")
        assert b"ZeroDivisionError" in error
        content = bytes(range(256)) * 12
        transport.fs_writefile("data.bin", content)
        assert transport.fs_readfile("data.bin") == content
        for _ in range(50):
            transport.exec("pass")
        assert transport.use_raw_paste, "mpremote has found raw paste to be off: it then pauses 10 ms in each exec"
        transport.exit_raw_repl()
    finally:
        transport.close()
        relay.close()


class Relay:
    """A minimal virtual board: a second PTY, where Ctrl-C becomes SIGINT."""

    def __init__(self, prompt: Prompt) -> None:
        import pty
        import threading
        import tty

        self._prompt = prompt
        self._outer, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            ready, _, _ = select.select([self._outer, self._prompt.master, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            if self._prompt.master in ready:
                os.write(self._outer, os.read(self._prompt.master, 65536))
            if self._outer in ready:
                pieces = os.read(self._outer, 65536).split(b"\x03")
                for index, piece in enumerate(pieces):
                    if index:
                        self._prompt.interrupt()
                    if piece:
                        self._prompt.send(piece)

    def close(self) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join(60)
        for descriptor in (self._outer, self._slave, self._stop_read, self._stop_write):
            os.close(descriptor)
