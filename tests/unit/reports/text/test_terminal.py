"""Lines for the terminal."""

import json
from pathlib import Path

import pytest

from harness.reports.record.result_types import Result
from harness.reports.record.run_types import BoardEntry, CellEntry, RunRecord, ServerEntry
from harness.reports.text.markdown import render_markdown
from harness.reports.text.terminal import (
    board_lines,
    case_line,
    closing_line,
    fault_lines,
    missing_lines,
    server_line,
    stranger_lines,
    summary_table,
    untried_lines,
    unusable_text,
)

# A record of which these tests replace what they need.
RECORD = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))
FACTS = {
    **RECORD["boards"][0]["facts"],
    "implementation": "micropython", "firmware": "1.20.0", "machine": "ESP32", "tls_module": "ussl", "tls_version": None,
    "tls_library": "mbedTLS", "fingerprint": "B",
}  # fmt: skip


def board(name, facts, *, error=None, notes=()):
    """A board."""
    return BoardEntry.of_json({**RECORD["boards"][0], "board": name, "facts": facts, "error": error, "notes": notes})


def result(verdict="pass", board="unix", server="in-process", case="seed/x", reason=None, took=9.8, **more):
    """A result that was not observed."""
    return Result.of_json(
        {
            **RECORD["results"][0],
            "board": board,
            "server": server,
            "case": case,
            "verdict": verdict,
            "reason": reason,
            "observed": None,
            "timing_ms": {"handshake_board": None, "handshake_server": None, "case": took},
            **more,
        }
    )


def run(results):
    """A run record."""
    data = {**RECORD, "boards": [], "servers": [], "cases": [], "missing": []}
    return RunRecord.of_json({**data, "results": [item.as_json() for item in results]})


def test_board():
    """Firmware, machine, TLS, ClientHello family and notes."""
    assert board_lines(board("lab-1", FACTS, notes=["the clock was at 2000-1-1"])) == [
        "board lab-1: micropython 1.20.0 on ESP32, ussl (mbedTLS), ClientHello family B",
        "  note: the clock was at 2000-1-1",
    ]


def test_board_without():
    """A board without a TLS module, and one that could not be opened."""
    bare = {**FACTS, "tls_module": None, "fingerprint": None}
    assert board_lines(board("b", bare)) == ["board b: micropython 1.20.0 on ESP32, no TLS"]
    assert board_lines(board("b", None, error="gone")) == ["board b: gone"]


def test_hostile_board():
    """Control characters in a board's own names are escaped, and the line stays one."""
    (line,) = board_lines(board("b", {**FACTS, "machine": "\x1b[2J\nESP\r"}))
    assert line == "board b: micropython 1.20.0 on \\x1b[2J ESP , ussl (mbedTLS), ClientHello family B"


def test_server():
    """Python, OpenSSL, and the build flag that decides the first case of the seed story."""
    described = {**RECORD["servers"][0], "server": "in-process", "python": "3.11.2", "openssl": "OpenSSL 3.0.15"}
    plain = ServerEntry.of_json({**described, "default_suites_flag": None})
    assert server_line(plain) == "server in-process: Python 3.11.2, OpenSSL 3.0.15"
    built = ServerEntry.of_json({**described, "default_suites_flag": "openssl"})
    assert server_line(built).endswith(", built with --with-ssl-default-suites=openssl")
    found = {"versions": ["TLSv1.2"], "groups": [["x25519"]], "signature_algorithms": []}
    limited = ServerEntry.of_json({**described, "found": found, "hidden": ["groups"]})
    assert server_line(limited).endswith("OpenSSL 3.0.15, determined by test handshakes: groups x25519")


@pytest.mark.parametrize(
    ("boards", "servers", "line"),
    [
        (False, False, "pass        seed/x                           connected  10 ms"),
        (True, False, "pass        unix seed/x                           connected  10 ms"),
        (True, True, "pass        unix in-process seed/x                           connected  10 ms"),
    ],
)
def test_case(boards, servers, line):
    """Board and server are shown only if there are several."""
    assert case_line(result(), "connected", boards=boards, servers=servers) == line


def test_case_of_a_soak():
    """The number of the run is shown if there are several."""
    assert case_line(result(repeat=2), "connected", boards=True, servers=False, repeats=5).startswith(
        "pass        unix 2of5 seed/x "
    )


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ((1, 0), "1 connection from an unexpected peer was dropped, in 1 case: only the board may connect (--peer)"),
        ((2, 3), "5 connections from unexpected peers were dropped, in 2 cases: only the board may connect (--peer)"),
    ],
)
def test_unexpected_peers(counts, line):
    """They are counted over the run, in the terminal and in Markdown; nothing is printed if there were none."""
    met = [result(strangers=count) for count in counts]
    assert stranger_lines(met) == [line]
    assert f"* {line}" in render_markdown(run(met)).splitlines()
    assert stranger_lines([result(strangers=0)]) == []


def test_addresses_of_unexpected_peers():
    """Each address is shown once, and only the first ones."""
    met = [result(strangers=2, stranger_addresses=[f"192.0.2.{number}", "192.0.2.1"]) for number in (1, 2)]
    assert "in 2 cases (192.0.2.1, 192.0.2.2): only" in stranger_lines(met)[0]
    many = [result(strangers=1, stranger_addresses=[f"192.0.2.{number}"]) for number in range(10, 20)]
    assert "192.0.2.17, ...): only" in stranger_lines(many)[0]


