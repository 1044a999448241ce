"""The agent under CPython on stand-in modules with the exact API of each firmware generation; no TLS inside."""

from __future__ import annotations

import socket
import threading
import types
from typing import Any

import pytest

from harness.boards.agent import protocol as agent_protocol
from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.echo import planned_echo
from harness.boards.agent.protocol import RunRequest

LEGACY = ("mbedtls_1_18", "axtls_1_18", "mbedtls_1_20", "mbedtls_1_21", "axtls_1_21")
MODERN = ("mbedtls_1_22", "mbedtls_1_23", "axtls_1_23", "debian", "mbedtls_1_29")
NO_CHECK = {
    "mbedtls_1_18": "ssl.CERT_REQUIRED",
    "axtls_1_18": "ssl.CERT_REQUIRED",
    "axtls_1_21": "ssl.CERT_REQUIRED",
    "axtls_1_23": "tls.CERT_REQUIRED",
}
CAN_CHECK = tuple(name for name in (*LEGACY, *MODERN) if name not in NO_CHECK)
NO_SUITES = {name: "ssl.SSLContext.set_ciphers" for name in LEGACY} | {"axtls_1_23": "tls.SSLContext.set_ciphers"}


def _usual(port: int, **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "name": None, "timeout": 5000, **more}


@pytest.mark.parametrize("generation", [*LEGACY, *MODERN])
def test_every_generation_exchanges_text(stand_in: Any, plain_server: int, generation: str) -> None:
    """Each API generation connects, writes and reads with the same request."""
    made = stand_in(generation)
    answer = made.run(**_usual(plain_server, name="tls.test"))
    assert (answer["kind"], answer["text"]) == ("result", "Hallo, Client!")
    assert made.firmware.calls[-1] == ("wrap_socket", {"server_hostname": "tls.test"})
    assert [us >= 0 for us in answer["us"]] == [True] * 3


def test_a_board_without_tls_says_so(stand_in: Any, plain_server: int) -> None:
    """Without tls, ssl and ussl the agent reports that they are missing and tries nothing."""
    assert stand_in("without_tls").run(**_usual(plain_server)) == {"kind": "error", "missing": "tls"}


@pytest.mark.parametrize("generation", CAN_CHECK)
def test_verification_reaches_the_library(stand_in: Any, plain_server: int, generation: str) -> None:
    """verify and the CA are passed where this generation accepts them."""
    made = stand_in(generation)
    made.put("ca", b"CA in DER form")
    assert made.run(**_usual(plain_server, name="tls.test", verify=2, ca=["ca"]))["kind"] == "result"
    if generation in LEGACY:
        words = {"cert_reqs": 2, "cadata": b"CA in DER form", "server_hostname": "tls.test"}
        assert made.firmware.calls == [("wrap_socket", words)]
    else:
        assert made.firmware.calls == [
            ("SSLContext", 0),
            ("verify_mode", 2),
            ("load_verify_locations", b"CA in DER form"),
            ("wrap_socket", {"server_hostname": "tls.test"}),
        ]


@pytest.mark.parametrize("generation", CAN_CHECK)
def test_what_was_passed_on_comes_back(stand_in: Any, plain_server: int, generation: str) -> None:
    """The answer has every value that reached the API, also where the context is one of before."""
    made = stand_in(generation)
    made.put("ca", b"CA in DER form")
    made.put("c", b"certificate")
    made.put("k", b"key")
    where = {"host": "127.0.0.1", "port": plain_server}
    request = RunRequest(name="tls.test", verify=2, ca=("ca",), cert="c", key="k", timeout_ms=5000, **where)
    blobs = {"ca": b"CA in DER form", "c": b"certificate", "k": b"key"}
    planned = planned_echo(request, blobs, kind="c")
    for _again in range(2):
        answer = made.run(**_usual(plain_server, name="tls.test", verify=2, ca=["ca"], cert="c", key="k"))
        assert tuple(answer["did"].split()) == planned


@pytest.mark.parametrize("generation", [name for name in MODERN if name in CAN_CHECK])
def test_a_context_that_ignores_verify_mode(stand_in: Any, plain_server: int, generation: str) -> None:
    """verify_mode is read back from the context, so a firmware that keeps another value is found out."""
    made = stand_in(generation)
    made.firmware.stuck["verify_mode"] = 1
    made.put("ca", b"x")
    answer = made.run(**_usual(plain_server, verify=2, ca=["ca"]))
    assert [item for item in answer["did"].split() if item[0] == "v"] == ["v1"]


