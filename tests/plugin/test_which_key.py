"""Test the HTML report's purpose: which key should my server use so that all my boards connect, and what does it cost them?

A small version of the run that docs/reports.md shows, from the command line to the text on the page.
"""

import re
import shutil
import sys
from pathlib import Path

import justhtml
import pytest

KEYS = ("rsa2048", "p256", "ed25519")
MS = r"[0-9.]+"


@pytest.fixture
def other_interpreter(tmp_path):
    """Return the same MicroPython as another board."""
    place = shutil.which("micropython", path=str(Path(sys.executable).parent))
    if place is None:
        pytest.skip("the packaged interpreter has no wheel for this machine")
    (tmp_path / "other").symlink_to(place)
    return f"unix:{tmp_path / 'other'}"


@pytest.fixture
def other_python(tmp_path):
    """Return the same Python as another server."""
    program = tmp_path / "python-too"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def texts(page, selector):
    """Return the texts of the matching elements, each on one line."""
    return [" ".join(node.to_text().split()) for node in page.query(selector)]


@pytest.mark.slow
def test_two_boards_two_servers(suite, other_interpreter, other_python):
    """The first sentence names a key that connects all four pairs; a table shows its cost per board; useless keys are named."""
    ran = suite.run(
        *("-k", " or ".join(f"key/{name}]" for name in KEYS), "--compat-report", "keys.html", "--compat-report", "keys.md"),
        *("--board", "unix", "--board", other_interpreter, "--server", sys.executable, "--server", other_python),
    )  # fmt: skip
    assert (ran.status, ran.summary()) == (0, "12 passed")
    # <wbr> is where a long name may break, which the text must not show as a blank.
    page = justhtml.JustHTML(
        (suite.folder / "keys.html").read_text(encoding="utf-8").replace("<wbr>", ""), sanitize=False
    )
    (lead,) = texts(page, ".lead")
    # Virtual boards' times are this computer's: they decide nothing, so the first of the list is recommended.
    assert lead == "RSA-2048 key: works with every board and every server (4 of 4)."
    firmware = r"\(\S+ on \w+\)"
    for line, board in zip(texts(page, "#per-board li"), ("unix", "unix:other"), strict=True):
        assert re.fullmatch(rf"{board} {firmware}: EC or RSA key\.", line), line
    (python, *_others) = page.query("#config pre")
    assert python.to_text().split("\n")[-1] == 'context.load_cert_chain("rsa-cert.pem", "rsa-key.pem")'
    assert texts(page, ".more li") == ["Works with no board: Ed25519 key."]
    heads = texts(page, "table.costs thead th")
    assert [head.split()[0] for head in heads] == ["Server", "unix", "unix:other", "Heap"]
    (best,) = texts(page, "table.costs tr.best")
    time = rf"✓ connects ({MS} to {MS} ms on this computer )?"
    assert re.match(rf"RSA-2048 key ★ recommended .*{time}{time}.*kB$", best), best
    assert sorted(row.partition(" key")[0] for row in texts(page, "table.costs tbody tr")) == ["P-256", "RSA-2048"]
    assert [" ".join(chip.split()) for chip in texts(page, ".strip .chip")] == [
        "✓ 12 pass", "✓ no board with problems", "no baseline",
    ]  # fmt: skip
    assert lead.partition(",")[0].split(" (")[0] in (suite.folder / "keys.md").read_text(encoding="utf-8")
