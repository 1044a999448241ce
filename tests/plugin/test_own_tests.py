"""Tests of a user's own suite are rows of the record and of the page, with evidence and explanation; one run, many assertions."""

import json

import pytest

SUITE = """
import pytest


def test_our_broker(board, tls_server, expect):
    \"\"\"The settings of our broker.\"\"\"
    seen = board.connect(tls_server("server-p256", maximum_version="TLSv1.2"), verify="required", ca="ca-p256")
    expect.connected(seen, version="TLSv1.2")


@pytest.mark.parametrize("ca", ["ca-p256", "ca-other"])
def test_of_the_ca(board, tls_server, expect, ca):
    expect.connected(board.connect(tls_server("server-p256"), verify="required", ca=ca))


def test_two_connections(board, tls_server):
    board.connect(tls_server("server-p256"))
    board.connect(tls_server("server-rsa2048"))
    assert board == "no board"


@pytest.mark.needs("client-certificate")
def test_of_what_is_there(board):
    assert board.info.can_load_certificate


@pytest.mark.needs("der-only", "tls1.3")
@pytest.mark.parametrize("number", [1, 2])
def test_of_what_is_missing(board, number):
    raise AssertionError


@pytest.mark.needs("tls13")
def test_of_an_unknown_need(board):
    raise AssertionError


@pytest.mark.needs("psk")
def test_of_no_board():
    raise AssertionError


"""


BOARDS = """

@pytest.mark.parametrize("board", ["unix", "faulty:uart"], indirect=True)
def test_of_boards(board):
    assert board.info.firmware and board.label in ("unix", "faulty:uart")
"""


@pytest.fixture(scope="module")
def ran(shared_suite):
    """Return the run of the suite."""
    shared_suite.write("test_mine.py", SUITE)
    return shared_suite.run("-rs", "--compat-report", "matrix.md", environment={"COLUMNS": "200"})


def test_counts(ran):
    """Only what fails fails, and the exit code is that of failing tests."""
    assert (ran.status, ran.summary()) == (1, "4 failed, 3 passed, 2 skipped"), ran.text


def test_rows(ran):
    """Each connection is a result, named after its test, with the verdict of `expect` or else of the test."""
    rows = {row["case"]: row for row in ran.record()["results"]}
    assert {case: (row["verdict"], row["reason"]) for case, row in rows.items()} == {
        "own/mine-our-broker": ("pass", None),
        "own/mine-of-the-ca-ca-p256": ("pass", None),
        "own/mine-of-the-ca-ca-other": ("fail", "not as expected: outcome, server, client, alert"),
        "own/mine-two-connections": ("fail", rows["own/mine-two-connections"]["reason"]),
        "own/mine-two-connections-2": ("fail", rows["own/mine-two-connections-2"]["reason"]),
    }
    assert rows["own/mine-two-connections"]["reason"].startswith("the test failed: ")
    failed = rows["own/mine-of-the-ca-ca-other"]
    assert failed["explanation"]["rule"] == "identity/unknown-issuer"
    assert failed["expected"]["outcome"] == "connected"
    assert failed["rerun"] == "pytest 'test_mine.py::test_of_the_ca[unix-ca-other]' --artifacts .compat/again"
    assert failed["packets"]
    assert rows["own/mine-our-broker"]["observed"]["negotiated"]["version"] == "TLSv1.2"


def test_cases(ran):
    """The record describes each test by its name and its docstring."""
    cases = {case["case"]: case for case in ran.record()["cases"]}
    broker = cases["own/mine-our-broker"]
    assert (broker["title"], broker["description"]) == ("test_mine.py::test_our_broker", "The settings of our broker.")
    assert cases["own/mine-of-the-ca-ca-other"]["title"] == "test_mine.py::test_of_the_ca[ca-other]"
    assert cases["own/mine-two-connections-2"]["title"] == "test_mine.py::test_two_connections, connection 2"


def test_evidence(ran):
    """A failing connection has its capture and transcript; one that passes leaves no files."""
    rows = {row["case"]: row["artifacts"] for row in ran.record()["results"]}
    for kind in ("pcapng", "transcript"):
        assert (ran.folder / ".compat" / rows["own/mine-of-the-ca-ca-other"][kind]).is_file()
        assert rows["own/mine-our-broker"][kind] is None


def test_reports(ran):
    """The page and the other reports have the rows, and so has the journal."""
    assert "own/mine-of-the-ca-ca-other" in (ran.folder / ".compat" / "matrix.html").read_text(encoding="utf-8")
    assert "mine-of-the-ca-ca-other" in (ran.folder / "matrix.md").read_text(encoding="utf-8")
    assert "own/mine-our-broker" in json.dumps(ran.journal())


def test_header(ran):
    """Board, firmware, TLS library, Python and OpenSSL are printed before the first result."""
    assert "(Mbed TLS " in ran.line("board unix: micropython ")
    assert ", OpenSSL " in ran.line("server in-process: Python ")
    assert any(line.startswith("test_mine.py .") for line in ran.lines)


def test_why(ran):
    """The failure of `expect` says why, and what to change; the board is one word."""
    text = [line.removeprefix("E").strip() for line in ran.lines]
    assert any(line.startswith("why  ") and line.endswith("   [identity/unknown-issuer]") for line in text)
    assert "fix         load the CA that issued the server's certificate, as DER" in text
    assert any("<Board unix>" in line for line in text)


def test_needs(ran):
    """A need that is not met skips with its reason, equal ones in one line; a wrong use of the marker is an error with its place."""
    assert ran.line("SKIPPED [2] ").endswith(": unsupported: this firmware does not offer TLS 1.3") or ran.line(
        "SKIPPED [2] "
    ).endswith("so it has nothing to refuse")
    lines = [line for line in ran.lines if "@pytest.mark.needs" in line and line.startswith("test_mine.py:")]
    assert any(line.endswith("@pytest.mark.needs is for tests that use the fixture `board`") for line in lines)
    assert any(
        "('tls13'): no need has this name; did you mean 'tls1.3'?; expected one of client-certificate, " in line
        for line in lines
    )


@pytest.mark.slow
def test_workers(suite):
    """The same with workers, and with boards that a test names itself; `--markers` lists the needs."""
    suite.write("test_mine.py", SUITE + BOARDS)
    ran = suite.run("-n", "2", "-k", "broker or two or boards", "-q")
    assert ran.lines[-1].startswith("1 failed, 3 passed in ")
    assert ran.status == 1
    assert {row["case"]: row["verdict"] for row in ran.record()["results"]} == {
        "own/mine-our-broker": "pass",
        "own/mine-two-connections": "fail",
        "own/mine-two-connections-2": "fail",
    }
    marker = suite.run("--markers").line("@pytest.mark.needs(word, ...): ")
    assert "client-certificate, der-only, " in marker
