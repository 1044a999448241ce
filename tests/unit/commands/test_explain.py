"""`tls-harness explain`: text, JSON, a pipe and exit codes."""

import io
import json

import pytest

from harness import cli


def piped(data):
    """Return standard input as a pipe with these bytes."""
    return io.TextIOWrapper(io.BytesIO(data))


class Terminal(io.TextIOWrapper):
    """A standard input that is a terminal."""

    def isatty(self):
        return True


def test_text(capsys):
    """The sentence comes first, then what the numbers are, the cause with its checks, and the next command."""
    assert cli.main(["explain", "OSError:", "-70"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [
        "Most likely: the two sides have no TLS version in common: the server requires a newer one than the",
        "client has.",
        "",
        "-70 is the server's alert protocol_version(70) on axTLS (esp8266)",
        "",
        "[versions/server-too-new]",
        "  board: fatal alert: -30592 on mbedTLS, -70 on axTLS",
        "  other: UNSUPPORTED_PROTOCOL, alert 70 (protocol_version)",
        "  check: context.minimum_version on the server; official MicroPython firmware stops at TLS 1.2, very",
        "         old clients at 1.0",
        "  fix:   context.minimum_version = ssl.TLSVersion.TLSv1_2, or a newer client",
        "  proof: tls-harness diagnose proves other TLS versions on the server",
        "  see:   https://github.com/mqtt-tools/mqttwarn/issues/378",
        "",
        "if that is not it:",
        "  - The server speaks only TLS versions that the client no longer accepts. [versions/server-too-old]",
        "      check: context.maximum_version on the server; firmware since 1.23 (esp32: 1.21) needs TLS 1.2",
        "      fix:   let the server speak TLS 1.2",
        "",
        "find the cause with your board, and prove the fix:",
        "  tls-harness diagnose --board BOARD --connect HOST:PORT",
    ]


def test_several_causes(capsys):
    """A text that leaves several causes open says so in its first words, and asks which of them it is."""
    assert cli.main(["explain", "NO_SHARED_CIPHER"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Several causes are possible: the server found no cipher suite ")
    assert (
        "\nwhich of these:\n  - The server's key is RSA, and the board can only use servers with an EC key. [ciphers/key-type]\n"
        in out
    )


def test_did_you_mean(capsys):
    """A typing error is named."""
    assert cli.main(["explain", "no shared chiper"]) == 0
    assert "\ndid you mean 'cipher'? The text says 'chiper'.\n" in capsys.readouterr().out


@pytest.mark.parametrize("argument", ["-30592", "-0x7780", "30592", "0x7780", "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"])
def test_a_negative_number_is_not_an_option(argument, capsys):
    """Negative and hexadecimal numbers are accepted as pasted."""
    assert cli.main(["explain", argument]) == 0
    assert "the server refused with a fatal alert" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_a_pipe(arguments, monkeypatch, capsys):
    """A pipe is read with and without a dash."""
    text = 'Traceback (most recent call last):\n  File "main.py", line 30, in <module>\nValueError: invalid cert\n'
    monkeypatch.setattr("sys.stdin", piped(text.encode()))
    assert cli.main(["explain", *arguments]) == 0
    assert capsys.readouterr().out.startswith("The board cannot read a certificate that it was given.\n")


def test_a_pipe_of_powershell(monkeypatch, capsys):
    """Its > writes UTF-16 with a byte order mark."""
    monkeypatch.setattr("sys.stdin", piped("ValueError: invalid cert\r\n".encode("utf-16")))
    assert cli.main(["explain"]) == 0
    assert capsys.readouterr().out.startswith("The board cannot read a certificate that it was given.\n")


@pytest.mark.parametrize(
    "data", [bytes(range(256)) * 400, b"\0" * 9, b"\xff" * 90_000], ids=["all", "zeros", "no UTF-8"]
)
def test_no_text(monkeypatch, capsys, data):
    """Numbers in a binary file mean nothing."""
    monkeypatch.setattr("sys.stdin", piped(data))
    assert cli.main(["explain"]) == 2
    assert capsys.readouterr().err == (
        "tls-harness: explain: this is not text; paste the last line of a traceback from the board or the server\n"
    )


def test_a_text_with_noise(monkeypatch, capsys):
    """A few bytes that are no text, as a serial console has them, and colours, do not matter."""
    monkeypatch.setattr("sys.stdin", piped(b"\xff\x00\x1b[31mValueError: invalid cert\x1b[0m\xfe\n"))
    assert cli.main(["explain"]) == 0
    assert capsys.readouterr().out.startswith("The board cannot read a certificate that it was given.\n")


def test_a_general_cause_has_no_proof_of_its_own(capsys):
    """What is proved depends on the special cause."""
    assert cli.main(["explain", "NO_SHARED_CIPHER"]) == 0
    assert "proof:" not in capsys.readouterr().out


def test_a_terminal_is_not_waited_for(monkeypatch, capsys):
    """Without text and without a pipe the command says what to paste."""
    monkeypatch.setattr("sys.stdin", Terminal(io.BytesIO(b"NO_SHARED_CIPHER")))
    assert cli.main(["explain"]) == 2
    assert capsys.readouterr().err.startswith("tls-harness: explain: the text is empty; paste the last line")
    assert cli.main(["explain", "-"]) == 0


def test_json(capsys):
    """--json prints the same content."""
    assert cli.main(["explain", "--json", "-31488"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["text"], data["recognised"], data["open"], len(data["readings"])) == ("-31488", True, False, 2)
    assert data["sentence"].startswith("Most likely: the firmware treats the server's session ticket as an error")
    assert [cause["id"] for cause in data["causes"]] == ["peer/session-ticket", "peer/broken-messages"]
    assert set(data["causes"][0]) == {
        "id",
        "sentence",
        "board",
        "server",
        "tell",
        "fix",
        "recipes",
        "no_recipe",
        "links",
    }
    assert data["diagnose"] == "tls-harness diagnose --board BOARD --connect HOST:PORT"
    assert cli.main(["explain", "--json", "no shared chiper"]) == 0
    assert json.loads(capsys.readouterr().out)["did_you_mean"] == [{"read": "chiper", "meant": "cipher"}]


def test_a_number_without_a_cause(capsys):
    """A number that has only a name gets that."""
    assert cli.main(["explain", "-26880"]) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "No cause is known for this number; this is its name.",
        "",
        "-26880 = -0x6900 is MBEDTLS_ERR_SSL_WANT_READ (mbedTLS)",
    ]


def test_nothing_recognised(capsys):
    """Unknown text ends with exit code 1 and a hint what to paste."""
    assert cli.main(["explain", "it does not work"]) == 1
    assert capsys.readouterr().out.startswith("This text was not recognised. Paste one of these:\n")


def test_nothing_recognised_json(capsys):
    """With --json too, unknown text ends with exit code 1."""
    assert cli.main(["explain", "--json", "it does not work"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["recognised"], data["sentence"], data["causes"], data["diagnose"]) == (False, "", [], None)


@pytest.mark.parametrize("arguments", [[" "], ["", ""]])
def test_empty_text(arguments, capsys):
    """An empty text is a usage error."""
    assert cli.main(["explain", *arguments]) == 2
    assert capsys.readouterr().err.startswith("tls-harness: explain: the text is empty; paste the last line")
