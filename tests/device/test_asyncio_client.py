"""asyncio_client.py on real interpreters: what the board's asyncio lacks, where errors appear, what the code takes of the heap."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.echo import planned_echo
from harness.boards.agent.protocol import AGENT_FILE, Answer, RunRequest, read_answer
from harness.boards.agent.scripts import AGENT, ASYNCIO_CLIENT, script
from harness.model import ClientApi, Stage

# What the agent may take of a 64-bit interpreter's heap, twice that of a 32-bit board; and the asyncio client with asyncio itself.
RESIDENT_LIMIT_64_BIT = 16 * 1024
WITHOUT_ASYNCIO = "th_asyncio = None"
# open_connection() as it was up to 1.21.
WITHOUT_SSL = "class Old:\n @staticmethod\n def open_connection(host, port):\n  yield\nth_asyncio = Old"
WITHOUT_NAMES = (
    "class Mute:\n def __getattr__(self, name):\n  return getattr(th_module('asyncio'), name)\n"
    " def open_connection(self, host, port, ssl=None, server_hostname=None):\n"
    "  return th_module('asyncio').open_connection(host, port, ssl=ssl, server_hostname='other.test')\n"
    "th_asyncio = Mute()"
)
# Other TLS modules, as the client finds them after the context was made.
OTHER_TLS = "_check = th_check_asyncio\ndef th_check_asyncio(req):\n global th_tls\n found = {}\n th_tls = lambda: found\n _check(req)"
AXTLS = OTHER_TLS.format("('tls', th_json, True)")
OLD_TLS = OTHER_TLS.format("('ssl', th_tls()[1], False)")
# A clock that runs three times as fast between the start of a wait and its alarm: the board computed meanwhile.
BUSY_ONCE = "_diff = th_diff\nlate = [3]\ndef th_diff(a, b):\n return _diff(a, b) * (late.pop() if late else 1)"


def load_code() -> str:
    """Load the agent as a session does, and the asyncio client behind it."""
    loads = "".join(f"th_load({part.path!r},{part.sizes})\n" for part in (AGENT, ASYNCIO_CLIENT))
    return f"{script('line')}{script('load')}{loads}"


@pytest.fixture
def ask(run_on: Callable[[str], bytes], deployed: Path) -> Callable[..., Answer]:
    """Run one request after some code that changes the board."""
    (deployed / ASYNCIO_CLIENT.path).write_text("".join(ASYNCIO_CLIENT.pieces()), encoding="ascii")

    def run(request: RunRequest, *, prelude: str = "") -> Answer:
        answer = read_answer(run_on("\n".join([load_code(), prelude, request.code(number=1, kind="c")])))
        assert answer is not None
        return answer

    return run


def usual(port: int, **more: object) -> RunRequest:
    """An unverified attempt through asyncio."""
    words = {"host": "127.0.0.1", "port": port, "timeout_ms": 300, "api": ClientApi.ASYNCIO, **more}
    return RunRequest(**words)  # type: ignore[arg-type] # values of different types


@pytest.mark.parametrize(
    ("prelude", "more", "missing"),
    [
        (WITHOUT_ASYNCIO, {}, "asyncio"),
        (WITHOUT_SSL, {}, "asyncio.open_connection(ssl)"),
        (AXTLS, {}, "asyncio for axTLS"),
        (OLD_TLS, {}, "ssl.SSLContext.load_cert_chain"),
        ("", {"close_first": True}, "asyncio.Stream.do_handshake"),
        ("", {"name": None}, "asyncio.open_connection(server_hostname=None)"),
    ],
)
def test_what_is_missing(ask: Callable[..., Answer], prelude: str, more: dict[str, object], missing: str) -> None:
    """The board is asked, not its version; nothing of it is a result of TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answer = ask(usual(listener.getsockname()[1], **more), prelude=prelude)
    assert (answer.kind, answer.missing) == ("error", missing)


def test_a_silent_server(ask: Callable[..., Answer]) -> None:
    """The wait for the handshake ends in its stage, with asyncio's own exception; all settings were passed on by then."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        request = usual(listener.getsockname()[1])
        answer = ask(request)
    assert (answer.stage, answer.type, answer.args) == (Stage.HANDSHAKE, "TimeoutError", ())
    planned = planned_echo(request, {}, kind="c")
    assert sorted(answer.passed) == sorted(planned)
    assert answer.exchange_ms is None


def test_time_in_which_the_board_computes_does_not_count(ask: Callable[..., Answer]) -> None:
    """An alarm that comes late says that the board was busy, not that the server was silent: the wait is repeated."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answer = ask(usual(listener.getsockname()[1]), prelude=BUSY_ONCE)
    assert (answer.stage, answer.type) == (Stage.HANDSHAKE, "TimeoutError")
    assert answer.handshake_ms >= 2 * 300


def test_no_listener(ask: Callable[..., Answer], closed_port: int) -> None:
    """open_connection() does not report it, and the first write would; the agent asks the socket, so the stage is connect."""
    answer = ask(usual(closed_port))
    assert (answer.stage, answer.type, answer.args[0], answer.handshake_ms) == (Stage.CONNECT, "OSError", 111, None)


def test_a_name_that_does_not_arrive(ask: Callable[..., Answer]) -> None:
    """The name that reaches the TLS library is noted, too: a firmware that passes on another is found out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answer = ask(usual(listener.getsockname()[1]), prelude=WITHOUT_NAMES)
    names = [item for item in answer.passed if item[0] == "n"]
    assert names == [f"n{check_sum(name, kind='c')[3:7]}" for name in (b"tls.test", b"other.test")]


def test_a_loop_that_was_interrupted(ask: Callable[..., Answer]) -> None:
    """Ctrl-C leaves the tasks of a loop behind; the next attempt has a loop of its own, in which they do not run."""
    interrupted = (
        "async def later():\n await th_asyncio.sleep(0)\n print('#th a task that was left behind')\n"
        "async def first():\n th_asyncio.create_task(later())\n raise KeyboardInterrupt\n"
        "try:\n th_asyncio.run(first())\nexcept KeyboardInterrupt:\n pass"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answer = ask(usual(listener.getsockname()[1]), prelude=interrupted)
    assert (answer.stage, answer.type) == (Stage.HANDSHAKE, "TimeoutError")


def test_heap_that_stays_taken(run_on: Callable[[str], bytes], ask: Callable[..., Answer]) -> None:
    """The asyncio client takes less than the agent, with the interpreter's asyncio, and none of it unless it is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        run = usual(listener.getsockname()[1]).code(number=1, kind="c")
        measure = "gc.collect()\nprint(gc.mem_alloc() - before)"
        agent = f"{script('line')}{script('load')}th_load({AGENT_FILE!r},{AGENT.sizes})\n"
        more = f"th_load({ASYNCIO_CLIENT.path!r},{ASYNCIO_CLIENT.sizes})"
        printed = run_on(f"{agent}gc.collect()\nbefore = gc.mem_alloc()\n{more}\n{measure}\n{run}\n{measure}")
    numbers = [int(line) for line in printed.split(b"\n") if line.strip().isdigit()]
    assert len(numbers) == 2
    assert max(numbers) <= RESIDENT_LIMIT_64_BIT
