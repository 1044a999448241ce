"""A client with CERT_OPTIONAL that accepts a certificate."""

import dataclasses

import pytest

from harness.expectations.builders import connected, refused
from harness.model import Case, ClientPlan, Observation, Outcome, ServerProfile, Side, Stage, Tier, VerdictWord, Verify
from harness.oracle.judge import judge

SESSION = Observation(
    outcome=Outcome.CONNECTED,
    stage=None,
    ended_by=None,
    server=None,
    client=None,
    received_by_server="Hallo, Server!",
    received_by_client="Hallo, Client!",
    server_received_bytes=14,
    client_received_bytes=14,
)
REFUSAL = Observation(outcome=Outcome.REFUSED, stage=Stage.HANDSHAKE, ended_by=Side.SERVER, server=None, client=None)
NOT_TRUSTED = refused(by="client", server="TLSV1_ALERT_UNKNOWN_CA", alert=48, flags=("not_trusted",))
REFUSED_BY_SERVER = refused(by="server", server="CERTIFICATE_VERIFY_FAILED", alert=48, client=-30592)


def case(*, client=Verify.NONE, server=Verify.NONE):
    """Return a case whose sides verify as given."""
    return Case(
        id="topic/name",
        title="",
        description="",
        tier=Tier.SMOKE,
        server=ServerProfile(verify=server),
        client=ClientPlan(verify=client),
        expect=connected(),
    )


def test_optional_that_accepts_passes_with_a_note():
    """A client with CERT_OPTIONAL continues whatever it finds: never insecure, and never a silent pass."""
    verdict = judge(case(client=Verify.OPTIONAL), NOT_TRUSTED, SESSION)
    assert (verdict.word, verdict.mismatches) == (VerdictWord.PASS, ())
    assert verdict.reason == "CERT_OPTIONAL: the client verifies the certificate and accepts it whatever it finds"


@pytest.mark.parametrize(
    ("checks", "reason"),
    [
        ({"client": Verify.OPTIONAL}, "why"),
        ({"server": Verify.OPTIONAL}, "why"),
        ({"client": Verify.REQUIRED, "server": Verify.REQUIRED}, None),
        ({}, None),
    ],
)
def test_an_expected_session_under_optional_has_its_note(checks, reason):
    """The note says what CERT_OPTIONAL means there; other sessions need none."""
    verdict = judge(case(**checks), connected(note="why"), SESSION)
    assert (verdict.word, verdict.reason) == (VerdictWord.PASS, reason)


def test_an_expected_refusal_under_optional_has_no_note():
    """A side with CERT_OPTIONAL that refused did not accept anything."""
    expected = refused(by="server", open_because="x", note="why")
    assert judge(case(server=Verify.OPTIONAL), expected, REFUSAL).reason is None


@pytest.mark.parametrize(
    ("checks", "expected", "seen"),
    [
        ({"client": Verify.NONE}, NOT_TRUSTED, SESSION),
        ({"client": Verify.OPTIONAL}, REFUSED_BY_SERVER, SESSION),
        ({"client": Verify.OPTIONAL}, dataclasses.replace(NOT_TRUSTED, stage=Stage.READ), SESSION),
        ({"client": Verify.OPTIONAL}, NOT_TRUSTED, REFUSAL),
        ({"client": Verify.OPTIONAL}, NOT_TRUSTED, dataclasses.replace(SESSION, client_received_bytes=1)),
        ({"server": Verify.OPTIONAL}, REFUSED_BY_SERVER, SESSION),
    ],
)
def test_optional_excuses_nothing_else(checks, expected, seen):
    """Only a complete session of a client with CERT_OPTIONAL; a server with CERT_OPTIONAL refuses a bad certificate."""
    assert judge(case(**checks), expected, seen).word is VerdictWord.FAIL
