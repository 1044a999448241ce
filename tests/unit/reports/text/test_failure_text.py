"""The block of text that shows one result."""

import dataclasses

import pytest

from harness.expectations.builders import connected, refused
from harness.model import (
    Alert,
    CaseResult,
    ClientFailure,
    Explanation,
    Fix,
    Mismatch,
    Negotiated,
    Observation,
    Outcome,
    Packet,
    ServerFailure,
    Side,
    Stage,
    Verdict,
    VerdictWord,
)
from harness.reports.record.cells import evidence
from harness.reports.record.run_record import result_entry
from harness.reports.text.failure_text import (
    FIRST_LINE_LIMIT,
    alert_text,
    client_text,
    expected_text,
    failure_block,
    headline,
    server_text,
)


def short_evidence(result):
    """Return the evidence of a result, as the line of its case shows it."""
    return evidence(result_entry(result))


SEEN = Observation(
    outcome=Outcome.REFUSED,
    stage=Stage.HANDSHAKE,
    ended_by=Side.SERVER,
    server=ServerFailure(type="SSLError", reason="NO_SHARED_CIPHER", errno=1),
    client=ClientFailure(
        type="OSError", args=(-30592,), number=-30592, flags=None, name="FATAL", stage=Stage.HANDSHAKE
    ),
    alerts=(Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure"),),
)
RESULT = CaseResult(
    board="unix",
    server="in-process",
    case="seed/x",
    attempt=1,
    verdict=Verdict(
        word=VerdictWord.FAIL,
        reason="outcome: expected connected, got refused",
        mismatches=(Mismatch(field="outcome", expected="connected", observed="refused"),),
    ),
    expected=connected(version="TLSv1.2", note="because"),
    observation=SEEN,
    artifacts={"pcapng": "x.pcapng", "transcript": None},
    packets=(Packet(number=1, at_ms=0.4, sender=Side.CLIENT, length=136, info="Client Hello (no SNI)"),),
)


def test_block():
    """Verdict, expectation with its note, observation, differences, both sides, evidence, command."""
    assert failure_block(RESULT, rerun="pytest x").splitlines() == [
        "fail: outcome: expected connected, got refused",
        "  expected    connected with TLSv1.2",
        "              because",
        "  observed    refused by the server at handshake",
        "- outcome: expected connected, got refused",
        "  server      SSLError NO_SHARED_CIPHER, at handshake",
        "  client      OSError -30592 FATAL, at handshake",
        "  alert       handshake_failure(40) fatal from the server",
        "  negotiated  nothing",
        "  packets     number, ms after accept, sender, bytes, message",
        "      1      0.400  board -> server    136  Client Hello (no SNI)",
        "  pcapng      x.pcapng",
        "Reproduce with:",
        "    pytest x",
    ]


def test_block_with_an_explanation():
    """The cause and what would help; proved and discouraged fixes are marked."""
    explanation = Explanation(
        rule="ciphers/key-type",
        title="The key is RSA",
        why=("offered: 8 suites",),
        fixes=(
            Fix(title="an EC key", proved=True, server_lines=("s1", "s2"), client_lines=("b1",)),
            Fix(title="TLS_RSA", proved=False, discouraged=True, because="no forward secrecy"),
            Fix(title="update"),
        ),
    )
    lines = failure_block(dataclasses.replace(RESULT, explanation=explanation), rerun="x").splitlines()
    start = lines.index("  why         The key is RSA   [ciphers/key-type]")
    assert lines[start + 1 : start + 9] == [
        "  in short    The server's key is RSA, and the board can only use servers with an EC key.",
        "              offered: 8 suites",
        "  fix         an EC key (proved)",
        "                server  s1",
        "                server  s2",
        "                board   b1",
        "  fix         TLS_RSA (tried, does not help) - discouraged: no forward secrecy",
        "  fix         update",
    ]


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        (None, "error"),
        ("gone", "error: gone"),
        ("two\nlines", "error: two lines"),
        ("x" * 53, "error: " + "x" * 53),
        ("x" * 54, "error: " + "x" * 50 + "..."),
        ("\x1b[2J", "error: \\x1b[2J"),
    ],
)
def test_headline(reason, line):
    """One line of at most 60 characters that begins with the verdict; if it was cut, the whole reason follows."""
    result = dataclasses.replace(
        RESULT, verdict=Verdict(word=VerdictWord.ERROR, reason=reason), observation=None, expected=None
    )
    assert headline(result) == line
    assert len(line) <= FIRST_LINE_LIMIT
    block = failure_block(result, rerun="x").splitlines()
    assert block[0] == line
    assert (f"  {reason}" in block) == line.endswith("...")