@pytest.mark.parametrize("generation", sorted(NO_CHECK))
def test_no_verification_is_missing(stand_in: Any, plain_server: int, generation: str) -> None:
    """axTLS and firmware up to 1.19 would accept anything, so the answer is `missing`, not a connection."""
    made = stand_in(generation)
    made.put("ca", b"x")
    answer = made.run(**_usual(plain_server, verify=2, ca=["ca"]))
    assert answer == {"kind": "error", "missing": NO_CHECK[generation]}
    assert ("wrap_socket", {}) not in made.firmware.calls


@pytest.mark.parametrize("generation", MODERN)
def test_the_mode_is_always_set(stand_in: Any, plain_server: int, generation: str) -> None:
    """A client of `tls` starts with CERT_REQUIRED, so a request without verification sets CERT_NONE."""
    made = stand_in(generation)
    made.run(**_usual(plain_server))
    assert ("verify_mode", 0) in made.firmware.calls


@pytest.mark.parametrize("generation", [*LEGACY, *MODERN])
def test_the_clients_own_certificate(stand_in: Any, plain_server: int, generation: str) -> None:
    """Key and certificate go to load_cert_chain, or to wrap_socket before 1.22."""
    made = stand_in(generation)
    made.put("c", b"certificate")
    made.put("k", b"key")
    made.run(**_usual(plain_server, cert="c", key="k"))
    if generation in LEGACY:
        assert made.firmware.calls == [("wrap_socket", {"key": b"key", "cert": b"certificate"})]
    else:
        assert ("load_cert_chain", (b"certificate", b"key")) in made.firmware.calls


@pytest.mark.parametrize("generation", [name for name in MODERN if name not in NO_SUITES])
def test_suites_are_a_list(stand_in: Any, plain_server: int, generation: str) -> None:
    """The comma-separated text becomes a list of names; an empty blob becomes an empty list, which the library refuses."""
    made = stand_in(generation)
    made.put("s", b"TLS-A,TLS-B")
    assert made.run(**_usual(plain_server, suites="s"))["kind"] == "result"
    assert ("set_ciphers", ["TLS-A", "TLS-B"]) in made.firmware.calls
    made.put("e", b"")
    answer = made.run(**_usual(plain_server, suites="e"))
    assert (answer["stage"], answer["args"][0]) == ("config", -24192)


@pytest.mark.parametrize("generation", sorted(NO_SUITES))
def test_no_suites_is_missing(stand_in: Any, plain_server: int, generation: str) -> None:
    """If suites cannot be chosen, the answer names the missing method."""
    made = stand_in(generation)
    made.put("s", b"TLS-A")
    answer = made.run(**_usual(plain_server, suites="s"))
    assert answer == {"kind": "error", "missing": NO_SUITES[generation]}


@pytest.mark.parametrize("generation", [*LEGACY, *MODERN])
def test_pre_shared_keys(stand_in: Any, plain_server: int, generation: str) -> None:
    """Only the newest generation supports a PSK; the others name what is missing."""
    made = stand_in(generation)
    made.put("p", b"\x01\x02")
    answer = made.run(**_usual(plain_server, psk_identity="me", psk_key="p"))
    if generation == "mbedtls_1_29":
        assert made.firmware.calls[2:4] == [("psk_identity", "me"), ("psk_key", b"\x01\x02")]
    else:
        module = "ssl" if generation in (*LEGACY, "mbedtls_1_22") else "tls"
        assert answer == {"kind": "error", "missing": f"{module}.SSLContext.psk_key"}


def test_a_context_is_reused_until_its_settings_change(stand_in: Any, plain_server: int) -> None:
    """The same settings reuse the context, because parsing keys takes milliseconds on a board; after an error a new one is made."""
    made = stand_in("mbedtls_1_23")
    made.put("ca", b"x")
    for _ in range(3):
        made.run(**_usual(plain_server, name="tls.test", verify=2, ca=["ca"]))
    assert [call for call in made.firmware.calls if call[0] == "SSLContext"] == [("SSLContext", 0)]
    made.run(**_usual(plain_server))
    made.firmware.handshake_error = OSError(-30592, "X")
    made.run(**_usual(plain_server))
    made.run(**_usual(plain_server))
    assert len([call for call in made.firmware.calls if call[0] == "SSLContext"]) == 3


