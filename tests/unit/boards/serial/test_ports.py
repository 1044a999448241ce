"""Which port a spec means, and why it cannot be opened: one line each, with what to do."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import serial
from serial.tools import list_ports as pyserial_ports

from harness.boards.serial import ports
from harness.boards.serial.ports import (
    holders,
    identity,
    list_ports,
    lock_holders,
    refuse_if_held,
    resolve_serial,
    why_port_failed,
)
from harness.boards.serial.raw_repl import RawRepl
from harness.errors import BoardError, UsageError

PROJECT = Path(__file__).parents[4]


def port(device: str, *, serial_number: str | None = None, vid: int | None = 0x303A) -> SimpleNamespace:
    """A port as pyserial describes it."""
    return SimpleNamespace(
        device=device,
        description="n/a" if vid is None else "USB JTAG",
        vid=vid,
        pid=0x1001,
        serial_number=serial_number,
    )


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """The ports of a machine, which the test fills."""
    found: list[SimpleNamespace] = []
    monkeypatch.setattr(pyserial_ports, "comports", lambda: found)
    return found


def why(device: str) -> BoardError:
    """Return the error of opening a port that cannot be opened."""
    with pytest.raises(BoardError) as raised:
        RawRepl(device)
    assert "\n" not in raised.value.message
    return raised.value


# ------------------------------------------------------------------ which port


def test_list(plugged: list[SimpleNamespace]) -> None:
    """USB devices come first; unknown descriptions are empty."""
    plugged += [port("/dev/ttyS0", vid=None), port("/dev/ttyUSB0", serial_number="B"), port("/dev/ttyACM0")]
    assert [(item.device, item.usb_id, item.description) for item in list_ports()] == [
        ("/dev/ttyACM0", "303a:1001", "USB JTAG"),
        ("/dev/ttyUSB0", "303a:1001", "USB JTAG"),
        ("/dev/ttyS0", None, ""),
    ]


@pytest.mark.parametrize(
    ("target", "device"),
    [
        ("u0", "/dev/ttyUSB0"),
        ("a12", "/dev/ttyACM12"),
        ("COM3", "COM3"),
        ("/dev/serial/by-id/usb-x", "/dev/serial/by-id/usb-x"),
        ("rfc2217://127.0.0.1:1?ign_set_control", "rfc2217://127.0.0.1:1?ign_set_control"),
    ],
)
def test_names(target: str, device: str) -> None:
    """mpremote's short names are accepted; other names are kept unchanged."""
    assert resolve_serial(target) == device


def test_auto(plugged: list[SimpleNamespace]) -> None:
    """A single USB port is used; none or several are refused, with the candidates."""
    plugged.append(port("/dev/ttyS0", vid=None))
    with pytest.raises(UsageError, match=r"--board auto: no USB serial port on this machine; plug the board in"):
        resolve_serial("auto")
    plugged.append(port("/dev/ttyACM0", serial_number="A1"))
    assert resolve_serial("auto") == "/dev/ttyACM0"
    plugged.append(port("/dev/ttyUSB0", serial_number="B2"))
    with pytest.raises(
        UsageError,
        match=r"2 boards are connected; name one of /dev/ttyACM0 \(USB JTAG, id:A1\), /dev/ttyUSB0 \(USB JTAG, id:B2\)",
    ):
        resolve_serial("auto")


def test_id(plugged: list[SimpleNamespace]) -> None:
    """A USB serial number names a port wherever it is plugged in; unknown or duplicate ones are refused."""
    plugged += [port("/dev/ttyACM0", serial_number="A1"), port("/dev/ttyACM1", serial_number="B2")]
    assert resolve_serial("id:B2") == "/dev/ttyACM1"
    with pytest.raises(
        UsageError, match=r"--board id:C3: no port with this USB serial number; connected: id:A1, id:B2"
    ):
        resolve_serial("id:C3")
    plugged.append(port("/dev/ttyUSB0", serial_number="B2"))
    with pytest.raises(UsageError, match=r"--board id:B2: 2 ports with this USB serial number"):
        resolve_serial("id:B2")


# ------------------------------------------------------------------ why not


def test_missing(plugged: list[SimpleNamespace]) -> None:
    """The error for a missing port lists the existing ones."""
    plugged.append(port("/dev/ttyACM7"))
    error = why("/dev/ttyUSB77")
    assert error.kind == "missing"
    assert error.message == (
        "/dev/ttyUSB77: no such port; ports here: /dev/ttyACM7. Is the board plugged in, with a data cable?"
    )


