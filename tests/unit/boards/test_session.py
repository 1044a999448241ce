"""An open board: the order of its start, what a case sends, and cleanup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.boards.agent import surroundings
from harness.boards.session import BoardSession
from harness.certificates import Certificates
from harness.errors import BoardError
from harness.model import ClientPlan, HelloFacts
from harness.system.deadline import Deadline

NewSession = Callable[..., BoardSession]


@pytest.fixture
def session(new_session: NewSession) -> BoardSession:
    """Return a started session."""
    made = new_session()
    made.start()
    return made


def test_probe_only(new_session: NewSession, folder: Path) -> None:
    """A probe writes nothing to the board."""
    session = new_session()
    session.start(deploy=False)
    assert session.info.has_tls
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "is_drive"), [("VCP+MSC", True), ("VCP+MSC+HID", True), ("MSC", True), ("VCP", False), (None, False)]
)
def test_f11_rb12_usb_drive(new_session: NewSession, folder: Path, mode: str | None, is_drive: bool) -> None:
    """Nothing is written to a filesystem that a host may have mounted. The agent runs from RAM, also after a recovery."""
    stand_in = f"def usb_mode(): return {mode!r}\n"
    (folder / "pyb.py").write_text(stand_in)
    session = new_session()
    session.start()
    note = "the agent runs from RAM: lab-1: the board is also a USB drive, which a host may have mounted"
    assert session.notes == [note] * is_drive
    restart(session)
    assert session.recover()[-1].result == "helped"
    assert session.link.exec(b"print(th_run)", deadline=Deadline(60)).stdout.startswith(b"<function")
    written = {path.name for path in folder.iterdir()} - {"pyb.py"}
    assert written == (set() if is_drive else {"tls_harness"})


# In the place of the module `os` of the unix port up to 1.18 (ports/unix/modos.c): everything but getcwd.
OS_WITHOUT_GETCWD = """\
import os as _real, sys
class _Os:
 def __getattr__(self, name):
  if name == 'getcwd': raise AttributeError(name)
  return getattr(_real, name)
sys.modules['os'] = sys.modules['uos'] = _Os()
"""


def test_an_os_without_getcwd(new_session: NewSession, folder: Path) -> None:
    """Its filesystem can be written all the same: the agent runs from its file. `os` is a stand-in without that function."""
    (folder / "boot.py").write_text(OS_WITHOUT_GETCWD)
    session = new_session()
    session.start()
    assert session.link.exec(b"import os\nprint(hasattr(os, 'getcwd'))", deadline=Deadline(60)).stdout == b"False\n"
    assert (session.info.filesystem, session.notes) == (".", [])
    assert (folder / "tls_harness" / "agent.py").exists()


@pytest.mark.slow
def test_f18_boot_py_that_blocks(new_session: NewSession, folder: Path) -> None:
    """A boot.py that waits forever is interrupted after a soft reset; the run reports it once and continues."""
    session = new_session(timeout_multiplier=0.1)
    (folder / "boot.py").write_text("import time\nwhile True: time.sleep(1)\n")
    session.start()
    session.recover()
    note = "boot.py did not end in time and was interrupted with Ctrl-C: what it starts, such as WiFi, may be missing"
    assert session.notes == [note]
    assert session.info.has_tls


def test_not_micropython(new_session: NewSession, folder: Path) -> None:
    """Another Python implementation at the raw REPL is refused. The stand-in renames the interpreter in boot.py."""
    session = new_session()
    (folder / "boot.py").write_text(
        "import sys as _sys\nclass _I: name = 'circuitpython'; version = (9, 0, 0)\n"
        "class _S:\n implementation = _I; platform = 'x'; version = 'y'\n"
        "_import = __import__\nimport builtins\n"
        "builtins.__import__ = lambda n, *a: _S if n == 'sys' else _import(n, *a)\n"
    )
    with pytest.raises(
        BoardError, match=r"lab-1: this is 'circuitpython', not MicroPython; this harness does not support it"
    ) as raised:
        session.start()
    assert raised.value.kind == "not-micropython"


def test_clock_in_use(new_session: NewSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe's value stays in the report; explanations use the clock that was set. No virtual board has a clock to set."""
    answers = iter([("it was set to UTC", 1767960000), ("it cannot be set", None)])
    monkeypatch.setattr(surroundings, "set_clock", lambda console, info, *, probed: next(answers))
    session = new_session()
    session.start()
    assert session.info.clock_unix_s != 1767960000
    assert session.info_in_use() == replace(session.info, clock_unix_s=1767960000)
    assert session.notes == ["it was set to UTC"]
    other = new_session()
    other.start()
    assert other.info_in_use() is other.info


def test_recover_forgets_blobs(session: BoardSession) -> None:
    """A reset removes the blobs from the board, and the session forgets them."""
    session.blobs.provide({"blob": b"x"}, heap_free_bytes=None, deadline=Deadline(60))
    session.recover()
    assert session.blobs.names == ()
    assert session.notes == []


