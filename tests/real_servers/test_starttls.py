"""The lines that are printed for STARTTLS are run by MicroPython against servers that switch to TLS, and what follows is encrypted."""

import contextlib
import importlib.util
import re
import socket
import ssl
import subprocess
import sys
import threading

import pytest

MICROPYTHON = "import micropython_run as m, sys; sys.exit(m.run_main(['micropython', *sys.argv[1:]]))"
# The greeting, and the answers by the first word of a command; the one in capitals is the switch.
SERVERS = {
    "SMTP": (
        b"220 mail.example ESMTP\r\n",
        {b"EHLO": b"250-mail.example\r\n250-STARTTLS\r\n250 HELP\r\n", b"STARTTLS": b"220 go ahead\r\n"},
    ),
    "IMAP": (
        b"* OK ready\r\n",
        {b"a1 CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n", b"a1 STARTTLS": b"a1 OK begin\r\n"},
    ),
    "POP3": (b"+OK ready\r\n", {b"CAPA": b"+OK\r\nSTLS\r\n.\r\n", b"STLS": b"+OK begin\r\n"}),
    "FTP": (b"220 FTP ready\r\n", {b"FEAT": b"211-Features:\r\n AUTH TLS\r\n211 End\r\n", b"AUTH": b"234 begin\r\n"}),
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
            if words in (b"STARTTLS", b"a1 STARTTLS", b"STLS", b"AUTH"):
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
def test_the_printed_dialogue(server, diagnose, port, tmp_path, protocol):
    """The printed lines follow connect(); then the board writes and reads through TLS."""
    if importlib.util.find_spec("micropython_run") is None:
        pytest.skip("the packaged MicroPython is not installed")
    server(*SERVERS[protocol])
    code, text = diagnose()
    assert (code, "   [plain-peer/starttls]\n" in text) == (1, True), text
    lines = re.findall(r"^  board       (.*)$", text[text.index("\n2. ") :], re.MULTILINE)
    program = tmp_path / "board.py"
    program.write_text(
        "\n".join(
            [
                "import socket",
                "sock = socket.socket()",
                f'sock.connect(socket.getaddrinfo("127.0.0.1", {port})[0][-1])',
                *lines,
                'stream.write(b"hello")',
                "print(stream.read(18))",
            ]
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", MICROPYTHON, str(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert (done.stdout, done.stderr) == ("b'through TLS: hello'\n", "")
