"""A run as Markdown: counts, the matrix of firmware, server key and Python, and what is not as it should be. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

KEY_TOPIC = "key"
GOOD = ("pass", "known")
# A pull-request comment holds 65536 characters; the worst comes first, the rest is counted.
LISTED = 60
_OPENSSL_DEFAULTS = "openssl"


def render_markdown(run: dict[str, Any]) -> str:
    """Render a run record.

    Args:
        run: as in run.json. Texts that boards or servers sent are escaped here.
    """
    parts = ["# TLS compatibility", "", *_counts(run), ""]
    wrong = [result for result in run["results"] if result["verdict"] not in (*GOOD, "unsupported")]
    if wrong:
        parts += ["## Not as expected", "", *_listed(wrong), ""]
    matrix = key_matrix(run)
    if matrix:
        parts += ["## Server keys", "", *matrix, ""]
    return "\n".join(parts)


def _counts(run: dict[str, Any]) -> list[str]:
    rows = [
        "| board | firmware | server | " + " | ".join(words := _words(run)) + " |",
        "|---|---|---|" + "--:|" * len(words),
    ]
    firmware = {board["board"]: board["firmware"] or "?" for board in run["boards"]}
    counts: dict[tuple[str, str], Counter[str]] = {}
    for result in run["results"]:
        counts.setdefault((result["board"], result["server"]), Counter())[result["verdict"]] += 1
    for (board, server), counter in counts.items():
        cells = [
            board,
            firmware.get(board, "?"),
            _server_name(run, server),
            *(str(counter[word] or "") for word in words),
        ]
        rows.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    return rows


def _words(run: dict[str, Any]) -> list[str]:
    order = ("pass", "fail", "insecure", "known", "unsupported", "error")
    seen = {result["verdict"] for result in run["results"]}
    return [word for word in order if word in seen]


def _listed(wrong: list[dict[str, Any]]) -> list[str]:
    rank = {"insecure": 0, "fail": 1, "error": 2}
    rows = ["| verdict | board | server | case | reason |", "|---|---|---|---|---|"]
    for result in sorted(wrong, key=lambda item: rank.get(item["verdict"], 3))[:LISTED]:
        cells = [result["verdict"], result["board"], result["server"], result["case"], (result["reason"] or "")[:200]]
        rows.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    if len(wrong) > LISTED:
        rows.append(f"\n... and {len(wrong) - LISTED} more.")
    return rows


def key_matrix(run: dict[str, Any]) -> list[str]:
    """The matrix: one row per server key, one column per firmware and Python; empty without such cases."""
    titles = {case["case"]: case["title"] for case in run["cases"] if case["topic"] == KEY_TOPIC}
    if not titles:
        return []
    cells = {(item["case"], item["board"], item["server"]): item for item in run["results"] if item["case"] in titles}
    columns = list(dict.fromkeys((item["board"], item["server"]) for item in cells.values()))
    firmware = {board["board"]: board["firmware"] or board["board"] for board in run["boards"]}
    head = [f"{firmware.get(board, board)} / {_server_name(run, server)}" for board, server in columns]
    rows = ["| server key | " + " | ".join(_cell(text) for text in head) + " |", "|---|" + "---|" * len(columns)]
    for case, title in titles.items():
        row = [_key_cell(cells.get((case, board, server))) for board, server in columns]
        rows.append("| " + " | ".join([_cell(title), *row]) + " |")
    return rows


def _server_name(run: dict[str, Any], name: str) -> str:
    """Python, OpenSSL, and whose default suites it has: they decide more than the version."""
    server = next((item for item in run["servers"] if item["server"] == name), None)
    if server is None:
        return name
    openssl = " ".join(str(server["openssl"]).split()[:2])
    whose = " (OpenSSL's default suites)" if server.get("default_suites_flag") == _OPENSSL_DEFAULTS else ""
    return f"Python {server['python']}, {openssl}{whose}"


def _key_cell(result: dict[str, Any] | None) -> str:
    if result is None:
        return "·"
    if result["outcome"] == "connected":
        version = (result["observed"]["negotiated"]["version"] or "").replace("TLSv", "")
        cost = result["timing_ms"]["handshake_board"]
        took = f", {cost:.0f} ms" if cost is not None else ""
        text = f"✓ {version}{took}"
    elif result["outcome"] == "not-run":
        text = "– unsupported" if result["verdict"] == "unsupported" else "! error"
    else:
        server = (result["observed"] or {}).get("server") or {}
        client = (result["observed"] or {}).get("client") or {}
        text = (
            f"✕ {server.get('reason') or server.get('type') or client.get('name') or client.get('type') or 'refused'}"
        )
    mark = "" if result["verdict"] in (*GOOD, "unsupported") else f" **{result['verdict']}**"
    return _cell(text) + mark


def _cell(text: str) -> str:
    """Untrusted text in a table cell: no markup, no line breaks, no table of its own."""
    plain = "".join(char if char.isprintable() else " " for char in str(text))
    for char in "\\`*_[]<>|":
        plain = plain.replace(char, "\\" + char if char not in "<>" else {"<": "&lt;", ">": "&gt;"}[char])
    return plain
