"""pytest-timeout under the harness's own time limits: it must come later than all of them, and a test that it ends is a result.

Knows pytest-timeout's option, variable and marker by name. A limit that somebody chose for this run is left as it is.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import pytest

from harness.boards.recovery import LADDER_S
from harness.pytest_plugin.run import options_of

if TYPE_CHECKING:
    from harness.model import BoardSpec

# In seconds, for a board of ordinary speed: raw REPL, probe, agent, network and clock; one session with its server's report.
OPENING_S = 180.0
SESSION_S = 60.0


def needed_s(timeout_multiplier: float, *, link_retries: int) -> float:
    """How long one test with a board may rightly take, in seconds: what pytest-timeout must not be shorter than.

    Args:
        timeout_multiplier: of the board, as boards.toml has it.
        link_retries: of the run.

    The first test of a board opens it, and may bring it back twice; its case and the session that helps to judge it are tried
    `link_retries` times again, and each fault is followed by the whole ladder.
    """
    faults = 2 + 2 * (link_retries + 1)
    return math.ceil((OPENING_S + faults * (SESSION_S + LADDER_S)) * timeout_multiplier)


def widen(item: pytest.Item, spec: BoardSpec) -> None:
    """Give a test with a board the time that the harness's own limits add up to, where only pytest.ini gives it less."""
    config = item.config
    if not config.pluginmanager.has_plugin("timeout") or item.get_closest_marker("timeout") is not None:
        return
    if config.getoption("timeout") is not None or os.environ.get("PYTEST_TIMEOUT"):
        return
    given = config.getini("timeout")
    needed = needed_s(spec.settings.timeout_multiplier, link_retries=options_of(config).link_retries)
    if given and 0 < float(given) < needed:
        item.add_marker(pytest.mark.timeout(needed))
