"""Keys whose sessions are weak: ranked last, and recommended only where nothing is better."""

from __future__ import annotations

import json
from pathlib import Path

from harness.model import VerdictWord
from harness.reports.record.run_types import RunRecord
from harness.reports.text.server_keys import Connects, KeyCell, KeyMatrix, KeyRow, answer, key_matrix, recommended

RECORD = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))
NO_SECRECY = "no forward secrecy"


def row(name: str, *cells: tuple[str, str], ms: float = 9) -> KeyRow:
    """A key with a cell per board: ("desk", "") is a session, ("desk", "TLS 1.1") a weak one, ("desk", "!X") a refusal for X."""
    made = [
        KeyCell(board=board, server="py311", connects=Connects.NO, verdict=VerdictWord.PASS, reason=text[1:])
        if text.startswith("!")
        else KeyCell(
            board=board, server="py311", connects=Connects.YES, verdict=VerdictWord.PASS, time_ms=ms, weak=text
        )
        for board, text in cells
    ]
    return KeyRow(case=f"key/{name}", title=name, cells=tuple(made))


def matrix(*rows: KeyRow) -> KeyMatrix:
    """The matrix of these keys."""
    return KeyMatrix(columns=tuple((cell.board, cell.server) for cell in rows[0].cells), rows=rows)


def test_a_weak_session_is_ranked_last() -> None:
    """However fast it is: a key that is not weak comes first."""
    keys = matrix(row("rsa2048", ("desk", NO_SECRECY), ms=1), row("p256", ("desk", "")))
    assert answer(keys) == [
        "p256: works with every board and every server (1 of 1), 9.0 ms per handshake.",
        "Also everywhere: rsa2048, 1.0 ms per handshake (weak: no forward secrecy).",
    ]


def test_a_key_that_is_weak_everywhere_is_no_better_than_one_that_fails_somewhere() -> None:
    """It connects every board, and is named as what does; it is not the best key."""
    keys = matrix(
        row("rsa2048", ("desk", NO_SECRECY), ("lab", NO_SECRECY), ms=1),
        row("p256", ("desk", ""), ("lab", "!NO_SHARED_CIPHER")),
    )
    assert recommended(keys) is None
    assert answer(keys) == [
        "rsa2048: works with every board and every server (2 of 2), 1.0 ms per handshake (weak: no forward secrecy); "
        "no single key does without weak sessions.",
        "p256 alone: 1 of 2; refused on lab with py311 (NO_SHARED_CIPHER).",
    ]


def test_a_key_is_not_recommended_where_another_is_better() -> None:
    """One that is weak on a board where another is not is no recommendation, and the answer names the other."""
    best = row("rsa2048", ("desk", ""), ("third", ""), ("lab", NO_SECRECY), ms=1)
    keys = matrix(best, row("p256", ("desk", "!X"), ("third", "!X"), ("lab", "")))
    assert recommended(keys) is None
    assert answer(keys)[:2] == [
        "rsa2048: works with every board and every server (3 of 3), 1.0 ms per handshake.",
        "rsa2048 is weak in 1 of them: no forward secrecy. p256 is not weak there.",
    ]


def test_a_weak_key_is_recommended_where_nothing_is_better() -> None:
    """Firmware that has nothing else gets what it has, with what is weak."""
    best = row("rsa2048", ("desk", NO_SECRECY), ms=1)
    keys = matrix(row("p256", ("desk", "!NO_SHARED_CIPHER")), best)
    assert recommended(keys) == best
    assert answer(keys)[1] == "rsa2048 is weak in 1 of them: no forward secrecy."


def test_each_weakness_of_several_attempts_once() -> None:
    """Sessions of one cell may differ; a refusal has none."""
    plain = {**RECORD["results"][0], "case": "key/p256", "outcome": "connected", "verdict": "pass"}
    results = [{**plain, "weak": text} for text in ("TLS 1.1", "TLS 1.1; no forward secrecy", None)]
    results.append({**plain, "weak": "never seen", "outcome": "refused"})
    case = {**RECORD["cases"][0], "topic": "key", "case": "key/p256"}
    keys = key_matrix(RunRecord.of_json({**RECORD, "cases": [case], "results": results, "missing": []}))
    assert keys is not None
    assert [cell.weak for cell in keys.rows[0].cells] == ["TLS 1.1; no forward secrecy"]
