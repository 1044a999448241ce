"""A running server of this Python, with the real virtual board through the relay."""

import contextlib
import json
import re
import socket
import ssl
import threading

import jsonschema
import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.diagnose.remote.foreign import diagnose_server
from harness.diagnose.request import Files, Request
from harness.errors import HarnessError, UsageError
from harness.model import BoardSpec, Outcome, Side, Stage
from harness.reports.record.diagnosis_record import diagnosis_record
from harness.reports.record.schema import diagnosis_schema
from harness.reports.text.diagnosis_text import diagnosis_text
from harness.run.options import RunOptions
from harness.wire.plain_protocols import TLS_PORTS, PlainProtocol

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix")


@pytest.fixture
def running(files, tls_listener):
    """Return a function that starts a foreign server: `running(profile, **settings of the context)` returns its port."""

    def start(profile, *, verify=None, optional=False, talk=lambda tls: tls.recv(1), **settings):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files / profile / "cert.pem", files / profile / "key.pem")
        for name, value in settings.items():
            setattr(context, name, value) if name != "ciphers" else context.set_ciphers(value)
        if verify:
            context.verify_mode = ssl.CERT_OPTIONAL if optional else ssl.CERT_REQUIRED
            context.load_verify_locations(files / verify / "cert.pem")
        return tls_listener(context, talk)

    return start


