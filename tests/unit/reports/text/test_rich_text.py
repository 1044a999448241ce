"""Table and bar as rich draws them."""

import json
from pathlib import Path

import pytest

from harness.reports.record.result_types import Result
from harness.reports.text.display_width import display_width
from harness.reports.text.rich_text import bar_text, table_lines

# A record of which these tests replace what they need.
RECORD = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))


def result(board="unix", verdict="pass", case="seed/x"):
    """A result."""
    data = {**RECORD["results"][0], "board": board, "server": "in-process", "case": case, "verdict": verdict}
    return Result.of_json(data)


def test_table():
    """Heads, counts, a total below a line; without colours there are no escapes."""
    lines = table_lines([result(), result(case="key/x", verdict="fail")], width=80, colour=False)
    assert lines == [
        "board ┃ server     ┃ topic ┃ pass ┃ fail",
        "━━━━━━╇━━━━━━━━━━━━╇━━━━━━━╇━━━━━━╇━━━━━",
        "unix  │ in-process │ seed  │    1 │    -",
        "unix  │ in-process │ key   │    - │    1",
        "──────┼────────────┼───────┼──────┼─────",
        "all   │            │       │    1 │    1",
    ]
    assert "\x1b[31m" in "".join(table_lines([result(verdict="fail")], width=80, colour=True))


def test_ascii():
    """A terminal whose encoding has no line characters gets ASCII."""
    assert all(line.isascii() for line in table_lines([result()], width=80, colour=False, encoding="ascii"))
    bar = bar_text(1, 2, bad=0, elapsed_s=1.0, width=60, colour=False, encoding="ascii")
    assert bar.isascii()
    assert bar.startswith("-----")


def test_hostile():
    """Markup, emoji codes, links and escapes in a board's name are shown as text."""
    name = "[red]x[/red]:smile:\x1b[2J[link=http://a]b"
    (row,) = table_lines([result(board=name)], width=120, colour=True)[2:]
    assert "[red]x[/red]:smile:\\x1b[2J[link=http://a]b" in row
    assert "\x1b[2J" not in row
    assert "\x1b]8" not in row


@pytest.mark.parametrize("width", [30, 60, 160])
def test_narrow(width):
    """No line is longer than the terminal, and a long name continues in the next row."""
    lines = table_lines([result(board="lab-with-a-long-name-1")], width=width, colour=False)
    assert all(display_width(line) <= width for line in lines)
    assert "".join(line.split("│")[0].strip() for line in lines if "│" in line) == "lab-with-a-long-name-1"


def test_bar():
    """Done, total, failures, and the time left at the average time per case."""
    assert (
        bar_text(3, 12, bad=0, elapsed_s=30.0, width=80, colour=False) == f"{'━' * 10}{' ' * 30}  3/12  about 1:30 left"
    )
    assert bar_text(1, 3601, bad=1, elapsed_s=2.0, width=80, colour=False).endswith("1/3601  1 bad  about 2:00:00 left")
    assert bar_text(0, 12, bad=0, elapsed_s=3.0, width=80, colour=False).endswith("  0/12")
    assert "\x1b[31m" in bar_text(3, 12, bad=1, elapsed_s=1.0, width=80, colour=True)
    assert "\x1b[32m" in bar_text(3, 12, bad=0, elapsed_s=1.0, width=80, colour=True)


@pytest.mark.parametrize("width", [1, 5, 20, 40, 60])
def test_bar_never_wraps(width):
    """One column stays free, because many terminals wrap at the last one."""
    assert display_width(bar_text(3, 12, bad=2, elapsed_s=30.0, width=width, colour=False)) < width
