"""Measure runs on many boards at once: virtual boards with a worker each, against CPU time and against one board alone.

    python benchmarks/many_boards.py [--boards N] [--cases SET] [--rounds N] [--markdown]

Each round runs the set on one board without pytest-xdist, then on all boards with `-n auto`. A run takes at least its CPU time
divided by the number of CPUs, and at least as long as one board alone: the ratio is to the larger of the two. Other processes on
the machine use CPU time too, so on Linux the ratio is also given counting only the time that they left. Figures are medians over the
rounds. Exits with 1 if the goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

try:
    import harness
except ImportError:
    sys.exit("many_boards: the package is not installed; run `pip install -e .` in the repository's root")

from cases_per_second import table

ROOT = Path(__file__).resolve().parent.parent
RATIO_GOAL = 1.3
RUN_TIMEOUT_S = 3600
PROC_STAT = Path("/proc/stat")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Timed:
    """One run of pytest: its time, the CPU time of its processes and of all others meanwhile, and its results."""

    wall_s: float
    cpu_s: float
    others_s: float | None
    results: int

    def least_s(self, *, longest_s: float, processors: float) -> float:
        """Return the shortest possible time of this run with this number of processors."""
        return max(self.cpu_s / processors, longest_s)

    @property
    def processors_left(self) -> float:
        """Return how many processors other processes left to this run, on average."""
        processors = os.cpu_count() or 1
        return max(processors - (self.others_s or 0.0) / self.wall_s, self.cpu_s / self.wall_s)


def children_cpu_s() -> float:
    """Return the CPU time of ended child processes and their descendants."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def machine_cpu_s() -> float | None:
    """Return the CPU time of all processes of this machine, including stolen time; None if this is not Linux."""
    if not PROC_STAT.exists():
        return None
    user, nice, system, _idle, _waiting, *rest = map(int, PROC_STAT.read_text("ascii").splitlines()[0].split()[1:9])
    return (user + nice + system + sum(rest)) / TICKS_PER_S


def timed_run(boards: int, *, cases: str) -> Timed:
    """Run the set on this number of virtual boards and check that each board has a result for every case.

    Raises:
        RuntimeError: if a result is bad or missing; with pytest's output.
    """
    names = [f"v{number}" for number in range(1, boards + 1)]
    with tempfile.TemporaryDirectory(prefix="tls-harness-benchmark-") as folder:
        lab = Path(folder, "boards.toml")
        lab.write_text("".join(f'[board.{name}]\nspec = "unix"\n\n' for name in names), encoding="ascii")
        command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pytest.ini"), "-p", "no:cacheprovider"]
        command += [f"--cases={cases}", f"--boards={lab}", f"--artifacts={folder}/found"]
        command += [f"--board={name}" for name in names] + (["-n", "auto"] if boards > 1 else [])
        machine, own, started = machine_cpu_s(), children_cpu_s(), time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        wall_s, cpu_s, after = time.monotonic() - started, children_cpu_s() - own, machine_cpu_s()
        if done.returncode:
            raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
        record = json.loads(Path(folder, "found", "run.json").read_text(encoding="utf-8"))
    counts = Counter(result["board"] for result in record["results"])
    if set(counts) != set(names) or set(counts.values()) != {len(record["cases"])}:
        raise RuntimeError(f"results per board: {counts}, cases: {len(record['cases'])}")
    others_s = None if machine is None or after is None else max(after - machine - cpu_s, 0.0)
    return Timed(wall_s=wall_s, cpu_s=cpu_s, others_s=others_s, results=len(record["results"]))


def run_row(title: str, runs: list[Timed]) -> list[str]:
    """Return a row of the table of runs."""
    others = [run.others_s for run in runs if run.others_s is not None]
    values = [median(run.wall_s for run in runs), median(run.cpu_s for run in runs)]
    return [
        title,
        str(runs[0].results),
        *(f"{value:.1f}" for value in values),
        f"{median(others):.1f}" if others else "-",
    ]


def ratios(alone: list[Timed], together: list[Timed]) -> tuple[float, float]:
    """Return the median ratio for all processors of the machine, and for those that other processes left."""
    longest_s = min(run.wall_s for run in alone)
    processors = os.cpu_count() or 1
    return (
        median(run.wall_s / run.least_s(longest_s=longest_s, processors=processors) for run in together),
        median(run.wall_s / run.least_s(longest_s=longest_s, processors=run.processors_left) for run in together),
    )


def main(arguments: list[str]) -> int:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--boards", type=int, default=8, help="Virtual boards at once. Default: 8")
    parser.add_argument("--cases", default="full", help="The set: smoke, core or full. Default: full")
    parser.add_argument("--rounds", type=int, default=1, help="Rounds. Default: 1")
    parser.add_argument("--markdown", action="store_true", help="Print Markdown tables, as in README")
    options = parser.parse_args(arguments)
    load = f"load {os.getloadavg()[0]:.1f} before the start"
    alone, together = [], []
    for _round in range(options.rounds):
        alone.append(timed_run(1, cases=options.cases))
        together.append(timed_run(options.boards, cases=options.cases))
    head = ["run", "results", "time, s", "CPU time, s", "other programs' CPU time, s"]
    rows = [head, run_row("one board", alone), run_row(f"{options.boards} boards, -n auto", together)]
    print(table(rows, markdown=options.markdown), end="\n\n")
    whole, left = ratios(alone, together)
    best = min(whole, left)
    cost = median(run.cpu_s for run in together) / (options.boards * median(run.cpu_s for run in alone))
    goals = [
        ["goal", "measured", "required", "met"],
        [
            f"time / max(CPU time / CPUs, slowest board), {options.boards} boards, {options.cases} set",
            f"{whole:.2f}; counting only CPU time not used by other programs: {left:.2f}",
            f"<= {RATIO_GOAL}",
            "yes" if best <= RATIO_GOAL else "NO",
        ],
        [f"CPU time / {options.boards} x that of one board alone", f"{cost:.2f}", "", ""],
    ]
    print(table(goals, markdown=options.markdown), end="\n\n")
    print(
        f"tls-harness {harness.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} processors, {load}; {options.rounds} round{'s' * (options.rounds != 1)}"
    )
    return 0 if best <= RATIO_GOAL else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