@pytest.fixture(scope="module")
def connect():
    """Diagnose a port of this machine with the virtual board, and check the JSON against the schema."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))

    def run(port, *, files=None, progress=lambda _line: None, **words):
        request = Request(
            board=SPEC,
            options=RunOptions(boards=(SPEC,)),
            files=files or Files(),
            connect=("127.0.0.1", port),
            **words,
        )
        found = diagnose_server(request, progress=progress)
        jsonschema.Draft202012Validator(diagnosis_schema()).validate(
            json.loads(json.dumps(diagnosis_record(found).as_json()))
        )
        return found

    return run


def test_it_connects(connect, running, files, tmp_path):
    """A verified connection: the wire shows hello, choice and certificate; nothing is explained or tried; a capture is kept."""
    told, capture = [], tmp_path / "board.pcapng"
    port = running("server-p256")
    given = Files(ca=files / "ca-p256" / "cert.der")
    found = connect(port, files=given, hostname="tls.test", progress=told.append, capture=capture)
    assert found.notes[-1] == f"capture: {capture}; without the session's secrets"
    assert capture.read_bytes().startswith(bytes.fromhex("0a0d0d0a"))
    assert found.result.artifacts["pcapng"] == str(capture)
    seen = found.result.observation
    assert (seen.outcome, seen.server_facts, found.result.explanation, found.trials) == (
        Outcome.CONNECTED,
        None,
        None,
        (),
    )
    assert seen.negotiated.suite.startswith("TLS_ECDHE_ECDSA_WITH_")
    assert [step.name for step in found.wire][:3] == ["ClientHello", "ServerHello", "Certificate"]
    assert found.server == f"127.0.0.1:{port}"
    assert told == ["opening unix", "trying the given settings"]
    assert found.unseen == (
        "the server's settings, its log and its own error: only what it sends",
        "what the application does: the board closed after the handshake (--send TEXT makes it send a request)",
    )


def test_it_answers(connect, running):
    """The board sends text: the output has the lines for it and the beginning of the answer."""
    port = running("server-p256", talk=lambda tls: tls.sendall(b"echo " + tls.recv(100)))
    found = connect(port, send="hello")
    assert found.result.observation.outcome is Outcome.CONNECTED
    assert found.notes[-1] == "the server answered; the first line of the answer: echo hello"
    assert found.client_lines[-2:] == ("stream.write(b'hello')", "stream.read(1)")
    assert (
        found.unseen[-1]
        != "what the application does: the board closed after the handshake (--send TEXT makes it send a request)"
    )


def test_the_names_in_the_certificate_are_tried(connect, running, files):
    """A board that verifies and has no name: the names of the served certificate are tried, and the good one is proved."""
    told = []
    port = running("server-p256")
    given = Files(ca=files / "ca-p256" / "cert.der")
    found = connect(port, files=given, progress=told.append)
    assert found.result.explanation.rule == "names/no-hostname"
    assert [(trial.fix.title, trial.fix.proved) for trial in found.trials] == [
        ("pass the server's name: tls.test", True)
    ]
    assert found.trials[0].client_lines[-1] == 'stream = context.wrap_socket(sock, server_hostname="tls.test")'
    assert f"reading from this machine which names the certificate of 127.0.0.1:{port} has" in told
    quiet = connect(port, files=given, probe=False)
    assert [(trial.fix.title, trial.fix.proved) for trial in quiet.trials] == [
        ("pass the server's name: the server shows none, so give --hostname NAME", None)
    ]


def test_it_refuses_the_board_in_its_answer(connect, running):
    """A server that only asks for a certificate, and then closes: a session, with an explanation and what to change."""
    port = running(
        "server-p256", verify="ca-p256", maximum_version=ssl.TLSVersion.TLSv1_2, talk=lambda tls: None, optional=True
    )
    found = connect(port)
    assert found.result.observation.outcome is Outcome.CONNECTED
    assert found.result.explanation.rule == "client-auth/refused-later"
    assert [trial.fix.proved for trial in found.trials] == [None, None]
    assert found.trials[0].fix.title.startswith("give the board a certificate from a CA that the server trusts")
    assert not any("the board closed after the handshake" in line for line in found.unseen)
    quiet = connect(port, probe=False)
    assert (quiet.result.explanation, quiet.trials) == (None, ())
    assert any("the board closed after the handshake" in line for line in quiet.unseen)


def test_it_closes_instead_of_answering(connect, running):
    """A good handshake is not enough if the server closes instead of answering."""
    found = connect(running("server-p256", talk=lambda tls: tls.recv(100)), send="hello")
    seen = found.result.observation
    assert (seen.outcome, seen.ended_by, seen.stage) == (Outcome.REFUSED, Side.SERVER, Stage.READ)
    assert found.result.explanation.rule == "closing/unanswered"


def test_no_shared_cipher(connect, running):
    """The server only sends handshake_failure; a probe shows what it accepts, and the cause."""
    told = []
    found = connect(
        running("server-rsa2048", ciphers="ECDHE-RSA-CHACHA20-POLY1305", maximum_version=ssl.TLSVersion.TLSv1_2),
        progress=told.append,
    )
    seen, said = found.result.observation, found.result.explanation
    assert (seen.outcome, seen.server, [item.name for item in seen.alerts]) == (
        Outcome.REFUSED,
        None,
        ["handshake_failure"],
    )
    assert said.rule == "ciphers/nothing-in-common"
    assert any("as seen from this machine, 1 suites, key RSA 2048" in line for line in said.why)
    assert any(line.startswith("probing from this machine ") for line in told)
    assert {trial.note for trial in found.trials} == {
        "the harness cannot change this server: change it there, then diagnose again"
    }
    assert "server      its error is not visible; its alert: handshake_failure(40)" in diagnosis_text(found)
    assert "that it is NO_SHARED_CIPHER (in OpenSSL's words) follows from" in diagnosis_text(found)
    assert re.search(
        r"what it accepts from this machine \(probed with \d+ connections; --no-probe skips them\)", found.unseen[1]
    )


def test_the_key_type(connect, running):
    """With an RSA key and a board that offers ECDHE-ECDSA and plain RSA, the cause is the key's type, not the lists."""
    suites = ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256")
    words = "ECDHE+AESGCM:ECDHE+AES"
    port = running("server-rsa2048", ciphers=words, maximum_version=ssl.TLSVersion.TLSv1_2)
    said = connect(port, suites=suites).result.explanation
    assert said.rule == "ciphers/key-type"
    assert "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256  needs an EC key, the server's key is RSA" in said.why


def test_tls13_only(connect, running):
    """The explanation names the versions of both sides."""
    found = connect(running("server-p256", minimum_version=ssl.TLSVersion.TLSv1_3))
    said = found.result.explanation
    if found.result.observation.outcome is Outcome.CONNECTED:
        pytest.skip("this firmware speaks TLS 1.3")
    assert (said.rule, [item.name for item in found.result.observation.alerts]) == (
        "versions/server-too-new",
        ["protocol_version"],
    )


def test_no_shared_cipher_if_a_certificate_is_required(connect, running):
    """A server that requires a client certificate shows what it accepts before it requests one."""
    words = {"verify": "ca-p256", "maximum_version": ssl.TLSVersion.TLSv1_2}
    found = connect(running("server-rsa2048", ciphers="ECDHE-RSA-CHACHA20-POLY1305", **words), fixes=False)
    assert found.result.explanation.rule == "ciphers/nothing-in-common"


