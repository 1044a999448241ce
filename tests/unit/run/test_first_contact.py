"""The first meeting of a board and a server."""

from harness.run.first_contact import first_handshake, first_tcp


def test_first_contact(new_lab, spec):
    """Plain TCP and the baseline handshake may be made again; the ClientHello of the first one is kept."""
    lab = new_lab()
    runner = lab.runner(spec, "in-process")
    hello = runner.board.info.hello
    assert 0 < first_tcp(runner.board, runner) < 65536
    assert first_handshake(runner.board, runner).connected
    assert runner.board.info.hello is hello
