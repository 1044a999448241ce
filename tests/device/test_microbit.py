"""Test with genuine firmware: Debian's MicroPython for the micro:bit in qemu, reached like any serial port."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.boards.kinds import open_board
from harness.boards.serial.raw_repl import RawRepl
from harness.boards.spec import parse_board
from harness.model import BoardInfo
from harness.system.deadline import Deadline

FIRMWARE = Path("/usr/share/firmware-microbit-micropython/firmware.hex")
QEMU = shutil.which("qemu-system-arm")
PROJECT = Path(__file__).parents[2]
PIECE_BYTES, PIECE_S = 16, 0.004

pytestmark = [
    pytest.mark.skipif(QEMU is None, reason="qemu-system-arm is not installed"),
    pytest.mark.skipif(not FIRMWARE.exists(), reason=f"no {FIRMWARE} (Debian package firmware-microbit-micropython)"),
]


def _carry(host: int, uart: int) -> None:
    """Carry bytes both ways until the host's end is closed, to the board at the speed of a slow serial line.

    qemu hands its UART everything at once, and the firmware's small buffer then drops bytes while it is busy; no real line does that.
    """
    while True:
        for source in select.select([host, uart], [], [])[0]:
            try:
                data = os.read(source, PIECE_BYTES if source == host else 4096)
                os.write(uart if source == host else host, data)
            except OSError:
                return
            if not data:
                return
            if source == host:
                time.sleep(PIECE_S)


@pytest.fixture(scope="module")
def microbit() -> Iterator[str]:
    """Start the emulated board; return the path of its port."""
    command = [str(QEMU), "-M", "microbit", "-nographic", "-serial", "pty", "-monitor", "none"]
    command += ["-device", f"loader,file={FIRMWARE}"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    try:
        said = b""
        deadline = Deadline(60)
        while (found := re.search(rb"redirected to (/dev/\S+)", said)) is None:
            ready, _, _ = select.select([process.stdout], [], [], deadline.remaining_s)
            assert ready, f"qemu did not name its port: {said!r}"
            data = os.read(process.stdout.fileno(), 4096)
            assert data, f"qemu ended: {said!r}"
            said += data
        uart = os.open(found[1], os.O_RDWR | os.O_NOCTTY)
        host, port = pty.openpty()
        for end in (uart, host, port):
            tty.setraw(end)
        carrier = threading.Thread(target=_carry, args=(host, uart), daemon=True)
        carrier.start()
        yield os.ttyname(port)
        os.close(port)  # reading its other end fails then, which ends the thread
        carrier.join(60)
        os.close(host)
        os.close(uart)
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()


@pytest.fixture(scope="module")
def info(microbit: str) -> BoardInfo:
    """Return the result of the probe."""
    session = open_board(parse_board(microbit, {}))
    try:
        # On a busy machine qemu may lose a byte.
        assert [note for note in session.notes if not note.startswith("met a fault before its first case")] == []
        return session.info
    finally:
        session.close(deadline=Deadline(60))


def test_identified(info: BoardInfo) -> None:
    """Version, machine and heap are read although the board has no json, no filesystem and 9 KB of heap."""
    assert (info.implementation, info.version, info.machine) == (
        "micropython",
        (1, 9, 2),
        "micro:bit with nRF51822",
    )
    assert info.heap_free_bytes is not None
    assert 4000 < info.heap_free_bytes < 12000
    assert (info.tls_module, info.has_tls, info.filesystem, info.address) == (None, False, None, None)
    assert info.unique_id is not None


def test_long_source_arrives_whole(microbit: str) -> None:
    """Without raw paste, code is sent in 256-byte pieces and arrives complete; this UART rarely drops a byte (2 of 600 execs)."""
    link = RawRepl(microbit)
    try:
        link.enter_raw_repl(deadline=Deadline(60))
        link.soft_reset(deadline=Deadline(60))  # what an earlier session loaded occupies memory until then
        text = b"0123456789abcdef" * 60
        code = b"a = '%s'\nprint(len(a), a == '0123456789abcdef' * 60)" % text
        seen = [link.exec(code, deadline=Deadline(60)).stdout.split() for _attempt in range(3)]
        assert [b"960", b"True"] in seen
        link.leave_raw_repl(deadline=Deadline(60))
    finally:
        link.close()


def test_run_says_that_nothing_could_be_tried(microbit: str, tmp_path: Path) -> None:
    """With `pytest --board PORT --cases smoke` every case is unsupported, one sentence gives the reason, and the exit code is 10."""
    command = [sys.executable, "-m", "pytest", "--board", microbit, "--cases", "smoke", "--artifacts", str(tmp_path)]
    environment = {**os.environ, "COLUMNS": "160", "NO_COLOR": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert done.returncode == 10, done.stdout + done.stderr
    assert (
        "nothing was tested: no board could try any case (no ssl, tls or ussl module in this firmware)" in done.stdout
    )
    assert re.search(r"=+ 21 skipped in ", done.stdout), done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert (tmp_path / "run.json").exists()
