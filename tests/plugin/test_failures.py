"""Test the output of failing, skipped and insecure cases and of errors: complete, with the most important line first."""

import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

# Cases with wrong expectations, declared as a user's suite may do it; boards and servers are real.
CONFTEST = '''
from harness.cases import Situation, case
from harness.expectations.builders import connected, refused
from harness.model import ClientPlan, ServerProfile, Tier, Verify


@case(tier=Tier.SMOKE)
def wrong_reason() -> Situation:
    """A suite without shared ciphers, expected to end otherwise. To see a failure."""
    return Situation(
        server=ServerProfile(certificates=("server-rsa2048",), maximum_version="TLSv1.2"),
        client=ClientPlan(suites=("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",)),
        expect=refused(by="client", server="TLSV1_ALERT_UNKNOWN_CA", alert="unknown_ca", flags=("not_trusted",)),
    )


@case(tier=Tier.SMOKE)
def should_be_refused() -> Situation:
    """A good certificate that the client must refuse, it says. To see `insecure`."""
    return Situation(
        server=ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2"),
        client=ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",)),
        expect=refused(by="client", server="TLSV1_ALERT_UNKNOWN_CA", alert="unknown_ca", flags=("not_trusted",)),
    )
'''


@pytest.fixture
def failing(suite):
    """The suite with its two wrong cases."""
    suite.write("conftest.py", CONFTEST)
    return suite


def block(ran):
    """Return the lines of the only failure."""
    start = next(number for number, line in enumerate(ran.lines) if line.startswith("____"))
    end = next(number for number, line in enumerate(ran.lines) if line.startswith("==") and number > start)
    return ran.lines[start + 1 : end]


@pytest.fixture(scope="module", params=[(), ("-n", "1")], ids=["alone", "workers"])
def failed(shared_suite, request):
    """A run of the case with the wrong reason, with CI set: pytest cuts nothing."""
    shared_suite.write("conftest.py", CONFTEST)
    words = ("--cases", "smoke", "-k", "wrong-reason", "--junitxml", "junit.xml")
    return shared_suite.run(*words, *request.param, environment={"CI": "true"})


def test_a_failing_case(failed):
    """It shows both sides, every difference, the alert, negotiated values, cause and fix, the serial line and the command."""
    ran = failed
    assert (ran.status, ran.summary()) == (1, "1 failed")
    lines = [line for line in block(ran) if not line.startswith("[gw")]
    command = "    pytest 'test_mine.py::test_case[unix-conftest/wrong-reason]' --cases smoke --artifacts .compat/again"
    why = slice(
        lines.index("  negotiated  nothing") + 1,
        lines.index("  pcapng      unix-in-process-conftest_wrong-reason.pcapng"),
    )
    said = lines[why]
    del lines[why]
    assert said[0].startswith("  why         the server's key is RSA, and the board cannot use such a key")
    assert said[0].endswith("[ciphers/key-type]")
    assert sum(line.startswith("              TLS_") for line in said) == 1
    assert next(line for line in said if line.startswith("  fix  ")).startswith(
        "  fix         give the server an EC key on P-256"
    )
    assert '                server  context.load_cert_chain("ec-cert.pem", "ec-key.pem")' in said
    packets = said[
        next(number for number, line in enumerate(said) if line.startswith("  packets     board 127.")) + 1 :
    ]
    assert [
        re.sub(r"^ +\d+ +[0-9.]+ +(\S+ -> \S+) +\d+ ", r"\1", line).partition(" (TLSv1")[0] for line in packets
    ] == [
        "board -> server TCP connection, accepted by the server",
        "board -> server Client Hello",
        "server -> board Alert (fatal, handshake_failure)",
        "server -> board TCP FIN",
        "board -> server TCP FIN",
    ]
    assert lines[:20] == [
        "fail: ended_by: expected client, got server",
        "  expected    refused by the client at handshake; server SSLError TLSV1_ALERT_UNKNOWN_CA; "
        "client ValueError not_trusted; alert unknown_ca(48) from the client",
        "  observed    refused by the server at handshake",
        "- ended_by: expected client, got server",
        "- server.reason: expected TLSV1_ALERT_UNKNOWN_CA, got NO_SHARED_CIPHER",
        "- client.type: expected ValueError, got OSError",
        "- client.flags: expected not_trusted, got none",
        "- alert: expected unknown_ca (48) from the client, got handshake_failure (40) from the server",
        "  server      SSLError NO_SHARED_CIPHER, at handshake",
        "  client      OSError -30592 MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE, at handshake",
        "  alert       handshake_failure(40) fatal from the server",
        "  negotiated  nothing",
        "  pcapng      unix-in-process-conftest_wrong-reason.pcapng",
        "  transcript  unix-in-process-conftest_wrong-reason.serial.txt",
        "Reproduce with:",
        command,
        "------------------------------ serial transcript -------------------------------",
        *lines[17:20],
    ]
    assert any(line.startswith("> ") and "th_run(" in line for line in lines[17:])
    assert any(re.search('"type": ?"OSError"', line) for line in lines[17:])
    assert ran.line("FAIL test_mine.py::test_case[unix-conftest/wrong-reason] - ")
    assert ran.lines[-1].startswith("=")
    assert "Traceback" not in ran.text.partition("serial transcript")[0]


