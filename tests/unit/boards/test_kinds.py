"""The table of board kinds, and opening a board by its spec: every kind, without leaks."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from harness.boards.kinds import BOARD_KINDS, open_board, spec_table
from harness.boards.lab_file import parse_lab
from harness.boards.session import BoardSession
from harness.boards.spec import parse_board
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import BoardError
from harness.system.deadline import Deadline

DOCS = Path(__file__).resolve().parents[3] / "docs" / "lab.md"
# Examples for the placeholders of a form.
PLACEHOLDERS = {"a device path": "/dev/ttyUSB0", "SERIAL": "1", "HOST": "h", "PORT": "1", "NAME": "slow", "PLACE": "p"}


def example(form: str) -> str:
    """Return a spec that is written in this form."""
    for word, value in PLACEHOLDERS.items():
        form = form.replace(word, value)
    return form


@pytest.mark.parametrize("name", BOARD_KINDS)
def test_forms_are_accepted(name: str) -> None:
    """Every form that help and messages list is accepted, and belongs to the kind that lists it."""
    kind = BOARD_KINDS[name]
    assert kind.forms
    assert {parse_board(example(form), {}).kind for form, _meaning in kind.forms} == {name}


def test_prefix() -> None:
    """Prefix and target are the text of the spec again: `tls-harness boards` shows it for a board of boards.toml."""
    for kind in BOARD_KINDS.values():
        for form, _meaning in kind.forms:
            spec = parse_board(example(form), {})
            assert spec.text in (f"{kind.prefix}{spec.target}", kind.name)


def test_table_in_the_docs() -> None:
    """docs/lab.md lists every form of a spec; UPDATE_TEXTS=1 rewrites it."""
    before, mark, rest = DOCS.read_text(encoding="utf-8").partition("<!-- board specs -->\n")
    old, end, after = rest.partition("<!-- end of board specs -->\n")
    assert mark
    assert end
    rows = "".join(f"| {f'`{form}`' if form[:2] != 'a ' else form} | {meaning} |\n" for form, meaning in spec_table())
    new = f"| spec | board |\n|---|---|\n{rows}"
    if os.environ.get("UPDATE_TEXTS"):
        DOCS.write_text(f"{before}{mark}{new}{end}{after}", encoding="utf-8")
    else:
        assert old == new


def test_serial() -> None:
    """A board at a path is opened as a serial port, with its settings of boards.toml."""
    virtual = VirtualBoard(find_interpreter(""))
    try:
        lab = parse_lab({"board": {"desk": {"spec": virtual.port, "baud": 9600, "dtr": False}}}, file="boards.toml")
        session = open_board(lab["desk"], deploy=False)
        assert session.info.implementation == "micropython"
        assert (session.link._port.port.baudrate, session.link._port.port.dtr) == (9600, False)
        session.close(deadline=Deadline(60))
    finally:
        virtual.close()


def test_heap_of_a_virtual_board() -> None:
    """boards.toml's heap_bytes reaches the interpreter."""
    lab = parse_lab({"board": {"small": {"spec": "unix", "heap_bytes": 400_000}}}, file="boards.toml")
    session = open_board(lab["small"], deploy=False)
    total = session.info.heap_total_bytes
    session.close(deadline=Deadline(60))
    assert total is not None
    assert 300_000 < total <= 400_000


def test_open_board_leaves_nothing() -> None:
    """After opening and closing a board the process is as before."""
    open_board(parse_board("unix", {})).close(deadline=Deadline(60))
    before = (len(os.listdir("/proc/self/fd")), threading.active_count())
    session = open_board(parse_board("unix", {}))
    session.close(deadline=Deadline(60))
    session.close(deadline=Deadline(60))
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before


def test_open_board_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board whose start fails leaves nothing either."""

    def broken(self: BoardSession, *, deploy: bool = True) -> None:
        raise BoardError("no", kind="silent")

    open_board(parse_board("unix", {})).close(deadline=Deadline(60))
    before = (len(os.listdir("/proc/self/fd")), threading.active_count())
    monkeypatch.setattr(BoardSession, "start", broken)
    with pytest.raises(BoardError, match="no"):
        open_board(parse_board("unix", {}))
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before
