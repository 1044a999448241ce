"""Whether the board at the other end is still the one that was probed: its firmware, build and unique id.

A board may be exchanged or flashed in mid-run, and answers under the same port. Knows the steps of the probe that tell who it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.boards.agent.console import Console
from harness.boards.agent.probe import parse_probe, probe_steps, run_step
from harness.errors import BoardError, FaultKind
from harness.model import BoardInfo

STEPS = ("implementation", "platform", "machine", "build", "unique_id")


def must_be_same(console: Console, before: BoardInfo) -> None:
    """Check that the board is the one that was probed; the checksums must be on it.

    Args:
        console: of the board as it is now.
        before: what the probe found.

    Raises:
        BoardError: `replaced`: it is another one, or runs another firmware; else as `probe_board`.
    """
    now = parse_probe(run_step(console, code) for name, code in probe_steps() if name in STEPS)
    changes = identity_changes(before, now)
    if changes:
        raise BoardError(replaced_text(console.label, changes), kind=FaultKind.REPLACED)


def replaced_text(label: str, changes: tuple[str, ...]) -> str:
    """Say that the board under this name is another one now."""
    return f"{label}: this is no longer the board that was probed: {'; '.join(changes)}"


def identity_changes(before: BoardInfo, now: BoardInfo) -> tuple[str, ...]:
    """Return what differs between two probes, as `what OLD -> NEW`; empty for the same board with the same firmware."""
    return changed_facts(identity_of(before), identity_of(now))


def identity_of(info: BoardInfo) -> dict[str, str | None]:
    """Return what tells who a board is, by its name in messages."""
    return {
        "implementation": info.implementation,
        "firmware": info.firmware,
        "version": info.version_text,
        "platform": info.platform,
        "machine": info.machine,
        "build": info.build,
        "unique id": info.unique_id,
    }


def changed_facts(before: Mapping[str, str | None], now: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return what differs between two identities, as `what OLD -> NEW`."""
    return tuple(
        f"{what} {old or 'none'} -> {now.get(what) or 'none'}" for what, old in before.items() if old != now.get(what)
    )


def hardware_changes(before: Mapping[str, str | None], now: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return what differs between the identities of one board with two firmwares: what no firmware changes, if both report it."""
    facts = [what for what in ("platform", "unique id") if before.get(what) and now.get(what)]
    return changed_facts({what: before[what] for what in facts}, now)