@pytest.mark.slow
def test_the_command_runs_just_this_case_again(failing):
    """The command works in a shell in the same directory, also with two boards and a suite in a subdirectory; the run's record is kept."""
    (failing.folder / "below").mkdir()
    (failing.folder / "test_mine.py").rename(failing.folder / "below" / "test_mine.py")
    failing.write("pytest.ini", "[pytest]\naddopts = --strict-markers\n")
    failing.write("boards.toml", '[board.desk]\nspec = "unix"\n')
    ran = failing.run("--cases", "smoke", "-k", "wrong-reason", "--board", "desk", "--board", "unix:" + packaged())
    commands = [line.strip() for line in ran.lines if line.startswith("    pytest ")]
    again = "--cases smoke --artifacts .compat/again"
    assert [command.endswith(end) for command, end in zip(commands, (f"--board desk {again}", again), strict=True)] == [
        True,
        True,
    ]
    record = (failing.folder / ".compat" / "run.json").read_bytes()
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "pytest"
        one = failing.run(*words[1:])
        assert (one.status, one.summary()) == (1, "1 failed"), one.text
        assert block(one)[0] == "fail: ended_by: expected client, got server"
    assert (failing.folder / ".compat" / "run.json").read_bytes() == record


def packaged():
    """The packaged interpreter as a path."""
    place = subprocess.run(["which", "micropython"], capture_output=True, text=True, check=False).stdout.strip()
    own = sys.executable.rpartition("/")[0] + "/micropython"
    return own if place == "" else place


def test_insecure(failing):
    """A client that accepts what it must refuse is `insecure`, not merely a failure, and fails the run."""
    ran = failing.run("--cases", "smoke", "-k", "should-be-refused")
    assert (ran.status, ran.summary()) == (1, "1 failed")
    assert block(ran)[0] == "insecure: the client accepted what it should have refused"
    assert ran.line("INSECURE test_mine.py::test_case[unix-conftest/should-be-refused]")
    assert ran.line("[1/1] insecure    conftest/should-be-refused       connected TLSv1.2 ")
    (result,) = ran.record()["results"]
    assert (result["verdict"], result["outcome"], result["expected"]["outcome"]) == ("insecure", "connected", "refused")


def test_error_says_so_first(suite):
    """A fault of board or line is `error` in the first line, never `fail`; the full reason follows below."""
    ran = suite.run("--cases", "smoke", "-k", "rsa-1024-key", "--board", "/dev/ttyNOPE7")
    lines = block(ran)
    assert lines[0].startswith("error: /dev/ttyNOPE7: no such port")
    assert len(lines[0]) <= 60
    assert lines[1].startswith("  /dev/ttyNOPE7: no such port; ")
    assert lines[2] == "  why         there is no such port or board on this machine   [fault/missing]"
    assert "Reproduce with:" not in lines  # no other case would run either
    assert ran.line("ERROR test_mine.py::test_case[ttyNOPE7-seed/rsa-1024-key] - error: ")


def test_the_block_is_shown_once(failed):
    """With CI set pytest cuts nothing: its summary still has the first line only."""
    assert failed.lines.count("Reproduce with:") == 1
    assert failed.line("FAIL test_mine.py::") == (
        "FAIL test_mine.py::test_case[unix-conftest/wrong-reason] - fail: ended_by: expected client, got server"
    )
    assert failed.lines[-2].startswith("FAIL ")


def test_one_line(failing):
    """--tb=line has the first line of the block and nothing else of it."""
    short = failing.run("--cases", "smoke", "-k", "wrong-reason", "--tb=line")
    assert "fail: ended_by: expected client, got server" in short.lines
    assert "Reproduce with:" not in short.text