@pytest.mark.parametrize(("path", "name"), [("/dev/null", "ENOTTY"), ("/etc/hostname", "ENOTTY"), ("/tmp", "EISDIR")])
def test_no_serial_port(path: str, name: str) -> None:
    """A path that is not a serial port is refused."""
    error = why(path)
    assert error.kind == "missing"
    assert error.message == f"{path}: not a serial port ({name}); `tls-harness boards` lists the serial ports"


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
@pytest.mark.parametrize(
    ("mode", "group", "words"),
    [
        (0o660, 20, r"it belongs to the group 'dialout': run `sudo usermod -aG dialout \$USER`, then log in again"),
        (0o600, 20, r"only root has it: add a udev rule with GROUP=.dialout"),
        (0o660, 0, r"only root has it: add a udev rule with GROUP=.dialout"),
    ],
)
def test_forbidden(pty_port: str, mode: int, group: int, words: str) -> None:
    """The error for a port of another group names the group and the command; without a group, the udev rule."""
    os.chmod(pty_port, mode)
    os.chown(pty_port, 0, group)
    code = (
        # Import everything first: the other user may not read this Python's files.
        "import fcntl, grp, os, sys, termios, serial.tools.list_ports\n"
        "from harness.boards.serial.raw_repl import RawRepl\nfrom harness.errors import BoardError\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: RawRepl(sys.argv[1])\nexcept BoardError as error: print(error.kind, error)\n"
    )
    # Under coverage it would try to write its data as the other user.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", code, pty_port],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=PROJECT,
        env=environment,
    )
    assert done.stderr == ""
    with pytest.raises(BoardError, match=words):
        raise BoardError(done.stdout.strip())
    assert done.stdout.startswith("forbidden /dev/pts/")


def test_busy(pty_port: str) -> None:
    """The error for a port that another run uses names the process."""
    code = (
        "import sys\nfrom harness.boards.serial.raw_repl import RawRepl\n"
        "link = RawRepl(sys.argv[1])\nprint('open', flush=True)\nsys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, pty_port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT
    )
    assert other.stdin is not None
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == b"open\n"
        command = Path(f"/proc/{other.pid}/comm").read_text().strip()
        assert lock_holders(pty_port) == [(other.pid, command)]
        error = why(pty_port)
    finally:
        other.stdin.close()
        other.wait(timeout=60)
        other.stdout.close()
    assert error.kind == "busy"
    assert error.message == f"{pty_port}: the port is in use by {command} (pid {other.pid}); close it first"


def test_busy_with_ourselves(pty_port: str) -> None:
    """The same board under two names in one run is refused."""
    link = RawRepl(pty_port)
    try:
        assert "in use by this run: the same board has two names" in why(pty_port).message
    finally:
        link.close()


def test_holders(pty_port: str) -> None:
    """A process that has the port open without a lock is found; this one is not counted."""
    assert holders(pty_port) == []
    other = subprocess.Popen(
        ["/bin/sh", "-c", f"exec < {pty_port}; echo open; read line < /dev/stdin"], stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == b"open\n"
        assert (other.pid, "sh") in holders(pty_port)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        (
            "ModemManager",
            r"ModemManager \(pid 12\); it probes every new port; stop it with `systemctl stop ModemManager`",
        ),
        ("brltty", r"brltty \(pid 12\); `brltty` mistakes CH340 and CP210x adapters .* remove that package"),
        ("screen", r"in use by screen \(pid 12\); close it first"),
    ],
)
def test_programs_without_a_lock_are_refused(monkeypatch: pytest.MonkeyPatch, command: str, advice: str) -> None:
    """A program that reads the port without a lock is found before the port is opened; for known ones the error has advice."""
    monkeypatch.setattr(ports, "holders", lambda _device: [(12, command)])
    with pytest.raises(BoardError, match=advice) as raised:
        refuse_if_held("/dev/ttyUSB0")
    assert raised.value.kind == "busy"
    refuse_if_held("/dev/pts/3")


def test_busy_without_a_visible_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's process cannot be named: the error has a command that can."""
    monkeypatch.setattr(ports, "holders", lambda _device: [])
    error = why_port_failed("/dev/ttyUSB0", OSError(errno.EBUSY, "busy"))
    assert error.kind == "busy"
    assert "another user's program (try `sudo fuser -v /dev/ttyUSB0`)" in error.message


