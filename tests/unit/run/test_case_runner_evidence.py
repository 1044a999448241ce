"""What a board must have done before its refusals count, on the real virtual board."""

from __future__ import annotations

import dataclasses

import pytest

from harness.cases import find_case
from harness.model import ClientApi, VerdictWord
from harness.oracle.earned import NOTHING_COMPLETED
from harness.reports.record.run_record import observed_entry
from harness.run.case_runner import CaseRunner

# Without a certificate the server has no suite for any client.
NO_SUITE, CONNECTS = find_case("no-shared-cipher/no-certificate"), find_case("cert/good")


@pytest.fixture
def runner(lab, spec):
    """Return a runner of a board about which nothing is known."""
    known = lab.runner(spec, "in-process")
    return CaseRunner(
        known.board,
        known.server,
        server_label="in-process",
        certificates=known.handshakes.certificates,
        addresses=known.addresses,
    )


def test_a_refusal_of_a_board_that_never_connected(runner):
    """Without any completed handshake a refusal proves nothing; after one it counts."""
    verdict = runner.run(NO_SUITE).verdict
    assert (verdict.word, verdict.reason) == (VerdictWord.ERROR, NOTHING_COMPLETED)
    assert runner.run(CONNECTS).verdict.word is VerdictWord.PASS
    assert runner.run(NO_SUITE).verdict.word is VerdictWord.PASS


def test_the_baseline_handshake_counts(runner):
    """The handshake at first contact is a completed one."""
    assert runner.baseline_handshake().connected
    assert runner.run(NO_SUITE).verdict.word is VerdictWord.PASS


def test_a_refusal_by_the_server_needs_its_control_too(runner, monkeypatch):
    """A server that finds no suite for a certificate may have met a damaged ClientHello."""
    made, attempt = [], runner.handshakes.attempt

    def recorded(profile, plan, *, api=ClientApi.SOCKET, within=None):
        made.append(profile.certificates)
        return attempt(profile, plan, api=api, within=within)

    case = find_case("cert/ku-certsign-only")
    case = dataclasses.replace(case, server=dataclasses.replace(case.server, maximum_version="TLSv1.2"))
    runner.baseline_handshake()
    monkeypatch.setattr(runner.handshakes, "attempt", recorded)
    assert runner.run(case).verdict.word is VerdictWord.PASS
    assert made == [("server-certificate-sign-only",), ("server-p256",)]


@pytest.mark.parametrize(
    ("case", "verified", "key"),
    [("cert/good", True, ("EC", 256)), ("seed/forced-tls-rsa", False, ("RSA", 2048))],
)
def test_a_session_names_its_key_and_whether_it_was_verified(runner, case, verified, key):
    """What a policy judges besides version and suite, from the plan that was run and the certificate that was sent."""
    seen = runner.run(find_case(case)).observation
    assert (seen.verified, (seen.server_key.type, seen.server_key.bits)) == (verified, key)
    entry = observed_entry(seen).as_json()
    assert (entry["verified"], entry["server_key"]["bits"]) == (verified, key[1])
    assert runner.run(NO_SUITE).observation.verified is None