# With a soft limit of 3, open descriptors stay valid and every new one exceeds the limit.
SHORT_OF_DESCRIPTORS = """
import contextlib, resource

@contextlib.contextmanager
def none_left():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

class WithoutRoom:
    def __init__(self, board):
        self.board = board
    def __getattr__(self, name):
        return getattr(self.board, name)
    def keep_evidence(self, case, result):
        with none_left():
            return self.board.keep_evidence(case, result)

def test_case(board, tls_case, run_case):
    if board.label == "unix":
        run_case(board if "1024" in tls_case.id else WithoutRoom(board), tls_case)
        return
    with none_left():
        run_case(board, tls_case)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="lowers the limit of descriptors as Linux has it")
def test_out_of_descriptors(suite):
    """Without free descriptors a board that is opened is an `error` that says what to do, and evidence that is lost is a note."""
    suite.write("test_mine.py", SHORT_OF_DESCRIPTORS)
    chosen = ("--cases", "smoke", "-k", "rsa-1024-key or ca-verified", "--keep-wire")
    ran = suite.run(*chosen, "--board", "unix", "--board", f"unix:{packaged()}")
    remedy = "this process has no file descriptors left: raise its limit (`ulimit -n 4096`) or run fewer boards at once (EMFILE"
    reasons = {(item["board"], item["case"]): item["reason"] for item in ran.record()["results"]}
    assert reasons.pop(("unix", "seed/rsa-1024-key")) is None
    # What could not be written is a note: it costs no verdict.
    assert reasons.pop(("unix", "seed/ca-verified")) is None
    assert (
        f"captures or transcripts are missing: {suite.folder}/.compat cannot be written (Too many open files)"
        in ran.text
    )
    assert len(reasons) == 2
    assert all(remedy in reason for reason in reasons.values()), reasons
    assert {item["verdict"] for item in ran.record()["results"]} == {"pass", "error"}
    assert "Traceback" not in ran.text
    assert "INTERNALERROR" not in ran.text


def test_junit(failed):
    """JUnit XML has the same text, and its first line as the message."""
    (case,) = ElementTree.parse(failed.folder / "junit.xml").getroot().iter("testcase")
    (failure,) = case.iter("failure")
    assert case.get("name") == "test_case[unix-conftest/wrong-reason]"
    assert failure.text.splitlines()[0] == "fail: ended_by: expected client, got server"
    assert "  server      SSLError NO_SHARED_CIPHER, at handshake" in failure.text.splitlines()
    assert "Reproduce with:" in failure.text
    assert failure.get("message") == "fail: ended_by: expected client, got server"


IMPOSSIBLE = (
    "from harness.cases import Situation, case\n"
    "from harness.expectations.builders import connected\n"
    "from harness.model import Need, ServerProfile, Tier\n"
    "@case(tier=Tier.SMOKE)\n"
    "def impossible() -> Situation:\n"
    "    '''A need that no board meets. To see the reason.'''\n"
    "    need = Need(name='magic', reason='this firmware has no magic', met=lambda info, server: False)\n"
    "    return Situation(server=ServerProfile(certificates=('server-p256',)), expect=connected(), needs=(need,))\n"
)


def test_a_skip_shows_what_is_missing(suite):
    """`unsupported` is a skip whose reason names the missing feature and the case."""
    suite.write("conftest.py", IMPOSSIBLE)
    ran = suite.run("--cases", "smoke", "-k", "impossible or rsa-1024-key", "-rs")
    assert (ran.status, ran.summary()) == (0, "1 passed, 1 skipped")
    reason = "conftest/impossible: unsupported: this firmware has no magic"
    assert ran.line("SKIPPED [1] ").endswith(reason)
    assert any("unsupported conftest/impossible" in line and "this firmware has no magic" in line for line in ran.lines)
    alone = suite.run("--cases", "smoke", "-k", "impossible")
    assert (alone.status, alone.summary()) == (10, "1 skipped")
    assert (
        alone.line("nothing was tested")
        == "nothing was tested: no board could try any case (this firmware has no magic)"
    )


@pytest.mark.parametrize(
    ("files", "verbose"),
    [
        (("test_mine.py", "test_own.py"), ()),
        (("test_own.py", "test_mine.py"), ("-v",)),
        (("test_mine.py", "test_own.py"), ("-n", "1")),
    ],
)
def test_skips_of_others_stay_theirs(suite, files, verbose):
    """pytest's list of all skips keeps pytest's own heading, whether a case or another test was skipped first."""
    suite.write("conftest.py", IMPOSSIBLE)
    suite.write("test_own.py", "import pytest\ndef test_own():\n    pytest.skip('not today')\n")
    chosen = ("--cases", "smoke", "-k", "impossible or own", "-rs", *verbose)
    ran = suite.run(*files, *chosen)
    assert ran.summary() == "2 skipped"
    listed = [line.split("[1] ")[1] for line in ran.lines if line.startswith("SKIPPED [1] ")]
    assert sorted(line.partition(": ")[2] for line in listed) == [
        "conftest/impossible: unsupported: this firmware has no magic",
        "not today",
    ]
    assert any("[unix-conftest/impossible] UNSUPPORTED" in line for line in ran.lines) is (verbose == ("-v",))


HOSTILE = """#!/bin/sh
printf '\\033]0;owned\\007\\033[2J\\033[31m<script>alert(1)</script>\\342\\200\\256'
head -c 300000 /dev/zero | tr '\\0' 'A'
"""


def test_hostile_board(suite):
    """Escapes, control characters and floods from a board change neither the terminal nor the reports nor their size."""
    program = suite.write("evil", HOSTILE)
    program.chmod(0o755)
    ran = suite.run(
        "--cases", "smoke", "-k", "rsa-1024-key", "--board", f"unix:{program}", "--junitxml", "junit.xml", "-v"
    )
    assert ran.status == 10
    assert not [char for char in ran.text if ord(char) < 32 and char != "\n"]
    assert "\u202e" not in ran.text
    assert len(ran.text) < 20_000
    raw = (suite.folder / ".compat" / "run.json").read_bytes()
    assert len(raw) < 50_000
    assert raw.isascii()
    (result,) = ran.record()["results"]
    assert result["verdict"] == "error"
    ElementTree.parse(suite.folder / "junit.xml")