# ------------------------------------------------------------------ over the network


@pytest.fixture
def closed_port() -> int:
    """A port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("scheme", ["rfc2217", "socket"])
def test_nothing_listens(closed_port: int, scheme: str) -> None:
    """A refused connection is reported, with what to check."""
    error = why(f"{scheme}://127.0.0.1:{closed_port}")
    assert error.kind == "missing"
    assert "nothing listens there (connection refused); is ser2net or the exporter running?" in error.message


@pytest.mark.parametrize("scheme", ["rfc2217", "socket"])
def test_unknown_host(scheme: str) -> None:
    """A host name that does not resolve is reported (RFC 6761: .invalid never does)."""
    error = why(f"{scheme}://board.invalid:2217")
    assert error.kind == "missing"
    assert error.message == f"{scheme}://board.invalid:2217: unknown host name"


@pytest.mark.slow
def test_far_end_is_not_rfc2217() -> None:
    """If a server accepts and sends nothing, the error says what it may be instead."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"rfc2217://127.0.0.1:{listener.getsockname()[1]}"
        error = why(url)
    assert error.kind == "link"
    assert "does not fully support RFC 2217; for plain TCP use socket://127.0.0.1:" in error.message
    assert error.message.endswith(f"{url}?ign_set_control")


def test_far_end_hangs_up() -> None:
    """A server that closes at once is reported as used by another client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        error = why(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}")
        thread.join(60)
    assert error.kind in ("busy", "link")
    assert "the far end" in error.message


def test_no_answer() -> None:
    """A host that drops packets is reported as not answering."""
    try:
        try:
            raise TimeoutError("timed out")
        except TimeoutError as error:
            raise serial.SerialException("Could not open port") from error
    except serial.SerialException as error:
        found = why_port_failed("socket://127.0.0.1:1", error)
    assert found.kind == "missing"
    assert "the host does not answer; is it on, and is the port open in its firewall?" in found.message


@pytest.mark.parametrize(
    "url",
    [
        "rfc2217://localhost:2217?ign_set_control",
        "socket://127.0.0.1:2217",
        "rfc2217://[::1]:2217",
        "socket://LOCALHOST:2217/",
    ],
)
def test_identity_of_a_url(url: str) -> None:
    """A port behind a server is the same for every scheme."""
    assert identity(url) == "net-127.0.0.1-2217"


def test_identity_of_an_unknown_host() -> None:
    """An unknown host is its name; opening the port will report it."""
    assert identity("socket://Lab.invalid:99") == "net-lab.invalid-99"


def test_identity_of_usb(plugged: list[SimpleNamespace], tmp_path: Path) -> None:
    """The identity is the serial number, or the USB location if adapters share one or have none; links do not matter."""
    plugged += [port("/dev/ttyACM0", serial_number="A1"), port("/dev/ttyUSB0"), port("/dev/ttyS0", vid=None)]
    plugged[1].location = "1-1.4"
    assert identity("/dev/ttyACM0") == "usb-303a-1001-A1"
    assert identity("/dev/ttyUSB0") == "usb-303a-1001-at-1-1.4"
    assert identity("/dev/ttyS0") == "/dev/ttyS0"
    (tmp_path / "desk").symlink_to("/dev/ttyACM0")
    assert identity(str(tmp_path / "desk")) == "usb-303a-1001-A1"
    plugged.append(port("/dev/ttyACM1", serial_number="A1"))
    plugged[0].location, plugged[-1].location = "1-2:1.0", "1-2:1.2"
    assert identity("/dev/ttyACM0") == "usb-303a-1001-A1-at-1-2:1.0"
    assert identity("/dev/ttyACM1") == "usb-303a-1001-A1-at-1-2:1.2"


def test_identity_without_a_list(pty_port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity of a PTY is its path, as is that of any port if ports cannot be listed; Windows names are case-insensitive."""
    assert identity(pty_port) == os.path.realpath(pty_port)

    def broken() -> None:
        raise BoardError("no", kind="missing")

    monkeypatch.setattr(ports, "list_ports", broken)
    assert identity("/dev/ttyUSB9") == "/dev/ttyUSB9"
    assert identity("com3") == "COM3"