RADIO = """\
STA_IF = 0
class WLAN:
    def __init__(self, kind): self.up = False
    def active(self, on=None): return False
    def config(self, **words): pass
    def isconnected(self): return self.up
    def status(self): return 3 if self.up else 0
    def disconnect(self): pass
    def ifconfig(self): return ('127.0.0.7', '255.255.255.0', '127.0.0.1', '127.0.0.1')
    def connect(self, ssid, password):
        with open('joins', 'a') as f: f.write(ssid + ' ')
        with open('access') as f: self.up = f.read() == 'yes'
"""
# A clock in the year 2000, as after a reset that also resets the RTC.
LOST_CLOCK = """\
import time as _real, builtins
class _Time:
 def time(self): return 946684800
 def gmtime(self, s=946684800): return _real.gmtime(s)
 localtime = gmtime
 def __getattr__(self, name): return getattr(_real, name)
_lost, _import = _Time(), __import__
builtins.__import__ = lambda n, *a: _lost if n in ('time', 'utime') else _import(n, *a)
"""


def restart(session: BoardSession) -> None:
    """Let the board restart by itself, as in a brown-out."""
    session._owner.reset()  # type: ignore[union-attr]  # a virtual board
    with pytest.raises(
        BoardError, match=r"the interpreter of the virtual board ended \(SIGKILL\) and was started again"
    ):
        session.link.exec(b"while True: pass", deadline=Deadline(60))


def test_recover_restores_the_network(new_session: NewSession, folder: Path) -> None:
    """A soft reset ends the radio's connection: the board joins again, and the agent answers."""
    (folder / "network.py").write_text(RADIO)
    (folder / "access").write_text("yes")
    session = new_session(network="wifi", ssid="lab")
    session.start()
    session.info = replace(session.info, address=None)
    restart(session)
    session.recover()
    assert (folder / "joins").read_text() == "lab lab "
    assert session.info.address == "127.0.0.7"
    assert session.notes == []
    assert session.link.exec(b"print(th_run)", deadline=Deadline(60)).stdout.startswith(b"<function")


