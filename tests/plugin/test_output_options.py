"""`--artifacts`, `--compat-report`, `--keep-wire`: which files are written, and where."""

import json
import shutil
import stat
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from harness.reports.record.run_types import RunRecord
from harness.reports.text.spreadsheet import render_csv
from harness.system.folder_lock import FolderLock


def test_artifacts(suite):
    """Record, page and journal go to the --artifacts directory, which the terminal names; passing cases write nothing else there."""
    ran = suite.run(*suite.quick, "--artifacts", "out/deep")
    assert ran.status == 0
    assert [line for line in ran.lines if line.startswith("report: ")] == [
        f"report: {suite.folder / 'out' / 'deep' / name}" for name in ("run.json", "matrix.html")
    ]
    assert sorted(path.name for path in (suite.folder / "out" / "deep").iterdir()) == [
        "matrix.html",
        "run.json",
        "run.jsonl",
    ]
    assert not (suite.folder / ".compat").exists()
    assert ran.record("out/deep")["run"]["cases"] == "smoke"


def test_compat_report(suite):
    """--compat-report is repeatable; each .json is the run record with the command for each case; a page elsewhere finds the artifacts."""
    wanted = [word for name in ("a.json", "sub/b.json", "c.html", "d.csv") for word in ("--compat-report", name)]
    ran = suite.run(*suite.quick, *wanted)
    assert ran.status == 0
    assert [line.removeprefix(f"report: {suite.folder}/") for line in ran.lines if line.startswith("report: ")] == [
        ".compat/run.json",
        ".compat/matrix.html",
        "a.json",
        "sub/b.json",
        "c.html",
        "d.csv",
    ]
    for name in ("a.json", "sub/b.json"):
        assert json.loads((suite.folder / name).read_text()) == ran.record()
    page = (suite.folder / "c.html").read_text(encoding="utf-8")
    assert '"links":".compat"' in page
    assert page.replace('"links":".compat"', '"links":""') == (suite.folder / ".compat" / "matrix.html").read_text(
        encoding="utf-8"
    )
    assert (suite.folder / "d.csv").read_bytes().decode("utf-8") == render_csv(RunRecord.of_json(ran.record()))
    for result in ran.record()["results"]:
        assert result["rerun"].startswith("pytest ")
        assert f"{result['case']}]" in result["rerun"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--compat-report", "run.pdf", "unknown suffix '.pdf' (expected one of "),
        ("--artifacts", "test_mine.py", "{folder}/test_mine.py is a file (expected a writable directory)"),
    ],
)
def test_paths_that_cannot_be_written(suite, option, value, message):
    """A report that could not be written is refused before the run, not lost after it (tests/unit/pytest_plugin/test_options.py)."""
    assert suite.refused(option, value).startswith(f"{option} {value!r}: {message.format(folder=suite.folder)}")


def test_a_report_of_nothing(suite):
    """Tests that run no case have no results: the run reports that no report was written."""
    suite.write("test_mine.py", "def test_own():\n    pass\n")
    ran = suite.run("--compat-report", "r.md")
    assert (ran.status, ran.summary()) == (0, "1 passed")
    assert ran.line("--compat-report: ") == (
        "--compat-report: no report was written, because no test in this run used run_case"
    )
    assert not (suite.folder / "r.md").exists()
    assert "--compat-report: " not in suite.run("--compat-report", "r.md", "--collect-only").text


def test_a_lost_report_fails_the_run(suite):
    """If the directory disappears meanwhile, the results are shown, and the run fails and names the missing report."""
    suite.write(
        "test_zz_last.py",
        "import pathlib\ndef test_last():\n    pathlib.Path('sub').mkdir(exist_ok=True)\n    pathlib.Path('sub/r.json').mkdir()\n",
    )
    ran = suite.run("--cases", "smoke", "-k", "rsa-1024-key or last", "--compat-report", "sub/r.json")
    assert (ran.status, ran.summary()) == (10, "2 passed")
    assert ran.line("no report: ") == f"no report: {suite.folder}/sub/r.json cannot be written (Is a directory)"


FULL_DISK = """
from harness.reports.record import journal
from harness.run import artifacts


def full(*_arguments):
    with open("/dev/full", "w", buffering=1) as file:
        file.write("x\\n")


{change}
"""


