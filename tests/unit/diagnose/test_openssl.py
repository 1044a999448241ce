"""The commands of `openssl`: their arguments, and the names in a certificate."""

import pytest

from harness.diagnose import openssl


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("broker.example", "DNS:broker.example"),
        ("192.168.178.20", "IP:192.168.178.20,DNS:192.168.178.20"),
        ("2001:db8::1", "IP:2001:db8::1,DNS:2001:db8::1"),
    ],
)
def test_an_address_is_there_in_both_ways(host, names):
    """A client before mbedTLS 3.5 compares DNS names only, any other client needs the type IP."""
    assert openssl.alternative_names(host) == names


@pytest.mark.parametrize("host", ["a", "*.example", "my_board.local", "10.0.0.1", "fe80::1"])
def test_hosts(host):
    """Names, wildcards and addresses."""
    assert openssl.is_host(host)


@pytest.mark.parametrize("host", ["", "a b", "a,DNS:b", "a/CN=b", "a\nb", "-a", "a" * 256])
def test_what_would_change_the_command(host):
    """A name that openssl would read as several options or names is refused."""
    assert not openssl.is_host(host)


def test_a_long_name_is_an_alternative_name_only():
    """A common name has at most 64 characters."""
    long = "a" * 60 + ".example"
    made = openssl.issued("k.pem", out="c.pem", ca="ca.pem", ca_key="ca-key.pem", host=long)
    assert "/CN=server" in made.arguments
    assert f"subjectAltName=DNS:{long}" in made.arguments
    assert "/CN=aa" in openssl.issued("k", out="c", ca="ca", ca_key="cak", host="aa").arguments


def test_keys_for_a_board():
    """RSA becomes PKCS#1 only with -traditional; DER input has to be named."""
    assert openssl.key_to_der("RSA", "k.pem", out="k.der").arguments[1:3] == ("rsa", "-traditional")
    assert openssl.key_to_der("EC", "k8.der", out="k.der", is_der=True).arguments[1:5] == (
        "ec",
        "-inform",
        "der",
        "-in",
    )
