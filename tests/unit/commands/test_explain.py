"""`tls-harness explain`: text, JSON, standard input and exit codes."""

import io
import json

import pytest

from harness import cli


def test_text(capsys):
    """Readings come first, then a block per entry: its meaning, its causes with a check for each, and the first fix."""
    assert cli.main(["explain", "OSError:", "-70"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [
        "-70 is the server's alert protocol_version(70) on axTLS (esp8266)",
        "",
        "axTLS (esp8266): the server sent protocol_version",
        "  - the server is TLS 1.3 only",
        "      how to tell: the server says UNSUPPORTED_PROTOCOL",
        "  first: context.minimum_version = ssl.TLSVersion.TLSv1_2",
    ]


@pytest.mark.parametrize("argument", ["-30592", "-0x7780", "30592", "0x7780", "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"])
def test_a_negative_number_is_not_an_option(argument, capsys):
    """Negative and hexadecimal numbers are accepted as pasted."""
    assert cli.main(["explain", argument]) == 0
    assert "mbedTLS: the server sent a fatal alert" in capsys.readouterr().out


def test_standard_input(monkeypatch, capsys):
    """A dash reads a whole traceback."""
    text = 'Traceback (most recent call last):\n  File "main.py", line 30, in <module>\nValueError: invalid cert\n'
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert cli.main(["explain", "-"]) == 0
    assert capsys.readouterr().out.startswith("the board cannot read a certificate or a key\n")


def test_json(capsys):
    """--json prints the same content."""
    assert cli.main(["explain", "--json", "-31488"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["text"], data["recognised"], len(data["readings"])) == ("-31488", True, 2)
    assert data["entries"][0]["id"] == "session-ticket"
    assert set(data["entries"][0]["causes"][0]) == {"cause", "tell"}


def test_nothing_recognised(capsys):
    """Unknown text ends with exit code 1 and a hint what to paste."""
    assert cli.main(["explain", "it does not work"]) == 1
    assert capsys.readouterr().out.startswith("This text was not recognised. Paste one of these:\n")


def test_nothing_recognised_json(capsys):
    """With --json too, unknown text ends with exit code 1."""
    assert cli.main(["explain", "--json", "it does not work"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "text": "it does not work",
        "recognised": False,
        "readings": [],
        "entries": [],
    }


def test_empty_text(capsys):
    """An empty text is a usage error."""
    assert cli.main(["explain", " "]) == 2
    assert capsys.readouterr().err.startswith("tls-harness: explain: the text is empty; paste the last line")


def test_no_text(capsys):
    """A missing text is a usage error too."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(["explain"])
    assert "ERROR" in capsys.readouterr().err
