"""Flashing a board: the hook, the port after it, and the version that must be there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.boards import flash as flashing
from harness.boards.flash import flash, must_run_firmware, open_flashed
from harness.boards.kinds import BOARD_KINDS, open_board
from harness.boards.locks.board_lock import Patience
from harness.errors import BoardError, FaultKind
from harness.model import BoardInfo, BoardSettings, BoardSpec, FirmwareChoice

CHOICE = FirmwareChoice(text="1.28=fw.bin", version="1.28", file="/lab/fw.bin")


def spec(*hook: str, firmware: FirmwareChoice | None = CHOICE, **settings: object) -> BoardSpec:
    """Return a board with this flash hook."""
    return BoardSpec(
        text="bench",
        kind="serial",
        target="/dev/ttyUSB9",
        label="bench@1.28" if firmware else "bench",
        firmware=firmware,
        settings=BoardSettings(flash=hook, **settings),  # type: ignore[arg-type]
    )


def python(code: str, *words: str) -> tuple[str, ...]:
    """Return the words of a hook in Python."""
    return (sys.executable, "-c", code, *words)


def test_what_the_hook_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port, the board's own name, the version as given and the file; never the password of the WiFi."""
    monkeypatch.setenv("LAB_WIFI", "secret")
    seen = tmp_path / "seen"
    code = "import os, sys; open(sys.argv[1], 'w').write(' '.join([*sys.argv[2:], str(os.environ.get('LAB_WIFI'))]))"
    hook = python(code, str(seen), "{port}", "{board}", "{firmware}", "{file}")
    flash(spec(*hook, password_env="LAB_WIFI"), port="/dev/ttyACM3")
    assert seen.read_text() == "/dev/ttyACM3 bench 1.28 /lab/fw.bin None"


def test_without_a_firmware_nothing_is_flashed() -> None:
    """A board with a hook is flashed only if --firmware chose a version, and a board without a hook never."""
    flash(spec("/no/such/program", firmware=None), port="x")
    flash(spec(), port="x")


def test_a_hook_that_fails() -> None:
    """Its status and output are shown, and what may be true of the board now."""
    with pytest.raises(BoardError) as caught:
        flash(spec(*python("import sys; print('erasing'); sys.exit(2)")), port="x")
    assert caught.value.message == (
        f"bench@1.28: the flash hook {sys.executable!r} ended with status 2; it printed: erasing; "
        "the board may have no working firmware now"
    )
    assert caught.value.kind is FaultKind.HOOK


def test_a_hook_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed at its deadline, which the board's timeout_multiplier multiplies."""
    monkeypatch.setattr(flashing, "FLASH_S", 0.1)
    with pytest.raises(BoardError) as caught:
        flash(spec(*python("import time; time.sleep(600)"), timeout_multiplier=2.0), port="x")
    assert caught.value.message == (
        f"bench@1.28: the flash hook {sys.executable!r} did not end within 0.2 s and was killed; it printed nothing; "
        "the board may have no working firmware now"
    )


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, pytest.fail.Exception])
def test_an_interrupt_names_the_board(interrupt: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C and pytest-timeout may leave half a firmware: the run says so at once, on which board."""

    def interrupted(*_words: object, **_more: object) -> None:
        raise interrupt

    monkeypatch.setattr(flashing, "run_hook", interrupted)
    board, told = spec("flash"), []
    kind = BOARD_KINDS["unix"]
    monkeypatch.setitem(BOARD_KINDS, "serial", kind)
    with pytest.raises(interrupt):
        open_board(board, patience=Patience(tell=told.append))
    with pytest.raises(interrupt):
        open_board(board)
    assert told == [
        "bench@1.28: interrupted while its flash hook was writing 1.28 to it: the board may have no working firmware now; "
        "flash it again"
    ]


class Port:
    """A port that can be opened after some attempts."""

    def __init__(self, *faults: FaultKind) -> None:
        self.faults = list(faults)

    def __call__(self) -> str:
        if self.faults:
            raise BoardError("cannot open it", kind=self.faults.pop(0))
        return "open"


def test_the_port_may_be_missing_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board with native USB re-enumerates, and another program may have the new port first."""
    monkeypatch.setattr(flashing, "POLL_S", 0.0)
    faults = (FaultKind.MISSING, FaultKind.BUSY, FaultKind.LOST)
    assert open_flashed(spec("flash"), Port(*faults)) == "open"
    for board in (spec("flash", firmware=None), spec()):  # not flashed: reported at once
        for fault in faults:
            with pytest.raises(BoardError, match=r"^cannot open it$") as caught:
                open_flashed(board, Port(fault))
            assert caught.value.kind is fault


def test_a_port_that_does_not_return(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kind is not `busy`: a run that waits for a busy board must not flash it again and again."""
    monkeypatch.setattr(flashing, "RETURN_S", 0.0)
    for fault in (FaultKind.BUSY, FaultKind.FORBIDDEN):
        with pytest.raises(BoardError) as caught:
            open_flashed(spec("flash"), Port(fault))
        assert caught.value.kind is FaultKind.FIRMWARE
        assert caught.value.message == (
            "bench@1.28: its port could not be opened within 0 s after flashing: cannot open it"
        )


@pytest.mark.parametrize(
    ("version", "hook", "message"),
    [
        ((1, 28, 0, ""), ("flash",), None),
        ((1, 28, 0), (), None),
        ((1, 28, 1), ("flash",), "after its flash hook the board runs micropython 1.28.1, expected 1.28.0"),
        ((1, 28, 0, "preview"), (), "its interpreter runs micropython 1.28.0-preview, expected 1.28.0"),
    ],
)
def test_the_version_afterwards(version: tuple[int | str, ...], hook: tuple[str, ...], message: str | None) -> None:
    """Exactly the chosen version must run; anything else is a fault of this column."""
    board, info = spec(*hook), BoardInfo(implementation="micropython", version=version)
    if message is None:
        must_run_firmware(board, info)
        return
    with pytest.raises(BoardError) as caught:
        must_run_firmware(board, info)
    assert (caught.value.message, caught.value.kind) == (
        f"bench@1.28: {message}; no case was run with it",
        FaultKind.FIRMWARE,
    )
    must_run_firmware(spec(*hook, firmware=None), info)


def test_the_hook_of_a_virtual_board(tmp_path: Path) -> None:
    """It runs before the interpreter starts, with its path as the port; a wrong version ends the session and its board."""
    link = tmp_path / "micropython"
    code = "import os, sys; os.symlink(sys.argv[2], sys.argv[1])"
    hook = python(code, "{port}", "{file}")
    wrong = FirmwareChoice(text="1.0=x", version="1.0", file=sys.executable)
    board = BoardSpec(
        text="v", kind="unix", target=str(link), label="v@1.0", firmware=wrong, settings=BoardSettings(flash=hook)
    )
    with pytest.raises(BoardError) as caught:
        open_board(board)
    assert os.readlink(link) == sys.executable
    assert caught.value.kind is FaultKind.NOT_MICROPYTHON
