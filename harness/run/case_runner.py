"""One case on one board against one server: run it, observe it, judge it.

Knows every earlier stage and puts them in order; decides nothing itself but what may be tried again. A TLS result is data here;
only faults of the board, the line or the harness become the verdict `error`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from harness.boards.agent.protocol import Answer
from harness.boards.session import BoardSession
from harness.cases import find_case
from harness.certificates import Certificates, Unavailable
from harness.errors import BoardError, FaultKind, ServerError
from harness.expectations.builders import after_negotiation, with_end_of_stream
from harness.expectations.needs import unmet
from harness.explain import explain
from harness.explain.faults import explain_error, explain_fault
from harness.firmware.fingerprint import fingerprint
from harness.model import (
    Case,
    CaseResult,
    ClientPlan,
    Expectation,
    Explanation,
    Need,
    Observation,
    Outcome,
    ServerProfile,
    ServerReport,
    Side,
    Stage,
    Verdict,
    VerdictWord,
    Verify,
)
from harness.oracle.judge import judge
from harness.oracle.own_offer import before_3_6_7
from harness.oracle.predict import predict
from harness.run.addresses import Reach, unreachable_text
from harness.run.board_answer import client_report
from harness.run.handshake import Attempt, lacks, lie_in, unreachable
from harness.run.health import Health
from harness.run.observe import observe
from harness.server import ServerHost, Serving
from harness.system.deadline import Deadline
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.reading import read_wire

T = TypeVar("T")

# Whoever cannot have a session here cannot have one anywhere: RSA and EC key, plain RSA and CBC suites too.
ANYBODY = ServerProfile(certificates=("server-rsa2048", "server-p256"), ciphers="DEFAULT")
# Free heap may differ this much between a control and its case: the size of one small object each way.
HEAP_SLACK_BYTES = 1024


class CaseRunner:
    """Runs cases on one open board against one server.

    Args:
        board: the open session.
        server: where the TLS servers run; `server_label` is its name in results.
        certificates: makes the keys and certificates that cases name.
        reach: the addresses.
        link_retries: how often a case is tried again after a fault of the line; never after a TLS result.
    """

    def __init__(
        self,
        board: BoardSession,
        server: ServerHost,
        *,
        server_label: str,
        certificates: Certificates,
        reach: Reach,
        link_retries: int = 0,
    ) -> None:
        self.board = board
        self.server = server
        self.server_label = server_label
        self.certificates = certificates
        self.reach = reach
        self.link_retries = link_retries
        self.last: Attempt | None = None
        self.health = Health(board, self._connects)
        self._faults: list[str] = []
        self._controls: dict[str, int] = {}

    # ------------------------------------------------------------------ a case

    def run(self, case: Case) -> CaseResult:
        """Run one case to its verdict.

        Only the case's own handshake decides whether it is tried again. Once observed it stands: a session that only helps to
        judge it has tries of its own; if they are used up the verdict is `error` with the observation kept.
        """
        self.last, self._faults = None, []
        if self.board.set_aside is not None:
            spared = self._without_run(case, VerdictWord.ERROR, self.board.set_aside, attempt=1)
            return replace(spared, explanation=explain_fault(FaultKind.QUARANTINED, self.board.set_aside))
        self.board.begin_case()
        self.health.begin(case.id)
        result = self._run(case)
        self.health.end(self._faults)
        spoilt = self.health.transcript if result.verdict.word is VerdictWord.ERROR else None
        return replace(
            result,
            link_errors=tuple(self._faults),
            recovery=tuple(self.health.recovery),
            transcript=self.board.transcript() if spoilt is None else spoilt,
        )

    def _run(self, case: Case) -> CaseResult:
        started = 0

        def own() -> Attempt:
            nonlocal started
            started += 1
            if started > 1:
                self.board.begin_case()
            return self._own(case)

        try:
            missing = self._retried(lambda: self._unmet(case))
            if missing is not None:
                return self._without_run(case, VerdictWord.UNSUPPORTED, missing.reason, attempt=1)
            tried = self._retried(own)
        except Unavailable as error:
            return self._without_run(case, VerdictWord.UNSUPPORTED, str(error), attempt=max(started, 1))
        except (BoardError, ServerError) as error:
            failed = self._without_run(case, VerdictWord.ERROR, str(error), attempt=max(started, 1))
            return replace(failed, explanation=explain_error(error, faults=tuple(self._faults)))
        if tried.answer is not None and tried.answer.missing:
            return self._without_run(case, VerdictWord.UNSUPPORTED, lacks(tried.answer), attempt=started)
        return self._judged(case, tried, attempt=started)

    def _retried(self, what: Callable[[], T], *, told: str = "") -> T:
        """Do something that needs the line; after a fault of it again, `link_retries` times. `told` says what, beside the case."""
        limit = len(self._faults) + self.link_retries
        while True:
            try:
                return what()
            except Unavailable:
                self.server.cancel()
                raise
            except (BoardError, ServerError) as error:
                self.server.cancel()
                self._faults.append(f"{told} failed: {error}" if told else str(error))
                if isinstance(error, BoardError):
                    self.health.bring_back(error)
                if len(self._faults) > limit or self.board.set_aside is not None:
                    raise

    def _unmet(self, case: Case) -> Need | None:
        needed = {need.name for need in case.needs}
        if needed & {"der-only", "reads-pem"}:
            self._learn_pem()
        if "reads-pkcs8" in needed:
            self._learn_pkcs8()
        return unmet(case.needs, self.board.info, self.server.describe())

    def _own(self, case: Case) -> Attempt:
        """The case's handshake; raises where it says nothing about TLS."""
        self.last = None
        tried = self.last = self.attempt(case.server, case.client)
        if tried.answer is not None and tried.answer.missing:
            return tried
        if tried.report.facts is None and not isinstance(case.expect, Expectation):
            raise ServerError(f"{case.id}: the server did not say what its settings are")
        if unreachable(tried) and self._stated(case, tried).stage is not Stage.CONNECT:
            raise BoardError(
                unreachable_text(
                    self.board.info, self.reach, failure=tried.observation.client, port=tried.report.local_port
                ),
                kind=FaultKind.NETWORK,
            )
        lie = lie_in(tried, address=self.reach.advertise)
        if lie is not None:
            raise BoardError(f"{self.board.spec.label}: {lie}", kind=FaultKind.CONTRADICTION)
        return tried

    def _judged(self, case: Case, tried: Attempt, *, attempt: int) -> CaseResult:
        seen, expected = tried.observation, None
        try:
            if seen.outcome is Outcome.HUNG:
                self._retried(
                    lambda: self.health.still_well(f"after {case.id} hung"), told="the sanity session after the case"
                )
            expected = self._expectation(case, tried)
            verdict = judge(case, expected, seen)
            if verdict.word is VerdictWord.PASS and case.positive_control and expected.ended_by is Side.CLIENT:
                told, faults = f"the positive control {case.positive_control}", len(self._faults)
                verdict = self._retried(lambda: self._with_control(case, seen), told=told) or verdict
                if verdict.word is VerdictWord.FAIL and len(self._faults) > faults:
                    # After a recovery it ran on another heap: that tells nothing of the case.
                    verdict = Verdict(word=VerdictWord.ERROR, reason=f"{self._faults[-1]}; then: {verdict.reason}")
        except (BoardError, ServerError):
            verdict = Verdict(word=VerdictWord.ERROR, reason=self._faults[-1])
        if verdict.word is VerdictWord.PASS and seen.outcome is Outcome.CONNECTED and seen.free_before is not None:
            self._controls[case.id] = min(seen.free_before, self._controls.get(case.id, seen.free_before))
        return CaseResult(
            board=self.board.spec.label,
            server=self.server_label,
            case=case.id,
            attempt=attempt,
            verdict=verdict,
            expected=expected,
            observation=seen,
            explanation=self._explanation(case, tried, verdict=verdict, expected=expected),
            weak=case.weak if seen.outcome is Outcome.CONNECTED else None,
        )

    def _explanation(
        self, case: Case, tried: Attempt, *, verdict: Verdict, expected: Expectation | None
    ) -> Explanation | None:
        """Say why it did not connect, expected or not; of a session only why it must not have been."""
        seen = tried.observation
        if seen.outcome is Outcome.CONNECTED and verdict.word is not VerdictWord.INSECURE:
            return None
        return explain(
            case, seen, self.board.info_in_use(), wire=tried.wire, authorities=tried.authorities, expected=expected
        )

    def _stated(self, case: Case, tried: Attempt) -> Expectation:
        facts, stated = tried.report.facts, case.expect
        if isinstance(stated, Expectation):
            return stated
        if facts is None:
            raise ServerError(f"{case.id}: the server did not say what its settings are")
        return stated(self.board.info, facts)

    def _expectation(self, case: Case, tried: Attempt) -> Expectation:
        facts, hello = tried.report.facts, tried.observation.client_hello
        stated = self._stated(case, tried)
        if facts is not None:
            stated = with_end_of_stream(stated, facts)
        if not case.predicted or hello is None or facts is None:
            # Without a ClientHello nothing was negotiated: a stated session is then simply missed.
            return stated
        predicted = predict(hello, facts)
        older = before_3_6_7(predicted, hello, facts)
        told = "the session that shows whether the board takes RSA-PSS"
        if older is not None and not self._retried(self._takes_own_pss, told=told):
            predicted = older
        return after_negotiation(predicted, stated)

    def _without_run(self, case: Case, word: VerdictWord, reason: str, *, attempt: int) -> CaseResult:
        return CaseResult(
            board=self.board.spec.label,
            server=self.server_label,
            case=case.id,
            attempt=attempt,
            verdict=Verdict(word=word, reason=reason),
            expected=None,
            observation=None,
        )

    def _with_control(self, case: Case, seen: Observation) -> Verdict | None:
        """A refusal of a certificate counts only if this board accepts a good chain with no more heap.

        Too little heap looks like a bad certificate: docs/facts/micropython.md, "Memory".

        Where the control cannot run (it needs what board, server or this machine lack) the case is `unsupported`: nothing
        tells its refusal from any other. A control whose heap is not known vouches only for the case next to it.
        """
        control = find_case(case.positive_control or "")
        heap, known = seen.free_before, self._controls.get(control.id)
        if heap is not None and known is not None and known <= heap + HEAP_SLACK_BYTES:
            return None
        try:
            missing = self._unmet(control)
            tried = self.attempt(control.server, control.client) if missing is None else None
            missed = (
                lacks(tried.answer) if tried and tried.answer and tried.answer.missing else missing and missing.reason
            )
        except Unavailable as error:
            tried, missed = None, str(error)
        if tried is None or missed:
            return Verdict(
                word=VerdictWord.UNSUPPORTED, reason=f"the positive control {control.id} cannot run here: {missed}"
            )
        free = tried.observation.free_before
        if tried.observation.outcome is not Outcome.CONNECTED:
            reason = f"positive control {control.id} did not connect: the refusal proves nothing (too little memory looks the same)"
        elif free is not None and heap is not None and free > heap + HEAP_SLACK_BYTES:
            reason = f"positive control {control.id} had {free - heap} bytes of heap more: the refusal may be too little memory"
        else:
            if free is not None:
                self._controls[control.id] = free
            return None
        return Verdict(word=VerdictWord.FAIL, reason=reason)

    def _learn_pem(self) -> None:
        """Find out once whether the board reads PEM: hand it a good CA as PEM and see whether it connects."""
        if self.board.info.reads_pem is None and self.board.info.can_verify:
            plan = ClientPlan(verify=Verify.REQUIRED, ca=("ca-p256",), ca_format="pem")
            self.board.learn(reads_pem=self._takes(plan))

    def _learn_pkcs8(self) -> None:
        """Find out once whether the board reads PKCS#8: hand it a key that nobody will ask it to use."""
        if self.board.info.reads_pkcs8 is None and self.board.info.can_load_certificate:
            plan = ClientPlan(certificate="client-p256", certificate_format="pkcs8")
            self.board.learn(reads_pkcs8=self._takes(plan))

    def _takes(self, plan: ClientPlan) -> bool | None:
        """Whether the board takes these settings: yes if it connects, no if it refuses them itself; anything else says neither."""
        seen = self.attempt(ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2"), plan).observation
        refused = seen.stage is Stage.CONFIG and seen.ended_by is Side.CLIENT
        return True if seen.outcome is Outcome.CONNECTED else False if refused else None

    def _takes_own_pss(self) -> bool:
        """Find out once whether the board takes RSA-PSS in TLS 1.2, with a handshake that is no case's."""
        if self.board.info.takes_own_pss is None:
            profile = ServerProfile(certificates=("server-rsa2048",), ciphers="ECDHE+aRSA", maximum_version="TLSv1.2")
            seen = self.attempt(profile, ClientPlan()).observation
            refused = seen.client is not None and seen.client.number == mbedtls.SSL_ILLEGAL_PARAMETER
            self.board.learn(takes_own_pss=not refused)
        return self.board.info.takes_own_pss is not False

    # ------------------------------------------------------------------ sanity

    def first_session(self) -> Attempt:
        """Let the board have the session that any client can have: both key types, every suite OpenSSL has on."""
        tried = self.attempt(ANYBODY, ClientPlan())
        self.health.was_well = tried.observation.outcome is Outcome.CONNECTED
        if not self.health.was_well:
            self.board.notes.append(
                "it does not complete a session with a server that takes every suite and has both key types"
            )
        return tried

    def _connects(self, deadline: Deadline | None) -> bool:
        try:
            return self.attempt(ANYBODY, ClientPlan(), within=deadline).observation.outcome is Outcome.CONNECTED
        except BoardError:
            self.server.cancel()
            raise

    # ------------------------------------------------------------------ one handshake

    def attempt(self, profile: ServerProfile, plan: ClientPlan, *, within: Deadline | None = None) -> Attempt:
        """Let the board connect once to a server of this profile, by `within` if that is sooner than a session's own time.

        Raises:
            BoardError: the board or its line failed.
            ServerError: the server side of the harness failed.
            Unavailable: this machine cannot make a certificate that is named.
        """
        self.board.refuse_if_set_aside()
        started = time.monotonic()
        limit_s = self.board.scaled(45.0)
        request, blobs = self.board.prepare(plan, self.certificates)
        serving = Serving(
            bind=self.reach.bind,
            ports=self.reach.ports,
            peers=self.reach.peers,
            expect_bytes=0 if plan.close_first else max(plan.send_bytes or 0, len(plan.text.encode())),
            send_bytes=plan.receive_bytes,
            handshake_timeout_s=self.board.scaled(30.0),
            idle_timeout_s=self.board.scaled(30.0),
        )
        start = self.server.open(profile, serving)
        if start.failure is not None or start.port is None:
            answer = None
            report = self.server.finish(Deadline(1.0))
        else:
            answer = self.board.connect(
                replace(request, host=self.reach.advertise, port=start.port),
                blobs,
                deadline=Deadline(limit_s) if within is None else within.within(limit_s),
            )
            report = self._report(answer)
        wire = read_wire(report.wire)
        client = client_report(answer, self.board.info, hello_sent=wire.client_hello is not None) if answer else None
        case_ms = round((time.monotonic() - started) * 1000, 2)
        seen = observe(report, client, wire, plan=plan, case_ms=case_ms)
        if plan.suites is None and plan.certificate is None and seen.client_hello is not None:
            named = replace(seen.client_hello, fingerprint=fingerprint(seen.client_hello))
            seen = replace(seen, client_hello=named)
        trusted = tuple(blobs[name] for name in request.ca)
        return Attempt(observation=seen, report=report, answer=answer, wire=wire, authorities=trusted)

    def _report(self, answer: Answer) -> ServerReport:
        """Take the server's report; one that nobody connected to is ended at once instead of waiting out its time."""
        if answer.stage in (Stage.CONFIG, Stage.CONNECT) or answer.missing:
            ended = self.server.cancel()
            if ended is not None:
                return ended
        return self.server.finish(Deadline(self.board.scaled(10.0)))
