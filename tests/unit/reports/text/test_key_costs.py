"""What each server key costs each board."""

from __future__ import annotations

from harness.model import VerdictWord
from harness.reports.text.key_costs import HEAP_RULE, BoardCost, board_cost, key_costs, kilobytes
from harness.reports.text.server_keys import Connects, KeyCell, KeyMatrix, KeyRow


def cell(board: str, server: str, ms: float | None = None, **more) -> KeyCell:
    """A cell that connects as expected, unless other values are given."""
    return KeyCell(
        board=board, server=server, **{"connects": Connects.YES, "verdict": VerdictWord.PASS, "time_ms": ms, **more}
    )


def refused(board: str, server: str, reason: str = "NO_SHARED_CIPHER") -> KeyCell:
    """A cell that was refused as expected."""
    return cell(board, server, connects=Connects.NO, reason=reason)


def test_over_all_servers_of_a_board() -> None:
    """The median, the fastest and the slowest server; the maximum heap of all of them."""
    cells = [cell("desk", "a", 3, heap_bytes=25000), cell("desk", "b", 90), cell("desk", "c", 4, heap_bytes=26000)]
    assert board_cost("desk", cells) == BoardCost(
        board="desk",
        good=3,
        total=3,
        time_ms=4,
        low_ms=3,
        high_ms=90,
        heap_bytes=26000,
        reason="",
        weak="",
        flaky=0,
        tried=True,
    )


def test_a_weak_session_with_one_server() -> None:
    """It is said of the board, once, and only of sessions that count."""
    cells = [
        cell("desk", "a", weak="TLS 1.1"),
        cell("desk", "b", weak="TLS 1.1; no forward secrecy"),
        cell("desk", "c"),
    ]
    assert board_cost("desk", cells).weak == "TLS 1.1; no forward secrecy"
    assert board_cost("desk", [cell("desk", "a", weak="TLS 1.1", verdict=VerdictWord.INSECURE)]).weak == ""


def test_where_it_does_not_connect() -> None:
    """Times are those of sessions that connected; the first reason is named."""
    some = board_cost("desk", [cell("desk", "a", 3), refused("desk", "b"), refused("desk", "c", "OTHER")])
    assert (some.good, some.total, some.time_ms, some.reason, some.tried) == (1, 3, 3, "NO_SHARED_CIPHER", True)
    none = board_cost(
        "desk", [cell("desk", "a", connects=Connects.ERROR, verdict=VerdictWord.ERROR, reason="no prompt")]
    )
    assert (none.good, none.time_ms, none.reason, none.tried) == (0, None, "error", False)
    wrong = board_cost("desk", [cell("desk", "a", 3, verdict=VerdictWord.INSECURE, flaky="pass 1, insecure 1")])
    assert (wrong.good, wrong.reason, wrong.flaky, wrong.tried) == (0, "insecure", 1, True)


def test_only_keys_among_which_one_chooses() -> None:
    """Only single keys that connect something are listed, the recommended one first."""
    columns = (("desk", "a"), ("lab", "a"))

    def row(case: str, *cells: KeyCell) -> KeyRow:
        return KeyRow(case=case, title=case, cells=cells)

    matrix = KeyMatrix(
        columns=columns,
        rows=(
            row("key/rsa8192", cell("desk", "a", 50), cell("lab", "a", 70)),
            row("key/dual-rsa-ec", cell("desk", "a", 1), cell("lab", "a", 1)),
            row("key/ed25519", refused("desk", "a"), refused("lab", "a")),
            row("key/p256", cell("desk", "a", 5), cell("lab", "a", 7)),
        ),
    )
    found = key_costs(matrix)
    assert [cost.row.case for cost in found] == ["key/p256", "key/rsa8192"]
    assert [(board.board, board.time_ms) for board in found[0].boards] == [("desk", 5), ("lab", 7)]
    assert [cost.heap_rule for cost in found] == [HEAP_RULE["key/p256"], None]


def test_sizes() -> None:
    """Bytes, kilobytes, megabytes."""
    assert [kilobytes(value) for value in (999, 1000, 16700, 999_999, 1_000_000, 2054016)] == [
        "999 B", "1.0 kB", "16.7 kB", "1000.0 kB", "1.0 MB", "2.1 MB",
    ]  # fmt: skip
