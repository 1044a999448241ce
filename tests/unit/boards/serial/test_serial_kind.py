"""The board kind `serial`: its specs, and who has a port."""

from __future__ import annotations

import pytest

from harness.boards.kinds import BOARD_KINDS, occupancy
from harness.boards.serial.serial_kind import parse
from harness.boards.spec import parse_board
from harness.errors import UsageError


@pytest.mark.parametrize(
    "text",
    [
        "/dev/ttyUSB0", "COM3", "u0", "a12", "auto", "id:3F-09", "rfc2217://192.0.2.7:2217?ign_set_control", "socket://[::1]:99",
        "socket://host:65535/",
    ],
)  # fmt: skip
def test_specs(text: str) -> None:
    """The target is the user's text: it is resolved when the board is opened, not before."""
    assert parse(text, source="--board") == text


@pytest.mark.parametrize("text", ["com3", "u", "id:", "ttyUSB0", "unix:/a://b"])
def test_other_text(text: str) -> None:
    """Text of another form is left to the other kinds."""
    assert parse(text, source="--board") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("telnet://x:1", "--board 'telnet://x:1': unknown scheme 'telnet'; expected rfc2217:// or socket://"),
        ("rfc2217://host", "--board 'rfc2217://host': expected host and port, e.g. rfc2217://192.0.2.7:2217"),
        ("socket://:99", "--board 'socket://:99': expected host and port, e.g. socket://192.0.2.7:2217"),
        ("socket://h:0", "--board 'socket://h:0': invalid port 0: expected 1 to 65535"),
        ("socket://h:65536", "--board 'socket://h:65536': invalid port 65536: expected 1 to 65535"),
    ],
)
def test_wrong_urls(text: str, message: str) -> None:
    """A URL that cannot be opened is refused, and not treated as a board that is switched off."""
    with pytest.raises(UsageError) as raised:
        parse(text, source="--board")
    assert str(raised.value) == message


def test_identity() -> None:
    """One port under two schemes is one board."""
    kind = BOARD_KINDS["serial"]
    one, two = (parse_board(f"{scheme}://127.0.0.1:4000", {}) for scheme in ("socket", "rfc2217"))
    assert kind.identity(one) == kind.identity(two) == "net-127.0.0.1-4000"


def test_occupancy_of_an_unknown_serial_number() -> None:
    """A board that is not plugged in is reported as missing, with the existing serial numbers."""
    found = occupancy(parse_board("id:nobody-has-this", {}))
    assert found.state == "missing"
    assert str(found).startswith(
        "missing: --board id:nobody-has-this: no port with this USB serial number; connected: "
    )
