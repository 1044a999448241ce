"""The properties of a result in pytest's JUnit XML: always the same names, safe values."""

from __future__ import annotations

from dataclasses import replace

from harness.model import (
    Alert,
    CaseResult,
    Explanation,
    Negotiated,
    Observation,
    Outcome,
    Side,
    Verdict,
    VerdictWord,
)
from harness.reports.text.junit import LIMIT, junit_properties


def result(*alerts: Alert, title: str = "the key is RSA", reason: str = "x") -> CaseResult:
    """A refusal with these alerts."""
    seen = Observation(
        outcome=Outcome.REFUSED, stage=None, ended_by=None, server=None, client=None, alerts=alerts,
        negotiated=Negotiated(version=None, suite=None, group=None), client_hello=None,
    )  # fmt: skip
    return CaseResult(
        board="desk", server="py", case="seed/x", attempt=1, verdict=Verdict(word=VerdictWord.FAIL, reason=reason), expected=None,
        observation=seen, explanation=Explanation(rule="ciphers/key-type", title=title, why=()),
    )  # fmt: skip


def test_names_and_values() -> None:
    """The alert is the one that ended the handshake, the explanation its rule and title."""
    closing = Alert(sender=Side.CLIENT, level="warning", code=0, name="close_notify")
    fatal = Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure")
    assert junit_properties(result(closing, fatal), firmware="1.24.1") == [
        ("board", "desk"),
        ("firmware", "1.24.1"),
        ("server", "py"),
        ("client", "socket"),
        ("link", ""),
        ("case", "seed/x"),
        ("outcome", "refused"),
        ("verdict", "fail"),
        ("weak", ""),
        ("unverified", ""),
        ("alert", "handshake_failure(40) fatal from the server"),
        ("explanation", "ciphers/key-type: the key is RSA"),
    ]


def test_weak_session() -> None:
    """What is weak, all of it."""
    refused = result()
    assert refused.observation is not None
    seen = replace(refused.observation, outcome=Outcome.CONNECTED, weak=("no forward secrecy", "TLS 1.1"))
    found = dict(junit_properties(replace(refused, observation=seen), firmware=None))
    assert dict(junit_properties(replace(refused, unverified=True), firmware=None))["unverified"] == "true"
    assert (found["outcome"], found["weak"]) == ("connected", "no forward secrecy; TLS 1.1")


def test_a_case_that_was_not_tried() -> None:
    """The same names, with empty values if unknown."""
    quiet = CaseResult(
        board="desk", server="py", case="seed/x", attempt=1, verdict=Verdict(word=VerdictWord.ERROR, reason="no prompt"),
        expected=None, observation=None,
    )  # fmt: skip
    found = dict(junit_properties(quiet, firmware=None))
    assert found == {
        "board": "desk", "firmware": "", "server": "py", "client": "socket", "link": "", "case": "seed/x", "outcome": "not-run",
        "verdict": "error", "weak": "", "unverified": "", "alert": "", "explanation": "",
    }  # fmt: skip


def test_texts_are_harmless_and_short() -> None:
    """Characters that XML does not allow are escaped; a long text is cut."""
    found = dict(junit_properties(result(title="\x00\x1b[2J\ud800" + "A" * 5000), firmware="1\x08"))
    assert found["firmware"] == r"1\x08"
    assert found["explanation"].startswith(r"ciphers/key-type: \x00\x1b[2J\ud800AAA")
    assert len(found["explanation"]) == LIMIT
    assert found["explanation"].endswith("...")
