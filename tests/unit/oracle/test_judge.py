"""Expectation against observation."""

import dataclasses

import pytest

from harness.expectations.builders import connected, refused
from harness.model import (
    Alert,
    Case,
    ClientFailure,
    ClientPlan,
    Exchange,
    Expectation,
    ExpectedAlert,
    HelloFacts,
    Negotiated,
    Observation,
    Outcome,
    ServerFailure,
    ServerProfile,
    Side,
    Stage,
    Tier,
    VerdictWord,
    Verify,
)
from harness.oracle.judge import judge, mismatches

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
)
REFUSAL = Observation(
    outcome=Outcome.REFUSED,
    stage=Stage.HANDSHAKE,
    ended_by=Side.SERVER,
    server=ServerFailure(type="SSLError", reason="NO_SHARED_CIPHER", errno=1),
    client=ClientFailure(type="OSError", args=(-30592,), number=-30592, flags=None, name="X", stage=Stage.HANDSHAKE),
    alerts=(Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure"),),
)
NO_SHARED_CIPHER = refused(by="server", server="NO_SHARED_CIPHER", alert=40, client=-30592)


def case(*, client=Verify.NONE, server=Verify.NONE, text="Hallo, Server!"):
    """Return a case whose sides verify as given."""
    return Case(
        id="topic/name",
        title="",
        description="",
        tier=Tier.SMOKE,
        server=ServerProfile(verify=server),
        client=ClientPlan(verify=client, text=text),
        expect=connected(),
    )


def found(expected, observed):
    """Return the fields that differ."""
    return [item.field for item in mismatches(expected, observed)]


def test_as_expected():
    """Without a difference there is no mismatch, for a session and for a refusal."""
    assert mismatches(connected(version="TLSv1.2", suite="S", group="G"), SESSION) == ()
    assert mismatches(NO_SHARED_CIPHER, REFUSAL) == ()
    assert judge(case(), NO_SHARED_CIPHER, REFUSAL).word is VerdictWord.PASS


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"outcome": Outcome.HUNG}, "outcome"),
        ({"stage": Stage.READ}, "stage"),
        ({"ended_by": Side.CLIENT}, "ended_by"),
        ({"server_type": "OSError"}, "server.type"),
        ({"server_reason": "UNSUPPORTED_PROTOCOL"}, "server.reason"),
        ({"server_errno": 104}, "server.errno"),
        ({"verify_code": 10}, "server.verify_code"),
        ({"client_type": "ValueError"}, "client.type"),
        ({"client_number": -1}, "client.number"),
        ({"client_flags": ("expired",)}, "client.flags"),
        ({"no_server_error": True}, "server"),
        ({"no_client_error": True}, "client"),
        ({"alert": None, "no_alert": True}, "alert"),
        ({"version": "TLSv1.2"}, "version"),
        ({"suite": "S"}, "suite"),
        ({"group": "G"}, "group"),
    ],
)
def test_every_field_is_compared(changes, field):
    """One field changed in the expectation is one mismatch, and a `fail`."""
    expected = dataclasses.replace(NO_SHARED_CIPHER, **changes)
    assert found(expected, REFUSAL) == [field]
    verdict = judge(case(), expected, REFUSAL)
    assert verdict.word is VerdictWord.FAIL
    assert verdict.reason == f"{field}: expected {verdict.mismatches[0].expected}, got {verdict.mismatches[0].observed}"


FULL = Expectation(
    source="stated",
    outcome=Outcome.REFUSED,
    stage=Stage.HANDSHAKE,
    ended_by=Side.SERVER,
    server_type="SSLError",
    server_reason="CERTIFICATE_VERIFY_FAILED",
    server_errno=1,
    verify_code=10,
    client_type="ValueError",
    client_number=-9984,
    client_name="X",
    client_flags=("expired", "cn_mismatch"),
    alert=ExpectedAlert(sender=Side.SERVER, code=45, name="certificate_expired"),
    version="TLSv1.2",
    suite="S",
    group="G",
    server_name="tls.test",
)
HELLO = HelloFacts(
    record_version="0303", versions=(), suites=(), groups=(), signature_algorithms=(), extensions=(), sni="tls.test"
)  # fmt: skip
SEEN = Observation(
    outcome=Outcome.REFUSED,
    stage=Stage.HANDSHAKE,
    ended_by=Side.SERVER,
    server=ServerFailure(type="SSLError", reason="CERTIFICATE_VERIFY_FAILED", errno=1, verify_code=10),
    client=ClientFailure(
        type="ValueError", args=(), number=-9984, flags=("cn_mismatch", "expired"), name="X", stage=Stage.HANDSHAKE
    ),
    alerts=(Alert(sender=Side.SERVER, level="fatal", code=45, name="certificate_expired"),),
    negotiated=Negotiated(version="TLSv1.2", suite="S", group="G"),
    client_hello=HELLO,
)


