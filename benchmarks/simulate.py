"""Measure how long all firmwares of the table take against one local server: `python benchmarks/simulate.py`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from harness.certificates import Certificates
from harness.diagnose.request import Files, Request
from harness.diagnose.simulation.servers import Simulating, simulate_files
from harness.firmware.table import firmwares
from harness.model import BoardSpec, Simulation
from harness.run.options import RunOptions

ROUNDS = 5
LIMIT_S = 2.0


def measure() -> tuple[list[float], int]:
    """Return the time of each round in seconds, and the number of firmwares."""
    times, found = measured_rounds()
    return times, found.count


def measured_rounds() -> tuple[list[float], Simulation]:
    """Return the time of each round in seconds, and the last result."""
    spec = BoardSpec(text="simulated", kind="simulated", target="", label="simulated")
    times = []
    with tempfile.TemporaryDirectory() as folder, Certificates() as certificates:
        made = certificates.make("server-rsa2048")
        chain, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
        chain.write_bytes(made.chain_pem)
        key.write_bytes(made.key_pem)
        request = Request(board=spec, options=RunOptions(boards=(spec,)), files=Files(certificate=chain, key=key))
        for _ in range(ROUNDS):
            started = time.monotonic()
            asked = Simulating(firmwares=firmwares(), request=request, changes=False)
            found = simulate_files(asked, progress=lambda _line: None)
            times.append(time.monotonic() - started)
    return times, found


def main() -> int:
    """Print the shortest and the longest time; exit with 1 if the shortest is over the limit."""
    times, found = measured_rounds()
    print(
        f"{found.count} firmwares, {found.connections} connections to a local server: "
        f"{min(times):.2f} to {max(times):.2f} s in {ROUNDS} rounds (limit {LIMIT_S:.0f} s)"
    )
    return int(min(times) >= LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
