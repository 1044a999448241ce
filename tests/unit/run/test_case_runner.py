"""One case on the real virtual board: verdicts, positive controls and faults."""

import dataclasses
import socket

import pytest

from harness.cases import find_case
from harness.errors import BoardError
from harness.expectations.builders import connected
from harness.expectations.needs import READS_DER_ONLY, READS_EC_KEYS, READS_PEM, READS_PKCS8
from harness.model import (
    Case,
    ClientApi,
    ClientPlan,
    Need,
    Outcome,
    ServerProfile,
    Tier,
    VerdictWord,
    Verify,
)
from harness.run.case_runner import CaseRunner
from harness.run.controls import slack_bytes


@pytest.fixture
def runner(lab, spec):
    """Return a runner without remembered controls."""
    known = lab.runner(spec, "in-process")
    made = CaseRunner(
        known.board,
        known.server,
        server_label="in-process",
        certificates=known.handshakes.certificates,
        addresses=known.addresses,
    )
    made.health.was_healthy = True
    yield made
    made.board.quarantine_reason = None


def case(**changes):
    """Return a changed copy of a case that connects."""
    plain = Case(
        id="own/case",
        title="",
        description="",
        tier=Tier.SMOKE,
        server=ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2"),
        client=ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",)),
        expect=connected(version="TLSv1.2"),
    )
    return dataclasses.replace(plain, **changes)


def test_pass(runner):
    """The result has texts in both directions, measurements, and only this case's serial transcript."""
    result = runner.run(case())
    assert (result.verdict.word, result.attempt, result.link_errors) == (VerdictWord.PASS, 1, ())
    seen = result.observation
    number = runner.last.answer.number
    assert (seen.received_by_server, seen.received_by_client) == (f"Hallo, Server! {number}", "Hallo, Client!")
    assert seen.handshake_board_ms > 0
    assert seen.handshake_server_ms > 0
    assert seen.free_before > 0
    assert seen.server_facts.openssl
    assert result.transcript.count("th_run(") == 1


def test_fail_is_never_retried(runner):
    """An unexpected TLS result is kept, however many retries there are."""
    runner.link_retries = 3
    try:
        result = runner.run(case(expect=connected(version="TLSv1.3")))
    finally:
        runner.link_retries = 0
    assert (result.verdict.word, result.attempt) == (VerdictWord.FAIL, 1)
    assert [item.field for item in result.verdict.mismatches] == ["version"]


def test_a_rule_sees_board_and_server(runner):
    """An expectation may be computed from probed facts and the live settings."""
    given = []

    def rule(board, server):
        given.append((board.implementation, server.maximum_version, len(server.keys)))
        return connected()

    assert runner.run(case(expect=rule)).verdict.word is VerdictWord.PASS
    assert set(given) == {("micropython", "TLSv1.2", 1)}


def test_unsupported_by_a_need(runner):
    """A need that is not met is the reason, and nothing is tried."""
    need = Need(name="magic", reason="this firmware has no magic", met=lambda info, server: False)
    result = runner.run(case(needs=(need,)))
    assert (result.verdict.word, result.verdict.reason, result.observation) == (
        VerdictWord.UNSUPPORTED,
        "this firmware has no magic",
        None,
    )


def test_only_a_session_is_weak(runner):
    """A weakness belongs to a connection that exists, and is seen whatever the case is about."""
    plain_rsa = ServerProfile(certificates=("server-rsa2048",), ciphers="AES128-SHA256", maximum_version="TLSv1.2")
    session = runner.run(case(server=plain_rsa, client=ClientPlan())).observation
    assert (session.outcome, session.weak) == (Outcome.CONNECTED, ("no forward secrecy",))
    assert runner.run(case()).observation.weak == ()
    refused_there = dataclasses.replace(plain_rsa, verify=Verify.REQUIRED, client_ca=("ca-p256",))
    refusal = runner.run(case(server=refused_there, client=ClientPlan())).observation
    assert (refusal.outcome, refusal.negotiated.suite) == (Outcome.REFUSED, session.negotiated.suite)
    assert refusal.weak == ()


