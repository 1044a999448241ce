"""Flash a board with the firmware that `--firmware` chose for it, by the lab's own `flash` hook, and check what it runs afterwards.

Knows the hook and how long the port may be missing after it. The port must be closed and the board locked meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from harness.boards.hooks import hook_arguments, run_hook
from harness.errors import BoardError, FaultKind
from harness.model import BoardInfo, BoardSpec
from harness.system.deadline import Deadline

# 2 MB at 115200 baud take 180 s; erasing the flash first takes up to 60 s. Times timeout_multiplier.
FLASH_S = 300.0
# Until the port of a board with native USB is there again, and no other program, such as ModemManager, has it open.
RETURN_S = 30.0
POLL_S = 0.2
# At its first start with new firmware a board may format its filesystem: some seconds per megabyte.
FIRST_START_S = 30.0
PASSES = frozenset({FaultKind.MISSING, FaultKind.BUSY, FaultKind.LOST})
T = TypeVar("T")


def flash(spec: BoardSpec, *, port: str) -> None:
    """Run the flash hook of a board, if it has one and a firmware was chosen.

    Args:
        spec: of the board, with its firmware.
        port: its name now; closed.

    Raises:
        BoardError: `hook`: the hook failed or did not end in time. The message says that the board may have no firmware.
    """
    if spec.firmware is None or not spec.settings.flash:
        return
    words = hook_arguments(
        spec.settings.flash, port=port, board=spec.name, firmware=spec.firmware.version, file=spec.firmware.file
    )
    try:
        run_hook(
            words,
            name="flash",
            board=spec.label,
            deadline=Deadline(FLASH_S * spec.settings.timeout_multiplier),
            strip_env=(spec.settings.password_env or "",),
        )
    except BoardError as error:
        raise BoardError(
            f"{error.message}; the board may have no working firmware now", kind=error.kind, transcript=error.transcript
        ) from error
    except BaseException as error:
        # Ctrl-C, SIGTERM or pytest-timeout; `open_board` reports it, because nobody else may see this exception's text.
        error.add_note(
            f"{spec.label}: interrupted while its flash hook was writing {spec.firmware.version} to it: the board may have no "
            "working firmware now; flash it again"
        )
        raise


def open_flashed(spec: BoardSpec, attempt: Callable[[], T]) -> T:
    """Open the port of a board, and after flashing wait until that succeeds.

    Args:
        spec: of the board.
        attempt: finds and opens the port.

    Raises:
        BoardError: as `attempt`; after flashing `firmware`, so that nobody who waits for a busy board flashes it again.
    """
    if spec.firmware is None or not spec.settings.flash:
        return attempt()
    deadline, pause = Deadline(RETURN_S * spec.settings.timeout_multiplier), threading.Event()
    while True:
        try:
            return attempt()
        except BoardError as error:
            if error.kind in PASSES and not deadline.expired:
                pause.wait(min(POLL_S, deadline.remaining_s))
                continue
            raise BoardError(
                f"{spec.label}: its port could not be opened within {deadline.timeout_s:g} s after flashing: {error.message}",
                kind=FaultKind.FIRMWARE,
            ) from error


def must_run_firmware(spec: BoardSpec, info: BoardInfo) -> None:
    """Check that a board runs the chosen firmware.

    Args:
        spec: of the board.
        info: what the probe found.

    Raises:
        BoardError: `firmware`: it runs another version.
    """
    if spec.firmware is None or info.firmware == spec.firmware.probed:
        return
    who = "after its flash hook the board" if spec.settings.flash else "its interpreter"
    raise BoardError(
        f"{spec.label}: {who} runs {info.implementation} {info.firmware}, expected {spec.firmware.probed}; "
        "no case was run with it",
        kind=FaultKind.FIRMWARE,
    )
