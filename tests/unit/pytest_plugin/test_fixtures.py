"""The objects behind the public fixtures, used without pytest."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.boards.agent import scripts
from harness.cases import find_case
from harness.errors import BoardError, UsageError
from harness.model import Outcome, VerdictWord
from harness.pytest_plugin.expect import Expect
from harness.pytest_plugin.fixtures import Board
from harness.pytest_plugin.server_settings import make_server
from harness.server.engine.tls_contexts import end_of_stream
from harness.system.data_files import data_dir
from harness.system.deadline import Deadline


@pytest.fixture
def board(lab, spec):
    """Return the virtual board as the `board` fixture does."""
    return Board(lab, spec, "in-process")


def test_connect(board):
    """The first connection opens the board, and records both sides."""
    seen = board.connect(make_server("server-p256"), verify="required", ca="ca-p256", text="Moin")
    assert seen.outcome is Outcome.CONNECTED
    assert seen.received_by_server == "Moin"
    assert Expect().connected(seen) is seen
    assert (board.label, board.server_name, board.info.implementation) == ("unix", "in-process", "micropython")


def test_connect_with_suites(board):
    """Suites are given by their IANA names, one or several."""
    server = make_server("server-p256", maximum_version="TLSv1.2")
    one = board.connect(server, suites="TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    Expect().connected(one, suite="TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    none = board.connect(server, suites=["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"])
    Expect().refused(none, server="NO_SHARED_CIPHER", alert="handshake_failure", client=-30592)


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        ({"cas": "x"}, "cas"),
        ({"verify": 1}, "1"),
        ({"suites": "TLS_TYPO"}, r"suites: 'TLS_TYPO' is not an IANA cipher suite name \(e.g. TLS_ECDHE_"),
        (
            {"suites": ["TLS_AES_128_GCM_SHA256", "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256"]},
            r"suites: 'TLS-ECDHE.* cipher suite name; did you mean TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\?$",
        ),
    ],
)
def test_connect_refuses(board, plan, word):
    """An unknown setting of the client is refused."""
    with pytest.raises(UsageError, match=word):
        board.connect(make_server("server-p256"), **plan)


def test_a_certificate_that_is_not_declared(board):
    """The error has the name, and nothing is tried."""
    with pytest.raises(UsageError, match="server-p257"):
        make_server("server-p256", "server-p257")
    with pytest.raises(UsageError, match="ca-p257"):
        board.connect(make_server("server-p256"), ca="ca-p257")


def test_suites_that_a_board_cannot_exclude(new_lab, spec):
    """A board without set_ciphers that offers more suites than requested is skipped with that reason and does not connect."""
    board = Board(new_lab(), spec, "in-process")
    session = board.runner().board
    session.learn(api=tuple(name for name in session.info.api if not name.endswith("set_ciphers")))
    server = make_server("server-p256", maximum_version="TLSv1.2")
    with pytest.raises(
        UsageError, match=r"suites=\.\.\.\): unix: this firmware offers other cipher suites, too, and its TLS"
    ):
        board.connect(server, suites="TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    assert Expect().connected(board.connect(server)).outcome is Outcome.CONNECTED


# ------------------------------------------------------------------ boards that do not follow the plan


def changed_board(lab, spec, tmp_path, monkeypatch, *, old, new):
    """Return a board whose agent is a copy of ours with one expression changed."""
    folder = tmp_path / "device_scripts"
    shutil.copytree(data_dir("device_scripts"), folder)
    script = folder / "tls_client.py"
    text = script.read_text(encoding="ascii")
    assert old in text
    script.write_text(text.replace(old, new), encoding="ascii")
    monkeypatch.setattr(scripts, "data_dir", lambda name: tmp_path / name)
    return Board(lab, spec, "in-process")


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [
        ("while to_end or count < size:", "while False:", r"'' \(0 bytes\)"),
        (
            'th_pass(did, "r", req["recv"]) if "recv" in req else 14',
            'th_pass(did, "r", req["recv"]) * 0 + 5 if "recv" in req else 5',
            r"'Hallo' \(5 bytes\)",
        ),
        ("return first[:64], count", "return first[:64], count + 1", r"'Hallo, Client!' \(15 bytes\)"),
        ("first += data", "first += b'h' + data[1:]", r"'hallo, Client!' \(14 bytes\)"),
    ],
)
def test_an_agent_that_does_not_read_all(new_lab, spec, tmp_path, monkeypatch, old, new, seen):
    """A session in which the board did not get the whole answer does not count, in a user's suite as in a case, of any size."""
    board = changed_board(new_lab(), spec, tmp_path, monkeypatch, old=old, new=new)
    made = board.connect(make_server("server-p256"))
    with pytest.raises(
        AssertionError, match=rf"- client\.received: expected 'Hallo, Client!' \(14 bytes\), got {seen}"
    ):
        Expect().connected(made)
    for name in ("suite/ecdhe-ecdsa-aes128-gcm-sha256", "records/recv-16384"):
        verdict = board.runner().run(find_case(name)).verdict
        assert verdict.word is VerdictWord.FAIL
        assert [item.field for item in verdict.mismatches] == ["client.received"]