def test_client_certificate_required(connect, running, files):
    """The request is visible in the messages; with a client certificate the board connects."""
    port = running("server-p256", verify="ca-p256", maximum_version=ssl.TLSVersion.TLSv1_2)
    assert connect(port).result.explanation.rule == "client-auth/none-sent"
    own = files / "client-p256"
    given = Files(client_certificate=own / "cert.der", client_key=own / "key.der")
    assert connect(port, files=given).result.observation.outcome is Outcome.CONNECTED
    other = files / "client-untrusted"
    given = Files(client_certificate=other / "cert.der", client_key=other / "key.der")
    assert connect(port, files=given).result.explanation.rule == "client-auth/untrusted"


def test_wrong_ca_on_the_board(connect, running, files):
    """A fix on the board's side is tried, and the handshake that connected proves it."""
    found = connect(running("server-p256"), files=Files(ca=files / "ca-other" / "cert.der"), hostname="tls.test")
    assert found.result.explanation.rule == "identity/unknown-issuer"
    proved = [trial for trial in found.trials if trial.fix.proved]
    assert [trial.fix.title for trial in proved] == ["do not check the certificate (CERT_NONE)"]
    assert proved[0].fix.discouraged
    assert proved[0].result.observation.outcome is Outcome.CONNECTED


def test_a_trial_is_explained_like_the_first(connect, running, files):
    """After the change the server refuses; the reason follows from the wire, as at first."""
    port = running("server-p256", verify="ca-p256", maximum_version=ssl.TLSVersion.TLSv1_2)
    found = connect(port, files=Files(ca=files / "ca-other" / "cert.der"), hostname="tls.test")
    assert found.result.explanation.rule == "identity/other-ca"  # OpenSSL sends the root that it has for its clients
    tried = [trial for trial in found.trials if trial.result is not None]
    assert [trial.result.explanation.rule for trial in tried] == ["client-auth/none-sent"]
    assert not any("follows from" in line for line in found.unseen)


def test_no_probe(connect, running):
    """Without a probe only the alert is known, and the output says so."""
    told = []
    found = connect(
        running("server-p256", minimum_version=ssl.TLSVersion.TLSv1_3), probe=False, fixes=False, progress=told.append
    )
    if found.result.observation.outcome is Outcome.CONNECTED:
        pytest.skip("this firmware speaks TLS 1.3")
    assert found.result.explanation.rule == "versions/alert-only"
    assert "what it would accept: not probed (--no-probe)" in found.unseen
    assert told == ["opening unix", "trying the given settings"]


def test_plain_text(connect):
    """A mail server that offers TLS: without a probe only its greeting is known, with one that it offers to switch."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for _connection in range(3):
                sock, _peer = listener.accept()
                with sock, contextlib.suppress(OSError):
                    sock.sendall(b"220 mail.example ESMTP\r\n")
                    sock.recv(1000)
                    sock.sendall(b"250 STARTTLS\r\n")
                    sock.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        bare = connect(port, fixes=False, probe=False)
        found = connect(port, fixes=False)
        thread.join(60)
    assert bare.result.explanation.rule == "peer/plain-text"
    assert found.result.explanation.rule == "plain-peer/starttls"
    assert found.unseen == ("the server's settings, its log and its own error: only what it sends",)


@pytest.fixture
def broker():
    """The port of a server that speaks plain MQTT, and answers any number of clients."""

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                sock, _peer = listener.accept()
                with sock, contextlib.suppress(OSError):
                    sock.settimeout(30)
                    if sock.recv(1000).startswith(b"\x10"):
                        sock.sendall(b"\x20\x02\x00\x00")
                        sock.recv(1000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)


def test_the_tls_port_of_a_plain_server(connect, running, broker, monkeypatch):
    """A plain broker whose TLS port is open: connecting there is proved by the printed program, which names that port."""
    port = running("server-p256")
    monkeypatch.setitem(TLS_PORTS, PlainProtocol.MQTT, port)
    found = connect(broker)
    assert found.result.explanation.rule == "plain-peer/no-tls"
    trial = found.trials[0]
    assert (trial.fix.title, trial.fix.proved) == (
        f"connect to the server's TLS port: usually {port} for MQTT",
        True,
    )
    line = f'HOST, PORT = "127.0.0.1", {port}'
    assert trial.fix.client_lines == (line,)
    assert line in trial.recipe.board.text.splitlines()
    assert diagnosis_record(found).as_json()["trials"][0]["change"]["route"] == {"port": port}


def test_no_tls_port_beside_a_plain_server(connect, broker, monkeypatch):
    """Nothing listens at the usual port: it is not tried, and the note names the port."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, so that nothing else can listen there
        port = silent.getsockname()[1]
        monkeypatch.setitem(TLS_PORTS, PlainProtocol.MQTT, port)
        trial = connect(broker).trials[0]
    assert (trial.fix.proved, trial.note) == (
        None,
        f"not tried: nothing accepts connections at port {port} of this server",
    )