def test_fingerprint_only_of_an_unrestricted_hello(runner):
    """A ClientHello that the case restricted does not identify the firmware."""
    free = runner.run(case()).observation.client_hello
    shaped = runner.run(
        case(client=ClientPlan(suites=("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",)))
    ).observation.client_hello
    certificate = runner.run(case(client=ClientPlan(certificate="client-p256"))).observation.client_hello
    assert free.fingerprint is not None
    assert shaped.fingerprint is None
    assert certificate.fingerprint is None
    assert [suite for suite in shaped.suites if suite != "00ff"] == ["c02b"]


# ------------------------------------------------------------------ the positive control


@pytest.fixture
def heaps(runner, monkeypatch):
    """Give sessions this much free heap, in order; return the list of plans that were tried."""
    tried, make = [], runner.handshakes.attempt

    def choose(*free_bytes):
        left = list(free_bytes)

        def measured(profile, plan, *, api=ClientApi.SOCKET, within=None):
            done = make(profile, plan, api=api, within=within)
            tried.append(plan)
            return dataclasses.replace(done, observation=dataclasses.replace(done.observation, free_before=left.pop(0)))

        monkeypatch.setattr(runner.handshakes, "attempt", measured)
        return tried

    return choose


def test_a_refusal_runs_its_control(runner, heaps):
    """A refused certificate counts after the same board accepted a good one; the control runs once."""
    control, wrong_ca = find_case("seed/ca-verified"), find_case("seed/wrong-ca")
    tried = heaps(50_000, 50_000, 50_000)
    assert runner.run(wrong_ca).verdict.word is VerdictWord.PASS
    assert runner.run(wrong_ca).verdict.word is VerdictWord.PASS
    assert tried == [wrong_ca.client, control.client, wrong_ca.client]


FREE = 50_000
SLACK = slack_bytes(FREE)


def test_f5_how_much_more_memory_a_control_may_have(runner, heaps):
    """With too little memory a good chain is also refused: a control counts only if it had no more memory than the slack allows."""
    heaps(FREE, FREE + SLACK)
    assert runner.run(find_case("seed/wrong-ca")).verdict.word is VerdictWord.PASS


def test_f5_rb08_a_control_that_had_more_memory_is_run_once_more_with_its_case(runner, heaps):
    """Free memory varies: the second attempt may be close enough; otherwise the refusal proves nothing, which is not a TLS failure."""
    control, wrong_ca = find_case("seed/ca-verified"), find_case("seed/wrong-ca")
    tried = heaps(FREE, FREE + SLACK + 1, FREE, FREE)
    assert runner.run(wrong_ca).verdict.word is VerdictWord.PASS
    assert tried == [wrong_ca.client, control.client] * 2


def test_f5_rb08_a_control_that_has_more_memory_each_time(runner, heaps):
    """If it has more memory each time, the result is an error."""
    heaps(FREE, FREE + SLACK + 1, FREE, FREE + SLACK + 1)
    verdict = runner.run(find_case("seed/wrong-ca")).verdict
    assert (verdict.word, verdict.reason) == (
        VerdictWord.ERROR,
        f"the refusal proves nothing: positive control seed/ca-verified had {SLACK + 1} more bytes of memory",
    )


@pytest.mark.parametrize(("more", "again"), [(SLACK, False), (SLACK + 1, True)])
def test_how_much_more_heap_a_remembered_control_may_have(runner, heaps, more, again):
    """A control that ran before with more heap than the slack allows is run again after the case."""
    control, wrong_ca = find_case("seed/ca-verified"), find_case("seed/wrong-ca")
    tried = heaps(FREE + more, FREE, FREE)
    runner.run(control)
    assert runner.run(wrong_ca).verdict.word is VerdictWord.PASS
    assert tried == [control.client, wrong_ca.client, *([control.client] if again else [])]


def test_the_least_heap_of_a_control_is_remembered(runner, heaps):
    """The control counts for every case that had at least the smallest heap with which it connected."""
    control, wrong_ca = find_case("seed/ca-verified"), find_case("seed/wrong-ca")
    tried = heaps(50_000, 90_000, 50_000)
    runner.run(control)
    runner.run(control)
    assert runner.run(wrong_ca).verdict.word is VerdictWord.PASS
    assert tried == [control.client, control.client, wrong_ca.client]


