"""Whether a board is healthy, how it is recovered after a fault, and when it is quarantined.

A healthy board completes the baseline handshake if it did so at first. Must not know how a handshake is made.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.boards.session import BoardSession
from harness.errors import BOARD_IS_FINE, BoardError, FaultKind, ServerError
from harness.model import RecoveryStep
from harness.system.deadline import Deadline

# Quarantine a board after faults in this many consecutive cases, even if each recovery succeeded.
FAULTS_IN_A_ROW = 3


class Health:
    """The health of one board as one runner sees it.

    Args:
        board: the open session.
        connects: makes the baseline handshake before the deadline, if there is one, and returns whether it connected.
            Raises BoardError or ServerError.
    """

    def __init__(self, board: BoardSession, connects: Callable[[Deadline | None], bool]) -> None:
        self._board = board
        self._connects = connects
        self._in_a_row = 0
        self._excused = 0
        self._case = "its baseline handshake"
        self.was_healthy = False
        self.recovery: list[RecoveryStep] = []
        self.transcript: str | None = None

    def begin(self, case: str) -> None:
        """Begin a case: recovery steps from now on belong to it."""
        self._case, self.recovery, self.transcript, self._excused = case, [], None, 0

    def end(self, faults: list[str]) -> None:
        """End a case; quarantine the board after too many cases with faults.

        Args:
            faults: the faults during the case; those in which the board itself works do not count.
        """
        self._in_a_row = self._in_a_row + 1 if len(faults) > self._excused else 0
        if self._in_a_row >= FAULTS_IN_A_ROW and self._board.quarantine_reason is None:
            reason = f"{FAULTS_IN_A_ROW} cases in a row had a fault, the last {self._case}: {faults[-1]}"
            self.recovery.append(self._board.quarantine(reason))

    def check_healthy(self, when: str, *, deadline: Deadline | None = None) -> None:
        """Repeat the baseline handshake, unless the board never completed it or is quarantined.

        Args:
            when: for the message, as in "after suite/x hung".
            deadline: when it must be over; None for a session's own time limit.

        Raises:
            BoardError: the board completed it at first and does not now.
        """
        if self.was_healthy and self._board.quarantine_reason is None and not self._connects(deadline):
            raise BoardError(
                f"{self._board.spec.label}: {when} the board no longer completes the baseline handshake; "
                "do not trust its results since then",
                kind=FaultKind.UNHEALTHY,
            )

    def recover(self, fault: BoardError) -> None:
        """Recover the board after a fault until it completes the baseline handshake, or quarantine it.

        Nothing is recovered where the board itself works: another client took its connection, or it ignored a setting.
        """
        if self._board.quarantine_reason is not None:
            return
        # The transcript of a fault may have begun during the case before.
        self.transcript = self._board.transcript() or fault.transcript
        if fault.kind in BOARD_IS_FINE:
            self._excused += 1
            return
        what = fault.message.removeprefix(f"{self._board.spec.label}: ")
        self.recovery += self._board.recover(because=f"{self._case}: {what}", check=self._check)

    def _check(self, deadline: Deadline) -> None:
        try:
            self.check_healthy("after a fault", deadline=deadline)
        except ServerError as error:
            raise BoardError(
                f"the baseline handshake after a fault failed: {error}", kind=FaultKind.UNHEALTHY
            ) from error
