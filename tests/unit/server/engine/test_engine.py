"""The engine alone: started by its file, JSON lines, its folder and its reaction to invalid requests."""

from __future__ import annotations

import json
import os
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from harness.certificates import Certificates
from harness.model import Behaviour
from harness.server.engine import engine as engine_module
from harness.server.engine import tls_contexts
from harness.server.engine.engine import BEHAVIOURS, PROTOCOL, Engine

FILE = Path(engine_module.__file__)


def answers(*requests: object) -> list[dict[str, object]]:
    """Start the engine by its path, as any Python would, send lines, and return its lines."""
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in requests)
    done = subprocess.run(
        [sys.executable, str(FILE)], input=text, capture_output=True, text=True, timeout=60, cwd="/", check=True
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_greeting_and_end() -> None:
    """The first line names protocol and interpreter; end of input ends the process."""
    (greeting,) = answers()
    assert greeting["engine"] == PROTOCOL
    assert isinstance(greeting["describe"], dict)
    assert greeting["describe"]["executable"] == sys.executable


def test_requests_and_faults() -> None:
    """Every request gets one line; an invalid one gets an error, and the engine continues."""
    lines = answers(
        {"call": "open", "argument": {}},
        {"call": "cancel"},
        "nonsense\n",
        {"call": "x"},
        {"call": "wait", "argument": 0},
    )
    assert [sorted(line) for line in lines[1:]] == [["result"], ["result"], ["error"], ["error"], ["error"]]
    assert lines[4]["error"] == "ValueError: unknown call 'x'"
    assert lines[5]["error"] == "RuntimeError: wait() without an open server"


def test_behaviours_are_those_of_the_records() -> None:
    """The engine serves each `Behaviour` and no other, and refuses an unknown name by itself."""
    assert set(BEHAVIOURS) == {"", *Behaviour}
    _greeting, answer = answers({"call": "open", "argument": {"behaviour": {"name": "not-tls.nonsense"}}})
    assert answer == {"result": {"ok": False, "error": "unknown server behaviour 'not-tls.nonsense'"}}


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_secrets_are_private_and_removed() -> None:
    """The key-log file is 0600 in a private folder, and both are removed by close."""
    engine = Engine()
    folder = Path(engine._folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "keylog").stat().st_mode) == 0o600
    engine.close()
    assert not folder.exists()


def test_contexts_are_reused(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening again with the same settings parses no key and no certificate."""
    material = certificates.make("server-rsa2048")
    settings = {"certificates": [{"chain_file": str(material.chain_file), "key_file": str(material.key_file)}]}
    engine, built, build = Engine(), [], tls_contexts.build_context
    monkeypatch.setattr(tls_contexts, "build_context", lambda settings: (built.append(settings), build(settings))[1])
    for _ in range(3):
        assert engine.open(settings)["ok"]
        engine.cancel()
    engine.close()
    assert len(built) == 1


def test_a_rewritten_certificate_is_read_again(certificates: Certificates, tmp_path: Path) -> None:
    """The context of a file that changed on disk is not reused: users of `diagnose` edit files and try again."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    settings = {"certificates": [{"chain_file": str(chain), "key_file": str(key)}]}
    engine = Engine()
    good = certificates.make("server-p256")
    chain.write_bytes(good.chain_file.read_bytes())
    key.write_bytes(good.key_file.read_bytes())
    assert engine.open(settings)["ok"]
    key.write_bytes(certificates.make("server-p384").key_file.read_bytes())
    assert engine.open(settings)["failure"]["reason"] in ("KEY_TYPE_MISMATCH", "KEY_VALUES_MISMATCH")
    engine.close()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors in /proc")
def test_descriptors_do_not_grow_with_the_profiles(certificates: Certificates) -> None:
    """However many contexts are kept, none of them holds a descriptor after its connection."""
    material = certificates.make("server-rsa2048")
    settings = {"certificates": [{"chain_file": str(material.chain_file), "key_file": str(material.key_file)}]}
    engine = Engine()
    counts = []
    for number in range(60):
        opened = engine.open({**settings, "tickets": number})
        with talk(opened["port"]) as client:
            assert client.recv(64) == b"Hallo, Client!"
        assert engine.wait(60)["key_log"]
        counts.append(len(os.listdir("/proc/self/fd")))
    engine.close()
    assert max(counts) == min(counts)


def talk(port: int) -> ssl.SSLSocket:
    """Make a handshake with the engine as a client that verifies nothing."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=60))


def settings_of(certificates: Certificates, name: str, **more: object) -> dict[str, object]:
    """Return the settings of a server with one key."""
    material = certificates.make(name)
    return {"certificates": [{"chain_file": str(material.chain_file), "key_file": str(material.key_file)}], **more}


def test_one_connection_per_listener(certificates: Certificates) -> None:
    """While the first client is served nothing listens: a second one is refused."""
    engine = Engine()
    port = engine.open(settings_of(certificates, "server-p256", expect_bytes=1))["port"]
    with talk(port) as client:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=60)
        client.sendall(b"x")
        assert client.recv(64) == b"Hallo, Client!"
    report = engine.wait(60)
    engine.close()
    assert (report["exchanged"], report["strangers"]) == (True, 0)


def test_a_client_that_stays_after_the_exchange_is_not_a_timeout(certificates: Certificates) -> None:
    """After the exchange of texts, ending a session whose client does not close is neither a timeout nor a failure."""
    engine = Engine()
    behaviour = {"name": "close.tcp-fin-no-notify"}
    with talk(engine.open(settings_of(certificates, "server-p256", behaviour=behaviour))["port"]) as client:
        assert client.recv(64) == b"Hallo, Client!"
        assert client.recv(64) == b""  # the end of the stream: the server has recorded the exchange
        report = engine.wait(0.0)
    engine.close()
    assert (report["exchanged"], report["timed_out"], report["failure"]) == (True, False, None)


def test_a_context_is_logged_only_while_it_serves(certificates: Certificates) -> None:
    """Between two connections the context has no open key-log file; the second connection's secrets are still recorded."""
    material = certificates.make("server-p256")
    settings = {"certificates": [{"chain_file": str(material.chain_file), "key_file": str(material.key_file)}]}
    engine = Engine()
    secrets = []
    for _ in range(2):
        opened = engine.open(settings)
        context = engine._job.context
        assert context.keylog_filename is None
        talk(opened["port"]).close()
        secrets.append(engine.wait(60)["key_log"])
        assert context.keylog_filename is None
    engine.close()
    assert secrets[0] != secrets[1]
    assert all("CLIENT_" in one for one in secrets)


@pytest.mark.skipif(os.name != "posix", reason="resource is POSIX only")
def test_running_out_of_descriptors_is_not_a_refusal(certificates: Certificates) -> None:
    """If no descriptor is left, a good certificate does not count as refused: it is an error of the harness."""
    import resource

    material = certificates.make("server-rsa2048")
    settings = {"certificates": [{"chain_file": str(material.chain_file), "key_file": str(material.key_file)}]}
    engine = Engine()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = os.open(os.devnull, os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken + 1, hard))
    try:
        answer = engine.open(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(taken)
        engine.close()
    assert sorted(answer) == ["error", "ok"]
    assert "Too many open files" in answer["error"]