def test_an_agent_that_sends_something_else(new_lab, spec, tmp_path, monkeypatch):
    """The right number of bytes with wrong contents is a mismatch."""
    board = changed_board(new_lab(), spec, tmp_path, monkeypatch, old='b"x"', new='b"y"')
    made = board.connect(make_server("server-p256"), text="Moin", send_bytes=100)
    with pytest.raises(
        AssertionError, match=r"- server\.received: expected 'Moinx{76}\.\.\.' \(100 bytes\), got 'Moiny{76}\.\."
    ):
        Expect().connected(made)
    assert board.runner().run(find_case("records/send-4097")).verdict.word is VerdictWord.FAIL


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"clock": 1924992000},
            "board.connect(clock=...): unix: the clock of this board cannot be set (no machine.RTC); "
            "@pytest.mark.needs('settable-clock') skips the test",
        ),
        (
            {"heap": 40000},
            "board.connect(heap=...): unix: TLS on this board takes its memory from elsewhere (malloc, or ESP-IDF's heap on an ESP32), "
            "not from MicroPython's heap; @pytest.mark.needs('heap-limit') skips the test",
        ),
        ({"heap": 4000}, "board.connect(heap=4000): expected at least 8192 bytes, which the agent needs"),
        (
            {"heaps": 40000},
            "board.connect(): unknown setting 'heaps'; did you mean 'heap'?; expected one of key, verify, server_hostname, ca, ",
        ),
    ],
)
def test_conditions_that_the_board_cannot_have(board, given, message):
    """One line says what this board lacks and how a test is skipped there, or what is accepted; the board was not connected."""
    with pytest.raises(UsageError, match=f"^{re.escape(message)}"):
        board.connect(make_server("server-p256"), **given)
    assert board.connections.made == []


def test_a_limited_heap(board, monkeypatch):
    """A board whose TLS uses the heap, as the virtual board is taken to be here, connects with that much free at most, once."""
    session = board.runner().board
    monkeypatch.setattr(session, "info", replace(session.info, platform="rp2"))
    server = make_server("server-p256", maximum_version="TLSv1.2")
    usual = board.connect(server)
    limited = board.connect(server, heap=100000)
    again = board.connect(server)
    Expect().connected(limited)
    assert limited.free_before <= 100000 < usual.free_before
    assert again.free_before > usual.free_before / 2


# An RTC that takes any time, in the place of the unix port's module `machine`; the agent's clock shows what it was given.
RTC = """
import sys
th_real = th_time
class th_Machine:
 given = None
 class RTC:
  def datetime(self, when): th_Machine.given = (when[:3] + when[4:7])
class th_Time:
 def __getattr__(self, name): return getattr(th_real, name)
 def gmtime(self, when): return th_Machine.given or th_real.gmtime(when)
sys.modules['machine'] = th_Machine
th_time = th_Time()
"""


def test_the_clock_of_one_connection(new_lab, spec):
    """The connection is made at the given time, which explains a refusal; a clock that does not keep it gives no result."""
    board = Board(new_lab(), spec, "in-process")
    board.runner().board.link.exec(RTC.encode(), deadline=Deadline(60))
    server = make_server("server-p256")
    Expect().connected(board.connect(server, clock=datetime(2031, 1, 1, tzinfo=UTC)))
    seen = board.connect(server, clock=1924992000, verify="required", ca="ca-other")
    assert seen.client.flags == ("not_trusted",)
    made = board.connections.of(seen)
    expired = replace(seen, client=replace(seen.client, flags=("expired",)))
    made.handshake = replace(made.handshake, observation=expired)  # a virtual board checks dates by its host's clock
    assert made.explanation().rule == "clock/board-clock-wrong"
    assert "the board's clock: 2031-01-01 00:00:00 UTC" in made.explanation().why
    board.runner().board.link.exec(b"th_Machine.RTC.datetime = lambda self, when: None", deadline=Deadline(60))
    with pytest.raises(BoardError, match=r"^unix: the board's clock was [+-]\d+ s from the requested time") as moved:
        board.connect(server, clock=1893456000)
    assert moved.value.kind == "plan"


def test_a_ragged_end_is_reported_if_it_is_not_suppressed(board):
    """The session is complete; whether the server's observation has the end is what the server was asked for."""
    quiet = board.connect(make_server("server-p256", suppress_ragged_eofs=True))
    assert (quiet.outcome, quiet.server) == ("connected", None)
    seen = board.connect(make_server("server-p256", suppress_ragged_eofs=False))
    hidden = end_of_stream()[0] == "SSLZeroReturnError"  # this Python reads the end of the data instead
    assert (seen.outcome, seen.client, seen.alerts) == ("connected", None, ())
    assert (seen.server and (seen.server.type, seen.server.reason)) == (None if hidden else end_of_stream())
    if not hidden:
        with pytest.raises(AssertionError, match="- server: expected no error, got SSLEOFError "):
            Expect().connected(seen)


@pytest.mark.parametrize(
    "plan",
    [
        {"text": "M\u00fcn\nchen \x1b[31m"},
        {"text": ""},
        {"text": "a" * 300},
        {"send_bytes": 5000},
        {"receive_bytes": 3},
        {"receive_bytes": 0},
        {"receive_bytes": 20000},
        {"read_to_end": True, "timeout_s": 1.0},
        {"close_first": True},
    ],
)
def test_complete_texts_are_a_session(board, plan):
    """For all texts and sizes, a board that follows the plan gives no mismatch."""
    behaviour = {"behaviour": {"name": "close.notify-first"}} if "read_to_end" in plan else {}
    Expect().connected(board.connect(make_server("server-p256", maximum_version="TLSv1.2", **behaviour), **plan))
