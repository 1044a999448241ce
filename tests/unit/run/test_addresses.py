"""Where boards and servers meet."""

from harness.model import BoardInfo, ClientFailure, Stage
from harness.run.addresses import Reach, unreachable_text


def test_unreachable_text():
    """Both addresses, the board's own error, and every option that may help."""
    failure = ClientFailure(type="OSError", args=(113,), number=113, flags=None, name=None, stage=Stage.CONNECT)
    text = unreachable_text(
        BoardInfo(address="192.0.2.9"), Reach(bind="0.0.0.0", advertise="192.0.2.1"), failure=failure, port=4433
    )
    assert text.startswith("the board (192.0.2.9) cannot reach this server at 192.0.2.1:4433 (OSError 113): ")
    assert all(option in text for option in ("--bind", "--advertise", "--peer"))
    nothing = unreachable_text(BoardInfo(), Reach(bind="127.0.0.1", advertise="127.0.0.1"), failure=None, port=None)
    assert nothing.startswith("the board (no address known) cannot reach")
