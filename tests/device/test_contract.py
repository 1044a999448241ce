"""Test the behaviour that every kind of board shares: one class of tests over real interpreters behind real lines.

`packaged` is the virtual board with its own raw REPL, `script-repl` the same interpreter behind the raw REPL written in
MicroPython, `old` the interpreter that $MICROPYTHON_OLD names, `rfc2217` and `socket` a server on loopback in front of the PTY.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.boards.agent.protocol import AGENT_FILE
from harness.boards.agent.scripts import agent_pieces
from harness.boards.serial.raw_repl import MAX_OUTPUT_BYTES, RawRepl
from harness.boards.session import BoardSession
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import BoardError
from harness.model import BoardSpec
from harness.system.deadline import Deadline

HERE = Path(__file__).parent
LINES = ("packaged", "script-repl", "old", "rfc2217", "socket")


def _server_class() -> Any:
    spec = importlib.util.spec_from_file_location("rfc2217_server", HERE / "rfc2217_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Rfc2217Server


class Bench:
    """A board on the bench: its kind of line, its files, and ways to open and disconnect it."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self._server: Any = None
        self._links: list[RawRepl] = []
        self._sessions: list[BoardSession] = []
        self.virtual: VirtualBoard | None = None

    def power_up(self) -> Bench:
        """Start the interpreter and the server in front of it."""
        path = os.environ["MICROPYTHON_OLD"] if self.kind == "old" else ""
        self.virtual = VirtualBoard(find_interpreter(path), folder=self.folder, script_repl=self.kind == "script-repl")
        self.address = self.virtual.port
        if self.kind in ("rfc2217", "socket"):
            self._server = _server_class()(self.virtual.port, raw=self.kind == "socket")
            self.address = self._server.url
        return self

    def link(self) -> RawRepl:
        """Return a line to the board, in the raw REPL."""
        link = RawRepl(self.address)
        self._links.append(link)
        link.enter_raw_repl(deadline=Deadline(60))
        return link

    def session(self) -> BoardSession:
        """Return a session with the board, as a run opens it."""
        spec = BoardSpec(text=self.address, kind="serial", target=self.address, label="bench")
        session = BoardSession(spec, RawRepl(self.address), patience_s=5.0)
        self._sessions.append(session)
        session.start()
        return session

    def unplug(self) -> None:
        """Disconnect the board."""
        if self._server is not None:
            self._server.drop()
        else:
            assert self.virtual is not None
            self.virtual.close()

    def close(self) -> None:
        """Close everything."""
        for session in self._sessions:
            session.close(deadline=Deadline(60))
        for link in self._links:
            link.close()
        if self._server is not None:
            self._server.close()
        if self.virtual is not None:
            self.virtual.close()


