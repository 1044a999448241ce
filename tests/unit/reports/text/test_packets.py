"""The packet list as text."""

from harness.model import Side
from harness.reports.record.result_types import Addresses, PacketEntry
from harness.reports.text.packets import packet_lines

ADDRESSES = Addresses(board="10.0.0.7:41234", server="10.0.0.1:8443")


def row(number, sender="client", info="Client Hello"):
    """A packet."""
    return PacketEntry(number=number, at_ms=number / 2, sender=Side(sender), length=120, info=info)


def test_rows():
    """The addresses of both ends come first, then number, time, direction, size and message."""
    assert packet_lines([row(1), row(2, "server", "Alert (fatal, handshake_failure)")], addresses=ADDRESSES) == [
        "  packets     board 10.0.0.7:41234, server 10.0.0.1:8443; number, ms after accept, sender, bytes, message",
        "      1      0.500  board -> server    120  Client Hello",
        "      2      1.000  server -> board    120  Alert (fatal, handshake_failure)",
    ]


def test_without():
    """Without rows there is no list; unknown addresses are omitted."""
    assert packet_lines([], addresses=ADDRESSES) == []
    none = Addresses(board=None, server=None)
    assert packet_lines([row(1)], addresses=none)[0] == "  packets     number, ms after accept, sender, bytes, message"


def test_bounded():
    """A long list keeps its ends and counts omitted rows, including an earlier gap."""
    rows = [row(number) for number in (1, 2, 3, 4, 9, 10)]
    lines = packet_lines(rows, addresses=ADDRESSES, limit=3)
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "...", "10"]
    assert lines[3] == "    ... 7 rows omitted ..."
    assert packet_lines([row(1), row(3)], addresses=ADDRESSES)[2] == "    ... 1 row omitted ..."


def test_hostile():
    """Control characters of a peer are escaped."""
    (_head, line) = packet_lines([row(1, info="SNI=\x1b[2J\nx")], addresses=ADDRESSES)
    assert line.endswith("SNI=\\x1b[2J x")
