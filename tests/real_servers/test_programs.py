"""A program on the virtual board and Debian's mosquitto, through the recording relay: what our own small broker stands for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import HarnessError
from harness.model import BoardSpec
from harness.pytest_plugin.expect import Expect
from harness.pytest_plugin.fixtures import Board
from harness.run.lab import Lab
from harness.run.options import RunOptions

STAND_IN = Path(__file__).parents[1] / "data" / "programs" / "umqtt_stand_in.py"
SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix")


@pytest.fixture
def own_board() -> Iterator[Board]:
    """A board with the stand-in for umqtt.simple."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    lab = Lab(RunOptions(boards=(SPEC,), modules={"umqtt/simple.py": STAND_IN.read_bytes()}))
    yield Board(lab, SPEC, "in-process")
    lab.close()


@pytest.mark.parametrize("program", ["umqtt-params", "umqtt-context"])
def test_a_message_comes_back_from_mosquitto(mosquitto, own_board, pairs, port, program):
    """The broker delivers the program's message to its own subscription: the text of this exec, over a verified session."""
    mosquitto("server-p256")
    seen = own_board.connect(
        f"127.0.0.1:{port}",
        program=program,
        server_hostname="tls.test",
        verify="required",
        ca=str(pairs / "ca-p256" / "cert.pem"),
    )
    Expect().connected(seen)
    text = seen.received_by_client or ""
    assert text.startswith("Hallo, Server! ")
    assert (len(text), text[15:].isdigit()) == (24, True)


def test_a_wrong_ca_for_mosquitto(mosquitto, own_board, pairs, port):
    """A program that does not trust the broker's CA ends the handshake with its alert."""
    mosquitto("server-p256")
    seen = own_board.connect(
        f"127.0.0.1:{port}",
        program="umqtt-context",
        server_hostname="tls.test",
        verify="required",
        ca=str(pairs / "ca-other" / "cert.pem"),
    )
    Expect().refused(seen, by="client", alert="unknown_ca", client="not_trusted")
