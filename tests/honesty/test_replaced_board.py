"""The board is exchanged in mid-run: another firmware answers on the same port. Its results must not be filed under the old name."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import Interpreter, find_interpreter
from harness.cases import select
from harness.errors import HarnessError
from harness.model import BoardSettings, BoardSpec, VerdictWord
from harness.run.lab import Lab
from harness.run.options import RunOptions

CASES = select("smoke")[:8]
BEFORE = 4


@pytest.fixture
def interpreters() -> tuple[Interpreter, Interpreter]:
    """The packaged interpreter, and the older one that $MICROPYTHON_OLD names."""
    path = os.environ.get("MICROPYTHON_OLD")
    if not path:
        pytest.skip("$MICROPYTHON_OLD names no other interpreter (`python3 tools/fetch_debian.py` gets Debian's)")
    try:
        return find_interpreter(""), find_interpreter(path)
    except HarnessError as error:
        pytest.skip(str(error))


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab that is closed at the end."""
    made = Lab(RunOptions(boards=()))
    yield made
    made.close()


@pytest.mark.parametrize("order", ["old-to-new", "new-to-old"])
def test_another_firmware_in_mid_run(lab: Lab, interpreters: tuple[Interpreter, Interpreter], order: str) -> None:
    """Results of before stay; the case in between is `error`, and so is everything after, with what changed."""
    new, old = interpreters
    second, target = (old, "") if order == "new-to-old" else (new, os.environ["MICROPYTHON_OLD"])
    spec = BoardSpec(text="unix", kind="unix", target=target, label="unix", settings=BoardSettings())
    runner = lab.runner(spec, "in-process")
    firmware = runner.board.info.firmware
    before = [runner.run(case).verdict.word for case in CASES[:BEFORE]]
    owner = runner.board._owner
    assert isinstance(owner, VirtualBoard)
    owner.interpreter, owner._has_raw_repl = second, second is new  # an interpreter before 1.27 has none of its own
    owner.reset()
    after = [runner.run(case).verdict for case in CASES[BEFORE:]]
    assert set(before) <= {VerdictWord.PASS, VerdictWord.UNSUPPORTED}
    assert {verdict.word for verdict in after} == {VerdictWord.ERROR}
    assert runner.board.info.firmware == firmware
    reason = after[-1].reason or ""
    assert "this is no longer the board that was probed: " in reason
    assert f"firmware {firmware} -> " in reason


def test_the_same_firmware_after_a_restart(lab: Lab) -> None:
    """A board that only restarted goes on: the same interpreter is the same board."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    runner = lab.runner(
        BoardSpec(text="unix", kind="unix", target="", label="unix", settings=BoardSettings()), "in-process"
    )
    owner = runner.board._owner
    assert isinstance(owner, VirtualBoard)
    owner.reset()
    words = [runner.run(case).verdict.word for case in CASES[:3]]
    assert words[0] is VerdictWord.ERROR
    assert set(words[1:]) <= {VerdictWord.PASS, VerdictWord.UNSUPPORTED}