@pytest.fixture(params=LINES)
def parts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A bench whose board is not powered yet: its files can be put in place."""
    if request.param == "old" and not os.environ.get("MICROPYTHON_OLD"):
        pytest.skip("$MICROPYTHON_OLD names no interpreter without a raw REPL of its own")
    bench = Bench(request.param, tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def bench(parts: Bench) -> Bench:
    """A bench whose board is on."""
    return parts.power_up()


def run(link: RawRepl, code: bytes, *, timeout_s: float = 60.0) -> bytes:
    """Run code that must not fail; return its output."""
    output = link.exec(code, deadline=Deadline(timeout_s))
    assert output.stderr == b""
    return output.stdout


class TestContract:
    """The contract of every board on every line."""

    def test_exec(self, bench: Bench) -> None:
        """Output is complete, and globals are kept from one exec to the next."""
        link = bench.link()
        assert run(link, b"a = 20") == b""
        assert run(link, b"print(a + 1)\nprint('>')") == b"21\n>\n"
        assert run(link, b"print('x' * 20000)") == b"x" * 20000 + b"\n"
        assert run(link, b"a = '''%s'''\nprint(len(a))" % (b"y" * 3000)) == b"3000\n"

    def test_traceback(self, bench: Bench) -> None:
        """A traceback is separate from output, and does not disturb the next exec."""
        link = bench.link()
        output = link.exec(b"print('before')\n1/0", deadline=Deadline(60))
        assert output.stdout == b"before\n"
        assert b"ZeroDivisionError" in output.stderr
        assert run(link, b"print(1)") == b"1\n"

    @pytest.mark.parametrize("code", [b"while True: pass", b"import time\nwhile True:\n print(1)\n time.sleep(0.05)"])
    def test_deadline(self, bench: Bench, code: bytes) -> None:
        """Neither silence nor slow output outlasts the deadline; the board can be recovered afterwards."""
        link = bench.link()
        looks = itertools.count()
        deadline = Deadline(0.3, clock=lambda: next(looks) / 50)
        with pytest.raises(BoardError, match=r"did not answer within 0\.3 s") as raised:
            link.exec(code, deadline=deadline)
        assert next(looks) <= 0.3 * 50 + 10, "it waited again after the deadline"
        assert raised.value.kind == "timeout"
        link.enter_raw_repl(deadline=Deadline(60))
        assert run(link, b"print(2)") == b"2\n"

    def test_flood(self, bench: Bench) -> None:
        """Endless output is cut off, and the board can be recovered."""
        link = bench.link()
        with pytest.raises(BoardError, match="printed more than 64 KiB and did not stop") as raised:
            link.exec(b"for _ in range(200): print('x' * 1000)\nwhile True: pass", deadline=Deadline(60))
        assert raised.value.kind == "flood"
        assert len(raised.value.transcript) < MAX_OUTPUT_BYTES // 4
        link.enter_raw_repl(deadline=Deadline(60))
        assert run(link, b"print(3)") == b"3\n"

    @pytest.mark.parametrize(
        "noise", [b"a\\x04b", b"\\x04>\\x04>\\x04>", b"\\x04\\x04>OK", b"raw REPL; CTRL-B to exit\\r\\n>"]
    )
    def test_output_that_looks_like_the_protocol(self, bench: Bench, noise: bytes) -> None:
        """Whatever a program prints, later execs are in step again."""
        link = bench.link()
        link.exec(b"print('%s')" % noise, deadline=Deadline(60))
        assert run(link, b"print(4)") == b"4\n"
        assert run(link, b"print(5)") == b"5\n"

    def test_late_answer(self, bench: Bench) -> None:
        """The answer to a request that timed out is not taken for the answer to the next."""
        link = bench.link()
        with pytest.raises(BoardError, match="did not answer"):
            link.exec(b"import time\ntime.sleep(0.3)\nprint('late')", deadline=Deadline(0.1))
        link.enter_raw_repl(deadline=Deadline(60))
        assert run(link, b"print('next')") == b"next\n"

    def test_soft_reset(self, parts: Bench) -> None:
        """A soft reset forgets globals, runs boot.py and not main.py, and ends in the raw REPL."""
        (parts.folder / "boot.py").write_text("print('from boot')\nb = 1\n")
        (parts.folder / "main.py").write_text("m = 1\n")
        link = parts.power_up().link()
        run(link, b"a = 1")
        assert b"from boot" in link.soft_reset(deadline=Deadline(60))
        assert run(link, b"print('a' in globals(), 'b' in globals(), 'm' in globals())") == b"False True False\n"

    def test_probe(self, bench: Bench) -> None:
        """The probe identifies the board."""
        info = bench.session().info
        assert info.implementation == "micropython"
        assert info.version[0] == 1
        assert info.has_tls
        assert info.heap_free_bytes is not None
        assert info.filesystem == str(bench.folder)

    def test_deployed_once(self, bench: Bench) -> None:
        """The agent is written only at first use, because flash wears out. Afterwards no file is opened for writing."""
        session = bench.session()
        assert session.notes == []
        file = bench.folder / AGENT_FILE
        before = file.stat().st_mtime_ns
        session.close(deadline=Deadline(60))
        again = bench.session()
        assert file.stat().st_mtime_ns == before
        assert "'wb'" not in again.transcript()

    def test_deployed_again(self, bench: Bench) -> None:
        """A different version of the agent, or one that was changed on the board, is replaced."""
        bench.session().close(deadline=Deadline(60))
        (bench.folder / AGENT_FILE).write_text("1/0")
        assert bench.session().notes == []
        assert (bench.folder / AGENT_FILE).read_text() == "".join(agent_pieces())

    def test_users_files_stay(self, parts: Bench) -> None:
        """boot.py, main.py and other files are unchanged, also after cleaning; main.py was interrupted."""
        files = {
            "boot.py": "b = 1\n",
            "main.py": "while True: pass\n",
            "data.txt": "mine",
            "tls_harness/mine.txt": "mine",
        }
        (parts.folder / "tls_harness").mkdir()
        for name, text in files.items():
            (parts.folder / name).write_text(text)
        session = parts.power_up().session()
        assert session.clean()
        assert not session.clean()
        assert files == {
            str(path.relative_to(parts.folder)): path.read_text() for path in parts.folder.rglob("*") if path.is_file()
        }

    def test_clean(self, bench: Bench) -> None:
        """Cleaning removes everything."""
        session = bench.session()
        assert (bench.folder / "tls_harness").is_dir()
        assert session.clean()
        assert list(bench.folder.iterdir()) == []

    def test_ram(self, parts: Bench) -> None:
        """If nothing can be written, the agent runs from RAM, the notes say so, and recovery does the same."""
        (parts.folder / "tls_harness").write_text("in the way")
        session = parts.power_up().session()
        (note,) = session.notes
        assert note.startswith("the agent runs from RAM: ")
        assert "cannot write tls_harness/" in note
        session.recover()
        assert session.notes == [note]
        assert run(session.link, b"print(th_version)") == b"2\n"
        assert [path.name for path in parts.folder.iterdir()] == ["tls_harness"]

    def test_recover(self, bench: Bench) -> None:
        """After a fault the session recovers the board, with the agent."""
        session = bench.session()
        with pytest.raises(BoardError, match="did not answer"):
            session.link.exec(b"while True: pass", deadline=Deadline(0.2))
        session.recover()
        assert session.notes == []
        assert run(session.link, b"print(th_version)") == b"2\n"

    def test_unplugged_during_exec(self, bench: Bench) -> None:
        """A board that is unplugged during an exec is reported as lost at once, in one line; later calls are safe."""
        session = bench.session()
        run(session.link, b"print(1)")
        bench.unplug()
        never = Deadline(20, clock=lambda: 0.0)
        with pytest.raises(BoardError, match=r"the port disappeared \(.*\): unplugged, re-enumerated") as raised:
            session.link.exec(b"while True: pass", deadline=never)
        assert raised.value.kind == "lost"
        assert "\n" not in raised.value.message
        session.recover()
        assert session.notes[-1] == "quarantined after a line fault; no step recovered it"
        session.close(deadline=never)

    @pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
    def test_close_leaves_the_prompt(self, bench: Bench, busy: bool) -> None:
        """After close the board is at its friendly prompt for other tools, whatever ran before."""
        session = bench.session()
        if busy:
            with pytest.raises(BoardError, match="did not answer"):
                session.link.exec(b"while True: pass", deadline=Deadline(0.2))
        session.close(deadline=Deadline(60))
        line = RawRepl(bench.address)
        try:
            line._port.deadline = Deadline(60)
            line._port.write(b"print('at', 'prompt')\r")
            assert b"at prompt" in line._port.read_through(b"\n>>> ", limit=10000)
        finally:
            line.close()

    def test_transcript(self, bench: Bench) -> None:
        """The transcript shows both directions, without what was muted or hidden."""
        session = bench.session()
        session.begin_case()
        session.link.log.hide("s3cret word")
        run(session.link, b"print('s3cret', 'word')")
        with session.link.log.muted():
            run(session.link, b"print('never seen')")
        text = session.transcript()
        assert "> \\x05A\\x01" in text
        assert "[hidden]" in text
        assert "s3cret word" not in text
        assert "never seen" not in text

    def test_mpremote(self, bench: Bench) -> None:
        """mpremote can use the board while no run uses it."""
        bench.session().close(deadline=Deadline(60))
        command = [sys.executable, "-m", "mpremote", "connect", bench.address, "exec", "print(6 * 7)"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, "42"), done.stdout + done.stderr
        assert bench.session().info.implementation == "micropython"
