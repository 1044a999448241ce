"""Predicted negotiations, and what a board did before."""

from dataclasses import replace

import pytest

from harness.expectations.builders import connected
from harness.model import (
    Case,
    ClientPlan,
    FoundSettings,
    HelloFacts,
    KeyFacts,
    Observation,
    Outcome,
    ServerFacts,
    ServerProfile,
    ServerReport,
    Stage,
    Subject,
    Tier,
)
from harness.oracle.earned import History
from harness.run.handshake import Handshake
from harness.run.negotiations import Negotiations, planned_hello

ECDSA = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
HELLO = HelloFacts(
    record_version="0303",
    versions=("0303",),
    suites=("c02b",),
    groups=("0017",),
    signature_algorithms=("0403",),
    extensions=(10, 11, 13),
    sni="tls.test",
)
DAMAGED = replace(HELLO, suites=("fafa",))
FACTS = ServerFacts(
    python="3.11.7",
    openssl="OpenSSL 3.0.19",
    openssl_number=0x300000D0,
    suites=((0x1302, "TLSv1.3", "TLS_AES_256_GCM_SHA384"), (0xC02B, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")),
    keys=(KeyFacts(type="EC", bits=256, curve="secp256r1"),),
)
CASE = Case(
    id="topic/name",
    title="",
    description="",
    tier=Tier.SMOKE,
    server=ServerProfile(),
    client=ClientPlan(),
    expect=connected(),
    predicted=True,
)
TO_CERTIFICATE = tuple(Subject)[:4]


def handshake(hello=HELLO, *, facts=FACTS, outcome=Outcome.REFUSED, reached=()):
    """A handshake with this hello."""
    seen = Observation(
        outcome=outcome, stage=None, ended_by=None, server=None, client=None, client_hello=hello, reached=reached
    )
    return Handshake(observation=seen, report=ServerReport(facts=facts, failure=None), answer=None)


@pytest.fixture
def negotiations():
    """Of a board that is never asked about RSA-PSS."""

    def asked():
        raise AssertionError("the board was asked")

    return Negotiations(asked)


@pytest.fixture
def proven(negotiations):
    """The same of a board that has connected to another server."""
    negotiations.remember(handshake(facts=None, outcome=Outcome.CONNECTED), ClientPlan())
    return negotiations


def test_predicted(negotiations):
    """By the ClientHello of this handshake."""
    assert negotiations.predicted(CASE, handshake()).outcome is Outcome.CONNECTED
    assert negotiations.predicted(CASE, handshake(DAMAGED)).server_reason == "NO_SHARED_CIPHER"


def test_not_predicted(negotiations):
    """Without a ClientHello, without settings, or where the case does not want it."""
    assert negotiations.predicted(CASE, handshake(None)) is None
    assert negotiations.predicted(CASE, handshake(facts=None)) is None
    assert negotiations.predicted(replace(CASE, predicted=False), handshake()) is None


def test_nothing_completed(negotiations):
    """A refused handshake completes nothing, and a usual hello is no proof of a board that never connected."""
    negotiations.remember(handshake(), ClientPlan())
    assert negotiations.history(CASE, handshake(DAMAGED), usual=HELLO) == History(completed=False)


def test_the_usual_hello_negotiates(proven):
    """A hello that is damaged now does not excuse a board whose usual one gets through."""
    assert proven.history(CASE, handshake(DAMAGED), usual=HELLO) == History(completed=True, negotiates=True)
    assert proven.history(CASE, handshake(DAMAGED), usual=DAMAGED) == History(completed=True)
    assert proven.history(CASE, handshake(DAMAGED), usual=None) == History(completed=True)
    assert proven.history(CASE, handshake(DAMAGED, facts=None), usual=HELLO) == History(completed=True)


def test_what_reached_the_certificate_needs_no_history(proven):
    """The prediction for the usual hello is made only where it matters."""
    assert proven.history(CASE, handshake(reached=TO_CERTIFICATE), usual=HELLO) == History(completed=True)


@pytest.mark.parametrize(
    ("facts", "plan", "negotiates"),
    [
        (FACTS, ClientPlan(), True),
        (FACTS, ClientPlan(server_hostname="other.test"), True),
        (FACTS, ClientPlan(suites=("TLS_RSA_WITH_AES_128_CBC_SHA",)), False),
        (FACTS, ClientPlan(suite_words=("X",)), False),
        (FACTS, ClientPlan(psk_identity="x"), False),
        (replace(FACTS, keys=(KeyFacts(type="RSA", bits=2048),)), ClientPlan(), False),
        (replace(FACTS, keys=(KeyFacts(type="EC", bits=384, curve="secp384r1"),)), ClientPlan(), False),
        (replace(FACTS, maximum_version="TLSv1.2"), ClientPlan(), False),
        (replace(FACTS, minimum_version="TLSv1.3"), ClientPlan(), False),
        (replace(FACTS, groups=("x25519",)), ClientPlan(), False),
        (replace(FACTS, suites=()), ClientPlan(), False),
        (replace(FACTS, security_level=0), ClientPlan(), False),
    ],
)
def test_the_same_settings_got_through(proven, facts, plan, negotiates):
    """An earlier handshake with the same settings that reached the certificate is proof, one with other settings is not."""
    proven.remember(handshake(reached=TO_CERTIFICATE), ClientPlan())
    now = replace(CASE, client=plan)
    assert proven.history(now, handshake(DAMAGED, facts=facts), usual=DAMAGED).negotiates is negotiates


def test_a_refused_negotiation_is_no_proof(proven):
    """Settings that were refused before are not remembered as good."""
    proven.remember(handshake(reached=tuple(Subject)[:3]), ClientPlan())
    assert not proven.history(CASE, handshake(DAMAGED), usual=DAMAGED).negotiates


def test_planned_hello():
    """A plan replaces the suites; what it does otherwise is not known."""
    assert planned_hello(HELLO, ClientPlan()) == HELLO
    assert planned_hello(HELLO, ClientPlan(suites=("TLS_RSA_WITH_AES_128_CBC_SHA", ECDSA))).suites == ("002f", "c02b")
    assert planned_hello(HELLO, ClientPlan(suite_words=("X",))) is None
    assert planned_hello(HELLO, ClientPlan(psk_key="00")) is None
    assert planned_hello(None, ClientPlan()) is None


FOUND = FoundSettings(
    versions=("TLSv1.2", "TLSv1.3"), groups=(("x25519",),), signature_algorithms=("ecdsa_secp256r1_sha256",)
)


def test_a_configuration_is_predicted_for_every_case(negotiations):
    """A refusal that only a hidden setting explains is predicted for a stated case too; a visible one is not."""
    stated = replace(CASE, predicted=False)
    limited = replace(FACTS, found=FOUND)
    assert negotiations.predicted(stated, handshake(facts=limited)).server_reason == "NO_SHARED_CIPHER"
    assert negotiations.predicted(stated, handshake(facts=replace(limited, groups=("x25519",)))) is None
    usable = replace(FOUND, groups=(("secp256r1",),))
    assert negotiations.predicted(stated, handshake(facts=replace(FACTS, found=usable))) is None
    assert negotiations.predicted(stated, handshake(facts=replace(limited, keys=()))) is None


def test_a_minimum_that_nobody_asked_for(negotiations):
    """openssl.cnf may set the minimum, which Python shows: it is the configuration's unless the case asks for it."""
    stated, newer = replace(CASE, predicted=False), handshake(facts=replace(FACTS, minimum_version="TLSv1.3"))
    assert negotiations.predicted(stated, newer).server_reason == "UNSUPPORTED_PROTOCOL"
    asked = replace(stated, server=ServerProfile(minimum_version="TLSv1.3"))
    assert negotiations.predicted(asked, newer) is None


def test_what_a_configuration_refuses(negotiations):
    """Only a refusal that the settings asked for do not have, with its reason; a session or a missing hello is none."""
    limited = replace(FACTS, found=FOUND)
    assert negotiations.refused_by_configuration(CASE, handshake(facts=limited)).server_reason == "NO_SHARED_CIPHER"
    for other in (
        handshake(),
        handshake(None, facts=limited),
        handshake(DAMAGED, facts=limited),
        handshake(facts=None),
    ):
        assert negotiations.refused_by_configuration(CASE, other) is None
    assert negotiations.history(CASE, handshake(facts=limited), usual=HELLO) == History(
        completed=False, configured=True
    )


def test_a_key_that_the_server_refuses(negotiations):
    """Without a ClientHello, only the server's refusal of its own short key is predicted."""
    short = replace(FACTS, keys=(KeyFacts(type="RSA", bits=2048),), security_level=3)

    def refused(facts, stage):
        tried = handshake(None, facts=facts)
        return negotiations.predicted(CASE, replace(tried, observation=replace(tried.observation, stage=stage)))

    assert refused(short, Stage.CONFIG).server_reason == "EE_KEY_TOO_SMALL"
    assert refused(short, Stage.CONNECT) is None
    assert refused(FACTS, Stage.CONFIG) is None


@pytest.mark.parametrize(("takes", "outcome"), [(True, Outcome.CONNECTED), (False, Outcome.REFUSED)])
def test_what_the_board_does_with_its_own_offer(takes, outcome):
    """A server that would sign with RSA-PSS in TLS 1.2: what the board said, when it was asked, decides."""
    hello = replace(HELLO, suites=("c02f",), signature_algorithms=("0804", "0401"))
    facts = replace(
        FACTS,
        suites=(FACTS.suites[0], (0xC02F, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")),
        keys=(KeyFacts(type="RSA", bits=2048),),
    )
    predicted = Negotiations(lambda: takes).predicted(CASE, handshake(hello, facts=facts))
    assert predicted is not None
    assert predicted.outcome is outcome
