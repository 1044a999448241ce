"""The values of options, each checked alone; tests/plugin tests them with pytest."""

import sys
from dataclasses import replace

import pytest

from harness.boards.spec import parse_board
from harness.errors import UsageError
from harness.model import ClientApi
from harness.pytest_plugin.options import (
    boards,
    check_amount,
    check_distinct,
    check_outputs,
    check_set,
    clients,
    count,
    host,
    links,
    peer,
    repeats,
    server_names,
    servers,
)
from harness.run.options import RunOptions


def test_default_board(tmp_path):
    """No --board means the virtual board, and the disk is not accessed."""
    (board,) = boards([], file=None, folder=tmp_path)
    assert (board.kind, board.target, board.label) == ("unix", "", "unix")


def test_server_names():
    """Interpreters are named by version; the same version again gets a number."""
    assert server_names({"/a": "3.8.18", "/b": "3.13.0", "/c": "3.8.18", "/d": "3.8.18"}) == {
        "/a": "python3.8.18",
        "/b": "python3.13.0",
        "/c": "python3.8.18_2",
        "/d": "python3.8.18_3",
    }


def test_servers():
    """Paths and names on PATH are programs; each may be given once."""
    assert servers([sys.executable]) == (sys.executable,)
    assert servers(["sh", "in-process"]) == ("sh", "in-process")
    with pytest.raises(UsageError, match=r"^--server 'sh': each interpreter may be given only once$"):
        servers(["sh", "sh"])
    with pytest.raises(
        UsageError,
        match=r"^--server 'no-such-program': no such program \(expected the path of a CPython >= 3.8, or in-process\)$",
    ):
        servers(["no-such-program"])


def test_clients():
    """The two APIs, in any order; each once."""
    assert clients([]) == ()
    assert clients(["asyncio", "socket"]) == (ClientApi.ASYNCIO, ClientApi.SOCKET)
    with pytest.raises(UsageError, match=r"^--client 'asyncio': each API may be given only once$"):
        clients(["asyncio", "socket", "asyncio"])
    with pytest.raises(UsageError, match=r"^--client 'tls': expected one of socket, asyncio$"):
        clients(["tls"])
    with pytest.raises(
        UsageError, match=r"^--client 'asyncoi': expected one of socket, asyncio; did you mean 'asyncio'\?$"
    ):
        clients(["asyncoi"])


def test_links():
    """Networks of the table in any order, each once; `none` is the network as it is, which has no name."""
    assert links([]) == ()
    assert links(["satellite", "none", "gprs"]) == ("satellite", "", "gprs")
    with pytest.raises(UsageError, match=r"^--link-profile 'none': each network may be given only once$"):
        links(["none", "none"])
    names = "none, slow-3g, gprs, satellite, lossy-wifi, mtu-576, stalls"
    with pytest.raises(UsageError, match=rf"^--link-profile '': expected one of {names}$"):
        links([""])
    with pytest.raises(
        UsageError, match=rf"^--link-profile 'slow3g': expected one of {names}; did you mean 'slow-3g'\?$"
    ):
        links(["slow3g"])


@pytest.mark.parametrize("text", ["192.0.2.1", "fd00::1", "fe80::1%3", "lab-host", "tester.example.org", "host."])
def test_host(text):
    """Addresses and names that a board can look up are accepted."""
    assert host(text) == text


@pytest.mark.parametrize(
    "text", ["", " ", "a b", "192.0.2.1:443", "http://host", "300.1.1.1", "host/", "-x", "h\u00f6st", "a..b"]
)
def test_no_host(text):
    """Ports, URLs, blanks and incomplete addresses are refused."""
    with pytest.raises(UsageError, match=r"^--advertise .*not an address"):
        host(text)


def test_peer():
    """A peer is an IP address: it is compared with the address of each connection."""
    assert peer("fd00::1") == "fd00::1"
    with pytest.raises(UsageError, match=r"^--peer 'lab': not an IP address"):
        peer("lab")


@pytest.mark.parametrize("text", ["", "x", "-1", "1.0", "\u0663", "9" * 12])
def test_count(text):
    """A count is a non-negative integer in ASCII digits, of a reasonable size."""
    assert count("12", option="--n") == 12
    with pytest.raises(UsageError, match="expected a non-negative integer"):
        count(text, option="--n")


@pytest.mark.parametrize("text", ["", "x", "-1", "0", "1.5", "10001", "\u0663", "9" * 12])
def test_repeats(text):
    """A whole number from 1 to what pytest can hold."""
    assert (repeats("1"), repeats("10000")) == (1, 10000)
    with pytest.raises(UsageError) as caught:
        repeats(text)
    assert str(caught.value) == f"--repeat {text!r}: expected an integer from 1 to 10000"


def test_check_set():
    """Only the three sets are accepted."""
    check_set("smoke")
    with pytest.raises(
        UsageError, match=r"^--cases 'Smoke': expected one of smoke, core, full; did you mean 'smoke'\?$"
    ):
        check_set("Smoke")