def test_a_server_that_ends(connect, files):
    """If the server no longer listens when a change is to be tried, its note says so, and nothing is proved or disproved."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files / "server-p256" / "cert.pem", files / "server-p256" / "key.pem")
            sock, _peer = listener.accept()
            listener.close()
            with sock, contextlib.suppress(OSError):
                context.wrap_socket(sock, server_side=True)

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        found = connect(port, files=Files(ca=files / "ca-other" / "cert.der"), hostname="tls.test")
        thread.join(60)
    assert found.result.explanation.rule == "identity/unknown-issuer"
    (trial,) = [trial for trial in found.trials if trial.fix.discouraged]
    assert (trial.fix.proved, trial.note) == (None, "not tried: the server no longer accepts connections")


def test_a_capture_that_cannot_be_written(connect, running, tmp_path):
    """The path became a directory after the option was read."""
    (tmp_path / "board.pcapng").mkdir()
    with pytest.raises(UsageError, match=r"^--capture '.*board\.pcapng': cannot be written \(Is a directory\)$"):
        connect(running("server-p256"), capture=tmp_path / "board.pcapng")


def test_no_server(connect, tmp_path):
    """If the relay cannot connect, the board is not asked to connect."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = connect(port, capture=tmp_path / "board.pcapng")
    assert (found.result.explanation.rule, found.wire, found.trials) == ("link/target", (), ())
    assert found.notes == (f"capture: {tmp_path / 'board.pcapng'} was not written because the board did not connect",)
    assert found.result.explanation.title == "nothing listens at that address and port"
    assert found.result.verdict.reason == f"this machine cannot reach 127.0.0.1:{port}: ECONNREFUSED"
    assert found.unseen == ("whether the board can reach it: not tried, because this machine cannot",)
    assert "ConnectionRefusedError ECONNREFUSED, at connect" in diagnosis_text(found)


def test_no_such_host():
    """A host name without an address ends the command before a board is opened."""
    request = Request(board=SPEC, options=RunOptions(boards=(SPEC,)), connect=("no-such-host.invalid", 1))
    told = []
    found = diagnose_server(request, progress=told.append)
    assert (found.result.explanation.title, found.info, told) == ("its name cannot be looked up", None, [])


def test_the_right_ca_is_in_the_folder(connect, running, files, tmp_path):
    """It is found by the chain that the server sent, and proved; a CA is never trusted because the server sent it."""
    for name, source in (("ca.der", "ca-other/cert.der"), ("right.pem", "ca-p256/cert.pem")):
        (tmp_path / name).write_bytes((files / source).read_bytes())
    port = running("server-p256", maximum_version=ssl.TLSVersion.TLSv1_2)
    found = connect(port, files=Files(ca=tmp_path / "ca.der"), hostname="tls.test")
    assert found.result.explanation.rule == "identity/other-ca"
    proved = [trial.fix.title for trial in found.trials if trial.fix.proved and not trial.fix.discouraged]
    assert proved == ["load the CA that issued the server's certificate, as DER"]
    (tmp_path / "right.pem").unlink()
    port = running("server-p256", verify="ca-p256", maximum_version=ssl.TLSVersion.TLSv1_2)  # sends its root as well
    found = connect(port, files=Files(ca=tmp_path / "ca.der"), hostname="tls.test")
    (trial,) = [trial for trial in found.trials if trial.fix.title.startswith("load the CA")]
    assert (trial.fix.proved, trial.note) == (
        None,
        "cannot be tried from here: it was not found in the given files, in their folders or in this machine's trust store",
    )
