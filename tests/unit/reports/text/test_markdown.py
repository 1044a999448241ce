"""The Markdown report: counts, what is wrong first, and the matrix of server keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.reports.record.run_types import RunRecord
from harness.reports.text import markdown
from harness.reports.text.markdown_page import PAGE_BYTES

# A record of which these tests replace what they need.
RECORD = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))


def render_markdown(record: dict[str, Any]) -> str:
    """Render a record in JSON."""
    return markdown.render_markdown(RunRecord.of_json(record))


def result(
    case: str, verdict: str, *, outcome: str = "connected", server: str = "in-process", **more: Any
) -> dict[str, Any]:
    """A result as in run.json."""
    refusal = {"type": "SSLError", "reason": "NO_SHARED_CIPHER", "errno": 1, "verify_code": None}
    observed = {
        "server": refusal if outcome == "refused" else None,
        "client": None,
        "alerts": [],
        "negotiated": {"version": "TLSv1.2" if outcome == "connected" else None},
        "client_hello": None,
    }
    return {
        **RECORD["results"][0],
        "board": "unix",
        "server": server,
        "case": case,
        "verdict": verdict,
        "outcome": outcome,
        "reason": None,
        "observed": None if outcome == "not-run" else observed,
        "timing_ms": {"handshake_board": 7.4, "handshake_server": None, "case": None},
        **more,
    }


def run(*results: dict[str, Any]) -> dict[str, Any]:
    """A run record around some results."""
    cases = [
        {
            **RECORD["cases"][0],
            "case": item["case"],
            "topic": item["case"].partition("/")[0],
            "title": item["case"].upper(),
        }
        for item in results
    ]
    server = {**RECORD["servers"][0], "python": "3.11.2", "openssl": "OpenSSL 3.0.19 27 Jan 2026"}
    return {
        **RECORD,
        "boards": [{**RECORD["boards"][0], "board": "unix", "firmware": "1.25.0", "error": None, "notes": []}],
        "servers": [
            {**server, "server": "in-process", "default_suites_flag": None},
            {**server, "server": "debian", "default_suites_flag": "openssl"},
        ],
        "cases": list({item["case"]: item for item in cases}.values()),
        "results": list(results),
        "missing": [],
    }


def key_table(record: dict[str, Any]) -> list[str]:
    """The lines of the table under `Server keys`."""
    return table(record, "Server keys")


def table(record: dict[str, Any], title: str) -> list[str]:
    """The lines of a section's table, without its list."""
    section = render_markdown(record).partition(f"## {title}")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("|")]


def test_the_matrix_has_a_row_per_key_and_a_column_per_firmware_and_python() -> None:
    """Cells say what happened with a sign and words; a column names Python, OpenSSL and whose default suites it has."""
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


def test_boards_of_one_firmware_are_named() -> None:
    """Two columns never have the same head."""
    record = run(result("key/rsa", "pass"), result("key/rsa", "pass", board="desk"))
    record["boards"].append({**record["boards"][0], "board": "desk"})
    assert key_table(record)[0].count("1.25.0 / ") == 2
    assert key_table(record)[0].startswith(
        "| server key | unix 1.25.0 / Python 3.11.2, OpenSSL 3.0.19 | desk 1.25.0 / "
    )


def test_what_is_wrong_is_marked_in_its_cell() -> None:
    """A cell that is not as expected carries its verdict."""
    assert "✓ 1.2, 7 ms **insecure**" in key_table(run(result("key/rsa", "insecure")))[-1]
    assert (
        key_table(run(result("key/rsa", "error", outcome="not-run")))[-1] == "| KEY/RSA | ! error |"
    )  # it says nothing of TLS


def test_the_worst_comes_first() -> None:
    """Insecure results come before failures, failures before errors of the harness; the counts begin the page."""
    record = run(
        result("a/d", "pass"),
        result("a/c", "error", outcome="not-run"),
        result("a/b", "fail"),
        result("a/a", "insecure"),
    )
    assert [line.split(" | ")[0] for line in table(record, "Not as expected (3)")[2:]] == [
        "| insecure",
        "| fail",
        "| error",
    ]
    assert render_markdown(record).splitlines()[2] == "**4 results: 1 insecure, 1 fail, 1 error, 1 pass**"
    assert table(record, "Boards and servers") == [
        "| board | firmware | server | insecure | fail | error | pass |",
        "|---|---|---|--:|--:|--:|--:|",
        "| unix | 1.25.0 | Python 3.11.2, OpenSSL 3.0.19 | 1 | 1 | 1 | 1 |",
    ]


def test_a_board_that_fails_for_one_reason_is_one_row() -> None:
    """Cases with reasons that differ only in ports and times are one row; so is a case that failed in several runs."""
    record = run(
        *(result(f"a/{n}", "error", outcome="not-run", reason=f"no answer on port {n} in 3 s") for n in range(6)),
        *(result("b/b", "fail", repeat=n, reason="x") for n in (1, 2, 3)),
    )
    assert table(record, "Not as expected (9)")[2:] == [
        "| fail | unix | in-process | b/b (3 runs) | x |",
        "| error | unix | in-process | 6 cases: a/0, a/1, a/2, a/3, and 2 more | no answer on port 0 in 3 s |",
    ]


def change(kind: str, case: str) -> dict[str, Any]:
    """A change as in run.json."""
    return {
        "kind": kind, "regression": kind == "new failure", "board": "unix", "server": "in-process", "case": case,
        "before": "pass: x", "after": "fail: y",
    }  # fmt: skip


