"""`tls-harness report check`: a real run and a real server judged by policies."""

import contextlib
import json
import socket
import ssl
import threading

import pytest

from harness.commands.report_check import _ON_PURPOSE
from harness.diagnose.remote.looking import Looking
from harness.reports.record.policy import packaged_text


@pytest.fixture
def server(certificates):
    """A server that accepts connection after connection; `server(minimum, suites)` returns its address."""
    listeners = []

    def serve(listener, context):
        while True:
            try:
                sock, _address = listener.accept()
            except OSError:
                return  # closed
            sock.settimeout(60)
            try:
                with context.wrap_socket(sock, server_side=True) as tls:
                    tls.recv(1)
            except OSError:
                sock.close()

    def start(certificate, suites):
        made = certificates.make(certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.chain_file, made.key_file)
        context.set_ciphers(suites)
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append((listener, threading.Thread(target=serve, args=(listener, context), daemon=True)))
        listeners[-1][1].start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener, thread in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)


def test_a_run(report, good_run):
    """The smoke cases have one session without forward secrecy and some without verification: exit code 1, each with its cell."""
    code, out, err = report("check", good_run)
    assert code == 1
    assert any(
        line.startswith("forward_secrecy: an ephemeral key exchange (") for line in out
    )  # Python's defaults decide how many
    assert [line for line in out if "seed/forced-tls-rsa: TLS_RSA_WITH_" in line]
    assert "  unix in-process seed/forced-tls-rsa: not verified" in out
    assert not [line for line in out if "cert/good" in line]
    assert err == [_ON_PURPOSE]


def test_cases_that_meet_it(report, good_run):
    """A pattern selects cases; the hint about weak cases is not repeated to those who use one."""
    assert report("check", good_run, "--case", "cert/*") == (
        0, [f"{good_run}: all of 1 session meet the policy RFC 9325"], [],
    )  # fmt: skip
    code, _out, err = report("check", good_run, "--case", "seed/forced-*")
    assert (code, err) == (1, [])


def test_a_policy_of_ones_own(report, good_run, tmp_path):
    """The file decides; --json has each offence with its cell."""
    (tmp_path / "p.toml").write_text('name = "ours"\nec_bits = 257\n')
    code, out, err = report("check", good_run, "--policy", tmp_path / "p.toml", "--case", "seed/ecdsa-*", "--json")
    data = json.loads("\n".join(out))
    assert (code, err, data["policy"], data["met"]) == (1, [], "ours", False)
    assert {(item["case"], item["rule"]) for item in data["offences"]} == {("seed/ecdsa-key-connects", "ec_bits")}


def test_print_policy(report):
    """The default policy as a file to start from; nothing else is needed."""
    assert report("check", "--print-policy") == (0, packaged_text().splitlines(), [])


def test_a_server_that_meets_it(report, server):
    """Judged without a board; verification cannot be seen at a server."""
    target = server("server-p256", "ECDHE+AESGCM")
    code, out, err = report("check", target)
    assert (code, out) == (
        0, [f"{target} meets the policy RFC 9325", "", "not judged: the board verifies the server's certificate"],
    )  # fmt: skip
    assert err == [f"tls-harness: probing from this machine which versions, suites and keys {target} accepts"]


def test_a_server_that_breaks_it(report, server):
    """Static RSA is accepted."""
    code, out, _err = report("check", server("server-rsa2048", "AES128-GCM-SHA256"))
    assert code == 1
    assert out[2:4] == [
        "forward_secrecy: an ephemeral key exchange (1)", "  accepts TLS_RSA_WITH_AES_128_GCM_SHA256",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "report check: nothing to check (expected a run record or HOST:PORT)"),
        (
            ("RUN", "--case", "x/*"),
            2,
            "RUN: no session to judge: none of its N results is a session whose case matches x/*",
        ),
        (("RUN", "--hostname", "h"), 2, "--hostname applies only to HOST:PORT; a run record has been recorded already"),
        (("127.0.0.1:1", "--case", "x/*"), 2, "--case applies only to a run record; a server has no cases"),
        (
            ("127.0.0.1:99999",),
            2,
            "report check '127.0.0.1:99999': expected HOST:PORT, e.g. broker.example:8883 or [2001:db8::1]:8883",
        ),
        (("no-such-host.invalid:443",), 10, "report check no-such-host.invalid:443: unknown host name (EAI_"),
        (("no-such.json",), 2, "no-such.json: cannot be read (No such file or directory); expected a run.json"),
    ],
)
def test_what_is_refused(report, good_run, arguments, code, message):
    """One line that says what to do."""
    number = str(len(json.loads(good_run.read_text())["results"]))
    words = [str(good_run) if word == "RUN" else word for word in arguments]
    got, out, err = report("check", *words)
    assert (got, out) == (code, [])
    assert err[0].startswith("tls-harness: " + message.replace("RUN", str(good_run)).replace(" N ", f" {number} "))


def test_a_server_that_is_not_there(report):
    """A closed port: exit code 10, and where to look further."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = f"127.0.0.1:{listener.getsockname()[1]}"
    code, out, err = report("check", target)
    assert (code, out) == (10, [])
    assert err[-1] == (
        f"tls-harness: report check {target}: no TCP connection from this machine: is a TLS server listening there? "
        f"`tls-harness diagnose --connect {target}` says more"
    )


@pytest.mark.parametrize(("suites", "code"), [("ECDHE+AESGCM", 10), ("AES128-GCM-SHA256", 1)])
def test_a_probe_that_was_not_completed(report, server, monkeypatch, suites, code):
    """Nothing is met because a server stopped answering; what was found by then still counts."""
    facts = Looking.facts

    def interrupted(self, hello=None):
        found = facts(self, hello)
        self.dialler.gone = True
        return found

    monkeypatch.setattr(Looking, "facts", interrupted)
    target = server("server-rsa2048", suites)
    got, out, err = report("check", target)
    assert got == code
    if code == 1:
        assert out[-1].endswith("; what a probe that was not completed did not reach")
    else:
        assert out == []
        assert err[-1] == (
            f"tls-harness: report check {target}: the probe was not completed (the server stopped answering, or needs more than 30 s); "
            "what it found meets the policy. Run the command again on a faster network"
        )


def test_a_server_without_tls(report):
    """A port that answers in plain text."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    listener.accept()[0].close()

        thread = threading.Thread(target=serve)
        thread.start()
        target = f"127.0.0.1:{listener.getsockname()[1]}"
        code, _out, err = report("check", target)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)
    assert (code, ": no TLS handshake from this machine: is a TLS server" in err[-1]) == (10, True)


def test_a_file_with_the_name_of_an_address(report, good_run, tmp_path, monkeypatch):
    """A file that exists is a record, whatever its name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run:1").write_text(good_run.read_text())
    code, out, _err = report("check", "run:1", "--case", "cert/good")
    assert (code, out) == (0, ["run:1: all of 1 session meet the policy RFC 9325"])
