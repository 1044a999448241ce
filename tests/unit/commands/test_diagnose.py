"""`tls-harness diagnose`: its options, and a real board and server through the command line."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys

import jsonschema
import pytest

from harness import cli
from harness.boards.virtual.interpreter import find_interpreter
from harness.certificates import Certificates
from harness.diagnose.remote import foreign
from harness.errors import HarnessError
from harness.model import CaseResult, Diagnosis, Explanation, Observation, Outcome, Verdict, VerdictWord
from harness.reports.record.schema import diagnosis_schema

OWN = ["--cert", "c", "--key", "k"]
CONNECT = ["--connect", "h:1"]
NO_SERVER = "missing; expected --cert F and --key F (your server's files), or --connect HOST:PORT (a running server)"
VERSIONS = "expected one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3; the short form 1.2 is accepted too"
WRONG = {
    "no-cert": ([], f"--cert: {NO_SERVER}"),
    "no-key": (OWN[:2], f"--key: {NO_SERVER}"),
    "both": (
        [*CONNECT, *OWN[2:]],
        "--key: for a server that the harness starts; --connect names a running one. Give only one of them",
    ),
    "half-1": (
        [*CONNECT, "--client-key", "k"],
        "--client-cert: missing; the board needs a certificate and its key (--client-key is given)",
    ),
    "half-2": (
        [*CONNECT, "--client-cert", "k"],
        "--client-key: missing; the board needs a certificate and its key (--client-cert is given)",
    ),
    "host": (
        ["--connect", "h"],
        "--connect 'h': expected HOST:PORT, e.g. broker.example:8883 or [2001:db8::1]:8883",
    ),
    "send": (
        [*OWN, "--send", "x"],
        "--send: only for a running server; name it with --connect HOST:PORT",
    ),
    "send-nothing": ([*CONNECT, "--send", ""], "--send: expected 1 to 512 bytes, got 0"),
    "no-probe": (
        [*OWN, "--no-probe"],
        "--no-probe: only for a running server; name it with --connect HOST:PORT",
    ),
    "min": ([*OWN, "--min", "2"], f"--min '2': {VERSIONS}"),
    "max": ([*OWN, "--max", "x"], f"--max 'x': {VERSIONS}"),
    "suites": (
        [*OWN, "--suites", "AES"],
        "--suites: unknown cipher suite 'AES'; expected an IANA name (TLS_...) or an mbedTLS name (TLS-...)",
    ),
    "server": (
        [*OWN, "--server", "no-such"],
        "--server 'no-such': no such program (expected the path of a CPython >= 3.8, or in-process)",
    ),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_one_line(words, message, capsys):
    """The line names the option, the value and what is expected; no board is opened."""
    assert cli.main(["diagnose", *words]) == 2
    assert capsys.readouterr() == ("", f"tls-harness: {message}\n")


def test_the_help_has_examples(capsys):
    """The help has examples for files, for a running server and without a board, the exit codes, and a note on keys."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["diagnose", "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    commands = re.findall(r"^  \$ (tls-harness diagnose .*)$", out, re.M)
    assert len(commands) == 5
    assert "exit codes: 0 the board connects, 1 it does not connect, 2 usage error, 10 board or harness fault" in out
    assert "A private key is never logged or shown" in out


# ----------------------------------------------------------------------------------------------- with the virtual board


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Return `--cert` and `--key` of a good server as arguments; skip without a virtual board."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("pair")
    with Certificates() as certificates:
        made = certificates.make("server-rsa2048")
        (folder / "cert.pem").write_bytes(made.chain_pem)
        (folder / "key.pem").write_bytes(made.key_pem)
    return ["--cert", str(folder / "cert.pem"), "--key", str(folder / "key.pem")]


def secrets(pair):
    """Return the lines of the key's PEM."""
    with open(pair[3], encoding="ascii") as file:
        return [line for line in file.read().splitlines() if "-----" not in line]


def test_good_files_are_0(pair, capsys, tmp_path):
    """The board connects: exit code 0, nothing on stderr without a terminal, no line of the key. The capture has the session's secrets."""
    file = tmp_path / "board.pcapng"
    assert cli.main(["diagnose", *pair, "--capture", str(file)]) == 0
    out, err = capsys.readouterr()
    assert "\nconnected TLSv1." in out
    assert f"  note: capture: {file}; with the session's secrets\n" in out
    assert b"CLIENT_RANDOM" in file.read_bytes()
    assert (err, [line for line in secrets(pair) if line in out]) == ("", [])


def test_a_failure_is_1_and_json_is_one_object(pair, capsys):
    """The JSON object contains the proof and matches its schema; it has no line of the key, and there is no other output."""
    words = [*pair, "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", "--max", "1.2", "--json"]
    assert cli.main(["diagnose", *words]) == 1
    out, err = capsys.readouterr()
    data = json.loads(out)
    jsonschema.Draft202012Validator(diagnosis_schema()).validate(data)
    assert (data["connected"], data["result"]["observed"]["server"]["reason"]) == (False, "NO_SHARED_CIPHER")
    proofs = [trial for trial in data["trials"] if trial["fix"]["proved"]]
    assert [proof["result"]["outcome"] for proof in proofs] == ["connected", "connected"]
    assert "give the server an EC key on P-256" in proofs[1]["fix"]["title"]
    assert (err, [line for line in secrets(pair) if line in out]) == ("", [])


def test_a_missing_file_is_2(pair, capsys):
    """The error is one line, and no board is opened."""
    assert cli.main(["diagnose", "--cert", "no.pem", *pair[2:]]) == 2
    assert capsys.readouterr() == ("", "tls-harness: --cert no.pem: cannot be read: No such file or directory\n")


def test_a_missing_board_is_10(pair, capsys):
    """A missing board is a fault, not a statement about TLS."""
    assert cli.main(["diagnose", *pair, "--board", "/dev/ttyNONE99"]) == 10
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tls-harness: ")
    assert err.count("\n") == 1


def test_ctrl_c_cleans_up(pair, tmp_path):
    """On a terminal the progress is shown; Ctrl-C ends the command with 130 and leaves no traceback, file or process."""
    master, terminal = pty.openpty()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "diagnose", *pair, "--max", "1.1"],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    try:
        while b"opening unix" not in shown:
            shown += os.read(master, 1000)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        with contextlib.suppress(OSError):  # reading a terminal that no process has open fails with EIO
            while more := os.read(master, 1000):
                shown += more
        assert process.returncode == 130
        assert b"Traceback" not in shown
        assert list(temporary.iterdir()) == []
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)


@pytest.mark.parametrize(("explained", "code"), [(False, 0), (True, 1)])
def test_a_session_that_the_application_refuses_is_1(monkeypatch, capsys, explained, code):
    """A session is 0; a session with an explanation is one that the server refused afterwards."""
    seen = Observation(outcome=Outcome.CONNECTED, stage=None, ended_by=None, server=None, client=None)
    result = CaseResult(
        board="unix",
        server="h:1",
        case="c",
        attempt=1,
        verdict=Verdict(word=VerdictWord.PASS),
        expected=None,
        observation=seen,
        explanation=Explanation(rule="client-auth/refused-later", title="refused later") if explained else None,
    )
    found = Diagnosis(board="unix", info=None, server="h:1", result=result)
    monkeypatch.setattr(foreign, "diagnose_server", lambda _request, *, progress: found)
    assert cli.main(["diagnose", "--connect", "h:1"]) == code
    assert ("why: refused later" in capsys.readouterr().out) is explained
