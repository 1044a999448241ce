"""What pytest shows for a failing result."""

from types import SimpleNamespace

import pytest

from harness.pytest_plugin.longrepr import FailureBlock, FailureBlocks

TEXT = "error: lab-1: gone\n  lab-1: gone for good\nReproduce with:\n    pytest x"


@pytest.fixture
def shown():
    """Process results; return line and block of each."""
    blocks = FailureBlocks()

    def take(*, board="lab-1", reason="gone", text=TEXT, unusable=True, announced=False):
        report = SimpleNamespace(longrepr=text, failed=True)
        data = {"result": {"board": board, "reason": reason}, "line": reason, "unusable": unusable}
        blocks.take(report, data, announced=announced)
        return data["line"], str(report.longrepr)

    return take


def test_block():
    """A report shows the whole text, a summary only its first line."""
    block = FailureBlock(TEXT)
    lines = []
    block.toterminal(SimpleNamespace(line=lines.append))
    assert (lines, str(block)) == ([TEXT], TEXT)
    FailureBlock(TEXT, brief=True).toterminal(SimpleNamespace(line=lines.append))
    assert lines == [TEXT]
    assert (block.reprcrash.message, str(block.reprcrash)) == ("error: lab-1: gone", "error: lab-1: gone")


def test_a_board_that_cannot_be_used(shown):
    """Its reason is shown once, then as a reference, also from several workers; another board or reason is shown again."""
    short = "board lab-1 is not usable, see above"
    assert shown() == ("gone", TEXT)
    assert shown() == (short, f"error: {short}")
    assert shown(board="lab-2") == ("gone", TEXT)
    assert shown(reason="busy") == ("busy", TEXT)


def test_announced(shown):
    """After the board's own line even the first case refers to it; the first block still has the reason."""
    assert shown(announced=True) == ("board lab-1 is not usable, see above", TEXT)


def test_others(shown):
    """A usable board that fails twice for the same reason is shown twice; a longrepr that is not a string is unchanged."""
    assert shown(unusable=False) == shown(unusable=False) == ("gone", TEXT)
    report = SimpleNamespace(longrepr=None, failed=True)
    FailureBlocks().take(
        report, {"result": {"board": "b", "reason": None}, "line": "", "unusable": False}, announced=False
    )
    assert report.longrepr is None
