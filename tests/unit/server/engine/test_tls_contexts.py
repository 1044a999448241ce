"""Contexts: the order of settings, the names of failures, and pre-shared keys if this machine has them."""

from __future__ import annotations

import errno
import os
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.model import ServerProfile
from harness.server import Serving
from harness.server.engine import tls_contexts
from harness.server.engine.tls_contexts import (
    CACHE_SIZE,
    ContextStore,
    SettingsRefused,
    context_facts,
    describe_interpreter,
    failure_of,
)
from harness.server.remote import RemoteServer
from harness.system.deadline import Deadline

PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


def ssl_error(kind: type[ssl.SSLError], number: int, reason: str | None) -> ssl.SSLError:
    """Make an error as the ssl module does."""
    error = kind(number, "text that changes with every OpenSSL")
    if reason is not None:
        error.reason = reason
    return error


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (ssl_error(ssl.SSLError, 1, "NO_SHARED_CIPHER"), ("SSLError", "NO_SHARED_CIPHER", 1)),
        (ssl_error(ssl.SSLError, 9, None), ("SSLError", None, 9)),
        (ssl_error(ssl.SSLEOFError, 8, None), ("SSLEOFError", "SSL_ERROR_EOF", 8)),
        (ssl_error(ssl.SSLZeroReturnError, 6, None), ("SSLZeroReturnError", "SSL_ERROR_ZERO_RETURN", 6)),
        (ssl_error(ssl.SSLSyscallError, 999, None), ("SSLSyscallError", None, 999)),
        (ConnectionResetError(errno.ECONNRESET, ""), ("ConnectionResetError", "ECONNRESET", errno.ECONNRESET)),
        (TimeoutError(errno.ETIMEDOUT, ""), ("TimeoutError", "ETIMEDOUT", errno.ETIMEDOUT)),
        (OSError("no number"), ("OSError", None, None)),
        (ValueError("unknown curve"), ("ValueError", None, None)),
    ],
)
def test_names_of_failures(exc: Exception, expected: tuple[str, str | None, int | None]) -> None:
    """The reason is SSLError's own, or a name for the number; never a part of the text."""
    told = failure_of(exc, stage="handshake")
    assert (told["type"], told["reason"], told["errno"]) == expected
    assert (told["verify_code"], told["stage"]) == (None, "handshake")


def test_store_is_bounded() -> None:
    """A long run keeps a limited number of contexts."""
    store = ContextStore(keylog_path=None)
    first = store.get({"tickets": 0})[0]
    assert store.get({"tickets": 0})[0] is first
    for tickets in range(1, CACHE_SIZE + 1):
        store.get({"tickets": tickets})
    assert store.get({"tickets": 0})[0] is not first


def test_settings_of_the_connection_share_a_context() -> None:
    """Text and addresses do not make another context; versions do."""
    store = ContextStore(keylog_path=None)
    one = store.get({"maximum_version": "TLSv1.2", "reply": "a"})[0]
    assert store.get({"maximum_version": "TLSv1.2", "reply": "b"})[0] is one
    assert store.get({"maximum_version": "TLSv1.3"})[0] is not one


def test_lost_key_log_is_no_failure(tmp_path: Path) -> None:
    """If the key-log file cannot be written, the server runs without it."""
    store = ContextStore(keylog_path=str(tmp_path / "gone" / "keylog"))
    context = store.get({})[0]
    with store.secrets_of(context, None):
        assert context.keylog_filename is None


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"])
def test_every_version_limit_is_silent(version: str) -> None:
    """A case may request old versions: there is no deprecation warning (warnings are errors in this run)."""
    facts = ContextStore(keylog_path=None).get({"minimum_version": version, "maximum_version": version})[1]
    assert (facts["minimum_version"], facts["maximum_version"]) == (version, version)


def test_psk_without_the_api() -> None:
    """Without the API (before 3.13) a PSK server is refused with AttributeError; with it the context is made."""
    settings = {"behaviour": {"name": "psk", "key": "00" * 16}}
    if hasattr(ssl.SSLContext, "set_psk_server_callback"):
        assert ContextStore(keylog_path=None).get(settings)
        return
    with pytest.raises(SettingsRefused, match="AttributeError") as caught:
        ContextStore(keylog_path=None).get(settings)
    assert isinstance(caught.value.cause, AttributeError)


def test_facts_without_limits() -> None:
    """A limit that Python does not set is None; suites have IANA codes."""
    facts = context_facts(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), {})
    assert facts["maximum_version"] is None
    assert all(0 < code <= 0xFFFF for code, _protocol, _name in facts["suites"])
    assert facts["groups"] is None


def test_description_of_this_interpreter() -> None:
    """The description is that of the running Python."""
    told = describe_interpreter()
    assert told["openssl_number"] == ssl.OPENSSL_VERSION_NUMBER
    assert told["has_wrap_socket"] == hasattr(ssl, "wrap_socket")


PSK_CLIENT = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.set_ciphers("PSK")
context.set_psk_client_callback(lambda hint: ("board", bytes.fromhex(sys.argv[2])))
try:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as raw, context.wrap_socket(raw) as conn:
        conn.sendall(b"Hallo, Server!")
        print(conn.recv(99).decode())
except ssl.SSLError as exc:
    print(exc.reason)
"""


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ({"key": "11" * 16, "identity": "board", "hint": "hint"}, None),
        ({"key": "22" * 16}, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
        ({"key": "11" * 16, "identity": "other"}, "PSK_IDENTITY_NOT_FOUND"),
        ({"key": "11" * 16, "raises": True}, "PSK_IDENTITY_NOT_FOUND"),
    ],
)
def test_psk(certificates: Certificates, behaviour: dict[str, object], reason: str | None) -> None:
    """Pre-shared keys: good, wrong key, unknown identity, and a callback that raises."""
    pythons = sorted(PYENV.glob("3.1[3-9].*/bin/python"))
    if not pythons:
        pytest.skip(f"no CPython >= 3.13 under {PYENV}")
    host = RemoteServer(str(pythons[-1]), materials=certificates.make)
    profile = ServerProfile(ciphers="PSK", maximum_version="TLSv1.2", behaviour={"name": "psk", **behaviour})
    start = host.open(profile, Serving(expect_bytes=14))
    assert start.failure is None
    command = [str(pythons[-1]), "-c", PSK_CLIENT, str(start.port), "11" * 16]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    report = host.finish(Deadline(60))
    host.close()
    assert (report.failure.reason if report.failure else None) == reason
    assert (said == "Hallo, Client!") == (reason is None)


END_OF_STREAM = """
import socket, ssl, sys
sys.path.insert(0, sys.argv[1])
from tls_contexts import end_of_stream, failure_of
outgoing = ssl.MemoryBIO()
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="tls.test")
try:
    client.do_handshake()
except ssl.SSLWantReadError:
    pass
near, far = socket.socketpair()
far.sendall(outgoing.read()[:100])
far.close()
try:
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).wrap_socket(near, server_side=True)
except ssl.SSLError as exc:
    failure = failure_of(exc, stage="handshake")
print((failure["type"], failure["reason"]) == end_of_stream(), end_of_stream())
"""


@pytest.mark.parametrize("python", [Path(sys.executable), *sorted(PYENV.glob("3.[89].*/bin/python"))], ids=str)
def test_the_name_of_the_end_of_the_stream(python: Path) -> None:
    """The name found without a socket equals that of a plain server of this Python for a client that closed in its ClientHello."""
    folder = str(Path(tls_contexts.__file__).parent)
    command = [str(python), "-I", "-c", END_OF_STREAM, folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("True ("), done.stdout
