"""A run as OpenMetrics text, for Prometheus and what reads its formats. Pure.

All families are gauges without units or timestamps, so that node_exporter's textfile collector, which reads the older text format,
accepts the file too. Labels identify a cell as in run.json.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from harness.model import VerdictWord
from harness.reports.record.cells import lowest_heap, worst_of
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import RunRecord
from harness.reports.record.soak import flaky_cells
from harness.reports.record.trend import by_cell

PREFIX = "tls_harness"
HELP = {
    "run_info": "The run: version of the harness, Python, OpenSSL and the set of cases. Always 1.",
    "run_start_seconds": "When the run began, in seconds since 1970.",
    "run_duration_seconds": "How long the run took; absent for a run that was killed.",
    "board_info": "A board: firmware and port. Always 1.",
    "board_usable": "1 for a board that could be opened and used, else 0.",
    "results": "Number of results with this verdict.",
    "missing_results": "Planned results that the run does not have.",
    "flaky_cells": "Cells whose verdict changed within the run (--repeat).",
    "cell_as_expected": "1 if the cell's verdict is pass or known, else 0; absent for unsupported.",
    "cell_handshake_seconds": "Time of the handshake by the board's clock.",
    "cell_free_heap_bytes": "Lowest free heap of the board in this case.",
}
Samples = Iterable[tuple[Mapping[str, str], float]]


def render_openmetrics(run: RunRecord) -> str:
    """Render a run record."""
    cells = [(labels_of(result), result) for result in map(worst_of, by_cell(run.results).values())]
    counts = Counter((result.board, result.server, result.verdict) for result in run.results)
    places = dict.fromkeys((result.board, result.server) for result in run.results)
    duration = _seconds(run.run.finished, since=run.run.started)
    families: dict[str, Samples] = {
        "run_info": [
            (
                {
                    "harness": run.run.harness,
                    "cases": run.run.cases,
                    "python": run.host.python,
                    "openssl": run.host.openssl,
                },
                1,
            )
        ],
        "run_start_seconds": [({}, start)] if (start := _seconds(run.run.started)) is not None else [],
        "run_duration_seconds": [({}, duration)] if duration is not None else [],
        "board_info": [
            (
                {
                    "board": board.board,
                    "firmware": board.firmware or "",
                    "port": (board.facts.platform or "") if board.facts else "",
                },
                1,
            )
            for board in run.boards
        ],
        "board_usable": [({"board": board.board}, 0 if board.error else 1) for board in run.boards],
        "results": [
            ({"board": board, "server": server, "verdict": word}, counts[board, server, word])
            for board, server in places
            for word in VerdictWord
        ],
        "missing_results": [({}, len(run.missing))],
        "flaky_cells": [({}, len(flaky_cells(run)))],
        "cell_as_expected": [
            (labels, int(result.verdict.as_expected))
            for labels, result in cells
            if result.verdict is not VerdictWord.UNSUPPORTED
        ],
        "cell_handshake_seconds": [
            (labels, round(time / 1000, 6))
            for labels, result in cells
            if (time := result.timing_ms.handshake_board) is not None
        ],
        "cell_free_heap_bytes": [
            (labels, heap) for labels, result in cells if (heap := lowest_heap(result)) is not None
        ],
    }
    lines = [line for name, samples in families.items() for line in _family(name, samples)]
    return "\n".join([*lines, "# EOF"]) + "\n"


def labels_of(result: Result) -> dict[str, str]:
    """Return the labels of a cell; the axes only where they are not the default."""
    axes = {"firmware": result.firmware, "client": result.client, "link": result.link}
    return {
        "board": result.board,
        "server": result.server,
        "case": result.case,
        **{key: value for key, value in axes.items() if value},
    }


def _family(name: str, samples: Samples) -> list[str]:
    lines = [f"{PREFIX}_{name}{_labels(labels)} {_number(value)}" for labels, value in samples]
    head = [f"# TYPE {PREFIX}_{name} gauge", f"# HELP {PREFIX}_{name} {_escaped(HELP[name])}"]
    return [*head, *lines] if lines else []


def _labels(labels: Mapping[str, str]) -> str:
    """Write labels; texts of boards may contain anything."""
    text = ",".join(f'{key}="{_escaped(one_line(value))}"' for key, value in labels.items())
    return f"{{{text}}}" if text else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _seconds(text: str | None, *, since: str | None = None) -> float | None:
    """Return a time in seconds since 1970, or since another time; None if one of them is unknown or cannot be read."""
    try:
        moment = datetime.fromisoformat(text or "").timestamp()
        return round(moment - (datetime.fromisoformat(since).timestamp() if since else 0), 3)
    except (ValueError, OverflowError):
        return None