def test_two_authorities(stand_in: Any, plain_server: int) -> None:
    """Several CAs are loaded if the API can; elsewhere only the first of concatenated DER files would count, so it is `missing`."""
    request = _usual(plain_server, name="x", verify=2, ca=["a", "b"])
    made = stand_in("mbedtls_1_23")
    made.put("a", b"first")
    made.put("b", b"second")
    made.run(**request)
    loaded = [value for name, value in made.firmware.calls if name == "load_verify_locations"]
    assert loaded == [b"first", b"second"]
    assert stand_in("mbedtls_1_20").run(**request) == {
        "kind": "error",
        "missing": "ssl.SSLContext.load_verify_locations",
    }


@pytest.mark.parametrize("size", [14, 1024, 1025, 4097, 65536])
def test_d3_data_is_sent_in_small_pieces(stand_in: Any, size: int) -> None:
    """A board with little memory sends 64 KB, too: no piece has more than 1 KB, and a short write goes on where it stopped."""
    names, sent = stand_in("mbedtls_1_23").names, []

    def write(data: bytes) -> int:
        sent.append(data[:700])
        assert len(data) <= 1024
        return len(sent[-1])

    names["th_write"](types.SimpleNamespace(write=write), b"Hallo, Server!", size)
    assert b"".join(sent) == b"Hallo, Server!" + b"x" * (size - 14)


@pytest.mark.parametrize("size", [0, 100, 4096])
def test_d3_data_is_read_in_small_pieces(stand_in: Any, size: int) -> None:
    """At most 512 bytes are asked for at once, and only the first 64 are kept."""
    names, asked = stand_in("mbedtls_1_23").names, []

    def read(count: int) -> bytes:
        asked.append(count)
        return b"x" * count

    assert names["th_read"](types.SimpleNamespace(read=read), size, False) == (b"x" * min(size, 64), size)
    assert max(asked, default=0) <= 512


@pytest.mark.parametrize(
    ("generation", "error", "name", "stage"),
    [
        ("mbedtls_1_20", ValueError("invalid key"), "tls.test", "config"),
        ("mbedtls_1_20", OSError(-9984, "X"), "tls.test", "handshake"),
        ("mbedtls_1_23", ValueError("\nThe certificate validity has expired\n"), "tls.test", "handshake"),
        ("mbedtls_1_23", ValueError("CERT_REQUIRED requires server_hostname"), None, "config"),
        ("mbedtls_1_23", MemoryError(), "tls.test", "handshake"),
    ],
)
def test_the_stage_of_a_refusal(
    stand_in: Any, plain_server: int, generation: str, error: Exception, name: str | None, stage: str
) -> None:
    """Settings refused only in wrap_socket are `config`; errors caused by the peer's certificate are `handshake`."""
    made = stand_in(generation)
    made.firmware.handshake_error = error
    answer = made.run(**_usual(plain_server, name=name))
    assert (answer["kind"], answer["stage"], answer["type"]) == ("exception", stage, type(error).__name__)
    assert answer["args"] == [argument for argument in error.args]
    assert answer["us"][2] is None


def test_arguments_are_bounded(stand_in: Any, plain_server: int) -> None:
    """An exception's arguments are numbers, short text or None, three at most."""
    made = stand_in("mbedtls_1_23")
    made.firmware.handshake_error = ValueError(5, "x" * 1000, [1], 4)
    answer = made.run(**_usual(plain_server, name="n"))
    assert [str(argument)[:3] for argument in answer["args"]] == ["5", "xxx", "[1]"]
    assert len(answer["args"][1]) == 240


def test_no_listener_is_stage_connect(stand_in: Any, closed_port: int) -> None:
    """A refused TCP connection is not reported as a TLS failure."""
    answer = stand_in("mbedtls_1_23").run(**_usual(closed_port))
    assert (answer["stage"], answer["type"], answer["us"][1]) == ("connect", "ConnectionRefusedError", None)


