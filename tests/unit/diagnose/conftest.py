"""The user's files: those of a server, a CA and a board, as PEM and DER, each kind in its own folder."""

import contextlib
import os
import socket
import ssl
import threading

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.certificates import Certificates
from harness.diagnose.own import diagnose_files
from harness.diagnose.request import Files, Request
from harness.errors import HarnessError
from harness.model import BoardSpec
from harness.run.options import RunOptions

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix")
NAMES = (
    *("server-p256", "server-rsa2048", "server-rsa2048-self-signed", "client-p256", "client-untrusted"),
    *("ca-p256", "ca-rsa", "ca-other"),
)


@pytest.fixture
def hold_to():
    """Return `hold_to(context, curve)`, which restricts a context to one group; skip if this Python cannot (X25519 before 3.11.3)."""

    def hold(context, curve):
        try:
            context.set_ecdh_curve(curve)
        except ssl.SSLError as error:
            pytest.skip(f"this Python's set_ecdh_curve does not take {curve}: {error.reason}")

    return hold


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """`files / "server-p256" / "cert.pem"`, `key.pem`, `cert.der`, `key.der` and `pkcs8.der` of some profiles."""
    folder = tmp_path_factory.mktemp("files")
    with Certificates() as certificates:
        for name in NAMES:
            made, own = certificates.make(name), folder / name
            own.mkdir()
            contents = {
                "cert.pem": made.chain_pem,
                "key.pem": made.key_pem,
                "cert.der": made.certificate_der,
                "key.der": made.key_der,
                "pkcs8.der": made.key_pkcs8_der,
            }
            for file, content in contents.items():
                (own / file).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def server(files):
    """Return a function that makes `Files` of a server: `server("server-p256", ca=...)`."""

    def make(name, key=None, **more):
        return Files(certificate=files / name / "cert.pem", key=files / (key or name) / "key.pem", **more)

    return make


@pytest.fixture(scope="module")
def diagnose():
    """Return a function that diagnoses on the virtual board; skip if there is none."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))

    def run(given, *, progress=lambda _line: None, board=SPEC, **words):
        return diagnose_files(
            Request(board=board, options=RunOptions(boards=(board,)), files=given, **words), progress=progress
        )

    return run


@pytest.fixture
def tls13_board():
    """A board with TLS 1.3. No official firmware has it; the interpreter that $MICROPYTHON_OLD names may."""
    path = os.environ.get("MICROPYTHON_OLD")
    if not path:
        pytest.skip(
            "$MICROPYTHON_OLD names no interpreter with TLS 1.3 (`python3 tools/fetch_debian.py` gets Debian's)"
        )
    return BoardSpec(text=f"unix:{path}", kind="unix", target=path, label="tls13")


@contextlib.contextmanager
def accepting(context, *, talk):
    """Run a foreign TLS server and yield its port: each connection is passed to `talk(tls)`; failed handshakes are ignored."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    sock, _peer = listener.accept()
                except OSError:
                    return
                with sock, contextlib.suppress(OSError):
                    sock.settimeout(60)
                    with context.wrap_socket(sock, server_side=True) as tls:
                        talk(tls)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(60)


@pytest.fixture
def tls_listener():
    """Return a function that starts a server for the rest of the test: `tls_listener(context, talk)` returns the port."""
    with contextlib.ExitStack() as running:
        yield lambda context, talk: running.enter_context(accepting(context, talk=talk))
