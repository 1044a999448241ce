"""Tests of harness/run/board_facts.py: facts about a board are learned only from clear answers."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.cases import find_case
from harness.model import (
    Alert,
    BoardInfo,
    ClientFailure,
    HelloFacts,
    Observation,
    Outcome,
    ServerFacts,
    ServerReport,
    Side,
    Stage,
)
from harness.run.board_facts import (
    learn_clock,
    learn_ec_keys,
    learn_pem,
    learn_pkcs8,
    learn_what_decides,
    takes_own_pss,
)
from harness.run.handshake import Handshake

API = ("tls.SSLContext.load_verify_locations", "tls.SSLContext.load_cert_chain")


class Board:
    """The part of a board session that holds the known facts."""

    def __init__(self) -> None:
        self.info = BoardInfo(api=API)

    def learn(self, **facts):
        self.info = replace(self.info, **facts)


class Made:
    """Handshakes that all end in the same way; they are counted."""

    def __init__(self, observation) -> None:
        self.board = Board()
        self.count = 0
        self.plans = []
        self._handshake = Handshake(observation=observation, report=ServerReport(facts=None, failure=None), answer=None)

    def make(self, profile, plan):
        self.count += 1
        self.plans.append((*profile.certificates[:1], plan.certificate or "".join(plan.ca)))
        return self._handshake


def observed(outcome, *, stage=None, ended_by=None, number=None, alert=None):
    """Return an observation with this ending."""
    failure = ClientFailure(type="OSError", args=(number,), number=number, flags=None, name=None, stage=Stage.HANDSHAKE)
    client = failure if number is not None else None
    sent = () if alert is None else (Alert(sender=Side.CLIENT, level="fatal", code=alert, name="x"),)
    return Observation(outcome=outcome, stage=stage, ended_by=ended_by, server=None, client=client, alerts=sent)


@pytest.mark.parametrize(
    ("outcome", "stage", "ended_by", "accepts"),
    [
        (Outcome.CONNECTED, None, None, True),
        (Outcome.REFUSED, Stage.CONFIG, Side.CLIENT, False),
        (Outcome.REFUSED, Stage.CONFIG, Side.SERVER, None),
        (Outcome.REFUSED, Stage.CONNECT, Side.CLIENT, None),
        (Outcome.REFUSED, Stage.HANDSHAKE, Side.CLIENT, None),
        (Outcome.HUNG, Stage.HANDSHAKE, None, None),
    ],
)
def test_a_format_is_learned_only_from_a_clear_answer(outcome, stage, ended_by, accepts):
    """A session means yes, and a refusal of the board's own settings means no; any other result is inconclusive."""
    made = Made(observed(outcome, stage=stage, ended_by=ended_by))
    learn_pem(made)
    learn_pkcs8(made)
    learn_ec_keys(made)
    info = made.board.info
    assert (info.reads_pem, info.reads_pkcs8, info.reads_ec_keys, made.count) == (accepts, accepts, accepts, 3)
    learn_pem(made)
    learn_ec_keys(made)
    assert made.count == (5 if accepts is None else 3)


@pytest.mark.parametrize(
    ("suite", "server", "key", "authority"),
    [
        ("c02b", "server-p256", "client-p256", "ca-p256"),
        ("003d", "server-rsa2048", "client-rsa2048", "ca-rsa"),
    ],
)
def test_the_board_is_asked_with_keys_that_it_has_suites_for(suite, server, key, authority):
    """Firmware that offers no ECDHE_ECDSA may read no EC keys at all: it is asked with RSA keys, and about EC keys with one of these."""
    made = Made(observed(Outcome.REFUSED, stage=Stage.CONFIG, ended_by=Side.CLIENT))
    made.board.info = replace(made.board.info, hello=replace(HELLO, suites=(suite,)))
    learn_pem(made)
    learn_pkcs8(made)
    learn_ec_keys(made)
    assert made.plans == [(server, authority), (server, key), (server, "client-p256")]


