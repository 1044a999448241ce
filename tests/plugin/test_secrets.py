"""Test that no file, output or command line of a real run contains a WiFi password or private key in any encoding."""

import base64
import binascii
import json
import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.boards.serial.transcript import NO_FRAMES
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.reports.formats import REPORT_SUFFIXES

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads command lines in /proc")

# This part survives any quoting of the password. It is new each time: every command line of the
# machine is searched, and other tests run MicroPython with their own passwords in it.
CORE = secrets.token_hex(8).encode()
PASSWORD = f'{CORE.decode()} "quoted" \\ w\u00f6rd-4711'
MARK = b"PRIVATE KEY-----"
# A stand-in for a radio; it accepts the password in the file `expected`. `echo` is a driver that prints its arguments.
NETWORK = """\
STA_IF = 0
class WLAN:
    def __init__(self, kind): self.state = 0
    def active(self, on=None): return False
    def config(self, **words): pass
    def isconnected(self): return self.state == 3
    def status(self): return self.state
    def disconnect(self): pass
    def ifconfig(self): return ('127.0.0.1', '255.0.0.0', '127.0.0.1', '127.0.0.1')
    def connect(self, ssid, password):
        print('joining with', password)
        if ssid == 'echo': raise ValueError('cannot use ' + password)
        with open('expected') as f: good = f.read()
        self.state = 3 if password == good else -3
"""
BOARDS = """\
[board.desk]
spec = "DESK"
wifi = {ssid = "lab", password = {env = "LAB_WIFI"}}

[board.echo]
spec = "ECHO"
wifi = {ssid = "echo", password = {env = "LAB_WIFI"}}

[board.odd]
spec = "unix"
wifi = {ssid = "lab", password = {env = "LAB_WIFI"}}
"""
# One case fails, one is a server error, and one board gets a fault of the harness itself, with a traceback;
# the keys in use are copied for the test.
CONFTEST = """
import os
from dataclasses import replace
from pathlib import Path

import pytest
from harness.run import case_runner as run
from harness.boards.agent import console
from harness.model import Verdict, VerdictWord

own, ruling = run.CaseRunner._own, run.CaseRunner._ruling


def broken(self, case):
    tried = own(self, case)
    if case.id == "seed/ca-verified":
        raise run.ServerError("no server today")
    return tried


run.CaseRunner._own = broken


def failing(self, case, handshake):
    found = ruling(self, case, handshake)
    failed = Verdict(word=VerdictWord.FAIL, reason="made to fail")
    return replace(found, verdict=failed) if case.topic == "mtls" else found


run.CaseRunner._ruling = failing

spoken = console.Console.run


def surprised(self, code, **words):
    if self.label == "odd" and code.startswith("th_network("):
        raise RuntimeError("nobody expected this")
    return spoken(self, code, **words)


console.Console.run = surprised


@pytest.fixture(autouse=True, scope="session")
def keys(certificates):
    yield
    for name in ("client-p256", "server-p256"):
        made = certificates.make(name)
        Path(os.environ["KEYS"], name + ".der").write_bytes(made.key_der)
        Path(os.environ["KEYS"], name + ".pkcs8").write_bytes(made.key_pkcs8_der)
"""
MINE = """
def test_case(board, tls_case, run_case):
    run_case(board, tls_case)


def test_own(board, tls_server, certificates):
    material = certificates.make("client-p256")
    seen = board.connect(tls_server("server-p256"), certificate="client-p256")
    assert seen is material
"""


def spellings(secret: bytes) -> set[bytes]:
    """Return the forms in which a secret may appear: plain, backwards, hex, base64, escaped as in JSON, Python or C."""
    shifted = {base64.b64encode(b"\0" * shift + secret)[4 * (shift > 0) + 4 : -4] for shift in range(3)}
    found = {secret, secret[::-1], binascii.hexlify(secret), binascii.hexlify(secret).upper(), *shifted}
    found |= {repr(secret)[2:-1].encode(), base64.b64encode(secret).rstrip(b"=")}
    try:
        text = secret.decode("utf-8")
    except UnicodeDecodeError:
        return found
    escaped = json.dumps(text)[1:-1]
    found |= {
        escaped.encode(),
        json.dumps(escaped)[1:-1].encode(),
        repr(text)[1:-1].encode(),
        ascii(text)[1:-1].encode(),
    }
    return found | {text[::-1].encode(), text.encode("unicode_escape"), text.replace('"', "&quot;").encode()}


@pytest.mark.parametrize("form", ["plain {}", "hex 736573616d65", "base64 c2VzYW1l", "reversed emases"])
def test_the_scanner_finds_a_leak(form):
    """Every form is found: a scan that cannot fail would prove nothing."""
    assert any(word in form.format("sesame").encode() for word in spellings(b"sesame"))


def test_private_keys_in_base64_are_found():
    """A key is found at any offset in a longer base64 text."""
    key = bytes(range(60))
    for before in range(5):
        text = base64.b64encode(b"x" * before + key + b"y")
        assert any(word in text for word in spellings(key)), before


@pytest.fixture
def lab(suite, tmp_path_factory):
    """Two virtual boards with a stand-in radio, and the suite that uses them."""
    made = []
    try:
        for name in ("desk", "echo"):
            folder = tmp_path_factory.mktemp(name)
            (folder / "network.py").write_text(NETWORK)
            (folder / "expected").write_text(PASSWORD, encoding="utf-8")
            made.append(VirtualBoard(find_interpreter(""), folder=folder))
        desk, echo = (board.port for board in made)
        suite.write("boards.toml", BOARDS.replace("DESK", desk).replace("ECHO", echo))
        suite.write("conftest.py", CONFTEST)
        suite.write("test_mine.py", MINE)
        yield suite
    finally:
        for board in made:
            board.close()