@pytest.mark.parametrize(("rule", "shown"), [("fault/no-network", True), ("fault/network", False)])
def test_lines_to_copy(rule, shown):
    """What is to be written to boards.toml keeps its lines; any other reason is one line, whatever a board put into it."""
    reason = 'u0: the board is not on a network: it has no IP address\n  [board.my-board]\n  spec = "u0"\x1b'
    result = dataclasses.replace(
        RESULT,
        verdict=Verdict(word=VerdictWord.ERROR, reason=reason),
        explanation=Explanation(rule=rule, title="not connected"),
    )
    assert short_evidence(result) == "u0: the board is not on a network: it has no IP address"
    lines = failure_block(result, rerun="pytest").splitlines()
    assert len(lines[0]) <= FIRST_LINE_LIMIT
    copied = [
        "  u0: the board is not on a network: it has no IP address",
        "    [board.my-board]",
        '    spec = "u0"\\x1b',
    ]
    assert (lines[1:4] == copied) is shown
    assert (
        lines[1]
        == " ".join(['  u0: the board is not on a network: it has no IP address [board.my-board] spec = "u0"\\x1b'])
    ) is not shown


def test_every_attempt_is_shown():
    """Each retried fault of the line is listed with its reason."""
    lines = failure_block(dataclasses.replace(RESULT, link_errors=("first", "second")), rerun="x").splitlines()
    assert lines[-4:-2] == ["  attempt 1   first", "  attempt 2   second"] or {
        "  attempt 1   first",
        "  attempt 2   second",
    } <= set(lines)


def test_hostile_texts():
    """Control characters in a board's exception are escaped everywhere in the block."""
    evil = ClientFailure(
        type="OS\x1b]0;x\x07", args=("\x1b[31m<script>",), number=None, flags=None, name=None, stage=Stage.READ
    )
    result = dataclasses.replace(RESULT, observation=dataclasses.replace(SEEN, client=evil))
    assert not [
        char
        for text in (failure_block(result, rerun="x"), short_evidence(result))
        for char in text
        if ord(char) < 32 and char != "\n"
    ]


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (None, "no error"),
        (
            ServerFailure(type="SSLError", reason=None, errno=524297, stage=Stage.CONFIG),
            "SSLError errno 524297, at config",
        ),
        (
            ServerFailure(
                type="SSLCertVerificationError",
                reason="CERTIFICATE_VERIFY_FAILED",
                verify_code=10,
                verify_message="expired",
            ),
            "SSLCertVerificationError CERTIFICATE_VERIFY_FAILED verify code 10 (expired), at handshake",
        ),
    ],
)
def test_server_text(failure, text):
    """Type, reason or number, verification, stage."""
    assert server_text(failure) == text


@pytest.mark.parametrize(
    ("type_", "args", "number", "flags", "text"),
    [
        ("OSError", (-1,), -1, None, "OSError -1, at read"),
        ("ValueError", ("text",), None, ("expired", "not_trusted"), "ValueError expired+not_trusted, at read"),
        ("MemoryError", ("no",), None, None, "MemoryError 'no', at read"),
    ],
)
def test_client_text(type_, args, number, flags, text):
    """Number or flags if there are any, or else the raw arguments."""
    assert (
        client_text(ClientFailure(type=type_, args=args, number=number, flags=flags, name=None, stage=Stage.READ))
        == text
    )
    assert client_text(None) == "no error"


def test_alert_text():
    """In the order of the wire; an encrypted alert is marked."""
    alerts = (*SEEN.alerts, Alert(sender=Side.CLIENT, level="warning", code=0, name="close_notify", encrypted=True))
    assert (
        alert_text(alerts)
        == "handshake_failure(40) fatal from the server, close_notify(0) warning from the client (encrypted)"
    )
    assert alert_text(()) == "none"


def test_expected_text():
    """Every side of a refusal, also the one that must see no error."""
    wanted = refused(by="server", stage="config", server="EE_KEY_TOO_SMALL")
    assert expected_text(wanted) == "refused by the server at config; server SSLError EE_KEY_TOO_SMALL; client no error"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {},
            "refused by the server at handshake: server NO_SHARED_CIPHER | client -30592 | handshake_failure(40) from the server",
        ),
        (
            {"client": None, "alerts": ()},
            "refused by the server at handshake: server NO_SHARED_CIPHER | client - | no alert",
        ),
        (
            {"outcome": Outcome.HUNG, "server": None},
            "hung: server - | client -30592 | handshake_failure(40) from the server",
        ),
        (
            {"outcome": Outcome.CONNECTED, "negotiated": Negotiated(version="TLSv1.3", suite="S", group="G")},
            "connected TLSv1.3 S G",
        ),
    ],
)
def test_evidence(changes, text):
    """What stands behind the verdict in a line per case."""
    assert short_evidence(dataclasses.replace(RESULT, observation=dataclasses.replace(SEEN, **changes))) == text


def test_evidence_of_a_weak_session():
    """A session that is weak is marked, with what is weak."""
    seen = dataclasses.replace(SEEN, outcome=Outcome.CONNECTED, weak=("no forward secrecy", "TLS 1.1"))
    assert short_evidence(dataclasses.replace(RESULT, observation=seen)).endswith("[weak: no forward secrecy; TLS 1.1]")