def test_check_outputs(tmp_path):
    """Directories are created at once and left empty; a file in their place, a directory as a report and an unknown suffix are errors."""
    check_outputs(str(tmp_path / "new" / "deep"), reports=[str(tmp_path / "sub" / "run.json")])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["new", "new/deep", "sub"]
    (tmp_path / "file.json").write_text("")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(UsageError, match="is a file"):
        check_outputs(str(tmp_path / "file.json"), reports=[])
    with pytest.raises(UsageError, match="this is a directory"):
        check_outputs(None, reports=[str(tmp_path / "folder.json")])
    with pytest.raises(UsageError, match="unknown suffix"):
        check_outputs(None, reports=["run.exe"])
    with pytest.raises(UsageError, match=r"^--artifacts '': expected a writable directory"):
        check_outputs("", reports=[])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a place that even root cannot write")
def test_a_path_where_nothing_can_be_created():
    """Permissions do not show everything, so writing is tried."""
    for wrong in ({"artifacts": "/proc/x", "reports": []}, {"artifacts": None, "reports": ["/proc/x/run.json"]}):
        with pytest.raises(
            UsageError, match=r"^--(artifacts|compat-report) '/proc/x.*cannot be written: |is not writable"
        ):
            check_outputs(wrong["artifacts"], reports=wrong["reports"])


def test_a_password_that_is_not_set(tmp_path, monkeypatch):
    """The error names the variable, never its value, before anything is opened, and only for selected boards."""
    (tmp_path / "boards.toml").write_text(
        '[board.desk]\nspec = "/dev/ttyX0"\nwifi = {ssid = "net", password = {env = "DESK_SECRET"}}\n'
    )
    monkeypatch.delenv("DESK_SECRET", raising=False)
    boards([], file=None, folder=tmp_path)
    with pytest.raises(UsageError, match=r"^board desk: .*environment variable DESK_SECRET, which is not set$"):
        boards(["desk"], file=None, folder=tmp_path)
    monkeypatch.setenv("DESK_SECRET", "x")
    assert boards(["desk"], file=None, folder=tmp_path)[0].label == "desk"


def test_hooks_start_a_program(tmp_path):
    """A hook whose program does not exist is an error before the run, not when the board hangs, and only for boards that are used."""
    (tmp_path / "boards.toml").write_text(
        '[board.good]\nspec = "unix"\nreset = ["sh", "-c", ":"]\n\n'
        '[board.bad]\nspec = "unix"\npower_cycle = ["no-such-program"]\n'
    )
    (board,) = boards(["good"], file=None, folder=tmp_path)
    assert board.settings.reset == ("sh", "-c", ":")
    with pytest.raises(
        UsageError, match=r"^board bad: its power_cycle hook starts 'no-such-program': no such program$"
    ):
        boards(["bad"], file=None, folder=tmp_path)


def test_one_port_under_two_names(tmp_path):
    """A link to a port is the same port, as are two schemes of one network port; different or unknown ports are not."""
    link = tmp_path / "link"
    link.symlink_to("/dev/ttyNOPE7")
    named = [parse_board(text, {}) for text in ("id:nope", "/dev/ttyNOPE7", "/dev/ttyNOPE8", "unix", "id:neither")]
    check_distinct(named)
    check_distinct([parse_board(str(link), {})])
    with pytest.raises(
        UsageError,
        match=r"^--board '.*/link': the same board as '/dev/ttyNOPE7' \(/dev/ttyNOPE7\); each board may be given only once$",
    ):
        check_distinct([*named, parse_board(str(link), {})])
    urls = [parse_board(f"{scheme}://127.0.0.1:{port}", {}) for scheme, port in (("socket", 4000), ("rfc2217", 4001))]
    check_distinct(urls)
    with pytest.raises(UsageError, match=r"the same board as 'socket://127.0.0.1:4000' \(net-127.0.0.1-4000\)"):
        check_distinct([*urls, parse_board("rfc2217://127.0.0.1:4000", {})])


@pytest.mark.parametrize(("count_of_cases", "apis"), [(49_999, 1), (50_000, 1), (25_000, 2)])
def test_too_many_tests(tmp_path, count_of_cases, apis):
    """Each client API is a factor, which the message names only if there are several."""
    (board,) = boards([], file=None, folder=tmp_path)
    options = RunOptions(boards=(board,), clients=tuple(ClientApi)[:apis], repeat=4)
    check_amount(options, lambda: range(count_of_cases))
    options = replace(options, repeat=5)
    named = ", 2 client APIs" * (apis > 1)
    with pytest.raises(UsageError) as caught:
        check_amount(options, lambda: range(count_of_cases))
    assert str(caught.value) == (
        f"--repeat '5': {count_of_cases} cases, 1 boards{named} and 1 servers give {5 * count_of_cases * apis} tests; "
        "expected at most 200000 in one run"
    )
