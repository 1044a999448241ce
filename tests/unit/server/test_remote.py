"""The engine under other Pythons: the same answers, and one line for an interpreter that cannot be used."""

from __future__ import annotations

import gc
import os
import signal
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import Certificates
from harness.errors import ServerError, UsageError
from harness.model import ServerProfile, Stage
from harness.server import Serving
from harness.server.remote import RemoteServer
from harness.system.deadline import Deadline

PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
P256 = ServerProfile(certificates=("server-p256",))
TALK = Serving(expect_bytes=14)


def interpreter(version: str) -> str:
    """Find a pyenv interpreter of a minor version; skip if there is none."""
    found = sorted(PYENV.glob(f"{version}.*/bin/python"))
    if not found:
        pytest.skip(f"no CPython {version} under {PYENV}")
    return str(found[-1])


@pytest.fixture(params=["this", "3.8", "3.13"])
def remote(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[RemoteServer]:
    """Return a server host under this Python, the oldest and a newer one."""
    python = sys.executable if request.param == "this" else interpreter(request.param)
    host = RemoteServer(python, materials=certificates.make)
    yield host
    host.close()


def test_session_under_another_python(remote: RemoteServer, python_client: Callable[..., bytes]) -> None:
    """Text goes both ways, the recorded bytes arrive over the pipe, and the end of the stream after it is a success."""
    for notify in (True, False):
        start = remote.open(P256, TALK)
        assert python_client(start.port, notify=notify) == b"Hallo, Client!"
        report = remote.finish(Deadline(60))
        assert (report.failure, report.exchanged, report.received_text) == (None, True, "Hallo, Server!")
        assert report.wire[0].data[:2] == b"\x16\x03"
        assert report.key_log
        assert report.facts is not None
        assert report.facts.python == remote.describe()["python"]
        assert [key.type for key in report.facts.keys] == ["EC"]


def test_description(remote: RemoteServer) -> None:
    """Version, OpenSSL, default suites and build flag of the other Python are known at once."""
    told = remote.describe()
    assert told["implementation"] == "CPython"
    assert told["openssl"].startswith("OpenSSL")
    assert [0xC02C, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"] in told["default_suites"]
    assert "default_suites_flag" in told
    assert told["has_wrap_socket"] == (tuple(int(part) for part in told["python"].split(".")[:2]) < (3, 12))


def test_refused_settings(remote: RemoteServer) -> None:
    """Settings the other Python refuses are a failure of stage config."""
    profile = ServerProfile(certificates=("server-rsa1024",), ciphers="DEFAULT:@SECLEVEL=2")
    failure = remote.open(profile, TALK).failure
    assert failure is not None
    assert (failure.type, failure.reason, failure.stage) == ("SSLError", "EE_KEY_TOO_SMALL", Stage.CONFIG)


@pytest.mark.parametrize(
    "behaviour",
    [
        {"name": "fragments.hs-records", "size": 100},
        {"name": "fragments.tcp", "size": 3},
        {"name": "close.tcp-fin-no-notify"},
        {"name": "sni.record"},
        {"name": "sni.swap", "certificate": "server-p256"},
    ],
)
def test_odd_behaviours_under_another_python(
    remote: RemoteServer, python_client: Callable[..., bytes], behaviour: dict[str, Any]
) -> None:
    """Behaviours of each kind run under the oldest Python as well."""
    start = remote.open(ServerProfile(certificates=("server-p256",), behaviour=behaviour), TALK)
    assert python_client(start.port, notify=False) == b"Hallo, Client!"
    assert remote.finish(Deadline(60)).exchanged


def test_raw_peer_under_another_python(remote: RemoteServer, python_client: Callable[..., bytes]) -> None:
    """A peer that does not speak TLS needs no context."""
    start = remote.open(ServerProfile(behaviour={"name": "not-tls.alert", "code": 40}), TALK)
    with pytest.raises(ssl.SSLError) as caught:
        python_client(start.port)
    assert "HANDSHAKE_FAILURE" in str(caught.value.reason)
    assert not remote.finish(Deadline(60)).handshake_done


def test_cancel_over_the_pipe(remote: RemoteServer) -> None:
    """Cancel answers with a report without a connection, or None."""
    remote.open(P256, TALK)
    report = remote.cancel()
    assert report is not None
    assert not report.accepted
    assert remote.cancel() is None


def test_deadline_over_the_pipe(remote: RemoteServer) -> None:
    """A session without a client ends at the deadline."""
    remote.open(P256, TALK)
    assert remote.finish(Deadline(0.05)).timed_out


def test_process_that_dies_is_named(certificates: Certificates) -> None:
    """If the other Python is killed the next call says so in one line, and close leaves nothing."""
    threads = threading.active_count()
    host = RemoteServer(sys.executable, materials=certificates.make)
    os.kill(host._process.pid, signal.SIGKILL)
    with pytest.raises(ServerError, match=r"the TLS server under '.*' ended with status -9: it printed nothing"):
        host.open(P256, TALK)
    host.close()
    host.close()
    assert host._process.returncode == -signal.SIGKILL
    assert not Path(host._folder.path).exists()
    with pytest.raises(ServerError, match="was closed"):
        host.cancel()
    assert threading.active_count() == threads


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts descriptors in /proc")
def test_nothing_is_left_after_close(certificates: Certificates) -> None:
    """Process, pipes and thread are gone after close."""
    gc.collect()
    descriptors = len(os.listdir("/proc/self/fd"))
    host = RemoteServer(sys.executable, materials=certificates.make)
    host.close()
    assert host._process.returncode == 0
    assert len(os.listdir("/proc/self/fd")) == descriptors


def refused(python: object, certificates: Certificates) -> str:
    """Return the message for an interpreter that is refused; it is one line."""
    with pytest.raises(UsageError) as caught:
        RemoteServer(str(python), materials=certificates.make)
    message = str(caught.value)
    assert message.startswith(f"--server {str(python)!r}: ")
    assert "\n" not in message
    return message.removeprefix(f"--server {str(python)!r}: ")


def script(folder: Path, text: str) -> Path:
    """Write an executable shell script."""
    path = folder / "python"
    path.write_text(text)
    path.chmod(0o755)
    return path


ACCEPTED = "(expected the path of a CPython >= 3.8)"


def test_missing_interpreter(tmp_path: Path, certificates: Certificates) -> None:
    """A wrong path is named as such."""
    assert refused(tmp_path / "python", certificates) == f"no such file {ACCEPTED}"


def test_not_executable(tmp_path: Path, certificates: Certificates) -> None:
    """The error for a file that cannot be started has the reason."""
    (tmp_path / "data").write_text("x")
    assert refused(tmp_path / "data", certificates) == "cannot be started (Permission denied)"


def test_not_python(tmp_path: Path, certificates: Certificates) -> None:
    """A program that is not Python is reported as such."""
    path = script(tmp_path, "#!/bin/sh\necho hello\n")
    assert refused(path, certificates) == f"is not a Python interpreter {ACCEPTED}"


def test_a_shim_without_that_python(tmp_path: Path, certificates: Certificates) -> None:
    """The error quotes the first line of the program's output: pyenv's shims begin with the reason."""
    path = script(tmp_path, "#!/bin/sh\necho 'pyenv: python3.8: command not found\n\nNote: see help' >&2\nexit 127\n")
    said = "it printed 'pyenv: python3.8: command not found'"
    assert refused(path, certificates) == f"is not a Python interpreter; {said} {ACCEPTED}"


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7"])
def test_too_old(certificates: Certificates, version: str) -> None:
    """A Python before 3.8 is too old, with its version."""
    assert refused(interpreter(version), certificates) == (
        f"is Python {version}, too old for the server engine (expected CPython >= 3.8)"
    )


def test_micropython_is_not_a_server(certificates: Certificates) -> None:
    """MicroPython is the client of this harness, not its server."""
    path = Path(sys.executable).with_name("micropython")
    if not path.exists():
        pytest.skip("the packaged MicroPython interpreter is not installed in this environment")
    assert refused(path, certificates) == f"is micropython, not CPython {ACCEPTED}"


def test_python_without_ssl(tmp_path: Path, certificates: Certificates) -> None:
    """A Python whose ssl module cannot be imported is named as such."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    runner = tmp_path / "run.py"
    runner.write_text(
        "import sys, runpy\nsys.modules['ssl'] = None\n"
        "words = sys.argv[1:]\n"
        "exec(words[1]) if words[0] == '-c' else runpy.run_path(words[-1], run_name='__main__')\n"
    )
    path = script(tmp_path, f'#!/bin/sh\nexec {sys.executable} {runner} "$@"\n')
    assert refused(path, certificates) == (
        f"is Python {version} without a working ssl module (expected CPython >= 3.8 with OpenSSL)"
    )


def test_engine_that_does_not_start(tmp_path: Path, certificates: Certificates) -> None:
    """A working Python that cannot run the engine is reported with the last line of its error stream."""
    broken = 'if [ "$1" = -I ]; then printf "cannot: \\033[31m no memory" >&2; exit 3; fi'
    path = script(tmp_path, f'#!/bin/sh\n{broken}\nexec {sys.executable} "$@"\n')
    message = refused(path, certificates)
    assert message == r"the server engine does not start under it: 'cannot: \x1b[31m no memory'"
