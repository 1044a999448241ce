"""`--bind`, `--ports`, `--advertise`, `--peer`: where the server listens, where the board connects, and from where."""

import pytest

ONE = ("--cases", "smoke", "-k", "ca-verified")


def addresses(ran):
    """Return both addresses of the only case's connection."""
    (result,) = ran.record()["results"]
    return result["observed"]["addresses"]


def test_bind_and_ports(suite):
    """The server listens on the given address and in the given range; the report shows where."""
    ran = suite.run(*ONE, "--bind", "127.0.0.3", "--ports", "41730-41739", "--peer", "127.0.0.1", "--peer", "127.0.0.3")
    assert ran.status == 0, ran.text
    host, _, port = addresses(ran)["server"].partition(":")
    assert host == "127.0.0.3"
    assert 41730 <= int(port) <= 41739


def test_advertise(suite):
    """The board connects to another address than the one the server listens on."""
    ran = suite.run(*ONE, "--bind", "0.0.0.0", "--advertise", "127.0.0.4", "--peer", "127.0.0.1", "--peer", "127.0.0.4")
    assert ran.status == 0, ran.text
    assert addresses(ran)["server"].startswith("127.0.0.4:")


def test_unreachable(suite):
    """A board that cannot reach the server is a network fault: `error`, with both addresses and the common causes."""
    ran = suite.run(
        "--cases", "smoke", "-k", "rsa-1024-key or ca-verified", "--advertise", "127.0.0.9", "--ports", "41740-41749"
    )
    assert (ran.status, ran.summary()) == (10, "1 failed, 1 skipped")
    (reason,) = {result["reason"] for result in ran.record()["results"]}
    assert reason.startswith("unix: the board (no IP address known) cannot open a TCP connection to 127.0.0.9:417")
    for suspect in ("firewall", "--ports", "client isolation", "--bind, --advertise", "--peer", "2.4 GHz"):
        assert suspect in reason
    assert {result["verdict"] for result in ran.record()["results"]} == {"error"}


def test_stranger(suite):
    """A board whose connection comes from an address that is not allowed is `error`, with both addresses."""
    ran = suite.run("--cases", "smoke", "-k", "rsa-1024-key or ca-verified", "--peer", "127.0.0.2")
    assert (ran.status, ran.summary()) == (10, "1 failed, 1 skipped")
    (reason,) = {result["reason"] for result in ran.record()["results"]}
    assert "connected to 127.0.0.1:" in reason
    assert reason.endswith(
        "but the connection came from 127.0.0.1 and only 127.0.0.2 may connect: "
        "behind NAT, specify the address that connections come from with --peer"
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--bind", "localhost", "not an IP address (expected an address of this machine)"),
        ("--bind", "192.0.2.1", "not an address of this machine (EADDRNOTAVAIL)"),
        ("--ports", "80-", "not a port range (expected A-B or A, for example 42000-42099)"),
        ("--ports", "99-9", "out of range (expected 1 <= A <= B <= 65535)"),
        ("--ports", "1-70000", "out of range (expected 1 <= A <= B <= 65535)"),
        (
            "--advertise",
            "127.0.0.1:80",
            "not an address (expected an IP address or host name that the board can reach, without a port)",
        ),
        ("--peer", "board.lan", "not an IP address (expected the address that the board's connections come from)"),
    ],
)
def test_bad_value(suite, option, value, message):
    """The error is one line with the option, the value and what is expected."""
    assert suite.refused(option, value) == f"{option} {value!r}: {message}"