@pytest.mark.parametrize(
    "changes",
    [
        {"client": ClientPlan(verify=Verify.REQUIRED, ca=("ca-other",))},
        {"server": ServerProfile(certificates=("server-rsa1024",), maximum_version="TLSv1.2")},
    ],
    ids=["refused by the board", "refused by the server's own settings"],
)
def test_a_control_that_cannot_connect_proves_nothing(runner, monkeypatch, changes):
    """If the board accepts no good chain either, or was not tried, its refusal proves nothing."""
    control = dataclasses.replace(find_case("seed/ca-verified"), **changes)
    monkeypatch.setattr("harness.run.case_runner.find_case", {"seed/ca-verified": control}.__getitem__)
    verdict = runner.run(find_case("seed/wrong-ca")).verdict
    assert (verdict.word, verdict.reason) == (
        VerdictWord.ERROR,
        "the refusal proves nothing: positive control seed/ca-verified did not connect: too little memory looks the same",
    )


def test_an_unknown_heap_says_nothing_about_other_cases(runner, heaps):
    """A control whose free heap is unknown counts only for the case that it ran with, and is run again for the next one."""
    control, wrong_ca = find_case("seed/ca-verified"), find_case("seed/wrong-ca")
    tried = heaps(50_000, None, 50_000, 50_000)
    for _ in range(2):
        assert runner.run(wrong_ca).verdict.word is VerdictWord.PASS
    assert tried == [wrong_ca.client, control.client] * 2


def test_no_remembered_control_vouches_for_an_unknown_heap(runner, heaps):
    """If the case's own free heap is unknown, the control is run after it."""
    control, wrong_ca = find_case("seed/ca-verified"), find_case("seed/wrong-ca")
    tried = heaps(0, None, 50_000)
    runner.run(control)
    assert runner.run(wrong_ca).verdict.word is VerdictWord.PASS
    assert tried == [control.client, wrong_ca.client, control.client]


def test_a_control_for_which_the_firmware_has_no_api(runner, monkeypatch):
    """If the agent reports that an API for the control is missing, the case is unsupported, with that name."""
    control, attempt = find_case("seed/ca-verified"), runner.handshakes.attempt

    def lacking(profile, plan, *, api=ClientApi.SOCKET, within=None):
        tried = attempt(profile, plan, api=api, within=within)
        if plan != control.client:
            return tried
        return dataclasses.replace(tried, answer=dataclasses.replace(tried.answer, missing="set_ciphers"))

    monkeypatch.setattr(runner.handshakes, "attempt", lacking)
    verdict = runner.run(find_case("seed/wrong-ca")).verdict
    assert (verdict.word, verdict.reason) == (
        VerdictWord.UNSUPPORTED,
        "the positive control seed/ca-verified cannot run here: this firmware's TLS module has no set_ciphers",
    )


def test_a_control_that_cannot_run(runner, heaps, monkeypatch):
    """If the control needs something that is missing here, the refusal proves nothing: unsupported, and the observation is kept."""
    need = Need(name="magic", reason="this firmware has no magic", met=lambda info, server: False)
    cases = {"seed/ca-verified": dataclasses.replace(find_case("seed/ca-verified"), needs=(need,))}
    monkeypatch.setattr("harness.run.case_runner.find_case", cases.__getitem__)
    tried = heaps(50_000)
    result = runner.run(find_case("seed/wrong-ca"))
    assert (result.verdict.word, result.verdict.reason) == (
        VerdictWord.UNSUPPORTED,
        "the positive control seed/ca-verified cannot run here: this firmware has no magic",
    )
    assert len(tried) == 1
    assert result.observation.outcome is Outcome.REFUSED


# ------------------------------------------------------------------ tried again


@pytest.fixture
def faults(runner, monkeypatch):
    """Let the line fail in sessions by their number, starting at 1; return the list of profiles that were tried."""
    tried, make = [], runner.handshakes.attempt

    def choose(*numbers, retries):
        def dropping(profile, plan, *, api=ClientApi.SOCKET, within=None):
            if within is not None:  # the check of the board after a fault
                return make(profile, plan, within=within)
            tried.append(plan)
            if len(tried) in numbers:
                raise BoardError("the line dropped", kind="lost")
            return make(profile, plan, api=api)

        monkeypatch.setattr(runner.handshakes, "attempt", dropping)
        monkeypatch.setattr(runner, "link_retries", retries)
        return tried

    return choose


