"""The command that runs one test of a run again. Reads what pytest was told; runs nothing."""

from __future__ import annotations

import os
import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

AGAIN = "again"


def rerun_command(item: pytest.Item, *, boards: int) -> str:
    """The command that runs just this test again from the same directory, with the options that matter for it.

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

        # The board alone, unless its short name in the id came from standing beside others.
        if parse_board(spec.text, {spec.text: spec}).label == spec.label:
            specs = [spec.text]
    for value in specs:
        words += ["--board", value]
    for name in ("server", "peer"):
        for value in config.getoption(name):
            words += [f"--{name}", value]
    for name in ("boards", "bind", "ports", "advertise", "known"):
        if config.getoption(name):
            words += [f"--{name}", config.getoption(name)]
    if config.getoption("repeat") != "1":
        words += ["--repeat", config.getoption("repeat")]  # the id names one of so many runs
    if config.getoption("cases") != "core":
        words += ["--cases", config.getoption("cases")]
    return shlex.join([*words, "--artifacts", beside(config.getoption("artifacts") or DEFAULT_ARTIFACTS)])


def beside(folder: str) -> str:
    """Where the single case writes: not over the record and the page of the run that somebody is just reading.

    Args:
        folder: of that run.
    """
    return folder if PurePath(folder).name == AGAIN else PurePath(folder, AGAIN).as_posix()
