"""Errors of the board's TLS API: each rule matches only its own failure and gives the stored text."""

import dataclasses

import pytest

from harness.explain import candidates
from harness.model import ClientPlan, Stage


@pytest.mark.parametrize(
    ("rule", "kind", "text", "version"),
    [
        ("unknown-keyword", "TypeError", "extra keyword arguments given", "1.19.1"),
        ("missing-method", "AttributeError", "'SSLContext' object has no attribute 'load_verify_locations'", "1.21.0"),
        ("missing-module", "ImportError", "no module named 'ussl'", "1.24.0"),
    ],
)
def test_what_firmware_lacks(rule, kind, text, version, made, stored):
    """Keywords, methods and modules that a version lacks (invented: no such interpreter here)."""
    stored(f"api/{rule}", made(kind, text, stage=Stage.CONFIG, info=made.board(version)))


def test_setting_refused(made, stored):
    """A pre-shared key that is too long (invented: MBEDTLS_PSK_MAX_LEN differs)."""
    plan = ClientPlan(psk_identity="board-1", psk_key="00" * 64)
    stored("api/setting-refused", made("OSError", -28928, stage=Stage.CONFIG, client=plan))


@pytest.mark.parametrize(
    ("key", "version", "lines"),
    [
        ("RSA", "1.23.0", ["$ openssl rsa -in client-key.pem -traditional -outform der -out client-key.der"]),
        ("EC", "1.23.0", ["$ openssl ec -in client-key.pem -outform der -out client-key.der"]),
        ("Ed25519", "1.23.0", ["$ openssl ecparam -name prime256v1 -genkey -noout -outform der -out client-key.der"]),
        (
            "Ed448",
            "1.19.1",
            ["$ openssl genrsa 2048 | openssl rsa -traditional -outform der -out client-key.der"],
        ),
    ],
)
def test_a_key_is_converted_as_what_it_is(made, key, version, lines):
    """Only the command for the key's own type; a type that no firmware reads needs a new key instead of another form."""
    result = made("ValueError", "invalid key", stage=Stage.CONFIG, info=made.board(version))
    (said,) = candidates(dataclasses.replace(result, own_key=key))
    assert (said.rule, list(said.fixes[0].server_lines[:1])) == ("api/invalid-key", lines)
    assert len(said.fixes[0].server_lines) == (2 if key.startswith("Ed") else 1)
    readable = "the key's file format or type is not one that this firmware supports"
    because = readable if key in ("RSA", "EC") else f"no MicroPython supports {key} keys"
    assert said.title == f"the board cannot read its private key: {because}"


@pytest.mark.parametrize(
    ("length", "title"),
    [
        (255, "the board's TLS library rejects one of its settings"),
        (256, "server_hostname is 256 bytes long, and the board's TLS library accepts 255"),
    ],
)
def test_host_name_too_long(made, length, title):
    """mbedTLS accepts a server name of 255 bytes; the message names the setting, and why the server saw a connection."""
    plan = ClientPlan(server_hostname="a" * length)
    (said,) = candidates(made("OSError", -28928, stage=Stage.CONFIG, client=plan))
    assert (said.rule, said.title) == ("api/setting-refused", title)
    tcp = "wrap_socket refused it before a byte was sent; TCP was connected, so the server saw an empty connection"
    assert (tcp in said.why) == (length > 255)
