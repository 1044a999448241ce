"""pytest's JUnit file (`--junitxml`): a fault of a board or of the harness is an `error`, as in the exit code; a result is a `failure`.

Knows pytest's XML plugin by what it offers to others, `node_reporter`. Must not know verdicts: `exit_codes` says what a fault is.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.pytest_plugin.exit_codes import is_fault


def mark_fault(config: pytest.Config, report: Any) -> None:
    """Turn the `failure` that pytest has just noted for a fault in the test itself into an `error`.

    pytest knows errors only in fixtures: what a test raises is a failure to it (pytest 8, `_pytest/junitxml.py`, LogXML).
    """
    if report.when != "call" or not report.failed or not is_fault(report):
        return
    for plugin in config.pluginmanager.get_plugins():
        if not hasattr(plugin, "node_reporter"):
            continue
        for node in plugin.node_reporter(report).nodes:
            if node.tag == "failure":
                node.tag = "error"
                plugin.stats["failure"] -= 1
                plugin.stats["error"] += 1