def test_every_field_can_match():
    """An expectation that names every field matches an observation with the same values."""
    assert mismatches(FULL, SEEN) == ()


def test_what_is_absent_is_called_none():
    """Sides without an error, an empty negotiation and a missing ClientHello: the message says what was expected instead."""
    nothing = dataclasses.replace(SEEN, server=None, client=None, negotiated=Negotiated(), client_hello=None, alerts=())
    assert [(item.field, item.expected, item.observed) for item in mismatches(FULL, nothing)] == [
        ("server.type", "SSLError", "none"),
        ("server.reason", "CERTIFICATE_VERIFY_FAILED", "none"),
        ("server.errno", "1", "none"),
        ("server.verify_code", "10", "none"),
        ("client.type", "ValueError", "none"),
        ("client.number", "-9984", "none"),
        ("client.name", "X", "none"),
        ("client.flags", "cn_mismatch+expired", "none"),
        ("alert", "certificate_expired (45) from the server", "none"),
        ("version", "TLSv1.2", "none"),
        ("suite", "S", "none"),
        ("group", "G", "none"),
        ("server_name", "tls.test", ""),
    ]


@pytest.mark.parametrize(("sni", "expected"), [("tls.test", ""), (None, "tls.test")])
def test_no_server_name_is_the_empty_one(sni, expected):
    """A ClientHello without SNI counts as the empty name."""
    seen = dataclasses.replace(SEEN, client_hello=dataclasses.replace(HELLO, sni=sni))
    assert found(dataclasses.replace(FULL, server_name=expected), seen) == ["server_name"]
    assert found(dataclasses.replace(FULL, server_name=sni or ""), seen) == []


@pytest.mark.parametrize(
    ("server", "client", "texts"),
    [
        ({}, {}, ["SSLError CERTIFICATE_VERIFY_FAILED", "ValueError -9984"]),
        ({"reason": None}, {"number": None}, ["SSLError", "ValueError cn_mismatch+expired"]),
        ({}, {"number": 0}, ["SSLError CERTIFICATE_VERIFY_FAILED", "ValueError 0"]),
        (
            {},
            {"number": None, "flags": (), "args": ("no", 1)},
            ["SSLError CERTIFICATE_VERIFY_FAILED", "ValueError no+1"],
        ),
        ({}, {"number": None, "flags": None}, ["SSLError CERTIFICATE_VERIFY_FAILED", "ValueError none"]),
    ],
)
def test_an_error_where_none_may_be(server, client, texts):
    """The mismatch shows the server's type and reason, and the client's number, else its flags, else its arguments."""
    expected = dataclasses.replace(connected(), outcome=None)
    seen = dataclasses.replace(
        SEEN,
        alerts=(),
        server=dataclasses.replace(SEEN.server, **server),
        client=dataclasses.replace(SEEN.client, **client),
    )
    assert [item.observed for item in mismatches(expected, seen) if item.field in ("server", "client")] == texts


def test_every_mismatch_is_listed():
    """A session instead of a refusal differs everywhere; all of it is listed, and the first is the reason."""
    assert found(NO_SHARED_CIPHER, SESSION) == [
        "outcome",
        "stage",
        "ended_by",
        "server.type",
        "server.reason",
        "client.type",
        "client.number",
        "alert",
    ]
    assert judge(case(), NO_SHARED_CIPHER, SESSION).reason == "outcome: expected refused, got connected"


def test_open_fields_are_not_compared():
    """A field that the expectation leaves open may have any value."""
    expected = refused(by="server", server="NO_SHARED_CIPHER", alert=40, open_because="a race")
    assert found(expected, dataclasses.replace(REFUSAL, client=None)) == []


