"""`tls-harness diagnose`: its options, and a real board and server through the command line."""

import re

import pytest

from harness import cli

OWN = ["--cert", "c", "--key", "k"]
CONNECT = ["--connect", "h:1"]
NO_SERVER = (
    "missing; wanted are --cert F and --key F (your server's own files), or --connect HOST:PORT (a server that runs)"
)
VERSIONS = "accepted are TLSv1, TLSv1.1, TLSv1.2, TLSv1.3, also written 1.2"
WRONG = {
    "no-cert": ([], f"--cert: {NO_SERVER}"),
    "no-key": (OWN[:2], f"--key: {NO_SERVER}"),
    "both": (
        [*CONNECT, *OWN[2:]],
        "--key: says how a server of yours is started, --connect names one that runs; leave one out",
    ),
    "half-1": (
        [*CONNECT, "--client-key", "k"],
        "--client-cert: missing; the board needs both for a certificate of its own (--client-key is given)",
    ),
    "half-2": (
        [*CONNECT, "--client-cert", "k"],
        "--client-key: missing; the board needs both for a certificate of its own (--client-cert is given)",
    ),
    "host": (
        ["--connect", "h"],
        "--connect 'h': host and port are wanted, as in broker.example:8883 or [2001:db8::1]:8883",
    ),
    "min": ([*OWN, "--min", "2"], f"--min '2': {VERSIONS}"),
    "max": ([*OWN, "--max", "x"], f"--max 'x': {VERSIONS}"),
    "suites": (
        [*OWN, "--suites", "AES"],
        "--suites: 'AES' is no suite; accepted are IANA's names (TLS_...) and mbedTLS's (TLS-...)",
    ),
    "server": (
        [*OWN, "--server", "no-such"],
        "--server 'no-such': no such program (accepted: the path of a CPython >= 3.8)",
    ),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG)
def test_wrong_usage_is_one_line(words, message, capsys):
    """It names the option, the value and what is accepted; nothing is opened."""
    assert cli.main(["diagnose", *words]) == 2
    assert capsys.readouterr() == ("", f"tls-harness: {message}\n")


def test_help_teaches(capsys):
    """Examples for files, for a server that runs and without a board; the exit codes; keys."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["diagnose", "--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    commands = re.findall(r"^  \$ (tls-harness diagnose .*)$", out, re.M)
    assert len(commands) == 4
    assert "exit codes: 0 it connects as it is, 1 it does not, 2 wrong usage, 3 fault" in out
    assert "Of a private key nothing is copied, logged or shown" in out
