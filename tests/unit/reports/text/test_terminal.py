"""Lines for the terminal."""

import pytest

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

FACTS = {
    "implementation": "micropython", "firmware": "1.20.0", "machine": "ESP32", "tls_module": "ussl", "tls_version": None,
    "tls_library": "mbedTLS", "fingerprint": "B",
}  # fmt: skip


def result(verdict="pass", board="unix", server="in-process", case="seed/x", reason=None, took=9.8):
    """As in run.json, what lines are made of."""
    return {
        "board": board,
        "server": server,
        "case": case,
        "verdict": verdict,
        "reason": reason,
        "timing_ms": {"case": took},
    }


def test_board():
    """What it is, its TLS, its family, and what was noticed."""
    assert board_lines({"board": "lab-1", "facts": FACTS, "notes": ["the clock stood at 2000-1-1"]}) == [
        "board lab-1: micropython 1.20.0 on ESP32, ussl (mbedTLS), ClientHello family B",
        "  note: the clock stood at 2000-1-1",
    ]


def test_board_without():
    """No TLS module, no board at all."""
    bare = {**FACTS, "tls_module": None, "fingerprint": None}
    assert board_lines({"board": "b", "facts": bare, "notes": []}) == ["board b: micropython 1.20.0 on ESP32, no TLS"]
    assert board_lines({"board": "b", "facts": None, "error": "gone", "notes": []}) == ["board b: gone"]


def test_hostile_board():
    """Names a board gives itself are shown, not obeyed, on one line."""
    (line,) = board_lines({"board": "b", "facts": {**FACTS, "machine": "\x1b[2J\nESP\r"}, "notes": []})
    assert line == "board b: micropython 1.20.0 on \\x1b[2J ESP , ussl (mbedTLS), ClientHello family B"


def test_server():
    """Python, OpenSSL, and the build flag that decides the first case of the seed story."""
    described = {"server": "in-process", "python": "3.11.2", "openssl": "OpenSSL 3.0.15"}
    assert server_line(described) == "server in-process: Python 3.11.2, OpenSSL 3.0.15"
    assert server_line({**described, "default_suites_flag": "openssl"}).endswith(
        ", built with --with-ssl-default-suites=openssl"
    )


@pytest.mark.parametrize(
    ("boards", "servers", "line"),
    [
        (False, False, "pass        seed/x                           connected  10 ms"),
        (True, False, "pass        unix seed/x                           connected  10 ms"),
        (True, True, "pass        unix in-process seed/x                           connected  10 ms"),
    ],
)
def test_case(boards, servers, line):
    """Board and server only where there are several."""
    assert case_line(result(), "connected", boards=boards, servers=servers) == line


def test_case_of_a_soak():
    """Which run it is, where there are several."""
    run = {**result(), "repeat": 2}
    assert case_line(run, "connected", boards=True, servers=False, repeats=5).startswith(
        "pass        unix 2of5 seed/x "
    )


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ((1, 0), "1 connection from a stranger was dropped, in 1 case: only the board is answered (--peer)"),
        ((2, 3), "5 connections from strangers were dropped, in 2 cases: only the board is answered (--peer)"),
    ],
)
def test_strangers(counts, line):
    """Counted over the run, in the terminal and in Markdown; silent where there were none."""
    met = [{**result(), "strangers": count} for count in counts]
    assert stranger_lines(met) == [line]
    run = {"boards": [], "servers": [], "cases": [], "results": [{**entry, "outcome": "connected"} for entry in met]}
    assert f"* {line}" in render_markdown(run).splitlines()
    assert stranger_lines([{**result(), "strangers": 0}]) == []


def test_strangers_by_address():
    """Each address once, and no more of them than fit a line."""
    met = [{**result(), "strangers": 2, "stranger_addresses": [f"192.0.2.{number}", "192.0.2.1"]} for number in (1, 2)]
    assert "in 2 cases (192.0.2.1, 192.0.2.2): only" in stranger_lines(met)[0]
    many = [{**result(), "strangers": 1, "stranger_addresses": [f"192.0.2.{number}"]} for number in range(10, 20)]
    assert "192.0.2.17, ...): only" in stranger_lines(many)[0]


def test_faults_of_boards():
    """What brought a board back, how often, and that it was given up; in the terminal and in Markdown. Silent of a good one."""

    def met(*steps, board="unix", case="seed/x"):
        recovery = [{"step": name, "result": result} for name, result in steps]
        return {**result(board=board, case=case), "outcome": "not-run", "recovery": recovery}

    results = [
        met(("ctrl-c", "helped")),
        met(("ctrl-c", "failed"), ("reset", "helped")),
        met(("ctrl-c", "helped")),
        met(),
        met(("reset", "failed"), ("set-aside", "set-aside"), board="lab", case="key/y"),
        met(board="good"),
    ]
    lines = [
        "board unix met faults: ctrl-c helped 2x, reset helped 1x",
        "board lab met faults: quarantined in key/y",
    ]
    assert fault_lines(results) == lines
    run = {"boards": [], "servers": [], "cases": [], "results": results}
    assert [f"* {line}" for line in lines] == [line for line in render_markdown(run).splitlines() if "faults" in line]


def test_case_without_time():
    """What was not tried took no time."""
    assert case_line(result("error", took=None), "gone\x07", boards=False, servers=False).endswith("gone\\x07")


def test_table():
    """Counts per board, server and topic; only words that occur; a total where there is more than one row."""
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
    """A board and a server that tried nothing are named with the most frequent reason; nothing is said while everything tried some."""
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


def test_unusable():
    """What stands for a reason that was told already."""
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
    """Padding, evidence and time give way, in this order; verdict and id stay even where they do not fit."""
    told = case_line(
        result(case="seed/a-case"),
        "connected TLSv1.2 and more",
        boards=False,
        servers=False,
        count="[1/9] ",
        width=width,
    )
    assert told == line


def test_missing():
    """What an interrupted run did not get to: the first is named, the rest counted; silent where there is nothing."""
    cells = [{"board": "unix", "server": "in-process", "case": f"a/{number}"} for number in range(3)]
    assert missing_lines([]) == []
    assert missing_lines(cells[:1]) == ["not run: unix in-process a/0"]
    assert missing_lines(cells) == ["not run: unix in-process a/0 and 2 more"]
