"""The first contact of a board and a server."""

import dataclasses
import socket

import pytest

from harness.errors import BoardError
from harness.model import ClientFailure, Outcome, Side, Stage
from harness.run.first_contact import first_handshake, first_tcp


def test_first_contact(new_lab, spec):
    """Plain TCP and the baseline handshake may be repeated; the ClientHello of the first one is kept."""
    lab = new_lab()
    runner = lab.runner(spec, "in-process")
    hello = runner.board.info.hello
    assert 0 < first_tcp(runner.board, runner) < 65536
    assert first_handshake(runner.board, runner).connected
    assert runner.board.info.hello is hello


OTHER = r"but this server \(127\.0\.0\.1\) accepted none: another server answers there \(check --advertise and --bind\), or a proxy"


@pytest.mark.parametrize("wrong", [b"", b"!"])
def test_f19_a_board_that_met_another_server(lab, spec, monkeypatch, wrong):
    """A connection counts only if the random byte of our server comes back: a closed port may seem open on old firmware."""
    runner = lab.runner(spec, "in-process")

    def try_tcp(host, port):
        if not wrong:
            return  # the board says that it connected, and no connection came
        with socket.create_connection((host, port)) as board:
            byte = board.recv(1)
            board.sendall(bytes([byte[0] ^ 1]))

    monkeypatch.setattr(runner.board, "try_tcp", try_tcp)
    monkeypatch.setattr("harness.run.first_contact.SETTLE_S", 0.1 if not wrong else 5.0)
    with pytest.raises(BoardError, match=OTHER) as raised:
        first_tcp(runner.board, runner)
    assert raised.value.kind == "network"


@pytest.mark.parametrize(("failures", "tries"), [(1, 2), (2, 2)])
def test_d1_a_connection_that_only_the_server_saw(lab, spec, monkeypatch, failures, tries):
    """A board that reports a failed connect() although the server accepted it is asked once more; then it is a fault of the network."""
    runner = lab.runner(spec, "in-process")
    real, tried = runner.board.try_tcp, []

    def try_tcp(host, port):
        tried.append(port)
        if len(tried) > failures:
            return real(host, port)
        with socket.create_connection((host, port)) as board:
            board.recv(1)
        raise BoardError("unix: the board cannot open a TCP connection (OSError 0)", kind="network")

    monkeypatch.setattr(runner.board, "try_tcp", try_tcp)
    if failures == 1:
        assert first_tcp(runner.board, runner) == tried[-1]
    else:
        with pytest.raises(BoardError, match=r"^unix: the board cannot open a TCP connection \(OSError 0\)$") as raised:
            first_tcp(runner.board, runner)
        assert raised.value.kind == "network"
    assert len(tried) == tries


@pytest.mark.parametrize(("kind", "number"), [("OSError", 12), ("OSError", -32512), ("MemoryError", None)])
def test_f12_rb09_a_board_without_memory_for_tls(lab, spec, monkeypatch, kind, number):
    """If the very first session runs out of memory, no case can be tried: one error, with what is free and what is needed."""
    runner = lab.runner(spec, "in-process")
    made = runner.handshakes.baseline()
    failure = ClientFailure(type=kind, args=(), number=number, flags=None, name=None, stage=Stage.HANDSHAKE)
    seen = dataclasses.replace(made.observation, outcome=Outcome.REFUSED, ended_by=Side.CLIENT, client=failure)
    monkeypatch.setattr(runner.handshakes, "baseline", lambda: dataclasses.replace(made, observation=seen))
    notes = list(runner.board.notes)
    with pytest.raises(
        BoardError,
        match=r"^unix: the board has too little memory for TLS: \d+ bytes of heap free, \d+ bytes in one piece; a TLS session needs",
    ) as raised:
        first_handshake(runner.board, runner)
    assert raised.value.kind == "memory"
    runner.board.notes[:] = notes
