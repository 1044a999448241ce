"""The record of one kind of board: how its spec is written, how it is opened, its identity, and who uses it.

Knows no kind: each describes itself in its own file, and `harness.boards.kinds` lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

# Option help is generated from the kinds at every start of pytest: modules for opening a board are imported only then.
if TYPE_CHECKING:
    from harness.boards.locks.occupancy import Occupancy
    from harness.boards.session import BoardSession
    from harness.model import BoardSpec


class Parse(Protocol):
    """Reads the text of a spec."""

    def __call__(self, text: str, *, source: str) -> str | None:
        """Return the target, None for a spec of another kind.

        Args:
            text: the spec.
            source: where the spec was found, for messages.

        Raises:
            UsageError: a spec of this kind that is written wrongly.
        """


def no_check(_spec: BoardSpec) -> None:
    """Accept every spec: opening the board shows whether it exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardKind:
    """One kind of board.

    Args:
        name: in `BoardSpec.kind` and in run.json.
        prefix: what the text of a spec has before its target.
        forms: how a spec is written and which board that is, for messages, option help and docs/lab.md.
        parse: reads the text of a spec.
        open: opens a board; raises BoardError or UsageError.
        identity: the same for a board however its spec is written; raises HarnessError if it cannot be determined.
        occupancy: who uses the board, determined without opening it.
        check: raises UsageError before a run for a board that cannot exist.
        is_virtual: whether a board is made when it is opened, so that one spec under two names is two boards.
        poll_s: seconds between two attempts to open a board that is in use.
    """

    name: str
    prefix: str = ""
    forms: tuple[tuple[str, str], ...]
    parse: Parse
    open: Callable[[BoardSpec], BoardSession]
    identity: Callable[[BoardSpec], str]
    occupancy: Callable[[BoardSpec], Occupancy]
    check: Callable[[BoardSpec], None] = no_check
    is_virtual: bool = False
    poll_s: float = 0.2
