"""One name, two boards: the first process that reported counts."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.boards.agent.same_board import identity_of
from harness.model import BoardInfo
from harness.pytest_plugin.identities import Identities

FIRST = BoardInfo(version_text="MicroPython v1.25.0", unique_id="01")


def taken(identities, info, *, board="lab-1", **more):
    """Return the report and the data of a result of this board, after the check."""
    report = SimpleNamespace(outcome="passed", longrepr=None)
    data = {
        "result": {
            "board": board,
            "verdict": "pass",
            "outcome": "connected",
            "reason": None,
            "observed": {"x": 1},
            **more,
        },
        "board": {"board": board},
        "line": "connected",
        "identity": identity_of(info) if info else None,
    }
    identities.check(report, data)
    return report, data


def test_the_same_board():
    """Any number of processes may report it."""
    identities = Identities()
    for info in (FIRST, None, FIRST):
        report, data = taken(identities, info)
        assert (report.outcome, data["result"]["verdict"], data["board"]) == ("passed", "pass", {"board": "lab-1"})


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"unique_id": "02"}, "unique id 01 -> 02"),
        ({"unique_id": None}, "unique id 01 -> none"),
        ({"machine": "rp2"}, "machine none -> rp2"),
        ({"version_text": "x", "build": "y"}, "version MicroPython v1.25.0 -> x; build none -> y"),
    ],
)
def test_another_board_under_the_name(changed, what):
    """Its results are errors without any observation, whatever they were; its description does not replace the first one's."""
    identities = Identities()
    taken(identities, FIRST)
    words = {"version_text": FIRST.version_text, "unique_id": FIRST.unique_id}
    report, data = taken(identities, BoardInfo(**{**words, **changed}))
    reason = f"lab-1: another process of this run has a different board under this name: {what}"
    assert (report.outcome, report.longrepr, data["line"], data["board"]) == ("failed", reason, reason, None)
    result = data["result"]
    assert (result["verdict"], result["outcome"], result["reason"], result["observed"], result["mismatches"]) == (
        "error",
        "not-run",
        reason,
        None,
        [],
    )
    report, data = taken(identities, FIRST)
    assert (report.outcome, data["result"]["verdict"]) == ("passed", "pass")


def test_other_names_are_other_boards():
    """Each name has its own first board."""
    identities = Identities()
    taken(identities, FIRST)
    report, _data = taken(identities, BoardInfo(unique_id="02"), board="lab-2")
    assert report.outcome == "passed"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({}, None),
        ({"unique_id": None}, None),
        ({"platform": ""}, None),
        ({"machine": "ESP32", "build": "x", "version_text": "y", "version": (1, 28, 0)}, None),
        ({"unique_id": "02"}, "unique id 01 -> 02"),
        ({"platform": "esp32", "unique_id": "02"}, "platform rp2 -> esp32; unique id 01 -> 02"),
    ],
)
def test_each_firmware_of_one_board(changed, what):
    """With another firmware everything may change but the chip: its platform and its unique id, where both report them."""
    identities = Identities()
    first = replace(FIRST, platform="rp2")
    taken(identities, first, board="lab-1@1.25")
    report, data = taken(identities, replace(first, **changed), board="lab-1@1.28")
    reason = f"lab-1@1.28: another process of this run has a different board under this name: {what}"
    assert (report.outcome, data["line"]) == (("failed", reason) if what else ("passed", "connected"))
