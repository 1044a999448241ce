"""Connections from a host in another network namespace: dropped, counted, shown; the board's own case is not disturbed."""

import os
import shutil
import subprocess

import jsonschema
import pytest

from harness.reports.record.schema import run_schema

pytestmark = [
    pytest.mark.skipif(shutil.which("ip") is None, reason="no iproute2 here"),
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="network namespaces need root"),
]

# The unexpected peer connects before the board does: the server must drop it and wait for the board.
CONFTEST = """
import subprocess

from harness.server.local import LocalServer

STRANGER = '''
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as line:
    line.settimeout(60)
    try:
        left = line.recv(1)
    except ConnectionResetError:
        left = b""
    sys.exit(0 if left == b"" else 1)
'''
usual = LocalServer.open


def opened(self, profile, serving):
    start = usual(self, profile, serving)
    if start.port is not None:
        words = ["ip", "netns", "exec", "NAME", "PYTHON", "-I", "-c", STRANGER, "198.51.100.1", str(start.port)]
        subprocess.run(words, check=True, timeout=60)
    return start


LocalServer.open = opened
"""


@pytest.fixture
def namespace():
    """A network namespace with one end of a veth pair; this host is 198.51.100.1 (TEST-NET-2), the unexpected peer 198.51.100.2."""
    name = f"th-{os.getpid()}"
    inside, outside = f"thi{os.getpid()}"[:15], f"tho{os.getpid()}"[:15]
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no network namespace can be made here: {made.stderr.strip()}")
    try:
        cable = ["ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name]
        made = subprocess.run(cable, capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.skip(f"no virtual cable can be made here: {made.stderr.strip()}")
        for words in (
            ["ip", "addr", "add", "198.51.100.1/30", "dev", outside],
            ["ip", "link", "set", outside, "up"],
            ["ip", "-n", name, "addr", "add", "198.51.100.2/30", "dev", inside],
            ["ip", "-n", name, "link", "set", inside, "up"],
        ):
            subprocess.run(words, check=True, capture_output=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@pytest.mark.parametrize(
    "addresses",
    [("--bind", "198.51.100.1", "--peer", "198.51.100.1"), ("--bind", "0.0.0.0")],
    ids=["peer", "every-address"],
)
def test_an_unexpected_peer(suite, namespace, addresses):
    """The unexpected peer connects before each connection of the board: it is dropped and counted, the board is served.

    The board reports no address. It runs on this machine, so only this machine may connect, wherever the server listens.
    The first contact, the baseline handshake and the case: three connections, all counted in the one result.
    """
    import sys

    suite.write("conftest.py", CONFTEST.replace("NAME", namespace).replace("PYTHON", sys.executable))
    ran = suite.run(
        *("--cases", "smoke", "-k", "ca-verified", *addresses),
        *("--compat-report", "seen.md", "--compat-report", "seen.html"),
    )
    assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text
    record = ran.record()
    (result,) = record["results"]
    assert (result["verdict"], result["strangers"], result["stranger_addresses"]) == ("pass", 3, ["198.51.100.2"])
    assert record["run"]["strangers"] == {"connections": 3, "cases": 1, "addresses": ["198.51.100.2"]}
    jsonschema.validate(record, run_schema(), jsonschema.Draft202012Validator)
    said = "3 connections from unexpected peers were dropped, in 1 case (198.51.100.2): only the board may connect (--peer)"
    assert said in ran.text
    assert said in (ran.folder / "seen.md").read_text(encoding="utf-8")
