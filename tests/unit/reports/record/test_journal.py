"""Files of a run."""

import json
import os
import stat

import pytest

from harness.errors import UsageError
from harness.reports.record.journal import Journal, way_to, write_private, write_text


def test_a_line_is_there_at_once(tmp_path):
    """Whatever happens later, what was added can be read: one JSON object per line, ASCII only."""
    journal = Journal(tmp_path / "new" / "deep")
    journal.add("run", {"schema": "x"})
    journal.add("result", {"text": "\u00fc\x1b\u2028\n"})
    lines = journal.path.read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == [
        {"record": "run", "schema": "x"},
        {"record": "result", "text": "\u00fc\x1b\u2028\n"},
    ]
    assert lines[-1] == b""
    assert journal.path.read_bytes().isascii()
    journal.close()


def test_the_run_before_is_gone(tmp_path):
    """What a killed run leaves is its own: no record and no page of the run before, which would pass for it. Captures stay."""
    for name in ("run.json", "matrix.html", "run.jsonl", "old.pcapng"):
        (tmp_path / name).write_text("old")
    journal = Journal(tmp_path)
    journal.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"run.jsonl": "", "old.pcapng": "old"}


def test_no_place(tmp_path):
    """A file where the directory should be is wrong usage of --artifacts."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"^--artifacts .*/file: cannot be written \(File exists\)$"):
        Journal(tmp_path / "file")


def test_write_text(tmp_path):
    """A report is there as a whole, for all who may read its folder, and replaces the old one."""
    path = tmp_path / "sub" / "deep" / "run.json"
    write_text(path, "old")
    write_text(path, "new \u00fc")
    assert path.read_text(encoding="utf-8") == "new \u00fc"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert [item.name for item in path.parent.iterdir()] == ["run.json"]


def test_write_text_fails_whole(tmp_path):
    """If it cannot be written the old one stays, and no half file is left."""
    path = tmp_path / "run.json"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("folder", "start", "way"),
    [("a/b", "a/b", ""), ("a/b", "a", "b"), ("a", "a/b", ".."), ("a/b", "a/c", "../b"), ("a/b/c", "a", "b/c")],
)
def test_the_way_from_a_report_to_a_folder(tmp_path, folder, start, way):
    """As links in a report write it; none where it lies in the folder itself."""
    assert way_to(tmp_path / folder, start=tmp_path / start) == way


def test_write_private(tmp_path):
    """Only this user reads secrets, also when the file was there before."""
    path = tmp_path / "x" / "y" / "capture"
    write_private(path, b"first and longer")
    write_private(path, b"second")
    assert path.read_bytes() == b"second"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