def test_recover_without_the_network(new_session: NewSession, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board whose network does not return is quarantined, with the reason of each step, and only once."""
    (folder / "network.py").write_text(RADIO)
    (folder / "access").write_text("yes")
    monkeypatch.setattr(surroundings, "JOIN_S", 1.0)
    session = new_session(network="wifi", ssid="lab")
    session.start()
    (folder / "access").write_text("no")
    restart(session)
    log = session.recover(because="seed/x: silence")
    assert [(step.step, step.result) for step in log if step.result != "skipped"] == [
        ("ctrl-c", "failed"),
        ("raw-repl", "failed"),
        ("soft-reset", "failed"),
        ("set-aside", "set-aside"),
    ]
    assert log[2].reason is not None
    assert log[2].reason.startswith("lab-1: the board cannot join the WiFi 'lab'")
    assert session.notes == ["quarantined after seed/x: silence; no step recovered it"]
    assert session.recover() == ()


def test_recover_restores_the_clock(session: BoardSession, folder: Path) -> None:
    """A clock that the reset cleared is set again, or a note says that it cannot be set: the unix port has no RTC."""
    assert session.notes == []
    (folder / "boot.py").write_text(LOST_CLOCK)
    restart(session)
    session.recover()
    assert session.notes == [
        "the board's clock is at 2000-01-01 and cannot be set: certificates may look expired or not yet valid"
    ]


@pytest.mark.parametrize("restarted", [True, False])
def test_recover_of_another_board(session: BoardSession, restarted: bool) -> None:
    """A board that answers with another identity is quarantined by the first step that it answers, with our agent or without."""
    before = session.info
    session.info = replace(before, build="pico_w", unique_id="e661")
    if restarted:
        restart(session)
    log = session.recover(because="seed/x: silence")
    changes = f"build pico_w -> {before.build}; unique id e661 -> none"
    assert [step.step for step in log if step.result == "failed"] == (
        ["ctrl-c", "raw-repl"] if restarted else ["ctrl-c"]
    )
    assert session.quarantine_reason == (
        f"lab-1: quarantined after seed/x: silence; this is no longer the board that was probed: {changes}"
    )


def test_recover_of_a_board_that_is_gone(session: BoardSession) -> None:
    """A board that stays missing is quarantined at once: every later request fails with the reason without being tried."""
    assert session._owner is not None
    session._owner.close()
    with pytest.raises(BoardError, match="the port disappeared") as raised:
        session.link.exec(b"1", deadline=Deadline(2))
    assert raised.value.kind == "lost"
    log = session.recover(because="seed/x: the port disappeared")
    assert [step.reason for step in log] == [
        "the port is missing",
        "the port is missing, and such a port does not come back under the same name",
        "the port is missing",
        "the port is missing",
        "the port is missing",
        "no power_cycle hook in boards.toml",
        "the port is missing",
        "seed/x: the port disappeared; no step recovered it",
    ]
    request, blobs = session.prepare(ClientPlan(), Certificates())
    with pytest.raises(BoardError, match=r"lab-1: quarantined after seed/x: the port disappeared; no step") as raised:
        session.connect(request, blobs, deadline=Deadline(2))
    assert raised.value.kind == "set-aside"


def test_recover_takes_the_mildest_step_that_helps(session: BoardSession) -> None:
    """If Ctrl-C helps, the board is not reset: the globals still exist. If the check fails, the next step is taken, with its own time."""
    session.link.exec(b"mine = 7", deadline=Deadline(60))
    with pytest.raises(BoardError, match="did not answer"):
        session.link.exec(b"while True: pass", deadline=Deadline(0.2))
    (step,) = session.recover()
    assert (step.step, step.result, step.reason, step.deadline_s) == ("ctrl-c", "helped", None, 20.0)
    assert session.link.exec(b"print(mine)", deadline=Deadline(60)).stdout == b"7\n"
    sick = [BoardError("lab-1: not yet", kind="sick")] * 2

    def check(deadline: Deadline) -> None:
        if sick:
            raise sick.pop()

    log = session.recover(check=check)
    assert [(step.step, step.result) for step in log if step.result != "skipped"] == [
        ("ctrl-c", "failed"),
        ("raw-repl", "failed"),
        ("soft-reset", "helped"),
    ]
    assert session.link.exec(b"print(mine)", deadline=Deadline(60)).stderr != b""


@pytest.mark.parametrize("step", ["leave_raw_repl", "close"])
def test_ctrl_c_while_closing(session: BoardSession, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A second Ctrl-C, at any moment of closing, leaves neither the port nor the interpreter open."""
    link, real_close = session.link, session.link.close
    closed = []

    def interrupted(**_words: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(link, step, interrupted)
    if step != "close":
        monkeypatch.setattr(link, "close", lambda: (closed.append("link"), real_close()))
    monkeypatch.setattr(session._owner, "close", lambda close=session._owner.close: (closed.append("owner"), close()))
    with pytest.raises(KeyboardInterrupt):
        session.close(deadline=Deadline(60))
    assert closed == (["owner"] if step == "close" else ["link", "owner"])
    real_close()


def test_agent_that_fails(session: BoardSession) -> None:
    """A failing agent is a fault of the harness or the board, never a TLS result."""
    session.link.exec(b"def th_run(text, check): 1/0", deadline=Deadline(60))
    request, blobs = session.prepare(ClientPlan(), Certificates())
    with pytest.raises(BoardError, match=r"lab-1: the board could not try a connection: ZeroDivisionError") as raised:
        session.connect(request, blobs, deadline=Deadline(60))
    assert raised.value.kind == "agent"
    session.link.exec(b"def th_run(text, check): print('#th {')", deadline=Deadline(60))
    with pytest.raises(BoardError, match="lab-1: the board's answer is garbled") as raised:
        session.connect(request, blobs, deadline=Deadline(60))
    assert raised.value.kind == "garbled"


def test_f9_an_agent_that_arrived_damaged(session: BoardSession) -> None:
    """Exceptions that our own code never raises show that it was damaged: an error of the board, and the agent is loaded again."""
    request, blobs = session.prepare(ClientPlan(), Certificates())
    for wrong in ("NameError", "SyntaxError", "IndentationError", "AttributeError"):
        answer = f'{{"kind": "exception", "n": 1, "stage": "config", "type": "{wrong}", "args": ["verif"]}}'
        damaged = f"def th_run(text, check): print('#th ' + {answer!r} + ' ' + th_sum({answer!r}))"
        session.link.exec(damaged.encode(), deadline=Deadline(60))
        session._console._number = 0
        with pytest.raises(BoardError, match=rf"^lab-1: the agent on the board is damaged: {wrong} verif$") as raised:
            session.connect(request, blobs, deadline=Deadline(60))
        assert raised.value.kind == "agent"
    assert session.recover()[-1].result == "helped"
    answer = session.link.exec(b"th_run('x', 'c0')", deadline=Deadline(60)).stdout
    assert b'"kind":"damaged"' in answer.replace(b" ", b"")


@pytest.mark.parametrize(("fingerprint", "library"), [("X", "axTLS"), ("B", "mbedTLS")])
def test_learn(session: BoardSession, fingerprint: str, library: str) -> None:
    """A ClientHello shows which library it is if the probe could not."""
    session.learn(tls_library=None)
    hello = HelloFacts(
        record_version="0301",
        versions=(),
        suites=(),
        groups=(),
        signature_algorithms=(),
        extensions=(),
        sni=None,
        fingerprint=fingerprint,
    )
    session.learn(hello=hello)
    assert session.info.tls_library == library