def test_changes_since_the_baseline() -> None:
    """The answer comes first, then regressions, then unexpected results, then other changes."""
    record = run(result("a/a", "fail"))
    record["changes"] = [change("new failure", "a/a"), change("fixed", "a/b")]
    record["baseline"] = {
        "file": "old_1.json",
        "started": "2026-11-24T00:00:00.000+00:00",
        "unchanged": 3,
        "compared": 5,
        "left_out": 0,
        "notes": ["board unix: firmware 1 -> firmware 2"],
    }
    lines = render_markdown(record).splitlines()
    assert lines[4] == "Compared with old\\_1.json: **REGRESSION: 1 new failure, 1 fixed (5 compared, 3 unchanged)**"
    assert "* board unix: firmware 1 -&gt; firmware 2" in lines
    assert [line[3:] for line in lines if line.startswith("## ")] == [
        "Boards and servers", "New failure (1)", "Not as expected (1)", "Fixed (1)",
    ]  # fmt: skip
    assert "| unix in-process a/a | pass: x | fail: y |" in lines


def test_the_order_of_the_page() -> None:
    """What is worse than before, what changes by itself, what is wrong, what was not run; then what is better, and the keys."""
    record = run(result("key/p256", "fail"))
    record["changes"] = [change("fixed", "a/b"), change("new failure", "a/a")]
    record["missing"] = [{"board": "unix", "server": "in-process", "case": "b/b"}]
    record["boards"][0]["notes"] = ["slow"]
    often = {
        "runs": 2,
        "flaky": True,
        "connected": "sometimes",
        "passed": "sometimes",
        "case_ms": None,
        "handshake_board_ms": None,
    }
    counts = {"verdicts": {"pass": 1, "fail": 1}, "outcomes": {"connected": 1, "refused": 1}}
    flaky = {"board": "unix", "server": "in-process", "case": "c/c", **often, **counts}
    record["soak"] = {"repeat": 2, "flaky": 1, "cells": [flaky]}
    source = {
        "id": "1",
        "file": "a.json",
        "run": record["run"],
        "host": record["host"],
        "results": 1,
        "boards": {},
        "servers": {},
    }
    record["sources"] = [source]
    titles = [line[3:] for line in render_markdown(record).splitlines() if line.startswith("## ")]
    assert titles == [
        "Boards and servers", "New failure (1)", "Flaky (1)", "Not as expected (1)", "Not run (1)", "Boards", "Fixed (1)", "Server keys",
        "Runs (1)",
    ]  # fmt: skip


def test_the_board_with_the_worst_result_comes_first() -> None:
    """One insecure result outweighs any number of failures; without an insecure one the failures decide, then the errors."""
    verdicts = {"a": ["error"] * 3, "b": ["fail"] * 2 + ["error"], "c": ["fail"] * 2, "d": ["insecure"], "e": ["pass"]}
    record = run(*(result("x/x", word, board=board) for board, words in verdicts.items() for word in words))
    assert [line[2] for line in table(record, "Boards and servers")[2:]] == ["d", "b", "c", "a", "e"]


def test_which_cases_are_folded() -> None:
    """Four errors of one cause are one row, three are not; failures are TLS results, so each has its row."""
    words = [f"{verdict} {n}" for verdict, count in (("fail", 4), ("error", 4)) for n in range(count)]
    record = run(*(result(f"a/{word[-1]}", word[:-2], outcome="not-run", reason="no answer") for word in words))
    rows = [line.split(" | ") for line in table(record, "Not as expected (8)")[2:]]
    assert [(row[0], row[3]) for row in rows] == [
        *[("| fail", f"a/{n}") for n in range(4)], ("| error", "4 cases: a/0, a/1, a/2, a/3"),
    ]  # fmt: skip
    few = run(*(result(f"a/{n}", "error", outcome="not-run", reason="no answer") for n in range(3)))
    assert len(table(few, "Not as expected (3)")) == 5


def test_missing_cells_and_notes() -> None:
    """An interrupted run lists the cells that it did not run; notes of boards are listed."""
    record = run(result("a/a", "pass"))
    record["missing"] = [{"board": "unix", "server": "in-process", "case": f"b/{n}"} for n in range(6)]
    record["boards"][0] |= {"error": "lost", "notes": ["slow"]}
    assert table(record, "Not run (6)")[2:] == ["| unix | in-process | 6 cases: b/0, b/1, b/2, b/3, and 2 more |"]
    text = render_markdown(record)
    assert "**1 result: 1 pass, 6 not run**" in text
    assert "\n## Boards\n\n* unix: lost\n* unix: slow\n" in text


def test_it_fits_a_comment() -> None:
    """Ten thousand failures with endless reasons, a hundred boards, everything changed: under the limit, and omitted rows are counted."""
    record = run(
        *(result(f"key/{n % 100}", "fail", board=f"board-{n // 100}", reason="x" * 2000) for n in range(10_000))
    )
    record["boards"] = [
        {
            **record["boards"][0],
            "board": f"board-{n}",
            "firmware": f"1.{n}",
            "error": "e" * 2000,
            "notes": ["n" * 2000] * 20,
        }
        for n in range(100)
    ]
    record["changes"] = [change("new failure", f"a/{n}") | {"after": "y" * 2000} for n in range(10_000)]
    record["missing"] = [{"board": f"board-{n}", "server": "s", "case": "c" * 500} for n in range(1000)]
    text = render_markdown(record)
    assert len(text.encode()) <= PAGE_BYTES
    assert "Omitted to stay within the size limit: " in text
    assert " rows of Not as expected (10000); " in text


def test_texts_of_boards_cannot_write_markup() -> None:
    """A text of a board or server has no markup in its cell."""
    record = run(result("a/a", "fail", reason="<script>|`x`\n\x1b[31m"))
    (line,) = [line for line in render_markdown(record).splitlines() if line.startswith("| fail |")]
    assert line.endswith("| &lt;script&gt;\\|\\`x\\`  \\[31m |")
