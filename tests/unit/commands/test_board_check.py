"""`tls-harness boards --probe SPEC`: the lines of each step, and where it stops."""

import pytest

from harness import cli
from harness.cases import select

# The steps, in order.
STEPS = ["port", "REPL", "identity", "memory", "filesystem", "agent", "clock", "network", "TCP", "TLS"]
FIX = "  fix         "


@pytest.fixture(autouse=True)
def no_lab_of_the_reader(tmp_path, monkeypatch):
    """Run in an empty directory, without a boards.toml of this checkout."""
    monkeypatch.chdir(tmp_path)


def test_check_of_one_board(virtual_board, capsys):
    """--probe SPEC prints a line for each step, up to a TLS session, and leaves the board's filesystem unchanged."""
    assert cli.main(["boards", "--probe", virtual_board.port]) == 0
    out, err = capsys.readouterr()
    head, *lines = out.splitlines()
    assert head == f"pts{virtual_board.port.rpartition('/')[2]} ({virtual_board.port})"
    steps, cannot = lines[: len(STEPS)], lines[len(STEPS) :]
    assert [line[2:13].strip() for line in steps] == STEPS
    assert steps[-1].startswith("  TLS         session with TLSv1.2, ")
    # Another Python, such as Debian's 3.11, has other reasons for some cases.
    assert f"  cannot run  1 of {len(select('core'))} core cases: this firmware does not offer TLS 1.3" in cannot
    assert all(line.startswith("  cannot run  ") for line in cannot)
    assert (err, list(virtual_board.folder.iterdir())) == ("", [])


@pytest.mark.parametrize(
    ("spec", "last", "said", "fixes"),
    [
        (
            "/dev/ttyUSB77",
            "port",
            "/dev/ttyUSB77: no such port; ports here: ",
            ["plug it in, or choose one from `tls-harness boards`; the name id:SERIAL stays the same on every port"],
        ),
        (
            "unix:/bin/true",
            "port",
            "/bin/true: no MicroPython prompt: it ended and printed nothing. ",
            ["flash MicroPython", "check the baud rate (baud in boards.toml) and whether it is the right port"],
        ),
        (
            "faulty:no-memory",
            "agent",
            "the board could not load the agent into RAM: MemoryError: memory allocation failed",
            [
                "stop what boot.py starts, or use firmware with more heap",
                "heap_bytes in boards.toml, for a virtual board",
            ],
        ),
        (
            "faulty:no-tls",
            "agent",
            "no ssl, tls or ussl module in this firmware",
            ["flash firmware that has one"],
        ),
        (
            "faulty:bare",
            "network",
            "the board is not on a network: it has no IP address, and its WLAN is not connected.",
            [
                "correct the network settings in boards.toml (docs/lab.md, WiFi and LAN)",
                "see what the board reports: tls-harness boards --probe SPEC",
            ],
        ),
        (
            "faulty:no-network",
            "TCP",
            "the board (no IP address known) cannot open a TCP connection to 127.0.0.1:",
            [
                "firewall, client isolation in the WiFi, wrong interface, 2.4 GHz only",
                "--bind, --advertise and --peer",
            ],
        ),
        (
            "faulty:small-heap",
            "TLS",
            "the board has too little memory for TLS: ",
            [
                "stop what boot.py starts, or use firmware with more heap",
                "heap_bytes in boards.toml, for a virtual board",
            ],
        ),
    ],
)
def test_check_stops_at_the_first_step_that_fails(interpreter, capsys, spec, last, said, fixes):
    """It says what failed and what to do, and exits with 10; no later step is taken."""
    assert cli.main(["boards", "--probe", spec]) == 10
    out, err = capsys.readouterr()
    lines = out.splitlines()[1:]
    assert err == ""
    steps = [line for line in lines if line[2:13].strip() in STEPS]
    assert [line[2:13].strip() for line in steps] == STEPS[: STEPS.index(last) + 1]
    assert steps[-1].startswith(f"  {last:<11} FAILED: {said}")
    assert not [line for line in steps[:-1] if "FAILED" in line]
    assert [line.removeprefix(FIX) for line in lines if line.startswith(FIX)] == fixes


def test_check_keeps_lines_to_copy(interpreter, capsys):
    """The lines of boards.toml for a board without a network stay lines."""
    cli.main(["boards", "--probe", "faulty:bare"])
    assert '      spec = "faulty:bare"' in capsys.readouterr().out.splitlines()