@pytest.mark.parametrize(
    ("alerts", "text"),
    [
        ((), "none"),
        ((("client", "fatal", 40),), "handshake_failure (40) from the client"),
        ((("server", "warning", 40),), "none"),
        (
            (("client", "fatal", 48), ("server", "fatal", 40)),
            "unknown_ca (48) from the client, handshake_failure (40) from the server",
        ),
    ],
)
def test_the_first_fatal_alert_counts(alerts, text):
    """Sender and code of the first fatal alert are compared; warnings do not count; the message shows all alerts."""
    names = {40: "handshake_failure", 48: "unknown_ca"}
    seen = tuple(Alert(sender=Side(side), level=level, code=code, name=names[code]) for side, level, code in alerts)
    (mismatch,) = mismatches(NO_SHARED_CIPHER, dataclasses.replace(REFUSAL, alerts=seen))
    assert (mismatch.field, mismatch.observed) == ("alert", text)


def test_later_alerts_do_not_count():
    """If the expected alert came first, another one after it is not a mismatch."""
    answer = Alert(sender=Side.CLIENT, level="fatal", code=80, name="internal_error")
    assert mismatches(NO_SHARED_CIPHER, dataclasses.replace(REFUSAL, alerts=(*REFUSAL.alerts, answer))) == ()


def test_an_alert_that_is_left_open():
    """Without an expected alert any is allowed, unless none is allowed."""
    open_ = dataclasses.replace(NO_SHARED_CIPHER, alert=None)
    assert mismatches(open_, REFUSAL) == ()
    assert found(dataclasses.replace(open_, no_alert=True), REFUSAL) == ["alert"]
    assert mismatches(dataclasses.replace(open_, no_alert=True), dataclasses.replace(REFUSAL, alerts=())) == ()


def test_flags_are_a_set():
    """Verification reasons are compared as a set; an additional one is a mismatch."""
    assert found(dataclasses.replace(FULL, client_flags=("cn_mismatch", "expired")), SEEN) == []
    assert found(dataclasses.replace(FULL, client_flags=("expired",)), SEEN) == ["client.flags"]


@pytest.mark.parametrize(
    ("by", "sides", "word"),
    [
        ("client", {"client": Verify.REQUIRED}, VerdictWord.INSECURE),
        ("server", {"server": Verify.REQUIRED}, VerdictWord.INSECURE),
        ("client", {"client": Verify.NONE}, VerdictWord.FAIL),
        ("server", {"server": Verify.OPTIONAL}, VerdictWord.FAIL),
        ("server", {"client": Verify.REQUIRED}, VerdictWord.FAIL),
    ],
)
def test_insecure(by, sides, word):
    """A side that verifies and accepts what it must refuse is insecure; one that does not verify is only wrong.

    CERT_OPTIONAL lets a peer go unchecked, so accepting under it is never insecure.
    """
    expected = refused(by=by, server="TLSV1_ALERT_UNKNOWN_CA", alert=48, flags=("not_trusted",))
    verdict = judge(case(**sides), expected, SESSION)
    assert verdict.word is word
    assert len(verdict.mismatches) >= 5
    if word is VerdictWord.INSECURE:
        assert verdict.reason == f"the {by} accepted what it should have refused"


NOT_TRUSTED = refused(by="client", server="TLSV1_ALERT_UNKNOWN_CA", alert=48, flags=("not_trusted",))
REFUSED_BY_SERVER = refused(by="server", server="CERTIFICATE_VERIFY_FAILED", alert=48, client=-30592)


@pytest.mark.parametrize(
    ("outcome", "stage"),
    [(Outcome.REFUSED, Stage.READ), (Outcome.REFUSED, Stage.HANDSHAKE), (Outcome.HUNG, Stage.READ)],
)
@pytest.mark.parametrize(
    ("handshake_done", "checks", "word"),
    [
        (True, Verify.REQUIRED, VerdictWord.INSECURE),
        (False, Verify.REQUIRED, VerdictWord.FAIL),
        (True, Verify.NONE, VerdictWord.FAIL),
    ],
)
def test_a_finished_handshake_was_an_acceptance(outcome, stage, handshake_done, checks, word):
    """If the server received the client's Finished, the client accepted a certificate that it should have refused, whatever followed."""
    client = ClientFailure(type="OSError", args=(-26880,), number=-26880, flags=None, name="X", stage=stage)
    seen = dataclasses.replace(
        SESSION, outcome=outcome, ended_by=Side.CLIENT, stage=stage, client=client, handshake_done=handshake_done
    )
    verdict = judge(case(client=checks), NOT_TRUSTED, seen)
    assert verdict.word is word
    if word is VerdictWord.INSECURE:
        assert verdict.reason == "the client accepted what it should have refused"


