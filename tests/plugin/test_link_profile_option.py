"""`--link-profile NAME` is repeatable: the same cases in several networks."""

import json
import os
import shlex
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.links.profiles import PROFILES

CASES = ("--cases", "smoke", "-k", "ecdsa-key-connects or rsa-key-no-shared")


def outcomes(record: dict) -> dict[str, dict[str, tuple]]:
    """Return for each network what came of each case."""
    found: dict[str, dict[str, tuple]] = {}
    for item in record["results"]:
        seen = item["observed"] or {}
        said = (item["verdict"], item["outcome"], item["stage"], item["ended_by"], item["reason"])
        alerts = tuple(alert["code"] for alert in seen.get("alerts", ()))
        found.setdefault(item.get("link", ""), {})[item["case"]] = (*said, alerts)
    return found


def test_three_networks(suite):
    """Each case runs in each network: ids, lines, table, record, evidence, reports; the network as it is has no name."""
    profiles = ("--link-profile", "none", "--link-profile", "satellite", "--link-profile", "mtu-576")
    reports = ("--compat-report", "r.csv", "--compat-report", "r.md", "--junitxml", "j.xml", "--keep-wire")
    ran = suite.run(*CASES, *profiles, *reports, "-v")
    assert (ran.status, ran.summary()) == (0, "6 passed")
    assert [line.split() for line in ran.lines if line.startswith("unix ")] == [
        ["unix", "in-process", "seed", "2"],
        ["unix", "satellite", "in-process", "seed", "2"],
        ["unix", "mtu-576", "in-process", "seed", "2"],
    ]
    assert ran.line("test_mine.py::test_case[unix-satellite-seed/ecdsa-key-connects] PASS")
    assert ran.line("test_mine.py::test_case[unix-seed/ecdsa-key-connects] PASS")
    record = ran.record()
    by_link = outcomes(record)
    assert list(by_link) == ["", "satellite", "mtu-576"]
    assert by_link[""] == by_link["satellite"] == by_link["mtu-576"]
    times = {
        item.get("link"): item["timing_ms"]["handshake_board"]
        for item in record["results"]
        if item["outcome"] == "connected"
    }
    assert times["satellite"] >= 4 * PROFILES["satellite"].latency_ms
    plans = [line for line in ran.journal() if line["record"] == "plan"]
    assert [plan.get("link") for plan in plans] == [None, "satellite", "mtu-576"]
    assert record["missing"] == []
    captures = {item["artifacts"]["pcapng"] for item in record["results"]}
    assert len(captures) == 6
    assert any("unix-in-process-satellite-seed_ecdsa-key-connects" in name for name in captures)
    page = (ran.folder / ".compat/matrix.html").read_text(encoding="utf-8")
    assert "Handshake by network" in page
    assert "## Handshake by network" in (ran.folder / "r.md").read_text(encoding="utf-8")
    rows = (ran.folder / "r.csv").read_text(encoding="utf-8").splitlines()
    assert [row.rpartition(",")[2] for row in rows] == ["link", "", "", "satellite", "satellite", "mtu-576", "mtu-576"]
    assert (ran.folder / "j.xml").read_text(encoding="utf-8").count('name="link" value="satellite"') == 2


@pytest.mark.slow
def test_one_network_from_the_environment_and_again(suite):
    """One network without the network as it is; its command runs the one test again, in that network."""
    ran = suite.run(*CASES, environment={"TLS_HARNESS_LINK_PROFILE": "mtu-576"})
    assert ran.status == 0, ran.text
    (one, _other) = ran.record()["results"]
    assert one["link"] == "mtu-576"
    words = shlex.split(one["rerun"])
    assert words[words.index("--link-profile") + 1] == "mtu-576"
    assert words[1] == f"test_mine.py::test_case[unix-mtu-576-{one['case']}]"
    again = suite.run(*words[1:])
    assert (again.status, again.summary()) == (0, "1 passed")
    assert [item["link"] for item in again.record(".compat/again")["results"]] == ["mtu-576"]


@pytest.mark.slow
def test_a_time_limit_that_the_network_exceeds(suite):
    """A case about a time limit of the board is not run where the network alone would exceed it, and says so."""
    ran = suite.run("--cases", "full", "-k", "timing/no-answer", "--link-profile", "stalls", "-rs")
    assert (ran.status, ran.summary()) == (10, "1 skipped")  # no board could run any case
    (result,) = ran.record()["results"]
    assert (result["verdict"], result["reason"]) == (
        "unsupported",
        "the board's time limit of 1 s is part of this case, and with the link stalls a read may take 3 s longer",
    )


@pytest.mark.slow
def test_a_test_of_the_users_own(suite):
    """`board.connect` goes through the network, too, and the record names it; so does a server that is running already."""
    suite.write(
        "test_mine.py",
        """
import contextlib, socket, ssl, threading

def test_ours(board, tls_server, expect):
    expect.connected(board.connect(tls_server("server-p256")))

def test_theirs(board, certificates, expect):
    files = certificates.make("server-p256")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain_file, files.key_file)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)

        def serve():
            sock, _peer = listener.accept()
            sock.settimeout(60)
            with contextlib.suppress(OSError), context.wrap_socket(sock, server_side=True) as tls:
                tls.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        expect.connected(board.connect("127.0.0.1:%d" % listener.getsockname()[1], server_hostname="tls.test"))
        thread.join(60)
""",
    )
    ran = suite.run("--board", "unix", "--link-profile", "satellite")
    assert (ran.status, ran.summary()) == (0, "2 passed")
    results = {result["case"]: result for result in ran.record()["results"]}
    assert set(results) == {"own/mine-ours", "own/mine-theirs"}
    for result in results.values():
        assert result["link"] == "satellite"
        assert result["timing_ms"]["handshake_board"] >= 4 * PROFILES["satellite"].latency_ms


@pytest.mark.slow
def test_a_program_in_a_slow_network(suite):
    """Programs of other people keep their own time limits, and connect all the same."""
    ran = suite.run("-k", "app/requests-unverified", "--link-profile", "lossy-wifi")
    assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text


def test_a_wrong_name(suite):
    """One line with the names that there are."""
    assert suite.refused("--link-profile", "slow-2g") == (
        "--link-profile 'slow-2g': expected one of none, slow-3g, gprs, satellite, lossy-wifi, mtu-576, stalls; did you mean 'slow-3g'?"
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_network_has_the_verdicts_of_none(suite):
    """All at the same time, because they mostly wait: smoke, or core with TLS_HARNESS_LINKS=1 (ten minutes)."""
    cases = "core" if os.environ.get("TLS_HARNESS_LINKS") else "smoke"

    def run(name: str) -> dict[str, tuple]:
        started = suite.start("--cases", cases, "--link-profile", name, "--artifacts", f"of-{name}")
        ran = suite.end(started, timeout_s=1700)
        assert ran.status == 0, ran.text
        (found,) = outcomes(json.loads((ran.folder / f"of-{name}/run.json").read_text(encoding="utf-8"))).values()
        return found

    with ThreadPoolExecutor(len(PROFILES) + 1) as pool:
        usual, *others = pool.map(run, ("none", *PROFILES))
    assert usual
    assert {name: found for name, found in zip(PROFILES, others, strict=True) if found != usual} == {}
