"""harness.boards.agent.same_board: whether the board is still the one that was probed."""

from dataclasses import replace

import pytest

from harness.boards.agent.console import Console
from harness.boards.agent.same_board import hardware_changes, identity_changes, identity_of, must_be_same, replaced_text
from harness.errors import BoardError, FaultKind
from harness.model import BoardInfo

BOARD = BoardInfo(
    implementation="micropython",
    version=(1, 25, 0, ""),
    version_text="3.4.0; MicroPython v1.25.0",
    machine="Pico W",
    platform="rp2",
    build="RPI_PICO_W",
    unique_id="e6614c311b4f2a2f",
)


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        ({"version": (1, 29, 0, ""), "version_text": "x", "machine": "y", "build": "z", "implementation": "w"}, ()),
        ({"unique_id": None, "platform": ""}, ()),
        ({"unique_id": "e6614c311b4f2a30"}, ("unique id e6614c311b4f2a2f -> e6614c311b4f2a30",)),
        ({"platform": "esp32"}, ("platform rp2 -> esp32",)),
    ],
)
def test_the_same_board_with_another_firmware(change, changes):
    """A firmware changes everything but platform and unique id; what only one of them reports says nothing."""
    before, now = identity_of(BOARD), identity_of(replace(BOARD, **change))
    assert hardware_changes(before, now) == changes
    assert bool(hardware_changes(now, before)) == bool(changes)


def test_the_same_board():
    """What changes by itself is not compared: memory, address, clock, and what was learned later."""
    later = replace(BOARD, heap_free_bytes=7, address="192.0.2.9", clock_unix_s=9, reads_pem=False, suites=("a",))
    assert identity_changes(BOARD, later) == ()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"implementation": "circuitpython"}, "implementation micropython -> circuitpython"),
        ({"version": (1, 29, 0, "preview")}, "firmware 1.25.0 -> 1.29.0-preview"),
        ({"version_text": "3.4.0; x"}, "version 3.4.0; MicroPython v1.25.0 -> 3.4.0; x"),
        ({"platform": "esp32"}, "platform rp2 -> esp32"),
        ({"machine": ""}, "machine Pico W -> none"),
        ({"build": "RPI_PICO2_W"}, "build RPI_PICO_W -> RPI_PICO2_W"),
        ({"unique_id": "e6614c311b4f2a30"}, "unique id e6614c311b4f2a2f -> e6614c311b4f2a30"),
        ({"unique_id": None}, "unique id e6614c311b4f2a2f -> none"),
    ],
)
def test_each_change(change: dict, text: str):
    """Every fact that names a board or its firmware counts alone."""
    assert identity_changes(BOARD, replace(BOARD, **change)) == (text,)


def test_on_a_board(console: Console):
    """The board is asked again; one that is no longer the same is a fault of its own kind."""
    from harness.boards.agent.probe import probe_board

    info = probe_board(console)
    must_be_same(console, info)
    with pytest.raises(BoardError, match=r"^lab-1: this is no longer the board that was probed: build x -> ") as caught:
        must_be_same(console, replace(info, build="x"))
    assert caught.value.kind is FaultKind.REPLACED


def test_every_change_is_named():
    """A replaced firmware differs in more than one fact."""
    assert replaced_text("u0", ("firmware 1.25.0 -> 1.29.0", "build a -> b")) == (
        "u0: this is no longer the board that was probed: firmware 1.25.0 -> 1.29.0; build a -> b"
    )