def test_faults_of_boards():
    """Which recovery steps helped, how often, and whether the board was quarantined; nothing about a board without faults."""

    def met(*steps, board="unix", case="seed/x"):
        recovery = [
            {"step": name, "result": word, "reason": None, "deadline_s": None, "took_s": 1.0} for name, word in steps
        ]
        return result(board=board, case=case, outcome="not-run", recovery=recovery)

    results = [
        met(("ctrl-c", "helped")),
        met(("ctrl-c", "failed"), ("reset", "helped")),
        met(("ctrl-c", "helped")),
        met(),
        met(("reset", "failed"), ("set-aside", "set-aside"), board="lab", case="key/y"),
        met(board="good"),
    ]
    lines = [
        "board unix had faults: ctrl-c helped 2x, reset helped 1x",
        "board lab had faults: quarantined in key/y",
    ]
    assert fault_lines(results) == lines
    text = render_markdown(run(results))
    assert [f"* {line}" for line in lines] == [line for line in text.splitlines() if "faults" in line]


def test_case_without_time():
    """A case that was not tried has no time."""
    assert case_line(result("error", took=None), "gone\x07", boards=False, servers=False).endswith("gone\\x07")


def test_table():
    """Counts per board, server and topic; only verdicts that occur; a total if there is more than one row."""
    rows = summary_table(
        [result(), result("fail"), result(case="key/y"), result("unsupported", board="lab", case="key/y")]
    )
    assert rows == [
        "board  server      topic  pass  fail  unsupported",
        "unix   in-process  seed   1     1     -",
        "unix   in-process  key    1     -     -",
        "lab    in-process  key    -     -     1",
        "all                       2     1     1",
    ]


def test_closing_line():
    """The most frequent reason, and that there are others."""
    assert closing_line([result("error", reason="gone")]) == "nothing was tested: no board could try any case (gone)"
    mixed = [result("error", reason=reason) for reason in ("gone", "gone", "busy", "lost")]
    assert closing_line(mixed) == "nothing was tested: no board could try any case (gone; 2 other reasons above)"


def test_untried():
    """A board or server without any tried case is named with the most frequent reason."""
    results = [
        result(),
        result("error", board="lab-1", reason="lab-1: gone"),
        result("error", board="lab-1", reason="lab-1: busy"),
        result("error", board="lab-1", reason="lab-1: busy"),
        result("unsupported", server="py38", reason="needs TLS 1.3"),
    ]
    assert untried_lines(results) == [
        "no case could be tried on board lab-1: lab-1: busy; 1 other reason above",
        "no case could be tried against server py38: needs TLS 1.3",
    ]
    assert untried_lines([result(), result("error", reason="gone")]) == []
    assert untried_lines([]) == []
    assert untried_lines(results[1:2]) == ["nothing was tested: no board could try any case (lab-1: gone)"]


SEEN = next(item["observed"] for item in RECORD["results"] if item["observed"])


def with_evidence(verdict, *reached, reason=None):
    """A result whose evidence shows these points."""
    return result(verdict, reason=reason, observed={**SEEN, "reached": list(reached)})


def test_untried_where_board_and_server_never_met():
    """A server that refuses its own settings, and cases that were stopped before their subject: nothing was tested."""
    config = with_evidence("pass", "config")
    stopped = with_evidence(
        "unsupported", "config", "hello", "negotiation", reason="never got as far as the certificate: X"
    )
    never = "nothing was tested: no board could try any case (never got as far as the certificate: X)"
    assert untried_lines([config, stopped]) == [never]
    assert untried_lines([config]) == []
    assert untried_lines([config, result("unsupported", reason="needs TLS 1.3")]) == []
    assert untried_lines([config, stopped, with_evidence("pass", "config", "hello")]) == []
    assert untried_lines([stopped, result()]) == []


def test_unusable():
    """This text replaces a reason that was printed before."""
    assert unusable_text("lab-1") == "board lab-1 is not usable, see above"


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (None, "[1/9] pass        seed/a-case                      connected TLSv1.2 and more  10 ms"),
        (90, "[1/9] pass        seed/a-case                      connected TLSv1.2 and more  10 ms"),
        (76, "[1/9] pass        seed/a-case                      connected TLSv1...  10 ms"),
        (60, "[1/9] pass        seed/a-case connected TLSv1.2 an...  10 ms"),
        (40, "[1/9] pass        seed/a-case  10 ms"),
        (30, "[1/9] pass        seed/a-case"),
        (20, "[1/9] pass seed/a-case"),
    ],
)
def test_case_line_fits(width, line):
    """Padding, evidence and time are shortened, in this order; verdict and id stay even if they do not fit."""
    shown = case_line(
        result(case="seed/a-case"),
        "connected TLSv1.2 and more",
        boards=False,
        servers=False,
        count="[1/9] ",
        width=width,
    )
    assert shown == line


def test_missing():
    """Of the cells without a result the first is named and the rest counted; nothing if there are none."""
    cells = [CellEntry(board="unix", server="in-process", case=f"a/{number}") for number in range(3)]
    assert missing_lines([]) == []
    assert missing_lines(cells[:1]) == ["not run: unix in-process a/0"]
    assert missing_lines(cells) == ["not run: unix in-process a/0 and 2 more"]