def test_a_full_disk_below_the_journal(suite):
    """The run continues, writes what it can, and fails with the names of the missing files."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    change = 'journal._open_in_place = lambda path: open("/dev/full", "w")'
    suite.write("conftest.py", FULL_DISK.format(change=change))
    ran = suite.run(*suite.quick, "--compat-report", "r.csv")
    assert (ran.status, ran.summary()) == (10, "2 passed")
    lost = f"{suite.folder}/.compat/run.jsonl cannot be written (No space left on device)"
    assert ran.line("no report: ") == f"no report: {lost}"
    assert "Traceback" not in ran.text
    assert len(ran.record()["results"]) == 2
    assert (suite.folder / "r.csv").read_text(encoding="utf-8").count("\n") == 3


def test_a_full_disk_below_the_captures(suite):
    """With --keep-wire no verdict is lost: the results have no capture, and a note about the board says why."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    suite.write("conftest.py", FULL_DISK.format(change="artifacts.write_private = full"))
    ran = suite.run("--cases", "smoke", "-k", "ecdsa-key-connects or ca-verified", "--keep-wire")
    assert (ran.status, ran.summary()) == (0, "2 passed")
    record = ran.record()
    assert {(item["verdict"], item["artifacts"]["pcapng"]) for item in record["results"]} == {("pass", None)}
    note = f"captures or transcripts are missing: {suite.folder}/.compat cannot be written (No space left on device)"
    assert record["boards"][0]["notes"].count(note) == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", [(), ("-n", "1", "--artifacts", "mine")], ids=["alone", "workers"])
def test_one_run_at_a_time(suite, how):
    """A second run into the same folder ends at once with a message and changes nothing; after the first has ended, it may run."""
    folder = suite.folder / (how[-1] if how else ".compat")
    other = FolderLock(folder)
    ran = suite.run(*suite.quick, *how)
    assert ran.status == 4
    assert ran.line("ERROR: ") == (
        f"ERROR: --artifacts {folder}: another run is writing there (expected a directory that is not in use by another run)"
    )
    assert "Traceback" not in ran.text
    assert list(folder.iterdir()) == []
    if not how:
        assert suite.run(*suite.quick, "--collect-only").status == 0
        other.close()
        assert suite.run(*suite.quick).status == 0
    other.close()


@pytest.fixture(scope="module")
def kept(shared_suite, tmp_path_factory):
    """A run that keeps the capture of its only case, in an existing directory elsewhere; the run, that directory and the result."""
    place = tmp_path_factory.mktemp("elsewhere")
    ran = shared_suite.run("--cases", "smoke", "-k", "ca-verified", "--keep-wire", "--artifacts", str(place))
    assert ran.status == 0
    (result,) = ran.record(str(place))["results"]
    return ran, place, result


def test_artifacts_outside(kept):
    """An existing directory elsewhere is not taken for a test path: the root directory does not change."""
    ran, place, _result = kept
    assert ran.line("rootdir: ") == f"rootdir: {ran.folder}"
    assert {path.name for path in place.iterdir()} > {"matrix.html", "run.json", "run.jsonl"}


def test_the_kept_capture_opens_decrypted(kept):
    """tshark, without options, decrypts the texts of both sides from a run's capture, with the run's times and addresses."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed; apt-get install tshark")
    ran, place, result = kept
    capture = place / result["artifacts"]["pcapng"]
    names = ("frame.time_epoch", "ip.src", "tcp.srcport", "data.data")
    fields = [word for name in names for word in ("-e", name)]
    command = [tshark, "-r", str(capture), "-T", "fields", *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=240)
    packets = [line.split("\t") for line in done.stdout.splitlines()]
    ends = {f"{address}:{port}" for _at, address, port, _data in packets}
    assert ends == set(result["observed"]["addresses"].values())
    texts = result["observed"]["text"].values()
    assert [bytes.fromhex(data).decode() for *_rest, data in packets if data] == list(texts)
    started, finished = (
        datetime.fromisoformat(ran.record(str(place))["run"][key]).timestamp() for key in ("started", "finished")
    )
    assert all(started <= float(at) <= finished for at, *_rest in packets)


def test_keep_wire(kept):
    """--keep-wire keeps a capture, a packet list and a transcript of a passing case; only this user may read the secrets in it."""
    _ran, place, result = kept
    assert result["artifacts"] == {
        "pcapng": "unix-in-process-seed_ca-verified.pcapng",
        "transcript": "unix-in-process-seed_ca-verified.serial.txt",
    }
    capture = place / result["artifacts"]["pcapng"]
    assert capture.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    assert stat.S_IMODE(capture.stat().st_mode) == 0o600
    assert [row["info"].partition(" (")[0] for row in result["packets"][:3]] == [
        "TCP connection, accepted by the server",
        "Client Hello",
        "Server Hello",
    ]
    assert [row["number"] for row in result["packets"]] == list(range(1, len(result["packets"]) + 1))
    assert "th_run(" in (place / result["artifacts"]["transcript"]).read_text()