def test_a_late_refusal_by_the_server_is_the_server_s():
    """In TLS 1.3 a client completes its handshake before the server refuses its certificate, so the server accepted nothing."""
    seen = dataclasses.replace(REFUSAL, handshake_done=False, stage=Stage.READ)
    checks = case(client=Verify.REQUIRED, server=Verify.REQUIRED)
    assert judge(checks, REFUSED_BY_SERVER, seen).word is VerdictWord.FAIL


def test_a_refusal_after_the_handshake_is_no_acceptance():
    """If the client must refuse something later, a finished handshake is correct."""
    expected = refused(by="client", stage="read", client=-29184)
    seen = dataclasses.replace(SESSION, outcome=Outcome.HUNG, handshake_done=True)
    assert judge(case(client=Verify.REQUIRED), expected, seen).word is VerdictWord.FAIL


@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize(
    ("text", "count"), [(None, None), ("", 0), ("Hallo", 5), ("Hallo, Browser", 14), ("same", 13), ("same", None)]
)
def test_a_session_needs_the_very_text_on_both_sides(side, text, count):
    """Neither the board's success nor the server's written answer is enough: both must have the other's text."""
    text = getattr(SESSION, f"received_by_{side}") if text == "same" else text
    seen = dataclasses.replace(SESSION, **{f"received_by_{side}": text, f"{side}_received_bytes": count})
    assert found(connected(), seen) == [f"{side}.received"]
    verdict = judge(case(), connected(), seen)
    assert verdict.word is VerdictWord.FAIL
    assert verdict.reason.startswith(f"{side}.received: expected 'Hallo, ")


def test_long_texts_are_compared_by_their_beginning_and_their_count():
    """Of long data the records have the beginning and the number of bytes: one byte less is a mismatch, and the shown text is cut."""
    planned = Exchange(sent_text="x" * 256, sent_bytes=4097, answer_text="0123456789abcdef" * 4, answer_bytes=65536)
    seen = dataclasses.replace(
        SESSION,
        exchange=planned,
        received_by_server="x" * 256,
        received_by_client="0123456789abcdef" * 4,
        server_received_bytes=4097,
        client_received_bytes=65536,
    )
    assert found(connected(), seen) == []
    assert found(connected(), dataclasses.replace(seen, client_received_bytes=65535)) == ["client.received"]
    (short,) = mismatches(connected(), dataclasses.replace(seen, server_received_bytes=4096))
    assert (short.field, short.observed) == ("server.received", f"'{'x' * 80}...' (4096 bytes)")


@pytest.mark.parametrize(("length", "shown"), [(80, "x" * 80), (81, "x" * 80 + "...")])
def test_a_text_is_cut_after_80_characters(length, shown):
    """A mismatch shows a text of 80 characters in full, and marks the cut of a longer one."""
    seen = dataclasses.replace(SESSION, received_by_server="x" * length, server_received_bytes=None)
    (mismatch,) = mismatches(connected(), seen)
    assert mismatch.observed == f"'{shown}' (? bytes)"


def test_without_bytes_to_send_no_text_is_compared():
    """A client that must send no bytes sends no text either."""
    silent = dataclasses.replace(SESSION.exchange, sent_text=None, sent_bytes=0)
    seen = dataclasses.replace(SESSION, exchange=silent, received_by_server=None, server_received_bytes=None)
    assert found(connected(), seen) == []


@pytest.mark.parametrize("checks", [{"client": Verify.REQUIRED}, {"server": Verify.REQUIRED}])
def test_a_session_with_other_terms_is_not_insecure(checks):
    """If a session is expected, one with another version fails, but it accepts nothing that must be refused."""
    verdict = judge(case(**checks), connected(version="TLSv1.3"), SESSION)
    assert (verdict.word, verdict.reason) == (VerdictWord.FAIL, "version: expected TLSv1.3, got TLSv1.2")


def test_a_client_that_closes_at_once_has_nothing_to_read():
    """If no text was planned, none is compared."""
    silent = Exchange(sent_text=None, sent_bytes=None, answer_text=None, answer_bytes=None)
    seen = dataclasses.replace(SESSION, exchange=silent, received_by_client=None, client_received_bytes=None)
    assert found(connected(), seen) == []
