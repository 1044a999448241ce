"""The packet list as text."""

from harness.reports.text.packets import packet_lines

ADDRESSES = {"board": "10.0.0.7:41234", "server": "10.0.0.1:8443"}


def row(number, sender="client", info="Client Hello"):
    """As in run.json."""
    return {"number": number, "at_ms": number / 2, "from": sender, "bytes": 120, "info": info}


def test_rows():
    """Both ends' addresses above, then number, time, direction, size and message."""
    assert packet_lines([row(1), row(2, "server", "Alert (fatal, handshake_failure)")], addresses=ADDRESSES) == [
        "  packets     board 10.0.0.7:41234, server 10.0.0.1:8443; number, ms after accept, sender, bytes, message",
        "      1      0.500  board -> server    120  Client Hello",
        "      2      1.000  server -> board    120  Alert (fatal, handshake_failure)",
    ]


def test_without():
    """No rows, no list; addresses that nobody knows are left out."""
    assert packet_lines([], addresses=ADDRESSES) == []
    none = {"board": None, "server": None}
    assert packet_lines([row(1)], addresses=none)[0] == "  packets     number, ms after accept, sender, bytes, message"


def test_bounded():
    """A long list keeps its ends and says what is missing; a gap that was there already counts."""
    rows = [row(number) for number in (1, 2, 3, 4, 9, 10)]
    lines = packet_lines(rows, addresses=ADDRESSES, limit=3)
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "...", "10"]
    assert lines[3] == "    ... 7 rows left out ..."
    assert packet_lines([row(1), row(3)], addresses=ADDRESSES)[2] == "    ... 1 row left out ..."


def test_hostile():
    """What a peer sent stays on its line."""
    (_head, line) = packet_lines([row(1, info="SNI=\x1b[2J\nx")], addresses=ADDRESSES)
    assert line.endswith("SNI=\\x1b[2J x")
