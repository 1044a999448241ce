"""One case on one board against one server: run, observe, judge, explain.

Calls the earlier stages in order and decides only what may be retried. A TLS result is data here; faults of the board, the
line or the harness become the verdict `error`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from harness.boards.agent.memory import memory_text
from harness.boards.session import BoardSession
from harness.cases import find_case, form_for
from harness.certificates import Certificates, Unavailable
from harness.errors import BoardError, FaultKind, ServerError
from harness.expectations.asyncio_api import through
from harness.expectations.builders import with_end_of_stream
from harness.expectations.needs import unmet
from harness.explain import explain
from harness.explain.evidence import Evidence
from harness.explain.faults import explain_error, explain_fault
from harness.links.profiles import LinkProfile
from harness.model import (
    DEFAULT_CLIENT,
    Case,
    CaseResult,
    ClientApi,
    ClientPlan,
    Expectation,
    Explanation,
    Need,
    Outcome,
    Stage,
    Verdict,
    VerdictWord,
)
from harness.oracle.earned import Ruling, rule
from harness.oracle.out_of_memory import is_out_of_memory
from harness.run.addresses import Addresses, unreachable_text
from harness.run.board_facts import (
    learn_clock,
    learn_ec_keys,
    learn_pem,
    learn_pkcs8,
    learn_what_decides,
    takes_own_pss,
)
from harness.run.controls import Controls, control_of
from harness.run.handshake import Handshake, Handshakes
from harness.run.health import Health
from harness.run.negotiations import Negotiations
from harness.server import ServerHost

T = TypeVar("T")
TOO_SLOW = "the board's time limit of {:g} s is part of this case, and with the link {} a read may take {:g} s longer"


class CaseRunner:
    """Runs cases on one open board against one server.

    Args:
        board: the open session.
        server: where the TLS servers run.
        server_label: the name of the server in results.
        certificates: makes the keys and certificates that cases name.
        addresses: where the server listens and where the board connects to.
        link_retries: how often a case is repeated after a fault of the line; a TLS result is never repeated.
        client: the API through which the board connects in cases.
        link: the network that the server is behind; None for the network as it is.
    """

    def __init__(
        self,
        board: BoardSession,
        server: ServerHost,
        *,
        server_label: str,
        certificates: Certificates,
        addresses: Addresses,
        link_retries: int = 0,
        client: ClientApi = DEFAULT_CLIENT,
        link: LinkProfile | None = None,
    ) -> None:
        self.board = board
        self.server = server
        self.server_label = server_label
        self.link_retries = link_retries
        self.client = client
        self.link = link
        self.handshakes = Handshakes(board, server, certificates=certificates, addresses=addresses, link=link)
        self.last: Handshake | None = None
        self.health = Health(board, self.handshakes.completes_baseline)
        self._faults: list[str] = []
        self._controls = Controls(self.handshakes, api=client)
        self._negotiations = Negotiations(self._takes_own_pss)

    @property
    def link_name(self) -> str:
        """The name of the network in results; empty for the network as it is."""
        return self.link.name if self.link is not None else ""

    @property
    def addresses(self) -> Addresses:
        """Where the server listens and where the board connects to."""
        return self.handshakes.addresses

    # ------------------------------------------------------------------ a case

    def run(self, case: Case) -> CaseResult:
        """Run one case to its verdict.

        The case is repeated only after a fault in its own handshake. Handshakes that help to judge it (control, baseline) have
        retries of their own; if these fail, the verdict is `error` and the observation is kept.
        """
        self.last, self._faults = None, []
        declared, case = case, form_for(case, self.board.info)
        if self.board.quarantine_reason is not None:
            skipped = self._without_run(case, VerdictWord.ERROR, self.board.quarantine_reason, attempt=1)
            return replace(skipped, explanation=explain_fault(FaultKind.QUARANTINED, self.board.quarantine_reason))
        self.board.begin_case()
        self.health.begin(case.id)
        result = self._run(case)
        self.health.end(self._faults)
        transcript = self.health.transcript if result.verdict.word is VerdictWord.ERROR else None
        return replace(
            result,
            link_errors=tuple(self._faults),
            recovery=tuple(self.health.recovery),
            unverified=case is not declared and case is declared.unverified and result.observation is not None,
            transcript=self.board.transcript() if transcript is None else transcript,
        )

    def _run(self, case: Case) -> CaseResult:
        started = 0

        def own() -> Handshake:
            nonlocal started
            started += 1
            if started > 1:
                self.board.begin_case()
            return self._own(case)

        limit_s = case.client.timeout_s
        if self.link is not None and limit_s is not None and not self.link.fits(limit_s):
            reason = TOO_SLOW.format(limit_s, self.link.name, self.link.wait_s)
            return self._without_run(case, VerdictWord.UNSUPPORTED, reason, attempt=1)
        try:
            missing = self._retried(lambda: self._unmet(case))
            if missing is not None:
                return self._without_run(case, VerdictWord.UNSUPPORTED, missing.reason, attempt=1)
            handshake = self._retried(own)
        except Unavailable as error:
            return self._without_run(case, VerdictWord.UNSUPPORTED, str(error), attempt=max(started, 1))
        except (BoardError, ServerError) as error:
            failed = self._without_run(case, VerdictWord.ERROR, str(error), attempt=max(started, 1))
            return replace(failed, explanation=explain_error(error, faults=tuple(self._faults)))
        if handshake.missing_api is not None:
            return self._without_run(case, VerdictWord.UNSUPPORTED, handshake.missing_api, attempt=started)
        result = self._judged(case, handshake, attempt=started)
        if not self._controls.is_inconclusive(result.verdict):
            return result
        # Free memory changed between the case and its control: run both once more, closer together.
        try:
            return self._judged(case, self._retried(own), attempt=started)
        except (BoardError, ServerError, Unavailable):
            return result

    def _retried(self, what: Callable[[], T], *, step: str = "") -> T:
        """Do something that needs the line, and repeat it after a line fault, at most `link_retries` times.

        `step` names it in the message of a fault, if it is not the case itself.
        """
        limit = len(self._faults) + self.link_retries
        while True:
            try:
                return what()
            except Unavailable:
                self.server.cancel()
                raise
            except (BoardError, ServerError) as error:
                self.server.cancel()
                self._faults.append(f"{step} failed: {error}" if step else str(error))
                if isinstance(error, BoardError):
                    self.health.recover(error)
                if len(self._faults) > limit or self.board.quarantine_reason is not None:
                    raise

    def _unmet(self, case: Case) -> Need | None:
        if case.client.program is not None and self.client is not DEFAULT_CLIENT:
            reason = f"{case.client.program} chooses its own API"
            return Need(name="no-program", reason=reason, met=lambda _info, _server: False)
        return self.lacks(case.needs)

    def lacks(self, needs: tuple[Need, ...]) -> Need | None:
        """Return the first need that this board or server does not meet; some are found out by trying."""
        needed = {need.name for need in needs}
        if needed & {"der-only", "reads-pem"}:
            learn_pem(self.handshakes)
        if "reads-pkcs8" in needed:
            learn_pkcs8(self.handshakes)
        if "ec-keys" in needed:
            learn_ec_keys(self.handshakes)
        if "settable-clock" in needed:
            learn_clock(self.handshakes)
        return unmet(needs, self.board.info, self.server.describe())

    def _own(self, case: Case) -> Handshake:
        """Make the case's handshake; raise if it says nothing about TLS."""
        self.last = None
        handshake = self.last = self.handshakes.attempt(case.server, case.client, api=self.client)
        if handshake.missing_api is not None:
            return handshake
        if handshake.report.facts is None and not isinstance(case.expect, Expectation):
            raise ServerError(f"{case.id}: the server did not report its settings")
        stated = self._stated(case, handshake) if handshake.is_unreachable else None
        if handshake.is_unreachable and (stated is None or stated.stage is not Stage.CONNECT):
            raise BoardError(
                unreachable_text(
                    self.board.info,
                    self.addresses,
                    failure=handshake.observation.client,
                    port=handshake.report.local_port,
                ),
                kind=FaultKind.NETWORK,
            )
        self.handshakes.must_prove(handshake)
        return handshake

    def _judged(self, case: Case, handshake: Handshake, *, attempt: int) -> CaseResult:
        seen, expected = handshake.observation, None
        try:
            if seen.outcome is Outcome.HUNG:
                self._retried(
                    lambda: self.health.check_healthy(f"after {case.id} hung"),
                    step="the baseline handshake after the case",
                )
            self._retried(
                lambda: learn_what_decides(case, handshake.report.facts, self.handshakes),
                step="the handshake that shows how this firmware refuses",
            )
            ruling = self._ruling(case, handshake)
            expected, verdict = ruling.expected, ruling.verdict
            if verdict.word is VerdictWord.PASS and case.positive_control and expected.stage is Stage.HANDSHAKE:
                control = control_of(case, find_case(case.positive_control))
                verdict = (
                    self._retried(
                        lambda: self._controls.check(
                            control, seen, unmet=self._unmet, configured=self._negotiations.refused_by_configuration
                        ),
                        step=f"the positive control {control.id}",
                    )
                    or verdict
                )
            elif verdict.word is VerdictWord.FAIL and seen.client is not None and is_out_of_memory(seen.client):
                memory = self._retried(self.board.memory, step="measuring the free memory")
                verdict = Verdict(word=VerdictWord.UNSUPPORTED, reason=f"too little memory: {memory_text(memory)}")
        except (BoardError, ServerError):
            verdict = Verdict(word=VerdictWord.ERROR, reason=self._faults[-1])
        if verdict.word is VerdictWord.PASS and seen.outcome is Outcome.CONNECTED:
            self._controls.remember(case, seen)
        self._negotiations.remember(handshake, case.client)
        return CaseResult(
            board=self.board.spec.label,
            server=self.server_label,
            client=self.client,
            link=self.link_name,
            case=case.id,
            attempt=attempt,
            verdict=verdict,
            expected=expected,
            observation=seen,
            explanation=self._explanation(case, handshake, verdict=verdict, expected=expected),
        )

    def _explanation(
        self, case: Case, handshake: Handshake, *, verdict: Verdict, expected: Expectation | None
    ) -> Explanation | None:
        """Explain why it did not connect, expected or not, or why it must not have connected."""
        seen = handshake.observation
        if seen.outcome is Outcome.CONNECTED and verdict.word is not VerdictWord.INSECURE:
            return None
        info, planned = self.board.info_in_use(), case.client.clock_unix_s
        return explain(
            Evidence(
                case,
                seen,
                replace(info, clock_unix_s=info.clock_unix_s if planned is None else planned),
                wire=handshake.wire,
                authorities=handshake.authorities,
                expected=expected,
                own_key=handshake.own_key,
                server_places=handshake.server_places,
                client_places=handshake.client_places,
            )
        )

    def _stated(self, case: Case, handshake: Handshake) -> Expectation | None:
        """Return what the case states for this board, server and API; None if it is only about the negotiation."""
        facts, stated = handshake.report.facts, case.expect
        if stated is None:
            return None
        if facts is None:
            if not isinstance(stated, Expectation):
                raise ServerError(f"{case.id}: the server did not report its settings")
            return stated
        expected = stated if isinstance(stated, Expectation) else stated(self.board.info, facts)
        return with_end_of_stream(through(self.client, expected), facts)

    def _ruling(self, case: Case, handshake: Handshake) -> Ruling:
        """Rule on a case by what it states, what is predicted, and what the board did before."""
        return rule(
            case,
            handshake.observation,
            stated=self._stated(case, handshake),
            predicted=self._negotiations.predicted(case, handshake),
            history=self._negotiations.history(case, handshake, usual=self.board.info.hello),
        )

    def _takes_own_pss(self) -> bool:
        step = "the handshake that shows whether the board accepts RSA-PSS"
        return self._retried(lambda: takes_own_pss(self.handshakes), step=step)

    def _without_run(self, case: Case, word: VerdictWord, reason: str, *, attempt: int) -> CaseResult:
        return CaseResult(
            board=self.board.spec.label,
            server=self.server_label,
            client=self.client,
            link=self.link_name,
            case=case.id,
            attempt=attempt,
            verdict=Verdict(word=word, reason=reason),
            expected=None,
            observation=None,
        )

    def baseline_handshake(self) -> Handshake:
        """Have the board connect to a server that every working client can connect to; record whether it does."""
        handshake = self.handshakes.baseline()
        self.health.was_healthy = handshake.connected
        self._negotiations.remember(handshake, ClientPlan())
        if not handshake.connected:
            self.board.notes.append("it does not connect to a server that offers every suite with an RSA and an EC key")
        return handshake

    def explained(self, case: Case, handshake: Handshake, *, expected: Expectation | None) -> Explanation | None:
        """Explain a handshake that this runner did not judge: one that a test of the user's made."""
        return self._explanation(case, handshake, verdict=Verdict(word=VerdictWord.FAIL), expected=expected)