@pytest.mark.parametrize(("number", "takes"), [(-26112, False), (-30592, True), (None, True)])
def test_rsa_pss_is_learned_once(number, takes):
    """Only illegal_parameter from the board itself means that it refuses the RSA-PSS that it offers."""
    made = Made(observed(Outcome.REFUSED if number else Outcome.CONNECTED, number=number))
    assert (takes_own_pss(made), takes_own_pss(made), made.count) == (takes, takes, 1)


@pytest.mark.parametrize("sets", [True, False])
def test_whether_the_clock_can_be_set_is_learned_once(sets):
    """One trial, whatever its result."""
    made, tried = Made(observed(Outcome.CONNECTED)), []
    made.board.altered = SimpleNamespace(can_set_clock=lambda: tried.append(1) or sets)
    learn_clock(made)
    learn_clock(made)
    assert (made.board.info.sets_clock, tried, made.count) == (sets, [1], 0)


def test_a_board_without_the_api_is_not_asked():
    """Firmware that cannot verify or present a certificate is not tested for formats."""
    made = Made(observed(Outcome.CONNECTED))
    made.board.info = BoardInfo()
    learn_pem(made)
    learn_pkcs8(made)
    learn_ec_keys(made)
    assert (made.count, made.board.info) == (0, BoardInfo())


SERVER = ServerFacts(python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x300000D0, suites=())
NOW = 0x6B042AC0
HELLO = HelloFacts(
    record_version="0301", versions=("0303",), suites=("c02b",), groups=(), signature_algorithms=(), extensions=(0, 10, 23),
    sni=None, random=f"{NOW:08x}" + "11" * 28,
)  # fmt: skip
ESP32 = BoardInfo(api=API, tls_library="mbedTLS", hello=HELLO, hello_unix_s=NOW)


def asked(case_id, observation, info, *, facts=SERVER):
    """Return the handshakes of a board that was to be asked twice what decides a case."""
    made = Made(observation)
    made.board.info = info
    for _ in range(2):
        learn_what_decides(find_case(case_id), facts, made)
    return made


@pytest.mark.parametrize(
    ("seen", "refuses"),
    [
        (observed(Outcome.CONNECTED), False),
        (observed(Outcome.REFUSED, alert=45), True),
        (observed(Outcome.REFUSED, alert=48), None),
        (observed(Outcome.REFUSED, number=-9984), None),
    ],
)
def test_dates_are_learned_with_an_expired_certificate(seen, refuses):
    """Only a session or the alert certificate_expired answers; the number alone may be too little memory."""
    made = asked("cert/two-errors-untrusted-expired", seen, ESP32)
    assert (made.board.info.refuses_expired, made.count) == (refuses, 2 if refuses is None else 1)


@pytest.mark.parametrize(
    ("number", "alert", "alerts"), [(-29184, 10, True), (-29184, None, False), (-29184, 40, False), (-29312, 10, None)]
)
def test_an_unknown_record_is_sent_once(number, alert, alerts):
    """The board must refuse the record itself, with or without the alert unexpected_message."""
    made = asked("not-tls/record-too-long", observed(Outcome.REFUSED, number=number, alert=alert), ESP32)
    assert (made.board.info.alerts_unknown_record, made.count) == (alerts, 2 if alerts is None else 1)


@pytest.mark.parametrize(
    ("case_id", "info", "facts"),
    [
        ("cert/good", ESP32, SERVER),
        ("cert/wrong-host", ESP32, SERVER),
        ("cert/expired", ESP32, None),
        ("cert/expired", replace(ESP32, hello=replace(HELLO, extensions=(0, 10))), SERVER),
        ("cert/expired", replace(ESP32, hello=replace(HELLO, versions=("0304", "0303"))), SERVER),
        ("not-tls/http-400", replace(ESP32, hello=replace(HELLO, record_version="0303")), SERVER),
        ("not-tls/http-400", BoardInfo(tls_library="axTLS"), SERVER),
        ("not-tls/half-record", ESP32, SERVER),
    ],
)
def test_a_board_is_asked_only_what_decides(case_id, info, facts):
    """No handshake is made where its answer would not change the expectation."""
    assert asked(case_id, observed(Outcome.CONNECTED), info, facts=facts).count == 0
