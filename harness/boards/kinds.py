"""The table of board kinds. A new kind is one file that describes itself, and one row here.

Specs, option help, messages, the list of boards and the table in docs/lab.md all follow from the rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.boards.board_kind import BoardKind
from harness.boards.labgrid.labgrid_kind import LABGRID
from harness.boards.serial.serial_kind import SERIAL
from harness.boards.virtual.virtual_kinds import FAULTY, UNIX

if TYPE_CHECKING:
    from harness.boards.locks.board_lock import Patience
    from harness.boards.locks.occupancy import Occupancy
    from harness.boards.session import BoardSession
    from harness.model import BoardSpec

BOARD_KINDS: dict[str, BoardKind] = {kind.name: kind for kind in (SERIAL, UNIX, FAULTY, LABGRID)}


def spec_forms() -> str:
    """How a board spec may be written, as the end of a sentence."""
    forms = [form for kind in BOARD_KINDS.values() for form, _meaning in kind.forms]
    return f"{', '.join(forms)}, or a name or tag:TAG in boards.toml"


def spec_table() -> list[tuple[str, str]]:
    """How a board spec may be written, with the board that it names; meanings are Markdown."""
    forms = [row for kind in BOARD_KINDS.values() for row in kind.forms]
    return [
        *forms,
        ("a name", "the board with this name in boards.toml"),
        ("tag:TAG", "all boards in boards.toml with this tag"),
    ]


def occupancy(spec: BoardSpec) -> Occupancy:
    """Return whether a board is available, without opening it."""
    return BOARD_KINDS[spec.kind].occupancy(spec)


def open_board(spec: BoardSpec, *, deploy: bool = True, patience: Patience | None = None) -> BoardSession:
    """Open a board and take it over.

    Args:
        spec: a parsed `--board`.
        deploy: False only probes the board (`tls-harness boards --probe`): nothing is written to it and no power is switched.
        patience: how long to wait for a board that is in use; None does not wait.

    Raises:
        BoardError: what is wrong with the port, the board or its network.
        UsageError: the spec names nothing that exists.
    """
    from harness.boards.locks.board_lock import Patience, patiently
    from harness.system.deadline import Deadline

    patience = patience or Patience()
    if not deploy:
        spec = replace(spec, settings=replace(spec.settings, power_cycle=()))
    kind = BOARD_KINDS[spec.kind]
    try:
        session = patiently(lambda: kind.open(spec), patience, label=spec.label, poll_s=kind.poll_s)
    except BaseException as error:
        if patience.tell is not None:
            for note in getattr(error, "__notes__", ()):
                patience.tell(note)  # which board an interrupt left half flashed
        raise
    session.report_to(patience.tell)
    try:
        session.start(deploy=deploy)
    except BaseException:
        session.close(deadline=Deadline(2.0))
        raise
    return session
