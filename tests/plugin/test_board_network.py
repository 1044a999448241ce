"""Test runs on boards with a simulated radio: the WiFi of boards.toml, and a board without a network."""

import pytest

from harness.cases import find_case, select

LAB = """
[board.pico]
spec = "faulty:wlan-cyw43"
wifi = {ssid = "SSID", password = {env = "LAB_WIFI"}}
[board.esp]
spec = "faulty:wlan-esp32"
wifi = {ssid = "SSID", password = {env = "LAB_WIFI"}}
[board.old]
spec = "faulty:wlan-esp32-1.21"
wifi = {ssid = "SSID", password = {env = "LAB_WIFI"}}
"""
BOARDS = ("--board", "pico", "--board", "esp", "--board", "old")
ONE = ("--cases", "smoke", "-k", "cert/good")


def reasons(ran):
    """Return why the cases could not run, without the board's name."""
    return {result["reason"].partition(": ")[2] for result in ran.record()["results"]}


def test_f4_f6_a_good_password(suite):
    """Each family joins, and its cases pass; the password is in no file of the run."""
    suite.write("boards.toml", LAB.replace("SSID", "lab"))
    ran = suite.run(*ONE, *BOARDS, environment={"LAB_WIFI": "sesame"})
    assert (ran.status, ran.summary()) == (0, "3 passed"), ran.text
    assert {board["facts"]["address"] for board in ran.record()["boards"]} == {"127.0.0.1"}
    kept = [path for path in suite.folder.rglob("*") if path.is_file() and path.name != "boards.toml"]
    assert [path for path in kept if b"sesame" in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("ssid", "password", "reason"),
    [
        ("lab", "letmein", "the board cannot join the WiFi 'lab': wrong password"),
        (
            "cafe",
            "sesame",
            "the board cannot join the WiFi 'cafe': no access point of that name was found (these radios use 2.4 GHz only; "
            "channels 12 and 13 need country in boards.toml)",
        ),
    ],
)
def test_f4_f6_messages(suite, ssid, password, reason):
    """The message is the same on each family."""
    suite.write("boards.toml", LAB.replace("SSID", ssid))
    ran = suite.run(*ONE, *BOARDS, environment={"LAB_WIFI": password})
    assert ran.summary() == "3 failed"
    assert reasons(ran) == {reason}
    assert password not in ran.text


@pytest.mark.slow
def test_f1_d1_rb01_the_smoke_set_on_lwip(suite):
    """Boards with the sockets of lwIP have the verdicts of any other, also where the server ends before the ClientHello."""
    boards = ("unix", "faulty:lwip-1.23", "faulty:lwip-1.24")
    early = ("versions/11-only-sec2", "not-tls/close-at-accept")
    wanted = " or ".join(f"{case.id}]" for case in (*select("smoke"), *map(find_case, early)))
    ran = suite.run("--cases", "core", "-k", wanted, *(word for board in boards for word in ("--board", board)))
    found = {board: {} for board in boards}
    for result in ran.record()["results"]:
        found[result["board"]][result["case"]] = (result["verdict"], result["outcome"], result["reason"])
    assert len(found["unix"]) == len(select("smoke")) + len(early)
    assert found["faulty:lwip-1.23"] == found["unix"]
    assert found["faulty:lwip-1.24"] == found["unix"]
    assert {verdict for verdict, _outcome, _reason in found["unix"].values()} <= {"pass", "unsupported"}, ran.text


def test_f2_d5_rb04_a_bare_board(suite):
    """There is one error with the lines to add, which does not mention a firewall; no case ran."""
    ran = suite.run(*ONE, "--board", "faulty:bare")
    assert ran.summary() == "1 failed"
    start = ran.text.index("  faulty:bare: the board is not on a network: ", ran.text.index(" FAILURES "))
    assert ran.text[start:].split("\n")[:6] == [
        "  faulty:bare: the board is not on a network: it has no IP address, and its WLAN is not connected.",
        "  Add to boards.toml (one of the last 2 lines), then run with --board faulty-bare, or name its address with --peer:",
        "    [board.faulty-bare]",
        '    spec = "faulty:bare"',
        '    wifi = {ssid = "NAME", password = {env = "WIFI_PASSWORD"}}   # the variable WIFI_PASSWORD holds the password',
        '    # network = "boot"   # boot.py connects the board',
    ]
    assert "firewall" not in ran.text
    assert "127.0.0.1" not in ran.text
    (result,) = ran.record()["results"]
    assert (result["verdict"], result["explanation"]["rule"]) == ("error", "fault/no-network")


@pytest.mark.parametrize("option", [("--advertise", "127.0.0.1"), ("--bind", "127.0.0.1"), ("--peer", "127.0.0.1")])
def test_f2_an_address_from_the_user(suite, option):
    """A board without an address is used if the user names the address at which it can reach this machine."""
    ran = suite.run(*ONE, "--board", "faulty:bare", *option)
    assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text
