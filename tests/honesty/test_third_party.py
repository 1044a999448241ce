"""Another program connects from the board's own address, in the board's place or together with it, and speaks TLS.

It completes sessions with the server of the case, so that there is something to be mistaken for the board's. No case may be `fail` or
`insecure` because of it, and none may pass that the board did not have.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.cases import select
from harness.errors import BoardError, HarnessError
from harness.model import BoardSettings, BoardSpec, Case, CaseResult, ServerProfile, VerdictWord
from harness.run.case_runner import CaseRunner
from harness.run.lab import Lab
from harness.run.options import RunOptions
from harness.server import ServerStart, Serving
from harness.server.local import LocalServer

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix", settings=BoardSettings())
TRUE_OF_THIS_BOARD = {VerdictWord.PASS, VerdictWord.UNSUPPORTED, VerdictWord.ERROR}


class Racer:
    """A TLS client that is faster than the board: it is there as soon as a server listens.

    Args:
        wins: whether it takes part in the race for the server with this number.
        greeting: what it sends in its sessions.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, wins: Callable[[int], bool], greeting: bytes) -> None:
        self.servers = 0
        self.won = 0
        self.sessions = 0
        self._greeting = greeting
        self._threads: list[threading.Thread] = []
        usual = LocalServer.open

        def open_and_race(server: LocalServer, profile: ServerProfile, serving: Serving) -> ServerStart:
            start = usual(server, profile, serving)
            self.servers += 1
            if start.port is not None and wins(self.servers):
                self._race(start.port)
            return start

        monkeypatch.setattr(LocalServer, "open", open_and_race)

    def _race(self, port: int) -> None:
        line = socket.create_connection(("127.0.0.1", port), 10)
        self.won += 1
        thread = threading.Thread(target=self._talk, args=(line,))
        thread.start()
        self._threads.append(thread)

    def _talk(self, line: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        line.settimeout(5)
        with contextlib.suppress(OSError), context.wrap_socket(line, server_hostname="tls.test") as tls:
            tls.sendall(self._greeting)
            self.sessions += bool(tls.recv(100))
        line.close()

    def join(self) -> None:
        """Wait for the end of all its sessions."""
        for thread in self._threads:
            thread.join()


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab with a virtual board."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    made = Lab(RunOptions(boards=(SPEC,)))
    yield made
    made.close()


@pytest.fixture
def race(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Racer]]:
    """Start a racer."""
    made: list[Racer] = []

    def start(
        *, wins: Callable[[int], bool] = lambda number: True, greeting: bytes = b"Hallo, Server! 123456789"
    ) -> Racer:
        made.append(Racer(monkeypatch, wins=wins, greeting=greeting))
        return made[-1]

    yield start
    for racer in made:
        racer.join()


def run_all(runner: CaseRunner, cases: tuple[Case, ...]) -> dict[str, CaseResult]:
    """Run the cases, each once."""
    return {case.id: runner.run(case) for case in cases}


def check(lab: Lab, race: Callable[..., Racer], cases: tuple[Case, ...], *, wins: Callable[[int], bool]) -> None:
    """Run cases against the racer; every verdict must be true of the board, and each lost race counted."""
    runner = lab.runner(SPEC, "in-process")
    alone = run_all(runner, cases)
    lab.take_unexpected_peers("in-process")
    racer = race(wins=wins)
    attacked = run_all(runner, cases)
    racer.join()
    words = {name: result.verdict.word for name, result in attacked.items()}
    assert {name: word for name, word in words.items() if word not in TRUE_OF_THIS_BOARD} == {}
    # Nothing passes that the board does not pass alone.
    assert {name for name, word in words.items() if word is VerdictWord.PASS} <= {
        name for name, result in alone.items() if result.verdict.word is VerdictWord.PASS
    }
    assert lab.take_unexpected_peers("in-process").count == racer.won
    assert racer.sessions > 0
    assert runner.board.quarantine_reason is None
    for result in attacked.values():
        if result.verdict.word is VerdictWord.ERROR:
            assert result.explanation is not None
            assert result.explanation.rule == "fault/peer"
            assert " 127.0.0.1:" in (result.verdict.reason or "")


def test_a_racer_that_always_wins(lab: Lab, race: Callable[..., Racer]) -> None:
    """Each case ends in `error`, with the racer's address and port; the board goes on as before."""
    check(lab, race, select("core")[::16], wins=lambda number: True)


@pytest.mark.slow
@pytest.mark.parametrize("every", [1, 2, 3])
def test_a_racer_in_all_cases(lab: Lab, race: Callable[..., Racer], every: int) -> None:
    """The same over the core set, also if it wins only now and then: the case is made again, or `error`."""
    check(lab, race, select("core"), wins=lambda number: number % every == 0)


def test_a_racer_from_the_start(lab: Lab, race: Callable[..., Racer]) -> None:
    """The first contact fails already: no case is run, and the message is not about TLS."""
    race()
    with pytest.raises(BoardError, match=r"127\.0\.0\.1") as caught:
        lab.runner(SPEC, "in-process")
    assert caught.value.kind in ("network", "peer")


def test_a_racer_at_the_baseline_handshake(lab: Lab, race: Callable[..., Racer]) -> None:
    """Its ClientHello is never kept as the board's own."""
    race(wins=lambda number: number > 1)
    with pytest.raises(BoardError, match="another program at that address connected in the board's place") as caught:
        lab.runner(SPEC, "in-process")
    assert caught.value.kind == "peer"
    assert lab.boards()[0].info.hello is None  # type: ignore[union-attr]  # it is open