def processes() -> dict[int, tuple[int, bytes, bytes]]:
    """Return parent, command line and environment of every process."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            found[int(place.name)] = parent, (place / "cmdline").read_bytes(), (place / "environ").read_bytes()
        except OSError:
            continue
    return found


def descend(number: int, found: dict[int, tuple[int, bytes, bytes]]) -> set[int]:
    """Return a process and all its descendants."""
    family = {number}
    while more := {pid for pid, (parent, *_rest) in found.items() if parent in family} - family:
        family |= more
    return family


def watch(process, lab):
    """Return what other processes can see until a run ends.

    Returns:
        The run; all command lines of this machine; the environments of the run's children, without those of pytest and its workers.
    """
    ended = []
    waiting = threading.Thread(target=lambda: ended.append(lab.end(process, timeout_s=120)))
    waiting.start()
    lines, environments = set(), {}
    while waiting.is_alive():
        found = processes()
        lines |= {line for _parent, line, _environment in found.values()}
        for pid in descend(process.pid, found):
            _parent, line, environment = found.get(pid, (0, b"", b""))
            # Workers read their program from standard input, and before exec a child still looks like its parent.
            # An xdist worker asks platform.platform(), which starts uname; ruff keeps us from asking it.
            if line and b"pytest" not in line and b"exec(eval" not in line and line != b"uname\0-p\0":
                environments[line] = environment
        waiting.join(0.05)
    (ran,) = ended
    return ran, b"\n".join(lines), environments


REPORTS = [word for suffix in REPORT_SUFFIXES for word in ("--compat-report", f"seen{suffix}")]


@pytest.mark.slow
def test_no_secret_leaves_a_run(lab, tmp_path_factory):
    """This holds with pytest's most verbose options, for each report, journal, transcript and capture, with workers, and during the run."""
    keys = tmp_path_factory.mktemp("keys")
    process = lab.start(
        *("--cases", "smoke", "-k", "mtls or ca-verified or test_own", "--server", sys.executable, "--keep-wire"),
        *("--board", "desk", "--board", "echo", "--board", "odd", "-n", "2", *REPORTS),
        *(
            "-vv",
            "-l",
            "--tb=long",
            "--full-trace",
            "--debug=debug.txt",
            "--log-file=log.txt",
            "--log-file-level=DEBUG",
        ),
        *("--junitxml", "junit.xml", "-o", "junit_logging=all"),
        environment={"LAB_WIFI": PASSWORD, "KEYS": str(keys)},
    )
    ran, lines, environments = watch(process, lab)
    verdicts = {(result["board"], result["case"], result["verdict"]) for result in ran.record()["results"]}
    assert verdicts == {
        ("desk", "mtls/ok-p256", "fail"),
        ("desk", "own/mine-own", "fail"),
        ("desk", "seed/ca-verified", "error"),
        ("echo", "mtls/ok-p256", "error"),
        ("echo", "seed/ca-verified", "error"),
        ("odd", "mtls/ok-p256", "error"),  # each board begins at its own share of the list
    }, ran.text
    assert "RuntimeError: nobody expected this" in ran.text
    odd = next(result for result in ran.record()["results"] if result["board"] == "odd")
    assert odd["reason"] == (
        "odd: the harness failed with RuntimeError while it opened this board; the first test that uses the board shows where"
    )
    assert NO_FRAMES in ran.text
    assert any(line.split()[:2] == ["material", "="] for line in ran.lines), ran.text
    hidden = [PASSWORD.encode(), *(path.read_bytes() for path in keys.iterdir())]
    assert len(hidden) == 5
    words = set().union(*map(spellings, hidden)) | {CORE}
    places = {str(path): path.read_bytes() for path in lab.folder.rglob("*") if path.is_file()}
    for ending in (".pcapng", ".serial.txt", "debug.txt", "junit.xml", "run.jsonl", *REPORT_SUFFIXES):
        assert any(name.endswith(ending) for name in places), ending
    programs = {program for line in environments for program in (b"micropython", b"engine.py") if program in line}
    assert programs == {b"micropython", b"engine.py"}, environments.keys()
    places |= {"output": ran.text.encode(), "command lines": lines}
    places |= {f"environment of {line!r}": environment for line, environment in environments.items()}
    leaks = [(name, word[:12]) for name, content in places.items() for word in words if word in content]
    # Any program on this machine may have this in its command line.
    leaks += [(name, MARK) for name, content in places.items() if MARK in content and name != "command lines"]
    assert leaks == []


def test_no_secret_leaves_the_list_of_boards(lab):
    """Neither the message of a board that cannot join its network nor a traceback of the harness contains the password."""
    for words in (["--json"], ["--probe", "--json", "desk", "echo"], ["--probe", "echo"]):
        done = subprocess.run(
            [sys.executable, "-m", "harness", "boards", *words],
            cwd=lab.folder,
            env={**os.environ, "LAB_WIFI": PASSWORD},
            capture_output=True,
            timeout=60,
            check=False,
        )
        seen = done.stdout + done.stderr
        assert b"desk" in seen or b"echo" in seen
        assert [word[:12] for word in {CORE, *spellings(PASSWORD.encode())} if word in seen] == []
