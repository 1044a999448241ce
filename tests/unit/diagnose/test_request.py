"""The options of `tls-harness diagnose`: versions, HOST:PORT, suite names."""

import re
from pathlib import Path

import pytest

from harness.diagnose.request import (
    capture_file,
    host_and_port,
    host_name,
    new_folder,
    suite_names,
    text_to_send,
    version,
)
from harness.errors import UsageError


@pytest.mark.parametrize(
    ("text", "name"), [("TLSv1.2", "TLSv1.2"), ("1.2", "TLSv1.2"), ("tlsv1.3", "TLSv1.3"), ("TLS1.1", "TLSv1.1")]
)
def test_versions_in_every_spelling(text, name):
    """`TLSv1.2`, `1.2` and `TLS1.2` are the same."""
    assert version(text, option="--min") == name


def test_a_version_that_does_not_exist():
    """The message has the option, the value and the accepted values."""
    with pytest.raises(UsageError) as caught:
        version("1.4", option="--min")
    assert (
        str(caught.value)
        == "--min '1.4': expected one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3; the short form 1.2 is accepted too"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("broker.example:8883", ("broker.example", 8883)),
        ("192.0.2.7:443", ("192.0.2.7", 443)),
        ("[::1]:8883", ("::1", 8883)),
    ],
)
def test_host_and_port(text, place):
    """The host is a name, an IPv4 address, or an IPv6 address in brackets."""
    assert host_and_port(text, option="--connect") == place


@pytest.mark.parametrize(
    "text", ["broker.example", ":8883", "broker.example:0", "broker.example:65536", "::1:8883", "a b:1"]
)
def test_invalid_host_and_port(text):
    """The error is one line with an example."""
    with pytest.raises(UsageError) as caught:
        host_and_port(text, option="--connect")
    assert str(caught.value) == (
        f"--connect {text!r}: expected HOST:PORT, e.g. broker.example:8883 or [2001:db8::1]:8883"
    )


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "a.",
        "x" * 63 + ".example",
        "a_b.c",
        "192.0.2.7",
        "::1",
        ".".join(["x" * 49] * 5),
        "x" * 63 + "." + "y" * 63,
    ],
)
def test_host_name(name):
    """A name of any parts of 1 to 63 characters, or an address."""
    assert host_name(name, option="--hostname") == name
    if ":" not in name:
        assert host_and_port(f"{name}:1", option="--connect") == (name, 1)


@pytest.mark.parametrize("name", ["a..b", ".", ".a", "a..", "x" * 64, "a\x1b", "a\0", ".".join(["x" * 50] * 6)])
def test_invalid_host_name(name):
    """Names that the resolver refuses with an exception of its own are refused in one line; a long one is shown in part."""
    with pytest.raises(UsageError) as caught:
        host_and_port(f"{name}:1", option="--connect")
    assert str(caught.value) == (
        f"--connect {name[:80]!r}: expected at most 253 characters, in parts of 1 to 63 with dots between them"
    )


def test_international_host_name():
    """A ClientHello has the ASCII form of a name."""
    message = "--hostname 'bücher.example': expected the ASCII form of the name, e.g. xn--bcher-kva.example for bücher.example"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        host_name("bücher.example", option="--hostname")


def test_suites_by_either_name():
    """IANA's and mbedTLS's names, separated by commas, colons or blanks."""
    text = "TLS-ECDHE-ECDSA-WITH-AES-128-CBC-SHA256,TLS_RSA_WITH_AES_128_CBC_SHA: TLS1-3-AES-128-GCM-SHA256"
    assert suite_names(text, option="--suites") == (
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_AES_128_GCM_SHA256",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (" ,", "--suites ' ,': expected cipher suite names, e.g. TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (
            "AES256-SHA",
            "--suites: unknown cipher suite 'AES256-SHA'; expected an IANA name (TLS_...) or an mbedTLS name (TLS-...)",
        ),
    ],
)
def test_unknown_suites(text, message):
    """OpenSSL's suite names are refused, because a board does not accept them."""
    with pytest.raises(UsageError) as caught:
        suite_names(text, option="--suites")
    assert str(caught.value) == message


def test_where_a_capture_goes(tmp_path):
    """A capture goes to a new file in an existing folder, or replaces another capture, and no other file."""
    assert capture_file(str(tmp_path / "new.pcapng"), option="--capture") == tmp_path / "new.pcapng"
    old = tmp_path / "old.pcapng"
    old.write_bytes(bytes.fromhex("0a0d0d0a") + b"more")
    assert capture_file(str(old), option="--capture") == old
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN")
    with pytest.raises(
        UsageError, match=r"^--capture '.*key\.pem': the file exists and is not a pcapng file; choose another name$"
    ):
        capture_file(str(key), option="--capture")
    for wrong in (tmp_path, tmp_path / "no-folder" / "x.pcapng"):
        with pytest.raises(UsageError, match=r"expected a file name in an existing folder, e\.g\. board\.pcapng$"):
            capture_file(str(wrong), option="--capture")
    with pytest.raises(UsageError, match=r"^--capture '.*': File name too long$"):
        capture_file(str(tmp_path / ("x" * 300)), option="--capture")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "hello"),
        (r"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"),
        (r"\x10\x0c\0\x04MQTT\\n", "\x10\x0c\0\x04MQTT\\n"),
        ("gr\u00fc\u00dfe", "gr\u00fc\u00dfe"),
    ],
)
def test_text_to_send(text, said):
    """The text may have escapes for characters that are difficult to type in a shell."""
    assert text_to_send(text, option="--send") == said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"a\d", r"--send 'a\\d': invalid escape \d; expected \r, \n, \t, \0, \\ or \x00 to \x7f"),
        (r"\xff", r"--send '\\xff': invalid escape \xff; expected \r, \n, \t, \0, \\ or \x00 to \x7f"),
        ("\\", r"--send '\\': invalid escape \; expected \r, \n, \t, \0, \\ or \x00 to \x7f"),
        ("", "--send: expected 1 to 512 bytes, got 0"),
        ("\u00fc" * 300, "--send: expected 1 to 512 bytes, got 600"),
    ],
)
def test_invalid_text_to_send(text, message):
    """The error is one line with the accepted form."""
    with pytest.raises(UsageError) as caught:
        text_to_send(text, option="--send")
    assert str(caught.value) == message


def test_a_new_folder(tmp_path, monkeypatch):
    """What exists is not touched: a folder, a file, and a link to nothing."""
    monkeypatch.chdir(tmp_path)
    assert new_folder("out", option="--write") == Path("out")
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in (".", "file", "link"):
        with pytest.raises(UsageError) as caught:
            new_folder(name, option="--write")
        expected = f"--write {name!r}: it exists, and nothing is overwritten; expected the name of a new folder"
        assert str(caught.value) == expected
    with pytest.raises(UsageError) as caught:
        new_folder("no/such", option="--write")
    assert str(caught.value) == "--write 'no/such': expected a new folder in an existing one"
