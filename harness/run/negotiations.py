"""The negotiations of one board with one server: which result is predicted, and what the board did before.

A prediction trusts the ClientHello that it is given. What the board did before shows whether that hello was the board's usual one. Must
not judge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.expectations.servers import refuses_short_key
from harness.model import Case, ClientPlan, Expectation, HelloFacts, Outcome, ServerFacts, Stage, Subject
from harness.oracle.earned import History
from harness.oracle.own_offer import before_3_6_7
from harness.oracle.predict import predict
from harness.run.handshake import Handshake
from harness.wire.suites import suite_code


class Negotiations:
    """Predicts negotiations, and remembers the settings with which they succeeded.

    Args:
        takes_own_pss: whether the board accepts in TLS 1.2 the RSA-PSS that it offers; asked only where that decides.
    """

    def __init__(self, takes_own_pss: Callable[[], bool]) -> None:
        self._takes_own_pss = takes_own_pss
        self._succeeded: set[tuple[object, ...]] = set()
        self._completed = False

    def predicted(self, case: Case, handshake: Handshake) -> Expectation | None:
        """Return the predicted result of a case's negotiation; None if it is not predicted, or nothing was negotiated.

        It is predicted for every case if the server's OpenSSL is configured (openssl.cnf, crypto-policies) so that it refuses its own key,
        or this hello: no case is about that.

        Raises:
            BoardError, ServerError: the board had to be asked, and that failed.
        """
        facts, hello = handshake.report.facts, handshake.observation.client_hello
        if facts is None:
            return None
        if hello is None:
            return refuses_short_key(facts) if handshake.observation.stage is Stage.CONFIG else None
        if not case.predicted and self.refused_by_configuration(case, handshake) is None:
            return None
        return self._predict(hello, facts)

    def refused_by_configuration(self, case: Case, handshake: Handshake) -> Expectation | None:
        """Return how the server refuses this hello only because of settings that the case did not ask for; None if it does not."""
        facts, hello = handshake.report.facts, handshake.observation.client_hello
        if facts is None or hello is None:
            return None
        # A maximum below the case's may be all that this OpenSSL has; and what Python shows of openssl.cnf is the minimum.
        as_asked = replace(facts, minimum_version=case.server.minimum_version, found=None)
        if as_asked == facts or predict(hello, as_asked).outcome is not Outcome.CONNECTED:
            return None
        refusal = predict(hello, facts)
        return refusal if refusal.outcome is not Outcome.CONNECTED else None

    def history(self, case: Case, handshake: Handshake, *, usual: HelloFacts | None) -> History:
        """Return what the board did before this case.

        Args:
            case: the case.
            handshake: how it went.
            usual: the ClientHello that the board sends without restrictions.
        """
        facts, seen = handshake.report.facts, handshake.observation
        if facts is None or Subject.SERVER_CERTIFICATE in seen.reached:
            return History(completed=self._completed)  # it came through
        hello = planned_hello(usual, case.client)
        by_hello = hello is not None and self._predict(hello, facts).outcome is Outcome.CONNECTED
        return History(
            completed=self._completed,
            negotiates=self._completed and (by_hello or _settings(facts, case.client) in self._succeeded),
            configured=self.refused_by_configuration(case, handshake) is not None,
        )

    def remember(self, handshake: Handshake, plan: ClientPlan) -> None:
        """Note a handshake: whether it was completed, and whether its settings came through the negotiation."""
        seen, facts = handshake.observation, handshake.report.facts
        self._completed = self._completed or seen.outcome is Outcome.CONNECTED
        if facts is not None and Subject.SERVER_CERTIFICATE in seen.reached:
            self._succeeded.add(_settings(facts, plan))

    def _predict(self, hello: HelloFacts, facts: ServerFacts) -> Expectation:
        predicted = predict(hello, facts)
        older = before_3_6_7(predicted, hello, facts)
        return predicted if older is None or self._takes_own_pss() else older


def planned_hello(usual: HelloFacts | None, plan: ClientPlan) -> HelloFacts | None:
    """Return the ClientHello that a plan makes of the usual one, as far as the negotiation depends on it; None if that is not known."""
    if usual is None or plan.suite_words is not None or plan.psk_key is not None:
        return None
    if plan.suites is None:
        return usual
    codes = tuple(f"{code:04x}" for name in plan.suites if (code := suite_code(name)) is not None)
    return replace(usual, suites=codes)


def _settings(facts: ServerFacts, plan: ClientPlan) -> tuple[object, ...]:
    """Return what a negotiation depends on: the key types and settings of the server, and the client's restrictions."""
    keys = tuple(sorted((key.type, key.curve or "", key.key_usage or ()) for key in facts.keys))
    versions = (facts.minimum_version, facts.maximum_version)
    client = (plan.suites, plan.suite_words, plan.psk_identity)
    return (keys, facts.suites, versions, facts.groups, facts.security_level, *client)
