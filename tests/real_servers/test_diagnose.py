"""`tls-harness diagnose --connect` with nginx, mosquitto, Apache, HAProxy and `openssl s_server`: good and bad configurations.

One bad configuration of each server is in the fast tier.
The output for a bad configuration is a stored text, `texts/<server>.<what>.txt`; UPDATE_TEXTS=1 rewrites them.
"""

import os
import re
from pathlib import Path

import pytest

TEXTS = Path(__file__).parent / "texts"


def stored(name, answer):
    """Check that the command reports a failure with the stored text."""
    code, text = answer
    assert code == 1
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
    text = re.sub(r"board unix\S*: MicroPython \S+ \(.*\)", "board unix: MicroPython", text)
    # The server may refuse the certificate before the board's Finished arrives.
    text = re.sub(r"(the length of an encrypted alert)\n +board  -> ApplicationData", r"\1", text)
    text = re.sub(r"/\S+/(?=(?:ca|client|server)-\w+/)", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d", "DATES", text)
    text = re.sub(r"\b\d+ bytes", "N bytes", text)
    text = re.sub(r"\b\d+ connections", "N connections", text)
    path = TEXTS / f"{name}.txt"
    if os.environ.get("UPDATE_TEXTS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def told(answer, server):
    """Return the lines for this server of all fixes, in order."""
    return re.findall(rf"^  server      {server} +(.*)$", answer[1], re.MULTILINE)


def connects(answer, *, suite, version="TLSv1.2"):
    """Check that the command reports a connection with a suite that starts with this text."""
    code, text = answer
    assert code == 0, text
    assert f"\nconnected {version} {suite}" in text
    assert "why:" not in text


@pytest.mark.slow
def test_nginx_good(nginx, diagnose, pairs):
    """A common configuration: the board verifies the certificate and gets an answer."""
    nginx("server-p256")
    given = ("--ca", pairs / "ca-p256" / "cert.der", "--hostname", "tls.test", "--send", r"GET / HTTP/1.0\r\n\r\n")
    answer = diagnose(*given)
    connects(answer, suite="TLS_ECDHE_ECDSA_")
    assert "  note: the server answered; the first line of the answer: HTTP/1.1 200 OK\n" in answer[1]
    assert r"    stream.write(b'GET / HTTP/1.0\r\n\r\n')" in answer[1]


@pytest.mark.slow
def test_nginx_suites(nginx, diagnose):
    """`ssl_ciphers` of a hardening guide: only ChaCha20, which MicroPython does not have. Without a probe the alert says little."""
    nginx("server-rsa2048", "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-CHACHA20-POLY1305;")
    stored("nginx.suites", diagnose())
    code, text = diagnose("--no-probe", "--no-fixes")
    assert (code, text.count("[peer/alert-only]")) == (1, 1)
    assert "  what it would accept: not probed (--no-probe)\n" in text


def test_nginx_tls13_only(nginx, diagnose):
    """`ssl_protocols TLSv1.3`, the `modern` profile. It connects with the line that is suggested for nginx."""
    nginx("server-p256", "ssl_protocols TLSv1.3;")
    answer = diagnose()
    stored("nginx.tls13-only", answer)
    nginx("server-p256", told(answer, "nginx")[0])
    connects(diagnose(), suite="TLS_ECDHE_ECDSA_")


@pytest.mark.slow
def test_mosquitto_good(mosquitto, diagnose, pairs):
    """A broker without client certificates."""
    mosquitto("server-rsa2048")
    connects(diagnose(), suite="TLS_ECDHE_RSA_")


@pytest.mark.slow
def test_mosquitto_requires_a_certificate(mosquitto, diagnose, pairs):
    """`require_certificate`, and a board without one. It connects with a certificate, and with the line that is suggested for mosquitto."""
    more = f"cafile {pairs}/ca-p256/cert.pem\ntls_version tlsv1.2"
    mosquitto("server-p256", f"{more}\nrequire_certificate true")
    answer = diagnose()
    stored("mosquitto.requires-a-certificate", answer)
    own = pairs / "client-p256"
    connects(diagnose("--client-cert", own / "cert.der", "--client-key", own / "key.der"), suite="TLS_ECDHE_ECDSA_")
    assert told(answer, "mosquitto") == ["cafile client-ca.pem", "require_certificate false"]
    mosquitto("server-p256", f"{more}\nrequire_certificate false")
    connects(diagnose(), suite="TLS_ECDHE_ECDSA_")


def test_mosquitto_with_another_ca(mosquitto, diagnose, pairs):
    """The board trusts another CA."""
    mosquitto("server-p256")
    stored(
        "mosquitto.another-ca",
        diagnose("--ca", pairs / "ca-other" / "cert.der", "--hostname", "tls.test", "--no-fixes"),
    )


@pytest.mark.slow
def test_mosquitto_requires_a_certificate_in_tls13(mosquitto, diagnose, pairs, tls13_board):
    """The broker refuses the board after its handshake, with an encrypted alert. It connects with a certificate."""
    mosquitto("server-p256", f"require_certificate true\ncafile {pairs}/ca-p256/cert.pem\ntls_version tlsv1.3")
    stored("mosquitto.tls13-certificate", diagnose(board=tls13_board))
    own = pairs / "client-p256"
    given = ("--client-cert", own / "cert.der", "--client-key", own / "key.der")
    connects(diagnose(*given, board=tls13_board), suite="TLS_", version="TLSv1.3")


@pytest.mark.slow
def test_apache_good(apache, diagnose):
    """A common configuration: the handshake succeeds and the server answers."""
    apache("server-rsa2048")
    connects(diagnose("--send", r"GET / HTTP/1.0\r\n\r\n"), suite="TLS_ECDHE_RSA_")


@pytest.mark.slow
def test_haproxy_good(haproxy, diagnose):
    """A common configuration: the handshake succeeds and the server answers."""
    haproxy("server-p256")
    connects(diagnose("--send", r"GET / HTTP/1.0\r\n\r\n"), suite="TLS_ECDHE_ECDSA_")


@pytest.mark.slow
def test_s_server_good(s_server, diagnose):
    """OpenSSL's test server with default options."""
    s_server("server-p256")
    connects(diagnose(), suite="TLS_ECDHE_ECDSA_")


def test_s_server_another_host(s_server, diagnose, pairs):
    """The right CA, but a host name that the certificate does not contain."""
    s_server("server-p256")
    ca = ("--ca", pairs / "ca-p256" / "cert.der")
    stored("s_server.another-host", diagnose(*ca, "--hostname", "other.test", "--no-fixes"))


@pytest.mark.slow
def test_s_server_group(s_server, diagnose):
    """The only group is one that the board does not offer. It connects with the options that are suggested for s_server."""
    s_server("server-p256", "-no_tls1_3", "-groups", "X448")
    answer = diagnose()
    stored("s_server.group", answer)
    s_server("server-p256", "-no_tls1_3", *told(answer, "s_server")[0].split())
    connects(diagnose(), suite="TLS_ECDHE_ECDSA_")


@pytest.mark.slow
def test_s_server_with_an_unknown_client_ca_in_tls13(s_server, diagnose, pairs, tls13_board):
    """The board presents a certificate from a CA that the server does not trust."""
    ca = ("-CAfile", pairs / "ca-p256" / "cert.pem", "-verify_return_error")
    s_server("server-p256", "-tls1_3", "-Verify", "1", *ca)
    other = pairs / "client-untrusted"
    given = ("--client-cert", other / "cert.der", "--client-key", other / "key.der")
    stored("s_server.tls13-unknown-ca", diagnose(*given, "--no-fixes", board=tls13_board))
