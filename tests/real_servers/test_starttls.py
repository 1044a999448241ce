"""Servers that switch to TLS on request: it is proved by the program that is printed, and what follows is encrypted."""

import contextlib
import socket
import ssl
import threading

import pytest

from tests.recipes.screen import follow, problems, proved

# The greeting, and the answers by the first word of a command; the one in capitals is the switch.
SERVERS = {
    "SMTP": (
        b"220-mail.example\r\n220-no spam\r\n220 ESMTP\r\n",
        {b"EHLO": b"250-mail.example\r\n250-STARTTLS\r\n250 HELP\r\n", b"STARTTLS": b"220 go ahead\r\n"},
    ),
    "IMAP": (
        b"* OK ready\r\n",
        {b"a1 CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n", b"a1 STARTTLS": b"a1 OK begin\r\n"},
    ),
    "POP3": (b"+OK ready\r\n", {b"CAPA": b"+OK\r\nSTLS\r\n.\r\n", b"STLS": b"+OK begin\r\n"}),
    "FTP": (
        b"220-FTP\r\n one of 50 users\r\n220 ready\r\n",
        {b"FEAT": b"211-Features:\r\n AUTH TLS\r\n211 End\r\n", b"AUTH": b"234 begin\r\n"},
    ),
}


@pytest.fixture
def server(pairs, port):
    """Start such a server: `server(greeting, answers)`; after the switch it answers what it receives through TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pairs / "server-p256" / "cert.pem", pairs / "server-p256" / "key.pem")
    running = []

    def talk(sock, greeting, answers):
        sock.sendall(greeting)
        while line := read_line(sock):
            words = max((word for word in answers if line.startswith(word)), key=len, default=None)
            sock.sendall(answers.get(words, b"500 what?\r\n"))
            if words in (b"STARTTLS", b"a1 STARTTLS", b"STLS", b"AUTH") and not answers[words].startswith(b"4"):
                with context.wrap_socket(sock, server_side=True) as tls:
                    tls.sendall(b"through TLS: " + tls.recv(100))
                return

    def read_line(sock):
        line = b""
        while not line.endswith(b"\n") and (byte := sock.recv(1)):
            line += byte
        return line

    def start(greeting, answers):
        listener = socket.create_server(("127.0.0.1", port))
        running.append(listener)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    sock, _peer = listener.accept()
                    sock.settimeout(30)
                    with sock, contextlib.suppress(OSError):
                        talk(sock, greeting, answers)

        threading.Thread(target=serve, daemon=True).start()

    yield start
    for listener in running:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.mark.slow
@pytest.mark.parametrize("protocol", SERVERS)
def test_the_printed_program(server, diagnose, protocol, tmp_path):
    """STARTTLS is proved on this port, and the program on the screen is enough: what it then sends arrives through TLS."""
    server(*SERVERS[protocol])
    code, text = diagnose("--send", "hello")
    assert (code, "   [plain-peer/starttls]\n" in text) == (1, True), text
    word = {"POP3": "STLS", "FTP": "AUTH TLS"}.get(protocol, "STARTTLS")
    assert proved(text) == [f"ask for TLS on the board before wrap_socket: {word}"], text
    empty = tmp_path / "empty"
    empty.mkdir()
    assert follow(text, empty) == "the server answers: b't'\n"


@pytest.mark.slow
def test_the_problems_behind_it(server, diagnose, pairs):
    """TLS after STARTTLS has a problem of its own: both are found, in order, and the fix of the second is proved with the first."""
    server(*SERVERS["SMTP"])
    code, text = diagnose("--ca", pairs / "ca-other" / "cert.der", "--hostname", "tls.test")
    assert (code, problems(text)) == (1, ("plain-peer/starttls", "identity/unknown-issuer")), text
    assert "[removes problem 1] ask for TLS on the board before wrap_socket: STARTTLS\n" in text
    assert "[PROVED] ask for TLS on the board before wrap_socket: STARTTLS; and do not check the certificate" in text


@pytest.mark.slow
def test_a_server_that_changes_its_mind(server, diagnose):
    """It lists STARTTLS, but answers it with an error: nothing is proved, and the note says what happened."""
    greeting, answers = SERVERS["SMTP"]
    server(greeting, {**answers, b"STARTTLS": b"454 not now\r\n"})
    code, text = diagnose()
    assert (code, proved(text)) == (1, []), text
    assert "(not tried: the server did not agree to start TLS, or no longer accepts connections)" in text
