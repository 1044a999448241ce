"""Keys of boards that cannot verify: they count as connecting, and every report says that nothing was verified."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from harness.model import VerdictWord
from harness.reports.html.overview import overview
from harness.reports.record.cells import evidence
from harness.reports.record.run_types import RunRecord
from harness.reports.text.key_costs import board_cost
from harness.reports.text.markdown import render_markdown
from harness.reports.text.server_keys import Connects, KeyCell, answer, key_matrix
from harness.reports.text.spreadsheet import render_csv

RECORD = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))


def result(board: str, **more: Any) -> dict[str, Any]:
    """A session with a P-256 key."""
    base = next(item for item in RECORD["results"] if item["outcome"] == "connected")
    return {**base, "board": board, "case": "key/p256", "weak": None, "reason": None, **more}


def run(*results: dict[str, Any]) -> RunRecord:
    """A record of these results."""
    boards = [{**RECORD["boards"][0], "board": item["board"]} for item in results]
    cases = [{**RECORD["cases"][0], "case": "key/p256", "topic": "key", "title": "P-256 key"}]
    return RunRecord.of_json({**RECORD, "boards": boards, "cases": cases, "results": list(results), "missing": []})


TWO = run(result("desk"), result("esp8266", unverified=True))


def test_it_counts_and_is_named() -> None:
    """The key works with every board; the answer names the one that verifies nothing, and only that one."""
    matrix = key_matrix(TWO)
    assert matrix is not None
    assert [cell.unverified for cell in matrix.rows[0].cells] == [False, True]
    said = answer(matrix)
    assert said[0].startswith("P-256 key: works with every board and every server (2 of 2)")
    assert said[1:] == ["Without verifying the certificate, which the firmware cannot: esp8266."]
    plain = key_matrix(run(result("desk")))
    assert plain is not None
    assert len(answer(plain)) == 1


def test_a_refusal_has_no_mark() -> None:
    """Only a session can be one in which nothing was verified."""
    matrix = key_matrix(run(result("esp8266", unverified=True, outcome="refused")))
    assert matrix is not None
    assert matrix.rows[0].cells[0].unverified is False


def test_it_is_marked_in_every_report() -> None:
    """Terminal, Markdown, both tables of the page, CSV."""
    verified, marked = TWO.results
    assert (evidence(verified)[-26:], evidence(marked)[-26:]) == (
        evidence(verified)[-26:],
        "[certificate not verified]",
    )
    assert "certificate not verified" not in evidence(verified)
    assert render_markdown(TWO).count("ms, certificate not verified |") == 1
    page: Any = overview(TWO)
    (row,) = page["key_table"]["groups"][0]["rows"]
    assert ["certificate not verified" in board["cells"][0]["detail"] for board in row["boards"]] == [False, True]
    costs = [board["cells"][0] for board in page["costs"]["rows"][0]["boards"]]
    assert ["certificate not verified" in cell["details"] for cell in costs] == [False, True]
    assert [row["unverified"] for row in csv.DictReader(io.StringIO(render_csv(TWO), newline=""))] == ["", "True"]


def test_cost_of_a_board() -> None:
    """It is said of the board if a session that counts was unverified."""

    def cell(**more: Any) -> KeyCell:
        words = {"board": "desk", "server": "a", "connects": Connects.YES, "verdict": VerdictWord.PASS, **more}
        return KeyCell(**words)

    assert board_cost("desk", [cell(), cell(unverified=True)]).unverified is True
    assert board_cost("desk", [cell(), cell(unverified=True, verdict=VerdictWord.FAIL)]).unverified is False