def test_a_fault_in_the_control_does_not_repeat_the_case(runner, faults):
    """The case was observed and stays; the control has tries of its own, also after a fault in the case."""
    case_plan, control_plan = (find_case(name).client for name in ("seed/wrong-ca", "seed/ca-verified"))
    tried = faults(1, 3, retries=1)
    result = runner.run(find_case("seed/wrong-ca"))
    assert (result.verdict.word, result.attempt) == (VerdictWord.PASS, 2)
    assert tried == [case_plan, case_plan, control_plan, control_plan]
    assert result.link_errors == ("the line dropped", "the positive control seed/ca-verified failed: the line dropped")


@pytest.mark.parametrize("retries", [0, 1])
def test_a_control_that_never_ends_keeps_the_observation(runner, faults, retries):
    """The error says which session failed, and the case's observation is kept."""
    tried = faults(2, 3, retries=retries)
    result = runner.run(find_case("seed/wrong-ca"))
    assert (result.verdict.word, result.attempt, len(tried)) == (VerdictWord.ERROR, 1, 2 + retries)
    assert result.verdict.reason == "the positive control seed/ca-verified failed: the line dropped"
    assert result.observation.outcome is Outcome.REFUSED
    assert runner.last.observation is result.observation


def test_the_baseline_handshake_has_its_own_retries(runner, faults, monkeypatch):
    """After a case that hung, its observation is kept whatever the result of the next session."""
    silent = case(
        server=ServerProfile(behaviour={"name": "not-tls.silent"}),
        client=ClientPlan(timeout_s=0.3),
        expect=connected(),
    )
    tried = faults(2, retries=1)
    result = runner.run(silent)
    assert (result.verdict.word, result.attempt, result.observation.outcome, len(tried)) == (
        VerdictWord.FAIL,
        1,
        Outcome.HUNG,
        3,
    )
    tried = faults(len(tried) + 2, len(tried) + 3, retries=1)
    result = runner.run(silent)
    assert (result.verdict.word, result.observation.outcome) == (VerdictWord.ERROR, Outcome.HUNG)
    assert result.verdict.reason == "the baseline handshake after the case failed: the line dropped"


def test_evidence_is_of_the_last_attempt(runner, faults):
    """If a second attempt fails, no capture of the first is kept."""
    runner.run(case())
    faults(1, retries=0)
    assert runner.run(case()).verdict.word is VerdictWord.ERROR
    assert runner.last is None


@pytest.mark.parametrize("need", [READS_PEM, READS_DER_ONLY, READS_PKCS8, READS_EC_KEYS], ids=lambda need: need.name)
def test_formats_are_learned_before_a_case_that_needs_one(runner, monkeypatch, need):
    """Before a case that depends on a certificate format, the board is tested for it."""
    fact = {READS_PKCS8: "reads_pkcs8", READS_EC_KEYS: "reads_ec_keys"}.get(need, "reads_pem")
    monkeypatch.setattr(runner.board, "info", dataclasses.replace(runner.board.info, **{fact: None}))
    runner.run(case(needs=(need,)))
    assert getattr(runner.board.info, fact) is not None


# ------------------------------------------------------------------ no verdict


def test_not_reaching_the_server_is_an_error(runner, monkeypatch):
    """A board without a connection is a network fault, with both addresses; never a TLS failure."""
    monkeypatch.setattr(runner.handshakes, "addresses", dataclasses.replace(runner.addresses, advertise="127.0.0.9"))
    result = runner.run(case())
    assert (result.verdict.word, result.observation) == (VerdictWord.ERROR, None)
    assert "cannot reach this server at 127.0.0.9:" in result.verdict.reason
    assert "(--bind, --advertise)" in result.verdict.reason


def test_no_port_is_an_error(runner, monkeypatch):
    """A server without a free port says nothing about TLS."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(runner.handshakes, "addresses", dataclasses.replace(runner.addresses, ports=(port, port)))
        result = runner.run(case())
    assert result.verdict.word is VerdictWord.ERROR
    assert str(port) in result.verdict.reason


def test_the_board_continues_after_an_error(runner):
    """The next case runs normally on the board."""
    assert runner.run(case()).observation.outcome is Outcome.CONNECTED