def test_a_missing_blob_is_named(stand_in: Any, plain_server: int) -> None:
    """After a reset the board holds no blobs: the answer names the one to send again."""
    answer = stand_in("mbedtls_1_23").run(**_usual(plain_server, name="x", verify=2, ca=["0a1b2c3d"]))
    assert answer == {"kind": "error", "message": "KeyError", "blob": "0a1b2c3d"}


def test_bad_requests_are_errors(stand_in: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Invalid JSON and invalid base64 are `error`, never a TLS exception."""
    made = stand_in("mbedtls_1_23")
    made.names["th_run"]("garbage", check_sum(b"garbage", kind="c"))
    made.names["th_put"](3, "x", "A", False, check_sum(b"xA", kind="c"))
    first, second = agent_protocol.read_objects(capsys.readouterr().out.encode())
    assert (first["kind"], second["kind"], second["blob"], second["n"]) == ("error", "error", "x", 3)


def test_what_arrives_damaged_is_not_done(stand_in: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A request or a blob with a wrong checksum is answered as damaged; nothing is connected or stored."""
    made = stand_in("mbedtls_1_23")
    made.names["th_run"]('{"host":"127.0.0.1","port":1}', "c00000000")
    made.names["th_put"](4, "x", "QUJD", False, check_sum(b"yQUJD", kind="c"))
    answers = agent_protocol.read_objects(capsys.readouterr().out.encode())
    assert [(answer["kind"], answer["n"]) for answer in answers] == [("damaged", None), ("damaged", 4)]
    assert (made.firmware.calls, made.names["th_blobs"]) == ([], {})


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    """The sockets that the agent opens."""
    found: list[socket.socket] = []
    real = socket.socket

    def remember(*words: Any, **keywords: Any) -> socket.socket:
        made_now = real(*words, **keywords)
        if not keywords:  # accept() of the server side passes fileno=
            found.append(made_now)
        return made_now

    monkeypatch.setattr(socket, "socket", remember)
    return found


def test_interrupt_closes_and_propagates(stand_in: Any, plain_server: int, opened: list[socket.socket]) -> None:
    """Ctrl-C is not caught: it leaves th_run, and the socket is closed."""
    made = stand_in("mbedtls_1_23")
    made.firmware.handshake_error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        made.run(**_usual(plain_server))
    assert [sock.fileno() for sock in opened] == [-1]


def test_a_forgotten_socket_is_closed(stand_in: Any, opened: list[socket.socket]) -> None:
    """After a failed read the TLS socket of 1.22 closes nothing, so the agent closes the socket below it and the server sees the end."""
    made = stand_in("mbedtls_1_22")
    with socket.create_server(("127.0.0.1", 0)) as listener:  # it never answers
        answer = made.run(**{**_usual(listener.getsockname()[1]), "timeout": 20})
    assert (answer["kind"], answer["stage"]) == ("exception", "read")
    assert [sock.fileno() for sock in opened if sock is not listener] == [-1]


def test_unread_data_is_drained_before_closing(stand_in: Any) -> None:
    """After a failed handshake unread data is read first, or close() would send a reset and destroy our own alert."""
    made = stand_in("mbedtls_1_23")
    made.firmware.handshake_error = OSError(-30592, "X")
    seen: list[bytes | str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(60)
                peer.sendall(b"x" * 100)
                peer.shutdown(socket.SHUT_WR)
                try:
                    seen.append(peer.recv(10))
                except ConnectionResetError as error:
                    seen.append(str(error))

        thread = threading.Thread(target=serve)
        thread.start()
        made.run(**_usual(listener.getsockname()[1], name="x"))
        thread.join(60)
    assert seen == [b""]


def test_every_name_is_ours(agent_source: str) -> None:
    """The agent runs in the user's __main__, so every global but the module gc starts with th_."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(agent_source, names)
    assert names["th_version"] == agent_protocol.VERSION
    assert [name for name in names if not name.startswith(("th_", "__"))] == ["gc"]


def test_scripts_are_ascii_and_old_enough() -> None:
    """No f-string, walrus or non-ASCII character: 1.14 must compile it."""
    import ast

    from harness.system.data_files import data_dir

    for path in sorted(data_dir("device_scripts").glob("*.py")):
        tree = ast.parse(path.read_bytes().decode("ascii"))
        newer = [type(node).__name__ for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.NamedExpr)]
        assert (path.name, newer) == (path.name, [])
