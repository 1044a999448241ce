"""Real certificates, a real server, and two real clients (CPython and MicroPython) on the loopback interface."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import Certificates
from harness.model import ServerProfile, ServerReport
from harness.server import Serving
from harness.server.local import LocalServer
from harness.system.deadline import Deadline

TEXT = "Hallo, Server!"
CLIENT_SCRIPT = """
import binascii, json, socket, sys
try:
    import tls
except ImportError:
    import ssl as tls

def bytes_of(text):
    return binascii.a2b_base64(text) if text else None

def attempt(plan):
    stage = "connect"
    raw = socket.socket()
    try:
        raw.connect(socket.getaddrinfo(plan["address"], plan["port"])[0][-1])
        stage = "handshake"
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_NONE
        if plan.get("ca"):
            context.load_verify_locations(bytes_of(plan["ca"]))
            context.verify_mode = tls.CERT_REQUIRED
        if plan.get("certificate"):
            context.load_cert_chain(bytes_of(plan["certificate"]), bytes_of(plan["key"]))
        if plan.get("suites"):
            context.set_ciphers(plan["suites"])
        conn = context.wrap_socket(raw, server_hostname="tls.test")
        stage = "write"
        conn.write(plan["text"].encode())
        stage = "read"
        answer = b""
        while len(answer) < plan["answer"]:
            more = conn.read(plan["answer"] - len(answer))
            if not more:
                break
            answer += more
        conn.close()
        return {"done": True, "answer": answer.decode()}
    except Exception as exc:
        args = [a if isinstance(a, int) else str(a) for a in exc.args]
        return {"done": False, "stage": stage, "type": type(exc).__name__, "args": args}
    finally:
        raw.close()

while True:
    line = sys.stdin.readline()
    if not line:
        break
    print(json.dumps(attempt(json.loads(line))))
"""


class MicroPythonClient:
    """A MicroPython process that makes TLS connections on request, one after the other."""

    def __init__(self, interpreter: str, script: Path) -> None:
        self.process = subprocess.Popen(
            [interpreter, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def attempt(self, port: int, **plan: Any) -> dict[str, Any]:
        """Connect once and return what the client saw."""
        for name in ("ca", "certificate", "key"):
            if name in plan:
                plan[name] = base64.b64encode(plan[name]).decode()
        request = {"address": "127.0.0.1", "port": port, "text": TEXT, "answer": 14, **plan}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self.process.communicate(timeout=60)


@pytest.fixture(scope="session")
def end_of_stream() -> tuple[str, str]:
    """Return how this Python's `ssl` names a client that closed without close_notify: type and reason.

    Python 3.10 to 3.11.2 let OpenSSL 3 hide it (SSL_OP_IGNORE_UNEXPECTED_EOF, gh-95494).
    """
    if ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).options & ssl.OP_IGNORE_UNEXPECTED_EOF:
        return "SSLZeroReturnError", "SSL_ERROR_ZERO_RETURN"
    return "SSLEOFError", "UNEXPECTED_EOF_WHILE_READING"


@pytest.fixture
def server(certificates: Certificates) -> Iterator[LocalServer]:
    """Return a server host in this process."""
    host = LocalServer(materials=certificates.make)
    yield host
    host.close()


@pytest.fixture(scope="session")
def micropython(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MicroPythonClient]:
    """Return a MicroPython TLS client (the packaged interpreter)."""
    interpreter = os.environ.get("MICROPYTHON") or shutil.which("micropython", path=os.path.dirname(sys.executable))
    if interpreter is None:
        pytest.skip("the packaged MicroPython interpreter is not installed in this environment")
    script = tmp_path_factory.mktemp("client") / "client.py"
    script.write_text(CLIENT_SCRIPT)
    client = MicroPythonClient(interpreter, script)
    yield client
    client.close()


@pytest.fixture
def python_client(certificates: Certificates) -> Callable[..., bytes]:
    """Return a function that makes one TLS connection with CPython and returns the answer."""

    def connect(
        port: int,
        *,
        ca: str = "ca-p256",
        text: str = TEXT,
        notify: bool = True,
        change: Callable[[ssl.SSLContext], object] = lambda context: None,
        hostname: str = "tls.test",
        source: str = "127.0.0.1",
    ) -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=certificates.make(ca).certificate_pem.decode())
        change(context)
        address = ("127.0.0.1", port)
        raw = socket.create_connection(address, timeout=60, source_address=(source, 0))
        with raw, context.wrap_socket(raw, server_hostname=hostname) as conn:
            conn.sendall(text.encode())
            answer = b""
            while len(answer) < 14 and (more := conn.recv(4096)):
                answer += more
            if notify:
                conn.unwrap()
            return answer

    return connect


@pytest.fixture
def run(server: LocalServer, python_client: Callable[..., bytes]) -> Callable[..., tuple[Any, ServerReport]]:
    """Return a function that opens a server, runs a client against it in a thread, and returns what each side saw."""

    def case(
        profile: ServerProfile, serving: Serving | None = None, *, client: Callable[[int], Any] = python_client
    ) -> tuple[Any, ServerReport]:
        start = server.open(profile, serving or Serving(expect_bytes=len(TEXT)))
        assert start.failure is None
        assert start.port is not None
        seen: list[Any] = []

        def attempt(port: int) -> None:
            try:
                seen.append(client(port))
            except OSError as exc:
                seen.append(exc)

        thread = threading.Thread(target=attempt, args=(start.port,))
        thread.start()
        report = server.finish(Deadline(60))
        thread.join(60)
        return seen[0], report

    return case
