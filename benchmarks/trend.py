"""Measure `report trend` over 200 runs of 700 results: `python benchmarks/trend.py`.

The records are those of a real run of the smoke cases, with its results repeated under other case ids, other times and, now and then,
other verdicts. Each is made when it is needed, so the time is that of reading, adding and rendering. It prints CPU time and the memory
that the trend added to that of one record.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harness.reports.html.trend import render_trend_html
from harness.reports.record.reading import parse_run
from harness.reports.record.trend import TrendBuilder
from harness.reports.text.trend_json import render_trend_json

RUNS, RESULTS = 200, 700
LIMIT_S, LIMIT_MB = 30.0, 100.0
ROOT = Path(__file__).resolve().parent.parent
START = datetime(2026, 1, 1, tzinfo=UTC)


def smoke_record() -> dict[str, Any]:
    """Return the record of a real run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-q", "--cases", "smoke", "--keep-wire", "--artifacts", folder]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        run: dict[str, Any] = json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))
        return run


def record(run: dict[str, Any], number: int, *, chance: random.Random) -> bytes:
    """Return the record of one night."""
    started = (START + timedelta(days=number)).isoformat()
    results = []
    for place in range(RESULTS):
        result = dict(run["results"][place % len(run["results"])])
        result["case"] += f"-{place}"
        if result["timing_ms"]["handshake_board"]:
            slower = 1.5 if number > 150 and place % 50 == 0 else 1.0
            result["timing_ms"] = {**result["timing_ms"], "handshake_board": chance.uniform(5, 6) * slower}
        if place % 100 == 7 and chance.random() < 0.1:
            result.update(verdict="fail", reason="wrong", mismatches=[])
        results.append(result)
    about = {**run["run"], "id": f"run-{number}", "started": started, "finished": started, "planned": RESULTS}
    boards = [{**board, "firmware": "1.29.0" if number < 100 else "1.30.0"} for board in run["boards"]]
    return json.dumps({**run, "run": about, "boards": boards, "results": results}).encode()


def peak_mb() -> float:
    """Return the most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Print time and memory; exit with 1 beyond a limit."""
    run, chance = smoke_record(), random.Random(0)
    builder, cpu_s, one_mb, size = TrendBuilder(), 0.0, 0.0, 0
    for number in range(RUNS):
        data = record(run, number, chance=chance)
        size += len(data)
        started = time.process_time()
        read, _notes = parse_run(data, where="benchmark")
        builder.add(read, file=f"run-{number}.json")
        cpu_s += time.process_time() - started
        del read, data
        if number == 1:
            one_mb = peak_mb()
    started = time.process_time()
    trend = builder.finish()
    page, text = render_trend_html(trend), render_trend_json(trend)
    rendered_s = time.process_time() - started
    more_mb = peak_mb() - one_mb
    print(
        f"{RUNS} runs of {RESULTS} results, {size / 1e6:.0f} MB; page {len(page) / 1e6:.1f} MB, JSON {len(text) / 1e6:.1f} MB"
    )
    print(f"read: {cpu_s:.1f} s, rendered: {rendered_s:.1f} s CPU time (limit of both {LIMIT_S:.0f} s)")
    print(f"memory: {more_mb:.0f} MB more than after two runs (limit {LIMIT_MB:.0f} MB)")
    return int(cpu_s + rendered_s >= LIMIT_S or more_mb >= LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
