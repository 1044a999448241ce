"""country, static, lan and address of boards.toml."""

import pytest

from harness.boards.lab_file import parse_lab
from harness.errors import UsageError
from harness.model import BoardSettings, Network

LINE = "network.LAN(mdc=Pin(23), mdio=Pin(18), phy_type=network.PHY_LAN8720, phy_addr=1)"
WIFI = {"ssid": "lab"}
STATIC = {"address": "192.168.7.20/24", "gateway": "192.168.7.1"}


def settings_of(**keys: object) -> BoardSettings:
    """The settings of one board at a serial port."""
    return parse_lab({"board": {"desk": {"spec": "/dev/ttyUSB0", **keys}}}, file="boards.toml")["desk"].settings


@pytest.mark.parametrize(
    ("keys", "network"),
    [
        ({}, Network.NONE),
        ({"wifi": WIFI}, Network.WIFI),
        ({"lan": LINE}, Network.LAN),
        ({"network": "lan"}, Network.LAN),
        ({"network": "boot"}, Network.BOOT),
        ({"wifi": WIFI, "network": "boot"}, Network.BOOT),
    ],
)
def test_f7_the_network_that_the_keys_imply(keys: dict[str, object], network: Network) -> None:
    """A board with a `lan` line is wired, one with `wifi` joins it; `network` decides."""
    assert settings_of(**keys).network is network


def test_f7_lan_is_kept_unchanged() -> None:
    """It is the user's own code, for the board."""
    assert settings_of(lan=LINE).lan == LINE


def test_f20_static_address() -> None:
    """The values are in the order of ifconfig(); the gateway is the name server unless one is given."""
    assert settings_of(wifi=WIFI, static=STATIC).static == (
        "192.168.7.20",
        "255.255.255.0",
        "192.168.7.1",
        "192.168.7.1",
    )
    assert settings_of(network="lan", static={**STATIC, "dns": "9.9.9.9"}).static[3] == "9.9.9.9"


def test_country_and_address() -> None:
    """Both are strings that are kept unchanged."""
    found = settings_of(wifi=WIFI, country="DE", address="192.168.7.20")
    assert (found.country, found.address) == ("DE", "192.168.7.20")
    assert settings_of(address="fe80::1").network is Network.NONE


_STATIC = r"expected \{address = \"192\.168\.7\.20/24\", gateway = \"192\.168\.7\.1\"\}"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"country": "DE"}, r"\.country: only used with network = 'wifi'$"),
        ({"network": "boot", "lan": LINE}, r"\.lan: only used with network = 'lan'$"),
        ({"network": "boot", "static": STATIC}, r"\.static: only used with network = 'wifi' or 'lan'$"),
        (
            {"wifi": WIFI, "country": "Germany"},
            r"\.country = 'Germany': expected two capital letters \(ISO 3166-1\), e\.g\. \"DE\"$",
        ),
        ({"wifi": WIFI, "country": 49}, r"\.country = 49: expected two capital letters"),
        ({"address": "desk"}, r"\.address = 'desk': expected the IP address of the board, e\.g\. \"192\.168\.7\.20\"$"),
        ({"address": 7}, r"\.address = 7: expected the IP address of the board"),
        ({"network": "lan", "static": "192.168.7.20"}, r"\.static = '192\.168\.7\.20': " + _STATIC),
        ({"network": "lan", "static": {"address": "192.168.7.20/24"}}, r"\.static = \{.*\}: " + _STATIC),
        ({"network": "lan", "static": {**STATIC, "mask": 24}}, r"\.static = \{.*\}: expected .*; dns is optional"),
        ({"network": "lan", "static": {**STATIC, "gateway": "router"}}, r"\.static: .*'router'; " + _STATIC),
        (
            {"network": "lan", "static": {**STATIC, "address": "192.168.7.20"}},
            r"\.static\.address = '192\.168\.7\.20': the prefix length is missing; write e.g. /24$",
        ),
        (
            {"network": "lan", "static": {**STATIC, "gateway": "192.168.8.1"}},
            r"\.static: the gateway 192\.168\.8\.1 is not in the network 192\.168\.7\.0/24$",
        ),
        (
            {"lan": {"phy_addr": 1}},
            r"\.lan = \{'phy_addr': 1\}: expected a line of MicroPython, e\.g\. \"network\.LAN\(",
        ),
        ({"lan": "network.LAN"}, r"\.lan = 'network\.LAN': expected one expression that makes the interface"),
        ({"lan": "a = network.LAN()"}, r"\.lan = 'a = network\.LAN\(\)': expected one expression"),
        ({"lan": "network.LAN()\nprint()"}, r"\.lan: expected one line of printable ASCII, at most 400 characters$"),
        ({"lan": f"f({'x' * 400})"}, r"\.lan: expected one line of printable ASCII"),
        ({"lan": "f('\xe9')"}, r"\.lan: expected one line of printable ASCII"),
        ({"network": "lora"}, r"\.network = 'lora': expected one of none, wifi, lan, boot$"),
    ],
)
def test_f7_wrong_forms(keys: dict[str, object], message: str) -> None:
    """Each error names the key, the value and what is expected."""
    with pytest.raises(UsageError, match=r"^boards\.toml: board\.desk" + message):
        settings_of(**keys)


def test_the_longest_line() -> None:
    """The longest line is exactly as long as a request may be."""
    assert settings_of(lan=f"f({'x' * 397})").lan is not None
