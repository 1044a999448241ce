"""Measure runs over bad serial lines against a run on the virtual board: wrong verdicts, results that differ, and time.

    python benchmarks/bad_lines.py [--rounds N] [--boards NAME,...] [--cases SET] [--first-seed N] [--keep DIR] [--markdown]

Each round runs the set on each faulty board, whose line damages different bytes each round (the round's seed), and at the same time again
and again on `--board unix`, so that load on the machine affects both. Results are compared with the first of these; the ratio is that of
the time to their median. No damage may make a `fail` or `insecure`, at least nine in ten results must be the same, and a run must take
less than three times as long.
Exits with 1 if a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

try:
    import harness
except ImportError:
    sys.exit("bad_lines: the package is not installed; run `pip install -e .` in the repository's root")

from cases_per_second import table

from harness.boards.virtual.faulty import SEED_VARIABLE

ROOT = Path(__file__).resolve().parent.parent
BOARDS = ("noisy", "lossy", "chatty", "jitter")
EQUAL_GOAL = 0.9
RATIO_GOAL = 3.0
RUN_TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True)
class Run:
    """One run of pytest: its time, and verdict and first reason of each case."""

    wall_s: float
    results: dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Compared:
    """A run on a bad line against the same round's run on the virtual board."""

    seed: int
    ratio: float
    equal: float
    wrong: tuple[str, ...]
    words: Counter[str]


def run(board: str, *, cases: str, seed: int, keep: Path | None) -> Run:
    """Run the set on one board.

    Raises:
        RuntimeError: there is no record of the run; with pytest's output.
    """
    with tempfile.TemporaryDirectory(prefix="tls-harness-benchmark-") as folder:
        found = Path(folder, "found") if keep is None else keep / f"{board.replace(':', '-')}-{seed}"
        command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pytest.ini"), "-p", "no:cacheprovider"]
        command += [f"--cases={cases}", f"--board={board}", f"--artifacts={found}"]
        started = time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, SEED_VARIABLE: str(seed)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        wall_s = time.monotonic() - started
        if not (found / "run.json").exists():
            raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        record: dict[str, Any] = json.loads((found / "run.json").read_text(encoding="utf-8"))
    return Run(
        wall_s=wall_s,
        results={result["case"]: (result["verdict"], result["reason"] or "") for result in record["results"]},
    )


def side_by_side(board: str, *, cases: str, seed: int, keep: Path | None) -> tuple[Run, list[Run]]:
    """Run the set on one board, and on the virtual board as often as that takes.

    Raises:
        RuntimeError: as `run`.
    """
    ended = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as pool:

        def again_and_again() -> list[Run]:
            runs = []
            while not (ended.is_set() and runs):
                runs.append(run("unix", cases=cases, seed=seed, keep=None))
            return runs

        usual = pool.submit(again_and_again)
        try:
            done = run(board, cases=cases, seed=seed, keep=keep)
        finally:
            ended.set()
        return done, usual.result()


def compared(run_on_line: Run, usual_runs: list[Run], *, seed: int) -> Compared:
    """Compare a run with the usual ones; a case without a result counts as different."""
    usual = usual_runs[0]
    same = sum(run_on_line.results.get(case, ("",))[0] == word for case, (word, _reason) in usual.results.items())
    wrong = tuple(
        f"{case}: {word}: {reason}"
        for case, (word, reason) in run_on_line.results.items()
        if word in ("fail", "insecure") and usual.results.get(case, ("",))[0] != word
    )
    return Compared(
        seed=seed,
        ratio=run_on_line.wall_s / median(one.wall_s for one in usual_runs),
        equal=same / len(usual.results),
        wrong=wrong,
        words=Counter(word for word, _reason in run_on_line.results.values()),
    )


def rows(found: dict[str, list[Compared]]) -> list[list[str]]:
    """Return the table: a header and one row per board."""
    lines = [["board", "runs", "fail", "equal, min", "equal, median", "time ratio, median", "time ratio, max", "met"]]
    for board, runs in found.items():
        equal, ratio = [one.equal for one in runs], [one.ratio for one in runs]
        wrong = sum(len(one.wrong) for one in runs)
        met = not wrong and min(equal) >= EQUAL_GOAL and max(ratio) < RATIO_GOAL
        line = [board, str(len(runs)), str(wrong), f"{min(equal):.1%}", f"{median(equal):.1%}"]
        lines.append([*line, f"{median(ratio):.2f}", f"{max(ratio):.2f}", "yes" if met else "NO"])
    return lines


def main(arguments: list[str]) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="Rounds. Default: 20")
    parser.add_argument("--boards", default=",".join(BOARDS), help=f"Names of faults. Default: {','.join(BOARDS)}")
    parser.add_argument("--cases", default="core", help="The set: smoke, core or full. Default: core")
    parser.add_argument("--first-seed", type=int, default=1, help="The seed of the first round. Default: 1")
    parser.add_argument("--keep", type=Path, help="Keep the artifacts of each run in this folder")
    parser.add_argument("--markdown", action="store_true", help="Print a Markdown table")
    options = parser.parse_args(arguments)
    boards = [f"faulty:{name}" for name in options.boards.split(",")]
    found: dict[str, list[Compared]] = {board: [] for board in boards}
    for seed in range(options.first_seed, options.first_seed + options.rounds):
        for board in boards:
            one = compared(*side_by_side(board, cases=options.cases, seed=seed, keep=options.keep), seed=seed)
            found[board].append(one)
            counts = ", ".join(f"{number} {word}" for word, number in sorted(one.words.items()))
            print(f"seed {seed} {board}: {one.equal:.1%} equal, {one.ratio:.2f} x the time ({counts})", file=sys.stderr)
            for line in one.wrong:
                print(f"    {line}", file=sys.stderr)
    lines = rows(found)
    print(table(lines, markdown=options.markdown), end="\n\n")
    print(
        f"tls-harness {harness.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} processors; set {options.cases}, seeds {options.first_seed} to {seed}"
    )
    return 0 if all(line[-1] == "yes" for line in lines[1:]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
