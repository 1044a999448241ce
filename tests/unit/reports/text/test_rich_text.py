"""Table and bar as rich draws them."""

import pytest

from harness.reports.text.display_width import display_width
from harness.reports.text.rich_text import bar_text, table_lines


def result(board="unix", verdict="pass", case="seed/x"):
    """As in run.json, what the table is made of."""
    return {"board": board, "server": "in-process", "case": case, "verdict": verdict}


def test_table():
    """Heads, counts, a total under a line; without colours no escapes."""
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
    """A terminal whose encoding has no lines gets ASCII."""
    assert all(line.isascii() for line in table_lines([result()], width=80, colour=False, encoding="ascii"))
    bar = bar_text(1, 2, bad=0, elapsed_s=1.0, width=60, colour=False, encoding="ascii")
    assert bar.isascii()
    assert bar.startswith("-----")


def test_hostile():
    """Markup, emoji codes, links and escapes of a board's name are shown as they are."""
    name = "[red]x[/red]:smile:\x1b[2J[link=http://a]b"
    (row,) = table_lines([result(board=name)], width=120, colour=True)[2:]
    assert "[red]x[/red]:smile:\\x1b[2J[link=http://a]b" in row
    assert "\x1b[2J" not in row
    assert "\x1b]8" not in row


@pytest.mark.parametrize("width", [30, 60, 160])
def test_narrow(width):
    """No line is longer than the terminal, and no name is lost: it goes on in the next row."""
    lines = table_lines([result(board="lab-with-a-long-name-1")], width=width, colour=False)
    assert all(display_width(line) <= width for line in lines)
    assert "".join(line.split("│")[0].strip() for line in lines if "│" in line) == "lab-with-a-long-name-1"


def test_bar():
    """Done, total, what went wrong and the time left: as much again as each case has taken."""
    assert (
        bar_text(3, 12, bad=0, elapsed_s=30.0, width=80, colour=False) == f"{'━' * 10}{' ' * 30}  3/12  about 1:30 left"
    )
    assert bar_text(1, 3601, bad=1, elapsed_s=2.0, width=80, colour=False).endswith("1/3601  1 bad  about 2:00:00 left")
    assert bar_text(0, 12, bad=0, elapsed_s=3.0, width=80, colour=False).endswith("  0/12")
    assert "\x1b[31m" in bar_text(3, 12, bad=1, elapsed_s=1.0, width=80, colour=True)
    assert "\x1b[32m" in bar_text(3, 12, bad=0, elapsed_s=1.0, width=80, colour=True)


@pytest.mark.parametrize("width", [1, 5, 20, 40, 60])
def test_bar_never_wraps(width):
    """One cell stays free, for many terminals wrap at the last one."""
    assert display_width(bar_text(3, 12, bad=2, elapsed_s=30.0, width=width, colour=False)) < width
