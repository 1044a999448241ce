"""Measure how long it takes to read and check a run record of 10,000 results: `python benchmarks/record_reading.py`.

It measures CPU time, so that other programs on the machine do not count. `json.loads`, which checks nothing, is the reference.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.reports.record.reading import parse_run

RESULTS = 10_000
ROUNDS = 3
LIMIT_S = 2.0
ROOT = Path(__file__).resolve().parent.parent


def big_record() -> bytes:
    """Return the record of a real run of the smoke cases, with its results repeated up to `RESULTS`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "-q", "--cases", "smoke", "--keep-wire", "--artifacts", folder]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        run = json.loads((Path(folder) / "run.json").read_text(encoding="utf-8"))
    results = run["results"]
    run["results"] = [results[number % len(results)] for number in range(RESULTS)]
    return json.dumps(run).encode()


def cpu_s(action: Callable[[], object]) -> float:
    """Return the shortest CPU time of several rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        action()
        times.append(time.process_time() - started)
    return min(times)


def main() -> int:
    """Print both times and their ratio; exit with 1 if reading takes too long."""
    data = big_record()
    plain_s = cpu_s(lambda: json.loads(data))
    read_s = cpu_s(lambda: parse_run(data, where="benchmark"))
    print(f"{RESULTS} results, {len(data) / 1e6:.0f} MB, CPU time, best of {ROUNDS}")
    print(f"read and checked: {read_s:.2f} s (limit {LIMIT_S:.0f} s)")
    print(f"json.loads alone: {plain_s:.2f} s; ratio {read_s / plain_s:.2f}")
    return int(read_s >= LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
