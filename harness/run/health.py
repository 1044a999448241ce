"""Whether a board is well: what it could do at first, how it is brought back after a fault, and when it is given up.

Knows that a board in order completes the session it began with. Must not know how such a session is made: it is given one.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.boards.session import BoardSession
from harness.errors import BoardError, FaultKind, ServerError
from harness.model import RecoveryStep
from harness.system.deadline import Deadline

# A board that meets a fault in so many cases on end is given up, also if it came back each time.
FAULTS_IN_A_ROW = 3


class Health:
    """The state of one board in the hands of one runner.

    Args:
        board: the open session.
        connects: lets the board have the session that any client can have, by the deadline if there is one; whether it
            completed it. Raises BoardError or ServerError.
    """

    def __init__(self, board: BoardSession, connects: Callable[[Deadline | None], bool]) -> None:
        self._board = board
        self._connects = connects
        self._in_a_row = 0
        self._case = "its first session"
        self.was_well = False
        self.recovery: list[RecoveryStep] = []
        self.transcript: str | None = None

    def begin(self, case: str) -> None:
        """A case begins: what is tried from now on belongs to it."""
        self._case, self.recovery, self.transcript = case, [], None

    def end(self, faults: list[str]) -> None:
        """A case has ended, with these faults of board or line."""
        self._in_a_row = self._in_a_row + 1 if faults else 0
        if self._in_a_row >= FAULTS_IN_A_ROW and self._board.set_aside is None:
            reason = f"{FAULTS_IN_A_ROW} cases in a row met a fault, the last {self._case}: {faults[-1]}"
            self.recovery.append(self._board.put_aside(reason))

    def still_well(self, when: str, *, deadline: Deadline | None = None) -> None:
        """Have the first session once more; a board that was never well, or is set aside, is not asked.

        Args:
            when: for the message, as in "after suites/x hung".
            deadline: by when; None leaves a session's own time.

        Raises:
            BoardError: `sick`: the board completed it at first, and does not now.
        """
        if self.was_well and self._board.set_aside is None and not self._connects(deadline):
            raise BoardError(
                f"{self._board.spec.label}: {when} the board no longer completes the session it began with; "
                "its results since then are in doubt",
                kind=FaultKind.UNHEALTHY,
            )

    def bring_back(self, fault: BoardError) -> None:
        """Bring the board back after a fault, until it completes the session it began with; else it is set aside."""
        if self._board.set_aside is not None:
            return
        # What is left of a fault may have come while the case before had the line.
        self.transcript = self._board.transcript() or fault.transcript
        what = fault.message.removeprefix(f"{self._board.spec.label}: ")
        self.recovery += self._board.recover(because=f"{self._case}: {what}", check=self._check)

    def _check(self, deadline: Deadline) -> None:
        try:
            self.still_well("after a fault", deadline=deadline)
        except ServerError as error:
            raise BoardError(f"the session after a fault failed: {error}", kind=FaultKind.UNHEALTHY) from error
