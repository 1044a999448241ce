"""Run Debian's Chromium, headless, through Playwright; no browser is downloaded. Skip if either is missing."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import HarnessError
from harness.reports.html import render_html
from harness.reports.record.run_types import RunRecord

ROOT = Path(__file__).resolve().parents[2]
# How long a busy machine may take for one step in the browser.
TIMEOUT_MS = 120_000
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium():
    """Return the browser, one for all tests of a process."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra: test)")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on PATH (Debian: apt-get install chromium)")
    sync_api.expect.set_options(timeout=TIMEOUT_MS)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def screenshots(request):
    """Return the folder for screenshots: $TLS_HARNESS_SCREENSHOTS, or one in the artifacts folder; never in git."""
    given = os.environ.get("TLS_HARNESS_SCREENSHOTS")
    folder = Path(given) if given else Path(request.config.getoption("artifacts") or ROOT / ".compat") / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def record(tmp_path_factory, chromium):
    """Return the record of a real run of the smoke cases on the virtual board, with evidence and its page."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("run")
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        # The refused cases, which the page can filter, must not depend on the defaults of this machine's Python.
        "-p",
        "python_org_server",
        "--rootdir",
        ROOT,
        "-c",
        ROOT / "pytest.ini",
        ROOT / "tests" / "compat",
    ]
    options = ["--cases", "smoke", "--keep-wire", "--artifacts", "art", "--compat-report", "out/report.html"]
    done = subprocess.run(
        [*map(str, words), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return folder, json.loads((folder / "art" / "run.json").read_text(encoding="utf-8"))


def more_of(run, *, boards: int, servers: int, cases: int = 1):
    """Turn a real run into a bigger one with more boards, servers and renamed cases."""
    made = {**copy.deepcopy(run), "boards": [], "servers": [], "cases": [], "results": []}
    made["boards"] = [{**run["boards"][0], "board": f"board-{number}"} for number in range(boards)]
    made["servers"] = [{**run["servers"][0], "server": f"server-{number}"} for number in range(servers)]
    for copy_number in range(cases):
        ending = f"-{copy_number}" if copy_number else ""
        made["cases"] += [{**case, "case": case["case"] + ending} for case in run["cases"]]
    for board in made["boards"]:
        for server in made["servers"]:
            for copy_number in range(cases):
                ending = f"-{copy_number}" if copy_number else ""
                made["results"] += [
                    {**item, "board": board["board"], "server": server["server"], "case": item["case"] + ending}
                    for item in copy.deepcopy(run["results"])
                ]
    return made


@pytest.fixture(scope="session")
def multiplied():
    """Return the function that makes a bigger run."""
    return more_of


@pytest.fixture(scope="session")
def mixed(record):
    """Return the run on two boards and two servers, with every verdict and a comparison with a baseline."""
    _folder, run = record
    run = more_of(run, boards=2, servers=2)
    by_case = [item for item in run["results"] if item["case"] == run["results"][0]["case"]]
    for item, word in zip(by_case, ("fail", "insecure", "error", "known"), strict=True):
        item["verdict"], item["reason"] = word, f"made {word} for this test"
    by_case[0]["mismatches"] = [{"field": "outcome", "expected": "connected", "observed": "refused"}]
    run["boards"][1]["notes"] = ["its clock is wrong"]
    changed = {key: by_case[0][key] for key in ("board", "server", "case")}
    run["sources"] = [
        {
            "id": "7f",
            "file": "lab-a/run.json",
            "run": run["run"],
            "host": run["host"],
            "results": 1,
            "boards": {},
            "servers": {},
        }
    ]
    by_case[0]["source"] = "7f"
    run["changes"] = [{"kind": "new failure", "regression": True, **changed, "before": "pass", "after": "fail"}]
    return run


# Firmware, client and link of each column of a board; None for the default.
COLUMNS = (
    ("1.20.0", None, None),
    ("1.24.1", None, None),
    ("1.28.0", None, None),
    ("1.28.0", "asyncio", None),
    ("1.28.0", None, "slow-wifi"),
)
BOARDS = (("plant", "pyboard"), ("gate", "esp32"), ("unix:micropython-lab", "rp2"))


@pytest.fixture(scope="session")
def wide(record):
    """Return a run with 30 columns: three boards with firmwares, a client and a link, on two servers. Firmware 1.20 needs an EC key;
    one cell fails.
    """
    _folder, run = record
    run = copy.deepcopy(run)
    # The smoke cases have one single key only.
    (case,) = (copy.deepcopy(case) for case in run["cases"] if case["case"] == "key/rsa2048")
    run["cases"].append({**case, "case": "key/p256", "title": "P-256 key"})
    (rsa,) = (item for item in run["results"] if item["case"] == "key/rsa2048")
    other = {**copy.deepcopy(rsa), "case": "key/p256"}
    other["observed"]["negotiated"]["suite"] = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    run["results"].append(other)
    run = more_of(run, boards=len(COLUMNS) * len(BOARDS), servers=2)
    refusal = next(item for item in run["results"] if item["case"] == "seed/rsa-key-no-shared-cipher")
    places = [(*board, *column) for board in BOARDS for column in COLUMNS]
    columns = {entry["board"]: place for entry, place in zip(run["boards"], places, strict=True)}
    entries = {}
    for entry in run["boards"]:
        board, platform, firmware, _client, _link = columns[entry["board"]]
        facts = {**entry["facts"], "platform": platform, "version": [int(part) for part in firmware.split(".")]}
        name = f"{board}@{firmware}"
        entries[name] = {**entry, "board": name, "firmware": firmware, "facts": facts}
    run["boards"] = list(entries.values())
    for item in run["results"]:
        board, _platform, firmware, client, link = columns[item["board"]]
        item |= {"board": f"{board}@{firmware}", "client": client, "link": link}
        if firmware == "1.20.0" and item["case"].startswith("key/rsa"):
            kept = {key: item[key] for key in ("board", "server", "case")}
            item |= {**copy.deepcopy(refusal), **kept}
    failing = next(item for item in run["results"] if item["case"] == "seed/ca-verified")
    failing["verdict"], failing["reason"] = "fail", "made to fail for this test"
    return run


@pytest.fixture
def show(chromium, tmp_path):
    """Open a run record as a page from a file. Any console message, dialog or other request fails the test."""
    contexts, complaints = [], []

    def opened(run, *, path=None, hash_="", width=1280, height=900, **options):
        if path is None:
            path = tmp_path / "report.html"
            path.write_text(render_html(RunRecord.of_json(run)), encoding="utf-8")
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url.startswith(path.as_uri()) or complaints.append(request.url))
        page.goto(path.as_uri() + hash_)
        page.wait_for_selector("html[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
