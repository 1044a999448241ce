"""Start servers of Debian's packages on free loopback ports, in the foreground, with their own files; each ends with its test."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.system.deadline import Deadline

PROFILES = ("server-p256", "server-rsa2048", "client-p256", "client-untrusted", "ca-p256", "ca-other")


@pytest.fixture(scope="session")
def pairs(tmp_path_factory):
    """`pairs / "server-p256" / "cert.pem"`, `key.pem`, `cert.der`, `key.der`; the keys are readable for their owner only."""
    folder = tmp_path_factory.mktemp("pairs")
    with Certificates() as certificates:
        for name in PROFILES:
            made, own = certificates.make(name), folder / name
            own.mkdir(mode=0o700)
            for file, content in (
                ("cert.pem", made.chain_pem),
                ("key.pem", made.key_pem),
                ("cert.der", made.certificate_der),
                ("key.der", made.key_der),
            ):
                path = own / file
                path.touch(0o600)
                path.write_bytes(content)
    return folder


@pytest.fixture
def started(tmp_path):
    """Start a program and wait until it listens on the port: `started(port, *command)`. The previous program is ended."""
    running = []

    def end():
        while running:
            process = running.pop()
            process.terminate()
            process.communicate(timeout=60)

    def start(port, *command):
        end()
        program = shutil.which(command[0], path=f"{Path('/usr/sbin')}:/usr/bin:/bin:/usr/local/bin") or shutil.which(
            command[0]
        )
        if program is None:
            pytest.skip(f"{command[0]} is not installed (Debian packages nginx-light, mosquitto, openssl)")
        log = tmp_path / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program, *map(str, command[1:])],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=tmp_path,
            )
        running.append(process)
        deadline = Deadline(60)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                assert process.poll() is None, log.read_text(errors="replace")
                assert not deadline.expired, log.read_text(errors="replace")
                time.sleep(0.02)  # nothing else shows that it listens

    yield start
    end()


@pytest.fixture
def port():
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def diagnose(port, tmp_path):
    """Run `tls-harness diagnose --board unix --connect` and return its exit code and output."""

    def run(*more, board="unix"):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "harness", "diagnose", "--board", board),
                *("--connect", f"127.0.0.1:{port}", *map(str, more)),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, done.stdout

    return run


@pytest.fixture
def tls13_board():
    """A board with TLS 1.3. No official firmware has it; the interpreter that $MICROPYTHON_OLD names may."""
    path = os.environ.get("MICROPYTHON_OLD")
    if not path:
        pytest.skip(
            "$MICROPYTHON_OLD names no interpreter with TLS 1.3 (`python3 tools/fetch_debian.py` gets Debian's)"
        )
    return f"unix:{path}"
