"""`tls-harness simulate`: its options, exit codes and formats."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading

import jsonschema
import pytest

from harness import cli
from harness.reports.record.schema import simulation_schema

OWN = ["--cert", "c", "--key", "k"]
WRONG = {
    "nothing": ([], "nothing to simulate: expected HOST:PORT, --hosts FILE, or --cert F and --key F"),
    "no-key": (OWN[:2], "--key: missing; expected --cert F and --key F (your server's files)"),
    "only-server": (["--server", "python3"], "--cert: missing; expected --cert F and --key F (your server's files)"),
    "both": (["h:1", *OWN], "--cert: for a server that the harness starts; HOST:PORT and --hosts name running ones"),
    "server": (
        ["h:1", "--server", "x"],
        "--server: for a server that the harness starts; HOST:PORT and --hosts name running ones",
    ),
    "host": (["h"], "HOST:PORT 'h': expected HOST:PORT, e.g. broker.example:8883 or [2001:db8::1]:8883"),
    "firmware": (["h:1", "--firmware", "new"], "--firmware 'new': expected a MicroPython release, e.g. 1.20.0 or 1.24"),
    "old": (
        ["h:1", "--firmware", "1.13"],
        "--firmware '1.13': older than every release of the table; the oldest is 1.14",
    ),
    "min": (
        [*OWN, "--min", "2"],
        "--min '2': expected one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3; the short form 1.2 is accepted too",
    ),
    "hosts": (["--hosts", "no-such"], "--hosts no-such: cannot be read: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage(name: str, capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch) -> None:
    """A usage error is one line that names the option, and exit code 2."""
    monkeypatch.chdir(tmp_path)
    arguments, message = WRONG[name]
    assert cli.main(["simulate", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"tls-harness: {message}")


@pytest.fixture
def files(certificates):
    """The options for an own server with a profile's certificate."""

    def options(profile):
        made = certificates.make(profile)
        return ["--cert", str(made.chain_file), "--key", str(made.key_file)]

    return options


def test_all_connect(files, capsys, tmp_path) -> None:
    """Exit code 0 if every firmware connects."""
    assert (
        cli.main(["simulate", *files("server-p256"), "--firmware", "1.29.0-preview", "--ciphers", "DEFAULT", "--json"])
        == 1
    )
    connecting = [*files("server-rsa2048"), "--firmware", "1.29.0-preview", "--ciphers", "DEFAULT"]
    assert cli.main(["simulate", *connecting]) == 0
    assert cli.main(["simulate", *connecting, "--html", str(tmp_path)]) == 2
    text = capsys.readouterr().out
    assert "9 of 9 firmwares connect" in text
    assert "No session was completed and no application data was sent" in text


def test_the_seed_question(files, python_org_server, capsys, tmp_path) -> None:
    """One table answers the question: 1.20 on stm32 is refused with NO_SHARED_CIPHER, with its cure; JSON and page agree."""
    page = tmp_path / "page.html"
    with python_org_server():
        assert cli.main(["simulate", *files("server-rsa2048"), "--html", str(page)]) == 1
        text = capsys.readouterr().out
        assert cli.main(["simulate", *files("server-rsa2048"), "--firmware", "1.20.0", "--no-fixes", "--json"]) == 1
    assert "stm32       1.20.0 to 1.23.0           refused by the server: NO_SHARED_CIPHER" in text
    assert "fix: keep the RSA key for other clients and load an EC key as well" in text
    best, more = (
        text.index("the best single change: 68 of 88 instead of 53"),
        text.index("more would connect with a change"),
    )
    assert best < more < text.index("88 of 88 instead of 53, 35 of them in a weak session", more)
    data = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(simulation_schema()).validate(data)
    (server,) = data["servers"]
    assert (server["firmwares"], server["connecting"], server["changes"]) == (6, 2, [])
    assert "NO_SHARED_CIPHER" in page.read_text(encoding="utf-8").replace("<wbr>", "")


def test_servers_that_run(certificates, capsys, tmp_path) -> None:
    """Several servers: one that connects, and one that is not there, which decides the exit code."""
    made = certificates.make("server-rsa2048")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain_file, made.key_file)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as closed:
        port, gone = listener.getsockname()[1], closed.getsockname()[1]
        closed.close()

        def serve():
            for _ in range(4):
                sock, _peer = listener.accept()
                with sock, pytest.raises(OSError):  # noqa: PT011 - the client leaves
                    context.wrap_socket(sock, server_side=True)

        thread = threading.Thread(target=serve)
        thread.start()
        hosts = tmp_path / "hosts"
        hosts.write_text(f"127.0.0.1:{port}\n127.0.0.1:{gone}\n", encoding="utf-8")
        only = ["--firmware", "1.29.0-preview", "--hosts", str(hosts)]
        assert cli.main(["simulate", *only]) == 10
        thread.join(60)
    written = capsys.readouterr()
    assert f"127.0.0.1:{gone}: not reached: connection refused" in written.out
    assert "... 2 of 2 servers" in written.err


def test_several_pythons(files, capsys) -> None:
    """Each `--server` has a table of its own."""
    twice = ["--server", sys.executable, "--server", sys.executable, "--firmware", "1.29.0-preview", "--no-fixes"]
    assert cli.main(["simulate", *files("server-p256"), *twice]) == 1
    assert capsys.readouterr().out.count("8 of 9 firmwares connect") == 2
