"""How code is sent to a board: a script in memory plays the board of shared/runtime/pyexec.c, in simulated time."""

from __future__ import annotations

import pytest

from harness.boards.serial.raw_paste import ACCEPTED, OFFER, RAW_BANNER, WINDOWS, BrokenProtocol, CodeSender
from harness.boards.serial.recorded_port import LinkTimeout, RecordingSerial
from harness.boards.serial.transcript import LineLog
from harness.system.deadline import Deadline

PROTOCOL_S = 2.0
SLICE_S = 0.05
CODE = b"print('0123456789abcdef')" * 20


class Port:
    """The board's end: pasted code is counted against the window, a full window is answered with \\x01.

    `reply` answers an offer; `between` is printed before each part of it, as firmware logs; `lost` parts are not sent.
    """

    timeout = SLICE_S

    def __init__(self, reply: bytes = ACCEPTED + b"\x10\x00\x01", *, between: bytes = b"", lost: int = 0) -> None:
        self.now = 0.0
        self.taken = b""
        self._reply, self._between, self._lost = reply, between, lost
        self._out = bytearray()
        self._pasting = False

    @property
    def in_waiting(self) -> int:
        return len(self._out)

    def read(self, size: int) -> bytes:
        if not self._out:
            self.now += SLICE_S
        data = bytes(self._out[:size])
        del self._out[:size]
        return data

    def write(self, data: bytes) -> int:
        if not self._pasting:
            assert data == OFFER
            self._pasting = True
            self._out += self._between + self._reply
            return len(data)
        for byte in data:
            if byte == 4:
                self._out += self._between + b"\x04"
            else:
                self.taken += bytes([byte])
                if len(self.taken) % 16 == 0:
                    if self._lost:
                        self._lost -= 1
                    else:
                        self._out += self._between + b"\x01"
        return len(data)


def sender_for(port: Port) -> tuple[CodeSender, Deadline]:
    """Return a sender on this port, and a deadline of the port's clock."""
    recorded = RecordingSerial(port, LineLog())
    deadline = Deadline(45.0, clock=lambda: port.now)
    recorded.deadline = deadline.within(PROTOCOL_S)
    return CodeSender(recorded, protocol_s=PROTOCOL_S), deadline


@pytest.mark.parametrize("between", [b"", b"I (123) wifi: bcn\r\n", b"R", b"\r\n>"])
def test_code_arrives_whole(between: bytes) -> None:
    """At most a window is sent, and log output between the protocol's bytes is ignored."""
    port = Port(between=between)
    sender, deadline = sender_for(port)
    assert sender.offer(CODE, deadline=deadline)
    sender.end(deadline=deadline)
    assert port.taken == CODE + b"#"


def test_a_lost_window_ends_within_the_protocols_time() -> None:
    """The board waits for code and the host for the window: nothing has run, and the host stops before the exec's time limit."""
    port = Port(lost=2)
    sender, deadline = sender_for(port)
    with pytest.raises(LinkTimeout):
        sender.offer(CODE, deadline=deadline)
    assert PROTOCOL_S <= port.now <= PROTOCOL_S + 2 * SLICE_S


@pytest.mark.parametrize("reply", [b"", b"R", b"R\x03\x10\x00\x01", b"S\x01\x10\x00\x01"])
def test_f9_rb14_a_damaged_header_ends_within_the_protocols_time(reply: bytes) -> None:
    """The wait for the header is limited by the protocol's time, not by the code's."""
    port = Port(reply)
    sender, deadline = sender_for(port)
    with pytest.raises(LinkTimeout):
        sender.offer(CODE, deadline=deadline)
    assert PROTOCOL_S <= port.now <= PROTOCOL_S + 2 * SLICE_S


@pytest.mark.parametrize("window", [0, 1, 17, 129, 0x8010])
def test_a_window_that_no_firmware_has(window: int) -> None:
    """A damaged window size would overflow the board's buffer: it is refused before any code is sent."""
    assert window not in WINDOWS
    port = Port(ACCEPTED + window.to_bytes(2, "little") + b"\x01")
    sender, deadline = sender_for(port)
    with pytest.raises(BrokenProtocol, match=f"^a window of {window} bytes$"):
        sender.offer(CODE, deadline=deadline)
    assert port.taken == b""


@pytest.mark.parametrize("reply", [b"R\x00>", RAW_BANNER + b">"])
def test_firmware_without_raw_paste(reply: bytes) -> None:
    """It reports that, or answers as to Ctrl-A; it is asked only once."""
    port = Port(reply)
    sender, deadline = sender_for(port)
    assert not sender.offer(CODE, deadline=deadline)
    now = port.now
    assert not sender.offer(CODE, deadline=deadline)
    assert (port.now, port.taken) == (now, b"")


def test_f9_rb14_raw_paste_that_was_there_is_not_given_up() -> None:
    """After one good header a refusal is damage: the next offer is made in raw paste mode again."""
    port = Port()
    sender, deadline = sender_for(port)
    assert sender.offer(b"pass", deadline=deadline)
    port._reply, port._pasting = b"R\x00>", False
    sender._port.deadline = deadline.within(PROTOCOL_S)
    with pytest.raises(LinkTimeout):
        sender.offer(b"pass", deadline=deadline)
    port._reply, port._pasting = ACCEPTED + b"\x10\x00\x01", False
    sender._port.deadline = deadline.within(PROTOCOL_S)
    assert sender.offer(b"pass", deadline=deadline)


def test_an_answer_without_the_acknowledgement() -> None:
    """If the acknowledgement of the paste was lost, the end mark of the answer is not taken for it."""
    port = Port(between=b"")
    sender, deadline = sender_for(port)
    assert sender.offer(b"pass", deadline=deadline)
    port._between = b'#th {"kind":"result"} c00000000\r\n'
    with pytest.raises(BrokenProtocol, match="confirmation of the code was lost"):
        sender.end(deadline=deadline)


def test_a_board_that_stops_reading() -> None:
    """If it has no memory to compile the rest, or the code is invalid, sending stops, and the next output is its traceback."""
    port = Port()
    sender, deadline = sender_for(port)
    port._reply = ACCEPTED + b"\x10\x00\x01\x04"
    assert sender.offer(CODE, deadline=deadline)
    assert len(port.taken) < len(CODE)
    sender.end(deadline=deadline)
