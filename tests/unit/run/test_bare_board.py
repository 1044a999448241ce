"""A board without a network."""

from dataclasses import replace

import pytest

from harness.boards.lab_file import read_lab
from harness.boards.spec import parse_board
from harness.model import BoardInfo, BoardSettings, Network
from harness.run.bare_board import bare_text, has_way, uses_host_network
from harness.run.options import RunOptions

BARE = BoardInfo(platform="esp32", modules=("network", "tls"), tls_module="tls")
UNIX = BoardInfo(platform="linux", modules=("tls",), tls_module="tls")
NOTHING = BoardSettings()


@pytest.mark.parametrize(
    ("info", "hosted"),
    [
        (UNIX, True),
        (replace(UNIX, platform="darwin"), True),
        (replace(UNIX, platform="win32"), True),
        (replace(UNIX, modules=("network",)), False),
        (BARE, False),
        (replace(BARE, modules=()), False),
        (BoardInfo(), False),
    ],
)
def test_f2_whose_network(info: BoardInfo, hosted: bool) -> None:
    """Firmware on an operating system uses its network, unless it has interfaces of its own."""
    assert uses_host_network(info) is hosted


@pytest.mark.parametrize(
    ("info", "options", "settings", "way"),
    [
        (BARE, {}, {}, False),
        (UNIX, {}, {}, True),
        (replace(BARE, address="192.0.2.9"), {}, {}, True),
        (BARE, {"advertise": "127.0.0.1"}, {}, True),
        (BARE, {"peers": ("192.0.2.1",)}, {}, True),
        (BARE, {"bind": "127.0.0.1"}, {}, True),
        (BARE, {"bind": "0.0.0.0"}, {}, False),
        (BARE, {"bind": "::"}, {}, False),
        (BARE, {}, {"bind": "192.0.2.2"}, True),
        (BARE, {}, {"bind": "0.0.0.0"}, False),
    ],
)
def test_f2_an_address_that_is_known_or_given(info: BoardInfo, options: dict, settings: dict, way: bool) -> None:
    """The board's address or one that the user names is used; loopback only if the user names it."""
    assert has_way(info, RunOptions(boards=(), **options), BoardSettings(**settings)) is way


def test_f2_the_lines_to_write() -> None:
    """The port is filled in; the first line is complete, the others are alternatives."""
    assert bare_text(parse_board("/dev/ttyUSB0", {}), BARE).splitlines() == [
        "ttyUSB0: the board is not on a network: it has no IP address.",
        "Add to boards.toml (one of the last 4 lines), then run with --board ttyUSB0, or name its address with --peer:",
        "  [board.ttyUSB0]",
        '  spec = "/dev/ttyUSB0"',
        '  wifi = {ssid = "NAME", password = {env = "WIFI_PASSWORD"}}   # the variable WIFI_PASSWORD holds the password',
        '  # network = "lan"   # wired, where network.LAN() needs no arguments',
        '  # lan = "network.LAN(...)"   # wired, with the arguments of your board',
        '  # network = "boot"   # boot.py connects the board',
    ]


def test_f2_the_lines_can_be_used(tmp_path) -> None:
    """Each of the last lines, alone, makes a boards.toml that is read."""
    for spec in (
        "/dev/ttyUSB0",
        "rfc2217://bench:2217",
        "u0",
        "auto",
        "id:E66 14",
        "labgrid:desk",
        "faulty:no-network",
    ):
        text = bare_text(parse_board(spec, {}), BARE)
        head, port, *choices = [line.strip() for line in text.splitlines()[2:]]
        for choice in choices:
            file = tmp_path / "boards.toml"
            file.write_text("\n".join([head, port, choice.removeprefix("# ")]), encoding="utf-8")
            ((name, found),) = read_lab(str(file), folder=tmp_path).items()
            assert found.settings.network is not Network.NONE
            assert f"--board {name}," in text
            assert found.kind == parse_board(spec, {}).kind


def test_f2_a_board_of_boards_toml() -> None:
    """The message names the board's own table, which already has the port."""
    spec = replace(parse_board("/dev/ttyUSB0", {}), text="desk", label="desk")
    lines = bare_text(spec, BARE).splitlines()
    assert lines[0] == "desk: the board is not on a network: it has no IP address."
    assert lines[1] == "Add to boards.toml (one of the last 4 lines), or name its address with --peer:"
    assert lines[2].strip() == "[board.desk]"
    assert lines[3].strip().startswith("wifi = ")


@pytest.mark.parametrize(
    ("interfaces", "seen", "proposed"),
    [
        (("WLAN",), ", and its WLAN is not connected.", ["wifi", "network"]),
        (("LAN",), ", and its LAN is not connected.", ["network", "lan", "network"]),
        (("WLAN", "WIZNET5K"), ", and none of WLAN, WIZNET5K is connected.", ["wifi", "network", "lan", "network"]),
        (("PPP",), ", and its PPP is not connected.", ["network"]),
    ],
)
def test_f2_only_what_the_board_has(interfaces: tuple[str, ...], seen: str, proposed: list[str]) -> None:
    """WiFi is not suggested for a wired board."""
    lines = bare_text(parse_board("u0", {}), replace(BARE, interfaces=interfaces)).splitlines()
    assert lines[0].endswith(f"it has no IP address{seen}")
    assert [line.strip(" #").split(" ")[0] for line in lines[4:]] == proposed
    assert [line.strip().startswith("#") for line in lines[4:]] == [False, *[True] * (len(proposed) - 1)]


def test_f2_a_single_line_to_write() -> None:
    """With a single line there are no alternatives."""
    lines = bare_text(parse_board("u0", {}), replace(BARE, interfaces=("PPP",))).splitlines()
    assert lines[1] == "Add to boards.toml, then run with --board my-board, or name its address with --peer:"
    assert lines[4:] == ['  network = "boot"   # boot.py connects the board']


def test_firmware_without_a_network_module() -> None:
    """No setting in boards.toml would help; the message names the missing module."""
    text = bare_text(parse_board("u0", {}), replace(BARE, modules=("tls",)))
    assert text.startswith(
        "u0: the board is not on a network: it has no IP address, and its firmware has no network module."
    )


@pytest.mark.parametrize("network", [Network.WIFI, Network.LAN, Network.BOOT])
def test_a_board_that_joined_and_has_no_address(network: Network) -> None:
    """Its network is up: only the address is missing."""
    spec = replace(
        parse_board("u0", {}), text="desk", label="desk", settings=BoardSettings(network=network, ssid="lab")
    )
    assert bare_text(spec, BARE) == (
        'desk: the board joined its network but reports no IP address; set address = "..." in [board.desk] of boards.toml'
    )


def test_f2_no_firewall_is_mentioned() -> None:
    """Nothing was sent that a firewall could block."""
    assert "firewall" not in bare_text(parse_board("/dev/ttyUSB0", {}), BARE)
