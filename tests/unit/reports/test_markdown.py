"""The Markdown report: counts, what is wrong first, and the matrix of server keys."""

from __future__ import annotations

from typing import Any

from harness.reports.markdown import LISTED, key_table, render_markdown


def result(
    case: str, verdict: str, *, outcome: str = "connected", server: str = "in-process", **more: Any
) -> dict[str, Any]:
    """A result as in run.json, cut down to what the report reads."""
    observed = (
        None
        if outcome == "not-run"
        else {
            "server": {"type": "SSLError", "reason": "NO_SHARED_CIPHER"} if outcome == "refused" else None,
            "client": None,
            "negotiated": {"version": "TLSv1.2" if outcome == "connected" else None},
        }
    )
    return {
        "board": "unix",
        "server": server,
        "case": case,
        "verdict": verdict,
        "outcome": outcome,
        "reason": None,
        "observed": observed,
        "timing_ms": {"handshake_board": 7.4},
        **more,
    }


def run(*results: dict[str, Any]) -> dict[str, Any]:
    """A run record around some results."""
    cases = [
        {"case": item["case"], "topic": item["case"].partition("/")[0], "title": item["case"].upper()}
        for item in results
    ]
    python = {"python": "3.11.2", "openssl": "OpenSSL 3.0.19 27 Jan 2026"}
    return {
        "boards": [{"board": "unix", "firmware": "1.25.0"}],
        "servers": [
            {"server": "in-process", **python, "default_suites_flag": None},
            {"server": "debian", **python, "default_suites_flag": "openssl"},
        ],
        "cases": list({item["case"]: item for item in cases}.values()),
        "results": list(results),
    }


def test_the_matrix_has_a_row_per_key_and_a_column_per_firmware_and_python() -> None:
    """Cells say what happened in sign and words; a column names Python, OpenSSL and whose default suites it has."""
    record = run(
        result("key/rsa", "pass", outcome="refused"),
        result("key/rsa", "pass", server="debian"),
        result("key/pss", "unsupported", outcome="not-run"),
        result("other/x", "pass"),
    )
    assert key_table(record) == [
        "| server key | 1.25.0 / Python 3.11.2, OpenSSL 3.0.19 | 1.25.0 / Python 3.11.2, OpenSSL 3.0.19 (OpenSSL's default suites) |",
        "|---|---|---|",
        "| KEY/RSA | ✕ NO\\_SHARED\\_CIPHER | ✓ 1.2, 7 ms |",
        "| KEY/PSS | – unsupported | · |",
    ]


def test_what_is_wrong_is_marked_in_its_cell() -> None:
    """A cell that is not as expected carries its verdict."""
    assert "✓ 1.2, 7 ms **insecure**" in key_table(run(result("key/rsa", "insecure")))[-1]


def test_the_worst_comes_first() -> None:
    """Insecure results stand before failures, failures before errors of the harness."""
    record = run(result("a/c", "error", outcome="not-run"), result("a/b", "fail"), result("a/a", "insecure"))
    lines = [
        line
        for line in render_markdown(record).splitlines()
        if line.startswith(("| insecure |", "| fail |", "| error |"))
    ]
    assert [line.split("|")[1].strip() for line in lines] == ["insecure", "fail", "error"]


def test_a_long_list_is_cut_and_counted() -> None:
    """A report must fit into a comment."""
    record = run(*(result(f"a/{number}", "fail") for number in range(LISTED + 5)))
    assert "... and 5 more." in render_markdown(record)


def test_texts_of_boards_cannot_write_markup() -> None:
    """What a board or server sent is plain text in its cell."""
    record = run(result("a/a", "fail", reason="<script>|`x`\n\x1b[31m"))
    (line,) = [line for line in render_markdown(record).splitlines() if line.startswith("| fail |")]
    assert line.endswith("| &lt;script&gt;\\|\\`x\\`  \\[31m |")
