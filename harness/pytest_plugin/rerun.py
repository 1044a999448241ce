"""The command that runs one test of a run again. Reads pytest's options; runs nothing."""

from __future__ import annotations

import os
import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

AGAIN = "again"


def rerun_command(item: pytest.Item, *, boards: int) -> str:
    """Return the command that runs only this test again from the same directory, with the options that affect it.

    Args:
        item: the test.
        boards: how many boards the run has.
    """
    from harness.reports.record.journal import DEFAULT_ARTIFACTS

    config = item.config
    place = os.path.relpath(item.path, config.invocation_params.dir)
    words = ["pytest", "::".join([place, *item.nodeid.split("::")[1:]])]
    specs = config.getoption("board")
    own = getattr(item, "callspec", None)
    spec = own.params.get("tls_board_spec") if own is not None else None
    if spec is not None and boards > 1:
        from harness.boards.spec import parse_board

        # This board alone, unless its name in the id is longer because of the other boards.
        if parse_board(spec.text, {spec.text: spec}).name == spec.name:
            specs = [spec.text]
    for value in specs:
        words += ["--board", value]
    firmware = spec.firmware if spec is not None else None
    for value in [firmware.text] if firmware is not None else config.getoption("firmware"):
        words += ["--firmware", value]
    for name in ("board-path", "server", "client", "link-profile", "peer"):
        for value in config.getoption(name.replace("-", "_")):
            words += [f"--{name}", value]
    for name in ("boards", "bind", "ports", "advertise", "known"):
        if config.getoption(name):
            words += [f"--{name}", config.getoption(name)]
    if config.getoption("repeat") != "1":
        words += ["--repeat", config.getoption("repeat")]  # the id has the number of rounds
    if config.getoption("cases") != "core":
        words += ["--cases", config.getoption("cases")]
    return shlex.join([*words, "--artifacts", rerun_folder(config.getoption("artifacts") or DEFAULT_ARTIFACTS)])


def rerun_folder(folder: str) -> str:
    """Return the artifacts folder for running one test again, so that the record of the whole run is kept.

    Args:
        folder: of that run.
    """
    return folder if PurePath(folder).name == AGAIN else PurePath(folder, AGAIN).as_posix()
