"""Whole simulations: the user's files, a running server, and one that is not there."""

from __future__ import annotations

import ssl
import sys

import pytest

from harness.diagnose.request import Files, Request
from harness.diagnose.simulation.servers import Simulating, described, simulate_files, simulate_running
from harness.errors import UsageError
from harness.firmware.table import firmwares
from harness.model import BoardSpec
from harness.run.options import RunOptions

SPEC = BoardSpec(text="simulated", kind="simulated", target="", label="simulated")


@pytest.fixture
def asked():
    """Return a function that makes the question of the user: `asked(files, rows=..., changes=..., **request)`."""

    def make(files=Files(), *, rows=None, changes=True, **words):  # noqa: B008 - frozen
        request = Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=files, **words)
        return Simulating(firmwares=rows or firmwares(), request=request, changes=changes)

    return make


def silent(_line: str) -> None:
    """No progress."""


def test_own_files_and_the_advice(asked, server, python_org_server) -> None:
    """The question's own server: an EC key comes first, and what lets all connect, but is discouraged, after it."""
    with python_org_server():
        found = simulate_files(asked(server("server-rsa2048")), progress=silent)
    assert (found.count, found.connecting, found.certificate) == (88, 53, "RSA key, 2048 bits")
    second, first = found.changes
    assert (first.connecting, first.weak, first.fix.discouraged) == (88, 35, True)
    assert (second.connecting, second.weak, second.fix.discouraged) == (68, 0, False)
    assert second.fix.title == "give the server an EC key on P-256 (its certificate from the CA that the board trusts)"
    assert second.server_lines[-1] == 'context.load_cert_chain("ec-cert.pem", "ec-key.pem")'


def test_without_changes(asked, server) -> None:
    """`changes` off: one connection for each distinct hello."""
    found = simulate_files(asked(server("server-p256"), changes=False), progress=silent)
    assert (found.changes, found.connections) == ((), 11)


def test_other_python(asked, server, row) -> None:
    """The server runs under the Python that was given."""
    rows = (row("rp2", "1.28.0"),)
    given = asked(server("server-p256"), rows=rows, server=sys.executable)
    found = simulate_files(given, progress=silent)
    assert found.connecting == 1
    assert found.server.startswith(f"Python {sys.version_info[0]}.{sys.version_info[1]}")


def test_verifying_client(asked, server, files, row) -> None:
    """With the client's CA the certificate is verified: the right CA connects, another does not."""
    rows = (row("rp2", "1.28.0"),)
    for name, connecting in (("ca-p256", 1), ("ca-other", 0)):
        given = asked(server("server-p256", ca=files / name / "cert.pem"), rows=rows, changes=False)
        assert simulate_files(given, progress=silent).connecting == connecting


def test_unusable_file(asked, tmp_path) -> None:
    """A file that cannot be used is a usage error that names the option."""
    files = Files(certificate=tmp_path / "none.pem", key=tmp_path / "none.pem")
    with pytest.raises(UsageError, match=r"^--cert .*none\.pem: cannot be read: "):
        simulate_files(asked(files), progress=silent)


def test_running_server(asked, certificates, row, tls_listener) -> None:
    """A foreign server is probed once after a refusal; the advice comes from a server like it."""
    made = certificates.make("server-p256")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain_file, made.key_file)
    context.set_ciphers("ECDHE+AESGCM")
    port = tls_listener(context, lambda tls: None)
    rows = (row("rp2", "1.28.0"), row("stm32", "1.19.1"), row("stm32", "1.20.0"))
    found = simulate_running(asked(rows=rows), host="127.0.0.1", port=port, progress=silent)
    assert (found.connecting, found.count, found.failure) == (1, 3, None)
    assert [item.explanation.rule for item in found.results[1:]] == [
        "ciphers/plain-rsa-only",
        "ciphers/nothing-in-common",
    ]
    assert found.connections > 10
    assert [(item.connecting, item.stand_in) for item in found.changes] == [(2, True), (3, True)]
    few = simulate_running(asked(rows=rows, probe=False), host="127.0.0.1", port=port, progress=silent)
    assert (few.connections, few.changes) == (3, ())


def test_nobody_there(asked) -> None:
    """A server that cannot be reached has a failure and no results."""
    found = simulate_running(asked(), host="no-such-host.invalid", port=443, progress=silent)
    assert (found.failure, found.results, found.server) == ("the name is not known", (), "no-such-host.invalid:443")


def test_described(certificates) -> None:
    """A certificate in a few words; None for bytes that are none."""
    assert described(certificates.make("server-p384").chain_der) == "EC key, secp384r1"
    assert described((b"x",)) is None
