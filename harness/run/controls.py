"""Positive controls: a refused certificate counts only if the same board accepts a good chain with no more memory.

Too little memory looks like a bad certificate: docs/facts/micropython.md, "Memory". A control runs with the settings of its case that
limit the negotiation, or firmware that fits the case might not connect. Must not judge the case itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.certificates import Unavailable
from harness.model import DEFAULT_CLIENT, Case, ClientApi, Expectation, Need, Observation, Outcome, Verdict, VerdictWord
from harness.run.handshake import Handshake, Handshakes

_INCONCLUSIVE = "the refusal proves nothing"


def slack_bytes(free_bytes: int) -> int:
    """Return how much more memory a control may have than its case: free memory varies with buffers of WiFi and of the interpreter."""
    return max(1024, free_bytes // 20)


def control_of(case: Case, control: Case) -> Case:
    """Return the control with its case's limits on versions, suites and groups."""
    server, plan = case.server, case.client
    return replace(
        control,
        server=replace(
            control.server,
            ciphers=server.ciphers,
            minimum_version=server.minimum_version,
            maximum_version=server.maximum_version,
            curve=server.curve,
        ),
        client=replace(control.client, suites=plan.suites, suite_words=plan.suite_words),
    )


def _key(case: Case) -> str:
    """Name a case with its settings: a session with others vouches for nothing."""
    return f"{case.id} {case.server} {case.client}"


class Controls:
    """Runs controls, and remembers the least memory with which each connected.

    Args:
        handshakes: of the board and the server.
        api: through which the board connects.
    """

    def __init__(self, handshakes: Handshakes, *, api: ClientApi = DEFAULT_CLIENT) -> None:
        self._handshakes = handshakes
        self._api = api
        self._least: dict[str, int] = {}

    def remember(self, case: Case, seen: Observation) -> None:
        """Record with how much memory a case connected: it may be the control of another."""
        free = seen.free_for_tls
        if free is not None:
            key = _key(case)
            self._least[key] = min(free, self._least.get(key, free))

    @staticmethod
    def is_inconclusive(verdict: Verdict) -> bool:
        """Whether this verdict is `check`'s own, which says that the control proves nothing."""
        return verdict.word is VerdictWord.ERROR and _INCONCLUSIVE in (verdict.reason or "")

    def check(
        self,
        control: Case,
        seen: Observation,
        *,
        unmet: Callable[[Case], Need | None],
        configured: Callable[[Case, Handshake], Expectation | None],
    ) -> Verdict | None:
        """Check that the board accepts the control's chain with no more memory than the case had.

        Args:
            control: with the settings of its case.
            seen: what happened in the case.
            unmet: a function that names a need of the control that is not met.
            configured: a function that says how the server refuses the control because of how its OpenSSL is configured.

        Returns:
            None if it did. `unsupported` if the control cannot run on this board, server or machine. `error` if it did not connect or
            had more memory: then the refusal of the case proves nothing. A control without a known heap counts for one case only.

        Raises:
            BoardError, ServerError: the board, its line or the server failed.
        """
        free, least = seen.free_for_tls, self._least.get(_key(control))
        if free is not None and least is not None and least <= free + slack_bytes(free):
            return None
        try:
            missing = unmet(control)
            handshake = (
                self._handshakes.make(control.server, control.client, api=self._api) if missing is None else None
            )
            missed = handshake.missing_api if handshake is not None else missing and missing.reason
            refusal = configured(control, handshake) if handshake is not None else None
            if refusal is not None:
                missed = f"this server's OpenSSL is configured to refuse it ({refusal.server_reason})"
        except Unavailable as error:
            handshake, missed = None, str(error)
        if handshake is None or missed:
            return Verdict(
                word=VerdictWord.UNSUPPORTED, reason=f"the positive control {control.id} cannot run here: {missed}"
            )
        had = handshake.observation.free_for_tls
        if handshake.observation.outcome is not Outcome.CONNECTED:
            return _inconclusive(f"positive control {control.id} did not connect: too little memory looks the same")
        if had is not None and free is not None and had > free + slack_bytes(free):
            return _inconclusive(f"positive control {control.id} had {had - free} more bytes of memory")
        self.remember(control, handshake.observation)
        return None


def _inconclusive(why: str) -> Verdict:
    return Verdict(word=VerdictWord.ERROR, reason=f"{_INCONCLUSIVE}: {why}")
