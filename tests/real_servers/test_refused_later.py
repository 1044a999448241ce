"""Servers that complete the handshake without a good client certificate and refuse the board afterwards; their first line is shown."""

import re
import sys

import pytest

WHY = (
    "why: the server asked for a client certificate, completed the handshake, and then refused the board: most likely {}"
    "   [client-auth/refused-later]"
)
NONE, OWN = "it requires a certificate", "it does not accept the board's certificate"
NOTE = (
    "  note: the board sent {}, because the server asked for a client certificate; the first line of the answer: {}\n"
)
BROKER = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.load_cert_chain("{pair}/cert.pem", "{pair}/key.pem")
context.load_verify_locations("{ca}")
context.verify_mode = ssl.CERT_OPTIONAL
listener = socket.create_server(("127.0.0.1", {port}))
while True:
    sock, _peer = listener.accept()
    try:
        with sock, context.wrap_socket(sock, server_side=True) as tls:
            {answer}
    except OSError:
        pass
"""
CONNACK = r'tls.sendall(b"\x20\x02\x00\x05" if tls.recv(100)[:1] == b"\x10" else b"")'
CLOSES = "pass"
WAITS = "tls.recv(100) and tls.recv(100)"


@pytest.fixture
def own(pairs):
    """Return the options of a client certificate by its profile."""

    def options(profile):
        return ("--client-cert", pairs / profile / "cert.der", "--client-key", pairs / profile / "key.der")

    return options


@pytest.fixture
def broker(started, pairs, port, tmp_path):
    """Start a Python server that asks for a client certificate, accepts none as well, and then does this."""

    def start(answer):
        words = {"pair": pairs / "server-p256", "ca": pairs / "ca-p256" / "cert.pem", "port": port, "answer": answer}
        (tmp_path / "broker.py").write_text(BROKER.format(**words))
        started(port, sys.executable, "broker.py")

    return start


@pytest.mark.slow
def test_nginx_in_an_error_page(nginx, diagnose, pairs, own):
    """`ssl_verify_client on`: without a certificate, and with one of another CA, the answer is 400; with a good one it is 200."""
    nginx(
        "server-p256", f"ssl_protocols TLSv1.2; ssl_verify_client on; ssl_client_certificate {pairs}/ca-p256/cert.pem;"
    )
    code, text = diagnose()
    assert (code, WHY.format(NONE) in text) == (1, True), text
    assert NOTE.format("GET / HTTP/1.0", "HTTP/1.1 400 Bad Request") in text
    assert "  the board then sent GET / HTTP/1.0; the server answered: HTTP/1.1 400 Bad Request\n" in text
    assert "  server      nginx      ssl_client_certificate client-ca.pem;\n" in text
    code, text = diagnose(*own("client-untrusted"))
    assert (code, WHY.format(OWN) in text) == (1, True), text
    code, text = diagnose(*own("client-p256"))
    assert (code, "why:" in text) == (0, False), text
    assert NOTE.format("GET / HTTP/1.0", "HTTP/1.1 200 OK") in text
    code, text = diagnose("--no-fixes", "--send", r"GET / HTTP/1.0\r\n\r\n")
    assert (code, WHY.format(NONE) in text) == (1, True), text
    assert "  note: the server answered; the first line of the answer: HTTP/1.1 400 Bad Request\n" in text


@pytest.mark.slow
def test_apache_in_an_error_page(apache, diagnose, pairs):
    """`SSLVerifyClient optional` and a rule that needs a certificate: 403."""
    ca = f"SSLCACertificateFile {pairs}/ca-p256/cert.pem"
    need = "<Location />\nRequire expr %{SSL_CLIENT_VERIFY} == 'SUCCESS'\n</Location>"
    apache("server-p256", f"SSLProtocol -all +TLSv1.2\nSSLVerifyClient optional\n{ca}\n{need}")
    code, text = diagnose()
    assert (code, WHY.format(NONE) in text) == (1, True), text
    assert NOTE.format("GET / HTTP/1.0", "HTTP/1.1 403 Forbidden") in text


@pytest.mark.slow
def test_haproxy_in_an_error_page(haproxy, diagnose, pairs):
    """`verify optional`: the answer of this configuration is 200, so the board may connect, and the answer is shown."""
    haproxy("server-p256", f"ssl-max-ver TLSv1.2 verify optional ca-file {pairs}/ca-p256/cert.pem")
    code, text = diagnose()
    assert (code, "why:" in text) == (0, False), text
    assert NOTE.format("GET / HTTP/1.0", "HTTP/1.1 200 OK") in text


@pytest.mark.slow
def test_a_broker_in_a_connack(broker, diagnose):
    """A broker closes after a GET, and answers CONNECT with a code."""
    broker(CONNACK)
    code, text = diagnose("--no-fixes")
    assert (code, WHY.format(NONE) in text) == (1, True), text
    assert NOTE.format("an MQTT CONNECT", "CONNACK, return code 5 (not authorized)") in text


@pytest.mark.slow
def test_a_server_that_closes(broker, diagnose, own):
    """A server that closes before it was sent anything refuses the board, with or without a certificate."""
    broker(CLOSES)
    code, text = diagnose("--no-fixes")
    assert (code, WHY.format(NONE) in text) == (1, True), text
    assert "  the board then sent nothing; the server ended the session without an answer\n" in text
    code, text = diagnose("--no-fixes", *own("client-p256"))
    assert (code, WHY.format(OWN) in text) == (1, True), text
    code, text = diagnose("--no-fixes", "--send", "hello")
    assert (code, WHY.format(NONE) in text) == (1, True), text


@pytest.mark.slow
def test_a_server_that_waits(broker, diagnose):
    """A server that waits for a protocol of its own is not said to refuse, and --no-probe asks nothing."""
    broker(WAITS)
    code, text = diagnose()
    assert (code, "why:" in text, "note:" in text) == (0, False, False), text
    broker(CONNACK)
    code, text = diagnose("--no-probe")
    assert (code, "why:" in text, "note:" in text) == (0, False, False), text


@pytest.mark.slow
def test_other_text(broker, diagnose):
    """The first line of an answer to any text is shown, escaped, also if the connection stays open."""
    broker(r'(tls.recv(100), tls.sendall(b"220 hi \x1b[1m\r\n250 more" + b"." * 60), tls.recv(100))')
    code, text = diagnose("--send", "hello")
    assert code == 0, text
    assert "  note: the server answered; the first line of the answer: 220 hi \\x1b[1m\n" in text
    broker(r'(tls.recv(100), tls.sendall(b"short\r\n"), tls.recv(100))')
    code, text = diagnose("--send", "hello")
    assert code == 0, text
    assert re.search(r"the first line of the answer: s(hort)?\n", text)
