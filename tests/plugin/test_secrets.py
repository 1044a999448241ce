"""A WiFi password and private keys in a real run: in no file, no line of output, no command line, in no spelling."""

import base64
import binascii
import json
import sys
import threading
from pathlib import Path

import pytest

from harness.boards.interpreter import find_interpreter
from harness.boards.virtual import VirtualBoard

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads command lines in /proc")

PASSWORD = 'sesame "quoted" \\ w\u00f6rd-4711'
# A stand-in for a radio; it accepts the password that the file `expected` holds. `echo` is a driver that repeats what it is given.
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
"""
# One case ends in a failure, one in an error of the server; the keys that were in use go where the test can read them.
CONFTEST = """
import os
from pathlib import Path

import pytest
from harness import run
from harness.model import Verdict, VerdictWord

own, judge = run.CaseRunner._own, run.judge


def broken(self, case):
    tried = own(self, case)
    if case.id == "seed/ca-verified":
        raise run.ServerError("no server today")
    return tried


run.CaseRunner._own = broken
run.judge = lambda case, expected, seen: (
    Verdict(word=VerdictWord.FAIL, reason="made to fail") if case.topic == "mtls" else judge(case, expected, seen)
)


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
    """How a secret may show: plain, backwards, hex, base64, escaped as JSON, Python or C does."""
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
    """Every spelling is found where it is: a scan that cannot fail would prove nothing."""
    assert any(word in form.format("sesame").encode() for word in spellings(b"sesame"))


def test_private_keys_in_base64_are_found():
    """Wherever the key begins in a longer base64 text."""
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


def command_lines() -> bytes:
    """The command lines of every process there is."""
    lines = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            lines.append((place / "cmdline").read_bytes())
        except OSError:
            continue
    return b"\n".join(lines)


def test_no_secret_leaves_a_run(lab, tmp_path_factory):
    """With -v, with local variables in tracebacks, in JUnit, reports, journal, transcripts and captures, and while it runs."""
    keys = tmp_path_factory.mktemp("keys")
    process = lab.start(
        *(
            "-v",
            "-l",
            "--cases",
            "smoke",
            "-k",
            "mtls or ca-verified or test_own",
            "--board",
            "desk",
            "--board",
            "echo",
        ),
        *("--junitxml", "junit.xml", "-o", "junit_logging=all", "--keep-wire"),
        *("--compat-report", "seen.json", "--compat-report", "seen.md", "--server", sys.executable),
        environment={"LAB_WIFI": PASSWORD, "KEYS": str(keys)},
    )
    ended = []
    waiting = threading.Thread(target=lambda: ended.append(lab.end(process)))
    waiting.start()
    seen = set()
    while waiting.is_alive():
        seen.add(command_lines())
        waiting.join(0.05)
    (ran,) = ended
    verdicts = {(result["board"], result["case"], result["verdict"]) for result in ran.record()["results"]}
    assert verdicts == {
        ("desk", "mtls/ok-p256", "fail"),
        ("desk", "seed/ca-verified", "error"),
        ("echo", "mtls/ok-p256", "error"),
        ("echo", "seed/ca-verified", "error"),
    }, ran.text
    secrets = [PASSWORD.encode(), *(path.read_bytes() for path in keys.iterdir())]
    assert len(secrets) == 5
    words = set().union(*map(spellings, secrets))
    places = {str(path): path.read_bytes() for path in lab.folder.rglob("*") if path.is_file()}
    assert any(name.endswith(".pcapng") for name in places)
    assert any(name.endswith(".serial.txt") for name in places)
    places |= {"output": ran.text.encode(), "command lines": b"\n".join(seen)}
    leaks = [(name, word[:12]) for name, content in places.items() for word in words if word in content]
    assert leaks == []
    assert any(line.split()[:2] == ["material", "="] for line in ran.lines), ran.text
