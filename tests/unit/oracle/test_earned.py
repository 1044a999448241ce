"""The ruling on one case: stated, predicted, reached."""

import dataclasses

import pytest

from harness.expectations.builders import connected, refused
from harness.model import (
    Alert,
    Case,
    ClientFailure,
    ClientPlan,
    Mismatch,
    Negotiated,
    Observation,
    Outcome,
    ServerFailure,
    ServerProfile,
    Side,
    Source,
    Stage,
    Subject,
    Tier,
    VerdictWord,
    Verify,
)
from harness.oracle.earned import NOTHING_COMPLETED, History, rule

ALL = tuple(Subject)
TO_NEGOTIATION = ALL[:3]
SESSION = Observation(
    outcome=Outcome.CONNECTED,
    stage=None,
    ended_by=None,
    server=None,
    client=None,
    negotiated=Negotiated(version="TLSv1.2", suite="S", group="G"),
    received_by_server="Hallo, Server!",
    received_by_client="Hallo, Client!",
    server_received_bytes=14,
    client_received_bytes=14,
    handshake_done=True,
    reached=tuple(point for point in Subject if point is not Subject.CLIENT_CERTIFICATE),
)
NO_CIPHER = Observation(
    outcome=Outcome.REFUSED,
    stage=Stage.HANDSHAKE,
    ended_by=Side.SERVER,
    server=ServerFailure(type="SSLError", reason="NO_SHARED_CIPHER", errno=1),
    client=ClientFailure(type="OSError", args=(-30592,), number=-30592, flags=None, name="X", stage=Stage.HANDSHAKE),
    alerts=(Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure"),),
    reached=TO_NEGOTIATION,
)
NOT_TRUSTED_SEEN = Observation(
    outcome=Outcome.REFUSED,
    stage=Stage.HANDSHAKE,
    ended_by=Side.CLIENT,
    server=ServerFailure(type="SSLError", reason="TLSV1_ALERT_UNKNOWN_CA", errno=1),
    client=ClientFailure(
        type="ValueError", args=("x",), number=None, flags=("not_trusted",), name=None, stage=Stage.HANDSHAKE
    ),
    alerts=(Alert(sender=Side.CLIENT, level="fatal", code=48, name="unknown_ca"),),
    negotiated=Negotiated(version="TLSv1.2", suite="S", group="G"),
    reached=ALL[:4],
)
NO_SHARED_CIPHER = refused(by="server", server="NO_SHARED_CIPHER", alert=40, client=-30592)
PREDICTED_REFUSAL = dataclasses.replace(NO_SHARED_CIPHER, source=Source.PREDICTED)
PREDICTED_SESSION = connected(version="TLSv1.2", suite="S", group="G", source=Source.PREDICTED)
NOT_TRUSTED = refused(by="client", server="TLSV1_ALERT_UNKNOWN_CA", alert="unknown_ca", flags=("not_trusted",))
KNOWN = History(completed=True)


def case(subject=Subject.SERVER_CERTIFICATE, *, verify=Verify.REQUIRED):
    """A case with this subject."""
    return Case(
        id="topic/name",
        title="",
        description="",
        tier=Tier.SMOKE,
        server=ServerProfile(),
        client=ClientPlan(verify=verify),
        expect=None,
        subject=subject,
    )


def ruled(observed, *, stated=None, predicted=None, history=KNOWN, **words):
    """The verdict as words."""
    verdict = rule(case(**words), observed, stated=stated, predicted=predicted, history=history).verdict
    return str(verdict.word), verdict.reason


@pytest.mark.parametrize("stated", [connected(), NOT_TRUSTED])
def test_a_prediction_never_makes_a_stated_case_pass(stated):
    """A predicted refusal before the certificate: the case is unsupported here, with that reason."""
    found = ruled(NO_CIPHER, stated=stated, predicted=PREDICTED_REFUSAL)
    assert found == ("unsupported", "never got as far as the certificate: NO_SHARED_CIPHER")


def test_the_reason_without_a_name():
    """A refusal without a reason is named by its alert."""
    unnamed = dataclasses.replace(PREDICTED_REFUSAL, server_reason=None)
    found = ruled(NO_CIPHER, stated=connected(), predicted=unnamed)
    assert found == ("unsupported", "never got as far as the certificate: handshake_failure")


@pytest.mark.parametrize("subject", [Subject.HELLO, Subject.NEGOTIATION])
def test_a_stated_session_whose_subject_was_reached(subject):
    """The reason names what is missing: the end of the handshake, not the ClientHello that arrived."""
    found = ruled(NO_CIPHER, stated=connected(), predicted=PREDICTED_REFUSAL, subject=subject)
    assert found == ("unsupported", "never got as far as the end of the handshake: NO_SHARED_CIPHER")


def test_no_excuse_for_a_board_that_negotiates_with_these_settings():
    """A board that came through the negotiation before must do it again."""
    history = History(completed=True, negotiates=True)
    found = ruled(NO_CIPHER, stated=NOT_TRUSTED, predicted=PREDICTED_REFUSAL, history=history)
    assert found == (
        "fail",
        "never got as far as the certificate: NO_SHARED_CIPHER, although this board negotiates with these settings",
    )


def test_a_wrong_prediction_fails():
    """A session, or another refusal, where NO_SHARED_CIPHER was predicted."""
    assert ruled(SESSION, stated=connected(), predicted=PREDICTED_REFUSAL) == (
        "fail",
        "outcome: expected refused, got connected",
    )
    other = dataclasses.replace(PREDICTED_REFUSAL, server_reason="UNSUPPORTED_PROTOCOL")
    assert ruled(NO_CIPHER, stated=connected(), predicted=other) == (
        "fail",
        "server.reason: expected UNSUPPORTED_PROTOCOL, got NO_SHARED_CIPHER",
    )


def test_accepting_is_insecure_whatever_was_predicted():
    """A wrong prediction does not hide that the board accepted what it should have refused."""
    assert ruled(SESSION, stated=NOT_TRUSTED, predicted=PREDICTED_REFUSAL)[0] == "insecure"


def test_only_the_negotiation():
    """A case without a stated result is decided by the prediction: a refusal and a session."""
    about = {"subject": Subject.NEGOTIATION}
    assert ruled(NO_CIPHER, predicted=PREDICTED_REFUSAL, **about) == ("pass", None)
    assert ruled(SESSION, predicted=PREDICTED_SESSION, **about) == ("pass", None)
    assert ruled(SESSION, predicted=PREDICTED_REFUSAL, **about)[0] == "fail"
    assert ruled(NO_CIPHER, predicted=PREDICTED_SESSION, **about)[0] == "fail"


def test_a_refusal_counts_only_of_the_usual_hello():
    """A hello that is refused as predicted, of a board whose usual one would be accepted, is not the board's."""
    history, about = History(completed=True, negotiates=True), {"subject": Subject.NEGOTIATION}
    found = ruled(NO_CIPHER, predicted=PREDICTED_REFUSAL, history=history, **about)
    assert found == ("fail", "refused: NO_SHARED_CIPHER, although this board negotiates with these settings")


def test_a_refusal_counts_only_of_a_board_that_can_connect():
    """A board that never completed a handshake is refused for a reason of its own."""
    never, about = History(completed=False), {"subject": Subject.NEGOTIATION}
    assert ruled(NO_CIPHER, predicted=PREDICTED_REFUSAL, history=never, **about) == ("error", NOTHING_COMPLETED)
    assert ruled(NO_CIPHER, stated=NO_SHARED_CIPHER, history=never) == ("error", NOTHING_COMPLETED)
    limited = History(completed=False, configured=True)
    reason = "this server's OpenSSL is configured to refuse this board (NO_SHARED_CIPHER)"
    assert ruled(NO_CIPHER, predicted=PREDICTED_REFUSAL, history=limited, **about) == ("unsupported", reason)
    usable = History(completed=True, configured=True)
    assert ruled(NO_CIPHER, predicted=PREDICTED_REFUSAL, history=usable, **about) == ("pass", None)
    assert ruled(SESSION, predicted=PREDICTED_SESSION, history=never, **about) == ("pass", None)
    # Behind the negotiation the positive control decides.
    assert ruled(NOT_TRUSTED_SEEN, stated=NOT_TRUSTED, predicted=PREDICTED_SESSION, history=never) == ("pass", None)
    config = refused(by="server", stage="config", server="EE_KEY_TOO_SMALL")
    own = Observation(
        outcome=Outcome.REFUSED,
        stage=Stage.CONFIG,
        ended_by=Side.SERVER,
        server=ServerFailure(type="SSLError", reason="EE_KEY_TOO_SMALL", stage=Stage.CONFIG),
        client=None,
        reached=(Subject.CONFIG,),
    )
    assert ruled(own, stated=config, history=never) == ("pass", None)


def test_a_server_that_refuses_its_own_key_says_nothing_of_the_board():
    """The board was not asked: whatever the case is about, and whatever the board did before, it is unsupported with this server."""
    config = dataclasses.replace(
        refused(by="server", stage="config", server="EE_KEY_TOO_SMALL"), source=Source.PREDICTED
    )
    own = Observation(
        outcome=Outcome.REFUSED,
        stage=Stage.CONFIG,
        ended_by=Side.SERVER,
        server=ServerFailure(type="SSLError", reason="EE_KEY_TOO_SMALL", stage=Stage.CONFIG),
        client=None,
        reached=(Subject.CONFIG,),
    )
    for history in (History(completed=True), History(completed=True, negotiates=True), History(completed=False)):
        for about in ({"subject": Subject.NEGOTIATION}, {"subject": Subject.DATA, "stated": connected()}):
            word, reason = ruled(own, predicted=config, history=history, **about)
            assert word == "unsupported"
            assert reason.endswith(": EE_KEY_TOO_SMALL")
    stated = refused(by="server", stage="config", server="EE_KEY_TOO_SMALL")
    assert ruled(own, stated=stated, predicted=config) == ("pass", None)


def test_a_stated_refusal_that_was_predicted_too():
    """A refusal before the subject that the case states is what the case is about."""
    found = rule(
        case(), NO_CIPHER, stated=NO_SHARED_CIPHER, predicted=PREDICTED_REFUSAL, history=History(negotiates=True)
    )
    assert found.verdict.word is VerdictWord.PASS
    assert (found.expected.source, found.expected.subject) == ("stated", "negotiation")


def test_predicted_values_are_filled_in():
    """A stated session must have the version, suite and group that were predicted."""
    found = rule(case(), SESSION, stated=connected(), predicted=PREDICTED_SESSION, history=KNOWN)
    assert (found.expected.source, found.expected.suite, found.expected.subject) == (
        "stated",
        "S",
        "server-certificate",
    )
    other = connected(version="TLSv1.2", suite="T", group="G", source=Source.PREDICTED)
    assert ruled(SESSION, stated=connected(), predicted=other) == ("fail", "suite: expected T, got S")


@pytest.mark.parametrize(
    ("observed", "stated"), [(SESSION, connected()), (NOT_TRUSTED_SEEN, NOT_TRUSTED)], ids=["session", "refusal"]
)
@pytest.mark.parametrize("seen", range(4))
def test_the_evidence_must_reach_the_subject(observed, stated, seen):
    """As expected in every field, and the certificate was never on the wire: a fail, never a pass."""
    short = dataclasses.replace(observed, reached=ALL[:seen])
    found = rule(case(), short, stated=stated, predicted=PREDICTED_SESSION, history=KNOWN).verdict
    assert found.word is VerdictWord.FAIL
    last = ALL[seen - 1].value if seen else "nothing"
    assert found.mismatches == (Mismatch(field="reached", expected="server-certificate", observed=last),)
    assert found.reason.startswith("never got as far as the certificate: ")


def test_the_subject_itself_must_be_reached():
    """A later point does not stand for an earlier one: a session without a request shows nothing of a client's certificate."""
    found = ruled(SESSION, stated=connected(), predicted=PREDICTED_SESSION, subject=Subject.CLIENT_CERTIFICATE)
    assert found == ("fail", "never got as far as the client's certificate: connected")
    assert ruled(NOT_TRUSTED_SEEN, stated=NOT_TRUSTED, predicted=PREDICTED_SESSION) == ("pass", None)


def test_what_is_not_predicted():
    """Without a prediction what is stated decides alone."""
    assert ruled(NO_CIPHER, stated=connected()) == ("fail", "outcome: expected connected, got refused")
    assert ruled(SESSION, stated=connected()) == ("pass", None)
    assert ruled(NO_CIPHER) == ("fail", "outcome: expected connected, got refused")
