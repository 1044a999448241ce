"""The full set with each generation of OpenSSL on the server, and three MicroPython interpreters as boards, twice.

By hand, because it takes 15 minutes:

    TLS_HARNESS_GENERATIONS=1 pytest tests/generations/test_every_generation.py -m slow -rPs

prints the number of each verdict. A program that its Debian suite no longer has is skipped with the reason.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import missing

GATE = "TLS_HARNESS_GENERATIONS"
# Debian's Python of each OpenSSL: 1.1.1, 3.5, and 3.6 or newer. 3.0 is Debian 12's own and this Python's.
SERVERS = {"1.1.1": ("python3.9", "bullseye"), "3.5": ("python3.13", "trixie"), "3.6": ("python3.14", "sid")}
NEWEST = "3.6"
OWN = {"3.0 of Debian": Path("/usr/bin/python3.11"), "3.0 of this Python": Path(sys.executable)}
INTERPRETERS = ("trixie", "sid")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not os.environ.get(GATE), reason=f"takes 15 minutes: set {GATE}=1"),
]


@pytest.fixture(scope="module")
def boards(debian_program: Callable[..., str]) -> list[str]:
    """Options for the packaged interpreter and Debian's."""
    specs = ["unix", *(f"unix:{debian_program('micropython', suite=suite)}" for suite in INTERPRETERS)]
    return [word for spec in specs for word in ("--board", spec)]


@pytest.mark.parametrize("openssl", [*SERVERS, *OWN])
def test_nothing_is_wrong_twice(
    openssl: str, boards: list[str], run_matrix: Any, debian_program: Callable[..., str]
) -> None:
    """Each case passes, is unsupported, or is a known deviation with a public link; a second run has the same verdicts."""
    if openssl in OWN:
        server = str(OWN[openssl])
        if not OWN[openssl].exists():
            missing(f"there is no {server}")
    else:
        program, suite = SERVERS[openssl]
        server = debian_program(program, suite=suite)
    first, again = (run_matrix("--cases", "full", "--server", server, *boards) for _ in range(2))
    assert first.unclean == []
    assert first.status == 0, first.output[-4000:]
    (found,) = first.record["servers"]
    wanted, has = openssl.split()[0], found["openssl"].split()[1]
    assert has.startswith(wanted) or (openssl == NEWEST and tuple(map(int, has.split(".")[:2])) > (3, 6))
    assert [
        item["case"] for item in first.record["results"] if item["verdict"] == "known" and "http" not in item["reason"]
    ] == []
    assert first.verdicts == again.verdicts
    for (board, verdict), count in sorted(
        Counter((item["board"], item["verdict"]) for item in first.record["results"]).items()
    ):
        print(f"{found['openssl'][:14]} | Python {found['python']} | {board} | {verdict} {count}")
