"""Programs on real interpreters, with stand-ins for those that no interpreter has: what is a pass, and what must not be one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.cases import select
from harness.errors import HarnessError
from harness.model import BoardSpec, CaseResult, VerdictWord
from harness.oracle.known import apply_known, known_programs
from harness.run.lab import Lab
from harness.run.options import RunOptions

PROGRAMS = Path(__file__).parents[1] / "data" / "programs"
STAND_IN = (PROGRAMS / "umqtt_stand_in.py").read_text(encoding="ascii")
WEBSOCKET = {
    "async_websocket_client/__init__.py": b"",
    "async_websocket_client/ws.py": (PROGRAMS / "websocket_stand_in.py").read_bytes(),
}
# The generations of umqtt.simple: what the constructor and connect() take.
GENERATIONS = {"1.3": (True, False), "1.4": (False, True), "1.5": (True, True)}
# A stand-in for a requests module that takes a context; HOW is what it does with it.
REQUESTS = """\
import socket
class Response:
    def close(self):
        self.raw.close()
def request(method, url, data=None, ssl_context=None):
    proto, _, host, path = url.split("/", 3)
    host, port = host.split(":")
    address = socket.getaddrinfo(host, int(port))[0][-1]
    sock = socket.socket()
    sock.connect(address)
    HOW
    sock.write(b"POST /x HTTP/1.0\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(data))
    sock.write(data)
    answer = Response()
    answer.raw = sock
    answer.status_code = int(sock.readline().split(None, 2)[1])
    while sock.readline().strip():
        pass
    answer.content = sock.read(14)
    return answer
def post(url, **words):
    return request("POST", url, **words)
"""
VERIFIES = "sock = (ssl_context or th_free_context()).wrap_socket(sock, server_hostname=host)"
IGNORES = "sock = th_free_context().wrap_socket(sock, server_hostname=host)"
FREE_CONTEXT = """
def th_free_context():
    import tls
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_NONE
    return context
"""
REFUSALS = ("wrong-ca", "wrong-name", "server-closes")


def umqtt(generation: str) -> dict[str, bytes]:
    """The modules of a generation."""
    params, context = GENERATIONS[generation]
    text = STAND_IN.replace("TAKES_PARAMS = True", f"TAKES_PARAMS = {params}")
    return {"umqtt/simple.py": text.replace("TAKES_CONTEXT = True", f"TAKES_CONTEXT = {context}").encode()}


def requests(how: str) -> dict[str, bytes]:
    """A module that is imported instead of the frozen one."""
    return {"requests.py": (REQUESTS.replace("HOW", how) + FREE_CONTEXT).encode()}


@pytest.fixture(params=["", pytest.param("old", marks=pytest.mark.slow)])
def target(request: pytest.FixtureRequest) -> str:
    """The packaged interpreter, and Debian's, which has no module `ssl`."""
    if request.param:
        found = os.environ.get("MICROPYTHON_OLD")
        if not found:
            pytest.skip("$MICROPYTHON_OLD names no other interpreter")
        return found
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    return ""


@pytest.fixture
def run(target: str) -> Iterator[Callable[..., dict[str, CaseResult]]]:
    """Run the cases of a program on a board with these modules: name -> result."""
    labs: list[Lab] = []

    def start(program: str, modules: dict[str, bytes], *names: str) -> dict[str, CaseResult]:
        spec = BoardSpec(text="unix", kind="unix", target=target, label="unix")
        lab = Lab(RunOptions(boards=(spec,), modules=modules))
        labs.append(lab)
        runner = lab.runner(spec, "in-process")
        found = {}
        for case in select("smoke", on_request=True):
            name = case.id.removeprefix(f"app/{program}-")
            if case.client.program == program and (not names or name in names):
                found[name] = apply_known(runner.run(case), runner.board.info, known_programs())
        return found

    yield start
    for lab in labs:
        lab.close()


def words(found: dict[str, CaseResult]) -> dict[str, str]:
    """Name -> verdict."""
    return {name: result.verdict.word.value for name, result in found.items()}


def test_a_context_is_used(run: Callable[..., dict[str, CaseResult]]) -> None:
    """umqtt.simple since 1.4 with a context: every case passes, and each wrong server is refused for its own reason."""
    found = run("umqtt-context", umqtt("1.4"))
    assert set(words(found).values()) == {"pass"}, {name: result.verdict for name, result in found.items()}
    seen = {name: result.observation for name, result in found.items()}
    flags = [seen[name].client.flags for name in ("wrong-ca", "wrong-name")]
    assert flags == [("not_trusted",), ("cn_mismatch",)]
    assert (seen["large-answer"].client_received_bytes, seen["verified"].verified) == (20000, True)


def test_the_parameters_are_used(run: Callable[..., dict[str, CaseResult]], target: str) -> None:
    """ssl=True and ssl_params: every case passes where the firmware has ssl.wrap_socket, and none can run where it has no `ssl`."""
    found = run("umqtt-params", umqtt("1.3"))
    if not target:
        assert set(words(found).values()) == {"pass"}, {name: result.verdict for name, result in found.items()}
        return
    reasons = {result.verdict.reason for result in found.values()}
    assert set(words(found).values()) == {"unsupported"}
    assert reasons == {
        "the board cannot import umqtt.simple (no module named 'ssl'); --board-path DIR places modules on it"
    }


def test_a_websocket(run: Callable[..., dict[str, CaseResult]], target: str) -> None:
    """A client of asyncio that reads its CA certificate from a file: every case passes where the firmware has ssl.wrap_socket."""
    found = run("websocket", WEBSOCKET)
    assert set(words(found).values()) == {"unsupported" if target else "pass"}, {
        name: result.verdict for name, result in found.items()
    }


@pytest.mark.parametrize(
    ("program", "generation", "lack"),
    [
        ("umqtt-context", "1.3", "an SSLContext"),
        ("umqtt-params", "1.4", "ssl_params"),
        ("umqtt-params", "1.5", None),
        ("umqtt-context", "1.5", None),
    ],
)
def test_what_a_generation_has_is_tried(
    run: Callable[..., dict[str, CaseResult]], target: str, program: str, generation: str, lack: str | None
) -> None:
    """Which form a module has is found out without a connection: the other one is unsupported, with its reason."""
    verdict = run(program, umqtt(generation), "verified")["verified"].verdict
    if lack is not None:
        assert verdict.word is VerdictWord.UNSUPPORTED
        assert verdict.reason == f"umqtt.simple on this board has no parameter for {lack}"
    elif not (target and program == "umqtt-params"):
        assert verdict.word is VerdictWord.PASS


def test_a_program_that_is_not_there(run: Callable[..., dict[str, CaseResult]]) -> None:
    """Without its module a program is unsupported; the reason says how to place it."""
    found = run("umqtt-context", {}, "verified", "wrong-ca")
    reason = "the board cannot import umqtt.simple (no module named 'umqtt'); --board-path DIR places modules on it"
    assert {(result.verdict.word, result.verdict.reason) for result in found.values()} == {
        (VerdictWord.UNSUPPORTED, reason)
    }


def test_requests_with_a_context(run: Callable[..., dict[str, CaseResult]]) -> None:
    """A requests module that takes a context is given one: all cases apply to it."""
    found = words(run("requests", requests(VERIFIES), "verified", "client-certificate", "wrong-ca", "wrong-name"))
    assert found == dict.fromkeys(("verified", "client-certificate", "wrong-ca", "wrong-name"), "pass")


def test_a_context_that_is_ignored_is_insecure(run: Callable[..., dict[str, CaseResult]]) -> None:
    """A program that is given a CA and accepts a wrong certificate is insecure, whatever else works."""
    found = run("requests", requests(IGNORES), "verified", "wrong-ca", "wrong-name")
    assert words(found) == {"verified": "pass", "wrong-ca": "insecure", "wrong-name": "insecure"}
    assert found["wrong-ca"].verdict.reason == "the client accepted what it should have refused"


@pytest.mark.parametrize(
    ("change", "name", "verdict"),
    [
        # another text than the one of this exec: perhaps another board's
        (("sock.write(data)", "sock.write(b'x' * len(data))"), "unverified", "error"),
        # an answer that is not the server's
        (("answer.content = sock.read(14)", "answer.content = b'Hallo, Nobody!'"), "unverified", "fail"),
        # an answer that stops in the middle
        (("answer.content = sock.read(14)", "answer.content = sock.read(7)"), "unverified", "fail"),
        # no answer at all is taken for one
        (
            ("answer.status_code = int(sock.readline().split(None, 2)[1])", "answer.status_code = 200"),
            "server-closes",
            "fail",
        ),
        # another name than the one in the certificate
        (("server_hostname=host", "server_hostname='other.test'"), "unverified", "error"),
        # plain TCP
        (("HOW", "pass"), "unverified", "fail"),
    ],
)
def test_what_a_program_must_not_get_away_with(
    run: Callable[..., dict[str, CaseResult]], change: tuple[str, str], name: str, verdict: str
) -> None:
    """The server's record decides: a program that sends, reads or verifies something else never passes."""
    text = REQUESTS if change[0] == "HOW" else REQUESTS.replace("HOW", VERIFIES)
    assert change[0] in text
    modules = {"requests.py": (text.replace(*change) + FREE_CONTEXT).encode()}
    found = run("requests", modules, name)[name]
    assert found.verdict.word.value == verdict, found.verdict


def test_the_board_is_as_before(run: Callable[..., dict[str, CaseResult]], target: str) -> None:
    """After a program the agent connects as before, and nothing of the program is left in memory."""
    spec = BoardSpec(text="unix", kind="unix", target=target, label="unix")
    lab = Lab(RunOptions(boards=(spec,), modules=umqtt("1.5")))
    try:
        runner = lab.runner(spec, "in-process")
        console = runner.board._console
        probe = "import sys\nprint(sorted(n for n in globals() if 'app' in n), [n for n in sys.modules if 'umqtt' in n], sys.path)"
        before = console.run(probe, timeout_s=60.0).stdout
        case = next(item for item in select("smoke", on_request=True) if item.id == "app/umqtt-context-verified")
        assert runner.run(case).verdict.word is VerdictWord.PASS
        assert console.run(probe, timeout_s=60.0).stdout == before
        usual = next(item for item in select("smoke") if item.id == "cert/good")
        assert runner.run(usual).verdict.word is VerdictWord.PASS
    finally:
        lab.close()
